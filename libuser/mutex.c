// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mutex: the transitions of the word that oblige nobody; all others are the
 * kernel's. The rules, and why dying after any of these instructions is
 * harmless, stand in <linux/gosync.h> beside the word's bits.
 */
#include <errno.h>
#include <unistd.h>

#include "internal.h"

/* As in Go: so many rounds of so many pauses before sleeping */
#define SPIN_ROUNDS	4
#define SPIN_PAUSES	30

/**
 * struct gosync_mutex - a Mutex's handle
 * @slot: the mapped state, or @none
 * @locked: the word when we own the lock and nothing else is the matter
 * @spins: rounds to spin, 0 on a single CPU or without mapped state
 * @strict: only the owner may unlock
 * @none: stands in for a state that isn't mapped: the fast paths find it
 *	locked and leave everything to the kernel
 */
struct gosync_mutex {
	struct gosync_mutex_slot *slot;
	uint64_t locked;
	int spins;
	int strict;
	struct gosync_mutex_slot none;
};

static inline void pause_cpu(void)
{
#if __has_builtin(__builtin_ia32_pause)
	__builtin_ia32_pause();
#else
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

static void reopened(void *object)
{
	struct gosync_mutex *mutex = object;

	mutex->locked = GOSYNC_MUTEX_LOCKED |
			(uint64_t)gosync_base_of(mutex)->holder <<
			GOSYNC_MUTEX_OWNER_SHIFT;
}

static void set_up(struct gosync_mutex *mutex, const struct gosync_info *info)
{
	struct gosync_base *base = gosync_base_of(mutex);

	base->reopened = reopened;
	reopened(mutex);
	mutex->none.word = GOSYNC_MUTEX_LOCKED | GOSYNC_MUTEX_STARVING;
	mutex->slot = &mutex->none;
	mutex->strict = !!(info->flags & GOSYNC_ERRORCHECK);
	if (base->map && !(info->flags & GOSYNC_RDONLY)) {
		mutex->slot = (void *)(base->map + info->map_offset);
		if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
			mutex->spins = SPIN_ROUNDS;
	}
}

EXPORT int gosync_mutex_open(const char *name, unsigned int flags,
			     unsigned int mode, gosync_mutex_t **mutex)
{
	const struct gosync_create create = {
		.name = name,
		.type = GOSYNC_MUTEX,
		.flags = flags,
		.mode = mode,
	};
	struct gosync_info info;
	int ret;

	ret = gosync_open_handle(&create, sizeof(**mutex), (void **)mutex, &info);
	if (!ret)
		set_up(*mutex, &info);
	return ret;
}

EXPORT int gosync_mutex_from_fd(int fd, unsigned int flags,
				gosync_mutex_t **mutex)
{
	struct gosync_info info;
	int ret;

	ret = gosync_adopt_fd(fd, GOSYNC_MUTEX, flags, sizeof(**mutex),
			      (void **)mutex, &info);
	if (!ret)
		set_up(*mutex, &info);
	return ret;
}

/* What whoever has just locked does, while it owns the lock */
static inline void acquired(struct gosync_mutex_slot *slot)
{
	__atomic_store_n(&slot->token,
			 __atomic_load_n(&slot->token, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_RELAXED);
}

/*
 * 0 -> LOCKED and we: nobody waits, so nobody is owed anything; and the word
 * names us, so that the kernel unlocks if we die.
 */
static inline int lock_free(struct gosync_mutex *mutex)
{
	struct gosync_mutex_slot *slot = mutex->slot;
	uint64_t word = 0;

	if (!__atomic_compare_exchange_n(&slot->word, &word, mutex->locked, 0,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return 0;
	acquired(slot);
	return 1;
}

/*
 * Barge: lock what is unlocked and not promised, whoever waits. Waiters stay
 * in the kernel's queue and are owed a wake-up by whoever unlocks, as before.
 *
 * Return: as gosync_mutex_lock(), -EBUSY if it is locked or promised.
 */
static int barge(struct gosync_mutex *mutex)
{
	struct gosync_mutex_slot *slot = mutex->slot;
	uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_RELAXED);

	while (!(word & (GOSYNC_MUTEX_LOCKED | GOSYNC_MUTEX_STARVING))) {
		if (__atomic_compare_exchange_n(&slot->word, &word,
						(uint32_t)word | mutex->locked,
						0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			acquired(slot);
			return !!(word & GOSYNC_MUTEX_POISONED);
		}
	}
	return -EBUSY;
}

static int __attribute__((noinline))
lock_slow(struct gosync_mutex *mutex, uint64_t deadline, unsigned int flags)
{
	struct gosync_mutex_lock args = {
		.size = sizeof(args),
		.flags = flags & ~GOSYNC_INTERRUPTIBLE,
		.deadline = deadline,
	};
	int round, i, ret;

	for (round = 0;; round++) {
		ret = barge(mutex);
		if (ret != -EBUSY)
			return ret;
		if (round >= mutex->spins ||
		    __atomic_load_n(&mutex->slot->word, __ATOMIC_RELAXED) &
		    GOSYNC_MUTEX_STARVING)
			break;
		for (i = 0; i < SPIN_PAUSES; i++)
			pause_cpu();
	}
	return gosync_wait_ioctl(mutex, GOSYNC_IOC_MUTEX_LOCK,
				 deadline == GOSYNC_FOREVER ? NULL : &args,
				 flags);
}

EXPORT int gosync_mutex_lock(gosync_mutex_t *mutex)
{
	if (likely(lock_free(mutex)))
		return 0;
	return lock_slow(mutex, GOSYNC_FOREVER, 0);
}

EXPORT int gosync_mutex_lock_until(gosync_mutex_t *mutex, uint64_t deadline,
				   unsigned int flags)
{
	if (unlikely(flags & ~(GOSYNC_CLOCK_REALTIME | GOSYNC_INTERRUPTIBLE)))
		return -EINVAL;
	if (likely(lock_free(mutex)))
		return 0;
	return lock_slow(mutex, deadline, flags);
}

EXPORT int gosync_mutex_trylock(gosync_mutex_t *mutex)
{
	if (likely(lock_free(mutex)))
		return 0;
	if (mutex->slot != &mutex->none)
		return barge(mutex);
	return gosync_ioctl(mutex, GOSYNC_IOC_MUTEX_TRYLOCK, NULL);
}

/*
 * Unlock in other cases than the plain one: there are waiters, or the mutex is
 * poisoned, or somebody else locked it.
 *
 * With WOKEN and not STARVING, a waiter that was woken is on its way and the
 * kernel answers for it, so nobody is owed a wake-up. Everything else, and
 * every error, is the kernel's.
 */
static int __attribute__((noinline)) unlock_slow(struct gosync_mutex *mutex)
{
	struct gosync_mutex_slot *slot = mutex->slot;
	uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_RELAXED);
	const uint64_t owned = ~(uint64_t)0 << GOSYNC_MUTEX_OWNER_SHIFT |
			       GOSYNC_MUTEX_LOCKED;

	while (word & GOSYNC_MUTEX_LOCKED && !(word & GOSYNC_MUTEX_STARVING) &&
	       (word & GOSYNC_MUTEX_WOKEN || !(word & GOSYNC_MUTEX_WAITERS)) &&
	       (!mutex->strict || (word & owned) == mutex->locked)) {
		if (__atomic_compare_exchange_n(&slot->word, &word,
						word & ~owned, 0,
						__ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return 0;
	}
	return gosync_ioctl(mutex, GOSYNC_IOC_MUTEX_UNLOCK, NULL);
}

/*
 * LOCKED and we -> 0: nobody waits, so nobody is owed anything. Once it is
 * done the word names us no longer, and our death is nobody's business.
 */
EXPORT int gosync_mutex_unlock(gosync_mutex_t *mutex)
{
	uint64_t word = mutex->locked;

	if (likely(__atomic_compare_exchange_n(&mutex->slot->word, &word, 0, 0,
					       __ATOMIC_RELEASE,
					       __ATOMIC_RELAXED)))
		return 0;
	return unlock_slow(mutex);
}

EXPORT int gosync_mutex_recover(gosync_mutex_t *mutex)
{
	return gosync_ioctl(mutex, GOSYNC_IOC_MUTEX_RECOVER, NULL);
}

EXPORT int gosync_mutex_token(gosync_mutex_t *mutex, uint64_t *token)
{
	struct gosync_info info;
	int ret;

	if (mutex->slot != &mutex->none) {
		*token = __atomic_load_n(&mutex->slot->token, __ATOMIC_RELAXED);
		return 0;
	}
	ret = gosync_info(mutex, &info);
	if (!ret)
		*token = info.token;
	return ret;
}
