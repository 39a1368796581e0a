// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync holders and waiters: the parties of an object.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "look.h"
#include "sharers.h"

#define HOLDERS_AT_ONCE	64

struct parties {
	struct table table;
	struct names names;
	bool all;
	int status;
};

static long get_parties(int object, unsigned int op,
			struct gosync_parties_args *args,
			struct gosync_party *entries, unsigned int count)
{
	long got;

	args->size = sizeof(*args);
	args->entries = (uintptr_t)entries;
	args->count = count;
	args->entry_size = sizeof(*entries);
	got = ioctl(object, op, args);
	return got < 0 ? -errno : got;
}

static void parties_error(struct parties *parties,
			  const struct gosync_info *info, unsigned int op,
			  long err)
{
	object_error((const char *)info->name, op, err);
	parties->status = 1;
}

/* Let @look list the parties of the objects. Return: an exit status */
static int list_parties(struct parties *parties,
			bool (*wanted)(const struct gosync_info *info, void *arg),
			void (*look)(int object, const struct gosync_info *info,
				     void *arg))
{
	int status;

	table_begin(&parties->table);
	status = objects_each(&parties->names, wanted, look, parties);
	return table_end(&parties->table) | status | parties->status;
}

static void set_command(struct table *table, unsigned int column,
			const struct gosync_party *party)
{
	table_set_name(table, column, party->comm,
		       strnlen((const char *)party->comm, sizeof(party->comm)));
}

static void set_pid(struct table *table, unsigned int column, uint32_t pid)
{
	if (pid || table->json)
		table_set_number(table, column, pid);
	else
		table_set_text(table, column, "?");
}

/* --- holders -------------------------------------------------------------- */

enum {
	H_ID, H_TYPE, H_HOLDER, H_PID, H_COMMAND, H_HOLDS, H_COUNT, H_HELD,
	H_EXACT, H_OPENER, H_NAME,
};

static const struct column holder_columns[] = {
	[H_ID] = { "ID", "number of the object",
		COLUMN_NUMBER, 0, true },
	[H_TYPE] = { "TYPE", "type of the object",
		COLUMN_TEXT, 9, false },
	[H_HOLDER] = { "HOLDER", "number of the holder",
		COLUMN_NUMBER, 0, true },
	[H_PID] = { "PID", "process that has the descriptor; ?: hidden (JSON: 0)",
		COLUMN_NUMBER, 7, false },
	[H_COMMAND] = { "COMMAND", "its name",
		COLUMN_TEXT, 15, false },
	[H_HOLDS] = { "HOLDS", "lock, write, read, run, permits",
		COLUMN_TEXT, 0, false },
	[H_COUNT] = { "COUNT", "number of read locks or permits",
		COLUMN_NUMBER, 0, false },
	[H_HELD] = { "HELD", "how long it has held it, at least",
		COLUMN_NUMBER, 9, false },
	[H_EXACT] = { "EXACT", "whether HELD is exact",
		COLUMN_BOOLEAN, 0, true },
	[H_OPENER] = { "OPENER", "process that opened it; ?: ended or hidden (JSON: 0)",
		COLUMN_NUMBER, 7, true },
	[H_NAME] = { "NAME", "name of the object",
		COLUMN_TEXT, 0, false },
	{ }
};

static const char *holds_text(const struct gosync_info *info,
			      const struct gosync_party *holder)
{
	bool owns = holder->flags & GOSYNC_PARTY_OWNS;

	switch (info->type) {
	case GOSYNC_MUTEX:
		return owns ? "lock" : NULL;
	case GOSYNC_RWMUTEX:
		if (owns)
			return holder->count ? "write,read" : "write";
		return holder->count ? "read" : NULL;
	case GOSYNC_ONCE:
		return owns ? "run" : NULL;
	case GOSYNC_SEMAPHORE:
		return holder->count ? "permits" : NULL;
	}
	return NULL;
}

/* The time of an acquisition is only known if the holder had to wait. */
static void set_held(struct table *table, const struct gosync_party *holder)
{
	bool exact = holder->flags & GOSYNC_PARTY_SINCE;
	char time[16];

	if (!(holder->flags & GOSYNC_PARTY_OWNS) || (!exact && !holder->ns))
		return;
	if (exact || table->json || table->raw)
		table_set_time(table, H_HELD, holder->ns);
	else
		table_set(table, H_HELD, ">=%s",
			  duration_text(holder->ns, time));
	table_set_text(table, H_EXACT, exact ? "yes" : "no");
}

/* @pid: a process that has the descriptor, 0 if none can be seen */
static void holder_row(struct table *table, const struct gosync_info *info,
		       const struct gosync_party *holder, uint32_t pid)
{
	const char *comm = pid ? process_comm(pid) : "?";

	table_line(table);
	table_set_number(table, H_ID, info->id);
	table_set_text(table, H_TYPE, type_text(info->type));
	table_set_number(table, H_HOLDER, holder->holder);
	set_pid(table, H_PID, pid);
	set_pid(table, H_OPENER, holder->pid);
	table_set_name(table, H_COMMAND, comm, strlen(comm));
	table_set_text(table, H_HOLDS, holds_text(info, holder));
	if (holder->count)
		table_set_number(table, H_COUNT, holder->count);
	set_held(table, holder);
	table_set_name(table, H_NAME, info->name, info->name_len);
}

static void holder_rows(struct table *table, const struct gosync_info *info,
			const struct gosync_party *holder)
{
	const struct sharer *sharers;
	int nr, i;

	sharers = sharers_now(info->id, holder->holder, holder->pid, &nr);
	if (!nr)
		holder_row(table, info, holder, 0);
	for (i = 0; i < nr; i++)
		holder_row(table, info, holder, sharers[i].pid);
}

static void look_at_holders(int object, const struct gosync_info *info,
			    void *arg)
{
	struct gosync_party entries[HOLDERS_AT_ONCE];
	struct gosync_parties_args args = { };
	struct parties *parties = arg;
	long got, i;

	do {
		got = get_parties(object, GOSYNC_IOC_HOLDERS, &args, entries,
				  HOLDERS_AT_ONCE);
		for (i = 0; i < got; i++) {
			/* Leave out this process. */
			if (entries[i].holder == info->holder)
				continue;
			if (parties->all || holds_text(info, &entries[i]))
				holder_rows(&parties->table, info, &entries[i]);
		}
	} while (got > 0);
	if (got < 0)
		parties_error(parties, info, GOSYNC_IOC_HOLDERS, got);
}

/* May the object have a holder that holds something? */
static bool is_held(const struct gosync_info *info, void *arg)
{
	const struct parties *parties = arg;

	return parties->all || info->owner || info->readers ||
	       (info->type == GOSYNC_SEMAPHORE &&
		info->flags & GOSYNC_GIVE_BACK);
}

static error_t holders_parse(int key, char *arg, struct argp_state *state)
{
	struct parties *parties = state->input;

	(void)arg;
	switch (key) {
	case 'a':
		parties->all = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &parties->table;
		return 0;
	}
	return names_parse(key, state, &parties->names);
}

int holders_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "all", 'a', NULL, 0, "also list processes that hold nothing", 0 },
		{ }
	};
	static const struct argp_child children[] = { TABLE_CHILD, { } };
	static const struct argp argp = {
		.options = options,
		.parser = holders_parse,
		.args_doc = "[NAME...]",
		.children = children,
		.doc = "List the holders of these objects, or of all: the process, what it holds,\n"
		       "and for how long.\n"
		       "\vThere is a line for each process that has the descriptor, also if it has\n"
		       "inherited it. Only root sees the descriptors of other users; of a hidden\n"
		       "descriptor the process that opened it is shown.\n\n"
		       "A time with >= is the longest present wait for the lock: it has been held at\n"
		       "least that long. There is no time if no process has had to wait.",
	};
	struct parties parties = {
		.table = { .name = "holders", .columns = holder_columns },
	};

	argp_parse(&argp, argc, argv, 0, NULL, &parties);
	return list_parties(&parties, is_held, look_at_holders);
}

/* --- waiters -------------------------------------------------------------- */

enum {
	W_ID, W_TYPE, W_POSITION, W_PID, W_TID, W_COMMAND, W_WANTS, W_COUNT,
	W_WAITED, W_STARVING, W_TIMED, W_ASYNC, W_AMONG, W_HOLDER, W_WAIT,
	W_NAME,
};

static const struct column waiter_columns[] = {
	[W_ID] = { "ID", "number of the object",
		COLUMN_NUMBER, 0, true },
	[W_TYPE] = { "TYPE", "type of the object",
		COLUMN_TEXT, 9, false },
	[W_POSITION] = { "POSITION", "place in the queue; an rwmutex has a queue for each kind",
		COLUMN_NUMBER, 0, false },
	[W_PID] = { "PID", "process of the waiter; ?: hidden (JSON: 0)",
		COLUMN_NUMBER, 7, false },
	[W_TID] = { "TID", "thread of the waiter; none while it is in a signal handler",
		COLUMN_NUMBER, 7, false },
	[W_COMMAND] = { "COMMAND", "name of the thread",
		COLUMN_TEXT, 15, false },
	[W_WANTS] = { "WANTS", "lock, read, write, drain (wait for readers), zero, done ...",
		COLUMN_TEXT, 7, false },
	[W_COUNT] = { "COUNT", "number of permits; or index of the word",
		COLUMN_NUMBER, 0, true },
	[W_WAITED] = { "WAITED", "time that it has waited so far",
		COLUMN_NUMBER, 8, false },
	[W_STARVING] = { "STARVING", "whether it lost to a newcomer after more than 1 ms",
		COLUMN_BOOLEAN, 0, false },
	[W_TIMED] = { "TIMED", "whether the wait has a deadline",
		COLUMN_BOOLEAN, 0, false },
	[W_ASYNC] = { "ASYNC", "whether no thread sleeps for it (io_uring)",
		COLUMN_BOOLEAN, 0, false },
	[W_AMONG] = { "AMONG", "whether it waits for any or all of several objects",
		COLUMN_BOOLEAN, 0, false },
	[W_HOLDER] = { "HOLDER", "number of the waiter's holder",
		COLUMN_NUMBER, 0, true },
	[W_WAIT] = { "WAIT", "number of the wait, counted for each object",
		COLUMN_NUMBER, 0, true },
	[W_NAME] = { "NAME", "name of the object",
		COLUMN_TEXT, 0, false },
	{ }
};

static void waiter_row(struct table *table, const struct gosync_info *info,
		       const struct gosync_party *waiter)
{
	table_line(table);
	table_set_number(table, W_ID, info->id);
	table_set_text(table, W_TYPE, type_text(info->type));
	table_set_number(table, W_POSITION, waiter->position);
	set_pid(table, W_PID, waiter->pid);
	if (waiter->tid)
		table_set_number(table, W_TID, waiter->tid);
	set_command(table, W_COMMAND, waiter);
	table_set_text(table, W_WANTS, wants_text(info->type, waiter->wants));
	if (info->type == GOSYNC_SEMAPHORE || info->type < GOSYNC_VALUE)
		table_set_number(table, W_COUNT, waiter->count);
	table_set_time(table, W_WAITED, waiter->ns);
	table_set_text(table, W_STARVING,
		       waiter->flags & GOSYNC_PARTY_STARVING ? "yes" : "no");
	table_set_text(table, W_TIMED,
		       waiter->flags & GOSYNC_PARTY_TIMED ? "yes" : "no");
	table_set_text(table, W_ASYNC,
		       waiter->flags & GOSYNC_PARTY_ASYNC ? "yes" : "no");
	table_set_text(table, W_AMONG,
		       waiter->flags & GOSYNC_PARTY_AMONG ? "yes" : "no");
	table_set_number(table, W_HOLDER, waiter->holder);
	table_set_number(table, W_WAIT, waiter->wait);
	table_set_name(table, W_NAME, info->name, info->name_len);
}

static void look_at_waiters(int object, const struct gosync_info *info,
			    void *arg)
{
	static struct gosync_party entries[GOSYNC_WAITERS_LISTED];
	struct gosync_parties_args args = { };
	struct parties *parties = arg;
	char text[NAME_BUF];
	long got, i;

	got = get_parties(object, GOSYNC_IOC_WAITERS, &args, entries,
			  GOSYNC_WAITERS_LISTED);
	for (i = 0; i < got; i++)
		waiter_row(&parties->table, info, &entries[i]);
	if (got < 0)
		parties_error(parties, info, GOSYNC_IOC_WAITERS, got);
	else if (got == GOSYNC_WAITERS_LISTED && info->waiters > got)
		fprintf(stderr, "%s: %s: only the first %ld of %u waiters are shown\n",
			program_invocation_name,
			name_text(info->name, info->name_len, text), got,
			info->waiters);
}

static bool is_waited_for(const struct gosync_info *info, void *arg)
{
	(void)arg;
	return info->waiters;
}

static error_t waiters_parse(int key, char *arg, struct argp_state *state)
{
	struct parties *parties = state->input;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return names_parse(key, state, &parties->names);
	state->child_inputs[0] = &parties->table;
	return 0;
}

int waiters_main(int argc, char **argv)
{
	static const struct argp_child children[] = { TABLE_CHILD, { } };
	static const struct argp argp = {
		.parser = waiters_parse,
		.args_doc = "[NAME...]",
		.children = children,
		.doc = "List the waiters of these objects, or of all, in the order in which they\n"
		       "will be served.",
	};
	struct parties parties = {
		.table = { .name = "waiters", .columns = waiter_columns },
	};

	argp_parse(&argp, argc, argv, 0, NULL, &parties);
	return list_parties(&parties, is_waited_for, look_at_waiters);
}
