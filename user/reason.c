// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include <bpf/btf.h>

#include "user/reason.h"

#define PREFIX "SK_RST_REASON_"

/* The strings are the BTF's, which lives as long as the tracer. */
static const char *names[256];

void reason_load(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);
	const struct btf_enum *value = type ? btf_enum(type) : NULL;

	memset(names, 0, sizeof(names));
	for (int i = 0; type && i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, value[i].name_off);

		if ((__u32)value[i].val < 256 && !strncmp(name, PREFIX, strlen(PREFIX)))
			names[value[i].val] = name + strlen(PREFIX);
	}
}

const char *reason_name(unsigned int reason)
{
	/* 0 is NOT_SPECIFIED: all that v6.10 says of a reset that it sends by itself. */
	return reason && reason < 256 ? names[reason] : NULL;
}
