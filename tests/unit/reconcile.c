// SPDX-License-Identifier: GPL-2.0-only
/* Records beside counters: the result. */
#include "tests/unit/proc.h"

/* ---- what it comes to -------------------------------------------------------- */

static void nothing_happened(void **state)
{
	begin(0);
	tells("counters agree: 0 of 0 RSTs, 0 of 0 aborts\n");
}

static void all_was_recorded(void **state)
{
	begin(0);
	for (int i = 0; i < 3; i++)
		unread_data_in(0);
	aborts_on_close(0, 3);
	happens_in(netns_of(0), EVENT_RESET, (struct verdict){ .cause = CAUSE_EMBRYONIC });
	count(0, EMBRYONIC_RSTS, 1);
	count(0, OUT_RSTS, 1);
	tells("counters agree: 4 of 4 RSTs, 3 of 3 aborts, 1 of 1 embryonic\n");
}

static void one_of_each(void **state)
{
	begin(0);
	unread_data_in(0);
	aborts_on_close(0, 1);
	tells("counters agree: 1 of 1 RST, 1 of 1 abort\n");
}

static void each_namespace_is_read_once(void **state)
{
	add_process("20", 0);
	add_process("30", 1);
	add_process("31", 1);
	begin(0);
	unread_data_in(0);
	unread_data_in(1);
	aborts_on_close(0, 1);
	aborts_on_close(1, 1);
	tells("counters agree: 2 of 2 RSTs, 2 of 2 aborts\n");
}

static void what_was_not_recorded(void **state)
{
	begin(0);
	unread_data_in(0);
	aborts_on_close(0, 3);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            3          1          +2\n"
			     "    +2 unexplained\n"
			     "  OutRsts                    3          1          +2\n"
			     "    +2 unexplained\n");
}

static void what_was_not_counted(void **state)
{
	begin(0);
	unread_data_in(0);
	count(0, OUT_RSTS, 1);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            0          1          -1\n"
			     "    -1 unexplained\n"
			     "  OutRsts                    1          1        none\n");
}

/* The sums agree, and that is no proof. */
static void differences_do_not_make_up_for_each_other(void **state)
{
	char wanted[512];

	add_process("20", 1);
	begin(0);
	unread_data_in(0);
	aborts_on_close(1, 1);
	snprintf(wanted, sizeof(wanted),
		 HEAD_2 COLUMNS "  TCPAbortOnClose            1          1        none\n"
				"    %s1 unexplained, in network namespace %u\n"
				"    %s1 unexplained, in network namespace %u\n"
				"  OutRsts                    1          1        none\n"
				"    %s1 unexplained, in network namespace %u\n"
				"    %s1 unexplained, in network namespace %u\n",
		 netns_of(0) < netns_of(1) ? "-" : "+",
		 netns_of(0) < netns_of(1) ? netns_of(0) : netns_of(1),
		 netns_of(0) < netns_of(1) ? "+" : "-",
		 netns_of(0) < netns_of(1) ? netns_of(1) : netns_of(0),
		 netns_of(0) < netns_of(1) ? "-" : "+",
		 netns_of(0) < netns_of(1) ? netns_of(0) : netns_of(1),
		 netns_of(0) < netns_of(1) ? "+" : "-",
		 netns_of(0) < netns_of(1) ? netns_of(1) : netns_of(0));
	tells(wanted);
}

static void many_namespaces_with_differences(void **state)
{
	char process[8], *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	for (int i = 1; i < 7; i++) {
		snprintf(process, sizeof(process), "%d", 10 + i);
		add_process(process, i);
	}
	begin(0);
	for (int i = 0; i < 7; i++)
		count(i, OUT_RSTS, 1);
	look();
	reconcile_tell(reconcile, to, NULL, 0);
	fclose(to);
	is_narrow(text);
	assert_non_null(strstr(text, "    +1 unexplained, in network namespace "));
	assert_non_null(strstr(text, "    +3 unexplained, in 3 more network namespaces\n"));
	free(text);
}

/* ---- not complete ------------------------------------------------------------ */

/* ---- what was counted, of which only the order is known ---------------------------------- */

static void counted_in(int space, uint64_t times, enum when when)
{
	struct close_event event = { .kind = EVENT_CLOSE, .netns = netns_of(space) };
	struct record record = { .event = &event, .verdict = { .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST } };

	reconcile_add(reconcile, &record, times, when);
}

static void all_was_counted(void **state)
{
	begin(0);
	counted_in(0, 5, WHEN_BETWEEN);
	aborts_on_close(0, 5);
	tells("counters agree: 5 of 5 RSTs, 5 of 5 aborts\n");
}

static void some_of_it_was_not(void **state)
{
	begin(0);
	counted_in(0, 3, WHEN_BETWEEN);
	aborts_on_close(0, 5);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            5          3          +2\n"
			     "    +2 unexplained\n"
			     "  OutRsts                    5          3          +2\n"
			     "    +2 unexplained\n");
}

/* As much as was counted by then, and not more. */
static void while_the_counters_were_read_first(void **state)
{
	begin(0);
	counted_in(0, 4, WHEN_OPENED);
	counted_in(0, 3, WHEN_BETWEEN);
	aborts_on_close(0, 8);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            8          3          +5\n"
			     "    +4 happened while the counters were read\n"
			     "    +1 unexplained\n"
			     "  OutRsts                    8          3          +5\n"
			     "    +4 happened while the counters were read\n"
			     "    +1 unexplained\n");
}

static void while_they_were_read_last(void **state)
{
	static const char wanted[] =
		HEAD_1 COLUMNS "  TCPAbortOnClose            4          3          +1\n"
			       "    +1 happened while the counters were read\n"
			       "  OutRsts                    4          3          +1\n"
			       "    +1 happened while the counters were read\n";

	begin(0);
	counted_in(0, 3, WHEN_BETWEEN);
	aborts_on_close(0, 4);
	look();
	counted_in(0, 2, WHEN_LOOKED);
	tells_of(NULL, 0, wanted);
	/* By the next time it is known. */
	aborts_on_close(0, 1);
	tells("counters agree: 5 of 5 RSTs, 5 of 5 aborts\n");
}

/* Counted, and no counter has moved. */
static void that_is_no_excuse_for_too_many(void **state)
{
	begin(0);
	counted_in(0, 1, WHEN_BETWEEN);
	tells(HEAD_1 COLUMNS "  TCPAbortOnClose            0          1          -1\n"
			     "    -1 unexplained\n"
			     "  OutRsts                    0          1          -1\n"
			     "    -1 unexplained\n");
}

static void with_filters(void **state)
{
	begin(0);
	look();
	tells_of("filters are on", 0, "counters: the records cannot be complete: filters are on\n");
	unread_data_in(0);
	aborts_on_close(0, 3);
	look();
	tells_of("filters are on", 5,
		 "counters: the records cannot be complete: filters are on\n" HEAD_1
		 "  counter               kernel   recorded\n"
		 "  TCPAbortOnClose            3          1\n"
		 "  OutRsts                    3          1\n");
}

/* All columns at their widest. */
static void large_numbers(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	begin(0);
	count(0, TCP_ABORT_ON_TIMEOUT, 9999999999);
	count(0, TCP_ABORT_ON_DATA, 9999999999);
	count(0, OUT_RSTS, 9999999999);
	count(0, TCP_ABORT_FAILED, 99999999);
	count(0, EMBRYONIC_RSTS, 9999999999);
	count(0, ATTEMPT_FAILS, 9999999);
	look();
	reconcile_tell(reconcile, to, NULL, 99999999);
	fclose(to);
	is_narrow(text);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_PROC(nothing_happened),
		WITH_PROC(all_was_recorded),
		WITH_PROC(one_of_each),
		WITH_PROC(each_namespace_is_read_once),
		WITH_PROC(what_was_not_recorded),
		WITH_PROC(what_was_not_counted),
		WITH_PROC(differences_do_not_make_up_for_each_other),
		WITH_PROC(many_namespaces_with_differences),
		WITH_PROC(all_was_counted),
		WITH_PROC(some_of_it_was_not),
		WITH_PROC(while_the_counters_were_read_first),
		WITH_PROC(while_they_were_read_last),
		WITH_PROC(that_is_no_excuse_for_too_many),
		WITH_PROC(with_filters),
		WITH_PROC(large_numbers),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
