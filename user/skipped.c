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

/* How many records may be missing for each run that was: a close, which is never a softirq's,
 * takes its end along. */
static unsigned int records_of(const char *program, bool closes)
{
	static const struct {
		const char *program;
		unsigned int records;
		bool of_closes;
	} needed[] = {
		{ "tcp_close_locked", 2, true }, { "tcp_close_end", 2, true },
		{ "set_state", 2, true },	 { "destroy_sock", 1, false },
		{ "tcp_time_wait", 1, false },	 { "send_reset", 1, false },
		{ "receive_reset", 1, false },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!strcmp(program, needed[i].program))
			return closes || !needed[i].of_closes ? needed[i].records : 0;
	return 0;
}

struct tracer_skipped skipped_count(const struct bpf_object *object)
{
	bool closes = kernel_may_preempt();
	struct tracer_skipped skipped = {};
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		unsigned int records = records_of(bpf_program__name(program), closes);

		if (!records && !closes)
			continue;
		skipped.runs += misses(program);
		skipped.records += misses(program) * records;
	}
	return skipped;
}
