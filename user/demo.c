// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/demo.h"
#include "user/judge.h"
#include "user/options.h"
#include "user/paths.h"
#include "user/tracer.h"

struct demo {
	struct tracer *tracer;
	struct path_options walk;
	struct path_result result;
	struct close_event seen;	/* kind 0: no record */
	int agreed, differed, skipped;
	int count[BRANCH_COUNT];
};

/* Off the host's loopback where we may: nothing else happens in a network of our own. */
static void leave_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET))
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		warn("cannot bring up loopback");
	close(fd);
}

/* ---- what was seen of a path ------------------------------------------------- */

static unsigned int port_of(const struct sockaddr_storage *at)
{
	/* IPv4's and IPv6's are at the same place. */
	return at->ss_family == AF_UNSPEC ? 0 : ntohs(((const struct sockaddr_in *)at)->sin_port);
}

static void pick(void *arg, const struct close_event *event, size_t size)
{
	struct demo *demo = arg;
	const struct path_result *result = &demo->result;

	if (event->kind == EVENT_CLOSE && (pid_t)event->pid == result->pid && event->lport == port_of(&result->local) &&
	    event->rport == port_of(&result->remote))
		demo->seen = *event;
}

static const char *or_dash(const char *name)
{
	return name ? name : "-";
}

static void describe(char *text, size_t size, struct verdict verdict, const char *no_linger)
{
	const char *linger = linger_name(verdict.linger);

	snprintf(text, size, "%s %s %s", branch_name(verdict.branch), or_dash(sent_name(verdict.sent)),
		 linger ? linger : no_linger);
}

/* What this way of attaching cannot see is no disagreement. */
static bool agrees(const struct path_expect *expect, const struct close_event *event)
{
	struct verdict verdict = judge(event);
	bool waited = event->facts & RAN_WAIT || event->via != VIA_TRACEPOINT;

	if (verdict.branch != expect->branch || verdict.sent != expect->sent)
		return false;
	if (verdict.linger != expect->linger && (verdict.linger || waited))
		return false;
	if (!(event->facts & LACKS_AFTER) && !(expect->after & 1U << verdict.after))
		return false;
	return event->state == expect->state && event->unread_bytes == expect->unread_bytes;
}

static void tell(struct demo *demo, const struct path *path)
{
	const struct path_expect *expect = &path->expect;
	struct verdict verdict = judge(&demo->seen);
	bool good = demo->seen.kind && agrees(expect, &demo->seen);
	char expected[64], seen[64] = "no record";

	describe(expected, sizeof(expected),
		 (struct verdict){ expect->branch, expect->sent, expect->linger }, "-");
	if (demo->seen.kind)
		describe(seen, sizeof(seen), verdict, expect->linger ? "(not seen)" : "-");
	printf("%s: %s\n  expected %s\n  seen     %-44s %s\n", path->name, path->what, expected, seen,
	       good ? "agrees" : "DIFFERS");
	demo->agreed += good;
	demo->differed += !good;
	demo->count[verdict.branch] += demo->seen.kind != 0;
}

static void walk(struct demo *demo, const struct path *path)
{
	char why[256];

	memset(&demo->seen, 0, sizeof(demo->seen));
	memset(&demo->result, 0, sizeof(demo->result));
	if (path_walk(path, &demo->walk, &demo->result, why, sizeof(why))) {
		printf("%s: %s\n  skipped: %s\n", path->name, path->what, why);
		demo->skipped++;
		return;
	}
	/* The close is over, so its record is in the ring. */
	tracer_read(demo->tracer, pick, demo);
	tell(demo, path);
}

/* ---- the one picture ----------------------------------------------------------- */

static void draw(const struct demo *demo)
{
	static const struct {
		const char *question;
		enum branch branch;
		const char *answer;
	} rows[] = {
		{ "a listener?", BRANCH_LISTENER, "nothing; an RST to each that waited" },
		{ "never connected?", BRANCH_NOT_CONNECTED, "nothing" },
		{ "already dead?", BRANCH_ALREADY_CLOSED, "nothing" },
		{ "in repair?", BRANCH_REPAIR, "nothing" },
		{ "unread data?", BRANCH_UNREAD_DATA, "RST  (TCPAbortOnClose)" },
		{ "SO_LINGER {1, 0}?", BRANCH_ZERO_LINGER, "RST  (TCPAbortOnData)" },
		{ "still connecting?", BRANCH_CONNECT_CANCELLED, "nothing" },
		{ "FIN already sent?", BRANCH_FIN_ALREADY_SENT, "nothing" },
		{ "otherwise", BRANCH_FIN, "FIN, after the data" },
	};

	printf("\nWhat close() sends, and why: the kernel asks from top to bottom.\n\n  close()\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		printf("    |-- %-17s --> %-36s %2d x %s\n", rows[i].question, rows[i].answer,
		       demo->count[rows[i].branch], branch_name(rows[i].branch));
	printf("\nUnread data is asked for before SO_LINGER, so it wins.  SO_LINGER of 1 s or more\n"
	       "changes nothing that is sent: close() only waits for the acknowledgement.\n");
}

/* ---- the whole ------------------------------------------------------------------ */

static struct tracer *open_tracer(struct options *options)
{
	struct tracer *tracer;
	const char *refused;
	char why[256];

	options->pids[0] = getpid();
	options->tracer.pids_count = 1;
	options->tracer.follow = true;
	tracer = tracer_open(&options->tracer, why, sizeof(why));
	if (!tracer) {
		warnx("cannot trace: %s", why);
		return NULL;
	}
	for (enum via via = 0; via < tracer_via(tracer); via++)
		if ((refused = tracer_refused(tracer, via)))
			warnx("not by %s: %s", via_name(via), refused);
	fprintf(stderr, "closetrace: tracing by %s\n", via_name(tracer_via(tracer)));
	return tracer;
}

int demo_main(int argc, char **argv)
{
	static struct options options;
	struct demo demo = {};

	options_parse(&options, argc, argv);
	leave_network();
	demo.walk.peer = peer_start(options.tracer.filter.family == AF_INET6 ? AF_INET6 : AF_INET);
	if (!demo.walk.peer)
		err(EXIT_CANNOT, "cannot start the loopback peer");
	/* What it asks for is which connections, not which records. */
	memset(&options.tracer.filter, 0, sizeof(options.tracer.filter));
	demo.tracer = open_tracer(&options);
	if (!demo.tracer) {
		peer_stop(demo.walk.peer);
		return EXIT_CANNOT;
	}
	tracer_start(demo.tracer);
	for (const struct path *path = paths; path->name; path++)
		walk(&demo, path);
	draw(&demo);
	printf("\n%d paths agree, %d differ, %d skipped\n", demo.agreed, demo.differed, demo.skipped);
	tracer_close(demo.tracer);
	peer_stop(demo.walk.peer);
	return demo.differed || demo.skipped ? EXIT_CANNOT : 0;
}
