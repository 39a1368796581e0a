// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do what: user, group and mode, IPC namespaces, limits. Needs root,
 * to be all these users. isolation.c has each operation, for each kind of user.
 */
#include <poll.h>
#include "users.h"

NAME_OF_ROOT(access)

static int create(const char *name, uint32_t flags, uint32_t mode)
{
	return open_object(GOSYNC_MUTEX, name,
			   GOSYNC_CREATE | GOSYNC_EXCL | flags, mode);
}

TEST_F(access, is_by_owner_group_and_mode)
{
	static const struct {
		uint32_t mode;
		char may[7];	/* owner, group, others: r or w or - */
	} rows[] = {
		{ 0600, "w--" }, { 0400, "r--" }, { 0640, "wr-" },
		{ 0660, "ww-" }, { 0606, "w-w" }, { 0604, "w-r" },
		{ 0666, "www" }, { 0644, "wrr" }, { 0066, "-ww" },
		{ 0006, "--w" }, { 0000, "---" }, { 0060, "-w-" },
	};
	static const uid_t users[] = { ALICE, BOB, CAROL };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_EQ(0, AS(ALICE, GROUP, 0, create(self->name,
							GOSYNC_PERSIST,
							rows[i].mode)));
		for (j = 0; j < ARRAY_SIZE(users); j++) {
			gid_t group = users[j] == BOB ? GROUP : 0;
			char may = rows[i].may[j];

			EXPECT_EQ(may == 'w' ? 0 : -EACCES,
				  AS(users[j], users[j], group,
				     open_object(0, self->name, 0, 0)))
				TH_LOG("mode %o, uid %u", rows[i].mode, users[j]);
			EXPECT_EQ(may == '-' ? -EACCES : 0,
				  AS(users[j], users[j], group,
				     open_object(0, self->name, GOSYNC_RDONLY,
						 0)))
				TH_LOG("mode %o, uid %u", rows[i].mode, users[j]);
		}
		/* CAP_IPC_OWNER */
		EXPECT_LE(0, open_object(0, self->name, 0, 0));
		ASSERT_EQ(0, gosync_unlink(self->name));
	}
}

TEST_F(access, mode_is_taken_as_it_is)
{
	int fd;

	umask(077);
	fd = create(self->name, 0, 0666);
	EXPECT_EQ(0666, info_of(fd).mode);
}

TEST_F(access, owner_is_told_in_info)
{
	ASSERT_EQ(0, AS(ALICE, GROUP, 0,
			create(self->name, GOSYNC_PERSIST, 0600)));
	EXPECT_EQ(ALICE, info_of(open_object(0, self->name, 0, 0)).uid);
	EXPECT_EQ(GROUP, info_of(open_object(0, self->name, 0, 0)).gid);
}

static int is_it(const struct gosync_info *info, void *name)
{
	return !strcmp((char *)info->name, name);
}

static int listed(char *name)
{
	int ret = gosync_list(is_it, name);

	return ret == 1 ? 0 : ret < 0 ? ret : -ENOENT;
}

static int version_wait(int fd, unsigned int op)
{
	struct gosync_version_wait_args args = {
		.size = sizeof(args), .version = 0, .deadline = 1,
	};

	return call(fd, op, &args);
}

/* Watches and waits as far as its type allows, by a descriptor for reading */
static int watch_and_wait(const char *name, uint32_t type)
{
	struct gosync_watch_args args = { .size = sizeof(args), .value = 1 };
	int fd = open_object(type, name, GOSYNC_RDONLY, 0);
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };
	struct gosync_wait_args wait = { .size = sizeof(wait), .deadline = 1 };

	if (fd < 0)
		return fd;
	if (poll(&pollfd, 1, 0) < 0)
		return -errno;
	switch (type) {
	case GOSYNC_COND:
		args.value = 0;
		return call(fd, GOSYNC_IOC_WATCH, &args) == -EBADF ? 0 : -EPROTO;
	case GOSYNC_INT32:
	case GOSYNC_SEMAPHORE:
		return call(fd, GOSYNC_IOC_WATCH, &args);
	case GOSYNC_VALUE:
		return call(fd, GOSYNC_IOC_WATCH, &args) ?:
		       version_wait(fd, GOSYNC_IOC_VALUE_WAIT) + ETIMEDOUT;
	case GOSYNC_MAP:
		return call(fd, GOSYNC_IOC_WATCH, &args) ?:
		       version_wait(fd, GOSYNC_IOC_MAP_WAIT);
	case GOSYNC_ONCE:
		return call(fd, GOSYNC_IOC_ONCE_WAIT, &wait) + ETIMEDOUT;
	}
	return 0;
}

TEST_F(access, who_may_read_may_watch)
{
	static const uint32_t types[] = {
		GOSYNC_INT32, GOSYNC_VALUE, GOSYNC_MUTEX, GOSYNC_RWMUTEX,
		GOSYNC_WAITGROUP, GOSYNC_ONCE, GOSYNC_COND, GOSYNC_SEMAPHORE,
		GOSYNC_MAP,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, AS(ALICE, ALICE, 0,
				open_object(types[i], self->name,
					    GOSYNC_CREATE | GOSYNC_PERSIST,
					    0604)));
		EXPECT_EQ(0, AS(BOB, BOB, 0,
				watch_and_wait(self->name, types[i])))
			TH_LOG("type %u", types[i]);
		EXPECT_EQ(-EACCES, AS(CAROL, CAROL, ALICE,
				      watch_and_wait(self->name, types[i])));
		ASSERT_EQ(0, gosync_unlink(self->name));
	}
}

TEST_F(access, device_is_for_everybody)
{
	struct stat st;

	ASSERT_EQ(0, stat(GOSYNC_DEVICE, &st));
	EXPECT_EQ(S_IFCHR | 0666, st.st_mode);
}

TEST_F(access, ipc_namespaces_do_not_see_each_other)
{
	int fd = create(self->name, GOSYNC_PERSIST, 0666);
	char *theirs = unique_name();
	int pair[2];
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = spawn();
	if (!pid) {
		int other;

		ASSERT_EQ(0, unshare(CLONE_NEWIPC));
		EXPECT_EQ(-ENOENT, open_object(0, self->name, 0, 0));
		EXPECT_EQ(-ENOENT, gosync_unlink(self->name));
		EXPECT_EQ(-ENOENT, listed(self->name));
		/* Free for another type */
		other = open_object(GOSYNC_VALUE, self->name, GOSYNC_CREATE |
				    GOSYNC_EXCL, 0600);
		EXPECT_LE(0, other);
		EXPECT_NE(info_of(fd).id, info_of(other).id);
		EXPECT_LE(0, create(theirs, 0, 0666));
		EXPECT_EQ(0, listed(theirs));
		/* A descriptor is a right wherever it came from. */
		EXPECT_EQ(0, lock_fd(fd));
		EXPECT_LE(0, reopen_object(fd, 0));
		EXPECT_EQ(0, send_fd(pair[1], fd));
		pause();
	}
	close(pair[1]);
	ASSERT_LE(0, receive_fd(pair[0]));
	EXPECT_EQ(-ENOENT, listed(theirs));
	EXPECT_EQ(-ENOENT, open_object(0, theirs, 0, 0));
	EXPECT_EQ(0, listed(self->name));
	EXPECT_EQ(GOSYNC_MUTEX, info_of(open_object(0, self->name, 0, 0)).type);
	kill_and_reap(pid);
}

/* --- other namespaces ---------------------------------------------------- */

TEST_F(access, owner_is_shown_as_the_reader_knows_it)
{
	int fd = create(self->name, 0, 0600);
	pid_t pid;

	ASSERT_EQ(0, lock_fd(fd));
	EXPECT_EQ(getpid(), info_of(fd).owner_pid);
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	/* Not spawn(): there the parent is not to be seen. */
	pid = fork();
	if (pid) {
		EXPECT_EQ(0, reap(pid));
		return;
	}
	/* We are the first process of a namespace, and do not see the owner. */
	EXPECT_NE(0, info_of(fd).owner);
	EXPECT_EQ(0, info_of(fd).owner_pid);
	EXPECT_EQ(0, unlock_fd(fd));
	EXPECT_EQ(0, lock_fd(open_object(0, self->name, 0, 0)));
	EXPECT_EQ(1, info_of(fd).owner_pid);
	_exit(0);
}

/* With all capabilities, over nothing of ours */
TEST_F(access, root_of_a_user_namespace_is_nobody_here)
{
	int fd = create(self->name, GOSYNC_PERSIST, 0604);
	pid_t pid = spawn();

	if (!pid) {
		ASSERT_EQ(0, become(ALICE, ALICE, 0));
		if (unshare(CLONE_NEWUSER))
			_exit(KSFT_SKIP);
		EXPECT_EQ(-EACCES, open_object(0, self->name, 0, 0));
		EXPECT_EQ(-EPERM, gosync_unlink(self->name));
		EXPECT_LE(0, open_object(0, self->name, GOSYNC_RDONLY, 0));
		/* Whom it cannot name is the overflow user. */
		EXPECT_EQ(65534, info_of(fd).uid);
		EXPECT_EQ(65534, info_of(fd).gid);
		/* In an IPC namespace of its own it is somebody. */
		EXPECT_EQ(0, unshare(CLONE_NEWIPC));
		EXPECT_LE(0, create(self->name, 0, 0000));
		EXPECT_LE(0, open_object(0, self->name, 0, 0));
		_exit(0);
	}
	if (reap(pid) == KSFT_SKIP)
		SKIP(return, "no user namespace");
	EXPECT_LE(0, open_object(0, self->name, 0, 0));
}

/* --- limits -------------------------------------------------------------- */

#define PER_NS	"/sys/module/gosync/parameters/max_objects_per_ns"

FIXTURE(limits)
{
	char per_user[32];
	char per_ns[32];
};

FIXTURE_SETUP(limits)
{
	NEED_ROOT();
	ASSERT_EQ(0, read_file(PER_USER, self->per_user, sizeof(self->per_user)));
	ASSERT_EQ(0, read_file(PER_NS, self->per_ns, sizeof(self->per_ns)));
}

FIXTURE_TEARDOWN_PARENT(limits)
{
	if (self->per_user[0]) {
		write_file(PER_USER, self->per_user);
		write_file(PER_NS, self->per_ns);
	}
}

TEST_F(limits, objects_per_user)
{
	int fd;

	ASSERT_EQ(0, write_file(PER_USER, "5"));
	EXPECT_EQ(0, AS(ALICE, ALICE, 0, create_many(5)));
	EXPECT_EQ(-EDQUOT, AS(ALICE, ALICE, 0, create_many(6)));
	/* All have gone with their creators, so there is room again. */
	EXPECT_EQ(0, AS(ALICE, ALICE, 0, create_many(5)));
	/* Opening is not creating, and failing to create costs nothing. */
	fd = create("limits", 0, 0666);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EDQUOT, AS(ALICE, ALICE, 0, ({
		int i, ret = create_many(4);

		for (i = 0; i < 9 && !ret; i++)
			if (open_object(0, "limits", 0, 0) < 0 ||
			    create("limits", 0, 0600) != -EEXIST)
				ret = -EINVAL;
		ret ?: create_many(1) ?: create_many(1);
	})));
	/* CAP_SYS_RESOURCE */
	EXPECT_EQ(0, create_many(10));
}

TEST_F(limits, one_user_does_not_use_up_the_others)
{
	pid_t pid;
	int pair[2];
	char byte;

	ASSERT_EQ(0, write_file(PER_USER, "5"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = spawn();
	if (!pid) {
		become(ALICE, ALICE, 0);
		byte = -create_many(5);
		if (write(pair[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(pair[0], &byte, 1));
	EXPECT_EQ(0, byte);
	EXPECT_EQ(-EDQUOT, AS(ALICE, ALICE, 0, create_many(1)));
	EXPECT_EQ(0, AS(BOB, BOB, 0, create_many(5)));
	kill_and_reap(pid);
}

TEST_F(limits, objects_per_namespace)
{
	pid_t pid;

	ASSERT_EQ(0, write_file(PER_NS, "5"));
	pid = spawn();
	if (!pid) {
		ASSERT_EQ(0, unshare(CLONE_NEWIPC));
		EXPECT_EQ(0, AS(ALICE, ALICE, 0, create_many(5)));
		EXPECT_EQ(-ENOSPC, AS(ALICE, ALICE, 0, create_many(6)));
		ASSERT_EQ(0, create_many(4));
		EXPECT_EQ(0, AS(ALICE, ALICE, 0, create_many(1)));
		EXPECT_EQ(-ENOSPC, AS(ALICE, ALICE, 0, create_many(2)));
		/* CAP_SYS_RESOURCE */
		EXPECT_EQ(0, create_many(10));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	/* Another namespace has room of its own. */
	pid = spawn();
	if (!pid) {
		ASSERT_EQ(0, unshare(CLONE_NEWIPC));
		EXPECT_EQ(0, AS(ALICE, ALICE, 0, create_many(5)));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
}

/* What is left of a dead namespace shows in its user's account. */
TEST_F(limits, dead_ipc_namespace_leaves_nothing_behind)
{
	ASSERT_EQ(0, write_file(PER_USER, "3"));
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, AS(CAROL, CAROL, 0, ({
		int i, ret = 0;

		for (i = 0; i < 3 && ret >= 0; i++)
			ret = create(unique_name(), GOSYNC_PERSIST, 0600);
		ret;
	})));
	ASSERT_EQ(-EDQUOT, AS(CAROL, CAROL, 0, create_many(1)));
	/* The namespace is alive: a process of it is. */
	sleep_ns(2 * NSEC_PER_SEC);
	ASSERT_EQ(-EDQUOT, AS(CAROL, CAROL, 0, create_many(1)));
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_TRUE(eventually(!AS(CAROL, CAROL, 0, create_many(3))));
}

/* One of each type; all that its user may have */
enum { CONTAINED = GOSYNC_TYPE_MAX - 1 };

struct container {
	pid_t init;
	unsigned int running;
	int socket[2];
};

static int references(void)
{
	char text[32];

	return read_file("/sys/module/gosync/refcnt", text, sizeof(text)) ? -1 :
		atoi(text);
}

static void rest_inside(struct container *container)
{
	add(&container->running, 1);
	rest();
}

/* What processes of a container do that are not prepared for its end */
static void run_inside(struct container *container, const int *fds,
		       unsigned int i)
{
	struct gosync_open_args await = {
		.size = sizeof(await), .flags = GOSYNC_AWAIT,
		.name = to_u64("never"), .name_len = 5,
	};
	int mutex = reopen_object(fds[GOSYNC_MUTEX], 0);

	add(&container->running, 1);
	switch (i) {
	case 0:
		lock_fd(mutex);
		break;
	case 1:
		acquire_fd(fds[GOSYNC_SEMAPHORE], 1);
		break;
	case 2:
		call(open_device(), GOSYNC_IOC_OPEN, &await);
		break;
	case 3:
		map_state(mutex);
		MUST(!call(fds[GOSYNC_RWMUTEX], GOSYNC_IOC_RWMUTEX_RLOCK, NULL));
		rest();
	}
	_exit(1);
}

enum { INSIDE = 4 };

static void be_init(struct container *container)
{
	int fds[GOSYNC_TYPE_MAX];
	unsigned int i;

	MUST(!become(ALICE, ALICE, 0));
	for (i = 1; i < GOSYNC_TYPE_MAX; i++) {
		fds[i] = open_object(i, unique_name(),
				     GOSYNC_CREATE | GOSYNC_PERSIST, 0600);
		MUST(fds[i] >= 0);
	}
	MUST(!lock_fd(fds[GOSYNC_MUTEX]));
	MUST(!send_fd(container->socket[1],
		      reopen_object(fds[GOSYNC_MUTEX], 0)));
	for (i = 0; i < INSIDE; i++)
		if (!fork())
			run_inside(container, fds, i);
	MUST(has_waiters(fds[GOSYNC_MUTEX], 1));
	MUST(has_waiters(fds[GOSYNC_SEMAPHORE], 1));
	rest_inside(container);
}

TEST_F(limits, of_a_dead_container_nothing_is_left)
{
	struct container *container = shared_memory(sizeof(*container));
	int before = references(), fd;
	char limit[16];
	pid_t pid;

	sprintf(limit, "%u", CONTAINED);
	ASSERT_EQ(0, write_file(PER_USER, limit));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, container->socket));
	pid = spawn();
	if (!pid) {
		MUST(!unshare(CLONE_NEWIPC | CLONE_NEWPID));
		pid = fork();
		if (!pid)
			be_init(container);
		store(&container->init, pid);
		_exit(reap(pid));
	}
	ASSERT_TRUE(eventually(load(&container->running) == INSIDE + 1));
	ASSERT_TRUE(eventually(load(&container->init) > 0));
	fd = receive_fd(container->socket[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, trylock_fd(fd));
	EXPECT_LT(before, references());
	EXPECT_EQ(-EDQUOT, AS(ALICE, ALICE, 0, create_many(1)));

	ASSERT_EQ(0, kill(container->init, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, reap_soon(pid));
	/* Who got a descriptor from inside has the object for itself. */
	EXPECT_EQ(1, lock_fd(fd));
	EXPECT_EQ(1, info_of(fd).holders);
	EXPECT_EQ(0, info_of(fd).waiters);
	EXPECT_TRUE(eventually(!AS(ALICE, ALICE, 0, create_many(CONTAINED - 1))));
	EXPECT_EQ(-EDQUOT, AS(ALICE, ALICE, 0, create_many(CONTAINED)));
	close(fd);
	EXPECT_TRUE(eventually(!AS(ALICE, ALICE, 0, create_many(CONTAINED))));
	EXPECT_TRUE(eventually(references() == before));
}

TEST_F(limits, root_of_a_user_namespace_does_not_exceed_them)
{
	pid_t pid;

	ASSERT_EQ(0, write_file(PER_USER, "5"));
	ASSERT_EQ(0, write_file(PER_NS, "3"));
	pid = spawn();
	if (!pid) {
		ASSERT_EQ(0, become(ALICE, ALICE, 0));
		if (unshare(CLONE_NEWUSER | CLONE_NEWIPC))
			_exit(KSFT_SKIP);
		EXPECT_EQ(0, create_many(3));
		EXPECT_EQ(-ENOSPC, create_many(1));
		ASSERT_EQ(0, unshare(CLONE_NEWIPC));
		EXPECT_EQ(0, create_many(2));
		EXPECT_EQ(-EDQUOT, create_many(1));
		_exit(0);
	}
	if (reap(pid) == KSFT_SKIP)
		SKIP(return, "no user namespace");
}

TEST_F(limits, memory_is_charged_to_the_cgroup)
{
	const size_t size = 4 << 20;
	long long before;
	pid_t pid;

	if (!make_cgroup())
		SKIP(return, "no memory cgroup");
	pid = spawn();
	if (!pid) {
		int fds[4], i;

		ASSERT_EQ(0, write_file(CGROUP "/cgroup.procs", "0"));
		before = charged();
		for (i = 0; i < 4; i++) {
			fds[i] = open_bytes(GOSYNC_VALUE, NULL, 0, GOSYNC_CREATE,
					    0600, size);
			ASSERT_LE(0, fds[i]);
		}
		EXPECT_TRUE(eventually(charged() >= before + 4 * size));
		for (i = 0; i < 4; i++)
			close(fds[i]);
		EXPECT_TRUE(eventually(charged() < before + size));
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	rmdir(CGROUP);
}

TEST_HARNESS_MAIN
