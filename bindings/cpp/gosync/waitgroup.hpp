/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::waitgroup
 */
#ifndef GOSYNC_WAITGROUP_HPP
#define GOSYNC_WAITGROUP_HPP

#include "handle.hpp"

#include <memory>

namespace gosync
{

/**
 * A counter, and waiting until it is 0: Go's sync.WaitGroup between processes.
 *
 * The counter belongs to nobody, so a process that dies takes nothing back.
 */
class waitgroup : public handle<waitgroup, gosync_waitgroup_t>
{
public:
	/** &enum gosync_type */
	static constexpr unsigned int type = GOSYNC_WAITGROUP;

	/** An empty handle */
	waitgroup() noexcept = default;

	/** As gosync::mutex, without flags::errorcheck */
	explicit waitgroup(name n, flags f = flags::none, unsigned int mode = 0600)
	{
		open_by(n, f, mode);
	}

	static waitgroup open(name n, flags f, unsigned int mode, std::error_code &ec) noexcept
	{
		return open_by(ec, n, f, mode);
	}

	/**
	 * Changes the counter. At 0 all waiters of that moment go on. Fails with
	 * std::errc::result_out_of_range if it would be negative or more than 2147483647.
	 */
	void add(int delta)
	{
		detail::check(GOSYNC_IOC_WAITGROUP_ADD,
			      gosync_waitgroup_add(native_handle(), delta));
	}

	void add(int delta, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_WAITGROUP_ADD,
			      gosync_waitgroup_add(native_handle(), delta), ec);
	}

	/** Subtracts 1. Fails as add() */
	void done() { add(-1); }

	void done(std::error_code &ec) noexcept { add(-1, ec); }

	/** Waits until the counter is 0. A read-only handle may wait. */
	void wait() const
	{
		detail::check(GOSYNC_IOC_WAITGROUP_WAIT,
			      gosync_waitgroup_wait(native_handle()));
	}

	void wait(std::error_code &ec) const noexcept
	{
		detail::check(GOSYNC_IOC_WAITGROUP_WAIT, gosync_waitgroup_wait(native_handle()),
			      ec);
	}

	/** wait(), until a deadline. Return: whether the counter was 0 */
	[[nodiscard]] bool wait_until(deadline d) const
	{
		return detail::check_unless(
			-ETIMEDOUT, GOSYNC_IOC_WAITGROUP_WAIT,
			gosync_waitgroup_wait_until(native_handle(), d.ns(), d.flags()));
	}

	[[nodiscard]] bool wait_until(deadline d, std::error_code &ec) const noexcept
	{
		return detail::check_unless(
			-ETIMEDOUT, GOSYNC_IOC_WAITGROUP_WAIT,
			gosync_waitgroup_wait_until(native_handle(), d.ns(), d.flags()), ec);
	}

	/** The same, from now */
	template <class Rep, class Period, class... Ec>
	[[nodiscard]] bool wait_for(const std::chrono::duration<Rep, Period> &d,
				    Ec &...ec) const noexcept(sizeof...(Ec) > 0)
	{
		return wait_until(deadline::after(d), ec...);
	}

	/** The counter */
	int count() const
	{
		return detail::check(GOSYNC_IOC_INFO, gosync_waitgroup_count(native_handle()));
	}

	int count(std::error_code &ec) const noexcept
	{
		return detail::check(GOSYNC_IOC_INFO, gosync_waitgroup_count(native_handle()),
				     ec);
	}

	/**
	 * Go's WaitGroup.Go: adds 1, calls @p f() in a new, detached thread, and subtracts 1
	 * when that ends. The handle has to stay open until then. If @p f
	 * throws, std::terminate() is called, as in a std::thread. After an error @p f was
	 * not called, and the counter is as before.
	 */
	template <class F>
	void go(F f)
	{
		detail::check(GOSYNC_IOC_WAITGROUP_ADD, start(std::move(f)));
	}

	template <class F>
	void go(F f, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_WAITGROUP_ADD, start(std::move(f)), ec);
	}

	/** Waits until the counter is 0, as an entry of wait_any() or wait_all() */
	gosync_wait_entry entry() const noexcept
	{
		return gosync_entry_waitgroup(native_handle());
	}

private:
	friend handle;

	static int make(const char *n, flags f, unsigned int mode,
			gosync_waitgroup_t **h) noexcept
	{
		return gosync_waitgroup_open(n, detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, gosync_waitgroup_t **h) noexcept
	{
		return gosync_waitgroup_from_fd(fd, f, h);
	}

	template <class F>
	static void run(void *f)
	{
		const std::unique_ptr<F> mine(static_cast<F *>(f));

		(*mine)();
	}

	template <class F>
	int start(F &&f)
	{
		std::unique_ptr<F> its(new (std::nothrow) F(std::move(f)));
		const int ret =
			its ? gosync_waitgroup_go(native_handle(), run<F>, its.get()) : -ENOMEM;

		if (ret >= 0)
			static_cast<void>(its.release());
		return ret;
	}
};

} /* namespace gosync */

#endif /* GOSYNC_WAITGROUP_HPP */
