// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0277]: the keys of a Map of Strings are no numbers

fn main() {
    let map = gosync::Map::<String, u32>::open("map").unwrap();
    let _ = map.get(&1u32); //~
}
