// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one table.  What a path must give follows from the kernel's source
 * (__tcp_close() and what it calls), and the wire and the counters agree.
 */
#include "user/paths.h"

#include <string.h>
#include <netinet/tcp.h>

#include "user/steps.h"

/* BYTES_TOO_MANY is well above what the least receive buffer takes, and little
 * enough to drain at once where the machine is slow. */
#define BYTES          100
#define BYTES_TOO_MANY 16384

/* With a FIN one more than the largest segment yet, which __tcp_ack_snd_check() acknowledges
 * at once, so most likely within the close.  A FIN alone has to wait for the delayed one. */
#define BYTES_OF_A_PACKET 2000

/* schedule_timeout() may begin in the middle of a tick, and where ticks are late the kernel
 * makes up for them at once. */
#define ONE_SECOND 900

#define DO(what, ...) { .op = what, .arg = __VA_ARGS__ + 0 }
#define STEPS(...)    (const struct step[]){ __VA_ARGS__, {} }

#define CONNECTED      DO(PEER_LISTEN), DO(OPEN), DO(CONNECT), DO(PEER_ACCEPT)
#define CONNECTED_TINY DO(PEER_LISTEN_TINY), DO(OPEN), DO(CONNECT), DO(PEER_ACCEPT)
#define CONNECTING     DO(PEER_LISTEN_DEAF), DO(OPEN), DO(NONBLOCK), DO(CONNECT_BEGIN)
#define IN_FIN_WAIT2   DO(SHUT_WRITE), DO(AWAIT_STATE, TCP_FIN_WAIT2), DO(AWAIT_ACK)

/* Our FIN is dropped on the way, so the last acknowledgement does not come. */
#define IN_LAST_ACK                                                                                \
	DO(PEER_SHUT_WRITE), DO(AWAIT_STATE, TCP_CLOSE_WAIT), DO(PEER_DROP_END), DO(SHUT_WRITE),   \
		DO(AWAIT_STATE, TCP_LAST_ACK)

#define IN_CLOSING DO(PEER_SHUT_WRITE), DO(AWAIT_STATE, TCP_CLOSING)

#define PEER_MEETS_RESET DO(PEER_AWAIT_CLOSE), DO(PEER_CLOSE)
#define PEER_MEETS_FIN   DO(PEER_READ_ALL), DO(PEER_KEEP)

/* An acknowledgement that comes while the close holds the lock is met by
 * __release_sock() within the close; one that comes later, after it. */
#define IF_ACKED(what) (1 << AFTER_NULL | 1 << AFTER_##what)

const struct path paths[] = {
	/* clang-format off */
	{
		"zero-linger", "the article's client",
		STEPS(DO(PEER_LISTEN), DO(OPEN), DO(ZERO_LINGER), DO(CONNECT), DO(PEER_ACCEPT),
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-close-wait", "the peer had sent its FIN",
		STEPS(CONNECTED, DO(ZERO_LINGER), DO(PEER_SHUT_WRITE),
		      DO(AWAIT_STATE, TCP_CLOSE_WAIT), DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_CLOSE_WAIT,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-fin-wait1", "our FIN not acknowledged yet",
		STEPS(CONNECTED, DO(ZERO_LINGER), DO(PEER_DROP_END), DO(SHUT_WRITE),
		      DO(AWAIT_STATE, TCP_FIN_WAIT1), DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_FIN_WAIT1,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 2 } },
	},
	{
		"zero-linger-fin-wait2", "our FIN acknowledged",
		STEPS(CONNECTED, DO(ZERO_LINGER), IN_FIN_WAIT2,
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_FIN_WAIT2,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-unsent", "the send buffer is thrown away",
		STEPS(CONNECTED_TINY, DO(ZERO_LINGER), DO(FILL, BYTES_TOO_MANY), DO(CLOSE),
		      PEER_MEETS_RESET),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .min_unsent_bytes = 1, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-closing-unsent", "both FINs due, data unsent",
		STEPS(CONNECTED_TINY, DO(ZERO_LINGER), DO(FILL, BYTES_TOO_MANY), DO(SHUT_WRITE),
		      IN_CLOSING, DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_CLOSING,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .min_unsent_bytes = 1, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-last-unsent", "the same, the peer's FIN first",
		STEPS(CONNECTED_TINY, DO(ZERO_LINGER), DO(FILL, BYTES_TOO_MANY),
		      DO(PEER_SHUT_WRITE), DO(AWAIT_STATE, TCP_CLOSE_WAIT), DO(SHUT_WRITE),
		      DO(AWAIT_STATE, TCP_LAST_ACK), DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_LAST_ACK,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .min_unsent_bytes = 1, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-inherited", "an accepted socket has it, too",
		STEPS(DO(OPEN), DO(ZERO_LINGER), DO(BIND), DO(LISTEN, 1), DO(PEER_CONNECT, 1),
		      DO(ACCEPT), DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-killed", "by SIGKILL, not by close()",
		STEPS(CONNECTED, DO(ZERO_LINGER), DO(KILL), PEER_MEETS_RESET),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .exiting = true, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_RESET, .wire = "R.",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-syn-sent", "nobody to reset yet",
		STEPS(CONNECTING, DO(ZERO_LINGER), DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_NONE, .state = TCP_SYN_SENT,
		  .after = 1 << AFTER_NULL, .nonblock = true, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_NO_RESET_NEEDED, .wire = "", .counters = { .abort_on_data = 1 } },
	},
	{
		"zero-linger-closing", "both FINs sent",
		STEPS(CONNECTED, DO(ZERO_LINGER), DO(PEER_DROP_END), DO(SHUT_WRITE), IN_CLOSING,
		      DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_NONE, .state = TCP_CLOSING,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_NO_RESET_NEEDED, .wire = "",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"zero-linger-last-ack", "the same, the peer's FIN first",
		STEPS(CONNECTED, DO(ZERO_LINGER), IN_LAST_ACK, DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_ZERO_LINGER, .sent = SENT_NONE, .state = TCP_LAST_ACK,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_NO_RESET_NEEDED, .wire = "",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"unread", "nothing of it was read",
		STEPS(CONNECTED, DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES), DO(CLOSE),
		      PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-partly", "some of it was read",
		STEPS(CONNECTED, DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES), DO(READ, 40),
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES - 40, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-peeked", "looked at with MSG_PEEK only",
		STEPS(CONNECTED, DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES), DO(PEEK, BYTES),
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-urgent", "one urgent byte",
		STEPS(CONNECTED, DO(PEER_SEND_URGENT), DO(AWAIT_URGENT), DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .unread_bytes = 1, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	/* tcp_recv_urg() marks the byte as read, but the queue and copied_seq stay as they are. */
	{
		"unread-urgent-read", "the same, read with MSG_OOB",
		STEPS(CONNECTED, DO(PEER_SEND_URGENT), DO(AWAIT_URGENT), DO(READ_URGENT), DO(CLOSE),
		      PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .unread_bytes = 1, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-close-wait", "data, then the peer's FIN",
		STEPS(CONNECTED, DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES), DO(PEER_SHUT_WRITE),
		      DO(AWAIT_STATE, TCP_CLOSE_WAIT), DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_CLOSE_WAIT,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-fin-wait1", "after an unheard FIN",
		STEPS(CONNECTED, DO(PEER_DROP_END), DO(SHUT_WRITE), DO(PEER_SEND, BYTES),
		      DO(AWAIT_UNREAD, BYTES), DO(AWAIT_STATE, TCP_FIN_WAIT1),
		      DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_FIN_WAIT1,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 2 } },
	},
	{
		"unread-fin-wait2", "after our own FIN, too",
		STEPS(CONNECTED, IN_FIN_WAIT2,
		      DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES), DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_FIN_WAIT2,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-closing", "after both FINs",
		STEPS(CONNECTED, DO(PEER_DROP_END), DO(SHUT_WRITE), DO(PEER_SEND, BYTES),
		      DO(AWAIT_UNREAD, BYTES), IN_CLOSING, DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_CLOSING,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 2 } },
	},
	{
		"unread-last-ack", "the same, the peer's FIN first",
		STEPS(CONNECTED, DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES), IN_LAST_ACK,
		      DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_LAST_ACK,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 2 } },
	},
	{
		"unread-shut-read", "after shutdown(SHUT_RD)",
		STEPS(CONNECTED, DO(SHUT_READ), DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES),
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-zero-linger", "wins over SO_LINGER {1, 0}",
		STEPS(CONNECTED, DO(ZERO_LINGER), DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES),
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_OVERRIDDEN, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-linger", "wins over SO_LINGER {1, 10}",
		STEPS(CONNECTED, DO(LINGER, 10), DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES),
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_OVERRIDDEN, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"unread-killed", "by SIGKILL, not by close()",
		STEPS(CONNECTED, DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES), DO(KILL),
		      PEER_MEETS_RESET),
		{ .branch = BRANCH_UNREAD_DATA, .sent = SENT_RST, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .exiting = true, .unread_bytes = BYTES, .wire = "R.",
		  .counters = { .abort_on_close = 1, .out_rsts = 1 } },
	},
	{
		"fin", "close() and nothing else",
		STEPS(CONNECTED, DO(CLOSE), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = IF_ACKED(TIME_WAIT), .wire = "F." },
	},
	{
		"fin-sent", "behind data already sent",
		STEPS(CONNECTED, DO(SEND, BYTES), DO(CLOSE), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = IF_ACKED(TIME_WAIT), .wire = "F." },
	},
	{
		"fin-corked", "in one packet with data",
		STEPS(CONNECTED, DO(SEND_MORE, BYTES_OF_A_PACKET), DO(CLOSE), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = IF_ACKED(TIME_WAIT), .wire = "F." },
	},
	{
		"fin-unsent", "queued behind unsent data",
		STEPS(CONNECTED_TINY, DO(FILL, BYTES_TOO_MANY), DO(CLOSE), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .min_unsent_bytes = 1, .wire = "F." },
	},
	{
		"fin-passive", "the peer's FIN first, and read",
		STEPS(CONNECTED, DO(PEER_SHUT_WRITE), DO(READ_EOF), DO(CLOSE), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_CLOSE_WAIT,
		  .after = IF_ACKED(CLOSED_MEANWHILE), .wire = "F." },
	},
	{
		"fin-eof-unread", "the same, not read: no matter",
		STEPS(CONNECTED, DO(PEER_SHUT_WRITE), DO(AWAIT_STATE, TCP_CLOSE_WAIT), DO(CLOSE),
		      PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_CLOSE_WAIT,
		  .after = IF_ACKED(CLOSED_MEANWHILE), .wire = "F." },
	},
	{
		"fin-exit", "the process ends",
		STEPS(CONNECTED, DO(EXIT), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = IF_ACKED(TIME_WAIT), .exiting = true, .wire = "F." },
	},
	/* The acknowledgement of our FIN meets an orphan in FIN_WAIT1 and linger2 < 0:
	 * tcp_rcv_state_process() has it answered, as if it brought late data. */
	{
		"fin-linger2", "TCP_LINGER2 -1: an RST follows",
		STEPS(CONNECTED, DO(LINGER2, -1), DO(SEND_MORE, BYTES_OF_A_PACKET),
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = IF_ACKED(LATE_DATA_RESET), .wire = "F. R",
		  .counters = { .abort_on_data = 1, .out_rsts = 1 } },
	},
	{
		"half-closed", "shutdown(SHUT_WR) before",
		STEPS(CONNECTED, IN_FIN_WAIT2, DO(CLOSE),
		      PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN_ALREADY_SENT, .sent = SENT_NONE, .state = TCP_FIN_WAIT2,
		  .after = 1 << AFTER_TIME_WAIT, .wire = "" },
	},
	{
		"half-closed-fin-wait1", "our FIN not acknowledged yet",
		STEPS(CONNECTED, DO(PEER_DROP_END), DO(SHUT_WRITE), DO(AWAIT_STATE, TCP_FIN_WAIT1),
		      DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_FIN_ALREADY_SENT, .sent = SENT_NONE, .state = TCP_FIN_WAIT1,
		  .after = 1 << AFTER_NULL, .wire = "", .counters = { .out_rsts = 1 } },
	},
	{
		"half-closed-closing", "both FINs sent",
		STEPS(CONNECTED, DO(PEER_DROP_END), DO(SHUT_WRITE), IN_CLOSING,
		      DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_FIN_ALREADY_SENT, .sent = SENT_NONE, .state = TCP_CLOSING,
		  .after = 1 << AFTER_NULL, .wire = "", .counters = { .out_rsts = 1 } },
	},
	{
		"half-closed-last-ack", "the same, the peer's FIN first",
		STEPS(CONNECTED, IN_LAST_ACK, DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_FIN_ALREADY_SENT, .sent = SENT_NONE, .state = TCP_LAST_ACK,
		  .after = 1 << AFTER_NULL, .wire = "", .counters = { .out_rsts = 1 } },
	},
	/* tcp_timewait_state_process() answers, which counts no TCPAbortOnData. */
	{
		"half-closed-late-data", "data meets TIME_WAIT: an RST",
		STEPS(CONNECTED, IN_FIN_WAIT2, DO(CLOSE),
		      DO(PEER_SEND, BYTES), PEER_MEETS_RESET),
		{ .branch = BRANCH_FIN_ALREADY_SENT, .sent = SENT_NONE, .state = TCP_FIN_WAIT2,
		  .after = 1 << AFTER_TIME_WAIT, .wire = "R", .counters = { .out_rsts = 1 } },
	},
	{
		"half-closed-linger2", "TCP_LINGER2 -1: an RST follows",
		STEPS(CONNECTED, DO(LINGER2, -1), IN_FIN_WAIT2,
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_FIN_ALREADY_SENT, .sent = SENT_NONE, .state = TCP_FIN_WAIT2,
		  .after = 1 << AFTER_LINGER2_RESET, .wire = "R.",
		  .counters = { .abort_on_linger = 1, .out_rsts = 1 } },
	},
	{
		"half-closed-timer", "TCP_LINGER2 90: no TIME_WAIT",
		STEPS(CONNECTED, DO(LINGER2, 90), IN_FIN_WAIT2,
		      DO(CLOSE), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN_ALREADY_SENT, .sent = SENT_NONE, .state = TCP_FIN_WAIT2,
		  .after = 1 << AFTER_FIN_WAIT2_TIMER, .wire = "" },
	},
	{
		"linger-drained", "waits, all is acknowledged",
		STEPS(CONNECTED, DO(LINGER, 10), DO(SEND, BYTES), DO(CLOSE), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_TIME_WAIT, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_DRAINED, .wire = "F." },
	},
	{
		"linger-passive", "the same after the peer's FIN",
		STEPS(CONNECTED, DO(LINGER, 10), DO(PEER_SHUT_WRITE), DO(READ_EOF), DO(CLOSE),
		      PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_CLOSE_WAIT,
		  .after = 1 << AFTER_CLOSED_MEANWHILE, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_DRAINED, .wire = "F." },
	},
	{
		"linger-linger2", "then TCP_LINGER2 -1: an RST",
		STEPS(CONNECTED, DO(LINGER, 10), DO(LINGER2, -1), DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_LINGER2_RESET, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_DRAINED, .wire = "F. R.",
		  .counters = { .abort_on_linger = 1, .out_rsts = 1 } },
	},
	{
		"linger-half-closed", "nothing to wait for",
		STEPS(CONNECTED, DO(LINGER, 10), IN_FIN_WAIT2,
		      DO(CLOSE), PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN_ALREADY_SENT, .sent = SENT_NONE, .state = TCP_FIN_WAIT2,
		  .after = 1 << AFTER_TIME_WAIT, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_DRAINED, .wire = "" },
	},
	{
		"linger-syn-sent", "nothing to wait for",
		STEPS(CONNECTING, DO(LINGER, 10), DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_CONNECT_CANCELLED, .sent = SENT_NONE, .state = TCP_SYN_SENT,
		  .after = 1 << AFTER_NULL, .nonblock = true, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_DRAINED, .wire = "" },
	},
	{
		"linger-timed-out", "waits in vain for 1 second",
		STEPS(CONNECTED, DO(LINGER, 1), DO(PEER_DROP_END), DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 1,
		  .linger = LINGER_TIMED_OUT, .min_blocked_ms = ONE_SECOND, .wire = "F.",
		  .counters = { .out_rsts = 1 } },
	},
	{
		"linger-timed-out-unsent", "unsent data outlives close()",
		STEPS(CONNECTED_TINY, DO(LINGER, 1), DO(FILL, BYTES_TOO_MANY), DO(CLOSE),
		      PEER_MEETS_FIN),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 1,
		  .linger = LINGER_TIMED_OUT, .min_unsent_bytes = 1, .min_blocked_ms = ONE_SECOND,
		  .wire = "F." },
	},
	{
		"linger-nonblock", "O_NONBLOCK waits all the same",
		STEPS(CONNECTED, DO(NONBLOCK), DO(LINGER, 1), DO(PEER_DROP_END), DO(CLOSE),
		      DO(PEER_FORGET)),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .nonblock = true, .linger_on = true, .linger_s = 1,
		  .linger = LINGER_TIMED_OUT, .min_blocked_ms = ONE_SECOND, .wire = "F.",
		  .counters = { .out_rsts = 1 } },
	},
	{
		"linger-interrupted", "a signal ends the wait",
		STEPS(CONNECTED, DO(LINGER, 10), DO(PEER_DROP_END), DO(CLOSE_ALARMED), DO(PEER_FORGET)),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_INTERRUPTED, .wire = "F.", .counters = { .out_rsts = 1 } },
	},
	{
		"linger-reset", "the peer's RST ends the wait",
		STEPS(CONNECTED, DO(LINGER, 10), DO(PEER_DROP_END), DO(PEER_RESET_IN_CLOSE), DO(CLOSE),
		      DO(PEER_FORGET)),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_CLOSED_MEANWHILE, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_CLOSED_MEANWHILE, .wire = "F.", .counters = { .out_rsts = 1 } },
	},
	{
		"linger-exit", "an exiting process never waits",
		STEPS(CONNECTED, DO(LINGER, 10), DO(PEER_DROP_END), DO(EXIT), DO(PEER_FORGET)),
		{ .branch = BRANCH_FIN, .sent = SENT_FIN, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .exiting = true, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_SKIPPED_EXITING, .wire = "F.", .counters = { .out_rsts = 1 } },
	},
	{
		"connect-cancelled", "while the SYN is on its way",
		STEPS(CONNECTING, DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_CONNECT_CANCELLED, .sent = SENT_NONE, .state = TCP_SYN_SENT,
		  .after = 1 << AFTER_NULL, .nonblock = true, .wire = "" },
	},
	{
		"never-connected", "socket() and close()",
		STEPS(DO(OPEN), DO(CLOSE)),
		{ .branch = BRANCH_NOT_CONNECTED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .wire = "" },
	},
	{
		"never-connected-linger", "SO_LINGER does not matter",
		STEPS(DO(OPEN), DO(ZERO_LINGER), DO(CLOSE)),
		{ .branch = BRANCH_NOT_CONNECTED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_NOT_APPLICABLE, .wire = "" },
	},
	{
		"bound", "to a port, and no more",
		STEPS(DO(OPEN), DO(BIND), DO(CLOSE)),
		{ .branch = BRANCH_NOT_CONNECTED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .wire = "" },
	},
	{
		"refused", "a connect that waited for it",
		STEPS(DO(PEER_REFUSE), DO(OPEN), DO(CONNECT_REFUSED), DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_NOT_CONNECTED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .wire = "" },
	},
	{
		"dissolved", "connect() to AF_UNSPEC before",
		STEPS(CONNECTED, DO(DISSOLVE), DO(PEER_AWAIT_CLOSE), DO(CLOSE), DO(PEER_CLOSE)),
		{ .branch = BRANCH_NOT_CONNECTED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .wire = "" },
	},
	{
		"refused-nonblock", "a connect that did not wait",
		STEPS(DO(PEER_REFUSE), DO(OPEN), DO(NONBLOCK), DO(CONNECT_BEGIN),
		      DO(AWAIT_STATE, TCP_CLOSE), DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_ALREADY_CLOSED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .nonblock = true, .wire = "" },
	},
	{
		"reset-by-peer", "its RST came before",
		STEPS(CONNECTED, DO(PEER_RESET), DO(AWAIT_STATE, TCP_CLOSE), DO(CLOSE)),
		{ .branch = BRANCH_ALREADY_CLOSED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .wire = "" },
	},
	{
		"reset-by-peer-unread", "data is lost without a word",
		STEPS(CONNECTED, DO(PEER_SEND, BYTES), DO(AWAIT_UNREAD, BYTES), DO(PEER_RESET),
		      DO(AWAIT_STATE, TCP_CLOSE), DO(CLOSE)),
		{ .branch = BRANCH_ALREADY_CLOSED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .unread_bytes = BYTES, .wire = "" },
	},
	{
		"reset-by-peer-linger", "SO_LINGER does not matter",
		STEPS(CONNECTED, DO(LINGER, 10), DO(PEER_RESET), DO(AWAIT_STATE, TCP_CLOSE),
		      DO(CLOSE)),
		{ .branch = BRANCH_ALREADY_CLOSED, .sent = SENT_NONE, .state = TCP_CLOSE,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 10,
		  .linger = LINGER_NOT_APPLICABLE, .wire = "" },
	},
	{
		"listener", "nobody in the queue",
		STEPS(DO(OPEN), DO(BIND), DO(LISTEN, 8), DO(CLOSE)),
		{ .branch = BRANCH_LISTENER, .sent = SENT_NONE, .state = TCP_LISTEN,
		  .after = 1 << AFTER_NULL, .wire = "" },
	},
	{
		"listener-linger", "SO_LINGER does not matter",
		STEPS(DO(OPEN), DO(ZERO_LINGER), DO(BIND), DO(LISTEN, 8), DO(CLOSE)),
		{ .branch = BRANCH_LISTENER, .sent = SENT_NONE, .state = TCP_LISTEN,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_NOT_APPLICABLE, .wire = "" },
	},
	{
		"listener-children", "each in the queue gets an RST",
		STEPS(DO(OPEN), DO(BIND), DO(LISTEN, 8), DO(PEER_CONNECT, 3), DO(AWAIT_CHILDREN, 3),
		      DO(CLOSE), PEER_MEETS_RESET),
		{ .branch = BRANCH_LISTENER, .sent = SENT_NONE, .state = TCP_LISTEN,
		  .after = 1 << AFTER_NULL, .wire = "R. R. R.", .counters = { .out_rsts = 3 } },
	},
	{
		"repair", "TCP_REPAIR: without a word",
		STEPS(CONNECTED, DO(REPAIR), DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_REPAIR, .sent = SENT_NONE, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .wire = "", .counters = { .out_rsts = 1 } },
	},
	{
		"repair-linger", "SO_LINGER does not matter",
		STEPS(CONNECTED, DO(ZERO_LINGER), DO(REPAIR), DO(CLOSE), DO(PEER_FORGET)),
		{ .branch = BRANCH_REPAIR, .sent = SENT_NONE, .state = TCP_ESTABLISHED,
		  .after = 1 << AFTER_NULL, .linger_on = true, .linger_s = 0,
		  .linger = LINGER_NOT_APPLICABLE, .wire = "", .counters = { .out_rsts = 1 } },
	},
	{}
	/* clang-format on */
};

const struct path *path_find(const char *name)
{
	for (const struct path *path = paths; path->name; path++)
		if (!strcmp(path->name, name))
			return path;
	return NULL;
}
