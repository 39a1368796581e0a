// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync break: take a lock from a process that hangs and still lives.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gosync.h"

struct breaking {
	struct names names;
	uint32_t holder;	/* 0: from all holders */
};

static bool has_it(const struct gosync_party *holder)
{
	return holder->flags & GOSYNC_PARTY_OWNS || holder->count;
}

/* Return: 1, or -errno; 0 if the holder has released it meanwhile */
static int break_one(int object, const char *name,
		     const struct gosync_party *holder)
{
	struct gosync_break_args args = {
		.size = sizeof(args), .holder = holder->holder,
	};
	char text[NAME_BUF], comm[NAME_BUF];

	if (ioctl(object, GOSYNC_IOC_BREAK, &args) < 0)
		return errno == ESRCH ? 0 : -errno;
	printf("%s: taken from holder %u, process %u (%s)\n",
	       name_text(name, strlen(name), text), holder->holder, holder->pid,
	       name_text(holder->comm, strnlen((const char *)holder->comm,
					       sizeof(holder->comm)), comm));
	return 1;
}

/* Return: the number of holders that lost it, or -errno */
static int break_all(int object, const char *name, uint32_t only)
{
	struct gosync_party holder;
	struct gosync_parties_args args = {
		.size = sizeof(args),
		.entries = (uintptr_t)&holder,
		.count = 1,
		.entry_size = sizeof(holder),
	};
	int got, ret, broken = 0;

	while ((got = ioctl(object, GOSYNC_IOC_HOLDERS, &args)) > 0) {
		if (!has_it(&holder) || (only && only != holder.holder))
			continue;
		ret = break_one(object, name, &holder);
		if (ret < 0)
			return ret;
		broken += ret;
	}
	return got < 0 ? -errno : broken;
}

static int break_name(const char *name, uint32_t only)
{
	char text[NAME_BUF];
	int object, ret;

	object = object_open(name, 0, GOSYNC_RDONLY);
	if (object < 0) {
		object_error(name, GOSYNC_IOC_OPEN, object);
		return 1;
	}
	ret = break_all(object, name, only);
	close(object);
	if (ret < 0)
		object_error(name, GOSYNC_IOC_BREAK, ret);
	else if (!ret)
		fprintf(stderr, "gosync break: %s: %s\n",
			name_text(name, strlen(name), text),
			only ? "there is no such holder, or it does not hold it" :
			       "nobody holds it");
	return ret <= 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct breaking *how = state->input;

	switch (key) {
	case 'H':
		how->holder = parse_number(state, arg, "HOLDER", 1, INT32_MAX);
		return 0;
	}
	return names_parse(key, state, &how->names);
}

int break_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "holder", 'H', "HOLDER", 0,
		  "only from HOLDER, a number of the column HOLDER in gosync holders",
		  0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "NAME...",
		.doc = "Take locks, permits or a once that is being run from their holders, as if\n"
		       "the holders had died. Only the owner of the object and root may do it.\n"
		       "\vThe processes live and go on. The next operation of each on the object\n"
		       "fails, and so tells it. Until then it may still write, because it believes\n"
		       "that it has the lock; only a fencing token stops that.",
	};
	struct breaking how = { .names.required = true };
	int status = 0;
	int i;

	argp_parse(&argp, argc, argv, 0, NULL, &how);
	for (i = 0; i < how.names.count; i++)
		status |= break_name(how.names.names[i], how.holder);
	return status;
}
