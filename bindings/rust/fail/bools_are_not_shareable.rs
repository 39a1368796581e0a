// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0277]: another process may write 2

fn main() {
    let _ = gosync::SharedMutex::anonymous(true); //~
}
