/* SPDX-License-Identifier: GPL-2.0-only */
/* A chain of two calls, each after it has said on stdout what its name, address and line are; then
 * that it is done. */
#ifndef CLOSETRACE_TESTS_DROP_H
#define CLOSETRACE_TESTS_DROP_H

void serve(int fd);	/* calls drop() */
void drop(int fd);	/* calls close() */

#endif
