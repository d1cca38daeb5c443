/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs of one way: from what was built, by what this kernel has and the options want of
 * them, to links on its hooks.  Nothing of them is left where one step is refused.
 */
#ifndef CLOSETRACE_PROGRAMS_H
#define CLOSETRACE_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/libbpf.h>

#include "user/tracer.h"
#include "user/trial.h"

#define PROGRAMS_MAX 24
#define REFUSED_SIZE 256

struct programs {
	/* To be set before they are loaded. */
	const struct tracer_options *options;
	struct btf *kernel;	/* all of its types, freed when those that are needed are known */
	enum via via;
	const void *(*elf)(size_t *size);
	bool needs_btf;		/* its functions are numbers in the kernel's own BTF */
	ring_buffer_sample_fn handle;	/* takes each record of the ring */
	void *handle_arg;
	char *refused;		/* REFUSED_SIZE bytes for what the kernel refused */

	/* The others are 0, but that no trial and no file is open. */
	bool task_storage;
	bool learned;		/* a close of our own was seen, and had its frame */
	int error;		/* that came with what was refused last; 0: none */
	struct trial trial;
	struct cut *cut;	/* those that are needed */
	int types;		/* the file with them for libbpf; -1: none */
	struct bpf_object *object;
	struct bpf_link *links[PROGRAMS_MAX];
	size_t links_count;
	struct missing missing[PROGRAMS_MAX + 1];
	size_t missing_count;
	volatile struct counters *counters;
	struct unwind_entry *rows;	/* with stacks */
	struct ring_buffer *ring;
};

/* The name of a program that is the first of two on the same hook begins with it: witness.bpf.h. */
#define STEADY "steady_"
bool is_first_witness(const struct bpf_program *program);

/* Loads and attaches, as often as a hook turns out to be missing.  0, or -1: see refused and
 * error. */
int programs_load(struct programs *programs, bool task_storage);
void programs_unload(struct programs *programs);	/* forgives what is not loaded */

#endif
