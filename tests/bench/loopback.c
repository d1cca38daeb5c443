// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/loopback.h"

/* A connection that ends by FINs keeps its port for a minute, but only towards this peer:
 * every so many connections go to another address of 127.0.0.0/8. */
#define PORTS_OF_ADDRESS 8192

#define STEPS	  HISTOGRAM_STEPS
#define STEP_BITS 5

const struct pattern patterns[] = {
	{ "unread", { UNREAD, UNREAD, UNREAD, UNREAD } },
	{ "linger", { ZERO_LINGER, ZERO_LINGER, ZERO_LINGER, ZERO_LINGER } },
	{ "fin", { FIN, FIN, FIN, FIN } },
	{ "mix", { FIN, UNREAD, FIN, ZERO_LINGER } },
	{ NULL },
};

const struct pattern *pattern_find(const char *name)
{
	for (const struct pattern *pattern = patterns; pattern->name; pattern++)
		if (!strcmp(pattern->name, name))
			return pattern;
	return NULL;
}

/* ---- how long it takes ---------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

static void count(struct histogram *histogram, uint64_t ns)
{
	int shift = ns < STEPS ? 0 : 63 - __builtin_clzll(ns) - STEP_BITS;

	histogram->steps[shift * STEPS + (ns >> shift)]++;
	histogram->total++;
}

static double middle_of(size_t step)
{
	int shift = step / STEPS - 1;

	return shift < 0 ? step : (STEPS + step % STEPS + 0.5) * (1ULL << shift);
}

double histogram_percentile_us(const struct histogram *histogram, int percent)
{
	uint64_t left = (histogram->total * percent + 99) / 100;
	size_t step = 0;

	while (left > histogram->steps[step])
		left -= histogram->steps[step++];
	return middle_of(step) / 1e3;
}

/* ---- connections ------------------------------------------------------------------ */

void loopback_open(struct loopback *loopback)
{
	socklen_t size = sizeof(loopback->address);

	memset(loopback, 0, sizeof(*loopback));
	loopback->address.sin_family = AF_INET;
	loopback->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(loopback->listener, (struct sockaddr *)&loopback->address, size) ||
	    listen(loopback->listener, 16) ||
	    getsockname(loopback->listener, (struct sockaddr *)&loopback->address, &size))
		err(1, "cannot listen");
}

void loopback_close(struct loopback *loopback)
{
	close(loopback->listener);
}

static int open_closer(struct loopback *loopback)
{
	in_addr_t peer = INADDR_LOOPBACK + loopback->index / PORTS_OF_ADDRESS % (1 << 23);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	loopback->address.sin_addr.s_addr = htonl(peer);
	if (fd < 0 || connect(fd, (struct sockaddr *)&loopback->address, sizeof(loopback->address)))
		err(1, "cannot connect");
	return fd;
}

static void prepare(int closer, int peer, enum ending ending)
{
	struct linger zero = { .l_onoff = 1 };

	if (ending == UNREAD && send(peer, "unread", 6, 0) != 6)
		err(1, "cannot send");
	if (ending == ZERO_LINGER)
		setsockopt(closer, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero));
}

/* The closer is the side that connected; the other side closes after it. */
void loopback_connection(struct loopback *loopback, const struct pattern *pattern)
{
	uint64_t began = now_ns(), closes, closed;
	int closer = open_closer(loopback);
	int peer = accept4(loopback->listener, NULL, NULL, SOCK_CLOEXEC);

	if (peer < 0)
		err(1, "cannot accept");
	prepare(closer, peer, pattern->endings[loopback->index++ % CYCLE]);
	closes = now_ns();
	close(closer);
	closed = now_ns();
	close(peer);
	count(&loopback->close, closed - closes);
	count(&loopback->whole, now_ns() - began);
}
