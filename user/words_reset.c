// SPDX-License-Identifier: GPL-2.0-only
#include "user/judge.h"
#include "user/words.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

const struct word words_of_resets[] = {
	/* clang-format off */
	{
		WORD_CAUSE, CAUSE_DISCONNECT, "connect() to AF_UNSPEC gave the connection up: an RST",
		"The application keeps its socket and drops the connection. What was not sent yet is "
		"lost, no TIME_WAIT follows. In SYN_SENT, or with both FINs sent, no RST is needed "
		"and there is no record.",
		"Flags [R.]",
		"TcpOutRsts, TcpEstabResets; no TcpExtTCPAbort*. Reason TCP_STATE, which four other "
		"causes share, or TCP_DISCONNECT_WITH_DATA.",
		"A program or a library that takes one socket for one peer after the other, as is "
		"done with UDP.",
		"close() for a FIN, and a new socket for the next peer.",
	},
	{
		WORD_CAUSE, CAUSE_UNACCEPTED_CHILD, "its listener went before it was accepted: an RST",
		"The handshake was over, so the client took itself for connected. Then the listener "
		"was closed, shut down for reading or aborted, and its queue with it.",
		"Flags [R.] for each. A handshake under way gets none.",
		"TcpOutRsts and TcpEstabResets, one each; no TcpExtTCPAbort* tells of them. Reason "
		"TCP_STATE.",
		"A stop, a reload or a rolling restart of a server under load; a worker that leaves "
		"its SO_REUSEPORT group.",
		"Take it out of the load balancer and accept what is queued before closing; hand the "
		"listener to the new process; or net.ipv4.tcp_migrate_req=1 with SO_REUSEPORT (5.14).",
	},
	{
		WORD_CAUSE, CAUSE_ADMIN_ABORT, "killed from outside: ss -K, BPF or SMC",
		"Somebody else ended the connection, by the kernel's tcp_abort(). The application "
		"gets ECONNABORTED from its next call; what was not sent yet is lost.",
		"Flags [R.]",
		"TcpOutRsts, TcpEstabResets; no TcpExtTCPAbort*. Reason TCP_STATE.",
		"ss -K; a BPF program that calls bpf_sock_destroy(), as in Cilium; an SMC socket that "
		"gives up its TCP connection.",
		"Find out who did it: the application did not. It can only connect again.",
	},
	{
		WORD_CAUSE, CAUSE_KEEPALIVE_TIMEOUT, "keepalive probes found no answer: an RST",
		"SO_KEEPALIVE is on, and as many probes as TCP_KEEPCNT says, or all within "
		"TCP_USER_TIMEOUT, were not answered. The application gets ETIMEDOUT.",
		"Probes without an answer, then Flags [R.], which may not arrive either.",
		"TcpExtTCPKeepAlive, a probe each; TcpExtTCPAbortOnTimeout; TcpOutRsts; "
		"TcpEstabResets. Reason TCP_KEEPALIVE_TIMEOUT.",
		"A peer or a network that is gone; a firewall, a NAT or a load balancer that has "
		"forgotten the idle connection.",
		"TCP_KEEPIDLE below the idle limit of what is in between. TCP_KEEPINTVL and "
		"TCP_KEEPCNT decide how soon it is noticed.",
	},
	{
		WORD_CAUSE, CAUSE_FIN_WAIT2_TIMEOUT, "the peer never closed its half: an RST by a timer",
		"This end closed and its FIN was acknowledged, but the peer's did not come in time. "
		"Most times a small socket waits for it and goes without a packet; this one had kept "
		"its full size.",
		"Flags [R.], long after the Flags [F.] and its acknowledgement.",
		"TcpOutRsts alone. Reason TCP_STATE, which four other causes share.",
		"A peer that forgot to close. The socket keeps its size if the acknowledgement comes as "
		"close() returns, or tcp_fin_timeout is lowered meanwhile.",
		"Have the peer close when it reads EOF. A lower net.ipv4.tcp_fin_timeout or "
		"TCP_LINGER2 only makes the wait shorter.",
	},
	{
		WORD_CAUSE, CAUSE_ORPHAN_LIMIT, "too many orphans, or TCP's memory was full: an RST",
		"A closed socket that still has to deliver is an orphan. When its timer ran there "
		"were more than tcp_max_orphans, or all TCP memory was in use, so this one was reset "
		"and its data is lost.",
		"Retransmissions or window probes, then Flags [R.]",
		"TcpExtTCPAbortOnMemory, where no RST is sent too; TcpOutRsts. Reason "
		"TCP_ABORT_ON_MEMORY. In dmesg: too many orphaned sockets, or out of memory.",
		"A proxy that closes many connections to peers that are slow or gone.",
		"Raise net.ipv4.tcp_max_orphans or tcp_mem; lower tcp_orphan_retries; read and write "
		"to the end before closing.",
	},
	{
		WORD_CAUSE, CAUSE_LINGER2, "TCP_LINGER2 below 0: an RST in FIN_WAIT2, by the close",
		"What after=linger2-reset says where tracepoints are all there is: the record of the "
		"close has left before it is sent. This is not SO_LINGER.",
		"Flags [R.] after the Flags [F.]",
		"TcpExtTCPAbortOnLinger, TcpOutRsts. Reason TCP_ABORT_ON_LINGER.",
		"setsockopt(TCP_LINGER2, -1) and a shutdown(SHUT_WR) before the close.",
		"Take TCP_LINGER2 away, or set a time.",
	},
	{
		WORD_CAUSE, CAUSE_MPTCP_FASTCLOSE, "an MPTCP socket was aborted: an RST on each subflow",
		"It was closed with data unread or SO_LINGER {on, 0}, or its peer did not close for a "
		"minute. Kernels up to 6.17 close the subflow instead: zero-linger, with mptcp true "
		"and linger null.",
		"Flags [R.] on each subflow.",
		"MPTcpExtMPFastcloseTx, TcpOutRsts; not TcpExtTCPAbortOnClose, although the reason is "
		"TCP_ABORT_ON_CLOSE. Up to 6.17 TcpExtTCPAbortOnData.",
		"As for unread-data and zero-linger.",
		"Read to EOF before the close; zero linger only for aborts that are meant.",
	},
	{
		WORD_CAUSE, CAUSE_MPTCP_SUBFLOW, "one path of an MPTCP connection was reset",
		"The kernel could not use this subflow any more (a bad mapping or checksum), and the "
		"connection may go on by others. Or the peer aborted the whole of it.",
		"Flags [R.]",
		"TcpOutRsts, MPTcpExt*. Reason MPTCP_RST_*, which tells more.",
		"A middlebox that rewrites data or drops options; a peer that closed with data "
		"unread.",
		"See the reason. If a box on one path is to blame, take that path out of ip mptcp "
		"endpoint.",
	},
	{
		WORD_CAUSE, CAUSE_NO_SOCKET, "no socket has these addresses and ports: an RST",
		"A SYN to a port where nobody listens, or a segment of a connection whose socket is "
		"gone on this end. If its close was seen, that process is the owner, else nobody.",
		"Flags [R.] in reply to a SYN, else Flags [R].",
		"TcpOutRsts. Reason NO_SOCKET.",
		"A service that is down or listens elsewhere; a restart; a SYN-ACK after "
		"connect-cancelled; in Kubernetes a packet that conntrack finds INVALID and does not "
		"translate.",
		"To a SYN: see ss -ltn. Else look for the close or the end with these addresses. For "
		"conntrack: drop INVALID, or nf_conntrack_tcp_be_liberal=1.",
	},
	{
		WORD_CAUSE, CAUSE_LISTENER_STRAY_ACK, "a listener got an ACK of no connection: an RST",
		"The segment is of no connection that is known here, and no valid SYN cookie. Only "
		"the port is in use, by a listener.",
		"Flags [R]",
		"TcpOutRsts; TcpExtSyncookiesFailed if cookies are in use. Reason TCP_FLAGS.",
		"A server that was started again on its port, while a client of the one before goes "
		"on sending; a SYN cookie that failed.",
		"Nothing here: the client has to connect again. Close what is connected before a "
		"restart. Against cookies a larger backlog helps.",
	},
	{
		WORD_CAUSE, CAUSE_BAD_ACK_SYN_SENT, "our SYN was answered with a wrong ACK: an RST",
		"The ACK is for nothing that this end sent, or its timestamp is wrong. The socket "
		"stays in SYN_SENT and sends its SYN again.",
		"Our Flags [S], a Flags [.] or [S.] with another ack, our Flags [R], Flags [S] again.",
		"TcpOutRsts; TcpExtPAWSActive if it was the timestamp. Reason "
		"TCP_INVALID_ACK_SEQUENCE or TCP_RFC7323_PAWS.",
		"A port used again while the peer still has the old connection, alive or in "
		"TIME_WAIT: short connections, often behind NAT.",
		"Nothing if connect() succeeds then. Else more ports (net.ipv4.ip_local_port_range), "
		"or connections that are kept; see net.ipv4.tcp_tw_reuse.",
	},
	{
		WORD_CAUSE, CAUSE_BAD_ACK_SYN_RECV, "a handshake ended with a wrong ACK: an RST",
		"In SYN_RECV came an ACK for something that this end did not send, or that is too "
		"old.",
		"Flags [R] in reply to the ACK after our Flags [S.]",
		"TcpOutRsts. Reason TCP_OLD_ACK, TCP_TOO_OLD_ACK or TCP_ACK_UNSENT_DATA.",
		"Rare: a segment of an older connection with the same ports; a peer or a middlebox "
		"that counts wrongly; a forged ACK.",
		"Capture the handshake, at both ends if there may be a box between them.",
	},
	{
		WORD_CAUSE, CAUSE_LATE_DATA, "data came for a socket closed for reading: an RST",
		"The peer sent after this end's close, or its shutdown(SHUT_RDWR): there our own RST "
		"gives ECONNRESET here too. With TCP_LINGER2 below 0 the answer to our FIN is enough.",
		"Flags [R], without the dot: an answer to a segment.",
		"TcpExtTCPAbortOnData, as for zero linger; TcpOutRsts. Reason TCP_ABORT_ON_DATA.",
		"A server that closes before the client is done; a keepalive race: its idle limit "
		"ends as a request comes (Node, gunicorn, NLB).",
		"shutdown(SHUT_WR), read to EOF with a time limit, then close. Server's idle limit "
		"above the proxy's; retry idempotent requests.",
	},
	{
		WORD_CAUSE, CAUSE_TIME_WAIT, "data met the small socket that a close left: an RST",
		"The close was acknowledged, and the small socket of TIME_WAIT awaited the peer's FIN "
		"when data, or a SYN, came instead. It is late-data, a moment later.",
		"Flags [R], without the dot: an answer to a segment.",
		"TcpOutRsts alone: TcpExtTCPAbortOnData does not count it. Reason "
		"TCP_TIMEWAIT_SOCKET.",
		"As for late-data: a server that closes before the client is done, a keepalive race.",
		"shutdown(SHUT_WR), read to EOF with a time limit, then close. Server's idle limit "
		"above the proxy's; retry idempotent requests.",
	},
	{
		WORD_CAUSE, CAUSE_ACCEPT_OVERFLOW, "accept queue full, tcp_abort_on_overflow on: an RST",
		"The client's ACK ended the handshake, and there was no room for the connection. "
		"With tcp_abort_on_overflow=0 the ACK would have been dropped without a word.",
		"Flags [R] in reply to the ACK after our Flags [S.]",
		"TcpExtListenOverflows, TcpExtListenDrops, TcpExtEmbryonicRsts, TcpOutRsts. Reason "
		"INVALID_SYN, although no SYN is to blame.",
		"A server that accepts too slowly: a burst, an event loop that stands still, a small "
		"backlog.",
		"net.ipv4.tcp_abort_on_overflow=0; a larger backlog of listen() and "
		"net.core.somaxconn; accept() sooner.",
	},
	{
		WORD_CAUSE, CAUSE_EMBRYONIC, "another SYN hit a handshake under way: an RST",
		"A connection was half open, in SYN_RECV, when a second SYN came with a number within "
		"its window. The handshake is dropped.",
		"Flags [R.] in reply to the SYN; Flags [R] if that has an ACK.",
		"TcpExtEmbryonicRsts, TcpAttemptFails, TcpOutRsts. Reason INVALID_SYN.",
		"Rare: a broken or doubled handshake; forged SYNs.",
		"Capture the handshake, and see where its second SYN comes from.",
	},
	{
		WORD_CAUSE, CAUSE_MPTCP_JOIN_REJECT, "an MPTCP handshake was refused: an RST",
		"The client asked to join an MPTCP connection (MP_JOIN) or to open one (MP_CAPABLE) "
		"and this end refused. A connection that it has goes on by its other subflows.",
		"Flags [R.] in reply to a SYN, Flags [R] to an ACK.",
		"TcpOutRsts, MPTcpExt*. Reason MPTCP_RST_*, which tells more.",
		"The connection to join is gone, or lives on another host behind the load balancer; "
		"more subflows than ip mptcp limits allows.",
		"See the reason. Lead all subflows of a connection to one host.",
	},
	{
		WORD_CAUSE, CAUSE_FIREWALL_REJECT, "a rule of netfilter answered with an RST",
		"TCP never saw the segment: a rule that rejects with a TCP reset answered it. There "
		"is no socket and nobody owns it: pid and comm are null.",
		"Flags [R.] in reply to a SYN, else Flags [R].",
		"None, not even TcpOutRsts. No reason. The rule's own count: iptables -nvL, ip6tables "
		"-nvL, nft list ruleset.",
		"iptables -j REJECT --reject-with tcp-reset; nft reject with tcp reset; firewalls and "
		"network policies made of these.",
		"Find the rule, by its count. To the other end it looks as if the service were down.",
	},
	{
		WORD_CAUSE, CAUSE_RESET_BY_PEER, "the peer's RST ended the connection",
		"An RST came, of the peer or of a box on the way. What was not sent yet is lost, the "
		"next call gets ECONNRESET, or EPIPE.",
		"The peer's Flags [R.]: it aborted. Flags [R]: it answered a segment.",
		"TcpEstabResets if ESTABLISHED or CLOSE_WAIT. It is no counter of RSTs: time-outs, "
		"repair and the end that sends one count too.",
		"A peer that closed with data unread or a zero linger; its idle limit, or a load "
		"balancer's, below the one here; a peer that was started again.",
		"Trace the other end: it decided. Set the idle limit here below the peer's; retry "
		"idempotent requests.",
	},
	{
		WORD_CAUSE, CAUSE_REFUSED, "connect() was refused: an RST answered our SYN",
		"The socket was in SYN_SENT. connect() fails with ECONNREFUSED.",
		"The peer's Flags [R.]",
		"TcpAttemptFails, not TcpEstabResets. On the other end TcpOutRsts, unless its firewall "
		"rejected: that counts nowhere.",
		"A service that is down or not up yet, or listens on another address or port; a "
		"firewall's REJECT.",
		"On the other end: ss -ltn, then the firewall's rules. closetrace there says "
		"no-socket or firewall-reject. Try again with a pause that grows.",
	},
	{
		WORD_CAUSE, CAUSE_UNKNOWN, "an RST that fits none of the causes",
		"Which function sent it, or what it answered, fits none of the causes. It is not "
		"guessed.",
		"Not known.",
		"TcpOutRsts, most likely.",
		"A function that this kernel lacks, told on stderr at the start; a new connection "
		"that refused its first segment; a part of the kernel that no test covers.",
		"Look at the reason. Try another way, --via. If it stays, report the record and the "
		"kernel's version.",
	},
	{
		WORD_END, END_TIME_WAIT, "the FIN was acknowledged: TIME_WAIT or FIN_WAIT2",
		"The peer's kernel has all that was written. What is left is the small socket that "
		"TIME_WAIT uses; in FIN_WAIT2 it still awaits the peer's FIN.",
		"The peer's Flags [.] for our FIN; its Flags [F.] too, if it closed.",
		"TcpExtTW when that is over; TcpExtTCPTimeWaitOverflow where there was no room for "
		"it (tcp_max_tw_buckets).",
		"The normal end of the side that closes first.",
		"Nothing. If there are too many: let the peer close first, or keep connections open.",
	},
	{
		WORD_END, END_CLOSED, "the last acknowledgement came: a clean end",
		"The peer had closed first. Now it has acknowledged all data and our FIN, in "
		"LAST_ACK. TIME_WAIT is on its side.",
		"The peer's Flags [.] for our Flags [F.]",
		"None.",
		"The normal end of the side that closes second.",
		"Nothing.",
	},
	{
		WORD_END, END_RESET_BY_PEER, "the peer's RST came after the close",
		"close() had returned 0, then an RST came. What was not acknowledged is lost, and no "
		"call is left that could tell the application.",
		"The peer's Flags [R.]: it aborted. Flags [R]: it answered a segment.",
		"None on this end: TcpEstabResets counts ESTABLISHED and CLOSE_WAIT only.",
		"A peer that closed with our answer unread, or before it came; a zero linger of the "
		"peer's.",
		"If the data matters: shutdown(SHUT_WR), read to EOF, then close. Then the error is "
		"seen, as ECONNRESET. Trace the other end.",
	},
	{
		WORD_END, END_LATE_DATA_RESET, "data came after the close: our RST ended it",
		"The socket still had to deliver, or awaited the peer's FIN, when data came that "
		"nobody can read. What was not acknowledged is lost. The RST's cause is late-data.",
		"Flags [R], without the dot: an answer to a segment.",
		"TcpExtTCPAbortOnData, as for zero linger; TcpOutRsts.",
		"A server that closes before the client is done; a keepalive race: an idle limit runs "
		"out as the next request comes.",
		"shutdown(SHUT_WR), read to EOF with a time limit, then close. Server's idle limit "
		"above the proxy's; retry idempotent requests.",
	},
	{
		WORD_END, END_TIME_WAIT_RESET, "late data met the small socket: an RST",
		"All that was written was acknowledged, and the small socket of TIME_WAIT awaited the "
		"peer's FIN. Data came instead. It comes after an end time-wait; the RST's cause is "
		"time-wait.",
		"Flags [R], without the dot: an answer to a segment.",
		"TcpOutRsts alone: TcpExtTCPAbortOnData does not count it.",
		"As for late-data-reset: the peer still sent when this end closed.",
		"shutdown(SHUT_WR), read to EOF with a time limit, then close.",
	},
	{
		WORD_END, END_RETRANSMIT_TIMEOUT, "no answer until the kernel gave up: no RST",
		"Data or the FIN was sent again and again and never acknowledged. Whether it arrived "
		"is not known, and no call is left that could tell.",
		"Retransmissions or window probes without an end; no RST.",
		"TcpExtTCPAbortOnTimeout, TcpRetransSegs; not TcpOutRsts.",
		"A peer or a network that is gone; a peer that never reads.",
		"To know of it: shutdown(SHUT_WR), await EOF, then close. How long it takes: "
		"net.ipv4.tcp_orphan_retries (0 means 8), or TCP_USER_TIMEOUT.",
	},
	{
		WORD_END, END_ORPHAN_LIMIT_RESET, "too many orphans, or TCP's memory was full: an RST",
		"After the close the socket still had to deliver. Its timer ran when there were more "
		"than tcp_max_orphans, or all TCP memory was in use: its data is lost. The RST's "
		"cause is orphan-limit.",
		"Retransmissions or window probes, then Flags [R.]",
		"TcpExtTCPAbortOnMemory, TcpOutRsts. In dmesg: too many orphaned sockets, or out of "
		"memory.",
		"A proxy that closes many connections to peers that are slow or gone.",
		"Raise net.ipv4.tcp_max_orphans or tcp_mem; lower tcp_orphan_retries; read and write "
		"to the end before closing.",
	},
	{
		WORD_END, END_FIN_WAIT2_TIMEOUT, "the peer never closed its half: an RST by a timer",
		"All that was written was acknowledged, but the peer's FIN did not come in time, and "
		"the socket had kept its full size. The RST's cause has the same name.",
		"Flags [R.], long after the Flags [F.] and its acknowledgement.",
		"TcpOutRsts alone.",
		"A peer that forgot to close.",
		"Have the peer close when it reads EOF. A lower net.ipv4.tcp_fin_timeout or "
		"TCP_LINGER2 only makes the wait shorter.",
	},
	{
		WORD_END, END_UNKNOWN, "what ended it was not seen",
		"The socket is gone, and what was seen of it fits none of the ends. It is not "
		"guessed.",
		"Not known.",
		"Not known.",
		"ss -K on a socket that was closed before; an orphan above the limit that got no RST; "
		"a function that this kernel lacks, told on stderr at the start.",
		"See whether there is a reset with the same id. If it stays, report the record and "
		"the kernel's version.",
	},
	/* clang-format on */
	{},
};
_Static_assert(COUNT(words_of_resets) == CAUSE_COUNT + END_COUNT + 1, "a row for each name");
