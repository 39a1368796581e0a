// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0599]: a bool is no Integer

fn main() {
    let word = gosync::AtomicBool::open("").unwrap();
    let _ = word.word(0).fetch_add(true); //~
}
