/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of resets and ends, from what the kernel handed over to what is told.  Some have to
 * wait a moment for another record, which settles whose they are or what they were.
 */
#ifndef CLOSETRACE_RESETS_H
#define CLOSETRACE_RESETS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/closers.h"
#include "user/judge.h"
#include "user/tracer.h"

#define RESETS_WAITING 256

struct waiting {
	struct reset_event event;
	struct record record;
	int64_t since_ms;	/* CLOCK_MONOTONIC */
};

struct resets {
	const struct tracer *tracer;
	struct closers *closers;
	void (*put)(void *arg, const struct record *record);
	void *arg;
	struct waiting waiting[RESETS_WAITING];	/* the oldest first */
	size_t count;
};

/* Size: of what is there of a struct reset_event. */
void resets_take(struct resets *resets, const struct close_event *event, size_t size);

/* A close is about to be told: what waits for its socket was its process's. */
void resets_closed(struct resets *resets, const struct close_event *close);

/* Tells those that have waited long enough, or all. */
void resets_tell(struct resets *resets, bool all);

#endif
