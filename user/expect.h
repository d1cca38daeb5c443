/* SPDX-License-Identifier: GPL-2.0-only */
/* What -e asks of every close: rules over the keys that JSON has for it. */
#ifndef CLOSETRACE_EXPECT_H
#define CLOSETRACE_EXPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "user/judge.h"

/* A rule, and those that were given after it. */
struct expect;

/* One more rule, FIELD=VALUE[,VALUE...] or FIELD!=VALUE[,VALUE...], behind those there are; of none
 * the list is NULL.  The text has to last as long as the rule.  false: it is none, and `right`
 * says what would be. */
bool expect_add(struct expect **rules, const char *text, char *right, size_t right_size);
void expect_free(struct expect *rules);	/* forgives NULL */

/* The text of the first rule that does not hold for this close; NULL: all hold. */
const char *expect_broken(const struct expect *rules, const struct record *closed);

/* Says on stderr that it does not, and for which. */
void expect_tell(const char *rule, const struct record *closed);

#endif
