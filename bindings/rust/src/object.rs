// SPDX-License-Identifier: LGPL-2.1-or-later
//! Handles: opening and closing them, and what can be asked about any object.

use std::ffi::CString;
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::os::unix::io::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::ptr::{self, NonNull};
use std::{any::Any, mem};

use crate::error::{check, Error, Result};
use crate::{os, sys, Deadline};

/// A handle of the library, closed when it is dropped
pub(crate) struct Handle<T>(NonNull<T>);

// SAFETY: the library's functions may be called from any thread, and by several
// at once. Only gosync_close() may not: drop() has the handle for itself.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above
unsafe impl<T> Sync for Handle<T> {}

impl<T> Handle<T> {
    /// # Safety
    ///
    /// If `make` returns 0 it has stored a handle, for us to close.
    pub(crate) unsafe fn new(op: c_uint, make: impl FnOnce(*mut *mut T) -> c_int) -> Result<Self> {
        let mut handle = ptr::null_mut();
        check(make(&mut handle), op)?;
        Ok(Handle(NonNull::new(handle).expect("a handle")))
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }

    #[inline]
    pub(crate) fn any(&self) -> *const c_void {
        self.as_ptr().cast()
    }

    /// The public part of the handle, of a type whose fields are all atomic
    #[inline]
    pub(crate) fn get(&self) -> &T {
        // SAFETY: the handle is valid until it is closed. Others write to it
        // only atomically.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn fd(&self) -> c_int {
        // SAFETY: the handle is valid.
        unsafe { sys::gosync_fd(self.any()) }
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: nobody else uses the handle, as we are its only owner.
        unsafe { sys::gosync_close(self.as_ptr().cast()) }
    }
}

/// What the end of an open handle's holder would do, at once: unlock and poison
#[cold]
#[inline(never)]
pub(crate) fn abandon(handle: *const c_void) {
    // SAFETY: the handle is open.
    let fd = unsafe { sys::gosync_fd(handle) };
    // It fails only where there is nothing to give up.
    let _ = os::ask(fd, sys::GOSYNC_IOC_ABANDON);
}

/// A new descriptor of the object, which is another holder
pub(crate) fn reopen(fd: c_int) -> Result<OwnedFd> {
    let fd = os::ask(fd, sys::GOSYNC_IOC_REOPEN)
        .map_err(|error| Error::from_io(&error, sys::GOSYNC_IOC_REOPEN))?;
    // SAFETY: the descriptor is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Make a handle of a descriptor, which belongs to the handle if it succeeds.
///
/// # Safety
///
/// `make` stores a handle if it returns 0, and takes the descriptor only then.
pub(crate) unsafe fn adopt<T>(
    fd: OwnedFd,
    make: impl FnOnce(c_int, *mut *mut T) -> c_int,
) -> Result<Handle<T>> {
    // SAFETY: the caller's promise
    let handle = unsafe { Handle::new(sys::GOSYNC_IOC_OPEN, |out| make(fd.as_raw_fd(), out)) }?;
    let _ = fd.into_raw_fd();
    Ok(handle)
}

pub(crate) fn name_of(name: &[u8], op: c_uint) -> Result<CString> {
    CString::new(name).map_err(|_| Error::new(os::EINVAL, op))
}

/// How an object is opened, and what it is if it is created.
///
/// As with [`std::fs::OpenOptions`], nothing is created unless
/// [`create`](OpenOptions::create) or [`create_new`](OpenOptions::create_new)
/// says so. What describes an object to be created needs one of these two, and
/// means nothing when the name exists.
///
/// ```no_run
/// use gosync::{Mutex, OpenOptions};
///
/// # fn main() -> Result<(), gosync::Error> {
/// // The group may use it, too, and it stays when nobody has it open.
/// let mutex = Mutex::open_with("ledger", OpenOptions::new().create(true).mode(0o660).persist(true))?;
/// # drop(mutex);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    flags: c_uint,
    mode: c_uint,
    checked: bool,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions::new()
    }
}

macro_rules! flag {
    ($(#[$doc:meta])* $name:ident, $flags:expr) => {
        $(#[$doc])*
        pub fn $name(&mut self, yes: bool) -> &mut OpenOptions {
            self.flags = if yes { self.flags | $flags } else { self.flags & !($flags) };
            self
        }
    };
}

impl OpenOptions {
    /// Open what exists, to operate it. What is created has the mode 0600.
    #[must_use]
    pub fn new() -> OpenOptions {
        OpenOptions { flags: 0, mode: 0o600, checked: true }
    }

    pub(crate) fn creating() -> OpenOptions {
        OpenOptions { flags: sys::GOSYNC_CREATE, ..OpenOptions::new() }
    }

    flag!(
        /// Create the object if the name does not exist.
        create,
        sys::GOSYNC_CREATE
    );
    flag!(
        /// Create the object, and fail with EEXIST if the name exists.
        create_new,
        sys::GOSYNC_CREATE | sys::GOSYNC_EXCL
    );
    flag!(
        /// Only observe: load, wait, look.
        read_only,
        sys::GOSYNC_RDONLY
    );
    flag!(
        /// The object stays when nobody has it open, until [`unlink`](crate::unlink).
        persist,
        sys::GOSYNC_PERSIST
    );
    flag!(
        /// The object shares its page of memory with no other.
        own_page,
        sys::GOSYNC_OWN_PAGE
    );
    flag!(
        /// The object is never mapped: every operation is a system call, and a
        /// process can do only what the operations allow.
        no_mmap,
        sys::GOSYNC_NO_MMAP
    );
    flag!(
        /// This handle does not map the object: every operation is a system call.
        ioctl_only,
        sys::GOSYNC_IOCTL_ONLY
    );
    flag!(
        /// [`Semaphore`](crate::Semaphore): permits that a holder acquired and
        /// did not release are released when it ends.
        give_back,
        sys::GOSYNC_GIVE_BACK
    );

    /// [`Mutex`](crate::Mutex), [`RwLock`](crate::RwLock): only the owner can
    /// unlock it. This is so unless it is switched off, since a guard belongs to
    /// the owner. Programs in C or Go may rely on anybody's being able to.
    pub fn error_check(&mut self, yes: bool) -> &mut OpenOptions {
        self.checked = yes;
        self
    }

    /// The permission bits of an object that is created. The umask does not apply.
    pub fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.mode = mode;
        self
    }

    /// The options as flags of the library, for a type that may have an owner
    pub(crate) fn flags(&self, has_owner: bool) -> c_uint {
        if has_owner && self.checked && self.flags & sys::GOSYNC_CREATE != 0 {
            return self.flags | sys::GOSYNC_ERRORCHECK;
        }
        self.flags
    }

    /// Open by a function that gets name, flags and mode.
    ///
    /// # Safety
    ///
    /// As [`Handle::new`].
    pub(crate) unsafe fn open<T>(
        &self,
        name: &[u8],
        has_owner: bool,
        f: impl FnOnce(*const c_char, c_uint, c_uint, *mut *mut T) -> c_int,
    ) -> Result<Handle<T>> {
        let name = name_of(name, sys::GOSYNC_IOC_OPEN)?;
        let flags = self.flags(has_owner);
        // SAFETY: the caller's promise
        unsafe { Handle::new(sys::GOSYNC_IOC_OPEN, |out| f(name.as_ptr(), flags, self.mode, out)) }
    }
}

/// `constructors!(Type, open_abi, from_fd_abi, has_owner)`: of a type whose
/// objects have no capacity
macro_rules! constructors {
    ($type:ident, $open:ident, $from_fd:ident, $has_owner:expr) => {
        impl $type {
            /// Open it, or create it with the mode 0600. A name has 1 to 255
            /// bytes, any but NUL.
            pub fn open(name: impl AsRef<[u8]>) -> Result<$type> {
                $type::open_with(name, &OpenOptions::creating())
            }

            /// Open or create it as the options say. A name without a byte makes
            /// an anonymous one.
            pub fn open_with(name: impl AsRef<[u8]>, options: &OpenOptions) -> Result<$type> {
                // SAFETY: the library's function does what open() wants.
                let handle = unsafe {
                    options.open(name.as_ref(), $has_owner, |name, flags, mode, out| {
                        sys::$open(sys::GOSYNC_ABI_VERSION, name, flags, mode, out)
                    })
                };
                $type::with_handle(handle?)
            }

            /// Create one without a name. Other processes get it by a descriptor:
            /// see [`from_fd`](Self::from_fd).
            pub fn anonymous() -> Result<$type> {
                $type::open("")
            }

            /// Open the object of a descriptor, which was inherited or received.
            ///
            /// This process is a holder of its own then, not that of the sender.
            /// The descriptor is closed.
            pub fn from_fd(fd: OwnedFd) -> Result<$type> {
                $type::adopt(crate::object::reopen(fd.as_raw_fd())?)
            }

            fn adopt(fd: OwnedFd) -> Result<$type> {
                // SAFETY: the library's function does what adopt() wants.
                let handle = unsafe {
                    crate::object::adopt(fd, |fd, out| {
                        sys::$from_fd(sys::GOSYNC_ABI_VERSION, fd, 0, out)
                    })
                };
                $type::with_handle(handle?)
            }
        }
    };
}
pub(crate) use constructors;

/// `object!(Type<generics>)`: a type with a field `handle` is an [`Object`]
macro_rules! object {
    ($type:ident $(<$($t:ident $(: $bound:ident)?),+>)?) => {
        impl $(<$($t $(: $bound)?),+>)? crate::object::sealed::Sealed for $type $(<$($t),+>)? {
            fn raw(&self) -> *const std::os::raw::c_void {
                self.handle.any()
            }
        }

        impl $(<$($t $(: $bound)?),+>)? crate::object::Object for $type $(<$($t),+>)? {}

        impl $(<$($t $(: $bound)?),+>)? std::os::unix::io::AsRawFd for $type $(<$($t),+>)? {
            /// The descriptor, for poll(2) and the like. It is below 0 in a copy of
            /// the process that could be given none.
            fn as_raw_fd(&self) -> std::os::unix::io::RawFd {
                self.handle.fd()
            }
        }

        impl $(<$($t $(: $bound)?),+>)? std::fmt::Debug for $type $(<$($t),+>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).field("fd", &self.handle.fd()).finish()
            }
        }
    };
}
pub(crate) use object;

pub(crate) mod sealed {
    pub trait Sealed {
        fn raw(&self) -> *const std::os::raw::c_void;
    }
}

/// What is known of an object
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// The object's number, never used twice
    pub id: u64,
    /// What it is: 9 for a Mutex, and so on
    pub object_type: u32,
    /// Its name; empty if it has none
    pub name: Vec<u8>,
    /// Permission bits
    pub mode: u32,
    /// Its owner
    pub uid: u32,
    /// Its group
    pub gid: u32,
    /// The number of this handle's holder; 0 in a listing
    pub holder: u32,
    /// How many holders there are
    pub holders: u32,
    /// How many wait in the kernel
    pub waiters: u32,
    /// Mutex, RwLock: the holder that owns it; Once: the one that runs it; 0: none
    pub owner: u32,
    /// The process that opened that holder; 0 if it cannot be seen
    pub owner_pid: u32,
    /// Mutex, RwLock: the fencing token of the last acquisition
    pub token: u64,
    /// Words, bytes, permits or entries
    pub capacity: u64,
    /// Map: the longest key
    pub key_size: u32,
    /// Map: the longest value
    pub value_size: u32,
    /// How many owners have died
    pub deaths: u32,
    /// How often somebody had to wait
    pub contended: u64,
    /// Whether this handle's holder was broken
    pub broken: bool,
    /// Whether this handle can only observe
    pub read_only: bool,
    /// Whether it stays when nobody has it open
    pub persistent: bool,
    pub(crate) word: u64,
}

impl From<&sys::gosync_info> for Info {
    fn from(info: &sys::gosync_info) -> Info {
        Info {
            id: info.id,
            object_type: info.type_,
            name: info.name[..info.name_len as usize].to_vec(),
            mode: info.mode,
            uid: info.uid,
            gid: info.gid,
            holder: info.holder,
            holders: info.holders,
            waiters: info.waiters,
            owner: info.owner,
            owner_pid: info.owner_pid,
            token: info.token,
            capacity: info.capacity,
            key_size: info.key_size,
            value_size: info.value_size,
            deaths: info.deaths,
            contended: info.contended,
            broken: info.flags & sys::GOSYNC_BROKEN != 0,
            read_only: info.flags & sys::GOSYNC_RDONLY != 0,
            persistent: info.flags & sys::GOSYNC_PERSIST != 0,
            word: info.word,
        }
    }
}

/// A holder or a waiter of an object
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Party {
    /// The number of the holder
    pub holder: u32,
    /// Waiter: its process; holder: the process that opened it; 0 if it cannot be seen
    pub pid: u32,
    /// Waiter: its thread
    pub tid: u32,
    /// Waiter: its place in the queue, from 1 on
    pub position: u32,
    /// Holder: read locks or permits that it has; waiter: permits that it wants
    pub count: u32,
    /// Holder: whether it owns the object, or runs it
    pub owns: bool,
    /// For how long it has waited, or has owned the object at least, in nanoseconds
    pub ns: u64,
}

impl From<&sys::gosync_party> for Party {
    fn from(party: &sys::gosync_party) -> Party {
        Party {
            holder: party.holder,
            pid: party.pid,
            tid: party.tid,
            position: party.position,
            count: party.count,
            owns: party.flags & sys::GOSYNC_PARTY_OWNS != 0,
            ns: party.ns,
        }
    }
}

/// What objects of all types have.
///
/// ```no_run
/// use gosync::{Mutex, Object};
///
/// # fn main() -> Result<(), gosync::Error> {
/// let mutex = Mutex::open("ledger")?;
/// for waiter in mutex.waiters()? {
///     println!("process {} has waited for {} ns", waiter.pid, waiter.ns);
/// }
/// # Ok(())
/// # }
/// ```
pub trait Object: sealed::Sealed + AsRawFd {
    /// The descriptor, for poll(2), and to pass it on. It fails with EBADF in a
    /// copy of the process that could be given none.
    fn fd(&self) -> Result<BorrowedFd<'_>> {
        let fd = check(self.as_raw_fd(), 0)?;
        // SAFETY: the descriptor is open for as long as the handle is.
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// Whether operations work on mapped memory; otherwise each is a system call
    fn is_mapped(&self) -> bool {
        // SAFETY: the handle is valid.
        unsafe { sys::gosync_is_mapped(self.raw()) != 0 }
    }

    /// What is known of the object
    fn info(&self) -> Result<Info> {
        // SAFETY: a structure of integers, for which zeros are a value
        let mut info: sys::gosync_info = unsafe { mem::zeroed() };
        // SAFETY: the handle is valid, and `info` has the size said.
        let ret = unsafe { sys::gosync_info_sized(self.raw(), &mut info, mem::size_of_val(&info)) };
        check(ret, sys::GOSYNC_IOC_INFO)?;
        Ok(Info::from(&info))
    }

    /// Who waits for it, those first who will be served first
    fn waiters(&self) -> Result<Vec<Party>> {
        let mut parties: Vec<sys::gosync_party> = Vec::with_capacity(sys::GOSYNC_WAITERS_LISTED);
        // SAFETY: there is room for so many of this size.
        let ret = unsafe {
            sys::gosync_waiters_sized(
                self.raw(),
                parties.as_mut_ptr(),
                sys::GOSYNC_WAITERS_LISTED as c_uint,
                mem::size_of::<sys::gosync_party>(),
            )
        };
        let count = check(ret, sys::GOSYNC_IOC_WAITERS)?;
        // SAFETY: the library has filled in so many.
        unsafe { parties.set_len(count as usize) };
        Ok(parties.iter().map(Party::from).collect())
    }

    /// Who has it open
    fn holders(&self) -> Result<Vec<Party>> {
        let ret = gather(|f, arg| {
            // SAFETY: `f` takes what the library passes, and `arg`.
            unsafe {
                sys::gosync_holders_sized(self.raw(), f, arg, mem::size_of::<sys::gosync_party>())
            }
        });
        ret.map_err(|errno| Error::new(errno, sys::GOSYNC_IOC_HOLDERS))
    }

    /// Take from a holder that hangs what it has, as if it had died, although it
    /// lives. Its next operation fails with ESTALE.
    fn break_holder(&self, holder: u32) -> Result<()> {
        // SAFETY: the handle is valid.
        check(unsafe { sys::gosync_break(self.raw(), holder) }, sys::GOSYNC_IOC_BREAK)?;
        Ok(())
    }

    /// Say what makes the descriptor readable for poll(2), of types for which
    /// that is not clear: see gosync_watch(3).
    fn watch(&self, index: usize, value: u64) -> Result<()> {
        // SAFETY: the handle is valid.
        check(unsafe { sys::gosync_watch(self.raw(), index, value) }, sys::GOSYNC_IOC_WATCH)?;
        Ok(())
    }

    /// Take back [`watch`](Object::watch).
    fn unwatch(&self) -> Result<()> {
        // SAFETY: the handle is valid.
        check(unsafe { sys::gosync_unwatch(self.raw()) }, sys::GOSYNC_IOC_WATCH)?;
        Ok(())
    }
}

/// A closure that C calls. What it panics with must not pass through C's frames.
pub(crate) struct Callback<F> {
    f: F,
    panic: Option<Box<dyn Any + Send>>,
}

impl<F> Callback<F> {
    pub(crate) fn new(f: F) -> Callback<F> {
        Callback { f, panic: None }
    }

    /// Called from C. It returns 0 to go on.
    pub(crate) fn call(&mut self, run: impl FnOnce(&mut F) -> c_int) -> c_int {
        match catch_unwind(AssertUnwindSafe(|| run(&mut self.f))) {
            Ok(ret) => ret,
            Err(panic) => {
                self.panic = Some(panic);
                1
            }
        }
    }

    /// When C has returned
    pub(crate) fn finish(self) -> F {
        match self.panic {
            Some(panic) => resume_unwind(panic),
            None => self.f,
        }
    }
}

/// Gather what a function of the library calls back with, or get its errno.
fn gather<C, R: for<'a> From<&'a C>>(
    walk: impl FnOnce(unsafe extern "C" fn(*const C, *mut c_void) -> c_int, *mut c_void) -> c_int,
) -> Result<Vec<R>, i32> {
    unsafe extern "C" fn one<C, R: for<'a> From<&'a C>>(it: *const C, arg: *mut c_void) -> c_int {
        // SAFETY: `arg` is the callback below, which nobody else uses meanwhile.
        let callback = unsafe { &mut *arg.cast::<Callback<Vec<R>>>() };
        // SAFETY: the library passes a structure that is valid during the call.
        let it = unsafe { &*it };
        callback.call(|all| {
            all.push(R::from(it));
            0
        })
    }

    let mut callback = Callback::new(Vec::new());
    let ret = walk(one::<C, R>, (&mut callback as *mut Callback<Vec<R>>).cast());
    let all = callback.finish();
    if ret < 0 {
        return Err(-ret);
    }
    Ok(all)
}

/// The objects that have a name and that the caller may read
pub fn list() -> Result<Vec<Info>> {
    let ret = gather(|f, arg| {
        // SAFETY: `f` takes what the library passes, and `arg`.
        unsafe { sys::gosync_list_sized(f, arg, mem::size_of::<sys::gosync_info>()) }
    });
    ret.map_err(|errno| Error::new(errno, sys::GOSYNC_IOC_LIST))
}

fn by_name(
    name: impl AsRef<[u8]>,
    op: c_uint,
    f: impl FnOnce(*const c_char) -> c_int,
) -> Result<()> {
    check(f(name_of(name.as_ref(), op)?.as_ptr()), op)?;
    Ok(())
}

/// Remove a name. Handles go on working; the object goes with the last of them.
pub fn unlink(name: impl AsRef<[u8]>) -> Result<()> {
    // SAFETY: the name ends with NUL.
    by_name(name, sys::GOSYNC_IOC_UNLINK, |name| unsafe { sys::gosync_unlink(name) })
}

/// Remove a name, unless somebody has the object open: then it fails with EBUSY.
pub fn unlink_unused(name: impl AsRef<[u8]>) -> Result<()> {
    // SAFETY: the name ends with NUL.
    by_name(name, sys::GOSYNC_IOC_UNLINK, |name| unsafe { sys::gosync_unlink_unused(name) })
}

/// Change an object's permission bits, for later opens.
pub fn set_permissions(name: impl AsRef<[u8]>, mode: u32) -> Result<()> {
    // SAFETY: the name ends with NUL.
    by_name(name, sys::GOSYNC_IOC_CHANGE, |name| unsafe { sys::gosync_chmod(name, mode) })
}

/// Change an object's owner, its group, or both, as [`std::os::unix::fs::chown`].
pub fn chown(name: impl AsRef<[u8]>, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
    let (uid, gid) = (uid.unwrap_or(u32::MAX), gid.unwrap_or(u32::MAX));
    // SAFETY: the name ends with NUL.
    by_name(name, sys::GOSYNC_IOC_CHANGE, |name| unsafe { sys::gosync_chown(name, uid, gid) })
}

/// Wait until a name exists, and get a descriptor of its object, for the
/// `from_fd()` of its type. It fails with ETIMEDOUT after the deadline.
///
/// ```no_run
/// use gosync::{Deadline, Mutex};
///
/// # fn main() -> Result<(), gosync::Error> {
/// let mutex = Mutex::from_fd(gosync::await_name("ledger", Deadline::NEVER)?)?;
/// # drop(mutex);
/// # Ok(())
/// # }
/// ```
pub fn await_name(name: impl AsRef<[u8]>, deadline: impl Into<Deadline>) -> Result<OwnedFd> {
    let name = name_of(name.as_ref(), sys::GOSYNC_IOC_OPEN)?;
    let deadline = deadline.into();
    // SAFETY: the name ends with NUL.
    let fd = unsafe { sys::gosync_await_name(name.as_ptr(), 0, deadline.ns, deadline.flags) };
    let fd = check(fd, sys::GOSYNC_IOC_OPEN)?;
    // SAFETY: the descriptor is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
