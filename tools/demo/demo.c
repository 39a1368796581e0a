// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync demo: processes that know only names of each other.
 *
 * The parent creates named objects and starts itself again, by fork and exec,
 * as workers and a clerk, which share no memory and no descriptor with it:
 *
 *   setup     a Once: the first process fills the accounts
 *   crew      a WaitGroup: the parent waits until all have started, and in the
 *             end until all are done
 *   phase     int32: begin, stop
 *   config    a Value: how to work; published, and later replaced
 *   rules     an RWMutex: all read the index under it, the parent changes it
 *   index     int64[2]: the number of the present configuration, and a check
 *   queue     a Mutex, with two Conds, work and room: the clerk puts jobs in, and
 *             waits for room; workers take them out, and wait for work
 *   ring      int64[]: the jobs in the queue
 *   desks     a Semaphore: only some workers are at the accounts at a time
 *   lock      a Mutex: for the next object
 *   accounts  int64[3]: two accounts whose sum never changes, and the largest
 *             fencing token that was used on them
 *   jobs      int64: counts the jobs that are done
 *   results   a Map: the record of each process by its name, which remains when
 *             the process is killed
 *
 * A job is to move an amount from one account to the other under the lock. A
 * store takes it, some work follows, and a second store gives it. The parent
 * watches the lock's owner through GOSYNC_IOC_INFO and kills one worker between
 * those two stores. The worker does not help: it is stopped (SIGSTOP) at a
 * random moment, and continued if that was not the right one. It leaves a job
 * undone, an account wrong, a lock locked and a desk occupied.
 *
 * No object is GOSYNC_PERSIST, so the objects go with the last process, and the
 * processes go with the parent (PR_SET_PDEATHSIG). Nothing is left behind,
 * however the demonstration ends.
 */
#include <stdio.h>
#include <unistd.h>

#include "demo.h"

static int seconds;
static bool contended, fixed;
static struct demo_deadlock deadlock;

enum {
	KEY_WORKER = 256, KEY_PREFIX, KEY_DEADLOCK, KEY_DEADLINE, KEY_THREADS,
	KEY_CONTENDED, KEY_FIXED
};

static error_t demo_parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'w':
		demo.workers = parse_number(state, arg, "WORKERS", 2,
					    MAX_WORKERS);
		return 0;
	case 's':
		seconds = parse_number(state, arg, "SECONDS", 1, 86400);
		return 0;
	case 'q':
		demo.quiet = true;
		return 0;
	case KEY_WORKER:
		demo.me = parse_number(state, arg, "N", 1, MAX_WORKERS + 1);
		return 0;
	case KEY_PREFIX:
		snprintf(demo.prefix, sizeof(demo.prefix), "%s", arg);
		return 0;
	case KEY_DEADLOCK:
		deadlock.philosophers = parse_number(state, arg, "N", 1,
						     MAX_WORKERS);
		return 0;
	case KEY_DEADLINE:
		deadlock.deadline = parse_number(state, arg, "SECONDS", 1,
						 86400);
		return 0;
	case KEY_THREADS:
		deadlock.threads = true;
		return 0;
	case KEY_FIXED:
		fixed = true;
		contended = true;
		return 0;
	case KEY_CONTENDED:
		contended = true;
		return 0;
	case ARGP_KEY_END:
		if (contended && deadlock.philosophers)
			argp_error(state, "--contended and --deadlock exclude each other");
		if (!seconds)
			seconds = contended ? 10 : 3;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int demo_main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "workers", 'w', "WORKERS", 0, "number of workers (4)", 0 },
		{ "seconds", 's', "SECONDS", 0,
		  "run for SECONDS (3; with --contended 10)", 0 },
		{ "quiet", 'q', NULL, 0, "print only the results", 0 },
		{ "contended", KEY_CONTENDED, NULL, 0,
		  "run another demonstration: a slow shop, to find out why it is slow", 1 },
		{ "fixed", KEY_FIXED, NULL, 0, "run the same shop without its mistakes", 1 },
		{ "deadlock", KEY_DEADLOCK, "N", 0,
		  "run a third demonstration: N processes wait for each other", 1 },
		{ "deadline", KEY_DEADLINE, "SECONDS", 0,
		  "the first process waits only for SECONDS", 1 },
		{ "threads", KEY_THREADS, NULL, 0,
		  "each process has another thread, which does not wait", 1 },
		{ "worker", KEY_WORKER, "N", OPTION_HIDDEN, NULL, 0 },
		{ "prefix", KEY_PREFIX, "PREFIX", OPTION_HIDDEN, NULL, 0 },
		{ }
	};
	static const struct argp argp = {
		.options = options,
		.parser = demo_parse,
		.doc = "Workers find jobs, a configuration and locks by name, and use them.\n"
		       "The configuration changes, and one worker is killed while it has the lock.\n"
		       "The command fails if the data under the lock is wrong in the end.",
	};

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	close(device_open());
	if (deadlock.philosophers)
		return demo_deadlock(&deadlock);
	if (contended)
		return demo_contended(seconds, fixed);
	return demo.me ? work() : conduct(seconds);
}
