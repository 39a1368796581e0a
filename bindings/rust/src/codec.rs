// SPDX-License-Identifier: LGPL-2.1-or-later
//! What can be stored for other processes to read.

use std::mem::{self, MaybeUninit};
use std::{ptr, slice};

/// A type whose values are plain bytes, which other processes may have written.
///
/// They may be of another program, of an older version, or hostile. So every byte
/// that there is has to be a value, and one that has a meaning here.
///
/// ```no_run
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Account {
///     balance: i64,
///     changes: u64,
/// }
///
/// // SAFETY: repr(C), all fields are Shareable, and there is no padding: 8 + 8 bytes.
/// unsafe impl gosync::Shareable for Account {
///     const NAME: &'static str = "bank.account.1";
/// }
///
/// # fn main() -> Result<(), gosync::Error> {
/// let account = gosync::SharedMutex::open("account", "/dev/shm/account", Account { balance: 0, changes: 0 })?;
/// # drop(account);
/// # Ok(())
/// # }
/// ```
///
/// # Safety
///
/// * Any bytes are a value of the type: it has no `bool`, `char`, `enum`,
///   reference, `Box`, `NonNull` or `NonZero` in it.
/// * There is no padding: each byte belongs to a field.
/// * The layout is fixed: `#[repr(C)]`, `#[repr(transparent)]`, an array, or a
///   number.
/// * It has no address or descriptor in it that means something in one process
///   only. That is not about memory safety as long as nobody believes it.
pub unsafe trait Shareable: Copy + Send + Sync + 'static {
    /// What the type is called, the same in all programs that share it. With the
    /// size it tells types apart. Give it another name when a field changes its
    /// meaning. The numbers have the names of C: `int64_t` and so on.
    const NAME: &'static str;
}

macro_rules! shareable {
    ($($type:ty, $name:literal;)+) => {
        $(
            // SAFETY: a number, of which any bytes are a value
            unsafe impl Shareable for $type {
                const NAME: &'static str = $name;
            }
        )+
    };
}

shareable! {
    u8, "uint8_t"; u16, "uint16_t"; u32, "uint32_t"; u64, "uint64_t"; usize, "size_t";
    i8, "int8_t"; i16, "int16_t"; i32, "int32_t"; i64, "int64_t"; isize, "ssize_t";
    f32, "float"; f64, "double";
}

// SAFETY: an array has no padding of its own, and its layout is fixed.
unsafe impl<T: Shareable, const N: usize> Shareable for [T; N] {
    const NAME: &'static str = T::NAME;
}

/// All its bytes, none of which is padding
pub(crate) fn bytes_of<T: Shareable>(value: &T) -> &[u8] {
    // SAFETY: a Shareable has no padding, so each byte is initialized.
    unsafe { slice::from_raw_parts((value as *const T).cast(), mem::size_of::<T>()) }
}

/// A value of bytes, if there are as many as it takes
pub(crate) fn from_bytes<T: Shareable>(bytes: &[u8]) -> Option<T> {
    if bytes.len() != mem::size_of::<T>() {
        return None;
    }
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: there are as many bytes in both, and they do not overlap. Any bytes
    // are a value of a Shareable.
    unsafe {
        ptr::copy_nonoverlapping(bytes.as_ptr(), value.as_mut_ptr().cast(), bytes.len());
        Some(value.assume_init())
    }
}

/// What can be made bytes: the borrowed half of [`Codec`], as `str` is of `String`
pub trait Encode {
    /// Call a function with the bytes.
    fn encode<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R;
}

/// What a [`Map`](crate::Map) and a [`Value`](crate::Value) hold: something that
/// can be made bytes, and of bytes again.
///
/// Each [`Shareable`] is one, and so are `String` and `Vec<u8>`. For other types:
///
/// ```
/// use gosync::{Codec, Encode};
///
/// struct Point { x: i32, y: i32 }
///
/// impl Encode for Point {
///     fn encode<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
///         f(format!("{},{}", self.x, self.y).as_bytes())
///     }
/// }
///
/// impl Codec for Point {
///     const NAME: &'static str = "point.text";
///
///     fn decode(bytes: &[u8]) -> Option<Point> {
///         let (x, y) = std::str::from_utf8(bytes).ok()?.split_once(',')?;
///         Some(Point { x: x.parse().ok()?, y: y.parse().ok()? })
///     }
/// }
/// ```
pub trait Codec: Encode + Sized {
    /// What the encoding is called: see [`Shareable::NAME`].
    const NAME: &'static str;
    /// How many bytes it has, if that is always the same; otherwise 0
    const SIZE: usize = 0;

    /// What the bytes mean, or `None` if they mean nothing. Others wrote them.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl<T: Shareable> Encode for T {
    fn encode<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(bytes_of(self))
    }
}

impl<T: Shareable> Codec for T {
    const NAME: &'static str = <T as Shareable>::NAME;
    const SIZE: usize = mem::size_of::<T>();

    fn decode(bytes: &[u8]) -> Option<T> {
        from_bytes(bytes)
    }
}

impl Encode for [u8] {
    fn encode<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(self)
    }
}

impl Encode for Vec<u8> {
    fn encode<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(self)
    }
}

impl Codec for Vec<u8> {
    const NAME: &'static str = "bytes";

    fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
        Some(bytes.to_vec())
    }
}

impl Encode for str {
    fn encode<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(self.as_bytes())
    }
}

impl Encode for String {
    fn encode<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(self.as_bytes())
    }
}

impl Codec for String {
    const NAME: &'static str = "utf8";

    fn decode(bytes: &[u8]) -> Option<String> {
        String::from_utf8(bytes.to_vec()).ok()
    }
}

/// The number of a type with this name and size, as C's `gosync_type_id()`
pub(crate) fn type_id(name: &str, size: usize) -> u64 {
    let name = std::ffi::CString::new(name).expect("a name without NUL");
    // SAFETY: the name ends with NUL.
    unsafe { crate::sys::gosync_type_id(name.as_ptr(), size) }
}

/// Call a function with room for so many bytes, which it may fill, and have what
/// it made of that.
pub(crate) fn with_room<R>(len: usize, f: impl FnOnce(*mut u8) -> R) -> R {
    const SMALL: usize = 256;

    if len <= SMALL {
        return f(MaybeUninit::<[u8; SMALL]>::uninit().as_mut_ptr().cast());
    }
    f(Vec::<u8>::with_capacity(len).as_mut_ptr())
}
