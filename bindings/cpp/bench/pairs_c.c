// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The operations in C, with a look at what each returns, as C++ has
 */
#include "pairs.h"

#define CHECK(call)						\
do {								\
	int ret_ = call;					\
								\
	if (__builtin_expect(ret_ != 0, 0))			\
		c_fail(ret_);					\
} while (0)

#define LOOP(name, ...)						\
void c_##name(struct c_objects *o, unsigned int n)		\
{								\
	while (n--) {						\
		__VA_ARGS__;					\
	}							\
}

static void nothing(void *arg, int died)
{
	(void)arg;
	(void)died;
}

LOOP(mutex, CHECK(gosync_mutex_lock(o->mutex)); CHECK(gosync_mutex_unlock(o->mutex)))
LOOP(read, CHECK(gosync_rwmutex_rlock(o->rwmutex));
	   CHECK(gosync_rwmutex_runlock(o->rwmutex)))
LOOP(write, CHECK(gosync_rwmutex_lock(o->rwmutex));
	    CHECK(gosync_rwmutex_unlock(o->rwmutex)))
LOOP(semaphore, CHECK(gosync_semaphore_acquire(o->semaphore, 1));
		CHECK(gosync_semaphore_release(o->semaphore, 1)))
LOOP(waitgroup, CHECK(gosync_waitgroup_add(o->waitgroup, 1));
		CHECK(gosync_waitgroup_done(o->waitgroup)))
LOOP(once, CHECK(gosync_once_do(o->once, nothing, NULL)))
LOOP(add, int64_t now; CHECK(gosync_int64_add(o->words, 0, 1, &now)))
LOOP(value, int64_t got[8]; size_t len = sizeof(got); uint64_t type;
	    CHECK(gosync_value_load(o->value, got, &len, &type)))
LOOP(map, int64_t key = 1, got; size_t len = sizeof(got);
	  CHECK(gosync_map_load(o->map, &key, sizeof(key), &got, &len)))
