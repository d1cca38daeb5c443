// SPDX-License-Identifier: GPL-2.0-only
/* A ring of one entry, by the system calls themselves: Debian 12's headers do not have the
 * command yet. */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/live/linger_uring.h"

#define URING_CMD      46 /* IORING_OP_URING_CMD */
#define SET_SOCKOPT    3  /* SOCKET_URING_OP_SETSOCKOPT */
#define RING_SIZE      4096

/* struct io_uring_sqe as v6.7 has it for this command. */
struct command {
	uint8_t opcode, flags;
	uint16_t ioprio;
	int32_t fd;
	uint32_t cmd_op, pad1;
	uint32_t level, optname;
	uint32_t len, cmd_flags;
	uint64_t user_data;
	uint16_t buf_index, personality;
	uint32_t optlen;
	uint64_t optval, pad2;
};
_Static_assert(sizeof(struct command) == sizeof(struct io_uring_sqe), "one entry");

struct ring {
	int fd;
	struct io_uring_params params;
	char *sq, *cq;
	struct command *commands;
};

static void *map(const struct ring *ring, off_t what)
{
	void *at = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, what);

	return at == MAP_FAILED ? NULL : at;
}

static int ring_open(struct ring *ring)
{
	memset(&ring->params, 0, sizeof(ring->params));
	ring->fd = syscall(SYS_io_uring_setup, 1, &ring->params);
	if (ring->fd < 0)
		return -1;
	ring->sq = map(ring, IORING_OFF_SQ_RING);
	ring->cq = map(ring, IORING_OFF_CQ_RING);
	ring->commands = map(ring, IORING_OFF_SQES);
	return ring->sq && ring->cq && ring->commands ? 0 : -1;
}

/* What the kernel answers: 0 or an errno below 0. */
static int ring_do(struct ring *ring, const struct command *command)
{
	const struct io_sqring_offsets *sq = &ring->params.sq_off;
	const struct io_cqring_offsets *cq = &ring->params.cq_off;
	const struct io_uring_cqe *answer = (void *)(ring->cq + cq->cqes);

	ring->commands[0] = *command;
	*(uint32_t *)(ring->sq + sq->array) = 0;
	__atomic_store_n((uint32_t *)(ring->sq + sq->tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	return answer->res;
}

int uring_set_linger(int fd, const struct linger *linger)
{
	const struct command command = {
		.opcode = URING_CMD,
		.fd = fd,
		.cmd_op = SET_SOCKOPT,
		.level = SOL_SOCKET,
		.optname = SO_LINGER,
		.optlen = sizeof(*linger),
		.optval = (uintptr_t)linger,
	};
	struct ring ring = {};
	int answer;

	if (ring_open(&ring))
		return -1;
	answer = ring_do(&ring, &command);
	munmap(ring.sq, RING_SIZE);
	munmap(ring.cq, RING_SIZE);
	munmap(ring.commands, RING_SIZE);
	close(ring.fd);
	errno = -answer;
	return answer ? -1 : 0;
}
