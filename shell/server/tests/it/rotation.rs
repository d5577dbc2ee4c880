//! Keys are replaced over a real server, by the client that comes with it: nobody notices, whatever is lost.

use crate::home::{Home, Server, Told};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use strongroom_client::{Client, Invitation, KeyFile, Options, SecretText, enrol, of_secret};

/// Hints are followed at once.
fn eager() -> Options {
    Options { notice_pause: Duration::ZERO, ..Options::default() }
}

fn issue(server: &Server<'_>, scope: &str, algorithm: &str) -> Value {
    let new = json!({
        "principal": "ap-one", "scopes": [scope], "algorithm": algorithm, "environment": "dev",
    });
    server.ask("operator", "POST", "/v1/keys", &new.to_string()).json()
}

fn enrolled(server: &Server<'_>, path: &Path) -> Client {
    let issued = issue(server, "read", "ed25519");
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let invitation = Invitation { enrolment: text("enrolment"), code: text("code") };
    enrol(&server.url, &invitation, &Options::default()).unwrap().write_new(path).unwrap();
    Client::open_with(path, &eager()).unwrap()
}

fn file_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("ap-one.key")
}

fn lineage(key: &str) -> &str {
    key.split('.').next().unwrap()
}

fn policy(every: Option<i64>) -> Value {
    json!({
        "every_seconds": every, "min_overlap_seconds": 0, "max_overlap_seconds": 3_600, "quiet_seconds": 1,
        "on_laggard": "extend", "versions": 2, "keep_retired_seconds": 3_600,
    })
}

fn set_policy(server: &Server<'_>, key: &str, policy: &Value) -> Told {
    let body = json!({ "lineage": lineage(key), "policy": policy }).to_string();
    server.ask("operator", "POST", "/v1/rotations/policy", &body)
}

fn states(server: &Server<'_>, key: &str) -> String {
    let shown = server.ask("operator", "GET", &format!("/v1/keys/{}/rotation", lineage(key)), "").json();
    let versions = shown["versions"].as_array().unwrap().iter();
    versions.map(|version| version["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn wait_for(server: &Server<'_>, key: &str, expected: &str) {
    let begun = Instant::now();
    while states(server, key) != expected {
        assert!(begun.elapsed().as_secs() < 20, "{} is not {expected}", states(server, key));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_client_replaces_its_key_and_the_old_one_goes_when_it_is_quiet() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let server = home.start();
    let client = enrolled(&server, &file_in(&folder));
    let first = client.key_id();
    assert_eq!(set_policy(&server, &first, &policy(None)).code(), "ok");
    let stale = Client::try_new(&KeyFile::read(&file_in(&folder)).unwrap(), &Options::default()).unwrap();
    let rotation = client.rotate().unwrap();
    assert_eq!(
        (rotation.from, rotation.to.as_str()),
        (first.clone(), format!("{}.2", lineage(&first)).as_str())
    );
    assert_eq!(client.get("/v1/whoami").unwrap().status, 200);
    assert_eq!(states(&server, &first), "grace active");
    // Who still uses the old key is let in, and told.
    let told = stale.get("/v1/whoami").unwrap();
    assert_eq!(told.status, 200);
    assert!(told.headers["deprecation"].to_str().unwrap().starts_with('@'));
    assert!(told.headers["sunset"].to_str().unwrap().ends_with(" GMT"));
    assert_eq!(
        told.headers["link"].to_str().unwrap(),
        format!("</v1/keys/{}/rotate>; rel=\"successor-version\"", lineage(&first))
    );
    assert!(!client.get("/v1/whoami").unwrap().headers.contains_key("deprecation"));
    wait_for(&server, &first, "retired active");
    let refused = stale.get("/v1/whoami").unwrap().into_success().unwrap_err();
    assert_eq!(refused.code(), "key.must_not_be_retired");
    // Until it is destroyed, one call brings it back; both work then.
    let back = format!("/v1/keys/{}/rollback", lineage(&first));
    let told = server.ask("operator", "POST", &back, &json!({ "reason": "a bad deployment" }).to_string());
    assert_eq!(told.json()["primary"].as_str(), Some(first.as_str()));
    assert_eq!(
        (stale.get("/v1/whoami").unwrap().status, client.get("/v1/whoami").unwrap().status),
        (200, 200)
    );
}

/// The key of a holder of the house, a hundred days old, as a key file.
fn old_key(server: &Server<'_>, name: &str, path: &Path) -> Client {
    use base64::Engine;
    use sha2::Digest;
    let seed = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(name));
    let key = crate::home::key_id(name);
    let mut file = of_secret(&server.url, &key, SecretText::new(seed), &Options::default()).unwrap();
    file.algorithm = "ed25519".to_owned();
    file.write_new(path).unwrap();
    Client::open_with(path, &eager()).unwrap()
}

#[test]
fn a_client_that_is_told_replaces_its_key_by_itself() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let server = home.start();
    let client = old_key(&server, "ap-one", &file_in(&folder));
    let other = Client::open_with(&file_in(&folder), &eager()).unwrap();
    let first = client.key_id();
    assert_eq!(client.get("/v1/whoami").unwrap().status, 200);
    assert_eq!(client.key_id(), first, "nobody said so");
    set_policy(&server, &first, &policy(Some(90 * 86_400)));
    let begun = Instant::now();
    while client.key_id() == first {
        assert!(begun.elapsed().as_secs() < 20, "the client is not told");
        assert_eq!(client.get("/v1/whoami").unwrap().status, 200);
    }
    assert_eq!(other.get("/v1/whoami").unwrap().status, 200);
    assert_eq!(other.key_id(), client.key_id(), "the other instance took the new key from the file");
    assert_eq!(states(&server, &first), "grace active");
}

/// Looking changes nothing, and a policy for the far future says when it will be.
#[test]
fn what_is_due_is_shown_before_it_is_done() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let server = home.start();
    let client = enrolled(&server, &file_in(&folder));
    set_policy(&server, &client.key_id(), &policy(Some(90 * 86_400)));
    let due = |seconds: i64| {
        let path = format!("/v1/rotations/due?seconds={seconds}");
        let rows = server.ask("operator", "GET", &path, "").json();
        rows.as_array().unwrap().iter().filter(|row| row["lineage"] == lineage(&client.key_id())).count()
    };
    assert_eq!((due(0), due(90 * 86_400)), (0, 1));
    assert_eq!(
        server.ask("operator", "GET", "/v1/rotations/due?seconds=-1", "").code(),
        "request.parameter_must_be_valid"
    );
    assert_eq!(states(&server, &client.key_id()), "active");
}

/// The file is what a crash at each step leaves; the next call goes on from there.
#[test]
fn a_crash_at_any_step_is_gone_on_from() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let server = home.start();
    let path = file_in(&folder);
    let client = enrolled(&server, &path);
    let first = client.key_id();
    set_policy(&server, &first, &policy(None));
    let before = std::fs::read(&path).unwrap();
    client.rotate().unwrap();
    let after = KeyFile::read(&path).unwrap();
    // It asked and was answered, it even used the key; all that the file has is the key without its name.
    let mut unnamed: Value = serde_json::from_slice(&before).unwrap();
    let whole: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    unnamed["next"] = json!({ "algorithm": "ed25519", "secret": whole["secret"] });
    std::fs::write(&path, unnamed.to_string()).unwrap();
    let again = Client::open_with(&path, &eager()).unwrap();
    assert_eq!(again.rotate().unwrap().to, after.key, "the same key gets the same answer");
    assert_eq!(again.get("/v1/whoami").unwrap().status, 200);
    // It noted the name and crashed before it switched, and meanwhile the old key was retired.
    wait_for(&server, &first, "retired active");
    unnamed["next"]["key"] = json!(after.key);
    std::fs::write(&path, unnamed.to_string()).unwrap();
    let late = Client::open_with(&path, &eager()).unwrap();
    assert_eq!(late.get("/v1/whoami").unwrap().status, 200, "it finds the key that works in its file");
    assert_eq!(late.key_id(), after.key);
    assert_eq!(KeyFile::read(&path).unwrap().key, after.key);
}

#[test]
fn two_instances_on_one_key_file_rotate_at_once() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let server = home.start();
    let path = file_in(&folder);
    let first = enrolled(&server, &path).key_id();
    let rotations: Vec<_> = std::thread::scope(|scope| {
        let instances: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let client = Client::open_with(&path, &eager()).unwrap();
                    (client.rotate(), client.get("/v1/whoami").unwrap().status)
                })
            })
            .collect();
        instances.into_iter().map(|instance| instance.join().unwrap()).collect()
    });
    for (rotation, status) in rotations {
        assert_eq!(status, 200);
        // Who opened the file after the switch finds no room for one more; its key works.
        let code = rotation.map(|_| "ok".to_owned()).unwrap_or_else(|error| error.code().to_owned());
        assert!(["ok", "rotation.window_must_have_room"].contains(&code.as_str()), "{code}");
    }
    assert_eq!(states(&server, &first), "grace active");
}

#[test]
fn a_secret_made_here_is_answered_again_until_its_first_use() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let server = home.start();
    let issued = issue(&server, "orders:write", "hmac-sha256");
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let file = of_secret(&server.url, &text("key"), SecretText::new(text("secret")), &Options::default());
    file.unwrap().write_new(&file_in(&folder)).unwrap();
    assert_eq!(Client::open(&file_in(&folder)).unwrap().get("/v1/whoami").unwrap().status, 200);
    let port = server.port();
    let target = format!("/v1/keys/{}/rotate", lineage(&text("key")));
    let ask = |server: &Server<'_>, key: &str| {
        let mut asked = server.asks("POST", &target, "{}");
        asked.headers.insert("idempotency-key", key.parse().unwrap());
        let nonce: [u8; 24] = strongroom_vault::Secret::random(24).unwrap().expose().try_into().unwrap();
        server.send(&asked.signed_by_secret(&text("key"), &text("secret"), &nonce))
    };
    let server = server.settled();
    let one = ask(&server, "a1");
    assert_eq!(one.status, 201, "{}", String::from_utf8_lossy(&one.body));
    assert_eq!(one.headers["cache-control"], "no-store");
    assert_eq!(ask(&server, "a1").json()["secret"], one.json()["secret"]);
    drop(server);
    let server = home.start_at(port).settled();
    assert_eq!(ask(&server, "a1").json(), one.json(), "also after a restart");
    let other = ask(&server, "a2").json();
    assert_ne!(other["secret"], one.json()["secret"], "another request gives the unused one up");
    assert_eq!(states(&server, &text("key")), "active destroyed pending");
    let client = Client::open_with(&file_in(&folder), &eager()).unwrap();
    client.rotate().unwrap();
    assert_eq!(client.get("/v1/whoami").unwrap().status, 200);
    assert_eq!(states(&server, &text("key")), "grace destroyed destroyed active");
    assert_eq!(ask(&server, "a2").code(), "rotation.window_must_have_room", "its answer is gone");
    // A bearer key cannot sign, so an operator asks for its successor.
    let bearer = issue(&server, "read", "bearer");
    let key = bearer["key"].as_str().unwrap();
    let shown = |text: &Value| {
        let mut asked = server.asks("GET", "/v1/whoami", "");
        asked.headers.insert("authorization", format!("Bearer {}", text.as_str().unwrap()).parse().unwrap());
        server.send(&asked)
    };
    assert_eq!(shown(&bearer["secret"]).code(), "ok");
    let next = server.ask("operator", "POST", &format!("/v1/keys/{}/rotate", lineage(key)), "{}").json();
    assert_eq!(states(&server, key), "active pending");
    assert_eq!(shown(&next["secret"]).code(), "ok");
    assert_eq!(states(&server, key), "grace active");
    assert_eq!(shown(&bearer["secret"]).headers["deprecation"].to_str().unwrap().len(), 11);
}

#[test]
fn a_successor_must_be_signed_by_both_keys() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let server = home.start().settled();
    let client = enrolled(&server, &file_in(&folder));
    let own = crate::home::key_id("ap-one");
    let target = format!("/v1/keys/{}/rotate", lineage(&own));
    let body =
        json!({ "algorithm": "ed25519", "public_key": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" });
    let told = server.ask("ap-one", "POST", &target, &body.to_string());
    assert_eq!(told.code(), "request.must_be_signed", "under the tag of rotations");
    let told = server.ask("ap-two", "POST", &target, &body.to_string());
    assert_eq!(told.code(), "rotation.must_be_by_its_own_key");
    let told = server.ask("operator", "POST", &target, &body.to_string());
    assert_eq!(told.code(), "rotation.must_be_by_its_own_key", "nobody else brings a public key");
    let told = server.ask("ap-one", "GET", &format!("/v1/keys/{}/rotation", lineage(&client.key_id())), "");
    assert_eq!(told.code(), "rotation.must_be_by_its_own_key");
}

#[test]
fn an_emergency_ends_and_replaces_a_principals_keys() {
    let (home, folder) = (Home::new(), tempfile::tempdir().unwrap());
    let server = home.start().settled();
    let client = enrolled(&server, &file_in(&folder));
    let body = json!({ "principal": "ap-one", "reason": "the laptop is gone" }).to_string();
    let done = server.ask("operator", "POST", "/v1/rotations/emergency", &body).json();
    let replaced = done["lineages"].as_array().unwrap();
    assert_eq!((replaced.len(), &done["confirmed"]), (2, &json!(true)), "{done}");
    for one in replaced {
        let receipts = one["receipts"].as_array().unwrap();
        assert_eq!(receipts.len(), one["revoked"].as_array().unwrap().len());
        assert!(receipts.iter().all(|receipt| receipt["kind"] == "key-revoked"), "{receipts:?}");
    }
    assert_eq!(
        client.get("/v1/whoami").unwrap().into_success().unwrap_err().code(),
        "key.must_not_be_revoked"
    );
    let invitation = Invitation::parse(replaced[0]["invitation"].as_str().unwrap()).unwrap();
    let file = enrol(&server.url, &invitation, &Options::default()).unwrap();
    assert_eq!(Client::try_new(&file, &Options::default()).unwrap().get("/v1/whoami").unwrap().status, 200);
    // All but the one that asks.
    let body = json!({ "all": true, "reason": "everything" }).to_string();
    let done = server.ask("operator", "POST", "/v1/rotations/emergency", &body);
    assert_eq!(done.status, 200);
    assert_eq!(server.ask("operator", "GET", "/v1/whoami", "").code(), "ok");
    assert_eq!(server.ask("ap-two", "GET", "/v1/whoami", "").code(), "key.must_not_be_revoked");
}

#[test]
fn the_use_of_keys_outlives_a_restart() {
    let home = Home::new();
    let server = home.start().settled();
    let own = crate::home::key_id("ap-one");
    for _ in 0..3 {
        assert_eq!(server.ask("ap-one", "GET", "/v1/whoami", "").code(), "ok");
    }
    server.send(&server.asks("GET", "/v1/whoami", "").signed_by("ap-two", "ap-one"));
    drop(server);
    let server = home.start().settled();
    let hours = server.ask("operator", "GET", &format!("/v1/keys/{}/usage", lineage(&own)), "").json();
    let sum =
        |name: &str| hours.as_array().unwrap().iter().map(|hour| hour[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("accepted"), sum("refused")), (3, 1), "{hours}");
    assert_eq!(hours[0]["codes"]["request.signature_must_be_valid"], 1);
    let sources =
        hours.as_array().unwrap().iter().filter_map(|hour| hour["sources"]["127.0.0.0/24"].as_i64());
    assert_eq!(sources.sum::<i64>(), 4, "{hours}");
    let unused = server.ask("operator", "GET", "/v1/keys/unused?days=30", "").json();
    let names: Vec<_> = unused.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert!(!names.contains(&own.as_str()), "{names:?}");
    assert!(names.contains(&crate::home::key_id("scopeless").as_str()), "{names:?}");
}

/// Both servers have the lineage in their queues; the log lets one of them say it.
#[test]
fn two_servers_of_one_database_do_what_is_due_once() {
    let (Some(mut home), Some(redis)) = (Home::shared(), strongroom_testing::redis::Redis::start()) else {
        return;
    };
    home.redis = Some(redis.url());
    let one = home.start();
    let other = home.start();
    let own = crate::home::key_id("ap-one");
    set_policy(&one, &own, &policy(Some(90 * 86_400)));
    for server in [&one, &other] {
        let begun = Instant::now();
        while server.ask("ap-one", "GET", "/v1/whoami", "").headers.get("deprecation").is_none() {
            assert!(begun.elapsed().as_secs() < 20, "the holder is not told");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    drop((one, other));
    let mut desk = strongroom_desk::Desk::open_read_only(&home.location()).unwrap();
    let events = desk.access_since(0).unwrap();
    let due =
        events.iter().filter(|(event, _)| strongroom_access::encode(event).unwrap().0 == "rotation-due");
    assert_eq!(due.count(), 1);
}
