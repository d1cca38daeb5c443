/* SPDX-License-Identifier: GPL-2.0-only */
/* What no TCP socket would do by itself: over loopback, and for root. */
#ifndef CLOSETRACE_RESET_FORGE_H
#define CLOSETRACE_RESET_FORGE_H

#include <stdint.h>

/* A segment without data; the flags are TH_SYN, TH_ACK. */
struct segment {
	int family;
	unsigned int from, to;	/* ports */
	uint32_t seq, ack;
	uint8_t flags;
};

void forge(const struct segment *segment);

/* As `ss -K` does, for the socket with this port and the peer's.  Returns 0 or an errno. */
int destroy(int family, unsigned int lport, unsigned int rport);

#endif
