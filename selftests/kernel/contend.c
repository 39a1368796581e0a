// SPDX-License-Identifier: GPL-2.0-only
/*
 * contend PROCESSES ROUNDS: a load for tracers to look at, see tracers.sh. Each
 * process takes the mutex "contend.mutex", the RWMutex "contend.rwmutex" to
 * write every fourth time and otherwise to read, and the one permit of
 * "contend.semaphore" in each round, and keeps them for a while.
 *
 * It calls the library's functions, not the inline copies of them: probes in
 * the library see them all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gosync-user.h>

static int (*volatile mutex_lock)(gosync_mutex_t *) = gosync_mutex_lock;
static int (*volatile mutex_unlock)(gosync_mutex_t *) = gosync_mutex_unlock;

static gosync_mutex_t *mutex;
static gosync_rwmutex_t *rwmutex;
static gosync_semaphore_t *semaphore;

static int must(int ret)
{
	if (ret >= 0)
		return ret;
	fprintf(stderr, "contend: %s\n", strerror(-ret));
	exit(1);
}

static void hold(void)
{
	usleep(100);
}

static void contend(unsigned int self, unsigned int rounds)
{
	unsigned int i;

	/* One after the other: who waits for one does not contend for another. */
	for (i = 0; i < rounds; i++) {
		must(mutex_lock(mutex));
		hold();
		must(mutex_unlock(mutex));
	}
	for (i = 0; i < rounds; i++) {
		if ((self + i) % 4) {
			must(gosync_rwmutex_rlock(rwmutex));
			hold();
			must(gosync_rwmutex_runlock(rwmutex));
		} else {
			must(gosync_rwmutex_lock(rwmutex));
			hold();
			must(gosync_rwmutex_unlock(rwmutex));
		}
	}
	for (i = 0; i < rounds; i++) {
		must(gosync_semaphore_acquire(semaphore, 1));
		hold();
		must(gosync_semaphore_release(semaphore, 1));
	}
}

int main(int argc, char **argv)
{
	unsigned int processes, rounds, i;
	int status, failed = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: contend PROCESSES ROUNDS\n");
		return 2;
	}
	processes = strtoul(argv[1], NULL, 0);
	rounds = strtoul(argv[2], NULL, 0);
	must(gosync_mutex_open("contend.mutex", GOSYNC_CREATE, 0600, &mutex));
	must(gosync_rwmutex_open("contend.rwmutex", GOSYNC_CREATE, 0600,
				 &rwmutex));
	must(gosync_semaphore_open("contend.semaphore", 1, GOSYNC_CREATE, 0600,
				   &semaphore));
	for (i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid) {
			contend(i, rounds);
			return 0;
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	return !!failed;
}
