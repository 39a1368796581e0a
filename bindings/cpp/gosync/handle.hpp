/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles: what those of all types have in common, and names of objects.
 *
 * A handle is one pointer, that of the C library, which it closes in its destructor. It
 * can be moved, not copied. One that was moved from, or made without arguments, is empty.
 */
#ifndef GOSYNC_HANDLE_HPP
#define GOSYNC_HANDLE_HPP

#include "error.hpp"
#include "time.hpp"

#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>
#include <vector>

/*
 * With _GLIBCXX_ASSERTIONS, with which libstdc++ looks for empty pointers, an operation on
 * an empty handle ends the program with a message. Without it, it reads through a null
 * pointer.
 */
#if defined(_GLIBCXX_ASSERTIONS)
#define GOSYNC__EXPECT(what) __glibcxx_assert(what)
#else
#define GOSYNC__EXPECT(what) static_cast<void>(0)
#endif

namespace gosync
{

/** How to open an object. The words of <linux/gosync.h> say more. */
enum class flags : unsigned int {
	none = 0,
	create = GOSYNC_CREATE,         /**< create it if it is not there */
	exclusive = GOSYNC_EXCL,        /**< ... and fail if it is (std::errc::file_exists) */
	read_only = GOSYNC_RDONLY,      /**< observe only */
	persist = GOSYNC_PERSIST,       /**< it stays until it is unlinked */
	own_page = GOSYNC_OWN_PAGE,     /**< it shares memory with no other object */
	no_mmap = GOSYNC_NO_MMAP,       /**< for nobody mapped: all is system calls */
	errorcheck = GOSYNC_ERRORCHECK, /**< mutex, rwmutex: only the owner may unlock */
	give_back = GOSYNC_GIVE_BACK,   /**< semaphore: a dead holder's permits return */
	ioctl_only = GOSYNC_IOCTL_ONLY, /**< for this handle not mapped */
};

/** Flags together */
constexpr flags operator|(flags a, flags b) noexcept
{
	return static_cast<flags>(static_cast<unsigned int>(a) | static_cast<unsigned int>(b));
}

/**
 * The name of an object, 1 to 255 bytes without NUL. String literals and std::string
 * convert to it. nullptr is for an anonymous object, which only descriptors lead to.
 *
 * It keeps a pointer, so it must not outlive the string.
 */
class name
{
public:
	constexpr name(std::nullptr_t) noexcept {}

	constexpr name(const char *s) noexcept : name_(s) {}

	/* With NUL in it, it would be another name. */
	name(const std::string &s) noexcept
		: name_(s.c_str()), valid_(std::strlen(s.c_str()) == s.size())
	{
	}

	constexpr const char *c_str() const noexcept { return name_; }

	constexpr bool valid() const noexcept { return valid_; }

	/* Of an object that has to have one */
	constexpr bool named() const noexcept { return valid_ && name_; }

private:
	const char *name_ = nullptr;
	bool valid_ = true;
};

namespace detail
{

constexpr unsigned int bits(flags f) noexcept
{
	return static_cast<unsigned int>(f);
}

/* The callback of walks over holders */
template <class F>
int visit_holder(const struct gosync_party *holder, void *f)
{
	return visit(target<F>(f), *holder);
}

template <class F>
int visit_name(const struct gosync_info *info, void *f)
{
	return visit(target<F>(f), *info);
}

} /* namespace detail */

/**
 * The base of all handles. Derived is the class of the type, Native the C library's.
 *
 * Any number of threads may use one handle at once. But moving, swapping and closing it,
 * and its destructor, need it for themselves.
 *
 * In a child of fork(2) each handle is a holder of its own: it does not hold what the
 * parent's holds. If the child could get no descriptor, every operation fails with
 * std::errc::bad_file_descriptor.
 *
 * Operations need a handle that is not empty.
 */
template <class Derived, class Native>
class handle
{
public:
	/** The C library's handle, as `gosync_mutex_t *` */
	using native_handle_type = Native *;

	handle(const handle &) = delete;
	handle &operator=(const handle &) = delete;

	/** Is it a handle of an object? Otherwise it is empty. */
	explicit operator bool() const noexcept { return native_ != nullptr; }

	/** The C library's handle, for its functions; it stays this object's. */
	Native *native_handle() const noexcept
	{
		GOSYNC__EXPECT(native_ != nullptr);
		return native_;
	}

	/** Gives up the C library's handle, which the caller has to close. */
	[[nodiscard]] Native *detach() noexcept { return std::exchange(native_, nullptr); }

	/**
	 * Closes it. The handle is empty then. What it still holds is recovered as if its
	 * process had died, so unlock first.
	 */
	void close() noexcept { gosync_close(detach()); }

	/** Exchanges two handles. A std::unique_lock of one does not follow. */
	void swap(Derived &other) noexcept
	{
		Derived mine(std::move(self()));

		self() = std::move(other);
		other = std::move(mine);
	}

	friend void swap(Derived &a, Derived &b) noexcept { a.swap(b); }

	/** Two handles are equal if both are empty. A handle has but one owner. */
	friend bool operator==(const Derived &a, const Derived &b) noexcept
	{
		return static_cast<const handle &>(a).native_ ==
		       static_cast<const handle &>(b).native_;
	}

	friend bool operator!=(const Derived &a, const Derived &b) noexcept
	{
		return !(a == b);
	}

	/** Takes over a handle that C functions have made. */
	static Derived adopt(Native *native) noexcept
	{
		Derived result;

		static_cast<handle &>(result).native_ = native;
		return result;
	}

	/**
	 * Makes a handle of a descriptor, such as another process has sent. It is the same
	 * holder as the sender. @p f is flags::none or flags::ioctl_only.
	 *
	 * On success the descriptor belongs to the handle. After an error it is still the
	 * caller's: std::errc::wrong_protocol_type (an object of another type),
	 * inappropriate_io_control_operation (a descriptor of something else).
	 */
	static Derived from_fd(int fd, flags f = flags::none)
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_OPEN, Derived::from(fd, detail::bits(f), &native));
		return adopt(native);
	}

	static Derived from_fd(int fd, flags f, std::error_code &ec) noexcept
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_OPEN, Derived::from(fd, detail::bits(f), &native), ec);
		return adopt(native);
	}

	/**
	 * Waits until the name exists, and opens it. @p f is flags::none or read_only. A
	 * deadline that passes is an error here (std::errc::timed_out).
	 */
	static Derived await(name n, deadline d = {}, flags f = flags::none)
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_OPEN, await_native(n, d, f, &native));
		return adopt(native);
	}

	static Derived await(name n, deadline d, flags f, std::error_code &ec) noexcept
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_OPEN, await_native(n, d, f, &native), ec);
		return adopt(native);
	}

	/**
	 * Another handle that is the same holder: what one has locked the other may unlock.
	 * That is so until fork(2); in the child they are two holders.
	 *
	 * Its descriptor is close-on-exec. Another thread's fork(2) in the midst of dup() or
	 * reopen() may leave a child with a descriptor that no handle knows.
	 */
	Derived dup() const
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_REOPEN, dup_native(&native));
		return adopt(native);
	}

	Derived dup(std::error_code &ec) const noexcept
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_REOPEN, dup_native(&native), ec);
		return adopt(native);
	}

	/**
	 * Another handle of the same object that is a holder of its own, with the same
	 * rights: for a second party in the process, or after gosync::broken.
	 */
	Derived reopen() const
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_REOPEN, reopen_native(&native));
		return adopt(native);
	}

	Derived reopen(std::error_code &ec) const noexcept
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_REOPEN, reopen_native(&native), ec);
		return adopt(native);
	}

	/** The descriptor, for poll(2) and SCM_RIGHTS; it stays the handle's. */
	int fd() const { return detail::check(0, gosync_fd(native_handle())); }

	int fd(std::error_code &ec) const noexcept
	{
		return detail::check(0, gosync_fd(native_handle()), ec);
	}

	/** Are operations done on mapped memory? Otherwise each is a system call. */
	bool is_mapped() const noexcept { return gosync_is_mapped(native_handle()) > 0; }

	/** What is known of the object */
	struct gosync_info info() const
	{
		struct gosync_info result = {};

		detail::check(GOSYNC_IOC_INFO, gosync_info(native_handle(), &result));
		return result;
	}

	struct gosync_info info(std::error_code &ec) const noexcept
	{
		struct gosync_info result = {};

		detail::check(GOSYNC_IOC_INFO, gosync_info(native_handle(), &result), ec);
		return result;
	}

	/** How the waits for the object went */
	struct gosync_stat stat() const
	{
		struct gosync_stat result = {};

		detail::check(GOSYNC_IOC_STAT, gosync_stat(native_handle(), &result));
		return result;
	}

	struct gosync_stat stat(std::error_code &ec) const noexcept
	{
		struct gosync_stat result = {};

		detail::check(GOSYNC_IOC_STAT, gosync_stat(native_handle(), &result), ec);
		return result;
	}

	/** Who waits, in the order in which they will be served */
	std::vector<struct gosync_party> waiters() const
	{
		std::vector<struct gosync_party> result;

		detail::check(GOSYNC_IOC_WAITERS, list_waiters(result));
		return result;
	}

	std::vector<struct gosync_party> waiters(std::error_code &ec) const noexcept
	{
		std::vector<struct gosync_party> result;

		detail::check(GOSYNC_IOC_WAITERS,
			      detail::allocating([&] { return list_waiters(result); }), ec);
		return result;
	}

	/**
	 * Calls @p f(const struct gosync_party &) for each holder, with no lock held. If it
	 * returns false, the walk ends. What it throws ends the walk, and leaks nothing.
	 */
	template <class F>
	void holders(F &&f) const
	{
		detail::check(GOSYNC_IOC_HOLDERS, list_holders(f));
	}

	template <class F>
	void holders(F &&f, std::error_code &ec) const
		noexcept(std::is_nothrow_invocable_v<F &, const struct gosync_party &>)
	{
		detail::check(GOSYNC_IOC_HOLDERS, list_holders(f), ec);
	}

	/**
	 * Takes away what a holder has, although it lives: see gosync_break(). @p holder is
	 * gosync_party::holder. Fails with std::errc::operation_not_permitted if the object
	 * is another user's, no_such_process if there is no such holder or it has nothing.
	 */
	void break_holder(std::uint32_t holder) const
	{
		detail::check(GOSYNC_IOC_BREAK, gosync_break(native_handle(), holder));
	}

	void break_holder(std::uint32_t holder, std::error_code &ec) const noexcept
	{
		detail::check(GOSYNC_IOC_BREAK, gosync_break(native_handle(), holder), ec);
	}

protected:
	handle() noexcept = default;

	handle(handle &&other) noexcept : native_(other.detach()) {}

	handle &operator=(handle &&other) noexcept
	{
		if (this != &other) {
			close();
			native_ = other.detach();
		}
		return *this;
	}

	~handle() { gosync_close(native_); }

	/* Opens by Derived's make(name, args..., &native). */
	template <class... Args>
	void open_by(name n, Args... args)
	{
		detail::check(GOSYNC_IOC_OPEN, open_native(&native_, n, args...));
	}

	template <class... Args>
	static Derived open_by(std::error_code &ec, name n, Args... args) noexcept
	{
		Native *native = nullptr;

		detail::check(GOSYNC_IOC_OPEN, open_native(&native, n, args...), ec);
		return adopt(native);
	}

private:
	Derived &self() noexcept { return static_cast<Derived &>(*this); }

	template <class... Args>
	static int open_native(Native **native, name n, Args... args) noexcept
	{
		return n.valid() ? Derived::make(n.c_str(), args..., native) : -EINVAL;
	}

	/* @fd is the handle's or closed. */
	static int take_fd(int fd, unsigned int f, Native **native) noexcept
	{
		const int ret = Derived::from(fd, f, native);

		if (ret < 0)
			::close(fd);
		return ret;
	}

	static int await_native(name n, deadline d, flags f, Native **native) noexcept
	{
		if (!n.named())
			return -EINVAL;
		const int fd = gosync_await_name(n.c_str(), Derived::type, d.ns(),
						 d.flags() | detail::bits(f));

		return fd < 0 ? fd : take_fd(fd, 0, native);
	}

	unsigned int mapping() const noexcept { return is_mapped() ? 0 : GOSYNC_IOCTL_ONLY; }

	int dup_native(Native **native) const noexcept
	{
		const int own = gosync_fd(native_handle());
		const int fd = own < 0 ? own : ::fcntl(own, F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return own < 0 ? own : -errno;
		return take_fd(fd, mapping(), native);
	}

	int reopen_native(Native **native) const noexcept
	{
		const int own = gosync_fd(native_handle());
		const int fd = own < 0 ? own : ::ioctl(own, GOSYNC_IOC_REOPEN, 0);

		if (fd < 0)
			return own < 0 ? own : -errno;
		return take_fd(fd, mapping(), native);
	}

	int list_waiters(std::vector<struct gosync_party> &result) const
	{
		result.resize(GOSYNC_WAITERS_LISTED);
		const int n =
			gosync_waiters(native_handle(), result.data(), GOSYNC_WAITERS_LISTED);

		result.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
		return n;
	}

	/* A walk that @f ends is none that failed. */
	template <class F>
	int list_holders(F &f) const
	{
		return gosync_holders(native_handle(), detail::visit_holder<F>,
				      detail::context(f));
	}

	Native *native_ = nullptr;
};

/** Are both of one object? Costs two system calls. */
template <class A, class B, class NativeA, class NativeB>
bool same_object(const handle<A, NativeA> &a, const handle<B, NativeB> &b)
{
	return a.info().id == b.info().id;
}

/**
 * Removes a name. Handles go on working. Fails with std::errc::no_such_file_or_directory,
 * operation_not_permitted if the object is another user's.
 */
inline void unlink(name n)
{
	detail::check(GOSYNC_IOC_UNLINK, n.named() ? gosync_unlink(n.c_str()) : -EINVAL);
}

inline void unlink(name n, std::error_code &ec) noexcept
{
	detail::check(GOSYNC_IOC_UNLINK, n.named() ? gosync_unlink(n.c_str()) : -EINVAL, ec);
}

/** Removes a name unless the object is open, be it only to observe. Return: whether it did */
inline bool unlink_unused(name n)
{
	return detail::check_unless(-EBUSY, GOSYNC_IOC_UNLINK,
				    n.named() ? gosync_unlink_unused(n.c_str()) : -EINVAL);
}

inline bool unlink_unused(name n, std::error_code &ec) noexcept
{
	return detail::check_unless(-EBUSY, GOSYNC_IOC_UNLINK,
				    n.named() ? gosync_unlink_unused(n.c_str()) : -EINVAL, ec);
}

/** Changes an object's permission bits, for later opens: see gosync_chmod(). */
inline void chmod(name n, unsigned int mode)
{
	detail::check(GOSYNC_IOC_CHANGE, n.named() ? gosync_chmod(n.c_str(), mode) : -EINVAL);
}

inline void chmod(name n, unsigned int mode, std::error_code &ec) noexcept
{
	detail::check(GOSYNC_IOC_CHANGE, n.named() ? gosync_chmod(n.c_str(), mode) : -EINVAL,
		      ec);
}

/** Changes an object's owner and group; -1 leaves one as it is: see gosync_chown(). */
inline void chown(name n, unsigned int uid, unsigned int gid)
{
	detail::check(GOSYNC_IOC_CHANGE,
		      n.named() ? gosync_chown(n.c_str(), uid, gid) : -EINVAL);
}

inline void chown(name n, unsigned int uid, unsigned int gid, std::error_code &ec) noexcept
{
	detail::check(GOSYNC_IOC_CHANGE,
		      n.named() ? gosync_chown(n.c_str(), uid, gid) : -EINVAL, ec);
}

/**
 * Calls @p f(const struct gosync_info &) for each name that the caller may read, with no
 * lock held. If it returns false, the walk ends. What it throws ends the walk, and leaks
 * nothing.
 */
template <class F>
void list(F &&f)
{
	using callable = std::remove_reference_t<F>;

	detail::check(GOSYNC_IOC_LIST,
		      gosync_list(detail::visit_name<callable>, detail::context(f)));
}

template <class F>
void list(F &&f, std::error_code &ec) noexcept(
	std::is_nothrow_invocable_v<F &, const struct gosync_info &>)
{
	using callable = std::remove_reference_t<F>;

	detail::check(GOSYNC_IOC_LIST,
		      gosync_list(detail::visit_name<callable>, detail::context(f)), ec);
}

} /* namespace gosync */

#endif /* GOSYNC_HANDLE_HPP */
