/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of poll(2) share: each kind of object with what makes it ready
 * and not ready, the ways to ask whether it is, and watching.
 */
#ifndef GOSYNC_TEST_POLL_H
#define GOSYNC_TEST_POLL_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include "gosync_test.h"

#define TYPE		0x1234
#define PERMITS		3
#define WORDS		16
#define INDEX		5

/* Longer than any test, so that its end is a failure; shorter than theirs */
#define LONG_MS		(WATCHDOG / 2 * 1000)

/* --- what can be polled -------------------------------------------------- */

/*
 * A way for an object to be ready or not. @off makes it not so, @on makes it
 * so. Without @off it is WATCH that does, which is told what is there @now, or
 * @value; a Once alone is never as before.
 */
struct kind {
	int (*open)(const char *name, unsigned int flags, void **object);
	int (*off)(void *object);
	int (*on)(void *object);
	uint64_t (*now)(int fd);
	uint64_t value;
	uint32_t index;
	uint32_t events;
	bool watches;		/* needs WATCH */
	bool places;		/* ... before @on */
	bool fast;		/* @off and @on need no system call */
};

static inline int watch_fd(int fd, uint32_t flags, uint32_t index, uint64_t value)
{
	struct gosync_watch_args args = {
		.size = sizeof(args), .flags = flags, .index = index,
		.value = value,
	};

	return call(fd, GOSYNC_IOC_WATCH, &args);
}

static inline uint64_t seen(const struct kind *kind, int fd)
{
	return kind->now ? kind->now(fd) : kind->value;
}

static inline int watch(const struct kind *kind, int fd)
{
	if (!kind->watches)
		return 0;
	return watch_fd(fd, 0, kind->index, seen(kind, fd));
}

static inline uint64_t word_now(int fd)
{
	return info_of(fd).word;
}

static inline uint64_t indexed_now(int fd)
{
	struct gosync_atomic_args args = { .size = sizeof(args), .index = INDEX };

	call(fd, GOSYNC_IOC_ATOMIC_LOAD, &args);
	return args.result;
}

static inline uint64_t map_now(int fd)
{
	struct gosync_version_wait_args args = { .size = sizeof(args) };

	call(fd, GOSYNC_IOC_MAP_WAIT, &args);
	return args.version;
}

/* Each time another one */
static unsigned int news;

#define OPEN(name, call)						\
static inline int open_##name(const char *name, unsigned int flags, void **object) \
{									\
	return call;							\
}

#define DO(what, call)							\
static inline int what(void *object)						\
{									\
	return call;							\
}

OPEN(mutex, gosync_mutex_open(mutex, flags, 0600, (void *)object))
OPEN(rwmutex, gosync_rwmutex_open(rwmutex, flags, 0600, (void *)object))
OPEN(semaphore, gosync_semaphore_open(semaphore, 1, flags, 0600,
				      (void *)object))
OPEN(permits, gosync_semaphore_open(permits, PERMITS, flags, 0600,
				    (void *)object))
OPEN(waitgroup, gosync_waitgroup_open(waitgroup, flags, 0600, (void *)object))
OPEN(once, gosync_once_open(once, flags, 0600, (void *)object))
OPEN(value, gosync_value_open(value, 64, flags, 0600, (void *)object))
OPEN(map, gosync_map_open(map, NULL, flags, 0600, (void *)object))
OPEN(word, gosync_int32_open(word, 1, flags, 0600, (void *)object))
OPEN(words, gosync_uint64_open(words, WORDS, flags, 0600, (void *)object))
OPEN(cond, gosync_cond_open(cond, flags, 0600, (void *)object))

DO(lock, gosync_mutex_lock(object))
DO(unlock, gosync_mutex_unlock(object))
DO(rw_lock, gosync_rwmutex_lock(object))
DO(rw_unlock, gosync_rwmutex_unlock(object))
DO(rlock, gosync_rwmutex_rlock(object))
DO(runlock, gosync_rwmutex_runlock(object))
DO(acquire, gosync_semaphore_acquire(object, 1))
DO(release, gosync_semaphore_release(object, 1))
DO(add_one, gosync_waitgroup_add(object, 1))
DO(take_one, gosync_waitgroup_done(object))
DO(run_once, gosync_once_begin(object) < 0 ? -1 : gosync_once_done(object))
DO(store_value, gosync_value_store(object, TYPE, (news++, &news), sizeof(news)))
DO(store_entry, gosync_map_store(object, "key", 3, (news++, &news),
				 sizeof(news)))
DO(change_word, gosync_int32_add(object, 0, 1, NULL) ?:
	gosync_int32_wake(object, 0, UINT32_MAX))
DO(change_words, gosync_uint64_add(object, INDEX, 1, NULL) ?:
	gosync_uint64_wake(object, INDEX, UINT32_MAX))
DO(tell_all, gosync_cond_broadcast(object))

static const struct kind mutex = {
	.open = open_mutex, .off = lock, .on = unlock, .events = POLLIN,
	.fast = true,
};

/* Who wants to read, while somebody writes */
static const struct kind reader = {
	.open = open_rwmutex, .off = rw_lock, .on = rw_unlock,
	.events = POLLIN, .fast = true,
};

static const struct kind writer = {
	.open = open_rwmutex, .off = rw_lock, .on = rw_unlock,
	.events = POLLOUT, .fast = true,
};

/* Who wants to write, while somebody reads */
static const struct kind writer_of_read = {
	.open = open_rwmutex, .off = rlock, .on = runlock, .events = POLLOUT,
	.fast = true,
};

static const struct kind semaphore = {
	.open = open_semaphore, .off = acquire, .on = release,
	.events = POLLIN, .fast = true,
};

static const struct kind permits = {
	.open = open_permits, .off = acquire, .on = release,
	.watches = true, .value = PERMITS, .events = POLLIN, .fast = true,
};

static const struct kind waitgroup = {
	.open = open_waitgroup, .off = add_one, .on = take_one,
	.events = POLLIN, .fast = true,
};

static const struct kind once = {
	.open = open_once, .on = run_once, .events = POLLIN,
};

static const struct kind value = {
	.open = open_value, .on = store_value, .watches = true,
	.now = word_now, .events = POLLIN,
};

static const struct kind map = {
	.open = open_map, .on = store_entry, .watches = true, .now = map_now,
	.events = POLLIN,
};

static const struct kind word = {
	.open = open_word, .on = change_word, .watches = true,
	.now = word_now, .events = POLLIN, .fast = true,
};

static const struct kind words = {
	.open = open_words, .on = change_words, .watches = true,
	.now = indexed_now, .index = INDEX, .events = POLLIN, .fast = true,
};

static const struct kind cond = {
	.open = open_cond, .on = tell_all, .watches = true, .places = true,
	.events = POLLIN, .fast = true,
};

/* Objects that can be mapped, and that cannot */
#define WITH_AND_WITHOUT_MMAP(fixture)					\
	NO_TEARDOWN(fixture);						\
	FIXTURE_VARIANT(fixture) { unsigned int flags; };		\
	FIXTURE_VARIANT_ADD(fixture, mapped) { .flags = 0 };		\
	FIXTURE_VARIANT_ADD(fixture, ioctl) { .flags = GOSYNC_NO_MMAP }

#define ON_AND_OFF(fixture, name)					\
	FIXTURE_VARIANT_ADD(fixture, name) { .kind = &name };		\
	FIXTURE_VARIANT_ADD(fixture, name##_ioctl) {			\
		.kind = &name, .flags = GOSYNC_NO_MMAP,			\
	}

#define ALL_THAT_COME_AGAIN(fixture)					\
	ON_AND_OFF(fixture, mutex);					\
	ON_AND_OFF(fixture, reader);					\
	ON_AND_OFF(fixture, writer);					\
	ON_AND_OFF(fixture, writer_of_read);				\
	ON_AND_OFF(fixture, semaphore);					\
	ON_AND_OFF(fixture, permits);					\
	ON_AND_OFF(fixture, waitgroup);					\
	ON_AND_OFF(fixture, value);					\
	ON_AND_OFF(fixture, map);					\
	ON_AND_OFF(fixture, word);					\
	ON_AND_OFF(fixture, words);					\
	ON_AND_OFF(fixture, cond)

static inline bool comes_again(const struct kind *kind)
{
	return kind->off || kind->watches;
}

/* --- ways to ask --------------------------------------------------------- */

enum way { POLL, SELECT, LEVEL, EDGE, WAYS };

static inline int by_poll(int fd, uint32_t events, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	int ret = poll(&pollfd, 1, ms);

	if (ret < 0)
		return -errno;
	return ret ? pollfd.revents : 0;
}

static inline int by_select(int fd, uint32_t events, int ms)
{
	struct timeval timeout = { ms / 1000, ms % 1000 * 1000 };
	fd_set fds;
	int ret;

	FD_ZERO(&fds);
	FD_SET(fd, &fds);
	ret = select(fd + 1, events & POLLIN ? &fds : NULL,
		     events & POLLOUT ? &fds : NULL, NULL, &timeout);
	if (ret < 0)
		return -errno;
	return ret ? events : 0;
}

/* An epoll set of one; the data is the descriptor. */
static inline int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	int set = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	return set;
}

static inline int wait_set(int set, int ms)
{
	struct epoll_event event;
	int ret = epoll_wait(set, &event, 1, ms);

	if (ret < 0)
		return -errno;
	return ret ? event.events : 0;
}

static inline int rearm(int set, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) ? -errno : 0;
}

/* The events that came, 0 if none did for so long, or -errno */
static inline int ask(enum way way, int fd, uint32_t events, int ms)
{
	int set, ret;

	if (way == POLL)
		return by_poll(fd, events, ms);
	if (way == SELECT)
		return by_select(fd, events, ms);
	set = epoll_of(fd, events | (way == EDGE ? EPOLLET : 0));
	ret = wait_set(set, ms);
	close(set);
	return ret;
}

/* A child that sleeps until it is ready; it exits with 0 if that is all right. */
static inline pid_t spawn_asker(enum way way, int fd, uint32_t events)
{
	pid_t pid = CHILD(ask(way, fd, events, LONG_MS) != events);

	MUST(eventually(is_asleep(pid)));
	return pid;
}

/* Says so when it is ready; its set is still there then. */
static inline pid_t spawn_exclusive(int fd, uint32_t events, unsigned int *woken)
{
	pid_t pid = spawn();

	if (!pid) {
		int set = epoll_of(fd, events | EPOLLEXCLUSIVE);

		if (wait_set(set, LONG_MS) != events)
			_exit(1);
		add(woken, 1);
		for (;;)
			pause();
	}
	MUST(eventually(is_asleep(pid)));
	return pid;
}

#define READY(fd)	(by_poll(fd, POLLIN, 0) == POLLIN)
#define WRITABLE(fd)	(by_poll(fd, POLLOUT, 0) == POLLOUT)

static inline int create(uint32_t type, uint64_t capacity, uint32_t flags)
{
	return open_bytes(type, NULL, 0, GOSYNC_CREATE | flags, 0600, capacity);
}

static inline int stop_watching(int fd)
{
	return watch_fd(fd, GOSYNC_WATCH_STOP, 0, 0);
}

/* --- races ----------------------------------------------------------------- */

static inline void dither(uint64_t *seed)
{
	uint32_t r = random_u32(seed);

	if (r % 4 == 0)
		sched_yield();
	else
		for (r = r / 4 % 2000; r; r--)
			__asm__ volatile("" ::: "memory");
}

/* Wait a little. Who is waited for may need this processor. */
static inline void pass_time(unsigned int *turns)
{
	if (++*turns % 128 == 0)
		sleep_ns(10 * NSEC_PER_USEC);
}

/* Return: false when it never is */
static inline bool reaches(unsigned int *count, unsigned int wanted)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + WATCHDOG / 2 * NSEC_PER_SEC;
	unsigned int turns = 0;

	while (load(count) < wanted) {
		if (turns % 1024 == 1023 && now_ns(CLOCK_MONOTONIC) > end)
			return false;
		pass_time(&turns);
	}
	return true;
}

#endif /* GOSYNC_TEST_POLL_H */
