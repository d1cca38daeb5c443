/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of resets share: what the kernel hands over, sockets that nobody has, and what is
 * told.  What the tracer would say to its filters is said here (ld --wrap); the sockets and /proc
 * are real.
 */
#ifndef CLOSETRACE_TESTS_TAKEN_H
#define CLOSETRACE_TESTS_TAKEN_H

#include "tests/unit/sample.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "user/callers.h"
#include "user/holder.h"
#include "user/resets.h"

#define MANY        1000 /* more than may wait */
#define PATIENCE_MS 200

/* ---- the filters ------------------------------------------------------------------- */

static struct {
	bool few;
	bool branches;
	bool resets;
	pid_t pid;        /* the only one; 0: any */
	const char *comm; /* the only one; NULL: any */
} wanted;

bool __wrap_tracer_traces_few(const struct tracer *tracer)
{
	return wanted.few;
}

bool __wrap_tracer_wants_branches(const struct tracer *tracer)
{
	return wanted.branches;
}

bool __wrap_tracer_wants_resets(const struct tracer *tracer)
{
	return wanted.resets;
}

bool __wrap_tracer_wants(const struct tracer *tracer, pid_t pid, const char *comm)
{
	return (!wanted.pid || wanted.pid == pid) && (!wanted.comm || !strcmp(wanted.comm, comm));
}

/* ---- what is told -------------------------------------------------------------------- */

static struct told {
	struct close_event event;
	struct verdict verdict;
	enum owner owner;
} told[2 * MANY];
static size_t told_count, seen;

static struct resets *resets;

static inline void put(void *arg, const struct record *record)
{
	assert_ptr_equal(arg, told);
	assert_true(told_count < COUNT(told));
	told[told_count++] = (struct told){ *record->event, record->verdict, record->owner };
}

/* The next that was told. */
static const struct told *next(void)
{
	if (seen == told_count)
		fail_msg("nothing more was told");
	return &told[seen++];
}

static inline void nothing_more(void)
{
	if (seen < told_count)
		fail_msg("also told: %s", event_name(told[seen].event.kind));
}

static inline int set_up(void **state)
{
	memset(&wanted, 0, sizeof(wanted));
	told_count = seen = 0;
	resets = resets_new(NULL, put, told);
	return !resets;
}

static inline int tear_down(void **state)
{
	resets_free(resets);
	return 0;
}

/* ---- records ---------------------------------------------------------------------------- */

#define TEXT UINT64_C(0xffffffff81000000)

/* Where each of these is, in the kernel of this test. */
enum place { CLOSE = 1, DISCONNECT, CONNECT, CHILD_FORGET, ABORT, VALIDATE, RECEIVE, FIN };

static inline int set_callers(void **state)
{
	static const char symbols[] = "ffffffff81001000 T __tcp_close\n"
				      "ffffffff81002000 T tcp_disconnect\n"
				      "ffffffff81003000 T __inet_stream_connect\n"
				      "ffffffff81004000 t inet_child_forget\n"
				      "ffffffff81005000 T tcp_abort\n"
				      "ffffffff81006000 t tcp_validate_incoming\n"
				      "ffffffff81007000 T tcp_rcv_state_process\n"
				      "ffffffff81008000 T tcp_fin\n"
				      "ffffffff81009000 T tcp_after\n";
	FILE *file = fmemopen((char *)symbols, strlen(symbols), "r");

	callers_read(file);
	fclose(file);
	return 0;
}

static inline struct reset_event called(struct close_event event, enum place first, enum place second)
{
	struct reset_event reset = { .event = event };

	if (first)
		reset.callers[0] = TEXT + (first << 12) + 8;
	if (second)
		reset.callers[1] = TEXT + (second << 12) + 8;
	return reset;
}

static inline void take(const struct reset_event *reset)
{
	resets_take(resets, &reset->event, sizeof(*reset), NULL);
}

/* Without who called; as the kernel hands it over. */
static inline void take_short(const struct close_event *event, uint64_t inode)
{
	struct reset_event reset = { .event = *event, .inode = inode };

	resets_take(resets, &reset.event, offsetof(struct reset_event, callers), NULL);
}

/* A reset of a socket that somebody has, seen in whoever was running. */
static inline struct close_event received(uint64_t id)
{
	struct close_event event = reset_sample;

	event.id = id;
	event.snd_una = event.snd_nxt = 5000;
	return event;
}

static inline struct close_event end_by_tracepoint(uint64_t id)
{
	struct close_event event = end_sample;

	event.id = id;
	event.via = VIA_TRACEPOINT;
	event.facts = OWNER_IS_CLOSER;
	event.new_state = TCP_FIN_WAIT1;
	return event;
}

/* It may be a time-wait, or late data. */
static inline struct reset_event open_end(uint64_t id)
{
	return called(end_by_tracepoint(id), RECEIVE, 0);
}

static inline struct close_event late_data(uint64_t id)
{
	struct close_event event = end_sample;

	event.kind = EVENT_RESET;
	event.id = id;
	event.state = TCP_CLOSE;
	event.facts = RESET_REPLY | RESET_TO_ACK | OWNER_IS_CLOSER | WAS_ORPHAN | WAS_SHUT_READ;
	return event;
}

static inline struct close_event close_like(const struct close_event *reset, uint64_t id)
{
	struct close_event close = *reset;

	close.kind = EVENT_CLOSE;
	close.id = id;
	close.facts = WAS_CONNECTED;
	close.state = close.new_state = TCP_CLOSE;
	close.pid = 5151;
	close.tid = 5152;
	close.uid = 42;
	close.cgroup = 9;
	strcpy(close.comm, "closer");
	return close;
}

static inline struct close_event time_wait(__u32 snd_una, __u32 snd_nxt)
{
	struct close_event event = end_sample;

	event.snd_una = snd_una;
	event.snd_nxt = snd_nxt;
	event.new_state = TCP_FIN_WAIT2;
	return event;
}

/* What answers for it acknowledges something of it. */
static inline struct close_event reply_of(const struct close_event *closer, __u8 tcp_state, __u32 ack)
{
	struct close_event event = *closer;

	event.kind = EVENT_RESET;
	event.id = 0;
	event.time_ns += 2000000000;
	event.blocked_ns = 0;
	event.pid = event.tid = event.uid = 0;
	event.cgroup = 0;
	memset(event.comm, 0, sizeof(event.comm));
	event.facts = RESET_REPLY | RESET_TO_ACK | (tcp_state ? 0 : RESET_NO_SOCKET);
	event.state = tcp_state;
	event.snd_una = event.snd_nxt = ack;
	return event;
}

/* ---- sockets ------------------------------------------------------------------------------ */

/* Nobody has it: it is on its way through another socket. */
struct hidden {
	int ends[2];
	uint64_t inode;
};

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static inline void send_descriptor(int to, int fd)
{
	union control control = {};
	struct iovec nothing = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &nothing,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};

	control.header = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(to, &message, 0), 1);
}

static inline int receive_descriptor(int from)
{
	union control control = {};
	char byte;
	struct iovec nothing = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &nothing,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	int fd;

	assert_int_equal(recvmsg(from, &message, MSG_CMSG_CLOEXEC), 1);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static inline uint64_t inode_of(int fd)
{
	struct stat stat;

	assert_int_equal(fstat(fd, &stat), 0);
	return stat.st_ino;
}

static inline struct hidden hide(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct hidden hidden = { .inode = inode_of(fd) };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, hidden.ends), 0);
	send_descriptor(hidden.ends[0], fd);
	close(fd);
	return hidden;
}

static inline int find(const struct hidden *hidden)
{
	holder_hurry();
	return receive_descriptor(hidden->ends[1]);
}

static inline void forget(const struct hidden *hidden)
{
	close(hidden->ends[0]);
	close(hidden->ends[1]);
}

static inline int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Until something is told; returns how long that took. */
static inline int64_t wait_for_one(void)
{
	int64_t began_ms = now_ms();

	while (seen == told_count && now_ms() < began_ms + 10000) {
		resets_tell(resets, false);
		usleep(1000);
	}
	return now_ms() - began_ms;
}

/* ---- what must have been told -------------------------------------------------------- */

static inline void is_of(const struct told *told, enum owner owner, pid_t pid, const char *comm)
{
	assert_int_equal(told->owner, owner);
	assert_int_equal(told->event.pid, pid);
	assert_string_equal(told->event.comm, comm);
}

/* Not whoever was running. */
static inline void is_of_nobody(const struct told *told)
{
	is_of(told, OWNER_NOBODY, 0, "");
	assert_int_equal(told->event.tid, 0);
	assert_int_equal(told->event.uid, 0);
	assert_int_equal(told->event.cgroup, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
