/* SPDX-License-Identifier: GPL-2.0-only */
/* The way out for records. */
#ifndef CLOSETRACE_RING_BPF_H
#define CLOSETRACE_RING_BPF_H

#include "bpf/filter.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring SEC(".maps");

/* The reader looks every 50 ms by itself; being woken for each record was three
 * quarters of what a record cost. */
static __always_inline void emit(const struct close_event *e)
{
	if (bpf_ringbuf_output(&ring, (void *)e, sizeof(*e), BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&counters.lost_ring, 1);
}

/* Room for a record with its callers, all zero; NULL: counted as lost. */
static __always_inline struct reset_event *reserve(void)
{
	struct reset_event *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (r)
		__builtin_memset(r, 0, sizeof(*r));
	else
		__sync_fetch_and_add(&counters.lost_ring, 1);
	return r;
}

/* Whose socket it is is still to be looked up, while the process lives: at once. */
static __always_inline void submit(struct reset_event *r)
{
	bpf_ringbuf_submit(r, r->inode ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

#endif
