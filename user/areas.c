// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/areas.h"

#define DELETED	  " (deleted)"

/* ---- /proc/PID/maps -------------------------------------------------------------- */

struct line {
	unsigned long begin, end, offset, inode;
	char perms[5];
	const char *path;
};

static bool parse(char *text, struct line *line)
{
	unsigned int major, minor;
	int path = 0;

	if (sscanf(text, "%lx-%lx %4s %lx %x:%x %lu %n", &line->begin, &line->end, line->perms,
		   &line->offset, &major, &minor, &line->inode, &path) != 7 || !path)
		return false;
	text[strcspn(text, "\n")] = '\0';
	line->path = text + path;
	return line->inode && *line->path == '/';
}

/* The beginning of a file in memory; what follows of the same file belongs to it. */
static bool continues(const struct area *last, const struct line *line)
{
	return last && line->offset && last->inode == line->inode && !strcmp(last->path, line->path);
}

static struct area *add_area(struct area **areas, size_t *count, const struct line *line)
{
	struct area *grown;

	if (!(*count & (*count - 1))) {
		grown = reallocarray(*areas, *count ? 2 * *count : 1, sizeof(*grown));
		if (!grown)
			return NULL;
		*areas = grown;
	}
	grown = &(*areas)[*count];
	*grown = (struct area){ .begin = line->begin, .inode = line->inode,
				.path = symbols_keep(line->path) };
	if (!grown->path)
		return NULL;
	++*count;
	return grown;
}

static void extend(struct area *area, const struct line *line)
{
	area->end = line->end;
	if (line->perms[2] != 'x' || area->text_end)
		return;
	area->text_begin = line->begin;
	area->text_end = line->end;
}

/* The last one, if it turns out to have none: it is nothing to us. */
static void drop_without_code(const struct area *areas, size_t *count)
{
	if (*count && !areas[*count - 1].text_end)
		--*count;
}

size_t areas_read(FILE *file, struct area **areas)
{
	struct area *last = NULL;
	size_t count = 0, room = 0;
	char *text = NULL;
	struct line line;

	*areas = NULL;
	while (getline(&text, &room, file) > 0) {
		if (!parse(text, &line))
			continue;
		if (!continues(last, &line)) {
			drop_without_code(*areas, &count);
			last = line.offset ? NULL : add_area(areas, &count, &line);
		}
		if (last)
			extend(last, &line);
	}
	drop_without_code(*areas, &count);
	free(text);
	return count;
}

/* ---- the files -------------------------------------------------------------------- */

/* Nothing is opened to be read before it is known to be that file: others are devices and pipes. */
int area_open(const char *path, uint64_t inode, int flags)
{
	int place = open(path, O_PATH | O_CLOEXEC | flags), fd = -1;
	struct stat stat;
	char again[64];

	if (place < 0)
		return -1;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", place);
	if (!fstat(place, &stat) && S_ISREG(stat.st_mode) && stat.st_ino == inode)
		fd = open(again, O_RDONLY | O_CLOEXEC);
	close(place);
	return fd;
}

/* The first is the file itself, whatever has become of its name, but takes CAP_CHECKPOINT_RESTORE;
 * the second is the same for the program alone; the third is as the process sees it, be it in a
 * container; the last is for one that has gone. */
static int open_area(const struct area *area)
{
	size_t length = strlen(area->path);
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", area->pid,
		 (unsigned long)area->text_begin, (unsigned long)area->text_end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/exe", area->pid);
	fd = area->is_exe ? area_open(path, area->inode, 0) : -1;
	if (fd >= 0)
		return fd;
	if (length > strlen(DELETED) && !strcmp(area->path + length - strlen(DELETED), DELETED))
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/root%s", area->pid, area->path);
	fd = area_open(path, area->inode, O_NOFOLLOW);
	return fd < 0 ? area_open(area->path, area->inode, O_NOFOLLOW) : fd;
}

struct binary *area_binary(struct area *area)
{
	if (!area->tried)
		area->binary = binary_open(open_area(area), area->inode, area->path);
	area->tried = true;
	return area->binary;
}
