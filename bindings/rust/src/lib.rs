// SPDX-License-Identifier: LGPL-2.1-or-later
//! Locks and other objects that processes share by name: Go's `sync` and
//! `sync/atomic` between processes, kept by the kernel module gosync.
//!
//! ```no_run
//! fn main() -> gosync::Result<()> {
//!     let visits = gosync::SharedMutex::open("visits", "/dev/shm/visits", 0u64)?;
//!     let mut guard = match visits.lock() {
//!         Err(gosync::LockError::Poisoned(poisoned)) => {
//!             println!("the one before me died in here");
//!             visits.clear_poison()?;
//!             poisoned.into_inner()
//!         }
//!         guard => guard?,
//!     };
//!     *guard += 1;
//!     println!("this is visit {}", *guard);
//!     Ok(())
//! }
//! ```
//!
//! * Processes find an object by its name, or by a descriptor.
//! * **A process that dies leaves nobody hanging.** What it held is released, and the
//!   next owner is told: the lock is *poisoned*, as in std.
//! * **Where nobody has to wait, there is no system call.** What the C library has
//!   inline is inline here, too.
//! * Waits are fair, and have deadlines.
//!
//! | | |
//! |---|---|
//! | [`SharedMutex`] | a value that processes share, with its lock |
//! | [`Mutex`], [`RwLock`] | locks for what is elsewhere |
//! | [`Condvar`] | wait for an event with a lock |
//! | [`Semaphore`], [`WaitGroup`], [`Once`] | as their names say |
//! | [`Map`], [`Value`] | what all may read, and the kernel alone writes |
//! | [`Atomic`] | words |
//! | [`wait_any`], [`wait_all`] | several things at once |
//!
//! # Threads
//!
//! Everything is `Send` and `Sync`, guards too: the owner of a lock is the handle,
//! which is the process's. No function may be called in a handler of a signal. A
//! handler runs while a thread waits, and the wait goes on afterwards.
//!
//! # fork
//!
//! In a child of fork(2) each handle is a holder of its own, and owns none of the
//! parent's locks. A guard that the child has a copy of is still the parent's: leave
//! it to [`std::mem::forget`]. To drop it does nothing as long as the lock was
//! created with [`OpenOptions::error_check`], which is so by default, and the child
//! has not locked it itself. [`std::process::Command`] is no such child: in what it
//! runs there is no handle.
//!
//! # Panics
//!
//! None but those of a function that was passed in, and of a [`Codec::NAME`] with a NUL
//! in it.

#![deny(unsafe_op_in_unsafe_fn, missing_docs)]
#![warn(missing_debug_implementations)]

#[cfg(not(target_os = "linux"))]
compile_error!("gosync is a module of the Linux kernel");

mod atomic;
mod codec;
mod condvar;
mod deadline;
mod error;
mod map;
mod mutex;
mod object;
mod once;
mod os;
mod probe;
mod rwlock;
mod semaphore;
mod shared;
#[allow(dead_code, missing_docs, missing_debug_implementations)]
mod sys;
mod value;
mod wait;
mod waitgroup;

pub use atomic::{
    Atomic, AtomicBool, AtomicI32, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Integer, Opaque,
    Word, WordRef,
};
pub use codec::{Codec, Encode, Shareable};
pub use condvar::{Condvar, WaitGuard, WaitTimeoutResult};
pub use deadline::Deadline;
pub use error::{Error, LockError, LockResult, Result, TryLockError, TryLockResult};
pub use map::{Map, MapLimits};
pub use mutex::{Mutex, MutexGuard};
pub use object::{
    await_name, chown, list, set_permissions, unlink, unlink_unused, Info, Object, OpenOptions,
    Party,
};
pub use once::{Once, OnceState};
pub use rwlock::{ReadGuard, RwLock, WriteGuard};
pub use semaphore::{Permits, Semaphore};
pub use shared::{SharedMutex, SharedMutexGuard};
pub use value::Value;
pub use wait::{wait_all, wait_any, Entry, Granted};
pub use waitgroup::{Part, WaitGroup};
