// SPDX-License-Identifier: LGPL-2.1-or-later
//! Run this several times at once: one at a time says hello. Kill one meanwhile.

use gosync::{LockError, SharedMutex};

fn main() -> gosync::Result<()> {
    let visits = SharedMutex::open("rust.hello", "/dev/shm/rust.hello", 0u64)?;
    let mut guard = match visits.lock() {
        Err(LockError::Poisoned(poisoned)) => {
            println!("the one before me died in here");
            visits.clear_poison()?;
            poisoned.into_inner()
        }
        guard => guard?,
    };
    *guard += 1;
    println!("this is visit {}", *guard);
    std::thread::sleep(std::time::Duration::from_secs(1));
    Ok(())
}
