// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that a signal's handler interrupts: one that goes on is the same wait,
 * who is in its handler is in nobody's way, and who never comes back leaves
 * nothing behind.
 */
#include "kinds.h"

/* By the library, or by ioctl, made again by the kernel or by us */
enum way { LIBRARY, RESTARTED, AGAIN, WAYS };

struct shared {
	unsigned int signals;
	unsigned int turns;
	unsigned int turn[8];
	unsigned int got[8];
	unsigned int stage;		/* of a handler */
	unsigned int step;
	unsigned int stop;
};

static struct shared *shared;

/* Main is the other party, and has it all until it gives it up. */
FIXTURE(interrupted)
{
	struct thing thing;
	void *mine;			/* the waiters' handle, on thing.fd */
	void *beside;			/* what else the wait needs */
};

MAPPED_AND_IOCTL(interrupted);

FIXTURE_SETUP(interrupted)
{
	shared = shared_memory(sizeof(*shared));
}

/* New objects, of which nobody has any */
static void renew(FIXTURE_DATA(interrupted) *self, enum kind kind,
		  unsigned int how)
{
	memset(shared, 0, sizeof(*shared));
	self->thing = new_thing(kind, how);
	MUST(!make_handle(kind, self->thing.fd, how, &self->mine));
	self->beside = new_beside(kind, how);
}

/* --- what is waited for --------------------------------------------------- */

static int get(FIXTURE_DATA(interrupted) *self, enum way way)
{
	int ret;

	if (way == LIBRARY)
		return wait_by_library(&self->thing, self->mine, self->beside,
				       GOSYNC_FOREVER, 0);
	do {
		ret = wait_by_ioctl(&self->thing, self->beside, 0, 0);
	} while (ret == -EINTR);
	return ret;
}

/* Main has it: all is in the waiters' way. */
static int take_first(FIXTURE_DATA(interrupted) *self)
{
	if (self->thing.kind == ALL && gosync_rwmutex_lock(self->beside))
		return -1;
	return keep(&self->thing);
}

static void give_up(FIXTURE_DATA(interrupted) *self)
{
	let_go(&self->thing);
	if (self->thing.kind == ALL)
		gosync_rwmutex_unlock(self->beside);
}

/* The same, when all have passed it on */
static int take_back(FIXTURE_DATA(interrupted) *self)
{
	return self->thing.kind == PERMITS ?
	       gosync_semaphore_tryacquire(self->thing.other, PERMITS_LET_GO) :
	       take_first(self);
}

/* What one who has got it does in the end, so that the next gets it */
static void pass_on(FIXTURE_DATA(interrupted) *self)
{
	if (self->thing.kind == PERMITS)
		gosync_semaphore_release(self->mine, self->thing.value);
	if (self->thing.kind == WORD)
		gosync_uint64_wake(self->mine, 0, 1);
	if (self->thing.kind == ALL)
		gosync_rwmutex_unlock(self->beside);
	give_back(&self->thing);
}

/* --- who waits ------------------------------------------------------------ */

static void note_signal(int signal)
{
	add(&shared->signals, 1);
}

static void note_and_stay(int signal)
{
	note_signal(signal);
	handler_stage = &shared->stage;
	stay_in_handler(signal);
}

/* In a child, which has a holder of its own */
static void begin(FIXTURE_DATA(interrupted) *self, enum way way,
		  void (*handler)(int signal))
{
	handle(handler, way == RESTARTED ? SA_RESTART : 0);
	self->thing.fd = gosync_fd(self->mine);
}

/* The wait of a process that is first in a queue of those @pid is in */
static struct gosync_party wait_of(FIXTURE_DATA(interrupted) *self, pid_t pid)
{
	struct gosync_party parties[16], found = {};
	int n = gosync_waiters(self->thing.other, parties, 16), i;

	/* One that waits for all is also in the queue of what it lacks. */
	for (i = 0; i < n; i++)
		if (parties[i].pid == (uint32_t)pid &&
		    (!found.wait || parties[i].wait < found.wait))
			found = parties[i];
	return found;
}

/* It gets it, says when, and passes it on. */
static pid_t spawn_waiter(FIXTURE_DATA(interrupted) *self, enum way way,
			  void (*handler)(int signal), unsigned int me)
{
	pid_t pid = spawn();

	if (!pid) {
		begin(self, way, handler);
		if (get(self, way) < 0)
			_exit(1);
		store(&shared->turn[me], add(&shared->turns, 1));
		pass_on(self);
		_exit(0);
	}
	MUST(eventually(wait_of(self, pid).wait));
	return pid;
}

/* Return: whether it has run its handler, and waits again */
static bool interrupt(FIXTURE_DATA(interrupted) *self, pid_t pid)
{
	unsigned int signals = load(&shared->signals);

	kill(pid, SIGUSR1);
	return eventually(load(&shared->signals) > signals) &&
	       eventually(wait_of(self, pid).tid);
}

/* Those of which one at a time has it, in their order */
static const enum kind in_order[] = { MUTEX, WRITE, PERMITS, ANY };

static bool is_in_order(enum kind kind)
{
	return kind == MUTEX || kind == WRITE || kind == PERMITS ||
	       kind == WORD || kind == ANY;
}

/* --- the same wait -------------------------------------------------------- */

#define TIMES	3

static const enum kind all_kinds[] = {
	MUTEX, WRITE, READ, PERMITS, WAITGROUP, ONCE, WORD, VALUE, MAP, BEGIN,
	ANY, ALL,
};

/* Its place, its number, how long it has waited, and its turn */
TEST_F(interrupted, is_the_same_wait_afterwards)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(all_kinds) * WAYS; i++) {
		const enum kind kind = all_kinds[i / WAYS];
		const enum way way = i % WAYS;
		struct gosync_party before, after;
		pid_t first, second;
		int n;

		renew(self, kind, variant->how);
		ASSERT_EQ(0, take_first(self));
		first = spawn_waiter(self, way, note_signal, 0);
		second = spawn_waiter(self, way, note_signal, 1);
		before = wait_of(self, first);
		for (n = 0; n < TIMES; n++) {
			sleep_ns(NSEC_PER_MSEC);
			ASSERT_TRUE(interrupt(self, first));
			after = wait_of(self, first);
			EXPECT_EQ(before.wait, after.wait)
				TH_LOG("kind %u, way %u", kind, way);
			EXPECT_LE(before.ns + NSEC_PER_MSEC, after.ns);
			EXPECT_EQ(1, after.position);
			before = after;
		}
		give_up(self);
		EXPECT_EQ(0, reap_soon(first));
		EXPECT_EQ(0, reap_soon(second));
		if (is_in_order(kind)) {
			EXPECT_EQ(1, load(&shared->turn[0]))
				TH_LOG("kind %u, way %u", kind, way);
			EXPECT_EQ(2, load(&shared->turn[1]));
		}
		EXPECT_EQ(0, waiters(self->thing.other));
	}
}

/* Each that is interrupted goes back to its own place, whoever comes first. */
TEST_F(interrupted, those_who_come_back_are_in_their_old_order)
{
	static const unsigned int order[] = { 2, 1, 3, 2 };
	pid_t pids[4];
	unsigned int k, i;

	for (k = 0; k < ARRAY_SIZE(in_order); k++) {
		renew(self, in_order[k], variant->how);
		ASSERT_EQ(0, take_first(self));
		for (i = 0; i < 4; i++)
			pids[i] = spawn_waiter(self, i % WAYS, note_signal, i);
		for (i = 0; i < 4; i++) {
			ASSERT_TRUE(interrupt(self, pids[order[i]]));
		}
		for (i = 0; i < 4; i++)
			EXPECT_EQ(i + 1, wait_of(self, pids[i]).position);
		give_up(self);
		EXPECT_EQ(0, reap_all(pids, 4));
		for (i = 0; i < 4; i++) {
			EXPECT_EQ(i + 1, load(&shared->turn[i]))
				TH_LOG("kind %u", in_order[k]);
		}
	}
}

/* --- its share ------------------------------------------------------------ */

#define OTHERS		4
#define TURNS		3
#define ENOUGH		200

/*
 * Keep it until the victim has been interrupted meanwhile, and all the others
 * wait, the victim too.
 */
static void keep_long(FIXTURE_DATA(interrupted) *self, pid_t victim)
{
	unsigned int signals = load(&shared->signals);

	if (victim)
		kill(victim, SIGUSR1);
	while (!load(&shared->stop) &&
	       ((victim && load(&shared->signals) == signals) ||
		waiters_of(&self->thing) < OTHERS))
		sleep_ns(NSEC_PER_MSEC / 5);
}

/* Until the victim has had its turns, or the others have had so many */
static void expect_turns(struct __test_metadata *_metadata,
			 FIXTURE_DATA(interrupted) *self, enum way way,
			 unsigned int enough)
{
	unsigned int j, others;

	do {
		sleep_ns(NSEC_PER_MSEC);
		for (others = 0, j = 1; j <= OTHERS; j++)
			others += load(&shared->got[j]);
	} while (load(&shared->got[0]) < TURNS && others < enough);
	EXPECT_LE(TURNS, load(&shared->got[0]))
		TH_LOG("kind %u, way %u: %u, the others %u", self->thing.kind,
		       way, load(&shared->got[0]), others);
	store(&shared->stop, 1);
}

/*
 * One is interrupted each time that another has it, which would be at the end of
 * the queue each time. By the time that the others have had it so often it has
 * had its turns, or never will.
 */
TEST_F(interrupted, who_is_interrupted_all_the_time_gets_its_share)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(in_order) * WAYS; i++) {
		const enum way way = i % WAYS;
		pid_t pids[1 + OTHERS] = {};

		renew(self, in_order[i / WAYS], variant->how);
		if (self->thing.kind == PERMITS)
			ASSERT_EQ(0, let_go(&self->thing));
		for (j = 0; j < ARRAY_SIZE(pids); j++) {
			pids[j] = spawn();
			if (!pids[j]) {
				begin(self, way, note_signal);
				while (!load(&shared->stop)) {
					if (get(self, way) < 0)
						_exit(1);
					add(&shared->got[j], 1);
					keep_long(self, j ? pids[0] : 0);
					pass_on(self);
				}
				_exit(0);
			}
			ASSERT_TRUE(eventually(j ? waiters_of(&self->thing) >= j :
					       load(&shared->got[0])));
		}
		expect_turns(_metadata, self, way, ENOUGH);
		EXPECT_EQ(0, reap_all(pids, ARRAY_SIZE(pids)));
	}
}

/* Has a part of it, and interrupts who wants it all */
static void have_one(FIXTURE_DATA(interrupted) *self, pid_t victim,
		     unsigned int me)
{
	FIXTURE_DATA(interrupted) part = *self;

	/* One permit, one of the locks, or as a reader */
	if (part.thing.kind == PERMITS)
		part.thing.value = 1;
	else if (part.thing.kind == WRITE)
		part.thing.kind = READ;
	else if (me % 2)
		part.thing.kind = MUTEX;
	else
		part = (FIXTURE_DATA(interrupted)) {
			.thing = { .kind = WRITE, .fd = gosync_fd(self->beside) },
			.mine = self->beside,
		};
	get(&part, LIBRARY);
	kill(victim, SIGUSR1);
	sleep_ns(5 * NSEC_PER_MSEC);
	pass_on(&part);
}

/*
 * It wants to write, or all permits, or both locks. What it has gathered so far
 * goes to others when it is interrupted, and that is more often than it takes to
 * gather all.
 */
TEST_F(interrupted, who_is_interrupted_while_it_gathers_gets_it_all)
{
	static const enum kind kinds[] = { WRITE, PERMITS, ALL };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(kinds) * WAYS; i++) {
		const enum way way = i % WAYS;
		pid_t pids[1 + OTHERS];

		renew(self, kinds[i / WAYS], variant->how);
		self->thing.value = OTHERS;
		if (self->thing.kind == PERMITS)
			ASSERT_EQ(0, gosync_semaphore_release(self->thing.other,
							      OTHERS));
		for (j = 0; j < ARRAY_SIZE(pids); j++) {
			pids[j] = spawn();
			if (pids[j])
				continue;
			begin(self, way, note_signal);
			if (!j)
				add(&shared->step, 1);
			while (!load(&shared->step))
				sleep_ns(NSEC_PER_MSEC / 5);
			while (!load(&shared->stop)) {
				if (j)
					have_one(self, pids[0], j);
				else if (get(self, way))
					_exit(1);
				else
					pass_on(self);
				add(&shared->got[j], 1);
			}
			_exit(0);
		}
		expect_turns(_metadata, self, way, 10 * ENOUGH);
		for (j = ARRAY_SIZE(pids); j--;)
			EXPECT_EQ(0, reap_soon(pids[j]));
	}
}

/* --- in nobody's way ------------------------------------------------------ */

TEST_F(interrupted, who_is_in_its_handler_blocks_nobody_and_comes_back)
{
	pid_t away, other, late;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(in_order); i++) {
		renew(self, in_order[i], variant->how);
		ASSERT_EQ(0, take_first(self));
		away = spawn_waiter(self, i % WAYS, note_and_stay, 0);
		kill(away, SIGUSR1);
		ASSERT_TRUE(eventually(load(&shared->stage) == 1));
		other = spawn_waiter(self, LIBRARY, note_signal, 1);
		give_up(self);
		EXPECT_EQ(0, reap_soon(other));
		EXPECT_EQ(1, load(&shared->turn[1]));
		/* Who begins to wait meanwhile comes after it. */
		ASSERT_EQ(0, take_back(self));
		late = spawn_waiter(self, LIBRARY, note_signal, 2);
		store(&shared->stage, 2);
		ASSERT_TRUE(eventually(wait_of(self, away).tid));
		EXPECT_EQ(1, wait_of(self, away).position);
		give_up(self);
		EXPECT_EQ(0, reap_soon(away));
		EXPECT_EQ(0, reap_soon(late));
		EXPECT_EQ(2, load(&shared->turn[0]))
			TH_LOG("kind %u", in_order[i]);
		EXPECT_EQ(3, load(&shared->turn[2]));
		ASSERT_EQ(0, take_back(self));
	}
}

static void *acquire_and_release(void *semaphore)
{
	gosync_semaphore_acquire(semaphore, 1);
	gosync_semaphore_release(semaphore, 1);
	return NULL;
}

/* A place is for the same thing, by the same holder and thread. */
TEST_F(interrupted, another_wait_has_no_claim_to_the_place)
{
	int i;

	for (i = 0; i < 3; i++) {
		pid_t first, second;

		renew(self, PERMITS, variant->how);
		self->thing.value = 1;
		first = spawn();
		if (!first) {
			pthread_t thread;

			begin(self, AGAIN, note_signal);
			MUST(wait_by_ioctl(&self->thing, NULL, 0, 0) == -EINTR);
			store(&shared->step, 1);
			while (load(&shared->step) != 2)
				sleep_ns(NSEC_PER_MSEC / 5);
			if (i == 0)
				self->thing.value = 0;
			if (i == 1)
				self->thing.fd = reopen_object(self->thing.fd, 0);
			if (i == 2) {
				pthread_create(&thread, NULL, acquire_and_release,
					       self->mine);
				pthread_join(thread, NULL);
				_exit(0);
			}
			MUST(!wait_by_ioctl(&self->thing, NULL, 0, 0));
			_exit(-release_fd(self->thing.fd, self->thing.value));
		}
		ASSERT_TRUE(eventually(waiters_of(&self->thing) == 1));
		kill(first, SIGUSR1);
		ASSERT_TRUE(eventually(load(&shared->step) == 1));
		second = spawn_waiter(self, LIBRARY, note_signal, 1);
		store(&shared->step, 2);
		ASSERT_TRUE(eventually(waiters_of(&self->thing) == 2));
		EXPECT_EQ(1, wait_of(self, second).position)
			TH_LOG("at %d", i);
		gosync_semaphore_release(self->thing.other, 1);
		EXPECT_EQ(0, reap_soon(second));
		EXPECT_EQ(0, reap_soon(first));
		ASSERT_TRUE(eventually(!waiters_of(&self->thing)));
	}
}

/* What is counted still adds up. */
TEST_F(interrupted, is_counted_as_many_waits_as_there_were)
{
	struct gosync_stat stat;
	pid_t pid;
	int i;

	renew(self, MUTEX, variant->how);
	ASSERT_EQ(0, take_first(self));
	pid = spawn_waiter(self, LIBRARY, note_signal, 0);
	for (i = 0; i < TIMES; i++) {
		ASSERT_TRUE(interrupt(self, pid));
	}
	give_up(self);
	EXPECT_EQ(0, reap_soon(pid));
	ASSERT_EQ(0, gosync_stat(self->mine, &stat));
	EXPECT_EQ(TIMES + 1, stat.contended);
	EXPECT_EQ(TIMES, stat.gave_up);
	EXPECT_EQ(1, stat.acquired);
	/* From the beginning of the first to the end of the last */
	EXPECT_EQ(stat.wait_max_ns, stat.wait_ns);
}

/*
 * It goes on with a word that is free, and then waits for readers. Another
 * waits for all, so that the kernel takes the word with the object's lock.
 */
TEST_F(interrupted, a_writer_that_comes_back_to_readers_is_counted)
{
	const int other = new_object(GOSYNC_SEMAPHORE);
	struct gosync_wait_entry e, all[2];
	pid_t pid, for_all;

	renew(self, WRITE, variant->how);
	ASSERT_EQ(0, take_first(self));
	for_all = spawn();
	if (!for_all) {
		begin(self, AGAIN, note_signal);
		all[0] = entry_for(&self->thing);
		all[1] = entry_of_permits(other, 1);
		_exit(wait_many(all, 2, GOSYNC_WAIT_ALL, 0) ||
		      give_back(&self->thing));
	}
	ASSERT_TRUE(eventually(waiters_of(&self->thing) == 1));
	pid = spawn();
	if (!pid) {
		begin(self, AGAIN, note_and_stay);
		e = entry_for(&self->thing);
		while (wait_many(&e, 1, 0, 0) == -EINTR)
			;
		_exit(e.result || give_back(&self->thing));
	}
	ASSERT_TRUE(eventually(waiters_of(&self->thing) == 2));
	kill(pid, SIGUSR1);
	ASSERT_TRUE(eventually(load(&shared->stage) == 1));
	give_up(self);
	ASSERT_EQ(0, gosync_rwmutex_rlock(self->thing.other));
	store(&shared->stage, 2);
	ASSERT_TRUE(eventually(waiters_of(&self->thing) == 2));
	ASSERT_EQ(0, gosync_rwmutex_runlock(self->thing.other));
	EXPECT_EQ(0, reap_soon(pid));
	ASSERT_EQ(0, release_fd(other, 1));
	EXPECT_EQ(0, reap_soon(for_all));
	EXPECT_TRUE(is_accounted(self->thing.fd));
}

TEST_HARNESS_MAIN
