// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each function of the library that changes an object is killed after each of its
 * instructions. What others find is as it was before the call or as it is after
 * it. Nobody is left waiting, and nothing of the dead process is left.
 */
#define WATCHDOG	300

#include <fnmatch.h>
#include <limits.h>
#include "exported.h"
#include "kinds.h"
#include "step.h"
#include "stepped.h"
#include "torture.h"

/* How far a child has come: it is about to call, or the call has returned. */
enum { BEGUN = 1, RETURNED };

static unsigned int *stage;

struct row {
	const char *name;
	const char *states;
	void (*make)(void);
	char (*state)(void);
};

static const struct row rows[] = {
#define ROW(object, function, states, ...)				\
	{ #function, states, make_##object, state_##object },
	ROWS(ROW)
#undef ROW
};

static bool is(const struct row *row, const char *name, const char *states,
	       void (*make)(void))
{
	return !strcmp(row->name, name) && !strcmp(row->states, states) &&
	       row->make == make;
}

/* In a child: what this row does, from its first instruction on step by step */
static void act(const struct row *row)
{
#define ROW(object, function, states, before, ...)			\
	if (is(row, #function, states, make_##object)) {		\
		before;							\
		begin_to_step();					\
		store(stage, BEGUN);					\
		__VA_ARGS__;						\
		store(stage, RETURNED);					\
		rest();							\
	}
	ROWS(ROW)
#undef ROW
}

static void close_all(void)
{
	void **const handles[] = {
		(void *)&mutex, (void *)&spoilt, (void *)&rw, (void *)&wg,
		(void *)&once, (void *)&cond, (void *)&semaphore,
		(void *)&returned, (void *)&value, (void *)&map,
		(void *)&int32, (void *)&uint32, (void *)&int64,
		(void *)&uint64, (void *)&uintptr, (void *)&pointer,
		(void *)&boolean,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(handles); i++) {
		gosync_close(*handles[i]);
		*handles[i] = NULL;
	}
	free(name);
	name = NULL;
}

/* The child has stopped before its call. */
static void come_to_the_call(pid_t pid)
{
	int status;

	MUST(has_stopped(pid, &status));
	while (load(stage) < BEGUN)
		MUST(step(pid, &status));
}

struct death {
	unsigned int instructions;	/* of the call, before it */
	bool returned;
	char state;
};

static struct death die_after(unsigned int which, unsigned int instructions)
{
	struct death death = {};
	int status;
	pid_t pid;

	rows[which].make();
	store(stage, 0);
	pid = spawn();
	if (!pid)
		act(&rows[which]);
	come_to_the_call(pid);
	while (death.instructions < instructions && load(stage) == BEGUN) {
		MUST(step(pid, &status));
		death.instructions++;
	}
	death.returned = load(stage) == RETURNED;
	MUST(kill_and_reap(pid) == 128 + SIGKILL);
	death.state = rows[which].state();
	close_all();
	return death;
}

FIXTURE(stepped)
{
	uint64_t seed;
	unsigned int kills, whole;
};

MAPPED_AND_IOCTL(stepped);

FIXTURE_SETUP(stepped)
{
	how = variant->how;
	stage = shared_memory(4096);
	self->seed = torture_seed();
	/* It is opened at the first need, and stays. */
	ASSERT_LE(0, gosync_device());
}

/* One of @row; @from: where in its states the call was. Return: where it is */
static unsigned int kill_one(struct __test_metadata *_metadata,
			     FIXTURE_DATA(stepped) *self, unsigned int row,
			     unsigned int n, unsigned int from)
{
	const char *states = rows[row].states;
	struct death death = die_after(row, n);
	const char *at;

	self->kills++;
	at = death.returned ? states + strlen(states) - 1 : states + from;
	if (death.returned && *at != death.state)
		at = NULL;
	else if (!death.returned)
		at = strchr(at, death.state);
	EXPECT_NE(NULL, at)
		TH_LOG("%s: \"%s\", but '%c' after %u instructions",
		       rows[row].name, states, death.state, n);
	return at ? at - states : from;
}

/*
 * While there is time each row is killed after each of its instructions; then
 * after some of them.
 */
TEST_F(stepped, each_function_is_done_or_not_done)
{
	uint64_t end = end_of_budget();
	unsigned int first = random_u32(&self->seed), i, n, length, at;

	for (i = 0; i < ARRAY_SIZE(rows) && __test_passed(_metadata); i++) {
		unsigned int row = (first + i) % ARRAY_SIZE(rows);

		length = die_after(row, UINT_MAX).instructions;
		kill_one(_metadata, self, row, UINT_MAX, 0);
		if (budget_left(end)) {
			for (at = n = 0; n < length; n++)
				at = kill_one(_metadata, self, row, n, at);
			self->whole++;
		} else {
			n = random_u32(&self->seed) % length;
			at = kill_one(_metadata, self, row, n, 0);
		}
	}
	FIGURES("%u kills, %u functions after each instruction (of %zu)",
		self->kills, self->whole, ARRAY_SIZE(rows));
}

static bool has_row(const char *function)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, function))
			return true;
	for (i = 0; i < ARRAY_SIZE(observers); i++)
		if (!fnmatch(observers[i], function, 0))
			return true;
	return false;
}

TEST(each_function_that_changes_something_has_a_row)
{
	const char *names[EXPORTED_MOST];
	unsigned int i, n = exported(names);

	for (i = 0; i < n; i++)
		EXPECT_TRUE(has_row(names[i]))
			TH_LOG("%s has none", names[i]);
}

/* --- with others who wait -------------------------------------------------- */

/* A thing, what a wait for it needs besides, and a thread that waits for it */
struct scene {
	struct thing thing;
	void *beside;
	pthread_t thread;
	bool over;		/* the thread's wait */
	int got;		/* by it */
};

/* Is a death told to the next by the result of its wait? */
static bool is_lock(enum kind kind)
{
	return kind == MUTEX || kind == WRITE || kind == READ || kind == DRAIN;
}

static unsigned int waiting(const struct scene *scene)
{
	return waiters_of(&scene->thing) +
		(scene->thing.kind == ALL ? waiters(scene->beside) : 0);
}

static void set(struct scene *scene, enum kind kind)
{
	memset(scene, 0, sizeof(*scene));
	scene->thing = new_thing(kind, how);
	scene->beside = new_beside(kind, how);
	store(stage, 0);
}

static void clear(struct scene *scene)
{
	close(scene->thing.fd);
	gosync_close(scene->thing.other);
	gosync_close(scene->beside);
}

/* In a child: wait with holders of its own, step by step */
static void wait_in_steps(const struct scene *scene)
{
	struct thing own = own_thing(&scene->thing);
	void *mine;

	MUST(!make_handle(own.kind, own.fd, how, &mine));
	if (own.kind == COND)
		MUST(!gosync_mutex_lock(scene->beside));
	begin_to_step();
	store(stage, BEGUN);
	MUST(wait_by_library(&own, mine, scene->beside, GOSYNC_FOREVER, 0) >= 0);
	store(stage, RETURNED);
	rest();
}

/* In a child: keep it from others, then let it go step by step */
static void let_go_in_steps(const struct scene *scene)
{
	MUST(!keep(&scene->thing));
	begin_to_step();
	store(stage, BEGUN);
	MUST(!let_go(&scene->thing));
	store(stage, RETURNED);
	rest();
}

static pid_t spawn_stepped(const struct scene *scene,
			   void (*act)(const struct scene *scene))
{
	pid_t pid = spawn();

	if (!pid)
		act(scene);
	come_to_the_call(pid);
	return pid;
}

/* The parent's part where the child has not done it; it may be done twice. */
static void see_to_it(const struct scene *scene)
{
	if (scene->thing.kind == ONCE)
		gosync_once_do(scene->thing.other, nothing, NULL);
	else
		let_go(&scene->thing);
}

/*
 * After a step the child has stopped, or it waits in the kernel: then it is
 * killed there, or is let go and has stopped after that.
 */
static bool step_or_wait(const struct scene *scene, pid_t pid)
{
	int status;

	ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
	for (;;) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			MUST(WIFSTOPPED(status));
			return true;
		}
		if (waiting(scene))
			return false;
		sched_yield();
	}
}

/*
 * A waiter is killed after @most instructions, or when its call has returned; if
 * the last of them waits in the kernel, there. Return: how many they were;
 * @sleeps: which one waited
 */
static unsigned int kill_waiter(struct scene *scene, unsigned int most,
				unsigned int *sleeps)
{
	bool kept = true;
	unsigned int n;
	int status;
	pid_t pid;

	MUST(!keep(&scene->thing));
	pid = spawn_stepped(scene, wait_in_steps);
	for (n = 0; n < most && load(stage) == BEGUN; n++) {
		if (step_or_wait(scene, pid))
			continue;
		*sleeps = n + 1;
		if (*sleeps == most)
			continue;
		see_to_it(scene);
		kept = false;
		MUST(has_stopped(pid, &status));
	}
	MUST(kill_and_reap(pid) == 128 + SIGKILL);
	if (kept)
		see_to_it(scene);
	return n;
}

/* Who comes now gets it, whether the waiter that died had it or not. */
static void expect_free(struct __test_metadata *_metadata,
			const struct scene *scene)
{
	const struct thing *thing = &scene->thing;
	const uint64_t soon = gosync_deadline(WATCHDOG / 4 * NSEC_PER_SEC);
	int ret;

	EXPECT_EQ(0, waiting(scene));
	EXPECT_EQ(2, info_of(thing->fd).holders);
	if (scene->beside) {
		EXPECT_EQ(1, info(scene->beside).holders);
		EXPECT_EQ(0, info(scene->beside).owner);
	}
	/* Permits that the dead one had are gone. */
	if (thing->kind == PERMITS && !permits_of(thing->fd))
		see_to_it(scene);
	if (thing->kind == COND) {
		ret = gosync_mutex_trylock(scene->beside);
		EXPECT_EQ(info(scene->beside).deaths, ret);
		EXPECT_EQ(0, info_of(thing->fd).word);
		return;
	}
	ret = wait_by_ioctl(thing, scene->beside, soon, 0);
	EXPECT_EQ(info_of(thing->fd).deaths && is_lock(thing->kind), ret);
	EXPECT_EQ(0, give_back(thing));
	EXPECT_EQ(0, waiting(scene));
	EXPECT_TRUE(is_accounted(thing->fd));
}

static unsigned int kill_a_waiter(struct __test_metadata *_metadata,
				  FIXTURE_DATA(stepped) *self, enum kind kind,
				  unsigned int most, unsigned int *sleeps)
{
	struct scene scene;
	unsigned int n;

	set(&scene, kind);
	n = kill_waiter(&scene, most, sleeps);
	expect_free(_metadata, &scene);
	clear(&scene);
	self->kills++;
	if (!__test_passed(_metadata))
		TH_LOG("kind %u, after %u instructions", kind, n);
	return n;
}

TEST_F(stepped, a_waiter_takes_nothing_with_it)
{
	uint64_t end = end_of_budget();
	unsigned int first = random_u32(&self->seed), i, n, length;

	for (i = 0; i < ALL_KINDS && __test_passed(_metadata); i++) {
		enum kind kind = (first + i) % ALL_KINDS;
		unsigned int sleeps = 0;

		length = kill_a_waiter(_metadata, self, kind, UINT_MAX,
				       &sleeps);
		/* In the kernel, and anywhere */
		ASSERT_NE(0, sleeps);
		n = sleeps;
		kill_a_waiter(_metadata, self, kind, n, &sleeps);
		EXPECT_EQ(n, sleeps);
		kill_a_waiter(_metadata, self, kind,
			      random_u32(&self->seed) % length, &sleeps);
		for (n = 0; n < length && budget_left(end); n++)
			kill_a_waiter(_metadata, self, kind, n, &sleeps);
		self->whole += n == length;
	}
	FIGURES("%u kills, %u kinds of waits after each instruction (of %u)",
		self->kills, self->whole, ALL_KINDS);
}

static void *wait_in_thread(void *arg)
{
	struct scene *scene = arg;

	if (scene->thing.kind == COND)
		MUST(!gosync_mutex_lock(scene->beside));
	scene->got = wait_by_ioctl(&scene->thing, scene->beside, GOSYNC_FOREVER,
				   0);
	store(&scene->over, true);
	return NULL;
}

/* Return: after how many instructions it was killed */
static unsigned int kill_releaser(struct __test_metadata *_metadata,
				  FIXTURE_DATA(stepped) *self, enum kind kind,
				  unsigned int most)
{
	struct scene scene;
	unsigned int n, deaths;
	int status;
	pid_t pid;

	set(&scene, kind);
	pid = spawn();
	if (!pid)
		let_go_in_steps(&scene);
	MUST(has_stopped(pid, &status));
	MUST(!pthread_create(&scene.thread, NULL, wait_in_thread, &scene));
	MUST(eventually(waiting(&scene)));
	while (load(stage) < BEGUN)
		MUST(step(pid, &status));
	for (n = 0; n < most && load(stage) == BEGUN; n++)
		MUST(step(pid, &status));
	MUST(kill_and_reap(pid) == 128 + SIGKILL);
	deaths = info_of(scene.thing.fd).deaths;
	/* A lock, or its turn, passes to the waiter by the death itself. */
	if (!is_lock(kind) && kind != BEGIN && kind != ANY && kind != ALL &&
	    !load(&scene.over))
		see_to_it(&scene);
	ASSERT_TRUE(eventually(load(&scene.over)))
		TH_LOG("kind %u, after %u instructions", kind, n);
	ASSERT_EQ(0, pthread_join(scene.thread, NULL));
	if (kind == BEGIN) {
		EXPECT_TRUE(scene.got == GOSYNC_ONCE_RUN_AGAIN ||
			    scene.got == GOSYNC_ONCE_DONE);
	} else {
		EXPECT_EQ(deaths && is_lock(kind), scene.got);
	}
	if (load(stage) == RETURNED)
		EXPECT_EQ(0, deaths);
	EXPECT_EQ(0, waiting(&scene));
	EXPECT_EQ(2, info_of(scene.thing.fd).holders);
	EXPECT_TRUE(is_accounted(scene.thing.fd));
	if (!__test_passed(_metadata))
		TH_LOG("kind %u, after %u instructions", kind, n);
	clear(&scene);
	self->kills++;
	return n;
}

TEST_F(stepped, who_lets_others_go_leaves_nobody_hanging)
{
	uint64_t end = end_of_budget();
	unsigned int first = random_u32(&self->seed), i, n, length;

	for (i = 0; i < ALL_KINDS && __test_passed(_metadata); i++) {
		enum kind kind = (first + i) % ALL_KINDS;

		length = kill_releaser(_metadata, self, kind, UINT_MAX);
		kill_releaser(_metadata, self, kind,
			      random_u32(&self->seed) % length);
		for (n = 0; n < length && budget_left(end); n++)
			kill_releaser(_metadata, self, kind, n);
		self->whole += n == length;
	}
	FIGURES("%u kills, %u kinds of waits after each instruction (of %u)",
		self->kills, self->whole, ALL_KINDS);
}

int main(int argc, char **argv)
{
	/* The dynamic linker has done its part before anything is counted. */
	if (!getenv("LD_BIND_NOW")) {
		setenv("LD_BIND_NOW", "1", 1);
		execv("/proc/self/exe", argv);
	}
	return torture_main(argc, argv);
}
