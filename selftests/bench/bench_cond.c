// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conds, each with its mutex.
 *
 * pingpong	two processes take turns, as a variable says whose it is: lock,
 *		wait for it to be mine, make it the other's, signal, unlock.
 * broadcast-200	four processes of 50 threads each wait; a fifth locks,
 *		broadcasts, unlocks and waits until all have run. An operation
 *		is one broadcast with all that. Each of the 200 returns with the
 *		lock held, counts itself and waits for the next broadcast, so
 *		that all are waiting again by then; the last one tells the
 *		fifth, by a futex whichever the implementation.
 *
 * pthread-cond is a pthread_cond_t and a pthread_mutex_t.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "bench.h"
#include "gosync-user.h"

#define GROUPS	4
#define THREADS	50
#define WAITERS	(GROUPS * THREADS)

/* What the processes share; all but @waiting is protected by the lock. */
struct room {
	pthread_mutex_t mutex __aligned(64);
	pthread_cond_t cond __aligned(64);
	uint32_t turn __aligned(64);
	uint32_t broadcasts __aligned(64);
	uint32_t waiting __aligned(64);	/* since the last broadcast */
};

/* This process's */
static struct room *room;
static gosync_mutex_t *mutex;
static gosync_cond_t *cond;
static pthread_t threads[THREADS];
static bool leaving;

/* --- The implementations -------------------------------------------------- */

static inline int lock_gosync(void)
{
	return gosync_mutex_lock(mutex);
}

static inline int unlock_gosync(void)
{
	return gosync_mutex_unlock(mutex);
}

static inline int wait_gosync(void)
{
	return gosync_cond_wait(cond, mutex);
}

static inline int signal_gosync(void)
{
	return gosync_cond_signal(cond);
}

static inline int broadcast_gosync(void)
{
	return gosync_cond_broadcast(cond);
}

static inline int lock_pthread(void)
{
	return pthread_mutex_lock(&room->mutex);
}

static inline int unlock_pthread(void)
{
	return pthread_mutex_unlock(&room->mutex);
}

static inline int wait_pthread(void)
{
	return pthread_cond_wait(&room->cond, &room->mutex);
}

static inline int signal_pthread(void)
{
	return pthread_cond_signal(&room->cond);
}

static inline int broadcast_pthread(void)
{
	return pthread_cond_broadcast(&room->cond);
}

/* --- Where they meet ------------------------------------------------------ */

static int create_room(struct run *r)
{
	struct room *new = bench_share(r, sizeof(*new), true);
	pthread_mutexattr_t mutexattr;
	pthread_condattr_t condattr;

	if (!new)
		return errno;
	pthread_mutexattr_init(&mutexattr);
	pthread_mutexattr_setpshared(&mutexattr, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&condattr);
	pthread_condattr_setpshared(&condattr, PTHREAD_PROCESS_SHARED);
	return pthread_mutex_init(&new->mutex, &mutexattr) ?:
	       pthread_cond_init(&new->cond, &condattr);
}

static int open_room(struct run *r)
{
	room = bench_share(r, sizeof(*room), false);
	return room ? 0 : errno;
}

static int open_gosync_with(struct run *r, unsigned int flags)
{
	char name[64];
	int ret = open_room(r);

	flags |= GOSYNC_CREATE;
	snprintf(name, sizeof(name), "%s.mutex", r->name);
	ret = ret ?: gosync_mutex_open(name, flags, 0600, &mutex);
	snprintf(name, sizeof(name), "%s.cond", r->name);
	return ret ?: gosync_cond_open(name, flags, 0600, &cond);
}

static int open_gosync(struct run *r)
{
	return open_gosync_with(r, 0);
}

static int open_gosync_ioctl(struct run *r)
{
	return open_gosync_with(r, GOSYNC_IOCTL_ONLY);
}

/* --- The cases ------------------------------------------------------------ */

static void await_waiters(void)
{
	uint32_t n;

	while ((n = __atomic_load_n(&room->waiting, __ATOMIC_SEQ_CST)) !=
	       WAITERS)
		bench_wait(&room->waiting, n);
}

static void count_waiter(void)
{
	if (__atomic_add_fetch(&room->waiting, 1, __ATOMIC_SEQ_CST) == WAITERS)
		bench_wake(&room->waiting, 1);
}

/* Those who are to wait have no time of their own. */
static bool is_waiter(struct run *r)
{
	if (r->me)
		r->score->begin = UINT64_MAX;
	return r->me;
}

#define CASES(x)							\
static void pingpong_##x(struct run *r)					\
{									\
	uint64_t ops = 0;						\
	bool last = false;						\
	int failed = 0;							\
									\
	bench_begin(r);							\
	while (!last && !failed) {					\
		failed |= lock_##x();					\
		while (room->turn != r->me && !failed)			\
			failed |= wait_##x();				\
		ops++;							\
		last = bench_last(r);					\
		if (!last) {						\
			last = bench_stopped(r);			\
			if (last)					\
				bench_set_last(r);			\
			room->turn = !r->me;				\
			failed |= signal_##x();				\
		}							\
		failed |= unlock_##x();					\
	}								\
	bench_end(r, ops, failed);					\
}									\
									\
static void *wait_for_broadcasts_##x(void *arg)				\
{									\
	int failed = lock_##x();					\
	uint32_t seen;							\
									\
	while (!leaving && !failed) {					\
		count_waiter();						\
		seen = room->broadcasts;				\
		while (seen == room->broadcasts && !leaving && !failed)	\
			failed |= wait_##x();				\
	}								\
	__atomic_sub_fetch(&room->waiting, 1, __ATOMIC_SEQ_CST);	\
	failed |= unlock_##x();						\
	if (failed)							\
		errx(1, "a waiter failed");				\
	return arg;							\
}									\
									\
static int enter_##x(struct run *r)					\
{									\
	int ret = 0;							\
									\
	for (unsigned int i = 0; r->me && i < THREADS && !ret; i++)	\
		ret = pthread_create(&threads[i], NULL,			\
				     wait_for_broadcasts_##x, NULL);	\
	return ret;							\
}									\
									\
static void broadcast_200_##x(struct run *r)				\
{									\
	if (is_waiter(r))						\
		return;							\
	await_waiters();						\
	BENCH_LOOP(r, 1,						\
		   failed |= lock_##x();				\
		   room->waiting = 0;					\
		   room->broadcasts++;					\
		   failed |= broadcast_##x();				\
		   failed |= unlock_##x();				\
		   await_waiters());					\
}									\
									\
static void leave_##x(struct run *r)					\
{									\
	if (!r->me)							\
		return;							\
	lock_##x();							\
	leaving = true;							\
	broadcast_##x();						\
	unlock_##x();							\
	for (unsigned int i = 0; i < THREADS; i++)			\
		pthread_join(threads[i], NULL);				\
}

CASES(gosync)
CASES(pthread)

#define COND(impl_, x, ...)						\
	{ .op = "cond", .kase = "pingpong", .procs = 2, .ms = 200,	\
	  .impl = impl_, .run = pingpong_##x, .create = create_room,	\
	  .destroy = bench_unshare, __VA_ARGS__ },			\
	{ .op = "cond", .kase = "broadcast-200", .procs = 1 + GROUPS,	\
	  .ms = 300, .impl = impl_, .run = broadcast_200_##x,		\
	  .enter = enter_##x, .leave = leave_##x,			\
	  .create = create_room, .destroy = bench_unshare, __VA_ARGS__ }

const struct bench cond_benches[] = {
	COND("gosync", gosync, .open = open_gosync),
	COND("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	COND("pthread-cond", pthread, .open = open_room),
	{ }
};
