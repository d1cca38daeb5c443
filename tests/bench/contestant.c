// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/bench/contestant.h"

#define RECORDS "/tmp/closetrace.bench"
#define EMPTY	".output/tests/bench/empty.so"
/* Emulated, a bpftrace takes its time. */
#define PATIENCE_MS 120000

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void sleep_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* One zero-linger close and one after a reset: there is no tracer of closes that misses both. */
static void canary(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct linger zero = { .l_onoff = 1 };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int closer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    connect(closer, (struct sockaddr *)&address, size))
		err(1, "no loopback connection");
	setsockopt(closer, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero));
	close(closer);
	close(listener);
}

/* ---- where its records go ---------------------------------------------------------- */

static int open_file(struct running *running)
{
	return open(RECORDS, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void read_slowly(int fd)
{
	char bytes[4096];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		sleep_ms(10);
	_exit(0);
}

static int open_terminal(struct running *running)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, &size))
		return -1;
	running->helper = fork();
	if (!running->helper) {
		close(slave);
		read_slowly(master);
	}
	close(master);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	return slave;
}

static void read_for_a_while(int seconds)
{
	int fd = open(RECORDS, O_RDONLY);
	double end = now_ms() + seconds * 1e3;
	char bytes[65536];

	while (now_ms() < end && read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

static int open_pipe(struct running *running)
{
	unlink(RECORDS);
	if (mkfifo(RECORDS, 0600))
		return -1;
	running->helper = fork();
	if (!running->helper) {
		read_for_a_while(2);
		sleep_ms(500);
		read_for_a_while(3600);
		_exit(0);
	}
	return open(RECORDS, O_WRONLY | O_CLOEXEC);
}

static int open_records(struct running *running)
{
	static int (*const opens[])(struct running *) = {
		[TO_FILE] = open_file, [TO_TERMINAL] = open_terminal, [TO_PIPE] = open_pipe,
	};
	int fd;

	unlink(RECORDS);
	fd = opens[running->contestant->where](running);
	if (fd < 0)
		err(1, "no place for records");
	return fd;
}

static uint64_t count_lines(void)
{
	static char bytes[1 << 20];
	int fd = open(RECORDS, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t lines = 0;
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < got; i++)
			lines += bytes[i] == '\n';
	close(fd);
	return lines;
}

/* ---- its start ----------------------------------------------------------------------- */

static void become(const struct contestant *contestant, int out, int err)
{
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	/* Nobody else would end it. */
	prctl(PR_SET_PDEATHSIG, SIGINT);
	if (contestant->empty)
		setenv("LD_PRELOAD", EMPTY, 1);
	execvp(contestant->argv[0], (char *const *)contestant->argv);
	_exit(127);
}

static void launch(struct running *running)
{
	int out = open_records(running), err[2];

	if (pipe2(err, O_CLOEXEC))
		errx(1, "no pipe");
	running->pid = fork();
	if (!running->pid)
		become(running->contestant, out, err[1]);
	close(out);
	close(err[1]);
	running->err = err[0];
	fcntl(running->err, F_SETFL, O_NONBLOCK);
	fcntl(running->err, F_SETPIPE_SZ, 1 << 20);
}

static void listen_to(struct running *running)
{
	size_t room = sizeof(running->told) - 1 - running->told_size;
	ssize_t got = read(running->err, running->told + running->told_size, room);

	if (got > 0)
		running->told_size += got;
	running->told[running->told_size] = '\0';
}

static bool has_ended(struct running *running)
{
	if (!running->ended)
		running->ended = waitpid(running->pid, &running->status, WNOHANG) == running->pid;
	return running->ended;
}

/* Who does not tell is ready when its programs run. */
static bool is_ready(struct running *running)
{
	bool ready;

	listen_to(running);
	if (running->contestant->says)
		return strstr(running->told, running->contestant->says);
	canary();
	programs_find(&running->programs, running->pid);
	ready = programs_runs(&running->programs) > 0;
	programs_release(&running->programs);
	return ready;
}

static bool await_ready(struct running *running)
{
	double begin = now_ms();

	while (!is_ready(running)) {
		if (has_ended(running) || now_ms() - begin > PATIENCE_MS)
			return false;
		sleep_ms(2);
	}
	running->start_ms = now_ms() - begin;
	return true;
}

static off_t written(void)
{
	struct stat stat;

	return lstat(RECORDS, &stat) ? 0 : stat.st_size;
}

/* How long a lone record takes to the file.  Others fill a buffer first. */
static double lone_record_ms(struct running *running)
{
	double begin;

	if (!running->contestant->says || running->contestant->where != TO_FILE)
		return -1;
	sleep_ms(200);
	begin = now_ms();
	canary();
	running->closes += 2;
	while (!written() && now_ms() - begin < 1000)
		sleep_ms(1);
	return written() ? now_ms() - begin : -1;
}

bool contestant_exists(const struct contestant *contestant)
{
	char command[256];

	if (!contestant->argv[0])
		return true;
	snprintf(command, sizeof(command), "command -v %s >/dev/null", contestant->argv[0]);
	return !system(command);
}

bool contestant_start(struct running *running, const struct contestant *contestant)
{
	int stats;
	bool good;

	memset(running, 0, sizeof(*running));
	running->contestant = contestant;
	running->alone_ms = -1;
	if (!contestant->argv[0])
		return true;
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	launch(running);
	good = await_ready(running);
	close(stats);
	if (!good) {
		contestant_stop(running);
		return false;
	}
	running->alone_ms = lone_record_ms(running);
	/* Some have more to attach, or to read. */
	sleep_ms(300);
	programs_find(&running->programs, running->pid);
	return true;
}

/* ---- while it runs, and its end ------------------------------------------------------ */

uint64_t contestant_cpu_ns(const struct running *running)
{
	struct timespec used;
	clockid_t clock;

	if (!running->pid || clock_getcpuclockid(running->pid, &clock) || clock_gettime(clock, &used))
		return 0;
	return used.tv_sec * UINT64_C(1000000000) + used.tv_nsec;
}

static uint64_t peak_kb(pid_t pid)
{
	char path[64], line[256];
	unsigned long long kb = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %llu", &kb) == 1)
			break;
	if (status)
		fclose(status);
	return kb;
}

/* closetrace has its last line. */
static void read_totals(const char *line, struct remains *remains)
{
	unsigned long long closes, resets, lost;

	if (sscanf(line, "closetrace: traced %llu closes, %llu resets; %llu lost", &closes, &resets,
		   &lost) != 3)
		return;
	remains->records = closes;
	remains->lost = lost;
}

/* "lost 12 events on CPU #0!", "Lost 12 events". */
static uint64_t lost_records(const struct running *running)
{
	const char *at;
	unsigned long long lost = 0, more;

	for (at = running->told; (at = strcasestr(at, "lost ")); at++)
		if (sscanf(at + 5, "%llu", &more) == 1)
			lost += more;
	return lost;
}

static void end(struct running *running)
{
	double begin = now_ms();

	if (!running->ended)
		kill(running->pid, SIGINT);
	while (!has_ended(running)) {
		listen_to(running);
		if (now_ms() - begin > PATIENCE_MS)
			kill(running->pid, SIGKILL);
		sleep_ms(5);
	}
	listen_to(running);
	if (running->helper > 0) {
		kill(running->helper, SIGKILL);
		waitpid(running->helper, NULL, 0);
	}
	close(running->err);
}

struct remains contestant_stop(struct running *running)
{
	struct remains remains = {};
	const char *last;

	if (!running->pid)
		return remains;
	remains.left = has_ended(running);
	remains.peak_kb = peak_kb(running->pid);
	remains.maps_kb = running->programs.maps_kb;
	programs_release(&running->programs);
	end(running);
	remains.status = running->status;
	remains.records = -1;
	last = strstr(running->told, "closetrace: traced");
	if (last) {
		read_totals(last, &remains);
	} else if (running->contestant->where == TO_FILE) {
		remains.records = count_lines();
		remains.lost = lost_records(running);
	}
	unlink(RECORDS);
	return remains;
}
