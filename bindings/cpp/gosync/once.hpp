/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::once
 */
#ifndef GOSYNC_ONCE_HPP
#define GOSYNC_ONCE_HPP

#include "handle.hpp"

namespace gosync
{

/**
 * Something that is done once: Go's sync.Once between processes. Of all callers, in
 * whatever process, one does it; the others return when it has been done.
 *
 * With flags::persist it stays done when nobody has it open.
 */
class once : public handle<once, gosync_once_t>
{
	/* Never throws, in the way in which run() calls it */
	template <class F>
	static constexpr bool is_quiet =
		std::is_invocable_v<F &, bool> ? std::is_nothrow_invocable_v<F &, bool> :
						 std::is_nothrow_invocable_v<F &>;

public:
	/** &enum gosync_type */
	static constexpr unsigned int type = GOSYNC_ONCE;

	/** What begin() tells the caller */
	enum class todo {
		nothing = GOSYNC_ONCE_DONE,        /**< it has been done */
		run = GOSYNC_ONCE_RUN,             /**< do it, then call done() */
		run_again = GOSYNC_ONCE_RUN_AGAIN, /**< the same; another had begun */
	};

	/** An empty handle */
	once() noexcept = default;

	/** As gosync::mutex, without flags::errorcheck */
	explicit once(name n, flags f = flags::none, unsigned int mode = 0600)
	{
		open_by(n, f, mode);
	}

	static once open(name n, flags f, unsigned int mode, std::error_code &ec) noexcept
	{
		return open_by(ec, n, f, mode);
	}

	/**
	 * Has @p f done once. It is called as f(), or as f(died) if it takes a bool: whether
	 * an earlier runner ended before it had done it.
	 *
	 * If @p f throws, the exception leaves call(), and the next caller does it, as with
	 * std::call_once(). If the runner dies, the next waiter does it. Afterwards call()
	 * makes no system call. Fails with std::errc::resource_deadlock_would_occur from
	 * inside @p f.
	 */
	template <class F>
	void call(F &&f)
	{
		using callable = std::remove_reference_t<F>;

		detail::check(
			GOSYNC_IOC_ONCE_BEGIN,
			gosync_once_do(native_handle(), run<callable>, detail::context(f)));
	}

	template <class F>
	void call(F &&f, std::error_code &ec) noexcept(is_quiet<F>)
	{
		using callable = std::remove_reference_t<F>;

		detail::check(
			GOSYNC_IOC_ONCE_BEGIN,
			gosync_once_do(native_handle(), run<callable>, detail::context(f)), ec);
	}

	/** call(), but if @p f throws it counts as done, as a function that panics in Go */
	template <class F>
	void call_anyway(F &&f)
	{
		using callable = std::remove_reference_t<F>;

		detail::check(GOSYNC_IOC_ONCE_BEGIN,
			      gosync_once_do_anyway(native_handle(), run<callable>,
						    detail::context(f)));
	}

	template <class F>
	void call_anyway(F &&f, std::error_code &ec) noexcept(is_quiet<F>)
	{
		using callable = std::remove_reference_t<F>;

		detail::check(GOSYNC_IOC_ONCE_BEGIN,
			      gosync_once_do_anyway(native_handle(), run<callable>,
						    detail::context(f)),
			      ec);
	}

	/**
	 * The first half of call(), which waits while another does it. A deadline that
	 * passes is an error here (std::errc::timed_out).
	 */
	[[nodiscard]] todo begin(deadline d = {})
	{
		return static_cast<todo>(detail::check(GOSYNC_IOC_ONCE_BEGIN, begin_native(d)));
	}

	/** The same; todo::nothing after an error */
	[[nodiscard]] todo begin(deadline d, std::error_code &ec) noexcept
	{
		const int ret = detail::check(GOSYNC_IOC_ONCE_BEGIN, begin_native(d), ec);

		return ret < 0 ? todo::nothing : static_cast<todo>(ret);
	}

	/** The second half. Fails with std::errc::operation_not_permitted for others. */
	void done() { detail::check(GOSYNC_IOC_ONCE_DONE, gosync_once_done(native_handle())); }

	void done(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_ONCE_DONE, gosync_once_done(native_handle()), ec);
	}

	/** Takes begin() back: the next waiter is to do it. Fails as done() */
	void abandon()
	{
		detail::check(GOSYNC_IOC_ONCE_ABANDON, gosync_once_abandon(native_handle()));
	}

	void abandon(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_ONCE_ABANDON, gosync_once_abandon(native_handle()),
			      ec);
	}

	/** Has it been done? A read-only handle may ask this, and wait. */
	bool is_done() const
	{
		return detail::check(GOSYNC_IOC_INFO, gosync_once_is_done(native_handle())) ==
		       1;
	}

	bool is_done(std::error_code &ec) const noexcept
	{
		return detail::check(GOSYNC_IOC_INFO, gosync_once_is_done(native_handle()),
				     ec) == 1;
	}

	/** Waits until it has been done, and never has the caller do it. */
	void wait() const
	{
		detail::check(GOSYNC_IOC_ONCE_WAIT, gosync_once_wait(native_handle()));
	}

	void wait(std::error_code &ec) const noexcept
	{
		detail::check(GOSYNC_IOC_ONCE_WAIT, gosync_once_wait(native_handle()), ec);
	}

	/** wait(), until a deadline. Return: whether it has been done */
	[[nodiscard]] bool wait_until(deadline d) const
	{
		return detail::check_unless(
			-ETIMEDOUT, GOSYNC_IOC_ONCE_WAIT,
			gosync_once_wait_until(native_handle(), d.ns(), d.flags()));
	}

	[[nodiscard]] bool wait_until(deadline d, std::error_code &ec) const noexcept
	{
		return detail::check_unless(
			-ETIMEDOUT, GOSYNC_IOC_ONCE_WAIT,
			gosync_once_wait_until(native_handle(), d.ns(), d.flags()), ec);
	}

	/** The same, from now */
	template <class Rep, class Period, class... Ec>
	[[nodiscard]] bool wait_for(const std::chrono::duration<Rep, Period> &d,
				    Ec &...ec) const noexcept(sizeof...(Ec) > 0)
	{
		return wait_until(deadline::after(d), ec...);
	}

	/** Waits until it has been done, as an entry of wait_any() or wait_all() */
	gosync_wait_entry entry() const noexcept { return gosync_entry_once(native_handle()); }

private:
	friend handle;

	static int make(const char *n, flags f, unsigned int mode, gosync_once_t **h) noexcept
	{
		return gosync_once_open(n, detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, gosync_once_t **h) noexcept
	{
		return gosync_once_from_fd(fd, f, h);
	}

	int begin_native(deadline d) noexcept
	{
		return gosync_once_begin_until(native_handle(), d.ns(), d.flags());
	}

	template <class F>
	static void run(void *f, int died)
	{
		if constexpr (std::is_invocable_v<F &, bool>)
			detail::target<F>(f)(died != 0);
		else
			detail::target<F>(f)();
	}
};

} /* namespace gosync */

#endif /* GOSYNC_ONCE_HPP */
