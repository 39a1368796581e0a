/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: gosync-uring - operations and waits by io_uring
 *
 * Each function fills an SQE with an operation on a handle of libgosync-user. No
 * thread waits for it, not even one of the kernel's.
 *
 *	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
 *
 *	gosync_prep_mutex_lock(sqe, mutex, GOSYNC_FOREVER, 0);
 *	io_uring_sqe_set_data(sqe, request);
 *	io_uring_submit(&ring);
 *
 * Each function writes the whole SQE. Set user_data and flags (IOSQE_IO_LINK
 * ...) afterwards. With IOSQE_FIXED_FILE also set the SQE's fd to the index of
 * the registered descriptor.
 *
 * The CQE's res is what the function of the same name in <gosync-user.h>
 * returns: 0, what else its description lists, or a negative errno. Further
 * errors are -ECANCELED: gosync_prep_cancel() ended the command; -EBADF: the
 * handle has no descriptor in this copy of the process; -EOPNOTSUPP: the kernel
 * has no commands of io_uring, or the ring is IORING_SETUP_IOPOLL.
 *
 * A grant belongs to the handle, as if a thread had waited with it. So any
 * thread may go on with it and release it, by io_uring or with <gosync-user.h>.
 *
 * Deadlines and flags are as gosync_mutex_lock_until()'s, without
 * GOSYNC_INTERRUPTIBLE: absolute ns of CLOCK_MONOTONIC, or of CLOCK_REALTIME
 * with GOSYNC_CLOCK_REALTIME. IORING_OP_LINK_TIMEOUT and IORING_OP_ASYNC_CANCEL
 * do not reach these commands.
 *
 * Arguments need not stay after the submission, except
 * gosync_prep_wait_any()'s. A command whose handle is closed ends with
 * -ECANCELED, unless somebody else has a descriptor of the same open file
 * description.
 */
#ifndef GOSYNC_URING_H
#define GOSYNC_URING_H

#include <gosync-user.h>
#include <liburing.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void gosync_prep(struct io_uring_sqe *sqe, int fd,
			       unsigned int op, uint64_t arg,
			       uint64_t deadline, unsigned int flags,
			       unsigned int index)
{
	struct gosync_uring command;

	command.deadline = deadline;
	command.flags = flags;
	command.index = index;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = op;
	sqe->addr = arg;
	memcpy(sqe->cmd, &command, sizeof(command));
}

/* --- Mutex --------------------------------------------------------------- */

/**
 * gosync_prep_mutex_lock() - lock
 * @sqe: where to put it
 * @mutex: the handle
 * @deadline: when to give up, or GOSYNC_FOREVER
 * @flags: 0 or GOSYNC_CLOCK_REALTIME
 *
 * The lock is handed over in its turn, and is held from the CQE on.
 *
 * res: as gosync_mutex_lock_until(): 1: the lock is held and poisoned.
 */
static inline void gosync_prep_mutex_lock(struct io_uring_sqe *sqe,
					  const gosync_mutex_t *mutex,
					  uint64_t deadline, unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(mutex), GOSYNC_IOC_MUTEX_LOCK, 0, deadline,
		    flags, 0);
}

/**
 * gosync_prep_mutex_unlock() - unlock
 * @sqe: where to put it
 * @mutex: the handle
 *
 * For links. By itself gosync_mutex_unlock() is cheaper.
 *
 * res: as gosync_mutex_unlock().
 */
static inline void gosync_prep_mutex_unlock(struct io_uring_sqe *sqe,
					    const gosync_mutex_t *mutex)
{
	gosync_prep(sqe, gosync_fd(mutex), GOSYNC_IOC_MUTEX_UNLOCK, 0, 0, 0, 0);
}

/* --- RWMutex ------------------------------------------------------------- */

/**
 * gosync_prep_rwmutex_lock() - lock for writing
 * @sqe: where to put it
 * @rwmutex: the handle
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * res: as gosync_rwmutex_lock_until().
 */
static inline void gosync_prep_rwmutex_lock(struct io_uring_sqe *sqe,
					    const gosync_rwmutex_t *rwmutex,
					    uint64_t deadline,
					    unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(rwmutex), GOSYNC_IOC_RWMUTEX_LOCK, 0,
		    deadline, flags, 0);
}

/**
 * gosync_prep_rwmutex_unlock() - unlock what was locked for writing
 * @sqe: where to put it
 * @rwmutex: the handle
 *
 * res: as gosync_rwmutex_unlock().
 */
static inline void gosync_prep_rwmutex_unlock(struct io_uring_sqe *sqe,
					      const gosync_rwmutex_t *rwmutex)
{
	gosync_prep(sqe, gosync_fd(rwmutex), GOSYNC_IOC_RWMUTEX_UNLOCK, 0, 0, 0,
		    0);
}

/**
 * gosync_prep_rwmutex_rlock() - lock for reading
 * @sqe: where to put it
 * @rwmutex: the handle
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * res: as gosync_rwmutex_rlock_until().
 */
static inline void gosync_prep_rwmutex_rlock(struct io_uring_sqe *sqe,
					     const gosync_rwmutex_t *rwmutex,
					     uint64_t deadline,
					     unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(rwmutex), GOSYNC_IOC_RWMUTEX_RLOCK, 0,
		    deadline, flags, 0);
}

/**
 * gosync_prep_rwmutex_runlock() - unlock what was locked for reading
 * @sqe: where to put it
 * @rwmutex: the handle
 *
 * res: as gosync_rwmutex_runlock().
 */
static inline void gosync_prep_rwmutex_runlock(struct io_uring_sqe *sqe,
					       const gosync_rwmutex_t *rwmutex)
{
	gosync_prep(sqe, gosync_fd(rwmutex), GOSYNC_IOC_RWMUTEX_RUNLOCK, 0, 0,
		    0, 0);
}

/* --- Semaphore ----------------------------------------------------------- */

/**
 * gosync_prep_semaphore_acquire() - take permits
 * @sqe: where to put it
 * @semaphore: the handle
 * @n: how many
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * res: as gosync_semaphore_acquire_until().
 */
static inline void
gosync_prep_semaphore_acquire(struct io_uring_sqe *sqe,
			      const gosync_semaphore_t *semaphore,
			      unsigned int n, uint64_t deadline,
			      unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(semaphore), GOSYNC_IOC_SEMAPHORE_ACQUIRE, n,
		    deadline, flags, 0);
}

/**
 * gosync_prep_semaphore_release() - add permits
 * @sqe: where to put it
 * @semaphore: the handle
 * @n: how many
 *
 * res: as gosync_semaphore_release().
 */
static inline void
gosync_prep_semaphore_release(struct io_uring_sqe *sqe,
			      const gosync_semaphore_t *semaphore,
			      unsigned int n)
{
	gosync_prep(sqe, gosync_fd(semaphore), GOSYNC_IOC_SEMAPHORE_RELEASE, n,
		    0, 0, 0);
}

/* --- WaitGroup ----------------------------------------------------------- */

/**
 * gosync_prep_waitgroup_add() - change the counter
 * @sqe: where to put it
 * @wg: the handle
 * @delta: by how much
 *
 * res: as gosync_waitgroup_add().
 */
static inline void gosync_prep_waitgroup_add(struct io_uring_sqe *sqe,
					     const gosync_waitgroup_t *wg,
					     int delta)
{
	gosync_prep(sqe, gosync_fd(wg), GOSYNC_IOC_WAITGROUP_ADD,
		    (uint64_t)(int64_t)delta, 0, 0, 0);
}

/**
 * gosync_prep_waitgroup_done() - subtract 1
 * @sqe: where to put it
 * @wg: the handle
 *
 * res: as gosync_waitgroup_done().
 */
static inline void gosync_prep_waitgroup_done(struct io_uring_sqe *sqe,
					      const gosync_waitgroup_t *wg)
{
	gosync_prep_waitgroup_add(sqe, wg, -1);
}

/**
 * gosync_prep_waitgroup_wait() - wait until the counter is 0
 * @sqe: where to put it
 * @wg: the handle, which may be read-only
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * res: as gosync_waitgroup_wait_until().
 */
static inline void gosync_prep_waitgroup_wait(struct io_uring_sqe *sqe,
					      const gosync_waitgroup_t *wg,
					      uint64_t deadline,
					      unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(wg), GOSYNC_IOC_WAITGROUP_WAIT, 0, deadline,
		    flags, 0);
}

/* --- Once ---------------------------------------------------------------- */

/**
 * gosync_prep_once_begin() - the first half of gosync_once_do()
 * @sqe: where to put it
 * @once: the handle
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * res: as gosync_once_begin_until(): after GOSYNC_ONCE_RUN or
 * GOSYNC_ONCE_RUN_AGAIN the caller is to do it, and then gosync_once_done().
 */
static inline void gosync_prep_once_begin(struct io_uring_sqe *sqe,
					  const gosync_once_t *once,
					  uint64_t deadline, unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(once), GOSYNC_IOC_ONCE_BEGIN, 0, deadline,
		    flags, 0);
}

/**
 * gosync_prep_once_done() - the second half of gosync_once_do()
 * @sqe: where to put it
 * @once: the handle
 *
 * res: as gosync_once_done().
 */
static inline void gosync_prep_once_done(struct io_uring_sqe *sqe,
					 const gosync_once_t *once)
{
	gosync_prep(sqe, gosync_fd(once), GOSYNC_IOC_ONCE_DONE, 0, 0, 0, 0);
}

/**
 * gosync_prep_once_wait() - wait until it has been done
 * @sqe: where to put it
 * @once: the handle, which may be read-only
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * res: as gosync_once_wait_until().
 */
static inline void gosync_prep_once_wait(struct io_uring_sqe *sqe,
					 const gosync_once_t *once,
					 uint64_t deadline, unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(once), GOSYNC_IOC_ONCE_WAIT, 0, deadline,
		    flags, 0);
}

/* --- Cond ---------------------------------------------------------------- */

/**
 * gosync_prep_cond_wait() - unlock, wait for a signal, lock again
 * @sqe: where to put it
 * @cond: the handle
 * @lock: handle of the Mutex or RWMutex that is locked
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock(), and GOSYNC_READ_SIDE: the lock is an
 *	RWMutex that is locked for reading
 *
 * The lock is released when the command is submitted, and held again from the
 * CQE on: also after -ETIMEDOUT, but not after -ECANCELED.
 *
 * res: as gosync_cond_wait_until().
 */
static inline void gosync_prep_cond_wait(struct io_uring_sqe *sqe,
					 const gosync_cond_t *cond,
					 const void *lock, uint64_t deadline,
					 unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(cond), GOSYNC_IOC_COND_WAIT,
		    (unsigned int)gosync_fd(lock), deadline, flags, 0);
}

/**
 * gosync_prep_cond_signal() - wake the longest waiter
 * @sqe: where to put it
 * @cond: the handle
 *
 * res: how many were woken, or a negative errno.
 */
static inline void gosync_prep_cond_signal(struct io_uring_sqe *sqe,
					   const gosync_cond_t *cond)
{
	gosync_prep(sqe, gosync_fd(cond), GOSYNC_IOC_COND_SIGNAL, 0, 0, 0, 0);
}

/**
 * gosync_prep_cond_broadcast() - wake all waiters
 * @sqe: where to put it
 * @cond: the handle
 *
 * res: how many were woken, or a negative errno.
 */
static inline void gosync_prep_cond_broadcast(struct io_uring_sqe *sqe,
					      const gosync_cond_t *cond)
{
	gosync_prep(sqe, gosync_fd(cond), GOSYNC_IOC_COND_BROADCAST, 0, 0, 0,
		    0);
}

/* --- Value, Map and words ------------------------------------------------ */

/**
 * gosync_prep_value_wait() - wait until the Value is stored again
 * @sqe: where to put it
 * @value: the handle, which may be read-only
 * @version: wait until the version is no longer this
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * Afterwards gosync_value_version() tells what the version is.
 *
 * res: as gosync_value_wait_until().
 */
static inline void gosync_prep_value_wait(struct io_uring_sqe *sqe,
					  const gosync_value_t *value,
					  uint64_t version, uint64_t deadline,
					  unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(value), GOSYNC_IOC_VALUE_WAIT, version,
		    deadline, flags, 0);
}

/**
 * gosync_prep_map_wait() - wait until anything in the Map is changed
 * @sqe: where to put it
 * @map: the handle, which may be read-only
 * @version: wait until the version is no longer this
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * Afterwards gosync_map_wait() with a version of 0 tells what the version is.
 *
 * res: as gosync_map_wait_until().
 */
static inline void gosync_prep_map_wait(struct io_uring_sqe *sqe,
					const gosync_map_t *map,
					uint64_t version, uint64_t deadline,
					unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(map), GOSYNC_IOC_MAP_WAIT, version, deadline,
		    flags, 0);
}

/**
 * gosync_prep_atomic_wait() - wait until a word is something else
 * @sqe: where to put it
 * @words: the handle, of any type of words; it may be read-only
 * @index: which word
 * @value: wait until it is no longer this; a signed one as (uint64_t)(int64_t)
 * @deadline: as gosync_prep_mutex_lock()
 * @flags: as gosync_prep_mutex_lock()
 *
 * A thread that changes the word has to wake the waiters, as for
 * gosync_int32_wait().
 *
 * res: as gosync_int32_wait().
 */
static inline void gosync_prep_atomic_wait(struct io_uring_sqe *sqe,
					   const void *words,
					   unsigned int index, uint64_t value,
					   uint64_t deadline,
					   unsigned int flags)
{
	gosync_prep(sqe, gosync_fd(words), GOSYNC_IOC_ATOMIC_WAIT, value,
		    deadline, flags, index);
}

/**
 * gosync_prep_atomic_wake() - wake waiters of a word, which look at it again
 * @sqe: where to put it
 * @words: the handle, of any type of words
 * @index: which word
 * @count: how many at the most
 *
 * res: how many were woken, or a negative errno.
 */
static inline void gosync_prep_atomic_wake(struct io_uring_sqe *sqe,
					   const void *words,
					   unsigned int index,
					   unsigned int count)
{
	gosync_prep(sqe, gosync_fd(words), GOSYNC_IOC_ATOMIC_WAKE, count, 0, 0,
		    index);
}

/* --- Several at once, and taking back ------------------------------------ */

/**
 * gosync_prep_wait_any() - wait for one of several things, and get it
 * @sqe: where to put it
 * @many: what to wait for, with a deadline and flags of its own, for any;
 *	its entries cannot be gosync_entry_fd(). It and they have to stay
 *	until the CQE
 *
 * res: as gosync_wait_any(): the index of the granted entry.
 */
static inline void gosync_prep_wait_any(struct io_uring_sqe *sqe,
					const struct gosync_wait_many_args *many)
{
	gosync_prep(sqe, gosync_device(), GOSYNC_IOC_WAIT, (uintptr_t)many, 0,
		    0, 0);
}

/**
 * gosync_prep_cancel() - cancel what was submitted
 * @sqe: where to put it
 * @object: the command's handle; NULL: of gosync_prep_wait_any()
 * @user_data: the command's user_data
 *
 * For commands of the same ring. A command that was cancelled ends with
 * -ECANCELED, and was granted nothing.
 *
 * res: how many were cancelled; -ENOENT: none, it may just have been granted.
 */
static inline void gosync_prep_cancel(struct io_uring_sqe *sqe,
				      const void *object, uint64_t user_data)
{
	gosync_prep(sqe, object ? gosync_fd(object) : gosync_device(),
		    GOSYNC_IOC_CANCEL, user_data, 0, 0, 0);
}

/**
 * gosync_prep_cancel_all() - cancel all that was submitted
 * @sqe: where to put it
 * @object: as gosync_prep_cancel()
 *
 * res: as gosync_prep_cancel().
 */
static inline void gosync_prep_cancel_all(struct io_uring_sqe *sqe,
					  const void *object)
{
	gosync_prep(sqe, object ? gosync_fd(object) : gosync_device(),
		    GOSYNC_IOC_CANCEL, 0, 0, GOSYNC_CANCEL_ALL, 0);
}

#ifdef __cplusplus
}
#endif

#endif /* GOSYNC_URING_H */
