// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semaphores.
 *
 * uncontended	one process acquires the only permit and releases it.
 * pingpong	two processes take turns, each turn (one operation) a wait that
 *		sleeps and a release that wakes. Each has a semaphore of its
 *		own: it acquires that, and releases the other's.
 *
 * sem_t is sem_init()'s, in shared memory. The raw futex is a word that is 1 or
 * 0; its release always calls FUTEX_WAKE.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>

#include "bench.h"
#include "gosync-user.h"

#define SEMAPHORES	2	/* the first has a permit to begin with */

struct shared_semaphore {
	sem_t sem __aligned(64);
	uint32_t futex __aligned(64);
};

union semaphore {
	gosync_semaphore_t *gosync;
	sem_t *sem;
	uint32_t *futex;
};

/* This process's */
static union semaphore semaphores[SEMAPHORES];

/* --- The implementations -------------------------------------------------- */

BENCH_CALL(acquire_gosync, semaphore, gosync, gosync_semaphore_acquire, 1)
BENCH_CALL(release_gosync, semaphore, gosync, gosync_semaphore_release, 1)
BENCH_CALL(acquire_sem_t, semaphore, sem, sem_wait)
BENCH_CALL(release_sem_t, semaphore, sem, sem_post)

static __always_inline int acquire_futex(union semaphore s)
{
	while (!__atomic_exchange_n(s.futex, 0, __ATOMIC_ACQUIRE))
		bench_wait(s.futex, 0);
	return 0;
}

static __always_inline int release_futex(union semaphore s)
{
	__atomic_store_n(s.futex, 1, __ATOMIC_RELEASE);
	bench_wake(s.futex, 1);
	return 0;
}

/* --- Where they meet ------------------------------------------------------ */

static int open_gosync_with(struct run *r, unsigned int flags)
{
	char name[64];
	int ret = 0;

	for (unsigned int i = 0; i < SEMAPHORES && !ret; i++) {
		snprintf(name, sizeof(name), "%s.%u", r->name, i);
		ret = gosync_semaphore_open(name, !i, GOSYNC_CREATE | flags,
					    0600, &semaphores[i].gosync);
	}
	return ret;
}

static int open_gosync(struct run *r)
{
	return open_gosync_with(r, 0);
}

static int open_gosync_ioctl(struct run *r)
{
	return open_gosync_with(r, GOSYNC_IOCTL_ONLY);
}

static int create_shared(struct run *r)
{
	struct shared_semaphore *shared;

	shared = bench_share(r, SEMAPHORES * sizeof(*shared), true);
	if (!shared)
		return errno;
	for (unsigned int i = 0; i < SEMAPHORES; i++) {
		if (sem_init(&shared[i].sem, 1, !i))
			return errno;
		shared[i].futex = !i;
	}
	return 0;
}

static int open_shared(struct run *r, bool futex)
{
	struct shared_semaphore *shared;

	shared = bench_share(r, SEMAPHORES * sizeof(*shared), false);
	if (!shared)
		return errno;
	for (unsigned int i = 0; i < SEMAPHORES; i++) {
		if (futex)
			semaphores[i].futex = &shared[i].futex;
		else
			semaphores[i].sem = &shared[i].sem;
	}
	return 0;
}

static int open_sem_t(struct run *r)
{
	return open_shared(r, false);
}

static int open_futex(struct run *r)
{
	return open_shared(r, true);
}

/* --- The cases ------------------------------------------------------------ */

/* Whether it is this process's turn, between rounds */
static bool mine;

#define UNCONTENDED(x)							\
static void uncontended_##x(struct run *r)				\
{									\
	union semaphore s = semaphores[0];				\
									\
	BENCH_LOOP(r, 64,						\
		   failed |= acquire_##x(s);				\
		   failed |= release_##x(s));				\
}

#define PINGPONG(x)							\
static void pingpong_##x(struct run *r)					\
{									\
	union semaphore ours = semaphores[r->me];			\
	union semaphore theirs = semaphores[!r->me];			\
									\
	BENCH_TURNS(r, mine,						\
		    failed |= acquire_##x(ours),			\
		    failed |= release_##x(theirs));			\
}									\
									\
/* The next processes begin as these did. */				\
static void leave_##x(struct run *r)					\
{									\
	(void)r;							\
	if (mine)							\
		release_##x(semaphores[0]);				\
}

UNCONTENDED(gosync)
UNCONTENDED(sem_t)
PINGPONG(gosync)
PINGPONG(sem_t)
PINGPONG(futex)

#define ALONE(impl_, x, ...)						\
	{ .op = "semaphore", .kase = "uncontended", .procs = 1,		\
	  .ms = 100, .counted = true, .impl = impl_,			\
	  .run = uncontended_##x, __VA_ARGS__ }

#define TURNS(impl_, x, ...)						\
	{ .op = "semaphore", .kase = "pingpong", .procs = 2, .ms = 200,	\
	  .impl = impl_, .run = pingpong_##x, .leave = leave_##x,	\
	  __VA_ARGS__ }

const struct bench semaphore_benches[] = {
	ALONE("gosync", gosync, .open = open_gosync),
	ALONE("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	ALONE("sem_t", sem_t, BENCH_SHARED(create_shared, open_sem_t)),
	TURNS("gosync", gosync, .open = open_gosync),
	TURNS("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	TURNS("sem_t", sem_t, BENCH_SHARED(create_shared, open_sem_t)),
	TURNS("futex", futex, BENCH_SHARED(create_shared, open_futex)),
	{ }
};
