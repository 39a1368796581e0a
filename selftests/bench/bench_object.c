// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects by name: a Mutex, or a named semaphore.
 *
 * create-close		create it under a new name and close it, with which it
 *			is gone (a semaphore: unlink it, too)
 * open-at-N		open and close one of N that exist, at random. N
 *			persistent mutexes are unopened otherwise.
 * create-beside,	the same in a process that has more of them open, and
 * open-beside		so has each page mapped
 * bytes-each		memory per named, persistent, unopened mutex: how much
 *			less of the machine's memory is free with 100,000 of
 *			them than without, so slabs, pages, tables and whatever
 *			else count. Free is MemFree of /proc/meminfo and the
 *			CPUs' lists of free pages (/proc/zoneinfo), after
 *			dropping caches. A semaphore is a file in memory;
 *			10,000 of them do.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "gosync-user.h"

#define MANY	100000
#define SOME	10000

/* The objects of a case have names of 20 to 30 bytes: prefix and number. */
struct names {
	char name[64];
	char *number;
};

static void name_init(struct names *n, const char *prefix)
{
	/* One slash is a semaphore's; gosync takes any byte. */
	n->number = n->name + snprintf(n->name, sizeof(n->name), "/%s.",
				       prefix);
}

static const char *name_of(struct names *n, unsigned int i)
{
	char *c = n->number + 6;

	for (*c = 0; c != n->number; i /= 10)
		*--c = '0' + i % 10;
	return n->name;
}

static int make_all(const char *prefix, unsigned int count,
		    int (*make)(const char *name))
{
	struct names n;
	int ret = 0;

	name_init(&n, prefix);
	for (unsigned int i = 0; i < count && !ret; i++)
		ret = make(name_of(&n, i));
	return ret;
}

static void remove_all(const char *prefix, unsigned int count,
		       int (*unlink)(const char *name))
{
	struct names n;

	name_init(&n, prefix);
	while (count--)
		unlink(name_of(&n, count));
}

static int make_mutex(const char *name)
{
	gosync_mutex_t *m;
	int ret = gosync_mutex_open(name, BENCH_PERSIST, 0600, &m);

	if (!ret)
		gosync_close(m);
	return ret;
}

static int make_sem(const char *name)
{
	sem_t *s = sem_open(name, O_CREAT | O_EXCL, 0600, 1);

	if (s == SEM_FAILED)
		return errno;
	return sem_close(s);
}

/* --- create-close --------------------------------------------------------- */

static int open_and_close(const char *name, unsigned int flags)
{
	gosync_mutex_t *m;
	int ret = gosync_mutex_open(name, flags,
				    flags & GOSYNC_CREATE ? 0600 : 0, &m);

	if (!ret)
		gosync_close(m);
	return ret;
}

static int sem_open_and_close(const char *name, int flags)
{
	sem_t *s = sem_open(name, flags, 0600, 1);

	return s == SEM_FAILED || sem_close(s);
}

static void create_with(struct run *r, unsigned int flags)
{
	struct names n;

	name_init(&n, "bench-new");
	name_of(&n, 0);
	flags |= GOSYNC_CREATE | GOSYNC_EXCL;
	BENCH_LOOP(r, 8, failed |= open_and_close(n.name, flags));
}

static void create_gosync(struct run *r)
{
	create_with(r, 0);
}

static void create_gosync_ioctl(struct run *r)
{
	create_with(r, GOSYNC_IOCTL_ONLY);
}

static void create_beside(struct run *r)
{
	gosync_mutex_t *kept = NULL;
	int ret = gosync_mutex_open("/bench-kept", GOSYNC_CREATE, 0600, &kept);

	create_with(r, 0);
	gosync_close(kept);
	r->score->failed |= ret;
}

static void create_sem_t(struct run *r)
{
	struct names n;

	name_init(&n, "bench-new");
	name_of(&n, 0);
	BENCH_LOOP(r, 8,
		   failed |= sem_open_and_close(n.name, O_CREAT | O_EXCL);
		   failed |= sem_unlink(n.name));
}

/* --- open-at-N ------------------------------------------------------------ */

static const char *random_name(struct names *n, unsigned int count)
{
	static uint32_t x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return name_of(n, (uint64_t)x * count >> 32);
}

static void open_with(struct run *r, unsigned int count, unsigned int flags)
{
	struct names n;

	name_init(&n, "bench");
	BENCH_LOOP(r, 8, failed |= open_and_close(random_name(&n, count),
						  flags));
}

static void open_100_gosync(struct run *r)
{
	open_with(r, 100, 0);
}

/* A page has room for 64, so these two are on the two pages. */
static void open_beside(struct run *r)
{
	gosync_mutex_t *kept[2] = {};
	struct names n;
	int i, ret = 0;

	name_init(&n, "bench");
	for (i = 0; i < 2; i++)
		ret |= gosync_mutex_open(name_of(&n, i * 99), 0, 0, &kept[i]);
	open_with(r, 100, 0);
	for (i = 0; i < 2; i++)
		gosync_close(kept[i]);
	r->score->failed |= ret;
}

static void open_100_gosync_ioctl(struct run *r)
{
	open_with(r, 100, GOSYNC_IOCTL_ONLY);
}

static void open_many_gosync(struct run *r)
{
	open_with(r, MANY, 0);
}

static void open_many_gosync_ioctl(struct run *r)
{
	open_with(r, MANY, GOSYNC_IOCTL_ONLY);
}

static void open_100_sem_t(struct run *r)
{
	struct names n;

	name_init(&n, "bench");
	BENCH_LOOP(r, 8, failed |= sem_open_and_close(random_name(&n, 100), 0));
}

/* Those that gosync and gosync-ioctl open are the same. */
static int make_100(struct run *r)
{
	(void)r;
	return make_all("bench", 100, make_mutex);
}

static void remove_100(struct run *r)
{
	(void)r;
	remove_all("bench", 100, gosync_unlink);
}

static int make_many(struct run *r)
{
	(void)r;
	return make_all("bench", MANY, make_mutex);
}

static void remove_many(struct run *r)
{
	(void)r;
	remove_all("bench", MANY, gosync_unlink);
}

static int make_100_sems(struct run *r)
{
	(void)r;
	return make_all("bench", 100, make_sem);
}

static void remove_100_sems(struct run *r)
{
	(void)r;
	remove_all("bench", 100, sem_unlink);
}

/* --- bytes-each ----------------------------------------------------------- */

/* The sum of what follows a word in a file of /proc, wherever it does */
static double sum_of(const char *path, const char *word)
{
	unsigned long n, sum = 0;
	char line[128], first[64];
	FILE *f = fopen(path, "r");

	if (!f)
		return NAN;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lu", first, &n) == 2 &&
		    !strcmp(first, word))
			sum += n;
	fclose(f);
	return sum;
}

/* Memory in use, once what lingers has gone: NAN if it cannot be told */
double bench_bytes_used(void)
{
	const struct timespec settle = { .tv_nsec = 500000000 };
	FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

	if (!f)
		return NAN;
	fputs("3", f);
	fclose(f);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &settle, NULL);
	return (sum_of("/proc/meminfo", "MemTotal:") -
		sum_of("/proc/meminfo", "MemFree:")) * 1024 -
	       sum_of("/proc/zoneinfo", "count:") * sysconf(_SC_PAGESIZE);
}

/* How much memory each of so many takes */
double bench_bytes_each(unsigned int count, int (*make)(const char *name),
			int (*unlink)(const char *name))
{
	double before, after;
	int ret;

	/* So that what is needed once exists: caches, the directory's blocks */
	ret = make_all("bench-bytes", 100, make);
	remove_all("bench-bytes", 100, unlink);
	before = bench_bytes_used();
	ret = ret ?: make_all("bench-bytes", count, make);
	after = bench_bytes_used();
	remove_all("bench-bytes", count, unlink);
	return ret ? -1 : (after - before) / count;
}

static double bytes_gosync(struct run *r)
{
	(void)r;
	return bench_bytes_each(MANY, make_mutex, gosync_unlink);
}

static double bytes_sem_t(struct run *r)
{
	(void)r;
	return bench_bytes_each(SOME, make_sem, sem_unlink);
}

#define OBJECT(case_, impl_, run_, ...)					\
	{ .op = "object", .kase = case_, .impl = impl_, .procs = 1,	\
	  .ms = 100, .run = run_, .counted = true, __VA_ARGS__ }

const struct bench object_benches[] = {
	OBJECT("create-close", "gosync", create_gosync),
	OBJECT("create-close", "gosync-ioctl", create_gosync_ioctl),
	OBJECT("create-close", "sem_t", create_sem_t),
	OBJECT("create-beside", "gosync", create_beside),
	OBJECT("create-beside", "sem_t", create_sem_t),
	OBJECT("open-at-100", "gosync", open_100_gosync,
	       .create = make_100, .destroy = remove_100),
	OBJECT("open-at-100", "gosync-ioctl", open_100_gosync_ioctl),
	OBJECT("open-at-100", "sem_t", open_100_sem_t,
	       .create = make_100_sems, .destroy = remove_100_sems),
	OBJECT("open-beside", "gosync", open_beside,
	       .create = make_100, .destroy = remove_100),
	OBJECT("open-beside", "sem_t", open_100_sem_t,
	       .create = make_100_sems, .destroy = remove_100_sems),
	OBJECT("open-at-100000", "gosync", open_many_gosync,
	       .create = make_many, .destroy = remove_many),
	OBJECT("open-at-100000", "gosync-ioctl", open_many_gosync_ioctl),
	{ .op = "object", .kase = "bytes-each", .impl = "gosync",
	  .measure = bytes_gosync },
	{ .op = "object", .kase = "bytes-each", .impl = "sem_t",
	  .measure = bytes_sem_t },
	{ }
};
