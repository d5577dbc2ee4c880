//! The scanner finds a secret in each form that it may leak in, and nothing where there is none.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use std::fs;
use strongroom_testing::leaks::{Scanner, leaks};

/// 32 bytes whose base64 has `+` and `/`, so that both alphabets differ.
const SECRET: [u8; 32] = [
    0xfb, 0xef, 0xbe, 0x91, 0x3f, 0xff, 0x00, 0x0a, 0x22, 0x5c, 0x61, 0x62, 0xc3, 0x28, 0x7f, 0x80, 0x01,
    0xfe, 0xff, 0xfb, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x81, 0x91, 0xa1, 0xb1, 0xc1,
];

fn scanner() -> Scanner {
    Scanner::new([("mac", SECRET.as_slice()), ("pin", b"correct horse".as_slice())])
}

fn forms(content: &[u8]) -> Vec<(String, &'static str)> {
    let found = scanner().bytes("log", content);
    let mut found: Vec<_> = found.into_iter().map(|leak| (leak.secret, leak.form)).collect();
    found.sort();
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn each_form_is_found() {
    let check = |content: &[u8], form: &'static str| {
        let around = [b"at 12:00 the key ", content, b" was used"].concat();
        assert_eq!(forms(&around), [("mac".to_owned(), form)], "{form}");
    };
    check(&SECRET, "bytes");
    check(hex(&SECRET).as_bytes(), "hex");
    check(hex(&SECRET).to_uppercase().as_bytes(), "hex");
    check(BASE64_STANDARD.encode(SECRET).as_bytes(), "base64");
    check(BASE64_URL_SAFE_NO_PAD.encode(SECRET).as_bytes(), "base64url");
    check(format!("{SECRET:?}").as_bytes(), "numbers");
    check(format!("{SECRET:?}").replace(' ', "").as_bytes(), "numbers");
    check(SECRET.escape_ascii().to_string().as_bytes(), "escaped");
}

#[test]
fn a_secret_inside_a_longer_encoded_text_is_found() {
    for before in 0..7 {
        for after in 0..4 {
            let text = [&vec![b'<'; before][..], &SECRET, &vec![b'>'; after]].concat();
            let name = format!("{before} bytes before and {after} after");
            let found = forms(BASE64_STANDARD.encode(&text).as_bytes());
            assert!(found.contains(&("mac".to_owned(), "base64")), "{name}: {found:?}");
            let found = forms(BASE64_URL_SAFE_NO_PAD.encode(&text).as_bytes());
            assert!(found.contains(&("mac".to_owned(), "base64url")), "{name}: {found:?}");
        }
    }
}

#[test]
fn a_text_is_found_as_text_and_in_basic_authentication() {
    // Its bytes and its escapes are the same.
    let pin = |form| ("pin".to_owned(), form);
    assert_eq!(forms(b"pin=correct horse\n"), [pin("bytes"), pin("escaped")]);
    // No + and no / in it, so both alphabets fit.
    let header = BASE64_STANDARD.encode("operator:correct horse");
    assert_eq!(forms(header.as_bytes()), [pin("base64"), pin("base64url")]);
}

#[test]
fn where_no_secret_is_none_is_found() {
    let mut other = SECRET;
    other[15] ^= 1;
    other[16] ^= 1;
    for content in [&b""[..], b"correct h0rse", &other, hex(&other).as_bytes(), &SECRET[..15], &SECRET[17..]]
    {
        assert_eq!(forms(content), [], "{}", content.escape_ascii());
    }
}

#[test]
fn a_folder_is_searched_whole() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(folder.path().join("clean"), "nothing").unwrap();
    fs::write(deep.join("server.log"), format!("12345 {}", hex(&SECRET))).unwrap();
    let found = leaks(folder.path(), &[("mac", &SECRET)]);
    let [leak] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((leak.secret.as_str(), leak.form, leak.offset), ("mac", "hex", 6));
    assert!(leak.place.ends_with("a/b/server.log"), "{leak:?}");
    assert_eq!(leaks(&folder.path().join("clean"), &[("mac", &SECRET)]), []);
}

/// A row longer than a page goes on in overflow pages: wherever the secret is in it, it is found, divided or not.
#[test]
fn a_database_cannot_hide_a_secret_between_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    let fast = "PRAGMA page_size = 512; PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF;";
    // What is deleted is overwritten, so that no earlier row is found in its place.
    let clean = "PRAGMA secure_delete = ON; CREATE TABLE note (text BLOB) STRICT";
    database.execute_batch(&format!("{fast} {clean}")).unwrap();
    let mut divided = 0;
    for at in 500..1012 {
        let row = [&vec![b'x'; at][..], &SECRET, &[b'x'; 1000]].concat();
        database.execute("DELETE FROM note", []).unwrap();
        database.execute("INSERT INTO note VALUES (?)", [&row]).unwrap();
        assert!(!leaks(&path, &[("mac", &SECRET)]).is_empty(), "at {at}");
        let content = fs::read(&path).unwrap();
        divided += usize::from(!content.windows(SECRET.len()).any(|window| window == SECRET));
    }
    assert!(divided >= SECRET.len() - 1, "each way to divide it is met; {divided} were");
}

#[test]
#[should_panic(expected = "so short that it would be found by chance")]
fn a_short_secret_is_no_secret() {
    drop(Scanner::new([("pin", b"1234567".as_slice())]));
}
