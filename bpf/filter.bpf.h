/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is wanted.  The filter is constant data by the time the programs load, so
 * the kernel leaves out the tests that are not asked for.
 */
#ifndef CLOSETRACE_FILTER_BPF_H
#define CLOSETRACE_FILTER_BPF_H

#include "bpf/compat.bpf.h"
#include "bpf/judge.h"
#include <bpf/bpf_endian.h>

const volatile struct filter filter SEC(".rodata.filter");
volatile struct counters counters SEC(".data.counters");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u8);
} pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} cgroups SEC(".maps");

/* A task is known by a typed pointer where it has storage, elsewhere by its address. */
#define task_get(task, member) \
	(filter.task_storage ? (task)->member : BPF_CORE_READ(task, member))

static __always_inline struct task_struct *this_task(void)
{
	if (filter.task_storage)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

static __always_inline bool comm_is_wanted(void)
{
	__u64 comm[COMM_LEN / 8] = {};
	const volatile __u64 *want = (const volatile __u64 *)filter.comm;

	bpf_get_current_comm(comm, sizeof(comm));
	return comm[0] == want[0] && comm[1] == want[1];
}

static __always_inline bool wanted_task(struct task_struct *task)
{
	__u32 pid = task_get(task, tgid);

	if (filter.pid && filter.pid != pid)
		return false;
	if (filter.by_pids && !bpf_map_lookup_elem(&pids, &pid))
		return false;
	if (filter.by_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1)
		return false;
	return !filter.by_comm || comm_is_wanted();
}

/* Where few tasks are traced, the hooks within a close are over for all the others after one
 * look at how many frames are open. */
static __always_inline bool traces_few(void)
{
	return filter.pid || filter.by_pids || filter.by_cgroup || filter.by_comm;
}

static __always_inline bool port_in(const volatile __u64 *ports, __u16 port)
{
	return ports[port / 64] >> (port % 64) & 1;
}

static __always_inline bool is_mapped(const __u8 *addr)
{
	const __u32 *word = (const __u32 *)addr;

	return !word[0] && !word[1] && word[2] == bpf_htonl(0xffff);
}

static __always_inline bool family_is_wanted(const struct close_event *e)
{
	bool ipv4 = is_mapped(e->laddr) || is_mapped(e->raddr);

	return ipv4 == (filter.family == AF_INET);
}

static __always_inline bool peer_is_wanted(const struct close_event *e)
{
	const __u32 *addr = (const __u32 *)e->raddr;
	const volatile __u32 *mask = (const volatile __u32 *)filter.mask;
	const volatile __u32 *want = (const volatile __u32 *)filter.addr;

	for (int i = 0; i < 4; i++)
		if ((addr[i] & mask[i]) != want[i])
			return false;
	return true;
}

static __always_inline bool wanted_socket(const struct close_event *e)
{
	if (filter.netns && filter.netns != e->netns)
		return false;
	if (filter.family && !family_is_wanted(e))
		return false;
	if (filter.by_lport && !port_in(filter.lports, e->lport))
		return false;
	if (filter.by_rport && !port_in(filter.rports, e->rport))
		return false;
	return !filter.by_addr || peer_is_wanted(e);
}

static __always_inline bool wanted_branch(const struct close_event *e)
{
	return !filter.branches || filter.branches & 1 << judge_branch(e);
}

static __always_inline bool wanted_verdict(const struct close_event *e)
{
	return (!filter.resets || judge_is_reset(e)) && wanted_branch(e);
}

/* For -f. */
SEC("raw_tp/sched_process_fork")
int follow_fork(__u64 *args)
{
	__u32 parent = BPF_CORE_READ((struct task_struct *)args[0], tgid);
	__u32 child = BPF_CORE_READ((struct task_struct *)args[1], tgid);
	__u8 yes = 1;

	if (parent == child || !bpf_map_lookup_elem(&pids, &parent))
		return 0;
	if (bpf_map_update_elem(&pids, &child, &yes, BPF_ANY))
		__sync_fetch_and_add(&counters.lost_table, 1);
	return 0;
}

/* Not at sched_process_exit: do_exit() closes the files after that. */
SEC("raw_tp/sched_process_free")
int follow_free(__u64 *args)
{
	struct task_struct *task = (struct task_struct *)args[0];
	__u32 pid = BPF_CORE_READ(task, pid);

	if ((__u32)BPF_CORE_READ(task, tgid) == pid)
		bpf_map_delete_elem(&pids, &pid);
	return 0;
}

#endif
