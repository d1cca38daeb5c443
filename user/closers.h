/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who had closed connections that are gone: of late data that meets a minisocket in TIME_WAIT, or
 * nothing, the kernel can say no more than addresses and ports.  Those are used again; what tells
 * one connection from the next are the sequence numbers that the peer acknowledges.
 */
#ifndef CLOSETRACE_CLOSERS_H
#define CLOSETRACE_CLOSERS_H

#include <stdbool.h>

#include "bpf/event.h"

struct closers;

struct closers *closers_new(void);	/* NULL with errno */
void closers_free(struct closers *closers);

/* A close that ended with an RST, or an end.  Takes the place of what was there for the same
 * addresses and ports, or of what is oldest where there is no room. */
void closers_add(struct closers *closers, const struct close_event *event);

/* Of the connection that a reply's segment was for: what was added, changed by whoever asks, until
 * the next is added.  NULL: not one that we saw closed. */
struct close_event *closers_find(struct closers *closers, const struct close_event *reply);

#endif
