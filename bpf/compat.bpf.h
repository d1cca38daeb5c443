/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ: one inline a difference, each with the version and
 * the reason.  Nothing else in bpf/ knows that there is more than one kernel.
 *
 * The file that includes this has defined get(p, member): a plain load where
 * the verifier knows the type of p, a probe read elsewhere.
 */
#ifndef CLOSETRACE_COMPAT_BPF_H
#define CLOSETRACE_COMPAT_BPF_H

#include "vmlinux.h"
#include "pt_regs.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

enum sk_rst_reason___v6_10 {
	SK_RST_REASON_NOT_SPECIFIED = 0,
};

/* v6.10: sk_rst_reason came, as the third argument of the tracepoint
 * tcp_send_reset.  It is read there and nowhere else: tcp_send_active_reset()
 * has been (sk, priority), (sk, priority, reason) from v6.10 and (sk, reason)
 * from v7.2, so of that only the first argument is looked at.  The kernel
 * refuses a program that looks at an argument that is not there; the test is
 * settled while the program loads. */
static __always_inline bool has_reset_reason(void)
{
	return bpf_core_type_exists(enum sk_rst_reason___v6_10);
}

/* v6.10: the same in the event of that tracepoint, which had the layout of others until then. */
struct trace_event_raw_tcp_send_reset___v6_10 {
	const void *skbaddr;
	const void *skaddr;
	enum sk_rst_reason___v6_10 reason;
} __attribute__((preserve_access_index));

struct net___v5_10 {
	refcount_t count;
} __attribute__((preserve_access_index));

struct ns_common___v5_11 {
	refcount_t count;
} __attribute__((preserve_access_index));

struct ns_common___v6_18 {
	refcount_t __ns_ref;
} __attribute__((preserve_access_index));

/* check_net() looks at the namespace's count, which was net.count up to v5.10,
 * ns_common.count from v5.11 and ns_common.__ns_ref from v6.18. */
static __always_inline bool netns_dying(const struct net *net)
{
	const struct ns_common *ns = &net->ns;

	if (bpf_core_field_exists(struct ns_common___v6_18, __ns_ref))
		return !BPF_CORE_READ((const struct ns_common___v6_18 *)ns, __ns_ref.refs.counter);
	if (bpf_core_field_exists(struct ns_common___v5_11, count))
		return !BPF_CORE_READ((const struct ns_common___v5_11 *)ns, count.refs.counter);
	if (bpf_core_field_exists(struct net___v5_10, count))
		return !BPF_CORE_READ((const struct net___v5_10 *)net, count.refs.counter);
	return false;
}

struct tcp_sock___mptcp {
	bool is_mptcp;
} __attribute__((preserve_access_index));

struct mptcp_subflow_context___v5_18 {
	u32 send_fastclose: 1;
} __attribute__((preserve_access_index));

/* Only a kernel with CONFIG_MPTCP has it. */
static __always_inline bool has_subflows(void)
{
	return bpf_core_field_exists(struct tcp_sock___mptcp, is_mptcp);
}

/* Asked where has_subflows().  Not one that was accepted and fell back: that is plain TCP. */
static __always_inline bool is_subflow(const struct tcp_sock *tp)
{
	return get((const struct tcp_sock___mptcp *)tp, is_mptcp);
}

/* v5.18: set before the RST that carries MP_FASTCLOSE.  Of any full socket, by its address. */
static __always_inline bool is_fastclosing(const struct tcp_sock *tp)
{
	const struct mptcp_subflow_context___v5_18 *subflow;

	if (!has_subflows() || !BPF_CORE_READ((const struct tcp_sock___mptcp *)tp, is_mptcp) ||
	    !bpf_core_field_exists(struct mptcp_subflow_context___v5_18, send_fastclose))
		return false;
	subflow = BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
	return subflow && BPF_CORE_READ_BITFIELD_PROBED(subflow, send_fastclose);
}

struct mptcp_subflow_context___conn {
	struct sock *conn;
} __attribute__((preserve_access_index));

struct mptcp_sock___first {
	struct sock *first;
} __attribute__((preserve_access_index));

/* The MPTCP socket of a subflow.  By its address. */
static __always_inline const struct sock *mptcp_behind(const struct sock *sk)
{
	const struct mptcp_subflow_context___conn *subflow;

	subflow = BPF_CORE_READ((const struct tcp_sock *)sk, inet_conn.icsk_ulp_data);
	return subflow ? BPF_CORE_READ(subflow, conn) : NULL;
}

/* The MPTCP socket that this is a subflow of, else NULL. */
static __always_inline const struct sock *mptcp_of(const struct tcp_sock *tp)
{
	return has_subflows() && is_subflow(tp) ? mptcp_behind((const struct sock *)tp) : NULL;
}

/* The same, by its address. */
static __always_inline const struct sock *mptcp_at(const struct sock *sk)
{
	if (!has_subflows() || !BPF_CORE_READ((const struct tcp_sock___mptcp *)sk, is_mptcp))
		return NULL;
	return mptcp_behind(sk);
}

/* The others have names of their own. */
static __always_inline bool is_first_of(const struct sock *sk, const struct sock *mptcp)
{
	return BPF_CORE_READ((const struct mptcp_sock___first *)mptcp, first) == sk;
}

struct rwbase_rt___rt {
	atomic_t readers;
} __attribute__((preserve_access_index));

struct rw_semaphore___rt {
	struct rwbase_rt___rt rwbase;
} __attribute__((preserve_access_index));

/* PREEMPT_RT has another rw_semaphore, whose writer is a bias on the readers. */
static __always_inline bool inode_is_locked(const struct inode *inode)
{
	const struct rw_semaphore___rt *rt = (const void *)&inode->i_rwsem;

	if (bpf_core_field_exists(struct rw_semaphore, count))
		return BPF_CORE_READ(inode, i_rwsem.count.counter) & 1;
	return BPF_CORE_READ(rt, rwbase.readers.counter) & 1 << 30;
}

enum bpf_func_id___v5_15 {
	BPF_FUNC_task_pt_regs = 175,
};

#define THREAD_SIZE 16384	/* of x86-64, and of arm64 unless its pages are of 64k */

/* v5.15: bpf_task_pt_regs(). */
static __always_inline bool has_task_regs(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id___v5_15, BPF_FUNC_task_pt_regs);
}

/* Before that what a system call pushed first lies at the end of the kernel's stack, as
 * task_pt_regs() has it. */
static __always_inline const struct pt_regs *system_call_regs(void)
{
	struct task_struct *task;

	if (has_task_regs())
		return (const struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	task = (struct task_struct *)bpf_get_current_task();
	return BPF_CORE_READ(task, stack) + THREAD_SIZE - bpf_core_type_size(struct pt_regs);
}

/* They have a type where the helper gave them. */
#define regs_get(regs, member) \
	(has_task_regs() ? (regs)->member : BPF_PROBE_READ(regs, member))

/* Up to v5.14 a kretprobe has taken the way back out of the stack, and the kernel does not find it
 * when it walks that. */
static __always_inline bool kretprobe_hides_callers(void)
{
	return !has_task_regs();
}

#if defined(__TARGET_ARCH_x86)
struct thread_info___x86 {
	u32 status;
} __attribute__((preserve_access_index));

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
} __attribute__((preserve_access_index));

#define TS_COMPAT 2

/* A system call of 32 bits has other numbers: it may come from a program of 64 bits, too. */
static __always_inline bool is_compat(const struct pt_regs *regs)
{
	const struct task_struct___x86 *task;

	if (has_task_regs()) {
		task = (const void *)bpf_get_current_task_btf();
		return task->thread_info.status & TS_COMPAT;
	}
	task = (const void *)bpf_get_current_task();
	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

#define call_of(regs)	regs_get(regs, orig_ax)

/* Where the task made its system call, and what frames are found from. */
static __always_inline bool user_frame_of(const struct pt_regs *regs, __u64 *address, __u64 *sp, __u64 *fp)
{
	*address = regs_get(regs, ip);
	*sp = regs_get(regs, sp);
	*fp = regs_get(regs, bp);
	return true;
}
#else
#define PSR_MODE32_BIT 0x10

static __always_inline bool is_compat(const struct pt_regs *regs)
{
	return regs_get(regs, user_regs.pstate) & PSR_MODE32_BIT;
}

#define call_of(regs)	regs_get(regs, syscallno)

/* Return addresses are in a register first, and may be signed: such a stack is copied. */
static __always_inline bool user_frame_of(const struct pt_regs *regs, __u64 *address, __u64 *sp, __u64 *fp)
{
	return false;
}
#endif

struct inode___v7_2 {
	u64 i_ino;
} __attribute__((preserve_access_index));

/* Up to v7.1 an unsigned long, which is as wide wherever there is BPF to trace with. */
static __always_inline __u64 inode_number(const struct inode *inode)
{
	return get((const struct inode___v7_2 *)inode, i_ino);
}

/* The same, by its address. */
static __always_inline __u64 inode_number_at(const struct inode *inode)
{
	return BPF_CORE_READ((const struct inode___v7_2 *)inode, i_ino);
}

#endif
