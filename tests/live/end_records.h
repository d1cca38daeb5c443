/* SPDX-License-Identifier: GPL-2.0-only */
/* The records of closes, resets and ends, and what must hold between them. */
#ifndef CLOSETRACE_END_RECORDS_H
#define CLOSETRACE_END_RECORDS_H

#include <stdbool.h>

#include "tests/live/end_tcp.h"
#include "tests/live/live.h"

void note_record(const char *what, const json_t *record);	/* NULL: none */

/* The close of this end; the last, where there are several. NULL: none. */
const json_t *find_close(const json_t *records, pid_t pid, const struct pair *pair);

/* Those of this id, in order; how many there are, even if there is less room. */
int find_by_id(const json_t *records, const char *event, long long id, const json_t **found,
	       int room);

/* Whether the kernel went on with the socket, so that its end must be told. */
bool has_end(const json_t *closed);

/* CLOCK_REALTIME */
long long time_ns_of(const json_t *record);

extern const char blind_because[];	/* where is_blind() */

/* Of a whole run in which all sockets came to their end. */
void check_records(const struct run *run, const char *via);

#endif
