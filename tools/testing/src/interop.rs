//! Other implementations as judges: the pinned packages of `tools/interop`.

use crate::steps_aside;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the judges' programs.
pub fn judges() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop")
}

/// Where the packages are installed: once, in the folder for temporary files of the target folder, which a test gives
/// as `env!("CARGO_TARGET_TMPDIR")`. None, and the test steps aside, where they cannot be installed.
pub fn installed(target: &str) -> Option<PathBuf> {
    let folder = Path::new(target).join("interop");
    let why = match Command::new(judges().join("install.sh")).arg(&folder).output() {
        Ok(output) if output.status.success() => return Some(folder),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    };
    steps_aside(&format!("the packages of tools/interop cannot be installed ({why})"));
    None
}

/// A judge in Python, with the packages of the folder.
pub fn python(folder: &Path, script: &str) -> Command {
    let mut command = Command::new(folder.join("python/bin/python"));
    command.arg("-B").arg(judges().join(script));
    command
}

/// What a judge says to its input.
///
/// # Panics
/// If it fails.
pub fn answer(command: &mut Command, input: &str) -> String {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
