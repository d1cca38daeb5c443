// SPDX-License-Identifier: GPL-2.0-only
/* Where records go: what was not written is told, in records. */
#include "tests/unit/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define RECORD "a record of sixty-four bytes, with its newline: ..............."

static void write_records(struct out *out, int count)
{
	for (int i = 0; i < count; i++) {
		out_text(out, RECORD);
		out_end(out);
	}
}

static char *written(void (*write)(struct out *out))
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct out *out = out_on(fd);
	char *text;

	write(out);
	assert_int_equal(out_flush(out), 0);
	assert_int_equal(out_error(out), 0);
	assert_int_equal(out_lost(out), 0);
	out_close(out);
	text = contents(fd);
	close(fd);
	return text;
}

/* ---- letters ---------------------------------------------------------------------- */

static void some_of_everything(struct out *out)
{
	static const uint64_t numbers[] = { 0, 9, 10, UINT32_MAX, INT64_MAX, UINT64_MAX };

	for (size_t i = 0; i < COUNT(numbers); i++) {
		out_number(out, numbers[i]);
		out_char(out, ',');
	}
	out_zeros(out, 0, 9);
	out_zeros(out, 42, 3);
	out_zeros(out, 12345, 3);
	out_spaces(out, 2);
	out_spaces(out, 0);
	out_spaces(out, -3);
	out_bytes(out, "abc", 2);
	out_end(out);
}

static void writes_letters_and_numbers(void **state)
{
	char *text = written(some_of_everything);

	assert_string_equal(text, "0,9,10,4294967295,9223372036854775807,18446744073709551615,"
				  "00000000004212345  ab\n");
	free(text);
}

static void many(struct out *out)
{
	write_records(out, 50000);
}

static void loses_nothing_between_flushes(void **state)
{
	char *text = written(many);

	assert_int_equal(strlen(text), 50000 * (sizeof(RECORD)));
	for (char *line = text; *line; line += sizeof(RECORD))
		assert_memory_equal(line, RECORD "\n", sizeof(RECORD));
	free(text);
}

/* Without the end of a record, as a summary: several times what there is room for, in pieces of
 * this size that end anywhere. */
#define PIECE 7919

static void too_much(struct out *out)
{
	char piece[PIECE];

	for (int i = 0; i < 1000; i++) {
		memset(piece, 'a' + i % 26, sizeof(piece));
		out_bytes(out, piece, sizeof(piece));
		out_char(out, '0' + i % 10);
	}
}

static void what_has_no_room_leaves_before(void **state)
{
	char *text = written(too_much), *at = text;

	assert_int_equal(strlen(text), 1000 * (PIECE + 1));
	for (int i = 0; i < 1000; i++, at += PIECE + 1) {
		assert_int_equal(at[0], 'a' + i % 26);
		assert_memory_equal(at, at + 1, PIECE - 1);
		assert_int_equal(at[PIECE], '0' + i % 10);
	}
	free(text);
}

/* So that it ends where the room does. */
static void one_by_one(struct out *out)
{
	for (int i = 0; i < 8 << 20; i++)
		out_char(out, 'a' + i % 26);
}

static void single_letters_too(void **state)
{
	char *text = written(one_by_one);

	assert_int_equal(strlen(text), 8 << 20);
	for (int i = 0; i < 8 << 20; i++)
		if (text[i] != 'a' + i % 26)
			fail_msg("letter %d is %c", i, text[i]);
	free(text);
}

static void one_piece(struct out *out)
{
	char *piece = malloc(8 << 20);

	memset(piece, 'x', 8 << 20);
	out_bytes(out, piece, 8 << 20);
	free(piece);
	out_end(out);
}

static void one_piece_may_be_longer_than_the_room(void **state)
{
	char *text = written(one_piece);

	assert_int_equal(strlen(text), (8 << 20) + 1);
	assert_int_equal(strspn(text, "x"), 8 << 20);
	free(text);
}

static void many_spaces(struct out *out)
{
	for (int count = 0; count < 100; count++) {
		out_spaces(out, count);
		out_char(out, '|');
	}
}

static void spaces_are_counted(void **state)
{
	char *text = written(many_spaces), *at = text;

	for (int count = 0; count < 100; count++, at++) {
		assert_int_equal(strspn(at, " "), count);
		at += count;
		assert_int_equal(*at, '|');
	}
	assert_string_equal(at, "");
	free(text);
}

static void says_why_it_cannot_open(void **state)
{
	errno = 0;
	assert_null(out_open("/proc/self/there/is/no/such/thing"));
	assert_int_equal(errno, ENOENT);
	out_close(NULL);
}

/* ---- losses ----------------------------------------------------------------------- */

static void a_full_disk_is_told_in_records(void **state)
{
	struct out *out = out_open("/dev/full");

	assert_non_null(out);
	assert_int_equal(out_flush(out), 0);
	write_records(out, 7);
	assert_int_equal(out_lost(out), 0);
	assert_int_equal(out_flush(out), -1);
	assert_int_equal(out_error(out), ENOSPC);
	assert_int_equal(out_lost(out), 7);
	write_records(out, 3);
	errno = EINVAL;
	assert_int_equal(out_flush(out), -1);
	assert_int_equal(out_lost(out), 10);
	assert_int_equal(out_error(out), ENOSPC);
	/* More than the buffer holds. */
	write_records(out, 10000);
	out_flush(out);
	assert_int_equal(out_lost(out), 10010);
	assert_int_equal(out_error(out), ENOSPC);
	out_close(out);
}

static void with_room_for(rlim_t bytes, int records, int lost)
{
	struct rlimit before, limit;
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct out *out = out_on(fd);

	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
	write_records(out, records);
	out_flush(out);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(out_error(out), EFBIG);
	assert_int_equal(lseek(fd, 0, SEEK_END), bytes);
	assert_int_equal(out_lost(out), lost);
	out_close(out);
	close(fd);
}

/* write() takes the part that fits, then fails; a record that was cut is lost too. */
static void only_what_was_not_written_is_lost(void **state)
{
	signal(SIGXFSZ, SIG_IGN);
	with_room_for(0, 5, 5);
	with_room_for(2 * sizeof(RECORD), 5, 3);
	with_room_for(2 * sizeof(RECORD) + 10, 5, 3);
	with_room_for(3 * sizeof(RECORD) - 1, 5, 3);
	with_room_for(3 * sizeof(RECORD), 20000, 19997);
}

/* As on a terminal, where a record may take more lines. */
static void a_record_of_two_lines_is_one(void **state)
{
	struct out *out = out_open("/dev/full");

	for (int i = 0; i < 3; i++) {
		out_text(out, "the record\nits details");
		out_end(out);
	}
	out_flush(out);
	assert_int_equal(out_lost(out), 3);
	out_close(out);
}

static void shortest(struct out *out)
{
	for (int i = 0; i < 20000; i++)
		out_end(out);
}

/* Records that take no room: their ends must have some. */
static void the_shortest_records_are_counted(void **state)
{
	char *text = written(shortest);
	struct out *out;

	assert_int_equal(strspn(text, "\n"), 20000);
	free(text);
	out = out_open("/dev/full");
	shortest(out);
	out_flush(out);
	assert_int_equal(out_lost(out), 20000);
	out_close(out);
}

static void closes_only_what_it_opened(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC);

	out_close(out_on(fd));
	assert_int_equal(close(fd), 0);
}

static void a_closed_pipe_is_told_apart(void **state)
{
	int ends[2];
	struct out *out;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	out = out_on(ends[1]);
	close(ends[0]);
	write_records(out, 2);
	assert_int_equal(out_flush(out), -1);
	assert_int_equal(out_error(out), EPIPE);
	assert_int_equal(out_lost(out), 2);
	out_close(out);
	close(ends[1]);
}

/* ---- slow readers ------------------------------------------------------------------- */

static void interrupt(int number)
{
}

/* Reads until the end and interrupts the writer all the while.  0: every byte came. */
static int reader(int fd, size_t wanted)
{
	static char bytes[4096];
	size_t sum = 0;
	ssize_t got;

	do {
		kill(getppid(), SIGUSR1);
		/* Now and then it is to find the pipe full when it is interrupted. */
		for (int i = 0; i < 2 && sum % 262144 < sizeof(bytes); i++) {
			usleep(2000);
			kill(getppid(), SIGUSR1);
		}
		got = read(fd, bytes, sizeof(bytes));
		for (ssize_t i = 0; i < got; i++, sum++)
			if (bytes[i] != (RECORD "\n")[sum % sizeof(RECORD)])
				return 1;
	} while (got > 0);
	return sum != wanted;
}

/* To a pipe of one page; flags are O_NONBLOCK or none. */
static void all_arrives(int flags)
{
	const int count = 20000;
	int ends[2], status;
	struct sigaction action = { .sa_handler = interrupt };
	struct out *out;
	pid_t child;

	sigaction(SIGUSR1, &action, NULL);
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 4096);
	fcntl(ends[1], F_SETFL, flags);
	fflush(NULL);
	child = fork();
	if (!child) {
		close(ends[1]);
		_exit(reader(ends[0], count * sizeof(RECORD)));
	}
	close(ends[0]);
	out = out_on(ends[1]);
	write_records(out, count);
	out_flush(out);
	close(ends[1]);
	while (waitpid(child, &status, 0) < 0)
		;
	assert_int_equal(out_error(out), 0);
	assert_int_equal(status, 0);
	out_close(out);
}

static void an_interrupted_write_goes_on(void **state)
{
	all_arrives(0);
}

/* Whoever shares our stdout may have set O_NONBLOCK on it; a reader that is slow is no error. */
static void a_pipe_that_does_not_block_is_waited_for(void **state)
{
	all_arrives(O_NONBLOCK);
}

/* ---- a reader that takes nothing ------------------------------------------------------ */

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - then->tv_sec + (now.tv_nsec - then->tv_nsec) / 1e9;
}

/* Into a pipe of one page, which holds 64 of these records. Returns how long the flush took. */
static double flush_to_nobody(int interrupt, bool hurry, uint64_t *lost)
{
	struct timespec began;
	struct out *out;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
	out = out_on(ends[1]);
	out_interrupt_by(out, interrupt);
	if (hurry)
		out_hurry(out);
	write_records(out, 100);
	clock_gettime(CLOCK_MONOTONIC, &began);
	assert_int_equal(out_flush(out), -1);
	assert_int_equal(out_error(out), ETIMEDOUT);
	*lost = out_lost(out);
	out_close(out);
	close(ends[0]);
	close(ends[1]);
	return seconds_since(&began);
}

static void has_two_seconds_once_it_is_time_to_end(void **state)
{
	double took;
	uint64_t lost;

	took = flush_to_nobody(-1, true, &lost);
	assert_true(took > 1.9 && took < 10);
	assert_int_equal(lost, 100 - 4096 / sizeof(RECORD));
}

static void is_interrupted_and_has_two_seconds_then(void **state)
{
	int interrupt = eventfd(1, EFD_CLOEXEC);
	uint64_t lost;

	assert_true(flush_to_nobody(interrupt, false, &lost) > 1.9);
	assert_int_equal(lost, 100 - 4096 / sizeof(RECORD));
	close(interrupt);
}

static void is_interrupted_again_and_has_none(void **state)
{
	int interrupt = eventfd(1, EFD_CLOEXEC);
	uint64_t lost;

	assert_true(flush_to_nobody(interrupt, true, &lost) < 1.5);
	assert_int_equal(lost, 100 - 4096 / sizeof(RECORD));
	close(interrupt);
}

/* There is nobody behind it who could keep us. */
static void a_file_takes_all_whatever_interrupts(void **state)
{
	int fd = memfd_create("out", MFD_CLOEXEC), interrupt = eventfd(1, EFD_CLOEXEC);
	struct out *out = out_on(fd);
	char *text;

	out_interrupt_by(out, interrupt);
	out_hurry(out);
	write_records(out, 20000);
	assert_int_equal(out_flush(out), 0);
	assert_int_equal(out_lost(out), 0);
	text = contents(fd);
	assert_int_equal(strlen(text), 20000 * sizeof(RECORD));
	free(text);
	out_close(out);
	close(interrupt);
	close(fd);
}

/* ---- terminals -------------------------------------------------------------------- */

static void is_as_wide(unsigned short columns, int wanted)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	int master, slave;
	struct out *out;

	if (openpty(&master, &slave, NULL, NULL, &size))
		skip();
	out = out_on(slave);
	assert_int_equal(out_width(out), wanted);
	out_close(out);
	close(slave);
	close(master);
}

static void knows_the_terminals_width(void **state)
{
	is_as_wide(80, 80);
	is_as_wide(120, 120);
	is_as_wide(211, 211);
	/* A serial line does not know. */
	is_as_wide(0, 80);
}

static void a_file_has_no_width(void **state)
{
	struct out *out = out_open("/dev/null");

	assert_int_equal(out_width(out), 0);
	out_close(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_letters_and_numbers),
		cmocka_unit_test(loses_nothing_between_flushes),
		cmocka_unit_test(what_has_no_room_leaves_before),
		cmocka_unit_test(single_letters_too),
		cmocka_unit_test(one_piece_may_be_longer_than_the_room),
		cmocka_unit_test(spaces_are_counted),
		cmocka_unit_test(says_why_it_cannot_open),
		cmocka_unit_test(a_full_disk_is_told_in_records),
		cmocka_unit_test(only_what_was_not_written_is_lost),
		cmocka_unit_test(a_record_of_two_lines_is_one),
		cmocka_unit_test(the_shortest_records_are_counted),
		cmocka_unit_test(closes_only_what_it_opened),
		cmocka_unit_test(a_closed_pipe_is_told_apart),
		cmocka_unit_test(an_interrupted_write_goes_on),
		cmocka_unit_test(a_pipe_that_does_not_block_is_waited_for),
		cmocka_unit_test(has_two_seconds_once_it_is_time_to_end),
		cmocka_unit_test(is_interrupted_and_has_two_seconds_then),
		cmocka_unit_test(is_interrupted_again_and_has_none),
		cmocka_unit_test(a_file_takes_all_whatever_interrupts),
		cmocka_unit_test(knows_the_terminals_width),
		cmocka_unit_test(a_file_has_no_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
