// SPDX-License-Identifier: GPL-2.0-only
/*
 * The places of waits that a signal interrupted.
 *
 * When a signal's handler is to run the wait ends, and is in nobody's way. What
 * it was is remembered: since when it waits, its number, which is its place in
 * the queue, and whether it is starving. If the same thread, by the same holder,
 * begins to wait for the same thing again, it is the same wait: it is queued
 * where it was. So for who is interrupted often a wait is no longer than for
 * others, and whether the kernel restarts the system call (SA_RESTART) or the
 * program makes it again is the same.
 *
 * A program may also have given up. What is remembered is a thread's last
 * interrupted wait, of all things that it waited for together; and only for
 * PLACE_KEPT, so that nobody keeps a place for later. Objects and holders are
 * remembered by their numbers, which are not used again, threads by their struct
 * pid: nothing has to be cleared up when one of them goes. It is no part of the
 * queue: losing it, for want of memory, costs the place and nothing else.
 *
 * Lock order: lock is taken inside an object's.
 */
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "wait.h"

/* As long as a signal's handler may take; in <linux/gosync.h> as well */
#define PLACE_KEPT	(10 * HZ)

/**
 * struct place - one thing that was waited for
 * @obj: the object's number
 * @operand: Semaphore: how many permits; atomics, Value, Map: what was seen
 * @holder: the holder's number
 * @index: as in &struct gosync_waiter
 * @among: likewise
 * @grouped: it was of a group
 * @starving: as in &struct gosync_waiter
 * @since: likewise; 0: it was taken up again
 * @wait: likewise
 */
struct place {
	u64 obj;
	u64 operand;
	u32 holder;
	u32 index;
	bool among;
	bool grouped;
	bool starving;
	u64 since;
	u64 wait;
};

/**
 * struct gosync_places - what a thread waited for
 * @node: in the table
 * @aging: in the list of all, the oldest first
 * @thread: who
 * @expires: when this is forgotten
 * @count: how many things
 * @left: and how many of them were not taken up again
 * @places: these
 */
struct gosync_places {
	struct hlist_node node;
	struct list_head aging;
	struct pid *thread;
	unsigned long expires;
	u32 count;
	u32 left;
	struct place places[];
};

static DEFINE_SPINLOCK(lock);
static DEFINE_HASHTABLE(table, 10);
static LIST_HEAD(aging);

static struct hlist_head *bucket_of(const struct pid *thread)
{
	return &table[hash_ptr(thread, HASH_BITS(table))];
}

static struct gosync_places *find_places(const struct pid *thread)
{
	struct gosync_places *places;

	lockdep_assert_held(&lock);
	hlist_for_each_entry(places, bucket_of(thread), node)
		if (places->thread == thread)
			return places;
	return NULL;
}

static void forget_places(struct gosync_places *places)
{
	lockdep_assert_held(&lock);
	hlist_del(&places->node);
	list_del(&places->aging);
	put_pid(places->thread);
	kfree(places);
}

static void forget_the_old(struct work_struct *work);
static DECLARE_DELAYED_WORK(forgetting, forget_the_old);

static void forget_the_old(struct work_struct *work)
{
	struct gosync_places *places;
	bool more;

	do {
		scoped_guard(spinlock, &lock) {
			places = list_first_entry_or_null(&aging,
							  struct gosync_places,
							  aging);
			more = places && !time_before(jiffies, places->expires);
			if (more)
				forget_places(places);
		}
		cond_resched();
	} while (more);
	if (places)
		schedule_delayed_work(&forgetting, PLACE_KEPT);
}

static struct place place_of(const struct gosync_waiter *waiter)
{
	const struct gosync_object *obj = waiter->holder->obj;
	struct place place = {
		.obj = obj->id,
		.operand = waiter->expected,
		.holder = waiter->holder->id,
		.index = waiter->index,
		.among = waiter->among,
		.grouped = waiter->group,
		.starving = waiter->starving,
		.since = waiter->since,
		.wait = waiter->wait,
	};

	if (obj->ops->identify)
		obj->ops->identify(waiter, &place.operand, &place.index);
	return place;
}

static bool is_same(const struct place *a, const struct place *b)
{
	return a->obj == b->obj && a->holder == b->holder &&
	       a->operand == b->operand && a->index == b->index &&
	       a->among == b->among && a->grouped == b->grouped;
}

/* A wait that goes on after a signal was counted as one that gave up. */
static void count_wait_again(struct gosync_object *obj)
{
	struct gosync_stats *stats = READ_ONCE(obj->stats);

	lockdep_assert_held(&obj->wq.lock);
	if (likely(stats))
		stats->contended++;
}

static void take_up_place(struct gosync_waiter *waiter,
			  const struct pid *thread)
{
	struct gosync_places *places = find_places(thread);
	struct place new = place_of(waiter);
	u32 i;

	if (!places || !time_before(jiffies, places->expires))
		return;
	for (i = 0; i < places->count; i++) {
		struct place *place = &places->places[i];

		if (!place->since || !is_same(place, &new))
			continue;
		waiter->since = place->since;
		waiter->wait = place->wait;
		waiter->starving = place->starving;
		waiter->again = true;
		count_wait_again(waiter->holder->obj);
		place->since = 0;
		if (!--places->left)
			forget_places(places);
		return;
	}
}

/**
 * gosync_recall() - is this a wait that a signal interrupted
 * @waiter: who is about to wait; if so it gets &gosync_waiter.since,
 *	&gosync_waiter.wait and &gosync_waiter.starving of then
 *
 * Called with the object's lock. Nothing happens if it waits already.
 */
void gosync_recall(struct gosync_waiter *waiter)
{
	struct pid *thread = task_pid(current);

	lockdep_assert_held(&waiter->holder->obj->wq.lock);
	/* Only this thread can have put something there that it is to find. */
	if (likely(hlist_empty(bucket_of(thread))) || waiter->since ||
	    waiter->stays || waiter->entry.private != current)
		return;
	spin_lock(&lock);
	take_up_place(waiter, thread);
	spin_unlock(&lock);
}

/**
 * gosync_places_alloc() - a signal has interrupted a wait
 * @count: for so many things
 *
 * Return: room to remember them, for gosync_places_add() and
 * gosync_places_keep(); or NULL, to which these do nothing.
 */
struct gosync_places *gosync_places_alloc(u32 count)
{
	struct gosync_places *places;

	places = kmalloc(struct_size(places, places, count),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (places)
		places->count = 0;
	return places;
}

/**
 * gosync_places_add() - remember one of the things
 * @places: where
 * @waiter: who waited for it, and does no more
 */
void gosync_places_add(struct gosync_places *places,
		       const struct gosync_waiter *waiter)
{
	/* What has no number was not queued, or is not counted. */
	if (places && waiter->since && waiter->wait)
		places->places[places->count++] = place_of(waiter);
}

/**
 * gosync_places_keep() - remember them for the calling thread
 * @places: them all
 * @ret: what came of the wait: they are kept for -ERESTARTSYS alone
 */
void gosync_places_keep(struct gosync_places *places, int ret)
{
	struct gosync_places *old;

	if (!places)
		return;
	if (ret != -ERESTARTSYS || !places->count ||
	    fatal_signal_pending(current)) {
		kfree(places);
		return;
	}
	places->left = places->count;
	places->thread = get_task_pid(current, PIDTYPE_PID);
	places->expires = jiffies + PLACE_KEPT;
	scoped_guard(spinlock, &lock) {
		old = find_places(places->thread);
		if (old)
			forget_places(old);
		hlist_add_head(&places->node, bucket_of(places->thread));
		list_add_tail(&places->aging, &aging);
	}
	schedule_delayed_work(&forgetting, PLACE_KEPT);
}

/**
 * gosync_remember() - a signal may have interrupted a wait for one thing
 * @waiter: who waited, and does no more
 * @ret: what came of it
 */
void gosync_remember(const struct gosync_waiter *waiter, int ret)
{
	struct gosync_places *places;

	if (likely(ret != -ERESTARTSYS))
		return;
	places = gosync_places_alloc(1);
	gosync_places_add(places, waiter);
	gosync_places_keep(places, ret);
}

/* Nobody waits any more. */
void gosync_places_exit(void)
{
	struct gosync_places *places, *next;

	cancel_delayed_work_sync(&forgetting);
	scoped_guard(spinlock, &lock)
		list_for_each_entry_safe(places, next, &aging, aging)
			forget_places(places);
}
