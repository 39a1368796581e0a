// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Once that all nodes of a cluster share. This runs on each node of cluster.sh, as a
 * member.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <gosync-user.h>

#include "common.h"

#define TIMES		10

static gosync_once_t *open_once(const char *name)
{
	gosync_once_t *once;
	int ret = gosync_once_open(name, GOSYNC_CREATE | GOSYNC_CLUSTER, 0600, &once);

	if (ret)
		errx(1, "%s: %s", name, gosync_strerror(GOSYNC_IOC_OPEN, ret));
	return once;
}

static gosync_once_t *open_number(int i)
{
	char name[32];

	snprintf(name, sizeof(name), "cluster.once.%d", i);
	return open_once(name);
}

static int fd;

/* The tokens of the monitor grow with each Once, so a second run is a violation. */
static void run(void *arg, int died __attribute__((unused)))
{
	ask(fd, ENTERS, *(int *)arg);
	usleep(20000);
	ask(fd, LEAVES, 0);
}

static void work(int times)
{
	gosync_once_t *once;
	int i, number;

	fd = to_monitor();
	for (i = 0; i < times; i++) {
		number = i + 1;
		once = open_number(i);
		if (gosync_once_do(once, run, &number) ||
		    gosync_once_is_done(once) != 1)
			errx(1, "cannot do it");
	}
}

static void test_done_once(void)
{
	gosync_once_t *all[TIMES];
	struct report report;
	int i;

	/* Without that one is gone as soon as no process has it open. */
	for (i = 0; i < TIMES; i++)
		all[i] = open_number(i);
	meet("work", "");
	ok(run_workers(work, TIMES), "all workers have seen them done");
	meet("worked", "");
	for (i = 0; i < TIMES; i++)
		gosync_close(all[i]);
	if (self != 1)
		return;
	fd = to_monitor();
	report = ask(fd, REPORTS, 0);
	close(fd);
	ok(report.entered == TIMES && !report.violations, "each was done once");
}

/* Who only looks learns of it, too: by a wait, a poll, and a load. */
static void test_seen(void)
{
	gosync_once_t *once = open_once("cluster.seen");
	struct pollfd pollfd = { .fd = gosync_fd(once), .events = POLLIN };
	int i;

	meet("seen: opened", "");
	if (self == 1)
		ok(gosync_once_begin(once) == GOSYNC_ONCE_RUN, "begins");
	meet("seen: begun", "");
	if (self != 1) {
		ok(gosync_once_begin_until(once, gosync_deadline(50000000), 0) ==
		   -ETIMEDOUT, "a deadline ends the wait for another node");
		ok(!gosync_once_is_done(once), "it is not done");
		ok(gosync_once_done(once) == -EPERM, "who does not run it is refused");
	}
	meet("seen: refused", "");
	if (self == 1) {
		usleep(100000);
		ok(!gosync_once_done(once), "done");
	} else if (self == 2) {
		ok(!gosync_once_wait(once), "who waits is told");
	} else {
		ok(poll(&pollfd, 1, 10000) == 1, "who polls is told");
	}
	for (i = 0; i < 100 && !gosync_once_is_done(once); i++)
		usleep(100000);
	ok(gosync_once_is_done(once) == 1, "everybody sees that it is done");
	meet("seen: over", "");
	gosync_close(once);
}

static void begin_it(void)
{
	if (gosync_once_begin(open_once("cluster.once.death")) != GOSYNC_ONCE_RUN)
		_exit(1);
}

/* The runner is killed on one node: who comes next, on any, is told. */
static void test_death_of_a_process(void)
{
	gosync_once_t *once = open_once("cluster.once.death");
	pid_t pid = 0;

	meet("death: opened", "");
	if (self == 2)
		pid = start_holder(begin_it);
	meet("death: runs", "");
	if (self == 2)
		kill_holder(pid);
	if (self == 1)
		ok(gosync_once_begin(once) == GOSYNC_ONCE_RUN_AGAIN &&
		   !gosync_once_done(once), "the next node runs it again");
	meet("death: done", "");
	ok(!gosync_once_begin(once), "then it is done for all");
	meet("death: over", "");
	gosync_close(once);
}

int main(void)
{
	pid_t server;

	begin("once");
	server = start_monitor();
	test_done_once();
	test_seen();
	test_death_of_a_process();
	if (server)
		kill(server, SIGKILL);
	return end();
}
