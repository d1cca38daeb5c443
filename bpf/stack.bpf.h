/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose code it was: the system call that the running task is in, and with -k the stacks.
 *
 * The kernel's stack is walked here, and the user's where the reader has met the same functions
 * before.  Else its registers and the innermost bytes are copied, and user space walks it by the
 * files' own tables: few programs keep frame pointers, and without them the kernel would leave
 * out the very function that called close().
 */
#ifndef CLOSETRACE_STACK_BPF_H
#define CLOSETRACE_STACK_BPF_H

#include "bpf/filter.bpf.h"
#include "bpf/ring.bpf.h"
#include "bpf/unwind.bpf.h"

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
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct address_space);
	__type(value, __u8);
} spaces SEC(".maps");

/* The address space that a task was in when it was looked for last. */
struct named {
	__u64 mm;		/* 0: none */
	__u64 execs;		/* of the task */
	struct stack_owner owner;
};

static __always_inline void fill_space(struct address_space *space, const struct task_struct *task)
{
	const struct task_struct *leader = task_get(task, group_leader);
	const struct mm_struct *mm = task_get(task, mm);
	const struct file *exe = BPF_CORE_READ(mm, exe_file);

	space->pid = task_get(task, tgid);
	space->started_ns = task_get(leader, start_boottime);
	space->start_code = task_get(mm, start_code);
	space->end_code = task_get(mm, end_code);
	space->start_stack = task_get(mm, start_stack);
	space->exe_inode = exe ? inode_number_at(BPF_CORE_READ(exe, f_inode)) : 0;
}

/* Whether the task is in the same one still: exec() gives it other memory first, and counts then,
 * see begin_new_exec().  Not where what is kept may be another task's of that number. */
static __always_inline bool is_named(const struct named *named, const struct task_struct *task)
{
	return filter.task_storage && named->mm == (__u64)task_get(task, mm) &&
	       named->execs == task_get(task, self_exec_id);
}

static __always_inline void name_space(struct named *named, const struct task_struct *task)
{
	named->mm = (__u64)task_get(task, mm);
	named->execs = task_get(task, self_exec_id);
	fill_space(&named->owner.space, task);
	named->owner.name = address_space_name(&named->owner.space);
}

/* Returns whether this is the first time. */
static __always_inline bool name_owner(struct named *named, const struct task_struct *task)
{
	__u8 yes = 1;

	named->owner.rowless = 0;
	if (is_named(named, task))
		return false;
	name_space(named, task);
	return !bpf_map_lookup_elem(&spaces, &named->owner.space) &&
	       !bpf_map_update_elem(&spaces, &named->owner.space, &yes, BPF_ANY);
}

/* What its addresses mean has to be read before the process ends, so that is told once. */
static __always_inline void tell_space(void *ctx, struct user_stack *user, const struct task_struct *task)
{
	const struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	if (exe && !fill_path(user->exe, exe))
		user->exe[0][0] = '\0';
	bpf_get_stack(ctx, &user->id_status, 32, BPF_F_USER_STACK | BPF_F_USER_BUILD_ID);
}

#define STACK_POINTER(regs) \
	(sizeof(struct pt_regs) > 31 * 8 ? (regs)[31] : (regs)[19])

static __always_inline void copy_regs(__u64 *to, const struct pt_regs *regs)
{
	__u32 size = sizeof(struct pt_regs);

	__builtin_memset(to, 0, USER_REGS * sizeof(*to));
	bpf_probe_read_kernel(to, size < USER_REGS * 8 ? size : USER_REGS * 8, regs);
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
	else
		__builtin_memset(s->kernel, 0, sizeof(s->kernel));
	bpf_map_delete_elem(&entries, &tid);
}

/* It clears what it does not fill: __bpf_get_stack(), up to v7.2.  Not where it is not come to, as
 * get_bpf_raw_tp_regs() has no room for a fourth that interrupts the others. */
static __always_inline void take_kernel_stack(void *ctx, __u64 *kernel)
{
	__u32 size = KERNEL_FRAMES * sizeof(*kernel);

	if (bpf_get_stack(ctx, kernel, size, 0) < 0)
		__builtin_memset(kernel, 0, size);
}

static __always_inline void fill_kernel_stack(void *ctx, struct stack_event *s,
					      const struct close_event *e, __u64 inode)
{
	s->event = *e;
	s->inode = inode;
	if (VIA == VIA_KPROBE && filter.stacks && kretprobe_hides_callers() && e->kind == EVENT_CLOSE)
		fill_by_entry(s);
	else
		take_kernel_stack(ctx, s->kernel);
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

/* false: it has to be copied. */
static __always_inline bool emit_walked(void *ctx, const struct close_event *e, const struct pt_regs *regs,
					struct stack_owner *owner)
{
	struct walked_event *w = bpf_ringbuf_reserve(&ring, sizeof(*w), 0);

	if (!w) {
		__sync_fetch_and_add(&counters.lost_ring, 1);
		return true;
	}
	__builtin_memset(w->frames, 0, sizeof(w->frames));
	if (!walk_user(regs, w->frames, &owner->rowless, owner->name)) {
		bpf_ringbuf_discard(w, BPF_RB_NO_WAKEUP);
		return false;
	}
	w->owner = *owner;
	fill_kernel_stack(ctx, &w->kernel, e, 0);
	bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
	return true;
}

static __always_inline void emit_copied(void *ctx, const struct close_event *e, __u64 inode,
					const struct pt_regs *regs, const struct stack_owner *owner,
					bool is_first)
{
	struct user_stack_event *s = bpf_ringbuf_reserve(&ring, sizeof(*s), 0);

	if (!s) {
		__sync_fetch_and_add(&counters.lost_ring, 1);
		return;
	}
	fill_kernel_stack(ctx, &s->kernel, e, inode);
	s->user.owner = *owner;
	__builtin_memset(&s->user.id_status, 0, sizeof(s->user.exe) + 32);
	if (is_first)
		tell_space(ctx, &s->user, this_task());
	copy_regs(s->user.regs, regs);
	copy_stack(&s->user);
	bpf_ringbuf_submit(s, is_first ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* A call of the running task's own has its user's stack; not in a softirq, where the task is
 * whoever was interrupted, nor when it has no address space any more: exit_mm() comes before
 * exit_files().  Nor of a program of 32 bits: what it has on its stack is another processor's. */
static __always_inline bool has_user_stack(const struct task_struct *task, const struct pt_regs *regs)
{
	return task_get(task, mm) && !is_compat(regs);
}

static __always_inline void emit_stacked(void *ctx, const struct close_event *e, struct named *named)
{
	const struct pt_regs *regs = system_call_regs();
	const struct task_struct *task = this_task();
	bool is_first;

	if (!has_user_stack(task, regs)) {
		emit_with_kernel_stack(ctx, e, 0);
		return;
	}
	is_first = name_owner(named, task);
	if (is_first || !emit_walked(ctx, e, regs, &named->owner))
		emit_copied(ctx, e, 0, regs, &named->owner, is_first);
}

/* There are few that no close sends, and many ways to get here, each of which the verifier would
 * walk anew. */
static __always_inline void emit_stacked_reset(void *ctx, const struct close_event *e, __u64 inode, bool own)
{
	const struct pt_regs *regs = system_call_regs();
	const struct task_struct *task = this_task();
	struct named named = {};
	bool is_first;

	if (!own || !has_user_stack(task, regs)) {
		emit_with_kernel_stack(ctx, e, inode);
		return;
	}
	is_first = name_owner(&named, task);
	emit_copied(ctx, e, inode, regs, &named.owner, is_first);
}

#endif
