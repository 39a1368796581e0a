// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutexes. An operation is a lock and an unlock.
 *
 * uncontended	one process locks and unlocks.
 * contended-N	N processes lock, add 1 to a counter and unlock, as fast as they
 *		can. The counter is checked.
 * pingpong	two processes take turns, each turn (one operation) a wait that
 *		sleeps and an unlock that wakes. It needs three mutexes, so that
 *		whoever unlocks is who locked, which robust mutexes and file
 *		locks insist upon. The one whose turn it is holds k and k+2, the
 *		other holds k+1 and sleeps for k:
 *
 *			unlock k	the other gets it: its turn
 *			lock k+1	sleep; when the other unlocks it, my turn
 *
 *		and then it is the same again, for k+2. So every turn takes one
 *		waking and one sleeping system call, in each implementation; in
 *		the raw futex's they are FUTEX_WAKE and FUTEX_WAIT.
 * hog		one process holds the mutex for 100 us at a time, with no pause
 *		between; another one sleeps 100 us, then locks and unlocks. How
 *		long its lock takes is recorded. A lock that it does not get
 *		until the round is over took until then.
 *
 * A mutex is a cache line of its own in shared memory, a file, or a gosync
 * object. None of them is recursive or checks for errors. gosync's fast paths
 * and the raw futex are inline, as their headers have them or would; whatever
 * spins before it sleeps may be served meanwhile, and in pingpong save itself
 * a system call: gosync-ioctl is gosync without that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "gosync-user.h"

#define MUTEXES	3
#define HOG_NS	100000

struct shared_mutex {
	pthread_mutex_t pthread __aligned(64);
	uint32_t futex __aligned(64);
};

union mutex {
	gosync_mutex_t *gosync;
	pthread_mutex_t *pthread;
	uint32_t *futex;
	sem_t *sem;
	int id;		/* System V semaphore or file descriptor */
};

/* This process's, for the bench that it is working on */
static union mutex mutexes[MUTEXES];

/* --- The implementations -------------------------------------------------- */

BENCH_CALL(lock_gosync, mutex, gosync, gosync_mutex_lock)
BENCH_CALL(unlock_gosync, mutex, gosync, gosync_mutex_unlock)
BENCH_CALL(lock_pthread, mutex, pthread, pthread_mutex_lock)
BENCH_CALL(unlock_pthread, mutex, pthread, pthread_mutex_unlock)
BENCH_CALL(lock_sem_t, mutex, sem, sem_wait)
BENCH_CALL(unlock_sem_t, mutex, sem, sem_post)

static __always_inline int sysv(int id, int delta)
{
	struct sembuf op = { .sem_op = delta, .sem_flg = SEM_UNDO };

	return semop(id, &op, 1);
}

static __always_inline int lock_sysv(union mutex m)
{
	return sysv(m.id, -1);
}

static __always_inline int unlock_sysv(union mutex m)
{
	return sysv(m.id, 1);
}

static __always_inline int lock_flock(union mutex m)
{
	return flock(m.id, LOCK_EX);
}

static __always_inline int unlock_flock(union mutex m)
{
	return flock(m.id, LOCK_UN);
}

static __always_inline int ofd(int fd, int type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLKW, &lock);
}

static __always_inline int lock_ofd(union mutex m)
{
	return ofd(m.id, F_WRLCK);
}

static __always_inline int unlock_ofd(union mutex m)
{
	return ofd(m.id, F_UNLCK);
}

/* 0 free, 1 locked, 2 locked and somebody may sleep */
static __always_inline int lock_futex(union mutex m)
{
	uint32_t seen = 0;

	if (__atomic_compare_exchange_n(m.futex, &seen, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return 0;
	while (__atomic_exchange_n(m.futex, 2, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, m.futex, FUTEX_WAIT, 2, NULL);
	return 0;
}

static __always_inline int unlock_futex(union mutex m)
{
	if (__atomic_exchange_n(m.futex, 0, __ATOMIC_RELEASE) == 2)
		syscall(SYS_futex, m.futex, FUTEX_WAKE, 1);
	return 0;
}

/* --- Where they meet ------------------------------------------------------ */

static void name_it(char *name, size_t size, struct run *r, const char *what,
		    unsigned int i)
{
	snprintf(name, size, "%s.%s%u", r->name, what, i);
}

static int open_gosync_with(struct run *r, unsigned int flags)
{
	char name[64];
	int ret = 0;

	for (unsigned int i = 0; i < MUTEXES && !ret; i++) {
		name_it(name, sizeof(name), r, "mutex", i);
		ret = gosync_mutex_open(name, GOSYNC_CREATE | flags, 0600,
					&mutexes[i].gosync);
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

static int create_pthread(struct run *r, int robust)
{
	struct shared_mutex *shared;
	pthread_mutexattr_t attr;

	shared = bench_share(r, MUTEXES * sizeof(*shared), true);
	if (!shared)
		return errno;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, robust);
	for (unsigned int i = 0; i < MUTEXES; i++)
		pthread_mutex_init(&shared[i].pthread, &attr);
	return 0;
}

static int create_plain(struct run *r)
{
	return create_pthread(r, PTHREAD_MUTEX_STALLED);
}

static int create_robust(struct run *r)
{
	return create_pthread(r, PTHREAD_MUTEX_ROBUST);
}

static int open_shared(struct run *r, bool futex)
{
	struct shared_mutex *shared;

	shared = bench_share(r, MUTEXES * sizeof(*shared), false);
	if (!shared)
		return errno;
	for (unsigned int i = 0; i < MUTEXES; i++) {
		if (futex)
			mutexes[i].futex = &shared[i].futex;
		else
			mutexes[i].pthread = &shared[i].pthread;
	}
	return 0;
}

static int open_pthread(struct run *r)
{
	return open_shared(r, false);
}

static int open_futex(struct run *r)
{
	return open_shared(r, true);
}

static int open_sem_t(struct run *r)
{
	char name[64];

	for (unsigned int i = 0; i < MUTEXES; i++) {
		name_it(name, sizeof(name), r, "sem", i);
		mutexes[i].sem = sem_open(name, O_CREAT, 0600, 1);
		if (mutexes[i].sem == SEM_FAILED)
			return errno;
	}
	return 0;
}

static void destroy_sem_t(struct run *r)
{
	char name[64];

	for (unsigned int i = 0; i < MUTEXES; i++) {
		name_it(name, sizeof(name), r, "sem", i);
		sem_unlink(name);
	}
}

/* System V's names are numbers: hash the name. */
static key_t sysv_key(struct run *r, unsigned int i)
{
	unsigned int hash = 2166136261;
	char name[64];

	name_it(name, sizeof(name), r, "sysv", i);
	for (const char *c = name; *c; c++)
		hash = (hash ^ *c) * 16777619;
	return hash >> 1;
}

static int create_sysv(struct run *r)
{
	for (unsigned int i = 0; i < MUTEXES; i++) {
		int id = semget(sysv_key(r, i), 1, IPC_CREAT | IPC_EXCL | 0600);

		if (id < 0 || semctl(id, 0, SETVAL, 1))
			return errno;
	}
	return 0;
}

static int open_sysv(struct run *r)
{
	for (unsigned int i = 0; i < MUTEXES; i++) {
		mutexes[i].id = semget(sysv_key(r, i), 1, 0600);
		if (mutexes[i].id < 0)
			return errno;
	}
	return 0;
}

static void destroy_sysv(struct run *r)
{
	for (unsigned int i = 0; i < MUTEXES; i++)
		semctl(semget(sysv_key(r, i), 1, 0600), 0, IPC_RMID);
}

static void file_name(char *name, size_t size, struct run *r, unsigned int i)
{
	snprintf(name, size, "/dev/shm%s.lock%u", r->name, i);
}

static int open_file(struct run *r)
{
	char name[80];

	for (unsigned int i = 0; i < MUTEXES; i++) {
		file_name(name, sizeof(name), r, i);
		mutexes[i].id = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (mutexes[i].id < 0)
			return errno;
	}
	return 0;
}

static void destroy_file(struct run *r)
{
	char name[80];

	for (unsigned int i = 0; i < MUTEXES; i++) {
		file_name(name, sizeof(name), r, i);
		unlink(name);
	}
}

/* --- The cases ------------------------------------------------------------ */

static bool verify_counter(struct run *r, uint64_t ops)
{
	return r->board->counter == ops;
}

/*
 * Whose turn it is, between rounds. If it is mine I hold the mutex that I
 * slept for and the next one; if not, the one after that which I am to sleep
 * for.
 */
static struct {
	unsigned int lock;	/* which I slept for, or am to sleep for */
	bool mine;
} turn;

#define CASES(x)							\
static void uncontended_##x(struct run *r)				\
{									\
	union mutex m = mutexes[0];					\
									\
	BENCH_LOOP(r, 64,						\
		   failed |= lock_##x(m);				\
		   failed |= unlock_##x(m));				\
}									\
									\
static void contended_##x(struct run *r)				\
{									\
	volatile uint64_t *counter = &r->board->counter;		\
	union mutex m = mutexes[0];					\
									\
	BENCH_LOOP(r, 1,						\
		   failed |= lock_##x(m);				\
		   ++*counter;						\
		   failed |= unlock_##x(m));				\
}									\
									\
static int take_sides_##x(struct run *r)				\
{									\
	turn.mine = !r->me;						\
	turn.lock = r->me ? 0 : 2;					\
	if (r->me)							\
		return lock_##x(mutexes[1]);				\
	return lock_##x(mutexes[0]) | lock_##x(mutexes[2]);		\
}									\
									\
static void leave_##x(struct run *r)					\
{									\
	(void)r;							\
	unlock_##x(mutexes[(turn.lock + 1) % MUTEXES]);			\
	if (turn.mine)							\
		unlock_##x(mutexes[turn.lock]);				\
}									\
									\
static void pingpong_##x(struct run *r)					\
{									\
	BENCH_TURNS(r, turn.mine,					\
		    failed |= lock_##x(mutexes[turn.lock]),		\
		    failed |= unlock_##x(mutexes[(turn.lock + 1) % MUTEXES]); \
		    turn.lock = (turn.lock + 2) % MUTEXES);		\
}									\
									\
static void hog_##x(struct run *r)					\
{									\
	union mutex m = mutexes[0];					\
	uint64_t begin;							\
									\
	if (!r->me)							\
		BENCH_LOOP(r, 1,					\
			   failed |= lock_##x(m);			\
			   bench_busy(HOG_NS);				\
			   failed |= unlock_##x(m));			\
	else								\
		BENCH_LOOP(r, 1,					\
			   bench_rest(HOG_NS);				\
			   begin = bench_now();				\
			   failed |= lock_##x(m);			\
			   bench_record(r, bench_now() - begin);		\
			   failed |= unlock_##x(m));			\
}

CASES(gosync)
CASES(pthread)
CASES(sem_t)
CASES(sysv)
CASES(flock)
CASES(ofd)
CASES(futex)

#define CASE(...)	BENCH_CASE("mutex", __VA_ARGS__)

/* An implementation in all cases: its name, its functions, where they meet */
#define MUTEX(impl_, x, ...)						\
	{ CASE("uncontended", 1, 100, uncontended_##x, .counted = true,	\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("contended-2", 2, 200, contended_##x, .verify = verify_counter,	\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("contended-4", 4, 200, contended_##x, .verify = verify_counter,	\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("contended-8", 8, 200, contended_##x, .verify = verify_counter,	\
		.impl = impl_, __VA_ARGS__) },				\
	{ CASE("pingpong", 2, 200, pingpong_##x, .enter = take_sides_##x,	\
		.leave = leave_##x, .impl = impl_, __VA_ARGS__) },	\
	{ CASE("hog", 2, 1000, hog_##x, .impl = impl_, __VA_ARGS__) }

const struct bench mutex_benches[] = {
	MUTEX("gosync", gosync, .open = open_gosync),
	MUTEX("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	MUTEX("pthread", pthread, BENCH_SHARED(create_plain, open_pthread)),
	MUTEX("pthread-robust", pthread, BENCH_SHARED(create_robust, open_pthread)),
	MUTEX("sem_t", sem_t, .open = open_sem_t, .destroy = destroy_sem_t),
	MUTEX("sysv", sysv, .create = create_sysv, .open = open_sysv,
	      .destroy = destroy_sysv),
	MUTEX("flock", flock, .open = open_file, .destroy = destroy_file),
	MUTEX("ofd", ofd, .open = open_file, .destroy = destroy_file),
	MUTEX("futex", futex, BENCH_SHARED(create_plain, open_futex)),
	{ }
};
