//! Drills against a real server that is killed while they run: no request fails, nothing that ended gets in, and what is
//! sent twice passes once. And against a server that promises nothing: the drill says so.

use crate::harness::Room;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A server that a script can kill and start again, ended with the test.
struct Served {
    room: Room,
    port: u16,
}

const START: &str = "nohup \"$PROGRAM\" serve --listen 127.0.0.1:PORT --database fund.db > \"server.$1.txt\" 2>&1 < /dev/null & echo $! > pid";

impl Served {
    fn start() -> Self {
        let room = Room::new();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        room.write("start.sh", &START.replace("PORT", &port.to_string()));
        room.write("again.sh", "kill -9 $(cat pid)\nsh start.sh again\n");
        let served = Self { room, port };
        served.sh("sh start.sh first");
        served.wait();
        let begun = Instant::now();
        let said = loop {
            let said = served.room.read("server.first.txt");
            if said.contains("operator.key") {
                break said;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the server invites nobody: {said}");
            std::thread::sleep(Duration::from_millis(50));
        };
        let code = said.split_once("--code ").unwrap().1.split_whitespace().next().unwrap();
        let url = served.url();
        served.strongroom(&["key", "enrol", "--server", &url, "--code", code, "--out", "operator.key"]);
        served
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the server does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.room.file("."))
            .env("PROGRAM", env!("CARGO_BIN_EXE_strongroom"))
            .env_remove("STRONGROOM_SERVER")
            .env_remove("STRONGROOM_KEY")
            .stdin(Stdio::null());
        command
    }

    fn sh(&self, script: &str) {
        assert!(self.command("sh").args(["-c", script]).status().unwrap().success());
    }

    fn strongroom(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_strongroom")).args(arguments).output().unwrap()
    }

    fn drill(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let url = self.url();
        let mut whole = vec!["drill"];
        whole.extend(arguments);
        whole.extend(["--target", &url, "--key", "operator.key", "--json"]);
        let output = self.strongroom(&whole);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
        (output.status.code(), report)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.sh("kill -9 $(cat pid) || true");
    }
}

/// What an operator types, in the order of the guide; what it says goes by what the server then does.
#[test]
fn an_operator_sets_a_policy_looks_goes_back_and_ends_a_key() {
    let served = Served::start();
    let url = served.url();
    let ran = |arguments: &str| {
        let output = served.strongroom(&arguments.split(' ').collect::<Vec<_>>());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &said)
    };
    let done = |arguments: &str| {
        let (code, said) = ran(arguments);
        assert_eq!(code, Some(0), "{arguments}: {said}");
        said
    };
    let operator = "--key operator.key";
    done(&format!("principal add ap-one --role participant --participant One {operator}"));
    let issued = done(&format!("key issue --principal ap-one --scope read --env dev --json {operator}"));
    let issued: Value = serde_json::from_str(&issued).unwrap();
    let code = format!("{}.{}", issued["enrolment"].as_str().unwrap(), issued["code"].as_str().unwrap());
    done(&format!("key enrol --server {url} --code {code} --out ap.key"));
    let file: Value = serde_json::from_str(&served.room.read("ap.key")).unwrap();
    let lineage = file["key"].as_str().unwrap().split('.').next().unwrap().to_owned();
    let set =
        format!("rotation policy set --lineage {lineage} --every 90d --min-overlap 24h --max-overlap 14d");
    let said = done(&format!("{set} --quiet 6h --on-laggard extend --not-during 09:30-16:00 {operator}"));
    assert!(said.contains("1 lineage changed"), "{said}");
    let (refused, said) = ran(&format!("{set} --quiet 90d {operator}"));
    assert!(refused == Some(1) && said.contains("rotation.policy_must_be_bounded"), "{said}");
    let said = done(&format!("rotation policy show {lineage} {operator}"));
    assert!(said.contains("90d") && said.contains("09:30-16:00"), "{said}");
    let said = done(&format!("rotation policy list {operator}"));
    assert!(said.contains("1d to 14d") && said.contains("on demand"), "{said}");
    let said = done("key rotate --key ap.key");
    assert!(said.contains(&format!("{lineage}.2 signs now")), "{said}");
    let said = done(&format!("rotation show {lineage} {operator}"));
    assert!(said.contains("grace") && said.contains("retired unless it is used"), "{said}");
    let said = done(&format!("rotation due --dry-run --within 90d {operator}"));
    assert!(said.contains(&lineage), "{said}");
    let said = done(&format!("rotation rollback {lineage} --reason test {operator}"));
    assert!(said.contains(&format!("{lineage}.1")), "{said}");
    done("http GET /v1/whoami --key ap.key");
    assert!(!done(&format!("key unused --days 1 {operator}")).contains(&lineage));
    let said = done(&format!("rotation emergency --lineage {lineage} --reason stolen {operator}"));
    assert!(said.contains(&format!("{lineage}.1 {lineage}.2")), "{said}");
    let (refused, said) = ran("http GET /v1/whoami --key ap.key");
    assert!(refused == Some(1) && said.contains("key.must_not_be_revoked"), "{said}");
}

#[test]
fn clients_rotate_while_the_server_is_killed_and_nobody_notices() {
    let served = Served::start();
    let (code, report) = served.drill(&[
        "rotate",
        "--clients",
        "8",
        "--rounds",
        "2",
        "--rate",
        "40",
        "--each-round",
        "sh again.sh",
    ]);
    assert_eq!(code, Some(0), "{report}");
    for (name, expected) in [
        ("failed", 0),
        ("accepted_after_end", 0),
        ("double_nonces", 0),
        ("double_effects", 0),
        ("rotations", 16),
        ("knocked", 16),
    ] {
        assert_eq!(report[name], expected, "{name}: {report}");
    }
    assert!(report["requests"].as_u64().unwrap() > 16, "{report}");
    assert!(Path::new(&served.room.file("server.again.txt")).exists(), "it was started again");
}

#[test]
fn nothing_passes_once_a_revocation_has_returned() {
    let served = Served::start();
    let (code, report) = served.drill(&["revoke", "--clients", "6", "--rate", "60", "--duration", "2s"]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!((&report["accepted_after_end"], &report["knocked"]), (&0.into(), &30.into()), "{report}");
}

#[test]
fn a_captured_request_passes_once_and_no_changed_one() {
    let served = Served::start();
    let output =
        served.strongroom(&["drill", "replay", "GET", "/v1/whoami", "--key", "operator.key", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(report["let_in"], 0, "{report}");
    assert!(report["tried"].as_array().unwrap().len() >= 14, "{report}");
}

/// An API that takes everything: each attack is let in, and the exit code says so.
#[test]
fn an_api_that_lets_everything_in_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 4_096];
            drop(stream.read(&mut buffer));
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
        }
    });
    let room = Room::new();
    let captured = format!(
        "GET http://{address}/prices\nSignature-Input: sig=(\"@method\" \"@path\");created=1;expires=2;keyid=\"k\";nonce=\"abc\";tag=\"t\"\nSignature: sig=:AAAA:\n"
    );
    room.write("captured.txt", &captured);
    let output = Command::new(env!("CARGO_BIN_EXE_strongroom"))
        .args(["drill", "replay", "--request", "captured.txt", "--json"])
        .current_dir(room.file("."))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["let_in"].as_u64().unwrap(), report["tried"].as_array().unwrap().len() as u64);
    assert!(String::from_utf8_lossy(&output.stderr).contains("drill.promises_must_hold"));
}
