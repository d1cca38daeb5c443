// SPDX-License-Identifier: GPL-2.0-only
/* Whose code it is: says itself where it calls close(); SO_LINGER is set on the line before. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/stack/drop.h"

volatile int dropped;

static void say(const char *name, const void *function, int line)
{
	printf("%s %p %d\n", name, function, line);
	fflush(stdout);
}

__attribute__((noinline)) void drop(int fd)
{
	static const struct linger zero = { .l_onoff = 1 };

	say("drop", drop, __LINE__ + 2);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero));
	close(fd);
	dropped++;
}

__attribute__((noinline)) void serve(int fd)
{
	say("serve", serve, __LINE__ + 1);
	drop(fd);
	dropped++;
	say("done", serve, 0);
}
