/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the kernel's functions that matter to us are on a stack. */
#ifndef CLOSETRACE_CALLERS_H
#define CLOSETRACE_CALLERS_H

#include <stddef.h>
#include <stdio.h>

#include <linux/types.h>

enum caller {
	BY_CLOSE            = 1 << 0,	/* __tcp_close() */
	BY_DISCONNECT       = 1 << 1,	/* tcp_disconnect() */
	BY_CHILD_FORGET     = 1 << 2,	/* inet_child_forget() */
	BY_SHUTDOWN         = 1 << 3,	/* inet_shutdown(): a system call of the socket's holder */
	BY_CONNECT          = 1 << 4,	/* __inet_stream_connect(): the same */
	BY_ABORT            = 1 << 5,	/* tcp_abort() */
	BY_KEEPALIVE        = 1 << 6,	/* tcp_keepalive_timer() */
	BY_WRITE_TIMER      = 1 << 7,	/* tcp_write_timer() and what it calls */
	BY_OUT_OF_RESOURCES = 1 << 8,	/* tcp_out_of_resources() */
	BY_FASTCLOSE        = 1 << 9,	/* mptcp_do_fastclose() */
	BY_SUBFLOW          = 1 << 10,	/* mptcp_subflow_reset() and its like */
	BY_CHECK_REQ        = 1 << 11,	/* tcp_check_req() */
	BY_VALIDATE         = 1 << 12,	/* tcp_validate_incoming(): the segment had RST */
	BY_RESET            = 1 << 13,	/* tcp_reset() */
	BY_FIN              = 1 << 14,	/* tcp_fin(): the segment had FIN */
	BY_RECEIVE          = 1 << 15,	/* tcp_rcv_state_process() */
	BY_MPTCP_CLOSE      = 1 << 16,	/* mptcp_close(): a system call, or the exit of a process */
	CALLERS_UNKNOWN     = 1U << 31,	/* where functions are is hidden from us */
};

/* Where they are is in /proc/kallsyms, which is opened here, for without CAP_SYSLOG it tells nobody,
 * and read when the first stack is asked about. */
void callers_open(void);
void callers_close(void);	/* without having asked */
void callers_read(FILE *symbols);	/* from a file like it */

/* The innermost frames, 0 beyond the last: enum caller.  Those beyond the softirq that a task
 * was interrupted by are none of this call's. */
__u32 callers_of(const __u64 *stack, size_t count);

#endif
