// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of io_uring, each kind of them on each kind of ring: what is waited
 * for is granted once, whatever happens to the command meanwhile, and what is
 * not granted was never touched.
 */
#include <poll.h>
#include "gosync_test_uring.h"

/* --- ioctls ---------------------------------------------------------------- */

static int store_word_fd(int fd, unsigned int index, uint64_t value)
{
	struct gosync_atomic_args args = {
		.size = sizeof(args), .flags = GOSYNC_ATOMIC_WAKE,
		.index = index, .value = value,
	};

	return call(fd, GOSYNC_IOC_ATOMIC_STORE, &args);
}

static int store_value_fd(int fd, uint64_t payload)
{
	struct gosync_value_args args = {
		.size = sizeof(args), .type = 1, .buf = to_u64(&payload),
		.len = sizeof(payload),
	};

	return call(fd, GOSYNC_IOC_VALUE_STORE, &args);
}

static int store_key_fd(int fd, uint64_t key)
{
	struct gosync_map_args args = {
		.size = sizeof(args), .key = to_u64(&key), .key_len = sizeof(key),
		.buf = to_u64(&key), .len = sizeof(key),
	};

	return call(fd, GOSYNC_IOC_MAP_STORE, &args);
}

static uint64_t map_version_fd(int fd)
{
	struct gosync_version_wait_args args = { .size = sizeof(args) };

	return call(fd, GOSYNC_IOC_MAP_WAIT, &args) ? 0 : args.version;
}

static void *begin_in_thread(void *arg)
{
	int *fd = arg;

	*fd = call(*fd, GOSYNC_IOC_ONCE_BEGIN, NULL);
	return NULL;
}

/* Begin it, in a thread that will not be there any more. */
static int begin_elsewhere(int fd)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, begin_in_thread, &fd))
		return -EAGAIN;
	pthread_join(thread, NULL);
	return fd;
}

static int parties_fd(int fd, unsigned int op, struct gosync_party *parties,
		      unsigned int count)
{
	struct gosync_parties_args args = PARTIES_OF(parties, count);

	return call(fd, op, &args);
}

/* --- each command ---------------------------------------------------------- */

/* What a command needs, made anew for each */
struct scene {
	int fd;			/* the command's */
	int lock;		/* Cond: of the lock's holder */
	int other;		/* another holder, of what the command waits for */
	int probe;		/* one more: of what it gets */
	uint64_t addr;
	struct gosync_wait_many_args many;
	struct gosync_wait_entry entries[2];
};

FIXTURE(command)
{
	struct ring *ring;
	struct scene scene;
	unsigned int *shared;		/* with children */
};

FIXTURE_VARIANT(command)
{
	unsigned int op;
	uint32_t type;			/* of what it waits for */
	unsigned int flags;
	bool drains;
};

#define COMMAND(name, ...)						\
	FIXTURE_VARIANT_ADD(command, name) { __VA_ARGS__ }

COMMAND(lock, GOSYNC_IOC_MUTEX_LOCK, GOSYNC_MUTEX);
COMMAND(write_lock, GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_RWMUTEX);
COMMAND(drain, GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_RWMUTEX, .drains = true);
COMMAND(read_lock, GOSYNC_IOC_RWMUTEX_RLOCK, GOSYNC_RWMUTEX);
COMMAND(acquire, GOSYNC_IOC_SEMAPHORE_ACQUIRE, GOSYNC_SEMAPHORE);
COMMAND(waitgroup, GOSYNC_IOC_WAITGROUP_WAIT, GOSYNC_WAITGROUP);
COMMAND(once_begin, GOSYNC_IOC_ONCE_BEGIN, GOSYNC_ONCE);
COMMAND(once_wait, GOSYNC_IOC_ONCE_WAIT, GOSYNC_ONCE);
COMMAND(cond, GOSYNC_IOC_COND_WAIT, GOSYNC_COND);
COMMAND(cond_read, GOSYNC_IOC_COND_WAIT, GOSYNC_COND, GOSYNC_READ_SIDE);
COMMAND(word, GOSYNC_IOC_ATOMIC_WAIT, GOSYNC_INT64);
COMMAND(value, GOSYNC_IOC_VALUE_WAIT, GOSYNC_VALUE);
COMMAND(map, GOSYNC_IOC_MAP_WAIT, GOSYNC_MAP);
COMMAND(any, GOSYNC_IOC_WAIT, GOSYNC_MUTEX);

FIXTURE_SETUP(command)
{
	NEED_URING();
	self->ring = calloc(1, sizeof(*self->ring));
	self->shared = shared_memory(4096);
	memset(&self->scene, -1, sizeof(self->scene));
}

FIXTURE_TEARDOWN(command)
{
	EXPECT_EQ(0, self->ring->wrong);
}

/* Which of the two, or the one, that a Cond's lock is */
static unsigned int lock_op(const FIXTURE_VARIANT(command) *variant, bool lock)
{
	if (!(variant->flags & GOSYNC_READ_SIDE))
		return lock ? GOSYNC_IOC_MUTEX_LOCK : GOSYNC_IOC_MUTEX_UNLOCK;
	return lock ? GOSYNC_IOC_RWMUTEX_RLOCK : GOSYNC_IOC_RWMUTEX_RUNLOCK;
}

static void end_scene(FIXTURE_DATA(command) *self)
{
	struct scene *scene = &self->scene;

	if (scene->fd >= 0)
		close(scene->fd);
	if (scene->lock >= 0)
		close(scene->lock);
	if (scene->probe >= 0)
		close(scene->probe);
	if (scene->other >= 0)
		close(scene->other);
	memset(scene, -1, sizeof(*scene));
}

/*
 * Make what the command waits for, and have it taken by another. A Cond's lock
 * is the command's own, and is held.
 */
static int set_scene(FIXTURE_DATA(command) *self,
		     const FIXTURE_VARIANT(command) *variant)
{
	struct scene *scene = &self->scene;

	end_scene(self);
	scene->other = open_bytes(variant->type, NULL, 0, GOSYNC_CREATE, 0600, 0);
	scene->probe = reopen_object(scene->other, 0);
	scene->fd = reopen_object(scene->other, 0);
	if (scene->other < 0 || scene->probe < 0 || scene->fd < 0)
		return -EMFILE;
	scene->addr = 0;
	switch (variant->op) {
	case GOSYNC_IOC_MUTEX_LOCK:
		return lock_fd(scene->other);
	case GOSYNC_IOC_RWMUTEX_LOCK:
		return call(scene->other, variant->drains ?
			    GOSYNC_IOC_RWMUTEX_RLOCK : GOSYNC_IOC_RWMUTEX_LOCK,
			    NULL);
	case GOSYNC_IOC_RWMUTEX_RLOCK:
		return call(scene->other, GOSYNC_IOC_RWMUTEX_LOCK, NULL);
	case GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		scene->addr = 3;
		return release_fd(scene->other, 2);
	case GOSYNC_IOC_WAITGROUP_WAIT:
		return add_fd(scene->other, 1);
	case GOSYNC_IOC_ONCE_BEGIN:
	case GOSYNC_IOC_ONCE_WAIT:
		return begin_elsewhere(scene->other) == GOSYNC_ONCE_RUN ?
			0 : -EBUSY;
	case GOSYNC_IOC_COND_WAIT:
		close(scene->probe);
		scene->probe = open_bytes(variant->flags ? GOSYNC_RWMUTEX :
					  GOSYNC_MUTEX, NULL, 0, GOSYNC_CREATE,
					  0600, 0);
		scene->lock = reopen_object(scene->probe, 0);
		scene->addr = scene->lock;
		return call(scene->lock, lock_op(variant, true), NULL);
	case GOSYNC_IOC_MAP_WAIT:
		scene->addr = map_version_fd(scene->other);
		return 0;
	case GOSYNC_IOC_WAIT:
		close(scene->fd);
		scene->fd = open_device();
		/* Nothing of the second is ever to be had. */
		scene->entries[0] = (struct gosync_wait_entry) {
			.fd = scene->probe, .op = GOSYNC_IOC_MUTEX_LOCK,
			.result = -1,
		};
		scene->lock = open_bytes(GOSYNC_SEMAPHORE, NULL, 0,
					 GOSYNC_CREATE, 0600, 0);
		scene->entries[1] = (struct gosync_wait_entry) {
			.fd = scene->lock, .op = GOSYNC_IOC_SEMAPHORE_ACQUIRE,
			.result = -1, .value = 1,
		};
		scene->many = ENTRIES_OF(scene->entries, 2);
		scene->addr = to_u64(&scene->many);
		return lock_fd(scene->other);
	}
	return 0;
}

/* Let the command have what it waits for. */
static int let_go(FIXTURE_DATA(command) *self,
		  const FIXTURE_VARIANT(command) *variant)
{
	int fd = self->scene.other;

	switch (variant->op) {
	case GOSYNC_IOC_MUTEX_LOCK:
	case GOSYNC_IOC_WAIT:
		return unlock_fd(fd);
	case GOSYNC_IOC_RWMUTEX_LOCK:
		return call(fd, variant->drains ? GOSYNC_IOC_RWMUTEX_RUNLOCK :
			    GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	case GOSYNC_IOC_RWMUTEX_RLOCK:
		return call(fd, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	case GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		return release_fd(fd, 1);
	case GOSYNC_IOC_WAITGROUP_WAIT:
		return add_fd(fd, -1);
	case GOSYNC_IOC_ONCE_BEGIN:
	case GOSYNC_IOC_ONCE_WAIT:
		return call(fd, GOSYNC_IOC_ONCE_DONE, NULL);
	case GOSYNC_IOC_COND_WAIT:
		return call(fd, GOSYNC_IOC_COND_SIGNAL, NULL);
	case GOSYNC_IOC_ATOMIC_WAIT:
		return store_word_fd(fd, 0, 1);
	case GOSYNC_IOC_VALUE_WAIT:
		return store_value_fd(fd, 1);
	case GOSYNC_IOC_MAP_WAIT:
		return store_key_fd(fd, 1);
	}
	return -EINVAL;
}

/* Try to take what the command waits for: 0: nobody has it, -EBUSY */
static int take(FIXTURE_DATA(command) *self,
		const FIXTURE_VARIANT(command) *variant)
{
	int fd = self->scene.probe;

	switch (variant->op) {
	case GOSYNC_IOC_WAIT:
		/* The probe is the holder that is to have it. */
		fd = self->scene.other;
		__attribute__((fallthrough));
	case GOSYNC_IOC_MUTEX_LOCK:
		return trylock_fd(fd) ?: unlock_fd(fd);
	case GOSYNC_IOC_RWMUTEX_LOCK:
	case GOSYNC_IOC_RWMUTEX_RLOCK:
		return call(fd, GOSYNC_IOC_RWMUTEX_TRYLOCK, NULL) ?:
			call(fd, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	case GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		return permits_fd(fd, GOSYNC_IOC_SEMAPHORE_TRYACQUIRE, 3) ?:
			release_fd(fd, 3);
	case GOSYNC_IOC_COND_WAIT:
		if (!variant->flags)
			return trylock_fd(fd) ?: unlock_fd(fd);
		return call(fd, GOSYNC_IOC_RWMUTEX_TRYLOCK, NULL) ?:
			call(fd, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	}
	return 0;
}

/* Is there something to take at all? */
static bool takes(const FIXTURE_VARIANT(command) *variant)
{
	return variant->type == GOSYNC_MUTEX ||
	       variant->type == GOSYNC_RWMUTEX ||
	       variant->type == GOSYNC_SEMAPHORE ||
	       variant->type == GOSYNC_COND;
}

static void start_command(FIXTURE_DATA(command) *self,
			  const FIXTURE_VARIANT(command) *variant,
			  struct ring *ring, unsigned int id, uint64_t deadline,
			  unsigned int flags)
{
	struct scene *scene = &self->scene;

	flags |= variant->flags;
	if (variant->op == GOSYNC_IOC_WAIT) {
		scene->many.deadline = deadline;
		scene->many.flags = flags;
		deadline = flags = 0;
	}
	start_until(ring, id, scene->fd, variant->op, scene->addr, deadline,
		    flags);
}

#define FOR_EACH_RING(kind)						\
	for (kind = ring_kinds; kind < ring_kinds + RING_KINDS; kind++)

/* A ring of this kind, and what the command waits for */
static void set(struct __test_metadata *_metadata, FIXTURE_DATA(command) *self,
		const FIXTURE_VARIANT(command) *variant,
		const struct ring_kind *kind)
{
	ASSERT_EQ(0, make_ring(self->ring, kind))
		TH_LOG("%s", kind->name);
	ASSERT_EQ(0, set_scene(self, variant))
		TH_LOG("%s", kind->name);
}

/* ... and the command, which waits */
static void set_waiting(struct __test_metadata *_metadata,
			FIXTURE_DATA(command) *self,
			const FIXTURE_VARIANT(command) *variant,
			const struct ring_kind *kind)
{
	set(_metadata, self, variant, kind);
	start_command(self, variant, self->ring, 1, 0, 0);
	ASSERT_TRUE(has_waiters(self->scene.other, 1)) {
		look(self->ring);
		TH_LOG("%s: %d", kind->name, self->ring->result[1]);
	}
	EXPECT_TRUE(is_under_way(self->ring, 1))
		TH_LOG("%s: %d", kind->name, self->ring->result[1]);
}

static void strike(struct __test_metadata *_metadata,
		   FIXTURE_DATA(command) *self)
{
	EXPECT_EQ(0, self->ring->wrong);
	close_ring(self->ring);
	end_scene(self);
}

TEST_F(command, is_granted_at_once)
{
	const struct ring_kind *kind;

	if (variant->type == GOSYNC_COND)
		return;
	FOR_EACH_RING(kind) {
		set(_metadata, self, variant, kind);
		EXPECT_LE(0, let_go(self, variant));
		/* A deadline that has passed gets what is there. */
		start_command(self, variant, self->ring, 1, 1, 0);
		EXPECT_EQ(0, result(self->ring, 1))
			TH_LOG("%s", kind->name);
		EXPECT_EQ(takes(variant) ? -EBUSY : 0, take(self, variant));
		if (variant->op == GOSYNC_IOC_WAIT) {
			EXPECT_EQ(0, self->scene.entries[0].result);
			EXPECT_EQ(-1, self->scene.entries[1].result);
		}
		EXPECT_EQ(0, info_of(self->scene.other).contended);
		strike(_metadata, self);
	}
}

TEST_F(command, is_granted_after_waiting)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, variant, kind);
		if (variant->type == GOSYNC_COND)
			EXPECT_EQ(0, take(self, variant));
		EXPECT_LE(0, let_go(self, variant));
		EXPECT_EQ(0, result(self->ring, 1))
			TH_LOG("%s", kind->name);
		if (takes(variant))
			EXPECT_EQ(-EBUSY, take(self, variant));
		if (variant->op == GOSYNC_IOC_WAIT) {
			EXPECT_EQ(0, self->scene.entries[0].result);
			EXPECT_EQ(-1, self->scene.entries[1].result);
			EXPECT_EQ(0, info_of(self->scene.lock).waiters);
		}
		EXPECT_TRUE(adds_up(self->scene.other));
		EXPECT_EQ(1, stat_fd(self->scene.other).acquired);
		strike(_metadata, self);
	}
}

/* Nothing was granted; then it is there, and nobody has it. */
static void is_left_alone(struct __test_metadata *_metadata,
			  FIXTURE_DATA(command) *self,
			  const FIXTURE_VARIANT(command) *variant)
{
	/* Not before that: a ring is torn down after its process has gone. */
	EXPECT_TRUE(has_waiters(self->scene.other, 0));
	EXPECT_LE(0, let_go(self, variant));
	/* Who drains keeps readers out for a moment longer than it waits. */
	EXPECT_TRUE(eventually(!take(self, variant)));
	EXPECT_TRUE(adds_up(self->scene.other));
	EXPECT_EQ(0, stat_fd(self->scene.other).acquired);
	if (variant->op == GOSYNC_IOC_WAIT) {
		EXPECT_EQ(-1, self->scene.entries[0].result);
		EXPECT_EQ(-1, self->scene.entries[1].result);
		EXPECT_TRUE(has_waiters(self->scene.lock, 0));
	}
}

static void times_out(struct __test_metadata *_metadata,
		      FIXTURE_DATA(command) *self,
		      const FIXTURE_VARIANT(command) *variant,
		      const struct ring_kind *kind, clockid_t clock,
		      uint64_t ns)
{
	unsigned int flags = clock == CLOCK_REALTIME ? GOSYNC_CLOCK_REALTIME : 0;
	uint64_t deadline = ns == 1 ? 1 : now_ns(clock) + ns;

	set(_metadata, self, variant, kind);
	start_command(self, variant, self->ring, 1, deadline, flags);
	EXPECT_EQ(-ETIMEDOUT, result(self->ring, 1))
		TH_LOG("%s, %llu", kind->name, (unsigned long long)ns);
	EXPECT_LE(deadline, now_ns(clock));
	if (variant->type == GOSYNC_COND) {
		EXPECT_EQ(-EBUSY, take(self, variant));
		EXPECT_EQ(0, call(self->scene.lock, lock_op(variant, false),
				  NULL));
	}
	is_left_alone(_metadata, self, variant);
	strike(_metadata, self);
}

TEST_F(command, waits_until_its_deadline)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		times_out(_metadata, self, variant, kind, CLOCK_MONOTONIC, 1);
		times_out(_metadata, self, variant, kind, CLOCK_REALTIME, 1);
		times_out(_metadata, self, variant, kind, CLOCK_MONOTONIC,
			  20 * NSEC_PER_MSEC);
		times_out(_metadata, self, variant, kind, CLOCK_REALTIME,
			  20 * NSEC_PER_MSEC);
	}
}

TEST_F(command, with_a_deadline_far_away_is_granted)
{
	const struct ring_kind *kind = ring_kinds;

	set(_metadata, self, variant, kind);
	start_command(self, variant, self->ring, 1, GOSYNC_FOREVER, 0);
	ASSERT_TRUE(has_waiters(self->scene.other, 1));
	EXPECT_LE(0, let_go(self, variant));
	EXPECT_EQ(0, result(self->ring, 1));
	strike(_metadata, self);
	set(_metadata, self, variant, kind);
	start_command(self, variant, self->ring, 1, now_ns(CLOCK_REALTIME) +
		      3600 * NSEC_PER_SEC, GOSYNC_CLOCK_REALTIME);
	ASSERT_TRUE(has_waiters(self->scene.other, 1));
	EXPECT_LE(0, let_go(self, variant));
	EXPECT_EQ(0, result(self->ring, 1));
	strike(_metadata, self);
}

TEST_F(command, is_cancelled)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, variant, kind);
		EXPECT_EQ(-ENOENT, cancel(self->ring, self->scene.fd, 2));
		EXPECT_TRUE(is_under_way(self->ring, 1));
		EXPECT_EQ(1, cancel(self->ring, self->scene.fd, 1))
			TH_LOG("%s", kind->name);
		EXPECT_EQ(-ECANCELED, result(self->ring, 1));
		EXPECT_EQ(-ENOENT, cancel(self->ring, self->scene.fd, 1));
		EXPECT_EQ(-ENOENT, cancel_all(self->ring, self->scene.fd));
		is_left_alone(_metadata, self, variant);
		EXPECT_EQ(1, stat_fd(self->scene.other).gave_up);
		strike(_metadata, self);
	}
}

/* Its number is the descriptor's that it was begun on, whoever has that now. */
/* Whatever it was submitted on: of what it is to have. */
TEST_F(command, goes_with_the_last_descriptor)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		int *fd = &self->scene.fd;

		/* A registered file can still be used to release things. */
		if (kind->sqe_flags & IOSQE_FIXED_FILE)
			continue;
		set_waiting(_metadata, self, variant, kind);
		if (variant->op == GOSYNC_IOC_COND_WAIT)
			fd = &self->scene.lock;
		else if (variant->op == GOSYNC_IOC_WAIT)
			fd = &self->scene.probe;
		close(*fd);
		*fd = open("/dev/null", O_RDONLY);
		EXPECT_EQ(-ECANCELED, result(self->ring, 1))
			TH_LOG("%s", kind->name);
		is_left_alone(_metadata, self, variant);
		EXPECT_EQ(0, stat_fd(self->scene.other).deaths);
		strike(_metadata, self);
	}
}

TEST_F(command, waits_on_when_what_it_was_submitted_on_is_closed)
{
	const struct ring_kind *kind;

	if (variant->op != GOSYNC_IOC_COND_WAIT &&
	    variant->op != GOSYNC_IOC_WAIT)
		SKIP(return, "that is what it waits for");
	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, variant, kind);
		close(self->scene.fd);
		self->scene.fd = open("/dev/null", O_RDONLY);
		EXPECT_TRUE(is_under_way(self->ring, 1));
		EXPECT_LE(0, let_go(self, variant));
		EXPECT_EQ(0, result(self->ring, 1))
			TH_LOG("%s", kind->name);
		EXPECT_TRUE(adds_up(self->scene.other));
		EXPECT_EQ(0, stat_fd(self->scene.other).deaths);
		strike(_metadata, self);
	}
}

TEST_F(command, goes_with_its_ring)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, variant, kind);
		close_ring(self->ring);
		is_left_alone(_metadata, self, variant);
		EXPECT_EQ(1, stat_fd(self->scene.other).gave_up);
		end_scene(self);
	}
}

/* A child that has a ring with a command on it, and does @then */
static pid_t spawn_commander(FIXTURE_DATA(command) *self,
			     const FIXTURE_VARIANT(command) *variant,
			     const struct ring_kind *kind,
			     void (*then)(FIXTURE_DATA(command) *self))
{
	pid_t pid = spawn();

	if (pid) {
		MUST(has_waiters(self->scene.other, 1));
		return pid;
	}
	if (make_ring(self->ring, kind))
		_exit(1);
	start_command(self, variant, self->ring, 1, 0, 0);
	then(self);
	_exit(2);
}

static void sleep_for_ever(FIXTURE_DATA(command) *self)
{
	for (;;)
		pause();
}

static void wait_for_ever(FIXTURE_DATA(command) *self)
{
	struct io_uring_cqe *cqe;

	for (;;)
		io_uring_wait_cqe(&self->ring->uring, &cqe);
}

TEST_F(command, goes_with_its_process)
{
	const struct ring_kind *kind;
	pid_t pid;

	FOR_EACH_RING(kind) {
		ASSERT_EQ(0, set_scene(self, variant));
		pid = spawn_commander(self, variant, kind, wait_for_ever);
		ASSERT_LT(0, pid)
			TH_LOG("%s", kind->name);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
		is_left_alone(_metadata, self, variant);
		EXPECT_EQ(0, stat_fd(self->scene.other).deaths);
		end_scene(self);
	}
}

/* The ring outlives it, what is under way does not. */
static void exec_sleep(FIXTURE_DATA(command) *self)
{
	fcntl(self->ring->uring.ring_fd, F_SETFD, 0);
	while (!load(self->shared))
		sched_yield();
	execlp("sleep", "sleep", "1000", NULL);
}

TEST_F(command, goes_with_exec)
{
	const struct ring_kind *kind;
	pid_t pid;

	FOR_EACH_RING(kind) {
		ASSERT_EQ(0, set_scene(self, variant));
		store(self->shared, 0);
		pid = spawn_commander(self, variant, kind, exec_sleep);
		store(self->shared, 1);
		EXPECT_TRUE(has_waiters(self->scene.other, 0))
			TH_LOG("%s", kind->name);
		is_left_alone(_metadata, self, variant);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
		end_scene(self);
	}
}

/*
 * A process that is stopped is not told what it was granted. When it is killed
 * then it never was inside, so there is nothing to tell others either.
 */
TEST_F(command, of_who_never_learned_of_the_grant_passes_it_on)
{
	const struct ring_kind *kind;
	int status;
	pid_t pid;

	FOR_EACH_RING(kind) {
		ASSERT_EQ(0, set_scene(self, variant));
		pid = spawn_commander(self, variant, kind, sleep_for_ever);
		kill(pid, SIGSTOP);
		ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
		ASSERT_TRUE(WIFSTOPPED(status));
		EXPECT_LE(0, let_go(self, variant));
		EXPECT_TRUE(has_waiters(self->scene.other, 0));
		/* A Cond's lock is asked for by who has learned of the signal. */
		if (takes(variant) && variant->type != GOSYNC_COND)
			EXPECT_EQ(-EBUSY, take(self, variant));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
		EXPECT_TRUE(eventually(!take(self, variant)))
			TH_LOG("%s: %d", kind->name, take(self, variant));
		EXPECT_TRUE(adds_up(self->scene.other));
		EXPECT_EQ(0, stat_fd(self->scene.other).deaths);
		end_scene(self);
	}
}

/* Neither the child's copy of the ring nor its end is the ring's or its end. */
TEST_F(command, is_not_disturbed_by_a_child)
{
	const struct ring_kind *kind;
	pid_t pid;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, variant, kind);
		pid = spawn();
		if (!pid) {
			close_ring(self->ring);
			_exit(0);
		}
		EXPECT_EQ(0, reap_soon(pid));
		EXPECT_TRUE(is_under_way(self->ring, 1));
		EXPECT_EQ(1, info_of(self->scene.other).waiters);
		EXPECT_LE(0, let_go(self, variant));
		EXPECT_EQ(0, result(self->ring, 1));
		strike(_metadata, self);
	}
}

/* What the kernel took it does not look at again. */
TEST_F(command, is_what_it_was_when_it_was_submitted)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, variant, kind);
		memset(self->ring->uring.sq.sqes, 0xa5,
		       ENTRIES * sizeof(struct io_uring_sqe));
		EXPECT_LE(0, let_go(self, variant));
		EXPECT_EQ(0, result(self->ring, 1))
			TH_LOG("%s", kind->name);
		if (takes(variant))
			EXPECT_EQ(-EBUSY, take(self, variant));
		strike(_metadata, self);
	}
}

TEST_F(command, is_listed_as_what_no_thread_sleeps_for)
{
	const struct ring_kind *kind;
	struct gosync_party party;
	unsigned int flags;

	FOR_EACH_RING(kind) {
		set(_metadata, self, variant, kind);
		start_command(self, variant, self->ring, 1,
			      now_ns(CLOCK_MONOTONIC) + 3600 * NSEC_PER_SEC, 0);
		ASSERT_TRUE(has_waiters(self->scene.other, 1));
		ASSERT_EQ(1, parties_fd(self->scene.other, GOSYNC_IOC_WAITERS,
					&party, 1));
		flags = GOSYNC_PARTY_ASYNC | GOSYNC_PARTY_TIMED;
		if (variant->op == GOSYNC_IOC_WAIT)
			flags |= GOSYNC_PARTY_AMONG;
		else
			EXPECT_EQ(info_of(self->scene.fd).holder, party.holder);
		EXPECT_EQ(flags, party.flags & ~GOSYNC_PARTY_STARVING)
			TH_LOG("%s: %#x", kind->name, party.flags);
		EXPECT_EQ(getpid(), party.pid)
			TH_LOG("%s", kind->name);
		EXPECT_EQ(0, party.tid);
		EXPECT_EQ(1, party.position);
		EXPECT_EQ(variant->drains ? GOSYNC_WANTS_TO_DRAIN :
			  variant->op == GOSYNC_IOC_RWMUTEX_RLOCK ?
			  GOSYNC_WANTS_TO_READ : GOSYNC_WANTS_IT, party.wants);
		EXPECT_EQ(variant->type == GOSYNC_SEMAPHORE ? 3 : 0,
			  party.count);
		strike(_metadata, self);
	}
}

/* Each is refused with @err, and what it would wait for is as it was. */
static void refused(struct __test_metadata *_metadata,
		    FIXTURE_DATA(command) *self,
		    const FIXTURE_VARIANT(command) *variant, int err,
		    const char *why)
{
	submit(self->ring);
	EXPECT_EQ(err, result(self->ring, 1))
		TH_LOG("%s", why);
	EXPECT_EQ(0, info_of(self->scene.other).waiters);
	EXPECT_EQ(0, info_of(self->scene.other).contended);
	/* With what is to be had, too */
	EXPECT_EQ(variant->type == GOSYNC_COND ? -EBUSY : 0,
		  take(self, variant))
		TH_LOG("%s", why);
}

#define REFUSED(err, what)						\
do {									\
	struct io_uring_sqe *sqe = prepare(self->ring, 1, self->scene.fd, \
					   variant->op, self->scene.addr); \
	struct gosync_uring *command = command_of(sqe);			\
									\
	command->flags = variant->flags;				\
	what;								\
	refused(_metadata, self, variant, err, #what);			\
} while (0)

TEST_F(command, is_refused_with_what_it_does_not_use)
{
	struct iovec iov = { self->shared, 4096 };
	const struct ring_kind *kind = ring_kinds;

	set(_metadata, self, variant, kind);
	if (variant->type != GOSYNC_COND)
		EXPECT_LE(0, let_go(self, variant));
	REFUSED(-EINVAL, sqe->len = 1);
	REFUSED(-EINVAL, sqe->buf_index = 1);
	REFUSED(-EINVAL, sqe->file_index = 1);
	REFUSED(-EINVAL, sqe->ioprio = 1);
	REFUSED(-EINVAL, sqe->__pad1 = 1);
	REFUSED(-EINVAL, sqe->uring_cmd_flags = 1U << 31);
	REFUSED(-EINVAL, command->flags |= 1U << 31);
	REFUSED(-EINVAL, command->flags |= GOSYNC_WAIT_ALL);
	REFUSED(-EINVAL, command->flags |= GOSYNC_CANCEL_ALL);
	if (variant->type != GOSYNC_COND)
		REFUSED(-EINVAL, command->flags |= GOSYNC_READ_SIDE);
	/* There is but one word. */
	REFUSED(-EINVAL, command->index = 1);
	REFUSED(-ENOTTY, sqe->cmd_op = 0);
	REFUSED(-ENOTTY, sqe->cmd_op = ~0);
	REFUSED(-ENOTTY, sqe->cmd_op = GOSYNC_IOC_INFO);
	REFUSED(-ENOTTY, sqe->cmd_op = GOSYNC_IOC_OPEN);
	REFUSED(-EBADF, sqe->fd = -1);
	switch (variant->op) {
	case GOSYNC_IOC_SEMAPHORE_ACQUIRE:
		REFUSED(-EINVAL, sqe->addr = 1ULL << 31);
		REFUSED(-EINVAL, sqe->addr = 1ULL << 32);
		break;
	case GOSYNC_IOC_ATOMIC_WAIT:
	case GOSYNC_IOC_VALUE_WAIT:
	case GOSYNC_IOC_MAP_WAIT:
		/* Every number may be what it is not. */
		break;
	case GOSYNC_IOC_COND_WAIT:
		REFUSED(-EBADF, sqe->addr = 999999);
		REFUSED(-EINVAL, sqe->addr = ~0ULL);
		REFUSED(-ENOTTY, sqe->addr = STDERR_FILENO);
		REFUSED(-ENOTTY, sqe->addr = self->scene.fd);
		break;
	case GOSYNC_IOC_WAIT:
		REFUSED(-EFAULT, sqe->addr = 0);
		REFUSED(-EFAULT, sqe->addr = 8);
		REFUSED(-EFAULT, sqe->addr = ~7ULL);
		REFUSED(-EINVAL, command->deadline = 1);
		REFUSED(-EINVAL, command->flags = GOSYNC_CLOCK_REALTIME);
		self->scene.many.flags = GOSYNC_WAIT_ALL;
		REFUSED(-EINVAL, );
		self->scene.many.flags = 0;
		self->scene.many.count = 0;
		REFUSED(-EINVAL, );
		self->scene.many.count = GOSYNC_WAIT_MAX + 1;
		REFUSED(-EINVAL, );
		self->scene.many.count = 2;
		self->scene.many.entries = 8;
		REFUSED(-EFAULT, );
		self->scene.many.entries = to_u64(self->scene.entries);
		self->scene.entries[1].fd = 999999;
		REFUSED(-EBADF, );
		self->scene.entries[1].fd = self->scene.entries[0].fd;
		REFUSED(-ENOTTY, );
		/* poll(2)'s is not for rings. */
		self->scene.entries[1].op = 0;
		self->scene.entries[1].value = 0;
		self->scene.entries[1].index = POLLIN;
		REFUSED(-EINVAL, );
		break;
	default:
		REFUSED(-EINVAL, sqe->addr = 1);
		REFUSED(-EINVAL, sqe->addr = 1ULL << 63);
	}
	REFUSED(-ENOTTY, sqe->fd = variant->op == GOSYNC_IOC_WAIT ?
				   self->scene.other : open_device());
	if (variant->op != GOSYNC_IOC_ATOMIC_WAIT)
		REFUSED(-ENOTTY, sqe->fd = new_object(GOSYNC_BOOL));
	else
		REFUSED(-ENOTTY, sqe->fd = new_object(GOSYNC_VALUE));
	/* Without a registered buffer it is io_uring that refuses it. */
	ASSERT_EQ(0, io_uring_register_buffers(&self->ring->uring, &iov, 1));
	REFUSED(-EINVAL, sqe->uring_cmd_flags = IORING_URING_CMD_FIXED);
	if (variant->type == GOSYNC_COND) {
		/* The lock is not held. */
		EXPECT_EQ(0, call(self->scene.lock, lock_op(variant, false),
				  NULL));
		EXPECT_EQ(-EPERM, run_until(self->ring, self->scene.fd,
					    variant->op, self->scene.addr, 0,
					    variant->flags));
		EXPECT_EQ(0, take(self, variant));
		EXPECT_TRUE(adds_up(self->scene.other));
	}
	strike(_metadata, self);
}

TEST_F(command, on_a_read_only_descriptor_only_looks)
{
	const struct ring_kind *kind = ring_kinds;
	bool looks = !takes(variant) && variant->op != GOSYNC_IOC_ONCE_BEGIN;

	set(_metadata, self, variant, kind);
	if (variant->op == GOSYNC_IOC_WAIT) {
		self->scene.entries[0].fd = reopen_object(self->scene.other,
							  GOSYNC_RDONLY);
		looks = false;
	} else {
		close(self->scene.fd);
		self->scene.fd = reopen_object(self->scene.other, GOSYNC_RDONLY);
	}
	start_command(self, variant, self->ring, 1, 0, 0);
	if (looks) {
		ASSERT_TRUE(has_waiters(self->scene.other, 1));
		EXPECT_LE(0, let_go(self, variant));
		EXPECT_EQ(0, result(self->ring, 1));
	} else {
		EXPECT_EQ(-EBADF, result(self->ring, 1));
		EXPECT_EQ(0, info_of(self->scene.other).contended);
	}
	strike(_metadata, self);
}

/* A command is 16 bytes also where there is room for more. */
TEST_F(command, may_stand_in_a_large_sqe)
{
	struct io_uring_sqe *sqe;

	ASSERT_EQ(0, make_ring_of(self->ring, IORING_SETUP_SQE128 |
				  IORING_SETUP_CQE32, 0, ENTRIES));
	ASSERT_EQ(0, set_scene(self, variant));
	sqe = prepare(self->ring, 1, self->scene.fd, variant->op,
		      self->scene.addr);
	memset(sqe + 1, 0, sizeof(*sqe));
	command_of(sqe)->flags = variant->flags;
	submit(self->ring);
	ASSERT_TRUE(has_waiters(self->scene.other, 1));
	EXPECT_LE(0, let_go(self, variant));
	EXPECT_EQ(0, result(self->ring, 1));
	close_ring(self->ring);
}

TEST_F(command, is_not_for_a_ring_that_polls)
{
	ASSERT_EQ(0, make_ring_of(self->ring, IORING_SETUP_IOPOLL, 0, ENTRIES));
	ASSERT_EQ(0, set_scene(self, variant));
	if (variant->type != GOSYNC_COND)
		EXPECT_LE(0, let_go(self, variant));
	prepare(self->ring, 1, self->scene.fd, variant->op, self->scene.addr);
	submit(self->ring);
	EXPECT_EQ(-EOPNOTSUPP, result(self->ring, 1));
	EXPECT_EQ(0, info_of(self->scene.other).contended);
	close_ring(self->ring);
}

TEST_HARNESS_MAIN
