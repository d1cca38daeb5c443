/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs hang on, and what a trace is without it. */
#ifndef CLOSETRACE_HOOKS_H
#define CLOSETRACE_HOOKS_H

#include <linux/types.h>
#include <stdbool.h>

struct btf;

struct hook {
	const char *function;	/* the kernel's name for it: a function or a tracepoint */
	bool required;		/* without it no verdict would be sure */
	__u32 lacks;		/* LACKS_...: what a record is without it */
	const char *shows;	/* "how long ...", for doctor */
};

/* By the section of a program: "fentry/tcp_close".  NULL: not a hook on the close. */
const struct hook *hook_find(const char *section);

/* Asks the kernel's BTF, and where functions are not in it, its symbols. */
bool hook_exists(const struct hook *hook, const struct btf *btf);

__u32 hook_lacks(const char *function);

#endif
