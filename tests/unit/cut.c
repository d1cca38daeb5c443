// SPDX-License-Identifier: GPL-2.0-only
/* What is taken out of a BTF, and what is left there. */
#include "tests/unit/sample.h"

#include <bpf/btf.h>

#include "user/cut.h"

/*
 * struct stranger { int b; }; struct far { int a; };
 * struct sock { const deep_t deep[3]; struct far *far; }; typedef struct deep { int depth; } deep_t;
 * void close(struct sock *sk); enum state { CLOSED = 7 }; int sock_count;
 */
static struct btf *kernel;
static int close_id;

static void make_sock(struct btf *btf, int number, int far)
{
	int pointer = btf__add_ptr(btf, far), sock = btf__add_struct(btf, "sock", 24);

	/* What it is made of may come behind it. */
	assert_int_equal(btf__add_field(btf, "deep", sock + 1, 0, 0), 0);
	assert_int_equal(btf__add_field(btf, "far", pointer, 128, 0), 0);
	assert_int_equal(btf__add_array(btf, number, sock + 2, 3), sock + 1);
	assert_int_equal(btf__add_const(btf, sock + 3), sock + 2);
	assert_int_equal(btf__add_typedef(btf, "deep_t", sock + 4), sock + 3);
	assert_int_equal(btf__add_struct(btf, "deep", 4), sock + 4);
	assert_int_equal(btf__add_field(btf, "depth", number, 0, 0), 0);
	pointer = btf__add_ptr(btf, sock);
	assert_int_equal(btf__add_func_proto(btf, 0), pointer + 1);
	assert_int_equal(btf__add_func_param(btf, "sk", pointer), 0);
	close_id = btf__add_func(btf, "close", BTF_FUNC_STATIC, pointer + 1);
	assert_true(close_id > 0);
}

static int make_kernel(void **state)
{
	int number, far;

	kernel = btf__new_empty();
	number = btf__add_int(kernel, "int", 4, BTF_INT_SIGNED);
	assert_true(btf__add_struct(kernel, "stranger", 4) > 0);
	assert_int_equal(btf__add_field(kernel, "b", number, 0, 0), 0);
	far = btf__add_struct(kernel, "far", 4);
	assert_int_equal(btf__add_field(kernel, "a", number, 0, 0), 0);
	make_sock(kernel, number, far);
	assert_true(btf__add_enum(kernel, "state", 4) > 0);
	assert_int_equal(btf__add_enum_value(kernel, "CLOSED", 7), 0);
	assert_true(btf__add_var(kernel, "sock_count", BTF_VAR_STATIC, number) > 0);
	return 0;
}

static int free_kernel(void **state)
{
	btf__free(kernel);
	return 0;
}

static struct cut *cut_of(const struct btf *btf, const char *const *names, size_t count)
{
	struct cut *cut = cut_new();

	assert_non_null(cut);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(cut_want(cut, names[i]), 0);
	assert_int_equal(cut_take(cut, btf), 0);
	return cut;
}

static bool has(const struct cut *cut, const char *name)
{
	return btf__find_by_name(cut_btf(cut), name) > 0;
}

static void what_a_type_is_made_of_comes_along(void **state)
{
	static const char *const names[] = { "sock" };
	struct cut *cut = cut_of(kernel, names, COUNT(names));
	int deep = btf__find_by_name(cut_btf(cut), "deep");

	assert_true(has(cut, "sock") && has(cut, "deep_t") && has(cut, "int"));
	assert_true(deep > 0);
	assert_int_equal(btf__resolve_size(cut_btf(cut), deep), 4);
	/* What it points to, what uses it and what is called alike do not. */
	assert_false(has(cut, "far") || has(cut, "close") || has(cut, "sock_count"));
	assert_false(has(cut, "stranger") || has(cut, "state"));
	cut_free(cut);
}

static void members_are_of_the_same_types(void **state)
{
	static const char *const names[] = { "sock" };
	struct cut *cut = cut_of(kernel, names, COUNT(names));
	const struct btf *btf = cut_btf(cut);
	const struct btf_type *sock = btf__type_by_id(btf, btf__find_by_name(btf, "sock"));
	const struct btf_type *deep = btf__type_by_id(btf, btf_members(sock)[0].type), *far;

	assert_true(btf_is_array(deep));
	assert_int_equal(btf_array(deep)->nelems, 3);
	assert_int_equal(btf__resolve_type(btf, btf_array(deep)->type), btf__find_by_name(btf, "deep"));
	assert_int_equal(btf_array(deep)->index_type, btf__find_by_name(btf, "int"));
	assert_int_equal(btf_member_bit_offset(sock, 1), 128);
	far = btf__type_by_id(btf, btf_members(sock)[1].type);
	assert_true(btf_is_ptr(far));
	assert_int_equal(far->type, 0);
	cut_free(cut);
}

static void a_flavour_is_the_type_itself(void **state)
{
	static const char *const names[] = { "state___v6_10", "deep_t___old" };
	struct cut *cut = cut_of(kernel, names, COUNT(names));

	assert_true(has(cut, "state") && has(cut, "deep_t"));
	assert_false(has(cut, "state___v6_10"));
	cut_free(cut);
}

/* Its number is what a trampoline is attached by. */
static void a_function_keeps_its_number(void **state)
{
	static const char *const names[] = { "close", "open" };
	struct cut *cut = cut_of(kernel, names, COUNT(names));
	int id = btf__find_by_name_kind(cut_btf(cut), "close", BTF_KIND_FUNC);

	assert_true(id > 0);
	assert_int_not_equal(id, close_id);
	assert_int_equal(cut_origin(cut, id), close_id);
	assert_false(has(cut, "open"));
	cut_free(cut);
}

static void names_without_a_match_take_nothing(void **state)
{
	static const char *const names[] = { "", "s", "soc", "sock_", "___" };
	struct cut *cut = cut_of(kernel, names, COUNT(names));

	assert_int_equal(btf__type_cnt(cut_btf(cut)), 1);
	cut_free(cut);
	cut_free(NULL);
}

/* As libbpf finds it in the whole. */
static void is_alike(const struct btf *whole, const struct cut *cut, const char *name)
{
	int theirs = btf__find_by_name_kind(whole, name, BTF_KIND_STRUCT);
	int ours = btf__find_by_name_kind(cut_btf(cut), name, BTF_KIND_STRUCT);
	const struct btf_type *a = btf__type_by_id(whole, theirs);
	const struct btf_type *b = btf__type_by_id(cut_btf(cut), ours);

	assert_int_equal(cut_origin(cut, ours), theirs);
	assert_int_equal(a->size, b->size);
	assert_int_equal(btf_vlen(a), btf_vlen(b));
	for (int i = 0; i < btf_vlen(a); i++) {
		const struct btf_member *left = &btf_members(a)[i], *right = &btf_members(b)[i];

		assert_string_equal(btf__name_by_offset(whole, left->name_off),
				    btf__name_by_offset(cut_btf(cut), right->name_off));
		assert_int_equal(left->offset, right->offset);
		assert_int_equal(btf__resolve_size(whole, left->type),
				 btf__resolve_size(cut_btf(cut), right->type));
	}
}

static void the_types_of_this_kernel_are_alike(void **state)
{
	static const char *const names[] = { "task_struct", "tcp_sock", "sock", "sk_buff", "sk_buff" };
	struct btf *whole = access("/sys/kernel/btf/vmlinux", R_OK) ? NULL : btf__load_vmlinux_btf();
	struct cut *cut;

	if (!whole)
		skip();
	cut = cut_of(whole, names, COUNT(names));
	for (size_t i = 0; i < COUNT(names); i++)
		is_alike(whole, cut, names[i]);
	assert_in_range(btf__type_cnt(cut_btf(cut)), 100, btf__type_cnt(whole) / 20);
	cut_free(cut);
	btf__free(whole);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_type_is_made_of_comes_along),
		cmocka_unit_test(members_are_of_the_same_types),
		cmocka_unit_test(a_flavour_is_the_type_itself),
		cmocka_unit_test(a_function_keeps_its_number),
		cmocka_unit_test(names_without_a_match_take_nothing),
		cmocka_unit_test(the_types_of_this_kernel_are_alike),
	};

	return cmocka_run_group_tests(tests, make_kernel, free_kernel);
}
