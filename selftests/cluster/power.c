// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last node of cluster.sh loses its power with all locks, and then the one before it.
 * This runs on each node, as a member, and is the last program that does: in the end
 * those that are left leave the cluster.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <gosync-user.h>

#include "common.h"

#define FLAGS	(GOSYNC_CREATE | GOSYNC_CLUSTER)

/* Two locks, something that is done, something that is being done, and a number */
struct locks {
	gosync_mutex_t *mutex;
	gosync_rwmutex_t *rwmutex;
	gosync_once_t *done;
	gosync_once_t *begun;
	gosync_value_t *value;
};

static void check(int ret, const char *what)
{
	if (ret)
		errx(1, "%s: %d", what, ret);
}

static void tokens_of(const struct locks *locks, uint64_t tokens[2])
{
	check(gosync_mutex_token(locks->mutex, &tokens[0]), "token");
	check(gosync_rwmutex_token(locks->rwmutex, &tokens[1]), "token");
}

static bool lock_both(const struct locks *locks, int want)
{
	return gosync_mutex_lock(locks->mutex) == want &&
	       gosync_rwmutex_lock(locks->rwmutex) == want;
}

static bool unlock_both(const struct locks *locks)
{
	return !gosync_mutex_unlock(locks->mutex) &&
	       !gosync_rwmutex_unlock(locks->rwmutex);
}

static uint64_t number_of(const struct locks *locks)
{
	uint64_t number;
	size_t len = sizeof(number);

	check(gosync_value_load(locks->value, &number, &len, NULL), "load");
	return number;
}

static void store(const struct locks *locks, uint64_t number)
{
	check(gosync_value_store(locks->value, 1, &number, sizeof(number)), "store");
}

/*
 * The last node has stored 2 after all had loaded 1, and nobody has loaded it since. But
 * the first node was the first that had the Value, so it is the DLM's master of it, and
 * the 2 was written there.
 */
static void test_value_after_death(const struct locks *locks, const char *left)
{
	uint64_t number = number_of(locks);

	ok(number == 2, "what a dead node has stored is there");
	meet("value left", left);
	if (self == 2)
		store(locks, number + 10);
	meet("value stored", left);
	number = number_of(locks);
	ok(number == 12, "and who is left can store");
}

/* The dead node had stored last, so whoever loads waits. */
static pid_t start_visitor(const struct locks *locks)
{
	char command[128];
	pid_t pid = fork();

	if (!pid)
		_exit(!number_of(locks));
	usleep(500000);
	snprintf(command, sizeof(command),
		 "gosync waiters -no PID cluster.power.value | grep -qw %d", pid);
	ok(!system(command), "who loads a Value meanwhile is listed as a waiter");
	ok(!system("gosync ls -rno NAME,WAITERS | grep -q '^cluster.power.value 1$'"),
	   "and counted");
	return pid;
}

static void test_death_of_a_node(const struct locks *locks, const char *left)
{
	uint64_t before[2], after[2];
	pid_t pid = 0;

	if (self == 1) {
		ok(lock_both(locks, 0), "the first locks");
		tokens_of(locks, before);
		unlock_both(locks);
	}
	meet("opened", "");
	ok(number_of(locks) == 1, "all load a Value");
	meet("loaded", "");
	if (self == nodes) {
		store(locks, 2);
		ok(lock_both(locks, 0) && gosync_once_begin(locks->done) &&
		   !gosync_once_done(locks->done) && gosync_once_begin(locks->begun),
		   "the last node locks, does and begins");
	}
	meet("locked", "");
	if (self == nodes) {
		ok(system("rmmod gosync_dlm 2>/dev/null"), "the module cannot go");
		lose_power();
	}
	usleep(1000000);
	if (self == 1) {
		pid = start_visitor(locks);
		ok(gosync_mutex_trylock(locks->mutex) == -EBUSY,
		   "nobody has the Mutex meanwhile");
		ok(gosync_rwmutex_tryrlock(locks->rwmutex) == -EBUSY,
		   "nobody reads meanwhile");
	}
	go_on_without(nodes, left);
	if (self == 1)
		ok(!wait_for(pid), "and the waiter has loaded");
	/* By a read lock, which has to have the value block written first. */
	if (self == 2) {
		ok(gosync_rwmutex_rlock(locks->rwmutex) == 1 &&
		   !gosync_rwmutex_runlock(locks->rwmutex),
		   "who reads hears of the death");
	}
	ok(gosync_once_begin(locks->done) == GOSYNC_ONCE_DONE,
	   "what it has done is done");
	meet("read", left);
	if (self == 1) {
		ok(lock_both(locks, 1), "who locks hears of the death");
		tokens_of(locks, after);
		printf("# tokens: %llu and %llu before, %llu and %llu after\n",
		       (unsigned long long)before[0], (unsigned long long)before[1],
		       (unsigned long long)after[0], (unsigned long long)after[1]);
		ok(after[0] > before[0] + 1 && after[1] > before[1] + 1,
		   "its tokens are above all that the dead had");
		ok(gosync_once_begin(locks->begun) == GOSYNC_ONCE_RUN_AGAIN &&
		   !gosync_once_done(locks->begun),
		   "and what it had begun is to be done");
		ok(!gosync_mutex_recover(locks->mutex) &&
		   !gosync_rwmutex_recover(locks->rwmutex) && unlock_both(locks),
		   "and recovers both");
	}
	meet("recovered", left);
	test_value_after_death(locks, left);
	ok(lock_both(locks, 0) && unlock_both(locks) &&
	   !gosync_once_begin(locks->begun),
	   "then all is well on each node that is left");
	meet("over", left);
}

/*
 * Another one dies with the locks. It tells its tokens to the first by the Value; the
 * locks' tokens that the first knows are older.
 */
static void test_second_death(const struct locks *locks)
{
	uint64_t tokens[2], told;

	if (self == 2) {
		ok(lock_both(locks, 0), "a second node locks");
		tokens_of(locks, tokens);
		store(locks, tokens[0] > tokens[1] ? tokens[0] : tokens[1]);
	}
	meet("locked again", "1 2");
	told = number_of(locks);
	meet("told", "1 2");
	if (self == 2)
		lose_power();
	usleep(1000000);
	go_on_without(2, "1");
	ok(lock_both(locks, 1), "a second death is told, too");
	tokens_of(locks, tokens);
	printf("# tokens: %llu before, %llu and %llu after\n", (unsigned long long)told,
	       (unsigned long long)tokens[0], (unsigned long long)tokens[1]);
	ok(tokens[0] > told && tokens[1] > told, "tokens are above those of both");
	ok(number_of(locks) == told, "a Value has what this node had loaded");
	ok(!gosync_mutex_recover(locks->mutex) &&
	   !gosync_rwmutex_recover(locks->rwmutex) && unlock_both(locks),
	   "and the last node recovers both");
}

/*
 * Whoever unloads the module leaves the lockspaces, which have to have stopped by then.
 * Nobody has an object open any more, but the DLM may still be told so.
 */
static void leave(void)
{
	const char *what = "grep -q '^0$' /sys/module/gosync_dlm/refcnt";
	int i;

	for (i = 0; i < 100 && system(what); i++)
		usleep(100000);
	if (!ok(!system(what), "nothing is left"))
		system("gosync ls");
	ok(!system("gosync-dlm-members stop all"), "leaves");
}

int main(void)
{
	char left[64] = "";
	struct locks locks;
	int i, n = 0;

	begin("power");
	for (i = 1; i < nodes; i++)
		n += sprintf(left + n, "%d ", i);
	check(gosync_mutex_open("cluster.power", FLAGS, 0600, &locks.mutex), "open");
	check(gosync_rwmutex_open("cluster.power.rw", FLAGS, 0600, &locks.rwmutex),
	      "open");
	check(gosync_once_open("cluster.power.done", FLAGS, 0600, &locks.done), "open");
	check(gosync_once_open("cluster.power.begun", FLAGS, 0600, &locks.begun),
	      "open");
	if (self != 1)
		meet("stored", "");
	check(gosync_value_open("cluster.power.value", 0, FLAGS, 0600, &locks.value),
	      "open");
	if (self == 1) {
		store(&locks, 1);
		meet("stored", "");
	}
	test_death_of_a_node(&locks, left);
	test_second_death(&locks);
	gosync_close(locks.value);
	gosync_close(locks.done);
	gosync_close(locks.begun);
	gosync_close(locks.mutex);
	gosync_close(locks.rwmutex);
	leave();
	return end();
}
