/* SPDX-License-Identifier: GPL-2.0-only */
/* From which line of code SO_LINGER was set, for the closes that come later.  Bounded: the latest
 * settings are remembered. */
#ifndef CLOSETRACE_SITES_H
#define CLOSETRACE_SITES_H

#include "bpf/event.h"

/* A setting, and where its stack says that it was made. */
void sites_add(const struct close_event *linger, const char *site);

/* Of the setting that this close tells of; NULL: not known.  Lasts until the next sites_add(). */
const char *sites_of(const struct close_event *close);

#endif
