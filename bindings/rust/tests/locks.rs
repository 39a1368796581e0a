// SPDX-License-Identifier: LGPL-2.1-or-later
//! Mutex, RwLock, Condvar

use std::mem;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use gosync::{
    AtomicI64, Condvar, Deadline, LockError, Mutex, MutexGuard, Object, OpenOptions, RwLock,
    TryLockError,
};

use crate::kit::*;

crate::tests![
    mutex_excludes_processes,
    mutex_excludes_threads,
    try_lock_would_block,
    lock_until_ends_at_each_kind_of_deadline,
    next_owner_is_told_of_a_death,
    next_owner_is_told_of_a_panic,
    with_is_poisoned_by_a_panic_and_tells,
    guard_got_during_a_panic_does_not_poison,
    forgotten_guard_locks_until_the_handle_is_closed,
    guard_may_be_dropped_by_another_thread,
    tokens_grow,
    broken_owner_is_told,
    read_only_handle_cannot_lock,
    copy_of_a_guard_in_a_child_is_not_the_childs,
    child_has_a_holder_of_its_own,
    what_was_executed_does_not_keep_a_lock,
    handler_runs_and_the_wait_goes_on,
    a_killed_waiter_does_not_get_the_lock,
    ioctls_alone_do_it_too,
    slow_paths_do_it_too,
    readers_share_and_a_writer_excludes,
    dead_writer_poisons_and_dead_reader_does_not,
    panic_of_a_writer_poisons_and_leaves_readers_alone,
    rwlock_waits_end_at_deadlines,
    condvar_wakes_who_waits,
    condvar_wakes_all,
    condvar_wait_times_out_with_the_lock_held,
    condvar_tells_of_a_death_during_the_wait,
    condvar_waits_with_each_side_of_an_rwlock,
];

/// Lock, and have somebody else look, who is another holder.
fn is_locked(name: &str) -> bool {
    matches!(Mutex::open(name).unwrap().try_lock(), Err(TryLockError::WouldBlock))
}

fn dies_with(name: &str) {
    let mut peer = Peer::fork(|wire| {
        let mutex = Mutex::open(name).unwrap();
        let _guard = mutex.lock().or_else(LockError::into_inner).unwrap();
        wire.say(1);
        wire.hear();
    });
    peer.hear();
    assert!(is_locked(name));
    peer.kill();
}

/// Adds to a word without an atomic addition: only the lock makes the sum right.
fn add_under(mutex: &Mutex, sum: &AtomicI64, times: i64) {
    for _ in 0..times {
        let _guard = mutex.lock().unwrap();
        sum.store(sum.load().unwrap() + 1).unwrap();
    }
}

fn mutex_excludes_processes() {
    let (lock, sum) = (name("lock"), name("sum"));
    let total = AtomicI64::open(&sum).unwrap();
    let mutex = Mutex::open(&lock).unwrap();
    let peers: Vec<_> = (0..4)
        .map(|_| {
            Peer::fork(|_| {
                let mutex = Mutex::open(&lock).unwrap();
                add_under(&mutex, &AtomicI64::open(&sum).unwrap(), 2000);
            })
        })
        .collect();
    add_under(&mutex, &total, 2000);
    peers.into_iter().for_each(Peer::join);
    assert_eq!(total.load().unwrap(), 10_000);
}

fn mutex_excludes_threads() {
    let mutex = Mutex::anonymous().unwrap();
    let sum = AtomicI64::open("").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| add_under(&mutex, &sum, 1000));
        }
    });
    assert_eq!(sum.load().unwrap(), 8000);
}

fn try_lock_would_block() {
    let name = name("lock");
    let (one, two) = (Mutex::open(&name).unwrap(), Mutex::open(&name).unwrap());
    let guard = one.try_lock().unwrap();
    assert!(matches!(two.try_lock(), Err(TryLockError::WouldBlock)));
    assert!(matches!(one.try_lock(), Err(TryLockError::WouldBlock)));
    assert_eq!(errno(two.try_lock().or_else(TryLockError::into_inner)), EBUSY);
    drop(guard);
    two.try_lock().unwrap().unlock().unwrap();
    one.lock().unwrap().unlock().unwrap();
}

fn lock_until_ends_at_each_kind_of_deadline() {
    let name = name("lock");
    let (one, two) = (Mutex::open(&name).unwrap(), Mutex::open(&name).unwrap());
    let guard = one.lock().unwrap();
    let begin = Instant::now();
    assert!(matches!(two.lock_until(MOMENT), Err(TryLockError::WouldBlock)));
    assert!(begin.elapsed() >= MOMENT);
    let end = Instant::now() + MOMENT;
    assert!(matches!(two.lock_until(end), Err(TryLockError::WouldBlock)));
    assert!(Instant::now() >= end);
    let end = SystemTime::now() + MOMENT;
    assert!(matches!(two.lock_until(end), Err(TryLockError::WouldBlock)));
    assert!(SystemTime::now() >= end);
    // These have passed already.
    assert!(matches!(two.lock_until(begin), Err(TryLockError::WouldBlock)));
    assert!(matches!(two.lock_until(SystemTime::UNIX_EPOCH), Err(TryLockError::WouldBlock)));
    drop(guard);
    // A free lock is taken all the same.
    drop(two.lock_until(begin).unwrap());
    drop(two.lock_until(Deadline::NEVER).unwrap());
    drop(two.lock_until(std::time::Duration::MAX).unwrap());
}

fn next_owner_is_told_of_a_death() {
    let name = name("lock");
    let mutex = Mutex::open(&name).unwrap();
    dies_with(&name);
    assert!(mutex.is_poisoned().unwrap());
    let told = mutex.lock();
    assert!(matches!(told, Err(LockError::Poisoned(_))));
    assert!(is_locked(&name), "it is held");
    drop(told);
    // Nobody has put it right.
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    assert!(matches!(mutex.lock_until(LONG), Err(TryLockError::Poisoned(_))));
    assert_eq!(errno(mutex.clear_poison()), EPERM);
    let guard = mutex.lock().or_else(LockError::into_inner).unwrap();
    mutex.clear_poison().unwrap();
    drop(guard);
    assert!(!mutex.is_poisoned().unwrap());
    drop(mutex.lock().unwrap());
    assert_eq!(mutex.info().unwrap().deaths, 1);
}

fn next_owner_is_told_of_a_panic() {
    let name = name("lock");
    let (one, two) = (Mutex::open(&name).unwrap(), Mutex::open(&name).unwrap());
    let left = quietly(|| {
        let _guard = one.lock().unwrap();
        panic()
    });
    assert!(left.is_err());
    assert!(matches!(two.lock(), Err(LockError::Poisoned(_))));
    assert!(matches!(one.lock(), Err(LockError::Poisoned(_))), "it can go on, and is told");
    {
        let _guard = one.lock().or_else(LockError::into_inner).unwrap();
        one.clear_poison().unwrap();
    }
    drop(two.lock().unwrap());
}

fn with_is_poisoned_by_a_panic_and_tells() {
    let name = name("lock");
    let (one, two) = (Mutex::open(&name).unwrap(), Mutex::open(&name).unwrap());
    assert_eq!(one.with(|poisoned| (poisoned, is_locked(&name))).unwrap(), (false, true));
    assert!(!is_locked(&name));
    assert!(quietly(|| one.with(|_| panic())).is_err());
    let told = two.with(|poisoned| {
        two.clear_poison().unwrap();
        poisoned
    });
    assert!(told.unwrap());
    assert!(!one.with(|poisoned| poisoned).unwrap());
}

fn guard_got_during_a_panic_does_not_poison() {
    struct Locks<'a>(&'a Mutex);

    impl Drop for Locks<'_> {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            drop(self.0.lock().unwrap());
        }
    }

    let mutex = Mutex::anonymous().unwrap();
    let left = quietly(|| {
        let _locks = Locks(&mutex);
        panic()
    });
    assert!(left.is_err());
    assert!(!mutex.is_poisoned().unwrap());
}

fn forgotten_guard_locks_until_the_handle_is_closed() {
    let name = name("lock");
    let (one, two) = (Mutex::open(&name).unwrap(), Mutex::open(&name).unwrap());
    mem::forget(one.lock().unwrap());
    assert!(matches!(two.try_lock(), Err(TryLockError::WouldBlock)));
    drop(one);
    assert!(matches!(two.lock(), Err(LockError::Poisoned(_))));
}

fn guard_may_be_dropped_by_another_thread() {
    fn wants_send<T: Send + Sync>(guard: T) -> T {
        guard
    }

    let name = name("lock");
    let mutex = Mutex::open(&name).unwrap();
    let guard: MutexGuard<'_> = wants_send(mutex.lock().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || drop(guard));
    });
    assert!(!is_locked(&name));
    assert!(!mutex.is_poisoned().unwrap());
}

fn tokens_grow() {
    let name = name("lock");
    let (one, two) = (Mutex::open(&name).unwrap(), Mutex::open(&name).unwrap());
    let mut last = 0;
    for i in 0..10 {
        let guard = if i % 2 == 0 { one.lock() } else { two.lock() }.unwrap();
        let token = guard.token().unwrap();
        assert!(token > last);
        last = token;
    }
    assert_eq!(one.info().unwrap().token, last);
}

fn broken_owner_is_told() {
    let name = name("lock");
    let (one, two) = (Mutex::open(&name).unwrap(), Mutex::open(&name).unwrap());
    let guard = one.lock().unwrap();
    let holders = two.holders().unwrap();
    assert_eq!(holders.len(), 2);
    let owner = holders.iter().find(|party| party.owns).unwrap();
    assert_eq!(owner.holder, one.info().unwrap().holder);
    two.break_holder(owner.holder).unwrap();
    assert!(matches!(two.lock(), Err(LockError::Poisoned(_))));
    assert_eq!(errno(guard.token()), ESTALE);
    assert_eq!(errno(guard.unlock()), ESTALE);
    match one.lock() {
        Err(LockError::Failed(error)) => assert_eq!(error.raw_os_error(), ESTALE),
        _ => panic!("a broken holder has got a lock"),
    }
    assert!(one.info().unwrap().broken);
    assert_eq!(errno(two.break_holder(0xffff)), 3); // ESRCH
}

fn read_only_handle_cannot_lock() {
    let name = name("lock");
    let _mutex = Mutex::open(&name).unwrap();
    let mutex = Mutex::open_with(&name, OpenOptions::new().read_only(true)).unwrap();
    assert!(mutex.info().unwrap().read_only);
    for _ in 0..2 {
        match mutex.lock() {
            Err(LockError::Failed(error)) => assert_eq!(error.raw_os_error(), EBADF),
            _ => panic!("it is locked"),
        }
    }
    assert!(matches!(mutex.try_lock(), Err(TryLockError::Failed(_))));
}

fn copy_of_a_guard_in_a_child_is_not_the_childs() {
    let name = name("lock");
    let mutex = Mutex::open(&name).unwrap();
    let mut guard = Some(mutex.lock().unwrap());
    Peer::fork(|_| drop(guard.take())).join();
    assert!(is_locked(&name));
    Peer::fork(|_| {
        let _ = quietly(|| {
            let _guard = guard.take();
            panic()
        });
    })
    .join();
    assert!(is_locked(&name));
    assert_eq!(guard.take().unwrap().unlock(), Ok(()));
    assert!(!mutex.is_poisoned().unwrap());
}

fn child_has_a_holder_of_its_own() {
    let name = name("lock");
    let mutex = Mutex::open(&name).unwrap();
    let guard = mutex.lock().unwrap();
    let parents = mutex.info().unwrap().holder;
    let peer = Peer::fork(|wire| {
        assert_ne!(mutex.info().unwrap().holder, parents);
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        wire.say(1);
        let guard = mutex.lock().unwrap();
        wire.say(2);
        wire.hear();
        mem::forget(guard);
    });
    peer.hear();
    eventually("the child waits", || mutex.info().unwrap().waiters == 1);
    drop(guard);
    assert_eq!(peer.hear(), 2);
    assert!(is_locked(&name));
    peer.say(1);
    peer.join();
    assert!(matches!(mutex.lock(), Err(LockError::Poisoned(_))), "the child ended with it");
}

fn what_was_executed_does_not_keep_a_lock() {
    let name = name("lock");
    let mutex = Mutex::open(&name).unwrap();
    let mut peer = Peer::fork(|wire| {
        let mutex = Mutex::open(&name).unwrap();
        let _guard = mutex.lock().unwrap();
        let mut sleep = Command::new("/bin/busybox");
        // With no pipe of ours, which somebody waits to see closed
        sleep.args(["sleep", "300"]).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = sleep.stderr(Stdio::null()).spawn().unwrap();
        wire.say(1);
        wire.hear();
        child.kill().unwrap();
    });
    peer.hear();
    let waiter = Peer::fork(|_| {
        assert!(matches!(Mutex::open(&name).unwrap().lock(), Err(LockError::Poisoned(_))));
    });
    eventually("it waits", || mutex.info().unwrap().waiters == 1);
    // Its child, which sleeps, lives on.
    peer.kill();
    waiter.join();
}

fn handler_runs_and_the_wait_goes_on() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static HANDLED: AtomicU32 = AtomicU32::new(0);

    extern "C" fn handler(_: i32) {
        HANDLED.fetch_add(1, Ordering::SeqCst);
    }

    let (lock, seen) = (name("lock"), name("seen"));
    let (mutex, handled) = (Mutex::open(&lock).unwrap(), AtomicI64::open(&seen).unwrap());
    let guard = mutex.lock().unwrap();
    let peer = Peer::fork(|wire| {
        // SAFETY: the handler does what handlers may.
        unsafe { c::signal(c::SIGUSR1, handler as extern "C" fn(i32) as usize) };
        let (mutex, seen) = (Mutex::open(&lock).unwrap(), AtomicI64::open(&seen).unwrap());
        wire.say(1);
        let _guard = mutex.lock().unwrap();
        seen.store(i64::from(HANDLED.load(Ordering::SeqCst))).unwrap();
    });
    peer.hear();
    eventually("it waits", || mutex.info().unwrap().waiters == 1);
    peer.signal(c::SIGUSR1);
    eventually("it waits again, or still", || {
        std::thread::sleep(MOMENT);
        mutex.info().unwrap().waiters == 1
    });
    drop(guard);
    peer.join();
    assert_eq!(handled.load().unwrap(), 1);
}

fn a_killed_waiter_does_not_get_the_lock() {
    let name = name("lock");
    let mutex = Mutex::open(&name).unwrap();
    let guard = mutex.lock().unwrap();
    let mut peers: Vec<_> = (0..3)
        .map(|i| {
            let peer = Peer::fork(|_| drop(Mutex::open(&name).unwrap().lock().unwrap()));
            eventually("it waits", || mutex.info().unwrap().waiters == i + 1);
            peer
        })
        .collect();
    assert_eq!(mutex.waiters().unwrap()[1].pid, peers[1].pid as u32);
    peers[0].kill();
    drop(guard);
    peers.remove(0);
    peers.into_iter().for_each(Peer::join);
    drop(mutex.lock().unwrap());
}

/// Everything of a Mutex, and of an RwLock, with one handle
fn all_of_it(options: &OpenOptions) {
    let mutex = Mutex::open_with(name("lock"), options).unwrap();
    assert!(!mutex.is_mapped());
    for _ in 0..3 {
        let guard = mutex.lock().unwrap();
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(guard.token().unwrap() > 0);
        drop(guard);
        mutex.with(|_| ()).unwrap();
    }
    assert!(quietly(|| mutex.with(|_| panic())).is_err());
    assert!(mutex.is_poisoned().unwrap());
    let lock = RwLock::open_with(name("rwlock"), options).unwrap();
    assert!(!lock.is_mapped());
    for _ in 0..3 {
        let reader = lock.read().unwrap();
        drop(lock.try_read().unwrap());
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        reader.unlock().unwrap();
        lock.write().unwrap().unlock().unwrap();
    }
}

fn ioctls_alone_do_it_too() {
    all_of_it(OpenOptions::new().create(true).ioctl_only(true));
    all_of_it(OpenOptions::new().create(true).no_mmap(true));
}

fn slow_paths_do_it_too() {
    // Poisoned, so that each pair leaves the fast path
    let name = name("lock");
    let mutex = Mutex::open(&name).unwrap();
    dies_with(&name);
    for _ in 0..3 {
        let guard = mutex.lock().or_else(LockError::into_inner).unwrap();
        assert!(is_locked(&name));
        guard.unlock().unwrap();
        assert!(!is_locked(&name));
    }
}

fn readers_share_and_a_writer_excludes() {
    let name = name("lock");
    let (one, two) = (RwLock::open(&name).unwrap(), RwLock::open(&name).unwrap());
    for lock in [&one, &two] {
        let reader = lock.read().unwrap();
        assert!(matches!(one.try_write(), Err(TryLockError::WouldBlock)));
        drop(reader);
        drop(one.try_write().unwrap());
    }
    {
        let _one = one.read().unwrap();
        let _two = two.read().unwrap();
        let _again = two.try_read().unwrap();
        assert!(matches!(one.try_write(), Err(TryLockError::WouldBlock)));
    }
    let writer = two.write().unwrap();
    assert!(writer.token().unwrap() > 0);
    assert!(matches!(one.try_read(), Err(TryLockError::WouldBlock)));
    assert!(matches!(two.try_read(), Err(TryLockError::WouldBlock)));
    assert!(matches!(one.try_write(), Err(TryLockError::WouldBlock)));
    let peer = Peer::fork(|wire| {
        let lock = RwLock::open(&name).unwrap();
        wire.say(1);
        lock.read().unwrap().unlock().unwrap();
    });
    peer.hear();
    eventually("the reader waits", || one.info().unwrap().waiters == 1);
    writer.unlock().unwrap();
    peer.join();
    drop(one.try_write().unwrap());
}

fn dead_writer_poisons_and_dead_reader_does_not() {
    let name = name("lock");
    let lock = RwLock::open(&name).unwrap();
    let mut peer = Peer::fork(|wire| {
        let lock = RwLock::open(&name).unwrap();
        let _guard = lock.read().unwrap();
        wire.say(1);
        wire.hear();
    });
    peer.hear();
    assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    peer.kill();
    drop(lock.write().unwrap());
    let mut peer = Peer::fork(|wire| {
        let lock = RwLock::open(&name).unwrap();
        let _guard = lock.write().unwrap();
        wire.say(1);
        wire.hear();
    });
    peer.hear();
    assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
    peer.kill();
    assert!(matches!(lock.read(), Err(LockError::Poisoned(_))));
    assert!(matches!(lock.write(), Err(LockError::Poisoned(_))));
    assert_eq!(errno(lock.clear_poison()), EPERM);
    let guard = lock.write().or_else(LockError::into_inner).unwrap();
    lock.clear_poison().unwrap();
    drop(guard);
    drop(lock.read().unwrap());
}

fn panic_of_a_writer_poisons_and_leaves_readers_alone() {
    let name = name("lock");
    let (one, two) = (RwLock::open(&name).unwrap(), RwLock::open(&name).unwrap());
    let left = quietly(|| {
        let _guard = one.read().unwrap();
        panic()
    });
    assert!(left.is_err());
    drop(two.write().unwrap());
    let left = quietly(|| {
        let _guard = one.write().unwrap();
        panic()
    });
    assert!(left.is_err());
    // What this process reads is of another holder than what it wrote.
    let reader = one.read().or_else(LockError::into_inner).unwrap();
    let left = quietly(|| {
        let _guard = two.read().or_else(LockError::into_inner).unwrap();
        panic()
    });
    assert!(left.is_err());
    gosync::Object::info(&one).unwrap();
    assert!(matches!(two.try_write(), Err(TryLockError::WouldBlock)));
    drop(reader);
    assert!(matches!(two.write(), Err(LockError::Poisoned(_))));
}

fn rwlock_waits_end_at_deadlines() {
    let name = name("lock");
    let (one, two) = (RwLock::open(&name).unwrap(), RwLock::open(&name).unwrap());
    let reader = one.read().unwrap();
    assert!(matches!(two.write_until(MOMENT), Err(TryLockError::WouldBlock)));
    drop(two.read_until(MOMENT).unwrap());
    drop(reader);
    let writer = one.write_until(MOMENT).unwrap();
    assert!(matches!(two.read_until(MOMENT), Err(TryLockError::WouldBlock)));
    drop(writer);
    drop(two.read_until(Instant::now()).unwrap());
}

fn condvar_wakes_who_waits() {
    let (lock, cond, turn) = (name("lock"), name("cond"), name("turn"));
    let play = |me: i64| {
        let mutex = Mutex::open(&lock).unwrap();
        let (changed, turn) = (Condvar::open(&cond).unwrap(), AtomicI64::open(&turn).unwrap());
        for round in 0..100 {
            let guard = mutex.lock().unwrap();
            let mine = round * 2 + me;
            let _guard = changed.wait_while(guard, |_| turn.load().unwrap() != mine).unwrap();
            turn.store(mine + 1).unwrap();
            changed.notify_one().unwrap();
        }
    };
    let (_lock, _cond, end) = (
        Mutex::open(&lock).unwrap(),
        Condvar::open(&cond).unwrap(),
        AtomicI64::open(&turn).unwrap(),
    );
    let peer = Peer::fork(|_| play(1));
    play(0);
    peer.join();
    assert_eq!(end.load().unwrap(), 200);
}

fn condvar_wakes_all() {
    let (lock, cond) = (name("lock"), name("cond"));
    let (mutex, gone) = (Mutex::open(&lock).unwrap(), Condvar::open(&cond).unwrap());
    let peers: Vec<_> = (0..5)
        .map(|_| {
            Peer::fork(|_| {
                let (mutex, cond) = (Mutex::open(&lock).unwrap(), Condvar::open(&cond).unwrap());
                let guard = mutex.lock().unwrap();
                drop(cond.wait(guard).unwrap());
            })
        })
        .collect();
    eventually("all wait", || gone.info().unwrap().waiters == 5);
    drop(mutex.lock().unwrap());
    gone.notify_all().unwrap();
    peers.into_iter().for_each(Peer::join);
    gone.notify_one().unwrap();
}

fn condvar_wait_times_out_with_the_lock_held() {
    let (lock, cond) = (name("lock"), name("cond"));
    let (mutex, never) = (Mutex::open(&lock).unwrap(), Condvar::open(&cond).unwrap());
    let (guard, result) = never.wait_timeout(mutex.lock().unwrap(), MOMENT).unwrap();
    assert!(result.timed_out());
    assert!(is_locked(&lock));
    let mut looked = 0;
    let (guard, result) = never
        .wait_timeout_while(guard, MOMENT, |_| {
            looked += 1;
            true
        })
        .unwrap();
    assert!(result.timed_out());
    assert_eq!(looked, 2);
    let (guard, result) = never.wait_timeout_while(guard, MOMENT, |_| false).unwrap();
    assert!(!result.timed_out());
    guard.unlock().unwrap();
    assert!(!is_locked(&lock));
}

fn condvar_tells_of_a_death_during_the_wait() {
    let (lock, cond) = (name("lock"), name("cond"));
    let (mutex, changed) = (Mutex::open(&lock).unwrap(), Condvar::open(&cond).unwrap());
    let waiter = Peer::fork(|_| {
        let (mutex, cond) = (Mutex::open(&lock).unwrap(), Condvar::open(&cond).unwrap());
        let guard = mutex.lock().unwrap();
        match cond.wait(guard) {
            Err(LockError::Poisoned(guard)) => {
                mutex.clear_poison().unwrap();
                drop(guard.into_inner());
            }
            _ => panic!("it was not told"),
        };
    });
    eventually("it waits", || changed.info().unwrap().waiters == 1);
    dies_with(&lock);
    changed.notify_one().unwrap();
    waiter.join();
    drop(mutex.lock().unwrap());
}

fn condvar_waits_with_each_side_of_an_rwlock() {
    let (lock, cond) = (name("lock"), name("cond"));
    let (rw, changed) = (RwLock::open(&lock).unwrap(), Condvar::open(&cond).unwrap());
    for writes in [true, false] {
        let peer = Peer::fork(|wire| {
            let (rw, cond) = (RwLock::open(&lock).unwrap(), Condvar::open(&cond).unwrap());
            if writes {
                let _guard = cond.wait(rw.write().unwrap()).unwrap();
                wire.say(1);
                wire.hear();
            } else {
                let _guard = cond.wait(rw.read().unwrap()).unwrap();
                wire.say(1);
                wire.hear();
            }
        });
        eventually("it waits", || changed.info().unwrap().waiters == 1);
        drop(rw.write().unwrap());
        changed.notify_one().unwrap();
        peer.hear();
        assert_eq!(rw.try_read().is_ok(), !writes);
        assert!(rw.try_write().is_err());
        peer.say(1);
        peer.join();
    }
}
