// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation and each system call of the library fails once. The function
 * says so, or does its work all the same. It leaves no descriptor and no memory
 * behind, and the next call of it succeeds.
 */
#include "failing.h"
#include "functions.h"

FIXTURE(failing)
{
	unsigned int *fewer;		/* in a child: the call has fewer calls */
};

MAPPED_AND_IOCTL(failing);

FIXTURE_SETUP(failing)
{
	self->fewer = shared_memory(4096);
}

/* No memory; and what follows from that for a part of the call */
static bool is_told(int err)
{
	switch (-err) {
	case 0:
	case ENOMEM:
	case EBADF:	/* a descriptor that could not be had */
	case EPERM:	/* a lock that could not be had */
	case EAGAIN:	/* no thread, as pthread_create(3) says it */
	case ENXIO:	/* it did not answer, so it is no device of gosync's */
		return true;
	}
	return false;
}

/* In a child. Return: 0, or what is wrong */
static int fail_one(const struct row *row, unsigned int how, unsigned int which,
		    unsigned int *fewer)
{
	int fds, memory;

	/* libc keeps some of what it needs for the first thread. */
	open_all(how);
	row->call();
	open_all(how);
	fds = descriptors();
	memory = load(&allocated);
	failed = calls = 0;
	nth = which;
	row->call();
	nth = 0;
	store(fewer, calls < which);
	if (!is_told(failed))
		return 1;
	if (failed && calls < which)
		return 2;
	if (descriptors() != fds)
		return 3;
	/* The thread of gosync_waitgroup_go() may end a moment later. */
	if (!eventually(load(&allocated) <= memory))
		return 4;
	open_all(how);
	failed = 0;
	row->call();
	return failed ? 5 : 0;
}

/* So many children take long on a slow machine. */
TEST_F_TIMEOUT(failing, each_function_says_so_and_leaves_nothing_behind,
	       5 * WATCHDOG)
{
	unsigned int i, n, all = 0;
	int status;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (n = 1, store(self->fewer, 0); !load(self->fewer); n++) {
			status = reap_soon(CHILD(fail_one(&rows[i], variant->how,
							  n, self->fewer)));
			ASSERT_LE(0, status)
				TH_LOG("%s, call %u", rows[i].name, n);
			EXPECT_EQ(0, status)
				TH_LOG("%s, call %u", rows[i].name, n);
		}
		all += n - 2;
	}
	TH_LOG("%u functions, %u failures", i, all);
	EXPECT_LT(0, all);
}

TEST_HARNESS_MAIN
