/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sock_setsockopt() by breakpoints, for the kprobe way, and where no trampoline fits it: up to
 * v6.0 none takes a structure as an argument, and sockptr_t is one.
 *
 * The return knows no arguments: what was asked for is noted by thread, and only for SO_LINGER.
 */
#ifndef CLOSETRACE_ASKED_BPF_H
#define CLOSETRACE_ASKED_BPF_H

#include "pt_regs.h"
#include "bpf/linger.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);	/* struct socket * */
} asked SEC(".maps");

static __always_inline __u64 note_take(__u32 tid)
{
	__u64 *note = counters.asked ? bpf_map_lookup_elem(&asked, &tid) : NULL;
	__u64 socket = note ? *note : 0;

	if (!socket)
		return 0;
	bpf_map_delete_elem(&asked, &tid);
	__sync_fetch_and_add(&counters.asked, -1);
	return socket;
}

SEC("kprobe/sock_setsockopt")
int BPF_KPROBE(linger_asked, struct socket *socket, int level, int optname)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 note = (__u64)socket;

	/* The return of an earlier call was not seen, or a program of the kernel's own has come
	 * between: whose return is next cannot be told. */
	if (note_take(tid))
		__sync_fetch_and_add(&counters.lost_table, 1);
	if (optname != SO_LINGER || !counters.on)
		return 0;
	if (bpf_map_update_elem(&asked, &tid, &note, BPF_ANY))
		__sync_fetch_and_add(&counters.lost_table, 1);
	else
		__sync_fetch_and_add(&counters.asked, 1);
	return 0;
}

SEC("kretprobe/sock_setsockopt")
int BPF_KRETPROBE(linger_answered, int error)
{
	const struct socket *socket = (const void *)note_take(bpf_get_current_pid_tgid());
	const struct sock *sk = socket && !error ? BPF_CORE_READ(socket, sk) : NULL;

	return sk ? linger_set(ctx, sk, NULL) : 0;
}

#endif
