// SPDX-License-Identifier: LGPL-2.1-or-later
//! A value in shared memory, with the Mutex that guards it.
//!
//! The memory has two places for the value, and a word that says which of them
//! counts. A guard has a copy of the value. When it is dropped, what was changed is
//! written to the other place, and then the word is. So there is never half a
//! value, at whatever instant a process is killed.
//!
//! And so this is sound whatever others do. A process that may write to the memory
//! can do so without the lock. A reference into it would be undefined behaviour
//! then; a copy that is made by atomic loads is at worst a wrong value.

use std::fs::{File, OpenOptions as FileOptions};
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::path::Path;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicU8};

use crate::codec::{type_id, Shareable};
use crate::error::{Error, LockError, LockResult, Result, TryLockError, TryLockResult};
use crate::mutex::{Mutex, MutexGuard};
use crate::{os, sys, Deadline};

/// What the memory begins with
#[repr(C, align(64))]
struct Header {
    /// `MAGIC` once the rest is there
    magic: AtomicU64,
    /// The type and the size of the value
    type_id: AtomicU64,
    size: AtomicU64,
    /// Which of the two places counts, in the lowest bit
    current: AtomicU64,
}

/// "gosync" and the version of this layout
const MAGIC: u64 = u64::from_be_bytes(*b"gosync\0\x01");

/// The mapped memory, of a value of type T
struct Region<T: Shareable> {
    header: NonNull<Header>,
    value: PhantomData<T>,
}

// SAFETY: it is memory that all accesses are atomic to.
unsafe impl<T: Shareable> Send for Region<T> {}
// SAFETY: as above
unsafe impl<T: Shareable> Sync for Region<T> {}

impl<T: Shareable> Region<T> {
    /// Each place begins with a cache line.
    const STRIDE: usize = (mem::size_of::<T>() + 63) / 64 * 64;
    const LEN: usize = mem::size_of::<Header>() + 2 * Self::STRIDE;

    fn map(file: &File) -> Result<Region<T>> {
        let addr = os::map(file.as_raw_fd(), Self::LEN).map_err(failed)?;
        let header = NonNull::new(addr.cast()).expect("an address");
        Ok(Region { header, value: PhantomData })
    }

    fn header(&self) -> &Header {
        // SAFETY: it is mapped as long as we are, at the beginning of a page, and
        // all its fields are atomic.
        unsafe { self.header.as_ref() }
    }

    /// One of the two places: its 64-bit words, and the bytes that are left
    fn place(&self, which: u64) -> (&[AtomicU64], &[AtomicU8]) {
        let offset = mem::size_of::<Header>() + (which & 1) as usize * Self::STRIDE;
        let (words, bytes) = (mem::size_of::<T>() / 8, mem::size_of::<T>() % 8);
        // SAFETY: so much is mapped as long as we are. The place begins at a multiple
        // of 64, and everybody accesses it atomically.
        unsafe {
            let place = self.header.as_ptr().cast::<u8>().add(offset);
            (
                slice::from_raw_parts(place.cast(), words),
                slice::from_raw_parts(place.add(words * 8).cast(), bytes),
            )
        }
    }

    fn load(&self) -> T {
        let (words, bytes) = self.place(self.header().current.load(Acquire));
        let mut value = MaybeUninit::<T>::uninit();
        let to = value.as_mut_ptr().cast::<u8>();
        for (i, word) in words.iter().enumerate() {
            // SAFETY: the value has that many words, if perhaps not aligned ones.
            unsafe { to.add(i * 8).cast::<u64>().write_unaligned(word.load(Relaxed)) };
        }
        for (i, byte) in bytes.iter().enumerate() {
            // SAFETY: these are the bytes after the words.
            unsafe { to.add(words.len() * 8 + i).write(byte.load(Relaxed)) };
        }
        // SAFETY: any bytes are a value of a Shareable, and all were written.
        unsafe { value.assume_init() }
    }

    fn store(&self, value: &T) {
        let next = self.header().current.load(Relaxed) ^ 1;
        let (words, bytes) = self.place(next);
        let from = crate::codec::bytes_of(value);
        let (whole, left) = from.split_at(words.len() * 8);
        for (word, chunk) in words.iter().zip(whole.chunks_exact(8)) {
            word.store(u64::from_ne_bytes(chunk.try_into().expect("8 bytes")), Relaxed);
        }
        for (byte, &b) in bytes.iter().zip(left) {
            byte.store(b, Relaxed);
        }
        self.header().current.store(next, Release);
    }
}

impl<T: Shareable> Drop for Region<T> {
    fn drop(&mut self) {
        // SAFETY: map() has mapped as much there, and we are its only owner.
        unsafe { os::unmap(self.header.as_ptr().cast(), Self::LEN) }
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::from_io(&error, sys::GOSYNC_IOC_OPEN)
}

/// A value that processes share, which only the owner of a lock gets at.
///
/// As [`std::sync::Mutex`], with a [`Mutex`] and a file that holds the value: one
/// in `/dev/shm`, or a memfd.
///
/// **No half of a change.** A guard works on a copy, which is written back when it
/// is dropped. If its process dies before that, or it is dropped by a panic, the
/// value is as it was; the lock is poisoned all the same. Copying takes time, so
/// this is for values of some kilobytes at most.
///
/// **Sound, whoever may write to the file.** What is read may be any bytes, and T
/// is [`Shareable`], so any bytes are a T. Others that do not keep to the lock can
/// make the value wrong, but cannot break this program. There is one exception: who
/// makes the file shorter makes those who use it die by SIGBUS. A memfd of
/// [`anonymous`](SharedMutex::anonymous) cannot be made shorter.
///
/// ```no_run
/// # fn main() -> gosync::Result<()> {
/// let visits = gosync::SharedMutex::open("visits", "/dev/shm/visits", 0u64)?;
/// let mut guard = visits.lock()?;
/// *guard += 1;
/// println!("this is visit {}", *guard);
/// # Ok(())
/// # }
/// ```
pub struct SharedMutex<T: Shareable> {
    mutex: Mutex,
    file: File,
    region: Region<T>,
}

impl<T: Shareable> SharedMutex<T> {
    /// Open the Mutex and the file of these names, or create them with the mode
    /// 0600. If the file is new, the value is `init`.
    ///
    /// # Errors
    ///
    /// EPROTOTYPE: the file holds a value of another type, or something else.
    pub fn open(name: impl AsRef<[u8]>, file: impl AsRef<Path>, init: T) -> Result<SharedMutex<T>> {
        let mutex = Mutex::open(name)?;
        let mut options = FileOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        SharedMutex::new(mutex, options.open(file).map_err(failed)?, init)
    }

    /// Create one without names. Other processes get it by two descriptors: those
    /// of [`mutex`](SharedMutex::mutex) and [`file`](SharedMutex::file).
    pub fn anonymous(init: T) -> Result<SharedMutex<T>> {
        let file = os::memory(Region::<T>::LEN).map_err(failed)?;
        SharedMutex::new(Mutex::anonymous()?, file, init)
    }

    /// Open it by two descriptors, which were inherited or received.
    pub fn from_fds(mutex: OwnedFd, file: OwnedFd, init: T) -> Result<SharedMutex<T>> {
        SharedMutex::new(Mutex::from_fd(mutex)?, File::from(file), init)
    }

    /// Put a Mutex and a file together. All who share the value must use the same
    /// two. If the file is empty or holds zeros, the value becomes `init`. It takes
    /// the lock for a moment.
    ///
    /// # Errors
    ///
    /// EPROTOTYPE: the file holds a value of another type, or something else.
    pub fn new(mutex: Mutex, file: File, init: T) -> Result<SharedMutex<T>> {
        let region = {
            // Who dies in here leaves a file that is not made yet.
            let _guard = mutex.lock().or_else(LockError::into_inner)?;
            Self::prepare(&file, &init)?
        };
        Ok(SharedMutex { mutex, file, region })
    }

    fn prepare(file: &File, init: &T) -> Result<Region<T>> {
        let wrong = || Error::new(os::EPROTOTYPE, sys::GOSYNC_IOC_OPEN);
        match file.metadata().map_err(failed)?.len() {
            0 => file.set_len(Region::<T>::LEN as u64).map_err(failed)?,
            len if len != Region::<T>::LEN as u64 => return Err(wrong()),
            _ => {}
        }
        let region = Region::<T>::map(file)?;
        let header = region.header();
        let (kind, size) = (type_id(T::NAME, mem::size_of::<T>()), mem::size_of::<T>() as u64);
        if header.magic.load(Acquire) == 0 {
            header.type_id.store(kind, Relaxed);
            header.size.store(size, Relaxed);
            region.store(init);
            header.magic.store(MAGIC, Release);
        }
        if header.magic.load(Acquire) != MAGIC
            || header.type_id.load(Relaxed) != kind
            || header.size.load(Relaxed) != size
        {
            return Err(wrong());
        }
        Ok(region)
    }

    /// The Mutex, whose descriptor may be passed on
    #[must_use]
    pub fn mutex(&self) -> &Mutex {
        &self.mutex
    }

    /// The file, whose descriptor may be passed on
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    fn guard<'a>(&'a self, lock: MutexGuard<'a>) -> SharedMutexGuard<'a, T> {
        SharedMutexGuard { region: &self.region, value: self.region.load(), changed: false, lock }
    }

    /// Lock, and get the value, for as long as it takes.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock`].
    #[inline]
    pub fn lock(&self) -> LockResult<SharedMutexGuard<'_, T>> {
        match self.mutex.lock() {
            Ok(lock) => Ok(self.guard(lock)),
            Err(error) => Err(error.map(|lock| self.guard(lock))),
        }
    }

    fn tried<'a>(
        &'a self,
        lock: TryLockResult<MutexGuard<'a>>,
    ) -> TryLockResult<SharedMutexGuard<'a, T>> {
        match lock {
            Ok(lock) => Ok(self.guard(lock)),
            Err(TryLockError::Poisoned(lock)) => {
                Err(LockError::Poisoned(lock).map(|lock| self.guard(lock)).into())
            }
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
            Err(TryLockError::Failed(error)) => Err(TryLockError::Failed(error)),
        }
    }

    /// Lock, if that needs no wait.
    ///
    /// # Errors
    ///
    /// As [`Mutex::try_lock`].
    pub fn try_lock(&self) -> TryLockResult<SharedMutexGuard<'_, T>> {
        self.tried(self.mutex.try_lock())
    }

    /// Lock, until a deadline.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock_until`].
    pub fn lock_until(
        &self,
        deadline: impl Into<Deadline>,
    ) -> TryLockResult<SharedMutexGuard<'_, T>> {
        self.tried(self.mutex.lock_until(deadline))
    }

    /// As [`Mutex::is_poisoned`].
    pub fn is_poisoned(&self) -> Result<bool> {
        self.mutex.is_poisoned()
    }

    /// As [`Mutex::clear_poison`].
    pub fn clear_poison(&self) -> Result<()> {
        self.mutex.clear_poison()
    }
}

impl<T: Shareable> std::fmt::Debug for SharedMutex<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedMutex").field("mutex", &self.mutex).finish_non_exhaustive()
    }
}

/// A [`SharedMutex`] is locked as long as this lives. It is the value.
#[must_use = "the SharedMutex is unlocked at once"]
pub struct SharedMutexGuard<'a, T: Shareable> {
    region: &'a Region<T>,
    value: T,
    changed: bool,
    /// Dropped last, as its drop unlocks
    pub(crate) lock: MutexGuard<'a>,
}

impl<T: Shareable> SharedMutexGuard<'_, T> {
    /// Write back what was changed, while the lock is held.
    ///
    /// From now on a death leaves the value as it is now. Not a method, since it
    /// would hide one of T.
    ///
    /// # Errors
    ///
    /// ESTALE: the holder was broken, and nothing was written.
    pub fn publish(guard: &mut Self) -> Result<()> {
        if guard.changed {
            // It makes no system call, unless there is a broken holder.
            guard.lock.token()?;
            guard.region.store(&guard.value);
            guard.changed = false;
        }
        Ok(())
    }

    /// The fencing token, as [`MutexGuard::token`]
    ///
    /// # Errors
    ///
    /// ESTALE: the holder was broken, and has not got the lock any more.
    pub fn token(guard: &Self) -> Result<u64> {
        guard.lock.token()
    }

    /// Get the value anew, after others may have changed it
    pub(crate) fn reload(&mut self) {
        self.value = self.region.load();
        self.changed = false;
    }
}

impl<T: Shareable> Deref for SharedMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Shareable> DerefMut for SharedMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

impl<T: Shareable> Drop for SharedMutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if !self.lock.unwinds() {
            // What was taken away is not ours to change.
            let _ = SharedMutexGuard::publish(self);
        }
    }
}

impl<T: Shareable + std::fmt::Debug> std::fmt::Debug for SharedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value.fmt(f)
    }
}
