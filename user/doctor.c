// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/doctor.h"
#include "user/judge.h"
#include "user/kernel.h"
#include "user/options.h"
#include "user/procs.h"
#include "user/tracer.h"

#define WIDTH 80
#define WHAT_WIDTH 15
#define WORD_WIDTH 9
#define INDENT (WHAT_WIDTH + WORD_WIDTH)

/* What a way cannot see on any kernel. */
/* clang-format off */
static const char *const unseen[VIA_COUNT][8] = {
	[VIA_TRACEPOINT] = {
		"how long a close waited (blocked_us is null)",
		"how a positive linger ended (linger is null), unless the process was exiting",
		"what else happened before the call returned (after is null)",
		"closes of kernel sockets",
		"who set SO_LINGER: no linger records, and linger_set_time is null",
		"RSTs of firewall rules; before Linux 6.10 those that no socket sent, or TIME_WAIT",
	},
};
/* clang-format on */

/* ---- the table -------------------------------------------------------------- */

void doctor_row(FILE *out, const char *what, const char *word, const char *text)
{
	int column = INDENT;

	fprintf(out, "%-*s%-*s", WHAT_WIDTH, what, WORD_WIDTH, word);
	while (*text) {
		int length = strcspn(text, " ");

		if (column > INDENT && column + 1 + length > WIDTH) {
			fprintf(out, "\n%*s", INDENT, "");
			column = INDENT;
		}
		column += fprintf(out, "%s%.*s", column > INDENT ? " " : "", length, text);
		text += length + (text[length] == ' ');
	}
	fputc('\n', out);
}

static void tell_checks(const char *btf)
{
	static const char *const words[] = {
		[FINDING_GOOD] = "good",
		[FINDING_UNSURE] = "?",
		[FINDING_WEAK] = "weak",
		[FINDING_BAD] = "bad",
	};
	enum finding finding;
	char text[256];

	for (const struct check *check = kernel_checks; check->what; check++) {
		finding = check->ask(btf, text, sizeof(text));
		doctor_row(stdout, check->what, words[finding], text);
		if (finding < FINDING_WEAK)
			continue;
		doctor_row(stdout, "", "so", check->means);
		doctor_row(stdout, "", "do", check->remedy);
	}
}

/* ---- the trial: a close of our own ---------------------------------------------- */

struct trial {
	struct sockaddr_in addr;	/* of the end that is closed */
	enum branch wanted;
	struct close_event seen;	/* kind 0: nothing */
};

/* A socket on a loopback port.  -1: there is no loopback. */
static int open_socket(struct sockaddr_in *addr)
{
	socklen_t size = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (!bind(fd, (struct sockaddr *)addr, size) &&
	    !getsockname(fd, (struct sockaddr *)addr, &size))
		return fd;
	close(fd);
	return -1;
}

/* A connection to ourselves that ends by a linger time of zero; where loopback is down it is
 * just a socket. */
static void close_one(struct trial *trial)
{
	struct linger zero = { .l_onoff = 1 };
	struct sockaddr_in listening;
	int listener = open_socket(&listening), fd = open_socket(&trial->addr);

	listen(listener, 1);
	trial->wanted = BRANCH_NOT_CONNECTED;
	if (!connect(fd, (struct sockaddr *)&listening, sizeof(listening)))
		trial->wanted = BRANCH_ZERO_LINGER;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &zero, sizeof(zero));
	close(fd);
	close(listener);
}

static void pick(void *arg, const struct close_event *event, size_t size)
{
	struct trial *trial = arg;

	if (event->kind == EVENT_CLOSE && event->lport == ntohs(trial->addr.sin_port) &&
	    !memcmp(event->laddr + 12, &trial->addr.sin_addr, 4))
		trial->seen = *event;
}

static const char *try_close(struct tracer *tracer)
{
	struct trial trial = {};

	tracer_start(tracer);
	close_one(&trial);
	tracer_stop(tracer);
	tracer_read(tracer, pick, &trial);
	if (!trial.seen.kind)
		return "attached, but a close of our own was not seen";
	if (judge(&trial.seen).branch != trial.wanted)
		return "attached, but a close of our own was misjudged";
	return NULL;
}

/* ---- the ways -------------------------------------------------------------------- */

struct patient {
	struct options *options;
	bool can_trace;
	enum via via;			/* what will be taken */
	struct missing missing[32];
	size_t missing_count;
};

static void take(struct patient *patient, const struct tracer *tracer)
{
	const struct missing *missing;

	patient->can_trace = true;
	patient->via = tracer_via(tracer);
	while ((missing = tracer_missing(tracer, patient->missing_count)))
		patient->missing[patient->missing_count++] = *missing;
}

/* Which way it is stands beside it, and what to do about it above. */
static const char *bare(char *why, enum via via)
{
	size_t length = strlen(via_name(via));

	why[strcspn(why, ";")] = '\0';
	return strncmp(why, via_name(via), length) || why[length] != ':' ? why : why + length + 2;
}

/* The first that works is taken, if no other was asked for. */
static void try_way(struct patient *patient, enum via via, int asked)
{
	static const char seen[] = "a close of our own was seen";
	static const char seen_by_table[] = "a close of our own was seen; the kernel has no task "
					    "storage, so each close costs more";
	const char *word, *text;
	struct tracer *tracer;
	char why[256];
	bool taken;

	patient->options->tracer.via = via;
	tracer = tracer_open(&patient->options->tracer, why, sizeof(why));
	if (!tracer) {
		doctor_row(stdout, via_name(via), "refused", bare(why, via));
		return;
	}
	text = try_close(tracer);
	taken = !text && (asked < 0 ? !patient->can_trace : via == (enum via)asked);
	word = text ? "blind" : taken ? "taken" : "works";
	if (!text)
		text = tracer_task_storage(tracer) ? seen : seen_by_table;
	doctor_row(stdout, via_name(via), word, text);
	if (taken)
		take(patient, tracer);
	tracer_close(tracer);
}

static void tell_unseen(const struct patient *patient)
{
	const char *what = via_name(patient->via);
	const struct missing *missing;
	char line[256];

	if (!unseen[patient->via][0] && !patient->missing_count)
		doctor_row(stdout, what, "misses", "nothing");
	for (const char *const *text = unseen[patient->via]; *text; text++, what = "")
		doctor_row(stdout, what, "misses", *text);
	for (size_t i = 0; i < patient->missing_count; i++, what = "") {
		missing = &patient->missing[i];
		snprintf(line, sizeof(line), "%s: no hook on %s (%s)", missing->hook->shows,
			 missing->hook->function, missing->why);
		doctor_row(stdout, what, "misses", line);
	}
}

static void conclude(const struct patient *patient, int asked)
{
	putchar('\n');
	if (patient->can_trace) {
		tell_unseen(patient);
		printf("\nclosetrace will trace by %s.\n", via_name(patient->via));
	} else if (asked >= 0) {
		printf("closetrace cannot trace by %s.\n", via_name(asked));
	} else {
		printf("closetrace cannot trace here.\n");
	}
}

int doctor_main(int argc, char **argv)
{
	static struct options options;
	struct patient patient = { .options = &options };
	int asked;

	options_parse(&options, argc, argv);
	/* Of everybody's closes only ours are wanted. */
	memset(&options.tracer.filter, 0, sizeof(options.tracer.filter));
	options.pids[0] = getpid();
	options.tracer.pids_count = procs_are_hosts();
	asked = options.tracer.via;
	tell_checks(options.tracer.btf);
	putchar('\n');
	for (unsigned int rank = 0; rank < VIA_COUNT; rank++)
		try_way(&patient, kernel_way(rank), asked);
	conclude(&patient, asked);
	return patient.can_trace ? 0 : EXIT_CANNOT;
}
