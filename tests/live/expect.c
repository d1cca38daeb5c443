// SPDX-License-Identifier: GPL-2.0-only
/*
 * closetrace -e: rules that hold and rules that do not, over closes that rst-client makes to a
 * listener of ours; what is told of them, and which status comes back.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/live.h"

#define MAX_ARGS     32
#define CLIENT(mode) "./rst-client -q -m " mode " 127.0.0.1 $PORT"

static const char *via;

/* ---- with a command -------------------------------------------------------------------- */

static const struct scene {
	const char *name;
	const char *options[10];
	const char *script; /* that sh runs */
	int closes, status;
	const char *broken; /* the rule that is told */
} scenes[] = {
	/* clang-format off */
	{ "a zero linger that takes effect",
	  { "-j", "-e", "branch=zero-linger", "-e", "sent=rst", "-e", "linger=reset" },
	  CLIENT("zero-linger"), 1, 0, NULL },
	{ "one that was expected and is not set",
	  { "-j", "-e", "branch=zero-linger", "-e", "sent=rst", "-e", "linger=reset" },
	  CLIENT("fin"), 1, 3, "branch=zero-linger" },
	{ "the first rule that does not hold is told",
	  { "-j", "-e", "branch=fin,zero-linger", "-e", "linger=null", "-e", "sent=fin" },
	  CLIENT("zero-linger"), 1, 3, "linger=null" },
	{ "an orderly close, by what it is not",
	  { "-j", "-e", "sent!=rst", "-e", "linger=null", "-e", "unread_bytes=0" },
	  CLIENT("fin"), 1, 0, NULL },
	{ "a reset, by what it must not be",
	  { "-j", "-e", "sent!=rst,none" }, CLIENT("zero-linger"), 1, 3, "sent!=rst,none" },
	{ "addresses, numbers, names",
	  { "-j", "-e", "raddr=127.0.0.1", "-e", "linger_s=0", "-e", "comm=rst-client",
	    "-e", "family=ipv4" },
	  CLIENT("zero-linger"), 1, 0, NULL },
	{ "the command's status, where all hold",
	  { "-j", "-e", "sent=rst" }, CLIENT("zero-linger") "; exit 7", 1, 7, NULL },
	{ "status 3 instead of the command's, where not",
	  { "-j", "-e", "sent=rst" }, CLIENT("fin") "; exit 7", 1, 3, "sent=rst" },
	{ "every close is asked, and the command goes on",
	  { "-j", "-e", "sent=rst" },
	  CLIENT("zero-linger") "; " CLIENT("fin") "; " CLIENT("zero-linger"), 3, 3, "sent=rst" },
	{ "two are broken, one is told",
	  { "-j", "-e", "sent=none" }, CLIENT("zero-linger") "; " CLIENT("fin"), 2, 3, "sent=none" },
	{ "what a filter leaves out is not asked",
	  { "-j", "-b", "zero-linger", "-e", "sent=rst" },
	  CLIENT("fin") "; " CLIENT("zero-linger"), 1, 0, NULL },
	{ "without -j, broken", { "-e", "sent=rst" }, CLIENT("fin"), 1, 3, "sent=rst" },
	{ "without -j, held", { "-e", "sent=fin" }, CLIENT("fin"), 1, 0, NULL },
	{ "nothing was closed", { "-j", "-e", "sent=rst" }, "exit 7", 0, 7, NULL },
	/* clang-format on */
};

static int append(const char **argv, int argc, const char *const *more)
{
	while (*more)
		argv[argc++] = *more++;
	return argc;
}

static void start(struct run *run, const struct scene *scene, const char *first)
{
	const char *const command[] = { "--", "/bin/sh", "-c", scene->script, NULL };
	const char *argv[MAX_ARGS] = { "./closetrace", "--via", via, first };
	int argc = append(argv, first ? 4 : 3, scene->options);

	append(argv, argc, command);
	run_start(run, argv);
	run_end(run);
}

static int count(const char *text, const char *part)
{
	int count = 0;

	while ((text = strstr(text, part))) {
		text += strlen(part);
		count++;
	}
	return count;
}

/* The line below the one that tells of the rule, to be freed; NULL: it is not told, or twice. */
static char *told_record(const struct run *run, const char *rule)
{
	char line[128];
	const char *at;

	snprintf(line, sizeof(line), "closetrace: -e %s does not hold for this close:\n", rule);
	at = strstr(run->told, line);
	if (!at || count(run->told, "does not hold for") != 1)
		return NULL;
	at += strlen(line);
	return strndup(at, strcspn(at, "\n"));
}

/* Word for word what stdout has, where that is JSON. */
static bool is_told(const struct run *run, const struct scene *scene)
{
	char *text = told_record(run, scene->broken);
	json_t *record = text ? json_loads(text, 0, NULL) : NULL;
	bool good = record && is_close(record) &&
		    (strcmp(scene->options[0], "-j") || strstr(run->said, text));

	json_decref(record);
	free(text);
	return good;
}

static bool is_summed_up(const struct run *run, const struct scene *scene)
{
	char line[128] = "closetrace: no close was checked";

	if (scene->closes)
		snprintf(line, sizeof(line), "closetrace: %d closes checked: %s%s", scene->closes,
			 scene->broken ? "-e " : "every -e holds",
			 scene->broken ? scene->broken : "");
	return run_told(run, line);
}

static void with_command(const struct scene *scene)
{
	struct run run;
	bool good;

	start(&run, scene, NULL);
	good = ok(run.status == scene->status && run_totals(&run).closes == scene->closes,
		  "%s: %s: status %d", via, scene->name, scene->status);
	good &= ok(scene->broken ? is_told(&run, scene) : !strstr(run.told, "does not hold"),
		   "%s: ... %s", via,
		   scene->broken ? "the rule is told, with its record"
				 : "nothing is told of rules");
	good &= ok(is_summed_up(&run, scene), "%s: ... and it is summed up", via);
	if (!good)
		note("status %d, told: %s", run.status, run.told);
	run_free(&run);
}

/* What is told in spite of it: that which makes the test worthless, or fail. */
static void quietly(const struct scene *scene)
{
	bool bad = scene->broken || !scene->closes;
	struct run run;

	start(&run, scene, "-q");
	ok(run.status == scene->status && !strstr(run.told, "closetrace: trac") &&
		   bad == (strstr(run.told, " checked") || strstr(run.told, "does not hold")) &&
		   (!scene->broken || is_told(&run, scene)),
	   "%s: -q: %s: status %d, and %s", via, scene->name, scene->status,
	   bad ? "it is told" : "not a word");
	run_free(&run);
}

/* ---- without ------------------------------------------------------------------------------ */

static void of_process(const char *rule, int status)
{
	char self[16];
	struct run run;

	snprintf(self, sizeof(self), "%d", getpid());
	run_begin(&run, via, (const char *const[]){ "-p", self, "-e", rule, NULL });
	close_unconnected();
	close_unconnected();
	run_stop(&run);
	ok(run.status == status && json_array_size(run.records) == 2,
	   "%s: -p and -e %s: status %d after Ctrl-C, and every record", via, rule, status);
	if (run.status != status)
		note("but %d: %s", run.status, run.told);
	run_free(&run);
}

static void for_a_time(void)
{
	struct run run;

	run_begin(&run, via, (const char *const[]){ "-d", "0.3", "-e", "sent=rst", NULL });
	run_end(&run);
	ok(!run.status && run_told(&run, "closetrace: no close was checked"),
	   "%s: no close in the time of -d: status 0, and it is told", via);
	run_free(&run);
}

/* One line, and nothing was run. */
static void refused(const char *rule, const char *right)
{
	const char *const argv[] = { "./closetrace", "--via",   via,  "-e",       rule,
				     "--",           "/bin/sh", "-c", "echo run", NULL };
	const char *newline;
	struct run run;

	run_start(&run, argv);
	run_end(&run);
	newline = strchr(run.told, '\n');
	ok(run.status == 64 && !run.said_size && newline && !newline[1] && strstr(run.told, rule) &&
		   strstr(run.told, right),
	   "%s: -e %s is refused, and what would be right is told", via, rule);
	run_free(&run);
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* Whoever connects waits in its queue; the command finds it by $PORT. */
static void listen_somewhere(void)
{
	struct sockaddr_in addr = { AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char port[8];

	if (bind(fd, (struct sockaddr *)&addr, size) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&addr, &size))
		bail_out("no listener");
	snprintf(port, sizeof(port), "%d", ntohs(addr.sin_port));
	setenv("PORT", port, 1);
}

/* Each takes a start, which takes seconds where it is emulated. */
static bool is_guest_by_another_way(void)
{
	return getenv("GUEST") && strcmp(via, "tracepoint");
}

int main(int argc, char **argv)
{
	via = argc > 1 ? argv[1] : "fentry";
	network_enter();
	listen_somewhere();
	with_command(&scenes[0]);
	if (is_guest_by_another_way()) {
		skip("rules are judged by the reader, whatever the way: all of them by tracepoint",
		     "%s: the other rules", via);
		return finish();
	}
	for (size_t i = 1; i < sizeof(scenes) / sizeof(*scenes); i++)
		with_command(&scenes[i]);
	quietly(&scenes[0]);
	quietly(&scenes[1]);
	quietly(&scenes[sizeof(scenes) / sizeof(*scenes) - 1]);
	of_process("branch=not-connected", 0);
	of_process("branch=fin", 3);
	for_a_time();
	refused("branch=rst", "zero-linger");
	refused("sent=", "none");
	refused("port=80", "lport");
	return finish();
}
