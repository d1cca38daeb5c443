// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opinions on resets.  What is right comes from who calls the kernel's senders of RSTs, in which
 * state and with which reason, not from cause.c.
 */
#include "tests/unit/sample.h"

#include <bpf/btf.h>

#include "user/cause.h"
#include "user/reason.h"

#define NEW_SYN_RECV 12
#define HIDDEN       CALLERS_UNKNOWN
#define ORPHAN       (OWNER_IS_CLOSER | WAS_ORPHAN | WAS_SHUT_READ)
#define REPLY        RESET_REPLY
#define RECEIVED     RESET_RECEIVED

/* ---- the kernel's own reasons ----------------------------------------------------- */

static const char *const reasons[] = {
	"NOT_SPECIFIED",
	"NO_SOCKET",
	"TCP_INVALID_ACK_SEQUENCE",
	"TCP_RFC7323_PAWS",
	"TCP_TOO_OLD_ACK",
	"TCP_ACK_UNSENT_DATA",
	"TCP_FLAGS",
	"TCP_OLD_ACK",
	"TCP_ABORT_ON_DATA",
	"TCP_TIMEWAIT_SOCKET",
	"INVALID_SYN",
	"TCP_ABORT_ON_CLOSE",
	"TCP_ABORT_ON_LINGER",
	"TCP_ABORT_ON_MEMORY",
	"TCP_STATE",
	"TCP_KEEPALIVE_TIMEOUT",
	"TCP_DISCONNECT_WITH_DATA",
	"MPTCP_RST_EUNSPEC",
	"MPTCP_RST_EMPTCP",
	"MPTCP_RST_EPROHIBIT",
};

static struct btf *btf;

static int set_reasons(void **state)
{
	char name[64];

	btf = btf__new_empty();
	btf__add_enum(btf, "sk_rst_reason", 4);
	for (size_t i = 0; i < COUNT(reasons); i++) {
		snprintf(name, sizeof(name), "SK_RST_REASON_%s", reasons[i]);
		btf__add_enum_value(btf, name, i);
	}
	reason_load(btf);
	return 0;
}

static int free_reasons(void **state)
{
	btf__free(btf);
	return 0;
}

/* NULL: a kernel before v6.10 says none. */
static __u8 reason_of(const char *name)
{
	for (size_t i = 0; name && i < COUNT(reasons); i++)
		if (!strcmp(reasons[i], name))
			return i;
	if (name)
		fail_msg("there is no reason %s", name);
	return 0;
}

/* ---- causes -------------------------------------------------------------------------- */

struct reset_case {
	const char *how;
	__u8 state;
	__u32 facts;
	__u32 callers;
	const char *reason;
	enum cause cause;
};

static void are(const struct reset_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct close_event event = {
			.kind = EVENT_RESET,
			.state = cases[i].state,
			.facts = cases[i].facts,
			.reason = reason_of(cases[i].reason),
		};
		enum cause cause = cause_of(&event, cases[i].callers);

		if (cause != cases[i].cause)
			fail_msg("%s, %s: %s", cases[i].how,
				 cases[i].reason ? cases[i].reason : "without a reason",
				 cause == CAUSE_NONE ? "none" : cause_name(cause));
	}
}

/* clang-format off */
static const struct reset_case calls[] = {
	{ "connect() to AF_UNSPEC",
	  TCP_CLOSE, OWNER_IS_RUNNING, BY_DISCONNECT | BY_CONNECT, "TCP_STATE",
	  CAUSE_DISCONNECT },
	{ "the same, on a kernel before v6.10",
	  TCP_CLOSE, OWNER_IS_RUNNING, BY_DISCONNECT | BY_CONNECT, NULL,
	  CAUSE_DISCONNECT },
	{ "the same in LAST_ACK, with something unsent",
	  TCP_CLOSE, OWNER_IS_RUNNING, BY_DISCONNECT | BY_CONNECT, "TCP_DISCONNECT_WITH_DATA",
	  CAUSE_DISCONNECT },

	{ "a listener is closed",
	  TCP_CLOSE, OWNER_IS_CLOSER, BY_CHILD_FORGET | BY_DISCONNECT | BY_CLOSE, "TCP_STATE",
	  CAUSE_UNACCEPTED_CHILD },
	{ "a listener is closed by somebody who is not traced",
	  TCP_CLOSE, 0, BY_CHILD_FORGET | BY_DISCONNECT | BY_CLOSE, NULL,
	  CAUSE_UNACCEPTED_CHILD },
	{ "shutdown(SHUT_RD) of a listener",
	  TCP_CLOSE, 0, BY_CHILD_FORGET | BY_DISCONNECT | BY_SHUTDOWN, "TCP_STATE",
	  CAUSE_UNACCEPTED_CHILD },
	{ "connect() of a listener to AF_UNSPEC",
	  TCP_CLOSE, 0, BY_CHILD_FORGET | BY_DISCONNECT | BY_CONNECT, "TCP_STATE",
	  CAUSE_UNACCEPTED_CHILD },
	{ "ss -K of a listener",
	  TCP_CLOSE, 0, BY_CHILD_FORGET | BY_DISCONNECT | BY_ABORT, "TCP_STATE",
	  CAUSE_UNACCEPTED_CHILD },
	{ "the listener is gone as the handshake is done",
	  TCP_CLOSE, 0, BY_CHILD_FORGET | BY_DISCONNECT | BY_CHECK_REQ, "TCP_STATE",
	  CAUSE_UNACCEPTED_CHILD },

	{ "ss -K",
	  TCP_ESTABLISHED, OWNER_IS_RUNNING, BY_ABORT, "TCP_STATE",
	  CAUSE_ADMIN_ABORT },
	{ "ss -K before v6.10",
	  TCP_CLOSE_WAIT, OWNER_IS_RUNNING | WAS_SHUT_READ, BY_ABORT, NULL,
	  CAUSE_ADMIN_ABORT },
	{ "ss -K of a closed socket",
	  TCP_FIN_WAIT2, ORPHAN, BY_ABORT, "TCP_STATE",
	  CAUSE_ADMIN_ABORT },
};

static const struct reset_case timers[] = {
	{ "keepalive gives up",
	  TCP_ESTABLISHED, 0, BY_KEEPALIVE, "TCP_KEEPALIVE_TIMEOUT",
	  CAUSE_KEEPALIVE_TIMEOUT },
	{ "keepalive gives up, before v6.10",
	  TCP_CLOSE_WAIT, WAS_SHUT_READ, BY_KEEPALIVE, NULL,
	  CAUSE_KEEPALIVE_TIMEOUT },
	{ "keepalive gives up on a socket that is shut for writing, not closed",
	  TCP_FIN_WAIT2, 0, BY_KEEPALIVE, NULL,
	  CAUSE_KEEPALIVE_TIMEOUT },
	{ "the peer of a closed socket never closes",
	  TCP_FIN_WAIT2, ORPHAN, BY_KEEPALIVE, "TCP_STATE",
	  CAUSE_FIN_WAIT2_TIMEOUT },
	{ "the same before v6.10",
	  TCP_FIN_WAIT2, ORPHAN, BY_KEEPALIVE, NULL,
	  CAUSE_FIN_WAIT2_TIMEOUT },
	{ "the same of somebody who is not traced",
	  TCP_FIN_WAIT2, WAS_ORPHAN | WAS_SHUT_READ, BY_KEEPALIVE, "TCP_STATE",
	  CAUSE_FIN_WAIT2_TIMEOUT },
	{ "too many orphans, as one of them retransmits",
	  TCP_FIN_WAIT1, ORPHAN, BY_OUT_OF_RESOURCES | BY_WRITE_TIMER, "TCP_ABORT_ON_MEMORY",
	  CAUSE_ORPHAN_LIMIT },
	{ "the same before v6.10",
	  TCP_LAST_ACK, ORPHAN, BY_OUT_OF_RESOURCES | BY_WRITE_TIMER, NULL,
	  CAUSE_ORPHAN_LIMIT },
	{ "the same where it is inlined",
	  TCP_FIN_WAIT1, ORPHAN, BY_WRITE_TIMER, "TCP_ABORT_ON_MEMORY",
	  CAUSE_ORPHAN_LIMIT },
	{ "too many orphans, as the close returns whose record has left",
	  TCP_CLOSE, ORPHAN, BY_CLOSE, "TCP_ABORT_ON_MEMORY",
	  CAUSE_ORPHAN_LIMIT },
	{ "the same before v6.10",
	  TCP_CLOSE, ORPHAN, BY_CLOSE, NULL,
	  CAUSE_ORPHAN_LIMIT },
	{ "the same with TCP_LINGER2 below 0: the reason tells",
	  TCP_CLOSE, ORPHAN | WAS_LINGER2, BY_CLOSE, "TCP_ABORT_ON_MEMORY",
	  CAUSE_ORPHAN_LIMIT },
};

static const struct reset_case mptcp[] = {
	{ "fastclose",
	  TCP_ESTABLISHED, 0, BY_FASTCLOSE, "TCP_ABORT_ON_CLOSE",
	  CAUSE_MPTCP_FASTCLOSE },
	{ "fastclose by SO_LINGER of no time on the subflow",
	  TCP_CLOSE, 0, BY_FASTCLOSE | BY_CLOSE | BY_DISCONNECT, NULL,
	  CAUSE_MPTCP_FASTCLOSE },
	{ "fastclose, as the subflow says",
	  TCP_ESTABLISHED, RESET_FASTCLOSE | OWNER_IS_RUNNING, HIDDEN, "TCP_ABORT_ON_CLOSE",
	  CAUSE_MPTCP_FASTCLOSE },
	{ "a listener's child, after its fastclose",
	  TCP_CLOSE, RESET_FASTCLOSE, BY_CHILD_FORGET | BY_DISCONNECT | BY_MPTCP_CLOSE, "TCP_STATE",
	  CAUSE_UNACCEPTED_CHILD },
	{ "a broken mapping",
	  TCP_ESTABLISHED, 0, BY_SUBFLOW, "MPTCP_RST_EMPTCP",
	  CAUSE_MPTCP_SUBFLOW },
	{ "the same before v6.10",
	  TCP_ESTABLISHED, 0, BY_SUBFLOW, NULL,
	  CAUSE_MPTCP_SUBFLOW },
	{ "no other sender has such a reason",
	  TCP_ESTABLISHED, 0, HIDDEN, "MPTCP_RST_EMPTCP",
	  CAUSE_MPTCP_SUBFLOW },
	{ "MP_JOIN is refused to the SYN",
	  TCP_LISTEN, REPLY | RESET_TO_SYN, 0, "MPTCP_RST_EPROHIBIT",
	  CAUSE_MPTCP_JOIN_REJECT },
	{ "MP_JOIN is refused to the last ACK",
	  TCP_LISTEN, REPLY, BY_CHECK_REQ, "MPTCP_RST_EMPTCP",
	  CAUSE_MPTCP_JOIN_REJECT },
	{ "MP_JOIN is refused to the last ACK, before v6.10",
	  TCP_LISTEN, REPLY, BY_CHECK_REQ | BY_SUBFLOW, NULL,
	  CAUSE_MPTCP_JOIN_REJECT },
	{ "MP_JOIN is refused to the SYN, before v6.10",
	  TCP_LISTEN, REPLY | RESET_TO_SYN, BY_RECEIVE | BY_SUBFLOW, NULL,
	  CAUSE_MPTCP_JOIN_REJECT },
	{ "refused, whoever called",
	  TCP_LISTEN, REPLY, HIDDEN, "MPTCP_RST_EUNSPEC",
	  CAUSE_MPTCP_JOIN_REJECT },
};

static const struct reset_case replies[] = {
	{ "to a closed port",
	  0, REPLY | RESET_NO_SOCKET | RESET_TO_SYN, 0, "NO_SOCKET",
	  CAUSE_NO_SOCKET },
	{ "data for a connection that has gone",
	  0, REPLY | RESET_NO_SOCKET, 0, NULL,
	  CAUSE_NO_SOCKET },
	{ "data for a socket in TIME_WAIT",
	  TCP_TIME_WAIT, REPLY, 0, "TCP_TIMEWAIT_SOCKET",
	  CAUSE_TIME_WAIT },
	{ "the same before v6.10, of a traced close",
	  TCP_TIME_WAIT, REPLY | OWNER_IS_CLOSER, 0, NULL,
	  CAUSE_TIME_WAIT },
	{ "the listener was started anew",
	  TCP_LISTEN, REPLY, 0, "TCP_FLAGS",
	  CAUSE_LISTENER_STRAY_ACK },
	{ "the same before v6.10",
	  TCP_LISTEN, REPLY, 0, NULL,
	  CAUSE_LISTENER_STRAY_ACK },
	{ "an ACK in SYN_SENT that is out of the window",
	  TCP_SYN_SENT, REPLY, 0, "TCP_INVALID_ACK_SEQUENCE",
	  CAUSE_BAD_ACK_SYN_SENT },
	{ "one with a bad time stamp",
	  TCP_SYN_SENT, REPLY | RESET_TO_SYN, 0, "TCP_RFC7323_PAWS",
	  CAUSE_BAD_ACK_SYN_SENT },
	{ "the same before v6.10",
	  TCP_SYN_SENT, REPLY, 0, NULL,
	  CAUSE_BAD_ACK_SYN_SENT },
	{ "an ACK in SYN_RECV that is too old",
	  TCP_SYN_RECV, REPLY, 0, "TCP_OLD_ACK",
	  CAUSE_BAD_ACK_SYN_RECV },
	{ "one in SYN_RECV of what was not sent",
	  TCP_SYN_RECV, REPLY, 0, "TCP_ACK_UNSENT_DATA",
	  CAUSE_BAD_ACK_SYN_RECV },
	{ "the same before v6.10",
	  TCP_SYN_RECV, REPLY, 0, NULL,
	  CAUSE_BAD_ACK_SYN_RECV },
	{ "data after the close",
	  TCP_CLOSE, REPLY | ORPHAN, 0, "TCP_ABORT_ON_DATA",
	  CAUSE_LATE_DATA },
	{ "data after shutdown(SHUT_RDWR), before v6.10",
	  TCP_CLOSE, REPLY | WAS_SHUT_READ, 0, NULL,
	  CAUSE_LATE_DATA },
	{ "data that waited for the lock of a close whose record has left",
	  TCP_CLOSE, REPLY | ORPHAN, BY_CLOSE, "TCP_ABORT_ON_DATA",
	  CAUSE_LATE_DATA },
	{ "the accept queue is full",
	  TCP_LISTEN, REPLY, BY_CHECK_REQ, "INVALID_SYN",
	  CAUSE_ACCEPT_OVERFLOW },
	{ "the same before v6.10",
	  TCP_LISTEN, REPLY, BY_CHECK_REQ, NULL,
	  CAUSE_ACCEPT_OVERFLOW },
	{ "a SYN within the window of a request",
	  TCP_LISTEN, REPLY | RESET_TO_SYN, BY_CHECK_REQ, "INVALID_SYN",
	  CAUSE_EMBRYONIC },
	{ "the same before v6.10",
	  TCP_LISTEN, REPLY | RESET_TO_SYN, BY_CHECK_REQ, NULL,
	  CAUSE_EMBRYONIC },
	{ "the same of a fast open",
	  TCP_SYN_RECV, REPLY | RESET_TO_SYN, BY_CHECK_REQ | BY_RECEIVE, "INVALID_SYN",
	  CAUSE_EMBRYONIC },
	{ "a rule of the firewall, whatever there is behind it",
	  0, REPLY | RESET_FIREWALL, 0, NULL,
	  CAUSE_FIREWALL_REJECT },
	{ "the same to a SYN, and who called is hidden",
	  0, REPLY | RESET_FIREWALL | RESET_TO_SYN, HIDDEN, NULL,
	  CAUSE_FIREWALL_REJECT },
};

/* A socket that is shut for reading runs tcp_reset() for late data as well. */
static const struct reset_case received[] = {
	{ "connect() to a closed port",
	  TCP_SYN_SENT, RECEIVED, BY_RESET | BY_RECEIVE, NULL,
	  CAUSE_REFUSED },
	{ "an RST",
	  TCP_ESTABLISHED, RECEIVED, BY_RESET | BY_VALIDATE, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST, and nobody asked who called",
	  TCP_ESTABLISHED, RECEIVED, 0, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST after shutdown(SHUT_RD)",
	  TCP_ESTABLISHED, RECEIVED | WAS_SHUT_READ, 0, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST after shutdown(SHUT_WR)",
	  TCP_FIN_WAIT2, RECEIVED, 0, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST for a fast open, by tcp_check_req()",
	  TCP_SYN_RECV, RECEIVED, BY_RESET | BY_CHECK_REQ | BY_RECEIVE, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST in CLOSE_WAIT",
	  TCP_CLOSE_WAIT, RECEIVED | WAS_SHUT_READ, BY_RESET | BY_VALIDATE | BY_RECEIVE, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST after the close",
	  TCP_FIN_WAIT1, RECEIVED | ORPHAN, BY_RESET | BY_VALIDATE | BY_RECEIVE, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST in LAST_ACK",
	  TCP_LAST_ACK, RECEIVED | ORPHAN, BY_RESET | BY_VALIDATE | BY_RECEIVE, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "the same, and the segment says so",
	  TCP_LAST_ACK, RECEIVED | ORPHAN | GOT_RST, 0, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST that the segment says, who called is hidden",
	  TCP_CLOSE_WAIT, RECEIVED | WAS_SHUT_READ | GOT_RST, HIDDEN, NULL,
	  CAUSE_RESET_BY_PEER },
	{ "an RST while the close waits",
	  TCP_FIN_WAIT2, RECEIVED | ORPHAN, BY_VALIDATE | BY_RECEIVE | BY_CLOSE, NULL,
	  CAUSE_RESET_BY_PEER },
};

/* ... which has an RST of its own. */
static const struct reset_case of_something_else[] = {
	{ "late data in FIN_WAIT2",
	  TCP_FIN_WAIT2, RECEIVED | ORPHAN, BY_RESET | BY_RECEIVE, NULL, CAUSE_NONE },
	{ "late data in FIN_WAIT1",
	  TCP_FIN_WAIT1, RECEIVED | ORPHAN, BY_RECEIVE, NULL, CAUSE_NONE },
	{ "late data after shutdown(SHUT_RDWR)",
	  TCP_FIN_WAIT2, RECEIVED | WAS_SHUT_READ, BY_RESET | BY_RECEIVE, NULL, CAUSE_NONE },
	{ "an RST or late data, who called is hidden",
	  TCP_FIN_WAIT2, RECEIVED | ORPHAN, HIDDEN, NULL, CAUSE_NONE },
	/* The close of somebody who is not traced. */
	{ "unread data",
	  TCP_CLOSE, 0, BY_CLOSE, "TCP_ABORT_ON_CLOSE", CAUSE_NONE },
	{ "SO_LINGER of no time",
	  TCP_CLOSE, 0, BY_CLOSE | BY_DISCONNECT, "TCP_STATE", CAUSE_NONE },
	{ "the same before v6.10",
	  TCP_CLOSE, 0, BY_CLOSE | BY_DISCONNECT, NULL, CAUSE_NONE },
	{ "TCP_LINGER2 below 0",
	  TCP_CLOSE, WAS_ORPHAN | WAS_LINGER2, BY_CLOSE, "TCP_ABORT_ON_LINGER", CAUSE_NONE },
	{ "too many orphans",
	  TCP_CLOSE, WAS_ORPHAN, BY_CLOSE, "TCP_ABORT_ON_MEMORY", CAUSE_NONE },
	{ "data that waited for the lock",
	  TCP_CLOSE, REPLY | WAS_ORPHAN | WAS_SHUT_READ, BY_CLOSE, "TCP_ABORT_ON_DATA", CAUSE_NONE },
	{ "unread data, who called is hidden",
	  TCP_CLOSE, 0, HIDDEN, "TCP_ABORT_ON_CLOSE", CAUSE_NONE },
	{ "TCP_LINGER2 below 0, who called is hidden",
	  TCP_CLOSE, WAS_ORPHAN | WAS_LINGER2, HIDDEN, "TCP_ABORT_ON_LINGER", CAUSE_NONE },
};

/* Without the functions' addresses the kernel's reason has to do. */
static const struct reset_case hidden[] = {
	{ "keepalive gives up",
	  TCP_ESTABLISHED, 0, HIDDEN, "TCP_KEEPALIVE_TIMEOUT", CAUSE_KEEPALIVE_TIMEOUT },
	{ "too many orphans",
	  TCP_FIN_WAIT1, ORPHAN, HIDDEN, "TCP_ABORT_ON_MEMORY", CAUSE_ORPHAN_LIMIT },
	{ "too many orphans, as a close returns",
	  TCP_CLOSE, ORPHAN, HIDDEN, "TCP_ABORT_ON_MEMORY", CAUSE_ORPHAN_LIMIT },
	{ "connect() to AF_UNSPEC with something unsent",
	  TCP_CLOSE, OWNER_IS_RUNNING, HIDDEN, "TCP_DISCONNECT_WITH_DATA", CAUSE_DISCONNECT },
	{ "the accept queue is full",
	  TCP_LISTEN, REPLY, HIDDEN, "INVALID_SYN", CAUSE_ACCEPT_OVERFLOW },
	{ "a SYN within the window of a request",
	  TCP_LISTEN, REPLY | RESET_TO_SYN, HIDDEN, "INVALID_SYN", CAUSE_EMBRYONIC },
	{ "the listener was started anew",
	  TCP_LISTEN, REPLY, HIDDEN, "TCP_FLAGS", CAUSE_LISTENER_STRAY_ACK },
	{ "an ACK in SYN_RECV that is too old",
	  TCP_SYN_RECV, REPLY, HIDDEN, "TCP_TOO_OLD_ACK", CAUSE_BAD_ACK_SYN_RECV },
	/* Nobody but the state says these. */
	{ "to a closed port",
	  0, REPLY | RESET_NO_SOCKET, HIDDEN, NULL, CAUSE_NO_SOCKET },
	{ "data for a socket in TIME_WAIT",
	  TCP_TIME_WAIT, REPLY, HIDDEN, NULL, CAUSE_TIME_WAIT },
	{ "a bad ACK in SYN_SENT",
	  TCP_SYN_SENT, REPLY, HIDDEN, NULL, CAUSE_BAD_ACK_SYN_SENT },
	{ "late data",
	  TCP_CLOSE, REPLY | ORPHAN, HIDDEN, NULL, CAUSE_LATE_DATA },
	{ "connect() to a closed port",
	  TCP_SYN_SENT, RECEIVED, HIDDEN, NULL, CAUSE_REFUSED },
	{ "an RST",
	  TCP_ESTABLISHED, RECEIVED, HIDDEN, NULL, CAUSE_RESET_BY_PEER },
};

static const struct reset_case unknowns[] = {
	{ "nobody who sends RSTs called",
	  TCP_ESTABLISHED, 0, 0, NULL, CAUSE_UNKNOWN },
	{ "TCP_STATE is the reason of three",
	  TCP_ESTABLISHED, 0, HIDDEN, "TCP_STATE", CAUSE_UNKNOWN },
	{ "of an orphan in FIN_WAIT2 of two still: ss -K is the other",
	  TCP_FIN_WAIT2, ORPHAN, HIDDEN, "TCP_STATE", CAUSE_UNKNOWN },
	{ "an active one, who called is hidden, no reason",
	  TCP_ESTABLISHED, OWNER_IS_RUNNING, HIDDEN, NULL, CAUSE_UNKNOWN },
	{ "tcp_write_err() sends none",
	  TCP_ESTABLISHED, 0, BY_WRITE_TIMER, NULL, CAUSE_UNKNOWN },
	{ "nor does shutdown() by itself",
	  TCP_ESTABLISHED, OWNER_IS_RUNNING, BY_SHUTDOWN, NULL, CAUSE_UNKNOWN },
	{ "nor connect()",
	  TCP_SYN_SENT, OWNER_IS_RUNNING, BY_CONNECT, NULL, CAUSE_UNKNOWN },
	{ "TCP_LINGER2 below 0, and everything acknowledged",
	  TCP_CLOSE, ORPHAN | WAS_LINGER2, BY_CLOSE, NULL, CAUSE_LINGER2 },
	{ "the same, with its reason",
	  TCP_CLOSE, ORPHAN | WAS_LINGER2, BY_CLOSE, "TCP_ABORT_ON_LINGER", CAUSE_LINGER2 },
	{ "the same, who called is hidden",
	  TCP_CLOSE, ORPHAN | WAS_LINGER2, HIDDEN, "TCP_ABORT_ON_LINGER", CAUSE_LINGER2 },
	{ "a stray ACK, or the accept queue was full",
	  TCP_LISTEN, REPLY, HIDDEN, NULL, CAUSE_UNKNOWN },
	{ "a bad ACK, or a bad SYN to a fast open",
	  TCP_SYN_RECV, REPLY, HIDDEN, NULL, CAUSE_UNKNOWN },
	/* In these tcp_rcv_state_process() asks for no RST without ending the connection. */
	{ "a reply in ESTABLISHED",
	  TCP_ESTABLISHED, REPLY, 0, NULL, CAUSE_UNKNOWN },
	{ "a reply in FIN_WAIT1",
	  TCP_FIN_WAIT1, REPLY | ORPHAN, 0, "TCP_ABORT_ON_DATA", CAUSE_UNKNOWN },
	{ "a reply in FIN_WAIT2",
	  TCP_FIN_WAIT2, REPLY | ORPHAN, 0, NULL, CAUSE_UNKNOWN },
	{ "a reply in CLOSE_WAIT",
	  TCP_CLOSE_WAIT, REPLY, 0, NULL, CAUSE_UNKNOWN },
	{ "a reply in LAST_ACK",
	  TCP_LAST_ACK, REPLY | ORPHAN, 0, NULL, CAUSE_UNKNOWN },
	{ "a reply in CLOSING",
	  TCP_CLOSING, REPLY | ORPHAN, 0, NULL, CAUSE_UNKNOWN },
	{ "a reply of a request",
	  NEW_SYN_RECV, REPLY, 0, NULL, CAUSE_UNKNOWN },
};
/* clang-format on */

static void calls_are_told_by_who_called(void **state)
{
	are(calls, COUNT(calls));
}

static void timers_are_told_by_who_called(void **state)
{
	are(timers, COUNT(timers));
}

static void mptcp_is_told(void **state)
{
	are(mptcp, COUNT(mptcp));
}

static void replies_are_told_by_the_state(void **state)
{
	are(replies, COUNT(replies));
}

static void what_came_is_told(void **state)
{
	are(received, COUNT(received));
}

static void what_another_record_tells_is_not_told(void **state)
{
	are(of_something_else, COUNT(of_something_else));
}

static void reasons_have_to_do_where_callers_are_hidden(void **state)
{
	are(hidden, COUNT(hidden));
}

static void what_fits_none_is_unknown(void **state)
{
	are(unknowns, COUNT(unknowns));
}

static __u32 causes_in(const struct reset_case *cases, size_t count)
{
	__u32 seen = 0;

	for (size_t i = 0; i < count; i++)
		if (cases[i].cause != CAUSE_NONE)
			seen |= 1U << cases[i].cause;
	return seen;
}

static void every_cause_is_here(void **state)
{
	__u32 seen = causes_in(calls, COUNT(calls)) | causes_in(timers, COUNT(timers)) |
		     causes_in(mptcp, COUNT(mptcp)) | causes_in(replies, COUNT(replies)) |
		     causes_in(received, COUNT(received)) | causes_in(unknowns, COUNT(unknowns));

	assert_int_equal(seen, (1U << CAUSE_COUNT) - 1);
}

/* A reason is asked only where it is needed: with or without it nobody is contradicted. */
static void a_reason_that_is_not_ours_changes_nothing(void **state)
{
	const struct close_event event = { .state = TCP_ESTABLISHED,
					   .reason = reason_of("NO_SOCKET") };

	assert_int_equal(cause_of(&event, BY_ABORT), CAUSE_ADMIN_ABORT);
	assert_int_equal(cause_of(&event, CALLERS_UNKNOWN), CAUSE_UNKNOWN);
}

static void two_causes_came(void **state)
{
	for (unsigned int cause = 0; cause < CAUSE_COUNT; cause++)
		assert_int_equal(cause_is_received(cause),
				 cause == CAUSE_RESET_BY_PEER || cause == CAUSE_REFUSED);
}

/* ---- whose ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *how;
	__u32 facts;
	__u32 callers;
	enum cause cause;
	enum owner owner;
	__u8 context;
} owners[] = {
	{ "data for a closed socket",
	  REPLY | ORPHAN, 0, CAUSE_LATE_DATA, OWNER_CLOSER },
	{ "a listener is closed",
	  OWNER_IS_CLOSER, BY_CHILD_FORGET | BY_DISCONNECT | BY_CLOSE, CAUSE_UNACCEPTED_CHILD,
	  OWNER_CLOSER },
	{ "ss -K of a closed socket: not whoever runs it",
	  ORPHAN | OWNER_IS_RUNNING, BY_ABORT, CAUSE_ADMIN_ABORT, OWNER_CLOSER },
	{ "connect() to AF_UNSPEC",
	  OWNER_IS_RUNNING, BY_DISCONNECT | BY_CONNECT, CAUSE_DISCONNECT, OWNER_SOCKET },
	{ "the same, who called is hidden",
	  OWNER_IS_RUNNING, HIDDEN, CAUSE_DISCONNECT, OWNER_SOCKET },
	{ "tcp_disconnect() of a socket that nobody has locked",
	  0, BY_DISCONNECT, CAUSE_DISCONNECT, OWNER_NOBODY },
	{ "shutdown() of a listener",
	  0, BY_CHILD_FORGET | BY_DISCONNECT | BY_SHUTDOWN, CAUSE_UNACCEPTED_CHILD, OWNER_SOCKET },
	{ "connect() of a listener to AF_UNSPEC",
	  0, BY_CHILD_FORGET | BY_DISCONNECT | BY_CONNECT, CAUSE_UNACCEPTED_CHILD, OWNER_SOCKET },
	{ "ss -K of a listener",
	  0, BY_CHILD_FORGET | BY_DISCONNECT | BY_ABORT, CAUSE_UNACCEPTED_CHILD, OWNER_NOBODY },
	{ "a child of a listener that is gone, in whoever was interrupted",
	  0, BY_CHILD_FORGET | BY_DISCONNECT | BY_CHECK_REQ, CAUSE_UNACCEPTED_CHILD, OWNER_NOBODY },
	{ "ss -K has locked the socket, but does not have it",
	  OWNER_IS_RUNNING, BY_ABORT, CAUSE_ADMIN_ABORT, OWNER_NOBODY },
	{ "nobody knows what the call was",
	  OWNER_IS_RUNNING, HIDDEN, CAUSE_UNKNOWN, OWNER_NOBODY },
	{ "a timer",
	  0, BY_KEEPALIVE, CAUSE_KEEPALIVE_TIMEOUT, OWNER_NOBODY },
	{ "an MPTCP socket is closed with unread data",
	  RESET_FASTCLOSE | OWNER_IS_RUNNING, BY_FASTCLOSE | BY_MPTCP_CLOSE, CAUSE_MPTCP_FASTCLOSE,
	  OWNER_CLOSER },
	{ "the same at the exit of the process",
	  RESET_FASTCLOSE | OWNER_IS_RUNNING, BY_FASTCLOSE | BY_MPTCP_CLOSE, CAUSE_MPTCP_FASTCLOSE,
	  OWNER_CLOSER, CONTEXT_EXIT },
	{ "the same by delayed_fput()",
	  RESET_FASTCLOSE | OWNER_IS_RUNNING, BY_FASTCLOSE | BY_MPTCP_CLOSE, CAUSE_MPTCP_FASTCLOSE,
	  OWNER_NOBODY, CONTEXT_KERNEL },
	{ "mptcp_worker() gives up an MPTCP socket that was closed",
	  RESET_FASTCLOSE | OWNER_IS_RUNNING, BY_FASTCLOSE, CAUSE_MPTCP_FASTCLOSE, OWNER_NOBODY,
	  CONTEXT_KERNEL },
	{ "connect() of an MPTCP socket to AF_UNSPEC",
	  RESET_FASTCLOSE | OWNER_IS_RUNNING, BY_FASTCLOSE, CAUSE_MPTCP_FASTCLOSE, OWNER_SOCKET },
	{ "an MPTCP listener is closed",
	  0, BY_CHILD_FORGET | BY_DISCONNECT | BY_MPTCP_CLOSE, CAUSE_UNACCEPTED_CHILD, OWNER_CLOSER },
	{ "late data for a subflow that mptcp_worker() had closed",
	  REPLY | ORPHAN, 0, CAUSE_LATE_DATA, OWNER_NOBODY, CONTEXT_KERNEL },
	{ "an RST that came",
	  RECEIVED, 0, CAUSE_RESET_BY_PEER, OWNER_NOBODY },
	{ "to a closed port",
	  REPLY | RESET_NO_SOCKET, 0, CAUSE_NO_SOCKET, OWNER_NOBODY },
};
/* clang-format on */

static void nobody_owns_what_he_only_ran(void **state)
{
	for (size_t i = 0; i < COUNT(owners); i++) {
		const struct close_event event = { .facts = owners[i].facts,
						   .context = owners[i].context };
		enum owner owner = owner_of(&event, owners[i].cause, owners[i].callers);

		if (owner != owners[i].owner)
			fail_msg("%s: %s", owners[i].how, owner ? owner_name(owner) : "nobody");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_told_by_who_called),
		cmocka_unit_test(timers_are_told_by_who_called),
		cmocka_unit_test(mptcp_is_told),
		cmocka_unit_test(replies_are_told_by_the_state),
		cmocka_unit_test(what_came_is_told),
		cmocka_unit_test(what_another_record_tells_is_not_told),
		cmocka_unit_test(reasons_have_to_do_where_callers_are_hidden),
		cmocka_unit_test(what_fits_none_is_unknown),
		cmocka_unit_test(every_cause_is_here),
		cmocka_unit_test(a_reason_that_is_not_ours_changes_nothing),
		cmocka_unit_test(two_causes_came),
		cmocka_unit_test(nobody_owns_what_he_only_ran),
	};

	return cmocka_run_group_tests(tests, set_reasons, free_reasons);
}
