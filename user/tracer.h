/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's side of the trace: loads the programs the best way that this kernel lets in,
 * and hands over their records.  All that knows libbpf is behind this.
 */
#ifndef CLOSETRACE_TRACER_H
#define CLOSETRACE_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/event.h"
#include "user/counts.h"
#include "user/hooks.h"

struct tracer;

struct tracer_options {
	struct filter filter;
	const pid_t *pids;	/* trace these alone; NULL: everybody */
	size_t pids_count;
	bool follow;		/* their children too, born and to be born */
	int cgroup;		/* descriptor of a cgroup directory; -1: any */
	int via;		/* enum via; -1: the best that works */
	const char *btf;	/* the kernel's BTF; NULL: from sysfs */
	int verbose;
};

struct tracer_lost {
	uint64_t ring;		/* the reader was too slow */
	uint64_t table;		/* no room for what a close needs to be remembered */
};

/* Loads and attaches; nothing is recorded yet.  NULL: `why` says what the kernel refused. */
struct tracer *tracer_open(const struct tracer_options *options, char *why, size_t why_size);
void tracer_close(struct tracer *tracer);	/* forgives NULL */

enum via tracer_via(const struct tracer *tracer);

/* Why a better way was not taken; NULL: it was not tried. */
const char *tracer_refused(const struct tracer *tracer, enum via via);

/* Each hook that this kernel lacks; NULL after the last. */
struct missing {
	const struct hook *hook;
	char why[64];
};
const struct missing *tracer_missing(const struct tracer *tracer, size_t index);

/* Whether closes are remembered with their task; else in a table, which is slower. */
bool tracer_task_storage(const struct tracer *tracer);

/* Says on stderr what is missing and, with options.verbose, why no better way was taken. */
void tracer_tell(const struct tracer *tracer);

/* Whether only some processes are traced, and whether this is one of them. */
bool tracer_traces_few(const struct tracer *tracer);
bool tracer_filters(const struct tracer *tracer);	/* anything, but by network namespace */
bool tracer_wants(const struct tracer *tracer, pid_t pid, const char *comm);
bool tracer_sees_all(const struct tracer *tracer);	/* RSTs that count as such */
bool tracer_wants_resets(const struct tracer *tracer);	/* and no more */
bool tracer_wants_branches(const struct tracer *tracer);	/* some of them */

/* With options.pids: one more to trace.  0 or -errno. */
int tracer_add_pid(struct tracer *tracer, pid_t pid);

void tracer_start(struct tracer *tracer);	/* records from here on */
void tracer_stop(struct tracer *tracer);	/* no more; those made are still to be read */

/* Hands each record that is there to the handler, does not wait.  The record is the ring's:
 * gone when the handler returns.  A struct reset_event where it is as large, what is before its
 * inode elsewhere; with stacks a struct stack_event, a struct walked_event or a struct
 * user_stack_event.  Returns how many there were, or -errno. */
typedef void tracer_handler(void *arg, const struct close_event *event, size_t size);
int tracer_read(struct tracer *tracer, tracer_handler *handler, void *arg);

/* With options.filter.stacks: what rows_begin() takes. */
struct unwind_entry *tracer_rows(const struct tracer *tracer);

/* Ready to read when there is the first record with the user's stack of a process: it cannot wait. */
int tracer_fd(const struct tracer *tracer);

/* With options.filter.counting: takes out what was counted since the last time, as of one moment.
 * 0 or -errno. */
int tracer_take(struct tracer *tracer, counts_handler *handler, void *arg);

struct tracer_lost tracer_lost(const struct tracer *tracer);

/* How often the kernel left one of the programs out, because it was on its way on that CPU already,
 * and how often one without which a record is missing.  A preemptible kernel does so for closes,
 * see kernel_is_preemptible(); elsewhere it takes a softirq, which ends sockets and answers, but
 * closes none.  Others' records are among them. */
struct tracer_skipped {
	uint64_t runs;
	uint64_t records;
};
struct tracer_skipped tracer_skipped(const struct tracer *tracer);

/* After tracer_stop(): closes that began and were not seen to return, as far as this way counts
 * them.  They wait still, or there was no kretprobe left for them. */
uint64_t tracer_unfinished(const struct tracer *tracer);

/* After tracer_stop(), and once: closed sockets that are gone and were not seen to end, where the
 * kernel lets them be asked for (v5.19).  It had run no program for them. */
uint64_t tracer_unended(const struct tracer *tracer);

#endif
