/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of the kernel's functions, as /proc/kallsyms has them. */
#ifndef CLOSETRACE_KALLSYMS_H
#define CLOSETRACE_KALLSYMS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct kernel_symbol {
	uint64_t begin;
	const char *name;
	const char *module;	/* "kernel" where it is the kernel's own */
};

/* Opened while we may read it, read when the first address is asked about. */
void kallsyms_open(void);
void kallsyms_close(void);
void kallsyms_read(FILE *symbols);	/* from a file like it */

/* The function that it is in, or that is returned to; NULL: not known. */
const struct kernel_symbol *kallsyms_find(uint64_t address, bool returns);

#endif
