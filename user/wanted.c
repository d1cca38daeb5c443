// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "user/procs.h"
#include "user/tracer.h"
#include "user/wanted.h"

int wanted_add_pid(const struct bpf_object *object, pid_t pid)
{
	int fd = bpf_object__find_map_fd_by_name(object, "pids");
	__u32 key = pid;
	__u8 yes = 1;

	return bpf_map_update_elem(fd, &key, &yes, BPF_ANY) ? -errno : 0;
}

bool wanted_are_few(const struct tracer_options *options)
{
	return options->pids_count || options->cgroup >= 0 || options->filter.by_comm;
}

bool wanted_are_filtered(const struct tracer_options *options)
{
	const struct filter *filter = &options->filter;

	return wanted_are_few(options) || filter->by_lport || filter->by_rport || filter->by_addr ||
	       filter->branches || filter->family || filter->resets;
}

static bool is_listed(const struct tracer_options *options, pid_t pid)
{
	for (size_t i = 0; i < options->pids_count; i++)
		if (options->pids[i] == pid)
			return true;
	return false;
}

/* By the table of those that are followed; without CAP_BPF a kernel before v5.19 does not let
 * us ask it, and their parents have to tell. */
static bool is_traced(const struct bpf_object *object, const struct tracer_options *options,
		      pid_t pid)
{
	int fd = bpf_object__find_map_fd_by_name(object, "pids");
	__u32 key = pid;
	__u8 yes;

	if (!options->pids_count || is_listed(options, pid))
		return true;
	if (!options->follow)
		return false;
	if (!bpf_map_lookup_elem(fd, &key, &yes))
		return true;
	while (errno != ENOENT && pid > 1 && !is_listed(options, pid))
		pid = procs_parent(pid);
	return pid > 1 && is_listed(options, pid);
}

bool wanted_has(const struct bpf_object *object, const struct tracer_options *options, pid_t pid,
		const char *comm)
{
	const struct filter *filter = &options->filter;

	if (filter->by_comm && strncmp(filter->comm, comm, COMM_LEN))
		return false;
	return is_traced(object, options, pid);
}

static int add_child(void *arg, pid_t pid)
{
	return wanted_add_pid(arg, pid);
}

int wanted_add_pids(struct bpf_object *object, const struct tracer_options *options)
{
	int error = 0;

	for (size_t i = 0; !error && i < options->pids_count; i++) {
		error = wanted_add_pid(object, options->pids[i]);
		if (!error && options->follow)
			error = procs_children(options->pids[i], add_child, object);
	}
	return error;
}

int wanted_add_cgroup(const struct bpf_object *object, const struct tracer_options *options)
{
	int fd = bpf_object__find_map_fd_by_name(object, "cgroups");
	__u32 first = 0;

	if (options->cgroup < 0)
		return 0;
	return bpf_map_update_elem(fd, &first, &options->cgroup, BPF_ANY) ? -errno : 0;
}
