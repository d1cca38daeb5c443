// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a path to what happened.  Where the closing process has to end, a child
 * takes the steps up to its end and the parent those after it; what the child
 * has to tell and the word to go on travel over a pair of sockets.
 */
#include "user/walk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "user/peer.h"

/* From the child: where it stands, or why it got no further. */
struct word {
	bool failed;
	struct path_result result;
	char why[256];
};

static const struct step *close_of(const struct path *path)
{
	const struct step *step = path->steps;

	while (!step_is_close(step))
		step++;
	return step;
}

static void call(void (*hook)(void *), void *arg)
{
	if (hook)
		hook(arg);
}

/* In the child: says where it stands, and waits until the parent has had its look. */
static int ask_parent(const struct walk *walk)
{
	struct word word = { .result = walk->result };
	char go;

	if (send(walk->line, &word, sizeof(word), MSG_NOSIGNAL) != sizeof(word))
		return -1;
	return recv(walk->line, &go, 1, 0) == 1 ? 0 : -1;
}

int walk_before_close(struct walk *walk)
{
	if (walk->line >= 0)
		return ask_parent(walk);
	call(walk->options->before_close, walk->options->arg);
	return 0;
}

static int take_steps(struct walk *walk, const struct step *step, char *why, size_t why_size)
{
	for (; step->op != THE_END; step++)
		if (step_do(walk, step, why, why_size))
			return -1;
	return 0;
}

/* Comes back only if it could not get as far as its end. */
static void take_to_the_end(struct walk *walk, const struct step *steps)
{
	struct word word = { .failed = true };

	call(walk->options->before_steps, walk->options->arg);
	take_steps(walk, steps, word.why, sizeof(word.why));
	word.result = walk->result;
	send(walk->line, &word, sizeof(word), MSG_NOSIGNAL);
}

static int hear(struct walk *walk, char *why, size_t why_size)
{
	struct word word = { .failed = true, .why = "the closing process died early" };

	if (recv(walk->line, &word, sizeof(word), 0) < 0)
		snprintf(word.why, sizeof(word.why), "waiting: %s", strerror(errno));
	walk->result = word.result;
	if (!word.failed)
		return 0;
	snprintf(why, why_size, "%s", word.why);
	return -1;
}

/* The child's sockets are closed when it can be waited for: exit_files() and
 * exit_task_work() come before exit_notify(). */
static void end_child(struct walk *walk, pid_t pid, bool go)
{
	if (go) {
		call(walk->options->before_close, walk->options->arg);
		send(walk->line, "", 1, MSG_NOSIGNAL);
	}
	close(walk->line);
	walk->line = -1;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static pid_t fork_walk(struct walk *walk, const struct step *steps)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -1;
	pid = fork();
	walk->line = ends[!pid];
	close(ends[!!pid]);
	if (pid)
		return pid;
	take_to_the_end(walk, steps);
	_exit(1);
}

static int walk_in_child(struct walk *walk, const struct path *path, char *why, size_t why_size)
{
	pid_t pid = fork_walk(walk, path->steps);
	bool heard;

	if (pid < 0) {
		snprintf(why, why_size, "fork: %s", strerror(errno));
		close(walk->line);
		return -1;
	}
	heard = !hear(walk, why, why_size);
	end_child(walk, pid, heard);
	if (!heard)
		return -1;
	return take_steps(walk, close_of(path) + 1, why, why_size);
}

static int walk_here(struct walk *walk, const struct path *path, char *why, size_t why_size)
{
	call(walk->options->before_steps, walk->options->arg);
	return take_steps(walk, path->steps, why, why_size);
}

/* A path that got stuck half way must not disturb the next. */
static void tidy_up(struct walk *walk)
{
	const struct command forget = { .op = PEER_FORGET };
	struct reply reply;

	if (walk->fd >= 0)
		close(walk->fd);
	if (walk->options->peer)
		peer_obey(walk->options->peer, &forget, &reply);
}

static struct sockaddr_storage there(const struct path_options *options)
{
	struct sockaddr_storage at = {};

	if (options->to)
		memcpy(&at, options->to, options->to_len);
	return at;
}

int path_walk(const struct path *path, const struct path_options *options,
	      struct path_result *result, char *why, size_t why_size)
{
	struct walk walk = { .options = options, .there = there(options), .fd = -1, .line = -1 };
	bool ends = step_ends_process(close_of(path));
	int error = (ends ? walk_in_child : walk_here)(&walk, path, why, why_size);

	tidy_up(&walk);
	*result = walk.result;
	return error;
}

bool path_takes_host(const struct path *path)
{
	bool connects = false;

	for (const struct step *step = path->steps; step->op != THE_END; step++) {
		if (step_is_help(step))
			return false;
		connects |= step->op == CONNECT;
	}
	return connects;
}

bool path_needs_net_admin(const struct path *path)
{
	const struct step *step = path->steps;

	while (step->op != THE_END && step->op != REPAIR)
		step++;
	return step->op == REPAIR;
}
