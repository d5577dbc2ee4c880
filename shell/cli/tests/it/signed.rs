//! The guide from zero to the first signed order, as it is printed; and that no secret of the whole run leaked.

use crate::harness::{Room, repository};
use serde_json::Value;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use strongroom_testing::leaks::Scanner;

/// The first block of shell in a guide.
fn shell_of(guide: &str) -> String {
    let text = std::fs::read_to_string(repository().join("docs/guide").join(guide)).unwrap();
    let (_, rest) = text.split_once("```sh\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a script with the program in its path; whatever it leaves running is stopped at its end.
fn run(folder: &Path, script: &str) -> (bool, String) {
    let bin = Path::new(env!("CARGO_BIN_EXE_strongroom")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = format!("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}");
    let ran = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("STRONGROOM_SERVER")
        .env_remove("STRONGROOM_KEY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    (ran.status.success(), said)
}

fn room_with_funds() -> Room {
    let room = Room::new();
    std::fs::create_dir(room.file("funds")).unwrap();
    std::fs::copy(repository().join("funds/bitcoin.toml"), room.file("funds/bitcoin.toml")).unwrap();
    room
}

fn on_port(script: &str, port: u16) -> String {
    let script = script.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
    script.replace("strongroom serve", &format!("strongroom serve --listen 127.0.0.1:{port}"))
}

#[test]
fn the_guide_leads_from_zero_to_the_first_signed_order() {
    let room = room_with_funds();
    let script = shell_of("first-signed-order.md");
    assert_eq!(script.lines().count(), 10, "ten lines of shell");
    let (done, said) = run(&room.file("."), &on_port(&script, free_port()));
    assert!(done, "{said}");
    assert!(
        said.contains(r#""participant":"AP One","side":"creation","method":"cash","shares":200000"#),
        "{said}"
    );
    assert_eq!(said.matches(r#""id":"A1""#).count(), 2, "{said}");
}

fn secret_of(path: &Path) -> Vec<u8> {
    use base64::Engine;
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    base64::engine::general_purpose::STANDARD.decode(file["secret"].as_str().unwrap()).unwrap()
}

/// Keys of each kind are made, used, refused and revoked. Afterwards nothing but the files that are meant to hold a
/// secret does: neither the database and its log, nor what the server said, nor what anyone was told later.
#[test]
fn no_secret_of_a_whole_run_is_anywhere_but_in_its_own_file() {
    let room = room_with_funds();
    let more = r#"
strongroom key receiver --out receiver.secret --json > receiver.json
seal=$(sed -n 's/.*"\(x25519:[^"]*\)".*/\1/p' receiver.json)
strongroom key issue --principal ap-one --scope orders:write --env dev --algorithm hmac-sha256 --seal-to "$seal" --json > sealed.json
name=$(sed -n 's/.*"key":"\([^"]*\)".*/\1/p' sealed.json); text=$(sed -n 's/.*"sealed":"\([^"]*\)".*/\1/p' sealed.json)
strongroom key import "$name" --sealed "$text" --receiver receiver.secret --out hmac.key
strongroom http POST /v1/funds/BTCX/orders --key hmac.key --body '{"id":"A2","side":"creation","baskets":1}' --include
strongroom key issue --principal ap-one --scope read --env dev --algorithm bearer --json > bearer.secret
strongroom http GET /v1/keys --key ap-one.key --include || true
strongroom key list --json; strongroom principal list --json
strongroom key revoke "${name%.1}" --reason "a test"
strongroom http GET /v1/whoami --key hmac.key || true
curl -s http://127.0.0.1:8080/openapi.json http://127.0.0.1:8080/docs > pages.txt || true
"#;
    let script = format!("{}{more}", shell_of("first-signed-order.md"));
    let (done, said) = run(&room.file("."), &on_port(&script, free_port()));
    assert!(done, "{said}");
    assert!(said.contains("key.must_not_be_revoked"), "{said}");
    room.write("said.txt", &said);
    let bearer: Value =
        serde_json::from_str(&std::fs::read_to_string(room.file("bearer.secret")).unwrap()).unwrap();
    let bearer = bearer["secret"].as_str().unwrap().to_owned();
    let mut kek = String::new();
    std::fs::File::open(room.file("strongroom.db.kek")).unwrap().read_to_string(&mut kek).unwrap();
    let kek = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.decode(kek.trim()).unwrap()
    };
    let code = |name: &str| {
        let text = std::fs::read_to_string(room.file(name)).unwrap();
        let (_, code) = text.split_once("--code ").unwrap();
        code.split_whitespace().next().unwrap().split_once('.').unwrap().1.to_owned()
    };
    let (first, second) = (code("server.txt"), code("invitation.txt"));
    let (operator, participant, hmac) = (
        secret_of(&room.file("operator.key")),
        secret_of(&room.file("ap-one.key")),
        secret_of(&room.file("hmac.key")),
    );
    let scanner = Scanner::new([
        ("operator", operator.as_slice()),
        ("participant", participant.as_slice()),
        ("hmac", hmac.as_slice()),
        ("bearer", bearer.as_bytes()),
        ("kek", kek.as_slice()),
        ("first code", first.as_bytes()),
        ("second code", second.as_bytes()),
    ]);
    let meant = [
        "operator.key",
        "ap-one.key",
        "hmac.key",
        "bearer.secret",
        "strongroom.db.kek",
        "server.txt",
        "invitation.txt",
    ];
    let mut looked_at = 0;
    for entry in std::fs::read_dir(room.file(".")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = scanner.files(&path);
        if meant.contains(&name.as_str()) {
            assert!(!found.is_empty(), "the scanner does not see the secret that {name} is meant to hold");
        } else {
            assert!(found.is_empty(), "{name}: {found:?}");
            looked_at += 1;
        }
    }
    assert!(looked_at >= 6, "{looked_at}");
}

/// A leaked bearer key is found by its own check, wherever it stands; a string that only looks like one is not.
#[test]
fn a_leaked_bearer_key_is_found_offline() {
    use strongroom_access::bearer::BearerKey;
    use strongroom_access::{Environment, LineageId};
    let room = Room::new();
    let key = BearerKey::from_random(Environment::Live, LineageId::from_random([5; 8]), [6; 32])
        .expose()
        .to_string();
    let mistyped = format!("{}{}", &key[..key.len() - 1], if key.ends_with('a') { 'b' } else { 'a' });
    std::fs::create_dir(room.file("config")).unwrap();
    room.write("config/app.env", &format!("# {mistyped}\nexport API_KEY=\"{key}\"\n"));
    room.write("clean.txt", &mistyped);
    assert_eq!(room.run("key scan clean.txt").done(), "no bearer key found\n");
    let ran = room.run("key scan . --json");
    assert_eq!(ran.exit, 1);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!((found[0]["line"].as_u64(), found[0]["column"].as_u64()), (Some(2), Some(17)));
    assert!(!ran.out.contains(&key) && ran.err.contains("key.must_not_be_leaked"), "{}", ran.err);
}

/// A new key-encryption key: everything is wrapped anew at the next start, and then opens without the old one.
#[test]
fn a_new_key_encryption_key_takes_over_at_a_restart() {
    let room = room_with_funds();
    let script = r#"
start() { strongroom serve --json "$@" > server.txt & for _ in $(seq 100); do grep -q url server.txt && return; sleep 0.1; done; exit 9; }
stop() { kill %% && wait %% || true; }
mkdir -m 700 keys; (umask 077; openssl rand -base64 32 > keys/old; openssl rand -base64 32 > keys/new)
start --kek file:keys/old
export STRONGROOM_SERVER=http://127.0.0.1:8080 STRONGROOM_KEY=operator.key
strongroom key enrol --code "$(sed -n 's/.*"first_enrolment":"\([^"]*\)".*/\1/p' server.txt)" --out operator.key
strongroom key issue --principal operator --scope read --env dev --algorithm hmac-sha256 --json > issued.json
sed -n 's/.*"secret":"\([^"]*\)".*/\1/p' issued.json > secret.txt
name=$(sed -n 's/.*"key":"\([^"]*\)".*/\1/p' issued.json)
strongroom key import "$name" --secret secret.txt --out hmac.key
stop; start --kek file:keys/new --former-kek file:keys/old; cat server.txt
strongroom http GET /v1/whoami --key hmac.key
stop; start --kek file:keys/new; cat server.txt
strongroom http GET /v1/whoami --key hmac.key
stop; timeout 10 strongroom serve --kek file:keys/old && exit 1 || true
"#;
    let (done, said) = run(&room.file("."), &on_port(script, free_port()));
    assert!(done, "{said}");
    assert!(said.contains(r#""rewrapped":3"#) && said.contains(r#""rewrapped":0"#), "{said}");
    assert_eq!(said.matches(r#""principal":"operator""#).count(), 2, "{said}");
    assert!(said.contains("vault.kek_must_be_known"), "{said}");
}
