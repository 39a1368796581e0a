// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace and report: from events to waits.
 *
 * A wait begins with contention_begin and ends with contention_end, both events
 * of the waiter. Between them come wakes by other tasks; the last wake ends the
 * wait. If the wait ends in a grant, the waiter also has an event acquired, with
 * the kind of the grant and the length of the wait. A wake may come before
 * contention_begin, because the waiter queues first.
 *
 * A wait that began before the recording has no contention_begin. Its length is
 * still known, from acquired.
 */
#include <err.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define OUTPUTS	4

const char * const trace_kinds[TRACE_KINDS] = {
	[TRACE_CREATE] = "create",
	[TRACE_OPEN] = "open",
	[TRACE_UNLINK] = "unlink",
	[TRACE_DESTROY] = "destroy",
	[TRACE_STARVATION_BEGIN] = "starvation_begin",
	[TRACE_STARVATION_END] = "starvation_end",
	[TRACE_OWNER_DIED] = "owner_died",
	[TRACE_RECOVERED] = "recovered",
	[TRACE_RWMUTEX_DRAIN] = "rwmutex_drain",
	[TRACE_COND_WAIT] = "cond_wait",
	[TRACE_ONCE_BEGIN] = "once_begin",
	[TRACE_ONCE_DONE] = "once_done",
	[TRACE_ONCE_ABANDONED] = "once_abandoned",
	[TRACE_VALUE_STORE] = "value_store",
	[TRACE_COND_SIGNAL] = "cond_signal",
	[TRACE_WAITGROUP_ZERO] = "waitgroup_zero",
	[TRACE_MAP_GROW] = "map_grow",
	[TRACE_CONTENTION_BEGIN] = "contention_begin",
	[TRACE_CONTENTION_END] = "contention_end",
	[TRACE_ACQUIRED] = "acquired",
	[TRACE_WAKE] = "wake",
};

const char * const trace_wants[3] = { "it", "drain", "read" };
const char * const trace_hows[3] = { "barged", "woken", "handed-over" };

struct trace_object *trace_objects;
unsigned int nr_trace_objects;

static struct trace_object **objects_end = &trace_objects;
static void *object_tree;
static void *open_waits;	/* by object and task */
static const struct trace_output *outputs[OUTPUTS];
static unsigned int nr_outputs;

void trace_add_output(const struct trace_output *output)
{
	outputs[nr_outputs++] = output;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_pointers(const void *a, const void *b)
{
	return compare((uintptr_t)a, (uintptr_t)b);
}

/* --- Objects ------------------------------------------------------------- */

static int compare_objects(const void *a, const void *b)
{
	const struct trace_object *x = a, *y = b;

	return compare(x->id, y->id);
}

struct trace_object *trace_object(uint64_t id, unsigned int type,
				  const char *name, size_t len)
{
	struct trace_object key = { .id = id }, *object;
	struct trace_object **found;

	found = tfind(&key, &object_tree, compare_objects);
	if (found)
		return *found;
	object = calloc(1, sizeof(*object));
	if (!object)
		err(1, "gosync");
	object->id = id;
	object->type = type;
	object->number = nr_trace_objects++;
	object->name_len = len < GOSYNC_NAME_MAX ? len : GOSYNC_NAME_MAX;
	memcpy(object->name, name, object->name_len);
	*objects_end = object;
	objects_end = &object->next;
	if (!tsearch(object, &object_tree, compare_objects))
		err(1, "gosync");
	return object;
}

static int dearer_object(const void *a, const void *b)
{
	const struct trace_object *x = *(void * const *)a;
	const struct trace_object *y = *(void * const *)b;

	return compare(y->stats.wait_ns + y->stats.other_ns,
		       x->stats.wait_ns + x->stats.other_ns) ?:
	       compare(x->number, y->number);
}

struct trace_object **trace_objects_by_cost(void)
{
	struct trace_object **all, **to, *object;

	all = calloc(nr_trace_objects + 1, sizeof(*all));
	if (!all)
		err(1, "gosync");
	for (to = all, object = trace_objects; object; object = object->next)
		*to++ = object;
	qsort(all, nr_trace_objects, sizeof(*all), dearer_object);
	return all;
}

/* --- Waits --------------------------------------------------------------- */

static int compare_waits(const void *a, const void *b)
{
	const struct trace_wait *x = a, *y = b;

	return compare_pointers(x->task, y->task) ?:
	       compare_pointers(x->object, y->object);
}

static struct trace_wait *open_wait(struct trace_object *object,
				    struct trace_task *task)
{
	struct trace_wait key = { .object = object, .task = task }, *wait;
	struct trace_wait **found;

	found = tfind(&key, &open_waits, compare_waits);
	if (found)
		return *found;
	wait = malloc(sizeof(*wait));
	if (!wait)
		err(1, "gosync");
	*wait = key;
	if (!tsearch(wait, &open_waits, compare_waits))
		err(1, "gosync");
	return wait;
}

static void begin(const struct trace_event *event)
{
	struct trace_wait *wait = open_wait(event->object, event->task);

	/* If the end of the last wait was lost, this is a new one. */
	if (wait->begin)
		*wait = (struct trace_wait) {
			.object = event->object, .task = event->task,
		};
	else
		event->object->waiting++;
	wait->begin = event->time;
	wait->owner = event->other;
	wait->owner_holder = event->owner;
	wait->holder = event->holder;
	wait->wants = event->wants;
	wait->stack = event->stack;
}

static void acquired(const struct trace_event *event)
{
	struct trace_stats *stats = &event->object->stats;
	struct trace_wait *wait;

	if (event->how == TRACE_BARGED) {
		stats->barged++;
		return;
	}
	wait = open_wait(event->object, event->task);
	if (!wait->begin) {
		wait->begin = event->time > event->count ?
			      event->time - event->count : 1;
		event->object->waiting++;
	}
	wait->how = event->how;
	wait->ns = event->count;
}

static void woken(const struct trace_event *event)
{
	struct trace_wait *wait;

	if (!event->other)
		return;
	wait = open_wait(event->object, event->other);
	wait->waker = event->task;
	wait->woken = event->time;
}

static unsigned int bucket(uint64_t ns)
{
	unsigned int i = 0;

	for (ns >>= GOSYNC_HISTOGRAM_SHIFT; ns; ns >>= 1)
		i++;
	return i < GOSYNC_HISTOGRAM ? i : GOSYNC_HISTOGRAM - 1;
}

static void account(const struct trace_wait *wait)
{
	struct trace_stats *stats = &wait->object->stats;

	if (wait->ns > stats->wait_max_ns)
		stats->wait_max_ns = wait->ns;
	if (wait->unfinished || wait->ret) {
		stats->unfinished += wait->unfinished;
		stats->gave_up += !wait->unfinished;
		stats->other_ns += wait->ns;
		return;
	}
	stats->acquired++;
	stats->handed_over += wait->how == TRACE_HANDED_OVER;
	stats->wait_ns += wait->ns;
	stats->histogram[bucket(wait->ns)]++;
}

struct trace_task *trace_blocker(const struct trace_wait *wait)
{
	if (wait->owner && wait->owner->pid != wait->task->pid)
		return wait->owner;
	return wait->waker ? wait->waker : wait->owner;
}

static void forget(struct trace_wait *wait)
{
	tdelete(wait, &open_waits, compare_waits);
	free(wait);
}

static void wait_over(struct trace_wait *wait)
{
	unsigned int i;

	wait->object->waiting--;
	account(wait);
	for (i = 0; i < nr_outputs; i++)
		if (outputs[i]->wait)
			outputs[i]->wait(wait);
	forget(wait);
}

static void end(const struct trace_event *event)
{
	struct trace_wait *wait = open_wait(event->object, event->task);

	if (!wait->begin) {
		wait->begin = event->time;
		event->object->waiting++;
	}
	wait->end = event->time > wait->begin ? event->time : wait->begin;
	wait->ret = event->ret;
	wait->token = event->token;
	wait->holder = event->holder;
	if (!wait->ns)
		wait->ns = wait->end - wait->begin;
	wait_over(wait);
}

void trace_feed(const struct trace_event *event)
{
	struct trace_object *object = event->object;
	unsigned int i;

	for (i = 0; i < nr_outputs; i++)
		if (outputs[i]->event)
			outputs[i]->event(event);
	switch (event->kind) {
	case TRACE_CONTENTION_BEGIN:
		begin(event);
		break;
	case TRACE_CONTENTION_END:
		end(event);
		break;
	case TRACE_ACQUIRED:
		acquired(event);
		break;
	case TRACE_WAKE:
		woken(event);
		break;
	case TRACE_STARVATION_BEGIN:
		object->stats.starvations++;
		object->starving_since = event->time;
		break;
	case TRACE_STARVATION_END:
		object->starving_since = 0;
		break;
	case TRACE_OWNER_DIED:
	case TRACE_ONCE_ABANDONED:
		object->stats.deaths++;
		break;
	case TRACE_RECOVERED:
		object->stats.recoveries++;
		break;
	default:
		break;
	}
}

int trace_end(const struct trace_summary *summary)
{
	int status = 0;
	unsigned int i;

	while (open_waits) {
		struct trace_wait *wait = *(struct trace_wait **)open_waits;

		/* There was only a wake, no wait. */
		if (!wait->begin) {
			forget(wait);
			continue;
		}
		wait->unfinished = true;
		wait->end = summary->end;
		if (wait->end < wait->begin)
			wait->end = wait->begin;
		wait->ns = wait->end - wait->begin;
		wait_over(wait);
	}
	for (i = 0; i < nr_outputs; i++)
		status |= outputs[i]->end(summary);
	return status;
}

/* --- Sums ---------------------------------------------------------------- */

static int compare_sums(const void *a, const void *b)
{
	const struct trace_sum *x = a, *y = b;

	return compare_pointers(x->object, y->object) ?:
	       compare_pointers(x->task, y->task) ?:
	       compare_pointers(x->blocker, y->blocker) ?:
	       compare_pointers(x->stack, y->stack);
}

void trace_sum(struct trace_sums *sums, const struct trace_sum *alike,
	       uint64_t ns)
{
	struct trace_sum **found, *sum;

	found = tfind(alike, &sums->root, compare_sums);
	if (found) {
		sum = *found;
	} else {
		sum = malloc(sizeof(*sum));
		if (!sum)
			err(1, "gosync");
		*sum = *alike;
		sum->count = 0;
		sum->ns = 0;
		if (!tsearch(sum, &sums->root, compare_sums))
			err(1, "gosync");
		sums->nr++;
	}
	sum->count++;
	sum->ns += ns;
}

static void collect_sum(const void *node, VISIT visit, void *data)
{
	struct trace_sum **to = data;

	if (visit == postorder || visit == leaf)
		*(*to)++ = **(struct trace_sum * const *)node;
}

static int dearer_sum(const void *a, const void *b)
{
	const struct trace_sum *x = a, *y = b;

	return compare(y->ns, x->ns) ?: compare(y->count, x->count);
}

struct trace_sum *trace_sums_by_cost(const struct trace_sums *sums)
{
	struct trace_sum *all = calloc(sums->nr + 1, sizeof(*all)), *to = all;

	if (!all)
		err(1, "gosync");
	twalk_r(sums->root, collect_sum, &to);
	qsort(all, sums->nr, sizeof(*all), dearer_sum);
	return all;
}
