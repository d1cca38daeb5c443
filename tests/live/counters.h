/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own counts, of this network namespace, by name: positions move between releases. */
#ifndef CLOSETRACE_COUNTERS_H
#define CLOSETRACE_COUNTERS_H

#include "user/paths.h"

void counters_read(struct path_counters *counters);
void counters_subtract(struct path_counters *from, const struct path_counters *what);

/* One of the group "Tcp", "TcpExt" or "MPTcpExt". */
unsigned int counter_of(const char *group, const char *name);

#endif
