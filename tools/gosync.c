// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync: look at named objects, remove them, see them work.
 *
 * The sub-commands stand in the table commands[], and are elsewhere.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gosync.h"

struct command {
	const char *name;
	const char *args;
	const char *doc;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "add", "NAME [N]", "add to a number, and print it", add_main },
	{ "atomic", "VERB ...", "numbers", atomic_main },
	{ "break", "NAME...", "take a lock from a process that hangs",
	  break_main },
	{ "chmod", "MODE ...", "change who may open objects", chmod_main },
	{ "chown", "OWNER ...", "change whose they are", chown_main },
	{ "cond", "VERB ...", "wait to be signalled", cond_main },
	{ "deadlocks", "", "find processes that wait for each other",
	  deadlocks_main },
	{ "demo", "", "watch processes work together and survive a death",
	  demo_main },
	{ "holders", "[NAME...]", "who holds objects", holders_main },
	{ "info", "NAME...", "what is known of an object", info_main },
	{ "limits", "", "how many objects there may be, and how large",
	  limits_main },
	{ "ls", "", "list the names", ls_main },
	{ "map", "VERB ...", "values by key", map_main },
	{ "once", "NAME ...", "run a command once", once_main },
	{ "recover", "NAME...", "make a lock whose owner died good again",
	  recover_main },
	{ "report", "[FILE]", "make a page of a recording", report_main },
	{ "rm", "NAME...", "take names away", rm_main },
	{ "run", "NAME ...", "run a command under a lock", run_main },
	{ "sem", "VERB ...", "permits", sem_main },
	{ "stat", "[NAME...]", "how waits went, once or every so often",
	  stat_main },
	{ "top", "", "watch what is waited for", top_main },
	{ "trace", "[NAME...]", "record who waits for whom", trace_main },
	{ "value", "VERB ...", "bytes that are replaced as a whole",
	  value_main },
	{ "waiters", "[NAME...]", "who waits for objects", waiters_main },
	{ "wg", "VERB ...", "wait until all are done", wg_main },
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
		fprintf(f, "  %-9s %-9s  %s\n", command->name, command->args,
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

/* Where they stand in memory, for ps and pkill to see */
static char *arguments, *arguments_end;

void forget_arguments(void)
{
	memset(arguments, 0, arguments_end - arguments);
}

static void end(int number)
{
	_exit(128 + number);
}

/*
 * The first process of a container has no default actions, so while it waits
 * nothing would end it.
 */
static void be_first(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!sigaction(numbers[i], NULL, &old) &&
		    old.sa_handler == SIG_DFL)
			signal(numbers[i], end);
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

	arguments = argv[0];
	arguments_end = strchr(argv[argc - 1], 0);
	if (getpid() == 1)
		be_first();
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

	/* So that argp's messages name the sub-command, and ours. */
	snprintf(self, sizeof(self), "gosync %s", command->name);
	argv[first] = self;
	program_invocation_name = self;
	return command->run(argc - first, argv + first);
}
