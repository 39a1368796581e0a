/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::value<T>
 */
#ifndef GOSYNC_VALUE_HPP
#define GOSYNC_VALUE_HPP

#include "handle.hpp"

#include <cstring>
#include <memory>
#include <optional>

namespace gosync
{

/**
 * The name of a type, by which processes know that they mean the same. Its number is
 * gosync_type_id() of this name and the size. Say it with GOSYNC_TYPE_NAME(), or where the
 * C name should be another one, by a specialisation.
 */
template <class T, class = void>
struct type_name {
	static_assert(!sizeof(T), "say the type's name: GOSYNC_TYPE_NAME(struct config)");
};

/* As C programs say GOSYNC_TYPE_ID(int32_t), whichever of C's types that is */
template <class T>
struct type_name<T, std::enable_if_t<std::is_arithmetic_v<T>>> {
	static constexpr const char *value =
		std::is_same_v<T, bool>     ? "bool" :
		std::is_floating_point_v<T> ? (sizeof(T) == sizeof(float)  ? "float" :
					       sizeof(T) == sizeof(double) ? "double" :
									     "long double") :
		std::is_signed_v<T>         ? (sizeof(T) == 1 ? "int8_t" :
					       sizeof(T) == 2 ? "int16_t" :
					       sizeof(T) == 4 ? "int32_t" :
								"int64_t") :
					      (sizeof(T) == 1 ? "uint8_t" :
					       sizeof(T) == 2 ? "uint16_t" :
					       sizeof(T) == 4 ? "uint32_t" :
								"uint64_t");
};

namespace detail
{

/* What bytes can be: not what points to something in the memory of one process */
template <class T>
inline constexpr bool is_plain = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> &&
				 !std::is_member_pointer_v<T> && !std::is_reference_v<T>;

/* Room for a T, which need not have a constructor without arguments */
template <class T>
union room {
	room() noexcept {}

	T value;
};

} /* namespace detail */

/**
 * One payload that is replaced as a whole: Go's atomic.Value between processes. A load gets
 * the payload of one store, never parts of two, and makes no system call.
 *
 * T is trivially copyable, as it is copied byte by byte. It should have no pointers, which
 * mean something to one process only; and for compare_exchange() no padding, which is
 * compared, too. The name of a class is said once, outside of all namespaces:
 * GOSYNC_TYPE_NAME(config), or (struct config) where C programs say so.
 *
 * Functions fail with errc::other_type if the Value holds something else than a T, and
 * those that store with std::errc::bad_file_descriptor if the handle is read-only.
 */
template <class T>
class value : public handle<value<T>, gosync_value_t>
{
	static_assert(detail::is_plain<T>, "T is trivially copyable, and no pointer");

	using base = handle<value, gosync_value_t>;

public:
	/** &enum gosync_type */
	static constexpr unsigned int type = GOSYNC_VALUE;

	using base::native_handle;

	using value_type = T;

	/** An empty handle */
	value() noexcept = default;

	/** As gosync::mutex, without flags::errorcheck */
	explicit value(name n, flags f = flags::none, unsigned int mode = 0600)
	{
		this->open_by(n, f, mode);
	}

	static value open(name n, flags f, unsigned int mode, std::error_code &ec) noexcept
	{
		return base::open_by(ec, n, f, mode);
	}

	/** The present payload; nothing before the first store */
	std::optional<T> load() const
	{
		std::optional<T> result;

		detail::check(GOSYNC_IOC_VALUE_LOAD, get(result));
		return result;
	}

	std::optional<T> load(std::error_code &ec) const noexcept
	{
		std::optional<T> result;

		detail::check(GOSYNC_IOC_VALUE_LOAD, get(result), ec);
		return result;
	}

	/** Replaces the payload. */
	void store(const T &v)
	{
		detail::check(GOSYNC_IOC_VALUE_STORE,
			      gosync_value_store(native_handle(), id(), bytes(v), sizeof(T)));
	}

	void store(const T &v, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_VALUE_STORE,
			      gosync_value_store(native_handle(), id(), bytes(v), sizeof(T)),
			      ec);
	}

	/** Replaces the payload. Return: the old one; nothing if there was none */
	std::optional<T> exchange(const T &v)
	{
		std::optional<T> result;

		detail::check(GOSYNC_IOC_VALUE_SWAP, swap_in(v, result));
		return result;
	}

	std::optional<T> exchange(const T &v, std::error_code &ec) noexcept
	{
		std::optional<T> result;

		detail::check(GOSYNC_IOC_VALUE_SWAP, swap_in(v, result), ec);
		return result;
	}

	/**
	 * Replaces the payload if it is @p expected, byte by byte, or if there is none and
	 * @p expected is std::nullopt. Return: whether it did
	 */
	bool compare_exchange(const std::optional<T> &expected, const T &v)
	{
		return detail::check(GOSYNC_IOC_VALUE_CAS, compare(expected, v)) == 1;
	}

	bool compare_exchange(const std::optional<T> &expected, const T &v,
			      std::error_code &ec) noexcept
	{
		return detail::check(GOSYNC_IOC_VALUE_CAS, compare(expected, v), ec) == 1;
	}

	/** How often it was stored; cheap enough to ask before each use of a copy */
	std::uint64_t version() const
	{
		std::uint64_t result = 0;

		detail::check(GOSYNC_IOC_INFO, gosync_value_version(native_handle(), &result));
		return result;
	}

	std::uint64_t version(std::error_code &ec) const noexcept
	{
		std::uint64_t result = 0;

		detail::check(GOSYNC_IOC_INFO, gosync_value_version(native_handle(), &result),
			      ec);
		return result;
	}

	/**
	 * Waits until the version is no longer @p version, which becomes the present one. 0
	 * is for the first store. Of several stores the caller may see only the last.
	 */
	void wait(std::uint64_t &version) const
	{
		detail::check(GOSYNC_IOC_VALUE_WAIT, await_change(version, {}));
	}

	void wait(std::uint64_t &version, std::error_code &ec) const noexcept
	{
		detail::check(GOSYNC_IOC_VALUE_WAIT, await_change(version, {}), ec);
	}

	/** wait(), until a deadline. Return: whether the version is another one */
	[[nodiscard]] bool wait_until(std::uint64_t &version, deadline d) const
	{
		return detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_VALUE_WAIT,
					    await_change(version, d));
	}

	[[nodiscard]] bool wait_until(std::uint64_t &version, deadline d,
				      std::error_code &ec) const noexcept
	{
		return detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_VALUE_WAIT,
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
		return gosync_entry_value(native_handle(), version);
	}

private:
	friend base;

	static int make(const char *n, flags f, unsigned int mode, gosync_value_t **h) noexcept
	{
		return gosync_value_open(n, sizeof(T), detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, gosync_value_t **h) noexcept
	{
		return gosync_value_from_fd(fd, f, h);
	}

	static std::uint64_t id() noexcept
	{
		static const std::uint64_t number =
			gosync_type_id(type_name<T>::value, sizeof(T));

		return number;
	}

	static const void *bytes(const T &v) noexcept { return std::addressof(v); }

	/* Other programs may have stored a payload of the same type, but another length. */
	static int found(int ret, std::size_t len) noexcept
	{
		return ret == -EMSGSIZE || len != sizeof(T) ? -EPROTOTYPE : 0;
	}

	int get(std::optional<T> &result) const noexcept
	{
		detail::room<T> got;
		std::size_t len = sizeof(T);
		std::uint64_t its = 0;
		int ret = gosync_value_load(native_handle(), &got, &len, &its);

		if (ret == -ENODATA)
			return 0;
		if (ret && ret != -EMSGSIZE)
			return ret;
		ret = its == id() ? found(ret, len) : -EPROTOTYPE;
		if (!ret)
			result = got.value;
		return ret;
	}

	int swap_in(const T &v, std::optional<T> &result) noexcept
	{
		detail::room<T> old;
		std::size_t len = sizeof(T);
		int ret = gosync_value_swap(native_handle(), id(), bytes(v), sizeof(T), &old,
					    &len);

		if (ret != 1 && ret != -EMSGSIZE)
			return ret;
		ret = found(ret, len);
		if (!ret)
			result = old.value;
		return ret;
	}

	int compare(const std::optional<T> &expected, const T &v) noexcept
	{
		return gosync_value_cas(native_handle(), expected ? id() : 0,
					expected ? bytes(*expected) : nullptr,
					expected ? sizeof(T) : 0, id(), bytes(v), sizeof(T));
	}

	int await_change(std::uint64_t &version, deadline d) const noexcept
	{
		return gosync_value_wait_until(native_handle(), &version, d.ns(), d.flags());
	}
};

} /* namespace gosync */

/** Says the name of a type for gosync::value, outside of all namespaces. */
#define GOSYNC_TYPE_NAME(type_)                              \
	template <>                                          \
	struct gosync::type_name<type_> {                    \
		static constexpr const char *value = #type_; \
	}

#endif /* GOSYNC_VALUE_HPP */
