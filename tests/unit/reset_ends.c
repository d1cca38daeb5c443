// SPDX-License-Identifier: GPL-2.0-only
/* What became of closed sockets, and what answers for them afterwards. */
#include "tests/unit/taken.h"

static void a_plain_end_is_told_at_once(void **state)
{
	struct close_event event = end_sample;
	const struct told *told;

	/* Without who called, nor room for it. */
	resets_take(resets, &event, sizeof(event), NULL);
	told = next();
	is_of(told, OWNER_CLOSER, 4242, "client");
	assert_int_equal(told->verdict.end, END_TIME_WAIT);
	event.facts = OWNER_IS_CLOSER;
	event.new_state = TCP_LAST_ACK;
	resets_take(resets, &event, sizeof(event), NULL);
	assert_int_equal(next()->verdict.end, END_CLOSED);
	nothing_more();
}

static void an_end_by_the_peers_fin_is_told_at_once(void **state)
{
	struct reset_event end = called(end_by_tracepoint(77), FIN, RECEIVE);

	take(&end);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
	nothing_more();
}

/* It ends the connection, and is answered then. */
static void an_open_end_becomes_late_data(void **state)
{
	struct reset_event end = open_end(77);
	struct close_event reply = late_data(77);

	take(&end);
	resets_tell(resets, false);
	nothing_more();
	take_short(&reply, 0);
	assert_int_equal(told[0].event.kind, EVENT_END);
	assert_int_equal(next()->verdict.end, END_LATE_DATA_RESET);
	assert_int_equal(next()->verdict.cause, CAUSE_LATE_DATA);
	resets_tell(resets, true);
	nothing_more();
}

static void an_open_end_becomes_a_time_wait(void **state)
{
	struct reset_event end = open_end(77);

	take(&end);
	assert_in_range(wait_for_one(), PATIENCE_MS - 1, 10000);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
	take(&end);
	nothing_more();
	resets_tell(resets, true);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
	nothing_more();
}

static void late_data_for_another_settles_nothing(void **state)
{
	struct reset_event end = open_end(77);
	struct close_event reply = late_data(78);

	take(&end);
	take_short(&reply, 0);
	assert_int_equal(next()->event.id, 78);
	nothing_more();
	resets_tell(resets, true);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
}

/* ---- after the socket ------------------------------------------------------------------------ */

static void late_data_ends_a_time_wait(void **state)
{
	struct close_event end = time_wait(1000, 1001), reply = reply_of(&end, TCP_TIME_WAIT, 1001);
	const struct told *told;

	take_short(&end, 0);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
	take_short(&reply, 0);
	told = next();
	is_of(told, OWNER_CLOSER, 4242, "client");
	assert_int_equal(told->event.kind, EVENT_RESET);
	assert_int_equal(told->event.id, 77001);
	assert_int_equal(told->verdict.cause, CAUSE_TIME_WAIT);
	told = next();
	is_of(told, OWNER_CLOSER, 4242, "client");
	assert_int_equal(told->event.kind, EVENT_END);
	assert_int_equal(told->event.id, 77001);
	assert_int_equal(told->verdict.end, END_TIME_WAIT_RESET);
	/* Since the close, not since the first end. */
	assert_int_equal(told->event.blocked_ns, UINT64_C(3500000999));
	assert_int_equal(told->event.time_ns, reply.time_ns);
	/* More of it is answered, but ends nothing. */
	take_short(&reply, 0);
	assert_int_equal(next()->verdict.cause, CAUSE_TIME_WAIT);
	nothing_more();
}

static void acknowledged(__u32 snd_una, __u32 snd_nxt, __u32 ack, bool is_closers)
{
	struct close_event end = time_wait(snd_una, snd_nxt), reply = reply_of(&end, 0, ack);
	const struct told *told;

	take_short(&end, 0);
	next();
	take_short(&reply, 0);
	told = next();
	assert_int_equal(told->verdict.cause, CAUSE_NO_SOCKET);
	if (is_closers)
		is_of(told, OWNER_CLOSER, 4242, "client");
	else
		is_of_nobody(told);
	nothing_more();
}

/* Ports are used again: the numbers say whether it is the same connection. */
static void late_data_is_of_what_it_acknowledges(void **state)
{
	acknowledged(1000, 2000, 1000, true);
	acknowledged(1000, 2000, 1500, true);
	acknowledged(1000, 2000, 2000, true);
	acknowledged(1000, 2000, 999, false);
	acknowledged(1000, 2000, 2001, false);
	acknowledged(1000, 2000, 1000 + (1U << 31), false);
	acknowledged(1000, 1000, 1000, true);
	acknowledged(1000, 1000, 1001, false);
	/* Beyond 2^32 they begin anew. */
	acknowledged(UINT32_MAX - 9, 10, UINT32_MAX, true);
	acknowledged(UINT32_MAX - 9, 10, 0, true);
	acknowledged(UINT32_MAX - 9, 10, 10, true);
	acknowledged(UINT32_MAX - 9, 10, 11, false);
	acknowledged(UINT32_MAX - 9, 10, UINT32_MAX - 10, false);
}

/* A SYN, say. */
static void what_acknowledges_nothing_is_nobodys(void **state)
{
	struct close_event end = time_wait(0, 1), reply = reply_of(&end, 0, 0);

	take_short(&end, 0);
	next();
	reply.facts = RESET_REPLY | RESET_NO_SOCKET | RESET_TO_SYN;
	take_short(&reply, 0);
	is_of_nobody(next());
	nothing_more();
}

/* Only of a connection that an RST ended is nothing more told. */
static void late_data_after_an_rst_is_the_closers(void **state)
{
	struct close_event close = sample, reply;

	close.snd_una = 1000;
	close.snd_nxt = 2000;
	close.facts = RAN_RESET | WAS_CONNECTED;
	reply = reply_of(&close, 0, 1500);
	resets_closed(resets, &close);
	take_short(&reply, 0);
	is_of(next(), OWNER_CLOSER, 4242, "client");
	close.rport++;
	close.facts = RAN_FIN | WAS_CONNECTED;
	reply = reply_of(&close, 0, 1500);
	resets_closed(resets, &close);
	take_short(&reply, 0);
	is_of_nobody(next());
	nothing_more();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_plain_end_is_told_at_once),
		TEST(an_end_by_the_peers_fin_is_told_at_once),
		TEST(an_open_end_becomes_late_data),
		TEST(an_open_end_becomes_a_time_wait),
		TEST(late_data_for_another_settles_nothing),
		TEST(late_data_ends_a_time_wait),
		TEST(late_data_is_of_what_it_acknowledges),
		TEST(what_acknowledges_nothing_is_nobodys),
		TEST(late_data_after_an_rst_is_the_closers),
	};

	return cmocka_run_group_tests(tests, set_callers, NULL);
}
