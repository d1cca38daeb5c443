/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that holds sockets on loopback and takes one step at a time, so that either end
 * of a connection has an owner of its own, and the test knows which.
 */
#ifndef CLOSETRACE_RESET_ACTOR_H
#define CLOSETRACE_RESET_ACTOR_H

#include <sys/types.h>

struct actor {
	pid_t pid;
	int line;		/* to it; -1 once it was killed */
};

/* Its ports and the other's: a connection takes the one that its number adds up to. */
struct place {
	int family;
	unsigned int here, there;
};

/* What it has in hand: a listener, and connections from END on. */
enum { LISTENER, END, SLOTS = END + 4 };

void actor_start(struct actor *actor, const char *comm, const struct place *place);
void actor_kill(struct actor *actor);

/* What the step returned, done in that process; where it failed, the test is over. */
#define take(actor, slot, step, arg) actor_take(actor, slot, step, #step, arg)
long actor_take(const struct actor *actor, int slot, long (*step)(int slot, long arg),
		const char *name, long arg);

/* ---- the steps ---- */
long start_listening(int slot, long backlog);
long defer_accept(int slot, long seconds);
long await_waiting(int slot, long children);	/* connections that were not accepted */
long connect_there(int slot, long unused);
long connect_refused(int slot, long unused);
long connect_begin(int slot, long unused);	/* without waiting for an answer */
long accept_end(int slot, long unused);

long send_data(int slot, long unused);
long await_data(int slot, long unused);		/* and leave it unread */
long await_end(int slot, long state);		/* TCP_CLOSE_WAIT ... */
long acknowledge(int slot, long unused);	/* what came, now */
long next_seq(int slot, long unused);		/* of what it would send; returns that */

long drop_flags(int slot, long flags);		/* before TCP sees it: what has one of them */
long drop_empty(int slot, long unused);		/* ... what has no data */
long drop_nothing(int slot, long unused);

long set_zero_linger(int slot, long unused);
long set_linger2(int slot, long seconds);
long set_keepalive(int slot, long seconds);
long set_repair(int slot, long unused);

long dissolve(int slot, long unused);		/* connect() to AF_UNSPEC */
long shut(int slot, long how);
long close_it(int slot, long unused);

#endif
