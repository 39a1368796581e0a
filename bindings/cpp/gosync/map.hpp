/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::map<K, V>
 */
#ifndef GOSYNC_MAP_HPP
#define GOSYNC_MAP_HPP

#include "handle.hpp"
#include "value.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gosync
{

/**
 * How a type is kept in a Map, as bytes. There are those of std::string, of std::vector, and
 * of trivially copyable types; write a specialisation for another type.
 *
 * - param: how functions take one
 * - size: how many bytes each one has; 0: they differ
 * - data(v), length(v): its bytes
 * - make(p, n): one from its bytes; only called if `n % unit == 0`
 */
template <class T, class = void>
struct codec {
	static_assert(detail::is_plain<T>, "T is trivially copyable, or has a gosync::codec");

	using param = const T &;
	static constexpr std::size_t size = sizeof(T);
	static constexpr std::size_t unit = sizeof(T);

	static const void *data(const T &v) noexcept { return std::addressof(v); }
	static std::size_t length(const T &) noexcept { return sizeof(T); }

	static T make(const void *p, std::size_t) noexcept
	{
		detail::room<T> room;

		std::memcpy(&room, p, sizeof(T));
		return room.value;
	}
};

template <>
struct codec<std::string> {
	using param = std::string_view;
	static constexpr std::size_t size = 0;
	static constexpr std::size_t unit = 1;

	static const void *data(param v) noexcept { return v.data(); }
	static std::size_t length(param v) noexcept { return v.size(); }

	static std::string make(const void *p, std::size_t n)
	{
		return {static_cast<const char *>(p), n};
	}
};

template <class T>
struct codec<std::vector<T>, std::enable_if_t<detail::is_plain<T>>> {
	using param = const std::vector<T> &;
	static constexpr std::size_t size = 0;
	static constexpr std::size_t unit = sizeof(T);

	static const void *data(param v) noexcept { return v.data(); }
	static std::size_t length(param v) noexcept { return v.size() * sizeof(T); }

	static std::vector<T> make(const void *p, std::size_t n)
	{
		std::vector<T> v(n / sizeof(T));

		if (n)
			std::memcpy(v.data(), p, n);
		return v;
	}
};

/** What a new Map can hold; 0 is the library's default: see gosync_map_open(). */
struct map_limits {
	unsigned int entries = 0;    /**< how many entries */
	unsigned int key_size = 0;   /**< longest key in bytes, unless all K have one size */
	unsigned int value_size = 0; /**< longest value in bytes, as @p key_size */
};

/**
 * Values by key: Go's sync.Map between processes. A load makes no system call. Each
 * operation on a key happens at one moment between its call and its return.
 *
 * K and V are std::string, trivially copyable, or have a gosync::codec. Keys have 1 to 255
 * bytes; those that are equal have equal bytes, so padding has to be cleared.
 *
 * Functions fail with errc::other_type if the Map has something whose size no K or V has;
 * nothing was changed then. There is one exception: exchange() and load_and_delete() have
 * changed the Map if the old value was shorter than any V. Functions that store fail with
 * std::errc::no_space_on_device if the key is new and the Map full; message_size if the
 * value is longer than the limit; bad_file_descriptor if the handle is read-only. All fail
 * with std::errc::invalid_argument if the key is empty or too long.
 */
template <class K, class V>
class map : public handle<map<K, V>, gosync_map_t>
{
	using base = handle<map, gosync_map_t>;
	using keys = codec<K>;
	using values = codec<V>;
	using key_param = typename keys::param;
	using value_param = typename values::param;

	static_assert(keys::size <= 255, "a key has 255 bytes at most");
	static_assert(values::size <= 65536, "a value has 65536 bytes at most");

public:
	/** &enum gosync_type */
	static constexpr unsigned int type = GOSYNC_MAP;

	using base::native_handle;

	using key_type = K;
	using mapped_type = V;

	/** A key and the value that it is to have */
	using pair = std::pair<K, V>;

	/** An empty handle */
	map() noexcept = default;

	/**
	 * As gosync::mutex, without flags::errorcheck. @p limits are those of a new Map; for
	 * a name that exists each is 0 or what that has (otherwise errc::other_type).
	 */
	explicit map(name n, flags f = flags::none, unsigned int mode = 0600,
		     map_limits limits = {})
	{
		this->open_by(n, f, mode, limits);
	}

	static map open(name n, flags f, unsigned int mode, map_limits limits,
			std::error_code &ec) noexcept
	{
		return base::open_by(ec, n, f, mode, limits);
	}

	/** A key's value; nothing if it is absent */
	std::optional<V> load(key_param k) const
	{
		std::optional<V> result;

		detail::check(GOSYNC_IOC_MAP_LOAD, get(k, result));
		return result;
	}

	std::optional<V> load(key_param k, std::error_code &ec) const noexcept
	{
		std::optional<V> result;

		detail::check(GOSYNC_IOC_MAP_LOAD,
			      detail::allocating([&] { return get(k, result); }), ec);
		return result;
	}

	/** Sets a key's value. */
	void store(key_param k, value_param v)
	{
		detail::check(GOSYNC_IOC_MAP_STORE, put(k, v));
	}

	void store(key_param k, value_param v, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_MAP_STORE, put(k, v), ec);
	}

	/**
	 * Sets the values of 1 to 64 keys by one system call: all are stored, or after an
	 * error none. Others may see the first ones before the last ones.
	 */
	void store_many(const pair *pairs, std::size_t count)
	{
		detail::check(GOSYNC_IOC_MAP_STORE_MANY, put_many(pairs, count));
	}

	void store_many(const pair *pairs, std::size_t count, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_MAP_STORE_MANY, put_many(pairs, count), ec);
	}

	/** Sets a key's value if it is absent. Return: the value that was there, or nothing */
	std::optional<V> load_or_store(key_param k, value_param v)
	{
		std::optional<V> result;

		detail::check(GOSYNC_IOC_MAP_LOAD_OR_STORE, get_or_put(k, v, result));
		return result;
	}

	std::optional<V> load_or_store(key_param k, value_param v, std::error_code &ec) noexcept
	{
		std::optional<V> result;

		detail::check(GOSYNC_IOC_MAP_LOAD_OR_STORE,
			      detail::allocating([&] { return get_or_put(k, v, result); }), ec);
		return result;
	}

	/** Removes a key. Return: the value that it had, or nothing */
	std::optional<V> load_and_delete(key_param k)
	{
		std::optional<V> result;

		detail::check(GOSYNC_IOC_MAP_LOAD_AND_DELETE, take(k, result));
		return result;
	}

	std::optional<V> load_and_delete(key_param k, std::error_code &ec) noexcept
	{
		std::optional<V> result;

		detail::check(GOSYNC_IOC_MAP_LOAD_AND_DELETE,
			      detail::allocating([&] { return take(k, result); }), ec);
		return result;
	}

	/** Removes a key: Go's Delete. Return: whether it was there */
	bool erase(key_param k) { return detail::check(GOSYNC_IOC_MAP_DELETE, remove(k)) == 1; }

	bool erase(key_param k, std::error_code &ec) noexcept
	{
		return detail::check(GOSYNC_IOC_MAP_DELETE, remove(k), ec) == 1;
	}

	/** Sets a key's value: Go's Swap. Return: the value that it had, or nothing */
	std::optional<V> exchange(key_param k, value_param v)
	{
		std::optional<V> result;

		detail::check(GOSYNC_IOC_MAP_SWAP, swap_in(k, v, result));
		return result;
	}

	std::optional<V> exchange(key_param k, value_param v, std::error_code &ec) noexcept
	{
		std::optional<V> result;

		detail::check(GOSYNC_IOC_MAP_SWAP,
			      detail::allocating([&] { return swap_in(k, v, result); }), ec);
		return result;
	}

	/** Replaces a key's value if it is @p expected, byte by byte. Return: whether it did */
	bool compare_exchange(key_param k, value_param expected, value_param v)
	{
		return detail::check(GOSYNC_IOC_MAP_CAS, compare(k, expected, v)) == 1;
	}

	bool compare_exchange(key_param k, value_param expected, value_param v,
			      std::error_code &ec) noexcept
	{
		return detail::check(GOSYNC_IOC_MAP_CAS, compare(k, expected, v), ec) == 1;
	}

	/** Removes a key if its value is @p expected, byte by byte. Return: whether it did */
	bool compare_and_delete(key_param k, value_param expected)
	{
		return detail::check(GOSYNC_IOC_MAP_COMPARE_AND_DELETE,
				     compare_remove(k, expected)) == 1;
	}

	bool compare_and_delete(key_param k, value_param expected, std::error_code &ec) noexcept
	{
		return detail::check(GOSYNC_IOC_MAP_COMPARE_AND_DELETE,
				     compare_remove(k, expected), ec) == 1;
	}

	/**
	 * Calls @p f(K, V) for each entry, with no lock held, so it may do anything with the
	 * Map. If it returns false, the walk ends. What it throws ends the walk, and leaks
	 * nothing. No key is visited twice; each that is there all the time is visited.
	 */
	template <class F>
	void range(F &&f) const
	{
		using callable = std::remove_reference_t<F>;

		detail::check(GOSYNC_IOC_MAP_RANGE,
			      gosync_map_range(native_handle(), visit_entry<callable>,
					       detail::context(f)));
	}

	template <class F>
	void range(F &&f, std::error_code &ec) const
		noexcept(std::is_nothrow_invocable_v<F &, K, V> &&noexcept(
			keys::make(nullptr, 0)) &&noexcept(values::make(nullptr, 0)))
	{
		using callable = std::remove_reference_t<F>;

		detail::check(GOSYNC_IOC_MAP_RANGE,
			      gosync_map_range(native_handle(), visit_entry<callable>,
					       detail::context(f)),
			      ec);
	}

	/** Removes all keys, at one moment. */
	void clear() { detail::check(GOSYNC_IOC_MAP_CLEAR, gosync_map_clear(native_handle())); }

	void clear(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_MAP_CLEAR, gosync_map_clear(native_handle()), ec);
	}

	/** How many entries there are */
	std::size_t size() const
	{
		return static_cast<std::size_t>(detail::check(GOSYNC_IOC_INFO, length()));
	}

	std::size_t size(std::error_code &ec) const noexcept
	{
		const int ret = detail::check(GOSYNC_IOC_INFO, length(), ec);

		return ret < 0 ? 0 : static_cast<std::size_t>(ret);
	}

	/**
	 * Waits until anything in the Map is changed since @p version, which becomes the
	 * present one. 0 returns at once. Who gets the version, looks, and waits misses no
	 * change.
	 */
	void wait(std::uint64_t &version) const
	{
		detail::check(GOSYNC_IOC_MAP_WAIT, await_change(version, {}));
	}

	void wait(std::uint64_t &version, std::error_code &ec) const noexcept
	{
		detail::check(GOSYNC_IOC_MAP_WAIT, await_change(version, {}), ec);
	}

	/** wait(), until a deadline. Return: whether the version is another one */
	[[nodiscard]] bool wait_until(std::uint64_t &version, deadline d) const
	{
		return detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_MAP_WAIT,
					    await_change(version, d));
	}

	[[nodiscard]] bool wait_until(std::uint64_t &version, deadline d,
				      std::error_code &ec) const noexcept
	{
		return detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_MAP_WAIT,
					    await_change(version, d), ec);
	}

	/** The same, from now */
	template <class Rep, class Period, class... Ec>
	[[nodiscard]] bool wait_for(std::uint64_t &version,
				    const std::chrono::duration<Rep, Period> &d,
				    Ec &...ec) const noexcept(sizeof...(Ec) > 0)
	{
		return wait_until(version, deadline::after(d), ec...);
	}

	/** Waits until the version is no longer @p version, as an entry of wait_any() */
	gosync_wait_entry entry(std::uint64_t version) const noexcept
	{
		return gosync_entry_map(native_handle(), version);
	}

private:
	friend base;

	static int make(const char *n, flags f, unsigned int mode, map_limits limits,
			gosync_map_t **h) noexcept
	{
		struct gosync_map_limits its;

		its.entries = limits.entries;
		its.key_size =
			keys::size ? static_cast<unsigned int>(keys::size) : limits.key_size;
		its.value_size = values::size ? static_cast<unsigned int>(values::size) :
						limits.value_size;
		return gosync_map_open(n, &its, detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, gosync_map_t **h) noexcept
	{
		return gosync_map_from_fd(fd, f, h);
	}

	int put(key_param k, value_param v) noexcept
	{
		return gosync_map_store(native_handle(), keys::data(k), keys::length(k),
					values::data(v), values::length(v));
	}

	int put_many(const pair *pairs, std::size_t count) noexcept
	{
		struct gosync_map_pair its[GOSYNC_MAP_STORE_MAX];

		if (count > GOSYNC_MAP_STORE_MAX)
			return -EINVAL;
		for (std::size_t i = 0; i < count; i++) {
			its[i].key = keys::data(pairs[i].first);
			its[i].key_len = keys::length(pairs[i].first);
			its[i].buf = values::data(pairs[i].second);
			its[i].len = values::length(pairs[i].second);
		}
		return gosync_map_store_many(native_handle(), its,
					     static_cast<unsigned int>(count));
	}

	/* @p is a value of the Map. Return: @ret; -EPROTOTYPE if it can be no V */
	static int found(int ret, const void *p, std::size_t len, std::optional<V> &result)
	{
		if (values::size ? len != values::size : len % values::unit != 0)
			return -EPROTOTYPE;
		result = values::make(p, len);
		return ret;
	}

	/*
	 * Calls @call(buffer, &length), which returns @yes if there is a value in the
	 * buffer. If this was too short, the call has changed nothing, and tells the length.
	 */
	template <class Call>
	static int fetch(int yes, std::optional<V> &result, Call call)
	{
		unsigned char some[values::size ? values::size : 512];
		std::unique_ptr<unsigned char[]> more;
		unsigned char *p = some;
		std::size_t room = sizeof(some);

		for (;;) {
			std::size_t len = room;
			const int ret = call(p, &len);

			if (ret == yes)
				return found(ret, p, len, result);
			/* Otherwise the new value is too long, not the old one. */
			if (ret != -EMSGSIZE || len <= room)
				return ret;
			if (values::size)
				return -EPROTOTYPE;
			more = std::make_unique<unsigned char[]>(len);
			p = more.get();
			room = len;
		}
	}

	/* An absent key is no error. */
	static int present(int ret) noexcept { return ret == -ENODATA ? 0 : ret; }

	int get(key_param k, std::optional<V> &result) const
	{
		return present(fetch(0, result, [&](void *buf, std::size_t *len) {
			return gosync_map_load(native_handle(), keys::data(k), keys::length(k),
					       buf, len);
		}));
	}

	int take(key_param k, std::optional<V> &result)
	{
		return present(fetch(0, result, [&](void *buf, std::size_t *len) {
			return gosync_map_load_and_delete(native_handle(), keys::data(k),
							  keys::length(k), buf, len);
		}));
	}

	int get_or_put(key_param k, value_param v, std::optional<V> &result)
	{
		return fetch(1, result, [&](void *buf, std::size_t *len) {
			return gosync_map_load_or_store(native_handle(), keys::data(k),
							keys::length(k), values::data(v),
							values::length(v), buf, len);
		});
	}

	int swap_in(key_param k, value_param v, std::optional<V> &result)
	{
		return fetch(1, result, [&](void *buf, std::size_t *len) {
			return gosync_map_swap(native_handle(), keys::data(k), keys::length(k),
					       values::data(v), values::length(v), buf, len);
		});
	}

	int remove(key_param k) noexcept
	{
		return gosync_map_delete(native_handle(), keys::data(k), keys::length(k));
	}

	int compare(key_param k, value_param expected, value_param v) noexcept
	{
		return gosync_map_cas(native_handle(), keys::data(k), keys::length(k),
				      values::data(expected), values::length(expected),
				      values::data(v), values::length(v));
	}

	int compare_remove(key_param k, value_param expected) noexcept
	{
		return gosync_map_compare_and_delete(native_handle(), keys::data(k),
						     keys::length(k), values::data(expected),
						     values::length(expected));
	}

	template <class F>
	static int visit_entry(const void *key, std::size_t key_len, const void *value,
			       std::size_t len, void *f)
	{
		if ((keys::size ? key_len != keys::size : key_len % keys::unit != 0) ||
		    (values::size ? len != values::size : len % values::unit != 0))
			return -EPROTOTYPE;
		return detail::visit(detail::target<F>(f), keys::make(key, key_len),
				     values::make(value, len));
	}

	/* At most 4194304 */
	int length() const noexcept
	{
		return static_cast<int>(gosync_map_len(native_handle()));
	}

	int await_change(std::uint64_t &version, deadline d) const noexcept
	{
		return gosync_map_wait_until(native_handle(), &version, d.ns(), d.flags());
	}
};

} /* namespace gosync */

#endif /* GOSYNC_MAP_HPP */
