// SPDX-License-Identifier: GPL-2.0-only
/*
 * findings WAY: what a trace comes to, in words.  rst-client walks some paths; the paragraphs on
 * stderr must say who did what, and the records give the pid and the addresses for them.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"

#define HEAD "closetrace: found, the worst first"

extern char **environ;

static const char *via;

struct scene {
	const char *mode;	/* of rst-client */
	const char *event, *key, *value;	/* of the record */
	bool (*is_left_out)(void);		/* this way of attaching cannot tell; NULL: it can */
	const char *says;	/* behind "- rst-client (pid N)" */
	const char *then;	/* between the addresses and the end */
};

static bool is_unseen(void)
{
	return is_blind(via);
}

static bool knows_no_wait(void)
{
	return !strcmp(via, "tracepoint");
}

static const struct scene scenes[] = {
	{ "unread", "close", "branch", "unread-data", NULL,
	  " reset 1 connection because it closed it with unread data, 100 bytes. The peer may have lost "
	  "the end of what it was sent. ",
	  " Advice: shutdown(SHUT_WR), read to EOF with a time limit, then close. More: closetrace explain "
	  "unread-data.\n" },
	{ "zero-linger", "close", "branch", "zero-linger", NULL,
	  " reset 1 connection because it closed it with SO_LINGER set to 0 seconds. ",
	  " Advice: Only for aborts that are meant. To avoid TIME_WAIT let the peer close first. More: "
	  "closetrace explain zero-linger.\n" },
	{ "unread-zero-linger", "close", "linger", "overridden", NULL,
	  " reset 1 connection because it closed it with unread data, 100 bytes. SO_LINGER was set, and had "
	  "no say: unread data is tested first. The peer may have lost the end of what it was sent. ",
	  " Advice: Read to EOF before the close if the linger setting is to decide. More: closetrace "
	  "explain overridden.\n" },
	{ "half-closed-late-data", "reset", "cause", "time-wait", is_unseen,
	  " had closed 1 connection before the peer was done, so the kernel reset it: what came next could "
	  "reach nobody. ",
	  " Advice: shutdown(SHUT_WR), read to EOF with a time limit, then close. Server's idle limit above "
	  "the proxy's; retry idempotent requests. More: closetrace explain late-data.\n" },
	{ "linger-timed-out", "close", "linger", "timed-out", knows_no_wait,
	  " stood still in close() until the linger time was up, 1 time, ", " More: closetrace explain "
	  "timed-out.\n" },
};

/* ---- playing ---------------------------------------------------------------------- */

static void walk(const char *mode)
{
	char *argv[] = { "./rst-client", "-q", "-m", (char *)mode, NULL };
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ))
		bail_out("no %s", argv[0]);
	waitpid(pid, &status, 0);
	if (status)
		bail_out("%s -m %s has status %x", argv[0], mode, status);
}

/* ---- what is told ------------------------------------------------------------------- */

/* Each paragraph in one line. */
static void unfold(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		if (strncmp(at, "\n  ", 3)) {
			*to++ = *at;
			continue;
		}
		*to++ = ' ';
		at += 2;
	}
	*to = '\0';
}

static const json_t *find_record(const struct run *run, const struct scene *scene)
{
	const json_t *record;
	size_t i;

	json_array_foreach(run->all, i, record)
		if (is_event(record, scene->event) &&
		    !strcmp(text_of(record, scene->key), scene->value))
			return record;
	return NULL;
}

static bool tells_of(const char *told, const json_t *record, const struct scene *scene)
{
	char begin[512], addresses[128];
	const char *at;

	snprintf(begin, sizeof(begin), "\n- rst-client (pid %lld)%s", number_of(record, "pid"),
		 scene->says);
	snprintf(addresses, sizeof(addresses), "It was %s:%lld, peer %s:%lld.",
		 text_of(record, "laddr"), number_of(record, "lport"), text_of(record, "raddr"),
		 number_of(record, "rport"));
	at = strstr(told, begin);
	at = at ? strstr(at + 1, addresses) : NULL;
	return at && strstr(at, scene->then);
}

static void check(const struct run *run, const struct scene *scene)
{
	const json_t *record = find_record(run, scene);

	if (scene->is_left_out && scene->is_left_out())
		skip("this way cannot tell", "%s: %s is told in words", via, scene->mode);
	else if (!record && run_totals(run).left_out)
		skip("the kernel left its record out", "%s: %s is told in words", via, scene->mode);
	else if (!ok(record && tells_of(run->told, record, scene), "%s: %s is told in words", via,
		     scene->mode))
		note("told: %s", run->told);
}

static bool fits(const char *told)
{
	const char *line = strstr(told, HEAD), *last = strstr(told, "\nclosetrace: traced");

	for (; line && line <= last; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > 80)
			return false;
	return line && line == last + 1;
}

/* What the client's own peers got is no finding: the record of who sent it tells of it. */
static void check_echoes(const struct run *run)
{
	if (is_blind(via))
		skip("it does not see who sent it", "%s: no RST is told twice", via);
	else if (run_totals(run).left_out)
		skip("the kernel left records out", "%s: no RST is told twice", via);
	else if (!ok(!strstr(run->told, "explain reset-by-peer"), "%s: no RST is told twice", via))
		note("told: %s", run->told);
}

static void all_at_once(void)
{
	struct run run;

	run_begin(&run, via, NULL);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
		walk(scenes[i].mode);
	run_stop(&run);
	if (!ok(fits(run.told), "%s: findings come before the sum, in 80 columns", via))
		note("told: %s", run.told);
	unfold(run.told);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
		check(&run, &scenes[i]);
	check_echoes(&run);
	run_free(&run);
}

static void nothing_is_told(const char *option, const char *mode)
{
	const char *argv[] = { "./closetrace", option, "--via", via, "--netns", "/proc/self/ns/net",
			       "--", "./rst-client", "-q", "-m", mode, NULL };
	struct run run;

	run_start(&run, argv);
	run_end(&run);
	if (!ok(!run.status && run.said_size && !strstr(run.told, "found"),
		"%s: %s %s: nothing is told in words", via, option, mode))
		note("status %d, told: %s", run.status, run.told);
	run_free(&run);
}

int main(int argc, char **argv)
{
	via = argc > 1 ? argv[1] : "fentry";
	network_enter();
	all_at_once();
	nothing_is_told("-j", "linger-passive");
	nothing_is_told("-q", "unread");
	return finish();
}
