/* SPDX-License-Identifier: GPL-2.0-only */
/* Every way to an RST, and what it must give: from the kernel's source, not from what we print. */
#ifndef CLOSETRACE_RESET_ROWS_H
#define CLOSETRACE_RESET_ROWS_H

#include "tests/live/reset_actor.h"

/* Who sends the RST, and to whom. */
struct stage {
	struct place place;		/* the sender's */
	struct actor sender, receiver;
};

enum counter {
	OUT_RSTS, ESTAB_RESETS, ATTEMPT_FAILS, ON_CLOSE, ON_DATA, ON_LINGER, ON_MEMORY, ON_TIMEOUT,
	EMBRYONIC_RSTS, LISTEN_OVERFLOWS, COUNTERS
};

/* The records of one end, all alike. */
struct told {
	int count;
	const char *cause, *owner, *state;	/* NULL for null */
};

struct row {
	const char *name;
	const char *(*play)(struct stage *stage);	/* NULL, or why it cannot be played */
	struct told sent, received;
	const char *wire;			/* what the sender sends, FINs too */
	unsigned int counts[COUNTERS];		/* of both ends */
	unsigned int port;			/* the sender's, where it matters */
};

extern const struct row rows[];			/* ended by a NULL name */

/* Has to be there before anybody attaches to it. */
void firewall_begin(void);

#endif
