// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an object of a cluster costs while no other node wants it, beside a local one.
 * This runs on a node of cluster.sh, as a member, where an instruction takes one
 * nanosecond (--icount): it prints instructions.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <gosync-user.h>

#include "common.h"

#define TIMES	1000
#define ROUNDS	50

struct objects {
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rwmutex;
	gosync_once_t *once;
	gosync_value_t *value;
};

static void check(int ret)
{
	if (ret)
		errx(1, "%s", gosync_strerror(0, ret));
}

static void open_all(struct objects *objects, unsigned int flags)
{
	const char *const names[] = { "cost.local", "cost.cluster" };
	const char *name = names[!!flags];

	flags |= GOSYNC_CREATE;
	check(gosync_mutex_open(name, flags, 0600, &objects->mutex));
	name = flags & GOSYNC_CLUSTER ? "cost.cluster.rw" : "cost.local.rw";
	check(gosync_rwmutex_open(name, flags, 0600, &objects->rwmutex));
	name = flags & GOSYNC_CLUSTER ? "cost.cluster.once" : "cost.local.once";
	check(gosync_once_open(name, flags, 0600, &objects->once));
	name = flags & GOSYNC_CLUSTER ? "cost.cluster.value" : "cost.local.value";
	check(gosync_value_open(name, 0, flags, 0600, &objects->value));
	check(gosync_value_store(objects->value, 1, &flags, sizeof(flags)));
	if (gosync_once_begin(objects->once))
		check(gosync_once_done(objects->once));
}

static void lock(struct objects *objects)
{
	gosync_mutex_lock(objects->mutex);
	gosync_mutex_unlock(objects->mutex);
}

static void read_lock(struct objects *objects)
{
	gosync_rwmutex_rlock(objects->rwmutex);
	gosync_rwmutex_runlock(objects->rwmutex);
}

static void ask_once(struct objects *objects)
{
	gosync_once_begin(objects->once);
}

static void load(struct objects *objects)
{
	char data[8];
	size_t len = sizeof(data);

	gosync_value_load(objects->value, data, &len, NULL);
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

/* The rounds that nothing has interrupted take the shortest time. */
static long cost(void (*what)(struct objects *objects), struct objects *objects)
{
	long least = 0, begin, time;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		begin = now();
		for (i = 0; i < TIMES; i++)
			what(objects);
		time = now() - begin;
		if (!least || time < least)
			least = time;
	}
	return least;
}

static void compare(const char *name, void (*what)(struct objects *objects),
		    struct objects *local, struct objects *cluster)
{
	long here = cost(what, local), there = cost(what, cluster);

	printf("# %s: %ld instructions, of a cluster %ld\n", name, here / TIMES,
	       there / TIMES);
	/* The clock is read once in each round. */
	ok(there <= here + here / 100, name);
}

int main(void)
{
	struct objects local, cluster;

	begin("cost");
	open_all(&local, 0);
	open_all(&cluster, GOSYNC_CLUSTER);
	compare("lock and unlock a Mutex", lock, &local, &cluster);
	compare("lock and unlock an RWMutex to read", read_lock, &local, &cluster);
	compare("ask a Once that is done", ask_once, &local, &cluster);
	compare("load a Value", load, &local, &cluster);
	return end();
}
