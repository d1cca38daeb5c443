/* SPDX-License-Identifier: GPL-2.0-only */
/* How often the kernel left one of the loaded programs out. */
#ifndef CLOSETRACE_SKIPPED_H
#define CLOSETRACE_SKIPPED_H

#include "user/programs.h"
#include "user/tracer.h"

struct tracer_skipped skipped_count(const struct programs *programs);

#endif
