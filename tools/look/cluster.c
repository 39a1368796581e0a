// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync cluster: show what the kernel's distributed lock manager (DLM) says of the
 * machines that share objects. It says so in sysfs and configfs.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look.h"

#define STATES	"/sys/kernel/dlm/"
#define CONFIG	"/sys/kernel/config/dlm/cluster/"

/* Bits of recover_status: a node has done its part of a recovery. */
#define DONE	0x40

enum { COL_LOCKSPACE, COL_STATE, COL_NODE, COL_MEMBERS, COL_MISSING };

static const struct column columns[] = {
	[COL_LOCKSPACE] = { "LOCKSPACE", "name of the lockspace", COLUMN_TEXT, 0, false },
	[COL_STATE] = { "STATE",
		"running, stopped (nobody gets a lock), recovering, or left",
		COLUMN_TEXT, 0, false },
	[COL_NODE] = { "NODE", "number of this node", COLUMN_NUMBER, 0, false },
	[COL_MEMBERS] = { "MEMBERS", "numbers of its nodes", COLUMN_TEXT, 0, false },
	[COL_MISSING] = { "MISSING", "numbers of the cluster's other nodes",
		COLUMN_TEXT, 0, false },
	{ }
};

/* What gosync_dlm joins */
static const char *const lockspaces[] = { "gosync", "gosync-data" };

/* Return: the number that a file begins with, or -1 */
static long read_number(int base, const char *format, const char *name,
			const char *rest)
{
	char path[PATH_MAX], line[32];
	long number = -1;
	FILE *f;

	snprintf(path, sizeof(path), format, name, rest);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fgets(line, sizeof(line), f))
		number = strtol(line, NULL, base);
	fclose(f);
	return number;
}

static int compare(const void *a, const void *b)
{
	return *(const long *)a < *(const long *)b ? -1 :
	       *(const long *)a > *(const long *)b;
}

struct nodes {
	long *numbers;
	size_t count;
};

/* The nodes that a directory of configfs has, in their order */
static struct nodes read_nodes(const char *path)
{
	struct nodes nodes = { };
	struct dirent *entry;
	char file[NAME_MAX + 16];
	long number;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(file, sizeof(file), "%s/nodeid", entry->d_name);
		number = read_number(10, "%s/%s", path, file);
		if (number < 0)
			continue;
		nodes.numbers = reallocarray(nodes.numbers, nodes.count + 1,
					     sizeof(*nodes.numbers));
		if (!nodes.numbers)
			abort();
		nodes.numbers[nodes.count++] = number;
	}
	if (dir)
		closedir(dir);
	if (nodes.count)
		qsort(nodes.numbers, nodes.count, sizeof(*nodes.numbers), compare);
	return nodes;
}

static bool is_among(long number, const struct nodes *nodes)
{
	return nodes->count && bsearch(&number, nodes->numbers, nodes->count,
				       sizeof(number), compare);
}

/* Print those of @nodes that are not among @others. */
static void set_nodes(struct table *table, unsigned int column,
		      const struct nodes *nodes, const struct nodes *others)
{
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	for (i = 0; i < nodes->count; i++)
		if (!others || !is_among(nodes->numbers[i], others))
			fprintf(f, "%s%ld", ftell(f) ? " " : "", nodes->numbers[i]);
	fclose(f);
	if (*text)
		table_set_text(table, column, text);
	free(text);
}

/* Return: the number of the node that this machine is, or -1 */
static long this_node(void)
{
	struct dirent *entry;
	long number = -1;
	DIR *dir = opendir(CONFIG "comms");

	while (number < 0 && dir && (entry = readdir(dir)))
		if (*entry->d_name != '.' &&
		    read_number(10, CONFIG "comms/%s/%s", entry->d_name,
				"local") == 1)
			number = read_number(10, CONFIG "comms/%s/%s",
					     entry->d_name, "nodeid");
	if (dir)
		closedir(dir);
	return number;
}

static const char *state(const char *lockspace)
{
	long status = read_number(16, STATES "%s/%s", lockspace,
				  "recover_status");

	return status < 0 ? "left" : !status ? "stopped" :
	       status & DONE ? "running" : "recovering";
}

static void row(struct table *table, const char *lockspace, long self,
		const struct nodes *all)
{
	char path[PATH_MAX];
	struct nodes members;

	snprintf(path, sizeof(path), CONFIG "spaces/%s/nodes", lockspace);
	members = read_nodes(path);
	table_line(table);
	table_set_text(table, COL_LOCKSPACE, lockspace);
	table_set_text(table, COL_STATE, state(lockspace));
	table_set_number(table, COL_NODE, self);
	set_nodes(table, COL_MEMBERS, &members, NULL);
	set_nodes(table, COL_MISSING, all, &members);
	free(members.numbers);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num || strcmp(arg, "status"))
			argp_usage(state);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int cluster_main(int argc, char **argv)
{
	static const struct argp_child children[] = { TABLE_CHILD, { } };
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "status",
		.children = children,
		.doc = "Show the machines that share the objects that were created with\n"
		       "GOSYNC_CLUSTER, as the kernel's distributed lock manager (DLM) knows them.\n"
		       "\vA lockspace is left until the first such object is opened. If it is\n"
		       "stopped, all wait who want what another machine has: the cluster manager has\n"
		       "stopped it, because a machine died or comes.\n\n"
		       "Exit status: 0; 1 if this machine is in no cluster.",
	};
	struct table table = { .name = "cluster", .columns = columns };
	struct nodes all;
	long self;
	size_t i;

	argp_parse(&argp, argc, argv, 0, NULL, &table);
	self = this_node();
	if (self < 0) {
		fputs(access("/sys/module/dlm", F_OK) ?
		      "gosync cluster: the module dlm is not loaded\n" :
		      "gosync cluster: this machine is in no cluster, or you are not root\n",
		      stderr);
		return 1;
	}
	all = read_nodes(CONFIG "comms");
	table_begin(&table);
	for (i = 0; i < ARRAY_SIZE(lockspaces); i++)
		row(&table, lockspaces[i], self, &all);
	free(all.numbers);
	return table_end(&table);
}
