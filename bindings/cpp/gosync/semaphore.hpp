/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::semaphore
 */
#ifndef GOSYNC_SEMAPHORE_HPP
#define GOSYNC_SEMAPHORE_HPP

#include "handle.hpp"

namespace gosync
{

/**
 * A number of permits, first come first served, with the functions of
 * std::counting_semaphore, each of which may also ask for several permits at once.
 *
 * Permits belong to nobody, and those of a process that dies are lost. With
 * flags::give_back they belong to the handle that acquired them, and return when it ends.
 */
class semaphore : public handle<semaphore, gosync_semaphore_t>
{
public:
	/** &enum gosync_type */
	static constexpr unsigned int type = GOSYNC_SEMAPHORE;

	/** An empty handle */
	semaphore() noexcept = default;

	/**
	 * As gosync::mutex. @p permits is how many a new one begins with, up to 2147483647;
	 * for a name that exists, 0 or its limit (otherwise errc::other_type).
	 */
	explicit semaphore(name n, unsigned int permits = 0, flags f = flags::none,
			   unsigned int mode = 0600)
	{
		open_by(n, permits, f, mode);
	}

	static semaphore open(name n, unsigned int permits, flags f, unsigned int mode,
			      std::error_code &ec) noexcept
	{
		return open_by(ec, n, permits, f, mode);
	}

	/** Takes @p n permits, for as long as it takes. */
	void acquire(unsigned int n = 1)
	{
		detail::check(GOSYNC_IOC_SEMAPHORE_ACQUIRE,
			      gosync_semaphore_acquire(native_handle(), n));
	}

	void acquire(unsigned int n, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_SEMAPHORE_ACQUIRE,
			      gosync_semaphore_acquire(native_handle(), n), ec);
	}

	void acquire(std::error_code &ec) noexcept { acquire(1, ec); }

	/** Takes @p n permits if they are there and nobody waits. Return: whether it did */
	[[nodiscard]] bool try_acquire(unsigned int n = 1)
	{
		return detail::check_unless(-EBUSY, GOSYNC_IOC_SEMAPHORE_ACQUIRE,
					    gosync_semaphore_tryacquire(native_handle(), n));
	}

	[[nodiscard]] bool try_acquire(unsigned int n, std::error_code &ec) noexcept
	{
		return detail::check_unless(-EBUSY, GOSYNC_IOC_SEMAPHORE_ACQUIRE,
					    gosync_semaphore_tryacquire(native_handle(), n),
					    ec);
	}

	[[nodiscard]] bool try_acquire(std::error_code &ec) noexcept
	{
		return try_acquire(1, ec);
	}

	/** Takes @p n permits, until a deadline. Return: whether it did */
	[[nodiscard]] bool try_acquire_until(deadline d, unsigned int n = 1)
	{
		return detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_SEMAPHORE_ACQUIRE,
					    ask(d, n));
	}

	[[nodiscard]] bool try_acquire_until(deadline d, unsigned int n,
					     std::error_code &ec) noexcept
	{
		return detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_SEMAPHORE_ACQUIRE, ask(d, n),
					    ec);
	}

	[[nodiscard]] bool try_acquire_until(deadline d, std::error_code &ec) noexcept
	{
		return try_acquire_until(d, 1, ec);
	}

	/** The same, from now */
	template <class Rep, class Period>
	[[nodiscard]] bool try_acquire_for(const std::chrono::duration<Rep, Period> &d,
					   unsigned int n = 1)
	{
		return try_acquire_until(deadline::after(d), n);
	}

	template <class Rep, class Period>
	[[nodiscard]] bool try_acquire_for(const std::chrono::duration<Rep, Period> &d,
					   unsigned int n, std::error_code &ec) noexcept
	{
		return try_acquire_until(deadline::after(d), n, ec);
	}

	template <class Rep, class Period>
	[[nodiscard]] bool try_acquire_for(const std::chrono::duration<Rep, Period> &d,
					   std::error_code &ec) noexcept
	{
		return try_acquire_until(deadline::after(d), 1, ec);
	}

	/**
	 * Adds @p n permits. Fails with std::errc::result_out_of_range if there would be
	 * more than 2147483647; with flags::give_back, operation_not_permitted if this
	 * handle has acquired fewer, and gosync::broken.
	 */
	void release(unsigned int n = 1)
	{
		detail::check(GOSYNC_IOC_SEMAPHORE_RELEASE,
			      gosync_semaphore_release(native_handle(), n));
	}

	void release(unsigned int n, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_SEMAPHORE_RELEASE,
			      gosync_semaphore_release(native_handle(), n), ec);
	}

	void release(std::error_code &ec) noexcept { release(1, ec); }

	/** How many permits there are */
	unsigned int count() const
	{
		return static_cast<unsigned int>(detail::check(
			GOSYNC_IOC_INFO, gosync_semaphore_count(native_handle())));
	}

	unsigned int count(std::error_code &ec) const noexcept
	{
		const int ret = detail::check(GOSYNC_IOC_INFO,
					      gosync_semaphore_count(native_handle()), ec);

		return ret < 0 ? 0 : static_cast<unsigned int>(ret);
	}

	/** Changes how many there are in all: see gosync_semaphore_set_limit(). */
	void set_limit(unsigned int limit)
	{
		detail::check(GOSYNC_IOC_SEMAPHORE_LIMIT,
			      gosync_semaphore_set_limit(native_handle(), limit));
	}

	void set_limit(unsigned int limit, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_SEMAPHORE_LIMIT,
			      gosync_semaphore_set_limit(native_handle(), limit), ec);
	}

	/** Takes @p n permits, as an entry of wait_any() or wait_all() */
	gosync_wait_entry entry(unsigned int n = 1) const noexcept
	{
		return gosync_entry_semaphore(native_handle(), n);
	}

private:
	friend handle;

	static int make(const char *n, unsigned int permits, flags f, unsigned int mode,
			gosync_semaphore_t **h) noexcept
	{
		return gosync_semaphore_open(n, permits, detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, gosync_semaphore_t **h) noexcept
	{
		return gosync_semaphore_from_fd(fd, f, h);
	}

	int ask(deadline d, unsigned int n) noexcept
	{
		return gosync_semaphore_acquire_until(native_handle(), n, d.ns(), d.flags());
	}
};

} /* namespace gosync */

#endif /* GOSYNC_SEMAPHORE_HPP */
