// SPDX-License-Identifier: LGPL-2.1-or-later
//! Errors: a number of errno, in Go's words where Go has any.

use std::ffi::CStr;
use std::os::raw::{c_int, c_uint};
use std::sync::PoisonError;
use std::{error, fmt, io, result};

use crate::{os, sys};

/// What an operation failed with.
///
/// It is displayed as Go's sentence, if Go has one for it; otherwise as the
/// system's. Where there is no device, it says why, and what to do.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let jobs = gosync::WaitGroup::open("jobs")?;
/// let error = jobs.add(-1).unwrap_err();
/// assert_eq!(error.to_string(), "sync: negative WaitGroup counter");
/// assert_eq!(error.raw_os_error(), 34); // ERANGE
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error {
    errno: i32,
    op: c_uint,
}

/// A [`std::result::Result`] with gosync's [`Error`]
pub type Result<T, E = Error> = result::Result<T, E>;

impl Error {
    #[inline]
    pub(crate) fn new(errno: i32, op: c_uint) -> Error {
        Error { errno, op }
    }

    /// What the system does not know by a number is EIO.
    pub(crate) fn from_io(error: &io::Error, op: c_uint) -> Error {
        Error::new(error.raw_os_error().unwrap_or(os::EIO), op)
    }

    /// The number of errno. The header `<linux/gosync.h>` has a table of them.
    #[must_use]
    pub fn raw_os_error(&self) -> i32 {
        self.errno
    }

    /// What kind of an error the standard library takes it for
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        io::Error::from_raw_os_error(self.errno).kind()
    }
}

/// What only this binding fails with
const OF_OURS: &[(c_uint, i32, &str)] = &[
    (
        sys::GOSYNC_IOC_ONCE_BEGIN,
        os::EBUSY,
        "poisoned: another has begun, and died or panicked before it was done",
    ),
    (0, os::EOWNERDEAD, POISONED),
    (sys::GOSYNC_IOC_VALUE_LOAD, os::EPROTOTYPE, "what is stored is of another type"),
    (sys::GOSYNC_IOC_MAP_LOAD, os::EPROTOTYPE, "what is stored is of another type"),
    (sys::GOSYNC_IOC_MAP_RANGE, os::EPROTOTYPE, "what is stored is of another type"),
];

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = OF_OURS.iter().find(|(op, errno, _)| (*op, *errno) == (self.op, self.errno));
        if let Some((_, _, text)) = ours {
            return f.write_str(text);
        }
        // SAFETY: the function returns a constant string. For some errors it is
        // the system's, which a later call may overwrite: it is copied at once.
        let text = unsafe {
            CStr::from_ptr(sys::gosync_strerror_abi(sys::GOSYNC_ABI_VERSION, self.op, self.errno))
                .to_string_lossy()
                .into_owned()
        };
        f.write_str(&text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("errno", &self.errno)
            .field("text", &self.to_string())
            .finish()
    }
}

impl error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

/// Why a lock is not simply held.
///
/// ```no_run
/// use gosync::{LockError, Mutex};
///
/// # fn main() -> Result<(), gosync::Error> {
/// let mutex = Mutex::open("ledger")?;
/// let guard = match mutex.lock() {
///     Ok(guard) => guard,
///     Err(LockError::Poisoned(poisoned)) => {
///         // An owner died. Put right what the lock protects, and then:
///         mutex.clear_poison()?;
///         poisoned.into_inner()
///     }
///     Err(LockError::Failed(error)) => return Err(error),
/// };
/// # drop(guard);
/// # Ok(())
/// # }
/// ```
pub enum LockError<G> {
    /// The lock is held. But an owner died or panicked with it, and nobody has
    /// called `clear_poison()` since.
    Poisoned(PoisonError<G>),
    /// The lock is not held.
    Failed(Error),
}

/// What `lock()` returns
pub type LockResult<G> = result::Result<G, LockError<G>>;

/// Why a lock is not simply held after a try, or after a wait with a deadline
pub enum TryLockError<G> {
    /// As [`LockError::Poisoned`]: the lock is held.
    Poisoned(PoisonError<G>),
    /// Somebody else has it, and had it until the deadline.
    WouldBlock,
    /// The lock is not held.
    Failed(Error),
}

/// What `try_lock()` returns
pub type TryLockResult<G> = result::Result<G, TryLockError<G>>;

impl<G> LockError<G> {
    /// The guard of a poisoned lock, or the error.
    ///
    /// For those to whom it does not matter that an owner died:
    ///
    /// ```no_run
    /// # fn main() -> Result<(), gosync::Error> {
    /// # let mutex = gosync::Mutex::open("ledger")?;
    /// let guard = mutex.lock().or_else(gosync::LockError::into_inner)?;
    /// # drop(guard);
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> Result<G> {
        match self {
            LockError::Poisoned(poisoned) => Ok(poisoned.into_inner()),
            LockError::Failed(error) => Err(error),
        }
    }

    pub(crate) fn map<H>(self, f: impl FnOnce(G) -> H) -> LockError<H> {
        match self {
            LockError::Poisoned(p) => LockError::Poisoned(PoisonError::new(f(p.into_inner()))),
            LockError::Failed(error) => LockError::Failed(error),
        }
    }
}

impl<G> TryLockError<G> {
    /// The guard of a poisoned lock, or the error; `WouldBlock` is EBUSY.
    pub fn into_inner(self) -> Result<G> {
        match self {
            TryLockError::Poisoned(poisoned) => Ok(poisoned.into_inner()),
            TryLockError::WouldBlock => Err(Error::new(os::EBUSY, 0)),
            TryLockError::Failed(error) => Err(error),
        }
    }
}

/// What a poisoned lock is as an [`Error`]
fn poisoned() -> Error {
    Error::new(os::EOWNERDEAD, 0)
}

/// For `?` in functions that return an [`Error`]. A poisoned lock is EOWNERDEAD
/// then, and is unlocked, still poisoned.
impl<G> From<LockError<G>> for Error {
    fn from(error: LockError<G>) -> Error {
        match error {
            LockError::Poisoned(_) => poisoned(),
            LockError::Failed(error) => error,
        }
    }
}

/// As that of [`LockError`]; `WouldBlock` is EBUSY.
impl<G> From<TryLockError<G>> for Error {
    fn from(error: TryLockError<G>) -> Error {
        match error {
            TryLockError::Poisoned(_) => poisoned(),
            TryLockError::WouldBlock => Error::new(os::EBUSY, 0),
            TryLockError::Failed(error) => error,
        }
    }
}

impl<G> From<LockError<G>> for TryLockError<G> {
    fn from(error: LockError<G>) -> TryLockError<G> {
        match error {
            LockError::Poisoned(poisoned) => TryLockError::Poisoned(poisoned),
            LockError::Failed(error)
                if error.errno == os::EBUSY || error.errno == os::ETIMEDOUT =>
            {
                TryLockError::WouldBlock
            }
            LockError::Failed(error) => TryLockError::Failed(error),
        }
    }
}

const POISONED: &str = "the lock is poisoned: an owner died or panicked with it";
const WOULD_BLOCK: &str = "the lock is held by another";

impl<G> fmt::Display for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Poisoned(_) => f.write_str(POISONED),
            LockError::Failed(error) => error.fmt(f),
        }
    }
}

impl<G> fmt::Display for TryLockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryLockError::Poisoned(_) => f.write_str(POISONED),
            TryLockError::WouldBlock => f.write_str(WOULD_BLOCK),
            TryLockError::Failed(error) => error.fmt(f),
        }
    }
}

impl<G> fmt::Debug for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Poisoned(_) => f.write_str("Poisoned(..)"),
            LockError::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

impl<G> fmt::Debug for TryLockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryLockError::Poisoned(_) => f.write_str("Poisoned(..)"),
            TryLockError::WouldBlock => f.write_str("WouldBlock"),
            TryLockError::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

impl<G> error::Error for LockError<G> {}
impl<G> error::Error for TryLockError<G> {}

/// 0 or more, or the error
#[inline]
pub(crate) fn check(ret: c_int, op: c_uint) -> Result<c_int> {
    if ret < 0 {
        return Err(Error::new(-ret, op));
    }
    Ok(ret)
}

/// Whether something happened that a deadline may have prevented
pub(crate) fn in_time(ret: c_int, op: c_uint) -> Result<bool> {
    match ret {
        0 => Ok(true),
        _ if ret == -os::ETIMEDOUT || ret == -os::EBUSY => Ok(false),
        _ => Err(Error::new(-ret, op)),
    }
}

/// What a function that locks has returned, with the guard if the lock is held
#[inline]
pub(crate) fn locked<G>(ret: c_int, op: c_uint, guard: impl FnOnce() -> G) -> LockResult<G> {
    match ret {
        0 => Ok(guard()),
        1 => Err(LockError::Poisoned(PoisonError::new(guard()))),
        _ => Err(LockError::Failed(Error::new(-ret, op))),
    }
}
