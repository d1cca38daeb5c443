// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "user/counts.h"
#include "user/summary.h"

/* Each takes some hundred bytes, and a hundred more for each processor. */
static const struct {
	const char *names[2]; /* by generation */
	unsigned int rows;
} kinds[TABLE_COUNT] = {
	[TABLE_VERDICTS] = { { "verdicts", "verdicts_too" }, 2048 },
	[TABLE_PROCESSES] = { { "processes", "processes_too" }, 2048 },
	[TABLE_PEERS] = { { "peers", "peers_too" }, 4096 },
	[TABLE_OTHERS] = { { "others", "others_too" }, TABLE_COUNT },
};

static int prepare(struct bpf_object *object, const char *name, bool counting, unsigned int rows)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);
	int error = map ? bpf_map__set_autocreate(map, counting) : -ENOENT;

	return error || !rows ? error : bpf_map__set_max_entries(map, rows);
}

int counts_prepare(struct bpf_object *object, bool counting)
{
	int error = prepare(object, "tables", counting, 0);

	for (int i = 0; !error && i < 2 * TABLE_COUNT; i++)
		error = prepare(object, kinds[i / 2].names[i % 2], counting, kinds[i / 2].rows);
	return error;
}

/* Room for one row: a sums for each processor that there could be. */
struct per_cpu {
	struct sums *parts;
	int count;
};

static int take_row(int fd, const struct table_key *key, struct per_cpu *room, struct sums *sum)
{
	*sum = (struct sums){ 0 };
	if (bpf_map_lookup_elem(fd, key, room->parts) || bpf_map_delete_elem(fd, key))
		return -errno;
	for (int i = 0; i < room->count; i++)
		sums_add(sum, &room->parts[i]);
	return 0;
}

static int take_table(int fd, enum table table, struct per_cpu *room, counts_handler *handler,
		      void *arg)
{
	struct table_key key;
	struct sums sum;
	int error = 0;

	while (!error && !bpf_map_get_next_key(fd, NULL, &key)) {
		error = take_row(fd, &key, room, &sum);
		if (!error)
			handler(arg, table, &key, &sum);
	}
	return error || errno == ENOENT ? error : -errno;
}

/* No program counts in this generation any more once the kernel has let an update of an array of
 * maps return: maybe_wait_bpf_programs(). */
static int turn(const struct bpf_object *object, volatile struct counters *counters)
{
	int tables = bpf_object__find_map_fd_by_name(object, "tables");
	int first = bpf_object__find_map_fd_by_name(object, kinds[0].names[0]);
	__u32 zero = 0;

	counters->generation++;
	return bpf_map_update_elem(tables, &zero, &first, BPF_ANY) ? -errno : 0;
}

int counts_take(const struct bpf_object *object, volatile struct counters *counters,
		counts_handler *handler, void *arg)
{
	int generation = counters->generation & 1, error, fd;
	struct per_cpu room = { .count = libbpf_num_possible_cpus() };

	room.parts = room.count > 0 ? calloc(room.count, sizeof(*room.parts)) : NULL;
	if (!room.parts)
		return -ENOMEM;
	error = turn(object, counters);
	for (enum table table = 0; !error && table < TABLE_COUNT; table++) {
		fd = bpf_object__find_map_fd_by_name(object, kinds[table].names[generation]);
		error = take_table(fd, table, &room, handler, arg);
	}
	free(room.parts);
	return error;
}
