// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/command.h"

static void become(char **argv)
{
	int error;

	execvp(argv[0], argv);
	error = errno;
	warn("cannot run %s", argv[0]);
	/* As shells have it. */
	_exit(error == ENOENT ? 127 : 126);
}

int command_hold(struct command *command, char **argv)
{
	int ends[2];
	char word;

	command->status = -1;
	if (pipe(ends))
		return -1;
	command->pid = fork();
	if (command->pid)
		close(ends[0]);
	if (command->pid < 0)
		return -1;
	command->go = ends[1];
	if (command->pid)
		return 0;
	close(ends[1]);
	/* Our end is closed without a word where tracing could not begin. */
	if (read(ends[0], &word, 1) != 1)
		_exit(1);
	close(ends[0]);
	become(argv);
	return -1;
}

void command_go(struct command *command)
{
	if (write(command->go, "g", 1) < 0)
		warn("cannot let the command go");
	close(command->go);
}

int command_has_ended(struct command *command)
{
	int status;

	if (command->status >= 0)
		return 1;
	if (waitpid(command->pid, &status, WNOHANG) != command->pid)
		return 0;
	command->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 1;
}
