/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a mixed load is made of: ways to close and to reset, each so that the records which must
 * come of it are certain, however often it is done and whatever else is going on.
 */
#ifndef CLOSETRACE_MIXED_PARTS_H
#define CLOSETRACE_MIXED_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum listening {
	NOBODY,			/* or the part does it itself */
	LISTENING,
	DEAF,			/* to whatever comes */
	DEFERRING,		/* a connection is a request until it has brought data */
};

/* Where a part is played: nobody else has these two ports.  One of them is in every record. */
struct site {
	int family;
	uint16_t port;		/* the server's */
	uint16_t client_port;	/* where the client's may not be just any */
	int listener;		/* -1 with NOBODY */
	bool swap;		/* whose end it is that begins, from one time to the next */
};

struct part {
	const char *name;
	void (*play)(struct site *site);
	/* One word for each record: a close is BRANCH, or BRANCH/SENT or BRANCH/AFTER where an
	 * RST was sent; a reset CAUSE/OWNER, or CAUSE where it was received. */
	const char *gives;
	enum listening listening;
	int times;		/* in a row */
};

extern const struct part parts[];	/* ended by a NULL name */
extern const struct part slow_parts[];	/* the same: all by slow_play() alone */

/* Why this machine cannot have that one: `gives` says which; NULL: it can.  To be asked before
 * anybody traces, for modules are loaded.  The firewall answers at these ports. */
const char *part_fault(const struct part *part, unsigned int first_port, unsigned int last_port);

/* The listener stays. */
void site_open(struct site *site, enum listening listening);

/* What takes a second or more: a few of each, at its site, and nothing else by then. */
#define FEW 3
void slow_play(struct site sites[]);

#endif
