/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables in the manner of util-linux, for all commands: the user chooses the
 * columns, and may have JSON instead.
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
 * A column without a value is "-" in text and null in JSON.
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
 * enum column_kind - the kind of the values of a column
 * @COLUMN_TEXT: words
 * @COLUMN_NUMBER: a number or a time
 * @COLUMN_BOOLEAN: yes or no
 * @COLUMN_NUMBERS: several numbers, separated by newlines
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
 * @help: its description
 * @kind: &enum column_kind
 * @width: the smallest width, so that the columns of long tables stay in line
 * @extra: it is shown only if the user asks for it
 */
struct column {
	const char *name;
	const char *help;
	enum column_kind kind;
	unsigned int width;
	bool extra;
};

/**
 * struct table - a table and its options
 * @name: the name of the array in JSON
 * @columns: the columns; the last one has no name
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

/* The parser of a command without other options: its input is the table. */
error_t table_only_parse(int key, char *arg, struct argp_state *state);

/**
 * table_show() - add a column to the chosen ones
 * @table: the table, before table_begin()
 * @column: its index in &table.columns
 */
void table_show(struct table *table, unsigned int column);

/**
 * table_begin() - begin a table
 * @table: the table
 *
 * This and the other functions end the program if there is no memory.
 */
void table_begin(struct table *table);

/**
 * table_line() - begin a line
 * @table: the table
 */
void table_line(struct table *table);

/**
 * table_wants() - whether a column is shown
 * @table: the table
 * @column: its index in &table.columns
 *
 * Return: false if the caller need not compute the value.
 */
bool table_wants(const struct table *table, unsigned int column);

/**
 * table_set() - put a text into the present line
 * @table: the table
 * @column: the index of the column; it need not be shown
 * @format: as for printf(); the text must be printable ASCII
 */
void table_set(struct table *table, unsigned int column, const char *format,
	       ...) __attribute__((format(printf, 3, 4)));

/**
 * table_set_text() - put a word into the present line
 * @table: the table
 * @column: the index of the column
 * @text: the word, as in table_set(); NULL: nothing
 */
void table_set_text(struct table *table, unsigned int column, const char *text);

/**
 * table_set_number() - put a number into the present line
 * @table: the table
 * @column: the index of the column
 * @number: the number
 */
void table_set_number(struct table *table, unsigned int column, uint64_t number);

/**
 * table_set_name() - put a name of any bytes into the present line
 * @table: the table
 * @column: the index of the column
 * @name: the name
 * @len: its length; 0: nothing
 *
 * The text is that of name_text(); with --raw libsmartcols escapes the name. In
 * JSON, bytes that are not UTF-8 become U+FFFD.
 */
void table_set_name(struct table *table, unsigned int column, const void *name,
		    size_t len);

/**
 * utf8_text() - write a name as UTF-8, for JSON
 * @name: the name, any bytes
 * @len: its length
 *
 * Bytes that are not UTF-8 become U+FFFD.
 *
 * Return: allocated memory, or NULL.
 */
char *utf8_text(const void *name, size_t len);

/**
 * table_set_time() - put a time into the present line
 * @table: the table
 * @column: the index of the column
 * @ns: nanoseconds
 *
 * The text is that of duration_text(); with --raw and --json, the number.
 */
void table_set_time(struct table *table, unsigned int column, uint64_t ns);

/**
 * table_end() - print the rest, and free the table
 * @table: the table
 *
 * Return: 0, or 1, after a message, if it could not be written.
 */
int table_end(struct table *table);

#endif /* GOSYNC_TABLE_H */
