/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who waits for whom, across processes. See graph.c for what is believed when.
 */
#ifndef GOSYNC_GRAPH_H
#define GOSYNC_GRAPH_H

#include <stdbool.h>

#include "gosync.h"
#include "sharers.h"

/*
 * What to take for stuck: who will never go on; also who will at a deadline;
 * also who will if another thread, of which nothing is known, lets go of it.
 */
enum certainty { CERTAIN, UNTIL_DEADLINE, POSSIBLE, CERTAINTIES };

/* An object that somebody waits for */
struct contended {
	struct gosync_info info;
	struct gosync_party *waiters;
	struct gosync_party *holders;	/* who own or hold something of it */
	int nr_waiters;
	int nr_holders;
};

struct waits {
	const struct contended *object;
	const struct gosync_party *party;
	bool stuck;
};

/* A process and whose child it is */
struct relative {
	uint32_t pid;
	uint32_t parent;
};

/* A process of which a thread waits, or that waits for such a child to end */
struct process {
	uint32_t pid;
	int nr_threads;			/* -1: it isn't known how many */
	bool is_parent;
	uint32_t child;			/* for this one; 0: for any */
	int nr_waits;
	struct waits *waits;
	bool stuck;
	int knot;			/* the same number for all of it, 0: none */
	int order, low;			/* while knots are looked for */
	bool open;
};

struct graph {
	struct contended *objects;
	int nr_objects;
	struct waits *waits;
	int nr_waits;
	struct process *processes;	/* by pid */
	int nr_processes;
	struct sharers sharers;
	struct relative *family;	/* by parent */
	int nr_family;
	int nr_knots;
};

/**
 * graph_look() - look at everything that somebody waits for
 * @graph: where to put it; graph_free() it
 *
 * Return: 0 or -errno.
 */
int graph_look(struct graph *graph);

/**
 * graph_confirm() - look again, and keep only what is the same
 * @graph: from graph_look() some time ago
 *
 * What is left was so at one moment, and all the time in between.
 *
 * Return: 0 or -errno.
 */
int graph_confirm(struct graph *graph);

/**
 * graph_solve() - find out who is stuck
 * @graph: the graph
 * @certainty: what counts
 *
 * Return: how many knots there are; &process.stuck and &process.knot tell more.
 */
int graph_solve(struct graph *graph, enum certainty certainty);

/**
 * graph_process() - find a process
 * @graph: the graph
 * @pid: its number
 *
 * Return: it, NULL if it does not wait.
 */
struct process *graph_process(const struct graph *graph, uint32_t pid);

/**
 * graph_blockers() - who has what a wait is for
 * @waits: the wait
 * @fn: called for each holder; a return other than 0 ends it
 * @arg: passed on to @fn
 *
 * Return: 0 or what @fn returned.
 */
int graph_blockers(const struct waits *waits,
		   int (*fn)(const struct gosync_party *holder, void *arg),
		   void *arg);

/**
 * graph_sharers() - what processes can act for a holder
 * @graph: the graph
 * @object: of this object
 * @holder: the holder
 * @nr: where to put how many there are
 *
 * Return: the first of them; they stand in a row.
 */
const struct sharer *graph_sharers(const struct graph *graph,
				   const struct contended *object,
				   uint32_t holder, int *nr);

/**
 * graph_children() - what children a process waits for
 * @graph: the graph
 * @process: the process
 * @nr: where to put how many there are, 0 if it does not wait for any
 *
 * Return: the first of them; they stand in a row.
 */
const struct relative *graph_children(const struct graph *graph,
				      const struct process *process, int *nr);

void graph_free(struct graph *graph);

#endif /* GOSYNC_GRAPH_H */
