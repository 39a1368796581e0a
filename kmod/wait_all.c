// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for all of several things.
 *
 * At first a wait for all is in no queue. It is told when something changes
 * (poll.c), looks whether all entries could succeed, and only then takes them,
 * in the order of the objects' numbers. If one is not free any more it gives
 * back what it took. Because all take in this order, one of two waits that want
 * the same objects always succeeds. A wait holds nothing while it waits, so
 * there is no deadlock, whatever else its process holds.
 *
 * Perhaps the objects are never all free at the same moment. So after a
 * millisecond the wait queues for the one that it lacks, and holds nothing.
 * When it has that object, it takes the others. If one is not free it gives all
 * back and queues for a turn. Of the waits that want some of the same objects,
 * only one has its turn at a time. In its turn it queues for the object that it
 * lacked last, then for the others, and keeps what it gets. If that takes too
 * long it gives everything back: otherwise it could wait for ever for a holder
 * of the rest that wants what it has. Its next turn is twice as long. A wait
 * that lacks an object which its holder never releases is not in the queue for
 * turns, where it would be in the way of others.
 *
 * Conditions, which acquire nothing, are looked at last, with the locks taken.
 *
 * After a signal's handler the wait goes on where it was (place.c): with the
 * time that it has waited, its places in the queues, and its place in the queue
 * for a turn. But if signals come more often than a turn is long, no turn would
 * ever succeed. So handlers are put off until a turn is over.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "wait_entry.h"

#define TURN_AFTER_NS	NSEC_PER_MSEC
#define TURN_MIN_NS	(2 * NSEC_PER_MSEC)
#define TURN_MAX_NS	NSEC_PER_SEC

/* Is the first of two entries taken before the second? */
static bool goes_first(const struct gosync_wait_item *a,
		       const struct gosync_wait_item *b)
{
	if (a->op->takes != b->op->takes)
		return a->op->takes;
	return a->waiter.holder->obj->id < b->waiter.holder->obj->id;
}

/*
 * Find the order in which the entries are taken. Entries for the same object
 * are next to each other; the last of them knows how much they want together.
 *
 * Return: 0, -EDEADLK or -EINVAL.
 */
static int order_entries(struct gosync_wait_set *set)
{
	u32 i, j;

	for (i = 0; i < set->count; i++) {
		struct gosync_wait_item *entry = &set->entries[i];

		for (j = i; j; j--) {
			if (!goes_first(entry,
					&set->entries[set->order[j - 1]]))
				break;
			set->order[j] = set->order[j - 1];
		}
		set->order[j] = i;
		entry->together = entry->waiter.number;
	}
	for (i = 1; i < set->count; i++) {
		struct gosync_wait_item *a = &set->entries[set->order[i - 1]];
		struct gosync_wait_item *b = &set->entries[set->order[i]];

		if (a->waiter.holder->obj != b->waiter.holder->obj ||
		    !a->op->takes || !b->op->takes)
			continue;
		/* Also to read twice: a writer may come in between. */
		if (!b->op->most)
			return -EDEADLK;
		b->together += a->together;
		if (b->together > b->op->most)
			return -EINVAL;
	}
	return 0;
}

/* Give back the first @n entries in the order. */
static void give_back_all(struct gosync_wait_set *set, u32 n)
{
	while (n--)
		gosync_wait_item_give_back(&set->entries[set->order[n]]);
}

/*
 * Prepare a waiter that wants the same as the entry's, but is in no queue. The
 * entry's is in one, and another task may just change its links.
 */
static void setup_unlisted(struct gosync_waiter *waiter,
			   const struct gosync_wait_item *entry)
{
	gosync_waiter_setup(waiter, entry->waiter.holder);
	waiter->index = entry->waiter.index;
	waiter->number = entry->waiter.number;
	waiter->expected = entry->waiter.expected;
}

static bool entry_is_ready(const struct gosync_wait_item *entry)
{
	struct gosync_waiter waiter __uninitialized;

	setup_unlisted(&waiter, entry);
	waiter.number = entry->together;
	return gosync_is_ready(entry->op, &waiter);
}

/*
 * Take an entry without waiting; its waiter is listed and stays so. Return: 0
 * or an error
 */
static int take_now(struct gosync_wait_item *entry)
{
	struct gosync_waiter waiter __uninitialized;
	int ret;

	setup_unlisted(&waiter, entry);
	ret = entry->op->attempt(&waiter, false);
	entry->waiter.seen = waiter.seen;
	return ret;
}

/*
 * Take all entries, or none.
 *
 * Return: 0; -EBUSY: *@lacking is the index of the entry that failed; another
 * error
 */
static int try_all(struct gosync_wait_set *set, u32 *lacking)
{
	u32 i;

	for (i = 0; i < set->count; i++) {
		*lacking = set->order[i];
		if (!entry_is_ready(&set->entries[*lacking]))
			return -EBUSY;
	}
	for (i = 0; i < set->count; i++) {
		struct gosync_wait_item *entry;
		int ret;

		*lacking = set->order[i];
		entry = &set->entries[*lacking];
		ret = take_now(entry);
		if (ret) {
			give_back_all(set, i);
			return ret;
		}
	}
	return 0;
}

/*
 * The queues for turns. Each object has a queue of the waits that would keep it
 * (&gosync_watchers.turns), in the order in which they came. A wait has its
 * turn when it is first in all of its queues, and no other wait has its turn in
 * any of them. The order is the same in all queues. So the wait that came first
 * of all is first everywhere, and two turns at the same time have no object in
 * common.
 */
static DEFINE_SPINLOCK(turns_lock);

struct gosync_turn {
	struct gosync_wait_set *set;
	struct task_struct *task;
	struct poll_wqueues *table;
	bool in_line;
	u64 since;
	u64 ns;
};

static struct gosync_watchers *watch_of(const struct gosync_wait_item *entry)
{
	return entry->waiter.holder->obj->watch;
}

static struct list_head *turn_queue_of(const struct gosync_wait_item *entry)
{
	return &watch_of(entry)->turns;
}

static struct gosync_wait_item *first_in_turn_queue(struct list_head *line)
{
	return list_first_entry_or_null(line, struct gosync_wait_item, place);
}

/*
 * The next entry in the order, from *@i on, that is in a queue for turns; or
 * NULL
 */
static struct gosync_wait_item *next_turn_queue(struct gosync_wait_set *set,
						u32 *i)
{
	while (*i < set->count) {
		struct gosync_wait_item *entry, *last = NULL;

		if (*i)
			last = &set->entries[set->order[*i - 1]];
		entry = &set->entries[set->order[(*i)++]];
		/* Entries for the same object are next to each other. */
		if (entry->op->takes &&
		    (!last || turn_queue_of(last) != turn_queue_of(entry)))
			return entry;
	}
	return NULL;
}

/*
 * Is it our turn? Then no wait for any of our objects has one until end_turn().
 */
static bool has_turn(struct gosync_turn *turn)
{
	struct gosync_wait_item *entry;
	bool first = true;
	u32 i = 0;

	if (!turn->in_line)
		return false;
	spin_lock(&turns_lock);
	while (first && (entry = next_turn_queue(turn->set, &i)))
		first = first_in_turn_queue(turn_queue_of(entry)) == entry &&
			!watch_of(entry)->has_turn;
	for (i = 0; first && (entry = next_turn_queue(turn->set, &i));)
		watch_of(entry)->has_turn = turn;
	spin_unlock(&turns_lock);
	return first;
}

/*
 * The place in a queue behind which a wait that began at @since goes. *@n: the
 * number of waits that it passes
 */
static struct list_head *place_in_turn_queue(struct list_head *line, u64 since,
					     unsigned int *n)
{
	struct gosync_wait_item *other;

	list_for_each_entry_reverse(other, line, place)
		if (other->turn->since <= since || ++*n >= GOSYNC_PASSED_MAX)
			return &other->place;
	return line;
}

/*
 * Queue for a turn: in front of the waits that began later, or, if these are
 * too many, at the end of all queues. The order has to be the same in each.
 * @shown: the waiter that is listed; it is shown as starving from now on
 * @since: now; or the begin of a wait that was interrupted in these queues
 */
static void join_turn_queues(struct gosync_turn *turn,
			     struct gosync_waiter *shown, u64 since)
{
	struct gosync_wait_item *entry;
	unsigned int n = 0;
	u32 i = 0;

	scoped_guard(spinlock, &shown->holder->obj->wq.lock)
		shown->starving = true;
	turn->in_line = true;
	turn->since = since;
	spin_lock(&turns_lock);
	while ((entry = next_turn_queue(turn->set, &i)))
		place_in_turn_queue(turn_queue_of(entry), turn->since, &n);
	if (n >= GOSYNC_PASSED_MAX)
		turn->since = ktime_get_ns();
	for (i = n = 0; (entry = next_turn_queue(turn->set, &i));) {
		entry->turn = turn;
		list_add(&entry->place,
			 place_in_turn_queue(turn_queue_of(entry), turn->since,
					     &n));
	}
	spin_unlock(&turns_lock);
}

/*
 * Leave the queues for turns, if we are there: others may have their turn now.
 */
static void end_turn(struct gosync_turn *turn)
{
	struct gosync_wait_item *entry, *next;
	u32 i = 0;

	if (!turn->in_line)
		return;
	turn->in_line = false;
	spin_lock(&turns_lock);
	while ((entry = next_turn_queue(turn->set, &i))) {
		list_del(&entry->place);
		if (watch_of(entry)->has_turn == turn)
			watch_of(entry)->has_turn = NULL;
	}
	for (i = 0; (entry = next_turn_queue(turn->set, &i));) {
		next = first_in_turn_queue(turn_queue_of(entry));
		if (next) {
			WRITE_ONCE(next->turn->table->triggered, 1);
			wake_up_process(next->turn->task);
		}
	}
	spin_unlock(&turns_lock);
}

/* Take an entry, and wait for it if need be. Return: 0 or an error */
static int get_in_turn(struct gosync_wait_set *set,
		       struct gosync_wait_item *entry,
		       const struct gosync_timeout *until)
{
	struct gosync_sleeper sleeper = {
		.group.tell = gosync_tell_sleeper,
		.task = current,
	};
	struct gosync_holder *holder = entry->waiter.holder;
	struct gosync_waiter waiter;
	int ret;

	gosync_waiter_init(&waiter, holder);
	waiter.number = entry->waiter.number;
	waiter.among = true;
	waiter.shown = true;
	waiter.timed = entry->waiter.timed;
	gosync_waiter_join(&waiter, &sleeper.group, current);
	ret = entry->op->attempt(&waiter, true);
	if (ret != -EINPROGRESS)
		return ret;
	gosync_wait_begins(&waiter);
	ret = gosync_sleep(&sleeper.group.claim, NULL, until);
	if (ret && gosync_group_leave(&sleeper.group)) {
		gosync_withdraw(&waiter, ret);
		if (ret == -ERESTARTSYS)
			gosync_places_add(set->places, &waiter);
		return ret;
	}
	gosync_await_told(&sleeper.group.claim);
	gosync_wait_ends(holder->obj, &waiter, 0);
	return 0;
}

static ktime_t now_of(const struct gosync_timeout *timeout)
{
	return timeout->clock == CLOCK_REALTIME ? ktime_get_real() : ktime_get();
}

static bool has_passed(const struct gosync_timeout *timeout)
{
	return now_of(timeout) >= timeout->when;
}

/*
 * A time-out of @ns from now, or less if the deadline comes first as it looks
 * now. It uses the monotonic clock: another clock may be set back meanwhile.
 */
static struct gosync_timeout within(const struct gosync_timeout *timeout, u64 ns)
{
	s64 left = timeout->when - now_of(timeout);

	return (struct gosync_timeout) {
		.when = ktime_get() + clamp_t(s64, left, 0, ns),
		.clock = CLOCK_MONOTONIC,
	};
}

/*
 * Queue for the entry that is lacking, then take the others. In our turn wait
 * for these, too; a turn has a limited time.
 *
 * Return: 0 if all were taken; -EBUSY; another error
 */
static int take_all(struct gosync_wait_set *set, struct gosync_turn *turn, u32 *lacking,
		    const struct gosync_timeout *timeout)
{
	bool is_turn = turn->in_line;
	struct gosync_timeout until = is_turn ? within(timeout, turn->ns) :
						*timeout;
	struct gosync_wait_item *entry = &set->entries[*lacking];
	u32 first = *lacking, i;
	int ret = 0;

	until.killable = is_turn;
	/* A condition that is not true will not become so by what we hold. */
	for (i = 0; i < set->count; i++)
		if (!set->entries[i].op->takes &&
		    !entry_is_ready(&set->entries[i])) {
			*lacking = i;
			return -EBUSY;
		}
	ret = get_in_turn(set, entry, &until);
	if (ret)
		goto out;
	for (i = 0; i < set->count; i++) {
		u32 this = set->order[i];

		if (this == first)
			continue;
		entry = &set->entries[this];
		ret = is_turn && entry->op->takes ?
		      get_in_turn(set, entry, &until) : take_now(entry);
		if (ret) {
			*lacking = this;
			break;
		}
	}
	if (!ret)
		return 0;
	while (i--)
		if (set->order[i] != first)
			gosync_wait_item_give_back(&set->entries[set->order[i]]);
	gosync_wait_item_give_back(&set->entries[first]);
out:
	if (is_turn)
		turn->ns = min_t(u64, 2 * turn->ns, TURN_MAX_NS);
	if (ret == -ETIMEDOUT && !has_passed(timeout))
		return -EBUSY;
	return ret;
}

/*
 * Sleep until something changes or the wait is TURN_AFTER_NS old. Return: 0 or
 * an error
 */
static int sleep_shortly(struct poll_wqueues *table, u64 since,
			 const struct gosync_timeout *timeout)
{
	s64 ns = since + TURN_AFTER_NS - ktime_get_ns();
	struct gosync_timeout soon = within(timeout, max_t(s64, ns, 0));
	int ret = gosync_sleep(NULL, table, &soon);

	return ret == -ETIMEDOUT && !has_passed(timeout) ? 0 : ret;
}

static int sleep_until_all(struct gosync_wait_set *set, struct poll_wqueues *table,
			   const struct gosync_timeout *timeout)
{
	/* The waiter of the first entry knows when the whole wait began. */
	struct gosync_waiter *shown = &set->entries[0].waiter;
	const u64 since = shown->since;
	struct gosync_turn turn = {
		.set = set,
		.task = current,
		.table = table,
		.ns = gosync_put_off(since),
	};
	u32 lacking, last = 0;
	int ret;

	if (shown->starving)
		join_turn_queues(&turn, shown, since);
	for (;;) {
		/* W-C, pairs with pollwake() of the kernel: before we look. */
		smp_store_mb(table->triggered, 0);
		ret = try_all(set, &lacking);
		if (ret != -EBUSY)
			break;
		/* The object that was lacking last time comes first. */
		if (set->entries[lacking].op->takes &&
		    !entry_is_ready(&set->entries[last]))
			lacking = last;
		last = lacking;
		if (!set->entries[lacking].op->takes) {
			/* No turn helps against a condition. */
			end_turn(&turn);
			ret = gosync_sleep(NULL, table, timeout);
		} else if (ktime_get_ns() - since < TURN_AFTER_NS) {
			ret = sleep_shortly(table, since, timeout);
		} else if (!turn.in_line) {
			ret = take_all(set, &turn, &last, timeout);
			if (!ret)
				break;
			if (ret == -EBUSY && set->entries[last].op->takes)
				join_turn_queues(&turn, shown, ktime_get_ns());
		} else if (has_turn(&turn)) {
			ret = take_all(set, &turn, &last, timeout);
			if (!ret)
				break;
			end_turn(&turn);
		} else {
			ret = gosync_sleep(NULL, table, timeout);
		}
		/* What we gave back may have woken ourselves. */
		if (!ret || ret == -EBUSY)
			ret = gosync_try_again();
		if (ret)
			break;
	}
	end_turn(&turn);
	return ret;
}

/* Show a waiter on each object, although nobody grants it anything. */
static int show_all(struct gosync_wait_set *set, struct poll_wqueues *table)
{
	u32 i;

	for (i = 0; i < set->count; i++) {
		struct gosync_wait_item *entry = &set->entries[i];
		struct gosync_object *obj = entry->waiter.holder->obj;
		struct gosync_watchers *watch = gosync_watchers_of(obj);

		if (!watch)
			return -ENOMEM;
		poll_wait(fd_file(entry->fd), &watch->wq, &table->pt);
		gosync_count_waits(obj);
		entry->waiter.entry.private = current;
		scoped_guard(spinlock, &obj->wq.lock)
			gosync_enqueue(obj, &watch->all, &entry->waiter);
		gosync_wait_begins(&entry->waiter);
	}
	return table->error;
}

static void hide_all(struct gosync_wait_set *set, int ret)
{
	u32 i;

	for (i = 0; i < set->count; i++) {
		struct gosync_waiter *waiter = &set->entries[i].waiter;
		struct gosync_object *obj = waiter->holder->obj;

		if (!waiter->queued)
			continue;
		scoped_guard(spinlock, &obj->wq.lock) {
			gosync_unqueue(obj, waiter);
			if (!ret)
				gosync_account_wait(obj, waiter, GOSYNC_WOKEN);
			if (obj->ops->show)
				obj->ops->show(obj);
		}
		gosync_wait_ends(obj, waiter, ret);
		gosync_places_add(set->places, waiter);
	}
}

static int get_all(struct gosync_wait_set *set,
		   const struct gosync_timeout *timeout)
{
	struct poll_wqueues *table;
	u32 lacking;
	int ret;

	ret = order_entries(set) ?: try_all(set, &lacking);
	if (ret != -EBUSY)
		return ret;
	table = kmalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	set->places = gosync_places_alloc(set->count + 1);
	poll_initwait(table);
	ret = show_all(set, table);
	if (!ret)
		ret = sleep_until_all(set, table, timeout);
	poll_freewait(table);
	kfree(table);
	hide_all(set, ret);
	gosync_places_keep(set->places, ret);
	return ret;
}

/**
 * gosync_wait_all() - wait for all of several entries
 * @set: the entries
 * @timeout: when to give up
 *
 * Return: 0; or an error, and then none of them was taken.
 */
int gosync_wait_all(struct gosync_wait_set *set,
		    const struct gosync_timeout *timeout)
{
	int ret = get_all(set, timeout);
	u32 i;

	if (ret)
		return ret;
	if (fatal_signal_pending(current))
		ret = -EINTR;
	for (i = 0; i < set->count && !ret; i++)
		ret = gosync_wait_item_stale(&set->entries[i]) ?:
		      gosync_wait_item_tell(set, i);
	if (ret)
		give_back_all(set, set->count);
	return ret;
}
