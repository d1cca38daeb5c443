// SPDX-License-Identifier: GPL-2.0-only
/* The processes: who is whose child, and whose turn it is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/filter_stage.h"
#include "tests/live/live.h"

struct stage *stage;

const char *const who_names[WHO_COUNT] = {
	[ALPHA] = "alpha", [BETA] = "beta", [GAMMA] = "gamma", [DELTA] = "descendant-one",
	[EPSILON] = "descendant-two", [OTHER] = "alpha", [ABROAD] = "abroad",
};

static struct line {
	int to[2], from[2];
} lines[WHO_COUNT];

static enum who me;

void cannot(const char *what, ...)
{
	va_list args;

	va_start(args, what);
	vsnprintf(stage->why, sizeof(stage->why), what, args);
	va_end(args);
	_exit(1);
}

/* Tells the test that it is done, and waits for the next word. */
static bool done(void)
{
	char word;

	return write(lines[me].from[1], "d", 1) == 1 && read(lines[me].to[0], &word, 1) == 1 &&
	       word == 'p';
}

static void enter(enum who who)
{
	me = who;
	stage->pids[who] = getpid();
	prctl(PR_SET_NAME, who_names[who]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void play_epsilon(void)
{
	enter(EPSILON);
	/* Its parent is about to go: its death must not take this one along. */
	prctl(PR_SET_PDEATHSIG, 0);
	if (done())
		acts_play_all(me);
	done();
	_exit(0);
}

static void play_delta(void)
{
	enter(DELTA);
	acts_play_all(me);
	if (!fork())
		play_epsilon();
	acts_leave_one(me);
	_exit(0);
}

/* Alpha's closes, then its child's. */
static void play_alpha(void)
{
	pid_t delta;

	acts_play_all(me);
	delta = fork();
	if (!delta)
		play_delta();
	waitpid(delta, NULL, 0);
}

static void play_family(enum who who);

static void live(enum who who)
{
	enter(who);
	if (who == ABROAD)
		acts_enter_network();
	if (who == ALPHA)
		play_family(BETA);
	if (who == BETA)
		play_family(GAMMA);
	while (done())
		who == ALPHA ? play_alpha() : acts_play_all(me);
	_exit(0);
}

static void hear(enum who who, const char *what)
{
	char word;

	await_input(lines[who].from[0], what);
	if (read(lines[who].from[0], &word, 1) != 1)
		cannot("%s is gone", who_names[who]);
}

/* Born, and ready. */
static void play_family(enum who child)
{
	pid_t pid = fork();

	if (pid < 0)
		cannot("no process: %s", strerror(errno));
	if (!pid)
		live(child);
	hear(child, who_names[child]);
}

static void tell(enum who who, char word)
{
	if (write(lines[who].to[1], &word, 1) != 1)
		bail_out("%s does not listen", who_names[who]);
}

static void direct(enum who who)
{
	tell(who, 'p');
	hear(who, who_names[who]);
}

void cast_gather(void)
{
	memset(stage, 0, sizeof(*stage));
	for (int who = 0; who < WHO_COUNT; who++)
		if (pipe2(lines[who].to, O_CLOEXEC) || pipe2(lines[who].from, O_CLOEXEC))
			bail_out("no pipe: %s", strerror(errno));
	play_family(ALPHA);
	play_family(OTHER);
	play_family(ABROAD);
}

void cast_perform(void)
{
	direct(ALPHA);
	hear(EPSILON, "epsilon");
	direct(EPSILON);
	direct(BETA);
	direct(GAMMA);
	direct(OTHER);
	direct(ABROAD);
}

void cast_dismiss(void)
{
	for (int who = 0; who < WHO_COUNT; who++)
		tell(who, 'q');
	/* Whose parents are gone are ours. */
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (int who = 0; who < WHO_COUNT; who++) {
		close(lines[who].to[0]);
		close(lines[who].to[1]);
		close(lines[who].from[0]);
		close(lines[who].from[1]);
	}
}
