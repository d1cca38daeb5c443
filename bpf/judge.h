/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place that has an opinion: facts in, verdict out, nothing else
 * touched.  User space judges every record with it; the programs do so only
 * where the filter (-b, -r) or the counting (-c) cannot wait.
 */
#ifndef CLOSETRACE_JUDGE_H
#define CLOSETRACE_JUDGE_H

#include "bpf/event.h"

#ifndef __bpf__
#include <netinet/tcp.h>	/* TCP_ESTABLISHED ... */
#endif

enum branch {
	BRANCH_UNKNOWN,
	BRANCH_LISTENER,
	BRANCH_NOT_CONNECTED,
	BRANCH_ALREADY_CLOSED,
	BRANCH_REPAIR,
	BRANCH_UNREAD_DATA,
	BRANCH_ZERO_LINGER,
	BRANCH_FIN,
	BRANCH_FIN_ALREADY_SENT,
	BRANCH_CONNECT_CANCELLED,
	BRANCH_COUNT,
};

enum sent {
	SENT_UNKNOWN,
	SENT_NONE,
	SENT_FIN,
	SENT_RST,
	SENT_COUNT,
};

enum outcome {
	LINGER_NULL,		/* SO_LINGER is off, or the outcome was not seen */
	LINGER_RESET,
	LINGER_NO_RESET_NEEDED,
	LINGER_OVERRIDDEN,
	LINGER_DRAINED,
	LINGER_TIMED_OUT,
	LINGER_INTERRUPTED,
	LINGER_CLOSED_MEANWHILE,
	LINGER_SKIPPED_EXITING,
	LINGER_NOT_APPLICABLE,
	LINGER_COUNT,
};

enum after {
	AFTER_NULL,		/* nothing, or not seen */
	AFTER_TIME_WAIT,
	AFTER_FIN_WAIT2_TIMER,
	AFTER_LINGER2_RESET,
	AFTER_ORPHAN_LIMIT_RESET,
	AFTER_LATE_DATA_RESET,
	AFTER_NETNS_DYING,
	AFTER_CLOSED_MEANWHILE,
	AFTER_COUNT,
};

/* Why an RST was sent, or what one that came meant. */
enum cause {
	CAUSE_UNKNOWN,
	CAUSE_DISCONNECT,
	CAUSE_UNACCEPTED_CHILD,
	CAUSE_ADMIN_ABORT,
	CAUSE_KEEPALIVE_TIMEOUT,
	CAUSE_FIN_WAIT2_TIMEOUT,
	CAUSE_ORPHAN_LIMIT,
	CAUSE_LINGER2,
	CAUSE_MPTCP_FASTCLOSE,
	CAUSE_MPTCP_SUBFLOW,
	CAUSE_NO_SOCKET,
	CAUSE_LISTENER_STRAY_ACK,
	CAUSE_BAD_ACK_SYN_SENT,
	CAUSE_BAD_ACK_SYN_RECV,
	CAUSE_LATE_DATA,
	CAUSE_TIME_WAIT,
	CAUSE_ACCEPT_OVERFLOW,
	CAUSE_EMBRYONIC,
	CAUSE_MPTCP_JOIN_REJECT,
	CAUSE_FIREWALL_REJECT,
	CAUSE_RESET_BY_PEER,	/* received, from here on */
	CAUSE_REFUSED,
	CAUSE_COUNT,
	CAUSE_NONE = 255,	/* not an RST: tcp_reset() in answer to late data */
};

/* What became of a closed socket. */
enum end {
	END_UNKNOWN,
	END_TIME_WAIT,
	END_CLOSED,
	END_RESET_BY_PEER,
	END_LATE_DATA_RESET,
	END_TIME_WAIT_RESET,
	END_RETRANSMIT_TIMEOUT,
	END_ORPHAN_LIMIT_RESET,
	END_FIN_WAIT2_TIMEOUT,
	END_COUNT,
};

struct verdict {
	__u8 branch;
	__u8 sent;
	__u8 linger;
	__u8 after;
	__u8 cause;
	__u8 end;
};

#define ANY_BRANCH	(RAN_LISTEN_STOP | RAN_DISCONNECT | RAN_RESET | RAN_FIN)
/* __tcp_close() tests for these early and disconnects, or resets for unread data before the
 * second: without a trace of it a call was missed. */
#define ASK_FIRST	(WAS_REPAIR | WAS_ZERO_LINGER)
#define IN(state)	(1 << TCP_##state)

/*
 * The branches, in the order in which __tcp_close() tests for them, but each by
 * what ran, never by what the socket's fields would predict: the kernel's test
 * for unread data differs between releases of one stable series.  At most one
 * row fits any set of facts; where none does, the branch is unknown.
 */
#define BRANCH_RULES(RULE)                                                                      \
	/*   the state on entry           seen                          not seen       verdict */   \
	RULE(IN(LISTEN),                  RAN_LISTEN_STOP,                                          \
	     ANY_BRANCH & ~RAN_LISTEN_STOP,                             LISTENER)                   \
	RULE(IN(CLOSE),                   0,                                                        \
	     ANY_BRANCH | WAS_CONNECTED | MAY_HAVE_MOVED,               NOT_CONNECTED)              \
	RULE(IN(CLOSE),                   WAS_CONNECTED,                                            \
	     ANY_BRANCH | MAY_HAVE_MOVED,                               ALREADY_CLOSED)             \
	RULE(~IN(LISTEN) & ~IN(CLOSE),    RAN_DISCONNECT | WAS_REPAIR,                              \
	     ANY_BRANCH & ~RAN_DISCONNECT,                              REPAIR)                     \
	RULE(~IN(LISTEN) & ~IN(CLOSE),    RAN_RESET,                                                \
	     (ANY_BRANCH & ~RAN_RESET) | WAS_REPAIR,                    UNREAD_DATA)                \
	RULE(~IN(LISTEN) & ~IN(CLOSE),    RAN_DISCONNECT | WAS_ZERO_LINGER,                         \
	     WAS_REPAIR | RAN_LISTEN_STOP | RAN_FIN,                    ZERO_LINGER)                \
	RULE(IN(ESTABLISHED) | IN(SYN_RECV) | IN(CLOSE_WAIT), RAN_FIN,                              \
	     (ANY_BRANCH & ~RAN_FIN) | ASK_FIRST,                       FIN)                        \
	RULE(IN(FIN_WAIT1) | IN(FIN_WAIT2) | IN(CLOSING) | IN(LAST_ACK), 0,                         \
	     ANY_BRANCH | ASK_FIRST,                                    FIN_ALREADY_SENT)           \
	RULE(IN(SYN_SENT),                0,                                                        \
	     ANY_BRANCH | ASK_FIRST,                                    CONNECT_CANCELLED)

/* From FIN_WAIT1, FIN_WAIT2 and CLOSING to CLOSE it takes one of these; where none was seen, it
 * may as well have been the RST of unread data. */
static inline int judge_is_unexplained(const struct close_event *e)
{
	return e->new_state == TCP_CLOSE &&
	       1U << e->state & (IN(FIN_WAIT1) | IN(FIN_WAIT2) | IN(CLOSING)) &&
	       !(e->facts & (ANY_BRANCH | RAN_TIME_WAIT | RAN_LATE_RESET | RAN_ORPHAN_RESET |
			     ENDED_BY_ERROR | NETNS_DYING | LACKS_AFTER));
}

static inline __u8 judge_branch(const struct close_event *e)
{
	if (judge_is_unexplained(e))
		return BRANCH_UNKNOWN;

#define RULE(states, seen, unseen, verdict)                                                         \
	if ((1U << e->state & (states)) && (e->facts & (seen)) == (seen) && !(e->facts & (unseen))) \
		return BRANCH_##verdict;
	BRANCH_RULES(RULE)
#undef RULE
	return BRANCH_UNKNOWN;
}

/* tcp_disconnect() sends its RST whatever is queued where tcp_need_reset() says so, in CLOSING
 * and LAST_ACK only with something unsent, in SYN_SENT never. */
static inline int judge_is_silent(const struct close_event *e)
{
	return !!(1U << e->state & (IN(SYN_SENT) | IN(CLOSING) | IN(LAST_ACK)));
}

static inline __u8 judge_sent(const struct close_event *e, __u8 branch)
{
	if (branch == BRANCH_UNKNOWN)
		return SENT_UNKNOWN;
	if (branch == BRANCH_FIN)
		return SENT_FIN;
	if (e->facts & RAN_RESET)
		return SENT_RST;
	/* An RST was due, and not seen: no memory for it, or tcp_disconnect() refused (-EBUSY,
	 * up to v5.15). */
	return branch == BRANCH_ZERO_LINGER && !judge_is_silent(e) ? SENT_UNKNOWN : SENT_NONE;
}

/* How sk_stream_wait_close() ended. */
static inline __u8 judge_wait(const struct close_event *e, __u8 branch)
{
	if (e->context == CONTEXT_EXIT)
		return LINGER_SKIPPED_EXITING;
	if (!(e->facts & RAN_WAIT))
		return LINGER_NULL;
	if (e->facts & WAIT_ACKED || branch == BRANCH_CONNECT_CANCELLED)
		return LINGER_DRAINED;
	if (!(e->facts & WAIT_CLOSING))
		return LINGER_CLOSED_MEANWHILE;
	return e->facts & WAIT_EXPIRED ? LINGER_TIMED_OUT : LINGER_INTERRUPTED;
}

static inline __u8 judge_linger(const struct close_event *e, __u8 branch)
{
	/* A fastclose is for unread data or a zero linger of the MPTCP socket: not known here. */
	if (!(e->facts & WAS_LINGER) || e->facts & WAS_FASTCLOSE)
		return LINGER_NULL;
	switch (branch) {
	case BRANCH_UNKNOWN:
		return LINGER_NULL;
	case BRANCH_UNREAD_DATA:
		return LINGER_OVERRIDDEN;
	case BRANCH_ZERO_LINGER:
		if (e->facts & RAN_RESET)
			return LINGER_RESET;
		return e->new_state == TCP_CLOSE && judge_is_silent(e) ? LINGER_NO_RESET_NEEDED :
									 LINGER_NULL;
	case BRANCH_FIN:
	case BRANCH_FIN_ALREADY_SENT:
	case BRANCH_CONNECT_CANCELLED:
		return judge_wait(e, branch);
	default:
		return LINGER_NOT_APPLICABLE;
	}
}

static inline __u8 judge_after(const struct close_event *e, __u8 branch)
{
	if (e->facts & RAN_ORPHAN_RESET)
		return e->facts & ORPHAN_LINGER2 ? AFTER_LINGER2_RESET : AFTER_ORPHAN_LIMIT_RESET;
	if (branch != BRANCH_FIN && branch != BRANCH_FIN_ALREADY_SENT)
		return AFTER_NULL;
	if (e->facts & RAN_LATE_RESET)
		return AFTER_LATE_DATA_RESET;
	if (e->facts & RAN_TIME_WAIT)
		return AFTER_TIME_WAIT;
	if (e->facts & LACKS_AFTER)
		return AFTER_NULL;
	if (e->new_state == TCP_FIN_WAIT2)
		return AFTER_FIN_WAIT2_TIMER;
	if (e->new_state != TCP_CLOSE)
		return AFTER_NULL;
	if (e->facts & NETNS_DYING)
		return AFTER_NETNS_DYING;
	/* The last acknowledgement, or an error.  Anything else ends in tcp_time_wait(), so that
	 * was not seen. */
	if (e->facts & ENDED_BY_ERROR || 1U << e->state & (IN(CLOSE_WAIT) | IN(LAST_ACK)))
		return AFTER_CLOSED_MEANWHILE;
	return AFTER_NULL;
}

static inline struct verdict judge(const struct close_event *e)
{
	__u8 branch = judge_branch(e);

	return (struct verdict){
		.branch = branch,
		.sent = judge_sent(e, branch),
		.linger = judge_linger(e, branch),
		.after = judge_after(e, branch),
	};
}

/* Up to v6.17 mptcp_do_fastclose() has no RST of its own: it sets SO_LINGER to 0 seconds on each
 * subflow, over whatever the application had set, and __tcp_close() sends it.  Where it has, in
 * later releases of the stable series too, the subflow is in CLOSE by then. */
static inline int judge_is_linger_of_fastclose(const struct close_event *e)
{
	return e->facts & WAS_FASTCLOSE && e->state != TCP_CLOSE;
}

/* Whether an RST had a part in it, of the branch or of what came after. */
static inline int judge_is_reset(const struct close_event *e)
{
	return !!(e->facts & (RAN_RESET | RAN_ORPHAN_RESET | RAN_LATE_RESET));
}

/* Of a reset, whether its task is the process that had closed the socket. */
static inline int judge_has_owner(const struct close_event *e)
{
	return e->facts & OWNER_IS_CLOSER && e->context != CONTEXT_KERNEL;
}

/* Bytes that will not be delivered any more: tcp_disconnect() and every RST purge the queue. */
static inline __u32 judge_discarded(const struct close_event *e)
{
	if (e->facts & LACKS_SENDQ || !(e->facts & RAN_DISCONNECT || judge_is_reset(e)))
		return 0;
	return e->unsent_bytes + e->unacked_bytes;
}

#endif
