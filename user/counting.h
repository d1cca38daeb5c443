/* SPDX-License-Identifier: GPL-2.0-only */
/* What -c does instead of telling records: from what the programs counted to the tables. */
#ifndef CLOSETRACE_COUNTING_H
#define CLOSETRACE_COUNTING_H

#include "user/options.h"
#include "user/reconcile.h"
#include "user/summary.h"
#include "user/tracer.h"

struct counting {
	bool on;			/* else nothing below does anything */
	const struct options *options;
	struct tracer *tracer;
	struct reconcile *reconcile;	/* NULL: nobody wants to know */
	struct summary summary;		/* since the last table */
	double next_s;			/* CLOCK_MONOTONIC: when the next table is due */
	bool failed;			/* some of what was counted could not be read */

	/* Of all that the programs have counted; what came by itself is not in it. */
	uint64_t closes;
	uint64_t resets;
	uint64_t unknown;
	uint64_t unwritten;		/* closes, in tables that could not be written */
};

/* Right after the kernel's counters were read first. */
void counting_begin(struct counting *counting, const struct options *options,
		    struct tracer *tracer, struct reconcile *reconcile);
void counting_end(struct counting *counting);

/* Takes out what the programs have counted by now. */
void counting_take(struct counting *counting, enum when when);

/* A reset or an end that came by itself. */
void counting_record(struct counting *counting, const struct record *record);

/* With -k closes come by themselves, too, counted already but for where they come from. */
void counting_closed(struct counting *counting, const struct record *record);

/* A table of what was taken since the last one, when it is due; and when the next is, or the end.
 * 0: never. */
void counting_show_in_time(struct counting *counting, struct out *out, double end_s);
double counting_next_s(const struct counting *counting, double end_s);

/* The last one, of what is left. */
void counting_finish(struct counting *counting, struct out *out);

#endif
