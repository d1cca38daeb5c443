/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that code is in, and what is where in them: function, source file and line, as far as the
 * file and its debug information tell.  Nothing is downloaded.  What was looked up once is kept.
 */
#ifndef CLOSETRACE_SYMBOLS_H
#define CLOSETRACE_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include <elfutils/libdwfl.h>

#define BUILD_ID_SIZE 20

struct symbol {
	const char *name;	/* NULL: not known */
	uint64_t offset;	/* from the function's beginning */
	const char *file;	/* NULL: no debug information; the source file */
	int line;
	bool inlined;		/* into the one that follows it */
};

struct binary;

/* The ELF file behind the descriptor, which is taken over; the same that was opened before, if it
 * was.  NULL: it is none.  The inode is as the kernel's maps have it, the path for people. */
struct binary *binary_open(int fd, uint64_t inode, const char *path);

/* Those that were opened before, or NULL. */
struct binary *binary_by_id(const uint8_t *build_id);
struct binary *binary_by_text(uint64_t inode, uint64_t size);	/* of the executable segment */

const char *binary_path(const struct binary *binary);
bool binary_has_id(const struct binary *binary, const uint8_t *build_id);
Elf *binary_elf(const struct binary *binary);	/* another reference; NULL: none */

/* How it is laid out in memory: how far all segments reach, and, from the beginning of the first
 * one, where the executable one is and what is at this offset of the file. */
uint64_t binary_reach(const struct binary *binary);
uint64_t binary_text(const struct binary *binary);
uint64_t binary_place(const struct binary *binary, uint64_t offset);

/* What is at this distance from the beginning of the first segment, innermost first and with what it
 * was inlined into behind it; if that is where a call returns to, the line is the call's. */
const struct symbol *binary_symbol(struct binary *binary, uint64_t distance, bool returns);

void symbols_begin(void);	/* before the first one is opened */

/* No more can be opened before those that are have been forgotten; names that were given stay. */
bool symbols_are_many(void);
void symbols_forget(void);

/* One copy of each text, for good; NULL where it is too long for one. */
const char *symbols_keep(const char *text);

/* Where debug information is looked for: as libdwfl.h has it. */
int symbols_find_debuginfo(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			   const char *file, const char *link, GElf_Word crc, char **debug_file);

#endif
