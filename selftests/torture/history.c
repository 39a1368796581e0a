// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation on a Value, a word, a Semaphore or a Mutex happens at one moment
 * between its call and its return (lib/history.h; that of Maps is in map_many.c).
 *
 * This is done in rounds of a few operations for each process. Between rounds
 * nobody is at work, and the checker looks at the state that a history begins
 * and ends with. In some rounds a process is killed within an operation.
 */
#include "history.h"
#include "torture.h"

enum { PROCESSES = 4, EACH = 7, TYPE = 1, LIMIT = 3, MOST = 32 };

/* What the processes use */
enum { VALUE, WORD, SEMAPHORE, MUTEX, OBJECTS };

enum {
	LOAD, STORE, SWAP, CAS, ADD, ACQUIRE, TRYACQUIRE, RELEASE, LOCK, TRYLOCK,
	UNLOCK, DIE, OPS
};

/* What all processes share; @object is the one of this round */
struct shared {
	uint32_t clock;
	uint32_t round;
	uint32_t object;
	uint32_t arrived[PROCESSES];
	uint32_t count[PROCESSES];
	struct op ops[PROCESSES][EACH];
};

FIXTURE(history)
{
	struct shared *shared;
	gosync_value_t *value;
	gosync_int64_t *word;
	gosync_semaphore_t *semaphore;
	gosync_mutex_t *mutex;
	pid_t pids[PROCESSES];
	uint64_t seed;
	uint64_t total;
	uint64_t overlapping;
};

MAPPED_AND_IOCTL(history);

FIXTURE_SETUP(history)
{
	const uint32_t first = 1;

	self->shared = shared_memory(sizeof(*self->shared));
	self->seed = torture_seed();
	self->value = NEW(gosync_value, variant->how, sizeof(first));
	self->word = NEW(gosync_int64, variant->how, 1);
	self->semaphore = NEW(gosync_semaphore, variant->how | GOSYNC_GIVE_BACK,
			      LIMIT);
	self->mutex = NEW(gosync_mutex, variant->how);
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

/*
 * A Semaphore has permits. TryAcquire may also fail because others wait, who are
 * not seen here. A process that dies gives back what it has.
 */
static bool apply_to_semaphore(struct state *state, const struct op *op)
{
	uint64_t *permits = &state->values[0];

	switch (op->what) {
	case LOAD:
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

/* A Mutex: how often it was locked; whether it is locked, whether poisoned */
enum { LOCKED = 1, POISONED = 2 };

static bool apply_to_mutex(struct state *state, const struct op *op)
{
	uint64_t *token = &state->values[0], *bits = &state->values[1];

	switch (op->what) {
	case LOAD:
		return op->old == *token && op->expected == *bits;
	case TRYLOCK:
	case LOCK:
		if (op->ret == -EBUSY && op->ended)
			return op->what == TRYLOCK && *bits & LOCKED;
		if (*bits & LOCKED)
			return false;
		++*token;
		*bits |= LOCKED;
		return !op->ended || (op->old == *token &&
				      op->ret == !!(*bits & POISONED));
	}
	if (!(*bits & LOCKED))
		return false;
	*bits &= ~LOCKED;
	if (op->what == DIE)
		*bits |= POISONED;
	return !op->ended || !op->ret;
}

static const apply_t apply[OBJECTS] = {
	apply_to_value, apply_to_word, apply_to_semaphore, apply_to_mutex,
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

static void run_semaphore(FIXTURE_DATA(history) *self, struct op *op)
{
	op->ret = (op->what == ACQUIRE ? gosync_semaphore_acquire :
		   op->what == TRYACQUIRE ? gosync_semaphore_tryacquire :
		   gosync_semaphore_release)(self->semaphore, op->value);
}

static void run_mutex(FIXTURE_DATA(history) *self, struct op *op)
{
	uint64_t token = 0;

	op->ret = (op->what == LOCK ? gosync_mutex_lock :
		   op->what == TRYLOCK ? gosync_mutex_trylock :
		   gosync_mutex_unlock)(self->mutex);
	if (op->what != UNLOCK && op->ret >= 0)
		MUST(!gosync_mutex_token(self->mutex, &token));
	op->old = token;
}

static void (*const run[OBJECTS])(FIXTURE_DATA(history) *self, struct op *op) = {
	run_value, run_word, run_semaphore, run_mutex,
};

/* A process that holds something releases it before it may wait again. */
static void choose(uint64_t *seed, unsigned int object, struct op *op,
		   const struct op *held)
{
	const uint32_t r = random_u32(seed);

	*op = (struct op) { .value = r % 5 + 1, .expected = r / 8 % 5 + 1 };
	switch (object) {
	case SEMAPHORE:
		op->value = held ? held->value : op->value % LIMIT + 1;
		op->what = held ? RELEASE : r / 64 % 2 ? ACQUIRE : TRYACQUIRE;
		break;
	case MUTEX:
		op->what = held ? UNLOCK : r / 64 % 2 ? LOCK : TRYLOCK;
		break;
	default:
		op->what = r / 64 % (object == VALUE ? ADD : ADD + 1);
	}
}

static void take_part(FIXTURE_DATA(history) *self, unsigned int me)
{
	struct shared *shared = self->shared;
	const unsigned int object = shared->object;
	const struct op *held = NULL;
	unsigned int i;

	for (i = 0; i < EACH; i++) {
		struct op *op = &shared->ops[me][i];

		/* The last may only be one that releases what is held. */
		if (i == EACH - 1 && !held)
			return;
		choose(&self->seed, object, op, held);
		op->began = add(&shared->clock, 1);
		store(&shared->count[me], i + 1);
		run[object](self, op);
		store(&op->ended, add(&shared->clock, 1));
		held = !held && object >= SEMAPHORE && op->ret >= 0 ? op : NULL;
	}
}

/* The descriptors are reopened in it: it has a holder of its own. */
static pid_t spawn_process(FIXTURE_DATA(history) *self, unsigned int me)
{
	unsigned int round;
	pid_t pid = spawn();

	if (pid) {
		random_u32(&self->seed);
		return pid;
	}
	self->seed += me;
	for (round = 1;; round++) {
		while (load(&self->shared->round) < round)
			sched_yield();
		take_part(self, me);
		store(&self->shared->arrived[me], 1);
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
	case SEMAPHORE:
		op.old = gosync_semaphore_count(self->semaphore);
		break;
	default:
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
		for (i = 0; i < load(&shared->count[p]); i++) {
			ops[n] = shared->ops[p][i];
			if (p == (unsigned int)victim)
				last = &ops[n];
			n++;
		}
	}
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
	for (i = 0; i < n; i++)
		ksft_print_msg("object %u, %lld to %lld: %u(%u, %u) = %d, %u\n",
			       object, (long long)ops[i].began,
			       (long long)ops[i].ended, ops[i].what,
			       ops[i].value, ops[i].expected, ops[i].ret,
			       ops[i].old);
	return false;
}

static bool round_is_right(FIXTURE_DATA(history) *self, unsigned int round,
			   bool kill)
{
	struct shared *shared = self->shared;
	struct op before;
	int victim = -1;
	unsigned int i;

	gosync_mutex_recover(self->mutex);
	shared->object = random_u32(&self->seed) % OBJECTS;
	before = look_at(self, shared->object);
	memset(shared->count, 0, sizeof(shared->count));
	memset(shared->arrived, 0, sizeof(shared->arrived));
	store(&shared->round, round);
	if (kill) {
		victim = random_u32(&self->seed) % PROCESSES;
		sleep_ns(random_u32(&self->seed) % 300000);
		kill_and_reap(self->pids[victim]);
	}
	for (i = 0; i < PROCESSES; i++)
		MUST((int)i == victim || eventually(load(&shared->arrived[i])));
	return is_explained(self, &before, victim);
}

TEST_F(history, results_are_explained_by_one_order)
{
	uint64_t end = end_of_budget();
	unsigned int round = 0, i;

	for (i = 0; i < PROCESSES; i++)
		self->pids[i] = spawn_process(self, i);
	do {
		ASSERT_TRUE(round_is_right(self, ++round, false));
	} while (budget_left(end));
	EXPECT_EQ(128 + SIGKILL, kill_all(self->pids, PROCESSES));
	ksft_print_msg("history: %llu operations, %llu overlapped\n",
		       (unsigned long long)self->total,
		       (unsigned long long)self->overlapping);
	EXPECT_LT(0, self->total);
}

/* Processes are there for one round each. */
TEST_F(history, a_death_happens_at_one_moment_too)
{
	uint64_t end = end_of_budget();
	unsigned int i, killed = 0;

	do {
		for (i = 0; i < PROCESSES; i++)
			self->pids[i] = spawn_process(self, i);
		ASSERT_TRUE(round_is_right(self, 1, true));
		for (i = 0; i < PROCESSES; i++)
			kill_and_reap(self->pids[i]);
		killed++;
		store(&self->shared->round, 0);
	} while (budget_left(end));
	ksft_print_msg("history: %u killed, %llu operations, %llu overlapped\n",
		       killed, (unsigned long long)self->total,
		       (unsigned long long)self->overlapping);
	EXPECT_LT(0, killed);
}

int main(int argc, char **argv)
{
	return torture_main(argc, argv);
}
