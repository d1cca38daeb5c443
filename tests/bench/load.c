// SPDX-License-Identifier: GPL-2.0-only
/*
 * load PATTERN COUNT [SECONDS]: one process opens and closes COUNT connections over loopback,
 * or as many as fit into SECONDS, and prints how that went as JSON.  connection_us is the first
 * decile: how long one takes where nobody disturbs it.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/bench/loopback.h"

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static double run(struct loopback *loopback, const struct pattern *pattern, uint64_t connections,
		  double seconds)
{
	double begin = now_s();

	while (loopback->index < connections && (!seconds || now_s() < begin + seconds))
		loopback_connection(loopback, pattern);
	return now_s() - begin;
}

int main(int argc, char **argv)
{
	static struct loopback loopback;
	const struct pattern *pattern = argc > 2 ? pattern_find(argv[1]) : NULL;
	double took;

	if (!pattern)
		errx(64, "usage: load unread|linger|fin|mix COUNT [SECONDS]");
	loopback_open(&loopback);
	took = run(&loopback, pattern, strtoull(argv[2], NULL, 10), argc > 3 ? atof(argv[3]) : 0);
	loopback_close(&loopback);
	printf("{\"pattern\":\"%s\",\"connections\":%llu,\"per_second\":%.1f,"
	       "\"connection_us\":%.3f,\"p50_us\":%.3f,\"p99_us\":%.3f}\n",
	       pattern->name, (unsigned long long)loopback.index, loopback.index / took,
	       histogram_percentile_us(&loopback.whole, 10),
	       histogram_percentile_us(&loopback.close, 50),
	       histogram_percentile_us(&loopback.close, 99));
	return 0;
}
