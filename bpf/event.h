/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two sides share: the record that crosses the ring buffer, the
 * filter that goes the other way once, before the programs load, and the
 * counters that both can see.
 *
 * A record holds facts only.  What they mean is judge.h's business.
 */
#ifndef CLOSETRACE_EVENT_H
#define CLOSETRACE_EVENT_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define COMM_LEN 16	/* TASK_COMM_LEN, NUL included */

enum event_kind {
	EVENT_CLOSE = 1,
	EVENT_RESET,		/* an RST that no close call sent */
	EVENT_END,		/* what became of a closed socket */
	EVENT_LINGER,		/* SO_LINGER was set */
	EVENT_COUNT,
};

/* The way of attaching that saw it. */
enum via {
	VIA_FENTRY,
	VIA_KPROBE,
	VIA_TRACEPOINT,
	VIA_COUNT,
};

/* In whose name the close ran. */
enum context {
	CONTEXT_SYSCALL,
	CONTEXT_EXIT,		/* PF_EXITING: inet_release() does not wait */
	CONTEXT_KERNEL,		/* PF_KTHREAD: delayed_fput(), a kernel socket */
};

/*
 * What was seen of one close, a bit each.  "Dead" is SOCK_DEAD: __tcp_close()
 * sets it by sock_orphan() after the branch is taken and the wait is over, so
 * it parts the branch from what came after it.
 */
enum fact {
	/* These functions ran for this socket within this close. */
	RAN_LISTEN_STOP  = 1 << 0,	/* inet_csk_listen_stop() */
	RAN_DISCONNECT   = 1 << 1,	/* tcp_disconnect() */
	RAN_RESET        = 1 << 2,	/* tcp_send_active_reset(), not dead yet */
	RAN_FIN          = 1 << 3,	/* tcp_send_fin(), or the move of state that calls for it */
	RAN_WAIT         = 1 << 4,	/* sk_stream_wait_close() with time to wait */
	RAN_ORPHAN_RESET = 1 << 5,	/* tcp_send_active_reset(), dead */
	RAN_LATE_RESET   = 1 << 6,	/* tcp_v4_send_reset(), tcp_v6_send_reset() */
	RAN_TIME_WAIT    = 1 << 7,	/* tcp_time_wait() */

	/* The socket as the close found it. */
	WAS_LINGER       = 1 << 8,	/* SOCK_LINGER */
	WAS_ZERO_LINGER  = 1 << 9,	/* ... of no time */
	WAS_REPAIR       = 1 << 10,	/* tcp_sock.repair */
	WAS_NONBLOCK     = 1 << 11,	/* O_NONBLOCK on the descriptor */
	WAS_CONNECTED    = 1 << 12,	/* has a peer's port: connected once, not dissolved since */

	/* As sk_stream_wait_close() left it. */
	WAIT_ACKED       = 1 << 13,	/* everything acknowledged, the FIN too */
	WAIT_CLOSING     = 1 << 14,	/* sk_stream_closing() still */
	WAIT_EXPIRED     = 1 << 15,	/* the time was up */

	/* As the reset of an orphan found it: TCP_LINGER2 below 0 and all acknowledged,
	 * which is FIN_WAIT2, whose test __tcp_close() makes before tcp_check_oom(). */
	ORPHAN_LINGER2   = 1 << 16,
	NETNS_DYING      = 1 << 17,	/* check_net() failed */
	ENDED_BY_ERROR   = 1 << 18,	/* sk_err as the call returned: a reset, a time-out */

	/* By tracepoint on a preemptible kernel: the move of state may have gone unseen. */
	MAY_HAVE_MOVED   = 1 << 19,

	WAS_SUBFLOW      = 1 << 20,	/* of an MPTCP socket, be it one that fell back to TCP */
	WAS_FASTCLOSE    = 1 << 21,	/* ... which aborts: mptcp_subflow_context.send_fastclose */

	LINGER_INHERITED = 1 << 22,	/* from the listener, whose setting it was */

	/* What this way of attaching, or this socket, could not give: null outside. */
	LACKS_BLOCKED    = 1 << 24,
	LACKS_NONBLOCK   = 1 << 25,	/* no descriptor: a kernel socket */
	LACKS_SENDQ      = 1 << 26,	/* purged when the connection died */
	LACKS_AFTER      = 1 << 27,	/* the record left before the call returned */
	LACKS_SUBFLOW    = 1 << 28,	/* a kernel without MPTCP */
};

/* What was seen of one reset or one end: their facts. */
enum reset_fact {
	RESET_RECEIVED   = 1 << 0,	/* tcp_reset() ran; else an RST was sent */
	RESET_REPLY      = 1 << 1,	/* ... by tcp_v4_send_reset() or tcp_v6_send_reset() */
	RESET_NO_SOCKET  = 1 << 2,	/* which had no socket to blame */
	RESET_TO_SYN     = 1 << 3,	/* the segment that it answers had SYN */
	RESET_TO_ACK     = 1 << 10,	/* ... had ACK */
	RESET_FIREWALL   = 1 << 4,	/* nf_send_reset(), nf_send_reset6() */
	WAS_ORPHAN       = 1 << 5,	/* SOCK_DEAD: closed before */
	WAS_SHUT_READ    = 1 << 6,	/* RCV_SHUTDOWN: tcp_reset() may be the answer to late data */

	WAS_LINGER2      = 1 << 7,	/* TCP_LINGER2 below 0, and all was acknowledged */

	/* Whose the task in the record is; none of these: of whoever happened to be running. */
	OWNER_IS_CLOSER  = 1 << 8,	/* it had closed the socket, or this one's listener */
	OWNER_IS_RUNNING = 1 << 9,	/* it has locked the socket: the call is its own */

	RESET_FASTCLOSE  = 1 << 11,	/* as WAS_FASTCLOSE */

	/* What tcp_reset() was given for a socket that is shut for reading, where it is given the
	 * segment; of an end too. */
	GOT_RST          = 1 << 12,
	GOT_LATE_DATA    = 1 << 13,	/* a reset of that is none, and not told */

	/* Of an end: what had happened to the socket before it was destroyed. */
	ENDED_TIME_WAIT  = 1 << 16,	/* tcp_time_wait() */
	ENDED_RECEIVED   = 1 << 17,	/* tcp_reset() */
	ENDED_ACTIVE     = 1 << 18,	/* tcp_send_active_reset() */
	ENDED_TW_RESET   = 1 << 19,	/* after it: the minisocket answered late data */
	ENDED_UNSEEN     = 1 << 20,	/* this way of attaching has no tcp_time_wait() */
};

/* Who set SO_LINGER as the socket has it; all 0: that was not seen. */
struct setter {
	__u64 time_ns;
	__u32 pid;
	__u32 tid;
	char  comm[COMM_LEN];
};

struct close_event {
	__u64 time_ns;		/* CLOCK_MONOTONIC; of a close: on entry */
	__u64 id;
	__u64 cgroup;
	__u64 blocked_ns;	/* of an end: since the close returned */
	__u64 linger_s;
	__u32 pid;		/* as in /proc; the kernel's tgid */
	__u32 tid;
	__u32 uid;
	__u32 netns;
	__u32 unread_bytes;
	__u32 unsent_bytes;
	__u32 unacked_bytes;
	__u32 snd_una;		/* what is for this connection acknowledges something from here */
	__u32 snd_nxt;		/* to here; of a reply: what the segment acknowledged, in both */
	__u32 facts;		/* enum fact, or enum reset_fact */
	__u8  laddr[16];	/* IPv4 as ::ffff:a.b.c.d, so there is one kind of address */
	__u8  raddr[16];
	__u16 lport;
	__u16 rport;
	__u8  kind;
	__u8  via;
	__u8  context;
	__u8  state;
	__u8  new_state;
	__u8  reason;		/* the running kernel's enum sk_rst_reason, 0 for none */
	char  comm[COMM_LEN];
	__u16 error;		/* sk_err, of an end */
	__u16 call;		/* of a close: the task's system call, by its number + 1; 0: not known */
	__u8  pad[2];
	struct setter setter;	/* of a close */
};
_Static_assert(sizeof(struct close_event) == 176, "no hidden padding");

/* A reset may have more: what is missing at the end is 0. */
#define CALLERS 16
struct reset_event {
	struct close_event event;
	__u64 inode;		/* of a socket that has a descriptor: as in /proc/PID/fd; else 0 */
	/* Who called is the proof of why, whatever the version: a few frames of the kernel's
	 * stack, innermost first, 0 beyond the last. */
	__u64 callers[CALLERS];
};

#define CALL_IO_WORKER 0xffff	/* in its place: a thread of io_uring's own */

/* With -k, and of what nobody can explain, a record has the kernel's stack as deep as it may get. */
#define KERNEL_FRAMES 64
struct stack_event {
	struct close_event event;
	__u64 inode;
	__u64 kernel[KERNEL_FRAMES];	/* innermost first, 0 beyond the last; begins as callers */
};
_Static_assert(__builtin_offsetof(struct stack_event, kernel) ==
	       __builtin_offsetof(struct reset_event, callers), "the callers of a reset");

/* What names the memory of a process; exec() gives it another. */
struct address_space {
	__u32 pid;
	__u32 pad;
	__u64 started_ns;	/* CLOCK_BOOTTIME, the process */
	__u64 start_code;
	__u64 end_code;
	__u64 start_stack;
	__u64 exe_inode;
};

/* Short for it.  That two have the same one is as likely as with random numbers. */
static inline __u64 address_space_name(const struct address_space *space)
{
	const __u64 *words = (const __u64 *)space;
	__u64 name = 0;

	for (unsigned int i = 0; i < sizeof(*space) / sizeof(*words); i++) {
		name = (name ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		name ^= name >> 32;
	}
	return name;
}

/* Whose a user's stack is. */
struct stack_owner {
	struct address_space space;
	__u64 name;		/* of the space: address_space_name() */
	__u64 rowless;		/* on the stack, the innermost that has no row; 0: all had one, or none was looked for */
};

/*
 * How a function's caller is found from one address of its code, as the file's unwind table says:
 * a row of it.  Those that were needed are handed to the programs, which walk the next stack by
 * them and need not copy it.  Only what is as plain as nearly everything is has a row: the CFA
 * (canonical frame address) is so far from a register, and the return address is just below it.
 */
enum unwind_from {
	UNWIND_UNKNOWN,
	UNWIND_FROM_SP,
	UNWIND_FROM_FP,
	UNWIND_END,		/* nobody has called it, or nothing says who */
};

union unwind_row {
	struct {
		__s32 cfa;	/* from that register on */
		__s16 fp;	/* from the CFA on to where the caller's is saved; 0: it was left alone */
		__u16 from;	/* enum unwind_from */
	};
	__u64 word;		/* read and written at once */
};

/* Rows lie where their address leads; a new one takes the place of an old one.  Whoever reads sees
 * that by its name: that is 0 while the rest is written. */
struct unwind_entry {
	__u64 address;		/* as it is on the stack */
	__u64 name;		/* of the space that it is in */
	__u64 row;
	__u64 pad;
};
#define UNWIND_ENTRIES (1 << 16)

static inline __u32 unwind_place(__u64 address, __u64 name)
{
	return (address + name) * 0x9e3779b97f4a7c15ULL >> 48;
}
_Static_assert(UNWIND_ENTRIES == 1 << (64 - 48), "each place is one of them");

/* Walked in the kernel. */
#define USER_FRAMES 64
struct walked_event {
	struct stack_event kernel;
	struct stack_owner owner;
	__u64 frames[USER_FRAMES];	/* innermost first, 0 beyond the last */
};

/* What it takes to find out in user space how the task came to its system call: few programs keep
 * frame pointers, so the stack itself is copied, as far as the innermost functions need it. */
#define USER_REGS   34
#define USER_CHUNK  512
#define USER_CHUNKS 8
#define USER_NAMES  12
#define USER_NAME   40
struct user_stack {
	struct stack_owner owner;
	__u64 size;		/* of what could be read of bytes */
	/* The file that the innermost address is in, by its build id, as bpf_get_stack() tells it:
	 * struct bpf_stack_build_id; told once for each space. */
	__s32 id_status;
	__u8  build_id[20];
	__u64 id_offset;
	/* The path of the program, the last name first, some empty, the first one too where it is
	 * not known, or has been told: the process may be gone before anybody can ask. */
	char  exe[USER_NAMES][USER_NAME];
	__u64 regs[USER_REGS];	/* as the kernel keeps them: struct pt_regs, 0 beyond it */
	__u8  bytes[USER_CHUNKS * USER_CHUNK];	/* from the stack pointer on */
};
_Static_assert(sizeof(struct user_stack) == 4952, "no hidden padding");

struct user_stack_event {
	struct stack_event kernel;
	struct user_stack user;
};

/* What is wanted.  Zero in every member means: everything. */
#define FILTER_PORT_WORDS (65536 / 64)
struct filter {
	__u64 lports[FILTER_PORT_WORDS];	/* a bit a port */
	__u64 rports[FILTER_PORT_WORDS];
	__u64 start_ns;		/* CLOCK_MONOTONIC; ids count from here */
	__u64 trial_cookie;	/* of the socket that the program learn looks for */
	__u8  addr[16];		/* the peer, under mask */
	__u8  mask[16];
	char  comm[COMM_LEN];
	__u32 pid;		/* the only one */
	__u32 netns;
	__u32 branches;		/* 1 << enum branch */
	__u32 lacks;		/* LACKS_...: the hooks that this kernel has not */
	__u8  by_pids;		/* the map pids decides */
	__u8  by_cgroup;
	__u8  by_comm;
	__u8  by_addr;
	__u8  by_lport;
	__u8  by_rport;
	__u8  family;		/* AF_INET, AF_INET6 */
	__u8  resets;		/* only what involves an RST */
	__u8  task_storage;	/* not a filter: the kernel has it for tracing programs */
	__u8  preemptible;	/* nor this: the kernel may leave programs out */
	__u8  stacks;		/* nor this: records have them */
	__u8  counting;		/* nor this: -c, what is wanted is counted where it happens */
	__u8  reset_segment;	/* nor this: tcp_reset() is given the segment */
	__u8  pad[3];
};

/* Counters that both sides can see, in memory that they share. */
struct counters {
	__u64 on;		/* nothing is recorded before this is set */
	__u64 hz;		/* jiffies in a second, as the program learn found it */
	__u64 frames;		/* the same found that a task can have a frame */
	__u64 open;		/* frames, where the engine counts them */
	__u64 asked;		/* calls to set it that have not returned, where there are notes of them */
	__u64 lost_ring;
	__u64 lost_table;
	__u64 generation;	/* of tables, that is counted into: its lowest bit */
};

/* With -c: what is counted, each in a table of its own. */
enum table {
	TABLE_VERDICTS,		/* struct record_key */
	TABLE_PROCESSES,	/* struct process_key */
	TABLE_PEERS,		/* an address, as in struct close_event */
	TABLE_OTHERS,		/* which table had no room for these */
	TABLE_COUNT,
};

/* All of a record that a verdict is made from, and the counters of whose namespace it moves. */
struct record_key {
	__u32 facts;
	__u32 netns;
	__u8  kind;
	__u8  state;
	__u8  new_state;
	__u8  context;
	__u8  reason;
	__u8  sizes[2];		/* by enum size: the slot that it is in */
	__u8  pad[9];
};

struct process_key {
	__u32 pid;
	char  comm[COMM_LEN];
	__u32 pad;
};

/* What the closes are sorted by, each value into the slot of as many bits as it takes. */
enum size {
	SIZE_BLOCKED,		/* microseconds; not where LACKS_BLOCKED */
	SIZE_UNREAD,		/* bytes */
	SIZE_COUNT,
};
#define SIZE_SLOTS 65

struct table_key {
	union {
		struct record_key record;
		struct process_key process;
		__u8 peer[16];
		__u32 full;	/* enum table */
		__u64 words[3];
	};
};
_Static_assert(sizeof(struct table_key) == 24, "no hidden padding");

struct sums {
	__u64 count;		/* closes; of TABLE_VERDICTS: records */
	__u64 sent;		/* of them, and resets besides: that sent an RST */
	__u64 received;		/* RSTs */
	__u64 unread;		/* bytes thrown away, received and never read */
	__u64 unsent;		/* ... written and not sent, or not acknowledged */
};

#endif
