// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/end_deeds.h"
#include "tests/live/end_tcp.h"
#include "tests/live/live.h"
#include "user/await.h"

#define FIRST_LPORT	20001
#define FIRST_RPORT	30001
#define LPORTS		4
#define RPORTS		2
#define PLACES		(LPORTS * RPORTS)
#define PEERS		16	/* threads */
#define BACKLOG		64
#define FULL_ORPHAN_S	100

static struct shared {
	bool taken[PLACES];
	struct deed deeds[];
} *shared;

static uint16_t lport_at(int place)
{
	return FIRST_LPORT + place % LPORTS;
}

static uint16_t rport_at(int place)
{
	return FIRST_RPORT + place / LPORTS;
}

uint16_t lport_of(const struct deed *deed)
{
	return lport_at(deed->place);
}

uint16_t rport_of(const struct deed *deed)
{
	return rport_at(deed->place);
}

struct deed *deeds_begin(int count)
{
	shared = mmap(NULL, sizeof(*shared) + count * sizeof(*shared->deeds),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		bail_out("no memory: %s", strerror(errno));
	return shared->deeds;
}

long long real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "end_deeds: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void await_flag(const bool *flag, const char *what)
{
	for (int tries = 0; !__atomic_load_n(flag, __ATOMIC_ACQUIRE); tries++) {
		if (tries > 100000)
			die(what);
		nap_us(200);
	}
}

static void raise_flag(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

static void give_back(int place)
{
	__atomic_store_n(&shared->taken[place], false, __ATOMIC_RELEASE);
}

/* ---- the peers -------------------------------------------------------------------------- */

static uint32_t seq_of(int fd, int queue)
{
	uint32_t seq = 0;
	socklen_t size = sizeof(seq);

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) ||
	    getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &size))
		die("TCP_QUEUE_SEQ");
	return seq;
}

static void set_repair(int fd, int mode)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &mode, sizeof(mode)))
		die("TCP_REPAIR");
}

static void note_numbers(int fd, struct deed *deed)
{
	set_repair(fd, TCP_REPAIR_ON);
	deed->seq = seq_of(fd, TCP_SEND_QUEUE);
	deed->ack = seq_of(fd, TCP_RECV_QUEUE);
	set_repair(fd, TCP_REPAIR_OFF_NO_WP);
}

/* Before it comes to that by itself, in tens of milliseconds.  tcp_cleanup_rbuf() does so when
 * the FIN itself has been read. */
static void acknowledge_fin(int fd)
{
	const int now = 1;
	char end;

	if (await_poll(fd, POLLRDHUP) || recv(fd, &end, 1, 0) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof(now)))
		die("no FIN to acknowledge");
}

static void send_late(int fd, struct deed *deed)
{
	if (deed->is_acknowledged && deed->kind != BY_NOBODY)
		acknowledge_fin(fd);
	nap_us(deed->delay_us);
	note_numbers(fd, deed);
	hear_again(fd);
	deed->sent_ns = real_ns();
	if (send(fd, "late", 4, MSG_NOSIGNAL) != 4 || await_state(fd, TCP_CLOSE))
		die("no RST for late data");
	deed->done_ns = real_ns();
}

/* The first thing that comes is the number of the deed. */
static void serve(int fd)
{
	struct deed *deed;
	int number;

	if (recv(fd, &number, sizeof(number), MSG_WAITALL) != sizeof(number))
		die("no number");
	deed = &shared->deeds[number];
	if (deed->kind == BY_NOBODY)
		deafen_to(fd, TH_RST);
	if (send(fd, "r", 1, 0) != 1)
		die("not ready");
	await_flag(&deed->is_closed, "it does not close");
	send_late(fd, deed);
	close(fd);
	if (!deed->is_hasty)
		give_back(deed->place);
	raise_flag(&deed->is_done);
}

static void *be_peer(void *listener)
{
	for (;;) {
		int fd = accept4(*(int *)listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("accept");
		serve(fd);
	}
}

static void listen_at(int *listener, uint16_t port)
{
	const struct sockaddr_storage at = loopback_at(AF_INET, port);

	*listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*listener < 0 || bind(*listener, (const struct sockaddr *)&at, sizeof(at)) ||
	    listen(*listener, BACKLOG))
		die("listen");
}

__attribute__((noreturn)) static void be_peers(const int *listeners)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < PEERS; i++)
		if (pthread_create(&thread, NULL, be_peer, (void *)&listeners[i % RPORTS]))
			die("no thread");
	for (;;)
		pause();
}

pid_t peers_start(void)
{
	int listeners[RPORTS];
	pid_t pid;

	for (int i = 0; i < RPORTS; i++)
		listen_at(&listeners[i], FIRST_RPORT + i);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bail_out("no process: %s", strerror(errno));
	if (!pid)
		be_peers(listeners);
	for (int i = 0; i < RPORTS; i++)
		close(listeners[i]);
	return pid;
}

/* ---- the closers ------------------------------------------------------------------------ */

/* Any of them, from this one on. */
static int take_place(int from)
{
	for (int tries = 0; tries < 100000; tries++) {
		int place = (from + tries) % PLACES;

		if (!__atomic_exchange_n(&shared->taken[place], true, __ATOMIC_ACQUIRE))
			return place;
		if (tries % PLACES == PLACES - 1)
			nap_us(500);
	}
	die("no place");
}

/* -1: the one before is not gone yet. */
static int try_connect(int place)
{
	const struct sockaddr_storage from = loopback_at(AF_INET, lport_at(place));
	const struct sockaddr_storage to = loopback_at(AF_INET, rport_at(place));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		die("socket");
	if (!bind(fd, (const struct sockaddr *)&from, sizeof(from)) &&
	    !connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		return fd;
	if (errno != EADDRNOTAVAIL && errno != EADDRINUSE)
		die("connect");
	close(fd);
	return -1;
}

static int connect_from(int place)
{
	int fd;

	while ((fd = try_connect(place)) < 0)
		nap_us(1000);
	return fd;
}

static void prepare(int fd, enum kind kind)
{
	const int full_orphan_s = FULL_ORPHAN_S;

	if (kind == BY_ORPHAN)
		setsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &full_orphan_s,
			   sizeof(full_orphan_s));
	else if (kind == BY_NOBODY)
		make_abortive(fd);
}

static void commit(int number, struct deed *deed)
{
	int fd = connect_from(deed->place);
	char ready;

	if (send(fd, &number, sizeof(number), 0) != sizeof(number) || recv(fd, &ready, 1, 0) != 1)
		die("the peer is not ready");
	prepare(fd, deed->kind);
	deed->pid = getpid();
	prctl(PR_GET_NAME, deed->comm);
	close(fd);
	if (deed->is_hasty)
		give_back(deed->place);
	raise_flag(&deed->is_closed);
}

__attribute__((noreturn)) static void be_closer(int first, int count)
{
	char comm[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(comm, sizeof(comm), "closer-%d", first);
	prctl(PR_SET_NAME, comm);
	for (int number = first; number < first + count; number++) {
		struct deed *deed = &shared->deeds[number];

		deed->place = take_place(deed->place);
		commit(number, deed);
	}
	_exit(0);
}

pid_t closer_do(int first, int count)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bail_out("no process: %s", strerror(errno));
	if (!pid)
		be_closer(first, count);
	return pid;
}

void closer_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == pid && !status)
		return;
	/* What an earlier connection of these ports still met, by chance. */
	skip("a connection was reset before it had begun", "whose late data it is");
	exit(finish());
}

void deeds_await(int first, int count)
{
	for (int number = first; number < first + count; number++)
		await_flag(&shared->deeds[number].is_done, "a peer is not done");
}
