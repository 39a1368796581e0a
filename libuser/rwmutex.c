// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * RWMutex: the library makes the changes of the word and of our line after
 * which no wake-up is owed. The rules stand in <linux/gosync.h>. They say why a
 * death in between is harmless.
 */
#include <errno.h>
#include <sched.h>

#include "internal.h"

/*
 * Rounds of sched_yield() after the spinning. If the thread that we wait for
 * was preempted, it may go on at once. To sleep costs more: readers that sleep
 * while a writer has the lock are admitted together. All of them have to run
 * before there can be a next writer.
 */
#define YIELD_ROUNDS	4

/**
 * struct handle - an RWMutex's handle
 * @rw: its public part: the mapped state, NULL if everything is left to the
 *	kernel; our line, NULL if there is none; the word as it is while we own
 *	the lock, nobody waits and it is not poisoned
 * @spins: rounds to spin, 0 on a single CPU
 * @strict: only the owner may unlock
 */
struct handle {
	struct gosync_rwmutex rw;
	int spins;
	int strict;
};

static inline struct handle *handle_of(gosync_rwmutex_t *rw)
{
	return (struct handle *)rw;
}

static inline struct gosync_rwmutex_slot *slot_of(const gosync_rwmutex_t *rw)
{
	return __atomic_load_n(&rw->slot, __ATOMIC_ACQUIRE);
}

static inline uint32_t *line_of(const gosync_rwmutex_t *rw)
{
	return __atomic_load_n(&rw->reads, __ATOMIC_ACQUIRE);
}

static void set_up(gosync_rwmutex_t *rw, const struct gosync_info *info)
{
	struct handle *handle = handle_of(rw);
	void *state = state_of(rw, info, 1);

	rw->locked = locked_by(rw);
	handle->strict = !!(info->flags & GOSYNC_ERRORCHECK);
	handle->spins = spin_rounds();
	/* Pair with the fast paths, slot_of() and line_of(). */
	__atomic_store_n(&rw->slot, state, __ATOMIC_RELEASE);
	if (state && info->map_data)
		__atomic_store_n(&rw->reads,
				 (void *)(gosync_base_of(rw)->mapping->addr +
					  info->map_data),
				 __ATOMIC_RELEASE);
}

DEFINE_KIND(rwmutex, struct handle, 0, 0, set_up);
DEFINE_OPEN(rwmutex, GOSYNC_RWMUTEX)

/* Wait a little before the next look. Return: 0 when it is time to sleep */
static int back_off(gosync_rwmutex_t *rw, int round)
{
	const int spins = handle_of(rw)->spins;

	if (round < spins)
		spin();
	else if (round < spins + YIELD_ROUNDS)
		sched_yield();
	else
		return 0;
	return 1;
}

static inline uint64_t look_at(const struct gosync_rwmutex_slot *slot)
{
	return __atomic_load_n(&slot->word, __ATOMIC_SEQ_CST);
}

/*
 * A try has failed, but with STARVING only the kernel can tell why: the lock
 * may be free, or our holder broken.
 */
static inline int is_the_kernels(const struct gosync_rwmutex_slot *slot,
				 int ret)
{
	return ret == -EBUSY && look_at(slot) & GOSYNC_MUTEX_STARVING;
}

/* --- Writers ------------------------------------------------------------- */

/*
 * Take the word, if it is unlocked and not promised, as in mutex.c; by a full
 * barrier, RW-A, because no_readers() comes next. Pairs with count_and_look().
 * The figure is in kmod/rwmutex.c, as for the other letters here.
 */
static inline int barge(gosync_rwmutex_t *rw, struct gosync_rwmutex_slot *slot)
{
	uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_RELAXED);

	while (!(word & (GOSYNC_MUTEX_LOCKED | GOSYNC_MUTEX_STARVING))) {
		if (__atomic_compare_exchange_n(&slot->word, &word,
						(uint32_t)word | rw->locked, 0,
						__ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED)) {
			GOSYNC__COUNT(&slot->token);
			return !!(word & GOSYNC_MUTEX_POISONED);
		}
	}
	return -EBUSY;
}

/*
 * First look at extra, then at the lines. RW-C, pairs with rwmutex_grant_read()
 * in kmod/rwmutex.c: the kernel counts a reader in its line before it subtracts
 * it from extra. RW-E, pairs with gosync_rwmutex_runlock(), and with
 * publish_extra() in kmod/rwmutex.c.
 */
static inline int no_readers(struct gosync_rwmutex_slot *slot)
{
	uint64_t lines;

	if (__atomic_load_n(&slot->extra, __ATOMIC_SEQ_CST))
		return 0;
	lines = __atomic_load_n(&slot->lines, __ATOMIC_SEQ_CST) &
		GOSYNC_RWMUTEX_LINES;
	for (; lines; lines &= lines - 1) {
		unsigned int line = __builtin_ctzll(lines);
		struct gosync_rwmutex_reader *reader;

		reader = (void *)((char *)slot + gosync_rwmutex_line(line));
		if (__atomic_load_n(&reader->reads, __ATOMIC_SEQ_CST))
			return 0;
	}
	return 1;
}

/* We own the word, and sleep until the readers have left. */
static int drain(gosync_rwmutex_t *rw, uint64_t deadline, unsigned int flags)
{
	/* After a signal we do not own the word: begin again with LOCK. */
	int ret = ask_until(rw, GOSYNC_IOC_RWMUTEX_DRAIN, deadline,
			    GOSYNC_INTERRUPTIBLE | flags);

	if (ret == -EINTR && !(flags & GOSYNC_INTERRUPTIBLE))
		ret = ask_until(rw, GOSYNC_IOC_RWMUTEX_LOCK, deadline, flags);
	return ret;
}

/*
 * We could not take the word (@ret is -EBUSY), or there are readers. Out of line,
 * because otherwise the fast path would save registers on the stack, too.
 */
static __attribute__((noinline))
int lock_slow(gosync_rwmutex_t *rw, struct gosync_rwmutex_slot *slot, int ret,
	      uint64_t deadline, unsigned int flags)
{
	int round;

	for (round = 0; slot && ret == -EBUSY; round++) {
		if (look_at(slot) & GOSYNC_MUTEX_STARVING ||
		    !back_off(rw, round))
			break;
		ret = barge(rw, slot);
	}
	if (ret == -EBUSY)
		return ask_until(rw, GOSYNC_IOC_RWMUTEX_LOCK, deadline, flags);
	for (round = 0; !no_readers(slot); round++)
		if (!back_off(rw, round))
			return drain(rw, deadline, flags);
	return ret;
}

static inline __attribute__((always_inline))
int lock_until(gosync_rwmutex_t *rw, uint64_t deadline, unsigned int flags)
{
	struct gosync_rwmutex_slot *slot = slot_of(rw);
	int ret = slot ? barge(rw, slot) : -EBUSY;

	if (likely(ret != -EBUSY) && likely(no_readers(slot)))
		return ret;
	return lock_slow(rw, slot, ret, deadline, flags);
}

EXPORT int gosync_rwmutex_lock(gosync_rwmutex_t *rw)
{
	GOSYNC_PROBE(wrlock_entry, rw);
	return lock_until(rw, GOSYNC_FOREVER, 0);
}

EXPORT int gosync_rwmutex_lock_until(gosync_rwmutex_t *rw, uint64_t deadline,
				     unsigned int flags)
{
	GOSYNC_PROBE(wrlock_entry, rw);
	return flags & ~WAIT_FLAGS ? -EINVAL : lock_until(rw, deadline, flags);
}

EXPORT int gosync_rwmutex_trylock(gosync_rwmutex_t *rw)
{
	struct gosync_rwmutex_slot *slot = slot_of(rw);
	int ret = -EBUSY;

	GOSYNC_PROBE(wrlock_entry, rw);
	/* Do not stop readers for a try that is going to fail. */
	if (slot && no_readers(slot))
		ret = barge(rw, slot);
	if (slot && !is_the_kernels(slot, ret)) {
		if (ret < 0 || no_readers(slot))
			return ret;
		gosync_rwmutex_unlock(rw);
		return -EBUSY;
	}
	return __gosync_ioctl(rw, GOSYNC_IOC_RWMUTEX_TRYLOCK, NULL);
}

/*
 * As with a Mutex. But readers may wait although a woken writer is on its way,
 * so the kernel unlocks whenever there are waiters.
 */
EXPORT int gosync_rwmutex_unlock(gosync_rwmutex_t *rw)
{
	const uint64_t owned = ~(uint64_t)0 << GOSYNC_MUTEX_OWNER_SHIFT |
			       GOSYNC_MUTEX_LOCKED;
	struct gosync_rwmutex_slot *slot = slot_of(rw);
	uint64_t word = rw->locked;

	GOSYNC_PROBE(wrlock_release, rw);
	if (!slot)
		return __gosync_ioctl(rw, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	do {
		if (__atomic_compare_exchange_n(&slot->word, &word,
						word & ~owned, 0,
						__ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return 0;
	} while (word & GOSYNC_MUTEX_LOCKED &&
		 !(word & (GOSYNC_MUTEX_STARVING | GOSYNC_MUTEX_WAITERS)) &&
		 (!handle_of(rw)->strict || (word & owned) == rw->locked));
	return __gosync_ioctl(rw, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
}

EXPORT int gosync_rwmutex_recover(gosync_rwmutex_t *rw)
{
	return __gosync_ioctl(rw, GOSYNC_IOC_RWMUTEX_RECOVER, NULL);
}

EXPORT int gosync_rwmutex_token(gosync_rwmutex_t *rw, uint64_t *token)
{
	return token_of(rw, (const struct gosync_mutex_slot *)slot_of(rw), token);
}

/* --- Readers ------------------------------------------------------------- */

/*
 * Our line counts us. With STARVING there may be a broken holder, perhaps our
 * own.
 *
 * Return: 0 or 1 if the lock is held, or -EBUSY
 */
static int look(gosync_rwmutex_t *rw)
{
	uint64_t word = look_at(rw->slot);

	if (!(word & (GOSYNC_MUTEX_LOCKED | GOSYNC_MUTEX_STARVING)))
		return !!(word & GOSYNC_MUTEX_POISONED);
	gosync_rwmutex_runlock(rw);
	return -EBUSY;
}

static int count_and_look(gosync_rwmutex_t *rw, uint32_t *reads)
{
	/*
	 * RW-A, pairs with barge(), and with is_drained() in kmod/rwmutex.c.
	 * RW-D, pairs with rwmutex_abandon() there.
	 */
	__atomic_fetch_add(reads, 1, __ATOMIC_SEQ_CST);
	return look(rw);
}

/* A writer was there: see whether it leaves soon, and otherwise sleep. */
static int rlock_wait(gosync_rwmutex_t *rw, uint64_t deadline,
		      unsigned int flags)
{
	uint32_t *reads = line_of(rw);
	int round, ret;

	for (round = 0; reads && back_off(rw, round); round++) {
		uint64_t word = look_at(rw->slot);

		if (word & GOSYNC_MUTEX_LOCKED)
			continue;
		if (word & GOSYNC_MUTEX_STARVING)
			break;
		ret = count_and_look(rw, reads);
		if (ret != -EBUSY)
			return ret;
	}
	return ask_until(rw, GOSYNC_IOC_RWMUTEX_RLOCK, deadline, flags);
}

EXPORT int gosync_rwmutex_rlock_slow(gosync_rwmutex_t *rw, int counted)
{
	int ret = counted ? look(rw) : -EBUSY;

	return ret == -EBUSY ? rlock_wait(rw, GOSYNC_FOREVER, 0) : ret;
}

EXPORT int gosync_rwmutex_rlock_until(gosync_rwmutex_t *rw, uint64_t deadline,
				      unsigned int flags)
{
	uint32_t *reads = line_of(rw);
	int ret;

	GOSYNC_PROBE(rdlock_entry, rw);
	if (flags & ~WAIT_FLAGS)
		return -EINVAL;
	ret = reads ? count_and_look(rw, reads) : -EBUSY;
	return ret == -EBUSY ? rlock_wait(rw, deadline, flags) : ret;
}

EXPORT int gosync_rwmutex_tryrlock(gosync_rwmutex_t *rw)
{
	uint32_t *reads = line_of(rw);
	int ret = -EBUSY;

	GOSYNC_PROBE(rdlock_entry, rw);
	if (reads && !(look_at(rw->slot) & GOSYNC_MUTEX_LOCKED))
		ret = count_and_look(rw, reads);
	if (reads && !is_the_kernels(rw->slot, ret))
		return ret;
	return __gosync_ioctl(rw, GOSYNC_IOC_RWMUTEX_TRYRLOCK, NULL);
}

EXPORT int gosync_rwmutex_runlock_slow(gosync_rwmutex_t *rw)
{
	return __gosync_ioctl(rw, GOSYNC_IOC_RWMUTEX_RUNLOCK, NULL);
}

EXPORT int gosync_rwmutex_tell(gosync_rwmutex_t *rw)
{
	return __gosync_ioctl(rw, GOSYNC_IOC_RWMUTEX_DRAINED, NULL);
}
