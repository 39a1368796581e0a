// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0277]: nor is a pointer

#[derive(Clone, Copy)]
struct Mine(*mut u8);

unsafe impl gosync::Shareable for Mine { //~
    const NAME: &'static str = "mine";
}

fn main() {}
