// SPDX-License-Identifier: GPL-2.0-only
#include "user/await.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/bpf.h>
#include <linux/sockios.h>
#include <linux/tcp.h>

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int await(bool (*reached)(int fd, long arg), int fd, long arg)
{
	const struct timespec nap = { .tv_nsec = 200 * 1000 };
	long end_ms = now_ms() + AWAIT_S * 1000;

	while (!reached(fd, arg)) {
		if (now_ms() > end_ms) {
			errno = ETIMEDOUT;
			return -1;
		}
		nanosleep(&nap, NULL);
	}
	return 0;
}

int await_poll(int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int ready;

	do
		ready = poll(&poll_fd, 1, AWAIT_S * 1000);
	while (ready < 0 && errno == EINTR);
	if (!ready)
		errno = ETIMEDOUT;
	return ready > 0 ? 0 : -1;
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

int tcp_state(int fd)
{
	return info_of(fd).tcpi_state;
}

static bool is_in_state(int fd, long state)
{
	return tcp_state(fd) == state;
}

int await_state(int fd, int state)
{
	return await(is_in_state, fd, state);
}

int queued(int fd, unsigned long request)
{
	int bytes = 0;

	return ioctl(fd, request, &bytes) ? 0 : bytes;
}

static bool has_unread(int fd, long bytes)
{
	return queued(fd, SIOCINQ) >= bytes;
}

int await_unread(int fd, long bytes)
{
	return await(has_unread, fd, bytes);
}

/* Nothing is under way, so no late acknowledgement will find the socket closed. */
static bool is_stuck(int fd, long bytes)
{
	return queued(fd, SIOCOUTQNSD) >= bytes && queued(fd, SIOCOUTQ) == queued(fd, SIOCOUTQNSD);
}

int await_stuck(int fd, long bytes)
{
	return await(is_stuck, fd, bytes);
}

/* A packet that was sent twice (tail loss probe, before a delayed acknowledgement) might be
 * under way still and find no socket: each is told of by a D-SACK when it has come in. */
static bool is_acked(int fd, long bytes)
{
	struct tcp_info info = info_of(fd);

	if (info.tcpi_state == BPF_TCP_CLOSE)
		return true;
	if (info.tcpi_options & TCPI_OPT_SACK && info.tcpi_dsack_dups < info.tcpi_total_retrans)
		return false;
	return queued(fd, SIOCOUTQ) <= bytes;
}

int await_acked(int fd)
{
	return await(is_acked, fd, 0);
}

/* tcp_get_info() puts a listener's sk_ack_backlog there. */
static bool has_children(int fd, long count)
{
	return info_of(fd).tcpi_unacked == count;
}

int await_children(int fd, long count)
{
	return await(has_children, fd, count);
}
