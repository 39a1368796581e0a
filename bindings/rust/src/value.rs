// SPDX-License-Identifier: LGPL-2.1-or-later
//! Value: the library does it all.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::{ptr, slice};

use crate::codec::{type_id, with_room, Codec, Encode};
use crate::error::{check, in_time, Error, Result};
use crate::object::{adopt, object, reopen, Handle, Object, OpenOptions};
use crate::{os, sys, Deadline};

/// One value, which is replaced as a whole: Go's `atomic.Value` between processes.
///
/// A load gets the value of one store, never parts of two, and makes no system
/// call. Only the kernel writes to the memory, so nobody can damage the value but by
/// a store, and who dies leaves no half of one.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let config = gosync::Value::<String>::open("config")?;
/// config.store("port=8080")?;
/// assert_eq!(config.load()?.as_deref(), Some("port=8080"));
/// # Ok(())
/// # }
/// ```
pub struct Value<T> {
    handle: Handle<sys::gosync_value_t>,
    type_id: u64,
    room: usize,
    of: PhantomData<fn() -> T>,
}

object!(Value<T>);

impl<T: Codec> Value<T> {
    /// Open it, or create it with the mode 0600. It has room for a value of
    /// [`Codec::SIZE`], or for 4096 bytes if that is 0.
    pub fn open(name: impl AsRef<[u8]>) -> Result<Value<T>> {
        Value::open_with(name, T::SIZE, &OpenOptions::creating())
    }

    /// Open or create it as the options say, with room for so many bytes. 0 means
    /// 4096, or what an existing one has. A name without a byte makes an anonymous
    /// one.
    pub fn open_with(
        name: impl AsRef<[u8]>,
        capacity: usize,
        options: &OpenOptions,
    ) -> Result<Value<T>> {
        // SAFETY: the library's function does what open() wants.
        let handle = unsafe {
            options.open(name.as_ref(), false, |name, flags, mode, out| {
                sys::gosync_value_open_abi(
                    sys::GOSYNC_ABI_VERSION,
                    name,
                    capacity,
                    flags,
                    mode,
                    out,
                )
            })
        }?;
        Value::with_handle(handle)
    }

    /// Open the object of a descriptor, which was inherited or received. This
    /// process becomes a holder of its own; the descriptor is closed.
    pub fn from_fd(fd: OwnedFd) -> Result<Value<T>> {
        // SAFETY: the library's function does what adopt() wants.
        let handle = unsafe {
            adopt(reopen(fd.as_raw_fd())?, |fd, out| {
                sys::gosync_value_from_fd_abi(sys::GOSYNC_ABI_VERSION, fd, 0, out)
            })
        }?;
        Value::with_handle(handle)
    }

    fn with_handle(handle: Handle<sys::gosync_value_t>) -> Result<Value<T>> {
        let type_id = type_id(T::NAME, T::SIZE);
        let mut value = Value { handle, type_id, room: 0, of: PhantomData };
        value.room = value.info()?.capacity as usize;
        Ok(value)
    }

    /// # Safety
    ///
    /// There are `len` initialized bytes at `buf`.
    unsafe fn decode(&self, buf: *const u8, len: usize, op: u32) -> Result<T> {
        // SAFETY: the caller's promise
        let bytes = unsafe { slice::from_raw_parts(buf, len) };
        T::decode(bytes).ok_or_else(|| Error::new(os::EPROTOTYPE, op))
    }

    /// The value of the most recent store; `None` before the first.
    ///
    /// # Errors
    ///
    /// EPROTOTYPE: values of another type are stored in it.
    pub fn load(&self) -> Result<Option<T>> {
        const OP: u32 = sys::GOSYNC_IOC_VALUE_LOAD;
        with_room(self.room, |buf| {
            let (mut len, mut type_id) = (self.room, 0);
            // SAFETY: there is room for `len` bytes.
            let ret = unsafe {
                sys::gosync_value_load(self.handle.as_ptr(), buf.cast(), &mut len, &mut type_id)
            };
            if ret == -os::ENODATA {
                return Ok(None);
            }
            check(ret, OP)?;
            if type_id != self.type_id {
                return Err(Error::new(os::EPROTOTYPE, OP));
            }
            // SAFETY: the library has filled in `len` bytes.
            unsafe { self.decode(buf, len, OP) }.map(Some)
        })
    }

    /// Replace the value.
    ///
    /// # Errors
    ///
    /// EPROTOTYPE: values of another type are stored in it; EMSGSIZE: it is longer
    /// than the capacity; EBADF: the handle is read-only.
    pub fn store<Q: Encode + ?Sized>(&self, value: &Q) -> Result<()>
    where
        T: Borrow<Q>,
    {
        // SAFETY: there are as many bytes.
        let ret = value.encode(|bytes| unsafe {
            sys::gosync_value_store(
                self.handle.as_ptr(),
                self.type_id,
                bytes.as_ptr().cast(),
                bytes.len(),
            )
        });
        check(ret, sys::GOSYNC_IOC_VALUE_STORE)?;
        Ok(())
    }

    /// Replace the value, and get the old one.
    ///
    /// # Errors
    ///
    /// As [`store`](Value::store).
    pub fn swap<Q: Encode + ?Sized>(&self, value: &Q) -> Result<Option<T>>
    where
        T: Borrow<Q>,
    {
        const OP: u32 = sys::GOSYNC_IOC_VALUE_SWAP;
        with_room(self.room, |buf| {
            let mut len = self.room;
            // SAFETY: there are as many bytes, and room for `len`.
            let ret = value.encode(|bytes| unsafe {
                sys::gosync_value_swap(
                    self.handle.as_ptr(),
                    self.type_id,
                    bytes.as_ptr().cast(),
                    bytes.len(),
                    buf.cast(),
                    &mut len,
                )
            });
            if check(ret, OP)? == 0 {
                return Ok(None);
            }
            // SAFETY: the library has filled in `len` bytes.
            unsafe { self.decode(buf, len, OP) }.map(Some)
        })
    }

    /// Replace the value if it is what is expected, byte by byte; `None` expects
    /// that there was no store yet. The result says whether it was replaced.
    ///
    /// # Errors
    ///
    /// As [`store`](Value::store).
    pub fn compare_and_swap<Q: Encode + ?Sized>(
        &self,
        expected: Option<&Q>,
        value: &Q,
    ) -> Result<bool>
    where
        T: Borrow<Q>,
    {
        let cas = |old_type, old: *const u8, old_len| {
            // SAFETY: there are as many bytes of both.
            value.encode(|bytes| unsafe {
                sys::gosync_value_cas(
                    self.handle.as_ptr(),
                    old_type,
                    old.cast(),
                    old_len,
                    self.type_id,
                    bytes.as_ptr().cast(),
                    bytes.len(),
                )
            })
        };
        let ret = match expected {
            Some(old) => old.encode(|old| cas(self.type_id, old.as_ptr(), old.len())),
            None => cas(0, ptr::null(), 0),
        };
        Ok(check(ret, sys::GOSYNC_IOC_VALUE_CAS)? != 0)
    }

    /// How often it was stored. Cheap enough to ask before each use of a copy.
    pub fn version(&self) -> Result<u64> {
        let mut version = 0;
        // SAFETY: the handle is valid.
        let ret = unsafe { sys::gosync_value_version(self.handle.as_ptr(), &mut version) };
        check(ret, sys::GOSYNC_IOC_INFO)?;
        Ok(version)
    }

    /// Wait until the version is another one than this, and get it. Of several
    /// stores a waiter may see only the last.
    pub fn wait(&self, version: u64) -> Result<u64> {
        Ok(self.wait_until(version, Deadline::NEVER)?.unwrap_or(version))
    }

    /// [`wait`](Value::wait), until a deadline; `None` if that has passed.
    pub fn wait_until(
        &self,
        mut version: u64,
        deadline: impl Into<Deadline>,
    ) -> Result<Option<u64>> {
        let deadline = deadline.into();
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_value_wait_until(
                self.handle.as_ptr(),
                &mut version,
                deadline.ns,
                deadline.flags,
            )
        };
        Ok(in_time(ret, sys::GOSYNC_IOC_VALUE_WAIT)?.then(|| version))
    }
}
