// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "user/cut.h"

struct cut {
	char **names;
	size_t names_count;
	bool begins[1 << 16];	/* by the first characters: enough to turn nearly all others away */
	struct btf *btf;
	__u32 *origins;		/* what the kernel calls each of its types */
};

struct cut *cut_new(void)
{
	struct cut *cut = calloc(1, sizeof(*cut));

	if (!cut)
		return NULL;
	cut->btf = btf__new_empty();
	if (cut->btf)
		return cut;
	cut_free(cut);
	return NULL;
}

void cut_free(struct cut *cut)
{
	if (!cut)
		return;
	while (cut->names_count)
		free(cut->names[--cut->names_count]);
	free(cut->names);
	free(cut->origins);
	btf__free(cut->btf);
	free(cut);
}

const struct btf *cut_btf(const struct cut *cut)
{
	return cut->btf;
}

__u32 cut_origin(const struct cut *cut, __u32 id)
{
	return cut->origins[id];
}

/* ---- the names that are looked for ------------------------------------------------- */

static size_t begin_of(const char *name)
{
	uint16_t begin = 0;

	for (int i = 0; i < 8 && name[i]; i++)
		begin = 31 * begin + name[i];
	return begin;
}

static size_t length_of(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour > name ? (size_t)(flavour - name) : strlen(name);
}

int cut_want(struct cut *cut, const char *name)
{
	char **names = reallocarray(cut->names, cut->names_count + 1, sizeof(*names));
	char *copy = strndup(name, length_of(name));

	if (names)
		cut->names = names;
	if (!names || !copy) {
		free(copy);
		return -ENOMEM;
	}
	cut->names[cut->names_count++] = copy;
	cut->begins[begin_of(copy)] = true;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_wanted(const struct cut *cut, const char *name)
{
	return cut->begins[begin_of(name)] &&
	       bsearch(&name, cut->names, cut->names_count, sizeof(name), by_name);
}

/* ---- from one BTF to the other ------------------------------------------------------- */

/* Variables and tags have names too. */
static bool is_type_or_function(const struct btf_type *type)
{
	return btf_is_int(type) || btf_is_float(type) || btf_is_composite(type) ||
	       btf_is_any_enum(type) || btf_is_fwd(type) || btf_is_typedef(type) || btf_is_func(type);
}

/* What a type is made of, one after the other; NULL: that is all. */
static __u32 *part_of(struct btf_type *type, __u32 index)
{
	bool has_one = btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type) ||
		       btf_is_func(type) || btf_is_func_proto(type);

	if (btf_is_composite(type))
		return index < btf_vlen(type) ? &btf_members(type)[index].type : NULL;
	if (btf_is_array(type))
		return index > 1 ? NULL : index ? &btf_array(type)->index_type : &btf_array(type)->type;
	if (has_one && !index)
		return &type->type;
	return btf_is_func_proto(type) && index <= btf_vlen(type) ? &btf_params(type)[index - 1].type :
								    NULL;
}

struct copying {
	const struct btf *from;
	struct btf *to;
	__u32 *ids;		/* in `to`, by those in `from`; 0: not there yet */
};

/* Each that is added may move the others. */
static struct btf_type *copied(const struct copying *copying, __u32 id)
{
	return (struct btf_type *)btf__type_by_id(copying->to, id);
}

static int copy(struct copying *copying, __u32 origin)
{
	const __u32 *part;
	int id, part_id;

	if (!origin || copying->ids[origin])
		return copying->ids[origin];
	id = btf__add_type(copying->to, copying->from, btf__type_by_id(copying->from, origin));
	if (id < 0)
		return id;
	copying->ids[origin] = id;
	if (btf_is_ptr(copied(copying, id)))
		copied(copying, id)->type = 0;
	for (__u32 i = 0; (part = part_of(copied(copying, id), i)); i++) {
		part_id = copy(copying, *part);
		if (part_id < 0)
			return part_id;
		*part_of(copied(copying, id), i) = part_id;
	}
	return id;
}

static int copy_wanted(const struct cut *cut, struct copying *copying)
{
	int id = 0;

	for (__u32 origin = 1; id >= 0 && origin < btf__type_cnt(copying->from); origin++) {
		const struct btf_type *type = btf__type_by_id(copying->from, origin);

		if (type->name_off && is_type_or_function(type) &&
		    is_wanted(cut, btf__name_by_offset(copying->from, type->name_off)))
			id = copy(copying, origin);
	}
	return id < 0 ? id : 0;
}

static int keep_origins(struct cut *cut, const struct copying *copying)
{
	cut->origins = calloc(btf__type_cnt(copying->to), sizeof(*cut->origins));
	if (!cut->origins)
		return -ENOMEM;
	for (__u32 origin = 1; origin < btf__type_cnt(copying->from); origin++)
		if (copying->ids[origin])
			cut->origins[copying->ids[origin]] = origin;
	return 0;
}

int cut_take(struct cut *cut, const struct btf *kernel)
{
	struct copying copying = {
		.from = kernel,
		.to = cut->btf,
		.ids = calloc(btf__type_cnt(kernel), sizeof(*copying.ids)),
	};
	int error;

	if (!copying.ids)
		return -ENOMEM;
	qsort(cut->names, cut->names_count, sizeof(*cut->names), by_name);
	error = copy_wanted(cut, &copying);
	if (!error)
		error = keep_origins(cut, &copying);
	free(copying.ids);
	return error;
}
