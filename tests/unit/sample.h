/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests share: a record to vary, and how to see what a sink makes of one. */
#ifndef CLOSETRACE_TESTS_SAMPLE_H
#define CLOSETRACE_TESTS_SAMPLE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/sink.h"

/* clang-format off */
#define COUNT(table)		(sizeof(table) / sizeof(*(table)))
#define IPV4(a, b, c, d)	{ [10] = 0xff, 0xff, a, b, c, d }
/* No address is longer in text: 39 characters. */
#define LONGEST_IPV6		{ 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, \
				  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }
/* clang-format on */

/* A connected socket is closed, lingers for five seconds at most and is done in 12.345 ms. */
static const struct close_event sample = {
	.kind = EVENT_CLOSE,
	.time_ns = 1,
	.id = 77001,
	.cgroup = 8801,
	.netns = 4026531840,
	.blocked_ns = 12345678,
	.linger_s = 5,
	.pid = 4242,
	.tid = 4243,
	.uid = 1000,
	.unread_bytes = 11,
	.unsent_bytes = 22,
	.unacked_bytes = 33,
	.facts = RAN_FIN | RAN_WAIT | WAIT_ACKED | WAS_LINGER | WAS_CONNECTED,
	.laddr = IPV4(10, 0, 0, 1),
	.raddr = IPV4(192, 0, 2, 200),
	.lport = 40000,
	.rport = 443,
	.via = VIA_FENTRY,
	.context = CONTEXT_SYSCALL,
	.state = TCP_ESTABLISHED,
	.new_state = TCP_FIN_WAIT2,
	.comm = "client",
};

/* One for each branch, as the kernel would have it. */
/* clang-format off */
static const struct {
	__u8 branch, state, new_state;
	__u32 facts;
} branches[] = {
	{ BRANCH_UNKNOWN, TCP_ESTABLISHED, TCP_ESTABLISHED, 0 },
	{ BRANCH_LISTENER, TCP_LISTEN, TCP_CLOSE, RAN_LISTEN_STOP },
	{ BRANCH_NOT_CONNECTED, TCP_CLOSE, TCP_CLOSE, 0 },
	{ BRANCH_ALREADY_CLOSED, TCP_CLOSE, TCP_CLOSE, WAS_CONNECTED | LACKS_SENDQ },
	{ BRANCH_REPAIR, TCP_ESTABLISHED, TCP_CLOSE, RAN_DISCONNECT | WAS_REPAIR | WAS_CONNECTED },
	{ BRANCH_UNREAD_DATA, TCP_CLOSE_WAIT, TCP_CLOSE, RAN_RESET | WAS_CONNECTED },
	{ BRANCH_ZERO_LINGER, TCP_ESTABLISHED, TCP_CLOSE,
	  RAN_DISCONNECT | RAN_RESET | WAS_LINGER | WAS_ZERO_LINGER | WAS_CONNECTED },
	{ BRANCH_FIN, TCP_ESTABLISHED, TCP_FIN_WAIT2, RAN_FIN | WAS_CONNECTED },
	{ BRANCH_FIN_ALREADY_SENT, TCP_FIN_WAIT2, TCP_FIN_WAIT2, RAN_TIME_WAIT | WAS_CONNECTED },
	{ BRANCH_CONNECT_CANCELLED, TCP_SYN_SENT, TCP_CLOSE, WAS_CONNECTED },
};
/* clang-format on */

static inline struct close_event sample_of(size_t branch)
{
	struct close_event event = sample;

	event.facts = branches[branch].facts;
	event.state = branches[branch].state;
	event.new_state = branches[branch].new_state;
	return event;
}

/* Somebody's socket is reset by the peer. */
static const struct close_event reset_sample = {
	.kind = EVENT_RESET,
	.time_ns = 2,
	.id = 77002,
	.cgroup = 8802,
	.netns = 4026531841,
	.pid = 4343,
	.tid = 4344,
	.uid = 1001,
	.facts = RESET_RECEIVED,
	.laddr = IPV4(10, 0, 0, 2),
	.raddr = IPV4(192, 0, 2, 201),
	.lport = 40001,
	.rport = 8443,
	.via = VIA_KPROBE,
	.state = TCP_ESTABLISHED,
	.comm = "server",
};

/* What the sample was closed for is over 1.5 seconds later. */
static const struct close_event end_sample = {
	.kind = EVENT_END,
	.time_ns = 3,
	.id = 77001,
	.cgroup = 8801,
	.netns = 4026531840,
	.blocked_ns = 1500000999,
	.pid = 4242,
	.tid = 4243,
	.uid = 1000,
	.facts = OWNER_IS_CLOSER | ENDED_TIME_WAIT,
	.laddr = IPV4(10, 0, 0, 1),
	.raddr = IPV4(192, 0, 2, 200),
	.lport = 40000,
	.rport = 443,
	.via = VIA_FENTRY,
	.state = TCP_ESTABLISHED,
	.new_state = TCP_TIME_WAIT,
	.comm = "client",
};

/* What the sample lingers for was set by somebody else, a quarter of a second before. */
static const struct close_event linger_sample = {
	.kind = EVENT_LINGER,
	.time_ns = 1,
	.id = 77001,
	.cgroup = 8801,
	.netns = 4026531840,
	.linger_s = 5,
	.pid = 4040,
	.tid = 4041,
	.uid = 1002,
	.facts = WAS_LINGER,
	.laddr = IPV4(10, 0, 0, 1),
	.raddr = IPV4(192, 0, 2, 200),
	.lport = 40000,
	.rport = 443,
	.via = VIA_FENTRY,
	.state = TCP_ESTABLISHED,
	.comm = "setter",
};

static const struct setter sample_setter = {
	.time_ns = 1,
	.pid = 4040,
	.tid = 4041,
	.comm = "setter",
};

static inline struct record reset_record(const struct close_event *event, enum cause cause,
					 enum owner owner)
{
	return (struct record){ .event = event, .verdict.cause = cause, .owner = owner };
}

static inline struct record end_record(const struct close_event *event, enum end end)
{
	return (struct record){ .event = event, .verdict.end = end, .owner = OWNER_CLOSER };
}

/* Nobody is known whose it is: what is told of him is as resets.c leaves it. */
static inline struct close_event of_nobody(struct close_event event)
{
	event.pid = event.tid = event.uid = 0;
	event.cgroup = 0;
	memset(event.comm, 0, sizeof(event.comm));
	return event;
}

static inline void show(const struct sink *sink, struct out *out, const struct close_event *event)
{
	struct record closed = { .event = event, .verdict = judge(event) };

	sink->record(out, &closed);
}

/* What is in a file from its beginning, to be freed. */
static inline char *contents(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, size + 1);

	if (!text || pread(fd, text, size, 0) != size)
		abort();
	return text;
}

/* The head and the record as they come out at a terminal of that width, 0: at none. To be freed. */
static inline char *shown_record(const struct sink *sink, int width, int verbose,
				 const struct record *record)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	struct out *out = out_on(fd);
	char *text;

	sink->begin(out, width, verbose);
	sink->record(out, record);
	out_flush(out);
	out_close(out);
	text = contents(fd);
	close(fd);
	return text;
}

static inline char *shown(const struct sink *sink, int width, int verbose,
			  const struct close_event *event)
{
	const struct record closed = { .event = event, .verdict = judge(event) };

	return shown_record(sink, width, verbose, &closed);
}

static inline void set_comm(struct close_event *event, const char *comm)
{
	memset(event->comm, 0, sizeof(event->comm));
	memcpy(event->comm, comm, strlen(comm));
}

static inline int lines_of(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

#endif
