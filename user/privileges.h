/* SPDX-License-Identifier: GPL-2.0-only */
/* What we may do, and doing without what we need no longer. */
#ifndef CLOSETRACE_PRIVILEGES_H
#define CLOSETRACE_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/capability.h>

/* In /proc/PID/fd of others. */
#define LOOK_AROUND (UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_DAC_READ_SEARCH)
#define LOOK_INTO_FILES (LOOK_AROUND | UINT64_C(1) << CAP_CHECKPOINT_RESTORE)	/* map_files */

/* CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON too. */
bool privileges_include(int capability);

/* The kernel asks for capabilities of its first user namespace. */
bool privileges_are_hosts(void);

/* Gives up everything but these (1 << CAP_KILL), for good.  Processes that are already
 * there are not touched. */
void privileges_keep(uint64_t capabilities);

#endif
