/* SPDX-License-Identifier: GPL-2.0-only */
/* Each function that the library exports, called once on objects of one's own */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "gosync_test.h"

/* What the rows work on */
static char *name;
static gosync_mutex_t *mutex;
static gosync_rwmutex_t *rw;
static gosync_waitgroup_t *wg;
static gosync_once_t *once, *done;
static gosync_cond_t *cond;
static gosync_semaphore_t *semaphore;
static gosync_value_t *value;
static gosync_map_t *map;
static gosync_int32_t *int32;
static gosync_uint32_t *uint32;
static gosync_int64_t *int64;
static gosync_uint64_t *uint64;
static gosync_uintptr_t *uintptr;
static gosync_pointer_t *pointer;
static gosync_bool_t *boolean;

static struct gosync_info shown;
static struct gosync_stat stats;
static struct gosync_party party;
static struct gosync_wait_entry entry;
static struct gosync_peek peek;
static uint64_t number;
static char buf[256];
static size_t len;
/* The first error of a function that should succeed */
static int failed;

#define GOOD(call)							\
do {									\
	int __ret = (call);						\
									\
	if (__ret < 0 && !failed)					\
		failed = __ret;						\
} while (0)

/* A handle of a descriptor, which becomes the handle's if it succeeds */
#define FROM_FD(of, call)						\
do {									\
	int fd = reopen_object(gosync_fd(of), 0);			\
									\
	GOOD(call);							\
	if (!h)								\
		close(fd);						\
	gosync_close(h);						\
} while (0)

#define ABI		GOSYNC_ABI_VERSION
#define LATE		1

static inline void nothing(void *arg, int died)
{
}

static inline void work(void *arg)
{
}

static inline int see_party(const struct gosync_party *party, void *arg)
{
	return 0;
}

static inline int see_info(const struct gosync_info *info, void *arg)
{
	return 0;
}

static inline int see_entry(const void *key, size_t key_len, const void *value,
			    size_t len, void *arg)
{
	return 0;
}

static inline int begin_once(gosync_once_t *once)
{
	int ret = gosync_once_begin(once);

	return ret == GOSYNC_ONCE_RUN ? 0 : ret;
}

static inline int begin_walk(void)
{
	gosync_map_cursor_t *cursor = NULL;
	struct gosync_map_entry first;
	int ret = gosync_map_begin(map, &cursor);

	if (!ret)
		ret = gosync_map_next(cursor, &first);
	gosync_map_end(cursor);
	return ret;
}

/* Both ways to open a handle and both to make one of a descriptor */
#define HANDLES(ROW, N, of, ...)					\
	ROW(gosync##N##_open, gosync##N##_t *h = NULL;			\
	    GOOD(gosync##N##_open(NULL, ##__VA_ARGS__, GOSYNC_CREATE,	\
				   0600, &h)); gosync_close(h))		\
	ROW(gosync##N##_from_fd, gosync##N##_t *h = NULL;		\
	    FROM_FD(of, gosync##N##_from_fd(fd, 0, &h)))

#define HANDLES_ABI(ROW, N, of, ...)					\
	HANDLES(ROW, N, of, ##__VA_ARGS__)				\
	ROW(gosync##N##_open_abi, gosync##N##_t *h = NULL;		\
	    GOOD(gosync##N##_open_abi(ABI, NULL, ##__VA_ARGS__,		\
				       GOSYNC_CREATE, 0600, &h));	\
	    gosync_close(h))						\
	ROW(gosync##N##_from_fd_abi, gosync##N##_t *h = NULL;		\
	    FROM_FD(of, gosync##N##_from_fd_abi(ABI, fd, 0, &h)))

#define WORDS(ROW, N, a, T)						\
	HANDLES(ROW, N, a, 1)						\
	ROW(gosync##N##_load, T v; GOOD(gosync##N##_load(a, 0, &v)))	\
	ROW(gosync##N##_store, GOOD(gosync##N##_store(a, 0, 1)))	\
	ROW(gosync##N##_swap, GOOD(gosync##N##_swap(a, 0, 1, NULL)))	\
	ROW(gosync##N##_cas, GOOD(gosync##N##_cas(a, 0, 1, 0)))		\
	ROW(gosync##N##_wait, gosync##N##_store(a, 0, 0);		\
	    gosync##N##_wait(a, 0, 0, LATE, 0, NULL))			\
	ROW(gosync##N##_wake, GOOD(gosync##N##_wake(a, 0, 1)))		\
	ROW(gosync_entry##N, entry = gosync_entry##N(a, 0, 0))

#define ARITHMETIC(ROW, N, a)						\
	ROW(gosync##N##_add, GOOD(gosync##N##_add(a, 0, 1, NULL)))	\
	ROW(gosync##N##_and, GOOD(gosync##N##_and(a, 0, 1, NULL)))	\
	ROW(gosync##N##_or, GOOD(gosync##N##_or(a, 0, 1, NULL)))

#define ROWS(ROW)							\
	ROW(gosync_close, gosync_mutex_t *h = NULL;			\
	    GOOD(gosync_mutex_open(NULL, GOSYNC_CREATE, 0600, &h));	\
	    gosync_close(h))						\
	ROW(gosync_reopen, gosync_mutex_t *h = NULL;			\
	    GOOD(gosync_reopen(mutex, 0, &h)); gosync_close(h))		\
	ROW(gosync_fd, GOOD(gosync_fd(mutex)))				\
	ROW(gosync_watch, GOOD(gosync_watch(int32, 0, 0)))		\
	ROW(gosync_unwatch, GOOD(gosync_unwatch(int32)))		\
	ROW(gosync_is_mapped, GOOD(gosync_is_mapped(mutex)))		\
	ROW(gosync_info, GOOD(gosync_info(mutex, &shown)))		\
	ROW(gosync_info_sized,						\
	    GOOD(gosync_info_sized(mutex, &shown, sizeof(shown))))	\
	ROW(gosync_stat, GOOD(gosync_stat(mutex, &stats)))		\
	ROW(gosync_stat_sized,						\
	    GOOD(gosync_stat_sized(mutex, &stats, sizeof(stats))))	\
	ROW(gosync_waiters, GOOD(gosync_waiters(mutex, &party, 1)))	\
	ROW(gosync_waiters_sized,					\
	    GOOD(gosync_waiters_sized(mutex, &party, 1, sizeof(party)))) \
	ROW(gosync_holders, GOOD(gosync_holders(mutex, see_party, NULL))) \
	ROW(gosync_holders_sized,					\
	    GOOD(gosync_holders_sized(mutex, see_party, NULL,		\
				      sizeof(party))))			\
	ROW(gosync_holders_next, number = 0;				\
	    GOOD(gosync_holders_next(mutex, &number, &party, 1)))	\
	ROW(gosync_holders_next_sized, number = 0;			\
	    GOOD(gosync_holders_next_sized(mutex, &number, &party, 1,	\
					   sizeof(party))))		\
	ROW(gosync_list, GOOD(gosync_list(see_info, NULL)))		\
	ROW(gosync_list_next, number = 0;				\
	    GOOD(gosync_list_next(&number, &shown, 1)))			\
	ROW(gosync_list_next_sized, number = 0;				\
	    GOOD(gosync_list_next_sized(&number, &shown, 1,		\
					sizeof(shown))))		\
	ROW(gosync_list_sized,						\
	    GOOD(gosync_list_sized(see_info, NULL, sizeof(shown))))	\
	ROW(gosync_unlink, gosync_unlink(name))				\
	ROW(gosync_unlink_unused, gosync_unlink_unused(name))		\
	ROW(gosync_break, gosync_break(mutex, 1))			\
	ROW(gosync_chmod, gosync_chmod(name, 0600))			\
	ROW(gosync_chown, gosync_chown(name, 0, 0))			\
	ROW(gosync_deadline, gosync_deadline(0))			\
	ROW(gosync_strerror, gosync_strerror(0, EBUSY))			\
	ROW(gosync_strerror_abi, gosync_strerror_abi(ABI, 0, EBUSY))	\
	ROW(gosync_type_name, gosync_type_name(1))			\
	ROW(gosync_device, GOOD(gosync_device()))			\
	ROW(gosync_await_name, gosync_await_name("absent", 0, LATE, 0))	\
	ROW(gosync_wait_any, entry = gosync_entry_once(done);		\
	    GOOD(gosync_wait_any(&entry, 1, LATE, 0)))			\
	ROW(gosync_wait_cancel, entry = gosync_entry_once(done);	\
	    GOOD(gosync_wait_cancel(&entry, LATE, 0, gosync_fd(mutex)))) \
	ROW(gosync_wait_all, entry = gosync_entry_once(done);		\
	    GOOD(gosync_wait_all(&entry, 1, LATE, 0)))			\
	ROW(gosync_entry,						\
	    entry = gosync_entry(0, GOSYNC_IOC_MUTEX_LOCK, 0, 0))	\
	ROW(gosync_entry_fd, entry = gosync_entry_fd(0, 1))		\
	ROW(gosync_entry_mutex, entry = gosync_entry_mutex(mutex))	\
	ROW(gosync_entry_rwmutex, entry = gosync_entry_rwmutex(rw))	\
	ROW(gosync_entry_rwmutex_read,					\
	    entry = gosync_entry_rwmutex_read(rw))			\
	ROW(gosync_entry_semaphore,					\
	    entry = gosync_entry_semaphore(semaphore, 1))		\
	ROW(gosync_entry_waitgroup, entry = gosync_entry_waitgroup(wg))	\
	ROW(gosync_entry_once, entry = gosync_entry_once(once))		\
	ROW(gosync_entry_value, entry = gosync_entry_value(value, 0))	\
	ROW(gosync_entry_map, entry = gosync_entry_map(map, 0))		\
									\
	HANDLES_ABI(ROW, _mutex, mutex)					\
	ROW(gosync_mutex_lock, GOOD(gosync_mutex_lock(mutex));		\
	    gosync_mutex_unlock(mutex))					\
	ROW(gosync_mutex_lock_slow, GOOD(gosync_mutex_lock_slow(mutex)); \
	    gosync_mutex_unlock(mutex))					\
	ROW(gosync_mutex_trylock, GOOD(gosync_mutex_trylock(mutex));	\
	    gosync_mutex_unlock(mutex))					\
	ROW(gosync_mutex_lock_until, gosync_mutex_lock(mutex);		\
	    gosync_mutex_lock_until(mutex, LATE, 0);			\
	    gosync_mutex_unlock(mutex))					\
	ROW(gosync_mutex_unlock, gosync_mutex_lock(mutex);		\
	    GOOD(gosync_mutex_unlock(mutex)))				\
	ROW(gosync_mutex_unlock_slow, gosync_mutex_lock(mutex);		\
	    GOOD(gosync_mutex_unlock_slow(mutex)))			\
	ROW(gosync_mutex_recover, gosync_mutex_lock(mutex);		\
	    GOOD(gosync_mutex_recover(mutex));				\
	    gosync_mutex_unlock(mutex))					\
	ROW(gosync_mutex_token, GOOD(gosync_mutex_token(mutex, &number))) \
									\
	HANDLES_ABI(ROW, _rwmutex, rw)					\
	ROW(gosync_rwmutex_lock, GOOD(gosync_rwmutex_lock(rw));		\
	    gosync_rwmutex_unlock(rw))					\
	ROW(gosync_rwmutex_trylock, GOOD(gosync_rwmutex_trylock(rw));	\
	    gosync_rwmutex_unlock(rw))					\
	ROW(gosync_rwmutex_lock_until, gosync_rwmutex_rlock(rw);	\
	    gosync_rwmutex_lock_until(rw, LATE, 0);			\
	    gosync_rwmutex_runlock(rw))					\
	ROW(gosync_rwmutex_unlock, gosync_rwmutex_lock(rw);		\
	    GOOD(gosync_rwmutex_unlock(rw)))				\
	ROW(gosync_rwmutex_recover, gosync_rwmutex_lock(rw);		\
	    GOOD(gosync_rwmutex_recover(rw));				\
	    gosync_rwmutex_unlock(rw))					\
	ROW(gosync_rwmutex_token, GOOD(gosync_rwmutex_token(rw, &number))) \
	ROW(gosync_rwmutex_rlock, GOOD(gosync_rwmutex_rlock(rw));	\
	    gosync_rwmutex_runlock(rw))					\
	ROW(gosync_rwmutex_rlock_slow,					\
	    GOOD(gosync_rwmutex_rlock_slow(rw, 0));			\
	    gosync_rwmutex_runlock(rw))					\
	ROW(gosync_rwmutex_tryrlock, GOOD(gosync_rwmutex_tryrlock(rw));	\
	    gosync_rwmutex_runlock(rw))					\
	ROW(gosync_rwmutex_rlock_until, gosync_rwmutex_lock(rw);	\
	    gosync_rwmutex_rlock_until(rw, LATE, 0);			\
	    gosync_rwmutex_unlock(rw))					\
	ROW(gosync_rwmutex_runlock, gosync_rwmutex_rlock(rw);		\
	    GOOD(gosync_rwmutex_runlock(rw)))				\
	ROW(gosync_rwmutex_runlock_slow, gosync_rwmutex_rlock(rw);	\
	    GOOD(gosync_rwmutex_runlock_slow(rw)))			\
	ROW(gosync_rwmutex_tell, GOOD(gosync_rwmutex_tell(rw)))		\
									\
	HANDLES_ABI(ROW, _waitgroup, wg)				\
	ROW(gosync_waitgroup_add, GOOD(gosync_waitgroup_add(wg, 1)))	\
	ROW(gosync_waitgroup_add_slow,					\
	    GOOD(gosync_waitgroup_add_slow(wg, 1)))			\
	ROW(gosync_waitgroup_done, GOOD(gosync_waitgroup_add(wg, 1) ?:	\
					 gosync_waitgroup_done(wg)))	\
	ROW(gosync_waitgroup_count, GOOD(gosync_waitgroup_count(wg)))	\
	ROW(gosync_waitgroup_wait, int n = gosync_waitgroup_count(wg);	\
	    GOOD(n < 0 ? n : gosync_waitgroup_add(wg, -n) ?:		\
			     gosync_waitgroup_wait(wg)))		\
	ROW(gosync_waitgroup_wait_until, gosync_waitgroup_add(wg, 1);	\
	    gosync_waitgroup_wait_until(wg, LATE, 0))			\
	ROW(gosync_waitgroup_go, GOOD(gosync_waitgroup_go(wg, work, NULL))) \
									\
	HANDLES_ABI(ROW, _once, once)					\
	ROW(gosync_once_do, GOOD(gosync_once_do(done, nothing, NULL)))	\
	ROW(gosync_once_do_slow,					\
	    GOOD(gosync_once_do_slow(done, nothing, NULL)))		\
	ROW(gosync_once_do_anyway,					\
	    GOOD(gosync_once_do_anyway(done, nothing, NULL)))		\
	ROW(gosync_once_begin, GOOD(gosync_once_begin(once));		\
	    gosync_once_abandon(once))					\
	ROW(gosync_once_begin_until,					\
	    GOOD(gosync_once_begin_until(once, LATE, 0));		\
	    gosync_once_abandon(once))					\
	ROW(gosync_once_begin_cancel,					\
	    GOOD(gosync_once_begin_cancel(once, LATE, 0,		\
					  gosync_fd(mutex)));		\
	    gosync_once_abandon(once))					\
	ROW(gosync_once_abandon, gosync_once_begin(once);		\
	    GOOD(gosync_once_abandon(once)))				\
	ROW(gosync_once_done, gosync_once_t *h = NULL;			\
	    GOOD(gosync_once_open(NULL, GOSYNC_CREATE, 0600, &h) ?:	\
		 begin_once(h) ?: gosync_once_done(h));			\
	    gosync_close(h))						\
	ROW(gosync_once_is_done, GOOD(gosync_once_is_done(once)))	\
	ROW(gosync_once_wait, GOOD(gosync_once_wait(done)))		\
	ROW(gosync_once_wait_until, gosync_once_wait_until(once, LATE, 0)) \
									\
	HANDLES_ABI(ROW, _cond, cond)					\
	ROW(gosync_cond_wait,						\
	    /* A wait that begins with a lock that isn't locked */	\
	    gosync_cond_wait(cond, mutex))				\
	ROW(gosync_cond_wait_until, gosync_mutex_lock(mutex);		\
	    gosync_cond_wait_until(cond, mutex, LATE, 0);		\
	    gosync_mutex_unlock(mutex))					\
	ROW(gosync_cond_wait_cancel, gosync_mutex_lock(mutex);		\
	    gosync_cond_wait_cancel(cond, mutex, LATE, 0, gosync_fd(mutex)); \
	    gosync_mutex_unlock(mutex))					\
	ROW(gosync_cond_signal, GOOD(gosync_cond_signal(cond)))		\
	ROW(gosync_cond_broadcast, GOOD(gosync_cond_broadcast(cond)))	\
									\
	HANDLES_ABI(ROW, _semaphore, semaphore, 1)			\
	ROW(gosync_semaphore_acquire,					\
	    GOOD(gosync_semaphore_acquire(semaphore, 1)))		\
	ROW(gosync_semaphore_acquire_slow,				\
	    GOOD(gosync_semaphore_acquire_slow(semaphore, 1)))		\
	ROW(gosync_semaphore_tryacquire,				\
	    GOOD(gosync_semaphore_tryacquire(semaphore, 1)))		\
	ROW(gosync_semaphore_acquire_until,				\
	    gosync_semaphore_acquire_until(semaphore, 100, LATE, 0))	\
	ROW(gosync_semaphore_set_limit,					\
	    GOOD(gosync_semaphore_set_limit(semaphore, 10)))		\
	ROW(gosync_semaphore_release,					\
	    GOOD(gosync_semaphore_release(semaphore, 1)))		\
	ROW(gosync_semaphore_release_slow,				\
	    GOOD(gosync_semaphore_release_slow(semaphore, 1)))		\
	ROW(gosync_semaphore_count,					\
	    GOOD(gosync_semaphore_count(semaphore)))			\
									\
	HANDLES_ABI(ROW, _value, value, 64)				\
	ROW(gosync_type_id, gosync_type_id("type", 4))			\
	ROW(gosync_value_load, len = sizeof(buf);			\
	    GOOD(gosync_value_load(value, buf, &len, NULL)))		\
	ROW(gosync_value_peek, gosync_value_peek(value, &peek))		\
	ROW(gosync_value_peek_slow, gosync_value_peek_slow(value, &peek)) \
	ROW(gosync_peek_valid, (void)(gosync_value_peek(value, &peek) ||	\
				      gosync_peek_valid(&peek)))	\
	ROW(gosync_value_capacity,					\
	    GOOD(gosync_value_capacity(value, &len)))			\
	ROW(gosync_value_version,					\
	    GOOD(gosync_value_version(value, &number)))			\
	ROW(gosync_value_wait, number = 0;				\
	    GOOD(gosync_value_wait(value, &number)))			\
	ROW(gosync_value_wait_until,					\
	    gosync_value_version(value, &number);			\
	    gosync_value_wait_until(value, &number, LATE, 0))		\
	ROW(gosync_value_store,						\
	    GOOD(gosync_value_store(value, 1, "value", 6)))		\
	ROW(gosync_value_swap, len = sizeof(buf);			\
	    GOOD(gosync_value_swap(value, 1, "value", 6, buf, &len)))	\
	ROW(gosync_value_cas,						\
	    GOOD(gosync_value_cas(value, 1, "x", 1, 1, "y", 1)))	\
									\
	HANDLES(ROW, _map, map, NULL)					\
	ROW(gosync_map_open_abi, gosync_map_t *h = NULL;		\
	    GOOD(gosync_map_open_abi(ABI, NULL, NULL, 0, GOSYNC_CREATE,	\
				     0600, &h)); gosync_close(h))	\
	ROW(gosync_map_from_fd_abi, gosync_map_t *h = NULL;		\
	    FROM_FD(map, gosync_map_from_fd_abi(ABI, fd, 0, &h)))	\
	ROW(gosync_map_load, len = sizeof(buf);				\
	    gosync_map_load(map, "key", 3, buf, &len))			\
	ROW(gosync_map_peek, gosync_map_peek(map, "key", 3, &peek))	\
	ROW(gosync_map_store,						\
	    GOOD(gosync_map_store(map, "key", 3, "value", 6)))		\
	ROW(gosync_map_store_many,					\
	    GOOD(gosync_map_store_many(map, &(struct gosync_map_pair) {	\
				       "key", 3, "value", 6 }, 1)))	\
	ROW(gosync_map_load_or_store, len = sizeof(buf);		\
	    GOOD(gosync_map_load_or_store(map, "key", 3, "value", 6, buf, \
					  &len)))			\
	ROW(gosync_map_load_and_delete, len = sizeof(buf);		\
	    gosync_map_load_and_delete(map, "key", 3, buf, &len))	\
	ROW(gosync_map_delete, GOOD(gosync_map_delete(map, "key", 3)))	\
	ROW(gosync_map_swap, len = sizeof(buf);				\
	    GOOD(gosync_map_swap(map, "key", 3, "value", 6, buf, &len))) \
	ROW(gosync_map_cas,						\
	    GOOD(gosync_map_cas(map, "key", 3, "x", 1, "y", 1)))	\
	ROW(gosync_map_compare_and_delete,				\
	    GOOD(gosync_map_compare_and_delete(map, "key", 3, "x", 1)))	\
	ROW(gosync_map_begin, gosync_map_cursor_t *c = NULL;		\
	    GOOD(gosync_map_begin(map, &c)); gosync_map_end(c))		\
	ROW(gosync_map_next, GOOD(begin_walk()))			\
	ROW(gosync_map_end, gosync_map_end(NULL))			\
	ROW(gosync_map_range, GOOD(gosync_map_range(map, see_entry, NULL))) \
	ROW(gosync_map_clear, GOOD(gosync_map_clear(map)))		\
	ROW(gosync_map_len, GOOD(gosync_map_len(map)))			\
	ROW(gosync_map_wait, number = 0; GOOD(gosync_map_wait(map, &number))) \
	ROW(gosync_map_wait_until, number = 0;				\
	    gosync_map_wait(map, &number);				\
	    gosync_map_wait_until(map, &number, LATE, 0))		\
									\
	ROW(gosync_words_open, struct gosync_words *h = NULL;		\
	    GOOD(gosync_words_open(ABI, NULL, GOSYNC_INT32, 1,		\
				   GOSYNC_CREATE, 0600, &h));		\
	    gosync_close(h))						\
	ROW(gosync_words_from_fd, struct gosync_words *h = NULL;	\
	    FROM_FD(int32, gosync_words_from_fd(ABI, fd, GOSYNC_INT32,	\
						0, &h)))		\
	ROW(gosync_words_ioctl,						\
	    GOOD(gosync_words_ioctl((void *)int32, GOSYNC_IOC_ATOMIC_LOAD, \
				    0, 0, 0, &number)))			\
	ROW(gosync_words_wait, gosync_int32_store(int32, 0, 0);		\
	    gosync_words_wait((void *)int32, 0, 0, LATE, 0, &number))	\
	ROW(gosync_words_wake, GOOD(gosync_words_wake((void *)int32, 0, 1))) \
	ROW(gosync_words_entry,						\
	    entry = gosync_words_entry((void *)int32, 0, 0))		\
	WORDS(ROW, _int32, int32, int32_t)				\
	WORDS(ROW, _uint32, uint32, uint32_t)				\
	WORDS(ROW, _int64, int64, int64_t)				\
	WORDS(ROW, _uint64, uint64, uint64_t)				\
	WORDS(ROW, _uintptr, uintptr, uint64_t)				\
	WORDS(ROW, _pointer, pointer, uint64_t)				\
	WORDS(ROW, _bool, boolean, uint32_t)				\
	ARITHMETIC(ROW, _int32, int32)					\
	ARITHMETIC(ROW, _uint32, uint32)				\
	ARITHMETIC(ROW, _int64, int64)					\
	ARITHMETIC(ROW, _uint64, uint64)				\
	ARITHMETIC(ROW, _uintptr, uintptr)

#define FUNCTION(name, ...)	static void call_##name(void) { __VA_ARGS__; }
ROWS(FUNCTION)

struct row {
	const char *name;
	void (*call)(void);
};

#define ROW(name, ...)		{ #name, call_##name },
static const struct row rows[] = { ROWS(ROW) };

static inline bool has_row(const char *function)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, function))
			return true;
	return false;
}

/* The objects that the rows work on, new ones each time */
static inline void open_all(unsigned int how)
{
	const unsigned int flags = GOSYNC_CREATE | how;

	/* It is opened at the first need, and stays. */
	MUST(gosync_device() >= 0);
	name = unique_name();
	MUST(!gosync_mutex_open(name, flags, 0600, &mutex));
	MUST(!gosync_rwmutex_open(NULL, flags, 0600, &rw));
	MUST(!gosync_waitgroup_open(NULL, flags, 0600, &wg));
	MUST(!gosync_once_open(NULL, flags, 0600, &once));
	MUST(!gosync_once_open(NULL, flags, 0600, &done));
	MUST(!gosync_once_do(done, nothing, NULL));
	MUST(!gosync_cond_open(NULL, flags, 0600, &cond));
	MUST(!gosync_semaphore_open(NULL, 10, flags, 0600, &semaphore));
	MUST(!gosync_value_open(NULL, 64, flags, 0600, &value));
	MUST(!gosync_value_store(value, 1, "value", 6));
	MUST(!gosync_map_open(NULL, NULL, flags, 0600, &map));
	MUST(!gosync_int32_open(NULL, 1, flags, 0600, &int32));
	MUST(!gosync_uint32_open(NULL, 1, flags, 0600, &uint32));
	MUST(!gosync_int64_open(NULL, 1, flags, 0600, &int64));
	MUST(!gosync_uint64_open(NULL, 1, flags, 0600, &uint64));
	MUST(!gosync_uintptr_open(NULL, 1, flags, 0600, &uintptr));
	MUST(!gosync_pointer_open(NULL, 1, flags, 0600, &pointer));
	MUST(!gosync_bool_open(NULL, 1, flags, 0600, &boolean));
}

#endif /* FUNCTIONS_H */
