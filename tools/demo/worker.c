// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo: the workers and the clerk. See demo.c for the story.
 */
#include <stdlib.h>
#include <unistd.h>

#include "demo.h"

static bool is_clerk(void)
{
	return demo.me > demo.workers;
}

static bool working(void)
{
	int32_t is = 0;

	must(gosync_int32_load(demo.phase, 0, &is), "load phase");
	demo.row[PHASE]++;
	return is == WORK;
}

static void await_work(void)
{
	must(gosync_int32_wait(demo.phase, 0, PREPARE, GOSYNC_FOREVER, 0, NULL),
	     "wait for phase");
	demo.row[PHASE]++;
}

static void find_config(struct demo_config *cfg)
{
	size_t len = sizeof(*cfg);
	uint64_t type;

	must(gosync_value_load(demo.config, cfg, &len, &type), "load config");
	demo.row[CONFIG]++;
	if (type != CONFIG_TYPE || len != sizeof(*cfg))
		fail("config has another type");
	demo.row[MY_CONFIG] = cfg->number;
	if (!is_clerk())
		say("found configuration %u: moves up to %u in %u us",
		    cfg->number, cfg->most, cfg->work_us);
}

/* Look for a new configuration: the parent changes the index, all others read it. */
static void look_at_index(struct demo_config *cfg)
{
	int64_t number, check;

	must(gosync_rwmutex_rlock(demo.rules), "rlock");
	number = load(demo.index, INDEX_NUMBER, INDEX);
	check = load(demo.index, INDEX_CHECK, INDEX);
	must(gosync_rwmutex_runlock(demo.rules), "runlock");
	demo.row[RULES]++;
	demo.row[MY_LOOKS]++;
	if (check != number * INDEX_FACTOR)
		fail("read the index while it was being changed");
	if (number != cfg->number)
		find_config(cfg);
}

/* --- The queue of jobs ---------------------------------------------------- */

static int64_t queued(void)
{
	return load(demo.ring, PUT, RINGS) - load(demo.ring, TAKEN, RINGS);
}

/*
 * Lock the queue, and wait on @cond while there are @unwanted jobs in it.
 * Return: false if it is time to stop; the queue is not locked then.
 */
static bool enter_queue(gosync_cond_t *cond, int object, int64_t unwanted)
{
	must(gosync_mutex_lock(demo.queue), "lock queue");
	demo.row[QUEUE]++;
	while (working()) {
		if (queued() != unwanted)
			return true;
		must(gosync_cond_wait(cond, demo.queue), "wait at the queue");
		demo.row[object]++;
	}
	must(gosync_mutex_unlock(demo.queue), "unlock queue");
	return false;
}

static void leave_queue(gosync_cond_t *cond, int object, int counter)
{
	int64_t n = load(demo.ring, counter, RINGS);

	store(demo.ring, counter, n + 1, RINGS);
	must(gosync_cond_signal(cond), "signal");
	demo.row[object]++;
	must(gosync_mutex_unlock(demo.queue), "unlock queue");
}

static bool put_job(int64_t amount)
{
	if (!enter_queue(demo.room, ROOM_COND, RING))
		return false;
	store(demo.ring, load(demo.ring, PUT, RINGS) % RING, amount, RINGS);
	leave_queue(demo.work, WORK_COND, PUT);
	return true;
}

static bool take_job(int64_t *amount)
{
	if (!enter_queue(demo.work, WORK_COND, 0))
		return false;
	*amount = load(demo.ring, load(demo.ring, TAKEN, RINGS) % RING, RINGS);
	leave_queue(demo.room, ROOM_COND, TAKEN);
	return true;
}

/* --- A transfer ----------------------------------------------------------- */

/* This process has the lock, and the last owner died with it. */
static void repair(void)
{
	int64_t left = load(demo.accounts, LEFT, ACCOUNTS);
	int64_t right = load(demo.accounts, RIGHT, ACCOUNTS);
	int64_t missing = TOTAL - left - right;

	say("has the lock and is told that its last owner died (token %lld)",
	    (long long)demo.row[MY_TOKEN]);
	store(demo.accounts, RIGHT, right + missing, ACCOUNTS);
	must(gosync_mutex_recover(demo.lock), "recover");
	say("found %lld + %lld, put the missing %lld back and recovered the lock",
	    (long long)left, (long long)right, (long long)missing);
	demo.row[MY_REPORTS]++;
}

static void move(const struct demo_config *cfg, int64_t amount)
{
	int64_t had[2];
	uint64_t until;
	int from;

	/* Only the lock makes these loads, the work and the stores one step. */
	had[LEFT] = load(demo.accounts, LEFT, ACCOUNTS);
	had[RIGHT] = load(demo.accounts, RIGHT, ACCOUNTS);
	if (had[LEFT] + had[RIGHT] != TOTAL)
		fail("has the lock and found %lld + %lld, which is not %d",
		     (long long)had[LEFT], (long long)had[RIGHT], TOTAL);
	from = had[LEFT] > had[RIGHT] ? LEFT : RIGHT;
	store(demo.accounts, from, had[from] - amount, ACCOUNTS);
	demo.row[MY_AMOUNT] = amount;
	publish_row();
	until = now_ns() + cfg->work_us * 1000ULL;
	while (now_ns() < until)
		;
	demo.row[MY_AMOUNT] = 0;
	publish_row();
	store(demo.accounts, !from, had[!from] + amount, ACCOUNTS);
}

static void transfer(const struct demo_config *cfg, int64_t amount)
{
	uint64_t token;
	int told;

	must(gosync_semaphore_acquire(demo.desks, 1), "acquire a desk");
	told = must(gosync_mutex_lock(demo.lock), "lock");
	must(gosync_mutex_token(demo.lock, &token), "token");
	demo.row[MY_TOKEN] = token;

	/* A delayed writer has a smaller fencing token, and is refused. */
	if ((int64_t)token <= load(demo.accounts, LARGEST_TOKEN, ACCOUNTS))
		fail("token %llu is not larger than the last",
		     (unsigned long long)token);
	if (told)
		repair();
	store(demo.accounts, LARGEST_TOKEN, token, ACCOUNTS);
	move(cfg, amount);
	must(gosync_mutex_unlock(demo.lock), "unlock");
	must(gosync_semaphore_release(demo.desks, 1), "release a desk");
	demo.row[LOCK]++;
	demo.row[DESKS]++;

	must(gosync_int64_add(demo.jobs, 0, 1, NULL), "add to jobs");
	demo.row[JOBS]++;
	demo.row[MY_JOBS]++;
}

/* --- What a process does -------------------------------------------------- */

static void done(void)
{
	demo.row[CREW]++;
	publish_row();
	must(gosync_waitgroup_done(demo.crew), "done");
}

int work(void)
{
	struct demo_config cfg = { };
	unsigned int seed = demo.me;
	int64_t amount;

	open_objects(0);
	demo.started = get_count(0, MY_START);
	set_up_once();
	say("is process %d and found the objects named %s.*", getpid(), demo.prefix);
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
