// SPDX-License-Identifier: GPL-2.0-only
/*
 * The opinion.  What is right comes from the order of the tests in __tcp_close() and from what
 * each arm of them calls, not from judge.h.
 */
#include "tests/unit/sample.h"

#define BRANCH_FACTS                                                                             \
	(RAN_LISTEN_STOP | RAN_DISCONNECT | RAN_RESET | RAN_FIN | WAS_REPAIR | WAS_ZERO_LINGER | \
	 WAS_CONNECTED)
#define FIRST_STATE TCP_ESTABLISHED
#define LAST_STATE  TCP_CLOSING

static struct verdict judged(__u8 state, __u8 new_state, __u32 facts)
{
	const struct close_event event = { .state = state, .new_state = new_state, .facts = facts };

	return judge(&event);
}

static bool is_one_of(unsigned int state, unsigned int states)
{
	return states >> state & 1;
}

/* ---- every branch, as it arises ------------------------------------------------ */

/* clang-format off */
static const struct {
	const char *how;
	__u8 state, new_state;
	__u32 facts;
	__u8 branch, sent;
} closes[] = {
	{ "socket, listen, close",
	  TCP_LISTEN, TCP_CLOSE, RAN_LISTEN_STOP,
	  BRANCH_LISTENER, SENT_NONE },
	{ "the same with SO_LINGER of no time: the listener is tested first",
	  TCP_LISTEN, TCP_CLOSE, RAN_LISTEN_STOP | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_LISTENER, SENT_NONE },
	{ "socket, close",
	  TCP_CLOSE, TCP_CLOSE, 0,
	  BRANCH_NOT_CONNECTED, SENT_NONE },
	{ "socket, SO_LINGER of no time, close",
	  TCP_CLOSE, TCP_CLOSE, WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_NOT_CONNECTED, SENT_NONE },
	{ "reset by the peer, close",
	  TCP_CLOSE, TCP_CLOSE, WAS_CONNECTED | LACKS_SENDQ,
	  BRANCH_ALREADY_CLOSED, SENT_NONE },
	{ "reset by the peer with SO_LINGER of no time, close: nothing is left to disconnect",
	  TCP_CLOSE, TCP_CLOSE, WAS_CONNECTED | LACKS_SENDQ | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ALREADY_CLOSED, SENT_NONE },
	{ "TCP_REPAIR, close",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_DISCONNECT | WAS_REPAIR,
	  BRANCH_REPAIR, SENT_NONE },
	{ "TCP_REPAIR with SO_LINGER of no time: repair is tested first",
	  TCP_CLOSE_WAIT, TCP_CLOSE, RAN_DISCONNECT | WAS_REPAIR | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_REPAIR, SENT_NONE },
	{ "unread data",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_RESET,
	  BRANCH_UNREAD_DATA, SENT_RST },
	{ "unread data, the peer has closed",
	  TCP_CLOSE_WAIT, TCP_CLOSE, RAN_RESET,
	  BRANCH_UNREAD_DATA, SENT_RST },
	{ "unread data after shutdown(SHUT_WR)",
	  TCP_FIN_WAIT2, TCP_CLOSE, RAN_RESET,
	  BRANCH_UNREAD_DATA, SENT_RST },
	{ "unread data of a fast open",
	  TCP_SYN_RECV, TCP_CLOSE, RAN_RESET,
	  BRANCH_UNREAD_DATA, SENT_RST },
	{ "unread data is tested before SO_LINGER of no time",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_UNREAD_DATA, SENT_RST },
	{ "SO_LINGER of no time",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_DISCONNECT | RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ZERO_LINGER, SENT_RST },
	{ "SO_LINGER of no time, the peer has closed",
	  TCP_CLOSE_WAIT, TCP_CLOSE, RAN_DISCONNECT | RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ZERO_LINGER, SENT_RST },
	{ "SO_LINGER of no time after shutdown(SHUT_WR)",
	  TCP_FIN_WAIT1, TCP_CLOSE, RAN_DISCONNECT | RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ZERO_LINGER, SENT_RST },
	{ "SO_LINGER of no time in LAST_ACK, data not sent yet",
	  TCP_LAST_ACK, TCP_CLOSE, RAN_DISCONNECT | RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ZERO_LINGER, SENT_RST },
	{ "SO_LINGER of no time in LAST_ACK, all sent",
	  TCP_LAST_ACK, TCP_CLOSE, RAN_DISCONNECT | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ZERO_LINGER, SENT_NONE },
	{ "SO_LINGER of no time in CLOSING, all sent",
	  TCP_CLOSING, TCP_CLOSE, RAN_DISCONNECT | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ZERO_LINGER, SENT_NONE },
	{ "SO_LINGER of no time in SYN_SENT",
	  TCP_SYN_SENT, TCP_CLOSE, RAN_DISCONNECT | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ZERO_LINGER, SENT_NONE },
	{ "SO_LINGER of no time, and the RST that was due was not seen",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_DISCONNECT | WAS_LINGER | WAS_ZERO_LINGER,
	  BRANCH_ZERO_LINGER, SENT_UNKNOWN },
	/* mptcp_do_fastclose() sends its RST, and __mptcp_close_ssk() moves the subflow to CLOSE. */
	{ "a fastclose of an MPTCP socket",
	  TCP_CLOSE, TCP_CLOSE, WAS_CONNECTED | LACKS_SENDQ | WAS_SUBFLOW | WAS_FASTCLOSE,
	  BRANCH_ALREADY_CLOSED, SENT_NONE },
	{ "the same where that sets SO_LINGER of no time instead",
	  TCP_ESTABLISHED, TCP_CLOSE,
	  RAN_DISCONNECT | RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER | WAS_SUBFLOW | WAS_FASTCLOSE,
	  BRANCH_ZERO_LINGER, SENT_RST },
	{ "SO_LINGER of no time of an MPTCP socket that fell back",
	  TCP_ESTABLISHED, TCP_CLOSE,
	  RAN_DISCONNECT | RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER | WAS_SUBFLOW,
	  BRANCH_ZERO_LINGER, SENT_RST },
	{ "close",
	  TCP_ESTABLISHED, TCP_FIN_WAIT1, RAN_FIN,
	  BRANCH_FIN, SENT_FIN },
	{ "close of a fast open",
	  TCP_SYN_RECV, TCP_FIN_WAIT1, RAN_FIN,
	  BRANCH_FIN, SENT_FIN },
	{ "the peer has closed, close",
	  TCP_CLOSE_WAIT, TCP_LAST_ACK, RAN_FIN,
	  BRANCH_FIN, SENT_FIN },
	{ "shutdown(SHUT_WR), close before the FIN is acknowledged",
	  TCP_FIN_WAIT1, TCP_FIN_WAIT1, 0,
	  BRANCH_FIN_ALREADY_SENT, SENT_NONE },
	{ "shutdown(SHUT_WR), close",
	  TCP_FIN_WAIT2, TCP_FIN_WAIT2, RAN_TIME_WAIT,
	  BRANCH_FIN_ALREADY_SENT, SENT_NONE },
	{ "both shut down at once, close",
	  TCP_CLOSING, TCP_CLOSING, 0,
	  BRANCH_FIN_ALREADY_SENT, SENT_NONE },
	{ "the peer has closed, shutdown(SHUT_WR), close",
	  TCP_LAST_ACK, TCP_LAST_ACK, 0,
	  BRANCH_FIN_ALREADY_SENT, SENT_NONE },
	{ "connect that does not block, close",
	  TCP_SYN_SENT, TCP_CLOSE, 0,
	  BRANCH_CONNECT_CANCELLED, SENT_NONE },
};
/* clang-format on */

static void names_the_branch_of_each_close(void **state)
{
	for (size_t i = 0; i < COUNT(closes); i++) {
		__u32 peer = is_one_of(closes[i].state, IN(LISTEN) | IN(CLOSE)) ? 0 : WAS_CONNECTED;
		__u32 facts = closes[i].facts | peer;
		struct verdict verdict = judged(closes[i].state, closes[i].new_state, facts);

		if (verdict.branch != closes[i].branch || verdict.sent != closes[i].sent)
			fail_msg("%s: branch %d sent %d", closes[i].how, verdict.branch,
				 verdict.sent);
	}
}

/* Facts that have no part in which branch is taken. */
static void other_facts_do_not_change_the_branch(void **state)
{
	__u32 others = WAS_NONBLOCK | RAN_WAIT | WAIT_ACKED | WAIT_CLOSING | WAIT_EXPIRED |
		       RAN_ORPHAN_RESET | RAN_LATE_RESET | RAN_TIME_WAIT | ORPHAN_LINGER2 |
		       NETNS_DYING | ENDED_BY_ERROR | LACKS_BLOCKED | LACKS_NONBLOCK | LACKS_SENDQ |
		       LACKS_AFTER | WAS_SUBFLOW | WAS_FASTCLOSE | LACKS_SUBFLOW;

	for (size_t i = 0; i < COUNT(closes); i++) {
		__u8 from = closes[i].state, to = closes[i].new_state;
		struct verdict plain = judged(from, to, closes[i].facts);
		struct verdict verdict = judged(from, to, closes[i].facts | others);

		assert_int_equal(verdict.branch, plain.branch);
		assert_int_equal(verdict.sent, plain.sent);
	}
}

/* ---- every set of facts ---------------------------------------------------------- */

/* The order of the tests in __tcp_close(), as each arm would be seen. */
static __u8 by_what_ran(unsigned int state, __u32 facts)
{
	__u32 ran = facts & (RAN_LISTEN_STOP | RAN_DISCONNECT | RAN_RESET | RAN_FIN);

	if (state == TCP_LISTEN)
		return ran == RAN_LISTEN_STOP ? BRANCH_LISTENER : BRANCH_UNKNOWN;
	if (state == TCP_CLOSE && !ran)
		return facts & WAS_CONNECTED ? BRANCH_ALREADY_CLOSED : BRANCH_NOT_CONNECTED;
	if (state == TCP_CLOSE)
		return BRANCH_UNKNOWN;
	if (ran == RAN_DISCONNECT && facts & WAS_REPAIR)
		return BRANCH_REPAIR;
	if (ran == RAN_RESET)
		return BRANCH_UNREAD_DATA;
	if ((ran & ~RAN_RESET) == RAN_DISCONNECT && facts & WAS_ZERO_LINGER &&
	    !(facts & WAS_REPAIR))
		return BRANCH_ZERO_LINGER;
	if (ran == RAN_FIN && is_one_of(state, IN(ESTABLISHED) | IN(SYN_RECV) | IN(CLOSE_WAIT)))
		return BRANCH_FIN;
	if (!ran && is_one_of(state, IN(FIN_WAIT1) | IN(FIN_WAIT2) | IN(CLOSING) | IN(LAST_ACK)))
		return BRANCH_FIN_ALREADY_SENT;
	return !ran && state == TCP_SYN_SENT ? BRANCH_CONNECT_CANCELLED : BRANCH_UNKNOWN;
}

/* These are tested before what ran, and would have disconnected: a call was missed. */
static bool contradicts(unsigned int state, __u32 facts)
{
	if (is_one_of(state, IN(LISTEN) | IN(CLOSE)) || facts & RAN_DISCONNECT)
		return false;
	return facts & WAS_REPAIR || (facts & WAS_ZERO_LINGER && !(facts & RAN_RESET));
}

/* TIME_WAIT is no state of a socket that can be closed. */
static void each_set_of_facts(void (*call)(unsigned int state, __u32 facts))
{
	for (unsigned int state = FIRST_STATE; state <= LAST_STATE; state++) {
		__u32 facts = 0;

		do {
			if (state != TCP_TIME_WAIT)
				call(state, facts);
			facts = (facts - BRANCH_FACTS) & BRANCH_FACTS;
		} while (facts);
	}
}

static void fits_at_most_one_row(unsigned int state, __u32 facts)
{
	int rows = 0;

#define RULE(states, seen, unseen, verdict) \
	rows += is_one_of(state, states) && (facts & (seen)) == (seen) && !(facts & (unseen));
	BRANCH_RULES(RULE)
#undef RULE
	if (rows > 1)
		fail_msg("%d rows fit state %u facts %#x", rows, state, facts);
}

static void is_judged_by_what_ran(unsigned int state, __u32 facts)
{
	struct verdict verdict = judged(state, state, facts);

	if (!contradicts(state, facts) && verdict.branch != by_what_ran(state, facts))
		fail_msg("state %u facts %#x: branch %d", state, facts, verdict.branch);
}

static void is_unknown_if_it_contradicts(unsigned int state, __u32 facts)
{
	struct verdict verdict = judged(state, state, facts);

	if (contradicts(state, facts) && verdict.branch != BRANCH_UNKNOWN)
		fail_msg("state %u facts %#x: branch %d", state, facts, verdict.branch);
}

static void at_most_one_rule_fits(void **state)
{
	each_set_of_facts(fits_at_most_one_row);
}

static void what_ran_decides(void **state)
{
	each_set_of_facts(is_judged_by_what_ran);
}

static void a_call_that_was_missed_is_unknown(void **state)
{
	each_set_of_facts(is_unknown_if_it_contradicts);
}

static void nothing_else_is_said_of_the_unknown(void **state)
{
	struct verdict verdict =
		judged(TCP_ESTABLISHED, TCP_CLOSE, RAN_FIN | RAN_RESET | WAS_LINGER);

	assert_int_equal(verdict.branch, BRANCH_UNKNOWN);
	assert_int_equal(verdict.sent, SENT_UNKNOWN);
	assert_int_equal(verdict.linger, LINGER_NULL);
	assert_int_equal(verdict.after, AFTER_NULL);
}

/* ---- linger ---------------------------------------------------------------------- */

#define LINGERED (WAS_LINGER | RAN_WAIT)
#define ZERO     (RAN_DISCONNECT | WAS_LINGER | WAS_ZERO_LINGER)

/* clang-format off */
static const struct {
	const char *how;
	__u8 state, new_state, context;
	__u32 facts;
	__u8 linger;
} lingers[] = {
	{ "SO_LINGER is off",
	  TCP_ESTABLISHED, TCP_FIN_WAIT1, CONTEXT_SYSCALL, RAN_FIN, LINGER_NULL },
	{ "the same, exiting",
	  TCP_ESTABLISHED, TCP_FIN_WAIT1, CONTEXT_EXIT, RAN_FIN, LINGER_NULL },
	{ "no time, an RST",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL, ZERO | RAN_RESET, LINGER_RESET },
	{ "no time, an RST, exiting: that does not wait anyway",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_EXIT, ZERO | RAN_RESET, LINGER_RESET },
	{ "no time in SYN_SENT",
	  TCP_SYN_SENT, TCP_CLOSE, CONTEXT_SYSCALL, ZERO, LINGER_NO_RESET_NEEDED },
	{ "no time in LAST_ACK",
	  TCP_LAST_ACK, TCP_CLOSE, CONTEXT_SYSCALL, ZERO, LINGER_NO_RESET_NEEDED },
	{ "no time in CLOSING",
	  TCP_CLOSING, TCP_CLOSE, CONTEXT_SYSCALL, ZERO, LINGER_NO_RESET_NEEDED },
	{ "no time, tcp_disconnect() returned -EBUSY and did nothing",
	  TCP_ESTABLISHED, TCP_ESTABLISHED, CONTEXT_SYSCALL, ZERO, LINGER_NULL },
	{ "the same in SYN_SENT",
	  TCP_SYN_SENT, TCP_SYN_SENT, CONTEXT_SYSCALL, ZERO, LINGER_NULL },
	{ "no memory for the RST, so no tracepoint told of it: there was something to reset",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL, ZERO, LINGER_NULL },
	{ "no time, unread data",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL, RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER,
	  LINGER_OVERRIDDEN },
	{ "five seconds, unread data",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL, RAN_RESET | LINGERED | WAIT_ACKED,
	  LINGER_OVERRIDDEN },
	{ "five seconds, unread data, exiting",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_EXIT, RAN_RESET | WAS_LINGER, LINGER_OVERRIDDEN },
	{ "all acknowledged in time",
	  TCP_ESTABLISHED, TCP_FIN_WAIT2, CONTEXT_SYSCALL, RAN_FIN | LINGERED | WAIT_ACKED,
	  LINGER_DRAINED },
	{ "the last acknowledgement of a passive close",
	  TCP_CLOSE_WAIT, TCP_CLOSE, CONTEXT_SYSCALL, RAN_FIN | LINGERED | WAIT_ACKED,
	  LINGER_DRAINED },
	{ "all acknowledged, and the peer's FIN too",
	  TCP_ESTABLISHED, TCP_TIME_WAIT, CONTEXT_SYSCALL,
	  RAN_FIN | RAN_TIME_WAIT | LINGERED | WAIT_ACKED, LINGER_DRAINED },
	{ "in a kworker, which waits as well",
	  TCP_ESTABLISHED, TCP_FIN_WAIT2, CONTEXT_KERNEL, RAN_FIN | LINGERED | WAIT_ACKED,
	  LINGER_DRAINED },
	{ "nothing to wait for in FIN_WAIT2",
	  TCP_FIN_WAIT2, TCP_FIN_WAIT2, CONTEXT_SYSCALL, LINGERED | WAIT_ACKED, LINGER_DRAINED },
	{ "nothing to wait for in SYN_SENT, where the SYN is not acknowledged",
	  TCP_SYN_SENT, TCP_CLOSE, CONTEXT_SYSCALL, LINGERED, LINGER_DRAINED },
	{ "the peer does not read",
	  TCP_ESTABLISHED, TCP_FIN_WAIT1, CONTEXT_SYSCALL,
	  RAN_FIN | LINGERED | WAIT_CLOSING | WAIT_EXPIRED, LINGER_TIMED_OUT },
	{ "the FIN was sent before and is not acknowledged",
	  TCP_LAST_ACK, TCP_LAST_ACK, CONTEXT_SYSCALL,
	  LINGERED | WAIT_CLOSING | WAIT_EXPIRED, LINGER_TIMED_OUT },
	{ "a signal",
	  TCP_ESTABLISHED, TCP_FIN_WAIT1, CONTEXT_SYSCALL, RAN_FIN | LINGERED | WAIT_CLOSING,
	  LINGER_INTERRUPTED },
	{ "the peer's RST during the wait",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL, RAN_FIN | LINGERED, LINGER_CLOSED_MEANWHILE },
	{ "the peer's RST at the very end of the wait",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL, RAN_FIN | LINGERED | WAIT_EXPIRED,
	  LINGER_CLOSED_MEANWHILE },
	{ "exiting",
	  TCP_ESTABLISHED, TCP_FIN_WAIT1, CONTEXT_EXIT, RAN_FIN | WAS_LINGER, LINGER_SKIPPED_EXITING },
	{ "exiting in SYN_SENT",
	  TCP_SYN_SENT, TCP_CLOSE, CONTEXT_EXIT, WAS_LINGER, LINGER_SKIPPED_EXITING },
	{ "the wait was not seen",
	  TCP_ESTABLISHED, TCP_FIN_WAIT1, CONTEXT_SYSCALL, RAN_FIN | WAS_LINGER | LACKS_AFTER,
	  LINGER_NULL },
	{ "listener",
	  TCP_LISTEN, TCP_CLOSE, CONTEXT_SYSCALL, RAN_LISTEN_STOP | WAS_LINGER, LINGER_NOT_APPLICABLE },
	{ "listener, exiting",
	  TCP_LISTEN, TCP_CLOSE, CONTEXT_EXIT, RAN_LISTEN_STOP | WAS_LINGER, LINGER_NOT_APPLICABLE },
	{ "not connected",
	  TCP_CLOSE, TCP_CLOSE, CONTEXT_SYSCALL, WAS_LINGER, LINGER_NOT_APPLICABLE },
	{ "not connected, no time",
	  TCP_CLOSE, TCP_CLOSE, CONTEXT_SYSCALL, WAS_LINGER | WAS_ZERO_LINGER, LINGER_NOT_APPLICABLE },
	{ "already closed",
	  TCP_CLOSE, TCP_CLOSE, CONTEXT_EXIT, WAS_LINGER | WAS_CONNECTED, LINGER_NOT_APPLICABLE },
	{ "repair",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL, ZERO | WAS_REPAIR, LINGER_NOT_APPLICABLE },
	{ "no time, an RST, of an MPTCP socket that fell back",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL, ZERO | RAN_RESET | WAS_SUBFLOW, LINGER_RESET },
	{ "no time for a fastclose: the kernel's setting, not the application's",
	  TCP_ESTABLISHED, TCP_CLOSE, CONTEXT_SYSCALL,
	  ZERO | RAN_RESET | WAS_SUBFLOW | WAS_FASTCLOSE, LINGER_NULL },
	{ "no time, and a fastclose, for that or for unread data",
	  TCP_CLOSE, TCP_CLOSE, CONTEXT_SYSCALL,
	  WAS_LINGER | WAS_ZERO_LINGER | WAS_CONNECTED | WAS_SUBFLOW | WAS_FASTCLOSE, LINGER_NULL },
};
/* clang-format on */

static void tells_how_the_linger_setting_fared(void **state)
{
	for (size_t i = 0; i < COUNT(lingers); i++) {
		const struct close_event event = {
			.state = lingers[i].state,
			.new_state = lingers[i].new_state,
			.context = lingers[i].context,
			.facts = lingers[i].facts,
		};

		if (judge(&event).linger != lingers[i].linger)
			fail_msg("%s: linger %d", lingers[i].how, judge(&event).linger);
	}
}

/* ---- what came after --------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *how;
	__u8 state, new_state;
	__u32 facts;
	__u8 after;
} afters[] = {
	{ "the FIN is on its way",
	  TCP_ESTABLISHED, TCP_FIN_WAIT1, RAN_FIN, AFTER_NULL },
	{ "the passive FIN is on its way",
	  TCP_CLOSE_WAIT, TCP_LAST_ACK, RAN_FIN, AFTER_NULL },
	{ "closed in FIN_WAIT2: a minisocket waits",
	  TCP_FIN_WAIT2, TCP_FIN_WAIT2, RAN_TIME_WAIT, AFTER_TIME_WAIT },
	{ "the FIN is acknowledged at once: a minisocket waits",
	  TCP_ESTABLISHED, TCP_FIN_WAIT2, RAN_FIN | RAN_TIME_WAIT, AFTER_TIME_WAIT },
	{ "both FINs came by",
	  TCP_ESTABLISHED, TCP_TIME_WAIT, RAN_FIN | RAN_TIME_WAIT, AFTER_TIME_WAIT },
	{ "TCP_LINGER2 above 60 s: the socket itself waits",
	  TCP_FIN_WAIT2, TCP_FIN_WAIT2, 0, AFTER_FIN_WAIT2_TIMER },
	{ "the same after a FIN",
	  TCP_ESTABLISHED, TCP_FIN_WAIT2, RAN_FIN, AFTER_FIN_WAIT2_TIMER },
	{ "TCP_LINGER2 below 0",
	  TCP_FIN_WAIT2, TCP_CLOSE, RAN_ORPHAN_RESET | ORPHAN_LINGER2, AFTER_LINGER2_RESET },
	{ "too many orphans",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_FIN | RAN_ORPHAN_RESET, AFTER_ORPHAN_LIMIT_RESET },
	{ "too many orphans, FIN sent before",
	  TCP_FIN_WAIT1, TCP_CLOSE, RAN_ORPHAN_RESET, AFTER_ORPHAN_LIMIT_RESET },
	{ "data for nobody from the backlog",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_FIN | RAN_LATE_RESET, AFTER_LATE_DATA_RESET },
	{ "a kernel socket outlived its namespace",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_FIN | NETNS_DYING, AFTER_NETNS_DYING },
	{ "the last acknowledgement from the backlog",
	  TCP_CLOSE_WAIT, TCP_CLOSE, RAN_FIN, AFTER_CLOSED_MEANWHILE },
	{ "the peer's RST from the backlog",
	  TCP_FIN_WAIT1, TCP_CLOSE, ENDED_BY_ERROR, AFTER_CLOSED_MEANWHILE },
	{ "the peer's RST after a FIN",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_FIN | ENDED_BY_ERROR, AFTER_CLOSED_MEANWHILE },
	{ "the last acknowledgement, the FIN was sent before",
	  TCP_LAST_ACK, TCP_CLOSE, 0, AFTER_CLOSED_MEANWHILE },
	{ "an active close ends well in tcp_time_wait() only: that was missed",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_FIN, AFTER_NULL },
	/* The branch itself went to CLOSE: nothing happened meanwhile. */
	{ "unread data",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_RESET, AFTER_NULL },
	{ "zero linger",
	  TCP_ESTABLISHED, TCP_CLOSE, ZERO | RAN_RESET, AFTER_NULL },
	{ "unread data of a kernel socket without a namespace",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_RESET | NETNS_DYING, AFTER_NULL },
	{ "repair",
	  TCP_ESTABLISHED, TCP_CLOSE, RAN_DISCONNECT | WAS_REPAIR, AFTER_NULL },
	{ "connect cancelled",
	  TCP_SYN_SENT, TCP_CLOSE, 0, AFTER_NULL },
	{ "listener",
	  TCP_LISTEN, TCP_CLOSE, RAN_LISTEN_STOP, AFTER_NULL },
	{ "listener, while a stray segment to it was answered: no data came late for it",
	  TCP_LISTEN, TCP_CLOSE, RAN_LISTEN_STOP | RAN_LATE_RESET, AFTER_NULL },
	{ "not connected",
	  TCP_CLOSE, TCP_CLOSE, 0, AFTER_NULL },
	{ "already closed",
	  TCP_CLOSE, TCP_CLOSE, WAS_CONNECTED, AFTER_NULL },
};
/* clang-format on */

static void tells_what_else_happened(void **state)
{
	for (size_t i = 0; i < COUNT(afters); i++) {
		struct verdict verdict =
			judged(afters[i].state, afters[i].new_state, afters[i].facts);

		if (verdict.after != afters[i].after)
			fail_msg("%s: after %d", afters[i].how, verdict.after);
	}
}

/* The record left before the call returned: what was not seen is not told, whatever the state. */
static void invents_nothing_after(void **state)
{
	static const __u8 new_states[] = { TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_LAST_ACK, TCP_CLOSE };

	for (size_t i = 0; i < COUNT(new_states); i++) {
		assert_int_equal(
			judged(TCP_ESTABLISHED, new_states[i], RAN_FIN | LACKS_AFTER).after,
			AFTER_NULL);
		assert_int_equal(
			judged(TCP_FIN_WAIT2, new_states[i], LACKS_AFTER | NETNS_DYING).after,
			AFTER_NULL);
	}
}

/* What was seen before it left is. */
static void tells_what_was_seen_all_the_same(void **state)
{
	assert_int_equal(
		judged(TCP_ESTABLISHED, TCP_CLOSE, RAN_FIN | RAN_LATE_RESET | LACKS_AFTER).after,
		AFTER_LATE_DATA_RESET);
	assert_int_equal(judged(TCP_FIN_WAIT2, TCP_FIN_WAIT2, RAN_TIME_WAIT | LACKS_AFTER).after,
			 AFTER_TIME_WAIT);
}

static void knows_which_closes_involve_an_rst(void **state)
{
	static const __u32 resets[] = { RAN_RESET, RAN_RESET | RAN_DISCONNECT, RAN_ORPHAN_RESET,
					RAN_LATE_RESET };
	static const __u32 others[] = {
		0, RAN_FIN, RAN_DISCONNECT, RAN_LISTEN_STOP, ORPHAN_LINGER2, ~0U << 24
	};

	for (size_t i = 0; i < COUNT(resets); i++)
		assert_true(judge_is_reset(&(struct close_event){ .facts = resets[i] }));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(judge_is_reset(&(struct close_event){ .facts = others[i] }));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_branch_of_each_close),
		cmocka_unit_test(other_facts_do_not_change_the_branch),
		cmocka_unit_test(at_most_one_rule_fits),
		cmocka_unit_test(what_ran_decides),
		cmocka_unit_test(a_call_that_was_missed_is_unknown),
		cmocka_unit_test(nothing_else_is_said_of_the_unknown),
		cmocka_unit_test(tells_how_the_linger_setting_fared),
		cmocka_unit_test(tells_what_else_happened),
		cmocka_unit_test(invents_nothing_after),
		cmocka_unit_test(tells_what_was_seen_all_the_same),
		cmocka_unit_test(knows_which_closes_involve_an_rst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
