// SPDX-License-Identifier: GPL-2.0-only
/*
 * By which system call a socket is closed: the last close is put off until the call returns, and
 * the record has to say which call that was.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"

/* What a row's process ends with where this kernel has not what it takes. */
#define NOT_HERE 77

static void by_close(int fd)
{
	close(fd);
}

static void by_close_range(int fd)
{
	if (syscall(SYS_close_range, fd, fd, 0))
		_exit(NOT_HERE);
}

static void by_dup2(int fd)
{
#ifdef SYS_dup2
	syscall(SYS_dup2, STDERR_FILENO, fd);
#else
	_exit(NOT_HERE);
#endif
}

static void by_dup3(int fd)
{
	syscall(SYS_dup3, STDERR_FILENO, fd, 0);
}

/* It has SOCK_CLOEXEC. */
static void by_exec(int fd)
{
	execlp("true", "true", NULL);
}

static void by_exit(int fd)
{
	_exit(0);
}

static void by_kill(int fd)
{
	raise(SIGKILL);
}

/* ---- io_uring, without its library ------------------------------------------------------ */

struct ring {
	int fd;
	struct io_uring_params params;
	unsigned char *queue;
	struct io_uring_sqe *entries;
};

static void ring_open(struct ring *ring)
{
	size_t size;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		_exit(NOT_HERE);
	size = ring->params.sq_off.array + ring->params.sq_entries * sizeof(unsigned int);
	ring->queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			   IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, ring->params.sq_entries * sizeof(*ring->entries), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	if (ring->queue == MAP_FAILED || ring->entries == MAP_FAILED)
		_exit(1);
}

static void ring_close(int fd, unsigned int flags)
{
	struct ring ring;

	ring_open(&ring);
	ring.entries[0] = (struct io_uring_sqe){ .opcode = IORING_OP_CLOSE, .fd = fd, .flags = flags };
	((unsigned int *)(ring.queue + ring.params.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned int *)(ring.queue + ring.params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		_exit(NOT_HERE);
}

static void by_ring(int fd)
{
	ring_close(fd, 0);
}

/* ---- a call that holds the socket while another thread closes it --------------------------- */

static volatile pid_t holder;

static void *receive(void *fd)
{
	char byte;

	holder = gettid();
	return (void *)(recv(*(int *)fd, &byte, 1, 0) - 1);
}

static void *await(void *fd)
{
	struct pollfd input = { .fd = *(int *)fd, .events = POLLIN };

	holder = gettid();
	return (void *)(long)syscall(SYS_ppoll, &input, 1, NULL, NULL, 0);
}

/* "running" as long as it does not sleep in one. */
static void await_sleep_in(long call)
{
	char path[64], text[128];
	FILE *file;
	char *end;

	do {
		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", holder);
		file = fopen(path, "re");
		*text = '\0';
		if (file) {
			if (!fgets(text, sizeof(text), file))
				*text = '\0';
			fclose(file);
		}
	} while (strtol(text, &end, 10) != call || end == text);
}

static int listener;

/* The descriptor is closed at once, the socket when the peer's FIN ends the call. */
static void held_by(void *(*thread_of)(void *), long call, int fd)
{
	int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pthread_t thread;

	if (peer < 0 || pthread_create(&thread, NULL, thread_of, &fd))
		_exit(1);
	await_sleep_in(call);
	close(fd);
	shutdown(peer, SHUT_WR);
	pthread_join(thread, NULL);
	close(peer);
}

/* The process stays until the socket is closed: at its end the thread would be ending too. */
static void by_ring_worker(int fd)
{
	int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char byte;

	if (peer < 0)
		_exit(1);
	ring_close(fd, IOSQE_ASYNC);
	if (read(peer, &byte, 1))
		_exit(1);
	close(peer);
}

static void by_receiver(int fd)
{
	held_by(receive, SYS_recvfrom, fd);
}

static void by_poller(int fd)
{
	held_by(await, SYS_ppoll, fd);
}

/* ---- what each must give --------------------------------------------------------------------- */

static const struct row {
	const char *what;
	void (*run)(int fd);
	const char *call;
	bool connected;
	bool by_thread;		/* not the process's first */
	bool by_kernel;		/* a kernel thread may have closed it, as far as the kernel had one for this */
} rows[] = {
	{ "close()", by_close, "close" },
	{ "close_range()", by_close_range, "close_range" },
	{ "dup2() over it", by_dup2, "dup2" },
	{ "dup3() over it", by_dup3, "dup3" },
	{ "exec() with close-on-exec", by_exec, "execve" },
	{ "exit()", by_exit, "exit" },
	{ "SIGKILL", by_kill, "exit" },
	{ "io_uring", by_ring, "io_uring" },
	{ "a thread of io_uring", by_ring_worker, "io_uring", .connected = true, .by_thread = true,
	  .by_kernel = true },
	{ "recv() in another thread", by_receiver, "recvfrom", .connected = true, .by_thread = true },
	{ "poll() in another thread", by_poller, "ppoll", .connected = true, .by_thread = true },
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static struct outcome {
	pid_t pid;
	unsigned int port;
	bool missing;
} outcomes[ROWS];

static unsigned int port_of(int fd)
{
	struct sockaddr_in at = {};
	socklen_t size = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &size);
	return ntohs(at.sin_port);
}

static void listen_on_loopback(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 8))
		bail_out("no listener: %s", strerror(errno));
}

/* Known by its port. */
static int open_socket(bool connected)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!connected)
		return bind(fd, (struct sockaddr *)&at, sizeof(at)) ? -1 : fd;
	at.sin_port = htons(port_of(listener));
	return connect(fd, (struct sockaddr *)&at, sizeof(at)) ? -1 : fd;
}

static void run_row(const struct row *row, struct outcome *outcome)
{
	int port[2], status;

	if (pipe2(port, O_CLOEXEC))
		bail_out("no pipe: %s", strerror(errno));
	outcome->pid = fork();
	if (!outcome->pid) {
		int fd = open_socket(row->connected);
		unsigned int own = port_of(fd);

		if (fd < 0 || write(port[1], &own, sizeof(own)) < 0)
			_exit(1);
		row->run(fd);
		_exit(0);
	}
	if (read(port[0], &outcome->port, sizeof(outcome->port)) != sizeof(outcome->port))
		note("%s: no port", row->what);
	close(port[0]);
	close(port[1]);
	waitpid(outcome->pid, &status, 0);
	outcome->missing = WIFEXITED(status) && WEXITSTATUS(status) == NOT_HERE;
}

static const json_t *close_of(const struct run *run, unsigned int port)
{
	const json_t *record;
	size_t i;

	json_array_foreach(run->records, i, record)
		if (is_close(record) && number_of(record, "lport") == port)
			return record;
	return NULL;
}

static bool is_right(const struct row *row, const struct outcome *outcome, const json_t *record)
{
	if (!record)
		return false;
	if (row->by_kernel && !strcmp(text_of(record, "context"), "kernel"))
		return json_is_null(json_object_get(record, "call"));
	return !strcmp(text_of(record, "call"), row->call) && number_of(record, "pid") == outcome->pid &&
	       row->by_thread == (number_of(record, "tid") != outcome->pid);
}

static void check(const struct row *row, const struct outcome *outcome, const struct run *run, const char *via)
{
	const json_t *record = close_of(run, outcome->port);
	char *text;

	if (outcome->missing) {
		skip("this kernel has it not", "%s: %s", via, row->what);
		return;
	}
	if (ok(is_right(row, outcome, record), "%s: %s: closed by %s", via, row->what, row->call))
		return;
	text = record ? json_dumps(record, 0) : NULL;
	note("of pid %d: %s", outcome->pid, text ? text : "no record");
	free(text);
}

/* A kernel thread takes its time: nobody else listens on that port when it is done. */
static void await_closed(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (size_t i = 0; i < ROWS; i++) {
		int fd, tries = 2000;

		if (outcomes[i].missing || rows[i].connected)
			continue;
		at.sin_port = htons(outcomes[i].port);
		do {
			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
			if (!bind(fd, (struct sockaddr *)&at, sizeof(at)))
				tries = 0;
			close(fd);
			if (tries)
				usleep(10000);
		} while (tries-- > 0);
	}
}

int main(int argc, char **argv)
{
	const char *via = argc > 1 ? argv[1] : "fentry";
	struct run run;

	network_enter();
	listen_on_loopback();
	run_begin(&run, via, NULL);
	for (size_t i = 0; i < ROWS; i++)
		run_row(&rows[i], &outcomes[i]);
	await_closed();
	run_stop(&run);
	for (size_t i = 0; i < ROWS; i++)
		check(&rows[i], &outcomes[i], &run, via);
	run_free(&run);
	return finish();
}
