// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "user/kernel.h"
#include "user/skipped.h"

/* What struct bpf_link_info says of a breakpoint; linux/bpf.h may be older than the kernel. */
struct breakpoint_info {
	__u32 type, id, prog_id, pad;
	__u32 event;		/* enum bpf_perf_event_type, v6.6 */
	__u32 event_pad;
	__u64 name;
	__u32 name_size, offset;
	__u64 address;
	__u64 missed;		/* v6.7 */
};
#define EVENT_KPROBE 3		/* BPF_PERF_EVENT_KPROBE */

static bool find_link(const struct programs *programs, __u32 prog_id, struct breakpoint_info *info)
{
	__u32 size;

	for (size_t i = 0; i < programs->links_count; i++) {
		*info = (struct breakpoint_info){ 0 };
		size = sizeof(*info);
		if (!bpf_obj_get_info_by_fd(bpf_link__fd(programs->links[i]), info, &size) &&
		    info->prog_id == prog_id)
			return true;
	}
	return false;
}

/* How often a program was not run: by its own count, and by that of its breakpoint where another
 * was on its way on this CPU, see kprobe_ftrace_handler().  Not that of a return, which holds
 * those for which there was no place, too: they are known by what they leave unfinished.  false:
 * it is not attached, or too old a kernel does not say. */
static bool count_misses(const struct programs *programs, const struct bpf_program *program,
			 uint64_t *count)
{
	struct breakpoint_info link;
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	bool attached;

	*count = 0;
	if (bpf_program__fd(program) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return false;
	attached = find_link(programs, info.id, &link);
	*count = info.recursion_misses;
	if (attached && link.event == EVENT_KPROBE)
		*count += link.missed;
	return attached;
}

/* Of two that see the same, see witness.bpf.h, both were left out no more often than either. */
static uint64_t misses(const struct programs *programs, const struct bpf_program *program)
{
	const struct bpf_program *first;
	uint64_t firsts, seconds;
	char name[64];

	snprintf(name, sizeof(name), STEADY "%s", bpf_program__name(program));
	first = bpf_object__find_program_by_name(programs->object, name);
	count_misses(programs, program, &seconds);
	if (!first || !count_misses(programs, first, &firsts) || firsts > seconds)
		return seconds;
	return firsts;
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
		{ "receive_reset", 1, false },	 { "reply_ipv4", 1, false },
		{ "reply_ipv6", 1, false },	 { "reject_ipv4", 1, false },
		{ "reject_ipv6", 1, false },	 { "linger_end", 1, true },
		{ "linger_asked", 1, true },	 { "linger_answered", 1, true },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!strcmp(program, needed[i].program))
			return closes || !needed[i].of_closes ? needed[i].records : 0;
	return 0;
}

/* The next one may be gone when we are there, and then it begins anew. */
#define MOST_LOOKS 65536

uint64_t skipped_sweep(const struct programs *programs)
{
	int sweep = bpf_program__fd(bpf_object__find_program_by_name(programs->object, "sweep"));
	int orphans = bpf_object__find_map_fd_by_name(programs->object, "orphans");
	__u64 socket, next;
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &socket, .ctx_size_in = sizeof(socket));
	bool more = !bpf_map_get_next_key(orphans, NULL, &socket);
	uint64_t gone = 0;

	for (int i = 0; more && i < MOST_LOOKS; i++) {
		more = !bpf_map_get_next_key(orphans, &socket, &next);
		if (bpf_prog_test_run_opts(sweep, &options))
			break;
		gone += options.retval;
		socket = next;
	}
	return gone;
}

struct tracer_skipped skipped_count(const struct programs *programs)
{
	bool closes = kernel_may_preempt();
	struct tracer_skipped skipped = {};
	struct bpf_program *program;
	unsigned int records;
	uint64_t missed;

	bpf_object__for_each_program(program, programs->object) {
		records = records_of(bpf_program__name(program), closes);
		if (is_first_witness(program) || (!records && !closes))
			continue;
		missed = misses(programs, program);
		skipped.runs += missed;
		skipped.records += missed * records;
	}
	return skipped;
}
