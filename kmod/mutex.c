// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutex: Go's sync.Mutex between processes.
 *
 * The word's bits, and what user space may do with it by itself, stand in
 * <linux/gosync.h>. Here is the kernel's half: waiting, waking, handing over,
 * and the death of an owner.
 *
 * In the word only LOCKED and the owner come from user space. The kernel alone
 * writes the other bits, under the object's lock, each time from its own fields
 * (mutex_flags()). So scribbling on them is gone after the next operation that
 * enters the kernel. An owner that is no living holder is a dead owner.
 *
 * A waiter that is woken competes with newcomers. They often win, because they
 * are running already; the waiter then queues again, at the head. WOKEN tells
 * unlockers that a woken waiter is on its way, so that they need not wake
 * another. Who has lost in this way is not woken by an unlock to compete again:
 * the next one hands the lock off to it, with the new owner in the word. (In Go
 * a waiter competes again and again until it has waited for a millisecond.)
 *
 * A waiter that has lost and has waited for more than a millisecond makes the
 * mutex STARVING, as in Go: then the lock is handed off to whoever is at the head
 * of the queue, and a try fails. The mode ends with a waiter that is the last, or
 * that is followed by one which has not lost.
 *
 * Why no death leaves a sleeper behind. Sleepers are in the object's queue.
 * If the queue is not empty, then one of these holds:
 *
 *  - LOCKED, WAITERS is not 0, WOKEN is not set: unlocking in user space is
 *    not allowed. So the owner enters the kernel to unlock; or it dies, then
 *    its holder ends and mutex_abandon() unlocks;
 *  - WOKEN is set: a waiter was claimed and runs gosync_mutex_acquire(), also
 *    when it is being killed. It clears WOKEN and, in the same
 *    compare-and-swap, either takes the lock or sees LOCKED, which is the first
 *    case. If it has no use for the lock any more, it passes it on.
 *
 * A waiter of a group is never woken to compete. First its holder becomes the
 * owner in the word, then the waiter is claimed. If the claim fails, the lock
 * goes on to the next waiter, as if that holder had released it. A waiter that
 * withdraws from the queue checks whether the lock is free for the waiters
 * behind it.
 *
 * Tokens begin with the time, in nanoseconds, and grow by 1. No lock can be
 * taken and released within a nanosecond. So an object's tokens are larger than
 * those of all earlier objects of that name, unless a process wrote other
 * tokens to the mapped state.
 *
 * A holder that hangs may be broken: what it owns is unlocked, as if it had
 * died. But it lives, may be anywhere in its code, and nobody tells it. While
 * it has descriptors, the word says STARVING. Then user space neither locks nor
 * unlocks by itself, but enters the kernel, which refuses a broken holder under
 * the object's lock. The kernel sets STARVING before it checks whether the
 * holder is the owner. So a compare-and-swap of that holder's user space
 *
 *  - that locks, and came before STARVING, makes it the owner: the lock is
 *    taken from it, even if it does not know yet that it has it. If it came
 *    after STARVING it fails: the word is neither what was seen nor 0;
 *  - that unlocks, and came before STARVING, has unlocked: nothing is taken. If
 *    it came after, it fails, and the holder enters the kernel and is told.
 *
 * The holder may still write a token that it read when it locked. So while it
 * exists tokens are counted in the kernel (@token), and the mapped token is put
 * right when it has gone. User space that sees STARVING after it has read its
 * token asks the kernel for it. A thread of the holder that had waited and was
 * handed the lock gives it back before it returns.
 *
 * A granted lock names its new owner before the object's lock is dropped. If
 * the new owner dies, its holder ends. That comes after the last system call of
 * the holder has returned, so it has no waiters then.
 */
#include <linux/sched/signal.h>
#include <trace/events/lock.h>

#include "cluster.h"
#include "mutex.h"
#include "trace.h"

#define STARVING_AFTER_NS	NSEC_PER_MSEC

#define WAITERS_MAX	(GOSYNC_MUTEX_WAITERS / GOSYNC_MUTEX_WAITER)

/*
 * The first token is the real time, which goes on over a reboot. But it never
 * goes back while the module is loaded, even if the clock does. It is @least at
 * least, and from then on so for all.
 */
static u64 first_token(u64 least)
{
	static DEFINE_SPINLOCK(lock);
	static s64 ahead = S64_MIN;
	u64 token = ktime_get_boottime_ns();

	scoped_guard(spinlock, &lock) {
		ahead = max_t(s64, ahead, ktime_get_real_ns() - token);
		ahead = max_t(s64, ahead, least - token);
		token += ahead;
	}
	return token;
}

/**
 * gosync_mutex_init() - &gosync_ops.init of a Mutex
 * @obj: the object
 * @args: the arguments of the open
 *
 * Return: 0.
 */
int gosync_mutex_init(struct gosync_object *obj, const struct gosync_open_args *args)
{
	struct gosync_mutex_slot *slot = obj->state;

	WRITE_ONCE(slot->token, first_token(0));
	return 0;
}

static void mutex_count_token(struct gosync_mutex *mutex)
{
	atomic64_inc(mutex->obj.state +
		     offsetof(struct gosync_mutex_slot, token));
}

/*
 * A broken holder may write an old token there at any moment, but no larger
 * one.
 */
static u64 mutex_last_token(const struct gosync_mutex *mutex)
{
	const struct gosync_mutex_slot *slot = mutex->obj.state;

	return max(READ_ONCE(slot->token), READ_ONCE(mutex->token));
}

static void mutex_next_token(struct gosync_mutex *mutex)
{
	struct gosync_mutex_slot *slot = mutex->obj.state;

	lockdep_assert_held(&mutex->obj.wq.lock);
	if (likely(!mutex->obj.nr_broken)) {
		mutex_count_token(mutex);
		return;
	}
	WRITE_ONCE(mutex->token, mutex_last_token(mutex) + 1);
	WRITE_ONCE(slot->token, mutex->token);
}

/* The bits of the word that the kernel writes from its own fields */
static u64 mutex_flags(const struct gosync_mutex *mutex, bool woken,
		       bool starving, bool poisoned, u32 waiters)
{
	return (woken ? GOSYNC_MUTEX_WOKEN : 0) |
	       (starving || mutex->obj.nr_broken || gosync_is_away(&mutex->obj) ?
		GOSYNC_MUTEX_STARVING : 0) |
	       (poisoned ? GOSYNC_MUTEX_POISONED : 0) |
	       min_t(u64, waiters, WAITERS_MAX) * GOSYNC_MUTEX_WAITER;
}

static u64 ownership_of(u64 word)
{
	if (!(word & GOSYNC_MUTEX_LOCKED))
		return 0;
	return gosync_owned_by(gosync_owner_of(word));
}

/*
 * There are broken holders, or were until now. A process that counts a token in
 * the slot at this moment has locked before, and none of its tokens is above
 * that.
 */
static void mutex_publish_broken(struct gosync_mutex *mutex)
{
	struct gosync_mutex_slot *slot = mutex->obj.state;

	WRITE_ONCE(mutex->token, mutex_last_token(mutex));
	if (mutex->obj.nr_broken) {
		/* No compare-and-swap: scribbling cannot make this fail. */
		atomic64_or(GOSYNC_MUTEX_STARVING, gosync_mutex_word(mutex));
		return;
	}
	/*
	 * M-A, before STARVING is gone: pairs with token_of() in
	 * libuser/internal.h.
	 */
	WRITE_ONCE(slot->token, mutex->token);
	WRITE_ONCE(mutex->token, 0);
}

/**
 * gosync_mutex_publish() - write the kernel's bits into the word
 * @mutex: the mutex; LOCKED and the owner stay as they are
 */
void gosync_mutex_publish(struct gosync_mutex *mutex)
{
	u64 bits = mutex_flags(mutex, mutex->woken, mutex->starving,
			       mutex->poisoned, gosync_shown(&mutex->obj));
	atomic64_t *word = gosync_mutex_word(mutex);
	s64 old;
	int i;

	lockdep_assert_held(&mutex->obj.wq.lock);
	if (unlikely(mutex->obj.nr_broken || mutex->token))
		mutex_publish_broken(mutex);
	old = atomic64_read(word);
	for (i = 0; i < GOSYNC_RACES; i++)
		if (atomic64_try_cmpxchg(word, &old, ownership_of(old) | bits))
			break;
}

/**
 * gosync_mutex_show_waiter() - show one more waiter in a word that is locked
 * @mutex: the mutex
 * @old: the word, as the caller saw it
 *
 * From now on an unlocker enters the kernel.
 *
 * Return: false if the word has changed.
 */
bool gosync_mutex_show_waiter(struct gosync_mutex *mutex, u64 old)
{
	u64 new = ownership_of(old) |
		  mutex_flags(mutex, mutex->woken, mutex->starving,
			      mutex->poisoned, gosync_shown(&mutex->obj) + 1);
	s64 was = old;

	lockdep_assert_held(&mutex->obj.wq.lock);
	return atomic64_try_cmpxchg(gosync_mutex_word(mutex), &was, new);
}

/* Called with the object's lock. */
static void mutex_set_starving(struct gosync_mutex *mutex, bool starving)
{
	struct gosync_object *obj = &mutex->obj;
	struct gosync_stats *stats = READ_ONCE(obj->stats);

	if (mutex->starving == starving)
		return;
	mutex->starving = starving;
	if (!starving) {
		trace_gosync_starvation_end(obj, 0);
		return;
	}
	if (stats)
		stats->starvations++;
	trace_gosync_starvation_begin(obj, 0);
}

static bool is_starved(const struct gosync_waiter *waiter)
{
	return ktime_get_ns() - waiter->since > STARVING_AFTER_NS;
}

/* Has the waiter at the head of the queue starved, too? */
static bool is_next_starving(struct gosync_object *obj)
{
	const struct gosync_waiter *next;

	next = list_first_entry_or_null(&obj->wq.head, struct gosync_waiter,
					entry.entry);
	return next && next->starving;
}

/*
 * Take the lock if it is free; otherwise queue if @queue.
 *
 * Return: 0 if taken, -EINPROGRESS if queued, -EBUSY if neither, -EOWNERDEAD
 * if its owner (*@dead) does not live, -EAGAIN if the word kept changing,
 * -ESTALE.
 */
static int mutex_take(struct gosync_mutex *mutex, struct gosync_waiter *waiter,
		      bool queue, u32 *dead)
{
	struct gosync_object *obj = &mutex->obj;
	atomic64_t *word = gosync_mutex_word(mutex);
	s64 old = atomic64_read(word);
	int i;

	lockdep_assert_held(&obj->wq.lock);
	if (gosync_is_broken(waiter->holder))
		return -ESTALE;
	if (queue && !waiter->since) {
		gosync_recall(waiter);
		waiter->starving |= waiter->since && is_starved(waiter);
	}
	for (i = 0; i < GOSYNC_RACES; i++) {
		bool starving = mutex->starving;
		u64 new;

		if (!(old & GOSYNC_MUTEX_LOCKED)) {
			new = gosync_owned_by(waiter->holder->id) |
			      mutex_flags(mutex, mutex->woken, starving,
					  mutex->poisoned, gosync_shown(obj));
			if (!atomic64_try_cmpxchg(word, &old, new))
				continue;
			mutex_next_token(mutex);
			gosync_account_wait(obj, waiter, GOSYNC_WOKEN);
			if (!waiter->since && obj->nr_waiters)
				trace_gosync_acquired(obj, waiter->holder->id,
						      GOSYNC_BARGED, 0);
			return 0;
		}
		*dead = gosync_owner_of(old);
		if (!gosync_holder_lives(obj, *dead))
			return -EOWNERDEAD;

		/* Starvation begins only here, where the lock is owned. */
		starving |= queue && waiter->starving;
		new = ownership_of(old) |
		      mutex_flags(mutex, mutex->woken, starving,
				  mutex->poisoned, gosync_shown(obj) + queue);
		if (!atomic64_try_cmpxchg(word, &old, new))
			continue;
		mutex_set_starving(mutex, starving);
		if (!queue) {
			gosync_cluster_want(obj, GOSYNC_HERE);
			return -EBUSY;
		}
		gosync_enqueue(obj, &obj->wq.head, waiter);
		return -EINPROGRESS;
	}
	return -EAGAIN;
}

static void mutex_note_death(struct gosync_mutex *mutex, u32 owner)
{
	WRITE_ONCE(mutex->poisoned, true);
	WRITE_ONCE(mutex->obj.deaths, mutex->obj.deaths + 1);
	trace_gosync_owner_died(&mutex->obj, owner);
}

/*
 * Grant the lock to @first, the first in the queue, a waiter of a group. Its
 * holder is the owner in the word already.
 *
 * Return: false if its group was granted something else meanwhile. Otherwise
 * *@next is the waiter to wake, @first or another, or NULL if it has to wait for
 * something more.
 */
static bool mutex_grant_word(struct gosync_mutex *mutex,
			     struct gosync_waiter *first,
			     struct gosync_waiter **next)
{
	struct gosync_object *obj = &mutex->obj;

	*next = NULL;
	if (obj->ops->handed && !obj->ops->handed(obj, first, next)) {
		mutex_next_token(mutex);
		return true;
	}
	if (!gosync_claim(obj, first))
		return false;
	*next = first;
	mutex_next_token(mutex);
	gosync_account_wait(obj, first, GOSYNC_HANDED_OVER);
	return true;
}

/**
 * gosync_mutex_release() - unlock: hand off, or wake a waiter to compete
 * @mutex: the mutex
 * @owner: only if this holder is the owner; 0: any owner
 * @died: the owner has not released it itself
 * @next: out: the waiter to wake; or NULL
 * @wake: out: what to tell it
 *
 * Return: 0 or -EPERM. In both cases the caller has to call gosync_wake(*next,
 * *wake) after it has dropped the object's lock.
 */
int gosync_mutex_release(struct gosync_mutex *mutex, u32 owner, bool died,
			 struct gosync_waiter **next, enum gosync_wake *wake)
{
	struct gosync_object *obj = &mutex->obj;
	atomic64_t *word = gosync_mutex_word(mutex);
	s64 old = atomic64_read(word);
	int i;

	lockdep_assert_held(&obj->wq.lock);
	*next = NULL;
	*wake = GOSYNC_RETRY;
	for (i = 0; i < GOSYNC_RACES; i++) {
		struct gosync_waiter *first = *next;
		bool grant, starving, woken;
		u64 new;

		if (!(old & GOSYNC_MUTEX_LOCKED) ||
		    (owner && gosync_owner_of(old) != owner))
			break;
		if (!first && (mutex->starving || !mutex->woken)) {
			first = gosync_first_live(obj, &obj->wq.head);
			if (first && !first->group) {
				gosync_claim(obj, first);
				*next = first;
			}
		}
		grant = first && (mutex->starving || first->group ||
				  first->lost);
		starving = grant && mutex->starving && is_next_starving(obj);
		woken = mutex->woken || (first && !grant);
		new = (grant ? gosync_owned_by(first->holder->id) : 0) |
		      mutex_flags(mutex, woken, starving,
				  mutex->poisoned || died, gosync_shown(obj));
		if (!atomic64_try_cmpxchg(word, &old, new))
			continue;
		mutex_set_starving(mutex, starving);
		mutex->woken = woken;
		if (died)
			mutex_note_death(mutex, gosync_owner_of(old));
		if (grant && first->group) {
			*wake = GOSYNC_GRANTED;
			if (mutex_grant_word(mutex, first, next)) {
				gosync_mutex_publish(mutex);
				return 0;
			}
			/*
			 * The waiter is dead: its holder is the owner to
			 * release.
			 */
			owner = first->holder->id;
			*wake = GOSYNC_RETRY;
			died = false;
			old = new;
			continue;
		}
		if (grant) {
			*wake = GOSYNC_GRANTED;
			mutex_next_token(mutex);
			gosync_account_wait(obj, *next, GOSYNC_HANDED_OVER);
		}
		return 0;
	}
	/* Somebody else released it meanwhile: the claimed waiter shall try. */
	mutex->woken |= !!*next;
	return -EPERM;
}

/**
 * gosync_mutex_yield() - give the lock to a waiter before its turn
 * @mutex: the mutex
 * @owner: only if this holder is the owner
 * @to: a waiter of a group, in the queue or not; its holder is the owner afterwards
 * @next: out: the waiter that has it now, for gosync_wake(GOSYNC_GRANTED); or NULL
 *
 * Return: 0, or -EPERM, and nothing was changed.
 */
int gosync_mutex_yield(struct gosync_mutex *mutex, u32 owner,
		       struct gosync_waiter *to, struct gosync_waiter **next)
{
	struct gosync_object *obj = &mutex->obj;
	atomic64_t *word = gosync_mutex_word(mutex);
	s64 old = atomic64_read(word);
	u64 new;
	int i;

	lockdep_assert_held(&obj->wq.lock);
	*next = NULL;
	for (i = 0; i < GOSYNC_RACES; i++) {
		if (!(old & GOSYNC_MUTEX_LOCKED) || gosync_owner_of(old) != owner)
			break;
		new = gosync_owned_by(to->holder->id) |
		      mutex_flags(mutex, mutex->woken, mutex->starving,
				  mutex->poisoned, gosync_shown(obj));
		if (!atomic64_try_cmpxchg(word, &old, new))
			continue;
		if (to->queued && mutex_grant_word(mutex, to, next))
			gosync_mutex_publish(mutex);
		return 0;
	}
	return -EPERM;
}

/*
 * As gosync_mutex_release(), for the holder @by, or NULL for the kernel itself
 */
static int mutex_release_and_wake(struct gosync_mutex *mutex,
				  const struct gosync_holder *by, u32 owner,
				  bool died)
{
	struct gosync_waiter *next = NULL;
	enum gosync_wake wake;
	int ret = -ESTALE;

	spin_lock(&mutex->obj.wq.lock);
	if (!by || !gosync_is_broken(by))
		ret = gosync_mutex_release(mutex, owner, died, &next, &wake);
	spin_unlock(&mutex->obj.wq.lock);
	gosync_wake(next, wake);
	if (!ret && wake != GOSYNC_GRANTED)
		gosync_changed(&mutex->obj);
	return ret;
}

/* Does who unlocks this word enter the kernel, and look for a waiter there? */
static bool is_unlock_ours(u64 word)
{
	if (!(word & GOSYNC_MUTEX_LOCKED))
		return false;
	return word & GOSYNC_MUTEX_STARVING ||
	       (word & GOSYNC_MUTEX_WAITERS && !(word & GOSYNC_MUTEX_WOKEN));
}

/*
 * A waiter has left the queue without a look whether the lock is free. If it is
 * free the first waiter is granted it, or woken to try.
 */
static void mutex_wake_another(struct gosync_mutex *mutex)
{
	enum gosync_wake wake = GOSYNC_RETRY;
	struct gosync_object *obj = &mutex->obj;
	struct gosync_waiter *first, *next = NULL;
	u64 new;
	s64 old;
	int i;

	spin_lock(&obj->wq.lock);
	/* From now on an unlocker sees who waits, and that nobody was woken. */
	gosync_mutex_publish(mutex);
	for (i = 0; i < GOSYNC_RACES && !mutex->woken; i++) {
		first = gosync_first_live(obj, &obj->wq.head);
		if (!first)
			break;
		old = atomic64_read(gosync_mutex_word(mutex));
		if (is_unlock_ours(old) &&
		    (first->group ||
		     gosync_holder_lives(obj, gosync_owner_of(old))))
			break;
		if (!first->group) {
			gosync_claim(obj, first);
			mutex->woken = true;
			next = first;
			break;
		}
		if (old & GOSYNC_MUTEX_LOCKED) {
			gosync_mutex_publish(mutex);
			continue;
		}
		new = gosync_owned_by(first->holder->id) |
		      mutex_flags(mutex, false, mutex->starving,
				  mutex->poisoned, gosync_shown(obj));
		if (!atomic64_try_cmpxchg(gosync_mutex_word(mutex), &old, new))
			continue;
		if (mutex_grant_word(mutex, first, &next)) {
			wake = GOSYNC_GRANTED;
			break;
		}
		/* The waiter is dead: unlock again. */
		gosync_mutex_release(mutex, first->holder->id, false, &next,
				     &wake);
		break;
	}
	gosync_mutex_publish(mutex);
	spin_unlock(&obj->wq.lock);
	gosync_wake(next, wake);
}

/**
 * gosync_mutex_acquire() - take the lock, and wait for it if need be
 * @mutex: the mutex
 * @waiter: the waiter, prepared by gosync_waiter_init()
 * @timeout: when to give up
 *
 * Return: 0 if the lock was taken, also when the caller is being killed; or an
 * error.
 */
int gosync_mutex_acquire(struct gosync_mutex *mutex,
			 struct gosync_waiter *waiter,
			 const struct gosync_timeout *timeout)
{
	struct gosync_object *obj = &mutex->obj;
	bool woken = false;
	int err = 0;
	u32 dead;
	int ret;

	for (;;) {
		spin_lock(&obj->wq.lock);
		if (woken) {
			mutex->woken = false;
			waiter->lost = true;
			waiter->starving |= is_starved(waiter);
		}
		ret = mutex_take(mutex, waiter, !err, &dead);
		spin_unlock(&obj->wq.lock);
		if (!ret)
			break;
		if (ret == -EOWNERDEAD)
			obj->ops->owner_died(obj, dead);
		if (ret == -EOWNERDEAD || ret == -EAGAIN) {
			ret = err;
			if (err) {
				mutex_wake_another(mutex);
				break;
			}
			err = gosync_try_again();
			continue;
		}
		if (ret == -ESTALE) {
			/* The wake-up was the next waiter's, too. */
			if (woken)
				mutex_wake_another(mutex);
			break;
		}
		ret = err;
		if (err)
			break;

		ret = gosync_wait(obj, waiter, timeout);
		if (ret || waiter->wake == GOSYNC_GRANTED)
			goto out;
		err = waiter->gave_up;
		woken = true;
	}
	if (woken)
		gosync_wait_ends(obj, waiter, ret);
out:
	gosync_remember(waiter, ret);
	return ret;
}

/*
 * Take the lock, or queue if @queue.
 *
 * Return: as &gosync_wait_op.attempt.
 */
int gosync_mutex_attempt(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_object *obj = waiter->holder->obj;
	struct gosync_mutex *mutex = gosync_to_mutex(obj);
	u32 dead;
	int ret;

	if (gosync_mutex_take_free(mutex, waiter->holder))
		return 0;
	for (;;) {
		spin_lock(&obj->wq.lock);
		ret = mutex_take(mutex, waiter, queue, &dead);
		spin_unlock(&obj->wq.lock);
		if (ret == -EOWNERDEAD)
			obj->ops->owner_died(obj, dead);
		else if (ret != -EAGAIN)
			return ret;
		ret = gosync_try_again();
		if (ret)
			return ret;
	}
}

/**
 * gosync_mutex_try() - take the lock if it is free
 * @mutex: the mutex
 * @holder: the new owner
 *
 * Return: 0, -EBUSY or -ESTALE.
 */
int gosync_mutex_try(struct gosync_mutex *mutex, struct gosync_holder *holder)
{
	struct gosync_waiter waiter = { .holder = holder };
	int ret = gosync_mutex_attempt(&waiter, false);

	return ret && ret != -ESTALE ? -EBUSY : ret;
}

/*
 * Lock and unlock without the object's lock, in the two cases that user space
 * does by itself: they owe nobody a wake-up. If there is a waiter that the word
 * does not show, it was scribbled on, and the other paths put it right.
 */
bool gosync_mutex_take_free(struct gosync_mutex *mutex,
			    struct gosync_holder *holder)
{
	s64 old = 0;

	if (READ_ONCE(mutex->obj.nr_waiters) ||
	    !atomic64_try_cmpxchg(gosync_mutex_word(mutex), &old,
				  gosync_owned_by(holder->id)))
		return false;
	mutex_count_token(mutex);
	return true;
}

bool gosync_mutex_drop_unwanted(struct gosync_mutex *mutex,
				struct gosync_holder *holder)
{
	s64 old = gosync_owned_by(holder->id);

	return !READ_ONCE(mutex->obj.nr_waiters) &&
	       !gosync_watched(&mutex->obj) &&
	       atomic64_try_cmpxchg(gosync_mutex_word(mutex), &old, 0);
}

static long gosync_mutex_lock(struct gosync_holder *holder, void *arg)
{
	struct gosync_mutex *mutex = gosync_to_mutex(holder->obj);
	struct gosync_wait_args *args = arg;
	struct gosync_timeout timeout __uninitialized;
	struct gosync_waiter waiter __uninitialized;
	int ret;

	if (gosync_is_clock(args->flags) && gosync_mutex_take_free(mutex, holder))
		return 0;
	ret = gosync_timeout_init(&timeout, args->flags, args->deadline);
	if (ret)
		return ret;
	gosync_waiter_init(&waiter, holder);
	ret = gosync_mutex_acquire(mutex, &waiter, &timeout);
	if (ret)
		return ret;
	/* A task that is being killed never enters the critical section. */
	ret = gosync_too_late(holder);
	if (ret) {
		mutex_release_and_wake(mutex, NULL, holder->id, false);
		return ret;
	}
	return READ_ONCE(mutex->poisoned);
}

static long gosync_mutex_trylock(struct gosync_holder *holder, void *arg)
{
	struct gosync_mutex *mutex = gosync_to_mutex(holder->obj);

	return gosync_mutex_try(mutex, holder) ?: READ_ONCE(mutex->poisoned);
}

static long gosync_mutex_unlock(struct gosync_holder *holder, void *arg)
{
	struct gosync_mutex *mutex = gosync_to_mutex(holder->obj);
	bool strict = mutex->obj.flags & GOSYNC_ERRORCHECK;

	if (gosync_mutex_drop_unwanted(mutex, holder))
		return 0;
	return mutex_release_and_wake(mutex, holder, strict ? holder->id : 0,
				      false);
}

long gosync_mutex_recover(struct gosync_holder *holder, void *arg)
{
	struct gosync_mutex *mutex = gosync_to_mutex(holder->obj);

	scoped_guard(spinlock, &mutex->obj.wq.lock) {
		if (ownership_of(atomic64_read(gosync_mutex_word(mutex))) !=
		    gosync_owned_by(holder->id))
			return gosync_may_operate(holder) ?: -EPERM;
		WRITE_ONCE(mutex->poisoned, false);
		gosync_mutex_publish(mutex);
	}
	trace_gosync_recovered(&mutex->obj, holder->id);
	return 0;
}

void gosync_mutex_left(struct gosync_object *obj, struct gosync_waiter *waiter)
{
	struct gosync_mutex *mutex = gosync_to_mutex(obj);

	scoped_guard(spinlock, &obj->wq.lock) {
		if (list_empty(&obj->wq.head))
			mutex_set_starving(mutex, false);
		gosync_mutex_publish(mutex);
	}
	if (waiter->group)
		mutex_wake_another(mutex);
}

void gosync_mutex_show(struct gosync_object *obj)
{
	gosync_mutex_publish(gosync_to_mutex(obj));
}

static bool mutex_ready(const struct gosync_waiter *waiter)
{
	return !(atomic64_read(waiter->holder->obj->state) &
		 GOSYNC_MUTEX_LOCKED);
}

int gosync_mutex_result(struct gosync_waiter *waiter)
{
	return READ_ONCE(gosync_to_mutex(waiter->holder->obj)->poisoned);
}

static void mutex_give_back(struct gosync_waiter *waiter)
{
	mutex_release_and_wake(gosync_to_mutex(waiter->holder->obj), NULL,
			       waiter->holder->id, false);
}

static const struct gosync_wait_op mutex_lock_op = {
	.takes = true,
	.attempt = gosync_mutex_attempt,
	.ready = mutex_ready,
	.result = gosync_mutex_result,
	.give_back = mutex_give_back,
};

static void mutex_owner_died(struct gosync_object *obj, u32 id)
{
	mutex_release_and_wake(gosync_to_mutex(obj), NULL, id, true);
}

static void mutex_abandon(struct gosync_object *obj,
			  struct gosync_holder *holder)
{
	mutex_owner_died(obj, holder->id);
}

u64 gosync_mutex_token(const struct gosync_object *obj)
{
	const struct gosync_mutex *mutex;

	mutex = container_of_const(obj, struct gosync_mutex, obj);
	return mutex_last_token(mutex);
}

void gosync_mutex_info(struct gosync_object *obj,
		       const struct gosync_holder *holder,
		       struct gosync_info *info)
{
	/* One load: the word and the owner are of the same moment. */
	info->word = atomic64_read(obj->state);
	info->owner = gosync_owner_of(ownership_of(info->word));
	info->token = gosync_mutex_token(obj);
}

void gosync_mutex_cluster_get(struct gosync_object *obj,
			      struct gosync_cluster_state *state)
{
	const struct gosync_mutex *mutex = gosync_to_mutex(obj);

	state->token = mutex_last_token(mutex);
	state->poisoned = mutex->poisoned;
}

void gosync_mutex_cluster_set(struct gosync_object *obj,
			      const struct gosync_cluster_state *state)
{
	struct gosync_mutex *mutex = gosync_to_mutex(obj);
	struct gosync_mutex_slot *slot = obj->state;

	/* An object that is made after this one has ended has larger tokens. */
	first_token(state->token);
	WRITE_ONCE(slot->token, state->token);
	if (mutex->token)
		WRITE_ONCE(mutex->token, state->token);
	WRITE_ONCE(mutex->poisoned, state->poisoned);
	if (state->died)
		mutex_note_death(mutex, GOSYNC_CLUSTER_HOLDER);
}

u32 gosync_mutex_owner(const struct gosync_object *obj)
{
	return gosync_owner_of(ownership_of(atomic64_read(obj->state)));
}

static unsigned int mutex_lock_flags(const struct gosync_waiter *waiter)
{
	return LCB_F_MUTEX;
}

static const struct gosync_lock_ops mutex_as_lock = {
	.lock = gosync_mutex_lock,
	.unlock = gosync_mutex_unlock,
	.op = &mutex_lock_op,
};

static const struct gosync_cluster_type mutex_in_cluster = {
	.op = &mutex_lock_op,
	.get = gosync_mutex_cluster_get,
	.set = gosync_mutex_cluster_set,
};

static const struct gosync_ioctl ioctls[] = {
	GOSYNC_IOCTL_ARG(MUTEX_LOCK, GOSYNC_WRITES | GOSYNC_OPTIONAL,
			 gosync_mutex_lock, wait, .wait = &mutex_lock_op),
	GOSYNC_IOCTL(MUTEX_TRYLOCK, GOSYNC_WRITES, gosync_mutex_trylock),
	GOSYNC_IOCTL(MUTEX_UNLOCK, GOSYNC_WRITES | GOSYNC_URING,
		     gosync_mutex_unlock),
	GOSYNC_IOCTL(MUTEX_RECOVER, GOSYNC_WRITES, gosync_mutex_recover),
};

const struct gosync_ops gosync_mutex_ops = {
	.name = "mutex",
	.size = sizeof(struct gosync_mutex),
	.ioctls = ioctls,
	.nr_ioctls = ARRAY_SIZE(ioctls),
	.flags = GOSYNC_ERRORCHECK,
	.init = gosync_mutex_init,
	.abandon = mutex_abandon,
	.owner_died = mutex_owner_died,
	.left = gosync_mutex_left,
	.show = gosync_mutex_show,
	.exclusive = true,
	.in = &mutex_lock_op,
	.lock = &mutex_as_lock,
	.lock_flags = mutex_lock_flags,
	.token = gosync_mutex_token,
	.owner = gosync_mutex_owner,
	.info = gosync_mutex_info,
	.cluster = &mutex_in_cluster,
};
