// SPDX-License-Identifier: LGPL-2.1-or-later
//! Map, Value, atomic words

use std::collections::HashMap;

use gosync::{
    Atomic, AtomicBool, AtomicI32, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Codec, Encode,
    Map, MapLimits, Object, Opaque, OpenOptions, Value, Word,
};

use crate::kit::*;

crate::tests![
    map_has_what_a_map_has,
    map_of_bytes,
    map_update_loses_no_change,
    map_knows_its_limits,
    map_wait_sees_a_change,
    map_entry_that_means_nothing_is_an_error,
    panic_passes_through_a_walk,
    value_is_replaced_as_a_whole,
    value_of_another_type_is_refused,
    value_wait_sees_a_store,
    value_is_never_of_two_stores,
    atomics_do_what_stds_do,
    atomics_add_up_between_processes,
    atomic_wait_is_woken,
    atomic_misuse_is_told,
];

fn map_has_what_a_map_has() {
    let name = name("map");
    let map = Map::<String, u32>::open(&name).unwrap();
    assert!(map.is_empty().unwrap());
    assert_eq!(map.get("one").unwrap(), None);
    assert_eq!(map.insert("one", &1).unwrap(), None);
    assert_eq!(map.insert("one", &11).unwrap(), Some(1));
    map.store("two", &2).unwrap();
    assert_eq!(map.get_or_insert("two", &22).unwrap(), Some(2));
    assert_eq!(map.get_or_insert("three", &3).unwrap(), None);
    assert!(map.contains_key("three").unwrap());
    assert!(!map.compare_and_swap("three", &4, &5).unwrap());
    assert!(map.compare_and_swap("three", &3, &33).unwrap());
    assert!(!map.compare_and_swap("four", &3, &33).unwrap());
    assert!(!map.compare_and_remove("three", &3).unwrap());
    assert!(map.compare_and_remove("three", &33).unwrap());
    map.store_many(&[("five".into(), 5), ("six".into(), 6)]).unwrap();
    // Another process sees it all.
    Peer::fork(|_| {
        let map = Map::<String, u32>::open(&name).unwrap();
        let all: HashMap<_, _> = map.iter().unwrap().collect();
        assert_eq!(all.len(), 4);
        assert_eq!((all["one"], all["two"], all["five"], all["six"]), (11, 2, 5, 6));
        assert_eq!(map.remove("two").unwrap(), Some(2));
    })
    .join();
    assert_eq!(map.remove("two").unwrap(), None);
    assert_eq!(map.len().unwrap(), 3);
    map.clear().unwrap();
    assert!(map.is_empty().unwrap());
    assert_eq!(map.iter().unwrap().count(), 0);
}

fn map_of_bytes() {
    let map = Map::<Vec<u8>, Vec<u8>>::open(name("map")).unwrap();
    let (key, value) = ([0u8, 1, 255], [7u8; 200]);
    map.insert(&key[..], &value[..]).unwrap();
    assert_eq!(map.get(&key[..]).unwrap().unwrap(), value);
    map.insert(&key[..], &[][..]).unwrap();
    assert_eq!(map.get(&key[..]).unwrap().unwrap(), []);
    let words = Map::<u64, [i16; 3]>::open(name("map")).unwrap();
    words.insert(&7, &[-1, 0, 1]).unwrap();
    assert_eq!(words.get(&7).unwrap(), Some([-1, 0, 1]));
}

fn map_update_loses_no_change() {
    let name = name("map");
    let map = Map::<String, u64>::open(&name).unwrap();
    let peers: Vec<_> = (0..4)
        .map(|_| {
            Peer::fork(|_| {
                let map = Map::<String, u64>::open(&name).unwrap();
                for _ in 0..200 {
                    map.update("n", |n| Some(n.unwrap_or(0) + 1)).unwrap();
                }
            })
        })
        .collect();
    peers.into_iter().for_each(Peer::join);
    assert_eq!(map.get("n").unwrap(), Some(800));
    assert_eq!(map.update("n", |_| None).unwrap(), None);
    assert_eq!(map.update("n", |n| n).unwrap(), None);
    assert!(map.is_empty().unwrap());
}

fn map_knows_its_limits() {
    let name = name("map");
    let limits = MapLimits { entries: 2, key_size: 8, value_size: 1000 };
    let options = OpenOptions::new().create(true).clone();
    let map = Map::<String, Vec<u8>>::open_with(&name, limits, &options).unwrap();
    map.store("a", &vec![1; 1000]).unwrap();
    assert_eq!(map.get("a").unwrap().unwrap().len(), 1000);
    assert_eq!(errno(map.store("a", &vec![1; 1001])), EMSGSIZE);
    assert_eq!(errno(map.store("ninebytes", &vec![])), EINVAL);
    assert_eq!(errno(map.store("", &vec![])), EINVAL);
    map.store("b", &vec![]).unwrap();
    assert_eq!(errno(map.store("c", &vec![])), 28); // ENOSPC
    assert_eq!(errno(map.store_many(&[])), EINVAL);
    let other = MapLimits { entries: 3, ..limits };
    assert_eq!(errno(Map::<String, u8>::open_with(&name, other, &options)), EPROTOTYPE);
    let reader =
        Map::<String, Vec<u8>>::open_with(&name, limits, OpenOptions::new().read_only(true));
    let reader = reader.unwrap();
    assert_eq!(reader.get("a").unwrap().unwrap().len(), 1000);
    assert_eq!(errno(reader.clear()), EBADF);
    assert_eq!(errno(reader.remove("a")), EBADF);
}

fn map_wait_sees_a_change() {
    let name = name("map");
    let map = Map::<u32, u32>::open(&name).unwrap();
    let version = map.version().unwrap();
    assert_ne!(version, 0);
    assert_eq!(map.wait_until(version, MOMENT).unwrap(), None);
    let peer = Peer::fork(|_| {
        let map = Map::<u32, u32>::open(&name).unwrap();
        assert_ne!(map.wait(version).unwrap(), version);
        assert_eq!(map.get(&1).unwrap(), Some(2));
    });
    eventually("it waits", || map.info().unwrap().waiters == 1);
    map.store(&1, &2).unwrap();
    peer.join();
}

fn map_entry_that_means_nothing_is_an_error() {
    let name = name("map");
    let bytes = Map::<String, Vec<u8>>::open(&name).unwrap();
    let numbers = Map::<String, u32>::open(&name).unwrap();
    bytes.store("n", &vec![1, 2, 3]).unwrap();
    assert_eq!(errno(numbers.get("n")), EPROTOTYPE);
    assert_eq!(errno(numbers.iter()), EPROTOTYPE);
    assert_eq!(errno(numbers.update("n", |n| n)), EPROTOTYPE);
    assert_eq!(numbers.get("n").unwrap_err().to_string(), "what is stored is of another type");
    bytes.store("n", &vec![0xff]).unwrap();
    assert_eq!(errno(Map::<String, String>::open(&name).unwrap().get("n")), EPROTOTYPE);
}

struct Explosive;

impl Encode for Explosive {
    fn encode<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(b"!")
    }
}

impl Codec for Explosive {
    const NAME: &'static str = "explosive";

    fn decode(_: &[u8]) -> Option<Explosive> {
        panic()
    }
}

fn panic_passes_through_a_walk() {
    let map = Map::<u8, Explosive>::open(name("map")).unwrap();
    for i in 0..3 {
        map.store(&i, &Explosive).unwrap();
    }
    assert!(quietly(|| map.iter()).is_err());
    assert!(quietly(|| map.get(&0)).is_err());
    assert_eq!(map.len().unwrap(), 3);
}

fn value_is_replaced_as_a_whole() {
    let name = name("value");
    let value = Value::<String>::open(&name).unwrap();
    assert_eq!(value.load().unwrap(), None);
    assert!(!value.compare_and_swap(Some("a"), "b").unwrap());
    assert!(value.compare_and_swap(None, "a").unwrap());
    assert!(!value.compare_and_swap(None, "b").unwrap());
    assert!(value.compare_and_swap(Some("a"), "b").unwrap());
    assert_eq!(value.swap("c").unwrap().as_deref(), Some("b"));
    value.store(&"d".repeat(4096)).unwrap();
    assert_eq!(errno(value.store(&"d".repeat(4097))), EMSGSIZE);
    Peer::fork(|_| {
        let value = Value::<String>::open(&name).unwrap();
        assert_eq!(value.load().unwrap().unwrap().len(), 4096);
        value.store("").unwrap();
    })
    .join();
    assert_eq!(value.load().unwrap().as_deref(), Some(""));
    let number = Value::<i32>::open_with("", 0, OpenOptions::new().create(true)).unwrap();
    number.store(&-5).unwrap();
    assert_eq!(number.load().unwrap(), Some(-5));
    let ioctls = OpenOptions::new().create(true).no_mmap(true).clone();
    let number = Value::<i32>::open_with("", 0, &ioctls).unwrap();
    assert!(!number.is_mapped());
    assert_eq!(number.swap(&6).unwrap(), None);
    assert_eq!(number.load().unwrap(), Some(6));
}

fn value_of_another_type_is_refused() {
    let name = name("value");
    let any = OpenOptions::new().create(true).clone();
    let number = Value::<u32>::open_with(&name, 0, &any).unwrap();
    number.store(&1).unwrap();
    let text = Value::<String>::open_with(&name, 0, &any).unwrap();
    assert_eq!(errno(text.load()), EPROTOTYPE);
    let error = text.store("1").unwrap_err();
    assert_eq!(error.to_string(), "sync/atomic: store of inconsistently typed value into Value");
    let reader = Value::<u32>::open_with(&name, 0, OpenOptions::new().read_only(true)).unwrap();
    assert_eq!(reader.load().unwrap(), Some(1));
    assert_eq!(errno(reader.store(&2)), EBADF);
}

fn value_wait_sees_a_store() {
    let name = name("value");
    let value = Value::<u8>::open(&name).unwrap();
    assert_eq!(value.version().unwrap(), 0);
    assert_eq!(value.wait_until(0, MOMENT).unwrap(), None);
    let peer = Peer::fork(|_| {
        let value = Value::<u8>::open(&name).unwrap();
        assert_eq!(value.wait(0).unwrap(), 1);
        assert_eq!(value.load().unwrap(), Some(9));
    });
    eventually("it waits", || value.info().unwrap().waiters == 1);
    value.store(&9).unwrap();
    peer.join();
    assert_eq!(value.wait_until(0, LONG).unwrap(), Some(1));
}

fn value_is_never_of_two_stores() {
    let name = name("value");
    let value = Value::<[u64; 40]>::open(&name).unwrap();
    value.store(&[0; 40]).unwrap();
    let mut peer = Peer::fork(|wire| {
        let value = Value::<[u64; 40]>::open(&name).unwrap();
        wire.say(1);
        for i in 1.. {
            value.store(&[i; 40]).unwrap();
        }
    });
    peer.hear();
    let mut seen = 0;
    eventually("it changes", || {
        for _ in 0..200 {
            let now = value.load().unwrap().unwrap();
            assert_eq!(now, [now[0]; 40]);
            assert!(now[0] >= seen);
            seen = now[0];
        }
        seen > 100
    });
    peer.kill();
}

/// With mapped words, and by ioctls
fn each<T: Word>(f: impl Fn(&Atomic<T>)) {
    let create = OpenOptions::new().create(true).clone();
    f(&Atomic::open_with("", 3, &create).unwrap());
    let array = Atomic::open_with("", 3, create.clone().ioctl_only(true)).unwrap();
    assert!(!array.is_mapped());
    f(&array);
    f(&Atomic::open_with("", 3, create.clone().no_mmap(true)).unwrap());
}

macro_rules! integers {
    ($($type:ty),+) => {
        $(
            each::<$type>(|a| {
                let word = a.word(2);
                assert_eq!(word.load().unwrap(), 0);
                assert_eq!(word.fetch_sub(1).unwrap(), 0);
                let least = (0 as $type).wrapping_sub(1);
                assert_eq!(word.load().unwrap(), least);
                assert_eq!(word.fetch_add(3).unwrap(), least);
                assert_eq!(word.swap(<$type>::MAX).unwrap(), 2);
                assert_eq!(word.fetch_add(1).unwrap(), <$type>::MAX);
                assert_eq!(word.load().unwrap(), <$type>::MIN);
                word.store(12).unwrap();
                assert_eq!(word.fetch_and(10).unwrap(), 12);
                assert_eq!(word.fetch_or(3).unwrap(), 8);
                assert_eq!(word.compare_exchange(8, 1).unwrap(), Err(11));
                assert_eq!(word.compare_exchange(11, least).unwrap(), Ok(11));
                assert_eq!(word.compare_exchange(least, 5).unwrap(), Ok(least));
                assert_eq!(word.wait(4).unwrap(), 5);
                assert_eq!(word.wait_until(5, MOMENT).unwrap(), None);
                assert_eq!(word.wake(1).unwrap(), 0);
                // The others are as they were.
                assert_eq!((a.load().unwrap(), a.word(1).load().unwrap()), (0, 0));
                a.store(1).unwrap();
                assert_eq!(a.fetch_or(2).unwrap(), 1);
                assert_eq!(a.word(0).load().unwrap(), 3);
            });
        )+
    };
}

fn atomics_do_what_stds_do() {
    integers!(i32, u32, i64, u64, usize);
    each::<bool>(|a| {
        assert!(!a.load().unwrap());
        assert!(!a.swap(true).unwrap());
        assert_eq!(a.compare_exchange(false, true).unwrap(), Err(true));
        assert_eq!(a.compare_exchange(true, false).unwrap(), Ok(true));
        assert!(a.wait_until(false, MOMENT).unwrap().is_none());
    });
    each::<Opaque>(|a| {
        assert_eq!(a.swap(Opaque(u64::MAX)).unwrap(), Opaque(0));
        assert_eq!(a.load().unwrap(), Opaque(u64::MAX));
        assert_eq!(a.wait(Opaque(1)).unwrap(), Opaque(u64::MAX));
    });
    let _: (AtomicI32, AtomicU32, AtomicU64, AtomicUsize, AtomicBool) = (
        Atomic::open("").unwrap(),
        Atomic::open("").unwrap(),
        Atomic::open("").unwrap(),
        Atomic::open("").unwrap(),
        Atomic::open("").unwrap(),
    );
}

fn atomics_add_up_between_processes() {
    let name = name("words");
    let words = AtomicI64::open_array(&name, 2).unwrap();
    let peers: Vec<_> = (0..4)
        .map(|i| {
            Peer::fork(|_| {
                let options = OpenOptions::new().ioctl_only(i == 0).clone();
                let words = AtomicI64::open_with(&name, 0, &options).unwrap();
                for _ in 0..1000 {
                    words.word(1).fetch_add(1).unwrap();
                }
            })
        })
        .collect();
    peers.into_iter().for_each(Peer::join);
    assert_eq!(words.word(1).load().unwrap(), 4000);
    assert_eq!(words.count().unwrap(), 2);
}

fn atomic_wait_is_woken() {
    let name = name("word");
    let word = AtomicU32::open(&name).unwrap();
    let peer = Peer::fork(|_| {
        let word = AtomicU32::open(&name).unwrap();
        assert_eq!(word.wait(0).unwrap(), 1);
    });
    eventually("it waits", || word.info().unwrap().waiters == 1);
    word.store(1).unwrap();
    assert_eq!(word.wake(10).unwrap(), 1);
    peer.join();
}

fn atomic_misuse_is_told() {
    let name = name("word");
    let words = AtomicI32::open_array(&name, 3).unwrap();
    assert_eq!(errno(words.word(3).load()), EINVAL);
    assert_eq!(errno(words.word(usize::MAX).fetch_add(1)), EINVAL);
    assert_eq!(errno(words.word(3).wait(0)), EINVAL);
    let reader = AtomicI32::open_with(&name, 0, OpenOptions::new().read_only(true)).unwrap();
    assert_eq!(reader.load().unwrap(), 0);
    assert_eq!(errno(reader.store(1)), EBADF);
    assert_eq!(errno(reader.fetch_add(1)), EBADF);
    assert_eq!(errno(reader.compare_exchange(0, 1)), EBADF);
    assert_eq!(errno(AtomicU32::open(&name)), EPROTOTYPE);
    assert_eq!(errno(AtomicI32::open_array(&name, 4)), EPROTOTYPE);
}
