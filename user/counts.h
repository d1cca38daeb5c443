/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables that the programs count in, with -c. */
#ifndef CLOSETRACE_COUNTS_H
#define CLOSETRACE_COUNTS_H

#include <stdbool.h>

#include "bpf/event.h"

struct bpf_object;

/* Gives the tables their sizes, or has none made where nothing is counted.  Before the programs
 * load: 0 or -errno. */
int counts_prepare(struct bpf_object *object, bool counting);

/* Takes out what was counted since the last time, all of it as of one moment: each row, of all CPUs
 * together.  0 or -errno. */
typedef void counts_handler(void *arg, enum table table, const struct table_key *key,
			     const struct sums *sums);
int counts_take(const struct bpf_object *object, volatile struct counters *counters,
		 counts_handler *handler, void *arg);

#endif
