/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One close, from tcp_close() to the return of __tcp_close(), in one frame.
 *
 *   close_called()       before the lock: waiting for it counts as blocked
 *   close_locked()       who closes what; the socket is ours, nothing has been done to it
 *   listen_stopped()     }
 *   disconnected()       }
 *   reset_sent()         } what ran for this socket within it
 *   fin_sent()           }
 *   wait_ended()         }
 *   time_wait_begun()    }
 *   reset_told()         }
 *   close_returned()     the socket is still held; the record leaves
 *
 * A task closes one TCP socket at a time, so the frame is the task's.  That the
 * socket is the same is checked all the same: on loopback the peer's packets are
 * handled inside our call, and softirqs borrow the task.
 *
 * Knows nothing of how it was attached; the file that includes it has defined
 * get(p, member), get_bit(p, member), tcp_sock_of(sk) and VIA.
 */
#ifndef CLOSETRACE_ENGINE_BPF_H
#define CLOSETRACE_ENGINE_BPF_H

#include "bpf/closer.bpf.h"
#include "bpf/count.bpf.h"
#include "bpf/record.bpf.h"

struct frame {
	__u64 sk;		/* that is being closed; 0: none */
	__u64 called_ns;
	__u64 locked_jiffies;
	__u64 timeout;		/* jiffies that the close may wait for */
	__u64 write_seq;	/* when a tracepoint told of it: names the connection */
	struct closer closer;
	struct named named;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct frame);
} frames SEC(".maps");

/* For kernels without task storage; by thread. */
struct {
	/* Without the return of a close its frame is never dropped: there the oldest goes. */
	__uint(type, VIA == VIA_TRACEPOINT ? BPF_MAP_TYPE_LRU_HASH : BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct frame);
} thread_frames SEC(".maps");

static const struct frame no_frame;

static __always_inline struct frame *thread_frame(bool make)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct frame *frame = bpf_map_lookup_elem(&thread_frames, &tid);

	if (frame || !make)
		return frame;
	bpf_map_update_elem(&thread_frames, &tid, &no_frame, BPF_NOEXIST);
	return bpf_map_lookup_elem(&thread_frames, &tid);
}

static __always_inline struct frame *task_frame(struct task_struct *task, bool make)
{
	if (!filter.task_storage)
		return thread_frame(make);
	return bpf_task_storage_get(&frames, task, NULL, make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

/* A kretprobe has 10 instances, or two a CPU.  A close that waits holds one, and the return of
 * one that finds none left is not seen: its frame stays open, and is counted as lost. */
static __always_inline bool counts_open(void)
{
	return VIA == VIA_KPROBE || filter.preemptible || traces_few();
}

/* The frame of the running task, if it is this socket that it closes. */
static __always_inline struct frame *frame_of(const struct sock *sk)
{
	struct frame *frame;

	if (traces_few() && !counters.open)
		return NULL;
	frame = task_frame(this_task(), false);
	return frame && frame->sk == (__u64)sk ? frame : NULL;
}

/* The frame of the running task, whatever it closes. */
static __always_inline struct frame *running_frame(void)
{
	struct frame *frame;

	if (traces_few() && !counters.open)
		return NULL;
	frame = task_frame(this_task(), false);
	return frame && frame->sk && frame->closer.event.kind ? frame : NULL;
}

/* For hooks that see other sockets too: who closes one holds its lock, a softirq does not. */
static __always_inline struct frame *locked_frame_of(const struct sock *sk)
{
	return get(sk, sk_lock.owned) ? frame_of(sk) : NULL;
}

static __always_inline void frame_start(struct frame *frame, const struct sock *sk)
{
	/* The end of an earlier close was never seen. */
	if (frame->sk && frame->closer.event.kind)
		__sync_fetch_and_add(&counters.lost_table, 1);
	if (counts_open() && !frame->sk)
		__sync_fetch_and_add(&counters.open, 1);
	frame->sk = (__u64)sk;
	frame->called_ns = bpf_ktime_get_ns();
}

/* A frame for the running task, if it is wanted; whatever was in it stays. */
static __always_inline struct frame *wanted_frame(struct task_struct *task)
{
	struct frame *frame;

	if (!counters.on || !wanted_task(task))
		return NULL;
	frame = task_frame(task, true);
	if (!frame)
		__sync_fetch_and_add(&counters.lost_table, 1);
	return frame;
}

static __always_inline void frame_drop(struct frame *frame)
{
	__u32 tid;

	if (counts_open() && frame->sk)
		__sync_fetch_and_add(&counters.open, -1);
	frame->sk = 0;
	if (filter.task_storage)
		return;
	tid = bpf_get_current_pid_tgid();
	bpf_map_delete_elem(&thread_frames, &tid);
}

#include "bpf/reset.bpf.h"

/* ---- the trial ------------------------------------------------------- */

/* Before the trace begins the loader closes a socket of its own, with SO_LINGER set to one
 * second: nothing in BTF says HZ.  That a task can have storage is not in BTF either: from
 * v7.0 kmalloc_nolock() gives none on a processor without cmpxchg16b. */
SEC("raw_tp/tcp_destroy_sock")
int learn(__u64 *args)
{
	const struct sock *sk = (const struct sock *)args[0];

	if ((__u64)BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) != filter.trial_cookie)
		return 0;
	counters.hz = BPF_CORE_READ(sk, sk_lingertime);
	counters.frames = task_frame(this_task(), true) != NULL;
	return 0;
}

/* ---- the end of the trace --------------------------------------------- */

static __always_inline bool is_over(const struct sock *sk, const struct close_event *e)
{
	return BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE || !has_ports_of(sk, e);
}

/* Never attached: the reader runs it for each socket that is left in the table, and counts those
 * that are gone.  A close that has not returned has a socket, whatever its state; another one in
 * CLOSE was destroyed, and none of us was run for that. */
SEC("raw_tp/tcp_destroy_sock")
int sweep(__u64 *args)
{
	__u64 key = args[0];
	struct closer *closer = bpf_map_lookup_elem(&orphans, &key);

	if (!closer || !closer->returned_ns || !is_over((const struct sock *)key, &closer->event))
		return 0;
	return !bpf_map_delete_elem(&orphans, &key);
}

/* ---- the hooks -------------------------------------------------------- */

/* Somebody else holds the lock: the close waits from here on.  With nobody there what is
 * between this and close_locked() is nothing, and the look-up here is saved. */
static __always_inline int close_called(const struct sock *sk)
{
	struct frame *frame;

	if (!get(sk, sk_lock.owned))
		return 0;
	frame = wanted_frame(this_task());
	if (!frame)
		return 0;
	frame_start(frame, sk);
	frame->closer.event.kind = 0;
	return 0;
}

/* The close may wait, without the lock, and what meets the socket then is this task's doing. */
static __always_inline void linger(struct frame *frame, const struct sock *sk)
{
	frame->locked_jiffies = bpf_jiffies64();
	frame->closer.returned_ns = 0;
	frame->closer.seen = 0;
	orphan_add(sk, &frame->closer);
}

static __always_inline int close_locked(const struct sock *sk, long timeout)
{
	const struct tcp_sock *tp = tcp_sock_of(sk);
	struct task_struct *task = this_task();
	struct frame *frame = tp ? wanted_frame(task) : NULL;

	if (!frame)
		return 0;
	if (frame->sk != (__u64)sk || frame->closer.event.kind)
		frame_start(frame, sk);
	fill_event(&frame->closer.event, task, frame->called_ns);
	fill_socket(&frame->closer.event, sk, tp);
	frame->timeout = timeout;
	if (!wanted_socket(&frame->closer.event)) {
		frame_drop(frame);
		return 0;
	}
	fill_setting(&frame->closer.event, sk, tp);
	if (timeout)
		linger(frame, sk);
	return 0;
}

static __always_inline void saw(const struct sock *sk, __u32 facts)
{
	struct frame *frame = locked_frame_of(sk);

	if (frame)
		frame->closer.event.facts |= facts;
}

static __always_inline int listen_stopped(const struct sock *sk)
{
	saw(sk, RAN_LISTEN_STOP);
	return 0;
}

/* Not of the listener's children: they are other sockets than the frame's. */
static __always_inline int disconnected(const struct sock *sk)
{
	saw(sk, RAN_DISCONNECT);
	return 0;
}

/* In FIN_WAIT2 everything is acknowledged, in the other states of an orphan the FIN
 * is not; tcp_set_state() to CLOSE has run, snd_una and write_seq stand. */
static __always_inline __u32 orphan_facts(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sock_of(sk);

	if (!tp || get(tp, linger2) >= 0 || get(tp, snd_una) != get(tp, write_seq))
		return RAN_ORPHAN_RESET;
	return RAN_ORPHAN_RESET | ORPHAN_LINGER2;
}

static __always_inline int reset_sent(const struct sock *sk)
{
	struct frame *frame = locked_frame_of(sk);

	if (!frame)
		return 0;
	if (get(sk, __sk_common.skc_flags) & 1 << SOCK_DEAD)
		frame->closer.event.facts |= orphan_facts(sk);
	else
		frame->closer.event.facts |= RAN_RESET;
	return 0;
}

static __always_inline int fin_sent(const struct sock *sk)
{
	/* shutdown(SHUT_WR) comes here too; __tcp_close() shuts both ways first. */
	if (get(sk, sk_shutdown) == SHUTDOWN_MASK)
		saw(sk, RAN_FIN);
	return 0;
}

static __always_inline __u32 wait_facts(const struct frame *frame, const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sock_of(sk);
	__u32 closing = IN(FIN_WAIT1) | IN(CLOSING) | IN(LAST_ACK);
	__u32 facts = RAN_WAIT;

	if (tp && get(tp, snd_una) == get(tp, write_seq))
		facts |= WAIT_ACKED;
	if (1U << get(sk, __sk_common.skc_state) & closing)
		facts |= WAIT_CLOSING;
	if (bpf_jiffies64() - frame->locked_jiffies >= frame->timeout)
		facts |= WAIT_EXPIRED;
	return facts;
}

/* sk_stream_wait_close() returns, with the lock held. */
static __always_inline int wait_ended(struct frame *frame, const struct sock *sk)
{
	if (frame && frame->timeout)
		frame->closer.event.facts |= wait_facts(frame, sk);
	return 0;
}

/* The socket goes on as a minisocket in this state, and is itself CLOSE. */
static __always_inline int time_wait_begun(const struct sock *sk, int state)
{
	struct frame *frame = locked_frame_of(sk);

	if (!frame)
		return orphan_time_wait(sk, tcp_sock_of(sk), state);
	frame->closer.event.facts |= RAN_TIME_WAIT;
	frame->closer.event.new_state = state;
	return 0;
}

/* The tracepoint, at the end of both senders; only the passive one has a packet.  A stray
 * segment may meet a listener before it is gone: that is no part of its close. */
static __always_inline bool is_of_close(const struct frame *frame, bool reply)
{
	return frame && frame->closer.event.kind &&
	       !(reply && frame->closer.event.state == TCP_LISTEN);
}

static __always_inline __u32 told_facts(const struct sock *sk, bool reply)
{
	if (reply)
		return RAN_LATE_RESET;
	return BPF_CORE_READ(sk, __sk_common.skc_flags) & 1 << SOCK_DEAD ? 0 : RAN_RESET;
}

/* For the active one it sees what active_reset saw: on a preemptible kernel a program that is on
 * its way already on this CPU is not run again (bpf_prog_info.recursion_misses).  Within a close
 * two witnesses do no more than one. */
static __always_inline int reset_told(void *ctx, const __u64 *args, enum witness witness)
{
	const struct sock *sk = (const struct sock *)args[0];
	struct frame *frame = is_full(sk) ? frame_of(sk) : NULL;

	if (!is_of_close(frame, args[1]))
		return reset_outside(ctx, args, witness);
	frame->closer.event.facts |= told_facts(sk, args[1]);
	if (has_reset_reason())
		frame->closer.event.reason = args[2];
	return 0;
}

/* Only a kernel socket may outlive its namespace; __tcp_close() kills it silently. */
static __always_inline __u32 end_facts(const struct sock *sk)
{
	__u32 facts = get(sk, sk_err) ? ENDED_BY_ERROR : 0;

	if (get_bit(sk, __sk_common.skc_net_refcnt))
		return facts;
	return netns_dying(get(sk, __sk_common.skc_net.net)) ? facts | NETNS_DYING : facts;
}

/* Only tcp_disconnect() forgets the peer's port. */
static __always_inline __u32 disconnect_facts(const struct close_event *e, const struct sock *sk)
{
	return e->rport && !get(sk, __sk_common.skc_dport) ? RAN_DISCONNECT : 0;
}

/* While it waited, without the lock, a softirq may have turned it into a minisocket. */
static __always_inline void linger_ended(struct frame *frame, const struct sock *sk)
{
	struct closer *orphan = orphan_of(sk);

	if (orphan && orphan->seen & ENDED_TIME_WAIT) {
		frame->closer.event.facts |= RAN_TIME_WAIT;
		frame->closer.event.new_state = orphan->event.new_state;
	}
	orphan_drop(sk);
}

static __always_inline void emit_close(void *ctx, const struct close_event *e, struct named *named)
{
	if (filter.stacks)
		emit_stacked(ctx, e, named);
	else if (judge_branch(e) == BRANCH_UNKNOWN)
		emit_with_kernel_stack(ctx, e, 0);
	else
		emit(e);
}

static __always_inline void tell_close(void *ctx, struct frame *frame)
{
	const struct close_event *e = &frame->closer.event;

	if (filter.counting)
		count_close(e);
	if (leaves(e))
		emit_close(ctx, e, &frame->named);
}

/* What the peer may still send is this task's doing, whoever answers it. */
static __always_inline void stay(struct closer *closer, const struct sock *sk)
{
	struct close_event *e = &closer->event;

	closer->seen = 0;
	if (e->facts & RAN_TIME_WAIT)
		end_in_time_wait(closer, tcp_sock_of(sk));
	else if (e->new_state != TCP_CLOSE)
		orphan_add(sk, closer);
}

/* __tcp_close() returns: adjudge_to_death holds the socket, nobody can reuse it yet. */
static __always_inline int close_returned(void *ctx, struct frame *frame, const struct sock *sk)
{
	struct close_event *e;

	if (!frame)
		return 0;
	e = &frame->closer.event;
	if (frame->timeout)
		linger_ended(frame, sk);
	if (!(e->facts & RAN_TIME_WAIT))
		e->new_state = get(sk, __sk_common.skc_state);
	if (e->new_state == TCP_CLOSE)
		e->facts |= end_facts(sk) | disconnect_facts(e, sk);
	frame->closer.returned_ns = bpf_ktime_get_ns();
	e->blocked_ns = frame->closer.returned_ns - frame->called_ns;
	if (wanted_verdict(e))
		tell_close(ctx, frame);
	if (wanted_branch(e))
		stay(&frame->closer, sk);
	frame_drop(frame);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

#endif
