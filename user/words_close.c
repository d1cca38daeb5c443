// SPDX-License-Identifier: GPL-2.0-only
#include "user/judge.h"
#include "user/words.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

const struct word words_of_closes[] = {
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
	/* clang-format on */
	{},
};
_Static_assert(COUNT(words_of_closes) ==
		       BRANCH_COUNT + LINGER_COUNT - 1 + AFTER_COUNT - 1 + 1,
	       "a row for each name, and LINGER_NULL and AFTER_NULL have none");
