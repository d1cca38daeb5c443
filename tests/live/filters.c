// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same closes under each filter, several filters at a time: the records must be those that
 * the filter admits, one for one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/live/filter_cases.h"
#include "tests/live/live.h"

#define TOGETHER 9		/* tracers at the same time */
#define ROOM (1 << 20)		/* for all that one of them prints */

static const char *const branches[] = {
	[LISTENER] = "listener", [NOT_CONNECTED] = "not-connected",
	[ALREADY_CLOSED] = "already-closed", [REPAIR] = "repair", [UNREAD_DATA] = "unread-data",
	[ZERO_LINGER] = "zero-linger", [FIN] = "fin", [FIN_ALREADY_SENT] = "fin-already-sent",
	[CONNECT_CANCELLED] = "connect-cancelled",
};

static struct run runs[TOGETHER];
static const char *via;
static char cgroup[256], cgroup_below[300];

static const char *meaning(const char *arg, char *room, size_t size)
{
	char *at;

	if (!strcmp(arg, "@cgroup"))
		return cgroup;
	if (!strcmp(arg, "@below"))
		return cgroup_below;
	at = strchr(arg, '@');
	if (!at)
		return arg;
	for (int who = 0; who < WHO_COUNT; who++) {
		const char *name = who == OTHER ? "other" : who_names[who];

		if (!strcmp(at + 1, name)) {
			snprintf(room, size, "%.*s%d", (int)(at - arg), arg, stage->pids[who]);
			return room;
		}
	}
	snprintf(room, size, "/proc/%d/ns/net", stage->pids[ABROAD]);
	return room;
}

static void begin(struct run *run, const struct filter_case *one)
{
	const char *argv[MAX_ARGS + 5] = { "./closetrace", "-j", "--via", via };
	static char room[MAX_ARGS][64];

	for (int i = 0; one->args[i]; i++)
		argv[i + 4] = meaning(one->args[i], room[i], sizeof(room[i]));
	run_start(run, argv);
	run->is_json = true;
	/* It is read when its turn comes. */
	if (fcntl(run->out, F_SETPIPE_SZ, ROOM) < 0)
		bail_out("no room in a pipe: %s", strerror(errno));
}

/* ---- comparing --------------------------------------------------------------------------- */

static bool is_same(const json_t *record, const struct close *c)
{
	return number_of(record, "pid") == c->pid && number_of(record, "lport") == c->lport &&
	       number_of(record, "rport") == c->rport &&
	       !strcmp(text_of(record, "family"), c->ipv4 ? "ipv4" : "ipv6") &&
	       !strcmp(text_of(record, "raddr"), c->raddr) &&
	       !strcmp(text_of(record, "comm"), who_names[c->who]) &&
	       !strcmp(text_of(record, "branch"), branches[c->branch]);
}

static struct close *find(const json_t *record)
{
	for (int i = 0; i < stage->count; i++)
		if (!stage->closes[i].found && is_same(record, &stage->closes[i]))
			return &stage->closes[i];
	return NULL;
}

static bool is_by_reset(const struct filter_case *one)
{
	for (int i = 0; one->args[i]; i++)
		if (!strcmp(one->args[i], "-r") || !strcmp(one->args[i], "--resets"))
			return true;
	return false;
}

static bool is_admitted(const struct filter_case *one, const struct close *c, const json_t *record)
{
	const char *after = text_of(record, "after");

	if (!one->admits(c))
		return false;
	return c->rst != RST_PERHAPS || !is_by_reset(one) || !strcmp(after, "late-data-reset");
}

/* On its start each closes a socket to learn from; those that began before see it. */
static bool is_of_tracer(const json_t *record)
{
	for (int i = 0; i < TOGETHER; i++)
		if (number_of(record, "pid") == runs[i].pid)
			return true;
	return false;
}

static int surplus(const struct filter_case *one, const json_t *records)
{
	const json_t *record;
	int count = 0;
	size_t i;

	json_array_foreach(records, i, record) {
		struct close *c = find(record);
		char *text;

		if (c && is_admitted(one, c, record)) {
			c->found = true;
			continue;
		}
		if (is_of_tracer(record))
			continue;
		text = json_dumps(record, 0);
		note("%s: %s", c ? "not wanted" : "never happened", text);
		free(text);
		count++;
	}
	return count;
}

static int absent(const struct filter_case *one)
{
	int count = 0;

	for (int i = 0; i < stage->count; i++) {
		const struct close *c = &stage->closes[i];

		if (!one->admits(c) || c->found || (c->rst == RST_PERHAPS && is_by_reset(one)))
			continue;
		note("no record: %s %s, local port %u, peer %s port %u", who_names[c->who],
		     branches[c->branch], c->lport, c->raddr, c->rport);
		count++;
	}
	return count;
}

static int admitted(const struct filter_case *one)
{
	int count = 0;

	for (int i = 0; i < stage->count; i++)
		count += one->admits(&stage->closes[i]);
	return count;
}

static const char *title(const struct filter_case *one)
{
	static char text[256];

	*text = '\0';
	for (int i = 0; one->args[i]; i++) {
		if (*text)
			strcat(text, " ");
		strcat(text, one->args[i]);
	}
	return text;
}

/* ---- cgroups --------------------------------------------------------------------------------- */

static bool write_file(const char *dir, const char *name, pid_t pid)
{
	char path[512];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	if (!file)
		return false;
	fprintf(file, "%d", pid);
	good = !ferror(file);
	return !fclose(file) && good;
}

static const char *make_cgroups(void)
{
	static char why[128] = "no cgroup v2 is mounted";
	char mount[200];
	FILE *mounts = fopen("/proc/mounts", "re");
	bool found = false;

	while (mounts && !found && fscanf(mounts, "%*s %199s", mount) == 1) {
		char type[64];

		found = fscanf(mounts, "%63s %*[^\n]", type) == 1 && !strcmp(type, "cgroup2");
	}
	if (mounts)
		fclose(mounts);
	if (!found)
		return why;
	snprintf(cgroup, sizeof(cgroup), "%s/closetrace-test.%d", mount, getpid());
	snprintf(cgroup_below, sizeof(cgroup_below), "%s/below", cgroup);
	if (!mkdir(cgroup, 0755) && !mkdir(cgroup_below, 0755))
		return NULL;
	snprintf(why, sizeof(why), "no cgroup in %.80s: %s", mount, strerror(errno));
	return why;
}

static bool fill_cgroups(void)
{
	return write_file(cgroup, "cgroup.procs", stage->pids[BETA]) &&
	       write_file(cgroup_below, "cgroup.procs", stage->pids[GAMMA]);
}

static void remove_cgroups(void)
{
	rmdir(cgroup_below);
	rmdir(cgroup);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void check(const struct filter_case *one, struct run *run)
{
	struct totals totals;
	int too_many, too_few;

	for (int i = 0; i < stage->count; i++)
		stage->closes[i].found = false;
	too_many = surplus(one, run->records);
	too_few = absent(one);
	totals = run_totals(run);
	ok(!too_many && !too_few, "%s: %s: %d of %d closes", via, title(one), admitted(one),
	   stage->count);
	if (totals.lost || totals.unknown || run->status ||
	    totals.closes != (long)json_array_size(run->records))
		ok(false, "%s: %s: %s", via, title(one), run->told);
}

static void begin_all(const struct filter_case *const *chosen, int count)
{
	for (int i = 0; i < count; i++)
		begin(&runs[i], chosen[i]);
	for (int i = 0; i < count; i++)
		if (!run_await(&runs[i], "closetrace: tracing"))
			bail_out("closetrace does not trace: %s", runs[i].told);
}

static void end_all(int count)
{
	for (int i = 0; i < count; i++)
		kill(runs[i].pid, SIGINT);
	for (int i = 0; i < count; i++)
		run_end(&runs[i]);
}

/* One performance, seen by several: each tracer takes a second to attach and to detach. */
static void try(const struct filter_case *const *chosen, int count)
{
	/* A new one each time: the ports are free again. */
	acts_enter_network();
	cast_gather();
	if (*cgroup && !fill_cgroups())
		bail_out("cannot fill %s: %s", cgroup, strerror(errno));
	begin_all(chosen, count);
	cast_perform();
	end_all(count);
	if (*stage->why)
		bail_out("%s", stage->why);
	for (int i = 0; i < count; i++) {
		check(chosen[i], &runs[i]);
		run_free(&runs[i]);
	}
	cast_dismiss();
}

static void try_all(const char *no_cgroup)
{
	const struct filter_case *chosen[TOGETHER];
	int count = 0;

	for (const struct filter_case *one = filter_cases; one->admits; one++) {
		if (no_cgroup && !strcmp(one->args[0], "--cgroup")) {
			skip(no_cgroup, "%s: %s", via, title(one));
			continue;
		}
		chosen[count++] = one;
		if (count < TOGETHER)
			continue;
		try(chosen, count);
		count = 0;
	}
	if (count)
		try(chosen, count);
}

int main(int argc, char **argv)
{
	const char *no_cgroup = make_cgroups();

	via = filter_via = argc > 1 ? argv[1] : "fentry";
	if (no_cgroup)
		*cgroup = '\0';
	else
		atexit(remove_cgroups);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	try_all(no_cgroup);
	return finish();
}
