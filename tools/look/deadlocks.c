// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync deadlocks: processes that wait for each other, and for how long.
 *
 * graph.c finds the deadlocks; this file prints them.
 */
#include <json-c/json.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "graph.h"
#include "table.h"

/* A wake-up that is under way arrives within this time. */
#define PAUSE_NS	50000000

enum { NONE, FOUND, FAILED = 3 };

static const char * const certainty_names[CERTAINTIES] = {
	"certain", "until-deadline", "possible"
};

static bool as_json;
static bool all;
static double interval = -1;
static long most_looks;	/* 0: until there is a deadlock */

/* The deadlocks of one look */
struct findings {
	struct graph graph;
	bool *told;		/* of each process */
	int knots[CERTAINTIES];
	FILE *text;
	struct json_object *json;
};

/* The holder that is being printed, and the wait for it */
struct telling {
	struct findings *findings;
	const struct waits *waits;
	struct json_object *json;
	int told;
	const struct process *next;	/* in the same knot, and not printed yet */
};

static int index_of(const struct graph *graph, const struct process *process)
{
	return process - graph->processes;
}

/* A name that a process has chosen, without control characters */
static const char *comm_text(const char *comm)
{
	static char text[17];
	char *c;

	snprintf(text, sizeof(text), "%.16s", comm);
	for (c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

static const char *comm_of(uint32_t pid)
{
	return comm_text(process_comm(pid));
}

static const char *since_text(uint64_t ns, char buf[16])
{
	if (ns < 1000000000)
		return duration_text(ns, buf);
	snprintf(buf, 16, "%.1f s", ns / 1e9);
	return buf;
}

static const char *name_of(const struct contended *object)
{
	static char name[NAME_BUF];

	return name_text(object->info.name, object->info.name_len, name);
}

/* --- As text -------------------------------------------------------------- */

static void add_pid(struct json_object *array, uint32_t pid)
{
	json_object_array_add(array, json_object_new_int64(pid));
}

static int tell_blocker(const struct gosync_party *party, void *arg)
{
	struct telling *telling = arg;
	const struct graph *graph = &telling->findings->graph;
	const struct process *process;
	const struct sharer *sharers;
	int nr, i;

	sharers = graph_sharers(graph, telling->waits->object, party->holder,
				&nr);
	for (i = 0; i < nr; i++) {
		process = graph_process(graph, sharers[i].pid);
		if (!process || !process->stuck)
			continue;
		if (process->knot && !telling->next &&
		    !telling->findings->told[index_of(graph, process)])
			telling->next = process;
		if (telling->findings->text)
			fprintf(telling->findings->text, "%s\"%s\" (pid %u)",
				telling->told ? " and " : "",
				comm_of(process->pid), process->pid);
		else
			add_pid(telling->json, process->pid);
		telling->told++;
	}
	return 0;
}

static void tell_wait(struct telling *telling)
{
	const struct gosync_party *party = telling->waits->party;
	const struct contended *object = telling->waits->object;
	FILE *f = telling->findings->text;
	const char *has = "held";
	char since[16];

	fprintf(f, "\"%s\" (pid %u, thread %u)\n",
		comm_text((const char *)party->comm), party->pid, party->tid);
	fprintf(f, "    waits ");
	switch (object->info.type) {
	case GOSYNC_ONCE:
		fprintf(f, "for \"%s\" (once) to be done", name_of(object));
		has = "run";
		break;
	case GOSYNC_SEMAPHORE:
		fprintf(f, "for %u of the permits of \"%s\" (semaphore)",
			party->count, name_of(object));
		break;
	default:
		fprintf(f, "to lock \"%s\" (%s)", name_of(object),
			type_text(object->info.type));
	}
	if (party->wants == GOSYNC_WANTS_TO_READ)
		fprintf(f, " for reading");
	else if (object->info.type == GOSYNC_RWMUTEX)
		fprintf(f, " for writing");
	if (party->wants == GOSYNC_WANTS_TO_DRAIN)
		has = "held for reading";
	fprintf(f, " since %s%s,\n    which %s %s by ",
		since_text(party->ns, since),
		party->flags & GOSYNC_PARTY_TIMED ?
		" and until a deadline" : "",
		object->info.type == GOSYNC_SEMAPHORE ? "are" : "is", has);
	telling->told = 0;
	graph_blockers(telling->waits, tell_blocker, telling);
	fputc('\n', f);
}

/* Return: the next process of the knot, or NULL */
static const struct process *tell_children(const struct findings *findings,
					   const struct process *process,
					   struct json_object *json)
{
	const struct process *child, *next = NULL;
	const struct relative *children;
	struct json_object *array = NULL;
	int nr, i, told = 0;

	children = graph_children(&findings->graph, process, &nr);
	if (!nr)
		return NULL;
	if (json) {
		array = json_object_new_array();
		json_object_object_add(json, "children", array);
	} else {
		fprintf(findings->text, "\"%s\" (pid %u)\n    waits for ",
			comm_of(process->pid), process->pid);
	}
	for (i = 0; i < nr; i++) {
		child = graph_process(&findings->graph, children[i].pid);
		if (!child || !child->stuck)
			continue;
		if (!next && child->knot &&
		    !findings->told[index_of(&findings->graph, child)])
			next = child;
		if (json)
			add_pid(array, child->pid);
		else
			fprintf(findings->text, "%s\"%s\" (pid %u)",
				told++ ? " and " : "", comm_of(child->pid),
				child->pid);
	}
	if (!json)
		fputs(", started by it, to end\n", findings->text);
	return next;
}

/* --- As JSON -------------------------------------------------------------- */

static void add_number(struct json_object *json, const char *key, int64_t n)
{
	json_object_object_add(json, key, json_object_new_int64(n));
}

static void add_text(struct json_object *json, const char *key,
		     const char *text)
{
	json_object_object_add(json, key, json_object_new_string(text));
}

static void add_wait(struct telling *telling, struct json_object *array)
{
	static const char * const wants[] = { "it", "drain", "read" };
	const struct gosync_party *party = telling->waits->party;
	const struct gosync_info *info = &telling->waits->object->info;
	struct json_object *wait = json_object_new_object();
	bool timed = party->flags & GOSYNC_PARTY_TIMED;
	char *name = utf8_text(info->name, info->name_len);

	add_number(wait, "tid", party->tid);
	add_text(wait, "comm", comm_text((const char *)party->comm));
	add_text(wait, "name", name ?: "");
	add_number(wait, "id", info->id);
	add_text(wait, "type", type_text(info->type));
	add_text(wait, "wants", party->wants < 3 ? wants[party->wants] : "?");
	add_number(wait, "since_ns", party->ns);
	json_object_object_add(wait, "timed", json_object_new_boolean(timed));
	telling->json = json_object_new_array();
	graph_blockers(telling->waits, tell_blocker, telling);
	json_object_object_add(wait, "held_by", telling->json);
	json_object_array_add(array, wait);
	free(name);
}

/* --- What is printed ------------------------------------------------------ */

/* Return: a process that this one waits for, which is next, or NULL. */
static const struct process *tell_process(struct findings *findings,
					  const struct process *process,
					  struct json_object *processes)
{
	struct telling telling = { .findings = findings };
	struct json_object *json = NULL, *array = NULL;
	int i;

	findings->told[index_of(&findings->graph, process)] = true;
	if (processes) {
		json = json_object_new_object();
		array = json_object_new_array();
		add_number(json, "pid", process->pid);
		add_text(json, "comm", comm_of(process->pid));
		json_object_object_add(json, "waits", array);
		json_object_array_add(processes, json);
	}
	telling.next = tell_children(findings, process, json);
	for (i = 0; i < process->nr_waits; i++) {
		telling.waits = &process->waits[i];
		if (!telling.waits->stuck)
			continue;
		if (processes)
			add_wait(&telling, array);
		else
			tell_wait(&telling);
	}
	return telling.next && telling.next->knot == process->knot ?
	       telling.next : NULL;
}

static const struct process *untold(const struct findings *findings, int knot)
{
	const struct graph *graph = &findings->graph;
	int i;

	for (i = 0; i < graph->nr_processes; i++)
		if (graph->processes[i].stuck && !findings->told[i] &&
		    graph->processes[i].knot == knot)
			return &graph->processes[i];
	return NULL;
}

/* A knot that was printed with more certainty is not printed again. */
static bool is_new(const struct findings *findings, int knot)
{
	const struct graph *graph = &findings->graph;
	int i;

	for (i = 0; i < graph->nr_processes; i++)
		if (graph->processes[i].stuck && findings->told[i] &&
		    graph->processes[i].knot == knot)
			return false;
	return true;
}

static void tell_knot(struct findings *findings, int knot,
		      enum certainty certainty)
{
	struct json_object *json = NULL, *processes = NULL;
	const struct process *process;

	if (findings->json) {
		json = json_object_new_object();
		processes = json_object_new_array();
		add_text(json, "certainty", certainty_names[certainty]);
		json_object_object_add(json, "processes", processes);
		json_object_array_add(findings->json, json);
	} else {
		fputc('\n', findings->text);
	}
	process = untold(findings, knot);
	while (process) {
		process = tell_process(findings, process, processes);
		if (!process)
			process = untold(findings, knot);
	}
}

static void tell_others(struct findings *findings)
{
	const struct process *process = untold(findings, 0);
	const char *before = "\nThese processes wait behind the deadlock:\n";

	for (; process; process = untold(findings, 0)) {
		if (!findings->text) {
			findings->told[index_of(&findings->graph,
						process)] = true;
			continue;
		}
		fputs(before, findings->text);
		before = "";
		tell_process(findings, process, NULL);
	}
}

static void tell(struct findings *findings, enum certainty certainty)
{
	static const char * const what[CERTAINTIES] = {
		"deadlock", "deadlock that a deadline will end",
		"possible deadlock, as other threads still run"
	};
	static const char * const whats[CERTAINTIES] = {
		"deadlocks", "deadlocks that a deadline will end",
		"possible deadlocks, as other threads still run"
	};
	int nr = findings->graph.nr_knots, new = 0;
	int knot;

	for (knot = 1; knot <= nr; knot++)
		new += is_new(findings, knot);
	findings->knots[certainty] = new;
	if (!new || (certainty == POSSIBLE && !all))
		return;
	if (findings->text)
		fprintf(findings->text, "Found %d %s:\n", new,
			new == 1 ? what[certainty] : whats[certainty]);
	for (knot = 1; knot <= nr; knot++)
		if (is_new(findings, knot))
			tell_knot(findings, knot, certainty);
	tell_others(findings);
	if (findings->text)
		fputc('\n', findings->text);
}

static int solve(struct findings *findings)
{
	struct graph *graph = &findings->graph;
	enum certainty certainty;
	int ret;

	for (certainty = CERTAIN; certainty < CERTAINTIES; certainty++) {
		ret = graph_solve(graph, certainty);
		if (ret < 0)
			return ret;
		tell(findings, certainty);
	}
	return 0;
}

/* Put the deadlocks into @findings. Return: 0 or -errno. */
static int look(struct findings *findings)
{
	const struct timespec pause = { 0, PAUSE_NS };
	struct graph *graph = &findings->graph;
	int ret;

	ret = graph_look(graph);
	if (ret)
		return ret;
	/* A process that is certainly stuck is also possibly stuck. */
	ret = graph_solve(graph, POSSIBLE);
	if (ret <= 0)
		return ret;
	findings->told = calloc(graph->nr_processes, sizeof(bool));
	if (!findings->told)
		return -ENOMEM;
	nanosleep(&pause, NULL);
	ret = graph_confirm(graph);
	return ret ?: solve(findings);
}

static void print_json(struct json_object *deadlocks)
{
	struct json_object *root = json_object_new_object();

	json_object_object_add(root, "deadlocks", json_object_get(deadlocks));
	puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

static void print_text(const struct findings *findings, const char *text,
		       bool found)
{
	fputs(text, stdout);
	if (found)
		puts("End one of them: its locks are released, and the next owner is told.");
	else if (!findings->knots[UNTIL_DEADLINE])
		puts("No deadlock.");
	if (!all && findings->knots[POSSIBLE])
		printf("%d possible, as other threads still run: see --all.\n",
		       findings->knots[POSSIBLE]);
}

/* @last: print a line even if there is no deadlock */
static int look_once(bool last, int *status)
{
	struct findings findings = { };
	char *text = NULL;
	size_t size;
	int ret;

	if (as_json)
		findings.json = json_object_new_array();
	else
		findings.text = open_memstream(&text, &size);
	ret = findings.json || findings.text ? look(&findings) : -ENOMEM;
	if (findings.text)
		fclose(findings.text);
	*status = findings.knots[CERTAIN] || (all && findings.knots[POSSIBLE]);
	if (!ret && (*status || last)) {
		if (as_json)
			print_json(findings.json);
		else
			print_text(&findings, text, *status);
	}
	json_object_put(findings.json);
	free(text);
	free(findings.told);
	graph_free(&findings.graph);
	return ret;
}

static int look_often(void)
{
	bool progress = isatty(STDERR_FILENO) && interval >= 0.1 &&
			most_looks != 1;
	int status, ret;
	long n;

	for (n = 1; ; n++) {
		ret = look_once(n == most_looks, &status);
		if (ret || status || n == most_looks)
			break;
		if (progress)
			fprintf(stderr, "\rgosync deadlocks: looked %ld times, no deadlock",
				n);
		output_pause(interval * 1e9);
	}
	if (progress && n > 1)
		fputc('\n', stderr);
	if (!ret && (fflush(stdout) || ferror(stdout)))
		ret = -errno;
	if (!ret)
		return status;
	fprintf(stderr, "gosync deadlocks: %s\n", gosync_strerror(0, ret));
	return FAILED;
}

static error_t deadlocks_parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'J':
		as_json = true;
		return 0;
	case 'a':
		all = true;
		return 0;
	case 'i':
		interval = parse_seconds(state, arg, "SEC");
		return 0;
	case 'n':
		most_looks = parse_number(state, arg, "COUNT", 1, 1000000000);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int deadlocks_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'J', NULL, 0, "as JSON", 0 },
		{ "interval", 'i', "SEC", 0,
		  "look again every SEC seconds until there is a deadlock", 0 },
		{ "count", 'n', "COUNT", 0, "look at most COUNT times", 0 },
		{ "all", 'a', NULL, 0,
		  "also show deadlocks that are only possible, as other threads still run", 0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = deadlocks_parse,
		.doc = "Find processes that wait for each other.\n"
		       "\vA deadlock is only shown if two looks find it, with nothing changed between\n"
		       "them. A process counts as stuck if all its threads are stuck. A process that\n"
		       "waits for its children, as gosync run and shells do, counts as stuck if all\n"
		       "of them are stuck.\n\n"
		       "The command does not see names that you may not read, objects without a\n"
		       "name, and descriptors of other users' processes. Root sees most.\n\n"
		       "Exit status: 0 if there is no deadlock, or only one that a deadline will end;\n"
		       "1 if there is a deadlock, with --all also a possible one; 2 for wrong usage;\n"
		       "3 if the objects could not be looked at.",
	};

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (interval < 0 && !most_looks)
		most_looks = 1;
	if (interval < 0)
		interval = 1;
	return look_often();
}
