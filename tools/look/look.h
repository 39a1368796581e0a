/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands that look at objects share: columns, and what stands in
 * them.
 */
#ifndef GOSYNC_LOOK_H
#define GOSYNC_LOOK_H

#include "gosync.h"
#include "table.h"

/* The columns of ls; COLUMN_NAME is the last that is usual. */
extern const struct column object_columns[];

/**
 * object_row() - fill the columns of ls
 * @table: whose columns begin with object_columns
 * @info: what is known of the object
 */
void object_row(struct table *table, const struct gosync_info *info);

/* The columns of stat */
extern const struct column stat_columns[];

/**
 * stat_row() - fill the columns of stat
 * @table: the table
 * @first: the index of the first of stat_columns in it
 * @info: what is known of the object
 * @stat: how the waits went
 */
void stat_row(struct table *table, unsigned int first,
	      const struct gosync_info *info, const struct gosync_stat *stat);

/**
 * stat_mean() - how long waits were that ended in a grant
 * @stat: how the waits went
 *
 * Return: nanoseconds, 0 if there were none.
 */
uint64_t stat_mean(const struct gosync_stat *stat);

/**
 * histogram_print() - draw how long waits were
 * @stat: how the waits went
 *
 * A line for each range, from the first to the last that is not empty.
 */
void histogram_print(const struct gosync_stat *stat);

#endif /* GOSYNC_LOOK_H */
