/* SPDX-License-Identifier: GPL-2.0-only */
/* The packets on loopback: the witness that asks no kernel structure. */
#ifndef CLOSETRACE_WIRE_H
#define CLOSETRACE_WIRE_H

#include <stddef.h>

struct wire;

struct wire *wire_open(void);	/* NULL: why is on stdout, as TAP's diagnostic */
void wire_close(struct wire *wire);

void wire_forget(struct wire *wire);	/* a new path begins */
void wire_mark(struct wire *wire);	/* what is captured by now was sent before the close */

/* The FINs and RSTs that went out from this port since the mark, in tcpdump's flags with a
 * space between; what the mark had seen already, by flags and sequence number, is a
 * retransmission and left out, and so is the second of two. */
void wire_flags(struct wire *wire, unsigned int port, char *text, size_t size);

#endif
