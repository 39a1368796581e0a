// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables, by libsmartcols. A table is printed in pieces, so that one of any
 * length takes the memory of a piece; the columns are as wide as in the piece
 * before, or wider.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gosync.h"
#include "table.h"

#define PIECE	256

static void out_of_memory(void)
{
	fprintf(stderr, "%s: out of memory\n", program_invocation_name);
	exit(1);
}

/* --- Options -------------------------------------------------------------- */

enum {
	OPT_OUTPUT_ALL = 0x100,
};

static const struct argp_option options[] = {
	{ "json", 'J', 0, 0, "print JSON", 0 },
	{ "raw", 'r', 0, 0,
	  "print words with one blank between, and times in nanoseconds", 0 },
	{ "noheadings", 'n', 0, 0, "print no headings", 0 },
	{ "output", 'o', "LIST", 0,
	  "print these columns; +LIST: besides the usual ones", 0 },
	{ "output-all", OPT_OUTPUT_ALL, 0, 0, "print all columns", 0 },
	{ "list-columns", 'H', 0, 0, "tell what columns there are", 0 },
	{ }
};

static void show(struct table *table, unsigned int column)
{
	unsigned int i;

	for (i = 0; i < table->nr_shown; i++)
		if (table->shown[i] == column)
			return;
	table->shown[table->nr_shown++] = column;
}

static void show_usual(struct table *table, bool all)
{
	unsigned int i;

	for (i = 0; table->columns[i].name; i++)
		if (all || !table->columns[i].extra)
			show(table, i);
}

static void parse_columns(struct argp_state *state, struct table *table,
			  const char *list)
{
	unsigned int i;
	size_t len;

	table->nr_shown = 0;
	if (*list == '+') {
		show_usual(table, false);
		list++;
	}
	for (;; list += len + 1) {
		len = strcspn(list, ",");
		for (i = 0; table->columns[i].name; i++)
			if (strlen(table->columns[i].name) == len &&
			    !strncasecmp(table->columns[i].name, list, len))
				break;
		if (!table->columns[i].name)
			argp_error(state,
				   "there is no column '%.*s'; --list-columns tells what there is",
				   (int)len, list);
		show(table, i);
		if (!list[len])
			return;
	}
}

static void list_columns(const struct table *table)
{
	const struct column *column;

	for (column = table->columns; column->name; column++)
		printf("%12s  %s\n", column->name, column->help);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct table *table = state->input;

	switch (key) {
	case 'J':
		table->json = true;
		break;
	case 'r':
		table->raw = true;
		break;
	case 'n':
		table->noheadings = true;
		break;
	case 'o':
		parse_columns(state, table, arg);
		break;
	case OPT_OUTPUT_ALL:
		table->nr_shown = 0;
		show_usual(table, true);
		break;
	case 'H':
		list_columns(table);
		exit(0);
	case ARGP_KEY_END:
		if (table->json && table->raw)
			argp_error(state, "--json and --raw exclude each other");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp table_argp = {
	.options = options,
	.parser = parse,
};

/* --- Lines ---------------------------------------------------------------- */

void table_begin(struct table *table)
{
	unsigned int i;

	if (!table->nr_shown)
		show_usual(table, false);
	memset(table->place, -1, sizeof(table->place));
	table->cols = scols_new_table();
	if (!table->cols)
		out_of_memory();
	scols_table_set_name(table->cols, table->name);
	scols_table_enable_json(table->cols, table->json);
	scols_table_enable_raw(table->cols, table->raw);
	scols_table_enable_noheadings(table->cols, table->noheadings);
	for (i = 0; i < table->nr_shown; i++) {
		const struct column *column = &table->columns[table->shown[i]];
		struct libscols_column *col;

		col = scols_table_new_column(table->cols, column->name,
					     column->width, column->flags);
		if (!col)
			out_of_memory();
		scols_column_set_json_type(col, column->json);
		table->place[table->shown[i]] = i;
	}
	table->nr_lines = 0;
	table->began = false;
}

/* What is around the array is printed once. */
static void print_json(struct table *table, bool last)
{
	char *text, *from, *to;

	if (scols_print_table_to_string(table->cols, &text))
		out_of_memory();
	from = strchr(text, '[') + 1;
	to = strrchr(text, ']');
	if (table->began)
		putchar(',');
	else
		fwrite(text, 1, from - text, stdout);
	fwrite(from, 1, to - from, stdout);
	if (last)
		fputs(to, stdout);
	free(text);
}

static void print_text(struct table *table)
{
	struct libscols_column *col;
	unsigned int i;

	if (scols_print_table(table->cols))
		out_of_memory();
	scols_table_enable_noheadings(table->cols, 1);
	for (i = 0; i < table->nr_shown; i++) {
		col = scols_table_get_column(table->cols, i);
		scols_column_set_whint(col, scols_column_get_width(col));
	}
}

static void print_piece(struct table *table, bool last)
{
	if (table->json)
		print_json(table, last);
	else
		print_text(table);
	scols_table_remove_lines(table->cols);
	table->nr_lines = 0;
	table->began = true;
}

/* A line of text has a word for each column. */
static void finish_line(struct table *table)
{
	unsigned int i;

	if (table->json || !table->nr_lines)
		return;
	for (i = 0; i < table->nr_shown; i++)
		if (!scols_cell_get_data(scols_line_get_cell(table->line, i)) &&
		    scols_line_set_data(table->line, i, "-"))
			out_of_memory();
}

void table_line(struct table *table)
{
	finish_line(table);
	if (table->nr_lines == PIECE)
		print_piece(table, false);
	table->line = scols_table_new_line(table->cols, NULL);
	if (!table->line)
		out_of_memory();
	table->nr_lines++;
}

bool table_wants(const struct table *table, unsigned int column)
{
	return table->place[column] >= 0;
}

/* @text is freed with the line. */
static void set_text(struct table *table, unsigned int column, char *text)
{
	if (!text || scols_line_refer_data(table->line, table->place[column],
					   text))
		out_of_memory();
}

void table_set(struct table *table, unsigned int column, const char *format,
	       ...)
{
	va_list args;
	char *text;

	if (!format || !table_wants(table, column))
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	set_text(table, column, text);
}

/* How many bytes the character that begins there has; 0 if it is not UTF-8 */
static size_t utf8_len(const unsigned char *s, size_t len)
{
	size_t n, i;

	if (*s < 0x80)
		return 1;
	n = *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
	if (n > len)
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, a surrogate, or beyond the last character */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

char *utf8_text(const void *name, size_t len)
{
	char *text = malloc(3 * len + 1), *to = text;
	const unsigned char *s = name;
	size_t n;

	if (!text)
		return NULL;
	for (; len; s += n, len -= n) {
		n = utf8_len(s, len);
		if (n) {
			to = mempcpy(to, s, n);
		} else {
			to = mempcpy(to, "\xef\xbf\xbd", 3);
			n = 1;
		}
	}
	*to = 0;
	return text;
}

void table_set_name(struct table *table, unsigned int column, const void *name,
		    size_t len)
{
	char buf[NAME_BUF];

	if (!table_wants(table, column))
		return;
	if (table->json)
		set_text(table, column, utf8_text(name, len));
	else if (table->raw)
		set_text(table, column, strndup(name, len));
	else
		set_text(table, column, strdup(name_text(name, len, buf)));
}

void table_set_time(struct table *table, unsigned int column, uint64_t ns)
{
	char buf[16];

	if (table->json || table->raw)
		table_set(table, column, "%llu", (unsigned long long)ns);
	else
		table_set(table, column, "%s", duration_text(ns, buf));
}

int table_end(struct table *table)
{
	finish_line(table);
	print_piece(table, true);
	scols_unref_table(table->cols);
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "%s: standard output: %s\n", program_invocation_name,
		strerror(errno));
	return 1;
}
