// SPDX-License-Identifier: LGPL-2.1-or-later
//! Processes move money between accounts. One of them dies in the middle of it, and
//! the sum is right all the same.

use std::process::{Command, ExitStatus};

use gosync::{LockError, Shareable, SharedMutex};

const TELLERS: usize = 4;

#[derive(Clone, Copy)]
#[repr(C)]
struct Bank {
    accounts: [i64; 8],
    transfers: u64,
    deaths: u64,
}

// SAFETY: repr(C), and all is made of 64-bit numbers, so there is no padding.
unsafe impl Shareable for Bank {
    const NAME: &'static str = "example.bank.1";
}

fn open() -> gosync::Result<SharedMutex<Bank>> {
    let init = Bank { accounts: [125; 8], transfers: 0, deaths: 0 };
    SharedMutex::open("rust.bank", "/dev/shm/rust.bank", init)
}

/// Move 1000 times. The teller with the number 0 dies with money in its hands.
fn teller(number: usize) -> gosync::Result<()> {
    let bank = open()?;
    for i in 0..1000 {
        let mut guard = match bank.lock() {
            Err(LockError::Poisoned(poisoned)) => {
                // What the dead teller had in its hands is back: that is the value
                // as it was before. So there is nothing to put right.
                bank.clear_poison()?;
                let mut guard = poisoned.into_inner();
                guard.deaths += 1;
                guard
            }
            Err(LockError::Failed(error)) => return Err(error),
            Ok(guard) => guard,
        };
        let (from, to) = ((i + number) % 8, (i * 3 + number + 1) % 8);
        guard.accounts[from] -= 1;
        if number == 0 && i == 500 {
            std::process::abort();
        }
        guard.accounts[to] += 1;
        guard.transfers += 1;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(number) = std::env::args().nth(1) {
        return Ok(teller(number.parse()?)?);
    }
    let bank = open()?;
    let start = |i: usize| Command::new("/proc/self/exe").arg(i.to_string()).spawn();
    let tellers: Result<Vec<_>, _> = (0..TELLERS).map(start).collect();
    let ends: Result<Vec<ExitStatus>, _> = tellers?.iter_mut().map(|child| child.wait()).collect();
    let died = ends?.iter().filter(|status| !status.success()).count();
    let guard = bank.lock().or_else(LockError::into_inner)?;
    let sum: i64 = guard.accounts.iter().sum();
    println!("{TELLERS} tellers, {died} of them died, and the sum is {sum}");
    std::fs::remove_file("/dev/shm/rust.bank")?;
    Ok(())
}
