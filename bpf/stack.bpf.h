/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose code it was: the system call that the running task is in, and with -k the stacks.
 *
 * The kernel's stack is walked here.  Of the user's the registers and the innermost bytes are
 * copied, and user space walks it by the files' own tables: few programs keep frame pointers, and
 * without them the kernel would leave out the very function that called close().
 */
#ifndef CLOSETRACE_STACK_BPF_H
#define CLOSETRACE_STACK_BPF_H

#include "bpf/filter.bpf.h"
#include "bpf/ring.bpf.h"

/* fput() puts the last close off until the call returns, so the kernel's stack does not show who
 * dropped the descriptor: the call itself does. */
static __always_inline __u16 running_call(const struct task_struct *task)
{
	__u32 flags = task_get(task, flags);
	const struct pt_regs *regs;
	__s32 call;

	/* v5.12: those are no kernel threads any more. */
	if (flags & PF_IO_WORKER)
		return CALL_IO_WORKER;
	if (flags & (PF_KTHREAD | PF_EXITING))
		return 0;
	regs = system_call_regs();
	if (is_compat(regs))
		return 0;
	call = call_of(regs);
	return call < 0 || call >= CALL_IO_WORKER - 1 ? 0 : call + 1;
}

static __always_inline const struct mount *mount_of(const struct file *file)
{
	return (const void *)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
}

/* Up to the root of the file system, and on from where that is mounted.  false: there is more, or
 * a name is longer than what we would look for. */
static __always_inline bool fill_path(char (*names)[USER_NAME], const struct file *file)
{
	const struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry), *root;
	const struct mount *mount = mount_of(file), *parent;

	for (int i = 0; i < USER_NAMES; i++) {
		const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);

		root = BPF_CORE_READ(mount, mnt.mnt_root);
		parent = BPF_CORE_READ(mount, mnt_parent);
		if (dentry != root) {
			if (bpf_probe_read_kernel_str(names[i], USER_NAME, name) >= USER_NAME)
				return false;
			dentry = BPF_CORE_READ(dentry, d_parent);
			continue;
		}
		if (mount == parent)
			return true;
		dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		mount = parent;
	}
	return false;
}

/* Address spaces that the reader has been told of. */
struct space {
	__u64 start_stack;
	__u32 pid;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct space);
	__type(value, __u8);
} spaces SEC(".maps");

static __always_inline bool is_new(const struct user_stack *user)
{
	struct space space = { .start_stack = user->start_stack, .pid = user->pid };
	__u8 yes = 1;

	return !bpf_map_lookup_elem(&spaces, &space) && !bpf_map_update_elem(&spaces, &space, &yes, BPF_ANY);
}

/* Its path is told once.  Returns whether this is the first time. */
static __always_inline bool fill_address_space(struct user_stack *user, const struct task_struct *task)
{
	const struct task_struct *leader = task_get(task, group_leader);
	const struct mm_struct *mm = task_get(task, mm);
	const struct file *exe = BPF_CORE_READ(mm, exe_file);

	user->pid = task_get(task, tgid);
	user->started_ns = BPF_CORE_READ(leader, start_boottime);
	user->start_code = BPF_CORE_READ(mm, start_code);
	user->end_code = BPF_CORE_READ(mm, end_code);
	user->start_stack = BPF_CORE_READ(mm, start_stack);
	user->exe_inode = exe ? inode_number_at(BPF_CORE_READ(exe, f_inode)) : 0;
	__builtin_memset(user->exe, 0, sizeof(user->exe));
	if (!is_new(user))
		return false;
	if (exe && !fill_path(user->exe, exe))
		user->exe[0][0] = '\0';
	return true;
}

#define STACK_POINTER(regs) \
	(sizeof(struct pt_regs) > 31 * 8 ? (regs)[31] : (regs)[19])

static __always_inline void copy_regs(__u64 *regs)
{
	__u32 size = sizeof(struct pt_regs);

	__builtin_memset(regs, 0, USER_REGS * sizeof(*regs));
	bpf_probe_read_kernel(regs, size < USER_REGS * 8 ? size : USER_REGS * 8, system_call_regs());
}

/* In pieces, for it may end anywhere; what cannot be read is 0. */
static __always_inline void copy_stack(struct user_stack *user)
{
	const void *from = (const void *)STACK_POINTER(user->regs);
	bool whole = true;

	user->size = 0;
	for (int i = 0; i < USER_CHUNKS; i++) {
		whole &= !bpf_probe_read_user(user->bytes + i * USER_CHUNK, USER_CHUNK,
					      from + i * USER_CHUNK);
		user->size += whole ? USER_CHUNK : 0;
	}
}

static __always_inline bool fill_user_stack(void *ctx, struct user_stack *user,
					    const struct task_struct *task)
{
	bool is_first = fill_address_space(user, task);

	__builtin_memset(&user->id_status, 0, 32);
	if (is_first)
		bpf_get_stack(ctx, &user->id_status, 32, BPF_F_USER_STACK | BPF_F_USER_BUILD_ID);
	copy_regs(user->regs);
	copy_stack(user);
	return is_first;
}

/* Where the kretprobe on __tcp_close() hides the callers, the stack is walked in tcp_close(). */
struct entered {
	__u64 kernel[KERNEL_FRAMES];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);		/* thread */
	__type(value, struct entered);
} entries SEC(".maps");

static const struct entered nowhere;

static __always_inline void remember_entry(void *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct entered *entered;

	if (!filter.stacks || !kretprobe_hides_callers() || !wanted_task(this_task()))
		return;
	bpf_map_update_elem(&entries, &tid, &nowhere, BPF_ANY);
	entered = bpf_map_lookup_elem(&entries, &tid);
	if (entered)
		bpf_get_stack(ctx, entered->kernel, sizeof(entered->kernel), 0);
}

static __always_inline void fill_by_entry(struct stack_event *s)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct entered *entered = bpf_map_lookup_elem(&entries, &tid);

	if (entered)
		__builtin_memcpy(s->kernel, entered->kernel, sizeof(s->kernel));
	bpf_map_delete_elem(&entries, &tid);
}

static __always_inline void fill_kernel_stack(void *ctx, struct stack_event *s,
					      const struct close_event *e, __u64 inode)
{
	s->event = *e;
	s->inode = inode;
	__builtin_memset(s->kernel, 0, sizeof(s->kernel));
	if (VIA == VIA_KPROBE && filter.stacks && kretprobe_hides_callers() && e->kind == EVENT_CLOSE)
		fill_by_entry(s);
	else
		bpf_get_stack(ctx, s->kernel, sizeof(s->kernel), 0);
}

static __always_inline void emit_with_kernel_stack(void *ctx, const struct close_event *e, __u64 inode)
{
	struct stack_event *s = bpf_ringbuf_reserve(&ring, sizeof(*s), 0);

	if (!s) {
		__sync_fetch_and_add(&counters.lost_ring, 1);
		return;
	}
	fill_kernel_stack(ctx, s, e, inode);
	bpf_ringbuf_submit(s, BPF_RB_NO_WAKEUP);
}

static __always_inline void emit_with_stacks(void *ctx, const struct close_event *e, __u64 inode)
{
	struct user_stack_event *s = bpf_ringbuf_reserve(&ring, sizeof(*s), 0);
	bool is_first;

	if (!s) {
		__sync_fetch_and_add(&counters.lost_ring, 1);
		return;
	}
	fill_kernel_stack(ctx, &s->kernel, e, inode);
	is_first = fill_user_stack(ctx, &s->user, this_task());
	/* What its addresses mean has to be read before the process ends. */
	bpf_ringbuf_submit(s, is_first ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* A call of the running task's own has its user's stack; not in a softirq, where the task is
 * whoever was interrupted, nor when it has no address space any more: exit_mm() comes before
 * exit_files().  Nor of a program of 32 bits: what it has on its stack is another processor's. */
static __always_inline void emit_stacked(void *ctx, const struct close_event *e, __u64 inode, bool own)
{
	if (own && task_get(this_task(), mm) && !is_compat(system_call_regs()))
		emit_with_stacks(ctx, e, inode);
	else
		emit_with_kernel_stack(ctx, e, inode);
}

#endif
