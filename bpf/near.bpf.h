/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of a table of sockets, by their addresses: how many it has of each hash of an address.  Most
 * sockets are in none, and are over after one load.  It may be too many, never too few.
 */
#ifndef CLOSETRACE_NEAR_BPF_H
#define CLOSETRACE_NEAR_BPF_H

#include "vmlinux.h"

#define NEAR_BITS 14

/* The verifier does not let a typed pointer be multiplied, but what has its bytes. */
static __always_inline __u32 near_hash(const struct sock *sk)
{
	return __builtin_bswap64((__u64)sk) * 0x9e3779b97f4a7c15ULL >> (64 - NEAR_BITS);
}

#define near_get(counts, sk)		((counts)[near_hash(sk)])
#define near_add(counts, sk, change)	__sync_fetch_and_add(&near_get(counts, sk), change)

#endif
