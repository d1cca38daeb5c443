// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/live/end_records.h"

/* ---- finding ---------------------------------------------------------------------------- */

void note_record(const char *what, const json_t *record)
{
	char *text = record ? json_dumps(record, 0) : NULL;

	note("%s: %s", what, text ? text : "no record");
	free(text);
}

const json_t *find_close(const json_t *records, pid_t pid, const struct pair *pair)
{
	const json_t *record, *found = NULL;
	size_t i;

	json_array_foreach(records, i, record)
		if (is_close(record) && number_of(record, "pid") == pid &&
		    number_of(record, "lport") == pair->lport &&
		    number_of(record, "rport") == pair->rport)
			found = record;
	return found;
}

int find_by_id(const json_t *records, const char *event, long long id, const json_t **found,
	       int room)
{
	const json_t *record;
	int count = 0;
	size_t i;

	json_array_foreach(records, i, record) {
		if (number_of(record, "id") != id || !is_event(record, event))
			continue;
		if (count < room)
			found[count] = record;
		count++;
	}
	return count;
}

bool has_end(const json_t *closed)
{
	const char *branch = text_of(closed, "branch");

	if (!closed)
		return false;
	if (!strcmp(text_of(closed, "after"), "time-wait"))
		return true;
	if (strcmp(branch, "fin") && strcmp(branch, "fin-already-sent") &&
	    strcmp(branch, "unknown"))
		return false;
	return strcmp(text_of(closed, "new_state"), "CLOSE");
}

/* RFC 3339, UTC, nanoseconds. */
long long time_ns_of(const json_t *record)
{
	struct tm tm = {};
	const char *rest = strptime(text_of(record, "time"), "%Y-%m-%dT%H:%M:%S.", &tm);

	return rest ? timegm(&tm) * 1000000000LL + atol(rest) : -1;
}

/* ---- what the kernel lacks -------------------------------------------------------------- */

const char blind_because[] = "tcp_send_reset tells of replies without a full socket from v6.10 on";

/* ---- between all of them ---------------------------------------------------------------- */

static bool is_same_socket(const json_t *end, const json_t *closed)
{
	static const char *const keys[] = {
		"pid", "comm", "family", "laddr", "lport", "raddr", "rport", "via",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!json_equal(json_object_get(end, keys[i]), json_object_get(closed, keys[i])))
			return false;
	return strcmp(text_of(end, "time"), text_of(closed, "time")) >= 0 &&
	       number_of(end, "after_us") >= 0;
}

/* Returns how many have no close of their own, or another socket's. */
static int count_strays(const json_t *records)
{
	const json_t *end, *closed = NULL;
	int strays = 0;
	size_t i;

	json_array_foreach(records, i, end) {
		if (!is_event(end, "end"))
			continue;
		if (find_by_id(records, "close", number_of(end, "id"), &closed, 1) == 1 &&
		    is_same_socket(end, closed))
			continue;
		if (!strays++) {
			note_record("a stray end", end);
			note_record("its close", closed);
		}
	}
	return strays;
}

/* One end; a second where the minisocket of the first answered late data. */
static bool has_its_ends(const json_t *records, const json_t *closed)
{
	const json_t *ends[2] = {};
	int count = find_by_id(records, "end", number_of(closed, "id"), ends, 2);

	if (!has_end(closed))
		return !count;
	if (count == 2)
		return !strcmp(text_of(ends[0], "how"), "time-wait") &&
		       !strcmp(text_of(ends[1], "how"), "time-wait-reset");
	return count == 1 && strcmp(text_of(ends[0], "how"), "time-wait-reset") &&
	       strcmp(text_of(ends[0], "how"), "unknown");
}

static int count_unended(const json_t *records, int *closes)
{
	const json_t *closed, *end = NULL;
	int wrong = 0;
	size_t i;

	json_array_foreach(records, i, closed) {
		if (!is_close(closed))
			continue;
		++*closes;
		if (has_its_ends(records, closed) || wrong++)
			continue;
		note_record("a close with wrong ends", closed);
		find_by_id(records, "end", number_of(closed, "id"), &end, 1);
		note_record("its first end", end);
	}
	return wrong;
}

void check_records(const struct run *run, const char *via)
{
	int strays = count_strays(run->all), ends = count_events(run->all, "end"), closes = 0;
	int wrong = count_unended(run->all, &closes);
	struct totals totals = run_totals(run);

	if (!ok(!strays && ends, "%s: every end is of one close, and says the same of it", via))
		note("%d of %d are not", strays, ends);
	if (!ok(wrong <= totals.left_out && closes,
		"%s: a close that left a socket has its end, no other has one", via))
		note("%d of %d closes are wrong", wrong, closes);
	if (totals.left_out)
		skip("the kernel left programs out", "%s: none lost, none unknown", via);
	else if (!ok(!totals.lost && !totals.unknown && !run->status,
		     "%s: none lost, none unknown", via))
		note("exit %d: %s", run->status, run->told);
}
