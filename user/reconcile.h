/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was recorded beside the kernel's own counters, for each network namespace
 * and over the same time: the proof that nothing was missed, or where it was.
 * reconcile.c has the table of which record moves which counter.
 */
#ifndef CLOSETRACE_RECONCILE_H
#define CLOSETRACE_RECONCILE_H

#include <stdint.h>
#include <stdio.h>

#include "user/judge.h"

/* The kernel's names, capitals apart.  The first seven are reconciled, the others tell why they
 * differ. */
enum counter {
	TCP_ABORT_ON_CLOSE,
	TCP_ABORT_ON_DATA,
	TCP_ABORT_ON_LINGER,
	TCP_ABORT_ON_MEMORY,
	TCP_ABORT_ON_TIMEOUT,
	EMBRYONIC_RSTS,
	OUT_RSTS,
	RECONCILED_COUNT,
	TCP_ABORT_FAILED = RECONCILED_COUNT,
	ATTEMPT_FAILS,
	IN_SEGS,
	MP_RST_TX,
	MP_FASTCLOSE_TX,
	COUNTERS_COUNT,
};

/* Once records are taken, while we may still ask whose namespace is which.  netns: the inode number
 * of the only network namespace, 0: all that have a process in proc ("/proc").  NULL with errno. */
struct reconcile *reconcile_open(const char *proc, uint32_t netns);
void reconcile_close(struct reconcile *reconcile);	/* forgives NULL */

/* One record.  It may have happened before the opening, or after the last look: each is set
 * against its own namespace's reading by its time. */
void reconcile_count(struct reconcile *reconcile, const struct record *record);

/* Reads the counters again: while records are still taken, and before those that are in the ring
 * are counted. */
void reconcile_look(struct reconcile *reconcile);

/* The result as of the last look.  incomplete: why it cannot be complete ("filters are on"), or
 * NULL; lost: how many records were. */
void reconcile_tell(const struct reconcile *reconcile, FILE *to, const char *incomplete,
		    uint64_t lost);

/* The pure parts.  1 << enum counter each: those that were found in net/snmp or net/netstat, those
 * that a record has moved for certain, and those of which that cannot be known. */
uint32_t reconcile_parse(FILE *file, uint64_t values[COUNTERS_COUNT]);
uint32_t reconcile_moved(const struct record *record);
uint32_t reconcile_may_have_moved(const struct record *record);

#endif
