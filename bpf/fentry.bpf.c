// SPDX-License-Identifier: GPL-2.0-only
/* The cheapest way: trampolines, with the socket read in place. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define VIA			VIA_FENTRY
#define get(p, member)		((p)->member)
#define get_bit(p, member)	BPF_CORE_READ_BITFIELD(p, member)
/* A cast would leave the verifier with a struct sock. */
#define tcp_sock_of(sk)		((const struct tcp_sock *)bpf_skc_to_tcp_sock((void *)(sk)))

#include "bpf/engine.bpf.h"
#include "bpf/reject.bpf.h"
#include "bpf/asked.bpf.h"

SEC("fentry/tcp_close")
int BPF_PROG(tcp_close, struct sock *sk)
{
	return close_called(sk);
}

SEC("fentry/__tcp_close")
int BPF_PROG(tcp_close_locked, struct sock *sk, long timeout)
{
	return close_locked(sk, timeout);
}

SEC("fentry/inet_csk_listen_stop")
int BPF_PROG(listen_stop, struct sock *sk)
{
	return listen_stopped(sk);
}

SEC("fentry/tcp_disconnect")
int BPF_PROG(tcp_disconnect, struct sock *sk)
{
	return disconnected(sk);
}

SEC("fentry/tcp_send_active_reset")
int BPF_PROG(active_reset, struct sock *sk)
{
	return reset_sent(sk);
}

SEC("fentry/tcp_send_fin")
int BPF_PROG(tcp_send_fin, struct sock *sk)
{
	return fin_sent(sk);
}

SEC("fexit/sk_stream_wait_close")
int BPF_PROG(wait_close, struct sock *sk, long timeout)
{
	return timeout ? wait_ended(frame_of(sk), sk) : 0;
}

SEC("fentry/tcp_time_wait")
int BPF_PROG(tcp_time_wait, struct sock *sk, int state)
{
	return time_wait_begun(sk, state);
}

SEC("raw_tp/tcp_send_reset")
int send_reset(__u64 *args)
{
	return reset_told(args, args, ONLY_WITNESS);
}

SEC("fexit/__tcp_close")
int BPF_PROG(tcp_close_end, struct sock *sk)
{
	return close_returned(ctx, frame_of(sk), sk);
}

/* Not by BPF_PROG(), which reads every argument: up to v5.10 there is one. */
SEC("fentry/tcp_reset")
int receive_reset(__u64 *args)
{
	const struct sk_buff *skb = filter.reset_segment ? (const struct sk_buff *)args[1] : NULL;

	return reset_received(args, (const struct sock *)args[0], skb, ONLY_WITNESS);
}

SEC("raw_tp/tcp_destroy_sock")
int destroy_sock(__u64 *args)
{
	return orphan_destroyed(args, (const struct sock *)args[0]);
}

SEC("fentry/tcp_v4_send_reset")
int BPF_PROG(reply_ipv4, struct sock *sk, struct sk_buff *skb)
{
	return reply_unseen(ctx, sk, skb, true);
}

SEC("fentry/tcp_v6_send_reset")
int BPF_PROG(reply_ipv6, struct sock *sk, struct sk_buff *skb)
{
	return reply_unseen(ctx, sk, skb, false);
}

/* optval is a structure of two words. */
SEC("fexit/sock_setsockopt")
int BPF_PROG(linger_end, struct socket *socket, int level, int optname, void *optval, long is_kernel,
	     unsigned int optlen, int error)
{
	const struct sock *sk = optname == SO_LINGER && !error ? get(socket, sk) : NULL;

	return sk ? linger_set(ctx, sk, tcp_sock_of(sk)) : 0;
}

SEC("fentry/bpf_sk_storage_clone")
int BPF_PROG(clone, struct sock *sk, struct sock *child)
{
	return linger_cloned(sk, child);
}

SEC("fentry/mptcp_init_sock")
int BPF_PROG(mptcp_init, struct sock *sk)
{
	return linger_new(sk);
}
