// SPDX-License-Identifier: LGPL-2.1-or-later
//! WaitGroup: additions that release nobody are made here, as the C library's
//! inline function makes them; the rest is the library's.

use std::os::raw::c_int;
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use crate::error::{check, in_time, Result};
use crate::mutex::{anew, word};
use crate::object::{constructors, object, Handle, OpenOptions};
use crate::{sys, Deadline};

/// A counter of the parts of a job that are not done yet, and waiting until it is
/// 0. It is Go's `sync.WaitGroup` between processes.
///
/// The counter belongs to nobody: a process that dies takes nothing back.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let jobs = gosync::WaitGroup::open("jobs")?;
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         let part = jobs.part()?;
///         scope.spawn(move || {
///             let _done_at_the_end = part;
///             // ... work ...
///         });
///     }
///     jobs.wait()
/// })
/// # }
/// ```
pub struct WaitGroup {
    pub(crate) handle: Handle<sys::gosync_waitgroup>,
}

constructors!(WaitGroup, gosync_waitgroup_open_abi, gosync_waitgroup_from_fd_abi, false);
object!(WaitGroup);

impl WaitGroup {
    fn with_handle(handle: Handle<sys::gosync_waitgroup>) -> Result<WaitGroup> {
        Ok(WaitGroup { handle })
    }

    /// One comparison says that nobody waits and that the counter stays in its 31
    /// bits: a word with waiters is far above these, whatever is added.
    #[inline(always)]
    fn add_raw(&self, delta: i32) -> c_int {
        let handle = self.handle.as_ptr();
        let at = self.handle.get().at.load(Acquire);
        // SAFETY: the handle is open as long as we are.
        let seen = unsafe { word(handle, at) }.load(Relaxed);
        let now = seen.wrapping_add(i64::from(delta) as u64);

        if now <= sys::GOSYNC_WAITGROUP_COUNTER {
            // SAFETY: as above
            let word = unsafe { word(handle, anew(at)) };
            if word.compare_exchange(seen, now, SeqCst, Relaxed).is_ok() {
                return 0;
            }
        }
        add_slow(handle, delta)
    }

    /// Change the counter. When it becomes 0, all who wait at that moment go on, and
    /// it may be used again at once.
    ///
    /// # Errors
    ///
    /// ERANGE: it would be negative, or more than 2147483647; it stays as it was.
    #[inline]
    pub fn add(&self, delta: i32) -> Result<()> {
        check(self.add_raw(delta), sys::GOSYNC_IOC_WAITGROUP_ADD)?;
        Ok(())
    }

    /// Subtract 1.
    ///
    /// # Errors
    ///
    /// As [`add`](WaitGroup::add).
    #[inline]
    pub fn done(&self) -> Result<()> {
        self.add(-1)
    }

    /// Add 1, for a part that is done when the result is dropped, also by a panic.
    ///
    /// # Errors
    ///
    /// As [`add`](WaitGroup::add).
    pub fn part(&self) -> Result<Part<'_>> {
        self.add(1)?;
        Ok(Part { group: self })
    }

    /// Wait until the counter is 0.
    ///
    /// # Errors
    ///
    /// None but those of a handle that is of no use.
    pub fn wait(&self) -> Result<()> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_waitgroup_wait(self.handle.as_ptr()) };
        check(ret, sys::GOSYNC_IOC_WAITGROUP_WAIT)?;
        Ok(())
    }

    /// Wait until the counter is 0, or a deadline has passed: then the result is
    /// `false`.
    ///
    /// # Errors
    ///
    /// As [`wait`](WaitGroup::wait).
    pub fn wait_until(&self, deadline: impl Into<Deadline>) -> Result<bool> {
        let deadline = deadline.into();
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_waitgroup_wait_until(self.handle.as_ptr(), deadline.ns, deadline.flags)
        };
        in_time(ret, sys::GOSYNC_IOC_WAITGROUP_WAIT)
    }

    /// The counter at this moment
    pub fn count(&self) -> Result<u32> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_waitgroup_count(self.handle.as_ptr()) };
        Ok(check(ret, sys::GOSYNC_IOC_INFO)? as u32)
    }
}

#[cold]
#[inline(never)]
fn add_slow(handle: *mut sys::gosync_waitgroup, delta: c_int) -> c_int {
    // SAFETY: the handle is that of a WaitGroup, which is borrowed meanwhile.
    unsafe { sys::gosync_waitgroup_add_slow(handle, delta) }
}

/// A part of what a [`WaitGroup`] counts. It is done when this is dropped.
#[must_use = "the part is done at once"]
#[derive(Debug)]
pub struct Part<'a> {
    group: &'a WaitGroup,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // It fails only if others have subtracted what we added.
        let _ = self.group.done();
    }
}
