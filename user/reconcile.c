// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/reconcile.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define BIT(value)   (1U << (value))

/* A hook runs so long before or after its counter moves, at most, and a reading takes as long:
 * what is nearer to a reading may be on either side of it. */
#define NEAR_NS 1000000
#define NAMED	4	/* network namespaces that are named one by one */

/* ---- which record moves which counter --------------------------------------- */

/* 1 << each verdict that does, by what it is about. */
struct movers {
	uint32_t branches;
	uint32_t sents;
	uint32_t afters;
	uint32_t causes;
	uint32_t ends;
};

struct row {
	const char *group;
	const char *name;
	struct movers surely;
	struct movers maybe;	/* what is unknown of a record could be this */
};

#define CAUSES_SENT	(BIT(CAUSE_RESET_BY_PEER) - 1)
#define CAUSES_MPTCP \
	(BIT(CAUSE_MPTCP_FASTCLOSE) | BIT(CAUSE_MPTCP_SUBFLOW) | BIT(CAUSE_MPTCP_JOIN_REJECT))
#define UNKNOWN_BRANCH	.branches = BIT(BRANCH_UNKNOWN)
#define UNKNOWN_CAUSE	.causes = BIT(CAUSE_UNKNOWN)
#define UNKNOWN_END	.ends = BIT(END_UNKNOWN)

static const struct row rows[COUNTERS_COUNT] = {
	/* clang-format off */
	[TCP_ABORT_ON_CLOSE] = {
		"TcpExt", "TCPAbortOnClose",
		{ .branches = BIT(BRANCH_UNREAD_DATA) },
		{ UNKNOWN_BRANCH, UNKNOWN_CAUSE },
	},
	[TCP_ABORT_ON_DATA] = {
		"TcpExt", "TCPAbortOnData",
		/* __tcp_close() counts zero linger whatever tcp_disconnect() did. */
		{ .branches = BIT(BRANCH_ZERO_LINGER), .afters = BIT(AFTER_LATE_DATA_RESET),
		  .causes = BIT(CAUSE_LATE_DATA) },
		{ UNKNOWN_BRANCH, UNKNOWN_CAUSE },
	},
	[TCP_ABORT_ON_LINGER] = {
		"TcpExt", "TCPAbortOnLinger",
		/* TCP_LINGER2 below 0 in FIN_WAIT1 is answered as late data, and counted so. */
		{ .afters = BIT(AFTER_LINGER2_RESET), .causes = BIT(CAUSE_LINGER2) },
		{ UNKNOWN_CAUSE },
	},
	[TCP_ABORT_ON_MEMORY] = {
		"TcpExt", "TCPAbortOnMemory",
		{ .afters = BIT(AFTER_ORPHAN_LIMIT_RESET), .causes = BIT(CAUSE_ORPHAN_LIMIT) },
		/* tcp_out_of_resources() may drop an orphan without an RST. */
		{ UNKNOWN_CAUSE, UNKNOWN_END },
	},
	[TCP_ABORT_ON_TIMEOUT] = {
		"TcpExt", "TCPAbortOnTimeout",
		{ .causes = BIT(CAUSE_KEEPALIVE_TIMEOUT), .ends = BIT(END_RETRANSMIT_TIMEOUT) },
		{ UNKNOWN_CAUSE, UNKNOWN_END },
	},
	[EMBRYONIC_RSTS] = {
		"TcpExt", "EmbryonicRsts",
		{ .causes = BIT(CAUSE_ACCEPT_OVERFLOW) | BIT(CAUSE_EMBRYONIC) },
		{ UNKNOWN_CAUSE },
	},
	[OUT_RSTS] = {
		"Tcp", "OutRsts",
		/* nf_send_reset() counts nothing. */
		{ .sents = BIT(SENT_RST),
		  .afters = BIT(AFTER_LINGER2_RESET) | BIT(AFTER_ORPHAN_LIMIT_RESET) |
			    BIT(AFTER_LATE_DATA_RESET),
		  .causes = CAUSES_SENT & ~BIT(CAUSE_FIREWALL_REJECT) },
		{ .sents = BIT(SENT_UNKNOWN) },
	},
	[TCP_ABORT_FAILED] = { "TcpExt", "TCPAbortFailed" },
	[ATTEMPT_FAILS] = { "Tcp", "AttemptFails" },
	[IN_SEGS] = { "Tcp", "InSegs" },
	[MP_RST_TX] = { "MPTcpExt", "MPRstTx" },
	[MP_FASTCLOSE_TX] = { "MPTcpExt", "MPFastcloseTx" },
	/* clang-format on */
};

/* An unknown cause of an RST that came is none of ours. */
static bool is_sent(const struct record *record)
{
	return record->verdict.cause < CAUSE_COUNT && !(record->event->facts & RESET_RECEIVED);
}

/* Before the call returned, or anywhere but in a close. */
static bool moves(const struct movers *movers, const struct record *record)
{
	const struct verdict *verdict = &record->verdict;

	switch (record->event->kind) {
	case EVENT_CLOSE:
		return BIT(verdict->branch) & movers->branches ||
		       BIT(verdict->sent) & movers->sents;
	case EVENT_RESET:
		return is_sent(record) && BIT(verdict->cause) & movers->causes;
	case EVENT_END:
		/* Where it ended by an RST of ours, that has a record of its own. */
		return !(record->event->facts & ENDED_ACTIVE) && BIT(verdict->end) & movers->ends;
	default:
		return false;
	}
}

static uint32_t moved_at_once(const struct record *record)
{
	uint32_t moved = 0;

	for (int i = 0; i < RECONCILED_COUNT; i++)
		moved |= moves(&rows[i].surely, record) ? BIT(i) : 0;
	return moved;
}

static uint32_t moved_after(const struct record *record)
{
	uint32_t moved = 0;

	if (record->event->kind != EVENT_CLOSE)
		return 0;
	for (int i = 0; i < RECONCILED_COUNT; i++)
		moved |= BIT(record->verdict.after) & rows[i].surely.afters ? BIT(i) : 0;
	return moved;
}

uint32_t reconcile_moved(const struct record *record)
{
	return moved_at_once(record) | moved_after(record);
}

uint32_t reconcile_may_have_moved(const struct record *record)
{
	uint32_t moved = 0;

	for (int i = 0; i < RECONCILED_COUNT; i++)
		moved |= moves(&rows[i].maybe, record) ? BIT(i) : 0;
	return moved & ~reconcile_moved(record);
}

/* ---- the kernel's counters ---------------------------------------------------- */

static int counter_by_name(const char *group, const char *name)
{
	for (int i = 0; i < COUNTERS_COUNT; i++)
		if (!strcmp(rows[i].name, name) && !strcmp(rows[i].group, group))
			return i;
	return -1;
}

/* "TcpExt: name name ..." and "TcpExt: number number ...": what no number stands below is not
 * found. */
static uint32_t parse_pair(char *names, char *numbers, uint64_t values[COUNTERS_COUNT])
{
	const char *group = strsep(&names, ":");
	uint32_t found = 0;
	char *name, *number, *end;

	strsep(&numbers, ":");
	while ((name = strsep(&names, " \n")) && (number = strsep(&numbers, " \n"))) {
		int i = counter_by_name(group, name);
		uint64_t value = strtoull(number, &end, 10);

		if (i < 0 || end == number || *end)
			continue;
		values[i] = value;
		found |= BIT(i);
	}
	return found;
}

static bool is_pair(const char *names, const char *numbers)
{
	size_t group = strcspn(names, ":");

	return names[group] && !strncmp(names, numbers, group + 1);
}

/* A pair that was parsed is in pieces, and makes no pair with what follows. */
uint32_t reconcile_parse(FILE *file, uint64_t values[COUNTERS_COUNT])
{
	struct {
		char *text;
		size_t size;
	} lines[2] = { { NULL } };
	uint32_t found = 0;
	int last = 0, now = 1;

	while (getline(&lines[now].text, &lines[now].size, file) >= 0) {
		if (lines[last].text && is_pair(lines[last].text, lines[now].text))
			found |= parse_pair(lines[last].text, lines[now].text, values);
		last = now;
		now = !now;
	}
	free(lines[0].text);
	free(lines[1].text);
	return found;
}

/* ---- network namespaces ------------------------------------------------------- */

struct space {
	uint32_t netns;
	uint64_t inode;		/* of its net/snmp: it has one of its own.  0: not seen yet */
	unsigned int look;	/* the last one that has read it */
	uint64_t base_ns;	/* when base was read; 0: it was not there */
	uint64_t look_ns;	/* when now was read; no record is later before there was a look */
	uint64_t base[COUNTERS_COUNT];
	uint64_t now[COUNTERS_COUNT];
	uint64_t recorded[RECONCILED_COUNT];	/* between the two */
	uint64_t later[RECONCILED_COUNT];
	uint64_t near_base[RECONCILED_COUNT];
	uint64_t near_look[RECONCILED_COUNT];
	uint64_t unknown[RECONCILED_COUNT];	/* may have moved it */
	uint64_t mptcp;		/* RSTs by causes of MPTCP */
	uint64_t records;	/* that moved any */
	bool was_left;		/* of the sum of the young: some cannot be read any more */
	bool was_idle;		/* ... some may have counted before */
};

struct spaces {
	struct space *at;
	size_t count;
	size_t room;
};

struct reconcile {
	int proc;
	uint32_t netns;		/* the only one, 0: all */
	unsigned int look;	/* 1: the opening */
	uint64_t begin_ns;
	uint64_t end_ns;
	bool idle;		/* some had no process at the opening, but a mount */
	uint64_t forgotten;	/* records for whose namespace there was no memory */
	struct spaces known;	/* by netns, in order: those of the opening, and of records */
	/* Whose number could not be asked for: privileges are given up by the time that they
	 * come.  Their sum stands beside the sum of the known that have no counters. */
	struct spaces young;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* At place, those above it move up.  NULL: no memory. */
static struct space *insert(struct spaces *spaces, size_t place)
{
	struct space *grown;
	size_t room;

	if (spaces->count == spaces->room) {
		room = spaces->room ? spaces->room * 2 : 16;
		grown = realloc(spaces->at, room * sizeof(*grown));
		if (!grown)
			return NULL;
		spaces->at = grown;
		spaces->room = room;
	}
	memmove(&spaces->at[place + 1], &spaces->at[place],
		(spaces->count - place) * sizeof(*spaces->at));
	spaces->count++;
	spaces->at[place] = (struct space){ .look_ns = UINT64_MAX };
	return &spaces->at[place];
}

/* The first that is not below it. */
static size_t place_of(const struct spaces *known, uint32_t netns)
{
	size_t low = 0, high = known->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (known->at[middle].netns < netns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct space *by_netns(struct reconcile *reconcile, uint32_t netns)
{
	size_t place = place_of(&reconcile->known, netns);
	struct space *space;

	if (place < reconcile->known.count && reconcile->known.at[place].netns == netns)
		return &reconcile->known.at[place];
	space = insert(&reconcile->known, place);
	if (!space)
		return NULL;
	space->netns = netns;
	if (reconcile->look > 1)
		space->look_ns = reconcile->end_ns;
	return space;
}

static struct space *by_inode(struct spaces *spaces, uint64_t inode)
{
	for (size_t i = 0; i < spaces->count; i++)
		if (spaces->at[i].inode == inode)
			return &spaces->at[i];
	return NULL;
}

/* ---- finding and reading them -------------------------------------------------- */

static FILE *open_file(int proc, const char *process, const char *file)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", process, file);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* 0: it is not there, or not for us. */
static uint64_t inode_of(int proc, const char *process, const char *file)
{
	struct stat stat;
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", process, file);
	return fstatat(proc, path, &stat, 0) ? 0 : stat.st_ino;
}

/* Through this process, if it is in this namespace still. */
static bool read_counters(int proc, const char *process, uint64_t inode,
			  uint64_t values[COUNTERS_COUNT])
{
	static const char *const files[] = { "net/snmp", "net/netstat" };
	struct stat stat = { 0 };
	uint32_t found = 0;
	FILE *file;

	for (size_t i = 0; i < COUNT(files); i++) {
		file = open_file(proc, process, files[i]);
		if (!file)
			return false;
		if (!i)
			fstat(fileno(file), &stat);
		found |= reconcile_parse(file, values);
		fclose(file);
	}
	return stat.st_ino == inode &&
	       (found & (BIT(RECONCILED_COUNT) - 1)) == BIT(RECONCILED_COUNT) - 1;
}

static void read_space(struct reconcile *reconcile, struct space *space, const char *process)
{
	uint64_t values[COUNTERS_COUNT] = { 0 }, time_ns = now_ns();

	if (!read_counters(reconcile->proc, process, space->inode, values))
		return;
	space->look = reconcile->look;
	memcpy(space->now, values, sizeof(values));
	if (reconcile->look == 1) {
		space->base_ns = time_ns;
		memcpy(space->base, values, sizeof(values));
	} else {
		space->look_ns = time_ns;
	}
}

static struct space *add_space(struct reconcile *reconcile, const char *process, uint64_t inode)
{
	uint32_t netns = 0;
	struct space *space;

	if (reconcile->look == 1)
		netns = inode_of(reconcile->proc, process, "ns/net");
	if (reconcile->netns && netns != reconcile->netns)
		return NULL;
	space = netns ? by_netns(reconcile, netns) :
			insert(&reconcile->young, reconcile->young.count);
	if (space)
		space->inode = inode;
	return space;
}

/* net/snmp has another inode in each namespace, and is everybody's to see; ns/net is not. */
static void visit(struct reconcile *reconcile, const char *process)
{
	uint64_t inode = inode_of(reconcile->proc, process, "net/snmp");
	struct space *space;

	if (!inode)
		return;
	space = by_inode(&reconcile->known, inode);
	if (!space)
		space = by_inode(&reconcile->young, inode);
	if (!space)
		space = add_space(reconcile, process, inode);
	if (space && space->look != reconcile->look)
		read_space(reconcile, space, process);
}

static void visit_all(struct reconcile *reconcile)
{
	int fd = openat(reconcile->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *proc = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	visit(reconcile, "self");
	while (proc && (entry = readdir(proc)))
		if (strtoul(entry->d_name, NULL, 10))
			visit(reconcile, entry->d_name);
	if (proc)
		closedir(proc);
}

/* "... net:[4026532301] /run/netns/name ... - nsfs ..." */
static void find_idle(struct reconcile *reconcile)
{
	FILE *mounts = open_file(reconcile->proc, "self", "mountinfo");
	size_t size = 0, place;
	char *line = NULL;
	const char *root;
	uint32_t netns;

	while (mounts && getline(&line, &size, mounts) >= 0) {
		root = strstr(line, " net:[");
		if (!root || sscanf(root, " net:[%" SCNu32, &netns) != 1)
			continue;
		place = place_of(&reconcile->known, netns);
		if (place == reconcile->known.count || reconcile->known.at[place].netns != netns)
			reconcile->idle = true;
	}
	free(line);
	if (mounts)
		fclose(mounts);
}

/* What came after the last look came before this one. */
static void begin_look(struct reconcile *reconcile)
{
	struct space *space;

	reconcile->look++;
	reconcile->end_ns = now_ns();
	for (size_t i = 0; i < reconcile->known.count; i++) {
		space = &reconcile->known.at[i];
		for (int j = 0; j < RECONCILED_COUNT; j++)
			space->recorded[j] += space->later[j];
		memset(space->later, 0, sizeof(space->later));
		memset(space->near_look, 0, sizeof(space->near_look));
		space->look_ns = reconcile->end_ns;
	}
}

void reconcile_look(struct reconcile *reconcile)
{
	begin_look(reconcile);
	visit_all(reconcile);
}

struct reconcile *reconcile_open(const char *proc, uint32_t netns)
{
	struct reconcile *reconcile = calloc(1, sizeof(*reconcile));

	if (!reconcile)
		return NULL;
	reconcile->netns = netns;
	reconcile->look = 1;
	reconcile->begin_ns = reconcile->end_ns = now_ns();
	reconcile->proc = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (reconcile->proc < 0)
		goto fail;
	visit_all(reconcile);
	find_idle(reconcile);
	return reconcile;
fail:
	reconcile_close(reconcile);
	return NULL;
}

void reconcile_close(struct reconcile *reconcile)
{
	int error = errno;

	if (!reconcile)
		return;
	if (reconcile->proc >= 0)
		close(reconcile->proc);
	free(reconcile->known.at);
	free(reconcile->young.at);
	free(reconcile);
	errno = error;
}

/* ---- records ------------------------------------------------------------------ */

static bool is_near(uint64_t time_ns, uint64_t other_ns)
{
	return (time_ns > other_ns ? time_ns - other_ns : other_ns - time_ns) <= NEAR_NS;
}

static void count_move(struct space *space, enum counter counter, uint64_t time_ns)
{
	space->near_base[counter] += is_near(time_ns, space->base_ns);
	space->near_look[counter] += is_near(time_ns, space->look_ns);
	if (time_ns > space->look_ns)
		space->later[counter]++;
	else if (time_ns >= space->base_ns)
		space->recorded[counter]++;
}

static void count_moves(struct space *space, uint32_t moved, uint64_t time_ns)
{
	for (int i = 0; i < RECONCILED_COUNT; i++)
		if (moved & BIT(i))
			count_move(space, i, time_ns);
}

void reconcile_count(struct reconcile *reconcile, const struct record *record)
{
	const struct close_event *event = record->event;
	uint32_t at_once = moved_at_once(record), after = moved_after(record);
	uint32_t unknown = reconcile_may_have_moved(record);
	struct space *space;

	if (!(at_once | after | unknown))
		return;
	if (reconcile->netns && event->netns != reconcile->netns)
		return;
	space = by_netns(reconcile, event->netns);
	if (!space) {
		reconcile->forgotten++;
		return;
	}
	space->records++;
	count_moves(space, at_once, event->time_ns);
	/* The time of a close is its beginning. */
	if (after)
		count_moves(space, after, event->time_ns + event->blocked_ns);
	for (int i = 0; i < RECONCILED_COUNT; i++)
		space->unknown[i] += unknown >> i & 1;
	space->mptcp += event->kind == EVENT_RESET && is_sent(record) &&
			BIT(record->verdict.cause) & CAUSES_MPTCP;
}

/* ---- why they differ ----------------------------------------------------------- */

static uint64_t moved_by(const struct space *space, enum counter counter)
{
	return space->now[counter] - space->base[counter];
}

/* How much of a counter's difference it can be, at most. */
struct explanation {
	int sign;	/* 1: the kernel has counted more than was recorded */
	uint64_t (*most)(const struct space *space, enum counter counter);
	const char *words;
};

/* tcp_send_active_reset() has counted it by then. */
static uint64_t no_memory(const struct space *space, enum counter counter)
{
	return counter == OUT_RSTS ? moved_by(space, TCP_ABORT_FAILED) : 0;
}

/* tcp_check_req() counts the same where it got an RST, and no socket is there to be reset. */
static uint64_t half_open(const struct space *space, enum counter counter)
{
	return counter == EMBRYONIC_RSTS ? moved_by(space, ATTEMPT_FAILS) : 0;
}

/* Only the end of a closed socket makes a record. */
static uint64_t not_closed(const struct space *space, enum counter counter)
{
	return counter == TCP_ABORT_ON_TIMEOUT ? UINT64_MAX : 0;
}

static uint64_t unknown(const struct space *space, enum counter counter)
{
	return space->unknown[counter];
}

/* One RST may move both of them. */
static uint64_t mptcp(const struct space *space, enum counter counter)
{
	uint64_t resets = moved_by(space, MP_RST_TX), closes = moved_by(space, MP_FASTCLOSE_TX);
	uint64_t most = resets > closes ? resets : closes;

	return counter == OUT_RSTS && most > space->mptcp ? most - space->mptcp : 0;
}

static uint64_t near(const struct space *space, enum counter counter)
{
	return space->near_base[counter] + space->near_look[counter];
}

static uint64_t was_idle(const struct space *space, enum counter counter)
{
	return space->was_idle ? UINT64_MAX : 0;
}

static uint64_t was_left(const struct space *space, enum counter counter)
{
	return space->was_left ? UINT64_MAX : 0;
}

/* In the order in which they are asked.  The lost are nobody's in particular. */
static const struct explanation explanations[] = {
	/* clang-format off */
	{  1, was_idle,      "may be from before, in a namespace that had no process then" },
	{  1, no_memory,     "RSTs that could not be sent: no memory (TCPAbortFailed)" },
	{  1, half_open,     "connections that the peer reset half-open (AttemptFails)" },
	{  1, not_closed,    "sockets not closed while traced: no record tells of these" },
	{  1, unknown,       "may be records of which it is unknown" },
	{  1, NULL,          "may be records that were lost" },
	{  1, mptcp,         "RSTs of MPTCP (MPRstTx, MPFastcloseTx)" },
	{  1, near,          "happened while the counters were read" },
	{ -1, near,          "happened while the counters were read" },
	{ -1, was_left,      "in network namespaces in which no process was left" },
	/* clang-format on */
};
#define EXPLANATIONS COUNT(explanations)

/* One counter of all namespaces. */
struct line {
	uint64_t kernel;
	uint64_t recorded;
	uint64_t explained[EXPLANATIONS];
	size_t odd;	/* namespaces with a difference that is not */
	struct {
		uint32_t netns;
		int64_t difference;
	} odds[NAMED];
	int64_t odd_rest;
};

static void add_space_to(struct line *line, const struct space *space, enum counter counter,
			 uint64_t *lost)
{
	uint64_t kernel = moved_by(space, counter), recorded = space->recorded[counter];
	int sign = kernel < recorded ? -1 : 1;
	uint64_t left = sign > 0 ? kernel - recorded : recorded - kernel, most;

	line->kernel += kernel;
	line->recorded += recorded;
	for (size_t i = 0; i < EXPLANATIONS && left; i++) {
		if (explanations[i].sign != sign)
			continue;
		most = explanations[i].most ? explanations[i].most(space, counter) : *lost;
		if (most > left)
			most = left;
		if (!explanations[i].most)
			*lost -= most;
		line->explained[i] += most;
		left -= most;
	}
	if (!left)
		return;
	if (line->odd < NAMED) {
		line->odds[line->odd].netns = space->netns;
		line->odds[line->odd].difference = sign * (int64_t)left;
	} else {
		line->odd_rest += sign * (int64_t)left;
	}
	line->odd++;
}

/* A number may be given anew: counters that went back are another namespace's. */
static bool is_readable(const struct reconcile *reconcile, const struct space *space)
{
	if (space->look != reconcile->look || (space->netns && !space->base_ns))
		return false;
	for (int i = 0; i < COUNTERS_COUNT; i++)
		if (space->now[i] < space->base[i])
			return false;
	return true;
}

static void add_counters(struct space *sum, const struct space *space)
{
	for (int i = 0; i < COUNTERS_COUNT; i++) {
		sum->base[i] += space->base[i];
		sum->now[i] += space->now[i];
	}
}

static void add_records(struct space *sum, const struct space *space)
{
	for (int i = 0; i < RECONCILED_COUNT; i++) {
		sum->recorded[i] += space->recorded[i];
		sum->near_look[i] += space->near_look[i];
		sum->unknown[i] += space->unknown[i];
	}
	sum->mptcp += space->mptcp;
}

/* All whose number or whose counters we have not got, as one.  Returns how many have counters. */
static size_t sum_young(const struct reconcile *reconcile, struct space *sum)
{
	size_t readable = 0, recorded = 0;

	*sum = (struct space){ .was_idle = reconcile->idle };
	for (size_t i = 0; i < reconcile->young.count; i++) {
		if (!is_readable(reconcile, &reconcile->young.at[i]))
			continue;
		add_counters(sum, &reconcile->young.at[i]);
		readable++;
	}
	for (size_t i = 0; i < reconcile->known.count; i++) {
		if (reconcile->known.at[i].inode)
			continue;
		add_records(sum, &reconcile->known.at[i]);
		recorded++;
	}
	sum->was_left = recorded > readable;
	return readable;
}

struct account {
	struct line lines[RECONCILED_COUNT];
	size_t spaces;
	size_t gone;
	uint64_t failed;	/* TCPAbortFailed */
};

static void add_to_account(struct account *account, const struct space *space, uint64_t *lost)
{
	for (int i = 0; i < RECONCILED_COUNT; i++)
		add_space_to(&account->lines[i], space, i, &lost[i]);
	if (!space->was_idle)
		account->failed += moved_by(space, TCP_ABORT_FAILED);
}

static void make_account(const struct reconcile *reconcile, struct account *account, uint64_t lost)
{
	uint64_t losts[RECONCILED_COUNT];
	struct space young;

	*account = (struct account){ 0 };
	/* One record may move several counters. */
	for (int i = 0; i < RECONCILED_COUNT; i++)
		losts[i] = lost + reconcile->forgotten;
	for (size_t i = 0; i < reconcile->known.count; i++) {
		const struct space *space = &reconcile->known.at[i];

		if (is_readable(reconcile, space)) {
			add_to_account(account, space, losts);
			account->spaces++;
		} else if (space->inode) {
			account->gone++;
		}
	}
	account->spaces += sum_young(reconcile, &young);
	add_to_account(account, &young, losts);
}

/* ---- telling it ---------------------------------------------------------------- */

static bool agrees(const struct account *account)
{
	for (int i = 0; i < RECONCILED_COUNT; i++) {
		if (account->lines[i].odd)
			return false;
		for (size_t j = 0; j < EXPLANATIONS; j++)
			if (account->lines[i].explained[j])
				return false;
	}
	return true;
}

static bool is_shown(const struct line *line)
{
	return line->kernel || line->recorded;
}

static bool any_is_shown(const struct account *account)
{
	for (int i = 0; i < RECONCILED_COUNT; i++)
		if (is_shown(&account->lines[i]))
			return true;
	return false;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void tell_agreement(const struct account *account, FILE *to)
{
	const struct line *lines = account->lines;
	uint64_t aborts = 0;

	for (int i = TCP_ABORT_ON_CLOSE; i <= TCP_ABORT_ON_TIMEOUT; i++)
		aborts += lines[i].kernel;
	fprintf(to, "counters agree: %" PRIu64 " of %" PRIu64 " RST%s, %" PRIu64 " of %" PRIu64
		" abort%s",
		lines[OUT_RSTS].recorded, lines[OUT_RSTS].kernel, plural(lines[OUT_RSTS].kernel),
		aborts, aborts, plural(aborts));
	if (lines[EMBRYONIC_RSTS].kernel)
		fprintf(to, ", %" PRIu64 " of %" PRIu64 " embryonic",
			lines[EMBRYONIC_RSTS].recorded, lines[EMBRYONIC_RSTS].kernel);
	fputc('\n', to);
}

static void tell_odd(const struct line *line, size_t spaces, FILE *to)
{
	for (size_t i = 0; i < line->odd && i < NAMED; i++) {
		fprintf(to, "    %+" PRId64 " unexplained", line->odds[i].difference);
		if (!line->odds[i].netns)
			fputs(", in network namespaces that are new", to);
		else if (spaces > 1)
			fprintf(to, ", in network namespace %" PRIu32, line->odds[i].netns);
		fputc('\n', to);
	}
	if (line->odd > NAMED)
		fprintf(to, "    %+" PRId64 " unexplained, in %zu more network namespace%s\n",
			line->odd_rest, line->odd - NAMED, plural(line->odd - NAMED));
}

static void tell_difference(const struct line *line, size_t spaces, FILE *to)
{
	if (line->kernel == line->recorded)
		fprintf(to, " %11s\n", "none");
	else
		fprintf(to, " %+11" PRId64 "\n", (int64_t)(line->kernel - line->recorded));
	for (size_t i = 0; i < EXPLANATIONS; i++)
		if (line->explained[i])
			fprintf(to, "    %+" PRId64 " %s\n",
				explanations[i].sign * (int64_t)line->explained[i],
				explanations[i].words);
	tell_odd(line, spaces, to);
}

static void tell_table(const struct reconcile *reconcile, const struct account *account,
		       bool differences, FILE *to)
{
	const struct line *line;

	fprintf(to, "counters of %zu network namespace%s over %.1f s:\n", account->spaces,
		plural(account->spaces), (reconcile->end_ns - reconcile->begin_ns) / 1e9);
	fprintf(to, "  %-17s %10s %10s%s\n", "counter", "kernel", "recorded",
		differences ? "  difference" : "");
	for (int i = 0; i < RECONCILED_COUNT; i++) {
		line = &account->lines[i];
		if (!is_shown(line))
			continue;
		fprintf(to, "  %-17s %10" PRIu64 " %10" PRIu64, rows[i].name, line->kernel,
			line->recorded);
		if (differences)
			tell_difference(line, account->spaces, to);
		else
			fputc('\n', to);
	}
}

/* Whether these have counted anything that was not recorded nobody can say. */
static void tell_gone(const struct reconcile *reconcile, const struct account *account, FILE *to)
{
	const struct space *space;
	size_t told = 0;

	for (size_t i = 0; i < reconcile->known.count && told < NAMED; i++) {
		space = &reconcile->known.at[i];
		if (!space->inode || is_readable(reconcile, space))
			continue;
		fprintf(to, "  netns %" PRIu32 " is gone, its counters with it: %" PRIu64
			" record%s left out\n",
			space->netns, space->records, plural(space->records));
		told++;
	}
	if (account->gone > told)
		fprintf(to, "  %zu more network namespace%s gone, their counters with them\n",
			account->gone - told, account->gone - told == 1 ? " is" : "s are");
}

void reconcile_tell(const struct reconcile *reconcile, FILE *to, const char *incomplete,
		    uint64_t lost)
{
	struct account account;

	make_account(reconcile, &account, lost);
	if (incomplete)
		fprintf(to, "counters: the records cannot be complete: %s\n", incomplete);
	if (!account.spaces)
		fputs("counters: none could be read\n", to);
	else if (!incomplete && agrees(&account))
		tell_agreement(&account, to);
	else if (any_is_shown(&account))
		tell_table(reconcile, &account, !incomplete, to);
	if (account.failed)
		fprintf(to, "  %" PRIu64 " RST%s never left: no memory, or refused below TCP "
			    "(TCPAbortFailed)\n",
			account.failed, plural(account.failed));
	tell_gone(reconcile, &account, to);
}
