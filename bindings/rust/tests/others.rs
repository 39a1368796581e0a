// SPDX-License-Identifier: LGPL-2.1-or-later
//! Semaphore, WaitGroup, Once; waiting for several things; opening, names, errors;
//! many objects; and what is executed

use std::io;
use std::os::unix::io::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use gosync::{
    wait_all, wait_any, AtomicI64, Condvar, Deadline, Entry, Granted, LockError, Mutex, Object,
    Once, OpenOptions, RwLock, Semaphore, WaitGroup,
};

use crate::kit::*;

crate::tests![
    semaphore_limits_who_is_in,
    permits_are_released_or_kept,
    permits_of_the_dead_come_back,
    semaphore_misuse_is_told,
    waitgroup_waits_for_all_parts,
    waitgroup_part_is_done_by_a_panic,
    waitgroup_misuse_is_told_in_gos_words,
    once_is_done_once,
    once_tells_of_a_dead_runner,
    once_is_poisoned_by_a_panic,
    once_misuse_is_told,
    wait_any_is_cancelled_from_elsewhere,
    wait_any_grants_one,
    wait_all_grants_all_at_once,
    errors_are_of_use,
    options_do_what_they_say,
    names_are_listed_changed_and_removed,
    name_is_awaited,
    thousand_objects,
    thousand_opens_and_closes_leak_nothing,
    descriptor_is_handed_to_what_is_executed,
    many_processes_and_threads,
    examples_run,
];

const POLLIN: i16 = 1;

fn semaphore_limits_who_is_in() {
    let (slots, inside) = (name("slots"), name("inside"));
    let semaphore = Semaphore::open(&slots, 2).unwrap();
    let most = AtomicI64::open_array(&inside, 2).unwrap();
    let peers: Vec<_> = (0..5)
        .map(|_| {
            Peer::fork(|_| {
                let semaphore = Semaphore::open(&slots, 0).unwrap();
                let words = AtomicI64::open_array(&inside, 0).unwrap();
                for _ in 0..100 {
                    let _permit = semaphore.acquire(1).unwrap();
                    let now = words.word(0).fetch_add(1).unwrap() + 1;
                    assert!(now <= 2);
                    if now > words.word(1).load().unwrap() {
                        words.word(1).store(now).unwrap();
                    }
                    std::thread::yield_now();
                    words.word(0).fetch_sub(1).unwrap();
                }
            })
        })
        .collect();
    peers.into_iter().for_each(Peer::join);
    assert_eq!(semaphore.available().unwrap(), 2);
    assert!(most.word(1).load().unwrap() > 0);
}

fn permits_are_released_or_kept() {
    let semaphore = Semaphore::open(name("slots"), 5).unwrap();
    let three = semaphore.acquire(3).unwrap();
    assert_eq!(three.count(), 3);
    assert!(semaphore.try_acquire(3).unwrap().is_none());
    assert!(semaphore.acquire_until(3, MOMENT).unwrap().is_none());
    let two = semaphore.try_acquire(2).unwrap().unwrap();
    assert_eq!(semaphore.available().unwrap(), 0);
    drop(three);
    drop(semaphore.acquire_until(3, MOMENT).unwrap().unwrap());
    two.forget();
    assert_eq!(semaphore.available().unwrap(), 3);
    semaphore.release(2).unwrap();
    semaphore.set_limit(7).unwrap();
    assert_eq!(semaphore.available().unwrap(), 7);
    assert!(quietly(|| {
        let _permit = semaphore.acquire(7).unwrap();
        panic()
    })
    .is_err());
    assert_eq!(semaphore.available().unwrap(), 7);
}

fn permits_of_the_dead_come_back() {
    for give_back in [true, false] {
        let name = name("slots");
        let options = OpenOptions::new().create(true).give_back(give_back).clone();
        let semaphore = Semaphore::open_with(&name, 1, &options).unwrap();
        let mut peer = Peer::fork(|wire| {
            let semaphore = Semaphore::open(&name, 0).unwrap();
            let _permit = semaphore.acquire(1).unwrap();
            wire.say(1);
            wire.hear();
        });
        peer.hear();
        assert_eq!(semaphore.available().unwrap(), 0);
        peer.kill();
        assert_eq!(semaphore.available().unwrap(), u32::from(give_back));
        if give_back {
            drop(semaphore.acquire(1).unwrap());
            assert_eq!(errno(semaphore.release(1)), EPERM);
        }
    }
}

fn semaphore_misuse_is_told() {
    let name = name("slots");
    let semaphore = Semaphore::open(&name, 1).unwrap();
    assert_eq!(errno(semaphore.release(0x7fff_ffff)), ERANGE);
    assert_eq!(errno(semaphore.release(0x8000_0000)), EINVAL);
    assert_eq!(errno(semaphore.acquire(u32::MAX).map(drop)), EINVAL);
    assert_eq!(errno(Semaphore::open(&name, 2)), EPROTOTYPE);
    let reader = Semaphore::open_with(&name, 0, OpenOptions::new().read_only(true)).unwrap();
    assert_eq!(errno(reader.acquire(1).map(drop)), EBADF);
    assert_eq!(errno(reader.release(1)), EBADF);
    assert_eq!(semaphore.available().unwrap(), 1);
}

fn waitgroup_waits_for_all_parts() {
    let (group, sum) = (name("group"), name("sum"));
    let jobs = WaitGroup::open(&group).unwrap();
    let total = AtomicI64::open(&sum).unwrap();
    jobs.add(4).unwrap();
    assert!(!jobs.wait_until(MOMENT).unwrap());
    let peers: Vec<_> = (1..=4)
        .map(|i| {
            let (group, sum) = (&group, &sum);
            Peer::fork(move |_| {
                AtomicI64::open(sum).unwrap().fetch_add(i).unwrap();
                WaitGroup::open(group).unwrap().done().unwrap();
            })
        })
        .collect();
    jobs.wait().unwrap();
    assert_eq!(total.load().unwrap(), 10);
    assert_eq!(jobs.count().unwrap(), 0);
    peers.into_iter().for_each(Peer::join);
}

fn waitgroup_part_is_done_by_a_panic() {
    let jobs = WaitGroup::anonymous().unwrap();
    let part = jobs.part().unwrap();
    assert_eq!(jobs.count().unwrap(), 1);
    assert!(quietly(|| {
        let _part = part;
        panic()
    })
    .is_err());
    assert!(jobs.wait_until(MOMENT).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let part = jobs.part().unwrap();
            scope.spawn(move || drop(part));
        }
        jobs.wait().unwrap();
    });
}

fn waitgroup_misuse_is_told_in_gos_words() {
    let jobs = WaitGroup::anonymous().unwrap();
    let error = jobs.done().unwrap_err();
    assert_eq!(error.raw_os_error(), ERANGE);
    assert_eq!(error.to_string(), "sync: negative WaitGroup counter");
    jobs.add(i32::MAX).unwrap();
    assert_eq!(errno(jobs.add(1)), ERANGE);
    jobs.add(-i32::MAX).unwrap();
    jobs.wait().unwrap();
}

fn once_is_done_once() {
    let (once, times) = (name("once"), name("times"));
    let setup = Once::open(&once).unwrap();
    let done = AtomicI64::open(&times).unwrap();
    assert!(!setup.is_completed().unwrap());
    assert!(!setup.wait_until(MOMENT).unwrap());
    let peers: Vec<_> = (0..4)
        .map(|_| {
            Peer::fork(|_| {
                let setup = Once::open(&once).unwrap();
                let times = AtomicI64::open(&times).unwrap();
                setup.call_once(|| drop(times.fetch_add(1).unwrap())).unwrap();
                assert_eq!(times.load().unwrap(), 1);
            })
        })
        .collect();
    setup.wait().unwrap();
    peers.into_iter().for_each(Peer::join);
    setup.call_once(|| panic!("twice")).unwrap();
    setup.call_once_force(|_| panic!("twice")).unwrap();
    assert!(setup.is_completed().unwrap());
    assert_eq!(done.load().unwrap(), 1);
}

fn once_tells_of_a_dead_runner() {
    let name = name("once");
    let setup = Once::open(&name).unwrap();
    let mut peer = Peer::fork(|wire| {
        let setup = Once::open(&name).unwrap();
        let _ = setup.call_once(|| {
            wire.say(1);
            wire.hear();
        });
    });
    peer.hear();
    let waiter = Peer::fork(|_| {
        let setup = Once::open(&name).unwrap();
        // Two waiters: both are told, as it stays poisoned.
        assert_eq!(errno(setup.call_once(|| panic!("it is poisoned"))), EBUSY);
    });
    eventually("it waits", || setup.info().unwrap().waiters == 1);
    peer.kill();
    waiter.join();
    let error = setup.call_once(|| panic!("it is poisoned")).unwrap_err();
    assert!(error.to_string().starts_with("poisoned"));
    let mut told = false;
    setup.call_once_force(|state| told = state.is_poisoned()).unwrap();
    assert!(told);
    setup.call_once(|| panic!("twice")).unwrap();
}

fn once_is_poisoned_by_a_panic() {
    let setup = Once::anonymous().unwrap();
    assert!(quietly(|| setup.call_once(|| panic())).is_err());
    assert_eq!(errno(setup.call_once(|| ())), EBUSY);
    assert!(quietly(|| setup.call_once_force(|_| panic())).is_err());
    setup.call_once_force(|state| assert!(state.is_poisoned())).unwrap();
    assert!(setup.is_completed().unwrap());
}

fn once_misuse_is_told() {
    let name = name("once");
    let setup = Once::open(&name).unwrap();
    setup
        .call_once(|| {
            assert_eq!(errno(setup.call_once(|| ())), EDEADLK);
            assert_eq!(errno(setup.wait()), EDEADLK);
            assert!(!setup.wait_until(MOMENT).unwrap());
        })
        .unwrap();
    let setup = Once::open(format!("{}.2", name)).unwrap();
    let reader =
        Once::open_with(format!("{}.2", name), OpenOptions::new().read_only(true)).unwrap();
    assert_eq!(errno(reader.call_once(|| ())), EBADF);
    setup.call_once(|| ()).unwrap();
    reader.call_once(|| ()).unwrap();
}

fn wait_any_is_cancelled_from_elsewhere() {
    let name = name("slots");
    let semaphore = Semaphore::open(&name, 0).unwrap();
    let (stop, other) = UnixStream::pair().unwrap();
    let canceller = Peer::fork(|_| {
        let semaphore = Semaphore::open(&name, 0).unwrap();
        eventually("it waits", || semaphore.info().unwrap().waiters == 1);
        io::Write::write_all(&mut &other, &[1]).unwrap();
    });
    let entries = [Entry::permits(&semaphore, 1), Entry::fd(stop.as_fd(), POLLIN)];
    match wait_any(&entries, LONG).unwrap() {
        Some((1, Granted::Ready(events))) => assert_eq!(events & POLLIN, POLLIN),
        other => panic!("granted: {:?}", other),
    }
    canceller.join();
    semaphore.release(1).unwrap();
    assert!(matches!(wait_any(&entries, LONG).unwrap(), Some((0, Granted::Permits(_)))));
    assert_eq!(semaphore.available().unwrap(), 1, "it is released again");
}

fn wait_any_grants_one() {
    let lock = name("lock");
    let (one, two) = (Mutex::open(&lock).unwrap(), Mutex::open(&lock).unwrap());
    let rw = RwLock::anonymous().unwrap();
    let (group, once) = (WaitGroup::anonymous().unwrap(), Once::anonymous().unwrap());
    let word = AtomicI64::open("").unwrap();
    group.add(1).unwrap();
    let guard = one.lock().unwrap();
    let entries = [
        Entry::mutex(&two),
        Entry::wait_group(&group),
        Entry::once(&once),
        Entry::word(&word, 0, 0),
        Entry::read(&rw),
    ];
    {
        let granted = wait_any(&entries, Deadline::NEVER).unwrap();
        assert!(matches!(granted, Some((4, Granted::Read(Ok(_))))));
        assert!(rw.try_write().is_err());
    }
    assert!(wait_any(&entries[..4], MOMENT).unwrap().is_none());
    word.store(7).unwrap();
    assert!(matches!(wait_any(&entries, LONG).unwrap(), Some((3, Granted::Happened))));
    once.call_once(|| ()).unwrap();
    assert!(matches!(wait_any(&entries, LONG).unwrap(), Some((2, Granted::Happened))));
    group.done().unwrap();
    assert!(matches!(wait_any(&entries, LONG).unwrap(), Some((1, Granted::Happened))));
    drop(guard);
    assert!(quietly(|| one.with(|_| panic())).is_err());
    match wait_any(&entries, LONG).unwrap() {
        Some((0, Granted::Mutex(Err(LockError::Poisoned(_guard))))) => {
            assert!(one.try_lock().is_err());
        }
        other => panic!("granted: {:?}", other),
    }
    assert_eq!(errno(wait_any(&[], LONG)), EINVAL);
    assert_eq!(errno(wait_any(&[entries[0]; 65], LONG)), EINVAL);
}

fn wait_all_grants_all_at_once() {
    let work = |one: &str, two: &str| {
        let (one, two) = (Mutex::open(one).unwrap(), Mutex::open(two).unwrap());
        for _ in 0..100 {
            let both = wait_all(&[Entry::mutex(&one), Entry::mutex(&two)], LONG).unwrap();
            let both = both.expect("both");
            assert!(matches!(both[..], [Granted::Mutex(Ok(_)), Granted::Mutex(Ok(_))]));
        }
    };
    let (c, d) = (name("c"), name("d"));
    let peer = Peer::fork(|_| work(&c, &d));
    work(&d, &c);
    peer.join();
    let mutex = Mutex::open(&c).unwrap();
    let guard = mutex.lock().unwrap();
    let (other, free) = (Mutex::open(&c).unwrap(), Mutex::open(&d).unwrap());
    let entries = [Entry::mutex(&free), Entry::mutex(&other)];
    assert!(wait_all(&entries, MOMENT).unwrap().is_none());
    drop(free.try_lock().unwrap());
    drop(guard);
    assert_eq!(errno(wait_all(&[entries[0], entries[0]], LONG)), EDEADLK);
}

fn errors_are_of_use() {
    let error = Mutex::open_with("no.such", &OpenOptions::new()).unwrap_err();
    assert_eq!(error.raw_os_error(), ENOENT);
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(error.to_string(), "No such file or directory");
    let as_io = io::Error::from(error);
    assert_eq!(as_io.kind(), io::ErrorKind::NotFound);
    assert_eq!(as_io.to_string(), error.to_string());
    assert!(as_io.get_ref().unwrap().downcast_ref::<gosync::Error>().is_some());
    let question = || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Mutex::open("with\0nul")?;
        Ok(())
    };
    assert!(question().is_err());
    assert_eq!(errno(Mutex::open("with\0nul")), EINVAL);
    assert_eq!(errno(Mutex::open([b'x'; 256])), ENAMETOOLONG);
    assert!(Mutex::open([0xffu8; 255]).is_ok());
    let name = name("lock");
    let mutex = Mutex::open(&name).unwrap();
    assert_eq!(errno(RwLock::open(&name)), EPROTOTYPE);
    let guard = mutex.lock().unwrap();
    let text = mutex.try_lock().unwrap_err().to_string();
    assert_eq!(text, "the lock is held by another");
    assert_eq!(format!("{:?}", mutex.try_lock().unwrap_err()), "WouldBlock");
    drop(guard);
    let pipe = UnixStream::pair().unwrap().0;
    assert_eq!(errno(Mutex::from_fd(OwnedFd::from(pipe))), 25); // ENOTTY
}

fn options_do_what_they_say() {
    let name = name("lock");
    let create = OpenOptions::new().create_new(true).persist(true).mode(0o640).clone();
    let mutex = Mutex::open_with(&name, &create).unwrap();
    assert_eq!(errno(Mutex::open_with(&name, &create)), EEXIST);
    let info = mutex.info().unwrap();
    assert_eq!((info.mode, info.persistent, info.holders), (0o640, true, 1));
    assert_eq!(info.name, name.as_bytes());
    drop(mutex);
    let mutex = Mutex::open_with(&name, &OpenOptions::new()).unwrap();
    assert_eq!(mutex.info().unwrap().id, info.id, "it persists");
    drop(mutex);
    gosync::unlink(&name).unwrap();
    assert_eq!(errno(Mutex::open_with(&name, &OpenOptions::new())), ENOENT);
    // Only with this may another than the owner unlock it.
    let lax = OpenOptions::new().create(true).error_check(false).clone();
    let mutex = Mutex::open_with(&name, &lax).unwrap();
    let mut guard = Some(mutex.lock().unwrap());
    Peer::fork(|_| drop(guard.take())).join();
    assert_eq!(errno(guard.take().unwrap().unlock()), EPERM);
    assert_eq!(errno(Mutex::open_with("x", OpenOptions::new().persist(true))), EINVAL);
}

fn names_are_listed_changed_and_removed() {
    let name = name("lock");
    let mutex = Mutex::open_with(&name, OpenOptions::new().create(true).own_page(true)).unwrap();
    let found = || gosync::list().unwrap().into_iter().find(|info| info.name == name.as_bytes());
    let info = found().unwrap();
    assert_eq!((info.id, info.object_type), (mutex.info().unwrap().id, 9));
    gosync::set_permissions(&name, 0o666).unwrap();
    gosync::chown(&name, Some(1001), None).unwrap();
    let info = mutex.info().unwrap();
    assert_eq!((info.mode, info.uid, info.gid), (0o666, 1001, 0));
    assert_eq!(errno(gosync::unlink_unused(&name)), EBUSY);
    gosync::unlink(&name).unwrap();
    assert!(found().is_none());
    assert_eq!(errno(gosync::unlink(&name)), ENOENT);
    drop(mutex.lock().unwrap());
}

fn name_is_awaited() {
    let name = name("lock");
    assert_eq!(errno(gosync::await_name(&name, MOMENT)), 110); // ETIMEDOUT
    let peer = Peer::fork(|wire| {
        wire.say(1);
        let fd = gosync::await_name(&name, Deadline::NEVER).unwrap();
        drop(Mutex::from_fd(fd).unwrap().lock().unwrap());
    });
    peer.hear();
    let _mutex = Mutex::open(&name).unwrap();
    peer.join();
}

fn thousand_objects() {
    let name = name("lock");
    let all: Vec<_> = (0..1000).map(|i| Mutex::open(format!("{}.{}", name, i)).unwrap()).collect();
    let guards: Vec<_> = all.iter().map(|mutex| mutex.lock().unwrap()).collect();
    Peer::fork(|_| {
        for i in (0..1000).step_by(37) {
            let mutex = Mutex::open(format!("{}.{}", name, i)).unwrap();
            assert!(mutex.try_lock().is_err());
        }
    })
    .join();
    drop(guards);
    assert!(all.iter().all(|mutex| mutex.try_lock().is_ok()));
}

fn thousand_opens_and_closes_leak_nothing() {
    let name = name("x");
    let before = descriptors();
    for i in 0..1000 {
        drop(Mutex::open(&name).unwrap());
        drop(RwLock::open(&name).unwrap());
        if i % 10 == 0 {
            let semaphore = Semaphore::open(&name, 1).unwrap();
            let fd = semaphore.fd().unwrap().try_clone_to_owned().unwrap();
            drop(Semaphore::from_fd(fd).unwrap());
            drop(semaphore);
            let mutex = Mutex::open(&name).unwrap();
            let fd = mutex.fd().unwrap().try_clone_to_owned().unwrap();
            // It is no Cond, and the descriptor is closed all the same.
            assert_eq!(errno(Condvar::from_fd(fd)), EPROTOTYPE);
            drop(gosync::SharedMutex::anonymous(0u8).unwrap());
        }
    }
    // The library may keep one, of the device.
    assert!(descriptors() <= before + 1, "{} and {}", before, descriptors());
}

fn descriptor_is_handed_to_what_is_executed() {
    let mutex = Mutex::anonymous().unwrap();
    let fd = keep_over_exec(&mutex.fd().unwrap());
    let guard = mutex.lock().unwrap();
    let mut child = Command::new("/proc/self/exe");
    child.args(["--role", "lock", &fd.to_string()]).arg0("binding_rust");
    let mut child = child.spawn().unwrap();
    eventually("it waits", || mutex.info().unwrap().waiters == 1);
    drop(guard);
    assert!(child.wait().unwrap().success());
    assert!(matches!(mutex.lock(), Err(LockError::Poisoned(_))), "it ended with the lock");
}

/// What this program is when it is executed by a test
pub fn role(role: &str, args: &[String]) -> ExitCode {
    assert_eq!(role, "lock");
    let fd = args[0].parse().unwrap();
    // SAFETY: the parent has left it to us.
    let mutex = Mutex::from_fd(unsafe { OwnedFd::from_raw_fd(fd) }).unwrap();
    std::mem::forget(mutex.lock().unwrap());
    std::mem::forget(mutex);
    ExitCode::SUCCESS
}

fn many_processes_and_threads() {
    let (lock, sum) = (name("lock"), name("sum"));
    let (_mutex, total) = (Mutex::open(&lock).unwrap(), AtomicI64::open(&sum).unwrap());
    let peers: Vec<_> = (0..3)
        .map(|_| {
            Peer::fork(|_| {
                let (mutex, sum) = (Mutex::open(&lock).unwrap(), AtomicI64::open(&sum).unwrap());
                std::thread::scope(|scope| {
                    for _ in 0..5 {
                        scope.spawn(|| {
                            for _ in 0..200 {
                                let _guard = mutex.lock().unwrap();
                                sum.store(sum.load().unwrap() + 1).unwrap();
                            }
                        });
                    }
                });
            })
        })
        .collect();
    peers.into_iter().for_each(Peer::join);
    assert_eq!(total.load().unwrap(), 3000);
}

/// Run an example, and get what it says.
fn example(args: &[&str]) -> String {
    let me = std::fs::read_link("/proc/self/exe").unwrap();
    let examples = me.parent().unwrap().parent().unwrap().join("rust/examples");
    let output = Command::new(examples.join(args[0])).args(&args[1..]).output();
    let output = output.expect("an example");
    assert!(output.status.success(), "{}: {:?}", args[0], output);
    String::from_utf8(output.stdout).unwrap()
}

fn examples_run() {
    assert_eq!(example(&["visits"]), "this is visit 1\n");
    assert_eq!(example(&["visits"]), "this is visit 2\n");
    assert_eq!(example(&["hello"]), "this is visit 1\n");
    assert_eq!(example(&["bank"]), "4 tellers, 1 of them died, and the sum is 1000\n");
    assert_eq!(example(&["queue"]), "all of 100 numbers came, the sum is 4950\n");
    assert_eq!(example(&["stock"]), "3 apples\n2 pears\n");
}
