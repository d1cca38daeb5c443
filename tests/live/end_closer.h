/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that has one end of a connection, and ends it. */
#ifndef CLOSETRACE_END_CLOSER_H
#define CLOSETRACE_END_CLOSER_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/live/end_tcp.h"

struct closer {
	pid_t pid;
	int line;	/* to it: a letter a command, echoed when done; -1: it is gone */
	char comm[16];
};

/* It has a copy of pair->end, and nothing of the peer's; its name is closer->comm. */
void closer_start(struct closer *closer, const struct pair *pair);

bool closer_begin(const struct closer *closer);	/* close(), without waiting for it */
bool closer_await(const struct closer *closer);	/* until it has closed */
bool closer_exit(struct closer *closer);	/* with or without having closed */
void closer_kill(struct closer *closer);	/* SIGKILL; not if it is gone */

#endif
