/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SO_LINGER is set.
 *
 *   linger_set()      sock_setsockopt() has done it, for setsockopt() and io_uring
 *   linger_cloned()   a listener's child has been copied from it: sk_clone_lock() calls
 *                     bpf_sk_storage_clone() then
 *   linger_new()      mptcp_init_sock(): nothing tells when the one before it was destroyed
 *
 * What is told is what the kernel has stored, not what it was asked for.
 */
#ifndef CLOSETRACE_LINGER_BPF_H
#define CLOSETRACE_LINGER_BPF_H

#include "bpf/ring.bpf.h"
#include "bpf/reset.bpf.h"

/* Where there is a tp, sk has a type, too. */
#define known_get(sk, tp, member) ((tp) ? get(sk, member) : BPF_CORE_READ(sk, member))

/* SMC, UNIX and raw sockets have the option too. */
static __always_inline bool is_tcp(const struct sock *sk, const struct tcp_sock *tp)
{
	__u16 family = known_get(sk, tp, __sk_common.skc_family);
	__u16 protocol = known_get(sk, tp, sk_protocol);

	return (family == AF_INET || family == AF_INET6) &&
	       known_get(sk, tp, sk_type) == SOCK_STREAM &&
	       (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP);
}

static __always_inline __u32 numbers_facts(void)
{
	return has_subflows() ? 0 : LACKS_SUBFLOW;
}

static __always_inline __u32 fill_by_type(struct close_event *e, const struct sock *sk,
					  const struct tcp_sock *tp)
{
	e->state = get(sk, __sk_common.skc_state);
	e->netns = netns_number(sk);
	fill_addresses(e, sk, tp);
	fill_acknowledged(e, tp);
	return linger_facts(e, sk, get(sk, __sk_common.skc_flags)) | numbers_facts();
}

/* An MPTCP socket numbers its bytes elsewhere. */
static __always_inline __u32 fill_protocol(struct close_event *e, const struct sock *sk)
{
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_MPTCP)
		return WAS_SUBFLOW;
	fill_numbers(e, sk);
	return numbers_facts();
}

static __always_inline __u32 stored_facts(struct close_event *e, const struct sock *sk)
{
	__u64 lingertime = BPF_CORE_READ(sk, sk_lingertime), hz = counters.hz;

	if (!(BPF_CORE_READ(sk, __sk_common.skc_flags) & 1 << SOCK_LINGER))
		return 0;
	if (hz)
		e->linger_s = lingertime / hz;
	return lingertime ? WAS_LINGER : WAS_LINGER | WAS_ZERO_LINGER;
}

/* As fill_addresses() has it. */
static __always_inline void forget_peer(struct close_event *e)
{
	if (is_mapped(e->laddr))
		put_ipv4(e->raddr, 0);
	else
		__builtin_memset(e->raddr, 0, sizeof(e->raddr));
}

static __always_inline __u32 fill_by_address(struct close_event *e, const struct sock *sk)
{
	e->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	fill_by_socket(e, sk);
	if (!e->rport)
		forget_peer(e);
	return stored_facts(e, sk) | fill_protocol(e, sk);
}

static __always_inline void start_linger(struct close_event *e, const struct sock *sk,
					 const struct tcp_sock *tp)
{
	e->kind = EVENT_LINGER;
	e->via = VIA;
	e->time_ns = bpf_ktime_get_ns();
	e->id = id_of(sk, tp ? mptcp_of(tp) : mptcp_at(sk), e->time_ns);
	fill_task(e, this_task());
}

static __always_inline void remember(const struct close_event *e, const struct sock *sk,
				     const struct tcp_sock *tp)
{
	struct setting setting = {
		.id = e->id,
		.inode = tp ? inode_behind(sk) : inode_of(sk),
		.lingertime = known_get(sk, tp, sk_lingertime),
		.on = !!(known_get(sk, tp, __sk_common.skc_flags) & 1 << SOCK_LINGER),
		.setter = { .time_ns = e->time_ns, .pid = e->pid, .tid = e->tid },
	};

	__builtin_memcpy(setting.setter.comm, e->comm, sizeof(e->comm));
	setting_put(sk, &setting);
}

/* It has no branch, and is no reset. */
static __always_inline bool wanted_linger(void)
{
	return !filter.counting && !filter.resets && !filter.branches && wanted_task(this_task());
}

static __always_inline void emit_linger(void *ctx, const struct close_event *e)
{
	struct named named = {};

	if (filter.stacks)
		emit_stacked(ctx, e, &named);
	else
		emit(e);
}

/* Without a tp the socket is known by its address alone. */
static __always_inline int linger_set(void *ctx, const struct sock *sk, const struct tcp_sock *tp)
{
	struct close_event e = {};

	if (!counters.on || !is_tcp(sk, tp))
		return 0;
	start_linger(&e, sk, tp);
	remember(&e, sk, tp);
	if (!wanted_linger())
		return 0;
	e.facts = tp ? fill_by_type(&e, sk, tp) : fill_by_address(&e, sk);
	if (wanted_socket(&e))
		emit_linger(ctx, &e);
	return 0;
}

static __always_inline int linger_cloned(const struct sock *sk, const struct sock *child)
{
	struct setting *setting = NULL, copy;

	if (get(child, __sk_common.skc_flags) & 1 << SOCK_LINGER)
		setting = setting_of(sk, mptcp_at(sk));
	if (!setting || !is_as_set(setting, child)) {
		setting_drop(child);
		return 0;
	}
	copy = *setting;
	copy.id = copy.inode = 0;
	copy.inherited = 1;
	setting_put(child, &copy);
	return 0;
}

static __always_inline int linger_new(const struct sock *sk)
{
	setting_drop(sk);
	return 0;
}

#endif
