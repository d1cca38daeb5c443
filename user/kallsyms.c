// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "user/kallsyms.h"

#define FARTHEST (1 << 20)	/* no function is longer: beyond is what has no symbol */

static struct {
	struct kernel_symbol *all;	/* by address */
	size_t count;
	size_t room;
} table;
static FILE *unread;

static int by_address(const void *a, const void *b)
{
	const struct kernel_symbol *left = a, *right = b;

	return left->begin < right->begin ? -1 : left->begin > right->begin;
}

static bool add(uint64_t address, const char *name, const char *module)
{
	struct kernel_symbol *grown;

	if (table.count == table.room) {
		size_t room = table.room ? 2 * table.room : 1 << 16;

		grown = reallocarray(table.all, room, sizeof(*grown));
		if (!grown)
			return false;
		table.all = grown;
		table.room = room;
	}
	table.all[table.count++] = (struct kernel_symbol){ address, name, module };
	return true;
}

/* They come module by module. */
static const char *module_of(const char *bracket)
{
	static const char *last = "kernel";
	size_t length = bracket ? strcspn(bracket + 1, "]\n") : 0;

	if (!bracket)
		return "kernel";
	if (strlen(last) != length || memcmp(last, bracket + 1, length))
		last = strndup(bracket + 1, length);
	return last ? last : (last = "kernel");
}

/* "ffffffff81000000 t name", and "[module]" behind what is not the kernel's own. */
static void add_line(const char *line)
{
	char *rest;
	uint64_t address = strtoull(line, &rest, 16);
	const char *name = rest + 3;

	if (!address || strlen(rest) < 4 || !strchr("tTwW", rest[1]))
		return;
	name = strndup(name, strcspn(name, " \t\n"));
	if (name && !add(address, name, module_of(strchr(rest, '['))))
		free((char *)name);
}

void kallsyms_read(FILE *symbols)
{
	char line[512];

	while (table.count)
		free((char *)table.all[--table.count].name);
	while (fgets(line, sizeof(line), symbols))
		add_line(line);
	if (table.count)
		qsort(table.all, table.count, sizeof(*table.all), by_address);
}

void kallsyms_open(void)
{
	unread = fopen("/proc/kallsyms", "re");
}

void kallsyms_close(void)
{
	if (unread)
		fclose(unread);
	unread = NULL;
}

/* What a call returns to lies behind it, so it may be the first byte after its function. */
const struct kernel_symbol *kallsyms_find(uint64_t address, bool returns)
{
	size_t low = 0, high;

	if (unread)
		kallsyms_read(unread);
	kallsyms_close();
	high = table.count;
	address -= returns;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (table.all[middle].begin <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - table.all[low - 1].begin > FARTHEST)
		return NULL;
	return &table.all[low - 1];
}
