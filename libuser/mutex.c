// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mutex: the library makes the changes of the word after which no wake-up is
 * owed. The kernel makes all others. The rules stand in <linux/gosync.h>,
 * beside the word's bits. They say why a death after any of these instructions
 * is harmless.
 */
#include <errno.h>

#include "internal.h"

/**
 * struct handle - a Mutex's handle
 * @mutex: its public part: where the mapped state is; and the word as it is
 *	while we own the lock, nobody waits and it is not poisoned
 * @spins: rounds to spin, 0 on a single CPU
 * @strict: only the owner may unlock
 */
struct handle {
	struct gosync_mutex mutex;
	int spins;
	int strict;
};

static inline struct handle *handle_of(gosync_mutex_t *mutex)
{
	return (struct handle *)mutex;
}

static void set_up(gosync_mutex_t *mutex, const struct gosync_info *info)
{
	struct handle *handle = handle_of(mutex);

	mutex->locked = locked_by(mutex);
	handle->strict = !!(info->flags & GOSYNC_ERRORCHECK);
	handle->spins = spin_rounds();
	set_state(&mutex->at, mutex, state_of(mutex, info, 1));
}

DEFINE_KIND(mutex, struct handle, GOSYNC_MUTEX_LOCKED | GOSYNC_MUTEX_STARVING,
	    0, set_up);
DEFINE_OPEN(mutex, GOSYNC_MUTEX)

/*
 * Barge: take a lock that is free and not promised, even if there are waiters.
 * They stay in the kernel's queue. The next unlock owes them a wake-up, as
 * before.
 *
 * Return: as gosync_mutex_lock(), -EBUSY if it is locked or promised.
 */
static int barge(gosync_mutex_t *mutex, struct gosync_mutex_slot *slot)
{
	uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_RELAXED);

	while (!(word & (GOSYNC_MUTEX_LOCKED | GOSYNC_MUTEX_STARVING))) {
		if (__atomic_compare_exchange_n(&slot->word, &word,
						(uint32_t)word | mutex->locked,
						0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			GOSYNC__COUNT(&slot->token);
			return !!(word & GOSYNC_MUTEX_POISONED);
		}
	}
	return -EBUSY;
}

static int lock_until(gosync_mutex_t *mutex, uint64_t deadline,
		      unsigned int flags)
{
	struct gosync_mutex_slot *slot = gosync_at(mutex);
	int round, ret;

	for (round = 0; slot; round++) {
		ret = barge(mutex, slot);
		if (ret != -EBUSY)
			return ret;
		if (round >= handle_of(mutex)->spins ||
		    __atomic_load_n(&slot->word, __ATOMIC_RELAXED) &
		    GOSYNC_MUTEX_STARVING)
			break;
		spin();
	}
	return ask_until(mutex, GOSYNC_IOC_MUTEX_LOCK, deadline, flags);
}

EXPORT int gosync_mutex_lock_slow(gosync_mutex_t *mutex)
{
	return lock_until(mutex, GOSYNC_FOREVER, 0);
}

EXPORT int gosync_mutex_lock_until(gosync_mutex_t *mutex, uint64_t deadline,
				   unsigned int flags)
{
	GOSYNC_PROBE(mutex_entry, mutex);
	if (flags & ~WAIT_FLAGS)
		return -EINVAL;
	return lock_until(mutex, deadline, flags);
}

EXPORT int gosync_mutex_trylock(gosync_mutex_t *mutex)
{
	struct gosync_mutex_slot *slot = gosync_at(mutex);

	GOSYNC_PROBE(mutex_entry, mutex);
	if (slot) {
		int ret = barge(mutex, slot);

		/* STARVING: it may be free, or our holder may be broken. */
		if (ret != -EBUSY ||
		    !(__atomic_load_n(&slot->word, __ATOMIC_RELAXED) &
		      GOSYNC_MUTEX_STARVING))
			return ret;
	}
	return __gosync_ioctl(mutex, GOSYNC_IOC_MUTEX_TRYLOCK, NULL);
}

/*
 * Unlock where the fast path could not: there are waiters, or the Mutex is
 * poisoned, or another holder has locked it.
 *
 * With WOKEN and not STARVING, a woken waiter is on its way and the kernel
 * answers for it, so no wake-up is owed. All other cases, and all errors, are
 * left to the kernel.
 */
EXPORT int gosync_mutex_unlock_slow(gosync_mutex_t *mutex)
{
	struct gosync_mutex_slot *slot = gosync_at(mutex);
	uint64_t word = slot ? __atomic_load_n(&slot->word, __ATOMIC_RELAXED) : 0;
	const uint64_t owned = ~(uint64_t)0 << GOSYNC_MUTEX_OWNER_SHIFT |
			       GOSYNC_MUTEX_LOCKED;

	while (word & GOSYNC_MUTEX_LOCKED && !(word & GOSYNC_MUTEX_STARVING) &&
	       (word & GOSYNC_MUTEX_WOKEN || !(word & GOSYNC_MUTEX_WAITERS)) &&
	       (!handle_of(mutex)->strict || (word & owned) == mutex->locked)) {
		if (__atomic_compare_exchange_n(&slot->word, &word,
						word & ~owned, 0,
						__ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return 0;
	}
	return __gosync_ioctl(mutex, GOSYNC_IOC_MUTEX_UNLOCK, NULL);
}

EXPORT int gosync_mutex_recover(gosync_mutex_t *mutex)
{
	return __gosync_ioctl(mutex, GOSYNC_IOC_MUTEX_RECOVER, NULL);
}

EXPORT int gosync_mutex_token(gosync_mutex_t *mutex, uint64_t *token)
{
	return token_of(mutex, gosync_at(mutex), token);
}
