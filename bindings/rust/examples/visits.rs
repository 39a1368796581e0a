// SPDX-License-Identifier: LGPL-2.1-or-later
use gosync::SharedMutex;

fn main() -> gosync::Result<()> {
    let visits = SharedMutex::open("visits", "/dev/shm/visits", 0u64)?;
    let mut guard = visits.lock()?;
    *guard += 1;
    println!("this is visit {}", *guard);
    Ok(())
}
