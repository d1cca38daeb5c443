// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/procs.h"

/* The kernel's first PID namespace has a fixed number (PROC_PID_INIT_INO). */
#define HOST_PID_NAMESPACE 0xeffffffcU
/* The kernel's own, where a pointer has 64 bits (PID_MAX_LIMIT). */
#define PID_LIMIT (4 << 20)

bool procs_are_hosts(void)
{
	struct stat ns;

	return !stat("/proc/self/ns/pid", &ns) && ns.st_ino == HOST_PID_NAMESPACE;
}

/* The second word after the name, which may hold anything, parentheses too.  0: it has gone. */
static pid_t parent_of(const char *pid)
{
	char path[300], text[512], *name_end;
	size_t size = 0;
	int parent = 0;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	stat = fopen(path, "re");
	if (stat) {
		size = fread(text, 1, sizeof(text) - 1, stat);
		fclose(stat);
	}
	text[size] = '\0';
	name_end = strrchr(text, ')');
	if (name_end)
		sscanf(name_end, ") %*c %d", &parent);
	return parent;
}

pid_t procs_parent(pid_t pid)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	return parent_of(name);
}

/* A bit a process. */
static bool is_in(const uint8_t *set, unsigned long pid)
{
	return pid < PID_LIMIT && set[pid / 8] >> pid % 8 & 1;
}

static void put_in(uint8_t *set, unsigned long pid)
{
	if (pid < PID_LIMIT)
		set[pid / 8] |= 1 << pid % 8;
}

/* Calls for each process that is not in the family while its parent is, and puts it in. */
static int grow(uint8_t *family, bool *grown, int (*call)(void *arg, pid_t child), void *arg)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int error = 0;

	*grown = false;
	while (proc && !error && (entry = readdir(proc))) {
		unsigned long pid = strtoul(entry->d_name, NULL, 10);

		if (!pid || is_in(family, pid) || !is_in(family, parent_of(entry->d_name)))
			continue;
		put_in(family, pid);
		*grown = true;
		error = call(arg, pid);
	}
	if (proc)
		closedir(proc);
	return error;
}

/* By /proc/PID/stat, for not every kernel has the lists of children (CONFIG_PROC_CHILDREN).
 * Again until nobody is new: a child that was born before its parent was called for, and
 * after its place in /proc had gone by, is there the next time. */
int procs_children(pid_t pid, int (*call)(void *arg, pid_t child), void *arg)
{
	uint8_t *family = calloc(PID_LIMIT / 8, 1);
	bool grown = family != NULL;
	int error = family ? 0 : -ENOMEM;

	if (family)
		put_in(family, pid);
	while (grown && !error)
		error = grow(family, &grown, call, arg);
	free(family);
	return error;
}
