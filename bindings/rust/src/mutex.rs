// SPDX-License-Identifier: LGPL-2.1-or-later
//! Mutex: the pair that nobody waits for is made here, as the C library's inline
//! functions make it; the rest is the library's. The rules stand in
//! `<linux/gosync.h>` ("The mutex word").

use std::mem::{self, ManuallyDrop};
use std::os::raw::c_int;
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;

use crate::error::{check, locked, LockResult, Result, TryLockResult};
use crate::object::{abandon, constructors, object, Handle, Object, OpenOptions};
use crate::probe::probe;
use crate::{sys, Deadline};

/// The address of the mapped state, or of what stands in for it: see
/// `GOSYNC__STAND_IN` in `gosync-user.h`. The library keeps a distance from the
/// handle, so this is an address that it made, not a place in the handle.
#[inline(always)]
pub(crate) fn state<H, S>(handle: *const H, at: usize) -> *const S {
    (handle as usize).wrapping_add(at).wrapping_sub(sys::GOSYNC__STAND_IN) as *const S
}

/// Hide from the compiler that `at` is the same as before. As each address is used
/// once, it is added up in the instruction that uses it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn anew(mut at: usize) -> usize {
    // SAFETY: there is no instruction in it.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) at, options(nomem, nostack, preserves_flags))
    };
    at
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn anew(at: usize) -> usize {
    at
}

/// The word of a Mutex, a WaitGroup, a Once or a Semaphore.
///
/// # Safety
///
/// `at` is the field of that name in `handle`, which is open for as long as the
/// result is used.
#[inline(always)]
pub(crate) unsafe fn word<'a, H>(handle: *const H, at: usize) -> &'a AtomicU64 {
    // SAFETY: both the state and the stand-in begin with a word. It stays mapped
    // until the handle is closed, and everybody accesses it atomically.
    unsafe { &*state::<H, AtomicU64>(handle, at) }
}

/// A Mutex, as the functions below want it: the handle by its value, so that a
/// caller that has it in a register keeps it there.
#[derive(Clone, Copy)]
struct Raw(*mut sys::gosync_mutex);

impl Raw {
    /// The word goes from 0 to LOCKED with our number. Nobody waits, so no wake-up
    /// is owed. If we die, the word names us, and the kernel unlocks. The token is
    /// the owner's to count.
    ///
    /// # Safety
    ///
    /// The handle is open.
    #[inline(always)]
    unsafe fn lock(self) -> c_int {
        // SAFETY: the handle is open, and its fields are atomic.
        let fields = unsafe { &*self.0 };
        let at = fields.at.load(Acquire);

        probe!("mutex_entry", self.0);
        // SAFETY: the state or its stand-in is mapped as long as the handle is open.
        let word = unsafe { word(self.0, at) };
        if word.compare_exchange(0, fields.locked.load(Relaxed), Acquire, Relaxed).is_err() {
            return lock_slow(self);
        }
        // SAFETY: as above; a stand-in's word is never 0, so this is the state. All
        // accesses are atomic. Only the owner writes it, so nothing is lost between
        // the load and the store, of which one instruction is made.
        let token = unsafe { &(*state::<_, sys::gosync_mutex_slot>(self.0, at)).token };
        token.store(token.load(Relaxed).wrapping_add(1), Relaxed);
        0
    }

    /// The word goes from LOCKED with our number to 0. Nobody waits, so no wake-up
    /// is owed.
    ///
    /// # Safety
    ///
    /// The handle is open.
    #[inline(always)]
    unsafe fn unlock(self) -> c_int {
        // SAFETY: the handle is open, and its fields are atomic.
        let fields = unsafe { &*self.0 };
        let at = fields.at.load(Acquire);

        probe!("mutex_release", self.0);
        // SAFETY: the state or its stand-in is mapped as long as the handle is open.
        let word = unsafe { word(self.0, at) };
        if word.compare_exchange(fields.locked.load(Relaxed), 0, Release, Relaxed).is_err() {
            return unlock_slow(self);
        }
        0
    }
}

#[cold]
#[inline(never)]
fn lock_slow(mutex: Raw) -> c_int {
    // SAFETY: lock() was called with an open handle.
    unsafe { sys::gosync_mutex_lock_slow(mutex.0) }
}

#[cold]
#[inline(never)]
fn unlock_slow(mutex: Raw) -> c_int {
    // SAFETY: unlock() was called with an open handle.
    unsafe { sys::gosync_mutex_unlock_slow(mutex.0) }
}

/// Mutual exclusion between processes, and between their threads.
///
/// It guards nothing by itself: what it protects is a file, a device, or a data
/// base. [`SharedMutex`](crate::SharedMutex) guards a value.
///
/// The owner is the handle, which all threads of the process use. A thread other
/// than the one that locked may unlock, so the guard is `Send`.
///
/// When the owner's process dies, or a thread panics with the guard, the lock is
/// unlocked and *poisoned*. [`lock`](Mutex::lock) then returns an error with the
/// guard in it, until [`clear_poison`](Mutex::clear_poison) is called.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let mutex = gosync::Mutex::open("ledger")?;
/// let guard = mutex.lock().expect("the one before us died in here");
/// // ... in here we are alone ...
/// drop(guard);
/// # Ok(())
/// # }
/// ```
pub struct Mutex {
    pub(crate) handle: Handle<sys::gosync_mutex>,
}

constructors!(Mutex, gosync_mutex_open_abi, gosync_mutex_from_fd_abi, true);
object!(Mutex);

impl Mutex {
    fn with_handle(handle: Handle<sys::gosync_mutex>) -> Result<Mutex> {
        Ok(Mutex { handle })
    }

    #[inline(always)]
    fn raw(&self) -> Raw {
        Raw(self.handle.as_ptr())
    }

    /// Lock, for as long as it takes. It is not recursive: a thread that has it
    /// would wait for itself.
    ///
    /// # Errors
    ///
    /// [`Poisoned`](crate::LockError::Poisoned): the lock is held, but an owner
    /// died or panicked with it. [`Failed`](crate::LockError::Failed): EBADF, the
    /// handle is read-only; ESTALE, the holder was broken.
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_>> {
        // SAFETY: the handle is open.
        let ret = unsafe { self.raw().lock() };
        locked(ret, sys::GOSYNC_IOC_MUTEX_LOCK, || MutexGuard::new(self))
    }

    /// Lock, if that needs no wait.
    ///
    /// # Errors
    ///
    /// As [`lock`](Mutex::lock), and
    /// [`WouldBlock`](crate::TryLockError::WouldBlock).
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_>> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_mutex_trylock(self.handle.as_ptr()) };
        Ok(locked(ret, sys::GOSYNC_IOC_MUTEX_LOCK, || MutexGuard::new(self))?)
    }

    /// Lock, until a deadline. A free lock is taken even if that has passed.
    ///
    /// # Errors
    ///
    /// As [`try_lock`](Mutex::try_lock).
    pub fn lock_until(&self, deadline: impl Into<Deadline>) -> TryLockResult<MutexGuard<'_>> {
        let deadline = deadline.into();
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_mutex_lock_until(self.handle.as_ptr(), deadline.ns, deadline.flags)
        };
        Ok(locked(ret, sys::GOSYNC_IOC_MUTEX_LOCK, || MutexGuard::new(self))?)
    }

    /// Lock, run a function, unlock. If the function panics the lock is poisoned.
    ///
    /// This is the fastest way: in contrast to a guard, nothing has to look
    /// whether the thread panics. `true` tells the function that the lock is
    /// poisoned.
    ///
    /// # Errors
    ///
    /// As [`lock`](Mutex::lock), if the lock could not be got, or was taken away
    /// meanwhile.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), gosync::Error> {
    /// let mutex = gosync::Mutex::open("ledger")?;
    /// let sum = mutex.with(|poisoned| {
    ///     if poisoned { 0 } else { 40 + 2 }
    /// })?;
    /// # let _ = sum;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(bool) -> R) -> Result<R> {
        struct Left(Raw);

        // Only a panic drops it.
        impl Drop for Left {
            fn drop(&mut self) {
                abandon(self.0 .0.cast());
            }
        }

        let mutex = self.raw();
        // SAFETY: the handle is open.
        let ret = check(unsafe { mutex.lock() }, sys::GOSYNC_IOC_MUTEX_LOCK)?;
        let left = Left(mutex);
        let result = f(ret != 0);
        mem::forget(left);
        // SAFETY: the handle is open.
        check(unsafe { mutex.unlock() }, sys::GOSYNC_IOC_MUTEX_UNLOCK)?;
        Ok(result)
    }

    /// Whether an owner died or panicked with it, and nobody has called
    /// [`clear_poison`](Mutex::clear_poison) since. It may change at once.
    pub fn is_poisoned(&self) -> Result<bool> {
        Ok(self.info()?.word & sys::GOSYNC_MUTEX_POISONED != 0)
    }

    /// Declare what the lock protects to be right again. The caller must have
    /// locked it.
    ///
    /// # Errors
    ///
    /// EPERM: this handle has not.
    pub fn clear_poison(&self) -> Result<()> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_mutex_recover(self.handle.as_ptr()) };
        check(ret, sys::GOSYNC_IOC_MUTEX_RECOVER)?;
        Ok(())
    }
}

/// A Mutex is locked as long as this lives.
///
/// A guard that is [forgotten](std::mem::forget) leaves it locked until the
/// [`Mutex`] is dropped, which unlocks and poisons it.
#[must_use = "the Mutex is unlocked at once"]
pub struct MutexGuard<'a> {
    mutex: &'a Mutex,
    panicking: bool,
    pub(crate) unit: (),
}

impl<'a> MutexGuard<'a> {
    #[inline]
    pub(crate) fn new(mutex: &'a Mutex) -> MutexGuard<'a> {
        MutexGuard { mutex, panicking: panicking(), unit: () }
    }

    /// The Mutex that it locks
    #[must_use]
    pub fn mutex(&self) -> &'a Mutex {
        self.mutex
    }

    /// Whether the guard is being dropped by a panic that began while it lived
    #[inline]
    pub(crate) fn unwinds(&self) -> bool {
        panicking() && !self.panicking
    }

    /// The fencing token: every later acquisition has a larger one, by whichever
    /// holder. What the lock protects can refuse those that are too small.
    ///
    /// # Errors
    ///
    /// ESTALE: the holder was broken, and has not got the lock any more.
    pub fn token(&self) -> Result<u64> {
        let mut token = 0;
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_mutex_token(self.mutex.handle.as_ptr(), &mut token) };
        check(ret, sys::GOSYNC_IOC_INFO)?;
        Ok(token)
    }

    /// Unlock, as a drop does, and tell whether that went well.
    ///
    /// # Errors
    ///
    /// ESTALE: the holder was broken, and had not got the lock any more.
    #[inline]
    pub fn unlock(self) -> Result<()> {
        let guard = ManuallyDrop::new(self);
        // SAFETY: the handle is open.
        check(unsafe { guard.mutex.raw().unlock() }, sys::GOSYNC_IOC_MUTEX_UNLOCK)?;
        Ok(())
    }
}

/// Without unwinding, who drops a guard does not panic.
#[inline]
pub(crate) fn panicking() -> bool {
    !cfg!(panic = "abort") && thread::panicking()
}

impl Drop for MutexGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.unwinds() {
            abandon(self.mutex.handle.any());
        } else {
            // SAFETY: the handle is open. If the lock was taken away, there is
            // nothing to unlock.
            let _ = unsafe { self.mutex.raw().unlock() };
        }
    }
}

impl std::fmt::Debug for MutexGuard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MutexGuard").field("mutex", self.mutex).finish()
    }
}
