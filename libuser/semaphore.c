// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Semaphore: the library takes and adds permits as long as nobody waits. From
 * the first waiter on, the kernel does.
 */
#include <errno.h>

#include "internal.h"

/**
 * struct handle - a Semaphore's handle
 * @semaphore: its public part: the mapped state if permits may be taken there
 * @look: the mapped state if it may be read, or NULL
 */
struct handle {
	struct gosync_semaphore semaphore;
	const struct gosync_semaphore_slot *look;
};

static inline struct handle *handle_of(gosync_semaphore_t *semaphore)
{
	return (struct handle *)semaphore;
}

static void set_up(gosync_semaphore_t *semaphore,
		   const struct gosync_info *info)
{
	handle_of(semaphore)->look = state_of(semaphore, info, 0);
	/* With GOSYNC_GIVE_BACK the kernel has to know each taker. */
	if (!(info->flags & GOSYNC_GIVE_BACK))
		set_state(&semaphore->at, semaphore,
			  state_of(semaphore, info, 1));
}

DEFINE_KIND(semaphore, struct handle, (uint64_t)1 << 63, 0, set_up);

EXPORT int gosync_semaphore_open_abi(unsigned int abi, const char *name,
				     unsigned int permits, unsigned int flags,
				     unsigned int mode,
				     gosync_semaphore_t **semaphore)
{
	return gosync_open_sized(&semaphore_kind, abi, name, GOSYNC_SEMAPHORE, permits,
				 flags, mode, (void **)semaphore);
}

DEFINE_FROM_FD(semaphore, GOSYNC_SEMAPHORE)

static int ask(gosync_semaphore_t *semaphore, unsigned int op, unsigned int n,
	       uint64_t deadline, unsigned int flags)
{
	struct gosync_semaphore_args args = {
		.size = sizeof(args),
		.flags = flags & ~GOSYNC_INTERRUPTIBLE,
		.deadline = deadline,
		.count = n,
	};

	return __gosync_wait_ioctl(semaphore, op, &args, flags);
}

static inline uint64_t look_at(const struct gosync_semaphore_slot *slot)
{
	return slot ? __atomic_load_n(&slot->word, __ATOMIC_RELAXED) : 0;
}

static int take(gosync_semaphore_t *semaphore, unsigned int n)
{
	struct gosync_semaphore_slot *slot = gosync_at(semaphore);
	uint64_t word = look_at(slot);

	while (slot && word <= GOSYNC_SEMAPHORE_PERMITS && word >= n)
		if (__atomic_compare_exchange_n(&slot->word, &word, word - n, 0,
						__ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return 0;
	return -EBUSY;
}

static int acquire(gosync_semaphore_t *semaphore, unsigned int n,
		   uint64_t deadline, unsigned int flags)
{
	return take(semaphore, n) ?
	       ask(semaphore, GOSYNC_IOC_SEMAPHORE_ACQUIRE, n, deadline, flags) :
	       0;
}

EXPORT int gosync_semaphore_acquire_until(gosync_semaphore_t *semaphore,
					  unsigned int n, uint64_t deadline,
					  unsigned int flags)
{
	GOSYNC_PROBE(semaphore_entry, semaphore);
	return flags & ~WAIT_FLAGS ? -EINVAL :
				     acquire(semaphore, n, deadline, flags);
}

EXPORT int gosync_semaphore_acquire_slow(gosync_semaphore_t *semaphore,
					 unsigned int n)
{
	return acquire(semaphore, n, GOSYNC_FOREVER, 0);
}

EXPORT int gosync_semaphore_tryacquire(gosync_semaphore_t *semaphore,
				       unsigned int n)
{
	struct gosync_semaphore_slot *slot = gosync_at(semaphore);
	uint64_t word;

	GOSYNC_PROBE(semaphore_entry, semaphore);
	if (!take(semaphore, n))
		return 0;
	/*
	 * If there are too few permits, no need to ask the kernel, which would
	 * say so, too. A bad @n is left to it, and so are enough permits with
	 * waiters: the waiter in the word may only be a poller.
	 */
	word = look_at(slot);
	if (slot && n <= GOSYNC_SEMAPHORE_PERMITS &&
	    (word & GOSYNC_SEMAPHORE_PERMITS) < n)
		return -EBUSY;
	return ask(semaphore, GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, n, 0, 0);
}

EXPORT int gosync_semaphore_release_slow(gosync_semaphore_t *semaphore,
					 unsigned int n)
{
	struct gosync_semaphore_slot *slot = gosync_at(semaphore);
	uint64_t word = look_at(slot);

	while (slot && word + n <= GOSYNC_SEMAPHORE_PERMITS)
		if (__atomic_compare_exchange_n(&slot->word, &word, word + n, 0,
						__ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return 0;
	return ask(semaphore, GOSYNC_IOC_SEMAPHORE_RELEASE, n, 0, 0);
}

EXPORT int gosync_semaphore_set_limit(gosync_semaphore_t *semaphore,
				      unsigned int limit)
{
	return ask(semaphore, GOSYNC_IOC_SEMAPHORE_LIMIT, limit, 0, 0);
}

EXPORT int gosync_semaphore_count(gosync_semaphore_t *semaphore)
{
	const struct gosync_semaphore_slot *look = handle_of(semaphore)->look;

	return gosync_count_of(semaphore, look ? &look->word : NULL,
			       GOSYNC_SEMAPHORE_PERMITS);
}
