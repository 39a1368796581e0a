// SPDX-License-Identifier: GPL-2.0-only
/*
 * WaitGroup: counting, waiting, and that a wait ends with its own generation,
 * no earlier and no later, whatever comes in between.
 */
#include <sys/resource.h>
#include "kills.h"
#include "object.h"

#define COUNTER_MAX	INT32_MAX

OPENER(open_wg, gosync_waitgroup)
OBJECT_FIXTURE(waitgroup, gosync_waitgroup, wg, open_wg)

/* A child that waits, and exits with what came of it */
static pid_t spawn_waiter(FIXTURE_DATA(waitgroup) *self)
{
	return WAITER(self->wg, -gosync_waitgroup_wait(self->wg));
}

static int count_fd(int fd, int64_t delta, uint64_t *counter)
{
	struct gosync_waitgroup_add_args args = {
		.size = sizeof(args), .delta = delta,
	};
	int ret = call(fd, GOSYNC_IOC_WAITGROUP_ADD, &args);

	if (!ret && counter)
		*counter = args.counter;
	return ret;
}

enum way { LIBRARY, LIBRARY_UNTIL, IOCTL, WAYS };

/* The kernel goes on by itself with SA_RESTART, we do without. */
static int wait_in(gosync_waitgroup_t *wg, enum way way)
{
	struct gosync_waitgroup_wait_args args = { .size = sizeof(args) };
	int ret;

	if (way == LIBRARY)
		return gosync_waitgroup_wait(wg);
	if (way == LIBRARY_UNTIL)
		return gosync_waitgroup_wait_until(wg, GOSYNC_FOREVER, 0);
	ret = call(gosync_fd(wg), GOSYNC_IOC_WAITGROUP_WAIT, &args);
	if (ret == -EINTR)
		ret = call(gosync_fd(wg), GOSYNC_IOC_WAITGROUP_WAIT, &args);
	return ret;
}

/* --- counting ------------------------------------------------------------ */

/* So who waits for its name does not see it before. */
TEST_F(waitgroup, begins_with_what_it_was_made_with)
{
	struct gosync_open_args args = {
		.size = sizeof(args), .type = GOSYNC_WAITGROUP,
		.flags = GOSYNC_CREATE, .mode = 0600, .capacity = 2,
	};
	uint64_t counter;
	int device = open_device(), fd;

	fd = call(device, GOSYNC_IOC_OPEN, &args);
	ASSERT_LT(0, fd);
	EXPECT_EQ(0, count_fd(fd, -1, &counter));
	EXPECT_EQ(1, counter);
	args.capacity = INT32_MAX + 1ULL;
	EXPECT_EQ(-EINVAL, call(device, GOSYNC_IOC_OPEN, &args));
	close(device);
	close(fd);
}

TEST_F(waitgroup, is_ready_from_the_start)
{
	EXPECT_EQ(0, gosync_waitgroup_count(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_wait_until(self->wg, 1, 0));
	EXPECT_EQ(0, wait_in(self->wg, IOCTL));
	EXPECT_EQ(0, call(gosync_fd(self->wg), GOSYNC_IOC_WAITGROUP_WAIT, NULL));
	EXPECT_EQ(0, info(self->wg).word);
	EXPECT_EQ(0, info(self->wg).contended);
}

TEST_F(waitgroup, counts)
{
	gosync_waitgroup_t *other = open_wg(self->name,
					    variant->how ^ GOSYNC_IOCTL_ONLY);
	uint64_t counter;

	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 3));
	EXPECT_EQ(3, gosync_waitgroup_count(other));
	EXPECT_EQ(0, gosync_waitgroup_done(other));
	EXPECT_EQ(0, gosync_waitgroup_add(other, 5));
	EXPECT_EQ(7, gosync_waitgroup_count(self->wg));
	EXPECT_EQ(7, info(self->wg).word);
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 0));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, -3));
	EXPECT_EQ(0, count_fd(gosync_fd(other), -2, &counter));
	EXPECT_EQ(2, counter);
	EXPECT_EQ(-ETIMEDOUT, gosync_waitgroup_wait_until(self->wg, 1, 0));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, -2));
	EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 0));
	EXPECT_EQ(0, info(self->wg).word);
}

TEST_F(waitgroup, refuses_to_leave_its_range)
{
	int fd = gosync_fd(self->wg);
	uint64_t counter;

	EXPECT_EQ(-ERANGE, gosync_waitgroup_done(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_count(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 2));
	EXPECT_EQ(-ERANGE, gosync_waitgroup_add(self->wg, -3));
	EXPECT_EQ(-ERANGE, gosync_waitgroup_add(self->wg, -COUNTER_MAX));
	EXPECT_EQ(-ERANGE, gosync_waitgroup_add(self->wg, INT32_MIN));
	EXPECT_EQ(-ERANGE, gosync_waitgroup_add(self->wg, COUNTER_MAX - 1));
	EXPECT_EQ(2, gosync_waitgroup_count(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, COUNTER_MAX - 2));
	EXPECT_EQ(-ERANGE, gosync_waitgroup_add(self->wg, 1));
	EXPECT_EQ(COUNTER_MAX, gosync_waitgroup_count(self->wg));
	EXPECT_EQ(COUNTER_MAX, info(self->wg).word);

	EXPECT_EQ(-ERANGE, add_fd(fd, 1));
	EXPECT_EQ(-ERANGE, add_fd(fd, 1LL << 31));
	EXPECT_EQ(-ERANGE, add_fd(fd, -(1LL << 31)));
	EXPECT_EQ(-ERANGE, add_fd(fd, 1LL << 32));
	EXPECT_EQ(-ERANGE, add_fd(fd, INT64_MIN));
	EXPECT_EQ(-ERANGE, add_fd(fd, INT64_MAX));
	EXPECT_EQ(0, count_fd(fd, 0, &counter));
	EXPECT_EQ(COUNTER_MAX, counter);
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, -COUNTER_MAX));
	EXPECT_EQ(0, info(self->wg).word);
}

TEST_F(waitgroup, a_refused_add_releases_nobody)
{
	pid_t pid;

	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 2));
	pid = spawn_waiter(self);
	EXPECT_EQ(-ERANGE, gosync_waitgroup_add(self->wg, -3));
	EXPECT_EQ(-ERANGE, gosync_waitgroup_add(self->wg, COUNTER_MAX));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 0));
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	sleep_ns(5 * NSEC_PER_MSEC);
	EXPECT_TRUE(is_waiting(pid));
	EXPECT_EQ(1, gosync_waitgroup_count(self->wg));
	EXPECT_EQ(1, waiters(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info(self->wg).word);
}

TEST_F(waitgroup, readers_wait_but_do_not_count)
{
	gosync_waitgroup_t *reader = open_wg(self->name, GOSYNC_RDONLY |
					     variant->how);
	pid_t pid;

	ASSERT_NE(NULL, reader);
	EXPECT_EQ(0, gosync_waitgroup_wait(reader));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 2));
	EXPECT_EQ(-EBADF, gosync_waitgroup_add(reader, 1));
	EXPECT_EQ(-EBADF, gosync_waitgroup_done(reader));
	EXPECT_EQ(-EBADF, gosync_waitgroup_go(reader, NULL, NULL));
	EXPECT_EQ(2, gosync_waitgroup_count(reader));
	pid = WAITER(self->wg, -gosync_waitgroup_wait(reader));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, -2));
	EXPECT_EQ(0, reap_soon(pid));
}

/* Closing it does not take back what was counted by it. */
TEST_F(waitgroup, a_duplicate_is_another_handle_of_it)
{
	gosync_waitgroup_t *wg = HANDLE(gosync_waitgroup,
					dup(gosync_fd(self->wg)), variant->how);

	EXPECT_EQ(0, gosync_waitgroup_add(wg, 1));
	gosync_close(wg);
	EXPECT_EQ(1, gosync_waitgroup_count(self->wg));
}

static int use_without_waiting(void *arg)
{
	gosync_waitgroup_t *wg = arg;
	int i, ret = 0;

	for (i = 0; i < 100; i++) {
		ret |= gosync_waitgroup_wait(wg);
		ret |= gosync_waitgroup_wait_until(wg, 1, 0);
		ret |= gosync_waitgroup_add(wg, 2);
		ret |= gosync_waitgroup_count(wg) != 2;
		ret |= gosync_waitgroup_done(wg);
		ret |= gosync_waitgroup_done(wg);
	}
	return ret;
}

static int use_while_somebody_waits(void *arg)
{
	gosync_waitgroup_t *wg = arg;
	int i, ret = 0;

	for (i = 0; i < 100; i++) {
		ret |= gosync_waitgroup_add(wg, 2);
		ret |= gosync_waitgroup_done(wg);
		ret |= gosync_waitgroup_add(wg, -1);
		ret |= gosync_waitgroup_count(wg) != 1;
	}
	return ret;
}

TEST_F(waitgroup, makes_no_system_call_unless_somebody_sleeps_or_is_woken)
{
	pid_t pid;

	EXPECT_SYSTEM_CALLS(variant->how, use_without_waiting, self->wg);
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	pid = spawn_waiter(self);
	EXPECT_SYSTEM_CALLS(variant->how, use_while_somebody_waits, self->wg);
	EXPECT_TRUE(is_waiting(pid));
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	EXPECT_EQ(0, reap_soon(pid));
}

/* --- waiting ------------------------------------------------------------- */

TEST_F(waitgroup, waits_for_the_work_of_other_processes)
{
	enum { N = 6 };
	pid_t pids[N];
	int i;

	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, N));
	for (i = 0; i < N; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		sleep_ns(i * NSEC_PER_MSEC);
		add(self->shared, 1);
		_exit(-gosync_waitgroup_done(self->wg));
	}
	EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	EXPECT_EQ(N, load(self->shared));
	EXPECT_EQ(0, reap_all(pids, N));
}

/* More than are looked at in one go */
TEST_F(waitgroup, one_done_releases_200)
{
	enum { N = 200 };
	pid_t pids[N];
	unsigned int i;

	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	for (i = 0; i < N; i++)
		pids[i] = CHILD(-gosync_waitgroup_wait(self->wg));
	ASSERT_TRUE(eventually(waiters(self->wg) == N));
	EXPECT_EQ(N, info(self->wg).word >> GOSYNC_WAITGROUP_WAITER_SHIFT);
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	EXPECT_EQ(0, reap_all(pids, N));
	EXPECT_EQ(0, info(self->wg).word);
	EXPECT_EQ(0, waiters(self->wg));
	EXPECT_EQ(N, info(self->wg).contended);
}

/* --- signals ------------------------------------------------------------- */

/* A waiter that is in a signal's handler, and goes on at stage 2 */
static pid_t spawn_interrupted(FIXTURE_DATA(waitgroup) *self, int flags,
			       enum way way)
{
	pid_t pid;

	handler_stage = self->shared;
	store(handler_stage, 0);
	pid = WAITER(self->wg, ({
		handle(stay_in_handler, flags);
		-wait_in(self->wg, way);
	}));
	kill(pid, SIGUSR1);
	MUST(eventually(load(handler_stage) == 1));
	return pid;
}

TEST_F(waitgroup, what_became_0_during_a_handler_ends_the_wait)
{
	unsigned int i, more;

	/* In each way, with SA_RESTART and without */
	for (i = 0; i < 2 * WAYS; i++) {
		const int flags = i % 2 ? SA_RESTART : 0;
		enum way way = i / 2;
		pid_t pid;

		EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
		pid = spawn_interrupted(self, flags, way);
		/* Its generation ends, and others follow. */
		for (more = 0; more <= way; more++) {
			EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
			EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
		}
		store(handler_stage, 2);
		EXPECT_EQ(0, reap_soon(pid))
			TH_LOG("way %u, flags %x", way, flags);
		EXPECT_EQ(1, gosync_waitgroup_count(self->wg));
		EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
		EXPECT_EQ(0, info(self->wg).word);
	}
}

TEST_F(waitgroup, what_did_not_become_0_during_a_handler_does_not)
{
	unsigned int i;
	pid_t pid;

	for (i = 0; i < 2 * WAYS; i++) {
		EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 2));
		pid = spawn_interrupted(self, i % 2 ? SA_RESTART : 0, i / 2);
		EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
		EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 3));
		store(handler_stage, 2);
		ASSERT_TRUE(eventually(waiters(self->wg) == 1));
		sleep_ns(2 * NSEC_PER_MSEC);
		EXPECT_TRUE(is_waiting(pid));
		EXPECT_EQ(0, gosync_waitgroup_add(self->wg, -4));
		EXPECT_EQ(0, reap_soon(pid));
		EXPECT_EQ(0, info(self->wg).word);
	}
}

/* Who never comes back from its handler holds up nobody. */
TEST_F(waitgroup, goes_on_without_an_interrupted_waiter)
{
	pid_t pid, other;

	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	pid = spawn_interrupted(self, 0, LIBRARY);
	kill_and_reap(pid);
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	EXPECT_EQ(0, info(self->wg).word);
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	pid = spawn_interrupted(self, SA_RESTART, LIBRARY);
	other = spawn_waiter(self);
	kill_and_reap(pid);
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	EXPECT_EQ(0, reap_soon(other));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	EXPECT_EQ(0, info(self->wg).word);
}

/* --- generations --------------------------------------------------------- */

/*
 * Waiters that wait again and again. Each time that all are there, the counter
 * becomes 0 and is 1 again at once: all have to come back, before it becomes 0
 * another time, and then wait for that.
 */
TEST_F(waitgroup, who_waited_when_it_became_0_is_released_whatever_follows)
{
	enum { N = 4, ROUNDS = 300 };
	unsigned int *returned = self->shared, *go_on = self->shared + 1;
	unsigned int i, round;
	pid_t pids[N];

	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	for (i = 0; i < N; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (round = 1; round <= ROUNDS; round++) {
			if (gosync_waitgroup_wait(self->wg))
				_exit(1);
			add(returned, 1);
			/* Not again while it is 0 */
			(void)eventually(load(go_on) >= round);
		}
		_exit(0);
	}
	for (round = 1; round <= ROUNDS; round++) {
		ASSERT_TRUE(eventually(waiters(self->wg) == N));
		ASSERT_EQ(N * (round - 1), load(returned));
		ASSERT_EQ(0, gosync_waitgroup_done(self->wg));
		ASSERT_EQ(0, gosync_waitgroup_add(self->wg, 1));
		ASSERT_TRUE(eventually(load(returned) == N * round))
			TH_LOG("round %u: %u", round, load(returned));
		store(go_on, round);
	}
	EXPECT_EQ(0, reap_all(pids, N));
	EXPECT_EQ(1, info(self->wg).word);
}

/*
 * Reused without any pause: one process takes the counter to 0, and while it is
 * still at it, releasing those who wait, another has begun the next generation.
 * While @active is a generation's number its counter is not 0; @ended tells that
 * it will be now. So who saw a generation active and then waited must not come
 * back before that has ended.
 */
TEST_F(waitgroup, generations_never_mix)
{
	enum { N = 4, ROUNDS = 3000 };
	struct {
		unsigned int active, ended, stop, early, failed, waited;
		unsigned int taken_down;
	} *shared = shared_memory(sizeof(*shared));
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int i, generation = 0;
	pid_t pids[N], ender;

	handle(count_signal, 0);
	ender = spawn();
	if (!ender) {
		while (!load(&shared->stop)) {
			if (load(&shared->ended) == load(&shared->taken_down)) {
				sched_yield();
				continue;
			}
			add(&shared->taken_down, 1);
			if (gosync_waitgroup_done(self->wg))
				add(&shared->failed, 1);
		}
		_exit(0);
	}
	for (i = 0; i < N; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		seed += i;
		handle(count_signal, i % 2 ? SA_RESTART : 0);
		while (!load(&shared->stop)) {
			uint64_t soon = gosync_deadline(random_u32(&seed) %
							NSEC_PER_MSEC);
			unsigned int seen = load(&shared->active);
			int ret;

			ret = i ? gosync_waitgroup_wait(self->wg) :
				  gosync_waitgroup_wait_until(self->wg, soon, 0);
			if (ret && (i || ret != -ETIMEDOUT))
				add(&shared->failed, 1);
			if (ret)
				continue;
			if (seen && load(&shared->ended) < seen)
				add(&shared->early, 1);
			if (seen)
				add(&shared->waited, 1);
		}
		_exit(0);
	}
	do {
		uint32_t r = random_u32(&seed);

		generation++;
		ASSERT_EQ(0, gosync_waitgroup_add(self->wg, 2));
		store(&shared->active, generation);
		ASSERT_EQ(0, gosync_waitgroup_done(self->wg));
		if (r % 16 == 0)
			sched_yield();
		if (r % 64 == 1)
			sleep_ns(r % (300 * NSEC_PER_USEC));
		if (r % 64 == 2)
			kill(pids[r / 64 % N], SIGUSR1);
		store(&shared->active, 0);
		store(&shared->ended, generation);
		while (gosync_waitgroup_count(self->wg))
			sched_yield();
	} while (generation < ROUNDS || budget_left(end));
	ASSERT_TRUE(eventually(load(&shared->taken_down) == generation));
	store(&shared->stop, 1);
	EXPECT_EQ(0, reap_soon(ender));
	EXPECT_EQ(0, reap_all(pids, N));
	TH_LOG("%u generations, %u waited for one, %llu slept", generation,
	       shared->waited, (unsigned long long)info(self->wg).contended);
	EXPECT_EQ(0, shared->early);
	EXPECT_EQ(0, shared->failed);
	EXPECT_LT(0, shared->waited);
	EXPECT_EQ(0, info(self->wg).word);
	EXPECT_EQ(0, waiters(self->wg));
}

/* Only who writes to the word can bring this about. */
TEST_F(waitgroup, add_is_refused_while_released_waiters_would_be_forgotten)
{
	struct gosync_waitgroup_slot *slot = map_state(gosync_fd(self->wg));
	pid_t pid;

	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	pid = spawn_waiter(self);
	store(&slot->word, (uint64_t)1 << GOSYNC_WAITGROUP_WAITER_SHIFT);
	EXPECT_EQ(-EBUSY, gosync_waitgroup_add(self->wg, 1));
	EXPECT_EQ(0, info(self->wg).word & GOSYNC_WAITGROUP_COUNTER);
	EXPECT_EQ(1, waiters(self->wg));
	/* The kernel does not need the word to know. */
	store(&slot->word, 0);
	EXPECT_EQ(-EBUSY, add_fd(gosync_fd(self->wg), 1));
	EXPECT_EQ(0, info(self->wg).word & GOSYNC_WAITGROUP_COUNTER);
	EXPECT_EQ(1, waiters(self->wg));
	store(&slot->word, 1);
	EXPECT_EQ(0, add_fd(gosync_fd(self->wg), -1));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 1));
	EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
	EXPECT_EQ(0, info(self->wg).word);
}

/* --- go ------------------------------------------------------------------ */

struct work {
	gosync_waitgroup_t *wg;
	unsigned int *done;
};

static void work(void *arg)
{
	struct work *work = arg;

	sleep_ns(NSEC_PER_MSEC);
	add(work->done, 1);
}

TEST_F(waitgroup, go_runs_and_counts)
{
	enum { PROCESSES = 3, EACH = 5 };
	struct work arg = { self->wg, self->shared };
	pid_t pids[PROCESSES];
	int i, j;

	/* One that is not over until the processes have begun theirs */
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, PROCESSES));
	for (i = 0; i < PROCESSES; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (j = 0; j < EACH; j++)
			EXPECT_EQ(0, gosync_waitgroup_go(self->wg, work, &arg));
		EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
		EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
		EXPECT_EQ(PROCESSES * EACH, load(self->shared));
		_exit(0);
	}
	EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	EXPECT_EQ(PROCESSES * EACH, load(self->shared));
	EXPECT_EQ(0, reap_all(pids, PROCESSES));
}

static void go_on(void *arg)
{
	struct work *mine = arg;

	if (gosync_waitgroup_go(mine->wg, work, mine))
		add(mine->done, 1000);
}

TEST_F(waitgroup, go_may_be_called_from_what_runs)
{
	struct work arg = { self->wg, self->shared };
	int i;

	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, gosync_waitgroup_go(self->wg, go_on, &arg));
	EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	EXPECT_EQ(10, load(self->shared));
}

TEST_F(waitgroup, go_that_fails_counts_nothing)
{
	struct work arg = { self->wg, self->shared };
	pid_t pid = spawn();

	if (!pid) {
		struct rlimit none = { 0, 0 };

		/* No room for a stack */
		ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
		EXPECT_GT(0, gosync_waitgroup_go(self->wg, work, &arg));
		EXPECT_EQ(0, gosync_waitgroup_count(self->wg));
		_exit(0);
	}
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, COUNTER_MAX));
	EXPECT_EQ(-ERANGE, gosync_waitgroup_go(self->wg, work, &arg));
	EXPECT_EQ(COUNTER_MAX, gosync_waitgroup_count(self->wg));
	EXPECT_EQ(0, load(self->shared));
}

/* --- fork, close, death -------------------------------------------------- */

TEST_F(waitgroup, a_child_goes_on_with_the_handle)
{
	struct gosync_info before = info(self->wg);
	pid_t pid;

	EXPECT_EQ(0, gosync_waitgroup_add(self->wg, 2));
	pid = spawn();
	if (!pid) {
		EXPECT_EQ(before.id, info(self->wg).id);
		EXPECT_NE(before.holder, info(self->wg).holder);
		EXPECT_EQ(!variant->how, gosync_is_mapped(self->wg));
		EXPECT_EQ(0, gosync_waitgroup_done(self->wg));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(1, gosync_waitgroup_count(self->wg));
	pid = spawn();
	if (!pid) {
		sleep_ns(2 * NSEC_PER_MSEC);
		_exit(-gosync_waitgroup_done(self->wg));
	}
	EXPECT_EQ(0, gosync_waitgroup_wait(self->wg));
	EXPECT_EQ(0, reap(pid));
}

enum { WORKERS = 6 };

struct storm {
	gosync_waitgroup_t *wg;
	unsigned int stop, failed, rounds;
};

static void add_done_and_wait(void *arg, unsigned int me)
{
	struct storm *storm = arg;
	uint64_t seed = random_seed() + me;

	do {
		uint32_t r = random_u32(&seed);
		int ret = r % 2 ? gosync_waitgroup_add(storm->wg, 1) : 0;

		if (ret)
			add(&storm->failed, 1);
		if (r % 8 == 1)
			sleep_ns(r % 1000000);
		if (r % 2)
			ret = gosync_waitgroup_done(storm->wg);
		/* Who counts down may have been quicker. */
		if ((ret && ret != -ERANGE) || gosync_waitgroup_wait(storm->wg))
			add(&storm->failed, 1);
		add(&storm->rounds, 1);
	} while (!load(&storm->stop));
}

static void count_down(gosync_waitgroup_t *wg)
{
	int count = gosync_waitgroup_count(wg);

	if (count > 0)
		gosync_waitgroup_add(wg, -count);
}

static void count_down_at_times(void *arg, unsigned int me)
{
	struct storm *storm = arg;
	static unsigned int deaths;

	if (++deaths % 4 == 0)
		count_down(storm->wg);
}

/*
 * Who dies between add and done leaves the counter too high, as in Go a
 * goroutine that forgets: the survivors count down what is left, and then
 * nobody waits.
 */
TEST_F(waitgroup, death_at_any_moment_leaves_nobody_hanging)
{
	struct storm *storm = shared_memory(sizeof(*storm));
	pid_t pids[WORKERS];
	unsigned int kills, i;
	int status;

	storm->wg = self->wg;
	kills = kill_at_random(pids, WORKERS, add_done_and_wait,
			       count_down_at_times, &storm->rounds, storm);
	store(&storm->stop, 1);
	for (i = 0; i < WORKERS; i++) {
		EXPECT_TRUE(eventually(({
			count_down(self->wg);
			waitpid(pids[i], &status, WNOHANG) == pids[i];
		})));
		EXPECT_EQ(0, status);
	}
	count_down(self->wg);
	TH_LOG("%u kills, %u rounds", kills, storm->rounds);
	EXPECT_EQ(0, storm->failed);
	EXPECT_EQ(0, waiters(self->wg));
	EXPECT_EQ(0, info(self->wg).word);
	EXPECT_EQ(1, info(self->wg).holders);
}

TEST_HARNESS_MAIN
