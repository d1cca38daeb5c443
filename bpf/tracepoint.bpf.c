// SPDX-License-Identifier: GPL-2.0-only
/*
 * For kernels that let nobody patch their code: raw tracepoints alone.
 *
 * No tracepoint marks a close, but a close leaves marks: __tcp_close() shuts both ways and
 * then moves the state, even from one to the same; what ends in CLOSE is destroyed in the
 * same call.  So a record leaves either with the move (the FIN branches: what comes after is
 * not seen) or at tcp_destroy_sock (all the others, when tcp_disconnect() has left its trace).
 *
 * Never tp_btf for tcp_send_reset: from v6.2 to v6.12 the verifier takes its arguments, which
 * may be NULL, for good pointers, and the kernel can crash.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define VIA			VIA_TRACEPOINT
#define get(p, member)		BPF_CORE_READ(p, member)
#define get_bit(p, member)	BPF_CORE_READ_BITFIELD_PROBED(p, member)
#define tcp_sock_of(sk)		((const struct tcp_sock *)(sk))

#include "bpf/engine.bpf.h"

/* The socket without a descriptor that moved to CLOSE on this CPU last while a process held its
 * lock: tcp_abort() of an orphan, or what was waiting for us while we closed.  From there to its
 * destruction bottom halves are off, so one a CPU is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} dying SEC(".maps");

static __always_inline void set_dying(const struct sock *sk)
{
	__u32 zero = 0;
	__u64 *here = bpf_map_lookup_elem(&dying, &zero);

	if (here)
		*here = (__u64)sk;
}

/* Asked once: the address is another socket's from here on. */
static __always_inline bool was_dying(const struct sock *sk)
{
	__u32 zero = 0;
	__u64 *here = bpf_map_lookup_elem(&dying, &zero);

	if (!here || *here != (__u64)sk)
		return false;
	*here = 0;
	return true;
}

/* How many runs of set_state are on their way on this CPU.  On a preemptible kernel that may be
 * one of a task that was put off, and then ours was left out. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} moving SEC(".maps");

static __always_inline __u64 *moving_here(void)
{
	__u32 zero = 0;

	return filter.preemptible ? bpf_map_lookup_elem(&moving, &zero) : NULL;
}

/* shutdown(SHUT_RDWR) moves the state in the same way, but only __sock_release() holds the
 * inode's lock, and only who holds the socket's may move it, be it from its backlog.  A kernel
 * socket has no file: its close is not told from its shutdown. */
static __always_inline bool is_released(const struct sock *sk)
{
	const struct file *file;

	if (get(sk, sk_shutdown) != SHUTDOWN_MASK || !get(sk, sk_lock.owned))
		return false;
	file = BPF_CORE_READ(sk, sk_socket, file);
	return file && inode_is_locked(get(file, f_inode));
}

static __always_inline __u32 write_seq(const struct sock *sk)
{
	return get(tcp_sock_of(sk), write_seq);
}

/* Beyond all sequence numbers, in their place. */
#define UNWANTED	(1ULL << 32)	/* not to be told: destroyed within this call */

/* What else happens to the socket of a close whose record has left.  The address may be
 * another connection's by now, but then it numbers its bytes from elsewhere; ours only
 * had its FIN to add. */
static __always_inline bool is_told(const struct frame *frame, const struct sock *sk)
{
	if (!frame || frame->closer.event.kind)
		return false;
	if (frame->write_seq >= UNWANTED)
		return frame->write_seq == UNWANTED;
	return write_seq(sk) - (__u32)frame->write_seq <= 1;
}

static __always_inline struct frame *open_frame(const struct sock *sk)
{
	struct task_struct *task = this_task();
	struct frame *frame = wanted_frame(task);

	if (!frame)
		return NULL;
	frame_start(frame, sk);
	fill_event(&frame->closer.event, task, frame->called_ns);
	fill_socket(&frame->closer.event, sk, tcp_sock_of(sk));
	frame->closer.event.facts |= LACKS_BLOCKED | LACKS_AFTER;
	frame->write_seq = write_seq(sk);
	/* It stays open all the same: what follows belongs to it. */
	if (!wanted_socket(&frame->closer.event))
		frame->closer.event.kind = 0;
	return frame;
}

static __always_inline void tell(void *ctx, struct frame *frame)
{
	if (frame->closer.event.kind && wanted_verdict(&frame->closer.event))
		tell_close(ctx, frame);
	frame->closer.event.kind = 0;
}

/* The call goes on; what else happens to the socket counts as after it. */
static __always_inline void tell_early(void *ctx, struct frame *frame, const struct sock *sk)
{
	bool wanted = frame->closer.event.kind && wanted_branch(&frame->closer.event);

	tell(ctx, frame);
	if (!wanted)
		return;
	frame->closer.event.kind = EVENT_CLOSE;
	frame->closer.returned_ns = frame->called_ns;
	frame->closer.seen = 0;
	orphan_add(sk, &frame->closer);
	frame->closer.event.kind = 0;
}

/* tcp_close_state() asks for a FIN exactly where it moves to one of these. */
static __always_inline __u32 move_facts(int from, int to)
{
	if (from == TCP_LISTEN)
		return RAN_LISTEN_STOP;
	return from != to && (to == TCP_FIN_WAIT1 || to == TCP_LAST_ACK) ? RAN_FIN : 0;
}

static __always_inline void moved(__u64 *args)
{
	const struct sock *sk = (const struct sock *)args[0];
	int from = args[1], to = args[2];
	struct frame *frame;

	if (!wanted_task(this_task()))
		return;
	if (to == TCP_CLOSE && !get(sk, sk_socket)) {
		if (get(sk, sk_lock.owned))
			set_dying(sk);
		return;
	}
	/* MPTCP's own state is none of a TCP socket. */
	if (!is_released(sk) || get(sk, sk_protocol) != IPPROTO_TCP || is_told(frame_of(sk), sk))
		return;
	frame = open_frame(sk);
	if (!frame)
		return;
	frame->closer.event.facts |= move_facts(from, to);
	frame->closer.event.new_state = to;
	if (to != TCP_CLOSE)
		tell_early(args, frame, sk);
	else if (!frame->closer.event.kind)
		frame->write_seq = UNWANTED;
}

SEC("raw_tp/inet_sock_set_state")
int set_state(__u64 *args)
{
	__u64 *moving = moving_here();

	if (moving)
		*moving += 1;
	moved(args);
	if (moving)
		*moving -= 1;
	return 0;
}

SEC("raw_tp/tcp_receive_reset")
int receive_reset(__u64 *args)
{
	return reset_received(args, (const struct sock *)args[0], NULL, ONLY_WITNESS);
}

SEC("raw_tp/tcp_send_reset")
int send_reset(__u64 *args)
{
	return reset_told(args, args, ONLY_WITNESS);
}

static __always_inline struct frame *open_over(const struct sock *sk)
{
	struct frame *frame = open_frame(sk);
	__u64 *moving = moving_here();

	if (frame && moving && *moving)
		frame->closer.event.facts |= MAY_HAVE_MOVED;
	return frame;
}

/* __tcp_close() destroys with the lock held.  A softirq that ends an orphan holds none, nor does
 * inet_child_forget() for a connection that nobody accepted. */
SEC("raw_tp/tcp_destroy_sock")
int destroy_sock(__u64 *args)
{
	const struct sock *sk = (const struct sock *)args[0];
	struct frame *frame;

	orphan_destroyed(args, sk);
	if (!wanted_task(this_task()) || !get(sk, sk_lock.owned) || was_dying(sk))
		return 0;
	frame = frame_of(sk);
	/* The connection was over before the close: nothing moved, only this is left to see. */
	if (!frame || (!frame->closer.event.kind && !is_told(frame, sk)))
		frame = open_over(sk);
	if (!frame)
		return 0;
	frame->closer.event.facts |= disconnect_facts(&frame->closer.event, sk);
	tell(args, frame);
	frame_drop(frame);
	return 0;
}
