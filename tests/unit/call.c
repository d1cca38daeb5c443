// SPDX-License-Identifier: GPL-2.0-only
/* By which system call a socket was closed. */
#include "tests/unit/sample.h"

#include <sys/syscall.h>

#include "user/call.h"

static struct close_event closed_by(long number)
{
	struct close_event event = sample;

	event.call = number + 1;
	return event;
}

static void says(struct close_event event, const char *name, const char *words)
{
	if (!name) {
		assert_null(call_name(&event));
		return;
	}
	assert_string_equal(call_name(&event), name);
	assert_non_null(strstr(call_words(&event), words));
}

static void calls_have_names_and_words(void **state)
{
	says(closed_by(SYS_close), "close", "close()");
	says(closed_by(SYS_close_range), "close_range", "close_range()");
	says(closed_by(SYS_dup3), "dup3", "over it");
	says(closed_by(SYS_execve), "execve", "close-on-exec");
	says(closed_by(SYS_io_uring_enter), "io_uring", "io_uring");
	says(closed_by(SYS_recvmsg), "recvmsg", "the last reference went at the end of recvmsg()");
	says(closed_by(SYS_ppoll), "ppoll", "another thread");
}

/* 0 is a number, too: read(). */
static void none_is_not_the_first(void **state)
{
	says(closed_by(-1), NULL, NULL);
	says(closed_by(SYS_getpid), NULL, NULL);
	says(closed_by(SYS_read), "read", "read()");
}

static void an_exit_is_one_by_whatever_call(void **state)
{
	struct close_event event = closed_by(SYS_recvmsg);

	event.context = CONTEXT_EXIT;
	says(event, "exit", "end of the process");
}

static void a_thread_of_io_uring_is_io_uring(void **state)
{
	struct close_event event = sample;

	event.call = CALL_IO_WORKER;
	says(event, "io_uring", "thread");
}

/* Its own fput() was put off until then, or the process has ended and it was the last to go. */
static void a_thread_of_io_uring_that_ends_is_neither(void **state)
{
	struct close_event event = sample;

	event.call = CALL_IO_WORKER;
	event.context = CONTEXT_EXIT;
	assert_null(call_name(&event));
	assert_string_equal(call_words(&event), "a thread of io_uring, at its end");
}

static void a_kernel_thread_calls_nobody(void **state)
{
	struct close_event event = closed_by(-1);

	event.context = CONTEXT_KERNEL;
	assert_null(call_name(&event));
	assert_string_equal(call_words(&event), "a kernel thread");
}

static void text_has_the_words_with_v(void **state)
{
	struct close_event event = closed_by(SYS_dup3);
	char *text;

	event.facts = RAN_TIME_WAIT | WAS_CONNECTED;
	event.state = event.new_state = TCP_FIN_WAIT2;
	text = shown(&text_sink, 0, 1, &event);
	assert_non_null(strstr(text, "call=dup3 shutdown() before closed by dup3() of another descriptor over it"));
	free(text);
	text = shown(&text_sink, 0, 0, &event);
	assert_null(strstr(text, "dup3"));
	assert_null(strstr(text, "shutdown"));
	free(text);
}

static void exec_is_known(void **state)
{
	assert_true(call_is_exec(SYS_execve + 1));
	assert_true(call_is_exec(SYS_execveat + 1));
	assert_false(call_is_exec(0));
	assert_false(call_is_exec(SYS_close + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_have_names_and_words),
		cmocka_unit_test(none_is_not_the_first),
		cmocka_unit_test(an_exit_is_one_by_whatever_call),
		cmocka_unit_test(a_thread_of_io_uring_is_io_uring),
		cmocka_unit_test(a_thread_of_io_uring_that_ends_is_neither),
		cmocka_unit_test(a_kernel_thread_calls_nobody),
		cmocka_unit_test(text_has_the_words_with_v),
		cmocka_unit_test(exec_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
