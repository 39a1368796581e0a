// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync-contend [-a] [-p PROCESSES] [-s SECONDS] NAME: make waits to trace.
 *
 * Processes contend for NAME, a mutex, as fast as they can. With -a they also
 * contend for NAME.rw, an rwmutex, and NAME.sem, a semaphore; some give up, and
 * one dies with the mutex. The scheduler decides whether they meet, so first
 * there is one certain wait of each kind. At the end the program prints the
 * kernel's statistics of each object, and the number of locks of the mutex.
 */
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gosync-user.h>

static gosync_mutex_t *mutex;
static gosync_rwmutex_t *rwmutex;
static gosync_semaphore_t *semaphore;
static unsigned long *rounds;	/* of all processes, under the mutex */
static unsigned long other;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int must(int ret)
{
	if (ret < 0)
		errx(1, "%s", gosync_strerror(0, ret));
	return ret;
}

static void open_all(const char *name, bool all)
{
	char more[GOSYNC_NAME_MAX + 8];

	must(gosync_mutex_open(name, GOSYNC_CREATE, 0600, &mutex));
	if (!all)
		return;
	snprintf(more, sizeof(more), "%s.rw", name);
	must(gosync_rwmutex_open(more, GOSYNC_CREATE, 0600, &rwmutex));
	snprintf(more, sizeof(more), "%s.sem", name);
	must(gosync_semaphore_open(more, 2, GOSYNC_CREATE, 0600, &semaphore));
}

/* The stacks must show these functions. */

static __attribute__((noinline)) void work_under_lock(void)
{
	if (must(gosync_mutex_lock(mutex)))
		must(gosync_mutex_recover(mutex));
	++*rounds;
	must(gosync_mutex_unlock(mutex));
}

static __attribute__((noinline)) void work_with_deadline(void)
{
	int ret = gosync_mutex_lock_until(mutex, gosync_deadline(20000), 0);

	if (ret < 0)
		return;
	if (ret)
		must(gosync_mutex_recover(mutex));
	must(gosync_mutex_unlock(mutex));
}

static __attribute__((noinline)) void write_something(void)
{
	must(gosync_rwmutex_lock(rwmutex));
	other++;
	must(gosync_rwmutex_unlock(rwmutex));
}

static __attribute__((noinline)) void read_something(void)
{
	must(gosync_rwmutex_rlock(rwmutex));
	other++;
	must(gosync_rwmutex_runlock(rwmutex));
}

static __attribute__((noinline)) void use_permit(void)
{
	must(gosync_semaphore_acquire(semaphore, 1));
	other++;
	must(gosync_semaphore_release(semaphore, 1));
}

static void work(const char *name, bool all, uint64_t until, int me)
{
	open_all(name, all);
	while (now() < until) {
		work_under_lock();
		if (!all)
			continue;
		if (me % 4 == 3)
			work_with_deadline();
		if (me % 2)
			read_something();
		else
			write_something();
		use_permit();
	}
	/* The first process that finishes dies with the mutex. */
	if (all && me == 1) {
		must(gosync_mutex_lock(mutex));
		usleep(20000);
		kill(getpid(), SIGKILL);
	}
	_exit(0);
}

static pid_t start(const char *name, bool all, void (*what)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		open_all(name, all);
		what();
		_exit(0);
	}
	return pid;
}

static void await_waiters(const void *object, unsigned int count)
{
	struct gosync_info info;

	for (;;) {
		must(gosync_info(object, &info));
		if (info.waiters >= count)
			return;
		usleep(1000);
	}
}

/* One wait of each kind: nothing is released until all of them wait. */
static void wait_once_each(const char *name, bool all)
{
	must(gosync_mutex_lock(mutex));
	if (all) {
		must(gosync_rwmutex_lock(rwmutex));
		must(gosync_semaphore_acquire(semaphore, 2));
		waitpid(start(name, all, work_with_deadline), NULL, 0);
		start(name, all, write_something);
		start(name, all, read_something);
		start(name, all, use_permit);
		await_waiters(rwmutex, 2);
		await_waiters(semaphore, 1);
	}
	start(name, all, work_under_lock);
	await_waiters(mutex, 1);
	if (all) {
		must(gosync_semaphore_release(semaphore, 2));
		must(gosync_rwmutex_unlock(rwmutex));
	}
	must(gosync_mutex_unlock(mutex));
	while (wait(NULL) > 0)
		;
}

static void show(const char *type, const void *object)
{
	struct gosync_stat stat;

	must(gosync_stat(object, &stat));
	printf("%s acquired %llu handed_over %llu gave_up %llu ", type,
	       (unsigned long long)stat.acquired,
	       (unsigned long long)stat.handed_over,
	       (unsigned long long)stat.gave_up);
	printf("wait_ns %llu wait_max_ns %llu deaths %llu\n",
	       (unsigned long long)stat.wait_ns,
	       (unsigned long long)stat.wait_max_ns,
	       (unsigned long long)stat.deaths);
}

int main(int argc, char **argv)
{
	double seconds = 1;
	int processes = 4;
	bool all = false;
	uint64_t until;
	int opt, i;

	while ((opt = getopt(argc, argv, "ap:s:")) != -1) {
		switch (opt) {
		case 'a':
			all = true;
			break;
		case 'p':
			processes = atoi(optarg);
			break;
		case 's':
			seconds = atof(optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind != argc - 1)
		return 2;
	open_all(argv[optind], all);
	rounds = mmap(NULL, sizeof(*rounds), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rounds == MAP_FAILED)
		err(1, "mmap");
	wait_once_each(argv[optind], all);
	until = now() + seconds * 1e9;
	for (i = 0; i < processes; i++)
		if (!fork())
			work(argv[optind], all, until, i);
	while (wait(NULL) > 0)
		;
	show("mutex", mutex);
	printf("rounds %lu\n", *rounds);
	if (all) {
		show("rwmutex", rwmutex);
		show("semaphore", semaphore);
	}
	return 0;
}
