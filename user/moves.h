/* SPDX-License-Identifier: GPL-2.0-only */
/* Which record moves which of the kernel's counters, 1 << enum counter each: moves.c has the
 * table.  Of those that are reconciled alone. */
#ifndef CLOSETRACE_MOVES_H
#define CLOSETRACE_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "user/judge.h"
#include "user/mib.h"

/* Those that it has moved for certain: at its time, and by what came after a close, as that
 * returned. */
uint32_t moves_at_once(const struct record *record);
uint32_t moves_after(const struct record *record);
uint32_t moves_surely(const struct record *record);	/* either */

/* Those beside them of which that cannot be known. */
uint32_t moves_maybe(const struct record *record);

/* Whether it is an RST of ours, by a cause of MPTCP. */
bool moves_for_mptcp(const struct record *record);

#endif
