// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Value that all nodes of a cluster share. This runs on each node of cluster.sh, as a
 * member.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gosync-user.h>

#include "common.h"

#define TYPE		7
#define TIMES		60
#define STORES		200
#define WORDS		(GOSYNC_CLUSTER_VALUE / 8)

static gosync_value_t *value;
static int fd;

static gosync_value_t *open_value(const char *name)
{
	gosync_value_t *opened;
	int ret = gosync_value_open(name, 0, GOSYNC_CREATE | GOSYNC_CLUSTER, 0600,
				    &opened);

	if (ret)
		errx(1, "%s: %s", name, gosync_strerror(GOSYNC_IOC_OPEN, ret));
	return opened;
}

static int load_number(uint64_t *number)
{
	size_t len = sizeof(*number);

	return gosync_value_load(value, number, &len, NULL);
}

static int store_number(uint64_t number)
{
	return gosync_value_store(value, TYPE, &number, sizeof(number));
}

/* --- A counter ---------------------------------------------------------------- */

static void count(int times)
{
	uint64_t old, new;
	int ret;

	for (; times; times--) {
		do {
			if (load_number(&old))
				errx(1, "cannot load");
			new = old + 1;
			ret = gosync_value_cas(value, TYPE, &old, sizeof(old), TYPE,
					       &new, sizeof(new));
		} while (!ret);
		if (ret != 1)
			errx(1, "cannot compare and swap: %d", ret);
	}
}

static void test_counter(void)
{
	uint64_t number = 0, old = 1;
	size_t len = sizeof(old);

	value = open_value("cluster.counter");
	ok(load_number(&number) == -ENODATA, "nothing is there before the first store");
	meet("counter: nothing", "");
	if (self == 1) {
		number = 0;
		ok(!gosync_value_swap(value, TYPE, &number, sizeof(number), &old, &len) &&
		   !len, "the first is swapped for nothing");
	}
	meet("counter: begun", "");
	ok(run_workers(count, TIMES), "all workers count");
	meet("counter: done", "");
	ok(!load_number(&number) && number == (uint64_t)nodes * WORKERS * TIMES,
	   "and none is lost");
	printf("# counted to %llu\n", (unsigned long long)number);
	meet("counter: over", "");
	gosync_close(value);
}

/* --- Nothing old is ever seen ------------------------------------------------- */

/* What was there before the monitor was asked must not be seen afterwards. */
static bool read_on(unsigned int *loads)
{
	struct report report;
	uint64_t number;

	do {
		report = ask(fd, REPORTS, 0);
		if (load_number(&number) || number < report.last_token) {
			printf("# %llu was loaded after %llu was stored\n",
			       (unsigned long long)number,
			       (unsigned long long)report.last_token);
			return false;
		}
		++*loads;
	} while (report.last_token < STORES * (uint64_t)nodes);
	return true;
}

static bool write_on(uint64_t from)
{
	int i;

	for (i = 1; i <= STORES; i++) {
		if (store_number(from + i))
			return false;
		ask(fd, ENTERS, from + i);
		ask(fd, LEAVES, 0);
	}
	return true;
}

static void test_nothing_old(void)
{
	unsigned int loads = 0;
	struct report report;
	pid_t reader;
	int node;

	value = open_value("cluster.new");
	if (self == 1)
		store_number(0);
	meet("new: begun", "");
	fd = to_monitor();
	reader = fork();
	if (!reader) {
		bool good;

		fd = to_monitor();
		good = read_on(&loads);
		printf("# %u loads\n", loads);
		exit(!good || loads < 100);
	}
	for (node = 1; node <= nodes; node++) {
		if (self == node)
			ok(write_on((node - 1) * STORES), "stores");
		meet("new: next", "");
	}
	ok(!wait_for(reader), "no load returns what was overwritten before it");
	meet("new: over", "");
	report = ask(fd, REPORTS, 0);
	if (self == 1)
		ok(!report.violations, "the stores were seen in their order");
	close(fd);
	gosync_close(value);
}

/* --- All of the payload ------------------------------------------------------- */

static void store_all(uint64_t words[WORDS], uint64_t with)
{
	int i;

	for (i = 0; i < WORDS; i++)
		words[i] = with;
	if (gosync_value_store(value, TYPE, words, sizeof(*words) * WORDS))
		errx(1, "cannot store all");
}

static void mix(int times)
{
	uint64_t words[WORDS];
	size_t len;
	int i, j;

	for (i = 0; i < times; i++) {
		if (i % 5 == 0)
			store_all(words, i * 16 + self);
		len = sizeof(words);
		if (gosync_value_load(value, words, &len, NULL) || len != sizeof(words))
			errx(1, "cannot load all");
		for (j = 0; j < WORDS; j++)
			if (words[j] != words[0])
				errx(1, "torn at %d", j);
	}
}

static void test_whole(void)
{
	uint64_t words[WORDS + 1];
	size_t capacity = 0, len = 8;

	value = open_value("cluster.large");
	ok(!gosync_value_capacity(value, &capacity) && capacity == sizeof(*words) * WORDS,
	   "has the capacity that the header says");
	if (self == 1)
		store_all(words, 0);
	meet("large: begun", "");
	ok(run_workers(mix, 200), "no load is torn");
	ok(gosync_value_store(value, TYPE, words, sizeof(words)) == -EMSGSIZE,
	   "more than that is refused");
	ok(gosync_value_store(value, TYPE + 1, words, 8) == -EPROTOTYPE,
	   "another type is refused");
	ok(gosync_value_load(value, words, &len, NULL) == -EMSGSIZE &&
	   len == sizeof(*words) * WORDS, "too little room is told");
	meet("large: over", "");
	gosync_close(value);
}

/* --- Waiting for a change ----------------------------------------------------- */

static void test_changes(void)
{
	struct pollfd pollfd = { .events = POLLIN };
	uint64_t version, was, number;
	struct gosync_peek peek;

	value = open_value("cluster.change");
	pollfd.fd = gosync_fd(value);
	if (self == 1)
		store_number(1);
	meet("change: begun", "");
	ok(!load_number(&number) && !gosync_value_version(value, &version),
	   "has a version");
	was = version;
	meet("change: loaded", "");
	if (self == 1) {
		usleep(200000);
		store_number(2);
	} else if (self == 2) {
		ok(!gosync_value_wait(value, &version) && version == was + 1,
		   "who waits for a change is told");
	} else {
		ok(poll(&pollfd, 1, 10000) == 1, "who polls for a change is told");
	}
	ok(!load_number(&number) && number == 2, "loads what was stored");
	meet("change: seen", "");
	if (self == 2)
		store_number(3);
	meet("change: again", "");
	ok(!gosync_value_peek(value, &peek) && peek.len == sizeof(number),
	   "peeks");
	number = *(const uint64_t *)peek.data;
	ok(gosync_peek_valid(&peek) && number == 3, "at what was stored last");
	ok(!gosync_value_version(value, &version) && version == was + 2,
	   "all have the same version");
	meet("change: over", "");
	gosync_close(value);
}

/* --- Death of who stores -------------------------------------------------------- */

static void store_on(int times)
{
	uint64_t words[WORDS];
	int i;

	for (i = 0; i < times; i++)
		store_all(words, i * 16 + self);
}

static void test_death(void)
{
	uint64_t words[WORDS];
	size_t len = sizeof(words);
	bool whole = true;
	int i, j;

	value = open_value("cluster.death.value");
	store_all(words, 0);
	meet("death: begun", "");
	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			store_on(1 << 30);
			_exit(0);
		}
		usleep(1000 * (i + 1));
		kill(pid, SIGKILL);
		wait_for(pid);
		whole &= !gosync_value_load(value, words, &len, NULL);
		for (j = 0; j < WORDS; j++)
			whole &= words[j] == words[0];
	}
	ok(whole, "who dies while he stores harms nobody");
	meet("death: over", "");
	gosync_close(value);
}

int main(void)
{
	pid_t server;

	begin("value");
	server = start_monitor();
	test_counter();
	test_nothing_old();
	test_whole();
	test_changes();
	test_death();
	if (server)
		kill(server, SIGKILL);
	return end();
}
