// SPDX-License-Identifier: LGPL-2.1-or-later
//! Once: here it is only seen that it has been done.

use std::mem;
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering::Acquire;

use crate::error::{check, in_time, Error, Result};
use crate::mutex::word;
use crate::object::{constructors, object, Handle, OpenOptions};
use crate::{os, sys, Deadline};

/// Something that is done once, among all processes, while the others wait.
///
/// As with [`std::sync::Once`], a function that panics *poisons* it, and here one
/// whose process dies does, too: it has begun, and is not done. Then the next waiter
/// gets its turn: [`call_once`](Once::call_once) refuses, and
/// [`call_once_force`](Once::call_once_force) runs the function.
///
/// With [`OpenOptions::persist`] it stays done when nobody has it open.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let setup = gosync::Once::open("setup")?;
/// setup.call_once_force(|state| {
///     if state.is_poisoned() {
///         // Somebody has begun, and is gone: take away what is half done.
///     }
///     // ... set it up ...
/// })?;
/// # Ok(())
/// # }
/// ```
pub struct Once {
    pub(crate) handle: Handle<sys::gosync_once>,
}

constructors!(Once, gosync_once_open_abi, gosync_once_from_fd_abi, false);
object!(Once);

/// What a function is told that [`Once::call_once_force`] runs
#[derive(Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether another has begun, and died or panicked before it was done
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

/// We are the runner. Unless it is forgotten, we give that up.
struct Runs<'a>(&'a Once);

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is valid. It fails only if we were broken.
        let _ = unsafe { sys::gosync_once_abandon(self.0.handle.as_ptr()) };
    }
}

impl Once {
    fn with_handle(handle: Handle<sys::gosync_once>) -> Result<Once> {
        Ok(Once { handle })
    }

    /// A Once that has been done stays done, and a look changes nothing.
    #[inline(always)]
    fn looks_done(&self) -> bool {
        let at = self.handle.get().at.load(Acquire);
        // SAFETY: the handle is open as long as we are.
        let word = unsafe { word(self.handle.as_ptr(), at) };
        word.load(Acquire) & sys::GOSYNC_ONCE_IS_DONE != 0
    }

    /// Run the function, unless that has been done; and return when it has been.
    ///
    /// # Errors
    ///
    /// EBUSY: it is poisoned, and still not done. EDEADLK: this process runs it in
    /// this thread. EBADF: the handle is read-only, and it has not been done.
    #[inline]
    pub fn call_once(&self, f: impl FnOnce()) -> Result<()> {
        if self.looks_done() {
            return Ok(());
        }
        self.run(false, |_| f())
    }

    /// As [`call_once`](Once::call_once), but also after a function that died or
    /// panicked: [`OnceState::is_poisoned`] tells.
    ///
    /// # Errors
    ///
    /// As [`call_once`](Once::call_once), but not EBUSY.
    #[inline]
    pub fn call_once_force(&self, f: impl FnOnce(&OnceState)) -> Result<()> {
        if self.looks_done() {
            return Ok(());
        }
        self.run(true, f)
    }

    #[cold]
    fn run(&self, force: bool, f: impl FnOnce(&OnceState)) -> Result<()> {
        const BEGIN: u32 = sys::GOSYNC_IOC_ONCE_BEGIN;
        // SAFETY: the handle is valid.
        let ret =
            unsafe { sys::gosync_once_begin_until(self.handle.as_ptr(), Deadline::NEVER.ns, 0) };
        let begun = check(ret, BEGIN)?;
        if begun == sys::GOSYNC_ONCE_DONE {
            return Ok(());
        }
        let runs = Runs(self);
        let poisoned = begun == sys::GOSYNC_ONCE_RUN_AGAIN;
        if poisoned && !force {
            return Err(Error::new(os::EBUSY, BEGIN));
        }
        f(&OnceState { poisoned });
        mem::forget(runs);
        // SAFETY: the handle is valid.
        check(unsafe { sys::gosync_once_done(self.handle.as_ptr()) }, sys::GOSYNC_IOC_ONCE_DONE)?;
        Ok(())
    }

    /// Whether it has been done
    pub fn is_completed(&self) -> Result<bool> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_once_is_done(self.handle.as_ptr()) };
        Ok(check(ret, sys::GOSYNC_IOC_INFO)? != 0)
    }

    /// Wait until it has been done, by others.
    ///
    /// # Errors
    ///
    /// EDEADLK: this process runs it in this thread.
    pub fn wait(&self) -> Result<()> {
        self.wait_until(Deadline::NEVER)?;
        Ok(())
    }

    /// Wait until it has been done, or a deadline has passed: then the result is
    /// `false`.
    ///
    /// # Errors
    ///
    /// As [`wait`](Once::wait).
    pub fn wait_until(&self, deadline: impl Into<Deadline>) -> Result<bool> {
        let deadline = deadline.into();
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_once_wait_until(self.handle.as_ptr(), deadline.ns, deadline.flags)
        };
        in_time(ret, sys::GOSYNC_IOC_ONCE_WAIT)
    }
}
