// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation on a Value, a word, a Map, a Semaphore or a Mutex happens at one
 * moment between its call and its return (lib/history.h).
 *
 * This is done in rounds of a few operations for each process. Between rounds
 * nobody is at work, and the checker looks at the state that a history begins
 * and ends with. In some rounds a process is killed within an operation, goes on
 * as a copy of itself, or has the Map's tables replaced.
 *
 * An operation takes so little time that two hardly ever meet by chance. So as
 * many processes begin together as there are processors, and between operations
 * they do nothing else. What they will do they have made up before. Once while
 * they are at it a signal has them let others go on: mostly within an operation.
 */
#include <semaphore.h>
#include <sys/time.h>
#include "map_op.h"
#include "torture.h"

enum { PROCESSES = 4, EACH = 7, TYPE = 1, LIMIT = 3, MOST = 32, KEYS = 2 };

/* What the processes use: the last ones can be held. */
enum { VALUE, WORD, MAP, SEMAPHORE, MUTEX, OBJECTS };

/* What is not done to a Map; LOOK is that nobody is at work and it is so. */
enum {
	ADD = OPS, ACQUIRE, TRYACQUIRE, RELEASE, LOCK, TRYLOCK, UNLOCK, DIE, LOOK
};

/*
 * What all processes share; @object is the one of this round, @resizer the
 * process, if any, that fills and empties the Map, @kills whether one is killed.
 * An operation that has not begun began at 0.
 */
struct shared {
	uint32_t clock;
	uint32_t object;
	uint32_t resizer;
	uint32_t kills;
	uint32_t ready;
	uint32_t forks;
	uint32_t arrived[PROCESSES];
	sem_t begin[PROCESSES], end;
	struct op ops[PROCESSES][EACH];
};

FIXTURE(history)
{
	struct shared *shared;
	gosync_value_t *value;
	gosync_int64_t *word;
	gosync_map_t *map;
	gosync_semaphore_t *semaphore;
	gosync_mutex_t *mutex;
	const struct gosync_map_page *page;
	unsigned int processors;
	pid_t pids[PROCESSES];
	uint64_t seed;
	uint64_t total, overlapping, tables;
	unsigned int killed, within;
};

MAPPED_AND_IOCTL(history);

static void let_others_go_on(int signal)
{
	sched_yield();
}

FIXTURE_SETUP(history)
{
	const struct sched_param first_of_all = { .sched_priority = 10 };
	const struct sigaction alarm = {
		.sa_handler = let_others_go_on, .sa_flags = SA_RESTART,
	};
	const uint32_t first = 1;

	self->shared = shared_memory(sizeof(*self->shared));
	self->seed = torture_seed();
	self->value = NEW(gosync_value, variant->how, sizeof(first));
	self->word = NEW(gosync_int64, variant->how, 1);
	self->map = NEW(gosync_map, variant->how, NULL);
	self->semaphore = NEW(gosync_semaphore, variant->how | GOSYNC_GIVE_BACK,
			      LIMIT);
	self->mutex = NEW(gosync_mutex, variant->how);
	self->page = mmap(NULL, info(self->map).map_len, PROT_READ, MAP_SHARED,
			  gosync_fd(self->map), 0);
	ASSERT_NE(MAP_FAILED, self->page);
	self->processors = sysconf(_SC_NPROCESSORS_ONLN);
	/* A sleep ends in the middle of what the others do, if that is allowed. */
	prctl(PR_SET_TIMERSLACK, 1);
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first_of_all);
	sigaction(SIGALRM, &alarm, NULL);
	sem_init(&self->shared->end, 1, 0);
	ASSERT_EQ(0, gosync_value_store(self->value, TYPE, &first, sizeof(first)));
}

/* --- what simple objects answer ------------------------------------------ */

static bool apply_to_word(struct state *state, const struct op *op)
{
	uint64_t *now = &state->values[0], old = *now;
	int ret = 0;

	switch (op->what) {
	case STORE:
	case SWAP:
		*now = op->value;
		break;
	case CAS:
		ret = old == op->expected;
		*now = ret ? op->value : old;
		break;
	case ADD:
		old += op->value;
		*now = old;
		break;
	}
	return !op->ended || (op->ret == ret && (op->what == STORE ||
						 op->what == CAS ||
						 op->old == old));
}

/* The swap of a Value also says that there was one. */
static bool apply_to_value(struct state *state, const struct op *op)
{
	struct op swap = *op;

	swap.ret -= op->what == SWAP;
	return apply_to_word(state, &swap);
}

static bool apply_to_map(struct state *state, const struct op *op)
{
	uint64_t *values = state->values;

	switch (op->what) {
	case LOOK:
		return op->old == values[0] && op->expected == values[1];
	case CLEAR:
		memset(state, 0, sizeof(*state));
		return !op->ended || !op->ret;
	}
	return apply_to_key(&values[op->key], op);
}

/*
 * A Semaphore has permits. TryAcquire may also fail because others wait, who are
 * not seen here. A process that dies gives back what it has.
 */
static bool apply_to_semaphore(struct state *state, const struct op *op)
{
	uint64_t *permits = &state->values[0];

	switch (op->what) {
	case LOOK:
		return op->old == *permits;
	case TRYACQUIRE:
	case ACQUIRE:
		if (op->ret == -EBUSY && op->ended)
			return op->what == TRYACQUIRE;
		if (*permits < op->value)
			return false;
		*permits -= op->value;
		break;
	default:
		*permits += op->value;
		if (*permits > LIMIT)
			return false;
	}
	return !op->ended || !op->ret;
}

/*
 * A Mutex: its last token; whether it is locked, whether poisoned. Who takes the lock
 * counts its token next. One that died in between had the lock, but perhaps no token. So
 * how many have died while they locked stands beside the bits, until the next token tells.
 */
enum { LOCKED = 1, POISONED = 2, UNKNOWN = 4 };

static bool apply_to_mutex(struct state *state, const struct op *op)
{
	uint64_t *token = &state->values[0], *bits = &state->values[1];
	uint64_t unknown = *bits / UNKNOWN;

	switch (op->what) {
	case LOOK:
		return op->old - *token <= unknown && op->expected == *bits % UNKNOWN;
	case TRYLOCK:
	case LOCK:
		if (op->ret == -EBUSY && op->ended)
			return op->what == TRYLOCK && *bits & LOCKED;
		if (*bits & LOCKED)
			return false;
		*bits |= LOCKED;
		if (!op->ended) {
			*bits += UNKNOWN;
			return true;
		}
		if (op->old - *token - 1 > unknown)
			return false;
		*token = op->old;
		*bits %= UNKNOWN;
		return op->ret == !!(*bits & POISONED);
	}
	if (!(*bits & LOCKED))
		return false;
	*bits &= ~LOCKED;
	if (op->what == DIE)
		*bits |= POISONED;
	return !op->ended || !op->ret;
}

static const apply_t apply[OBJECTS] = {
	apply_to_value, apply_to_word, apply_to_map, apply_to_semaphore,
	apply_to_mutex,
};

/* --- what real ones do --------------------------------------------------- */

static void run_value(FIXTURE_DATA(history) *self, struct op *op)
{
	size_t len = sizeof(op->old);
	uint64_t type;

	switch (op->what) {
	case LOAD:
		op->ret = gosync_value_load(self->value, &op->old, &len, &type);
		break;
	case STORE:
		op->ret = gosync_value_store(self->value, TYPE, &op->value, 4);
		break;
	case SWAP:
		op->ret = gosync_value_swap(self->value, TYPE, &op->value, 4,
					    &op->old, &len);
		break;
	default:
		op->ret = gosync_value_cas(self->value, TYPE, &op->expected, 4,
					   TYPE, &op->value, 4);
	}
}

static void run_word(FIXTURE_DATA(history) *self, struct op *op)
{
	int64_t old = 0;

	switch (op->what) {
	case LOAD:
		op->ret = gosync_int64_load(self->word, 0, &old);
		break;
	case STORE:
		op->ret = gosync_int64_store(self->word, 0, op->value);
		break;
	case SWAP:
		op->ret = gosync_int64_swap(self->word, 0, op->value, &old);
		break;
	case CAS:
		op->ret = gosync_int64_cas(self->word, 0, op->expected, op->value);
		break;
	default:
		op->ret = gosync_int64_add(self->word, 0, op->value, &old);
	}
	op->old = old;
}

static void run_map(FIXTURE_DATA(history) *self, struct op *op)
{
	run_on_map(self->map, op);
}

static void run_semaphore(FIXTURE_DATA(history) *self, struct op *op)
{
	op->ret = (op->what == ACQUIRE ? gosync_semaphore_acquire :
		   op->what == TRYACQUIRE ? gosync_semaphore_tryacquire :
		   gosync_semaphore_release)(self->semaphore, op->value);
}

static void run_mutex(FIXTURE_DATA(history) *self, struct op *op)
{
	op->ret = (op->what == LOCK ? gosync_mutex_lock :
		   op->what == TRYLOCK ? gosync_mutex_trylock :
		   gosync_mutex_unlock)(self->mutex);
}

static void (*const run[OBJECTS])(FIXTURE_DATA(history) *self, struct op *op) = {
	run_value, run_word, run_map, run_semaphore, run_mutex,
};

static void choose(uint64_t *seed, unsigned int object, struct op *op)
{
	static const uint32_t to_word[] = { LOAD, STORE, SWAP, CAS, ADD };
	const uint32_t r = random_u32(seed);

	*op = (struct op) {
		.value = r % 5 + 1, .expected = r / 8 % 5 + 1, .key = r >> 31,
	};
	switch (object) {
	case SEMAPHORE:
		op->value = op->value % LIMIT + 1;
		op->what = r / 64 % 2 ? ACQUIRE : TRYACQUIRE;
		break;
	case MUTEX:
		op->what = r / 64 % 2 ? LOCK : TRYLOCK;
		break;
	case MAP:
		op->what = r / 64 % 32 ? r / 2048 % CLEAR : CLEAR;
		break;
	default:
		op->what = to_word[r / 64 % (object == VALUE ? 4 : 5)];
	}
}

/* Begin with as many others as there are processors, if they come soon. */
static void meet_others(FIXTURE_DATA(history) *self)
{
	uint32_t *ready = &self->shared->ready, all = add(ready, 1), tries;
	struct itimerval soon = { .it_value.tv_usec = 1 };
	uint32_t r = random_u32(&self->seed);

	while (all % self->processors && all < PROCESSES)
		all++;
	for (tries = 0; tries < 10000 && load(ready) < all; tries++)
		;
	/* Up to 16 us, mostly less */
	soon.it_value.tv_usec += (r >> 3) % (1U << r % 5);
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* Keys of nobody else come and go, until the Map takes another table. */
static void resize(FIXTURE_DATA(history) *self)
{
	unsigned int i;

	for (i = 0; i < 40; i++) {
		struct op op = { .value = 1, .key = KEYS };

		op.key += random_u32(&self->seed) % 64;
		op.what = random_u32(&self->seed) % 2 ? STORE : DELETE;
		run_on_map(self->map, &op);
	}
}

/* When it began and when it ended, as all see it; the end comes last. */
static void run_op(FIXTURE_DATA(history) *self, unsigned int object, struct op *op)
{
	uint32_t *clock = &self->shared->clock;
	uint64_t ended, token = 0;

	op->began = add(clock, 1);
	run[object](self, op);
	ended = add(clock, 1);
	if (object == MUTEX && op->what != UNLOCK && op->ret >= 0) {
		MUST(!gosync_mutex_token(self->mutex, &token));
		op->old = token;
	}
	__atomic_store_n(&op->ended, ended, __ATOMIC_RELEASE);
}

/*
 * A process that holds something releases it before it may wait again. Where it
 * holds nothing it may go on in a child.
 */
static void take_part(FIXTURE_DATA(history) *self, unsigned int me)
{
	struct shared *shared = self->shared;
	const unsigned int object = shared->object;
	const bool may_hold = object >= SEMAPHORE;
	struct op *op = shared->ops[me], *held = NULL;
	uint32_t forks_at = random_u32(&self->seed) % 1024;
	unsigned int i;
	pid_t pid = 1;

	for (i = 0; i < EACH; i++)
		choose(&self->seed, object, op + i);
	meet_others(self);
	if (object == MAP && shared->resizer == me) {
		resize(self);
		return;
	}
	for (i = 0; i < EACH; i++, op++) {
		if (held) {
			op->what = object == MUTEX ? UNLOCK : RELEASE;
			op->value = held->value;
		} else if (may_hold && i == EACH - 1) {
			/* It may only be one that releases what is held. */
			break;
		} else if (i == forks_at && !shared->kills) {
			pid = spawn();
			if (pid) {
				MUST(!reap(pid));
				return;
			}
			add(&shared->forks, 1);
		}
		run_op(self, object, op);
		held = may_hold && !held && op->ret >= 0 ? op : NULL;
	}
	if (!pid)
		_exit(0);
}

static void await(sem_t *semaphore)
{
	while (sem_wait(semaphore))
		MUST(errno == EINTR);
}

/* The descriptors are reopened in it: it has a holder of its own. */
static pid_t spawn_process(FIXTURE_DATA(history) *self, unsigned int me)
{
	struct shared *shared = self->shared;
	pid_t pid;

	sem_init(&shared->begin[me], 1, 0);
	pid = spawn();
	if (pid) {
		random_u32(&self->seed);
		return pid;
	}
	self->seed += me;
	for (;;) {
		await(&shared->begin[me]);
		take_part(self, me);
		store(&shared->arrived[me], 1);
		sem_post(&shared->end);
	}
}

/* --- rounds -------------------------------------------------------------- */

/* What the object is now, when nobody uses it */
static struct op look_at(FIXTURE_DATA(history) *self, unsigned int object)
{
	struct op op = { .what = LOAD, .began = UINT64_MAX - 1,
			 .ended = UINT64_MAX };
	struct gosync_info now;

	switch (object) {
	case VALUE:
	case WORD:
		run[object](self, &op);
		break;
	case MAP:
		op.key = 1;
		run_on_map(self->map, &op);
		op.expected = op.old;
		op.key = 0;
		run_on_map(self->map, &op);
		op.what = LOOK;
		break;
	case SEMAPHORE:
		op.what = LOOK;
		op.old = gosync_semaphore_count(self->semaphore);
		break;
	default:
		op.what = LOOK;
		now = info(self->mutex);
		op.old = now.token;
		op.expected = (now.word & GOSYNC_MUTEX_LOCKED ? LOCKED : 0) |
			(now.word & GOSYNC_MUTEX_POISONED ? POISONED : 0);
	}
	return op;
}

static bool overlap(const struct op *a, const struct op *b)
{
	return a != b && a->began < b->ended && b->began < a->ended;
}

/* Is there an order of what was done? @victim was killed, or -1 */
static bool is_explained(FIXTURE_DATA(history) *self, const struct op *before,
			 int victim)
{
	struct shared *shared = self->shared;
	const unsigned int object = shared->object;
	struct state state = { { before->old, before->expected } };
	struct op ops[MOST], *last = NULL;
	unsigned int n = 0, p, i, j;

	for (p = 0; p < PROCESSES; p++) {
		for (i = 0; i < EACH && shared->ops[p][i].began; i++) {
			ops[n] = shared->ops[p][i];
			if (p == (unsigned int)victim)
				last = &ops[n];
			n++;
		}
	}
	self->within += last && !last->ended;
	for (i = 0; i < n; i++) {
		for (j = 0; j < n && !overlap(&ops[i], &ops[j]); j++)
			;
		self->overlapping += j < n;
	}
	self->total += n;
	/*
	 * What a death does, if there was anything to do. The kernel takes a lock
	 * back that the victim was never told of: then nobody died with it.
	 */
	if (last && object >= SEMAPHORE && last->what != RELEASE &&
	    last->what != UNLOCK) {
		struct op death = { .what = object == MUTEX ? DIE : RELEASE,
			.value = last->value, .began = last->began };

		ops[n++] = death;
		if (object == MUTEX && !last->ended) {
			death.what = UNLOCK;
			ops[n++] = death;
		}
	}
	ops[n++] = look_at(self, object);
	if (is_linearizable(ops, n, state, apply[object]))
		return true;
	/* Who is killed before the lock is released dies with it. */
	if (last && last->what == UNLOCK && !last->ended) {
		last->what = DIE;
		if (is_linearizable(ops, n, state, apply[object]))
			return true;
	}
	for (i = 0; i < n; i++)
		ksft_print_msg("object %u, %lld to %lld: %u(%u, %u, %u) = %d, %u\n",
			       object, (long long)ops[i].began,
			       (long long)ops[i].ended, ops[i].what,
			       ops[i].key, ops[i].value, ops[i].expected,
			       ops[i].ret, ops[i].old);
	return false;
}

static bool round_is_right(FIXTURE_DATA(history) *self, bool kill)
{
	struct shared *shared = self->shared;
	uint64_t table = self->page->table;
	struct op before;
	int victim = -1;
	unsigned int i;

	gosync_mutex_recover(self->mutex);
	shared->object = random_u32(&self->seed) % OBJECTS;
	shared->resizer = random_u32(&self->seed) % (4 * PROCESSES);
	shared->kills = kill;
	shared->ready = 0;
	before = look_at(self, shared->object);
	memset(shared->ops, 0, sizeof(shared->ops));
	memset(shared->arrived, 0, sizeof(shared->arrived));
	for (i = 0; i < PROCESSES; i++)
		sem_post(&shared->begin[i]);
	if (kill) {
		victim = random_u32(&self->seed) % PROCESSES;
		sleep_ns(random_u32(&self->seed) % 50000);
		kill_and_reap(self->pids[victim]);
		self->killed++;
	}
	for (i = 0; i < PROCESSES; i++)
		while ((int)i != victim && !load(&shared->arrived[i]))
			await(&shared->end);
	self->tables += (self->page->table >> GOSYNC_MAP_VERSION_SHIFT) -
		(table >> GOSYNC_MAP_VERSION_SHIFT);
	if (!is_explained(self, &before, victim))
		return false;
	if (kill)
		self->pids[victim] = spawn_process(self, victim);
	return true;
}

static void rounds(struct __test_metadata *_metadata,
		   FIXTURE_DATA(history) *self, bool kill)
{
	uint64_t end = end_of_budget();
	unsigned int i;

	for (i = 0; i < PROCESSES; i++)
		self->pids[i] = spawn_process(self, i);
	do {
		ASSERT_TRUE(round_is_right(self, kill));
	} while (budget_left(end));
	EXPECT_EQ(128 + SIGKILL, kill_all(self->pids, PROCESSES));
	EXPECT_LT(0, self->total);
	FIGURES("%llu operations, %llu operations that overlapped (%llu %%)",
		(unsigned long long)self->total,
		(unsigned long long)self->overlapping,
		(unsigned long long)(100 * self->overlapping / self->total));
	FIGURES("%llu tables of a Map, %u forks, %u kills, %u within an operation",
		(unsigned long long)self->tables, self->shared->forks,
		self->killed, self->within);
}

TEST_F(history, results_are_explained_by_one_order)
{
	rounds(_metadata, self, false);
}

TEST_F(history, a_death_happens_at_one_moment_too)
{
	rounds(_metadata, self, true);
	EXPECT_LT(0, self->killed);
}

int main(int argc, char **argv)
{
	return torture_main(argc, argv);
}
