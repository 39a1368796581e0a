// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync: look at named objects, remove them, see them work.
 *
 * The sub-commands stand in the table commands[], and are elsewhere.
 */
#include <stdio.h>
#include <string.h>

#include "gosync.h"

struct command {
	const char *name;
	const char *args;
	const char *doc;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "deadlocks", "", "find processes that wait for each other",
	  deadlocks_main },
	{ "demo", "", "watch processes work together and survive a death",
	  demo_main },
	{ "info", "NAME...", "what is known of an object", info_main },
	{ "ls", "", "list the names", ls_main },
	{ "rm", "NAME...", "take names away", rm_main },
	{ "top", "", "watch what is waited for", top_main },
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
		fprintf(f, "  %-9s %-8s  %s\n", command->name, command->args,
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
