/* SPDX-License-Identifier: GPL-2.0-only */
/* What this kernel allows, which way will be taken, and what that way cannot see. */
#ifndef CLOSETRACE_DOCTOR_H
#define CLOSETRACE_DOCTOR_H

#include <stdio.h>

/* Exit status 0: tracing will work. */
int doctor_main(int argc, char **argv);

/* One row: text is broken between words so that none of its lines is wider than a terminal. */
void doctor_row(FILE *out, const char *what, const char *word, const char *text);

#endif
