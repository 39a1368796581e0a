// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The examples do what they say. They are in ../cpp, beside the directory of this program.
 */
#include "test.hpp"

#include <algorithm>
#include <climits>
#include <set>
#include <sstream>

/* A program whose output is read */
class example
{
public:
	explicit example(const std::string &command)
		: out_(::popen((directory() + command + " 2>&1").c_str(), "r"))
	{
		CHECK(out_);
	}

	example(example &&other) noexcept : out_(std::exchange(other.out_, nullptr)) {}
	example(const example &) = delete;
	example &operator=(const example &) = delete;

	~example() { CHECK(!out_); }

	std::string line()
	{
		char text[256];

		CHECK(std::fgets(text, sizeof(text), out_));
		return text;
	}

	/* Return: the rest of what it says, when it has ended well */
	std::string rest()
	{
		std::string result;

		for (int c; (c = std::fgetc(out_)) != EOF;)
			result += static_cast<char>(c);
		CHECK(!::pclose(std::exchange(out_, nullptr)));
		return result;
	}

private:
	static std::string directory()
	{
		char path[PATH_MAX] = {};

		CHECK(::readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
		const std::string self = path;

		return self.substr(0, self.rfind('/')) + "/../cpp/";
	}

	std::FILE *out_;
};

TEST(example_hello_takes_turns)
{
	gosync::mutex lock("hello.lock", create);
	gosync::atomic<long> visits("hello.visits", 1, create);
	std::vector<example> all;
	std::set<std::string> said;

	for (int i = 0; i < 3; i++)
		all.emplace_back("hello");
	for (example &e : all) {
		const std::string text = e.rest();

		said.insert(text.substr(text.find(": ")));
	}
	for (const char *n : {"1", "2", "3"})
		CHECK(said.count(std::string(": hello, this is visit ") + n + "\n"));
	CHECK(visits[0] == 3);
}

TEST(example_queue_hands_on_everything_though_an_owner_dies)
{
	gosync::mutex lock("queue.lock", create);
	std::vector<long> numbers;

	that_stays([] {
		gosync::mutex mine("queue.lock");

		mine.lock();
		static_cast<void>(mine.detach());
	}).kill();
	example one("queue take 60"), two("queue take 40"), three("queue put 1 50"),
		four("queue put 51 100");
	std::istringstream all(one.rest() + two.rest());

	CHECK(three.rest().empty() && four.rest().empty());
	for (long n; all >> n;)
		numbers.push_back(n);
	std::sort(numbers.begin(), numbers.end());
	CHECK(numbers.size() == 100 && numbers.front() == 1 && numbers.back() == 100);
	CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
}

TEST(example_config_is_published_and_watched)
{
	CHECK(example("config example.org 443").rest().empty());
	CHECK(example("config").rest() == "example.org port 443\n");
	example watcher("config --watch 2");

	CHECK(watcher.line() == "example.org port 443\n");
	CHECK(example("config example.net 8443").rest().empty());
	CHECK(watcher.rest() == "example.net port 8443\n");
	gosync::unlink("config.cpp");
}
