// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/explain.h"
#include "user/options.h"
#include "user/words.h"

#define WIDTH     80
#define INDENT    12 /* of the members' text */
#define MAX_NAME  32
#define MAX_CLOSE 6 /* names that one line may offer */

/* From there on, the next of this name; names are not unique among kinds. */
static const struct word *find(const struct word *word, const char *name)
{
	while (word && strcmp(word_name(word), name))
		word = words_next(word);
	return word;
}

/* ---- one of them ------------------------------------------------------------- */

static void put_member(const char *label, const char *text)
{
	char mark[INDENT + 1];

	snprintf(mark, sizeof(mark), "  %-*s", INDENT - 2, label);
	paragraph_put(text, stdout, WIDTH, mark);
}

static void put_word(const struct word *word)
{
	struct paragraph change = {};

	printf("%s %s: %s\n", word_kind_name(word->kind), word_name(word), word->brief);
	put_member("meaning", word->means);
	put_member("wire", word->wire);
	put_member("counters", word->counters);
	put_member("causes", word->causes);
	word_change(&change, word, NULL);
	put_member("change", change.text);
}

static int explain(const struct word *word, const char *name)
{
	put_word(word);
	while ((word = find(words_next(word), name))) {
		putchar('\n');
		put_word(word);
	}
	return fflush(stdout) ? EXIT_CANNOT : 0;
}

/* ---- all of them ------------------------------------------------------------- */

static int list(void)
{
	int kind = -1;

	puts("closetrace explain NAME tells more of one of these:");
	for (const struct word *word = words_next(NULL); word; word = words_next(word)) {
		if ((int)word->kind != kind)
			printf("\n%s\n", word_kind_head(word->kind));
		kind = word->kind;
		printf("  %-18s  %s\n", word_name(word), word->brief);
	}
	return fflush(stdout) ? EXIT_CANNOT : 0;
}

/* ---- none of them ------------------------------------------------------------ */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters are to be put in, taken out or changed (Levenshtein). */
static size_t distance(const char *from, const char *name)
{
	size_t row[MAX_NAME], length = strlen(name);

	for (size_t i = 0; i <= length; i++)
		row[i] = i;
	for (size_t typed = 1; *from; from++, typed++) {
		size_t diagonal = row[0];

		row[0] = typed;
		for (size_t i = 1; i <= length; i++) {
			size_t change = diagonal + (*from != name[i - 1]);

			diagonal = row[i];
			row[i] = least(change, least(row[i], row[i - 1]) + 1);
		}
	}
	return row[length];
}

/* A slip, a part of the name, or one of the kernel's own words for it. */
static bool is_close(const struct word *word, const char *typed)
{
	const char *name = word_name(word);

	if (distance(typed, name) <= 1 + strlen(typed) / 5 || strcasestr(name, typed))
		return true;
	return strlen(typed) > 4 && strcasestr(word->counters, typed);
}

/* It or the next ones of its name: each kind has counters of its own. */
static bool one_is_close(const struct word *word, const char *typed)
{
	const char *name = word_name(word);

	while (word && !is_close(word, typed))
		word = find(words_next(word), name);
	return word;
}

static void name_close(char *line, size_t size, const char *typed)
{
	size_t used = 0;
	int count = 0;

	for (const struct word *word = words_next(NULL); word; word = words_next(word)) {
		const char *name = word_name(word);

		if (count == MAX_CLOSE || find(words_next(NULL), name) != word ||
		    !one_is_close(word, typed))
			continue;
		used += snprintf(line + used, size - used, "%s%s", count++ ? ", " : "", name);
	}
}

static int refuse(const char *typed)
{
	char names[MAX_CLOSE * (MAX_NAME + 2)] = "";

	if (*typed)
		name_close(names, sizeof(names), typed);
	warnx("explain %s: no such name; %s%s", typed, *names ? "close to it: " : "",
	      *names ? names : "closetrace explain lists them");
	return EXIT_USAGE;
}

int explain_main(int argc, char **argv)
{
	const struct word *word;

	if (argc < 2 || !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return list();
	if (argc > 2) {
		warnx("explain %s %s: one name at a time", argv[1], argv[2]);
		return EXIT_USAGE;
	}
	word = find(words_next(NULL), argv[1]);
	return word ? explain(word, argv[1]) : refuse(argv[1]);
}
