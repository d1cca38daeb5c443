// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "user/cut.h"
#include "user/trampolines.h"

static const struct {
	const char *section;
	enum bpf_attach_type attach_type;
} kinds[] = {
	{ "fentry+", BPF_TRACE_FENTRY },
	{ "fexit+", BPF_TRACE_FEXIT },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static size_t registered;
static const struct cut *functions;

bool is_trampoline(const struct bpf_program *program)
{
	enum bpf_attach_type type = bpf_program__expected_attach_type(program);

	return type == BPF_TRACE_FENTRY || type == BPF_TRACE_FEXIT;
}

__u32 trampolines_target(const struct cut *cut, const char *function)
{
	int id = btf__find_by_name_kind(cut_btf(cut), function, BTF_KIND_FUNC);

	return id > 0 ? cut_origin(cut, id) : 0;
}

/* Its type is told only now: bpf_object__load() reads the kernel's BTF where one has it. */
static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	const char *function = strchr(bpf_program__section_name(program), '/') + 1;

	opts->attach_btf_id = trampolines_target(functions, function);
	if (!opts->attach_btf_id)
		return -ESRCH;
	return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

/* For good: libbpf_unregister_prog_handler() of libbpf 1.1 keeps a freed list when the last one goes. */
int trampolines_register(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare);
	int handler;

	for (; registered < KINDS; registered++) {
		handler = libbpf_register_prog_handler(kinds[registered].section,
						       BPF_PROG_TYPE_RAW_TRACEPOINT,
						       kinds[registered].attach_type, &opts);
		if (handler < 0)
			return handler;
	}
	return 0;
}

void trampolines_use(const struct cut *cut)
{
	functions = cut;
}
