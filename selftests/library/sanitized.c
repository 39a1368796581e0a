// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program for ThreadSanitizer: two threads that use handles together, with
 * what orders them, or without if it is given an argument.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <gosync-user.h>

enum { ROUNDS = 2000 };

static gosync_mutex_t *mutex;
static gosync_rwmutex_t *rwmutex;
static gosync_semaphore_t *semaphore;
static gosync_waitgroup_t *wg;
static gosync_cond_t *cond;
static gosync_once_t *once;
static gosync_int64_t *word;
static long guarded[4], made, finished, turn, published;
static int racy;

static void locked(int i)
{
	switch (i % 3) {
	case 0:
		gosync_mutex_lock(mutex);
		break;
	case 1:
		while (gosync_mutex_trylock(mutex) < 0)
			;
		break;
	case 2:
		gosync_mutex_lock_until(mutex, GOSYNC_FOREVER, 0);
	}
	guarded[0]++;
	gosync_mutex_unlock(mutex);
}

static void read_and_written(void)
{
	gosync_rwmutex_lock(rwmutex);
	guarded[1]++;
	gosync_rwmutex_unlock(rwmutex);
	gosync_rwmutex_rlock(rwmutex);
	if (guarded[1] < 0)
		abort();
	gosync_rwmutex_runlock(rwmutex);
}

static void permitted(void)
{
	gosync_semaphore_acquire(semaphore, 1);
	guarded[2]++;
	gosync_semaphore_release(semaphore, 1);
}

static void make(void *arg, int died)
{
	(void)arg;
	made = 1 + died;
}

/* They take turns. */
static void *work(void *arg)
{
	long me = (long)arg;
	int i;

	/* Before anything orders the two, whichever comes first */
	if (racy)
		guarded[3]++;
	gosync_once_do(once, make, NULL);
	if (!made)
		abort();
	for (i = 0; i < ROUNDS; i++) {
		locked(i);
		read_and_written();
		permitted();
	}
	for (i = 0; i < ROUNDS / 10; i++) {
		gosync_mutex_lock(mutex);
		while (turn % 2 != me)
			gosync_cond_wait(cond, mutex);
		turn++;
		gosync_cond_broadcast(cond);
		gosync_mutex_unlock(mutex);
	}
	return NULL;
}

static void finish(void *arg)
{
	(void)arg;
	finished = 1;
}

/* An atomic word is seen as one. */
static void *publish(void *arg)
{
	published = 42;
	gosync_int64_store(word, 0, 1);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	int64_t now = 0;
	long i;

	(void)argv;
	racy = argc > 1;
	if (gosync_mutex_open(NULL, GOSYNC_CREATE, 0600, &mutex) ||
	    gosync_rwmutex_open(NULL, GOSYNC_CREATE, 0600, &rwmutex) ||
	    gosync_semaphore_open(NULL, 1, GOSYNC_CREATE, 0600, &semaphore) ||
	    gosync_waitgroup_open(NULL, GOSYNC_CREATE, 0600, &wg) ||
	    gosync_cond_open(NULL, GOSYNC_CREATE, 0600, &cond) ||
	    gosync_once_open(NULL, GOSYNC_CREATE, 0600, &once) ||
	    gosync_int64_open(NULL, 1, GOSYNC_CREATE, 0600, &word))
		return 1;
	gosync_waitgroup_go(wg, finish, NULL);
	gosync_waitgroup_wait(wg);
	if (!finished)
		return 1;
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	pthread_create(&threads[0], NULL, publish, NULL);
	while (!now)
		gosync_int64_load(word, 0, &now);
	if (published != 42)
		return 1;
	pthread_join(threads[0], NULL);
	printf("%ld %ld %ld %ld\n", guarded[0], guarded[1], guarded[2], turn);
	return 0;
}
