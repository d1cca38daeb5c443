/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Return probes with places enough.  Each call that has not returned yet takes
 * one of the probe's, and the kernel's own count of them is small: two on two
 * processors in v5.10, ten later.  Only tracefs lets one ask for more.
 */
#ifndef CLOSETRACE_RETURNS_H
#define CLOSETRACE_RETURNS_H

#include <bpf/libbpf.h>

/* As bpf_program__attach() for a program of kretprobe/FUNCTION; NULL where tracefs does not give it. */
struct bpf_link *returns_attach(const struct bpf_program *program);

/* After the links are gone: the probes are the whole system's, and would stay. */
void returns_remove(void);

#endif
