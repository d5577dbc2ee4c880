//! Revocation over two real servers of one database: it is over when it returns, also while one of them is frozen, and
//! the receipt verifies without either.

use crate::harness::Room;
use serde_json::Value;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use strongroom_testing::Database;
use strongroom_testing::redis::Redis;

/// 32 bytes for the log's key and for the key-encryption key.
const LOG_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const KEK: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

struct Two {
    room: Room,
    database: Database,
    redis: Redis,
    servers: Vec<(u16, Child)>,
}

impl Two {
    fn start() -> Option<Self> {
        let (database, redis) = (Database::fresh()?, Redis::start()?);
        let mut two = Self { room: Room::new(), database, redis, servers: Vec::new() };
        for name in ["one", "other"] {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let said = std::fs::File::create(two.room.file(&format!("{name}.txt"))).unwrap();
            let mut serve = two.command();
            serve.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--log", "off"]);
            serve.args(["--database", &two.database.url(), "--kek", "env:KEK", "--log-key", "env:LOG_KEY"]);
            serve.args(["--redis", &two.redis.url()]).stdout(said);
            let child = serve.stderr(Stdio::null()).spawn().unwrap();
            let begun = Instant::now();
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(begun.elapsed() < Duration::from_secs(60), "the server does not listen");
                std::thread::sleep(Duration::from_millis(50));
            }
            two.servers.push((port, child));
        }
        // The later start's invitation replaces the earlier one's.
        let code = two.invitation();
        two.ran(&["key", "enrol", "--server", &two.url(1), "--code", &code, "--out", "operator.key"]);
        std::thread::sleep(Duration::from_millis(300));
        Some(two)
    }

    fn invitation(&self) -> String {
        let begun = Instant::now();
        loop {
            let said = self.room.read("other.txt");
            if let Some(code) =
                said.split_once("--code ").and_then(|(_, rest)| rest.split_whitespace().next())
            {
                return code.to_owned();
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the server invites nobody: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn url(&self, place: usize) -> String {
        format!("http://127.0.0.1:{}", self.servers[place].0)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.current_dir(self.room.file(".")).env("KEK", KEK).env("LOG_KEY", LOG_KEY);
        command.env_remove("STRONGROOM_SERVER").env_remove("STRONGROOM_KEY").stdin(Stdio::null());
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    fn ran(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A reader's key, enrolled at the first server.
    fn reader(&self, name: &str) -> String {
        let (url, file) = (self.url(0), format!("{name}.key"));
        let operator = ["--server", &url, "--key", "operator.key", "--json"];
        self.ran(&[&["principal", "add", name, "--role", "read-only"], operator.as_slice()].concat());
        let issue = ["key", "issue", "--principal", name, "--scope", "read", "--env", "dev"];
        let issued: Value = serde_json::from_str(&self.ran(&[issue.as_slice(), &operator].concat())).unwrap();
        let code = format!("{}.{}", issued["enrolment"].as_str().unwrap(), issued["code"].as_str().unwrap());
        self.ran(&["key", "enrol", "--server", &url, "--code", &code, "--out", &file]);
        let key: Value = serde_json::from_str(&self.room.read(&file)).unwrap();
        key["key"].as_str().unwrap().to_owned()
    }

    /// What a server says to a key: 200, or why not.
    fn asks(&self, place: usize, key: &str) -> bool {
        let url = self.url(place);
        self.output(&["http", "GET", "/v1/whoami", "--server", &url, "--key", key]).status.success()
    }

    fn signal(&self, place: usize, signal: &str) {
        let pid = self.servers[place].1.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Revokes at the first server; the answer and how long it took.
    fn revoke(&self, key: &str, more: &[&str]) -> (Value, Duration) {
        let url = self.url(0);
        let fixed =
            ["key", "revoke", key, "--reason", "stolen", "--server", &url, "--key", "operator.key", "--json"];
        let begun = Instant::now();
        let said = self.ran(&[fixed.as_slice(), more].concat());
        (serde_json::from_str(&said).unwrap(), begun.elapsed())
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        for (_, child) in &mut self.servers {
            // A frozen process ends by this too.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

#[test]
fn a_revocation_is_over_when_it_returns_whoever_is_frozen() {
    let Some(two) = Two::start() else { return };
    let (first, second, third) = (two.reader("first"), two.reader("second"), two.reader("third"));
    for place in [0, 1] {
        assert!(["first.key", "second.key", "third.key"].iter().all(|key| two.asks(place, key)));
    }
    // Both are there: it is over as soon as the other has looked.
    let (told, took) = two.revoke(&first, &["--receipts", "receipts.txt"]);
    assert_eq!(
        (&told["confirmed"], told["unconfirmed"].as_array().unwrap().len()),
        (&true.into(), 0),
        "{told}"
    );
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!two.asks(0, "first.key") && !two.asks(1, "first.key"));
    // One is frozen: no lease of it can hold any more when the call returns.
    two.signal(1, "-STOP");
    let (told, _) = two.revoke(&second, &[]);
    assert_eq!(told["confirmed"], true, "{told}");
    let waited = told["waited_ms"].as_u64().unwrap();
    // Not before the lease can have run out; how soon after that is for the bench to say.
    assert!((900..10_000).contains(&waited), "{waited} ms");
    // Not waited for: it says who has not confirmed.
    let (told, _) = two.revoke(&third, &["--wait", "0"]);
    assert_eq!(
        (&told["confirmed"], told["unconfirmed"].as_array().unwrap().len()),
        (&false.into(), 1),
        "{told}"
    );
    two.signal(1, "-CONT");
    assert!(!two.asks(1, "second.key"), "what was frozen does not go by what it knew");
    // The receipt verifies without a server and without a database.
    let receipt = two.room.read("receipts.txt");
    two.room.write("receipt.json", receipt.lines().next().unwrap());
    let database = two.database.url();
    let vkey = two.ran(&["audit", "vkey", "--database", &database]);
    let checked = two.ran(&["audit", "check", "receipt.json", "--vkey", vkey.trim(), "--json"]);
    assert!(checked.contains("key-revoked"), "{checked}");
    two.room.write("forged.json", &receipt.replace("stolen", "lost"));
    assert!(!two.output(&["audit", "check", "forged.json", "--vkey", vkey.trim()]).status.success());
    // And what the operator did is told with its outcome.
    let operator: Value = serde_json::from_str(&two.room.read("operator.key")).unwrap();
    let deeds =
        two.ran(&["audit", "key", operator["key"].as_str().unwrap(), "--database", &database, "--json"]);
    let deeds: Vec<Value> = serde_json::from_str(&deeds).unwrap();
    let revoked = |deed: &&Value| deed["signature_base"].as_str().unwrap().contains("/revoke");
    assert_eq!(deeds.iter().filter(revoked).filter(|deed| deed["outcome"] == "done").count(), 3);
}
