/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types, as its BTF or the file of --btf has them. */
#ifndef CLOSETRACE_TYPES_H
#define CLOSETRACE_TYPES_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;
struct btf;
struct cut;

/* file: that of --btf, or NULL: the kernel's own.  NULL: `why` says what is wrong with it. */
struct btf *types_load(const char *file, char *why, size_t size);

/* What the programs of an object name of them, and hang on.  NULL with errno. */
struct cut *types_cut(const struct btf *kernel, const struct bpf_object *object);

/* A file in memory for the .btf_custom_path of an object that is still to be opened, and then for
 * what it names.  Else libbpf reads all types itself and, for one that the kernel has not, those of
 * all modules; some of it gives up where it may not list them. */
#define TYPES_PATH 32
int types_file(char path[TYPES_PATH]);		/* descriptor, or -1 with errno */
int types_write(int file, const struct cut *cut);	/* 0, or -1 with errno */

/* v6.10: the tracepoint tells of every RST that TCP sends. */
bool types_have_reasons(const struct btf *btf);

/* v5.11: tcp_reset() is given the segment, where it is among the functions. */
bool types_give_segment(const struct btf *btf);

#endif
