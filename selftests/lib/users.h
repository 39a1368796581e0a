/* SPDX-License-Identifier: GPL-2.0-only */
/* Users who are not root, what they may have, and the memory of a cgroup */
#ifndef USERS_H
#define USERS_H

#include <linux/capability.h>
#include <sys/stat.h>
#include "gosync_test.h"

#define ALICE	1001
#define BOB	1002
#define GROUP	1003
#define CAROL	1004

#define PER_USER "/sys/module/gosync/parameters/max_objects_per_user"
#define CGROUP	"/sys/fs/cgroup/gosync-test"

/* Go on without it; 0 or -errno */
static inline int drop(int capability)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[capability / 32].effective &= ~(1U << capability % 32);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* A name, for tests that become other users; whatever has it then is unlinked. */
#define NAME_OF_ROOT(fixture)						\
FIXTURE(fixture)							\
{									\
	char *name;							\
};									\
									\
FIXTURE_SETUP(fixture)							\
{									\
	NEED_ROOT();							\
	self->name = unique_name();					\
}									\
									\
FIXTURE_TEARDOWN(fixture)						\
{									\
	if (self->name)							\
		gosync_unlink(self->name);				\
}

/* Bytes that are charged to the cgroup, which is made; -1 if there is none */
static inline long long charged(void)
{
	char text[32];

	return read_file(CGROUP "/memory.current", text, sizeof(text)) ? -1 :
		atoll(text);
}

static inline bool make_cgroup(void)
{
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	return (!mkdir(CGROUP, 0755) || errno == EEXIST) && charged() >= 0;
}

/* Its last process may be about to leave it. */
static inline void remove_cgroup(void)
{
	eventually(!rmdir(CGROUP) || errno != EBUSY);
}

/*
 * A name as with NAME_OF_ROOT(), and the limit of a user. The parent puts both
 * right, whatever has happened to the test.
 */
#define NAME_AND_LIMIT_OF_ROOT(fixture)					\
FIXTURE(fixture)							\
{									\
	char name[64];							\
	char per_user[32];						\
};									\
									\
FIXTURE_SETUP(fixture)							\
{									\
	NEED_ROOT();							\
	strcpy(self->name, unique_name());				\
	ASSERT_EQ(0, read_file(PER_USER, self->per_user,		\
			       sizeof(self->per_user)));		\
}									\
									\
FIXTURE_TEARDOWN_PARENT(fixture)					\
{									\
	if (self->per_user[0])						\
		write_file(PER_USER, self->per_user);			\
	if (self->name[0])						\
		gosync_unlink(self->name);				\
	remove_cgroup();						\
}

/* Anonymous objects; 0 or the error of the one that could not be created */
static inline int create_many(int count)
{
	int fd = 0;

	while (fd >= 0 && count--)
		fd = open_object(GOSYNC_MUTEX, NULL, GOSYNC_CREATE, 0600);
	return fd < 0 ? fd : 0;
}

#endif /* USERS_H */
