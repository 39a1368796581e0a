// SPDX-License-Identifier: GPL-2.0-only
/*
 * WaitGroups.
 *
 * add-done	one process adds 1 to the counter and takes it back. C11's two
 *		additions to a shared word could not tell anybody that the
 *		counter is 0.
 */
#include <errno.h>
#include <stdatomic.h>

#include "bench.h"
#include "gosync-user.h"

static gosync_waitgroup_t *waitgroup;
static _Atomic uint64_t *shared;

static int open_gosync(struct run *r)
{
	return gosync_waitgroup_open(r->name, GOSYNC_CREATE, 0600, &waitgroup);
}

static int open_gosync_ioctl(struct run *r)
{
	return gosync_waitgroup_open(r->name, GOSYNC_CREATE | GOSYNC_IOCTL_ONLY,
				     0600, &waitgroup);
}

static int create_shared(struct run *r)
{
	return bench_share(r, sizeof(*shared), true) ? 0 : errno;
}

static int open_shared(struct run *r)
{
	shared = bench_share(r, sizeof(*shared), false);
	return shared ? 0 : errno;
}

static void add_done_gosync(struct run *r)
{
	gosync_waitgroup_t *wg = waitgroup;

	BENCH_LOOP(r, 64,
		   failed |= gosync_waitgroup_add(wg, 1);
		   failed |= gosync_waitgroup_done(wg));
}

static void add_done_c11(struct run *r)
{
	_Atomic uint64_t *w = shared;

	BENCH_LOOP(r, 64,
		   atomic_fetch_add(w, 1);
		   atomic_fetch_add(w, -1));
}

#define WAITGROUP(impl_, x, ...)					\
	{ .op = "waitgroup", .kase = "add-done", .procs = 1, .ms = 100,	\
	  .counted = true, .impl = impl_, .run = add_done_##x, __VA_ARGS__ }

const struct bench waitgroup_benches[] = {
	WAITGROUP("gosync", gosync, .open = open_gosync),
	WAITGROUP("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	WAITGROUP("c11", c11, BENCH_SHARED(create_shared, open_shared)),
	{ }
};
