// SPDX-License-Identifier: GPL-2.0-only
#include "user/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/filter.h>

#include "user/await.h"

/* Room for a few small segments with what the kernel spends on each: with room for
 * less than one, it drops and the sender waits for its timer. */
#define TINY_BUFFER 4096
#define MAX_CONNS   16
#define MAX_KEPT    8

struct peer {
	pid_t pid;
	int family;
	int line;		/* to the other end of the pair */
};

/* What the process has in hand.  Most commands are about the first connection. */
struct side {
	int family;
	int line;
	int listener;		/* or -1 */
	int conns[MAX_CONNS];
	int count;
	int kept[MAX_KEPT];	/* a ring; 0 where there is none */
	int kept_next;
	struct command command;
	struct reply reply;
};

typedef int obey_fn(struct side *side);

static int first(const struct side *side)
{
	return side->count ? side->conns[0] : -1;
}

static int add(struct side *side, int fd)
{
	if (fd < 0)
		return -1;
	if (side->count == MAX_CONNS) {
		close(fd);
		errno = ENFILE;
		return -1;
	}
	side->conns[side->count++] = fd;
	return 0;
}

struct sockaddr_storage loopback(int family)
{
	struct sockaddr_storage at = { .ss_family = family };

	if (family == AF_INET6)
		((struct sockaddr_in6 *)&at)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return at;
}

/* A port of our own, for the other side to connect to. */
static int bind_port(struct side *side)
{
	struct sockaddr_storage at = loopback(side->family);
	socklen_t len = sizeof(side->reply.at);

	side->listener = socket(side->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (side->listener < 0)
		return -1;
	if (bind(side->listener, (struct sockaddr *)&at, sizeof(at)))
		return -1;
	return getsockname(side->listener, (struct sockaddr *)&side->reply.at, &len);
}

/* What has one of the flags is gone before TCP sees it.  The filter of a TCP socket begins at
 * the TCP header, the flags are its byte 13. */
static int drop(int fd, unsigned char flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, ~0U),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(*code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* By tcp_disconnect(), as zero linger would, but without its TCPAbortOnData: that
 * counter is left to the side that is watched. */
static int reset(int fd)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	connect(fd, &nobody, sizeof(nobody));
	return close(fd);
}

static int listen_here(struct side *side)
{
	return bind_port(side) ? -1 : listen(side->listener, MAX_CONNS);
}

/* Children take the size from the listener, in time for their first window. */
static int listen_tiny(struct side *side)
{
	const int size = TINY_BUFFER;

	if (bind_port(side))
		return -1;
	if (setsockopt(side->listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		return -1;
	return listen(side->listener, MAX_CONNS);
}

static int listen_deaf(struct side *side)
{
	return listen_here(side) ? -1 : drop(side->listener, TH_SYN);
}

static int refuse(struct side *side)
{
	return bind_port(side);
}

/* From now on the listener takes what comes for a connection that is gone, or the kernel
 * would answer that with an RST.  A kernel that forbids the filter may. */
static int accept_one(struct side *side)
{
	if (await_poll(side->listener, POLLIN))
		return -1;
	if (add(side, accept4(side->listener, NULL, NULL, SOCK_CLOEXEC)))
		return -1;
	drop(side->listener, TH_ACK);
	return 0;
}

static int connect_one(struct side *side, const struct sockaddr_storage *at)
{
	if (add(side, socket(at->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)))
		return -1;
	return connect(side->conns[side->count - 1], (const struct sockaddr *)at, sizeof(*at));
}

static int connect_all(struct side *side)
{
	for (long i = 0; i < side->command.arg; i++)
		if (connect_one(side, &side->command.at))
			return -1;
	return 0;
}

/* Once acknowledged it is not sent again, which a socket that is closed meanwhile would
 * answer with an RST of its own. */
static int send_acked(struct side *side, const char *bytes, long count, int flags)
{
	if (send(first(side), bytes, count, flags | MSG_NOSIGNAL) != count)
		return -1;
	return await_acked(first(side));
}

static int send_bytes(struct side *side)
{
	static const char bytes[4096];

	return send_acked(side, bytes, side->command.arg, 0);
}

static int send_urgent(struct side *side)
{
	return send_acked(side, "!", 1, MSG_OOB);
}

static int shut_write(struct side *side)
{
	return shutdown(first(side), SHUT_WR) ? -1 : await_acked(first(side));
}

/* Acknowledgements of what the peer sends must come through. */
static int drop_end(struct side *side)
{
	return drop(first(side), TH_FIN | TH_RST);
}

static int reset_one(struct side *side)
{
	return side->count ? reset(side->conns[--side->count]) : -1;
}

static in_port_t port_of(const struct sockaddr_storage *at)
{
	return ntohs(((const struct sockaddr_in *)at)->sin_port);
}

static bool table_has(const char *table, unsigned int lport, unsigned int rport, int state)
{
	const char *row = "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x";
	unsigned int l, r, s;
	char line[512];
	bool found = false;
	FILE *file = fopen(table, "re");

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, row, &l, &r, &s) == 3 &&
			l == lport && r == rport && s == (unsigned int)state;
	if (file)
		fclose(file);
	return found;
}

/* An IPv6 socket with a mapped address is in the other table than its peer. */
static bool other_is_in_state(int fd, long state)
{
	struct sockaddr_storage here, there;
	socklen_t here_len = sizeof(here), there_len = sizeof(there);

	if (getsockname(fd, (struct sockaddr *)&here, &here_len) ||
	    getpeername(fd, (struct sockaddr *)&there, &there_len))
		return false;
	return table_has("/proc/net/tcp", port_of(&there), port_of(&here), state) ||
	       table_has("/proc/net/tcp6", port_of(&there), port_of(&here), state);
}

/*
 * The close holds the socket's lock from its move to FIN_WAIT1 until
 * sk_stream_wait_close() sleeps, so an RST sent from that move on waits in the
 * backlog at worst and is met during the wait, never before.
 */
static int reset_in_close(struct side *side)
{
	if (await(other_is_in_state, first(side), TCP_FIN_WAIT1))
		return -1;
	return reset_one(side);
}

/* Before the other side sends its FIN again. */
static int acknowledge_now(int fd)
{
	const int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static int read_all(struct side *side)
{
	char bytes[4096];
	ssize_t got;

	do {
		if (await_poll(first(side), POLLIN))
			return -1;
		got = recv(first(side), bytes, sizeof(bytes), 0);
	} while (got > 0);
	return got ? -1 : acknowledge_now(first(side));
}

static int await_closed(struct side *side)
{
	for (int i = 0; i < side->count; i++)
		if (await_state(side->conns[i], TCP_CLOSE))
			return -1;
	return 0;
}

static int close_all(struct side *side)
{
	while (side->count)
		close(side->conns[--side->count]);
	return 0;
}

/* What the other side sent twice may be under way still, and must not find the port unused. */
static void keep_open(struct side *side, int fd)
{
	int *slot = &side->kept[side->kept_next++ % MAX_KEPT];

	if (*slot)
		close(*slot);
	*slot = fd;
}

static int keep_all(struct side *side)
{
	while (side->count)
		keep_open(side, side->conns[--side->count]);
	return 0;
}

static int forget(struct side *side)
{
	while (side->count)
		reset(side->conns[--side->count]);
	if (side->listener >= 0)
		keep_open(side, side->listener);
	side->listener = -1;
	return 0;
}

static int (*const obeys[OP_COUNT])(struct side *side) = {
	[PEER_LISTEN] = listen_here,
	[PEER_LISTEN_TINY] = listen_tiny,
	[PEER_LISTEN_DEAF] = listen_deaf,
	[PEER_REFUSE] = refuse,
	[PEER_ACCEPT] = accept_one,
	[PEER_CONNECT] = connect_all,
	[PEER_SEND] = send_bytes,
	[PEER_SEND_URGENT] = send_urgent,
	[PEER_SHUT_WRITE] = shut_write,
	[PEER_DROP_END] = drop_end,
	[PEER_RESET] = reset_one,
	[PEER_RESET_IN_CLOSE] = reset_in_close,
	[PEER_READ_ALL] = read_all,
	[PEER_AWAIT_CLOSE] = await_closed,
	[PEER_CLOSE] = close_all,
	[PEER_KEEP] = keep_all,
	[PEER_FORGET] = forget,
};

static int answer(const struct side *side)
{
	ssize_t sent = send(side->line, &side->reply, sizeof(side->reply), MSG_NOSIGNAL);

	return sent == sizeof(side->reply) ? 0 : -1;
}

/* The other side will be stuck in its close, so it must have its answer before. */
static bool answers_first(enum op op)
{
	return op == PEER_RESET_IN_CLOSE;
}

static int serve_one(struct side *side)
{
	enum op op = side->command.op;

	side->reply = (struct reply){};
	if (answers_first(op) && answer(side))
		return -1;
	if (obeys[op](side))
		side->reply.error = errno;
	return answers_first(op) ? 0 : answer(side);
}

/* What the parent has open (a terminal apart) is none of our business: a socket
 * that we held, too, would not close when the parent closes it. */
static void drop_inherited(int but)
{
	if (but > 3)
		close_range(3, but - 1, 0);
	close_range(but + 1, ~0U, 0);
}

/* Until the line ends, which is how the parent's death shows as well. */
static _Noreturn void serve(int family, int line)
{
	struct side side = { .family = family, .line = line, .listener = -1 };

	drop_inherited(line);
	while (recv(line, &side.command, sizeof(side.command), 0) == sizeof(side.command))
		if (serve_one(&side))
			break;
	forget(&side);
	close_range(3, ~0U, 0);
	_exit(0);
}

static struct peer *peer_new(pid_t pid, int family, int line)
{
	struct peer *peer = malloc(sizeof(*peer));

	if (peer)
		*peer = (struct peer){ .pid = pid, .family = family, .line = line };
	return peer;
}

struct peer *peer_start(int family)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return NULL;
	pid = fork();
	if (!pid)
		serve(family, ends[1]);
	close(ends[1]);
	if (pid > 0)
		return peer_new(pid, family, ends[0]);
	close(ends[0]);
	return NULL;
}

void peer_stop(struct peer *peer)
{
	if (!peer)
		return;
	close(peer->line);
	waitpid(peer->pid, NULL, 0);
	free(peer);
}

int peer_family(const struct peer *peer)
{
	return peer->family;
}

int peer_obey(struct peer *peer, const struct command *command, struct reply *reply)
{
	if (send(peer->line, command, sizeof(*command), MSG_NOSIGNAL) != sizeof(*command))
		return -1;
	if (recv(peer->line, reply, sizeof(*reply), 0) != sizeof(*reply)) {
		errno = EPIPE;
		return -1;
	}
	errno = reply->error;
	return reply->error ? -1 : 0;
}
