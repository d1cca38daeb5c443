// SPDX-License-Identifier: GPL-2.0-only
/* Whose a socket is, asked of the real /proc with sockets and processes of our own. */
#include "tests/unit/sample.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/magic.h>

#include "user/holder.h"

static int open_socket(uint64_t *inode)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat))
		fail_msg("no socket");
	*inode = stat.st_ino;
	return fd;
}

/* Not by what an earlier walk found. */
static pid_t ask(uint64_t inode)
{
	holder_hurry();
	return holder_of(inode);
}

/* ---- a process to look at ------------------------------------------------------------ */

struct child {
	pid_t pid;
	int go; /* closed: it ends */
};

/* Does this, and then waits. */
static struct child start(void (*act)(void *arg), void *arg)
{
	int ready[2], go[2];
	struct child child;
	char byte;

	if (pipe(ready) || pipe(go))
		fail_msg("no pipe");
	child.pid = fork();
	if (!child.pid) {
		close(go[1]);
		act(arg);
		close(ready[1]);
		_exit(read(go[0], &byte, 1) != 0);
	}
	close(ready[1]);
	close(go[0]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	child.go = go[1];
	return child;
}

static void end(struct child child)
{
	close(child.go);
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
}

static void nothing(void *arg)
{
}

static void close_it(void *fd)
{
	close(*(int *)fd);
}

/* ---- who has it --------------------------------------------------------------------------- */

static void our_own_is_ours(void **state)
{
	uint64_t inode;
	int fd = open_socket(&inode);

	assert_int_equal(ask(inode), getpid());
	/* Known from then on: without a walk, which may not be made yet. */
	assert_int_equal(holder_of(inode), getpid());
	close(fd);
}

static void each_of_many_is_found(void **state)
{
	uint64_t inodes[100];
	int fds[100];

	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = open_socket(&inodes[i]);
	holder_hurry();
	for (size_t i = 0; i < COUNT(fds); i++)
		assert_int_equal(holder_of(inodes[i]), getpid());
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

static void a_childs_is_the_childs(void **state)
{
	uint64_t inode;
	int fd = open_socket(&inode);
	struct child child = start(nothing, NULL);

	close(fd);
	assert_int_equal(ask(inode), child.pid);
	end(child);
	assert_int_equal(ask(inode), 0);
}

/* One of them, and the other when that one has closed it. */
static void a_shared_one_is_of_who_is_left(void **state)
{
	uint64_t inode;
	int fd = open_socket(&inode);
	struct child child = start(nothing, NULL);
	pid_t first = ask(inode);

	assert_true(first == getpid() || first == child.pid);
	end(child);
	assert_int_equal(holder_of(inode), getpid());
	close(fd);

	fd = open_socket(&inode);
	child = start(close_it, &fd);
	assert_int_equal(ask(inode), getpid());
	end(child);
	close(fd);
}

static void a_closed_one_is_nobodys(void **state)
{
	uint64_t inode;
	int fd = open_socket(&inode);

	assert_int_equal(ask(inode), getpid());
	close(fd);
	assert_int_equal(holder_of(inode), 0);
	assert_int_equal(ask(inode), 0);
}

/* Under the descriptor that it had there is another now. */
static void the_next_one_is_not_the_last_one(void **state)
{
	uint64_t inode, next;
	int fd = open_socket(&inode), again;

	assert_int_equal(ask(inode), getpid());
	close(fd);
	again = open_socket(&next);
	assert_int_equal(again, fd);
	assert_int_equal(holder_of(inode), next == inode ? getpid() : 0);
	assert_int_equal(ask(next), getpid());
	close(again);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void it_says_when_it_looked(void **state)
{
	int64_t before_ms = now_ms();

	ask(1);
	assert_true(holder_looked_since(before_ms));
	assert_false(holder_looked_since(now_ms() + 1));
}

static void what_is_no_socket_is_nobodys(void **state)
{
	int ends[2];
	struct stat stat;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fstat(ends[0], &stat), 0);
	/* A pipe's inodes are numbered like those of sockets: its number may be a socket's, but not
	 * one of ours. */
	assert_int_not_equal(ask(stat.st_ino), getpid());
	assert_int_equal(ask(0), 0);
	close(ends[0]);
	close(ends[1]);
}

/* ---- who that is ----------------------------------------------------------------------------- */

static void set_name(void *name)
{
	prctl(PR_SET_NAME, name);
}

static void is_called(const char *set, const char *wanted)
{
	struct child child = start(set_name, (char *)set);
	struct close_event event = sample;

	memset(event.comm, 'x', sizeof(event.comm));
	assert_true(holder_fill(&event, child.pid));
	assert_int_equal(event.pid, child.pid);
	assert_string_equal(event.comm, wanted);
	/* Filters compare all of it. */
	for (size_t i = strlen(wanted); i < sizeof(event.comm); i++)
		assert_int_equal(event.comm[i], 0);
	end(child);
}

static void any_name_is_read(void **state)
{
	is_called("client", "client");
	is_called("", "");
	is_called("fifteen bytes..", "fifteen bytes..");
	is_called("cut at fifteen bytes", "cut at fifteen ");
	is_called(" a\tb ", " a\tb ");
	is_called("\n", "\n");
	is_called("a\nb", "a\nb");
	is_called("a\n\n", "a\n\n");
	is_called("14 and newline\n", "14 and newline\n");
	is_called("Uid:\t7", "Uid:\t7");
	is_called("\xff\xfe\x1b[31m", "\xff\xfe\x1b[31m");
	is_called("(a) b) S 1", "(a) b) S 1");
}

static void set_uid(void *uid)
{
	set_name("a\nUid:\t99\t99");
	if (setresuid(*(uid_t *)uid, 0, 0))
		_exit(1);
}

/* The real one, as the records of closes have it. */
static void the_uid_is_the_real_one(void **state)
{
	struct close_event event = sample;
	uid_t uid = 12345;
	struct child child;

	assert_true(holder_fill(&event, getpid()));
	assert_int_equal(event.uid, getuid());
	if (geteuid())
		skip();
	child = start(set_uid, &uid);
	assert_true(holder_fill(&event, child.pid));
	assert_int_equal(event.uid, uid);
	end(child);
}

/* Which of its threads it was nobody knows. */
static void the_thread_is_not_known(void **state)
{
	struct close_event event = sample;

	assert_true(holder_fill(&event, getpid()));
	assert_int_equal(event.pid, getpid());
	assert_int_equal(event.tid, 0);
}

static uint64_t root_of_cgroups(void)
{
	struct statfs system;
	struct stat root;

	if (statfs("/sys/fs/cgroup", &system) || system.f_type != CGROUP2_SUPER_MAGIC ||
	    stat("/sys/fs/cgroup", &root))
		return 0;
	return root.st_ino;
}

/* Beside the old hierarchies it is somewhere else, and what is there is no cgroup. */
static void the_cgroup_is_one_or_none(void **state)
{
	struct close_event event = sample;

	assert_true(holder_fill(&event, getpid()));
	if (!root_of_cgroups())
		assert_int_equal(event.cgroup, 0);
	else
		assert_int_not_equal(event.cgroup, 0);
}

static void who_is_gone_is_nobody(void **state)
{
	struct child child = start(nothing, NULL);
	struct close_event event = sample;

	end(child);
	assert_false(holder_fill(&event, child.pid));
	assert_memory_equal(&event, &sample, sizeof(event));
}

/* ---- and what is left of it --------------------------------------------------------------------- */

static int descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void no_descriptor_is_left_open(void **state)
{
	struct close_event event = sample;
	uint64_t inode;
	int fd = open_socket(&inode), before = descriptors();

	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask(inode), getpid());
		assert_true(holder_fill(&event, getpid()));
		assert_int_equal(ask(1), 0);
		assert_false(holder_fill(&event, 0));
	}
	assert_int_equal(descriptors(), before);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_is_ours),
		cmocka_unit_test(each_of_many_is_found),
		cmocka_unit_test(a_childs_is_the_childs),
		cmocka_unit_test(a_shared_one_is_of_who_is_left),
		cmocka_unit_test(a_closed_one_is_nobodys),
		cmocka_unit_test(the_next_one_is_not_the_last_one),
		cmocka_unit_test(it_says_when_it_looked),
		cmocka_unit_test(what_is_no_socket_is_nobodys),
		cmocka_unit_test(any_name_is_read),
		cmocka_unit_test(the_uid_is_the_real_one),
		cmocka_unit_test(the_thread_is_not_known),
		cmocka_unit_test(the_cgroup_is_one_or_none),
		cmocka_unit_test(who_is_gone_is_nobody),
		cmocka_unit_test(no_descriptor_is_left_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
