// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of io_uring that are cancelled, time out, or whose process is killed,
 * at whatever moment: none is lost and none is granted twice, and nothing of them
 * stays in the kernel.
 */
#include <sys/mount.h>
#include "each_ring.h"
#include "slabs.h"

#define TRACING	"/sys/kernel/tracing"

/* --- races ----------------------------------------------------------------- */

/* Two parties; the one that comes too early waits longer next time. */
struct race {
	unsigned int round;		/* that is to begin */
	unsigned int over;		/* and that the other has run */
	unsigned int stop;
	int delay;			/* of the other, in steps; or ours */
};

static void delay(int steps)
{
	while (steps-- > 0)
		__asm__ volatile("" ::: "memory");
}

/* The other: when a round begins, unlock. */
static pid_t spawn_unlocker(struct race *race, int fd)
{
	pid_t pid = spawn();
	unsigned int round;

	if (pid)
		return pid;
	for (round = 1;; round++) {
		while (load(&race->round) != round)
			if (load(&race->stop))
				_exit(0);
		delay(load(&race->delay));
		if (unlock_fd(fd))
			_exit(1);
		store(&race->over, round);
	}
}

static void begin_round(struct race *race)
{
	store(&race->round, race->round + 1);
	delay(-race->delay);
}

/* Have the next round end the other way. */
static void steer(struct race *race, bool other_won, uint64_t *seed)
{
	int step = 1 + abs(race->delay) / 8 + random_u32(seed) % 16;
	bool other_waits = race->delay > 0;

	if (abs(race->delay) < 1 << 22 || other_waits != other_won)
		store(&race->delay, race->delay + (other_won ? step : -step));
}

/* Has either the command the lock, and says so, or can we have it? */
static bool is_either(FIXTURE_DATA(uring) *self, int res)
{
	if (res == 0)
		return trylock_fd(gosync_fd(self->mutex)) == -EBUSY &&
		       info_of(self->fd).owner == info_of(self->fd).holder &&
		       !unlock_fd(self->fd);
	return trylock_fd(gosync_fd(self->mutex)) == 0 &&
	       !unlock_fd(gosync_fd(self->mutex));
}

/* A command is granted at the moment when it is cancelled, or is too late. */
static void race_with_a_grant(struct __test_metadata *_metadata,
			      FIXTURE_DATA(uring) *self, bool cancels)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct race *race = shared_memory(sizeof(*race));
	unsigned int granted = 0, others = 0;
	struct ring *ring = self->ring;
	pid_t pid = spawn_unlocker(race, gosync_fd(self->mutex));
	int res, did = 0;

	do {
		ASSERT_EQ(0, lock_fd(gosync_fd(self->mutex)));
		start_until(ring, 1, self->fd, GOSYNC_IOC_MUTEX_LOCK, 0,
			    cancels ? 0 : gosync_deadline(NSEC_PER_MSEC / 4), 0);
		if (cancels)
			ASSERT_TRUE(has_waiters(self->fd, 1));
		begin_round(race);
		if (cancels)
			did = cancel(ring, self->fd, 1);
		res = result(ring, 1);
		while (load(&race->over) != race->round)
			;
		if (cancels)
			ASSERT_EQ(res ? 1 : -ENOENT, did);
		ASSERT_TRUE(!res || res == (cancels ? -ECANCELED : -ETIMEDOUT))
			TH_LOG("%d", res);
		ASSERT_TRUE(is_either(self, res));
		granted += !res;
		others += !!res;
		steer(race, !res, &seed);
	} while (budget_left(end));
	store(&race->stop, 1);
	EXPECT_EQ(0, reap_soon(pid));
	TH_LOG("%u granted, %u not", granted, others);
	EXPECT_TRUE(adds_up(self->fd));
	if (cancels) {
		EXPECT_EQ(granted, stat_fd(self->fd).acquired);
		EXPECT_EQ(others, stat_fd(self->fd).gave_up);
	}
	EXPECT_EQ(0, ring->wrong);
}

TEST_F(uring, a_cancellation_races_with_a_grant)
{
	race_with_a_grant(_metadata, self, true);
}

TEST_F(uring, a_deadline_races_with_a_grant)
{
	race_with_a_grant(_metadata, self, false);
}

/* One is granted; what the others got at the same moment they have still. */
TEST_F(uring, two_things_get_free_at_once)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct race *race = shared_memory(sizeof(*race));
	int second = new_object(GOSYNC_MUTEX);
	int owner = reopen_object(second, 0), dev = open_device();
	int first = gosync_fd(self->mutex), owners[2] = { first, owner }, index;
	struct gosync_wait_entry entries[2] = {
		{ .fd = self->fd, .op = GOSYNC_IOC_MUTEX_LOCK },
		{ .fd = second, .op = GOSYNC_IOC_MUTEX_LOCK },
	};
	struct gosync_wait_many_args many = ENTRIES_OF(entries, 2);
	unsigned int times[2] = {};
	pid_t pid = spawn_unlocker(race, owner);

	do {
		ASSERT_EQ(0, lock_fd(first));
		ASSERT_EQ(0, lock_fd(owner));
		start(self->ring, 1, dev, GOSYNC_IOC_WAIT, to_u64(&many));
		ASSERT_TRUE(has_waiters(second, 1));
		begin_round(race);
		ASSERT_EQ(0, unlock_fd(first));
		while (load(&race->over) != race->round)
			;
		index = result(self->ring, 1);
		ASSERT_TRUE(index == 0 || index == 1)
			TH_LOG("%d", index);
		times[index]++;
		ASSERT_EQ(-EBUSY, trylock_fd(owners[index]));
		ASSERT_EQ(0, trylock_fd(owners[!index]));
		ASSERT_EQ(0, unlock_fd(owners[!index]));
		ASSERT_EQ(0, unlock_fd(entries[index].fd));
		steer(race, index == 1, &seed);
	} while (budget_left(end));
	store(&race->stop, 1);
	EXPECT_EQ(0, reap_soon(pid));
	TH_LOG("%u and %u", times[0], times[1]);
	EXPECT_TRUE(adds_up(self->fd));
	EXPECT_TRUE(adds_up(second));
}

enum { WORKERS = 5, LOCKS = 3, PERMITS = 3 };

struct storm {
	unsigned int stop;
	unsigned int wrong;
	unsigned int inside[LOCKS];	/* who is, 0: nobody; under the lock */
	unsigned int had;
	unsigned int not_had;
	unsigned int cancelled;
};

/* What the storm goes on about; a worker has holders of its own. */
struct objects {
	int mutex[LOCKS];
	int rwmutex;
	int semaphore;
	int wg;
};

/* The lock is held, by @fd; @res: is it poisoned? */
static void be_inside(struct storm *storm, unsigned int lock, unsigned int me,
		      int fd, int res, uint64_t *seed)
{
	if (res == 1) {
		store(&storm->inside[lock], 0);
		add(&storm->wrong, !!call(fd, GOSYNC_IOC_MUTEX_RECOVER, NULL));
	}
	if (__atomic_exchange_n(&storm->inside[lock], me, __ATOMIC_SEQ_CST))
		add(&storm->wrong, 1);
	if (random_u32(seed) % 16 == 0)
		sleep_ns(random_u32(seed) % (2 * NSEC_PER_MSEC));
	if (__atomic_exchange_n(&storm->inside[lock], 0, __ATOMIC_SEQ_CST) != me)
		add(&storm->wrong, 1);
	add(&storm->wrong, !!unlock_fd(fd));
	add(&storm->had, 1);
}

/* What a worker asks for besides the locks, and how it gives that back */
static const struct {
	unsigned int op;
	unsigned int back;
} others[] = {
	{ GOSYNC_IOC_RWMUTEX_RLOCK, GOSYNC_IOC_RWMUTEX_RUNLOCK },
	{ GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_IOC_RWMUTEX_UNLOCK },
	{ GOSYNC_IOC_SEMAPHORE_ACQUIRE },
	{ GOSYNC_IOC_WAITGROUP_WAIT },
};

enum { BATCH = 6, KINDS = LOCKS + ARRAY_SIZE(others) };

struct worker {
	struct storm *storm;
	struct ring *ring;
	struct objects own;
	unsigned int me;
	uint64_t seed;
	unsigned int what[BATCH];
	int fd[BATCH];
};

/* Ask for anything, but for the RWMutex once: it would wait for itself. */
static void ask(struct worker *worker, unsigned int i)
{
	uint32_t r = random_u32(&worker->seed);
	unsigned int what = (r >> 8) % KINDS, other = what - LOCKS;
	struct objects *own = &worker->own;
	struct io_uring_sqe *sqe;

	if (i && what >= LOCKS && other < 2)
		what = (r >> 16) % LOCKS;
	worker->what[i] = what;
	worker->fd[i] = what < LOCKS ? own->mutex[what] :
			other < 2 ? own->rwmutex :
			other < 3 ? own->semaphore : own->wg;
	sqe = prepare(worker->ring, i, worker->fd[i],
		      what < LOCKS ? GOSYNC_IOC_MUTEX_LOCK : others[other].op,
		      what >= LOCKS && other == 2);
	if (!(r & 3))
		command_of(sqe)->deadline =
			gosync_deadline(r % (2 * NSEC_PER_MSEC));
}

/* It is over: give back what it got. */
static void answered(struct worker *worker, unsigned int i, int res)
{
	unsigned int what = worker->what[i];
	struct storm *storm = worker->storm;
	int ret = 0;

	switch (res) {
	case 0:
	case 1:
		if (what < LOCKS) {
			be_inside(storm, what, worker->me, worker->fd[i], res,
				  &worker->seed);
			break;
		}
		add(&storm->had, 1);
		what -= LOCKS;
		if (others[what].back)
			ret = call(worker->fd[i], others[what].back, NULL);
		else if (others[what].op == GOSYNC_IOC_SEMAPHORE_ACQUIRE)
			ret = release_fd(worker->fd[i], 1);
		add(&storm->wrong, !!ret);
		break;
	case -ETIMEDOUT:
		add(&storm->not_had, 1);
		break;
	case -ECANCELED:
		add(&storm->cancelled, 1);
		break;
	default:
		add(&storm->wrong, 1);
	}
}

/* Answer each as it comes: who has one lock does not wait for another. */
static void answer_all(struct worker *worker, unsigned int n)
{
	unsigned int i, left = n;
	int *result;

	while (left) {
		look(worker->ring);
		for (i = 0; i < n; i++) {
			result = &worker->ring->result[i];
			if (*result == UNDER_WAY || *result == NOTHING)
				continue;
			answered(worker, i, *result);
			*result = NOTHING;
			left--;
		}
		if (left)
			sched_yield();
	}
}

static void work(const struct objects *objects, struct storm *storm,
		 unsigned int me)
{
	struct worker worker = {
		.storm = storm, .me = me, .seed = random_seed() + me,
		.ring = calloc(1, sizeof(*worker.ring)),
	};
	uint64_t *seed = &worker.seed;
	unsigned int i, n;
	int res;

	if (make_ring(worker.ring, &ring_kinds[random_u32(seed) % RING_KINDS]))
		_exit(1);
	for (i = 0; i < LOCKS; i++)
		worker.own.mutex[i] = reopen_object(objects->mutex[i], 0);
	worker.own.rwmutex = reopen_object(objects->rwmutex, 0);
	worker.own.semaphore = reopen_object(objects->semaphore, 0);
	worker.own.wg = reopen_object(objects->wg, 0);
	do {
		n = 1 + random_u32(seed) % BATCH;
		for (i = 0; i < n; i++)
			ask(&worker, i);
		submit(worker.ring);
		i = random_u32(seed) % (2 * BATCH);
		if (i < n) {
			res = cancel(worker.ring, worker.fd[i], i);
			add(&storm->wrong, res != 1 && res != -ENOENT);
		}
		answer_all(&worker, n);
		/* Threads that wait are among them. */
		i = random_u32(seed) % (2 * LOCKS);
		if (i < LOCKS) {
			res = lock_fd(worker.own.mutex[i]);
			add(&storm->wrong, res != 0 && res != 1);
			be_inside(storm, i, me, worker.own.mutex[i], res, seed);
		}
		add(&storm->wrong, worker.ring->wrong);
		worker.ring->wrong = 0;
	} while (!load(&storm->stop));
	_exit(0);
}

static pid_t spawn_worker(const struct objects *objects, struct storm *storm,
			  unsigned int me)
{
	pid_t pid = spawn();

	if (!pid)
		work(objects, storm, me);
	return pid;
}

TEST(kills_at_any_moment_leave_nothing_behind)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct storm *storm = shared_memory(sizeof(*storm));
	int fds[LOCKS + 3], *fd = fds;
	unsigned int i, kills = 0;
	struct objects objects;
	pid_t pids[WORKERS];

	NEED_URING();
	for (i = 0; i < LOCKS; i++)
		*fd++ = objects.mutex[i] = new_object(GOSYNC_MUTEX);
	*fd++ = objects.rwmutex = new_object(GOSYNC_RWMUTEX);
	*fd++ = objects.semaphore = open_bytes(GOSYNC_SEMAPHORE, NULL, 0,
					       GOSYNC_CREATE | GOSYNC_GIVE_BACK,
					       0600, PERMITS);
	*fd++ = objects.wg = new_object(GOSYNC_WAITGROUP);
	for (i = 0; i < WORKERS; i++)
		pids[i] = spawn_worker(&objects, storm, i + 1);
	do {
		EXPECT_EQ(0, add_fd(objects.wg, 1));
		sleep_ns(random_u32(&seed) % (4 * NSEC_PER_MSEC));
		EXPECT_EQ(0, add_fd(objects.wg, -1));
		i = random_u32(&seed) % WORKERS;
		ASSERT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
		kills++;
		pids[i] = spawn_worker(&objects, storm, i + 1);
		/* On a slow machine, until somebody has got something */
	} while (budget_left(end) || !load(&storm->had));
	store(&storm->stop, 1);
	EXPECT_EQ(0, reap_all(pids, WORKERS));
	TH_LOG("%u had, %u not in time, %u cancelled, %u kills", storm->had,
	       storm->not_had, storm->cancelled, kills);
	EXPECT_EQ(0, storm->wrong);
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_TRUE(has_waiters(fds[i], 0));
		EXPECT_TRUE(eventually(info_of(fds[i]).holders == 1));
		EXPECT_TRUE(adds_up(fds[i]));
	}
	for (i = 0; i < LOCKS; i++)
		EXPECT_TRUE(eventually(trylock_fd(objects.mutex[i]) >= 0));
	EXPECT_EQ(0, info_of(objects.rwmutex).readers);
	EXPECT_LE(0, call(objects.rwmutex, GOSYNC_IOC_RWMUTEX_TRYLOCK, NULL));
	EXPECT_EQ(PERMITS, info_of(objects.semaphore).word);
}

/* --- the rest of the system ------------------------------------------------ */

/* What setup cannot be had is told by setup, and there are the ioctls. */
TEST(where_there_is_no_io_uring_there_are_the_ioctls)
{
	static const char file[] = "/proc/sys/kernel/io_uring_disabled";
	struct ring *ring = calloc(1, sizeof(*ring));
	int fd = new_object(GOSYNC_MUTEX);
	char before[16];

	if (read_file(file, before, sizeof(before)) || write_file(file, "2\n"))
		SKIP(return, "no io_uring_disabled");
	EXPECT_EQ(-EPERM, make_ring(ring, ring_kinds));
	EXPECT_EQ(0, lock_fd(fd));
	EXPECT_EQ(-EBUSY, trylock_fd(fd));
	EXPECT_EQ(0, unlock_fd(fd));
	EXPECT_EQ(0, write_file(file, before));
}

TEST(deadlines_are_those_of_the_time_namespace)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int fd = new_object(GOSYNC_MUTEX);
	const struct ring_kind *kind;
	pid_t pid;

	NEED_URING();
	EXPECT_EQ(0, lock_fd(fd));
	if (unshare(CLONE_NEWTIME))
		SKIP(return, "no time namespace");
	ASSERT_EQ(0, write_file("/proc/self/timens_offsets",
				"monotonic 100000 0\n"));
	for (kind = ring_kinds; kind < ring_kinds + RING_KINDS; kind++) {
		pid = spawn();
		if (!pid) {
			uint64_t soon = gosync_deadline(30 * NSEC_PER_MSEC);

			if (make_ring(ring, kind))
				_exit(1);
			if (run_until(ring, fd, GOSYNC_IOC_MUTEX_LOCK, 0, soon,
				      0) != -ETIMEDOUT)
				_exit(2);
			if (now_ns(CLOCK_MONOTONIC) < soon)
				_exit(3);
			/* Outside it has not come yet. */
			start_until(ring, 1, fd, GOSYNC_IOC_MUTEX_LOCK, 0,
				    gosync_deadline(3600 * NSEC_PER_SEC), 0);
			_exit(is_under_way(ring, 1) ? 0 : 4);
		}
		EXPECT_EQ(0, reap_soon(pid))
			TH_LOG("%s", kind->name);
	}
}

enum { MANY = 3000 };

TEST(commands_leave_no_memory_behind)
{
	static struct cache before[CACHES];
	struct ring *ring = calloc(1, sizeof(*ring));
	int mutex = new_object(GOSYNC_MUTEX);
	int semaphore = new_object(GOSYNC_SEMAPHORE);
	int dev = open_device(), fd = reopen_object(mutex, 0), n = 0, round;
	struct gosync_wait_entry entries[] = {
		{ .fd = fd, .op = GOSYNC_IOC_MUTEX_LOCK },
		{ .fd = semaphore, .op = GOSYNC_IOC_SEMAPHORE_ACQUIRE,
		  .value = 1 },
	};
	struct gosync_wait_many_args many = ENTRIES_OF(entries, 2);
	unsigned int i;

	NEED_URING();
	/* What is freed is not free at once, there. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP(return, "left to kmemleak");
	for (round = 0; round < 4; round++) {
		/* The first lets the caches fill that are kept. */
		n = round == 1 ? read_caches(before) : n;
		if (round == 1 && !n)
			SKIP(return, "no /proc/slabinfo");
		ASSERT_EQ(0, make_ring(ring, &ring_kinds[round % RING_KINDS]));
		EXPECT_EQ(0, lock_fd(mutex));
		for (i = 0; i < MANY; i++)
			switch (i % 4) {
			case 0:
				prepare(ring, i, fd, GOSYNC_IOC_MUTEX_LOCK, 0);
				break;
			case 1:
				prepare(ring, i, dev, GOSYNC_IOC_WAIT,
					to_u64(&many));
				break;
			case 2:
				prepare(ring, i, semaphore,
					GOSYNC_IOC_SEMAPHORE_ACQUIRE, 2);
				break;
			case 3:
				/* Refused */
				prepare(ring, i, dev, GOSYNC_IOC_COND_WAIT, fd);
				break;
			}
		submit(ring);
		ASSERT_TRUE(has_waiters(mutex, MANY / 2));
		ASSERT_TRUE(has_waiters(semaphore, MANY / 2));
		EXPECT_EQ(MANY / 4, cancel_all(ring, fd));
		EXPECT_EQ(0, unlock_fd(mutex));
		EXPECT_EQ(0, result(ring, 1));
		close_ring(ring);
		ASSERT_TRUE(has_waiters(mutex, 0));
		ASSERT_TRUE(has_waiters(semaphore, 0));
		EXPECT_EQ(0, unlock_fd(mutex));
		EXPECT_TRUE(eventually(!info_of(mutex).word));
	}
	EXPECT_TRUE(eventually(!has_grown(before, n, MANY / 2, false)));
}

/* How often the instance's trace says @what of the object */
static unsigned int traced(const char *dir, const char *what, const char *name)
{
	char path[256], line[1024];
	unsigned int n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/trace", dir);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, what) && strstr(line, name);
	if (file)
		fclose(file);
	return n;
}

TEST(each_wait_is_traced_from_its_beginning_to_its_end)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	char *name = unique_name(), *dir, path[256];
	unsigned int begun, i;
	int fd, other;

	NEED_URING();
	if (asprintf(&dir, TRACING "/instances/gosync-%s", name) < 0)
		abort();
	if (access(TRACING "/instances", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (mkdir(dir, 0700))
		SKIP(return, "no tracing");
	snprintf(path, sizeof(path), "%s/buffer_size_kb", dir);
	EXPECT_EQ(0, write_file(path, "1024"));
	snprintf(path, sizeof(path), "%s/events/gosync/enable", dir);
	EXPECT_EQ(0, write_file(path, "1"));
	fd = open_object(GOSYNC_MUTEX, name, GOSYNC_CREATE, 0600);
	other = reopen_object(fd, 0);
	for (i = 0; i < RING_KINDS; i++) {
		ASSERT_EQ(0, make_ring(ring, &ring_kinds[i]));
		EXPECT_EQ(0, lock_fd(other));
		/* Granted, cancelled, too late, closed */
		ASSERT_TRUE(queue_on(ring, 1, fd, GOSYNC_IOC_MUTEX_LOCK, 0));
		ASSERT_TRUE(queue_on(ring, 2, fd, GOSYNC_IOC_MUTEX_LOCK, 0));
		EXPECT_EQ(1, cancel(ring, fd, 2));
		EXPECT_EQ(-ETIMEDOUT, run_until(ring, fd, GOSYNC_IOC_MUTEX_LOCK,
						0, gosync_deadline(1000), 0));
		EXPECT_EQ(0, unlock_fd(other));
		EXPECT_EQ(0, result(ring, 1));
		ASSERT_TRUE(queue_on(ring, 3, fd, GOSYNC_IOC_MUTEX_LOCK, 0));
		close_ring(ring);
		ASSERT_TRUE(has_waiters(fd, 0));
		EXPECT_EQ(0, unlock_fd(fd));
		ASSERT_TRUE(eventually(!info_of(fd).word));
	}
	begun = traced(dir, "gosync_contention_begin:", name);
	EXPECT_EQ(4 * RING_KINDS, begun);
	EXPECT_EQ(begun, traced(dir, "gosync_contention_end:", name));
	EXPECT_EQ(RING_KINDS, stat_fd(fd).acquired);
	EXPECT_TRUE(adds_up(fd));
	rmdir(dir);
}

TEST_HARNESS_MAIN
