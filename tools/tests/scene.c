// SPDX-License-Identifier: GPL-2.0-only
/*
 * scene: objects for the command's tests to look at, until it is killed.
 *
 *	scene many COUNT	creates many.0 and so on, which stay
 *	scene contend	makes two waits for "contended": one ends in a grant,
 *			one by its deadline
 *	scene		makes objects of many kinds, with holders and waiters;
 *			prints "ready" when all of them are in place
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gosync-user.h>

#define LASTING	(GOSYNC_CREATE | GOSYNC_PERSIST)

static void must(int ret, const char *what)
{
	if (ret < 0)
		errx(1, "%s: %s", what, gosync_strerror(0, ret));
}

static void create(const char *name, unsigned int flags, unsigned int mode)
{
	gosync_mutex_t *mutex;

	must(gosync_mutex_open(name, flags | GOSYNC_IOCTL_ONLY, mode, &mutex),
	     name);
	gosync_close(mutex);
}

static void many(long count)
{
	char name[32];
	long i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "many.%ld", i);
		create(name, LASTING, 0644);
	}
}

/* A child that ends with this process */
static int child(void)
{
	pid_t parent = getpid(), pid = fork();

	must(pid < 0 ? -errno : 0, "fork");
	if (pid)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	return 1;
}

/* Three poisoned locks; one of them is locked again. */
static void die_with_locks(void)
{
	gosync_mutex_t *mutex, *held;
	gosync_rwmutex_t *rwmutex;
	int status;

	must(gosync_mutex_open("dead.held", LASTING, 0644, &held),
	     "dead.held");
	if (child()) {
		must(gosync_mutex_open("dead.mutex", LASTING, 0644, &mutex),
		     "dead.mutex");
		must(gosync_mutex_lock(mutex), "lock");
		must(gosync_mutex_lock(held), "lock");
		must(gosync_rwmutex_open("dead.rwmutex", LASTING, 0644,
					 &rwmutex), "dead.rwmutex");
		must(gosync_rwmutex_lock(rwmutex), "lock");
		raise(SIGKILL);
	}
	wait(&status);
	must(gosync_mutex_lock(held), "lock");
}

/* Hold the lock that has three waiters. */
static void hold_and_wait(void)
{
	struct gosync_party parties[4];
	gosync_mutex_t *mutex;
	int i;

	must(gosync_mutex_open("held", GOSYNC_CREATE, 0644, &mutex), "held");
	must(gosync_mutex_lock(mutex), "lock");
	for (i = 0; i < 3; i++) {
		if (child()) {
			prctl(PR_SET_NAME, "it's\nme");
			must(gosync_mutex_lock_until(mutex, i == 1 ?
						     gosync_deadline(3600000000000ULL) :
						     GOSYNC_FOREVER, 0),
			     "lock");
			pause();
		}
		while (gosync_waiters(mutex, parties, 4) <= i)
			usleep(1000);
	}
}

/* One waiter waits for a permit or for a lock. */
static void wait_for_either(void)
{
	struct gosync_wait_entry entries[2];
	gosync_semaphore_t *semaphore;
	struct gosync_party party;
	gosync_mutex_t *mutex;

	must(gosync_mutex_open("either", GOSYNC_CREATE, 0644, &mutex),
	     "either");
	must(gosync_semaphore_open("or", 0, GOSYNC_CREATE, 0644, &semaphore),
	     "or");
	must(gosync_mutex_lock(mutex), "lock");
	if (child()) {
		entries[0] = gosync_entry_semaphore(semaphore, 2);
		entries[1] = gosync_entry_mutex(mutex);
		must(gosync_wait_any(entries, 2, GOSYNC_FOREVER, 0), "wait");
		pause();
	}
	while (!gosync_waiters(mutex, &party, 1) ||
	       !gosync_waiters(semaphore, &party, 1))
		usleep(1000);
}

static void contend(void)
{
	struct gosync_party party;
	gosync_mutex_t *mutex;
	int i, status;

	must(gosync_mutex_open("contended", LASTING, 0644, &mutex),
	     "contended");
	for (i = 0; i < 2; i++) {
		must(gosync_mutex_lock(mutex), "lock");
		if (child()) {
			if (!gosync_mutex_lock_until(mutex, i ?
						     gosync_deadline(1000000) :
						     GOSYNC_FOREVER, 0))
				must(gosync_mutex_unlock(mutex), "unlock");
			_exit(0);
		}
		while (!i && !gosync_waiters(mutex, &party, 1))
			usleep(1000);
		if (i)
			wait(&status);
		must(gosync_mutex_unlock(mutex), "unlock");
		if (!i)
			wait(&status);
	}
}

static void take_some(void)
{
	gosync_semaphore_t *semaphore;
	gosync_rwmutex_t *rwmutex;

	must(gosync_rwmutex_open("shared", GOSYNC_CREATE, 0644, &rwmutex),
	     "shared");
	must(gosync_rwmutex_rlock(rwmutex), "rlock");
	must(gosync_rwmutex_rlock(rwmutex), "rlock");
	must(gosync_semaphore_open("permits", 5, GOSYNC_CREATE |
				   GOSYNC_GIVE_BACK, 0644, &semaphore),
	     "permits");
	must(gosync_semaphore_acquire(semaphore, 3), "acquire");
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "many")) {
		many(strtol(argv[2], NULL, 0));
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "contend")) {
		contend();
		return 0;
	}
	create("new\nline \"quote\" back\\slash \033[31m", LASTING, 0644);
	create("\xff\xfe bytes", LASTING, 0644);
	create("w\xc3\xa4re", LASTING, 0644);
	create("private", LASTING, 0600);
	die_with_locks();
	contend();
	take_some();
	wait_for_either();
	hold_and_wait();
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
