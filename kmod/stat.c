// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of an object without tracing: statistics of its waits, a
 * list of waiters, and a list of holders with what they hold. wait.c counts the
 * waits.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "copy.h"
#include "wait.h"

/* At most this many holders are copied out at a time. */
#define HOLDERS_BATCH	8

/* An entry has at least this length, so that it names the process. */
#define PARTY_LEAST	offsetofend(struct gosync_party, flags)

static void copy_stats(struct gosync_stat *to, const struct gosync_stats *stats)
{
	to->contended = stats->contended;
	to->starvations = stats->starvations;
	to->acquired = stats->acquired;
	to->handed_over = stats->handed_over;
	to->gave_up = stats->gave_up;
	to->wait_ns = stats->wait_ns;
	to->wait_max_ns = stats->wait_max_ns;
	memcpy(to->histogram, stats->histogram, sizeof(to->histogram));
}

static void fill_stat(struct gosync_holder *holder, void *data)
{
	struct gosync_object *obj = holder->obj;
	const struct gosync_stats *stats = READ_ONCE(obj->stats);
	struct gosync_stat *to = data;

	to->size = sizeof(*to);
	scoped_guard(spinlock, &obj->wq.lock) {
		to->deaths = obj->deaths;
		if (stats)
			copy_stats(to, stats);
	}
}

long gosync_stat(struct gosync_holder *holder, void __user *uarg)
{
	return gosync_give(uarg, offsetofend(struct gosync_stat, contended),
			   sizeof(struct gosync_stat), fill_stat, holder);
}

static int check_parties(const struct gosync_parties_args *args)
{
	return args->flags || args->entry_size < PARTY_LEAST ||
	       args->entry_size > PAGE_SIZE || !args->count ||
	       args->count > INT_MAX ? -EINVAL : 0;
}

/* Copy out entries from number @first on, in the size that the caller knows. */
static int put_parties(const struct gosync_parties_args *args, u32 first,
		       const struct gosync_party *parties, u32 n)
{
	u64 to = args->entries + (u64)first * args->entry_size;
	u32 i;

	if (args->entry_size == sizeof(*parties))
		return copy_to_user(u64_to_user_ptr(to), parties,
				    n * sizeof(*parties)) ? -EFAULT : 0;
	for (i = 0; i < n; i++, to += args->entry_size)
		if (gosync_put(u64_to_user_ptr(to), args->entry_size,
			       &parties[i], sizeof(*parties)))
			return -EFAULT;
	return 0;
}

/* --- Waiters -------------------------------------------------------------- */

/* There may be many with the lock held: so it takes as little as it can. */
static void show_waiter(const struct gosync_object *obj,
			const struct gosync_waiter *waiter, u64 now,
			struct pid_namespace *pid_ns,
			struct gosync_party *party)
{
	struct task_struct *task = waiter->entry.private;

	party->holder = waiter->holder->id;
	party->wants = gosync_wants(obj, waiter);
	if (obj->ops->asks)
		party->count = obj->ops->asks(waiter);
	party->wait = waiter->wait;
	party->ns = now - waiter->since;
	party->flags = (waiter->starving ? GOSYNC_PARTY_STARVING : 0) |
		       (READ_ONCE(waiter->timed) ? GOSYNC_PARTY_TIMED : 0) |
		       (waiter->among ? GOSYNC_PARTY_AMONG : 0) |
		       (waiter->group && !task ? GOSYNC_PARTY_ASYNC : 0);
	if (task) {
		/* It is queued, so the task does not end. */
		party->pid = pid_nr_ns(task_tgid(task), pid_ns);
		party->tid = pid_nr_ns(task_pid(task), pid_ns);
		/* Its last byte is always 0, also while it is changed. */
		data_race(memcpy(party->comm, task->comm, sizeof(task->comm)));
	} else {
		party->pid = gosync_pid_nr(waiter->holder->pid, pid_ns);
	}
}

/* List up to @room waiters, at most GOSYNC_WAITERS_LISTED, as of one moment. */
static u32 show_waiters(struct gosync_object *obj, struct gosync_party *parties,
			u32 room)
{
	struct list_head *queues[GOSYNC_QUEUES + 2] = {};
	const struct gosync_waiter *waiter;
	struct pid_namespace *pid_ns = task_active_pid_ns(current);
	unsigned int i;
	u64 now = ktime_get_ns();
	u32 n = 0, looked = 0;

	queues[GOSYNC_QUEUES] = &obj->wq.head;
	if (obj->watch)
		queues[GOSYNC_QUEUES + 1] = &obj->watch->all;
	if (obj->ops->queues)
		obj->ops->queues(obj, queues);

	lockdep_assert_held(&obj->wq.lock);
	/* execve(2) may change the number of a thread. */
	guard(rcu)();
	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		u32 position = 0;

		if (!queues[i])
			continue;
		list_for_each_entry(waiter, queues[i], entry.entry) {
			/*
			 * Entries that are places of wakers count as looked at.
			 */
			if (n == room || looked++ == GOSYNC_WAITERS_LISTED)
				return n;
			if (!waiter->holder)
				continue;
			position++;
			if (waiter->shown)
				continue;
			show_waiter(obj, waiter, now, pid_ns, &parties[n]);
			parties[n++].position = position;
		}
	}
	return n;
}

long gosync_waiters(struct gosync_holder *holder, void *arg)
{
	const struct gosync_parties_args *args = arg;
	struct gosync_party *parties;
	long ret = check_parties(args);
	u32 room;

	if (ret || args->cursor)
		return -EINVAL;
	room = min_t(u32, args->count, GOSYNC_WAITERS_LISTED);
	parties = kvcalloc(room, sizeof(*parties), GFP_KERNEL_ACCOUNT);
	if (!parties)
		return -ENOMEM;
	scoped_guard(spinlock, &holder->obj->wq.lock)
		ret = show_waiters(holder->obj, parties, room);
	if (put_parties(args, 0, parties, ret))
		ret = -EFAULT;
	kvfree(parties);
	return ret;
}

/* --- Holders -------------------------------------------------------------- */

/*
 * Fill in since when the owner has it, if it waited for it; otherwise since
 * when the first waiter has found it taken.
 */
static void owned_since(struct gosync_object *obj, struct gosync_party *party)
{
	const struct gosync_stats *stats = READ_ONCE(obj->stats);
	const struct gosync_waiter *first;
	u64 now = ktime_get_ns();

	lockdep_assert_held(&obj->wq.lock);
	if (stats && stats->owned_since &&
	    stats->owned_token == gosync_object_token(obj)) {
		party->flags |= GOSYNC_PARTY_SINCE;
		party->ns = now - stats->owned_since;
		return;
	}
	first = list_first_entry_or_null(&obj->wq.head, struct gosync_waiter,
					 entry.entry);
	if (first)
		party->ns = now - first->since;
}

static void show_holder(struct gosync_object *obj,
			const struct gosync_holder *holder,
			struct gosync_party *party)
{
	const struct task_struct *task;

	lockdep_assert_held(&obj->wq.lock);
	*party = (struct gosync_party) {
		.holder = holder->id,
		.pid = gosync_pid_nr(holder->pid,
				     task_active_pid_ns(current)),
	};
	rcu_read_lock();
	task = pid_task(holder->pid, PIDTYPE_TGID);
	if (task)
		strscpy_pad(party->comm, task->comm);
	rcu_read_unlock();
	if (obj->ops->held)
		party->count = obj->ops->held(obj, holder);
	if (gosync_is_broken(holder))
		party->flags |= GOSYNC_PARTY_BROKEN;
	if (gosync_object_owner(obj) == holder->id) {
		party->flags |= GOSYNC_PARTY_OWNS;
		owned_since(obj, party);
	}
}

long gosync_holders(struct gosync_holder *asker, void *arg)
{
	struct gosync_party batch[HOLDERS_BATCH];
	struct gosync_object *obj = asker->obj;
	struct gosync_parties_args *args = arg;
	unsigned long index;
	int ret = check_parties(args);
	u32 done = 0;

	if (ret)
		return ret;
	index = args->cursor;
	while (done < args->count) {
		u32 n = 0, room = min_t(u32, args->count - done, HOLDERS_BATCH);
		struct gosync_holder *holder;

		/* The xarray's lock keeps the holders. */
		spin_lock(&obj->wq.lock);
		xa_lock(&obj->holders);
		for (holder = xa_find(&obj->holders, &index, ULONG_MAX,
				      XA_PRESENT);
		     holder && n < room;
		     holder = xa_find_after(&obj->holders, &index, ULONG_MAX,
					    XA_PRESENT))
			show_holder(obj, holder, &batch[n++]);
		xa_unlock(&obj->holders);
		spin_unlock(&obj->wq.lock);
		if (!n)
			break;
		if (put_parties(args, done, batch, n))
			return -EFAULT;
		done += n;
		/* The next index: an index is a holder's number less 1. */
		index = batch[n - 1].holder;
		args->cursor = index;
		cond_resched();
		if (signal_pending(current))
			break;
	}
	return done;
}
