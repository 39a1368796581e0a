// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync atomic: numbers. gosync add is a short form of gosync atomic add.
 *
 * A number that is created here is an int64. The commands also work with the
 * other types, which programs create, and refuse operands that do not fit.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "shell.h"

/* Open a word of any type, which is put into @type. */
static int open_word(const struct shell *sh, unsigned int flags,
		     unsigned int *type)
{
	struct gosync_info info;
	int fd;

	fd = shell_try_open(sh, GOSYNC_INT64, flags);
	if (fd == -EPROTOTYPE)
		fd = shell_try_open(sh, 0, flags & GOSYNC_RDONLY);
	if (fd < 0)
		fd = shell_open(sh, GOSYNC_INT64, flags);
	shell_info(sh, fd, &info);
	*type = info.type;
	if (info.type >= GOSYNC_INT32 && info.type <= GOSYNC_BOOL)
		return fd;
	shell_say(sh, "it is a %s, not a number; choose another name",
		  gosync_type_name(info.type));
	exit(exit_status(-EPROTOTYPE));
}

static bool is_signed(unsigned int type)
{
	return type == GOSYNC_INT32 || type == GOSYNC_INT64;
}

static uint64_t operand(const struct shell *sh, int i, unsigned int type)
{
	const char *text = sh->args[i];
	char *end;
	uint64_t n;

	if (*text == '-' || is_signed(type))
		return shell_number(sh, text, "a number", INT64_MIN, INT64_MAX);
	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		shell_usage(sh, "'%s' is not a number", text);
	return n;
}

static int print_word(unsigned int type, uint64_t word)
{
	char text[24];

	if (type == GOSYNC_INT32)
		word = (int32_t)word;
	if (is_signed(type))
		sprintf(text, "%" PRId64 "\n", (int64_t)word);
	else
		sprintf(text, "%" PRIu64 "\n", word);
	return shell_write(text, strlen(text));
}

static int operate(const struct shell *sh, int fd, unsigned int op,
		   struct gosync_atomic_args *args)
{
	int ret;

	args->size = sizeof(*args);
	args->index = sh->index;
	ret = ioctl(fd, op, args);
	if (ret >= 0)
		return ret;
	if (errno == EINVAL)
		shell_say(sh, "the number does not fit the type, or there is no word %u",
			  sh->index);
	else if (errno == ENOTTY)
		shell_say(sh, "this type has no arithmetic");
	else
		shell_error(sh, op, -errno);
	exit(1);
}

#define MAKE	(GOSYNC_CREATE | GOSYNC_PERSIST)

static int atomic_get(struct shell *sh)
{
	struct gosync_atomic_args args = {};
	unsigned int type;
	int fd = open_word(sh, GOSYNC_RDONLY, &type);

	operate(sh, fd, GOSYNC_IOC_ATOMIC_LOAD, &args);
	return print_word(type, args.result);
}

static int atomic_set(struct shell *sh)
{
	struct gosync_atomic_args args = { .flags = GOSYNC_ATOMIC_WAKE };
	unsigned int type;
	int fd;

	/* Check the number before the object is created. */
	operand(sh, 0, GOSYNC_UINT64);
	fd = open_word(sh, MAKE, &type);
	args.value = operand(sh, 0, type);
	operate(sh, fd, GOSYNC_IOC_ATOMIC_STORE, &args);
	return 0;
}

static int atomic_add(struct shell *sh)
{
	struct gosync_atomic_args args = {
		.flags = GOSYNC_ATOMIC_WAKE,
		.value = 1,
	};
	unsigned int type;
	int fd;

	if (sh->count)
		args.value = operand(sh, 0, GOSYNC_INT64);
	fd = open_word(sh, MAKE, &type);
	/* As in Go, a negative number is subtracted. */
	if (type == GOSYNC_UINT32)
		args.value = (uint32_t)args.value;
	operate(sh, fd, GOSYNC_IOC_ATOMIC_ADD, &args);
	return print_word(type, args.result);
}

static int atomic_cas(struct shell *sh)
{
	struct gosync_atomic_args args = { .flags = GOSYNC_ATOMIC_WAKE };
	unsigned int type;
	int fd;

	operand(sh, 0, GOSYNC_UINT64);
	operand(sh, 1, GOSYNC_UINT64);
	fd = open_word(sh, MAKE, &type);
	args.expected = operand(sh, 0, type);
	args.value = operand(sh, 1, type);
	return !operate(sh, fd, GOSYNC_IOC_ATOMIC_CAS, &args);
}

static int atomic_wait(struct shell *sh)
{
	struct gosync_atomic_wait_args args = {
		.size = sizeof(args),
		.index = sh->index,
		.deadline = shell_deadline(sh),
	};
	unsigned int type;
	int fd;

	fd = open_word(sh, GOSYNC_RDONLY, &type);
	args.expected = operand(sh, 0, type);
	if (ioctl(fd, GOSYNC_IOC_ATOMIC_WAIT, &args) == 0)
		return print_word(type, args.result);
	if (errno == ETIMEDOUT)
		return shell_gave_up(sh);
	if (errno == EINVAL)
		shell_say(sh, "the number does not fit the type, or there is no word %u",
			  sh->index);
	else
		shell_error(sh, GOSYNC_IOC_ATOMIC_WAIT, -errno);
	return 1;
}

static const char set_more[] =
	"NAME is created with 0 if it does not exist. It stays until gosync rm NAME,\n"
	"rmmod or a reboot.";

static const char add_more[] =
	"NAME is created with 0 if it does not exist. It stays until gosync rm NAME,\n"
	"rmmod or a reboot.";

static const char cas_more[] =
	"NAME is created with 0 if it does not exist. It stays until gosync rm NAME,\n"
	"rmmod or a reboot.";

static const char wait_more[] =
	"Programs that change the number must wake its waiters.";

int atomic_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .name = "get", .args = "NAME", .doc = "Print the number.",
		  .run = atomic_get, .min = 1, .max = 1,
		  .options = { "index" } },
		{ .name = "set", .args = "NAME N",
		  .doc = "Set the number to N.", .more = set_more,
		  .run = atomic_set, .min = 2, .max = 2, .numbers = true,
		  .options = { "index", "mode" } },
		{ .name = "add", .args = "NAME [DELTA]",
		  .doc = "Add DELTA (1) to the number NAME and print the result.",
		  .more = add_more, .run = atomic_add, .min = 1, .max = 2,
		  .numbers = true, .options = { "index", "mode" } },
		{ .name = "cas", .args = "NAME OLD NEW",
		  .doc = "Set the number to NEW if it is OLD; otherwise exit with 1.",
		  .more = cas_more, .run = atomic_cas, .min = 3, .max = 3,
		  .numbers = true, .options = { "index", "mode" } },
		{ .name = "wait", .args = "NAME OLD",
		  .doc = "Wait until the number differs from OLD, and print it.",
		  .more = wait_more, .run = atomic_wait, .min = 2, .max = 2,
		  .numbers = true, .options = { "timeout", "index" } },
		{ }
	};

	return verbs_main(argc, argv, verbs,
			  "Numbers.");
}

int add_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .args = "NAME [DELTA]",
		  .doc = "Add DELTA (1) to the number NAME and print the result.",
		  .more = add_more, .run = atomic_add, .min = 1, .max = 2,
		  .numbers = true, .options = { "index", "mode" } },
		{ }
	};

	return verbs_main(argc, argv, verbs, NULL);
}
