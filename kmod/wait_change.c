// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting until a Value or a Map has changed.
 *
 * Both have a version, a number that only grows, and only the kernel changes
 * them. A waiter queues, then looks at the version again. A writer changes the
 * version, then looks for waiters. Both have a full barrier in between, so at
 * least one of them sees the other. Waiters are queued in the order of the
 * versions that they saw. So the waiters whose change has happened are in
 * front.
 */
#include "cluster.h"

static u64 version_of(struct gosync_object *obj)
{
	return obj->ops->version(obj);
}

static int version_check(struct gosync_waiter *waiter, u32 index, u64 value)
{
	waiter->expected = value;
	return index ? -EINVAL : 0;
}

static bool version_differs(const struct gosync_waiter *waiter, u64 *seen)
{
	struct gosync_object *obj = waiter->holder->obj;

	/* What is away may have been changed: the waiter is told when it is here. */
	if (gosync_is_away(obj))
		return false;
	*seen = version_of(obj);
	return *seen != waiter->expected;
}

static bool version_ready(const struct gosync_waiter *waiter)
{
	u64 seen;

	return version_differs(waiter, &seen);
}

static bool version_look(struct gosync_waiter *waiter)
{
	return version_differs(waiter, &waiter->seen);
}

static int version_attempt(struct gosync_waiter *waiter, bool queue)
{
	struct gosync_object *obj = waiter->holder->obj;

	if (version_look(waiter))
		return 0;
	if (!queue)
		return -EBUSY;
	scoped_guard(spinlock, &obj->wq.lock) {
		gosync_enqueue(obj, &obj->wq.head, waiter);
		/* C-A, pairs with gosync_version_changed(). */
		smp_mb();
		if (!version_look(waiter))
			return -EINPROGRESS;
		gosync_never_waited(obj, waiter);
	}
	return 0;
}

const struct gosync_wait_op gosync_version_op = {
	.tells_seen = true,
	.check = version_check,
	.attempt = version_attempt,
	.ready = version_ready,
};

/*
 * Claim the waiters in front whose change has happened, up to
 * GOSYNC_WAKE_BATCH. *@more: there may be more behind them. Return: the number
 * in @batch
 */
static unsigned int version_claim_batch(struct gosync_object *obj,
					struct gosync_waiter **batch,
					bool *more)
{
	struct gosync_waiter *waiter, *next;
	u64 now = version_of(obj);
	unsigned int n = 0, seen = 0;

	lockdep_assert_held(&obj->wq.lock);
	*more = true;
	list_for_each_entry_safe(waiter, next, &obj->wq.head, entry.entry) {
		if (waiter->expected == now)
			break;
		if (seen++ == GOSYNC_WAKE_BATCH)
			return n;
		if (!gosync_claim(obj, waiter))
			continue;
		waiter->seen = now;
		gosync_account_wait(obj, waiter, GOSYNC_HANDED_OVER);
		batch[n++] = waiter;
	}
	*more = false;
	return n;
}

/* Wake the waiters. Out of line: mostly there are none. */
static noinline void version_wake(struct gosync_object *obj)
{
	struct gosync_waiter *batch[GOSYNC_WAKE_BATCH] __uninitialized;
	unsigned int n, i;
	bool more;

	do {
		scoped_guard(spinlock, &obj->wq.lock)
			n = version_claim_batch(obj, batch, &more);
		for (i = 0; i < n; i++)
			gosync_wake(batch[i], GOSYNC_GRANTED);
		cond_resched();
	} while (more);
}

/**
 * gosync_version_changed() - wake the waiters and pollers after a change
 * @obj: the object, whose version was changed
 *
 * Called without locks. The caller may be killed, but not stopped.
 */
void gosync_version_changed(struct gosync_object *obj)
{
	/* C-A, pairs with version_attempt(); P-A, with gosync_is_ready(). */
	smp_mb();
	gosync_changed(obj);
	if (unlikely(READ_ONCE(obj->nr_waiters)))
		version_wake(obj);
}

/* A waiter that leaves has nothing that the waiters behind it want. */
void gosync_version_left(struct gosync_object *obj,
			 struct gosync_waiter *waiter)
{
}

/**
 * gosync_version_watched() - &gosync_ops.watched: the version a holder has seen
 * @holder: the holder that is polled
 * @waiter: out: its operand
 *
 * Return: true.
 */
bool gosync_version_watched(const struct gosync_holder *holder,
			    struct gosync_waiter *waiter)
{
	waiter->expected = holder->watch_value;
	return true;
}

long gosync_version_wait(struct gosync_holder *holder, void *arg)
{
	struct gosync_version_wait_args *args = arg;
	struct gosync_waiter waiter __uninitialized;
	int ret;

	ret = gosync_wait_alone(&gosync_version_op, holder, &waiter,
				args->flags, args->deadline, 0, args->version);
	if (!ret)
		args->version = waiter.seen;
	return ret;
}
