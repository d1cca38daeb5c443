// SPDX-License-Identifier: GPL-2.0-only
/* Resets and ends that nobody wants. */
#include "tests/unit/taken.h"

/* One of each owner, told at once. */
static void take_one_of_each(void)
{
	struct close_event closers = late_data(1), nobodys = received(2), somebodys = received(3);
	struct reset_event own;

	somebodys.facts = OWNER_IS_RUNNING;
	somebodys.state = TCP_CLOSE;
	somebodys.lport++;
	own = called(somebodys, DISCONNECT, CONNECT);
	take_short(&closers, 0);
	take_short(&nobodys, 0);
	take(&own);
}

static void are_told(size_t count, const uint64_t *ids)
{
	take_one_of_each();
	for (size_t i = 0; i < count; i++)
		assert_int_equal(next()->event.id, ids[i]);
	nothing_more();
}

#define TOLD(...) are_told(COUNT(((uint64_t[]){ __VA_ARGS__ })), (uint64_t[]){ __VA_ARGS__ })

static void everybodys_are_told(void **state)
{
	TOLD(1, 2, 3);
}

static void with_a_filter_nobodys_are_not_told(void **state)
{
	wanted.few = true;
	TOLD(1, 3);
	wanted.few = false;
	wanted.branches = true;
	TOLD(1, 3);
}

/* Whose close is traced is wanted, or it would not be known. */
static void others_are_not_told(void **state)
{
	wanted.few = true;
	wanted.pid = 4343;
	TOLD(1, 3);
	wanted.pid = 4344;
	TOLD(1);
	wanted.pid = 0;
	wanted.comm = "server";
	TOLD(1, 3);
	wanted.comm = "serve";
	TOLD(1);
}

/* It is asked when it is known whose it is. */
static void who_is_found_later_is_filtered_too(void **state)
{
	struct close_event event = received(77), close = close_like(&event, 78);
	struct hidden hidden = hide();

	wanted.few = true;
	wanted.pid = 5151;
	take_short(&event, hidden.inode);
	resets_closed(resets, &close);
	is_of(next(), OWNER_SOCKET, 5151, "closer");
	wanted.pid = 5152;
	event = received(79);
	event.lport++;
	close = close_like(&event, 80);
	take_short(&event, hidden.inode);
	resets_closed(resets, &close);
	resets_tell(resets, true);
	nothing_more();
	/* Nobody in the end. */
	event.lport++;
	take_short(&event, hidden.inode);
	resets_tell(resets, true);
	nothing_more();
	forget(&hidden);
}

static void only_ends_that_are_resets(void **state)
{
	struct close_event plain = end_sample, end = time_wait(1000, 1001);
	struct close_event reply = reply_of(&end, TCP_TIME_WAIT, 1001);
	struct reset_event open = open_end(77);
	struct close_event late = late_data(77);

	wanted.resets = true;
	plain.facts = OWNER_IS_CLOSER;
	plain.new_state = TCP_LAST_ACK;
	take_short(&plain, 0);
	take_short(&end, 0);
	nothing_more();
	/* Which was noted all the same. */
	take_short(&reply, 0);
	assert_int_equal(next()->verdict.cause, CAUSE_TIME_WAIT);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT_RESET);
	take(&open);
	take_short(&late, 0);
	assert_int_equal(next()->verdict.end, END_LATE_DATA_RESET);
	assert_int_equal(next()->verdict.cause, CAUSE_LATE_DATA);
	take(&open);
	resets_tell(resets, true);
	nothing_more();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(everybodys_are_told),
		TEST(with_a_filter_nobodys_are_not_told),
		TEST(others_are_not_told),
		TEST(who_is_found_later_is_filtered_too),
		TEST(only_ends_that_are_resets),
	};

	return cmocka_run_group_tests(tests, set_callers, NULL);
}
