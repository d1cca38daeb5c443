/* SPDX-License-Identifier: GPL-2.0-only */
/* Did the linger setting take effect?  The answer in words. */
#ifndef CLOSETRACE_USER_LINGER_H
#define CLOSETRACE_USER_LINGER_H

#include <stddef.h>

#include "user/judge.h"

/* One sentence about a close, for text; empty where SO_LINGER was off. */
void linger_say(const struct record *record, char *text, size_t size);

/* What is set, as setsockopt() has it. */
void linger_show(const struct close_event *event, char *text, size_t size);

#endif
