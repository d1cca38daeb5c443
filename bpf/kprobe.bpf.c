// SPDX-License-Identifier: GPL-2.0-only
/* For kernels without trampolines: breakpoints, with the socket read by probe. */
#include "vmlinux.h"
#include "pt_regs.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define VIA			VIA_KPROBE
#define get(p, member)		BPF_CORE_READ(p, member)
#define get_bit(p, member)	BPF_CORE_READ_BITFIELD_PROBED(p, member)
#define tcp_sock_of(sk)		((const struct tcp_sock *)(sk))

#include "bpf/engine.bpf.h"
#include "bpf/reject.bpf.h"
#include "bpf/asked.bpf.h"

/* A return knows no arguments; what the task is closing says it. */
static __always_inline struct frame *open_frame(void)
{
	struct frame *frame;

	if (!counters.open)
		return NULL;
	frame = task_frame(this_task(), false);
	return frame && frame->sk ? frame : NULL;
}

SEC("kprobe/tcp_close")
int BPF_KPROBE(tcp_close, struct sock *sk)
{
	remember_entry(ctx);
	return close_called(sk);
}

SEC("kprobe/__tcp_close")
int BPF_KPROBE(tcp_close_locked, struct sock *sk, long timeout)
{
	return close_locked(sk, timeout);
}

SEC("kprobe/inet_csk_listen_stop")
int BPF_KPROBE(listen_stop, struct sock *sk)
{
	return listen_stopped(sk);
}

SEC("kprobe/tcp_disconnect")
int BPF_KPROBE(tcp_disconnect, struct sock *sk)
{
	return disconnected(sk);
}

SEC("kprobe/tcp_send_active_reset")
int BPF_KPROBE(active_reset, struct sock *sk)
{
	return reset_sent(sk);
}

SEC("kprobe/tcp_send_fin")
int BPF_KPROBE(tcp_send_fin, struct sock *sk)
{
	return fin_sent(sk);
}

SEC("kretprobe/sk_stream_wait_close")
int BPF_KRETPROBE(wait_close)
{
	struct frame *frame = open_frame();

	return frame ? wait_ended(frame, (const struct sock *)frame->sk) : 0;
}

SEC("kprobe/tcp_time_wait")
int BPF_KPROBE(tcp_time_wait, struct sock *sk, int state)
{
	return time_wait_begun(sk, state);
}

/* Before the raw one, for they run in the order in which they are attached: func_add(). */
SEC("tp/tcp/tcp_send_reset")
int steady_send_reset(struct trace_event_raw_tcp_send_reset___v6_10 *event)
{
	__u64 args[3] = { (__u64)event->skaddr, (__u64)event->skbaddr, event->reason };

	return reset_told(event, args, FIRST_WITNESS);
}

SEC("raw_tp/tcp_send_reset")
int send_reset(__u64 *args)
{
	return reset_told(args, args, SECOND_WITNESS);
}

SEC("kretprobe/__tcp_close")
int BPF_KRETPROBE(tcp_close_end)
{
	struct frame *frame = open_frame();

	return frame ? close_returned(ctx, frame, (const struct sock *)frame->sk) : 0;
}

SEC("kprobe/tcp_reset")
int BPF_KPROBE(steady_receive_reset, struct sock *sk, struct sk_buff *skb)
{
	return reset_received(ctx, sk, filter.reset_segment ? skb : NULL, FIRST_WITNESS);
}

SEC("raw_tp/tcp_receive_reset")
int receive_reset(__u64 *args)
{
	return reset_received(args, (const struct sock *)args[0], NULL, SECOND_WITNESS);
}

/* Of IPv6 sockets too: tcp_v6_destroy_sock() calls it, where there is one.  Whoever comes second
 * finds the closer gone. */
SEC("kprobe/tcp_v4_destroy_sock")
int BPF_KPROBE(steady_destroy_sock, struct sock *sk)
{
	return orphan_destroyed(ctx, sk);
}

SEC("raw_tp/tcp_destroy_sock")
int destroy_sock(__u64 *args)
{
	return orphan_destroyed(args, (const struct sock *)args[0]);
}

SEC("kprobe/tcp_v4_send_reset")
int BPF_KPROBE(reply_ipv4, struct sock *sk, struct sk_buff *skb)
{
	return reply_unseen(ctx, sk, skb, true);
}

SEC("kprobe/tcp_v6_send_reset")
int BPF_KPROBE(reply_ipv6, struct sock *sk, struct sk_buff *skb)
{
	return reply_unseen(ctx, sk, skb, false);
}

SEC("kprobe/bpf_sk_storage_clone")
int BPF_KPROBE(clone, struct sock *sk, struct sock *child)
{
	return linger_cloned(sk, child);
}

SEC("kprobe/mptcp_init_sock")
int BPF_KPROBE(mptcp_init, struct sock *sk)
{
	return linger_new(sk);
}
