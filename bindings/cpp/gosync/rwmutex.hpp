/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::rwmutex
 */
#ifndef GOSYNC_RWMUTEX_HPP
#define GOSYNC_RWMUTEX_HPP

#include "mutex.hpp"

namespace gosync
{
namespace detail
{

struct rwmutex_side {
	using native = gosync_rwmutex_t;

	static constexpr unsigned int op = GOSYNC_IOC_RWMUTEX_LOCK;

	static int unlock(native *h) noexcept { return gosync_rwmutex_unlock(h); }
	static int recover(native *h) noexcept { return gosync_rwmutex_recover(h); }
};

/*
 * What a function that locks for reading returned. A reader cannot repair: if there is a
 * function that does, it locks for writing first, and afterwards for reading again. @ask
 * locks for writing (true) or for reading, and waits as long as the caller may.
 */
template <class Ask>
GOSYNC__COLD int locked_shared(gosync_rwmutex_t *h, const repair *f, int ret, Ask ask)
{
	while (ret == 1) {
		gosync_rwmutex_runlock(h);
		if (!f)
			fail(GOSYNC_IOC_RWMUTEX_RLOCK, -EOWNERDEAD);
		ret = locked<rwmutex_side>(h, f, ask(true));
		if (ret < 0)
			return ret;
		gosync_rwmutex_unlock(h);
		ret = ask(false);
	}
	return ret;
}

/* As @ask for locked_shared(): until a deadline */
inline int ask_until(gosync_rwmutex_t *h, bool write, deadline d) noexcept
{
	return write ? gosync_rwmutex_lock_until(h, d.ns(), d.flags()) :
		       gosync_rwmutex_rlock_until(h, d.ns(), d.flags());
}

inline int locked_shared_until(gosync_rwmutex_t *h, const repair *f, int ret, deadline d)
{
	return locked_shared(h, f, ret, [=](bool write) { return ask_until(h, write, d); });
}

/* The rest of lock_shared() */
GOSYNC__COLD inline void lock_shared_rest(gosync_rwmutex_t *h, const repair *f, int ret)
{
	check(GOSYNC_IOC_RWMUTEX_RLOCK, locked_shared_until(h, f, ret, deadline()));
}

} /* namespace detail */

/**
 * A lock for one writer or any number of readers: Go's sync.RWMutex between processes.
 * Lockable, TimedLockable, SharedLockable and SharedTimedLockable.
 *
 * It is used with std::unique_lock, std::shared_lock and so on. A writer that waits stops
 * new readers; readers that waited go before the next writer. Neither side is recursive.
 *
 * When a writer dies the rwmutex is poisoned, for writers and readers, as gosync::mutex
 * says. With on_owner_died() a reader that finds it so locks for writing first, repairs, and
 * then locks for reading. A reader that dies has changed nothing, and nobody is told.
 *
 * A read lock belongs to the handle: another cannot unlock it.
 */
class rwmutex : public handle<rwmutex, gosync_rwmutex_t>
{
public:
	/** &enum gosync_type */
	static constexpr unsigned int type = GOSYNC_RWMUTEX;

	/** An empty handle */
	rwmutex() noexcept = default;

	/** As gosync::mutex */
	explicit rwmutex(name n, flags f = flags::none, unsigned int mode = 0600)
	{
		open_by(n, f, mode);
	}

	static rwmutex open(name n, flags f, unsigned int mode, std::error_code &ec) noexcept
	{
		return open_by(ec, n, f, mode);
	}

	/** Locks for writing. All functions that do are as those of gosync::mutex. */
	void lock()
	{
		const int ret = gosync_rwmutex_lock(native_handle());

		if (__builtin_expect(ret != 0, 0))
			detail::lock_rest<side>(native_handle(), repair_.get(), ret);
	}

	void lock(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_RWMUTEX_LOCK,
			      detail::held(gosync_rwmutex_lock(native_handle())), ec);
	}

	[[nodiscard]] bool lock_poisoned()
	{
		return detail::check(GOSYNC_IOC_RWMUTEX_LOCK,
				     gosync_rwmutex_lock(native_handle())) == 1;
	}

	[[nodiscard]] bool try_lock()
	{
		return detail::check_unless(-EBUSY, GOSYNC_IOC_RWMUTEX_TRYLOCK,
					    locked(gosync_rwmutex_trylock(native_handle())));
	}

	[[nodiscard]] bool try_lock(std::error_code &ec) noexcept
	{
		return detail::check_held(-EBUSY, GOSYNC_IOC_RWMUTEX_TRYLOCK,
					  gosync_rwmutex_trylock(native_handle()), ec);
	}

	[[nodiscard]] bool try_lock_until(deadline d)
	{
		return detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_RWMUTEX_LOCK,
					    locked(ask(true, d)));
	}

	[[nodiscard]] bool try_lock_until(deadline d, std::error_code &ec) noexcept
	{
		return detail::check_held(-ETIMEDOUT, GOSYNC_IOC_RWMUTEX_LOCK, ask(true, d),
					  ec);
	}

	template <class Clock, class Duration, class... Ec>
	[[nodiscard]] bool try_lock_until(const std::chrono::time_point<Clock, Duration> &t,
					  Ec &...ec) noexcept(sizeof...(Ec) > 0)
	{
		return detail::until(t, [&](deadline d) { return try_lock_until(d, ec...); });
	}

	template <class Rep, class Period, class... Ec>
	[[nodiscard]] bool try_lock_for(const std::chrono::duration<Rep, Period> &d,
					Ec &...ec) noexcept(sizeof...(Ec) > 0)
	{
		return try_lock_until(deadline::after(d), ec...);
	}

	void unlock()
	{
		detail::check(GOSYNC_IOC_RWMUTEX_UNLOCK,
			      gosync_rwmutex_unlock(native_handle()));
	}

	void unlock(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_RWMUTEX_UNLOCK, gosync_rwmutex_unlock(native_handle()),
			      ec);
	}

	/** Locks for reading. Do not ask for a second read lock: a writer may be between. */
	void lock_shared()
	{
		const int ret = gosync_rwmutex_rlock(native_handle());

		if (__builtin_expect(ret != 0, 0))
			detail::lock_shared_rest(native_handle(), repair_.get(), ret);
	}

	/** The same. The caller holds the lock if @p ec is clear or errc::owner_died. */
	void lock_shared(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_RWMUTEX_RLOCK,
			      detail::held(gosync_rwmutex_rlock(native_handle())), ec);
	}

	/** Locks for reading, and returns whether the rwmutex is poisoned */
	[[nodiscard]] bool lock_shared_poisoned()
	{
		return detail::check(GOSYNC_IOC_RWMUTEX_RLOCK,
				     gosync_rwmutex_rlock(native_handle())) == 1;
	}

	[[nodiscard]] bool try_lock_shared()
	{
		gosync_rwmutex_t *h = native_handle();
		int ret = gosync_rwmutex_tryrlock(h);

		if (ret == 1)
			ret = detail::locked_shared(h, repair_.get(), ret, [h](bool write) {
				return write ? gosync_rwmutex_trylock(h) :
					       gosync_rwmutex_tryrlock(h);
			});
		return detail::check_unless(-EBUSY, GOSYNC_IOC_RWMUTEX_TRYRLOCK, ret);
	}

	[[nodiscard]] bool try_lock_shared(std::error_code &ec) noexcept
	{
		return detail::check_held(-EBUSY, GOSYNC_IOC_RWMUTEX_TRYRLOCK,
					  gosync_rwmutex_tryrlock(native_handle()), ec);
	}

	[[nodiscard]] bool try_lock_shared_until(deadline d)
	{
		return detail::check_unless(-ETIMEDOUT, GOSYNC_IOC_RWMUTEX_RLOCK,
					    locked_shared(ask(false, d), d));
	}

	[[nodiscard]] bool try_lock_shared_until(deadline d, std::error_code &ec) noexcept
	{
		return detail::check_held(-ETIMEDOUT, GOSYNC_IOC_RWMUTEX_RLOCK, ask(false, d),
					  ec);
	}

	template <class Clock, class Duration, class... Ec>
	[[nodiscard]] bool try_lock_shared_until(
		const std::chrono::time_point<Clock, Duration> &t,
		Ec &...ec) noexcept(sizeof...(Ec) > 0)
	{
		return detail::until(
			t, [&](deadline d) { return try_lock_shared_until(d, ec...); });
	}

	template <class Rep, class Period, class... Ec>
	[[nodiscard]] bool try_lock_shared_for(const std::chrono::duration<Rep, Period> &d,
					       Ec &...ec) noexcept(sizeof...(Ec) > 0)
	{
		return try_lock_shared_until(deadline::after(d), ec...);
	}

	/** Unlocks what this handle has locked for reading; fails as unlock() */
	void unlock_shared()
	{
		detail::check(GOSYNC_IOC_RWMUTEX_RUNLOCK,
			      gosync_rwmutex_runlock(native_handle()));
	}

	void unlock_shared(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_RWMUTEX_RUNLOCK,
			      gosync_rwmutex_runlock(native_handle()), ec);
	}

	/** As gosync::mutex; the caller must have locked for writing. */
	void recover()
	{
		detail::check(GOSYNC_IOC_RWMUTEX_RECOVER,
			      gosync_rwmutex_recover(native_handle()));
	}

	void recover(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_RWMUTEX_RECOVER,
			      gosync_rwmutex_recover(native_handle()), ec);
	}

	/** The fencing token of the last lock for writing: as gosync::mutex */
	std::uint64_t token() const
	{
		std::uint64_t result = 0;

		detail::check(GOSYNC_IOC_INFO, gosync_rwmutex_token(native_handle(), &result));
		return result;
	}

	std::uint64_t token(std::error_code &ec) const noexcept
	{
		std::uint64_t result = 0;

		detail::check(GOSYNC_IOC_INFO, gosync_rwmutex_token(native_handle(), &result),
			      ec);
		return result;
	}

	/** As gosync::mutex */
	void on_owner_died(repair f)
	{
		repair_ = f ? std::make_unique<const repair>(std::move(f)) : nullptr;
	}

	/** Locks for writing, as an entry of wait_any() or wait_all() */
	gosync_wait_entry entry() const noexcept
	{
		return gosync_entry_rwmutex(native_handle());
	}

	/** Locks for reading, as such an entry */
	gosync_wait_entry entry_shared() const noexcept
	{
		return gosync_entry_rwmutex_read(native_handle());
	}

private:
	friend handle;
	friend class cond;
	using side = detail::rwmutex_side;

	static int make(const char *n, flags f, unsigned int mode,
			gosync_rwmutex_t **h) noexcept
	{
		return gosync_rwmutex_open(n, detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, gosync_rwmutex_t **h) noexcept
	{
		return gosync_rwmutex_from_fd(fd, f, h);
	}

	int ask(bool write, deadline d) noexcept
	{
		return detail::ask_until(native_handle(), write, d);
	}

	int locked(int ret)
	{
		return ret ? detail::locked<side>(native_handle(), repair_.get(), ret) : 0;
	}

	int locked_shared(int ret, deadline d)
	{
		return ret ? detail::locked_shared_until(native_handle(), repair_.get(), ret,
							 d) :
			     0;
	}

	std::unique_ptr<const repair> repair_;
};

} /* namespace gosync */

#endif /* GOSYNC_RWMUTEX_HPP */
