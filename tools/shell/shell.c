// SPDX-License-Identifier: GPL-2.0-only
/*
 * The primitives for shells: verbs, options, opening, input and output. See
 * shell.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shell.h"

/* --- Messages -------------------------------------------------------------- */

void shell_usage(const struct shell *sh, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", sh->who);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry `%s --help' for more information.\n", sh->who);
	exit(2);
}

void shell_say(const struct shell *sh, const char *format, ...)
{
	char text[NAME_BUF];
	va_list args;

	fprintf(stderr, "%s: %s: ", sh->who,
		name_text(sh->name, strlen(sh->name), text));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static bool takes(const struct verb *verb, const char *option)
{
	const char *const *name;

	for (name = verb->options; *name; name++)
		if (!strcmp(*name, option))
			return true;
	return false;
}

static const char *advice(const struct shell *sh, unsigned int op, int err)
{
	switch (err) {
	case -EPERM:
		if (op == GOSYNC_IOC_SEMAPHORE_RELEASE)
			return "; only their holder can release permits; see gosync sem limit";
		break;
	case -ENOENT:
		if (takes(sh->verb, "permits"))
			return "; --permits N creates it";
		if (takes(sh->verb, "wait-for-name"))
			return "; --wait-for-name waits for it; gosync ls lists the names";
		return "; gosync ls lists the names";
	case -EACCES:
		return "; its mode must let you use it, or be root";
	case -ENOTCONN:
	case -EOPNOTSUPP:
		return sh->cluster ? "; see gosync cluster status" : "";
	case -EMFILE:
		return "; see ulimit -n";
	case -EDQUOT:
		return "; remove names that are not needed (gosync rm)";
	case -ENOSPC:
		if (op == GOSYNC_IOC_MAP_STORE)
			return "; it is full: delete keys, or create it with more --entries";
		return "; remove names that are not needed (gosync rm)";
	case -ENODATA:
		if (op == GOSYNC_IOC_VALUE_LOAD)
			return "; nothing has been set";
		return "; there is no such key";
	}
	return "";
}

int shell_error(const struct shell *sh, unsigned int op, int err)
{
	shell_say(sh, "%s%s", gosync_strerror(op, err), advice(sh, op, err));
	return exit_status(err);
}

/* --- Options and operands -------------------------------------------------- */

enum {
	KEY_CAPACITY = 256,
	KEY_CLUSTER,
	KEY_COUNT,
	KEY_ENTRIES,
	KEY_GIVE_BACK,
	KEY_KEY_SIZE,
	KEY_NEW,
	KEY_PERMITS,
	KEY_POISON,
	KEY_VALUE_SIZE,
	KEY_VERBOSE,
	KEY_WAIT_FOR_NAME,
};

/* All options; an alias follows its option. */
static const struct argp_option all_options[] = {
	{ "exclusive", 'x', NULL, 0,
	  "Exclude all other owners (the default)", 0 },
	{ NULL, 'e', NULL, OPTION_ALIAS, NULL, 0 },
	{ "shared", 's', NULL, 0,
	  "Share the lock with others that use -s, but not with -x", 0 },
	{ "timeout", 'w', "SECONDS", 0,
	  "Wait at most SECONDS, fractions allowed; then exit with 1",
	  0 },
	{ "wait", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "wait-for-name", KEY_WAIT_FOR_NAME, NULL, 0,
	  "If NAME does not exist, wait until it is created", 0 },
	{ "nonblock", 'n', NULL, 0,
	  "Exit with 1, without a message, rather than wait", 0 },
	{ "nb", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "command", 'c', "COMMAND", 0,
	  "Run COMMAND by a shell: the one in SHELL, or /bin/sh", 0 },
	{ "conflict-exit-code", 'E', "N", 0,
	  "Exit with N rather than 1 if the wait fails", 0 },
	{ "close", 'o', NULL, 0,
	  "COMMAND does not inherit the descriptor", 0 },
	{ "no-fork", 'F', NULL, 0,
	  "Run COMMAND in this process rather than in a child", 0 },
	{ "temporary", 't', NULL, 0,
	  "If NAME is created, its last user removes it", 0 },
	{ "poison-on-failure", KEY_POISON, NULL, 0,
	  "An exit status of COMMAND other than 0 counts as a death; only with -x",
	  0 },
	{ "mode", 'm', "MODE", 0,
	  "If NAME is created: its permissions, octal (0666 less the umask); read is to look, write is to use. It is an error if NAME exists with another MODE",
	  0 },
	{ "cluster", KEY_CLUSTER, NULL, 0,
	  "If NAME is created: it is one for all machines of the cluster that create it so",
	  0 },
	{ "verbose", KEY_VERBOSE, NULL, 0, "Print messages about the progress", 0 },
	{ "lock", 'l', NULL, 0,
	  "While waiting, release the lock of the gosync run around this command", 0 },
	{ "index", 'i', "INDEX", 0,
	  "Index of the word (0), for an array of a program", 0 },
	{ "zero", '0', NULL, 0,
	  "Print the bytes as they are, each with a 0 byte after it", 0 },
	{ "values", 'v', NULL, 0, "Also print the values", 0 },
	{ "new", KEY_NEW, NULL, 0,
	  "Do not print the first value", 0 },
	{ "count", KEY_COUNT, "N", 0, "End after N values", 0 },
	{ "capacity", KEY_CAPACITY, "BYTES", 0,
	  "If NAME is created: the largest size of DATA (4096, or that of DATA)",
	  0 },
	{ "entries", KEY_ENTRIES, "N", 0,
	  "If NAME is created: the largest number of keys (4096)", 0 },
	{ "key-size", KEY_KEY_SIZE, "BYTES", 0,
	  "If NAME is created: the largest size of a KEY (64)", 0 },
	{ "value-size", KEY_VALUE_SIZE, "BYTES", 0,
	  "If NAME is created: the largest size of a VALUE (256)", 0 },
	{ "permits", KEY_PERMITS, "N", 0,
	  "If NAME does not exist, create it with N permits", 0 },
	{ "give-back", KEY_GIVE_BACK, NULL, 0,
	  "The permits of a killed sem run are given back; only a holder releases permits", 0 },
	{ }
};

#define OPTIONS	ARRAY_SIZE(all_options)

static void pick_options(const struct verb *verb,
			 struct argp_option options[OPTIONS])
{
	bool taken = false;
	size_t i;

	for (i = 0; i < OPTIONS - 1; i++) {
		if (!(all_options[i].flags & OPTION_ALIAS))
			taken = takes(verb, all_options[i].name);
		if (taken)
			*options++ = all_options[i];
	}
	*options = all_options[i];
}

static unsigned int parse_mode(struct argp_state *state, const char *arg)
{
	unsigned long mode;
	char *end;

	mode = strtoul(arg, &end, 8);
	if (end == arg || *end || *arg == '-' || mode > 0777)
		argp_error(state, "MODE must be an octal number up to 0777");
	return mode;
}

/* COMMAND [ARG...], or -c COMMAND; either may follow "--" */
static void take_command(struct shell *sh, struct argp_state *state)
{
	char **rest = sh->args;
	int count = sh->count;

	/* "--" must separate an operand from the COMMAND that follows. */
	if (sh->verb->max > 2 && count > 1 && strcmp(rest[0], "--") &&
	    !strcmp(rest[1], "--")) {
		sh->count = 1;
		rest++;
		count--;
	} else {
		sh->count = 0;
	}
	if (count && !strcmp(rest[0], "--")) {
		rest++;
		count--;
	} else if (count > 1 && (!strcmp(rest[0], "-c") ||
				 !strcmp(rest[0], "--command"))) {
		sh->line[2] = rest[1];
		rest += 2;
		count -= 2;
	}
	if (sh->line[2]) {
		if (count)
			argp_error(state, "-c and COMMAND exclude each other");
		sh->line[0] = getenv("SHELL");
		if (!sh->line[0] || !*sh->line[0])
			sh->line[0] = "/bin/sh";
		sh->line[1] = "-c";
		sh->command = sh->line;
	} else if (count) {
		sh->command = rest;
	} else {
		argp_error(state, "COMMAND is missing");
	}
	if (sh->no_fork && sh->close)
		argp_error(state, "-F and -o exclude each other");
	if (sh->poison && (sh->no_fork || sh->shared))
		argp_error(state, "--poison-on-failure excludes -F and -s");
}

static void take_operands(struct shell *sh, struct argp_state *state)
{
	const struct verb *verb = sh->verb;
	int count = state->argc - state->next;

	sh->name = state->argv[state->next];
	sh->args = state->argv + state->next + 1;
	sh->count = count - 1;
	if (count < verb->min)
		argp_error(state, "%s wanted", verb->args);
	else if (verb->max && count > verb->max)
		argp_error(state, "there are too many arguments; the usage is %s", verb->args);
}

/* Options without an argument, and what they set */
static const struct {
	int key;
	size_t is_set;	/* a bool in struct shell */
} switches[] = {
	{ 'o', offsetof(struct shell, close) },
	{ 'F', offsetof(struct shell, no_fork) },
	{ 't', offsetof(struct shell, temporary) },
	{ 'l', offsetof(struct shell, lock) },
	{ '0', offsetof(struct shell, zero) },
	{ 'v', offsetof(struct shell, values) },
	{ KEY_CLUSTER, offsetof(struct shell, cluster) },
	{ KEY_NEW, offsetof(struct shell, skip) },
	{ KEY_POISON, offsetof(struct shell, poison) },
	{ KEY_GIVE_BACK, offsetof(struct shell, give_back) },
	{ KEY_VERBOSE, offsetof(struct shell, verbose) },
	{ KEY_WAIT_FOR_NAME, offsetof(struct shell, await) },
};

static error_t set_switch(struct shell *sh, int key)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(switches); i++) {
		if (switches[i].key == key) {
			*(bool *)((char *)sh + switches[i].is_set) = true;
			return 0;
		}
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t verb_parse(int key, char *arg, struct argp_state *state)
{
	struct shell *sh = state->input;
	double seconds;

	switch (key) {
	case ARGP_KEY_ARG:
		if (!sh->verb->command)
			return ARGP_ERR_UNKNOWN;
		if (!sh->name) {
			sh->name = arg;
			return 0;
		}
		/* The arguments after COMMAND belong to it. */
		sh->args = state->argv + state->next - 1;
		sh->count = state->argc - state->next + 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_ARGS:
		take_operands(sh, state);
		return 0;
	case ARGP_KEY_END:
		if (!*sh->name)
			argp_error(state, "NAME must not be empty");
		if (sh->verb->command)
			take_command(sh, state);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	case 'w':
		seconds = parse_seconds(state, arg, "SECONDS");
		sh->timeout = seconds * 1e9;
		return 0;
	case 'n':
		sh->timeout = 0;
		return 0;
	case 'x':
	case 'e':
		sh->shared = false;
		return 0;
	case 's':
		sh->shared = true;
		return 0;
	case 'c':
		sh->line[2] = arg;
		return 0;
	case 'E':
		sh->conflict = parse_number(state, arg, "N", 0, 255);
		return 0;
	case 'm':
		sh->mode = parse_mode(state, arg);
		sh->mode_given = true;
		return 0;
	case 'i':
		sh->index = parse_number(state, arg, "INDEX", 0, 65535);
		return 0;
	case KEY_COUNT:
		sh->limit = parse_number(state, arg, "N", 1, INT32_MAX);
		return 0;
	case KEY_CAPACITY:
		sh->capacity = parse_number(state, arg, "a number of bytes", 1,
					    4 << 20);
		return 0;
	case KEY_ENTRIES:
		sh->capacity = parse_number(state, arg, "a number of entries",
					    1, 4 << 20);
		return 0;
	case KEY_PERMITS:
		sh->capacity = parse_number(state, arg, "a number of permits",
					    1, INT32_MAX);
		return 0;
	case KEY_KEY_SIZE:
		sh->key_size = parse_number(state, arg, "a number of bytes", 1,
					    GOSYNC_MAP_KEY_MAX);
		return 0;
	case KEY_VALUE_SIZE:
		sh->value_size = parse_number(state, arg, "a number of bytes",
					      1, GOSYNC_MAP_VALUE_MAX);
		return 0;
	}
	return set_switch(sh, key);
}

int64_t shell_number(const struct shell *sh, const char *text,
		     const char *what, int64_t min, int64_t max)
{
	long long n;
	char *end;

	errno = 0;
	n = strtoll(text, &end, 0);
	if (errno || end == text || *end || n < min || n > max)
		shell_usage(sh, "%s must be a number from %lld to %lld", what,
			    (long long)min, (long long)max);
	return n;
}

/* --- Verbs ----------------------------------------------------------------- */

static int run_verb(const struct verb *verb, const char *who, int argc,
		    char **argv)
{
	struct argp_option options[OPTIONS];
	struct argp argp = {
		.options = options,
		.parser = verb_parse,
		.args_doc = verb->args,
		.doc = verb->doc,
	};
	struct shell sh = { .verb = verb, .timeout = -1, .conflict = 1 };
	mode_t mask = umask(0);
	bool in_order = verb->command || verb->numbers;

	pick_options(verb, options);
	/* argp prints the options between the two. */
	if (verb->more &&
	    asprintf((char **)&argp.doc, "%s\v%s", verb->doc, verb->more) < 0)
		argp.doc = verb->doc;
	umask(mask);
	sh.mode = 0666 & ~mask;
	snprintf(sh.who, sizeof(sh.who), "%s", who);
	argv[0] = sh.who;
	argp_parse(&argp, argc, argv, in_order ? ARGP_IN_ORDER : 0, NULL, &sh);
	sh.until = sh.timeout < 0 ? GOSYNC_FOREVER : gosync_deadline(sh.timeout);
	/* The first process of a container has to reap orphans. */
	if (getpid() == 1)
		signal(SIGCHLD, SIG_IGN);
	return verb->run(&sh);
}

/* The parsed arguments of a command that has verbs */
struct group {
	const char *who;
	const struct verb *verbs;
	const struct verb *verb;
};

static char *list_verbs(int key, const char *text, void *input)
{
	const struct group *group = input;
	const struct verb *verb;
	char *all = NULL;
	size_t size;
	FILE *f;

	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	f = open_memstream(&all, &size);
	if (!f)
		return NULL;
	for (verb = group->verbs; verb->name; verb++)
		fprintf(f, "  %s %.*s\n      %s\n", verb->name,
			(int)strcspn(verb->args, "\n"), verb->args, verb->doc);
	fprintf(f, "\n`%s %s --help' explains a verb.", group->who,
		group->verbs->name);
	fclose(f);
	return all;
}

static error_t verbs_parse(int key, char *arg, struct argp_state *state)
{
	struct group *group = state->input;
	const struct verb *verb;

	switch (key) {
	case ARGP_KEY_ARG:
		for (verb = group->verbs; verb->name; verb++)
			if (!strcmp(verb->name, arg))
				break;
		if (!verb->name)
			argp_error(state, "there is no verb '%s'", arg);
		group->verb = verb;
		/* The rest belongs to the verb; see verbs_main(). */
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int verbs_main(int argc, char **argv, const struct verb *verbs, const char *doc)
{
	const struct argp argp = {
		.parser = verbs_parse,
		.args_doc = "VERB NAME [ARG...]",
		.doc = doc,
		.help_filter = list_verbs,
	};
	struct group group = { .who = argv[0], .verbs = verbs };
	char who[48];
	int first = 1;

	if (!verbs->name)
		return run_verb(verbs, argv[0], argc, argv);

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &group);
	/* These commands have no options of their own except "--". */
	while (strcmp(argv[first], group.verb->name))
		first++;
	snprintf(who, sizeof(who), "%s %s", argv[0], group.verb->name);
	return run_verb(group.verb, who, argc - first, argv + first);
}

/* --- Opening --------------------------------------------------------------- */

static int open_as(const struct shell *sh, unsigned int type,
		   unsigned int flags)
{
	struct gosync_open_args how = {
		.size = sizeof(how),
		.type = type,
		.flags = flags | (sh->cluster && flags & GOSYNC_CREATE ?
				  GOSYNC_CLUSTER : 0),
		.mode = flags & GOSYNC_CREATE ? sh->mode : 0,
		.name = (uintptr_t)sh->name,
		.name_len = strlen(sh->name),
		.capacity = sh->capacity,
		.key_size = sh->key_size,
		.value_size = sh->value_size,
	};
	bool await = sh->await && !(flags & GOSYNC_CREATE);
	int device = device_open();
	int object;

	if (await) {
		how.flags |= GOSYNC_AWAIT;
		how.deadline = sh->until;
	}
	object = ioctl(device, GOSYNC_IOC_OPEN, &how);
	if (object < 0)
		object = -errno;
	close(device);
	return object;
}

int shell_try_open(const struct shell *sh, unsigned int type,
		   unsigned int flags)
{
	int fd = open_as(sh, type, flags);
	struct gosync_info info;

	if (fd < 0 || !sh->mode_given)
		return fd;
	shell_info(sh, fd, &info);
	if (info.mode == sh->mode)
		return fd;
	shell_say(sh, "its mode is %04o, not %04o; leave -m out, or remove the name (gosync rm)",
		  info.mode, sh->mode);
	exit(exit_status(-EPROTOTYPE));
}

/* The name has another type: print which one. */
static void tell_type(const struct shell *sh, unsigned int type)
{
	struct gosync_info info = { .size = sizeof(info) };
	struct shell plain = { .name = sh->name };
	int fd = open_as(&plain, 0, GOSYNC_RDONLY);

	if (fd < 0 || ioctl(fd, GOSYNC_IOC_INFO, &info) < 0)
		shell_say(sh, "it is not a %s; choose another name",
			  gosync_type_name(type));
	else if (info.type == GOSYNC_MUTEX && sh->shared)
		shell_say(sh, "it is a mutex, which cannot be shared; leave -s out");
	else if (info.type != type)
		shell_say(sh, "it is a %s, not a %s; choose another name",
			  gosync_type_name(info.type), gosync_type_name(type));
	else if (type == GOSYNC_MAP)
		shell_say(sh, "created with --entries %llu --key-size %u --value-size %u; use them",
			  (unsigned long long)info.capacity, info.key_size,
			  info.value_size);
	else
		shell_say(sh, "it was created with %llu %s; use these",
			  (unsigned long long)info.capacity,
			  type == GOSYNC_SEMAPHORE ? "permits" :
			  type == GOSYNC_VALUE ? "bytes of capacity" : "words");
	if (fd >= 0)
		close(fd);
}

/* It exists, and this process has no permission. */
static void tell_mode(const struct shell *sh)
{
	struct gosync_info info = { .size = sizeof(info) };
	struct shell plain = { .name = sh->name };
	int fd = open_as(&plain, 0, GOSYNC_RDONLY);

	if (fd < 0 || ioctl(fd, GOSYNC_IOC_INFO, &info) < 0) {
		shell_error(sh, GOSYNC_IOC_OPEN, -EACCES);
		return;
	}
	shell_say(sh, "Permission denied; its mode is %04o; %s should have created it with -m 0666",
		  info.mode, user_text(info.uid));
}

int shell_open(const struct shell *sh, unsigned int type, unsigned int flags)
{
	int fd = shell_try_open(sh, type, flags);

	if (fd >= 0)
		return fd;
	if (fd == -ETIMEDOUT)
		exit(shell_gave_up(sh));
	if (fd == -EACCES)
		tell_mode(sh);
	else if (fd == -EPROTOTYPE)
		tell_type(sh, type);
	else
		shell_error(sh, GOSYNC_IOC_OPEN, fd);
	exit(exit_status(fd));
}

void shell_info(const struct shell *sh, int fd, struct gosync_info *info)
{
	*info = (struct gosync_info) { .size = sizeof(*info) };
	if (ioctl(fd, GOSYNC_IOC_INFO, info) < 0)
		exit(shell_error(sh, GOSYNC_IOC_INFO, -errno));
}

/* --- Waiting --------------------------------------------------------------- */

uint64_t shell_deadline(const struct shell *sh)
{
	/* Waiting for the name may have taken some of the time: -w is for both waits. */
	if (sh->await)
		return sh->until;
	return sh->timeout < 0 ? GOSYNC_FOREVER : gosync_deadline(sh->timeout);
}

int shell_gave_up(const struct shell *sh)
{
	if (sh->verbose && !sh->timeout)
		shell_say(sh, "another process has it");
	else if (sh->timeout)
		shell_say(sh, "timed out after %g seconds", sh->timeout / 1e9);
	return sh->conflict;
}

/* --- Data ------------------------------------------------------------------ */

const void *shell_read(const struct shell *sh, int i, size_t max, size_t *len)
{
	size_t size = 4096;
	char *data = NULL;
	ssize_t n;

	if (i < sh->count && strcmp(sh->args[i], "-")) {
		*len = strlen(sh->args[i]);
		if (*len <= max)
			return sh->args[i];
		goto too_long;
	}

	*len = 0;
	do {
		if (!data || *len == size) {
			size *= 2;
			data = realloc(data, size);
			if (!data) {
				shell_error(sh, 0, -ENOMEM);
				exit(1);
			}
		}
		n = read(STDIN_FILENO, data + *len, size - *len);
		if (n < 0) {
			shell_say(sh, "standard input: %s", strerror(errno));
			exit(1);
		}
		*len += n;
		if (*len > max)
			goto too_long;
	} while (n);
	return data;

too_long:
	shell_say(sh, "the input has more than %zu bytes, the most that can be stored",
		  max);
	exit(1);
}

int shell_write(const void *data, size_t len)
{
	const char *bytes = data;

	fwrite(bytes, 1, len, stdout);
	if (len && bytes[len - 1] != '\n' && isatty(STDOUT_FILENO))
		putchar('\n');
	if (fflush(stdout) == 0)
		return 0;
	fprintf(stderr, "gosync: standard output: %s\n", strerror(errno));
	return 1;
}
