// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync report: waits by pairs of processes, and by places in the code.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"

#define MOST_PARTIES	12	/* processes on each side of the matrix */
#define MOST_PAIRS	20
#define MOST_STACKS	10

static struct trace_sums pairs, stacks;

/* All threads of a process count as one. */
static struct trace_task *process_of(const struct trace_task *task)
{
	return task ? trace_task(task->pid, task->pid, task->comm) : NULL;
}

void who_add(const struct trace_wait *wait)
{
	struct trace_sum pair = {
		.object = wait->object,
		.task = process_of(wait->task),
		.blocker = process_of(trace_blocker(wait)),
	};
	struct trace_sum stack = {
		.object = wait->object,
		.stack = wait->stack,
	};

	trace_sum(&pairs, &pair, wait->ns);
	trace_sum(&stacks, &stack, wait->ns);
}

/* --- Who ----------------------------------------------------------------- */

struct party {
	const struct trace_task *task;
	uint64_t ns;
};

static int dearer_party(const void *a, const void *b)
{
	const struct party *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return (x->task ? x->task->pid : 0) - (y->task ? y->task->pid : 0);
}

static int compare_parties(const void *a, const void *b)
{
	const struct party *x = a, *y = b;

	return (x->task > y->task) - (x->task < y->task);
}

/* The processes on one side of the pairs, the longest waits first; @n: how many */
static struct party *parties_of(const struct trace_sum *all, bool blockers,
				size_t *n)
{
	struct party *parties = calloc(pairs.nr + 1, sizeof(*parties));
	size_t i, last = 0;

	if (!parties)
		err(1, "gosync");
	for (i = 0; i < pairs.nr; i++)
		parties[i] = (struct party) {
			blockers ? all[i].blocker : all[i].task, all[i].ns,
		};
	qsort(parties, pairs.nr, sizeof(*parties), compare_parties);
	for (i = 1; i < pairs.nr; i++) {
		if (parties[i].task == parties[last].task)
			parties[last].ns += parties[i].ns;
		else
			parties[++last] = parties[i];
	}
	*n = pairs.nr ? last + 1 : 0;
	qsort(parties, *n, sizeof(*parties), dearer_party);
	return parties;
}

static void sum_of_pair(const struct trace_sum *all,
			const struct trace_task *waiter,
			const struct trace_task *blocker, uint64_t *n,
			uint64_t *ns)
{
	size_t i;

	*n = 0;
	*ns = 0;
	for (i = 0; i < pairs.nr; i++) {
		if (all[i].task != waiter || all[i].blocker != blocker)
			continue;
		*n += all[i].count;
		*ns += all[i].ns;
	}
}

static void show_matrix(const struct trace_sum *all)
{
	size_t nr_waiters, nr_blockers, i, j;
	struct party *waiters = parties_of(all, false, &nr_waiters);
	struct party *blockers = parties_of(all, true, &nr_blockers);
	uint64_t most = 1, n, ns;

	if (nr_waiters > MOST_PARTIES)
		nr_waiters = MOST_PARTIES;
	if (nr_blockers > MOST_PARTIES)
		nr_blockers = MOST_PARTIES;
	for (i = 0; i < nr_waiters; i++) {
		for (j = 0; j < nr_blockers; j++) {
			sum_of_pair(all, waiters[i].task, blockers[j].task, &n,
				    &ns);
			if (ns > most)
				most = ns;
		}
	}
	fputs("<table class=\"matrix\"><tr><th class=\"l\">waited &darr; &nbsp; for &rarr;",
	      stdout);
	for (j = 0; j < nr_blockers; j++) {
		fputs("<th>", stdout);
		html_process(blockers[j].task);
	}
	puts("</tr>");
	for (i = 0; i < nr_waiters; i++) {
		fputs("<tr><td class=\"who\">", stdout);
		html_process(waiters[i].task);
		fputs("</td>", stdout);
		for (j = 0; j < nr_blockers; j++) {
			sum_of_pair(all, waiters[i].task, blockers[j].task, &n,
				    &ns);
			if (n)
				printf("<td%s style=\"--h:%u\" title=\"%s wait%s\">%s</td>",
				       5 * ns > 3 * most ? " class=\"hot\"" : "",
				       (unsigned int)(5 + 90.0 * ns / most),
				       count(n), plural(n), duration(ns));
			else
				fputs("<td></td>", stdout);
		}
		puts("</tr>");
	}
	puts("</table>");
	free(waiters);
	free(blockers);
}

static void share(uint64_t part, uint64_t whole)
{
	printf("<td class=\"share\"><span style=\"width:%.1f%%\"></span></td>",
	       100.0 * part / (whole ? whole : 1));
}

void show_who(void)
{
	struct trace_sum *all = trace_sums_by_cost(&pairs);
	size_t i;

	puts("<section><h2>Who waited for whom</h2>\n"
	     "<p>A process waited for the owner at the beginning of the wait. Semaphores\n"
	     "and conditions have no owner: there it is the process that ended the wait.\n"
	     "The table adds up all objects; a stronger colour is a longer time.</p>");
	if (pairs.nr)
		show_matrix(all);
	else
		puts("<p>There were no waits.</p>");
	puts("</section>\n<section><h2>What for</h2>\n"
	     "<p>The pairs with the longest waits, for each object.</p>\n"
	     "<table><tr><th>waited<th class=\"l\">for<th class=\"l\">object<th>waits<th>total\n"
	     "<th class=\"l\"></tr>");
	for (i = 0; i < pairs.nr && i < MOST_PAIRS; i++) {
		fputs("<tr><td>", stdout);
		html_process(all[i].task);
		fputs("</td><td class=\"l\">", stdout);
		html_process(all[i].blocker);
		fputs("</td><td class=\"l name\">", stdout);
		html_name(all[i].object);
		printf("</td><td>%s</td><td>%s</td>", count(all[i].count),
		       duration(all[i].ns));
		share(all[i].ns, all[0].ns);
		puts("</tr>");
	}
	puts("</table></section>");
	free(all);
}

/* --- Where --------------------------------------------------------------- */

static void show_stack(const struct trace_sum *sum)
{
	unsigned int i;

	printf("<div class=\"stack\"><div><b>%s</b><br><small>%s wait%s</small></div><div>",
	       duration(sum->ns), count(sum->count), plural(sum->count));
	html_name(sum->object);
	fputs("<br><code>", stdout);
	for (i = sum->stack->depth; i--;) {
		const struct trace_frame *frame =
			trace_named(sum->stack->frames[i]);

		fputs(frame->file ? "<span>" : "<span class=\"k\">", stdout);
		html(frame->function, strlen(frame->function));
		fputs("</span>", stdout);
		if (i)
			fputs("<wbr><span class=\"in\">&rsaquo;</span>",
			      stdout);
	}
	puts("</code></div></div>");
}

void show_where(void)
{
	struct trace_sum *all = trace_sums_by_cost(&stacks);
	size_t i, shown = 0;

	for (i = 0; i < stacks.nr && shown < MOST_STACKS; i++) {
		if (!all[i].stack)
			continue;
		if (!shown++)
			puts("<section><h2>Where</h2>\n"
			     "<p>The stacks of the longest waits; functions of the kernel are grey.</p>");
		show_stack(&all[i]);
	}
	if (shown)
		puts("</section>");
	free(all);
}
