/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gosync::mutex, and what a lock whose owner died does, which is the same for rwmutex.
 */
#ifndef GOSYNC_MUTEX_HPP
#define GOSYNC_MUTEX_HPP

#include "handle.hpp"

#include <functional>
#include <memory>

namespace gosync
{

/** Puts right what a lock protects, after an owner died with it */
using repair = std::function<void()>;

namespace detail
{

/* The functions of a lock for writing */
struct mutex_side {
	using native = gosync_mutex_t;

	static constexpr unsigned int op = GOSYNC_IOC_MUTEX_LOCK;

	static int unlock(native *h) noexcept { return gosync_mutex_unlock(h); }
	static int recover(native *h) noexcept { return gosync_mutex_recover(h); }
};

/* Unlocks at the end of its scope, unless it was told to keep the lock */
template <class Side>
struct unlocking {
	typename Side::native *h;

	explicit unlocking(typename Side::native *lock) noexcept : h(lock) {}
	unlocking(const unlocking &) = delete;
	unlocking &operator=(const unlocking &) = delete;

	~unlocking()
	{
		if (h)
			Side::unlock(h);
	}

	void keep() noexcept { h = nullptr; }
};

/*
 * The caller has locked, and an owner had died. On return it has the lock, which was
 * repaired by @f; without @f, or if that throws, it has not, and the lock is poisoned.
 */
template <class Side>
GOSYNC__COLD void mend(typename Side::native *h, const repair *f)
{
	unlocking<Side> lock(h);

	if (!f)
		fail(Side::op, -EOWNERDEAD);
	(*f)();
	check(Side::op, Side::recover(h));
	lock.keep();
}

/* What a lock function returned that is not 0. Return: the same, 0 after a repair */
template <class Side>
GOSYNC__COLD int locked(typename Side::native *h, const repair *f, int ret)
{
	if (ret == 1) {
		mend<Side>(h, f);
		return 0;
	}
	return ret;
}

/* The rest of lock(), which is small so that it is inlined */
template <class Side>
GOSYNC__COLD void lock_rest(typename Side::native *h, const repair *f, int ret)
{
	check(Side::op, locked<Side>(h, f, ret));
}

/* What a lock function returned that tells of a death: 1 is an error that is held */
inline int held(int ret) noexcept
{
	return ret == 1 ? -EOWNERDEAD : ret;
}

/* As check_unless() for these */
inline bool check_held(int no, unsigned int op, int ret, std::error_code &ec) noexcept
{
	check_unless(no, op, held(ret), ec);
	return ret >= 0;
}

} /* namespace detail */

/**
 * A lock with one owner: Go's sync.Mutex between processes. Lockable and TimedLockable.
 *
 * It is used with std::lock_guard, std::unique_lock, std::scoped_lock, std::lock and
 * std::condition_variable_any; between processes take gosync::cond. It is not recursive.
 *
 * **When an owner dies** the kernel unlocks the mutex, which is then poisoned. What a lock
 * does about that:
 *
 * - lock() and the try functions throw gosync::owner_died. The caller does not hold the
 *   lock, which is still poisoned: others are told, too.
 * - With on_owner_died() they call a function of yours first, with the lock held. When it
 *   returns, the mutex is right again, and the caller holds it. If it throws, the caller
 *   does not hold it, and it is still poisoned.
 * - lock_poisoned(), and all functions with std::error_code, tell, and the caller holds
 *   the lock. It puts things right, calls recover(), and unlocks.
 *
 * Any thread of any process may unlock it, as in Go, unless it was created with
 * flags::errorcheck. The owner is the handle: all threads that use one are one owner,
 * although the lock excludes them from each other.
 */
class mutex : public handle<mutex, gosync_mutex_t>
{
public:
	/** &enum gosync_type */
	static constexpr unsigned int type = GOSYNC_MUTEX;

	/** An empty handle */
	mutex() noexcept = default;

	/**
	 * Opens or, with flags::create, creates a mutex. @p mode are the permission bits
	 * of a new one; the umask does not apply.
	 *
	 * Fails with errc::no_device, std::errc::no_such_file_or_directory,
	 * permission_denied and others of GOSYNC_IOC_OPEN.
	 */
	explicit mutex(name n, flags f = flags::none, unsigned int mode = 0600)
	{
		open_by(n, f, mode);
	}

	/** The same; after an error the handle is empty. */
	static mutex open(name n, flags f, unsigned int mode, std::error_code &ec) noexcept
	{
		return open_by(ec, n, f, mode);
	}

	/** Locks, for as long as it takes. Throws as said above; gosync::broken. */
	void lock()
	{
		const int ret = gosync_mutex_lock(native_handle());

		if (__builtin_expect(ret != 0, 0))
			detail::lock_rest<side>(native_handle(), repair_.get(), ret);
	}

	/** The same. The caller holds the lock if @p ec is clear or errc::owner_died. */
	void lock(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_MUTEX_LOCK,
			      detail::held(gosync_mutex_lock(native_handle())), ec);
	}

	/** Locks, and returns whether the mutex is poisoned. Throws only if it is not held. */
	[[nodiscard]] bool lock_poisoned()
	{
		return detail::check(GOSYNC_IOC_MUTEX_LOCK,
				     gosync_mutex_lock(native_handle())) == 1;
	}

	/** Locks if that needs no wait. Return: whether the caller holds it */
	[[nodiscard]] bool try_lock()
	{
		return detail::check_unless(-EBUSY, GOSYNC_IOC_MUTEX_TRYLOCK,
					    locked(gosync_mutex_trylock(native_handle())));
	}

	/** The same. It is held also if @p ec is errc::owner_died. */
	[[nodiscard]] bool try_lock(std::error_code &ec) noexcept
	{
		return detail::check_held(-EBUSY, GOSYNC_IOC_MUTEX_TRYLOCK,
					  gosync_mutex_trylock(native_handle()), ec);
	}

	/**
	 * Locks, until a deadline. A free lock is taken even if that has passed.
	 * Return: whether the caller holds it
	 */
	[[nodiscard]] bool try_lock_until(deadline d)
	{
		return detail::check_unless(
			-ETIMEDOUT, GOSYNC_IOC_MUTEX_LOCK,
			locked(gosync_mutex_lock_until(native_handle(), d.ns(), d.flags())));
	}

	[[nodiscard]] bool try_lock_until(deadline d, std::error_code &ec) noexcept
	{
		return detail::check_held(
			-ETIMEDOUT, GOSYNC_IOC_MUTEX_LOCK,
			gosync_mutex_lock_until(native_handle(), d.ns(), d.flags()), ec);
	}

	/** The same, for a time of any clock */
	template <class Clock, class Duration, class... Ec>
	[[nodiscard]] bool try_lock_until(const std::chrono::time_point<Clock, Duration> &t,
					  Ec &...ec) noexcept(sizeof...(Ec) > 0)
	{
		return detail::until(t, [&](deadline d) { return try_lock_until(d, ec...); });
	}

	/** The same, from now */
	template <class Rep, class Period, class... Ec>
	[[nodiscard]] bool try_lock_for(const std::chrono::duration<Rep, Period> &d,
					Ec &...ec) noexcept(sizeof...(Ec) > 0)
	{
		return try_lock_until(deadline::after(d), ec...);
	}

	/**
	 * Unlocks. Fails with std::errc::operation_not_permitted if it is not locked, or
	 * with flags::errorcheck not by this handle; with gosync::broken if it was taken
	 * away. In the destructor of a std::lock_guard that ends the program: whoever has to
	 * survive it unlocks by the other form.
	 */
	void unlock()
	{
		detail::check(GOSYNC_IOC_MUTEX_UNLOCK, gosync_mutex_unlock(native_handle()));
	}

	void unlock(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_MUTEX_UNLOCK, gosync_mutex_unlock(native_handle()),
			      ec);
	}

	/**
	 * Says that what the lock protects is right again. The caller must own the lock
	 * (otherwise std::errc::operation_not_permitted).
	 */
	void recover()
	{
		detail::check(GOSYNC_IOC_MUTEX_RECOVER, gosync_mutex_recover(native_handle()));
	}

	void recover(std::error_code &ec) noexcept
	{
		detail::check(GOSYNC_IOC_MUTEX_RECOVER, gosync_mutex_recover(native_handle()),
			      ec);
	}

	/**
	 * The fencing token of the present acquisition: a later one has a larger token, by
	 * whoever. The caller should own the lock. Throws gosync::broken.
	 */
	std::uint64_t token() const
	{
		std::uint64_t result = 0;

		detail::check(GOSYNC_IOC_INFO, gosync_mutex_token(native_handle(), &result));
		return result;
	}

	std::uint64_t token(std::error_code &ec) const noexcept
	{
		std::uint64_t result = 0;

		detail::check(GOSYNC_IOC_INFO, gosync_mutex_token(native_handle(), &result),
			      ec);
		return result;
	}

	/**
	 * What to do when an owner has died with the lock: see above. An empty function
	 * takes it back. Call it before others use this object; it belongs to this object
	 * alone, and moves with it. Throws std::bad_alloc.
	 */
	void on_owner_died(repair f)
	{
		repair_ = f ? std::make_unique<const repair>(std::move(f)) : nullptr;
	}

	/** Locks, as an entry of wait_any() or wait_all() */
	gosync_wait_entry entry() const noexcept { return gosync_entry_mutex(native_handle()); }

private:
	friend handle;
	friend class cond;
	using side = detail::mutex_side;

	static int make(const char *n, flags f, unsigned int mode, gosync_mutex_t **h) noexcept
	{
		return gosync_mutex_open(n, detail::bits(f), mode, h);
	}

	static int from(int fd, unsigned int f, gosync_mutex_t **h) noexcept
	{
		return gosync_mutex_from_fd(fd, f, h);
	}

	int locked(int ret)
	{
		return ret ? detail::locked<side>(native_handle(), repair_.get(), ret) : 0;
	}

	std::unique_ptr<const repair> repair_;
};

} /* namespace gosync */

#endif /* GOSYNC_MUTEX_HPP */
