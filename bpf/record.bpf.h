/* SPDX-License-Identifier: GPL-2.0-only */
/* What a record says: one line for each fact, where it is true. */
#ifndef CLOSETRACE_RECORD_BPF_H
#define CLOSETRACE_RECORD_BPF_H

#include "bpf/filter.bpf.h"
#include "bpf/stack.bpf.h"

/* Time since the start in steps of 64 ns, then the CPU.  A CPU cannot name two
 * sockets in one step, and 53 bits, which is what a JSON number keeps, last for
 * six days.  (A counter would want a fetching atomic: v5.12.) */
static __always_inline __u64 new_id(__u64 now_ns)
{
	return (now_ns - filter.start_ns) >> 6 << 10 | (bpf_get_smp_processor_id() & 1023);
}

static __always_inline __u64 inode_of(const struct sock *sk)
{
	const struct inode *inode = BPF_CORE_READ(sk, sk_socket, file, f_inode);

	return inode ? inode_number_at(inode) : 0;
}

static __always_inline __u8 task_context(__u32 flags)
{
	if (flags & PF_KTHREAD)
		return CONTEXT_KERNEL;
	return flags & PF_EXITING ? CONTEXT_EXIT : CONTEXT_SYSCALL;
}

/* The helper for the uid gives that of a container's own view.  That for the cgroup costs little more
 * than the loads; but for each pointer loaded out of a task, and out of what that points to, the
 * verifier goes up to four times through the names of all types: btf_nested_type_is_trusted(). */
static __always_inline void fill_owner_ids(struct close_event *e, struct task_struct *task)
{
	e->uid = filter.task_storage ? task->cred->uid.val : BPF_CORE_READ(task, cred, uid.val);
	e->cgroup = bpf_get_current_cgroup_id();
}

static __always_inline void fill_task(struct close_event *e, struct task_struct *task)
{
	e->pid = task_get(task, tgid);
	e->tid = task_get(task, pid);
	e->context = task_context(task_get(task, flags));
	/* No table shows them. */
	if (!filter.counting)
		fill_owner_ids(e, task);
	bpf_get_current_comm(e->comm, sizeof(e->comm));
}

static __always_inline void put_ipv4(__u8 *addr, __be32 ipv4)
{
	__u32 *word = (__u32 *)addr;

	word[0] = word[1] = 0;
	word[2] = bpf_htonl(0xffff);
	word[3] = ipv4;
}

#define put_ipv6(addr, sk, member)						\
	do {									\
		__u32 *word = (__u32 *)(addr);					\
										\
		word[0] = get(sk, __sk_common.member.in6_u.u6_addr32[0]);	\
		word[1] = get(sk, __sk_common.member.in6_u.u6_addr32[1]);	\
		word[2] = get(sk, __sk_common.member.in6_u.u6_addr32[2]);	\
		word[3] = get(sk, __sk_common.member.in6_u.u6_addr32[3]);	\
	} while (0)

static __always_inline void fill_addresses(struct close_event *e, const struct sock *sk,
					   const struct tcp_sock *tp)
{
	/* inet_sport outlives __inet_put_port(); skc_num does not. */
	e->lport = bpf_ntohs(get(tp, inet_conn.icsk_inet.inet_sport));
	e->rport = bpf_ntohs(get(sk, __sk_common.skc_dport));
	if (get(sk, __sk_common.skc_family) == AF_INET) {
		put_ipv4(e->laddr, get(sk, __sk_common.skc_rcv_saddr));
		put_ipv4(e->raddr, e->rport ? get(sk, __sk_common.skc_daddr) : 0);
		return;
	}
	put_ipv6(e->laddr, sk, skc_v6_rcv_saddr);
	put_ipv6(e->raddr, sk, skc_v6_daddr);
	/* tcp_disconnect() forgets the peer's port, not its address. */
	if (!e->rport)
		__builtin_memset(e->raddr, 0, sizeof(e->raddr));
}

/* The FIN takes a sequence number too: as tcp_inq() does, it is not counted. */
static __always_inline __u32 unread_bytes(const struct tcp_sock *tp, __u64 sk_flags)
{
	__u32 unread = get(tp, rcv_nxt) - get(tp, copied_seq);

	return unread && sk_flags & 1 << SOCK_DONE ? unread - 1 : unread;
}

/* Of the numbers between snd_una, snd_nxt and write_seq one is our SYN's or our
 * FIN's, as long as it is not acknowledged; bytes are what is left. */
static __always_inline void fill_send_queue(struct close_event *e, const struct tcp_sock *tp)
{
	__u32 in_syn = IN(SYN_SENT) | IN(SYN_RECV);
	__u32 in_fin = IN(FIN_WAIT1) | IN(CLOSING) | IN(LAST_ACK);
	__u32 snd_nxt = get(tp, snd_nxt);
	__u32 unsent = get(tp, write_seq) - snd_nxt;
	__u32 unacked = snd_nxt - get(tp, snd_una);
	__u32 state = 1U << e->state;

	e->unsent_bytes = e->unacked_bytes = 0;
	if (state & (IN(CLOSE) | IN(LISTEN)))
		return;
	if (state & in_fin && unsent)
		unsent--;
	else if (state & (in_fin | in_syn) && unacked)
		unacked--;
	e->unsent_bytes = unsent;
	e->unacked_bytes = unacked;
}

static __always_inline __u32 linger_facts(struct close_event *e, const struct sock *sk, __u64 sk_flags)
{
	__u64 lingertime, hz = counters.hz;

	e->linger_s = 0;
	if (!(sk_flags & 1 << SOCK_LINGER))
		return 0;
	lingertime = get(sk, sk_lingertime);
	if (hz)
		e->linger_s = lingertime / hz;
	return lingertime ? WAS_LINGER : WAS_LINGER | WAS_ZERO_LINGER;
}

/* No verdict depends on it. */
static __always_inline __u32 descriptor_facts(const struct sock *sk)
{
	const struct socket *socket = filter.counting ? NULL : get(sk, sk_socket);
	const struct file *file = socket ? get(socket, file) : NULL;

	if (!file)
		return LACKS_NONBLOCK;
	return get(file, f_flags) & O_NONBLOCK ? WAS_NONBLOCK : 0;
}

static __always_inline __u32 peer_facts(const struct close_event *e)
{
	if (!e->rport)
		return 0;
	/* tcp_done_with_error() purged the queue, the sequence numbers stayed. */
	return e->state == TCP_CLOSE ? WAS_CONNECTED | LACKS_SENDQ : WAS_CONNECTED;
}

static __always_inline __u32 subflow_facts(const struct tcp_sock *tp)
{
	if (!has_subflows())
		return LACKS_SUBFLOW;
	if (!is_subflow(tp))
		return 0;
	return is_fastclosing(tp) ? WAS_SUBFLOW | WAS_FASTCLOSE : WAS_SUBFLOW;
}

static __always_inline __u32 netns_number(const struct sock *sk)
{
	const struct net *net = get(sk, __sk_common.skc_net.net);

	return get(net, ns.inum);
}

/* What the peer may yet acknowledge; before tcp_disconnect() moves it. */
static __always_inline void fill_acknowledged(struct close_event *e, const struct tcp_sock *tp)
{
	e->snd_una = get(tp, snd_una);
	e->snd_nxt = get(tp, snd_nxt);
}

static __always_inline void fill_socket(struct close_event *e, const struct sock *sk,
					const struct tcp_sock *tp)
{
	__u64 sk_flags = get(sk, __sk_common.skc_flags);

	e->netns = netns_number(sk);
	fill_addresses(e, sk, tp);
	e->state = e->new_state = get(sk, __sk_common.skc_state);
	e->unread_bytes = unread_bytes(tp, sk_flags);
	fill_send_queue(e, tp);
	fill_acknowledged(e, tp);
	e->facts = filter.lacks | linger_facts(e, sk, sk_flags) | descriptor_facts(sk) | peer_facts(e) |
		   subflow_facts(tp);
	if (get_bit(tp, repair))
		e->facts |= WAS_REPAIR;
}

static __always_inline void fill_event(struct close_event *e, struct task_struct *task, __u64 time_ns)
{
	e->kind = EVENT_CLOSE;
	e->via = VIA;
	e->time_ns = time_ns;
	e->id = new_id(time_ns);
	e->reason = 0;
	e->blocked_ns = 0;
	e->call = running_call(task);
	fill_task(e, task);
}

#endif
