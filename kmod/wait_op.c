// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations that can be waited for in any of the ways: which there are, and the
 * one way that an ioctl has of its own, to block. The others are wait_entry.c's and
 * uring.c's; whether one would succeed is asked by poll.c.
 */
#include <linux/sched/signal.h>

#include "gosync.h"

/**
 * gosync_wait_op_of() - what an ioctl waits for
 * @cmd: its number
 * @type: of the object
 *
 * Return: the operation, NULL if it isn't one of this type, or one that takes
 * more than a waiter.
 */
const struct gosync_wait_op *gosync_wait_op_of(unsigned int cmd, u32 type)
{
	switch (cmd) {
	case GOSYNC_IOC_MUTEX_LOCK:
		return type == GOSYNC_MUTEX ? &gosync_mutex_lock_op : NULL;
	case GOSYNC_IOC_RWMUTEX_LOCK:
		return type == GOSYNC_RWMUTEX ? &gosync_rwmutex_lock_op : NULL;
	case GOSYNC_IOC_RWMUTEX_RLOCK:
		return type == GOSYNC_RWMUTEX ? &gosync_rwmutex_rlock_op : NULL;
	case GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		return type == GOSYNC_SEMAPHORE ? &gosync_semaphore_acquire_op :
						  NULL;
	case GOSYNC_IOC_WAITGROUP_WAIT:
		return type == GOSYNC_WAITGROUP ? &gosync_waitgroup_wait_op :
						  NULL;
	case GOSYNC_IOC_ONCE_WAIT:
		return type == GOSYNC_ONCE ? &gosync_once_wait_op : NULL;
	case GOSYNC_IOC_VALUE_WAIT:
		return type == GOSYNC_VALUE ? &gosync_version_op : NULL;
	case GOSYNC_IOC_MAP_WAIT:
		return type == GOSYNC_MAP ? &gosync_version_op : NULL;
	case GOSYNC_IOC_ATOMIC_WAIT:
		return type < GOSYNC_VALUE ? &gosync_atomic_wait_op : NULL;
	default:
		return NULL;
	}
}

/**
 * gosync_check_operand() - is this a possible operand
 * @op: of what
 * @waiter: where it is put
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
 * gosync_too_late() - is there nobody to have what was just got by waiting
 * @holder: who got it
 *
 * Return: 0, or why it is to be given back: -EINTR, -ESTALE.
 */
int gosync_too_late(const struct gosync_holder *holder)
{
	if (unlikely(fatal_signal_pending(current)))
		return -EINTR;
	return gosync_is_broken(holder) ? -ESTALE : 0;
}

/**
 * gosync_wait_for() - what an ioctl does that waits for one thing
 * @op: what to do
 * @waiter: for whom, prepared by gosync_waiter_init()
 * @timeout: until when
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
