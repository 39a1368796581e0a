// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync map: a Map from a shell.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

static gosync_map_t *open_map(const struct shell *sh, unsigned int flags)
{
	int fd = shell_open(sh, GOSYNC_MAP, flags);
	gosync_map_t *map;
	int ret;

	ret = gosync_map_from_fd(fd, 0, &map);
	if (!ret)
		return map;
	exit(shell_error(sh, GOSYNC_IOC_OPEN, ret));
}

static int map_error(const struct shell *sh, gosync_map_t *map,
		     unsigned int op, int err)
{
	struct gosync_info info;

	shell_info(sh, gosync_fd(map), &info);
	if (err == -EINVAL)
		shell_say(sh, "its keys have 1 to %u bytes (--key-size when it was created)",
			  info.key_size);
	else if (err == -EMSGSIZE)
		shell_say(sh, "its values have up to %u bytes (--value-size when it was created)",
			  info.value_size);
	else
		shell_error(sh, op, err);
	return exit_status(err);
}

static int map_get(struct shell *sh)
{
	gosync_map_t *map = open_map(sh, GOSYNC_RDONLY);
	size_t len = GOSYNC_MAP_VALUE_MAX;
	const char *key = sh->args[0];
	static char value[GOSYNC_MAP_VALUE_MAX];
	int ret;

	ret = gosync_map_load(map, key, strlen(key), value, &len);
	if (ret)
		return map_error(sh, map, GOSYNC_IOC_MAP_LOAD, ret);
	return shell_write(value, len);
}

static int map_set(struct shell *sh)
{
	const char *key = sh->args[0];
	gosync_map_t *map;
	const void *value;
	size_t len;
	int ret;

	value = shell_read(sh, 1, GOSYNC_MAP_VALUE_MAX, &len);
	map = open_map(sh, GOSYNC_CREATE | GOSYNC_PERSIST);
	ret = gosync_map_store(map, key, strlen(key), value, len);
	return ret ? map_error(sh, map, GOSYNC_IOC_MAP_STORE, ret) : 0;
}

static int map_del(struct shell *sh)
{
	gosync_map_t *map = open_map(sh, 0);
	int status = 0;
	int i, ret;

	for (i = 0; i < sh->count; i++) {
		const char *key = sh->args[i];
		char text[NAME_BUF];

		ret = gosync_map_delete(map, key, strlen(key));
		if (ret < 0)
			return map_error(sh, map, GOSYNC_IOC_MAP_DELETE, ret);
		if (ret)
			continue;
		shell_say(sh, "there is no key %s", name_text(key, strlen(key), text));
		status = 1;
	}
	return status;
}

static int print_entry(const void *key, size_t key_len, const void *value,
		       size_t len, void *arg)
{
	static char text[4 * GOSYNC_MAP_VALUE_MAX + 4];
	const struct shell *sh = arg;

	if (sh->zero) {
		fwrite(key, 1, key_len, stdout);
		putchar(0);
		if (sh->values) {
			fwrite(value, 1, len, stdout);
			putchar(0);
		}
		return 0;
	}
	fputs(name_text(key, key_len, text), stdout);
	if (sh->values)
		printf("\t%s", name_text(value, len, text));
	putchar('\n');
	return 0;
}

static int map_ls(struct shell *sh)
{
	gosync_map_t *map = open_map(sh, GOSYNC_RDONLY);
	int ret;

	ret = gosync_map_range(map, print_entry, sh);
	if (ret)
		return map_error(sh, map, GOSYNC_IOC_MAP_RANGE, ret);
	return shell_write("", 0);
}

static int map_clear(struct shell *sh)
{
	gosync_map_t *map = open_map(sh, 0);
	int ret;

	ret = gosync_map_clear(map);
	return ret ? map_error(sh, map, GOSYNC_IOC_MAP_CLEAR, ret) : 0;
}

static const char map_get_more[] =
	"The value is printed as it is. A terminal gets a newline after a value that\n"
	"does not end with one. The exit status is 1 if KEY is absent.";

static const char map_set_more[] =
	"NAME is created if it does not exist. It stays until gosync rm NAME,\n"
	"rmmod or a reboot.";

static const char map_del_more[] =
	"The exit status is 1 if a KEY is absent.";

static const char map_ls_more[] =
	"Keys and values with special characters are written as a shell reads them:\n"
	"$'...'.";

int map_main(int argc, char **argv)
{
	static const struct verb verbs[] = {
		{ .name = "get", .args = "NAME KEY",
		  .doc = "Print the value of KEY.", .more = map_get_more,
		  .run = map_get, .min = 2, .max = 2,
		  .options = { "wait-for-name", "timeout" } },
		{ .name = "set", .args = "NAME KEY [VALUE|-]",
		  .doc = "Set the value of KEY to VALUE, or to the bytes of standard input.",
		  .more = map_set_more, .run = map_set, .min = 2, .max = 3,
		  .options = { "entries", "key-size", "value-size", "mode" } },
		{ .name = "del", .args = "NAME KEY...", .doc = "Remove keys.",
		  .more = map_del_more, .run = map_del, .min = 2 },
		{ .name = "ls", .args = "NAME", .doc = "List the keys.",
		  .more = map_ls_more, .run = map_ls, .min = 1, .max = 1,
		  .options = { "values", "zero" } },
		{ .name = "clear", .args = "NAME",
		  .doc = "Remove all keys at once.", .run = map_clear,
		  .min = 1, .max = 1 },
		{ }
	};

	return verbs_main(argc, argv, verbs,
			  "A map of keys and values.");
}
