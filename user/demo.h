/* SPDX-License-Identifier: GPL-2.0-only */
/* Every path of rst-client, walked before our own eyes. */
#ifndef CLOSETRACE_DEMO_H
#define CLOSETRACE_DEMO_H

/* Returns the exit status: 0 only if all that was seen was expected. */
int demo_main(int argc, char **argv);

#endif
