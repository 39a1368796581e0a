// SPDX-License-Identifier: LGPL-2.1-or-later
//! SharedMutex: a value in shared memory

use std::fs::OpenOptions as FileOptions;
use std::os::unix::fs::FileExt;
use std::os::unix::io::{AsFd, OwnedFd};

use gosync::{
    Condvar, LockError, Mutex, Object, Shareable, SharedMutex, SharedMutexGuard, TryLockError,
};

use crate::kit::*;

crate::tests![
    value_is_shared_by_processes,
    threads_share_it_too,
    a_death_leaves_the_value_as_it_was,
    a_death_after_publish_leaves_it_as_published,
    no_death_leaves_half_a_value,
    a_panic_leaves_the_value_as_it_was,
    condvar_brings_the_new_value,
    memory_without_a_name_is_handed_over,
    file_of_another_type_is_refused,
    half_made_file_is_made_anew,
    odd_sizes_are_whole,
    scribbles_are_but_wrong_values,
    try_and_deadline_get_the_value,
    broken_owner_writes_nothing_back,
    sealed_memory_keeps_its_length,
];

/// The name of a Mutex, and of a file
fn names() -> (String, String) {
    let name = name("value");
    let file = format!("/tmp/{}", name);
    (name, file)
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Pair {
    left: u64,
    right: u64,
    many: [u32; 1000],
}

// SAFETY: repr(C), and 8 + 8 + 4000 bytes without padding
unsafe impl Shareable for Pair {
    const NAME: &'static str = "test.pair";
}

const fn pair(n: u32) -> Pair {
    Pair { left: n as u64, right: n as u64, many: [n; 1000] }
}

fn value_is_shared_by_processes() {
    let (name, file) = names();
    let sum = SharedMutex::open(&name, &file, 5u64).unwrap();
    let peers: Vec<_> = (0..4)
        .map(|_| {
            Peer::fork(|_| {
                // That it is 7 says nothing, as the value exists.
                let sum = SharedMutex::open(&name, &file, 7u64).unwrap();
                for _ in 0..1000 {
                    *sum.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    peers.into_iter().for_each(Peer::join);
    assert_eq!(*sum.lock().unwrap(), 4005);
}

fn threads_share_it_too() {
    let sum = SharedMutex::anonymous([0i32; 3]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..300 {
                    sum.lock().unwrap()[i % 3] += 1;
                }
            });
        }
    });
    assert_eq!(*sum.lock().unwrap(), [400; 3]);
}

fn a_death_leaves_the_value_as_it_was() {
    let (name, file) = names();
    let value = SharedMutex::open(&name, &file, pair(1)).unwrap();
    let mut peer = Peer::fork(|wire| {
        let value = SharedMutex::open(&name, &file, pair(1)).unwrap();
        let mut guard = value.lock().unwrap();
        guard.left = 2;
        wire.say(1);
        wire.hear();
    });
    peer.hear();
    peer.kill();
    match value.lock() {
        Err(LockError::Poisoned(guard)) => assert_eq!(**guard.get_ref(), pair(1)),
        _ => panic!("it was not told"),
    }
    assert!(value.is_poisoned().unwrap());
    let guard = value.lock().or_else(LockError::into_inner).unwrap();
    value.clear_poison().unwrap();
    drop(guard);
    assert_eq!(*value.lock().unwrap(), pair(1));
}

fn a_death_after_publish_leaves_it_as_published() {
    let (name, file) = names();
    let value = SharedMutex::open(&name, &file, 1u32).unwrap();
    let mut peer = Peer::fork(|wire| {
        let value = SharedMutex::open(&name, &file, 1u32).unwrap();
        let mut guard = value.lock().unwrap();
        *guard = 2;
        SharedMutexGuard::publish(&mut guard).unwrap();
        *guard = 3;
        wire.say(1);
        wire.hear();
    });
    peer.hear();
    peer.kill();
    assert_eq!(*value.lock().or_else(LockError::into_inner).unwrap(), 2);
}

/// Kill a process that does nothing but write, at whatever instant.
fn no_death_leaves_half_a_value() {
    let (name, file) = names();
    let value = SharedMutex::open(&name, &file, pair(0)).unwrap();
    let mut last = 0;
    for round in 0..40 {
        let mut peer = Peer::fork(|wire| {
            let value = SharedMutex::open(&name, &file, pair(0)).unwrap();
            wire.say(1);
            loop {
                let mut guard = value.lock().or_else(LockError::into_inner).unwrap();
                *guard = pair(guard.left as u32 + 1);
            }
        });
        peer.hear();
        std::thread::sleep(std::time::Duration::from_micros(500 + 130 * round));
        peer.kill();
        let guard = value.lock().or_else(LockError::into_inner).unwrap();
        assert_eq!(*guard, pair(guard.left as u32), "half a value");
        last = guard.left;
    }
    assert!(last > 0, "nothing was ever written");
}

fn a_panic_leaves_the_value_as_it_was() {
    let value = SharedMutex::anonymous(1u16).unwrap();
    let left = quietly(|| {
        let mut guard = value.lock().unwrap();
        *guard = 2;
        panic()
    });
    assert!(left.is_err());
    match value.lock() {
        Err(LockError::Poisoned(guard)) => assert_eq!(**guard.get_ref(), 1),
        _ => panic!("it was not told"),
    };
}

fn condvar_brings_the_new_value() {
    let (name, file) = names();
    let cond = format!("{}.cond", name);
    let (value, risen) =
        (SharedMutex::open(&name, &file, 0i64).unwrap(), Condvar::open(&cond).unwrap());
    let peer = Peer::fork(|_| {
        let value = SharedMutex::open(&name, &file, 0i64).unwrap();
        let risen = Condvar::open(&cond).unwrap();
        let mut guard = value.lock().unwrap();
        *guard = 1;
        // What was written before the wait is seen by the others.
        let mut guard = risen.wait_while(guard, |value| *value < 10).unwrap();
        *guard += 1;
    });
    eventually("it waits", || risen.info().unwrap().waiters == 1);
    for _ in 0..9 {
        *value.lock().unwrap() += 1;
    }
    risen.notify_one().unwrap();
    peer.join();
    assert_eq!(*value.lock().unwrap(), 11);
    let guard = value.lock().unwrap();
    let (guard, result) = risen.wait_timeout_while(guard, MOMENT, |value| *value < 12).unwrap();
    assert!(result.timed_out());
    assert_eq!(*guard, 11);
}

fn memory_without_a_name_is_handed_over() {
    let ours = SharedMutex::anonymous(41u64).unwrap();
    let dup = |fd: std::os::unix::io::BorrowedFd| fd.try_clone_to_owned().unwrap();
    let mutex: OwnedFd = dup(ours.mutex().fd().unwrap());
    let file: OwnedFd = dup(ours.file().as_fd());
    let theirs = SharedMutex::from_fds(mutex, file, 0u64).unwrap();
    let id = |value: &SharedMutex<u64>| value.mutex().info().unwrap().id;
    let holder = |value: &SharedMutex<u64>| value.mutex().info().unwrap().holder;
    assert_eq!(id(&ours), id(&theirs));
    assert_ne!(holder(&ours), holder(&theirs));
    *theirs.lock().unwrap() += 1;
    let guard = ours.lock().unwrap();
    assert_eq!(*guard, 42);
    assert!(matches!(theirs.try_lock(), Err(TryLockError::WouldBlock)));
}

fn file_of_another_type_is_refused() {
    let (name, file) = names();
    let _value = SharedMutex::open(&name, &file, 0u64).unwrap();
    // The same size, but another name; another size; another array
    assert_eq!(errno(SharedMutex::open(&name, &file, 0i64)), EPROTOTYPE);
    assert_eq!(errno(SharedMutex::open(&name, &file, pair(0))), EPROTOTYPE);
    assert_eq!(errno(SharedMutex::open(&name, &file, [0u64; 2])), EPROTOTYPE);
    assert_eq!(errno(SharedMutex::open(&name, "/etc/passwd", 0u64)), EPROTOTYPE);
    assert_eq!(errno(SharedMutex::open(&name, "/no/such/file", 0u64)), ENOENT);
    assert!(SharedMutex::open(&name, &file, 0u64).is_ok());
}

/// Who died while it made the file has left zeros, or no magic.
fn half_made_file_is_made_anew() {
    let (name, file) = names();
    let raw = FileOptions::new().read(true).write(true).create(true).open(&file).unwrap();
    raw.set_len(64 + 2 * 64).unwrap();
    raw.write_all_at(&[7; 8], 8).unwrap();
    assert_eq!(*SharedMutex::open(&name, &file, 3u64).unwrap().lock().unwrap(), 3);
    raw.write_all_at(b"garbage!", 0).unwrap();
    assert_eq!(errno(SharedMutex::open(&name, &file, 3u64)), EPROTOTYPE);
}

fn odd_sizes_are_whole() {
    fn check<T: Shareable + PartialEq + std::fmt::Debug>(init: T, next: T) {
        let (name, file) = names();
        let one = SharedMutex::open(&name, &file, init).unwrap();
        let two = SharedMutex::open(&name, &file, next).unwrap();
        for value in [next, init, next] {
            *one.lock().unwrap() = value;
            assert_eq!(*two.lock().unwrap(), value);
        }
    }

    check(1u8, 2);
    check([1u8; 7], [2; 7]);
    check([1u8; 9], [2; 9]);
    check([1u8; 64], [2; 64]);
    check([1u8; 65], [2; 65]);
    check([1u8; 10_001], [2; 10_001]);
    check([[1i16; 3]; 5], [[2; 3]; 5]);
    check([0u64; 0], []);
}

/// Another process writes whatever it likes, without the lock.
fn scribbles_are_but_wrong_values() {
    let (name, file) = names();
    let value = SharedMutex::open(&name, &file, pair(1)).unwrap();
    let mut peer = Peer::fork(|wire| {
        let raw = FileOptions::new().write(true).open(&file).unwrap();
        wire.say(1);
        for i in 0u32.. {
            // All but the magic
            raw.write_all_at(&vec![(i % 251) as u8; 8000], 24).unwrap();
        }
    });
    peer.hear();
    let mut scribbles = 0;
    eventually("it scribbles", || {
        let mut guard = value.lock().unwrap();
        guard.left = guard.left.wrapping_add(1);
        scribbles += u32::from(guard.many != [1; 1000]);
        scribbles > 100
    });
    peer.kill();
    *value.lock().unwrap() = pair(9);
    assert_eq!(*value.lock().unwrap(), pair(9));
}

fn try_and_deadline_get_the_value() {
    let (name, file) = names();
    let one = SharedMutex::open(&name, &file, 1u8).unwrap();
    let two = SharedMutex::open(&name, &file, 1u8).unwrap();
    let mut guard = one.try_lock().unwrap();
    *guard = 2;
    assert!(matches!(two.try_lock(), Err(TryLockError::WouldBlock)));
    assert!(matches!(two.lock_until(MOMENT), Err(TryLockError::WouldBlock)));
    drop(guard);
    assert_eq!(*two.try_lock().unwrap(), 2);
    let guard = two.lock_until(MOMENT).unwrap();
    assert_eq!(*guard, 2);
    assert!(SharedMutexGuard::token(&guard).unwrap() > 0);
    assert_eq!(format!("{:?}", guard), "2");
}

fn broken_owner_writes_nothing_back() {
    let (name, file) = names();
    let one = SharedMutex::open(&name, &file, 1u8).unwrap();
    let two = SharedMutex::open(&name, &file, 1u8).unwrap();
    let mut guard = one.lock().unwrap();
    *guard = 2;
    let holder = one.mutex().info().unwrap().holder;
    two.mutex().break_holder(holder).unwrap();
    *two.lock().or_else(LockError::into_inner).unwrap() = 3;
    assert_eq!(errno(SharedMutexGuard::publish(&mut guard)), ESTALE);
    drop(guard);
    assert_eq!(*two.lock().or_else(LockError::into_inner).unwrap(), 3);
}

fn sealed_memory_keeps_its_length() {
    let value = SharedMutex::anonymous(1u8).unwrap();
    assert!(value.file().set_len(0).is_err());
    assert!(value.file().set_len(1 << 20).is_err());
    let _mutex: &Mutex = value.mutex();
    assert_eq!(*value.lock().unwrap(), 1);
}
