//! The log through the command line: what it proves, to whom, and what others make of it.

use crate::copies::small_fund;
use crate::harness::Room;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use strongroom_desk::Desk;
use strongroom_store::{Location, Record};
use strongroom_testing::interop;

fn room() -> Room {
    let room = Room::new();
    small_fund(&room);
    room
}

pub fn vkey(room: &Room) -> String {
    room.run("audit vkey").done().trim_end().to_owned()
}

/// So many records of a stream that no fund has.
fn noise(room: &Room, count: u64) {
    let mut desk = Desk::open(&Location::Sqlite(room.file("fund.db"))).unwrap();
    let head = desk.store().head("noise").unwrap();
    let record = |seq| Record {
        stream: "noise".into(),
        seq,
        at: "2024-01-09T21:00:00Z".into(),
        recorded_at: "2024-01-09T21:00:00Z".into(),
        actor: "test".into(),
        kind: "noise".into(),
        body: "{}".into(),
    };
    let records: Vec<_> = (head + 1..=head + count).map(record).collect();
    desk.store().append(&records, &[]).unwrap();
}

/// Every file below a folder with its content.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_whole_history_is_said_to_be_whole() {
    let room = room();
    let report = room.run("audit verify --json").json();
    let (leaves, faults) = (report["leaves"].as_u64().unwrap(), report["faults"].as_array().unwrap());
    assert!(leaves == 10 && faults.is_empty(), "{report}");
    assert_eq!((&report["unsigned"], &report["backfilled"]), (&0.into(), &0.into()));
    assert_eq!(report["vkey"], vkey(&room));
    assert_eq!((&report["anchor"], &report["anchor_size"]), (&"fund.db.checkpoint".into(), &leaves.into()));
    let said = room.run("audit verify").done();
    assert!(said.contains(&format!("leaves     {leaves}, 0 of them made later")), "{said}");
    let anchor = room.run("audit anchor --json").json();
    assert_eq!((anchor["size"].as_u64(), anchor["leaves"].as_u64()), (Some(leaves), Some(leaves)));
}

#[test]
fn a_receipt_is_checked_without_the_database() {
    let room = room();
    room.run("audit prove fund/BTCX 3 --out third.json").done();
    let proof = room.run("audit prove fund/BTCX 3 --tlog-proof").done();
    room.write("third.tlog", &proof);
    let key = vkey(&room);
    let away = Room::new();
    for name in ["third.json", "third.tlog"] {
        away.write(name, &room.read(name));
        let checked = away.run(&format!("audit check {name} --vkey {key} --json")).json();
        assert_eq!((&checked["verified"], &checked["seq"]), (&true.into(), &3.into()), "{checked}");
    }
    let said = away.run(&format!("audit check third.json --vkey {key}")).done();
    assert!(said.contains("3 of fund/BTCX"), "{said}");
    let actor = room.read("third.json").replace("\"actor\":\"os:", "\"actor\":\"os:x");
    away.write("forged.json", &actor);
    let forged = away.run(&format!("audit check forged.json --vkey {key} --json"));
    assert_eq!(forged.exit, 1, "{}", forged.err);
    let stranger = vkey(&self::room());
    assert_eq!(away.run(&format!("audit check third.json --vkey {stranger}")).exit, 1);
    away.run("audit check third.json --vkey nonsense --json").refused(2, "audit.key_must_be_verifier_key");
    room.run("audit prove fund/BTCX 3000 --json").refused(1, "log.leaf_must_be_in_the_log");
    room.run("audit prove fund/BTCX 3 --out third.json --json").refused(3, "file.must_be_accessible");
}

#[test]
fn an_earlier_log_is_the_beginning_of_the_later_one() {
    let room = room();
    let proved = room.run("audit consistency --from 5 --json").json();
    assert_eq!(proved["from"]["size"], 5);
    assert!(!proved["proof"].as_array().unwrap().is_empty());
    assert_eq!(room.run("audit consistency --from 5 --to 5000").exit, 1);
    let lines = room.run("audit consistency --from 5 --to 6").done();
    assert!(lines.starts_with("from  5 ") && lines.contains("\nto    6 "), "{lines}");
}

#[test]
fn the_tail_lists_every_record_in_its_order() {
    let room = room();
    let lines = room.run("audit tail --from 0 --json").done();
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let report = room.run("audit verify --json").json();
    assert_eq!(rows.len() as u64, report["leaves"].as_u64().unwrap());
    assert!(rows.iter().zip(0_u64..).all(|(row, leaf)| row["leaf"] == leaf && row["stream"] == "fund/BTCX"));
    let last = room.run("audit tail").done();
    assert!(last.lines().count() <= 21 && last.contains("nav"), "{last}");
}

#[test]
fn an_export_grows_and_never_changes() {
    let room = room();
    noise(&room, 600);
    room.run("fund halt --reason r --at 2024-01-09T22:10:00Z").done();
    let first = room.run("audit export log --json").json();
    let before = files(&room.file("log"));
    assert_eq!(first["files"].as_u64().unwrap() + 1, before.len() as u64);
    assert!(before.contains_key("tile/entries/001") && before.contains_key("tile/0/000"));
    let again = room.run("audit export log --json").json();
    assert_eq!((&again["files"], files(&room.file("log"))), (&0.into(), before.clone()));
    noise(&room, 500);
    room.run("fund resume --reason s --at 2024-01-09T22:11:00Z").done();
    room.run("audit export log").done();
    let after = files(&room.file("log"));
    assert!(after.contains_key("tile/entries/003"));
    assert!(before.iter().all(|(name, content)| name == "checkpoint" || after[name] == *content));
    room.run("audit export all").done();
    let whole = files(&room.file("all"));
    assert!(whole.iter().all(|(name, content)| after[name] == *content), "in parts it is another log");
    // A folder with another history is not written over.
    let other = self::room();
    other.run("audit export log").done();
    std::fs::copy(other.file("log/checkpoint"), room.file("log/checkpoint")).unwrap();
    assert_eq!(room.run("audit export log").exit, 1);
    std::fs::write(room.file("all/tile/0/000"), "x").unwrap();
    std::fs::remove_file(room.file("all/checkpoint")).unwrap();
    room.run("audit export all --json").refused(1, "audit.tile_must_not_change");
}

#[test]
fn pymerkle_builds_the_same_tree_from_an_exported_folder() {
    let Some(folder) = interop::installed(env!("CARGO_TARGET_TMPDIR")) else { return };
    let room = room();
    noise(&room, 300);
    room.run("fund halt --reason r --at 2024-01-09T22:10:00Z").done();
    room.run("audit export log").done();
    let mut judge = interop::python(&folder, "exported_log.py");
    let said = interop::answer(judge.arg(room.file("log")).arg(vkey(&room)), "");
    let said: Value = serde_json::from_str(&said).unwrap();
    let size = said["size"].as_u64().unwrap();
    let proved = room.run(&format!("audit consistency --from {size} --json")).json();
    assert_eq!(proved["to"]["root"], said["root"]);
    assert_eq!(said["streams"], serde_json::json!(["fund/BTCX", "noise"]));
    // One byte of one entry, and the other program says no.
    let path = room.file("log/tile/entries/000");
    let mut bundle = std::fs::read(&path).unwrap();
    bundle[10] ^= 1;
    std::fs::write(&path, bundle).unwrap();
    let mut judge = interop::python(&folder, "exported_log.py");
    assert!(!judge.arg(room.file("log")).arg(vkey(&room)).output().unwrap().status.success());
}
