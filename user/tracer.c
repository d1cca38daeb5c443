// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "user/callers.h"
#include "user/hooks.h"
#include "user/judge.h"
#include "user/kernel.h"
#include "user/privileges.h"
#include "user/procs.h"
#include "user/reason.h"
#include "user/returns.h"
#include "user/tracer.h"

#include "fentry.skel.h"
#include "kprobe.skel.h"
#include "tracepoint.skel.h"

#define MAX_PROGRAMS 24

struct tracer {
	const struct tracer_options *options;
	enum via via;
	bool can_task_storage;
	bool task_storage;
	bool learned;
	int trial;		/* a socket of our own, or -1 */
	__u64 trial_cookie;
	struct btf *btf;
	struct bpf_object *object;
	struct bpf_link *links[MAX_PROGRAMS];
	size_t links_count;
	struct missing missing[MAX_PROGRAMS + 1];
	size_t missing_count;
	volatile struct counters *counters;
	struct ring_buffer *ring;
	tracer_handler *handler;
	void *handler_arg;
	char refused[VIA_COUNT][256];
	int error;		/* that came with the last of these; 0: none */
};

/* What a step on the way returns. */
enum {
	REFUSED = -1,
	DONE = 0,
	ANEW = 1,	/* a hook was left out: from the start, without it */
};

struct way {
	const void *(*elf)(size_t *size);
	bool needs_btf;		/* its functions are numbers in the kernel's own BTF */
};

static const struct way ways[VIA_COUNT] = {
	[VIA_FENTRY] = { fentry_bpf__elf_bytes, .needs_btf = true },
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

/* With an errno, what the kernel may have meant by it is looked for later. */
__attribute__((format(printf, 3, 4)))
static int refuse(struct tracer *tracer, int error, const char *format, ...)
{
	char *text = tracer->refused[tracer->via];
	size_t size = sizeof(tracer->refused[0]), length;
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	length = strlen(text);
	if (error)
		snprintf(text + length, size - length, ": %s", strerror(error));
	tracer->error = error;
	return REFUSED;
}

/* ---- hooks that this kernel has not --------------------------------------- */

static bool is_missing(const struct tracer *tracer, const struct hook *hook)
{
	for (size_t i = 0; i < tracer->missing_count; i++)
		if (tracer->missing[i].hook == hook)
			return true;
	return false;
}

static void miss(struct tracer *tracer, const struct hook *hook, const char *why)
{
	struct missing *missing = &tracer->missing[tracer->missing_count++];

	missing->hook = hook;
	snprintf(missing->why, sizeof(missing->why), "%s", why);
}

static bool is_required(const struct bpf_program *program)
{
	const struct hook *hook = hook_find(bpf_program__section_name(program));

	return !hook || hook->required;
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
		return refuse(tracer, 0, "the programs are not what was built");
	*filter = tracer->options->filter;
	filter->trial_cookie = tracer->trial_cookie;
	filter->start_ns = now_ns();
	filter->task_storage = tracer->task_storage;
	filter->preemptible = kernel_is_preemptible();
	filter->by_pids = tracer->options->pids_count > 0;
	filter->by_cgroup = tracer->options->cgroup >= 0;
	/* One comparison instead of a look-up, for the most common case. */
	if (tracer->options->pids_count == 1 && !tracer->options->follow) {
		filter->pid = tracer->options->pids[0];
		filter->by_pids = 0;
	}
	for (size_t i = 0; i < tracer->missing_count; i++)
		filter->lacks |= tracer->missing[i].hook->lacks;
	return bpf_map__set_autocreate(frames, filter->task_storage);
}

/* nf_reject_ipv4 and nf_reject_ipv6, or what is theirs in the kernel itself: without it no rule
 * rejects. */
static bool can_reject(const struct tracer *tracer, const struct bpf_program *program)
{
	const char *function = strchr(bpf_program__section_name(program), '/') + 1;
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/nf_%s", bpf_program__name(program));
	return !access(path, F_OK) || btf__find_by_name_kind(tracer->btf, function, BTF_KIND_FUNC) >= 0;
}

/* v6.10: the tracepoint tells of every RST that TCP sends. */
static bool has_reasons(const struct tracer *tracer)
{
	return btf__find_by_name_kind(tracer->btf, "sk_rst_reason", BTF_KIND_ENUM) >= 0;
}

bool tracer_sees_all(const struct tracer *tracer)
{
	return tracer->via != VIA_TRACEPOINT || has_reasons(tracer);
}

static bool is_wanted(const struct tracer *tracer, const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	if (!strncmp(name, "reply_", strlen("reply_")))
		return !has_reasons(tracer);
	if (!strncmp(name, "reject_", strlen("reject_")))
		return can_reject(tracer, program);
	return tracer->options->follow || strncmp(name, "follow_", strlen("follow_"));
}

/* A program whose function this kernel has not is left out, and told by name. */
static int choose_programs(struct tracer *tracer)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, tracer->object) {
		const char *section = bpf_program__section_name(program);
		const struct hook *hook = hook_find(section);

		if (!is_wanted(tracer, program)) {
			bpf_program__set_autoload(program, false);
			continue;
		}
		if (hook && !is_missing(tracer, hook) && !hook_exists(section, tracer->btf)) {
			if (hook->required)
				return refuse(tracer, 0, "this kernel has no %s", hook->function);
			miss(tracer, hook, "this kernel has none");
		}
		bpf_program__set_autoload(program, !(hook && is_missing(tracer, hook)));
	}
	return DONE;
}

/* ---- loading and attaching ---------------------------------------------- */

/* Looking for a type that the kernel has not, libbpf goes through the BTF of all modules; some
 * of it gives up where it may not list them.  A file has no modules. */
static const char *btf_file(const struct tracer *tracer)
{
	bool whole = tracer->options->btf || privileges_include(CAP_SYS_ADMIN);

	return whole || access(KERNEL_BTF, R_OK) ? tracer->options->btf : KERNEL_BTF;
}

static int open_object(struct tracer *tracer)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "closetrace",
		    .btf_custom_path = btf_file(tracer));
	size_t size;
	const void *elf = ways[tracer->via].elf(&size);

	if (ways[tracer->via].needs_btf && access(KERNEL_BTF, R_OK))
		return refuse(tracer, 0, "the kernel itself has no BTF");
	tracer->object = bpf_object__open_mem(elf, size, &opts);
	return tracer->object ? DONE : refuse(tracer, errno, "cannot open the programs");
}

static int refuse_program(struct tracer *tracer, const struct bpf_program *program, int error)
{
	return refuse(tracer, error, "cannot attach to %s",
		      strchr(bpf_program__section_name(program), '/') + 1);
}

/* Functions may be in the kernel's BTF and yet be out of reach: inlined everywhere, renamed by
 * the linker, or marked notrace.  A required one settles it; the others are left out. */
static int find_refused(struct tracer *tracer)
{
	size_t before = tracer->missing_count;
	struct bpf_program *program;

	bpf_object__for_each_program(program, tracer->object) {
		const struct hook *hook = hook_find(bpf_program__section_name(program));
		bool asked = hook && bpf_program__autoload(program) && !is_missing(tracer, hook) &&
			     bpf_program__type(program) == BPF_PROG_TYPE_TRACING;
		int error = asked ? hook_try(hook, tracer->btf) : 0;

		if (error && hook->required)
			return refuse_program(tracer, program, error);
		if (error)
			miss(tracer, hook, strerror(error));
	}
	return tracer->missing_count > before ? ANEW : REFUSED;
}

static int load_object(struct tracer *tracer)
{
	int error = bpf_object__load(tracer->object);

	if (!error)
		return DONE;
	refuse(tracer, -error, "the kernel refuses the programs");
	return find_refused(tracer);
}

static int share_counters(struct tracer *tracer)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, ".data.counters");
	void *shared = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (shared == MAP_FAILED)
		return refuse(tracer, errno, "cannot share the counters");
	tracer->counters = shared;
	return 0;
}

/* Configurations of Linux know ticks of 1/24 to 1/1200 second. */
static bool is_hz(uint64_t hz)
{
	return hz >= 24 && hz <= 1200;
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
		return refuse(tracer, errno, "no socket to try the programs on");
	return DONE;
}

static void close_trial(struct tracer *tracer)
{
	if (tracer->trial >= 0)
		close(tracer->trial);
	tracer->trial = -1;
}

/* The BTF is put to the test too: with that of another kernel neither the cookie nor the time
 * is where it is looked for. */
static int learn(struct tracer *tracer)
{
	struct bpf_program *program = bpf_object__find_program_by_name(tracer->object, "learn");
	struct bpf_link *link = bpf_program__attach(program);

	if (!link)
		return refuse_program(tracer, program, errno);
	close_trial(tracer);
	bpf_link__destroy(link);
	if (!is_hz(tracer->counters->hz))
		return refuse(tracer, 0, "a close of our own is not seen%s", tracer->options->btf ?
			      ": the BTF is another kernel's" : "");
	if (!tracer->counters->frames)
		return refuse(tracer, 0, "the kernel gives no memory to remember a close in");
	tracer->learned = true;
	return DONE;
}

static int attach(struct tracer *tracer, const struct bpf_program *program)
{
	const struct hook *hook = hook_find(bpf_program__section_name(program));
	bool returns = !strncmp(bpf_program__section_name(program), "kretprobe/", strlen("kretprobe/"));
	struct bpf_link *link = returns ? returns_attach(program) : NULL;

	/* Without tracefs: with the few places that the kernel gives by itself. */
	if (!link)
		link = bpf_program__attach(program);
	if (link) {
		tracer->links[tracer->links_count++] = link;
		return DONE;
	}
	if (is_required(program))
		return refuse_program(tracer, program, errno);
	miss(tracer, hook, strerror(errno));
	return ANEW;
}

static int attach_these(struct tracer *tracer, bool required)
{
	struct bpf_program *program;
	int result = DONE;

	bpf_object__for_each_program(program, tracer->object) {
		if (!bpf_program__autoload(program) || is_required(program) != required ||
		    !strcmp(bpf_program__name(program), "learn"))
			continue;
		result = attach(tracer, program);
		if (result)
			break;
	}
	return result;
}

/* What must be comes first: where that fails, the rest is not worth trying. */
static int attach_all(struct tracer *tracer)
{
	int result = attach_these(tracer, true);

	return result ? result : attach_these(tracer, false);
}

static int handle(void *arg, void *data, size_t size)
{
	struct tracer *tracer = arg;

	tracer->handler(tracer->handler_arg, data, size);
	return 0;
}

static int open_ring(struct tracer *tracer)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, "ring");

	tracer->ring = ring_buffer__new(fd, handle, tracer, NULL);
	return tracer->ring ? 0 : refuse(tracer, errno, "cannot map the ring");
}

/* ---- who is traced ------------------------------------------------------- */

int tracer_add_pid(struct tracer *tracer, pid_t pid)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, "pids");
	__u32 key = pid;
	__u8 yes = 1;

	return bpf_map_update_elem(fd, &key, &yes, BPF_ANY) ? -errno : 0;
}

bool tracer_traces_few(const struct tracer *tracer)
{
	return tracer->options->pids_count || tracer->options->cgroup >= 0 ||
	       tracer->options->filter.by_comm;
}

bool tracer_filters(const struct tracer *tracer)
{
	const struct filter *filter = &tracer->options->filter;

	return tracer_traces_few(tracer) || filter->by_lport || filter->by_rport || filter->by_addr ||
	       filter->branches || filter->family || filter->resets;
}

bool tracer_wants_resets(const struct tracer *tracer)
{
	return tracer->options->filter.resets;
}

bool tracer_wants_branches(const struct tracer *tracer)
{
	return tracer->options->filter.branches;
}

static bool is_listed(const struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->options->pids_count; i++)
		if (tracer->options->pids[i] == pid)
			return true;
	return false;
}

/* By the table of those that are followed; without CAP_BPF a kernel before v5.19 does not let
 * us ask it, and their parents have to tell. */
static bool is_traced(const struct tracer *tracer, pid_t pid)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, "pids");
	__u32 key = pid;
	__u8 yes;

	if (!tracer->options->pids_count || is_listed(tracer, pid))
		return true;
	if (!tracer->options->follow)
		return false;
	if (!bpf_map_lookup_elem(fd, &key, &yes))
		return true;
	while (errno != ENOENT && pid > 1 && !is_listed(tracer, pid))
		pid = procs_parent(pid);
	return pid > 1 && is_listed(tracer, pid);
}

bool tracer_wants(const struct tracer *tracer, pid_t pid, const char *comm)
{
	const struct filter *filter = &tracer->options->filter;

	if (filter->by_comm && strncmp(filter->comm, comm, COMM_LEN))
		return false;
	return is_traced(tracer, pid);
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
	return error ? refuse(tracer, -error, "too many processes to trace") : 0;
}

static int add_cgroup(struct tracer *tracer)
{
	int fd = bpf_object__find_map_fd_by_name(tracer->object, "cgroups");
	__u32 first = 0;

	if (tracer->options->cgroup < 0)
		return 0;
	if (bpf_map_update_elem(fd, &first, &tracer->options->cgroup, BPF_ANY))
		return refuse(tracer, errno, "cannot trace that cgroup");
	return 0;
}

/* ---- the whole ------------------------------------------------------------ */

static void unload(struct tracer *tracer)
{
	for (size_t i = 0; i < tracer->links_count; i++)
		bpf_link__destroy(tracer->links[i]);
	if (tracer->via == VIA_KPROBE)
		returns_remove();
	tracer->links_count = 0;
	ring_buffer__free(tracer->ring);
	tracer->ring = NULL;
	if (tracer->counters)
		munmap((void *)tracer->counters, sizeof(struct counters));
	tracer->counters = NULL;
	bpf_object__close(tracer->object);
	tracer->object = NULL;
	close_trial(tracer);
}

static int try_once(struct tracer *tracer)
{
	static int (*const steps[])(struct tracer *) = {
		open_object, choose_programs, open_trial, set_filter, load_object, share_counters,
		open_ring, add_cgroup, learn, attach_all, add_pids,
	};
	int result = DONE;

	for (size_t i = 0; !result && i < sizeof(steps) / sizeof(*steps); i++)
		result = steps[i](tracer);
	if (result)
		unload(tracer);
	return result;
}

static int try_with(struct tracer *tracer, bool task_storage)
{
	int result;

	tracer->task_storage = task_storage;
	do
		result = try_once(tracer);
	while (result == ANEW);
	return result;
}

/* Not where a program had its frame by then, nor where nobody is let in. */
static bool task_storage_may_be_why(const struct tracer *tracer)
{
	return tracer->task_storage && !tracer->learned && tracer->error != EPERM;
}

/* Task storage is quicker than a table of threads, but it must be there, and work. */
static int try(struct tracer *tracer, enum via via)
{
	char *refused = tracer->refused[via];
	int result;

	tracer->via = via;
	tracer->learned = false;
	tracer->missing_count = 0;
	if (kernel_bars(via, refused, sizeof(tracer->refused[0])))
		return REFUSED;
	result = try_with(tracer, tracer->can_task_storage);
	if (result && task_storage_may_be_why(tracer))
		result = try_with(tracer, false);
	if (result && tracer->error)
		kernel_blame(via, tracer->options->btf, refused, sizeof(tracer->refused[0]));
	if (!result)
		*refused = '\0';
	return result;
}

/* The way that was asked for, or the best that works. */
static int try_all(struct tracer *tracer)
{
	int only = tracer->options->via;

	if (only < 0 && kernel_way(0) != VIA_FENTRY)
		snprintf(tracer->refused[VIA_FENTRY], sizeof(tracer->refused[0]),
			 "the kernel is preemptible, and may leave its programs out");
	for (unsigned int rank = 0; rank < VIA_COUNT; rank++) {
		int via = kernel_way(rank);

		if ((only < 0 || via == only) && !try(tracer, via))
			return DONE;
	}
	return REFUSED;
}

/* What all ways met is one thing to mend; else it is what the least demanding one met. */
static void explain(const struct tracer *tracer, char *why, size_t size)
{
	const char *last = tracer->refused[VIA_TRACEPOINT];

	if (tracer->options->via >= 0)
		snprintf(why, size, "%s: %s", via_name(tracer->options->via),
			 tracer->refused[tracer->options->via]);
	else if (!strcmp(tracer->refused[VIA_FENTRY], last))
		snprintf(why, size, "%s", last);
	else
		snprintf(why, size, "no way works; %s: %s; see closetrace doctor",
			 via_name(VIA_TRACEPOINT), last);
}

/* ---- the kernel's types ---------------------------------------------------- */

static bool is_same(const struct btf *a, const struct btf *b)
{
	__u32 size_a, size_b;
	const void *data_a = btf__raw_data(a, &size_a), *data_b = btf__raw_data(b, &size_b);

	return data_a && data_b && size_a == size_b && !memcmp(data_a, data_b, size_a);
}

/* With the types of another kernel records would be wrong. */
static bool is_kernels(const struct btf *btf)
{
	struct btf *own = access(KERNEL_BTF, R_OK) ? NULL : btf__parse(KERNEL_BTF, NULL);
	bool good = own ? is_same(btf, own) : kernel_has_functions_of(btf);

	btf__free(own);
	return good;
}

/* What is wrong with the file; NULL: nothing. */
static const char *load_btf_file(struct tracer *tracer, const char *file)
{
	if (access(file, R_OK))
		return strerror(errno);
	tracer->btf = btf__parse(file, NULL);
	if (!tracer->btf)
		return "there is no BTF in it";
	if (btf__find_by_name_kind(tracer->btf, "tcp_sock", BTF_KIND_STRUCT) < 0)
		return "it is not the BTF of a kernel";
	if (!is_kernels(tracer->btf))
		return "it is another kernel's";
	return NULL;
}

static int load_btf(struct tracer *tracer, char *why, size_t size)
{
	const char *file = tracer->options->btf, *fault;

	if (file) {
		fault = load_btf_file(tracer, file);
		if (fault)
			snprintf(why, size, "--btf %s: %s", file, fault);
		return fault ? REFUSED : DONE;
	}
	tracer->btf = btf__load_vmlinux_btf();
	if (tracer->btf)
		return DONE;
	if (!kernel_blame(VIA_TRACEPOINT, NULL, why, size))
		snprintf(why, size, "cannot read the kernel's BTF: %s", strerror(errno));
	return REFUSED;
}

/* ---- the whole, for others --------------------------------------------------- */

/* Kernels before v5.11 count the maps; without CAP_SYS_RESOURCE the hard limit is all there is. */
static void raise_memory_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
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
	raise_memory_limit();
	if (load_btf(tracer, why, why_size))
		goto fail;
	reason_load(tracer->btf);
	callers_open();
	tracer->can_task_storage = has_task_storage();
	if (!try_all(tracer))
		return tracer;
	explain(tracer, why, why_size);
fail:
	tracer_close(tracer);
	return NULL;
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	unload(tracer);
	callers_close();
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

const struct missing *tracer_missing(const struct tracer *tracer, size_t index)
{
	return index < tracer->missing_count ? &tracer->missing[index] : NULL;
}

bool tracer_task_storage(const struct tracer *tracer)
{
	return tracer->task_storage;
}

void tracer_tell(const struct tracer *tracer)
{
	const struct missing *missing;
	const char *refused;

	for (enum via via = 0; tracer->options->verbose && via < VIA_COUNT; via++)
		if ((refused = tracer_refused(tracer, via)))
			warnx("not by %s: %s", via_name(via), refused);
	for (size_t i = 0; (missing = tracer_missing(tracer, i)); i++)
		warnx("no hook on %s (%s), so not seen: %s", missing->hook->function, missing->why,
		      missing->hook->shows);
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

int tracer_fd(const struct tracer *tracer)
{
	return ring_buffer__epoll_fd(tracer->ring);
}

struct tracer_lost tracer_lost(const struct tracer *tracer)
{
	return (struct tracer_lost){
		.ring = tracer->counters->lost_ring,
		.table = tracer->counters->lost_table,
	};
}

uint64_t tracer_unfinished(const struct tracer *tracer)
{
	/* By tracepoint a frame stays open until its task closes another. */
	return tracer->via == VIA_TRACEPOINT ? 0 : tracer->counters->open;
}

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

struct tracer_skipped tracer_skipped(const struct tracer *tracer)
{
	bool closes = kernel_may_preempt();
	struct tracer_skipped skipped = {};
	struct bpf_program *program;

	bpf_object__for_each_program(program, tracer->object) {
		bool missed = is_missed(bpf_program__name(program), closes);

		if (!missed && !closes)
			continue;
		skipped.runs += misses(program);
		skipped.records += missed ? misses(program) : 0;
	}
	return skipped;
}
