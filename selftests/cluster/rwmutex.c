// SPDX-License-Identifier: GPL-2.0-only
/*
 * An RWMutex that all nodes of a cluster share. This runs on each node of cluster.sh, as
 * a member.
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

static gosync_rwmutex_t *open_rwmutex(const char *name)
{
	gosync_rwmutex_t *rw;
	int ret = gosync_rwmutex_open(name, GOSYNC_CREATE | GOSYNC_CLUSTER, 0600, &rw);

	if (ret)
		errx(1, "%s: %s", name, gosync_strerror(GOSYNC_IOC_OPEN, ret));
	return rw;
}

static void write_once(gosync_rwmutex_t *rw, int fd)
{
	uint64_t token;

	if (gosync_rwmutex_lock(rw) || gosync_rwmutex_token(rw, &token))
		errx(1, "cannot lock");
	ask(fd, ENTERS, token);
	ask(fd, LEAVES, 0);
	if (gosync_rwmutex_unlock(rw))
		errx(1, "cannot unlock");
}

static void read_once(gosync_rwmutex_t *rw, int fd)
{
	if (gosync_rwmutex_rlock(rw))
		errx(1, "cannot read");
	ask(fd, READS, 0);
	ask(fd, HAS_READ, 0);
	if (gosync_rwmutex_runlock(rw))
		errx(1, "cannot end to read");
}

/* One of three times, about, it writes. */
static void work(int times)
{
	gosync_rwmutex_t *rw = open_rwmutex("cluster.rw");
	int fd = to_monitor(), i;

	for (i = 0; i < times && !is_asked_to_end(); i++) {
		if ((i + getpid()) % 3)
			read_once(rw, fd);
		else
			write_once(rw, fd);
	}
}

static void test_writers_are_alone(void)
{
	const int times = 60;
	struct report report;
	int fd;

	meet("work", "");
	ok(run_workers(work, times), "all workers have been inside");
	meet("worked", "");
	if (self != 1)
		return;
	fd = to_monitor();
	report = ask(fd, REPORTS, 0);
	close(fd);
	printf("# %llu wrote, %llu read, from %llu nodes at the same time\n",
	       (unsigned long long)report.entered, (unsigned long long)report.read,
	       (unsigned long long)report.nodes_inside);
	ok(report.entered + report.read == (uint64_t)times * WORKERS * nodes &&
	   !report.violations, "a writer was inside with nobody else, tokens grow");
}

/* All read at the same time; a writer has to wait for the last of them. */
static void test_readers_of_all_nodes(void)
{
	gosync_rwmutex_t *rw = open_rwmutex("cluster.readers");
	struct gosync_info info;

	ok(!gosync_rwmutex_rlock(rw), "reads");
	meet("all read", "");
	ok(!gosync_rwmutex_rlock(rw) && !gosync_rwmutex_runlock(rw),
	   "and once more");
	ok(!gosync_info(rw, &info) && info.readers == 1,
	   "the readers of this node are shown");
	if (self == 1) {
		ok(gosync_rwmutex_trylock(rw) == -EBUSY, "to try to write fails");
		ok(gosync_rwmutex_lock_until(rw, gosync_deadline(50000000), 0) ==
		   -ETIMEDOUT, "a deadline ends the wait for readers elsewhere");
	}
	meet("tried", "");
	ok(!gosync_rwmutex_runlock(rw), "ends to read");
	meet("nobody reads", "");
	if (self == 2)
		ok(!gosync_rwmutex_lock(rw), "writes");
	meet("written", "");
	if (self != 2)
		ok(gosync_rwmutex_rlock_until(rw, gosync_deadline(50000000), 0) ==
		   -ETIMEDOUT, "a writer elsewhere keeps readers out");
	meet("kept out", "");
	if (self == 2)
		ok(!gosync_rwmutex_unlock(rw), "ends to write");
	ok(!gosync_rwmutex_rlock(rw) && !gosync_rwmutex_runlock(rw),
	   "then all can read");
	meet("readers over", "");
	gosync_close(rw);
}

/* Two nodes read, and in both somebody wants to write: none may wait for the other. */
static void test_two_writers(void)
{
	gosync_rwmutex_t *rw = open_rwmutex("cluster.writers");
	int i, bad = 0;

	for (i = 0; i < 20; i++) {
		bad |= gosync_rwmutex_rlock(rw) || gosync_rwmutex_runlock(rw);
		meet("both have read", "");
		bad |= gosync_rwmutex_lock(rw) || gosync_rwmutex_unlock(rw);
	}
	ok(!bad, "all nodes write after all have read");
	meet("writers over", "");
	gosync_close(rw);
}

static bool is_polled(gosync_rwmutex_t *rw, short events, int timeout)
{
	struct pollfd pollfd = { .fd = gosync_fd(rw), .events = events };

	return poll(&pollfd, 1, timeout) == 1 && pollfd.revents & events;
}

static void test_poll(void)
{
	gosync_rwmutex_t *rw = open_rwmutex("cluster.poll");

	if (self == 1)
		ok(!gosync_rwmutex_rlock(rw), "reads");
	meet("poll: read", "");
	if (self == 2) {
		ok(is_polled(rw, POLLIN, 10000), "poll says that it can be read");
		ok(!is_polled(rw, POLLOUT, 200), "not that it can be written");
	}
	meet("poll: polled", "");
	if (self == 1)
		ok(!gosync_rwmutex_runlock(rw), "ends to read");
	meet("poll: free", "");
	if (self == 2)
		ok(is_polled(rw, POLLOUT, 10000), "poll says that it can be written");
	meet("poll: over", "");
	gosync_close(rw);
}

static void write_it(void)
{
	if (gosync_rwmutex_lock(open_rwmutex("cluster.rw.death")))
		_exit(1);
}

static void read_it(void)
{
	if (gosync_rwmutex_rlock(open_rwmutex("cluster.rw.death")))
		_exit(1);
}

/* A process is killed inside, on another node than who waits. */
static void test_deaths(void)
{
	gosync_rwmutex_t *rw = open_rwmutex("cluster.rw.death");
	pid_t pid = 0;
	int writes;

	for (writes = 0; writes < 2; writes++) {
		meet("death", "");
		if (self == 2)
			pid = start_holder(writes ? write_it : read_it);
		meet("death: locked", "");
		if (self == 2)
			kill_holder(pid);
		if (self == 1) {
			ok(gosync_rwmutex_lock(rw) == writes,
			   writes ? "the next node hears of a writer's death" :
				    "that of a reader frees it");
			ok(!writes || !gosync_rwmutex_recover(rw), "it is recovered");
			ok(!gosync_rwmutex_unlock(rw), "it is unlocked");
		}
		meet("death: recovered", "");
		ok(!gosync_rwmutex_rlock(rw) && !gosync_rwmutex_runlock(rw),
		   "then all is well on each node");
	}
	meet("death: over", "");
	gosync_close(rw);
}

int main(void)
{
	pid_t server;

	begin("rwmutex");
	server = start_monitor();
	test_readers_of_all_nodes();
	test_two_writers();
	test_poll();
	test_writers_are_alone();
	test_each_has_its_share(work);
	test_deaths();
	if (server)
		kill(server, SIGKILL);
	return end();
}
