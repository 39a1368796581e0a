/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gosync demo: what the files of this folder share. demo.c tells the story.
 */
#ifndef GOSYNC_DEMO_H
#define GOSYNC_DEMO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gosync.h"

#define PATIENCE	(20 * NSEC_PER_SEC)	/* after it the demonstration fails */

#define MAX_WORKERS	64
#define TOTAL		1000			/* the sum of both accounts */
#define RING		16			/* room in the queue of jobs */

struct demo_config {
	uint32_t number;
	uint32_t work_us;	/* between taking and giving */
	uint32_t pause_us;	/* from one transfer to the next */
	uint32_t most;		/* the largest amount to move */
};

#define CONFIG_TYPE	GOSYNC_TYPE_ID(struct demo_config)

/* The values of phase */
enum { PREPARE, WORK, STOP };

/* Words of index: the check must be the number times INDEX_FACTOR. */
enum { INDEX_NUMBER, INDEX_CHECK, INDEX_WORDS };
#define INDEX_FACTOR	7

/* Words of accounts */
enum { LEFT, RIGHT, LARGEST_TOKEN, ACCOUNT_WORDS };

/* Words of ring: RING amounts, then the numbers of jobs put in and taken out */
enum { PUT = RING, TAKEN, RING_WORDS };

/*
 * The fields of a row: first the number of operations that this process did on
 * each object, in the order of the table that the demonstration prints.
 */
enum {
	SETUP, CREW, PHASE, CONFIG, RULES, INDEX, QUEUE, WORK_COND, ROOM_COND,
	RINGS, DESKS, LOCK, ACCOUNTS, JOBS, RESULTS,
	OBJECTS,
	/* then its results */
	MY_JOBS = OBJECTS,	/* what it added to jobs */
	MY_REPORTS,		/* how often it was told of a death */
	MY_SETUPS,		/* how often it set up */
	MY_LOOKS,		/* how often it looked at the index */
	MY_CONFIG,		/* number of the configuration it works by */
	MY_TOKEN,		/* fencing token of its last acquisition */
	MY_START,		/* parent: when the demo began */
	MY_AMOUNT,		/* taken and not yet given; the last to be stored */
	ROW
};

/*
 * struct demo: the demonstration, as this process knows it
 *
 * @me: 0 for the parent, then come the workers, then the clerk
 * @workers: how many workers there are; the clerk has the number after theirs
 * @pids: of the workers and the clerk; only the parent fills them in
 * @prefix: with it the names of the objects begin
 * @quiet: say() prints nothing
 * @started: when the demonstration began, on now_ns()'s clock
 * @row: this process's counters
 *
 * The other fields are the objects. The comment in demo.c tells what each is
 * for.
 */
struct demo {
	int me;
	int workers;
	pid_t pids[MAX_WORKERS + 2];
	char prefix[32];
	bool quiet;
	uint64_t started;
	int64_t row[ROW];
	gosync_once_t *setup;
	gosync_waitgroup_t *crew;
	gosync_int32_t *phase;
	gosync_value_t *config;
	gosync_rwmutex_t *rules;
	gosync_int64_t *index;
	gosync_mutex_t *queue;
	gosync_cond_t *work;
	gosync_cond_t *room;
	gosync_int64_t *ring;
	gosync_semaphore_t *desks;
	gosync_mutex_t *lock;
	gosync_int64_t *accounts;
	gosync_int64_t *jobs;
	gosync_map_t *results;
};

/* --- shared.c: for the parent, the workers and the clerk ----------------- */

extern struct demo demo;

void snooze(uint64_t ns);

/* Print a line with the time and the name of this process. */
__attribute__((format(printf, 1, 2)))
void say(const char *format, ...);

/* Print such a line to standard error, and end the program. */
__attribute__((format(printf, 1, 2), noreturn))
void fail(const char *format, ...);

/* fail() if @ret is an error. Return: @ret. */
int must(int ret, const char *what);

/* End the program with a message if @ret is an error. */
void or_die(int ret, const char *what);

void kill_workers(void);

/* Load and store one of the words of @object, and count that in its row. */
int64_t load(gosync_int64_t *words, int i, int object);
void store(gosync_int64_t *words, int i, int64_t now, int object);

/* The name of an object with its prefix; good until the next call */
const char *full_name(int object);

void open_objects(unsigned int flags);
void set_up_once(void);

/* Publish this process's row; read a field of another's; add up all of them. */
void publish_row(void);
int64_t get_count(int process, int field);
int64_t sum_counts(int field);

/* --- parent.c, worker.c: what a process does ----------------------------- */

int conduct(int seconds);
int work(void);

/* --- deadlock.c, contended.c: the other demonstrations ------------------- */

/**
 * struct demo_deadlock - the deadlock to show
 * @philosophers: the number of processes
 * @deadline: the first process waits only for this many seconds; 0: for ever
 * @threads: each process has a second thread that does not wait
 */
struct demo_deadlock {
	int philosophers;
	int deadline;
	bool threads;
};

/* These two use nothing of struct demo. */
int demo_deadlock(const struct demo_deadlock *how);
int demo_contended(int seconds, bool fixed);

#endif /* GOSYNC_DEMO_H */
