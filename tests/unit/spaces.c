// SPDX-License-Identifier: GPL-2.0-only
/* What is counted by its time, and network namespaces that come and go. */
#include "tests/unit/proc.h"

#include <errno.h>

/* ---- by the time ------------------------------------------------------------- */

static void records_from_before_the_beginning(void **state)
{
	struct close_event event = { .kind = EVENT_CLOSE, .netns = 0, .time_ns = now_ns() };
	struct verdict verdict = { .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST };

	event.netns = netns_of(0);
	pass();
	begin(0);
	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
	tells("counters agree: 0 of 0 RSTs, 0 of 0 aborts\n");
}

/* They are read from the ring after the counters, and belong to the next look. */
static void records_from_after_the_look(void **state)
{
	begin(0);
	unread_data_in(0);
	aborts_on_close(0, 1);
	look();
	pass();
	unread_data_in(0);
	unread_data_in(0);
	tells_of(NULL, 0, "counters agree: 1 of 1 RST, 1 of 1 abort\n");
	aborts_on_close(0, 2);
	tells("counters agree: 3 of 3 RSTs, 3 of 3 aborts\n");
}

static void records_that_come_late(void **state)
{
	struct close_event event = { .kind = EVENT_CLOSE, .netns = netns_of(0) };
	struct verdict verdict = { .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST };

	begin(0);
	event.time_ns = now_ns();
	aborts_on_close(0, 1);
	look();
	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
	tells_of(NULL, 0, "counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

/* Its time is when it began, the reset came as it ended. */
static void a_close_that_was_there_before(void **state)
{
	struct close_event event = { .kind = EVENT_CLOSE, .netns = netns_of(0) };
	struct verdict verdict = { .branch = BRANCH_FIN,
				   .sent = SENT_FIN,
				   .after = AFTER_ORPHAN_LIMIT_RESET };

	event.time_ns = now_ns();
	pass();
	begin(0);
	event.blocked_ns = now_ns() - event.time_ns;
	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
	count(0, TCP_ABORT_ON_MEMORY, 1);
	count(0, OUT_RSTS, 1);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

/* The kernel counts it just before the look, its hook ran just after. */
static void a_record_at_the_very_moment(void **state)
{
	struct close_event event = { .kind = EVENT_RESET, .netns = netns_of(0) };
	struct verdict verdict = { .cause = CAUSE_NO_SOCKET };
	uint64_t before_ns;

	begin(0);
	count(0, OUT_RSTS, 1);
	put_spaces();
	do {
		before_ns = now_ns();
		reconcile_look(reconcile);
		event.time_ns = now_ns();
	} while (event.time_ns - before_ns > 900000);
	reconcile_count(reconcile, &(struct record){ .event = &event, .verdict = verdict });
	tells_of(NULL, 0,
		 HEAD_1 COLUMNS "  OutRsts                    1          0          +1\n"
				"    +1 happened while the counters were read\n");
	tells("counters agree: 1 of 1 RST, 0 of 0 aborts\n");
}

/* ---- namespaces come and go -------------------------------------------------- */

static void a_namespace_that_is_new(void **state)
{
	begin(0);
	add_process("40", 2);
	memset(counters[2], 0, sizeof(counters[2]));
	unread_data_in(2);
	aborts_on_close(2, 1);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
	aborts_on_close(2, 1);
	tells(HEAD_2 COLUMNS "  TCPAbortOnClose            2          1          +1\n"
			     "    +1 unexplained, in network namespaces that are new\n"
			     "  OutRsts                    2          1          +1\n"
			     "    +1 unexplained, in network namespaces that are new\n");
}

static void a_namespace_that_is_gone(void **state)
{
	char wanted[256];

	add_process("20", 1);
	begin(0);
	unread_data_in(0);
	aborts_on_close(0, 1);
	unread_data_in(1);
	remove_process("20");
	snprintf(wanted, sizeof(wanted),
		 "counters agree: 1 of 1 RST, 1 of 1 abort\n"
		 "  netns %u is gone, its counters with it: 1 record left out\n",
		 netns_of(1));
	tells(wanted);
}

static void a_namespace_whose_process_is_another(void **state)
{
	add_process("20", 1);
	begin(0);
	unread_data_in(1);
	aborts_on_close(1, 1);
	remove_process("20");
	add_process("21", 1);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

static void a_namespace_that_took_the_number_of_another(void **state)
{
	char wanted[256];

	add_process("20", 1);
	begin(0);
	memset(counters[1], 0, sizeof(counters[1]));
	count(1, OUT_RSTS, 5000);
	snprintf(wanted, sizeof(wanted),
		 "counters agree: 0 of 0 RSTs, 0 of 0 aborts\n"
		 "  netns %u is gone, its counters with it: 0 records left out\n",
		 netns_of(1));
	tells(wanted);
}

static void a_namespace_that_came_and_went(void **state)
{
	begin(0);
	unread_data_in(3);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            0          1          -1\n"
			     "    -1 in network namespaces in which no process was left\n"
			     "  OutRsts                    0          1          -1\n"
			     "    -1 in network namespaces in which no process was left\n");
}

/* `ip netns add` was long ago, and whatever it counted then is none of ours. */
static void a_namespace_without_a_process_at_first(void **state)
{
	FILE *file;

	add_process("self", 0);
	file = fopen(path_of("self/mountinfo"), "w");
	fprintf(file,
		"22 1 0:20 / /proc rw - proc proc rw\n"
		"80 22 0:4 net:[%u] /run/netns/here rw - nsfs nsfs rw\n"
		"81 22 0:4 net:[%u] /run/netns/idle rw - nsfs nsfs rw\n",
		netns_of(0), netns_of(2));
	fclose(file);
	begin(0);
	add_process("40", 2);
	unread_data_in(2);
	aborts_on_close(2, 1);
	for (int i = TCP_ABORT_ON_DATA; i <= EMBRYONIC_RSTS; i++)
		counters[2][i] = 0;
	tells(HEAD_2 COLUMNS
	      "  TCPAbortOnClose         2001          1       +2000\n"
	      "    +2000 may be from before, in a namespace that had no process then\n"
	      "  OutRsts                 2007          1       +2006\n"
	      "    +2006 may be from before, in a namespace that had no process then\n");
}

static void only_one_namespace(void **state)
{
	add_process("20", 1);
	begin(netns_of(1));
	unread_data_in(0);
	aborts_on_close(0, 7);
	unread_data_in(1);
	aborts_on_close(1, 1);
	add_process("40", 2);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

static void a_namespace_that_cannot_be_found(void **state)
{
	begin(netns_of(1));
	unread_data_in(1);
	tells("counters: none could be read\n");
}

static void counters_that_cannot_be_read(void **state)
{
	char wanted[128];

	begin(0);
	assert_int_equal(truncate(path_of("netstat.0"), 0), 0);
	reconcile_look(reconcile);
	snprintf(wanted, sizeof(wanted),
		 "counters: none could be read\n"
		 "  netns %u is gone, its counters with it: 0 records left out\n",
		 netns_of(0));
	tells_of(NULL, 0, wanted);
}

static void no_proc(void **state)
{
	assert_null(reconcile_open("/nonexistent", 0));
	assert_int_equal(errno, ENOENT);
	reconcile_close(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_PROC(records_from_before_the_beginning),
		WITH_PROC(records_from_after_the_look),
		WITH_PROC(records_that_come_late),
		WITH_PROC(a_close_that_was_there_before),
		WITH_PROC(a_record_at_the_very_moment),
		WITH_PROC(a_namespace_that_is_new),
		WITH_PROC(a_namespace_that_is_gone),
		WITH_PROC(a_namespace_whose_process_is_another),
		WITH_PROC(a_namespace_that_took_the_number_of_another),
		WITH_PROC(a_namespace_that_came_and_went),
		WITH_PROC(a_namespace_without_a_process_at_first),
		WITH_PROC(only_one_namespace),
		WITH_PROC(a_namespace_that_cannot_be_found),
		WITH_PROC(counters_that_cannot_be_read),
		cmocka_unit_test(no_proc),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
