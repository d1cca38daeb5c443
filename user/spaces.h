/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network namespaces: what their counters were at the opening and at the last look, and how
 * many records moved them between the two.  They are found, and read, by the processes in them.
 */
#ifndef CLOSETRACE_SPACES_H
#define CLOSETRACE_SPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/mib.h"

struct space {
	uint32_t netns;
	uint64_t inode;		/* of its net/snmp: it has one of its own.  0: not seen yet */
	unsigned int look;	/* the last one that has read it */
	uint64_t base_ns;	/* when base was read; 0: it was not there */
	uint64_t look_ns;	/* when now was read; no record is later before there was a look */
	uint64_t base[COUNTERS_COUNT];
	uint64_t now[COUNTERS_COUNT];
	uint64_t recorded[RECONCILED_COUNT];	/* between the two */
	uint64_t later[RECONCILED_COUNT];
	uint64_t near_base[RECONCILED_COUNT];
	uint64_t near_look[RECONCILED_COUNT];
	uint64_t unknown[RECONCILED_COUNT];	/* may have moved it */
	uint64_t mptcp;		/* RSTs by causes of MPTCP */
	uint64_t records;	/* that moved any */
	bool was_left;		/* of the sum of the young: some cannot be read any more */
	bool was_idle;		/* ... some may have counted before */
};

struct space_list {
	struct space *at;
	size_t count;
	size_t room;
};

struct spaces {
	int proc;
	uint32_t netns;		/* the only one, 0: all */
	unsigned int look;	/* 1: the opening */
	uint64_t begin_ns;
	uint64_t end_ns;
	bool idle;		/* some had no process at the opening, but a mount */
	struct space_list known;	/* by netns, in order: those of the opening, and of records */
	/* Whose number could not be asked for: privileges are given up by the time that they
	 * come.  Their sum stands beside the sum of the known that have no counters. */
	struct space_list young;
};

/* proc, netns: see reconcile_open().  0, or -1 with errno. */
int spaces_open(struct spaces *spaces, const char *proc, uint32_t netns);
void spaces_close(struct spaces *spaces);

/* Reads the counters of all again, of the young for the first time. */
void spaces_look(struct spaces *spaces);

/* The known with this number, from now on if it was not known before.  NULL: no memory. */
struct space *spaces_find(struct spaces *spaces, uint32_t netns);

/* Whether the last look has read it. */
bool spaces_can_read(const struct spaces *spaces, const struct space *space);

/* All whose number or whose counters we have not got, as one.  Returns how many have counters. */
size_t spaces_sum_young(const struct spaces *spaces, struct space *sum);

/* One record that has moved these, 1 << enum counter each, at this time: before or after the last
 * look, or before the opening. */
void space_count(struct space *space, uint32_t moved, uint64_t time_ns);

/* By how much the kernel has moved it from the opening to the last look. */
uint64_t space_moved(const struct space *space, enum counter counter);

#endif
