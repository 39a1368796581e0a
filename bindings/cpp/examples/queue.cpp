// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A queue of numbers with limited room, between any processes:
 *
 *	queue put FROM TO	puts these numbers into it
 *	queue take N		takes N numbers out of it, and prints them
 *
 * A process may be killed at any instant. What the lock protects is then put right by
 * whoever locks next.
 */
#include <cstdlib>
#include <gosync.hpp>
#include <iostream>
#include <mutex>
#include <string>

namespace
{

class queue
{
public:
	queue()
	{
		lock.on_owner_died([this] {
			/* It counts only what is there as a whole; others may wait for it. */
			not_empty.notify_all();
			not_full.notify_all();
		});
	}

	void put(long number)
	{
		std::unique_lock l(lock);

		not_full.wait(l, [this] { return ring[tail] - ring[head] < room; });
		ring[slot(ring[tail])] = number;
		++ring[tail];
		not_empty.notify_one();
	}

	long take()
	{
		std::unique_lock l(lock);

		not_empty.wait(l, [this] { return ring[tail] != ring[head]; });
		const long number = ring[slot(ring[head])];

		++ring[head];
		not_full.notify_one();
		return number;
	}

private:
	enum { head, tail, first };
	static constexpr long room = 16;

	static std::size_t slot(long n) { return first + static_cast<std::size_t>(n % room); }

	gosync::mutex lock{"queue.lock", gosync::flags::create};
	gosync::cond not_empty{"queue.not-empty", gosync::flags::create};
	gosync::cond not_full{"queue.not-full", gosync::flags::create};
	gosync::atomic<long> ring{"queue.ring", first + room, gosync::flags::create};
};

} /* namespace */

int main(int argc, char **argv)
{
	const std::string verb = argc > 2 ? argv[1] : "";

	try {
		queue numbers;

		if (verb == "take" && argc == 3) {
			for (long n = std::atol(argv[2]); n > 0; n--)
				std::cout << numbers.take() << std::endl;
			return 0;
		}
		if (verb == "put" && argc == 4) {
			for (long n = std::atol(argv[2]); n <= std::atol(argv[3]); n++)
				numbers.put(n);
			return 0;
		}
	} catch (const gosync::error &e) {
		std::cerr << "queue: " << e.what() << '\n';
		return 1;
	}
	std::cerr << "usage: queue put FROM TO\n       queue take N\n";
	return 2;
}
