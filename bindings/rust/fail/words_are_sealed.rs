// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0277]: what a word is the kernel knows

#[derive(Clone, Copy)]
struct Mine(u64);

impl gosync::Word for Mine {} //~

fn main() {}
