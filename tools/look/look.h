/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations for the commands that look at objects: the columns of ls and
 * stat, which info and limits use too.
 */
#ifndef GOSYNC_LOOK_H
#define GOSYNC_LOOK_H

#include "gosync.h"
#include "table.h"

/* list.c: the columns of ls; COLUMN_NAME is the last usual one. */
extern const struct column object_columns[];

/**
 * object_row() - fill the columns of ls
 * @table: a table whose columns begin with object_columns
 * @info: the object's properties
 */
void object_row(struct table *table, const struct gosync_info *info);

/* stat.c: the columns of stat */
extern const struct column stat_columns[];

/**
 * stat_row() - fill the columns of stat
 * @table: the table
 * @first: the index of the first of stat_columns in it
 * @info: the object's properties
 * @stat: its statistics
 */
void stat_row(struct table *table, unsigned int first,
	      const struct gosync_info *info, const struct gosync_stat *stat);

/**
 * stat_mean() - the mean of the waits that ended in a grant
 * @stat: the statistics
 *
 * Return: nanoseconds, 0 if there were none.
 */
uint64_t stat_mean(const struct gosync_stat *stat);

/**
 * histogram_print() - draw the distribution of the waits
 * @stat: the statistics
 *
 * Prints a line for each range, from the first to the last non-empty one.
 */
void histogram_print(const struct gosync_stat *stat);

/* prometheus.c: an object at one look */
struct prometheus_row {
	struct gosync_info info;
	struct gosync_stat stat;
};

/**
 * prometheus_print() - print statistics in the text format of Prometheus
 * @rows: the objects
 * @count: how many there are
 *
 * The samples of a metric have to stand together, so this takes all objects.
 */
void prometheus_print(const struct prometheus_row *rows, size_t count);

#endif /* GOSYNC_LOOK_H */
