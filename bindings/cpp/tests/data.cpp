// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Value, Map and atomic words
 */
#include "test.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <stdexcept>
#include <string_view>

using namespace std::chrono_literals;
using gosync::deadline;
using gosync::errc;

/* --- Value ------------------------------------------------------------------ */

/* No constructor without arguments, and no padding */
struct price {
	price(std::int64_t a_, std::int64_t b_) : a(a_), b(b_) {}

	bool operator==(const price &other) const { return a == other.a && b == other.b; }

	std::int64_t a, b;
};

struct other_price {
	std::int64_t a, b;
};

GOSYNC_TYPE_NAME(struct price);
GOSYNC_TYPE_NAME(other_price);

TEST(a_value_is_what_another_process_stored)
{
	const std::string name = fresh();
	gosync::value<price> v(name, create);
	std::error_code ec;

	CHECK(!v.load() && !v.load(ec) && !ec && v.version() == 0);
	process([&] {
		gosync::value<price> mine(name);

		CHECK(!mine.exchange({1, 2}));
		mine.store({3, 4});
		CHECK(mine.exchange({5, 6}) == price(3, 4));
	});
	CHECK(v.load() == price(5, 6) && v.load(ec) == price(5, 6) && v.version(ec) == 3);
	CHECK(!v.compare_exchange(std::nullopt, {7, 8}));
	CHECK(!v.compare_exchange(price(5, 7), {7, 8}, ec) && !ec);
	CHECK(v.compare_exchange(price(5, 6), {7, 8}) && v.load() == price(7, 8));
	gosync::value<int> empty(nullptr, create);

	CHECK(empty.compare_exchange(std::nullopt, 1) && empty.load() == 1);
}

TEST(a_value_is_whole_while_others_store)
{
	const std::string name = fresh();
	gosync::value<price> v(name, create);
	const auto store = [&](std::int64_t by) {
		gosync::value<price> mine(name);

		for (std::int64_t i = 0; i < 300; i++)
			mine.store({i * by, -i * by});
	};
	process one([&] { store(1); }), two([&] { store(3); });

	while (v.version() < 600)
		if (const auto p = v.load())
			CHECK(p->a == -p->b);
	CHECK(one.ok() && two.ok());
}

TEST(a_value_has_the_type_that_was_stored_first)
{
	const std::string name = fresh();
	gosync::value<price> v(name, create);
	gosync::value<other_price> other(name);
	std::error_code ec;

	v.store({1, 2});
	CHECK_THROWS(gosync::error, errc::other_type, other.load());
	CHECK_THROWS(gosync::error, errc::other_type, other.store({3, 4}));
	other.store({3, 4}, ec);
	CHECK(ec.message() == "sync/atomic: store of inconsistently typed value into Value");
	CHECK(v.load() == price(1, 2));
	CHECK_THROWS(gosync::error, errc::other_type, gosync::value<int>{name});
	/* A C program stores a shorter one. */
	CHECK(!gosync_value_store(v.native_handle(), GOSYNC_TYPE_ID(struct price), "abc", 3));
	CHECK(!v.load(ec) && ec == errc::other_type);
	v.store({5, 6});
	CHECK(v.load() == price(5, 6));
}

TEST(a_value_is_found_by_its_c_name)
{
	gosync::value<std::int32_t> v(nullptr, create);
	std::int32_t got = 0;
	std::size_t len = sizeof(got);
	std::uint64_t type = 0;

	v.store(-5);
	CHECK(!gosync_value_load(v.native_handle(), &got, &len, &type));
	CHECK(got == -5 && len == 4 && type == GOSYNC_TYPE_ID(int32_t));
	static_assert(std::string_view(gosync::type_name<price>::value) == "struct price");
	static_assert(std::string_view(gosync::type_name<unsigned char>::value) == "uint8_t");
}

TEST(a_wait_for_a_value_ends_with_a_store)
{
	const std::string name = fresh();
	gosync::value<int> v(name, create);
	std::uint64_t version = 0;
	std::error_code ec;

	CHECK(!v.wait_for(version, 1ms) && !v.wait_for(version, 1ms, ec) && !ec);
	process waiter([&] {
		gosync::value<int> mine(name, gosync::flags::read_only);
		std::uint64_t seen = 0;

		mine.wait(seen);
		CHECK(seen == 1 && mine.load() == 42);
	});

	wait_for_waiters(v, 1);
	v.store(42);
	CHECK(waiter.ok());
	v.wait(version, ec);
	CHECK(version == 1 && !ec);
	gosync_wait_entry entries[] = {v.entry(0)};

	CHECK(gosync::wait_any(entries) == 0 && entries[0].value == 1);
}

/* --- Map -------------------------------------------------------------------- */

using words = gosync::map<std::string, std::string>;

TEST(a_map_has_what_another_process_stored)
{
	const std::string name = fresh();
	words m(name, create);
	std::error_code ec;

	CHECK(!m.load("one") && !m.load("one", ec) && !ec && m.size() == 0);
	process([&] {
		words mine(name);

		mine.store("one", "1");
		CHECK(!mine.load_or_store("two", "2"));
		CHECK(mine.load_or_store("two", "3") == "2");
		CHECK(mine.exchange("two", "22") == "2" && !mine.exchange("three", "3"));
	});
	CHECK(m.load("one") == "1" && m.load("two", ec) == "22" && m.size(ec) == 3);
	CHECK(!m.compare_exchange("one", "2", "x") && m.compare_exchange("one", "1", "x"));
	CHECK(!m.compare_exchange("none", "", "x", ec) && !ec);
	CHECK(!m.compare_and_delete("one", "1") && m.compare_and_delete("one", "x", ec));
	CHECK(m.erase("two") && !m.erase("two") && !m.erase("two", ec) && !ec);
	CHECK(m.load_and_delete("three") == "3" && !m.load_and_delete("three", ec) && !ec);
	m.store("", "", ec);
	CHECK(ec == std::errc::invalid_argument);
	m.store(std::string(3, '\0'), std::string("a\0b", 3));
	CHECK(m.load(std::string(3, '\0')) == std::string("a\0b", 3));
	m.clear();
	CHECK(m.size() == 0);
}

TEST(values_of_any_length_fit)
{
	gosync::map_limits limits;

	limits.value_size = 65536;
	words m(nullptr, create, 0600, limits);
	std::error_code ec;
	const std::string longest(65536, 'x'), longer(65537, 'x');

	m.store("key", longest);
	CHECK(m.load("key") == longest && m.load("key", ec) == longest);
	CHECK(m.load_or_store("key", "") == longest);
	CHECK(m.exchange("key", "short") == longest);
	CHECK_THROWS(gosync::error, std::errc::message_size, m.store("key", longer));
	CHECK_THROWS(gosync::error, std::errc::message_size, m.exchange("key", longer));
	CHECK(m.load("key") == "short");
	CHECK(m.exchange("key", longest) == "short" && m.load_and_delete("key") == longest);
	gosync::map<int, std::vector<short>> lists(nullptr, create);
	const std::vector<short> some = {1, 2, 3};

	lists.store(1, some);
	lists.store(2, {});
	CHECK(lists.load(1) == some && lists.load(2)->empty());
}

TEST(keys_and_values_of_one_size_are_checked)
{
	const std::string name = fresh();
	gosync::map<int, price> m(name, create);
	gosync::map<int, std::string> other = gosync::map<int, std::string>::adopt(nullptr);
	std::error_code ec;

	m.store(1, {2, 3});
	CHECK(m.load(1) == price(2, 3) && m.exchange(1, {4, 5}) == price(2, 3));
	CHECK(m.compare_exchange(1, {4, 5}, {6, 7}));
	CHECK_THROWS(gosync::error, errc::other_type, gosync::map<long, price>{name});
	/* A C program stores what is no price. */
	CHECK(!gosync_map_store(m.native_handle(), "abcd", 4, "short", 5));
	int key;

	std::memcpy(&key, "abcd", 4);
	CHECK_THROWS(gosync::error, errc::other_type, m.load(key));
	CHECK_THROWS(gosync::error, errc::other_type, m.range([](int, price) {}));
	other = gosync::map<int, std::string>::open(name, gosync::flags::none, 0, {}, ec);
	CHECK(!ec && other.load(key) == "short" && other.erase(key));
	int visited = 0;

	m.range([&](const int &k, const price &p) { visited += k == 1 && p == price(6, 7); });
	CHECK(visited == 1);
}

TEST(a_full_map_refuses_and_store_many_stores_all_or_nothing)
{
	gosync::map_limits limits;

	limits.entries = 3;
	words m(nullptr, create, 0600, limits);
	const words::pair pairs[] = {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}};
	std::error_code ec;

	CHECK_THROWS(gosync::error, std::errc::no_space_on_device, m.store_many(pairs, 4));
	CHECK(m.size() == 0);
	m.store_many(pairs, 3);
	CHECK(m.size() == 3 && m.load("c") == "3");
	m.store("d", "4", ec);
	CHECK(ec == std::errc::no_space_on_device);
	m.store_many(pairs, 0, ec);
	CHECK(ec == std::errc::invalid_argument);
	m.store_many(pairs, 65, ec);
	CHECK(ec == std::errc::invalid_argument);
}

TEST(range_visits_each_key_and_can_be_left)
{
	gosync::map<int, int> m(nullptr, create);
	std::map<int, int> seen;
	std::error_code ec;
	int visited = 0;

	for (int i = 0; i < 200; i++)
		m.store(i, -i);
	m.range([&](int k, int v) {
		CHECK(seen.emplace(k, v).second && k == -v);
		m.erase(k);
	});
	CHECK(seen.size() == 200 && m.size() == 0);
	for (int i = 0; i < 5; i++)
		m.store(i, i);
	m.range([&](int, int) { return ++visited < 3; }, ec);
	CHECK(visited == 3 && !ec);
	try {
		m.range([](int, int) { throw std::runtime_error("enough"); });
		CHECK(false);
	} catch (const std::runtime_error &) {
	}
	m.store(6, 6);
	CHECK(m.size() == 6);
}

TEST(a_wait_for_a_map_ends_with_a_change)
{
	const std::string name = fresh();
	words m(name, create);
	std::uint64_t version = 0;
	std::error_code ec;

	m.wait(version);
	CHECK(version != 0 && !m.wait_for(version, 1ms) && !m.wait_for(version, 1ms, ec) &&
	      !ec);
	process waiter([&] {
		words mine(name, gosync::flags::read_only);
		std::uint64_t seen = version;

		mine.wait(seen);
		CHECK(seen != version && mine.load("key") == "value");
		mine.store("key", "other", ec);
		CHECK(ec == std::errc::bad_file_descriptor);
	});

	wait_for_waiters(m, 1);
	m.store("key", "value");
	CHECK(waiter.ok());
}

/* --- Atomic words ----------------------------------------------------------- */

template <class T>
static void words_of_type_work()
{
	gosync::atomic<T> a(nullptr, 3, create);
	const T most = std::numeric_limits<T>::max(), least = std::numeric_limits<T>::min();
	std::error_code ec;

	CHECK(a.size() == 3 && a[0] == 0 && a[2].load() == 0);
	a[1] = 5;
	CHECK(a[1].exchange(6) == 5 && a[1].load(ec) == 6 && a[0] == 0 && a[2] == 0);
	CHECK(a[1].fetch_add(4) == 6 && a[1].fetch_sub(3) == 10 && a[1] == 7);
	CHECK(a[1].add(1) == 8 && (a[1] += 2) == 10 && (a[1] -= 3) == 7);
	CHECK(++a[1] == 8 && a[1]++ == 8 && --a[1] == 8 && a[1]-- == 8 && a[1] == 7);
	CHECK(a[1].fetch_and(5) == 7 && a[1].fetch_or(8) == 5 && a[1] == 13);
	CHECK(!a[1].compare_exchange(12, 1) && a[1].compare_exchange(13, 1));
	a[1] = most;
	CHECK(a[1].fetch_add(1) == most && a[1] == least);
	CHECK(a[1].fetch_sub(1) == least && a[1] == most);
	CHECK_THROWS(gosync::error, std::errc::invalid_argument, a[3].load());
	a[std::numeric_limits<std::size_t>::max()].store(1, ec);
	CHECK(ec == std::errc::invalid_argument);
}

TEST(words_of_each_type_work)
{
	words_of_type_work<std::int32_t>();
	words_of_type_work<std::uint32_t>();
	words_of_type_work<std::int64_t>();
	words_of_type_work<std::uint64_t>();
	words_of_type_work<unsigned long long>();
	gosync::atomic<bool> flag(nullptr, 1, create);
	gosync::atomic<gosync::pointer> pointer(nullptr, 1, create);
	gosync::atomic<gosync::uintptr> address(nullptr, 1, create);

	CHECK(!flag[0] && !flag[0].exchange(true) && flag[0]);
	CHECK(flag[0].compare_exchange(true, false) && !flag[0].load());
	pointer[0] = 1ULL << 63;
	CHECK(pointer[0].exchange(1) == 1ULL << 63);
	CHECK(address[0].add(1ULL << 40) == 1ULL << 40);
}

TEST(words_are_shared_and_have_a_type)
{
	const std::string name = fresh();
	gosync::atomic<int> a(name, 4, create);
	std::error_code ec;
	const auto count = [&] {
		gosync::atomic<int> mine(name);

		CHECK(mine.size() == 4);
		for (int i = 0; i < 1000; i++)
			mine[3].fetch_add(1);
	};
	process one(count), two(count);

	CHECK(one.ok() && two.ok() && a[3] == 2000);
	CHECK_THROWS(gosync::error, errc::other_type, gosync::atomic<long>{name});
	CHECK_THROWS(gosync::error, errc::other_type, gosync::atomic<int>(name, 5));
	gosync::atomic<int> observer(name, 0, gosync::flags::read_only);

	CHECK(observer[3] == 2000);
	observer[3].store(1, ec);
	CHECK(ec == std::errc::bad_file_descriptor && a[3] == 2000);
}

TEST(a_wait_for_a_word_ends_when_it_is_notified)
{
	const std::string name = fresh();
	gosync::atomic<int> a(name, 2, create);
	std::error_code ec;
	std::vector<process> waiters;

	CHECK(!a[1].wait_for(0, 1ms) && !a[1].wait_for(0, 1ms, ec) && !ec);
	CHECK(a[1].wait_until(7, deadline()) == 0 && a[1].wait(7) == 0);
	for (int i = 0; i < 2; i++)
		waiters.emplace_back([&] {
			gosync::atomic<int> mine(name);

			CHECK(mine[1].wait(0) == 42);
		});
	wait_for_waiters(a, 2);
	a[1] = 42;
	a[1].notify_one();
	wait_for_waiters(a, 1);
	a[1].notify_all(ec);
	CHECK(!ec && waiters[0].ok() && waiters[1].ok());
}
