/* SPDX-License-Identifier: GPL-2.0-only */
/* Workers that are killed at random moments, and others that take their places */
#ifndef KILLS_H
#define KILLS_H

#include "gosync_test.h"

/*
 * The parent of @count processes, which do @work, each with a number of its own,
 * until the test's time is over and @progress is not 0. @killed, if there is
 * one, is told of each whose number is free. Return: how many were killed.
 */
static inline unsigned int kill_at_random(pid_t *pids, unsigned int count,
					  void (*work)(void *arg, unsigned int me),
					  void (*killed)(void *arg, unsigned int me),
					  const unsigned int *progress, void *arg)
{
	uint64_t end = end_of_budget(), seed = random_seed();
	unsigned int i, kills = 0;

	for (i = 0; i < count; i++)
		pids[i] = CHILD((work(arg, i), 0));
	do {
		sleep_ns(random_u32(&seed) % (2 * NSEC_PER_MSEC));
		i = random_u32(&seed) % count;
		MUST(kill_and_reap(pids[i]) == 128 + SIGKILL);
		kills++;
		if (killed)
			killed(arg, i);
		pids[i] = CHILD((work(arg, i), 0));
	} while (budget_left(end) || !load(progress));
	return kills;
}

#endif /* KILLS_H */
