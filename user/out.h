/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where records are written: a file descriptor with a buffer that knows where a
 * record ends, so that a full disk can be told in records and not in bytes.
 */
#ifndef CLOSETRACE_OUT_H
#define CLOSETRACE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out;

/* Both return NULL with errno. */
struct out *out_open(const char *path);
struct out *out_on(int fd);		/* is not closed by out_close() */
void out_close(struct out *out);	/* forgives NULL; does not flush */

void out_text(struct out *out, const char *text);
void out_bytes(struct out *out, const char *bytes, size_t size);
void out_char(struct out *out, char c);
void out_number(struct out *out, uint64_t number);
void out_hex(struct out *out, uint64_t number);
void out_zeros(struct out *out, uint64_t number, int digits);	/* with leading zeros */
void out_spaces(struct out *out, int count);

/* Somebody else's text: what is plain as it is, and each of the rest by this, which returns how many
 * bytes it has taken. */
void out_foreign(struct out *out, const char *text, int (*put)(struct out *out, const char *text));

void out_trim(struct out *out);		/* no spaces before the record's end */
void out_end(struct out *out);		/* a record ends here, with a newline */
int out_flush(struct out *out);		/* 0, or -1: see out_error() */

/* A reader that takes nothing must not keep us from ending.  Once this descriptor is ready to read,
 * or out_hurry() was called, it has two seconds for all that is left; ready again, none.  What it
 * has not taken by then is lost, with ETIMEDOUT. */
void out_interrupt_by(struct out *out, int fd);
void out_hurry(struct out *out);

int out_error(const struct out *out);		/* errno of the first write that failed, or 0 */
uint64_t out_lost(const struct out *out);	/* records that were not written because of it */
int out_width(const struct out *out);		/* columns of the terminal; 0: not a terminal */

#endif
