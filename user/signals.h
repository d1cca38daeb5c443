/* SPDX-License-Identifier: GPL-2.0-only */
/* What tells us to stop, and that a child has ended, to be read when there is time for it. */
#ifndef CLOSETRACE_SIGNALS_H
#define CLOSETRACE_SIGNALS_H

/* A signalfd, or -1; from here on a closed pipe is an error of write(). */
int signals_open(void);

#endif
