/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library's files share.
 */
#ifndef GOSYNC_INTERNAL_H
#define GOSYNC_INTERNAL_H

#define EXPORT		__attribute__((visibility("default")))
#define GOSYNC_NO_TSAN

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "gosync-user.h"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/*
 * Calls f(&variable) at the end of the variable's scope, also when a callback
 * leaves the scope by an exception, pthread_exit(3) or a cancellation.
 */
#define CLEANUP(f)	__attribute__((cleanup(f)))

static inline void gosync_free_it(void *variable)
{
	free(*(void **)variable);
}

/*
 * A handle has two halves, of a cache line each. Operations work with the
 * first, which the kernel fills with zeros in a copy of the process. The
 * second, struct gosync_base, is GOSYNC__STAND_IN bytes before it. A copy finds
 * it as it was.
 */
#define GOSYNC_HANDLE_SIZE	64

/**
 * struct gosync_kind - what the handles of a primitive have in common
 * @stand_in: a word with which every fast path leaves the operation to the
 *	kernel
 * @extra: bytes of further memory for a handle, which a copy of the process
 *	keeps
 * @set_up: fills in a handle full of zeros from @info, which describes its
 *	descriptor. It also runs in a child after fork(2), which has another
 *	holder. It stores last, with release, what the fast paths look at first.
 *	It must not call anything that calls gosync_notice()
 */
struct gosync_kind {
	uint64_t stand_in;
	size_t extra;
	void (*set_up)(void *handle, const struct gosync_info *info);
};

/**
 * struct gosync_mapping - a mapping of state
 * @next: the next one in its list
 * @id: &gosync_info.map_id; 0: the module is too old to tell, nobody shares it
 * @prot: PROT_READ, perhaps with PROT_WRITE
 * @handles: how many handles use it
 * @addr: where it begins
 * @len: its length
 */
struct gosync_mapping {
	struct gosync_mapping *next;
	uint64_t id;
	int prot;
	unsigned int handles;
	char *addr;
	size_t len;
};

/**
 * struct gosync_base - what every handle has
 * @stand_in: stands in for mapped state; the kind's
 * @kind: its kind
 * @extra: as much memory as @kind says; while this place is unused, the next
 *	unused place
 * @mapping: the mapping with the state, NULL if there is none
 * @id: the object's number
 * @holder: the number of our holder
 * @fd: the descriptor; -EBADF: this copy of the process has got none
 * @type: &enum gosync_type; 0: the handle is not in the list
 */
struct gosync_base {
	uint64_t stand_in;
	const struct gosync_kind *kind;
	void *extra;
	struct gosync_mapping *mapping;
	uint64_t id;
	uint32_t holder;
	int fd;
	unsigned int type;
} __attribute__((aligned(GOSYNC_HANDLE_SIZE)));

static inline struct gosync_base *gosync_base_of(const void *handle)
{
	return (struct gosync_base *)((char *)handle - GOSYNC__STAND_IN);
}

static inline void *gosync_handle_of(const struct gosync_base *base)
{
	return (char *)base + GOSYNC__STAND_IN;
}

/**
 * struct gosync_process - the library's state that a copy of the process finds
 *	full of zeros
 * @lock: protects the list of handles. It is also held from before a descriptor
 *	is opened until it is listed, and from when it leaves the list until it
 *	is closed. Zeros are an unlocked lock
 * @known: 1 if the handles are this process's, 0 in a new copy of it
 */
struct gosync_process {
	pthread_mutex_t lock;
	int known;
};

extern struct gosync_process *__gosync_process
	__attribute__((visibility("hidden")));

void __gosync_notice_slow(void);

/*
 * Called before a handle's descriptor is used: if this is a new copy of the
 * process, all handles get holders of their own first.
 */
static inline void gosync_notice(void)
{
	/* Pairs with renew_all() in another thread. */
	if (unlikely(!__atomic_load_n(&__gosync_process->known,
				      __ATOMIC_ACQUIRE)))
		__gosync_notice_slow();
}

static inline int gosync_fd_of(const void *handle)
{
	gosync_notice();
	return gosync_base_of(handle)->fd;
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

/* Defines N_kind. @set_up may take a pointer of the handle's own type. */
#define DEFINE_KIND(N, handle, word, memory, set_up)			\
_Static_assert(sizeof(handle) <= GOSYNC_HANDLE_SIZE, "size");		\
static void set_up_any(void *object, const struct gosync_info *info)	\
{									\
	set_up(object, info);						\
}									\
static const struct gosync_kind N##_kind = {				\
	.stand_in = word,						\
	.extra = memory,						\
	.set_up = set_up_any,						\
}

/* The open and from_fd of a type whose objects have no capacity */
#define DEFINE_OPEN(N, TYPE)						\
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
									\
	return __gosync_open_handle(&N##_kind, &create, (void **)handle); \
}									\
DEFINE_FROM_FD(N, TYPE)

#define DEFINE_FROM_FD(N, TYPE)						\
EXPORT int gosync_##N##_from_fd_abi(unsigned int abi, int fd,		\
				    unsigned int flags,			\
				    gosync_##N##_t **handle)		\
{									\
	return __gosync_adopt_fd(&N##_kind, abi, fd, TYPE, flags,	\
				 (void **)handle);			\
}

/* As Go does before it sleeps: rounds of spinning, and pauses in a round */
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

/*
 * 0 on a single processor. The number is kept, as asking for it takes system
 * calls; a child has as many processors as its parent.
 */
static inline int spin_rounds(void)
{
	static int processors;
	int n = __atomic_load_n(&processors, __ATOMIC_RELAXED);

	if (!n) {
		n = sysconf(_SC_NPROCESSORS_ONLN);
		__atomic_store_n(&processors, n, __ATOMIC_RELAXED);
	}
	return n > 1 ? SPIN_ROUNDS : 0;
}

/* The state, or NULL if it is not mapped, or if @write and it is read-only */
static inline void *state_of(const void *object, const struct gosync_info *info,
			     int write)
{
	struct gosync_base *base = gosync_base_of(object);

	if (!base->mapping || (write && info->flags & GOSYNC_RDONLY))
		return NULL;
	return base->mapping->addr + info->map_offset;
}

/*
 * Store where @state is in the way that GOSYNC__STATE() understands. Pairs with
 * GOSYNC__AT().
 */
static inline void set_state(uintptr_t *at, const void *handle, void *state)
{
	if (state)
		__atomic_store_n(at, (uintptr_t)state - (uintptr_t)handle +
				     GOSYNC__STAND_IN, __ATOMIC_RELEASE);
}

/* The state that set_state() has stored, or NULL */
#define gosync_at(handle)						\
	((handle)->at ? (void *)GOSYNC__STATE(handle) : NULL)

/*
 * The token of a Mutex word that we own. The kernel sets STARVING before it
 * breaks a holder. As long as STARVING is set, the kernel has the token. So we
 * look for it on both sides. If it went before we looked, the kernel has put the
 * token right. And if we are broken meanwhile, what we read may be another's.
 */
static inline int token_of(const void *object,
			   const struct gosync_mutex_slot *slot,
			   uint64_t *token)
{
	struct gosync_info info;
	int ret;

	/* M-A, pairs with mutex_publish_broken() in kmod/mutex.c. */
	if (slot && !(__atomic_load_n(&slot->word, __ATOMIC_ACQUIRE) &
		      GOSYNC_MUTEX_STARVING)) {
		*token = __atomic_load_n(&slot->token, __ATOMIC_ACQUIRE);
		if (!(__atomic_load_n(&slot->word, __ATOMIC_RELAXED) &
		      GOSYNC_MUTEX_STARVING))
			return 0;
	}
	ret = gosync_info(object, &info);
	if (ret)
		return ret;
	*token = info.token;
	return info.flags & GOSYNC_BROKEN ? -ESTALE : 0;
}

static inline uint64_t locked_by(const void *object)
{
	return GOSYNC_MUTEX_LOCKED | (uint64_t)gosync_base_of(object)->holder <<
		GOSYNC_MUTEX_OWNER_SHIFT;
}

/* The flags of functions that wait until a deadline */
#define WAIT_FLAGS	(GOSYNC_CLOCK_REALTIME | GOSYNC_INTERRUPTIBLE)

/* fork.c */
int __gosync_has_list(void);
void __gosync_lock_list(void);
void __gosync_unlock_list(void);
struct gosync_base *__gosync_base_alloc(void);
void __gosync_base_free(struct gosync_base *base);
void __gosync_close_base(struct gosync_base *base);

/* mapping.c */
void __gosync_map_base(struct gosync_base *base, const struct gosync_info *info);
void *__gosync_unmap_base(struct gosync_base *base);

/* handle.c */
int __gosync_fd_ioctl(int fd, unsigned int op, void *arg);
int __gosync_fd_info(int fd, struct gosync_info *info);
void __gosync_close_fd(int fd);
int __gosync_has_fd(const struct gosync_base *base);
int __gosync_device_ioctl(unsigned int op, void *arg, unsigned int flags);
int __gosync_ioctl(const void *object, unsigned int op, void *arg);
int __gosync_open_handle(const struct gosync_kind *kind,
			 const struct gosync_create *create, void **object);
int __gosync_adopt_fd(const struct gosync_kind *kind, unsigned int abi, int fd,
		      unsigned int type, unsigned int flags, void **object);
int __gosync_wait_fd(int fd, unsigned int op, void *arg, unsigned int flags);
int __gosync_wait_ioctl(const void *object, unsigned int op, void *arg,
			unsigned int flags);
int __gosync_wait_version(const void *object, unsigned int op, uint64_t *version,
			  uint64_t deadline, unsigned int flags);

/* An ioctl that takes a deadline and nothing else */
static inline int ask_until(const void *object, unsigned int op,
			    uint64_t deadline, unsigned int flags)
{
	struct gosync_wait_args args = {
		.size = sizeof(args),
		.flags = flags & ~GOSYNC_INTERRUPTIBLE,
		.deadline = deadline,
	};

	return __gosync_wait_ioctl(object, op,
				   deadline == GOSYNC_FOREVER ? NULL : &args,
				   flags);
}

/* Open a handle for an object with a capacity. */
static inline int gosync_open_sized(const struct gosync_kind *kind,
				    unsigned int abi, const char *name,
				    unsigned int type, uint64_t capacity,
				    unsigned int flags, unsigned int mode,
				    void **handle)
{
	const struct gosync_create create = {
		.abi = abi,
		.name = name,
		.type = type,
		.flags = flags,
		.mode = mode,
		.capacity = capacity,
	};

	return __gosync_open_handle(kind, &create, handle);
}

/*
 * Read the bits @mask of an object's first word, which is mapped at @word
 * unless this is NULL. Return: these, or -errno
 */
static inline __attribute__((always_inline)) int
gosync_count_of(const void *object, const __u64 *word, uint32_t mask)
{
	struct gosync_info info;
	int ret;

	if (word)
		return __atomic_load_n(word, __ATOMIC_SEQ_CST) & mask;
	ret = gosync_info(object, &info);
	return ret ? ret : (int)(info.word & mask);
}

#endif /* GOSYNC_INTERNAL_H */
