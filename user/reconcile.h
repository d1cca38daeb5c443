/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was recorded beside the kernel's own counters, for each network namespace
 * and over the same time: the proof that nothing was missed, or where it was.
 * Which record moves which counter: user/moves.h; why they differ: user/account.h.
 */
#ifndef CLOSETRACE_RECONCILE_H
#define CLOSETRACE_RECONCILE_H

#include <stdint.h>
#include <stdio.h>

#include "user/judge.h"

/* Once records are taken, while we may still ask whose namespace is which.  netns: the inode number
 * of the only network namespace, 0: all that have a process in proc ("/proc").  NULL with errno. */
struct reconcile *reconcile_open(const char *proc, uint32_t netns);
void reconcile_close(struct reconcile *reconcile);	/* forgives NULL */

/* One record.  It may have happened before the opening, or after the last look: each is set
 * against its own namespace's reading by its time. */
void reconcile_count(struct reconcile *reconcile, const struct record *record);

/* So many that were counted alike, of which no more is known than that they were there by the time
 * that the counters were read first, after that and before they are read next, or since they were
 * read last: with the first and the last, that may be on either side. */
enum when {
	WHEN_OPENED,
	WHEN_BETWEEN,
	WHEN_LOOKED,
};
void reconcile_add(struct reconcile *reconcile, const struct record *record, uint64_t count, enum when when);

/* Reads the counters again: while records are still taken, and before those that are in the ring
 * are counted. */
void reconcile_look(struct reconcile *reconcile);

/* The result as of the last look.  incomplete: why it cannot be complete ("filters are on"), or
 * NULL; lost: how many records were. */
void reconcile_tell(const struct reconcile *reconcile, FILE *to, const char *incomplete,
		    uint64_t lost);

#endif
