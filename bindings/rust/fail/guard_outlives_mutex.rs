// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0597]: a guard keeps its Mutex

fn main() {
    let guard;
    {
        let mutex = gosync::Mutex::anonymous().unwrap();
        guard = mutex.lock().unwrap(); //~
    }
    drop(guard);
}
