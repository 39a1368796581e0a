/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::atomic<T>: arrays of atomic words
 */
#ifndef GOSYNC_ATOMIC_HPP
#define GOSYNC_ATOMIC_HPP

#include "handle.hpp"

#include <climits>
#include <optional>

namespace gosync
{

/** Words of 64 bits, also for 32-bit processes: atomic<uintptr>, Go's Uintptr */
struct uintptr {
};

/** Opaque words of 64 bits, without arithmetic: atomic<pointer>, Go's Pointer */
struct pointer {
};

namespace detail
{

/* The C library's functions of one type, as one class of C++ has them */
#define GOSYNC__CPP_WORDS(N, TYPE, T)                                                     \
	struct N##_base {                                                                 \
		using native = gosync_##N##_t;                                            \
		using word = T;                                                           \
		static constexpr unsigned int type = TYPE;                                \
		static int open(const char *n, std::size_t count, unsigned int f,         \
				unsigned int mode, native **h) noexcept                   \
		{                                                                         \
			return gosync_##N##_open(n, count, f, mode, h);                   \
		}                                                                         \
		static int from(int fd, unsigned int f, native **h) noexcept              \
		{                                                                         \
			return gosync_##N##_from_fd(fd, f, h);                            \
		}                                                                         \
		static int load(native *h, std::size_t i, T *now) noexcept                \
		{                                                                         \
			return gosync_##N##_load(h, i, now);                              \
		}                                                                         \
		static int store(native *h, std::size_t i, T v) noexcept                  \
		{                                                                         \
			return gosync_##N##_store(h, i, v);                               \
		}                                                                         \
		static int swap(native *h, std::size_t i, T v, T *old) noexcept           \
		{                                                                         \
			return gosync_##N##_swap(h, i, v, old);                           \
		}                                                                         \
		static int cas(native *h, std::size_t i, T expected, T v) noexcept        \
		{                                                                         \
			return gosync_##N##_cas(h, i, expected, v);                       \
		}                                                                         \
		static int wait(native *h, std::size_t i, T expected, deadline d,         \
				T *now) noexcept                                          \
		{                                                                         \
			return gosync_##N##_wait(h, i, expected, d.ns(), d.flags(), now); \
		}                                                                         \
		static int wake(native *h, std::size_t i, unsigned int count) noexcept    \
		{                                                                         \
			return gosync_##N##_wake(h, i, count);                            \
		}                                                                         \
		static gosync_wait_entry entry(native *h, std::size_t i, T v) noexcept    \
		{                                                                         \
			return gosync_entry_##N(h, i, v);                                 \
		}                                                                         \
	};

#define GOSYNC__CPP_ARITHMETIC(N, TYPE, T)                                      \
	GOSYNC__CPP_WORDS(N, TYPE, T)                                           \
	struct N##_words : N##_base {                                           \
		static int add(native *h, std::size_t i, T v, T *now) noexcept  \
		{                                                               \
			return gosync_##N##_add(h, i, v, now);                  \
		}                                                               \
		static int and_(native *h, std::size_t i, T v, T *old) noexcept \
		{                                                               \
			return gosync_##N##_and(h, i, v, old);                  \
		}                                                               \
		static int or_(native *h, std::size_t i, T v, T *old) noexcept  \
		{                                                               \
			return gosync_##N##_or(h, i, v, old);                   \
		}                                                               \
	};

GOSYNC__CPP_ARITHMETIC(int32, GOSYNC_INT32, std::int32_t)
GOSYNC__CPP_ARITHMETIC(uint32, GOSYNC_UINT32, std::uint32_t)
GOSYNC__CPP_ARITHMETIC(int64, GOSYNC_INT64, std::int64_t)
GOSYNC__CPP_ARITHMETIC(uint64, GOSYNC_UINT64, std::uint64_t)
GOSYNC__CPP_ARITHMETIC(uintptr, GOSYNC_UINTPTR, std::uint64_t)
GOSYNC__CPP_WORDS(pointer, GOSYNC_POINTER, std::uint64_t)
GOSYNC__CPP_WORDS(bool, GOSYNC_BOOL, std::uint32_t)

#undef GOSYNC__CPP_WORDS
#undef GOSYNC__CPP_ARITHMETIC

/* Which of these a T is, and how a program sees its words */
template <class T, class = void>
struct kind {
	static_assert(!sizeof(T), "an integer of 4 or 8 bytes, bool, uintptr or pointer");
};

template <class T>
struct kind<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool> &&
				(sizeof(T) == 4 || sizeof(T) == 8)>> {
	using narrow = std::conditional_t<std::is_signed_v<T>, int32_words, uint32_words>;
	using wide = std::conditional_t<std::is_signed_v<T>, int64_words, uint64_words>;
	using words = std::conditional_t<sizeof(T) == 4, narrow, wide>;
	using seen = T;
};

template <>
struct kind<bool> {
	using words = bool_base;
	using seen = bool;
};

template <>
struct kind<uintptr> {
	using words = uintptr_words;
	using seen = std::uint64_t;
};

template <>
struct kind<pointer> {
	using words = pointer_base;
	using seen = std::uint64_t;
};

} /* namespace detail */

/**
 * One word of a gosync::atomic, as std::atomic_ref would be. The handle must stay open. All
 * operations are sequentially consistent. On mapped words they make no system call, but for
 * waiting.
 *
 * They fail with std::errc::invalid_argument if the index is out of range, and those that
 * write with bad_file_descriptor if the handle is read-only.
 */
template <class T>
class atomic_word
{
	using words = typename detail::kind<T>::words;
	using raw = typename words::word;

public:
	/** T; of uintptr and pointer, std::uint64_t */
	using value_type = typename detail::kind<T>::seen;

	atomic_word(typename words::native *h, std::size_t i) noexcept : h_(h), i_(i) {}

	/** What is there */
	value_type load() const
	{
		raw now{};

		detail::check(GOSYNC_IOC_ATOMIC_LOAD, words::load(h_, i_, &now));
		return seen(now);
	}

	value_type load(std::error_code &ec) const noexcept
	{
		raw now{};

		detail::check(GOSYNC_IOC_ATOMIC_LOAD, words::load(h_, i_, &now), ec);
		return seen(now);
	}

	operator value_type() const { return load(); }

	/** Writes it. */
	void store(value_type v) const
	{
		detail::check(GOSYNC_IOC_ATOMIC_STORE, words::store(h_, i_, kept(v)));
	}

	void store(value_type v, std::error_code &ec) const noexcept
	{
		detail::check(GOSYNC_IOC_ATOMIC_STORE, words::store(h_, i_, kept(v)), ec);
	}

	value_type operator=(value_type v) const
	{
		store(v);
		return v;
	}

	/** Writes it. Return: what was there */
	value_type exchange(value_type v) const
	{
		raw old{};

		detail::check(GOSYNC_IOC_ATOMIC_SWAP, words::swap(h_, i_, kept(v), &old));
		return seen(old);
	}

	value_type exchange(value_type v, std::error_code &ec) const noexcept
	{
		raw old{};

		detail::check(GOSYNC_IOC_ATOMIC_SWAP, words::swap(h_, i_, kept(v), &old), ec);
		return seen(old);
	}

	/**
	 * Writes it if @p expected is there. Return: whether it did. Unlike that of
	 * std::atomic it does not say what was there instead.
	 */
	bool compare_exchange(value_type expected, value_type v) const
	{
		return detail::check(GOSYNC_IOC_ATOMIC_CAS,
				     words::cas(h_, i_, kept(expected), kept(v))) == 1;
	}

	bool compare_exchange(value_type expected, value_type v,
			      std::error_code &ec) const noexcept
	{
		return detail::check(GOSYNC_IOC_ATOMIC_CAS,
				     words::cas(h_, i_, kept(expected), kept(v)), ec) == 1;
	}

	/** Adds, around the end of the range if need be. Return: what was there */
	value_type fetch_add(value_type delta) const { return minus(add(delta), delta); }

	value_type fetch_add(value_type delta, std::error_code &ec) const noexcept
	{
		return minus(add(delta, ec), delta);
	}

	/** Subtracts, as fetch_add() */
	value_type fetch_sub(value_type delta) const { return fetch_add(minus(0, delta)); }

	value_type fetch_sub(value_type delta, std::error_code &ec) const noexcept
	{
		return fetch_add(minus(0, delta), ec);
	}

	/** Go's Add. Return: what is there now */
	value_type add(value_type delta) const
	{
		raw now{};

		detail::check(GOSYNC_IOC_ATOMIC_ADD, words::add(h_, i_, kept(delta), &now));
		return seen(now);
	}

	value_type add(value_type delta, std::error_code &ec) const noexcept
	{
		raw now{};

		detail::check(GOSYNC_IOC_ATOMIC_ADD, words::add(h_, i_, kept(delta), &now), ec);
		return seen(now);
	}

	value_type operator+=(value_type delta) const { return add(delta); }
	value_type operator-=(value_type delta) const { return add(minus(0, delta)); }
	value_type operator++() const { return add(1); }
	value_type operator--() const { return add(minus(0, 1)); }
	value_type operator++(int) const { return fetch_add(1); }
	value_type operator--(int) const { return fetch_sub(1); }

	/** Keeps only the bits of @p mask. Return: what was there */
	value_type fetch_and(value_type mask) const
	{
		raw old{};

		detail::check(GOSYNC_IOC_ATOMIC_AND, words::and_(h_, i_, kept(mask), &old));
		return seen(old);
	}

	value_type fetch_and(value_type mask, std::error_code &ec) const noexcept
	{
		raw old{};

		detail::check(GOSYNC_IOC_ATOMIC_AND, words::and_(h_, i_, kept(mask), &old), ec);
		return seen(old);
	}

	/** Sets the bits of @p mask. Return: what was there */
	value_type fetch_or(value_type mask) const
	{
		raw old{};

		detail::check(GOSYNC_IOC_ATOMIC_OR, words::or_(h_, i_, kept(mask), &old));
		return seen(old);
	}

	value_type fetch_or(value_type mask, std::error_code &ec) const noexcept
	{
		raw old{};

		detail::check(GOSYNC_IOC_ATOMIC_OR, words::or_(h_, i_, kept(mask), &old), ec);
		return seen(old);
	}

	/**
	 * Waits until the word is something else than @p old. Who changes it has to notify.
	 * Return: what is there now
	 */
	value_type wait(value_type old) const
	{
		raw now{};

		detail::check(GOSYNC_IOC_ATOMIC_WAIT,
			      words::wait(h_, i_, kept(old), deadline(), &now));
		return seen(now);
	}

	value_type wait(value_type old, std::error_code &ec) const noexcept
	{
		raw now{};

		detail::check(GOSYNC_IOC_ATOMIC_WAIT,
			      words::wait(h_, i_, kept(old), deadline(), &now), ec);
		return seen(now);
	}

	/** wait(), until a deadline. Return: what is there now, or nothing if that is @p old */
	std::optional<value_type> wait_until(value_type old, deadline d) const
	{
		raw now{};

		if (!detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_ATOMIC_WAIT,
					  words::wait(h_, i_, kept(old), d, &now)))
			return std::nullopt;
		return seen(now);
	}

	std::optional<value_type> wait_until(value_type old, deadline d,
					     std::error_code &ec) const noexcept
	{
		raw now{};

		if (!detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_ATOMIC_WAIT,
					  words::wait(h_, i_, kept(old), d, &now), ec))
			return std::nullopt;
		return seen(now);
	}

	/** The same, from now */
	template <class Rep, class Period, class... Ec>
	std::optional<value_type> wait_for(value_type old,
					   const std::chrono::duration<Rep, Period> &d,
					   Ec &...ec) const noexcept(sizeof...(Ec) > 0)
	{
		return wait_until(old, deadline::after(d), ec...);
	}

	/** Wakes one waiter of the word. There is no system call if nobody waits. */
	void notify_one() const { wake(1); }

	void notify_one(std::error_code &ec) const noexcept { wake(1, ec); }

	/** Wakes all waiters of the word. */
	void notify_all() const { wake(UINT_MAX); }

	void notify_all(std::error_code &ec) const noexcept { wake(UINT_MAX, ec); }

	/** Waits until the word is no longer @p old, as an entry of wait_any() */
	gosync_wait_entry entry(value_type old) const noexcept
	{
		return words::entry(h_, i_, kept(old));
	}

private:
	static constexpr value_type seen(raw v) noexcept { return static_cast<value_type>(v); }

	static constexpr raw kept(value_type v) noexcept { return static_cast<raw>(v); }

	/* Without an overflow, which would be undefined in signed numbers */
	static constexpr value_type minus(value_type a, value_type b) noexcept
	{
		return static_cast<value_type>(static_cast<std::uint64_t>(a) -
					       static_cast<std::uint64_t>(b));
	}

	void wake(unsigned int count) const
	{
		detail::check(GOSYNC_IOC_ATOMIC_WAKE, words::wake(h_, i_, count));
	}

	void wake(unsigned int count, std::error_code &ec) const noexcept
	{
		detail::check(GOSYNC_IOC_ATOMIC_WAKE, words::wake(h_, i_, count), ec);
	}

	typename words::native *h_;
	std::size_t i_;
};

/**
 * An array of atomic words: Go's sync/atomic between processes. T is an integer of 4 or 8
 * bytes, bool, gosync::uintptr or gosync::pointer.
 *
 * `a[i]` is a word: see gosync::atomic_word. An array of one has `a[0]`.
 */
template <class T>
class atomic : public handle<atomic<T>, typename detail::kind<T>::words::native>
{
	using words = typename detail::kind<T>::words;
	using native = typename words::native;
	using base = handle<atomic, native>;

public:
	/** &enum gosync_type */
	static constexpr unsigned int type = words::type;

	using base::native_handle;

	/** An empty handle */
	atomic() noexcept = default;

	/**
	 * As gosync::mutex, without flags::errorcheck. @p count is how many words there are,
	 * 1 to 65536; 0 is 1 word, or as many as there are (otherwise errc::other_type).
	 */
	explicit atomic(name n, std::size_t count = 0, flags f = flags::none,
			unsigned int mode = 0600)
	{
		this->open_by(n, count, f, mode);
	}

	static atomic open(name n, std::size_t count, flags f, unsigned int mode,
			   std::error_code &ec) noexcept
	{
		return base::open_by(ec, n, count, f, mode);
	}

	/** The word @p i. Its operations look whether there is one. */
	atomic_word<T> operator[](std::size_t i) const noexcept { return {native_handle(), i}; }

	/** How many words there are */
	std::size_t size() const { return static_cast<std::size_t>(this->info().capacity); }

	std::size_t size(std::error_code &ec) const noexcept
	{
		return static_cast<std::size_t>(this->info(ec).capacity);
	}

private:
	friend base;

	static int make(const char *n, std::size_t count, flags f, unsigned int mode,
			native **h) noexcept
	{
		return words::open(n, count, detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, native **h) noexcept
	{
		return words::from(fd, f, h);
	}
};

} /* namespace gosync */

#endif /* GOSYNC_ATOMIC_HPP */
