/* SPDX-License-Identifier: GPL-2.0-only */
/* Process names are any bytes: what is in them must not reach a terminal or a parser raw. */
#ifndef CLOSETRACE_UTF8_H
#define CLOSETRACE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the well-formed character at text, with its number in *character; or 0, where
 * the byte begins none. */
int utf8_next(const char *text, uint32_t *character);

/* Whether a terminal shows it and does nothing else: no control, no change of direction. */
int utf8_is_harmless(uint32_t character);

/* How many bytes from here are printable ASCII, and neither " nor \: nobody has to escape those. */
size_t utf8_plain(const char *text);

/* How many bytes people are shown as they are; 0: this one has to be escaped, as \xHH. */
int utf8_shown(const char *text);

#endif
