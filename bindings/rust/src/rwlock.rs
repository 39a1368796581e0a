// SPDX-License-Identifier: LGPL-2.1-or-later
//! RWMutex: read locks that nobody waits for are made here, as the C library's
//! inline functions make them; the rest is the library's.

use std::mem::ManuallyDrop;
use std::os::raw::{c_int, c_uint};
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use crate::error::{check, locked, LockResult, Result, TryLockResult};
use crate::mutex::panicking;
use crate::object::{abandon, adopt, object, reopen, Handle, Object, OpenOptions};
use crate::probe::probe;
use crate::{sys, Deadline};

/// A lock for one writer or any number of readers, of all processes.
///
/// It guards nothing by itself. It is Go's `sync.RWMutex`: a writer that waits
/// stops new readers, and readers that have waited go before the next writer.
///
/// When a writer dies or panics, the lock is unlocked and poisoned, as a
/// [`Mutex`](crate::Mutex) is, and readers are told, too. When a reader dies or
/// panics its lock is dropped, and nobody is told.
///
/// A process is two holders of it, one that reads and one that writes. So a writer
/// that panics does not take the read locks of other threads away. It has two
/// descriptors for that; [`Object`] is about the one that reads.
///
/// ```no_run
/// # fn main() -> gosync::Result<()> {
/// let lock = gosync::RwLock::open("prices.lock")?;
/// {
///     let _reader = lock.read()?;
///     // ... others may read, too ...
/// }
/// let _writer = lock.write()?;
/// // ... in here we are alone ...
/// # Ok(())
/// # }
/// ```
pub struct RwLock {
    /// The holder that reads
    pub(crate) handle: Handle<sys::gosync_rwmutex>,
    /// The holder that writes
    pub(crate) writer: Handle<sys::gosync_rwmutex>,
}

object!(RwLock);

fn handle_of(fd: OwnedFd, flags: c_uint) -> Result<Handle<sys::gosync_rwmutex>> {
    // SAFETY: the library's function does what adopt() wants.
    unsafe {
        adopt(fd, |fd, out| {
            sys::gosync_rwmutex_from_fd_abi(sys::GOSYNC_ABI_VERSION, fd, flags, out)
        })
    }
}

impl RwLock {
    /// Open it, or create it with the mode 0600. A name has 1 to 255 bytes, any
    /// but NUL.
    pub fn open(name: impl AsRef<[u8]>) -> Result<RwLock> {
        RwLock::open_with(name, &OpenOptions::creating())
    }

    /// Open or create it as the options say. A name without a byte makes an
    /// anonymous one.
    pub fn open_with(name: impl AsRef<[u8]>, options: &OpenOptions) -> Result<RwLock> {
        // SAFETY: the library's function does what open() wants.
        let handle = unsafe {
            options.open(name.as_ref(), true, |name, flags, mode, out| {
                sys::gosync_rwmutex_open_abi(sys::GOSYNC_ABI_VERSION, name, flags, mode, out)
            })
        }?;
        RwLock::with_writer(handle, options.flags(true) & sys::GOSYNC_IOCTL_ONLY)
    }

    /// Create one without a name. Other processes get it by a descriptor: see
    /// [`from_fd`](Self::from_fd).
    pub fn anonymous() -> Result<RwLock> {
        RwLock::open("")
    }

    /// Open the object of a descriptor, which was inherited or received. This
    /// process becomes holders of its own; the descriptor is closed.
    pub fn from_fd(fd: OwnedFd) -> Result<RwLock> {
        RwLock::with_writer(handle_of(reopen(fd.as_raw_fd())?, 0)?, 0)
    }

    fn with_writer(handle: Handle<sys::gosync_rwmutex>, flags: c_uint) -> Result<RwLock> {
        let writer = handle_of(reopen(handle.fd())?, flags)?;
        Ok(RwLock { handle, writer })
    }

    /// Count ourselves in our line, then look at the word: a writer takes the word,
    /// then looks at the lines. If we die, the kernel clears the line.
    #[inline(always)]
    fn read_raw(&self) -> c_int {
        let (handle, fields) = (self.handle.as_ptr(), self.handle.get());
        let reads = fields.reads.load(Acquire);

        probe!("rdlock_entry", handle);
        // SAFETY: our line, if we have one, and the slot are mapped until the
        // handle is closed, and everybody accesses them atomically. Without a slot
        // there is no line.
        unsafe {
            if let Some(reads) = reads.as_ref() {
                reads.fetch_add(1, SeqCst);
                let word = (*fields.slot.load(Relaxed)).word.load(SeqCst);
                if word
                    & (sys::GOSYNC_MUTEX_LOCKED
                        | sys::GOSYNC_MUTEX_STARVING
                        | sys::GOSYNC_MUTEX_POISONED)
                    == 0
                {
                    return 0;
                }
            }
        }
        // SAFETY: the handle is valid.
        unsafe { sys::gosync_rwmutex_rlock_slow(handle, c_int::from(!reads.is_null())) }
    }

    /// Subtract, then look whether a writer sleeps until we have left. If we die in
    /// between, the end of the holder tells the writer.
    #[inline(always)]
    fn read_unlock_raw(&self) -> c_int {
        let (handle, fields) = (self.handle.as_ptr(), self.handle.get());
        let reads = fields.reads.load(Acquire);

        probe!("rdlock_release", handle);
        // SAFETY: as in read_raw()
        unsafe {
            if let Some(reads) = reads.as_ref() {
                let slot = &*fields.slot.load(Relaxed);
                if slot.draining.load(Relaxed) == 0 {
                    let mut n = reads.load(Relaxed);
                    // Below 0: the holder was broken, and the kernel says so.
                    while n as i32 > 0 {
                        match reads.compare_exchange(n, n - 1, SeqCst, Relaxed) {
                            Err(now) => n = now,
                            Ok(_) if slot.draining.load(SeqCst) == 0 => return 0,
                            Ok(_) => return sys::gosync_rwmutex_tell(handle),
                        }
                    }
                }
            }
        }
        // SAFETY: the handle is valid.
        unsafe { sys::gosync_rwmutex_runlock_slow(handle) }
    }

    #[inline]
    fn write_unlock_raw(&self) -> c_int {
        // SAFETY: the handle is valid.
        unsafe { sys::gosync_rwmutex_unlock(self.writer.as_ptr()) }
    }

    /// Lock for reading, for as long as it takes. A thread that has the lock in any
    /// way should not ask for it again: a writer may wait in between.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock`](crate::Mutex::lock).
    #[inline]
    pub fn read(&self) -> LockResult<ReadGuard<'_>> {
        locked(self.read_raw(), sys::GOSYNC_IOC_RWMUTEX_RLOCK, || ReadGuard::new(self))
    }

    /// Lock for reading, if that needs no wait.
    ///
    /// # Errors
    ///
    /// As [`Mutex::try_lock`](crate::Mutex::try_lock).
    pub fn try_read(&self) -> TryLockResult<ReadGuard<'_>> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_rwmutex_tryrlock(self.handle.as_ptr()) };
        Ok(locked(ret, sys::GOSYNC_IOC_RWMUTEX_RLOCK, || ReadGuard::new(self))?)
    }

    /// Lock for reading, until a deadline.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock_until`](crate::Mutex::lock_until).
    pub fn read_until(&self, deadline: impl Into<Deadline>) -> TryLockResult<ReadGuard<'_>> {
        let deadline = deadline.into();
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_rwmutex_rlock_until(self.handle.as_ptr(), deadline.ns, deadline.flags)
        };
        Ok(locked(ret, sys::GOSYNC_IOC_RWMUTEX_RLOCK, || ReadGuard::new(self))?)
    }

    /// Lock for writing, for as long as it takes. From now on new readers wait.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock`](crate::Mutex::lock).
    #[inline]
    pub fn write(&self) -> LockResult<WriteGuard<'_>> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_rwmutex_lock(self.writer.as_ptr()) };
        locked(ret, sys::GOSYNC_IOC_RWMUTEX_LOCK, || WriteGuard::new(self))
    }

    /// Lock for writing, if that needs no wait.
    ///
    /// # Errors
    ///
    /// As [`Mutex::try_lock`](crate::Mutex::try_lock).
    pub fn try_write(&self) -> TryLockResult<WriteGuard<'_>> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_rwmutex_trylock(self.writer.as_ptr()) };
        Ok(locked(ret, sys::GOSYNC_IOC_RWMUTEX_LOCK, || WriteGuard::new(self))?)
    }

    /// Lock for writing, until a deadline.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock_until`](crate::Mutex::lock_until).
    pub fn write_until(&self, deadline: impl Into<Deadline>) -> TryLockResult<WriteGuard<'_>> {
        let deadline = deadline.into();
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_rwmutex_lock_until(self.writer.as_ptr(), deadline.ns, deadline.flags)
        };
        Ok(locked(ret, sys::GOSYNC_IOC_RWMUTEX_LOCK, || WriteGuard::new(self))?)
    }

    /// As [`Mutex::is_poisoned`](crate::Mutex::is_poisoned).
    pub fn is_poisoned(&self) -> Result<bool> {
        Ok(self.info()?.word & sys::GOSYNC_MUTEX_POISONED != 0)
    }

    /// Declare what the lock protects to be right again. The caller must have
    /// locked it for writing.
    ///
    /// # Errors
    ///
    /// EPERM: this process has not.
    pub fn clear_poison(&self) -> Result<()> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_rwmutex_recover(self.writer.as_ptr()) };
        check(ret, sys::GOSYNC_IOC_RWMUTEX_RECOVER)?;
        Ok(())
    }
}

/// An [`RwLock`] is locked for reading as long as this lives.
#[must_use = "the RwLock is unlocked at once"]
pub struct ReadGuard<'a> {
    pub(crate) lock: &'a RwLock,
    pub(crate) unit: (),
}

impl<'a> ReadGuard<'a> {
    #[inline]
    pub(crate) fn new(lock: &'a RwLock) -> ReadGuard<'a> {
        ReadGuard { lock, unit: () }
    }

    /// Unlock, as a drop does, and tell whether that went well.
    ///
    /// # Errors
    ///
    /// ESTALE: the holder was broken.
    #[inline]
    pub fn unlock(self) -> Result<()> {
        let guard = ManuallyDrop::new(self);
        check(guard.lock.read_unlock_raw(), sys::GOSYNC_IOC_RWMUTEX_RUNLOCK)?;
        Ok(())
    }
}

impl Drop for ReadGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // If it was taken away, there is nothing to unlock.
        let _ = self.lock.read_unlock_raw();
    }
}

/// An [`RwLock`] is locked for writing as long as this lives.
///
/// A guard that is [forgotten](std::mem::forget) leaves it locked until the
/// [`RwLock`] is dropped, which unlocks and poisons it.
#[must_use = "the RwLock is unlocked at once"]
pub struct WriteGuard<'a> {
    pub(crate) lock: &'a RwLock,
    panicking: bool,
    pub(crate) unit: (),
}

impl<'a> WriteGuard<'a> {
    #[inline]
    pub(crate) fn new(lock: &'a RwLock) -> WriteGuard<'a> {
        WriteGuard { lock, panicking: panicking(), unit: () }
    }

    /// The fencing token, as [`MutexGuard::token`](crate::MutexGuard::token)
    ///
    /// # Errors
    ///
    /// ESTALE: the holder was broken, and has not got the lock any more.
    pub fn token(&self) -> Result<u64> {
        let mut token = 0;
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_rwmutex_token(self.lock.writer.as_ptr(), &mut token) };
        check(ret, sys::GOSYNC_IOC_INFO)?;
        Ok(token)
    }

    /// Unlock, as a drop does, and tell whether that went well.
    ///
    /// # Errors
    ///
    /// ESTALE: the holder was broken, and had not got the lock any more.
    pub fn unlock(self) -> Result<()> {
        let guard = ManuallyDrop::new(self);
        check(guard.lock.write_unlock_raw(), sys::GOSYNC_IOC_RWMUTEX_UNLOCK)?;
        Ok(())
    }
}

impl Drop for WriteGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        if panicking() && !self.panicking {
            abandon(self.lock.writer.any());
        } else {
            // If it was taken away, there is nothing to unlock.
            let _ = self.lock.write_unlock_raw();
        }
    }
}

impl std::fmt::Debug for ReadGuard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadGuard").field("lock", self.lock).finish()
    }
}

impl std::fmt::Debug for WriteGuard<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteGuard").field("lock", self.lock).finish()
    }
}
