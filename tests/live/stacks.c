// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose code closed: real programs say themselves which of their functions closes in which line,
 * and the record has to say the same, however the program was built and wherever it runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"

#define VICTIM ".output/tests/live/stack/victim-"
#define GO     ".output/vm/go/victim"

/* What a victim has said of itself. */
struct said {
	char name[16];
	unsigned long address;
	int line;
};

struct victim {
	pid_t pid;
	int stop;		/* its stdin */
	int out;
	struct said serve;
	struct said drop;
};

/* ---- the programs --------------------------------------------------------------------- */

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	while (in >= 0 && out >= 0 && sendfile(out, in, NULL, 1 << 20) > 0)
		;
	close(in);
	close(out);
}

/* Where nobody else can see it: a file system of its own, which is all that it sees. */
static void enter_container(const char *program)
{
	char from[256];

	snprintf(from, sizeof(from), VICTIM "%s", program);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL))
		_exit(126);
	copy(from, "/tmp/victim");
	if (chdir("/tmp") || chroot("."))
		_exit(126);
	execl("/victim", "victim", NULL);
	_exit(127);
}

/* Has nothing to say of itself, but that it is done. */
static void interpret(void)
{
	execlp("python3", "python3", "-c", "import socket, sys\n"
	       "socket.socket().close()\n"
	       "print('serve 0 0 drop 0 0 done 0 0', flush = True)\n"
	       "sys.stdin.read()", NULL);
	_exit(127);
}

/* Files that are no more when they are looked for, while they still run: an upgrade. */
static char old[] = "/tmp/stacks.XXXXXX";

static void old_put(const char *name, const char *from)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", old, name);
	if (from)
		copy(from, path);
	else
		unlink(path);
}

static void old_install(void)
{
	if (!mkdtemp(old))
		bail_out("no directory: %s", strerror(errno));
	old_put("victim", VICTIM "shared");
	old_put("libdrop.so", ".output/tests/live/stack/libdrop.so");
}

static void old_remove(void)
{
	old_put("victim", NULL);
	old_put("libdrop.so", NULL);
	rmdir(old);
}

static void become(const char *program, bool contained, bool brief)
{
	char path[256];

	if (contained)
		enter_container(program);
	if (!strcmp(program, "python3"))
		interpret();
	if (!strcmp(program, "old")) {
		snprintf(path, sizeof(path), "%s/victim", old);
		execl(path, program, NULL);
	}
	if (*program == '.')
		execl(program, program, NULL);
	snprintf(path, sizeof(path), VICTIM "%s", program);
	execl(path, program, brief ? "brief" : NULL, NULL);
	_exit(127);
}

static bool hear(FILE *from, struct said *said)
{
	return fscanf(from, "%15s %lx %d", said->name, &said->address, &said->line) == 3;
}

/* Returns when it has closed. */
static struct victim victim_start(const char *program, bool contained, bool brief)
{
	struct victim victim = {};
	int in[2], out[2];
	struct said done;
	FILE *said;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		bail_out("no pipe: %s", strerror(errno));
	victim.pid = fork();
	if (!victim.pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		become(program, contained, brief);
	}
	close(in[0]);
	close(out[1]);
	victim.stop = in[1];
	said = fdopen(out[0], "r");
	if (!hear(said, &victim.serve) || !hear(said, &victim.drop) || !hear(said, &done))
		note("%s says nothing", program);
	fclose(said);
	return victim;
}

static void victim_end(struct victim *victim)
{
	int status;

	close(victim->stop);
	waitpid(victim->pid, &status, 0);
	if (status)
		note("the victim's status is %x", status);
}

/* ---- its record ------------------------------------------------------------------------- */

static const json_t *close_by(const struct run *run, pid_t pid)
{
	const json_t *record;
	size_t i;

	json_array_foreach(run->records, i, record)
		if (is_close(record) && number_of(record, "pid") == pid)
			return record;
	return NULL;
}

static const json_t *frames_of(const json_t *record, const char *whose)
{
	return json_object_get(json_object_get(record, "stack"), whose);
}

/* The first one whose address is within a function that is at most so long. */
static const json_t *frame_in(const json_t *frames, const struct said *said)
{
	const json_t *frame;
	size_t i;

	json_array_foreach(frames, i, frame) {
		unsigned long address = strtoul(text_of(frame, "addr"), NULL, 16);

		if (address > said->address && address < said->address + 256)
			return frame;
	}
	return NULL;
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), wanted = strlen(end);

	return length >= wanted && !strcmp(text + length - wanted, end);
}

/* Everything that the program has said of itself. */
static bool is_named(const json_t *frame, const struct said *said, const char *module, const char *source)
{
	unsigned long address = strtoul(text_of(frame, "addr"), NULL, 16);

	return frame && !strcmp(text_of(frame, "sym"), said->name) &&
	       number_of(frame, "line") == said->line && ends_in(text_of(frame, "file"), source) &&
	       address - number_of(frame, "off") == said->address && ends_in(text_of(frame, "module"), module);
}

/* That there is nothing to say of it but where it is. */
static bool is_located(const json_t *frame, const char *module)
{
	return frame && json_is_null(json_object_get(frame, "sym")) &&
	       json_is_null(json_object_get(frame, "line")) && ends_in(text_of(frame, "module"), module);
}

/* Its frames are its own. */
static bool is_of_python(const json_t *frames)
{
	const json_t *frame;
	size_t i;

	json_array_foreach(frames, i, frame)
		if (strstr(text_of(frame, "module"), "python"))
			return true;
	return false;
}

static void tell(const json_t *record)
{
	char *text = record ? json_dumps(record, 0) : NULL;

	note("%s", text ? text : "no record");
	free(text);
}

static struct row {
	const char *what;
	const char *program;
	const char *module;	/* where the code is */
	const char *source;	/* NULL: drop.c */
	bool bare;		/* of symbols and debug information */
	bool alone;		/* is its innermost frame: nothing says where the others are */
	bool contained;
	bool brief;		/* it has ended before anybody looks */
	bool deleted;		/* so it is by then */
	bool missing;		/* on this machine */
} rows[] = {
	{ "a program", "plain", "victim-plain" },
	{ "one without symbols", "bare", "victim-bare", .bare = true },
	{ "one whose debug information was fetched", "fetched", "victim-fetched" },
	{ "one that clang compiled", "clang", "victim-clang" },
	{ "a static one", "static", "victim-static" },
	{ "code of a library", "shared", "libdrop.so" },
	{ "a container", "static", "/victim", .contained = true },
	{ "a library that is deleted", "old", "libdrop.so (deleted)", .deleted = true },
	{ "a program that has ended", "plain", "victim-plain", .brief = true },
	{ "a static one that has ended", "static", "victim-static", .brief = true },
	{ "an interpreter", "python3", NULL },
	{ "a goroutine", GO, "victim", "victim.go" },
	{ "a goroutine of one without symbols", GO "-bare", "victim-bare", .bare = true, .alone = true },
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static const char *source_of(const struct row *row)
{
	return row->source ? row->source : "drop.c";
}

/* tests/vm/go says why it did not build them, and Python is the system's. */
static bool is_missing(const struct row *row)
{
	if (!row->module)
		return system("command -v python3 >/dev/null");
	return *row->program == '.' && access(row->program, X_OK);
}

static void check(const struct row *row, const struct victim *victim, const struct run *run, const char *via)
{
	const json_t *record = close_by(run, victim->pid), *frames = frames_of(record, "user");
	const json_t *drop = frame_in(frames, &victim->drop), *serve = frame_in(frames, &victim->serve);
	bool good;

	if (row->missing) {
		skip(row->module ? "tests/vm/go has not built it" : "it is not there",
		     "%s: %s: its frames are what it says", via, row->what);
		return;
	}
	if (!row->module)
		good = is_of_python(frames);
	else if (row->alone)
		good = json_array_size(frames) == 1 && is_located(json_array_get(frames, 0), row->module);
	else if (row->bare)
		good = is_located(drop, row->module) && is_located(serve, row->module);
	else
		good = is_named(drop, &victim->drop, row->module, source_of(row)) &&
		       is_named(serve, &victim->serve, row->module, source_of(row));
	if (!ok(good, "%s: %s: its frames are what it says", via, row->what))
		tell(record);
}

/* SO_LINGER was set by the same function, one line above. */
static void check_setting(const struct row *row, const struct victim *victim, const struct run *run,
			  const char *via)
{
	const json_t *record = close_by(run, victim->pid);
	const char *at = text_of(record, "linger_set_at");
	char wanted[128];

	if (row->missing || row->bare || !row->module)
		return;
	if (!strcmp(via, "tracepoint")) {
		skip("tracepoints do not show who sets SO_LINGER", "%s: %s: where it was set", via, row->what);
		return;
	}
	snprintf(wanted, sizeof(wanted), "%s (%s:%d) < %s (%s:%d)", victim->drop.name, source_of(row),
		 victim->drop.line - 1, victim->serve.name, source_of(row), victim->serve.line);
	if (!ok(!strncmp(at, wanted, strlen(wanted)), "%s: %s: where it was set", via, row->what))
		note("it says %s, not %s", at, wanted);
}

/* ---- the kernel's --------------------------------------------------------------------------- */

static bool has_symbol(const json_t *frames, const char *name)
{
	const json_t *frame;
	size_t i;

	json_array_foreach(frames, i, frame)
		if (!strcmp(text_of(frame, "sym"), name))
			return true;
	return false;
}

static void check_kernel(const json_t *record, const char *via)
{
	const json_t *frames = frames_of(record, "kernel"), *first = json_array_get(frames, 0);

	if (!ok(has_symbol(frames, "inet_release") && has_symbol(frames, "tcp_close") &&
			strncmp(text_of(first, "sym"), "bpf", 3),
		"%s: the kernel's stack shows how it came there, and nothing of ours", via))
		tell(record);
}

/* ---- a program that is gone before it is looked at ------------------------------------------- */

static void hold(const struct run *run)
{
	int status;

	kill(run->pid, SIGSTOP);
	if (waitpid(run->pid, &status, WUNTRACED) != run->pid || !WIFSTOPPED(status))
		bail_out("closetrace does not stop");
}

/* An ending process has no memory any more, and a child of ours ends with a socket open. */
static pid_t end_with_socket(void)
{
	pid_t pid = fork();

	if (!pid) {
		close_unconnected();
		_exit(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0);
	}
	waitpid(pid, NULL, 0);
	return pid;
}

static void check_ending(const struct run *run, pid_t pid, const char *via)
{
	const json_t *record;
	int called = 0, ended = 0;
	size_t i;

	json_array_foreach(run->records, i, record) {
		if (number_of(record, "pid") != pid)
			continue;
		called += !strcmp(text_of(record, "context"), "syscall") &&
			  json_is_array(frames_of(record, "user"));
		ended += !strcmp(text_of(record, "context"), "exit") &&
			 json_is_null(frames_of(record, "user")) &&
			 json_is_array(frames_of(record, "kernel"));
	}
	ok(called == 1 && ended == 1, "%s: one that ends has a user's stack while it runs, and none after",
	   via);
}

int main(int argc, char **argv)
{
	static const char *const stacks[] = { "-k", NULL };
	const char *via = argc > 1 ? argv[1] : "fentry";
	struct victim victims[ROWS];
	struct run run;
	pid_t ending;

	network_enter();
	old_install();
	setenv("DEBUGINFOD_CACHE_PATH", ".output/tests/live/stack/cache", 1);
	run_begin(&run, via, stacks);
	for (size_t i = 0; i < ROWS; i++) {
		rows[i].missing = is_missing(&rows[i]);
		if (rows[i].missing)
			continue;
		if (rows[i].brief || rows[i].deleted)
			hold(&run);
		victims[i] = victim_start(rows[i].program, rows[i].contained, rows[i].brief);
		if (rows[i].brief)
			victim_end(&victims[i]);
		if (rows[i].deleted)
			old_remove();
		kill(run.pid, SIGCONT);
	}
	ending = end_with_socket();
	run_stop(&run);
	for (size_t i = 0; i < ROWS; i++) {
		if (!rows[i].brief && !rows[i].missing)
			victim_end(&victims[i]);
		check(&rows[i], &victims[i], &run, via);
		check_setting(&rows[i], &victims[i], &run, via);
	}
	check_kernel(close_by(&run, victims[0].pid), via);
	check_ending(&run, ending, via);
	if (!ok(!run_totals(&run).lost, "%s: none lost", via))
		note("%s", run.told);
	run_free(&run);
	return finish();
}
