// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every path of user/paths.c, over IPv4, IPv6 and IPv4-mapped IPv6.  Three witnesses for
 * each: the record, the packets on the wire, the kernel's counters.  They must say what
 * the table says, which is what the kernel's source says.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/counters.h"
#include "tests/live/live.h"
#include "tests/live/wire.h"
#include "user/judge.h"
#include "user/paths.h"

#define MAX_WALKS 512

/* One path, walked. */
struct walked {
	const struct path *path;
	const char *kind;	/* of its addresses */
	struct path_result result;
	char start[40], end[40];	/* as records tell the time */
	char wire[256];
	struct path_counters counted;
	char why[256];		/* it could not be walked */
};

static const struct kind {
	const char *name;
	const char *family;	/* as records tell it */
	int peer;
	bool mapped;
} kinds[] = {
	{ "ipv4", "ipv4", AF_INET, false },
	{ "ipv6", "ipv6", AF_INET6, false },
	{ "mapped", "ipv4", AF_INET, true },
};

static struct walked walks[MAX_WALKS];
static int walks_count;
static struct wire *wire;

static void now(char *text, size_t size)
{
	struct timespec at;
	struct tm tm;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &at);
	used = strftime(text, size, "%Y-%m-%dT%H:%M:%S.", gmtime_r(&at.tv_sec, &tm));
	snprintf(text + used, size - used, "%09ldZ", at.tv_nsec);
}

static unsigned int port_of(const struct sockaddr_storage *at)
{
	return at->ss_family == AF_UNSPEC ? 0 : ntohs(((const struct sockaddr_in *)at)->sin_port);
}

/* ---- walking --------------------------------------------------------------------- */

/* Right before the close: what is on the wire by now is none of its doing. */
static void before_close(void *arg)
{
	struct walked *walked = arg;

	wire_mark(wire);
	counters_read(&walked->counted);
}

static void walk(const struct path *path, const struct kind *kind, struct peer *peer)
{
	struct walked *walked = &walks[walks_count++];
	struct path_options options = {
		.peer = peer, .mapped = kind->mapped, .before_close = before_close, .arg = walked,
	};
	struct path_counters before;

	walked->path = path;
	walked->kind = kind->name;
	wire_forget(wire);
	now(walked->start, sizeof(walked->start));
	if (path_walk(path, &options, &walked->result, walked->why, sizeof(walked->why)))
		return;
	now(walked->end, sizeof(walked->end));
	before = walked->counted;
	counters_read(&walked->counted);
	counters_subtract(&walked->counted, &before);
	wire_flags(wire, port_of(&walked->result.local), walked->wire, sizeof(walked->wire));
}

static void walk_all(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct peer *peer = peer_start(kinds[i].peer);

		if (!peer)
			bail_out("no peer: %s", strerror(errno));
		for (const struct path *path = paths; path->name; path++)
			walk(path, &kinds[i], peer);
		peer_stop(peer);
	}
}

/* ---- what was recorded -------------------------------------------------------------- */

static bool is_of(const json_t *record, const struct walked *walked)
{
	const char *time = text_of(record, "time");

	return is_close(record) && number_of(record, "pid") == walked->result.pid &&
	       number_of(record, "lport") == port_of(&walked->result.local) &&
	       number_of(record, "rport") == port_of(&walked->result.remote) &&
	       strcmp(time, walked->start) >= 0 && strcmp(time, walked->end) <= 0;
}

static int find(const json_t *records, const struct walked *walked, const json_t **found)
{
	const json_t *record;
	size_t i;
	int count = 0;

	json_array_foreach(records, i, record)
		if (is_of(record, walked)) {
			*found = record;
			count++;
		}
	return count;
}

/* ---- comparing ------------------------------------------------------------------------ */

static bool at_least(const json_t *record, const char *key, long long least)
{
	if (number_of(record, key) >= least)
		return true;
	note("%s is %lld, expected %lld at least", key, number_of(record, key), least);
	return false;
}

/* A way that cannot see what came after says null, and only that way. */
static bool same_after(const json_t *record, const struct path_expect *expect, bool blind)
{
	const char *got = text_of(record, "after");

	if (blind)
		return same_text(record, "after", NULL);
	for (int after = 0; after < AFTER_COUNT; after++)
		if (expect->after & 1U << after && !strcmp(got, after_name(after) ? after_name(after) : "null"))
			return true;
	note("after is %s, not one of those expected (%#x)", got, expect->after);
	return false;
}

static bool same_linger(const json_t *record, const struct path_expect *expect, bool blind)
{
	bool waits = expect->linger == LINGER_DRAINED || expect->linger == LINGER_TIMED_OUT ||
		     expect->linger == LINGER_INTERRUPTED || expect->linger == LINGER_CLOSED_MEANWHILE;

	if (!same_number(record, "linger_s", expect->linger_on ? (long long)expect->linger_s : -1))
		return false;
	return same_text(record, "linger", blind && waits ? NULL : linger_name(expect->linger));
}

/* Where the kernel has reasons (v6.12; v6.10 has none for what it sends by itself). */
static bool right_reason(const json_t *record, const struct path_expect *expect)
{
	const char *got = text_of(record, "reason");

	if (!strcmp(got, "null"))
		return true;
	if (expect->after & 1U << AFTER_LINGER2_RESET && !strcmp(got, "TCP_ABORT_ON_LINGER"))
		return true;
	if (expect->after & 1U << AFTER_LATE_DATA_RESET && !strcmp(got, "TCP_ABORT_ON_DATA"))
		return true;
	if (expect->branch == BRANCH_UNREAD_DATA && !strcmp(got, "TCP_ABORT_ON_CLOSE"))
		return true;
	if (expect->sent == SENT_RST && expect->branch == BRANCH_ZERO_LINGER &&
	    (!strcmp(got, "TCP_STATE") || !strcmp(got, "TCP_DISCONNECT_WITH_DATA")))
		return true;
	note("reason is %s", got);
	return false;
}

static bool right_record(const json_t *record, const struct walked *walked, const char *via)
{
	const struct path_expect *expect = &walked->path->expect;
	bool blind = !strcmp(via, "tracepoint"), good = true;

	good &= same_text(record, "branch", branch_name(expect->branch));
	good &= same_text(record, "sent", sent_name(expect->sent));
	good &= same_text(record, "state", state_name(expect->state));
	good &= same_text(record, "context", expect->exiting ? "exit" : "syscall");
	good &= same_text(record, "via", via);
	good &= same_linger(record, expect, blind);
	good &= same_after(record, expect, blind);
	good &= same_number(record, "unread_bytes", expect->unread_bytes);
	good &= right_reason(record, expect);
	if (expect->min_unsent_bytes)
		good &= at_least(record, "unsent_bytes", expect->min_unsent_bytes);
	if (!blind)
		good &= at_least(record, "blocked_us", expect->min_blocked_ms * 1000LL);
	return good;
}

static bool right_counters(const struct walked *walked)
{
	const struct path_counters *want = &walked->path->expect.counters, *got = &walked->counted;

	if (!memcmp(want, got, sizeof(*want)))
		return true;
	note("counted TCPAbortOnClose %u, OnData %u, OnLinger %u, OutRsts %u, expected %u %u %u %u",
	     got->abort_on_close, got->abort_on_data, got->abort_on_linger, got->out_rsts,
	     want->abort_on_close, want->abort_on_data, want->abort_on_linger, want->out_rsts);
	return false;
}

static bool right_wire(const struct walked *walked)
{
	if (!strcmp(walked->wire, walked->path->expect.wire))
		return true;
	note("on the wire: \"%s\", expected \"%s\"", walked->wire, walked->path->expect.wire);
	return false;
}

static void check(const struct walked *walked, const json_t *records, const char *via)
{
	const char *name = walked->path->name;
	const json_t *record = NULL;
	int count;

	if (*walked->why) {
		ok(false, "%s %s %s: %s", via, walked->kind, name, walked->why);
		return;
	}
	count = find(records, walked, &record);
	if (count != 1)
		note("%d records of this close", count);
	ok(count == 1 && right_record(record, walked, via), "%s %s %s: record", via, walked->kind, name);
	ok(right_wire(walked), "%s %s %s: wire", via, walked->kind, name);
	ok(right_counters(walked), "%s %s %s: counters", via, walked->kind, name);
}

static void check_families(const json_t *records)
{
	int wrong = 0;

	for (int i = 0; i < walks_count; i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
			const json_t *record = NULL;

			if (strcmp(walks[i].kind, kinds[k].name) || find(records, &walks[i], &record) != 1)
				continue;
			/* Before it has an address, an IPv6 socket is just that. */
			if (number_of(record, "rport") && !same_text(record, "family", kinds[k].family))
				wrong++;
		}
	ok(!wrong, "families are told, IPv4-mapped as ipv4");
}

int main(int argc, char **argv)
{
	const char *via = argc > 1 ? argv[1] : "fentry";
	struct totals totals;
	struct run run;

	network_enter();
	wire = wire_open();
	if (!wire)
		bail_out("no capture on loopback");
	run_begin(&run, via, NULL);
	walk_all();
	run_stop(&run);
	for (int i = 0; i < walks_count; i++)
		check(&walks[i], run.records, via);
	check_families(run.records);
	totals = run_totals(&run);
	if (totals.closes != (long)json_array_size(run.records) || totals.lost || totals.unknown)
		note("%zu records; %s", json_array_size(run.records), run.told);
	ok(totals.closes == (long)json_array_size(run.records) && !totals.lost && !totals.unknown &&
	   !run.status, "%s: every close told, none lost, none unknown", via);
	run_free(&run);
	wire_close(wire);
	return finish();
}
