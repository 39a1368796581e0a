// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync value: a Value from a shell.
 *
 * Values of shells have a type of their own, bytes. A Value with the type of a
 * program can be read, but not be set by mistake.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shell.h"

#define CAPACITY_DEFAULT	4096
#define CAPACITY_MAX		(4U << 20)

/* How often watch checks that the name still exists */
#define NAME_NS			1000000000

/*
 * Load the payload, which is never freed.
 *
 * Return: the number of stores so far, or -errno.
 */
static int64_t load(const struct shell *sh, int fd, void **buf, size_t *len)
{
	static size_t size = CAPACITY_DEFAULT;
	static void *room;
	struct gosync_value_args args;

	for (;;) {
		args = (struct gosync_value_args){ .size = sizeof(args) };
		room = realloc(room, size);
		if (!room) {
			shell_error(sh, 0, -ENOMEM);
			exit(1);
		}
		args.buf = (uintptr_t)room;
		args.len = size;
		if (ioctl(fd, GOSYNC_IOC_VALUE_LOAD, &args) == 0)
			break;
		if (errno != EMSGSIZE)
			return -errno;
		size = args.len;
	}
	*buf = room;
	*len = args.len;
	return args.version;
}

/* Return: 0 if there was a store since, or an exit status */
static int await_store(const struct shell *sh, int fd, uint64_t since,
		       uint64_t deadline)
{
	struct gosync_wait_entry entries[] = {
		{ .fd = fd, .op = GOSYNC_IOC_VALUE_WAIT, .value = since },
		{ .fd = STDOUT_FILENO, .index = POLLERR },
	};
	struct gosync_wait_many_args args = {
		.size = sizeof(args),
		.entries = (uintptr_t)entries,
		.count = 2,
		.entry_size = sizeof(*entries),
	};
	static int device = -1;
	struct gosync_info info;
	int ret;

	if (device < 0)
		device = device_open();
	for (;;) {
		args.deadline = gosync_deadline(NAME_NS);
		if (args.deadline > deadline)
			args.deadline = deadline;
		ret = ioctl(device, GOSYNC_IOC_WAIT, &args);
		if (ret == 0)
			return 0;
		if (ret > 0)
			output_gone();
		if (errno != ETIMEDOUT)
			return shell_error(sh, GOSYNC_IOC_VALUE_WAIT, -errno);
		if (gosync_deadline(0) >= deadline)
			return shell_gave_up(sh);
		/* Removing the name wakes no waiter. */
		shell_info(sh, fd, &info);
		if (!info.name_len) {
			shell_say(sh, "the name was removed");
			return 1;
		}
	}
}

static int value_get(struct shell *sh)
{
	int fd = shell_open(sh, GOSYNC_VALUE, GOSYNC_RDONLY);
	int64_t ret;
	size_t len;
	void *buf;

	/* A name that was just created holds nothing yet. */
	if (sh->await) {
		ret = await_store(sh, fd, 0, shell_deadline(sh));
		if (ret)
			return ret;
	}
	ret = load(sh, fd, &buf, &len);
	if (ret < 0)
		return shell_error(sh, GOSYNC_IOC_VALUE_LOAD, ret);
	return shell_write(buf, len);
}

/* An existing Value keeps its capacity; a new one has room for this payload. */
static int open_to_set(struct shell *sh, size_t len)
{
	int fd = shell_try_open(sh, GOSYNC_VALUE, 0);

	if (fd != -ENOENT)
		return fd >= 0 ? fd : shell_open(sh, GOSYNC_VALUE, 0);
	if (!sh->capacity)
		sh->capacity = len > CAPACITY_DEFAULT ? len : CAPACITY_DEFAULT;
	fd = shell_try_open(sh, GOSYNC_VALUE, GOSYNC_CREATE | GOSYNC_PERSIST);
	if (fd >= 0)
		return fd;
	/* Another process was faster. */
	sh->capacity = 0;
	return shell_open(sh, GOSYNC_VALUE, GOSYNC_CREATE | GOSYNC_PERSIST);
}

static int value_set(struct shell *sh)
{
	struct gosync_value_args args = {
		.size = sizeof(args),
		.type = gosync_type_id("bytes", 1),
	};
	struct gosync_info info;
	const void *data;
	size_t len;
	int fd;

	data = shell_read(sh, 0, sh->capacity ? sh->capacity : CAPACITY_MAX,
			  &len);
	fd = open_to_set(sh, len);
	args.buf = (uintptr_t)data;
	args.len = len;
	if (ioctl(fd, GOSYNC_IOC_VALUE_STORE, &args) == 0)
		return 0;
	switch (errno) {
	case EMSGSIZE:
		shell_info(sh, fd, &info);
		shell_say(sh, "it has room for %llu bytes; gosync rm it, then use --capacity %zu",
			  (unsigned long long)info.capacity, len);
		return 1;
	case EPROTOTYPE:
		shell_say(sh, "it holds the data of a program; choose another name");
		return 1;
	}
	return shell_error(sh, GOSYNC_IOC_VALUE_STORE, -errno);
}

static int print_version(const struct shell *sh, const void *data, size_t len)
{
	const char *bytes = data;

	if (sh->zero)
		return shell_write(data, len) || shell_write("", 1);
	if (shell_write(data, len))
		return 1;
	if (!isatty(STDOUT_FILENO) && (!len || bytes[len - 1] != '\n'))
		return shell_write("\n", 1);
	return 0;
}

static int value_watch(struct shell *sh)
{
	int fd = shell_open(sh, GOSYNC_VALUE, GOSYNC_RDONLY);
	struct gosync_info info;
	uint64_t since = 0;
	long n = 0;
	size_t len;
	int64_t ret;
	void *buf;

	/* From now on, -w is for each wait. */
	sh->await = false;
	if (sh->skip) {
		shell_info(sh, fd, &info);
		since = info.word;
	}
	while (!sh->limit || n < sh->limit) {
		ret = await_store(sh, fd, since, shell_deadline(sh));
		if (ret)
			return ret;
		ret = load(sh, fd, &buf, &len);
		if (ret < 0)
			return shell_error(sh, GOSYNC_IOC_VALUE_LOAD, ret);
		since = ret;
		n++;
		if (print_version(sh, buf, len))
			return 1;
	}
	return 0;
}

static const char value_get_more[] =
	"The bytes are printed as they are. A terminal gets a newline after bytes that\n"
	"do not end with one. --wait-for-name also waits for the first set.";

static const char value_set_more[] =
	"A reader gets all of the old bytes or all of the new. NAME is created if it\n"
	"does not exist. It stays until gosync rm NAME, rmmod or a reboot.";

static const char value_watch_more[] =
	"A newline is printed after bytes that do not end with one. If there are many\n"
	"sets in quick succession, only the last may be printed. -w is for each wait.\n"
	"The exit status is 1 when the name is removed.";

int value_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .name = "get", .args = "NAME",
		  .doc = "Print the bytes that NAME holds.",
		  .more = value_get_more, .run = value_get, .min = 1,
		  .max = 1, .options = { "wait-for-name", "timeout" } },
		{ .name = "set", .args = "NAME [DATA|-]",
		  .doc = "Store DATA, or the bytes of standard input, in NAME.",
		  .more = value_set_more, .run = value_set, .min = 1, .max = 2,
		  .options = { "capacity", "mode" } },
		{ .name = "watch", .args = "NAME",
		  .doc = "Print the bytes that NAME holds, and again after each set.",
		  .more = value_watch_more, .run = value_watch, .min = 1,
		  .max = 1, .options = { "count", "new", "zero", "timeout",
			"wait-for-name" } },
		{ }
	};

	return verbs_main(argc, argv, verbs,
			  "Bytes that are replaced as a whole.");
}
