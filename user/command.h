/* SPDX-License-Identifier: GPL-2.0-only */
/* The command that is run to be traced. */
#ifndef CLOSETRACE_COMMAND_H
#define CLOSETRACE_COMMAND_H

#include <sys/types.h>

struct command {
	pid_t pid;
	int go;		/* the child waits at the other end of this */
	int status;	/* as a shell would tell it; -1: still running */
};

/* Makes the process and holds it before it becomes the command.  0 or -1 with errno. */
int command_hold(struct command *command, char **argv);
void command_go(struct command *command);

/* Looks whether it has ended; does not wait. */
int command_has_ended(struct command *command);

#endif
