// SPDX-License-Identifier: GPL-2.0-only
/*
 * Onces.
 *
 * done		one process asks for what has been done already. C11's is what
 *		anybody would write for one process: a function that looks at a
 *		word (acquire) and branches.
 */
#include <errno.h>

#include "bench.h"
#include "gosync-user.h"

static gosync_once_t *once;
static uint32_t *shared;

static void do_it(void *arg, int died)
{
	(void)arg;
	(void)died;
}

static int open_gosync_with(struct run *r, unsigned int flags)
{
	int ret = gosync_once_open(r->name, GOSYNC_CREATE | flags, 0600, &once);

	return ret ?: gosync_once_do(once, do_it, NULL);
}

static int open_gosync(struct run *r)
{
	return open_gosync_with(r, 0);
}

static int open_gosync_ioctl(struct run *r)
{
	return open_gosync_with(r, GOSYNC_IOCTL_ONLY);
}

static int create_shared(struct run *r)
{
	uint32_t *done = bench_share(r, sizeof(*done), true);

	if (!done)
		return errno;
	*done = 1;
	return 0;
}

static int open_shared(struct run *r)
{
	shared = bench_share(r, sizeof(*shared), false);
	return shared ? 0 : errno;
}

static void done_gosync(struct run *r)
{
	gosync_once_t *o = once;

	BENCH_LOOP(r, 64, failed |= gosync_once_do(o, do_it, NULL));
}

static __attribute__((noinline)) void once_c11(uint32_t *done)
{
	if (__builtin_expect(!__atomic_load_n(done, __ATOMIC_ACQUIRE), 0)) {
		do_it(NULL, 0);
		__atomic_store_n(done, 1, __ATOMIC_RELEASE);
	}
}

static void done_c11(struct run *r)
{
	uint32_t *done = shared;

	BENCH_LOOP(r, 64, once_c11(done));
}

#define ONCE(impl_, x, ...)						\
	{ .op = "once", .kase = "done", .procs = 1, .ms = 100,		\
	  .counted = true, .impl = impl_, .run = done_##x, __VA_ARGS__ }

const struct bench once_benches[] = {
	ONCE("gosync", gosync, .open = open_gosync),
	ONCE("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	ONCE("c11", c11, BENCH_SHARED(create_shared, open_shared)),
	{ }
};
