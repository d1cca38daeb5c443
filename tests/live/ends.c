// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a connection after its close: each end with its record, in the name of the
 * process that closed, and the reset that may come with it. Each scenario has a closer of its
 * own. The setup is proven without the tracer: how the kernel has the socket, the packets,
 * the counters.
 *
 * SLOW=1 in the environment: also what takes a minute.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/end_records.h"
#include "tests/live/end_scenes.h"
#include "tests/live/live.h"

#define MAX_SCENES	128
#define TRIES		3
#define PATIENCE_S	300

static struct scene scenes[MAX_SCENES];
static int scenes_count;

/* ---- playing ---------------------------------------------------------------------------- */

/* The kernel counts right after it is done with the socket. */
static void count_since(struct scene *scene)
{
	const struct counted *want = &scene->scenario->counted;
	struct counted before = scene->counted, got;

	for (int tries = 0; tries < 1000; tries++) {
		counted_read(&got);
		got.out_rsts -= before.out_rsts;
		got.on_data -= before.on_data;
		got.timeouts -= before.timeouts;
		if (!memcmp(&got, want, sizeof(got)))
			break;
		nap_us(1000);
	}
	scene->counted = got;
}

/* Whatever is left must not disturb the next one. */
static void tidy_up(struct scene *scene)
{
	closer_kill(&scene->closer);
	if (scene->pair.end >= 0)
		close(scene->pair.end);
	if (scene->pair.peer >= 0) {
		make_abortive(scene->pair.peer);
		close(scene->pair.peer);
	}
	set_ipv4("tcp_fin_timeout", 60);
	set_ipv4("tcp_orphan_retries", 0);
}

static void play_once(struct scene *scene)
{
	const struct step *step = scene->scenario->steps;

	pair_open(&scene->pair, scene->family, scene->scenario->accepted, scene->scenario->tiny);
	closer_start(&scene->closer, &scene->pair);
	wire_forget(scene->wire);
	while (step->act && step->act(scene, step->arg))
		step++;
	if (!step->act) {
		count_since(scene);
		wire_flags(scene->wire, scene->pair.lport, scene->wire_flags,
			   sizeof(scene->wire_flags));
	}
	tidy_up(scene);
}

static bool is_proven(const struct scene *scene)
{
	const struct scenario *scenario = scene->scenario;

	return !*scene->why && !strcmp(scene->wire_flags, scenario->wire) &&
	       !memcmp(&scene->counted, &scenario->counted, sizeof(scene->counted));
}

/* On a busy machine an acknowledgement may find the socket locked and leave it in FIN_WAIT2, or
 * a FIN may be sent again when its acknowledgement is under way. */
static void play(struct scene *scene)
{
	const struct scene fresh = *scene;

	play_once(scene);
	for (int tries = 1; tries < TRIES && !is_proven(scene); tries++) {
		note("again: %s: %s", scene->scenario->name, scene->why);
		*scene = fresh;
		play_once(scene);
	}
}

static bool is_left_out(const struct scenario *scenario)
{
	return scenario->slow && !getenv("SLOW");
}

static void play_over(const struct scenario *scenario, int family, struct wire *wire)
{
	struct scene *scene = &scenes[scenes_count];

	scene->scenario = scenario;
	scene->family = family;
	scene->wire = wire;
	snprintf(scene->closer.comm, sizeof(scene->closer.comm), "closer-%d", scenes_count++);
	play(scene);
}

static void play_all(struct wire *wire)
{
	for (const struct scenario *scenario = scenarios; scenario->name; scenario++) {
		if (is_left_out(scenario))
			continue;
		play_over(scenario, AF_INET, wire);
		if (scenario->both)
			play_over(scenario, AF_INET6, wire);
	}
}

/* ---- what was recorded ------------------------------------------------------------------ */

static bool is_in_time(const json_t *end, const struct scene *scene, int i)
{
	long long after_us = number_of(end, "after_us");

	if (after_us >= scene->bounds[i].least_us && after_us <= scene->bounds[i].most_us)
		return true;
	note("after_us is %lld, not from %lld to %lld", after_us, scene->bounds[i].least_us,
	     scene->bounds[i].most_us);
	return false;
}

static bool right_end(const json_t *end, const struct scene *scene, int i)
{
	return same_text(end, "how", scene->scenario->how[i]) &&
	       same_text(end, "comm", scene->closer.comm) && is_in_time(end, scene, i);
}

static bool right_ends(const json_t *records, const json_t *closed, const struct scene *scene,
		       int want)
{
	const json_t *ends[3] = {};
	int count = find_by_id(records, "end", number_of(closed, "id"), ends, 3);
	bool good = count == want;

	if (!good)
		note("%d ends, expected %d", count, want);
	for (int i = 0; i < count && i < want; i++)
		good &= right_end(ends[i], scene, i);
	for (int i = 0; !good && i < count && i < 3; i++)
		note_record("an end", ends[i]);
	return good;
}

static bool right_reset(const json_t *reset, const struct scene *scene)
{
	const char *cause = scene->scenario->reset, *owner = scene->scenario->owner;
	bool came = !strcmp(cause, "reset-by-peer"), good = true;

	good &= same_text(reset, "cause", cause);
	good &= same_text(reset, "direction", came ? "received" : "sent");
	good &= same_text(reset, "owner", owner ? owner : "closer");
	good &= same_text(reset, "comm", scene->closer.comm);
	good &= number_of(reset, "pid") == scene->closer.pid;
	good &= number_of(reset, "lport") == scene->pair.lport;
	good &= number_of(reset, "rport") == scene->pair.rport;
	return good;
}

static bool right_resets(const json_t *records, const json_t *closed, const struct scene *scene,
			 int want)
{
	const json_t *reset = NULL;
	int count = find_by_id(records, "reset", number_of(closed, "id"), &reset, 1);

	if (count == want && (!want || right_reset(reset, scene)))
		return true;
	note("%d resets, expected %d: %s, of pid %d", count, want,
	     want ? scene->scenario->reset : "none", scene->closer.pid);
	note_record("the first", reset);
	return false;
}

/* An RST without a full socket to blame, and the way cannot see it. */
static bool is_unseen(const struct scenario *scenario, const char *via)
{
	if (!scenario->reset || !is_blind(via))
		return false;
	return !strcmp(scenario->reset, "time-wait") || !strcmp(scenario->reset, "no-socket");
}

static void check_records_of(const struct scene *scene, const char *label, const json_t *records,
			     const char *via)
{
	const struct scenario *scenario = scene->scenario;
	const json_t *closed = find_close(records, scene->closer.pid, &scene->pair);
	bool in_call = scenario->may_be_in_call && !has_end(closed);
	bool unseen = is_unseen(scenario, via);
	int ends = in_call ? 0 : !!scenario->how[0] + (scenario->how[1] && !unseen);
	int resets = scenario->reset && !in_call;

	if (!ok(closed && has_end(closed) == (ends > 0), "%s: close", label))
		note_record("the close", closed);
	ok(closed && right_ends(records, closed, scene, ends), "%s: %d ends", label, ends);
	if (unseen)
		skip(blind_because, "%s: reset", label);
	else
		ok(closed && right_resets(records, closed, scene, resets), "%s: reset", label);
}

static bool right_counters(const struct scene *scene)
{
	const struct counted *want = &scene->scenario->counted, *got = &scene->counted;

	if (!memcmp(want, got, sizeof(*want)))
		return true;
	note("counted OutRsts %u, TCPAbortOnData %u, TCPAbortOnTimeout %u, expected %u %u %u",
	     got->out_rsts, got->on_data, got->timeouts, want->out_rsts, want->on_data,
	     want->timeouts);
	return false;
}

static bool right_wire(const struct scene *scene)
{
	if (!strcmp(scene->wire_flags, scene->scenario->wire))
		return true;
	note("on the wire: \"%s\", expected \"%s\"", scene->wire_flags, scene->scenario->wire);
	return false;
}

static void check(const struct scene *scene, const json_t *records, const char *via)
{
	char label[160];

	snprintf(label, sizeof(label), "%s: %s: %s", via,
		 scene->family == AF_INET6 ? "ipv6" : "ipv4", scene->scenario->name);
	if (*scene->why) {
		ok(false, "%s: %s", label, scene->why);
		return;
	}
	ok(right_wire(scene), "%s: wire", label);
	ok(right_counters(scene), "%s: counters", label);
	check_records_of(scene, label, records, via);
}

static void skip_slow(const char *via)
{
	for (const struct scenario *scenario = scenarios; scenario->name; scenario++)
		if (is_left_out(scenario))
			skip("it takes a minute; SLOW=1 waits", "%s: %s", via, scenario->name);
}

int main(int argc, char **argv)
{
	const char *via = argc > 1 ? argv[1] : "fentry";
	struct wire *wire;
	struct run run;

	alarm(PATIENCE_S);
	network_enter();
	wire = wire_open();
	if (!wire)
		bail_out("no capture on loopback");
	run_begin(&run, via, NULL);
	play_all(wire);
	ok(await_no_orphan(), "%s: no socket is left", via);
	run_stop(&run);
	for (int i = 0; i < scenes_count; i++)
		check(&scenes[i], run.all, via);
	skip_slow(via);
	check_records(&run, via);
	run_free(&run);
	wire_close(wire);
	return finish();
}
