// SPDX-License-Identifier: LGPL-2.1-or-later
//! The tests, as TAP. Each runs in a process of its own, which is killed if it takes
//! too long. With arguments only those of these names are run.
//!
//! A test may fork, so it has one thread; std's own harness has more.

mod bytes;
mod kit;
mod locks;
mod others;
mod shared;

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

type Test = (&'static str, fn());

/// `tests![module: function, ...]`
#[macro_export]
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        pub const TESTS: &[(&str, fn())] = &[$((stringify!($name), $name)),+];
    };
}

/// A test that takes longer hangs.
const PATIENCE: u32 = 240;

fn run(test: &Test) -> bool {
    let output = Command::new("/proc/self/exe").args(["--one", test.0]).output();
    let output = output.expect("to run myself");
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        println!("# {}", line);
    }
    if let Some(signal) = output.status.signal() {
        println!("# it was killed by signal {}", signal);
    }
    output.status.success()
}

fn main() -> ExitCode {
    let all: Vec<&Test> =
        [locks::TESTS, shared::TESTS, bytes::TESTS, others::TESTS].into_iter().flatten().collect();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.len() >= 2 && args[0] == "--role" {
        return others::role(&args[1], &args[2..]);
    }
    if args.len() == 2 && args[0] == "--one" {
        let test = all.iter().find(|test| test.0 == args[1]).expect("a test");
        // SAFETY: it ends this process, later.
        unsafe { kit::c::alarm(PATIENCE) };
        (test.1)();
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<_> = all
        .iter()
        .filter(|test| args.is_empty() || args.iter().any(|name| name == test.0))
        .collect();
    println!("TAP version 13\n1..{}", wanted.len());
    let mut failed = wanted.is_empty();
    for (i, test) in wanted.iter().enumerate() {
        let ok = run(test);
        println!("{} {} {}", if ok { "ok" } else { "not ok" }, i + 1, test.0);
        failed |= !ok;
    }
    ExitCode::from(u8::from(failed))
}
