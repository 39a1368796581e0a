/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this program does when a test has executed it anew
 */
#ifndef GOSYNC_PROGRAMS_HPP
#define GOSYNC_PROGRAMS_HPP

#include "test.hpp"

#include <cstring>

/* Return: the exit status */
inline int run_program(const char *what, const char *name)
{
	if (!std::strcmp(what, "add")) {
		gosync::atomic<int> word(name);

		word[0].fetch_add(1);
		return 0;
	}
	return 2;
}

/* Executes this program, as @what with @name. */
inline void execute(const char *what, const std::string &name)
{
	::execl("/proc/self/exe", "binding_cpp", "--program", what, name.c_str(),
		static_cast<char *>(nullptr));
	std::_Exit(3);
}

#endif /* GOSYNC_PROGRAMS_HPP */
