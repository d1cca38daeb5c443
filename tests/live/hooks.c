// SPDX-License-Identifier: GPL-2.0-only
/*
 * hooks WAY: hooks that are in the kernel's BTF and cannot be attached.  A trampoline has room
 * for some 40 programs; what others have filled is as good as not there.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "tests/live/live.h"

#define MANY 64

/* Programs that do nothing, until the kernel takes no more. */
struct crowd {
	int fds[2 * MANY];
	int count;
};

static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

/* 0, or an errno. */
static int join(struct crowd *crowd, int function)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = function);
	int program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "crowd", "GPL", nothing, 2, &opts), link;

	if (program < 0)
		return errno;
	crowd->fds[crowd->count++] = program;
	link = bpf_raw_tracepoint_open(NULL, program);
	if (link < 0)
		return errno;
	crowd->fds[crowd->count++] = link;
	return 0;
}

static void fill(struct crowd *crowd, const struct btf *btf, const char *function)
{
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC), error = 0;

	crowd->count = 0;
	while (!error && crowd->count < 2 * MANY)
		error = join(crowd, id);
	if (error != E2BIG)
		bail_out("%s takes %d programs: %s", function, crowd->count / 2, strerror(error));
}

static void leave(struct crowd *crowd)
{
	for (int i = 0; i < crowd->count; i++)
		close(crowd->fds[i]);
}

static int lines_with(const struct run *run, const char *text)
{
	int count = 0;

	for (const char *at = run->told; (at = strstr(at, text)); at++)
		count++;
	return count;
}

static bool shows_reset(const struct run *run)
{
	const json_t *record = json_array_get(run->records, 0);

	return json_array_size(run->records) == 1 &&
	       !strcmp(text_of(record, "branch"), "zero-linger") &&
	       !strcmp(text_of(record, "via"), "fentry") && !strcmp(text_of(record, "after"), "null");
}

static void optional_hook(const struct btf *btf)
{
	static const char *const argv[] = { "./closetrace", "-j", "--via", "fentry",
					    "-b", "zero-linger", "--", "./rst-client", "-q",
					    "-m", "zero-linger", NULL };
	struct crowd crowd;
	struct run run;

	fill(&crowd, btf, "tcp_time_wait");
	run_start(&run, argv);
	run_end(&run);
	ok(!run.status && lines_with(&run, "no hook on tcp_time_wait (") == 1 &&
		   strstr(run.told, "what else happened before the call returned"),
	   "fentry: an optional hook that is refused is told once, with what it would have shown");
	ok(shows_reset(&run), "fentry: and the rest is seen");
	note("%s", strtok(run.told, "\n"));
	run_free(&run);
	leave(&crowd);
}

static void required_hook(const struct btf *btf)
{
	static const char *const forced[] = { "./closetrace", "--via", "fentry", NULL };
	static const char *const any[] = { "./closetrace", "-v", "-d", "0.1", NULL };
	struct crowd crowd;
	struct run run;

	fill(&crowd, btf, "tcp_send_fin");
	run_start(&run, forced);
	run_end(&run);
	ok(run.status == 1 && lines_with(&run, "\n") == 1 && strstr(run.told, "tcp_send_fin"),
	   "fentry: a required hook that is refused makes the way unusable, in one line");
	note("%s", strtok(run.told, "\n"));
	run_free(&run);
	run_start(&run, any);
	run_end(&run);
	ok(!run.status && lines_with(&run, "closetrace: tracing by kprobe") == 1 &&
		   lines_with(&run, "closetrace: not by fentry: cannot attach to tcp_send_fin") +
		   lines_with(&run, "closetrace: not by fentry: the kernel is preemptible") == 1,
	   "kprobe is taken instead, and -v says why");
	note("%s", strtok(run.told, "\n"));
	run_free(&run);
	leave(&crowd);
}

int main(int argc, char **argv)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (argc < 2)
		bail_out("usage: hooks WAY");
	network_enter();
	if (strcmp(argv[1], "fentry")) {
		skip("only a trampoline can be filled", "%s: hooks that are refused", argv[1]);
	} else {
		optional_hook(btf);
		required_hook(btf);
	}
	btf__free(btf);
	return finish();
}
