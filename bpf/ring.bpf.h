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

/* With the callers.  Whose socket it is is still to be looked up, while the process lives: at
 * once. */
static __always_inline void emit_with_callers(void *ctx, const struct close_event *e, __u64 inode)
{
	struct reset_event *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		__sync_fetch_and_add(&counters.lost_ring, 1);
		return;
	}
	r->event = *e;
	r->inode = inode;
	__builtin_memset(r->callers, 0, sizeof(r->callers));
	bpf_get_stack(ctx, r->callers, sizeof(r->callers), 0);
	bpf_ringbuf_submit(r, inode ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

#endif
