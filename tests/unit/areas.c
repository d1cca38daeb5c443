// SPDX-License-Identifier: GPL-2.0-only
/* Which files lie where in memory, by lists like those of /proc. */
#include "tests/unit/sample.h"

#include "user/areas.h"

static size_t read_maps(const char *text, struct area **areas)
{
	FILE *file = fmemopen((char *)text, strlen(text), "r");
	size_t count;

	assert_non_null(file);
	count = areas_read(file, areas);
	fclose(file);
	return count;
}

/* From its first segment to its last; what has no code, no file or no beginning is left out. */
static void a_file_is_one_area(void **state)
{
	struct area *areas;

	assert_int_equal(read_maps(
		"55d000000000-55d000001000 r--p 00000000 fe:01 1001                       /usr/sbin/nginx\n"
		"55d000001000-55d000009000 r-xp 00001000 fe:01 1001                       /usr/sbin/nginx\n"
		"55d000009000-55d00000b000 rw-p 00009000 fe:01 1001                       /usr/sbin/nginx\n"
		"55d000100000-55d000200000 rw-p 00000000 00:00 0                          [heap]\n"
		"7f0000000000-7f0000010000 r--p 00000000 fe:01 2002                       /usr/share/zoneinfo/UTC\n"
		"7f0000020000-7f0000028000 r--p 00000000 fe:01 3003                       /usr/lib/libc.so.6\n"
		"7f0000028000-7f0000120000 r-xp 00008000 fe:01 3003                       /usr/lib/libc.so.6\n"
		"7f0000120000-7f0000130000 rw-p 00000000 00:00 0 \n"
		"7f0000200000-7f0000210000 r-xp 00005000 fe:01 4004                       /memory/middle\n"
		"7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n"
		"7ffd00100000-7ffd00102000 r-xp 00000000 00:00 0                          [vdso]\n", &areas), 2);
	assert_string_equal(areas[0].path, "/usr/sbin/nginx");
	assert_int_equal(areas[0].begin, 0x55d000000000);
	assert_int_equal(areas[0].end, 0x55d00000b000);
	assert_int_equal(areas[0].text_begin, 0x55d000001000);
	assert_int_equal(areas[0].text_end, 0x55d000009000);
	assert_int_equal(areas[0].inode, 1001);
	assert_string_equal(areas[1].path, "/usr/lib/libc.so.6");
	assert_int_equal(areas[1].begin, 0x7f0000020000);
	free(areas);
}

/* Each time from its beginning. */
static void a_file_may_be_there_twice(void **state)
{
	struct area *areas;

	assert_int_equal(read_maps(
		"7f0000000000-7f0000001000 r-xp 00000000 fe:01 1001 /a b (deleted)\n"
		"7f0000001000-7f0000002000 r-xp 00000000 fe:01 1001 /a b (deleted)\n", &areas), 2);
	assert_int_equal(areas[1].begin, 0x7f0000001000);
	assert_string_equal(areas[1].path, "/a b (deleted)");
	free(areas);
}

static void what_is_no_map_is_nothing(void **state)
{
	struct area *areas;

	assert_int_equal(read_maps("\nnonsense\n7f00-\n7f0000000000-7f0000001000 r-xp\n", &areas), 0);
	free(areas);
	assert_int_equal(read_maps("7f0000000000-7f0000001000 r-xp 00000000 fe:01 7 anon_inode:x\n", &areas), 0);
	free(areas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_one_area),
		cmocka_unit_test(a_file_may_be_there_twice),
		cmocka_unit_test(what_is_no_map_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
