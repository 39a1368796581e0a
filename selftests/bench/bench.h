/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmarks share. See bench.c.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_PROCS	8
#define BENCH_WAITS	16384

#ifndef __aligned
#define __aligned(x)	__attribute__((aligned(x)))
#endif

/* Flags of gosync objects that are made once and opened later */
#define BENCH_PERSIST	\
	(GOSYNC_CREATE | GOSYNC_EXCL | GOSYNC_PERSIST | GOSYNC_IOCTL_ONLY)

struct run;

/**
 * struct bench - one implementation of one operation in one case
 * @op: what is measured
 * @kase: under which circumstances
 * @impl: by whom
 * @procs: how many processes work; 0 if @measure does it all
 * @ms: length of a round in milliseconds
 * @counted: also in the pass that counts instructions
 * @create: makes what the processes meet at, once; may be NULL
 * @destroy: takes it away again; may be NULL
 * @open: called first in each process; may be NULL
 * @enter: called after @open; may be NULL
 * @run: called in each process to rehearse and to be measured, returns when
 *	the time is over
 * @leave: called last in each process; may be NULL
 * @verify: called after each round: do the operations counted agree with what
 *	they did; may be NULL
 * @measure: instead of all these: returns bytes, or less than 0
 */
struct bench {
	const char *op;
	const char *kase;
	const char *impl;
	unsigned int procs;
	unsigned int ms;
	bool counted;
	int (*create)(struct run *r);
	void (*destroy)(struct run *r);
	int (*open)(struct run *r);
	int (*enter)(struct run *r);
	void (*run)(struct run *r);
	void (*leave)(struct run *r);
	bool (*verify)(struct run *r, uint64_t ops);
	double (*measure)(struct run *r);
};

/* The first fields of a bench */
#define BENCH_CASE(op_, case_, procs_, ms_, run_, ...)			\
	.op = op_, .kase = case_, .procs = procs_, .ms = ms_,		\
	.run = run_, __VA_ARGS__

/* Its processes meet in memory that they share. */
#define BENCH_SHARED(create_, open_)					\
	.create = create_, .open = open_, .destroy = bench_unshare

/*
 * Give the operation of an implementation the form that all have: it calls
 * @function with the @member of a union, and what follows.
 */
#define BENCH_CALL(name, union_, member, function, ...)			\
static __always_inline int name(union union_ u)				\
{									\
	return function(u.member, ##__VA_ARGS__);			\
}

/* One process's results of one round, in a cache line of its own. */
struct score {
	uint64_t ops __aligned(64);
	uint64_t begin;
	uint64_t end;
	uint32_t failed;
	uint32_t waits;
};

/* Shared by the processes of one bench; one line for each purpose. */
struct board {
	uint32_t clock __aligned(64);
	uint32_t round __aligned(64);
	uint32_t arrived __aligned(64);
	uint32_t stop __aligned(64);
	uint32_t last __aligned(64);
	uint64_t counter __aligned(64);
	struct score score[BENCH_PROCS];

	uint64_t wait[BENCH_WAITS];
};

/**
 * struct run - a bench in one process
 * @bench: which
 * @board: shared with its other processes
 * @score: this process's
 * @me: number of this process, from 0
 * @name: unlike that of any other bench; begins with a slash
 */
struct run {
	const struct bench *bench;
	struct board *board;
	struct score *score;
	unsigned int me;
	char name[48];
};

extern const struct bench mutex_benches[];
extern const struct bench rwmutex_benches[];
extern const struct bench waitgroup_benches[];
extern const struct bench once_benches[];
extern const struct bench cond_benches[];
extern const struct bench semaphore_benches[];
extern const struct bench map_benches[];
extern const struct bench value_benches[];
extern const struct bench atomic_benches[];
extern const struct bench object_benches[];
extern const struct bench poll_benches[];
extern const struct bench waitany_benches[];
extern const struct bench uring_benches[];

uint64_t bench_now(void);
uint64_t bench_time(const struct run *r);
void *bench_share(const struct run *r, size_t size, bool create);
void bench_unshare(struct run *r);
void bench_busy(uint64_t ns);
void bench_rest(uint64_t ns);
void bench_record(struct run *r, uint64_t ns);
void bench_wait(uint32_t *word, uint32_t expected);
void bench_wake(uint32_t *word, int count);
double bench_bytes_used(void);
double bench_bytes_each(unsigned int count, int (*make)(const char *name),
			int (*unlink)(const char *name));

static inline bool bench_stopped(const struct run *r)
{
	return __atomic_load_n(&r->board->stop, __ATOMIC_RELAXED);
}

/*
 * Where processes wait for each other, the one whose turn it is ends the
 * round: it tells the others before it wakes them.
 */
static inline bool bench_last(const struct run *r)
{
	return __atomic_load_n(&r->board->last, __ATOMIC_RELAXED);
}

static inline void bench_set_last(struct run *r)
{
	__atomic_store_n(&r->board->last, 1, __ATOMIC_RELAXED);
}

static inline void bench_begin(struct run *r)
{
	r->score->begin = bench_time(r);
}

static inline void bench_end(struct run *r, uint64_t ops, int failed)
{
	r->score->end = bench_time(r);
	r->score->ops = ops;
	r->score->failed = failed;
}

/*
 * The loop around every operation, so that all bear the same cost of it. The
 * operation assigns to `failed` whatever is not 0; it looks for the end of the
 * round once in a batch.
 *
 * What gives the operations of all implementations one form is __always_inline.
 * By itself gcc takes each line of a probe's text for an instruction, although
 * there is only one in it; so it would call gosync's fast paths in here.
 */
#define BENCH_LOOP(r, batch, ...)					\
do {									\
	uint64_t ops_ = 0;						\
	int failed = 0;							\
									\
	bench_begin(r);							\
	do {								\
		for (unsigned int i_ = 0; i_ < (batch); i_++) {		\
			__VA_ARGS__;					\
		}							\
		ops_ += (batch);					\
	} while (!bench_stopped(r));					\
	bench_end(r, ops_, failed);					\
} while (0)

/*
 * Two processes take turns: each awaits its turn, which is an operation, and
 * gives the other the next one. @mine is whose it is, between rounds too.
 */
#define BENCH_TURNS(r, mine, await, give)				\
do {									\
	uint64_t ops_ = 0;						\
	bool last_ = false;						\
	int failed = 0;							\
									\
	bench_begin(r);							\
	while (!last_ && !failed) {					\
		if (!(mine)) {						\
			await;						\
			(mine) = true;					\
			ops_++;						\
			if (bench_last(r))				\
				break;					\
		}							\
		last_ = bench_stopped(r);				\
		if (last_)						\
			bench_set_last(r);				\
		(mine) = false;						\
		give;							\
	}								\
	bench_end(r, ops_, failed);					\
} while (0)

#endif /* BENCH_H */
