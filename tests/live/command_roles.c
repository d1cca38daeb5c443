// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/command_roles.h"
#include "tests/live/live.h"

#define NOBODY 65534

extern char **environ;

char self[4096];

/* The first thing that it does is a close: none may be missed. */
static void close_some(int count)
{
	for (int i = 0; i < count; i++)
		close_unconnected();
	printf("%d %d\n", getpid(), count);
	fflush(stdout);
}

static int some(char **args)
{
	close_some(atoi(args[0]));
	return 0;
}

/* The child by fork(), the grandchild by another program. */
static int tree(char **args)
{
	char *again[] = { self, "--act", "some", "4", NULL };
	pid_t child, grandchild;

	close_some(3);
	child = fork();
	if (child)
		return waitpid(child, NULL, 0) < 0;
	close_some(2);
	if (posix_spawn(&grandchild, self, NULL, NULL, again, environ))
		return 1;
	return waitpid(grandchild, NULL, 0) < 0;
}

static int end_with(char **args)
{
	return atoi(args[0]);
}

static int die_of(char **args)
{
	raise(atoi(args[0]));
	return 0;
}

static int copy(char **args)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
		if (write(STDOUT_FILENO, bytes, got) != got)
			return 1;
	return 0;
}

static void show_file(const char *path, const char *begin)
{
	FILE *file = fopen(path, "re");
	char text[512];

	while (file && fgets(text, sizeof(text), file))
		if (!strncmp(text, begin, strlen(begin)))
			fputs(text, stdout);
	if (file)
		fclose(file);
}

/* Its sum: the values are nothing to print. */
static unsigned long environment(void)
{
	unsigned long sum = 5381;

	for (char **variable = environ; *variable; variable++)
		for (const char *at = *variable; *at; at++)
			sum = sum * 33 + *at;
	return sum;
}

/* All that a command can inherit. */
static int show(char **args)
{
	DIR *fds = opendir("/proc/self/fd");
	struct dirent *fd;

	while ((fd = readdir(fds)))
		printf("fd %s\n", fd->d_name);
	closedir(fds);
	show_file("/proc/self/status", "SigBlk");
	show_file("/proc/self/status", "SigIgn");
	show_file("/proc/self/status", "SigCgt");
	show_file("/proc/self/limits", "");
	printf("environment %lx, session %d, group %d, umask %o\n", environment(), getsid(0),
	       getpgrp(), umask(0));
	return 0;
}

static int say(char **args)
{
	fprintf(stderr, "the command's first action\n");
	return 0;
}

/* Says that it is there, and closes twice more when the pipe that it is given ends. */
static int linger(char **args)
{
	char byte;

	close_some(1);
	if (read(atoi(args[0]), &byte, 1) < 0)
		return 1;
	close_unconnected();
	close_unconnected();
	return 5;
}

/* Leaves a process of another session behind, which does the same. */
static int leave_behind(char **args)
{
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fork())
		return 0;
	setsid();
	dup2(nowhere, STDIN_FILENO);
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	return linger(args);
}

static volatile sig_atomic_t interrupts;

static void count_interrupt(int signal)
{
	interrupts++;
}

/* Tells of the first SIGINT; how many there were when SIGTERM comes is its status. */
static int count_interrupts(char **args)
{
	sigset_t both, before;
	int got;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	sigprocmask(SIG_BLOCK, &both, &before);
	signal(SIGINT, count_interrupt);
	puts("ready");
	fflush(stdout);
	/* SIGINT is not queued, so each is taken at once. */
	while (!sigwait(&both, &got) && got == SIGINT) {
		interrupts++;
		puts("interrupted");
		fflush(stdout);
	}
	return 10 + interrupts;
}

/* Not the test's command: closetrace as somebody without rights. */
static int as_nobody(char **args)
{
	if (setgid(NOBODY) || setuid(NOBODY))
		return 125;
	execv(args[0], args);
	return 127;
}

static const struct role {
	const char *name;
	int (*act)(char **args);
} roles[] = {
	{ "some", some },
	{ "tree", tree },
	{ "end", end_with },
	{ "die", die_of },
	{ "copy", copy },
	{ "show", show },
	{ "say", say },
	{ "linger", linger },
	{ "leave", leave_behind },
	{ "count", count_interrupts },
	{ "nobody", as_nobody },
};

int act(char **args)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (!strcmp(args[0], roles[i].name))
			return roles[i].act(args + 1);
	return 99;
}
