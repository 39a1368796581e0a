// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync: look at named objects, remove them, see them work.
 *
 * The sub-commands stand in the table commands[]; the small ones are here,
 * larger ones have a file of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gosync.h"

struct command {
	const char *name;
	const char *args;
	const char *doc;
	int (*run)(int argc, char **argv);
};

const char *name_text(const void *name, size_t len, char buf[NAME_BUF])
{
	const unsigned char *s = name;
	char *to = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= '~' ||
		    strchr("'\"\\$`*?[]{}()<>|&;!#", s[i]))
			break;
	if (len && i == len) {
		memcpy(buf, name, len);
		buf[len] = 0;
		return buf;
	}

	*to++ = '$';
	*to++ = '\'';
	for (i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~') {
			to += sprintf(to, "\\x%02x", s[i]);
			continue;
		}
		if (s[i] == '\'' || s[i] == '\\')
			*to++ = '\\';
		*to++ = s[i];
	}
	*to++ = '\'';
	*to = 0;
	return buf;
}

const char *duration_text(uint64_t ns, char buf[16])
{
	if (ns < 10000)
		snprintf(buf, 16, "%u ns", (unsigned int)ns);
	else if (ns < 10000000)
		snprintf(buf, 16, "%.1f us", ns / 1e3);
	else if (ns < 10000000000)
		snprintf(buf, 16, "%.1f ms", ns / 1e6);
	else
		snprintf(buf, 16, "%.1f s", ns / 1e9);
	return buf;
}

long parse_number(struct argp_state *state, const char *arg, const char *what,
		  long min, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 0);
	if (errno || end == arg || *end || n < min || n > max)
		argp_error(state, "%s must be a number from %ld to %ld", what,
			   min, max);
	return n;
}

int device_open(void)
{
	int fd = open(GOSYNC_DEVICE, O_RDWR | O_CLOEXEC);
	int err = errno;

	if (fd >= 0)
		return fd;
	fprintf(stderr, "gosync: %s: %s\n", GOSYNC_DEVICE, strerror(err));
	if (err == ENOENT || err == ENXIO || err == ENODEV)
		fputs("gosync: the module is not loaded; as root: insmod gosync.ko\n",
		      stderr);
	exit(1);
}

static const char *user_text(uint32_t uid, char buf[16])
{
	struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(buf, 16, "%s", user->pw_name);
	else
		snprintf(buf, 16, "%u", uid);
	return buf;
}

static const char *flags_text(const struct gosync_info *info, char buf[64])
{
	snprintf(buf, 64, "%s%s%s%s%s%s",
		 info->flags & GOSYNC_PERSIST ? ",persist" : "",
		 info->flags & GOSYNC_OWN_PAGE ? ",own-page" : "",
		 info->flags & GOSYNC_NO_MMAP ? ",no-mmap" : "",
		 info->flags & GOSYNC_ERRORCHECK ? ",errorcheck" : "",
		 info->flags & GOSYNC_GIVE_BACK ? ",give-back" : "",
		 (info->type == GOSYNC_MUTEX || info->type == GOSYNC_RWMUTEX) &&
		 info->word & GOSYNC_MUTEX_POISONED ? ",poisoned" : "");
	if (!*buf)
		return "-";
	return buf + 1;
}

static const char *type_text(unsigned int type)
{
	const char *name = gosync_type_name(type);

	return name ? name : "?";
}

/* --- ls ------------------------------------------------------------------ */

static int ls_entry(const struct gosync_info *info, void *arg)
{
	char name[NAME_BUF], user[16], flags[64], pid[16];
	const char *by = "-";

	(void)arg;
	if (info->owner_pid) {
		snprintf(pid, sizeof(pid), "%u", info->owner_pid);
		by = pid;
	} else if (info->owner) {
		by = "?";
	}
	printf("%-8s %04o %-8s %7u %7u %8s %-10s %s\n", type_text(info->type),
	       info->mode, user_text(info->uid, user), info->holders,
	       info->waiters, by, flags_text(info, flags),
	       name_text(info->name, info->name_len, name));
	return 0;
}

static int ls_main(int argc, char **argv)
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

/* Any type will do, so this is not one of the library's typed opens. */
static int info_get(const char *name, struct gosync_info *info)
{
	struct gosync_open how = {
		.size = sizeof(how),
		.flags = GOSYNC_RDONLY,
		.name = (uintptr_t)name,
		.name_len = strlen(name),
	};
	int device, object, ret = 0;

	if (!*name)
		return -ENOENT;
	device = device_open();
	object = ioctl(device, GOSYNC_IOC_OPEN, &how);
	if (object < 0)
		ret = -errno;
	close(device);
	if (ret)
		return ret;
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
	char name[NAME_BUF], user[16], flags[64], wait[16];
	struct group *group = getgrgid(info->gid);

	printf("name       %s\n", name_text(info->name, info->name_len, name));
	printf("type       %s\n", type_text(info->type));
	printf("id         %llu\n", (unsigned long long)info->id);
	printf("owner      %s\n", user_text(info->uid, user));
	if (group)
		printf("group      %s\n", group->gr_name);
	else
		printf("group      %u\n", info->gid);
	printf("mode       %04o\n", info->mode);
	printf("flags      %s\n", flags_text(info, flags));
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

static int info_main(int argc, char **argv)
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

static int rm_main(int argc, char **argv)
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

/* --- main ---------------------------------------------------------------- */

static const struct command commands[] = {
	{ "demo", "", "watch processes work together and survive a death",
	  demo_main },
	{ "info", "NAME...", "what is known of an object", info_main },
	{ "ls", "", "list the names", ls_main },
	{ "rm", "NAME...", "take names away", rm_main },
	{ }
};

static char *list_commands(int key, const char *text, void *input)
{
	const struct command *command;
	char *all = NULL;
	size_t size;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&all, &size);
	if (!f)
		return NULL;
	fputs("Commands:\n", f);
	for (command = commands; command->name; command++)
		fprintf(f, "  %-6s %-8s  %s\n", command->name, command->args,
			command->doc);
	fputs("\n`gosync COMMAND --help' tells more.", f);
	fclose(f);
	return all;
}

static error_t main_parse(int key, char *arg, struct argp_state *state)
{
	int *first = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_ARG:
		/* The rest is the sub-command's. */
		*first = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = main_parse,
		.args_doc = "COMMAND [ARG...]",
		.doc = "Named synchronization objects between processes.\v",
		.help_filter = list_commands,
	};
	const struct command *command;
	char self[32];
	int first;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &first);
	for (command = commands; command->name; command++)
		if (!strcmp(command->name, argv[first]))
			break;
	if (!command->name) {
		fprintf(stderr, "gosync: no command '%s'; see gosync --help\n",
			argv[first]);
		return 2;
	}

	/* So that argp's messages name the sub-command. */
	snprintf(self, sizeof(self), "gosync %s", command->name);
	argv[first] = self;
	return command->run(argc - first, argv + first);
}
