/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF programs and maps that a process holds, and what the kernel counts of them. */
#ifndef CLOSETRACE_BENCH_PROGRAMS_H
#define CLOSETRACE_BENCH_PROGRAMS_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_PROGRAMS 64

struct program {
	int fd;
	char name[16];
	__u64 run_ns;
	__u64 runs;
};

struct programs {
	struct program list[MAX_PROGRAMS];
	size_t count;
	uint64_t maps_kb;	/* that its maps take in the kernel */
};

/* They stay until programs_release(), even when the process ends. */
void programs_find(struct programs *programs, pid_t pid);
void programs_read(struct programs *programs);
void programs_release(struct programs *programs);
uint64_t programs_runs(const struct programs *programs);

#endif
