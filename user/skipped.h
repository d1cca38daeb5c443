/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel left one of the loaded programs out of. */
#ifndef CLOSETRACE_SKIPPED_H
#define CLOSETRACE_SKIPPED_H

#include "user/programs.h"
#include "user/tracer.h"

struct tracer_skipped skipped_count(const struct programs *programs);	/* by its own count */

/* How many closed sockets are gone whose end was not seen, once each: there is no other trace of
 * them.  It takes v5.19: before, who has given up CAP_BPF may not look. */
uint64_t skipped_sweep(const struct programs *programs);

#endif
