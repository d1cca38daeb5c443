/* SPDX-License-Identifier: GPL-2.0-only */
/* A setting of SO_LINGER in words. */
#ifndef CLOSETRACE_USER_LINGER_H
#define CLOSETRACE_USER_LINGER_H

#include <stddef.h>

#include "bpf/event.h"

/* What is set, as setsockopt() has it. */
void linger_show(const struct close_event *event, char *text, size_t size);

#endif
