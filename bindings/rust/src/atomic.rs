// SPDX-License-Identifier: LGPL-2.1-or-later
//! Atomic words. Where they are mapped, the operations are those of std's atomics on
//! the mapped words, after a look at the index; otherwise they are ioctls.

use std::marker::PhantomData;
use std::os::raw::{c_int, c_uint};
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::result;
use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use std::sync::atomic::{self, AtomicU64 as Limit};

use crate::error::{check, in_time, Result};
use crate::object::{adopt, object, reopen, Handle, Object, OpenOptions};
use crate::{sys, Deadline};

mod sealed {
    use super::{c_uint, result};

    /// What a word can hold. The unsafe functions want a pointer to such a word,
    /// which is mapped; and for those that write, mapped for that.
    pub trait Sealed: Copy + 'static {
        const TYPE: c_uint;
        const SIZE: usize;
        fn to_word(self) -> u64;
        fn of_word(word: u64) -> Self;
        /// # Safety: see above
        unsafe fn load(at: *mut u8) -> Self;
        /// # Safety: see above
        unsafe fn store(at: *mut u8, value: Self);
        /// # Safety: see above
        unsafe fn swap(at: *mut u8, value: Self) -> Self;
        /// # Safety: see above
        unsafe fn cas(at: *mut u8, old: Self, new: Self) -> result::Result<Self, Self>;
    }

    pub trait SealedInteger: Sealed {
        fn plus(self, delta: Self) -> Self;
        fn minus(self, delta: Self) -> Self;
        /// # Safety: see above
        unsafe fn add(at: *mut u8, delta: Self) -> Self;
        /// # Safety: see above
        unsafe fn and(at: *mut u8, mask: Self) -> Self;
        /// # Safety: see above
        unsafe fn or(at: *mut u8, mask: Self) -> Self;
    }
}
use sealed::{Sealed, SealedInteger};

/// What an [`Atomic`] can hold: `i32`, `u32`, `i64`, `u64`, `usize`, `bool`,
/// [`Opaque`]
pub trait Word: Sealed {}

/// A [`Word`] that can be added to
pub trait Integer: Word + SealedInteger {}

/// 64 bits without arithmetic, which mean something to the processes that use
/// them: the words that C calls pointers
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Opaque(pub u64);

/// `word!(type, number, std's atomic of the same size, to that, from that)`
macro_rules! word {
    ($type:ty, $number:ident, $atomic:ident, $to:expr, $of:expr) => {
        impl Word for $type {}

        impl Sealed for $type {
            const TYPE: c_uint = sys::$number;
            const SIZE: usize = std::mem::size_of::<atomic::$atomic>();

            // Signed values are extended, as the kernel does it.
            #[inline]
            fn to_word(self) -> u64 {
                $to(self) as i64 as u64
            }

            #[inline]
            fn of_word(word: u64) -> Self {
                $of(word as _)
            }

            #[inline]
            unsafe fn load(at: *mut u8) -> Self {
                // SAFETY: the caller's promise; others access it atomically, too.
                $of(unsafe { &*at.cast::<atomic::$atomic>() }.load(SeqCst))
            }

            #[inline]
            unsafe fn store(at: *mut u8, value: Self) {
                // SAFETY: as in load()
                unsafe { &*at.cast::<atomic::$atomic>() }.store($to(value), SeqCst);
            }

            #[inline]
            unsafe fn swap(at: *mut u8, value: Self) -> Self {
                // SAFETY: as in load()
                $of(unsafe { &*at.cast::<atomic::$atomic>() }.swap($to(value), SeqCst))
            }

            #[inline]
            unsafe fn cas(at: *mut u8, old: Self, new: Self) -> result::Result<Self, Self> {
                // SAFETY: as in load()
                let word = unsafe { &*at.cast::<atomic::$atomic>() };
                match word.compare_exchange($to(old), $to(new), SeqCst, SeqCst) {
                    Ok(old) => Ok($of(old)),
                    Err(now) => Err($of(now)),
                }
            }
        }
    };
    (integer $type:ty, $number:ident, $atomic:ident, $same:ty) => {
        word!($type, $number, $atomic, |value: $type| value as $same, |word: $same| word as $type);

        impl Integer for $type {}

        impl SealedInteger for $type {
            #[inline]
            fn plus(self, delta: Self) -> Self {
                self.wrapping_add(delta)
            }

            #[inline]
            fn minus(self, delta: Self) -> Self {
                self.wrapping_sub(delta)
            }

            #[inline]
            unsafe fn add(at: *mut u8, delta: Self) -> Self {
                // SAFETY: as in load()
                let word = unsafe { &*at.cast::<atomic::$atomic>() };
                word.fetch_add(delta as $same, SeqCst) as $type
            }

            #[inline]
            unsafe fn and(at: *mut u8, mask: Self) -> Self {
                // SAFETY: as in load()
                let word = unsafe { &*at.cast::<atomic::$atomic>() };
                word.fetch_and(mask as $same, SeqCst) as $type
            }

            #[inline]
            unsafe fn or(at: *mut u8, mask: Self) -> Self {
                // SAFETY: as in load()
                let word = unsafe { &*at.cast::<atomic::$atomic>() };
                word.fetch_or(mask as $same, SeqCst) as $type
            }
        }
    };
}

word!(integer i32, GOSYNC_INT32, AtomicI32, i32);
word!(integer u32, GOSYNC_UINT32, AtomicU32, u32);
word!(integer i64, GOSYNC_INT64, AtomicI64, i64);
word!(integer u64, GOSYNC_UINT64, AtomicU64, u64);
word!(integer usize, GOSYNC_UINTPTR, AtomicU64, u64);
word!(Opaque, GOSYNC_POINTER, AtomicU64, |value: Opaque| value.0, Opaque);
// Whoever writes to the memory may have written something else than 0 and 1.
word!(bool, GOSYNC_BOOL, AtomicU32, u32::from, |word: u32| word != 0);

/// Words that processes share: one, or an array of them.
///
/// All operations are sequentially consistent, in all processes, with each other
/// and with those of C and Go. There is no `Ordering` to choose. They make no system
/// call, but for the waits, and for handles that are not mapped.
///
/// The methods are about the first word; [`word`](Atomic::word) gets any.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let visits = gosync::AtomicI64::open("visits")?;
/// let before = visits.fetch_add(1)?;
/// println!("this is visit {}", before + 1);
///
/// let counters = gosync::AtomicU32::open_array("counters", 16)?;
/// counters.word(7).fetch_or(1)?;
/// # Ok(())
/// # }
/// ```
pub struct Atomic<T> {
    pub(crate) handle: Handle<sys::gosync_words>,
    of: PhantomData<T>,
}

/// A shared `i32`
pub type AtomicI32 = Atomic<i32>;
/// A shared `u32`
pub type AtomicU32 = Atomic<u32>;
/// A shared `i64`
pub type AtomicI64 = Atomic<i64>;
/// A shared `u64`
pub type AtomicU64 = Atomic<u64>;
/// A shared `usize`, of 64 bits
pub type AtomicUsize = Atomic<usize>;
/// A shared `bool`
pub type AtomicBool = Atomic<bool>;

object!(Atomic<T>);

impl<T: Word> Atomic<T> {
    /// Open a word, or create it with the mode 0600. It begins with 0.
    pub fn open(name: impl AsRef<[u8]>) -> Result<Atomic<T>> {
        Atomic::open_array(name, 1)
    }

    /// Open an array of words, or create it with the mode 0600. 0 means 1, or as
    /// many as there are.
    pub fn open_array(name: impl AsRef<[u8]>, count: usize) -> Result<Atomic<T>> {
        Atomic::open_with(name, count, &OpenOptions::creating())
    }

    /// Open or create an array as the options say. A name without a byte makes an
    /// anonymous one.
    pub fn open_with(
        name: impl AsRef<[u8]>,
        count: usize,
        options: &OpenOptions,
    ) -> Result<Atomic<T>> {
        // SAFETY: the library's function does what open() wants.
        let handle = unsafe {
            options.open(name.as_ref(), false, |name, flags, mode, out| {
                sys::gosync_words_open(
                    sys::GOSYNC_ABI_VERSION,
                    name,
                    T::TYPE,
                    count,
                    flags,
                    mode,
                    out,
                )
            })
        }?;
        Ok(Atomic { handle, of: PhantomData })
    }

    /// Open the object of a descriptor, which was inherited or received. This
    /// process becomes a holder of its own; the descriptor is closed.
    pub fn from_fd(fd: OwnedFd) -> Result<Atomic<T>> {
        // SAFETY: the library's function does what adopt() wants.
        let handle = unsafe {
            adopt(reopen(fd.as_raw_fd())?, |fd, out| {
                sys::gosync_words_from_fd(sys::GOSYNC_ABI_VERSION, fd, T::TYPE, 0, out)
            })
        }?;
        Ok(Atomic { handle, of: PhantomData })
    }

    /// How many words there are
    pub fn count(&self) -> Result<usize> {
        Ok(self.info()?.capacity as usize)
    }

    /// One of the words. If there is no such word, its operations fail with EINVAL.
    #[inline]
    #[must_use]
    pub fn word(&self, index: usize) -> WordRef<'_, T> {
        WordRef { array: self, index }
    }
}

/// One of the words of an [`Atomic`].
///
/// Each operation fails with EINVAL if the index is out of range, and with EBADF if
/// it writes and the handle is read-only.
pub struct WordRef<'a, T> {
    array: &'a Atomic<T>,
    index: usize,
}

impl<T> Clone for WordRef<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for WordRef<'_, T> {}

impl<T> std::fmt::Debug for WordRef<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WordRef").field("index", &self.index).finish_non_exhaustive()
    }
}

impl<T: Word> WordRef<'_, T> {
    /// Where the word is, if the index is below a limit of the handle
    #[inline(always)]
    fn below(&self, limit: impl FnOnce(&sys::gosync_words) -> &Limit) -> Option<*mut u8> {
        let fields = self.array.handle.get();

        // The limit is loaded first: with it the words are there.
        if self.index as u64 >= limit(fields).load(Acquire) {
            return None;
        }
        let words = fields.words.load(Relaxed).cast::<u8>();
        // SAFETY: so many words are mapped there.
        Some(unsafe { words.add(self.index * T::SIZE) })
    }

    #[inline(always)]
    fn readable(&self) -> Option<*mut u8> {
        self.below(|fields| &fields.readable)
    }

    #[inline(always)]
    fn writable(&self) -> Option<*mut u8> {
        self.below(|fields| &fields.writable)
    }

    #[cold]
    fn ask(&self, op: c_uint, value: u64, expected: u64) -> Result<(c_int, T)> {
        let mut word = 0;
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_words_ioctl(
                self.array.handle.as_ptr(),
                op,
                self.index,
                value,
                expected,
                &mut word,
            )
        };
        Ok((check(ret, op)?, T::of_word(word)))
    }

    /// Read it.
    #[inline]
    pub fn load(self) -> Result<T> {
        match self.readable() {
            // SAFETY: the word is mapped.
            Some(at) => Ok(unsafe { T::load(at) }),
            None => Ok(self.ask(sys::GOSYNC_IOC_ATOMIC_LOAD, 0, 0)?.1),
        }
    }

    /// Write it.
    #[inline]
    pub fn store(self, value: T) -> Result<()> {
        match self.writable() {
            // SAFETY: the word is mapped, and may be written.
            Some(at) => unsafe { T::store(at, value) },
            None => {
                self.ask(sys::GOSYNC_IOC_ATOMIC_STORE, value.to_word(), 0)?;
            }
        }
        Ok(())
    }

    /// Write it, and get what was there.
    #[inline]
    pub fn swap(self, value: T) -> Result<T> {
        match self.writable() {
            // SAFETY: the word is mapped, and may be written.
            Some(at) => Ok(unsafe { T::swap(at, value) }),
            None => Ok(self.ask(sys::GOSYNC_IOC_ATOMIC_SWAP, value.to_word(), 0)?.1),
        }
    }

    /// Write it if it is as expected. The inner result is that of
    /// [`std::sync::atomic::AtomicI64::compare_exchange`]: what was there.
    #[inline]
    pub fn compare_exchange(self, current: T, new: T) -> Result<result::Result<T, T>> {
        match self.writable() {
            // SAFETY: the word is mapped, and may be written.
            Some(at) => Ok(unsafe { T::cas(at, current, new) }),
            None => {
                let (new, current) = (new.to_word(), current.to_word());
                let (done, old) = self.ask(sys::GOSYNC_IOC_ATOMIC_CAS, new, current)?;
                Ok(if done == 1 { Ok(old) } else { Err(old) })
            }
        }
    }

    /// Wait until it is something else than this, and get that. Who changes the word
    /// has to [`wake`](WordRef::wake) the waiters.
    pub fn wait(self, expected: T) -> Result<T> {
        Ok(self.wait_until(expected, Deadline::NEVER)?.unwrap_or(expected))
    }

    /// [`wait`](WordRef::wait), until a deadline; `None` if that has passed.
    pub fn wait_until(self, expected: T, deadline: impl Into<Deadline>) -> Result<Option<T>> {
        let (deadline, mut now) = (deadline.into(), 0);
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_words_wait(
                self.array.handle.as_ptr(),
                self.index,
                expected.to_word(),
                deadline.ns,
                deadline.flags,
                &mut now,
            )
        };
        Ok(in_time(ret, sys::GOSYNC_IOC_ATOMIC_WAIT)?.then(|| T::of_word(now)))
    }

    /// Have up to so many waiters look at it again, those first that have waited
    /// longest. The result is how many these are. There is no system call if nobody
    /// waits.
    pub fn wake(self, count: u32) -> Result<u32> {
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_words_wake(self.array.handle.as_ptr(), self.index, count) };
        Ok(check(ret, sys::GOSYNC_IOC_ATOMIC_WAKE)? as u32)
    }
}

impl<T: Integer> WordRef<'_, T> {
    /// Add, wrapping around, and get what was there. (In Go, `Add` returns what is
    /// there now.)
    #[inline]
    pub fn fetch_add(self, delta: T) -> Result<T> {
        match self.writable() {
            // SAFETY: the word is mapped, and may be written.
            Some(at) => Ok(unsafe { T::add(at, delta) }),
            None => {
                let (_, now) = self.ask(sys::GOSYNC_IOC_ATOMIC_ADD, delta.to_word(), 0)?;
                Ok(now.minus(delta))
            }
        }
    }

    /// Subtract, wrapping around, and get what was there.
    #[inline]
    pub fn fetch_sub(self, delta: T) -> Result<T> {
        self.fetch_add(T::of_word(0).minus(delta))
    }

    /// Keep the bits of the mask, and get what was there.
    #[inline]
    pub fn fetch_and(self, mask: T) -> Result<T> {
        match self.writable() {
            // SAFETY: the word is mapped, and may be written.
            Some(at) => Ok(unsafe { T::and(at, mask) }),
            None => Ok(self.ask(sys::GOSYNC_IOC_ATOMIC_AND, mask.to_word(), 0)?.1),
        }
    }

    /// Set the bits of the mask, and get what was there.
    #[inline]
    pub fn fetch_or(self, mask: T) -> Result<T> {
        match self.writable() {
            // SAFETY: the word is mapped, and may be written.
            Some(at) => Ok(unsafe { T::or(at, mask) }),
            None => Ok(self.ask(sys::GOSYNC_IOC_ATOMIC_OR, mask.to_word(), 0)?.1),
        }
    }
}

/// The methods of the first word
macro_rules! first {
    ($bound:ident: $($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        impl<T: $bound> Atomic<T> {
            $(
                #[doc = concat!("[`WordRef::", stringify!($name), "`] of the first word")]
                #[inline]
                pub fn $name(&self, $($arg: $type),*) -> Result<$result> {
                    self.word(0).$name($($arg),*)
                }
            )+
        }
    };
}

first! {
    Word:
    load() -> T;
    store(value: T) -> ();
    swap(value: T) -> T;
    compare_exchange(current: T, new: T) -> result::Result<T, T>;
    wait(expected: T) -> T;
    wait_until(expected: T, deadline: impl Into<Deadline>) -> Option<T>;
    wake(count: u32) -> u32;
}

first! {
    Integer:
    fetch_add(delta: T) -> T;
    fetch_sub(delta: T) -> T;
    fetch_and(mask: T) -> T;
    fetch_or(mask: T) -> T;
}
