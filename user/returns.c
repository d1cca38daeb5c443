// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/returns.h"

#define PLACES 4096	/* KRETPROBE_MAXACTIVE_MAX */
#define GROUP "closetrace"

static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

static int open_probes(const char **root, int flags)
{
	char path[128];
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(roots) / sizeof(*roots); i++) {
		*root = roots[i];
		snprintf(path, sizeof(path), "%s/kprobe_events", *root);
		fd = open(path, flags | O_CLOEXEC);
	}
	return fd;
}

static int command(const char *text)
{
	const char *root;
	int fd = open_probes(&root, O_WRONLY | O_APPEND), error;

	if (fd < 0)
		return -1;
	error = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return error;
}

/* Ours, and those of a run that was killed before it could remove its own. */
void returns_remove(void)
{
	char name[128], remove[160];
	const char *root;
	int fd = open_probes(&root, O_RDONLY), pid;
	FILE *probes = fd < 0 ? NULL : fdopen(fd, "r");

	/* "r4096:closetrace/name_PID function" */
	while (probes && fscanf(probes, "%*[^:]:%127s%*[^\n]", name) == 1) {
		const char *number = strrchr(name, '_');

		if (strncmp(name, GROUP "/", strlen(GROUP "/")) || !number)
			continue;
		pid = atoi(number + 1);
		if (pid != getpid() && (!kill(pid, 0) || errno != ESRCH))
			continue;
		snprintf(remove, sizeof(remove), "-:%s\n", name);
		command(remove);
	}
	if (probes)
		fclose(probes);
}

static int id_of(const char *event)
{
	char path[160];
	const char *root;
	int fd = open_probes(&root, O_RDONLY), id = -1;
	FILE *file;

	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "%s/events/" GROUP "/%s/id", root, event);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%d", &id) != 1)
		id = -1;
	fclose(file);
	return id;
}

struct bpf_link *returns_attach(const struct bpf_program *program)
{
	const char *function = strchr(bpf_program__section_name(program), '/') + 1;
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	char event[64], define[160];
	struct bpf_link *link;
	int fd;

	snprintf(event, sizeof(event), "%s_%d", bpf_program__name(program), getpid());
	snprintf(define, sizeof(define), "r%d:" GROUP "/%s %s\n", PLACES, event, function);
	if (command(define))
		return NULL;
	attr.config = id_of(event);
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link)
		close(fd);
	return link;
}
