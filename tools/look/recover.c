// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync recover: recover a poisoned lock. It is for administrators who have
 * repaired the data that the lock protects.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gosync.h"

struct recover {
	struct names names;
	double wait;	/* less than 0: for ever */
	bool nonblock;
};

#define NOT_POISONED	"no owner died with it, so there is nothing to recover"

static const struct ops {
	unsigned int lock, trylock, recover, unlock;
} ops[GOSYNC_TYPE_MAX] = {
	[GOSYNC_MUTEX] = {
		GOSYNC_IOC_MUTEX_LOCK, GOSYNC_IOC_MUTEX_TRYLOCK,
		GOSYNC_IOC_MUTEX_RECOVER, GOSYNC_IOC_MUTEX_UNLOCK,
	},
	[GOSYNC_RWMUTEX] = {
		GOSYNC_IOC_RWMUTEX_LOCK, GOSYNC_IOC_RWMUTEX_TRYLOCK,
		GOSYNC_IOC_RWMUTEX_RECOVER, GOSYNC_IOC_RWMUTEX_UNLOCK,
	},
};

static int complain(const char *name, const char *what)
{
	char text[NAME_BUF];

	fprintf(stderr, "gosync recover: %s: %s\n",
		name_text(name, strlen(name), text), what);
	return 1;
}

static int take(int object, const struct ops *op, const struct recover *how)
{
	struct gosync_wait_args wait = { .size = sizeof(wait) };

	if (how->nonblock)
		return ioctl(object, op->trylock, 0);
	if (how->wait >= 0)
		wait.deadline = gosync_deadline(how->wait * 1e9);
	return ioctl(object, op->lock, &wait);
}

/* If this process dies before the unlock, the lock is poisoned again. */
static int recover(int object, const char *name, const struct recover *how)
{
	struct gosync_info info = { .size = sizeof(info) };
	const struct ops *op;
	char text[NAME_BUF];
	int ret;

	if (ioctl(object, GOSYNC_IOC_INFO, &info) < 0) {
		object_error(name, GOSYNC_IOC_INFO, -errno);
		return 1;
	}
	op = &ops[info.type < GOSYNC_TYPE_MAX ? info.type : 0];
	if (!op->lock)
		return complain(name, "only a mutex or an rwmutex can be recovered");
	/* Do not lock in vain, which could make others wait. */
	if (!(info.word & GOSYNC_MUTEX_POISONED))
		return complain(name, NOT_POISONED);
	ret = take(object, op, how);
	if (ret < 0 && (errno == EBUSY || errno == ETIMEDOUT))
		return complain(name, "another process has it; see gosync holders");
	if (!ret) {
		ioctl(object, op->unlock, 0);
		return complain(name, NOT_POISONED);
	}
	if (ret < 0 || ioctl(object, op->recover, 0) < 0 ||
	    ioctl(object, op->unlock, 0) < 0) {
		object_error(name, op->recover, -errno);
		return 1;
	}
	printf("%s: recovered; %u owners have died so far\n",
	       name_text(name, strlen(name), text), info.deaths);
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct recover *how = state->input;

	switch (key) {
	case 'n':
		how->nonblock = true;
		return 0;
	case 'w':
		how->wait = parse_seconds(state, arg, "the time to wait");
		return 0;
	}
	return names_parse(key, state, &how->names);
}

int recover_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "nonblock", 'n', NULL, 0,
		  "fail if another process has the lock", 0 },
		{ "wait", 'w', "SECONDS", 0,
		  "fail if another process still has it after SECONDS", 0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "NAME...",
		.doc = "Declare that the data under these locks is right again after the death of\n"
		       "an owner: lock, recover, unlock.",
	};
	struct recover how = { .names.required = true, .wait = -1 };
	const char *name;
	int status = 0;
	int i, object;

	argp_parse(&argp, argc, argv, 0, NULL, &how);
	for (i = 0; i < how.names.count; i++) {
		name = how.names.names[i];
		object = object_open(name, 0, 0);
		if (object < 0) {
			object_error(name, GOSYNC_IOC_OPEN, object);
			status = 1;
			continue;
		}
		status |= recover(object, name, &how);
		close(object);
	}
	return status;
}
