/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors: a category of std::error_code that speaks the library's sentences, and the
 * exceptions.
 *
 * A function that can fail has two forms. One throws gosync::error. The other takes a
 * std::error_code as its last argument, never throws, and clears it if all went well.
 *
 * With -fno-exceptions the first form is there, too, as std::lock_guard and the like call
 * it. Instead of throwing it writes the sentence to stderr and calls std::abort().
 */
#ifndef GOSYNC_ERROR_HPP
#define GOSYNC_ERROR_HPP

#include "c.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <system_error>
#include <type_traits>

/* Also where a program is compiled with -fvisibility=hidden: one type, one category */
#define GOSYNC__SHARED __attribute__((__visibility__("default")))
#define GOSYNC__COLD __attribute__((__cold__, __noinline__))

#if defined(__cpp_exceptions)
#define GOSYNC__EXCEPTIONS 1
#else
#define GOSYNC__EXCEPTIONS 0
#endif

namespace gosync
{

/**
 * What std::errc has no name for, or a longer one. Compare an error code with it:
 * `if (ec == gosync::errc::owner_died)`. For all else compare with std::errc.
 */
enum class errc {
	owner_died = EOWNERDEAD,   /**< the lock is held; an owner died with it */
	broken = ESTALE,           /**< what the handle held was taken from it */
	no_device = ENXIO,         /**< no module, or no way to it */
	other_version = EPROTO,    /**< program, library and module do not fit */
	other_type = EPROTOTYPE,   /**< it is of another type or size */
	too_many_objects = EDQUOT, /**< the user's limit is reached */
};

/** Makes errc comparable with std::error_code. */
inline std::error_condition make_error_condition(errc e) noexcept
{
	return {static_cast<int>(e), std::generic_category()};
}

namespace detail
{

/*
 * An error code's value is the errno in the lower half and the number of the ioctl in the
 * upper one: the sentence depends on both.
 */
inline constexpr int op_shift = 16;
inline constexpr int errno_mask = (1 << op_shift) - 1;
inline constexpr unsigned int op_mask = 0xff;

class GOSYNC__SHARED category_type final : public std::error_category
{
public:
	const char *name() const noexcept override { return "gosync"; }

	std::string message(int value) const override { return sentence(value); }

	std::error_condition default_error_condition(int value) const noexcept override
	{
		return {value & errno_mask, std::generic_category()};
	}

	static const char *sentence(int value) noexcept
	{
		const int err = value & errno_mask;
		const unsigned int nr = static_cast<unsigned int>(value) >> op_shift;

		if (err == EOWNERDEAD)
			return "an owner died with the lock";
		return gosync_strerror(nr ? (GOSYNC_IOC_OPEN & ~op_mask) | nr : 0, err);
	}
};

} /* namespace detail */

/**
 * The category of all errors of this library.
 *
 * message() is what gosync_strerror() says: Go's sentence where Go has one. Compare with
 * std::errc or gosync::errc, not by value(): that has the operation in it, too.
 */
GOSYNC__SHARED inline const std::error_category &category() noexcept
{
	static const detail::category_type instance;

	return instance;
}

/** What the functions without std::error_code throw */
class GOSYNC__SHARED error : public std::system_error
{
public:
	using std::system_error::system_error;
};

/**
 * Thrown by a lock whose owner has died with it. The caller does not hold the lock, which
 * is still poisoned: see gosync::mutex.
 */
class GOSYNC__SHARED owner_died : public error
{
public:
	using error::error;
};

/**
 * What the handle held was taken from it (`gosync break`): see gosync_break(). Only a new
 * handle can go on, such as reopen() makes.
 */
class GOSYNC__SHARED broken : public error
{
public:
	using error::error;
};

namespace detail
{

/* @op: the ioctl of the operation; @ret: -errno */
inline std::error_code code(unsigned int op, int ret) noexcept
{
	return {-ret | static_cast<int>(op & op_mask) << op_shift, category()};
}

[[noreturn]] GOSYNC__COLD inline void fail(unsigned int op, int ret)
{
#if GOSYNC__EXCEPTIONS
	switch (-ret) {
	case EOWNERDEAD:
		throw owner_died(code(op, ret));
	case ESTALE:
		throw broken(code(op, ret));
	default:
		throw error(code(op, ret));
	}
#else
	std::fprintf(stderr, "gosync: %s\n", category_type::sentence(code(op, ret).value()));
	std::abort();
#endif
}

/* Return: @ret, which is not negative; otherwise it throws. */
inline int check(unsigned int op, int ret)
{
	if (__builtin_expect(ret < 0, 0))
		fail(op, ret);
	return ret;
}

/* Return: @ret; if it is negative, @ec says what it means. */
inline int check(unsigned int op, int ret, std::error_code &ec) noexcept
{
	if (__builtin_expect(ret < 0, 0))
		ec = code(op, ret);
	else
		ec.clear();
	return ret;
}

/* As check() for what tries or waits: one error means no. Return: false then */
inline bool check_unless(int no, unsigned int op, int ret)
{
	return ret != no && check(op, ret) >= 0;
}

inline bool check_unless(int no, unsigned int op, int ret, std::error_code &ec) noexcept
{
	return check(op, ret == no ? 0 : ret, ec) >= 0 && ret != no;
}

/* @f(), which allocates; without memory -ENOMEM */
template <class F>
int allocating(F f) noexcept
{
#if GOSYNC__EXCEPTIONS
	try {
		return f();
	} catch (const std::bad_alloc &) {
		return -ENOMEM;
	}
#else
	return f();
#endif
}

/*
 * A callable as the argument of a C callback. It is an object or a function; a pointer to
 * either fits in a void *.
 */
template <class F>
void *context(F &f) noexcept
{
	if constexpr (std::is_function_v<F>)
		return reinterpret_cast<void *>(&f);
	else
		return const_cast<void *>(static_cast<const void *>(std::addressof(f)));
}

template <class F>
F &target(void *arg) noexcept
{
	if constexpr (std::is_function_v<F>)
		return *reinterpret_cast<F *>(arg);
	else
		return *static_cast<F *>(arg);
}

/*
 * Calls @f, which may return nothing, or a bool: whether to go on. Return: 1 to end a walk
 */
template <class F, class... Args>
int visit(F &f, Args &&...args)
{
	if constexpr (std::is_void_v<std::invoke_result_t<F &, Args...>>) {
		f(std::forward<Args>(args)...);
		return 0;
	} else {
		return f(std::forward<Args>(args)...) ? 0 : 1;
	}
}

} /* namespace detail */
} /* namespace gosync */

template <>
struct std::is_error_condition_enum<gosync::errc> : std::true_type {
};

#endif /* GOSYNC_ERROR_HPP */
