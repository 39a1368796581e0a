/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that writes to mapped words what makes the most trouble. */
#ifndef SCRIBBLE_H
#define SCRIBBLE_H

#include "gosync_test.h"

/* A word that makes the most trouble: near to what might be true */
static inline uint64_t nasty(uint64_t *seed)
{
	uint64_t word = random_u32(seed) & 0x3f;

	switch (random_u32(seed) % 4) {
	case 0:
		return word | (uint64_t)(random_u32(seed) % 12) <<
			GOSYNC_MUTEX_OWNER_SHIFT;
	case 1:
		return word;
	case 2:
		return 0;
	default:
		return (uint64_t)random_u32(seed) << 32 | random_u32(seed);
	}
}

static inline pid_t spawn_scribbler(volatile uint64_t *from, size_t words)
{
	uint64_t seed = random_seed();
	pid_t pid = spawn();

	if (pid)
		return pid;
	for (;;)
		from[random_u32(&seed) % words] = nasty(&seed);
}

/* One that anybody may use */
static inline int create(uint32_t type, const char *name)
{
	return open_object(type, name, GOSYNC_CREATE, 0606);
}

#endif /* SCRIBBLE_H */
