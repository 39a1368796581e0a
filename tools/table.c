// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables, by libsmartcols. The library keeps a whole table in memory to measure
 * it, which is too much for a long table. So it gets only a first piece, and the
 * lines after it are printed at once, with the same widths. In JSON each piece
 * is an array; these are joined to one array here.
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
	{ "json", 'J', NULL, 0, "print JSON", 0 },
	{ "raw", 'r', NULL, 0,
	  "print words with one blank between them, and times in nanoseconds", 0 },
	{ "noheadings", 'n', NULL, 0, "print no headings", 0 },
	{ "output", 'o', "LIST", 0,
	  "print these columns; +LIST adds columns to the usual ones", 0 },
	{ "output-all", OPT_OUTPUT_ALL, NULL, 0, "print all columns", 0 },
	{ "list-columns", 'H', NULL, 0, "list the columns, and end", 0 },
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
				   "there is no column '%.*s'; --list-columns lists them",
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

error_t table_only_parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->input;
	return 0;
}

void table_show(struct table *table, unsigned int column)
{
	if (!table->nr_shown)
		show_usual(table, false);
	show(table, column);
}

/* --- Lines ---------------------------------------------------------------- */

static const int flags[] = {
	[COLUMN_TEXT] = 0,
	[COLUMN_NUMBER] = SCOLS_FL_RIGHT,
	[COLUMN_BOOLEAN] = 0,
	[COLUMN_NUMBERS] = SCOLS_FL_WRAP,
};

static const int json_types[] = {
	[COLUMN_TEXT] = SCOLS_JSON_STRING,
	[COLUMN_NUMBER] = SCOLS_JSON_NUMBER,
	[COLUMN_BOOLEAN] = SCOLS_JSON_BOOLEAN,
	[COLUMN_NUMBERS] = SCOLS_JSON_ARRAY_NUMBER,
};

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
	/* name_text() has already escaped control characters. */
	scols_table_enable_noencoding(table->cols, !table->raw);
	for (i = 0; i < table->nr_shown; i++) {
		const struct column *column = &table->columns[table->shown[i]];
		struct libscols_column *col;

		col = scols_table_new_column(table->cols, column->name,
					     column->width,
					     flags[column->kind]);
		if (!col)
			out_of_memory();
		if (column->kind == COLUMN_NUMBERS)
			scols_column_set_wrapfunc(col, scols_wrapnl_chunksize,
						  scols_wrapnl_nextchunk, NULL);
		scols_column_set_json_type(col, json_types[column->kind]);
		table->place[table->shown[i]] = i;
	}
	table->nr_lines = 0;
	table->began = false;
	table->in_line = false;
}

/* The text around the array is printed only once. */
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

static void print_piece(struct table *table, bool last)
{
	unsigned int i;

	if (table->json)
		print_json(table, last);
	else if (scols_print_table(table->cols))
		out_of_memory();
	for (i = 0; i < table->nr_shown; i++)
		table->width[i] =
			scols_column_get_width(scols_table_get_column(table->cols,
								      i));
	scols_table_remove_lines(table->cols);
	table->nr_lines = 0;
	table->began = true;
}

/* The same as libsmartcols does */
static void print_raw(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || *text == '\\')
			printf("\\x%02x", (unsigned char)*text);
		else
			putchar(*text);
}

static void print_cell(const struct table *table, unsigned int place,
		       const char *text)
{
	const struct column *column = &table->columns[table->shown[place]];
	bool right = column->kind == COLUMN_NUMBER && !table->raw;
	int blanks = table->width[place] - strlen(text);

	if (place)
		putchar(' ');
	while (right && blanks-- > 0)
		putchar(' ');
	if (table->raw)
		print_raw(text);
	else
		fputs(text, stdout);
	if (right || table->raw || place + 1 == table->nr_shown)
		return;
	while (blanks-- > 0)
		putchar(' ');
}

static void print_line(struct table *table)
{
	unsigned int i;

	for (i = 0; i < table->nr_shown; i++) {
		print_cell(table, i, table->cells[i] ? table->cells[i] : "-");
		free(table->cells[i]);
		table->cells[i] = NULL;
	}
	putchar('\n');
}

static void add_line(struct table *table)
{
	struct libscols_line *line;
	unsigned int i;

	if (table->nr_lines == PIECE)
		print_piece(table, false);
	line = scols_table_new_line(table->cols, NULL);
	if (!line)
		out_of_memory();
	for (i = 0; i < table->nr_shown; i++) {
		if (!table->cells[i] && !table->json)
			table->cells[i] = strdup("-");
		if (scols_line_refer_data(line, i, table->cells[i]))
			out_of_memory();
		table->cells[i] = NULL;
	}
	table->nr_lines++;
}

static void finish_line(struct table *table)
{
	if (!table->in_line)
		return;
	if (!table->json && !table->began && table->nr_lines == PIECE)
		print_piece(table, false);
	if (!table->json && table->began)
		print_line(table);
	else
		add_line(table);
}

void table_line(struct table *table)
{
	finish_line(table);
	table->in_line = true;
}

bool table_wants(const struct table *table, unsigned int column)
{
	return table->place[column] >= 0;
}

/* @text will be freed. */
static void set_cell(struct table *table, unsigned int column, char *text)
{
	char **cell = &table->cells[table->place[column]];

	if (!text)
		out_of_memory();
	free(*cell);
	*cell = text;
}

void table_set(struct table *table, unsigned int column, const char *format,
	       ...)
{
	va_list args;
	char *text;

	if (!table_wants(table, column))
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	set_cell(table, column, text);
}

void table_set_text(struct table *table, unsigned int column, const char *text)
{
	if (text && table_wants(table, column))
		set_cell(table, column, strdup(text));
}

void table_set_number(struct table *table, unsigned int column, uint64_t number)
{
	char text[21], *at = text + sizeof(text) - 1;

	if (!table_wants(table, column))
		return;
	*at = 0;
	do {
		*--at = '0' + number % 10;
		number /= 10;
	} while (number);
	set_cell(table, column, strdup(at));
}

/* Return: the bytes of the first character; 0 if it is not UTF-8 */
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
	/* Not the shortest form, a surrogate, or beyond the last character */
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

	if (!len || !table_wants(table, column))
		return;
	if (table->json)
		set_cell(table, column, utf8_text(name, len));
	else if (table->raw)
		set_cell(table, column, strndup(name, len));
	else
		set_cell(table, column, strdup(name_text(name, len, buf)));
}

void table_set_time(struct table *table, unsigned int column, uint64_t ns)
{
	char buf[16];

	if (table->json || table->raw)
		table_set_number(table, column, ns);
	else
		table_set_text(table, column, duration_text(ns, buf));
}

int table_end(struct table *table)
{
	finish_line(table);
	if (table->json || !table->began)
		print_piece(table, true);
	scols_unref_table(table->cols);
	return output_end();
}
