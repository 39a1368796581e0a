// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A configuration that one process publishes and all others read:
 *
 *	config HOST PORT	publishes it
 *	config			prints it
 *	config --watch N	prints it each time that it changes, N times
 */
#include <cstdlib>
#include <cstring>
#include <gosync.hpp>
#include <iostream>
#include <string>

struct config {
	char host[60];
	int port;
};

/* As a C program says GOSYNC_TYPE_ID(struct config) */
GOSYNC_TYPE_NAME(struct config);

static void print(const config &c)
{
	std::cout << c.host << " port " << c.port << std::endl;
}

int main(int argc, char **argv)
{
	try {
		gosync::value<config> shared(
			"config.cpp", gosync::flags::create | gosync::flags::persist, 0644);

		if (argc == 3 && !std::strcmp(argv[1], "--watch")) {
			std::uint64_t version = 0;

			for (int n = std::atoi(argv[2]); n > 0; n--) {
				shared.wait(version);
				print(*shared.load());
			}
		} else if (argc == 3) {
			config c = {};

			std::strncpy(c.host, argv[1], sizeof(c.host) - 1);
			c.port = std::atoi(argv[2]);
			shared.store(c);
		} else if (const auto c = shared.load()) {
			print(*c);
		} else {
			std::cerr << "config: nobody has published one\n";
			return 1;
		}
	} catch (const gosync::error &e) {
		std::cerr << "config: " << e.what() << '\n';
		return 1;
	}
}
