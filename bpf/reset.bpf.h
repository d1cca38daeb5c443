/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RSTs that no close call sent, and what became of closed sockets.
 *
 *   reset_outside()       tcp_send_reset: an RST left
 *   reply_unseen()        tcp_v4_send_reset(), tcp_v6_send_reset(): one that the tracepoint
 *                         does not tell of, up to v6.9
 *   reset_received()      tcp_reset(), or tcp_receive_reset in it
 *   orphan_time_wait()    tcp_time_wait()
 *   orphan_destroyed()    tcp_destroy_sock
 *
 * Most of it is in softirqs: the running task is nobody's.  And most of it is raw tracepoints,
 * which know sockets by their address alone: where get() is not used, reads are probes.
 */
#ifndef CLOSETRACE_RESET_BPF_H
#define CLOSETRACE_RESET_BPF_H

#include "bpf/count.bpf.h"
#include "bpf/setting.bpf.h"
#include "bpf/witness.bpf.h"

/* ---- what is known of a socket by its address, and of a segment --------------- */

static __always_inline bool is_full(const struct sock *sk)
{
	__u32 minisockets = IN(TIME_WAIT) | IN(NEW_SYN_RECV);

	return sk && !(1U << BPF_CORE_READ(sk, __sk_common.skc_state) & minisockets);
}

/* The process that closes this socket holds the inode's lock, too: what is sent now is of its
 * close, if we do not trace it. */
static __always_inline bool is_being_closed(const struct sock *sk)
{
	const struct file *file;

	if (BPF_CORE_READ(sk, sk_shutdown) != SHUTDOWN_MASK || !BPF_CORE_READ(sk, sk_lock.owned))
		return false;
	file = BPF_CORE_READ(sk, sk_socket, file);
	return file && inode_is_locked(BPF_CORE_READ(file, f_inode));
}

static __always_inline void fill_by_socket(struct close_event *e, const struct sock *sk)
{
	e->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	e->lport = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
	e->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET) {
		put_ipv4(e->laddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		put_ipv4(e->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		return;
	}
	BPF_CORE_READ_INTO(&e->laddr, sk, __sk_common.skc_v6_rcv_saddr);
	BPF_CORE_READ_INTO(&e->raddr, sk, __sk_common.skc_v6_daddr);
}

/* What the segment says that made us answer. */
static __always_inline __u32 segment_facts(const struct tcphdr *tcp)
{
	__u32 facts = RESET_REPLY;

	if (BPF_CORE_READ_BITFIELD_PROBED(tcp, ack))
		facts |= RESET_TO_ACK;
	return BPF_CORE_READ_BITFIELD_PROBED(tcp, syn) ? facts | RESET_TO_SYN : facts;
}

static __always_inline void fill_by_headers(struct close_event *e, const unsigned char *ip,
					    const struct tcphdr *tcp)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)ip;
	const struct iphdr *ip4 = (const struct iphdr *)ip;

	e->lport = bpf_ntohs(BPF_CORE_READ(tcp, dest));
	e->rport = bpf_ntohs(BPF_CORE_READ(tcp, source));
	if (BPF_CORE_READ_BITFIELD_PROBED(ip4, version) == 4) {
		put_ipv4(e->laddr, BPF_CORE_READ(ip4, daddr));
		put_ipv4(e->raddr, BPF_CORE_READ(ip4, saddr));
		return;
	}
	BPF_CORE_READ_INTO(&e->laddr, ip6, daddr);
	BPF_CORE_READ_INTO(&e->raddr, ip6, saddr);
}

/* On its way to a full socket a segment forgets its device: tcp_v4_rcv(). */
static __always_inline __u32 netns_of(const struct sock *sk, const struct sk_buff *skb)
{
	if (sk)
		return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	return BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
}

static __always_inline const struct tcphdr *tcp_header(const struct sk_buff *skb)
{
	return (const void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header));
}

/* As the segment has it: our end is where it was sent to. */
static __always_inline void fill_by_segment(struct close_event *e, const struct sk_buff *skb)
{
	const unsigned char *ip = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	const struct tcphdr *tcp = tcp_header(skb);

	fill_by_headers(e, ip, tcp);
	e->facts |= segment_facts(tcp);
	e->snd_una = e->snd_nxt = bpf_ntohl(BPF_CORE_READ(tcp, ack_seq));
}

/* As orphan_facts() has it: __tcp_close() resets this one, whatever memory there is. */
static __always_inline bool is_done_but_for_linger2(const struct tcp_sock *tp)
{
	return BPF_CORE_READ(tp, linger2) < 0 &&
	       BPF_CORE_READ(tp, snd_una) == BPF_CORE_READ(tp, write_seq);
}

static __always_inline __u32 socket_facts(const struct sock *sk)
{
	__u32 facts = 0;

	if (BPF_CORE_READ(sk, __sk_common.skc_flags) & 1 << SOCK_DEAD)
		facts |= WAS_ORPHAN;
	if (BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN)
		facts |= WAS_SHUT_READ;
	if (is_done_but_for_linger2((const struct tcp_sock *)sk))
		facts |= WAS_LINGER2;
	if (is_fastclosing((const struct tcp_sock *)sk))
		facts |= RESET_FASTCLOSE;
	return facts;
}

/* ---- whose it is --------------------------------------------------------------- */

static __always_inline bool is_same_connection(const struct close_event *a, const struct close_event *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->netns == b->netns;
}

/* The address of one that has ended may be another socket's by now, a listener's, say. */
static __always_inline struct closer *closer_of_socket(const struct sock *sk, const struct close_event *e)
{
	struct closer *closer = orphan_of(sk);
	struct ended *last = closer ? NULL : ended_here();

	if (!last || last->sk != (__u64)sk)
		return closer;
	last->sk = 0;
	return is_same_connection(&last->closer.event, e) ? &last->closer : NULL;
}

/* A close call sends nothing for other sockets but the children of its listener. */
static __always_inline struct closer *closer_of_listener(const struct sock *child)
{
	struct frame *frame = running_frame();

	if (!frame || frame->sk == (__u64)child || frame->closer.event.state != TCP_LISTEN)
		return NULL;
	return frame->closer.event.facts & RAN_LISTEN_STOP && !BPF_CORE_READ(child, sk_socket) ?
		       &frame->closer : NULL;
}

/* The same task, id and all; but the addresses are this socket's. */
static __always_inline void fill_by_closer(struct close_event *e, const struct closer *closer)
{
	e->id = closer->event.id;
	e->pid = closer->event.pid;
	e->tid = closer->event.tid;
	e->uid = closer->event.uid;
	e->cgroup = closer->event.cgroup;
	e->context = closer->event.context;
	__builtin_memcpy(e->comm, closer->event.comm, sizeof(e->comm));
	e->facts |= OWNER_IS_CLOSER;
}

/* Nobody closed it.  Who runs is its owner only where it is the owner's own call; whose socket
 * it is otherwise the reader finds by the inode. */
static __always_inline void fill_by_holder(struct sighting *s, const struct sock *sk, bool call)
{
	struct close_event *e = &s->event;

	if (call)
		fill_task(e, this_task());
	if (call && BPF_CORE_READ(sk, sk_lock.owned))
		e->facts |= OWNER_IS_RUNNING;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		e->id = id_of(sk, mptcp_at(sk), e->time_ns);
	s->inode = inode_of(sk);
}

static __always_inline void fill_owner(struct sighting *s, const struct closer *closer,
				       const struct sock *sk, bool call)
{
	if (closer)
		fill_by_closer(&s->event, closer);
	else if (is_full(sk))
		fill_by_holder(s, sk, call);
}

/* Closers are wanted, or we would not know them.  Of the others the reader finds out: by the
 * inode, or by the connection where the socket is gone. */
static __always_inline bool wanted_reset(const struct sighting *s)
{
	const struct close_event *e = &s->event;

	if (!wanted_socket(e))
		return false;
	if (e->facts & OWNER_IS_CLOSER || is_of_nobody(e))
		return true;
	if (filter.branches || filter.by_cgroup)
		return false;
	return !traces_few() || s->inode || e->pid;
}

/* An answer of a full socket may be part of a close that is not traced, or come from a
 * listener's tcp_check_req(); tcp_reset() may be the answer to late data. */
static __always_inline bool needs_callers(const struct close_event *e)
{
	if (e->facts & RESET_RECEIVED)
		return may_be_late_data(e) && !(e->facts & GOT_RST);
	if (e->facts & RESET_REPLY)
		return !is_of_nobody(e) && !(e->facts & (OWNER_IS_CLOSER | RESET_FIREWALL));
	return true;
}

static __always_inline void start_reset(struct sighting *s, __u32 facts, __u8 reason)
{
	__builtin_memset(s, 0, sizeof(*s));
	s->event.kind = EVENT_RESET;
	s->event.via = VIA;
	s->event.time_ns = bpf_ktime_get_ns();
	s->event.facts = facts;
	s->event.reason = reason;
}

/* Its own call sent it: on its socket, or on a listener whose child this is. */
static __always_inline bool is_of_running(const struct close_event *e)
{
	if (e->facts & OWNER_IS_RUNNING)
		return true;
	return e->facts & OWNER_IS_CLOSER && e->tid == (__u32)bpf_get_current_pid_tgid() &&
	       running_frame();
}

static __always_inline void tell_reset(void *ctx, const struct sighting *s)
{
	if (!wanted_reset(s))
		return;
	if (filter.stacks)
		emit_stacked_reset(ctx, &s->event, s->inode, is_of_running(&s->event));
	else if (needs_callers(&s->event))
		emit_with_callers(ctx, &s->event, s->inode);
	else if (is_counted(&s->event))
		count_reset(&s->event);
	else
		emit_sighting(s);
}

/* ---- ends ------------------------------------------------------------------------ */

static __always_inline void name_end(struct close_event *e, const struct closer *closer)
{
	e->kind = EVENT_END;
	e->facts = closer->seen | OWNER_IS_CLOSER;
	e->reason = 0;
}

static __always_inline void fill_end(struct close_event *e, const struct closer *closer)
{
	name_end(e, closer);
	e->time_ns = bpf_ktime_get_ns();
	e->blocked_ns = closer->returned_ns ? e->time_ns - closer->returned_ns : 0;
}

/* What was the record of the close becomes that of its end.  With -r the reader leaves out those
 * that were no reset, once it has noted whose connection it was. */
static __always_inline void tell_end(struct closer *closer, __u32 seen)
{
	closer->seen |= seen;
	name_end(&closer->event, closer);
	if (is_counted(&closer->event)) {
		count_end(&closer->event);
		return;
	}
	fill_end(&closer->event, closer);
	emit(&closer->event);
}

static __always_inline void tell_end_with_callers(struct closer *closer, void *ctx)
{
	fill_end(&closer->event, closer);
	emit_with_callers(ctx, &closer->event, 0);
}

/* The numbers are those that the minisocket takes over: tcp_time_wait(). */
static __always_inline void end_in_time_wait(struct closer *closer, const struct tcp_sock *tp)
{
	if (tp)
		fill_acknowledged(&closer->event, tp);
	tell_end(closer, ENDED_TIME_WAIT);
}

static __always_inline int orphan_time_wait(const struct sock *sk, const struct tcp_sock *tp, int state)
{
	struct closer *closer = orphan_of(sk);

	if (!closer)
		return 0;
	closer->seen |= ENDED_TIME_WAIT;
	closer->event.new_state = state;
	/* It lingers: its close is yet to return, and tells it then. */
	if (!closer->returned_ns)
		return 0;
	end_in_time_wait(closer, tp);
	orphan_drop(sk);
	return 0;
}

/* From LAST_ACK it is the acknowledgement, unless something else was seen. */
static __always_inline bool is_plain_end(const struct closer *closer, const struct sock *sk)
{
	return closer->event.new_state == TCP_LAST_ACK && !closer->event.error && !closer->seen &&
	       closer->event.snd_una == BPF_CORE_READ((const struct tcp_sock *)sk, write_seq);
}

static __always_inline void fill_numbers(struct close_event *e, const struct sock *sk)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;

	e->snd_una = BPF_CORE_READ(tp, snd_una);
	e->snd_nxt = BPF_CORE_READ(tp, snd_nxt);
}

/* Late data is yet to be answered. */
static __always_inline void end_here(const struct sock *sk, const struct closer *closer)
{
	struct ended *last = ended_here();

	if (!last)
		return;
	last->sk = (__u64)sk;
	last->closer = *closer;
}

/* To CLOSE from another state it takes more than one of us can see at a glance: who called says
 * which. */
static __always_inline int orphan_destroyed(void *ctx, const struct sock *sk)
{
	struct closer *closer = orphan_of(sk);
	bool plain;

	setting_drop(sk);
	if (!closer || !closer->returned_ns)
		return 0;
	closer->event.error = BPF_CORE_READ(sk, sk_err);
	fill_numbers(&closer->event, sk);
	plain = is_plain_end(closer, sk);
	if (!plain)
		end_here(sk, closer);
	if (plain || closer->seen & (GOT_RST | GOT_LATE_DATA))
		tell_end(closer, 0);
	else
		tell_end_with_callers(closer, ctx);
	orphan_drop(sk);
	return 0;
}

/* ---- resets ---------------------------------------------------------------------- */

/* tcp_send_active_reset(): a call, a timer. */
static __always_inline int active_outside(void *ctx, const struct sock *sk, __u8 reason)
{
	struct closer *closer;
	struct sighting s;

	start_reset(&s, socket_facts(sk), reason);
	s.event.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	fill_by_socket(&s.event, sk);
	fill_numbers(&s.event, sk);
	closer = closer_of_socket(sk, &s.event);
	if (closer)
		closer->seen |= ENDED_ACTIVE;
	else
		closer = closer_of_listener(sk);
	fill_owner(&s, closer, sk, true);
	tell_reset(ctx, &s);
	return 0;
}

/* tcp_v4_send_reset(), tcp_v6_send_reset(): in answer to a segment. */
static __always_inline int reply_outside(void *ctx, const struct sock *sk, const struct sk_buff *skb,
					 __u8 reason)
{
	bool full = is_full(sk);
	struct sighting s;

	start_reset(&s, sk ? 0 : RESET_NO_SOCKET, reason);
	s.event.state = sk ? BPF_CORE_READ(sk, __sk_common.skc_state) : 0;
	s.event.netns = netns_of(sk, skb);
	fill_by_segment(&s.event, skb);
	if (full) {
		s.event.facts |= socket_facts(sk);
		fill_numbers(&s.event, sk);
	}
	fill_owner(&s, full ? closer_of_socket(sk, &s.event) : NULL, sk, false);
	tell_reset(ctx, &s);
	return 0;
}

static __always_inline int reset_outside(void *ctx, const __u64 *args, enum witness witness)
{
	const struct sock *sk = (const struct sock *)args[0];
	const struct sk_buff *skb = (const struct sk_buff *)args[1];
	__u8 reason = has_reset_reason() ? args[2] : 0;

	if (!counters.on || (sk && is_full(sk) && is_being_closed(sk)))
		return 0;
	if (is_for_the_other(witness, skb ? (const void *)skb : sk))
		return 0;
	return skb ? reply_outside(ctx, sk, skb, reason) : active_outside(ctx, sk, reason);
}

/* No answer to an RST, nor to what was not for us: tcp_v4_send_reset(), tcp_v6_send_reset(). */
static __always_inline bool is_answered(const struct sock *sk, const struct sk_buff *skb, bool ipv4)
{
	__u64 dst = BPF_CORE_READ(skb, _skb_refdst) & ~1ULL;	/* SKB_DST_NOREF */
	const struct tcphdr *tcp = tcp_header(skb);

	if (BPF_CORE_READ_BITFIELD_PROBED(tcp, rst))
		return false;
	if (sk)
		return true;
	if (ipv4)
		return BPF_CORE_READ((const struct rtable *)dst, rt_type) == RTN_LOCAL;
	return BPF_CORE_READ((const struct rt6_info *)dst, rt6i_flags) & RTF_LOCAL;
}

/* v6.10: the tracepoint tells of these too. */
static __always_inline int reply_unseen(void *ctx, const struct sock *sk, const struct sk_buff *skb,
					bool ipv4)
{
	if (!counters.on || is_full(sk) || !is_answered(sk, skb, ipv4))
		return 0;
	return reply_outside(ctx, sk, skb, 0);
}

static __always_inline __u64 inode_behind(const struct sock *sk)
{
	const struct socket *socket = get(sk, sk_socket);
	const struct file *file = socket ? get(socket, file) : NULL;

	return file ? inode_number(get(file, f_inode)) : 0;
}

/* An RST never gets as far as the data of other segments: tcp_validate_incoming(). */
static __always_inline __u32 shut_read_facts(const struct sk_buff *skb)
{
	if (!skb)
		return WAS_SHUT_READ;
	return BPF_CORE_READ_BITFIELD_PROBED(tcp_header(skb), rst) ? WAS_SHUT_READ | GOT_RST :
								     WAS_SHUT_READ | GOT_LATE_DATA;
}

static __always_inline __u32 received_facts(const struct sock *sk, const struct sk_buff *skb)
{
	__u32 facts = RESET_RECEIVED;

	if (get(sk, __sk_common.skc_flags) & 1 << SOCK_DEAD)
		facts |= WAS_ORPHAN;
	return get(sk, sk_shutdown) & RCV_SHUTDOWN ? facts | shut_read_facts(skb) : facts;
}

/* tcp_reset() runs for RSTs, and in answer to late data: the segment says which, or where there
 * is none who called. */
static __always_inline int reset_received(void *ctx, const struct sock *sk, const struct sk_buff *skb,
					  enum witness witness)
{
	const struct tcp_sock *tp = tcp_sock_of(sk);
	struct closer *closer;
	struct sighting s;

	if (!counters.on || !tp || is_for_the_other(witness, sk))
		return 0;
	start_reset(&s, received_facts(sk, skb), 0);
	s.event.state = get(sk, __sk_common.skc_state);
	s.event.netns = netns_number(sk);
	fill_addresses(&s.event, sk, tp);
	fill_acknowledged(&s.event, tp);
	closer = orphan_of(sk);
	if (closer) {
		closer->seen |= ENDED_RECEIVED | (s.event.facts & (GOT_RST | GOT_LATE_DATA));
		fill_by_closer(&s.event, closer);
	} else {
		s.event.id = id_of(sk, mptcp_of(tp), s.event.time_ns);
		s.inode = inode_behind(sk);
	}
	if (!(s.event.facts & GOT_LATE_DATA))
		tell_reset(ctx, &s);
	return 0;
}

#endif
