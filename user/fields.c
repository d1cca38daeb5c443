// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/fields.h"
#include "user/reason.h"

#define CLOCK_LOOKS   10
#define CLOCK_GOOD_NS 20000	/* a clock that is a device takes as long to read */

static int64_t epoch_ns;	/* of CLOCK_MONOTONIC's zero */

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* We may be put off between the two clocks, and then every record would be early by as much:
 * the narrowest of a few looks counts. */
void fields_set_clock(void)
{
	int64_t narrowest = INT64_MAX;

	for (int i = 0; i < CLOCK_LOOKS && narrowest > CLOCK_GOOD_NS; i++) {
		int64_t before = clock_ns(CLOCK_MONOTONIC), now = clock_ns(CLOCK_REALTIME);
		int64_t width = clock_ns(CLOCK_MONOTONIC) - before;

		if (width >= narrowest)
			continue;
		narrowest = width;
		epoch_ns = now - before - width / 2;
	}
}

static void put_number(struct value *value, uint64_t number)
{
	value->type = VALUE_NUMBER;
	value->number = number;
}

static void put_word(struct value *value, const char *word)
{
	value->type = word ? VALUE_WORD : VALUE_NULL;
	value->text = word;
}

static int is_ipv4(const __u8 *addr)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, mapped, sizeof(mapped));
}

/* inet_ntop() prints by sprintf(), four times slower. */
static void put_ipv4(struct value *value, const __u8 *addr)
{
	char *at = value->room;

	for (int i = 0; i < 4; i++) {
		unsigned int n = addr[i];

		if (n >= 100)
			*at++ = '0' + n / 100;
		if (n >= 10)
			*at++ = '0' + n / 10 % 10;
		*at++ = '0' + n % 10;
		*at++ = i < 3 ? '.' : '\0';
	}
	put_word(value, value->room);
}

static void put_address(struct value *value, const __u8 *addr)
{
	if (is_ipv4(addr)) {
		put_ipv4(value, addr + 12);
		return;
	}
	put_word(value, inet_ntop(AF_INET6, addr, value->room, sizeof(value->room)));
}

/* One of the facts that may be missing. */
static void put_unless(struct value *value, const struct closed *c, __u32 lacks, uint64_t number)
{
	if (!(c->event->facts & lacks))
		put_number(value, number);
}

#define GET(key) static void get_##key(const struct closed *c, struct value *value)
#define GET_NUMBER(key)	GET(key) { put_number(value, c->event->key); }

GET(event) { put_word(value, "close"); }
GET(time) { put_number(value, c->event->time_ns + epoch_ns); value->type = VALUE_TIME; }
GET_NUMBER(id)
GET_NUMBER(pid)
GET_NUMBER(tid)
GET(comm) { value->type = VALUE_FOREIGN; value->text = c->event->comm; }
GET_NUMBER(uid)
GET(context) { put_word(value, context_name(c->event->context)); }
GET_NUMBER(cgroup)
GET_NUMBER(netns)
GET(family) { put_word(value, is_ipv4(c->event->laddr) || is_ipv4(c->event->raddr) ? "ipv4" : "ipv6"); }
GET(laddr) { put_address(value, c->event->laddr); }
GET_NUMBER(lport)
GET(raddr) { put_address(value, c->event->raddr); }
GET_NUMBER(rport)
GET(branch) { put_word(value, branch_name(c->verdict.branch)); }
GET(sent) { put_word(value, sent_name(c->verdict.sent)); }
GET(state) { put_word(value, state_name(c->event->state)); }
GET(new_state) { put_word(value, state_name(c->event->new_state)); }
GET(linger) { put_word(value, linger_name(c->verdict.linger)); }
GET(unread_bytes) { put_number(value, c->event->unread_bytes); }
GET(unsent_bytes) { put_unless(value, c, LACKS_SENDQ, c->event->unsent_bytes); }
GET(unacked_bytes) { put_unless(value, c, LACKS_SENDQ, c->event->unacked_bytes); }
GET(blocked_us) { put_unless(value, c, LACKS_BLOCKED, c->event->blocked_ns / 1000); }
GET(reason) { put_word(value, reason_name(c->event->reason)); }
GET(after) { put_word(value, after_name(c->verdict.after)); }
GET(via) { put_word(value, via_name(c->event->via)); }

GET(linger_s)
{
	if (c->event->facts & WAS_LINGER)
		put_number(value, c->event->linger_s);
}

GET(nonblock)
{
	put_unless(value, c, LACKS_NONBLOCK, !!(c->event->facts & WAS_NONBLOCK));
	if (value->type == VALUE_NUMBER)
		value->type = VALUE_TRUTH;
}

static void put_end(struct value *value, const __u8 *addr, unsigned int port)
{
	struct value address = {};

	put_address(&address, addr);
	snprintf(value->room, sizeof(value->room), is_ipv4(addr) ? "%s:%u" : "[%s]:%u",
		 address.text, port);
	put_word(value, value->room);
}

GET(local) { put_end(value, c->event->laddr, c->event->lport); }
GET(remote) { put_end(value, c->event->raddr, c->event->rport); }

GET(states)
{
	const char *from = state_name(c->event->state), *to = state_name(c->event->new_state);

	if (!from || !to)
		return;
	if (c->event->state == c->event->new_state)
		snprintf(value->room, sizeof(value->room), "%s", from);
	else
		snprintf(value->room, sizeof(value->room), "%s->%s", from, to);
	put_word(value, value->room);
}

GET(linger_text)
{
	const char *outcome = linger_name(c->verdict.linger);

	if (!(c->event->facts & WAS_LINGER))
		return;
	snprintf(value->room, sizeof(value->room), "%llus:%s", c->event->linger_s,
		 outcome ? outcome : "unknown");
	put_word(value, value->room);
}

/* What a person would notice. */
GET(blocked_text)
{
	double s = c->event->blocked_ns / 1e9;

	if (c->event->facts & LACKS_BLOCKED || s < 0.001)
		return;
	snprintf(value->room, sizeof(value->room), s < 1 ? "%.0fms" : "%.3fs", s < 1 ? s * 1000 : s);
	put_word(value, value->room);
}

GET(context_text)
{
	if (c->event->context != CONTEXT_SYSCALL)
		get_context(c, value);
}

/* clang-format off */
const struct field fields[] = {
	/* key             get                head      width layout detail */
	{ "event",         get_event },
	{ "time",          get_time,          "TIME",    12 },
	{ "id",            get_id },
	{ "pid",           get_pid,           "PID",      7 },
	{ "tid",           get_tid },
	{ "comm",          get_comm,          "COMM",    15 },
	{ "uid",           get_uid },
	{ "context",       get_context },
	{ "cgroup",        get_cgroup },
	{ "netns",         get_netns },
	{ "family",        get_family },
	{ "laddr",         get_laddr },
	{ "lport",         get_lport },
	{ "raddr",         get_raddr },
	{ "rport",         get_rport },
	{ "branch",        get_branch,        "BRANCH",  17 },
	{ "sent",          get_sent,          "SENT",     4 },
	{ NULL,            get_lport,         "LPORT",    5, "-c-" },
	{ NULL,            get_local,         "LOCAL",   21, "d-c" },
	{ NULL,            get_remote,        "REMOTE",  21, "dcc" },
	{ NULL,            get_states,        .detail = "" },
	{ "state",         get_state },
	{ "new_state",     get_new_state },
	{ "linger_s",      get_linger_s },
	{ "linger",        get_linger },
	{ NULL,            get_linger_text,   .detail = "linger=" },
	{ "nonblock",      get_nonblock,      .detail = "nonblock=" },
	{ "unread_bytes",  get_unread_bytes,  .detail = "unread=" },
	{ "unsent_bytes",  get_unsent_bytes,  .detail = "unsent=" },
	{ "unacked_bytes", get_unacked_bytes, .detail = "unacked=" },
	{ "blocked_us",    get_blocked_us },
	{ NULL,            get_blocked_text,  .detail = "blocked=" },
	{ NULL,            get_context_text,  .detail = "by=" },
	{ "reason",        get_reason },
	{ "after",         get_after,         .detail = "after=" },
	{ "via",           get_via },
	{ NULL },
};
/* clang-format on */
