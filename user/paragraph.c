// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "user/paragraph.h"
#include "user/utf8.h"

void paragraph_add(struct paragraph *paragraph, const char *format, ...)
{
	size_t room = sizeof(paragraph->text) - paragraph->used;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(paragraph->text + paragraph->used, room, format, args);
	va_end(args);
	if (length > 0)
		paragraph->used += (size_t)length < room ? (size_t)length : room - 1;
}

void paragraph_add_foreign(struct paragraph *paragraph, const char *text)
{
	while (*text) {
		int length = utf8_shown(text);

		if (length)
			paragraph_add(paragraph, "%.*s", length, text);
		else
			paragraph_add(paragraph, "\\x%02x", (unsigned char)*text);
		text += length ? length : 1;
	}
}

/* Two digits at least, in the largest unit that leaves something before the point. */
void paragraph_add_bytes(struct paragraph *paragraph, uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double count = bytes / 1e3;
	int unit = 0;

	if (bytes < 1000) {
		paragraph_add(paragraph, "%" PRIu64 HARD_SPACE "byte%s", bytes, bytes == 1 ? "" : "s");
		return;
	}
	/* What would be rounded to a thousand is one of the next. */
	for (; count >= 999.5 && unit < 5; unit++)
		count /= 1e3;
	paragraph_add(paragraph, "%.*f" HARD_SPACE "%s", count < 9.95, count, units[unit]);
}

/* A character is taken for one column, as in the records. */
static int columns(const char *word, int length)
{
	int count = 0;

	for (int i = 0; i < length; i++)
		count += ((unsigned char)word[i] & 0xc0) != 0x80;
	return count;
}

static void put_word(FILE *to, const char *word, int length)
{
	for (int i = 0; i < length; i++)
		fputc(word[i] == *HARD_SPACE ? ' ' : word[i], to);
}

void paragraph_put(const char *text, FILE *to, int width, const char *mark)
{
	int indent = strlen(mark), used = indent;
	const char *word = text;

	fputs(mark, to);
	while (*word) {
		int length = strcspn(word, " "), taken = columns(word, length);

		if (used > indent && used + 1 + taken > width)
			used = fprintf(to, "\n%*s", indent, "") - 1;
		else if (used > indent)
			used += fprintf(to, " ");
		put_word(to, word, length);
		used += taken;
		word += length;
		word += *word == ' ';
	}
	fputc('\n', to);
}
