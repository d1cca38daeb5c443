/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where both ends of a connection are traced, one RST has two records; and what was under way when
 * it was sent is answered by more of them.  Those are echoes: the first record tells of all.
 */
#ifndef CLOSETRACE_ECHOES_H
#define CLOSETRACE_ECHOES_H

#include "user/judge.h"

struct echoes;

typedef void echoes_put(void *arg, const struct record *record, const char *site);

struct echoes *echoes_new(echoes_put *put, void *arg);	/* NULL with errno */
void echoes_free(struct echoes *echoes);

/* What is no echo is put.  An RST that was received waits for the record of who sent it, which may
 * come a little later. */
void echoes_add(struct echoes *echoes, const struct record *record, const char *site);

/* No more will come: what waits is put. */
void echoes_end(struct echoes *echoes);

#endif
