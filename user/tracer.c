// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "user/hooks.h"
#include "user/judge.h"
#include "user/procs.h"
#include "user/reason.h"
#include "user/tracer.h"

#include "fentry.skel.h"
#include "kprobe.skel.h"
#include "tracepoint.skel.h"

#define MAX_PROGRAMS 24

struct tracer {
	const struct tracer_options *options;
	enum via via;
	bool task_storage;
	int trial;		/* a socket of our own, or -1 */
	__u64 trial_cookie;
	struct btf *btf;
	struct bpf_object *object;
	struct bpf_link *links[MAX_PROGRAMS];
	size_t links_count;
	const char *missing[MAX_PROGRAMS + 1];
	size_t missing_count;
	volatile struct counters *counters;
	struct ring_buffer *ring;
	tracer_handler *handler;
	void *handler_arg;
	char refused[VIA_COUNT][256];
};

struct way {
	const void *(*elf)(size_t *size);
	bool needs_symbols;	/* its functions are found in the kernel's BTF */
};

static const struct way ways[VIA_COUNT] = {
	[VIA_FENTRY] = { fentry_bpf__elf_bytes, true },
	[VIA_KPROBE] = { kprobe_bpf__elf_bytes },
	[VIA_TRACEPOINT] = { tracepoint_bpf__elf_bytes },
};

static int verbosity;

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	/* Its warnings tell the story of a trial that may well fail: only on demand. */
	if (level == LIBBPF_DEBUG ? verbosity > 2 : verbosity > 1)
		return vfprintf(stderr, format, args);
	return 0;
}

__attribute__((format(printf, 2, 3)))
static int refuse(struct tracer *tracer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tracer->refused[tracer->via], sizeof(tracer->refused[0]), format, args);
	va_end(args);
	return -1;
}

/* ---- before loading ---------------------------------------------------- */

static void *constant(struct tracer *tracer, const char *section)
{
	struct bpf_map *map = bpf_object__find_map_by_name(tracer->object, section);
	size_t size;

	return map ? (void *)bpf_map__initial_value(map, &size) : NULL;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* v5.12: task storage for tracing programs. */
static bool has_task_storage(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_task_storage_get, NULL) == 1;
}

static int set_filter(struct tracer *tracer)
{
	struct filter *filter = constant(tracer, ".rodata.filter");
	struct bpf_map *frames = bpf_object__find_map_by_name(tracer->object, "frames");

	if (!filter || !frames)
		return refuse(tracer, "the programs are not what was built");
	*filter = tracer->options->filter;
	filter->trial_cookie = tracer->trial_cookie;
	filter->start_ns = now_ns();
	filter->task_storage = tracer->task_storage;
	filter->by_pids = tracer->options->pids_count > 0;
	filter->by_cgroup = tracer->options->cgroup >= 0;
	/* One comparison instead of a look-up, for the most common case. */
	if (tracer->options->pids_count == 1 && !tracer->options->follow) {
		filter->pid = tracer->options->pids[0];
		filter->by_pids = 0;
	}
	for (size_t i = 0; i < tracer->missing_count; i++)
		filter->lacks |= hook_lacks(tracer->missing[i]);
	return bpf_map__set_autocreate(frames, filter->task_storage);
}

static bool is_wanted(const struct tracer *tracer, const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	return tracer->options->follow || strncmp(name, "follow_", strlen("follow_"));
}

/* A program whose function this kernel has not is left out, and told by name. */
static int choose_programs(struct tracer *tracer)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, tracer->object) {
		const struct hook *hook = hook_find(bpf_program__section_name(program));

		if (!is_wanted(tracer, program)) {
			bpf_program__set_autoload(program, false);
			continue;
		}
		if (!hook || hook_exists(hook, tracer->btf))
			continue;
		if (hook->required)
			return refuse(tracer, "this kernel has no %s", hook->function);
		bpf_program__set_autoload(program, false);
		tracer->missing[tracer->missing_count++] = hook->function;
	}
	return 0;
}

/* ---- loading and attaching ---------------------------------------------- */

static int open_object(struct tracer *tracer)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "closetrace",
		    .btf_custom_path = tracer->options->btf);
	size_t size;
	const void *elf = ways[tracer->via].elf(&size);

	tracer->object = bpf_object__open_mem(elf, size, &opts);
	return tracer->object ? 0 : refuse(tracer, "cannot open the programs: %s", strerror(errno));
}

static int load_object(struct tracer *tracer)
{
	int error = bpf_object__load(tracer->object);

	if (error)
		return refuse(tracer, "the kernel refuses the programs: %s", strerror(-error));
	return 0;
}

static int share_counters(struct tracer *tracer)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, ".data.counters");
	void *shared = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (shared == MAP_FAILED)
		return refuse(tracer, "cannot share the counters: %s", strerror(errno));
	tracer->counters = shared;
	return 0;
}

static int attach(struct tracer *tracer, const struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach(program);

	if (!link)
		return refuse(tracer, "cannot attach to %s: %s", bpf_program__section_name(program),
			      strerror(errno));
	tracer->links[tracer->links_count++] = link;
	return 0;
}

/* A socket for the program learn, with a linger time of one second in its jiffies. */
static int open_trial(struct tracer *tracer)
{
	struct linger second = { .l_onoff = 1, .l_linger = 1 };
	socklen_t size = sizeof(tracer->trial_cookie);

	tracer->trial = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (tracer->trial < 0 ||
	    setsockopt(tracer->trial, SOL_SOCKET, SO_LINGER, &second, sizeof(second)) ||
	    getsockopt(tracer->trial, SOL_SOCKET, SO_COOKIE, &tracer->trial_cookie, &size))
		return refuse(tracer, "no socket to try the programs on: %s", strerror(errno));
	return 0;
}

static void close_trial(struct tracer *tracer)
{
	if (tracer->trial >= 0)
		close(tracer->trial);
	tracer->trial = -1;
}

static int learn(struct tracer *tracer)
{
	struct bpf_program *program = bpf_object__find_program_by_name(tracer->object, "learn");
	struct bpf_link *link = bpf_program__attach(program);

	if (!link)
		return refuse(tracer, "cannot attach to %s: %s", bpf_program__section_name(program),
			      strerror(errno));
	close_trial(tracer);
	bpf_link__destroy(link);
	if (!tracer->counters->hz)
		return refuse(tracer, "a program on tcp_destroy_sock did not run");
	if (!tracer->counters->frames)
		return refuse(tracer, "the kernel gives no memory to remember a close in");
	return 0;
}

static int attach_all(struct tracer *tracer)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, tracer->object) {
		if (!bpf_program__autoload(program) || !strcmp(bpf_program__name(program), "learn"))
			continue;
		if (attach(tracer, program))
			return -1;
	}
	return 0;
}

static int handle(void *arg, void *data, size_t size)
{
	struct tracer *tracer = arg;

	tracer->handler(tracer->handler_arg, data);
	return 0;
}

static int open_ring(struct tracer *tracer)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, "ring");

	tracer->ring = ring_buffer__new(fd, handle, tracer, NULL);
	return tracer->ring ? 0 : refuse(tracer, "cannot map the ring: %s", strerror(errno));
}

/* ---- who is traced ------------------------------------------------------- */

int tracer_add_pid(struct tracer *tracer, pid_t pid)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, "pids");
	__u32 key = pid;
	__u8 yes = 1;

	return bpf_map_update_elem(fd, &key, &yes, BPF_ANY) ? -errno : 0;
}

static int add_child(void *arg, pid_t pid)
{
	return tracer_add_pid(arg, pid);
}

/* After the fork hook is attached, so that no child falls between the two. */
static int add_pids(struct tracer *tracer)
{
	const struct tracer_options *options = tracer->options;
	int error = 0;

	for (size_t i = 0; !error && i < options->pids_count; i++) {
		error = tracer_add_pid(tracer, options->pids[i]);
		if (!error && options->follow)
			error = procs_children(options->pids[i], add_child, tracer);
	}
	return error ? refuse(tracer, "too many processes to trace: %s", strerror(-error)) : 0;
}

static int add_cgroup(struct tracer *tracer)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, "cgroups");
	__u32 first = 0;

	if (tracer->options->cgroup < 0)
		return 0;
	if (bpf_map_update_elem(fd, &first, &tracer->options->cgroup, BPF_ANY))
		return refuse(tracer, "cannot trace that cgroup: %s", strerror(errno));
	return 0;
}

/* ---- the whole ------------------------------------------------------------ */

static void unload(struct tracer *tracer)
{
	for (size_t i = 0; i < tracer->links_count; i++)
		bpf_link__destroy(tracer->links[i]);
	tracer->links_count = tracer->missing_count = 0;
	memset(tracer->missing, 0, sizeof(tracer->missing));
	ring_buffer__free(tracer->ring);
	tracer->ring = NULL;
	if (tracer->counters)
		munmap((void *)tracer->counters, sizeof(struct counters));
	tracer->counters = NULL;
	bpf_object__close(tracer->object);
	tracer->object = NULL;
	close_trial(tracer);
}

static int try_with(struct tracer *tracer, bool task_storage)
{
	static int (*const steps[])(struct tracer *) = {
		open_object, choose_programs, open_trial, set_filter, load_object, share_counters,
		open_ring, add_cgroup, learn, attach_all, add_pids,
	};

	tracer->task_storage = task_storage;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i](tracer)) {
			unload(tracer);
			return -1;
		}
	return 0;
}

/* Task storage is quicker than a table of threads, but it must be there, and work. */
static int try(struct tracer *tracer, enum via via)
{
	tracer->via = via;
	if (has_task_storage() && !try_with(tracer, true))
		return 0;
	return try_with(tracer, false);
}

static int try_all(struct tracer *tracer)
{
	enum via via;

	if (tracer->options->via >= 0)
		return try(tracer, tracer->options->via);
	for (via = 0; via < VIA_COUNT; via++)
		if (!try(tracer, via))
			return 0;
	/* What the best way met is what there is to mend. */
	tracer->via = 0;
	return -1;
}

struct tracer *tracer_open(const struct tracer_options *options, char *why, size_t why_size)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));

	if (!tracer) {
		snprintf(why, why_size, "%s", strerror(errno));
		return NULL;
	}
	tracer->options = options;
	tracer->trial = -1;
	verbosity = options->verbose;
	libbpf_set_print(print);
	tracer->btf = options->btf ? btf__parse(options->btf, NULL) : btf__load_vmlinux_btf();
	if (!tracer->btf) {
		refuse(tracer, "no BTF of the kernel: %s", strerror(errno));
		goto fail;
	}
	reason_load(tracer->btf);
	if (try_all(tracer))
		goto fail;
	return tracer;
fail:
	snprintf(why, why_size, "%s: %s", via_name(tracer->via), tracer->refused[tracer->via]);
	tracer_close(tracer);
	return NULL;
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	unload(tracer);
	btf__free(tracer->btf);
	free(tracer);
}

enum via tracer_via(const struct tracer *tracer)
{
	return tracer->via;
}

const char *tracer_refused(const struct tracer *tracer, enum via via)
{
	return *tracer->refused[via] ? tracer->refused[via] : NULL;
}

const char *tracer_missing(const struct tracer *tracer, size_t index)
{
	return tracer->missing[index];
}

void tracer_start(struct tracer *tracer)
{
	tracer->counters->on = 1;
}

void tracer_stop(struct tracer *tracer)
{
	tracer->counters->on = 0;
}

int tracer_read(struct tracer *tracer, tracer_handler *handler, void *arg)
{
	tracer->handler = handler;
	tracer->handler_arg = arg;
	return ring_buffer__consume(tracer->ring);
}

struct tracer_lost tracer_lost(const struct tracer *tracer)
{
	return (struct tracer_lost){
		.ring = tracer->counters->lost_ring,
		.table = tracer->counters->lost_table,
	};
}
