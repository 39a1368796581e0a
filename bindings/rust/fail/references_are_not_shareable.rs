// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0277]: an address means nothing in another process

fn main() {
    let _ = gosync::SharedMutex::anonymous("text"); //~
}
