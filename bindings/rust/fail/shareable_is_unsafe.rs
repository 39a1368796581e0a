// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0200]: to say that any bytes are a value is a promise

#[derive(Clone, Copy)]
struct Mine(u8);

impl gosync::Shareable for Mine { //~
    const NAME: &'static str = "mine";
}

fn main() {}
