// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/maps.h"
#include "user/rows.h"
#include "user/unwind.h"

#define PROCESSES 128
#define TICK_NS	  10000000	/* of /proc/PID/stat: USER_HZ is 100 */
#define ID_VALID  1		/* BPF_STACK_BUILD_ID_VALID */

struct maps {
	/* What names an address space: exec() gives a new one to the same process. */
	uint32_t pid;
	uint64_t started;
	uint64_t start_code;
	uint64_t start_stack;
	uint64_t exe_inode;
	struct area *areas;	/* by address */
	size_t count;
	Dwfl *dwfl;
	uint64_t space_name;	/* under which rows were handed over */
	uint64_t lost_ns;	/* when a file was seen to be gone */
	uint64_t used;		/* when it was asked for last, ns */
	uint64_t read;		/* when it was read last, ns */
};

static struct maps *known[PROCESSES];
static uint64_t now = 1;	/* ns, as of maps_renew() */

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **file, Elf **elf)
{
	struct binary *binary = area_binary(*userdata);

	if (!binary)
		return -1;
	*elf = binary_elf(binary);
	*file = strdup(binary_path(binary));
	return -1;
}

/* ---- one process -------------------------------------------------------------------- */

static void forget_areas(struct maps *maps)
{
	if (maps->dwfl)
		dwfl_end(maps->dwfl);
	free(maps->areas);
	maps->dwfl = NULL;
	maps->areas = NULL;
	maps->count = 0;
}

static void maps_free(struct maps *maps)
{
	if (!maps)
		return;
	/* Nobody would see it change any more. */
	rows_take_back(maps->space_name);
	forget_areas(maps);
	free(maps);
}

static void report_areas(struct maps *maps)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = find_elf,
		.find_debuginfo = symbols_find_debuginfo,
	};

	maps->dwfl = dwfl_begin(&callbacks);
	if (!maps->dwfl)
		return;
	dwfl_report_begin(maps->dwfl);
	for (size_t i = 0; i < maps->count; i++) {
		struct area *area = &maps->areas[i];
		Dwfl_Module *module;
		void **userdata;

		area->pid = maps->pid;
		area->is_exe = area->inode == maps->exe_inode;
		module = dwfl_report_module(maps->dwfl, area->path, area->begin, area->end);
		if (!module)
			continue;
		dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
		*userdata = area;
	}
	dwfl_report_end(maps->dwfl, NULL, NULL);
}

static bool is_same(const struct area *one, const struct area *other)
{
	return one->begin == other->begin && one->end == other->end && one->inode == other->inode &&
	       one->path == other->path;
}

static bool is_unchanged(const struct maps *maps, const struct area *areas, size_t count)
{
	if (!maps->dwfl || maps->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!is_same(&areas[i], &maps->areas[i]))
			return false;
	return true;
}

static bool has_area(const struct area *areas, size_t count, const struct area *area)
{
	for (size_t i = 0; i < count; i++)
		if (is_same(&areas[i], area))
			return true;
	return false;
}

/* What was there is gone: another file may lie there now, and have before this look. */
static void lose_rows(struct maps *maps, const struct area *areas, size_t count)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (has_area(areas, count, &maps->areas[i]))
			continue;
		rows_take_back(maps->space_name);
		maps->lost_ns = now_ns();
		return;
	}
}

/* Whether the process of that number is the one, and runs the same program still. */
static bool is_alive(const struct maps *maps)
{
	unsigned long long started, start_code, start_stack;
	char path[64], text[1024], *rest;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/stat", maps->pid);
	file = fopen(path, "re");
	length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file)
		fclose(file);
	text[length] = '\0';
	/* The name may have anything in it; members are counted from behind it. */
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
				      "%*d %*d %*d %*d %llu %*u %*d %*u %llu %*u %llu",
			    &started, &start_code, &start_stack) != 3)
		return false;
	return started == maps->started && start_code == maps->start_code &&
	       start_stack == maps->start_stack;
}

/* Before and after: it may run another program in between. */
static void look(struct maps *maps)
{
	struct area *areas = NULL;
	size_t count = 0;
	char path[64];
	FILE *file;

	maps->read = now;
	if (!is_alive(maps))
		return;
	snprintf(path, sizeof(path), "/proc/%u/maps", maps->pid);
	file = fopen(path, "re");
	if (file) {
		count = areas_read(file, &areas);
		fclose(file);
	}
	if (!count || !is_alive(maps) || is_unchanged(maps, areas, count)) {
		free(areas);
		return;
	}
	lose_rows(maps, areas, count);
	forget_areas(maps);
	maps->areas = areas;
	maps->count = count;
	report_areas(maps);
}

/* ---- one that nobody has seen alive ----------------------------------------------------- */

/* A child has what its parent had, until it runs another program. */
static const struct maps *parent_of(const struct maps *maps)
{
	for (size_t i = 0; i < PROCESSES; i++)
		if (known[i] && known[i]->count && known[i]->exe_inode == maps->exe_inode &&
		    known[i]->start_code == maps->start_code &&
		    known[i]->start_stack == maps->start_stack)
			return known[i];
	return NULL;
}

static void inherit(struct maps *maps, const struct maps *parent)
{
	maps->areas = malloc(parent->count * sizeof(*maps->areas));
	if (!maps->areas)
		return;
	memcpy(maps->areas, parent->areas, parent->count * sizeof(*maps->areas));
	maps->count = parent->count;
}

static void place(struct maps *maps, struct binary *binary, uint64_t begin)
{
	if (!binary || !maps->areas)
		return;
	maps->areas[maps->count++] = (struct area){
		.begin = begin, .end = begin + binary_reach(binary), .path = binary_path(binary),
		.tried = true, .binary = binary,
	};
}

/* The names come with the last one first. */
static bool path_of(const struct user_stack *user, char *path)
{
	*path = '\0';
	for (int i = USER_NAMES - 1; *user->exe[0] && i >= 0; i--) {
		size_t length = strnlen(user->exe[i], USER_NAME);

		if (!length)
			continue;
		*path++ = '/';
		path = mempcpy(path, user->exe[i], length);
		*path = '\0';
	}
	return *user->exe[0];
}

static struct binary *exe_of(const struct user_stack *user)
{
	uint64_t size = user->owner.space.end_code - user->owner.space.start_code;
	struct binary *exe = binary_by_text(user->owner.space.exe_inode, size);
	char path[USER_NAMES * (USER_NAME + 1) + 1];

	if (exe || !path_of(user, path))
		return exe;
	binary_open(area_open(path, user->owner.space.exe_inode, O_NOFOLLOW),
		    user->owner.space.exe_inode, path);
	return binary_by_text(user->owner.space.exe_inode, size);
}

/* Where the program begins, and which file the innermost address is in, is in the record; that
 * file, if it is another's too, has been seen. */
static void guess(struct maps *maps, const struct user_stack *user, uint64_t pc)
{
	struct binary *exe = exe_of(user);
	struct binary *innermost = user->id_status == ID_VALID ? binary_by_id(user->build_id) : NULL;
	uint64_t begin = innermost ? pc - binary_place(innermost, user->id_offset) : 0;

	maps->areas = calloc(2, sizeof(*maps->areas));
	if (innermost != exe && begin < maps->start_code)
		place(maps, innermost, begin);
	if (exe)
		place(maps, exe, maps->start_code - binary_text(exe));
	if (innermost != exe && begin > maps->start_code)
		place(maps, innermost, begin);
}

static void reconstruct(struct maps *maps, const struct user_stack *user)
{
	const struct maps *parent = parent_of(maps);

	if (parent)
		inherit(maps, parent);
	else if (user)
		guess(maps, user, unwind_pc(user));
	if (maps->count)
		report_areas(maps);
}

/* ---- all of them ---------------------------------------------------------------------------- */

static bool is_of(const struct maps *maps, const struct address_space *space)
{
	return maps->pid == space->pid && maps->started == space->started_ns / TICK_NS &&
	       maps->start_code == space->start_code && maps->start_stack == space->start_stack;
}

/* A free place, or that of the one that was asked for the longest time ago. */
static size_t oldest(void)
{
	size_t oldest = 0;

	for (size_t i = 0; i < PROCESSES; i++) {
		if (!known[i])
			return i;
		if (known[i]->used < known[oldest]->used)
			oldest = i;
	}
	return oldest;
}

static struct maps *add(const struct stack_owner *owner, const struct user_stack *told)
{
	const struct address_space *space = &owner->space;
	struct maps *maps = calloc(1, sizeof(*maps));
	size_t at = oldest();

	if (!maps)
		return NULL;
	maps->pid = space->pid;
	maps->started = space->started_ns / TICK_NS;
	maps->start_code = space->start_code;
	maps->start_stack = space->start_stack;
	maps->exe_inode = space->exe_inode;
	maps->space_name = owner->name;
	/* What was walked before had rows of one that is forgotten. */
	maps->lost_ns = now_ns();
	look(maps);
	if (!maps->count)
		reconstruct(maps, told);
	maps_free(known[at]);
	known[at] = maps;
	return maps;
}

struct maps *maps_of(const struct stack_owner *owner, const struct user_stack *told)
{
	struct maps *maps = NULL;

	for (size_t i = 0; !maps && i < PROCESSES; i++)
		if (known[i] && is_of(known[i], &owner->space))
			maps = known[i];
	if (!maps)
		maps = add(owner, told);
	else if (maps->read != now)
		look(maps);
	if (!maps)
		return NULL;
	maps->space_name = owner->name;
	maps->used = now;
	return maps->dwfl ? maps : NULL;
}

bool maps_were_others(const struct maps *maps, uint64_t time_ns)
{
	return time_ns <= maps->lost_ns;
}

struct area *maps_find(struct maps *maps, uint64_t address)
{
	size_t low = 0, high = maps->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (maps->areas[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == maps->count || address < maps->areas[low].begin)
		return NULL;
	area_binary(&maps->areas[low]);
	return &maps->areas[low];
}

Dwfl *maps_dwfl(struct maps *maps)
{
	return maps->dwfl;
}

static void forget_all(void)
{
	for (size_t i = 0; i < PROCESSES; i++) {
		maps_free(known[i]);
		known[i] = NULL;
	}
}

bool maps_refresh(struct maps *maps)
{
	if (maps->read == now)
		return false;
	look(maps);
	return maps->dwfl;
}

void maps_renew(void)
{
	now = now_ns();
	if (!symbols_are_many())
		return;
	forget_all();
	symbols_forget();
}

static void open_all(pid_t pid)
{
	struct area *areas;
	char path[64];
	size_t count;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	count = areas_read(file, &areas);
	fclose(file);
	for (size_t i = 0; i < count; i++) {
		areas[i].pid = pid;
		area_binary(&areas[i]);
	}
	free(areas);
}

/* The C library of the host is in nearly everybody's memory: in ours, if we are not static, and in
 * theirs who started us. */
void maps_begin(void)
{
	symbols_begin();
	open_all(getpid());
	open_all(getppid());
	open_all(1);
}

void maps_end(void)
{
	forget_all();
	symbols_forget();
}
