// SPDX-License-Identifier: GPL-2.0-only
/*
 * Atomic words, and the null ioctl.
 *
 * add		one process adds 1 to a 64-bit word
 * add-2procs	two processes add to the same word
 * pingpong	two processes take turns, as a word says whose it is: store,
 *		wake the other, wait for the word to change. The futex always
 *		calls FUTEX_WAKE; gosync knows when nobody sleeps.
 * null		an ioctl of /dev/gosync that does nothing: the price of the
 *		system call itself
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "gosync-user.h"

static gosync_uint64_t *word;
static gosync_uint32_t *word32;
static _Atomic uint64_t *shared;
static uint32_t *futex;
static int device;

static int open_gosync_with(struct run *r, unsigned int flags)
{
	char name[64];
	int ret;

	ret = gosync_uint64_open(r->name, 1, GOSYNC_CREATE | flags, 0600,
				 &word);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "%s.word32", r->name);
	return gosync_uint32_open(name, 1, GOSYNC_CREATE | flags, 0600,
				  &word32);
}

static int open_gosync(struct run *r)
{
	return open_gosync_with(r, 0);
}

static int open_gosync_ioctl(struct run *r)
{
	return open_gosync_with(r, GOSYNC_IOCTL_ONLY);
}

static int share(struct run *r, bool create)
{
	shared = bench_share(r, sizeof(*shared), create);
	futex = (uint32_t *)shared;
	return shared ? 0 : errno;
}

static int create_shared(struct run *r)
{
	return share(r, true);
}

static int open_shared(struct run *r)
{
	return share(r, false);
}

static int open_device(struct run *r)
{
	(void)r;
	device = open(GOSYNC_DEVICE, O_RDWR | O_CLOEXEC);
	return device < 0 ? errno : 0;
}

static void add_gosync(struct run *r)
{
	gosync_uint64_t *w = word;

	BENCH_LOOP(r, 64, failed |= gosync_uint64_add(w, 0, 1, NULL));
}

static void add_c11(struct run *r)
{
	_Atomic uint64_t *w = shared;

	BENCH_LOOP(r, 64, atomic_fetch_add(w, 1));
}

static void null_ioctl(struct run *r)
{
	int fd = device;

	BENCH_LOOP(r, 64, failed |= ioctl(fd, GOSYNC_IOC_VERSION, 0) !=
		   GOSYNC_ABI_VERSION);
}

static inline int give_gosync(uint32_t who)
{
	return gosync_uint32_store(word32, 0, who) |
		(gosync_uint32_wake(word32, 0, 1) < 0);
}

static inline int await_gosync(uint32_t who)
{
	uint32_t now = 0;
	int ret = 0;

	while (!ret && (ret = gosync_uint32_load(word32, 0, &now)) == 0 &&
	       now != who)
		ret = gosync_uint32_wait(word32, 0, now, GOSYNC_FOREVER, 0,
					 NULL);
	return ret;
}

static inline int give_futex(uint32_t who)
{
	__atomic_store_n(futex, who, __ATOMIC_SEQ_CST);
	return syscall(SYS_futex, futex, FUTEX_WAKE, 1) < 0;
}

static inline int await_futex(uint32_t who)
{
	uint32_t now;

	while ((now = __atomic_load_n(futex, __ATOMIC_SEQ_CST)) != who)
		syscall(SYS_futex, futex, FUTEX_WAIT, now, NULL);
	return 0;
}

#define PINGPONG(x)							\
static void pingpong_##x(struct run *r)					\
{									\
	uint32_t me = r->me;						\
	uint64_t ops = 0;						\
	bool last = false;						\
	int failed = 0;							\
									\
	bench_begin(r);							\
	while (!failed) {						\
		failed |= await_##x(me);				\
		ops++;							\
		if (bench_last(r))					\
			break;						\
		last = bench_stopped(r);				\
		if (last)						\
			bench_set_last(r);				\
		failed |= give_##x(!me);				\
		if (last)						\
			break;						\
	}								\
	bench_end(r, ops, failed);					\
}

PINGPONG(gosync)
PINGPONG(futex)

#define ATOMIC(impl_, x, ...)						\
	{ .op = "atomic", .kase = "add", .procs = 1, .ms = 100,		\
	  .counted = true, .impl = impl_, .run = add_##x, __VA_ARGS__ },	\
	{ .op = "atomic", .kase = "add-2procs", .procs = 2, .ms = 100,	\
	  .impl = impl_, .run = add_##x, __VA_ARGS__ }

#define TURNS(impl_, x, ...)						\
	{ .op = "atomic", .kase = "pingpong", .procs = 2, .ms = 200,	\
	  .impl = impl_, .run = pingpong_##x, __VA_ARGS__ }

const struct bench atomic_benches[] = {
	ATOMIC("gosync", gosync, .open = open_gosync),
	ATOMIC("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	ATOMIC("c11", c11, BENCH_SHARED(create_shared, open_shared)),
	TURNS("gosync", gosync, .open = open_gosync),
	TURNS("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	TURNS("futex", futex, BENCH_SHARED(create_shared, open_shared)),
	{ .op = "ioctl", .kase = "null", .impl = "ioctl", .procs = 1, .ms = 100,
	  .counted = true, .open = open_device, .run = null_ioctl },
	{ }
};
