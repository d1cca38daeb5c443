/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may stand between us and the kernel, asked of /proc and /sys.  Whether it
 * does is mostly for a trial to say: this is for the reason why one failed, and for doctor.
 */
#ifndef CLOSETRACE_KERNEL_H
#define CLOSETRACE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/event.h"

struct btf;

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

enum finding {
	FINDING_GOOD,
	FINDING_UNSURE,		/* we may not ask */
	FINDING_WEAK,		/* less is seen, or it costs more */
	FINDING_BAD,
};

struct check {
	const char *what;
	/* Says in text what it found.  btf: the file of --btf, or NULL. */
	enum finding (*ask)(const char *btf, char *text, size_t size);
	unsigned int ways;	/* that it may bar: 1 << enum via */
	const char *means;	/* where it is weak or bad: what follows ... */
	const char *remedy;	/* ... and what to do about it */
	bool certain;		/* bad: a trial would fail, or worse, succeed and see nothing */
};

/* What weighs most comes first; what is NULL after the last. */
extern const struct check kernel_checks[];

/* The first that may have barred this way, by a trial: what was found and what to do, in one
 * line.  false: none. */
bool kernel_blame(enum via via, const char *btf, char *line, size_t size);

/* The same of those that are certain, before a trial. */
bool kernel_bars(enum via via, char *line, size_t size);

/* Whether a task may be put off within a program.  The kernel then leaves that program out for
 * all others on its CPU until the first goes on (bpf_prog_info.recursion_misses); a kprobe's
 * programs are not put off, and from v7.0 raw tracepoints are: witness.bpf.h. */
bool kernel_is_preemptible(void);
bool kernel_may_preempt(void);	/* or that is not known */

/* The ways, the one to try first at 0. */
enum via kernel_way(unsigned int rank);

/* Whether these types may be the running kernel's, by the names of functions among them. */
bool kernel_has_functions_of(const struct btf *btf);

#endif
