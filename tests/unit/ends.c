// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of closed sockets.  What is right comes from who calls the kernel's tcp_done(), in
 * which state and with which error, not from cause.c.
 */
#include "tests/unit/sample.h"

#include <errno.h>

#include "user/cause.h"

#define HIDDEN CALLERS_UNKNOWN

struct end_case {
	const char *how;
	__u8 new_state; /* of the close */
	__u32 facts;
	__u32 callers;
	__u16 error;
	enum end end;
	bool open;
};

static void ended(enum via via, const struct end_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct close_event event = {
			.kind = EVENT_END,
			.via = via,
			.state = TCP_ESTABLISHED,
			.new_state = cases[i].new_state,
			.facts = cases[i].facts | OWNER_IS_CLOSER,
			.error = cases[i].error,
		};
		enum end end = end_of(&event, cases[i].callers);

		if (end != cases[i].end)
			fail_msg("%s, %s: %s", cases[i].how, via_name(via), end_name(end));
		if (end_is_open(&event, cases[i].callers) != cases[i].open)
			fail_msg("%s, %s: it is %s", cases[i].how, via_name(via),
				 cases[i].open ? "settled" : "open");
	}
}

/* clang-format off */
/* Whoever sees them. */
static const struct end_case ends[] = {
	{ "the last acknowledgement",
	  TCP_LAST_ACK, 0, 0, 0, END_CLOSED },
	{ "the same, and who called was asked",
	  TCP_LAST_ACK, 0, BY_RECEIVE, 0, END_CLOSED },
	{ "the same after an ICMP error that somebody wanted to know of",
	  TCP_LAST_ACK, 0, BY_RECEIVE, EHOSTUNREACH, END_CLOSED },
	{ "the same, who called is hidden",
	  TCP_LAST_ACK, 0, HIDDEN, 0, END_CLOSED },
	{ "an RST",
	  TCP_FIN_WAIT1, ENDED_RECEIVED, BY_RESET | BY_VALIDATE | BY_RECEIVE, ECONNRESET,
	  END_RESET_BY_PEER },
	{ "an RST, where tcp_reset() jumps to tcp_done()",
	  TCP_FIN_WAIT2, ENDED_RECEIVED, BY_VALIDATE | BY_RECEIVE, ECONNRESET, END_RESET_BY_PEER },
	{ "an RST in answer to the FIN of the passive side",
	  TCP_LAST_ACK, ENDED_RECEIVED, BY_VALIDATE | BY_RECEIVE, EPIPE, END_RESET_BY_PEER },
	{ "late data in FIN_WAIT2",
	  TCP_FIN_WAIT2, ENDED_RECEIVED, BY_RESET | BY_RECEIVE, ECONNRESET, END_LATE_DATA_RESET },
	{ "the same, where tcp_reset() jumps to tcp_done()",
	  TCP_FIN_WAIT1, ENDED_RECEIVED, BY_RECEIVE, ECONNRESET, END_LATE_DATA_RESET },
	{ "an RST, and the segment says so",
	  TCP_FIN_WAIT1, ENDED_RECEIVED | GOT_RST, 0, ECONNRESET, END_RESET_BY_PEER },
	{ "late data, and the segment says so",
	  TCP_FIN_WAIT2, ENDED_RECEIVED | GOT_LATE_DATA, 0, ECONNRESET, END_LATE_DATA_RESET },
	{ "nobody acknowledges the FIN",
	  TCP_FIN_WAIT1, 0, BY_WRITE_TIMER, ETIMEDOUT, END_RETRANSMIT_TIMEOUT },
	{ "nor that of the passive side",
	  TCP_LAST_ACK, 0, BY_WRITE_TIMER, ETIMEDOUT, END_RETRANSMIT_TIMEOUT },
	{ "nor that of both sides, and an ICMP error said why",
	  TCP_CLOSING, 0, BY_WRITE_TIMER, EHOSTUNREACH, END_RETRANSMIT_TIMEOUT },
	{ "too many orphans",
	  TCP_FIN_WAIT1, ENDED_ACTIVE, BY_OUT_OF_RESOURCES | BY_WRITE_TIMER, 0,
	  END_ORPHAN_LIMIT_RESET },
	{ "the peer never closes",
	  TCP_FIN_WAIT2, ENDED_ACTIVE, BY_KEEPALIVE, 0, END_FIN_WAIT2_TIMEOUT },
	{ "nor did it acknowledge in time for the close",
	  TCP_FIN_WAIT1, ENDED_ACTIVE, BY_KEEPALIVE, 0, END_FIN_WAIT2_TIMEOUT },

	{ "too many orphans, silently: idle for long",
	  TCP_FIN_WAIT1, 0, BY_OUT_OF_RESOURCES | BY_WRITE_TIMER, 0, END_UNKNOWN },
	{ "ss -K",
	  TCP_FIN_WAIT2, ENDED_ACTIVE, BY_ABORT, ECONNABORTED, END_UNKNOWN },
	{ "ss -K, where there is nothing to reset",
	  TCP_LAST_ACK, 0, BY_ABORT, ECONNABORTED, END_UNKNOWN },
	{ "an RST of ours, nobody knows why",
	  TCP_FIN_WAIT1, ENDED_ACTIVE, 0, 0, END_UNKNOWN },
	{ "tcp_reset(), nobody knows why",
	  TCP_FIN_WAIT1, ENDED_RECEIVED, 0, ECONNRESET, END_UNKNOWN },
	{ "nobody called",
	  TCP_FIN_WAIT1, 0, 0, 0, END_UNKNOWN },
	{ "an error in LAST_ACK, nobody called",
	  TCP_LAST_ACK, 0, 0, ETIMEDOUT, END_UNKNOWN },
	/* Who called is hidden. */
	{ "an RST or late data",
	  TCP_FIN_WAIT2, ENDED_RECEIVED, HIDDEN, ECONNRESET, END_UNKNOWN },
	{ "an RST or late data in LAST_ACK",
	  TCP_LAST_ACK, ENDED_RECEIVED, HIDDEN, EPIPE, END_UNKNOWN },
	{ "FIN_WAIT2 took too long, or ss -K",
	  TCP_FIN_WAIT2, ENDED_ACTIVE, HIDDEN, 0, END_UNKNOWN },
	{ "too many orphans, or something else, in LAST_ACK",
	  TCP_LAST_ACK, ENDED_ACTIVE, HIDDEN, 0, END_UNKNOWN },
	{ "gone from FIN_WAIT1",
	  TCP_FIN_WAIT1, 0, HIDDEN, ETIMEDOUT, END_UNKNOWN },
	{ "an error in LAST_ACK",
	  TCP_LAST_ACK, 0, HIDDEN, ETIMEDOUT, END_UNKNOWN },
};

/* Where tcp_time_wait() is seen. */
static const struct end_case seen_ends[] = {
	{ "TIME_WAIT",
	  TCP_TIME_WAIT, ENDED_TIME_WAIT, 0, 0, END_TIME_WAIT },
	{ "FIN_WAIT2 as a minisocket",
	  TCP_FIN_WAIT2, ENDED_TIME_WAIT, 0, 0, END_TIME_WAIT },
	{ "TIME_WAIT, who called is hidden",
	  TCP_TIME_WAIT, ENDED_TIME_WAIT, HIDDEN, 0, END_TIME_WAIT },
	{ "late data for the minisocket",
	  TCP_FIN_WAIT2, ENDED_TIME_WAIT | ENDED_TW_RESET, 0, 0, END_TIME_WAIT_RESET },
	{ "new data with the acknowledgement of the FIN, or TCP_LINGER2 below 0",
	  TCP_FIN_WAIT1, 0, BY_RECEIVE, 0, END_LATE_DATA_RESET },
	{ "tcp_done() in CLOSING, but no tcp_time_wait()",
	  TCP_CLOSING, 0, BY_RECEIVE, 0, END_UNKNOWN },
};

/* Where it is not, it jumps to tcp_done(): who called it is what is left on the stack. */
static const struct end_case guessed_ends[] = {
	{ "the FIN of the peer",
	  TCP_FIN_WAIT2, 0, BY_FIN | BY_RECEIVE, 0, END_TIME_WAIT },
	{ "the FIN of the peer, which was in FIN_WAIT1 when the close returned",
	  TCP_FIN_WAIT1, 0, BY_FIN | BY_RECEIVE, 0, END_TIME_WAIT },
	{ "__tcp_close() in FIN_WAIT2",
	  TCP_FIN_WAIT2, 0, BY_CLOSE, 0, END_TIME_WAIT },
	{ "tcp_keepalive_timer() in FIN_WAIT2",
	  TCP_FIN_WAIT2, 0, BY_KEEPALIVE, 0, END_TIME_WAIT },
	{ "the acknowledgement in CLOSING",
	  TCP_CLOSING, 0, BY_RECEIVE, 0, END_TIME_WAIT, true },
	{ "the acknowledgement in FIN_WAIT1, or new data with it",
	  TCP_FIN_WAIT1, 0, BY_RECEIVE, 0, END_TIME_WAIT, true },
	{ "the same, from what waited for the lock of the close",
	  TCP_FIN_WAIT1, 0, BY_RECEIVE | BY_CLOSE, 0, END_TIME_WAIT, true },
	{ "late data for the minisocket",
	  TCP_FIN_WAIT2, ENDED_TIME_WAIT | ENDED_TW_RESET, 0, 0, END_TIME_WAIT_RESET },
	{ "gone from FIN_WAIT2, who called is hidden",
	  TCP_FIN_WAIT2, 0, HIDDEN, 0, END_UNKNOWN },
	{ "an RST as the close returns",
	  TCP_FIN_WAIT1, ENDED_ACTIVE, BY_CLOSE, 0, END_UNKNOWN },
};
/* clang-format on */

static void ends_are_told(void **state)
{
	for (enum via via = 0; via < VIA_COUNT; via++)
		ended(via, ends, COUNT(ends));
}

static void ends_are_told_where_all_is_seen(void **state)
{
	ended(VIA_FENTRY, seen_ends, COUNT(seen_ends));
	ended(VIA_KPROBE, seen_ends, COUNT(seen_ends));
}

static void ends_are_told_by_tracepoint(void **state)
{
	ended(VIA_TRACEPOINT, guessed_ends, COUNT(guessed_ends));
}

static __u32 ends_in(const struct end_case *cases, size_t count)
{
	__u32 seen = 0;

	for (size_t i = 0; i < count; i++)
		seen |= 1U << cases[i].end;
	return seen;
}

static void every_end_is_here(void **state)
{
	assert_int_equal(ends_in(ends, COUNT(ends)) | ends_in(seen_ends, COUNT(seen_ends)),
			 (1U << END_COUNT) - 1);
}

/* Of a retransmission's time-out and of unknown nobody knows of an RST. */
static void five_ends_are_resets(void **state)
{
	static const enum end resets[] = {
		END_RESET_BY_PEER,      END_LATE_DATA_RESET,   END_TIME_WAIT_RESET,
		END_ORPHAN_LIMIT_RESET, END_FIN_WAIT2_TIMEOUT,
	};
	unsigned int count = 0;

	for (unsigned int end = 0; end < END_COUNT; end++)
		count += end_is_reset(end);
	assert_int_equal(count, COUNT(resets));
	for (size_t i = 0; i < COUNT(resets); i++)
		assert_true(end_is_reset(resets[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_told),
		cmocka_unit_test(ends_are_told_where_all_is_seen),
		cmocka_unit_test(ends_are_told_by_tracepoint),
		cmocka_unit_test(every_end_is_here),
		cmocka_unit_test(five_ends_are_resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
