// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/end_closer.h"
#include "tests/live/live.h"
#include "user/await.h"

enum { READY = 'r', CLOSE = 'c', EXIT = 'x' };

__attribute__((noreturn))
static void be_closer(const struct closer *closer, const struct pair *pair, int line)
{
	char command = READY;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, closer->comm);
	close(pair->peer);
	while (write(line, &command, 1) == 1 && read(line, &command, 1) == 1 && command == CLOSE)
		close(pair->end);
	_exit(0);
}

static bool tell(const struct closer *closer, char command)
{
	return write(closer->line, &command, 1) == 1;
}

bool closer_begin(const struct closer *closer)
{
	return tell(closer, CLOSE);
}

bool closer_await(const struct closer *closer)
{
	char done;

	return !await_poll(closer->line, POLLIN) && read(closer->line, &done, 1) == 1;
}

void closer_start(struct closer *closer, const struct pair *pair)
{
	int line[2];

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line))
		bail_out("no line: %s", strerror(errno));
	closer->pid = fork();
	if (closer->pid < 0)
		bail_out("no process: %s", strerror(errno));
	if (!closer->pid) {
		close(line[0]);
		be_closer(closer, pair, line[1]);
	}
	close(line[1]);
	closer->line = line[0];
	if (!closer_await(closer))
		bail_out("the closer is gone");
}

static void reap(struct closer *closer)
{
	close(closer->line);
	closer->line = -1;
	waitpid(closer->pid, NULL, 0);
}

bool closer_exit(struct closer *closer)
{
	bool told = tell(closer, EXIT);

	reap(closer);
	return told;
}

void closer_kill(struct closer *closer)
{
	if (closer->line < 0)
		return;
	kill(closer->pid, SIGKILL);
	reap(closer);
}
