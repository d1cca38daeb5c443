/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers that a kprobe is handed, and that a system call has left at the top of its stack:
 * the kernel's ABI to BPF, not CO-RE's. */
#ifndef CLOSETRACE_PT_REGS_H
#define CLOSETRACE_PT_REGS_H

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	long unsigned int r15;
	long unsigned int r14;
	long unsigned int r13;
	long unsigned int r12;
	long unsigned int bp;
	long unsigned int bx;
	long unsigned int r11;
	long unsigned int r10;
	long unsigned int r9;
	long unsigned int r8;
	long unsigned int ax;
	long unsigned int cx;
	long unsigned int dx;
	long unsigned int si;
	long unsigned int di;
	long unsigned int orig_ax;
	long unsigned int ip;
	long unsigned int cs;
	long unsigned int flags;
	long unsigned int sp;
	long unsigned int ss;
};
#elif defined(__TARGET_ARCH_arm64)
/* What bpf_tracing.h casts struct pt_regs to, which it begins with. */
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

struct pt_regs {
	struct user_pt_regs user_regs;
	__u64 orig_x0;
	__s32 syscallno;
	__u32 unused;
};
#endif

#endif
