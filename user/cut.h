/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Some of the kernel's types, found in one pass over its BTF.  libbpf goes through all of them, a
 * hundred thousand, for each type and each function that the programs name.
 */
#ifndef CLOSETRACE_CUT_H
#define CLOSETRACE_CUT_H

#include <linux/types.h>

struct btf;
struct cut;

struct cut *cut_new(void);
void cut_free(struct cut *cut);	/* forgives NULL */

/* Types and functions of this name, without its flavour: "tcp_sock___v6_10" is tcp_sock.  0 or
 * -errno, as the next. */
int cut_want(struct cut *cut, const char *name);

/* Takes all that is wanted and what it is made of, but not what it points to. */
int cut_take(struct cut *cut, const struct btf *kernel);

const struct btf *cut_btf(const struct cut *cut);

/* What the kernel calls one of them, by its number in cut_btf(). */
__u32 cut_origin(const struct cut *cut, __u32 id);

#endif
