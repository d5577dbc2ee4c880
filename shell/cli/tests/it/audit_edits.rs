//! What somebody does to a database behind the program's back is found at the next start and by `audit verify`, with the
//! record named, and nothing is written over it.

use crate::copies::small_fund;
use crate::harness::{Ran, Room};
use rusqlite::Connection;

const WRITE: &str = "fund halt --reason r --at 2024-01-09T22:10:00Z --json";

fn room() -> Room {
    let room = Room::new();
    small_fund(&room);
    room
}

/// Edits the file as one who knows it: the triggers that keep history are taken away and put back.
fn edit(room: &Room, sql: &str) {
    let database = Connection::open(room.file("fund.db")).unwrap();
    let triggers: Vec<(String, String)> = database
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, _) in &triggers {
        database.execute(&format!("DROP TRIGGER {name}"), []).unwrap();
    }
    assert!(database.execute(sql, []).unwrap() > 0, "{sql} changed nothing");
    for (_, sql) in &triggers {
        database.execute(sql, []).unwrap();
    }
}

fn records(room: &Room) -> i64 {
    let database = Connection::open(room.file("fund.db")).unwrap();
    database.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap()
}

/// The next write is refused and writes nothing; `verify` ends with a code and lists what it found.
#[track_caller]
fn found(room: &Room, at_start: &str, by_verify: &[&str]) -> (String, Ran) {
    let before = records(room);
    let message = room.run(WRITE).refused(4, at_start);
    assert_eq!(records(room), before);
    let verified = room.run("audit verify --json");
    assert_eq!(verified.exit, 1, "{}", verified.err);
    let report: serde_json::Value = serde_json::from_str(&verified.out).unwrap();
    let codes: Vec<&str> =
        report["faults"].as_array().unwrap().iter().map(|fault| fault["code"].as_str().unwrap()).collect();
    assert_eq!(codes, by_verify, "{}", verified.out);
    (message, verified)
}

fn copy(room: &Room, from: &str, to: &str) {
    std::fs::copy(room.file(from), room.file(to)).unwrap();
    for suffix in ["-wal", "-shm"] {
        assert!(!room.file(&format!("{from}{suffix}")).exists(), "{from} is in use");
    }
}

#[test]
fn an_event_that_was_changed_is_named() {
    let room = room();
    edit(&room, "UPDATE events SET body = replace(body, '{', '{ ') WHERE leaf = 2");
    let code = "log.record_must_be_as_it_was";
    let (message, verified) = found(&room, code, &[code]);
    assert!(message.contains("stream \"fund/BTCX\" (leaf 2)"), "{message}");
    assert!(verified.out.contains("(leaf 2)"), "{}", verified.out);
    let table = room.run("audit verify");
    assert!(table.out.contains("faults     1\n") && table.out.contains(code), "{}", table.out);
}

#[test]
fn an_event_that_was_changed_with_its_hash_does_not_lead_to_the_head() {
    let room = room();
    edit(&room, "UPDATE events SET leaf_hash = zeroblob(32) WHERE leaf = 3");
    let verified = room.run("audit verify --json");
    assert!(verified.out.contains("log.leaves_must_lead_to_the_head"), "{}", verified.out);
    room.run(WRITE).refused(4, "log.record_must_be_as_it_was");
}

#[test]
fn a_deleted_event_is_named() {
    let room = room();
    edit(&room, "DELETE FROM events WHERE leaf = (SELECT max(leaf) FROM events)");
    let last = records(&room);
    let before = records(&room);
    let message = room.run(WRITE).refused(4, "log.leaf_must_be_there");
    assert!(message.contains(&format!("leaf {last} ")), "{message}");
    assert_eq!(records(&room), before);
    let verified = room.run("audit verify --json");
    assert_eq!(verified.exit, 1, "{}", verified.err);
    assert!(verified.out.contains("log.leaf_must_be_there"), "{}", verified.out);
}

#[test]
fn a_head_that_was_set_back_with_its_records_is_an_older_copy() {
    let room = room();
    copy(&room, "fund.db", "older.db");
    room.run(WRITE).done();
    copy(&room, "older.db", "fund.db");
    let code = "log.must_not_be_older_than_its_anchor";
    let (message, _) = found(&room, code, &[code]);
    assert!(message.contains("this is an older copy"), "{message}");
    // Reading goes on.
    room.run("fund status").done();
    // Whoever means it says so, and the log says who and why.
    room.run("audit anchor --accept --json").refused(2, "command_line.must_be_valid");
    let accepted = room.run("audit anchor --accept --reason 'disk of 9 January' --json").json();
    assert_eq!(accepted["refused"], code);
    room.run(WRITE).done();
    room.run("audit verify").done();
    let listed = room.run("audit tail").done();
    assert!(listed.contains("anchor-accepted"), "{listed}");
    let receipt = room.run("audit prove log 1").done();
    assert!(receipt.contains("disk of 9 January"), "{receipt}");
}

#[test]
fn another_database_in_the_place_of_this_one_is_found() {
    let (room, other) = (room(), room());
    std::fs::copy(other.file("fund.db"), room.file("fund.db")).unwrap();
    let code = "log.anchor_must_be_of_this_log";
    found(&room, code, &[code]);
}

#[test]
fn another_history_of_the_same_log_is_found() {
    let room = room();
    copy(&room, "fund.db", "fork.db");
    room.run(WRITE).done();
    // The fork goes on with the log's own key, and gets longer than what the checkpoint outside has.
    let key = "--log-key file:fund.db.log-key";
    for line in [
        "fund halt --reason other --at 2024-01-09T22:10:00Z",
        "fund resume --reason s --at 2024-01-09T22:11:00Z",
    ] {
        room.run_on("fork.db", &format!("{line} {key}")).done();
    }
    copy(&room, "fork.db", "fund.db");
    let code = "log.must_continue_its_anchor";
    found(&room, code, &[code]);
}

#[test]
fn a_truncated_file_is_found() {
    let room = room();
    let file = std::fs::File::options().write(true).open(room.file("fund.db")).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    for line in [WRITE, "audit verify --json"] {
        let ran = room.run(line);
        assert_eq!((ran.exit, ran.out.as_str()), (4, ""), "{}", ran.err);
        assert!(ran.error().0.starts_with("store."), "{}", ran.err);
    }
}

#[test]
fn a_checkpoint_outside_that_nobody_signed_is_not_believed() {
    let room = room();
    let note = room.read("fund.db.checkpoint");
    for text in ["", "nothing\n", &note.replacen("\n", "x\n", 1), &note.replace("— ", "- ")] {
        room.write("fund.db.checkpoint", text);
        let ran = room.run(WRITE);
        let code = ran.error().0;
        let known = ["log.anchor_must_be_signed_by_the_logs_key", "log.anchor_must_be_of_this_log"];
        assert!(known.contains(&code.as_str()), "{code}");
    }
    room.write("fund.db.checkpoint", &note);
    room.run(WRITE).done();
}

#[test]
fn a_log_has_one_key_for_its_whole_life() {
    let room = room();
    std::fs::rename(room.file("fund.db.log-key"), room.file("kept")).unwrap();
    let message = room.run(WRITE).refused(3, "log.key_must_be_the_logs");
    assert!(message.contains("fund.db.log-key"), "{message}");
    assert!(!room.file("fund.db.log-key").exists(), "a stray key was made");
    room.run(&format!("{WRITE} --log-key none")).done();
    let unsigned = room.run("audit verify --json").json();
    assert_eq!(unsigned["unsigned"], 1);
    // The key is back: the next write signs what was written without it.
    room.run("fund resume --reason s --at 2024-01-09T22:11:00Z --log-key file:kept").done();
    assert_eq!(room.run("audit verify --json").json()["unsigned"], 0);
}

#[test]
fn a_backup_that_is_older_than_the_checkpoint_outside_says_what_to_do() {
    let room = room();
    room.run("backup copy.db").done();
    room.run(WRITE).done();
    std::fs::remove_file(room.file("fund.db")).unwrap();
    let ran = room.run("restore copy.db --json");
    let (code, message, hint) = ran.error();
    assert_eq!((ran.exit, code.as_str()), (4, "log.must_not_be_older_than_its_anchor"), "{message}");
    assert!(hint.contains("audit anchor --accept --reason"), "{hint}");
    room.run("audit anchor --accept --reason 'the backup'").done();
    room.run(WRITE).done();
}
