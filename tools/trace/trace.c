// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace: record the waits, and show them.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gosync.h"
#include "table.h"
#include "trace.h"

/* The number of lines for each object */
#define MOST_PAIRS	5
#define MOST_STACKS	3

enum {
	OPT_FOLDED = 0x100,
	OPT_PERFETTO,
	OPT_PPROF,
	OPT_NO_STACKS,
};

struct trace_args {
	struct record_options record;
	const char *input, *output, *perfetto, *pprof;
	bool folded, json;
	size_t nr_names;
};

/* Sums of waits that are alike */
static struct trace_sums pairs, stacks;

static void add_pair(const struct trace_wait *wait)
{
	struct trace_sum alike = {
		.object = wait->object,
		.task = wait->task,
		.blocker = trace_blocker(wait),
	};

	trace_sum(&pairs, &alike, wait->ns);
}

static void add_stack(const struct trace_wait *wait)
{
	struct trace_sum alike = {
		.object = wait->object,
		.stack = wait->stack,
	};

	trace_sum(&stacks, &alike, wait->ns);
}

/* --- Folded stacks ------------------------------------------------------- */

/* Print a frame; characters that would end it or the line become spaces. */
static void fold(const char *text)
{
	for (; *text; text++)
		putchar(strchr("; \t\r\n", *text) ? '_' : *text);
}

static void folded_wait(const struct trace_wait *wait)
{
	struct trace_sum alike = {
		.object = wait->object,
		.task = wait->task,
		.stack = wait->stack,
	};

	trace_sum(&stacks, &alike, wait->ns);
}

static int folded_end(const struct trace_summary *summary)
{
	struct trace_sum *all = trace_sums_by_cost(&stacks), *sum;
	const struct trace_stack *stack;
	unsigned int i;

	(void)summary;
	for (sum = all; sum < all + stacks.nr; sum++) {
		fold(sum->task->comm);
		stack = sum->stack;
		for (i = stack ? stack->depth : 0; i--;) {
			putchar(';');
			fold(trace_named(stack->frames[i])->function);
			if (!stack->frames[i]->file)
				fputs("_[k]", stdout);
		}
		putchar(';');
		fold(object_text(sum->object));
		printf(" %llu\n", (unsigned long long)sum->ns);
	}
	free(all);
	return trace_close(stdout, "standard output");
}

static const struct trace_output folded_output = {
	.wait = folded_wait,
	.end = folded_end,
};

/* --- Text ---------------------------------------------------------------- */

enum {
	COL_NAME, COL_TYPE, COL_WAITS, COL_TOTAL, COL_MEAN, COL_LONGEST,
	COL_WOKEN, COL_HANDED_OVER, COL_BARGED, COL_GAVE_UP, COL_UNFINISHED,
	COL_DEATHS,
};

static const struct column columns[] = {
	[COL_NAME] = { .name = "NAME" },
	[COL_TYPE] = { .name = "TYPE" },
	[COL_WAITS] = { .name = "WAITS", .kind = COLUMN_NUMBER },
	[COL_TOTAL] = { .name = "TOTAL", .kind = COLUMN_NUMBER },
	[COL_MEAN] = { .name = "MEAN", .kind = COLUMN_NUMBER },
	[COL_LONGEST] = { .name = "LONGEST", .kind = COLUMN_NUMBER },
	[COL_WOKEN] = { .name = "WOKEN", .kind = COLUMN_NUMBER },
	[COL_HANDED_OVER] = { .name = "HANDED-OVER", .kind = COLUMN_NUMBER },
	[COL_BARGED] = { .name = "BARGED", .kind = COLUMN_NUMBER },
	[COL_GAVE_UP] = { .name = "GAVE-UP", .kind = COLUMN_NUMBER },
	[COL_UNFINISHED] = { .name = "WAITING", .kind = COLUMN_NUMBER },
	[COL_DEATHS] = { .name = "DEATHS", .kind = COLUMN_NUMBER },
	{ }
};

static uint64_t waits_of(const struct trace_object *object)
{
	return object->stats.acquired + object->stats.gave_up +
	       object->stats.unfinished;
}

static uint64_t cost_of(const struct trace_object *object)
{
	return object->stats.wait_ns + object->stats.other_ns;
}

static void set_count(struct table *table, unsigned int column, uint64_t n)
{
	table_set(table, column, "%llu", (unsigned long long)n);
}

static void show_object(struct table *table, const struct trace_object *object)
{
	const struct trace_stats *stats = &object->stats;
	const char *type = gosync_type_name(object->type);
	uint64_t waits = waits_of(object);

	table_line(table);
	table_set(table, COL_NAME, "%s", object_text(object));
	table_set(table, COL_TYPE, "%s", type ? type : "?");
	set_count(table, COL_WAITS, waits);
	if (waits) {
		table_set_time(table, COL_TOTAL, cost_of(object));
		table_set_time(table, COL_MEAN, cost_of(object) / waits);
		table_set_time(table, COL_LONGEST, stats->wait_max_ns);
	}
	set_count(table, COL_WOKEN, stats->acquired - stats->handed_over);
	set_count(table, COL_HANDED_OVER, stats->handed_over);
	set_count(table, COL_BARGED, stats->barged);
	set_count(table, COL_GAVE_UP, stats->gave_up);
	set_count(table, COL_UNFINISHED, stats->unfinished);
	set_count(table, COL_DEATHS, stats->deaths);
}

static const char *task_text(const struct trace_task *task, char buf[128])
{
	char name[NAME_BUF];

	if (!task)
		return "nobody";
	name_text(task->comm, strlen(task->comm), name);
	if (task->tid == task->pid)
		snprintf(buf, 128, "%.64s %d", name, task->pid);
	else
		snprintf(buf, 128, "%.64s %d/%d", name, task->pid, task->tid);
	return buf;
}

static void show_pair(const struct trace_sum *sum)
{
	char waiter[128], blocker[128], time[16];

	printf("  %-24s waited for %-24s %8llu times, %s\n",
	       task_text(sum->task, waiter), task_text(sum->blocker, blocker),
	       (unsigned long long)sum->count, duration_text(sum->ns, time));
}

static void show_stack(const struct trace_sum *sum)
{
	const struct trace_frame *frame;
	unsigned int i;
	char time[16];

	if (!sum->stack)
		return;
	printf("  %llu waits, %s, in\n", (unsigned long long)sum->count,
	       duration_text(sum->ns, time));
	for (i = 0; i < sum->stack->depth; i++) {
		frame = trace_named(sum->stack->frames[i]);
		printf("    %s%s", frame->function,
		       frame->file ? "" : " [kernel]");
		if (frame->source)
			printf("  %s:%d", frame->source, frame->line);
		putchar('\n');
	}
}

static void show_sums(const struct trace_object *object,
		      const struct trace_sum *all, size_t nr, size_t most,
		      void (*show)(const struct trace_sum *sum))
{
	size_t shown = 0;

	for (; nr && shown < most; nr--, all++) {
		if (all->object != object)
			continue;
		show(all);
		shown++;
	}
}

static void text_wait(const struct trace_wait *wait)
{
	add_pair(wait);
	add_stack(wait);
}

static void show_who_and_where(struct trace_object **objects)
{
	struct trace_sum *who = trace_sums_by_cost(&pairs);
	struct trace_sum *where = trace_sums_by_cost(&stacks);

	for (; *objects && cost_of(*objects); objects++) {
		printf("\n%s:\n", object_text(*objects));
		show_sums(*objects, who, pairs.nr, MOST_PAIRS, show_pair);
		show_sums(*objects, where, stacks.nr, MOST_STACKS, show_stack);
	}
	free(who);
	free(where);
}

static int text_end(const struct trace_summary *summary)
{
	struct trace_object **objects = trace_objects_by_cost(), **object;
	struct table table = { .name = "objects", .columns = columns };

	if (*objects) {
		table_begin(&table);
		for (object = objects; *object; object++)
			show_object(&table, *object);
		if (table_end(&table))
			return 1;
		show_who_and_where(objects);
	} else {
		printf("There were no waits and no other events in %.1f s.\n",
		       (summary->end - summary->begin) / 1e9);
	}
	free(objects);
	return trace_close(stdout, "standard output");
}

static const struct trace_output text_output = {
	.wait = text_wait,
	.end = text_end,
};

/* --- The command --------------------------------------------------------- */

static const struct argp_option options[] = {
	{ "duration", 'd', "SEC", 0, "record for SEC seconds", 0 },
	{ "input", 'i', "FILE", 0,
	  "do not record: show FILE, a recording of --json", 0 },
	{ "output", 'o', "FILE", 0,
	  "write to FILE; standard output also has the output of COMMAND",
	  0 },
	{ "json", 'J', NULL, 0,
	  "print each event as a line of JSON; `gosync report' reads this",
	  0 },
	{ "folded", OPT_FOLDED, NULL, 0,
	  "print stacks with the nanoseconds waited there, for flame graphs",
	  0 },
	{ "perfetto", OPT_PERFETTO, "FILE", 0,
	  "write a trace for ui.perfetto.dev", 0 },
	{ "pprof", OPT_PPROF, "FILE", 0,
	  "write a profile for `go tool pprof'", 0 },
	{ "no-stacks", OPT_NO_STACKS, NULL, 0,
	  "do not record stacks, which is cheaper", 0 },
	{ "buffer-size", 'b', "KIB", 0,
	  "size of the kernel's buffer for each processor (4096)", 0 },
	{ }
};

static void add_name(struct argp_state *state, const char *name)
{
	struct trace_args *args = state->input;

	if (!*name || strlen(name) > GOSYNC_NAME_MAX)
		argp_error(state, "a name has 1 to %d bytes", GOSYNC_NAME_MAX);
	args->record.names[args->nr_names++] = (char *)name;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct trace_args *args = state->input;

	switch (key) {
	case 'd':
		args->record.seconds = parse_seconds(state, arg,
						     "the duration");
		if (!args->record.seconds)
			argp_error(state, "the duration must be more than 0");
		break;
	case 'b':
		args->record.buffer_kib = parse_number(state, arg,
						       "the buffer size", 4,
						       4 << 20);
		break;
	case 'i':
		args->input = arg;
		break;
	case 'o':
		args->output = arg;
		break;
	case 'J':
		args->json = true;
		break;
	case OPT_FOLDED:
		args->folded = true;
		break;
	case OPT_PERFETTO:
		args->perfetto = arg;
		break;
	case OPT_PPROF:
		args->pprof = arg;
		break;
	case OPT_NO_STACKS:
		args->record.stacks = false;
		break;
	case ARGP_KEY_ARG:
		/* The command follows "--". */
		if (!state->quoted || state->next <= state->quoted) {
			add_name(state, arg);
			break;
		}
		args->record.command = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	case ARGP_KEY_END:
		if (args->json && args->folded)
			argp_error(state, "--json and --folded exclude each other");
		if (args->record.command && args->record.seconds)
			argp_error(state, "--duration and a COMMAND exclude each other");
		if (args->folded && !args->record.stacks)
			argp_error(state, "--folded needs stacks");
		if (args->input && (args->record.command || args->nr_names ||
				    args->record.seconds))
			argp_error(state, "--input excludes NAMEs, --duration and a COMMAND");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void tell_of_losses(const struct trace_summary *summary,
			   const struct record_options *record)
{
	fprintf(stderr, "%s: %llu events in %.1f s, ",
		program_invocation_name, (unsigned long long)summary->events,
		(summary->end - summary->begin) / 1e9);
	if (!summary->lost)
		fputs("none lost\n", stderr);
	else
		fprintf(stderr, "%llu events were lost: use --buffer-size with more than %zu%s\n",
			(unsigned long long)summary->lost, record->buffer_kib,
			record->stacks ? ", or --no-stacks" : "");
}

int trace_main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[NAME...] [-- COMMAND [ARG...]]",
		.doc = "Record the waits for objects while COMMAND runs, for some seconds, or\n"
		       "until Ctrl-C. Then show for each name how long the waits took, which\n"
		       "process waited for which, and where in the code.\n"
		       "\vWithout NAMEs all objects are recorded. Only root can record. Stacks show\n"
		       "the functions of a program if it was compiled with -fno-omit-frame-pointer.\n\n"
		       "The exit status is that of COMMAND; without COMMAND it is 0, or 1 if the\n"
		       "recording failed; 2 for wrong usage.",
	};
	struct trace_args args = {
		.record = {
			.buffer_kib = 4096,
			.output = -1,
			.stacks = true,
			.progress = isatty(STDERR_FILENO),
		},
	};
	struct trace_summary summary = { };
	int status = 0, failed;

	program_invocation_name = argv[0];
	args.record.names = calloc(argc + 1, sizeof(char *));
	if (!args.record.names)
		err(1, "gosync");
	/* In order: otherwise argp moves all arguments behind "--". */
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args);
	if (args.output)
		args.record.output = fileno(trace_create(args.output));
	if (args.output && args.input)
		dup2(args.record.output, STDOUT_FILENO);
	if (args.perfetto)
		trace_add_output(perfetto_output(args.perfetto));
	if (args.pprof)
		trace_add_output(pprof_output(args.pprof));
	if (args.json)
		trace_add_output(&export_output);
	else if (args.folded)
		trace_add_output(&folded_output);
	else
		trace_add_output(&text_output);

	if (args.input)
		import(args.input, &summary);
	else
		status = record(&args.record, &summary);
	failed = trace_end(&summary);
	tell_of_losses(&summary, &args.record);
	return failed ? 1 : status;
}
