// SPDX-License-Identifier: LGPL-2.1-or-later
//! Semaphore: permits that nobody waits for are taken and given back here, as the
//! C library's inline functions do it; the rest is the library's.

use std::mem;
use std::os::raw::{c_int, c_uint};
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::error::{check, in_time, Result};
use crate::mutex::{anew, word};
use crate::object::{adopt, object, reopen, Handle, OpenOptions};
use crate::probe::probe;
use crate::{sys, Deadline};

/// A number of permits. Waiters are served in their order: one for many permits is
/// not overtaken by one for few.
///
/// Permits belong to nobody, and those of a process that dies are lost. With
/// [`OpenOptions::give_back`] they belong to the process that acquired them, and are
/// released when it ends; then each operation is a system call.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let slots = gosync::Semaphore::open("slots", 4)?;
/// let permit = slots.acquire(1)?;
/// // ... at most four processes are in here ...
/// drop(permit);
/// # Ok(())
/// # }
/// ```
pub struct Semaphore {
    pub(crate) handle: Handle<sys::gosync_semaphore>,
}

object!(Semaphore);

impl Semaphore {
    /// Open it, or create it with so many permits and the mode 0600. If the name
    /// exists, the number must be its limit, or 0.
    pub fn open(name: impl AsRef<[u8]>, permits: u32) -> Result<Semaphore> {
        Semaphore::open_with(name, permits, &OpenOptions::creating())
    }

    /// Open or create it as the options say. A name without a byte makes an
    /// anonymous one.
    pub fn open_with(
        name: impl AsRef<[u8]>,
        permits: u32,
        options: &OpenOptions,
    ) -> Result<Semaphore> {
        // SAFETY: the library's function does what open() wants.
        let handle = unsafe {
            options.open(name.as_ref(), false, |name, flags, mode, out| {
                sys::gosync_semaphore_open_abi(
                    sys::GOSYNC_ABI_VERSION,
                    name,
                    permits,
                    flags,
                    mode,
                    out,
                )
            })
        }?;
        Ok(Semaphore { handle })
    }

    /// Open the object of a descriptor, which was inherited or received. This
    /// process becomes a holder of its own; the descriptor is closed.
    pub fn from_fd(fd: OwnedFd) -> Result<Semaphore> {
        // SAFETY: the library's function does what adopt() wants.
        let handle = unsafe {
            adopt(reopen(fd.as_raw_fd())?, |fd, out| {
                sys::gosync_semaphore_from_fd_abi(sys::GOSYNC_ABI_VERSION, fd, 0, out)
            })
        }?;
        Ok(Semaphore { handle })
    }

    /// The compare-and-swap makes sure that nobody waits. So no waiter is owed
    /// permits, and none is overtaken.
    #[inline(always)]
    fn acquire_raw(&self, n: c_uint) -> c_int {
        let handle = self.handle.as_ptr();
        let at = self.handle.get().at.load(Acquire);
        // SAFETY: the handle is open as long as we are.
        let seen = unsafe { word(handle, at) }.load(Relaxed);

        probe!("semaphore_entry", handle);
        if seen <= sys::GOSYNC_SEMAPHORE_PERMITS && seen >= u64::from(n) {
            // SAFETY: as above
            let word = unsafe { word(handle, anew(at)) };
            if word.compare_exchange(seen, seen - u64::from(n), Acquire, Relaxed).is_ok() {
                return 0;
            }
        }
        acquire_slow(handle, n)
    }

    /// Nobody waits for the permits here, either. They are nobody's, so a death
    /// leaves nothing of this half done.
    #[inline(always)]
    fn release_raw(&self, n: c_uint) -> c_int {
        let handle = self.handle.as_ptr();
        let at = self.handle.get().at.load(Acquire);
        // SAFETY: the handle is open as long as we are.
        let seen = unsafe { word(handle, at) }.load(Relaxed);

        probe!("semaphore_release", handle);
        let now = seen.wrapping_add(u64::from(n));
        if now <= sys::GOSYNC_SEMAPHORE_PERMITS {
            // SAFETY: as above
            let word = unsafe { word(handle, anew(at)) };
            if word.compare_exchange(seen, now, Release, Relaxed).is_ok() {
                return 0;
            }
        }
        release_slow(handle, n)
    }

    /// Take permits, for as long as it takes.
    ///
    /// # Errors
    ///
    /// EINVAL: more than 2147483647; EBADF: the handle is read-only.
    #[inline]
    pub fn acquire(&self, n: u32) -> Result<Permits<'_>> {
        check(self.acquire_raw(n), sys::GOSYNC_IOC_SEMAPHORE_ACQUIRE)?;
        Ok(Permits { semaphore: self, n })
    }

    /// Take permits if they are there and nobody waits; `None` if not.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub fn try_acquire(&self, n: u32) -> Result<Option<Permits<'_>>> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_semaphore_tryacquire(self.handle.as_ptr(), n) };
        let got = in_time(ret, sys::GOSYNC_IOC_SEMAPHORE_ACQUIRE)?;
        Ok(got.then(|| Permits { semaphore: self, n }))
    }

    /// Take permits, until a deadline; `None` if that has passed.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub fn acquire_until(
        &self,
        n: u32,
        deadline: impl Into<Deadline>,
    ) -> Result<Option<Permits<'_>>> {
        let deadline = deadline.into();
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_semaphore_acquire_until(
                self.handle.as_ptr(),
                n,
                deadline.ns,
                deadline.flags,
            )
        };
        let got = in_time(ret, sys::GOSYNC_IOC_SEMAPHORE_ACQUIRE)?;
        Ok(got.then(|| Permits { semaphore: self, n }))
    }

    /// Add permits. Any process may release what another has acquired.
    ///
    /// # Errors
    ///
    /// ERANGE: there would be more than 2147483647; EPERM: with
    /// [`OpenOptions::give_back`] this process has acquired fewer.
    #[inline]
    pub fn release(&self, n: u32) -> Result<()> {
        check(self.release_raw(n), sys::GOSYNC_IOC_SEMAPHORE_RELEASE)?;
        Ok(())
    }

    /// Change how many permits there are in all. Nobody loses any: those that come
    /// back are swallowed until no more are in use than the limit says.
    ///
    /// # Errors
    ///
    /// ERANGE, EINVAL: more than 2147483647.
    pub fn set_limit(&self, limit: u32) -> Result<()> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_semaphore_set_limit(self.handle.as_ptr(), limit) };
        check(ret, sys::GOSYNC_IOC_SEMAPHORE_LIMIT)?;
        Ok(())
    }

    /// How many permits there are at this moment
    pub fn available(&self) -> Result<u32> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_semaphore_count(self.handle.as_ptr()) };
        Ok(check(ret, sys::GOSYNC_IOC_INFO)? as u32)
    }
}

#[cold]
#[inline(never)]
fn acquire_slow(handle: *mut sys::gosync_semaphore, n: c_uint) -> c_int {
    // SAFETY: the handle is that of a Semaphore, which is borrowed meanwhile.
    unsafe { sys::gosync_semaphore_acquire_slow(handle, n) }
}

#[cold]
#[inline(never)]
fn release_slow(handle: *mut sys::gosync_semaphore, n: c_uint) -> c_int {
    // SAFETY: the handle is that of a Semaphore, which is borrowed meanwhile.
    unsafe { sys::gosync_semaphore_release_slow(handle, n) }
}

/// Permits of a [`Semaphore`], which are released when this is dropped
#[must_use = "the permits are released at once"]
#[derive(Debug)]
pub struct Permits<'a> {
    semaphore: &'a Semaphore,
    n: u32,
}

impl<'a> Permits<'a> {
    pub(crate) fn new(semaphore: &'a Semaphore, n: u32) -> Permits<'a> {
        Permits { semaphore, n }
    }

    /// How many they are
    #[must_use]
    pub fn count(&self) -> u32 {
        self.n
    }

    /// Keep them: whoever releases them does so by [`Semaphore::release`].
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for Permits<'_> {
    #[inline]
    fn drop(&mut self) {
        // It fails only if others have released more than there were.
        let _ = self.semaphore.release_raw(self.n);
    }
}
