// SPDX-License-Identifier: LGPL-2.1-or-later
//! What the tests share: other processes, and waiting until something is so.

use std::io::{Read, Write};
use std::os::raw::{c_int, c_uint};
use std::os::unix::io::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub mod c {
    use super::{c_int, c_uint};

    pub const SIGKILL: c_int = 9;
    pub const SIGUSR1: c_int = 10;
    pub const F_SETFD: c_int = 2;

    extern "C" {
        pub fn fork() -> c_int;
        pub fn _exit(status: c_int) -> !;
        pub fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
        pub fn kill(pid: c_int, signal: c_int) -> c_int;
        pub fn signal(signal: c_int, handler: usize) -> usize;
        pub fn alarm(seconds: c_uint) -> c_uint;
        pub fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    }
}

/// A name of no other test's
pub fn name(what: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("rust.{}.{}.{}", std::process::id(), number, what)
}

/// Until something is so, however slow this machine is
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < end, "it never happened: {}", what);
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Another process, which is killed when this is dropped
pub struct Peer {
    pub pid: c_int,
    wire: UnixStream,
    status: Option<c_int>,
}

/// A process's end of what it says and hears
pub struct Wire<'a>(&'a UnixStream);

impl Wire<'_> {
    pub fn say(&self, byte: u8) {
        (&mut &*self.0).write_all(&[byte]).expect("to say something");
    }

    pub fn hear(&self) -> u8 {
        let mut byte = [0];
        (&mut &*self.0).read_exact(&mut byte).expect("to hear something");
        byte[0]
    }
}

impl Peer {
    /// Run a function in a child of fork(2). A test that does so has one thread.
    pub fn fork(f: impl FnOnce(&Wire)) -> Peer {
        let (ours, theirs) = UnixStream::pair().unwrap();
        // SAFETY: there is one thread, so the child may do what it likes.
        let pid = unsafe { c::fork() };
        assert!(pid >= 0, "no fork");
        if pid == 0 {
            drop(ours);
            let done = catch_unwind(AssertUnwindSafe(|| f(&Wire(&theirs))));
            // SAFETY: it ends the process, and nothing of the parent's.
            unsafe { c::_exit(if done.is_ok() { 0 } else { 101 }) }
        }
        Peer { pid, wire: ours, status: None }
    }

    pub fn wire(&self) -> Wire<'_> {
        Wire(&self.wire)
    }

    pub fn hear(&self) -> u8 {
        self.wire().hear()
    }

    pub fn say(&self, byte: u8) {
        self.wire().say(byte);
    }

    /// Its status when it has ended
    pub fn wait(&mut self) -> c_int {
        if let Some(status) = self.status {
            return status;
        }
        let mut status = 0;
        // SAFETY: it is our child.
        assert_eq!(unsafe { c::waitpid(self.pid, &mut status, 0) }, self.pid);
        self.status = Some(status);
        status
    }

    /// It has to end well.
    pub fn join(mut self) {
        assert_eq!(self.wait(), 0, "the other process failed");
    }

    pub fn signal(&self, signal: c_int) {
        // SAFETY: it is our child, and we have not waited for it.
        assert_eq!(unsafe { c::kill(self.pid, signal) }, 0);
    }

    pub fn kill(&mut self) {
        if self.status.is_none() {
            self.signal(c::SIGKILL);
            self.wait();
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How many descriptors this process has
pub fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Have a descriptor inherited by what is executed.
pub fn keep_over_exec(fd: &impl AsRawFd) -> RawFd {
    // SAFETY: the descriptor is open, and the command takes an int.
    assert_eq!(unsafe { c::fcntl(fd.as_raw_fd(), c::F_SETFD, 0) }, 0);
    fd.as_raw_fd()
}

/// Panic without a message on standard error.
pub fn quietly<R>(f: impl FnOnce() -> R) -> std::thread::Result<R> {
    catch_unwind(AssertUnwindSafe(f))
}

pub fn panic() -> ! {
    std::panic::resume_unwind(Box::new("as it should"))
}

/// The errno of what failed
pub fn errno<T>(result: gosync::Result<T>) -> i32 {
    result.err().expect("an error").raw_os_error()
}

pub const EPERM: i32 = 1;
pub const ENOENT: i32 = 2;
pub const EBADF: i32 = 9;
pub const EBUSY: i32 = 16;
pub const EEXIST: i32 = 17;
pub const EINVAL: i32 = 22;
pub const ERANGE: i32 = 34;
pub const EDEADLK: i32 = 35;
pub const ENAMETOOLONG: i32 = 36;
pub const EMSGSIZE: i32 = 90;
pub const EPROTOTYPE: i32 = 91;
pub const ESTALE: i32 = 116;

pub const MOMENT: Duration = Duration::from_millis(20);
pub const LONG: Duration = Duration::from_secs(120);
