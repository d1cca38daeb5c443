/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two programs on one hook, where the kernel may leave out either, but hardly both.
 *
 * From v7.0 tracepoints are guarded by SRCU: on a preemptible kernel a task may be put off within
 * the program of a raw one, and until it goes on bpf_trace_run() leaves that program out for all
 * others on its CPU.  Breakpoints and the events of perf are not preempted, but of them
 * trace_call_bpf() runs one at a time on a CPU: what a softirq does that has interrupted any of
 * them is not told.  A softirq is not put off, so there the raw tracepoint sees what the other
 * could not.
 *
 * The first of the two, which is not put off, tells, and leaves a note for the second.
 */
#ifndef CLOSETRACE_WITNESS_BPF_H
#define CLOSETRACE_WITNESS_BPF_H

#include "bpf/filter.bpf.h"

enum witness {
	ONLY_WITNESS,
	FIRST_WITNESS,
	SECOND_WITNESS,
};

/* Notes, by the address of the socket, or of the segment that is answered: whoever handles one
 * handles it alone.  Those for which no second came are in nobody's way, the oldest go. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u8);
} told SEC(".maps");

/* Whether it is for the other to tell: it has told, or there is no room for a note. */
static __always_inline bool is_for_the_other(enum witness witness, const void *what)
{
	__u64 key = (__u64)what;
	__u8 yes = 1;

	if (!filter.preemptible || witness == ONLY_WITNESS)
		return false;
	if (witness == SECOND_WITNESS)
		return !bpf_map_delete_elem(&told, &key);
	return bpf_map_update_elem(&told, &key, &yes, BPF_ANY);
}

#endif
