// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for several things at once, and saying what poll(2) is to tell. The
 * kernel does both. A grant is in the word as if it had been asked for alone.
 */
#include <errno.h>
#include <poll.h>

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

	if (flags & ~WAIT_FLAGS)
		return -EINVAL;
	/*
	 * The entries may have been made in the parent. Their descriptors get
	 * holders of their own here, under the same numbers.
	 */
	gosync_notice();
	return __gosync_device_ioctl(GOSYNC_IOC_WAIT, &args, flags);
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

EXPORT int gosync_wait_cancel(struct gosync_wait_entry *entry,
			      uint64_t deadline, unsigned int flags, int cancel)
{
	struct gosync_wait_entry entries[] = {
		*entry,
		gosync_entry_fd(cancel, POLLIN),
	};
	int ret = wait_many(entries, 2, deadline, flags, 0);

	/* After EINTR it has in it what it needs to go on. */
	*entry = entries[0];
	return ret > 0 ? -ECANCELED : ret ? ret : entry->result;
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
