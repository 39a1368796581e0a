/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libgosync-user: named synchronization objects between processes.
 *
 * Go's sync and sync/atomic across process borders: processes meet by name,
 * nothing is left hanging when one of them dies, and operations that nobody
 * has to wait for make no system call.
 *
 * Every function that can fail returns 0 or a negative errno, with the
 * vocabulary at the top of <linux/gosync.h>; some return 1 for a second kind
 * of success, as their description says. After an error the state is
 * unchanged. gosync_strerror() tells what an error means in Go's words.
 *
 * Handles may be used by several threads at once and from C++. No function is
 * a cancellation point or safe in a signal handler. After fork(2) a child's
 * handles are holders of their own, so that locks that the parent holds stay
 * the parent's; after vfork(2), posix_spawn(3) or a bare clone(2) only
 * execve(2) and _exit(2) are right.
 */
#ifndef GOSYNC_USER_H
#define GOSYNC_USER_H

#include <linux/gosync.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of this library, besides those of <linux/gosync.h> */

/* open: do not map the state here, make every operation an ioctl */
#define GOSYNC_IOCTL_ONLY	(1U << 31)
/* waits: return -EINTR when a signal handler has run, rather than go on */
#define GOSYNC_INTERRUPTIBLE	(1U << 31)

/* --- Any object ---------------------------------------------------------- */

/**
 * gosync_close() - close a handle
 * @object: any handle of this library, or NULL
 *
 * What the handle holds is recovered as if its process had died: unlock first.
 * No other thread may be using the handle.
 */
void gosync_close(void *object);

/**
 * gosync_fd() - the descriptor behind a handle
 * @object: any handle of this library
 *
 * For ioctls, poll(2) and SCM_RIGHTS. It stays the handle's.
 *
 * Return: the descriptor.
 */
int gosync_fd(const void *object);

/**
 * gosync_is_mapped() - does the handle work on mapped state
 * @object: any handle of this library
 *
 * Return: 1 if so, 0 if every operation is an ioctl.
 */
int gosync_is_mapped(const void *object);

/**
 * gosync_info() - what is known of an object
 * @object: any handle of this library
 * @info: where to put it
 *
 * Return: 0 or -errno.
 */
int gosync_info(const void *object, struct gosync_info *info);

/**
 * gosync_unlink() - take a name away
 * @name: the name
 *
 * Handles go on working; the object goes with the last.
 *
 * Return: 0, -ENOENT, -EPERM if the object is another user's.
 */
int gosync_unlink(const char *name);

/**
 * gosync_list() - walk the names that the caller may read
 * @fn: called for each with no lock held; a return other than 0 ends the walk
 * @arg: passed on to @fn
 *
 * Return: 0 at the end, what @fn returned, or -errno.
 */
int gosync_list(int (*fn)(const struct gosync_info *info, void *arg),
		void *arg);

/**
 * gosync_deadline() - a deadline from now
 * @ns: nanoseconds from now
 *
 * Return: the absolute CLOCK_MONOTONIC time in nanoseconds.
 */
uint64_t gosync_deadline(uint64_t ns);

/**
 * gosync_strerror() - an error in Go's words
 * @op: the operation's ioctl (GOSYNC_IOC_MUTEX_UNLOCK ...), 0 for any
 * @err: what it returned
 *
 * Return: a constant sentence: Go's own where Go has one, otherwise the
 * system's.
 */
const char *gosync_strerror(unsigned int op, int err);

/**
 * gosync_type_name() - the name of an object type
 * @type: &enum gosync_type
 *
 * Return: "int32", "value", "mutex" ..., NULL if there is no such type.
 */
const char *gosync_type_name(unsigned int type);

/* --- Mutex --------------------------------------------------------------- */

typedef struct gosync_mutex gosync_mutex_t;

/* The part of a handle that the inline fast paths at the end work on */
struct gosync_mutex {
	struct gosync_mutex_slot *slot;
	uint64_t locked;
};

/**
 * gosync_mutex_open() - open or create a Mutex
 * @name: the name, at most 255 bytes; NULL or "" makes an anonymous one
 * @flags: 0, or GOSYNC_CREATE with GOSYNC_EXCL, GOSYNC_PERSIST,
 *	GOSYNC_OWN_PAGE, GOSYNC_NO_MMAP, GOSYNC_ERRORCHECK; GOSYNC_RDONLY,
 *	GOSYNC_IOCTL_ONLY
 * @mode: permission bits if it is created; the umask does not apply
 * @mutex: where to put the handle
 *
 * Return: 0 or -errno of GOSYNC_IOC_OPEN; -ENXIO if the module isn't loaded.
 */
int gosync_mutex_open(const char *name, unsigned int flags, unsigned int mode,
		      gosync_mutex_t **mutex);

/**
 * gosync_mutex_from_fd() - make a handle of a received descriptor
 * @fd: a descriptor of a Mutex; the handle's own on success
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @mutex: where to put the handle
 *
 * The handle is the same holder as the descriptor's sender; use
 * GOSYNC_IOC_REOPEN first to be another. If the state may not be mapped by
 * this process, the handle uses ioctls.
 *
 * Return: 0 or -errno; -EPROTOTYPE if it is no Mutex, -ENOTTY if it is nothing
 * of gosync's.
 */
int gosync_mutex_from_fd(int fd, unsigned int flags, gosync_mutex_t **mutex);

/**
 * gosync_mutex_lock() - lock, for as long as it takes
 * @mutex: the handle
 *
 * Not recursive. May sleep; a signal handler may run meanwhile and the wait
 * goes on after it.
 *
 * Return: 0: held. 1: held, and an owner died with it: put right what it
 * protects, then gosync_mutex_recover(). -EBADF: the handle is read-only.
 */
int gosync_mutex_lock(gosync_mutex_t *mutex);

/**
 * gosync_mutex_trylock() - lock if nobody has to wait for it
 * @mutex: the handle
 *
 * Return: as gosync_mutex_lock(); -EBUSY if it is held or promised to a
 * waiter.
 */
int gosync_mutex_trylock(gosync_mutex_t *mutex);

/**
 * gosync_mutex_lock_until() - lock, until a deadline
 * @mutex: the handle
 * @deadline: absolute, in ns of CLOCK_MONOTONIC; GOSYNC_FOREVER: none
 * @flags: GOSYNC_CLOCK_REALTIME: @deadline is CLOCK_REALTIME's;
 *	GOSYNC_INTERRUPTIBLE: return when a signal handler has run
 *
 * A deadline that has passed still gets a free lock.
 *
 * Return: as gosync_mutex_lock(); -ETIMEDOUT, -EINTR, -EINVAL.
 */
int gosync_mutex_lock_until(gosync_mutex_t *mutex, uint64_t deadline,
			    unsigned int flags);

/**
 * gosync_mutex_unlock() - unlock
 * @mutex: the handle
 *
 * As in Go, anyone may unlock, unless the Mutex is GOSYNC_ERRORCHECK.
 *
 * Return: 0; -EPERM if it isn't locked, or not by this holder with
 * GOSYNC_ERRORCHECK.
 */
int gosync_mutex_unlock(gosync_mutex_t *mutex);

/**
 * gosync_mutex_recover() - declare what the lock protects to be right again
 * @mutex: the handle, which must own the lock
 *
 * Return: 0; -EPERM if this holder does not own the lock.
 */
int gosync_mutex_recover(gosync_mutex_t *mutex);

/**
 * gosync_mutex_token() - the fencing token of the present acquisition
 * @mutex: the handle, which should own the lock
 * @token: where to put it
 *
 * A later acquisition, by whomever, has a larger one: a store that remembers
 * the largest token it has seen can refuse a delayed writer.
 *
 * Return: 0 or -errno.
 */
int gosync_mutex_token(gosync_mutex_t *mutex, uint64_t *token);

/* The rest of the two: when the lock is not free, or somebody waits for it */
int gosync_mutex_lock_slow(gosync_mutex_t *mutex);
int gosync_mutex_unlock_slow(gosync_mutex_t *mutex);

/*
 * The fast paths are inline and, for whoever takes an address or a foreign
 * language, exported too.
 */
#ifndef GOSYNC_INLINE
#define GOSYNC_INLINE extern inline __attribute__((__gnu_inline__))
#endif

/*
 * 0 -> LOCKED and we: nobody waits, so nobody is owed anything; and the word
 * names us, so that the kernel unlocks if we die. The token is the owner's to
 * count.
 */
GOSYNC_INLINE int gosync_mutex_lock(gosync_mutex_t *mutex)
{
	struct gosync_mutex_slot *slot = mutex->slot;
	uint64_t word = 0;

	if (__builtin_expect(!__atomic_compare_exchange_n(&slot->word, &word,
							  mutex->locked, 0,
							  __ATOMIC_ACQUIRE,
							  __ATOMIC_RELAXED), 0))
		return gosync_mutex_lock_slow(mutex);
	__atomic_store_n(&slot->token,
			 __atomic_load_n(&slot->token, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_RELAXED);
	return 0;
}

/*
 * LOCKED and we -> 0: nobody waits, so nobody is owed anything. Once it is
 * done the word names us no longer, and our death is nobody's business.
 */
GOSYNC_INLINE int gosync_mutex_unlock(gosync_mutex_t *mutex)
{
	uint64_t word = mutex->locked;

	if (__builtin_expect(!__atomic_compare_exchange_n(&mutex->slot->word,
							  &word, 0, 0,
							  __ATOMIC_RELEASE,
							  __ATOMIC_RELAXED), 0))
		return gosync_mutex_unlock_slow(mutex);
	return 0;
}

/* --- Value --------------------------------------------------------------- */

typedef struct gosync_value_handle gosync_value_t;

/**
 * gosync_value_open() - open or create a Value
 * @name: as gosync_mutex_open()
 * @capacity: longest payload in bytes; 0: 4096, or whatever it has
 * @flags: as gosync_mutex_open()
 * @mode: as gosync_mutex_open()
 * @value: where to put the handle
 *
 * Return: 0 or -errno of GOSYNC_IOC_OPEN.
 */
int gosync_value_open(const char *name, size_t capacity, unsigned int flags,
		      unsigned int mode, gosync_value_t **value);

/**
 * gosync_value_from_fd() - make a handle of a received descriptor
 * @fd: a descriptor of a Value; the handle's own on success
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @value: where to put the handle
 *
 * Return: 0 or -errno; -EPROTOTYPE if it is no Value, -ENOTTY if it is nothing
 * of gosync's.
 */
int gosync_value_from_fd(int fd, unsigned int flags, gosync_value_t **value);

/**
 * gosync_type_id() - a type's number from its name and size
 * @name: the name
 * @size: the size
 *
 * The same everywhere, never 0 nor all ones.
 *
 * Return: the number.
 */
uint64_t gosync_type_id(const char *name, size_t size);

/* The number of a C type, "struct config" say */
#define GOSYNC_TYPE_ID(type)	gosync_type_id(#type, sizeof(type))

/**
 * gosync_value_load() - copy what the most recent store put there
 * @value: the handle
 * @buf: where to put the payload
 * @len: in: room at @buf; out: the payload's length, also with -EMSGSIZE
 * @type: out: its type; may be NULL
 *
 * No system call, and nothing is written to shared memory.
 *
 * Return: 0; -ENODATA before any store; -EMSGSIZE if @buf is too short.
 */
int gosync_value_load(gosync_value_t *value, void *buf, size_t *len,
		      uint64_t *type);

/**
 * gosync_value_version() - how often the Value was stored
 * @value: the handle
 * @version: where to put it
 *
 * Cheap enough to ask before each use of a cached copy.
 *
 * Return: 0 or -errno.
 */
int gosync_value_version(gosync_value_t *value, uint64_t *version);

/**
 * gosync_value_store() - replace the payload
 * @value: the handle
 * @type: its type's number, the same for every store to this Value
 * @buf: the payload
 * @len: its length, up to the capacity
 *
 * Return: 0; -EINVAL for type 0 (Go's nil) or all ones; -EPROTOTYPE if values
 * of another type are stored there; -EMSGSIZE; -EBADF if read-only.
 */
int gosync_value_store(gosync_value_t *value, uint64_t type, const void *buf,
		       size_t len);

/**
 * gosync_value_swap() - replace the payload and get the one that was there
 * @value: the handle
 * @type: as gosync_value_store()
 * @buf: the new payload
 * @len: its length
 * @old: where to put the one that was there
 * @old_len: in: room at @old; out: its length, also with -EMSGSIZE
 *
 * Return: 1; 0 if nothing was there before; or as gosync_value_store().
 */
int gosync_value_swap(gosync_value_t *value, uint64_t type, const void *buf,
		      size_t len, void *old, size_t *old_len);

/**
 * gosync_value_cas() - replace the payload if it is what is expected
 * @value: the handle
 * @old_type: the expected payload's type, 0 if nothing is expected to be there
 * @old: the expected payload
 * @old_len: its length
 * @type: the new payload's type
 * @buf: the new payload
 * @len: its length
 *
 * Payloads are equal when their lengths and all their bytes are.
 *
 * Return: 1 if replaced, 0 if something else is there; or as
 * gosync_value_store(), -EPROTOTYPE also if @type and @old_type differ.
 */
int gosync_value_cas(gosync_value_t *value, uint64_t old_type, const void *old,
		     size_t old_len, uint64_t type, const void *buf,
		     size_t len);

/* --- Atomics ------------------------------------------------------------- */

/*
 * The part of an atomic handle that the functions below work on. An index
 * below the limit means that the word is mapped, and writable for the second;
 * whatever isn't (no mapping, read-only, out of range) is left to an ioctl,
 * which does it or gives the right error.
 */
struct gosync_words {
	void *words;
	uint64_t readable;
	uint64_t writable;
	const struct gosync_atomic_slot *slot;
};

int gosync_words_open(const char *name, unsigned int type, size_t count,
		      unsigned int flags, unsigned int mode,
		      struct gosync_words **words);
int gosync_words_from_fd(int fd, unsigned int type, unsigned int flags,
			 struct gosync_words **words);
int gosync_words_ioctl(struct gosync_words *words, unsigned int op,
		       size_t index, uint64_t value, uint64_t expected,
		       uint64_t *result);
int gosync_words_wait(struct gosync_words *words, size_t index,
		      uint64_t expected, uint64_t deadline, unsigned int flags,
		      uint64_t *now);
int gosync_words_wake(struct gosync_words *words, size_t index,
		      unsigned int count);

/**
 * DOC: Atomic words
 *
 * For each of int32, uint32, int64, uint64, uintptr, pointer and bool (shown
 * as N, with T its C type: uintptr and pointer are uint64_t so that they mean
 * the same to 32-bit processes, bool is uint32_t) there is a handle type
 * gosync_N_t and
 *
 * - int gosync_N_open(name, count, flags, mode, gosync_N_t \*\*a): open or
 *   create an array of count words (0: 1 word, or as many as there are);
 *   flags and mode as gosync_mutex_open()
 * - int gosync_N_from_fd(fd, flags, gosync_N_t \*\*a): of a received descriptor
 * - int gosync_N_load(a, i, T \*now)
 * - int gosync_N_store(a, i, T new)
 * - int gosync_N_swap(a, i, T new, T \*old)
 * - int gosync_N_cas(a, i, T expected, T new): 1 if stored, 0 if something
 *   else was there
 * - int gosync_N_wait(a, i, T expected, deadline, flags, T \*now): sleep until
 *   the word is something else than expected; deadline and flags as
 *   gosync_mutex_lock_until()
 * - int gosync_N_wake(a, i, count): wake up to count who wait on the word, to
 *   look at it; returns how many (no system call when there are none)
 *
 * and, except for pointer and bool,
 *
 * - int gosync_N_add(a, i, T delta, T \*new): Go's Add, the new value
 * - int gosync_N_and(a, i, T mask, T \*old), int gosync_N_or(a, i, T mask,
 *   T \*old): as Go's, the old value
 *
 * i is the index of the word. Where a result is not wanted, NULL will do. All
 * are sequentially consistent and make no system call on mapped words. Errors:
 * -EINVAL for an index out of range or a bool that is neither 0 nor 1, -EBADF
 * for writing through a read-only handle; wait: -ETIMEDOUT, -EINTR.
 */
#define GOSYNC__BASE(N, TYPE, T)					\
typedef struct gosync##N gosync##N##_t;				\
static inline int gosync##N##_open(const char *name, size_t count,	\
				    unsigned int flags,			\
				    unsigned int mode,			\
				    gosync##N##_t **a)			\
{									\
	return gosync_words_open(name, TYPE, count, flags, mode,	\
				 (struct gosync_words **)a);		\
}									\
static inline int gosync##N##_from_fd(int fd, unsigned int flags,	\
				       gosync##N##_t **a)		\
{									\
	return gosync_words_from_fd(fd, TYPE, flags,			\
				    (struct gosync_words **)a);		\
}									\
static inline int gosync##N##_load(gosync##N##_t *a, size_t i, T *now) \
{									\
	struct gosync_words *w = (struct gosync_words *)a;		\
	uint64_t r;							\
	int ret;							\
									\
	if (__builtin_expect(i < w->readable, 1)) {			\
		*now = __atomic_load_n((T *)w->words + i,		\
				       __ATOMIC_SEQ_CST);		\
		return 0;						\
	}								\
	ret = gosync_words_ioctl(w, GOSYNC_IOC_ATOMIC_LOAD, i, 0, 0, &r); \
	if (ret >= 0)							\
		*now = (T)r;						\
	return ret;							\
}									\
static inline int gosync##N##_store(gosync##N##_t *a, size_t i, T v)	\
{									\
	struct gosync_words *w = (struct gosync_words *)a;		\
	uint64_t r;							\
									\
	if (__builtin_expect(i < w->writable && GOSYNC__OK##N(v), 1)) { \
		__atomic_store_n((T *)w->words + i, v,			\
				 __ATOMIC_SEQ_CST);			\
		return 0;						\
	}								\
	return gosync_words_ioctl(w, GOSYNC_IOC_ATOMIC_STORE, i,	\
				  (uint64_t)v, 0, &r);			\
}									\
GOSYNC__RMW(N, T, swap, SWAP, __atomic_exchange_n)			\
static inline int gosync##N##_cas(gosync##N##_t *a, size_t i,	\
				   T expected, T v)			\
{									\
	struct gosync_words *w = (struct gosync_words *)a;		\
	uint64_t r;							\
									\
	if (__builtin_expect(i < w->writable && GOSYNC__OK##N(v) &&	\
			     GOSYNC__OK##N(expected), 1))		\
		return __atomic_compare_exchange_n((T *)w->words + i,	\
						   &expected, v, 0,	\
						   __ATOMIC_SEQ_CST,	\
						   __ATOMIC_SEQ_CST);	\
	return gosync_words_ioctl(w, GOSYNC_IOC_ATOMIC_CAS, i,		\
				  (uint64_t)v, (uint64_t)expected, &r);	\
}									\
static inline int gosync##N##_wait(gosync##N##_t *a, size_t i,	\
				    T expected, uint64_t deadline,	\
				    unsigned int flags, T *now)		\
{									\
	uint64_t r;							\
	int ret = gosync_words_wait((struct gosync_words *)a, i,	\
				    (uint64_t)expected, deadline,	\
				    flags, &r);				\
									\
	if (ret >= 0 && now)					\
		*now = (T)r;						\
	return ret;							\
}									\
static inline int gosync##N##_wake(gosync##N##_t *a, size_t i,	\
				    unsigned int count)			\
{									\
	return gosync_words_wake((struct gosync_words *)a, i, count);	\
}

#define GOSYNC__RMW(N, T, op, OP, builtin)				\
static inline int gosync##N##_##op(gosync##N##_t *a, size_t i, T v,	\
				    T *result)				\
{									\
	struct gosync_words *w = (struct gosync_words *)a;		\
	uint64_t r;							\
	int ret;							\
									\
	if (__builtin_expect(i < w->writable && GOSYNC__OK##N(v), 1)) { \
		T got = builtin((T *)w->words + i, v, __ATOMIC_SEQ_CST); \
									\
		if (result)						\
			*result = got;					\
		return 0;						\
	}								\
	ret = gosync_words_ioctl(w, GOSYNC_IOC_ATOMIC_##OP, i,		\
				 (uint64_t)v, 0, &r);			\
	if (ret >= 0 && result)					\
		*result = (T)r;						\
	return ret;							\
}

#define GOSYNC__ARITHMETIC(N, T)					\
GOSYNC__RMW(N, T, add, ADD, __atomic_add_fetch)				\
GOSYNC__RMW(N, T, and, AND, __atomic_fetch_and)				\
GOSYNC__RMW(N, T, or, OR, __atomic_fetch_or)

#define GOSYNC__OK_int32(v)	1
#define GOSYNC__OK_uint32(v)	1
#define GOSYNC__OK_int64(v)	1
#define GOSYNC__OK_uint64(v)	1
#define GOSYNC__OK_uintptr(v)	1
#define GOSYNC__OK_pointer(v)	1
#define GOSYNC__OK_bool(v)	((v) <= 1)

GOSYNC__BASE(_int32, GOSYNC_INT32, int32_t)
GOSYNC__BASE(_uint32, GOSYNC_UINT32, uint32_t)
GOSYNC__BASE(_int64, GOSYNC_INT64, int64_t)
GOSYNC__BASE(_uint64, GOSYNC_UINT64, uint64_t)
GOSYNC__BASE(_uintptr, GOSYNC_UINTPTR, uint64_t)
GOSYNC__BASE(_pointer, GOSYNC_POINTER, uint64_t)
GOSYNC__BASE(_bool, GOSYNC_BOOL, uint32_t)

GOSYNC__ARITHMETIC(_int32, int32_t)
GOSYNC__ARITHMETIC(_uint32, uint32_t)
GOSYNC__ARITHMETIC(_int64, int64_t)
GOSYNC__ARITHMETIC(_uint64, uint64_t)
GOSYNC__ARITHMETIC(_uintptr, uint64_t)

#ifdef __cplusplus
}
#endif

#endif /* GOSYNC_USER_H */
