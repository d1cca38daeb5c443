// SPDX-License-Identifier: GPL-2.0-only
/*
 * The socket of a close that is gone, and no program was run when it was destroyed: its end is told
 * as lost, that of one that lives on is not.  No test can make a kernel leave a program out, but
 * what it leaves behind can be made: in the table of closed sockets an entry for none.
 */
#include <cap-ng.h>
#include <dirent.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/live/end_tcp.h"
#include "tests/live/live.h"

#define PATIENCE_S 120

/* ---- its table ------------------------------------------------------------------------- */

static int map_id(pid_t pid, const char *fd)
{
	char path[300], line[128];
	FILE *info;
	int id = -1;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
	info = fopen(path, "re");
	while (info && id < 0 && fgets(line, sizeof(line), info))
		sscanf(line, "map_id: %d", &id);
	if (info)
		fclose(info);
	return id;
}

/* -1: it is another. */
static int open_orphans(int id, size_t *size)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	int map = id < 0 ? -1 : bpf_map_get_fd_by_id(id);

	if (map >= 0 && !bpf_obj_get_info_by_fd(map, &info, &length) &&
	    !strcmp(info.name, "orphans")) {
		*size = info.value_size;
		return map;
	}
	if (map >= 0)
		close(map);
	return -1;
}

static int find_orphans(pid_t pid, size_t *size)
{
	struct dirent *fd;
	char path[64];
	int map = -1;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	fds = opendir(path);
	while (fds && map < 0 && (fd = readdir(fds)))
		map = open_orphans(map_id(pid, fd->d_name), size);
	if (fds)
		closedir(fds);
	if (map < 0)
		bail_out("closetrace has no table of closed sockets");
	return map;
}

/* Into the middle of the one that there is: whatever is read there are not its ports. */
static bool add_gone(int map, size_t size)
{
	__u64 socket, gone;
	void *value = malloc(size);
	bool added = value && !bpf_map_get_next_key(map, NULL, &socket) &&
		     !bpf_map_lookup_elem(map, &socket, value);

	gone = socket + 64;
	added = added && !bpf_map_update_elem(map, &gone, value, BPF_NOEXIST);
	free(value);
	return added;
}

/* From v5.19 whoever has its descriptor. */
static bool is_for_everybody(int map)
{
	__u64 socket;
	int status;
	pid_t child = fork();

	if (!child) {
		capng_clear(CAPNG_SELECT_CAPS);
		_exit(capng_apply(CAPNG_SELECT_CAPS) || bpf_map_get_next_key(map, NULL, &socket));
	}
	return waitpid(child, &status, 0) == child && !status;
}

/* ---- the tests ------------------------------------------------------------------------- */

static void trace(const char *via, const char *name, bool gone)
{
	struct totals totals;
	bool told = true;
	struct pair pair;
	struct run run;
	size_t size;
	int map;

	run_begin(&run, via, NULL);
	map = find_orphans(run.pid, &size);
	pair_open(&pair, AF_INET, false, false);
	close(pair.end);
	if (!await_at(pair.lport, pair.rport, TCP_FIN_WAIT2))
		bail_out("no socket without a descriptor");
	if (gone && !add_gone(map, size))
		bail_out("no entry for what is gone");
	if (gone)
		told = is_for_everybody(map);
	run_stop(&run);
	totals = run_totals(&run);
	if (!told)
		skip("before v5.19 who gave up CAP_BPF reads no table", "%s: %s", via, name);
	else if (!ok(totals.lost == gone, "%s: %s", via, name))
		note("%ld lost: %s", totals.lost, run.told);
	run_free(&run);
	close(map);
	close(pair.peer);
}

int main(int argc, char **argv)
{
	const char *via = argc > 1 ? argv[1] : "fentry";

	alarm(PATIENCE_S);
	network_enter();
	/* A full socket stays, not a minisocket. */
	set_ipv4("tcp_fin_timeout", 120);
	trace(via, "a socket that lives on after its close has lost nothing", false);
	trace(via, "one that is gone without its end is told as lost", true);
	return finish();
}
