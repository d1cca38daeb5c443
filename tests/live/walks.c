// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second time: a stack is copied and walked by the reader, which hands over what it learned,
 * and the kernel walks the next one itself.  Both have to come to the same, however large the
 * frames are by then; and where a copy ends the kernel goes on.
 */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"

#define ROUNDS 12
#define LEVELS 12

static volatile char seen;

__attribute__((noinline)) static void drop(void)
{
	close_unconnected();
	seen++;
}

__attribute__((noinline)) static void shallow(int round)
{
	drop();
	seen++;
}

/* Its caller is found from the frame pointer: nobody knows beforehand how large this is. */
__attribute__((noinline)) static void take_room(int size, void (*next)(int round))
{
	char *room = alloca(size);

	memset(room, 1, size);
	next(size);
	seen += room[size - 1];
}

/* The caller's frame pointer is saved in the frame of who is called. */
__attribute__((noinline)) static void take_twice(int size)
{
	char *room = alloca(size);

	memset(room, 1, size);
	take_room(size, shallow);
	seen += room[size - 1];
}

__attribute__((noinline)) static void of_any_size(int round)
{
	take_twice(16 + 64 * round);
	seen++;
}

/* A copy ends in the second of the two. */
__attribute__((noinline)) static void of_large_size(int round)
{
	take_twice(3000 + 16 * round);
	seen++;
}

__attribute__((noinline)) static void descend(int levels)
{
	volatile char room[512];

	room[levels] = levels;
	if (levels)
		descend(levels - 1);
	else
		drop();
	seen += room[levels];
}

/* Farther away than a copy reaches. */
__attribute__((noinline)) static void from_afar(int round)
{
	descend(LEVELS);
	seen++;
}

__attribute__((noinline)) static void reborn(int round)
{
	drop();
	seen++;
}

static const struct row {
	const char *what;
	const char *function;
	void (*closes)(int round);
	bool is_far, is_new;
	int levels;		/* of descend() */
} rows[] = {
	{ "a few frames", "shallow", shallow },
	{ "a frame of any size", "of_any_size", of_any_size },
	{ "large frames of any size", "main", of_large_size, .is_far = true },
	{ "many frames", "from_afar", from_afar, .is_far = true, .levels = LEVELS + 1 },
	{ "the thread runs another program", "reborn", reborn, .is_new = true },
};

#define ROWS (sizeof(rows) / sizeof(*rows))

/* ---- one process, that closes when it is told to ------------------------------------------ */

static int tell;	/* it to close */

static void obey(int told, bool is_new)
{
	char round;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ROWS; i++)
		for (int left = rows[i].is_new == is_new ? ROUNDS : 0;
		     left && read(told, &round, 1) == 1; left--)
			rows[i].closes(round);
}

static void live_twice(int told)
{
	obey(told, false);
	dup2(told, STDIN_FILENO);
	execl("/proc/self/exe", "walks", "again", NULL);
	_exit(127);
}

static pid_t begin(void)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		bail_out("no pipe");
	pid = fork();
	if (!pid) {
		close(ends[1]);
		live_twice(ends[0]);
	}
	close(ends[0]);
	tell = ends[1];
	return pid;
}

/* Its record, which has been walked when it is told: what it took is handed over. */
static json_t *close_once(FILE *records, char round)
{
	size_t size = 0;
	char *line = NULL;
	json_t *record;

	if (write(tell, &round, 1) != 1)
		bail_out("nobody to close");
	await_input(fileno(records), "a record");
	if (getline(&line, &size, records) < 0)
		bail_out("no record");
	record = json_loads(line, 0, NULL);
	free(line);
	return record;
}

/* ---- its stacks --------------------------------------------------------------------------- */

static const json_t *frames_of(const json_t *record)
{
	return json_object_get(json_object_get(record, "stack"), "user");
}

static int count_of(const json_t *record, const char *function)
{
	const json_t *frame;
	int count = 0;
	size_t i;

	json_array_foreach(frames_of(record), i, frame)
		count += !strcmp(text_of(frame, "sym"), function);
	return count;
}

static void show(const json_t *record)
{
	char *text = json_dumps(frames_of(record), 0);

	note("%s", text ? text : "no record");
	free(text);
}

static void check_same(const struct row *row, const char *via, const json_t *first, const json_t *last)
{
	if (!ok(count_of(first, row->function) == 1 && json_equal(frames_of(first), frames_of(last)),
		"%s: %s: walked as it was copied", via, row->what)) {
		show(first);
		show(last);
	}
}

static void check_farther(const struct row *row, const char *via, const json_t *first, const json_t *last)
{
	bool good = count_of(first, "drop") == 1 && !count_of(first, "descend") == !row->levels &&
		    !count_of(first, row->function) && count_of(last, "descend") == row->levels &&
		    count_of(last, row->function) == 1 && count_of(last, "main") == 1;

	if (!ok(good, "%s: %s: the walk goes on where the copy ends", via, row->what)) {
		show(first);
		show(last);
	}
}

static void check(const struct row *row, const char *via, FILE *records)
{
	json_t *first = close_once(records, 0), *last = NULL;

	for (int round = 1; round < ROUNDS; round++) {
		json_decref(last);
		last = close_once(records, round);
	}
	if (row->is_far)
		check_farther(row, via, first, last);
	else
		check_same(row, via, first, last);
	json_decref(first);
	json_decref(last);
}

int main(int argc, char **argv)
{
	static const char *const stacks[] = { "-k", NULL };
	const char *via = argc > 1 ? argv[1] : "fentry";
	static struct run run; /* large: it is not to be in the way on the stack */
	FILE *records;
	pid_t pid;

	if (!strcmp(via, "again")) {
		obey(STDIN_FILENO, true);
		return 0;
	}
#if !defined(__x86_64__)
	skip("the programs for this processor copy every stack", "stacks are walked");
	return finish();
#endif
	network_enter();
	run_begin(&run, via, stacks);
	records = fdopen(dup(run.out), "r");
	pid = begin();
	for (size_t i = 0; i < ROWS; i++)
		check(&rows[i], via, records);
	waitpid(pid, NULL, 0);
	run_stop(&run);
	fclose(records);
	run_free(&run);
	return finish();
}
