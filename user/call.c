// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <sys/syscall.h>

#include "user/call.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* A descriptor is not closed where it is dropped: fput() leaves that to the end of the call that
 * drops the last reference, whichever that is. */
#define LATE "another thread or a copy was closed before; the last reference went at the end of "

static const struct call {
	int number;
	const char *name;
	const char *words;
} calls[] = {
	{ SYS_close, "close", "close()" },
	{ SYS_close_range, "close_range", "close_range()" },
#ifdef SYS_dup2
	{ SYS_dup2, "dup2", "dup2() of another descriptor over it" },
#endif
	{ SYS_dup3, "dup3", "dup3() of another descriptor over it" },
	{ SYS_execve, "execve", "close-on-exec: the process runs another program now" },
	{ SYS_execveat, "execveat", "close-on-exec: the process runs another program now" },
	{ SYS_io_uring_enter, "io_uring", "io_uring" },
	{ SYS_shutdown, "shutdown", LATE "shutdown()" },
	{ SYS_read, "read", LATE "read()" },
	{ SYS_readv, "readv", LATE "readv()" },
	{ SYS_write, "write", LATE "write()" },
	{ SYS_writev, "writev", LATE "writev()" },
	{ SYS_recvfrom, "recvfrom", LATE "recv()" },
	{ SYS_recvmsg, "recvmsg", LATE "recvmsg()" },
	{ SYS_recvmmsg, "recvmmsg", LATE "recvmmsg()" },
	{ SYS_sendto, "sendto", LATE "send()" },
	{ SYS_sendmsg, "sendmsg", LATE "sendmsg()" },
	{ SYS_sendmmsg, "sendmmsg", LATE "sendmmsg()" },
	{ SYS_sendfile, "sendfile", LATE "sendfile()" },
	{ SYS_splice, "splice", LATE "splice()" },
	{ SYS_connect, "connect", LATE "connect()" },
	{ SYS_accept4, "accept4", LATE "accept()" },
	{ SYS_accept, "accept", LATE "accept()" },
	{ SYS_setsockopt, "setsockopt", LATE "setsockopt()" },
	{ SYS_ppoll, "ppoll", LATE "poll()" },
	{ SYS_pselect6, "pselect6", LATE "select()" },
	{ SYS_epoll_ctl, "epoll_ctl", LATE "epoll_ctl()" },
#ifdef SYS_poll
	{ SYS_poll, "poll", LATE "poll()" },
	{ SYS_select, "select", LATE "select()" },
#endif
};

static const struct call io_worker = { .name = "io_uring", .words = "io_uring, in a thread of its own" };
/* It closes what it was asked to at its end, or what the process had open: one cannot tell. */
static const struct call ending_io_worker = { .words = "a thread of io_uring, at its end" };
static const struct call exits = { .name = "exit", .words = "the end of the process" };

static const struct call *call_of(const struct close_event *close)
{
	bool exiting = close->context == CONTEXT_EXIT;

	if (close->call == CALL_IO_WORKER)
		return exiting ? &ending_io_worker : &io_worker;
	if (exiting)
		return &exits;
	for (size_t i = 0; i < COUNT(calls); i++)
		if (close->call == calls[i].number + 1)
			return &calls[i];
	return NULL;
}

const char *call_name(const struct close_event *close)
{
	const struct call *call = call_of(close);

	return call ? call->name : NULL;
}

const char *call_by_index(unsigned int i)
{
	if (i < COUNT(calls))
		return calls[i].name;
	return i == COUNT(calls) ? exits.name : NULL;
}

const char *call_words(const struct close_event *close)
{
	const struct call *call = call_of(close);

	if (!call && close->context == CONTEXT_KERNEL)
		return "a kernel thread";
	return call ? call->words : NULL;
}

bool call_is_exec(__u16 call)
{
	return call == SYS_execve + 1 || call == SYS_execveat + 1;
}
