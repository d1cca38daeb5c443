// SPDX-License-Identifier: GPL-2.0-only
/* Whose code it is: says itself where it calls close(). */
#include <stdio.h>
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
	say("drop", drop, __LINE__ + 1);
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
