//! The clients in other languages: each is built, linted, type-checked and tested by its own tools, against the program
//! that was built here. A test steps aside where those tools cannot be installed.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command;

/// What `check.sh` returns where it could not judge.
const NOT_JUDGED: i32 = 75;

fn check(language: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdk-{language}"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../sdk/{language}/check.sh"));
    let mut command = Command::new(script);
    command.arg(folder).env("STRONGROOM_BIN", env!("CARGO_BIN_EXE_strongroom"));
    for name in ["STRONGROOM_SERVER", "STRONGROOM_KEY", "STRONGROOM_DATABASE"] {
        command.env_remove(name);
    }
    let judged = command.output().unwrap();
    let said = String::from_utf8_lossy(&judged.stdout) + String::from_utf8_lossy(&judged.stderr);
    if judged.status.code() == Some(NOT_JUDGED) {
        let why = said.lines().last().unwrap_or_default();
        strongroom_testing::steps_aside(&format!("the tools of sdk/{language} cannot be installed ({why})"));
        return;
    }
    assert!(judged.status.success(), "{said}");
}

#[test]
fn the_python_client_holds() {
    check("python");
}

#[test]
fn the_typescript_client_holds() {
    check("typescript");
}
