// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync ls and rm.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "look.h"
#include "sharers.h"

/* --- ls ------------------------------------------------------------------ */

enum {
	COL_ID, COL_TYPE, COL_MODE, COL_OWNER, COL_GROUP, COL_HOLDERS,
	COL_WAITERS, COL_LOCKED_BY, COL_READERS, COL_STATE, COL_FLAGS,
	COL_CONTENDED, COL_LONGEST, COL_TOKEN, COL_DEATHS, COL_WORD,
	COL_CAPACITY, COL_KEY_SIZE, COL_VALUE_SIZE, COL_IDLE, COL_NAME,
};

const struct column object_columns[] = {
	[COL_ID] = { "ID", "number of the object, never used twice",
		COLUMN_NUMBER, 0, true },
	[COL_TYPE] = { "TYPE", "type of the object",
		COLUMN_TEXT, 9, false },
	[COL_MODE] = { "MODE", "permission bits, octal",
		COLUMN_TEXT, 0, false },
	[COL_OWNER] = { "OWNER", "user that owns it",
		COLUMN_TEXT, 8, false },
	[COL_GROUP] = { "GROUP", "group that owns it",
		COLUMN_TEXT, 8, true },
	[COL_HOLDERS] = { "HOLDERS", "number of times that it is open",
		COLUMN_NUMBER, 0, false },
	[COL_WAITERS] = { "WAITERS", "number of waiters",
		COLUMN_NUMBER, 0, false },
	[COL_LOCKED_BY] = { "LOCKED-BY", "process with the lock or once; ?: hidden; node: another",
		COLUMN_NUMBER, 0, false },
	[COL_READERS] = { "READERS", "rwmutex: number of read locks",
		COLUMN_NUMBER, 0, true },
	[COL_STATE] = { "STATE", "free, locked, read; running, done; or the present count",
		COLUMN_TEXT, 0, true },
	[COL_FLAGS] = { "FLAGS", "flags, such as persist and poisoned",
		COLUMN_TEXT, 8, false },
	[COL_CONTENDED] = { "CONTENDED", "number of waits",
		COLUMN_NUMBER, 0, true },
	[COL_LONGEST] = { "LONGEST", "longest wait that ended in a grant",
		COLUMN_NUMBER, 8, true },
	[COL_TOKEN] = { "TOKEN", "locks: the last fencing token; value: the type stored",
		COLUMN_NUMBER, 0, true },
	[COL_DEATHS] = { "DEATHS", "number of owners that died",
		COLUMN_NUMBER, 0, true },
	[COL_WORD] = { "WORD", "the mapped word, or the first one",
		COLUMN_NUMBER, 0, true },
	[COL_CAPACITY] = { "CAPACITY", "size in words, bytes, entries or permits",
		COLUMN_NUMBER, 0, true },
	[COL_KEY_SIZE] = { "KEY-SIZE", "map: the largest size of a key, in bytes",
		COLUMN_NUMBER, 0, true },
	[COL_VALUE_SIZE] = { "VALUE-SIZE", "map: the largest size of a value, in bytes",
		COLUMN_NUMBER, 0, true },
	[COL_IDLE] = { "IDLE", "time since a process last had it open to use it",
		COLUMN_NUMBER, 8, false },
	[COL_NAME] = { "NAME", "name of the object",
		COLUMN_TEXT, 0, false },
	{ }
};

static void set_lock_state(struct table *table, const struct gosync_info *info)
{
	table_set_text(table, COL_STATE,
		       info->word & GOSYNC_MUTEX_LOCKED ? "locked" :
		       info->readers ? "read" : "free");
	table_set_number(table, COL_TOKEN, info->token);
	table_set_number(table, COL_DEATHS, info->deaths);
	if (info->type == GOSYNC_RWMUTEX)
		table_set_number(table, COL_READERS, info->readers);
}

static void set_state(struct table *table, const struct gosync_info *info)
{
	switch (info->type) {
	case GOSYNC_MUTEX:
	case GOSYNC_RWMUTEX:
		set_lock_state(table, info);
		break;
	case GOSYNC_ONCE:
		table_set_text(table, COL_STATE,
			       info->word & GOSYNC_ONCE_IS_DONE ? "done" :
			       info->owner ? "running" : "free");
		table_set_number(table, COL_DEATHS, info->deaths);
		break;
	case GOSYNC_COND:
		break;
	case GOSYNC_WAITGROUP:
		table_set_number(table, COL_STATE,
				 info->word & GOSYNC_WAITGROUP_COUNTER);
		break;
	case GOSYNC_SEMAPHORE:
		table_set_number(table, COL_STATE,
				 info->word & GOSYNC_SEMAPHORE_PERMITS);
		table_set_number(table, COL_DEATHS, info->deaths);
		break;
	case GOSYNC_INT32:
		table_set(table, COL_STATE, "%d", (int32_t)info->word);
		break;
	case GOSYNC_INT64:
		table_set(table, COL_STATE, "%lld", (long long)info->word);
		break;
	case GOSYNC_MAP:
		table_set_number(table, COL_KEY_SIZE, info->key_size);
		table_set_number(table, COL_VALUE_SIZE, info->value_size);
		table_set_number(table, COL_STATE, info->word);
		break;
	case GOSYNC_VALUE:
		table_set_number(table, COL_TOKEN, info->token);
		table_set_number(table, COL_STATE, info->word);
		break;
	default:
		table_set_number(table, COL_STATE, info->word);
	}
}

void object_row(struct table *table, const struct gosync_info *info)
{
	char flags[FLAGS_BUF];
	uint32_t owner;

	table_set_number(table, COL_ID, info->id);
	table_set_text(table, COL_TYPE, type_text(info->type));
	table_set(table, COL_MODE, "%04o", info->mode);
	table_set_text(table, COL_OWNER, user_text(info->uid));
	if (table_wants(table, COL_GROUP))
		table_set_text(table, COL_GROUP, group_text(info->gid));
	table_set_number(table, COL_HOLDERS, info->holders);
	table_set_number(table, COL_WAITERS, info->waiters);
	if (info->owner && table_wants(table, COL_LOCKED_BY)) {
		owner = owner_now(info);
		if (owner || table->json)
			table_set_number(table, COL_LOCKED_BY, owner);
		else
			table_set_text(table, COL_LOCKED_BY,
				       is_away(info) ? "node" : "?");
	}
	table_set_text(table, COL_FLAGS, flags_text(info, flags));
	set_state(table, info);
	table_set_number(table, COL_CONTENDED, info->contended);
	table_set_time(table, COL_LONGEST, info->wait_max_ns);
	table_set_number(table, COL_WORD, info->word);
	if (info->capacity)
		table_set_number(table, COL_CAPACITY, info->capacity);
	if (info->idle_ns)
		table_set_time(table, COL_IDLE, info->idle_ns);
	table_set_name(table, COL_NAME, info->name, info->name_len);
}

static int ls_entry(const struct gosync_info *info, void *table)
{
	table_line(table);
	object_row(table, info);
	return 0;
}

int ls_main(int argc, char **argv)
{
	static const struct argp_child children[] = { TABLE_CHILD, { } };
	static const struct argp argp = {
		.parser = table_only_parse,
		.children = children,
		.doc = "List the names that you may read, oldest first.",
	};
	struct table table = {
		.name = "objects",
		.columns = object_columns,
	};
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &table);
	close(device_open());
	table_begin(&table);
	ret = gosync_list(ls_entry, &table);
	if (ret < 0) {
		fprintf(stderr, "gosync ls: %s\n", gosync_strerror(0, ret));
		return 1;
	}
	return table_end(&table);
}

/* --- rm ------------------------------------------------------------------ */

struct rm {
	struct names names;
	bool force;
	bool if_unused;
};

enum { KEY_IF_UNUSED = 256 };

/*
 * Is it held, as far as this process may see? Then rm asks for --force. What another node
 * has keeps its name there.
 */
static bool is_held(const char *name)
{
	struct gosync_info info = { .size = sizeof(info) };
	int object = object_open(name, 0, GOSYNC_RDONLY);
	char text[NAME_BUF];
	bool held = false;

	if (object < 0)
		return false;
	if (!ioctl(object, GOSYNC_IOC_INFO, &info))
		held = (info.owner && !is_away(&info)) || info.readers ||
		       (info.flags & GOSYNC_GIVE_BACK &&
			(info.word & GOSYNC_SEMAPHORE_PERMITS) < info.capacity);
	close(object);
	if (held)
		fprintf(stderr, "gosync rm: %s: it is held (see gosync holders); use --force\n",
			name_text(name, strlen(name), text));
	return held;
}

static error_t rm_parse(int key, char *arg, struct argp_state *state)
{
	struct rm *rm = state->input;

	(void)arg;
	switch (key) {
	case 'f':
		rm->force = true;
		return 0;
	case KEY_IF_UNUSED:
		rm->if_unused = true;
		return 0;
	}
	return names_parse(key, state, &rm->names);
}

int rm_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "force", 'f', NULL, 0,
		  "also remove names that are held, and ignore missing names",
		  0 },
		{ "if-unused", KEY_IF_UNUSED, NULL, 0,
		  "only remove names that no process has open", 0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = rm_parse,
		.args_doc = "NAME...",
		.doc = "Remove names, unless their locks or permits are held. Processes that have\n"
		       "the object open keep using it. A process that opens the name from now on\n"
		       "gets a new object, or an error.",
	};
	struct rm rm = { .names.required = true };
	int status = 0;
	int i, ret;

	argp_parse(&argp, argc, argv, 0, NULL, &rm);
	close(device_open());
	for (i = 0; i < rm.names.count; i++) {
		if (!rm.force && !rm.if_unused && is_held(rm.names.names[i])) {
			status = 1;
			continue;
		}
		ret = rm.if_unused ? gosync_unlink_unused(rm.names.names[i]) :
				     gosync_unlink(rm.names.names[i]);
		if (!ret || (ret == -ENOENT && rm.force))
			continue;
		object_error(rm.names.names[i], GOSYNC_IOC_UNLINK, ret);
		status = 1;
	}
	return status;
}
