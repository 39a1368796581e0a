// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WaitGroup: the library does additions that release no waiter. The kernel does
 * those that do, and waiting.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "internal.h"

/**
 * struct handle - a WaitGroup's handle
 * @wg: its public part: the mapped state if it may be written
 * @look: the mapped state if it may be read, or NULL
 */
struct handle {
	struct gosync_waitgroup wg;
	const struct gosync_waitgroup_slot *look;
};

static inline struct handle *handle_of(gosync_waitgroup_t *wg)
{
	return (struct handle *)wg;
}

static void set_up(gosync_waitgroup_t *wg, const struct gosync_info *info)
{
	handle_of(wg)->look = state_of(wg, info, 0);
	set_state(&wg->at, wg, state_of(wg, info, 1));
}

DEFINE_KIND(waitgroup, struct handle, (uint64_t)1 << 63 | 1, 0, set_up);
DEFINE_OPEN(waitgroup, GOSYNC_WAITGROUP)

/*
 * With waiters, the counter may go from one number to another that is not 0
 * either: no wake-up is owed, as all of them go on waiting.
 */
EXPORT int gosync_waitgroup_add_slow(gosync_waitgroup_t *wg, int delta)
{
	struct gosync_waitgroup_add_args args = {
		.size = sizeof(args),
		.delta = delta,
	};
	struct gosync_waitgroup_slot *slot = gosync_at(wg);
	uint64_t word = slot ? __atomic_load_n(&slot->word, __ATOMIC_RELAXED) : 0;

	while (slot) {
		int64_t counter = word & GOSYNC_WAITGROUP_COUNTER;
		int64_t now = counter + delta;
		int waits = word >> GOSYNC_WAITGROUP_WAITER_SHIFT != 0;

		if (now < 0 || now > (int64_t)GOSYNC_WAITGROUP_COUNTER ||
		    (waits && (!now || !counter)))
			break;
		if (__atomic_compare_exchange_n(&slot->word, &word,
						word - counter + now, 0,
						__ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return 0;
	}
	return __gosync_ioctl(wg, GOSYNC_IOC_WAITGROUP_ADD, &args);
}

static int wait_until(gosync_waitgroup_t *wg, uint64_t deadline,
		      unsigned int flags)
{
	struct gosync_waitgroup_wait_args args = {
		.size = sizeof(args),
		.flags = flags & ~GOSYNC_INTERRUPTIBLE,
		.deadline = deadline,
	};

	const struct gosync_waitgroup_slot *look = handle_of(wg)->look;

	/* G-A, pairs with gosync_waitgroup_add(). */
	if (look && !(__atomic_load_n(&look->word, __ATOMIC_SEQ_CST) &
		      GOSYNC_WAITGROUP_COUNTER))
		return 0;
	return __gosync_wait_ioctl(wg, GOSYNC_IOC_WAITGROUP_WAIT, &args, flags);
}

EXPORT int gosync_waitgroup_wait(gosync_waitgroup_t *wg)
{
	return wait_until(wg, GOSYNC_FOREVER, 0);
}

EXPORT int gosync_waitgroup_wait_until(gosync_waitgroup_t *wg,
				       uint64_t deadline, unsigned int flags)
{
	return flags & ~WAIT_FLAGS ? -EINVAL : wait_until(wg, deadline, flags);
}

EXPORT int gosync_waitgroup_count(gosync_waitgroup_t *wg)
{
	const struct gosync_waitgroup_slot *look = handle_of(wg)->look;

	return gosync_count_of(wg, look ? &look->word : NULL,
			       GOSYNC_WAITGROUP_COUNTER);
}

struct work {
	gosync_waitgroup_t *wg;
	void (*f)(void *arg);
	void *arg;
};

static void finish(struct work *work)
{
	gosync_waitgroup_done(work->wg);
}

static void *run(void *arg)
{
	struct work work CLEANUP(finish) = *(struct work *)arg;

	free(arg);
	work.f(work.arg);
	return NULL;
}

EXPORT int gosync_waitgroup_go(gosync_waitgroup_t *wg, void (*f)(void *arg),
			       void *arg)
{
	struct work *work = malloc(sizeof(*work));
	pthread_t thread;
	int ret;

	if (!work)
		return -ENOMEM;
	*work = (struct work){ .wg = wg, .f = f, .arg = arg };
	ret = gosync_waitgroup_add(wg, 1);
	if (!ret) {
		ret = -pthread_create(&thread, NULL, run, work);
		if (!ret) {
			pthread_detach(thread);
			return 0;
		}
		gosync_waitgroup_done(wg);
	}
	free(work);
	return ret;
}
