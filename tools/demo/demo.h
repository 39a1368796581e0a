/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gosync demo: what its processes have in common. See demo.c for the story.
 */
#ifndef GOSYNC_DEMO_H
#define GOSYNC_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "gosync.h"

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL
#define PATIENCE	(20 * NSEC_PER_SEC)	/* until something must have happened */

#define MAX_WORKERS	64
#define TOTAL		1000			/* the sum of both accounts */
#define RING		16			/* room in the queue of jobs */

struct demo_config {
	uint32_t number;
	uint32_t work_us;	/* between taking and giving */
	uint32_t pause_us;	/* from one transfer to the next */
	uint32_t most;		/* largest amount to move */
};

#define CONFIG_TYPE	GOSYNC_TYPE_ID(struct demo_config)

/* What phase may be */
enum { PREPARE, WORK, STOP };

/* Words of index: the second is the first times INDEX_FACTOR, or it is wrong */
enum { INDEX_NUMBER, INDEX_CHECK, INDEX_WORDS };
#define INDEX_FACTOR	7

/* Words of accounts */
enum { LEFT, RIGHT, LARGEST_TOKEN, ACCOUNT_WORDS };

/* Words of ring: the amounts, and how many were put in and taken out */
enum { PUT = RING, TAKEN, RING_WORDS };

/* The objects of the table, and how often this process operated each */
enum {
	SETUP, CREW, PHASE, CONFIG, RULES, INDEX, QUEUE, WORK_COND, ROOM_COND,
	RINGS, DESKS, LOCK, ACCOUNTS, JOBS, RESULTS,
	OBJECTS,
	/* and what came of it */
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

/* This process: 0 is the parent, then come the workers, then the clerk. */
extern int me;
extern int workers;
extern char prefix[32];
extern bool quiet;
extern uint64_t started;
extern int64_t row[ROW];

extern gosync_once_t *setup;
extern gosync_waitgroup_t *crew;
extern gosync_int32_t *phase;
extern gosync_value_t *config;
extern gosync_rwmutex_t *rules;
extern gosync_int64_t *index_words;
extern gosync_mutex_t *queue;
extern gosync_cond_t *work_cond;
extern gosync_cond_t *room_cond;
extern gosync_int64_t *ring;
extern gosync_semaphore_t *desks;
extern gosync_mutex_t *lock;
extern gosync_int64_t *accounts;
extern gosync_int64_t *jobs;
extern gosync_map_t *results;

uint64_t now(void);
void snooze(uint64_t ns);

__attribute__((format(printf, 1, 2)))
void say(const char *format, ...);

__attribute__((format(printf, 1, 2), noreturn))
void fail(const char *format, ...);

/* For calls that should succeed */
int must(int ret, const char *what);

/* What a worker and the parent do with words; @object is whose row they count */
int64_t load(gosync_int64_t *words, int i, int object);
void store(gosync_int64_t *words, int i, int64_t now, int object);

void open_objects(unsigned int flags);
void set_up_once(void);

/* Make this process's record readable to the others, and read theirs. */
void publish_row(void);
int64_t get_count(int who, int what);

int work(void);

/**
 * struct demo_deadlock - what deadlock is wanted
 * @philosophers: of how many processes
 * @deadline: if not 0, the first waits only so many seconds
 * @threads: each has a thread that does something else
 */
struct demo_deadlock {
	int philosophers;
	int deadline;
	bool threads;
};

/* The other demos, which use nothing of the above */
int demo_deadlock(const struct demo_deadlock *how);
int demo_contended(int seconds, bool fixed);

#endif /* GOSYNC_DEMO_H */
