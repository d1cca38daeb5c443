/* SPDX-License-Identifier: GPL-2.0-only */
/* What we may do, and doing without what we need no longer. */
#ifndef CLOSETRACE_PRIVILEGES_H
#define CLOSETRACE_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/capability.h>

#include "bpf/event.h"

/* CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON too. */
bool privileges_include(int capability);

/* The kernel asks for capabilities of its first user namespace. */
bool privileges_are_hosts(void);

/* What a trace needs once it has begun, as far as we have it. */
uint64_t privileges_of_trace(bool command, const struct filter *filter);

/* Gives up everything but these (1 << CAP_KILL), for good.  Processes that are already
 * there are not touched. */
void privileges_keep(uint64_t capabilities);

#endif
