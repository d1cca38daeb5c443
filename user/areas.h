/* SPDX-License-Identifier: GPL-2.0-only */
/* The files in a process's memory that have code, each from where it begins to where it ends. */
#ifndef CLOSETRACE_AREAS_H
#define CLOSETRACE_AREAS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "user/symbols.h"

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

/* From a file like /proc/PID/maps, by address.  Returns how many; to be freed. */
size_t areas_read(FILE *file, struct area **areas);

/* The file itself, opened when it is asked for the first time; NULL: it cannot be. */
struct binary *area_binary(struct area *area);

/* What has this name, if it is that file. */
int area_open(const char *path, uint64_t inode, int flags);

#endif
