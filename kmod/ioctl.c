// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ioctls: how each is run, and those that are not a type's own. A type has a
 * table of its own ioctls in its file.
 *
 * Arguments are copied in, checked for fields that this kernel does not know,
 * and copied out here. So an operation sees a plain structure in kernel memory.
 * A change must not happen if its result could not be delivered. So the
 * argument of an ioctl that changes something is also copied out once before
 * the operation.
 */
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "copy.h"
#include "gosync.h"

static long ioctl_version(struct gosync_holder *holder, void *arg)
{
	return GOSYNC_ABI_VERSION;
}

#define NR(_name)	_IOC_NR(GOSYNC_IOC_##_name)

static const struct gosync_ioctl of_device[] = {
	[NR(OPEN) - NR(OPEN)] =
		GOSYNC_IOCTL_ARG(OPEN, 0, gosync_names_open, open),
	[NR(UNLINK) - NR(OPEN)] =
		GOSYNC_IOCTL_ARG(UNLINK, 0, gosync_names_unlink, unlink),
	[NR(LIST) - NR(OPEN)] =
		GOSYNC_IOCTL_ARG(LIST, GOSYNC_RESULTS | GOSYNC_RESUMES,
				 gosync_names_list, list),
	[NR(VERSION) - NR(OPEN)] =
		GOSYNC_IOCTL(VERSION, 0, ioctl_version),
	[NR(WAIT) - NR(OPEN)] =
		GOSYNC_IOCTL_ARG(WAIT, 0, gosync_wait_many, wait_many),
	[NR(CHANGE) - NR(OPEN)] =
		GOSYNC_IOCTL_ARG(CHANGE, 0, gosync_names_change, change),
};

/* Ioctls of objects of any type, besides GOSYNC_IOC_INFO and GOSYNC_IOC_STAT */
static const struct gosync_ioctl of_objects[] = {
	[NR(VERSION) - NR(VERSION)] =
		GOSYNC_IOCTL(VERSION, 0, ioctl_version),
	[NR(REOPEN) - NR(VERSION)] =
		GOSYNC_IOCTL_ARG(REOPEN, GOSYNC_OPTIONAL,
				 gosync_holder_reopen, reopen),
	[NR(WAITERS) - NR(VERSION)] =
		GOSYNC_IOCTL_ARG(WAITERS, GOSYNC_RESULTS, gosync_waiters,
				 parties),
	[NR(HOLDERS) - NR(VERSION)] =
		GOSYNC_IOCTL_ARG(HOLDERS, GOSYNC_RESULTS, gosync_holders,
				 parties),
};

/* Ioctls of objects that can be watched */
static const struct gosync_ioctl of_watched[] = {
	GOSYNC_IOCTL_ARG(WATCH, 0, gosync_watch, watch),
};

/* Ioctls of objects of which a holder can have something */
static const struct gosync_ioctl of_held[] = {
	[NR(BREAK) - NR(BREAK)] =
		GOSYNC_IOCTL_ARG(BREAK, 0, gosync_holder_break, break),
	[NR(ABANDON) - NR(BREAK)] =
		GOSYNC_IOCTL(ABANDON, GOSYNC_WRITES, gosync_holder_abandon),
};

/* Find the row of an ioctl that several types have, or NULL. */
static const struct gosync_ioctl *of_several(const struct gosync_ops *ops,
					     unsigned int cmd)
{
	const struct gosync_ioctl *ioctl;

	ioctl = gosync_ioctl_in(of_objects, ARRAY_SIZE(of_objects), cmd);
	if (!ioctl && (ops->watched || ops->watch))
		ioctl = gosync_ioctl_in(of_watched, ARRAY_SIZE(of_watched), cmd);
	if (!ioctl && ops->abandon)
		ioctl = gosync_ioctl_in(of_held, ARRAY_SIZE(of_held), cmd);
	return ioctl;
}

/**
 * gosync_ioctl_of() - find the row of an object's ioctl
 * @ops: the operations of the object's type
 * @cmd: the number of an ioctl
 *
 * Return: its row; NULL if there is none of this number, and for
 * GOSYNC_IOC_INFO and GOSYNC_IOC_STAT.
 */
const struct gosync_ioctl *gosync_ioctl_of(const struct gosync_ops *ops,
					   unsigned int cmd)
{
	return gosync_own_ioctl(ops, cmd) ?: of_several(ops, cmd);
}

/* Run an ioctl with the argument at @uarg. Out of line: few calls need it. */
static noinline long run_with(const struct gosync_ioctl *ioctl,
			      struct gosync_holder *holder, void __user *uarg)
{
	u64 arg[GOSYNC_ARG_MAX / sizeof(u64)] __uninitialized;
	bool deliver = false;
	size_t back;
	u32 size;
	long ret;

	ret = gosync_copy_arg(arg, ioctl->size, uarg, &size);
	if (ret)
		return ret;
	if (!(ioctl->flags & (GOSYNC_RESULTS | GOSYNC_RESUMES)))
		return ioctl->op(holder, arg);
	back = min_t(size_t, size, ioctl->size);
	if (ioctl->flags & GOSYNC_RESULTS && ioctl->flags & GOSYNC_WRITES &&
	    gosync_return_arg(uarg, arg, back))
		return -EFAULT;
	ret = ioctl->op(holder, arg);
	if (ioctl->flags & GOSYNC_RESULTS)
		deliver = ret >= 0 || ret == -EMSGSIZE;
	if (ioctl->flags & GOSYNC_RESUMES)
		deliver |= ret == -ERESTARTSYS;
	if (deliver && gosync_return_arg(uarg, arg, back))
		return -EFAULT;
	return ret;
}

/* Run an ioctl with an argument full of zeros. */
static noinline long run_without(const struct gosync_ioctl *ioctl,
				 struct gosync_holder *holder)
{
	u64 arg[GOSYNC_ARG_MAX / sizeof(u64)] = {};

	return ioctl->op(holder, arg);
}

static __always_inline long run(const struct gosync_ioctl *ioctl,
				struct gosync_holder *holder, unsigned long arg)
{
	if (!ioctl->size)
		return arg ? -EINVAL : ioctl->op(holder, NULL);
	if (arg)
		return run_with(ioctl, holder, (void __user *)arg);
	if (!(ioctl->flags & GOSYNC_OPTIONAL))
		return -EFAULT;
	return run_without(ioctl, holder);
}

long gosync_device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct gosync_ioctl *ioctl;

	ioctl = gosync_ioctl_in(of_device, ARRAY_SIZE(of_device), cmd);
	return ioctl ? run(ioctl, NULL, arg) : -ENOTTY;
}

long gosync_object_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct gosync_holder *holder = file->private_data;
	const struct gosync_ops *ops = holder->obj->ops;
	const struct gosync_ioctl *ioctl;
	int ret;

	ioctl = gosync_own_ioctl(ops, cmd);
	if (!ioctl) {
		/*
		 * Their structures are larger than GOSYNC_ARG_MAX, and only
		 * written.
		 */
		if (cmd == GOSYNC_IOC_INFO)
			return gosync_holder_info(holder, (void __user *)arg);
		if (cmd == GOSYNC_IOC_STAT)
			return gosync_stat(holder, (void __user *)arg);
		ioctl = of_several(ops, cmd);
		if (!ioctl)
			return -ENOTTY;
	}
	ret = gosync_may_run(ioctl, holder);
	if (ret)
		return ret;
	return run(ioctl, holder, arg);
}
