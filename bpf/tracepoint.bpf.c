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

/* The socket that is dying on this CPU without a descriptor: an orphan of an earlier close,
 * or a connection that nobody accepted.  From its move to CLOSE to its destruction bottom
 * halves are off, so one a CPU is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} dying SEC(".maps");

static __always_inline __u64 *dying_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&dying, &zero);
}

/* shutdown(SHUT_RDWR) moves the state in the same way, but only __sock_release() holds the
 * inode's lock.  A kernel socket has no file: its close is not told from its shutdown. */
static __always_inline bool is_released(const struct sock *sk)
{
	const struct file *file = BPF_CORE_READ(sk, sk_socket, file);

	return file && inode_is_locked(get(file, f_inode)) && get(sk, sk_lock.owned);
}

static __always_inline void open_frame(const struct sock *sk)
{
	struct frame *frame = close_called(sk);

	if (!frame)
		return;
	fill_event(&frame->event, frame->called_ns);
	fill_socket(&frame->event, sk, tcp_sock_of(sk));
	frame->event.facts |= LACKS_BLOCKED | LACKS_AFTER;
	/* A listener's frame stays, wanted or not: its children are no closes of their own. */
	if (!wanted_socket(&frame->event))
		frame->event.kind = 0;
}

static __always_inline void close_frame(struct frame *frame)
{
	if (frame->event.kind && wanted_verdict(&frame->event))
		emit(&frame->event);
	frame_drop(frame);
}

/* tcp_close_state() asks for a FIN exactly where it moves to one of these. */
static __always_inline __u32 move_facts(int from, int to)
{
	if (from == TCP_LISTEN)
		return RAN_LISTEN_STOP;
	return from != to && (to == TCP_FIN_WAIT1 || to == TCP_LAST_ACK) ? RAN_FIN : 0;
}

SEC("raw_tp/inet_sock_set_state")
int set_state(__u64 *args)
{
	const struct sock *sk = (const struct sock *)args[0];
	int from = args[1], to = args[2];
	struct frame *frame;
	__u64 *orphan;

	if (get(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	orphan = dying_here();
	if (to == TCP_CLOSE && !get(sk, sk_socket)) {
		if (orphan)
			*orphan = (__u64)sk;
		return 0;
	}
	if (get(sk, sk_shutdown) != SHUTDOWN_MASK || !is_released(sk))
		return 0;
	open_frame(sk);
	frame = frame_of(sk);
	if (!frame)
		return 0;
	frame->event.facts |= move_facts(from, to);
	frame->event.new_state = to;
	if (to != TCP_CLOSE)
		close_frame(frame);
	return 0;
}

SEC("raw_tp/tcp_send_reset")
int send_reset(__u64 *args)
{
	struct frame *frame = frame_of((const struct sock *)args[0]);

	if (frame && !args[1])
		frame->event.facts |= RAN_RESET;
	return reset_told(args);
}

static __always_inline bool is_child(const struct frame *frame)
{
	return frame && frame->sk && frame->event.state == TCP_LISTEN;
}

/* The connection was over before the close: nothing moved, only this is left to see. */
static __always_inline void closed_before(const struct sock *sk)
{
	struct frame *frame;

	open_frame(sk);
	frame = frame_of(sk);
	if (frame)
		close_frame(frame);
}

SEC("raw_tp/tcp_destroy_sock")
int destroy_sock(__u64 *args)
{
	const struct sock *sk = (const struct sock *)args[0];
	struct frame *frame = frame_of(sk);
	__u64 *orphan = dying_here();

	if (frame) {
		/* Only tcp_disconnect() forgets the peer's port. */
		if (frame->event.rport && !get(sk, __sk_common.skc_dport))
			frame->event.facts |= RAN_DISCONNECT;
		close_frame(frame);
		return 0;
	}
	if (orphan && *orphan == (__u64)sk) {
		*orphan = 0;
		return 0;
	}
	if (!is_child(task_frame(false)))
		closed_before(sk);
	return 0;
}
