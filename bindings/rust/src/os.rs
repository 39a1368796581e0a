// SPDX-License-Identifier: LGPL-2.1-or-later
//! What is used of the C library of the system: std is linked with it anyway.

use std::io;
use std::os::raw::{c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::os::unix::io::{FromRawFd, OwnedFd, RawFd};

extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn mmap(
        addr: *mut c_void,
        len: usize,
        prot: c_int,
        flags: c_int,
        fd: c_int,
        offset: c_long,
    ) -> *mut c_void;
    fn munmap(addr: *mut c_void, len: usize) -> c_int;
    fn memfd_create(name: *const c_char, flags: c_uint) -> c_int;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
}

const PROT_READ: c_int = 1;
const PROT_WRITE: c_int = 2;
const MAP_SHARED: c_int = 1;
const MFD_CLOEXEC: c_uint = 1;
const MFD_ALLOW_SEALING: c_uint = 2;
const F_ADD_SEALS: c_int = 1033;
const F_SEAL_SEAL: c_int = 1;
const F_SEAL_SHRINK: c_int = 2;
const F_SEAL_GROW: c_int = 4;

pub const EIO: i32 = 5;
pub const EBUSY: i32 = 16;
pub const EINVAL: i32 = 22;
pub const ENODATA: i32 = 61;
pub const EPROTOTYPE: i32 = 91;
pub const ETIMEDOUT: i32 = 110;
pub const EOWNERDEAD: i32 = 130;

/// An ioctl of gosync's that takes no argument
pub fn ask(fd: RawFd, op: c_uint) -> io::Result<c_int> {
    // SAFETY: gosync's ioctls take 0 for "no argument"; any other descriptor
    // fails with ENOTTY.
    let ret = unsafe { ioctl(fd, c_ulong::from(op), 0 as c_ulong) };
    if ret < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(ret)
}

/// Map the beginning of a file, shared and for writing. It is never at 0.
pub fn map(fd: RawFd, len: usize) -> io::Result<*mut u8> {
    // SAFETY: the kernel chooses where, so nothing that is mapped is replaced.
    let addr =
        unsafe { mmap(std::ptr::null_mut(), len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) };
    if addr as isize == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(addr.cast())
}

/// # Safety
///
/// `map()` has returned `addr` for `len`, and nothing uses it any more.
pub unsafe fn unmap(addr: *mut u8, len: usize) {
    // SAFETY: as above
    unsafe { munmap(addr.cast(), len) };
}

/// Memory with a descriptor, whose length nobody can change
pub fn memory(len: usize) -> io::Result<std::fs::File> {
    let name = b"gosync\0".as_ptr().cast();
    // SAFETY: the name ends with NUL.
    let fd = unsafe { memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else's.
    let file = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.set_len(len as u64)?;
    // SAFETY: this command takes an int.
    if unsafe { fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}
