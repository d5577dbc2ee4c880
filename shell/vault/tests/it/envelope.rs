//! What is sealed opens under its own identity and no other, whole and no otherwise.

use crate::{code, identity, kek, vault};
use proptest::prelude::*;
use strongroom_vault::{Identity, Kek, SECRET_BYTES_MAX, Sealed, Secret, Vault};

#[test]
fn what_is_sealed_opens() {
    let vault = vault();
    for length in [0, 1, 15, 16, 17, 32, 64, 4096, SECRET_BYTES_MAX] {
        let secret = Secret::random(length).unwrap();
        let text = vault.seal(&identity("a.1"), &secret).unwrap().to_string();
        let sealed: Sealed = text.parse().unwrap();
        assert_eq!(sealed.to_string(), text);
        assert!(vault.open(&identity("a.1"), &sealed).unwrap() == secret, "{length} bytes");
    }
    let longer = Secret::random(SECRET_BYTES_MAX + 1).unwrap();
    assert_eq!(code(vault.seal(&identity("a.1"), &longer)), "vault.secret_must_be_shorter");
}

/// Sealed by PyPI's cryptography under the key of 32 bytes that count up, by what the documentation of `Sealed` and
/// `Identity` says: the form must not change while a database has such records.
#[test]
fn what_was_sealed_long_ago_opens() {
    let parts = [
        "sv1.kek-e04f54164a4939e2.x9ePqrr1f7uE86Rn5M67zHfcH88AN8uP07Z",
        "m-7CdkWx3kxSsAuw0w-tdeyA0FgLZKeUGCL22dYOpmNvO.uCDd4ITGmM0GVTzJbCaSJTGclcz4CQdwCM9yZROn3P2K",
        "3Dmntzoly_Rq75u7pqdN9yMMjw",
    ];
    let vault = Vault::new(Kek::from_secret(&Secret::new((0..32).collect())).unwrap());
    let opened = vault.open(&identity("lineage.1"), &parts.concat().parse().unwrap()).unwrap();
    assert_eq!(opened.expose_text(), Some("what was sealed long ago"));
}

#[test]
fn a_row_moved_to_another_record_is_refused() {
    let vault = vault();
    let sealed = vault.seal(&identity("a.1"), &Secret::random(32).unwrap()).unwrap();
    let check = |purpose: &str, id: &str, expected: &str| {
        let found = code(vault.open(&Identity::try_new(purpose, id).unwrap(), &sealed));
        assert_eq!(found, expected, "{purpose} {id}");
    };
    check("hmac-credential", "a.1", "ok");
    check("hmac-credential", "a.2", "vault.record_must_be_unaltered");
    check("hmac-credential", "b.1", "vault.record_must_be_unaltered");
    check("server-key", "a.1", "vault.record_must_be_unaltered");
    // The same characters, divided elsewhere.
    check("hmac-credentiala", ".1", "vault.record_must_be_unaltered");
    check("hmac-credential.a", "1", "vault.record_must_be_unaltered");
}

#[test]
fn halves_of_two_records_do_not_make_a_third() {
    let vault = vault();
    let texts: Vec<String> = ["a.1", "a.1", "b.1"]
        .map(|id| vault.seal(&identity(id), &Secret::random(32).unwrap()).unwrap().to_string())
        .into();
    let parts: Vec<Vec<&str>> = texts.iter().map(|text| text.split('.').collect()).collect();
    for (data_key, record, expected) in
        [(0, 0, "ok"), (1, 0, "vault.record_must_be_unaltered"), (2, 0, "vault.record_must_be_unaltered")]
    {
        let text = [parts[0][0], parts[0][1], parts[data_key][2], parts[record][3]].join(".");
        assert_eq!(code(vault.open(&identity("a.1"), &text.parse().unwrap())), expected);
    }
}

#[test]
fn every_flipped_bit_of_the_text_is_refused() {
    let vault = vault();
    let text = vault.seal(&identity("a.1"), &Secret::random(32).unwrap()).unwrap().to_string();
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for at in 0..text.len() {
        for bit in 0..7 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            let found = code(changed.parse().and_then(|sealed| vault.open(&identity("a.1"), &sealed)));
            *seen.entry(found).or_default() += 1;
        }
    }
    assert!(!seen.contains_key("ok"), "{seen:?}");
    assert_eq!(seen.len(), 3, "malformed, unknown key and altered are all met: {seen:?}");
}

#[test]
fn only_the_exact_form_is_read() {
    let good = vault().seal(&identity("a.1"), &Secret::random(32).unwrap()).unwrap().to_string();
    let parts: Vec<&str> = good.split('.').collect();
    let check = |text: String| {
        assert_eq!(code(text.parse::<Sealed>()), "vault.sealed_must_be_well_formed", "{text}");
    };
    check(String::new());
    check(good.replacen("sv1", "sv2", 1));
    check(format!("{good}."));
    check(format!(" {good}"));
    check(format!("{good}="));
    check(format!("{good}\n"));
    check(good.to_uppercase());
    check(parts[..3].join("."));
    check([parts[0], "", parts[2], parts[3]].join("."));
    check([parts[0], parts[1], &parts[2][4..], parts[3]].join("."));
    check([parts[0], parts[1], parts[2], "AAAA"].join("."));
    check([parts[0], &"k".repeat(65), parts[2], parts[3]].join("."));
    check("A".repeat(1 << 20));
}

#[test]
fn a_key_that_is_not_there_is_named() {
    let sealed = vault().seal(&identity("a.1"), &Secret::random(32).unwrap()).unwrap();
    let error = Vault::new(kek(2)).open(&identity("a.1"), &sealed).err().unwrap();
    assert_eq!(error.code(), "vault.kek_must_be_known");
    assert!(error.to_string().contains(kek(1).id().as_str()), "{error}");
}

#[test]
fn each_record_has_a_data_key_of_its_own() {
    let (vault, secret) = (vault(), Secret::new(vec![7; 32]));
    let texts: std::collections::BTreeSet<String> = (0..100)
        .flat_map(|_| {
            let text = vault.seal(&identity("a.1"), &secret).unwrap().to_string();
            text.split('.').skip(2).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(texts.len(), 200);
}

#[test]
fn an_identity_is_short_visible_text() {
    let long = "x".repeat(129);
    for (purpose, id) in
        [("", "a"), ("a", ""), ("a b", "c"), ("a", "b\n"), ("ä", "b"), (&long, "b"), ("a", &long)]
    {
        assert_eq!(code(Identity::try_new(purpose, id)), "vault.identity_must_be_visible_text");
    }
    assert_eq!(code(Identity::try_new(&long[..128], "lineage.1")), "ok");
}

#[test]
fn secrets_are_equal_by_their_bytes() {
    let secret = |text: &str| Secret::from_text(text.to_owned());
    assert!(secret("abc") == secret("abc"));
    for other in ["abd", "bbc", "ab", "abcd", ""] {
        assert!(secret("abc") != secret(other), "{other}");
    }
    assert_eq!(secret("abc").expose_text(), Some("abc"));
    assert_eq!(Secret::new(vec![0xff]).expose_text(), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,300}") {
        if let Ok(sealed) = text.parse::<Sealed>() {
            prop_assert_eq!(sealed.to_string(), text);
        }
    }

    #[test]
    fn any_secret_opens_under_its_identity_alone(
        secret in proptest::collection::vec(any::<u8>(), 0..200),
        id in "[!-~]{1,128}",
        other in "[!-~]{1,128}",
    ) {
        let vault = vault();
        let sealed = vault.seal(&identity(&id), &Secret::copy_of(&secret)).unwrap();
        let opened = vault.open(&identity(&id), &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &secret[..]);
        prop_assert_eq!(id == other, vault.open(&identity(&other), &sealed).is_ok());
    }
}
