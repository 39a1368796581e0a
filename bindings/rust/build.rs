// SPDX-License-Identifier: LGPL-2.1-or-later
//! Where the C library is: in GOSYNC_LIB_DIR, or where pkg-config says. Otherwise the
//! linker looks where it always does.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=GOSYNC_LIB_DIR");
    if let Some(dir) = std::env::var_os("GOSYNC_LIB_DIR") {
        println!("cargo:rustc-link-search=native={}", dir.to_string_lossy());
        return;
    }
    let output = Command::new("pkg-config").args(["--libs-only-L", "gosync-user"]).output();
    if let Ok(output) = output {
        for dir in String::from_utf8_lossy(&output.stdout).split_whitespace() {
            println!("cargo:rustc-link-search=native={}", dir.trim_start_matches("-L"));
        }
    }
}
