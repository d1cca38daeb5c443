/* SPDX-License-Identifier: GPL-2.0-only */
/* closetrace explain: what a word of the output means and what to do about it. */
#ifndef CLOSETRACE_EXPLAIN_H
#define CLOSETRACE_EXPLAIN_H

/* Returns the exit status. */
int explain_main(int argc, char **argv);

#endif
