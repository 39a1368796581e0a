// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs the tests that are linked with this, or those whose names are arguments.
 */
#include "test.hpp"
#include "programs.hpp"

#include <cstring>

static bool wanted(const char *name, int argc, char **argv)
{
	if (argc < 2)
		return true;
	for (int i = 1; i < argc; i++)
		if (!std::strcmp(name, argv[i]))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	int number = 0, failed = 0;

	if (argc > 2 && !std::strcmp(argv[1], "--program"))
		return run_program(argv[2], argc > 3 ? argv[3] : "");
	std::printf("TAP version 13\n1..%zu\n", tests().size());
	for (const test &t : tests()) {
		number++;
		if (!wanted(t.name, argc, argv)) {
			std::printf("ok %d %s # SKIP not asked for\n", number, t.name);
			continue;
		}
		std::fflush(stdout);
		process p(t.run);
		const bool good = p.ok();

		failed += !good;
		std::printf("%sok %d %s\n", good ? "" : "not ", number, t.name);
		std::fflush(stdout);
	}
	return failed != 0;
}
