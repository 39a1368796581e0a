// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0382]: who waits has not got the guard meanwhile

fn main() {
    let mutex = gosync::Mutex::anonymous().unwrap();
    let cond = gosync::Condvar::anonymous().unwrap();
    let guard = mutex.lock().unwrap();
    let _ = cond.wait(guard);
    drop(guard); //~
}
