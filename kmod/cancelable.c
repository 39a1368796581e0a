// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that a descriptor ends (GOSYNC_CANCELABLE): those that cannot be an entry
 * of a wait for any, beside that descriptor.
 *
 * The task that waits looks at the file itself, as poll(2) does, and is woken by
 * it. So nobody else takes the waiter off its queue, and a grant wins over the
 * file as it does over the deadline.
 */
#include <linux/poll.h>
#include <linux/slab.h>

#include "wait.h"

/**
 * gosync_cancelable_begin() - have a descriptor end a wait
 * @cancel: is filled in
 * @timeout: when to give up; @cancel is added
 * @flags: the ioctl's flags
 * @fd: the descriptor; without GOSYNC_CANCELABLE it has to be 0
 *
 * Return: 0, -EBADF, -EINVAL or -ENOMEM.
 */
int gosync_cancelable_begin(struct gosync_cancel *cancel,
			    struct gosync_timeout *timeout, u32 flags, int fd)
{
	struct poll_wqueues *table;
	int ret;

	if (!(flags & GOSYNC_CANCELABLE))
		return fd ? -EINVAL : 0;
	cancel->fd = fdget(fd);
	if (!fd_file(cancel->fd))
		return -EBADF;
	/* A wait that goes on after a signal must not fail: L is unlocked. */
	table = kmalloc(sizeof(*table), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	cancel->table = table;
	timeout->cancel = cancel;
	poll_initwait(table);
	table->pt._key = GOSYNC_CANCEL_EVENTS;
	vfs_poll(fd_file(cancel->fd), &table->pt);
	ret = table->error;
	if (ret) {
		gosync_cancelable_end(timeout);
		timeout->cancel = NULL;
	}
	return ret;
}

/**
 * gosync_cancelable_end() - undo gosync_cancelable_begin()
 * @timeout: as it was given to that
 */
void gosync_cancelable_end(const struct gosync_timeout *timeout)
{
	struct gosync_cancel *cancel = timeout->cancel;

	if (!cancel)
		return;
	poll_freewait(cancel->table);
	kfree(cancel->table);
	fdput(cancel->fd);
}
