// SPDX-License-Identifier: LGPL-2.1-or-later
//! Cond: the kernel does it all, except for seeing that nobody waits.

use std::os::raw::{c_int, c_uint, c_void};
use std::os::unix::io::{AsRawFd, OwnedFd};

use crate::codec::Shareable;
use crate::error::{check, locked, LockError, LockResult, Result};
use crate::mutex::MutexGuard;
use crate::object::{constructors, object, Handle, OpenOptions};
use crate::rwlock::{ReadGuard, WriteGuard};
use crate::shared::SharedMutexGuard;
use crate::{os, sys, Deadline};

/// Waiting for an event with a lock, as [`std::sync::Condvar`], but between
/// processes, and as Go's `sync.Cond`: **no spurious wake-ups**, and the longest
/// waiter is woken first.
///
/// The lock is that of any guard: of a [`Mutex`](crate::Mutex), of an
/// [`RwLock`](crate::RwLock), or of a [`SharedMutex`](crate::SharedMutex), whose
/// value is written back before the wait and got anew after it.
///
/// ```no_run
/// # fn main() -> gosync::Result<()> {
/// use gosync::{Condvar, SharedMutex};
///
/// let level = SharedMutex::open("level", "/dev/shm/level", 0i32)?;
/// let risen = Condvar::open("level.risen")?;
///
/// // One process waits for 10 ...
/// let guard = risen.wait_while(level.lock()?, |level| *level < 10)?;
/// # drop(guard);
///
/// // ... another makes it so.
/// *level.lock()? = 10;
/// risen.notify_all()?;
/// # Ok(())
/// # }
/// ```
pub struct Condvar {
    handle: Handle<sys::gosync_cond_t>,
}

constructors!(Condvar, gosync_cond_open_abi, gosync_cond_from_fd_abi, false);
object!(Condvar);

/// Whether a wait with a deadline ended because that had passed
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// `true`: nobody notified before the deadline.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

mod sealed {
    use super::{c_uint, c_void};

    pub trait Waits {
        /// What the guard's lock is, and by which side it is held
        fn lock(&self) -> (*const c_void, c_uint);
        /// Before it is unlocked
        fn before(&mut self) -> crate::Result<()> {
            Ok(())
        }
        /// After it was locked again
        fn after(&mut self) {}
    }
}

/// A guard that can be waited with
pub trait WaitGuard: sealed::Waits {
    /// What the guard gives access to; `()` if nothing
    type Data;

    #[doc(hidden)]
    fn data(&mut self) -> &mut Self::Data;
}

macro_rules! guard {
    ($type:ident, $self:ident => $lock:expr, $side:expr) => {
        impl sealed::Waits for $type<'_> {
            fn lock(&$self) -> (*const c_void, c_uint) {
                ($lock, $side)
            }
        }

        impl WaitGuard for $type<'_> {
            type Data = ();

            fn data(&mut self) -> &mut () {
                &mut self.unit
            }
        }
    };
}

guard!(MutexGuard, self => self.mutex().handle.any(), 0);
guard!(WriteGuard, self => self.lock.writer.any(), 0);
guard!(ReadGuard, self => self.lock.handle.any(), sys::GOSYNC_READ_SIDE);

impl<T: Shareable> sealed::Waits for SharedMutexGuard<'_, T> {
    fn lock(&self) -> (*const c_void, c_uint) {
        sealed::Waits::lock(&self.lock)
    }

    fn before(&mut self) -> Result<()> {
        SharedMutexGuard::publish(self)
    }

    fn after(&mut self) {
        self.reload();
    }
}

impl<T: Shareable> WaitGuard for SharedMutexGuard<'_, T> {
    type Data = T;

    fn data(&mut self) -> &mut T {
        self
    }
}

impl Condvar {
    fn with_handle(handle: Handle<sys::gosync_cond_t>) -> Result<Condvar> {
        Ok(Condvar { handle })
    }

    fn wait_raw<G: WaitGuard>(&self, guard: &mut G, deadline: Deadline) -> Result<c_int> {
        guard.before()?;
        let (lock, side) = guard.lock();
        // SAFETY: both handles are valid.
        let ret = unsafe {
            sys::gosync_cond_wait_until(
                self.handle.as_ptr(),
                lock,
                deadline.ns,
                deadline.flags | side,
            )
        };
        if ret >= 0 || ret == -os::ETIMEDOUT {
            guard.after();
        }
        Ok(ret)
    }

    /// Unlock, wait for a notification, lock again. Who notifies after the unlock
    /// finds us waiting.
    ///
    /// # Errors
    ///
    /// [`Poisoned`](LockError::Poisoned): notified, but the lock is poisoned.
    /// [`Failed`](LockError::Failed): the guard has been dropped.
    pub fn wait<G: WaitGuard>(&self, mut guard: G) -> LockResult<G> {
        let ret = self.wait_raw(&mut guard, Deadline::NEVER).map_err(LockError::Failed)?;
        locked(ret, sys::GOSYNC_IOC_COND_WAIT, || guard)
    }

    /// Wait as long as a condition holds. It gets what the guard gives access to.
    ///
    /// # Errors
    ///
    /// As [`wait`](Condvar::wait).
    pub fn wait_while<G: WaitGuard>(
        &self,
        mut guard: G,
        mut condition: impl FnMut(&mut G::Data) -> bool,
    ) -> LockResult<G> {
        while condition(guard.data()) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// [`wait`](Condvar::wait), until a deadline, which is a
    /// [`Duration`](std::time::Duration) or an [`Instant`](std::time::Instant). That
    /// ends the wait; to lock again may take longer.
    ///
    /// # Errors
    ///
    /// As [`wait`](Condvar::wait). If an owner died meanwhile, the lock is poisoned
    /// and the result says nothing about the time: look at what you wait for.
    pub fn wait_timeout<G: WaitGuard>(
        &self,
        mut guard: G,
        deadline: impl Into<Deadline>,
    ) -> LockResult<(G, WaitTimeoutResult)> {
        let ret = self.wait_raw(&mut guard, deadline.into()).map_err(LockError::Failed)?;
        if ret == -os::ETIMEDOUT {
            return Ok((guard, WaitTimeoutResult(true)));
        }
        locked(ret, sys::GOSYNC_IOC_COND_WAIT, || (guard, WaitTimeoutResult(false)))
    }

    /// [`wait_while`](Condvar::wait_while), until a deadline. It timed out if the
    /// condition still holds.
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Condvar::wait_timeout).
    pub fn wait_timeout_while<G: WaitGuard>(
        &self,
        mut guard: G,
        deadline: impl Into<Deadline>,
        mut condition: impl FnMut(&mut G::Data) -> bool,
    ) -> LockResult<(G, WaitTimeoutResult)> {
        let deadline = deadline.into();
        let mut timed_out = false;
        while condition(guard.data()) {
            if timed_out {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            let (again, result) = self.wait_timeout(guard, deadline)?;
            guard = again;
            timed_out = result.timed_out();
        }
        Ok((guard, WaitTimeoutResult(false)))
    }

    /// Wake the longest waiter. The caller may have the lock, but need not. There is
    /// no system call if nobody waits.
    ///
    /// # Errors
    ///
    /// EBADF: the handle is read-only, and somebody waits.
    pub fn notify_one(&self) -> Result<()> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_cond_signal(self.handle.as_ptr()) };
        check(ret, sys::GOSYNC_IOC_COND_SIGNAL)?;
        Ok(())
    }

    /// Wake all who wait at this moment.
    ///
    /// # Errors
    ///
    /// As [`notify_one`](Condvar::notify_one).
    pub fn notify_all(&self) -> Result<()> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_cond_broadcast(self.handle.as_ptr()) };
        check(ret, sys::GOSYNC_IOC_COND_BROADCAST)?;
        Ok(())
    }
}
