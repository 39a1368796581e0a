// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for any of several.
 *
 * ready-of-9	one process waits for four semaphores without a permit, four
 *		mutexes that are locked, and one that is free, which it gets
 *		and unlocks. ioctl-lock locks and unlocks that one alone.
 * pingpong-8	two processes take turns, each turn (one operation) a wait that
 *		sleeps and a release that wakes. Each has eight semaphores: it
 *		waits for any of these, and releases one of the other's, every
 *		time the next. over-1 waits in the same way for the one that
 *		will be released.
 *
 * futex-waitv is futex_waitv(2) over words that are 1 or 0. It looks at them
 * before it sleeps; its release always calls FUTEX_WAKE.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "gosync-user.h"

#define PROCS	2
#define OVER	8
#define IDLE	8

/* This process's and the other's; the first one of all has a permit at first */
static gosync_semaphore_t *theirs[OVER];
static struct gosync_wait_entry entries[OVER];

static uint32_t *words, *their_words;
static struct futex_waitv waitv[OVER];

/* Of ready-of-9 */
static gosync_mutex_t *mutex;
static struct gosync_wait_entry nine[IDLE + 1];

static int device;

static inline int wait_for_any(struct gosync_wait_entry *from,
			       unsigned int count)
{
	struct gosync_wait_many_args wait = {
		.size = sizeof(wait),
		.entries = (uintptr_t)from,
		.count = count,
		.entry_size = sizeof(*from),
	};

	return ioctl(device, GOSYNC_IOC_WAIT, &wait);
}

/* --- Where they meet ------------------------------------------------------ */

/* Whether it is this process's turn, between rounds, and with which one */
static bool mine;
static unsigned int ours_next, theirs_next;

/* Nobody gives the first one. */
static void begin_turns(const struct run *r)
{
	theirs_next = r->me;
}

static int open_device(void)
{
	device = open(GOSYNC_DEVICE, O_RDWR | O_CLOEXEC);
	return device < 0 ? errno : 0;
}

static struct gosync_wait_entry permit_of(const gosync_semaphore_t *s)
{
	return (struct gosync_wait_entry){
		.fd = gosync_fd(s),
		.op = GOSYNC_IOC_SEMAPHORE_ACQUIRE,
		.value = 1,
	};
}

static struct gosync_wait_entry lock_of(const gosync_mutex_t *m)
{
	return (struct gosync_wait_entry){
		.fd = gosync_fd(m),
		.op = GOSYNC_IOC_MUTEX_LOCK,
	};
}

static int open_nine_with(struct run *r, unsigned int flags)
{
	int ret = open_device();

	(void)r;
	flags |= GOSYNC_CREATE;
	for (unsigned int i = 0; i < IDLE && !ret; i += 2) {
		gosync_semaphore_t *s;
		gosync_mutex_t *m;

		ret = gosync_semaphore_open(NULL, 0, flags, 0600, &s) ?:
		      gosync_mutex_open(NULL, flags, 0600, &m) ?:
		      gosync_mutex_lock(m);
		if (ret)
			break;
		nine[i] = permit_of(s);
		nine[i + 1] = lock_of(m);
	}
	ret = ret ?: gosync_mutex_open(NULL, flags, 0600, &mutex);
	if (!ret)
		nine[IDLE] = lock_of(mutex);
	return ret;
}

static int open_nine(struct run *r)
{
	return open_nine_with(r, 0);
}

static int open_nine_ioctl(struct run *r)
{
	return open_nine_with(r, GOSYNC_IOCTL_ONLY);
}

static int open_turns_with(struct run *r, unsigned int flags)
{
	int ret = open_device();
	gosync_semaphore_t *s;
	char name[64];

	begin_turns(r);
	for (unsigned int i = 0; i < PROCS * OVER && !ret; i++) {
		snprintf(name, sizeof(name), "%s.%u", r->name, i);
		ret = gosync_semaphore_open(name, !i, GOSYNC_CREATE | flags,
					    0600, &s);
		if (ret)
			break;
		if (i / OVER == r->me)
			entries[i % OVER] = permit_of(s);
		else
			theirs[i % OVER] = s;
	}
	return ret;
}

static int open_turns(struct run *r)
{
	return open_turns_with(r, 0);
}

static int open_turns_ioctl(struct run *r)
{
	return open_turns_with(r, GOSYNC_IOCTL_ONLY);
}

/* Each word in a cache line of its own */
#define LINE	(64 / sizeof(*words))

static int create_words(struct run *r)
{
	words = bench_share(r, PROCS * OVER * 64, true);
	if (!words)
		return errno;
	words[0] = 1;
	return 0;
}

static int open_words(struct run *r)
{
	words = bench_share(r, PROCS * OVER * 64, false);
	if (!words)
		return errno;
	begin_turns(r);
	their_words = words + !r->me * OVER * LINE;
	words += r->me * OVER * LINE;
	for (unsigned int i = 0; i < OVER; i++)
		waitv[i] = (struct futex_waitv){
			.uaddr = (uintptr_t)(words + i * LINE),
			.flags = FUTEX_32,
		};
	return 0;
}

/* --- The cases ------------------------------------------------------------ */

static void ready_of_9(struct run *r)
{
	gosync_mutex_t *m = mutex;

	BENCH_LOOP(r, 16,
		   failed |= wait_for_any(nine, IDLE + 1) != IDLE;
		   failed |= gosync_mutex_unlock(m));
}

static void only_the_ready(struct run *r)
{
	gosync_mutex_t *m = mutex;

	BENCH_LOOP(r, 16,
		   failed |= gosync_mutex_lock(m);
		   failed |= gosync_mutex_unlock(m));
}

static inline int await_gosync(void)
{
	return wait_for_any(entries, OVER) < 0;
}

static inline int give_gosync(unsigned int i)
{
	return gosync_semaphore_release(theirs[i], 1);
}

static inline int await_one(void)
{
	unsigned int i = ours_next;

	ours_next = (i + 1) % OVER;
	return wait_for_any(&entries[i], 1);
}

static inline int give_one(unsigned int i)
{
	return give_gosync(i);
}

static inline int await_futex(void)
{
	for (;;) {
		for (unsigned int i = 0; i < OVER; i++)
			if (__atomic_exchange_n(words + i * LINE, 0,
						__ATOMIC_ACQUIRE))
				return 0;
		if (syscall(SYS_futex_waitv, waitv, OVER, 0, NULL, 0) < 0 &&
		    errno != EAGAIN)
			return errno;
	}
}

static inline int give_futex(unsigned int i)
{
	__atomic_store_n(their_words + i * LINE, 1, __ATOMIC_RELEASE);
	bench_wake(their_words + i * LINE, 1);
	return 0;
}

#define PINGPONG(x)							\
static void pingpong_##x(struct run *r)					\
{									\
	BENCH_TURNS(r, mine,						\
		    failed |= await_##x(),				\
		    failed |= give_##x(theirs_next);			\
		    theirs_next = (theirs_next + 1) % OVER);		\
}

PINGPONG(gosync)
PINGPONG(one)
PINGPONG(futex)

/* The next processes begin as these did. */
static void leave_futex(struct run *r)
{
	if (mine)
		__atomic_store_n(r->me ? their_words : words, 1,
				 __ATOMIC_RELEASE);
}

#define READY(impl_, ...)						\
	{ .op = "waitany", .kase = "ready-of-9", .procs = 1, .ms = 100,	\
	  .counted = true, .impl = impl_, __VA_ARGS__ }

#define TURNS(impl_, x, ...)						\
	{ .op = "waitany", .kase = "pingpong-8", .procs = PROCS, .ms = 200, \
	  .impl = impl_, .run = pingpong_##x, __VA_ARGS__ }

const struct bench waitany_benches[] = {
	READY("gosync", .run = ready_of_9, .open = open_nine),
	READY("gosync-ioctl", .run = ready_of_9, .open = open_nine_ioctl),
	READY("ioctl-lock", .run = only_the_ready, .open = open_nine_ioctl),
	TURNS("gosync", gosync, .open = open_turns),
	TURNS("gosync-ioctl", gosync, .open = open_turns_ioctl),
	TURNS("over-1", one, .open = open_turns),
	TURNS("futex-waitv", futex, .create = create_words, .open = open_words,
	      .leave = leave_futex, .destroy = bench_unshare),
	{ }
};
