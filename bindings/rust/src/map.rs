// SPDX-License-Identifier: LGPL-2.1-or-later
//! Map: the library does it all.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::os::raw::{c_int, c_void};
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::{mem, slice, vec};

use crate::codec::{with_room, Codec, Encode};
use crate::error::{check, in_time, Error, Result};
use crate::object::{adopt, object, reopen, Callback, Handle, Object, OpenOptions};
use crate::{os, sys, Deadline};

/// What a [`Map`] can hold when it is created. 0 is the default. For a name that
/// exists, each is 0 or what it was created with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapLimits {
    /// How many entries; by default 4096
    pub entries: u32,
    /// The longest key in bytes; by default 64, at most 255
    pub key_size: u32,
    /// The longest value in bytes; by default 256, at most 65536
    pub value_size: u32,
}

/// Values by key: Go's `sync.Map` between processes.
///
/// A lookup makes no system call. Each operation on a key happens at one moment.
/// Only the kernel writes to the memory, so who dies leaves no half of an entry.
///
/// Keys and values are bytes to the others; [`Codec`] says what they are here.
///
/// ```no_run
/// # fn main() -> Result<(), gosync::Error> {
/// let stock = gosync::Map::<String, u32>::open("stock")?;
/// stock.insert("apples", &5)?;
/// assert_eq!(stock.get("apples")?, Some(5));
/// stock.update("apples", |n| Some(n.unwrap_or(0) + 1))?;
/// for (name, n) in stock.iter()? {
///     println!("{n} {name}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Map<K, V> {
    handle: Handle<sys::gosync_map_t>,
    room: usize,
    of: PhantomData<fn() -> (K, V)>,
}

object!(Map<K, V>);

fn undecodable(op: u32) -> Error {
    Error::new(os::EPROTOTYPE, op)
}

impl<K: Codec, V: Codec> Map<K, V> {
    /// Open it, or create it with the mode 0600 and the default limits.
    pub fn open(name: impl AsRef<[u8]>) -> Result<Map<K, V>> {
        Map::open_with(name, MapLimits::default(), &OpenOptions::creating())
    }

    /// Open or create it as the options say. A name without a byte makes an
    /// anonymous one.
    pub fn open_with(
        name: impl AsRef<[u8]>,
        limits: MapLimits,
        options: &OpenOptions,
    ) -> Result<Map<K, V>> {
        let limits = sys::gosync_map_limits {
            entries: limits.entries,
            key_size: limits.key_size,
            value_size: limits.value_size,
        };
        // SAFETY: the library's function does what open() wants.
        let handle = unsafe {
            options.open(name.as_ref(), false, |name, flags, mode, out| {
                sys::gosync_map_open_abi(
                    sys::GOSYNC_ABI_VERSION,
                    name,
                    &limits,
                    mem::size_of_val(&limits),
                    flags,
                    mode,
                    out,
                )
            })
        }?;
        Map::with_handle(handle)
    }

    /// Open the object of a descriptor, which was inherited or received. This
    /// process becomes a holder of its own; the descriptor is closed.
    pub fn from_fd(fd: OwnedFd) -> Result<Map<K, V>> {
        // SAFETY: the library's function does what adopt() wants.
        let handle = unsafe {
            adopt(reopen(fd.as_raw_fd())?, |fd, out| {
                sys::gosync_map_from_fd_abi(sys::GOSYNC_ABI_VERSION, fd, 0, out)
            })
        }?;
        Map::with_handle(handle)
    }

    fn with_handle(handle: Handle<sys::gosync_map_t>) -> Result<Map<K, V>> {
        let mut map = Map { handle, room: 0, of: PhantomData };
        map.room = map.info()?.value_size as usize;
        Ok(map)
    }

    /// Call a function that puts a value where there is room for it, and decode that
    /// if it says that there was one.
    fn old<R>(
        &self,
        op: u32,
        f: impl FnOnce(*mut c_void, *mut usize) -> c_int,
        was_there: impl FnOnce(c_int) -> bool,
        decode: impl FnOnce(&[u8]) -> Option<R>,
    ) -> Result<Option<R>> {
        with_room(self.room, |buf| {
            let mut len = self.room;
            let ret = f(buf.cast(), &mut len);
            if ret == -os::ENODATA || !was_there(check(ret, op)?) {
                return Ok(None);
            }
            // SAFETY: the library has filled in `len` bytes.
            let bytes = unsafe { slice::from_raw_parts(buf, len) };
            decode(bytes).ok_or_else(|| undecodable(op)).map(Some)
        })
    }

    fn load<R>(&self, key: &[u8], decode: impl FnOnce(&[u8]) -> Option<R>) -> Result<Option<R>> {
        // SAFETY: there are as many bytes, and as much room.
        let load = |buf, len| unsafe {
            sys::gosync_map_load(self.handle.as_ptr(), key.as_ptr().cast(), key.len(), buf, len)
        };
        self.old(sys::GOSYNC_IOC_MAP_LOAD, load, |_| true, decode)
    }

    fn load_or_store(&self, key: &[u8], value: &[u8]) -> Result<Option<V>> {
        // SAFETY: there are as many bytes, and as much room.
        let load_or_store = |buf, len| unsafe {
            sys::gosync_map_load_or_store(
                self.handle.as_ptr(),
                key.as_ptr().cast(),
                key.len(),
                value.as_ptr().cast(),
                value.len(),
                buf,
                len,
            )
        };
        self.old(sys::GOSYNC_IOC_MAP_LOAD_OR_STORE, load_or_store, |ret| ret == 1, V::decode)
    }

    fn cas(&self, key: &[u8], old: &[u8], value: &[u8]) -> Result<bool> {
        // SAFETY: there are as many bytes.
        let ret = unsafe {
            sys::gosync_map_cas(
                self.handle.as_ptr(),
                key.as_ptr().cast(),
                key.len(),
                old.as_ptr().cast(),
                old.len(),
                value.as_ptr().cast(),
                value.len(),
            )
        };
        Ok(check(ret, sys::GOSYNC_IOC_MAP_CAS)? != 0)
    }

    fn compare_and_delete(&self, key: &[u8], old: &[u8]) -> Result<bool> {
        // SAFETY: there are as many bytes.
        let ret = unsafe {
            sys::gosync_map_compare_and_delete(
                self.handle.as_ptr(),
                key.as_ptr().cast(),
                key.len(),
                old.as_ptr().cast(),
                old.len(),
            )
        };
        Ok(check(ret, sys::GOSYNC_IOC_MAP_COMPARE_AND_DELETE)? != 0)
    }

    /// A key's value, or `None`. There is no system call.
    ///
    /// # Errors
    ///
    /// EINVAL: the key is too long, or empty; EPROTOTYPE: the value is no V.
    pub fn get<Q: Encode + ?Sized>(&self, key: &Q) -> Result<Option<V>>
    where
        K: Borrow<Q>,
    {
        key.encode(|key| self.load(key, V::decode))
    }

    /// Whether a key is there
    ///
    /// # Errors
    ///
    /// As [`get`](Map::get).
    pub fn contains_key<Q: Encode + ?Sized>(&self, key: &Q) -> Result<bool>
    where
        K: Borrow<Q>,
    {
        Ok(self.get(key)?.is_some())
    }

    /// Set a key's value, and get the old one. [`store`](Map::store) is for those
    /// who do not want that.
    ///
    /// # Errors
    ///
    /// ENOSPC: the key is new, and the Map is full; EMSGSIZE: the value is too long;
    /// EINVAL: the key is; EBADF: the handle is read-only; EPROTOTYPE: the old value
    /// was no V, and has been replaced.
    pub fn insert<Q, W>(&self, key: &Q, value: &W) -> Result<Option<V>>
    where
        K: Borrow<Q>,
        V: Borrow<W>,
        Q: Encode + ?Sized,
        W: Encode + ?Sized,
    {
        key.encode(|key| {
            value.encode(|value| {
                // SAFETY: there are as many bytes, and as much room.
                let swap = |buf, len| unsafe {
                    sys::gosync_map_swap(
                        self.handle.as_ptr(),
                        key.as_ptr().cast(),
                        key.len(),
                        value.as_ptr().cast(),
                        value.len(),
                        buf,
                        len,
                    )
                };
                self.old(sys::GOSYNC_IOC_MAP_SWAP, swap, |ret| ret == 1, V::decode)
            })
        })
    }

    /// Set a key's value.
    ///
    /// # Errors
    ///
    /// As [`insert`](Map::insert), but not EPROTOTYPE.
    pub fn store<Q, W>(&self, key: &Q, value: &W) -> Result<()>
    where
        K: Borrow<Q>,
        V: Borrow<W>,
        Q: Encode + ?Sized,
        W: Encode + ?Sized,
    {
        let ret = key.encode(|key| {
            // SAFETY: there are as many bytes.
            value.encode(|value| unsafe {
                sys::gosync_map_store(
                    self.handle.as_ptr(),
                    key.as_ptr().cast(),
                    key.len(),
                    value.as_ptr().cast(),
                    value.len(),
                )
            })
        });
        check(ret, sys::GOSYNC_IOC_MAP_STORE)?;
        Ok(())
    }

    /// Set the values of up to 64 keys, one after the other, by one system call.
    /// After an error none was set.
    ///
    /// # Errors
    ///
    /// As [`store`](Map::store); EINVAL: none, or more than 64.
    pub fn store_many(&self, pairs: &[(K, V)]) -> Result<()> {
        let encoded: Vec<(Vec<u8>, Vec<u8>)> = pairs
            .iter()
            .map(|(key, value)| (key.encode(<[u8]>::to_vec), value.encode(<[u8]>::to_vec)))
            .collect();
        let list: Vec<sys::gosync_map_pair> = encoded
            .iter()
            .map(|(key, value)| sys::gosync_map_pair {
                key: key.as_ptr().cast(),
                key_len: key.len(),
                buf: value.as_ptr().cast(),
                len: value.len(),
            })
            .collect();
        let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
        // SAFETY: there are as many pairs, of bytes that live as long as `encoded`.
        let ret = unsafe { sys::gosync_map_store_many(self.handle.as_ptr(), list.as_ptr(), count) };
        check(ret, sys::GOSYNC_IOC_MAP_STORE_MANY)?;
        Ok(())
    }

    /// Get a key's value, or set it if there is none; then the result is `None`.
    ///
    /// # Errors
    ///
    /// As [`insert`](Map::insert).
    pub fn get_or_insert<Q, W>(&self, key: &Q, value: &W) -> Result<Option<V>>
    where
        K: Borrow<Q>,
        V: Borrow<W>,
        Q: Encode + ?Sized,
        W: Encode + ?Sized,
    {
        key.encode(|key| value.encode(|value| self.load_or_store(key, value)))
    }

    /// Remove a key, and get its value.
    ///
    /// # Errors
    ///
    /// As [`get`](Map::get); EBADF: the handle is read-only.
    pub fn remove<Q: Encode + ?Sized>(&self, key: &Q) -> Result<Option<V>>
    where
        K: Borrow<Q>,
    {
        key.encode(|key| {
            // SAFETY: there are as many bytes, and as much room.
            let load_and_delete = |buf, len| unsafe {
                sys::gosync_map_load_and_delete(
                    self.handle.as_ptr(),
                    key.as_ptr().cast(),
                    key.len(),
                    buf,
                    len,
                )
            };
            self.old(sys::GOSYNC_IOC_MAP_LOAD_AND_DELETE, load_and_delete, |_| true, V::decode)
        })
    }

    /// Replace a key's value if it is what is expected, byte by byte. The result is
    /// `false` if it is not, or if the key is absent.
    ///
    /// # Errors
    ///
    /// As [`store`](Map::store).
    pub fn compare_and_swap<Q, W>(&self, key: &Q, expected: &W, value: &W) -> Result<bool>
    where
        K: Borrow<Q>,
        V: Borrow<W>,
        Q: Encode + ?Sized,
        W: Encode + ?Sized,
    {
        key.encode(|key| expected.encode(|old| value.encode(|value| self.cas(key, old, value))))
    }

    /// Remove a key if its value is what is expected, byte by byte. The result is
    /// `false` if it is not, or if the key is absent.
    ///
    /// # Errors
    ///
    /// As [`store`](Map::store).
    pub fn compare_and_remove<Q, W>(&self, key: &Q, expected: &W) -> Result<bool>
    where
        K: Borrow<Q>,
        V: Borrow<W>,
        Q: Encode + ?Sized,
        W: Encode + ?Sized,
    {
        key.encode(|key| expected.encode(|old| self.compare_and_delete(key, old)))
    }

    /// Make a key's value anew from the old one; `None` is a key that is absent. If
    /// somebody else changes it meanwhile, the function is called again. The result
    /// is what it is then.
    ///
    /// # Errors
    ///
    /// As [`insert`](Map::insert).
    pub fn update<Q: Encode + ?Sized>(
        &self,
        key: &Q,
        mut f: impl FnMut(Option<V>) -> Option<V>,
    ) -> Result<Option<V>>
    where
        K: Borrow<Q>,
    {
        key.encode(|key| loop {
            // What is compared are the bytes, whatever else may mean the same.
            let old = self.load(key, |bytes| Some(bytes.to_vec()))?;
            let value = match &old {
                None => None,
                Some(old) => {
                    Some(V::decode(old).ok_or_else(|| undecodable(sys::GOSYNC_IOC_MAP_LOAD))?)
                }
            };
            let new = f(value);
            let done = match (&old, &new) {
                (None, None) => true,
                (None, Some(new)) => new.encode(|new| self.load_or_store(key, new))?.is_none(),
                (Some(old), None) => self.compare_and_delete(key, old)?,
                (Some(old), Some(new)) => new.encode(|new| self.cas(key, old, new))?,
            };
            if done {
                return Ok(new);
            }
        })
    }

    /// The entries. Each key that is there all the time is among them, and none
    /// twice; it is no snapshot of one moment.
    ///
    /// # Errors
    ///
    /// EPROTOTYPE: an entry is no K or no V.
    pub fn iter(&self) -> Result<vec::IntoIter<(K, V)>> {
        const OP: u32 = sys::GOSYNC_IOC_MAP_RANGE;

        /// The entries, or `None` after one that means nothing
        type Entries<K, V> = Option<Vec<(K, V)>>;

        unsafe extern "C" fn one<K: Codec, V: Codec>(
            key: *const c_void,
            key_len: usize,
            value: *const c_void,
            len: usize,
            arg: *mut c_void,
        ) -> c_int {
            // SAFETY: `arg` is the callback below, which nobody else uses meanwhile.
            let callback = unsafe { &mut *arg.cast::<Callback<Entries<K, V>>>() };
            // SAFETY: the library passes copies that are valid during the call.
            let (key, value) = unsafe {
                (
                    slice::from_raw_parts(key.cast::<u8>(), key_len),
                    slice::from_raw_parts(value.cast::<u8>(), len),
                )
            };
            callback.call(|entries| {
                if let (Some(all), Some(key), Some(value)) =
                    (entries.as_mut(), K::decode(key), V::decode(value))
                {
                    all.push((key, value));
                    return 0;
                }
                *entries = None;
                1
            })
        }

        let mut callback = Callback::new(Some(Vec::new()));
        // SAFETY: `one` takes what the library passes, and the callback.
        let ret = unsafe {
            sys::gosync_map_range(
                self.handle.as_ptr(),
                one::<K, V>,
                (&mut callback as *mut Callback<Entries<K, V>>).cast(),
            )
        };
        let entries = callback.finish();
        check(ret, OP)?;
        Ok(entries.ok_or_else(|| undecodable(OP))?.into_iter())
    }

    /// Remove all keys, at one moment.
    ///
    /// # Errors
    ///
    /// EBADF: the handle is read-only.
    pub fn clear(&self) -> Result<()> {
        // SAFETY: the handle is valid.
        check(unsafe { sys::gosync_map_clear(self.handle.as_ptr()) }, sys::GOSYNC_IOC_MAP_CLEAR)?;
        Ok(())
    }

    /// How many entries there are
    pub fn len(&self) -> Result<usize> {
        // SAFETY: the handle is valid.
        let len = unsafe { sys::gosync_map_len(self.handle.as_ptr()) };
        usize::try_from(len).map_err(|_| Error::new(-len as i32, sys::GOSYNC_IOC_INFO))
    }

    /// Whether there is no entry
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The version, which is never 0, and another one after each change. Who gets
    /// it, then looks, then [waits](Map::wait) misses no change.
    pub fn version(&self) -> Result<u64> {
        self.wait(0)
    }

    /// Wait until the version is another one than this, and get it.
    pub fn wait(&self, version: u64) -> Result<u64> {
        Ok(self.wait_until(version, Deadline::NEVER)?.unwrap_or(version))
    }

    /// [`wait`](Map::wait), until a deadline; `None` if that has passed.
    pub fn wait_until(
        &self,
        mut version: u64,
        deadline: impl Into<Deadline>,
    ) -> Result<Option<u64>> {
        let deadline = deadline.into();
        // SAFETY: the handle is valid.
        let ret = unsafe {
            sys::gosync_map_wait_until(
                self.handle.as_ptr(),
                &mut version,
                deadline.ns,
                deadline.flags,
            )
        };
        Ok(in_time(ret, sys::GOSYNC_IOC_MAP_WAIT)?.then(|| version))
    }
}
