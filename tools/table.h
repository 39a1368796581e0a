/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables, in the manner of util-linux: the columns are to be chosen, and the
 * same can be had as JSON.
 *
 * A command describes its columns in an array, gives table_argp as a child to
 * its own argp with the &struct table as input, and then
 *
 *	table_begin(&table);
 *	for each line {
 *		table_line(&table);
 *		table_set(&table, COLUMN, "%u", ...); for each column
 *	}
 *	table_end(&table);
 *
 * What is not set is "-" in text and null in JSON.
 */
#ifndef GOSYNC_TABLE_H
#define GOSYNC_TABLE_H

#include <argp.h>
#include <libsmartcols.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No table has more columns. */
#define TABLE_COLUMNS	40

/**
 * enum column_kind - what stands in a column
 * @COLUMN_TEXT: words
 * @COLUMN_NUMBER: a number or a time
 * @COLUMN_BOOLEAN: yes or no
 * @COLUMN_NUMBERS: several numbers, each but the last with a line's end
 */
enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_BOOLEAN,
	COLUMN_NUMBERS,
};

/**
 * struct column - a column that a table may have
 * @name: its heading; in JSON its key, in lower case
 * @help: what is in it
 * @kind: &enum column_kind
 * @width: at least so many characters, so that long tables stay in line
 * @extra: it is only shown when asked for
 */
struct column {
	const char *name;
	const char *help;
	enum column_kind kind;
	unsigned int width;
	bool extra;
};

/**
 * struct table - a table, and how it is wanted
 * @name: the name of the array in JSON
 * @columns: what columns there are, the last is without a name
 *
 */
struct table {
	const char *name;
	const struct column *columns;

	/* private: table.c's */
	unsigned char shown[TABLE_COLUMNS];	/* their indexes */
	signed char place[TABLE_COLUMNS];	/* where each is, or -1 */
	unsigned int nr_shown;
	char *cells[TABLE_COLUMNS];		/* the present line's */
	bool in_line;				/* there is one */
	unsigned int nr_lines;			/* in the present piece */
	bool began;				/* a piece has been printed */
	int width[TABLE_COLUMNS];		/* of the columns there */
	bool json, raw, noheadings;
	struct libscols_table *cols;
};

/* The options that choose columns and format; its input is a struct table. */
extern const struct argp table_argp;
#define TABLE_CHILD	{ &table_argp, 0, "Output options:", 0 }

/**
 * table_show() - show a column besides those that are wanted
 * @table: which, before it begins
 * @column: its index in &table.columns
 */
void table_show(struct table *table, unsigned int column);

/**
 * table_begin() - begin a table
 * @table: which
 *
 * Ends the program when there is no memory, as do the others.
 */
void table_begin(struct table *table);

/**
 * table_line() - begin a line
 * @table: which
 */
void table_line(struct table *table);

/**
 * table_wants() - is a column shown
 * @table: which
 * @column: its index in &table.columns
 *
 * Return: whether it is worth the trouble to find out what to put there.
 */
bool table_wants(const struct table *table, unsigned int column);

/**
 * table_set() - put something in the line that was begun last
 * @table: which
 * @column: the index of the column; it need not be shown
 * @format: as printf()'s, for characters of ASCII that a terminal can show
 */
void table_set(struct table *table, unsigned int column, const char *format,
	       ...) __attribute__((format(printf, 3, 4)));

/**
 * table_set_text() - put a word there
 * @table: which
 * @column: the index of the column
 * @text: the word, as in table_set(); NULL: nothing
 */
void table_set_text(struct table *table, unsigned int column, const char *text);

/**
 * table_set_number() - put a number there
 * @table: which
 * @column: the index of the column
 * @number: the number
 */
void table_set_number(struct table *table, unsigned int column, uint64_t number);

/**
 * table_set_name() - put a name there: any bytes
 * @table: which
 * @column: the index of the column
 * @name: the name
 * @len: its length; 0: nothing
 *
 * In text as name_text(), with --raw as libsmartcols does. In JSON what is not
 * UTF-8 becomes U+FFFD.
 */
void table_set_name(struct table *table, unsigned int column, const void *name,
		    size_t len);

/**
 * utf8_text() - a name as JSON can have it
 * @name: the name, any bytes
 * @len: its length
 *
 * What is not UTF-8 becomes U+FFFD.
 *
 * Return: allocated memory, or NULL.
 */
char *utf8_text(const void *name, size_t len);

/**
 * table_set_time() - put a time there
 * @table: which
 * @column: the index of the column
 * @ns: nanoseconds
 *
 * In text as duration_text(), with --raw and --json the number.
 */
void table_set_time(struct table *table, unsigned int column, uint64_t ns);

/**
 * table_end() - print what has not been printed, and forget the table
 * @table: which
 *
 * Return: 0, or 1 if it could not be written, which has been told.
 */
int table_end(struct table *table);

#endif /* GOSYNC_TABLE_H */
