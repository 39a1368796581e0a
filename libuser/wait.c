// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for several things at once, and saying what poll(2) is to tell. The
 * kernel does both. A grant is in the word as if it had been asked for alone.
 */
#include <errno.h>

#include "internal.h"

/* An interrupted wait has left in the entries what it needs to go on. */
static int wait_many(struct gosync_wait_entry *entries, unsigned int count,
		     uint64_t deadline, unsigned int flags, unsigned int all)
{
	struct gosync_wait_many_args args = {
		.size = sizeof(args),
		.flags = (flags & ~GOSYNC_INTERRUPTIBLE) | all,
		.deadline = deadline,
		.entries = (uintptr_t)entries,
		.count = count,
		.entry_size = sizeof(*entries),
	};
	int device, ret;

	if (flags & ~WAIT_FLAGS)
		return -EINVAL;
	/*
	 * The entries may have been made in the parent. Their descriptors get
	 * holders of their own here, under the same numbers.
	 */
	gosync_notice();
	do {
		device = gosync_device();
		if (device < 0)
			return device;
		ret = __gosync_wait_fd(device, GOSYNC_IOC_WAIT, &args, flags);
	} while ((ret == -ENOTTY || ret == -EBADF) &&
		 __gosync_lost_device(device));
	return ret;
}

EXPORT int gosync_wait_any(struct gosync_wait_entry *entries,
			   unsigned int count, uint64_t deadline,
			   unsigned int flags)
{
	return wait_many(entries, count, deadline, flags, 0);
}

EXPORT int gosync_wait_all(struct gosync_wait_entry *entries,
			   unsigned int count, uint64_t deadline,
			   unsigned int flags)
{
	return wait_many(entries, count, deadline, flags, GOSYNC_WAIT_ALL);
}

/* Wait for a Value or a Map; @version: in: the one to leave, out: what it is */
int __gosync_wait_version(const void *object, unsigned int op, uint64_t *version,
			  uint64_t deadline, unsigned int flags)
{
	struct gosync_version_wait_args args = {
		.size = sizeof(args),
		.flags = flags & ~GOSYNC_INTERRUPTIBLE,
		.version = *version,
		.deadline = deadline,
	};
	int ret = __gosync_wait_ioctl(object, op, &args, flags);

	if (!ret)
		*version = args.version;
	return ret;
}

EXPORT int gosync_watch(const void *object, size_t index, uint64_t value)
{
	struct gosync_watch_args args = {
		.size = sizeof(args),
		.index = index,
		.value = value,
	};

	if (index > UINT32_MAX)
		return -EINVAL;
	return __gosync_ioctl(object, GOSYNC_IOC_WATCH, &args);
}

EXPORT int gosync_unwatch(const void *object)
{
	struct gosync_watch_args args = {
		.size = sizeof(args),
		.flags = GOSYNC_WATCH_STOP,
	};

	return __gosync_ioctl(object, GOSYNC_IOC_WATCH, &args);
}
