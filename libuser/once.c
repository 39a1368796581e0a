// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Once: the library looks whether it has been done. The kernel does everything
 * else.
 */
#include <errno.h>

#include "internal.h"

static void set_up(gosync_once_t *once, const struct gosync_info *info)
{
	set_state(&once->at, once, state_of(once, info, 0));
}

DEFINE_KIND(once, gosync_once_t, 0, 0, set_up);
DEFINE_OPEN(once, GOSYNC_ONCE)

static inline int looks_done(gosync_once_t *once)
{
	const struct gosync_once_slot *slot = (void *)GOSYNC__STATE(once);

	return !!(__atomic_load_n(&slot->word, __ATOMIC_ACQUIRE) &
		  GOSYNC_ONCE_IS_DONE);
}

/* Begin or wait. Both return 0 if it has been done. */
static int look_or_ask(gosync_once_t *once, unsigned int op, uint64_t deadline,
		       unsigned int flags)
{
	if (looks_done(once))
		return GOSYNC_ONCE_DONE;
	return ask_until(once, op, deadline, flags);
}

EXPORT int gosync_once_begin(gosync_once_t *once)
{
	return look_or_ask(once, GOSYNC_IOC_ONCE_BEGIN, GOSYNC_FOREVER, 0);
}

EXPORT int gosync_once_begin_until(gosync_once_t *once, uint64_t deadline,
				   unsigned int flags)
{
	return flags & ~WAIT_FLAGS ? -EINVAL :
	       look_or_ask(once, GOSYNC_IOC_ONCE_BEGIN, deadline, flags);
}

EXPORT int gosync_once_begin_cancel(gosync_once_t *once, uint64_t deadline,
				    unsigned int flags, int cancel)
{
	struct gosync_once_begin_args args = {
		.size = sizeof(args),
		.flags = (flags & ~GOSYNC_INTERRUPTIBLE) | GOSYNC_CANCELABLE,
		.deadline = deadline,
		.cancel = cancel,
	};

	if (flags & ~WAIT_FLAGS)
		return -EINVAL;
	if (looks_done(once))
		return GOSYNC_ONCE_DONE;
	return __gosync_wait_ioctl(once, GOSYNC_IOC_ONCE_BEGIN, &args, flags);
}

EXPORT int gosync_once_wait(gosync_once_t *once)
{
	return look_or_ask(once, GOSYNC_IOC_ONCE_WAIT, GOSYNC_FOREVER, 0);
}

EXPORT int gosync_once_wait_until(gosync_once_t *once, uint64_t deadline,
				  unsigned int flags)
{
	return flags & ~WAIT_FLAGS ? -EINVAL :
	       look_or_ask(once, GOSYNC_IOC_ONCE_WAIT, deadline, flags);
}

EXPORT int gosync_once_done(gosync_once_t *once)
{
	return __gosync_ioctl(once, GOSYNC_IOC_ONCE_DONE, NULL);
}

EXPORT int gosync_once_abandon(gosync_once_t *once)
{
	return __gosync_ioctl(once, GOSYNC_IOC_ONCE_ABANDON, NULL);
}

/* A Once that we run; @counts: it is done even if its function is left */
struct running {
	gosync_once_t *once;
	int counts;
};

/* At the end of run(): @once is not NULL if the function was left */
static void leave(struct running *running)
{
	if (!running->once)
		return;
	if (running->counts)
		gosync_once_done(running->once);
	else
		gosync_once_abandon(running->once);
}

static int run(gosync_once_t *once, void (*f)(void *arg, int died), void *arg,
	       int counts)
{
	struct running running CLEANUP(leave) = { .counts = counts };
	int ret = gosync_once_begin(once);

	if (ret != GOSYNC_ONCE_RUN && ret != GOSYNC_ONCE_RUN_AGAIN)
		return ret;
	running.once = once;
	f(arg, ret == GOSYNC_ONCE_RUN_AGAIN);
	running.once = NULL;
	return gosync_once_done(once);
}

EXPORT int gosync_once_do_slow(gosync_once_t *once,
			       void (*f)(void *arg, int died), void *arg)
{
	return run(once, f, arg, 0);
}

EXPORT int gosync_once_do_anyway(gosync_once_t *once,
				 void (*f)(void *arg, int died), void *arg)
{
	return run(once, f, arg, 1);
}

EXPORT int gosync_once_is_done(gosync_once_t *once)
{
	struct gosync_info info;
	int ret;

	if (gosync_is_mapped(once))
		return looks_done(once);
	ret = gosync_info(once, &info);
	return ret ? ret : !!(info.word & GOSYNC_ONCE_IS_DONE);
}
