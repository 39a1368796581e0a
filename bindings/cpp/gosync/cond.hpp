/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::cond
 */
#ifndef GOSYNC_COND_HPP
#define GOSYNC_COND_HPP

#include "mutex.hpp"
#include "rwmutex.hpp"

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

namespace gosync
{

/**
 * Waiting for an event with a lock: Go's sync.Cond between processes, with the functions of
 * std::condition_variable.
 *
 * The lock is a std::unique_lock of a mutex or an rwmutex, or a std::shared_lock of an
 * rwmutex, which has it locked. There are no spurious wake-ups, and waiters are woken in
 * their order. Even so wait in a loop, or with a predicate: another process may have been
 * there between the signal and the lock.
 *
 * A wait locks again before it returns. If an owner of the lock died meanwhile, it does
 * what lock() does: see gosync::mutex. After gosync::owner_died and gosync::broken the lock
 * is not held, and `lk.owns_lock()` says so; after any other error it is held as before.
 */
class cond : public handle<cond, gosync_cond_t>
{
public:
	/** &enum gosync_type */
	static constexpr unsigned int type = GOSYNC_COND;

	/** An empty handle */
	cond() noexcept = default;

	/** As gosync::mutex, without flags::errorcheck */
	explicit cond(name n, flags f = flags::none, unsigned int mode = 0600)
	{
		open_by(n, f, mode);
	}

	static cond open(name n, flags f, unsigned int mode, std::error_code &ec) noexcept
	{
		return open_by(ec, n, f, mode);
	}

	/**
	 * Unlocks, waits to be notified, locks again. A signal that comes after the unlock
	 * finds the caller waiting. Fails with std::errc::operation_not_permitted if @p lk
	 * does not own its lock; with bad_file_descriptor if a handle is read-only.
	 */
	template <class Lock>
	void wait(Lock &lk)
	{
		detail::check(GOSYNC_IOC_COND_WAIT, mended(lk, ask(lk, deadline())));
	}

	/** The same. If @p ec is errc::owner_died, the lock is held. */
	template <class Lock>
	void wait(Lock &lk, std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_COND_WAIT, detail::held(told(lk, ask(lk, deadline()))),
			      ec);
	}

	/** Waits until @p done() is true, which is called with the lock held. */
	template <class Lock, class Predicate,
		  class = std::enable_if_t<std::is_invocable_v<Predicate &>>>
	void wait(Lock &lk, Predicate done)
	{
		while (!done())
			wait(lk);
	}

	/** The same. An error ends it, errc::owner_died too. */
	template <class Lock, class Predicate>
	void wait(Lock &lk, Predicate done,
		  std::error_code &ec) noexcept(std::is_nothrow_invocable_v<Predicate &>)
	{
		ec.clear();
		while (!ec && !done())
			wait(lk, ec);
	}

	/**
	 * wait(), until a deadline, after which the lock is held, too. Return:
	 * std::cv_status::timeout if it was not notified. If an owner of the lock died
	 * meanwhile, it is no_timeout, whatever the time: then the condition tells.
	 */
	template <class Lock>
	std::cv_status wait_until(Lock &lk, deadline d)
	{
		const int ret = mended(lk, ask(lk, d));

		return status(detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_COND_WAIT, ret));
	}

	template <class Lock>
	std::cv_status wait_until(Lock &lk, deadline d, std::error_code &ec) noexcept
	{
		const int ret = told(lk, ask(lk, d));

		detail::check_held(-ETIMEDOUT, GOSYNC_IOC_COND_WAIT, ret, ec);
		return status(ret != -ETIMEDOUT);
	}

	/** Waits until @p done() is true or the deadline has passed. Return: what it says */
	template <class Lock, class Predicate,
		  class = std::enable_if_t<std::is_invocable_v<Predicate &>>>
	bool wait_until(Lock &lk, deadline d, Predicate done)
	{
		while (!done())
			if (wait_until(lk, d) == std::cv_status::timeout)
				return done();
		return true;
	}

	template <class Lock, class Predicate>
	bool wait_until(Lock &lk, deadline d, Predicate done,
			std::error_code &ec) noexcept(std::is_nothrow_invocable_v<Predicate &>)
	{
		ec.clear();
		while (!done()) {
			if (wait_until(lk, d, ec) == std::cv_status::timeout)
				return done();
			if (ec)
				return false;
		}
		return true;
	}

	/** The same, from now */
	template <class Lock, class Rep, class Period, class... Rest>
	auto wait_for(Lock &lk, const std::chrono::duration<Rep, Period> &d, Rest &&...rest)
	{
		return wait_until(lk, deadline::after(d), std::forward<Rest>(rest)...);
	}

	/** Wakes the longest waiter. The caller may hold the lock, but need not. */
	void notify_one()
	{
		detail::check(GOSYNC_IOC_COND_SIGNAL, gosync_cond_signal(native_handle()));
	}

	void notify_one(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_COND_SIGNAL, gosync_cond_signal(native_handle()), ec);
	}

	/** Wakes all waiters of this moment. */
	void notify_all()
	{
		detail::check(GOSYNC_IOC_COND_BROADCAST,
			      gosync_cond_broadcast(native_handle()));
	}

	void notify_all(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_COND_BROADCAST, gosync_cond_broadcast(native_handle()),
			      ec);
	}

private:
	friend handle;

	static int make(const char *n, flags f, unsigned int mode, gosync_cond_t **h) noexcept
	{
		return gosync_cond_open(n, detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, gosync_cond_t **h) noexcept
	{
		return gosync_cond_from_fd(fd, f, h);
	}

	static std::cv_status status(bool notified) noexcept
	{
		return notified ? std::cv_status::no_timeout : std::cv_status::timeout;
	}

	template <class Lock>
	static constexpr bool reads = std::is_same_v<Lock, std::shared_lock<rwmutex>>;

	template <class Lock>
	int ask(Lock &lk, deadline d) noexcept
	{
		static_assert(std::is_same_v<Lock, std::unique_lock<mutex>> ||
				      std::is_same_v<Lock, std::unique_lock<rwmutex>> ||
				      reads<Lock>,
			      "std::unique_lock of a mutex or rwmutex, or std::shared_lock");
		if (!lk.owns_lock())
			return -EPERM;
		return gosync_cond_wait_until(native_handle(), lk.mutex()->native_handle(),
					      d.ns(),
					      d.flags() | (reads<Lock> ? GOSYNC_READ_SIDE : 0));
	}

	/* The lock is gone, and @lk is told. Return: the mutex */
	template <class Lock>
	static auto *lost(Lock &lk) noexcept
	{
		auto *m = lk.release();

		lk = Lock(*m, std::defer_lock);
		return m;
	}

	template <class Lock>
	static int told(Lock &lk, int ret) noexcept
	{
		if (ret == -ESTALE)
			lost(lk);
		return ret;
	}

	/* As lock() after a death. If that throws, @lk knows that the lock is not held. */
	template <class Lock>
	static int mended(Lock &lk, int ret)
	{
		if (told(lk, ret) != 1)
			return ret;
		auto *m = lost(lk);

		if constexpr (reads<Lock>)
			ret = m->locked_shared(ret, deadline());
		else
			ret = m->locked(ret);
		if (ret >= 0)
			lk = Lock(*m, std::adopt_lock);
		return ret;
	}
};

} /* namespace gosync */

#endif /* GOSYNC_COND_HPP */
