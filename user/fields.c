// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/address.h"
#include "user/call.h"
#include "user/cause.h"
#include "user/fields.h"
#include "user/linger.h"
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

void fields_put_address(struct value *value, const __u8 *addr)
{
	address_put(value->room, addr);
	value_word(value, value->room);
}

/* One of the facts that may be missing. */
static void put_unless(struct value *value, const struct record *r, __u32 lacks, uint64_t number)
{
	if (!(r->event->facts & lacks))
		value_number(value, number);
}

static void put_if(struct value *value, int known, uint64_t number)
{
	if (known)
		value_number(value, number);
}

/* 0 is none of these. */
static void put_known(struct value *value, uint64_t number)
{
	put_if(value, number != 0, number);
}

void fields_put_time(struct value *value, uint64_t time_ns)
{
	value->type = VALUE_TIME;
	value->number = time_ns + epoch_ns;
}

#define GET(key) static void get_##key(const struct record *r, struct value *value)
#define GET_NUMBER(key)	GET(key) { value_number(value, r->event->key); }

GET(event) { value_word(value, event_name(r->event->kind)); }
GET(time) { fields_put_time(value, r->event->time_ns); }
GET(id) { put_known(value, r->event->id); }

/* Of a reset only where its owner is known. */
static int has_task(const struct record *r)
{
	return r->event->kind != EVENT_RESET || r->owner != OWNER_NOBODY;
}

GET(pid) { put_if(value, has_task(r), r->event->pid); }
GET(tid) { put_known(value, r->event->tid); }
GET(uid) { put_if(value, has_task(r) && (r->event->kind == EVENT_CLOSE || r->event->uid != UID_UNKNOWN),
		      r->event->uid); }

GET(comm)
{
	if (!has_task(r))
		return;
	value->type = VALUE_FOREIGN;
	value->text = r->event->comm;
}

GET(direction) { value_word(value, cause_is_received(r->verdict.cause) ? "received" : "sent"); }
GET(cause) { value_word(value, cause_name(r->verdict.cause)); }
GET(owner) { value_word(value, owner_name(r->owner)); }
GET(how) { value_word(value, end_name(r->verdict.end)); }
GET(after_us) { value_number(value, r->event->blocked_ns / 1000); }
GET(context) { value_word(value, context_name(r->event->context)); }
GET(cgroup) { put_known(value, r->event->cgroup); }
GET_NUMBER(netns)

static int is_ipv4(const struct close_event *event)
{
	return address_is_ipv4(event->laddr) || address_is_ipv4(event->raddr);
}

GET(family) { value_word(value, is_ipv4(r->event) ? "ipv4" : "ipv6"); }
GET(laddr) { fields_put_address(value, r->event->laddr); }
GET_NUMBER(lport)
GET(raddr) { fields_put_address(value, r->event->raddr); }
GET_NUMBER(rport)
GET(branch) { value_word(value, branch_name(r->verdict.branch)); }
GET(sent) { value_word(value, sent_name(r->verdict.sent)); }
GET(state) { value_word(value, state_name(r->event->state)); }
GET(new_state) { value_word(value, state_name(r->event->new_state)); }
GET(linger) { value_word(value, linger_name(r->verdict.linger)); }
GET(unread_bytes) { value_number(value, r->event->unread_bytes); }
GET(unsent_bytes) { put_unless(value, r, LACKS_SENDQ, r->event->unsent_bytes); }
GET(unacked_bytes) { put_unless(value, r, LACKS_SENDQ, r->event->unacked_bytes); }
GET(blocked_us) { put_unless(value, r, LACKS_BLOCKED, r->event->blocked_ns / 1000); }
GET(reason) { value_word(value, reason_name(r->event->reason)); }
GET(after) { value_word(value, after_name(r->verdict.after)); }
GET(via) { value_word(value, via_name(r->event->via)); }
GET(call) { value_word(value, call_name(r->event)); }
GET(call_text) { value_word(value, call_words(r->event)); }

GET(linger_s)
{
	if (r->event->facts & WAS_LINGER && !judge_is_linger_of_fastclose(r->event))
		value_number(value, r->event->linger_s);
}

/* Of a close, as long as it is what the application set. */
static int has_setter(const struct record *r)
{
	return r->event->setter.time_ns && !judge_is_linger_of_fastclose(r->event);
}

GET(linger_set_time)
{
	if (!has_setter(r))
		return;
	value_number(value, r->event->setter.time_ns + epoch_ns);
	value->type = VALUE_TIME;
}

GET(linger_set_pid) { put_if(value, has_setter(r), r->event->setter.pid); }
GET(linger_set_tid) { put_if(value, has_setter(r), r->event->setter.tid); }

GET(linger_set_comm)
{
	if (!has_setter(r))
		return;
	value->type = VALUE_FOREIGN;
	value->text = r->event->setter.comm;
}

GET(linger_set_at)
{
	if (!has_setter(r) || !r->linger_site)
		return;
	value->type = VALUE_FOREIGN;
	value->text = r->linger_site;
}

static void put_truth(struct value *value, int truth)
{
	value_number(value, !!truth);
	value->type = VALUE_TRUTH;
}

GET(linger_inherited)
{
	if (has_setter(r))
		put_truth(value, r->event->facts & LINGER_INHERITED);
}

GET(linger_sentence)
{
	linger_say(r, value->room, sizeof(value->room));
	if (!*value->room)
		return;
	value->type = VALUE_FOREIGN;
	value->text = value->room;
}

GET(on) { put_truth(value, r->event->facts & WAS_LINGER); }
GET(seconds) { put_if(value, r->event->facts & WAS_LINGER, r->event->linger_s); }

GET(on_text)
{
	linger_show(r->event, value->room, sizeof(value->room));
	value_word(value, value->room);
}

GET(nonblock)
{
	put_unless(value, r, LACKS_NONBLOCK, !!(r->event->facts & WAS_NONBLOCK));
	if (value->type == VALUE_NUMBER)
		value->type = VALUE_TRUTH;
}

GET(mptcp)
{
	put_unless(value, r, LACKS_SUBFLOW, !!(r->event->facts & WAS_SUBFLOW));
	if (value->type == VALUE_NUMBER)
		value->type = VALUE_TRUTH;
}

static void put_end(struct value *value, const __u8 *addr, unsigned int port)
{
	address_put_end(value->room, addr, port);
	value_word(value, value->room);
}

GET(local) { put_end(value, r->event->laddr, r->event->lport); }
GET(remote) { put_end(value, r->event->raddr, r->event->rport); }

GET(states)
{
	const char *from = state_name(r->event->state), *to = state_name(r->event->new_state);

	if (!from || !to)
		return;
	if (r->event->state == r->event->new_state) {
		value_word(value, from);
		return;
	}
	stpcpy(stpcpy(stpcpy(value->room, from), "->"), to);
	value_word(value, value->room);
}

GET(linger_text)
{
	const char *outcome = linger_name(r->verdict.linger);

	if (!(r->event->facts & WAS_LINGER) || judge_is_linger_of_fastclose(r->event))
		return;
	snprintf(value->room, sizeof(value->room), "%llus:%s", r->event->linger_s,
		 outcome ? outcome : "unknown");
	value_word(value, value->room);
}

/* What a person would notice. */
GET(blocked_text)
{
	double s = r->event->blocked_ns / 1e9;

	if (r->event->facts & LACKS_BLOCKED || s < 0.001)
		return;
	snprintf(value->room, sizeof(value->room), s < 1 ? "%.0fms" : "%.3fs", s < 1 ? s * 1000 : s);
	value_word(value, value->room);
}

GET(context_text)
{
	if (r->event->context != CONTEXT_SYSCALL)
		get_context(r, value);
}

/* What happened: to a closed socket what followed is marked as such, below its close. */
GET(what)
{
	const char *word = r->event->kind == EVENT_END ? end_name(r->verdict.end) :
						      cause_name(r->verdict.cause);

	if (r->event->kind == EVENT_CLOSE) {
		get_branch(r, value);
		return;
	}
	if (r->event->kind == EVENT_LINGER) {
		get_event(r, value);
		return;
	}
	snprintf(value->room, sizeof(value->room), "%s%s", r->owner == OWNER_CLOSER ? "\\_ " : "", word);
	value_word(value, value->room);
}

GET(packet)
{
	if (r->event->kind == EVENT_CLOSE)
		get_sent(r, value);
	else if (r->event->kind == EVENT_RESET)
		value_word(value, cause_is_received(r->verdict.cause) ? "got" : "rst");
}

/* To CLOSE it was moved just before the RST was sent: tcp_done(), tcp_disconnect(). */
GET(state_text)
{
	if (r->event->state != TCP_CLOSE)
		get_state(r, value);
}

GET(since_text)
{
	double s = r->event->blocked_ns / 1e9;

	snprintf(value->room, sizeof(value->room), s < 1 ? "%.3fms" : "%.3fs", s < 1 ? s * 1000 : s);
	value_word(value, value->room);
}

GET(shutdown_text)
{
	if (r->verdict.branch == BRANCH_FIN_ALREADY_SENT)
		value_word(value, "before");
}

#define CLOSES	(1 << EVENT_CLOSE)
#define RESETS	(1 << EVENT_RESET)
#define ENDS	(1 << EVENT_END)
#define LINGERS	(1 << EVENT_LINGER)
#define ALL	(CLOSES | RESETS | ENDS | LINGERS)
#define TASKS	(CLOSES | RESETS | LINGERS)	/* whose task it is is known in full */

/* clang-format off */
const struct field fields[] = {
	/* kinds            key             get                head      width layout detail */
	{ ALL,              "event",         get_event },
	{ ALL,              "time",          get_time,          "TIME",    12 },
	{ RESETS,           "direction",     get_direction },
	{ RESETS,           "cause",         get_cause },
	{ RESETS,           "owner",         get_owner },
	{ ALL,              "id",            get_id },
	{ ALL,              "pid",           get_pid,           "PID",      7 },
	{ TASKS,            "tid",           get_tid },
	{ ALL,              "comm",          get_comm,          "COMM",    15 },
	{ TASKS,            "uid",           get_uid },
	{ CLOSES,           "context",       get_context },
	{ TASKS,            "cgroup",        get_cgroup },
	{ ALL,              "netns",         get_netns },
	{ ALL,              "family",        get_family },
	{ ALL,              "laddr",         get_laddr },
	{ ALL,              "lport",         get_lport },
	{ ALL,              "raddr",         get_raddr },
	{ ALL,              "rport",         get_rport },
	{ ENDS,             "how",           get_how },
	{ ENDS,             "after_us",      get_after_us },
	{ CLOSES,           "branch",        get_branch },
	{ ALL,              NULL,            get_what,          "BRANCH",  21 },
	{ CLOSES,           "sent",          get_sent },
	{ ALL,              NULL,            get_packet,        "SENT",     4 },
	{ ALL,              NULL,            get_lport,         "LPORT",    5, "-c-" },
	{ ALL,              NULL,            get_local,         "LOCAL",   21, "d-c" },
	{ ALL,              NULL,            get_remote,        "REMOTE",  21, "dcc" },
	{ CLOSES,           NULL,            get_states,        .detail = "" },
	{ TASKS,            "state",         get_state },
	{ RESETS,           NULL,            get_state_text,    .detail = "" },
	{ CLOSES,           "new_state",     get_new_state },
	{ CLOSES,           "linger_s",      get_linger_s },
	{ CLOSES,           "linger",        get_linger },
	{ CLOSES,           NULL,            get_linger_text,   .detail = "linger=" },
	{ CLOSES,           "linger_set_time", get_linger_set_time },
	{ CLOSES,           "linger_set_pid", get_linger_set_pid },
	{ CLOSES,           "linger_set_tid", get_linger_set_tid },
	{ CLOSES,           "linger_set_comm", get_linger_set_comm },
	{ CLOSES,           "linger_set_at", get_linger_set_at },
	{ CLOSES,           "linger_inherited", get_linger_inherited },
	{ LINGERS,          "on",            get_on },
	{ LINGERS,          "seconds",       get_seconds },
	{ LINGERS,          NULL,            get_on_text,       .detail = "" },
	{ CLOSES,           "nonblock",      get_nonblock,      .detail = "nonblock=" },
	{ CLOSES,           "unread_bytes",  get_unread_bytes,  .detail = "unread=" },
	{ CLOSES,           "unsent_bytes",  get_unsent_bytes,  .detail = "unsent=" },
	{ CLOSES,           "unacked_bytes", get_unacked_bytes, .detail = "unacked=" },
	{ CLOSES,           "blocked_us",    get_blocked_us },
	{ CLOSES,           NULL,            get_blocked_text,  .detail = "blocked=" },
	{ CLOSES,           NULL,            get_context_text,  .detail = "by=" },
	{ CLOSES | LINGERS, "mptcp",         get_mptcp,         .detail = "mptcp=" },
	{ ENDS,             NULL,            get_since_text,    .detail = "after " },
	{ CLOSES | RESETS,  "reason",        get_reason },
	{ CLOSES,           "after",         get_after,         .detail = "after=" },
	{ ALL,              "via",           get_via },
	{ CLOSES,           "call",          get_call },
	{ CLOSES,           NULL,            get_shutdown_text, .detail = "shutdown() ", .verbose = true },
	{ CLOSES,           NULL,            get_call_text,     .detail = "closed by ", .verbose = true },
	{ CLOSES,           NULL,            get_linger_sentence, .detail = "\n" },
	{ 0 },
};
/* clang-format on */
_Static_assert(sizeof(fields) / sizeof(*fields) <= FIELDS, "room for what is made of each row");
