/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of io_uring share: rings of all kinds, and commands on them
 * whose results are noted by their number, each of which may come but once.
 */
#ifndef GOSYNC_TEST_URING_H
#define GOSYNC_TEST_URING_H

#include <liburing.h>
#include <limits.h>
#include "gosync_test.h"

#define COMMANDS	4096	/* the numbers of commands are below it */
#define ENTRIES		256	/* of a ring that may be small */
#define FILES		1024	/* and their descriptors, where registered */

#define UNDER_WAY	INT_MAX
#define NOTHING		(INT_MAX - 1)

/**
 * struct ring - a ring
 * @uring: itself
 * @sqe_flags: IOSQE_... of each command
 * @completed: how many completions there were
 * @wrong: and how many of nothing that was under way
 * @result: of each command
 * @place: of each command in the order of completion, from 1 on
 * @registered: which descriptors are
 */
struct ring {
	struct io_uring uring;
	unsigned int sqe_flags;
	unsigned int completed;
	unsigned int wrong;
	int result[COMMANDS];
	unsigned int place[COMMANDS];
	bool registered[FILES];
};

struct ring_kind {
	const char *name;
	unsigned int setup;	/* IORING_SETUP_... */
	unsigned int sqe_flags;	/* IOSQE_... */
};

static const struct ring_kind ring_kinds[] = {
	{ "plain" },
	{ "sqpoll", IORING_SETUP_SQPOLL },
	{ "defer", IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN },
	{ "coop", IORING_SETUP_COOP_TASKRUN },
	{ "async", 0, IOSQE_ASYNC },
	{ "fixed", 0, IOSQE_FIXED_FILE },
};

#define RING_KINDS	ARRAY_SIZE(ring_kinds)

/* How many completions a ring has room for, unless @cq_entries says it */
static inline int make_ring_of(struct ring *ring, unsigned int setup,
			       unsigned int sqe_flags, unsigned int cq_entries)
{
	struct io_uring_params params = {
		.flags = setup | IORING_SETUP_CQSIZE,
		.cq_entries = cq_entries,
		/* Its thread sleeps soon: there are but a few processors. */
		.sq_thread_idle = 5,
	};
	unsigned int i;
	int ret;

	memset(ring, 0, sizeof(*ring));
	ring->sqe_flags = sqe_flags;
	for (i = 0; i < COMMANDS; i++)
		ring->result[i] = NOTHING;
	ret = io_uring_queue_init_params(cq_entries < ENTRIES ? cq_entries :
					 ENTRIES, &ring->uring, &params);
	if (!ret && sqe_flags & IOSQE_FIXED_FILE)
		ret = io_uring_register_files_sparse(&ring->uring, FILES);
	return ret;
}

static inline int make_ring(struct ring *ring, const struct ring_kind *kind)
{
	return make_ring_of(ring, kind->setup, kind->sqe_flags, 2 * COMMANDS);
}

static inline void close_ring(struct ring *ring)
{
	io_uring_queue_exit(&ring->uring);
}

/* The ring knows the descriptor no longer. */
static inline void forget_fd(struct ring *ring, int fd)
{
	int none = -1;

	if (ring->registered[fd])
		io_uring_register_files_update(&ring->uring, fd, &none, 1);
	ring->registered[fd] = false;
}

static inline struct io_uring_sqe *new_sqe(struct ring *ring)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&ring->uring))) {
		io_uring_submit(&ring->uring);
		io_uring_sqring_wait(&ring->uring);
	}
	memset(sqe, 0, sizeof(*sqe));
	return sqe;
}

/* A command that is not submitted yet */
static inline struct io_uring_sqe *prepare(struct ring *ring, unsigned int id,
					   int fd, unsigned int op,
					   uint64_t addr)
{
	struct io_uring_sqe *sqe = new_sqe(ring);

	sqe->opcode = IORING_OP_URING_CMD;
	sqe->flags = ring->sqe_flags;
	sqe->fd = fd;
	sqe->cmd_op = op;
	sqe->addr = addr;
	sqe->user_data = id;
	if (ring->sqe_flags & IOSQE_FIXED_FILE && fd >= 0 && fd < FILES &&
	    !ring->registered[fd])
		ring->registered[fd] =
			io_uring_register_files_update(&ring->uring, fd, &fd,
						       1) == 1;
	ring->result[id] = UNDER_WAY;
	return sqe;
}

static inline struct gosync_uring *command_of(struct io_uring_sqe *sqe)
{
	return (struct gosync_uring *)sqe->cmd;
}

static inline void submit(struct ring *ring)
{
	io_uring_submit(&ring->uring);
}

static inline void start_until(struct ring *ring, unsigned int id, int fd,
			       unsigned int op, uint64_t addr,
			       uint64_t deadline, unsigned int flags)
{
	struct io_uring_sqe *sqe = prepare(ring, id, fd, op, addr);

	command_of(sqe)->deadline = deadline;
	command_of(sqe)->flags = flags;
	submit(ring);
}

static inline void start(struct ring *ring, unsigned int id, int fd,
			 unsigned int op, uint64_t addr)
{
	start_until(ring, id, fd, op, addr, 0, 0);
}

/* A command that waits; those of this descriptor's object before it do already. */
static inline bool queue_on(struct ring *ring, unsigned int id, int fd,
			    unsigned int op, uint64_t addr)
{
	unsigned int before = info_of(fd).waiters;

	start(ring, id, fd, op, addr);
	return has_waiters(fd, before + 1);
}

/* Note what is in the ring. */
static inline void reap_ring(struct ring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;

	io_uring_for_each_cqe(&ring->uring, head, cqe) {
		n++;
		ring->completed++;
		if (cqe->user_data >= COMMANDS ||
		    ring->result[cqe->user_data] != UNDER_WAY) {
			ring->wrong++;
			continue;
		}
		ring->result[cqe->user_data] = cqe->res;
		ring->place[cqe->user_data] = ring->completed;
	}
	io_uring_cq_advance(&ring->uring, n);
}

/* Note what has completed, also what only the kernel knows of so far. */
static inline void look(struct ring *ring)
{
	io_uring_get_events(&ring->uring);
	reap_ring(ring);
}

/*
 * Sleep until the command has completed. UNDER_WAY: it did not, or nobody woke
 * us when it did.
 */
static inline int result(struct ring *ring, unsigned int id)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + WATCHDOG / 2 * NSEC_PER_SEC;
	struct __kernel_timespec patience = { .tv_sec = WATCHDOG / 2 };
	struct io_uring_cqe *cqe;
	int ret;

	reap_ring(ring);
	while (ring->result[id] == UNDER_WAY && budget_left(end)) {
		ret = io_uring_wait_cqe_timeout(&ring->uring, &cqe, &patience);
		if (ret && ret != -EINTR)
			break;
		reap_ring(ring);
	}
	return ring->result[id];
}

/* A command from beginning to end; its number is not for others. */
static inline int run(struct ring *ring, int fd, unsigned int op, uint64_t addr)
{
	start(ring, COMMANDS - 1, fd, op, addr);
	return result(ring, COMMANDS - 1);
}

static inline int run_until(struct ring *ring, int fd, unsigned int op,
			    uint64_t addr, uint64_t deadline,
			    unsigned int flags)
{
	start_until(ring, COMMANDS - 1, fd, op, addr, deadline, flags);
	return result(ring, COMMANDS - 1);
}

/* Cancel what is under way there with that number. */
static inline int cancel(struct ring *ring, int fd, unsigned int id)
{
	return run(ring, fd, GOSYNC_IOC_CANCEL, id);
}

static inline int cancel_all(struct ring *ring, int fd)
{
	return run_until(ring, fd, GOSYNC_IOC_CANCEL, 0, 0, GOSYNC_CANCEL_ALL);
}

/* Given a moment, it has not completed. */
static inline bool is_under_way(struct ring *ring, unsigned int id)
{
	sleep_ns(3 * NSEC_PER_MSEC);
	look(ring);
	return ring->result[id] == UNDER_WAY;
}

/* Nobody waits any more, and how each wait ended was, or will be, counted. */
static inline bool adds_up(int fd)
{
	struct gosync_stat stat;

	return eventually((stat = stat_fd(fd), !info_of(fd).waiters &&
			   stat.contended == stat.acquired + stat.gave_up));
}

/* Reason to skip a test, or NULL: has the kernel got what is to be tested? */
static inline const char *no_uring(void)
{
	struct io_uring_probe *probe = io_uring_get_probe();
	bool has = probe && io_uring_opcode_supported(probe,
						      IORING_OP_URING_CMD);

	io_uring_free_probe(probe);
	return has ? NULL : "no io_uring, or no commands of it";
}

#define NEED_URING()							\
do {									\
	if (no_uring())							\
		SKIP(return, "%s", no_uring());				\
} while (0)

#endif /* GOSYNC_TEST_URING_H */
