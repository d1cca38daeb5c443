/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types, as its BTF or the file of --btf has them. */
#ifndef CLOSETRACE_TYPES_H
#define CLOSETRACE_TYPES_H

#include <stdbool.h>
#include <stddef.h>

struct btf;

/* file: that of --btf, or NULL: the kernel's own.  NULL: `why` says what is wrong with it. */
struct btf *types_load(const char *file, char *why, size_t size);

/* The file that libbpf shall take its types from, NULL: as it likes.  file: see above. */
const char *types_file(const char *file);

/* v6.10: the tracepoint tells of every RST that TCP sends. */
bool types_have_reasons(const struct btf *btf);

#endif
