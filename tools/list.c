// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync ls, info and rm.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gosync.h"

/* --- ls ------------------------------------------------------------------ */

static int ls_entry(const struct gosync_info *info, void *arg)
{
	char name[NAME_BUF], flags[FLAGS_BUF], pid[16];
	const char *special = flags_text(info, flags);
	const char *by = "-";

	(void)arg;
	if (info->owner_pid) {
		snprintf(pid, sizeof(pid), "%u", info->owner_pid);
		by = pid;
	} else if (info->owner) {
		by = "?";
	}
	printf("%-8s %04o %-8s %7u %7u %8s %-10s %s\n", type_text(info->type),
	       info->mode, user_text(info->uid), info->holders,
	       info->waiters, by, special ? special : "-",
	       name_text(info->name, info->name_len, name));
	return 0;
}

int ls_main(int argc, char **argv)
{
	static const struct argp argp = {
		.doc = "List the names that you may read, oldest first.\n"
		       "LOCKED-BY is the process that opened the holder which owns a lock or runs a once,\n"
		       "? if that process cannot be seen from here.",
	};
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	close(device_open());
	printf("%-8s %-4s %-8s %7s %7s %8s %-10s %s\n", "TYPE", "MODE", "OWNER",
	       "HOLDERS", "WAITERS", "LOCKED-BY", "FLAGS", "NAME");
	ret = gosync_list(ls_entry, NULL);
	if (ret < 0) {
		fprintf(stderr, "gosync ls: %s\n", gosync_strerror(0, ret));
		return 1;
	}
	return 0;
}

/* --- info ---------------------------------------------------------------- */

static int info_get(const char *name, struct gosync_info *info)
{
	int object = object_open(name, 0, GOSYNC_RDONLY);
	int ret = 0;

	if (object < 0)
		return object;
	info->size = sizeof(*info);
	if (ioctl(object, GOSYNC_IOC_INFO, info) < 0)
		ret = -errno;
	close(object);
	return ret;
}

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
	if (info->owner_pid)
		printf("%s by holder %u of process %u", does, info->owner,
		       info->owner_pid);
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
		printf(", handed from waiter to waiter");
	if (info->word & GOSYNC_MUTEX_POISONED)
		printf(", an owner died and nobody has recovered");
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
		printf(", somebody died doing it");
	printf("\ndeaths     %u\n", info->deaths);
}

static void print_info(const struct gosync_info *info)
{
	char name[NAME_BUF], flags[FLAGS_BUF], wait[16];
	const char *special = flags_text(info, flags);

	printf("name       %s\n", name_text(info->name, info->name_len, name));
	printf("type       %s\n", type_text(info->type));
	printf("id         %llu\n", (unsigned long long)info->id);
	printf("owner      %s\n", user_text(info->uid));
	printf("group      %s\n", group_text(info->gid));
	printf("mode       %04o\n", info->mode);
	printf("flags      %s\n", special ? special : "-");
	/* One of them is ours. */
	printf("holders    %u\n", info->holders ? info->holders - 1 : 0);
	printf("waiters    %u\n", info->waiters);

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
	printf("contended  %llu times, longest wait %s\n",
	       (unsigned long long)info->contended,
	       duration_text(info->wait_max_ns, wait));
}

static error_t names_parse(int key, char *arg, struct argp_state *state)
{
	int *first = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_ARGS:
		*first = state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int info_main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = names_parse,
		.args_doc = "NAME...",
		.doc = "Tell what is known of named objects.",
	};
	struct gosync_info info;
	int first = argc, status = 0;
	char text[NAME_BUF];
	int i, ret;

	argp_parse(&argp, argc, argv, 0, NULL, &first);
	for (i = first; i < argc; i++) {
		ret = info_get(argv[i], &info);
		if (ret) {
			fprintf(stderr, "gosync info: %s: %s\n",
				name_text(argv[i], strlen(argv[i]), text),
				gosync_strerror(GOSYNC_IOC_OPEN, ret));
			status = 1;
			continue;
		}
		if (i > first)
			putchar('\n');
		print_info(&info);
	}
	return status;
}

/* --- rm ------------------------------------------------------------------ */

int rm_main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = names_parse,
		.args_doc = "NAME...",
		.doc = "Take names away. Who has the object open goes on with it;\n"
		       "who opens the name from now on gets another object or none.",
	};
	int first = argc, status = 0;
	char text[NAME_BUF];
	int i, ret;

	argp_parse(&argp, argc, argv, 0, NULL, &first);
	close(device_open());
	for (i = first; i < argc; i++) {
		ret = gosync_unlink(argv[i]);
		if (!ret)
			continue;
		fprintf(stderr, "gosync rm: %s: %s\n",
			name_text(argv[i], strlen(argv[i]), text),
			gosync_strerror(GOSYNC_IOC_UNLINK, ret));
		status = 1;
	}
	return status;
}
