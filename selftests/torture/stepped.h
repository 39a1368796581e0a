/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions that stepped.c kills within: on what each works, what is done
 * before it, and what others find after a death.
 */
#ifndef STEPPED_H
#define STEPPED_H

#include "gosync_test.h"

/* What the rows work on: the parent's handles, a child's own in a child */
static char *name;
static gosync_mutex_t *mutex, *spoilt, *kept;
static gosync_rwmutex_t *rw;
static gosync_waitgroup_t *wg;
static gosync_once_t *once;
static gosync_cond_t *cond;
static gosync_semaphore_t *semaphore, *returned;
static gosync_value_t *value;
static gosync_map_t *map;
static gosync_int32_t *int32;
static gosync_uint32_t *uint32;
static gosync_int64_t *int64;
static gosync_uint64_t *uint64;
static gosync_uintptr_t *uintptr;
static gosync_pointer_t *pointer;
static gosync_bool_t *boolean;

/* And what a row itself may use */
static unsigned int how;
static void *other;
static int fd;
static struct gosync_wait_entry entries[2];
static uint64_t number;
static char buf[64];
static size_t len;

#define ABI	GOSYNC_ABI_VERSION
#define LATE	1

/* --- what others find ------------------------------------------------------ */

/* Returned in place of a state, after it was said what is wrong */
#define WRONG	'!'

#define FIND(condition)							\
do {									\
	if (!(condition)) {						\
		fprintf(stderr, "# %s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #condition);				\
		return WRONG;						\
	}								\
} while (0)

/* Nothing of the dead one is there: no holder, waiter or lock. */
#define FIND_REST(handle)						\
do {									\
	FIND(info(handle).holders == 1);				\
	FIND(!info(handle).waiters);					\
	FIND(!info(handle).owner);					\
	FIND(!info(handle).readers);					\
} while (0)

static inline char digit(uint64_t n)
{
	return n < 10 ? '0' + n : WRONG;
}

static inline char of_mutex(gosync_mutex_t *lock, unsigned int poisoned)
{
	unsigned int deaths = info(lock).deaths;

	FIND_REST(lock);
	FIND(!(info(lock).word & ~GOSYNC_MUTEX_POISONED));
	FIND(gosync_mutex_trylock(lock) == (deaths || poisoned));
	FIND(!gosync_mutex_recover(lock));
	FIND(!gosync_mutex_unlock(lock));
	FIND(!info(lock).word);
	return digit(deaths);
}

/* How many have died in it */
static inline char state_mutex(void)
{
	return of_mutex(mutex, 0);
}

static inline char state_spoilt(void)
{
	return of_mutex(spoilt, 1);
}

static inline char state_rw(void)
{
	unsigned int deaths = info(rw).deaths;

	FIND_REST(rw);
	FIND(!(info(rw).word & ~GOSYNC_MUTEX_POISONED));
	FIND(gosync_rwmutex_tryrlock(rw) == !!deaths);
	FIND(!gosync_rwmutex_runlock(rw));
	FIND(gosync_rwmutex_trylock(rw) == !!deaths);
	FIND(!gosync_rwmutex_recover(rw));
	FIND(!gosync_rwmutex_unlock(rw));
	FIND(!info(rw).word);
	return digit(deaths);
}

/* How many died because their lock was taken from them; then the last is freed. */
static inline char state_kept(void)
{
	unsigned int deaths = info(mutex).deaths;

	gosync_close(kept);
	FIND_REST(mutex);
	FIND(info(mutex).deaths == 1);
	FIND(gosync_mutex_trylock(mutex) == 1);
	return digit(deaths);
}

/* The counter */
static inline char state_wg(void)
{
	FIND_REST(wg);
	return digit(gosync_waitgroup_count(wg));
}

/* What the next one is told: that it is done, or to do it */
static inline char state_once(void)
{
	char state;

	FIND_REST(once);
	state = digit(gosync_once_begin(once));
	if (state != '0')
		FIND(!gosync_once_done(once));
	FIND(gosync_once_is_done(once) == 1);
	return state;
}

/* The deaths in its lock */
static inline char state_cond(void)
{
	FIND_REST(cond);
	FIND(!info(cond).word);
	return of_mutex(mutex, 0);
}

/* The permits that are there */
static inline char state_semaphore(void)
{
	FIND_REST(semaphore);
	return digit(gosync_semaphore_count(semaphore));
}

static inline char state_returned(void)
{
	FIND_REST(returned);
	FIND(!gosync_semaphore_tryacquire(returned, info(returned).capacity));
	return digit(info(returned).capacity);
}

/* What is stored */
static inline char state_value(void)
{
	FIND_REST(value);
	len = sizeof(buf);
	FIND(!gosync_value_load(value, buf, &len, NULL));
	FIND(len == 1);
	return buf[0];
}

static inline char state_map(void)
{
	int ret;

	FIND_REST(map);
	len = sizeof(buf);
	ret = gosync_map_load(map, "key", 3, buf, &len);
	FIND(gosync_map_len(map) == !ret);
	if (ret == -ENODATA)
		return 'x';
	FIND(!ret && len == 1);
	return buf[0];
}

/* Its permission bits, 'n' if there is no such name; 'u' if another owns it */
static inline char state_name(void)
{
	gosync_mutex_t *handle;
	char state = 'n';
	int ret = gosync_mutex_open(name, 0, 0, &handle);

	if (!ret) {
		state = info(handle).uid ? 'u' : digit(info(handle).mode >> 6);
		FIND(info(handle).holders == 1);
		gosync_close(handle);
		gosync_unlink(name);
	}
	FIND(!ret || ret == -ENOENT);
	return state;
}

#define STATE_OF_WORD(N, a, T)						\
static inline char state_##a(void)					\
{									\
	T now;								\
									\
	FIND_REST(a);							\
	FIND(!N##_load(a, 0, &now));					\
	return digit(now);						\
}

STATE_OF_WORD(gosync_int32, int32, int32_t)
STATE_OF_WORD(gosync_uint32, uint32, uint32_t)
STATE_OF_WORD(gosync_int64, int64, int64_t)
STATE_OF_WORD(gosync_uint64, uint64, uint64_t)
STATE_OF_WORD(gosync_uintptr, uintptr, uint64_t)
STATE_OF_WORD(gosync_pointer, pointer, uint64_t)
STATE_OF_WORD(gosync_bool, boolean, uint32_t)

/* --- how it is before ------------------------------------------------------ */

static inline void make_mutex(void)
{
	mutex = NEW(gosync_mutex, how);
}

/* Poisoned, although its deaths are none of the child's */
static inline void make_spoilt(void)
{
	int dead;

	spoilt = NEW(gosync_mutex, how);
	dead = reopen_object(gosync_fd(spoilt), 0);
	MUST(!lock_fd(dead));
	close(dead);
}

static inline void make_kept(void)
{
	mutex = NEW(gosync_mutex, how);
	kept = ANOTHER(gosync_mutex, gosync_fd(mutex), how);
	MUST(!gosync_mutex_lock(kept));
	number = info(kept).holder;
}

static inline void make_rw(void)
{
	rw = NEW(gosync_rwmutex, how);
}

static inline void make_wg(void)
{
	wg = NEW(gosync_waitgroup, how);
	MUST(!gosync_waitgroup_add(wg, 3));
}

static inline void make_once(void)
{
	once = NEW(gosync_once, how);
}

static inline void make_cond(void)
{
	make_mutex();
	cond = NEW(gosync_cond, how);
}

static inline void make_semaphore(void)
{
	semaphore = NEW(gosync_semaphore, how, 3);
}

static inline void make_returned(void)
{
	returned = NEW(gosync_semaphore, GOSYNC_GIVE_BACK | how, 3);
}

static inline void make_value(void)
{
	value = NEW(gosync_value, how, 8);
	MUST(!gosync_value_store(value, 1, "1", 1));
}

static inline void make_map(void)
{
	map = NEW(gosync_map, how, NULL);
}

static inline void make_name(void)
{
	name = unique_name();
}

#define MAKE_WORD(N, a)							\
static inline void make_##a(void)					\
{									\
	a = NEW(N, how, 1);						\
	MUST(!N##_store(a, 0, 1));					\
}

MAKE_WORD(gosync_int32, int32)
MAKE_WORD(gosync_uint32, uint32)
MAKE_WORD(gosync_int64, int64)
MAKE_WORD(gosync_uint64, uint64)
MAKE_WORD(gosync_uintptr, uintptr)
MAKE_WORD(gosync_pointer, pointer)
MAKE_WORD(gosync_bool, boolean)

/* --- the functions --------------------------------------------------------- */

static inline void nothing(void *arg, int died)
{
}

static inline void work(void *arg)
{
	for (;;)
		pause();
}

/* A child's second handle of it, which has what the first wants */
#define ANOTHER_OF(N, handle)	(other = ANOTHER(N, gosync_fd(handle), how))

/*
 * ROW(object, function, states, before, call): what the states of the object
 * are one after another while the function is called, as the next one finds it if
 * the caller dies. @before is done before the first instruction is counted.
 */
#define HANDLES(ROW, N, a, state, ...)					\
	ROW(a, N##_open, state, name = unique_name(),			\
	    N##_open(name, ##__VA_ARGS__, GOSYNC_CREATE | how, 0600,	\
		     (void *)&other))					\
	ROW(a, N##_from_fd, state, fd = reopen_object(gosync_fd(a), 0),	\
	    N##_from_fd(fd, how, (void *)&other))

#define HANDLES_ABI(ROW, N, a, state, ...)				\
	HANDLES(ROW, N, a, state, ##__VA_ARGS__)			\
	ROW(a, N##_open_abi, state, name = unique_name(),		\
	    N##_open_abi(ABI, name, ##__VA_ARGS__, GOSYNC_CREATE | how, \
			 0600, (void *)&other))				\
	ROW(a, N##_from_fd_abi, state,					\
	    fd = reopen_object(gosync_fd(a), 0),			\
	    N##_from_fd_abi(ABI, fd, how, (void *)&other))

#define WORDS(ROW, N, a, T)						\
	HANDLES(ROW, N, a, "1", 1)					\
	ROW(a, N##_store, "10", , N##_store(a, 0, 0))			\
	ROW(a, N##_swap, "10", , T v; N##_swap(a, 0, 0, &v))		\
	ROW(a, N##_cas, "10", , N##_cas(a, 0, 1, 0))			\
	ROW(a, N##_cas, "1", , N##_cas(a, 0, 0, 1))			\
	ROW(a, N##_wait, "1", , N##_wait(a, 0, 1, LATE, 0, NULL))	\
	ROW(a, N##_wake, "1", , N##_wake(a, 0, 1))

#define ARITHMETIC(ROW, N, a)						\
	ROW(a, N##_add, "13", , N##_add(a, 0, 2, NULL))			\
	ROW(a, N##_and, "10", , N##_and(a, 0, 2, NULL))			\
	ROW(a, N##_or, "13", , N##_or(a, 0, 2, NULL))

#define ROWS(ROW)							\
	ROW(name, gosync_mutex_open, "n6", ,				\
	    gosync_mutex_open(name, GOSYNC_CREATE | GOSYNC_PERSIST | how, \
			      0600, (void *)&other))			\
	ROW(name, gosync_unlink, "6n",					\
	    NEW_NAMED(gosync_mutex, name, GOSYNC_PERSIST),		\
	    gosync_unlink(name))					\
	ROW(name, gosync_unlink_unused, "6n",				\
	    gosync_close(NEW_NAMED(gosync_mutex, name, GOSYNC_PERSIST)), \
	    gosync_unlink_unused(name))					\
	ROW(name, gosync_chmod, "67",					\
	    gosync_close(NEW_NAMED(gosync_mutex, name, GOSYNC_PERSIST)), \
	    gosync_chmod(name, 0700))					\
	ROW(name, gosync_chown, "6u",					\
	    gosync_close(NEW_NAMED(gosync_mutex, name, GOSYNC_PERSIST)), \
	    gosync_chown(name, 1001, -1))				\
	ROW(name, gosync_await_name, "6",				\
	    gosync_close(NEW_NAMED(gosync_mutex, name, GOSYNC_PERSIST)), \
	    gosync_await_name(name, GOSYNC_MUTEX, GOSYNC_FOREVER, 0))	\
	ROW(mutex, gosync_close, "1",					\
	    gosync_mutex_lock(ANOTHER_OF(gosync_mutex, mutex)),		\
	    gosync_close(other))					\
	ROW(mutex, gosync_reopen, "0", ,				\
	    gosync_reopen(mutex, how, &other))				\
	ROW(kept, gosync_break, "01", , gosync_break(mutex, number))	\
	ROW(cond, gosync_watch, "0", , gosync_watch(cond, 0, 0))	\
	ROW(cond, gosync_unwatch, "0", gosync_watch(cond, 0, 0),	\
	    gosync_unwatch(cond))					\
	ROW(mutex, gosync_wait_any, "01",				\
	    entries[0] = gosync_entry_mutex(mutex),			\
	    gosync_wait_any(entries, 1, GOSYNC_FOREVER, 0))		\
	ROW(mutex, gosync_wait_cancel, "01",				\
	    entries[0] = gosync_entry_mutex(mutex),			\
	    gosync_wait_cancel(entries, GOSYNC_FOREVER, 0,		\
			       gosync_fd(mutex)))			\
	ROW(mutex, gosync_wait_all, "01",				\
	    entries[0] = gosync_entry_mutex(mutex),			\
	    gosync_wait_all(entries, 1, GOSYNC_FOREVER, 0))		\
									\
	HANDLES_ABI(ROW, gosync_mutex, mutex, "0")			\
	ROW(mutex, gosync_mutex_lock, "01", , gosync_mutex_lock(mutex))	\
	ROW(spoilt, gosync_mutex_lock, "12", , gosync_mutex_lock(spoilt)) \
	ROW(mutex, gosync_mutex_lock_slow, "01", ,			\
	    gosync_mutex_lock_slow(mutex))				\
	ROW(mutex, gosync_mutex_trylock, "01", ,			\
	    gosync_mutex_trylock(mutex))				\
	ROW(mutex, gosync_mutex_trylock, "1",				\
	    gosync_mutex_lock(ANOTHER_OF(gosync_mutex, mutex)),		\
	    gosync_mutex_trylock(mutex))				\
	ROW(mutex, gosync_mutex_lock_until, "01", ,			\
	    gosync_mutex_lock_until(mutex, GOSYNC_FOREVER, 0))		\
	ROW(mutex, gosync_mutex_lock_until, "1",			\
	    gosync_mutex_lock(ANOTHER_OF(gosync_mutex, mutex)),		\
	    gosync_mutex_lock_until(mutex, LATE, 0))			\
	ROW(mutex, gosync_mutex_unlock, "10", gosync_mutex_lock(mutex),	\
	    gosync_mutex_unlock(mutex))					\
	ROW(spoilt, gosync_mutex_unlock, "21",				\
	    gosync_mutex_lock(spoilt), gosync_mutex_unlock(spoilt))	\
	ROW(mutex, gosync_mutex_unlock_slow, "10",			\
	    gosync_mutex_lock(mutex), gosync_mutex_unlock_slow(mutex))	\
	ROW(spoilt, gosync_mutex_recover, "2",				\
	    gosync_mutex_lock(spoilt), gosync_mutex_recover(spoilt))	\
									\
	HANDLES_ABI(ROW, gosync_rwmutex, rw, "0")			\
	ROW(rw, gosync_rwmutex_lock, "01", , gosync_rwmutex_lock(rw))	\
	ROW(rw, gosync_rwmutex_trylock, "01", ,				\
	    gosync_rwmutex_trylock(rw))					\
	ROW(rw, gosync_rwmutex_trylock, "0",				\
	    gosync_rwmutex_rlock(ANOTHER_OF(gosync_rwmutex, rw)),	\
	    gosync_rwmutex_trylock(rw))					\
	ROW(rw, gosync_rwmutex_lock_until, "01", ,			\
	    gosync_rwmutex_lock_until(rw, GOSYNC_FOREVER, 0))		\
	/* It has the word for a moment, until it finds the reader. */	\
	ROW(rw, gosync_rwmutex_lock_until, "010",			\
	    gosync_rwmutex_rlock(ANOTHER_OF(gosync_rwmutex, rw)),	\
	    gosync_rwmutex_lock_until(rw, LATE, 0))			\
	ROW(rw, gosync_rwmutex_unlock, "10", gosync_rwmutex_lock(rw),	\
	    gosync_rwmutex_unlock(rw))					\
	ROW(rw, gosync_rwmutex_recover, "1", gosync_rwmutex_lock(rw),	\
	    gosync_rwmutex_recover(rw))					\
	ROW(rw, gosync_rwmutex_rlock, "0", , gosync_rwmutex_rlock(rw))	\
	ROW(rw, gosync_rwmutex_rlock_slow, "0", ,			\
	    gosync_rwmutex_rlock_slow(rw, 0))				\
	ROW(rw, gosync_rwmutex_tryrlock, "0", ,				\
	    gosync_rwmutex_tryrlock(rw))				\
	ROW(rw, gosync_rwmutex_tryrlock, "1",				\
	    gosync_rwmutex_lock(ANOTHER_OF(gosync_rwmutex, rw)),	\
	    gosync_rwmutex_tryrlock(rw))				\
	ROW(rw, gosync_rwmutex_rlock_until, "0", ,			\
	    gosync_rwmutex_rlock_until(rw, GOSYNC_FOREVER, 0))		\
	ROW(rw, gosync_rwmutex_rlock_until, "1",			\
	    gosync_rwmutex_lock(ANOTHER_OF(gosync_rwmutex, rw)),	\
	    gosync_rwmutex_rlock_until(rw, LATE, 0))			\
	ROW(rw, gosync_rwmutex_runlock, "0", gosync_rwmutex_rlock(rw),	\
	    gosync_rwmutex_runlock(rw))					\
	ROW(rw, gosync_rwmutex_runlock_slow, "0",			\
	    gosync_rwmutex_rlock(rw), gosync_rwmutex_runlock_slow(rw))	\
	ROW(rw, gosync_rwmutex_tell, "0", , gosync_rwmutex_tell(rw))	\
									\
	HANDLES_ABI(ROW, gosync_waitgroup, wg, "3")			\
	ROW(wg, gosync_waitgroup_add, "35", , gosync_waitgroup_add(wg, 2)) \
	ROW(wg, gosync_waitgroup_add, "30", ,				\
	    gosync_waitgroup_add(wg, -3))				\
	ROW(wg, gosync_waitgroup_add_slow, "35", ,			\
	    gosync_waitgroup_add_slow(wg, 2))				\
	ROW(wg, gosync_waitgroup_done, "32", , gosync_waitgroup_done(wg)) \
	ROW(wg, gosync_waitgroup_go, "34", ,				\
	    gosync_waitgroup_go(wg, work, NULL))			\
	ROW(wg, gosync_waitgroup_wait, "0", gosync_waitgroup_add(wg, -3), \
	    gosync_waitgroup_wait(wg))					\
	ROW(wg, gosync_waitgroup_wait_until, "3", ,			\
	    gosync_waitgroup_wait_until(wg, LATE, 0))			\
									\
	HANDLES_ABI(ROW, gosync_once, once, "1")			\
	ROW(once, gosync_once_do, "120", ,				\
	    gosync_once_do(once, nothing, NULL))			\
	ROW(once, gosync_once_do_slow, "120", ,				\
	    gosync_once_do_slow(once, nothing, NULL))			\
	ROW(once, gosync_once_do_anyway, "120", ,			\
	    gosync_once_do_anyway(once, nothing, NULL))			\
	ROW(once, gosync_once_begin, "12", , gosync_once_begin(once))	\
	ROW(once, gosync_once_begin_until, "12", ,			\
	    gosync_once_begin_until(once, GOSYNC_FOREVER, 0))		\
	ROW(once, gosync_once_begin_cancel, "12", ,			\
	    gosync_once_begin_cancel(once, GOSYNC_FOREVER, 0,		\
				     gosync_fd(once)))			\
	ROW(once, gosync_once_abandon, "2", gosync_once_begin(once),	\
	    gosync_once_abandon(once))					\
	ROW(once, gosync_once_done, "20", gosync_once_begin(once),	\
	    gosync_once_done(once))					\
	ROW(once, gosync_once_wait, "0",				\
	    gosync_once_do(once, nothing, NULL), gosync_once_wait(once)) \
	ROW(once, gosync_once_wait_until, "1", ,			\
	    gosync_once_wait_until(once, LATE, 0))			\
									\
	HANDLES_ABI(ROW, gosync_cond, cond, "0")			\
	/* A wait that begins with a lock that isn't locked */		\
	ROW(cond, gosync_cond_wait, "0", , gosync_cond_wait(cond, mutex)) \
	ROW(cond, gosync_cond_wait_until, "1", gosync_mutex_lock(mutex), \
	    gosync_cond_wait_until(cond, mutex, LATE, 0))		\
	ROW(cond, gosync_cond_wait_cancel, "1", gosync_mutex_lock(mutex), \
	    gosync_cond_wait_cancel(cond, mutex, LATE, 0, gosync_fd(cond))) \
	ROW(cond, gosync_cond_signal, "0", , gosync_cond_signal(cond))	\
	ROW(cond, gosync_cond_broadcast, "0", ,				\
	    gosync_cond_broadcast(cond))				\
									\
	HANDLES_ABI(ROW, gosync_semaphore, semaphore, "3", 3)		\
	ROW(semaphore, gosync_semaphore_acquire, "31", ,		\
	    gosync_semaphore_acquire(semaphore, 2))			\
	ROW(returned, gosync_semaphore_acquire, "3", ,			\
	    gosync_semaphore_acquire(returned, 2))			\
	ROW(semaphore, gosync_semaphore_acquire_slow, "31", ,		\
	    gosync_semaphore_acquire_slow(semaphore, 2))		\
	ROW(semaphore, gosync_semaphore_tryacquire, "31", ,		\
	    gosync_semaphore_tryacquire(semaphore, 2))			\
	ROW(semaphore, gosync_semaphore_acquire_until, "31", ,		\
	    gosync_semaphore_acquire_until(semaphore, 2, GOSYNC_FOREVER, \
					   0))				\
	ROW(semaphore, gosync_semaphore_acquire_until, "3", ,		\
	    gosync_semaphore_acquire_until(semaphore, 4, LATE, 0))	\
	ROW(semaphore, gosync_semaphore_release, "35", ,		\
	    gosync_semaphore_release(semaphore, 2))			\
	ROW(returned, gosync_semaphore_release, "3",			\
	    gosync_semaphore_acquire(returned, 2),			\
	    gosync_semaphore_release(returned, 2))			\
	ROW(semaphore, gosync_semaphore_release_slow, "35", ,		\
	    gosync_semaphore_release_slow(semaphore, 2))		\
	ROW(semaphore, gosync_semaphore_set_limit, "35", ,		\
	    gosync_semaphore_set_limit(semaphore, 5))			\
	ROW(returned, gosync_semaphore_set_limit, "32", ,		\
	    gosync_semaphore_set_limit(returned, 2))			\
									\
	HANDLES_ABI(ROW, gosync_value, value, "1", 8)			\
	ROW(value, gosync_value_store, "12", ,				\
	    gosync_value_store(value, 1, "2", 1))			\
	ROW(value, gosync_value_swap, "12", len = sizeof(buf),		\
	    gosync_value_swap(value, 1, "2", 1, buf, &len))		\
	ROW(value, gosync_value_cas, "12", ,				\
	    gosync_value_cas(value, 1, "1", 1, 1, "2", 1))		\
	ROW(value, gosync_value_wait, "1", number = 0,			\
	    gosync_value_wait(value, &number))				\
	ROW(value, gosync_value_wait_until, "1", number = 1,		\
	    gosync_value_wait_until(value, &number, LATE, 0))		\
									\
	HANDLES(ROW, gosync_map, map, "x", NULL)			\
	ROW(map, gosync_map_open_abi, "x", name = unique_name(),	\
	    gosync_map_open_abi(ABI, name, NULL, 0, GOSYNC_CREATE | how, \
				0600, (void *)&other))			\
	ROW(map, gosync_map_from_fd_abi, "x",				\
	    fd = reopen_object(gosync_fd(map), 0),			\
	    gosync_map_from_fd_abi(ABI, fd, how, (void *)&other))	\
	ROW(map, gosync_map_store, "x1", ,				\
	    gosync_map_store(map, "key", 3, "1", 1))			\
	ROW(map, gosync_map_store_many, "x1", ,				\
	    gosync_map_store_many(map, &(struct gosync_map_pair) {	\
				  "key", 3, "1", 1 }, 1))		\
	ROW(map, gosync_map_load_or_store, "x1", len = sizeof(buf),	\
	    gosync_map_load_or_store(map, "key", 3, "1", 1, buf, &len))	\
	ROW(map, gosync_map_load_and_delete, "1x",			\
	    gosync_map_store(map, "key", 3, "1", 1); len = sizeof(buf),	\
	    gosync_map_load_and_delete(map, "key", 3, buf, &len))	\
	ROW(map, gosync_map_delete, "1x",				\
	    gosync_map_store(map, "key", 3, "1", 1),			\
	    gosync_map_delete(map, "key", 3))				\
	ROW(map, gosync_map_swap, "12",					\
	    gosync_map_store(map, "key", 3, "1", 1); len = sizeof(buf),	\
	    gosync_map_swap(map, "key", 3, "2", 1, buf, &len))		\
	ROW(map, gosync_map_cas, "12",					\
	    gosync_map_store(map, "key", 3, "1", 1),			\
	    gosync_map_cas(map, "key", 3, "1", 1, "2", 1))		\
	ROW(map, gosync_map_compare_and_delete, "1x",			\
	    gosync_map_store(map, "key", 3, "1", 1),			\
	    gosync_map_compare_and_delete(map, "key", 3, "1", 1))	\
	ROW(map, gosync_map_clear, "1x",				\
	    gosync_map_store(map, "key", 3, "1", 1),			\
	    gosync_map_clear(map))					\
	ROW(map, gosync_map_wait, "x", number = 0,			\
	    gosync_map_wait(map, &number))				\
	ROW(map, gosync_map_wait_until, "x",				\
	    number = 0; gosync_map_wait(map, &number),			\
	    gosync_map_wait_until(map, &number, LATE, 0))		\
									\
	ROW(int32, gosync_words_open, "1", ,				\
	    gosync_words_open(ABI, NULL, GOSYNC_INT32, 1,		\
			      GOSYNC_CREATE | how, 0600, (void *)&other)) \
	ROW(int32, gosync_words_from_fd, "1",				\
	    fd = reopen_object(gosync_fd(int32), 0),			\
	    gosync_words_from_fd(ABI, fd, GOSYNC_INT32, how,		\
				 (void *)&other))			\
	ROW(int32, gosync_words_ioctl, "12", ,				\
	    gosync_words_ioctl((void *)int32, GOSYNC_IOC_ATOMIC_STORE,	\
			       0, 2, 0, &number))			\
	ROW(int32, gosync_words_wait, "1", ,				\
	    gosync_words_wait((void *)int32, 0, 1, LATE, 0, &number))	\
	ROW(int32, gosync_words_wake, "1", ,				\
	    gosync_words_wake((void *)int32, 0, 1))			\
	WORDS(ROW, gosync_int32, int32, int32_t)			\
	WORDS(ROW, gosync_uint32, uint32, uint32_t)			\
	WORDS(ROW, gosync_int64, int64, int64_t)			\
	WORDS(ROW, gosync_uint64, uint64, uint64_t)			\
	WORDS(ROW, gosync_uintptr, uintptr, uint64_t)			\
	WORDS(ROW, gosync_pointer, pointer, uint64_t)			\
	WORDS(ROW, gosync_bool, boolean, uint32_t)			\
	ARITHMETIC(ROW, gosync_int32, int32)				\
	ARITHMETIC(ROW, gosync_uint32, uint32)				\
	ARITHMETIC(ROW, gosync_int64, int64)				\
	ARITHMETIC(ROW, gosync_uint64, uint64)				\
	ARITHMETIC(ROW, gosync_uintptr, uintptr)

/* These change nothing, and others cannot tell when their caller died. */
static const char *const observers[] = {
	"gosync_deadline", "gosync_device", "gosync_entry*", "gosync_fd",
	"gosync_holders*", "gosync_info*", "gosync_is_mapped", "gosync_list*",
	"gosync_map_begin", "gosync_map_end", "gosync_map_len",
	"gosync_map_next", "gosync_map_range", "gosync_once_is_done",
	"gosync_stat*", "gosync_strerror*", "gosync_type_*",
	"gosync_value_capacity", "gosync_value_version", "gosync_waiters*", "gosync_words_entry",
	"gosync_*_count", "gosync_*_load", "gosync_*_peek*", "gosync_*_token",
	"gosync_peek_*",
};

#endif /* STEPPED_H */
