// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "tests/live/live.h"

/* No test waits for longer than this for anything: emulation is slow. */
#define PATIENCE_MS 60000

static int tests, failures;

/* ---- TAP ----------------------------------------------------------------------- */

static void line(const char *verdict, const char *name, va_list args, const char *skipped)
{
	char text[512];

	vsnprintf(text, sizeof(text), name, args);
	printf("%s %d - %s%s%s\n", verdict, ++tests, text, skipped ? " # SKIP " : "",
	       skipped ? skipped : "");
	fflush(stdout);
}

bool ok(bool good, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	line(good ? "ok" : "not ok", name, args, NULL);
	va_end(args);
	failures += !good;
	return good;
}

void skip(const char *why, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	line("ok", name, args, why);
	va_end(args);
}

void note(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	printf("# ");
	vprintf(text, args);
	printf("\n");
	va_end(args);
}

int finish(void)
{
	printf("1..%d\n", tests);
	return failures > 0;
}

void bail_out(const char *why, ...)
{
	va_list args;

	va_start(args, why);
	printf("Bail out! ");
	vprintf(why, args);
	printf("\n");
	va_end(args);
	exit(2);
}

/* ---- the network ------------------------------------------------------------------ */

/* Where it is emulated an acknowledgement takes so long that TCP sends its last segment again, to
 * be sure (tail loss probe), and that one is answered, too. */
static void no_probes(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_early_retrans", "we");

	if (!file || fputs("0", file) < 0 || fclose(file))
		bail_out("no tcp_early_retrans: %s", strerror(errno));
}

void network_enter(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET))
		bail_out("no network namespace: %s", strerror(errno));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &lo))
		bail_out("no loopback: %s", strerror(errno));
	close(fd);
	no_probes();
}

/* ---- closetrace ---------------------------------------------------------------------- */

void run_start(struct run *run, const char *const *argv)
{
	int out[2], err[2];

	memset(run, 0, sizeof(*run));
	fflush(stdout);
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		bail_out("no pipe: %s", strerror(errno));
	run->pid = fork();
	if (run->pid < 0)
		bail_out("no process: %s", strerror(errno));
	if (!run->pid) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		/* It must not go on where the test gives up. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	run->out = out[0];
	run->err = err[0];
	/* What it prints is read at the end; until then it must not block on us. */
	fcntl(run->out, F_SETPIPE_SZ, 1 << 20);
}

void await_input(int fd, const char *what)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	int ready;

	do
		ready = poll(&input, 1, PATIENCE_MS);
	while (ready < 0 && errno == EINTR);
	if (ready != 1)
		bail_out("nothing for a minute: %s", what);
}

/* Returns false at the end. */
static bool listen_to(struct run *run)
{
	size_t room = sizeof(run->told) - 1 - run->told_size;
	ssize_t got;

	await_input(run->err, run->told);
	got = room ? read(run->err, run->told + run->told_size, room) : 0;
	if (got <= 0)
		return false;
	run->told_size += got;
	run->told[run->told_size] = '\0';
	return true;
}

static const char *find_line(const struct run *run, const char *begin)
{
	const char *at = run->told;

	while (at && strncmp(at, begin, strlen(begin))) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return at && *at ? at : NULL;
}

bool run_told(const struct run *run, const char *begin)
{
	return find_line(run, begin);
}

bool run_await(struct run *run, const char *begin)
{
	while (!find_line(run, begin))
		if (!listen_to(run))
			return false;
	return true;
}

void run_begin(struct run *run, const char *via, const char *const *more)
{
	const char *argv[32] = { "./closetrace", "-j", "--via", via, "--netns", "/proc/self/ns/net" };
	int argc = 6;

	while (more && *more)
		argv[argc++] = *more++;
	run_start(run, argv);
	run->is_json = true;
	if (!run_await(run, "closetrace: tracing"))
		bail_out("closetrace does not trace: %s", run->told);
}

static void forget_records(struct run *run)
{
	json_decref(run->records);
	json_decref(run->all);
	run->records = json_array();
	run->all = json_array();
}

/* What goes before a close or follows it is of no concern to those who count closes. */
static void keep(struct run *run, json_t *record)
{
	const char *event = text_of(record, "event");

	if (strcmp(event, "reset") && strcmp(event, "end") && strcmp(event, "linger"))
		json_array_append(run->records, record);
	json_array_append_new(run->all, record);
}

static void read_records(struct run *run, FILE *from)
{
	char *text = NULL;
	size_t size = 0;
	json_error_t error;

	forget_records(run);
	while (getline(&text, &size, from) > 0) {
		json_t *record = json_loads(text, 0, &error);

		if (record)
			keep(run, record);
		else if (run->is_json)
			note("not JSON: %s", text);
	}
	free(text);
	fclose(from);
}

void run_read_file(struct run *run, const char *path)
{
	FILE *file = fopen(path, "re");

	if (!file)
		bail_out("no %s: %s", path, strerror(errno));
	read_records(run, file);
}

static void read_stdout(struct run *run)
{
	FILE *said = open_memstream(&run->said, &run->said_size);
	char bytes[4096];
	ssize_t got;

	do {
		await_input(run->out, "stdout");
		got = read(run->out, bytes, sizeof(bytes));
		if (got > 0)
			fwrite(bytes, 1, got, said);
	} while (got > 0);
	fclose(said);
	close(run->out);
	if (run->said_size)
		read_records(run, fmemopen(run->said, run->said_size, "r"));
	else
		forget_records(run);
}

void run_end(struct run *run)
{
	int status;

	read_stdout(run);
	while (listen_to(run))
		;
	close(run->err);
	waitpid(run->pid, &status, 0);
	run->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void run_stop(struct run *run)
{
	kill(run->pid, SIGINT);
	run_end(run);
}

void run_free(struct run *run)
{
	json_decref(run->records);
	json_decref(run->all);
	free(run->said);
}

/* What the kernel left out by itself it may as well have left out of nothing of ours, and no test
 * can keep it from that: told, and aloud here. */
static long left_out(const struct run *run)
{
	const char *at = find_line(run, "closetrace: the kernel left ");
	long runs, records;

	if (!at || sscanf(at, "closetrace: the kernel left %ld runs of the programs out: up to %ld",
			  &runs, &records) != 2)
		return 0;
	note("the kernel left out %ld runs of programs, of up to %ld records", runs, records);
	return records;
}

struct totals run_totals(const struct run *run)
{
	struct totals totals = { -1, -1, -1, -1, 0 };
	const char *at = find_line(run, "closetrace: traced");

	if (at && sscanf(at, "closetrace: traced %ld closes, %ld resets; %ld lost, %ld unknown",
			 &totals.closes, &totals.resets, &totals.lost, &totals.unknown) != 4)
		note("an odd last line: %s", at);
	totals.left_out = left_out(run);
	totals.lost -= totals.left_out < totals.lost ? totals.left_out : totals.lost;
	return totals;
}

/* ---- records --------------------------------------------------------------------------- */

const char *text_of(const json_t *record, const char *key)
{
	const json_t *value = json_object_get(record, key);

	if (!value)
		return "missing";
	return json_is_string(value) ? json_string_value(value) : "null";
}

long long number_of(const json_t *record, const char *key)
{
	const json_t *value = json_object_get(record, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

bool is_event(const json_t *record, const char *event)
{
	return !strcmp(text_of(record, "event"), event);
}

bool is_close(const json_t *record)
{
	return is_event(record, "close");
}

bool is_reset(const json_t *record)
{
	return is_event(record, "reset");
}

bool same_text(const json_t *record, const char *key, const char *want)
{
	const char *got = text_of(record, key);

	if (!strcmp(got, want ? want : "null"))
		return true;
	note("%s is %s, expected %s", key, got, want ? want : "null");
	return false;
}

bool same_number(const json_t *record, const char *key, long long want)
{
	if (number_of(record, key) == want)
		return true;
	note("%s is %lld, expected %lld", key, number_of(record, key), want);
	return false;
}

int count_events(const json_t *records, const char *event)
{
	const json_t *record;
	int count = 0;
	size_t i;

	json_array_foreach(records, i, record)
		count += is_event(record, event);
	return count;
}

/* v6.10 gave tcp_send_reset its reasons and made it tell of all replies. */
bool is_blind(const char *via)
{
	struct btf *btf;
	bool has_reasons;

	if (strcmp(via, "tracepoint"))
		return false;
	btf = btf__load_vmlinux_btf();
	if (!btf)
		bail_out("no BTF of this kernel");
	has_reasons = btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM) > 0;
	btf__free(btf);
	return !has_reasons;
}

/* ---- what all can do --------------------------------------------------------------------- */

void close_unconnected(void)
{
	close(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}
