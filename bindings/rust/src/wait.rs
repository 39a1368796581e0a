// SPDX-License-Identifier: LGPL-2.1-or-later
//! Waiting for several things at once.

use std::os::raw::{c_int, c_uint};
use std::os::unix::io::{AsRawFd, BorrowedFd};

use crate::error::{check, locked, Error, LockResult, Result};
use crate::mutex::{Mutex, MutexGuard};
use crate::rwlock::{ReadGuard, RwLock, WriteGuard};
use crate::semaphore::{Permits, Semaphore};
use crate::{os, sys, Atomic, Deadline, Once, WaitGroup, Word};

/// One of several things to wait for, with [`wait_any`] or [`wait_all`]
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    entry: sys::gosync_wait_entry,
    what: What<'a>,
}

#[derive(Clone, Copy, Debug)]
enum What<'a> {
    Mutex(&'a Mutex),
    Read(&'a RwLock),
    Write(&'a RwLock),
    Permits(&'a Semaphore, u32),
    Other,
}

/// What was granted: it is released when it is dropped.
#[derive(Debug)]
#[must_use = "what was granted is released at once"]
pub enum Granted<'a> {
    /// The Mutex is locked.
    Mutex(LockResult<MutexGuard<'a>>),
    /// The RwLock is locked for reading.
    Read(LockResult<ReadGuard<'a>>),
    /// The RwLock is locked for writing.
    Write(LockResult<WriteGuard<'a>>),
    /// These are the permits.
    Permits(Permits<'a>),
    /// The WaitGroup is at 0, the Once is done, or the word is another.
    Happened,
    /// The descriptor is ready for these of the events.
    Ready(i16),
}

impl<'a> Entry<'a> {
    fn new(fd: c_int, op: c_uint, index: u32, value: u64, what: What<'a>) -> Entry<'a> {
        Entry { entry: sys::gosync_wait_entry { fd, op, index, result: 0, value }, what }
    }

    /// Lock a Mutex.
    #[must_use]
    pub fn mutex(mutex: &'a Mutex) -> Entry<'a> {
        Entry::new(mutex.handle.fd(), sys::GOSYNC_IOC_MUTEX_LOCK, 0, 0, What::Mutex(mutex))
    }

    /// Lock an RwLock for reading.
    #[must_use]
    pub fn read(lock: &'a RwLock) -> Entry<'a> {
        Entry::new(lock.handle.fd(), sys::GOSYNC_IOC_RWMUTEX_RLOCK, 0, 0, What::Read(lock))
    }

    /// Lock an RwLock for writing.
    #[must_use]
    pub fn write(lock: &'a RwLock) -> Entry<'a> {
        Entry::new(lock.writer.fd(), sys::GOSYNC_IOC_RWMUTEX_LOCK, 0, 0, What::Write(lock))
    }

    /// Take permits.
    #[must_use]
    pub fn permits(semaphore: &'a Semaphore, n: u32) -> Entry<'a> {
        let what = What::Permits(semaphore, n);
        let op = sys::GOSYNC_IOC_SEMAPHORE_ACQUIRE;
        Entry::new(semaphore.handle.fd(), op, 0, u64::from(n), what)
    }

    /// Wait until a WaitGroup is at 0.
    #[must_use]
    pub fn wait_group(group: &'a WaitGroup) -> Entry<'a> {
        Entry::new(group.handle.fd(), sys::GOSYNC_IOC_WAITGROUP_WAIT, 0, 0, What::Other)
    }

    /// Wait until a Once has been done.
    #[must_use]
    pub fn once(once: &'a Once) -> Entry<'a> {
        Entry::new(once.handle.fd(), sys::GOSYNC_IOC_ONCE_WAIT, 0, 0, What::Other)
    }

    /// Wait until a word is something else than this.
    #[must_use]
    pub fn word<T: Word>(array: &'a Atomic<T>, index: usize, value: T) -> Entry<'a> {
        // No word has this index, which stands for every larger one.
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let op = sys::GOSYNC_IOC_ATOMIC_WAIT;
        Entry::new(array.handle.fd(), op, index, value.to_word(), What::Other)
    }

    /// Wait until any descriptor is ready, for events as of poll(2). Nothing is read
    /// or written. For [`wait_any`] only: so a wait can be ended from elsewhere.
    #[must_use]
    pub fn fd(fd: BorrowedFd<'a>, events: i16) -> Entry<'a> {
        Entry::new(fd.as_raw_fd(), 0, u32::from(events as u16), 0, What::Other)
    }
}

/// The guard of an entry that was granted
fn granted<'a>(what: What<'a>, entry: &sys::gosync_wait_entry) -> Granted<'a> {
    let (ret, op) = (entry.result, entry.op);
    match what {
        What::Mutex(mutex) => Granted::Mutex(locked(ret, op, || MutexGuard::new(mutex))),
        What::Read(lock) => Granted::Read(locked(ret, op, || ReadGuard::new(lock))),
        What::Write(lock) => Granted::Write(locked(ret, op, || WriteGuard::new(lock))),
        What::Permits(semaphore, n) => Granted::Permits(Permits::new(semaphore, n)),
        What::Other if op == 0 => Granted::Ready(ret as i16),
        What::Other => Granted::Happened,
    }
}

type Wait = unsafe extern "C" fn(*mut sys::gosync_wait_entry, c_uint, u64, c_uint) -> c_int;

fn wait(
    f: Wait,
    entries: &[Entry<'_>],
    deadline: Deadline,
) -> Result<Option<(usize, Vec<sys::gosync_wait_entry>)>> {
    let mut list: Vec<_> = entries.iter().map(|entry| entry.entry).collect();
    let count = c_uint::try_from(list.len()).unwrap_or(c_uint::MAX);
    // SAFETY: there are so many entries.
    let ret = unsafe { f(list.as_mut_ptr(), count, deadline.ns, deadline.flags) };
    if ret == -os::ETIMEDOUT {
        return Ok(None);
    }
    Ok(Some((check(ret, sys::GOSYNC_IOC_WAIT)? as usize, list)))
}

/// Wait for one of up to 64 things, and get it. The result is which one, and what
/// was granted; `None` after the deadline.
///
/// Nothing is done with the others. If several can be granted, the first of them is.
///
/// # Errors
///
/// EINVAL: no entry, or more than 64; EBADF: an entry's handle is read-only.
///
/// ```no_run
/// use gosync::{wait_any, Entry, Granted};
/// use std::os::unix::io::AsFd;
///
/// # fn main() -> gosync::Result<()> {
/// const POLLIN: i16 = 1;
///
/// // Wait for permits, until the other end of this is written to.
/// let slots = gosync::Semaphore::open("slots", 4)?;
/// let (stop, _other) = std::os::unix::net::UnixStream::pair().unwrap();
/// let entries = [Entry::fd(stop.as_fd(), POLLIN), Entry::permits(&slots, 1)];
/// match wait_any(&entries, gosync::Deadline::NEVER)? {
///     Some((1, Granted::Permits(_permit))) => println!("my turn"),
///     _ => println!("cancelled"),
/// }
/// # Ok(())
/// # }
/// ```
pub fn wait_any<'a>(
    entries: &[Entry<'a>],
    deadline: impl Into<Deadline>,
) -> Result<Option<(usize, Granted<'a>)>> {
    let (i, list) = match wait(sys::gosync_wait_any, entries, deadline.into())? {
        Some(got) => got,
        None => return Ok(None),
    };
    match (entries.get(i), list.get(i)) {
        (Some(entry), Some(result)) => Ok(Some((i, granted(entry.what, result)))),
        _ => Err(Error::new(os::EIO, sys::GOSYNC_IOC_WAIT)),
    }
}

/// Wait for up to 64 things, and get all of them at one moment; `None` after the
/// deadline. So waits for several locks do not deadlock with each other, in whatever
/// order they name the locks.
///
/// # Errors
///
/// As [`wait_any`]; EDEADLK: a lock is asked for twice.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let (from, to) = (gosync::Mutex::open("a")?, gosync::Mutex::open("b")?);
/// let entries = [gosync::Entry::mutex(&from), gosync::Entry::mutex(&to)];
/// let both = gosync::wait_all(&entries, gosync::Deadline::NEVER)?;
/// # drop(both);
/// # Ok(())
/// # }
/// ```
pub fn wait_all<'a>(
    entries: &[Entry<'a>],
    deadline: impl Into<Deadline>,
) -> Result<Option<Vec<Granted<'a>>>> {
    let got = wait(sys::gosync_wait_all, entries, deadline.into())?;
    Ok(got.map(|(_, list)| {
        entries.iter().zip(&list).map(|(entry, result)| granted(entry.what, result)).collect()
    }))
}
