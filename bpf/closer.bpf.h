/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who had closed what.  A closed socket often lives on without its process, and what
 * it meets then is that process's doing, not of whoever happens to be running:
 *
 *   orphans   full sockets, by their address, until tcp_destroy_sock
 *   ended     the one that was destroyed last on this CPU: tcp_reset() ends the
 *             connection first, and the RST that answers late data follows
 *   left      connections whose socket is gone: a minisocket in TIME_WAIT, or nothing,
 *             answers late data
 *
 * Addresses and ports are used again.  An orphan's entry goes with the socket; the
 * others are asked with what tells one connection from the next over the same ports:
 * the sequence numbers that the peer acknowledges.
 */
#ifndef CLOSETRACE_CLOSER_BPF_H
#define CLOSETRACE_CLOSER_BPF_H

#include "bpf/filter.bpf.h"

struct closer {
	struct close_event event;	/* the record of the close */
	__u64 returned_ns;		/* CLOCK_MONOTONIC; 0: the call goes on */
	__u32 snd_una;			/* a segment for us acknowledges something */
	__u32 snd_nxt;			/* from here to here */
	__u32 seen;			/* ENDED_... */
	__u32 pad;
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

struct connection {
	__u8  laddr[16];
	__u8  raddr[16];
	__u16 lport;
	__u16 rport;
	__u32 netns;
};

/* The oldest goes where it is full: it is the least likely to be asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct connection);
	__type(value, struct closer);
} left SEC(".maps");

static __always_inline struct closer *orphan_of(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&orphans, &key);
}

/* Whoever was there under this address was not seen to end. */
static __always_inline void orphan_add(const struct sock *sk, const struct closer *closer)
{
	__u64 key = (__u64)sk;

	if (!bpf_map_update_elem(&orphans, &key, closer, BPF_NOEXIST))
		return;
	__sync_fetch_and_add(&counters.lost_table, 1);
	bpf_map_update_elem(&orphans, &key, closer, BPF_ANY);
}

static __always_inline void orphan_drop(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_delete_elem(&orphans, &key);
}

static __always_inline void connection_of(struct connection *key, const struct close_event *e)
{
	__builtin_memcpy(key->laddr, e->laddr, sizeof(key->laddr));
	__builtin_memcpy(key->raddr, e->raddr, sizeof(key->raddr));
	key->lport = e->lport;
	key->rport = e->rport;
	key->netns = e->netns;
}

static __always_inline void connection_add(const struct closer *closer)
{
	struct connection key;

	connection_of(&key, &closer->event);
	bpf_map_update_elem(&left, &key, closer, BPF_ANY);
}

/* Its closer, if a segment that acknowledges so far can be for it. */
static __always_inline struct closer *closer_of_connection(const struct close_event *e, __u32 ack)
{
	struct connection key;
	struct closer *closer;

	connection_of(&key, e);
	closer = bpf_map_lookup_elem(&left, &key);
	if (!closer || ack - closer->snd_una > closer->snd_nxt - closer->snd_una)
		return NULL;
	return closer;
}

static __always_inline struct ended *ended_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ended, &zero);
}

#endif
