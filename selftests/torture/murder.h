/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the victims of murder.c do until they are killed: each primitive, each way
 * to wait, in processes, their children and threads. Whoever has a lock sees to
 * it that nobody else has.
 */
#ifndef MURDER_H
#define MURDER_H

#include <poll.h>
#include <setjmp.h>
#include "gosync_test_uring.h"
#include "wait_many.h"

enum { VICTIMS = 6, PERMITS_ALL = 5, KEYS = 4, LENGTH = 64, VALUE_TYPE = 1 };

/* The objects. The first ones are locks. */
enum {
	A_MUTEX, B_MUTEX, AN_RWMUTEX, LOCKS, A_SEMAPHORE = LOCKS, A_WAITGROUP,
	A_ONCE, A_COND, A_VALUE, A_MAP, A_WORD, OBJECTS
};

static const enum kind kind_of[OBJECTS] = {
	MUTEX, MUTEX, WRITE, PERMITS, WAITGROUP, ONCE, COND, VALUE, MAP, WORD,
};

/* Shared with all */
struct world {
	unsigned int stop;
	unsigned int wrong;
	struct guarded guarded[LOCKS];
};

static struct world *world;

/* A victim: its number from 1 on, its handles, its ring if it has one */
static unsigned int me;
static void *handles[OBJECTS];
static struct ring *ring;
static unsigned int commands;

/* Say what is wrong, and let the others go on. */
#define RIGHT(condition)						\
do {									\
	if (!(condition)) {						\
		fprintf(stderr, "# %s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #condition);				\
		add(&world->wrong, 1);					\
	}								\
} while (0)

static inline int fd_of(unsigned int object)
{
	return gosync_fd(handles[object]);
}

static inline uint64_t soon(uint32_t r)
{
	return gosync_deadline(r % (3 * NSEC_PER_MSEC));
}

/* --- with a lock ----------------------------------------------------------- */

/* Nothing here is cancelled: a thread that has a lock would leave it locked. */
static inline void stay(uint32_t r)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	if (r % 32 == 5)
		sleep_ns(r % (3 * NSEC_PER_MSEC));
	else if (r % 8 == 2)
		sched_yield();
	pthread_setcancelstate(state, NULL);
}

static inline void own(unsigned int lock, bool died, uint32_t r)
{
	RIGHT(enter(&world->guarded[lock], me, died));
	if (died)
		RIGHT(!(lock == AN_RWMUTEX ?
			gosync_rwmutex_recover(handles[lock]) :
			gosync_mutex_recover(handles[lock])));
	stay(r);
	RIGHT(leave(&world->guarded[lock], me));
}

static inline void read_for_a_while(bool died, uint32_t r)
{
	struct guarded *guarded = &world->guarded[AN_RWMUTEX];
	unsigned int one = load(&guarded->one);

	/* What a writer left that died is put right by the next. */
	if (!died)
		RIGHT(!load(&guarded->inside) && load(&guarded->two) == one);
	stay(r);
	RIGHT(load(&guarded->one) == one);
}

static inline void unlock(unsigned int lock, uint32_t r)
{
	if (lock == AN_RWMUTEX)
		RIGHT(!(r & 1 << 20 ?
			gosync_rwmutex_unlock(handles[lock]) :
			call(fd_of(lock), GOSYNC_IOC_RWMUTEX_UNLOCK, NULL)));
	else
		RIGHT(!(r & 1 << 20 ? gosync_mutex_unlock(handles[lock]) :
				      unlock_fd(fd_of(lock))));
}

static inline bool was_not_had(int ret)
{
	return ret == -ETIMEDOUT || ret == -EBUSY || ret == -EINTR ||
	       ret == -ECANCELED;
}

/* The end of each wait for one of these: use it if it was granted. */
enum use { OWN, READ_IT, PERMIT };

static inline void use(enum use what, unsigned int object, unsigned int n,
		       int ret, uint32_t r)
{
	if (was_not_had(ret))
		return;
	MUST(ret == 0 || ret == 1);
	switch (what) {
	case OWN:
		own(object, ret, r);
		unlock(object, r);
		break;
	case READ_IT:
		read_for_a_while(ret, r);
		RIGHT(!gosync_rwmutex_runlock(handles[object]));
		break;
	case PERMIT:
		stay(r);
		RIGHT(!gosync_semaphore_release(handles[object], n));
	}
}

/* --- what a thread does ---------------------------------------------------- */

static inline void use_mutex(uint32_t r)
{
	unsigned int lock = r >> 8 & 1 ? A_MUTEX : B_MUTEX;
	void *mutex = handles[lock];

	use(OWN, lock, 0, r % 4 == 0 ? gosync_mutex_lock_until(mutex, soon(r), 0) :
			  r % 4 == 1 ? gosync_mutex_trylock(mutex) :
			  r % 4 == 2 ? lock_fd(fd_of(lock)) :
				       gosync_mutex_lock(mutex), r);
}

static inline void use_rwmutex(uint32_t r)
{
	void *rw = handles[AN_RWMUTEX];

	if (r >> 8 & 1)
		use(OWN, AN_RWMUTEX, 0,
		    r % 4 == 0 ? gosync_rwmutex_lock_until(rw, soon(r), 0) :
		    r % 4 == 1 ? gosync_rwmutex_trylock(rw) :
				 gosync_rwmutex_lock(rw), r);
	else
		use(READ_IT, AN_RWMUTEX, 0,
		    r % 4 == 0 ? gosync_rwmutex_rlock_until(rw, soon(r), 0) :
		    r % 4 == 1 ? gosync_rwmutex_tryrlock(rw) :
				 gosync_rwmutex_rlock(rw), r);
}

static inline void use_semaphore(uint32_t r)
{
	void *semaphore = handles[A_SEMAPHORE];
	unsigned int n = 1 + (r >> 8) % PERMITS_ALL;

	use(PERMIT, A_SEMAPHORE, n,
	    r % 4 == 0 ? gosync_semaphore_acquire_until(semaphore, n, soon(r), 0) :
	    r % 4 == 1 ? gosync_semaphore_tryacquire(semaphore, n) :
			 gosync_semaphore_acquire(semaphore, n), r);
}

/* What a dead one has added stays: nobody waits without a deadline. */
static inline void use_waitgroup(uint32_t r)
{
	if (r % 2) {
		RIGHT(gosync_waitgroup_add(handles[A_WAITGROUP], 1) >= 0);
		stay(r);
		RIGHT(gosync_waitgroup_done(handles[A_WAITGROUP]) >= 0);
	} else {
		int ret = gosync_waitgroup_wait_until(handles[A_WAITGROUP],
						      soon(r), 0);

		RIGHT(!ret || was_not_had(ret));
	}
}

static inline void use_once(uint32_t r)
{
	int ret = gosync_once_begin_until(handles[A_ONCE], soon(r), 0);

	if (was_not_had(ret) || ret == GOSYNC_ONCE_DONE)
		return;
	MUST(ret == GOSYNC_ONCE_RUN || ret == GOSYNC_ONCE_RUN_AGAIN);
	stay(r);
	RIGHT(!(r >> 8 & 255 ? gosync_once_abandon(handles[A_ONCE]) :
			       gosync_once_done(handles[A_ONCE])));
}

static inline void use_cond(uint32_t r)
{
	int ret;

	if (r % 4 == 0)
		RIGHT(!gosync_cond_broadcast(handles[A_COND]));
	if (r % 4 == 1)
		RIGHT(!gosync_cond_signal(handles[A_COND]));
	if (r % 4 < 2)
		return;
	ret = gosync_mutex_lock(handles[A_MUTEX]);
	MUST(ret >= 0);
	own(A_MUTEX, ret, 0);
	ret = gosync_cond_wait_until(handles[A_COND], handles[A_MUTEX], soon(r),
				     0);
	/* The lock is held whether it was signalled or not. */
	use(OWN, A_MUTEX, 0, was_not_had(ret) ? 0 : ret, r);
}

/* All bytes of what is stored are equal. */
static inline bool is_whole(const char *bytes, size_t len)
{
	return len && len <= LENGTH && !memcmp(bytes, bytes + 1, len - 1);
}

static inline void use_value(uint32_t r)
{
	uint64_t version = 0;
	char bytes[LENGTH];
	size_t len = LENGTH;
	int ret;

	if (r % 4 == 0) {
		memset(bytes, r >> 8, sizeof(bytes));
		RIGHT(!gosync_value_store(handles[A_VALUE], VALUE_TYPE, bytes,
					  1 + (r >> 16) % LENGTH));
	} else if (r % 4 == 1) {
		gosync_value_version(handles[A_VALUE], &version);
		ret = gosync_value_wait_until(handles[A_VALUE], &version,
					      soon(r), 0);
		RIGHT(!ret || was_not_had(ret));
	} else {
		ret = gosync_value_load(handles[A_VALUE], bytes, &len, NULL);
		RIGHT(ret == -ENODATA || (!ret && is_whole(bytes, len)));
	}
}

static inline void use_map(uint32_t r)
{
	uint32_t key = (r >> 4) % KEYS;
	uint64_t version = 0;
	char bytes[LENGTH];
	size_t len = LENGTH;
	int ret;

	switch (r % 8) {
	case 0:
	case 1:
		memset(bytes, r >> 8, sizeof(bytes));
		RIGHT(gosync_map_store(handles[A_MAP], &key, sizeof(key), bytes,
				       1 + (r >> 16) % LENGTH) >= 0);
		break;
	case 2:
		ret = gosync_map_delete(handles[A_MAP], &key, sizeof(key));
		RIGHT(ret >= 0 || ret == -ENOENT);
		break;
	case 3:
		RIGHT(!gosync_map_wait(handles[A_MAP], &version));
		ret = gosync_map_wait_until(handles[A_MAP], &version, soon(r), 0);
		RIGHT(!ret || was_not_had(ret));
		break;
	default:
		ret = gosync_map_load(handles[A_MAP], &key, sizeof(key), bytes,
				      &len);
		RIGHT(ret == -ENODATA || (!ret && is_whole(bytes, len)));
	}
}

static inline void use_word(uint32_t r)
{
	uint64_t was = 0;
	int ret;

	if (r % 2) {
		RIGHT(!gosync_uint64_add(handles[A_WORD], 0, 1, NULL));
		RIGHT(gosync_uint64_wake(handles[A_WORD], 0, 1 + r % 4) >= 0);
	} else {
		RIGHT(!gosync_uint64_load(handles[A_WORD], 0, &was));
		ret = gosync_uint64_wait(handles[A_WORD], 0, was, soon(r), 0,
					 NULL);
		RIGHT(!ret || was_not_had(ret));
	}
}

static inline void wait_for_any(uint32_t r)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(fd_of(A_MUTEX)),
		entry_of_mutex(fd_of(B_MUTEX)),
		entry(fd_of(AN_RWMUTEX), r & 1 << 8 ? GOSYNC_IOC_RWMUTEX_LOCK :
						    GOSYNC_IOC_RWMUTEX_RLOCK, 0),
		entry_of_permits(fd_of(A_SEMAPHORE), 1 + r % PERMITS_ALL),
	};
	int i = wait_many(entries, 4, 0, r & 1 << 9 ? soon(r) : 0);

	if (was_not_had(i))
		return;
	MUST(i >= 0 && i < 4);
	if (i == 3)
		use(PERMIT, A_SEMAPHORE, 1 + r % PERMITS_ALL, 0, r);
	else if (i == 2 && !(r & 1 << 8))
		use(READ_IT, AN_RWMUTEX, 0, entries[i].result, r);
	else
		use(OWN, i, 0, entries[i].result, r);
}

static inline void wait_for_all(uint32_t r)
{
	struct gosync_wait_entry entries[] = {
		entry_of_mutex(fd_of(A_MUTEX)),
		entry(fd_of(AN_RWMUTEX), GOSYNC_IOC_RWMUTEX_LOCK, 0),
		entry_of_permits(fd_of(A_SEMAPHORE), 1 + r % PERMITS_ALL),
	};
	int ret = wait_many(entries, 3, GOSYNC_WAIT_ALL, r & 1 << 9 ? soon(r) : 0);

	if (was_not_had(ret))
		return;
	MUST(!ret);
	use(OWN, A_MUTEX, 0, entries[0].result, r);
	use(OWN, AN_RWMUTEX, 0, entries[1].result, r);
	use(PERMIT, A_SEMAPHORE, 1 + r % PERMITS_ALL, 0, r);
}

static inline void wait_by_poll(uint32_t r)
{
	struct pollfd polled[] = {
		{ fd_of(A_MUTEX), POLLIN }, { fd_of(AN_RWMUTEX), POLLIN | POLLOUT },
		{ fd_of(A_SEMAPHORE), POLLIN },
	};

	poll(polled, 1 + r % 3, r >> 8 & 3);
	use(OWN, A_MUTEX, 0, gosync_mutex_trylock(handles[A_MUTEX]), r);
}

static void (*const actions[])(uint32_t r) = {
	use_mutex, use_rwmutex, use_semaphore, use_waitgroup, use_once, use_cond,
	use_value, use_map, use_word, wait_for_any, wait_for_all, wait_by_poll,
};

static inline void act(uint64_t *seed)
{
	uint32_t r = random_u32(seed);

	actions[random_u32(seed) % ARRAY_SIZE(actions)](r);
}

/* --- what only a process does ---------------------------------------------- */

static inline void wait_by_command(uint64_t *seed)
{
	static const struct {
		enum use use;
		unsigned int object, op;
	} kinds[] = {
		{ OWN, A_MUTEX, GOSYNC_IOC_MUTEX_LOCK },
		{ OWN, AN_RWMUTEX, GOSYNC_IOC_RWMUTEX_LOCK },
		{ READ_IT, AN_RWMUTEX, GOSYNC_IOC_RWMUTEX_RLOCK },
		{ PERMIT, A_SEMAPHORE, GOSYNC_IOC_SEMAPHORE_ACQUIRE },
	};
	uint32_t r = random_u32(seed), i = random_u32(seed) % ARRAY_SIZE(kinds);
	unsigned int id = commands++ % (COMMANDS - 1);
	unsigned int n = kinds[i].use == PERMIT ? 1 + r % PERMITS_ALL : 0;
	const struct ring_kind *kind;
	int fd = fd_of(kinds[i].object), ret;

	if (!ring) {
		ring = malloc(sizeof(*ring));
		kind = &ring_kinds[r % RING_KINDS];
		MUST(!make_ring_of(ring, kind->setup, kind->sqe_flags, ENTRIES));
	}
	start_until(ring, id, fd, kinds[i].op, n, r & 1 << 9 ? soon(r) : 0, 0);
	if (r & 1 << 10) {
		sched_yield();
		ret = cancel(ring, fd, id);
		RIGHT(ret == 1 || ret == -ENOENT);
	}
	ret = result(ring, id);
	use(kinds[i].use, kinds[i].object, n, ret, r);
	RIGHT(!ring->wrong);
}

/* A child has holders of its own, and may outlive us by a moment. */
static inline void act_in_child(uint64_t *seed)
{
	pid_t pid = spawn();

	if (!pid) {
		/* Its copy would keep the ring. */
		if (ring)
			close_ring(ring);
		act(seed);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static inline void *act_as_thread(void *seed)
{
	for (;;) {
		act(seed);
		pthread_testcancel();
	}
	return NULL;
}

static inline void act_in_thread(uint64_t *seed)
{
	uint64_t own = *seed ^ 0x5eed;
	pthread_t thread;

	if (pthread_create(&thread, NULL, act_as_thread, &own))
		return;
	sleep_ns(random_u32(seed) % NSEC_PER_MSEC);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static __thread sigjmp_buf outside;
static __thread volatile sig_atomic_t may_jump;

/* SIGUSR2 */
static inline void jump_out(int signal)
{
	if (may_jump)
		siglongjmp(outside, 1);
}

/* Who jumps out does not know whether the lock was granted, but may ask. */
static inline void jump_out_of_wait(uint64_t *seed)
{
	struct gosync_info info;
	volatile int ret;

	if (!sigsetjmp(outside, 1)) {
		may_jump = 1;
		ret = gosync_mutex_lock(handles[B_MUTEX]);
		may_jump = 0;
	} else {
		may_jump = 0;
		info = info_of(fd_of(B_MUTEX));
		if (info.owner != info.holder)
			return;
		ret = !!(info.word & GOSYNC_MUTEX_POISONED);
	}
	use(OWN, B_MUTEX, 0, ret, random_u32(seed));
}

static inline void become_another(uint64_t *seed)
{
	if (random_u32(seed) % 2)
		MUST(gosync_mutex_lock(handles[A_MUTEX]) >= 0);
	execlp("true", "true", NULL);
}

/* Open handles of its own, in a way of its own, and act until told to stop. */
static inline void be_a_victim(const int *fds, unsigned int number, uint64_t seed)
{
	struct sigaction jump = { .sa_handler = jump_out };
	unsigned int i;

	me = number;
	handle(count_signal, seed & 1 ? SA_RESTART : 0);
	sigaction(SIGUSR2, &jump, NULL);
	for (i = 0; i < OBJECTS; i++)
		MUST(!make_handle(kind_of[i], reopen_object(fds[i], 0),
				  random_u32(&seed) % 2 ? GOSYNC_IOCTL_ONLY : 0,
				  &handles[i]));
	while (!load(&world->stop)) {
		switch (random_u32(&seed) % 128) {
		case 0:
			become_another(&seed);
			break;
		case 1 ... 3:
			act_in_child(&seed);
			break;
		case 4 ... 6:
			act_in_thread(&seed);
			break;
		case 7 ... 12:
			jump_out_of_wait(&seed);
			break;
		case 13 ... 28:
			wait_by_command(&seed);
			break;
		default:
			act(&seed);
		}
	}
	_exit(0);
}

#endif /* MURDER_H */
