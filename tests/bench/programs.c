// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/bench/programs.h"

/* What fdinfo tells of a descriptor; a link has the id of its program too. */
struct held {
	__u32 program_id;
	__u32 link_id;
	__u32 map_id;
	unsigned long long bytes;
};

static void read_info(struct program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program->fd, &info, &size))
		return;
	memcpy(program->name, info.name, sizeof(program->name));
	program->run_ns = info.run_time_ns;
	program->runs = info.run_cnt;
}

static struct held read_held(pid_t pid, const char *fd)
{
	struct held held = {};
	char path[64], line[128];
	FILE *info;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", pid, fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info)) {
		sscanf(line, "prog_id: %u", &held.program_id);
		sscanf(line, "link_id: %u", &held.link_id);
		sscanf(line, "map_id: %u", &held.map_id);
		sscanf(line, "memlock: %llu", &held.bytes);
	}
	if (info)
		fclose(info);
	return held;
}

static void add(struct programs *programs, const struct held *held)
{
	struct program *program = &programs->list[programs->count];

	if (held->map_id)
		programs->maps_kb += held->bytes / 1024;
	if (!held->program_id || held->link_id || programs->count == MAX_PROGRAMS)
		return;
	program->fd = bpf_prog_get_fd_by_id(held->program_id);
	if (program->fd < 0)
		return;
	read_info(program);
	programs->count++;
}

void programs_find(struct programs *programs, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	memset(programs, 0, sizeof(*programs));
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		struct held held = read_held(pid, entry->d_name);

		add(programs, &held);
	}
	if (dir)
		closedir(dir);
}

void programs_read(struct programs *programs)
{
	for (size_t i = 0; i < programs->count; i++)
		read_info(&programs->list[i]);
}

void programs_release(struct programs *programs)
{
	for (size_t i = 0; i < programs->count; i++)
		close(programs->list[i].fd);
	programs->count = 0;
}

uint64_t programs_runs(const struct programs *programs)
{
	uint64_t runs = 0;

	for (size_t i = 0; i < programs->count; i++)
		runs += programs->list[i].runs;
	return runs;
}
