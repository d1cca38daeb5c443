// SPDX-License-Identifier: GPL-2.0-only
#include "user/steps.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <linux/sockios.h>

#include "user/await.h"
#include "user/judge.h"
#include "user/peer.h"
#include "user/walk.h"

#define ALARM_US 20000

static int set(const struct walk *walk, int level, int option, const void *value, socklen_t len)
{
	return setsockopt(walk->fd, level, option, value, len);
}

static bool exactly(ssize_t got, long wanted)
{
	if (got >= 0 && got != wanted)
		errno = EIO;
	return got == wanted;
}

static int family_of(const struct walk *walk)
{
	const struct path_options *options = walk->options;

	if (options->to)
		return options->to->sa_family;
	return options->mapped ? AF_INET6 : peer_family(options->peer);
}

/* What it is in an IPv6 socket: ::ffff:a.b.c.d */
static struct sockaddr_storage mapped(const struct sockaddr_storage *at)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)at;
	struct sockaddr_storage out = {};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = in->sin_port;
	in6->sin6_addr.s6_addr16[5] = 0xffff;
	in6->sin6_addr.s6_addr32[3] = in->sin_addr.s_addr;
	return out;
}

static struct sockaddr_storage unmapped(const struct sockaddr_storage *at)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)at;
	struct sockaddr_storage out = {};
	struct sockaddr_in *in = (struct sockaddr_in *)&out;

	if (at->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return *at;
	in->sin_family = AF_INET;
	in->sin_port = in6->sin6_port;
	in->sin_addr.s_addr = in6->sin6_addr.s6_addr32[3];
	return out;
}

static struct sockaddr_storage name_of(int fd)
{
	struct sockaddr_storage at = {};
	socklen_t len = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &len);
	return at;
}

static int open_socket(struct walk *walk)
{
	const int no = 0;

	walk->fd = socket(family_of(walk), SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (walk->fd < 0)
		return -1;
	if (!walk->options->mapped)
		return 0;
	return set(walk, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
}

static int bind_socket(struct walk *walk)
{
	struct sockaddr_storage at = loopback(walk->options->mapped ? AF_INET : family_of(walk));

	if (walk->options->mapped)
		at = mapped(&at);
	return bind(walk->fd, (struct sockaddr *)&at, sizeof(at));
}

static int listen_socket(struct walk *walk)
{
	return listen(walk->fd, walk->arg);
}

static int accept_child(struct walk *walk)
{
	socklen_t len = sizeof(walk->result.remote);
	int child;

	if (await_poll(walk->fd, POLLIN))
		return -1;
	child = accept4(walk->fd, (struct sockaddr *)&walk->result.remote, &len, SOCK_CLOEXEC);
	if (child < 0)
		return -1;
	close(walk->fd);
	walk->fd = child;
	return 0;
}

static int connect_there(const struct walk *walk)
{
	const struct sockaddr *at = (const struct sockaddr *)&walk->there;

	return connect(walk->fd, at, sizeof(walk->there));
}

static int connect_socket(struct walk *walk)
{
	if (connect_there(walk))
		return -1;
	walk->result.remote = walk->there;
	return 0;
}

/* Whatever has come is in the backlog until connect() lets go of the lock, so even a
 * refusal is EINPROGRESS first. */
static int connect_begin(struct walk *walk)
{
	walk->result.remote = walk->there;
	return connect_there(walk) < 0 && errno == EINPROGRESS ? 0 : -1;
}

/* __inet_stream_connect() calls tcp_disconnect() then: there is no remote any more. */
static int connect_refused(struct walk *walk)
{
	return connect_there(walk) < 0 && errno == ECONNREFUSED ? 0 : -1;
}

static int dissolve(struct walk *walk)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	walk->result.remote = (struct sockaddr_storage){};
	return connect(walk->fd, &nobody, sizeof(nobody));
}

static int set_nonblock(struct walk *walk)
{
	return fcntl(walk->fd, F_SETFL, O_NONBLOCK);
}

static int set_linger(struct walk *walk)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = walk->arg };

	return set(walk, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static int set_linger2(struct walk *walk)
{
	const int value = walk->arg;

	return set(walk, IPPROTO_TCP, TCP_LINGER2, &value, sizeof(value));
}

static int set_repair(struct walk *walk)
{
	const int on = 1;

	return set(walk, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
}

static int send_with(const struct walk *walk, int flags)
{
	static const char zeros[65536];
	ssize_t sent = send(walk->fd, zeros, walk->arg, flags | MSG_NOSIGNAL | MSG_DONTWAIT);

	return exactly(sent, walk->arg) ? 0 : -1;
}

static int send_bytes(struct walk *walk)
{
	return send_with(walk, 0);
}

static int send_more(struct walk *walk)
{
	return send_with(walk, MSG_MORE);
}

static int fill(struct walk *walk)
{
	return send_bytes(walk) ? -1 : await_stuck(walk->fd, 1);
}

static int receive(const struct walk *walk, long bytes, int flags)
{
	char sink[4096];

	return exactly(recv(walk->fd, sink, bytes, flags), bytes) ? 0 : -1;
}

static int read_bytes(struct walk *walk)
{
	return receive(walk, walk->arg, 0);
}

static int peek(struct walk *walk)
{
	return receive(walk, walk->arg, MSG_PEEK);
}

static int read_urgent(struct walk *walk)
{
	return receive(walk, 1, MSG_OOB);
}

static int read_eof(struct walk *walk)
{
	char byte;

	if (await_poll(walk->fd, POLLIN))
		return -1;
	return exactly(recv(walk->fd, &byte, 1, 0), 0) ? 0 : -1;
}

static int shut_read(struct walk *walk)
{
	return shutdown(walk->fd, SHUT_RD);
}

static int shut_write(struct walk *walk)
{
	return shutdown(walk->fd, SHUT_WR);
}

static int ack_reached(struct walk *walk)
{
	return await_acked(walk->fd);
}

static int state_reached(struct walk *walk)
{
	return await_state(walk->fd, walk->arg);
}

static int unread_reached(struct walk *walk)
{
	return await_unread(walk->fd, walk->arg);
}

static int urgent_reached(struct walk *walk)
{
	return await_poll(walk->fd, POLLPRI);
}

static int children_reached(struct walk *walk)
{
	return await_children(walk->fd, walk->arg);
}

static int tell_where(struct walk *walk)
{
	if (walk->fd >= 0)
		walk->result.local = name_of(walk->fd);
	walk->result.pid = getpid();
	return walk_before_close(walk);
}

static int close_now(struct walk *walk)
{
	int fd = walk->fd;

	walk->fd = -1;
	return close(fd);
}

static int close_socket(struct walk *walk)
{
	return tell_where(walk) ? -1 : close_now(walk);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* One alarm might go off before the close has begun to wait, so they keep coming. */
static void start_alarms(struct sigaction *old)
{
	const struct itimerval often = { { .tv_usec = ALARM_US }, { .tv_usec = ALARM_US } };
	const struct sigaction handler = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &handler, old);
	setitimer(ITIMER_REAL, &often, NULL);
}

/* To ignore a signal forgets one that is pending. */
static void stop_alarms(const struct sigaction *old)
{
	const struct itimerval never = {};
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &ignore, NULL);
	sigaction(SIGALRM, old, NULL);
}

static int close_alarmed(struct walk *walk)
{
	struct sigaction old;
	int error;

	if (tell_where(walk))
		return -1;
	start_alarms(&old);
	error = close_now(walk);
	stop_alarms(&old);
	return error;
}

static int end_by_exit(struct walk *walk)
{
	if (tell_where(walk))
		return -1;
	_exit(0);
}

static int end_by_kill(struct walk *walk)
{
	if (tell_where(walk))
		return -1;
	return kill(getpid(), SIGKILL);
}

static int command_peer(struct walk *walk, enum op op)
{
	struct command command = { .op = op, .arg = walk->arg };
	struct reply reply;

	if (walk->fd >= 0) {
		command.at = name_of(walk->fd);
		command.at = unmapped(&command.at);
	}
	if (peer_obey(walk->options->peer, &command, &reply))
		return -1;
	if (reply.at.ss_family)
		walk->there = walk->options->mapped ? mapped(&reply.at) : reply.at;
	return 0;
}

/* What an op is to a script as a whole. */
enum kind {
	OURS,
	OURS_CLOSES,
	OURS_ENDS,		/* closes by ending the process */
	HELP,			/* the peer must do its part, or hold still */
	COURTESY,		/* the peer's; anybody's does it, or it is only tidy */
};

/*
 * What it does, what is said on stderr when it is about to be done and when it
 * is done (%ld is the step's arg), and what it is called when it cannot be done.
 */
static const struct {
	enum kind kind;
	int (*run)(struct walk *walk);		/* NULL: the peer knows */
	const char *name;
	const char *before;
	const char *after;
} ops[OP_COUNT] = {
	/* clang-format off */
	[OPEN] = { OURS, open_socket, "socket" },
	[BIND] = { OURS, bind_socket, "bind", .after = "bound to a port of our own" },
	[LISTEN] = { OURS, listen_socket, "listen", .after = "listening" },
	[ACCEPT] = { OURS, accept_child, "accept",
		.after = "accepted, and the listener closed: the child has its SO_LINGER" },
	[CONNECT] = { OURS, connect_socket, "connect", .after = "connected" },
	[CONNECT_BEGIN] = { OURS, connect_begin, "connect",
		.after = "connect() begun, not waiting for an answer" },
	[CONNECT_REFUSED] = { OURS, connect_refused, "a refused connect",
		.after = "connect() refused: the kernel has taken the address back" },
	[DISSOLVE] = { OURS, dissolve, "connect to AF_UNSPEC",
		.after = "connect() to AF_UNSPEC: dissolved by an RST, before any close" },
	[NONBLOCK] = { OURS, set_nonblock, "O_NONBLOCK", .after = "O_NONBLOCK set" },
	[ZERO_LINGER] = { OURS, set_linger, "SO_LINGER", .after =
		"SO_LINGER set to {1, 0}: close() will throw the send buffer away and send an RST" },
	[LINGER] = { OURS, set_linger, "SO_LINGER", .after =
		"SO_LINGER set to {1, %ld}: close() will sleep until all is sent and acknowledged,"
		" or the time is up" },
	[LINGER2] = { OURS, set_linger2, "TCP_LINGER2",
		.after = "TCP_LINGER2 set to %ld: how long an orphan may stay in FIN_WAIT2" },
	[REPAIR] = { OURS, set_repair, "TCP_REPAIR (needs CAP_NET_ADMIN)",
		.after = "TCP_REPAIR set: close() will not say a word to the peer" },
	[SEND] = { OURS, send_bytes, "send", .after = "sent %ld bytes" },
	[SEND_MORE] = { OURS, send_more, "send",
		.after = "wrote %ld bytes with MSG_MORE: held back for what follows" },
	[FILL] = { OURS, fill, "filling the peer's window",
		.after = "wrote %ld bytes, more than the peer has room for: the rest waits unsent" },
	[READ] = { OURS, read_bytes, "recv", .after = "read %ld bytes" },
	[PEEK] = { OURS, peek, "recv with MSG_PEEK",
		.after = "peeked at %ld bytes: they stay in the receive queue" },
	[READ_URGENT] = { OURS, read_urgent, "recv with MSG_OOB",
		.after = "read the urgent byte out of line: it stays in the receive queue" },
	[READ_EOF] = { OURS, read_eof, "reading to the end", .after = "read to the end" },
	[SHUT_READ] = { OURS, shut_read, "shutdown",
		.after = "shutdown(SHUT_RD): nothing goes on the wire, and data still comes in" },
	[SHUT_WRITE] = { OURS, shut_write, "shutdown",
		.after = "shutdown(SHUT_WR): the FIN is due now, not at close()" },
	[AWAIT_ACK] = { HELP, ack_reached, "waiting for an acknowledgement" },
	[AWAIT_STATE] = { HELP, state_reached, "waiting for the state" },
	[AWAIT_UNREAD] = { OURS, unread_reached, "waiting for data",
		.after = "%ld bytes received, not read" },
	[AWAIT_URGENT] = { OURS, urgent_reached, "waiting for an urgent byte",
		.after = "an urgent byte received, not read" },
	[AWAIT_CHILDREN] = { OURS, children_reached, "waiting for connections",
		.after = "%ld connections complete, not accepted" },

	[CLOSE] = { OURS_CLOSES, close_socket, "close", "close()", "closed" },
	[CLOSE_ALARMED] = { OURS_CLOSES, close_alarmed, "close",
		"close(), and SIGALRM will go off meanwhile", "closed" },
	[EXIT] = { OURS_ENDS, end_by_exit, "_exit", "exit with the descriptor open" },
	[KILL] = { OURS_ENDS, end_by_kill, "kill", "SIGKILL with the descriptor open" },

	[PEER_LISTEN] = { COURTESY, NULL, "peer: listen" },
	[PEER_LISTEN_TINY] = { HELP, NULL, "peer: listen",
		.after = "peer: listening with next to no receive buffer" },
	[PEER_LISTEN_DEAF] = { HELP, NULL, "peer: listen",
		.after = "peer: listening, but dropping every SYN" },
	[PEER_REFUSE] = { HELP, NULL, "peer: bind", .after = "peer: has a port, not listening" },
	[PEER_ACCEPT] = { COURTESY, NULL, "peer: accept" },
	[PEER_CONNECT] = { HELP, NULL, "peer: connect", .after = "peer: connected %ld times" },
	[PEER_SEND] = { HELP, NULL, "peer: send", .after = "peer: sent %ld bytes" },
	[PEER_SEND_URGENT] = { HELP, NULL, "peer: send",
		.after = "peer: sent one byte, urgent" },
	[PEER_SHUT_WRITE] = { HELP, NULL, "peer: shutdown", .after = "peer: sent its FIN" },
	[PEER_DROP_END] = { HELP, NULL, "peer: filter",
		.after = "peer: drops every FIN and RST of ours from now on" },
	[PEER_RESET] = { HELP, NULL, "peer: reset", .after = "peer: sent an RST" },
	[PEER_RESET_IN_CLOSE] = { HELP, NULL, "peer: reset",
		.after = "peer: will send an RST while close() waits" },
	[PEER_READ_ALL] = { COURTESY, NULL, "peer: reading to the end",
		.after = "peer: read to the end" },
	[PEER_AWAIT_CLOSE] = { COURTESY, NULL, "peer: waiting for the RST",
		.after = "peer: met an RST" },
	[PEER_CLOSE] = { COURTESY, NULL, "peer: close" },
	[PEER_KEEP] = { COURTESY, NULL, "peer: close" },
	[PEER_FORGET] = { COURTESY, NULL, "peer: tidying up" },
	/* clang-format on */
};

bool step_is_close(const struct step *step)
{
	return ops[step->op].kind == OURS_CLOSES || step_ends_process(step);
}

bool step_ends_process(const struct step *step)
{
	return ops[step->op].kind == OURS_ENDS;
}

bool step_is_help(const struct step *step)
{
	return ops[step->op].kind == HELP;
}

static void say_states(const struct walk *walk)
{
	const char *name = state_name(tcp_state(walk->fd));

	warnx("  %s, %d unread, %d unsent, %d not acknowledged", name ? name : "?",
	      queued(walk->fd, SIOCINQ), queued(walk->fd, SIOCOUTQNSD), queued(walk->fd, SIOCOUTQ));
}

static void say(const struct walk *walk, const char *sentence, long arg)
{
	if (!sentence || walk->options->verbosity < PATH_STEPS)
		return;
	warnx(sentence, arg);
	if (walk->options->verbosity >= PATH_STATES && walk->fd >= 0)
		say_states(walk);
}

/* The user's own peer is not ours to command: the courtesies are left out, and
 * path_takes_host() refuses a path that needs more. */
static bool is_for_nobody(const struct walk *walk, const struct step *step)
{
	return !ops[step->op].run && !walk->options->peer;
}

static int run(struct walk *walk, const struct step *step)
{
	walk->arg = step->arg;
	return ops[step->op].run ? ops[step->op].run(walk) : command_peer(walk, step->op);
}

int step_do(struct walk *walk, const struct step *step, char *why, size_t why_size)
{
	if (is_for_nobody(walk, step))
		return 0;
	say(walk, ops[step->op].before, step->arg);
	if (run(walk, step)) {
		snprintf(why, why_size, "%s: %s", ops[step->op].name, strerror(errno));
		return -1;
	}
	say(walk, ops[step->op].after, step->arg);
	return 0;
}
