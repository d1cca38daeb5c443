/* SPDX-License-Identifier: GPL-2.0-only */
/* Which system call a socket was closed by. */
#ifndef CLOSETRACE_CALL_H
#define CLOSETRACE_CALL_H

#include <stdbool.h>

#include "bpf/event.h"

/* The outside's name of it; NULL: not known. */
const char *call_name(const struct close_event *close);

/* Each name that there is; NULL beyond the last. */
const char *call_by_index(unsigned int i);

/* The same in words; NULL: not known. */
const char *call_words(const struct close_event *close);

bool call_is_exec(__u16 call);

#endif
