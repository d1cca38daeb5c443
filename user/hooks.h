/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs hang on, and what a trace is without it. */
#ifndef CLOSETRACE_HOOKS_H
#define CLOSETRACE_HOOKS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct btf;

struct hook {
	const char *function;	/* the kernel's name for it: a function or a tracepoint */
	bool required;		/* without it no verdict would be sure */
	__u32 lacks;		/* LACKS_...: what a record is without it */
	const char *shows;	/* "how long ..." */
};

/* By the section of a program: "fentry/tcp_close".  NULL: not a hook on the close. */
const struct hook *hook_find(const char *section);

/* The type or the function that BTF has where the kernel has what this section names. */
void hook_type(const char *section, char *name, size_t size);

/* Whether the kernel has what this section names.  Where it does not let us ask, it has: the
 * trial is to come. */
bool hook_exists(const char *section, const struct btf *btf);

/* Whether the kernel lets a trampoline onto this function of its own: 0 or an errno.  A program on
 * it that is refused may have other faults. */
int hook_try(__u32 function);

#endif
