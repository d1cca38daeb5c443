// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "user/cause.h"
#include "user/reason.h"

#define ANY_STATE	(~0)
#define COUNT(table)	(sizeof(table) / sizeof(*(table)))
#define HAD_ERROR	(1U << 31)	/* a fact of an end: sk_err, which an acknowledgement sets not */

/* The first row that fits. */
struct rule {
	__u32 states;		/* 1 << state */
	__u32 facts;		/* all of these */
	__u32 not;		/* none of these */
	__u32 callers;		/* any of these; 0: whoever */
	const char *reason;	/* in place of callers that nobody knows; NULL: nothing says it */
	int verdict;
};

static bool has_reason(const struct close_event *e, const char *prefix)
{
	const char *reason = reason_name(e->reason);

	return prefix && reason && !strncmp(reason, prefix, strlen(prefix));
}

static bool fits(const struct rule *rule, const struct close_event *e, __u32 callers)
{
	if (!(rule->states & 1U << e->state) || (e->facts & rule->facts) != rule->facts ||
	    e->facts & rule->not)
		return false;
	if (!rule->callers)
		return !rule->reason || has_reason(e, rule->reason);
	return rule->callers & callers || (callers & CALLERS_UNKNOWN && has_reason(e, rule->reason));
}

static int first_fit(const struct rule *rules, size_t count, const struct close_event *e, __u32 callers)
{
	for (size_t i = 0; i < count; i++)
		if (fits(&rules[i], e, callers))
			return rules[i].verdict;
	return 0;
}

/* ---- tcp_send_active_reset() ------------------------------------------------------------ */

static const struct rule active[] = {
	/* clang-format off */
	{ ANY_STATE, 0, 0, BY_CHILD_FORGET, NULL, CAUSE_UNACCEPTED_CHILD },
	{ ANY_STATE, RESET_FASTCLOSE, 0, 0, NULL, CAUSE_MPTCP_FASTCLOSE },
	{ ANY_STATE, 0, 0, BY_FASTCLOSE, NULL, CAUSE_MPTCP_FASTCLOSE },
	{ ANY_STATE, 0, 0, BY_SUBFLOW, "MPTCP_RST_", CAUSE_MPTCP_SUBFLOW },
	{ ANY_STATE, 0, OWNER_IS_CLOSER, BY_CLOSE, "TCP_ABORT_ON_CLOSE", CAUSE_NONE },
	{ ANY_STATE, 0, OWNER_IS_CLOSER, BY_CLOSE, "TCP_ABORT_ON_LINGER", CAUSE_NONE },
	{ ANY_STATE, 0, 0, 0, "TCP_ABORT_ON_MEMORY", CAUSE_ORPHAN_LIMIT },
	/* By tracepoint the record of the close has left by then. */
	{ ANY_STATE, OWNER_IS_CLOSER, WAS_LINGER2, BY_CLOSE, NULL, CAUSE_ORPHAN_LIMIT },
	{ ANY_STATE, OWNER_IS_CLOSER, 0, BY_CLOSE, "TCP_ABORT_ON_LINGER", CAUSE_LINGER2 },
	{ ANY_STATE, 0, 0, BY_ABORT, NULL, CAUSE_ADMIN_ABORT },
	{ ANY_STATE, 0, 0, BY_OUT_OF_RESOURCES, NULL, CAUSE_ORPHAN_LIMIT },
	/* tcp_keepalive_timer() has two ends, and a closed socket in FIN_WAIT2 meets the first. */
	{ IN(FIN_WAIT2), WAS_ORPHAN, 0, BY_KEEPALIVE, NULL, CAUSE_FIN_WAIT2_TIMEOUT },
	{ ANY_STATE, 0, 0, BY_KEEPALIVE, "TCP_KEEPALIVE_TIMEOUT", CAUSE_KEEPALIVE_TIMEOUT },
	{ ANY_STATE, 0, 0, BY_DISCONNECT, "TCP_DISCONNECT_WITH_DATA", CAUSE_DISCONNECT },
	/* clang-format on */
};

/* ---- tcp_v4_send_reset(), tcp_v6_send_reset() -------------------------------------------- */

/* An accept queue that is full meets the last ACK of a handshake, in tcp_check_req(); a SYN
 * there is one that the request knows already.  To a socket in CLOSE nothing is sent but what
 * ended it: tcp_rcv_state_process(), with new data for nobody. */
static const struct rule replies[] = {
	/* clang-format off */
	{ ANY_STATE, 0, OWNER_IS_CLOSER, BY_CLOSE, NULL, CAUSE_NONE },
	{ ANY_STATE, RESET_NO_SOCKET, 0, 0, NULL, CAUSE_NO_SOCKET },
	{ IN(TIME_WAIT), 0, 0, 0, NULL, CAUSE_TIME_WAIT },
	{ ANY_STATE, 0, 0, 0, "MPTCP_RST_", CAUSE_MPTCP_JOIN_REJECT },
	{ ANY_STATE, 0, 0, BY_SUBFLOW, NULL, CAUSE_MPTCP_JOIN_REJECT },
	{ ANY_STATE, RESET_TO_SYN, 0, BY_CHECK_REQ, "INVALID_SYN", CAUSE_EMBRYONIC },
	{ ANY_STATE, 0, RESET_TO_SYN, BY_CHECK_REQ, "INVALID_SYN", CAUSE_ACCEPT_OVERFLOW },
	{ IN(LISTEN), 0, 0, 0, "TCP_", CAUSE_LISTENER_STRAY_ACK },
	{ IN(SYN_RECV), 0, 0, 0, "TCP_", CAUSE_BAD_ACK_SYN_RECV },
	/* It may have been tcp_check_req() as well. */
	{ IN(LISTEN) | IN(SYN_RECV), 0, 0, CALLERS_UNKNOWN, NULL, CAUSE_UNKNOWN },
	{ IN(LISTEN), 0, 0, 0, NULL, CAUSE_LISTENER_STRAY_ACK },
	{ IN(SYN_RECV), 0, 0, 0, NULL, CAUSE_BAD_ACK_SYN_RECV },
	{ IN(SYN_SENT), 0, 0, 0, NULL, CAUSE_BAD_ACK_SYN_SENT },
	{ IN(CLOSE), 0, 0, 0, NULL, CAUSE_LATE_DATA },
	/* clang-format on */
};

/* ---- tcp_reset() --------------------------------------------------------------------------- */

/* Without an RST it runs where data comes for a socket that is shut for reading; in SYN_SENT and
 * the states of a socket that reads there is no such call. */
static const struct rule received[] = {
	/* clang-format off */
	{ IN(SYN_SENT), 0, 0, 0, NULL, CAUSE_REFUSED },
	{ IN(ESTABLISHED) | IN(SYN_RECV), 0, 0, 0, NULL, CAUSE_RESET_BY_PEER },
	{ ANY_STATE, 0, WAS_SHUT_READ, 0, NULL, CAUSE_RESET_BY_PEER },
	{ ANY_STATE, GOT_RST, 0, 0, NULL, CAUSE_RESET_BY_PEER },
	{ ANY_STATE, 0, 0, BY_VALIDATE | BY_CHECK_REQ, NULL, CAUSE_RESET_BY_PEER },
	{ ANY_STATE, 0, 0, 0, NULL, CAUSE_NONE },
	/* clang-format on */
};

enum cause cause_of(const struct close_event *e, __u32 callers)
{
	if (e->facts & RESET_FIREWALL)
		return CAUSE_FIREWALL_REJECT;
	if (e->facts & RESET_RECEIVED)
		return first_fit(received, COUNT(received), e, callers);
	if (e->facts & RESET_REPLY)
		return first_fit(replies, COUNT(replies), e, callers);
	return first_fit(active, COUNT(active), e, callers);
}

bool cause_is_received(enum cause cause)
{
	return cause == CAUSE_RESET_BY_PEER || cause == CAUSE_REFUSED;
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* By what the socket was last known as: new_state of its close. */
static const struct rule ends[] = {
	/* clang-format off */
	{ ANY_STATE, ENDED_TW_RESET, 0, 0, NULL, END_TIME_WAIT_RESET },
	{ ANY_STATE, ENDED_TIME_WAIT, 0, 0, NULL, END_TIME_WAIT },
	/* It jumps to tcp_done(), so that is who is seen; tcp_fin() and __tcp_close() end no
	 * connection otherwise. */
	{ IN(FIN_WAIT1) | IN(FIN_WAIT2) | IN(CLOSING), 0, ENDED_RECEIVED | ENDED_ACTIVE,
	  BY_FIN | BY_CLOSE | BY_KEEPALIVE, NULL, END_TIME_WAIT },
	{ ANY_STATE, ENDED_ACTIVE, 0, BY_OUT_OF_RESOURCES, NULL, END_ORPHAN_LIMIT_RESET },
	{ ANY_STATE, ENDED_ACTIVE, 0, BY_KEEPALIVE, NULL, END_FIN_WAIT2_TIMEOUT },
	{ ANY_STATE, ENDED_ACTIVE, 0, 0, NULL, END_UNKNOWN },
	{ ANY_STATE, 0, 0, BY_ABORT, NULL, END_UNKNOWN },
	{ ANY_STATE, GOT_RST, 0, 0, NULL, END_RESET_BY_PEER },
	{ ANY_STATE, GOT_LATE_DATA, 0, 0, NULL, END_LATE_DATA_RESET },
	{ ANY_STATE, ENDED_RECEIVED, 0, BY_VALIDATE, NULL, END_RESET_BY_PEER },
	{ ANY_STATE, ENDED_RECEIVED, 0, BY_RESET | BY_RECEIVE, NULL, END_LATE_DATA_RESET },
	{ ANY_STATE, ENDED_RECEIVED, 0, 0, NULL, END_UNKNOWN },
	/* tcp_write_err(), which is inlined; tcp_out_of_resources() may end it without an RST. */
	{ ANY_STATE, 0, 0, BY_OUT_OF_RESOURCES, NULL, END_UNKNOWN },
	{ ANY_STATE, 0, 0, BY_WRITE_TIMER, NULL, END_RETRANSMIT_TIMEOUT },
	{ IN(LAST_ACK), 0, HAD_ERROR, 0, NULL, END_CLOSED },
	{ IN(LAST_ACK), 0, 0, BY_RECEIVE, NULL, END_CLOSED },
	/* Else tcp_rcv_state_process() calls tcp_time_wait(), or was given new data. */
	{ IN(FIN_WAIT1) | IN(FIN_WAIT2) | IN(CLOSING), ENDED_UNSEEN, 0, BY_RECEIVE, NULL, END_TIME_WAIT },
	{ IN(FIN_WAIT1) | IN(FIN_WAIT2), 0, 0, BY_RECEIVE, NULL, END_LATE_DATA_RESET },
	/* clang-format on */
};

/* What is elsewhere in the record, as facts. */
static struct close_event last_known(const struct close_event *e)
{
	struct close_event last = *e;

	last.state = e->new_state;
	if (e->via == VIA_TRACEPOINT)
		last.facts |= ENDED_UNSEEN;
	if (e->error)
		last.facts |= HAD_ERROR;
	return last;
}

enum end end_of(const struct close_event *e, __u32 callers)
{
	struct close_event last = last_known(e);

	return first_fit(ends, COUNT(ends), &last, callers);
}

bool end_is_open(const struct close_event *e, __u32 callers)
{
	return e->via == VIA_TRACEPOINT && !(callers & BY_FIN) && callers & BY_RECEIVE &&
	       end_of(e, callers) == END_TIME_WAIT;
}

bool end_is_reset(enum end end)
{
	return end == END_RESET_BY_PEER || end == END_LATE_DATA_RESET || end == END_TIME_WAIT_RESET ||
	       end == END_ORPHAN_LIMIT_RESET || end == END_FIN_WAIT2_TIMEOUT;
}

/* ---- whose ------------------------------------------------------------------------------------- */

bool closer_is_process(const struct close_event *close)
{
	return close->context != CONTEXT_KERNEL;
}

/* What an MPTCP socket does to its subflows, and to the connections that its listener has not
 * accepted, runs in the call of who closes it; what is left for later, in a kernel thread. */
static bool is_mptcp_close(const struct close_event *e, enum cause cause, __u32 callers)
{
	return callers & BY_MPTCP_CLOSE && closer_is_process(e) &&
	       (cause == CAUSE_MPTCP_FASTCLOSE || cause == CAUSE_UNACCEPTED_CHILD);
}

/* A call on the socket itself is its holder's; whoever runs `ss -K` has locked it as well. */
static bool is_own_call(const struct close_event *e, enum cause cause, __u32 callers)
{
	if (cause == CAUSE_DISCONNECT || cause == CAUSE_MPTCP_FASTCLOSE)
		return e->facts & OWNER_IS_RUNNING && closer_is_process(e);
	return cause == CAUSE_UNACCEPTED_CHILD && callers & (BY_SHUTDOWN | BY_CONNECT);
}

enum owner owner_of(const struct close_event *e, enum cause cause, __u32 callers)
{
	if (e->facts & OWNER_IS_CLOSER)
		return closer_is_process(e) ? OWNER_CLOSER : OWNER_NOBODY;
	if (is_mptcp_close(e, cause, callers))
		return OWNER_CLOSER;
	return is_own_call(e, cause, callers) ? OWNER_SOCKET : OWNER_NOBODY;
}
