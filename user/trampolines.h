/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of fentry/FUNCTION and fexit/FUNCTION, without libbpf's own search for the functions:
 * it would read all of the kernel's BTF once more, and go through it for each program.
 */
#ifndef CLOSETRACE_TRAMPOLINES_H
#define CLOSETRACE_TRAMPOLINES_H

#include <stdbool.h>

#include <bpf/libbpf.h>

struct cut;

bool is_trampoline(const struct bpf_program *program);

/* Before an object is opened: such programs in it are for this to load.  0 or -errno. */
int trampolines_register(void);

/* Before it is loaded: where the functions are found. */
void trampolines_use(const struct cut *cut);

/* The number that the kernel knows a function by; 0: it has none of that name. */
__u32 trampolines_target(const struct cut *cut, const char *function);

#endif
