/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLOSETRACE_WALK_H
#define CLOSETRACE_WALK_H

#include "user/steps.h"

/* The last thing before the close: tells the caller, in whichever process it is.
 * Returns 0, or -1 with errno. */
int walk_before_close(struct walk *walk);

#endif
