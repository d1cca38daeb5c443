// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "user/kernel.h"
#include "user/skipped.h"

static uint64_t misses(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_program__fd(program) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return 0;
	return info.recursion_misses;
}

/* Without it a record is missing: of a close, which is never a softirq's, or of what followed. */
static bool is_missed(const char *program, bool closes)
{
	static const char *const of_closes[] = { "tcp_close_locked", "set_state" };
	static const char *const of_others[] = { "destroy_sock", "tcp_time_wait", "send_reset",
						 "receive_reset" };

	for (size_t i = 0; closes && i < sizeof(of_closes) / sizeof(*of_closes); i++)
		if (!strcmp(program, of_closes[i]))
			return true;
	for (size_t i = 0; i < sizeof(of_others) / sizeof(*of_others); i++)
		if (!strcmp(program, of_others[i]))
			return true;
	return false;
}

struct tracer_skipped skipped_count(const struct bpf_object *object)
{
	bool closes = kernel_may_preempt();
	struct tracer_skipped skipped = {};
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		bool missed = is_missed(bpf_program__name(program), closes);

		if (!missed && !closes)
			continue;
		skipped.runs += misses(program);
		skipped.records += missed ? misses(program) : 0;
	}
	return skipped;
}
