// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that a signal's handler interrupts: one that goes on is the same wait,
 * who is in its handler is in nobody's way, and who never comes back leaves
 * nothing behind.
 */
#include "gosync_test.h"

/* What is waited for; main has it all until it gives it up. */
enum kind {
	MUTEX,
	WRITER,
	READER,
	SEMAPHORE,
	BEGIN,
	ONCE,
	WAITGROUP,
	ATOMIC,
	VALUE,
	MAP,
	ANY,
	ALL,
	KINDS,
};

/* And how: by the library, or by ioctl, made again by the kernel or by us */
enum way {
	LIBRARY,
	RESTARTED,
	AGAIN,
	WAYS,
};

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

FIXTURE(interrupted)
{
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rw;
	gosync_semaphore_t *semaphore;
	gosync_once_t *once;
	gosync_waitgroup_t *wg;
	gosync_int64_t *word;
	gosync_value_t *value;
	gosync_map_t *map;
	uint64_t value_version;
	uint64_t map_version;
};

MAPPED_AND_IOCTL(interrupted);

FIXTURE_SETUP(interrupted)
{
	unsigned int flags = GOSYNC_CREATE | variant->how;

	shared = shared_memory(sizeof(*shared));
	ASSERT_EQ(0, gosync_mutex_open(NULL, flags, 0600, &self->mutex));
	ASSERT_EQ(0, gosync_rwmutex_open(NULL, flags, 0600, &self->rw));
	ASSERT_EQ(0, gosync_semaphore_open(NULL, 0, flags, 0600,
					   &self->semaphore));
	ASSERT_EQ(0, gosync_once_open(NULL, flags, 0600, &self->once));
	ASSERT_EQ(0, gosync_waitgroup_open(NULL, flags, 0600, &self->wg));
	ASSERT_EQ(0, gosync_int64_open(NULL, 1, flags, 0600, &self->word));
	ASSERT_EQ(0, gosync_value_open(NULL, 8, flags, 0600, &self->value));
	ASSERT_EQ(0, gosync_map_open(NULL, NULL, flags, 0600, &self->map));
	ASSERT_EQ(0, gosync_map_wait(self->map, &self->map_version));
}

/* --- what is waited for --------------------------------------------------- */

static void *handle_of(FIXTURE_DATA(interrupted) *self, enum kind kind)
{
	void *const handles[KINDS] = {
		[MUTEX] = self->mutex,
		[WRITER] = self->rw,
		[READER] = self->rw,
		[SEMAPHORE] = self->semaphore,
		[BEGIN] = self->once,
		[ONCE] = self->once,
		[WAITGROUP] = self->wg,
		[ATOMIC] = self->word,
		[VALUE] = self->value,
		[MAP] = self->map,
		[ANY] = self->mutex,
		[ALL] = self->mutex,
	};

	return handles[kind];
}

static int by_library(FIXTURE_DATA(interrupted) *self, enum kind kind)
{
	struct gosync_wait_entry entries[] = {
		gosync_entry_mutex(self->mutex),
		kind == ANY ? gosync_entry_semaphore(self->semaphore, 1000) :
			      gosync_entry_rwmutex(self->rw),
	};

	switch (kind) {
	case MUTEX:
		return gosync_mutex_lock(self->mutex);
	case WRITER:
		return gosync_rwmutex_lock(self->rw);
	case READER:
		return gosync_rwmutex_rlock(self->rw);
	case SEMAPHORE:
		return gosync_semaphore_acquire(self->semaphore, 1);
	case BEGIN:
		return gosync_once_begin(self->once);
	case ONCE:
		return gosync_once_wait(self->once);
	case WAITGROUP:
		return gosync_waitgroup_wait(self->wg);
	case ATOMIC:
		return gosync_int64_wait(self->word, 0, 0, GOSYNC_FOREVER, 0,
					 NULL);
	case VALUE:
		return gosync_value_wait(self->value, &self->value_version);
	case MAP:
		return gosync_map_wait(self->map, &self->map_version);
	case ANY:
		return gosync_wait_any(entries, 2, GOSYNC_FOREVER, 0);
	default:
		return gosync_wait_all(entries, 2, GOSYNC_FOREVER, 0);
	}
}

static int again(int fd, unsigned int cmd, void *arg)
{
	int ret;

	do {
		ret = call(fd, cmd, arg);
	} while (ret == -EINTR);
	return ret;
}

static int by_ioctl(FIXTURE_DATA(interrupted) *self, enum kind kind)
{
	struct gosync_wait_entry entries[] = {
		gosync_entry_mutex(self->mutex),
		kind == ANY ? gosync_entry_semaphore(self->semaphore, 1000) :
			      gosync_entry_rwmutex(self->rw),
	};
	struct gosync_wait_many_args many = {
		.size = sizeof(many),
		.flags = kind == ALL ? GOSYNC_WAIT_ALL : 0,
		.entries = to_u64(entries),
		.count = 2,
		.entry_size = sizeof(*entries),
	};
	struct gosync_semaphore_args one = { .size = sizeof(one), .count = 1 };
	struct gosync_waitgroup_wait_args wg = { .size = sizeof(wg) };
	struct gosync_atomic_wait_args word = { .size = sizeof(word) };
	struct gosync_version_wait_args version = {
		.size = sizeof(version),
		.version = kind == MAP ? self->map_version :
					 self->value_version,
	};
	int fd = gosync_fd(handle_of(self, kind));

	switch (kind) {
	case MUTEX:
		return again(fd, GOSYNC_IOC_MUTEX_LOCK, NULL);
	case WRITER:
		return again(fd, GOSYNC_IOC_RWMUTEX_LOCK, NULL);
	case READER:
		return again(fd, GOSYNC_IOC_RWMUTEX_RLOCK, NULL);
	case SEMAPHORE:
		return again(fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, &one);
	case BEGIN:
		return again(fd, GOSYNC_IOC_ONCE_BEGIN, NULL);
	case ONCE:
		return again(fd, GOSYNC_IOC_ONCE_WAIT, NULL);
	case WAITGROUP:
		return again(fd, GOSYNC_IOC_WAITGROUP_WAIT, &wg);
	case ATOMIC:
		return again(fd, GOSYNC_IOC_ATOMIC_WAIT, &word);
	case VALUE:
		return again(fd, GOSYNC_IOC_VALUE_WAIT, &version);
	case MAP:
		return again(fd, GOSYNC_IOC_MAP_WAIT, &version);
	default:
		return again(gosync_device(), GOSYNC_IOC_WAIT, &many);
	}
}

static int get(FIXTURE_DATA(interrupted) *self, enum kind kind, enum way way)
{
	return way == LIBRARY ? by_library(self, kind) : by_ioctl(self, kind);
}

/* Whoever has it is in its way. */
static int take_first(FIXTURE_DATA(interrupted) *self, enum kind kind)
{
	switch (kind) {
	case MUTEX:
	case ANY:
		return gosync_mutex_lock(self->mutex);
	case WRITER:
	case READER:
		return gosync_rwmutex_lock(self->rw);
	case BEGIN:
	case ONCE:
		return gosync_once_begin(self->once) != GOSYNC_ONCE_RUN;
	case WAITGROUP:
		return gosync_waitgroup_add(self->wg, 1);
	case ALL:
		return gosync_mutex_lock(self->mutex) |
		       gosync_rwmutex_lock(self->rw);
	default:
		return 0;
	}
}

static void give_up(FIXTURE_DATA(interrupted) *self, enum kind kind)
{
	uint64_t number = 1;

	switch (kind) {
	case MUTEX:
	case ANY:
		gosync_mutex_unlock(self->mutex);
		break;
	case WRITER:
	case READER:
		gosync_rwmutex_unlock(self->rw);
		break;
	case SEMAPHORE:
		gosync_semaphore_release(self->semaphore, 1);
		break;
	case BEGIN:
	case ONCE:
		gosync_once_done(self->once);
		break;
	case WAITGROUP:
		gosync_waitgroup_done(self->wg);
		break;
	case ATOMIC:
		gosync_int64_store(self->word, 0, 1);
		gosync_int64_wake(self->word, 0, 1);
		break;
	case VALUE:
		gosync_value_store(self->value, 1, &number, sizeof(number));
		break;
	case MAP:
		gosync_map_store(self->map, "key", 3, "value", 5);
		break;
	default:
		gosync_mutex_unlock(self->mutex);
		gosync_rwmutex_unlock(self->rw);
		break;
	}
}

/* The same, when all have passed it on */
static int take_back(FIXTURE_DATA(interrupted) *self, enum kind kind)
{
	return kind == SEMAPHORE ?
	       gosync_semaphore_tryacquire(self->semaphore, 1) :
	       take_first(self, kind);
}

/* What one who has got it does in the end, so that the next gets it */
static void pass_on(FIXTURE_DATA(interrupted) *self, enum kind kind)
{
	switch (kind) {
	case READER:
		gosync_rwmutex_runlock(self->rw);
		break;
	case ATOMIC:
		gosync_int64_wake(self->word, 0, 1);
		break;
	case MUTEX:
	case WRITER:
	case SEMAPHORE:
	case ANY:
	case ALL:
		give_up(self, kind);
		break;
	default:
		break;
	}
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

static void handle_by(void (*handler)(int signal), enum way way)
{
	handle(handler, way == RESTARTED ? SA_RESTART : 0);
}

static unsigned int waiters_for(FIXTURE_DATA(interrupted) *self, enum kind kind)
{
	return info_of(gosync_fd(handle_of(self, kind))).waiters;
}

/* The wait of a process that is first in a queue of those @pid is in */
static struct gosync_party wait_of(FIXTURE_DATA(interrupted) *self,
				   enum kind kind, pid_t pid)
{
	struct gosync_party parties[16], found = {};
	int n = gosync_waiters(handle_of(self, kind), parties, 16), i;

	/* One that waits for all is also in the queue of what it lacks. */
	for (i = 0; i < n; i++)
		if (parties[i].pid == (uint32_t)pid &&
		    (!found.wait || parties[i].wait < found.wait))
			found = parties[i];
	return found;
}

/* It gets it, says when, and passes it on. */
static pid_t spawn_waiter(FIXTURE_DATA(interrupted) *self, enum kind kind,
			  enum way way, void (*handler)(int signal),
			  unsigned int me)
{
	pid_t pid = spawn();

	if (!pid) {
		handle_by(handler, way);
		if (get(self, kind, way) < 0)
			_exit(1);
		store(&shared->turn[me], add(&shared->turns, 1));
		pass_on(self, kind);
		_exit(0);
	}
	MUST(eventually(wait_of(self, kind, pid).wait));
	return pid;
}

/* Return: whether it has run its handler, and waits again */
static bool interrupt(FIXTURE_DATA(interrupted) *self, enum kind kind,
		      pid_t pid)
{
	unsigned int signals = load(&shared->signals);

	kill(pid, SIGUSR1);
	return eventually(load(&shared->signals) > signals) &&
	       eventually(wait_of(self, kind, pid).tid);
}

static bool is_in_order(enum kind kind)
{
	return kind == MUTEX || kind == WRITER || kind == SEMAPHORE ||
	       kind == ATOMIC || kind == ANY;
}

/* --- the same wait -------------------------------------------------------- */

#define TIMES	3

/* Its place, its number, how long it has waited, and its turn */
TEST_F(interrupted, is_the_same_wait_afterwards)
{
	enum kind kind;
	enum way way;
	int i;

	for (i = 0; i < KINDS * WAYS; i++) {
		struct gosync_party before, after;
		pid_t first, second;
		int n;

		kind = i / WAYS;
		way = i % WAYS;
		/* These end once and for all. */
		if (kind == BEGIN || kind == ONCE || kind == ATOMIC) {
			gosync_close(self->once);
			gosync_close(self->word);
			ASSERT_EQ(0, gosync_once_open(NULL, GOSYNC_CREATE |
						      variant->how, 0600,
						      &self->once));
			ASSERT_EQ(0, gosync_int64_open(NULL, 1, GOSYNC_CREATE |
						       variant->how, 0600,
						       &self->word));
		}
		if (kind == SEMAPHORE && way)
			ASSERT_EQ(0, gosync_semaphore_tryacquire(self->semaphore,
								 1));
		self->value_version = info_of(gosync_fd(self->value)).word;
		self->map_version = 0;
		ASSERT_EQ(0, gosync_map_wait(self->map, &self->map_version));
		store(&shared->turns, 0);
		ASSERT_EQ(0, take_first(self, kind));
		first = spawn_waiter(self, kind, way, note_signal, 0);
		second = spawn_waiter(self, kind, way, note_signal, 1);
		ASSERT_TRUE(first > 0 && second > 0)
			TH_LOG("kind %u, way %u", kind, way);
		before = wait_of(self, kind, first);
		for (n = 0; n < TIMES; n++) {
			sleep_ns(NSEC_PER_MSEC);
			ASSERT_TRUE(interrupt(self, kind, first));
			after = wait_of(self, kind, first);
			EXPECT_EQ(before.wait, after.wait)
				TH_LOG("kind %u, way %u", kind, way);
			EXPECT_LE(before.ns + NSEC_PER_MSEC, after.ns);
			EXPECT_EQ(1, after.position);
			before = after;
		}
		give_up(self, kind);
		EXPECT_EQ(0, reap_soon(first));
		EXPECT_EQ(0, reap_soon(second));
		if (is_in_order(kind)) {
			EXPECT_EQ(1, load(&shared->turn[0]))
				TH_LOG("kind %u, way %u", kind, way);
			EXPECT_EQ(2, load(&shared->turn[1]));
		}
		EXPECT_EQ(0, waiters_for(self, kind));
	}
}

/* Each that is interrupted goes back to its own place, whoever comes first. */
TEST_F(interrupted, those_who_come_back_are_in_their_old_order)
{
	static const enum kind kinds[] = { MUTEX, WRITER, SEMAPHORE, ANY };
	pid_t pids[4];
	unsigned int k, i;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		store(&shared->turns, 0);
		ASSERT_EQ(0, take_first(self, kinds[k]));
		for (i = 0; i < 4; i++)
			pids[i] = spawn_waiter(self, kinds[k], i % WAYS,
					       note_signal, i);
		ASSERT_TRUE(interrupt(self, kinds[k], pids[2]));
		ASSERT_TRUE(interrupt(self, kinds[k], pids[1]));
		ASSERT_TRUE(interrupt(self, kinds[k], pids[3]));
		ASSERT_TRUE(interrupt(self, kinds[k], pids[2]));
		for (i = 0; i < 4; i++)
			EXPECT_EQ(i + 1,
				  wait_of(self, kinds[k], pids[i]).position);
		give_up(self, kinds[k]);
		for (i = 0; i < 4; i++) {
			EXPECT_EQ(0, reap_soon(pids[i]));
			EXPECT_EQ(i + 1, load(&shared->turn[i]))
				TH_LOG("kind %u", kinds[k]);
		}
	}
}

/* --- its share ------------------------------------------------------------ */

#define OTHERS		4
#define TURNS		3
#define ENOUGH		200

struct party {
	enum kind kind;
	enum way way;
	pid_t victim;
};

/*
 * Keep it until the victim has been interrupted meanwhile, and all the others
 * wait, the victim too.
 */
static void keep(FIXTURE_DATA(interrupted) *self, const struct party *party)
{
	unsigned int signals = load(&shared->signals);

	if (party->victim)
		kill(party->victim, SIGUSR1);
	while (!load(&shared->stop) &&
	       ((party->victim && load(&shared->signals) == signals) ||
		waiters_for(self, party->kind) < OTHERS))
		sleep_ns(NSEC_PER_MSEC / 5);
}

static void share(FIXTURE_DATA(interrupted) *self, const struct party *party,
		  unsigned int me)
{
	while (!load(&shared->stop)) {
		if (get(self, party->kind, party->way) < 0)
			_exit(1);
		add(&shared->got[me], 1);
		keep(self, party);
		pass_on(self, party->kind);
	}
	_exit(0);
}

/*
 * One is interrupted each time that another has it, which would be at the end of
 * the queue each time. By the time that the others have had it so often it has
 * had its turns, or never will.
 */
TEST_F(interrupted, who_is_interrupted_all_the_time_gets_its_share)
{
	static const enum kind kinds[] = { MUTEX, WRITER, SEMAPHORE, ANY };
	unsigned int i, j, others;

	ASSERT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	for (i = 0; i < ARRAY_SIZE(kinds) * WAYS; i++) {
		struct party party = {
			.kind = kinds[i / WAYS],
			.way = i % WAYS,
		};
		pid_t pids[1 + OTHERS];

		memset(shared, 0, sizeof(*shared));
		for (j = 0; j < ARRAY_SIZE(pids); j++) {
			pids[j] = spawn();
			if (!pids[j]) {
				handle_by(note_signal, party.way);
				share(self, &party, j);
			}
			ASSERT_TRUE(eventually(j ? waiters_for(self, party.kind) >= j :
					       load(&shared->got[0])));
			party.victim = pids[0];
		}
		do {
			sleep_ns(NSEC_PER_MSEC);
			for (others = 0, j = 1; j <= OTHERS; j++)
				others += load(&shared->got[j]);
		} while (load(&shared->got[0]) < TURNS && others < ENOUGH);
		EXPECT_LE(TURNS, load(&shared->got[0]))
			TH_LOG("kind %u, way %u: %u, the others %u", party.kind,
			       party.way, load(&shared->got[0]), others);
		store(&shared->stop, 1);
		EXPECT_EQ(0, reap_all(pids, ARRAY_SIZE(pids)));
	}
}

struct gatherer {
	FIXTURE_DATA(interrupted) *self;
	enum kind kind;
	enum way way;
};

/* Wants to write, or all permits, or both locks */
static int gather(const struct gatherer *gatherer)
{
	FIXTURE_DATA(interrupted) *self = gatherer->self;
	struct gosync_semaphore_args permits = {
		.size = sizeof(permits),
		.count = OTHERS,
	};
	int ret;

	if (gatherer->kind != SEMAPHORE) {
		ret = get(self, gatherer->kind, gatherer->way);
		if (!ret)
			pass_on(self, gatherer->kind);
		return ret;
	}
	if (gatherer->way == LIBRARY)
		ret = gosync_semaphore_acquire(self->semaphore, OTHERS);
	else
		ret = again(gosync_fd(self->semaphore),
			    GOSYNC_IOC_SEMAPHORE_ACQUIRE, &permits);
	return ret ? ret : gosync_semaphore_release(self->semaphore, OTHERS);
}

/* Has a part of it, and interrupts who wants it all */
static void have_one(const struct gatherer *gatherer, pid_t victim,
		     unsigned int me)
{
	FIXTURE_DATA(interrupted) *self = gatherer->self;
	enum kind part = gatherer->kind;

	if (part == WRITER)
		part = READER;
	else if (part == ALL)
		part = me % 2 ? MUTEX : WRITER;
	by_library(self, part);
	kill(victim, SIGUSR1);
	sleep_ns(5 * NSEC_PER_MSEC);
	pass_on(self, part);
}

/*
 * What it has gathered so far goes to others when it is interrupted, and that is
 * more often than it takes to gather all.
 */
TEST_F(interrupted, who_is_interrupted_while_it_gathers_gets_it_all)
{
	static const enum kind kinds[] = { WRITER, SEMAPHORE, ALL };
	unsigned int i, j, others;

	ASSERT_EQ(0, gosync_semaphore_release(self->semaphore, OTHERS));
	for (i = 0; i < ARRAY_SIZE(kinds) * WAYS; i++) {
		struct gatherer gatherer = {
			self, kinds[i / WAYS], i % WAYS,
		};
		pid_t pids[1 + OTHERS];

		memset(shared, 0, sizeof(*shared));
		for (j = 0; j < ARRAY_SIZE(pids); j++) {
			pids[j] = spawn();
			if (pids[j])
				continue;
			handle_by(note_signal, gatherer.way);
			if (!j)
				add(&shared->step, 1);
			while (!load(&shared->step))
				sleep_ns(NSEC_PER_MSEC / 5);
			while (!load(&shared->stop)) {
				if (j)
					have_one(&gatherer, pids[0], j);
				else if (gather(&gatherer))
					_exit(1);
				add(&shared->got[j], 1);
			}
			_exit(0);
		}
		do {
			sleep_ns(NSEC_PER_MSEC);
			for (others = 0, j = 1; j <= OTHERS; j++)
				others += load(&shared->got[j]);
		} while (load(&shared->got[0]) < TURNS &&
			 others < 10 * ENOUGH);
		EXPECT_LE(TURNS, load(&shared->got[0]))
			TH_LOG("kind %u, way %u: %u, the others %u",
			       gatherer.kind, gatherer.way,
			       load(&shared->got[0]), others);
		store(&shared->stop, 1);
		for (j = ARRAY_SIZE(pids); j--;)
			EXPECT_EQ(0, reap_soon(pids[j]));
	}
}

/* --- in nobody's way ------------------------------------------------------ */

TEST_F(interrupted, who_is_in_its_handler_blocks_nobody_and_comes_back)
{
	static const enum kind kinds[] = { MUTEX, WRITER, SEMAPHORE, ANY };
	pid_t away, other, late;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		enum kind kind = kinds[i];

		memset(shared, 0, sizeof(*shared));
		ASSERT_EQ(0, take_first(self, kind));
		away = spawn_waiter(self, kind, i % WAYS, note_and_stay, 0);
		kill(away, SIGUSR1);
		ASSERT_TRUE(eventually(load(&shared->stage) == 1));
		other = spawn_waiter(self, kind, LIBRARY, note_signal, 1);
		give_up(self, kind);
		EXPECT_EQ(0, reap_soon(other));
		EXPECT_EQ(1, load(&shared->turn[1]));
		/* Who begins to wait meanwhile comes after it. */
		ASSERT_EQ(0, take_back(self, kind));
		late = spawn_waiter(self, kind, LIBRARY, note_signal, 2);
		store(&shared->stage, 2);
		ASSERT_TRUE(eventually(wait_of(self, kind, away).tid));
		EXPECT_EQ(1, wait_of(self, kind, away).position);
		give_up(self, kind);
		EXPECT_EQ(0, reap_soon(away));
		EXPECT_EQ(0, reap_soon(late));
		EXPECT_EQ(2, load(&shared->turn[0]))
			TH_LOG("kind %u", kind);
		EXPECT_EQ(3, load(&shared->turn[2]));
		ASSERT_EQ(0, take_back(self, kind));
		if (kind != SEMAPHORE)
			give_up(self, kind);
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

	ASSERT_EQ(0, gosync_semaphore_release(self->semaphore, 1));
	for (i = 0; i < 3; i++) {
		pid_t first, second;

		memset(shared, 0, sizeof(*shared));
		ASSERT_EQ(0, gosync_semaphore_acquire(self->semaphore, 1));
		first = spawn();
		if (!first) {
			struct gosync_semaphore_args args = {
				.size = sizeof(args),
				.count = 1,
			};
			int fd = gosync_fd(self->semaphore);
			pthread_t thread;

			handle_by(note_signal, AGAIN);
			if (call(fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, &args) != -EINTR)
				_exit(1);
			store(&shared->step, 1);
			while (load(&shared->step) != 2)
				sleep_ns(NSEC_PER_MSEC / 5);
			if (i == 0)
				args.count = 0;
			if (i == 1)
				fd = reopen_object(fd, 0);
			if (i == 2) {
				pthread_create(&thread, NULL, acquire_and_release,
					       self->semaphore);
				pthread_join(thread, NULL);
				_exit(0);
			}
			if (call(fd, GOSYNC_IOC_SEMAPHORE_ACQUIRE, &args))
				_exit(1);
			_exit(-call(fd, GOSYNC_IOC_SEMAPHORE_RELEASE, &args));
		}
		ASSERT_TRUE(eventually(waiters_for(self, SEMAPHORE) == 1));
		kill(first, SIGUSR1);
		ASSERT_TRUE(eventually(load(&shared->step) == 1));
		second = spawn_waiter(self, SEMAPHORE, LIBRARY, note_signal, 1);
		store(&shared->step, 2);
		ASSERT_TRUE(eventually(waiters_for(self, SEMAPHORE) == 2));
		EXPECT_EQ(1, wait_of(self, SEMAPHORE, second).position)
			TH_LOG("at %d", i);
		gosync_semaphore_release(self->semaphore, 1);
		EXPECT_EQ(0, reap_soon(second));
		EXPECT_EQ(0, reap_soon(first));
		ASSERT_TRUE(eventually(!waiters_for(self, SEMAPHORE)));
	}
}

/* What is counted still adds up. */
TEST_F(interrupted, is_counted_as_many_waits_as_there_were)
{
	struct gosync_stat stat;
	pid_t pid;
	int i;

	ASSERT_EQ(0, take_first(self, MUTEX));
	pid = spawn_waiter(self, MUTEX, LIBRARY, note_signal, 0);
	for (i = 0; i < TIMES; i++)
		ASSERT_TRUE(interrupt(self, MUTEX, pid));
	give_up(self, MUTEX);
	EXPECT_EQ(0, reap_soon(pid));
	ASSERT_EQ(0, gosync_stat(self->mutex, &stat));
	EXPECT_EQ(TIMES + 1, stat.contended);
	EXPECT_EQ(TIMES, stat.gave_up);
	EXPECT_EQ(1, stat.acquired);
	/* From the beginning of the first to the end of the last */
	EXPECT_EQ(stat.wait_max_ns, stat.wait_ns);
}

TEST_HARNESS_MAIN
