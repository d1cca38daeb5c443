// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "user/linger.h"

void linger_show(const struct close_event *event, char *text, size_t size)
{
	if (event->facts & WAS_LINGER)
		snprintf(text, size, "SO_LINGER {1, %llu}", event->linger_s);
	else
		snprintf(text, size, "SO_LINGER {0}");
}
