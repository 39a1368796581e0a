// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync limits: show how many objects there may be and how many there are, and
 * how large objects may be.
 */
#include <stdio.h>
#include <unistd.h>

#include "look.h"

#define PARAMETERS	"/sys/module/gosync/parameters/"

enum { COL_LIMIT, COL_VALUE, COL_USED, COL_USE, COL_DESCRIPTION };

static const struct column columns[] = {
	[COL_LIMIT] = { "LIMIT", "name of the limit; with max_ a parameter of the module",
		COLUMN_TEXT, 0, false },
	[COL_VALUE] = { "VALUE", "value of the limit", COLUMN_NUMBER, 0, false },
	[COL_USED] = { "USED", "number of objects now",
		COLUMN_NUMBER, 0, false },
	[COL_USE] = { "USE%", "USED in percent of VALUE",
		COLUMN_NUMBER, 0, false },
	[COL_DESCRIPTION] = { "DESCRIPTION", "meaning of the limit",
		COLUMN_TEXT, 0, false },
	{ }
};

/* The header gives some of these limits only in comments. */
static const struct limit {
	const char *name;
	unsigned long value;
	const char *description;
} limits[] = {
	{ "name", GOSYNC_NAME_MAX, "bytes of a name" },
	{ "words", 65536, "words of an atomic array" },
	{ "value", 4 << 20, "bytes of a value" },
	{ "permits", 0x7fffffff, "permits of a semaphore" },
	{ "counter", 0x7fffffff, "counter of a waitgroup" },
	{ "reads", GOSYNC_RWMUTEX_READS_MAX,
	  "read locks of one holder of an rwmutex" },
	{ "map_entries", 4194304, "entries of a map" },
	{ "map_key", GOSYNC_MAP_KEY_MAX, "bytes of a map's key" },
	{ "map_value", GOSYNC_MAP_VALUE_MAX, "bytes of a map's value" },
	{ "waiters_listed", GOSYNC_WAITERS_LISTED,
	  "waiters of an object that can be listed" },
};

/* Objects that the caller may read; objects without a name are not listed. */
struct counts {
	uid_t uid;
	unsigned long mine, all;
};

static int count(const struct gosync_info *info, void *arg)
{
	struct counts *counts = arg;

	counts->all++;
	counts->mine += info->uid == counts->uid;
	return 0;
}

static void parameter_row(struct table *table, const char *name,
			  unsigned long used, const char *description)
{
	unsigned long value = 0;
	char path[128];
	FILE *f;

	table_line(table);
	table_set_text(table, COL_LIMIT, name);
	table_set_number(table, COL_USED, used);
	table_set_text(table, COL_DESCRIPTION, description);
	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fscanf(f, "%lu", &value) == 1) {
		table_set_number(table, COL_VALUE, value);
		if (value)
			table_set(table, COL_USE, "%.1f", 100.0 * used / value);
	}
	fclose(f);
}

int limits_main(int argc, char **argv)
{
	static const struct argp_child children[] = { TABLE_CHILD, { } };
	static const struct argp argp = {
		.parser = table_only_parse,
		.children = children,
		.doc = "Show how many objects there may be, how many there are, and how large\n"
		       "they may be.\n"
		       "\vUSED counts the names that you may read. A process with CAP_SYS_RESOURCE\n"
		       "may exceed the first two limits. Root changes these two by:\n"
		       "  echo NUMBER >" PARAMETERS "LIMIT",
	};
	struct counts counts = { .uid = geteuid() };
	struct table table = { .name = "limits", .columns = columns };
	const struct limit *limit;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &table);
	close(device_open());
	ret = gosync_list(count, &counts);
	if (ret) {
		fprintf(stderr, "gosync limits: %s\n",
			gosync_strerror(0, ret));
		return 1;
	}
	table_begin(&table);
	parameter_row(&table, "max_objects_per_user", counts.mine,
		      "objects that one user has created; USED: you");
	parameter_row(&table, "max_objects_per_ns", counts.all,
		      "objects in one IPC namespace");
	for (limit = limits; limit < limits + ARRAY_SIZE(limits);
	     limit++) {
		table_line(&table);
		table_set_text(&table, COL_LIMIT, limit->name);
		table_set_number(&table, COL_VALUE, limit->value);
		table_set_text(&table, COL_DESCRIPTION, limit->description);
	}
	return table_end(&table);
}
