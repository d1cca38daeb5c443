// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "user/procs.h"

/* The kernel's first PID namespace has a fixed number (PROC_PID_INIT_INO). */
#define HOST_PID_NAMESPACE 0xeffffffcU

bool procs_are_hosts(void)
{
	struct stat ns;

	return !stat("/proc/self/ns/pid", &ns) && ns.st_ino == HOST_PID_NAMESPACE;
}

/* One file a thread: children hang on the thread that made them. */
static FILE *children_of(pid_t pid, const char *thread)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%.10s/children", pid, thread);
	return fopen(path, "re");
}

static int call_children(FILE *children, int (*call)(void *arg, pid_t child), void *arg)
{
	int child, error = 0;

	while (!error && fscanf(children, "%d", &child) == 1) {
		error = call(arg, child);
		if (!error)
			error = procs_children(child, call, arg);
	}
	return error;
}

int procs_children(pid_t pid, int (*call)(void *arg, pid_t child), void *arg)
{
	struct dirent *thread;
	char path[32];
	int error = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	while (threads && !error && (thread = readdir(threads))) {
		FILE *children = thread->d_name[0] == '.' ? NULL : children_of(pid, thread->d_name);

		if (!children)
			continue;
		error = call_children(children, call, arg);
		fclose(children);
	}
	if (threads)
		closedir(threads);
	return error;
}
