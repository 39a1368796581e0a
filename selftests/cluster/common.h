/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of a cluster have in common: results, meetings, and the monitor, a
 * server at node 1 that everybody tells who is inside, and that believes nobody's lock.
 */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_NODES	9

/* Processes of a node that compete */
#define WORKERS		3

/* This node, and how many there are */
extern int self, nodes;

/**
 * struct report - what the monitor has seen
 * @entered: how often somebody went in alone
 * @read: how often somebody went in to read
 * @by_node: of these, by node
 * @violations: somebody went in where he must not, or with a token that was not the
 *	largest
 * @nodes_inside: the most nodes that read at the same time
 * @last_token: the last token
 */
struct report {
	uint64_t entered;
	uint64_t read;
	uint64_t by_node[MAX_NODES + 1];
	uint64_t violations;
	uint64_t nodes_inside;
	uint64_t last_token;
};

/* What it is told */
#define ENTERS	'E'
#define LEAVES	'L'
#define READS	'R'
#define HAS_READ 'r'
#define REPORTS	'?'

void begin(const char *what);
int end(void);
bool ok(bool good, const char *name);
void meet(const char *name, const char *which);
void lose_power(void);
void go_on_without(int node, const char *left);
bool is_asked_to_end(void);
int wait_for(pid_t pid);
bool run_workers(void (*work)(int times), int times);
void test_each_has_its_share(void (*work)(int times));
pid_t start_holder(void (*hold)(void));
void kill_holder(pid_t pid);
pid_t start_monitor(void);
int to_monitor(void);
struct report ask(int fd, char what, uint64_t token);

#endif /* COMMON_H */
