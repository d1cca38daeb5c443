/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes, as /proc tells of them. */
#ifndef CLOSETRACE_PROCS_H
#define CLOSETRACE_PROCS_H

#include <stdbool.h>
#include <sys/types.h>

/* Calls for each living descendant of pid.  Stops at the first call that returns other than 0
 * and returns that. */
int procs_children(pid_t pid, int (*call)(void *arg, pid_t child), void *arg);

/* Whether the numbers that we see are the kernel's own: not inside a container's PID namespace. */
bool procs_are_hosts(void);

pid_t procs_parent(pid_t pid);	/* 0: it has gone */

#endif
