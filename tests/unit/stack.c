// SPDX-License-Identifier: GPL-2.0-only
/* Stacks: how they are shown, and our own, walked as another's would be. */
#include "tests/unit/sample.h"
#include "tests/unit/walk.h"

#include <dlfcn.h>
#include <time.h>
#include <ucontext.h>

#include <jansson.h>

#include "user/stack.h"

static struct frame user[] = {
	{ 0x7f0000000010, "__close", 0x10, "/usr/lib/libc.so.6" },
	{ 0x55d000001010, "drop", 0x10, "/usr/sbin/server", "drop.c", 19 },
	{ 0x55d000002010, NULL, 0, "/usr/sbin/server" },
	{ 0x7f00deadbeef },
	{ 0x55d000003010, "main", 0x20, "/usr/sbin/server", "main.c", 3 },
};
static struct frame kernel[] = {
	{ UINT64_C(0xffffffff81000010), "tcp_close", 0x10, "kernel" },
	{ UINT64_C(0xffffffff81000020), "inet_release", 0x20, "kernel" },
};

static struct record with(struct stack *stack)
{
	return (struct record){ .event = &sample, .verdict = judge(&sample), .stack = stack };
}

static json_t *as_json(struct stack *stack)
{
	const struct record record = with(stack);
	char *text = shown_record(&json_sink, 0, 0, &record);
	json_t *object = json_loads(text, 0, NULL);

	assert_non_null(object);
	free(text);
	return object;
}

static char *as_text(struct stack *stack, int verbose)
{
	const struct record record = with(stack);

	return shown_record(&text_sink, 0, verbose, &record);
}

/* ---- in a few words --------------------------------------------------------------------- */

static void the_site_is_what_has_a_name(void **state)
{
	struct stack stack = { user, COUNT(user), kernel, COUNT(kernel), 4242 };
	char text[SITE_TEXT];

	assert_true(stack_site(&stack, text, sizeof(text)));
	assert_string_equal(text, "drop (drop.c:19) < main (main.c:3)");
}

static void the_kernel_is_no_site(void **state)
{
	struct stack stack = { user, 1, kernel, COUNT(kernel), 4242 };
	char text[SITE_TEXT];

	assert_false(stack_site(&stack, text, sizeof(text)));
	stack.user_count = 0;
	assert_false(stack_site(&stack, text, sizeof(text)));
}

static void the_innermost_are_told_while_there_is_room(void **state)
{
	static const char name[] = "a_function_whose_name_takes_up_more_than_half_of_the_room_that_there_is";
	struct frame frames[] = { { .sym = name }, { .sym = name }, { .sym = "main" } };
	struct stack stack = { frames, COUNT(frames), NULL, 0, 4242 };
	char text[SITE_TEXT];

	assert_true(stack_site(&stack, text, sizeof(text)));
	assert_string_equal(text, name);
}

/* ---- JSON ------------------------------------------------------------------------------ */

static void every_frame_has_every_key(void **state)
{
	struct stack stack = { user, COUNT(user), kernel, COUNT(kernel), 4242 };
	json_t *object = as_json(&stack), *stacks = json_object_get(object, "stack"), *frame;
	static const char *const keys[] = { "addr", "sym", "off", "module", "file", "line" };
	size_t i;

	assert_int_equal(json_array_size(json_object_get(stacks, "user")), COUNT(user));
	assert_int_equal(json_array_size(json_object_get(stacks, "kernel")), COUNT(kernel));
	json_array_foreach(json_object_get(stacks, "user"), i, frame) {
		assert_int_equal(json_object_size(frame), COUNT(keys));
		for (size_t key = 0; key < COUNT(keys); key++)
			assert_non_null(json_object_get(frame, keys[key]));
	}
	frame = json_array_get(json_object_get(stacks, "user"), 1);
	assert_string_equal(json_string_value(json_object_get(frame, "addr")), "0x55d000001010");
	assert_int_equal(json_integer_value(json_object_get(frame, "off")), 16);
	assert_int_equal(json_integer_value(json_object_get(frame, "line")), 19);
	frame = json_array_get(json_object_get(stacks, "user"), 3);
	assert_true(json_is_null(json_object_get(frame, "sym")));
	assert_true(json_is_null(json_object_get(frame, "off")));
	assert_true(json_is_null(json_object_get(frame, "module")));
	frame = json_array_get(json_object_get(stacks, "kernel"), 0);
	assert_string_equal(json_string_value(json_object_get(frame, "addr")), "0xffffffff81000010");
	json_decref(object);
}

static void what_there_is_not_is_null(void **state)
{
	struct stack stack = {};
	json_t *object = as_json(&stack), *stacks = json_object_get(object, "stack");

	assert_true(json_is_null(json_object_get(stacks, "user")));
	assert_true(json_is_null(json_object_get(stacks, "kernel")));
	json_decref(object);
	object = as_json(NULL);
	assert_null(json_object_get(object, "stack"));
	json_decref(object);
}

/* A file may be called anything. */
static void names_are_escaped(void **state)
{
	struct frame hostile = { 1, "a\033[2Jb\"\\", 0, "/tmp/x\n{\"event\"", "\001.c", 1 };
	struct stack stack = { &hostile, 1, NULL, 0, 4242 };
	json_t *object = as_json(&stack), *frame;
	char *text;

	frame = json_array_get(json_object_get(json_object_get(object, "stack"), "user"), 0);
	assert_string_equal(json_string_value(json_object_get(frame, "sym")), hostile.sym);
	assert_string_equal(json_string_value(json_object_get(frame, "module")), hostile.module);
	json_decref(object);
	text = as_text(&stack, 1);
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\001'));
	assert_non_null(strstr(text, "at a\\x1b[2Jb\"\\x5c+0x0 (\\x01.c:1)"));
	free(text);
}

/* ---- text -------------------------------------------------------------------------------- */

static void text_tells_whose_code_it_is(void **state)
{
	struct stack stack = { user, COUNT(user), kernel, COUNT(kernel), 4242 };
	char *text = as_text(&stack, 0);

	assert_non_null(strstr(text, "\n             at drop+0x10 (drop.c:19)\n"
				     "             at 0x55d000002010 [/usr/sbin/server]\n"
				     "             at 0x7f00deadbeef\n"));
	assert_null(strstr(text, "__close"));
	assert_null(strstr(text, "main"));
	assert_null(strstr(text, "tcp_close"));
	free(text);
}

static void with_v_it_tells_all(void **state)
{
	struct stack stack = { user, COUNT(user), kernel, COUNT(kernel), 4242 };
	char *text = as_text(&stack, 1);

	assert_non_null(strstr(text, "at __close+0x10 [/usr/lib/libc.so.6]\n"));
	assert_non_null(strstr(text, "at main+0x20 (main.c:3)\n"));
	assert_non_null(strstr(text, "at inet_release+0x20 [kernel]\n"));
	free(text);
}

static void without_a_user_it_is_the_kernel(void **state)
{
	struct stack stack = { NULL, 0, kernel, COUNT(kernel) };
	char *text = as_text(&stack, 0);

	assert_non_null(strstr(text, "at tcp_close+0x10 [kernel]\n"));
	free(text);
}

/* Where the C library is a part of the program, what it is for is told by name. */
static void a_library_tells_nothing(void **state)
{
	static const struct frame quiet[] = {
		{ 1, "close", 0, "/usr/lib/x86_64-linux-gnu/libc.so.6" },
		{ 1, "anything", 0, "/lib/ld-musl-x86_64.so.1" },
		{ 1, "__close", 0, "/usr/sbin/static" },
		{ 1, "runtime/internal/syscall.Syscall6", 0, "/srv/go" },
		{ 1, "internal/poll.(*FD).Close", 0, "/srv/go" },
		{ 1, "net.(*conn).Close", 0, "/srv/go" },
		{ 1, "runtime.goexit.abi0", 0, "/srv/go" },
	};
	static const struct frame telling[] = {
		{ 1, "close_connection", 0, "/usr/sbin/nginx" },
		{ 1, NULL, 0, "/usr/sbin/nginx" },
		{ 1 },
		{ 1, "curl_close", 0, "/usr/lib/libcurl.so.4" },
		{ 1, "net/http.(*conn).serve", 0, "/srv/go" },
		{ 1, "main.serve", 0, "/srv/go" },
		{ 1, "network.Close", 0, "/srv/go" },
	};

	for (size_t i = 0; i < COUNT(quiet); i++)
		assert_false(frame_tells(&quiet[i]));
	for (size_t i = 0; i < COUNT(telling); i++)
		assert_true(frame_tells(&telling[i]));
}

/* ---- our own -------------------------------------------------------------------------------- */

static struct user_stack_event own;

static void fill_own_space(struct address_space *stack)
{
	unsigned long long started, start_code, start_stack;
	FILE *file = fopen("/proc/self/stat", "re");
	char text[1024] = "";

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_int_equal(sscanf(strrchr(text, ')') + 1,
				" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
				"%llu %*u %*d %*u %llu %*u %llu", &started, &start_code, &start_stack), 3);
	stack->pid = getpid();
	stack->started_ns = started * 10000000;
	stack->start_code = start_code;
	stack->start_stack = start_stack;
}

static void fill_own_stack(struct user_stack *stack)
{
	ucontext_t here;
	const char *sp;

	getcontext(&here);
#if defined(__x86_64__)
	static const struct { int kernel, context; } regs[] = {
		{ 0, REG_R15 }, { 1, REG_R14 }, { 2, REG_R13 }, { 3, REG_R12 }, { 4, REG_RBP }, { 5, REG_RBX },
		{ 16, REG_RIP }, { 19, REG_RSP },
	};

	for (size_t i = 0; i < COUNT(regs); i++)
		stack->regs[regs[i].kernel] = here.uc_mcontext.gregs[regs[i].context];
	sp = (const char *)stack->regs[19];
#else
	memcpy(stack->regs, here.uc_mcontext.regs, sizeof(here.uc_mcontext.regs));
	stack->regs[31] = here.uc_mcontext.sp;
	stack->regs[32] = here.uc_mcontext.pc;
	sp = (const char *)stack->regs[31];
#endif
	for (; stack->size < sizeof(stack->bytes); stack->size++)
		stack->bytes[stack->size] = ((volatile const char *)sp)[stack->size];
}

__attribute__((noinline, no_sanitize("address"))) static struct stack take_own(void)
{
	struct stack stack;

	fill_own_stack(&own.user);
	stack = stack_of(&own.kernel.event, sizeof(own));
	return stack;
}

static int inner_line, outer_line;

__attribute__((always_inline)) static inline struct stack put_into_it(void)
{
	inner_line = __LINE__ + 1;
	return take_own();
}

__attribute__((noinline)) static struct stack call_it(void)
{
	struct stack stack;

	outer_line = __LINE__ + 1;
	stack = put_into_it();

	/* Not the last thing that it does. */
	stack.pid = 1;
	return stack;
}

static size_t find(const struct stack *stack, const char *name)
{
	size_t at = 0;

	while (at < stack->user_count && (!stack->frames[at].sym || strcmp(stack->frames[at].sym, name)))
		at++;
	return at;
}

/* Only debug information tells of it. */
static void check_inlined(const struct frame *frame)
{
	assert_string_equal(frame->sym, "put_into_it");
	assert_int_equal(frame->line, inner_line);
	assert_int_equal(frame[1].line, outer_line);
	assert_int_equal(frame->addr, frame[1].addr);
	assert_in_range(frame->off, 1, frame[1].off);
}

static void our_own_stack_is_found(void **state)
{
	struct stack stack;
	size_t at;

	stack_begin(true, NULL);
	memset(&own, 0, sizeof(own));
	own.kernel.event = sample;
	fill_own_space(&own.user.owner.space);
	stack = call_it();
	at = find(&stack, "take_own");
	assert_true(at < stack.user_count);
	assert_string_equal(stack.frames[at].module + strlen(stack.frames[at].module) - 10, "unit/stack");
	if (stack.frames[at].file)
		check_inlined(&stack.frames[++at]);
	assert_string_equal(stack.frames[at + 1].sym, "call_it");
	assert_string_equal(stack.frames[at + 2].sym, __func__);
	assert_int_equal(stack.kernel_count, 0);
	stack_clear(&stack);
	stack_end();
}

/* The build id is not that of the file that the maps name there: nobody knows what is. */
static void maps_that_lie_are_not_believed(void **state)
{
	struct stack stack;

	stack_begin(true, NULL);
	memset(&own, 0, sizeof(own));
	own.kernel.event = sample;
	fill_own_space(&own.user.owner.space);
	own.user.id_status = 1;
	memset(own.user.build_id, 0x5a, sizeof(own.user.build_id));
	stack = call_it();
	assert_int_equal(stack.user_count, 1);
	assert_null(stack.frames[0].sym);
	assert_null(stack.frames[0].module);
	assert_true(stack.frames[0].addr != 0);
	stack_clear(&stack);
	stack_end();
}

static void of_nobody_there_is_the_address(void **state)
{
	struct stack stack;

	stack_begin(true, NULL);
	memset(&own, 0, sizeof(own));
	own.kernel.event = sample;
	own.user.owner.space.pid = 0x7fffffff;
	stack = call_it();
	assert_int_equal(stack.user_count, 1);
	assert_null(stack.frames[0].module);
	stack_clear(&stack);
	stack_end();
}

/* ---- ours, as the kernel walks it ---------------------------------------------------------- */

static struct walked_event walked;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

__attribute__((noinline)) static void walk_own(void)
{
	uint64_t addresses[USER_FRAMES];
	size_t count = walk_here(addresses, USER_FRAMES);

	memset(&walked, 0, sizeof(walked));
	walked.kernel.event = sample;
	walked.kernel.event.time_ns = now_ns();
	fill_own_space(&walked.owner.space);
	walked.owner.name = 7;
	for (size_t i = 0; i < count; i++)
		walked.frames[i] = addresses[i];
}

/* The innermost always is. */
static bool is_told(const char *caller)
{
	struct stack stack = stack_of(&walked.kernel.event, sizeof(walked));
	bool told = find(&stack, caller) < stack.user_count;

	assert_true(find(&stack, "walk_own") < stack.user_count);
	stack_clear(&stack);
	return told;
}

/* What was walked before they were read may have been walked by another's rows. */
static void a_walk_is_believed_when_its_files_are_known(void **state)
{
	stack_begin(true, NULL);
	walk_own();
	assert_false(is_told(__func__));
	walk_own();
	assert_true(is_told(__func__));
	stack_end();
}

static struct unwind_entry entries[UNWIND_ENTRIES];

/* A library goes, and another one may come to where it was. */
static void rows_go_with_their_file(void **state)
{
	void *library = dlopen("libanl.so.1", RTLD_NOW);

	assert_non_null(library);
	stack_begin(true, entries);
	walk_own();
	is_told(__func__);
	entries[3] = (struct unwind_entry){ .address = 1, .name = 7 };
	stack_renew();
	walk_own();
	assert_true(is_told(__func__));
	assert_int_equal(entries[3].address, 1);
	walk_own();
	dlclose(library);
	stack_renew();
	assert_false(is_told(__func__));
	assert_int_equal(entries[3].address, 0);
	stack_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_site_is_what_has_a_name),
		cmocka_unit_test(the_kernel_is_no_site),
		cmocka_unit_test(the_innermost_are_told_while_there_is_room),
		cmocka_unit_test(every_frame_has_every_key),
		cmocka_unit_test(what_there_is_not_is_null),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(text_tells_whose_code_it_is),
		cmocka_unit_test(with_v_it_tells_all),
		cmocka_unit_test(without_a_user_it_is_the_kernel),
		cmocka_unit_test(a_library_tells_nothing),
		cmocka_unit_test(our_own_stack_is_found),
		cmocka_unit_test(maps_that_lie_are_not_believed),
		cmocka_unit_test(of_nobody_there_is_the_address),
		cmocka_unit_test(a_walk_is_believed_when_its_files_are_known),
		cmocka_unit_test(rows_go_with_their_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
