/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records by the connection that they were of: both addresses and ports, and the network
 * namespace.  Those are used again; whether it is still the same connection is for whoever asks
 * to say, by the sequence numbers.
 */
#ifndef CLOSETRACE_CONNECTIONS_H
#define CLOSETRACE_CONNECTIONS_H

#include "bpf/event.h"

struct connections;

struct connections *connections_new(void);	/* NULL with errno */
void connections_free(struct connections *connections);

/* Takes the place of what was there for the same connection, or of what is oldest where there is
 * no room. */
void connections_add(struct connections *connections, const struct close_event *event);

/* What was added, to be changed by whoever asks, until the next is added.  NULL: nothing was. */
struct close_event *connections_find(struct connections *connections, const struct close_event *event);

#endif
