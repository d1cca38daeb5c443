/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last setting of SO_LINGER that was seen on each socket, by its address, until
 * tcp_destroy_sock; of an MPTCP socket until the address is another's: linger_new(),
 * linger_cloned().  Whoever set it is remembered, wanted or not: the close may be another's.
 *
 * It is believed only where the socket has what was set, and is still the same file.  So what
 * the kernel does behind the application's back (sock_no_linger(), a fastclose) is nobody's.
 */
#ifndef CLOSETRACE_SETTING_BPF_H
#define CLOSETRACE_SETTING_BPF_H

#include "bpf/near.bpf.h"
#include "bpf/record.bpf.h"

struct setting {
	__u64 id;		/* of the socket; 0: it has none yet */
	__u64 inode;		/* 0: it is not accepted yet */
	__u64 lingertime;	/* jiffies */
	__u32 on;
	__u32 inherited;
	struct setter setter;
};

struct {
	/* Where too many are remembered the next ones are not known. */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VIA == VIA_TRACEPOINT ? 1 : 16384);
	__type(key, __u64);	/* struct sock * */
	__type(value, struct setting);
} settings SEC(".maps");

volatile __u32 settings_near[VIA == VIA_TRACEPOINT ? 1 : 1 << NEAR_BITS] SEC(".data.settings");

/* By tracepoint nobody tells of them. */
static __always_inline bool has_setting(const struct sock *sk)
{
	return VIA != VIA_TRACEPOINT && near_get(settings_near, sk);
}

static __always_inline void setting_put(const struct sock *sk, const struct setting *setting)
{
	__u64 key = (__u64)sk;

	near_add(settings_near, sk, 1);
	if (!bpf_map_update_elem(&settings, &key, setting, BPF_NOEXIST))
		return;
	near_add(settings_near, sk, -1);
	bpf_map_update_elem(&settings, &key, setting, BPF_ANY);
}

static __always_inline bool is_same_inode(const struct setting *setting, const struct sock *sk)
{
	__u64 inode = setting->inode ? inode_of(sk) : 0;

	return !inode || inode == setting->inode;
}

static __always_inline struct setting *setting_at(const struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct setting *setting = has_setting(sk) ? bpf_map_lookup_elem(&settings, &key) : NULL;

	return setting && is_same_inode(setting, sk) ? setting : NULL;
}

static __always_inline void setting_drop(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	if (has_setting(sk) && !bpf_map_delete_elem(&settings, &key))
		near_add(settings_near, sk, -1);
}

/* A subflow has what its MPTCP socket was given. */
static __always_inline struct setting *setting_of(const struct sock *sk, const struct sock *mptcp)
{
	return setting_at(mptcp ? mptcp : sk);
}

static __always_inline __u64 known_id(const struct setting *setting, const struct sock *sk,
				      const struct sock *mptcp)
{
	return !mptcp || is_first_of(sk, mptcp) ? setting->id : 0;
}

/* The first record of a socket names it, be it one of its settings. */
static __always_inline __u64 id_of(const struct sock *sk, const struct sock *mptcp, __u64 now_ns)
{
	struct setting *setting = setting_of(sk, mptcp);
	__u64 id = setting ? known_id(setting, sk, mptcp) : 0;

	return id ? id : new_id(now_ns);
}

static __always_inline bool is_as_set(const struct setting *setting, const struct sock *sk)
{
	if (!(get(sk, __sk_common.skc_flags) & 1 << SOCK_LINGER))
		return !setting->on;
	return setting->on && setting->lingertime == get(sk, sk_lingertime);
}

/* Of a close. */
static __always_inline void fill_setting(struct close_event *e, const struct sock *sk,
					 const struct tcp_sock *tp)
{
	const struct sock *mptcp = mptcp_of(tp);
	struct setting *setting = setting_of(sk, mptcp);
	__u64 id;

	__builtin_memset(&e->setter, 0, sizeof(e->setter));
	if (!setting)
		return;
	id = known_id(setting, sk, mptcp);
	if (id)
		e->id = id;
	if (!is_as_set(setting, sk))
		return;
	e->setter = setting->setter;
	if (setting->inherited)
		e->facts |= LINGER_INHERITED;
}

#endif
