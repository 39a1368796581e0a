// SPDX-License-Identifier: GPL-2.0-only
/*
 * An int64 that all nodes of a cluster share. This runs on each node of cluster.sh, as a
 * member.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <gosync-user.h>

#include "common.h"

#define TIMES		60

static gosync_int64_t *words;

static int64_t load(size_t i)
{
	int64_t now;

	if (gosync_int64_load(words, i, &now))
		errx(1, "cannot load");
	return now;
}

static int64_t add_one(size_t i)
{
	int64_t now;

	if (gosync_int64_add(words, i, 1, &now))
		errx(1, "cannot add");
	return now;
}

static gosync_int64_t *open_words(const char *name)
{
	gosync_int64_t *opened;
	int ret = gosync_int64_open(name, 0, GOSYNC_CREATE | GOSYNC_CLUSTER, 0600,
				    &opened);

	if (ret)
		errx(1, "%s: %s", name, gosync_strerror(GOSYNC_IOC_OPEN, ret));
	return opened;
}

/* Two words: by additions, and by compare-and-swap */
static void count(int times)
{
	int64_t old;

	for (; times; times--) {
		add_one(0);
		do
			old = load(1);
		while (!gosync_int64_cas(words, 1, old, old - 1));
	}
}

static void test_counter(void)
{
	const int64_t all = (int64_t)nodes * WORKERS * TIMES;

	words = open_words("cluster.count");
	meet("counter: begun", "");
	ok(run_workers(count, TIMES), "all workers count");
	meet("counter: done", "");
	ok(load(0) == all && load(1) == -all,
	   "and none is lost");
	meet("counter: over", "");
	gosync_close(words);
}

static void test_operations(void)
{
	int64_t old = 0;

	words = open_words("cluster.operations");
	if (self == 1) {
		gosync_int64_store(words, 3, 0xff);
		ok(!gosync_int64_swap(words, 3, 0x3c, &old) && old == 0xff, "swap returns the old");
	}
	meet("operations: stored", "");
	if (self == 2) {
		ok(!gosync_int64_and(words, 3, 0x0f, &old) && old == 0x3c, "so does and");
		ok(!gosync_int64_or(words, 3, 0x100, &old) && old == 0x0c, "so does or");
	}
	meet("operations: changed", "");
	ok(load(3) == 0x10c, "all load the same");
	ok(!gosync_int64_cas(words, 3, 1, 2), "what is not expected is left");
	meet("operations: over", "");
	gosync_close(words);
}

/* Each node waits for the one before it. */
static void test_wait(void)
{
	int64_t now = 0;
	int ret = 0;

	words = open_words("cluster.turn");
	meet("wait: begun", "");
	while (!ret && now < self - 1)
		ret = gosync_int64_wait(words, 5, now, gosync_deadline(20000000000), 0,
					&now);
	ok(!ret && now == self - 1, "who waits is told, without a wake");
	add_one(5);
	meet("wait: over", "");
	ok(gosync_int64_wait(words, 5, nodes, gosync_deadline(50000000), 0, &now) ==
	   -ETIMEDOUT, "a deadline ends the wait");
	gosync_close(words);
}

static void add_on(int times)
{
	for (; times; times--)
		add_one(0);
}

/* What the dead has added before is there, and the rest is not. */
static void test_death(void)
{
	int64_t before, after;
	int i;

	words = open_words("cluster.death.int64");
	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			add_on(1 << 30);
			_exit(0);
		}
		usleep(1000 * (i + 1));
		kill(pid, SIGKILL);
		wait_for(pid);
	}
	meet("death: dead", "");
	/* One that was begun may still come to its end. */
	usleep(500000);
	before = load(0);
	meet("death: looked", "");
	after = add_one(0);
	ok(after > before && after <= before + nodes,
	   "who dies while he adds harms nobody");
	meet("death: over", "");
	gosync_close(words);
}

int main(void)
{
	begin("int64");
	test_counter();
	test_operations();
	test_wait();
	test_death();
	return end();
}
