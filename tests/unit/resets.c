// SPDX-License-Identifier: GPL-2.0-only
/*
 * From what the kernel handed over to what is told: whose a reset is, what waits for what, and
 * what nobody wants.  What the tracer would say to its filters is said here (ld --wrap); the
 * sockets and /proc are real.
 */
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

static void put(void *arg, const struct record *record)
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

static void nothing_more(void)
{
	if (seen < told_count)
		fail_msg("also told: %s", event_name(told[seen].event.kind));
}

static int set_up(void **state)
{
	memset(&wanted, 0, sizeof(wanted));
	told_count = seen = 0;
	resets = resets_new(NULL, put, told);
	return !resets;
}

static int tear_down(void **state)
{
	resets_free(resets);
	return 0;
}

/* ---- records ---------------------------------------------------------------------------- */

#define TEXT UINT64_C(0xffffffff81000000)

/* Where each of these is, in the kernel of this test. */
enum place { CLOSE = 1, DISCONNECT, CONNECT, CHILD_FORGET, ABORT, VALIDATE, RECEIVE, FIN };

static int set_callers(void **state)
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

static struct reset_event called(struct close_event event, enum place first, enum place second)
{
	struct reset_event reset = { .event = event };

	if (first)
		reset.callers[0] = TEXT + (first << 12) + 8;
	if (second)
		reset.callers[1] = TEXT + (second << 12) + 8;
	return reset;
}

static void take(const struct reset_event *reset)
{
	resets_take(resets, &reset->event, sizeof(*reset), NULL);
}

/* Without who called; as the kernel hands it over. */
static void take_short(const struct close_event *event, uint64_t inode)
{
	struct reset_event reset = { .event = *event, .inode = inode };

	resets_take(resets, &reset.event, offsetof(struct reset_event, callers), NULL);
}

/* A reset of a socket that somebody has, seen in whoever was running. */
static struct close_event received(uint64_t id)
{
	struct close_event event = reset_sample;

	event.id = id;
	event.snd_una = event.snd_nxt = 5000;
	return event;
}

static struct close_event end_by_tracepoint(uint64_t id)
{
	struct close_event event = end_sample;

	event.id = id;
	event.via = VIA_TRACEPOINT;
	event.facts = OWNER_IS_CLOSER;
	event.new_state = TCP_FIN_WAIT1;
	return event;
}

/* It may be a time-wait, or late data. */
static struct reset_event open_end(uint64_t id)
{
	return called(end_by_tracepoint(id), RECEIVE, 0);
}

static struct close_event late_data(uint64_t id)
{
	struct close_event event = end_sample;

	event.kind = EVENT_RESET;
	event.id = id;
	event.state = TCP_CLOSE;
	event.facts = RESET_REPLY | RESET_TO_ACK | OWNER_IS_CLOSER | WAS_ORPHAN | WAS_SHUT_READ;
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

static void send_descriptor(int to, int fd)
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

static int receive_descriptor(int from)
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

static uint64_t inode_of(int fd)
{
	struct stat stat;

	assert_int_equal(fstat(fd, &stat), 0);
	return stat.st_ino;
}

static struct hidden hide(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct hidden hidden = { .inode = inode_of(fd) };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, hidden.ends), 0);
	send_descriptor(hidden.ends[0], fd);
	close(fd);
	return hidden;
}

static int find(const struct hidden *hidden)
{
	holder_hurry();
	return receive_descriptor(hidden->ends[1]);
}

static void forget(const struct hidden *hidden)
{
	close(hidden->ends[0]);
	close(hidden->ends[1]);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Until something is told; returns how long that took. */
static int64_t wait_for_one(void)
{
	int64_t began_ms = now_ms();

	while (seen == told_count && now_ms() < began_ms + 10000) {
		resets_tell(resets, false);
		usleep(1000);
	}
	return now_ms() - began_ms;
}

/* ---- whose it is, at once --------------------------------------------------------------- */

static void is_of(const struct told *told, enum owner owner, pid_t pid, const char *comm)
{
	assert_int_equal(told->owner, owner);
	assert_int_equal(told->event.pid, pid);
	assert_string_equal(told->event.comm, comm);
}

/* Not whoever was running. */
static void is_of_nobody(const struct told *told)
{
	is_of(told, OWNER_NOBODY, 0, "");
	assert_int_equal(told->event.tid, 0);
	assert_int_equal(told->event.uid, 0);
	assert_int_equal(told->event.cgroup, 0);
}

static void the_closers_is_told_at_once(void **state)
{
	struct close_event event = late_data(77);
	const struct told *told;

	take_short(&event, 0);
	told = next();
	is_of(told, OWNER_CLOSER, 4242, "client");
	assert_int_equal(told->verdict.cause, CAUSE_LATE_DATA);
	assert_int_equal(told->event.id, 77);
	nothing_more();
}

static void ones_own_call_is_told_at_once(void **state)
{
	struct close_event event = reset_sample;
	struct reset_event reset;
	const struct told *told;

	event.facts = OWNER_IS_RUNNING;
	event.state = TCP_CLOSE;
	reset = called(event, DISCONNECT, CONNECT);
	take(&reset);
	told = next();
	is_of(told, OWNER_SOCKET, 4343, "server");
	assert_int_equal(told->event.tid, 4344);
	assert_int_equal(told->verdict.cause, CAUSE_DISCONNECT);
	nothing_more();
}

static void the_holders_is_told_at_once(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct close_event event = received(77);
	const struct told *told;

	holder_hurry();
	take_short(&event, inode_of(fd));
	told = next();
	assert_int_equal(told->owner, OWNER_SOCKET);
	assert_int_equal(told->event.pid, getpid());
	assert_int_equal(told->event.tid, 0);
	assert_int_equal(told->event.uid, getuid());
	assert_int_equal(told->verdict.cause, CAUSE_RESET_BY_PEER);
	nothing_more();
	close(fd);
}

/* ss -K has locked the socket of somebody else. */
static void whoever_ran_is_not_the_owner(void **state)
{
	struct close_event event = received(77);
	struct reset_event reset;
	const struct told *told;

	event.facts = OWNER_IS_RUNNING;
	reset = called(event, ABORT, 0);
	take(&reset);
	told = next();
	is_of_nobody(told);
	assert_int_equal(told->verdict.cause, CAUSE_ADMIN_ABORT);
	nothing_more();
}

static void without_a_descriptor_it_is_nobodys(void **state)
{
	struct close_event event = received(77);

	take_short(&event, 0);
	is_of_nobody(next());
	nothing_more();
}

static void what_is_no_rst_is_not_told(void **state)
{
	struct close_event event = received(77);
	struct reset_event reset;

	event.state = TCP_FIN_WAIT2;
	event.facts |= WAS_SHUT_READ;
	reset = called(event, RECEIVE, 0);
	take(&reset);
	resets_tell(resets, true);
	nothing_more();
	/* The segment had RST. */
	reset = called(event, VALIDATE, RECEIVE);
	take(&reset);
	assert_int_equal(next()->verdict.cause, CAUSE_RESET_BY_PEER);
}

/* ---- whose it is, a moment later -------------------------------------------------------- */

static struct close_event close_like(const struct close_event *reset, uint64_t id)
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

/* Both have the same id then, and it is told before the close is. */
static void who_closes_it_had_it(void **state)
{
	struct close_event event = received(77), close = close_like(&event, 78);
	struct hidden hidden = hide();
	const struct told *told;

	take_short(&event, hidden.inode);
	resets_tell(resets, false);
	nothing_more();
	resets_closed(resets, &close);
	assert_int_equal(close.id, 77);
	told = next();
	is_of(told, OWNER_SOCKET, 5151, "closer");
	assert_int_equal(told->event.kind, EVENT_RESET);
	assert_int_equal(told->event.id, 77);
	assert_int_equal(told->event.uid, 42);
	assert_int_equal(told->event.cgroup, 9);
	assert_int_equal(told->verdict.cause, CAUSE_RESET_BY_PEER);
	resets_tell(resets, true);
	nothing_more();
	forget(&hidden);
}

/* Other addresses, another namespace, or the same anew with other numbers. */
static void who_closes_another_had_it_not(void **state)
{
	struct close_event event = received(77), close;
	struct hidden hidden = hide();

	take_short(&event, hidden.inode);
	close = close_like(&event, 78);
	close.rport++;
	resets_closed(resets, &close);
	assert_int_equal(close.id, 78);
	close = close_like(&event, 79);
	close.laddr[15]++;
	resets_closed(resets, &close);
	assert_int_equal(close.id, 79);
	close = close_like(&event, 80);
	close.netns++;
	resets_closed(resets, &close);
	assert_int_equal(close.id, 80);
	close = close_like(&event, 81);
	close.snd_una = close.snd_nxt = 123456;
	resets_closed(resets, &close);
	assert_int_equal(close.id, 81);
	nothing_more();
	resets_tell(resets, true);
	is_of_nobody(next());
	forget(&hidden);
}

/* Told at once or not, the close has the id of the reset. */
static void a_socket_has_one_id(void **state)
{
	struct close_event first = received(77), second = received(78), close;

	take_short(&first, 0);
	take_short(&second, 0);
	close = close_like(&first, 79);
	resets_closed(resets, &close);
	assert_int_equal(next()->event.id, 77);
	assert_int_equal(next()->event.id, 77);
	assert_int_equal(close.id, 77);
	nothing_more();
}

static void who_is_found_later_has_it(void **state)
{
	struct close_event event = received(77);
	struct hidden hidden = hide();
	int fd;

	take_short(&event, hidden.inode);
	resets_tell(resets, false);
	nothing_more();
	fd = find(&hidden);
	resets_tell(resets, false);
	assert_int_equal(next()->event.pid, getpid());
	assert_int_equal(told[0].owner, OWNER_SOCKET);
	resets_tell(resets, true);
	nothing_more();
	close(fd);
	forget(&hidden);
}

static void nobody_is_waited_for_forever(void **state)
{
	struct close_event event = received(77);
	struct hidden hidden = hide();

	take_short(&event, hidden.inode);
	assert_in_range(wait_for_one(), PATIENCE_MS - 1, 10000);
	is_of_nobody(next());
	resets_tell(resets, true);
	nothing_more();
	forget(&hidden);
}

static void all_are_told_at_the_end(void **state)
{
	struct close_event event;
	struct reset_event end;
	struct hidden hidden = hide();

	for (uint64_t id = 1; id <= 9; id++) {
		event = received(id);
		event.lport += id;
		take_short(&event, hidden.inode);
	}
	end = open_end(10);
	take(&end);
	nothing_more();
	resets_tell(resets, true);
	for (uint64_t id = 1; id <= 10; id++)
		assert_int_equal(next()->event.id, id);
	resets_tell(resets, true);
	nothing_more();
	forget(&hidden);
}

/* ... and who has it is looked for once more. */
static void at_the_end_it_is_not_too_late(void **state)
{
	struct close_event event = received(77);
	struct hidden hidden = hide();
	int fd;

	take_short(&event, hidden.inode);
	fd = receive_descriptor(hidden.ends[1]);
	resets_tell(resets, true);
	assert_int_equal(next()->event.pid, getpid());
	nothing_more();
	close(fd);
	forget(&hidden);
}

/* The oldest have waited longest: none is lost, and none is told twice. */
static void there_may_be_any_number(void **state)
{
	struct hidden hidden = hide();
	size_t before;

	for (uint64_t id = 1; id <= MANY; id++) {
		struct close_event event = received(id);

		event.lport += id;
		take_short(&event, hidden.inode);
	}
	before = told_count;
	assert_in_range(before, 1, MANY - 1);
	resets_tell(resets, true);
	for (uint64_t id = 1; id <= MANY; id++) {
		const struct told *told = next();

		assert_int_equal(told->event.id, id);
		is_of_nobody(told);
	}
	nothing_more();
	forget(&hidden);
}

/* ---- ends -------------------------------------------------------------------------------- */

static void a_plain_end_is_told_at_once(void **state)
{
	struct close_event event = end_sample;
	const struct told *told;

	/* Without who called, nor room for it. */
	resets_take(resets, &event, sizeof(event), NULL);
	told = next();
	is_of(told, OWNER_CLOSER, 4242, "client");
	assert_int_equal(told->verdict.end, END_TIME_WAIT);
	event.facts = OWNER_IS_CLOSER;
	event.new_state = TCP_LAST_ACK;
	resets_take(resets, &event, sizeof(event), NULL);
	assert_int_equal(next()->verdict.end, END_CLOSED);
	nothing_more();
}

static void an_end_by_the_peers_fin_is_told_at_once(void **state)
{
	struct reset_event end = called(end_by_tracepoint(77), FIN, RECEIVE);

	take(&end);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
	nothing_more();
}

/* It ends the connection, and is answered then. */
static void an_open_end_becomes_late_data(void **state)
{
	struct reset_event end = open_end(77);
	struct close_event reply = late_data(77);

	take(&end);
	resets_tell(resets, false);
	nothing_more();
	take_short(&reply, 0);
	assert_int_equal(told[0].event.kind, EVENT_END);
	assert_int_equal(next()->verdict.end, END_LATE_DATA_RESET);
	assert_int_equal(next()->verdict.cause, CAUSE_LATE_DATA);
	resets_tell(resets, true);
	nothing_more();
}

static void an_open_end_becomes_a_time_wait(void **state)
{
	struct reset_event end = open_end(77);

	take(&end);
	assert_in_range(wait_for_one(), PATIENCE_MS - 1, 10000);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
	take(&end);
	nothing_more();
	resets_tell(resets, true);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
	nothing_more();
}

static void late_data_for_another_settles_nothing(void **state)
{
	struct reset_event end = open_end(77);
	struct close_event reply = late_data(78);

	take(&end);
	take_short(&reply, 0);
	assert_int_equal(next()->event.id, 78);
	nothing_more();
	resets_tell(resets, true);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
}

/* ---- after the socket ------------------------------------------------------------------------ */

/* What answers for it acknowledges something of it. */
static struct close_event reply_of(const struct close_event *closer, __u8 tcp_state, __u32 ack)
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

static struct close_event time_wait(__u32 snd_una, __u32 snd_nxt)
{
	struct close_event event = end_sample;

	event.snd_una = snd_una;
	event.snd_nxt = snd_nxt;
	event.new_state = TCP_FIN_WAIT2;
	return event;
}

static void late_data_ends_a_time_wait(void **state)
{
	struct close_event end = time_wait(1000, 1001), reply = reply_of(&end, TCP_TIME_WAIT, 1001);
	const struct told *told;

	take_short(&end, 0);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT);
	take_short(&reply, 0);
	told = next();
	is_of(told, OWNER_CLOSER, 4242, "client");
	assert_int_equal(told->event.kind, EVENT_RESET);
	assert_int_equal(told->event.id, 77001);
	assert_int_equal(told->verdict.cause, CAUSE_TIME_WAIT);
	told = next();
	is_of(told, OWNER_CLOSER, 4242, "client");
	assert_int_equal(told->event.kind, EVENT_END);
	assert_int_equal(told->event.id, 77001);
	assert_int_equal(told->verdict.end, END_TIME_WAIT_RESET);
	/* Since the close, not since the first end. */
	assert_int_equal(told->event.blocked_ns, UINT64_C(3500000999));
	assert_int_equal(told->event.time_ns, reply.time_ns);
	/* More of it is answered, but ends nothing. */
	take_short(&reply, 0);
	assert_int_equal(next()->verdict.cause, CAUSE_TIME_WAIT);
	nothing_more();
}

static void acknowledged(__u32 snd_una, __u32 snd_nxt, __u32 ack, bool is_closers)
{
	struct close_event end = time_wait(snd_una, snd_nxt), reply = reply_of(&end, 0, ack);
	const struct told *told;

	take_short(&end, 0);
	next();
	take_short(&reply, 0);
	told = next();
	assert_int_equal(told->verdict.cause, CAUSE_NO_SOCKET);
	if (is_closers)
		is_of(told, OWNER_CLOSER, 4242, "client");
	else
		is_of_nobody(told);
	nothing_more();
}

/* Ports are used again: the numbers say whether it is the same connection. */
static void late_data_is_of_what_it_acknowledges(void **state)
{
	acknowledged(1000, 2000, 1000, true);
	acknowledged(1000, 2000, 1500, true);
	acknowledged(1000, 2000, 2000, true);
	acknowledged(1000, 2000, 999, false);
	acknowledged(1000, 2000, 2001, false);
	acknowledged(1000, 2000, 1000 + (1U << 31), false);
	acknowledged(1000, 1000, 1000, true);
	acknowledged(1000, 1000, 1001, false);
	/* Beyond 2^32 they begin anew. */
	acknowledged(UINT32_MAX - 9, 10, UINT32_MAX, true);
	acknowledged(UINT32_MAX - 9, 10, 0, true);
	acknowledged(UINT32_MAX - 9, 10, 10, true);
	acknowledged(UINT32_MAX - 9, 10, 11, false);
	acknowledged(UINT32_MAX - 9, 10, UINT32_MAX - 10, false);
}

/* A SYN, say. */
static void what_acknowledges_nothing_is_nobodys(void **state)
{
	struct close_event end = time_wait(0, 1), reply = reply_of(&end, 0, 0);

	take_short(&end, 0);
	next();
	reply.facts = RESET_REPLY | RESET_NO_SOCKET | RESET_TO_SYN;
	take_short(&reply, 0);
	is_of_nobody(next());
	nothing_more();
}

/* Only of a connection that an RST ended is nothing more told. */
static void late_data_after_an_rst_is_the_closers(void **state)
{
	struct close_event close = sample, reply;

	close.snd_una = 1000;
	close.snd_nxt = 2000;
	close.facts = RAN_RESET | WAS_CONNECTED;
	reply = reply_of(&close, 0, 1500);
	resets_closed(resets, &close);
	take_short(&reply, 0);
	is_of(next(), OWNER_CLOSER, 4242, "client");
	close.rport++;
	close.facts = RAN_FIN | WAS_CONNECTED;
	reply = reply_of(&close, 0, 1500);
	resets_closed(resets, &close);
	take_short(&reply, 0);
	is_of_nobody(next());
	nothing_more();
}

/* ---- what nobody wants --------------------------------------------------------------------- */

/* One of each owner, told at once. */
static void take_one_of_each(void)
{
	struct close_event closers = late_data(1), nobodys = received(2), somebodys = received(3);
	struct reset_event own;

	somebodys.facts = OWNER_IS_RUNNING;
	somebodys.state = TCP_CLOSE;
	somebodys.lport++;
	own = called(somebodys, DISCONNECT, CONNECT);
	take_short(&closers, 0);
	take_short(&nobodys, 0);
	take(&own);
}

static void are_told(size_t count, const uint64_t *ids)
{
	take_one_of_each();
	for (size_t i = 0; i < count; i++)
		assert_int_equal(next()->event.id, ids[i]);
	nothing_more();
}

#define TOLD(...) are_told(COUNT(((uint64_t[]){ __VA_ARGS__ })), (uint64_t[]){ __VA_ARGS__ })

static void everybodys_are_told(void **state)
{
	TOLD(1, 2, 3);
}

static void with_a_filter_nobodys_are_not_told(void **state)
{
	wanted.few = true;
	TOLD(1, 3);
	wanted.few = false;
	wanted.branches = true;
	TOLD(1, 3);
}

/* Whose close is traced is wanted, or it would not be known. */
static void others_are_not_told(void **state)
{
	wanted.few = true;
	wanted.pid = 4343;
	TOLD(1, 3);
	wanted.pid = 4344;
	TOLD(1);
	wanted.pid = 0;
	wanted.comm = "server";
	TOLD(1, 3);
	wanted.comm = "serve";
	TOLD(1);
}

/* It is asked when it is known whose it is. */
static void who_is_found_later_is_filtered_too(void **state)
{
	struct close_event event = received(77), close = close_like(&event, 78);
	struct hidden hidden = hide();

	wanted.few = true;
	wanted.pid = 5151;
	take_short(&event, hidden.inode);
	resets_closed(resets, &close);
	is_of(next(), OWNER_SOCKET, 5151, "closer");
	wanted.pid = 5152;
	event = received(79);
	event.lport++;
	close = close_like(&event, 80);
	take_short(&event, hidden.inode);
	resets_closed(resets, &close);
	resets_tell(resets, true);
	nothing_more();
	/* Nobody in the end. */
	event.lport++;
	take_short(&event, hidden.inode);
	resets_tell(resets, true);
	nothing_more();
	forget(&hidden);
}

static void only_ends_that_are_resets(void **state)
{
	struct close_event plain = end_sample, end = time_wait(1000, 1001);
	struct close_event reply = reply_of(&end, TCP_TIME_WAIT, 1001);
	struct reset_event open = open_end(77);
	struct close_event late = late_data(77);

	wanted.resets = true;
	plain.facts = OWNER_IS_CLOSER;
	plain.new_state = TCP_LAST_ACK;
	take_short(&plain, 0);
	take_short(&end, 0);
	nothing_more();
	/* Which was noted all the same. */
	take_short(&reply, 0);
	assert_int_equal(next()->verdict.cause, CAUSE_TIME_WAIT);
	assert_int_equal(next()->verdict.end, END_TIME_WAIT_RESET);
	take(&open);
	take_short(&late, 0);
	assert_int_equal(next()->verdict.end, END_LATE_DATA_RESET);
	assert_int_equal(next()->verdict.cause, CAUSE_LATE_DATA);
	take(&open);
	resets_tell(resets, true);
	nothing_more();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_closers_is_told_at_once),
		TEST(ones_own_call_is_told_at_once),
		TEST(the_holders_is_told_at_once),
		TEST(whoever_ran_is_not_the_owner),
		TEST(without_a_descriptor_it_is_nobodys),
		TEST(what_is_no_rst_is_not_told),
		TEST(who_closes_it_had_it),
		TEST(who_closes_another_had_it_not),
		TEST(a_socket_has_one_id),
		TEST(who_is_found_later_has_it),
		TEST(nobody_is_waited_for_forever),
		TEST(all_are_told_at_the_end),
		TEST(at_the_end_it_is_not_too_late),
		TEST(there_may_be_any_number),
		TEST(a_plain_end_is_told_at_once),
		TEST(an_end_by_the_peers_fin_is_told_at_once),
		TEST(an_open_end_becomes_late_data),
		TEST(an_open_end_becomes_a_time_wait),
		TEST(late_data_for_another_settles_nothing),
		TEST(late_data_ends_a_time_wait),
		TEST(late_data_is_of_what_it_acknowledges),
		TEST(what_acknowledges_nothing_is_nobodys),
		TEST(late_data_after_an_rst_is_the_closers),
		TEST(everybodys_are_told),
		TEST(with_a_filter_nobodys_are_not_told),
		TEST(others_are_not_told),
		TEST(who_is_found_later_is_filtered_too),
		TEST(only_ends_that_are_resets),
	};

	return cmocka_run_group_tests(tests, set_callers, NULL);
}
