// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(2), select(2) and epoll(7): an object is ready while a try would get
 * something, and nobody who sleeps for that sleeps through it.
 */
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

static int watch_fd(int fd, uint32_t flags, uint32_t index, uint64_t value)
{
	struct gosync_watch_args args = {
		.size = sizeof(args), .flags = flags, .index = index,
		.value = value,
	};

	return call(fd, GOSYNC_IOC_WATCH, &args);
}

static uint64_t seen(const struct kind *kind, int fd)
{
	return kind->now ? kind->now(fd) : kind->value;
}

static int watch(const struct kind *kind, int fd)
{
	if (!kind->watches)
		return 0;
	return watch_fd(fd, 0, kind->index, seen(kind, fd));
}

static uint64_t word_now(int fd)
{
	return info_of(fd).word;
}

static uint64_t indexed_now(int fd)
{
	struct gosync_atomic_args args = { .size = sizeof(args), .index = INDEX };

	call(fd, GOSYNC_IOC_ATOMIC_LOAD, &args);
	return args.result;
}

static uint64_t map_now(int fd)
{
	struct gosync_version_wait_args args = { .size = sizeof(args) };

	call(fd, GOSYNC_IOC_MAP_WAIT, &args);
	return args.version;
}

/* Each time another one */
static unsigned int news;

#define OPEN(name, call)						\
static int open_##name(const char *name, unsigned int flags, void **object) \
{									\
	return call;							\
}

#define DO(what, call)							\
static int what(void *object)						\
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

static bool comes_again(const struct kind *kind)
{
	return kind->off || kind->watches;
}

/* --- ways to ask --------------------------------------------------------- */

enum way { POLL, SELECT, LEVEL, EDGE, WAYS };

static int by_poll(int fd, uint32_t events, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	int ret = poll(&pollfd, 1, ms);

	if (ret < 0)
		return -errno;
	return ret ? pollfd.revents : 0;
}

static int by_select(int fd, uint32_t events, int ms)
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
static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	int set = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	return set;
}

static int wait_set(int set, int ms)
{
	struct epoll_event event;
	int ret = epoll_wait(set, &event, 1, ms);

	if (ret < 0)
		return -errno;
	return ret ? event.events : 0;
}

static int rearm(int set, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) ? -errno : 0;
}

/* The events that came, 0 if none did for so long, or -errno */
static int ask(enum way way, int fd, uint32_t events, int ms)
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

/* Does the thread sleep, or has it ended? */
static bool is_asleep(pid_t tid)
{
	char path[64], text[512];
	const char *comm_end;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (read_file(path, text, sizeof(text)))
		return true;
	comm_end = strrchr(text, ')');
	return comm_end && (comm_end[2] == 'S' || comm_end[2] == 'Z');
}

/* A child that sleeps until it is ready; it exits with 0 if that is all right. */
static pid_t spawn_asker(enum way way, int fd, uint32_t events)
{
	pid_t pid = spawn();

	if (!pid)
		_exit(ask(way, fd, events, LONG_MS) != events);
	return eventually(is_asleep(pid)) ? pid : -1;
}

/* --- each kind ----------------------------------------------------------- */

FIXTURE(poll)
{
	char *name;
	void *object;			/* on which things are done */
	int fd;				/* of who watches */
	uint32_t events;
	unsigned int *shared;
};

FIXTURE_VARIANT(poll)
{
	const struct kind *kind;
	unsigned int flags;
};

ALL_THAT_COME_AGAIN(poll);
ON_AND_OFF(poll, once);

FIXTURE_SETUP(poll)
{
	self->name = unique_name();
	ASSERT_EQ(0, variant->kind->open(self->name, GOSYNC_CREATE |
					 variant->flags, &self->object));
	ASSERT_EQ(!variant->flags, gosync_is_mapped(self->object));
	self->fd = open_object(0, self->name, 0, 0);
	ASSERT_LE(0, self->fd);
	self->events = variant->kind->events;
	self->shared = shared_memory(4096);
}

FIXTURE_TEARDOWN(poll)
{
}

/* There is nothing, as far as who watches @fd sees. */
static int off(void *object, const struct kind *kind, int fd)
{
	int ret = kind->off ? kind->off(object) : 0;

	return ret < 0 ? ret : watch(kind, fd);
}

#define OFF(fd)	EXPECT_EQ(0, off(self->object, variant->kind, fd))
#define ON()	EXPECT_LE(0, variant->kind->on(self->object))
#define ASK(way, ms)	ask(way, self->fd, self->events, ms)

TEST_F(poll, is_ready_while_there_is_something)
{
	enum way way;
	int round;

	for (round = 0; round < 3; round++) {
		OFF(self->fd);
		for (way = 0; way < WAYS; way++)
			EXPECT_EQ(0, ASK(way, 0));
		ON();
		for (way = 0; way < WAYS; way++) {
			EXPECT_EQ(self->events, ASK(way, 0));
			EXPECT_EQ(self->events, ASK(way, LONG_MS));
		}
		if (!comes_again(variant->kind))
			break;
	}
}

TEST_F(poll, nothing_else_is_told)
{
	const uint32_t all = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;
	const struct kind *kind = variant->kind;
	bool is_rwmutex = kind->open == open_rwmutex;

	OFF(self->fd);
	EXPECT_EQ(kind == &writer_of_read ? POLLIN : 0,
		  by_poll(self->fd, all, 0));
	EXPECT_EQ(0, by_poll(self->fd, POLLPRI, 1));
	ON();
	EXPECT_EQ(is_rwmutex ? POLLIN | POLLOUT : POLLIN,
		  by_poll(self->fd, all, 0));
	EXPECT_EQ(0, by_poll(self->fd, POLLPRI, 1));
}

TEST_F(poll, wakes_all_who_sleep)
{
	pid_t pids[2 * WAYS];
	int i;

	OFF(self->fd);
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = spawn_asker(i % WAYS, self->fd, self->events);
		ASSERT_LT(0, pids[i]);
	}
	ON();
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		EXPECT_EQ(0, reap_soon(pids[i]));
}

TEST_F(poll, times_out)
{
	uint64_t before;
	enum way way;

	OFF(self->fd);
	for (way = 0; way < WAYS; way++) {
		before = now_ns(CLOCK_MONOTONIC);
		EXPECT_EQ(0, ASK(way, 30));
		EXPECT_LE(before + 30 * NSEC_PER_MSEC, now_ns(CLOCK_MONOTONIC));
	}
	ON();
	EXPECT_EQ(self->events, ASK(POLL, LONG_MS));
}

/* As it is with any file, whatever SA_RESTART says */
TEST_F(poll, a_signal_ends_it)
{
	pid_t pids[WAYS];
	enum way way;

	OFF(self->fd);
	for (way = 0; way < WAYS; way++) {
		pids[way] = spawn();
		if (!pids[way]) {
			handle(count_signal, way % 2 ? SA_RESTART : 0);
			add(self->shared, 1);
			_exit(ASK(way, LONG_MS) != -EINTR);
		}
		ASSERT_TRUE(eventually(load(self->shared) == way + 1 &&
				       is_asleep(pids[way])));
	}
	for (way = 0; way < WAYS; way++)
		kill(pids[way], SIGUSR1);
	for (way = 0; way < WAYS; way++)
		EXPECT_EQ(0, reap_soon(pids[way]));
	EXPECT_EQ(0, ASK(POLL, 0));
	ON();
	EXPECT_EQ(self->events, ASK(POLL, LONG_MS));
}

struct in_thread {
	int fd;
	uint32_t events;
	pid_t tid;
	int ret;
};

static void *ask_in_thread(void *arg)
{
	struct in_thread *in_thread = arg;

	store(&in_thread->tid, syscall(SYS_gettid));
	in_thread->ret = ask(POLL, in_thread->fd, in_thread->events, LONG_MS);
	return NULL;
}

/* It is told either that it is so or that there is no such descriptor. */
TEST_F(poll, wakes_who_sleeps_on_a_descriptor_that_was_closed)
{
	struct in_thread in_thread = {
		.fd = reopen_object(self->fd, 0), .events = self->events,
	};
	pthread_t thread;

	OFF(in_thread.fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, ask_in_thread, &in_thread));
	ASSERT_TRUE(eventually(load(&in_thread.tid) &&
			       is_asleep(in_thread.tid)));
	close(in_thread.fd);
	ON();
	EXPECT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(in_thread.ret == self->events || in_thread.ret == POLLNVAL);
	EXPECT_EQ(2, info_of(self->fd).holders);
}

/* --- epoll --------------------------------------------------------------- */

TEST_F(poll, a_level_lasts_and_an_edge_does_not)
{
	int level = epoll_of(self->fd, self->events);
	int edge = epoll_of(self->fd, self->events | EPOLLET);
	int round;

	for (round = 0; round < 3; round++) {
		OFF(self->fd);
		EXPECT_EQ(0, wait_set(level, 0));
		EXPECT_EQ(0, wait_set(edge, 0));
		ON();
		EXPECT_EQ(self->events, wait_set(edge, LONG_MS));
		EXPECT_EQ(0, wait_set(edge, 1));
		EXPECT_EQ(self->events, wait_set(level, LONG_MS));
		EXPECT_EQ(self->events, wait_set(level, LONG_MS));
		/* Who begins to look sees what is there. */
		EXPECT_EQ(0, rearm(edge, self->fd, self->events | EPOLLET));
		EXPECT_EQ(self->events, wait_set(edge, LONG_MS));
		EXPECT_EQ(0, wait_set(edge, 1));
		if (!comes_again(variant->kind))
			break;
	}
}

TEST_F(poll, each_of_several_sets_sees_each_edge)
{
	enum { SETS = 12 };
	int fds[SETS], sets[SETS], outer, i, round;

	/* Some of the same descriptor, some of its copy, some of others */
	for (i = 0; i < SETS; i++) {
		fds[i] = i % 3 == 0 ? self->fd : i % 3 == 1 ? dup(self->fd) :
			 reopen_object(self->fd, 0);
		ASSERT_LE(0, fds[i]);
	}
	for (round = 0; round < 3; round++) {
		if (variant->kind->off)
			EXPECT_LE(0, variant->kind->off(self->object));
		for (i = 0; i < SETS; i++)
			if (i == 0 || i % 3 == 2)
				EXPECT_EQ(0, watch(variant->kind, fds[i]));
		for (i = 0; i < SETS && !round; i++) {
			sets[i] = epoll_of(fds[i], self->events | EPOLLET);
			ASSERT_LE(0, sets[i]);
		}
		if (!round)
			outer = epoll_of(sets[SETS - 1], EPOLLIN | EPOLLET);
		EXPECT_EQ(0, wait_set(outer, 0));
		ON();
		EXPECT_EQ(POLLIN, wait_set(outer, LONG_MS));
		for (i = 0; i < SETS; i++) {
			EXPECT_EQ(self->events, wait_set(sets[i], LONG_MS));
			EXPECT_EQ(0, wait_set(sets[i], 0));
		}
		if (!comes_again(variant->kind))
			break;
	}
}

/* Says so when it is ready; its set is still there then. */
static pid_t spawn_exclusive(int fd, uint32_t events, unsigned int *woken)
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
	return eventually(is_asleep(pid)) ? pid : -1;
}

/*
 * An edge wakes one of those who want it so, where one alone can have it; who
 * has been woken already is not in the way of the next.
 */
TEST_F(poll, of_the_exclusive_at_least_one_is_woken)
{
	const struct kind *kind = variant->kind;
	bool is_lock = kind->open == open_mutex || kind->open == open_rwmutex;
	enum { N = 4 };
	pid_t pids[N];
	int i, j;

	OFF(self->fd);
	for (i = 0; i < N; i++) {
		pids[i] = spawn_exclusive(self->fd, self->events, self->shared);
		ASSERT_LT(0, pids[i]);
	}
	for (i = 0; i < N; i++) {
		/* One that was woken in vain must be asleep again. */
		for (j = 0; j < N; j++)
			ASSERT_TRUE(eventually(is_asleep(pids[j])));
		ON();
		EXPECT_TRUE(eventually(load(self->shared) >= i + 1));
		if (is_lock) {
			sleep_ns(10 * NSEC_PER_MSEC);
			EXPECT_EQ(i + 1, load(self->shared));
		}
		if (!comes_again(kind))
			break;
		OFF(self->fd);
	}
	for (i = 0; i < N; i++)
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
}

TEST_F(poll, one_shot_is_one)
{
	uint32_t events = self->events | EPOLLONESHOT;
	int set = epoll_of(self->fd, events);

	OFF(self->fd);
	/* Unless it was ready then */
	wait_set(set, 0);
	EXPECT_EQ(0, rearm(set, self->fd, events));
	EXPECT_EQ(0, wait_set(set, 0));
	ON();
	EXPECT_EQ(self->events, wait_set(set, LONG_MS));
	EXPECT_EQ(0, wait_set(set, 1));
	EXPECT_EQ(0, rearm(set, self->fd, events));
	EXPECT_EQ(self->events, wait_set(set, LONG_MS));
	if (!comes_again(variant->kind))
		return;
	OFF(self->fd);
	ON();
	EXPECT_EQ(0, wait_set(set, 1));
	EXPECT_EQ(0, rearm(set, self->fd, events));
	EXPECT_EQ(self->events, wait_set(set, LONG_MS));
}

TEST_F(poll, children_share_a_set)
{
	int level, edge;
	pid_t pids[3];
	int i;

	OFF(self->fd);
	level = epoll_of(self->fd, self->events);
	edge = epoll_of(self->fd, self->events | EPOLLET);
	for (i = 0; i < 3; i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			int ret = wait_set(i ? edge : level, LONG_MS);

			add(&self->shared[!!i], 1);
			/* A holder that ends may be an edge, too. */
			while (!load(&self->shared[2]))
				sleep_ns(NSEC_PER_MSEC);
			_exit(ret != self->events);
		}
		ASSERT_TRUE(eventually(is_asleep(pids[i])));
	}
	ON();
	EXPECT_TRUE(eventually(load(&self->shared[0])));
	EXPECT_EQ(self->events, wait_set(level, LONG_MS));
	/* There is one edge, for one of them. */
	EXPECT_TRUE(eventually(load(&self->shared[1])));
	sleep_ns(10 * NSEC_PER_MSEC);
	EXPECT_EQ(1, load(&self->shared[1]));
	if (comes_again(variant->kind)) {
		OFF(self->fd);
		ON();
		EXPECT_TRUE(eventually(load(&self->shared[1]) == 2));
		store(&self->shared[2], 1);
		for (i = 0; i < 3; i++)
			EXPECT_EQ(0, reap_soon(pids[i]));
	}
}

/* --- who has looked is forgotten ----------------------------------------- */

struct free_of {
	const struct kind *kind;
	void *object;
};

static int change(void *arg)
{
	struct free_of *free_of = arg;

	return free_of->kind->on(free_of->object) < 0;
}

static int off_and_on(void *arg)
{
	struct free_of *free_of = arg;
	const struct kind *kind = free_of->kind;
	int i, ret = 0;

	for (i = 0; i < 100; i++) {
		if (kind->off)
			ret |= kind->off(free_of->object);
		ret |= kind->on(free_of->object);
	}
	return ret;
}

/* After the last of them has left and an operation has seen that */
#define EXPECT_AS_IF_NEVER_POLLED(before)				\
do {									\
	struct free_of free_of = { variant->kind, self->object };	\
	struct gosync_info now = info_of(self->fd);			\
	int ret = 0;							\
									\
	EXPECT_EQ(0, now.waiters);					\
	if (variant->kind->off)						\
		EXPECT_EQ((before).word, now.word);			\
	if (variant->kind->fast && !variant->flags)			\
		ret = without_system_calls(off_and_on, &free_of);	\
	EXPECT_TRUE(ret == 0 || ret == KSFT_SKIP) {			\
		TH_LOG("exit %d", ret);					\
	}								\
} while (0)

TEST_F(poll, a_killed_watcher_is_forgotten)
{
	struct free_of free_of = { variant->kind, self->object };
	struct gosync_info before = info_of(self->fd);
	enum way way;
	int ret;

	for (way = 0; way < WAYS; way++) {
		pid_t pid;

		if (variant->kind->off)
			EXPECT_EQ(0, variant->kind->off(self->object));
		pid = spawn();
		if (!pid) {
			int fd = reopen_object(self->fd, 0);

			if (watch(variant->kind, fd))
				_exit(1);
			add(self->shared, 1);
			_exit(ask(way, fd, self->events, LONG_MS));
		}
		ASSERT_TRUE(eventually(load(self->shared) == way + 1 &&
				       is_asleep(pid)));
		if (variant->kind->fast) {
			/* While it is there the kernel is told. */
			ret = without_system_calls(change, &free_of);
			EXPECT_TRUE(ret == 128 + SIGKILL || ret == KSFT_SKIP);
		}
		EXPECT_TRUE(!waitpid(pid, NULL, WNOHANG));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
		ON();
		EXPECT_AS_IF_NEVER_POLLED(before);
		if (!comes_again(variant->kind))
			break;
	}
}

TEST_F(poll, a_descriptor_closed_in_its_set_is_forgotten)
{
	struct gosync_info before = info_of(self->fd);
	int fd = reopen_object(self->fd, 0), copy = dup(fd), set, edge;

	OFF(fd);
	set = epoll_of(fd, self->events);
	edge = epoll_of(copy, self->events | EPOLLET);
	EXPECT_EQ(0, wait_set(set, 0));
	close(fd);
	ON();
	/* Its copy keeps it there. */
	EXPECT_EQ(self->events, wait_set(set, LONG_MS));
	EXPECT_EQ(self->events, wait_set(edge, LONG_MS));
	if (comes_again(variant->kind))
		OFF(copy);
	close(copy);
	EXPECT_EQ(0, wait_set(set, 0));
	if (comes_again(variant->kind))
		ON();
	EXPECT_EQ(0, wait_set(set, 0));
	EXPECT_EQ(0, wait_set(edge, 0));
	EXPECT_EQ(2, info_of(self->fd).holders);
	EXPECT_AS_IF_NEVER_POLLED(before);
}

TEST_F(poll, a_closed_set_is_forgotten)
{
	struct gosync_info before = info_of(self->fd);
	int fd = reopen_object(self->fd, 0), set;

	OFF(fd);
	set = epoll_of(fd, self->events | EPOLLET);
	EXPECT_EQ(0, wait_set(set, 0));
	close(set);
	ON();
	close(fd);
	EXPECT_AS_IF_NEVER_POLLED(before);
}

/* --- no edge is lost ----------------------------------------------------- */

FIXTURE(edges)
{
	char *name;
	void *object;
	struct {
		unsigned int round;	/* it is off in this one */
		unsigned int may;	/* and may be on in this */
		unsigned int seen;	/* how many were */
		unsigned int stop;
	} *shared;
};

FIXTURE_VARIANT(edges)
{
	const struct kind *kind;
	unsigned int flags;
};

ALL_THAT_COME_AGAIN(edges);

FIXTURE_SETUP(edges)
{
	self->name = unique_name();
	ASSERT_EQ(0, variant->kind->open(self->name, GOSYNC_CREATE |
					 variant->flags, &self->object));
	self->shared = shared_memory(4096);
}

FIXTURE_TEARDOWN(edges)
{
}

static void dither(uint64_t *seed)
{
	uint32_t r = random_u32(seed);

	if (r % 4 == 0)
		sched_yield();
	else
		for (r = r / 4 % 2000; r; r--)
			__asm__ volatile("" ::: "memory");
}

/* Wait a little. Who is waited for may need this processor. */
static void pass_time(unsigned int *turns)
{
	if (++*turns % 128 == 0)
		sleep_ns(10 * NSEC_PER_USEC);
}

/* Return: false when it never is */
static bool reaches(unsigned int *count, unsigned int wanted)
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

/* It has looked by now at what came with the last edge. */
static int watch_edges(FIXTURE_DATA(edges) *self, const struct kind *kind,
		       enum way way)
{
	uint64_t seed = random_seed() + way, last;
	int fd = open_object(0, self->name, 0, 0), set = -1;
	unsigned int round = 0, turns = 0;

	last = seen(kind, fd);
	if (kind->watches && watch_fd(fd, 0, kind->index, last))
		return 1;
	if (way >= LEVEL)
		set = epoll_of(fd, kind->events | (way == EDGE ? EPOLLET : 0));
	add(&self->shared->seen, 1);
	for (;;) {
		bool late;
		int ret;

		round++;
		while (load(&self->shared->round) < round) {
			if (load(&self->shared->stop))
				return 0;
			pass_time(&turns);
		}
		/* The change may come before it is watched for. */
		late = kind->watches && !kind->places &&
		       random_u32(&seed) % 2;
		dither(&seed);
		if (late && watch_fd(fd, 0, kind->index, last))
			return 2;
		ret = set < 0 ? ask(way, fd, kind->events, LONG_MS) :
				wait_set(set, LONG_MS);
		if (ret != kind->events)
			return 3;
		if (load(&self->shared->may) != round)
			return 4;
		last = seen(kind, fd);
		if (kind->watches && watch_fd(fd, 0, kind->index, last))
			return 5;
		add(&self->shared->seen, 1);
	}
}

/* From one to the other and back, with as little as can be in between */
TEST_F(edges, none_is_lost)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	const struct kind *kind = variant->kind;
	unsigned int edges = 0;
	enum way way;

	for (way = 0; way < WAYS; way++) {
		uint64_t now = now_ns(CLOCK_MONOTONIC);
		uint64_t share = now < end ? (end - now) / (WAYS - way) : 0;
		unsigned int round = 0;
		pid_t pid;

		memset(self->shared, 0, sizeof(*self->shared));
		pid = spawn();
		if (!pid) {
			int ret = watch_edges(self, kind, way);

			/* Nobody is to wait for it any more. */
			if (ret)
				store(&self->shared->seen, UINT32_MAX - ret);
			_exit(ret);
		}
		do {
			ASSERT_TRUE(reaches(&self->shared->seen, round + 1));
			ASSERT_EQ(round + 1, load(&self->shared->seen)) {
				TH_LOG("way %u, round %u: %u", way, round,
				       UINT32_MAX - load(&self->shared->seen));
			}
			if (kind->off)
				ASSERT_EQ(0, kind->off(self->object));
			store(&self->shared->round, ++round);
			dither(&seed);
			store(&self->shared->may, round);
			ASSERT_LE(0, kind->on(self->object));
		} while (budget_left(now + share));
		ASSERT_TRUE(reaches(&self->shared->seen, round + 1));
		store(&self->shared->stop, 1);
		EXPECT_EQ(0, reap_soon(pid));
		edges += round;
	}
	TH_LOG("%u edges", edges);
}

/* Looks again and again; it always is ready before long. */
static int keep_looking(FIXTURE_DATA(edges) *self, const struct kind *kind,
			uint64_t seed)
{
	int fd = open_object(0, self->name, 0, 0);
	int edge = epoll_of(fd, kind->events | EPOLLET);

	if (watch(kind, fd))
		return 3;
	for (;;) {
		enum way way = random_u32(&seed) % WAYS;
		bool stop = load(&self->shared->stop);
		int ret;

		/* Its last edge may have been seen in another way. */
		if (way == EDGE && !stop) {
			ret = wait_set(edge, random_u32(&seed) % 3);
			if (ret && ret != kind->events)
				return 1;
		} else if (ask(way, fd, kind->events, LONG_MS) != kind->events) {
			return 2;
		}
		if (stop)
			return 0;
		add(&self->shared->seen, 1);
	}
}

/*
 * Two whose operations overlap, while watchers come, are killed, and look with
 * sets that stay. In the end there is something for all of them.
 */
TEST_F(edges, none_is_lost_among_many)
{
	enum { OPERATORS = 2, WATCHERS = 3 };
	uint64_t end = end_of_budget(), seed = random_seed();
	pid_t operators[OPERATORS], watchers[WATCHERS] = {};
	const struct kind *kind = variant->kind;
	unsigned int i;

	if (!kind->off)
		return;
	for (i = 0; i < OPERATORS; i++) {
		operators[i] = spawn();
		if (operators[i])
			continue;
		seed += i;
		while (!load(&self->shared->stop)) {
			if (kind->off(self->object))
				_exit(1);
			dither(&seed);
			if (kind->on(self->object))
				_exit(2);
			dither(&seed);
			/* Who looks shall have a chance. */
			if (random_u32(&seed) % 16 == 0)
				sleep_ns(100 * NSEC_PER_USEC);
		}
		_exit(0);
	}
	do {
		i = random_u32(&seed) % WATCHERS;
		if (watchers[i])
			EXPECT_EQ(128 + SIGKILL, kill_and_reap(watchers[i]));
		seed++;
		watchers[i] = spawn();
		if (!watchers[i])
			_exit(keep_looking(self, kind, seed));
		sleep_ns(random_u32(&seed) % (5 * NSEC_PER_MSEC));
	} while (budget_left(end) || load(&self->shared->seen) < 10);
	store(&self->shared->stop, 1);
	for (i = 0; i < OPERATORS; i++)
		EXPECT_EQ(0, reap_soon(operators[i]));
	for (i = 0; i < WATCHERS; i++)
		if (watchers[i])
			EXPECT_EQ(0, reap_soon(watchers[i]));
	TH_LOG("%u times ready", load(&self->shared->seen));
}

/* --- what is particular -------------------------------------------------- */

FIXTURE(watch)
{
	unsigned int *shared;
};

FIXTURE_VARIANT(watch)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(watch, mapped) { .flags = 0 };
FIXTURE_VARIANT_ADD(watch, ioctl) { .flags = GOSYNC_NO_MMAP };

FIXTURE_SETUP(watch)
{
	self->shared = shared_memory(4096);
}

FIXTURE_TEARDOWN(watch)
{
}

static int create(uint32_t type, uint64_t capacity, uint32_t flags)
{
	return open_bytes(type, NULL, 0, GOSYNC_CREATE | flags, 0600, capacity);
}

/* A handle of an anonymous object's descriptor, and another holder of it */
#define OPEN_BOTH(type, handle, fd, ...)				\
do {									\
	ASSERT_EQ(0, gosync_##type##_open(NULL, ##__VA_ARGS__,		\
					  GOSYNC_CREATE | variant->flags, \
					  0600, &(handle)));		\
	(fd) = reopen_object(gosync_fd(handle), 0);			\
	ASSERT_LE(0, fd);						\
} while (0)

#define READY(fd)	(by_poll(fd, POLLIN, 0) == POLLIN)
#define WRITABLE(fd)	(by_poll(fd, POLLOUT, 0) == POLLOUT)

static int stop_watching(int fd)
{
	return watch_fd(fd, GOSYNC_WATCH_STOP, 0, 0);
}

/* --- owners that die ----------------------------------------------------- */

static int own(void *object, const struct kind *kind, unsigned int *shared)
{
	int ret = kind->off(object);

	if (ret < 0)
		return ret;
	add(shared, 1);
	for (;;)
		pause();
}

TEST_F(watch, a_mutex_is_ready_when_its_owner_dies)
{
	gosync_mutex_t *lock;
	pid_t owner, asker;
	enum way way;
	int fd;

	OPEN_BOTH(mutex, lock, fd);
	for (way = 0; way < WAYS; way++) {
		owner = spawn();
		if (!owner)
			_exit(own(lock, &mutex, self->shared));
		ASSERT_TRUE(eventually(load(self->shared) == way + 1));
		EXPECT_FALSE(READY(fd));
		asker = spawn_asker(way, fd, POLLIN);
		ASSERT_LT(0, asker);
		kill_and_reap(owner);
		EXPECT_EQ(0, reap_soon(asker));
		EXPECT_TRUE(READY(fd));
		/* Whoever takes it is told. */
		EXPECT_EQ(1, gosync_mutex_lock(lock));
		EXPECT_EQ(0, gosync_mutex_recover(lock));
		EXPECT_FALSE(READY(fd));
		EXPECT_EQ(0, gosync_mutex_unlock(lock));
	}
	EXPECT_EQ(WAYS, info_of(fd).deaths);
}

TEST_F(watch, an_rwmutex_is_ready_when_its_owner_dies)
{
	gosync_rwmutex_t *lock;
	pid_t owner, askers[2];
	int fd, i;

	OPEN_BOTH(rwmutex, lock, fd);
	/* One that reads, then one that writes */
	for (i = 0; i < 2; i++) {
		owner = spawn();
		if (!owner)
			_exit(own(lock, i ? &writer : &writer_of_read,
				  self->shared));
		ASSERT_TRUE(eventually(load(self->shared) == i + 1));
		EXPECT_EQ(!i, READY(fd));
		EXPECT_FALSE(WRITABLE(fd));
		askers[0] = spawn_asker(POLL, fd, POLLOUT);
		askers[1] = spawn();
		if (!askers[1])
			_exit(ask(POLL, fd, POLLIN, LONG_MS) != POLLIN);
		ASSERT_TRUE(eventually(is_asleep(askers[1])));
		kill_and_reap(owner);
		EXPECT_EQ(0, reap_soon(askers[0]));
		EXPECT_EQ(0, reap_soon(askers[1]));
		EXPECT_EQ(i, gosync_rwmutex_lock(lock));
		EXPECT_EQ(0, gosync_rwmutex_unlock(lock));
	}
}

TEST_F(watch, permits_that_a_dead_holder_gives_back_are_ready)
{
	gosync_semaphore_t *permits;
	pid_t owner, asker;
	int fd;

	ASSERT_EQ(0, gosync_semaphore_open(NULL, 1, GOSYNC_CREATE |
					   GOSYNC_GIVE_BACK | variant->flags,
					   0600, &permits));
	fd = reopen_object(gosync_fd(permits), 0);
	EXPECT_TRUE(READY(fd));
	owner = spawn();
	if (!owner)
		_exit(own(permits, &semaphore, self->shared));
	ASSERT_TRUE(eventually(load(self->shared)));
	EXPECT_FALSE(READY(fd));
	asker = spawn_asker(EDGE, fd, POLLIN);
	ASSERT_LT(0, asker);
	kill_and_reap(owner);
	EXPECT_EQ(0, reap_soon(asker));
	EXPECT_EQ(0, gosync_semaphore_tryacquire(permits, 1));
}

TEST_F(watch, a_once_is_not_ready_when_its_runner_dies)
{
	gosync_once_t *once;
	pid_t runner, asker;
	int fd;

	OPEN_BOTH(once, once, fd);
	runner = spawn();
	if (!runner) {
		add(self->shared, gosync_once_begin(once));
		pause();
	}
	ASSERT_TRUE(eventually(load(self->shared) == GOSYNC_ONCE_RUN));
	EXPECT_FALSE(READY(fd));
	asker = spawn_asker(POLL, fd, POLLIN);
	ASSERT_LT(0, asker);
	kill_and_reap(runner);
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(once));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_once_done(once));
	EXPECT_EQ(0, reap_soon(asker));
	EXPECT_TRUE(READY(fd));
}

/* A Once has but one edge, so it takes many. */
TEST_F(watch, the_edge_of_a_once_is_not_lost)
{
	enum { N = 32 };
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int edges = 0;

	do {
		int fds[N], i;
		pid_t pid;

		for (i = 0; i < N; i++)
			fds[i] = create(GOSYNC_ONCE, 0, variant->flags);
		store(self->shared, 0);
		pid = spawn();
		if (!pid) {
			for (i = 0; i < N; i++) {
				add(self->shared, 1);
				dither(&seed);
				if (ask(i % WAYS, fds[i], POLLIN, LONG_MS) !=
				    POLLIN)
					_exit(1);
			}
			_exit(0);
		}
		for (i = 0; i < N; i++) {
			ASSERT_TRUE(reaches(self->shared, i + 1));
			ASSERT_EQ(GOSYNC_ONCE_RUN,
				  call(fds[i], GOSYNC_IOC_ONCE_BEGIN, NULL));
			random_u32(&seed);
			dither(&seed);
			ASSERT_EQ(0, call(fds[i], GOSYNC_IOC_ONCE_DONE, NULL));
		}
		ASSERT_EQ(0, reap_soon(pid));
		for (i = 0; i < N; i++)
			close(fds[i]);
		edges += N;
	} while (budget_left(end));
	TH_LOG("%u edges", edges);
}

/* --- RWMutex ------------------------------------------------------------- */

TEST_F(watch, an_rwmutex_is_readable_and_writable)
{
	gosync_rwmutex_t *lock;
	int fd;

	OPEN_BOTH(rwmutex, lock, fd);
	EXPECT_TRUE(READY(fd));
	EXPECT_TRUE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_rlock(lock));
	EXPECT_TRUE(READY(fd));
	EXPECT_FALSE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_rlock(lock));
	EXPECT_EQ(0, gosync_rwmutex_runlock(lock));
	EXPECT_FALSE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_runlock(lock));
	EXPECT_TRUE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_lock(lock));
	EXPECT_FALSE(READY(fd));
	EXPECT_FALSE(WRITABLE(fd));
	EXPECT_EQ(0, gosync_rwmutex_unlock(lock));
	EXPECT_TRUE(READY(fd));
	EXPECT_TRUE(WRITABLE(fd));
}

/* It lets no new reader in, until it has had the lock or has given up. */
TEST_F(watch, a_writer_that_waits_makes_an_rwmutex_unreadable)
{
	gosync_rwmutex_t *lock;
	pid_t pids[2], asker;
	int fd, i;

	OPEN_BOTH(rwmutex, lock, fd);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, gosync_rwmutex_rlock(lock));
		pids[i] = spawn();
		if (!pids[i]) {
			if (gosync_rwmutex_lock(lock))
				_exit(1);
			_exit(gosync_rwmutex_unlock(lock));
		}
		ASSERT_TRUE(eventually(info_of(fd).waiters == 1));
		EXPECT_FALSE(READY(fd));
		asker = spawn_asker(EDGE, fd, POLLIN);
		ASSERT_LT(0, asker);
		if (!i)
			EXPECT_EQ(0, gosync_rwmutex_runlock(lock));
		EXPECT_EQ(i ? 128 + SIGKILL : 0,
			  i ? kill_and_reap(pids[i]) : reap_soon(pids[i]));
		EXPECT_EQ(0, reap_soon(asker));
		EXPECT_TRUE(READY(fd));
		EXPECT_EQ(!i, WRITABLE(fd));
	}
}

/* --- Semaphore ----------------------------------------------------------- */

TEST_F(watch, a_semaphore_is_ready_with_as_many_permits_as_were_said)
{
	gosync_semaphore_t *permits;
	int fd, other;

	OPEN_BOTH(semaphore, permits, fd, 0);
	other = reopen_object(fd, 0);
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, 0, 3));
	EXPECT_EQ(0, gosync_semaphore_release(permits, 2));
	EXPECT_FALSE(READY(fd));
	EXPECT_TRUE(READY(other));
	EXPECT_EQ(0, gosync_semaphore_release(permits, 1));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_semaphore_acquire(permits, 1));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, stop_watching(fd));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_semaphore_acquire(permits, 2));
	EXPECT_FALSE(READY(fd));
	EXPECT_FALSE(READY(other));
}

TEST_F(watch, permits_are_ready_when_who_wants_many_gives_up)
{
	gosync_semaphore_t *permits;
	pid_t many, asker;
	int fd;

	OPEN_BOTH(semaphore, permits, fd, 0);
	many = spawn();
	if (!many)
		_exit(gosync_semaphore_acquire(permits, 10));
	ASSERT_TRUE(eventually(info_of(fd).waiters == 1));
	EXPECT_EQ(0, gosync_semaphore_release(permits, 3));
	asker = spawn();
	if (!asker) {
		/* As long as it is told so and gets nothing, it tries. */
		do {
			if (ask(EDGE, fd, POLLIN, LONG_MS) != POLLIN)
				_exit(1);
		} while (gosync_semaphore_tryacquire(permits, 3));
		_exit(0);
	}
	sleep_ns(5 * NSEC_PER_MSEC);
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(many));
	EXPECT_EQ(0, reap_soon(asker));
}

/* --- beside those who poll ----------------------------------------------- */

/* The state shows that somebody is there, but that is nobody's turn. */
TEST_F(watch, a_try_succeeds_beside_those_who_poll)
{
	gosync_semaphore_t *semaphore;
	gosync_waitgroup_t *waitgroup;
	gosync_rwmutex_t *rwmutex;
	gosync_mutex_t *mutex;
	int fds[4], i;

	OPEN_BOTH(mutex, mutex, fds[0]);
	OPEN_BOTH(rwmutex, rwmutex, fds[1]);
	OPEN_BOTH(semaphore, semaphore, fds[2], 2);
	OPEN_BOTH(waitgroup, waitgroup, fds[3]);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(POLLIN, wait_set(epoll_of(fds[i], POLLIN), 0));
	ASSERT_EQ(POLLOUT, wait_set(epoll_of(fds[1], POLLOUT), 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, gosync_mutex_trylock(mutex));
		EXPECT_EQ(-EBUSY, gosync_mutex_trylock(mutex));
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));
		EXPECT_EQ(0, gosync_mutex_lock_until(mutex, 1, 0));
		EXPECT_EQ(0, gosync_mutex_unlock(mutex));

		EXPECT_EQ(0, gosync_rwmutex_tryrlock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_tryrlock(rwmutex));
		EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_runlock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_runlock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_trylock(rwmutex));
		EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(rwmutex));
		EXPECT_EQ(0, gosync_rwmutex_unlock(rwmutex));

		EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(semaphore, 3));
		EXPECT_EQ(0, gosync_semaphore_tryacquire(semaphore, 1));
		EXPECT_EQ(0, gosync_semaphore_acquire_until(semaphore, 1, 1,
							    0));
		EXPECT_EQ(-EBUSY, gosync_semaphore_tryacquire(semaphore, 1));
		EXPECT_EQ(0, gosync_semaphore_count(semaphore));
		EXPECT_EQ(0, gosync_semaphore_release(semaphore, 2));
		EXPECT_EQ(2, gosync_semaphore_count(semaphore));

		EXPECT_EQ(0, gosync_waitgroup_wait(waitgroup));
		EXPECT_EQ(0, gosync_waitgroup_add(waitgroup, 2));
		EXPECT_EQ(2, gosync_waitgroup_count(waitgroup));
		EXPECT_EQ(0, gosync_waitgroup_done(waitgroup));
		EXPECT_EQ(-ERANGE, gosync_waitgroup_add(waitgroup, -2));
		EXPECT_EQ(-ETIMEDOUT,
			  gosync_waitgroup_wait_until(waitgroup, 1, 0));
		EXPECT_EQ(0, gosync_waitgroup_done(waitgroup));
		EXPECT_EQ(0, gosync_waitgroup_count(waitgroup));
	}
}

/* Each is told of what is for all, and it is up to him whether it is his. */
TEST_F(watch, the_exclusive_do_not_take_what_another_watches_for)
{
	gosync_semaphore_t *permits;
	gosync_uint64_t *words;
	gosync_cond_t *cond;
	int fds[2], round;
	pid_t pids[2];

	for (round = 0; round < 3; round++) {
		store(self->shared, 0);
		switch (round) {
		case 0:
			OPEN_BOTH(semaphore, permits, fds[0], 0);
			break;
		case 1:
			OPEN_BOTH(uint64, words, fds[0], WORDS);
			break;
		case 2:
			OPEN_BOTH(cond, cond, fds[0]);
			/* The second is to have the first place. */
			fds[1] = reopen_object(fds[0], 0);
			EXPECT_EQ(0, watch_fd(fds[1], 0, 0, 0));
			EXPECT_EQ(0, watch_fd(fds[0], 0, 0, 0));
			break;
		}
		if (round < 2) {
			fds[1] = reopen_object(fds[0], 0);
			EXPECT_EQ(0, watch_fd(fds[0], 0, round ? 3 : 0,
					      round ? 0 : 9));
			EXPECT_EQ(0, watch_fd(fds[1], 0, round ? INDEX : 0,
					      round ? 0 : 1));
		}
		pids[0] = spawn_exclusive(fds[0], POLLIN, self->shared + 1);
		pids[1] = spawn_exclusive(fds[1], POLLIN, self->shared);
		ASSERT_LT(0, pids[0]);
		ASSERT_LT(0, pids[1]);
		switch (round) {
		case 0:
			EXPECT_EQ(0, gosync_semaphore_release(permits, 1));
			break;
		case 1:
			EXPECT_LE(0, change_words(words));
			break;
		case 2:
			EXPECT_EQ(0, gosync_cond_signal(cond));
			break;
		}
		EXPECT_TRUE(eventually(load(self->shared) == 1)) {
			TH_LOG("round %d", round);
		}
		EXPECT_EQ(0, load(self->shared + 1));
		kill_and_reap(pids[0]);
		kill_and_reap(pids[1]);
	}
}

/* --- Value and Map ------------------------------------------------------- */

static int load_fd(int fd)
{
	uint64_t room;
	struct gosync_value_args args = {
		.size = sizeof(args), .buf = to_u64(&room), .len = sizeof(room),
	};

	return call(fd, GOSYNC_IOC_VALUE_LOAD, &args);
}

TEST_F(watch, a_value_is_ready_until_it_is_looked_at)
{
	gosync_value_t *value;
	uint64_t version, room;
	size_t len = sizeof(room);
	int fd, copy;

	OPEN_BOTH(value, value, fd, 0);
	copy = dup(fd);
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(-ENODATA, load_fd(fd));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_value_store(value, TYPE, "one", 4));
	EXPECT_TRUE(READY(fd));
	EXPECT_TRUE(READY(copy));
	EXPECT_TRUE(READY(gosync_fd(value)));
	EXPECT_EQ(0, load_fd(fd));
	EXPECT_FALSE(READY(fd));
	EXPECT_FALSE(READY(copy));
	EXPECT_TRUE(READY(gosync_fd(value)));
	/* Also when the same is stored */
	EXPECT_EQ(0, gosync_value_store(value, TYPE, "one", 4));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_value_version(value, &version));
	EXPECT_EQ(0, watch_fd(fd, 0, 0, version));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(1, gosync_value_swap(value, TYPE, "two", 4, &room, &len));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, load_fd(fd));
	EXPECT_EQ(0, gosync_value_cas(value, TYPE, "one", 4, TYPE, "three", 6));
	EXPECT_EQ(-EPROTOTYPE, gosync_value_store(value, TYPE + 1, "one", 4));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(1, gosync_value_cas(value, TYPE, "two", 4, TYPE, "three", 6));
	EXPECT_TRUE(READY(fd));
	/* A version that is not there yet is another one, too. */
	EXPECT_EQ(0, gosync_value_version(value, &version));
	EXPECT_EQ(0, watch_fd(fd, 0, 0, version + 1));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_value_store(value, TYPE, "four", 5));
	EXPECT_FALSE(READY(fd));
}

/* A key's value, or the number of an operation that wants an old one as well */
static int change_map(gosync_map_t *map, int op)
{
	char old[16];
	size_t len = sizeof(old);

	switch (op) {
	case 0:
		return gosync_map_store(map, "a", 1, "new", 3);
	case 1:
		return gosync_map_store(map, "a", 1, "over", 4);
	case 2:
		return gosync_map_load_or_store(map, "b", 1, "b", 1, old, &len);
	case 3:
		return gosync_map_swap(map, "b", 1, "bb", 2, old, &len);
	case 4:
		return gosync_map_swap(map, "c", 1, "c", 1, old, &len);
	case 5:
		return gosync_map_cas(map, "c", 1, "c", 1, "cc", 2);
	case 6:
		return gosync_map_compare_and_delete(map, "c", 1, "cc", 2);
	case 7:
		return gosync_map_load_and_delete(map, "b", 1, old, &len);
	case 8:
		return gosync_map_delete(map, "a", 1);
	case 9:
		return gosync_map_store(map, "d", 1, "", 0);
	case 10:
		return gosync_map_clear(map);
	default:
		return -EINVAL;
	}
}

TEST_F(watch, each_change_of_a_map_makes_it_ready)
{
	uint64_t version, before = 0;
	gosync_map_t *map;
	pid_t asker;
	int fd, op;

	OPEN_BOTH(map, map, fd, NULL);
	/* Nobody has looked yet. */
	EXPECT_TRUE(READY(fd));
	for (op = 0; op <= 10; op++) {
		version = map_now(fd);
		EXPECT_NE(0, version);
		EXPECT_NE(before, version);
		EXPECT_EQ(0, watch_fd(fd, 0, 0, version));
		EXPECT_FALSE(READY(fd));
		asker = spawn_asker(op % WAYS, fd, POLLIN);
		ASSERT_LT(0, asker);
		EXPECT_LE(0, change_map(map, op)) {
			TH_LOG("operation %d", op);
		}
		EXPECT_EQ(0, reap_soon(asker)) {
			TH_LOG("operation %d", op);
		}
		EXPECT_TRUE(READY(fd));
		before = version;
	}
}

static int see_entry(const void *key, size_t key_len, const void *value,
		     size_t len, void *arg)
{
	return 0;
}

TEST_F(watch, what_does_not_change_a_map_does_not_make_it_ready)
{
	char old[16], large[300] = {};
	size_t len = sizeof(old);
	gosync_map_t *map;
	int fd;

	OPEN_BOTH(map, map, fd, NULL);
	EXPECT_EQ(0, gosync_map_store(map, "a", 1, "a", 1));
	EXPECT_EQ(0, watch_fd(fd, 0, 0, map_now(fd)));
	EXPECT_EQ(0, gosync_map_load(map, "a", 1, old, &len));
	len = sizeof(old);
	EXPECT_EQ(-ENODATA, gosync_map_load(map, "b", 1, old, &len));
	EXPECT_EQ(0, gosync_map_range(map, see_entry, NULL));
	EXPECT_EQ(1, gosync_map_len(map));
	EXPECT_EQ(1, gosync_map_load_or_store(map, "a", 1, "b", 1, old, &len));
	EXPECT_EQ(0, gosync_map_cas(map, "a", 1, "b", 1, "c", 1));
	EXPECT_EQ(0, gosync_map_cas(map, "b", 1, "b", 1, "c", 1));
	EXPECT_EQ(0, gosync_map_compare_and_delete(map, "a", 1, "b", 1));
	EXPECT_EQ(0, gosync_map_compare_and_delete(map, "b", 1, "b", 1));
	EXPECT_EQ(0, gosync_map_delete(map, "b", 1));
	EXPECT_EQ(-ENODATA, gosync_map_load_and_delete(map, "b", 1, old, &len));
	EXPECT_EQ(-EMSGSIZE, gosync_map_store(map, "a", 1, large,
					      sizeof(large)));
	EXPECT_EQ(-EINVAL, gosync_map_store(map, "", 0, "a", 1));
	EXPECT_FALSE(READY(fd));
}

/* --- atomics ------------------------------------------------------------- */

static int write_fd(int fd, unsigned int op, uint32_t flags, uint64_t value,
		    uint64_t expected)
{
	struct gosync_atomic_args args = {
		.size = sizeof(args), .flags = flags, .index = INDEX,
		.value = value, .expected = expected,
	};

	return call(fd, op, &args);
}

TEST_F(watch, a_word_is_ready_while_it_is_another)
{
	gosync_uint64_t *words;
	int fd;

	OPEN_BOTH(uint64, words, fd, WORDS);
	/* Nobody has said what it is not to be. */
	EXPECT_EQ(0, gosync_uint64_store(words, 0, 1));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX, 1));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, 1));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX - 1, 2));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX + 1, 2));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX, 2));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, gosync_uint64_store(words, INDEX, 1));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, 0));
	EXPECT_TRUE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, WORDS - 1, 0));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, gosync_uint64_store(words, WORDS - 1, UINT64_MAX));
	EXPECT_TRUE(READY(fd));
	/* Other holders have said nothing. */
	EXPECT_FALSE(READY(gosync_fd(words)));
	EXPECT_FALSE(READY(reopen_object(fd, 0)));
	EXPECT_EQ(0, stop_watching(fd));
	EXPECT_FALSE(READY(fd));
}

TEST_F(watch, each_operation_on_a_word_can_wake)
{
	static const struct {
		unsigned int op;
		uint64_t value;
		uint64_t expected;
	} rows[] = {
		{ GOSYNC_IOC_ATOMIC_STORE, 7 },
		{ GOSYNC_IOC_ATOMIC_SWAP, 9 },
		{ GOSYNC_IOC_ATOMIC_ADD, 1 },
		{ GOSYNC_IOC_ATOMIC_AND, 6 },
		{ GOSYNC_IOC_ATOMIC_OR, 5 },
		{ GOSYNC_IOC_ATOMIC_CAS, 0, 7 },
	};
	int fd = create(GOSYNC_UINT64, WORDS, variant->flags), i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		pid_t asker;

		EXPECT_EQ(0, watch_fd(fd, 0, INDEX, indexed_now(fd)));
		asker = spawn_asker(i % WAYS, fd, POLLIN);
		ASSERT_LT(0, asker);
		EXPECT_LE(0, write_fd(fd, rows[i].op, GOSYNC_ATOMIC_WAKE,
				      rows[i].value, rows[i].expected));
		EXPECT_EQ(0, reap_soon(asker)) {
			TH_LOG("operation %d", i);
		}
	}
}

TEST_F(watch, a_narrow_word_is_watched_for_all_it_can_be)
{
	int fd = create(GOSYNC_INT32, WORDS, variant->flags);

	EXPECT_EQ(0, write_fd(fd, GOSYNC_IOC_ATOMIC_STORE, 0, -1ULL, 0));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, -1ULL));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(-EINVAL, watch_fd(fd, 0, INDEX, UINT32_MAX));
	EXPECT_EQ(-EINVAL, watch_fd(fd, 0, INDEX, 1ULL << 31));
	EXPECT_FALSE(READY(fd));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, INT32_MAX));
	EXPECT_TRUE(READY(fd));
	fd = create(GOSYNC_BOOL, WORDS, variant->flags);
	EXPECT_EQ(-EINVAL, watch_fd(fd, 0, INDEX, 2));
	EXPECT_EQ(0, watch_fd(fd, 0, INDEX, 1));
	EXPECT_TRUE(READY(fd));
}

/* --- Cond ---------------------------------------------------------------- */

FIXTURE(signals)
{
	char *name;
	gosync_cond_t *cond;
	gosync_mutex_t *mutex;
	int a, b;		/* who may watch */
	unsigned int *shared;
};

FIXTURE_VARIANT(signals)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(signals, mapped) { .flags = 0 };
FIXTURE_VARIANT_ADD(signals, ioctl) { .flags = GOSYNC_NO_MMAP };

FIXTURE_SETUP(signals)
{
	self->name = unique_name();
	ASSERT_EQ(0, gosync_cond_open(self->name, GOSYNC_CREATE | variant->flags,
				      0600, &self->cond));
	ASSERT_EQ(0, gosync_mutex_open(NULL, GOSYNC_CREATE | variant->flags,
				       0600, &self->mutex));
	self->a = open_object(0, self->name, 0, 0);
	self->b = open_object(0, self->name, 0, 0);
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
	self->shared = shared_memory(4096);
}

FIXTURE_TEARDOWN(signals)
{
}

static int arm(int fd)
{
	return watch_fd(fd, 0, 0, 0);
}

/* How many were told */
static int signal_fd(FIXTURE_DATA(signals) *self)
{
	return call(self->a, GOSYNC_IOC_COND_SIGNAL, NULL);
}

static int broadcast_fd(FIXTURE_DATA(signals) *self)
{
	return call(self->a, GOSYNC_IOC_COND_BROADCAST, NULL);
}

/* A child that waits, and has been signalled when it exits with 0 */
static pid_t spawn_cond_waiter(FIXTURE_DATA(signals) *self)
{
	unsigned int before = info_of(self->a).waiters;
	pid_t pid = spawn();

	if (!pid) {
		if (gosync_mutex_lock(self->mutex) ||
		    gosync_cond_wait(self->cond, self->mutex))
			_exit(1);
		_exit(gosync_mutex_unlock(self->mutex));
	}
	return eventually(info_of(self->a).waiters == before + 1) ? pid : -1;
}

TEST_F(signals, are_for_those_who_wait)
{
	/* Nobody does. */
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_EQ(0, broadcast_fd(self));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(0, arm(self->a));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_FALSE(READY(self->b));
	/* The library finds out by itself that somebody waits. */
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(0, gosync_cond_signal(self->cond));
	EXPECT_TRUE(READY(self->a));
	/* It stays so, and nobody waits any more. */
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_EQ(0, arm(self->a));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(1, broadcast_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_EQ(0, stop_watching(self->a));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_FALSE(READY(self->a));
}

TEST_F(signals, are_one_for_each)
{
	EXPECT_EQ(0, arm(self->b));
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(2, info_of(self->a).waiters);
	EXPECT_EQ(1, signal_fd(self));
	/* The one that came first */
	EXPECT_TRUE(READY(self->b));
	EXPECT_FALSE(READY(self->a));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_EQ(0, signal_fd(self));
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(0, arm(self->b));
	EXPECT_EQ(2, broadcast_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_TRUE(READY(self->b));
	EXPECT_EQ(0, info_of(self->a).waiters);
}

/* Who has been told waits at the end of the queue if it waits again. */
TEST_F(signals, go_round_among_those_who_watch)
{
	int round, fd = self->a, other = self->b, old;

	EXPECT_EQ(0, arm(fd));
	EXPECT_EQ(0, arm(other));
	for (round = 0; round < 10; round++) {
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_TRUE(READY(fd));
		EXPECT_FALSE(READY(other));
		EXPECT_EQ(0, arm(fd));
		old = fd;
		fd = other;
		other = old;
	}
	EXPECT_EQ(2, info_of(fd).waiters);
}

TEST_F(signals, are_for_waiters_of_both_kinds)
{
	pid_t pids[2];

	EXPECT_EQ(0, arm(self->a));
	pids[0] = spawn_cond_waiter(self);
	ASSERT_LT(0, pids[0]);
	EXPECT_EQ(0, arm(self->b));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_TRUE(READY(self->a));
	EXPECT_TRUE(!waitpid(pids[0], NULL, WNOHANG));
	EXPECT_EQ(1, signal_fd(self));
	EXPECT_EQ(0, reap_soon(pids[0]));
	EXPECT_FALSE(READY(self->b));
	pids[1] = spawn_cond_waiter(self);
	ASSERT_LT(0, pids[1]);
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(3, broadcast_fd(self));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_TRUE(READY(self->a));
	EXPECT_TRUE(READY(self->b));
}

/* Ways not to have what one has been signalled */
static void leave_by_stop(int fd)
{
	stop_watching(fd);
}

static void leave_by_close(int fd)
{
	close(fd);
}

static void leave_by_exit(int fd)
{
	_exit(0);
}

static void leave_by_kill(int fd)
{
	raise(SIGKILL);
}

static void (*const leave[])(int fd) = {
	leave_by_stop, leave_by_close, leave_by_exit, leave_by_kill,
};

/* A child that watches, and leaves in this way when told to */
static pid_t spawn_leaver(FIXTURE_DATA(signals) *self, int way)
{
	pid_t pid;

	store(self->shared, 0);
	pid = spawn();
	if (!pid) {
		int fd = open_object(0, self->name, 0, 0);

		if (arm(fd))
			_exit(1);
		store(self->shared, 1);
		while (load(self->shared) == 1)
			sleep_ns(NSEC_PER_MSEC / 10);
		leave[way](fd);
		store(self->shared, 3);
		for (;;)
			pause();
	}
	return eventually(load(self->shared) == 1) ? pid : -1;
}

/* Return: whether it has, by now */
static bool has_left(FIXTURE_DATA(signals) *self, pid_t pid)
{
	siginfo_t info;

	store(self->shared, 2);
	return eventually(load(self->shared) == 3 ||
			  !waitid(P_PID, pid, &info, WEXITED | WNOHANG |
				  WNOWAIT));
}

TEST_F(signals, that_nobody_took_pass_to_the_next)
{
	pid_t first, second;
	int way;

	for (way = 0; way < ARRAY_SIZE(leave); way++) {
		/* Who waits behind it watches, too. */
		first = spawn_leaver(self, way);
		ASSERT_LT(0, first);
		EXPECT_EQ(0, arm(self->a));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_FALSE(READY(self->a));
		EXPECT_TRUE(has_left(self, first));
		EXPECT_TRUE(eventually(READY(self->a))) {
			TH_LOG("way %d", way);
		}
		EXPECT_EQ(0, stop_watching(self->a));
		kill_and_reap(first);

		/* Or sleeps */
		first = spawn_leaver(self, way);
		second = spawn_cond_waiter(self);
		ASSERT_LT(0, first);
		ASSERT_LT(0, second);
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_TRUE(!waitpid(second, NULL, WNOHANG));
		EXPECT_TRUE(has_left(self, first));
		EXPECT_EQ(0, reap_soon(second));
		kill_and_reap(first);
		EXPECT_EQ(0, info_of(self->a).waiters);
	}
}

/* A broadcast was for those who waited then, not for who comes later. */
TEST_F(signals, of_a_broadcast_do_not_pass_to_later_ones)
{
	EXPECT_EQ(0, arm(self->a));
	EXPECT_EQ(1, broadcast_fd(self));
	EXPECT_EQ(0, arm(self->b));
	EXPECT_EQ(0, stop_watching(self->a));
	EXPECT_FALSE(READY(self->b));
	EXPECT_EQ(1, info_of(self->b).waiters);
}

TEST_F(signals, are_not_swallowed_by_who_left_before)
{
	pid_t first, second;
	int way;

	for (way = 0; way < ARRAY_SIZE(leave); way++) {
		first = spawn_leaver(self, way);
		second = spawn_cond_waiter(self);
		ASSERT_LT(0, first);
		ASSERT_LT(0, second);
		EXPECT_EQ(0, arm(self->a));
		EXPECT_TRUE(has_left(self, first));
		EXPECT_TRUE(eventually(info_of(self->a).waiters == 2));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_EQ(0, reap_soon(second));
		EXPECT_EQ(1, signal_fd(self));
		EXPECT_TRUE(READY(self->a));
		EXPECT_EQ(0, stop_watching(self->a));
		kill_and_reap(first);
	}
}

enum { LEAVERS = 3, STAYERS = 3 };

struct rounds {
	unsigned int round;
	unsigned int armed;
	unsigned int go;
	unsigned int got;
	unsigned int left;
};

/* Each round: watch, then take what is there or leave it */
static int come_and_leave(FIXTURE_DATA(signals) *self, struct rounds *rounds,
			  uint64_t seed)
{
	unsigned int round, turns = 0;

	for (round = 1;; round++) {
		uint32_t r = random_u32(&seed);
		int fd;

		while (load(&rounds->round) < round)
			pass_time(&turns);
		fd = open_object(0, self->name, 0, 0);
		if (arm(fd))
			return 1;
		add(&rounds->armed, 1);
		while (load(&rounds->go) < round)
			pass_time(&turns);
		dither(&seed);
		if (r % 2 && ask(r / 2 % WAYS, fd, POLLIN, r / 8 % 2) ==
			     POLLIN) {
			/* Watching again says that it was taken. */
			if (arm(fd))
				return 2;
			add(&rounds->got, 1);
		}
		if (r / 16 % 2 && stop_watching(fd))
			return 3;
		close(fd);
		add(&rounds->left, 1);
	}
}

/*
 * Signals race with who leaves. Behind those are enough who stay, so none may
 * be lost, and none may come twice.
 */
TEST_F(signals, get_to_as_many_as_were_sent)
{
	struct rounds *rounds = shared_memory(sizeof(*rounds));
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int round = 0, sent = 0, got, before;
	int stayers[STAYERS], i, n;
	pid_t pids[LEAVERS];

	for (i = 0; i < STAYERS; i++)
		stayers[i] = open_object(0, self->name, 0, 0);
	for (i = 0; i < LEAVERS; i++) {
		pids[i] = spawn();
		if (!pids[i])
			_exit(come_and_leave(self, rounds, seed + i));
	}
	do {
		before = load(&rounds->got);
		store(&rounds->round, ++round);
		ASSERT_TRUE(reaches(&rounds->armed, LEAVERS * round));
		for (i = 0; i < STAYERS; i++)
			ASSERT_EQ(0, arm(stayers[i]));
		store(&rounds->go, round);
		n = random_u32(&seed) % (STAYERS + 1);
		for (i = 0; i < n; i++) {
			dither(&seed);
			ASSERT_EQ(1, signal_fd(self));
		}
		ASSERT_TRUE(reaches(&rounds->left, LEAVERS * round));
		got = load(&rounds->got) - before;
		for (i = 0; i < STAYERS; i++)
			got += READY(stayers[i]);
		ASSERT_EQ(n, got) {
			TH_LOG("round %u", round);
		}
		for (i = 0; i < STAYERS; i++)
			ASSERT_EQ(0, stop_watching(stayers[i]));
		ASSERT_EQ(0, info_of(self->a).waiters);
		sent += n;
	} while (budget_left(end) || sent < 2);
	for (i = 0; i < LEAVERS; i++)
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
	TH_LOG("%u rounds, %u signals", round, sent);
}

/* --- WATCH itself -------------------------------------------------------- */

/* What one says now may be so already, and then is news to who sleeps. */
TEST_F(watch, watching_for_what_is_there_wakes)
{
	gosync_semaphore_t *permits;
	gosync_uint64_t *words;
	gosync_value_t *value;
	struct {
		int fd;
		uint64_t not_yet;
		uint64_t already;
	} rows[3] = {
		{ .not_yet = 2, .already = 1 },
		{ .not_yet = 0, .already = 1 },
		{ .not_yet = 1, .already = 0 },
	};
	pid_t pids[WAYS];
	enum way way;
	int i;

	OPEN_BOTH(semaphore, permits, rows[0].fd, 1);
	OPEN_BOTH(uint64, words, rows[1].fd, WORDS);
	OPEN_BOTH(value, value, rows[2].fd, 0);
	EXPECT_EQ(0, gosync_value_store(value, TYPE, "one", 4));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int set, fd = rows[i].fd;

		EXPECT_EQ(0, watch_fd(fd, 0, 0, rows[i].not_yet));
		set = epoll_of(fd, POLLIN | EPOLLET);
		EXPECT_EQ(0, wait_set(set, 0));
		for (way = 0; way < WAYS; way++) {
			pids[way] = spawn_asker(way, fd, POLLIN);
			ASSERT_LT(0, pids[way]);
		}
		EXPECT_EQ(0, watch_fd(fd, 0, 0, rows[i].already));
		for (way = 0; way < WAYS; way++)
			EXPECT_EQ(0, reap_soon(pids[way])) {
				TH_LOG("row %d, way %d", i, way);
			}
		EXPECT_EQ(POLLIN, wait_set(set, LONG_MS));
	}
}

TEST_F(watch, what_is_refused_changes_nothing)
{
	static const struct {
		uint32_t type;
		uint32_t index;
		uint64_t value;
		uint32_t flags;
		int error;
	} rows[] = {
		{ GOSYNC_MUTEX, 0, 0, 0, -ENOTTY },
		{ GOSYNC_RWMUTEX, 0, 0, 0, -ENOTTY },
		{ GOSYNC_WAITGROUP, 0, 0, 0, -ENOTTY },
		{ GOSYNC_ONCE, 0, 0, 0, -ENOTTY },
		{ GOSYNC_UINT64, WORDS, 0, 0, -EINVAL },
		{ GOSYNC_UINT64, UINT32_MAX, 0, 0, -EINVAL },
		{ GOSYNC_UINT64, 0, 0, 1U << 1, -EINVAL },
		{ GOSYNC_UINT64, 1, 0, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_UINT64, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_INT32, 0, UINT32_MAX, 0, -EINVAL },
		{ GOSYNC_BOOL, 0, 2, 0, -EINVAL },
		{ GOSYNC_SEMAPHORE, 1, 1, 0, -EINVAL },
		{ GOSYNC_SEMAPHORE, 0, 1ULL << 31, 0, -EINVAL },
		{ GOSYNC_SEMAPHORE, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_VALUE, 1, 0, 0, -EINVAL },
		{ GOSYNC_VALUE, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_MAP, 1, 0, 0, -EINVAL },
		{ GOSYNC_MAP, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_COND, 1, 0, 0, -EINVAL },
		{ GOSYNC_COND, 0, 1, 0, -EINVAL },
		{ GOSYNC_COND, 0, 1, GOSYNC_WATCH_STOP, -EINVAL },
		{ GOSYNC_COND, 0, 0, ~0U, -EINVAL },
	};
	int i, state;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bool is_words = rows[i].type == GOSYNC_UINT64 ||
				rows[i].type == GOSYNC_INT32 ||
				rows[i].type == GOSYNC_BOOL;
		bool has_one = is_words || rows[i].type == GOSYNC_SEMAPHORE;
		int fd = create(rows[i].type, is_words ? WORDS : 0,
				variant->flags);

		/* In one state that it is in without WATCH, and in another */
		for (state = 0; state < 2; state++) {
			bool ready;

			if (state && rows[i].error != -ENOTTY)
				EXPECT_EQ(0, watch_fd(fd, 0, 0, has_one));
			ready = READY(fd);
			EXPECT_EQ(rows[i].error,
				  watch_fd(fd, rows[i].flags, rows[i].index,
					   rows[i].value)) {
				TH_LOG("row %d", i);
			}
			EXPECT_EQ(ready, READY(fd)) {
				TH_LOG("row %d", i);
			}
			EXPECT_EQ(state && rows[i].type == GOSYNC_COND,
				  info_of(fd).waiters);
		}
		close(fd);
	}
}

TEST_F(watch, stops_as_often_as_one_likes)
{
	static const uint32_t types[] = {
		GOSYNC_UINT64, GOSYNC_SEMAPHORE, GOSYNC_VALUE, GOSYNC_MAP,
		GOSYNC_COND,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		int fd = create(types[i], 0, variant->flags);

		EXPECT_EQ(0, stop_watching(fd));
		EXPECT_EQ(0, watch_fd(fd, 0, 0, types[i] == GOSYNC_SEMAPHORE));
		EXPECT_EQ(0, stop_watching(fd));
		EXPECT_EQ(0, stop_watching(fd));
		EXPECT_EQ(types[i] == GOSYNC_MAP, READY(fd));
		EXPECT_EQ(0, info_of(fd).waiters);
		close(fd);
	}
}

TEST_HARNESS_MAIN
