// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutex: Go's sync.Mutex between processes.
 *
 * The word's bits, and what user space may do with it by itself, stand in
 * <linux/gosync.h>. Here is the kernel's half: waiting, waking, handing over,
 * and the death of an owner.
 *
 * In the word only LOCKED and the owner come from user space. The other bits
 * are written by the kernel alone, under the object's lock, each time from
 * what it knows itself (flags()): whatever was scribbled there is gone
 * after the next operation that enters the kernel. An owner that is no living
 * holder is a dead owner.
 *
 * Modes, as in Go. Normally a waiter that is woken competes with newcomers,
 * who are often running already and win; it then queues again, at the head.
 * WOKEN tells unlockers that one is on its way, so that they need not wake
 * another. A waiter that has waited more than a millisecond makes the mutex
 * STARVING: now the unlocker hands the lock, owner and all, to the head of the
 * queue, and newcomers queue behind. The mode ends with a waiter that is the
 * last or has waited less.
 *
 * Why no death leaves a sleeper behind. Sleepers are in the object's queue.
 * If the queue is not empty, then one of these holds:
 *
 *  - LOCKED, WAITERS is not 0, WOKEN is not set: unlocking in user space is
 *    not allowed, so the owner comes here to unlock, or dies, whereupon its
 *    holder ends and holder_end() unlocks;
 *  - WOKEN is set: a waiter was claimed and runs kernel code in acquire(), also
 *    when it is being killed. It clears WOKEN and, in the same compare-and-swap,
 *    either takes the lock or sees LOCKED, which is the first case. If it has
 *    no use for the lock any more, it passes it on.
 *
 * A granted lock names its new owner before the object's lock is dropped; if
 * that one dies, its holder ends. holder_end() comes after the last system call
 * of the holder has returned, so that nobody can wait on its behalf any more.
 */
#include <linux/sched/signal.h>

#include "gosync.h"

#define STARVING_AFTER_NS	NSEC_PER_MSEC

#define WAITERS_MAX	(GOSYNC_MUTEX_WAITERS / GOSYNC_MUTEX_WAITER)

/**
 * struct gosync_mutex - a Mutex
 * @obj: the object; its lock protects the rest
 * @woken: a waiter was woken and is on its way
 * @starving: the lock is handed over
 * @poisoned: an owner has died
 */
struct gosync_mutex {
	struct gosync_object obj;
	bool woken;
	bool starving;
	bool poisoned;
};

static struct gosync_mutex *to_mutex(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_mutex, obj);
}

static atomic64_t *word_of(struct gosync_mutex *mutex)
{
	return mutex->obj.state + offsetof(struct gosync_mutex_slot, word);
}

static void next_token(struct gosync_mutex *mutex)
{
	atomic64_inc(mutex->obj.state + offsetof(struct gosync_mutex_slot, token));
}

/* The bits that the kernel knows better than the word */
static u64 flags(bool woken, bool starving, bool poisoned, u32 waiters)
{
	return (woken ? GOSYNC_MUTEX_WOKEN : 0) |
	       (starving ? GOSYNC_MUTEX_STARVING : 0) |
	       (poisoned ? GOSYNC_MUTEX_POISONED : 0) |
	       min_t(u64, waiters, WAITERS_MAX) * GOSYNC_MUTEX_WAITER;
}

static u64 owned_by(u32 id)
{
	return GOSYNC_MUTEX_LOCKED | (u64)id << GOSYNC_MUTEX_OWNER_SHIFT;
}

static u32 owner_of(u64 word)
{
	return word >> GOSYNC_MUTEX_OWNER_SHIFT;
}

static u64 ownership_of(u64 word)
{
	return word & GOSYNC_MUTEX_LOCKED ? owned_by(owner_of(word)) : 0;
}

/* Write what the kernel knows into the word, ownership left as it is */
static void publish(struct gosync_mutex *mutex)
{
	u64 bits = flags(mutex->woken, mutex->starving, mutex->poisoned,
			 mutex->obj.nr_waiters);
	atomic64_t *word = word_of(mutex);
	s64 old = atomic64_read(word);
	int i;

	lockdep_assert_held(&mutex->obj.wq.lock);
	for (i = 0; i < GOSYNC_RACES; i++)
		if (atomic64_try_cmpxchg(word, &old, ownership_of(old) | bits))
			break;
}

static bool is_starved(const struct gosync_waiter *waiter)
{
	return ktime_get_ns() - waiter->since > STARVING_AFTER_NS;
}

/*
 * Take the lock if it is free or its owner dead; otherwise queue if @queue.
 *
 * Return: 0 if taken, -EINPROGRESS if queued, -EBUSY if neither, -EAGAIN if
 * the word never stood still.
 */
static int take(struct gosync_mutex *mutex, struct gosync_waiter *waiter,
		bool queue)
{
	struct gosync_object *obj = &mutex->obj;
	atomic64_t *word = word_of(mutex);
	s64 old = atomic64_read(word);
	int i;

	lockdep_assert_held(&obj->wq.lock);
	for (i = 0; i < GOSYNC_RACES; i++) {
		bool locked = old & GOSYNC_MUTEX_LOCKED;
		bool died = locked && !gosync_holder_lives(obj, owner_of(old));
		bool starving = mutex->starving;
		u64 new;

		if (!locked || died) {
			new = owned_by(waiter->holder->id) |
			      flags(mutex->woken, starving,
				    mutex->poisoned || died, obj->nr_waiters);
			if (!atomic64_try_cmpxchg(word, &old, new))
				continue;
			mutex->poisoned |= died;
			obj->deaths += died;
			next_token(mutex);
			gosync_account_wait(obj, waiter);
			return 0;
		}

		/* Starvation begins only here, where the lock is owned. */
		starving |= queue && waiter->starving;
		new = ownership_of(old) |
		      flags(mutex->woken, starving, mutex->poisoned,
			    obj->nr_waiters + queue);
		if (!atomic64_try_cmpxchg(word, &old, new))
			continue;
		mutex->starving = starving;
		if (!queue)
			return -EBUSY;
		gosync_enqueue(obj, waiter, waiter->since);
		return -EINPROGRESS;
	}
	return -EAGAIN;
}

/*
 * Release the lock, if it is @owner's (0: anybody's): hand it over, or wake a
 * waiter to compete for it. @died: the owner has not released it itself.
 *
 * Return: 0 or -EPERM. Either way the caller owes gosync_wake(*next, *wake)
 * when it has dropped the object's lock.
 */
static int release(struct gosync_mutex *mutex, u32 owner, bool died,
		   struct gosync_waiter **next, enum gosync_wake *wake)
{
	struct gosync_object *obj = &mutex->obj;
	atomic64_t *word = word_of(mutex);
	s64 old = atomic64_read(word);
	int i;

	lockdep_assert_held(&obj->wq.lock);
	*next = NULL;
	*wake = GOSYNC_RETRY;
	for (i = 0; i < GOSYNC_RACES; i++) {
		bool grant, starving, woken;
		u64 new;

		if (!(old & GOSYNC_MUTEX_LOCKED) ||
		    (owner && owner_of(old) != owner))
			break;
		if (!*next && (mutex->starving || !mutex->woken))
			*next = gosync_claim_first(obj);
		grant = *next && mutex->starving;
		starving = grant && obj->nr_waiters && is_starved(*next);
		woken = mutex->woken || (*next && !grant);
		new = (grant ? owned_by((*next)->holder->id) : 0) |
		      flags(woken, starving, mutex->poisoned || died,
			    obj->nr_waiters);
		if (!atomic64_try_cmpxchg(word, &old, new))
			continue;
		mutex->starving = starving;
		mutex->woken = woken;
		mutex->poisoned |= died;
		obj->deaths += died;
		if (grant) {
			*wake = GOSYNC_GRANTED;
			next_token(mutex);
			gosync_account_wait(obj, *next);
		}
		return 0;
	}
	/* Somebody else released it meanwhile; who was claimed shall look. */
	mutex->woken |= !!*next;
	return -EPERM;
}

static int release_and_wake(struct gosync_mutex *mutex, u32 owner, bool died)
{
	struct gosync_waiter *next;
	enum gosync_wake wake;
	int ret;

	spin_lock(&mutex->obj.wq.lock);
	ret = release(mutex, owner, died, &next, &wake);
	spin_unlock(&mutex->obj.wq.lock);
	gosync_wake(next, wake);
	return ret;
}

/* Take the lock, waiting for it until @timeout. Return: 0 or an error. */
static int acquire(struct gosync_mutex *mutex, struct gosync_holder *holder,
		   const struct gosync_timeout *timeout)
{
	struct gosync_object *obj = &mutex->obj;
	struct gosync_waiter waiter;
	int err = 0;
	int ret;

	gosync_waiter_init(&waiter, holder);
	for (;;) {
		spin_lock(&obj->wq.lock);
		if (waiter.since) {
			/* We are the one that was woken. */
			mutex->woken = false;
			waiter.starving |= is_starved(&waiter);
		}
		ret = take(mutex, &waiter, !err);
		spin_unlock(&obj->wq.lock);
		if (!ret)
			break;
		if (err)
			return err;
		if (ret == -EAGAIN) {
			cond_resched();
			if (signal_pending(current))
				err = -ERESTARTSYS;
			continue;
		}

		err = gosync_wait(obj, &waiter, timeout);
		if (err)
			return err;
		if (waiter.wake == GOSYNC_GRANTED)
			break;
		err = waiter.gave_up;
	}
	/* Who is being killed never enters the critical section: pass it on. */
	if (unlikely(fatal_signal_pending(current))) {
		release_and_wake(mutex, holder->id, false);
		return -EINTR;
	}
	return 0;
}

/*
 * The two transitions that user space does most, without the object's lock:
 * they oblige nobody here either. If somebody waits whom the word does not
 * show, it was scribbled on, and the other paths put it right.
 */
static bool take_free(struct gosync_mutex *mutex, struct gosync_holder *holder)
{
	s64 old = 0;

	if (READ_ONCE(mutex->obj.nr_waiters) ||
	    !atomic64_try_cmpxchg(word_of(mutex), &old, owned_by(holder->id)))
		return false;
	next_token(mutex);
	return true;
}

static bool drop_unwanted(struct gosync_mutex *mutex,
			  struct gosync_holder *holder)
{
	s64 old = owned_by(holder->id);

	return !READ_ONCE(mutex->obj.nr_waiters) &&
	       atomic64_try_cmpxchg(word_of(mutex), &old, 0);
}

long gosync_mutex_lock(struct gosync_holder *holder, void *arg)
{
	struct gosync_mutex *mutex = to_mutex(holder->obj);
	struct gosync_mutex_lock *args = arg;
	struct gosync_timeout timeout;
	int ret;

	ret = gosync_timeout_init(&timeout, args->flags, args->deadline);
	if (ret || take_free(mutex, holder))
		return ret;
	return acquire(mutex, holder, &timeout) ?: READ_ONCE(mutex->poisoned);
}

long gosync_mutex_trylock(struct gosync_holder *holder, void *arg)
{
	struct gosync_mutex *mutex = to_mutex(holder->obj);
	struct gosync_waiter waiter;

	gosync_waiter_init(&waiter, holder);
	scoped_guard(spinlock, &mutex->obj.wq.lock)
		return take(mutex, &waiter, false) ? -EBUSY : mutex->poisoned;
}

long gosync_mutex_unlock(struct gosync_holder *holder, void *arg)
{
	struct gosync_mutex *mutex = to_mutex(holder->obj);
	bool strict = mutex->obj.flags & GOSYNC_ERRORCHECK;

	if (drop_unwanted(mutex, holder))
		return 0;
	return release_and_wake(mutex, strict ? holder->id : 0, false);
}

long gosync_mutex_recover(struct gosync_holder *holder, void *arg)
{
	struct gosync_mutex *mutex = to_mutex(holder->obj);

	scoped_guard(spinlock, &mutex->obj.wq.lock) {
		if (ownership_of(atomic64_read(word_of(mutex))) !=
		    owned_by(holder->id))
			return -EPERM;
		mutex->poisoned = false;
		publish(mutex);
	}
	return 0;
}

static void left(struct gosync_object *obj)
{
	struct gosync_mutex *mutex = to_mutex(obj);

	mutex->starving &= obj->nr_waiters > 0;
	publish(mutex);
}

static void holder_end(struct gosync_object *obj, struct gosync_holder *holder)
{
	release_and_wake(to_mutex(obj), holder->id, true);
}

static void info(struct gosync_object *obj, struct gosync_info *info)
{
	struct gosync_mutex *mutex = to_mutex(obj);
	u64 word = atomic64_read(word_of(mutex));

	info->word = word;
	info->token = atomic64_read(obj->state + offsetof(struct gosync_mutex_slot, token));
	if (word & GOSYNC_MUTEX_LOCKED)
		info->owner = owner_of(word);
}

const struct gosync_ops gosync_mutex_ops = {
	.name = "mutex",
	.size = sizeof(struct gosync_mutex),
	.flags = GOSYNC_ERRORCHECK,
	.holder_end = holder_end,
	.left = left,
	.info = info,
};
