// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "user/counts.h"
#include "user/cut.h"
#include "user/kernel.h"
#include "user/programs.h"
#include "user/returns.h"
#include "user/trampolines.h"
#include "user/types.h"
#include "user/wanted.h"

/* What a step on the way returns. */
enum {
	REFUSED = -1,
	DONE = 0,
	ANEW = 1,	/* a hook was left out: from the start, without it */
};

/* With an errno, what the kernel may have meant by it is looked for later. */
__attribute__((format(printf, 3, 4)))
static int refuse(struct programs *programs, int error, const char *format, ...)
{
	char *text = programs->refused;
	size_t size = REFUSED_SIZE, length;
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	length = strlen(text);
	if (error)
		snprintf(text + length, size - length, ": %s", strerror(error));
	programs->error = error;
	return REFUSED;
}

/* ---- hooks that this kernel has not --------------------------------------- */

static bool is_missing(const struct programs *programs, const struct hook *hook)
{
	for (size_t i = 0; i < programs->missing_count; i++)
		if (programs->missing[i].hook == hook)
			return true;
	return false;
}

static void miss(struct programs *programs, const struct hook *hook, const char *why)
{
	struct missing *missing = &programs->missing[programs->missing_count++];

	missing->hook = hook;
	snprintf(missing->why, sizeof(missing->why), "%s", why);
}

bool is_first_witness(const struct bpf_program *program)
{
	return !strncmp(bpf_program__name(program), STEADY, strlen(STEADY));
}

static bool is_required(const struct bpf_program *program)
{
	const struct hook *hook = hook_find(bpf_program__section_name(program));

	return !hook || hook->required;
}

/* ---- which of them, and for whom -------------------------------------------- */

static void *constant(struct programs *programs, const char *section)
{
	struct bpf_map *map = bpf_object__find_map_by_name(programs->object, section);
	size_t size;

	return map ? (void *)bpf_map__initial_value(map, &size) : NULL;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Records with stacks are 30 times as large. */
#define STACKS_RING (32 << 20)

static void set_map(struct programs *programs, const char *name, bool needed)
{
	struct bpf_map *map = bpf_object__find_map_by_name(programs->object, name);

	if (map)
		bpf_map__set_autocreate(map, needed);
}

static int set_stacks(struct programs *programs)
{
	struct bpf_map *ring = bpf_object__find_map_by_name(programs->object, "ring");
	bool stacks = programs->options->filter.stacks;

	set_map(programs, "entries", stacks && programs->via == VIA_KPROBE);
	set_map(programs, "spaces", stacks);
	set_map(programs, "rows", stacks);
	if (!stacks || !bpf_map__set_max_entries(ring, STACKS_RING))
		return DONE;
	return refuse(programs, errno, "no ring for stacks");
}

static int set_filter(struct programs *programs)
{
	struct filter *filter = constant(programs, ".rodata.filter");
	struct bpf_map *frames = bpf_object__find_map_by_name(programs->object, "frames");
	struct bpf_map *by_thread = bpf_object__find_map_by_name(programs->object, "thread_frames");
	struct bpf_map *told = bpf_object__find_map_by_name(programs->object, "told");

	if (!filter || !frames || !by_thread || !told)
		return refuse(programs, 0, "the programs are not what was built");
	*filter = programs->options->filter;
	filter->trial_cookie = programs->trial.cookie;
	filter->start_ns = now_ns();
	filter->task_storage = programs->task_storage;
	filter->preemptible = kernel_is_preemptible();
	filter->reset_segment = types_give_segment(cut_btf(programs->cut));
	filter->by_pids = programs->options->pids_count > 0;
	filter->by_cgroup = programs->options->cgroup >= 0;
	/* One comparison instead of a look-up, for the most common case. */
	if (programs->options->pids_count == 1 && !programs->options->follow) {
		filter->pid = programs->options->pids[0];
		filter->by_pids = 0;
	}
	for (size_t i = 0; i < programs->missing_count; i++)
		filter->lacks |= programs->missing[i].hook->lacks;
	bpf_map__set_autocreate(told, filter->preemptible && programs->via == VIA_KPROBE);
	bpf_map__set_autocreate(by_thread, !filter->task_storage);
	return bpf_map__set_autocreate(frames, filter->task_storage) ||
	       counts_prepare(programs->object, filter->counting);
}

/* nf_reject_ipv4 and nf_reject_ipv6, or what is theirs in the kernel itself: without it no rule
 * rejects. */
static bool can_reject(const struct programs *programs, const struct bpf_program *program)
{
	const char *function = strchr(bpf_program__section_name(program), '/') + 1;
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/nf_%s", bpf_program__name(program));
	return !access(path, F_OK) ||
	       btf__find_by_name_kind(cut_btf(programs->cut), function, BTF_KIND_FUNC) >= 0;
}

/* The event of a tracepoint is read as it is from v6.10 on. */
static bool can_witness(const struct programs *programs, const struct bpf_program *program)
{
	return bpf_program__type(program) != BPF_PROG_TYPE_TRACEPOINT ||
	       types_have_reasons(cut_btf(programs->cut));
}

/* By trampoline where one fits, else by breakpoints; by kprobe there are no others. */
static bool takes_setting(const struct programs *programs, const struct bpf_program *program)
{
	const struct hook *hook = hook_find(bpf_program__section_name(program));
	__u32 function = trampolines_target(programs->cut, hook->function);

	return programs->via != VIA_FENTRY || is_trampoline(program) == !hook_try(function);
}

static bool is_about_settings(const char *name)
{
	return !strncmp(name, "linger_", strlen("linger_")) || !strcmp(name, "clone") ||
	       !strncmp(name, "mptcp_", strlen("mptcp_"));
}

static bool is_wanted(const struct programs *programs, const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	/* No table shows them. */
	if (programs->options->filter.counting && is_about_settings(name))
		return false;
	if (!strncmp(name, "linger_", strlen("linger_")))
		return takes_setting(programs, program);
	/* Not every kernel has MPTCP. */
	if (!strncmp(name, "mptcp_", strlen("mptcp_")))
		return hook_exists(bpf_program__section_name(program), cut_btf(programs->cut));
	if (!strncmp(name, "reply_", strlen("reply_")))
		return !types_have_reasons(cut_btf(programs->cut));
	if (is_first_witness(program))
		return kernel_is_preemptible() && can_witness(programs, program);
	if (!strncmp(name, "reject_", strlen("reject_")))
		return can_reject(programs, program);
	return programs->options->follow || strncmp(name, "follow_", strlen("follow_"));
}

/* A program whose function this kernel has not is left out, and told by name. */
static int choose_programs(struct programs *programs)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, programs->object) {
		const char *section = bpf_program__section_name(program);
		const struct hook *hook = hook_find(section);

		if (!is_wanted(programs, program)) {
			bpf_program__set_autoload(program, false);
			continue;
		}
		if (hook && !is_missing(programs, hook) && !hook_exists(section, cut_btf(programs->cut))) {
			if (hook->required)
				return refuse(programs, 0, "this kernel has no %s", hook->function);
			miss(programs, hook, "this kernel has none");
		}
		bpf_program__set_autoload(program, !(hook && is_missing(programs, hook)));
	}
	return DONE;
}

/* ---- loading and attaching ---------------------------------------------- */

static int register_trampolines(struct programs *programs)
{
	int error = trampolines_register();

	return error ? refuse(programs, -error, "cannot open the programs") : DONE;
}

static int open_object(struct programs *programs)
{
	char path[TYPES_PATH];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "closetrace", .btf_custom_path = path);
	size_t size;
	const void *elf = programs->elf(&size);

	if (programs->needs_btf && access(KERNEL_BTF, R_OK))
		return refuse(programs, 0, "the kernel itself has no BTF");
	programs->types = types_file(path);
	if (programs->types < 0)
		return refuse(programs, errno, "cannot open the programs");
	programs->object = bpf_object__open_mem(elf, size, &opts);
	return programs->object ? DONE : refuse(programs, errno, "cannot open the programs");
}

/* They are most of the memory that a start takes. */
static void free_kernel(struct programs *programs)
{
	btf__free(programs->kernel);
	programs->kernel = NULL;
}

static int cut_types(struct programs *programs)
{
	if (!programs->cut)
		programs->cut = types_cut(programs->kernel, programs->object);
	if (!programs->cut || types_write(programs->types, programs->cut))
		return refuse(programs, errno, "cannot take the types of the kernel");
	free_kernel(programs);
	trampolines_use(programs->cut);
	return DONE;
}

static int refuse_program(struct programs *programs, const struct bpf_program *program, int error)
{
	return refuse(programs, error, "cannot attach to %s",
		      strchr(bpf_program__section_name(program), '/') + 1);
}

/* Functions may be in the kernel's BTF and yet be out of reach: inlined everywhere, renamed by
 * the linker, or marked notrace.  A required one settles it; the others are left out. */
static int find_refused(struct programs *programs)
{
	size_t before = programs->missing_count;
	struct bpf_program *program;

	bpf_object__for_each_program(program, programs->object) {
		const struct hook *hook = hook_find(bpf_program__section_name(program));
		bool asked = hook && bpf_program__autoload(program) &&
			     !is_missing(programs, hook) &&
			     is_trampoline(program);
		int error = asked ? hook_try(trampolines_target(programs->cut, hook->function)) : 0;

		if (error && hook->required)
			return refuse_program(programs, program, error);
		if (error)
			miss(programs, hook, strerror(error));
	}
	return programs->missing_count > before ? ANEW : REFUSED;
}

static int load_object(struct programs *programs)
{
	int error = bpf_object__load(programs->object);

	if (!error)
		return DONE;
	refuse(programs, -error, "the kernel refuses the programs");
	return find_refused(programs);
}

static void *share(struct programs *programs, const char *map, size_t size)
{
	int fd = bpf_object__find_map_fd_by_name(programs->object, map);
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return shared == MAP_FAILED ? NULL : shared;
}

static int share_counters(struct programs *programs)
{
	programs->counters = share(programs, ".data.counters", sizeof(struct counters));
	return programs->counters ? DONE : refuse(programs, errno, "cannot share the counters");
}

#define ROWS_SIZE (UNWIND_ENTRIES * sizeof(struct unwind_entry))

static int share_rows(struct programs *programs)
{
	if (!programs->options->filter.stacks)
		return DONE;
	programs->rows = share(programs, "rows", ROWS_SIZE);
	return programs->rows ? DONE : refuse(programs, errno, "cannot share the rows for stacks");
}

static int open_trial(struct programs *programs)
{
	if (trial_open(&programs->trial))
		return refuse(programs, errno, "no socket to try the programs on");
	return DONE;
}

/* The BTF is put to the test too: with that of another kernel neither the cookie nor the time
 * is where it is looked for. */
static int learn(struct programs *programs)
{
	struct bpf_program *program = bpf_object__find_program_by_name(programs->object, "learn");
	struct bpf_link *link = bpf_program__attach(program);

	if (!link)
		return refuse_program(programs, program, errno);
	trial_close(&programs->trial);
	bpf_link__destroy(link);
	if (!trial_was_seen(programs->counters))
		return refuse(programs, 0, "a close of our own is not seen%s",
			      programs->options->btf ? ": the BTF is another kernel's" : "");
	if (!programs->counters->frames)
		return refuse(programs, 0, "the kernel gives no memory to remember a close in");
	programs->learned = true;
	return DONE;
}

static int attach(struct programs *programs, const struct bpf_program *program)
{
	const struct hook *hook = hook_find(bpf_program__section_name(program));
	bool returns = !strncmp(bpf_program__section_name(program), "kretprobe/", strlen("kretprobe/"));
	struct bpf_link *link = returns ? returns_attach(program) : NULL;

	if (is_trampoline(program))
		link = bpf_program__attach_trace(program);
	/* Without tracefs: with the few places that the kernel gives by itself. */
	else if (!link)
		link = bpf_program__attach(program);
	if (link) {
		programs->links[programs->links_count++] = link;
		return DONE;
	}
	if (is_required(program))
		return refuse_program(programs, program, errno);
	miss(programs, hook, strerror(errno));
	return ANEW;
}

/* The others are run at the beginning and at the end. */
static bool is_of_the_trace(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	return strcmp(name, "learn") && strcmp(name, "sweep");
}

static int attach_these(struct programs *programs, bool required)
{
	struct bpf_program *program;
	int result = DONE;

	bpf_object__for_each_program(program, programs->object) {
		if (!bpf_program__autoload(program) || is_required(program) != required ||
		    !is_of_the_trace(program))
			continue;
		result = attach(programs, program);
		if (result)
			break;
	}
	return result;
}

/* What must be comes first: where that fails, the rest is not worth trying. */
static int attach_all(struct programs *programs)
{
	int result = attach_these(programs, true);

	return result ? result : attach_these(programs, false);
}

static int open_ring(struct programs *programs)
{
	int fd = bpf_object__find_map_fd_by_name(programs->object, "ring");

	programs->ring = ring_buffer__new(fd, programs->handle, programs->handle_arg, NULL);
	return programs->ring ? 0 : refuse(programs, errno, "cannot map the ring");
}

static int add_cgroup(struct programs *programs)
{
	int error = wanted_add_cgroup(programs->object, programs->options);

	return error ? refuse(programs, -error, "cannot trace that cgroup") : DONE;
}

static int add_pids(struct programs *programs)
{
	int error = wanted_add_pids(programs->object, programs->options);

	return error ? refuse(programs, -error, "too many processes to trace") : DONE;
}

/* ---- the whole ------------------------------------------------------------ */

static void unload(struct programs *programs)
{
	for (size_t i = 0; i < programs->links_count; i++)
		bpf_link__destroy(programs->links[i]);
	if (programs->via != VIA_TRACEPOINT)
		returns_remove();
	programs->links_count = 0;
	ring_buffer__free(programs->ring);
	programs->ring = NULL;
	if (programs->counters)
		munmap((void *)programs->counters, sizeof(struct counters));
	programs->counters = NULL;
	if (programs->rows)
		munmap(programs->rows, ROWS_SIZE);
	programs->rows = NULL;
	bpf_object__close(programs->object);
	programs->object = NULL;
	if (programs->types >= 0)
		close(programs->types);
	programs->types = -1;
	trial_close(&programs->trial);
}

void programs_unload(struct programs *programs)
{
	unload(programs);
	free_kernel(programs);
	cut_free(programs->cut);
	programs->cut = NULL;
}

static int try_once(struct programs *programs)
{
	static int (*const steps[])(struct programs *) = {
		register_trampolines, open_object, cut_types, choose_programs, open_trial, set_filter,
		set_stacks, load_object, share_counters, share_rows, open_ring, add_cgroup, learn, attach_all,
		add_pids,
	};
	int result = DONE;

	for (size_t i = 0; !result && i < sizeof(steps) / sizeof(*steps); i++)
		result = steps[i](programs);
	if (result)
		unload(programs);
	return result;
}

int programs_load(struct programs *programs, bool task_storage)
{
	int result;

	programs->task_storage = task_storage;
	do
		result = try_once(programs);
	while (result == ANEW);
	return result;
}
