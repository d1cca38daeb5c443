/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test of `closetrace -- COMMAND` does as the command: `SELF --act ROLE ARGUMENT...`. */
#ifndef CLOSETRACE_COMMAND_ROLES_H
#define CLOSETRACE_COMMAND_ROLES_H

extern char self[4096];	/* this program */

/* Plays the role args[0], with what follows it.  The exit status. */
int act(char **args);

#endif
