/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gosync trace and gosync report: declarations for all files of this folder, by
 * file. record.h and html.h have those that only two files share.
 *
 * record.c reads the kernel's events through tracefs; import.c reads an older
 * recording. Both make &struct trace_event in the order of time; symbols.c adds
 * processes and stacks. They pass the events to trace_feed() in waits.c, which
 * makes waits of them. Events and waits go on to the outputs: text and folded
 * stacks (trace.c), JSON lines (export.c), perfetto.c, pprof.c, and report.c.
 *
 * Objects, tasks, frames and stacks are created once and never freed.
 */
#ifndef GOSYNC_TOOL_TRACE_H
#define GOSYNC_TOOL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "gosync.h"

/* The kernel's events; trace_kinds[] has their names */
enum trace_kind {
	TRACE_CREATE,
	TRACE_OPEN,
	TRACE_UNLINK,
	TRACE_DESTROY,
	TRACE_STARVATION_BEGIN,
	TRACE_STARVATION_END,
	TRACE_OWNER_DIED,
	TRACE_RECOVERED,
	TRACE_RWMUTEX_DRAIN,
	TRACE_COND_WAIT,
	TRACE_ONCE_BEGIN,
	TRACE_ONCE_DONE,
	TRACE_ONCE_ABANDONED,
	TRACE_VALUE_STORE,
	TRACE_COND_SIGNAL,
	TRACE_WAITGROUP_ZERO,
	TRACE_MAP_GROW,
	TRACE_CONTENTION_BEGIN,
	TRACE_CONTENTION_END,
	TRACE_ACQUIRED,
	TRACE_WAKE,
	TRACE_KINDS,
};

/* How an object was acquired, as the kernel's gosync_how */
enum {
	TRACE_BARGED,
	TRACE_WOKEN,
	TRACE_HANDED_OVER,
};

/* The names of the kernel without "gosync_" */
extern const char * const trace_kinds[TRACE_KINDS];
extern const char * const trace_wants[3];
extern const char * const trace_hows[3];

/* The statistics of an object; @wait_ns is as the kernel counts it */
struct trace_stats {
	uint64_t acquired;	/* waits that ended in a grant */
	uint64_t handed_over;	/* waits of these that were handed it */
	uint64_t gave_up;
	uint64_t unfinished;
	uint64_t barged;	/* acquired without a wait while there were waiters */
	uint64_t wait_ns;	/* of waits that ended in a grant */
	uint64_t other_ns;	/* of waits that did not */
	uint64_t wait_max_ns;	/* of all waits */
	uint64_t starvations;
	uint64_t deaths;
	uint64_t recoveries;
	uint64_t histogram[GOSYNC_HISTOGRAM];
};

struct trace_object {
	uint64_t id;
	unsigned int type;
	unsigned int number;	/* from 0, in the order of appearance */
	struct trace_object *next;
	struct trace_stats stats;
	uint64_t starving_since;	/* 0: it isn't */
	unsigned int waiting;	/* now */
	void *data;		/* an output's */
	size_t name_len;
	char name[GOSYNC_NAME_MAX + 1];
};

struct trace_task {
	pid_t tid;
	pid_t pid;
	char comm[16];
	bool seen;		/* an output's */
};

/* A place in the code; file is NULL in the kernel */
struct trace_frame {
	struct trace_file *file;
	uint64_t address;	/* in the file as it is linked; in the kernel */
	const char *function;	/* valid after trace_named(), as are the next two */
	const char *source;	/* may be NULL */
	int line;
	unsigned int number;	/* an output's, 0: none yet */
};

/*
 * The frame with its function (or a substitute) and source. They are looked up
 * at the first call, as reading the symbols of a program takes long. While
 * recording, a process could end before its mappings are read.
 */
const struct trace_frame *trace_named(struct trace_frame *frame);

struct trace_file {
	const char *path;
	uint64_t start, limit, offset;	/* of its code, as it is linked */
	char build_id[48];
	unsigned int number;	/* an output's, 0: none yet */
	void *module;		/* symbols.c's */
};

/* Innermost first */
struct trace_stack {
	unsigned int depth;
	struct trace_frame *frames[];
};

struct trace_event {
	uint64_t time;		/* CLOCK_MONOTONIC, in ns */
	enum trace_kind kind;
	struct trace_object *object;
	struct trace_task *task;	/* the running one */
	struct trace_task *other;	/* begin: the owner; wake: the woken task */
	const struct trace_stack *stack;	/* begin: or NULL */
	uint64_t token;
	uint32_t holder;
	uint32_t owner;		/* begin: its holder */
	uint8_t wants;		/* begin */
	uint8_t how;		/* acquired, wake */
	uint64_t count;		/* acquired: the wait in ns; others: their count */
	int ret;		/* end */
};

struct trace_wait {
	struct trace_object *object;
	struct trace_task *task;
	struct trace_task *owner;	/* the owner at the beginning, or NULL */
	struct trace_task *waker;	/* the task that ended the wait, or NULL */
	const struct trace_stack *stack;
	uint64_t begin;		/* 0: not yet begun */
	uint64_t woken;		/* 0: it was not woken */
	uint64_t end;
	uint64_t ns;		/* as the kernel's statistics count it */
	uint64_t token;
	uint32_t holder;
	uint32_t owner_holder;
	uint8_t wants;
	uint8_t how;
	bool unfinished;	/* when the recording ended */
	int ret;
};

/* Figures of the recording as a whole */
struct trace_summary {
	uint64_t begin, end;
	uint64_t events;
	uint64_t lost;
};

struct trace_output {
	void (*event)(const struct trace_event *event);
	void (*wait)(const struct trace_wait *wait);
	/* Return: exit status */
	int (*end)(const struct trace_summary *summary);
};

/* --- waits.c: from events to waits --------------------------------------- */

/* All objects, in the order of their appearance */
extern struct trace_object *trace_objects;
extern unsigned int nr_trace_objects;

void trace_add_output(const struct trace_output *output);
struct trace_object *trace_object(uint64_t id, unsigned int type,
				  const char *name, size_t len);
void trace_feed(const struct trace_event *event);

/**
 * trace_end() - end the outputs after the last event
 * @summary: of the recording
 *
 * Return: 0, or 1, after a message, if an output could not be written.
 */
int trace_end(const struct trace_summary *summary);

/**
 * trace_blocker() - the task that a wait was for
 * @wait: the wait
 *
 * Return: the owner at the beginning of the wait. If there was none, or if the
 * waiter is the owner (a writer that waits for readers): the task that ended the
 * wait, or NULL.
 */
struct trace_task *trace_blocker(const struct trace_wait *wait);

/* An array of all objects, the longest total wait first */
struct trace_object **trace_objects_by_cost(void);

/* --- waits.c: sums of waits by task, blocker and stack ------------------- */

/* A group of waits, and the time that they took together */
struct trace_sum {
	const struct trace_object *object;
	const struct trace_task *task;		/* or NULL: not told apart */
	const struct trace_task *blocker;
	const struct trace_stack *stack;
	uint64_t count;
	uint64_t ns;
};

struct trace_sums {
	void *root;
	size_t nr;
};

/* Add a wait of @ns to the sum of the waits like @alike. */
void trace_sum(struct trace_sums *sums, const struct trace_sum *alike,
	       uint64_t ns);

/* The sums as an array, the largest first */
struct trace_sum *trace_sums_by_cost(const struct trace_sums *sums);

/* --- symbols.c: processes and stacks ------------------------------------- */

/* @comm: NULL to ask the system */
struct trace_task *trace_task(pid_t tid, pid_t pid, const char *comm);

/* The task has opened an object, so it may run another program now. */
void trace_task_changed(struct trace_task *task);

/*
 * Call it before trace_stack(), and before the recording begins, as it takes
 * long.
 */
void trace_read_kernel_symbols(void);

/**
 * trace_stack() - the stack of a task
 * @pid: its process
 * @kernel: addresses in the kernel
 * @nr_kernel: how many
 * @user: addresses in its program
 * @nr_user: how many
 *
 * Return: NULL if there is nothing useful in it.
 */
const struct trace_stack *trace_stack(pid_t pid, const uint64_t *kernel,
				      unsigned int nr_kernel,
				      const uint64_t *user,
				      unsigned int nr_user);

/* A stack of which only the functions are known, innermost first */
const struct trace_stack *trace_stack_named(const char **functions,
					    const bool *kernel,
					    unsigned int depth);

/* --- record.c ------------------------------------------------------------ */

struct record_options {
	double seconds;		/* 0: until it is interrupted */
	char **command;		/* or while this runs; NULL */
	char **names;		/* NULL-terminated */
	size_t buffer_kib;	/* for each processor */
	int output;		/* what standard output is to be, or -1 */
	bool stacks;
	bool progress;
};

/**
 * record() - record, and pass the events to trace_feed()
 * @options: how
 * @summary: out: the figures of the recording
 *
 * Ends the program, with advice, if it fails.
 *
 * Return: the command's exit status, 0 without one.
 */
int record(const struct record_options *options, struct trace_summary *summary);

/* --- import.c ------------------------------------------------------------ */

/**
 * import() - read a recording, and pass its events to trace_feed()
 * @path: its name, - for standard input
 * @summary: out: the figures of the recording
 *
 * Ends the program if there is no recording.
 */
void import(const char *path, struct trace_summary *summary);

/* --- export.c, perfetto.c, pprof.c: outputs ------------------------------ */

/* Write a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void json_string(FILE *f, const char *s, size_t len);
void json_name(FILE *f, const struct trace_object *object);
void json_comm(FILE *f, const struct trace_task *task);

/* The name as a terminal can show it; good until the next call */
const char *object_text(const struct trace_object *object);

/* Open a file for writing, or end the program. */
FILE *trace_create(const char *path);

/* Close the file. Return: 0, or 1, after a message, if writing failed. */
int trace_close(FILE *f, const char *path);

extern const struct trace_output export_output;

const struct trace_output *perfetto_output(const char *path);
const struct trace_output *pprof_output(const char *path);

#endif /* GOSYNC_TOOL_TRACE_H */
