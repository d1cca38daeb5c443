// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/end_tcp.h"
#include "tests/live/live.h"
#include "user/peer.h"

#define TINY_BUFFER	4096
#define PATIENCE_NS	20000000000LL
#define TIMER_OF_TIME_WAIT 3	/* in the column tr */

long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void nap_us(long us)
{
	struct timespec nap = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	while (nanosleep(&nap, &nap) && errno == EINTR)
		;
}

/* ---- connections ------------------------------------------------------------------------ */

struct sockaddr_storage loopback_at(int family, uint16_t port)
{
	struct sockaddr_storage at = loopback(family);

	/* Both families have it in the same place. */
	((struct sockaddr_in *)&at)->sin_port = htons(port);
	return at;
}

uint16_t port_of(int fd)
{
	struct sockaddr_storage at = {};
	socklen_t size = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &size))
		bail_out("no name: %s", strerror(errno));
	return ntohs(((struct sockaddr_in *)&at)->sin_port);
}

static int listen_for(int family, bool tiny)
{
	const struct sockaddr_storage at = loopback_at(family, 0);
	const int size = TINY_BUFFER;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (tiny)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, 1))
		bail_out("no listener: %s", strerror(errno));
	return fd;
}

static int connect_to(int family, uint16_t port)
{
	const struct sockaddr_storage at = loopback_at(family, port);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)))
		bail_out("no connection: %s", strerror(errno));
	return fd;
}

void pair_open(struct pair *pair, int family, bool accepted, bool tiny)
{
	int listener = listen_for(family, tiny);
	int connected = connect_to(family, port_of(listener));
	int child = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (child < 0)
		bail_out("nothing to accept: %s", strerror(errno));
	close(listener);
	pair->end = accepted ? child : connected;
	pair->peer = accepted ? connected : child;
	pair->lport = port_of(pair->end);
	pair->rport = port_of(pair->peer);
}

static void attach(int fd, struct sock_filter *filter, size_t count)
{
	struct sock_fprog program = { .len = count, .filter = filter };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		bail_out("no filter: %s", strerror(errno));
}

void deafen(int fd)
{
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };

	attach(fd, nothing, 1);
}

/* A filter sees a segment from its TCP header on; the flags are in byte 13. */
void deafen_to(int fd, int flags)
{
	struct sock_filter all_but[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};

	attach(fd, all_but, 4);
}

void hear_again(int fd)
{
	const int unused = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)) &&
	    errno != ENOENT)
		bail_out("the filter stays: %s", strerror(errno));
}

void make_abortive(int fd)
{
	const struct linger zero = { .l_onoff = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero)))
		bail_out("no SO_LINGER: %s", strerror(errno));
}

/* ---- as the kernel has them ------------------------------------------------------------- */

/* A line of /proc/net/tcp. */
struct row {
	unsigned int lport, rport, state, timer;
};

static bool parse(const char *line, struct row *row)
{
	return sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x %*x:%*x %x:", &row->lport,
		      &row->rport, &row->state, &row->timer) == 4;
}

/* Returns what `each` does as soon as that is not 0. */
static int walk_table(const char *path, int (*each)(const struct row *, const struct row *),
		      const struct row *wanted)
{
	FILE *file = fopen(path, "re");
	char line[256];
	struct row row;
	int got = 0;

	while (file && !got && fgets(line, sizeof(line), file))
		if (parse(line, &row))
			got = each(&row, wanted);
	if (file)
		fclose(file);
	return got;
}

static int walk_tables(int (*each)(const struct row *, const struct row *),
		       const struct row *wanted)
{
	int got = walk_table("/proc/self/net/tcp", each, wanted);

	return got ? got : walk_table("/proc/self/net/tcp6", each, wanted);
}

/* A minisocket is shown with the state that it stands for, FIN_WAIT2 or TIME_WAIT. */
static int state_of(const struct row *row)
{
	return row->timer == TIMER_OF_TIME_WAIT ? TCP_TIME_WAIT : (int)row->state;
}

static int match(const struct row *row, const struct row *wanted)
{
	return row->lport == wanted->lport && row->rport == wanted->rport ? state_of(row) : 0;
}

int state_at(uint16_t lport, uint16_t rport)
{
	const struct row wanted = { .lport = lport, .rport = rport };

	return walk_tables(match, &wanted);
}

bool await_at(uint16_t lport, uint16_t rport, int state)
{
	long long end_ns = now_ns() + PATIENCE_NS;

	while (state_at(lport, rport) != state) {
		if (now_ns() > end_ns)
			return false;
		nap_us(500);
	}
	return true;
}

int count_orphans(void)
{
	FILE *file = fopen("/proc/net/sockstat", "re");
	char line[256];
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "TCP: inuse %*d orphan %d", &count);
	if (file)
		fclose(file);
	return count;
}

void await_orphans(int most)
{
	long long end_ns = now_ns() + 1000000000;

	while (count_orphans() > most && now_ns() < end_ns)
		nap_us(500);
}

static int is_full(const struct row *row, const struct row *unused)
{
	int state = state_of(row);

	return state != TCP_TIME_WAIT && state != TCP_LISTEN;
}

bool await_no_orphan(void)
{
	long long end_ns = now_ns() + PATIENCE_NS;

	while (walk_tables(is_full, NULL)) {
		if (now_ns() > end_ns)
			return false;
		nap_us(1000);
	}
	return true;
}

void set_ipv4(const char *name, int value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	file = fopen(path, "we");
	if (!file || fprintf(file, "%d\n", value) < 0 || fclose(file))
		bail_out("%s: %s", path, strerror(errno));
}

void send_once(void)
{
	static const char patience[] =
		"ip route replace table local local 127.0.0.1 dev lo proto kernel scope host "
		"src 127.0.0.1 rto_min 8s && ip -6 route del table local local ::1 dev lo && "
		"ip -6 route add table local local ::1 dev lo rto_min 8s";

	set_ipv4("tcp_early_retrans", 0);
	if (system(patience))
		note("what is not answered within 200 ms is sent again");
}
