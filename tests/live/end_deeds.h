/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many processes that close connections over the same few ports, and the peers' late data to
 * each. What was done, by whom and when is in memory that all of them share.
 */
#ifndef CLOSETRACE_END_DEEDS_H
#define CLOSETRACE_END_DEEDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What answers the late data. */
enum kind {
	BY_MINISOCKET,
	BY_ORPHAN,
	BY_NOBODY,	/* the peer did not hear the RST of the close */
	KINDS,
};

/* A connection that was closed. */
struct deed {
	enum kind kind;
	int place;		/* its ports; where they are taken, the next ones */
	long delay_us;		/* until the late data */
	bool is_acknowledged;	/* the FIN, before the late data; a minisocket needs it */
	bool is_hasty;		/* others may take the ports before the peer is done with them */

	pid_t pid;		/* who closed */
	char comm[16];
	bool is_closed, is_done;
	long long sent_ns, done_ns;	/* the late data, and its answer; CLOCK_REALTIME */
	uint32_t seq, ack;	/* of the late data */
};

uint16_t lport_of(const struct deed *deed);	/* as who closes has them */
uint16_t rport_of(const struct deed *deed);
long long real_ns(void);

/* Room for so many; they are told apart by their number. */
struct deed *deeds_begin(int count);

/* A process that has all the peers, until it is killed. */
pid_t peers_start(void);

/* A process that does some deeds, one after the other, and ends without waiting for the peers. */
pid_t closer_do(int first, int count);
void closer_wait(pid_t pid);
void deeds_await(int first, int count);		/* until the peers are done, too */

#endif
