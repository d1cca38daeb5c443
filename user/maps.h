/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which files lie where in a process's memory.  What was read while it lived is kept for records
 * that are read later; of one that was never seen alive, only what a record itself tells and files
 * of others tell.
 */
#ifndef CLOSETRACE_MAPS_H
#define CLOSETRACE_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/event.h"
#include "user/symbols.h"

struct maps;

/* A file, from where it begins in memory to where it ends. */
struct area {
	uint64_t begin;
	uint64_t end;
	uint64_t text_begin;	/* of its executable part */
	uint64_t text_end;
	uint64_t inode;
	const char *path;
	bool tried;		/* to open it */
	struct binary *binary;	/* NULL: it could not be opened */
	int pid;
	bool is_exe;		/* it is its program */
};

/* The address space that the stack is of; NULL: nothing is known of it. */
struct maps *maps_of(const struct user_stack *user);

/* What lies there, opened if it can be; NULL: nothing. */
struct area *maps_find(struct maps *maps, uint64_t address);

Dwfl *maps_dwfl(struct maps *maps);

/* Processes change: what is asked from here on is asked anew. */
void maps_renew(void);

/* Before privileges are given up; and after all. */
void maps_begin(void);
void maps_end(void);

/* Of one with executable code, from a file like /proc/PID/maps.  Returns how many; to be freed. */
size_t maps_read(FILE *file, struct area **areas);

#endif
