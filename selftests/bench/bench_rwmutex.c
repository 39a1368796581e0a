// SPDX-License-Identifier: GPL-2.0-only
/*
 * RWMutexes. An operation is a lock and an unlock.
 *
 * read		one process locks for reading and unlocks.
 * read-2procs	two processes do.
 * write	one process locks for writing and unlocks.
 * mixed-90-10	four processes, each of whose every tenth lock is for writing
 *		and adds 1 to a counter, which is checked. Readers look at it
 *		twice: it must not change.
 * writer-worst	four processes lock for reading for 100 us at a time, with no
 *		pause between; a fifth sleeps 100 us, then locks for writing and
 *		unlocks. How long its lock takes is recorded. A lock that it
 *		does not get until the round is over took until then.
 * bytes-each	memory per named, persistent, unopened RWMutex, as for Mutexes.
 *
 * pthread-rwlock is what pthread_rwlock_init() makes by itself, which lets
 * readers pass a waiting writer; pthread-rwlock-w is glibc's other kind
 * (PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP), which does not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>

#include "bench.h"
#include "gosync-user.h"

#define HOLD_NS	100000
#define WRITES	10	/* every so many-th lock is for writing */
#define SOME	10000

union rwlock {
	gosync_rwmutex_t *gosync;
	pthread_rwlock_t *pthread;
};

/* This process's */
static union rwlock rwlock;

/* --- The implementations -------------------------------------------------- */

BENCH_CALL(lock_gosync, rwlock, gosync, gosync_rwmutex_lock)
BENCH_CALL(unlock_gosync, rwlock, gosync, gosync_rwmutex_unlock)
BENCH_CALL(rlock_gosync, rwlock, gosync, gosync_rwmutex_rlock)
BENCH_CALL(runlock_gosync, rwlock, gosync, gosync_rwmutex_runlock)
BENCH_CALL(lock_pthread, rwlock, pthread, pthread_rwlock_wrlock)
BENCH_CALL(unlock_pthread, rwlock, pthread, pthread_rwlock_unlock)
BENCH_CALL(rlock_pthread, rwlock, pthread, pthread_rwlock_rdlock)
BENCH_CALL(runlock_pthread, rwlock, pthread, pthread_rwlock_unlock)

/* --- Where they meet ------------------------------------------------------ */

static int open_gosync(struct run *r)
{
	return gosync_rwmutex_open(r->name, GOSYNC_CREATE, 0600,
				   &rwlock.gosync);
}

static int open_gosync_ioctl(struct run *r)
{
	return gosync_rwmutex_open(r->name, GOSYNC_CREATE | GOSYNC_IOCTL_ONLY,
				   0600, &rwlock.gosync);
}

static int create_pthread(struct run *r, int kind)
{
	pthread_rwlock_t *shared = bench_share(r, sizeof(*shared), true);
	pthread_rwlockattr_t attr;

	if (!shared)
		return errno;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&attr, kind);
	return pthread_rwlock_init(shared, &attr);
}

static int create_plain(struct run *r)
{
	return create_pthread(r, PTHREAD_RWLOCK_DEFAULT_NP);
}

static int create_writers_first(struct run *r)
{
	return create_pthread(r, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
}

static int open_pthread(struct run *r)
{
	rwlock.pthread = bench_share(r, sizeof(*rwlock.pthread), false);
	return rwlock.pthread ? 0 : errno;
}

/* --- The cases ------------------------------------------------------------ */

static bool verify_writes(struct run *r, uint64_t ops)
{
	return r->board->counter * WRITES == ops;
}

#define CASES(x)							\
static void read_##x(struct run *r)					\
{									\
	union rwlock l = rwlock;					\
									\
	BENCH_LOOP(r, 64,						\
		   failed |= rlock_##x(l);				\
		   failed |= runlock_##x(l));				\
}									\
									\
static void write_##x(struct run *r)					\
{									\
	union rwlock l = rwlock;					\
									\
	BENCH_LOOP(r, 64,						\
		   failed |= lock_##x(l);				\
		   failed |= unlock_##x(l));				\
}									\
									\
static __always_inline int count_##x(union rwlock l, volatile uint64_t *counter)	\
{									\
	int failed = lock_##x(l);					\
									\
	++*counter;							\
	return failed | unlock_##x(l);					\
}									\
									\
static __always_inline int look_##x(union rwlock l, volatile uint64_t *counter)	\
{									\
	int failed = rlock_##x(l);					\
	uint64_t seen = *counter;					\
									\
	failed |= *counter != seen;					\
	return failed | runlock_##x(l);					\
}									\
									\
static void mixed_##x(struct run *r)					\
{									\
	volatile uint64_t *counter = &r->board->counter;		\
	union rwlock l = rwlock;					\
	unsigned int n = r->me;						\
									\
	BENCH_LOOP(r, WRITES,						\
		   failed |= n++ % WRITES ? look_##x(l, counter) :	\
					    count_##x(l, counter));	\
}									\
									\
static void worst_##x(struct run *r)					\
{									\
	union rwlock l = rwlock;					\
	uint64_t begin;							\
									\
	if (r->me)							\
		BENCH_LOOP(r, 1,					\
			   failed |= rlock_##x(l);			\
			   bench_busy(HOLD_NS);				\
			   failed |= runlock_##x(l));			\
	else								\
		BENCH_LOOP(r, 1,					\
			   bench_rest(HOLD_NS);				\
			   begin = bench_now();				\
			   failed |= lock_##x(l);			\
			   bench_record(r, bench_now() - begin);		\
			   failed |= unlock_##x(l));			\
}

CASES(gosync)
CASES(pthread)

/* --- bytes-each ----------------------------------------------------------- */

static int make_rwmutex(const char *name)
{
	gosync_rwmutex_t *m;
	int ret = gosync_rwmutex_open(name, BENCH_PERSIST, 0600, &m);

	if (!ret)
		gosync_close(m);
	return ret;
}

static double bytes_gosync(struct run *r)
{
	(void)r;
	return bench_bytes_each(SOME, make_rwmutex, gosync_unlink);
}

#define CASE(...)	BENCH_CASE("rwmutex", __VA_ARGS__)

/* An implementation in all cases: its name, its functions, where they meet */
#define RWMUTEX(impl_, x, ...)						\
	{ CASE("read", 1, 100, read_##x, .counted = true,		\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("read-2procs", 2, 100, read_##x,				\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("write", 1, 100, write_##x, .counted = true,		\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("mixed-90-10", 4, 200, mixed_##x, .verify = verify_writes,	\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("writer-worst", 5, 1000, worst_##x,			\
		.impl = impl_, __VA_ARGS__) }

const struct bench rwmutex_benches[] = {
	RWMUTEX("gosync", gosync, .open = open_gosync),
	RWMUTEX("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	RWMUTEX("pthread-rwlock", pthread, BENCH_SHARED(create_plain, open_pthread)),
	RWMUTEX("pthread-rwlock-w", pthread, BENCH_SHARED(create_writers_first, open_pthread)),
	{ .op = "rwmutex", .kase = "bytes-each", .impl = "gosync",
	  .measure = bytes_gosync },
	{ }
};
