// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of operations: which ioctl, on what, with which argument.
 *
 * Arguments are copied in, checked for what this kernel does not know, and
 * copied out here, so that an operation sees a plain structure in kernel
 * memory. A change whose result could not be delivered must not have happened:
 * the argument of what writes is copied out once before the operation, too.
 */
#include <linux/fault-inject-usercopy.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "gosync.h"

#define FIRST_NR	0x80

#define ON_DEVICE	BIT(0)	/* no type is 0 */
#define ON_INTEGERS	GENMASK(GOSYNC_UINTPTR, GOSYNC_INT32)
#define ON_ATOMICS	GENMASK(GOSYNC_BOOL, GOSYNC_INT32)
#define ON_VALUE	BIT(GOSYNC_VALUE)
#define ON_MUTEX	BIT(GOSYNC_MUTEX)
#define ON_RWMUTEX	BIT(GOSYNC_RWMUTEX)
#define ON_WAITGROUP	BIT(GOSYNC_WAITGROUP)
#define ON_ONCE		BIT(GOSYNC_ONCE)
#define ON_COND		BIT(GOSYNC_COND)
#define ON_SEMAPHORE	BIT(GOSYNC_SEMAPHORE)
#define ON_MAP		BIT(GOSYNC_MAP)
#define ON_WATCHED	(ON_ATOMICS | ON_VALUE | ON_MAP | ON_SEMAPHORE | ON_COND)
#define ON_HELD		(ON_MUTEX | ON_RWMUTEX | ON_ONCE | ON_SEMAPHORE)
#define ON_OBJECTS	GENMASK(GOSYNC_TYPE_MAX - 1, 1)

enum {
	WRITES = BIT(0),	/* not through a read-only descriptor */
	RESULTS = BIT(1),	/* the argument is copied out again */
	OPTIONAL = BIT(2),	/* 0 is an argument full of zeros */
	RESUMES = BIT(3),	/* a signal leaves in it where to go on */
};

/**
 * struct gosync_ioctl - an operation
 * @cmd: its number
 * @on: on what, a mask of the above
 * @flags: of the above
 * @size: of its argument; 0: there is none
 * @op: what does it, given the argument in kernel memory
 */
struct gosync_ioctl {
	unsigned int cmd;
	u32 on;
	u16 flags;
	u16 size;
	long (*op)(struct gosync_holder *holder, void *arg);
};

union gosync_arg {
	u32 size;
	struct gosync_open_args open;
	struct gosync_unlink_args unlink;
	struct gosync_change_args change;
	struct gosync_list_args list;
	struct gosync_reopen_args reopen;
	struct gosync_atomic_args atomic;
	struct gosync_atomic_wait_args atomic_wait;
	struct gosync_atomic_wake_args atomic_wake;
	struct gosync_value_args value;
	struct gosync_wait_args wait;
	struct gosync_waitgroup_add_args waitgroup_add;
	struct gosync_waitgroup_wait_args waitgroup_wait;
	struct gosync_version_wait_args version_wait;
	struct gosync_wait_many_args wait_many;
	struct gosync_watch_args watch;
	struct gosync_cond_wait_args cond_wait;
	struct gosync_semaphore_args semaphore;
	struct gosync_map_args map;
	struct gosync_map_range_args map_range;
	struct gosync_parties_args parties;
	struct gosync_break_args break_;
};

static long version(struct gosync_holder *holder, void *arg)
{
	return GOSYNC_ABI_VERSION;
}

#define NR(cmd)	(_IOC_NR(cmd) - FIRST_NR)
#define ATOMIC	sizeof(struct gosync_atomic_args)
#define VALUE	sizeof(struct gosync_value_args)
#define MAP	sizeof(struct gosync_map_args)

static const struct gosync_ioctl ioctls[] = {
	[NR(GOSYNC_IOC_OPEN)] = {
		GOSYNC_IOC_OPEN, ON_DEVICE, 0,
		sizeof(struct gosync_open_args), gosync_names_open,
	},
	[NR(GOSYNC_IOC_UNLINK)] = {
		GOSYNC_IOC_UNLINK, ON_DEVICE, 0,
		sizeof(struct gosync_unlink_args), gosync_names_unlink,
	},
	[NR(GOSYNC_IOC_CHANGE)] = {
		GOSYNC_IOC_CHANGE, ON_DEVICE, 0,
		sizeof(struct gosync_change_args), gosync_names_change,
	},
	[NR(GOSYNC_IOC_LIST)] = {
		GOSYNC_IOC_LIST, ON_DEVICE, RESULTS | RESUMES,
		sizeof(struct gosync_list_args), gosync_names_list,
	},
	[NR(GOSYNC_IOC_VERSION)] = {
		GOSYNC_IOC_VERSION, ON_DEVICE | ON_OBJECTS, 0,
		0, version,
	},
	[NR(GOSYNC_IOC_REOPEN)] = {
		GOSYNC_IOC_REOPEN, ON_OBJECTS, OPTIONAL,
		sizeof(struct gosync_reopen_args), gosync_holder_reopen,
	},

	[NR(GOSYNC_IOC_ABANDON)] = {
		GOSYNC_IOC_ABANDON, ON_HELD, WRITES,
		0, gosync_holder_abandon,
	},
	[NR(GOSYNC_IOC_BREAK)] = {
		GOSYNC_IOC_BREAK, ON_HELD, 0,
		sizeof(struct gosync_break_args), gosync_holder_break,
	},

	[NR(GOSYNC_IOC_WAITERS)] = {
		GOSYNC_IOC_WAITERS, ON_OBJECTS, RESULTS,
		sizeof(struct gosync_parties_args), gosync_waiters,
	},
	[NR(GOSYNC_IOC_HOLDERS)] = {
		GOSYNC_IOC_HOLDERS, ON_OBJECTS, RESULTS,
		sizeof(struct gosync_parties_args), gosync_holders,
	},

	[NR(GOSYNC_IOC_WAIT)] = {
		GOSYNC_IOC_WAIT, ON_DEVICE, 0,
		sizeof(struct gosync_wait_many_args), gosync_wait_many,
	},
	[NR(GOSYNC_IOC_WATCH)] = {
		GOSYNC_IOC_WATCH, ON_WATCHED, 0,
		sizeof(struct gosync_watch_args), gosync_watch,
	},

	[NR(GOSYNC_IOC_ATOMIC_LOAD)] = {
		GOSYNC_IOC_ATOMIC_LOAD, ON_ATOMICS, RESULTS | OPTIONAL,
		ATOMIC, gosync_atomic_load,
	},
	[NR(GOSYNC_IOC_ATOMIC_STORE)] = {
		GOSYNC_IOC_ATOMIC_STORE, ON_ATOMICS, WRITES | RESULTS,
		ATOMIC, gosync_atomic_store,
	},
	[NR(GOSYNC_IOC_ATOMIC_SWAP)] = {
		GOSYNC_IOC_ATOMIC_SWAP, ON_ATOMICS, WRITES | RESULTS,
		ATOMIC, gosync_atomic_swap,
	},
	[NR(GOSYNC_IOC_ATOMIC_ADD)] = {
		GOSYNC_IOC_ATOMIC_ADD, ON_INTEGERS, WRITES | RESULTS,
		ATOMIC, gosync_atomic_add,
	},
	[NR(GOSYNC_IOC_ATOMIC_CAS)] = {
		GOSYNC_IOC_ATOMIC_CAS, ON_ATOMICS, WRITES | RESULTS,
		ATOMIC, gosync_atomic_cas,
	},
	[NR(GOSYNC_IOC_ATOMIC_AND)] = {
		GOSYNC_IOC_ATOMIC_AND, ON_INTEGERS, WRITES | RESULTS,
		ATOMIC, gosync_atomic_and,
	},
	[NR(GOSYNC_IOC_ATOMIC_OR)] = {
		GOSYNC_IOC_ATOMIC_OR, ON_INTEGERS, WRITES | RESULTS,
		ATOMIC, gosync_atomic_or,
	},
	[NR(GOSYNC_IOC_ATOMIC_WAIT)] = {
		GOSYNC_IOC_ATOMIC_WAIT, ON_ATOMICS, RESULTS,
		sizeof(struct gosync_atomic_wait_args), gosync_atomic_wait,
	},
	[NR(GOSYNC_IOC_ATOMIC_WAKE)] = {
		GOSYNC_IOC_ATOMIC_WAKE, ON_ATOMICS, WRITES,
		sizeof(struct gosync_atomic_wake_args), gosync_atomic_wake,
	},

	[NR(GOSYNC_IOC_VALUE_LOAD)] = {
		GOSYNC_IOC_VALUE_LOAD, ON_VALUE, RESULTS,
		VALUE, gosync_value_load,
	},
	[NR(GOSYNC_IOC_VALUE_STORE)] = {
		GOSYNC_IOC_VALUE_STORE, ON_VALUE, WRITES | RESULTS,
		VALUE, gosync_value_store,
	},
	[NR(GOSYNC_IOC_VALUE_SWAP)] = {
		GOSYNC_IOC_VALUE_SWAP, ON_VALUE, WRITES | RESULTS,
		VALUE, gosync_value_swap,
	},
	[NR(GOSYNC_IOC_VALUE_CAS)] = {
		GOSYNC_IOC_VALUE_CAS, ON_VALUE, WRITES | RESULTS,
		VALUE, gosync_value_cas,
	},
	[NR(GOSYNC_IOC_VALUE_WAIT)] = {
		GOSYNC_IOC_VALUE_WAIT, ON_VALUE, RESULTS,
		sizeof(struct gosync_version_wait_args), gosync_version_wait,
	},

	[NR(GOSYNC_IOC_MUTEX_LOCK)] = {
		GOSYNC_IOC_MUTEX_LOCK, ON_MUTEX, WRITES | OPTIONAL,
		sizeof(struct gosync_wait_args), gosync_mutex_lock,
	},
	[NR(GOSYNC_IOC_MUTEX_TRYLOCK)] = {
		GOSYNC_IOC_MUTEX_TRYLOCK, ON_MUTEX, WRITES,
		0, gosync_mutex_trylock,
	},
	[NR(GOSYNC_IOC_MUTEX_UNLOCK)] = {
		GOSYNC_IOC_MUTEX_UNLOCK, ON_MUTEX, WRITES,
		0, gosync_mutex_unlock,
	},
	[NR(GOSYNC_IOC_MUTEX_RECOVER)] = {
		GOSYNC_IOC_MUTEX_RECOVER, ON_MUTEX, WRITES,
		0, gosync_mutex_recover,
	},

	[NR(GOSYNC_IOC_RWMUTEX_LOCK)] = {
		GOSYNC_IOC_RWMUTEX_LOCK, ON_RWMUTEX, WRITES | OPTIONAL,
		sizeof(struct gosync_wait_args), gosync_rwmutex_lock,
	},
	[NR(GOSYNC_IOC_RWMUTEX_TRYLOCK)] = {
		GOSYNC_IOC_RWMUTEX_TRYLOCK, ON_RWMUTEX, WRITES,
		0, gosync_rwmutex_trylock,
	},
	[NR(GOSYNC_IOC_RWMUTEX_UNLOCK)] = {
		GOSYNC_IOC_RWMUTEX_UNLOCK, ON_RWMUTEX, WRITES,
		0, gosync_rwmutex_unlock,
	},
	[NR(GOSYNC_IOC_RWMUTEX_RECOVER)] = {
		GOSYNC_IOC_RWMUTEX_RECOVER, ON_RWMUTEX, WRITES,
		0, gosync_mutex_recover,
	},
	[NR(GOSYNC_IOC_RWMUTEX_DRAIN)] = {
		GOSYNC_IOC_RWMUTEX_DRAIN, ON_RWMUTEX, WRITES | OPTIONAL,
		sizeof(struct gosync_wait_args), gosync_rwmutex_drain,
	},
	[NR(GOSYNC_IOC_RWMUTEX_RLOCK)] = {
		GOSYNC_IOC_RWMUTEX_RLOCK, ON_RWMUTEX, WRITES | OPTIONAL,
		sizeof(struct gosync_wait_args), gosync_rwmutex_rlock,
	},
	[NR(GOSYNC_IOC_RWMUTEX_TRYRLOCK)] = {
		GOSYNC_IOC_RWMUTEX_TRYRLOCK, ON_RWMUTEX, WRITES,
		0, gosync_rwmutex_tryrlock,
	},
	[NR(GOSYNC_IOC_RWMUTEX_RUNLOCK)] = {
		GOSYNC_IOC_RWMUTEX_RUNLOCK, ON_RWMUTEX, WRITES,
		0, gosync_rwmutex_runlock,
	},
	[NR(GOSYNC_IOC_RWMUTEX_DRAINED)] = {
		GOSYNC_IOC_RWMUTEX_DRAINED, ON_RWMUTEX, WRITES,
		0, gosync_rwmutex_drained,
	},

	[NR(GOSYNC_IOC_WAITGROUP_ADD)] = {
		GOSYNC_IOC_WAITGROUP_ADD, ON_WAITGROUP, WRITES | RESULTS,
		sizeof(struct gosync_waitgroup_add_args), gosync_waitgroup_add,
	},
	[NR(GOSYNC_IOC_WAITGROUP_WAIT)] = {
		GOSYNC_IOC_WAITGROUP_WAIT, ON_WAITGROUP, OPTIONAL | RESUMES,
		sizeof(struct gosync_waitgroup_wait_args), gosync_waitgroup_wait,
	},

	[NR(GOSYNC_IOC_ONCE_BEGIN)] = {
		GOSYNC_IOC_ONCE_BEGIN, ON_ONCE, OPTIONAL,
		sizeof(struct gosync_wait_args), gosync_once_begin,
	},
	[NR(GOSYNC_IOC_ONCE_DONE)] = {
		GOSYNC_IOC_ONCE_DONE, ON_ONCE, WRITES,
		0, gosync_once_done,
	},
	[NR(GOSYNC_IOC_ONCE_ABANDON)] = {
		GOSYNC_IOC_ONCE_ABANDON, ON_ONCE, WRITES,
		0, gosync_once_abandon,
	},
	[NR(GOSYNC_IOC_ONCE_WAIT)] = {
		GOSYNC_IOC_ONCE_WAIT, ON_ONCE, OPTIONAL,
		sizeof(struct gosync_wait_args), gosync_once_wait,
	},

	[NR(GOSYNC_IOC_COND_WAIT)] = {
		GOSYNC_IOC_COND_WAIT, ON_COND, WRITES | RESUMES,
		sizeof(struct gosync_cond_wait_args), gosync_cond_wait,
	},
	[NR(GOSYNC_IOC_COND_SIGNAL)] = {
		GOSYNC_IOC_COND_SIGNAL, ON_COND, WRITES,
		0, gosync_cond_signal,
	},
	[NR(GOSYNC_IOC_COND_BROADCAST)] = {
		GOSYNC_IOC_COND_BROADCAST, ON_COND, WRITES,
		0, gosync_cond_broadcast,
	},

	[NR(GOSYNC_IOC_SEMAPHORE_ACQUIRE)] = {
		GOSYNC_IOC_SEMAPHORE_ACQUIRE, ON_SEMAPHORE, WRITES,
		sizeof(struct gosync_semaphore_args), gosync_semaphore_acquire,
	},
	[NR(GOSYNC_IOC_SEMAPHORE_TRYACQUIRE)] = {
		GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, ON_SEMAPHORE, WRITES,
		sizeof(struct gosync_semaphore_args), gosync_semaphore_tryacquire,
	},
	[NR(GOSYNC_IOC_SEMAPHORE_RELEASE)] = {
		GOSYNC_IOC_SEMAPHORE_RELEASE, ON_SEMAPHORE, WRITES,
		sizeof(struct gosync_semaphore_args), gosync_semaphore_release,
	},
	[NR(GOSYNC_IOC_SEMAPHORE_LIMIT)] = {
		GOSYNC_IOC_SEMAPHORE_LIMIT, ON_SEMAPHORE, WRITES,
		sizeof(struct gosync_semaphore_args), gosync_semaphore_limit,
	},

	[NR(GOSYNC_IOC_MAP_LOAD)] = {
		GOSYNC_IOC_MAP_LOAD, ON_MAP, RESULTS,
		MAP, gosync_map_load,
	},
	[NR(GOSYNC_IOC_MAP_STORE)] = {
		GOSYNC_IOC_MAP_STORE, ON_MAP, WRITES,
		MAP, gosync_map_store,
	},
	[NR(GOSYNC_IOC_MAP_LOAD_OR_STORE)] = {
		GOSYNC_IOC_MAP_LOAD_OR_STORE, ON_MAP, WRITES | RESULTS,
		MAP, gosync_map_load_or_store,
	},
	[NR(GOSYNC_IOC_MAP_LOAD_AND_DELETE)] = {
		GOSYNC_IOC_MAP_LOAD_AND_DELETE, ON_MAP, WRITES | RESULTS,
		MAP, gosync_map_load_and_delete,
	},
	[NR(GOSYNC_IOC_MAP_DELETE)] = {
		GOSYNC_IOC_MAP_DELETE, ON_MAP, WRITES,
		MAP, gosync_map_delete,
	},
	[NR(GOSYNC_IOC_MAP_SWAP)] = {
		GOSYNC_IOC_MAP_SWAP, ON_MAP, WRITES | RESULTS,
		MAP, gosync_map_swap,
	},
	[NR(GOSYNC_IOC_MAP_CAS)] = {
		GOSYNC_IOC_MAP_CAS, ON_MAP, WRITES,
		MAP, gosync_map_cas,
	},
	[NR(GOSYNC_IOC_MAP_COMPARE_AND_DELETE)] = {
		GOSYNC_IOC_MAP_COMPARE_AND_DELETE, ON_MAP, WRITES,
		MAP, gosync_map_compare_and_delete,
	},
	[NR(GOSYNC_IOC_MAP_RANGE)] = {
		GOSYNC_IOC_MAP_RANGE, ON_MAP, RESULTS,
		sizeof(struct gosync_map_range_args), gosync_map_range,
	},
	[NR(GOSYNC_IOC_MAP_CLEAR)] = {
		GOSYNC_IOC_MAP_CLEAR, ON_MAP, WRITES,
		0, gosync_map_clear,
	},
	[NR(GOSYNC_IOC_MAP_WAIT)] = {
		GOSYNC_IOC_MAP_WAIT, ON_MAP, RESULTS,
		sizeof(struct gosync_version_wait_args), gosync_version_wait,
	},
};

static const struct gosync_ioctl *find(unsigned int cmd, u32 on)
{
	unsigned int nr = NR(cmd);
	const struct gosync_ioctl *ioctl;

	if (nr >= ARRAY_SIZE(ioctls))
		return NULL;
	ioctl = &ioctls[array_index_nospec(nr, ARRAY_SIZE(ioctls))];
	return ioctl->cmd == cmd && ioctl->on & on ? ioctl : NULL;
}

/* The out-of-line part: an argument that is there */
static noinline long run_with(const struct gosync_ioctl *ioctl,
			      struct gosync_holder *holder, void __user *uarg)
{
	union gosync_arg __uninitialized arg;
	bool deliver = false;
	size_t back;
	u32 size;
	long ret;

	BUILD_BUG_ON(sizeof(arg) > 64);
	ret = gosync_copy_arg(&arg, ioctl->size, uarg, &size);
	if (ret)
		return ret;
	back = min_t(size_t, size, ioctl->size);
	if (ioctl->flags & RESULTS && ioctl->flags & WRITES &&
	    copy_to_user(uarg, &arg, back))
		return -EFAULT;
	ret = ioctl->op(holder, &arg);
	if (ioctl->flags & RESULTS)
		deliver = ret >= 0 || ret == -EMSGSIZE;
	if (ioctl->flags & RESUMES)
		deliver |= ret == -ERESTARTSYS;
	if (deliver && copy_to_user(uarg, &arg, back))
		return -EFAULT;
	return ret;
}

static long run(const struct gosync_ioctl *ioctl, struct gosync_holder *holder,
		unsigned long arg)
{
	union gosync_arg none;

	if (!ioctl)
		return -ENOTTY;
	if (arg && !ioctl->size)
		return -EINVAL;
	if (arg)
		return run_with(ioctl, holder, (void __user *)arg);
	if (!ioctl->size)
		return ioctl->op(holder, NULL);
	if (!(ioctl->flags & OPTIONAL))
		return -EFAULT;
	memset(&none, 0, ioctl->size);
	return ioctl->op(holder, &none);
}

/**
 * gosync_ioctl_allowed() - may this be done by this holder
 * @holder: the holder
 * @cmd: the number of an ioctl
 *
 * Return: 0, -ENOTTY, -EBADF or -ESTALE.
 */
int gosync_ioctl_allowed(const struct gosync_holder *holder, unsigned int cmd)
{
	const struct gosync_ioctl *ioctl = find(cmd, BIT(holder->obj->type));

	if (!ioctl)
		return -ENOTTY;
	return ioctl->flags & WRITES ? gosync_may_operate(holder) : 0;
}

long gosync_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return run(find(cmd, ON_DEVICE), NULL, arg);
}

long gosync_object_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct gosync_holder *holder = file->private_data;
	const struct gosync_ioctl *ioctl;
	int ret = 0;

	/* Their structures are larger than the others, and only written. */
	if (cmd == GOSYNC_IOC_INFO)
		return gosync_holder_info(holder, (void __user *)arg);
	if (cmd == GOSYNC_IOC_STAT)
		return gosync_stat(holder, (void __user *)arg);
	ioctl = find(cmd, BIT(holder->obj->type));
	if (ioctl && ioctl->flags & WRITES)
		ret = gosync_may_operate(holder);
	return ret ?: run(ioctl, holder, arg);
}
