/* SPDX-License-Identifier: GPL-2.0-only */
/* A cgroup whose processes are frozen all at once */
#ifndef FREEZER_H
#define FREEZER_H

#include <sys/mount.h>
#include <sys/stat.h>
#include "gosync_test.h"

#define FREEZER_ROOT	"/tmp/gosync-cgroup"
#define FREEZER		FREEZER_ROOT "/frozen"

/* Return: false if there is none here */
static inline bool make_freezer(void)
{
	mkdir(FREEZER_ROOT, 0700);
	return !mount("cgroup2", FREEZER_ROOT, "cgroup2", 0, NULL) &&
	       (!mkdir(FREEZER, 0700) || errno == EEXIST) &&
	       !access(FREEZER "/cgroup.freeze", W_OK);
}

static inline int put_into_freezer(pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	return write_file(FREEZER "/cgroup.procs", number);
}

static inline int freeze_all(bool on)
{
	return write_file(FREEZER "/cgroup.freeze", on ? "1" : "0");
}

/* Its last process may be about to leave it. */
static inline void remove_freezer(void)
{
	eventually(!rmdir(FREEZER) || errno != EBUSY);
	umount2(FREEZER_ROOT, MNT_DETACH);
}

#endif /* FREEZER_H */
