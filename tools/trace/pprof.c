// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace --pprof: a profile of the waits for `go tool pprof', like the
 * mutex and block profiles of Go. The file is a Profile of profile.proto,
 * compressed by gzip.
 *
 * A message of protocol buffers is a sequence of fields. Each has a key (its
 * number and encoding), and then a number, or a length and bytes. A message
 * inside a message is a field of bytes.
 */
#include <err.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "gosync.h"
#include "trace.h"

/* The numbers of the fields that are used */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE,
	PROFILE_MAPPING,
	PROFILE_LOCATION,
	PROFILE_FUNCTION,
	PROFILE_STRING,
	PROFILE_TIME = 9,
	PROFILE_DURATION,
	PROFILE_PERIOD_TYPE,
	PROFILE_PERIOD,
	PROFILE_COMMENT,
	PROFILE_DEFAULT_TYPE,
};

enum { VALUE_TYPE = 1, VALUE_UNIT };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STRING };
enum { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };

enum {
	MAPPING_ID = 1,
	MAPPING_START,
	MAPPING_LIMIT,
	MAPPING_OFFSET,
	MAPPING_FILE,
	MAPPING_BUILD_ID,
	MAPPING_HAS_FUNCTIONS,
};

struct message {
	char *bytes;
	size_t len;
	FILE *f;
};

struct string {
	char *text;
	unsigned int number;
};

static const char *out_path;
static FILE *out;
static struct trace_sums sums;
static void *strings;
static unsigned int nr_strings, nr_files, nr_frames;
static struct message profile, texts;

/* --- Messages ------------------------------------------------------------ */

/* The message must not move. */
static void begin(struct message *m)
{
	m->f = open_memstream(&m->bytes, &m->len);
	if (!m->f)
		err(1, "gosync");
}

static void varint(FILE *f, uint64_t n)
{
	for (; n > 0x7f; n >>= 7)
		putc(0x80 | (n & 0x7f), f);
	putc(n, f);
}

static void put_number(const struct message *to, int field, uint64_t n)
{
	varint(to->f, field << 3);
	varint(to->f, n);
}

static void put_bytes(const struct message *to, int field, const void *bytes,
		      size_t len)
{
	varint(to->f, field << 3 | 2);
	varint(to->f, len);
	fwrite(bytes, 1, len, to->f);
}

/* Add @part as a field, and free it. */
static void put_message(const struct message *to, int field,
			struct message *part)
{
	fclose(part->f);
	put_bytes(to, field, part->bytes, part->len);
	free(part->bytes);
}

static int compare_strings(const void *a, const void *b)
{
	const struct string *x = a, *y = b;

	return strcmp(x->text, y->text);
}

/* Return: the number of a string in the string table of the profile */
static unsigned int string(const char *text)
{
	struct string key = { .text = (char *)text }, *new, **found;

	found = tfind(&key, &strings, compare_strings);
	if (found)
		return (*found)->number;
	new = malloc(sizeof(*new));
	if (!new)
		err(1, "gosync");
	new->text = strdup(text);
	new->number = nr_strings++;
	if (!new->text || !tsearch(new, &strings, compare_strings))
		err(1, "gosync");
	put_bytes(&texts, PROFILE_STRING, text, strlen(text));
	return new->number;
}

/* --- Locations ----------------------------------------------------------- */

static unsigned int mapping(struct trace_file *file)
{
	static struct trace_file kernel = { .path = "[kernel.kallsyms]" };
	struct message m;

	if (!file)
		file = &kernel;
	if (file->number)
		return file->number;
	file->number = ++nr_files;
	begin(&m);
	put_number(&m, MAPPING_ID, file->number);
	put_number(&m, MAPPING_START, file->start);
	put_number(&m, MAPPING_LIMIT, file == &kernel ? UINT64_MAX :
							file->limit);
	put_number(&m, MAPPING_OFFSET, file->offset);
	put_number(&m, MAPPING_FILE, string(file->path));
	put_number(&m, MAPPING_BUILD_ID, string(file->build_id));
	put_number(&m, MAPPING_HAS_FUNCTIONS, 1);
	put_message(&profile, PROFILE_MAPPING, &m);
	return file->number;
}

/* A function has the number of its location. */
static unsigned int location(struct trace_frame *frame)
{
	struct message m, line;

	if (frame->number)
		return frame->number;
	frame->number = ++nr_frames;
	trace_named(frame);

	begin(&m);
	put_number(&m, FUNCTION_ID, frame->number);
	put_number(&m, FUNCTION_NAME, string(frame->function));
	put_number(&m, FUNCTION_SYSTEM_NAME, string(frame->function));
	if (frame->source)
		put_number(&m, FUNCTION_FILE, string(frame->source));
	put_message(&profile, PROFILE_FUNCTION, &m);

	begin(&m);
	put_number(&m, LOCATION_ID, frame->number);
	put_number(&m, LOCATION_MAPPING, mapping(frame->file));
	put_number(&m, LOCATION_ADDRESS, frame->address);
	begin(&line);
	put_number(&line, LINE_FUNCTION, frame->number);
	put_number(&line, LINE_LINE, frame->line);
	put_message(&m, LOCATION_LINE, &line);
	put_message(&profile, PROFILE_LOCATION, &m);
	return frame->number;
}

/* --- Samples ------------------------------------------------------------- */

static void label(const struct message *to, const char *key, const char *text)
{
	struct message m;

	begin(&m);
	put_number(&m, LABEL_KEY, string(key));
	put_number(&m, LABEL_STRING, string(text));
	put_message(to, SAMPLE_LABEL, &m);
}

static void sample(const struct trace_sum *sum)
{
	const char *type = gosync_type_name(sum->object->type);
	struct message m;
	unsigned int i;

	begin(&m);
	for (i = 0; sum->stack && i < sum->stack->depth; i++)
		put_number(&m, SAMPLE_LOCATION,
			   location(sum->stack->frames[i]));
	put_number(&m, SAMPLE_VALUE, sum->count);
	put_number(&m, SAMPLE_VALUE, sum->ns);
	label(&m, "object", object_text(sum->object));
	label(&m, "type", type ? type : "?");
	label(&m, "command", sum->task->comm);
	put_message(&profile, PROFILE_SAMPLE, &m);
}

static void value_type(int field, const char *type, const char *unit)
{
	struct message m;

	begin(&m);
	put_number(&m, VALUE_TYPE, string(type));
	put_number(&m, VALUE_UNIT, string(unit));
	put_message(&profile, field, &m);
}

static void pprof_wait(const struct trace_wait *wait)
{
	struct trace_sum alike = {
		.object = wait->object, .task = wait->task,
		.stack = wait->stack,
	};

	trace_sum(&sums, &alike, wait->ns);
}

static int write_gzip(void)
{
	z_stream z = { };
	size_t room;
	void *to;

	/* 16 more asks for a gzip header. */
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16,
			 8, Z_DEFAULT_STRATEGY) != Z_OK)
		err(1, "gosync");
	room = deflateBound(&z, profile.len);
	to = malloc(room);
	if (!to)
		err(1, "gosync");
	z.next_in = (void *)profile.bytes;
	z.avail_in = profile.len;
	z.next_out = to;
	z.avail_out = room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		errx(1, "gosync: cannot compress the profile");
	fwrite(to, 1, z.total_out, out);
	deflateEnd(&z);
	free(to);
	return trace_close(out, out_path);
}

static int pprof_end(const struct trace_summary *summary)
{
	struct trace_sum *all = trace_sums_by_cost(&sums);
	char lost[64];
	size_t i;

	for (i = 0; i < sums.nr; i++)
		sample(&all[i]);
	free(all);
	put_number(&profile, PROFILE_TIME, time(NULL) * 1000000000ULL);
	put_number(&profile, PROFILE_DURATION, summary->end - summary->begin);
	value_type(PROFILE_PERIOD_TYPE, "contentions", "count");
	put_number(&profile, PROFILE_PERIOD, 1);
	if (summary->lost) {
		snprintf(lost, sizeof(lost), "%llu events were lost",
			 (unsigned long long)summary->lost);
		put_number(&profile, PROFILE_COMMENT, string(lost));
	}
	put_number(&profile, PROFILE_DEFAULT_TYPE, string("delay"));
	fclose(texts.f);
	fwrite(texts.bytes, 1, texts.len, profile.f);
	fclose(profile.f);
	return write_gzip();
}

const struct trace_output *pprof_output(const char *path)
{
	static const struct trace_output output = {
		.wait = pprof_wait,
		.end = pprof_end,
	};

	out_path = path;
	out = trace_create(path);
	begin(&profile);
	begin(&texts);
	/* The first string must be empty. */
	string("");
	value_type(PROFILE_SAMPLE_TYPE, "contentions", "count");
	value_type(PROFILE_SAMPLE_TYPE, "delay", "nanoseconds");
	return &output;
}
