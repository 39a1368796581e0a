/* SPDX-License-Identifier: GPL-2.0-only */
/* Tests that go on as long as they are told, and whose choices can be repeated */
#ifndef TORTURE_H
#define TORTURE_H

#include "gosync_test.h"

/* GOSYNC_TEST_SEED, or another each time; it is printed. */
static inline uint64_t torture_seed(void)
{
	const char *given = getenv("GOSYNC_TEST_SEED");
	/* xorshift makes nothing of 0. */
	uint64_t seed = (given ? strtoull(given, NULL, 0) : random_seed()) ?: 1;

	printf("# seed: %llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

/*
 * What a test has done, for torture.sh to add up: "N WHAT, N WHAT". Notes may
 * follow in ().
 */
#define FIGURES(format, ...) ksft_print_msg("figures: " format "\n", __VA_ARGS__)

/*
 * A test may take as much longer than others as it has been given. The harness
 * knows its tests when its own constructors have run.
 */
static inline int torture_main(int argc, char **argv)
{
	const char *seconds = getenv("GOSYNC_TEST_SECONDS");
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next)
		for (t = f->tests; t; t = t->next)
			t->timeout += seconds ? 2 * atoi(seconds) : 0;
	return test_harness_run(argc, argv);
}

#endif /* TORTURE_H */
