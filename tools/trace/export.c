// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace --json: a line with a JSON object for each event, as it comes.
 * Recordings have this format, too; import.c reads it.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gosync.h"
#include "table.h"
#include "trace.h"

/* --- JSON ---------------------------------------------------------------- */

void json_string(FILE *f, const char *s, size_t len)
{
	char *text = utf8_text(s, len), *at;

	if (!text)
		err(1, "gosync");
	putc('"', f);
	for (at = text; *at; at++) {
		if (*at == '"' || *at == '\\')
			fprintf(f, "\\%c", *at);
		else if ((unsigned char)*at < ' ' || *at == 0x7f)
			fprintf(f, "\\u%04x", *at);
		else
			putc(*at, f);
	}
	putc('"', f);
	free(text);
}

void json_name(FILE *f, const struct trace_object *object)
{
	json_string(f, object->name, object->name_len);
}

void json_comm(FILE *f, const struct trace_task *task)
{
	json_string(f, task->comm, strlen(task->comm));
}

/* --- Files --------------------------------------------------------------- */

const char *object_text(const struct trace_object *object)
{
	static char buf[NAME_BUF];

	if (object->name_len)
		return name_text(object->name, object->name_len, buf);
	snprintf(buf, sizeof(buf), "(anonymous %llu)",
		 (unsigned long long)object->id);
	return buf;
}

FILE *trace_create(const char *path)
{
	FILE *f = fopen(path, "we");

	if (f)
		return f;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_name, path,
		strerror(errno));
	exit(1);
}

int trace_close(FILE *f, const char *path)
{
	bool failed = fflush(f) || ferror(f);

	if (f != stdout)
		failed |= fclose(f);
	/* The reader has seen enough. */
	if (failed && f == stdout && errno == EPIPE)
		return 1;
	if (failed)
		fprintf(stderr, "%s: %s: %s\n", program_invocation_name, path,
			strerror(errno));
	return failed;
}

/* --- Events -------------------------------------------------------------- */

static void export_frame(const struct trace_frame *frame)
{
	char *text;

	if (frame->file) {
		json_string(stdout, frame->function, strlen(frame->function));
		return;
	}
	/* Flame graphs mark functions of the kernel so. */
	if (asprintf(&text, "%s_[k]", frame->function) < 0)
		err(1, "gosync");
	json_string(stdout, text, strlen(text));
	free(text);
}

static void export_stack(const struct trace_stack *stack)
{
	unsigned int i;

	fputs(",\"stack\":[", stdout);
	for (i = 0; i < stack->depth; i++) {
		if (i)
			putchar(',');
		export_frame(trace_named(stack->frames[i]));
	}
	putchar(']');
}

static void export_begin(const struct trace_event *event)
{
	printf(",\"wants\":\"%s\",\"owner\":%u", trace_wants[event->wants % 3],
	       event->owner);
	if (event->other) {
		printf(",\"owner_pid\":%d,\"owner_command\":",
		       event->other->tid);
		json_comm(stdout, event->other);
	}
	if (event->stack)
		export_stack(event->stack);
}

static void export_event(const struct trace_event *event)
{
	const char *type = gosync_type_name(event->object->type);

	printf("{\"time\":%llu,\"event\":\"%s\",\"name\":",
	       (unsigned long long)event->time, trace_kinds[event->kind]);
	json_name(stdout, event->object);
	printf(",\"id\":%llu,\"type\":\"%s\",\"pid\":%d,\"tid\":%d,\"command\":",
	       (unsigned long long)event->object->id, type ? type : "?",
	       event->task->pid, event->task->tid);
	json_comm(stdout, event->task);
	printf(",\"holder\":%u,\"token\":%llu", event->holder,
	       (unsigned long long)event->token);
	switch (event->kind) {
	case TRACE_CONTENTION_BEGIN:
		export_begin(event);
		break;
	case TRACE_CONTENTION_END:
		printf(",\"ret\":%d", event->ret);
		break;
	case TRACE_ACQUIRED:
		printf(",\"how\":\"%s\",\"wait_ns\":%llu",
		       trace_hows[event->how % 3],
		       (unsigned long long)event->count);
		break;
	case TRACE_WAKE:
		printf(",\"how\":\"%s\",\"wakes\":%d",
		       trace_hows[event->how % 3],
		       event->other ? event->other->tid : 0);
		break;
	case TRACE_COND_SIGNAL:
	case TRACE_WAITGROUP_ZERO:
	case TRACE_MAP_GROW:
		printf(",\"count\":%llu", (unsigned long long)event->count);
		break;
	default:
		break;
	}
	puts("}");
}

static int export_end(const struct trace_summary *summary)
{
	printf("{\"time\":%llu,\"event\":\"end\",\"begin\":%llu,\"events\":%llu,\"lost\":%llu}\n",
	       (unsigned long long)summary->end,
	       (unsigned long long)summary->begin,
	       (unsigned long long)summary->events,
	       (unsigned long long)summary->lost);
	return trace_close(stdout, "standard output");
}

const struct trace_output export_output = {
	.event = export_event,
	.end = export_end,
};
