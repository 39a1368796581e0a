// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting by epoll(7), level triggered, for semaphores or for eventfds that are
 * semaphores.
 *
 * ready	one process asks epoll, is told that there is a permit, takes it
 *		and gives it back.
 * pingpong	two processes take turns, each turn (one operation) a sleep in
 *		epoll_wait(2), an acquire that does not wait, and a release that
 *		wakes. Each has a semaphore of its own: it waits for that, and
 *		releases the other's.
 * pingpong-100	each has 100, and waits for all of them. Every turn is with the
 *		next one.
 *
 * The eventfds are made before the processes, which inherit them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "gosync-user.h"

#define PROCS	2
#define MANY	100

union waitable {
	gosync_semaphore_t *gosync;
	int fd;
};

/* This process's, and the other's; the first one of all has a permit at first */
static union waitable ours[MANY], theirs[MANY];
static int epoll;

/* --- The implementations -------------------------------------------------- */

BENCH_CALL(acquire_gosync, waitable, gosync, gosync_semaphore_tryacquire, 1)
BENCH_CALL(release_gosync, waitable, gosync, gosync_semaphore_release, 1)
BENCH_CALL(fd_gosync, waitable, gosync, gosync_fd)

static inline int acquire_eventfd(union waitable w)
{
	eventfd_t value;

	return eventfd_read(w.fd, &value);
}

BENCH_CALL(release_eventfd, waitable, fd, eventfd_write, 1)

static inline int fd_eventfd(union waitable w)
{
	return w.fd;
}

/* Return: the one that is readable, or NULL */
static inline union waitable *poll_one(void)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, -1) == 1 ? event.data.ptr : NULL;
}

/* --- Where they meet ------------------------------------------------------ */

static unsigned int each_has(const struct run *r)
{
	return strcmp(r->bench->kase, "pingpong-100") ? 1 : MANY;
}

static int watch(union waitable *w, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = w };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? errno : 0;
}

static int open_gosync_with(struct run *r, unsigned int flags)
{
	union waitable *all[PROCS] = { ours, theirs };
	unsigned int n = each_has(r);
	char name[64];
	int ret = 0;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned int i = 0; i < PROCS * n && !ret; i++) {
		union waitable *w = &all[i / n ^ r->me][i % n];

		snprintf(name, sizeof(name), "%s.%u", r->name, i);
		ret = gosync_semaphore_open(name, !i, GOSYNC_CREATE | flags,
					    0600, &w->gosync);
		if (!ret && i / n == r->me)
			ret = watch(w, gosync_fd(w->gosync));
	}
	return ret;
}

static int open_gosync(struct run *r)
{
	return open_gosync_with(r, 0);
}

static int open_gosync_ioctl(struct run *r)
{
	return open_gosync_with(r, GOSYNC_IOCTL_ONLY);
}

static int create_eventfds(struct run *r)
{
	int *fds = bench_share(r, PROCS * MANY * sizeof(*fds), true);

	if (!fds)
		return errno;
	for (unsigned int i = 0; i < PROCS * each_has(r); i++) {
		fds[i] = eventfd(!i, EFD_SEMAPHORE | EFD_NONBLOCK);
		if (fds[i] < 0)
			return errno;
	}
	return 0;
}

static int open_eventfds(struct run *r)
{
	int *fds = bench_share(r, PROCS * MANY * sizeof(*fds), false);
	union waitable *all[PROCS] = { ours, theirs };
	unsigned int n = each_has(r);
	int ret = 0;

	if (!fds)
		return errno;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned int i = 0; i < PROCS * n && !ret; i++) {
		union waitable *w = &all[i / n ^ r->me][i % n];

		w->fd = fds[i];
		if (i / n == r->me)
			ret = watch(w, w->fd);
	}
	return ret;
}

static void destroy_eventfds(struct run *r)
{
	int *fds = bench_share(r, PROCS * MANY * sizeof(*fds), false);

	for (unsigned int i = 0; fds && i < PROCS * each_has(r); i++)
		close(fds[i]);
	bench_unshare(r);
}

/* --- The cases ------------------------------------------------------------ */

/* Whether it is this process's turn, between rounds, and with which one */
static bool mine;
static unsigned int next;

#define CASES(x)							\
static int await_##x(void)						\
{									\
	union waitable *w = poll_one();					\
									\
	return !w || acquire_##x(*w);					\
}									\
									\
static void ready_##x(struct run *r)					\
{									\
	BENCH_LOOP(r, 16,						\
		   failed |= await_##x();				\
		   failed |= release_##x(ours[0]));			\
}									\
									\
static void pingpong_##x(struct run *r)					\
{									\
	unsigned int n = each_has(r);					\
									\
	BENCH_TURNS(r, mine,						\
		    failed |= await_##x(),				\
		    failed |= release_##x(theirs[next]);		\
		    next = (next + 1) % n);				\
}									\
									\
/* The next processes begin as these did. */				\
static void leave_##x(struct run *r)					\
{									\
	if (mine)							\
		release_##x(*(r->me ? theirs : ours));			\
}

CASES(gosync)
CASES(eventfd)

#define POLL(impl_, x, ...)						\
	{ .op = "poll", .kase = "ready", .procs = 1, .ms = 100,		\
	  .counted = true, .impl = impl_, .run = ready_##x, __VA_ARGS__ }, \
	{ .op = "poll", .kase = "pingpong", .procs = PROCS, .ms = 200,	\
	  .impl = impl_, .run = pingpong_##x, .leave = leave_##x,	\
	  __VA_ARGS__ },						\
	{ .op = "poll", .kase = "pingpong-100", .procs = PROCS,		\
	  .ms = 200, .impl = impl_, .run = pingpong_##x,		\
	  .leave = leave_##x, __VA_ARGS__ }

const struct bench poll_benches[] = {
	POLL("gosync", gosync, .open = open_gosync),
	POLL("gosync-ioctl", gosync, .open = open_gosync_ioctl),
	POLL("eventfd", eventfd, .create = create_eventfds,
	     .open = open_eventfds, .destroy = destroy_eventfds),
	{ }
};
