/* SPDX-License-Identifier: GPL-2.0-only */
/* RSTs that a firewall rule sends and TCP never sees: no counter, no tracepoint. */
#ifndef CLOSETRACE_REJECT_BPF_H
#define CLOSETRACE_REJECT_BPF_H

#include "pt_regs.h"
#include "bpf/reset.bpf.h"

/* nf_send_reset() and nf_send_reset6() were (net, skb, hook) up to v5.11 and are (net, sk, skb,
 * hook) from v5.12; a module's types may not be there to ask. The number of a hook is small. */
#define NF_INET_NUMHOOKS 6

static __always_inline const struct sk_buff *rejected(__u64 second, __u64 third)
{
	return (const struct sk_buff *)((__u32)third < NF_INET_NUMHOOKS ? second : third);
}

static __always_inline int reject(void *ctx, const struct net *net, const struct sk_buff *skb)
{
	struct sighting s;

	/* No answer to an RST. */
	if (!counters.on || BPF_CORE_READ_BITFIELD_PROBED(tcp_header(skb), rst))
		return 0;
	start_reset(&s, RESET_FIREWALL | RESET_NO_SOCKET, 0);
	s.event.netns = BPF_CORE_READ(net, ns.inum);
	fill_by_segment(&s.event, skb);
	tell_reset(ctx, &s);
	return 0;
}

/* Breakpoints by either way: a trampoline would need the module's own BTF. */
SEC("kprobe/nf_send_reset")
int BPF_KPROBE(reject_ipv4, struct net *net, __u64 second, __u64 third)
{
	return reject(ctx, net, rejected(second, third));
}

SEC("kprobe/nf_send_reset6")
int BPF_KPROBE(reject_ipv6, struct net *net, __u64 second, __u64 third)
{
	return reject(ctx, net, rejected(second, third));
}

#endif
