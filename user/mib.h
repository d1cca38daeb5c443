/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own counters, as net/snmp and net/netstat of a process have them: those of its
 * network namespace, from the namespace's beginning on. */
#ifndef CLOSETRACE_MIB_H
#define CLOSETRACE_MIB_H

#include <stdint.h>
#include <stdio.h>

/* The kernel's names, capitals apart.  The first seven are reconciled, the others tell why they
 * differ. */
enum counter {
	TCP_ABORT_ON_CLOSE,
	TCP_ABORT_ON_DATA,
	TCP_ABORT_ON_LINGER,
	TCP_ABORT_ON_MEMORY,
	TCP_ABORT_ON_TIMEOUT,
	EMBRYONIC_RSTS,
	OUT_RSTS,
	RECONCILED_COUNT,
	TCP_ABORT_FAILED = RECONCILED_COUNT,
	ATTEMPT_FAILS,
	IN_SEGS,
	MP_RST_TX,
	MP_FASTCLOSE_TX,
	COUNTERS_COUNT,
};

const char *mib_name(enum counter counter);	/* "OutRsts" */

/* Those that were found in such a file, 1 << enum counter each; the other values stay as they
 * are. */
uint32_t mib_parse(FILE *file, uint64_t values[COUNTERS_COUNT]);

#endif
