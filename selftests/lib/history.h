/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histories: what several processes did, and when each operation began and ended.
 * A history is right (linearizable) if there is one order of the operations that
 * a simple object could have had. The order keeps that of operations which did
 * not overlap. The checker tries each operation that may come next, goes back
 * where that leads nowhere, and remembers what it has tried (Wing and Gong).
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "gosync_test.h"

/**
 * struct op - an operation
 * @began: when it began, by any clock that all share
 * @ended: when it ended; 0: its process was killed, so it happened or did not
 * @what: which
 * @key: of a Map
 * @value: what it was given; values are numbers other than 0
 * @expected: what a compare-and-swap was to find
 * @old: what it saw, 0: nothing
 * @ret: what it returned
 */
struct op {
	uint64_t began, ended;
	uint32_t what, key, value, expected;
	uint32_t old;
	int ret;
};

/* What a simple object is; a Map has a value for each of its keys. */
struct state {
	uint64_t values[2];
};

/*
 * Could a simple object have answered so? And what is its @state then? Of an
 * operation that did not end, any answer is right.
 */
typedef bool (*apply_t)(struct state *state, const struct op *op);

/* What has been done, and the state, from where there is no way to the end */
struct tried {
	struct {
		uint32_t done;
		struct state state;
	} dead_ends[1 << 14];
	unsigned int count;
};

static inline bool is_dead_end(const struct tried *tried, uint32_t done,
			       const struct state *state)
{
	unsigned int i;

	for (i = 0; i < tried->count; i++)
		if (tried->dead_ends[i].done == done &&
		    !memcmp(&tried->dead_ends[i].state, state, sizeof(*state)))
			return true;
	return false;
}

static inline bool has_order(const struct op *ops, unsigned int n, uint32_t done,
			     const struct state *state, apply_t apply,
			     struct tried *tried)
{
	uint64_t first_end = UINT64_MAX;
	bool complete = true;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (done >> i & 1 || !ops[i].ended)
			continue;
		complete = false;
		if (ops[i].ended < first_end)
			first_end = ops[i].ended;
	}
	if (complete)
		return true;
	if (is_dead_end(tried, done, state))
		return false;
	for (i = 0; i < n; i++) {
		struct state next = *state;

		/* Not after one that had ended before it began */
		if (done >> i & 1 || ops[i].began > first_end)
			continue;
		if (apply(&next, &ops[i]) &&
		    has_order(ops, n, done | 1U << i, &next, apply, tried))
			return true;
	}
	if (tried->count < ARRAY_SIZE(tried->dead_ends)) {
		tried->dead_ends[tried->count].done = done;
		tried->dead_ends[tried->count++].state = *state;
	}
	return false;
}

/* Of up to 32 operations on an object that is as @state says before the first */
static inline bool is_linearizable(const struct op *ops, unsigned int n,
				   struct state state, apply_t apply)
{
	static struct tried tried;

	tried.count = 0;
	return has_order(ops, n, 0, &state, apply, &tried);
}

#endif /* HISTORY_H */
