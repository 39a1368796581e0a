/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Atomic words: the functions of each type, made by macros. <gosync-user.h>
 * includes this file; programs include that one.
 */
#ifndef GOSYNC_ATOMIC_H
#define GOSYNC_ATOMIC_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The part of an atomic handle that the functions below work on. An index below
 * @readable means that the word is mapped; below @writable, that it may be
 * written, too. All other cases are left to an ioctl, which does the operation
 * or gives the right error: no mapping, read-only, out of range, a copy of the
 * process.
 */
struct gosync_words {
	void *words;
	uint64_t readable;
	uint64_t writable;
	const struct gosync_atomic_slot *slot;
};

/*
 * One of the two limits. It is loaded before the rest of the handle: pairs with
 * set_up() in libuser/atomic.c.
 */
#define GOSYNC__LIMIT(w, limit)	__atomic_load_n(&(w)->limit, __ATOMIC_ACQUIRE)

int gosync_words_open(unsigned int abi, const char *name, unsigned int type,
		      size_t count, unsigned int flags, unsigned int mode,
		      struct gosync_words **words);
int gosync_words_from_fd(unsigned int abi, int fd, unsigned int type,
			 unsigned int flags, struct gosync_words **words);
int gosync_words_ioctl(struct gosync_words *words, unsigned int op,
		       size_t index, uint64_t value, uint64_t expected,
		       uint64_t *result);
int gosync_words_wait(struct gosync_words *words, size_t index,
		      uint64_t expected, uint64_t deadline, unsigned int flags,
		      uint64_t *now);
int gosync_words_wake(struct gosync_words *words, size_t index,
		      unsigned int count);

/* No word has the index UINT32_MAX, which stands for every larger one. */
GOSYNC_INLINE struct gosync_wait_entry
gosync_words_entry(const struct gosync_words *words, size_t index,
		   uint64_t value)
{
	return gosync_entry(gosync_fd(words), GOSYNC_IOC_ATOMIC_WAIT,
			    index > UINT32_MAX ? UINT32_MAX :
						 (unsigned int)index,
			    value);
}

/**
 * DOC: gosync_atomic - atomic words, and waiting for one to change
 *
 * In these names N stands for int32, uint32, int64, uint64, uintptr, pointer or
 * bool, and T for its C type. uintptr and pointer are uint64_t, so that they
 * mean the same to 32-bit processes; bool is uint32_t. So there are
 * gosync_int64_add(), gosync_bool_swap() and so on.
 *
 * A handle is of an array of words, and i is the index of the word. A result
 * that is not wanted may be NULL, except that of load.
 *
 * - ``int gosync_N_open(const char *name, size_t count, unsigned int flags,
 *   unsigned int mode, gosync_N_t **a)``: open or create an array of count
 *   words (0: 1 word, or as many as there are); flags and mode as
 *   gosync_mutex_open()
 * - ``int gosync_N_from_fd(int fd, unsigned int flags, gosync_N_t **a)``:
 *   make a handle of a received descriptor, as gosync_mutex_from_fd()
 * - ``int gosync_N_load(gosync_N_t *a, size_t i, T *now)``: read the word
 * - ``int gosync_N_store(gosync_N_t *a, size_t i, T value)``: write it
 * - ``int gosync_N_swap(gosync_N_t *a, size_t i, T value, T *old)``: write it
 *   and get what was there
 * - ``int gosync_N_cas(gosync_N_t *a, size_t i, T expected, T value)``: write
 *   it if it is as expected; return 1 if so, 0 if something else was there
 * - ``int gosync_N_add(gosync_N_t *a, size_t i, T delta, T *now)``: Go's Add;
 *   get the new value. Not of pointer and bool
 * - ``int gosync_N_and(gosync_N_t *a, size_t i, T mask, T *old)``,
 *   ``int gosync_N_or(gosync_N_t *a, size_t i, T mask, T *old)``: as Go's; get
 *   the old value. Not of pointer and bool
 * - ``int gosync_N_wait(gosync_N_t *a, size_t i, T expected, uint64_t deadline,
 *   unsigned int flags, T *now)``: wait until the word is something else than
 *   expected; deadline and flags as gosync_mutex_lock_until(). A thread that
 *   changes the word has to wake the waiters
 * - ``int gosync_N_wake(gosync_N_t *a, size_t i, unsigned int count)``: wake up
 *   to count waiters of the word, which look at it again; return how many were
 *   woken. There is no system call when there are no waiters
 * - ``struct gosync_wait_entry gosync_entry_N(const gosync_N_t *a, size_t i,
 *   T value)``: an entry for gosync_wait_any(), until the word is something else
 *   than value
 *
 * All operations but wait and wake are sequentially consistent and make no
 * system call on mapped words.
 *
 * Return: 0, if nothing else is said. -EINVAL: the index is out of range, or a
 * bool is neither 0 nor 1. -EBADF: the handle is read-only, and the operation
 * writes. open also returns -errno of GOSYNC_IOC_OPEN, and wait -ETIMEDOUT and
 * -EINTR.
 */
#define GOSYNC__BASE(N, TYPE, T)					\
typedef struct gosync##N gosync##N##_t;				\
GOSYNC_CALLER int gosync##N##_open(const char *name, size_t count,	\
				    unsigned int flags,			\
				    unsigned int mode,			\
				    gosync##N##_t **a)			\
{									\
	return gosync_words_open(GOSYNC_ABI_VERSION, name, TYPE, count,	\
				 flags, mode, (struct gosync_words **)a); \
}									\
GOSYNC_CALLER int gosync##N##_from_fd(int fd, unsigned int flags,	\
				       gosync##N##_t **a)		\
{									\
	return gosync_words_from_fd(GOSYNC_ABI_VERSION, fd, TYPE, flags, \
				    (struct gosync_words **)a);		\
}									\
GOSYNC_INLINE int gosync##N##_load(gosync##N##_t *a, size_t i, T *now) \
{									\
	struct gosync_words *w = (struct gosync_words *)a;		\
	uint64_t r;							\
	int ret;							\
									\
	if (__builtin_expect(i < GOSYNC__LIMIT(w, readable), 1)) {	\
		*now = __atomic_load_n((T *)w->words + i,		\
				       __ATOMIC_SEQ_CST);		\
		return 0;						\
	}								\
	ret = gosync_words_ioctl(w, GOSYNC_IOC_ATOMIC_LOAD, i, 0, 0, &r); \
	if (ret >= 0)							\
		*now = (T)r;						\
	return ret;							\
}									\
GOSYNC_INLINE int gosync##N##_store(gosync##N##_t *a, size_t i, T v)	\
{									\
	struct gosync_words *w = (struct gosync_words *)a;		\
	uint64_t r;							\
									\
	if (__builtin_expect(i < GOSYNC__LIMIT(w, writable) &&		\
			     GOSYNC__OK##N(v), 1)) {			\
		__atomic_store_n((T *)w->words + i, v,			\
				 __ATOMIC_SEQ_CST);			\
		return 0;						\
	}								\
	return gosync_words_ioctl(w, GOSYNC_IOC_ATOMIC_STORE, i,	\
				  (uint64_t)v, 0, &r);			\
}									\
GOSYNC__RMW(N, T, swap, SWAP, __atomic_exchange_n)			\
GOSYNC_INLINE int gosync##N##_cas(gosync##N##_t *a, size_t i,	\
				   T expected, T v)			\
{									\
	struct gosync_words *w = (struct gosync_words *)a;		\
	uint64_t r;							\
									\
	if (__builtin_expect(i < GOSYNC__LIMIT(w, writable) &&		\
			     GOSYNC__OK##N(v) &&			\
			     GOSYNC__OK##N(expected), 1))		\
		return __atomic_compare_exchange_n((T *)w->words + i,	\
						   &expected, v, 0,	\
						   __ATOMIC_SEQ_CST,	\
						   __ATOMIC_SEQ_CST);	\
	return gosync_words_ioctl(w, GOSYNC_IOC_ATOMIC_CAS, i,		\
				  (uint64_t)v, (uint64_t)expected, &r);	\
}									\
GOSYNC_INLINE int gosync##N##_wait(gosync##N##_t *a, size_t i,	\
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
GOSYNC_INLINE int gosync##N##_wake(gosync##N##_t *a, size_t i,	\
				    unsigned int count)			\
{									\
	return gosync_words_wake((struct gosync_words *)a, i, count);	\
}									\
GOSYNC_INLINE struct gosync_wait_entry					\
gosync_entry##N(const gosync##N##_t *a, size_t i, T value)		\
{									\
	return gosync_words_entry((const struct gosync_words *)a, i,	\
				  (uint64_t)value);			\
}

#define GOSYNC__RMW(N, T, op, OP, builtin)				\
GOSYNC_INLINE int gosync##N##_##op(gosync##N##_t *a, size_t i, T v,	\
				    T *result)				\
{									\
	struct gosync_words *w = (struct gosync_words *)a;		\
	uint64_t r;							\
	int ret;							\
									\
	if (__builtin_expect(i < GOSYNC__LIMIT(w, writable) &&		\
			     GOSYNC__OK##N(v), 1)) {			\
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

#endif /* GOSYNC_ATOMIC_H */
