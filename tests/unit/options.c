// SPDX-License-Identifier: GPL-2.0-only
/* The command line: what it refuses, and where the rest ends up. */
#include "tests/unit/sample.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "user/options.h"
#include "user/procs.h"

#define MAX_ARGS 8

/* options_parse() exits where it does not like the line, so a child runs it. */
struct run {
	struct options *options; /* as the child had them */
	int status;              /* PARSED: it returned */
	char *out, *err;
};

#define PARSED 200

static int count(char **args)
{
	int argc = 0;

	while (args[argc])
		argc++;
	return argc;
}

static void parse(struct options *options, char **args, int out, int err)
{
	/* In memory that is shared nobody looks for what is not lost. */
	static struct options parsed;

	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	options_parse(&parsed, count(args), args);
	*options = parsed;
	_exit(PARSED);
}

/* The words after the program's name, the last one NULL. */
static struct run run_with(const char *const *words)
{
	char *args[MAX_ARGS + 2] = { "./closetrace" };
	int out = memfd_create("out", 0), err = memfd_create("err", 0);
	struct run run;
	pid_t child;

	for (int i = 0; words[i] && i < MAX_ARGS; i++)
		args[i + 1] = (char *)words[i];
	run.options = mmap(NULL, sizeof(struct options), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(NULL);
	child = fork();
	if (!child)
		parse(run.options, args, out, err);
	waitpid(child, &run.status, 0);
	run.status = WIFEXITED(run.status) ? WEXITSTATUS(run.status) : -1;
	run.out = contents(out);
	run.err = contents(err);
	close(out);
	close(err);
	return run;
}

#define RUN(...) run_with((const char *const[]){ __VA_ARGS__, NULL })

static void end(struct run *run)
{
	munmap(run->options, sizeof(struct options));
	free(run->out);
	free(run->err);
}

/* ---- bad ------------------------------------------------------------------------------- */

/* clang-format off */
static const char *const bad[][2] = {
	{ "-p", "" }, { "-p", "0" }, { "-p", "-1" }, { "-p", "+1" }, { "-p", " 1" }, { "-p", "1 " },
	{ "-p", "abc" }, { "-p", "1x" }, { "-p", "0x1" }, { "-p", "1,2" }, { "-p", "2147483648" },
	{ "-p", "4294967297" }, { "-p", "18446744073709551617" },
	{ "-L", "" }, { "-L", "," }, { "-L", "80," }, { "-L", ",80" }, { "-L", "80,,81" },
	{ "-L", "65536" }, { "-L", "-1" }, { "-L", "80-" }, { "-L", "-80" }, { "-L", "90-80" },
	{ "-L", "1-2-3" }, { "-L", "80 " }, { "-L", "80, 81" }, { "-L", "http" }, { "-L", "1-65536" },
	{ "-L", "4294967376" }, { "-D", "" }, { "-D", "80;81" }, { "-D", "65616" }, { "-D", "0x50" },
	{ "-a", "" }, { "-a", "/" }, { "-a", "/8" }, { "-a", "10.0.0.0/" }, { "-a", "10.0.0.0/33" },
	{ "-a", "10.0.0.0/-1" }, { "-a", "10.0.0.0/8x" }, { "-a", "10.0.0.0/8/8" }, { "-a", "10.0.0" },
	{ "-a", "10.0.0.256" }, { "-a", "localhost" }, { "-a", "::1/129" }, { "-a", ":::" },
	{ "-a", "[::1]" }, { "-a", "fe80::1%lo" }, { "-a", "10.0.0.1,10.0.0.2" },
	{ "-b", "" }, { "-b", "nonsense" }, { "-b", "FIN" }, { "-b", "fin," }, { "-b", "fin,nonsense" },
	{ "-b", "fin, repair" },
	{ "--comm", "" }, { "--comm", "sixteen-bytes-xx" },
	{ "--cgroup", "" }, { "--cgroup", "/there/is/no/such/thing" }, { "--cgroup", "/proc" },
	{ "--cgroup", "/dev/null" },
	{ "--netns", "" }, { "--netns", "/there/is/no/such/thing" }, { "--netns", "2147483647" },
	/* They are there, and no network namespaces: nothing would ever match. */
	{ "--netns", "/dev/null" }, { "--netns", "/proc/self/ns/mnt" },
	{ "--via", "" }, { "--via", "ptrace" }, { "--via", "FENTRY" }, { "--via", "fentry,kprobe" },
	{ "-d", "" }, { "-d", "0" }, { "-d", "-1" }, { "-d", "abc" }, { "-d", "1s" }, { "-d", "nan" },
	{ "-d", "inf" }, { "-d", "1e300" }, { "-d", "1,5" },
	{ "-i", "" }, { "-i", "0" }, { "-i", "-1" }, { "-i", "often" }, { "-i", "1e300" },
	{ "-e", "" }, { "-e", "sent" }, { "-e", "sent=" }, { "-e", "sent!=" }, { "-e", "sent=rst," },
	{ "-e", "nonsense=1" }, { "-e", "cause=disconnect" }, { "-e", "branch=FIN" },
	{ "-e", "linger=0" }, { "-e", "lport=http" }, { "-e", "lport=65536" }, { "-e", "nonblock=1" },
};
/* clang-format on */

static void is_one_line_with(const char *text, const char *option, const char *value)
{
	const char *newline = strchr(text, '\n');

	if (!newline || newline[1] || strncmp(text, "closetrace: ", 12) || !strstr(text, option) ||
	    !strstr(text, value))
		fail_msg("%s %s: %s", option, value, text);
}

static void is_refused(struct run run, const char *option, const char *value)
{
	if (run.status != EXIT_USAGE)
		fail_msg("%s %s: exit %d", option, value, run.status);
	assert_string_equal(run.out, "");
	is_one_line_with(run.err, option, value);
	end(&run);
}

static void a_bad_value_is_named_in_one_line(void **state)
{
	for (size_t i = 0; i < COUNT(bad); i++)
		is_refused(RUN(bad[i][0], bad[i][1]), bad[i][0], bad[i][1]);
}

/* The whole value, though it was cut into pieces. */
static void long_options_are_refused_alike(void **state)
{
	is_refused(RUN("--lport=1,2,70000"), "-L", "1,2,70000");
	is_refused(RUN("--dport=80-70"), "-D", "80-70");
	is_refused(RUN("--addr=10.0.0.0/40"), "-a", "10.0.0.0/40");
	is_refused(RUN("--branch=fin,x"), "-b", "fin,x");
	is_refused(RUN("--duration=never"), "-d", "never");
	is_refused(RUN("--expect=sent=reset"), "-e", "sent=reset");
}

static void a_branch_that_is_none_is_told_all(void **state)
{
	struct run bad = RUN("-b", "nonsense");

	for (int branch = 0; branch < BRANCH_COUNT; branch++)
		if (!strstr(bad.err, branch_name(branch)))
			fail_msg("%s is not in %s", branch_name(branch), bad.err);
	end(&bad);
}

static void a_process_must_be_there(void **state)
{
	char pid[16];
	pid_t child = fork();

	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	snprintf(pid, sizeof(pid), "%d", child);
	is_refused(RUN("-p", pid), "-p", pid);
}

static void contradictions_are_refused(void **state)
{
	is_refused(RUN("-a", "10.0.0.1", "-a", "10.0.0.2"), "-a", "10.0.0.2");
	is_refused(RUN("-f"), "-f", "");
	is_refused(RUN("ls"), "ls", "--");
	is_refused(RUN("-j", "ls", "-l"), "ls", "--");
	is_refused(RUN("ls", "--", "ls"), "ls", "--");
	is_refused(RUN("--"), "--", "");
}

/* argp says these in its own words. */
static void what_is_no_option_is_refused(void **state)
{
	static const struct {
		const char *word, *name;
	} words[] = {
		{ "-x", "x" },        { "--nonsense", "nonsense" }, { "-p", "p" },
		{ "--comm", "comm" }, { "--json=1", "json" },
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		struct run bad = RUN(words[i].word);

		assert_int_equal(bad.status, EXIT_USAGE);
		assert_string_equal(bad.out, "");
		assert_int_equal(strncmp(bad.err, "closetrace: ", 12), 0);
		assert_non_null(strstr(bad.err, words[i].name));
		end(&bad);
	}
}

/* ---- good ------------------------------------------------------------------------------- */

static struct options good(const char *const *words)
{
	struct run good = run_with(words);
	struct options options = *good.options;

	if (good.status != PARSED || *good.out || *good.err)
		fail_msg("%s: exit %d: %s%s", words[0] ? words[0] : "", good.status, good.out,
			 good.err);
	end(&good);
	return options;
}

#define GOOD(...)   good((const char *const[]){ __VA_ARGS__, NULL })
#define FILTER(...) (GOOD(__VA_ARGS__).tracer.filter)

static void nothing_asked_is_everything(void **state)
{
	static const struct filter everything;
	struct options options = GOOD(NULL);

	assert_memory_equal(&options.tracer.filter, &everything, sizeof(everything));
	assert_int_equal(options.tracer.pids_count, 0);
	assert_int_equal(options.tracer.via, -1);
	assert_int_equal(options.tracer.cgroup, -1);
	assert_null(options.tracer.btf);
	assert_null(options.output);
	assert_null(options.command);
	assert_null(options.expect);
	assert_false(options.json || options.quiet || options.tracer.follow ||
		     options.tracer.verbose);
	assert_true(options.duration_s == 0);
}

static void processes_are_a_list(void **state)
{
	char self[16], parent[16];
	struct options options;

	snprintf(self, sizeof(self), "%d", getpid());
	snprintf(parent, sizeof(parent), "%d", getppid());
	if (!procs_are_hosts()) {
		is_refused(RUN("-p", self), "-p", "namespace");
		skip();
	}
	options = GOOD("-p", self, "--pid", parent, "-f");
	assert_int_equal(options.tracer.pids_count, 2);
	assert_int_equal(options.pids[0], getpid());
	assert_int_equal(options.pids[1], getppid());
	assert_true(options.tracer.follow);
}

static void has_ports(const __u64 *ports, const char *wanted)
{
	for (int port = 0; port < 65536; port++)
		if ((ports[port / 64] >> port % 64 & 1) != (unsigned char)wanted[port])
			fail_msg("port %d", port);
}

static void ports_are_bits(void **state)
{
	static char wanted[65536], none[65536];
	struct filter filter = FILTER("-L", "0,80,443,8000-8100,65535", "-L", "22-22");

	wanted[0] = wanted[22] = wanted[80] = wanted[443] = wanted[65535] = 1;
	memset(wanted + 8000, 1, 101);
	has_ports(filter.lports, wanted);
	has_ports(filter.rports, none);
	assert_int_equal(filter.by_lport, 1);
	assert_int_equal(filter.by_rport, 0);

	filter = FILTER("--dport", "0-65535");
	memset(wanted, 1, sizeof(wanted));
	has_ports(filter.rports, wanted);
	has_ports(filter.lports, none);
	assert_int_equal(filter.by_lport, 0);
	assert_int_equal(filter.by_rport, 1);
}

/* clang-format off */
static const struct {
	const char *cidr;
	__u8 addr[16], mask[16];
} networks[] = {
	{ "10.1.2.3",      IPV4(10, 1, 2, 3), { [0 ... 15] = 0xff } },
	{ "10.1.2.3/32",   IPV4(10, 1, 2, 3), { [0 ... 15] = 0xff } },
	{ "10.1.2.3/8",    IPV4(10, 0, 0, 0), { [0 ... 12] = 0xff } },
	{ "172.31.255.1/12", IPV4(172, 16, 0, 0), { [0 ... 12] = 0xff, [13] = 0xf0 } },
	{ "192.0.2.255/25", IPV4(192, 0, 2, 128), { [0 ... 14] = 0xff, [15] = 0x80 } },
	{ "1.2.3.4/0",     IPV4(0, 0, 0, 0), { [0 ... 11] = 0xff } },
	{ "::1",           { [15] = 1 }, { [0 ... 15] = 0xff } },
	{ "2001:db8::1/32", { 0x20, 0x01, 0x0d, 0xb8 }, { [0 ... 3] = 0xff } },
	{ "2001:db8:ffff::/33", { 0x20, 0x01, 0x0d, 0xb8, 0x80 }, { [0 ... 3] = 0xff, [4] = 0x80 } },
	{ "fe80::1/127",   { 0xfe, 0x80 }, { [0 ... 14] = 0xff, [15] = 0xfe } },
	{ "::/0",          {}, {} },
	{ "::ffff:10.1.2.3", IPV4(10, 1, 2, 3), { [0 ... 15] = 0xff } },
	{ "::ffff:10.1.2.3/104", IPV4(10, 0, 0, 0), { [0 ... 12] = 0xff } },
};
/* clang-format on */

static void networks_are_masks(void **state)
{
	for (size_t i = 0; i < COUNT(networks); i++) {
		struct filter filter = FILTER("-a", networks[i].cidr);

		if (memcmp(filter.addr, networks[i].addr, 16) ||
		    memcmp(filter.mask, networks[i].mask, 16))
			fail_msg("%s", networks[i].cidr);
		assert_int_equal(filter.by_addr, 1);
	}
}

static void families_are_one_or_all(void **state)
{
	assert_int_equal(FILTER("-4").family, AF_INET);
	assert_int_equal(FILTER("-6").family, AF_INET6);
	assert_int_equal(FILTER("-4", "-4").family, AF_INET);
	assert_int_equal(FILTER("-46").family, 0);
	assert_int_equal(FILTER("-6", "-4", "-6").family, 0);
}

static void names_are_the_kernels_bytes(void **state)
{
	static const char fifteen[COMM_LEN] = "fifteen-bytes-x";
	struct filter filter = FILTER("--comm", "nginx");

	assert_memory_equal(filter.comm, "nginx\0\0\0\0\0\0\0\0\0\0", COMM_LEN);
	assert_int_equal(filter.by_comm, 1);
	assert_memory_equal(FILTER("--comm", fifteen).comm, fifteen, COMM_LEN);
}

static void branches_are_bits(void **state)
{
	assert_int_equal(FILTER("-b", "unread-data,zero-linger").branches,
			 1 << BRANCH_UNREAD_DATA | 1 << BRANCH_ZERO_LINGER);
	assert_int_equal(FILTER("-b", "unknown", "--branch=fin").branches,
			 1 << BRANCH_UNKNOWN | 1 << BRANCH_FIN);
	for (int branch = 0; branch < BRANCH_COUNT; branch++)
		assert_int_equal(FILTER("-b", branch_name(branch)).branches, 1 << branch);
	assert_int_equal(FILTER("-r").resets, 1);
}

static void namespaces_are_inodes(void **state)
{
	struct stat ns;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(stat("/proc/self/ns/net", &ns), 0);
	assert_int_equal(FILTER("--netns", "/proc/self/ns/net").netns, ns.st_ino);
	assert_int_equal(FILTER("--netns", pid).netns, ns.st_ino);
}

static void a_cgroup_is_a_descriptor(void **state)
{
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK))
		skip();
	assert_true(GOOD("--cgroup", "/sys/fs/cgroup").tracer.cgroup > STDERR_FILENO);
}

static void ways_are_told_by_name(void **state)
{
	assert_int_equal(GOOD("--via", "fentry").tracer.via, VIA_FENTRY);
	assert_int_equal(GOOD("--via", "kprobe").tracer.via, VIA_KPROBE);
	assert_int_equal(GOOD("--via", "tracepoint").tracer.via, VIA_TRACEPOINT);
	assert_string_equal(GOOD("--btf", "/some/where").tracer.btf, "/some/where");
}

static void durations_are_seconds(void **state)
{
	assert_true(GOOD("-d", "5").duration_s == 5);
	assert_true(GOOD("-d", "0.25").duration_s == 0.25);
	assert_true(GOOD("--duration=86400").duration_s == 86400);
}

static void intervals_are_of_a_summary(void **state)
{
	assert_int_equal(GOOD("-d", "1").tracer.filter.counting, 0);
	assert_int_equal(GOOD("-c").tracer.filter.counting, 1);
	assert_true(GOOD("-c").interval_s == 0);
	assert_true(GOOD("-c", "-i", "0.5").interval_s == 0.5);
	assert_true(GOOD("--interval=60", "--summary").interval_s == 60);
	is_refused(RUN("-i", "1"), "-i", "-c");
	is_refused(RUN("-c", "-e", "sent=rst"), "-c", "-e");
	assert_int_equal(GOOD("-k", "-c").tracer.filter.stacks, 1);
}

static void rules_are_kept_in_order(void **state)
{
	char *args[] = { "closetrace", "-e", "sent=rst", "--expect", "branch!=fin", NULL };
	static struct options options;
	struct close_event event = sample_of(BRANCH_FIN);
	struct record closed = { .event = &event, .verdict = judge(&event) };

	options_parse(&options, count(args), args);
	assert_string_equal(expect_broken(options.expect, &closed), "sent=rst");
	event = sample_of(BRANCH_ZERO_LINGER);
	closed.verdict = judge(&event);
	assert_null(expect_broken(options.expect, &closed));
	expect_free(options.expect);
}

static void switches_are_set(void **state)
{
	struct options options = GOOD("-jqvv", "-o", "file");

	assert_true(options.json && options.quiet);
	assert_int_equal(options.tracer.verbose, 2);
	assert_string_equal(options.output, "file");
	assert_true(GOOD("--json").json);
	assert_true(GOOD("--quiet").quiet);
	assert_int_equal(GOOD("--verbose").tracer.verbose, 1);
	assert_int_equal(GOOD("--resets").tracer.filter.resets, 1);
	assert_string_equal(GOOD("--output=x").output, "x");
}

/* Whatever it looks like, it is the command's. */
static void the_rest_is_the_command(void **state)
{
	struct run run;

	if (!procs_are_hosts()) {
		is_refused(RUN("--", "true"), "--", "namespace");
		skip();
	}
	run = RUN("-f", "-j", "--", "curl", "-p", "-x", "--", "--json");
	assert_int_equal(run.status, PARSED);
	assert_true(run.options->json);
	assert_int_equal(run.options->tracer.pids_count, 0);
	end(&run);
}

/* The words, in the child: the array is its own. */
static void the_command_has_all_its_words(void **state)
{
	char *args[] = { "closetrace", "-q", "--", "curl", "-p", "--", "x", NULL };
	static const char *const wanted[] = { "curl", "-p", "--", "x" };
	static struct options options;

	if (!procs_are_hosts())
		skip();
	options_parse(&options, count(args), args);
	assert_int_equal(count(options.command), COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++)
		assert_string_equal(options.command[i], wanted[i]);
	assert_ptr_equal(options.tracer.pids, options.pids);
}

/* There is room for the command beside as many processes as can be named. */
static void the_command_fits_beside_the_processes(void **state)
{
	static char *args[2 * MAX_PIDS + 6];
	static struct options options;
	int argc = 0;
	char self[16];

	if (!procs_are_hosts())
		skip();
	snprintf(self, sizeof(self), "%d", getpid());
	args[argc++] = "closetrace";
	for (int i = 0; i < MAX_PIDS; i++) {
		args[argc++] = "-p";
		args[argc++] = self;
	}
	args[argc++] = "--";
	args[argc++] = "true";
	options_parse(&options, argc, args);
	assert_int_equal(options.tracer.pids_count, MAX_PIDS);
	assert_true(COUNT(options.pids) > options.tracer.pids_count);
}

/* ---- help --------------------------------------------------------------------------------- */

static void help_fits_and_names_every_option(void **state)
{
	static const char *const options[] = {
		"-p, --pid=",  "-f, --follow",  "-4",
		"-6",          "-L, --lport=",  "-D, --dport=",
		"-a, --addr=", "--comm=",       "--cgroup=",
		"--netns=",    "-b, --branch=", "-r, --resets",
		"-j, --json",  "-o, --output=", "-d, --duration=", "-k, --stack",
		"--via=",      "--btf=",        "-e, --expect=",
		"-q",          "-v",            "-V, --version",
		"-h, --help",  "-- COMMAND",
	};
	struct run help = RUN("-h"), same = RUN("--help");

	assert_int_equal(help.status, 0);
	assert_string_equal(help.err, "");
	assert_string_equal(help.out, same.out);
	for (size_t i = 0; i < COUNT(options); i++)
		if (!strstr(help.out, options[i]))
			fail_msg("%s is not in the help", options[i]);
	for (char *line = strtok(help.out, "\n"); line; line = strtok(NULL, "\n"))
		if (strlen(line) > 80)
			fail_msg("%zu columns: %s", strlen(line), line);
	end(&help);
	end(&same);
}

static void version_is_one_line(void **state)
{
	struct run version = RUN("-V"), same = RUN("--version");

	assert_int_equal(version.status, 0);
	assert_string_equal(version.err, "");
	assert_int_equal(strncmp(version.out, "closetrace ", 11), 0);
	assert_string_equal(strchr(version.out, '\n'), "\n");
	assert_string_equal(version.out, same.out);
	end(&version);
	end(&same);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_value_is_named_in_one_line),
		cmocka_unit_test(long_options_are_refused_alike),
		cmocka_unit_test(a_branch_that_is_none_is_told_all),
		cmocka_unit_test(a_process_must_be_there),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(what_is_no_option_is_refused),
		cmocka_unit_test(nothing_asked_is_everything),
		cmocka_unit_test(processes_are_a_list),
		cmocka_unit_test(ports_are_bits),
		cmocka_unit_test(networks_are_masks),
		cmocka_unit_test(families_are_one_or_all),
		cmocka_unit_test(names_are_the_kernels_bytes),
		cmocka_unit_test(branches_are_bits),
		cmocka_unit_test(namespaces_are_inodes),
		cmocka_unit_test(a_cgroup_is_a_descriptor),
		cmocka_unit_test(ways_are_told_by_name),
		cmocka_unit_test(durations_are_seconds),
		cmocka_unit_test(intervals_are_of_a_summary),
		cmocka_unit_test(rules_are_kept_in_order),
		cmocka_unit_test(switches_are_set),
		cmocka_unit_test(the_rest_is_the_command),
		cmocka_unit_test(the_command_has_all_its_words),
		cmocka_unit_test(the_command_fits_beside_the_processes),
		cmocka_unit_test(help_fits_and_names_every_option),
		cmocka_unit_test(version_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
