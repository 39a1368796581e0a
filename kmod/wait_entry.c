// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for several things: what they are, and waiting for any of them.
 *
 * All are tried in their order; then there is a waiter on each, of one
 * group, so that one is granted at most (wait.c). What was granted to a waiter
 * that had lost by then is given back; nothing else is done with the others.
 *
 * Waiting for all of them is wait_all.c's.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "wait_entry.h"

/* --- The entries ---------------------------------------------------------- */

static int get_entry(struct gosync_many_entry *entry, bool all, bool async)
{
	const struct gosync_wait_entry *args = entry->args;
	struct gosync_holder *holder;

	entry->fd = async ? CLONED_FD(fget(args->fd)) : fdget(args->fd);
	if (!fd_file(entry->fd)) {
		entry->fd = EMPTY_FD;
		return -EBADF;
	}
	if (!args->op) {
		if (all || async || !args->index ||
		    args->index > (u16)~0 || args->value)
			return -EINVAL;
		return 0;
	}
	holder = gosync_holder_of(fd_file(entry->fd));
	if (!holder)
		return -ENOTTY;
	entry->op = gosync_wait_op_of(args->op, holder->obj->type);
	if (!entry->op)
		return -ENOTTY;
	entry->waiter.holder = holder;
	entry->waiter.among = true;
	return gosync_check_operand(entry->op, &entry->waiter, args->index,
				    args->value);
}

/**
 * gosync_many_put() - done with them
 * @many: the entries; freed
 */
void gosync_many_put(struct gosync_many *many)
{
	u32 i;

	for (i = 0; i < many->count; i++)
		fdput(many->entries[i].fd);
	kfree(many);
}

/* All that user space said */
static int get_args(struct gosync_wait_entry *args,
		    struct gosync_wait_entry __user *uargs, u32 count)
{
	u32 i;

	if (should_fail_usercopy() ||
	    !user_access_begin(uargs, count * sizeof(*uargs)))
		return -EFAULT;
	for (i = 0; i < count; i++) {
		unsafe_get_user(args[i].fd, &uargs[i].fd, fault);
		unsafe_get_user(args[i].op, &uargs[i].op, fault);
		unsafe_get_user(args[i].index, &uargs[i].index, fault);
		unsafe_get_user(args[i].result, &uargs[i].result, fault);
		unsafe_get_user(args[i].value, &uargs[i].value, fault);
		/* Where a result is to go, it can: better to see that now. */
		unsafe_put_user(args[i].result, &uargs[i].result, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * gosync_many_get() - take hold of what is to be waited for
 * @args: the argument of GOSYNC_IOC_WAIT
 * @async: for longer than the system call lasts
 *
 * Return: the entries, or an error: one of them is not as it should be.
 */
struct gosync_many *gosync_many_get(const struct gosync_wait_many_args *args,
				    bool async)
{
	bool timed = args->deadline && args->deadline < KTIME_MAX;
	bool all = args->flags & GOSYNC_WAIT_ALL;
	struct gosync_wait_entry *said;
	struct gosync_many *many;
	int ret;
	u32 i;

	if (!args->count || args->count > GOSYNC_WAIT_MAX ||
	    args->entry_size != sizeof(struct gosync_wait_entry))
		return ERR_PTR(-EINVAL);
	many = kzalloc(struct_size(many, entries, args->count) +
		       args->count * sizeof(*said), GFP_KERNEL_ACCOUNT);
	if (!many)
		return ERR_PTR(-ENOMEM);
	many->uentries = u64_to_user_ptr(args->entries);
	said = (void *)&many->entries[args->count];
	ret = get_args(said, many->uentries, args->count);
	for (i = 0; i < args->count && !ret; i++) {
		struct gosync_many_entry *entry = &many->entries[i];

		entry->args = &said[i];
		many->count++;
		ret = get_entry(entry, all, async);
		entry->waiter.timed = timed;
	}
	if (ret) {
		gosync_many_put(many);
		return ERR_PTR(ret);
	}
	return many;
}

/**
 * gosync_many_tell() - tell user space what it got
 * @many: the entries
 * @i: which of them
 *
 * Return: 0 or -EFAULT.
 */
int gosync_many_tell(struct gosync_many *many, u32 i)
{
	struct gosync_many_entry *entry = &many->entries[i];
	struct gosync_wait_entry *args = entry->args;

	if (entry->op) {
		args->result = entry->op->result ?
			       entry->op->result(&entry->waiter) : 0;
		if (args->op == GOSYNC_IOC_ATOMIC_WAIT ||
		    args->op == GOSYNC_IOC_VALUE_WAIT ||
		    args->op == GOSYNC_IOC_MAP_WAIT)
			args->value = entry->waiter.seen;
	}
	return copy_to_user(&many->uentries[i], args, sizeof(*args)) ? -EFAULT :
								      0;
}

/**
 * gosync_many_give_back() - it was granted, and is not wanted
 * @entry: what
 */
void gosync_many_give_back(struct gosync_many_entry *entry)
{
	if (entry->op && entry->op->give_back)
		entry->op->give_back(&entry->waiter);
}

/**
 * gosync_many_stale() - was it granted to a holder that is broken
 * @entry: what
 *
 * Return: 0, or -ESTALE and it is to be given back.
 */
int gosync_many_stale(const struct gosync_many_entry *entry)
{
	return entry->op && entry->op->takes &&
	       gosync_is_broken(entry->waiter.holder) ? -ESTALE : 0;
}

/* --- Any of them ---------------------------------------------------------- */

static __poll_t poll_entry(struct gosync_many_entry *entry,
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
 * gosync_many_try() - is there one that can be had at once
 * @many: the entries
 *
 * Mostly there isn't, so who looks does not take the object's lock. If it is
 * for another reason that one can't be had, gosync_many_queue() finds that out.
 *
 * Return: the index of the first, which was granted; -EBUSY; another error.
 */
int gosync_many_try(struct gosync_many *many)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];
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
 * gosync_many_queue() - wait for any of them
 * @many: the entries
 * @group: theirs; its claim is GOSYNC_WAITING, or has been
 * @task: who waits, NULL: nobody
 *
 * Return: the index of one that was granted at once; -EINPROGRESS: the group
 * will be told, or is gone; another error. Either way they are to be withdrawn.
 */
int gosync_many_queue(struct gosync_many *many, struct gosync_group *group,
		      struct task_struct *task)
{
	u32 i;

	many->group = group;
	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];
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
		/* Another was granted while we looked at this one. */
		gosync_many_give_back(entry);
		break;
	}
	return -EINPROGRESS;
}

/**
 * gosync_many_withdraw() - wait for the others no longer
 * @many: the entries, of which one was granted or none
 * @ret: why
 */
void gosync_many_withdraw(struct gosync_many *many, int ret)
{
	u32 i;

	for (i = 0; i < many->count; i++)
		if (many->entries[i].op)
			gosync_withdraw(&many->entries[i].waiter, ret);
}

/**
 * gosync_many_deliver() - the end of a wait for any
 * @many: the entries; nobody waits any more
 * @ret: what came of it
 * @dying: there is nobody to have it
 *
 * Return: what to tell user space.
 */
long gosync_many_deliver(struct gosync_many *many, long ret, bool dying)
{
	int err;

	if (ret < 0)
		return ret;
	err = dying ? -EINTR : gosync_many_stale(&many->entries[ret]);
	if (!err)
		err = gosync_many_tell(many, ret);
	if (err)
		gosync_many_give_back(&many->entries[ret]);
	return err ?: ret;
}

/**
 * gosync_many_granted() - which one was it
 * @many: the entries, whose group was told
 *
 * Return: the index.
 */
int gosync_many_granted(struct gosync_many *many)
{
	struct gosync_waiter *winner = many->group->winner;

	/* What was got before it was queued was not waited for. */
	if (winner->since)
		gosync_wait_ends(winner->holder->obj, winner, 0);
	return gosync_entry_of(winner) - many->entries;
}

void gosync_tell_sleeper(struct gosync_group *group)
{
	struct task_struct *task = container_of(group, struct gosync_sleeper,
						group)->task;

	get_task_struct(task);
	/* W-A, pairs with gosync_is_told(); W-B, with gosync_sleep(). */
	smp_store_release(&group->claim, GOSYNC_TOLD);
	wake_up_process(task);
	put_task_struct(task);
}

/* Leave the group. Return: @ret, or which one was granted already */
static int leave(struct gosync_many *many, int ret)
{
	if (gosync_group_leave(many->group))
		return ret;
	gosync_await_told(&many->group->claim);
	return gosync_many_granted(many);
}

/* Look at those that are only polled. Return: an index, or -EBUSY */
static int poll_entries(struct gosync_many *many, struct poll_wqueues *table,
			bool again)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];

		if (!entry->op &&
		    poll_entry(entry, again ? NULL : &table->pt))
			return i;
	}
	return table->error ?: -EBUSY;
}

static bool has_polled(const struct gosync_many *many)
{
	u32 i;

	for (i = 0; i < many->count; i++)
		if (!many->entries[i].op)
			return true;
	return false;
}

/* Return: an index or an error */
static int sleep_for_any(struct gosync_many *many, struct poll_wqueues *table,
			 const struct gosync_timeout *timeout)
{
	int ret = -EBUSY;

	if (table)
		ret = poll_entries(many, table, false);
	while (ret == -EBUSY) {
		ret = gosync_sleep(&many->group->claim, table, timeout);
		if (!ret && gosync_is_told(&many->group->claim))
			return gosync_many_granted(many);
		if (ret)
			break;
		/* W-C, pairs with pollwake() of the kernel: before we look. */
		smp_store_mb(table->triggered, 0);
		ret = poll_entries(many, table, true);
	}
	return leave(many, ret);
}

static int wait_for_any(struct gosync_many *many,
			const struct gosync_timeout *timeout)
{
	struct gosync_sleeper sleeper = {
		.group.tell = gosync_tell_sleeper,
		.task = current,
	};
	struct poll_wqueues *table = NULL;
	int ret;

	ret = gosync_many_try(many);
	if (ret != -EBUSY)
		return ret;
	if (has_polled(many)) {
		table = kmalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
		if (!table)
			return -ENOMEM;
		poll_initwait(table);
	}
	ret = gosync_many_queue(many, &sleeper.group, current);
	if (ret == -EINPROGRESS)
		ret = sleep_for_any(many, table, timeout);
	if (table) {
		poll_freewait(table);
		kfree(table);
	}
	gosync_many_withdraw(many, ret < 0 ? ret : -ECANCELED);
	return ret;
}

/*
 * A signal's handler is to run: a WaitGroup that becomes 0 meanwhile has been 0
 * for who comes back.
 */
static void keep_generations(struct gosync_many *many)
{
	u32 i;

	for (i = 0; i < many->count; i++) {
		struct gosync_many_entry *entry = &many->entries[i];

		/* Who can't be told begins anew. */
		if (entry->args->op == GOSYNC_IOC_WAITGROUP_WAIT &&
		    put_user(entry->waiter.number, &many->uentries[i].value))
			return;
	}
}

/* And each of the others has its place in the queue, should it come back. */
static void remember(const struct gosync_many *many, int ret)
{
	struct gosync_places *places = gosync_places_alloc(many->count);
	u32 i;

	for (i = 0; i < many->count; i++)
		if (many->entries[i].op)
			gosync_places_add(places, &many->entries[i].waiter);
	gosync_places_keep(places, ret);
}

long gosync_wait_many(struct gosync_holder *unused, void *arg)
{
	const struct gosync_wait_many_args *args = arg;
	struct gosync_timeout timeout;
	struct gosync_many *many;
	long ret;

	ret = gosync_timeout_init(&timeout, args->flags & ~GOSYNC_WAIT_ALL,
				  args->deadline);
	if (ret)
		return ret;
	many = gosync_many_get(args, false);
	if (IS_ERR(many))
		return PTR_ERR(many);
	if (args->flags & GOSYNC_WAIT_ALL) {
		ret = gosync_wait_for_all(many, &timeout);
	} else {
		ret = wait_for_any(many, &timeout);
		if (ret == -ERESTARTSYS) {
			keep_generations(many);
			remember(many, ret);
		}
		ret = gosync_many_deliver(many, ret,
					  fatal_signal_pending(current));
	}
	gosync_many_put(many);
	return ret;
}
