// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one list of types, and what can be waited for of each.
 */
#include "gosync.h"

/**
 * gosync_ops_of() - what a type can do
 * @type: &enum gosync_type
 *
 * Return: its operations, or NULL if there is no such type.
 */
const struct gosync_ops *gosync_ops_of(u32 type)
{
	switch (type) {
	case GOSYNC_INT32 ... GOSYNC_BOOL:
		return &gosync_atomic_ops[type - GOSYNC_INT32];
	case GOSYNC_VALUE:
		return &gosync_value_ops;
	case GOSYNC_MUTEX:
		return &gosync_mutex_ops;
	case GOSYNC_RWMUTEX:
		return &gosync_rwmutex_ops;
	case GOSYNC_WAITGROUP:
		return &gosync_waitgroup_ops;
	case GOSYNC_ONCE:
		return &gosync_once_ops;
	case GOSYNC_COND:
		return &gosync_cond_ops;
	case GOSYNC_SEMAPHORE:
		return &gosync_semaphore_ops;
	case GOSYNC_MAP:
		return &gosync_map_ops;
	default:
		return NULL;
	}
}

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
