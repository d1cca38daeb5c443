// SPDX-License-Identifier: GPL-2.0-only
/* The words of the contract, one table a kind. */
#include <string.h>

#include "user/judge.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const char *const branches[BRANCH_COUNT] = {
	[BRANCH_UNKNOWN] = "unknown",
	[BRANCH_LISTENER] = "listener",
	[BRANCH_NOT_CONNECTED] = "not-connected",
	[BRANCH_ALREADY_CLOSED] = "already-closed",
	[BRANCH_REPAIR] = "repair",
	[BRANCH_UNREAD_DATA] = "unread-data",
	[BRANCH_ZERO_LINGER] = "zero-linger",
	[BRANCH_FIN] = "fin",
	[BRANCH_FIN_ALREADY_SENT] = "fin-already-sent",
	[BRANCH_CONNECT_CANCELLED] = "connect-cancelled",
};

static const char *const sents[SENT_COUNT] = {
	[SENT_NONE] = "none",
	[SENT_FIN] = "fin",
	[SENT_RST] = "rst",
};

static const char *const outcomes[LINGER_COUNT] = {
	[LINGER_RESET] = "reset",
	[LINGER_NO_RESET_NEEDED] = "no-reset-needed",
	[LINGER_OVERRIDDEN] = "overridden",
	[LINGER_DRAINED] = "drained",
	[LINGER_TIMED_OUT] = "timed-out",
	[LINGER_INTERRUPTED] = "interrupted",
	[LINGER_CLOSED_MEANWHILE] = "closed-meanwhile",
	[LINGER_SKIPPED_EXITING] = "skipped-exiting",
	[LINGER_NOT_APPLICABLE] = "not-applicable",
};

static const char *const afters[AFTER_COUNT] = {
	[AFTER_TIME_WAIT] = "time-wait",
	[AFTER_FIN_WAIT2_TIMER] = "fin-wait2-timer",
	[AFTER_LINGER2_RESET] = "linger2-reset",
	[AFTER_ORPHAN_LIMIT_RESET] = "orphan-limit-reset",
	[AFTER_LATE_DATA_RESET] = "late-data-reset",
	[AFTER_NETNS_DYING] = "netns-dying",
	[AFTER_CLOSED_MEANWHILE] = "closed-meanwhile",
};

static const char *const causes[CAUSE_COUNT] = {
	[CAUSE_UNKNOWN] = "unknown",
	[CAUSE_DISCONNECT] = "disconnect",
	[CAUSE_UNACCEPTED_CHILD] = "unaccepted-child",
	[CAUSE_ADMIN_ABORT] = "admin-abort",
	[CAUSE_KEEPALIVE_TIMEOUT] = "keepalive-timeout",
	[CAUSE_FIN_WAIT2_TIMEOUT] = "fin-wait2-timeout",
	[CAUSE_ORPHAN_LIMIT] = "orphan-limit",
	[CAUSE_LINGER2] = "linger2",
	[CAUSE_MPTCP_FASTCLOSE] = "mptcp-fastclose",
	[CAUSE_MPTCP_SUBFLOW] = "mptcp-subflow",
	[CAUSE_NO_SOCKET] = "no-socket",
	[CAUSE_LISTENER_STRAY_ACK] = "listener-stray-ack",
	[CAUSE_BAD_ACK_SYN_SENT] = "bad-ack-syn-sent",
	[CAUSE_BAD_ACK_SYN_RECV] = "bad-ack-syn-recv",
	[CAUSE_LATE_DATA] = "late-data",
	[CAUSE_TIME_WAIT] = "time-wait",
	[CAUSE_ACCEPT_OVERFLOW] = "accept-overflow",
	[CAUSE_EMBRYONIC] = "embryonic",
	[CAUSE_MPTCP_JOIN_REJECT] = "mptcp-join-reject",
	[CAUSE_FIREWALL_REJECT] = "firewall-reject",
	[CAUSE_RESET_BY_PEER] = "reset-by-peer",
	[CAUSE_REFUSED] = "refused",
};

static const char *const ends[END_COUNT] = {
	[END_UNKNOWN] = "unknown",
	[END_TIME_WAIT] = "time-wait",
	[END_CLOSED] = "closed",
	[END_RESET_BY_PEER] = "reset-by-peer",
	[END_LATE_DATA_RESET] = "late-data-reset",
	[END_TIME_WAIT_RESET] = "time-wait-reset",
	[END_RETRANSMIT_TIMEOUT] = "retransmit-timeout",
	[END_ORPHAN_LIMIT_RESET] = "orphan-limit-reset",
	[END_FIN_WAIT2_TIMEOUT] = "fin-wait2-timeout",
};

static const char *const owners[] = {
	[OWNER_CLOSER] = "closer",
	[OWNER_SOCKET] = "socket",
};

static const char *const events[] = {
	[EVENT_CLOSE] = "close",
	[EVENT_RESET] = "reset",
	[EVENT_END] = "end",
	[EVENT_LINGER] = "linger",
};

static const char *const contexts[] = {
	[CONTEXT_SYSCALL] = "syscall",
	[CONTEXT_EXIT] = "exit",
	[CONTEXT_KERNEL] = "kernel",
};

static const char *const vias[VIA_COUNT] = {
	[VIA_FENTRY] = "fentry",
	[VIA_KPROBE] = "kprobe",
	[VIA_TRACEPOINT] = "tracepoint",
};

static const char *const states[] = {
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_SYN_SENT] = "SYN_SENT",
	[TCP_SYN_RECV] = "SYN_RECV",
	[TCP_FIN_WAIT1] = "FIN_WAIT1",
	[TCP_FIN_WAIT2] = "FIN_WAIT2",
	[TCP_TIME_WAIT] = "TIME_WAIT",
	[TCP_CLOSE] = "CLOSE",
	[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCP_LAST_ACK] = "LAST_ACK",
	[TCP_LISTEN] = "LISTEN",
	[TCP_CLOSING] = "CLOSING",
};

static const char *name_in(const char *const *table, size_t count, unsigned int value)
{
	return value < count ? table[value] : NULL;
}

#define NAME(kind, type, table)					\
	const char *kind##_name(type value)			\
	{							\
		return name_in(table, COUNT(table), value);	\
	}

NAME(branch, enum branch, branches)
NAME(sent, enum sent, sents)
NAME(linger, enum outcome, outcomes)
NAME(after, enum after, afters)
NAME(cause, enum cause, causes)
NAME(end, enum end, ends)
NAME(owner, enum owner, owners)
NAME(event, enum event_kind, events)
NAME(context, enum context, contexts)
NAME(via, enum via, vias)
NAME(state, unsigned int, states)

static int value_in(const char *const *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (table[i] && !strcmp(table[i], name))
			return i;
	return -1;
}

int branch_by_name(const char *name)
{
	return value_in(branches, COUNT(branches), name);
}
