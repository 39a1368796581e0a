// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace --perfetto: the trace event format, which ui.perfetto.dev and
 * other programs open.
 *
 * Each thread has a track with a slice for each of its waits. An invented
 * process has a track for each object, with its events and a counter of its
 * waiters. An arrow can only go from slice to slice, so a waker gets a slice of a
 * nanosecond.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "gosync.h"
#include "trace.h"

/* Larger than the number of any process */
#define OBJECTS_PID	5000000

static FILE *out;
static const char *out_path;
static bool follows;
static uint64_t arrows;

static void begin(const char *phase, uint64_t time)
{
	fprintf(out, "%s\n{\"ph\":\"%s\",\"ts\":%llu.%03u", follows ? "," : "",
		phase, (unsigned long long)time / 1000,
		(unsigned int)(time % 1000));
	follows = true;
}

static void duration(uint64_t ns)
{
	fprintf(out, ",\"dur\":%llu.%03u", (unsigned long long)ns / 1000,
		(unsigned int)(ns % 1000));
}

static void metadata(const char *what, int pid, int tid)
{
	begin("M", 0);
	fprintf(out, ",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":",
		what, pid, tid);
}

static void on_thread(struct trace_task *task)
{
	if (!task->seen) {
		task->seen = true;
		metadata("process_name", task->pid, task->pid);
		json_comm(out, task);
		fputs("}}", out);
		metadata("thread_name", task->pid, task->tid);
		json_comm(out, task);
		fputs("}}", out);
	}
}

static void thread(const struct trace_task *task)
{
	fprintf(out, ",\"pid\":%d,\"tid\":%d", task->pid, task->tid);
}

static int object_tid(const struct trace_object *object)
{
	return OBJECTS_PID + 1 + object->number;
}

static void on_object(const struct trace_object *object)
{
	fprintf(out, ",\"cat\":\"gosync\",\"pid\":%d,\"tid\":%d", OBJECTS_PID,
		object_tid(object));
}

static void name(const char *before, const struct trace_object *object)
{
	char *text;
	int len;

	len = asprintf(&text, "%s%.*s", before, (int)object->name_len,
		       object->name_len ? object->name : "");
	if (!object->name_len)
		len = asprintf(&text, "%sanonymous %llu", before,
			       (unsigned long long)object->id);
	if (len < 0)
		err(1, "gosync");
	fputs(",\"name\":", out);
	json_string(out, text, len);
	free(text);
}

static void waiting(const struct trace_object *object, uint64_t time)
{
	begin("C", time);
	name("waiting for ", object);
	fprintf(out, ",\"pid\":%d,\"args\":{\"waiting\":%u}}", OBJECTS_PID,
		object->waiting);
}

/* The events that are marks on the track of an object */
static const char *const happenings[] = {
	[TRACE_OWNER_DIED] = "owner died",
	[TRACE_ONCE_ABANDONED] = "abandoned",
	[TRACE_RECOVERED] = "recovered",
	[TRACE_CREATE] = "created",
	[TRACE_UNLINK] = "unlinked",
	[TRACE_DESTROY] = "destroyed",
};

static void happened(const struct trace_event *event, const char *what)
{
	begin("i", event->time);
	on_object(event->object);
	fprintf(out, ",\"s\":\"t\",\"name\":\"%s\",\"args\":{\"by\":", what);
	json_comm(out, event->task);
	fprintf(out, ",\"pid\":%d,\"token\":%llu}}", event->task->pid,
		(unsigned long long)event->token);
}

static void starved(const struct trace_object *object, uint64_t end)
{
	begin("X", object->starving_since);
	duration(end - object->starving_since);
	on_object(object);
	fputs(",\"name\":\"a waiter starves\",\"args\":{}}", out);
}

/* Called before the event changes the state of the object */
static void perfetto_event(const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_CONTENTION_BEGIN:
		event->object->waiting++;
		waiting(event->object, event->time);
		event->object->waiting--;
		break;
	case TRACE_STARVATION_END:
		if (event->object->starving_since)
			starved(event->object, event->time);
		break;
	default:
		if ((unsigned int)event->kind < ARRAY_SIZE(happenings) &&
		    happenings[event->kind])
			happened(event, happenings[event->kind]);
		break;
	}
}

static void describe(const struct trace_wait *wait)
{
	const char *type = gosync_type_name(wait->object->type);
	unsigned int i;

	fprintf(out, ",\"args\":{\"object\":");
	json_name(out, wait->object);
	fprintf(out, ",\"id\":%llu,\"type\":\"%s\",\"wants\":\"%s\"",
		(unsigned long long)wait->object->id, type ? type : "?",
		trace_wants[wait->wants % 3]);
	fprintf(out, ",\"holder\":%u,\"token\":%llu,\"owner\":%u",
		wait->holder, (unsigned long long)wait->token,
		wait->owner_holder);
	fprintf(out, ",\"owner_pid\":%d,\"owner_command\":",
		wait->owner ? wait->owner->pid : 0);
	json_string(out, wait->owner ? wait->owner->comm : "",
		    wait->owner ? strlen(wait->owner->comm) : 0);
	if (wait->unfinished)
		fputs(",\"how\":\"still waiting\"", out);
	else if (wait->ret)
		fprintf(out, ",\"how\":\"gave up\",\"ret\":%d", wait->ret);
	else
		fprintf(out, ",\"how\":\"%s\"", trace_hows[wait->how % 3]);
	fprintf(out, ",\"wait_ns\":%llu", (unsigned long long)wait->ns);
	if (wait->stack) {
		fputs(",\"stack\":[", out);
		for (i = 0; i < wait->stack->depth; i++) {
			const char *f =
				trace_named(wait->stack->frames[i])->function;

			if (i)
				putc(',', out);
			json_string(out, f, strlen(f));
		}
		putc(']', out);
	}
	fputs("}}", out);
}

static void arrow(const struct trace_wait *wait)
{
	uint64_t at = wait->end - 1;

	if (at < wait->woken)
		return;
	arrows++;
	on_thread(wait->waker);
	begin("X", wait->woken);
	duration(1);
	fputs(",\"cat\":\"gosync\"", out);
	thread(wait->waker);
	name(wait->how == TRACE_HANDED_OVER ? "hand over " : "wake ",
	     wait->object);
	fputs(",\"args\":{\"wakes\":", out);
	json_comm(out, wait->task);
	fprintf(out, ",\"tid\":%d}}", wait->task->tid);
	begin("s", wait->woken);
	thread(wait->waker);
	fprintf(out, ",\"cat\":\"gosync\",\"name\":\"wake\",\"id\":%llu}",
		(unsigned long long)arrows);
	begin("f", at);
	thread(wait->task);
	fprintf(out, ",\"cat\":\"gosync\",\"name\":\"wake\",\"bp\":\"e\",\"id\":%llu}",
		(unsigned long long)arrows);
}

static void perfetto_wait(const struct trace_wait *wait)
{
	on_thread(wait->task);
	begin("X", wait->begin);
	duration(wait->end - wait->begin);
	fputs(",\"cat\":\"gosync\"", out);
	thread(wait->task);
	name("", wait->object);
	describe(wait);
	if (wait->waker && wait->end > wait->begin && !wait->unfinished)
		arrow(wait);
	waiting(wait->object, wait->end);
}

static int perfetto_end(const struct trace_summary *summary)
{
	struct trace_object *object;

	metadata("process_name", OBJECTS_PID, OBJECTS_PID);
	fputs("\"gosync objects\"}}", out);
	for (object = trace_objects; object; object = object->next) {
		const char *type = gosync_type_name(object->type);

		if (object->starving_since)
			starved(object, summary->end);
		begin("M", 0);
		fprintf(out, ",\"pid\":%d,\"tid\":%d,\"args\":{\"type\":\"%s\",\"name\":",
			OBJECTS_PID, object_tid(object), type ? type : "?");
		json_name(out, object);
		fputs("},\"name\":\"thread_name\"}", out);
	}
	fprintf(out, "\n],\"displayTimeUnit\":\"ns\",\"otherData\":{\"lost_events\":%llu}}\n",
		(unsigned long long)summary->lost);
	return trace_close(out, out_path);
}

const struct trace_output *perfetto_output(const char *path)
{
	static const struct trace_output output = {
		.event = perfetto_event,
		.wait = perfetto_wait,
		.end = perfetto_end,
	};

	out_path = path;
	out = trace_create(path);
	fputs("{\"traceEvents\":[", out);
	return &output;
}
