// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the words of a record mean, one row a word.  A row costs at most 12
 * lines of 80 columns on the terminal, which is 11 of 68 for its members.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/explain.h"
#include "user/judge.h"
#include "user/options.h"
#include "user/paragraph.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define WIDTH     80
#define INDENT    12 /* of the members' text */
#define MAX_NAME  32
#define MAX_CLOSE 6 /* names that one line may offer */

/* The names are those of names.c. */
static const struct kind {
	const char *word;
	const char *head;
	const char *(*name)(unsigned int value);
} kinds[] = {
	[WORD_BRANCH] = { "branch", "branch: what the kernel's close did", branch_name },
	[WORD_LINGER] = { "linger outcome", "linger: what SO_LINGER came to", linger_name },
	[WORD_AFTER] = { "after", "after: what else happened before the call returned", after_name },
	[WORD_CAUSE] = { "cause", "cause: why an RST was sent, or what one that came did", cause_name },
	[WORD_END] = { "end", "end: what became of a socket after its close", end_name },
};

/* Counters are named as nstat does.  The kernel's reason is known from 6.12 on, that of an
 * answer to a segment from 6.10. */
struct entry {
	enum word kind;
	unsigned int value;
	const char *brief;	/* fits the list: at most 58 columns */
	const char *means;
	const char *wire;	/* as tcpdump prints it */
	const char *counters;
	const char *causes;
	const char *change;	/* for everybody; what is one program's own is in settings[] */
};

static const struct entry entries[] = {
	/* clang-format off */
	{
		WORD_BRANCH, BRANCH_UNREAD_DATA, "received data was never read: an RST",
		"Data from the peer was still in the receive queue. All that was not delivered yet is "
		"lost, no TIME_WAIT follows. Tested before SO_LINGER, so it wins over a zero linger "
		"and over a linger time.",
		"Flags [R.] where a Flags [F.] was expected.",
		"TcpExtTCPAbortOnClose, TcpOutRsts. Reason TCP_ABORT_ON_CLOSE.",
		"An answer before the body was read (413 or 401 of nginx, Tomcat, Go); an unread TLS "
		"close_notify; pipelined requests; a killed process.",
		"shutdown(SHUT_WR), read to EOF with a time limit, then close.",
	},
	{
		WORD_BRANCH, BRANCH_ZERO_LINGER, "SO_LINGER on with 0 seconds: an RST, if one is needed",
		"close() aborts: unsent and unacknowledged data is lost, no TIME_WAIT follows. In "
		"SYN_SENT, or with both FINs sent, no RST is needed. TCPAbortOnLinger does not count "
		"it: that is TCP_LINGER2.",
		"Flags [R.], or nothing where sent is none.",
		"TcpExtTCPAbortOnData, even when no RST was sent; TcpOutRsts. Reason TCP_STATE, "
		"which four other causes share.",
		"A setting of a proxy; health checks and load generators that avoid TIME_WAIT; "
		"inherited from the listener.",
		"Only for aborts that are meant. To avoid TIME_WAIT let the peer close first.",
	},
	{
		WORD_BRANCH, BRANCH_FIN, "an orderly close: a FIN behind the data",
		"What was written is still delivered after close() returned, then the FIN. "
		"ESTABLISHED->FIN_WAIT1: this end closed first and will hold TIME_WAIT. "
		"CLOSE_WAIT->LAST_ACK: the peer had closed first.",
		"Flags [F.], or [FP.] on the last data; later than the close if data is queued.",
		"None at the close; TcpExtTW when a TIME_WAIT of this end is over.",
		"The normal case. An RST soon after it means that the peer went on sending: see "
		"late-data-reset and time-wait.",
		"Nothing. If resets follow: shutdown(SHUT_WR), read to EOF, then close.",
	},
	{
		WORD_BRANCH, BRANCH_FIN_ALREADY_SENT, "shutdown() had sent the FIN before",
		"The sending side was shut down earlier. The close gives up the descriptor and the "
		"reading side; the connection ends on its own.",
		"Nothing at the close: the Flags [F.] went out at the shutdown(). Data that comes "
		"after the close is answered with Flags [R].",
		"None.",
		"A half-close, as in protocols that end by EOF; libraries that call shutdown() before "
		"each close().",
		"Nothing. If the peer meets an RST: read to EOF between shutdown() and close().",
	},
	{
		WORD_BRANCH, BRANCH_CONNECT_CANCELLED, "closed while still connecting, in SYN_SENT",
		"The peer had not answered the SYN. Nobody is told.",
		"Nothing; a SYN-ACK that comes later is answered with Flags [R].",
		"None for the close; TcpOutRsts for the answer to a late SYN-ACK.",
		"A connect timeout of the application; a port that a firewall drops; the address "
		"family that lost in happy eyeballs.",
		"See whether the SYN arrives and is answered. Give connect() more time than the "
		"second SYN takes, which is sent after 1 second.",
	},
	{
		WORD_BRANCH, BRANCH_LISTENER, "a listening socket was closed",
		"It sends nothing itself. Each connection in its queue that nobody had accepted gets "
		"an RST of its own.",
		"One Flags [R.] for each connection that was not accepted.",
		"Only TcpOutRsts, and TcpEstabResets, one for each; no TcpExtTCPAbort* tells of them.",
		"A stop, a reload or a rolling restart of a server under load; a worker that leaves "
		"its SO_REUSEPORT group.",
		"Take it out of the load balancer and accept what is queued before closing; hand the "
		"listener to the new process; or net.ipv4.tcp_migrate_req=1 with SO_REUSEPORT (5.14).",
	},
	{
		WORD_BRANCH, BRANCH_NOT_CONNECTED, "never connected, or dissolved long ago",
		"There was no connection to end: a socket that was only made or bound, a connect() "
		"that waited and failed, or a connect() to AF_UNSPEC before.",
		"Nothing.",
		"None.",
		"Probes and name lookups that open a socket and drop it; a refused connect().",
		"Nothing. If a connection was expected, look at the error that connect() gave.",
	},
	{
		WORD_BRANCH, BRANCH_ALREADY_CLOSED, "the connection had died before the close",
		"Reset by the peer, refused, timed out or aborted earlier. The close only frees the "
		"descriptor. Unread data is lost without a word, and SO_LINGER plays no part.",
		"Nothing at the close. Earlier, often, the peer's Flags [R] or [R.].",
		"None at the close. Earlier: TcpEstabResets (an RST came), TcpAttemptFails (refused), "
		"TcpExtTCPAbortOnTimeout (no answer).",
		"The peer closed with unread data or a zero linger; an idle limit of a server or a "
		"load balancer below the client's (Node, gunicorn, NLB).",
		"Trace the other end: the close that decided was there. Look at the earlier errno: "
		"ECONNRESET, ETIMEDOUT, ECONNABORTED.",
	},
	{
		WORD_BRANCH, BRANCH_REPAIR, "TCP_REPAIR was on: closed without a word",
		"The socket is taken away and the peer is not told. What the peer sends next meets no "
		"socket.",
		"Nothing at the close; Flags [R] for the peer's next segment, if nobody restored the "
		"connection.",
		"TcpEstabResets counts it although no RST was sent.",
		"Checkpoint and migration, as CRIU does it. SO_LINGER plays no part.",
		"Nothing if it is meant; else set TCP_REPAIR back to 0 before the close.",
	},
	{
		WORD_BRANCH, BRANCH_UNKNOWN, "what was observed fits no branch",
		"Which functions ran for this socket fits none of the branches. It is not guessed: "
		"sent and linger are null.",
		"Not known.",
		"Not known.",
		"A function that this kernel lacks, told on stderr at the start; a kernel that closes "
		"in another way; a record from a part of the kernel that no test covers.",
		"Try another way, --via. If it stays, report the record and the kernel's version.",
	},
	{
		WORD_LINGER, LINGER_RESET, "zero linger sent its RST",
		"SO_LINGER {on, 0} took effect: the connection was aborted, unsent data is gone, and "
		"no TIME_WAIT follows. It does so at the exit of a process too. (The counter "
		"TCPAbortOnLinger is about TCP_LINGER2.)",
		"Flags [R.]",
		"TcpExtTCPAbortOnData, TcpOutRsts.",
		"As for zero-linger.",
		"As for zero-linger. In a test this is the word that confirms the setting.",
	},
	{
		WORD_LINGER, LINGER_NO_RESET_NEEDED, "zero linger, but nothing was left to reset",
		"The connection was not open yet (SYN_SENT), or both FINs were sent already (CLOSING, "
		"LAST_ACK with nothing unsent). It was dropped without a word.",
		"Nothing.",
		"TcpExtTCPAbortOnData all the same, without TcpOutRsts: that counter is no proof of "
		"an RST.",
		"An aborted connect; a shutdown(SHUT_WR) after the peer's FIN, then close().",
		"If an RST is wanted, close() without the shutdown().",
	},
	{
		WORD_LINGER, LINGER_OVERRIDDEN, "unread data decided instead of SO_LINGER",
		"The test for unread data comes before SO_LINGER, so that one sent the RST. With a "
		"linger time there was no wait either.",
		"Flags [R.]",
		"TcpExtTCPAbortOnClose, TcpOutRsts; not TcpExtTCPAbortOnData.",
		"As for unread-data.",
		"Read to EOF before the close if the linger setting is to decide.",
	},
	{
		WORD_LINGER, LINGER_DRAINED, "waited until all was acknowledged, or had no need to",
		"The peer's kernel acknowledged all data and the FIN in time, or there was nothing to "
		"wait for. That the peer's application has read it is not said.",
		"Flags [F.], and the peer's Flags [.] for it, before close() returned.",
		"None.",
		"A linger time that was enough; a socket that was half-closed before; a connect that "
		"was cancelled.",
		"Nothing. To know that the peer has read it, await an answer or its EOF.",
	},
	{
		WORD_LINGER, LINGER_TIMED_OUT, "the linger time was up; no RST, close() returned 0",
		"close() blocked for the whole time, on an O_NONBLOCK socket too. Then it returned 0, "
		"not EWOULDBLOCK, and the kernel goes on sending: nothing was thrown away.",
		"Flags [F.] if all data fitted, else later; retransmissions go on; no RST.",
		"None at the close; TcpRetransSegs may grow.",
		"A peer that does not read; a peer or a network that is gone; event loops that stand "
		"still because a close waits (seen with Envoy).",
		"No linger time in an event loop. Use shutdown(SHUT_WR) and await the peer's EOF with "
		"a time limit of your own. For an RST on time-out set {on, 0} before the close.",
	},
	{
		WORD_LINGER, LINGER_INTERRUPTED, "a signal ended the wait",
		"close() returned 0 before the time was up, not EINTR. The descriptor is closed and "
		"the kernel goes on sending.",
		"Flags [F.] if all data fitted, else later; no RST.",
		"None.",
		"SIGALRM, SIGTERM or SIGCHLD in a process that closes with a linger time.",
		"Do not call close() again. Block signals around it, or use shutdown(SHUT_WR) and "
		"await the peer's EOF.",
	},
	{
		WORD_LINGER, LINGER_CLOSED_MEANWHILE, "the connection ended during the wait",
		"The peer or the network ended it before all was acknowledged: the end of the data "
		"did not arrive. close() returned 0 all the same.",
		"The peer's Flags [R] or [R.]; or our own Flags [R] where after is late-data-reset.",
		"TcpExtTCPAbortOnData and TcpOutRsts for late data; none for the peer's RST.",
		"A peer that closed with unread data or a zero linger; a peer that still sent.",
		"See how the peer closes. Read to EOF before the close if it still sends.",
	},
	{
		WORD_LINGER, LINGER_SKIPPED_EXITING, "an exiting process never waits",
		"The process was ending (exit, SIGKILL), so the linger time counted for nothing. The "
		"kernel goes on sending. Zero linger and unread data reset at exit all the same.",
		"Flags [F.] if all data fitted, else later; no RST.",
		"None.",
		"A socket that is left to exit() to close; a container that is killed.",
		"close() before exit if the wait is wanted.",
	},
	{
		WORD_LINGER, LINGER_NOT_APPLICABLE, "SO_LINGER plays no part in this branch",
		"A listener, a socket without a connection, a connection that had died before, or one "
		"in TCP_REPAIR: the kernel does not look at SO_LINGER.",
		"As for the branch.",
		"As for the branch.",
		"SO_LINGER set on a listener, which accepted sockets inherit; the peer was faster.",
		"See the branch.",
	},
	{
		WORD_AFTER, AFTER_TIME_WAIT, "the FIN was acknowledged: TIME_WAIT or FIN_WAIT2",
		"What is left is the small socket that TIME_WAIT uses; in FIN_WAIT2 it still awaits "
		"the peer's FIN. Nobody owns it any more.",
		"Nothing by itself. In FIN_WAIT2, data from the peer is answered with Flags [R].",
		"TcpExtTW at its end. Data that meets it: TcpOutRsts alone, not TCPAbortOnData.",
		"The normal end where the peer's kernel answers at once, and after a half-close.",
		"Nothing. If there are too many: let the peer close first, or keep connections open. "
		"If the peer meets an RST: read to EOF before the close.",
	},
	{
		WORD_AFTER, AFTER_FIN_WAIT2_TIMER, "FIN_WAIT2 as a full socket, under a timer",
		"The FIN is acknowledged, the peer's is missing, and the time to wait for it is above "
		"60 seconds: for the time above that the socket keeps its full size.",
		"Nothing.",
		"None.",
		"TCP_LINGER2 or net.ipv4.tcp_fin_timeout above 60.",
		"Lower them, unless the peer needs that long.",
	},
	{
		WORD_AFTER, AFTER_LINGER2_RESET, "TCP_LINGER2 below 0: an RST in FIN_WAIT2",
		"The FIN was acknowledged and the peer's was missing. With TCP_LINGER2 below 0 the "
		"kernel does not wait for it but resets. This is not SO_LINGER.",
		"Flags [R.] after the Flags [F.]",
		"TcpExtTCPAbortOnLinger, TcpOutRsts: all that this counter ever means. Reason "
		"TCP_ABORT_ON_LINGER.",
		"setsockopt(TCP_LINGER2, -1) and a shutdown(SHUT_WR) before the close. Without the "
		"shutdown() the same setting gives late-data-reset.",
		"Take TCP_LINGER2 away, or set a time.",
	},
	{
		WORD_AFTER, AFTER_ORPHAN_LIMIT_RESET, "too many orphans, or TCP's memory was full: an RST",
		"A closed socket that still has to deliver is an orphan. There were more than "
		"tcp_max_orphans, or all TCP memory was in use, so this one was reset.",
		"Flags [R.], right after the Flags [F.] if that was sent.",
		"TcpExtTCPAbortOnMemory, TcpOutRsts. Reason TCP_ABORT_ON_MEMORY. In dmesg: too many "
		"orphaned sockets, or out of memory.",
		"A proxy that closes many connections to peers that are slow or gone.",
		"Raise net.ipv4.tcp_max_orphans or tcp_mem; lower tcp_orphan_retries; read and write "
		"to the end before closing.",
	},
	{
		WORD_AFTER, AFTER_LATE_DATA_RESET, "data came for a socket closed for reading: an RST",
		"The peer sent while this end was closing, so its data could reach nobody. Or "
		"TCP_LINGER2 is below 0 and the answer to our FIN came during the call.",
		"Flags [R], without the dot: an answer to a segment.",
		"TcpExtTCPAbortOnData, TcpOutRsts: the counter of zero linger, but another cause.",
		"A server that closes before the client is done; a keepalive race: its idle limit "
		"ends as a request comes (Node, gunicorn, NLB).",
		"shutdown(SHUT_WR), read to EOF with a time limit, then close. Server's idle limit "
		"above the proxy's; retry idempotent requests.",
	},
	{
		WORD_AFTER, AFTER_NETNS_DYING, "the network namespace is going: closed without a word",
		"A socket of the kernel's own outlived its namespace's last user. Nothing can be "
		"delivered any more, so it is dropped.",
		"Nothing, or the Flags [F.] alone.",
		"None.",
		"A container that ends while a socket of the kernel's own in it is connected.",
		"Nothing.",
	},
	{
		WORD_AFTER, AFTER_CLOSED_MEANWHILE, "the connection was over before the call returned",
		"In LAST_ACK the peer's acknowledgement came: a clean end. Otherwise the peer's RST "
		"came.",
		"The peer's Flags [.] for our FIN, or its Flags [R] or [R.].",
		"None.",
		"The normal end of the side that closes second, where the peer answers at once.",
		"Nothing after LAST_ACK. Else see how the peer closes.",
	},
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
};
_Static_assert(COUNT(entries) == BRANCH_COUNT + LINGER_COUNT - 1 + AFTER_COUNT - 1 + CAUSE_COUNT +
					 END_COUNT,
	       "a row for each name, and LINGER_NULL and AFTER_NULL have none");

#define NGINX_LINGERS "lingering_close always, and no return 444"

/* How programs that many people run are told to. */
static const struct setting {
	enum word kind;
	unsigned int value;
	const char *program;
	const char *comm;	/* NULL: its processes bear no name that would tell */
	const char *change;
} settings[] = {
	{ WORD_BRANCH, BRANCH_UNREAD_DATA, "nginx", "nginx", NGINX_LINGERS },
	{ WORD_BRANCH, BRANCH_UNREAD_DATA, "Envoy", NULL, "delayed_close_timeout above 0" },
	{ WORD_BRANCH, BRANCH_UNREAD_DATA, "Tomcat", NULL, "maxSwallowSize" },
	{ WORD_BRANCH, BRANCH_ZERO_LINGER, "haproxy", "haproxy", "no option nolinger" },
	{ WORD_BRANCH, BRANCH_ZERO_LINGER, "nginx", "nginx", "reset_timedout_connection off" },
	{ WORD_LINGER, LINGER_OVERRIDDEN, "nginx", "nginx", NGINX_LINGERS },
	{ WORD_CAUSE, CAUSE_LATE_DATA, "nginx", "nginx", NGINX_LINGERS },
};

static const char *name_of(const struct entry *entry)
{
	return kinds[entry->kind].name(entry->value);
}

/* From there on, the next of this name; names are not unique among kinds. */
static const struct entry *find(const struct entry *entry, const char *name)
{
	for (; entry < entries + COUNT(entries); entry++)
		if (!strcmp(name_of(entry), name))
			return entry;
	return NULL;
}

/* ---- one of them ------------------------------------------------------------- */

static void put_member(const char *label, const char *text)
{
	char mark[INDENT + 1];

	snprintf(mark, sizeof(mark), "  %-*s", INDENT - 2, label);
	paragraph_put(text, stdout, WIDTH, mark);
}

static bool is_about(const struct setting *setting, const struct entry *entry)
{
	return setting->kind == entry->kind && setting->value == entry->value;
}

static bool is_meant(const struct setting *setting, const char *comm)
{
	return !comm || (setting->comm && !strcmp(setting->comm, comm));
}

static void add_change(struct paragraph *to, const struct entry *entry, const char *comm)
{
	const char *before = " ", *end = "";

	paragraph_add(to, "%s", entry->change);
	for (size_t i = 0; i < COUNT(settings); i++) {
		if (!is_about(&settings[i], entry) || !is_meant(&settings[i], comm))
			continue;
		paragraph_add(to, "%s%s: %s", before, settings[i].program, settings[i].change);
		before = "; ";
		end = ".";
	}
	paragraph_add(to, "%s", end);
}

static void put_entry(const struct entry *entry)
{
	struct paragraph change = {};

	printf("%s %s: %s\n", kinds[entry->kind].word, name_of(entry), entry->brief);
	put_member("meaning", entry->means);
	put_member("wire", entry->wire);
	put_member("counters", entry->counters);
	put_member("causes", entry->causes);
	add_change(&change, entry, NULL);
	put_member("change", change.text);
}

static const struct entry *entry_of(enum word kind, unsigned int value)
{
	const struct entry *entry = entries;

	while (entry->kind != kind || entry->value != value)
		entry++;
	return entry;
}

const char *explain_name(enum word kind, unsigned int value)
{
	return kinds[kind].name(value);
}

void explain_change(struct paragraph *to, enum word kind, unsigned int value, const char *comm)
{
	add_change(to, entry_of(kind, value), comm);
}

static int explain(const struct entry *entry, const char *name)
{
	put_entry(entry);
	while ((entry = find(entry + 1, name))) {
		putchar('\n');
		put_entry(entry);
	}
	return fflush(stdout) ? EXIT_CANNOT : 0;
}

/* ---- all of them ------------------------------------------------------------- */

static int list(void)
{
	int kind = -1;

	puts("closetrace explain NAME tells more of one of these:");
	for (const struct entry *entry = entries; entry < entries + COUNT(entries); entry++) {
		if ((int)entry->kind != kind)
			printf("\n%s\n", kinds[entry->kind].head);
		kind = entry->kind;
		printf("  %-18s  %s\n", name_of(entry), entry->brief);
	}
	return fflush(stdout) ? EXIT_CANNOT : 0;
}

/* ---- none of them ------------------------------------------------------------ */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters are to be put in, taken out or changed (Levenshtein). */
static size_t distance(const char *from, const char *name)
{
	size_t row[MAX_NAME], length = strlen(name);

	for (size_t i = 0; i <= length; i++)
		row[i] = i;
	for (size_t typed = 1; *from; from++, typed++) {
		size_t diagonal = row[0];

		row[0] = typed;
		for (size_t i = 1; i <= length; i++) {
			size_t change = diagonal + (*from != name[i - 1]);

			diagonal = row[i];
			row[i] = least(change, least(row[i], row[i - 1]) + 1);
		}
	}
	return row[length];
}

/* A slip, a part of the name, or one of the kernel's own words for it. */
static bool is_close(const struct entry *entry, const char *typed)
{
	const char *name = name_of(entry);

	if (distance(typed, name) <= 1 + strlen(typed) / 5 || strcasestr(name, typed))
		return true;
	return strlen(typed) > 4 && strcasestr(entry->counters, typed);
}

/* It or the next ones of its name: each kind has counters of its own. */
static bool one_is_close(const struct entry *entry, const char *typed)
{
	const char *name = name_of(entry);

	while (entry && !is_close(entry, typed))
		entry = find(entry + 1, name);
	return entry;
}

static void name_close(char *line, size_t size, const char *typed)
{
	size_t used = 0;
	int count = 0;

	for (const struct entry *entry = entries; entry < entries + COUNT(entries); entry++) {
		const char *name = name_of(entry);

		if (count == MAX_CLOSE || find(entries, name) != entry ||
		    !one_is_close(entry, typed))
			continue;
		used += snprintf(line + used, size - used, "%s%s", count++ ? ", " : "", name);
	}
}

static int refuse(const char *typed)
{
	char names[MAX_CLOSE * (MAX_NAME + 2)] = "";

	if (*typed)
		name_close(names, sizeof(names), typed);
	warnx("explain %s: no such name; %s%s", typed, *names ? "close to it: " : "",
	      *names ? names : "closetrace explain lists them");
	return EXIT_USAGE;
}

int explain_main(int argc, char **argv)
{
	const struct entry *entry;

	if (argc < 2 || !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return list();
	if (argc > 2) {
		warnx("explain %s %s: one name at a time", argv[1], argv[2]);
		return EXIT_USAGE;
	}
	entry = find(entries, argv[1]);
	return entry ? explain(entry, argv[1]) : refuse(argv[1]);
}
