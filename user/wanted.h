/* SPDX-License-Identifier: GPL-2.0-only */
/* What the options want traced: whose closes, by process, cgroup or name, and which of them. */
#ifndef CLOSETRACE_WANTED_H
#define CLOSETRACE_WANTED_H

#include <stdbool.h>
#include <sys/types.h>

struct bpf_object;
struct tracer_options;

/* Into the tables of the loaded programs, 0 or -errno.  The pids once the fork hook is attached, so
 * that no child falls between the two. */
int wanted_add_pid(const struct bpf_object *object, pid_t pid);
int wanted_add_pids(struct bpf_object *object, const struct tracer_options *options);
int wanted_add_cgroup(const struct bpf_object *object, const struct tracer_options *options);

bool wanted_are_few(const struct tracer_options *options);	/* processes */
bool wanted_are_filtered(const struct tracer_options *options);	/* but by network namespace */

/* Whether this process is one of them. */
bool wanted_has(const struct bpf_object *object, const struct tracer_options *options, pid_t pid,
		const char *comm);

#endif
