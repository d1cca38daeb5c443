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

/* What begins a struct reset_event. */
struct sighting {
	struct close_event event;
	__u64 inode;
};

static __always_inline void emit_sighting(const struct sighting *s)
{
	if (bpf_ringbuf_output(&ring, (void *)s, sizeof(*s), BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&counters.lost_ring, 1);
}

/* To walk the stack costs ten times as much as the rest: only where nothing else can tell. */
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
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

#endif
