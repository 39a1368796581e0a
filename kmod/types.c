// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one list of types.
 */
#include "gosync.h"

/**
 * gosync_ops_of() - the operations of a type
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
