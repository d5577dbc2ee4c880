//! What the outside relies on, in golden files: the help of every command, and every stable error code. A difference is
//! a decision; `UPDATE_GOLDEN=1` writes the files anew.

use crate::harness::{Room, repository};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn golden(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = before.lines().zip(now.lines()).position(|(a, b)| a != b);
    let line = differing.unwrap_or_else(|| before.lines().count().min(now.lines().count()));
    assert!(
        before == now,
        "{} differs from line {}:\n- {}\n+ {}\nIf it is meant, run this test with UPDATE_GOLDEN=1 and commit the file.",
        path.display(),
        line + 1,
        before.lines().nth(line).unwrap_or("(end)"),
        now.lines().nth(line).unwrap_or("(end)")
    );
}

/// Every command with its help, the program's own first.
fn helps() -> Vec<(String, String)> {
    let room = Room::new();
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let help = room.run(&format!("{command} --help")).done();
        open.extend(below(&help).into_iter().rev().map(|name| format!("{command} {name}").trim().to_owned()));
        found.push((command, help));
    }
    found
}

/// The names under `Commands:`, without `help`.
fn below(help: &str) -> Vec<String> {
    let Some((_, after)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let lines = after.lines().take_while(|line| !line.is_empty());
    let named = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = named.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn the_help_of_every_command_is_as_published() {
    let mut text = String::new();
    for (command, help) in helps() {
        let rule = "=".repeat(100);
        text.push_str(&format!("{rule}\n$ {}\n{rule}\n\n{help}\n", format!("strongroom {command}").trim()));
    }
    let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    golden("help.txt", &text);
}

#[test]
fn every_command_that_acts_has_an_example_that_can_be_copied() {
    let all = helps();
    assert!(all.len() > 25, "{}", all.len());
    for (command, help) in all {
        if !below(&help).is_empty() && !command.is_empty() {
            continue;
        }
        let Some((_, examples)) = help.split_once("Example") else { panic!("`{command}` has no example") };
        let shown =
            if command.is_empty() { "strongroom ".to_owned() } else { format!("strongroom {command} ") };
        let shown = shown.trim_end();
        assert!(examples.contains(shown), "the example of `{command}` shows something else: {examples}");
        let mut before = "";
        for line in examples.lines() {
            assert!(line.chars().count() <= 100, "`{command}`: too long to be shown in one line: {line}");
            let is_broken = line.trim_start().starts_with("--") && !before.ends_with('\\');
            assert!(!is_broken, "`{command}`: an example is broken in two without a backslash: {line}");
            before = line;
        }
    }
}

/// Example lines of a help text, those that end in a backslash joined with the next.
fn examples(help: &str) -> Vec<String> {
    let text = help.replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("strongroom "));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn examples_are_command_lines_that_the_program_reads() {
    let room = Room::new();
    for (command, help) in helps() {
        for example in examples(&help) {
            let line =
                example.trim_start_matches("strongroom ").split(" > ").next().unwrap().replace('"', "'");
            if ["demo", "serve", "witness run"].iter().any(|verb| line.starts_with(verb)) {
                continue; // it would run
            }
            let ran = room.run(&line);
            assert_ne!(ran.exit, 2, "an example of `{command}` is no command line: {example}\n{}", ran.err);
        }
    }
}

#[test]
fn error_codes_are_as_published() {
    let mut codes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in ["core", "shell"] {
        for member in std::fs::read_dir(repository().join(part)).unwrap() {
            let member = member.unwrap();
            let name = format!("{part}/{}", member.file_name().to_string_lossy());
            for source in sources(&member.path().join("src")) {
                for code in codes_in(&std::fs::read_to_string(source).unwrap()) {
                    let rooms = codes.entry(code).or_default();
                    if !rooms.contains(&name) {
                        rooms.push(name.clone());
                        rooms.sort();
                    }
                }
            }
        }
    }
    assert!(codes.len() > 100, "{}", codes.len());
    let text: String =
        codes.iter().map(|(code, rooms)| format!("{code:<58} {}\n", rooms.join(" "))).collect();
    golden("codes.txt", &text);
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Quoted words like `order.must_be_open`: a code names the rule that was broken, so each has a `must` (or one `needs`) in it.
fn codes_in(source: &str) -> Vec<String> {
    let is_code = |text: &&str| {
        let parts: Vec<&str> = text.split('.').collect();
        let is_word = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        parts.len() == 2
            && parts.iter().all(is_word)
            && parts[1].split('_').any(|word| ["must", "needs"].contains(&word))
    };
    source.split('"').filter(is_code).map(str::to_owned).collect()
}
