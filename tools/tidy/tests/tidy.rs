//! Rules that a program can check: which crate may depend on which, what the core may reach, how long a file may
//! grow, and that ARCHITECTURE.md names every room.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot read the tree has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each crate may depend on, of the workspace's own crates. Nothing may point the other way.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("core/units", &[]),
    ("core/market", &["units"]),
    ("core/fund", &["units"]),
    ("core/engine", &["units", "market", "fund"]),
    ("core/backtest", &["units", "market", "fund", "engine"]),
    ("core/signature", &[]),
    ("core/audit", &[]),
    ("core/access", &["units", "signature"]),
    ("shell/vault", &[]),
    ("shell/gate", &["units", "signature", "access"]),
    ("shell/server", &["units", "fund", "engine", "signature", "access", "store", "desk", "vault", "gate"]),
    ("sdk/rust", &["signature"]),
    ("shell/feeds", &["units", "market"]),
    ("shell/store", &["audit"]),
    ("shell/report", &["units"]),
    ("shell/desk", &["units", "fund", "engine", "access", "store"]),
    (
        "shell/cli",
        &[
            "units", "market", "fund", "engine", "backtest", "feeds", "store", "desk", "report", "access",
            "audit", "vault", "server", "client",
        ],
    ),
    (
        "bench",
        &[
            "units",
            "market",
            "fund",
            "engine",
            "backtest",
            "access",
            "audit",
            "store",
            "desk",
            "signature",
            "client",
            "server",
            "vault",
        ],
    ),
    ("tools/testing", &[]),
    ("tools/tidy", &[]),
];

/// What the core may not reach: clocks, files, networks, processes, threads, chance.
const BANNED_IN_CORE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "println!",
    "eprintln!",
    "rand::",
    "tokio",
];

/// Lines in a source file; one that has grown past reading is to be split.
const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn members() -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    members.iter().map(|member| member.as_str().unwrap().to_owned()).collect()
}

fn own_dependencies(member: &str) -> BTreeSet<String> {
    let manifest: toml::Table =
        fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap().parse().unwrap();
    let names = manifest.get("dependencies").and_then(|table| table.as_table()).into_iter().flatten();
    names.filter_map(|(name, _)| name.strip_prefix("strongroom-").map(str::to_owned)).collect()
}

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_DEPEND_ON.iter().copied().collect();
    for member in members() {
        let allowed =
            allowed.get(member.as_str()).unwrap_or_else(|| panic!("{member} is not in MAY_DEPEND_ON"));
        for dependency in own_dependencies(&member) {
            assert!(allowed.contains(&dependency.as_str()), "{member} may not depend on {dependency}");
        }
    }
}

#[test]
fn the_core_reaches_no_clock_file_network_or_chance() {
    for member in members().iter().filter(|member| member.starts_with("core/")) {
        for path in sources(&root().join(member).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            for banned in BANNED_IN_CORE {
                assert!(!text.contains(banned), "{} reaches {banned}", path.display());
            }
        }
    }
}

#[test]
fn no_source_file_has_grown_past_reading() {
    for member in members() {
        for path in sources(&root().join(&member).join("src")) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= LINES_MAX, "{} has {lines} lines; split it", path.display());
        }
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    for member in members() {
        for path in sources(&root().join(&member).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} does not begin with what it is", path.display());
        }
    }
}

#[test]
fn the_architecture_names_every_room_and_no_other() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let named: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | `strongroom"))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    assert_eq!(named, members());
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_for_later() {
    let words = ["#[ignore", "todo!(", "unimplemented!(", "FIXME", "XXX"];
    for member in members().iter().filter(|member| member.as_str() != "tools/tidy") {
        for path in sources(&root().join(member)) {
            let text = fs::read_to_string(&path).unwrap();
            for word in words {
                assert!(!text.contains(word), "{} has {word}", path.display());
            }
        }
    }
}
