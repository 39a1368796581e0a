// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Atomic words: opening them, waiting, and the operations that have to be
 * ioctls. All others are inline in <gosync-atomic.h>.
 */
#include <errno.h>

#include "internal.h"

static void set_up(struct gosync_words *words, const struct gosync_info *info)
{
	struct gosync_base *base = gosync_base_of(words);

	if (!base->mapping)
		return;
	words->words = base->mapping->addr + info->map_data;
	words->slot = (void *)(base->mapping->addr + info->map_offset);
	/* Pair with GOSYNC__LIMIT(). */
	if (!(info->flags & GOSYNC_RDONLY))
		__atomic_store_n(&words->writable, info->capacity,
				 __ATOMIC_RELEASE);
	__atomic_store_n(&words->readable, info->capacity, __ATOMIC_RELEASE);
}

DEFINE_KIND(words, struct gosync_words, 0, 0, set_up);

EXPORT int gosync_words_open(unsigned int abi, const char *name,
			     unsigned int type, size_t count,
			     unsigned int flags, unsigned int mode,
			     struct gosync_words **words)
{
	return gosync_open_sized(&words_kind, abi, name, type, count,
				 flags, mode, (void **)words);
}

EXPORT int gosync_words_from_fd(unsigned int abi, int fd, unsigned int type,
				unsigned int flags, struct gosync_words **words)
{
	return __gosync_adopt_fd(&words_kind, abi, fd, type, flags,
				 (void **)words);
}

EXPORT int gosync_words_ioctl(struct gosync_words *words, unsigned int op,
			      size_t index, uint64_t value, uint64_t expected,
			      uint64_t *result)
{
	struct gosync_atomic_args args = {
		.size = sizeof(args),
		.index = index,
		.value = value,
		.expected = expected,
	};
	int ret;

	if (index > UINT32_MAX)
		return -EINVAL;
	/* Only in a cluster it may wait. */
	ret = __gosync_wait_ioctl(words, op, &args, 0);
	if (ret >= 0)
		*result = args.result;
	return ret;
}

/* A mapped word, extended to 64 bits as the kernel does it */
static uint64_t load(const struct gosync_words *words, size_t index)
{
	switch (gosync_base_of(words)->type) {
	case GOSYNC_INT32:
		return __atomic_load_n((int32_t *)words->words + index,
				       __ATOMIC_SEQ_CST);
	case GOSYNC_UINT32:
	case GOSYNC_BOOL:
		return __atomic_load_n((uint32_t *)words->words + index,
				       __ATOMIC_SEQ_CST);
	default:
		return __atomic_load_n((uint64_t *)words->words + index,
				       __ATOMIC_SEQ_CST);
	}
}

EXPORT int gosync_words_wait(struct gosync_words *words, size_t index,
			     uint64_t expected, uint64_t deadline,
			     unsigned int flags, uint64_t *now)
{
	struct gosync_atomic_wait_args args = {
		.size = sizeof(args),
		.flags = flags & ~GOSYNC_INTERRUPTIBLE,
		.index = index,
		.expected = expected,
		.deadline = deadline,
	};
	int ret;

	if (index > UINT32_MAX)
		return -EINVAL;
	if (index < GOSYNC__LIMIT(words, readable) &&
	    !(args.flags & ~GOSYNC_CLOCK_REALTIME) &&
	    (gosync_base_of(words)->type != GOSYNC_BOOL || expected <= 1)) {
		*now = load(words, index);
		if (*now != expected)
			return 0;
	}
	ret = __gosync_wait_ioctl(words, GOSYNC_IOC_ATOMIC_WAIT, &args, flags);
	if (!ret)
		*now = args.result;
	return ret;
}

EXPORT int gosync_words_wake(struct gosync_words *words, size_t index,
			     unsigned int count)
{
	struct gosync_atomic_wake_args args = {
		.size = sizeof(args),
		.index = index,
		.count = count,
	};

	if (index > UINT32_MAX)
		return -EINVAL;
	if (index < GOSYNC__LIMIT(words, writable)) {
		/*
		 * A-A, pairs with atomic_attempt() in kmod/atomic.c: the caller
		 * changed the word before this, and we look for waiters after.
		 */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&words->slot->waiters, __ATOMIC_RELAXED))
			return 0;
	}
	return __gosync_ioctl(words, GOSYNC_IOC_ATOMIC_WAKE, &args);
}
