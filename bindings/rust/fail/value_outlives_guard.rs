// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0505]: a reference to the value does not outlive the guard

fn main() {
    let value = gosync::SharedMutex::anonymous(1u64).unwrap();
    let mut guard = value.lock().unwrap();
    let inner = &mut *guard;
    drop(guard); //~
    *inner += 1;
}
