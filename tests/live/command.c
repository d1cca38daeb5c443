// SPDX-License-Identifier: GPL-2.0-only
/*
 * closetrace -- COMMAND, and how a trace ends: what is recorded, where it goes, which status
 * comes back.  The command is this program again, in one of the roles below.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/command_roles.h"
#include "tests/live/live.h"

#define MAX_ARGS 24
#define ROUNDS 5

static const char *via;
static char dir[] = "/tmp/closetrace-command.XXXXXX";
static char records_path[64];	/* for -o */

/* ---- running it ---------------------------------------------------------------------- */

#define ACT(...) "--", self, "--act", __VA_ARGS__
#define OPTIONS(...) (const char *const[]){ __VA_ARGS__, NULL }

/* Without the filter for the namespace: a command is filter enough. */
static void begin(struct run *run, const char *const *more)
{
	const char *argv[MAX_ARGS] = { "./closetrace", "-j", "--via", via, "-o", records_path };
	int argc = 6;

	while (*more)
		argv[argc++] = *more++;
	run_start(run, argv);
}

static void end(struct run *run)
{
	run_end(run);
	run_read_file(run, records_path);
}

static void run_whole(struct run *run, const char *const *more)
{
	begin(run, more);
	end(run);
}

static bool is_told(const char *text, const char *part)
{
	if (strstr(text, part))
		return true;
	note("not told: \"%s\"; but: %s", part, text);
	return false;
}

static size_t closes_of(const struct run *run, pid_t pid)
{
	const json_t *record;
	size_t i, count = 0;

	json_array_foreach(run->records, i, record)
		count += is_close(record) && number_of(record, "pid") == pid;
	return count;
}

/* A line that the command writes to stdout is there. */
static void await_line(const struct run *run, char *line, size_t size)
{
	size_t used = 0;

	do {
		await_input(run->out, "the command");
		if (read(run->out, line + used, 1) != 1)
			bail_out("the command is gone: %s", run->told);
	} while (line[used++] != '\n' && used < size - 1);
	line[used] = '\0';
}

/* ---- who is traced --------------------------------------------------------------------- */

/* Somebody else, who closes all the time. */
static pid_t start_noise(int *stop)
{
	struct pollfd end;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		bail_out("no pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		close(ends[1]);
		end = (struct pollfd){ .fd = ends[0] };
		while (!poll(&end, 1, 1))
			close_unconnected();
		_exit(0);
	}
	close(ends[0]);
	*stop = ends[1];
	return pid;
}

static bool is_complete(const struct run *run)
{
	size_t all = 0, lines = 0;
	const char *at = run->said;
	int pid, count;

	while (at && sscanf(at, "%d %d", &pid, &count) == 2) {
		if (closes_of(run, pid) != (size_t)count) {
			note("%d closed %d times, %zu recorded", pid, count, closes_of(run, pid));
			return false;
		}
		all += count;
		lines++;
		at = strchr(at, '\n');
		at = at && at[1] ? at + 1 : NULL;
	}
	if (lines == 3 && all == json_array_size(run->records))
		return true;
	note("%zu processes closed %zu times, %zu records: %s", lines, all,
	     json_array_size(run->records), run->told);
	return false;
}

static void descendants(void)
{
	bool good = true;
	struct run run;
	int stop;
	pid_t noise = start_noise(&stop);

	for (int round = 0; good && round < ROUNDS; round++) {
		run_whole(&run, OPTIONS(ACT("tree")));
		good = is_complete(&run) && !run.status &&
		       run_totals(&run).closes == (long)json_array_size(run.records);
		run_free(&run);
	}
	close(stop);
	waitpid(noise, NULL, 0);
	ok(good, "%s: its closes from the first on, its child's, its grandchild's, nobody else's",
	   via);
}

static void left_behind(void)
{
	int ends[2], status;
	char number[16];
	struct run run;
	pid_t daemon;

	if (pipe(ends))
		bail_out("no pipe: %s", strerror(errno));
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	snprintf(number, sizeof(number), "%d", ends[0]);
	begin(&run, OPTIONS(ACT("leave", number)));
	end(&run);
	ok(!run.status && run_told(&run, "closetrace: traced"),
	   "%s: who is left behind when it ends is not waited for", via);
	close(ends[1]);
	close(ends[0]);
	daemon = wait(&status);
	ok(daemon > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 5,
	   "%s: ... and is left in peace", via);
	run_free(&run);
}

/* ---- as if it had been started without us ------------------------------------------------ */

static void statuses(void)
{
	static const struct {
		const char *args[5];
		int status;
	} ends[] = {
		{ { "--", self, "--act", "end", "0" }, 0 },
		{ { "--", self, "--act", "end", "3" }, 3 },
		{ { "--", self, "--act", "die", "9" }, 128 + 9 },
		{ { "--", self, "--act", "die", "15" }, 128 + 15 },
		{ { "--", "/nonexistent/command" }, 127 },
		{ { "--", "closetrace-no-such-command" }, 127 },
		{ { "--", records_path }, 126 },	/* a file, and not executable */
		{ { "--", dir }, 126 },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		const char *args[6] = {};
		struct run run;

		memcpy(args, ends[i].args, sizeof(ends[i].args));
		run_whole(&run, args);
		ok(run.status == ends[i].status, "%s: status %d of %s %s", via, ends[i].status,
		   args[2] ? args[3] : args[1], args[2] ? args[4] : "");
		if (run.status != ends[i].status)
			note("but %d: %s", run.status, run.told);
		if (ends[i].status == 126 || ends[i].status == 127)
			ok(run_told(&run, "closetrace: cannot run"), "%s: ... and why", via);
		run_free(&run);
	}
}

static void note_difference(const char *want, const char *got)
{
	while (*want && *want == *got) {
		want++;
		got++;
	}
	note("expected ...%.60s", want);
	note("got ...%.60s", got);
}

static void inheritance(void)
{
	const char *direct[] = { self, "--act", "show", NULL };
	sigset_t mask, before;
	struct run run, bare;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGTERM);
	for (int round = 0; round < 2; round++) {
		if (round) {
			sigprocmask(SIG_BLOCK, &mask, &before);
			signal(SIGHUP, SIG_IGN);
			signal(SIGPIPE, SIG_IGN);
		}
		run_start(&bare, direct);
		run_end(&bare);
		run_whole(&run, OPTIONS(ACT("show")));
		ok(bare.said_size && !strcmp(bare.said, run.said),
		   "%s: descriptors, signals, limits and environment are %s", via,
		   round ? "those that closetrace got" : "as without closetrace");
		if (strcmp(bare.said, run.said))
			note_difference(bare.said, run.said);
		run_free(&run);
		run_free(&bare);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}

static void streams(void)
{
	int ends[2], saved = dup(STDIN_FILENO);
	struct run run;

	if (pipe2(ends, O_CLOEXEC))
		bail_out("no pipe: %s", strerror(errno));
	dup2(ends[0], STDIN_FILENO);
	begin(&run, OPTIONS(ACT("copy")));
	if (write(ends[1], "through it\n", 11) != 11)
		bail_out("nobody reads");
	close(ends[1]);
	close(ends[0]);
	dup2(saved, STDIN_FILENO);
	close(saved);
	end(&run);
	ok(!strcmp(run.said, "through it\n"), "%s: its stdin and stdout are its own", via);
	run_free(&run);

	run_whole(&run, OPTIONS(ACT("say")));
	ok(!strncmp(run.told, "closetrace: tracing", 19) && strstr(run.told, "first action"),
	   "%s: its first action comes after the line that says so", via);
	run_free(&run);
}

/* ---- signals ------------------------------------------------------------------------------- */

static void passed_on(int signal, const char *name)
{
	char number[16], line[64];
	struct run run;
	int ends[2];

	if (pipe(ends))
		bail_out("no pipe: %s", strerror(errno));
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	snprintf(number, sizeof(number), "%d", ends[0]);
	begin(&run, OPTIONS(ACT("linger", number)));
	await_line(&run, line, sizeof(line));
	kill(run.pid, signal);
	end(&run);
	ok(run.status == 128 + signal && closes_of(&run, atoi(line)) == 1,
	   "%s: %s is passed on", via, name);
	close(ends[0]);
	close(ends[1]);
	run_free(&run);
}

static void duration(bool interrupted)
{
	char number[16], line[64];
	struct run run;
	int ends[2];

	if (pipe(ends))
		bail_out("no pipe: %s", strerror(errno));
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	snprintf(number, sizeof(number), "%d", ends[0]);
	begin(&run, OPTIONS("-d", "0.2", ACT("linger", number)));
	await_line(&run, line, sizeof(line));
	ok(run_await(&run, "closetrace: traced"), "%s: -d ends the trace before the command ends",
	   via);
	if (interrupted)
		kill(run.pid, SIGTERM);
	else
		close(ends[1]);
	end(&run);
	ok(run.status == (interrupted ? 128 + SIGTERM : 5), "%s: ... %s", via,
	   interrupted ? "SIGTERM is still passed on" : "whose status comes back");
	/* On a slow machine its first close may come too late. */
	ok(closes_of(&run, atoi(line)) <= 1, "%s: ... what it does later is not recorded", via);
	close(ends[0]);
	if (interrupted)
		close(ends[1]);
	run_free(&run);
}

/* To be ignored would be inherited by the command. */
static void outlive(int signal)
{
}

/* In a session of its own with a terminal of its own.  Returns how many SIGINT the command got. */
static int in_terminal(int master, int terminal)
{
	struct run run;
	char line[64];

	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0))
		return -1;
	signal(SIGINT, outlive);
	begin(&run, OPTIONS(ACT("count")));
	await_line(&run, line, sizeof(line));
	if (write(master, "\x03", 1) != 1)
		return -1;
	await_line(&run, line, sizeof(line));
	/* Signals to closetrace stay in order: what it does about the first is done by then. */
	kill(run.pid, SIGTERM);
	run_end(&run);
	return run.status - 10;
}

static void interrupt_key(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal, status;
	pid_t pid;

	if (master < 0 || grantpt(master) || unlockpt(master)) {
		skip("no pseudo-terminal", "%s: Ctrl-C reaches the command once", via);
		return;
	}
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(in_terminal(master, terminal));
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%s: Ctrl-C reaches the command once",
	   via);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
		note("wait status %#x", status);
	close(master);
	close(terminal);
}

/* ---- without a command ----------------------------------------------------------------------- */

static void stopped_by(int signal, const char *name)
{
	struct run run;

	run_begin(&run, via, NULL);
	close_unconnected();
	kill(run.pid, signal);
	run_end(&run);
	ok(!run.status && json_array_size(run.records) == 1 && run_totals(&run).closes == 1,
	   "%s: %s stops it, with status 0 and all that was closed before", via, name);
	run_free(&run);
}

static void into_file(void)
{
	struct run run;

	run_begin(&run, via, OPTIONS("-o", records_path));
	close_unconnected();
	kill(run.pid, SIGINT);
	run_end(&run);
	ok(!run.said_size, "%s: -o leaves stdout alone", via);
	run_read_file(&run, records_path);
	ok(json_array_size(run.records) == 1 && run_totals(&run).closes == 1,
	   "%s: -o has the record", via);
	run_free(&run);
}

static void for_a_time(void)
{
	struct run run;

	run_begin(&run, via, OPTIONS("-d", "0.3"));
	close_unconnected();
	run_end(&run);
	ok(!run.status && json_array_size(run.records) == 1 && run_totals(&run).closes == 1,
	   "%s: -d stops it, with status 0", via);
	run_free(&run);
}

static void quietly(void)
{
	struct run run;

	begin(&run, OPTIONS("-q", "--netns", "/proc/self/ns/net", ACT("some", "1")));
	end(&run);
	ok(!run.told_size && json_array_size(run.records) == 1, "%s: -q: records, not a word", via);
	if (run.told_size)
		note("told: %s", run.told);
	run_free(&run);
}

/* ---- without the right to ---------------------------------------------------------------- */

static void refused(bool with_command)
{
	const char *argv[] = { self, "--act", "nobody", "./closetrace", "--via", via,
			       with_command ? "--" : NULL, self, "--act", "say", NULL };
	struct run run;
	char *newline;

	run_start(&run, argv);
	run_end(&run);
	if (run.status == 127 || run.status == 125) {
		skip("nobody may not run ./closetrace", "%s: without rights", via);
		run_free(&run);
		return;
	}
	newline = strchr(run.told, '\n');
	ok(run.status == 1 && !run.said_size, "%s: without rights: status 1, nothing on stdout%s",
	   via, with_command ? ", the command is not run" : "");
	ok(!strncmp(run.told, "closetrace: ", 12) && newline && !newline[1] &&
	   is_told(run.told, "root") && is_told(run.told, "CAP_"),
	   "%s: ... one line that says what to do", via);
	run_free(&run);
}

int main(int argc, char **argv)
{
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 2 && !strcmp(argv[1], "--act"))
		return act(argv + 2);
	via = argc > 1 ? argv[1] : "fentry";
	if (length < 0 || !mkdtemp(dir))
		bail_out("no directory: %s", strerror(errno));
	snprintf(records_path, sizeof(records_path), "%s/records", dir);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	network_enter();
	descendants();
	left_behind();
	statuses();
	inheritance();
	streams();
	passed_on(SIGTERM, "SIGTERM");
	passed_on(SIGINT, "SIGINT");
	duration(false);
	duration(true);
	interrupt_key();
	stopped_by(SIGINT, "SIGINT");
	stopped_by(SIGTERM, "SIGTERM");
	into_file();
	for_a_time();
	quietly();
	refused(false);
	refused(true);
	unlink(records_path);
	rmdir(dir);
	return finish();
}
