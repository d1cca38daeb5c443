// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "user/kernel.h"
#include "user/privileges.h"
#include "user/procs.h"

/* What the maps take on a kernel that counts them, rounded up. */
#define MEMORY_NEEDED_MB 14

/* The first line of a file, without its end.  false with errno: it cannot be read. */
static bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool good = file && fgets(line, size, file);

	if (file)
		fclose(file);
	if (good)
		line[strcspn(line, "\n")] = '\0';
	return good;
}

/* ---- who we are ------------------------------------------------------------- */

static enum finding ask_privileges(const char *btf, char *text, size_t size)
{
	bool bpf = privileges_include(CAP_BPF), perfmon = privileges_include(CAP_PERFMON);
	const char *lacks = bpf ? "CAP_PERFMON" : perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";

	if (!bpf || !perfmon) {
		snprintf(text, size, "uid %u lacks %s", geteuid(), lacks);
		return FINDING_BAD;
	}
	if (!privileges_are_hosts()) {
		snprintf(text, size, "those of a user namespace count for nothing here");
		return FINDING_BAD;
	}
	if (geteuid())
		snprintf(text, size, "uid %u with CAP_BPF and CAP_PERFMON", geteuid());
	else
		snprintf(text, size, "root");
	return FINDING_GOOD;
}

static enum finding ask_pids(const char *btf, char *text, size_t size)
{
	bool good = procs_are_hosts();

	snprintf(text, size, good ? "the host's" : "a container's");
	return good ? FINDING_GOOD : FINDING_WEAK;
}

/* ---- what the kernel was built with, and told ---------------------------------- */

static enum finding ask_lockdown(const char *btf, char *text, size_t size)
{
	char line[128], *begin, *end;

	if (!read_line("/sys/kernel/security/lockdown", line, sizeof(line))) {
		snprintf(text, size, "not known: %s",
			 errno == ENOENT ? "securityfs is not mounted, or there is none" : strerror(errno));
		return FINDING_UNSURE;
	}
	/* none [integrity] confidentiality */
	begin = strchr(line, '[');
	end = begin ? strchr(begin, ']') : NULL;
	snprintf(text, size, "%.*s", end ? (int)(end - begin - 1) : 0, begin ? begin + 1 : "");
	if (strcmp(text, "confidentiality"))
		return FINDING_GOOD;
	snprintf(text, size, "confidentiality: nobody may read the kernel's memory");
	return FINDING_BAD;
}

static enum finding ask_btf(const char *btf, char *text, size_t size)
{
	const char *path = btf ? btf : KERNEL_BTF;
	struct stat file;

	if (stat(path, &file)) {
		snprintf(text, size, "%s: %s", path, strerror(errno));
		return FINDING_BAD;
	}
	snprintf(text, size, "%s, %lld kB", path, (long long)file.st_size / 1000);
	return access(KERNEL_BTF, R_OK) ? FINDING_WEAK : FINDING_GOOD;
}

/* Where the JIT is not compiled in there is no such file; nor, as of its neighbours, in a
 * network namespace other than the first. */
static enum finding ask_jit(const char *btf, char *text, size_t size)
{
	char line[16];

	if (read_line("/proc/sys/net/core/bpf_jit_enable", line, sizeof(line))) {
		snprintf(text, size, *line == '0' ? "off (net.core.bpf_jit_enable is 0)" : "on");
		return *line == '0' ? FINDING_WEAK : FINDING_GOOD;
	}
	if (errno == ENOENT && !access("/proc/sys/net/core/netdev_budget", F_OK)) {
		snprintf(text, size, "none in this kernel (CONFIG_BPF_JIT)");
		return FINDING_BAD;
	}
	snprintf(text, size, "not known: %s",
		 errno == ENOENT ? "this network namespace does not tell" : strerror(errno));
	return FINDING_UNSURE;
}

/* Switched off, kprobes can be attached all the same, and see nothing. */
static enum finding ask_kprobes(const char *btf, char *text, size_t size)
{
	char line[16];

	if (access("/sys/bus/event_source/devices/kprobe", F_OK)) {
		snprintf(text, size, "none in this kernel (CONFIG_KPROBE_EVENTS)");
		return FINDING_BAD;
	}
	if (read_line("/sys/kernel/debug/kprobes/enabled", line, sizeof(line)) && *line == '0') {
		snprintf(text, size, "switched off: echo 1 > /sys/kernel/debug/kprobes/enabled");
		return FINDING_BAD;
	}
	snprintf(text, size, "there");
	return FINDING_GOOD;
}

/* The same of ftrace, by which both ways get into a function. */
static enum finding ask_ftrace(const char *btf, char *text, size_t size)
{
	char line[16];

	if (!read_line("/proc/sys/kernel/ftrace_enabled", line, sizeof(line))) {
		snprintf(text, size, "none in this kernel (CONFIG_FUNCTION_TRACER)");
		return FINDING_UNSURE;
	}
	snprintf(text, size, *line == '0' ? "switched off (kernel.ftrace_enabled is 0)" : "on");
	return *line == '0' ? FINDING_BAD : FINDING_GOOD;
}

/* Above 2 means nothing to Linux itself, but Debian's and others' keep everybody out. */
static enum finding ask_perf(const char *btf, char *text, size_t size)
{
	char line[16];

	if (!read_line("/proc/sys/kernel/perf_event_paranoid", line, sizeof(line))) {
		snprintf(text, size, "not in this kernel (CONFIG_PERF_EVENTS)");
		return FINDING_BAD;
	}
	snprintf(text, size, "kernel.perf_event_paranoid is %s", line);
	return atoi(line) > 2 && !privileges_include(CAP_SYS_ADMIN) ? FINDING_BAD : FINDING_GOOD;
}

/* The mode in force stands in parentheses. */
static const char *preemption(char *line, size_t size)
{
	char *mode;

	if (!read_line("/sys/kernel/debug/sched/preempt", line, size))
		return NULL;
	mode = strchr(line, '(');
	if (!mode)
		return NULL;
	mode[strcspn(mode, ")")] = '\0';
	return mode + 1;
}

static bool is_preemptible(const char *mode)
{
	return !strcmp(mode, "full") || !strcmp(mode, "lazy");
}

bool kernel_may_preempt(void)
{
	char line[64];
	const char *mode = preemption(line, sizeof(line));

	return !mode || is_preemptible(mode);
}

bool kernel_is_preemptible(void)
{
	char line[64];
	const char *mode = preemption(line, sizeof(line));

	return mode && is_preemptible(mode);
}

static enum finding ask_preemption(const char *btf, char *text, size_t size)
{
	char line[64];
	const char *mode = preemption(line, sizeof(line));

	snprintf(text, size, "%s", mode ? mode : "not known: /sys/kernel/debug/sched/preempt does not tell");
	if (!mode)
		return FINDING_UNSURE;
	return kernel_is_preemptible() ? FINDING_WEAK : FINDING_GOOD;
}

enum via kernel_way(unsigned int rank)
{
	static const enum via orders[2][VIA_COUNT] = {
		{ VIA_FENTRY, VIA_KPROBE, VIA_TRACEPOINT },
		{ VIA_KPROBE, VIA_FENTRY, VIA_TRACEPOINT },
	};

	return orders[kernel_is_preemptible()][rank];
}

/* v5.11: the memory of maps is counted by the cgroup.  The helper came with it. */
static bool counts_locked_memory(void)
{
	return !libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns,
					NULL);
}

static enum finding ask_memory(const char *btf, char *text, size_t size)
{
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };

	if (!privileges_include(CAP_BPF)) {
		snprintf(text, size, "not known: without CAP_BPF the kernel does not say");
		return FINDING_UNSURE;
	}
	if (!counts_locked_memory()) {
		snprintf(text, size, "not limited by RLIMIT_MEMLOCK");
		return FINDING_GOOD;
	}
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_max >= MEMORY_NEEDED_MB << 20 || privileges_include(CAP_SYS_RESOURCE)) {
		snprintf(text, size, "enough");
		return FINDING_GOOD;
	}
	snprintf(text, size, "RLIMIT_MEMLOCK gives %llu kB, %d MB are needed",
		 (unsigned long long)limit.rlim_max / 1024, MEMORY_NEEDED_MB);
	return FINDING_BAD;
}

/* v6.10: enum sk_rst_reason; v6.12: reasons for the RST of a close. */
static bool has_reasons(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(type)[i].name_off),
			    "SK_RST_REASON_TCP_ABORT_ON_CLOSE"))
			return true;
	return false;
}

static enum finding ask_reasons(const char *path, char *text, size_t size)
{
	struct btf *btf = path ? btf__parse(path, NULL) : btf__load_vmlinux_btf();
	bool good = btf && has_reasons(btf);

	btf__free(btf);
	snprintf(text, size, "%s", !btf ? "not known: there is no BTF" :
				   good ? "there" : "none in this kernel for the RST of a close");
	return !btf ? FINDING_UNSURE : good ? FINDING_GOOD : FINDING_WEAK;
}

/* Hidden addresses are all 0: kernel.kptr_restrict, or no CAP_SYSLOG.  The first may be 0 anyway:
 * variables of each CPU. */
static bool shows_addresses(FILE *symbols)
{
	bool shown = false;
	char line[512];

	for (int i = 0; !shown && i < 1000 && fgets(line, sizeof(line), symbols); i++)
		shown = strspn(line, "0") < strcspn(line, " ");
	return shown;
}

static enum finding ask_symbols(const char *btf, char *text, size_t size)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	bool shown = symbols && shows_addresses(symbols);

	snprintf(text, size, "%s", shown ? "/proc/kallsyms" : symbols ? "/proc/kallsyms hides addresses" :
						    "no /proc/kallsyms (CONFIG_KALLSYMS)");
	if (symbols)
		fclose(symbols);
	return shown ? FINDING_GOOD : FINDING_WEAK;
}

/* ---- whether a file is this kernel's BTF ----------------------------------------- */

struct names {
	char **all;
	size_t count, room;
};

static bool add_name(struct names *names, const char *name)
{
	size_t room = names->room ? 2 * names->room : 1 << 17;
	char **all;

	if (names->count == names->room) {
		all = realloc(names->all, room * sizeof(*all));
		if (!all)
			return false;
		names->all = all;
		names->room = room;
	}
	names->all[names->count] = strdup(name);
	return names->all[names->count] && ++names->count;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Without what the compiler put behind them: "tcp_v4_rcv.constprop.0". */
static struct names read_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	struct names names = {};
	char line[1024], name[512];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %511[^. \t\n]", name) == 1)
			add_name(&names, name);
	if (file)
		fclose(file);
	qsort(names.all, names.count, sizeof(*names.all), compare);
	return names;
}

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->all[i]);
	free(names->all);
}

/* Another release's has thousands of functions that this kernel has not; its own a few hundred,
 * which are thrown away where there are no modules to unload (__exit). */
bool kernel_has_functions_of(const struct btf *btf)
{
	struct names symbols = read_symbols();
	int functions = 0, strange = 0;

	for (__u32 id = 1; symbols.count && id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);

		if (!btf_is_func(type))
			continue;
		functions++;
		strange += !bsearch(&name, symbols.all, symbols.count, sizeof(name), compare);
	}
	free_names(&symbols);
	return strange <= functions / 50;
}

/* ---- the whole ------------------------------------------------------------------ */

#define FENTRY		(1 << VIA_FENTRY)
#define KPROBE		(1 << VIA_KPROBE)
#define ALL_WAYS	((1 << VIA_COUNT) - 1)

/* clang-format off */
const struct check kernel_checks[] = {
	{ "privileges", ask_privileges, ALL_WAYS,
	  "the kernel lets no program in",
	  "run it as root (sudo closetrace ...), or give it CAP_BPF and CAP_PERFMON" },
	{ "lockdown", ask_lockdown, ALL_WAYS,
	  "no way works",
	  "boot with lockdown=integrity, or without" },
	{ "BTF", ask_btf, ALL_WAYS,
	  "without any nothing can be read; without the kernel's own there is no fentry",
	  "take a kernel with CONFIG_DEBUG_INFO_BTF, or give its BTF by --btf FILE" },
	{ "locked memory", ask_memory, ALL_WAYS,
	  "there is no room for what a close needs to be remembered",
	  "raise it (ulimit -l unlimited), or add CAP_SYS_RESOURCE" },
	{ "BPF JIT", ask_jit, FENTRY,
	  "programs run slowly, if fentry is let in at all",
	  "sysctl net.core.bpf_jit_enable=1" },
	{ "ftrace", ask_ftrace, FENTRY | KPROBE,
	  "fentry and kprobe see nothing",
	  "sysctl kernel.ftrace_enabled=1", .certain = true },
	{ "kprobes", ask_kprobes, KPROBE,
	  "no kprobe way",
	  "take another way, or a kernel that has them", .certain = true },
	{ "perf events", ask_perf, KPROBE,
	  "no kprobe way, where the kernel heeds more than 2",
	  "sysctl kernel.perf_event_paranoid=2, or run it as root" },
	{ "preemption", ask_preemption, 0,
	  "by fentry and tracepoint closes, resets and ends of many threads may be lost (told) or unknown",
	  "nothing: kprobes come first; none is put off, and two programs see each reset and each end" },
	{ "PID namespace", ask_pids, 0,
	  "-p, -f and -- COMMAND are refused: the kernel counts by the host's",
	  "start the container with the host's PIDs (--pid=host)" },
	{ "symbols", ask_symbols, 0,
	  "why an RST was sent outside a close, and what became of a socket, may be unknown",
	  "run it as root or with CAP_SYSLOG; sysctl kernel.kptr_restrict=1" },
	{ "reset reasons", ask_reasons, 0,
	  "reason is null in every record",
	  "nothing: they came with Linux 6.12, and the branch is sure without them" },
	{},
};
/* clang-format on */

static bool find_cause(enum via via, const char *btf, bool certain, char *line, size_t size)
{
	char text[256];

	for (const struct check *check = kernel_checks; check->what; check++) {
		if (!(check->ways & 1 << via) || (certain && !check->certain) ||
		    check->ask(btf, text, sizeof(text)) != FINDING_BAD)
			continue;
		snprintf(line, size, "%s: %s; %s", check->what, text, check->remedy);
		return true;
	}
	return false;
}

bool kernel_blame(enum via via, const char *btf, char *line, size_t size)
{
	return find_cause(via, btf, false, line, size);
}

bool kernel_bars(enum via via, char *line, size_t size)
{
	return find_cause(via, NULL, true, line, size);
}
