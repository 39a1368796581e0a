// SPDX-License-Identifier: LGPL-2.1-or-later
//! A queue between two processes: a ring in shared memory, and two Condvars.

use std::process::Command;

use gosync::{Condvar, Shareable, SharedMutex};

const ROOM: usize = 8;

#[derive(Clone, Copy)]
#[repr(C)]
struct Ring {
    numbers: [u64; ROOM],
    put: u64,
    taken: u64,
}

// SAFETY: repr(C), and all is made of 64-bit numbers, so there is no padding.
unsafe impl Shareable for Ring {
    const NAME: &'static str = "example.ring.1";
}

struct Queue {
    ring: SharedMutex<Ring>,
    not_full: Condvar,
    not_empty: Condvar,
}

impl Queue {
    fn open() -> gosync::Result<Queue> {
        let init = Ring { numbers: [0; ROOM], put: 0, taken: 0 };
        Ok(Queue {
            ring: SharedMutex::open("rust.queue", "/dev/shm/rust.queue", init)?,
            not_full: Condvar::open("rust.queue.not_full")?,
            not_empty: Condvar::open("rust.queue.not_empty")?,
        })
    }

    fn put(&self, number: u64) -> gosync::Result<()> {
        let full = |ring: &mut Ring| ring.put - ring.taken >= ROOM as u64;
        let mut ring = self.not_full.wait_while(self.ring.lock()?, full)?;
        let place = (ring.put % ROOM as u64) as usize;
        ring.numbers[place] = number;
        ring.put += 1;
        drop(ring);
        self.not_empty.notify_one()
    }

    fn take(&self) -> gosync::Result<u64> {
        let empty = |ring: &mut Ring| ring.put == ring.taken;
        let mut ring = self.not_empty.wait_while(self.ring.lock()?, empty)?;
        let place = (ring.taken % ROOM as u64) as usize;
        let number = ring.numbers[place];
        ring.taken += 1;
        drop(ring);
        self.not_full.notify_one()?;
        Ok(number)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let queue = Queue::open()?;
    if std::env::args().nth(1).is_some() {
        for number in 0..100 {
            queue.put(number)?;
        }
        return Ok(());
    }
    let mut child = Command::new("/proc/self/exe").arg("put").spawn()?;
    let mut sum = 0;
    for _ in 0..100 {
        sum += queue.take()?;
    }
    child.wait()?;
    println!("all of 100 numbers came, the sum is {sum}");
    std::fs::remove_file("/dev/shm/rust.queue")?;
    Ok(())
}
