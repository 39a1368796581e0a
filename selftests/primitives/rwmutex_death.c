// SPDX-License-Identifier: GPL-2.0-only
/*
 * RWMutex: what is left of holders that have died, storms of them, and garbage
 * in the page.
 */
#include "death_storm.h"
#include "gosync_test_rwmutex.h"
#include "scribble.h"
#include "step.h"

/* --- deaths -------------------------------------------------------------- */

/* A child that has locked so often, and sleeps */
static pid_t spawn_owner(FIXTURE_DATA(rwmutex) *self, enum side side, int times)
{
	return RESTING_CHILD(({
		int i, failed = 0;

		for (i = 0; i < times; i++)
			failed |= take(self->rw, side) < 0;
		failed;
	}));
}

TEST_F(rwmutex, a_dead_readers_locks_are_dropped)
{
	gosync_rwmutex_t *handles[LINES + 1];
	unsigned int i;

	/* One whose holder has a line, then one without */
	for (i = 0; i < 2; i++) {
		pid_t reader = spawn_owner(self, READ, 3), writer;

		EXPECT_EQ(3, info(self->rw).readers);
		writer = spawn_waiting(self, WRITE, i);
		kill_and_reap(reader);
		EXPECT_TRUE(eventually(is_in(self, i)));
		/* It could not spoil anything, so there is nothing to tell. */
		EXPECT_EQ(0, let_go(self, i, writer));
		EXPECT_EQ(0, info(self->rw).deaths);
		EXPECT_EQ(0, info(self->rw).readers);
		EXPECT_EQ(0, gosync_rwmutex_trylock(self->rw));
		EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
		if (!i)
			open_many(self, variant->how, handles, LINES + 1);
	}
}

TEST_F(rwmutex, a_dead_writer_is_told_until_somebody_recovers)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);
	pid_t writer = spawn_owner(self, WRITE, 1), waiting[2];

	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(self->rw));
	waiting[0] = spawn_waiting(self, READ, 0);
	waiting[1] = spawn_waiting(self, WRITE, 1);
	kill_and_reap(writer);
	ASSERT_TRUE(eventually(is_in(self, 0)));
	EXPECT_EQ(1, let_go(self, 0, waiting[0]));
	ASSERT_TRUE(eventually(is_in(self, 1)));
	EXPECT_EQ(1, let_go(self, 1, waiting[1]));
	EXPECT_EQ(1, info(self->rw).deaths);
	EXPECT_EQ(1, gosync_rwmutex_rlock(other));
	EXPECT_EQ(1, gosync_rwmutex_tryrlock(other));
	EXPECT_EQ(1, gosync_rwmutex_rlock_until(other, 1, 0));
	/* A reader cannot have put anything right. */
	EXPECT_EQ(-EPERM, gosync_rwmutex_recover(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(1, gosync_rwmutex_trylock(other));
	EXPECT_EQ(0, gosync_rwmutex_unlock(other));
	EXPECT_EQ(1, gosync_rwmutex_lock_until(other, 1, 0));
	EXPECT_EQ(0, gosync_rwmutex_unlock(other));
	EXPECT_EQ(1, gosync_rwmutex_lock(self->rw));
	EXPECT_EQ(-EPERM, gosync_rwmutex_recover(other));
	EXPECT_EQ(0, gosync_rwmutex_recover(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_unlock(self->rw));
	EXPECT_EQ(0, gosync_rwmutex_rlock(other));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, gosync_rwmutex_lock(other));
	EXPECT_EQ(1, info(self->rw).deaths);
}

/* It never was inside, so nothing is spoilt; whom it stopped goes on. */
TEST_F(rwmutex, a_writer_that_dies_waiting_for_readers_lets_others_in)
{
	pid_t writer, next, reader;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	writer = spawn_waiting(self, WRITE, 0);
	next = spawn_waiting(self, WRITE, 1);
	reader = spawn_waiting(self, READ, 2);
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(writer));
	ASSERT_TRUE(eventually(is_in(self, 2)));
	EXPECT_EQ(0, let_go(self, 2, reader));
	EXPECT_FALSE(is_in(self, 1));
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	ASSERT_TRUE(eventually(is_in(self, 1)));
	EXPECT_EQ(0, let_go(self, 1, next));
	EXPECT_EQ(0, info(self->rw).deaths);
	EXPECT_EQ(0, info(self->rw).word);
	EXPECT_TRUE(is_quiet(self));
}

TEST_F(rwmutex, a_process_that_shares_a_holder_leaves_its_locks_there)
{
	int fd = open_object(0, self->name, 0, 0);
	pid_t pid = CHILD(take_fd(fd, READ, 0) || take_fd(fd, READ, 0));

	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(2, info(self->rw).readers);
	EXPECT_EQ(0, drop_fd(fd, READ));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(self->rw));
	close(fd);
	EXPECT_EQ(0, info(self->rw).readers);
	EXPECT_EQ(0, gosync_rwmutex_trylock(self->rw));
}

/*
 * A reader takes its 1 back, and dies before it can tell the writer that it
 * saw: alone, or while its parent keeps their holder alive.
 */
TEST_F(rwmutex, a_reader_that_dies_before_it_tells_has_told)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		int fd = open_object(0, self->name, 0, 0);
		unsigned int line = info_of(fd).map_data;
		uint32_t *reads = (void *)(self->page + line);
		pid_t reader, writer;

		ASSERT_NE(0, line);
		store(&self->shared->step, 0);
		reader = spawn();
		if (!reader) {
			add(reads, 1);
			store(&self->shared->step, 1);
			while (load(&self->shared->step) != 2)
				sched_yield();
			add(reads, -1);
			store(&self->shared->step, 3);
			for (;;)
				pause();
		}
		if (!i)
			close(fd);
		ASSERT_TRUE(eventually(load(&self->shared->step) == 1));
		writer = spawn_waiting(self, WRITE, i);
		store(&self->shared->step, 2);
		ASSERT_TRUE(eventually(load(&self->shared->step) == 3));
		sleep_ns(2 * NSEC_PER_MSEC);
		EXPECT_FALSE(is_in(self, i));
		kill_and_reap(reader);
		EXPECT_TRUE(eventually(is_in(self, i)));
		EXPECT_EQ(0, let_go(self, i, writer));
		EXPECT_EQ(i, info_of(fd).holder != 0);
		if (i)
			close(fd);
	}
}

/* Stops before a read lock, takes it and gives it back, and says so. */
static pid_t spawn_stepped_reader(FIXTURE_DATA(rwmutex) *self)
{
	pid_t pid;

	store(&self->shared->step, 0);
	/* No writer has got in. */
	store(&self->shared->turn[0], 0);
	pid = spawn();
	if (pid)
		return pid;
	/* The holder of a child is made at its first operation. */
	MUST(!gosync_rwmutex_tryrlock(self->rw));
	MUST(!gosync_rwmutex_runlock(self->rw));
	begin_to_step();
	MUST(!gosync_rwmutex_rlock(self->rw));
	store(&self->shared->step, 1);
	/* The writer got in and was not told to leave: two are inside. */
	MUST(!is_in(self, 0) || load(&self->shared->leave[0]));
	store(&self->shared->step, 2);
	MUST(!gosync_rwmutex_runlock(self->rw));
	store(&self->shared->step, 3);
	for (;;)
		pause();
}

/*
 * RW-A and RW-B, without luck: whatever instruction of its fast paths the reader
 * has come to, a writer that begins there is told when the reader has left, and
 * finds nobody inside.
 */
TEST_F(rwmutex, a_writer_begins_at_any_instruction_of_a_reader)
{
	unsigned int steps, n;
	bool over = false;
	int status;

	if (variant->how)
		return;
	for (steps = 0; !over; steps++) {
		pid_t reader = spawn_stepped_reader(self);
		pid_t writer;

		ASSERT_TRUE(has_stopped(reader, &status));
		for (n = 0; n < steps; n++)
			ASSERT_TRUE(step(reader, &status));
		over = load(&self->shared->step) == 3;
		writer = spawn_party(self, WRITE, 0);
		ASSERT_TRUE(eventually(is_in(self, 0) || waiters(self->rw)));
		if (load(&self->shared->step) == 1)
			EXPECT_FALSE(is_in(self, 0));
		end_of_steps(reader);
		ASSERT_TRUE(eventually(is_in(self, 0)))
			TH_LOG("after %u instructions", steps);
		EXPECT_NE(1, load(&self->shared->step));
		/* The reader has left, or waits now. */
		ASSERT_TRUE(eventually(load(&self->shared->step) == 3 ||
				       waiters(self->rw)))
			TH_LOG("after %u instructions", steps);
		EXPECT_EQ(0, let_go(self, 0, writer));
		ASSERT_TRUE(eventually(load(&self->shared->step) == 3));
		kill_and_reap(reader);
	}
	TH_LOG("%u instructions", steps);
}

/*
 * With a processor to itself, the caller can let go and kill whom it let in
 * before that one runs: the lock dies in its hands, and goes to the next.
 */
static bool dies_before_it_runs(FIXTURE_DATA(rwmutex) *self, enum side held,
				enum side first, enum side second)
{
	pid_t one, two;
	bool good;

	if (take(self->rw, held))
		abort();
	one = spawn_waiting(self, first, 0);
	two = spawn_waiting(self, second, 1);
	drop(self->rw, held);
	kill(one, SIGKILL);
	good = one > 0 && two > 0 && reap(one) == 128 + SIGKILL;
	good &= !is_in(self, 0);
	good &= eventually(is_in(self, 1));
	good &= let_go(self, 1, two) == 0;
	return good && info(self->rw).word == 0 && !info(self->rw).readers &&
	       !info(self->rw).deaths && is_quiet(self);
}

TEST_F(rwmutex, who_dies_before_it_runs_passes_it_on)
{
	static const struct {
		enum side held, first, second;
	} rows[] = {
		{ READ, WRITE, WRITE }, { READ, WRITE, READ },
		{ WRITE, WRITE, WRITE }, { WRITE, READ, WRITE },
		{ WRITE, WRITE, READ }, { WRITE, READ, READ },
	};
	unsigned int i;

	if (rule_one_cpu())
		SKIP(return, "cannot have a processor");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int tries = 0;

		while (!dies_before_it_runs(self, rows[i].held, rows[i].first,
					    rows[i].second)) {
			ASSERT_GT(20, ++tries)
				TH_LOG("row %u", i);
		}
	}
}

/* --- storms -------------------------------------------------------------- */

/* As long as anybody is to wait among many who never pause */
#define PATIENCE	(20 * NSEC_PER_SEC)

static pid_t spawn_hog(FIXTURE_DATA(rwmutex) *self, enum side side,
		       unsigned int *turns)
{
	pid_t pid = spawn();

	if (pid)
		return pid;
	for (;;) {
		uint64_t until;

		if (take(self->rw, side) < 0)
			_exit(1);
		until = now_ns(CLOCK_MONOTONIC) + 50 * NSEC_PER_USEC;
		while (now_ns(CLOCK_MONOTONIC) < until)
			;
		add(turns, 1);
		drop(self->rw, side);
	}
}

static void gets_in_beside_hogs(struct __test_metadata *_metadata,
				FIXTURE_DATA(rwmutex) *self, enum side hogs,
				enum side wanted)
{
	enum { HOGS = 4, WANTED = 30 };
	unsigned int *turns = shared_memory(HOGS * sizeof(*turns));
	uint64_t worst = 0, wait;
	pid_t pids[HOGS];
	int i;

	for (i = 0; i < HOGS; i++)
		pids[i] = spawn_hog(self, hogs, &turns[i]);
	for (i = 0; i < HOGS; i++)
		ASSERT_TRUE(eventually(load(&turns[i])));
	for (i = 0; i < WANTED; i++) {
		wait = now_ns(CLOCK_MONOTONIC);
		ASSERT_EQ(0, take_until(self->rw, wanted,
					gosync_deadline(PATIENCE), 0));
		wait = now_ns(CLOCK_MONOTONIC) - wait;
		worst = wait > worst ? wait : worst;
		EXPECT_EQ(0, drop(self->rw, wanted));
		sleep_ns(100 * NSEC_PER_USEC);
	}
	TH_LOG("%d turns, a hog had %u, longest wait %llu us", WANTED,
	       load(&turns[0]), (unsigned long long)worst / 1000);
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, HOGS));
}

TEST_F(rwmutex, a_writer_gets_in_among_readers_without_pause)
{
	gets_in_beside_hogs(_metadata, self, READ, WRITE);
}

TEST_F(rwmutex, a_reader_gets_in_among_writers_without_pause)
{
	gets_in_beside_hogs(_metadata, self, WRITE, READ);
}

TEST_F(rwmutex, a_writer_gets_in_among_writers_without_pause)
{
	gets_in_beside_hogs(_metadata, self, WRITE, WRITE);
}

TEST_F(rwmutex, deaths_at_any_moment_leave_nobody_hanging)
{
	run_death_storm(_metadata, true, self->rw,
			open_rw(self->name, variant->how ^ GOSYNC_IOCTL_ONLY));
	EXPECT_TRUE(is_quiet(self));
	EXPECT_EQ(0, load(&self->slot->extra));
}

/* --- garbage ------------------------------------------------------------- */

/* All that can be done with two holders comes to an end. */
static void try_everything(struct __test_metadata *_metadata, int one, int two)
{
	static const unsigned int cmds[] = {
		GOSYNC_IOC_RWMUTEX_TRYLOCK, GOSYNC_IOC_RWMUTEX_TRYRLOCK,
		GOSYNC_IOC_RWMUTEX_DRAINED, GOSYNC_IOC_RWMUTEX_RUNLOCK,
		GOSYNC_IOC_RWMUTEX_RECOVER, GOSYNC_IOC_RWMUTEX_UNLOCK,
	};
	struct gosync_wait_args soon = { .size = sizeof(soon) };
	unsigned int i;
	int ret;

	for (i = 0; i < 2 * ARRAY_SIZE(cmds); i++) {
		ret = call(i % 2 ? one : two, cmds[i / 2], NULL);
		EXPECT_TRUE(ret >= 0 || ret == -EBUSY || ret == -EPERM ||
			    ret == -ERANGE);
	}
	for (i = 0; i < 4; i++) {
		ret = take_fd(i % 2 ? one : two, i / 2 ? READ : WRITE,
			      NSEC_PER_MSEC);
		EXPECT_TRUE(ret >= 0 || ret == -ETIMEDOUT || ret == -ERANGE);
		soon.deadline = gosync_deadline(NSEC_PER_MSEC);
		ret = call(one, GOSYNC_IOC_RWMUTEX_DRAIN, &soon);
		EXPECT_TRUE(ret >= 0 || ret == -ETIMEDOUT || ret == -EPERM);
		drop_fd(two, i % 2);
	}
}

/* Whatever was there, with new holders it is an RWMutex again. */
static void works_again(struct __test_metadata *_metadata,
			FIXTURE_DATA(rwmutex) *self, unsigned int how)
{
	gosync_rwmutex_t *fresh = open_rw(self->name, how), *other;

	ASSERT_NE(NULL, fresh);
	gosync_close(self->rw);
	self->rw = fresh;
	other = open_rw(self->name, how);
	gosync_rwmutex_unlock(fresh);
	EXPECT_LE(0, gosync_rwmutex_lock(fresh));
	EXPECT_EQ(0, gosync_rwmutex_recover(fresh));
	EXPECT_EQ(-EBUSY, gosync_rwmutex_tryrlock(other));
	EXPECT_EQ(0, gosync_rwmutex_unlock(fresh));
	EXPECT_EQ(0, gosync_rwmutex_rlock(fresh));
	EXPECT_EQ(0, gosync_rwmutex_rlock(other));
	EXPECT_EQ(2, info(fresh).readers);
	EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(other));
	EXPECT_EQ(-ETIMEDOUT, gosync_rwmutex_lock_until(other, 1, 0));
	EXPECT_EQ(0, gosync_rwmutex_runlock(fresh));
	EXPECT_EQ(0, gosync_rwmutex_runlock(other));
	EXPECT_EQ(0, info(fresh).word);
	EXPECT_EQ(0, waiters(fresh));
	EXPECT_EQ(0, load(&self->slot->draining));
	EXPECT_EQ(0, load(&self->slot->extra));
	gosync_close(other);
}

TEST_F(rwmutex, garbage_at_rest_does_not_last)
{
	const uint32_t words[] = {
		0, 1, 2, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffffe,
		0xffffffff,
	};
	unsigned int i, j, field;

	for (i = 0; i < 6 * ARRAY_SIZE(words); i++) {
		const uint32_t word = words[i / 6];
		int fd = open_object(0, self->name, 0, 0);
		int other = open_object(0, self->name, 0, 0);
		uint32_t *reads = (void *)(self->page + info_of(fd).map_data);

		field = i % 6;
		if (field == 0)
			store(&self->slot->word, (uint64_t)word << 32 | word);
		else if (field == 1)
			store(&self->slot->word, OWNED_BY(info_of(fd).holder) |
			      (word & KERNELS_BITS));
		else if (field == 2)
			store(&self->slot->lines, (uint64_t)word << 32 | word);
		else if (field == 3)
			store(&self->slot->draining, word);
		else if (field == 4)
			store(&self->slot->extra, word);
		else
			store(reads, word);
		for (j = 0; j < 2; j++)
			try_everything(_metadata, j ? fd : other,
				       j ? other : fd);
		close(other);
		close(fd);
		works_again(_metadata, self, variant->how);
	}
}

TEST_F(rwmutex, nobody_has_more_read_locks_than_can_be_counted)
{
	int fd = open_object(0, self->name, 0, 0);
	uint32_t *reads = (void *)(self->page + info_of(fd).map_data);

	store(reads, GOSYNC_RWMUTEX_READS_MAX - 1);
	EXPECT_EQ(0, take_fd(fd, READ, 0));
	EXPECT_EQ(GOSYNC_RWMUTEX_READS_MAX, load(reads));
	EXPECT_EQ(-ERANGE, take_fd(fd, READ, 0));
	EXPECT_EQ(-ERANGE, call(fd, GOSYNC_IOC_RWMUTEX_TRYRLOCK, NULL));
	EXPECT_EQ(GOSYNC_RWMUTEX_READS_MAX, info_of(fd).readers);
	EXPECT_EQ(0, drop_fd(fd, READ));
	EXPECT_EQ(GOSYNC_RWMUTEX_READS_MAX - 1, load(reads));
}

TEST_F(rwmutex, waiters_that_the_word_forgot_are_found_again)
{
	gosync_rwmutex_t *other = open_rw(self->name, variant->how);
	enum side side;
	pid_t pid;

	for (side = WRITE; side <= READ; side++) {
		EXPECT_EQ(0, gosync_rwmutex_lock(self->rw));
		pid = spawn_waiting(self, side, side);
		store(&self->slot->word, 0);
		EXPECT_EQ(-EPERM, drop_fd(gosync_fd(self->rw), WRITE));
		EXPECT_EQ(1, waiters(self->rw));
		EXPECT_LE(0, take_fd(gosync_fd(other), WRITE, 0));
		EXPECT_EQ(0, drop_fd(gosync_fd(other), WRITE));
		EXPECT_TRUE(eventually(is_in(self, side)));
		EXPECT_LE(0, let_go(self, side, pid));
		EXPECT_EQ(0, waiters(self->rw));
	}
}

/* Two then wait for the readers, each thinking that the word is its own. */
TEST_F(rwmutex, all_writers_that_wait_for_readers_go_on_when_they_are_gone)
{
	pid_t pids[2];
	int i;

	EXPECT_EQ(0, gosync_rwmutex_rlock(self->rw));
	for (i = 0; i < 2; i++) {
		pids[i] = spawn_waiting(self, WRITE, i);
		store(&self->slot->word, 0);
	}
	EXPECT_EQ(0, gosync_rwmutex_runlock(self->rw));
	EXPECT_TRUE(eventually(is_in(self, 0) && is_in(self, 1)));
	EXPECT_EQ(0, waiters(self->rw));
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, 2));
}

/* Mostly the slot and the first lines, where somebody looks */
static pid_t spawn_page_scribbler(FIXTURE_DATA(rwmutex) *self)
{
	const unsigned int words = GOSYNC_RWMUTEX_SIZE / sizeof(uint64_t);
	volatile uint64_t *slot = (void *)self->slot;
	uint64_t seed = random_seed();
	pid_t pid = spawn();

	if (pid)
		return pid;
	for (;;)
		slot[random_u32(&seed) % (random_u32(&seed) % 8 ? 64 : words)] =
			nasty(&seed);
}

/* Does all that can be done, but waits only for so long. */
static pid_t spawn_victim(FIXTURE_DATA(rwmutex) *self, uint64_t end,
			  unsigned int how)
{
	gosync_rwmutex_t *rw;
	uint64_t seed, token;
	pid_t pid = spawn();

	if (pid)
		return pid;
	seed = random_seed();
	rw = open_rw(self->name, how);
	while (budget_left(end)) {
		uint32_t r = random_u32(&seed);
		enum side side = r >> 16 & 1;
		int ret, fd;

		switch (r % 8) {
		case 0:
			ret = try(rw, side);
			break;
		case 1:
		case 2:
			ret = take_until(rw, side,
					 gosync_deadline(r % 2000000), 0);
			break;
		case 3:
			fd = open_object(0, self->name, 0, 0);
			ret = take_fd(fd, side, r % 1000000 + 1);
			close(fd);
			break;
		case 4:
			ret = gosync_rwmutex_recover(rw);
			break;
		case 5:
			ret = gosync_rwmutex_token(rw, &token);
			info(rw);
			break;
		default:
			ret = drop(rw, side);
			break;
		}
		if (ret < 0 && ret != -EBUSY && ret != -ETIMEDOUT &&
		    ret != -EPERM && ret != -ERANGE)
			_exit(2);
	}
	_exit(0);
}

TEST_F(rwmutex, scribbled_on_it_harms_itself_alone)
{
	uint64_t end = end_of_budget();
	gosync_rwmutex_t *neighbour = open_rw(unique_name(), GOSYNC_CREATE |
					      variant->how);
	unsigned int *used = shared_memory(sizeof(*used));
	pid_t scribbler, victims[4], user, stuck;
	int i;

	scribbler = spawn_page_scribbler(self);
	for (i = 0; i < 4; i++)
		victims[i] = spawn_victim(self, end, variant->how);
	user = spawn();
	if (!user) {
		do {
			int side = *used % 2;

			if (take(neighbour, side) ||
			    try(neighbour, !side) != -EBUSY ||
			    drop(neighbour, side))
				_exit(1);
			++*used;
		} while (budget_left(end));
		_exit(0);
	}
	for (i = 0; budget_left(end); i++) {
		/* Somebody waits for ever, until killed. */
		stuck = spawn();
		if (!stuck) {
			for (;;)
				take_fd(gosync_fd(self->rw), i % 2, 0);
		}
		sleep_ns(10 * NSEC_PER_MSEC);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(stuck));
	}
	EXPECT_EQ(0, reap_all(victims, 4));
	EXPECT_EQ(0, reap_soon(user));
	EXPECT_EQ(128 + SIGKILL, kill_and_reap(scribbler));
	EXPECT_LT(0, *used);
	EXPECT_EQ(0, info(neighbour).word);
	EXPECT_EQ(0, info(neighbour).readers);
	EXPECT_EQ(0, info(neighbour).deaths);
	works_again(_metadata, self, variant->how);
}

TEST_HARNESS_MAIN
