// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync: the command. The table commands[] lists its sub-commands.
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
	{ "add", "NAME [N]", "add to a number and print it", add_main },
	{ "atomic", "VERB ...", "use a number", atomic_main },
	{ "break", "NAME...", "take a lock from a process that hangs",
	  break_main },
	{ "chmod", "MODE ...", "change the permissions of objects", chmod_main },
	{ "chown", "OWNER ...", "change the owner of objects", chown_main },
	{ "cluster", "status", "show the machines that share objects",
	  cluster_main },
	{ "cond", "VERB ...", "wait for a signal of another process", cond_main },
	{ "deadlocks", "", "find processes that wait for each other",
	  deadlocks_main },
	{ "demo", "", "see processes work together and survive a death",
	  demo_main },
	{ "holders", "[NAME...]", "list the holders of objects", holders_main },
	{ "info", "NAME...", "show everything about an object", info_main },
	{ "limits", "", "show how many objects there may be, and how large",
	  limits_main },
	{ "ls", "", "list the names", ls_main },
	{ "map", "VERB ...", "use a map of keys and values", map_main },
	{ "once", "NAME ...", "run a command once", once_main },
	{ "recover", "NAME...", "recover a lock whose owner died",
	  recover_main },
	{ "report", "[FILE]", "make an HTML page of a recording", report_main },
	{ "rm", "NAME...", "remove names", rm_main },
	{ "run", "NAME ...", "run a command under a lock", run_main },
	{ "sem", "VERB ...", "use the permits of a semaphore", sem_main },
	{ "stat", "[NAME...]", "show how many waits there were, and how long",
	  stat_main },
	{ "top", "", "watch the objects that have waiters", top_main },
	{ "trace", "[NAME...]", "record which process waits for which",
	  trace_main },
	{ "value", "VERB ...", "use bytes that are replaced as a whole",
	  value_main },
	{ "waiters", "[NAME...]", "list the waiters of objects", waiters_main },
	{ "wg", "VERB ...", "wait until all parts of a job are done", wg_main },
	{ }
};

const char *argp_program_version = "gosync " GOSYNC_VERSION;

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
	fputs("\n`gosync COMMAND --help' explains a command.", f);
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

/* The memory that ps(1) and pkill(1) read */
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
 * Signals have no default action in the first process of a container. Without
 * these handlers nothing would end it while it waits.
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
		.doc = "Look at named synchronization objects, and use them.\v",
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
		fprintf(stderr, "gosync: there is no command '%s'; see gosync --help\n",
			argv[first]);
		return 2;
	}

	/* Messages, those of argp too, name the sub-command. */
	snprintf(self, sizeof(self), "gosync %s", command->name);
	argv[first] = self;
	program_invocation_name = self;
	return command->run(argc - first, argv + first);
}
