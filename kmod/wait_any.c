// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for any of several things.
 *
 * All entries are tried in their order. Then each has a waiter, and all waiters
 * are one group, so that at most one is granted (wait.c). An attempt that
 * succeeds after another waiter was granted is undone. The other entries stay
 * as they are.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "wait_entry.h"

static __poll_t poll_entry(struct gosync_wait_item *entry,
			   struct poll_table_struct *table)
{
	__poll_t events = demangle_poll(entry->args->index) | EPOLLERR |
			  EPOLLHUP;
	__poll_t mask;

	if (table)
		table->_key = events;
	mask = vfs_poll(fd_file(entry->fd), table) & events;
	entry->args->result = mangle_poll(mask);
	return mask;
}

/**
 * gosync_wait_any_try() - try the entries without waiting
 * @set: the entries
 *
 * Mostly none can succeed, so this first looks without the object's lock. If an
 * entry can't succeed for another reason, gosync_wait_any_queue() finds that
 * out.
 *
 * Return: the index of the first that succeeded; -EBUSY; another error.
 */
int gosync_wait_any_try(struct gosync_wait_set *set)
{
	u32 i;

	for (i = 0; i < set->count; i++) {
		struct gosync_wait_item *entry = &set->entries[i];
		int ret;

		if (!entry->op)
			ret = poll_entry(entry, NULL) ? 0 : -EBUSY;
		else if (entry->op->ready(&entry->waiter))
			ret = entry->op->attempt(&entry->waiter, false);
		else
			ret = -EBUSY;
		if (ret != -EBUSY)
			return ret ?: i;
	}
	return -EBUSY;
}

/**
 * gosync_wait_any_queue() - queue a waiter for each entry
 * @set: the entries
 * @group: the waiters' group; its claim is GOSYNC_WAITING, or has been
 * @task: the task that will wait; NULL: no task does
 *
 * Return: the index of an entry that was granted at once; -EINPROGRESS: the
 * group will be told, or has left; another error. In any case the caller has to
 * withdraw the waiters.
 */
int gosync_wait_any_queue(struct gosync_wait_set *set,
			  struct gosync_group *group, struct task_struct *task)
{
	u32 i;

	set->group = group;
	for (i = 0; i < set->count; i++) {
		struct gosync_wait_item *entry = &set->entries[i];
		int ret;

		if (!entry->op)
			continue;
		gosync_count_waits(entry->waiter.holder->obj);
		gosync_waiter_join(&entry->waiter, group, task);
		ret = entry->op->attempt(&entry->waiter, true);
		if (ret == -EINPROGRESS) {
			gosync_wait_begins(&entry->waiter);
			continue;
		}
		if (ret)
			return gosync_group_leave(group) ? ret : -EINPROGRESS;
		if (gosync_group_won(group, &entry->waiter))
			return i;
		/* Another entry was granted while we tried this one. */
		gosync_wait_item_give_back(entry);
		break;
	}
	return -EINPROGRESS;
}

/**
 * gosync_wait_any_withdraw() - withdraw the waiters that were not granted
 * @set: the entries
 * @ret: the reason, for tracers
 */
void gosync_wait_any_withdraw(struct gosync_wait_set *set, int ret)
{
	u32 i;

	for (i = 0; i < set->count; i++)
		if (set->entries[i].op)
			gosync_withdraw(&set->entries[i].waiter, ret);
}

/**
 * gosync_wait_any_deliver() - tell user space the result, or undo the grant
 * @set: the entries, without waiters
 * @ret: the index of the entry that was granted, or an error
 * @dying: the task is being killed: undo the grant
 *
 * Return: what to return to user space.
 */
long gosync_wait_any_deliver(struct gosync_wait_set *set, long ret, bool dying)
{
	int err;

	if (ret < 0)
		return ret;
	err = dying ? -EINTR : gosync_wait_item_stale(&set->entries[ret]);
	if (!err)
		err = gosync_wait_item_tell(set, ret);
	if (err)
		gosync_wait_item_give_back(&set->entries[ret]);
	return err ?: ret;
}

/**
 * gosync_wait_any_granted() - find the entry that was granted
 * @set: the entries, whose group was told
 *
 * Return: its index.
 */
int gosync_wait_any_granted(struct gosync_wait_set *set)
{
	struct gosync_waiter *winner = set->group->winner;

	/* Without @since it succeeded at once and has not waited. */
	if (winner->since)
		gosync_wait_ends(winner->holder->obj, winner, 0);
	return gosync_wait_item_of(winner) - set->entries;
}

/*
 * Leave the group. Return: @ret, or the index of an entry that was granted
 * already
 */
static int leave_group(struct gosync_wait_set *set, int ret)
{
	if (gosync_group_leave(set->group))
		return ret;
	gosync_await_told(&set->group->claim);
	return gosync_wait_any_granted(set);
}

/* Look at the entries that are polled. Return: an index, or -EBUSY */
static int poll_entries(struct gosync_wait_set *set, struct poll_wqueues *table,
			bool again)
{
	u32 i;

	for (i = 0; i < set->count; i++) {
		struct gosync_wait_item *entry = &set->entries[i];

		if (!entry->op &&
		    poll_entry(entry, again ? NULL : &table->pt))
			return i;
	}
	return table->error ?: -EBUSY;
}

static bool has_polled(const struct gosync_wait_set *set)
{
	u32 i;

	for (i = 0; i < set->count; i++)
		if (!set->entries[i].op)
			return true;
	return false;
}

/* Return: an index or an error */
static int sleep_for_any(struct gosync_wait_set *set, struct poll_wqueues *table,
			 const struct gosync_timeout *timeout)
{
	int ret = -EBUSY;

	if (table)
		ret = poll_entries(set, table, false);
	while (ret == -EBUSY) {
		ret = gosync_sleep(&set->group->claim, table, timeout);
		if (!ret && gosync_is_told(&set->group->claim))
			return gosync_wait_any_granted(set);
		if (ret)
			break;
		/* W-C, pairs with pollwake() of the kernel: before we look. */
		smp_store_mb(table->triggered, 0);
		ret = poll_entries(set, table, true);
		/* The files may wake us as often as they like. */
		if (ret == -EBUSY)
			ret = gosync_try_again() ?: ret;
	}
	return leave_group(set, ret);
}

static int get_any(struct gosync_wait_set *set,
		   const struct gosync_timeout *timeout)
{
	struct gosync_sleeper sleeper = {
		.group.tell = gosync_tell_sleeper,
		.task = current,
	};
	struct poll_wqueues *table = NULL;
	int ret;

	ret = gosync_wait_any_try(set);
	if (ret != -EBUSY)
		return ret;
	if (has_polled(set)) {
		table = kmalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
		if (!table)
			return -ENOMEM;
		poll_initwait(table);
	}
	ret = gosync_wait_any_queue(set, &sleeper.group, current);
	if (ret == -EINPROGRESS)
		ret = sleep_for_any(set, table, timeout);
	if (table) {
		poll_freewait(table);
		kfree(table);
	}
	gosync_wait_any_withdraw(set, ret < 0 ? ret : -ECANCELED);
	return ret;
}

/*
 * A signal's handler is to run: tell user space the operands with which the
 * wait goes on. So it sees a WaitGroup that becomes 0 meanwhile.
 */
static void keep_operands(struct gosync_wait_set *set)
{
	u32 i;

	for (i = 0; i < set->count; i++) {
		struct gosync_wait_item *entry = &set->entries[i];

		/* If that fails the wait begins anew. */
		if (entry->op && entry->op->resumes &&
		    put_user(entry->waiter.number, &set->uentries[i].value))
			return;
	}
}

/* Remember the places in the queues, for the case that the wait comes back. */
static void remember_places(const struct gosync_wait_set *set, int ret)
{
	struct gosync_places *places = gosync_places_alloc(set->count);
	u32 i;

	for (i = 0; i < set->count; i++)
		if (set->entries[i].op)
			gosync_places_add(places, &set->entries[i].waiter);
	gosync_places_keep(places, ret);
}

/**
 * gosync_wait_any() - wait for any of several entries
 * @set: the entries
 * @timeout: when to give up
 *
 * Return: the index of the entry that was granted, or an error. User space was
 * told its result.
 */
long gosync_wait_any(struct gosync_wait_set *set,
		     const struct gosync_timeout *timeout)
{
	int ret = get_any(set, timeout);

	if (ret == -ERESTARTSYS) {
		keep_operands(set);
		remember_places(set, ret);
	}
	return gosync_wait_any_deliver(set, ret, fatal_signal_pending(current));
}
