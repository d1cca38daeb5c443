// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/spaces.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define ALL_FOUND    ((1U << RECONCILED_COUNT) - 1)

/* A hook runs so long before or after its counter moves, at most, and a reading takes as long:
 * what is nearer to a reading may be on either side of it. */
#define NEAR_NS 1000000

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* At place, those above it move up.  NULL: no memory. */
static struct space *insert(struct space_list *list, size_t place)
{
	struct space *grown;
	size_t room;

	if (list->count == list->room) {
		room = list->room ? list->room * 2 : 16;
		grown = realloc(list->at, room * sizeof(*grown));
		if (!grown)
			return NULL;
		list->at = grown;
		list->room = room;
	}
	memmove(&list->at[place + 1], &list->at[place], (list->count - place) * sizeof(*list->at));
	list->count++;
	list->at[place] = (struct space){ .look_ns = UINT64_MAX };
	return &list->at[place];
}

/* The first that is not below it. */
static size_t place_of(const struct space_list *known, uint32_t netns)
{
	size_t low = 0, high = known->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (known->at[middle].netns < netns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct space *spaces_find(struct spaces *spaces, uint32_t netns)
{
	size_t place = place_of(&spaces->known, netns);
	struct space *space;

	if (place < spaces->known.count && spaces->known.at[place].netns == netns)
		return &spaces->known.at[place];
	space = insert(&spaces->known, place);
	if (!space)
		return NULL;
	space->netns = netns;
	if (spaces->look > 1)
		space->look_ns = spaces->end_ns;
	return space;
}

static struct space *by_inode(struct space_list *list, uint64_t inode)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].inode == inode)
			return &list->at[i];
	return NULL;
}

/* ---- finding and reading them -------------------------------------------------- */

static FILE *open_file(int proc, const char *process, const char *file)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", process, file);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* 0: it is not there, or not for us. */
static uint64_t inode_of(int proc, const char *process, const char *file)
{
	struct stat stat;
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", process, file);
	return fstatat(proc, path, &stat, 0) ? 0 : stat.st_ino;
}

/* Through this process, if it is in this namespace still. */
static bool read_counters(int proc, const char *process, uint64_t inode,
			  uint64_t values[COUNTERS_COUNT])
{
	static const char *const files[] = { "net/snmp", "net/netstat" };
	struct stat stat = { 0 };
	uint32_t found = 0;
	FILE *file;

	for (size_t i = 0; i < COUNT(files); i++) {
		file = open_file(proc, process, files[i]);
		if (!file)
			return false;
		if (!i)
			fstat(fileno(file), &stat);
		found |= mib_parse(file, values);
		fclose(file);
	}
	return stat.st_ino == inode && (found & ALL_FOUND) == ALL_FOUND;
}

static void read_space(struct spaces *spaces, struct space *space, const char *process)
{
	uint64_t values[COUNTERS_COUNT] = { 0 }, time_ns = now_ns();

	if (!read_counters(spaces->proc, process, space->inode, values))
		return;
	space->look = spaces->look;
	memcpy(space->now, values, sizeof(values));
	if (spaces->look == 1) {
		space->base_ns = time_ns;
		memcpy(space->base, values, sizeof(values));
	} else {
		space->look_ns = time_ns;
	}
}

static struct space *add_space(struct spaces *spaces, const char *process, uint64_t inode)
{
	uint32_t netns = 0;
	struct space *space;

	if (spaces->look == 1)
		netns = inode_of(spaces->proc, process, "ns/net");
	if (spaces->netns && netns != spaces->netns)
		return NULL;
	space = netns ? spaces_find(spaces, netns) : insert(&spaces->young, spaces->young.count);
	if (space)
		space->inode = inode;
	return space;
}

/* net/snmp has another inode in each namespace, and is everybody's to see; ns/net is not. */
static void visit(struct spaces *spaces, const char *process)
{
	uint64_t inode = inode_of(spaces->proc, process, "net/snmp");
	struct space *space;

	if (!inode)
		return;
	space = by_inode(&spaces->known, inode);
	if (!space)
		space = by_inode(&spaces->young, inode);
	if (!space)
		space = add_space(spaces, process, inode);
	if (space && space->look != spaces->look)
		read_space(spaces, space, process);
}

static void visit_all(struct spaces *spaces)
{
	int fd = openat(spaces->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *proc = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	visit(spaces, "self");
	while (proc && (entry = readdir(proc)))
		if (strtoul(entry->d_name, NULL, 10))
			visit(spaces, entry->d_name);
	if (proc)
		closedir(proc);
}

/* "... net:[4026532301] /run/netns/name ... - nsfs ..." */
static void find_idle(struct spaces *spaces)
{
	FILE *mounts = open_file(spaces->proc, "self", "mountinfo");
	size_t size = 0, place;
	char *line = NULL;
	const char *root;
	uint32_t netns;

	while (mounts && getline(&line, &size, mounts) >= 0) {
		root = strstr(line, " net:[");
		if (!root || sscanf(root, " net:[%" SCNu32, &netns) != 1)
			continue;
		place = place_of(&spaces->known, netns);
		if (place == spaces->known.count || spaces->known.at[place].netns != netns)
			spaces->idle = true;
	}
	free(line);
	if (mounts)
		fclose(mounts);
}

/* What came after the last look came before this one. */
static void begin_look(struct spaces *spaces)
{
	struct space *space;

	spaces->look++;
	spaces->end_ns = now_ns();
	for (size_t i = 0; i < spaces->known.count; i++) {
		space = &spaces->known.at[i];
		for (int j = 0; j < RECONCILED_COUNT; j++)
			space->recorded[j] += space->later[j];
		memset(space->later, 0, sizeof(space->later));
		memset(space->near_look, 0, sizeof(space->near_look));
		space->look_ns = spaces->end_ns;
	}
}

void spaces_look(struct spaces *spaces)
{
	begin_look(spaces);
	visit_all(spaces);
}

int spaces_open(struct spaces *spaces, const char *proc, uint32_t netns)
{
	*spaces = (struct spaces){ .netns = netns, .look = 1 };
	spaces->begin_ns = spaces->end_ns = now_ns();
	spaces->proc = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spaces->proc < 0)
		return -1;
	visit_all(spaces);
	find_idle(spaces);
	return 0;
}

void spaces_close(struct spaces *spaces)
{
	if (spaces->proc >= 0)
		close(spaces->proc);
	free(spaces->known.at);
	free(spaces->young.at);
}

/* ---- what is recorded of them ------------------------------------------------- */

static bool is_near(uint64_t time_ns, uint64_t other_ns)
{
	return (time_ns > other_ns ? time_ns - other_ns : other_ns - time_ns) <= NEAR_NS;
}

static void count_move(struct space *space, enum counter counter, uint64_t time_ns)
{
	space->near_base[counter] += is_near(time_ns, space->base_ns);
	space->near_look[counter] += is_near(time_ns, space->look_ns);
	if (time_ns > space->look_ns)
		space->later[counter]++;
	else if (time_ns >= space->base_ns)
		space->recorded[counter]++;
}

void space_count(struct space *space, uint32_t moved, uint64_t time_ns)
{
	for (int i = 0; i < RECONCILED_COUNT; i++)
		if (moved >> i & 1)
			count_move(space, i, time_ns);
}

/* ---- what they come to --------------------------------------------------------- */

uint64_t space_moved(const struct space *space, enum counter counter)
{
	return space->now[counter] - space->base[counter];
}

/* A number may be given anew: counters that went back are another namespace's. */
bool spaces_can_read(const struct spaces *spaces, const struct space *space)
{
	if (space->look != spaces->look || (space->netns && !space->base_ns))
		return false;
	for (int i = 0; i < COUNTERS_COUNT; i++)
		if (space->now[i] < space->base[i])
			return false;
	return true;
}

static void add_counters(struct space *sum, const struct space *space)
{
	for (int i = 0; i < COUNTERS_COUNT; i++) {
		sum->base[i] += space->base[i];
		sum->now[i] += space->now[i];
	}
}

static void add_records(struct space *sum, const struct space *space)
{
	for (int i = 0; i < RECONCILED_COUNT; i++) {
		sum->recorded[i] += space->recorded[i];
		sum->near_look[i] += space->near_look[i];
		sum->unknown[i] += space->unknown[i];
	}
	sum->mptcp += space->mptcp;
}

size_t spaces_sum_young(const struct spaces *spaces, struct space *sum)
{
	size_t readable = 0, recorded = 0;

	*sum = (struct space){ .was_idle = spaces->idle };
	for (size_t i = 0; i < spaces->young.count; i++) {
		if (!spaces_can_read(spaces, &spaces->young.at[i]))
			continue;
		add_counters(sum, &spaces->young.at[i]);
		readable++;
	}
	for (size_t i = 0; i < spaces->known.count; i++) {
		if (spaces->known.at[i].inode)
			continue;
		add_records(sum, &spaces->known.at[i]);
		recorded++;
	}
	sum->was_left = recorded > readable;
	return readable;
}
