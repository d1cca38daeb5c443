// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <bpf/btf.h>

#include "user/callers.h"
#include "user/cut.h"
#include "user/judge.h"
#include "user/kernel.h"
#include "user/programs.h"
#include "user/reason.h"
#include "user/skipped.h"
#include "user/tracer.h"
#include "user/types.h"
#include "user/wanted.h"

#include "fentry.skel.h"
#include "kprobe.skel.h"
#include "tracepoint.skel.h"

struct tracer {
	const struct tracer_options *options;
	bool can_task_storage;
	struct btf *kernel;	/* its types, for the first way */
	struct programs programs;
	tracer_handler *handler;
	void *handler_arg;
	char refused[VIA_COUNT][REFUSED_SIZE];
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

static int handle(void *arg, void *data, size_t size)
{
	struct tracer *tracer = arg;

	tracer->handler(tracer->handler_arg, data, size);
	return 0;
}

/* ---- the ways, in turn ----------------------------------------------------- */

/* v5.12: task storage for tracing programs. */
static bool has_task_storage(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_task_storage_get, NULL) == 1;
}

/* Not where a program had its frame by then, nor where nobody is let in. */
static bool task_storage_may_be_why(const struct programs *programs)
{
	return programs->task_storage && !programs->learned && programs->error != EPERM;
}

static int set_up(struct tracer *tracer, enum via via)
{
	struct btf *kernel = tracer->kernel;

	if (!kernel)
		kernel = types_load(tracer->options->btf, tracer->refused[via], REFUSED_SIZE);
	tracer->kernel = NULL;
	tracer->programs = (struct programs){
		.options = tracer->options,
		.kernel = kernel,
		.via = via,
		.elf = ways[via].elf,
		.needs_btf = ways[via].needs_btf,
		.handle = handle,
		.handle_arg = tracer,
		.refused = tracer->refused[via],
		.trial = { .socket = -1 },
		.types = -1,
	};
	return kernel ? 0 : -1;
}

/* Task storage is quicker than a table of threads, but it must be there, and work. */
static int try(struct tracer *tracer, enum via via)
{
	struct programs *programs = &tracer->programs;
	char *refused = tracer->refused[via];
	int result;

	if (kernel_bars(via, refused, REFUSED_SIZE) || set_up(tracer, via))
		return -1;
	result = programs_load(programs, tracer->can_task_storage);
	if (result && task_storage_may_be_why(programs))
		result = programs_load(programs, false);
	if (result && programs->error)
		kernel_blame(via, tracer->options->btf, refused, REFUSED_SIZE);
	if (result)
		programs_unload(programs);
	else
		*refused = '\0';
	return result;
}

/* The way that was asked for, or the best that works. */
static int try_all(struct tracer *tracer)
{
	int only = tracer->options->via;

	if (only < 0 && kernel_way(0) != VIA_FENTRY)
		snprintf(tracer->refused[VIA_FENTRY], REFUSED_SIZE,
			 "the kernel is preemptible, and may leave its programs out");
	for (unsigned int rank = 0; rank < VIA_COUNT; rank++) {
		int via = kernel_way(rank);

		if ((only < 0 || via == only) && !try(tracer, via))
			return 0;
	}
	return -1;
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

/* ---- the whole ---------------------------------------------------------------- */

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
	tracer->programs.trial.socket = -1;
	tracer->programs.types = -1;
	verbosity = options->verbose;
	libbpf_set_print(print);
	raise_memory_limit();
	tracer->kernel = types_load(options->btf, why, why_size);
	if (!tracer->kernel)
		goto fail;
	callers_open();
	tracer->can_task_storage = has_task_storage();
	if (!try_all(tracer)) {
		reason_load(cut_btf(tracer->programs.cut));
		return tracer;
	}
	explain(tracer, why, why_size);
fail:
	tracer_close(tracer);
	return NULL;
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	programs_unload(&tracer->programs);
	callers_close();
	btf__free(tracer->kernel);
	free(tracer);
}

enum via tracer_via(const struct tracer *tracer)
{
	return tracer->programs.via;
}

const char *tracer_refused(const struct tracer *tracer, enum via via)
{
	return *tracer->refused[via] ? tracer->refused[via] : NULL;
}

const struct missing *tracer_missing(const struct tracer *tracer, size_t index)
{
	return index < tracer->programs.missing_count ? &tracer->programs.missing[index] : NULL;
}

bool tracer_task_storage(const struct tracer *tracer)
{
	return tracer->programs.task_storage;
}

void tracer_tell(const struct tracer *tracer)
{
	const struct missing *missing;
	const char *refused;

	for (enum via via = 0; tracer->options->verbose && via < VIA_COUNT; via++)
		if ((refused = tracer_refused(tracer, via)))
			warnx("not by %s: %s", via_name(via), refused);
	if (tracer->options->verbose && tracer->programs.via == VIA_TRACEPOINT)
		warnx("by tracepoint it is not seen who set SO_LINGER");
	for (size_t i = 0; (missing = tracer_missing(tracer, i)); i++)
		warnx("no hook on %s (%s), so not seen: %s", missing->hook->function, missing->why,
		      missing->hook->shows);
}

/* ---- what is wanted ----------------------------------------------------------- */

bool tracer_traces_few(const struct tracer *tracer)
{
	return wanted_are_few(tracer->options);
}

bool tracer_filters(const struct tracer *tracer)
{
	return wanted_are_filtered(tracer->options);
}

bool tracer_wants(const struct tracer *tracer, pid_t pid, const char *comm)
{
	return wanted_has(tracer->programs.object, tracer->options, pid, comm);
}

bool tracer_sees_all(const struct tracer *tracer)
{
	return tracer->programs.via != VIA_TRACEPOINT || types_have_reasons(cut_btf(tracer->programs.cut));
}

bool tracer_wants_resets(const struct tracer *tracer)
{
	return tracer->options->filter.resets;
}

bool tracer_wants_branches(const struct tracer *tracer)
{
	return tracer->options->filter.branches;
}

int tracer_add_pid(struct tracer *tracer, pid_t pid)
{
	return wanted_add_pid(tracer->programs.object, pid);
}

/* ---- the records --------------------------------------------------------------- */

void tracer_start(struct tracer *tracer)
{
	tracer->programs.counters->on = 1;
}

void tracer_stop(struct tracer *tracer)
{
	tracer->programs.counters->on = 0;
}

int tracer_read(struct tracer *tracer, tracer_handler *handler, void *arg)
{
	tracer->handler = handler;
	tracer->handler_arg = arg;
	return ring_buffer__consume(tracer->programs.ring);
}

struct unwind_entry *tracer_rows(const struct tracer *tracer)
{
	return tracer->programs.rows;
}

int tracer_fd(const struct tracer *tracer)
{
	return ring_buffer__epoll_fd(tracer->programs.ring);
}

int tracer_take(struct tracer *tracer, counts_handler *handler, void *arg)
{
	return counts_take(tracer->programs.object, tracer->programs.counters, handler, arg);
}

struct tracer_lost tracer_lost(const struct tracer *tracer)
{
	return (struct tracer_lost){
		.ring = tracer->programs.counters->lost_ring,
		.table = tracer->programs.counters->lost_table,
	};
}

struct tracer_skipped tracer_skipped(const struct tracer *tracer)
{
	return skipped_count(&tracer->programs);
}

uint64_t tracer_unended(const struct tracer *tracer)
{
	return skipped_sweep(&tracer->programs);
}

uint64_t tracer_unfinished(const struct tracer *tracer)
{
	/* By tracepoint a frame stays open until its task closes another. */
	return tracer->programs.via == VIA_TRACEPOINT ? 0 : tracer->programs.counters->open;
}
