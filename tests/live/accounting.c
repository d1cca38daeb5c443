// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is recorded and what is lost add up to what happened, whatever is done to the reader
 * and to the place where the records go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "user/await.h"

/* The ring holds 4 MB of records of some 150 bytes. */
#define TOO_MANY 40000
#define NOT_TOO_MANY 20000
#define MAX_PROGRAMS 64

#define OPTIONS(...) (const char *const[]){ __VA_ARGS__, NULL }

static const char *via;
static char dir[] = "/tmp/closetrace-accounting.XXXXXX";
static char path[64];		/* for -o */

static void close_many(int count)
{
	while (count-- > 0)
		close_unconnected();
}

/* ---- the reader stops ---------------------------------------------------------------- */

static void stop_reader(struct run *run)
{
	int status;

	kill(run->pid, SIGSTOP);
	if (waitpid(run->pid, &status, WUNTRACED) != run->pid || !WIFSTOPPED(status))
		bail_out("closetrace does not stop");
}

static void continue_reader(struct run *run)
{
	kill(run->pid, SIGCONT);
}

/* Of the file that -o made; by their first words, for a library takes long under emulation. */
static void count_records(long *closes, long *lost)
{
	static const char close_begins[] = "{\"event\":\"close\",";
	static const char lost_begins[] = "{\"event\":\"lost\",\"count\":";
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	*closes = *lost = 0;
	while (file && getline(&text, &size, file) > 0) {
		if (!strncmp(text, close_begins, strlen(close_begins)))
			++*closes;
		else if (!strncmp(text, lost_begins, strlen(lost_begins)))
			*lost += atol(text + strlen(lost_begins));
		else
			note("an odd line: %s", text);
	}
	free(text);
	if (file)
		fclose(file);
}

static void overflow(void)
{
	long recorded, lost;
	struct totals totals;
	struct run run;

	run_begin(&run, via, OPTIONS("-o", path));
	stop_reader(&run);
	close_many(TOO_MANY);
	continue_reader(&run);
	ok(run_await(&run, "closetrace: lost "), "%s: a full ring is told when it happens", via);
	close_unconnected();
	run_stop(&run);
	totals = run_totals(&run);
	count_records(&recorded, &lost);
	ok(lost > 0 && recorded + lost == TOO_MANY + 1, "%s: %ld recorded + %ld lost = %d closes",
	   via, recorded, lost, TOO_MANY + 1);
	ok(totals.closes == recorded && totals.lost == lost, "%s: ... the last line says the same",
	   via);
	ok(!run.status, "%s: ... and the status is 0", via);
	if (totals.closes != recorded || totals.lost != lost)
		note("%s", run.told);
	run_free(&run);
}

static long lines_seen;

/* Reads on in the file that -o makes. */
static bool has_lines(int fd, long count)
{
	char bytes[65536];
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < got; i++)
			lines_seen += bytes[i] == '\n';
	return lines_seen >= count;
}

static void long_stop(void)
{
	long recorded, lost;
	struct run run;
	int file;

	run_begin(&run, via, OPTIONS("-o", path));
	file = open(path, O_RDONLY | O_CLOEXEC);
	lines_seen = 0;
	for (int i = 1; i <= 2; i++) {
		stop_reader(&run);
		close_many(NOT_TOO_MANY);
		continue_reader(&run);
		if (await(has_lines, file, i * NOT_TOO_MANY))
			note("%ld of %d records after %d seconds", lines_seen, i * NOT_TOO_MANY,
			     AWAIT_S);
	}
	close(file);
	run_stop(&run);
	count_records(&recorded, &lost);
	ok(recorded == 2 * NOT_TOO_MANY && !lost && run_totals(&run).closes == recorded &&
	   !run_totals(&run).lost,
	   "%s: a reader that stops for %d closes loses none", via, NOT_TOO_MANY);
	if (recorded != 2 * NOT_TOO_MANY)
		note("%ld recorded, %ld lost: %s", recorded, lost, run.told);
	run_free(&run);
}

/* ---- two at a time --------------------------------------------------------------------- */

static void two_readers(void)
{
	static const char *const keys[] = { "pid", "lport", "rport", "netns", "cgroup" };
	struct run one, two;
	char pid[16];
	bool same = true;
	size_t i;

	/* They close too, before they trace. */
	snprintf(pid, sizeof(pid), "%d", getpid());
	run_begin(&one, via, OPTIONS("-p", pid));
	run_begin(&two, via, OPTIONS("-p", pid));
	close_many(50);
	run_stop(&two);
	close_unconnected();
	run_stop(&one);
	ok(json_array_size(one.records) == 51 && json_array_size(two.records) == 50,
	   "%s: two at a time record all, each until its own end", via);
	for (i = 0; i < 50; i++)
		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
			same &= number_of(json_array_get(one.records, i), keys[k]) ==
				number_of(json_array_get(two.records, i), keys[k]);
	ok(same, "%s: ... and say the same", via);
	run_free(&one);
	run_free(&two);
}

/* ---- nothing that did not happen ------------------------------------------------------------ */

/* The process that connects makes the other end too, on loopback, and its FIN ends it: but
 * the other end is not its own, and has been closed long ago. */
static void orphan(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server, long_s = 90;
	socklen_t size = sizeof(at);
	struct run run;
	pid_t child;

	if (bind(listener, (struct sockaddr *)&at, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&at, &size))
		bail_out("no listener: %s", strerror(errno));
	run_begin(&run, via, NULL);
	if (connect(client, (struct sockaddr *)&at, size))
		bail_out("no connection: %s", strerror(errno));
	child = fork();
	if (!child) {
		server = accept(listener, NULL, NULL);
		/* Else it is a mere minisocket by then. */
		setsockopt(server, IPPROTO_TCP, TCP_LINGER2, &long_s, sizeof(long_s));
		close(server);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	if (await_state(client, TCP_CLOSE_WAIT) || shutdown(client, SHUT_WR) ||
	    await_state(client, TCP_CLOSE))
		bail_out("no end of the connection: %s", strerror(errno));
	run_stop(&run);
	ok(json_array_size(run.records) == 1 &&
	   number_of(json_array_get(run.records, 0), "pid") == child,
	   "%s: an orphan's end is nobody's close", via);
	if (json_array_size(run.records) != 1)
		note("%zu records", json_array_size(run.records));
	run_free(&run);
	close(client);
	close(listener);
}

/* ---- where the records go ------------------------------------------------------------------ */

static void read_one_line(int fd)
{
	char byte = 0;

	while (byte != '\n') {
		await_input(fd, "a record");
		if (read(fd, &byte, 1) != 1)
			bail_out("no record");
	}
}

/* As `closetrace | head -1` does. */
static void closed_pipe(const char *format)
{
	const char *argv[] = { "./closetrace", "--via", via, "--netns", "/proc/self/ns/net",
			       format, NULL };
	char *rest;
	struct run run;

	run_start(&run, argv);
	if (!run_await(&run, "closetrace: tracing"))
		bail_out("closetrace does not trace: %s", run.told);
	close_unconnected();
	read_one_line(run.out);
	close(run.out);
	run.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close_unconnected();
	run_end(&run);
	rest = strchr(strstr(run.told, "closetrace: tracing"), '\n');
	ok(!run.status && rest && !rest[1],
	   "%s: a closed pipe ends it with status 0 and without a word (%s)", via,
	   format ? format : "text");
	if (run.status || (rest && rest[1]))
		note("status %d: %s", run.status, run.told);
	run_free(&run);
}

/* head -0, so to speak: nothing more is closed, and it ends all the same. */
static void closed_pipe_idle(void)
{
	struct run run;

	run_begin(&run, via, NULL);
	close(run.out);
	run.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	run_end(&run);
	ok(!run.status, "%s: ... even where nothing more is closed", via);
	run_free(&run);
}

/* Ctrl-C ends the reader of the pipe together with closetrace, and a little earlier. */
static void closed_pipe_at_end(void)
{
	struct totals totals;
	struct run run;

	run_begin(&run, via, NULL);
	/* With this one written it will not look again for a while. */
	close_unconnected();
	read_one_line(run.out);
	stop_reader(&run);
	close_many(3);
	close(run.out);
	run.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	kill(run.pid, SIGINT);
	continue_reader(&run);
	run_end(&run);
	totals = run_totals(&run);
	ok(!run.status && totals.closes == 1 && totals.lost == 3,
	   "%s: a pipe that closes at the end: what was not written is told", via);
	run_free(&run);
}

static void full_device(const char *format, int count)
{
	const char *argv[] = { "./closetrace", "--via", via, "--netns", "/proc/self/ns/net",
			       "-o", "/dev/full", format, NULL };
	struct totals totals;
	struct run run;

	run_start(&run, argv);
	if (!run_await(&run, "closetrace: tracing"))
		bail_out("closetrace does not trace: %s", run.told);
	stop_reader(&run);
	close_many(count);
	continue_reader(&run);
	run_end(&run);
	totals = run_totals(&run);
	ok(run.status == 1, "%s: /dev/full: status 1 (%s)", via, format ? format : "text");
	ok(run_told(&run, "closetrace: cannot write") && strstr(run.told, strerror(ENOSPC)),
	   "%s: ... it says why", via);
	ok(!totals.closes && totals.lost == count, "%s: ... all %d count as lost", via, count);
	if (totals.closes || totals.lost != count)
		note("%s", run.told);
	run_free(&run);
}

/* A disk with room for some of them: what is there and what is lost add up. */
static void full_disk(void)
{
	struct totals totals;
	long recorded, lost;
	struct run run;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("closetrace", dir, "tmpfs", 0, "size=64k")) {
		skip(strerror(errno), "%s: a disk that fills", via);
		return;
	}
	run_begin(&run, via, OPTIONS("-o", path));
	stop_reader(&run);
	close_many(1000);
	continue_reader(&run);
	run_end(&run);
	totals = run_totals(&run);
	count_records(&recorded, &lost);
	/* The last of the file is cut off; it counts as lost. */
	ok(run.status == 1 && totals.closes > 0 && totals.closes + totals.lost == 1000 &&
	   (recorded == totals.closes || recorded == totals.closes + 1),
	   "%s: a disk that fills: %ld there + %ld lost = 1000", via, totals.closes, totals.lost);
	run_free(&run);
	umount(dir);
}

/* ---- how soon ------------------------------------------------------------------------------ */

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void latency(void)
{
	struct utsname names;
	long limit_ms, worst_ms = 0, late = 0;
	struct run run;

	uname(&names);
	/* Emulation is slow, and its two processors are one. */
	limit_ms = strcmp(names.nodename, "guest") ? 100 : 500;
	run_begin(&run, via, NULL);
	for (int i = 0; i < 20; i++) {
		long begin_ms = now_ms(), took_ms;

		close_unconnected();
		read_one_line(run.out);
		took_ms = now_ms() - begin_ms;
		late += took_ms > limit_ms;
		if (took_ms > worst_ms)
			worst_ms = took_ms;
	}
	run_stop(&run);
	/* A few may be the machine's fault. */
	ok(late <= 4, "%s: a lone record is shown within %ld ms", via, limit_ms);
	note("%ld of 20 were late, the slowest took %ld ms", late, worst_ms);
	run_free(&run);
}

/* ---- what is left behind -------------------------------------------------------------------- */

/* The programs that a process holds, itself or by a link: by their numbers in the kernel. */
static size_t programs_of(pid_t pid, __u32 *ids)
{
	char name[300], text[128];
	struct dirent *fd;
	size_t count = 0;
	DIR *fds;

	snprintf(name, sizeof(name), "/proc/%d/fdinfo", pid);
	fds = opendir(name);
	while (fds && (fd = readdir(fds))) {
		FILE *info;

		snprintf(name, sizeof(name), "/proc/%d/fdinfo/%.200s", pid, fd->d_name);
		info = fopen(name, "re");
		while (info && fgets(text, sizeof(text), info))
			if (count < MAX_PROGRAMS && sscanf(text, "prog_id: %u", &ids[count]) == 1)
				count++;
		if (info)
			fclose(info);
	}
	if (fds)
		closedir(fds);
	return count;
}

static bool is_gone(int fd, long id)
{
	union bpf_attr attr = { .prog_id = id };
	int program = syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));

	if (program >= 0)
		close(program);
	return program < 0 && errno == ENOENT;
}

static void killed(void)
{
	__u32 ids[MAX_PROGRAMS];
	size_t count, left = 0;
	struct run run;

	run_begin(&run, via, NULL);
	count = programs_of(run.pid, ids);
	for (size_t i = 0; i < count; i++)
		left += is_gone(-1, ids[i]);
	ok(count && !left, "%s: the programs are there while it runs", via);
	kill(run.pid, SIGKILL);
	run_end(&run);
	for (size_t i = 0; i < count; i++)
		left += !!await(is_gone, -1, ids[i]);
	ok(run.status == 128 + SIGKILL && !left,
	   "%s: killed by SIGKILL, it leaves nothing attached", via);
	run_free(&run);
}

int main(int argc, char **argv)
{
	via = argc > 1 ? argv[1] : "fentry";
	if (!mkdtemp(dir))
		bail_out("no directory: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/records", dir);
	network_enter();
	overflow();
	long_stop();
	two_readers();
	orphan();
	closed_pipe(NULL);
	closed_pipe("-j");
	closed_pipe_idle();
	closed_pipe_at_end();
	full_device(NULL, 100);
	full_device("-j", 100);
	full_device("-j", TOO_MANY);
	latency();
	killed();
	unlink(path);
	full_disk();
	rmdir(dir);
	return finish();
}
