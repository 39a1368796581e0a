// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries of a wait for several things: reading them from user space, and
 * telling it the result. wait_any.c and wait_all.c do the waiting.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "wait_entry.h"

static int get_entry(struct gosync_wait_item *entry, bool all, bool async)
{
	const struct gosync_wait_entry *args = entry->args;
	const struct gosync_ioctl *ioctl;
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
	ioctl = gosync_own_ioctl(holder->obj->ops, args->op);
	if (!ioctl || !ioctl->wait || ioctl->flags & GOSYNC_ALONE)
		return -ENOTTY;
	entry->op = ioctl->wait;
	entry->waiter.holder = holder;
	entry->waiter.among = true;
	return gosync_check_operand(entry->op, &entry->waiter, args->index,
				    args->value);
}

/**
 * gosync_wait_set_put() - free the entries, and put their files
 * @set: the entries
 */
void gosync_wait_set_put(struct gosync_wait_set *set)
{
	u32 i;

	for (i = 0; i < set->count; i++)
		fdput(set->entries[i].fd);
	kfree(set);
}

/* Copy in the entries. */
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
		/* Find out now whether a result can be written later. */
		unsafe_put_user(args[i].result, &uargs[i].result, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * gosync_wait_set_get() - read the entries, and get their files
 * @args: the argument of GOSYNC_IOC_WAIT
 * @async: the entries outlive the system call
 *
 * Return: the entries, or an error if one of them is wrong.
 */
struct gosync_wait_set *
gosync_wait_set_get(const struct gosync_wait_many_args *args, bool async)
{
	bool timed = args->deadline && args->deadline < KTIME_MAX;
	bool all = args->flags & GOSYNC_WAIT_ALL;
	struct gosync_wait_entry *said;
	struct gosync_wait_set *set;
	int ret;
	u32 i;

	if (!args->count || args->count > GOSYNC_WAIT_MAX ||
	    args->entry_size != sizeof(struct gosync_wait_entry))
		return ERR_PTR(-EINVAL);
	set = kzalloc(struct_size(set, entries, args->count) +
		       args->count * sizeof(*said), GFP_KERNEL_ACCOUNT);
	if (!set)
		return ERR_PTR(-ENOMEM);
	set->uentries = u64_to_user_ptr(args->entries);
	said = (void *)&set->entries[args->count];
	ret = get_args(said, set->uentries, args->count);
	for (i = 0; i < args->count && !ret; i++) {
		struct gosync_wait_item *entry = &set->entries[i];

		entry->args = &said[i];
		set->count++;
		ret = get_entry(entry, all, async);
		entry->waiter.timed = timed;
	}
	if (ret) {
		gosync_wait_set_put(set);
		return ERR_PTR(ret);
	}
	return set;
}

/**
 * gosync_wait_item_tell() - tell user space the result of an entry
 * @set: the entries
 * @i: the index of the entry, which was granted
 *
 * Return: 0 or -EFAULT.
 */
int gosync_wait_item_tell(struct gosync_wait_set *set, u32 i)
{
	struct gosync_wait_item *entry = &set->entries[i];
	struct gosync_wait_entry *args = entry->args;

	if (entry->op) {
		args->result = entry->op->result ?
			       entry->op->result(&entry->waiter) : 0;
		if (entry->op->tells_seen)
			args->value = entry->waiter.seen;
	}
	return copy_to_user(&set->uentries[i], args, sizeof(*args)) ? -EFAULT :
								      0;
}

/**
 * gosync_wait_item_give_back() - undo the grant of an entry
 * @entry: the entry
 */
void gosync_wait_item_give_back(struct gosync_wait_item *entry)
{
	if (entry->op && entry->op->give_back)
		entry->op->give_back(&entry->waiter);
}

/**
 * gosync_wait_item_stale() - was an entry granted to a broken holder
 * @entry: the entry
 *
 * Return: 0, or -ESTALE: then the caller has to give it back.
 */
int gosync_wait_item_stale(const struct gosync_wait_item *entry)
{
	return entry->op && entry->op->takes &&
	       gosync_is_broken(entry->waiter.holder) ? -ESTALE : 0;
}
