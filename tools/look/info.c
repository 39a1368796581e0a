// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync info: show everything about an object.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "look.h"
#include "sharers.h"

struct look {
	struct names names;
	bool json;
	struct table table;
	struct column columns[TABLE_COLUMNS + 1];
	unsigned int first_stat;
	bool again;
	int status;
};

static void print_word(const struct gosync_info *info)
{
	switch (info->type) {
	case GOSYNC_INT32:
		printf("%d\n", (int32_t)info->word);
		break;
	case GOSYNC_INT64:
		printf("%lld\n", (long long)info->word);
		break;
	case GOSYNC_POINTER:
	case GOSYNC_UINTPTR:
		printf("%#llx\n", (unsigned long long)info->word);
		break;
	default:
		printf("%llu\n", (unsigned long long)info->word);
	}
}

static void print_owner(const struct gosync_info *info, const char *does)
{
	uint32_t pid = owner_now(info);

	if (is_away(info))
		printf("%s, or free, at another node", does);
	else if (pid)
		printf("%s by holder %u of process %u", does, info->owner, pid);
	else
		printf("%s by holder %u of an invisible process", does,
		       info->owner);
}

static void print_mutex(const struct gosync_info *info)
{
	printf("state      ");
	if (info->word & GOSYNC_MUTEX_LOCKED)
		print_owner(info, "locked");
	else
		printf(info->readers ? "locked for reading" : "free");
	if (info->word & GOSYNC_MUTEX_STARVING)
		printf(", to be handed to who waits");
	if (info->word & GOSYNC_MUTEX_POISONED)
		printf(", poisoned: an owner died and no one has recovered it");
	printf("\ntoken      %llu\n", (unsigned long long)info->token);
	if (info->type == GOSYNC_RWMUTEX)
		printf("readers    %u\n", info->readers);
	printf("deaths     %u\n", info->deaths);
}

static void print_once(const struct gosync_info *info)
{
	printf("state      ");
	if (info->word & GOSYNC_ONCE_IS_DONE)
		printf("done");
	else if (info->owner)
		print_owner(info, "run");
	else
		printf("not done");
	if (info->word & GOSYNC_ONCE_DIED)
		printf(", a process died while it ran it");
	printf("\ndeaths     %u\n", info->deaths);
}

static void print_info(const struct gosync_info *info)
{
	char name[NAME_BUF], flags[FLAGS_BUF], text[16];
	const char *special = flags_text(info, flags);

	printf("name       %s\n", name_text(info->name, info->name_len, name));
	printf("type       %s\n", type_text(info->type));
	printf("id         %llu\n", (unsigned long long)info->id);
	printf("owner      %s\n", user_text(info->uid));
	printf("group      %s\n", group_text(info->gid));
	printf("mode       %04o\n", info->mode);
	printf("flags      %s\n", special ? special : "-");
	printf("holders    %u\n", info->holders);
	printf("waiters    %u\n", info->waiters);
	if (info->idle_ns)
		printf("idle       %s\n", duration_text(info->idle_ns, text));

	switch (info->type) {
	case GOSYNC_MUTEX:
	case GOSYNC_RWMUTEX:
		print_mutex(info);
		break;
	case GOSYNC_WAITGROUP:
		printf("counter    %llu\n", (unsigned long long)
		       (info->word & GOSYNC_WAITGROUP_COUNTER));
		break;
	case GOSYNC_ONCE:
		print_once(info);
		break;
	case GOSYNC_COND:
		break;
	case GOSYNC_SEMAPHORE:
		printf("permits    %llu of %llu\n", (unsigned long long)
		       (info->word & GOSYNC_SEMAPHORE_PERMITS),
		       (unsigned long long)info->capacity);
		if (info->owed)
			printf("owed       %u\n", info->owed);
		printf("deaths     %u\n", info->deaths);
		break;
	case GOSYNC_MAP:
		printf("entries    %llu of %llu\n",
		       (unsigned long long)info->word,
		       (unsigned long long)info->capacity);
		printf("key        up to %u bytes\n", info->key_size);
		printf("value      up to %u bytes\n", info->value_size);
		break;
	case GOSYNC_VALUE:
		printf("capacity   %llu bytes\n",
		       (unsigned long long)info->capacity);
		printf("stored     %llu times\n",
		       (unsigned long long)info->word);
		if (info->token)
			printf("type id    %#llx\n",
			       (unsigned long long)info->token);
		break;
	default:
		printf("words      %llu\n",
		       (unsigned long long)info->capacity);
		printf("first      ");
		print_word(info);
	}
}

static void print_stat(const struct gosync_stat *stat)
{
	char text[16];

	printf("contended  %llu times\n", (unsigned long long)stat->contended);
	printf("acquired   %llu times, %llu handed over\n",
	       (unsigned long long)stat->acquired,
	       (unsigned long long)stat->handed_over);
	printf("gave up    %llu times\n", (unsigned long long)stat->gave_up);
	if (stat->starvations)
		printf("starved    %u times\n", stat->starvations);
	if (!stat->acquired)
		return;
	printf("mean wait  %s\n", duration_text(stat_mean(stat), text));
	printf("longest    %s\n", duration_text(stat->wait_max_ns, text));
	histogram_print(stat);
}

static void look(int object, const struct gosync_info *info, void *arg)
{
	struct gosync_stat stat = { .size = sizeof(stat) };
	struct gosync_info others = *info;
	struct look *look = arg;

	if (ioctl(object, GOSYNC_IOC_STAT, &stat) < 0) {
		object_error((const char *)info->name, GOSYNC_IOC_STAT, -errno);
		look->status = 1;
		return;
	}
	/* This process is one of the holders. */
	if (others.holders)
		others.holders--;
	if (look->json) {
		table_line(&look->table);
		object_row(&look->table, &others);
		stat_row(&look->table, look->first_stat, info, &stat);
		return;
	}
	if (look->again)
		putchar('\n');
	look->again = true;
	print_info(&others);
	print_stat(&stat);
}

/* The columns of ls, and those of stat that ls does not have */
static void choose_columns(struct look *look)
{
	const struct column *from;
	unsigned int n, i;

	for (n = 0; object_columns[n].name; n++) {
		look->columns[n] = object_columns[n];
		look->columns[n].extra = false;
	}
	look->first_stat = n;
	for (from = stat_columns; from->name; from++, n++) {
		look->columns[n] = *from;
		look->columns[n].extra = false;
		for (i = 0; i < look->first_stat; i++)
			if (!strcmp(look->columns[i].name, from->name))
				look->columns[n].extra = true;
	}
	look->table.name = "objects";
	look->table.columns = look->columns;
	look->table.json = true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct look *look = state->input;

	(void)arg;
	switch (key) {
	case 'J':
		look->json = true;
		return 0;
	}
	return names_parse(key, state, &look->names);
}

int info_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'J', NULL, 0,
		  "print JSON: the columns of gosync ls and of gosync stat",
		  0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "NAME...",
		.doc = "Show everything about named objects: their properties, their waits,\n"
		       "and how long these took.",
	};
	struct look info = { .names.required = true };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &info);
	if (!info.json) {
		status = objects_each(&info.names, NULL, look, &info);
		return status | info.status;
	}
	choose_columns(&info);
	table_begin(&info.table);
	status = objects_each(&info.names, NULL, look, &info);
	return table_end(&info.table) | status | info.status;
}
