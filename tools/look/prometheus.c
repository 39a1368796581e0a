// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync stat --prometheus: the statistics in the text format that Prometheus
 * reads, for the textfile collector of its node exporter.
 */
#include <stdio.h>
#include <stdlib.h>

#include "look.h"

enum {
	WAITS, HANDED_OVER, GAVE_UP, STARVATIONS, DEATHS, LONGEST, WAITERS,
	HOLDERS, METRICS
};

static const struct {
	const char *name, *type, *help;
} metrics[METRICS] = {
	[WAITS] = { "gosync_waits_total", "counter",
		"Waits, also those that have not ended." },
	[HANDED_OVER] = { "gosync_handed_over_total", "counter",
		"Waits that ended because the releaser handed over." },
	[GAVE_UP] = { "gosync_gave_up_total", "counter",
		"Waits that ended without a grant." },
	[STARVATIONS] = { "gosync_starvations_total", "counter",
		"How often starvation of a lock began." },
	[DEATHS] = { "gosync_owner_deaths_total", "counter",
		"Owners that died." },
	[LONGEST] = { "gosync_wait_longest_seconds", "gauge",
		"Longest wait that ended in a grant." },
	[WAITERS] = { "gosync_waiters", "gauge", "Waiters now." },
	[HOLDERS] = { "gosync_holders", "gauge",
		"Holders now: descriptors of the object." },
};

static double seconds(uint64_t ns)
{
	return (double)ns / NSEC_PER_SEC;
}

static double value_of(unsigned int metric, const struct prometheus_row *row)
{
	const double values[METRICS] = {
		[WAITS] = row->stat.contended,
		[HANDED_OVER] = row->stat.handed_over,
		[GAVE_UP] = row->stat.gave_up,
		[STARVATIONS] = row->stat.starvations,
		[DEATHS] = row->stat.deaths,
		[LONGEST] = seconds(row->stat.wait_max_ns),
		[WAITERS] = row->info.waiters,
		[HOLDERS] = row->info.holders,
	};

	return values[metric];
}

static void print_head(const char *name, const char *type, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* An object may be unlinked, and another have its name: the id tells them apart. */
static void print_labels(const struct gosync_info *info)
{
	char buf[NAME_BUF];
	const char *name = name_text(info->name, info->name_len, buf);

	printf("{id=\"%llu\",type=\"%s\",name=\"",
	       (unsigned long long)info->id, type_text(info->type));
	for (; *name; name++)
		printf(*name == '"' || *name == '\\' ? "\\%c" : "%c", *name);
	putchar('"');
}

static void print_histogram(const struct prometheus_row *row)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < GOSYNC_HISTOGRAM; i++) {
		sum += row->stat.histogram[i];
		printf("gosync_wait_seconds_bucket");
		print_labels(&row->info);
		if (i + 1 < GOSYNC_HISTOGRAM)
			printf(",le=\"%.9g\"} %llu\n",
			       seconds(1ULL << (GOSYNC_HISTOGRAM_SHIFT + i)),
			       (unsigned long long)sum);
		else
			printf(",le=\"+Inf\"} %llu\n", (unsigned long long)sum);
	}
	printf("gosync_wait_seconds_sum");
	print_labels(&row->info);
	printf("} %.9f\ngosync_wait_seconds_count", seconds(row->stat.wait_ns));
	print_labels(&row->info);
	printf("} %llu\n", (unsigned long long)sum);
}

void prometheus_print(const struct prometheus_row *rows, size_t count)
{
	unsigned int metric;
	size_t i;

	for (metric = 0; metric < METRICS; metric++) {
		print_head(metrics[metric].name, metrics[metric].type,
			   metrics[metric].help);
		for (i = 0; i < count; i++) {
			fputs(metrics[metric].name, stdout);
			print_labels(&rows[i].info);
			printf("} %.15g\n", value_of(metric, &rows[i]));
		}
	}
	print_head("gosync_wait_seconds", "histogram",
		   "Lengths of the waits that ended in a grant.");
	for (i = 0; i < count; i++)
		print_histogram(&rows[i]);
}
