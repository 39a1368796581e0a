// SPDX-License-Identifier: LGPL-2.1-or-later
//! The C library's functions and structures, as its headers have them.
//!
//! `declarations.sh` compares each line of this file with the headers: it makes C
//! of it, which a C compiler accepts only if it agrees. So a function stands on
//! one line, or ends with a line that has its `;`.
//!
//! The fields of a handle are atomic here: in a copy of the process the library
//! fills them in anew while other threads of that copy may look.

#![allow(non_camel_case_types)]

use std::os::raw::{c_char, c_int, c_long, c_uint, c_void};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};

pub const GOSYNC_ABI_VERSION: c_uint = 2;
pub const GOSYNC_NAME_MAX: usize = 255;
pub const GOSYNC_FOREVER: u64 = u64::MAX;

pub const GOSYNC_INT32: u32 = 1;
pub const GOSYNC_UINT32: u32 = 2;
pub const GOSYNC_INT64: u32 = 3;
pub const GOSYNC_UINT64: u32 = 4;
pub const GOSYNC_UINTPTR: u32 = 5;
pub const GOSYNC_POINTER: u32 = 6;
pub const GOSYNC_BOOL: u32 = 7;
pub const GOSYNC_VALUE: u32 = 8;
pub const GOSYNC_MUTEX: u32 = 9;
pub const GOSYNC_RWMUTEX: u32 = 10;
pub const GOSYNC_WAITGROUP: u32 = 11;
pub const GOSYNC_ONCE: u32 = 12;
pub const GOSYNC_COND: u32 = 13;
pub const GOSYNC_SEMAPHORE: u32 = 14;
pub const GOSYNC_MAP: u32 = 15;

pub const GOSYNC_CREATE: c_uint = 1 << 0;
pub const GOSYNC_EXCL: c_uint = 1 << 1;
pub const GOSYNC_RDONLY: c_uint = 1 << 2;
pub const GOSYNC_PERSIST: c_uint = 1 << 3;
pub const GOSYNC_OWN_PAGE: c_uint = 1 << 4;
pub const GOSYNC_NO_MMAP: c_uint = 1 << 5;
pub const GOSYNC_ERRORCHECK: c_uint = 1 << 6;
pub const GOSYNC_GIVE_BACK: c_uint = 1 << 7;
pub const GOSYNC_BROKEN: c_uint = 1 << 8;
pub const GOSYNC_IOCTL_ONLY: c_uint = 1 << 31;
pub const GOSYNC_CLOCK_REALTIME: c_uint = 1 << 0;
pub const GOSYNC_READ_SIDE: c_uint = 1 << 1;

pub const GOSYNC_IOC_OPEN: c_uint = 0x6780;
pub const GOSYNC_IOC_UNLINK: c_uint = 0x6781;
pub const GOSYNC_IOC_LIST: c_uint = 0x6782;
pub const GOSYNC_IOC_REOPEN: c_uint = 0x6784;
pub const GOSYNC_IOC_INFO: c_uint = 0x6785;
pub const GOSYNC_IOC_WAITERS: c_uint = 0x6787;
pub const GOSYNC_IOC_HOLDERS: c_uint = 0x6788;
pub const GOSYNC_IOC_WATCH: c_uint = 0x6789;
pub const GOSYNC_IOC_WAIT: c_uint = 0x678a;
pub const GOSYNC_IOC_CHANGE: c_uint = 0x678c;
pub const GOSYNC_IOC_BREAK: c_uint = 0x678d;
pub const GOSYNC_IOC_ABANDON: c_uint = 0x678f;
pub const GOSYNC_IOC_ATOMIC_LOAD: c_uint = 0x6790;
pub const GOSYNC_IOC_ATOMIC_STORE: c_uint = 0x6791;
pub const GOSYNC_IOC_ATOMIC_SWAP: c_uint = 0x6792;
pub const GOSYNC_IOC_ATOMIC_ADD: c_uint = 0x6793;
pub const GOSYNC_IOC_ATOMIC_CAS: c_uint = 0x6794;
pub const GOSYNC_IOC_ATOMIC_AND: c_uint = 0x6795;
pub const GOSYNC_IOC_ATOMIC_OR: c_uint = 0x6796;
pub const GOSYNC_IOC_ATOMIC_WAIT: c_uint = 0x6797;
pub const GOSYNC_IOC_ATOMIC_WAKE: c_uint = 0x6798;
pub const GOSYNC_IOC_VALUE_LOAD: c_uint = 0x67a0;
pub const GOSYNC_IOC_VALUE_STORE: c_uint = 0x67a1;
pub const GOSYNC_IOC_VALUE_SWAP: c_uint = 0x67a2;
pub const GOSYNC_IOC_VALUE_CAS: c_uint = 0x67a3;
pub const GOSYNC_IOC_VALUE_WAIT: c_uint = 0x67a4;
pub const GOSYNC_IOC_MUTEX_LOCK: c_uint = 0x67a8;
pub const GOSYNC_IOC_MUTEX_UNLOCK: c_uint = 0x67aa;
pub const GOSYNC_IOC_MUTEX_RECOVER: c_uint = 0x67ab;
pub const GOSYNC_IOC_RWMUTEX_LOCK: c_uint = 0x67b0;
pub const GOSYNC_IOC_RWMUTEX_UNLOCK: c_uint = 0x67b2;
pub const GOSYNC_IOC_RWMUTEX_RECOVER: c_uint = 0x67b3;
pub const GOSYNC_IOC_RWMUTEX_RLOCK: c_uint = 0x67b5;
pub const GOSYNC_IOC_RWMUTEX_RUNLOCK: c_uint = 0x67b7;
pub const GOSYNC_IOC_WAITGROUP_ADD: c_uint = 0x67c0;
pub const GOSYNC_IOC_WAITGROUP_WAIT: c_uint = 0x67c1;
pub const GOSYNC_IOC_ONCE_BEGIN: c_uint = 0x67c4;
pub const GOSYNC_IOC_ONCE_DONE: c_uint = 0x67c5;
pub const GOSYNC_IOC_ONCE_WAIT: c_uint = 0x67c6;
pub const GOSYNC_IOC_ONCE_ABANDON: c_uint = 0x67c7;
pub const GOSYNC_IOC_COND_WAIT: c_uint = 0x67c8;
pub const GOSYNC_IOC_COND_SIGNAL: c_uint = 0x67c9;
pub const GOSYNC_IOC_COND_BROADCAST: c_uint = 0x67ca;
pub const GOSYNC_IOC_SEMAPHORE_ACQUIRE: c_uint = 0x67d0;
pub const GOSYNC_IOC_SEMAPHORE_RELEASE: c_uint = 0x67d2;
pub const GOSYNC_IOC_SEMAPHORE_LIMIT: c_uint = 0x67d3;
pub const GOSYNC_IOC_MAP_LOAD: c_uint = 0x67d8;
pub const GOSYNC_IOC_MAP_STORE: c_uint = 0x67d9;
pub const GOSYNC_IOC_MAP_LOAD_OR_STORE: c_uint = 0x67da;
pub const GOSYNC_IOC_MAP_LOAD_AND_DELETE: c_uint = 0x67db;
pub const GOSYNC_IOC_MAP_DELETE: c_uint = 0x67dc;
pub const GOSYNC_IOC_MAP_SWAP: c_uint = 0x67dd;
pub const GOSYNC_IOC_MAP_CAS: c_uint = 0x67de;
pub const GOSYNC_IOC_MAP_COMPARE_AND_DELETE: c_uint = 0x67df;
pub const GOSYNC_IOC_MAP_RANGE: c_uint = 0x67e0;
pub const GOSYNC_IOC_MAP_CLEAR: c_uint = 0x67e1;
pub const GOSYNC_IOC_MAP_WAIT: c_uint = 0x67e2;
pub const GOSYNC_IOC_MAP_STORE_MANY: c_uint = 0x67e3;

pub const GOSYNC_PARTY_OWNS: u32 = 1 << 0;
pub const GOSYNC_WAITERS_LISTED: usize = 1024;
pub const GOSYNC_WAIT_MAX: usize = 64;
pub const GOSYNC_MAP_STORE_MAX: usize = 64;

pub const GOSYNC_MUTEX_LOCKED: u64 = 1 << 0;
pub const GOSYNC_MUTEX_STARVING: u64 = 1 << 2;
pub const GOSYNC_MUTEX_POISONED: u64 = 1 << 3;
pub const GOSYNC_WAITGROUP_COUNTER: u64 = 0x7fff_ffff;
pub const GOSYNC_ONCE_IS_DONE: u64 = 1 << 0;
pub const GOSYNC_ONCE_DONE: c_int = 0;
pub const GOSYNC_ONCE_RUN: c_int = 1;
pub const GOSYNC_ONCE_RUN_AGAIN: c_int = 2;
pub const GOSYNC_SEMAPHORE_PERMITS: u64 = 0x7fff_ffff;

pub const GOSYNC__STAND_IN: usize = 65536;

/// The words of a Mutex that processes share
#[repr(C)]
pub struct gosync_mutex_slot {
    pub word: AtomicU64,
    pub token: AtomicU64,
}

/// The words of an RWMutex that processes share
#[repr(C)]
pub struct gosync_rwmutex_slot {
    pub word: AtomicU64,
    pub token: AtomicU64,
    pub lines: AtomicU64,
    pub draining: AtomicU32,
    pub extra: AtomicU32,
    pub __reserved: [AtomicU32; 8],
}

#[repr(C)]
pub struct gosync_mutex {
    pub at: AtomicUsize,
    pub locked: AtomicU64,
}

#[repr(C)]
pub struct gosync_rwmutex {
    pub slot: AtomicPtr<gosync_rwmutex_slot>,
    pub reads: AtomicPtr<AtomicU32>,
    pub locked: AtomicU64,
}

#[repr(C)]
pub struct gosync_waitgroup {
    pub at: AtomicUsize,
}

#[repr(C)]
pub struct gosync_once {
    pub at: AtomicUsize,
}

#[repr(C)]
pub struct gosync_semaphore {
    pub at: AtomicUsize,
}

#[repr(C)]
pub struct gosync_words {
    pub words: AtomicPtr<c_void>,
    pub readable: AtomicU64,
    pub writable: AtomicU64,
    pub slot: AtomicPtr<c_void>,
}

/// Nothing is known of these handles here.
#[repr(C)]
pub struct gosync_cond_t {
    _private: [u8; 0],
}

#[repr(C)]
pub struct gosync_value_t {
    _private: [u8; 0],
}

#[repr(C)]
pub struct gosync_map_t {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gosync_info {
    pub size: u32,
    pub type_: u32,
    pub id: u64,
    pub flags: u32,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub holder: u32,
    pub holders: u32,
    pub waiters: u32,
    pub owner: u32,
    pub owner_pid: u32,
    pub name_len: u32,
    pub word: u64,
    pub token: u64,
    pub capacity: u64,
    pub map_len: u64,
    pub map_offset: u32,
    pub map_data: u32,
    pub contended: u64,
    pub wait_max_ns: u64,
    pub deaths: u32,
    pub readers: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub name: [u8; GOSYNC_NAME_MAX + 1],
    pub abi: u32,
    pub owed: u32,
    pub idle_ns: u64,
    pub map_id: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gosync_stat {
    pub size: u32,
    pub starvations: u32,
    pub contended: u64,
    pub acquired: u64,
    pub handed_over: u64,
    pub gave_up: u64,
    pub wait_ns: u64,
    pub wait_max_ns: u64,
    pub deaths: u64,
    pub histogram: [u64; 32],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct gosync_party {
    pub holder: u32,
    pub pid: u32,
    pub tid: u32,
    pub flags: u32,
    pub position: u32,
    pub wants: u32,
    pub count: u32,
    pub __reserved: u32,
    pub wait: u64,
    pub ns: u64,
    pub comm: [u8; 16],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gosync_wait_entry {
    pub fd: i32,
    pub op: u32,
    pub index: u32,
    pub result: i32,
    pub value: u64,
}

#[repr(C)]
pub struct gosync_map_limits {
    pub entries: c_uint,
    pub key_size: c_uint,
    pub value_size: c_uint,
}

#[repr(C)]
pub struct gosync_map_pair {
    pub key: *const c_void,
    pub key_len: usize,
    pub buf: *const c_void,
    pub len: usize,
}

pub type list_fn = unsafe extern "C" fn(info: *const gosync_info, arg: *mut c_void) -> c_int;
pub type holders_fn = unsafe extern "C" fn(holder: *const gosync_party, arg: *mut c_void) -> c_int;
pub type range_fn = unsafe extern "C" fn(
    key: *const c_void,
    key_len: usize,
    value: *const c_void,
    len: usize,
    arg: *mut c_void,
) -> c_int;

#[rustfmt::skip]
#[link(name = "gosync-user")]
extern "C" {
    pub fn gosync_close(object: *mut c_void);
    pub fn gosync_fd(object: *const c_void) -> c_int;
    pub fn gosync_watch(object: *const c_void, index: usize, value: u64) -> c_int;
    pub fn gosync_unwatch(object: *const c_void) -> c_int;
    pub fn gosync_is_mapped(object: *const c_void) -> c_int;
    pub fn gosync_info_sized(object: *const c_void, info: *mut gosync_info, size: usize) -> c_int;
    pub fn gosync_stat_sized(object: *const c_void, stat: *mut gosync_stat, size: usize) -> c_int;
    pub fn gosync_waiters_sized(object: *const c_void, parties: *mut gosync_party, count: c_uint, size: usize) -> c_int;
    pub fn gosync_holders_sized(object: *const c_void, f: holders_fn, arg: *mut c_void, size: usize) -> c_int;
    pub fn gosync_list_sized(f: list_fn, arg: *mut c_void, size: usize) -> c_int;
    pub fn gosync_break(object: *const c_void, holder: u32) -> c_int;
    pub fn gosync_unlink(name: *const c_char) -> c_int;
    pub fn gosync_unlink_unused(name: *const c_char) -> c_int;
    pub fn gosync_chmod(name: *const c_char, mode: c_uint) -> c_int;
    pub fn gosync_chown(name: *const c_char, uid: c_uint, gid: c_uint) -> c_int;
    pub fn gosync_deadline(ns: u64) -> u64;
    pub fn gosync_strerror_abi(abi: c_uint, op: c_uint, err: c_int) -> *const c_char;

    pub fn gosync_mutex_open_abi(abi: c_uint, name: *const c_char, flags: c_uint, mode: c_uint, handle: *mut *mut gosync_mutex) -> c_int;
    pub fn gosync_mutex_from_fd_abi(abi: c_uint, fd: c_int, flags: c_uint, handle: *mut *mut gosync_mutex) -> c_int;
    pub fn gosync_mutex_lock_slow(mutex: *mut gosync_mutex) -> c_int;
    pub fn gosync_mutex_trylock(mutex: *mut gosync_mutex) -> c_int;
    pub fn gosync_mutex_lock_until(mutex: *mut gosync_mutex, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_mutex_unlock_slow(mutex: *mut gosync_mutex) -> c_int;
    pub fn gosync_mutex_recover(mutex: *mut gosync_mutex) -> c_int;
    pub fn gosync_mutex_token(mutex: *mut gosync_mutex, token: *mut u64) -> c_int;

    pub fn gosync_rwmutex_open_abi(abi: c_uint, name: *const c_char, flags: c_uint, mode: c_uint, handle: *mut *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_from_fd_abi(abi: c_uint, fd: c_int, flags: c_uint, handle: *mut *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_lock(rwmutex: *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_trylock(rwmutex: *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_lock_until(rwmutex: *mut gosync_rwmutex, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_rwmutex_unlock(rwmutex: *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_tryrlock(rwmutex: *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_rlock_until(rwmutex: *mut gosync_rwmutex, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_rwmutex_rlock_slow(rwmutex: *mut gosync_rwmutex, counted: c_int) -> c_int;
    pub fn gosync_rwmutex_runlock_slow(rwmutex: *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_tell(rwmutex: *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_recover(rwmutex: *mut gosync_rwmutex) -> c_int;
    pub fn gosync_rwmutex_token(rwmutex: *mut gosync_rwmutex, token: *mut u64) -> c_int;

    pub fn gosync_waitgroup_open_abi(abi: c_uint, name: *const c_char, flags: c_uint, mode: c_uint, handle: *mut *mut gosync_waitgroup) -> c_int;
    pub fn gosync_waitgroup_from_fd_abi(abi: c_uint, fd: c_int, flags: c_uint, handle: *mut *mut gosync_waitgroup) -> c_int;
    pub fn gosync_waitgroup_add_slow(wg: *mut gosync_waitgroup, delta: c_int) -> c_int;
    pub fn gosync_waitgroup_wait(wg: *mut gosync_waitgroup) -> c_int;
    pub fn gosync_waitgroup_wait_until(wg: *mut gosync_waitgroup, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_waitgroup_count(wg: *mut gosync_waitgroup) -> c_int;

    pub fn gosync_once_open_abi(abi: c_uint, name: *const c_char, flags: c_uint, mode: c_uint, handle: *mut *mut gosync_once) -> c_int;
    pub fn gosync_once_from_fd_abi(abi: c_uint, fd: c_int, flags: c_uint, handle: *mut *mut gosync_once) -> c_int;
    pub fn gosync_once_begin_until(once: *mut gosync_once, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_once_done(once: *mut gosync_once) -> c_int;
    pub fn gosync_once_abandon(once: *mut gosync_once) -> c_int;
    pub fn gosync_once_is_done(once: *mut gosync_once) -> c_int;
    pub fn gosync_once_wait_until(once: *mut gosync_once, deadline: u64, flags: c_uint) -> c_int;

    pub fn gosync_cond_open_abi(abi: c_uint, name: *const c_char, flags: c_uint, mode: c_uint, handle: *mut *mut gosync_cond_t) -> c_int;
    pub fn gosync_cond_from_fd_abi(abi: c_uint, fd: c_int, flags: c_uint, handle: *mut *mut gosync_cond_t) -> c_int;
    pub fn gosync_cond_wait_until(cond: *mut gosync_cond_t, lock: *const c_void, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_cond_signal(cond: *mut gosync_cond_t) -> c_int;
    pub fn gosync_cond_broadcast(cond: *mut gosync_cond_t) -> c_int;

    pub fn gosync_semaphore_open_abi(abi: c_uint, name: *const c_char, permits: c_uint, flags: c_uint, mode: c_uint, semaphore: *mut *mut gosync_semaphore) -> c_int;
    pub fn gosync_semaphore_from_fd_abi(abi: c_uint, fd: c_int, flags: c_uint, handle: *mut *mut gosync_semaphore) -> c_int;
    pub fn gosync_semaphore_acquire_slow(semaphore: *mut gosync_semaphore, n: c_uint) -> c_int;
    pub fn gosync_semaphore_tryacquire(semaphore: *mut gosync_semaphore, n: c_uint) -> c_int;
    pub fn gosync_semaphore_acquire_until(semaphore: *mut gosync_semaphore, n: c_uint, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_semaphore_release_slow(semaphore: *mut gosync_semaphore, n: c_uint) -> c_int;
    pub fn gosync_semaphore_set_limit(semaphore: *mut gosync_semaphore, limit: c_uint) -> c_int;
    pub fn gosync_semaphore_count(semaphore: *mut gosync_semaphore) -> c_int;

    pub fn gosync_value_open_abi(abi: c_uint, name: *const c_char, capacity: usize, flags: c_uint, mode: c_uint, value: *mut *mut gosync_value_t) -> c_int;
    pub fn gosync_value_from_fd_abi(abi: c_uint, fd: c_int, flags: c_uint, handle: *mut *mut gosync_value_t) -> c_int;
    pub fn gosync_type_id(name: *const c_char, size: usize) -> u64;
    pub fn gosync_value_load(value: *mut gosync_value_t, buf: *mut c_void, len: *mut usize, type_: *mut u64) -> c_int;
    pub fn gosync_value_version(value: *mut gosync_value_t, version: *mut u64) -> c_int;
    pub fn gosync_value_wait_until(value: *mut gosync_value_t, version: *mut u64, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_value_store(value: *mut gosync_value_t, type_: u64, buf: *const c_void, len: usize) -> c_int;
    pub fn gosync_value_swap(value: *mut gosync_value_t, type_: u64, buf: *const c_void, len: usize, old: *mut c_void, old_len: *mut usize) -> c_int;
    pub fn gosync_value_cas(value: *mut gosync_value_t, old_type: u64, old: *const c_void, old_len: usize, type_: u64, buf: *const c_void, len: usize) -> c_int;

    pub fn gosync_map_open_abi(abi: c_uint, name: *const c_char, limits: *const gosync_map_limits, size: usize, flags: c_uint, mode: c_uint, map: *mut *mut gosync_map_t) -> c_int;
    pub fn gosync_map_from_fd_abi(abi: c_uint, fd: c_int, flags: c_uint, handle: *mut *mut gosync_map_t) -> c_int;
    pub fn gosync_map_load(map: *mut gosync_map_t, key: *const c_void, key_len: usize, buf: *mut c_void, len: *mut usize) -> c_int;
    pub fn gosync_map_store(map: *mut gosync_map_t, key: *const c_void, key_len: usize, buf: *const c_void, len: usize) -> c_int;
    pub fn gosync_map_store_many(map: *mut gosync_map_t, pairs: *const gosync_map_pair, count: c_uint) -> c_int;
    pub fn gosync_map_load_or_store(map: *mut gosync_map_t, key: *const c_void, key_len: usize, buf: *const c_void, len: usize, old: *mut c_void, old_len: *mut usize) -> c_int;
    pub fn gosync_map_load_and_delete(map: *mut gosync_map_t, key: *const c_void, key_len: usize, old: *mut c_void, old_len: *mut usize) -> c_int;
    pub fn gosync_map_delete(map: *mut gosync_map_t, key: *const c_void, key_len: usize) -> c_int;
    pub fn gosync_map_swap(map: *mut gosync_map_t, key: *const c_void, key_len: usize, buf: *const c_void, len: usize, old: *mut c_void, old_len: *mut usize) -> c_int;
    pub fn gosync_map_cas(map: *mut gosync_map_t, key: *const c_void, key_len: usize, old: *const c_void, old_len: usize, buf: *const c_void, len: usize) -> c_int;
    pub fn gosync_map_compare_and_delete(map: *mut gosync_map_t, key: *const c_void, key_len: usize, old: *const c_void, old_len: usize) -> c_int;
    pub fn gosync_map_range(map: *mut gosync_map_t, f: range_fn, arg: *mut c_void) -> c_int;
    pub fn gosync_map_clear(map: *mut gosync_map_t) -> c_int;
    pub fn gosync_map_len(map: *mut gosync_map_t) -> c_long;
    pub fn gosync_map_wait_until(map: *mut gosync_map_t, version: *mut u64, deadline: u64, flags: c_uint) -> c_int;

    pub fn gosync_wait_any(entries: *mut gosync_wait_entry, count: c_uint, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_wait_all(entries: *mut gosync_wait_entry, count: c_uint, deadline: u64, flags: c_uint) -> c_int;
    pub fn gosync_await_name(name: *const c_char, type_: c_uint, deadline: u64, flags: c_uint) -> c_int;

    pub fn gosync_words_open(abi: c_uint, name: *const c_char, type_: c_uint, count: usize, flags: c_uint, mode: c_uint, words: *mut *mut gosync_words) -> c_int;
    pub fn gosync_words_from_fd(abi: c_uint, fd: c_int, type_: c_uint, flags: c_uint, words: *mut *mut gosync_words) -> c_int;
    pub fn gosync_words_ioctl(words: *mut gosync_words, op: c_uint, index: usize, value: u64, expected: u64, result: *mut u64) -> c_int;
    pub fn gosync_words_wait(words: *mut gosync_words, index: usize, expected: u64, deadline: u64, flags: c_uint, now: *mut u64) -> c_int;
    pub fn gosync_words_wake(words: *mut gosync_words, index: usize, count: c_uint) -> c_int;
}
