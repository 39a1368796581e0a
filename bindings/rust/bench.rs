// SPDX-License-Identifier: LGPL-2.1-or-later
//! What a pair of operations costs that nobody waits for, beside the same pair in C:
//! in instructions, in a guest in which one takes a nanosecond.
//!
//!     selftests/vm/run -k stock --icount -d $PWD/build/user/bindings:/gosync/bindings \
//!         -- /gosync/bindings/rust/bench
//!
//! A row is the median of so many rounds of a loop, its two or three instructions
//! included. The time is the thread's own, as in selftests/bench.

use std::os::raw::{c_int, c_uint, c_void};

use gosync::{AtomicI64, Mutex, Object, RwLock, Semaphore, SharedMutex, WaitGroup};

const ROUNDS: usize = 9;
const PAIRS: u32 = 100_000;

#[repr(C)]
struct Time {
    seconds: i64,
    ns: i64,
}

type Pairs = unsafe extern "C" fn(handle: *mut c_void, n: c_uint) -> c_int;

extern "C" {
    fn clock_gettime(clock: c_int, time: *mut Time) -> c_int;
    fn dup(fd: c_int) -> c_int;
    fn gosync_mutex_from_fd(fd: c_int, flags: c_uint, handle: *mut *mut c_void) -> c_int;
    fn gosync_rwmutex_from_fd(fd: c_int, flags: c_uint, handle: *mut *mut c_void) -> c_int;
    fn gosync_semaphore_from_fd(fd: c_int, flags: c_uint, handle: *mut *mut c_void) -> c_int;
    fn gosync_waitgroup_from_fd(fd: c_int, flags: c_uint, handle: *mut *mut c_void) -> c_int;
    fn gosync_int64_from_fd(fd: c_int, flags: c_uint, handle: *mut *mut c_void) -> c_int;
    fn bench_mutex(handle: *mut c_void, n: c_uint) -> c_int;
    fn bench_called(handle: *mut c_void, n: c_uint) -> c_int;
    fn bench_semaphore(handle: *mut c_void, n: c_uint) -> c_int;
    fn bench_read(handle: *mut c_void, n: c_uint) -> c_int;
    fn bench_write(handle: *mut c_void, n: c_uint) -> c_int;
    fn bench_waitgroup(handle: *mut c_void, n: c_uint) -> c_int;
    fn bench_add(handle: *mut c_void, n: c_uint) -> c_int;
}

type FromFd = unsafe extern "C" fn(c_int, c_uint, *mut *mut c_void) -> c_int;

/// A handle of C's own, of the same object and the same holder
fn handle(object: &impl Object, from_fd: FromFd) -> *mut c_void {
    let mut handle = std::ptr::null_mut();
    // SAFETY: the descriptor is open, and is given to the handle.
    let ret = unsafe { from_fd(dup(object.as_raw_fd()), 0, &mut handle) };
    assert_eq!(ret, 0);
    handle
}

fn now() -> i64 {
    const CLOCK_THREAD_CPUTIME_ID: c_int = 3;
    let mut time = Time { seconds: 0, ns: 0 };
    // SAFETY: the structure is that of the system.
    assert_eq!(unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    time.seconds * 1_000_000_000 + time.ns
}

/// Nanoseconds of a pair. The loop says whether one has failed.
fn measure(mut pairs: impl FnMut() -> bool) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = now();
            assert!(!pairs(), "an operation failed");
            (now() - begin) as f64 / f64::from(PAIRS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// A row: what, how, the cost, and that beside C's
fn row(what: &str, how: &str, ns: f64, c: f64) {
    println!("{:<10} {:<16} {:8.1} {:6.2}", what, how, ns, ns / c);
}

fn in_c(what: &str, how: &str, f: Pairs, handle: *mut c_void, c: Option<f64>) -> f64 {
    // SAFETY: the handle is of the type that the function wants.
    let ns = measure(|| unsafe { f(handle, PAIRS) != 0 });
    row(what, how, ns, c.unwrap_or(ns));
    ns
}

/// `pairs!(name, Type, handle, pair)`: the loop of bench.c, as a function of its own.
/// A pair is true if it has failed.
macro_rules! pairs {
    ($name:ident, $type:ty, $handle:ident, $pair:expr) => {
        #[inline(never)]
        fn $name($handle: &$type, n: u32) -> u32 {
            let mut failed = 0;
            for _ in 0..n {
                failed |= u32::from($pair);
            }
            failed
        }
    };
}

pairs!(with, Mutex, mutex, mutex.with(|_| ()).is_err());
pairs!(
    lock_unlock,
    Mutex,
    mutex,
    match mutex.lock() {
        Ok(guard) => guard.unlock().is_err(),
        Err(_) => true,
    }
);
pairs!(lock_drop, Mutex, mutex, mutex.lock().map(drop).is_err());
pairs!(read, RwLock, lock, lock.read().map(drop).is_err());
pairs!(write, RwLock, lock, lock.write().map(drop).is_err());
pairs!(acquire, Semaphore, semaphore, semaphore.acquire(1).map(drop).is_err());
pairs!(add_done, WaitGroup, group, group.add(1).is_err() | group.done().is_err());
pairs!(fetch_add, AtomicI64, word, word.fetch_add(1).is_err());
pairs!(small, SharedMutex<u64>, value, value.lock().map(|mut guard| *guard += 1).is_err());
pairs!(large, SharedMutex<[u64; 128]>, value, value.lock().map(|mut guard| guard[7] += 1).is_err());

fn in_rust<T>(what: &str, how: &str, f: fn(&T, u32) -> u32, object: &T, c: f64) {
    row(what, how, measure(|| f(object, PAIRS) != 0), c);
}

fn main() -> gosync::Result<()> {
    println!("{:<10} {:<16} {:>8} {:>6}", "what", "how", "ns", "of C");
    let mutex = Mutex::anonymous()?;
    let c = in_c("mutex", "C", bench_mutex, handle(&mutex, gosync_mutex_from_fd), None);
    let called = handle(&mutex, gosync_mutex_from_fd);
    in_c("mutex", "C, called", bench_called, called, Some(c));
    in_rust("mutex", "with", with, &mutex, c);
    in_rust("mutex", "lock, unlock", lock_unlock, &mutex, c);
    in_rust("mutex", "lock, drop", lock_drop, &mutex, c);
    let value = SharedMutex::anonymous(0u64)?;
    in_rust("shared", "u64 += 1", small, &value, c);
    in_rust("shared", "[u64; 128]", large, &SharedMutex::anonymous([0u64; 128])?, c);

    let lock = RwLock::anonymous()?;
    let c = in_c("rwlock", "C, read", bench_read, handle(&lock, gosync_rwmutex_from_fd), None);
    in_rust("rwlock", "read, drop", read, &lock, c);
    let c = in_c("rwlock", "C, write", bench_write, handle(&lock, gosync_rwmutex_from_fd), None);
    in_rust("rwlock", "write, drop", write, &lock, c);

    let semaphore = Semaphore::open("", 1)?;
    let c_semaphore = handle(&semaphore, gosync_semaphore_from_fd);
    let c = in_c("semaphore", "C", bench_semaphore, c_semaphore, None);
    in_rust("semaphore", "acquire, drop", acquire, &semaphore, c);

    let group = WaitGroup::anonymous()?;
    let c_group = handle(&group, gosync_waitgroup_from_fd);
    let c = in_c("waitgroup", "C", bench_waitgroup, c_group, None);
    in_rust("waitgroup", "add, done", add_done, &group, c);

    let word = AtomicI64::open("")?;
    let c = in_c("atomic", "C", bench_add, handle(&word, gosync_int64_from_fd), None);
    in_rust("atomic", "fetch_add", fetch_add, &word, c);
    Ok(())
}
