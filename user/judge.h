/* SPDX-License-Identifier: GPL-2.0-only */
/* A record with its verdict, and the names that the verdicts have outside. */
#ifndef CLOSETRACE_USER_JUDGE_H
#define CLOSETRACE_USER_JUDGE_H

#include "bpf/judge.h"

/* Whose doing a reset is. */
enum owner {
	OWNER_NOBODY,		/* that we know of */
	OWNER_CLOSER,		/* who had closed the socket */
	OWNER_SOCKET,		/* who holds it */
};

#define UID_UNKNOWN ((__u32)-1)	/* of a holder that we may not ask */

struct stack;

struct record {
	const struct close_event *event;
	struct verdict verdict;
	enum owner owner;	/* of a reset: whom pid, tid, comm, uid and cgroup are of */
	struct stack *stack;	/* NULL: none was asked for */
	const char *linger_site;	/* of a close: from where SO_LINGER was set; NULL: not known */
};

/* NULL is the outside's null. */
const char *branch_name(enum branch branch);
const char *sent_name(enum sent sent);
const char *linger_name(enum outcome outcome);
const char *after_name(enum after after);
const char *cause_name(enum cause cause);
const char *end_name(enum end end);
const char *owner_name(enum owner owner);
const char *event_name(enum event_kind kind);
const char *context_name(enum context context);
const char *via_name(enum via via);
const char *state_name(unsigned int state);	/* the kernel's, without TCP_ */

/* The value whose name it is, or -1. */
int branch_by_name(const char *name);

#endif
