// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Cond: the library sees that nobody waits. The kernel does everything else.
 */
#include <errno.h>

#include "internal.h"

/**
 * struct gosync_cond - a Cond's handle
 * @slot: the mapped state, or NULL
 */
struct gosync_cond {
	const struct gosync_cond_slot *slot;
};

static void set_up(gosync_cond_t *cond, const struct gosync_info *info)
{
	cond->slot = state_of(cond, info, 0);
}

DEFINE_KIND(cond, gosync_cond_t, 0, 0, set_up);
DEFINE_OPEN(cond, GOSYNC_COND)

/*
 * An interrupted wait has a ticket, and goes on by it. That is so even if the
 * wait is to end, because the lock has to be held again: it then goes on with a
 * deadline that has passed.
 */
static int wait_until(gosync_cond_t *cond, const void *lock, uint64_t deadline,
		      unsigned int flags, int cancel)
{
	struct gosync_cond_wait_args args = {
		.size = sizeof(args),
		.flags = flags & ~GOSYNC_INTERRUPTIBLE,
		.deadline = deadline,
		.lock = gosync_fd(lock),
		.cancel = cancel,
	};
	int interrupted = 0;
	int ret;

	while ((ret = __gosync_ioctl(cond, GOSYNC_IOC_COND_WAIT, &args)) == -EINTR) {
		if (flags & GOSYNC_INTERRUPTIBLE) {
			interrupted = 1;
			args.deadline = 1;
		}
	}
	return interrupted && ret == -ETIMEDOUT ? -EINTR : ret;
}

EXPORT int gosync_cond_wait(gosync_cond_t *cond, const void *lock)
{
	GOSYNC_PROBE(cond_wait, cond);
	return wait_until(cond, lock, GOSYNC_FOREVER, 0, 0);
}

EXPORT int gosync_cond_wait_until(gosync_cond_t *cond, const void *lock,
				  uint64_t deadline, unsigned int flags)
{
	GOSYNC_PROBE(cond_wait, cond);
	if (flags & ~(WAIT_FLAGS | GOSYNC_READ_SIDE))
		return -EINVAL;
	return wait_until(cond, lock, deadline, flags, 0);
}

EXPORT int gosync_cond_wait_cancel(gosync_cond_t *cond, const void *lock,
				   uint64_t deadline, unsigned int flags,
				   int cancel)
{
	GOSYNC_PROBE(cond_wait, cond);
	if (flags & ~(WAIT_FLAGS | GOSYNC_READ_SIDE))
		return -EINVAL;
	return wait_until(cond, lock, deadline, flags | GOSYNC_CANCELABLE,
			  cancel);
}

/*
 * A waiter is counted before it unlocks. If we locked after that, or know in
 * any other way that it has unlocked, we see the count, too.
 */
static int wake(gosync_cond_t *cond, unsigned int op)
{
	const struct gosync_cond_slot *slot = cond->slot;
	int ret;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (slot && !__atomic_load_n(&slot->waiters, __ATOMIC_RELAXED))
		return 0;
	ret = __gosync_ioctl(cond, op, NULL);
	return ret < 0 ? ret : 0;
}

EXPORT int gosync_cond_signal(gosync_cond_t *cond)
{
	GOSYNC_PROBE(cond_signal, cond);
	return wake(cond, GOSYNC_IOC_COND_SIGNAL);
}

EXPORT int gosync_cond_broadcast(gosync_cond_t *cond)
{
	GOSYNC_PROBE(cond_broadcast, cond);
	return wake(cond, GOSYNC_IOC_COND_BROADCAST);
}
