// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(2), select(2) and epoll(7) of every kind of object: it is ready while a
 * try would get something, and nobody who sleeps for that sleeps through it.
 */
#include "gosync_test_poll.h"

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

NO_TEARDOWN(poll);

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
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = spawn_asker(i % WAYS, self->fd, self->events);
	ON();
	EXPECT_EQ(0, reap_all(pids, ARRAY_SIZE(pids)));
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
	EXPECT_EQ(0, reap_all(pids, WAYS));
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
	for (i = 0; i < N; i++)
		pids[i] = spawn_exclusive(self->fd, self->events, self->shared);
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
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, N));
}

/*
 * One of two is told, and dies before it runs. Then its holder ends, and the other
 * is told.
 */
TEST_F(poll, who_dies_when_told_alone_leaves_it_to_another)
{
	const uint32_t events = self->events | EPOLLEXCLUSIVE;
	pid_t pids[2];
	int i;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	OFF(self->fd);
	for (i = 0; i < 2; i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			int fd = reopen_object(self->fd, 0);

			MUST(!watch(variant->kind, fd));
			MUST(wait_set(epoll_of(fd, events), LONG_MS) ==
			     (int)self->events);
			_exit(0);
		}
		ASSERT_TRUE(eventually(is_asleep(pids[i])));
	}
	ON();
	/* The first is told first. */
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pids[0]));
	EXPECT_EQ(0, reap_soon(pids[1]));
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
		EXPECT_EQ(0, reap_all(pids, 3));
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
		EXPECT_TRUE(is_waiting(pid));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
		ON();
		EXPECT_AS_IF_NEVER_POLLED(before);
		if (!comes_again(variant->kind))
			break;
	}
}

static int lock_and_unlock(void *mutex)
{
	return gosync_mutex_lock(mutex) ?: gosync_mutex_unlock(mutex);
}

/*
 * It is told while the lock becomes free, and dies before it runs. So nobody takes it
 * out of the word, until somebody enters the kernel because of it.
 */
TEST(a_watcher_that_was_told_and_died_costs_one_entry)
{
	gosync_mutex_t *mutex = NEW(gosync_mutex, 0);
	pid_t pid;
	int ret;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	ASSERT_EQ(0, gosync_mutex_lock(mutex));
	pid = CHILD(!by_poll(reopen_object(gosync_fd(mutex), 0), POLLIN, LONG_MS));
	ASSERT_TRUE(eventually(info(mutex).word & GOSYNC_MUTEX_WAITER &&
			       is_asleep(pid)));
	EXPECT_EQ(0, gosync_mutex_unlock(mutex));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
	EXPECT_EQ(GOSYNC_MUTEX_WAITER, info(mutex).word);
	EXPECT_EQ(0, lock_and_unlock(mutex));
	EXPECT_EQ(0, info(mutex).word);
	ret = without_system_calls(lock_and_unlock, mutex);
	EXPECT_TRUE(ret == 0 || ret == KSFT_SKIP);
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

NO_TEARDOWN(edges);

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
			ASSERT_EQ(round + 1, load(&self->shared->seen))
				TH_LOG("way %u, round %u: %u", way, round,
				       UINT32_MAX - load(&self->shared->seen));
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
		watchers[i] = CHILD(keep_looking(self, kind, seed));
		sleep_ns(random_u32(&seed) % (5 * NSEC_PER_MSEC));
	} while (budget_left(end) || load(&self->shared->seen) < 10);
	store(&self->shared->stop, 1);
	EXPECT_EQ(0, reap_all(operators, OPERATORS));
	for (i = 0; i < WATCHERS; i++)
		if (watchers[i])
			EXPECT_EQ(0, reap_soon(watchers[i]));
	TH_LOG("%u times ready", load(&self->shared->seen));
}

TEST_HARNESS_MAIN
