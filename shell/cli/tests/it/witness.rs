//! A witness in a process of its own: it cosigns one history of a log, and no other, whatever happens to it.

use crate::audit::vkey;
use crate::copies::small_fund;
use crate::harness::Room;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

struct Running {
    process: Child,
    url: String,
}

impl Running {
    fn start(room: &Room) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_strongroom"))
            .args(["witness", "run", "w1", "--listen", "127.0.0.1:0", "--json"])
            .current_dir(room.file("."))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self { process, url: said["url"].as_str().unwrap().to_owned() }
    }

    /// As a power cut does.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_witness_cosigns_one_history_and_no_other() {
    let (room, fork) = (Room::new(), Room::new());
    small_fund(&room);
    for name in ["fund.db", "fund.db.log-key", "fund.db.checkpoint"] {
        std::fs::copy(room.file(name), fork.file(name)).unwrap();
    }
    let away = Room::new();
    let made = away.run("witness init w1 --name witness.example/w1 --json").json();
    let witness = made["vkey"].as_str().unwrap();
    let ask = |room: &Room, url: &str| {
        room.run(&format!("audit cosign --witness {url} --witness-vkey {witness} --json"))
    };
    let running = Running::start(&away);
    // One process has the folder; a log that it does not know is not cosigned.
    away.run(&format!("witness add-log w1 {} --json", vkey(&room))).refused(3, "witness.must_be_one_process");
    ask(&room, &running.url).refused(1, "witness.must_cosign");
    running.kill();
    away.run(&format!("witness add-log w1 {}", vkey(&room))).done();

    let running = Running::start(&away);
    ask(&room, &running.url).json();
    // Asked again, also after it stored and did not get to answer: the same checkpoint is cosigned again.
    let cosigned = ask(&room, &running.url).json();
    assert_eq!(cosigned["note"].as_str().unwrap(), room.read("fund.db.checkpoint"));
    assert_eq!(room.read("fund.db.checkpoint").matches("witness.example/w1").count(), 1);
    room.run("fund halt --reason one --at 2024-01-09T22:10:00Z").done();
    ask(&room, &running.url).json();
    running.kill();

    // After it was killed it still knows what it has seen: the fork is as long, and longer, and refused in both cases.
    let running = Running::start(&away);
    fork.run("fund halt --reason two --at 2024-01-09T22:10:00Z").done();
    ask(&fork, &running.url).refused(1, "witness.must_cosign");
    fork.run("fund resume --reason s --at 2024-01-09T22:11:00Z").done();
    let message = ask(&fork, &running.url).refused(1, "witness.must_cosign");
    assert!(message.contains("422"), "{message}");
    // A log that was set back behind what the witness has seen is told so.
    let older = Room::new();
    for name in ["fund.db", "fund.db.log-key"] {
        std::fs::copy(room.file(name), older.file(name)).unwrap();
    }
    room.run("fund resume --reason s --at 2024-01-09T22:11:00Z").done();
    ask(&room, &running.url).json();
    ask(&older, &running.url).refused(1, "log.must_not_be_older_than_its_anchor");
    // Whoever checks a receipt may ask for the witness too; without a cosignature it does not hold.
    room.run("audit prove fund/BTCX 1 --out r.json").done();
    let check = format!("audit check r.json --vkey {} --witness-vkey {witness} --json", vkey(&room));
    room.run(&check).refused(1, "audit.note_must_be_signed_by_known_key");
}
