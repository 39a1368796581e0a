/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ThreadSanitizer cannot see: the kernel hands a lock from one thread to
 * another, and the library is not instrumented. <gosync-user.h> includes this
 * file in programs that are compiled with -fsanitize=thread. Each function
 * below is called through one that tells ThreadSanitizer the order of threads,
 * by the address of the handle.
 *
 * That covers threads of one process that share a handle. It does not cover two
 * handles of the same object, Maps, gosync_wait_any(), gosync_wait_all() and
 * io_uring. Call __tsan_acquire() and __tsan_release() for these.
 */
#ifndef GOSYNC_TSAN_H
#define GOSYNC_TSAN_H

#include <errno.h>
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>

/* Sees, once it has succeeded, all that others did before they released */
#define GOSYNC__GETS(f, params, args)					\
static inline int gosync__tsan_##f params				\
{									\
	int ret = gosync_##f args;					\
									\
	if (ret >= 0)							\
		__tsan_acquire((void *)h);				\
	return ret;							\
}

/* Releases: all that was done before is seen by the next that acquires */
#define GOSYNC__GIVES(f, params, args)					\
static inline int gosync__tsan_##f params				\
{									\
	__tsan_release((void *)h);					\
	return gosync_##f args;						\
}

/* Both */
#define GOSYNC__EXCHANGES(f, params, args)				\
static inline int gosync__tsan_##f params				\
{									\
	int ret;							\
									\
	__tsan_release((void *)h);					\
	ret = gosync_##f args;						\
	if (ret >= 0)							\
		__tsan_acquire((void *)h);				\
	return ret;							\
}

#define GOSYNC__LOCK(f, N)						\
GOSYNC__GETS(f, (gosync_##N##_t *h), (h))				\
GOSYNC__GETS(f##_until, (gosync_##N##_t *h, uint64_t deadline,		\
			 unsigned int flags), (h, deadline, flags))

GOSYNC__LOCK(mutex_lock, mutex)
GOSYNC__GETS(mutex_trylock, (gosync_mutex_t *h), (h))
GOSYNC__GIVES(mutex_unlock, (gosync_mutex_t *h), (h))

GOSYNC__LOCK(rwmutex_lock, rwmutex)
GOSYNC__LOCK(rwmutex_rlock, rwmutex)
GOSYNC__GETS(rwmutex_trylock, (gosync_rwmutex_t *h), (h))
GOSYNC__GETS(rwmutex_tryrlock, (gosync_rwmutex_t *h), (h))
GOSYNC__GIVES(rwmutex_unlock, (gosync_rwmutex_t *h), (h))
GOSYNC__GIVES(rwmutex_runlock, (gosync_rwmutex_t *h), (h))

GOSYNC__GETS(semaphore_acquire, (gosync_semaphore_t *h, unsigned int n),
	     (h, n))
GOSYNC__GETS(semaphore_tryacquire, (gosync_semaphore_t *h, unsigned int n),
	     (h, n))
GOSYNC__GETS(semaphore_acquire_until,
	     (gosync_semaphore_t *h, unsigned int n, uint64_t deadline,
	      unsigned int flags), (h, n, deadline, flags))
GOSYNC__GIVES(semaphore_release, (gosync_semaphore_t *h, unsigned int n),
	      (h, n))

GOSYNC__LOCK(waitgroup_wait, waitgroup)
GOSYNC__EXCHANGES(waitgroup_add, (gosync_waitgroup_t *h, int delta), (h, delta))
GOSYNC__EXCHANGES(waitgroup_done, (gosync_waitgroup_t *h), (h))

GOSYNC__LOCK(once_begin, once)
GOSYNC__LOCK(once_wait, once)
GOSYNC__GETS(once_is_done, (gosync_once_t *h), (h))
GOSYNC__GIVES(once_done, (gosync_once_t *h), (h))
GOSYNC__GIVES(once_abandon, (gosync_once_t *h), (h))

/* A Cond orders nothing itself; its lock does. */
static inline int gosync__tsan_cond_wait_until(gosync_cond_t *cond,
					       const void *lock,
					       uint64_t deadline,
					       unsigned int flags)
{
	int ret;

	__tsan_release((void *)lock);
	ret = gosync_cond_wait_until(cond, lock, deadline, flags);
	__tsan_acquire((void *)lock);
	return ret;
}

static inline int gosync__tsan_cond_wait(gosync_cond_t *cond, const void *lock)
{
	int ret;

	__tsan_release((void *)lock);
	ret = gosync_cond_wait(cond, lock);
	__tsan_acquire((void *)lock);
	return ret;
}

GOSYNC__GETS(value_load, (gosync_value_t *h, void *buf, size_t *len,
			  uint64_t *type), (h, buf, len, type))
GOSYNC__EXCHANGES(value_store, (gosync_value_t *h, uint64_t type,
				const void *buf, size_t len),
		  (h, type, buf, len))
GOSYNC__EXCHANGES(value_swap, (gosync_value_t *h, uint64_t type,
			       const void *buf, size_t len, void *old,
			       size_t *old_len),
		  (h, type, buf, len, old, old_len))

/* What the function of a Once did happens before others go on. */
struct gosync__tsan_call {
	void (*f)(void *arg, int died);
	void *arg;
	gosync_once_t *once;
};

static inline void gosync__tsan_call(void *arg, int died)
{
	struct gosync__tsan_call *call = (struct gosync__tsan_call *)arg;

	__tsan_acquire(call->once);
	call->f(call->arg, died);
	__tsan_release(call->once);
}

#define GOSYNC__DO(f_)							\
static inline int gosync__tsan_##f_(gosync_once_t *once,		\
				    void (*f)(void *arg, int died),	\
				    void *arg)				\
{									\
	struct gosync__tsan_call call;					\
	int ret;							\
									\
	call.f = f;							\
	call.arg = arg;							\
	call.once = once;						\
	ret = gosync_##f_(once, gosync__tsan_call, &call);		\
	if (ret >= 0)							\
		__tsan_acquire(once);					\
	return ret;							\
}

GOSYNC__DO(once_do)
GOSYNC__DO(once_do_anyway)

/* What a thread of a WaitGroup did happens before waiters go on. */
struct gosync__tsan_work {
	void (*f)(void *arg);
	void *arg;
	gosync_waitgroup_t *wg;
};

static inline void gosync__tsan_work(void *arg)
{
	struct gosync__tsan_work work = *(struct gosync__tsan_work *)arg;

	free(arg);
	work.f(work.arg);
	__tsan_release(work.wg);
}

static inline int gosync__tsan_waitgroup_go(gosync_waitgroup_t *wg,
					    void (*f)(void *arg), void *arg)
{
	struct gosync__tsan_work *work =
		(struct gosync__tsan_work *)malloc(sizeof(*work));
	int ret;

	if (!work)
		return -ENOMEM;
	work->f = f;
	work->arg = arg;
	work->wg = wg;
	ret = gosync_waitgroup_go(wg, gosync__tsan_work, work);
	if (ret)
		free(work);
	return ret;
}

#define gosync_mutex_lock		gosync__tsan_mutex_lock
#define gosync_mutex_lock_until		gosync__tsan_mutex_lock_until
#define gosync_mutex_trylock		gosync__tsan_mutex_trylock
#define gosync_mutex_unlock		gosync__tsan_mutex_unlock
#define gosync_rwmutex_lock		gosync__tsan_rwmutex_lock
#define gosync_rwmutex_lock_until	gosync__tsan_rwmutex_lock_until
#define gosync_rwmutex_trylock		gosync__tsan_rwmutex_trylock
#define gosync_rwmutex_unlock		gosync__tsan_rwmutex_unlock
#define gosync_rwmutex_rlock		gosync__tsan_rwmutex_rlock
#define gosync_rwmutex_rlock_until	gosync__tsan_rwmutex_rlock_until
#define gosync_rwmutex_tryrlock		gosync__tsan_rwmutex_tryrlock
#define gosync_rwmutex_runlock		gosync__tsan_rwmutex_runlock
#define gosync_semaphore_acquire	gosync__tsan_semaphore_acquire
#define gosync_semaphore_tryacquire	gosync__tsan_semaphore_tryacquire
#define gosync_semaphore_acquire_until	gosync__tsan_semaphore_acquire_until
#define gosync_semaphore_release	gosync__tsan_semaphore_release
#define gosync_waitgroup_add		gosync__tsan_waitgroup_add
#define gosync_waitgroup_done		gosync__tsan_waitgroup_done
#define gosync_waitgroup_wait		gosync__tsan_waitgroup_wait
#define gosync_waitgroup_wait_until	gosync__tsan_waitgroup_wait_until
#define gosync_waitgroup_go		gosync__tsan_waitgroup_go
#define gosync_once_begin		gosync__tsan_once_begin
#define gosync_once_begin_until		gosync__tsan_once_begin_until
#define gosync_once_done		gosync__tsan_once_done
#define gosync_once_abandon		gosync__tsan_once_abandon
#define gosync_once_is_done		gosync__tsan_once_is_done
#define gosync_once_wait		gosync__tsan_once_wait
#define gosync_once_wait_until		gosync__tsan_once_wait_until
#define gosync_once_do			gosync__tsan_once_do
#define gosync_once_do_anyway		gosync__tsan_once_do_anyway
#define gosync_cond_wait		gosync__tsan_cond_wait
#define gosync_cond_wait_until		gosync__tsan_cond_wait_until
#define gosync_value_load		gosync__tsan_value_load
#define gosync_value_store		gosync__tsan_value_store
#define gosync_value_swap		gosync__tsan_value_swap

#endif /* GOSYNC_TSAN_H */
