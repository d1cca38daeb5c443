// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>

#include "user/source.h"
#include "user/symbols.h"

#define BINARIES 256
#define LONGEST	 1023
#define DEEPEST	 16	/* inlined into one another */

/* What was looked up. */
struct looked_up {
	uint64_t distance;
	bool returns;
	struct symbol symbols[];
};

struct binary {
	dev_t dev;
	ino_t ino;
	struct timespec changed;
	uint64_t inode;
	const char *path;
	Dwfl *dwfl;
	Dwfl_Module *module;
	Elf *elf;
	Dwarf_Addr start;	/* where the first segment begins, for the library */
	Dwarf_Addr end;
	uint64_t begin;		/* the same, as the file itself has it */
	uint64_t text;
	uint64_t text_size;
	bool has_id;
	uint8_t build_id[BUILD_ID_SIZE];
	void *looked_up;	/* tsearch() */
};

static struct binary *binaries[BINARIES];
static size_t count;

/* ---- texts, for good --------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

const char *symbols_keep(const char *text)
{
	static void *kept;
	char *const *found = text ? tfind(text, &kept, by_text) : NULL;
	char *copy;

	/* Nobody looks at more, and a record has to end somewhere. */
	if (text && strlen(text) > LONGEST)
		return NULL;
	if (found || !text)
		return found ? *found : NULL;
	copy = strdup(text);
	if (!copy || !tsearch(copy, &kept, by_text)) {
		free(copy);
		return NULL;
	}
	return copy;
}

/* ---- debug information -------------------------------------------------------- */

/* What debuginfod-find has fetched before lies here; the library itself would ask a server. */
static int open_cached(const char *directory, const char *below, const char *id, char **debug_file)
{
	char path[4096];
	int fd;

	if (!directory || !*directory)
		return -1;
	snprintf(path, sizeof(path), "%s%s/%s/debuginfo", directory, below, id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		*debug_file = strdup(path);
	return fd;
}

static int find_cached(Dwfl_Module *module, char **debug_file)
{
	const struct {
		const char *directory, *below;
	} caches[] = {
		{ getenv("DEBUGINFOD_CACHE_PATH"), "" },
		{ getenv("XDG_CACHE_HOME"), "/debuginfod_client" },
		{ getenv("HOME"), "/.cache/debuginfod_client" },
		{ getenv("HOME"), "/.debuginfod_client_cache" },
		{ "/var/cache", "/debuginfod_client" },
	};
	const unsigned char *bits;
	char id[2 * 64 + 1] = "";
	GElf_Addr at;
	int length = dwfl_module_build_id(module, &bits, &at), fd = -1;

	if (length <= 0 || length > 64)
		return -1;
	for (int i = 0; i < length; i++)
		sprintf(id + 2 * i, "%02x", bits[i]);
	for (size_t i = 0; fd < 0 && i < sizeof(caches) / sizeof(*caches); i++)
		fd = open_cached(caches[i].directory, caches[i].below, id, debug_file);
	return fd;
}

int symbols_find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			   const char *file, const char *link, GElf_Word crc, char **debug_file)
{
	int fd = dwfl_standard_find_debuginfo(module, userdata, name, base, file, link, crc, debug_file);

	return fd < 0 ? find_cached(module, debug_file) : fd;
}

/* ---- one file ------------------------------------------------------------------ */

static void read_segments(struct binary *binary)
{
	size_t segments = 0;
	GElf_Phdr segment;
	bool first = true;

	elf_getphdrnum(binary->elf, &segments);
	for (size_t i = 0; i < segments; i++) {
		if (!gelf_getphdr(binary->elf, i, &segment) || segment.p_type != PT_LOAD)
			continue;
		if (first)
			binary->begin = segment.p_vaddr & -(segment.p_align ? segment.p_align : 1);
		first = false;
		if (!(segment.p_flags & PF_X) || binary->text_size)
			continue;
		binary->text = segment.p_vaddr;
		binary->text_size = segment.p_filesz;
	}
}

static void read_build_id(struct binary *binary)
{
	const void *id;
	ssize_t length = dwelf_elf_gnu_build_id(binary->elf, &id);

	binary->has_id = length == BUILD_ID_SIZE;
	if (binary->has_id)
		memcpy(binary->build_id, id, BUILD_ID_SIZE);
}

static int no_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		  char **file, Elf **elf)
{
	return -1;
}

static bool load(struct binary *binary, int fd)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = no_elf,
		.find_debuginfo = symbols_find_debuginfo,
	};
	GElf_Addr bias;

	binary->dwfl = dwfl_begin(&callbacks);
	if (!binary->dwfl)
		return false;
	dwfl_report_begin(binary->dwfl);
	binary->module = dwfl_report_elf(binary->dwfl, binary->path, binary->path, fd, 0, false);
	dwfl_report_end(binary->dwfl, NULL, NULL);
	if (!binary->module)
		return false;
	dwfl_module_info(binary->module, NULL, &binary->start, &binary->end, NULL, NULL, NULL, NULL);
	binary->elf = dwfl_module_getelf(binary->module, &bias);
	if (!binary->elf)
		return false;
	read_segments(binary);
	read_build_id(binary);
	return true;
}

static void binary_free(struct binary *binary)
{
	if (binary->dwfl)
		dwfl_end(binary->dwfl);
	tdestroy(binary->looked_up, free);
	free(binary);
}

static bool is_same(const struct binary *binary, const struct stat *stat)
{
	return binary->dev == stat->st_dev && binary->ino == stat->st_ino &&
	       binary->changed.tv_sec == stat->st_mtim.tv_sec &&
	       binary->changed.tv_nsec == stat->st_mtim.tv_nsec;
}

static struct binary *binary_new(int fd, const struct stat *stat, uint64_t inode, const char *path)
{
	struct binary *binary = calloc(1, sizeof(*binary));

	if (!binary)
		return NULL;
	binary->dev = stat->st_dev;
	binary->ino = stat->st_ino;
	binary->changed = stat->st_mtim;
	binary->inode = inode;
	binary->path = symbols_keep(path);
	if (binary->path && load(binary, fd))
		return binary;
	/* The descriptor is the library's only where it took the file. */
	if (!binary->module)
		close(fd);
	binary_free(binary);
	return NULL;
}

struct binary *binary_open(int fd, uint64_t inode, const char *path)
{
	struct binary *binary = NULL;
	struct stat stat;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode)) {
		close(fd);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (is_same(binaries[i], &stat)) {
			close(fd);
			return binaries[i];
		}
	if (count < BINARIES)
		binary = binary_new(fd, &stat, inode, path);
	else
		close(fd);
	if (binary)
		binaries[count++] = binary;
	return binary;
}

bool binary_has_id(const struct binary *binary, const uint8_t *build_id)
{
	return binary->has_id && !memcmp(binary->build_id, build_id, BUILD_ID_SIZE);
}

struct binary *binary_by_id(const uint8_t *build_id)
{
	for (size_t i = 0; i < count; i++)
		if (binary_has_id(binaries[i], build_id))
			return binaries[i];
	return NULL;
}

struct binary *binary_by_text(uint64_t inode, uint64_t size)
{
	for (size_t i = 0; i < count; i++)
		if (binaries[i]->inode == inode && binaries[i]->text_size == size)
			return binaries[i];
	return NULL;
}

const char *binary_path(const struct binary *binary)
{
	return binary->path;
}

Elf *binary_elf(const struct binary *binary)
{
	return elf_begin(-1, ELF_C_READ_MMAP_PRIVATE, binary->elf);
}

uint64_t binary_reach(const struct binary *binary)
{
	return binary->end - binary->start;
}

uint64_t binary_text(const struct binary *binary)
{
	return binary->text - binary->begin;
}

uint64_t binary_place(const struct binary *binary, uint64_t offset)
{
	size_t segments = 0;
	GElf_Phdr segment;

	elf_getphdrnum(binary->elf, &segments);
	for (size_t i = 0; i < segments; i++)
		if (gelf_getphdr(binary->elf, i, &segment) && segment.p_type == PT_LOAD &&
		    offset >= segment.p_offset && offset - segment.p_offset < segment.p_filesz)
			return offset - segment.p_offset + segment.p_vaddr - binary->begin;
	return 0;
}

/* ---- what is in it --------------------------------------------------------------- */

static int by_distance(const void *a, const void *b)
{
	const struct looked_up *left = a, *right = b;

	if (left->distance != right->distance)
		return left->distance < right->distance ? -1 : 1;
	return left->returns - right->returns;
}

static struct looked_up *look_up(struct binary *binary, uint64_t distance, bool returns)
{
	Dwarf_Addr call = binary->start + distance - returns;
	struct symbol symbols[DEEPEST], *last;
	size_t count = source_of(binary->module, call, symbols, DEEPEST);
	struct looked_up *new = malloc(sizeof(*new) + count * sizeof(*symbols));
	GElf_Sym sym;

	if (!new)
		return NULL;
	last = &symbols[count - 1];
	last->name = symbols_keep(dwfl_module_addrinfo(binary->module, call, &last->offset, &sym, NULL,
						       NULL, NULL));
	for (size_t i = 0; i < count; i++) {
		symbols[i].inlined = i + 1 < count;
		symbols[i].offset += returns;
	}
	*new = (struct looked_up){ .distance = distance, .returns = returns };
	memcpy(new->symbols, symbols, count * sizeof(*symbols));
	return new;
}

const struct symbol *binary_symbol(struct binary *binary, uint64_t distance, bool returns)
{
	static const struct symbol unknown;
	struct looked_up wanted = { .distance = distance, .returns = returns }, *new, **found;

	found = tfind(&wanted, &binary->looked_up, by_distance);
	if (found)
		return (*found)->symbols;
	new = look_up(binary, distance, returns);
	if (new && tsearch(new, &binary->looked_up, by_distance))
		return new->symbols;
	free(new);
	return &unknown;
}

/* ---- all of them -------------------------------------------------------------------- */

void symbols_begin(void)
{
	struct rlimit limit;

	/* Nothing is asked of a server. */
	unsetenv("DEBUGINFOD_URLS");
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

bool symbols_are_many(void)
{
	return count == BINARIES;
}

void symbols_forget(void)
{
	while (count)
		binary_free(binaries[--count]);
}
