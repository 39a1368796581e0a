// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo: the workers and the clerk. See demo.c for the story.
 */
#include <stdlib.h>
#include <unistd.h>

#include "demo.h"

static bool is_clerk(void)
{
	return me > workers;
}

static bool working(void)
{
	int32_t is = 0;

	must(gosync_int32_load(phase, 0, &is), "load phase");
	row[PHASE]++;
	return is == WORK;
}

static void await_work(void)
{
	must(gosync_int32_wait(phase, 0, PREPARE, GOSYNC_FOREVER, 0, NULL),
	     "wait for phase");
	row[PHASE]++;
}

static void find_config(struct demo_config *cfg)
{
	size_t len = sizeof(*cfg);
	uint64_t type;

	must(gosync_value_load(config, cfg, &len, &type), "load config");
	row[CONFIG]++;
	if (type != CONFIG_TYPE || len != sizeof(*cfg))
		fail("config is of another type");
	row[MY_CONFIG] = cfg->number;
	if (!is_clerk())
		say("found configuration %u: moves up to %u, taking %u us",
		    cfg->number, cfg->most, cfg->work_us);
}

/* Many read the index and the parent changes it: is there something new? */
static void look_at_index(struct demo_config *cfg)
{
	int64_t number, check;

	must(gosync_rwmutex_rlock(rules), "rlock");
	number = load(index_words, INDEX_NUMBER, INDEX);
	check = load(index_words, INDEX_CHECK, INDEX);
	must(gosync_rwmutex_runlock(rules), "runlock");
	row[RULES]++;
	row[MY_LOOKS]++;
	if (check != number * INDEX_FACTOR)
		fail("read the index while it was being changed");
	if (number != cfg->number)
		find_config(cfg);
}

/* --- The queue of jobs ---------------------------------------------------- */

static int64_t queued(void)
{
	return load(ring, PUT, RINGS) - load(ring, TAKEN, RINGS);
}

/*
 * Lock the queue and wait there, on @cond, while it has @unwanted jobs in it.
 * Return: false if it's time to stop; then it isn't locked.
 */
static bool enter_queue(gosync_cond_t *cond, int object, int64_t unwanted)
{
	must(gosync_mutex_lock(queue), "lock queue");
	row[QUEUE]++;
	while (working()) {
		if (queued() != unwanted)
			return true;
		must(gosync_cond_wait(cond, queue), "wait at the queue");
		row[object]++;
	}
	must(gosync_mutex_unlock(queue), "unlock queue");
	return false;
}

static void leave_queue(gosync_cond_t *cond, int object, int counter)
{
	int64_t n = load(ring, counter, RINGS);

	store(ring, counter, n + 1, RINGS);
	must(gosync_cond_signal(cond), "signal");
	row[object]++;
	must(gosync_mutex_unlock(queue), "unlock queue");
}

static bool put_job(int64_t amount)
{
	if (!enter_queue(room_cond, ROOM_COND, RING))
		return false;
	store(ring, load(ring, PUT, RINGS) % RING, amount, RINGS);
	leave_queue(work_cond, WORK_COND, PUT);
	return true;
}

static bool take_job(int64_t *amount)
{
	if (!enter_queue(work_cond, WORK_COND, 0))
		return false;
	*amount = load(ring, load(ring, TAKEN, RINGS) % RING, RINGS);
	leave_queue(room_cond, ROOM_COND, TAKEN);
	return true;
}

/* --- A transfer ----------------------------------------------------------- */

/* The lock is held and its last owner died with it. */
static void repair(void)
{
	int64_t left = load(accounts, LEFT, ACCOUNTS);
	int64_t right = load(accounts, RIGHT, ACCOUNTS);
	int64_t missing = TOTAL - left - right;

	say("has the lock, was told that its last owner died (token %lld)",
	    (long long)row[MY_TOKEN]);
	store(accounts, RIGHT, right + missing, ACCOUNTS);
	must(gosync_mutex_recover(lock), "recover");
	say("found %lld + %lld, put the missing %lld back, recovered the lock",
	    (long long)left, (long long)right, (long long)missing);
	row[MY_REPORTS]++;
}

static void move(const struct demo_config *cfg, int64_t amount)
{
	int64_t had[2];
	uint64_t until;
	int from;

	/* Loads, work and stores, which only the lock makes one step. */
	had[LEFT] = load(accounts, LEFT, ACCOUNTS);
	had[RIGHT] = load(accounts, RIGHT, ACCOUNTS);
	if (had[LEFT] + had[RIGHT] != TOTAL)
		fail("has the lock and found %lld + %lld, which is not %d",
		     (long long)had[LEFT], (long long)had[RIGHT], TOTAL);
	from = had[LEFT] > had[RIGHT] ? LEFT : RIGHT;
	store(accounts, from, had[from] - amount, ACCOUNTS);
	row[MY_AMOUNT] = amount;
	publish_row();
	until = now() + cfg->work_us * 1000ULL;
	while (now() < until)
		;
	row[MY_AMOUNT] = 0;
	publish_row();
	store(accounts, !from, had[!from] + amount, ACCOUNTS);
}

static void transfer(const struct demo_config *cfg, int64_t amount)
{
	uint64_t token;
	int told;

	must(gosync_semaphore_acquire(desks, 1), "acquire a desk");
	told = must(gosync_mutex_lock(lock), "lock");
	must(gosync_mutex_token(lock, &token), "token");
	row[MY_TOKEN] = token;

	/* Refuse a delayed writer: see the fencing token. */
	if ((int64_t)token <= load(accounts, LARGEST_TOKEN, ACCOUNTS))
		fail("token %llu is not larger than the last",
		     (unsigned long long)token);
	if (told)
		repair();
	store(accounts, LARGEST_TOKEN, token, ACCOUNTS);
	move(cfg, amount);
	must(gosync_mutex_unlock(lock), "unlock");
	must(gosync_semaphore_release(desks, 1), "release a desk");
	row[LOCK]++;
	row[DESKS]++;

	must(gosync_int64_add(jobs, 0, 1, NULL), "add to jobs");
	row[JOBS]++;
	row[MY_JOBS]++;
}

/* --- What a process does -------------------------------------------------- */

static void done(void)
{
	row[CREW]++;
	publish_row();
	must(gosync_waitgroup_done(crew), "done");
}

int work(void)
{
	struct demo_config cfg = { };
	unsigned int seed = me;
	int64_t amount;

	open_objects(0);
	started = get_count(0, MY_START);
	set_up_once();
	say("is process %d, found everything named %s.*", getpid(), prefix);
	done();
	await_work();

	look_at_index(&cfg);
	if (is_clerk()) {
		while (put_job(1 + rand_r(&seed) % cfg.most))
			look_at_index(&cfg);
	} else {
		while (take_job(&amount)) {
			look_at_index(&cfg);
			transfer(&cfg, amount);
			publish_row();
			snooze(cfg.pause_us * 1000ULL);
		}
	}
	done();
	return 0;
}
