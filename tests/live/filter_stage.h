/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test of the filters plays: a family of processes, one that has nothing to do with it,
 * and one in another network namespace.  Each notes what it closes where all can see it.
 */
#ifndef CLOSETRACE_FILTER_STAGE_H
#define CLOSETRACE_FILTER_STAGE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#define MAX_CLOSES 1024

enum who {
	ALPHA,
	BETA,		/* alpha's child, there before the start */
	GAMMA,		/* beta's child, there before the start */
	DELTA,		/* alpha's child, born later; ends, with a socket open */
	EPSILON,	/* delta's child, outlives delta */
	OTHER,		/* has alpha's name, and nothing to do with it */
	ABROAD,		/* in another network namespace */
	WHO_COUNT,
};

extern const char *const who_names[WHO_COUNT];

enum branch {
	NO_CLOSE,
	LISTENER,
	NOT_CONNECTED,
	ALREADY_CLOSED,
	REPAIR,
	UNREAD_DATA,
	ZERO_LINGER,
	FIN,
	FIN_ALREADY_SENT,
	CONNECT_CANCELLED,
};

enum rst {
	NO_RST,
	RST,		/* of the branch */
	RST_AFTER,	/* within the call, after the branch: the tracepoints do not see it */
	RST_PERHAPS,	/* so, where the acknowledgement came at once */
};

/* One close that happened. */
struct close {
	enum who who;
	pid_t pid;
	bool ipv4;
	char raddr[INET6_ADDRSTRLEN];
	unsigned int lport, rport;
	enum branch branch;
	enum rst rst;
	bool found;
};

/* What all processes see. */
struct stage {
	int count;
	struct close closes[MAX_CLOSES];
	pid_t pids[WHO_COUNT];
	char why[128];		/* somebody could not play */
};

extern struct stage *stage;

/* For whoever plays: the test learns why. */
__attribute__((format(printf, 1, 2), noreturn)) void cannot(const char *what, ...);

/* ---- what each does: filter_acts.c ---- */
void acts_enter_network(void);
void acts_play_all(enum who who);
void acts_leave_one(enum who who);	/* open, to be closed when the process ends */

/* ---- who does it, and when: filter_cast.c ---- */
void cast_gather(void);
void cast_perform(void);
void cast_dismiss(void);

#endif
