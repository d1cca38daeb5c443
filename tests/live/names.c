// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process may call itself what it likes.  In text no name may do anything to the terminal
 * or to the table; in JSON the name comes back as it was, as far as it is UTF-8.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <wchar.h>

#include "tests/live/live.h"

#define COMM_BYTES 15

/* clang-format off */
static const char *const tricky[] = {
	"\x1b[2J\x1b[31mred", "\x1b]0;title\x07", "\"quoted\"", "back\\slash", "\\x1b", "new\nline",
	"\r", "\tt\va\fb\b", "\x7f", " leading", "trailing ", "{\"event\":1}", "a,b:c", "%s%n",
	"gr\xc3\xbc\xc3\x9f", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80", "e\xcc\x81",
	"\xc2\x9b" "31m",			/* CSI in one character of C1 */
	"\xe2\x80\xae" "lmx.exe",		/* right to left */
	"\xe2\x80\x8b", "\xef\xbb\xbf",		/* nothing to be seen */
	"\xff\xfe", "\xc3", "\xc3(", "\xe2\x82", "\xe2\x82z", "\xf0\x9f\x98", /* cut off */
	"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xf0\x80\x80\x80",	/* longer than need be */
	"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",	/* no characters */
	"12345678901234\xc3\xbc",		/* the kernel cuts it in the middle */
	"123456789012345678",
};
/* clang-format on */

#define TRICKY (sizeof(tricky) / sizeof(*tricky))
#define NAMES (TRICKY + 255)

static char names[NAMES][COMM_BYTES + 1];

static void make_names(void)
{
	for (size_t i = 0; i < TRICKY; i++)
		memcpy(names[i], tricky[i], strnlen(tricky[i], COMM_BYTES));
	for (int byte = 1; byte <= 0xff; byte++)
		snprintf(names[TRICKY + byte - 1], sizeof(names[0]), "<%c>", byte);
}

/* Closes under each name, one after the other; then again under its own. */
static void close_under_each(void)
{
	char own[16];

	prctl(PR_GET_NAME, own);
	for (size_t i = 0; i < NAMES; i++) {
		if (prctl(PR_SET_NAME, names[i]))
			bail_out("no name: %s", strerror(errno));
		close_unconnected();
	}
	prctl(PR_SET_NAME, own);
}

static void note_bytes(const char *what, const char *text, size_t size)
{
	char hex[512];
	size_t used = 0;

	for (size_t i = 0; i < size && used < sizeof(hex) - 4; i++)
		used += snprintf(hex + used, sizeof(hex) - used, " %02x", (unsigned char)text[i]);
	hex[used] = '\0';
	note("%s:%s", what, hex);
}

/* ---- characters -------------------------------------------------------------------- */

/* The Unicode Standard's table of well-formed sequences, 3-7: the first byte, the second; what
 * follows is 80..bf. */
static const struct sequence {
	unsigned char first[2], second[2];
	size_t length;
} sequences[] = {
	{ { 0x01, 0x7f }, { 0x00, 0xff }, 1 },
	{ { 0xc2, 0xdf }, { 0x80, 0xbf }, 2 },
	{ { 0xe0, 0xe0 }, { 0xa0, 0xbf }, 3 },
	{ { 0xe1, 0xec }, { 0x80, 0xbf }, 3 },
	{ { 0xed, 0xed }, { 0x80, 0x9f }, 3 },
	{ { 0xee, 0xef }, { 0x80, 0xbf }, 3 },
	{ { 0xf0, 0xf0 }, { 0x90, 0xbf }, 4 },
	{ { 0xf1, 0xf3 }, { 0x80, 0xbf }, 4 },
	{ { 0xf4, 0xf4 }, { 0x80, 0x8f }, 4 },
};

static bool is_between(char byte, const unsigned char *ends)
{
	return (unsigned char)byte >= ends[0] && (unsigned char)byte <= ends[1];
}

static bool is_sequence(const struct sequence *sequence, const char *text)
{
	static const unsigned char rest[] = { 0x80, 0xbf };

	if (!is_between(text[0], sequence->first) || !is_between(text[1], sequence->second))
		return false;
	for (size_t i = 2; i < sequence->length; i++)
		if (!is_between(text[i], rest))
			return false;
	return true;
}

/* Returns the length of the character in bytes, or 0 where there is none. */
static size_t next(const char *text, wchar_t *c)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(*sequences); i++) {
		size_t length = sequences[i].length;

		if (!is_sequence(&sequences[i], text))
			continue;
		*c = length == 1 ? *text : *text & 0x7f >> length;
		for (size_t k = 1; k < length; k++)
			*c = *c << 6 | (text[k] & 0x3f);
		return length;
	}
	return 0;
}

static bool is_harmful(wchar_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static bool is_clean(const char *line)
{
	while (*line) {
		wchar_t c = 0;
		size_t length = next(line, &c);

		if (!length || (is_harmful(c) && c != '\n'))
			return false;
		line += length;
	}
	return true;
}

/* ---- JSON -------------------------------------------------------------------------- */

/* UTF-8 as it is, any other byte as U+FFFD. */
static void repaired(const char *name, char *text)
{
	while (*name) {
		wchar_t c = 0;
		size_t length = next(name, &c);

		if (!length) {
			text = stpcpy(text, "\xef\xbf\xbd");
			name++;
			continue;
		}
		text = mempcpy(text, name, length);
		name += length;
	}
	*text = '\0';
}

static void check_json(const struct run *run, const char *via)
{
	size_t wrong = 0;

	ok(json_array_size(run->records) == NAMES,
	   "%s: each of %zu names in one JSON object a line", via, NAMES);
	for (size_t i = 0; i < NAMES; i++) {
		const char *got = text_of(json_array_get(run->records, i), "comm");
		char want[64];

		repaired(names[i], want);
		if (!strcmp(got, want))
			continue;
		note_bytes("the name", names[i], strlen(names[i]));
		note_bytes("... came out", got, strlen(got));
		wrong++;
	}
	ok(!wrong, "%s: JSON gives back each name, broken bytes as U+FFFD", via);
	ok(is_clean(run->said), "%s: ... and has nothing in it that a terminal would obey", via);
}

/* ---- text -------------------------------------------------------------------------- */

/* Two names never look the same: backslashes are escaped too. */
static void shown(const char *name, char *text)
{
	while (*name) {
		wchar_t c = 0;
		size_t length = next(name, &c);

		if (!length || is_harmful(c) || c == '\\') {
			text += sprintf(text, "\\x%02x", (unsigned char)*name++);
			continue;
		}
		text = mempcpy(text, name, length);
		name += length;
	}
	*text = '\0';
}

static void check_text(const struct run *run, const char *via)
{
	size_t lines = 0, unclean = 0, wrong = 0, newlines = 0;
	char *rest = run->said, *line;

	for (const char *at = run->said; *at; at++)
		newlines += *at == '\n';
	ok(newlines == NAMES && run->said_size == strlen(run->said),
	   "%s: each of %zu names in one line of text", via, NAMES);
	while (lines < NAMES && (line = strsep(&rest, "\n"))) {
		char want[128];

		shown(names[lines], want);
		if (!is_clean(line)) {
			note_bytes("harmful", line, strlen(line));
			unclean++;
		}
		if (!strstr(line, want)) {
			note("expected \"%s\" in: %s", want,
			     is_clean(line) ? line : "a harmful line");
			wrong++;
		}
		lines++;
	}
	ok(!unclean, "%s: no name puts a control character or a broken one into the text", via);
	ok(!wrong, "%s: what cannot be shown is escaped in the text", via);
}

int main(int argc, char **argv)
{
	const char *via = argc > 1 ? argv[1] : "fentry";
	char pid[16];
	const char *as_text[] = { "./closetrace", "--via", via, "-p", pid, NULL };
	const char *as_json[] = { "-p", pid, NULL };
	struct run json, text;

	snprintf(pid, sizeof(pid), "%d", getpid());
	make_names();
	network_enter();
	run_begin(&json, via, as_json);
	run_start(&text, as_text);
	if (!run_await(&text, "closetrace: tracing"))
		bail_out("closetrace does not trace: %s", text.told);
	close_under_each();
	run_stop(&json);
	run_stop(&text);
	check_json(&json, via);
	check_text(&text, via);
	run_free(&json);
	run_free(&text);
	return finish();
}
