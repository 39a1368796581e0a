/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The graph of waits between processes: graph.c builds it, deadlocks.c prints
 * its knots.
 */
#ifndef GOSYNC_GRAPH_H
#define GOSYNC_GRAPH_H

#include <stdbool.h>

#include "gosync.h"
#include "sharers.h"

/*
 * Which processes count as stuck: those that never go on; also those that a
 * deadline frees; also those that another, running thread may free.
 */
enum certainty { CERTAIN, UNTIL_DEADLINE, POSSIBLE, CERTAINTIES };

/* An object that has waiters */
struct contended {
	struct gosync_info info;
	struct gosync_party *waiters;
	struct gosync_party *holders;	/* that own or hold something of it */
	int nr_waiters;
	int nr_holders;
};

struct waits {
	const struct contended *object;
	const struct gosync_party *party;
	bool stuck;
};

/* A process and its parent */
struct relative {
	uint32_t pid;
	uint32_t parent;
};

/* A process with a thread that waits, or that waits for such a child to end */
struct process {
	uint32_t pid;
	int nr_threads;			/* -1: unknown */
	bool is_parent;
	uint32_t child;			/* it waits for this child; 0: for any */
	int nr_waits;
	struct waits *waits;
	bool stuck;
	int knot;			/* the number of its knot, 0: none */
	int order, low;			/* for the search of knots */
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
 * graph_look() - build the graph
 * @graph: where to put it; graph_free() it
 *
 * Return: 0 or -errno.
 */
int graph_look(struct graph *graph);

/**
 * graph_confirm() - look again, and keep only the unchanged parts of the graph
 * @graph: from graph_look() some time ago
 *
 * These parts were true all the time between the two looks.
 *
 * Return: 0 or -errno.
 */
int graph_confirm(struct graph *graph);

/**
 * graph_solve() - find the stuck processes
 * @graph: the graph
 * @certainty: which processes count as stuck
 *
 * Sets &process.stuck and &process.knot.
 *
 * Return: the number of knots.
 */
int graph_solve(struct graph *graph, enum certainty certainty);

/**
 * graph_process() - find a process
 * @graph: the graph
 * @pid: its number
 *
 * Return: the process, NULL if it does not wait.
 */
struct process *graph_process(const struct graph *graph, uint32_t pid);

/**
 * graph_blockers() - the holders that a wait is for
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
 * graph_sharers() - the processes that can act for a holder
 * @graph: the graph
 * @object: the object
 * @holder: a holder of the object
 * @nr: out: their number
 *
 * Return: the first of them; they stand in a row.
 */
const struct sharer *graph_sharers(const struct graph *graph,
				   const struct contended *object,
				   uint32_t holder, int *nr);

/**
 * graph_children() - the children that a process waits for
 * @graph: the graph
 * @process: the process
 * @nr: out: their number, 0 if it does not wait for children
 *
 * Return: the first of them; they stand in a row.
 */
const struct relative *graph_children(const struct graph *graph,
				      const struct process *process, int *nr);

void graph_free(struct graph *graph);

#endif /* GOSYNC_GRAPH_H */
