// SPDX-License-Identifier: GPL-2.0-only
/*
 * The places of waits that a signal interrupted.
 *
 * When a signal's handler is to run the wait ends, so that no other waiter
 * waits for the handler. A note of the wait stays: when it began, its number,
 * which is its place in the queue, and whether it is starving. If the same
 * thread, by the same holder, begins to wait for the same thing again, it is
 * the same wait, and is queued where it was. So a thread that is often
 * interrupted waits no longer than others. And it makes no difference whether
 * the kernel restarts the system call (SA_RESTART) or the program makes it
 * again.
 *
 * A program may also have given up. So only a thread's last interrupted wait is
 * noted, with all things that it waited for together, and only for PLACE_KEPT:
 * a program cannot keep a place for later. Objects and holders are noted by
 * their numbers, which are not used again, and threads by their struct pid. So
 * nothing has to be cleared up when one of them goes. The note is no part of
 * the queue: if it is lost without memory, only the place is lost.
 *
 * Lock order: lock is taken inside an object's.
 */
#include <linux/pid.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "wait.h"

/* A signal's handler may take so long; <linux/gosync.h> says so, too. */
#define PLACE_KEPT	(10 * HZ)

/**
 * struct place - one thing that a thread waited for
 * @obj: the object's number
 * @operand: Semaphore: the number of permits; atomics, Value, Map:
 *	&gosync_waiter.expected
 * @holder: the holder's number
 * @index: see &struct gosync_waiter
 * @among: see &struct gosync_waiter
 * @grouped: the waiter was of a group
 * @starving: see &struct gosync_waiter
 * @since: see &struct gosync_waiter; 0: the wait was taken up again
 * @wait: see &struct gosync_waiter
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
 * struct gosync_places - the note of a thread's interrupted wait
 * @node: its entry in the table
 * @rcu: frees it
 * @aging: its entry in the list of all notes, the oldest first
 * @thread: the thread
 * @expires: when the note is dropped, in jiffies
 * @count: the number of things that it waited for
 * @left: the number of these that were not taken up again
 * @places: the things
 */
struct gosync_places {
	struct rhash_head node;
	struct rcu_head rcu;
	struct list_head aging;
	struct pid *thread;
	unsigned long expires;
	u32 count;
	u32 left;
	struct place places[];
};

static const struct rhashtable_params table_params = {
	.head_offset = offsetof(struct gosync_places, node),
	.key_offset = offsetof(struct gosync_places, thread),
	.key_len = sizeof(struct pid *),
	.automatic_shrinking = true,
};

/* The lock protects the notes, and changes of the table and of the list. */
static struct rhashtable table;
static LIST_HEAD(aging);
static DEFINE_SPINLOCK(lock);

static struct gosync_places *find_places(const struct pid *thread)
{
	return rhashtable_lookup_fast(&table, &thread, table_params);
}

static void forget_places(struct gosync_places *places)
{
	lockdep_assert_held(&lock);
	rhashtable_remove_fast(&table, &places->node, table_params);
	list_del(&places->aging);
	put_pid(places->thread);
	/* Others may be looking for their own note. */
	kfree_rcu(places, rcu);
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

static void take_up_place(struct gosync_waiter *waiter,
			  const struct pid *thread)
{
	struct gosync_places *places = find_places(thread);
	struct place new = place_of(waiter);
	u32 i;

	lockdep_assert_held(&lock);
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
		waiter->uncounted = true;
		place->since = 0;
		if (!--places->left)
			forget_places(places);
		return;
	}
}

/**
 * gosync_recall() - take up a wait that a signal interrupted
 * @waiter: the waiter that is about to wait; if its thread's note has this
 *	wait, it gets &gosync_waiter.since, &gosync_waiter.wait and
 *	&gosync_waiter.starving from there
 *
 * Called with the object's lock. Nothing happens if it waits already.
 */
void gosync_recall(struct gosync_waiter *waiter)
{
	struct pid *thread = task_pid(current);

	lockdep_assert_held(&waiter->holder->obj->wq.lock);
	/* Without the lock: only this thread adds notes that it may find. */
	if (likely(list_empty(&aging)) || waiter->since || waiter->stays ||
	    waiter->entry.private != current || !find_places(thread))
		return;
	spin_lock(&lock);
	take_up_place(waiter, thread);
	spin_unlock(&lock);
}

/**
 * gosync_places_alloc() - make a note for an interrupted wait
 * @count: the number of things that it waited for
 *
 * Return: an empty note for gosync_places_add() and gosync_places_keep(); or
 * NULL, with which these do nothing.
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
 * gosync_places_add() - add one of the things to a note
 * @places: the note, or NULL
 * @waiter: the waiter, which waits no more
 */
void gosync_places_add(struct gosync_places *places,
		       const struct gosync_waiter *waiter)
{
	/* A waiter without a number was not queued, or was not counted. */
	if (places && waiter->since && waiter->wait)
		places->places[places->count++] = place_of(waiter);
}

/**
 * gosync_places_keep() - keep the calling thread's note, or free it
 * @places: the note, or NULL
 * @ret: the result of the wait: the note is kept only for -ERESTARTSYS
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
		if (rhashtable_insert_fast(&table, &places->node,
					   table_params)) {
			put_pid(places->thread);
			kfree(places);
			return;
		}
		list_add_tail(&places->aging, &aging);
	}
	schedule_delayed_work(&forgetting, PLACE_KEPT);
}

/**
 * gosync_remember() - keep a note if a signal interrupted a wait for one thing
 * @waiter: the waiter, which waits no more
 * @ret: the result of the wait
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

int __init gosync_places_init(void)
{
	return rhashtable_init(&table, &table_params);
}

/* The module goes: there are no waiters any more. */
void gosync_places_exit(void)
{
	struct gosync_places *places, *next;

	cancel_delayed_work_sync(&forgetting);
	scoped_guard(spinlock, &lock)
		list_for_each_entry_safe(places, next, &aging, aging)
			forget_places(places);
	rhashtable_destroy(&table);
}
