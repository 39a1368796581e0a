// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0505]: a Mutex stays where it is while it is locked

fn main() {
    let mutex = gosync::Mutex::anonymous().unwrap();
    let guard = mutex.lock().unwrap();
    drop(mutex); //~
    drop(guard);
}
