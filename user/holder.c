// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel knows no way back from a socket to its processes, so all of /proc is walked, and
 * what was found is kept for the next: resets come in swarms.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "user/holder.h"
#include "user/judge.h"

#define SOCKET "socket:["
/* A walk takes milliseconds on a small host, more on a large one: a fifth of the time at most. */
#define REST 4

struct holding {
	uint64_t inode;
	pid_t pid;
	int fd;
};

static struct {
	struct holding *all;	/* by inode */
	size_t count;
	size_t room;
	int64_t began_us;	/* CLOCK_MONOTONIC, when the last walk began */
	int64_t next_us;	/* not another one before this */
} table;

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void add(uint64_t inode, pid_t pid, int fd)
{
	if (table.count == table.room) {
		size_t room = table.room ? 2 * table.room : 1024;
		struct holding *grown = reallocarray(table.all, room, sizeof(*grown));

		if (!grown)
			return;
		table.all = grown;
		table.room = room;
	}
	table.all[table.count++] = (struct holding){ inode, pid, fd };
}

/* 0: not a socket. */
static uint64_t socket_behind(int directory, const char *name)
{
	char target[64];
	ssize_t length = readlinkat(directory, name, target, sizeof(target) - 1);

	if (length < 0)
		return 0;
	target[length] = '\0';
	if (strncmp(target, SOCKET, strlen(SOCKET)))
		return 0;
	return strtoull(target + strlen(SOCKET), NULL, 10);
}

static void walk_process(pid_t pid)
{
	struct dirent *entry;
	char path[32];
	DIR *files;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	files = opendir(path);
	while (files && (entry = readdir(files))) {
		uint64_t inode = socket_behind(dirfd(files), entry->d_name);

		if (inode)
			add(inode, pid, atoi(entry->d_name));
	}
	if (files)
		closedir(files);
}

static int by_inode(const void *a, const void *b)
{
	const struct holding *left = a, *right = b;

	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

static void walk(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	table.count = 0;
	table.began_us = now_us();
	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0)
			walk_process(pid);
	}
	if (proc)
		closedir(proc);
	if (table.count)
		qsort(table.all, table.count, sizeof(*table.all), by_inode);
	table.next_us = now_us() + REST * (now_us() - table.began_us);
}

static const struct holding *first_of(uint64_t inode)
{
	size_t low = 0, high = table.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table.all[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table.count && table.all[low].inode == inode ? &table.all[low] : NULL;
}

static bool still_holds(const struct holding *holding)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", holding->pid, holding->fd);
	return socket_behind(AT_FDCWD, path) == holding->inode;
}

pid_t holder_known(uint64_t inode)
{
	const struct holding *end = table.all + table.count;

	for (const struct holding *at = first_of(inode); at && at < end && at->inode == inode; at++)
		if (still_holds(at))
			return at->pid;
	return 0;
}

pid_t holder_of(uint64_t inode)
{
	pid_t pid = inode ? holder_known(inode) : 0;

	if (pid || !inode || now_us() < table.next_us)
		return pid;
	walk();
	return holder_known(inode);
}

bool holder_looked_since(int64_t ms)
{
	return table.began_us >= ms * 1000;
}

void holder_hurry(void)
{
	table.next_us = 0;
}

/* ---- who that is ------------------------------------------------------------------ */

/* A name may have newlines, and is followed by one. */
static bool comm_of(pid_t pid, char *comm, size_t size)
{
	ssize_t length = -1;
	char path[32];
	int file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0) {
		length = read(file, comm, size);
		close(file);
	}
	if (length <= 0)
		return false;
	memset(comm + length - 1, 0, size - length + 1);
	return true;
}

/* The rest of the line of /proc/PID/file that begins so. */
static bool line_of(pid_t pid, const char *file, const char *begin, char *text, size_t size)
{
	bool found = false;
	char path[48];
	FILE *lines;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	lines = fopen(path, "re");
	while (lines && !found && fgets(text, size, lines))
		found = !strncmp(text, begin, strlen(begin));
	if (lines)
		fclose(lines);
	if (!found)
		return false;
	memmove(text, text + strlen(begin), strlen(text + strlen(begin)) + 1);
	text[strcspn(text, "\n")] = '\0';
	return true;
}

/* Its id is the number of its directory's inode (kernfs); another file system is there where it is
 * not the only hierarchy. */
static uint64_t cgroup_of(pid_t pid)
{
	char path[4096] = "/sys/fs/cgroup", *end = path + strlen(path);
	struct stat directory;
	struct statfs system;

	if (!line_of(pid, "cgroup", "0::", end, path + sizeof(path) - end) || stat(path, &directory) ||
	    statfs(path, &system) || system.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	return directory.st_ino;
}

bool holder_fill(struct close_event *event, pid_t pid)
{
	char comm[COMM_LEN], text[256];

	if (!comm_of(pid, comm, sizeof(comm)))
		return false;
	memcpy(event->comm, comm, sizeof(comm));
	event->pid = pid;
	event->tid = 0;
	event->uid = UID_UNKNOWN;
	if (line_of(pid, "status", "Uid:", text, sizeof(text)))
		event->uid = strtoul(text, NULL, 10);
	event->cgroup = cgroup_of(pid);
	return true;
}
