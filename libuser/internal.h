/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library's files share.
 */
#ifndef GOSYNC_INTERNAL_H
#define GOSYNC_INTERNAL_H

#define EXPORT		__attribute__((visibility("default")))
#define GOSYNC_NO_TSAN

#include <stdlib.h>
#include <unistd.h>

#include "gosync-user.h"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/*
 * What a variable stands for goes with its scope, also when that is left by an
 * exception, pthread_exit(3) or a cancellation out of a callback.
 */
#define CLEANUP(f)	__attribute__((cleanup(f)))

static inline void gosync_free_it(void *variable)
{
	free(*(void **)variable);
}

/**
 * struct gosync_base - what every handle has
 * @next: in the list of all handles
 * @prev: likewise
 * @map: the mapped state, NULL if there is none
 * @map_len: its length
 * @fd: the descriptor
 * @type: &enum gosync_type
 * @holder: the number of our holder
 * @reopened: tells the primitive, in a child after fork(2), that @holder is
 *	another now; may be NULL
 *
 * It stands in front of the handle proper, which has what the fast paths need
 * in a cache line of its own.
 */
struct gosync_base {
	struct gosync_base *next;
	struct gosync_base *prev;
	char *map;
	size_t map_len;
	int fd;
	unsigned int type;
	uint32_t holder;
	void (*reopened)(void *object);
} __attribute__((aligned(64)));

static inline struct gosync_base *gosync_base_of(const void *object)
{
	return (struct gosync_base *)object - 1;
}

/**
 * struct gosync_create - what to open
 * @abi: the version that the caller was compiled with
 * @name: the name, NULL: anonymous
 * @type: &enum gosync_type
 * @flags: of the library
 * @mode: permission bits
 * @capacity: words, bytes, or entries
 * @key_size: Map: longest key
 * @value_size: Map: longest value
 */
struct gosync_create {
	const char *name;
	unsigned int abi;
	unsigned int type;
	unsigned int flags;
	unsigned int mode;
	uint64_t capacity;
	uint32_t key_size;
	uint32_t value_size;
};

/*
 * The open and from_fd of a type whose objects have no capacity: @size bytes of
 * handle, completed by @set_up(handle, info).
 */
#define DEFINE_OPEN(N, TYPE, size, set_up)				\
EXPORT int gosync_##N##_open_abi(unsigned int abi, const char *name,	\
				 unsigned int flags, unsigned int mode,	\
				 gosync_##N##_t **handle)		\
{									\
	const struct gosync_create create = {				\
		.abi = abi,						\
		.name = name,						\
		.type = (TYPE),						\
		.flags = flags,						\
		.mode = mode,						\
	};								\
	struct gosync_info info;					\
	int ret;							\
									\
	ret = gosync_open_handle(&create, size, (void **)handle, &info); \
	if (!ret)							\
		set_up(*handle, &info);					\
	return ret;							\
}									\
DEFINE_FROM_FD(N, TYPE, size, set_up)

#define DEFINE_FROM_FD(N, TYPE, size, set_up)			\
EXPORT int gosync_##N##_from_fd_abi(unsigned int abi, int fd,		\
				    unsigned int flags,			\
				    gosync_##N##_t **handle)		\
{									\
	struct gosync_info info;					\
	int ret;							\
									\
	ret = gosync_adopt_fd(abi, fd, TYPE, flags, size,		\
			      (void **)handle, &info);			\
	if (!ret)							\
		set_up(*handle, &info);					\
	return ret;							\
}

/* As in Go: so many rounds of so many pauses before sleeping */
#define SPIN_ROUNDS	4
#define SPIN_PAUSES	30

static inline void spin(void)
{
	int i;

	for (i = 0; i < SPIN_PAUSES; i++) {
#if __has_builtin(__builtin_ia32_pause)
		__builtin_ia32_pause();
#else
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
	}
}

static inline int spin_rounds(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SPIN_ROUNDS : 0;
}

/* The state, if it is mapped; @write: and may be written */
static inline void *state_of(const void *object, const struct gosync_info *info,
			     int write)
{
	struct gosync_base *base = gosync_base_of(object);

	if (!base->map || (write && info->flags & GOSYNC_RDONLY))
		return NULL;
	return base->map + info->map_offset;
}

/* What whoever has just locked a Mutex word does, while it owns the lock */
static inline void count_token(__u64 *token)
{
	__atomic_store_n(token, __atomic_load_n(token, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_RELAXED);
}

static inline uint64_t locked_by(const void *object)
{
	return GOSYNC_MUTEX_LOCKED | (uint64_t)gosync_base_of(object)->holder <<
		GOSYNC_MUTEX_OWNER_SHIFT;
}

/* Flags that those which wait until a deadline take */
#define WAIT_FLAGS	(GOSYNC_CLOCK_REALTIME | GOSYNC_INTERRUPTIBLE)

int gosync_ioctl(const void *object, unsigned int op, void *arg);
int gosync_open_handle(const struct gosync_create *create, size_t size,
		       void **object, struct gosync_info *info);
int gosync_adopt_fd(unsigned int abi, int fd, unsigned int type,
		    unsigned int flags, size_t size, void **object,
		    struct gosync_info *info);
int gosync_wait_fd(int fd, unsigned int op, void *arg, unsigned int flags);
int gosync_wait_ioctl(const void *object, unsigned int op, void *arg,
		      unsigned int flags);
int gosync_wait_version(const void *object, unsigned int op, uint64_t *version,
			uint64_t deadline, unsigned int flags);

#endif /* GOSYNC_INTERNAL_H */
