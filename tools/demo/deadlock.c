// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo --deadlock: each philosopher takes the left fork. When all have
 * one, each tries to take the right fork.
 *
 * The forks are demo.fork.1, demo.fork.2 and so on, of four kinds: a Mutex; an
 * RWMutex that is held for reading while the other neighbour wants to write; a
 * Semaphore of one permit; an RWMutex that is held for writing while the other
 * neighbour wants to read.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

struct fork {
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rwmutex;
	gosync_semaphore_t *semaphore;
	bool read_first;
};

static struct fork forks[MAX_WORKERS];
static gosync_waitgroup_t *table;

static void lay_forks(int n)
{
	const unsigned int flags = GOSYNC_CREATE | GOSYNC_EXCL;
	char name[32];
	int i, ret;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "demo.fork.%d", i + 1);
		switch (i % 4) {
		case 0:
			ret = gosync_mutex_open(name, flags, 0600,
						&forks[i].mutex);
			break;
		case 2:
			ret = gosync_semaphore_open(name, 1,
						    flags | GOSYNC_GIVE_BACK,
						    0600, &forks[i].semaphore);
			break;
		default:
			ret = gosync_rwmutex_open(name, flags, 0600,
						  &forks[i].rwmutex);
		}
		or_die(ret, name);
		forks[i].read_first = i % 4 == 1;
	}
	or_die(gosync_waitgroup_open(NULL, GOSYNC_CREATE, 0600, &table),
	       "the table");
	or_die(gosync_waitgroup_add(table, n), "the table");
}

static int take(const struct fork *fork, bool first, uint64_t deadline)
{
	if (fork->mutex)
		return gosync_mutex_lock_until(fork->mutex, deadline, 0);
	if (fork->semaphore)
		return gosync_semaphore_acquire_until(fork->semaphore, 1,
						      deadline, 0);
	if (fork->read_first == first)
		return gosync_rwmutex_rlock_until(fork->rwmutex, deadline, 0);
	return gosync_rwmutex_lock_until(fork->rwmutex, deadline, 0);
}

static void *think(void *arg)
{
	while (pause())
		;
	return arg;
}

static void dine(int me, int n, const struct demo_deadlock *how)
{
	uint64_t deadline = GOSYNC_FOREVER;
	pthread_t thread;
	char name[16];

	snprintf(name, sizeof(name), "philosopher-%d", me + 1);
	prctl(PR_SET_NAME, name);
	if (how->threads && pthread_create(&thread, NULL, think, NULL))
		or_die(-EAGAIN, "a thread");
	or_die(take(&forks[me], true, GOSYNC_FOREVER), "the left fork");
	or_die(gosync_waitgroup_add(table, -1), "the table");
	or_die(gosync_waitgroup_wait(table), "the table");
	if (how->deadline && !me)
		deadline = now_ns() + how->deadline * NSEC_PER_SEC;
	/* Only the deadline ends this wait. */
	take(&forks[(me + 1) % n], false, deadline);
	for (;;)
		pause();
}

int demo_deadlock(const struct demo_deadlock *how)
{
	pid_t parent = getpid();
	int n = how->philosophers;
	int i;

	setlinebuf(stdout);
	lay_forks(n);
	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			or_die(-errno, "fork");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			dine(i, n, how);
		}
		printf("philosopher-%d is process %d\n", i + 1, pid);
	}
	/* Only the philosophers are to have the forks. */
	for (i = 0; i < n; i++) {
		gosync_close(forks[i].mutex);
		gosync_close(forks[i].rwmutex);
		gosync_close(forks[i].semaphore);
	}
	or_die(gosync_waitgroup_wait(table), "the table");
	printf("Each has a fork and waits for the next one. To see that: gosync deadlocks\n"
	       "To end it: Ctrl-C, or kill %d\n", parent);
	while (wait(NULL) > 0)
		;
	return 0;
}
