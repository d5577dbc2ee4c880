//! What tests of several crates need and a stranger's machine may lack: the shared data, a PostgreSQL server, other
//! implementations. A test that cannot judge says so and steps aside; in CI, which has everything, it fails.
#![allow(clippy::panic, clippy::unwrap_used, reason = "used by tests only, where a panic is a failed test")]

#[cfg(feature = "postgres")]
mod database;
pub mod interop;
#[cfg(feature = "leaks")]
pub mod leaks;
#[cfg(feature = "redis")]
pub mod redis;

#[cfg(feature = "postgres")]
pub use database::Database;

use std::path::PathBuf;

/// A file or folder of the shared data, which is not part of the repository: in the folder that `STRONGROOM_SHARED`
/// names, or else beside the repository. None, and the test steps aside, where it is missing.
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let found = std::env::var_os("STRONGROOM_SHARED").map_or_else(beside, PathBuf::from).join(path);
    if found.exists() {
        return Some(found);
    }
    steps_aside(&format!("{} is missing", found.display()));
    None
}

/// Says why a test cannot judge.
///
/// # Panics
/// In CI, which has everything.
pub fn steps_aside(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}: CI needs it");
    eprintln!("{why}: this test steps aside");
}
