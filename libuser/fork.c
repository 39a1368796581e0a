// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles: where they are kept, and what becomes of them in a copy of the
 * process.
 *
 * A child inherits its parent's descriptors, which are the same holders. If it
 * locked with them it would own the parent's locks. As long as it has them, the
 * parent's locks outlive the parent. So in a child every handle gets a holder
 * of its own, by GOSYNC_IOC_REOPEN, and the inherited descriptor is closed. If
 * that fails, the handle has no descriptor, and its operations fail with EBADF.
 * The mapping belongs to the object and stays.
 *
 * For three reasons there is no moment in between:
 *
 * - Operations work with the handle proper. It is in pages that the kernel
 *   fills with zeros in any copy of the process, made by fork(2), _Fork(3) or
 *   clone(2). A handle of zeros has no state and no holder. So each operation
 *   needs the descriptor, by gosync_fd() or __gosync_ioctl(), and these notice
 *   the copy. A child of vfork(2) or posix_spawn(3) is no copy: it uses its
 *   parent's memory, and finds everything as it was.
 * - fork(2) runs our handlers. So a child that never calls the library does not
 *   keep the parent's locks either.
 * - @lock is held from before a descriptor is opened until its handle is in the
 *   list. It is held again from when the handle leaves the list until the
 *   descriptor is closed, and over fork(2). So no child inherits a holder that
 *   it does not know of. fork(2) may have to wait for another thread's
 *   GOSYNC_IOC_OPEN or close(2). Neither of these sleeps on somebody's lock.
 *
 * Without MADV_WIPEONFORK (some emulators) only children of fork(2) are
 * noticed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define HANDLES		(GOSYNC__STAND_IN / GOSYNC_HANDLE_SIZE)

/*
 * Both halves of HANDLES handles. The first place of the first arena belongs to
 * &struct gosync_process; the first place of each other one is not used.
 */
struct arena {
	union {
		struct gosync_base bases[HANDLES];
		struct arena *next;
	};
	char handles[HANDLES][GOSYNC_HANDLE_SIZE];
};

_Static_assert(sizeof(struct gosync_base) == GOSYNC_HANDLE_SIZE, "size");
_Static_assert(offsetof(struct gosync_base, stand_in) == 0, "as in the header");

_Static_assert(sizeof(struct gosync_process) <= GOSYNC_HANDLE_SIZE, "size");

/* Before there is a list, there are no handles to renew. */
static struct gosync_process no_list = { .known = 1 };
struct gosync_process *__gosync_process = &no_list;

/*
 * The list: the arenas, how many places of the newest one have been used
 * (@begun), and the places that were given up (@unused). If the process is
 * copied by other means than fork(2), another thread may be changing the list
 * at that moment. So each change is a single store, before and after which the
 * list is right.
 */
static struct arena *arenas;
static unsigned int begun;
static struct gosync_base *unused;

static struct arena *make_arena(void)
{
	struct arena *arena;

	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		return NULL;
	madvise(arena->handles, sizeof(arena->handles), MADV_WIPEONFORK);
	return arena;
}

/**
 * __gosync_base_alloc() - get a place for a handle
 *
 * The list must be locked. The place is in the list once it has a type.
 *
 * Return: the place, all zeros; or NULL.
 */
struct gosync_base *__gosync_base_alloc(void)
{
	struct gosync_base *base = unused;
	struct arena *arena;

	if (base) {
		unused = base->extra;
		memset(base, 0, sizeof(*base));
		return base;
	}
	if (begun == HANDLES) {
		arena = make_arena();
		if (!arena)
			return NULL;
		arena->next = arenas;
		/* For a moment all its places count as used, without a type. */
		__atomic_store_n(&arenas, arena, __ATOMIC_RELEASE);
		__atomic_store_n(&begun, 1, __ATOMIC_RELEASE);
	}
	return &arenas->bases[begun++];
}

/**
 * __gosync_base_free() - give a place up
 * @base: the place; its descriptor is closed
 *
 * The list must be locked.
 */
void __gosync_base_free(struct gosync_base *base)
{
	__atomic_store_n(&base->type, 0, __ATOMIC_RELEASE);
	memset(gosync_handle_of(base), 0, GOSYNC_HANDLE_SIZE);
	free(base->extra);
	base->extra = unused;
	unused = base;
}

/**
 * __gosync_close_base() - close a handle's descriptor, if it still is the handle's
 * @base: the handle
 *
 * The program may have closed it, with all others, and may have something else
 * under its number.
 */
void __gosync_close_base(struct gosync_base *base)
{
	if (__gosync_has_fd(base))
		__gosync_close_fd(base->fd);
	base->fd = -EBADF;
}

/* Put another holder under the same number. Return: 0 or -errno */
static int reopen(struct gosync_base *base, struct gosync_info *info)
{
	int flags, fd, ret;

	if (!__gosync_has_fd(base))
		return -EBADF;
	flags = fcntl(base->fd, F_GETFD);
	fd = __gosync_fd_ioctl(base->fd, GOSYNC_IOC_REOPEN, NULL);
	if (fd < 0)
		return fd;
	ret = __gosync_fd_info(fd, info);
	if (!ret && dup3(fd, base->fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0) < 0)
		ret = -errno;
	__gosync_close_fd(fd);
	return ret;
}

static void renew(struct gosync_base *base)
{
	struct gosync_info info;

	memset(gosync_handle_of(base), 0, GOSYNC_HANDLE_SIZE);
	if (reopen(base, &info)) {
		__gosync_close_base(base);
		/* malloc(3) may be locked in a copy. So this may lose memory. */
		__gosync_unmap_base(base);
		return;
	}
	base->holder = info.holder;
	base->kind->set_up(gosync_handle_of(base), &info);
}

/* Give each handle a holder of its own: once in each copy of the process */
static void renew_all(void)
{
	unsigned int i, n = begun;
	struct arena *arena;

	for (arena = arenas; arena; arena = arena->next, n = HANDLES)
		for (i = 1; i < n; i++)
			if (__atomic_load_n(&arena->bases[i].type,
					    __ATOMIC_ACQUIRE))
				renew(&arena->bases[i]);
	__atomic_store_n(&__gosync_process->known, 1, __ATOMIC_RELEASE);
}

/* A caller that holds the lock must not call gosync_notice(). */
void __gosync_lock_list(void)
{
	pthread_mutex_lock(&__gosync_process->lock);
	if (!__gosync_process->known)
		renew_all();
}

void __gosync_unlock_list(void)
{
	pthread_mutex_unlock(&__gosync_process->lock);
}

void __gosync_notice_slow(void)
{
	__gosync_lock_list();
	__gosync_unlock_list();
}

static void before_fork(void)
{
	pthread_mutex_lock(&__gosync_process->lock);
}

static void in_parent(void)
{
	pthread_mutex_unlock(&__gosync_process->lock);
}

static void in_child(void)
{
	/* The kernel has done it, if it knows MADV_WIPEONFORK. */
	memset(__gosync_process, 0, sizeof(*__gosync_process));
	renew_all();
}

/**
 * __gosync_has_list() - make the list, unless there is one
 *
 * It runs when the library is loaded, before there are threads that fork. But a
 * constructor of the program may run first and open a handle.
 *
 * Return: whether there is a list.
 */
__attribute__((constructor))
int __gosync_has_list(void)
{
	if (__gosync_process != &no_list)
		return 1;
	arenas = make_arena();
	if (!arenas)
		return 0;
	begun = 1;
	__gosync_process = (struct gosync_process *)arenas->handles[0];
	__gosync_process->known = 1;
	pthread_atfork(before_fork, in_parent, in_child);
	return 1;
}
