/* SPDX-License-Identifier: GPL-2.0-only */
/* Which process holds a socket, asked of /proc. */
#ifndef CLOSETRACE_HOLDER_H
#define CLOSETRACE_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

/* Of the socket with this inode number; where it is shared, one of them.  0: nobody, or nobody
 * that we may look at: that takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.  Known is who was found
 * by an earlier walk, and that costs next to nothing. */
pid_t holder_of(uint64_t inode);
pid_t holder_known(uint64_t inode);

/* Whether all of /proc was walked after this, CLOCK_MONOTONIC. */
bool holder_looked_since(int64_t ms);

/* The next who is not known yet is looked for at once, however short ago the last walk was. */
void holder_hurry(void);

/* Puts into the record who that is: pid, comm, uid and cgroup, as far as they can be read.
 * false: it has gone. */
bool holder_fill(struct close_event *event, pid_t pid);

#endif
