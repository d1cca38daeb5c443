/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections of a process to itself over loopback, always in the same order, and how long
 * they took. */
#ifndef CLOSETRACE_BENCH_LOOPBACK_H
#define CLOSETRACE_BENCH_LOOPBACK_H

#include <netinet/in.h>
#include <stdint.h>

/* 32 steps for each power of two: a percentile is right to 3 %, however long it takes. */
#define HISTOGRAM_STEPS 32

struct histogram {
	uint64_t total;
	uint64_t steps[64 * HISTOGRAM_STEPS];
};

enum ending { UNREAD, ZERO_LINGER, FIN };

/* How four connections end, over and over. */
#define CYCLE 4
struct pattern {
	const char *name;
	enum ending endings[CYCLE];
};

struct loopback {
	int listener;
	struct sockaddr_in address;
	uint64_t index;			/* of the next connection */
	struct histogram close;		/* the close that the pattern is about */
	struct histogram whole;		/* from the first socket() to the last close() */
};

extern const struct pattern patterns[];		/* ended by one without a name */
const struct pattern *pattern_find(const char *name);	/* NULL: none */

void loopback_open(struct loopback *loopback);
void loopback_connection(struct loopback *loopback, const struct pattern *pattern);
void loopback_close(struct loopback *loopback);

double histogram_percentile_us(const struct histogram *histogram, int percent);

#endif
