/* SPDX-License-Identifier: GPL-2.0-only */
/* What JSON is written with; the records themselves go through json_sink. */
#ifndef CLOSETRACE_JSON_H
#define CLOSETRACE_JSON_H

#include "user/out.h"
#include "user/value.h"

void json_key(struct out *out, char before, const char *key);	/* one of our own names */
void json_value(struct out *out, const struct value *value);

#endif
