// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <string.h>

#include "user/judge.h"
#include "user/words.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* The names are those of names.c. */
static const struct kind {
	const char *kind;
	const char *head;
	const char *(*name)(unsigned int value);
} kinds[] = {
	[WORD_BRANCH] = { "branch", "branch: what the kernel's close did", branch_name },
	[WORD_LINGER] = { "linger outcome", "linger: what SO_LINGER came to", linger_name },
	[WORD_AFTER] = { "after", "after: what else happened before the call returned", after_name },
	[WORD_CAUSE] = { "cause", "cause: why an RST was sent, or what one that came did", cause_name },
	[WORD_END] = { "end", "end: what became of a socket after its close", end_name },
};

const struct word *words_next(const struct word *word)
{
	if (!word)
		return words_of_closes;
	if (word[1].brief)
		return word + 1;
	/* A table is over; a reset has a cause or an end. */
	return word->kind < WORD_CAUSE ? words_of_resets : NULL;
}

const struct word *words_find(enum word_kind kind, unsigned int value)
{
	const struct word *word = words_next(NULL);

	while (word->kind != kind || word->value != value)
		word = words_next(word);
	return word;
}

const char *word_name(const struct word *word)
{
	return kinds[word->kind].name(word->value);
}

const char *word_kind_name(enum word_kind kind)
{
	return kinds[kind].kind;
}

const char *word_kind_head(enum word_kind kind)
{
	return kinds[kind].head;
}

/* ---- what to change -------------------------------------------------------------- */

#define NGINX_LINGERS "lingering_close always, a long lingering_time, no return 444"

/* How programs that many people run are told to. */
static const struct setting {
	enum word_kind kind;
	unsigned int value;
	const char *program;
	const char *comm;	/* NULL: its processes bear no name that would tell */
	const char *change;
} settings[] = {
	{ WORD_BRANCH, BRANCH_UNREAD_DATA, "nginx", "nginx", NGINX_LINGERS },
	{ WORD_BRANCH, BRANCH_UNREAD_DATA, "Envoy", NULL, "delayed_close_timeout above 0" },
	{ WORD_BRANCH, BRANCH_UNREAD_DATA, "Tomcat", NULL, "maxSwallowSize" },
	{ WORD_BRANCH, BRANCH_ZERO_LINGER, "haproxy", "haproxy", "no option nolinger" },
	{ WORD_BRANCH, BRANCH_ZERO_LINGER, "nginx", "nginx", "reset_timedout_connection off" },
	{ WORD_LINGER, LINGER_OVERRIDDEN, "nginx", "nginx", NGINX_LINGERS },
	{ WORD_CAUSE, CAUSE_LATE_DATA, "nginx", "nginx", NGINX_LINGERS },
};

static bool is_about(const struct setting *setting, const struct word *word)
{
	return setting->kind == word->kind && setting->value == word->value;
}

static bool is_meant(const struct setting *setting, const char *comm)
{
	return !comm || (setting->comm && !strcmp(setting->comm, comm));
}

void word_change(struct paragraph *to, const struct word *word, const char *comm)
{
	const char *before = " ", *end = "";

	paragraph_add(to, "%s", word->change);
	for (size_t i = 0; i < COUNT(settings); i++) {
		if (!is_about(&settings[i], word) || !is_meant(&settings[i], comm))
			continue;
		paragraph_add(to, "%s%s: %s", before, settings[i].program, settings[i].change);
		before = "; ";
		end = ".";
	}
	paragraph_add(to, "%s", end);
}
