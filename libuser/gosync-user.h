/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: gosync-user - named synchronization objects between processes
 *
 * Go's sync and sync/atomic across process borders: processes meet by name,
 * nothing is left hanging when one of them dies, and operations that nobody has
 * to wait for make no system call.
 *
 * A program opens an object by its name, or creates it, and gets a handle. Each
 * type has functions of its own.
 *
 * Every function that can fail returns 0 or a negative errno, with the
 * vocabulary at the top of <linux/gosync.h>, which gosync(4) shows, too. Some
 * return 1 for a second kind of success, as their description says. After an
 * error the state is unchanged, except where the description says otherwise.
 * gosync_strerror() tells what an error means in Go's words. When a holder was
 * broken (gosync_break()), operations by its handle fail with -ESTALE, unless
 * they merely observe.
 *
 * Callbacks may be left by an exception, pthread_exit(3) or a cancellation, and
 * nothing leaks; what that means to a Once, gosync_once_do() says.
 */

/**
 * DOC: Threads
 *
 * Handles may be used by several threads at once and from C++. No function is
 * a cancellation point or safe in a signal handler. A thread that can be
 * cancelled asynchronously must not call any.
 */

/**
 * DOC: Copies of a process
 *
 * In a copy of the process, made by fork(2), _Fork(3) or clone(2), handles are
 * holders of their own: what the parent holds stays the parent's. A handle may
 * get no descriptor there (EMFILE, ENFILE, ENOMEM). Then every operation on it
 * fails with -EBADF and changes nothing. fork(2) waits for threads that are
 * just opening or closing a handle. After it the handles are the copy's own at
 * once. Other copies are noticed when they first call the library. Until then,
 * or until execve(2), they keep the parent's descriptors, and so its locks when
 * it dies. A child that shares its parent's memory (vfork(2), posix_spawn(3))
 * must not use handles.
 */
#ifndef GOSYNC_USER_H
#define GOSYNC_USER_H

#include <linux/gosync.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Probes for tracers (perf, bpftrace, SystemTap). Each is a no-op instruction
 * and a note that says where it stands. Its argument is the handle. Tracers see
 * an operation that did not wait by its probe alone.
 *
 * gcc takes each line of an asm statement for an instruction, and a probe has
 * thirty. With "inline" it counts for one, and a function that calls fast paths
 * is still inlined. That takes STAP_PROBE_ASM(), which <sys/sdt.h> has in C++
 * only if it takes the compiler for one of C99.
 */
#if !defined(GOSYNC_NO_PROBES) && defined(__has_include)
#if __has_include(<sys/sdt.h>)
#if __GNUC__ >= 9 && !defined(__clang__) && defined(__cplusplus)
#pragma push_macro("__STDC_VERSION__")
#undef __STDC_VERSION__
#define __STDC_VERSION__ 199901L
#include <sys/sdt.h>
#pragma pop_macro("__STDC_VERSION__")
#else
#include <sys/sdt.h>
#endif
#if __GNUC__ >= 9 && !defined(__clang__) && defined(STAP_PROBE_ASM_OPERANDS)
#define GOSYNC_PROBE(name, handle)					\
	__asm__ inline __volatile__(					\
		STAP_PROBE_ASM(libgosync, name, STAP_PROBE_ASM_TEMPLATE(1)) \
		: : STAP_PROBE_ASM_OPERANDS(1, handle))
#else
#define GOSYNC_PROBE(name, handle)	STAP_PROBE1(libgosync, name, handle)
#endif
#endif
#endif
#ifndef GOSYNC_PROBE
#define GOSYNC_PROBE(name, handle)	((void)0)
#endif

/*
 * Warnings that say nothing about this header: about what <sys/sdt.h> makes of
 * a probe, and about functions with the name of a structure, as stat(2) has.
 */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#elif defined(__cplusplus)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The fast paths are inline functions. The library exports each of them, too,
 * for programs that take its address and for other languages.
 *
 * Functions that tell the library how their caller was compiled are made in the
 * same way. They pass on the layout that the caller's fast paths know, and the
 * sizes of its structures. The exported ones pass on those of the library
 * itself, which are right for a program that leaves everything to it.
 */
#ifndef GOSYNC_INLINE
#define GOSYNC_INLINE extern inline __attribute__((__gnu_inline__))
#define GOSYNC_CALLER GOSYNC_INLINE __attribute__((__always_inline__))
#endif

/* gosync_N_open() and gosync_N_from_fd(), of types without a capacity */
#define GOSYNC__OPEN(N)							\
int gosync_##N##_open_abi(unsigned int abi, const char *name,		\
			  unsigned int flags, unsigned int mode,	\
			  gosync_##N##_t **handle);			\
GOSYNC_CALLER int gosync_##N##_open(const char *name, unsigned int flags, \
				    unsigned int mode,			\
				    gosync_##N##_t **handle)		\
{									\
	return gosync_##N##_open_abi(GOSYNC_ABI_VERSION, name, flags, mode, \
				     handle);				\
}									\
GOSYNC__FROM_FD(N)

#define GOSYNC__FROM_FD(N)						\
int gosync_##N##_from_fd_abi(unsigned int abi, int fd, unsigned int flags, \
			     gosync_##N##_t **handle);			\
GOSYNC_CALLER int gosync_##N##_from_fd(int fd, unsigned int flags,	\
				       gosync_##N##_t **handle)		\
{									\
	return gosync_##N##_from_fd_abi(GOSYNC_ABI_VERSION, fd, flags,	\
					handle);			\
}

/*
 * A handle does not keep the address of the mapped state, but its distance from
 * a stand-in. The library keeps the stand-in GOSYNC__STAND_IN bytes before the
 * handle. In a copy of the process, however it was made, the kernel has filled
 * the handle with zeros, so the distance is 0: that is the stand-in. Its word
 * makes every fast path leave the operation to the library. A handle without
 * mapped state has a distance of 0, too.
 */
#define GOSYNC__STAND_IN	65536
#define GOSYNC__AT(handle)						\
	__atomic_load_n(&(handle)->at, __ATOMIC_ACQUIRE)
#define GOSYNC__STATE_AT(handle, at)					\
	((uintptr_t)(handle) + (at) - GOSYNC__STAND_IN)
#define GOSYNC__STATE(handle)						\
	GOSYNC__STATE_AT(handle, GOSYNC__AT(handle))

/*
 * Stands between two accesses to the state of one handle. Each access can add
 * up its address by itself, at no cost. But a compiler that sees an address
 * twice adds it up beforehand, with one more instruction. So this macro hides
 * that @at is the same. @at keeps its value, and the macro makes no
 * instruction. As @at was loaded only once, both accesses are to the state, or
 * both are to the stand-in.
 */
#define GOSYNC__ANEW(at)	__asm__("" : "+r"(at))

/*
 * The new owner of a lock adds 1 to its token. Only the owner writes it, so
 * nothing is lost between the load and the store. Each of the two is atomic, so
 * a reader sees the old number or the new one. On x86-64 one instruction does
 * both, which gcc does not make of two atomic accesses. It has no lock
 * prefix, because load and store together need not be atomic.
 */
#ifdef __x86_64__
#define GOSYNC__COUNT(token)	__asm__("addq $1, %0" : "+m"(*(token)) : : "cc")
#else
#define GOSYNC__COUNT(token)						\
	__atomic_store_n(token,						\
			 __atomic_load_n(token, __ATOMIC_RELAXED) + 1,	\
			 __ATOMIC_RELAXED)
#endif

/* Flags of this library, besides those of <linux/gosync.h> */
#define GOSYNC_IOCTL_ONLY	(1U << 31)	/* open: do not map the state; all is ioctls */
#define GOSYNC_INTERRUPTIBLE	(1U << 31)	/* waits: -EINTR when a signal handler has run */

/* --- Any object ---------------------------------------------------------- */

/**
 * DOC: gosync_object - functions for objects of any type
 *
 * These functions take the handle of an object of any type, or the name of one.
 * They close a handle, prepare it for poll(2), list the holders and the waiters
 * of the object, and remove its name or change its permissions. Their
 * structures are those of <linux/gosync.h>, which gosync(4) describes.
 */

/**
 * gosync_close() - close a handle
 * @object: any handle of this library, or NULL
 *
 * Unlock first: what the handle still holds is recovered as if its process had
 * died. No other thread may be using the handle.
 */
void gosync_close(void *object);

/**
 * gosync_fd() - the descriptor behind a handle
 * @object: any handle of this library
 *
 * For ioctls, poll(2) and SCM_RIGHTS. The descriptor stays the handle's. In a
 * child after fork(2) it has the same number and the same FD_CLOEXEC. A program
 * that closes it, by closefrom(3) for example, may afterwards only call
 * gosync_close() with the handle. That leaves alone whatever has the number by
 * then.
 *
 * Return: the descriptor; -EBADF: this copy of the process has got none.
 */
int gosync_fd(const void *object);

/**
 * gosync_reopen() - make another handle of an object
 * @object: any handle of this library
 * @flags: 0, GOSYNC_RDONLY, GOSYNC_IOCTL_ONLY
 * @reopened: where to put the handle: the address of a pointer to a handle of
 *	the type that @object has
 *
 * The new handle is a holder of its own, with no more rights than the old one.
 * It needs no name, so it is how a second thread can be told apart from the
 * first, or how to go on after -ESTALE. Any thread may call this.
 *
 * Return: 0; -EBADF: this copy of the process has got no descriptor; -EINVAL;
 * -EMFILE, -ENFILE, -ENOMEM.
 */
int gosync_reopen(const void *object, unsigned int flags, void *reopened);

/**
 * gosync_watch() - say what makes a handle's descriptor readable
 * @object: any handle of this library
 * @index: atomics: which word; otherwise 0
 * @value: atomics: readable once the word is no longer this; Value and Map:
 *	once the version is no longer this; Semaphore: once this many permits
 *	can be acquired; otherwise 0
 *
 * For poll(2), select(2) and epoll(7) on gosync_fd(). Only atomics and Conds
 * need it; &struct gosync_watch_args in <linux/gosync.h> says when the other
 * types are readable. A readable descriptor means that a try might succeed, not
 * that it will. With a Cond each call takes a new place in the queue. The
 * setting belongs to the open file description. The last call counts, for all
 * that share it.
 *
 * Return: 0; -EBADF: the handle of a Cond is read-only; -EINVAL; -ENOMEM;
 * -ENOTTY: this type has nothing to watch.
 */
int gosync_watch(const void *object, size_t index, uint64_t value);

/**
 * gosync_unwatch() - take back gosync_watch()
 * @object: any handle of this library
 *
 * If a Cond was signalled for this watch, and poll(2) has not told so yet, the
 * signal goes to the next waiter of that moment.
 *
 * Return: 0 or -errno.
 */
int gosync_unwatch(const void *object);

/**
 * gosync_is_mapped() - whether a handle works on mapped state
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
 * gosync_stat() - how the waits for an object went
 * @object: any handle of this library
 * @stat: where to put it
 *
 * Return: 0 or -errno.
 */
int gosync_stat(const void *object, struct gosync_stat *stat);

/**
 * gosync_waiters() - list the waiters of an object
 * @object: any handle of this library
 * @parties: where to put it
 * @count: how many fit there, at least 1; GOSYNC_WAITERS_LISTED is enough
 *
 * Return: how many waiters there are at this moment, at most @count; or -errno.
 */
int gosync_waiters(const void *object, struct gosync_party *parties,
		   unsigned int count);

/**
 * gosync_holders() - walk the holders of an object
 * @object: any handle of this library
 * @fn: called for each with no lock held; a return other than 0 ends the walk
 * @arg: passed on to @fn
 *
 * Return: 0 at the end, what @fn returned, or -errno.
 */
int gosync_holders(const void *object,
		   int (*fn)(const struct gosync_party *holder, void *arg),
		   void *arg);

/**
 * gosync_holders_next() - some of the holders of an object
 * @object: any handle of this library
 * @cursor: where the walk is; 0 to begin
 * @holders: where to put them
 * @count: how many fit there, at least 1
 *
 * For a program that cannot well use the callback of gosync_holders().
 *
 * Return: how many were put there, 0 at the end; or -errno.
 */
int gosync_holders_next(const void *object, uint64_t *cursor,
			struct gosync_party *holders, unsigned int count);

/**
 * gosync_break() - take away what a holder has, although it lives
 * @object: any handle of the object, which may be read-only
 * @holder: the holder's number, as gosync_holders() tells it
 *
 * For a holder that hangs, of a Mutex, an RWMutex, a Once, or a Semaphore with
 * GOSYNC_GIVE_BACK. What it has is recovered as if it had died. Its next
 * operation fails with -ESTALE, and so do all that follow, unless they only
 * observe, until it opens the object anew. &struct gosync_break_args says what
 * is promised. Any thread may call this.
 *
 * Return: 0; -EPERM: the object is another user's; -ESRCH: there is no such
 * holder, or it holds nothing; -ENOTTY: the object is none of these.
 */
int gosync_break(const void *object, uint32_t holder);

/**
 * gosync_unlink() - remove a name
 * @name: the name
 *
 * Handles go on working; the object goes away with the last of them. When
 * several callers remove one name at once, one succeeds and the others get
 * -ENOENT.
 *
 * Return: 0; -ENOENT; -EPERM if the object is another user's.
 */
int gosync_unlink(const char *name);

/**
 * gosync_unlink_unused() - remove a name, unless the object is open
 * @name: the name
 *
 * Return: as gosync_unlink(); -EBUSY if somebody has the object open, even if
 * only to observe.
 */
int gosync_unlink_unused(const char *name);

/**
 * gosync_chmod() - change an object's permission bits
 * @name: its name
 * @mode: as when it is created, up to 0777
 *
 * The change is for later opens. Handles keep what they have, as after chmod(2)
 * of a file. State, flags and name stay as they were.
 *
 * Small objects share pages of memory with others of the same owner, group and
 * mode. When one of these changes, the object moves to another page, which is
 * possible only while nobody has it open, or has a Map mapped. Objects with
 * GOSYNC_OWN_PAGE or GOSYNC_NO_MMAP, Values and larger arrays are changed at any
 * time. So is any object whose mode only gains bits. A caller that may open it
 * only by the new bits then uses it by ioctls.
 *
 * Return: 0; -EBUSY if the object would have to move and somebody has it open,
 * which may be the caller; -EINVAL if @mode is out of range; -ENOENT; -ENOMEM;
 * -EPERM if the object is another user's.
 */
int gosync_chmod(const char *name, unsigned int mode);

/**
 * gosync_chown() - change an object's owner or group or both, at once
 * @name: its name
 * @uid: the new owner, (unsigned int)-1 to leave it
 * @gid: the new group, (unsigned int)-1 to leave it
 *
 * It works as gosync_chmod() does. The owner may choose a group that he is in;
 * any other change needs CAP_CHOWN. The object then counts for its new owner.
 *
 * Return: as gosync_chmod(); -EDQUOT if the new owner has reached the limit of
 * objects per user; -EINVAL if there is no such user or group in the caller's
 * user namespace, or if both are to be left.
 */
int gosync_chown(const char *name, unsigned int uid, unsigned int gid);

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
 * gosync_list_next() - some of the names that the caller may read
 * @cursor: where the walk is; 0 to begin
 * @infos: where to put what is known of them
 * @count: how many fit there, at least 1
 *
 * For a program that cannot well use the callback of gosync_list().
 *
 * Return: how many were put there, 0 at the end; or -errno.
 */
int gosync_list_next(uint64_t *cursor, struct gosync_info *infos,
		     unsigned int count);

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
 * After -EPROTO it asks the module for its version. After -ENXIO, and after
 * -EPERM and -EACCES of GOSYNC_IOC_OPEN, it looks at the device.
 *
 * Return: a constant sentence. It is Go's own where Go has one. For -EPROTO it
 * says which of program, library and module is older than another. Where there is
 * no device it says why, and what to do. Otherwise it is the system's.
 */
const char *gosync_strerror(unsigned int op, int err);

/**
 * gosync_type_name() - the name of an object type
 * @type: &enum gosync_type
 *
 * Return: "int32", "value", "mutex" ..., NULL if there is no such type.
 */
const char *gosync_type_name(unsigned int type);

/*
 * Functions above call these, and add what the caller was compiled with:
 * GOSYNC_ABI_VERSION and the sizes of the structures.
 */
int gosync_info_sized(const void *object, struct gosync_info *info,
		      size_t size);
int gosync_stat_sized(const void *object, struct gosync_stat *stat,
		      size_t size);
int gosync_waiters_sized(const void *object, struct gosync_party *parties,
			 unsigned int count, size_t size);
int gosync_holders_sized(const void *object,
			 int (*fn)(const struct gosync_party *holder,
				   void *arg),
			 void *arg, size_t size);
int gosync_holders_next_sized(const void *object, uint64_t *cursor,
			      struct gosync_party *holders, unsigned int count,
			      size_t size);
int gosync_list_sized(int (*fn)(const struct gosync_info *info, void *arg),
		      void *arg, size_t size);
int gosync_list_next_sized(uint64_t *cursor, struct gosync_info *infos,
			   unsigned int count, size_t size);
const char *gosync_strerror_abi(unsigned int abi, unsigned int op, int err);

GOSYNC_CALLER int gosync_info(const void *object, struct gosync_info *info)
{
	return gosync_info_sized(object, info, sizeof(*info));
}

GOSYNC_CALLER int gosync_stat(const void *object, struct gosync_stat *stat)
{
	return gosync_stat_sized(object, stat, sizeof(*stat));
}

GOSYNC_CALLER int gosync_waiters(const void *object,
				 struct gosync_party *parties,
				 unsigned int count)
{
	return gosync_waiters_sized(object, parties, count, sizeof(*parties));
}

GOSYNC_CALLER int gosync_holders(const void *object,
				 int (*fn)(const struct gosync_party *holder,
					   void *arg),
				 void *arg)
{
	return gosync_holders_sized(object, fn, arg,
				    sizeof(struct gosync_party));
}

GOSYNC_CALLER int gosync_list(int (*fn)(const struct gosync_info *info,
					void *arg),
			      void *arg)
{
	return gosync_list_sized(fn, arg, sizeof(struct gosync_info));
}

GOSYNC_CALLER int gosync_holders_next(const void *object, uint64_t *cursor,
				      struct gosync_party *holders,
				      unsigned int count)
{
	return gosync_holders_next_sized(object, cursor, holders, count,
					 sizeof(*holders));
}

GOSYNC_CALLER int gosync_list_next(uint64_t *cursor, struct gosync_info *infos,
				   unsigned int count)
{
	return gosync_list_next_sized(cursor, infos, count, sizeof(*infos));
}

GOSYNC_CALLER const char *gosync_strerror(unsigned int op, int err)
{
	return gosync_strerror_abi(GOSYNC_ABI_VERSION, op, err);
}

/* --- Mutex --------------------------------------------------------------- */

/**
 * DOC: gosync_mutex - a lock with one owner
 *
 * It is Go's sync.Mutex between processes. A newcomer may take a free lock
 * although others wait. A waiter that was woken and lost it to a newcomer is
 * handed the lock next. Waiters are woken in their order.
 *
 * When the last descriptor of its owner is closed, as when the process dies,
 * the kernel unlocks the Mutex. It is then poisoned: each lock returns 1 in
 * place of 0 until an owner calls gosync_mutex_recover(). 1 means that the lock
 * is held, so it has to be unlocked.
 *
 * The owner is the holder, which is the handle. All threads that use one handle
 * are one owner, although the lock excludes them from each other.
 */

typedef struct gosync_mutex gosync_mutex_t;

/* The part of a handle that the inline fast paths work on */
struct gosync_mutex {
	uintptr_t at;
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
 * @fd: a descriptor of a Mutex; on success it belongs to the handle
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @mutex: where to put the handle
 *
 * The handle is the same holder as the sender of the descriptor. To be another
 * holder, call GOSYNC_IOC_REOPEN first. If this process may not map the state,
 * the handle uses ioctls.
 *
 * Return: 0 or -errno; -EPROTOTYPE if it is no Mutex, -ENOTTY if it is no
 * descriptor of gosync's.
 */
int gosync_mutex_from_fd(int fd, unsigned int flags, gosync_mutex_t **mutex);

/**
 * gosync_mutex_lock() - lock, for as long as it takes
 * @mutex: the handle
 *
 * Not recursive. May sleep. A signal handler may run during the wait, which
 * goes on afterwards.
 *
 * Return: 0: the lock is held. 1: the lock is held and poisoned, as an owner
 * died with it. Put right what it protects, then call gosync_mutex_recover().
 * -EBADF: the handle is read-only.
 */
int gosync_mutex_lock(gosync_mutex_t *mutex);

/**
 * gosync_mutex_trylock() - lock, if that needs no wait
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
 * A free lock is taken even if the deadline has passed.
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
 * Return: 0; -EPERM if it is not locked, or with GOSYNC_ERRORCHECK not by this
 * holder; -ESTALE if gosync_break() has taken it away.
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
 * Every later acquisition has a larger token, by whichever holder, even if the
 * name was removed and created anew in between. So a store that remembers the
 * largest token it has seen can refuse a delayed writer. There is no system
 * call unless the lock is handed to waiters, or a holder was broken.
 *
 * Return: 0; -ESTALE if gosync_break() has taken the lock away; or another
 * -errno.
 */
int gosync_mutex_token(gosync_mutex_t *mutex, uint64_t *token);

GOSYNC__OPEN(mutex)

/* The slow halves, for a lock that is not free or has waiters */
int gosync_mutex_lock_slow(gosync_mutex_t *mutex);
int gosync_mutex_unlock_slow(gosync_mutex_t *mutex);

/*
 * The word goes from 0 to LOCKED with our number. Nobody waits, so no wake-up
 * is owed. If we die, the word names us, and the kernel unlocks. The token is
 * the owner's to count.
 */
GOSYNC_INLINE int gosync_mutex_lock(gosync_mutex_t *mutex)
{
	struct gosync_mutex_slot *slot = (struct gosync_mutex_slot *)
					 GOSYNC__STATE(mutex);
	__u64 word = 0;

	GOSYNC_PROBE(mutex_entry, mutex);
	if (__builtin_expect(!__atomic_compare_exchange_n(&slot->word, &word,
							  mutex->locked, 0,
							  __ATOMIC_ACQUIRE,
							  __ATOMIC_RELAXED), 0))
		return gosync_mutex_lock_slow(mutex);
	GOSYNC__COUNT(&slot->token);
	return 0;
}

/*
 * The word goes from LOCKED with our number to 0. Nobody waits, so no wake-up
 * is owed. From then on the word does not name us, so our death leaves nothing
 * locked.
 */
GOSYNC_INLINE int gosync_mutex_unlock(gosync_mutex_t *mutex)
{
	struct gosync_mutex_slot *slot = (struct gosync_mutex_slot *)
					 GOSYNC__STATE(mutex);
	__u64 word = mutex->locked;

	GOSYNC_PROBE(mutex_release, mutex);
	if (__builtin_expect(!__atomic_compare_exchange_n(&slot->word, &word, 0,
							  0, __ATOMIC_RELEASE,
							  __ATOMIC_RELAXED), 0))
		return gosync_mutex_unlock_slow(mutex);
	return 0;
}

/* --- Value --------------------------------------------------------------- */

/**
 * DOC: gosync_value - one payload, replaced as a whole
 *
 * It is Go's atomic.Value between processes. A load gets the payload of one
 * store, never parts of two, and makes no system call. All payloads of a Value
 * have one type, a number that gosync_type_id() makes of a name and a size.
 * Only the kernel writes to a Value, so a process that dies leaves no half of a
 * payload.
 *
 * GOSYNC_TYPE_ID(type) is the number of a C type, for example of struct config.
 */

/* The part of a handle that gosync_value_peek() works on */
typedef struct gosync_value {
	const struct gosync_value_page *page;
	const char *slots;
	size_t stride;
} gosync_value_t;

/**
 * gosync_value_open() - open or create a Value
 * @name: as gosync_mutex_open()
 * @capacity: longest payload in bytes; 0: 4096, or what the existing Value has; with
 *	GOSYNC_CLUSTER it is GOSYNC_CLUSTER_VALUE, and more than that is refused
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
 * @fd: a descriptor of a Value; on success it belongs to the handle
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @value: where to put the handle
 *
 * Return: as gosync_mutex_from_fd().
 */
int gosync_value_from_fd(int fd, unsigned int flags, gosync_value_t **value);

/**
 * gosync_type_id() - a type's number from its name and size
 * @name: the name
 * @size: the size
 *
 * The same name and size give the same number everywhere. It is never 0 nor all
 * ones.
 *
 * Return: the number.
 */
uint64_t gosync_type_id(const char *name, size_t size);

/* The number of a C type, for example of struct config */
#define GOSYNC_TYPE_ID(type)	gosync_type_id(#type, sizeof(type))

/**
 * gosync_value_load() - copy the payload of the most recent store
 * @value: the handle
 * @buf: where to put the payload
 * @len: in: room at @buf; out: the payload's length, also with -EMSGSIZE
 * @type: out: its type; may be NULL
 *
 * There is no system call, and nothing is written to shared memory; but with
 * GOSYNC_CLUSTER the first load after a store of another node waits for the payload.
 *
 * Return: 0; -ENODATA before the first store; -EMSGSIZE if @buf is too short.
 */
int gosync_value_load(gosync_value_t *value, void *buf, size_t *len,
		      uint64_t *type);

/**
 * struct gosync_peek - data in the shared memory, which others may be changing
 * @data: the data
 * @len: its length in bytes
 * @type: Value: the type; Map: 0
 * @count: what counts the changes
 * @seen: what it was
 * @most: by how much more it may have grown
 *
 * It is of no use any more when the handle is closed. The last three are the
 * library's.
 */
struct gosync_peek {
	const void *data;
	size_t len;
	uint64_t type;
	const __u64 *count;
	uint64_t seen;
	uint64_t most;
};

/**
 * gosync_peek_valid() - tell whether the data was whole while it was read
 * @peek: what gosync_value_peek() or gosync_map_peek() has filled in
 *
 * What has been read from the data may be of two stores, or of something
 * else, as long as this was not asked afterwards. So until then believe
 * nothing that was read: do not use it as an index, a length or a pointer,
 * do not act on it, and do not write to the data, which is read-only. What
 * is read has to fit in memory of your own. If this says no, begin again:
 *
 *	do {
 *		ret = gosync_value_peek(value, &peek);
 *		if (!ret && peek.len == sizeof(struct price))
 *			sum = add_up((const struct price *)peek.data);
 *	} while (!ret && !gosync_peek_valid(&peek));
 *
 * A writer that stores without a pause can keep a reader busy that takes
 * long to read. gosync_value_load() and gosync_map_load() end all the same.
 *
 * Return: 1 if all that was read so far is of one store, 0 if it may not be.
 */
GOSYNC_INLINE int gosync_peek_valid(const struct gosync_peek *peek)
{
	/* V2 in libuser/value.c, R2 in libuser/map.h */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(peek->count, __ATOMIC_RELAXED) - peek->seen <=
	       peek->most;
}

int gosync_value_peek_slow(gosync_value_t *value, struct gosync_peek *peek);

/**
 * gosync_value_peek() - find the present payload, to read it where it is
 * @value: the handle
 * @peek: out: where it is
 *
 * This is for those to whom the copy that gosync_value_load() makes is too
 * much. The payload is at an address that is a multiple of 8. See
 * gosync_peek_valid() for how to read it.
 *
 * Return: 0; -ENODATA before the first store; -EOPNOTSUPP if the handle has
 * no mapped state (GOSYNC_NO_MMAP, GOSYNC_IOCTL_ONLY), or if other nodes of a
 * cluster store all the time: gosync_value_load() does it then; -EBADF if a child
 * of fork(2) could not be given a holder of its own.
 */
GOSYNC_INLINE int gosync_value_peek(gosync_value_t *value,
				    struct gosync_peek *peek)
{
	const struct gosync_value_page *page =
		__atomic_load_n(&value->page, __ATOMIC_ACQUIRE);
	const struct gosync_value_slot *slot;

	if (__builtin_expect(!page, 0))
		return gosync_value_peek_slow(value, peek);
	/* V3, V1 */
	peek->type = __atomic_load_n(&page->type, __ATOMIC_ACQUIRE);
	if (__builtin_expect(!peek->type ||
			     peek->type == GOSYNC_VALUE_STORING, 0))
		return gosync_value_peek_slow(value, peek);
	peek->count = &page->version;
	peek->seen = __atomic_load_n(&page->version, __ATOMIC_ACQUIRE);
	peek->most = GOSYNC_VALUE_SLOTS - 2;
	slot = (const struct gosync_value_slot *)
		(value->slots + peek->seen % GOSYNC_VALUE_SLOTS * value->stride);
	peek->len = (size_t)__atomic_load_n(&slot->len, __ATOMIC_RELAXED);
	peek->data = slot + 1;
	return 0;
}

/**
 * gosync_value_capacity() - the longest payload
 * @value: the handle, which may be read-only
 * @capacity: where to put it, in bytes
 *
 * Return: 0 or -errno.
 */
int gosync_value_capacity(gosync_value_t *value, size_t *capacity);

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
 * gosync_value_wait() - wait until the Value is stored again
 * @value: the handle, which may be read-only
 * @version: in: wait until the version is another one; 0: until the first
 *	store; out: what it is
 *
 * There is no system call if it is another one already. Of several stores the
 * waiter may see only the last.
 *
 * Return: 0 or -errno.
 */
int gosync_value_wait(gosync_value_t *value, uint64_t *version);

/**
 * gosync_value_wait_until() - gosync_value_wait(), until a deadline
 * @value: the handle, which may be read-only
 * @version: as gosync_value_wait()
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Return: 0; -ETIMEDOUT, -EINTR, -EINVAL.
 */
int gosync_value_wait_until(gosync_value_t *value, uint64_t *version,
			    uint64_t deadline, unsigned int flags);

/**
 * gosync_value_store() - replace the payload
 * @value: the handle
 * @type: its type's number, the same for every store to this Value
 * @buf: the payload
 * @len: its length, up to the capacity
 *
 * Return: 0; -EINVAL for type 0 (Go's nil) or all ones; -EPROTOTYPE if the
 * Value holds values of another type; -EMSGSIZE; -EBADF if the handle is
 * read-only.
 */
int gosync_value_store(gosync_value_t *value, uint64_t type, const void *buf,
		       size_t len);

/**
 * gosync_value_swap() - replace the payload and get the old one
 * @value: the handle
 * @type: as gosync_value_store()
 * @buf: the new payload
 * @len: its length
 * @old: where to put the old payload
 * @old_len: in: room at @old; out: its length, also with -EMSGSIZE
 *
 * Return: 1; 0 if nothing was there before; or as gosync_value_store().
 */
int gosync_value_swap(gosync_value_t *value, uint64_t type, const void *buf,
		      size_t len, void *old, size_t *old_len);

/**
 * gosync_value_cas() - replace the payload if it is what is expected
 * @value: the handle
 * @old_type: the expected payload's type, 0 if no payload is expected
 * @old: the expected payload
 * @old_len: its length
 * @type: the new payload's type
 * @buf: the new payload
 * @len: its length
 *
 * Payloads are equal when their lengths and all their bytes are.
 *
 * Return: 1 if it was replaced, 0 if something else is there; or as
 * gosync_value_store(), -EPROTOTYPE also if @type and @old_type differ.
 */
int gosync_value_cas(gosync_value_t *value, uint64_t old_type, const void *old,
		     size_t old_len, uint64_t type, const void *buf,
		     size_t len);

int gosync_value_open_abi(unsigned int abi, const char *name, size_t capacity,
			  unsigned int flags, unsigned int mode,
			  gosync_value_t **value);

GOSYNC_CALLER int gosync_value_open(const char *name, size_t capacity,
				    unsigned int flags, unsigned int mode,
				    gosync_value_t **value)
{
	return gosync_value_open_abi(GOSYNC_ABI_VERSION, name, capacity, flags,
				     mode, value);
}

GOSYNC__FROM_FD(value)

/* --- RWMutex ------------------------------------------------------------- */

/**
 * DOC: gosync_rwmutex - a lock for one writer or any number of readers
 *
 * It is Go's sync.RWMutex between processes. A writer that waits stops new
 * readers. Readers that have waited for a writer go before the next one.
 * Readers do not disturb each other.
 *
 * When a writer dies, the kernel unlocks the RWMutex and poisons it: each lock,
 * for reading or writing, returns 1 in place of 0 until a writer calls
 * gosync_rwmutex_recover(). 1 means that the lock is held. When a reader dies,
 * its read locks are dropped, and nobody is told.
 */

typedef struct gosync_rwmutex gosync_rwmutex_t;

/* The part of a handle that the inline fast paths work on */
struct gosync_rwmutex {
	struct gosync_rwmutex_slot *slot;
	uint32_t *reads;
	uint64_t locked;
};

/**
 * gosync_rwmutex_open() - open or create an RWMutex
 * @name: as gosync_mutex_open()
 * @flags: as gosync_mutex_open()
 * @mode: as gosync_mutex_open()
 * @rwmutex: where to put the handle
 *
 * An RWMutex has a page of its own. In it each of the first 63 holders has a
 * cache line for its read locks. Read locks of further holders are ioctls.
 *
 * Return: 0 or -errno of GOSYNC_IOC_OPEN.
 */
int gosync_rwmutex_open(const char *name, unsigned int flags,
			unsigned int mode, gosync_rwmutex_t **rwmutex);

/**
 * gosync_rwmutex_from_fd() - make a handle of a received descriptor
 * @fd: a descriptor of an RWMutex; on success it belongs to the handle
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @rwmutex: where to put the handle
 *
 * Return: as gosync_mutex_from_fd().
 */
int gosync_rwmutex_from_fd(int fd, unsigned int flags,
			   gosync_rwmutex_t **rwmutex);

/**
 * gosync_rwmutex_lock() - lock for writing, for as long as it takes
 * @rwmutex: the handle
 *
 * From now on new readers wait. The lock is held once the present readers have
 * left. A caller that holds a read lock must not ask for it: it would wait for
 * itself.
 *
 * Return: as gosync_mutex_lock().
 */
int gosync_rwmutex_lock(gosync_rwmutex_t *rwmutex);

/**
 * gosync_rwmutex_trylock() - lock for writing, if that needs no wait
 * @rwmutex: the handle
 *
 * Return: as gosync_rwmutex_lock(); -EBUSY.
 */
int gosync_rwmutex_trylock(gosync_rwmutex_t *rwmutex);

/**
 * gosync_rwmutex_lock_until() - lock for writing, until a deadline
 * @rwmutex: the handle
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Return: as gosync_mutex_lock_until().
 */
int gosync_rwmutex_lock_until(gosync_rwmutex_t *rwmutex, uint64_t deadline,
			      unsigned int flags);

/**
 * gosync_rwmutex_unlock() - unlock what was locked for writing
 * @rwmutex: the handle
 *
 * Readers that wait at this moment go before the next writer.
 *
 * Return: as gosync_mutex_unlock().
 */
int gosync_rwmutex_unlock(gosync_rwmutex_t *rwmutex);

/**
 * gosync_rwmutex_rlock() - lock for reading, for as long as it takes
 * @rwmutex: the handle
 *
 * A holder may have several read locks. But do not ask for another one while a
 * writer may wait: the second waits for the writer, and the writer for the
 * first.
 *
 * Return: 0: the lock is held. 1: the lock is held and poisoned, as a writer
 * died with it. -EBADF: the handle is read-only; a read lock makes others wait,
 * so it needs write permission. -ERANGE: this holder has
 * GOSYNC_RWMUTEX_READS_MAX already.
 */
int gosync_rwmutex_rlock(gosync_rwmutex_t *rwmutex);

/**
 * gosync_rwmutex_tryrlock() - lock for reading, if that needs no wait
 * @rwmutex: the handle
 *
 * Return: as gosync_rwmutex_rlock(); -EBUSY while a writer has the lock or
 * waits for the readers to leave.
 */
int gosync_rwmutex_tryrlock(gosync_rwmutex_t *rwmutex);

/**
 * gosync_rwmutex_rlock_until() - lock for reading, until a deadline
 * @rwmutex: the handle
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Return: as gosync_rwmutex_rlock(); -ETIMEDOUT, -EINTR, -EINVAL.
 */
int gosync_rwmutex_rlock_until(gosync_rwmutex_t *rwmutex, uint64_t deadline,
			       unsigned int flags);

/**
 * gosync_rwmutex_runlock() - unlock what was locked for reading
 * @rwmutex: the handle
 *
 * Unlike in Go, a read lock belongs to its holder: another cannot unlock it.
 *
 * Return: 0; -EPERM if this holder has no read lock; -ESTALE as
 * gosync_mutex_unlock().
 */
int gosync_rwmutex_runlock(gosync_rwmutex_t *rwmutex);

/**
 * gosync_rwmutex_recover() - declare what the lock protects to be right again
 * @rwmutex: the handle, which must have locked for writing
 *
 * Return: 0; -EPERM if this holder has not.
 */
int gosync_rwmutex_recover(gosync_rwmutex_t *rwmutex);

/**
 * gosync_rwmutex_token() - the fencing token of the last lock for writing
 * @rwmutex: the handle
 * @token: where to put it
 *
 * Return: as gosync_mutex_token().
 */
int gosync_rwmutex_token(gosync_rwmutex_t *rwmutex, uint64_t *token);

GOSYNC__OPEN(rwmutex)

/*
 * The slow halves, for when a writer is there or this holder has no line.
 * @counted: our line counts the new read lock already
 */
int gosync_rwmutex_rlock_slow(gosync_rwmutex_t *rwmutex, int counted);
int gosync_rwmutex_runlock_slow(gosync_rwmutex_t *rwmutex);
int gosync_rwmutex_tell(gosync_rwmutex_t *rwmutex);

/*
 * Count ourselves in our line, then look at the word. A writer takes the word,
 * then looks at the lines, so at least one of us sees the other. If we die, the
 * kernel clears the line. RW-A, pairs with barge() in libuser/rwmutex.c and
 * is_drained() in kmod/rwmutex.c; RW-D, pairs with abandon() there.
 */
GOSYNC_INLINE int gosync_rwmutex_rlock(gosync_rwmutex_t *rwmutex)
{
	uint32_t *reads = __atomic_load_n(&rwmutex->reads, __ATOMIC_ACQUIRE);

	GOSYNC_PROBE(rdlock_entry, rwmutex);
	if (__builtin_expect(!!reads, 1)) {
		__atomic_fetch_add(reads, 1, __ATOMIC_SEQ_CST);
		if (__builtin_expect(!(__atomic_load_n(&rwmutex->slot->word,
						       __ATOMIC_SEQ_CST) &
				       (GOSYNC_MUTEX_LOCKED |
					GOSYNC_MUTEX_STARVING |
					GOSYNC_MUTEX_POISONED)), 1))
			return 0;
	}
	return gosync_rwmutex_rlock_slow(rwmutex, !!reads);
}

/*
 * Subtract, then look whether a writer sleeps until we have left. A writer that
 * begins to sleep after our look looks at our line afterwards. RW-B, pairs with
 * is_drained() in kmod/rwmutex.c; RW-E, with count_reads() there, and with
 * no_readers() in libuser/rwmutex.c. If we die in between, the end of the holder,
 * or of our descriptors, tells the writer instead.
 */
GOSYNC_INLINE int gosync_rwmutex_runlock(gosync_rwmutex_t *rwmutex)
{
	uint32_t *reads = __atomic_load_n(&rwmutex->reads, __ATOMIC_ACQUIRE);
	struct gosync_rwmutex_slot *slot = rwmutex->slot;
	uint32_t n;

	GOSYNC_PROBE(rdlock_release, rwmutex);
	if (__builtin_expect(reads && !__atomic_load_n(&slot->draining,
						       __ATOMIC_RELAXED), 1)) {
		n = __atomic_load_n(reads, __ATOMIC_RELAXED);
		/* Below 0: the holder was broken, and the kernel says so. */
		while (__builtin_expect((int32_t)n > 0, 1)) {
			if (!__atomic_compare_exchange_n(reads, &n, n - 1, 0,
							 __ATOMIC_SEQ_CST,
							 __ATOMIC_RELAXED))
				continue;
			if (__builtin_expect(!__atomic_load_n(&slot->draining,
							      __ATOMIC_SEQ_CST), 1))
				return 0;
			return gosync_rwmutex_tell(rwmutex);
		}
	}
	return gosync_rwmutex_runlock_slow(rwmutex);
}

/* --- WaitGroup ----------------------------------------------------------- */

/**
 * DOC: gosync_waitgroup - a counter, and waiting until it is 0
 *
 * It is Go's sync.WaitGroup between processes, and counts the parts of a job
 * that are not done yet. The counter belongs to nobody, so a process that dies
 * takes nothing back. "gosync wg run" (see gosync(1)) runs a command as one
 * part, and counts it as done however it ends.
 */

typedef struct gosync_waitgroup gosync_waitgroup_t;

/* The part of a handle that the inline fast path works on */
struct gosync_waitgroup {
	uintptr_t at;
};

/**
 * gosync_waitgroup_open() - open or create a WaitGroup
 * @name: as gosync_mutex_open()
 * @flags: as gosync_mutex_open(), except GOSYNC_ERRORCHECK
 * @mode: as gosync_mutex_open()
 * @wg: where to put the handle
 *
 * Return: 0 or -errno of GOSYNC_IOC_OPEN.
 */
int gosync_waitgroup_open(const char *name, unsigned int flags,
			  unsigned int mode, gosync_waitgroup_t **wg);

/**
 * gosync_waitgroup_from_fd() - make a handle of a received descriptor
 * @fd: a descriptor of a WaitGroup; on success it belongs to the handle
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @wg: where to put the handle
 *
 * Return: as gosync_mutex_from_fd().
 */
int gosync_waitgroup_from_fd(int fd, unsigned int flags,
			     gosync_waitgroup_t **wg);

/**
 * gosync_waitgroup_add() - change the counter
 * @wg: the handle
 * @delta: by how much
 *
 * When the counter becomes 0, all waiters of that moment are released, and the
 * counter may be used again at once. There is no system call unless a waiter is
 * released.
 *
 * Return: 0; -ERANGE if the counter would be negative or more than 2147483647;
 * -EBADF if the handle is read-only.
 */
int gosync_waitgroup_add(gosync_waitgroup_t *wg, int delta);

/**
 * gosync_waitgroup_done() - subtract 1
 * @wg: the handle
 *
 * Return: as gosync_waitgroup_add().
 */
int gosync_waitgroup_done(gosync_waitgroup_t *wg);

/**
 * gosync_waitgroup_wait() - wait until the counter is 0
 * @wg: the handle, which may be read-only
 *
 * There is no system call if the counter is 0 already.
 *
 * Return: 0 or -errno.
 */
int gosync_waitgroup_wait(gosync_waitgroup_t *wg);

/**
 * gosync_waitgroup_wait_until() - wait until the counter is 0 or a deadline
 * @wg: the handle, which may be read-only
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Return: 0; -ETIMEDOUT, -EINTR, -EINVAL.
 */
int gosync_waitgroup_wait_until(gosync_waitgroup_t *wg, uint64_t deadline,
				unsigned int flags);

/**
 * gosync_waitgroup_count() - the counter
 * @wg: the handle
 *
 * Return: the counter, or -errno.
 */
int gosync_waitgroup_count(gosync_waitgroup_t *wg);

/**
 * gosync_waitgroup_go() - Go's WaitGroup.Go: add 1, run, done
 * @wg: the handle, which has to stay open until the work is done
 * @f: runs in a new, detached thread of this process
 * @arg: passed on to @f
 *
 * The work is done when @f returns, and also when its thread ends by
 * pthread_exit(3) or a cancellation.
 *
 * Return: 0; or -errno, and the counter is as before.
 */
int gosync_waitgroup_go(gosync_waitgroup_t *wg, void (*f)(void *arg), void *arg);

GOSYNC__OPEN(waitgroup)

/* The slow half, for when there are waiters or the state is not mapped */
int gosync_waitgroup_add_slow(gosync_waitgroup_t *wg, int delta);

/*
 * One comparison says that nobody waits and that the counter stays in its 31
 * bits: a word with waiters is far above these, whatever is added. So no
 * wake-up is owed. G-A, pairs with waitgroup_wait_for_zero() and
 * waitgroup_ready() in kmod/waitgroup.c, and with wait_until() in
 * libuser/waitgroup.c: a waiter that sees 0 sees what was done before.
 */
GOSYNC_INLINE int gosync_waitgroup_add(gosync_waitgroup_t *wg, int delta)
{
	uintptr_t at = GOSYNC__AT(wg);
	__u64 *slot = (__u64 *)GOSYNC__STATE_AT(wg, at);
	__u64 word = __atomic_load_n(slot, __ATOMIC_RELAXED);
	__u64 now = word + (__u64)delta;

	if (__builtin_expect(now <= GOSYNC_WAITGROUP_COUNTER, 1)) {
		GOSYNC__ANEW(at);
		slot = (__u64 *)GOSYNC__STATE_AT(wg, at);
		if (__builtin_expect(__atomic_compare_exchange_n(slot, &word,
								 now, 0,
								 __ATOMIC_SEQ_CST,
								 __ATOMIC_RELAXED), 1))
			return 0;
	}
	return gosync_waitgroup_add_slow(wg, delta);
}

GOSYNC_INLINE int gosync_waitgroup_done(gosync_waitgroup_t *wg)
{
	return gosync_waitgroup_add(wg, -1);
}

/* --- Once ---------------------------------------------------------------- */

/**
 * DOC: gosync_once - something that is done once
 *
 * It is Go's sync.Once between processes. Of all callers, in whatever process,
 * one does it. The others return when it has been done, and not before. If the
 * runner dies, the next waiter does it, and is told that an earlier runner had
 * begun.
 *
 * A Once with GOSYNC_PERSIST stays done when nobody has it open.
 */

typedef struct gosync_once gosync_once_t;

/* The part of a handle that the inline fast path works on */
struct gosync_once {
	uintptr_t at;
};

/**
 * gosync_once_open() - open or create a Once
 * @name: as gosync_mutex_open()
 * @flags: as gosync_mutex_open(), except GOSYNC_ERRORCHECK
 * @mode: as gosync_mutex_open()
 * @once: where to put the handle
 *
 * Return: 0 or -errno of GOSYNC_IOC_OPEN.
 */
int gosync_once_open(const char *name, unsigned int flags, unsigned int mode,
		     gosync_once_t **once);

/**
 * gosync_once_from_fd() - make a handle of a received descriptor
 * @fd: a descriptor of a Once; on success it belongs to the handle
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @once: where to put the handle
 *
 * Return: as gosync_mutex_from_fd().
 */
int gosync_once_from_fd(int fd, unsigned int flags, gosync_once_t **once);

/**
 * gosync_once_do() - have something done once, among all processes
 * @once: the handle
 * @f: what to do; its @died is 1 if an earlier runner ended before it had
 *	done it, otherwise 0
 * @arg: passed on to @f
 *
 * It returns when @f has been done, by this caller or another. After that there
 * is no system call. If the runner dies, the next waiter runs @f. The same
 * happens if @f does not return but is left by an exception, pthread_exit(3) or
 * a cancellation, as with pthread_once(3) and std::call_once(). After a
 * longjmp(3) out of @f the Once is still running.
 *
 * Return: 0; -EDEADLK from inside @f, with the same handle and in its thread
 * (with another handle it waits for ever); -EBADF if the handle is read-only
 * and it has not been done.
 */
int gosync_once_do(gosync_once_t *once, void (*f)(void *arg, int died),
		   void *arg);

/**
 * gosync_once_do_anyway() - gosync_once_do(), done however @f ends
 * @once: the handle
 * @f: as gosync_once_do()
 * @arg: passed on to @f
 *
 * If @f is left by an exception, pthread_exit(3) or a cancellation, it counts
 * as done. So it is in Go, where a function that panics counts as done. If the
 * runner dies, the next waiter runs @f all the same.
 *
 * Return: as gosync_once_do().
 */
int gosync_once_do_anyway(gosync_once_t *once, void (*f)(void *arg, int died),
			  void *arg);

/**
 * gosync_once_begin() - the first half of gosync_once_do()
 * @once: the handle
 *
 * If the caller is to do it, the handle is the runner. If the thread ends
 * before it is done, another thread has to do the rest, or to call
 * gosync_once_abandon(). Otherwise all wait until the handle is closed or the
 * process ends.
 *
 * Return: GOSYNC_ONCE_DONE (0): it has been done; GOSYNC_ONCE_RUN: the caller
 * is to do it and then call gosync_once_done(); GOSYNC_ONCE_RUN_AGAIN: the
 * same, and an earlier runner ended before it had done it; -EDEADLK: this
 * handle has begun it in this thread; -EBADF.
 */
int gosync_once_begin(gosync_once_t *once);

/**
 * gosync_once_begin_until() - gosync_once_begin(), until a deadline
 * @once: the handle
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Return: as gosync_once_begin(), -EDEADLK only for GOSYNC_FOREVER; -ETIMEDOUT,
 * -EINTR, -EINVAL.
 */
int gosync_once_begin_until(gosync_once_t *once, uint64_t deadline,
			    unsigned int flags);

/**
 * gosync_once_begin_cancel() - gosync_once_begin_until(), or until cancelled
 * @once: the handle
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 * @cancel: as gosync_wait_cancel()
 *
 * Return: as gosync_once_begin_until(); -ECANCELED.
 */
int gosync_once_begin_cancel(gosync_once_t *once, uint64_t deadline,
			     unsigned int flags, int cancel);

/**
 * gosync_once_done() - the second half of gosync_once_do()
 * @once: the handle
 *
 * Return: 0; -EPERM if this holder does not run it.
 */
int gosync_once_done(gosync_once_t *once);

/**
 * gosync_once_abandon() - take gosync_once_begin() back
 * @once: the handle
 *
 * For a runner that cannot do it after all. The next waiter is to do it, and is
 * told that an earlier runner began.
 *
 * Return: 0; -EPERM if this holder does not run it.
 */
int gosync_once_abandon(gosync_once_t *once);

/**
 * gosync_once_is_done() - whether it has been done
 * @once: the handle, which may be read-only
 *
 * Return: 1 if so, otherwise 0; -errno.
 */
int gosync_once_is_done(gosync_once_t *once);

/**
 * gosync_once_wait() - wait until it has been done
 * @once: the handle, which may be read-only
 *
 * Unlike gosync_once_begin() it never makes the caller do it. There is no
 * system call if it has been done.
 *
 * Return: 0; -EDEADLK: this handle has begun it in this thread; another -errno.
 */
int gosync_once_wait(gosync_once_t *once);

/**
 * gosync_once_wait_until() - gosync_once_wait(), until a deadline
 * @once: the handle, which may be read-only
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Return: 0; -EDEADLK: as gosync_once_wait(), only for GOSYNC_FOREVER;
 * -ETIMEDOUT, -EINTR, -EINVAL.
 */
int gosync_once_wait_until(gosync_once_t *once, uint64_t deadline,
			   unsigned int flags);

GOSYNC__OPEN(once)

/* The slow half, for when it has not been done */
int gosync_once_do_slow(gosync_once_t *once, void (*f)(void *arg, int died),
			void *arg);

/* A Once that has been done stays done, and a look changes nothing. */
GOSYNC_INLINE int gosync_once_do(gosync_once_t *once,
				 void (*f)(void *arg, int died), void *arg)
{
	if (__builtin_expect(__atomic_load_n((__u64 *)GOSYNC__STATE(once),
					     __ATOMIC_ACQUIRE) &
			     GOSYNC_ONCE_IS_DONE, 1))
		return 0;
	return gosync_once_do_slow(once, f, arg);
}

/* --- Cond ---------------------------------------------------------------- */

/**
 * DOC: gosync_cond - wait for an event with a lock
 *
 * It is Go's sync.Cond between processes. A waiter takes its place in the queue
 * before it unlocks, so each later signal finds it. Only a signal wakes it. A
 * waiter that leaves by its deadline or its death swallows no signal. The lock
 * is a Mutex or an RWMutex, and is given at each wait.
 */

typedef struct gosync_cond gosync_cond_t;

/**
 * gosync_cond_open() - open or create a Cond
 * @name: as gosync_mutex_open()
 * @flags: as gosync_mutex_open(), except GOSYNC_ERRORCHECK
 * @mode: as gosync_mutex_open()
 * @cond: where to put the handle
 *
 * Return: 0 or -errno of GOSYNC_IOC_OPEN.
 */
int gosync_cond_open(const char *name, unsigned int flags, unsigned int mode,
		     gosync_cond_t **cond);

/**
 * gosync_cond_from_fd() - make a handle of a received descriptor
 * @fd: a descriptor of a Cond; on success it belongs to the handle
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @cond: where to put the handle
 *
 * Return: as gosync_mutex_from_fd().
 */
int gosync_cond_from_fd(int fd, unsigned int flags, gosync_cond_t **cond);

/**
 * gosync_cond_wait() - unlock, wait for a signal, lock again
 * @cond: the handle
 * @lock: handle of the Mutex or RWMutex that the caller has locked
 *
 * There is no spurious wake-up. A signal that comes after the unlock finds the
 * caller waiting. The longest waiter is woken first.
 *
 * A signal handler may run during the wait, while the lock is not held; the
 * wait goes on afterwards. If the handler jumps out of the call, or the thread
 * ends in it, the wait ends later: when the thread waits for this Cond again,
 * or has ended.
 *
 * Return: 0: signalled, and the lock is held. 1: the same, and the lock is
 * poisoned. -EPERM: @lock was not locked. -ENOTTY: @lock is no Mutex and no
 * RWMutex. -EBADF: one of the handles is read-only.
 */
int gosync_cond_wait(gosync_cond_t *cond, const void *lock);

/**
 * gosync_cond_wait_until() - gosync_cond_wait(), until a deadline
 * @cond: the handle
 * @lock: as gosync_cond_wait()
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until(), and GOSYNC_READ_SIDE: @lock is an
 *	RWMutex that the caller has locked for reading
 *
 * The deadline ends the wait. Locking again may take longer.
 *
 * Return: as gosync_cond_wait(); -ETIMEDOUT, -EINTR: not signalled, and the
 * lock is held. If an owner of the lock died during the wait, and nobody has
 * called recover since, these become 1. Then the condition tells whether it was
 * signalled, and the next call with a deadline that has passed returns
 * -ETIMEDOUT.
 */
int gosync_cond_wait_until(gosync_cond_t *cond, const void *lock,
			   uint64_t deadline, unsigned int flags);

/**
 * gosync_cond_wait_cancel() - gosync_cond_wait_until(), or until cancelled
 * @cond: the handle
 * @lock: as gosync_cond_wait()
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_cond_wait_until()
 * @cancel: as gosync_wait_cancel()
 *
 * As the deadline does, @cancel ends the wait, not the locking.
 *
 * Return: as gosync_cond_wait_until(); -ECANCELED: as -ETIMEDOUT there.
 */
int gosync_cond_wait_cancel(gosync_cond_t *cond, const void *lock,
			    uint64_t deadline, unsigned int flags, int cancel);

/**
 * gosync_cond_signal() - wake the longest waiter
 * @cond: the handle
 *
 * The caller may hold the lock, but need not. There is no system call if nobody
 * waits.
 *
 * Return: 0; -EBADF if the handle is read-only and somebody waits.
 */
int gosync_cond_signal(gosync_cond_t *cond);

/**
 * gosync_cond_broadcast() - wake all waiters
 * @cond: the handle
 *
 * Return: as gosync_cond_signal().
 */
int gosync_cond_broadcast(gosync_cond_t *cond);

GOSYNC__OPEN(cond)

/* --- Semaphore ----------------------------------------------------------- */

/**
 * DOC: gosync_semaphore - a number of permits
 *
 * Waiters are served in their order. Permits belong to nobody: any holder may
 * release what another has acquired, and the permits of a process that dies are
 * lost. With GOSYNC_GIVE_BACK they belong to the holder that acquired them, and
 * are released when it ends.
 */

typedef struct gosync_semaphore gosync_semaphore_t;

/* The part of a handle that the inline fast paths work on */
struct gosync_semaphore {
	uintptr_t at;
};

/**
 * gosync_semaphore_open() - open or create a Semaphore
 * @name: as gosync_mutex_open()
 * @permits: how many it begins with, up to 2147483647; for a name that exists,
 *	0 or the present limit
 * @flags: as gosync_mutex_open(), with GOSYNC_GIVE_BACK instead of
 *	GOSYNC_ERRORCHECK. With that, permits that a holder acquired and did
 *	not release are released when it ends. It can release no more than
 *	these, and all operations are ioctls
 * @mode: as gosync_mutex_open()
 * @semaphore: where to put the handle
 *
 * Return: 0 or -errno of GOSYNC_IOC_OPEN.
 */
int gosync_semaphore_open(const char *name, unsigned int permits,
			  unsigned int flags, unsigned int mode,
			  gosync_semaphore_t **semaphore);

/**
 * gosync_semaphore_from_fd() - make a handle of a received descriptor
 * @fd: a descriptor of a Semaphore; on success it belongs to the handle
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @semaphore: where to put the handle
 *
 * Return: as gosync_mutex_from_fd().
 */
int gosync_semaphore_from_fd(int fd, unsigned int flags,
			     gosync_semaphore_t **semaphore);

/**
 * gosync_semaphore_acquire() - take permits, for as long as it takes
 * @semaphore: the handle
 * @n: how many, up to 2147483647
 *
 * First come, first served: a waiter for many permits is not overtaken by one
 * for few.
 *
 * Return: 0; -EINVAL; -EBADF if the handle is read-only.
 */
int gosync_semaphore_acquire(gosync_semaphore_t *semaphore, unsigned int n);

/**
 * gosync_semaphore_tryacquire() - take permits if they are there
 * @semaphore: the handle
 * @n: how many
 *
 * Return: as gosync_semaphore_acquire(); -EBUSY if there are too few, or
 * somebody waits.
 */
int gosync_semaphore_tryacquire(gosync_semaphore_t *semaphore, unsigned int n);

/**
 * gosync_semaphore_acquire_until() - take permits, until a deadline
 * @semaphore: the handle
 * @n: how many
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Return: as gosync_semaphore_acquire(); -ETIMEDOUT, -EINTR.
 */
int gosync_semaphore_acquire_until(gosync_semaphore_t *semaphore,
				   unsigned int n, uint64_t deadline,
				   unsigned int flags);

/**
 * gosync_semaphore_release() - add permits
 * @semaphore: the handle
 * @n: how many
 *
 * Return: 0; -EPERM if this holder has acquired fewer, with GOSYNC_GIVE_BACK;
 * -ERANGE if there would be more than 2147483647; -EINVAL; -EBADF.
 */
int gosync_semaphore_release(gosync_semaphore_t *semaphore, unsigned int n);

/**
 * gosync_semaphore_set_limit() - change how many permits there are in all
 * @semaphore: the handle
 * @limit: the new limit, up to 2147483647; before the first call it is what
 *	the Semaphore began with
 *
 * There are more or fewer permits by the difference, and waiters get new ones
 * at once. No holder loses any. If more permits are in use than the new limit,
 * those that come back are swallowed until the limit is reached.
 * &gosync_info.owed tells how many permits are in use beyond the limit.
 *
 * Return: 0; -ERANGE if there would be more than 2147483647; -EINVAL; -EBADF.
 */
int gosync_semaphore_set_limit(gosync_semaphore_t *semaphore,
			       unsigned int limit);

/**
 * gosync_semaphore_count() - how many permits there are
 * @semaphore: the handle
 *
 * Return: how many, or -errno.
 */
int gosync_semaphore_count(gosync_semaphore_t *semaphore);

int gosync_semaphore_open_abi(unsigned int abi, const char *name,
			      unsigned int permits, unsigned int flags,
			      unsigned int mode,
			      gosync_semaphore_t **semaphore);

GOSYNC_CALLER int gosync_semaphore_open(const char *name, unsigned int permits,
					unsigned int flags, unsigned int mode,
					gosync_semaphore_t **semaphore)
{
	return gosync_semaphore_open_abi(GOSYNC_ABI_VERSION, name, permits,
					 flags, mode, semaphore);
}

GOSYNC__FROM_FD(semaphore)

/* The slow halves, for when somebody waits or has to, or it isn't mapped */
int gosync_semaphore_acquire_slow(gosync_semaphore_t *semaphore,
				  unsigned int n);
int gosync_semaphore_release_slow(gosync_semaphore_t *semaphore,
				  unsigned int n);

/*
 * The compare-and-swap makes sure that nobody waits. So no waiter is owed
 * permits, and none is overtaken.
 */
GOSYNC_INLINE int gosync_semaphore_acquire(gosync_semaphore_t *semaphore,
					   unsigned int n)
{
	uintptr_t at = GOSYNC__AT(semaphore);
	__u64 *slot = (__u64 *)GOSYNC__STATE_AT(semaphore, at);
	__u64 word = __atomic_load_n(slot, __ATOMIC_RELAXED);

	GOSYNC_PROBE(semaphore_entry, semaphore);
	if (__builtin_expect(word <= GOSYNC_SEMAPHORE_PERMITS && word >= n, 1)) {
		GOSYNC__ANEW(at);
		slot = (__u64 *)GOSYNC__STATE_AT(semaphore, at);
		if (__builtin_expect(__atomic_compare_exchange_n(slot, &word,
								 word - n, 0,
								 __ATOMIC_ACQUIRE,
								 __ATOMIC_RELAXED), 1))
			return 0;
	}
	return gosync_semaphore_acquire_slow(semaphore, n);
}

/*
 * Here, too, the compare-and-swap makes sure that nobody waits for the permits.
 * So no wake-up is owed. Permits are nobody's, so a death leaves nothing of this
 * half done.
 */
GOSYNC_INLINE int gosync_semaphore_release(gosync_semaphore_t *semaphore,
					   unsigned int n)
{
	uintptr_t at = GOSYNC__AT(semaphore);
	__u64 *slot = (__u64 *)GOSYNC__STATE_AT(semaphore, at);
	__u64 word = __atomic_load_n(slot, __ATOMIC_RELAXED);

	GOSYNC_PROBE(semaphore_release, semaphore);
	if (__builtin_expect(word + n <= GOSYNC_SEMAPHORE_PERMITS, 1)) {
		GOSYNC__ANEW(at);
		slot = (__u64 *)GOSYNC__STATE_AT(semaphore, at);
		if (__builtin_expect(__atomic_compare_exchange_n(slot, &word,
								 word + n, 0,
								 __ATOMIC_RELEASE,
								 __ATOMIC_RELAXED), 1))
			return 0;
	}
	return gosync_semaphore_release_slow(semaphore, n);
}

/* --- Map ----------------------------------------------------------------- */

/**
 * DOC: gosync_map - values by key
 *
 * It is Go's sync.Map between processes, with keys and values of bytes. A load
 * makes no system call. Each operation on a key happens at one moment between
 * its call and its return. Only the kernel writes to a Map, so a process that
 * dies leaves no half of an entry.
 */

typedef struct gosync_map gosync_map_t;

/**
 * struct gosync_map_limits - what a Map can hold
 * @entries: how many entries (0: 4096; at most 4194304)
 * @key_size: longest key in bytes (0: 64; at most 255)
 * @value_size: longest value in bytes (0: 256; at most 65536)
 *
 * Each entry takes the memory of a key and a value of these sizes. The memory
 * grows with the number of entries that there are, not with the limit.
 */
struct gosync_map_limits {
	unsigned int entries;
	unsigned int key_size;
	unsigned int value_size;
};

/**
 * gosync_map_open() - open or create a Map
 * @name: as gosync_mutex_open()
 * @limits: what it can hold, NULL: all 0; for a name that exists, each is 0 or
 *	what it was created with
 * @flags: as gosync_mutex_open(), except GOSYNC_ERRORCHECK
 * @mode: as gosync_mutex_open()
 * @map: where to put the handle
 *
 * Return: 0 or -errno of GOSYNC_IOC_OPEN.
 */
int gosync_map_open(const char *name, const struct gosync_map_limits *limits,
		    unsigned int flags, unsigned int mode, gosync_map_t **map);

/**
 * gosync_map_from_fd() - make a handle of a received descriptor
 * @fd: a descriptor of a Map; on success it belongs to the handle
 * @flags: 0 or GOSYNC_IOCTL_ONLY
 * @map: where to put the handle
 *
 * Return: as gosync_mutex_from_fd().
 */
int gosync_map_from_fd(int fd, unsigned int flags, gosync_map_t **map);

/**
 * gosync_map_load() - copy a key's value
 * @map: the handle, which may be read-only
 * @key: the key, any bytes
 * @key_len: its length, 1 up to the limit
 * @buf: where to put the value
 * @len: in: room at @buf; out: the value's length, also with -EMSGSIZE
 *
 * There is no system call, and nothing is written to shared memory, whether the
 * key is there or not. Unless a value is returned, anything may be at @buf.
 * That holds for the other functions of Maps that return a value, too.
 *
 * Return: 0; -ENODATA if the key is absent; -EMSGSIZE if @buf is too short;
 * -EINVAL if @key_len is out of its range.
 */
int gosync_map_load(gosync_map_t *map, const void *key, size_t key_len,
		    void *buf, size_t *len);

/**
 * gosync_map_peek() - find a key's value, to read it where it is
 * @map: the handle, which may be read-only
 * @key: the key
 * @key_len: its length
 * @peek: out: where the value is
 *
 * This is for those to whom the copy that gosync_map_load() makes is too
 * much. The value is at an address that is a multiple of 8. See
 * gosync_peek_valid() for how to read it; it says no, too, when the key has
 * been deleted.
 *
 * Return: 0; -ENODATA; -EINVAL; -EBUSY if others change the Map so often
 * that it cannot be told; -EOPNOTSUPP and -EBADF as gosync_value_peek().
 */
int gosync_map_peek(gosync_map_t *map, const void *key, size_t key_len,
		    struct gosync_peek *peek);

/**
 * gosync_map_store() - set a key's value
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @buf: the value
 * @len: its length, up to the limit
 *
 * Return: 0; -ENOSPC if the key is new and the Map is full; -ENOMEM; -EINVAL;
 * -EMSGSIZE if @len is more than the limit; -EBADF if the handle is read-only.
 */
int gosync_map_store(gosync_map_t *map, const void *key, size_t key_len,
		     const void *buf, size_t len);

/**
 * struct gosync_map_pair - a key and the value that it is to have
 * @key: the key
 * @key_len: its length
 * @buf: the value
 * @len: its length
 */
struct gosync_map_pair {
	const void *key;
	size_t key_len;
	const void *buf;
	size_t len;
};

/**
 * gosync_map_store_many() - set the values of several keys
 * @map: the handle
 * @pairs: the keys and their values
 * @count: how many there are, 1 to GOSYNC_MAP_STORE_MAX
 *
 * It is one system call, and whoever waits for a change of the Map is told
 * once. Either all of them are stored or, after an error, none. They are stored
 * one after the other in the order of @pairs: others may see the first ones
 * before the last ones. If a key is there twice, its last pair wins.
 *
 * Return: as gosync_map_store(), -ENOSPC if the Map has no room for all new
 * keys; -EINVAL also if @count is out of its range.
 */
int gosync_map_store_many(gosync_map_t *map,
			  const struct gosync_map_pair *pairs,
			  unsigned int count);

/**
 * gosync_map_load_or_store() - get a key's value, or set it if absent
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @buf: the value to store
 * @len: its length
 * @old: where to put the value that is there
 * @old_len: in: room at @old; out: its length, also with -EMSGSIZE
 *
 * Return: 1 if it was loaded, 0 if stored; or as gosync_map_store(), -EMSGSIZE
 * also if @old is too short.
 */
int gosync_map_load_or_store(gosync_map_t *map, const void *key,
			     size_t key_len, const void *buf, size_t len,
			     void *old, size_t *old_len);

/**
 * gosync_map_load_and_delete() - remove a key and get its value
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @old: where to put the value
 * @old_len: in: room at @old; out: its length, also with -EMSGSIZE, and then
 *	the key is still there
 *
 * Return: 0; -ENODATA if the key is absent; or -errno.
 */
int gosync_map_load_and_delete(gosync_map_t *map, const void *key,
			       size_t key_len, void *old, size_t *old_len);

/**
 * gosync_map_delete() - remove a key
 * @map: the handle
 * @key: the key
 * @key_len: its length
 *
 * Return: 1 if it was there, 0 if it was not; or -errno.
 */
int gosync_map_delete(gosync_map_t *map, const void *key, size_t key_len);

/**
 * gosync_map_swap() - set a key's value and get the old one
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @buf: the new value
 * @len: its length
 * @old: where to put the old value
 * @old_len: in: room at @old; out: its length, also with -EMSGSIZE
 *
 * Return: 1; 0 if the key was absent; or as gosync_map_store(), -EMSGSIZE also
 * if @old is too short.
 */
int gosync_map_swap(gosync_map_t *map, const void *key, size_t key_len,
		    const void *buf, size_t len, void *old, size_t *old_len);

/**
 * gosync_map_cas() - replace a key's value if it is what is expected
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @old: the expected value
 * @old_len: its length
 * @buf: the new value
 * @len: its length
 *
 * Values are equal when their lengths and all their bytes are.
 *
 * Return: 1 if replaced, 0 if the key is absent or has another value; or
 * -errno.
 */
int gosync_map_cas(gosync_map_t *map, const void *key, size_t key_len,
		   const void *old, size_t old_len, const void *buf,
		   size_t len);

/**
 * gosync_map_compare_and_delete() - remove a key if its value is as expected
 * @map: the handle
 * @key: the key
 * @key_len: its length
 * @old: the expected value
 * @old_len: its length
 *
 * Return: 1 if removed, 0 if the key is absent or has another value; or
 * -errno.
 */
int gosync_map_compare_and_delete(gosync_map_t *map, const void *key,
				  size_t key_len, const void *old,
				  size_t old_len);

/**
 * gosync_map_range() - walk the entries
 * @map: the handle, which may be read-only
 * @fn: called for each with copies of key and value and no lock held, so it
 *	may do anything with the map; a return other than 0 ends the walk
 * @arg: passed on to @fn
 *
 * No key is visited twice. Each key that is there during the whole walk is
 * visited. The walk is no snapshot of the Map at one moment.
 *
 * Return: 0 at the end, what @fn returned, or -errno.
 */
int gosync_map_range(gosync_map_t *map,
		     int (*fn)(const void *key, size_t key_len,
			       const void *value, size_t len, void *arg),
		     void *arg);

/**
 * struct gosync_map_entry - an entry of a walk
 * @key: its key
 * @key_len: the length of the key
 * @value: its value
 * @len: the length of the value
 */
struct gosync_map_entry {
	const void *key;
	size_t key_len;
	const void *value;
	size_t len;
};

typedef struct gosync_map_cursor gosync_map_cursor_t;

/**
 * gosync_map_begin() - begin a walk over the keys and their values
 * @map: the handle, which may be read-only and has to stay open meanwhile
 * @cursor: where to put the walk
 *
 * The walk is that of gosync_map_range(), for a program that cannot well use a
 * callback. One thread at a time may use a cursor.
 *
 * Return: 0 or -ENOMEM.
 */
int gosync_map_begin(gosync_map_t *map, gosync_map_cursor_t **cursor);

/**
 * gosync_map_next() - go on with a walk
 * @cursor: the walk
 * @entry: where to put the next entry; what it points to is a copy, which stays
 *	until the next call with @cursor
 *
 * Return: 1 with an entry, 0 at the end, or -errno.
 */
int gosync_map_next(gosync_map_cursor_t *cursor, struct gosync_map_entry *entry);

/**
 * gosync_map_end() - end a walk
 * @cursor: the walk, which need not be at its end; or NULL
 */
void gosync_map_end(gosync_map_cursor_t *cursor);

/**
 * gosync_map_clear() - remove all keys, at one moment
 * @map: the handle
 *
 * Return: 0 or -errno.
 */
int gosync_map_clear(gosync_map_t *map);

/**
 * gosync_map_len() - how many entries there are
 * @map: the handle, which may be read-only
 *
 * Return: how many, or -errno.
 */
long gosync_map_len(gosync_map_t *map);

/**
 * gosync_map_wait() - wait until anything in the Map is changed
 * @map: the handle, which may be read-only
 * @version: in: wait until the version is another one; 0: return at once; out:
 *	what it is, never 0
 *
 * A caller that gets the version, then looks, then waits, misses no change.
 *
 * Return: 0 or -errno.
 */
int gosync_map_wait(gosync_map_t *map, uint64_t *version);

/**
 * gosync_map_wait_until() - gosync_map_wait(), until a deadline
 * @map: the handle, which may be read-only
 * @version: as gosync_map_wait()
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Return: 0; -ETIMEDOUT, -EINTR, -EINVAL.
 */
int gosync_map_wait_until(gosync_map_t *map, uint64_t *version,
			  uint64_t deadline, unsigned int flags);

int gosync_map_open_abi(unsigned int abi, const char *name,
			const struct gosync_map_limits *limits, size_t size,
			unsigned int flags, unsigned int mode,
			gosync_map_t **map);

GOSYNC_CALLER int gosync_map_open(const char *name,
				  const struct gosync_map_limits *limits,
				  unsigned int flags, unsigned int mode,
				  gosync_map_t **map)
{
	return gosync_map_open_abi(GOSYNC_ABI_VERSION, name, limits,
				   sizeof(*limits), flags, mode, map);
}

GOSYNC__FROM_FD(map)

/* --- Several things at once ---------------------------------------------- */

/**
 * DOC: gosync_wait - wait for several things at once, or for a name
 *
 * An entry is an object with an operation that may wait. The functions whose
 * names begin with gosync_entry make entries. gosync_wait_any() gets one of up
 * to 64 entries, and gosync_wait_all() all of them at one moment. A wait has a
 * place in each queue, as any waiter has.
 *
 * Words have gosync_entry_int32() and so on: see gosync_atomic(3).
 */

/**
 * gosync_wait_any() - wait for one of several things, and get it
 * @entries: what to wait for: see gosync_entry_mutex() and the functions that
 *	follow it
 * @count: how many, 1 to GOSYNC_WAIT_MAX
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * Exactly one entry is granted, the first that can be. Nothing is done with the
 * others. The grant belongs to the entry's handle, as if that had been asked
 * for alone, and is released in the same way. The entry's @result is what that
 * call would have returned: 1 for a lock that is poisoned. The @value of a
 * Value, a Map or a word becomes what is there now.
 *
 * Return: the index of the entry; -ETIMEDOUT, -EINTR; -EBADF: an entry's
 * descriptor is none, or is read-only and the operation does not only observe;
 * -EINVAL; -ENOMEM; -ENOTTY: an entry's operation does not suit its descriptor.
 */
int gosync_wait_any(struct gosync_wait_entry *entries, unsigned int count,
		    uint64_t deadline, unsigned int flags);

/**
 * gosync_wait_cancel() - wait for one thing, which another thread may end
 * @entry: what to wait for, as gosync_wait_any()
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 * @cancel: a descriptor that ends the wait once it is readable, has an error or
 *	is hung up, such as one of eventfd(2), pidfd_open(2) or pipe(2)
 *
 * A grant wins over @cancel. It is gosync_wait_any() with gosync_entry_fd(), and
 * always makes a system call, so a lock is better tried first. A Cond and the
 * beginning of a Once have gosync_cond_wait_cancel() and
 * gosync_once_begin_cancel().
 *
 * Return: what the operation of @entry would return, 0 or 1; -ECANCELED: it was
 * not granted; or as gosync_wait_any().
 */
int gosync_wait_cancel(struct gosync_wait_entry *entry, uint64_t deadline,
		       unsigned int flags, int cancel);

/**
 * gosync_wait_all() - wait for several things, and get all of them
 * @entries: as gosync_wait_any(), without gosync_entry_fd()
 * @count: how many, 1 to GOSYNC_WAIT_MAX
 * @deadline: as gosync_mutex_lock_until()
 * @flags: as gosync_mutex_lock_until()
 *
 * All entries are granted at one moment, or none is. So waits for several locks
 * do not deadlock with each other, in whatever order they name the locks. Each
 * entry's @result and @value are as with gosync_wait_any().
 *
 * Return: 0; as gosync_wait_any(); -EDEADLK: a Mutex or RWMutex is asked for
 * twice.
 */
int gosync_wait_all(struct gosync_wait_entry *entries, unsigned int count,
		    uint64_t deadline, unsigned int flags);

/**
 * gosync_await_name() - wait until a name exists, and open it
 * @name: the name, of the caller's IPC namespace
 * @type: &enum gosync_type, or 0 for any
 * @deadline: as gosync_mutex_lock_until()
 * @flags: 0 or GOSYNC_RDONLY, as gosync_mutex_open(); and those of
 *	gosync_mutex_lock_until()
 *
 * The descriptor is close-on-exec. Pass it to the gosync_N_from_fd() of its
 * type. Until then it is a descriptor like any other, so a child of fork(2) has
 * it, too.
 *
 * A name that is unlinked again at once may be missed; a name that stays is
 * not. If there is a name that the caller may not open, or one of another type,
 * the call fails at once.
 *
 * Any thread may call it. Other threads may open and close meanwhile.
 *
 * Return: the descriptor; -EACCES, -EINTR (GOSYNC_INTERRUPTIBLE), -EINVAL,
 * -EMFILE, -ENAMETOOLONG, -ENFILE, -ENOMEM, -ENXIO, -EPROTO, -EPROTOTYPE,
 * -ETIMEDOUT.
 */
int gosync_await_name(const char *name, unsigned int type, uint64_t deadline,
		      unsigned int flags);

/**
 * gosync_device() - the library's own descriptor of /dev/gosync
 *
 * For gosync_prep_wait_any() of <gosync-uring.h>. The library opens it when an
 * object is first opened or waited for, and keeps it open. A child of fork(2)
 * has the same descriptor, which holds nothing.
 *
 * Return: the descriptor, or -errno; -ENXIO if the module isn't loaded.
 */
int gosync_device(void);

GOSYNC_INLINE struct gosync_wait_entry
gosync_entry(int fd, unsigned int op, unsigned int index, uint64_t value)
{
	struct gosync_wait_entry entry;

	entry.fd = fd;
	entry.op = op;
	entry.index = index;
	entry.result = 0;
	entry.value = value;
	return entry;
}

/**
 * gosync_entry_mutex() - an entry that locks
 * @mutex: the handle
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry
gosync_entry_mutex(const gosync_mutex_t *mutex)
{
	return gosync_entry(gosync_fd(mutex), GOSYNC_IOC_MUTEX_LOCK, 0, 0);
}

/**
 * gosync_entry_rwmutex() - an entry that locks for writing
 * @rwmutex: the handle
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry
gosync_entry_rwmutex(const gosync_rwmutex_t *rwmutex)
{
	return gosync_entry(gosync_fd(rwmutex), GOSYNC_IOC_RWMUTEX_LOCK, 0, 0);
}

/**
 * gosync_entry_rwmutex_read() - an entry that locks for reading
 * @rwmutex: the handle
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry
gosync_entry_rwmutex_read(const gosync_rwmutex_t *rwmutex)
{
	return gosync_entry(gosync_fd(rwmutex), GOSYNC_IOC_RWMUTEX_RLOCK, 0, 0);
}

/**
 * gosync_entry_semaphore() - an entry that takes permits
 * @semaphore: the handle
 * @n: how many
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry
gosync_entry_semaphore(const gosync_semaphore_t *semaphore, unsigned int n)
{
	return gosync_entry(gosync_fd(semaphore), GOSYNC_IOC_SEMAPHORE_ACQUIRE,
			    0, n);
}

/**
 * gosync_entry_waitgroup() - an entry that waits until the counter is 0
 * @wg: the handle, which may be read-only
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry
gosync_entry_waitgroup(const gosync_waitgroup_t *wg)
{
	return gosync_entry(gosync_fd(wg), GOSYNC_IOC_WAITGROUP_WAIT, 0, 0);
}

/**
 * gosync_entry_once() - an entry that waits until it has been done
 * @once: the handle, which may be read-only
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry
gosync_entry_once(const gosync_once_t *once)
{
	return gosync_entry(gosync_fd(once), GOSYNC_IOC_ONCE_WAIT, 0, 0);
}

/**
 * gosync_entry_value() - an entry that waits until the Value is stored again
 * @value: the handle, which may be read-only
 * @version: wait until the version is no longer this
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry
gosync_entry_value(const gosync_value_t *value, uint64_t version)
{
	return gosync_entry(gosync_fd(value), GOSYNC_IOC_VALUE_WAIT, 0,
			    version);
}

/**
 * gosync_entry_map() - an entry that waits until anything in the Map is changed
 * @map: the handle, which may be read-only
 * @version: wait until the version is no longer this
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry
gosync_entry_map(const gosync_map_t *map, uint64_t version)
{
	return gosync_entry(gosync_fd(map), GOSYNC_IOC_MAP_WAIT, 0, version);
}

/**
 * gosync_entry_fd() - an entry that waits until any descriptor is ready
 * @fd: the descriptor, for example of a socket
 * @events: POLLIN ..., as for poll(2)
 *
 * Nothing is read or written. The entry's @result becomes the events that there
 * are. For gosync_wait_any() only.
 *
 * Return: the entry.
 */
GOSYNC_INLINE struct gosync_wait_entry gosync_entry_fd(int fd, short events)
{
	return gosync_entry(fd, 0, (unsigned short)events, 0);
}

#ifdef __cplusplus
}
#endif

/* Atomic words */
#include <gosync-atomic.h>

/* Not in the library itself, whose functions it is about. */
#if !defined(GOSYNC_NO_TSAN) && defined(__SANITIZE_THREAD__)
#include <gosync-tsan.h>
#elif !defined(GOSYNC_NO_TSAN) && defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <gosync-tsan.h>
#endif
#endif

#if defined(__clang__)
#pragma clang diagnostic pop
#elif defined(__cplusplus)
#pragma GCC diagnostic pop
#endif

#endif /* GOSYNC_USER_H */
