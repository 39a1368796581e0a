// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo: what the parent, the workers and the clerk have in common. See
 * demo.c for the story.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

struct demo demo = { .workers = 4 };

static const char * const object_names[OBJECTS] = {
	"setup", "crew", "phase", "config", "rules", "index", "queue", "work",
	"room", "ring", "desks", "lock", "accounts", "jobs", "results"
};

void snooze(uint64_t ns)
{
	struct timespec ts = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	nanosleep(&ts, NULL);
}

static size_t name_process(int process, char name[16])
{
	if (!process)
		return sprintf(name, "parent");
	if (process > demo.workers)
		return sprintf(name, "clerk");
	return sprintf(name, "worker %d", process);
}

/* One write for each line, so that lines of several processes do not mix. */
static void say_to(int fd, const char *format, va_list args)
{
	uint64_t ms = (now_ns() - demo.started) / NSEC_PER_MSEC;
	char line[256], who[16];
	size_t len;

	name_process(demo.me, who);
	len = snprintf(line, sizeof(line), "%3u.%03u  %-9s  ",
		       (int)(ms / 1000), (int)(ms % 1000), who);
	len += vsnprintf(line + len, sizeof(line) - len, format, args);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(fd, line, len) < 0)
		exit(1);
}

void say(const char *format, ...)
{
	va_list args;

	if (demo.quiet)
		return;
	va_start(args, format);
	say_to(STDOUT_FILENO, format, args);
	va_end(args);
}

void kill_workers(void)
{
	int i;

	for (i = 1; i <= demo.workers + 1; i++)
		if (demo.pids[i])
			kill(demo.pids[i], SIGKILL);
	for (i = 1; i <= demo.workers + 1; i++)
		if (demo.pids[i])
			waitpid(demo.pids[i], NULL, 0);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_to(STDERR_FILENO, format, args);
	va_end(args);
	if (!demo.me)
		kill_workers();
	exit(1);
}

int must(int ret, const char *what)
{
	if (ret < 0)
		fail("%s: %s", what, gosync_strerror(0, ret));
	return ret;
}

void or_die(int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "gosync demo: %s: %s%s\n", what,
		gosync_strerror(0, ret),
		ret == -EEXIST ? "; another demonstration runs, end it first" : "");
	exit(1);
}

const char *full_name(int object)
{
	static char full[sizeof(demo.prefix) + 16];

	snprintf(full, sizeof(full), "%s.%s", demo.prefix, object_names[object]);
	return full;
}

/* Open an object whose type takes a name, flags and a mode. */
#define OPEN(type, object, field)					\
	must(gosync_##type##_open(full_name(object), flags, mode,	\
				  &demo.field), "open " #field)

#define OPEN_WORDS(type, object, n, field)				\
	must(gosync_##type##_open(full_name(object), create ? (n) : 0,	\
				  flags, mode, &demo.field), "open " #field)

void open_objects(unsigned int flags)
{
	const struct gosync_map_limits limits = {
		.entries = demo.workers + 2,
		.key_size = 16,
		.value_size = sizeof(demo.row),
	};
	bool create = flags & GOSYNC_CREATE;
	unsigned int mode = create ? 0600 : 0;

	OPEN(once, SETUP, setup);
	OPEN(waitgroup, CREW, crew);
	OPEN_WORDS(int32, PHASE, 1, phase);
	OPEN_WORDS(value, CONFIG, sizeof(struct demo_config), config);
	OPEN(rwmutex, RULES, rules);
	OPEN_WORDS(int64, INDEX, INDEX_WORDS, index);
	OPEN(mutex, QUEUE, queue);
	OPEN(cond, WORK_COND, work);
	OPEN(cond, ROOM_COND, room);
	OPEN_WORDS(int64, RINGS, RING_WORDS, ring);
	must(gosync_semaphore_open(full_name(DESKS),
				   create ? demo.workers / 2 + 1 : 0,
				   flags | (create ? GOSYNC_GIVE_BACK : 0),
				   mode, &demo.desks), "open desks");
	OPEN(mutex, LOCK, lock);
	OPEN_WORDS(int64, ACCOUNTS, ACCOUNT_WORDS, accounts);
	OPEN_WORDS(int64, JOBS, 1, jobs);
	must(gosync_map_open(full_name(RESULTS), create ? &limits : NULL,
			     flags, mode, &demo.results), "open results");
}

int64_t load(gosync_int64_t *words, int i, int object)
{
	int64_t now = 0;

	must(gosync_int64_load(words, i, &now), object_names[object]);
	demo.row[object]++;
	return now;
}

void store(gosync_int64_t *words, int i, int64_t now, int object)
{
	must(gosync_int64_store(words, i, now), object_names[object]);
	demo.row[object]++;
}

void publish_row(void)
{
	char name[16];
	size_t len = name_process(demo.me, name);

	demo.row[RESULTS]++;
	must(gosync_map_store(demo.results, name, len, demo.row,
			      sizeof(demo.row)), "store in results");
}

int64_t get_count(int process, int field)
{
	int64_t its[ROW] = { };
	size_t len = sizeof(its);
	char name[16];
	int ret;

	demo.row[RESULTS]++;
	ret = gosync_map_load(demo.results, name, name_process(process, name),
			      its, &len);
	/* The process has not begun yet. */
	if (ret != -ENODATA)
		must(ret, "load from results");
	return its[field];
}

static int add_row(const void *key, size_t key_len, const void *value,
		   size_t len, void *arg)
{
	const int64_t *its = value;
	int64_t *sum = arg;
	int i;

	(void)key;
	(void)key_len;
	(void)len;
	for (i = 0; i < ROW; i++)
		sum[i] += its[i];
	return 0;
}

int64_t sum_counts(int field)
{
	int64_t sum[ROW] = { };

	demo.row[RESULTS]++;
	must(gosync_map_range(demo.results, add_row, sum), "range over results");
	return sum[field];
}

static void fill_accounts(void *arg, int died)
{
	(void)arg;
	store(demo.accounts, LEFT, TOTAL / 2, ACCOUNTS);
	store(demo.accounts, RIGHT, TOTAL / 2, ACCOUNTS);
	demo.row[MY_SETUPS]++;
	say("is the first and fills the accounts%s",
	    died ? ", because the process that began it died" : "");
}

void set_up_once(void)
{
	must(gosync_once_do(demo.setup, fill_accounts, NULL), "set up");
	demo.row[SETUP]++;
}
