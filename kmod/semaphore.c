// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semaphore: Go's runtime_Semacquire and runtime_Semrelease, made public and
 * weighted.
 *
 * The permits and the number of waiters are one word. As long as there are no
 * waiters, user space takes and adds permits by compare-and-swap. From the
 * first waiter on the kernel does both, in the order of the queue: permits go
 * to the first waiter, if there are as many as it wants, then to the next. No
 * waiter overtakes another.
 *
 * Why no death leaves a sleeper behind: a release with waiters is made in the
 * kernel, which hands the permits out at the same time. When a waiter leaves,
 * in whatever way, the waiters behind it get the permits that there are. A task
 * that was granted permits while it is being killed adds them again. Permits
 * have no owner, so those that a dead process had taken stay taken, unless the
 * Semaphore is GOSYNC_GIVE_BACK. Then user space takes none by itself, and the
 * kernel counts those of each holder: a holder releases only what it has
 * acquired.
 *
 * A change of the limit changes the number of permits by as many. If too many
 * permits are out when the limit shrinks, some are owed: they do not count when
 * they come back. Until then the word shows one more waiter, so that releases
 * enter the kernel.
 */
#include <linux/sched/signal.h>

#include "trace.h"
#include "wait.h"

/**
 * struct gosync_sem - a Semaphore
 * @obj: the object; its lock protects the rest
 * @owed: permits that are out beyond the limit; if there are any the word has
 *	none
 */
struct gosync_sem {
	struct gosync_object obj;
	u32 owed;
};

static struct gosync_sem *to_sem(struct gosync_object *obj)
{
	return container_of(obj, struct gosync_sem, obj);
}

static atomic64_t *word_of(struct gosync_object *obj)
{
	return obj->state + offsetof(struct gosync_semaphore_slot, word);
}

static u32 permits_of(u64 word)
{
	return word & GOSYNC_SEMAPHORE_PERMITS;
}

static u64 make_word(u32 permits, u32 waiters)
{
	return permits | (u64)waiters << GOSYNC_SEMAPHORE_WAITER_SHIFT;
}

/* The number of waiters that the word shows */
static u32 shown(struct gosync_object *obj)
{
	return gosync_shown(obj) + !!to_sem(obj)->owed;
}

static void count_held(struct gosync_holder *holder, s64 n)
{
	lockdep_assert_held(&holder->obj->wq.lock);
	if (holder->obj->flags & GOSYNC_GIVE_BACK)
		holder->held = clamp_t(s64, holder->held + n, 0, U32_MAX);
}

/*
 * Take as many permits as @waiter wants. If that is not possible, queue it if
 * @queue is true.
 *
 * Return: 0 if taken, -EINPROGRESS if queued, -EBUSY if neither, -EAGAIN if
 * the word kept changing, -ESTALE.
 */
static int semaphore_take(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_object *obj = waiter->holder->obj;
	atomic64_t *word = word_of(obj);
	u32 n = waiter->number;
	s64 old = atomic64_read(word);
	int i;

	lockdep_assert_held(&obj->wq.lock);
	if (gosync_is_broken(waiter->holder))
		return -ESTALE;
	if (queue)
		gosync_recall(waiter);
	if (waiter->again && n > 1)
		waiter->put_off = gosync_put_off(waiter->since);
	/*
	 * Take dead waiters off, so that the next line sees the first live one.
	 */
	gosync_first_live(obj, &obj->wq.head);
	for (i = 0; i < GOSYNC_RACES; i++) {
		bool can = gosync_is_first(&obj->wq.head, waiter) &&
			   permits_of(old) >= n;
		u64 new = can ? make_word(permits_of(old) - n, shown(obj)) :
			  make_word(permits_of(old), shown(obj) + queue);

		if (!atomic64_try_cmpxchg(word, &old, new))
			continue;
		if (can) {
			count_held(waiter->holder, n);
			gosync_account_wait(obj, waiter, GOSYNC_WOKEN);
			return 0;
		}
		if (!queue)
			return -EBUSY;
		gosync_enqueue(obj, &obj->wq.head, waiter);
		return -EINPROGRESS;
	}
	return -EAGAIN;
}

/*
 * Add @n permits, without those that are owed; with @fit no more than the word
 * can have. Then hand out permits to up to GOSYNC_WAKE_BATCH waiters. A claimed
 * waiter is granted its permits, so these are taken from the word whatever its
 * value is by then: while there are waiters only scribbling can change it.
 *
 * Return: the number of waiters in @batch, for the caller to wake; or -ERANGE.
 */
static int semaphore_hand_out(struct gosync_object *obj, u32 n, bool fit,
			      struct gosync_waiter **batch)
{
	struct gosync_sem *sem = to_sem(obj);
	u32 pay = min(n, sem->owed);
	atomic64_t *word = word_of(obj);
	s64 old = atomic64_read(word);
	unsigned int nr = 0, i;
	s64 permits, taken = 0;

	lockdep_assert_held(&obj->wq.lock);
	sem->owed -= pay;
	for (i = 0; i < GOSYNC_RACES; i++) {
		permits = (s64)permits_of(old) + n - pay;
		if (fit)
			permits = min_t(s64, permits, GOSYNC_SEMAPHORE_PERMITS);
		if (permits > GOSYNC_SEMAPHORE_PERMITS) {
			sem->owed += pay;
			return -ERANGE;
		}
		if (atomic64_try_cmpxchg(word, &old,
					 make_word(permits, shown(obj))))
			break;
	}
	while (nr < GOSYNC_WAKE_BATCH) {
		struct gosync_waiter *first;

		first = gosync_first_live(obj, &obj->wq.head);
		if (!first || first->number > permits - taken)
			break;
		if (!gosync_claim(obj, first))
			continue;
		taken += first->number;
		count_held(first->holder, first->number);
		gosync_account_wait(obj, first, GOSYNC_HANDED_OVER);
		batch[nr++] = first;
	}
	if (!nr)
		return 0;
	old = atomic64_read(word);
	for (i = 0; i < GOSYNC_RACES; i++) {
		permits = max_t(s64, permits_of(old) - taken, 0);
		if (atomic64_try_cmpxchg(word, &old,
					 make_word(permits, shown(obj))))
			break;
	}
	return nr;
}

/*
 * Add @n permits that @holder had, or that no holder had if it is NULL, and
 * hand them out. With @fit: no more than that holder has, and see
 * semaphore_hand_out().
 */
static int semaphore_add(struct gosync_object *obj,
			 struct gosync_holder *holder, u32 n, bool fit)
{
	struct gosync_waiter *batch[GOSYNC_WAKE_BATCH] __uninitialized;
	int nr, i;

	do {
		scoped_guard(spinlock, &obj->wq.lock) {
			if (holder && obj->flags & GOSYNC_GIVE_BACK &&
			    n > holder->held) {
				if (!fit)
					return gosync_may_operate(holder) ?:
					       -EPERM;
				n = holder->held;
			}
			nr = semaphore_hand_out(obj, n, fit, batch);
			if (nr >= 0 && holder)
				count_held(holder, -(s64)n);
		}
		for (i = 0; i < nr; i++)
			gosync_wake(batch[i], GOSYNC_GRANTED);
		/* Go on with the next waiters, with nothing more to add. */
		holder = NULL;
		n = 0;
		cond_resched();
	} while (nr == GOSYNC_WAKE_BATCH);
	gosync_changed(obj);
	return min(nr, 0);
}

static int check_instant(const struct gosync_semaphore_args *args)
{
	return args->count > GOSYNC_SEMAPHORE_PERMITS || args->flags ||
	       args->deadline || args->__reserved ? -EINVAL : 0;
}

static int semaphore_check(struct gosync_waiter *waiter, u32 index, u64 value)
{
	if (index || value > GOSYNC_SEMAPHORE_PERMITS)
		return -EINVAL;
	waiter->number = value;
	return 0;
}

static int semaphore_attempt(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_holder *holder = waiter->holder;
	int ret;

	do {
		scoped_guard(spinlock, &holder->obj->wq.lock)
			ret = semaphore_take(waiter, queue);
		if (ret != -EAGAIN)
			return ret;
		ret = gosync_try_again();
	} while (!ret);
	return ret;
}

static bool semaphore_ready(const struct gosync_waiter *waiter)
{
	struct gosync_object *obj = waiter->holder->obj;

	return list_empty(&obj->wq.head) &&
	       permits_of(atomic64_read(word_of(obj))) >= waiter->number;
}

static void semaphore_give_back(struct gosync_waiter *waiter)
{
	struct gosync_holder *holder = waiter->holder;

	semaphore_add(holder->obj, holder, waiter->number, true);
}

static const struct gosync_wait_op semaphore_acquire_op = {
	.takes = true,
	.most = GOSYNC_SEMAPHORE_PERMITS,
	.check = semaphore_check,
	.attempt = semaphore_attempt,
	.ready = semaphore_ready,
	.give_back = semaphore_give_back,
};

static long gosync_semaphore_acquire(struct gosync_holder *holder, void *arg)
{
	struct gosync_semaphore_args *args = arg;
	struct gosync_waiter waiter __uninitialized;

	if (args->__reserved)
		return -EINVAL;
	return gosync_wait_alone(&semaphore_acquire_op, holder, &waiter,
				 args->flags, args->deadline, 0, args->count);
}

static long gosync_semaphore_tryacquire(struct gosync_holder *holder, void *arg)
{
	struct gosync_semaphore_args *args = arg;
	struct gosync_waiter waiter = {
		.holder = holder,
		.number = args->count,
	};

	return check_instant(args) ?: semaphore_attempt(&waiter, false);
}

static long gosync_semaphore_release(struct gosync_holder *holder, void *arg)
{
	struct gosync_semaphore_args *args = arg;

	return check_instant(args) ?:
	       semaphore_add(holder->obj, holder, args->count, false);
}

static int semaphore_fill(void *arg, u64 operand, u32 index)
{
	struct gosync_semaphore_args *args = arg;

	args->count = operand;
	return index || operand > U32_MAX ? -EINVAL : 0;
}

/*
 * Change the limit, and the number of permits by as many.
 *
 * Return: 0, -ERANGE, or -EAGAIN if the word kept changing.
 */
static int semaphore_set_limit(struct gosync_object *obj, u32 limit)
{
	struct gosync_sem *sem = to_sem(obj);
	atomic64_t *word = word_of(obj);
	s64 old = atomic64_read(word);
	const u32 was = sem->owed;
	int i;

	lockdep_assert_held(&obj->wq.lock);
	for (i = 0; i < GOSYNC_RACES; i++) {
		s64 permits = (s64)permits_of(old) - was + (s64)limit -
			      obj->capacity;

		if (permits > (s64)GOSYNC_SEMAPHORE_PERMITS)
			break;
		sem->owed = max_t(s64, -permits, 0);
		if (atomic64_try_cmpxchg(word, &old,
					 make_word(max_t(s64, permits, 0),
						   shown(obj)))) {
			WRITE_ONCE(obj->capacity, limit);
			return 0;
		}
	}
	sem->owed = was;
	return i < GOSYNC_RACES ? -ERANGE : -EAGAIN;
}

static long gosync_semaphore_limit(struct gosync_holder *holder, void *arg)
{
	struct gosync_object *obj = holder->obj;
	struct gosync_semaphore_args *args = arg;
	int ret = check_instant(args);

	if (ret)
		return ret;
	do {
		scoped_guard(spinlock, &obj->wq.lock)
			ret = semaphore_set_limit(obj, args->count);
		if (ret != -EAGAIN)
			break;
		ret = gosync_try_again();
	} while (!ret);
	/* Some waiters may go on. */
	return ret ?: semaphore_add(obj, NULL, 0, true);
}

/* The next waiter may want fewer permits. */
static void semaphore_left(struct gosync_object *obj,
			   struct gosync_waiter *waiter)
{
	semaphore_add(obj, NULL, 0, true);
}

static void semaphore_abandon(struct gosync_object *obj,
			      struct gosync_holder *holder)
{
	u32 held;

	scoped_guard(spinlock, &obj->wq.lock) {
		held = holder->held;
		if (!held)
			return;
		holder->held = 0;
		WRITE_ONCE(obj->deaths, obj->deaths + 1);
	}
	trace_gosync_owner_died(obj, holder->id);
	semaphore_add(obj, NULL, held, true);
}

static void semaphore_show(struct gosync_object *obj)
{
	atomic64_t *word = word_of(obj);
	s64 old = atomic64_read(word);
	int i;

	/* Take dead waiters off: semaphore_ready() wants an empty queue. */
	gosync_first_live(obj, &obj->wq.head);
	for (i = 0; i < GOSYNC_RACES; i++)
		if (atomic64_try_cmpxchg(word, &old,
					 make_word(permits_of(old),
						   shown(obj))))
			break;
}

/* Without GOSYNC_IOC_WATCH a holder is polled for one permit. */
static bool semaphore_watched(const struct gosync_holder *holder,
			      struct gosync_waiter *waiter)
{
	waiter->number = holder->watches ? holder->watch_value : 1;
	return true;
}

static u32 semaphore_asks(const struct gosync_waiter *waiter)
{
	return waiter->number;
}

static void semaphore_identify(const struct gosync_waiter *waiter, u64 *operand,
			       u32 *index)
{
	*operand = waiter->number;
}

/* It is a lock, but of no kind that perf knows. */
static unsigned int semaphore_lock_flags(const struct gosync_waiter *waiter)
{
	return 0;
}

static int semaphore_init(struct gosync_object *obj,
			  const struct gosync_open_args *args)
{
	atomic64_set(word_of(obj), make_word(obj->capacity, 0));
	return 0;
}

static void semaphore_info(struct gosync_object *obj,
			   const struct gosync_holder *holder,
			   struct gosync_info *info)
{
	info->word = atomic64_read(word_of(obj));
	info->owed = to_sem(obj)->owed;
}

static u32 semaphore_held(struct gosync_object *obj,
			  const struct gosync_holder *holder)
{
	return holder->held;
}

static const struct gosync_ioctl ioctls[] = {
	GOSYNC_IOCTL_ARG(SEMAPHORE_ACQUIRE, GOSYNC_WRITES,
			 gosync_semaphore_acquire, semaphore,
			 .wait = &semaphore_acquire_op),
	GOSYNC_IOCTL_ARG(SEMAPHORE_TRYACQUIRE, GOSYNC_WRITES,
			 gosync_semaphore_tryacquire, semaphore),
	GOSYNC_IOCTL_ARG(SEMAPHORE_RELEASE, GOSYNC_WRITES,
			 gosync_semaphore_release, semaphore,
			 .fill = semaphore_fill),
	GOSYNC_IOCTL_ARG(SEMAPHORE_LIMIT, GOSYNC_WRITES, gosync_semaphore_limit,
			 semaphore),
};

const struct gosync_ops gosync_semaphore_ops = {
	.name = "semaphore",
	.size = sizeof(struct gosync_sem),
	.ioctls = ioctls,
	.nr_ioctls = ARRAY_SIZE(ioctls),
	.flags = GOSYNC_GIVE_BACK,
	.max_capacity = GOSYNC_SEMAPHORE_PERMITS,
	.init = semaphore_init,
	.abandon = semaphore_abandon,
	.left = semaphore_left,
	.show = semaphore_show,
	.in = &semaphore_acquire_op,
	.watched = semaphore_watched,
	.asks = semaphore_asks,
	.identify = semaphore_identify,
	.lock_flags = semaphore_lock_flags,
	.info = semaphore_info,
	.held = semaphore_held,
};
