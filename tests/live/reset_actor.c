// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/filter.h>

#include "tests/live/live.h"
#include "tests/live/reset_actor.h"
#include "user/await.h"
#include "user/peer.h"

#define BYTES 100	/* of data; more than a TCP header's 60 */

struct order {
	long (*step)(int slot, long arg);	/* the same address in a child of ours */
	int slot;
	long arg;
};

struct answer {
	long result;
	int error;
};

/* In the process itself. */
static struct place place;
static int fds[SLOTS];

/* ---- from outside --------------------------------------------------------------------- */

static _Noreturn void obey(int line)
{
	struct answer answer;
	struct order order;

	while (recv(line, &order, sizeof(order), 0) == sizeof(order)) {
		errno = 0;
		answer.result = order.step(order.slot, order.arg);
		answer.error = errno;
		send(line, &answer, sizeof(answer), MSG_NOSIGNAL);
	}
	_exit(0);
}

/* A socket that it has from us would have two owners. */
static void drop_inherited(int but)
{
	if (but > 3)
		close_range(3, but - 1, 0);
	close_range(but + 1, ~0U, 0);
}

void actor_start(struct actor *actor, const char *comm, const struct place *where)
{
	int ends[2];

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		bail_out("no pair of sockets: %s", strerror(errno));
	actor->pid = fork();
	if (actor->pid < 0)
		bail_out("no process: %s", strerror(errno));
	if (!actor->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		drop_inherited(ends[1]);
		place = *where;
		obey(ends[1]);
	}
	actor->line = ends[0];
	close(ends[1]);
}

void actor_kill(struct actor *actor)
{
	if (actor->line < 0)
		return;
	kill(actor->pid, SIGKILL);
	waitpid(actor->pid, NULL, 0);
	close(actor->line);
	actor->line = -1;
}

long actor_take(const struct actor *actor, int slot, long (*step)(int slot, long arg),
		const char *name, long arg)
{
	struct order order = { .step = step, .slot = slot, .arg = arg };
	struct answer answer = { .result = -1, .error = EPIPE };

	if (send(actor->line, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order) ||
	    recv(actor->line, &answer, sizeof(answer), 0) != sizeof(answer) || answer.result < 0)
		bail_out("%s: %s", name, strerror(answer.error));
	return answer.result;
}

/* ---- how a connection comes about ------------------------------------------------------ */

static struct sockaddr_storage at(unsigned int port)
{
	struct sockaddr_storage address = loopback(place.family);

	((struct sockaddr_in *)&address)->sin_port = htons(port);
	return address;
}

static long bind_it(int slot, unsigned int port, int flags)
{
	struct sockaddr_storage here = at(port);

	fds[slot] = socket(place.family, SOCK_STREAM | flags, 0);
	return fds[slot] < 0 ? -1 : bind(fds[slot], (struct sockaddr *)&here, sizeof(here));
}

static long connect_it(int slot, int flags)
{
	struct sockaddr_storage there = at(place.there);

	if (bind_it(slot, place.here + slot - END, flags))
		return -1;
	return connect(fds[slot], (struct sockaddr *)&there, sizeof(there));
}

long start_listening(int slot, long backlog)
{
	return bind_it(slot, place.here, 0) ? -1 : listen(fds[slot], backlog);
}

long connect_there(int slot, long unused)
{
	return connect_it(slot, 0);
}

long connect_refused(int slot, long unused)
{
	return connect_it(slot, 0) && errno == ECONNREFUSED ? 0 : -1;
}

long connect_begin(int slot, long unused)
{
	return connect_it(slot, SOCK_NONBLOCK) && errno == EINPROGRESS ? 0 : -1;
}

long accept_end(int slot, long unused)
{
	if (await_poll(fds[LISTENER], POLLIN))
		return -1;
	fds[slot] = accept(fds[LISTENER], NULL, NULL);
	return fds[slot];
}

long await_waiting(int slot, long children)
{
	return await_children(fds[slot], children);
}

/* ---- what comes in and goes out --------------------------------------------------------- */

long send_data(int slot, long unused)
{
	static const char bytes[BYTES];

	return send(fds[slot], bytes, BYTES, MSG_NOSIGNAL) == BYTES ? 0 : -1;
}

long await_data(int slot, long unused)
{
	return await_unread(fds[slot], BYTES);
}

long await_end(int slot, long state)
{
	return await_state(fds[slot], state);
}

/* The filter of a TCP socket begins at the TCP header. */
static long filter(int slot, struct sock_filter what, struct sock_filter how)
{
	struct sock_filter code[] = {
		what, how, BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, ~0U),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(*code), .filter = code };

	return setsockopt(fds[slot], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* They are byte 13 of it. */
long drop_flags(int slot, long flags)
{
	return filter(slot, (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		      (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1));
}

long drop_empty(int slot, long unused)
{
	return filter(slot, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		      (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, BYTES, 1, 0));
}

long drop_nothing(int slot, long unused)
{
	int none = 0;

	return setsockopt(fds[slot], SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
}

/* ---- options ------------------------------------------------------------------------------ */

static long set(int slot, int option, int value)
{
	return setsockopt(fds[slot], IPPROTO_TCP, option, &value, sizeof(value));
}

long defer_accept(int slot, long seconds)
{
	return set(slot, TCP_DEFER_ACCEPT, seconds);
}

long acknowledge(int slot, long unused)
{
	return set(slot, TCP_QUICKACK, 1);
}

long set_zero_linger(int slot, long unused)
{
	const struct linger now = { .l_onoff = 1 };

	return setsockopt(fds[slot], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

long set_linger2(int slot, long seconds)
{
	return set(slot, TCP_LINGER2, seconds);
}

long set_keepalive(int slot, long seconds)
{
	const int on = 1;

	if (set(slot, TCP_KEEPIDLE, seconds) || set(slot, TCP_KEEPINTVL, seconds) ||
	    set(slot, TCP_KEEPCNT, 1))
		return -1;
	return setsockopt(fds[slot], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

long set_repair(int slot, long unused)
{
	return set(slot, TCP_REPAIR, 1);
}

long next_seq(int slot, long unused)
{
	unsigned int seq;
	socklen_t size = sizeof(seq);

	if (set_repair(slot, 0) || set(slot, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE) ||
	    getsockopt(fds[slot], IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &size))
		return -1;
	/* Without a word to the peer. */
	return set(slot, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP) ? -1 : (long)seq;
}

/* ---- how it ends --------------------------------------------------------------------------- */

long dissolve(int slot, long unused)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	return connect(fds[slot], &nobody, sizeof(nobody));
}

long shut(int slot, long how)
{
	return shutdown(fds[slot], how);
}

long close_it(int slot, long unused)
{
	return close(fds[slot]);
}
