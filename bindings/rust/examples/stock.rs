// SPDX-License-Identifier: LGPL-2.1-or-later
//! A table that processes share, and a limit on how many work on it at once.

use gosync::{Map, Semaphore};

fn main() -> gosync::Result<()> {
    let stock = Map::<String, u32>::open("rust.stock")?;
    let desks = Semaphore::open("rust.stock.desks", 2)?;

    let desk = desks.acquire(1)?;
    for name in ["apples", "pears", "apples", "pears", "apples"] {
        stock.update(name, |n| Some(n.unwrap_or(0) + 1))?;
    }
    drop(desk);

    let mut all: Vec<_> = stock.iter()?.collect();
    all.sort();
    for (name, n) in all {
        println!("{n} {name}");
    }
    Ok(())
}
