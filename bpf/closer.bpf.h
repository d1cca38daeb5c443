/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who had closed what.  A closed socket often lives on without its process, and what
 * it meets then is that process's doing, not of whoever happens to be running:
 *
 *   orphans   full sockets, by their address, until tcp_destroy_sock
 *   ended     the one that was destroyed last on this CPU: tcp_reset() ends the
 *             connection first, and the RST that answers late data follows
 *
 * Connections whose socket is gone, where a minisocket in TIME_WAIT or nothing answers,
 * are the reader's business: it has their closes and ends.
 */
#ifndef CLOSETRACE_CLOSER_BPF_H
#define CLOSETRACE_CLOSER_BPF_H

#include "bpf/filter.bpf.h"
#include "bpf/near.bpf.h"

struct closer {
	struct close_event event;	/* the record of the close */
	__u64 returned_ns;		/* CLOCK_MONOTONIC; 0: the call goes on */
	__u64 seen;			/* ENDED_... */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);		/* struct sock * */
	__type(value, struct closer);
} orphans SEC(".maps");

struct ended {
	__u64 sk;
	struct closer closer;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ended);
} ended SEC(".maps");

volatile __u32 orphans_near[1 << NEAR_BITS] SEC(".data.orphans");

static __always_inline void orphan_drop(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	if (!bpf_map_delete_elem(&orphans, &key))
		near_add(orphans_near, sk, -1);
}

static __always_inline bool has_ports_of(const struct sock *sk, const struct close_event *e)
{
	const struct inet_sock *inet = (const struct inet_sock *)sk;

	return e->lport == bpf_ntohs(BPF_CORE_READ(inet, inet_sport)) &&
	       e->rport == bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

/* Where the kernel left out the program that sees a socket destroyed, its entry is still there
 * when the address is another's. */
static __always_inline struct closer *orphan_of(const struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct closer *closer;

	if (!near_get(orphans_near, sk))
		return NULL;
	closer = bpf_map_lookup_elem(&orphans, &key);
	if (!closer || has_ports_of(sk, &closer->event))
		return closer;
	__sync_fetch_and_add(&counters.lost_table, 1);
	orphan_drop(sk);
	return NULL;
}

static __always_inline void orphan_add(const struct sock *sk, const struct closer *closer)
{
	__u64 key = (__u64)sk;

	near_add(orphans_near, sk, 1);
	if (!bpf_map_update_elem(&orphans, &key, closer, BPF_NOEXIST))
		return;
	/* It is full, or somebody is there who was not seen to end. */
	__sync_fetch_and_add(&counters.lost_table, 1);
	if (bpf_map_update_elem(&orphans, &key, closer, BPF_ANY))
		near_add(orphans_near, sk, -1);
}

static __always_inline struct ended *ended_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ended, &zero);
}

#endif
