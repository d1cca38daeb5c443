// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "user/cut.h"
#include "user/hooks.h"
#include "user/kernel.h"
#include "user/types.h"

#define REASONS "sk_rst_reason"

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
static const char *load_file(const char *file, struct btf **btf)
{
	if (access(file, R_OK))
		return strerror(errno);
	*btf = btf__parse(file, NULL);
	if (!*btf)
		return "there is no BTF in it";
	if (btf__find_by_name_kind(*btf, "tcp_sock", BTF_KIND_STRUCT) < 0)
		return "it is not the BTF of a kernel";
	if (!is_kernels(*btf))
		return "it is another kernel's";
	return NULL;
}

struct btf *types_load(const char *file, char *why, size_t size)
{
	struct btf *btf = NULL;
	const char *fault;

	if (file) {
		fault = load_file(file, &btf);
		if (!fault)
			return btf;
		snprintf(why, size, "--btf %s: %s", file, fault);
		btf__free(btf);
		return NULL;
	}
	btf = btf__load_vmlinux_btf();
	if (!btf && !kernel_blame(VIA_TRACEPOINT, NULL, why, size))
		snprintf(why, size, "cannot read the kernel's BTF: %s", strerror(errno));
	return btf;
}

/* ---- as many of them as the programs need -------------------------------------------- */

static int want_named(struct cut *cut, const struct btf *btf)
{
	int error = 0;

	for (__u32 id = 1; !error && id < btf__type_cnt(btf); id++)
		error = cut_want(cut, btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off));
	return error;
}

static int want_hooks(struct cut *cut, const struct bpf_object *object)
{
	struct bpf_program *program;
	char name[128];
	int error = 0;

	bpf_object__for_each_program(program, object) {
		hook_type(bpf_program__section_name(program), name, sizeof(name));
		error = cut_want(cut, name);
		if (error)
			break;
	}
	return error;
}

struct cut *types_cut(const struct btf *kernel, const struct bpf_object *object)
{
	struct cut *cut = cut_new();
	int error;

	if (!cut)
		return NULL;
	error = want_named(cut, bpf_object__btf(object));
	if (!error)
		error = want_hooks(cut, object);
	if (!error)
		error = cut_want(cut, REASONS);
	if (!error)
		error = cut_take(cut, kernel);
	if (!error)
		return cut;
	cut_free(cut);
	errno = -error;
	return NULL;
}

int types_file(char path[TYPES_PATH])
{
	int file = memfd_create("types", MFD_CLOEXEC);

	snprintf(path, TYPES_PATH, "/proc/self/fd/%d", file);
	return file;
}

int types_write(int file, const struct cut *cut)
{
	__u32 size;
	const void *data = btf__raw_data(cut_btf(cut), &size);
	ssize_t written = data ? write(file, data, size) : -1;

	return written == (ssize_t)size ? 0 : -1;
}

bool types_have_reasons(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, REASONS, BTF_KIND_ENUM) >= 0;
}

bool types_give_segment(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "tcp_reset", BTF_KIND_FUNC);

	return id > 0 && btf_vlen(btf__type_by_id(btf, btf__type_by_id(btf, id)->type)) > 1;
}
