// SPDX-License-Identifier: LGPL-2.1-or-later
/* Run this several times at once: one at a time says hello. */
#include <gosync.hpp>
#include <iostream>
#include <mutex>
#include <unistd.h>

int main()
{
	gosync::mutex lock("hello.lock", gosync::flags::create);
	gosync::atomic<long> visits("hello.visits", 1, gosync::flags::create);
	std::lock_guard guard(lock);

	std::cout << getpid() << ": hello, this is visit " << ++visits[0] << std::endl;
	sleep(1);
}
