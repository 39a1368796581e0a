// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0277]: a Box is an address, too

struct Mine(Box<u8>);

unsafe impl gosync::Shareable for Mine { //~
    const NAME: &'static str = "mine";
}

fn main() {}
