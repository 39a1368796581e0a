// SPDX-License-Identifier: LGPL-2.1-or-later
//! Probes for tracers (perf, bpftrace, SystemTap), as C programs have them.
//!
//! A probe is a no-op instruction, and a note in the file that says where it
//! stands and in which register the handle is. It costs one instruction.

/// `probe!(name, handle)`: libgosync:NAME, with the address of the handle
#[cfg(target_arch = "x86_64")]
macro_rules! probe {
    ($name:literal, $handle:expr) => {
        // SAFETY: a no-op. What follows it goes to sections that no code is in.
        unsafe {
            std::arch::asm!(
                "990: nop",
                ".pushsection .note.stapsdt, \"?\", @note",
                ".balign 4",
                ".4byte 992f - 991f, 994f - 993f, 3",
                "991: .asciz \"stapsdt\"",
                "992: .balign 4",
                "993: .8byte 990b, _.stapsdt.base, 0",
                ".asciz \"libgosync\"",
                concat!(".asciz \"", $name, "\""),
                ".asciz \"8@{handle}\"",
                "994: .balign 4",
                ".popsection",
                ".ifndef _.stapsdt.base",
                ".pushsection .stapsdt.base, \"aG\", @progbits, .stapsdt.base, comdat",
                ".weak _.stapsdt.base",
                ".hidden _.stapsdt.base",
                "_.stapsdt.base: .space 1",
                ".size _.stapsdt.base, 1",
                ".popsection",
                ".endif",
                handle = in(reg) $handle,
                options(att_syntax, nomem, nostack, preserves_flags),
            )
        }
    };
}

#[cfg(not(target_arch = "x86_64"))]
macro_rules! probe {
    ($name:literal, $handle:expr) => {
        let _ = $handle;
    };
}

pub(crate) use probe;
