// SPDX-License-Identifier: GPL-2.0-only
/* Whose a reset is, and what waits for that to be known. */
#include "tests/unit/taken.h"

/* ---- whose it is, at once --------------------------------------------------------------- */

static void the_closers_is_told_at_once(void **state)
{
	struct close_event event = late_data(77);
	const struct told *told;

	take_short(&event, 0);
	told = next();
	is_of(told, OWNER_CLOSER, 4242, "client");
	assert_int_equal(told->verdict.cause, CAUSE_LATE_DATA);
	assert_int_equal(told->event.id, 77);
	nothing_more();
}

static void ones_own_call_is_told_at_once(void **state)
{
	struct close_event event = reset_sample;
	struct reset_event reset;
	const struct told *told;

	event.facts = OWNER_IS_RUNNING;
	event.state = TCP_CLOSE;
	reset = called(event, DISCONNECT, CONNECT);
	take(&reset);
	told = next();
	is_of(told, OWNER_SOCKET, 4343, "server");
	assert_int_equal(told->event.tid, 4344);
	assert_int_equal(told->verdict.cause, CAUSE_DISCONNECT);
	nothing_more();
}

static void is_the_holders(const struct told *told)
{
	assert_int_equal(told->owner, OWNER_SOCKET);
	assert_int_equal(told->event.pid, getpid());
	assert_int_equal(told->event.tid, 0);
	assert_int_equal(told->event.uid, getuid());
	assert_int_equal(told->verdict.cause, CAUSE_RESET_BY_PEER);
}

/* Its close may be in the same batch, or in the next: then nobody has to look for it. */
static void a_close_has_the_first_word(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct close_event event = received(77);

	holder_hurry();
	take_short(&event, inode_of(fd));
	resets_tell(resets, false);
	nothing_more();
	resets_tell(resets, false);
	is_the_holders(next());
	nothing_more();
	close(fd);
}

/* ... but not where closes of that kind may be left out. */
static void where_no_close_comes_the_holders_is_told_at_once(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct close_event event = received(77);

	wanted.resets = true;
	holder_hurry();
	take_short(&event, inode_of(fd));
	resets_tell(resets, false);
	is_the_holders(next());
	wanted.resets = false;
	wanted.branches = true;
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	event = received(78);
	holder_hurry();
	take_short(&event, inode_of(fd));
	resets_tell(resets, false);
	is_the_holders(next());
	nothing_more();
	close(fd);
}

/* One walk finds the sockets of a whole swarm. */
static void who_is_known_needs_no_walk(void **state)
{
	int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct close_event event = received(77);

	holder_hurry();
	assert_int_equal(holder_of(inode_of(first)), getpid());
	take_short(&event, inode_of(second));
	is_the_holders(next());
	nothing_more();
	close(first);
	close(second);
}

/* Who has to make room for others is looked for before. */
static void more_than_may_wait_are_looked_for(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t id = 0;

	holder_hurry();
	while (seen == told_count && id < MANY) {
		struct close_event event = received(++id);

		event.lport += id;
		take_short(&event, inode_of(fd));
	}
	is_the_holders(next());
	assert_int_equal(told[0].event.id, 1);
	close(fd);
}

/* ss -K has locked the socket of somebody else. */
static void whoever_ran_is_not_the_owner(void **state)
{
	struct close_event event = received(77);
	struct reset_event reset;
	const struct told *told;

	event.facts = OWNER_IS_RUNNING;
	reset = called(event, ABORT, 0);
	take(&reset);
	told = next();
	is_of_nobody(told);
	assert_int_equal(told->verdict.cause, CAUSE_ADMIN_ABORT);
	nothing_more();
}

static void without_a_descriptor_it_is_nobodys(void **state)
{
	struct close_event event = received(77);

	take_short(&event, 0);
	is_of_nobody(next());
	nothing_more();
}

static void what_is_no_rst_is_not_told(void **state)
{
	struct close_event event = received(77);
	struct reset_event reset;

	event.state = TCP_FIN_WAIT2;
	event.facts |= WAS_SHUT_READ;
	reset = called(event, RECEIVE, 0);
	take(&reset);
	resets_tell(resets, true);
	nothing_more();
	/* The segment had RST. */
	reset = called(event, VALIDATE, RECEIVE);
	take(&reset);
	assert_int_equal(next()->verdict.cause, CAUSE_RESET_BY_PEER);
}

/* ---- whose it is, a moment later -------------------------------------------------------- */

/* Both have the same id then, and it is told before the close is. */
static void who_closes_it_had_it(void **state)
{
	struct close_event event = received(77), close = close_like(&event, 78);
	struct hidden hidden = hide();
	const struct told *told;

	take_short(&event, hidden.inode);
	resets_tell(resets, false);
	nothing_more();
	resets_closed(resets, &close);
	assert_int_equal(close.id, 77);
	told = next();
	is_of(told, OWNER_SOCKET, 5151, "closer");
	assert_int_equal(told->event.kind, EVENT_RESET);
	assert_int_equal(told->event.id, 77);
	assert_int_equal(told->event.uid, 42);
	assert_int_equal(told->event.cgroup, 9);
	assert_int_equal(told->verdict.cause, CAUSE_RESET_BY_PEER);
	resets_tell(resets, true);
	nothing_more();
	forget(&hidden);
}

/* Other addresses, another namespace, or the same anew with other numbers. */
static void who_closes_another_had_it_not(void **state)
{
	struct close_event event = received(77), close;
	struct hidden hidden = hide();

	take_short(&event, hidden.inode);
	close = close_like(&event, 78);
	close.rport++;
	resets_closed(resets, &close);
	assert_int_equal(close.id, 78);
	close = close_like(&event, 79);
	close.laddr[15]++;
	resets_closed(resets, &close);
	assert_int_equal(close.id, 79);
	close = close_like(&event, 80);
	close.netns++;
	resets_closed(resets, &close);
	assert_int_equal(close.id, 80);
	close = close_like(&event, 81);
	close.snd_una = close.snd_nxt = 123456;
	resets_closed(resets, &close);
	assert_int_equal(close.id, 81);
	nothing_more();
	resets_tell(resets, true);
	is_of_nobody(next());
	forget(&hidden);
}

/* Told at once or not, the close has the id of the reset. */
static void a_socket_has_one_id(void **state)
{
	struct close_event first = received(77), second = received(78), close;

	take_short(&first, 0);
	take_short(&second, 0);
	close = close_like(&first, 79);
	resets_closed(resets, &close);
	assert_int_equal(next()->event.id, 77);
	assert_int_equal(next()->event.id, 77);
	assert_int_equal(close.id, 77);
	nothing_more();
}

static void who_is_found_later_has_it(void **state)
{
	struct close_event event = received(77);
	struct hidden hidden = hide();
	int fd;

	take_short(&event, hidden.inode);
	resets_tell(resets, false);
	nothing_more();
	fd = find(&hidden);
	resets_tell(resets, false);
	assert_int_equal(next()->event.pid, getpid());
	assert_int_equal(told[0].owner, OWNER_SOCKET);
	resets_tell(resets, true);
	nothing_more();
	close(fd);
	forget(&hidden);
}

static void nobody_is_waited_for_forever(void **state)
{
	struct close_event event = received(77);
	struct hidden hidden = hide();

	take_short(&event, hidden.inode);
	assert_in_range(wait_for_one(), PATIENCE_MS - 1, 10000);
	is_of_nobody(next());
	resets_tell(resets, true);
	nothing_more();
	forget(&hidden);
}

static void all_are_told_at_the_end(void **state)
{
	struct close_event event;
	struct reset_event end;
	struct hidden hidden = hide();

	for (uint64_t id = 1; id <= 9; id++) {
		event = received(id);
		event.lport += id;
		take_short(&event, hidden.inode);
	}
	end = open_end(10);
	take(&end);
	nothing_more();
	resets_tell(resets, true);
	for (uint64_t id = 1; id <= 10; id++)
		assert_int_equal(next()->event.id, id);
	resets_tell(resets, true);
	nothing_more();
	forget(&hidden);
}

/* ... and who has it is looked for once more. */
static void at_the_end_it_is_not_too_late(void **state)
{
	struct close_event event = received(77);
	struct hidden hidden = hide();
	int fd;

	take_short(&event, hidden.inode);
	fd = receive_descriptor(hidden.ends[1]);
	resets_tell(resets, true);
	assert_int_equal(next()->event.pid, getpid());
	nothing_more();
	close(fd);
	forget(&hidden);
}

/* The oldest have waited longest: none is lost, and none is told twice. */
static void there_may_be_any_number(void **state)
{
	struct hidden hidden = hide();
	size_t before;

	for (uint64_t id = 1; id <= MANY; id++) {
		struct close_event event = received(id);

		event.lport += id;
		take_short(&event, hidden.inode);
	}
	before = told_count;
	assert_in_range(before, 1, MANY - 1);
	resets_tell(resets, true);
	for (uint64_t id = 1; id <= MANY; id++) {
		const struct told *told = next();

		assert_int_equal(told->event.id, id);
		is_of_nobody(told);
	}
	nothing_more();
	forget(&hidden);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_closers_is_told_at_once),
		TEST(ones_own_call_is_told_at_once),
		TEST(a_close_has_the_first_word),
		TEST(where_no_close_comes_the_holders_is_told_at_once),
		TEST(who_is_known_needs_no_walk),
		TEST(more_than_may_wait_are_looked_for),
		TEST(whoever_ran_is_not_the_owner),
		TEST(without_a_descriptor_it_is_nobodys),
		TEST(what_is_no_rst_is_not_told),
		TEST(who_closes_it_had_it),
		TEST(who_closes_another_had_it_not),
		TEST(a_socket_has_one_id),
		TEST(who_is_found_later_has_it),
		TEST(nobody_is_waited_for_forever),
		TEST(all_are_told_at_the_end),
		TEST(at_the_end_it_is_not_too_late),
		TEST(there_may_be_any_number),
	};

	return cmocka_run_group_tests(tests, set_callers, NULL);
}
