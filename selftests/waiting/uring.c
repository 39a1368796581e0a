// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of io_uring, each kind of them on each kind of ring: what is waited
 * for is granted once, whatever happens to the command meanwhile, and what is
 * not granted was never touched.
 */
#include <poll.h>
#include "gosync_test_uring.h"
#include "kinds.h"

FIXTURE(command)
{
	struct ring *ring;
	const struct ring_kind *on;	/* what kind of ring it is */
	unsigned int *shared;		/* with children */
	/* What a command needs, made anew for each */
	struct thing thing;		/* what it waits for */
	unsigned int flags;		/* of the command */
	uint64_t addr;
	int fd;				/* the command's */
	int other;			/* of the other party */
	int probe;			/* one more holder of what it gets */
	int beside;			/* Cond: the lock; any: never to be had */
	struct gosync_wait_many_args many;
	struct gosync_wait_entry entries[2];
};

FIXTURE_VARIANT(command)
{
	enum kind kind;
	unsigned int flags;
};

#define COMMAND(name, ...)						\
	FIXTURE_VARIANT_ADD(command, name) { __VA_ARGS__ }

COMMAND(lock, MUTEX);
COMMAND(write_lock, WRITE);
COMMAND(drain, DRAIN);
COMMAND(read_lock, READ);
COMMAND(acquire, PERMITS);
COMMAND(waitgroup, WAITGROUP);
COMMAND(once_begin, BEGIN);
COMMAND(once_wait, ONCE);
COMMAND(cond, COND);
COMMAND(cond_read, COND, GOSYNC_READ_SIDE);
COMMAND(word, WORD);
COMMAND(value, VALUE);
COMMAND(map, MAP);
COMMAND(any, ANY);

FIXTURE_SETUP(command)
{
	NEED_URING();
	self->ring = calloc(1, sizeof(*self->ring));
	self->shared = shared_memory(4096);
	self->thing.kind = variant->kind;
	self->flags = variant->flags;
}

FIXTURE_TEARDOWN(command)
{
	EXPECT_EQ(0, self->ring->wrong);
}

static unsigned int op_of(FIXTURE_DATA(command) *self)
{
	return self->thing.kind == ANY ? GOSYNC_IOC_WAIT :
					 kinds[self->thing.kind].op;
}

/* Which of the two, or the one, that a Cond's lock is */
static unsigned int lock_op(FIXTURE_DATA(command) *self, bool lock)
{
	if (!(self->flags & GOSYNC_READ_SIDE))
		return lock ? GOSYNC_IOC_MUTEX_LOCK : GOSYNC_IOC_MUTEX_UNLOCK;
	return lock ? GOSYNC_IOC_RWMUTEX_RLOCK : GOSYNC_IOC_RWMUTEX_RUNLOCK;
}

static void end_scene(FIXTURE_DATA(command) *self)
{
	if (!self->thing.other)
		return;
	gosync_close(self->thing.other);
	self->thing.other = NULL;
	if (self->fd != self->thing.fd)
		close(self->fd);
	close(self->thing.fd);
	close(self->probe);
	if (self->beside >= 0)
		close(self->beside);
}

static void *keep_in_thread(void *thing)
{
	return keep(thing) ? thing : NULL;
}

/*
 * Make what the command waits for, and have it taken by another: in a thread
 * that ends, as a Once's own thread would be refused a wait for it. A Cond's
 * lock is the command's own, and is held.
 */
static void set_scene(FIXTURE_DATA(command) *self)
{
	pthread_t thread;
	void *failed;

	end_scene(self);
	self->thing = new_thing(self->thing.kind, GOSYNC_IOCTL_ONLY);
	MUST(!pthread_create(&thread, NULL, keep_in_thread, &self->thing));
	MUST(!pthread_join(thread, &failed) && !failed);
	self->other = gosync_fd(self->thing.other);
	self->fd = self->thing.fd;
	self->addr = self->thing.value;
	self->beside = -1;
	if (self->thing.kind == COND) {
		self->beside = new_object(self->flags ? GOSYNC_RWMUTEX :
					  GOSYNC_MUTEX);
		self->addr = self->beside;
		MUST(!call(self->beside, lock_op(self, true), NULL));
	} else if (self->thing.kind == ANY) {
		self->fd = open_device();
		self->beside = new_object(GOSYNC_SEMAPHORE);
		self->entries[0] = entry_of_mutex(self->thing.fd);
		self->entries[1] = entry_of_permits(self->beside, 1);
		self->many = ENTRIES_OF(self->entries, 2);
		self->addr = to_u64(&self->many);
	}
	self->probe = reopen_object(self->thing.kind == COND ? self->beside :
				    self->other, 0);
	MUST(self->fd >= 0 && self->probe >= 0);
}

/* Is there something to take at all? */
static bool takes(FIXTURE_DATA(command) *self)
{
	return kinds[self->thing.kind].writes && self->thing.kind != BEGIN;
}

/* Try to take what the command gets: 0: nobody has it, -EBUSY */
static int take(FIXTURE_DATA(command) *self)
{
	const int fd = self->probe;

	if (!takes(self))
		return 0;
	switch (info_of(fd).type) {
	case GOSYNC_MUTEX:
		return trylock_fd(fd) ?: unlock_fd(fd);
	case GOSYNC_SEMAPHORE:
		return permits_fd(fd, GOSYNC_IOC_SEMAPHORE_TRYACQUIRE,
				  PERMITS_LET_GO) ?:
			release_fd(fd, PERMITS_LET_GO);
	default:
		return call(fd, GOSYNC_IOC_RWMUTEX_TRYLOCK, NULL) ?:
			call(fd, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL);
	}
}

static void start_command(FIXTURE_DATA(command) *self, uint64_t deadline,
			  unsigned int flags)
{
	flags |= self->flags;
	if (self->thing.kind == ANY) {
		self->many.deadline = deadline;
		self->many.flags = flags;
		deadline = flags = 0;
	}
	start_until(self->ring, 1, self->fd, op_of(self), self->addr, deadline,
		    flags);
}

#define FOR_EACH_RING(kind)						\
	for (kind = ring_kinds; kind < ring_kinds + RING_KINDS; kind++)

/* A ring of this kind, and what the command waits for */
static void set(struct __test_metadata *_metadata, FIXTURE_DATA(command) *self,
		const struct ring_kind *kind)
{
	self->on = kind;
	ASSERT_EQ(0, make_ring(self->ring, kind))
		TH_LOG("%s", kind->name);
	set_scene(self);
}

/* ... and the command, which waits */
static void set_waiting(struct __test_metadata *_metadata,
			FIXTURE_DATA(command) *self,
			const struct ring_kind *kind)
{
	set(_metadata, self, kind);
	start_command(self, 0, 0);
	ASSERT_TRUE(has_waiters(self->other, 1)) {
		look(self->ring);
		TH_LOG("%s: %d", kind->name, self->ring->result[1]);
	}
	EXPECT_TRUE(is_under_way(self->ring, 1))
		TH_LOG("%s: %d", kind->name, self->ring->result[1]);
}

/* The other party lets it go, and the command has it. */
static void is_granted_now(struct __test_metadata *_metadata,
			   FIXTURE_DATA(command) *self)
{
	EXPECT_LE(0, let_go(&self->thing));
	EXPECT_EQ(0, result(self->ring, 1))
		TH_LOG("%s", self->on->name);
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

	if (variant->kind == COND)
		return;
	FOR_EACH_RING(kind) {
		set(_metadata, self, kind);
		EXPECT_LE(0, let_go(&self->thing));
		/* A deadline that has passed gets what is there. */
		start_command(self, 1, 0);
		EXPECT_EQ(0, result(self->ring, 1))
			TH_LOG("%s", kind->name);
		EXPECT_EQ(takes(self) ? -EBUSY : 0, take(self));
		if (variant->kind == ANY) {
			EXPECT_EQ(0, self->entries[0].result);
			EXPECT_EQ(UNTOUCHED, self->entries[1].result);
		}
		EXPECT_EQ(0, info_of(self->other).contended);
		strike(_metadata, self);
	}
}

TEST_F(command, is_granted_after_waiting)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, kind);
		if (variant->kind == COND)
			EXPECT_EQ(0, take(self));
		is_granted_now(_metadata, self);
		if (takes(self))
			EXPECT_EQ(-EBUSY, take(self));
		if (variant->kind == ANY) {
			EXPECT_EQ(0, self->entries[0].result);
			EXPECT_EQ(UNTOUCHED, self->entries[1].result);
			EXPECT_EQ(0, info_of(self->beside).waiters);
		}
		EXPECT_TRUE(adds_up(self->other));
		EXPECT_EQ(1, stat_fd(self->other).acquired);
		strike(_metadata, self);
	}
}

/* Nothing was granted; then it is there, and nobody has it. */
static void is_left_alone(struct __test_metadata *_metadata,
			  FIXTURE_DATA(command) *self)
{
	/* Not before that: a ring is torn down after its process has gone. */
	EXPECT_TRUE(has_waiters(self->other, 0));
	EXPECT_LE(0, let_go(&self->thing));
	/* Who drains keeps readers out for a moment longer than it waits. */
	EXPECT_TRUE(eventually(!take(self)));
	EXPECT_TRUE(adds_up(self->other));
	EXPECT_EQ(0, stat_fd(self->other).acquired);
	if (self->thing.kind == ANY) {
		EXPECT_EQ(UNTOUCHED, self->entries[0].result);
		EXPECT_EQ(UNTOUCHED, self->entries[1].result);
		EXPECT_TRUE(has_waiters(self->beside, 0));
	}
}

static void times_out(struct __test_metadata *_metadata,
		      FIXTURE_DATA(command) *self, const struct ring_kind *kind,
		      clockid_t clock, uint64_t ns)
{
	unsigned int flags = clock == CLOCK_REALTIME ? GOSYNC_CLOCK_REALTIME : 0;
	uint64_t deadline = ns == 1 ? 1 : now_ns(clock) + ns;

	set(_metadata, self, kind);
	start_command(self, deadline, flags);
	EXPECT_EQ(-ETIMEDOUT, result(self->ring, 1))
		TH_LOG("%s, %llu", kind->name, (unsigned long long)ns);
	EXPECT_LE(deadline, now_ns(clock));
	if (self->thing.kind == COND) {
		EXPECT_EQ(-EBUSY, take(self));
		EXPECT_EQ(0, call(self->beside, lock_op(self, false), NULL));
	}
	is_left_alone(_metadata, self);
	strike(_metadata, self);
}

TEST_F(command, waits_until_its_deadline)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME };
	const struct ring_kind *kind;
	unsigned int i;

	FOR_EACH_RING(kind)
		for (i = 0; i < 4; i++)
			times_out(_metadata, self, kind, clocks[i % 2],
				  i < 2 ? 1 : 20 * NSEC_PER_MSEC);
}

TEST_F(command, with_a_deadline_far_away_is_granted)
{
	int i;

	for (i = 0; i < 2; i++) {
		set(_metadata, self, ring_kinds);
		start_command(self, i ? now_ns(CLOCK_REALTIME) +
			      3600 * NSEC_PER_SEC : GOSYNC_FOREVER,
			      i ? GOSYNC_CLOCK_REALTIME : 0);
		ASSERT_TRUE(has_waiters(self->other, 1));
		is_granted_now(_metadata, self);
		strike(_metadata, self);
	}
}

TEST_F(command, is_cancelled)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, kind);
		EXPECT_EQ(-ENOENT, cancel(self->ring, self->fd, 2));
		EXPECT_TRUE(is_under_way(self->ring, 1));
		EXPECT_EQ(1, cancel(self->ring, self->fd, 1))
			TH_LOG("%s", kind->name);
		EXPECT_EQ(-ECANCELED, result(self->ring, 1));
		EXPECT_EQ(-ENOENT, cancel(self->ring, self->fd, 1));
		EXPECT_EQ(-ENOENT, cancel_all(self->ring, self->fd));
		is_left_alone(_metadata, self);
		EXPECT_EQ(1, stat_fd(self->other).gave_up);
		strike(_metadata, self);
	}
}

/* Another file gets its number, which is not what it was begun on any more. */
static void close_and_replace(int fd)
{
	close(fd);
	MUST(dup2(STDERR_FILENO, fd) == fd);
}

/* Whatever it was submitted on: of what it is to have. */
TEST_F(command, goes_with_the_last_descriptor)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		/* A registered file can still be used to release things. */
		if (kind->sqe_flags & IOSQE_FIXED_FILE)
			continue;
		set_waiting(_metadata, self, kind);
		close_and_replace(variant->kind == COND ? self->beside :
							  self->thing.fd);
		EXPECT_EQ(-ECANCELED, result(self->ring, 1))
			TH_LOG("%s", kind->name);
		is_left_alone(_metadata, self);
		EXPECT_EQ(0, stat_fd(self->other).deaths);
		strike(_metadata, self);
	}
}

TEST_F(command, waits_on_when_what_it_was_submitted_on_is_closed)
{
	const struct ring_kind *kind;

	if (variant->kind != COND && variant->kind != ANY)
		SKIP(return, "that is what it waits for");
	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, kind);
		close_and_replace(self->fd);
		EXPECT_TRUE(is_under_way(self->ring, 1));
		is_granted_now(_metadata, self);
		EXPECT_TRUE(adds_up(self->other));
		EXPECT_EQ(0, stat_fd(self->other).deaths);
		strike(_metadata, self);
	}
}

TEST_F(command, goes_with_its_ring)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, kind);
		close_ring(self->ring);
		is_left_alone(_metadata, self);
		EXPECT_EQ(1, stat_fd(self->other).gave_up);
		end_scene(self);
	}
}

/* A child that has a ring with a command on it, and does @then */
static pid_t spawn_commander(FIXTURE_DATA(command) *self,
			     const struct ring_kind *kind,
			     void (*then)(FIXTURE_DATA(command) *self))
{
	set_scene(self);
	store(self->shared, 0);
	return WAITER_FD(self->other, ({
		MUST(!make_ring(self->ring, kind));
		start_command(self, 0, 0);
		then(self);
		2;
	}));
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
		pid = spawn_commander(self, kind, wait_for_ever);
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid))
			TH_LOG("%s", kind->name);
		is_left_alone(_metadata, self);
		EXPECT_EQ(0, stat_fd(self->other).deaths);
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
		pid = spawn_commander(self, kind, exec_sleep);
		store(self->shared, 1);
		EXPECT_TRUE(has_waiters(self->other, 0))
			TH_LOG("%s", kind->name);
		is_left_alone(_metadata, self);
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
		pid = spawn_commander(self, kind, sleep_for_ever);
		kill(pid, SIGSTOP);
		ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
		ASSERT_TRUE(WIFSTOPPED(status));
		EXPECT_LE(0, let_go(&self->thing));
		EXPECT_TRUE(has_waiters(self->other, 0));
		/* A Cond's lock is asked for by who has learned of the signal. */
		if (takes(self) && variant->kind != COND)
			EXPECT_EQ(-EBUSY, take(self));
		EXPECT_EQ(128 + SIGKILL, kill_and_reap(pid));
		EXPECT_TRUE(eventually(!take(self)))
			TH_LOG("%s: %d", kind->name, take(self));
		EXPECT_TRUE(adds_up(self->other));
		EXPECT_EQ(0, stat_fd(self->other).deaths);
		end_scene(self);
	}
}

/* Neither the child's copy of the ring nor its end is the ring's or its end. */
TEST_F(command, is_not_disturbed_by_a_child)
{
	const struct ring_kind *kind;
	pid_t pid;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, kind);
		pid = spawn();
		if (!pid) {
			close_ring(self->ring);
			_exit(0);
		}
		EXPECT_EQ(0, reap_soon(pid));
		EXPECT_TRUE(is_under_way(self->ring, 1));
		EXPECT_EQ(1, info_of(self->other).waiters);
		is_granted_now(_metadata, self);
		strike(_metadata, self);
	}
}

/* What the kernel took it does not look at again. */
TEST_F(command, is_what_it_was_when_it_was_submitted)
{
	const struct ring_kind *kind;

	FOR_EACH_RING(kind) {
		set_waiting(_metadata, self, kind);
		memset(self->ring->uring.sq.sqes, 0xa5,
		       ENTRIES * sizeof(struct io_uring_sqe));
		is_granted_now(_metadata, self);
		if (takes(self))
			EXPECT_EQ(-EBUSY, take(self));
		strike(_metadata, self);
	}
}

TEST_F(command, is_listed_as_what_no_thread_sleeps_for)
{
	const struct ring_kind *kind;
	struct gosync_party party;
	unsigned int flags;

	FOR_EACH_RING(kind) {
		set(_metadata, self, kind);
		start_command(self, now_ns(CLOCK_MONOTONIC) +
			      3600 * NSEC_PER_SEC, 0);
		ASSERT_TRUE(has_waiters(self->other, 1));
		ASSERT_EQ(1, gosync_waiters(self->thing.other, &party, 1));
		flags = GOSYNC_PARTY_ASYNC | GOSYNC_PARTY_TIMED;
		if (variant->kind == ANY)
			flags |= GOSYNC_PARTY_AMONG;
		else
			EXPECT_EQ(info_of(self->fd).holder, party.holder);
		EXPECT_EQ(flags, party.flags & ~GOSYNC_PARTY_STARVING)
			TH_LOG("%s: %#x", kind->name, party.flags);
		EXPECT_EQ(getpid(), party.pid)
			TH_LOG("%s", kind->name);
		EXPECT_EQ(0, party.tid);
		EXPECT_EQ(1, party.position);
		EXPECT_EQ(variant->kind == DRAIN ? GOSYNC_WANTS_TO_DRAIN :
			  variant->kind == READ ? GOSYNC_WANTS_TO_READ :
			  GOSYNC_WANTS_IT, party.wants);
		EXPECT_EQ(variant->kind == PERMITS ? PERMITS_LET_GO : 0,
			  party.count);
		strike(_metadata, self);
	}
}

/* Each is refused with @err, and what it would wait for is as it was. */
static void refused(struct __test_metadata *_metadata,
		    FIXTURE_DATA(command) *self, int err, const char *why)
{
	submit(self->ring);
	EXPECT_EQ(err, result(self->ring, 1))
		TH_LOG("%s", why);
	EXPECT_EQ(0, info_of(self->other).waiters);
	EXPECT_EQ(0, info_of(self->other).contended);
	/* With what is to be had, too */
	EXPECT_EQ(self->thing.kind == COND ? -EBUSY : 0, take(self))
		TH_LOG("%s", why);
}

#define REFUSED(err, what)						\
do {									\
	struct io_uring_sqe *sqe = prepare(self->ring, 1, self->fd,	\
					   op_of(self), self->addr);	\
	struct gosync_uring *command = command_of(sqe);			\
									\
	command->flags = variant->flags;				\
	what;								\
	refused(_metadata, self, err, #what);				\
} while (0)

TEST_F(command, is_refused_with_what_it_does_not_use)
{
	struct iovec iov = { self->shared, 4096 };

	set(_metadata, self, ring_kinds);
	if (variant->kind != COND)
		EXPECT_LE(0, let_go(&self->thing));
	REFUSED(-EINVAL, sqe->len = 1);
	REFUSED(-EINVAL, sqe->buf_index = 1);
	REFUSED(-EINVAL, sqe->file_index = 1);
	REFUSED(-EINVAL, sqe->ioprio = 1);
	REFUSED(-EINVAL, sqe->__pad1 = 1);
	REFUSED(-EINVAL, sqe->uring_cmd_flags = 1U << 31);
	REFUSED(-EINVAL, command->flags |= 1U << 31);
	REFUSED(-EINVAL, command->flags |= GOSYNC_WAIT_ALL);
	REFUSED(-EINVAL, command->flags |= GOSYNC_CANCEL_ALL);
	if (variant->kind != COND)
		REFUSED(-EINVAL, command->flags |= GOSYNC_READ_SIDE);
	/* There is but one word. */
	REFUSED(-EINVAL, command->index = 1);
	REFUSED(-ENOTTY, sqe->cmd_op = 0);
	REFUSED(-ENOTTY, sqe->cmd_op = ~0);
	REFUSED(-ENOTTY, sqe->cmd_op = GOSYNC_IOC_INFO);
	REFUSED(-ENOTTY, sqe->cmd_op = GOSYNC_IOC_OPEN);
	REFUSED(-EBADF, sqe->fd = -1);
	switch (variant->kind) {
	case PERMITS:
		REFUSED(-EINVAL, sqe->addr = 1ULL << 31);
		REFUSED(-EINVAL, sqe->addr = 1ULL << 32);
		break;
	case WORD:
	case VALUE:
	case MAP:
		/* Every number may be what it is not. */
		break;
	case COND:
		REFUSED(-EBADF, sqe->addr = 999999);
		REFUSED(-EINVAL, sqe->addr = ~0ULL);
		REFUSED(-ENOTTY, sqe->addr = STDERR_FILENO);
		REFUSED(-ENOTTY, sqe->addr = self->fd);
		break;
	case ANY:
		REFUSED(-EFAULT, sqe->addr = 0);
		REFUSED(-EFAULT, sqe->addr = 8);
		REFUSED(-EFAULT, sqe->addr = ~7ULL);
		REFUSED(-EINVAL, command->deadline = 1);
		REFUSED(-EINVAL, command->flags = GOSYNC_CLOCK_REALTIME);
		self->many.flags = GOSYNC_WAIT_ALL;
		REFUSED(-EINVAL, );
		self->many.flags = 0;
		self->many.count = 0;
		REFUSED(-EINVAL, );
		self->many.count = GOSYNC_WAIT_MAX + 1;
		REFUSED(-EINVAL, );
		self->many.count = 2;
		self->many.entries = 8;
		REFUSED(-EFAULT, );
		self->many.entries = to_u64(self->entries);
		self->entries[1].fd = 999999;
		REFUSED(-EBADF, );
		self->entries[1].fd = self->entries[0].fd;
		REFUSED(-ENOTTY, );
		/* poll(2)'s is not for rings. */
		self->entries[1].op = 0;
		self->entries[1].value = 0;
		self->entries[1].index = POLLIN;
		REFUSED(-EINVAL, );
		break;
	default:
		REFUSED(-EINVAL, sqe->addr = 1);
		REFUSED(-EINVAL, sqe->addr = 1ULL << 63);
	}
	REFUSED(-ENOTTY, sqe->fd = variant->kind == ANY ?
				   self->other : open_device());
	REFUSED(-ENOTTY, sqe->fd = new_object(variant->kind == WORD ?
					      GOSYNC_VALUE : GOSYNC_BOOL));
	/* Without a registered buffer it is io_uring that refuses it. */
	ASSERT_EQ(0, io_uring_register_buffers(&self->ring->uring, &iov, 1));
	REFUSED(-EINVAL, sqe->uring_cmd_flags = IORING_URING_CMD_FIXED);
	if (variant->kind == COND) {
		/* The lock is not held. */
		EXPECT_EQ(0, call(self->beside, lock_op(self, false), NULL));
		EXPECT_EQ(-EPERM, run_until(self->ring, self->fd, op_of(self),
					    self->addr, 0, variant->flags));
		EXPECT_EQ(0, take(self));
		EXPECT_TRUE(adds_up(self->other));
	}
	strike(_metadata, self);
}

TEST_F(command, on_a_read_only_descriptor_only_looks)
{
	set(_metadata, self, ring_kinds);
	if (variant->kind == ANY)
		self->entries[0].fd = reopen_object(self->other, GOSYNC_RDONLY);
	else
		self->fd = reopen_object(self->other, GOSYNC_RDONLY);
	start_command(self, 0, 0);
	if (kinds[variant->kind].writes) {
		EXPECT_EQ(-EBADF, result(self->ring, 1));
		EXPECT_EQ(0, info_of(self->other).contended);
	} else {
		ASSERT_TRUE(has_waiters(self->other, 1));
		is_granted_now(_metadata, self);
	}
	strike(_metadata, self);
}

/* A command is 16 bytes also where there is room for more. */
TEST_F(command, may_stand_in_a_large_sqe)
{
	struct io_uring_sqe *sqe;

	ASSERT_EQ(0, make_ring_of(self->ring, IORING_SETUP_SQE128 |
				  IORING_SETUP_CQE32, 0, ENTRIES));
	set_scene(self);
	sqe = prepare(self->ring, 1, self->fd, op_of(self), self->addr);
	memset(sqe + 1, 0, sizeof(*sqe));
	command_of(sqe)->flags = variant->flags;
	submit(self->ring);
	ASSERT_TRUE(has_waiters(self->other, 1));
	is_granted_now(_metadata, self);
	close_ring(self->ring);
}

TEST_F(command, is_not_for_a_ring_that_polls)
{
	ASSERT_EQ(0, make_ring_of(self->ring, IORING_SETUP_IOPOLL, 0, ENTRIES));
	set_scene(self);
	if (variant->kind != COND)
		EXPECT_LE(0, let_go(&self->thing));
	prepare(self->ring, 1, self->fd, op_of(self), self->addr);
	submit(self->ring);
	EXPECT_EQ(-EOPNOTSUPP, result(self->ring, 1));
	EXPECT_EQ(0, info_of(self->other).contended);
	close_ring(self->ring);
}

TEST_HARNESS_MAIN
