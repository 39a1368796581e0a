// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync report: an HTML page of a recording, in one file without scripts.
 *
 * Names and commands may have any bytes. html() makes them harmless; in addition
 * the page forbids the browser to load or run anything.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gosync.h"
#include "html.h"

#define MOST_ROWS	100	/* objects in the table */
#define MOST_LANES	24	/* objects in the picture */
#define MOST_HISTOGRAMS	12
#define BINS		180
#define LANE_WIDTH	900
#define LANE_HEIGHT	44

/* The part of a wait that the sums do not have */
struct span {
	const struct trace_object *object;
	uint64_t begin, end;
};

/* A moment or an interval that the picture marks */
struct mark {
	const struct trace_object *object;
	enum trace_kind kind;
	uint64_t begin, end;
	const struct trace_task *task;
};

static struct span *spans;
static struct mark *marks;
static size_t nr_spans, nr_marks;
static struct {
	const struct trace_object *object;
	const struct trace_task *task;
	uint64_t ns;
} longest;
static uint64_t from, to;	/* the time that is shown */

/* --- Gathering ----------------------------------------------------------- */

static void *grow(void *array, size_t n, size_t size)
{
	/* The array doubles when it is full, at powers of two. */
	if (n & (n - 1))
		return array;
	array = reallocarray(array, n ? 2 * n : 1, size);
	if (!array)
		err(1, "gosync");
	return array;
}

static void add_mark(const struct trace_event *event, uint64_t begin)
{
	marks = grow(marks, nr_marks, sizeof(*marks));
	marks[nr_marks++] = (struct mark) {
		event->object, event->kind, begin, event->time, event->task,
	};
}

/* Called while the object still counts as starving */
static void report_event(const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_OWNER_DIED:
	case TRACE_ONCE_ABANDONED:
	case TRACE_RECOVERED:
		add_mark(event, event->time);
		break;
	case TRACE_STARVATION_END:
		if (event->object->starving_since)
			add_mark(event, event->object->starving_since);
		break;
	default:
		break;
	}
}

static void report_wait(const struct trace_wait *wait)
{
	spans = grow(spans, nr_spans, sizeof(*spans));
	spans[nr_spans++] = (struct span) {
		wait->object, wait->begin, wait->end,
	};
	who_add(wait);
	if (wait->ns >= longest.ns) {
		longest.object = wait->object;
		longest.task = wait->task;
		longest.ns = wait->ns;
	}
}

static uint64_t waits_of(const struct trace_object *object)
{
	return object->stats.acquired + object->stats.gave_up +
	       object->stats.unfinished;
}

static uint64_t cost_of(const struct trace_object *object)
{
	return object->stats.wait_ns + object->stats.other_ns;
}

/* --- The head ------------------------------------------------------------ */

static void tile(const char *value, const char *what)
{
	printf("<div class=\"tile\"><b>%s</b><span>%s</span></div>\n", value,
	       what);
}

static void show_tiles(void)
{
	uint64_t waits = 0, ns = 0, deaths = 0, recoveries = 0, waited_for = 0;
	const struct trace_object *object;
	char text[80];

	for (object = trace_objects; object; object = object->next) {
		waits += waits_of(object);
		ns += cost_of(object);
		deaths += object->stats.deaths;
		recoveries += object->stats.recoveries;
		waited_for += !!waits_of(object);
	}
	puts("<div class=\"tiles\">");
	snprintf(text, sizeof(text), "wait%s, for %s of %s object%s",
		 plural(waits), count(waited_for), count(nr_trace_objects),
		 plural(nr_trace_objects));
	tile(count(waits), text);
	tile(duration(ns), "waited, all processes together");
	snprintf(text, sizeof(text), "%.1f", (double)ns / (to - from));
	tile(text, "waited at once, on average");
	printf("<div class=\"tile\"><b>%s</b><span>",
	       longest.task ? duration(longest.ns) : "none");
	fputs("longest wait", stdout);
	if (longest.task) {
		fputs(": ", stdout);
		html(longest.task->comm, strlen(longest.task->comm));
		fputs(" for ", stdout);
		html_name(longest.object);
	}
	puts("</span></div>");
	if (deaths || recoveries) {
		snprintf(text, sizeof(text), "died as owners; %s recovered",
			 count(recoveries));
		tile(count(deaths), text);
	}
	puts("</div>");
}

static void show_head(const struct trace_summary *summary)
{
	puts("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	     "<meta http-equiv=\"Content-Security-Policy\"\n"
	     "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	     "<meta name=\"viewport\" content=\"width=device-width\">\n"
	     "<title>gosync report</title>");
	printf("<style>\n%s</style>\n</head>\n<body>\n<main>\n", html_style);
	printf("<h1>Who waited for what</h1>\n<p>%s recorded, %s events</p>\n",
	       duration(to - from), count(summary->events));
	if (summary->lost)
		printf("<section class=\"lost\">%s event%s lost while recording:\n"
		       "the figures here are too small. Record with a larger\n"
		       "<code>--buffer-size</code>.</section>\n",
		       count(summary->lost),
		       summary->lost == 1 ? " was" : "s were");
	show_tiles();
}

/* --- When ---------------------------------------------------------------- */

static double x_of(uint64_t time)
{
	if (time < from)
		time = from;
	if (time > to)
		time = to;
	return (double)(time - from) / (to - from) * LANE_WIDTH;
}

/* The time waited for an object in each of the bins */
static void fill_bins(const struct trace_object *object, double bins[BINS])
{
	double left, right, width = (double)LANE_WIDTH / BINS;
	const struct span *span;
	int i;

	memset(bins, 0, BINS * sizeof(*bins));
	for (span = spans; span < spans + nr_spans; span++) {
		if (span->object != object)
			continue;
		left = x_of(span->begin) / width;
		right = x_of(span->end) / width;
		for (i = left; i < BINS && i < right; i++)
			bins[i] += (right < i + 1 ? right : i + 1) -
				   (left > i ? left : i);
	}
}

/* Return: a step of 1, 2 or 5 times a power of ten that makes 4 to 10 pieces */
static uint64_t tick(void)
{
	uint64_t step = 1;

	for (;; step *= 10) {
		if ((to - from) / step <= 10)
			return step;
		if ((to - from) / (2 * step) <= 10)
			return 2 * step;
		if ((to - from) / (5 * step) <= 10)
			return 5 * step;
	}
}

static void show_grid(bool labels)
{
	uint64_t step = tick(), at;

	for (at = 0; at <= to - from; at += step) {
		double x = x_of(from + at);

		if (labels && x < LANE_WIDTH - 30)
			printf("<text x=\"%.1f\" y=\"12\">%s</text>", x + 2,
			       at ? duration(at) : "0");
		else if (!labels)
			printf("<path class=\"grid\" d=\"M%.1f 0V%d\"/>", x,
			       LANE_HEIGHT);
	}
}

static void show_marks(const struct trace_object *object)
{
	const struct mark *mark;
	bool well;
	double x;

	for (mark = marks; mark < marks + nr_marks; mark++) {
		if (mark->object != object)
			continue;
		x = x_of(mark->begin);
		if (mark->kind == TRACE_STARVATION_END) {
			double width = x_of(mark->end) - x;

			rect("starve", x, LANE_HEIGHT - 4,
			     width > 0.5 ? width : 0.5, 4);
			printf("<title>a waiter starves for %s</title></rect>",
			       duration(mark->end - mark->begin));
			continue;
		}
		/* One flag is below the other, as both may be at the same place. */
		well = mark->kind == TRACE_RECOVERED;
		if (x > LANE_WIDTH - 7)
			x = LANE_WIDTH - 7;
		printf("<path class=\"%s\" d=\"M%.1f 0h2v%dh-2zM%.1f %dh12l-6 9z\">",
		       well ? "well" : "death", x - 1, LANE_HEIGHT - 4, x - 6,
		       well ? 12 : 0);
		printf("<title>%s, %s: process %d</title></path>",
		       duration(mark->begin > from ? mark->begin - from : 0),
		       well ? "recovered" : "the owner died", mark->task->pid);
	}
}

static void show_lane(const struct trace_object *object)
{
	const char *type = gosync_type_name(object->type);
	double bins[BINS], most = 1;
	int i;

	fill_bins(object, bins);
	for (i = 0; i < BINS; i++)
		if (bins[i] > most)
			most = bins[i];
	fputs("<div class=\"lane\"><div>", stdout);
	html_name(object);
	printf("<small>%s, up to %.1f at once</small></div>\n",
	       type ? type : "?", most);
	printf("<svg viewBox=\"0 0 %d %d\" role=\"img\">", LANE_WIDTH,
	       LANE_HEIGHT);
	show_grid(false);
	for (i = 0; i < BINS; i++) {
		double height = bins[i] / most * (LANE_HEIGHT - 6);

		if (height < 0.05)
			continue;
		rect("bar", i * (double)LANE_WIDTH / BINS,
		     LANE_HEIGHT - 5 - height, (double)LANE_WIDTH / BINS - 0.6,
		     height);
		printf("<title>%s: %.2f waiting</title></rect>",
		       duration((to - from) / BINS * i), bins[i]);
	}
	show_marks(object);
	puts("</svg></div>");
}

static bool worth_showing(const struct trace_object *object)
{
	return waits_of(object) || object->stats.deaths ||
	       object->stats.recoveries;
}

/* Show the objects that are worth it, at most @most. Return: how many. */
static unsigned int show_each(struct trace_object **objects, unsigned int most,
			      void (*show)(const struct trace_object *object))
{
	unsigned int i, n = 0;

	for (i = 0; objects[i] && n < most; i++) {
		if (!worth_showing(objects[i]))
			continue;
		show(objects[i]);
		n++;
	}
	return n;
}

static void show_when(struct trace_object **objects)
{
	puts("<section><h2>When</h2>\n<p>The number of waiters of each object over time.</p>\n"
	     "<div class=\"key\"><span style=\"--c:var(--bar)\">waiting</span>\n"
	     "<span style=\"--c:var(--starve)\">a waiter starves: it has lost after more than\n"
	     "1 ms</span>\n"
	     "<span style=\"--c:var(--death)\">an owner died</span>\n"
	     "<span style=\"--c:var(--well)\">recovered</span></div>");
	show_each(objects, MOST_LANES, show_lane);
	printf("<div class=\"lane\"><div></div><svg viewBox=\"0 0 %d 16\">",
	       LANE_WIDTH);
	show_grid(true);
	puts("</svg></div>\n</section>");
}

/* --- What ---------------------------------------------------------------- */

static void cell(uint64_t n, bool bad)
{
	printf("<td%s>%s</td>", !n ? " class=\"zero\"" :
				bad ? " class=\"bad\"" : "", count(n));
}

/* Show only the ranges from the first to the last that has waits. */
static void histogram_range(const struct trace_stats *stats, int *first,
			    int *last)
{
	*first = 0;
	*last = GOSYNC_HISTOGRAM - 1;
	while (*first < *last && !stats->histogram[*first])
		++*first;
	while (*last > *first && !stats->histogram[*last])
		--*last;
}

static uint64_t histogram_most(const struct trace_stats *stats)
{
	uint64_t most = 1;
	int i;

	for (i = 0; i < GOSYNC_HISTOGRAM; i++)
		if (stats->histogram[i] > most)
			most = stats->histogram[i];
	return most;
}

static void show_row(const struct trace_object *object)
{
	const struct trace_stats *stats = &object->stats;
	const char *type = gosync_type_name(object->type);
	uint64_t waits = waits_of(object);

	fputs("<tr><td class=\"name\">", stdout);
	html_name(object);
	printf("</td><td class=\"l\">%s</td>", type ? type : "?");
	cell(waits, false);
	if (waits)
		printf("<td>%s</td><td>%s</td><td>%s</td>",
		       duration(cost_of(object)),
		       duration(cost_of(object) / waits),
		       duration(stats->wait_max_ns));
	else
		fputs("<td></td><td></td><td></td>", stdout);
	cell(stats->acquired - stats->handed_over, false);
	cell(stats->handed_over, false);
	cell(stats->barged, false);
	cell(stats->gave_up, false);
	cell(stats->unfinished, true);
	cell(stats->deaths, true);
	puts("</tr>");
}

static void show_what(struct trace_object **objects)
{
	unsigned int n;

	puts("<section><h2>What</h2>\n"
	     "<p>The objects, the longest total wait first. How the waits ended: woken and\n"
	     "then acquired; handed over; given up; or still waiting at the end.\n"
	     "Barged: acquired without a wait while there were waiters.</p>\n"
	     "<table><tr><th>name<th class=\"l\">type<th>waits<th>total<th>mean<th>longest\n"
	     "<th>woken<th>handed over<th>barged<th>gave up<th>still waiting<th>deaths</tr>");
	n = show_each(objects, MOST_ROWS, show_row);
	puts("</table>");
	if (n == MOST_ROWS)
		puts("<p class=\"more\">and other objects with shorter waits</p>");
	else if (n < nr_trace_objects)
		printf("<p class=\"more\">and %s without waits</p>",
		       count(nr_trace_objects - n));
	puts("</section>");
}

/* --- How long ------------------------------------------------------------ */

static void show_histogram(const struct trace_object *object)
{
	const struct trace_stats *stats = &object->stats;
	uint64_t most = histogram_most(stats);
	int first, last, i, n;
	double width;

	histogram_range(stats, &first, &last);
	n = last - first + 1;
	width = n < 8 ? 300.0 / 8 : 300.0 / n;
	fputs("<div>", stdout);
	html_name(object);
	fputs("<svg viewBox=\"0 0 300 96\" role=\"img\"><path class=\"grid\" d=\"M0 76.5H300\"/>",
	      stdout);
	for (i = first; i <= last; i++) {
		double height = 74.0 * stats->histogram[i] / most;
		uint64_t limit = 1ULL << (i + GOSYNC_HISTOGRAM_SHIFT);

		if (stats->histogram[i]) {
			rect("bar", (i - first) * width, 76 - height,
			     width - 2, height > 1 ? height : 1);
			printf("<title>%s wait%s of %s to %s</title></rect>",
			       count(stats->histogram[i]),
			       plural(stats->histogram[i]),
			       i ? duration(limit / 2) : "0", duration(limit));
		}
	}
	/* Write as many labels as fit. */
	for (i = first; i <= last; i += (int)(58 / width) + 1)
		printf("<text x=\"%.1f\" y=\"91\">%s</text>",
		       (i - first) * width,
		       i ? duration_with(1ULL << (i - 1 +
						  GOSYNC_HISTOGRAM_SHIFT), 0) :
			   "0");
	puts("</svg></div>");
}

static void show_how_long(struct trace_object **objects)
{
	unsigned int i, n = 0;

	puts("<section><h2>How long</h2>\n"
	     "<p>Waits by length; each range is twice as long as the one before.</p>\n"
	     "<div class=\"small\">");
	for (i = 0; objects[i] && n < MOST_HISTOGRAMS; i++) {
		if (!objects[i]->stats.acquired)
			continue;
		show_histogram(objects[i]);
		n++;
	}
	if (!n)
		puts("No wait ended in a grant.");
	puts("</div></section>");
}

/* --- The page ------------------------------------------------------------ */

static int report_end(const struct trace_summary *summary)
{
	struct trace_object **objects = trace_objects_by_cost();
	struct trace_event last = { .time = summary->end,
				    .kind = TRACE_STARVATION_END };
	struct trace_object *object;

	from = summary->begin;
	to = summary->end > from ? summary->end : from + 1;
	for (object = trace_objects; object; object = object->next) {
		last.object = object;
		if (object->starving_since)
			add_mark(&last, object->starving_since);
	}
	show_head(summary);
	show_when(objects);
	show_what(objects);
	show_how_long(objects);
	show_who();
	show_where();
	puts("<footer>made by gosync report</footer>\n</main>\n</body>\n</html>");
	free(objects);
	return trace_close(stdout, "standard output");
}

static const struct trace_output report_output = {
	.event = report_event,
	.wait = report_wait,
	.end = report_end,
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **path = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_usage(state);
		*path = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int report_main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "[FILE]",
		.doc = "Write an HTML page of a recording of `gosync trace --json': which process\n"
		       "waited for which, when, how long, and where in the code. Without\n"
		       "FILE, or if it is -, the recording is read from standard input.\n"
		       "\v    gosync trace --json -d 5 | gosync report >report.html\n\n"
		       "The exit status is 0, or 1 if the page was not written, or 2 for wrong usage.",
	};
	struct trace_summary summary = { };
	const char *path = "-";

	program_invocation_name = argv[0];
	argp_parse(&argp, argc, argv, 0, NULL, &path);
	trace_add_output(&report_output);
	import(path, &summary);
	return trace_end(&summary);
}
