// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for one thing in an ioctl, which blocks. wait_any.c, wait_all.c and
 * command.c wait in other ways for the same operations.
 */
#include <linux/sched/signal.h>

#include "wait.h"

/**
 * gosync_check_operand() - check a wait's operand, and put it into the waiter
 * @op: the operation
 * @waiter: the waiter; its holder is set
 * @index: &gosync_wait_entry.index
 * @value: &gosync_wait_entry.value
 *
 * Return: 0, -EBADF, -EINVAL or -ESTALE.
 */
int gosync_check_operand(const struct gosync_wait_op *op,
			 struct gosync_waiter *waiter, u32 index, u64 value)
{
	int ret = op->takes ? gosync_may_operate(waiter->holder) : 0;

	if (ret)
		return ret;
	if (op->check)
		return op->check(waiter, index, value);
	return index || value ? -EINVAL : 0;
}

/**
 * gosync_too_late() - has a grant come too late for the calling task
 * @holder: the holder that was granted something
 *
 * Return: 0, or the reason for which the caller has to give it back: -EINTR if
 * the task is being killed, -ESTALE if the holder is broken.
 */
int gosync_too_late(const struct gosync_holder *holder)
{
	if (unlikely(fatal_signal_pending(current)))
		return -EINTR;
	return gosync_is_broken(holder) ? -ESTALE : 0;
}

/**
 * gosync_wait_for() - wait for one thing in an ioctl
 * @op: the operation
 * @waiter: the waiter, prepared by gosync_waiter_init()
 * @timeout: when to give up
 *
 * Return: what the ioctl returns.
 */
int gosync_wait_for(const struct gosync_wait_op *op,
		    struct gosync_waiter *waiter,
		    const struct gosync_timeout *timeout)
{
	int ret;

	waiter->timed = timeout->when != KTIME_MAX;
	ret = op->attempt(waiter, true);
	if (ret == -EINPROGRESS) {
		ret = gosync_wait(waiter->holder->obj, waiter, timeout);
		if (!ret && op->give_back) {
			ret = gosync_too_late(waiter->holder);
			if (ret) {
				op->give_back(waiter);
				return ret;
			}
		}
	}
	gosync_remember(waiter, ret);
	if (!ret && op->result)
		ret = op->result(waiter);
	return ret;
}
