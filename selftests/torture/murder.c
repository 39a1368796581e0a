// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that use everything, and are killed at any moment: while they run,
 * wait, are stopped, frozen or in a handler (murder.h). Afterwards nobody waits
 * for ever, all can be had, and nothing of the dead is left.
 */
#include "freezer.h"
#include "murder.h"
#include "torture.h"

enum { KILLS_A_ROUND = 200, ROUNDS = 10 };

FIXTURE(murder)
{
	int fds[OBJECTS];
	pid_t pids[VICTIMS];
	uint64_t seed;
	bool freezes;
	unsigned int kills, stopped, frozen, signals, deaths, rounds;
};

FIXTURE_SETUP(murder)
{
	NEED_URING();
	world = shared_memory(sizeof(*world));
	self->seed = torture_seed();
	self->freezes = make_freezer();
}

FIXTURE_TEARDOWN(murder)
{
	if (self->freezes) {
		freeze_all(false);
		remove_freezer();
	}
}

static void new_objects(FIXTURE_DATA(murder) *self)
{
	gosync_semaphore_t *semaphore = NEW(gosync_semaphore, GOSYNC_GIVE_BACK,
					    PERMITS_ALL);
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		self->fds[i] = i == A_SEMAPHORE ?
			reopen_object(gosync_fd(semaphore), 0) :
			new_object(kinds[kind_of[i]].type);
	gosync_close(semaphore);
}

static void begin(FIXTURE_DATA(murder) *self, unsigned int i)
{
	self->pids[i] = spawn();
	if (!self->pids[i])
		be_a_victim(self->fds, i + 1, self->seed);
	if (self->freezes)
		put_into_freezer(self->pids[i]);
}

static void freeze(FIXTURE_DATA(murder) *self, bool on)
{
	self->frozen += on;
	freeze_all(on);
}

/*
 * It was killed, or came to its end by itself, as one that has become another
 * program does. A signal ends that too, and one that has no handlers yet.
 */
static bool is_fine(unsigned int i, int status)
{
	if (!status || status == 128 + SIGKILL || status == 128 + SIGUSR1 ||
	    status == 128 + SIGUSR2)
		return true;
	printf("# %u ended with %d\n", i, status);
	return false;
}

/* Return: whether all who ended did so as they should */
static bool murder_some(FIXTURE_DATA(murder) *self)
{
	bool good = true, frozen = false;
	unsigned int n, i, r;

	for (n = 0; n < KILLS_A_ROUND && good;) {
		r = random_u32(&self->seed);
		i = random_u32(&self->seed) % VICTIMS;
		sleep_ns(r % NSEC_PER_MSEC);
		switch (r >> 20 & 15) {
		case 0:
		case 1:
			kill(self->pids[i], r & 1 << 19 ? SIGUSR1 : SIGUSR2);
			self->signals++;
			continue;
		case 2:
			kill(self->pids[i], SIGSTOP);
			self->stopped++;
			sleep_ns(random_u32(&self->seed) % (4 * NSEC_PER_MSEC));
			if (r & 1 << 19) {
				kill(self->pids[i], SIGCONT);
				continue;
			}
			break;
		case 3:
			frozen = self->freezes;
			if (frozen)
				freeze(self, true);
			sleep_ns(random_u32(&self->seed) % (2 * NSEC_PER_MSEC));
			break;
		}
		good = is_fine(i, kill_and_reap(self->pids[i]));
		self->kills++;
		begin(self, i);
		n++;
		if (frozen)
			freeze(self, false);
		frozen = false;
	}
	return good;
}

/* --- what is left ---------------------------------------------------------- */

static void expect_lock(struct __test_metadata *_metadata, int fd, bool is_rw,
			const struct guarded *guarded)
{
	struct gosync_info info = info_of(fd);
	uint64_t left = info.word & ~GOSYNC_MUTEX_POISONED;
	int ret = call(fd, is_rw ? GOSYNC_IOC_RWMUTEX_TRYLOCK :
		       GOSYNC_IOC_MUTEX_TRYLOCK, NULL);

	/* Who polled it and died may be shown until somebody enters the kernel. */
	if (left != GOSYNC_MUTEX_WAITER)
		EXPECT_EQ(0, left);
	EXPECT_EQ(0, info.waiters);
	EXPECT_EQ(0, info.readers);
	EXPECT_LE(guarded->reports, info.deaths);
	EXPECT_EQ(info.word & GOSYNC_MUTEX_POISONED ? 1 : 0, ret);
	/* Poisoned, if one died inside and nobody has put that right */
	if (guarded->inside || guarded->one != guarded->two)
		EXPECT_EQ(1, ret);
	/* And only if one died */
	if (ret)
		EXPECT_LT(0, info.deaths);
	EXPECT_EQ(0, call(fd, is_rw ? GOSYNC_IOC_RWMUTEX_UNLOCK :
			  GOSYNC_IOC_MUTEX_UNLOCK, NULL));
	EXPECT_EQ(0, info_of(fd).word & ~GOSYNC_MUTEX_POISONED);
}

static void expect_nothing_left(struct __test_metadata *_metadata,
				FIXTURE_DATA(murder) *self)
{
	gosync_waitgroup_t *wg = ANOTHER(gosync_waitgroup,
					 self->fds[A_WAITGROUP], 0);
	gosync_once_t *once = ANOTHER(gosync_once, self->fds[A_ONCE], 0);
	unsigned int i;
	int n, ret;

	/* Rings and children of the dead end a moment later. */
	for (i = 0; i < OBJECTS; i++) {
		unsigned int ours = 1 + (i == A_WAITGROUP || i == A_ONCE);
		int fd = self->fds[i];

		EXPECT_TRUE(eventually(info_of(fd).holders == ours))
			TH_LOG("object %u has %u holders", i,
			       info_of(fd).holders);
		EXPECT_TRUE(eventually(is_accounted(fd)))
			TH_LOG("object %u: %llu waits, %llu granted, %llu not",
			       i, stat_fd(fd).contended, stat_fd(fd).acquired,
			       stat_fd(fd).gave_up);
		if (i < LOCKS) {
			expect_lock(_metadata, fd, i == AN_RWMUTEX,
				    &world->guarded[i]);
			self->deaths += info_of(fd).deaths;
		}
	}
	EXPECT_EQ(PERMITS_ALL, permits_of(self->fds[A_SEMAPHORE]));
	n = gosync_waitgroup_count(wg);
	EXPECT_LE(0, n);
	EXPECT_EQ(0, gosync_waitgroup_add(wg, -n));
	EXPECT_EQ(0, gosync_waitgroup_wait(wg));
	ret = gosync_once_begin(once);
	EXPECT_LE(0, ret);
	EXPECT_EQ(ret ? 0 : -EPERM, gosync_once_done(once));
	gosync_close(wg);
	gosync_close(once);
}

/* At least ROUNDS, however busy the host is */
TEST_F_TIMEOUT(murder, leaves_nobody_waiting_and_nothing_behind, 5 * WATCHDOG)
{
	unsigned int rounds = is_debug_kernel() ? 1 : ROUNDS;
	uint64_t end = end_of_budget();
	unsigned int i;
	int before;

	/* The library opens it at the first need, and keeps it. */
	ASSERT_LE(0, gosync_device());
	before = descriptors();
	do {
		uint64_t seed = self->seed;
		bool good;

		memset(world, 0, sizeof(*world));
		new_objects(self);
		for (i = 0; i < VICTIMS; i++)
			begin(self, i);
		good = murder_some(self);
		store(&world->stop, 1);
		for (i = 0; i < VICTIMS; i++)
			good &= is_fine(i, reap_soon(self->pids[i]));
		EXPECT_TRUE(good);
		EXPECT_EQ(0, world->wrong);
		expect_nothing_left(_metadata, self);
		for (i = 0; i < OBJECTS; i++)
			close(self->fds[i]);
		self->rounds++;
		if (!__test_passed(_metadata))
			TH_LOG("round %u, of seed %llu", self->rounds,
			       (unsigned long long)seed);
	} while (__test_passed(_metadata) &&
		 (budget_left(end) || self->rounds < rounds));
	EXPECT_EQ(before, descriptors());
	FIGURES("%u kills, %u deaths of owners, %u stopped, %u frozen, %u signals (%u rounds)",
		self->kills, self->deaths, self->stopped, self->frozen,
		self->signals, self->rounds);
}

int main(int argc, char **argv)
{
	return torture_main(argc, argv);
}
