// SPDX-License-Identifier: LGPL-2.1-or-later
//! error[E0597]: what was granted keeps its object

fn main() {
    let granted;
    {
        let slots = gosync::Semaphore::open("slots", 1).unwrap();
        granted = gosync::wait_any(
            &[gosync::Entry::permits(&slots, 1)], //~
            gosync::Deadline::NEVER,
        );
    }
    drop(granted);
}
