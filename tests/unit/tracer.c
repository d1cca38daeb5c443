// SPDX-License-Identifier: GPL-2.0-only
/* The file of --btf, before any program is loaded: what is no BTF, or another kernel's. */
#include "tests/unit/sample.h"

#include <fcntl.h>

#include <bpf/btf.h>

#include "user/tracer.h"

static char path[] = "/tmp/closetrace-btf.XXXXXX";

static void write_file(const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void write_btf(struct btf *btf)
{
	const void *data;
	__u32 size;

	data = btf__raw_data(btf, &size);
	write_file(data, size);
	btf__free(btf);
}

static struct btf *kernel_of(const char *structure)
{
	struct btf *btf = btf__new_empty();

	assert_true(btf__add_int(btf, "int", 4, BTF_INT_SIGNED) > 0);
	assert_true(btf__add_struct(btf, structure, 8) > 0);
	return btf;
}

/* One line, which names the option, the file and the fault. */
static void is_refused(const char *file, const char *fault)
{
	struct tracer_options options = { .cgroup = -1, .via = -1, .btf = file };
	char why[256] = "", wanted[256];

	assert_null(tracer_open(&options, why, sizeof(why)));
	snprintf(wanted, sizeof(wanted), "--btf %s: %s", file, fault);
	assert_string_equal(why, wanted);
}

static void a_file_that_is_not_there(void **state)
{
	is_refused("/nonexistent/btf", "No such file or directory");
}

static void a_file_that_is_no_btf(void **state)
{
	write_file("no BTF, but longer than its header", 34);
	is_refused(path, "there is no BTF in it");
	write_file("", 0);
	is_refused(path, "there is no BTF in it");
}

static void the_btf_of_something_else(void **state)
{
	write_btf(kernel_of("tcp_close"));
	is_refused(path, "it is not the BTF of a kernel");
}

static void the_btf_of_another_kernel(void **state)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		skip();
	write_btf(kernel_of("tcp_sock"));
	is_refused(path, "it is another kernel's");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_is_not_there),
		cmocka_unit_test(a_file_that_is_no_btf),
		cmocka_unit_test(the_btf_of_something_else),
		cmocka_unit_test(the_btf_of_another_kernel),
	};
	int failed;

	close(mkstemp(path));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
