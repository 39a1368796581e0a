// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Mutex that all nodes of a cluster share. This runs on each node of cluster.sh, as a
 * member; with --alone, before it is one.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gosync-user.h>

#include "common.h"

static gosync_mutex_t *open_mutex(const char *name)
{
	gosync_mutex_t *mutex;
	int ret = gosync_mutex_open(name, GOSYNC_CREATE | GOSYNC_CLUSTER, 0600, &mutex);

	if (ret)
		errx(1, "%s: %s", name, gosync_strerror(GOSYNC_IOC_OPEN, ret));
	return mutex;
}

static uint64_t token_of(gosync_mutex_t *mutex)
{
	uint64_t token;

	if (gosync_mutex_token(mutex, &token))
		errx(1, "no token");
	return token;
}

static void work(int times)
{
	gosync_mutex_t *mutex = open_mutex("cluster.work");
	int fd = to_monitor(), i;

	for (i = 0; i < times && !is_asked_to_end(); i++) {
		if (gosync_mutex_lock(mutex))
			errx(1, "cannot lock");
		ask(fd, ENTERS, token_of(mutex));
		ask(fd, LEAVES, 0);
		if (gosync_mutex_unlock(mutex))
			errx(1, "cannot unlock");
	}
}

static void test_one_at_a_time(void)
{
	const int times = 100;
	struct report report;
	int fd, node;

	meet("work", "");
	ok(run_workers(work, times), "all workers have been inside");
	meet("worked", "");
	if (self != 1)
		return;
	fd = to_monitor();
	report = ask(fd, REPORTS, 0);
	close(fd);
	ok(report.entered == (uint64_t)times * WORKERS * nodes &&
	   !report.violations, "nobody was inside with another, tokens grow");
	for (node = 1; node <= nodes; node++)
		printf("# node %d was inside %llu times\n", node,
		       (unsigned long long)report.by_node[node]);
}

/* Any, and all, of what another node has */
static void test_several(void)
{
	gosync_mutex_t *a = open_mutex("cluster.a"), *b = open_mutex("cluster.b");
	struct gosync_wait_entry entries[] = {
		gosync_entry_mutex(a), gosync_entry_mutex(b),
	};
	int ret;

	meet("several: opened", "");
	if (self == nodes)
		ok(!gosync_mutex_lock(a) && !gosync_mutex_lock(b) &&
		   !gosync_mutex_unlock(a) && !gosync_mutex_unlock(b),
		   "the last node has both");
	meet("several: there", "");
	if (self == 1) {
		ret = gosync_wait_all(entries, 2, gosync_deadline(20000000000), 0);
		ok(ret >= 0 && !gosync_mutex_unlock(a) && !gosync_mutex_unlock(b),
		   "the first waits for both");
	}
	meet("several: all", "");
	if (self == 2) {
		ret = gosync_wait_any(entries, 2, gosync_deadline(20000000000), 0);
		ok(ret >= 0 && !gosync_mutex_unlock(ret ? b : a),
		   "another waits for one of them");
	}
	meet("several: over", "");
	gosync_close(a);
	gosync_close(b);
}

static void test_deadline(void)
{
	gosync_mutex_t *mutex = open_mutex("cluster.deadline");

	if (self == 1)
		ok(!gosync_mutex_lock(mutex), "locks");
	meet("deadline: locked", "");
	if (self != 1) {
		ok(gosync_mutex_lock_until(mutex, gosync_deadline(50000000), 0) ==
		   -ETIMEDOUT, "a deadline ends the wait for another node");
		ok(gosync_mutex_trylock(mutex) == -EBUSY,
		   "to try fails while another node has it");
		ok(gosync_mutex_unlock(mutex) == -EPERM,
		   "who has not got it cannot unlock it");
	}
	meet("deadline: passed", "");
	if (self == 1)
		ok(!gosync_mutex_unlock(mutex), "unlocks");
	meet("deadline: free", "");
	ok(!gosync_mutex_lock(mutex) && !gosync_mutex_unlock(mutex),
	   "each can have it in the end");
	meet("deadline: over", "");
	gosync_close(mutex);
}

static void lock_it(void)
{
	if (gosync_mutex_lock(open_mutex("cluster.death")))
		_exit(1);
}

/* A process is killed inside, on another node than who waits. */
static void test_death_of_a_process(void)
{
	gosync_mutex_t *mutex = open_mutex("cluster.death");
	pid_t pid = 0;

	meet("death: opened", "");
	if (self == 2)
		pid = start_holder(lock_it);
	meet("death: locked", "");
	if (self == 2)
		kill_holder(pid);
	if (self == 1) {
		ok(gosync_mutex_lock(mutex) == 1, "the next node hears of the death");
		ok(!gosync_mutex_recover(mutex), "and recovers it");
		ok(!gosync_mutex_unlock(mutex), "and unlocks it");
	}
	meet("death: recovered", "");
	ok(!gosync_mutex_lock(mutex) && !gosync_mutex_unlock(mutex),
	   "then all is well on each node");
	meet("death: over", "");
	gosync_close(mutex);
}

/* This machine is in no cluster yet. */
static void test_alone(void)
{
	const unsigned int flags = GOSYNC_CREATE | GOSYNC_CLUSTER;
	gosync_mutex_t *mutex;

	ok(gosync_mutex_open("cluster.alone", flags, 0600, &mutex) == -ENOTCONN,
	   "without a cluster there is none");
	ok(gosync_mutex_open("cluster.alone", 0, 0, &mutex) == -ENOENT,
	   "and nothing is left of it");
}

int main(int argc, char **argv)
{
	pid_t server;

	begin("mutex");
	if (argc > 1 && !strcmp(argv[1], "--alone")) {
		test_alone();
		return end();
	}
	server = start_monitor();
	test_one_at_a_time();
	test_each_has_its_share(work);
	test_several();
	test_deadline();
	test_death_of_a_process();
	if (server)
		kill(server, SIGKILL);
	return end();
}
