/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a reset and an end were, from their facts and from who called: pure functions, the
 * counterpart of judge() for what no close call tells.  Each row of their tables names the
 * kernel's function that makes it so; what fits none is unknown.
 */
#ifndef CLOSETRACE_CAUSE_H
#define CLOSETRACE_CAUSE_H

#include <stdbool.h>

#include "user/callers.h"
#include "user/judge.h"

/* CAUSE_NONE: no RST of its own.  The close call that it belongs to tells of it, or tcp_reset()
 * ran without one. */
enum cause cause_of(const struct close_event *reset, __u32 callers);

enum end end_of(const struct close_event *end, __u32 callers);

/* By tracepoint tcp_time_wait() is not seen: it is a time-wait, unless an RST in answer to late
 * data follows at once. */
bool end_is_open(const struct close_event *end, __u32 callers);

/* One that came, not one that we sent. */
bool cause_is_received(enum cause cause);

/* Whose doing it is, as far as the record itself can say: OWNER_SOCKET is whoever is named in
 * it, with a pid of 0 whoever has the socket. */
enum owner owner_of(const struct close_event *reset, enum cause cause, __u32 callers);

/* A kernel thread closes in somebody else's name: mptcp_worker(), delayed_fput(). */
bool closer_is_process(const struct close_event *close);

/* Whether an RST was in it. */
bool end_is_reset(enum end end);

#endif
