// SPDX-License-Identifier: GPL-2.0-only
/* Against the tables of the Unicode standard, 3-6 and 3-7. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/utf8.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* Table 3-6.  Returns the length. */
static int encode(uint32_t character, char *text)
{
	int length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

	for (int i = length - 1; i > 0; i--, character >>= 6)
		text[i] = 0x80 | (character & 0x3f);
	text[0] = length == 1 ? character : (0xf00 >> length & 0xff) | character;
	text[length] = '\0';
	return length;
}

static bool is_scalar(uint32_t character)
{
	return character <= 0x10ffff && (character < 0xd800 || character > 0xdfff);
}

static void reads_every_character(void **state)
{
	char text[5];

	for (uint32_t wanted = 1; wanted <= 0x10ffff; wanted++) {
		uint32_t character = 0;
		int length = encode(wanted, text);

		if (!is_scalar(wanted))
			continue;
		if (utf8_next(text, &character) != length || character != wanted)
			fail_msg("U+%04X", wanted);
	}
}

/* Table 3-7: the second byte is where it is narrower than 80..BF. */
static int well_formed(const unsigned char *byte)
{
	/* clang-format off */
	static const struct {
		unsigned char first, last, least, most;
		int length;
	} rows[] = {
		{ 0x00, 0x7f, 0x00, 0xff, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (byte[0] < rows[i].first || byte[0] > rows[i].last)
			continue;
		if (byte[1] < rows[i].least || byte[1] > rows[i].most)
			return 0;
		for (int at = 2; at < rows[i].length; at++)
			if (byte[at] < 0x80 || byte[at] > 0xbf)
				return 0;
		return rows[i].length;
	}
	return 0;
}

static void is_read_as_the_table_says(const unsigned char *bytes)
{
	uint32_t character;
	int length = utf8_next((const char *)bytes, &character);

	if (length != well_formed(bytes))
		fail_msg("%02x %02x %02x %02x: %d", bytes[0], bytes[1], bytes[2], bytes[3], length);
}

/* Every pair of first bytes, with the edges of what may follow. */
static void refuses_all_that_is_broken(void **state)
{
	static const unsigned char edges[] = { 0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff };

	for (unsigned int pair = 0; pair < 0x10000; pair++)
		for (size_t edge = 0; edge < COUNT(edges) * COUNT(edges); edge++) {
			const unsigned char bytes[] = { pair >> 8, pair, edges[edge / COUNT(edges)],
							edges[edge % COUNT(edges)], 0 };

			is_read_as_the_table_says(bytes);
		}
}

static void names_the_broken_by_hand(void **state)
{
	/* clang-format off */
	static const char *const broken[] = {
		"\x80", "\xbf",				/* what continues nothing */
		"\xc3", "\xe2\x82", "\xf0\x9f\x98",	/* cut off by the end */
		"\xc3(", "\xe2\x82(", "\xf0\x9f\x98(",	/* and by another character */
		/* overlong */
		"\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
		"\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf",		/* surrogates */
		/* beyond U+10FFFF */
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf7\xbf\xbf\xbf",
		"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff",
	};
	/* clang-format on */
	uint32_t character;

	for (size_t i = 0; i < COUNT(broken); i++)
		if (utf8_next(broken[i], &character))
			fail_msg("row %zu", i);
}

/* The text ends where the page ends; the next one cannot be read. */
static void stops_at_the_end(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t character;

	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	memset(pages, 0xbf, page);
	pages[page - 1] = '\0';
	for (unsigned int lead = 0x80; lead <= 0xff; lead++) {
		pages[page - 2] = lead;
		assert_int_equal(utf8_next(pages + page - 2, &character), 0);
	}
	pages[page - 2] = 0x90;
	for (unsigned int lead = 0xe0; lead <= 0xff; lead++) {
		pages[page - 3] = lead;
		assert_int_equal(utf8_next(pages + page - 3, &character), 0);
	}
	pages[page - 3] = 0x90;
	for (unsigned int lead = 0xf0; lead <= 0xff; lead++) {
		pages[page - 4] = lead;
		assert_int_equal(utf8_next(pages + page - 4, &character), 0);
	}
	munmap(pages, 2 * page);
}

static void knows_what_a_terminal_obeys(void **state)
{
	/* clang-format off */
	static const uint32_t harmful[] = {
		0x1b, 0x7f, 0x80, 0x85, 0x9b, 0x9d, 0x9f,	/* ESC, DEL, C1 with CSI and OSC */
		0x061c, 0x200e, 0x200f,				/* marks of direction */
		0x202a, 0x202b, 0x202c, 0x202d, 0x202e,		/* embeddings and overrides */
		0x2066, 0x2067, 0x2068, 0x2069,			/* isolates */
		0x2028, 0x2029, 0x200b, 0x2060, 0xfeff,		/* lines, no width */
		0xe0001, 0xe0041, 0xe007f,			/* tags */
	};
	static const uint32_t harmless[] = {
		' ', '~', 0xa0, 0xe9, 0x0416, 0x05d0, 0x0627, 0x061b, 0x061d, 0x2010, 0x2027, 0x202f,
		0x20ac, 0x4e2d, 0xd55c, 0xfefe, 0xff01, 0x1f600, 0x10fffd,
	};
	/* clang-format on */

	for (uint32_t character = 0; character < ' '; character++)
		assert_false(utf8_is_harmless(character));
	for (uint32_t character = ' '; character < 0x7f; character++)
		assert_true(utf8_is_harmless(character));
	for (uint32_t character = 0x7f; character < 0xa0; character++)
		assert_false(utf8_is_harmless(character));
	for (size_t i = 0; i < COUNT(harmful); i++)
		if (utf8_is_harmless(harmful[i]))
			fail_msg("U+%04X", harmful[i]);
	for (size_t i = 0; i < COUNT(harmless); i++)
		if (!utf8_is_harmless(harmless[i]))
			fail_msg("U+%04X", harmless[i]);
}

/* A byte that it takes for plain needs no escape in either output. */
static void plain_is_what_nobody_escapes(void **state)
{
	for (unsigned int byte = 1; byte < 256; byte++) {
		const char text[] = { 'a', byte, 'z', '\0' };
		bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';

		if (utf8_plain(text) != (plain ? 3 : 1) || utf8_plain(text + 1) != (plain ? 2 : 0))
			fail_msg("%02x", byte);
	}
	assert_int_equal(utf8_plain(""), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_character),
		cmocka_unit_test(refuses_all_that_is_broken),
		cmocka_unit_test(names_the_broken_by_hand),
		cmocka_unit_test(stops_at_the_end),
		cmocka_unit_test(knows_what_a_terminal_obeys),
		cmocka_unit_test(plain_is_what_nobody_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
