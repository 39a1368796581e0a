// SPDX-License-Identifier: GPL-2.0-only
/*
 * Once: something is done once among all processes, and whoever dies while
 * doing it has a successor that is told.
 */
#include "ends.h"
#include "object.h"

OPENER(open_once, gosync_once)
OBJECT_FIXTURE(once, gosync_once, once, open_once)

static int begin_fd(int fd)
{
	return call(fd, GOSYNC_IOC_ONCE_BEGIN, NULL);
}

/* A child that runs it, for ever */
static pid_t spawn_runner(FIXTURE_DATA(once) *self)
{
	return RESTING_CHILD(gosync_once_begin(self->once) <= 0);
}

/* A child that waits, does it if told so, and exits with what it was told */
static pid_t spawn_waiter(FIXTURE_DATA(once) *self)
{
	return WAITER(self->once, ({
		int ret = gosync_once_begin(self->once);

		ret > 0 && gosync_once_done(self->once) ? 100 : ret;
	}));
}

/* Counts how often it ran, and how often after somebody's death. */
struct runs {
	unsigned int count;
	unsigned int died;
};

static void run(void *arg, int died)
{
	struct runs *runs = arg;

	add(&runs->count, 1);
	if (died)
		add(&runs->died, 1);
}

/* --- once ---------------------------------------------------------------- */

TEST_F(once, is_begun_and_done)
{
	gosync_once_t *other = open_once(self->name,
					 variant->how ^ GOSYNC_IOCTL_ONLY);
	uint32_t me = info(self->once).holder;

	EXPECT_EQ(0, gosync_once_is_done(self->once));
	EXPECT_EQ(0, info(self->once).word);
	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	EXPECT_EQ(me, info(self->once).owner);
	EXPECT_EQ(GOSYNC_ONCE_RUNS | (uint64_t)me << GOSYNC_ONCE_OWNER_SHIFT,
		  info(self->once).word);
	EXPECT_EQ(0, gosync_once_is_done(other));
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_EQ(1, gosync_once_is_done(self->once));
	EXPECT_EQ(1, gosync_once_is_done(other));
	EXPECT_EQ(GOSYNC_ONCE_DONE, gosync_once_begin(other));
	EXPECT_EQ(GOSYNC_ONCE_DONE, gosync_once_begin(self->once));
	EXPECT_EQ(GOSYNC_ONCE_DONE, begin_fd(gosync_fd(other)));
	EXPECT_EQ(GOSYNC_ONCE_DONE, gosync_once_begin_until(other, 1, 0));
	EXPECT_EQ(GOSYNC_ONCE_IS_DONE, info(self->once).word);
	EXPECT_EQ(0, info(self->once).owner);
	EXPECT_EQ(0, info(self->once).deaths);
}

TEST_F(once, does_it_once)
{
	gosync_once_t *other = open_once(self->name, variant->how);
	struct runs runs = {};

	EXPECT_EQ(0, gosync_once_do(self->once, run, &runs));
	EXPECT_EQ(1, runs.count);
	EXPECT_EQ(0, gosync_once_do(self->once, run, &runs));
	EXPECT_EQ(0, gosync_once_do(other, run, &runs));
	EXPECT_EQ(1, runs.count);
	EXPECT_EQ(0, runs.died);
}

TEST_F(once, is_done_only_by_who_runs_it)
{
	gosync_once_t *other = open_once(self->name, variant->how);

	EXPECT_EQ(-EPERM, gosync_once_done(self->once));
	EXPECT_EQ(0, info(self->once).word);
	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	EXPECT_EQ(-EPERM, gosync_once_done(other));
	EXPECT_EQ(info(self->once).holder, info(self->once).owner);
	EXPECT_EQ(0, gosync_once_is_done(other));
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_EQ(-EPERM, gosync_once_done(self->once));
	EXPECT_EQ(-EPERM, gosync_once_done(other));
	EXPECT_EQ(GOSYNC_ONCE_IS_DONE, info(self->once).word);
}

enum { ROUNDS = 20, RACERS = 6 };

struct race {
	unsigned int arrived;
	unsigned int runs[ROUNDS];
	unsigned int effect[ROUNDS];
	unsigned int unseen;
};

static unsigned int race_round;

static void run_in_race(void *arg, int died)
{
	struct race *race = arg;

	add(&race->runs[race_round], 1 + 100 * !!died);
	sleep_ns(NSEC_PER_MSEC);
	store(&race->effect[race_round], 1);
}

TEST_F(once, one_of_many_does_it_and_all_see_it_done)
{
	struct race *race = shared_memory(sizeof(*race));
	gosync_once_t *onces[ROUNDS];
	pid_t pids[RACERS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		onces[i] = open_once(NULL, GOSYNC_CREATE | variant->how);
		ASSERT_NE(NULL, onces[i]);
	}
	for (i = 0; i < RACERS; i++) {
		pids[i] = spawn();
		if (pids[i])
			continue;
		for (race_round = 0; race_round < ROUNDS; race_round++) {
			meet(&race->arrived, RACERS, race_round + 1);
			EXPECT_EQ(0, gosync_once_do(onces[race_round],
						    run_in_race, race));
			if (!load(&race->effect[race_round]))
				add(&race->unseen, 1);
		}
		_exit(0);
	}
	EXPECT_EQ(0, reap_all(pids, RACERS));
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(1, race->runs[i]);
	EXPECT_EQ(0, race->unseen);
}

TEST_F(once, done_releases_all_who_wait)
{
	enum { N = 50 };
	pid_t pids[N];
	int i;

	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	for (i = 0; i < N; i++)
		pids[i] = CHILD(gosync_once_begin(self->once));
	ASSERT_TRUE(eventually(waiters(self->once) == N));
	EXPECT_EQ(0, gosync_once_done(self->once));
	for (i = 0; i < N; i++)
		EXPECT_EQ(GOSYNC_ONCE_DONE, reap_soon(pids[i]));
	EXPECT_EQ(0, waiters(self->once));
	EXPECT_EQ(GOSYNC_ONCE_IS_DONE, info(self->once).word);
}

TEST_F(once, readers_only_look)
{
	gosync_once_t *reader = open_once(self->name, GOSYNC_RDONLY |
					  variant->how);
	struct runs runs = {};

	ASSERT_NE(NULL, reader);
	EXPECT_EQ(0, gosync_once_is_done(reader));
	EXPECT_EQ(-EBADF, gosync_once_begin(reader));
	EXPECT_EQ(-EBADF, gosync_once_do(reader, run, &runs));
	EXPECT_EQ(-EBADF, gosync_once_done(reader));
	EXPECT_EQ(0, info(self->once).word);
	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	EXPECT_EQ(-EBADF, gosync_once_begin(reader));
	EXPECT_EQ(0, gosync_once_is_done(reader));
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_EQ(1, gosync_once_is_done(reader));
	EXPECT_EQ(GOSYNC_ONCE_DONE, gosync_once_begin(reader));
	EXPECT_EQ(GOSYNC_ONCE_DONE, begin_fd(gosync_fd(reader)));
	EXPECT_EQ(0, gosync_once_do(reader, run, &runs));
	EXPECT_EQ(0, runs.count);
}

/* The same holder: it may be done with either handle. */
TEST_F(once, a_duplicate_is_another_handle_of_it)
{
	gosync_once_t *once = HANDLE(gosync_once, dup(gosync_fd(self->once)),
				     variant->how);

	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(once));
	EXPECT_EQ(0, gosync_once_done(self->once));
}

static int use_when_done(void *arg)
{
	gosync_once_t *once = arg;
	struct runs runs = {};
	int i, ret = 0;

	for (i = 0; i < 100; i++) {
		ret |= gosync_once_do(once, run, &runs);
		ret |= gosync_once_begin(once);
		ret |= gosync_once_begin_until(once, 1, 0);
		ret |= gosync_once_is_done(once) != 1;
	}
	return ret | runs.count;
}

static int look(void *arg)
{
	return gosync_once_is_done(arg);
}

TEST_F(once, makes_no_system_call_once_done)
{
	gosync_once_t *reader = open_once(self->name, GOSYNC_RDONLY |
					  variant->how);

	EXPECT_SYSTEM_CALLS(variant->how, look, self->once);
	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	EXPECT_SYSTEM_CALLS(variant->how, look, self->once);
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_SYSTEM_CALLS(variant->how, use_when_done, self->once);
	EXPECT_SYSTEM_CALLS(variant->how, use_when_done, reader);
}

/* --- inside itself ------------------------------------------------------- */

struct inside {
	gosync_once_t *once;
	gosync_once_t *other;
	struct runs runs;
	int results[3];
};

static void try_again(void *arg, int died)
{
	struct inside *inside = arg;

	inside->results[0] = gosync_once_do(inside->once, run, &inside->runs);
	inside->results[1] = gosync_once_begin(inside->once);
	inside->results[2] = gosync_once_wait(inside->once);
}

TEST_F(once, is_not_begun_inside_itself)
{
	struct inside inside = { self->once };
	unsigned int i;

	EXPECT_EQ(0, gosync_once_do(self->once, try_again, &inside));
	for (i = 0; i < ARRAY_SIZE(inside.results); i++) {
		EXPECT_EQ(-EDEADLK, inside.results[i])
			TH_LOG("at %u", i);
	}
	EXPECT_EQ(0, inside.runs.count);
	EXPECT_EQ(1, gosync_once_is_done(self->once));
	EXPECT_EQ(0, gosync_once_do(self->once, try_again, &inside));
}

/* What comes to an end is waited for, though the thread runs it. */
TEST_F(once, may_be_waited_for_inside_itself_until_a_deadline)
{
	int fd = gosync_fd(self->once);

	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	EXPECT_EQ(-ETIMEDOUT,
		  gosync_once_begin_until(self->once,
					  gosync_deadline(NSEC_PER_MSEC), 0));
	EXPECT_EQ(-ETIMEDOUT,
		  gosync_once_wait_until(self->once,
					 gosync_deadline(NSEC_PER_MSEC), 0));
	EXPECT_EQ(-EDEADLK, call(fd, GOSYNC_IOC_ONCE_BEGIN, NULL));
	EXPECT_EQ(-EDEADLK, call(fd, GOSYNC_IOC_ONCE_WAIT, NULL));
	EXPECT_EQ(0, gosync_once_done(self->once));
}

struct task {
	gosync_once_t *once;
	int ret;
};

static void *do_the_rest(void *arg)
{
	struct task *task = arg;

	/* Not before our thread waits */
	if (!eventually(info_of(gosync_fd(task->once)).waiters == 1))
		return NULL;
	task->ret = gosync_once_done(task->once);
	return NULL;
}

/*
 * A runtime has moved the task that runs it to another thread, and has another
 * task wait in this one.
 */
TEST_F(once, a_task_waits_in_the_thread_in_which_another_began)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		gosync_once_t *once = open_once(NULL, GOSYNC_CREATE |
						variant->how);
		struct task task = { once, -1 };
		gosync_once_t *other = NULL;
		pthread_t thread;
		int fd = reopen_object(gosync_fd(once), 0);

		ASSERT_LE(0, fd);
		other = HANDLE(gosync_once, fd, variant->how);
		EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(once));
		ASSERT_EQ(0, pthread_create(&thread, NULL, do_the_rest, &task));
		EXPECT_EQ(0, i ? gosync_once_wait(other) :
				 gosync_once_begin(other));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(0, task.ret);
		gosync_close(other);
		gosync_close(once);
	}
}

static void do_other(void *arg, int died)
{
	struct inside *inside = arg;

	inside->results[0] = gosync_once_do(inside->other, run, &inside->runs);
}

TEST_F(once, another_may_be_done_inside)
{
	struct inside inside = {
		self->once, open_once(NULL, GOSYNC_CREATE | variant->how),
	};

	EXPECT_EQ(0, gosync_once_do(self->once, do_other, &inside));
	EXPECT_EQ(0, inside.results[0]);
	EXPECT_EQ(1, inside.runs.count);
	EXPECT_EQ(1, gosync_once_is_done(self->once));
	EXPECT_EQ(1, gosync_once_is_done(inside.other));
}

struct in_thread {
	gosync_once_t *once;
	uint64_t deadline;
	int ret;
};

static void *begin_in_thread(void *arg)
{
	struct in_thread *in = arg;

	in->ret = gosync_once_begin_until(in->once, in->deadline, 0);
	return NULL;
}

static void *done_in_thread(void *arg)
{
	struct in_thread *in = arg;

	in->ret = gosync_once_done(in->once);
	return NULL;
}

TEST_F(once, another_thread_of_the_runners_process_waits)
{
	struct in_thread in = { self->once, gosync_deadline(20000000), -1 };
	pthread_t thread;

	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	ASSERT_EQ(0, pthread_create(&thread, NULL, begin_in_thread, &in));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-ETIMEDOUT, in.ret);
	in.deadline = GOSYNC_FOREVER;
	ASSERT_EQ(0, pthread_create(&thread, NULL, begin_in_thread, &in));
	ASSERT_TRUE(eventually(waiters(self->once) == 1));
	EXPECT_EQ(0, gosync_once_done(self->once));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(GOSYNC_ONCE_DONE, in.ret);
}

TEST_F(once, another_thread_may_do_the_rest)
{
	struct in_thread in = { self->once, GOSYNC_FOREVER, -1 };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, begin_in_thread, &in));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(GOSYNC_ONCE_RUN, in.ret);
	/* The thread that began has ended, the holder that runs it has not. */
	EXPECT_EQ(-ETIMEDOUT, gosync_once_begin_until(self->once, 1, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, done_in_thread, &in));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, in.ret);
	EXPECT_EQ(1, gosync_once_is_done(self->once));
}

TEST_F(once, a_run_that_is_free_is_begun_however_late_it_is)
{
	pid_t pid = spawn_runner(self);

	EXPECT_EQ(-ETIMEDOUT, gosync_once_begin_until(self->once, 1, 0));
	EXPECT_EQ(pid, info(self->once).owner_pid);
	kill_and_reap(pid);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN,
		  gosync_once_begin_until(self->once, 1, 0));
}

/* --- the death of who runs it -------------------------------------------- */

TEST_F(once, a_dead_runner_is_replaced_and_its_successor_told)
{
	pid_t runner = spawn_runner(self), waiters[3];
	int i;

	for (i = 0; i < 3; i++)
		waiters[i] = spawn_waiter(self);
	kill_and_reap(runner);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, reap_soon(waiters[0]));
	EXPECT_EQ(GOSYNC_ONCE_DONE, reap_soon(waiters[1]));
	EXPECT_EQ(GOSYNC_ONCE_DONE, reap_soon(waiters[2]));
	EXPECT_EQ(1, info(self->once).deaths);
	EXPECT_EQ(1, gosync_once_is_done(self->once));
	EXPECT_EQ(GOSYNC_ONCE_IS_DONE,
		  info(self->once).word & ~GOSYNC_ONCE_DIED);
}

TEST_F(once, a_runner_that_dies_alone_is_told_to_the_next)
{
	struct runs runs = {};
	pid_t pid = spawn_runner(self);

	kill_and_reap(pid);
	EXPECT_EQ(0, info(self->once).owner);
	EXPECT_EQ(0, gosync_once_is_done(self->once));
	EXPECT_EQ(0, gosync_once_do(self->once, run, &runs));
	EXPECT_EQ(1, runs.count);
	EXPECT_EQ(1, runs.died);
	EXPECT_EQ(1, info(self->once).deaths);
	EXPECT_EQ(1, gosync_once_is_done(self->once));
}

TEST_F(once, a_death_outside_is_not_told)
{
	pid_t pid = CHILD(gosync_once_is_done(self->once));

	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(GOSYNC_ONCE_RUN, gosync_once_begin(self->once));
	pid = spawn_waiter(self);
	kill_and_reap(pid);
	EXPECT_EQ(0, waiters(self->once));
	EXPECT_EQ(info(self->once).holder, info(self->once).owner);
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_EQ(0, info(self->once).deaths);
	EXPECT_EQ(GOSYNC_ONCE_IS_DONE, info(self->once).word);
}

/* All queue; each but the last is killed when it is told to run. */
TEST_F(once, killed_runners_in_a_row)
{
	enum { N = 20 };
	pid_t pids[N + 1], last;
	int i;

	pids[0] = spawn_runner(self);
	for (i = 1; i <= N; i++) {
		pids[i] = spawn();
		if (!pids[i]) {
			/* Die with it, or be released when it is done. */
			if (gosync_once_begin(self->once) !=
			    GOSYNC_ONCE_RUN_AGAIN)
				_exit(1);
			rest();
		}
		ASSERT_TRUE(eventually(waiters(self->once) == i));
	}
	last = spawn_waiter(self);
	for (i = 0; i <= N; i++) {
		ASSERT_TRUE(eventually(rests(pids[i])))
			TH_LOG("at %d", i);
		EXPECT_EQ(pids[i], info(self->once).owner_pid);
		EXPECT_EQ(i, info(self->once).deaths);
		EXPECT_TRUE(is_waiting(last));
		ASSERT_EQ(128 + SIGKILL, kill_and_reap(pids[i]));
	}
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, reap_soon(last));
	EXPECT_EQ(N + 1, info(self->once).deaths);
	EXPECT_EQ(1, gosync_once_is_done(self->once));
	EXPECT_EQ(0, waiters(self->once));
}

TEST_F(once, a_runner_ends_in_many_ways)
{
	unsigned int i, deaths = 0;
	bool waited;
	pid_t pid;

	/* A holder that stays */
	ASSERT_LE(0, open_object(0, self->name, 0, 0));
	for (i = 0; i < 2 * ARRAY_SIZE(ends); i++) {
		/* While somebody waits, and while nobody does */
		waited = i % 2;
		store(self->shared, 0);
		pid = spawn();
		if (!pid) {
			gosync_once_t *once = open_once(self->name,
							variant->how);

			if (gosync_once_begin(once) <= 0)
				_exit(1);
			store(self->shared, 1);
			while (load(self->shared) != 2)
				sleep_ns(NSEC_PER_MSEC / 10);
			ends[i / 2](once);
			_exit(2);
		}
		ASSERT_TRUE(eventually(load(self->shared) == 1));
		if (!waited) {
			store(self->shared, 2);
			EXPECT_TRUE(eventually(info(self->once).deaths ==
					       deaths + 1));
		} else {
			pid_t helper = spawn();

			if (!helper) {
				if (!eventually(waiters(self->once) == 1))
					_exit(1);
				store(self->shared, 2);
				_exit(0);
			}
			EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN,
				  gosync_once_begin(self->once))
				TH_LOG("way %u", i / 2);
			EXPECT_EQ(0, reap(helper));
			/* Our own end, for the next of them */
			gosync_close(self->once);
			self->once = open_once(self->name, variant->how);
			deaths++;
		}
		deaths++;
		EXPECT_EQ(deaths, info(self->once).deaths);
		kill_and_reap(pid);
	}
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(self->once));
	EXPECT_EQ(0, gosync_once_done(self->once));
}

/*
 * With a processor to itself, the caller can end its run and kill whom it told
 * to take over before that one runs.
 */
TEST_F(once, who_is_told_to_run_and_dies_passes_it_on)
{
	gosync_once_t *runner;
	pid_t first, second;
	int i;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (i = 0; i < 10; i++) {
		unsigned int deaths = info(self->once).deaths;

		runner = open_once(self->name, variant->how);
		ASSERT_EQ(i ? GOSYNC_ONCE_RUN_AGAIN : GOSYNC_ONCE_RUN,
			  gosync_once_begin(runner));
		first = spawn_waiter(self);
		second = spawn();
		if (!second) {
			if (gosync_once_begin(self->once) <= 0)
				_exit(1);
			for (;;)
				pause();
		}
		ASSERT_TRUE(eventually(waiters(self->once) == 2));
		gosync_close(runner);
		EXPECT_EQ(first, info(self->once).owner_pid);
		kill(first, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, reap(first));
		ASSERT_TRUE(eventually(info(self->once).owner_pid == second));
		EXPECT_LT(deaths, info(self->once).deaths);
		kill_and_reap(second);
		EXPECT_EQ(0, gosync_once_is_done(self->once));
	}
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(self->once));
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_EQ(1, gosync_once_is_done(self->once));
}

struct fork_inside {
	FIXTURE_DATA(once) *self;
	int done, begin;
	pid_t child;
};

static void fork_inside(void *arg, int died)
{
	struct fork_inside *inside = arg;
	pid_t pid = spawn();

	if (!pid) {
		/* What the parent runs is not ours to say done. */
		if (gosync_once_done(inside->self->once) != -EPERM)
			_exit(1);
		if (gosync_once_begin_until(inside->self->once, 1, 0) !=
		    -ETIMEDOUT)
			_exit(2);
		_exit(0);
	}
	/* Its end is not the end of our run. */
	inside->done = reap_soon(pid);
	inside->begin = info(inside->self).owner == info(inside->self).holder;
	inside->child = spawn_waiter(inside->self);
}

TEST_F(once, a_child_of_the_runner_waits_like_others)
{
	struct fork_inside inside = { self };

	EXPECT_EQ(0, gosync_once_do(self->once, fork_inside, &inside));
	EXPECT_EQ(0, inside.done);
	EXPECT_EQ(1, inside.begin);
	ASSERT_LT(0, inside.child);
	EXPECT_EQ(GOSYNC_ONCE_DONE, reap_soon(inside.child));
	EXPECT_EQ(0, info(self->once).deaths);
}

/* Who is told to run on a descriptor that is closed by then has ended. */
TEST_F(once, closing_the_descriptor_does_not_end_the_wait)
{
	struct call_in_thread wait = {
		.fd = open_object(0, self->name, 0, 0),
		.cmd = GOSYNC_IOC_ONCE_BEGIN, .ret = -1,
	};
	pid_t runner = spawn_runner(self);
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, call_in_thread, &wait));
	ASSERT_TRUE(eventually(waiters(self->once) == 1));
	close(wait.fd);
	EXPECT_EQ(1, waiters(self->once));
	kill_and_reap(runner);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, wait.ret);
	EXPECT_EQ(1, info(self->once).holders);
	EXPECT_EQ(2, info(self->once).deaths);
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(self->once));
}

/* --- waiting, and no more ------------------------------------------------ */

static int wait_until(int fd, uint64_t deadline, unsigned int flags)
{
	struct gosync_wait_args args = {
		.size = sizeof(args), .flags = flags, .deadline = deadline,
	};

	return call(fd, GOSYNC_IOC_ONCE_WAIT, &args);
}

static int wait_fd(int fd)
{
	return call(fd, GOSYNC_IOC_ONCE_WAIT, NULL);
}

/* It is never told to run, whoever else is, or dies. */
TEST_F(once, wait_ends_when_it_is_done)
{
	enum { N = 30 };
	struct gosync_stat stat = { .size = sizeof(stat) };
	int reader = open_object(0, self->name, GOSYNC_RDONLY, 0);
	pid_t pids[N], runner;
	int i;

	for (i = 0; i < N; i++)
		pids[i] = CHILD(-wait_fd(i % 2 ? gosync_fd(self->once) : reader));
	ASSERT_TRUE(eventually(waiters(self->once) == N));
	runner = spawn_runner(self);
	EXPECT_EQ(N, waiters(self->once));
	kill_and_reap(runner);
	EXPECT_EQ(N, waiters(self->once));
	EXPECT_EQ(-ETIMEDOUT, wait_until(reader, 1, 0));
	EXPECT_EQ(GOSYNC_ONCE_RUN_AGAIN, gosync_once_begin(self->once));
	EXPECT_EQ(0, gosync_once_done(self->once));
	EXPECT_EQ(0, reap_all(pids, N));
	EXPECT_EQ(0, wait_fd(reader));
	/* Also when it is late */
	EXPECT_EQ(0, wait_until(reader, 1, 0));
	ASSERT_EQ(0, call(reader, GOSYNC_IOC_STAT, &stat));
	EXPECT_EQ(N + 1, stat.contended);
	EXPECT_EQ(N, stat.acquired);
	EXPECT_EQ(N, stat.handed_over);
	EXPECT_EQ(1, stat.gave_up);
	EXPECT_EQ(1, stat.deaths);
	EXPECT_EQ(0, waiters(self->once));
}

TEST_F(once, who_waits_is_not_in_the_way_of_who_would_run_it)
{
	struct gosync_party parties[4];
	pid_t pids[3], runner;
	int i, n;

	runner = spawn_runner(self);
	for (i = 0; i < 3; i++) {
		pids[i] = spawn();
		if (!pids[i] && i == 1)
			_exit(gosync_once_begin(self->once) ==
			      GOSYNC_ONCE_RUN_AGAIN ?
			      gosync_once_done(self->once) : 1);
		if (!pids[i])
			_exit(-wait_fd(gosync_fd(self->once)));
		ASSERT_TRUE(eventually(waiters(self->once) == i + 1));
	}
	n = gosync_waiters(self->once, parties, 4);
	ASSERT_EQ(3, n);
	while (n--) {
		EXPECT_TRUE(parties[n].pid == pids[0] ||
			    parties[n].pid == pids[1] ||
			    parties[n].pid == pids[2]);
		EXPECT_EQ(parties[n].pid, parties[n].tid);
		EXPECT_EQ(0, parties[n].flags);
	}
	kill_and_reap(runner);
	EXPECT_EQ(0, reap_all(pids, 3));
	EXPECT_EQ(1, info(self->once).deaths);
	EXPECT_EQ(0, waiters(self->once));
}

enum { WORKERS = 5, BATCH = 8 };

struct storm {
	struct storm_once {
		char name[64];
		unsigned int inside;	/* who runs it, or died with it */
		unsigned int effect;
		unsigned int first, again;
	} onces[BATCH];
	unsigned int wrong;
};

struct storm_run {
	struct storm *storm;
	struct storm_once *once;
	unsigned int me;
	uint64_t *seed;
};

static void run_in_storm(void *arg, int died)
{
	struct storm_run *run = arg;
	struct storm_once *once = run->once;

	/* Who finds traces of another is told that it died. */
	if (!died && (load(&once->inside) || load(&once->effect)))
		add(&run->storm->wrong, 1);
	add(died ? &once->again : &once->first, 1);
	store(&once->inside, run->me);
	if (random_u32(run->seed) % 2)
		sleep_ns(random_u32(run->seed) % (2 * NSEC_PER_MSEC));
	if (load(&once->inside) != run->me)
		add(&run->storm->wrong, 1);
	store(&once->effect, run->me);
}

static pid_t spawn_worker(struct storm *storm, unsigned int how)
{
	static unsigned int workers;
	unsigned int i, me = ++workers;
	pid_t pid = spawn();

	if (pid)
		return pid;
	for (i = 0; i < BATCH; i++) {
		uint64_t seed = random_seed() + me * BATCH + i;
		struct storm_run run = { storm, &storm->onces[i], me, &seed };
		gosync_once_t *once = open_once(storm->onces[i].name, how);

		if (!once)
			_exit(1);
		if (gosync_once_do(once, run_in_storm, &run))
			_exit(2);
		if (!load(&storm->onces[i].effect))
			_exit(3);
		gosync_close(once);
	}
	_exit(0);
}

TEST_F(once, death_at_any_moment_leaves_nobody_hanging)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	struct storm *storm = shared_memory(sizeof(*storm));
	unsigned int i, kills = 0, again = 0, batches = 0;
	int fds[BATCH];

	do {
		unsigned int left = 2 * WORKERS, batch_kills = 0;
		pid_t pids[WORKERS];

		memset(storm, 0, sizeof(*storm));
		for (i = 0; i < BATCH; i++) {
			snprintf(storm->onces[i].name, sizeof(storm->onces[i].name),
				 "%s-%u-%u", self->name, batches, i);
			fds[i] = open_object(GOSYNC_ONCE, storm->onces[i].name,
					     GOSYNC_CREATE, 0600);
			ASSERT_LE(0, fds[i]);
		}
		for (i = 0; i < WORKERS; i++)
			pids[i] = spawn_worker(storm, variant->how);
		while (left--) {
			int ret;

			sleep_ns(random_u32(&seed) % (2 * NSEC_PER_MSEC));
			i = random_u32(&seed) % WORKERS;
			ret = kill_and_reap(pids[i]);
			EXPECT_TRUE(ret == 0 || ret == 128 + SIGKILL)
				TH_LOG("exit %d", ret);
			batch_kills++;
			pids[i] = spawn_worker(storm, variant->how);
		}
		EXPECT_EQ(0, reap_all(pids, WORKERS));
		ASSERT_EQ(0, storm->wrong);
		for (i = 0; i < BATCH; i++) {
			struct storm_once *once = &storm->onces[i];

			/* It may die before it counts itself. */
			ASSERT_GE(1, once->first);
			ASSERT_LE(1, once->first + once->again);
			ASSERT_GE(batch_kills, once->again);
			ASSERT_LE(once->again, info_of(fds[i]).deaths);
			ASSERT_EQ(0, info_of(fds[i]).waiters);
			ASSERT_EQ(GOSYNC_ONCE_DONE, begin_fd(fds[i]));
			again += once->again;
			close(fds[i]);
		}
		kills += batch_kills;
		batches++;
	} while (budget_left(end));
	TH_LOG("%u onces, %u kills, %u runs again", batches * BATCH, kills,
	       again);
}

TEST_HARNESS_MAIN
