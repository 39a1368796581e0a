// SPDX-License-Identifier: GPL-2.0-only
/*
 * What users do to each other who share nothing but the namespace: nobody waits
 * for another's memory, is slowed by another's names, keeps another's objects
 * alive by looking at them, or takes up the room by being many. Needs root, to be
 * all these users.
 */
#include <sys/time.h>
#include "users.h"

NAME_OF_ROOT(strangers)

static int create(uint32_t type, const char *name, uint32_t flags)
{
	return open_object(type, name, GOSYNC_CREATE | flags, 0600);
}

static pid_t spawn_as(uid_t uid)
{
	pid_t pid = spawn();

	if (!pid && become(uid, uid, 0))
		_exit(1);
	return pid;
}

/* Makes large objects where there is no memory for them, and is slowed down. */
static pid_t spawn_thirsty(void)
{
	pid_t pid = spawn();

	if (pid)
		return pid;
	if (write_file(CGROUP "/cgroup.procs", "0") || become(BOB, BOB, 0))
		_exit(1);
	for (;;) {
		int fd = open_bytes(GOSYNC_VALUE, NULL, 0, GOSYNC_CREATE, 0600,
				    4 << 20);

		if (fd >= 0)
			close(fd);
	}
}

TEST_F(strangers, do_not_wait_for_each_others_memory)
{
	pid_t thirsty[4], alice;
	unsigned int i;

	if (!make_cgroup())
		SKIP(return, "no memory cgroup");
	/* Who is over this one sleeps in his allocations; nobody is killed. */
	ASSERT_EQ(0, write_file(CGROUP "/memory.high", "8M"));
	for (i = 0; i < ARRAY_SIZE(thirsty); i++)
		thirsty[i] = spawn_thirsty();
	EXPECT_TRUE(eventually(charged() >= 8 << 20));

	/* She makes, finds, unlinks, closes and leaves, as if she were alone. */
	alice = spawn_as(ALICE);
	if (!alice) {
		for (i = 0; i < 300; i++) {
			int fd = create(GOSYNC_MUTEX, self->name, GOSYNC_EXCL);
			int again = open_object(0, self->name, 0, 0);

			if (fd < 0 || again < 0 || create(GOSYNC_MUTEX, NULL, 0) < 0 ||
			    (i % 2 && gosync_unlink(self->name)))
				_exit(1);
			close(fd);
			close(again);
		}
		_exit(0);
	}
	EXPECT_EQ(0, reap_soon(alice));
	/* And they are to be killed where they are. */
	for (i = 0; i < ARRAY_SIZE(thirsty); i++)
		kill(thirsty[i], SIGKILL);
	for (i = 0; i < ARRAY_SIZE(thirsty); i++)
		EXPECT_EQ(128 + SIGKILL, reap_soon(thirsty[i]));
	EXPECT_TRUE(eventually(!rmdir(CGROUP)));
}

/* The quickest of many, which is the least that it costs */
static uint64_t least_to_create(const char *name)
{
	uint64_t start, took, least = UINT64_MAX;
	int dev = open_device(), i, fd;
	struct gosync_open_args args = {
		.size = sizeof(args), .type = GOSYNC_MUTEX, .mode = 0600,
		.flags = GOSYNC_CREATE, .name = to_u64(name),
		.name_len = strlen(name),
	};

	for (i = 0; i < 1000; i++) {
		start = now_ns(CLOCK_MONOTONIC);
		fd = call(dev, GOSYNC_IOC_OPEN, &args);
		took = now_ns(CLOCK_MONOTONIC) - start;
		close(fd);
		if (fd < 0)
			return 0;
		if (took < least)
			least = took;
	}
	close(dev);
	return least;
}

/* Those with the same mixture of user and group as hers, one page for each */
TEST_F(strangers, however_many_do_not_slow_each_other)
{
	/* As many as a slow machine makes in the time, besides */
	const uint64_t end = now_ns(CLOCK_MONOTONIC) +
			     WATCHDOG / 4 * NSEC_PER_SEC;
	enum { OWNERS = 12000 };
	const uint32_t mixture = ALICE ^ ALICE * 31;
	uint64_t alone, beside;
	char name[32];
	gid_t group;
	int fd;

	ASSERT_EQ(0, setegid(ALICE));
	ASSERT_EQ(0, seteuid(ALICE));
	alone = least_to_create(self->name);
	ASSERT_LT(0, alone);
	for (group = 2 * ALICE; group < 2 * ALICE + OWNERS && budget_left(end);
	     group++) {
		ASSERT_EQ(0, seteuid(0));
		ASSERT_EQ(0, setegid(group));
		ASSERT_EQ(0, seteuid(mixture ^ group * 31));
		snprintf(name, sizeof(name), "stranger-%u", group);
		fd = create(GOSYNC_MUTEX, name, GOSYNC_PERSIST);
		ASSERT_LE(0, fd);
		close(fd);
	}
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, setegid(ALICE));
	ASSERT_EQ(0, seteuid(ALICE));
	beside = least_to_create(self->name);
	EXPECT_GT(3 * alone, beside);
	ASSERT_EQ(0, seteuid(0));
	while (group-- > 2 * ALICE) {
		snprintf(name, sizeof(name), "stranger-%u", group);
		EXPECT_EQ(0, gosync_unlink(name));
	}
}

enum { LISTS, OPENS, UNLINKS, CREATES, OBSERVERS };

static void observe(unsigned int how, const char *name)
{
	struct gosync_info entries[4];
	struct gosync_list_args args = {
		.size = sizeof(args), .entries = to_u64(entries), .count = 4,
		.entry_size = sizeof(entries[0]),
	};
	int dev = open_device();

	for (;;) {
		switch (how) {
		case LISTS:
			args.cursor = 0;
			if (call(dev, GOSYNC_IOC_LIST, &args))
				_exit(1);
			break;
		case OPENS:
			if (open_object(GOSYNC_INT64, name, 0, 0) >= 0)
				_exit(1);
			break;
		case UNLINKS:
			if (!gosync_unlink(name))
				_exit(1);
			break;
		case CREATES:
			/* Of another type, which it would get if it could. */
			if (!create(GOSYNC_MUTEX, name, GOSYNC_EXCL |
				    GOSYNC_NO_MMAP | GOSYNC_RDONLY))
				_exit(1);
			break;
		}
	}
}

static int count_from_0(int fd)
{
	struct gosync_atomic_args args = { .size = sizeof(args), .value = 1 };
	int ret = call(fd, GOSYNC_IOC_ATOMIC_ADD, &args);

	return ret ?: args.result;
}

TEST_F(strangers, keep_nothing_alive_by_looking)
{
	pid_t pids[CREATES];
	unsigned int i, rounds = 0;
	uint64_t end;

	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = spawn_as(BOB);
		if (!pids[i])
			observe(i, self->name);
	}
	ASSERT_EQ(0, seteuid(ALICE));
	end = end_of_budget();
	do {
		int fd = create(GOSYNC_INT64, self->name,
				rounds++ % 2 ? GOSYNC_EXCL : 0);

		ASSERT_LE(0, fd);
		/* It is new: nobody else could have it open. */
		ASSERT_EQ(1, count_from_0(fd));
		ASSERT_EQ(1, info_of(fd).holders);
		close(fd);
	} while (budget_left(end));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, ARRAY_SIZE(pids)));
}

/* --- number -------------------------------------------------------------- */

FIXTURE(many)
{
	char per_user[32];
};

FIXTURE_SETUP(many)
{
	NEED_ROOT();
	ASSERT_EQ(0, read_file(PER_USER, self->per_user, sizeof(self->per_user)));
	ASSERT_EQ(0, write_file(PER_USER, "5"));
}

FIXTURE_TEARDOWN_PARENT(many)
{
	if (self->per_user[0])
		write_file(PER_USER, self->per_user);
}

static void write_map(struct __test_metadata *_metadata, pid_t pid,
		      const char *file, const char *map)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	ASSERT_EQ(0, write_file(path, map));
}

/*
 * A process with users 0 to 3, of whom 0 is @owner and owns the namespace; it
 * says and is told on *@socket that the map is there.
 */
static pid_t spawn_with_sub_uids(struct __test_metadata *_metadata, uid_t owner,
				 int *socket)
{
	char map[64], byte = 0;
	int pair[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	pid = spawn();
	if (!pid) {
		if (become(owner, owner, 0) || unshare(CLONE_NEWUSER))
			_exit(KSFT_SKIP);
		/* So that root may write the maps */
		prctl(PR_SET_DUMPABLE, 1);
		if (write(pair[1], &byte, 1) != 1 || read(pair[1], &byte, 1) != 1)
			_exit(1);
		*socket = pair[1];
		return 0;
	}
	close(pair[1]);
	*socket = pair[0];
	if (read(pair[0], &byte, 1) != 1)
		return pid;
	snprintf(map, sizeof(map), "0 %u 1\n1 100000 3\n", owner);
	write_map(_metadata, pid, "uid_map", map);
	write_map(_metadata, pid, "gid_map", map);
	ASSERT_EQ(1, write(pair[0], &byte, 1));
	return pid;
}

TEST_F(many, sub_uids_count_for_who_owns_them)
{
	int socket, status;
	char byte = 0;
	pid_t pid = spawn_with_sub_uids(_metadata, ALICE, &socket);

	if (!pid) {
		EXPECT_EQ(0, seteuid(1));
		EXPECT_EQ(0, create_many(3));
		EXPECT_EQ(0, seteuid(0));
		EXPECT_EQ(0, seteuid(2));
		EXPECT_EQ(0, create_many(2));
		EXPECT_EQ(-EDQUOT, create_many(1));
		EXPECT_EQ(0, seteuid(0));
		EXPECT_EQ(0, seteuid(3));
		EXPECT_EQ(-EDQUOT, create_many(1));
		/* A namespace of a sub-uid's is the owner's, too. */
		EXPECT_EQ(0, unshare(CLONE_NEWUSER | CLONE_NEWIPC));
		EXPECT_EQ(-EDQUOT, create_many(1));
		if (_metadata->exit_code == KSFT_PASS &&
		    write(socket, &byte, 1) == 1)
			pause();
		_exit(1);
	}
	if (read(socket, &byte, 1) != 1) {
		status = reap(pid);
		if (status == KSFT_SKIP)
			SKIP(return, "no user namespace");
		ASSERT_EQ(0, status);
	}
	pid_t alice = spawn_as(ALICE);

	if (!alice)
		_exit(create_many(1) != -EDQUOT);
	EXPECT_EQ(0, reap(alice));
	pid_t bob = spawn_as(BOB);

	if (!bob)
		_exit(create_many(5) != 0);
	EXPECT_EQ(0, reap(bob));
	kill_and_reap(pid);
	/* They have all gone. */
	alice = spawn_as(ALICE);
	if (!alice)
		_exit(create_many(5) != 0);
	EXPECT_EQ(0, reap(alice));
}

/* Who is in root's containers is nobody's sub-uid. */
TEST_F(many, those_in_namespaces_of_root_count_for_themselves)
{
	int socket, i;
	pid_t pid = spawn_with_sub_uids(_metadata, 0, &socket);

	if (!pid) {
		for (i = 1; i <= 3; i++) {
			EXPECT_EQ(0, seteuid(i));
			EXPECT_EQ(0, create_many(5));
			EXPECT_EQ(-EDQUOT, create_many(1));
			EXPECT_EQ(0, seteuid(0));
		}
		_exit(_metadata->exit_code != KSFT_PASS);
	}
	int status = reap(pid);

	if (status == KSFT_SKIP)
		SKIP(return, "no user namespace");
	EXPECT_EQ(0, status);
}

/* --- a user at its worst -------------------------------------------------- */

/* What BOB does. Each but the last, which sleeps in it, is counted. */
enum attack { STORM, SIGNALS, CAP, COUNTED, THIRST = COUNTED };

struct attacks {
	unsigned int done[COUNTED];
	char name[64];
};

static void attack(struct attacks *attacks, enum attack how)
{
	static const struct itimerval soon = { .it_value.tv_usec = 1000 };
	struct gosync_wait_args wait = { .size = sizeof(wait) };
	int fd, ret;

	for (;;) {
		switch (how) {
		case STORM:
		case SIGNALS:
			fd = open_object(0, attacks->name, 0, 0);
			MUST(fd >= 0);
			wait.deadline = gosync_deadline(how == STORM ?
							NSEC_PER_MSEC :
							NSEC_PER_SEC);
			if (how == SIGNALS)
				setitimer(ITIMER_REAL, &soon, NULL);
			ret = call(fd, GOSYNC_IOC_MUTEX_LOCK, &wait);
			MUST(ret >= 0 || ret == -ETIMEDOUT || ret == -EINTR);
			/* Now and then it is closed as it is. */
			if (ret >= 0 && load(&attacks->done[how]) % 4)
				unlock_fd(fd);
			close(fd);
			break;
		case CAP:
			ret = AS(BOB, BOB, 0, create_many(1000));
			MUST(ret == -EDQUOT);
			break;
		case THIRST:
			fd = open_bytes(GOSYNC_VALUE, NULL, 0, GOSYNC_CREATE,
					0600, 4 << 20);
			MUST(fd >= 0 || fd == -EDQUOT || fd == -ENOMEM);
			close(fd);
			continue;
		}
		add(&attacks->done[how], 1);
	}
}

static pid_t spawn_attack(struct attacks *attacks, enum attack how)
{
	pid_t pid = spawn();

	if (pid)
		return pid;
	if (how == THIRST)
		MUST(!write_file(CGROUP "/cgroup.procs", "0"));
	sigaction(SIGALRM, &(struct sigaction) { .sa_handler = count_signal },
		  NULL);
	/* It becomes other processes, of the same user, without being root. */
	if (how != CAP)
		MUST(!become(BOB, BOB, 0));
	attack(attacks, how);
	return 0;
}

/* As long as an attack, as BOB, and without gosync */
static pid_t spawn_loop(void)
{
	unsigned int turns = 0;
	pid_t pid = spawn();

	if (!pid) {
		MUST(!become(BOB, BOB, 0));
		for (;;)
			add(&turns, 1);
	}
	return pid;
}

/* Two of them pass a lock to and fro: all but the first have to wait. */
struct pair {
	unsigned int turn;
	unsigned int done;
};

enum { TURNS = 50 };

static int hand_over(int fd, struct pair *pair, unsigned int me)
{
	unsigned int i;
	int ret;

	for (i = 0; i < TURNS; i++) {
		ret = lock_fd(fd);
		if (ret)
			return ret;
		store(&pair->turn, me);
		MUST(eventually(info_of(fd).waiters || load(&pair->done)));
		ret = unlock_fd(fd);
		if (ret)
			return ret;
		MUST(eventually(load(&pair->turn) != me || load(&pair->done)));
	}
	store(&pair->done, 1);
	return 0;
}

static int lock_alone(void *mutex)
{
	int i, ret = 0;

	for (i = 0; i < 1000 && !ret; i++)
		ret = gosync_mutex_lock(mutex) ?: gosync_mutex_unlock(mutex);
	return ret;
}

/* As ALICE: all of this is done as if she were alone. Return: 0 or an error */
static int go_on(gosync_mutex_t *mapped, gosync_mutex_t *by_ioctl,
		 struct pair *pair)
{
	int fd = new_object(GOSYNC_MUTEX), ret;
	pid_t pid;

	memset(pair, 0, sizeof(*pair));
	pid = CHILD(hand_over(reopen_object(fd, 0), pair, 1) != 0);
	ret = hand_over(fd, pair, 2) ?: reap_soon(pid);
	if (!ret && (!is_accounted(fd) || stat_fd(fd).contended != 2 * TURNS - 1))
		ret = -EPROTO;
	close(fd);
	ret = ret ?: lock_alone(mapped) ?: lock_alone(by_ioctl) ?:
		reap(CHILD(-create_many(16)));
	if (ret)
		return ret;
	ret = without_system_calls(lock_alone, mapped);
	return ret == KSFT_SKIP ? 0 : ret;
}

static int lock_once(gosync_mutex_t *by_ioctl)
{
	return gosync_mutex_lock(by_ioctl) ?: gosync_mutex_unlock(by_ioctl);
}

static int create_once(gosync_mutex_t *unused)
{
	int fd = create(GOSYNC_MUTEX, unique_name(), GOSYNC_EXCL);

	return fd < 0 ? fd : close(fd);
}

static int shorter(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* No test, but a figure: how long it takes as ALICE. A failure is an exit status. */
static void say_latency(struct __test_metadata *_metadata, const char *beside,
			const char *what, int (*once)(gosync_mutex_t *))
{
	pid_t pid = spawn();

	if (!pid) {
		static uint64_t took[2000];
		uint64_t end = end_of_budget();
		gosync_mutex_t *by_ioctl;
		unsigned int n = 0;

		MUST(!become(ALICE, ALICE, 0));
		by_ioctl = NEW(gosync_mutex, GOSYNC_IOCTL_ONLY);
		do {
			uint64_t began = now_ns(CLOCK_MONOTONIC);

			MUST(!once(by_ioctl));
			took[n++] = now_ns(CLOCK_MONOTONIC) - began;
		} while (n < ARRAY_SIZE(took) && budget_left(end));
		qsort(took, n, sizeof(*took), shorter);
		TH_LOG("%u times %s, %s: median %u us, 99 %% below %u, longest %u",
		       n, what, beside, (unsigned int)(took[n / 2] / 1000),
		       (unsigned int)(took[n * 99 / 100] / 1000),
		       (unsigned int)(took[n - 1] / 1000));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
}

static void say_latencies(struct __test_metadata *_metadata, const char *beside)
{
	say_latency(_metadata, beside, "lock and unlock by ioctl", lock_once);
	say_latency(_metadata, beside, "create and close", create_once);
}

TEST_F(many, a_user_at_its_worst_costs_others_no_operation)
{
	static const enum attack how[] = {
		STORM, STORM, STORM, STORM, SIGNALS, SIGNALS, CAP, THIRST,
	};
	struct attacks *attacks = shared_memory(sizeof(*attacks));
	struct pair *pair = shared_memory(sizeof(*pair));
	unsigned int i, rounds = 0;
	pid_t pids[ARRAY_SIZE(how)], alice;

	if (!make_cgroup())
		SKIP(return, "no memory cgroup");
	/* Who is over this sleeps when it allocates; nobody is killed. */
	ASSERT_EQ(0, write_file(CGROUP "/memory.high", "2M"));
	ASSERT_EQ(0, write_file(PER_USER, "64"));
	strcpy(attacks->name, unique_name());
	ASSERT_EQ(0, seteuid(BOB));
	ASSERT_LE(0, create(GOSYNC_MUTEX, attacks->name, GOSYNC_EXCL));
	ASSERT_EQ(0, seteuid(0));
	say_latencies(_metadata, "alone");
	for (i = 0; i < ARRAY_SIZE(how); i++)
		pids[i] = spawn_loop();
	say_latencies(_metadata, "beside as many that only compute");
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, ARRAY_SIZE(pids)));
	for (i = 0; i < ARRAY_SIZE(how); i++)
		pids[i] = spawn_attack(attacks, how[i]);
	EXPECT_TRUE(eventually(charged() >= 2 << 20));
	for (i = 0; i < COUNTED; i++) {
		EXPECT_TRUE(eventually(load(&attacks->done[i])))
			TH_LOG("attack %u comes to nothing", i);
	}

	say_latencies(_metadata, "beside a user at its worst");
	alice = spawn();
	if (!alice) {
		gosync_mutex_t *mapped, *by_ioctl;
		unsigned int before[COUNTED];

		ASSERT_EQ(0, become(ALICE, ALICE, 0));
		mapped = NEW(gosync_mutex, 0);
		by_ioctl = NEW(gosync_mutex, GOSYNC_IOCTL_ONLY);
		memcpy(before, attacks->done, sizeof(before));
		/* Until each attack has come to something meanwhile */
		for (i = 0; i < COUNTED && !_metadata->exit_code; rounds++) {
			ASSERT_EQ(0, go_on(mapped, by_ioctl, pair));
			while (i < COUNTED &&
			       load(&attacks->done[i]) != before[i])
				i++;
		}
		EXPECT_EQ(0, stat_fd(gosync_fd(mapped)).contended);
		EXPECT_EQ(0, stat_fd(gosync_fd(by_ioctl)).contended);
		TH_LOG("%u rounds; storm %u, signals %u, cap %u", rounds,
		       attacks->done[STORM] - before[STORM],
		       attacks->done[SIGNALS] - before[SIGNALS],
		       attacks->done[CAP] - before[CAP]);
		_exit(_metadata->exit_code != KSFT_PASS);
	}
	EXPECT_EQ(0, reap(alice));
	EXPECT_EQ(128 + SIGKILL, kill_all(pids, ARRAY_SIZE(pids)));
	remove_cgroup();
}

TEST_HARNESS_MAIN
