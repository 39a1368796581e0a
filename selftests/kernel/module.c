// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading: refused while anything is open, otherwise possible,
 * and nothing stays behind. The module is loaded again after each test.
 */
#include <sys/stat.h>
#include <sys/syscall.h>
#include "gosync_test_uring.h"
#include "slabs.h"
#include "torture.h"

#define MODULE	"/gosync/gosync.ko"

static int load_module_with(const char *parameters)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	int ret = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;

	close(fd);
	if (!ret)
		FIGURES("%u loads of the module", 1);
	return ret;
}

static int load_module(void)
{
	return load_module_with("");
}

static int unload_module(void)
{
	return syscall(SYS_delete_module, "gosync", O_NONBLOCK) ? -errno : 0;
}

FIXTURE(module)
{
	bool unused;
};

FIXTURE_SETUP(module)
{
	if (geteuid() || access(MODULE, R_OK))
		SKIP(return, "no " MODULE " to load");
}

FIXTURE_TEARDOWN_PARENT(module)
{
	if (!access(MODULE, R_OK))
		load_module();
}

static int create(const char *name, uint32_t flags)
{
	return open_object(GOSYNC_MUTEX, name, GOSYNC_CREATE | flags, 0600);
}

TEST_F(module, unloads_and_loads_again)
{
	EXPECT_EQ(0, unload_module());
	EXPECT_EQ(-1, open_device());
	EXPECT_EQ(0, load_module());
	EXPECT_LE(0, open_device());
}

TEST_F(module, stays_while_the_device_is_open)
{
	int fd = open_device();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EWOULDBLOCK, unload_module());
	close(fd);
	EXPECT_TRUE(eventually(!unload_module()));
}

TEST_F(module, stays_while_an_object_is_open)
{
	int fd = create(NULL, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EWOULDBLOCK, unload_module());
	EXPECT_EQ(0, lock_fd(fd));
	EXPECT_EQ(-EWOULDBLOCK, unload_module());
	close(fd);
	EXPECT_TRUE(eventually(!unload_module()));
}

TEST_F(module, stays_while_somebody_waits)
{
	int fd = create(NULL, 0);
	pid_t pid;

	ASSERT_EQ(0, lock_fd(fd));
	pid = WAITER_FD(fd, lock_fd(fd));
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, unload_module());
	kill_and_reap(pid);
	EXPECT_TRUE(eventually(!unload_module()));
}

/* Which ends with the last descriptor by which the lock could be released */
TEST_F(module, stays_while_a_command_is_under_way)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int fd = create(NULL, 0);

	NEED_URING();
	ASSERT_EQ(0, make_ring(ring, ring_kinds));
	ASSERT_EQ(0, lock_fd(fd));
	ASSERT_TRUE(queue_on(ring, 1, fd, GOSYNC_IOC_MUTEX_LOCK, 0));
	EXPECT_EQ(-EWOULDBLOCK, unload_module());
	EXPECT_TRUE(is_under_way(ring, 1));
	close(fd);
	EXPECT_EQ(-ECANCELED, result(ring, 1));
	close_ring(ring);
	EXPECT_TRUE(eventually(!unload_module()));
}

TEST_F(module, stays_while_something_is_mapped)
{
	int fd = create(NULL, 0);
	void *map = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, unload_module());
	munmap(map, getpagesize());
	EXPECT_TRUE(eventually(!unload_module()));
}

TEST_F(module, takes_persistent_objects_with_it)
{
	char *name = unique_name();

	close(create(name, GOSYNC_PERSIST));
	EXPECT_TRUE(eventually(!unload_module()));
	EXPECT_EQ(0, load_module());
	EXPECT_EQ(-ENOENT, open_object(0, name, 0, 0));
	/* In another namespace, too */
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	close(create(name, GOSYNC_PERSIST));
	EXPECT_TRUE(eventually(!unload_module()));
}

TEST_F(module, makes_the_device_with_the_mode_and_group_of_its_parameters)
{
	static const struct {
		const char *parameters;
		unsigned int mode, gid;
	} rows[] = {
		{ "", 0666, 0 },
		{ "mode=0660 gid=1234", 0660, 1234 },
		{ "mode=0600", 0600, 0 },
	};
	struct stat st;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_TRUE(eventually(!unload_module()));
		ASSERT_EQ(0, load_module_with(rows[i].parameters));
		ASSERT_EQ(0, stat(GOSYNC_DEVICE, &st));
		EXPECT_EQ(S_IFCHR | rows[i].mode, st.st_mode);
		EXPECT_EQ(0, st.st_uid);
		EXPECT_EQ(rows[i].gid, st.st_gid);
	}
	EXPECT_TRUE(eventually(!unload_module()));
	EXPECT_EQ(-EINVAL, load_module_with("mode=01777"));
	EXPECT_EQ(-EINVAL, load_module_with("gid=4294967295"));
	EXPECT_EQ(0, load_module());
}

enum { OBJECTS = 3000 };

TEST_F(module, leaves_nothing_behind)
{
	static struct cache before[CACHES];
	char *name;
	int n, i;

	/* What is freed is not free at once, there. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP(return, "left to kmemleak");
	EXPECT_EQ(0, unload_module());
	n = read_caches(before);
	if (!n)
		SKIP(return, "no /proc/slabinfo");
	EXPECT_EQ(0, load_module());
	for (i = 0; i < OBJECTS; i++) {
		int fd, other;

		name = unique_name();
		fd = open_object(i % GOSYNC_MUTEX + 1, name, GOSYNC_CREATE |
				 (i % 2 ? GOSYNC_PERSIST : 0), 0600);
		other = reopen_object(fd, 0);
		if (i % GOSYNC_MUTEX + 1 == GOSYNC_MUTEX)
			lock_fd(fd);
		if (i % 4 == 1)
			gosync_unlink(name);
		close(fd);
		close(other);
		free(name);
	}
	EXPECT_TRUE(eventually(!unload_module()));
	EXPECT_TRUE(eventually(!has_grown(before, n, OBJECTS / 2, true)));
}

TEST_HARNESS_MAIN
