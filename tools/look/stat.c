// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync stat: statistics of the waits for objects, since their creation or,
 * with an interval, since the last time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "look.h"

enum {
	COL_ID, COL_TYPE, COL_CONTENDED, COL_ACQUIRED, COL_HANDED, COL_GAVE_UP,
	COL_MEAN, COL_P50, COL_P99, COL_LONGEST, COL_TOTAL, COL_STARVED,
	COL_DEATHS, COL_HISTOGRAM, COL_NAME,
};

const struct column stat_columns[] = {
	[COL_ID] = { "ID", "number of the object",
		COLUMN_NUMBER, 0, true },
	[COL_TYPE] = { "TYPE", "type of the object",
		COLUMN_TEXT, 9, true },
	[COL_CONTENDED] = { "CONTENDED", "number of waits",
		COLUMN_NUMBER, 0, false },
	[COL_ACQUIRED] = { "ACQUIRED", "number of waits that ended in a grant",
		COLUMN_NUMBER, 0, false },
	[COL_HANDED] = { "HANDED", "number of grants that the releaser handed over",
		COLUMN_NUMBER, 0, false },
	[COL_GAVE_UP] = { "GAVE-UP", "number of waits that a deadline or a signal ended",
		COLUMN_NUMBER, 0, false },
	[COL_MEAN] = { "MEAN", "mean of the waits that ended in a grant",
		COLUMN_NUMBER, 8, false },
	[COL_P50] = { "P50", "half of these waits were shorter (estimated)",
		COLUMN_NUMBER, 8, false },
	[COL_P99] = { "P99", "99 of 100 of these waits were shorter (estimated)",
		COLUMN_NUMBER, 8, false },
	[COL_LONGEST] = { "LONGEST", "the longest of these waits",
		COLUMN_NUMBER, 8, false },
	[COL_TOTAL] = { "TOTAL", "sum of these waits",
		COLUMN_NUMBER, 8, true },
	[COL_STARVED] = { "STARVED", "number of times that the lock began to be handed on",
		COLUMN_NUMBER, 0, false },
	[COL_DEATHS] = { "DEATHS", "number of owners that died",
		COLUMN_NUMBER, 0, false },
	[COL_HISTOGRAM] = { "HISTOGRAM", "numbers of waits below 1024 ns, 2048 ns, and so on",
		COLUMN_NUMBERS, 0, true },
	[COL_NAME] = { "NAME", "name of the object",
		COLUMN_TEXT, 0, false },
	{ }
};

/* --- Estimates from the histogram ----------------------------------------- */

uint64_t stat_mean(const struct gosync_stat *stat)
{
	return stat->acquired ? stat->wait_ns / stat->acquired : 0;
}

/* The beginning of a range, which is the end of the one before */
static uint64_t range_begin(unsigned int i)
{
	return i ? 1ULL << (GOSYNC_HISTOGRAM_SHIFT + i - 1) : 0;
}

/*
 * The length below which @percent of the waits were, if the waits of each range
 * are spread evenly over it.
 */
static uint64_t percentile(const struct gosync_stat *stat, unsigned int percent)
{
	uint64_t all = 0, begin, end, n;
	double before;
	unsigned int i;

	for (i = 0; i < GOSYNC_HISTOGRAM; i++)
		all += stat->histogram[i];
	before = all * (percent / 100.0);
	for (i = 0; i < GOSYNC_HISTOGRAM; i++) {
		n = stat->histogram[i];
		if (!n)
			continue;
		if (before <= n) {
			begin = range_begin(i);
			end = range_begin(i + 1);
			if (end > stat->wait_max_ns || i + 1 == GOSYNC_HISTOGRAM)
				end = stat->wait_max_ns;
			return begin < end ?
				begin + (end - begin) * (before / n) : end;
		}
		before -= n;
	}
	return 0;
}

static void set_histogram(struct table *table, unsigned int column,
			  const struct gosync_stat *stat)
{
	char text[GOSYNC_HISTOGRAM * 21], *to = text;
	unsigned int i;

	if (!table_wants(table, column))
		return;
	for (i = 0; i < GOSYNC_HISTOGRAM; i++)
		to += sprintf(to, "%s%llu", !i ? "" : table->json ? "\n" : ",",
			      (unsigned long long)stat->histogram[i]);
	table_set_text(table, column, text);
}

void stat_row(struct table *table, unsigned int first,
	      const struct gosync_info *info, const struct gosync_stat *stat)
{
	table_set_number(table, first + COL_ID, info->id);
	table_set_text(table, first + COL_TYPE, type_text(info->type));
	table_set_number(table, first + COL_CONTENDED, stat->contended);
	table_set_number(table, first + COL_ACQUIRED, stat->acquired);
	table_set_number(table, first + COL_HANDED, stat->handed_over);
	table_set_number(table, first + COL_GAVE_UP, stat->gave_up);
	if (stat->acquired) {
		table_set_time(table, first + COL_MEAN, stat_mean(stat));
		table_set_time(table, first + COL_P50, percentile(stat, 50));
		table_set_time(table, first + COL_P99, percentile(stat, 99));
		table_set_time(table, first + COL_LONGEST, stat->wait_max_ns);
	}
	table_set_time(table, first + COL_TOTAL, stat->wait_ns);
	table_set_number(table, first + COL_STARVED, stat->starvations);
	table_set_number(table, first + COL_DEATHS, stat->deaths);
	set_histogram(table, first + COL_HISTOGRAM, stat);
	table_set_name(table, first + COL_NAME, info->name, info->name_len);
}

#define BAR	40

void histogram_print(const struct gosync_stat *stat)
{
	unsigned int i, first = GOSYNC_HISTOGRAM, last = 0;
	uint64_t most = 1, n;
	char end[16];

	for (i = 0; i < GOSYNC_HISTOGRAM; i++) {
		n = stat->histogram[i];
		if (!n)
			continue;
		if (first == GOSYNC_HISTOGRAM)
			first = i;
		last = i;
		if (n > most)
			most = n;
	}
	for (i = first; i <= last; i++) {
		int bar = (BAR * stat->histogram[i] + most - 1) / most;

		if (i + 1 < GOSYNC_HISTOGRAM)
			printf("  below %9s |",
			       duration_text(range_begin(i + 1), end));
		else
			printf("  more            |");
		while (bar--)
			putchar('#');
		printf(" %llu\n", (unsigned long long)stat->histogram[i]);
	}
}

/* --- The command ---------------------------------------------------------- */

/* The statistics of an object at the last look */
struct before {
	uint64_t id;
	struct gosync_stat stat;
};

struct stats {
	struct table table;
	struct names names;
	bool all, bars, prometheus;
	double interval;
	long count;
	int status;

	/* The objects of the last look, sorted by id, and those of this look */
	struct before *before, *now;
	size_t nr_before, nr_now;

	/* What is to be printed for Prometheus */
	struct prometheus_row *rows;
	size_t nr_rows;
};

static int compare_ids(const void *a, const void *b)
{
	const struct before *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Room for one more: the array doubles when it is full, at powers of two. */
static void *grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = reallocarray(array, 2 * nr + 1, size);
	if (array)
		return array;
	fputs("gosync stat: out of memory\n", stderr);
	exit(1);
}

static void remember(struct stats *stats, uint64_t id,
		     const struct gosync_stat *stat)
{
	stats->now = grow(stats->now, stats->nr_now, sizeof(*stats->now));
	stats->now[stats->nr_now++] = (struct before) { id, *stat };
}

/*
 * The difference to the last look. The longest wait is exact if no wait before
 * was as long; otherwise it is the end of its range.
 */
static void subtract(struct gosync_stat *stat, const struct gosync_stat *last)
{
	unsigned int i;

	stat->contended -= last->contended;
	stat->acquired -= last->acquired;
	stat->handed_over -= last->handed_over;
	stat->gave_up -= last->gave_up;
	stat->wait_ns -= last->wait_ns;
	stat->deaths -= last->deaths;
	stat->starvations -= last->starvations;
	for (i = 0; i < GOSYNC_HISTOGRAM; i++)
		stat->histogram[i] -= last->histogram[i];
	if (stat->wait_max_ns == last->wait_max_ns)
		stat->wait_max_ns = percentile(stat, 100);
}

static void print_bars(const struct gosync_info *info,
		       const struct gosync_stat *stat)
{
	char name[NAME_BUF];

	printf("%s: %llu times contended, %llu waits ended in a grant\n",
	       name_text(info->name, info->name_len, name),
	       (unsigned long long)stat->contended,
	       (unsigned long long)stat->acquired);
	histogram_print(stat);
}

static void look(int object, const struct gosync_info *info, void *arg)
{
	struct gosync_stat stat = { .size = sizeof(stat) };
	const struct before *before;
	struct stats *stats = arg;

	if (ioctl(object, GOSYNC_IOC_STAT, &stat) < 0) {
		object_error((const char *)info->name, GOSYNC_IOC_STAT, -errno);
		stats->status = 1;
		return;
	}
	if (stats->prometheus) {
		stats->rows = grow(stats->rows, stats->nr_rows,
				   sizeof(*stats->rows));
		stats->rows[stats->nr_rows++] =
			(struct prometheus_row) { *info, stat };
		return;
	}
	if (stats->interval) {
		remember(stats, info->id, &stat);
		before = bsearch(&(struct before) { .id = info->id },
				 stats->before, stats->nr_before,
				 sizeof(*before), compare_ids);
		if (before)
			subtract(&stat, &before->stat);
	}
	if (!stats->all && !stats->names.count && !stat.contended &&
	    !stat.acquired && !stat.gave_up && !stat.deaths)
		return;
	if (stats->bars) {
		print_bars(info, &stat);
		return;
	}
	table_line(&stats->table);
	stat_row(&stats->table, 0, info, &stat);
}

static bool was_waited_for(const struct gosync_info *info, void *arg)
{
	const struct stats *stats = arg;

	return stats->all || info->contended || info->deaths;
}

static int look_once(struct stats *stats)
{
	int status;

	if (!stats->prometheus)
		table_begin(&stats->table);
	status = objects_each(&stats->names, was_waited_for, look, stats);
	stats->status |= status;
	if (!stats->prometheus)
		return table_end(&stats->table);
	prometheus_print(stats->rows, stats->nr_rows);
	free(stats->rows);
	return output_end();
}

static int look_again_and_again(struct stats *stats)
{
	uint64_t at = gosync_deadline(0), now;
	long n;

	for (n = 0;;) {
		if (look_once(stats))
			return 1;
		if (++n == stats->count)
			return 0;
		free(stats->before);
		stats->before = stats->now;
		stats->nr_before = stats->nr_now;
		stats->now = NULL;
		stats->nr_now = 0;
		qsort(stats->before, stats->nr_before, sizeof(*stats->before),
		      compare_ids);

		at += stats->interval * 1e9;
		now = gosync_deadline(0);
		output_pause(at > now ? at - now : 0);
		if (!stats->table.json && !stats->table.raw)
			putchar('\n');
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stats *stats = state->input;

	switch (key) {
	case 'a':
		stats->all = true;
		return 0;
	case 'b':
		stats->bars = true;
		return 0;
	case 'c':
		stats->count = parse_number(state, arg, "the count", 1,
					    1000000000);
		return 0;
	case 'p':
		/* A counter begins at 0, before there is something to count. */
		stats->prometheus = true;
		stats->all = true;
		return 0;
	case 'i':
		stats->interval = parse_seconds(state, arg, "the interval");
		if (stats->interval < 0.001)
			argp_error(state, "the interval must be at least 0.001 seconds");
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &stats->table;
		return 0;
	case ARGP_KEY_END:
		if (stats->count && !stats->interval)
			stats->interval = 1;
		if (stats->bars && stats->table.raw)
			argp_error(state, "--histogram and --raw exclude each other");
		if (stats->prometheus && (stats->interval || stats->bars ||
					  stats->table.raw || stats->table.json))
			argp_error(state, "--prometheus stands alone");
		return 0;
	}
	return names_parse(key, state, &stats->names);
}

int stat_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "interval", 'i', "SECONDS", 0,
		  "print again every SECONDS: first all waits, then the new ones",
		  0 },
		{ "count", 'c', "N", 0, "print N times (implies -i 1)", 0 },
		{ "histogram", 'b', NULL, 0,
		  "draw the distribution of the waits as bars (JSON: add the column)",
		  0 },
		{ "prometheus", 'p', NULL, 0,
		  "print all that is known of all objects, once, as Prometheus reads it",
		  0 },
		{ "all", 'a', NULL, 0,
		  "without NAME, also show objects that have had no waits",
		  0 },
		{ }
	};
	static const struct argp_child children[] = { TABLE_CHILD, { } };
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[NAME...]",
		.children = children,
		.doc = "Show statistics of the waits for these objects, or for all: how many,\n"
		       "how they ended, and how long they took.\n"
		       "\vAn acquisition without a wait is not counted. A wait that is not over counts\n"
		       "only in CONTENDED.",
	};
	struct stats stats = {
		.table = { .name = "stat", .columns = stat_columns },
	};
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &stats);
	if (stats.bars && stats.table.json) {
		table_show(&stats.table, COL_HISTOGRAM);
		stats.bars = false;
	}
	if (stats.interval)
		status = look_again_and_again(&stats);
	else
		status = look_once(&stats);
	free(stats.before);
	free(stats.now);
	return status | stats.status;
}
