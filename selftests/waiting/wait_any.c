// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for any of several things: exactly one is granted, the first that can
 * be, and nothing is done with the others.
 */
#include <poll.h>
#include <sys/eventfd.h>
#define WAIT_FLAGS 0
#include "wait_each.h"

/* --- each kind, beside something else -------------------------------------- */

TEST_F(each, is_granted_at_once)
{
	struct gosync_wait_entry entries[2];

	EXPECT_EQ(0, let_go(&self->thing));
	fill(entries, self->things, 2);
	ASSERT_EQ(0, wait_any(entries, 2));
	EXPECT_TRUE(is_granted(&self->thing, &entries[0]));
	EXPECT_TRUE(is_untouched(&self->gate, &entries[1]));
	EXPECT_EQ(0, give_back(&self->thing));

	/* Also behind one that it would have to wait for */
	if (self->thing.kind == PERMITS)
		EXPECT_EQ(0, let_go(&self->thing));
	entries[0] = entry_for(&self->gate);
	entries[1] = entry_for(&self->thing);
	ASSERT_EQ(1, wait_any(entries, 2));
	EXPECT_TRUE(is_granted(&self->thing, &entries[1]));
	EXPECT_TRUE(is_untouched(&self->gate, &entries[0]));
	EXPECT_EQ(0, give_back(&self->thing));

	/* Nobody had to wait. */
	EXPECT_EQ(0, info_of(self->thing.fd).contended);
	EXPECT_TRUE(is_accounted(self->thing.fd));
	EXPECT_EQ(0, info_of(self->gate.fd).contended);
	EXPECT_TRUE(is_as_before(&self->gate, &self->before[1]));
}

/* A waiter gets this one of both, and the other is as it was before. */
static void is_granted_alone(struct __test_metadata *_metadata,
			     FIXTURE_DATA(each) *self, int which)
{
	pid_t pid = spawn_waiter(self, which);

	EXPECT_EQ(0, let_go(&self->things[which]));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_TRUE(is_at_rest(&self->things[!which], &self->before[!which]));
	EXPECT_TRUE(is_accounted(self->things[which].fd));
	EXPECT_EQ(1, stat_fd(self->things[which].fd).acquired);
	EXPECT_EQ(1, stat_fd(self->things[!which].fd).gave_up);
}

TEST_F(each, is_granted_after_waiting)
{
	is_granted_alone(_metadata, self, 0);
}

TEST_F(each, is_as_before_when_another_is_granted)
{
	is_granted_alone(_metadata, self, 1);
	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_TRUE(is_to_be_had(&self->thing));
}

TEST_F(each, is_granted_to_each_of_several)
{
	pid_t pids[4];
	int i;

	/* What one was granted it gives back, so that the next has it. */
	for (i = 0; i < 4; i++)
		pids[i] = spawn_waiter(self, 0);
	EXPECT_EQ(0, let_go(&self->thing));
	for (i = 1; i < 4 && self->thing.kind == PERMITS; i++)
		EXPECT_EQ(0, let_go(&self->thing));
	/* A wake of one word is a wake of one waiter. */
	for (i = 1; i < 4 && self->thing.kind == WORD; i++)
		gosync_uint64_wake(self->thing.other, 0, 1);
	EXPECT_EQ(0, reap_all(pids, 4));
	EXPECT_TRUE(is_as_before(&self->gate, &self->before[1]));
	EXPECT_TRUE(is_accounted(self->thing.fd));
	EXPECT_TRUE(is_accounted(self->gate.fd));
}

TEST_F(each, deadline_is_kept_over_a_restart)
{
	pid_t pid;

	handle(count_signal, SA_RESTART);
	pid = spawn_waiter_until(self, -ETIMEDOUT,
				 gosync_deadline(NSEC_PER_SEC));
	kill(pid, SIGUSR1);
	EXPECT_EQ(0, reap_soon(pid));
	expect_interrupted(self);
	expect_rest(_metadata, self);
}

TEST_F(each, is_left_alone_by_who_is_killed)
{
	pid_t pids[3];
	int i;

	for (i = 0; i < 3; i++)
		pids[i] = spawn_waiter(self, 0);
	kill_and_reap(pids[0]);
	kill_and_reap(pids[2]);
	EXPECT_EQ(1, waiters_of(&self->thing));
	EXPECT_EQ(1, waiters_of(&self->gate));
	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_EQ(0, reap_soon(pids[1]));
	EXPECT_TRUE(is_as_before(&self->gate, &self->before[1]));
	EXPECT_TRUE(is_accounted(self->thing.fd));
	EXPECT_TRUE(is_accounted(self->gate.fd));
	EXPECT_EQ(0, info_of(self->thing.fd).deaths);
}

/* The child shares the descriptors, but it does not wait, nor end the wait. */
TEST_F(each, fork_meanwhile_changes_nothing)
{
	struct wait_in_thread wait = {};
	pid_t short_lived, long_lived;
	pthread_t thread;

	ASSERT_TRUE(start_waiting(self, &thread, &wait, self->things));
	short_lived = CHILD(0);
	long_lived = RESTING_CHILD(0);
	EXPECT_EQ(0, reap_soon(short_lived));
	EXPECT_EQ(1, waiters_of(&self->thing));
	EXPECT_EQ(0, let_go(&self->thing));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, wait.ret);
	EXPECT_TRUE(is_granted(&self->thing, &wait.entries[0]));
	kill_and_reap(long_lived);
	EXPECT_TRUE(is_granted(&self->thing, &wait.entries[0]));
	EXPECT_EQ(0, give_back(&self->thing));
	EXPECT_EQ(0, info_of(self->thing.fd).deaths);
}

TEST_F(each, may_be_unlinked_meanwhile)
{
	char *name = unique_name();
	pid_t pid;

	gosync_close(self->thing.other);
	close(self->thing.fd);
	self->thing = thing_of(open_object(kinds[variant->kind].type, name,
					   GOSYNC_CREATE | GOSYNC_PERSIST, 0600),
			       variant->kind, variant->how);
	EXPECT_EQ(0, keep(&self->thing));
	pid = spawn_waiter(self, 0);
	EXPECT_EQ(0, gosync_unlink(name));
	EXPECT_EQ(-ENOENT, open_object(0, name, 0, 0));
	EXPECT_EQ(0, let_go(&self->thing));
	EXPECT_EQ(0, reap_soon(pid));
}

/* --- which one ----------------------------------------------------------- */

SOME_OBJECTS(any);

/* One thing of each kind; READ and WRITE are different RWMutexes. */
static void make_things(struct thing *things, unsigned int how)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		things[kind] = new_thing(kind, how);
		if (keep(&things[kind]))
			abort();
	}
}

static void look_at(const struct thing *things, struct gosync_info *infos)
{
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++)
		infos[kind] = info_of(things[kind].fd);
}

TEST_F(any, the_first_of_several_that_are_ready_is_granted)
{
	struct thing things[KINDS], rotated[KINDS];
	struct gosync_info before[ALL_KINDS];
	unsigned int first, i;

	make_things(things, variant->how);
	for (i = 0; i < KINDS; i++)
		ASSERT_EQ(0, let_go(&things[i]));
	for (first = 0; first < KINDS; first++) {
		struct gosync_wait_entry entries[KINDS];

		look_at(things, before);
		for (i = 0; i < KINDS; i++)
			rotated[i] = things[(first + i) % KINDS];
		fill(entries, rotated, KINDS);
		ASSERT_EQ(0, wait_any(entries, KINDS));
		ASSERT_TRUE(is_granted(&rotated[0], &entries[0]));
		for (i = 1; i < KINDS; i++) {
			ASSERT_TRUE(is_untouched(&rotated[i], &entries[i]));
			ASSERT_TRUE(is_as_before(&rotated[i],
						 &before[rotated[i].kind]));
		}
		ASSERT_EQ(0, give_back(&rotated[0]));
		if (rotated[0].kind == PERMITS)
			ASSERT_EQ(0, let_go(&rotated[0]));
		ASSERT_EQ(0, info_of(rotated[0].fd).contended);
	}
}

/* Some are ready, and the first of those is not the first. */
TEST_F(any, what_is_not_ready_is_passed_over)
{
	struct gosync_info before[ALL_KINDS];
	struct thing things[KINDS];
	int i, ready;

	make_things(things, variant->how);
	for (ready = KINDS - 1; ready >= 0; ready--) {
		struct gosync_wait_entry entries[KINDS];

		ASSERT_EQ(0, let_go(&things[ready]));
		look_at(things, before);
		fill(entries, things, KINDS);
		ASSERT_EQ(ready, wait_any(entries, KINDS));
		ASSERT_TRUE(is_granted(&things[ready], &entries[ready]));
		for (i = 0; i < KINDS; i++)
			if (i != ready)
				ASSERT_TRUE(is_as_before(&things[i], &before[i]));
		ASSERT_EQ(0, give_back(&things[ready]));
	}
}

/* Each of many, one after the other, while all are waited for */
TEST_F(any, of_64_any_can_be_granted)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
	struct thing things[GOSYNC_WAIT_MAX];
	int i, j;

	for (i = 0; i < GOSYNC_WAIT_MAX; i++) {
		things[i] = new_thing(i % KINDS, variant->how);
		ASSERT_EQ(0, keep(&things[i]));
	}
	/* From the last to the first, and each kind */
	for (i = GOSYNC_WAIT_MAX - 1; i >= 0; i -= 7) {
		pid_t pid = spawn();

		if (!pid) {
			fill(entries, things, GOSYNC_WAIT_MAX);
			MUST(wait_any(entries, GOSYNC_WAIT_MAX) == i);
			for (j = 0; j < GOSYNC_WAIT_MAX; j++)
				MUST(j == i ? is_granted(&things[j], &entries[j]) :
				     is_untouched(&things[j], &entries[j]));
			MUST(!give_back(&things[i]));
			/* That was the last. */
			_exit(0);
		}
		for (j = 0; j < GOSYNC_WAIT_MAX; j++)
			ASSERT_TRUE(eventually(waiters_of(&things[j]) == 1));
		ASSERT_EQ(0, let_go(&things[i]));
		ASSERT_EQ(0, reap_soon(pid));
		for (j = 0; j < GOSYNC_WAIT_MAX; j++)
			ASSERT_TRUE(is_accounted(things[j].fd));
		/* The next does not get this one. */
		gosync_close(things[i].other);
		close(things[i].fd);
		things[i] = new_thing(i % KINDS, variant->how);
		ASSERT_EQ(0, keep(&things[i]));
	}
}

TEST_F(any, may_name_an_object_more_than_once)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
	gosync_mutex_t *other;
	pid_t pid;
	int i;

	other = ANOTHER(gosync_mutex, self->mutex, variant->how);
	for (i = 0; i < GOSYNC_WAIT_MAX; i++)
		entries[i] = entry_of_mutex(self->mutex);
	EXPECT_EQ(0, wait_any(entries, GOSYNC_WAIT_MAX));
	EXPECT_EQ(info_of(self->mutex).holder, info_of(self->mutex).owner);
	EXPECT_EQ(0, unlock_fd(self->mutex));
	EXPECT_EQ(0, info_of(self->mutex).word);

	EXPECT_EQ(0, gosync_mutex_lock(other));
	pid = spawn();
	if (!pid) {
		entries[0].result = UNTOUCHED;
		MUST(!wait_any(entries, GOSYNC_WAIT_MAX));
		MUST(!entries[0].result);
		for (i = 1; i < GOSYNC_WAIT_MAX; i++)
			MUST(entries[i].result == UNTOUCHED);
		MUST(!unlock_fd(self->mutex));
		_exit(0);
	}
	ASSERT_TRUE(eventually(info_of(self->mutex).waiters));
	EXPECT_EQ(0, gosync_mutex_unlock(other));
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info_of(self->mutex).word);
	EXPECT_TRUE(is_accounted(self->mutex));
}

TEST_F(any, permits_may_be_asked_for_in_different_numbers)
{
	struct gosync_wait_entry entries[2] = {
		entry_of_permits(self->semaphore, 3),
		entry_of_permits(self->semaphore, 1),
	};

	EXPECT_EQ(-ETIMEDOUT, wait_many(entries, 2, 0, 1));
	EXPECT_EQ(0, release_fd(self->semaphore, 1));
	EXPECT_EQ(1, wait_any(entries, 2));
	EXPECT_EQ(0, info_of(self->semaphore).word);
	EXPECT_EQ(0, release_fd(self->semaphore, 4));
	EXPECT_EQ(0, wait_any(entries, 2));
	EXPECT_EQ(1, info_of(self->semaphore).word);
	/* None are always there. */
	entries[1] = entry_of_permits(self->semaphore, 0);
	EXPECT_EQ(1, wait_any(entries, 2));
	EXPECT_EQ(1, info_of(self->semaphore).word);
}

/* --- what cannot be ------------------------------------------------------ */

/*
 * @bad is refused with @error, wherever it stands among others that could be
 * had at once; and these stay as they are.
 */
static void refuses(struct __test_metadata *_metadata, FIXTURE_DATA(any) *self,
		    int error, const char *what, struct gosync_wait_entry bad)
{
	struct gosync_info before[] = {
		info_of(self->mutex), info_of(self->semaphore),
	}, now;
	unsigned int place;

	for (place = 0; place < 3; place++) {
		struct gosync_wait_entry entries[] = {
			entry_of_mutex(self->mutex),
			entry_of_permits(self->semaphore, 1),
			entry_of_mutex(self->mutex),
		};

		entries[place] = bad;
		EXPECT_EQ(error, wait_any(entries, 3))
			TH_LOG("%s at %u", what, place);
		EXPECT_EQ(bad.result, entries[place].result);
		now = info_of(self->mutex);
		EXPECT_EQ(0, memcmp(&before[0], &now, sizeof(now)));
		now = info_of(self->semaphore);
		EXPECT_EQ(0, memcmp(&before[1], &now, sizeof(now)));
	}
}

#define REFUSES(error, fd, op, ...)					\
	refuses(_metadata, self, error, #op " " #__VA_ARGS__,		\
		(struct gosync_wait_entry) { fd, op, ##__VA_ARGS__ })

TEST_F(any, refuses_entries_that_cannot_be)
{
	static const unsigned int none[] = {
		GOSYNC_IOC_MUTEX_UNLOCK, GOSYNC_IOC_MUTEX_TRYLOCK,
		GOSYNC_IOC_SEMAPHORE_RELEASE, GOSYNC_IOC_ONCE_BEGIN,
		GOSYNC_IOC_COND_WAIT, GOSYNC_IOC_RWMUTEX_DRAIN, GOSYNC_IOC_WAIT,
		GOSYNC_IOC_INFO, GOSYNC_IOC_OPEN, 1, 0xdeadbeef, UINT32_MAX,
	};
	int wg = new_object(GOSYNC_WAITGROUP), word = new_object(GOSYNC_INT32);
	int truth = new_object(GOSYNC_BOOL), cond = new_object(GOSYNC_COND);
	int dev = open_device(), mutex = self->mutex, closed = 1000;
	unsigned int i, j;
	enum kind kind;
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(0, release_fd(self->semaphore, 1));
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		REFUSES(-ENOTTY, mutex, none[i]);
		REFUSES(-ENOTTY, cond, none[i]);
	}
	for (kind = 0; kind < KINDS; kind++) {
		const int others[] = { dev, pipes[0], cond, wg, mutex };

		for (j = 0; j < ARRAY_SIZE(others); j++) {
			if ((kind == WAITGROUP && others[j] == wg) ||
			    (kind == MUTEX && others[j] == mutex))
				continue;
			REFUSES(-ENOTTY, others[j], kinds[kind].op);
		}
		REFUSES(-EBADF, closed, kinds[kind].op);
		REFUSES(-EBADF, -1, kinds[kind].op);
		REFUSES(-EBADF, INT32_MAX, kinds[kind].op);
		REFUSES(-EBADF, INT32_MIN, kinds[kind].op);
	}
	REFUSES(-EBADF, closed, 0, POLLIN);
	REFUSES(-EBADF, -1, 0, POLLIN);

	/* Fields that mean nothing there */
	REFUSES(-EINVAL, mutex, GOSYNC_IOC_MUTEX_LOCK, .index = 1);
	REFUSES(-EINVAL, mutex, GOSYNC_IOC_MUTEX_LOCK, .value = 1);
	REFUSES(-EINVAL, mutex, GOSYNC_IOC_MUTEX_LOCK, .value = 1ULL << 63);
	REFUSES(-EINVAL, self->semaphore, GOSYNC_IOC_SEMAPHORE_ACQUIRE,
		.index = 1, .value = 1);
	REFUSES(-EINVAL, wg, GOSYNC_IOC_WAITGROUP_WAIT, .index = 1);
	/* So many permits there can't be. */
	REFUSES(-EINVAL, self->semaphore, GOSYNC_IOC_SEMAPHORE_ACQUIRE,
		.value = 1ULL << 31);
	REFUSES(-EINVAL, self->semaphore, GOSYNC_IOC_SEMAPHORE_ACQUIRE,
		.value = 1ULL << 32);
	/* Nor so many words, nor such ones */
	REFUSES(-EINVAL, word, GOSYNC_IOC_ATOMIC_WAIT, .index = 1);
	REFUSES(-EINVAL, word, GOSYNC_IOC_ATOMIC_WAIT, .index = UINT32_MAX);
	REFUSES(-EINVAL, word, GOSYNC_IOC_ATOMIC_WAIT, .value = 1ULL << 32);
	REFUSES(-EINVAL, truth, GOSYNC_IOC_ATOMIC_WAIT, .value = 2);
	EXPECT_EQ(0, info_of(word).waiters);
	EXPECT_EQ(0, info_of(wg).contended);
}

TEST_F(any, refuses_more_entries_than_64_and_none)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX + 1];
	unsigned int i;

	for (i = 0; i <= GOSYNC_WAIT_MAX; i++)
		entries[i] = entry_of_mutex(self->mutex);
	EXPECT_EQ(-EINVAL, wait_any(entries, 0));
	EXPECT_EQ(-EINVAL, wait_any(NULL, 0));
	EXPECT_EQ(-EINVAL, wait_any(entries, GOSYNC_WAIT_MAX + 1));
	EXPECT_EQ(-EINVAL, wait_any(entries, UINT32_MAX));
	EXPECT_EQ(0, info_of(self->mutex).word);
	EXPECT_EQ(0, wait_any(entries, GOSYNC_WAIT_MAX));
}

/* Where a result cannot be written, nothing has happened. */
TEST_F(any, refuses_bad_pointers)
{
	const uint64_t token = info_of(self->mutex).token;
	struct gosync_wait_entry *entries;
	int size = getpagesize();
	char *page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + size, size));
	EXPECT_EQ(-EFAULT, wait_any(NULL, 1));
	EXPECT_EQ(-EFAULT, wait_any((void *)(page + size), 1));
	EXPECT_EQ(-EFAULT, wait_any((void *)-4096l, 1));
	entries = (void *)(page + size - 2 * sizeof(*entries));
	entries[0] = entry_of_mutex(self->mutex);
	entries[1] = entry_of_permits(self->semaphore, 1);
	EXPECT_EQ(0, release_fd(self->semaphore, 1));
	EXPECT_EQ(-EFAULT, wait_any(entries, 3));
	ASSERT_EQ(0, mprotect(page, size, PROT_READ));
	EXPECT_EQ(-EFAULT, wait_any(entries, 2));
	EXPECT_EQ(-EFAULT, wait_any(entries, 1));
	EXPECT_EQ(0, info_of(self->mutex).word);
	EXPECT_EQ(token, info_of(self->mutex).token);
	EXPECT_EQ(1, info_of(self->semaphore).word);
	ASSERT_EQ(0, mprotect(page, size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, wait_any(entries, 2));
	EXPECT_EQ(0, entries[0].result);
}

/* --- what can be polled -------------------------------------------------- */

static void close_it(int fd)
{
	close(fd);
}

/* Waits for what @make_ready brings about, beside permits. */
static void polls(struct __test_metadata *_metadata, FIXTURE_DATA(any) *self,
		  int fd, unsigned int events, unsigned int expected,
		  void (*make_ready)(int arg), int arg)
{
	struct gosync_wait_entry entries[] = {
		entry_of_permits(self->semaphore, 1), { .fd = fd, .index = events },
	};
	pid_t pid;

	entries[1].result = UNTOUCHED;
	EXPECT_EQ(-ETIMEDOUT, wait_many(entries, 2, 0, 1));
	EXPECT_EQ(UNTOUCHED, entries[1].result);
	EXPECT_EQ(0, info_of(self->semaphore).word);
	pid = spawn();
	if (!pid) {
		if (make_ready == close_it)
			close(arg);
		MUST(wait_any(entries, 2) == 1);
		MUST(entries[0].result == UNTOUCHED);
		MUST(entries[1].result == expected);
		MUST(entries[1].index == events);
		_exit(0);
	}
	ASSERT_TRUE(eventually(info_of(self->semaphore).waiters == 1));
	make_ready(arg);
	EXPECT_EQ(0, reap_soon(pid));
	/* As it is ready now */
	EXPECT_EQ(1, wait_any(entries, 2));
	EXPECT_EQ(expected, entries[1].result);
	EXPECT_EQ(0, info_of(self->semaphore).word);
	EXPECT_TRUE(is_accounted(self->semaphore));
	/* What comes first counts. */
	EXPECT_EQ(0, release_fd(self->semaphore, 1));
	EXPECT_EQ(0, wait_any(entries, 2));
	EXPECT_EQ(0, info_of(self->semaphore).word);
}

static void write_one(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void drain_pipe(int fd)
{
	char buf[65536];

	if (read(fd, buf, sizeof(buf)) <= 0)
		abort();
}

static void unlock_it(int fd)
{
	unlock_fd(fd);
}

TEST_F(any, polls_a_pipe)
{
	char buf[4096] = {};
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	polls(_metadata, self, fds[0], POLLIN, POLLIN, write_one, fds[1]);
	close(fds[0]);
	close(fds[1]);
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	/* Nobody asks for POLLHUP, and everybody gets it. */
	polls(_metadata, self, fds[0], POLLIN, POLLHUP, close_it, fds[1]);
	close(fds[0]);
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	while (write(fds[1], buf, sizeof(buf)) > 0)
		;
	polls(_metadata, self, fds[1], POLLOUT, POLLOUT, drain_pipe, fds[0]);
}

TEST_F(any, polls_an_eventfd)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	polls(_metadata, self, fd, POLLIN, POLLIN, write_one, fd);
}

TEST_F(any, polls_a_socket)
{
	int fds[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	polls(_metadata, self, fds[0], POLLIN, POLLIN, write_one, fds[1]);
	/* Two of them, and only what is asked for */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	polls(_metadata, self, fds[0], POLLIN | POLLPRI, POLLIN, write_one,
	      fds[1]);
}

/* It is seen that the lock is free, and not taken. */
TEST_F(any, polls_another_object)
{
	EXPECT_EQ(0, lock_fd(self->mutex));
	polls(_metadata, self, self->mutex, POLLIN, POLLIN, unlock_it,
	      self->mutex);
	EXPECT_EQ(0, info_of(self->mutex).owner);
	EXPECT_EQ(0, trylock_fd(self->mutex));
}

/* Many descriptors at once, each made readable while others are */
TEST_F(any, polls_64)
{
	struct gosync_wait_entry entries[GOSYNC_WAIT_MAX];
	int i;

	for (i = 0; i < GOSYNC_WAIT_MAX; i++)
		entries[i] = (struct gosync_wait_entry) {
			.fd = eventfd(0, EFD_CLOEXEC), .index = POLLIN,
		};
	EXPECT_EQ(-ETIMEDOUT, wait_many(entries, GOSYNC_WAIT_MAX, 0,
					gosync_deadline(NSEC_PER_MSEC)));
	for (i = GOSYNC_WAIT_MAX - 1; i >= 0; i--) {
		write_one(entries[i].fd);
		ASSERT_EQ(i, wait_any(entries, GOSYNC_WAIT_MAX));
		ASSERT_EQ(POLLIN, entries[i].result);
	}
}

/* --- locks among them: those behind ---------------------------------------- */

static void gives_up_alone(struct __test_metadata *_metadata, int type,
			   unsigned int lock, unsigned int unlock)
{
	int fd = new_object(type), i;
	pid_t pid;

	ASSERT_EQ(0, call(fd, lock, NULL));
	pid = spawn();
	if (!pid) {
		MUST(!call(reopen_object(fd, 0), lock, NULL));
		_exit(0);
	}
	ASSERT_TRUE(eventually(info_of(fd).waiters == 1));
	/* From now on it would be STARVING if it were woken, and lost. */
	sleep_ns(2 * NSEC_PER_MSEC);
	for (i = 0; i < 3; i++) {
		struct gosync_wait_entry among = entry(fd, lock, 0);

		EXPECT_EQ(-ETIMEDOUT,
			  wait_many(&among, 1, 0, gosync_deadline(NSEC_PER_MSEC)));
		EXPECT_EQ(1, info_of(fd).waiters);
		EXPECT_EQ(0, stat_fd(fd).starvations);
	}
	EXPECT_EQ(0, call(fd, unlock, NULL));
	EXPECT_EQ(0, reap_soon(pid));
}

/* Who waits behind somebody else's lock sleeps on if another gives up. */
TEST_F(any, who_gives_up_wakes_nobody)
{
	gives_up_alone(_metadata, GOSYNC_MUTEX, GOSYNC_IOC_MUTEX_LOCK,
		       GOSYNC_IOC_MUTEX_UNLOCK);
	gives_up_alone(_metadata, GOSYNC_RWMUTEX, GOSYNC_IOC_RWMUTEX_LOCK,
		       GOSYNC_IOC_RWMUTEX_UNLOCK);
}

/* --- an RWMutex among them ----------------------------------------------- */

/* Readers hold it, the writer waits, and gets something else. */
TEST_F(any, readers_may_enter_after_a_writer_got_something_else)
{
	struct thing gate = thing_of(self->semaphore, PERMITS, variant->how);
	int rw = new_object(GOSYNC_RWMUTEX), i;
	gosync_rwmutex_t *reader, *newcomer;
	struct gosync_info before;

	reader = ANOTHER(gosync_rwmutex, rw, variant->how);
	newcomer = ANOTHER(gosync_rwmutex, rw, variant->how);
	EXPECT_EQ(0, gosync_rwmutex_rlock(reader));
	before = info_of(rw);
	for (i = 0; i < 10; i++) {
		struct gosync_wait_entry entries[] = {
			entry(rw, GOSYNC_IOC_RWMUTEX_LOCK, 0), entry_for(&gate),
		};
		pid_t pid = spawn();

		if (!pid) {
			entries[0].fd = reopen_object(rw, 0);
			if (i % 3 == 0)
				MUST(wait_any(entries, 2) == 1);
			else
				wait_many(entries, 2, 0, i % 3 == 1 ?
					  gosync_deadline(NSEC_PER_MSEC) : 0);
			_exit(0);
		}
		/* By a grant, by its deadline, or killed */
		if (i % 3 != 1)
			ASSERT_TRUE(eventually(info_of(rw).waiters == 1));
		if (i % 3 == 0)
			EXPECT_EQ(0, let_go(&gate));
		if (i % 3 == 2)
			kill_and_reap(pid);
		else
			EXPECT_EQ(0, reap_soon(pid));
		EXPECT_EQ(0, gosync_rwmutex_tryrlock(newcomer));
		EXPECT_EQ(2, info_of(rw).readers);
		EXPECT_EQ(0, gosync_rwmutex_runlock(newcomer));
		EXPECT_EQ(before.word, info_of(rw).word);
		EXPECT_EQ(0, info_of(rw).deaths);
		EXPECT_EQ(-EBUSY, gosync_rwmutex_trylock(newcomer));
	}
	EXPECT_EQ(0, gosync_rwmutex_runlock(reader));
	EXPECT_EQ(0, gosync_rwmutex_trylock(newcomer));
	EXPECT_TRUE(is_accounted(rw));
}

/* A writer among others waits for readers, and gets it when they have gone. */
TEST_F(any, a_writer_waits_for_readers)
{
	int rw = new_object(GOSYNC_RWMUTEX);
	gosync_rwmutex_t *readers[3];
	pid_t pid;
	int i;

	for (i = 0; i < 3; i++) {
		readers[i] = ANOTHER(gosync_rwmutex, rw, variant->how);
		ASSERT_EQ(0, gosync_rwmutex_rlock(readers[i]));
	}
	pid = spawn();
	if (!pid) {
		struct gosync_wait_entry entries[] = {
			entry_of_permits(self->semaphore, 1),
			entry(reopen_object(rw, 0), GOSYNC_IOC_RWMUTEX_LOCK, 0),
		};

		MUST(wait_any(entries, 2) == 1);
		MUST(!info_of(rw).readers);
		store(self->shared, 1);
		MUST(!call(entries[1].fd, GOSYNC_IOC_RWMUTEX_UNLOCK, NULL));
		_exit(0);
	}
	ASSERT_TRUE(eventually(info_of(rw).waiters == 1));
	for (i = 0; i < 3; i++) {
		sleep_ns(2 * NSEC_PER_MSEC);
		EXPECT_EQ(0, load(self->shared));
		EXPECT_EQ(0, gosync_rwmutex_runlock(readers[i]));
	}
	EXPECT_EQ(0, reap_soon(pid));
	EXPECT_EQ(0, info_of(rw).word);
}

TEST_HARNESS_MAIN
