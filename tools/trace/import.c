// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace and report: reading a recording of gosync trace --json.
 *
 * Lines that are not events are skipped: the traced command may write to the
 * same file, and the last line of a killed recorder is incomplete. The recording
 * may come from an attacker, so nothing in it is trusted.
 */
#include <err.h>
#include <errno.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "gosync.h"
#include "trace.h"

#define MAX_DEPTH	64
#define MAX_TIME	(1ULL << 61)

static const char *get_text(struct json_object *line, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(line, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

static uint64_t get_number(struct json_object *line, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(line, key, &value))
		return 0;
	return json_object_get_uint64(value);
}

/* The largest time in ns, some decades: a sum of a few times must fit */
static uint64_t get_time(struct json_object *line, const char *key)
{
	uint64_t time = get_number(line, key);

	return time < MAX_TIME ? time : MAX_TIME;
}

static int64_t get_signed(struct json_object *line, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(line, key, &value))
		return 0;
	return json_object_get_int64(value);
}

static unsigned int get_one_of(struct json_object *line, const char *key,
			       const char * const *all, unsigned int n)
{
	const char *text = get_text(line, key);
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!strcmp(text, all[i]))
			break;
	return i;
}

static unsigned int get_type(struct json_object *line)
{
	const char *text = get_text(line, "type"), *name;
	unsigned int type;

	for (type = 1; type < GOSYNC_TYPE_MAX; type++) {
		name = gosync_type_name(type);
		if (name && !strcmp(name, text))
			return type;
	}
	return 0;
}

static struct trace_task *get_task(pid_t tid, pid_t pid, const char *comm)
{
	struct trace_task *task;

	if (tid <= 0)
		return NULL;
	task = trace_task(tid, pid, comm);
	/* The process may run another program now. */
	if (*comm)
		snprintf(task->comm, sizeof(task->comm), "%s", comm);
	return task;
}

/* Cut off the mark that export.c adds to functions of the kernel. */
static bool cut_kernel_mark(char *function)
{
	size_t len = strlen(function);

	if (len <= 4 || strcmp(function + len - 4, "_[k]"))
		return false;
	function[len - 4] = 0;
	return true;
}

static const struct trace_stack *get_stack(struct json_object *line)
{
	const struct trace_stack *stack;
	const char *functions[MAX_DEPTH];
	bool kernel[MAX_DEPTH];
	struct json_object *array;
	size_t n, i;

	if (!json_object_object_get_ex(line, "stack", &array) ||
	    !json_object_is_type(array, json_type_array))
		return NULL;
	n = json_object_array_length(array);
	if (n > MAX_DEPTH)
		n = MAX_DEPTH;
	for (i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(array, i);
		const char *text = json_object_get_string(item);
		char *copy;

		copy = strdup(text ? text : "?");
		if (!copy)
			err(1, "gosync");
		kernel[i] = cut_kernel_mark(copy);
		functions[i] = copy;
	}
	stack = trace_stack_named(functions, kernel, n);
	while (n--)
		free((char *)functions[n]);
	return stack;
}

/* Return: whether the line is an event */
static bool take_event(struct json_object *line)
{
	unsigned int kind = get_one_of(line, "event", trace_kinds, TRACE_KINDS);
	struct trace_event event = { .kind = kind };
	const char *name = get_text(line, "name");
	pid_t tid = get_signed(line, "tid");

	if (kind == TRACE_KINDS || tid <= 0)
		return false;
	event.time = get_time(line, "time");
	event.object = trace_object(get_number(line, "id"), get_type(line),
				    name, strlen(name));
	event.task = get_task(tid, get_signed(line, "pid"),
			      get_text(line, "command"));
	event.holder = get_number(line, "holder");
	event.token = get_number(line, "token");
	event.owner = get_number(line, "owner");
	event.wants = get_one_of(line, "wants", trace_wants, 3) % 3;
	event.how = get_one_of(line, "how", trace_hows, 3) % 3;
	event.ret = get_signed(line, "ret");
	if (kind == TRACE_ACQUIRED)
		event.count = get_time(line, "wait_ns");
	else
		event.count = get_number(line, "count");
	if (kind == TRACE_WAKE)
		event.other = get_task(get_signed(line, "wakes"), 0, "");
	else
		event.other = get_task(get_signed(line, "owner_pid"), 0,
				       get_text(line, "owner_command"));
	event.stack = get_stack(line);
	trace_feed(&event);
	return true;
}

static void take_end(struct json_object *line, struct trace_summary *summary)
{
	if (strcmp(get_text(line, "event"), "end"))
		return;
	summary->begin = get_time(line, "begin");
	summary->end = get_time(line, "time");
	summary->lost = get_number(line, "lost");
}

static void take_line(const char *text, struct trace_summary *summary)
{
	struct json_object *line = json_tokener_parse(text);
	uint64_t time;

	if (json_object_is_type(line, json_type_object)) {
		time = get_time(line, "time");
		if (take_event(line)) {
			if (!summary->events++)
				summary->begin = time;
			if (time > summary->end)
				summary->end = time;
		} else {
			take_end(line, summary);
		}
	}
	json_object_put(line);
}

void import(const char *path, struct trace_summary *summary)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *line = NULL;
	size_t size = 0;

	if (!f) {
		fprintf(stderr, "%s: %s: %s\n", program_invocation_name, path,
			strerror(errno));
		exit(1);
	}
	while (getline(&line, &size, f) > 0)
		if (*line == '{')
			take_line(line, summary);
	if (ferror(f)) {
		fprintf(stderr, "%s: %s: %s\n", program_invocation_name, path,
			strerror(errno));
		exit(1);
	}
	if (!summary->end) {
		fprintf(stderr, "%s: %s: this is no recording; see gosync trace --json\n",
			program_invocation_name, path);
		exit(1);
	}
	free(line);
	if (f != stdin)
		fclose(f);
}
