// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutexes by io_uring.
 *
 * lock-32	one process locks 32 free mutexes in one batch, and unlocks
 *		them. An operation is a lock and an unlock; or two ioctls, or
 *		two commands of io_uring, that do nothing.
 * pingpong	two processes take turns, as in bench_mutex.c. Each turn (one
 *		operation) is one io_uring_enter(2), with the command that wakes
 *		the other and the one that waits, until both have completed.
 * pending	memory per command that waits: to lock a mutex, or for an
 *		eventfd to be readable. The latter takes a request of io_uring
 *		and nothing else. The former takes one, too, and, as all
 *		commands that are for files to interpret, 128 bytes in which
 *		io_uring keeps the SQE; the rest is gosync's.
 *
 * gosync unlocks without io_uring, gosync-uring by a command, too. All rings
 * are alike, and what commands work on are ordinary descriptors. The futex is
 * IORING_OP_FUTEX_WAIT and _WAKE, of a word that is 1 or 0.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "gosync-user.h"

#define BATCH	32
#define TURNS	3
#define PENDING	20000

/* Of <linux/io_uring.h> and <linux/futex.h> since Linux 6.7 */
#define OP_FUTEX_WAIT	51
#define OP_FUTEX_WAKE	52
#define FUTEX_OF_32	2

/* This process's */
static struct io_uring ring;
static gosync_mutex_t *mutexes[BATCH];
static uint32_t *words, *ours, *theirs;
static int device;

/* --- Commands ------------------------------------------------------------- */

static inline struct io_uring_sqe *prep(unsigned int op, int fd, uint64_t off,
					uint64_t addr)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		errx(1, "the ring is full");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->off = off;
	sqe->addr = addr;
	return sqe;
}

/* @op is where the lower half of off is. */
static inline void prep_gosync(const void *object, unsigned int op)
{
	prep(IORING_OP_URING_CMD, gosync_fd(object), op, 0);
}

static inline void prep_futex(unsigned int op, uint32_t *word, uint32_t value)
{
	prep(op, FUTEX_OF_32, value, (uintptr_t)word)->addr3 =
		FUTEX_BITSET_MATCH_ANY;
}

/* Submit what was prepared. Return: 0 if all has been done, with success */
static inline int enter(void)
{
	unsigned int count = io_uring_sq_ready(&ring);
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;
	int failed;

	failed = io_uring_submit_and_wait(&ring, count) < 0;
	io_uring_for_each_cqe(&ring, head, cqe) {
		/* A futex that need not be waited for is no failure. */
		failed |= cqe->res < 0 && cqe->res != -EAGAIN;
		n++;
	}
	io_uring_cq_advance(&ring, n);
	return failed | (n != count);
}

/* --- Where they meet ------------------------------------------------------ */

static int open_ring(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};

	return io_uring_queue_init_params(2 * BATCH, &ring, &params);
}

static int open_mutexes(struct run *r, unsigned int count, unsigned int flags)
{
	int ret = open_ring();
	char name[64];

	for (unsigned int i = 0; i < count && !ret; i++) {
		snprintf(name, sizeof(name), "%s.%u", r->name, i);
		ret = gosync_mutex_open(name, GOSYNC_CREATE | flags, 0600,
					&mutexes[i]);
	}
	return ret;
}

static int open_batch(struct run *r)
{
	return open_mutexes(r, BATCH, 0);
}

static int open_turns(struct run *r)
{
	return open_mutexes(r, TURNS, 0);
}

static int open_device(struct run *r)
{
	(void)r;
	device = open(GOSYNC_DEVICE, O_RDWR | O_CLOEXEC);
	return device < 0 ? errno : 0;
}

static int open_nothing(struct run *r)
{
	(void)r;
	return open_ring();
}

static int create_words(struct run *r)
{
	words = bench_share(r, 2 * 64, true);
	if (!words)
		return errno;
	words[0] = 1;
	return 0;
}

static int open_words(struct run *r)
{
	words = bench_share(r, 2 * 64, false);
	if (!words)
		return errno;
	ours = words + r->me * 64 / sizeof(*words);
	theirs = words + !r->me * 64 / sizeof(*words);
	return open_ring();
}

/* --- lock-32 -------------------------------------------------------------- */

static inline int lock_batch(void)
{
	for (unsigned int i = 0; i < BATCH; i++)
		prep_gosync(mutexes[i], GOSYNC_IOC_MUTEX_LOCK);
	return enter();
}

static inline int unlock_batch_gosync(void)
{
	int failed = 0;

	for (unsigned int i = 0; i < BATCH; i++)
		failed |= gosync_mutex_unlock(mutexes[i]);
	return failed;
}

static inline int unlock_batch_uring(void)
{
	for (unsigned int i = 0; i < BATCH; i++)
		prep_gosync(mutexes[i], GOSYNC_IOC_MUTEX_UNLOCK);
	return enter();
}

static inline int nop_batch(void)
{
	for (unsigned int i = 0; i < BATCH; i++)
		prep(IORING_OP_NOP, 0, 0, 0);
	return enter();
}

/* What the loop counts is batches. */
#define BATCH_LOOP(r, ...)						\
do {									\
	BENCH_LOOP(r, 1, __VA_ARGS__);					\
	(r)->score->ops *= BATCH;					\
} while (0)

static void lock_32_gosync(struct run *r)
{
	BATCH_LOOP(r,
		   failed |= lock_batch();
		   failed |= unlock_batch_gosync());
}

static void lock_32_uring(struct run *r)
{
	BATCH_LOOP(r,
		   failed |= lock_batch();
		   failed |= unlock_batch_uring());
}

static void lock_32_nop(struct run *r)
{
	BATCH_LOOP(r,
		   failed |= nop_batch();
		   failed |= nop_batch());
}

static void lock_32_ioctl(struct run *r)
{
	int fd = device;

	BENCH_LOOP(r, BATCH,
		   failed |= ioctl(fd, GOSYNC_IOC_VERSION, 0) !=
			     GOSYNC_ABI_VERSION;
		   failed |= ioctl(fd, GOSYNC_IOC_VERSION, 0) !=
			     GOSYNC_ABI_VERSION);
}

/* --- pingpong ------------------------------------------------------------- */

/*
 * Whose turn it is, between rounds, and which mutex I slept for or am to sleep
 * for: see bench_mutex.c.
 */
static struct {
	unsigned int lock;
	bool mine;
} turn;

static int take_sides(struct run *r)
{
	turn.mine = !r->me;
	turn.lock = r->me ? 0 : 2;
	if (r->me)
		return gosync_mutex_lock(mutexes[1]);
	return gosync_mutex_lock(mutexes[0]) | gosync_mutex_lock(mutexes[2]);
}

static inline int await_lock(void)
{
	prep_gosync(mutexes[turn.lock], GOSYNC_IOC_MUTEX_LOCK);
	return enter();
}

/* The next mutex to unlock, after which another one is to sleep for */
static inline gosync_mutex_t *next_to_give(void)
{
	gosync_mutex_t *m = mutexes[(turn.lock + 1) % TURNS];

	turn.lock = (turn.lock + 2) % TURNS;
	return m;
}

static void pingpong_gosync(struct run *r)
{
	BENCH_TURNS(r, turn.mine,
		    failed |= await_lock(),
		    failed |= gosync_mutex_unlock(next_to_give()));
}

/*
 * What gives is submitted with what awaits, but for the last, after which
 * nobody waits.
 */
static inline int give_lock(struct run *r)
{
	prep_gosync(next_to_give(), GOSYNC_IOC_MUTEX_UNLOCK);
	return bench_last(r) ? enter() : 0;
}

static void pingpong_uring(struct run *r)
{
	BENCH_TURNS(r, turn.mine,
		    failed |= await_lock(),
		    failed |= give_lock(r));
}

static inline int await_word(void)
{
	prep_futex(OP_FUTEX_WAIT, ours, 0);
	return enter() ||
	       !__atomic_exchange_n(ours, 0, __ATOMIC_ACQUIRE);
}

static inline int give_word(struct run *r)
{
	__atomic_store_n(theirs, 1, __ATOMIC_RELEASE);
	prep_futex(OP_FUTEX_WAKE, theirs, 1);
	return bench_last(r) ? enter() : 0;
}

static void pingpong_futex(struct run *r)
{
	BENCH_TURNS(r, turn.mine,
		    failed |= await_word(),
		    failed |= give_word(r));
}

/* The next processes begin as these did. */
static void leave_futex(struct run *r)
{
	if (turn.mine)
		__atomic_store_n(words, 1, __ATOMIC_RELEASE);
	(void)r;
}

/* --- pending -------------------------------------------------------------- */

/* Memory in use, with so many commands of this kind waiting or without them */
static double bytes_with(unsigned int op, int fd, uint64_t off, uint32_t events,
			 unsigned int count)
{
	double bytes = -1;
	unsigned int i;

	if (open_ring())
		return -1;
	for (i = 0; i < count; i++) {
		prep(op, fd, off, 0)->poll32_events = events;
		if (io_uring_submit(&ring) != 1)
			break;
	}
	if (i == count && !io_uring_cq_ready(&ring))
		bytes = bench_bytes_used();
	io_uring_queue_exit(&ring);
	return bytes;
}

static double bytes_pending(unsigned int op, int fd, uint64_t off,
			    uint32_t events)
{
	double before, after;

	/* So that what is needed once exists */
	bytes_with(op, fd, off, events, 100);
	before = bytes_with(op, fd, off, events, 0);
	after = bytes_with(op, fd, off, events, PENDING);
	return before < 0 || after < 0 ? -1 : (after - before) / PENDING;
}

static double pending_gosync(struct run *r)
{
	gosync_mutex_t *m;
	double bytes = -1;

	(void)r;
	if (gosync_mutex_open(NULL, GOSYNC_CREATE, 0600, &m))
		return -1;
	if (!gosync_mutex_lock(m))
		bytes = bytes_pending(IORING_OP_URING_CMD, gosync_fd(m),
				      GOSYNC_IOC_MUTEX_LOCK, 0);
	gosync_close(m);
	return bytes;
}

static double pending_poll(struct run *r)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	double bytes;

	(void)r;
	if (fd < 0)
		return -1;
	bytes = bytes_pending(IORING_OP_POLL_ADD, fd, 0, POLLIN);
	close(fd);
	return bytes;
}

/* -------------------------------------------------------------------------- */

#define LOCK(impl_, x, ...)						\
	{ .op = "uring", .kase = "lock-32", .procs = 1, .ms = 100,	\
	  .counted = true, .impl = impl_, .run = lock_32_##x, __VA_ARGS__ }

#define PINGPONG(impl_, x, ...)						\
	{ .op = "uring", .kase = "pingpong", .procs = 2, .ms = 200,	\
	  .impl = impl_, .run = pingpong_##x, __VA_ARGS__ }

const struct bench uring_benches[] = {
	LOCK("gosync", gosync, .open = open_batch),
	LOCK("gosync-uring", uring, .open = open_batch),
	LOCK("ioctl", ioctl, .open = open_device),
	LOCK("nop", nop, .open = open_nothing),
	PINGPONG("gosync", gosync, .open = open_turns, .enter = take_sides),
	PINGPONG("gosync-uring", uring, .open = open_turns,
		 .enter = take_sides),
	PINGPONG("futex", futex, .create = create_words, .open = open_words,
		 .leave = leave_futex, .destroy = bench_unshare),
	{ .op = "uring", .kase = "pending", .impl = "gosync",
	  .measure = pending_gosync },
	{ .op = "uring", .kase = "pending", .impl = "poll-add",
	  .measure = pending_poll },
	{ }
};
