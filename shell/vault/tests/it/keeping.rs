//! Keeping places: what a key's file must be like, the environment, and the one option that names a place.

use crate::{file, keeping_code};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use strongroom_vault::{Kek, KekSource, Secret};
use tempfile::TempDir;

/// The key of 32 bytes that count up, in its text form.
const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

fn with(folder: &TempDir, content: &[u8], mode: u32) -> PathBuf {
    let path = folder.path().join("kek");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_key_that_was_made_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kek");
    let made = file(&path).create_new().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::read(&path).unwrap().len(), 45);
    assert_eq!(file(&path).load().unwrap().id(), made.id());
    assert_eq!(keeping_code(file(&path).create_new()), "keeping.file_must_not_exist");
    assert_eq!(file(&path).load().unwrap().id(), made.id(), "the refused call changed nothing");
    let other = file(&folder.path().join("other")).create_new().unwrap();
    assert_ne!(other.id(), made.id());
}

#[test]
fn a_dangling_link_is_not_followed_to_make_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    symlink(folder.path().join("elsewhere"), &link).unwrap();
    assert_eq!(keeping_code(file(&link).create_new()), "keeping.file_must_not_exist");
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn one_key_has_one_name_wherever_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let known = Kek::from_secret(&Secret::new((0..32).collect())).unwrap();
    let read = file(&with(&folder, TEXT.as_bytes(), 0o400)).load().unwrap();
    assert_eq!(read.id(), known.id());
    // HMAC-SHA256 of "strongroom-vault/1 kek id" under the key, the first 8 bytes, by Python's hmac.
    assert_eq!(known.id().as_str(), "kek-e04f54164a4939e2");
}

#[test]
fn only_a_private_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let check = |mode: u32, expected: &str| {
        let path = with(&folder, TEXT.as_bytes(), mode);
        assert_eq!(keeping_code(file(&path).load()), expected, "{mode:04o}");
        fs::remove_file(path).unwrap();
    };
    check(0o600, "ok");
    check(0o400, "ok");
    for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o700, 0o660, 0o444, 0o4600, 0o1600] {
        check(mode, "keeping.file_must_be_private");
    }
}

#[test]
fn only_a_regular_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = with(&folder, TEXT.as_bytes(), 0o600);
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    for place in [&link, &pipe, &inner, Path::new("/dev/null")] {
        assert_eq!(keeping_code(file(place).load()), "keeping.file_must_be_regular", "{}", place.display());
    }
    assert_eq!(keeping_code(file(&folder.path().join("none")).load()), "keeping.file_failed");
    assert_eq!(keeping_code(file(&folder.path().join("none/none")).load()), "keeping.file_failed");
}

#[test]
fn a_folder_of_everybody_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = with(&folder, TEXT.as_bytes(), 0o600);
    for mode in [0o777, 0o1777, 0o702] {
        fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            keeping_code(file(&path).load()),
            "keeping.folder_must_not_be_writable_by_all",
            "{mode:o}"
        );
        let made = file(&folder.path().join("new")).create_new();
        assert_eq!(keeping_code(made), "keeping.folder_must_not_be_writable_by_all", "{mode:o}");
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(keeping_code(file(&path).load()), "ok");
}

/// Only root can give a file away, and only root reads another's private file to see that it is refused.
#[test]
fn somebody_elses_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = with(&folder, TEXT.as_bytes(), 0o600);
    if std::os::unix::fs::chown(&path, Some(65534), None).is_err() {
        strongroom_testing::steps_aside("this process may not give a file away");
        return;
    }
    assert_eq!(keeping_code(file(&path).load()), "keeping.file_must_belong_to_the_user");
}

#[test]
fn only_32_bytes_of_base64_are_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let check = |content: &[u8], expected: &str| {
        let path = with(&folder, content, 0o600);
        assert_eq!(keeping_code(file(&path).load()), expected, "{:?}", content.escape_ascii().to_string());
    };
    let text = TEXT.trim_end();
    check(text.as_bytes(), "ok");
    check(format!("{text}\r\n").as_bytes(), "ok");
    for bytes in [0_usize, 16, 31, 33, 34, 64] {
        check(BASE64_STANDARD.encode(vec![1; bytes]).as_bytes(), "keeping.kek_must_be_32_bytes");
    }
    check(b"", "keeping.kek_must_be_32_bytes");
    check(&[7; 32], "keeping.kek_must_be_32_bytes");
    check("00".repeat(32).as_bytes(), "keeping.kek_must_be_32_bytes");
    check(format!(" {text}").as_bytes(), "keeping.kek_must_be_32_bytes");
    check(text.trim_end_matches('=').as_bytes(), "keeping.kek_must_be_32_bytes");
    check(format!("{text}\n{text}").as_bytes(), "keeping.kek_must_be_32_bytes");
    check(&[b'\n'; 1024], "keeping.kek_must_be_32_bytes");
    check(&[b'\n'; 1025], "keeping.file_must_be_short");
    for bytes in [0, 31, 33] {
        assert_eq!(
            keeping_code(Kek::from_secret(&Secret::new(vec![1; bytes]))),
            "keeping.kek_must_be_32_bytes"
        );
    }
}

/// The tests of this crate set no variable, since other threads read the environment; a process of its own has one.
#[test]
fn the_environment_gives_a_key_once_it_is_set() {
    let none = KekSource::Environment("STRONGROOM_TEST_NO_SUCH_KEK".to_owned());
    assert_eq!(keeping_code(none.load()), "keeping.variable_must_be_set");
    assert_eq!(keeping_code(none.create_new()), "keeping.kek_must_be_made_elsewhere");
    let name = "STRONGROOM_TEST_KEK";
    if std::env::var_os(name).is_some() {
        let known = Kek::from_secret(&Secret::new((0..32).collect())).unwrap();
        assert_eq!(KekSource::Environment(name.to_owned()).load().unwrap().id(), known.id());
        return;
    }
    let this = "keeping::the_environment_gives_a_key_once_it_is_set";
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    let output = again.args(["--exact", this]).env(name, TEXT).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn an_option_names_a_place() {
    let check = |option: &str, expected: &str| {
        let found = option.parse::<KekSource>();
        if let Ok(source) = &found {
            assert_eq!(source.to_string(), option);
        }
        assert_eq!(keeping_code(found), expected, "{option}");
    };
    check("file:/etc/strongroom/kek", "ok");
    check("file:kek", "ok");
    check("env:STRONGROOM_KEK", "ok");
    check("pkcs11:token=room;object=kek?module-path=/usr/lib/p11.so&pin-source=file:/etc/pin", "ok");
    check("pkcs11:serial=01ab;object=kek?module-path=/usr/lib/p11.so&pin-source=env:PIN", "ok");
    check("pkcs11:token=my%20room%3B;serial=1;object=a%25?module-path=/p.so&pin-source=env:PIN", "ok");
    let long = format!("pkcs11:token={};object=a?module-path=/p.so&pin-source=env:P", "t".repeat(5000));
    for malformed in [
        "",
        "kek",
        "/etc/strongroom/kek",
        "file:",
        "env:",
        "env:A B",
        "env:A=B",
        "http:kek",
        "FILE:/kek",
        "pkcs11:",
        "pkcs11:token=a;object=b",
        "pkcs11:object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=a?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=a;object=b?pin-source=env:P",
        "pkcs11:token=a;object=b?module-path=/p.so",
        "pkcs11:token=a;object=b?module-path=p.so&pin-source=env:P",
        "pkcs11:token=a;object=b?module-path=/p.so&pin-source=1234",
        "pkcs11:token=a;object=b?module-path=/p.so&pin-source=file:",
        "pkcs11:token=a;token=b;object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=a;object=b;type=private?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=a;module-path=/p.so;object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=;object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=%;object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=%4;object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=%zz;object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=%+1;object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=%00;object=b?module-path=/p.so&pin-source=env:P",
        "pkcs11:token=%ff;object=b?module-path=/p.so&pin-source=env:P",
        &long,
    ] {
        check(malformed, "keeping.source_must_be_well_formed");
    }
    check(
        "pkcs11:token=a;object=b?module-path=/p.so&pin-value=1234",
        "keeping.pin_must_not_be_in_the_option",
    );
}

#[cfg(not(feature = "pkcs11"))]
#[test]
fn a_token_needs_the_feature() {
    let option = "pkcs11:token=room;object=kek?module-path=/usr/lib/p11.so&pin-source=file:/etc/pin";
    let source: KekSource = option.parse().unwrap();
    assert_eq!(keeping_code(source.load()), "keeping.pkcs11_must_be_built_in");
    assert_eq!(keeping_code(source.create_new()), "keeping.pkcs11_must_be_built_in");
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The first two tests of RFC 8032 section 7.1.
#[test]
fn a_log_key_is_the_seed_of_rfc_8032() {
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = with(&folder, BASE64_STANDARD.encode(bytes(seed)).as_bytes(), 0o600);
        let key = file(&path).load_log_key().unwrap();
        assert_eq!(key.public().to_vec(), bytes(public));
        assert_eq!(key.sign(&bytes(message)).unwrap().to_vec(), bytes(signature));
    }
}

#[test]
fn a_log_key_is_kept_as_carefully_as_a_key_encryption_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log-key");
    let made = file(&path).create_log_key().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(file(&path).load_log_key().unwrap().public(), made.public());
    assert_eq!(keeping_code(file(&path).create_log_key()), "keeping.file_must_not_exist");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert_eq!(keeping_code(file(&path).load_log_key()), "keeping.file_must_be_private");
    fs::write(&path, "c2hvcnQ=").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(keeping_code(file(&path).load_log_key()), "keeping.kek_must_be_32_bytes");
    assert!(!format!("{made:?}").contains('['), "{made:?}");
}
