// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "user/kernel.h"
#include "user/privileges.h"
#include "user/types.h"

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

/* Looking for a type that the kernel has not, libbpf goes through the BTF of all modules; some
 * of it gives up where it may not list them.  A file has no modules. */
const char *types_file(const char *file)
{
	bool whole = file || privileges_include(CAP_SYS_ADMIN);

	return whole || access(KERNEL_BTF, R_OK) ? file : KERNEL_BTF;
}

bool types_have_reasons(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM) >= 0;
}
