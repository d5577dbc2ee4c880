//! A key-encryption key in a token: it wraps, it stays, and only a fit one is used.

use crate::{Token, code, in_fresh_token};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use strongroom_testing::leaks::Scanner;
use strongroom_vault::{Identity, KeepingError, Kek, KekSource, Sealed, Secret, Vault, VaultError};

fn identity(id: &str) -> Identity<'_> {
    Identity::try_new("hmac-credential", id).unwrap()
}

fn source(uri: &str) -> KekSource {
    uri.parse().unwrap()
}

fn vault_code<T>(result: Result<T, VaultError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

/// An AES key as somebody else might have put it there.
fn put(token: &Token, label: &str, changes: &[Attribute]) {
    let mut template = vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(label.into()),
        Attribute::Id(vec![1, 0xab]),
        Attribute::Value((0..32).collect()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ];
    for change in changes {
        template.retain(|attribute| attribute.attribute_type() != change.attribute_type());
        template.push(change.clone());
    }
    token.session().create_object(&template).unwrap();
}

#[test]
fn what_a_token_wraps_opens_after_a_restart() {
    in_fresh_token("kek::what_a_token_wraps_opens_after_a_restart", |token| {
        let made = source(&token.uri("kek")).create_new().unwrap();
        let secret = Secret::random(32).unwrap();
        let text = Vault::new(made.clone()).seal(&identity("a.1"), &secret).unwrap().to_string();
        // As another process would find it, with the PIN from another place.
        let again = token.at("token=strongroom;object=kek", "env:STRONGROOM_TEST_PIN");
        let found = source(&again).load().unwrap();
        assert_eq!(found.id(), made.id());
        let vault = Vault::new(found);
        assert!(vault.open(&identity("a.1"), &text.parse().unwrap()).unwrap() == secret);
        let moved = vault.open(&identity("a.2"), &text.parse().unwrap());
        assert_eq!(vault_code(moved), "vault.record_must_be_unaltered");
    });
}

#[test]
fn every_changed_byte_of_the_data_key_is_refused() {
    in_fresh_token("kek::every_changed_byte_of_the_data_key_is_refused", |token| {
        let vault = Vault::new(source(&token.uri("kek")).create_new().unwrap());
        let text = vault.seal(&identity("a.1"), &Secret::random(32).unwrap()).unwrap().to_string();
        let parts: Vec<&str> = text.split('.').collect();
        let data_key = BASE64_URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        for at in 0..data_key.len() {
            let mut changed = data_key.clone();
            changed[at] ^= 1;
            let changed = BASE64_URL_SAFE_NO_PAD.encode(changed);
            let changed: Sealed = [parts[0], parts[1], &changed, parts[3]].join(".").parse().unwrap();
            let found = vault_code(vault.open(&identity("a.1"), &changed));
            assert_eq!(found, "vault.record_must_be_unaltered", "byte {at}");
        }
    });
}

/// The independent judge: the token was given a known key, and AWS-LC opens what the token wrapped, by the form that
/// the documentation of `Sealed` gives.
#[test]
fn a_token_wraps_as_the_form_says() {
    in_fresh_token("kek::a_token_wraps_as_the_form_says", |token| {
        put(token, "known", &[]);
        let kek = source(&token.uri("known")).load().unwrap();
        assert_eq!(kek.id().as_str(), "hsm-01ab");
        let secret = Secret::random(32).unwrap();
        let text = Vault::new(kek).seal(&identity("a.1"), &secret).unwrap().to_string();
        let parts: Vec<&str> = text.split('.').collect();
        let open = |key: &[u8], sealed: &str, associated: &[&str]| {
            let mut sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).unwrap();
            let mut framed = Vec::new();
            for part in associated {
                framed.extend([&[0; 7][..], &[u8::try_from(part.len()).unwrap()], part.as_bytes()].concat());
            }
            let (nonce, text) = sealed.split_at_mut(12);
            let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
            key.open_in_place(nonce, Aad::from(framed), text).unwrap().to_vec()
        };
        let key: Vec<u8> = (0..32).collect();
        let names = ["strongroom-vault/1 data key", "hsm-01ab", "hmac-credential", "a.1"];
        let data_key = open(&key, parts[2], &names);
        let names = ["strongroom-vault/1 record", "hmac-credential", "a.1"];
        assert!(open(&data_key, parts[3], &names) == secret.expose());
    });
}

#[test]
fn a_key_that_was_made_cannot_leave() {
    in_fresh_token("kek::a_key_that_was_made_cannot_leave", |token| {
        source(&token.uri("kek")).create_new().unwrap();
        let session = token.session();
        let found = session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap();
        let [key] = found.as_slice() else { panic!("{} keys", found.len()) };
        assert_eq!(session.get_attributes(*key, &[AttributeType::Value]).unwrap_or_default(), []);
        let wanted = [AttributeType::NeverExtractable, AttributeType::AlwaysSensitive, AttributeType::Local];
        let facts = session.get_attributes(*key, &wanted).unwrap();
        let never = Attribute::NeverExtractable(true);
        assert_eq!(facts, [never, Attribute::AlwaysSensitive(true), Attribute::Local(true)]);
        assert!(session.wrap_key(&Mechanism::AesKeyWrap, *key, *key).is_err());
        for change in [Attribute::Extractable(true), Attribute::Sensitive(false), Attribute::Wrap(true)] {
            assert!(session.update_attributes(*key, &[change]).is_err());
        }
    });
}

#[test]
fn only_a_fit_key_is_used() {
    in_fresh_token("kek::only_a_fit_key_is_used", |token| {
        let check = |label: &str, changes: &[Attribute], expected: &str| {
            put(token, label, changes);
            assert_eq!(code(source(&token.uri(label)).load()), expected, "{label}");
        };
        check("fit", &[], "ok");
        check("extractable", &[Attribute::Extractable(true)], "keeping.object_must_fit");
        check("shown", &[Attribute::Sensitive(false)], "keeping.object_must_fit");
        check("short", &[Attribute::Value(vec![1; 16])], "keeping.object_must_fit");
        check("mute", &[Attribute::Encrypt(false)], "keeping.object_must_fit");
        check("deaf", &[Attribute::Decrypt(false)], "keeping.object_must_fit");
        check("nameless", &[Attribute::Id(vec![])], "keeping.object_must_fit");
        check("long", &[Attribute::Id(vec![1; 17])], "keeping.object_must_fit");
        check("generic", &[Attribute::KeyType(KeyType::GENERIC_SECRET)], "keeping.object_must_fit");
        check("fit", &[], "keeping.object_must_be_the_only_one");
    });
}

#[test]
fn a_wrong_way_to_a_key_has_its_own_error() {
    in_fresh_token("kek::a_wrong_way_to_a_key_has_its_own_error", |token| {
        source(&token.uri("kek")).create_new().unwrap();
        let pin = token.pin_file("pin");
        let check = |uri: String, expected: &str| assert_eq!(code(source(&uri).load()), expected, "{uri}");
        check(token.uri("kek"), "ok");
        let serial = token.serial();
        check(token.at(&format!("serial={serial};object=kek"), &pin), "ok");
        check(token.at(&format!("token=strongroom;serial={serial};object=kek"), &pin), "ok");
        let mixed = token.at(&format!("token=other;serial={serial};object=kek"), &pin);
        check(mixed, "keeping.token_must_be_the_only_one");
        check(token.uri("kok"), "keeping.object_must_be_the_only_one");
        check(token.at("token=nobody;object=kek", &pin), "keeping.token_must_be_the_only_one");
        check(token.at("serial=00;object=kek", &pin), "keeping.token_must_be_the_only_one");
        check(token.at("token=other;object=kek", &pin), "keeping.object_must_be_the_only_one");
        check(token.at("token=strongroom;object=kek", &token.pin_file("none")), "keeping.file_failed");
        check(token.at("token=strongroom;object=kek", "env:NO_SUCH_PIN"), "keeping.variable_must_be_set");
        check(token.uri("kek").replace("libsofthsm2", "libnone"), "keeping.token_failed");
        assert_eq!(code(source(&token.uri("kek")).create_new()), "keeping.object_must_not_exist");
        check(token.uri("kek"), "ok");
    });
}

/// The first login of a process decides: a token that is logged in asks for no PIN again.
#[test]
fn a_wrong_pin_is_refused_without_being_shown() {
    in_fresh_token("kek::a_wrong_pin_is_refused_without_being_shown", |token| {
        let wrong = token.at("token=strongroom;object=kek", &token.pin_file("wrong-pin"));
        let error = source(&wrong).load().err().unwrap();
        assert_eq!(error.code(), "keeping.token_failed");
        let KeepingError::TokenFailed { source: cause, .. } = &error else { panic!("{error:?}") };
        let said = format!("{error} {error:?} {cause} {cause:?}");
        assert!(said.contains("PinIncorrect"), "{said}");
        let pin = std::fs::read(token.folder.join("wrong-pin")).unwrap();
        assert_eq!(Scanner::new([("pin", pin.as_slice())]).bytes("error", said.as_bytes()), []);
    });
}

#[test]
fn a_forgotten_session_is_opened_anew() {
    in_fresh_token("kek::a_forgotten_session_is_opened_anew", |token| {
        let vault = Vault::new(source(&token.uri("kek")).create_new().unwrap());
        let secret = Secret::random(32).unwrap();
        let sealed = vault.seal(&identity("a.1"), &secret).unwrap();
        // A logout is the whole token's: it takes private objects from every session of the process.
        token.session().logout().unwrap();
        assert!(vault.open(&identity("a.1"), &sealed).unwrap() == secret);
        token.session().logout().unwrap();
        let sealed = vault.seal(&identity("a.2"), &secret).unwrap();
        assert!(vault.open(&identity("a.2"), &sealed).unwrap() == secret);
    });
}

#[test]
fn a_key_that_is_gone_is_no_altered_record() {
    in_fresh_token("kek::a_key_that_is_gone_is_no_altered_record", |token| {
        let vault = Vault::new(source(&token.uri("kek")).create_new().unwrap());
        let sealed = vault.seal(&identity("a.1"), &Secret::random(32).unwrap()).unwrap();
        let session = token.session();
        let found = session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap();
        session.destroy_object(found[0]).unwrap();
        assert_eq!(vault_code(vault.open(&identity("a.1"), &sealed)), "vault.kek_failed");
        // Another key under the same label is not taken for it.
        source(&token.uri("kek")).create_new().unwrap();
        assert_eq!(vault_code(vault.open(&identity("a.1"), &sealed)), "vault.kek_failed");
    });
}

#[test]
fn records_move_from_a_file_into_the_token_and_on() {
    in_fresh_token("kek::records_move_from_a_file_into_the_token_and_on", |token| {
        let file = KekSource::File(token.folder.join("kek")).create_new().unwrap();
        let (one, two) = ["one", "two"].map(|label| source(&token.uri(label)).create_new().unwrap()).into();
        let mut vault = Vault::new(file);
        let secret = Secret::random(32).unwrap();
        let mut sealed = vault.seal(&identity("a.1"), &secret).unwrap();
        for next in [one, two] {
            let before: Kek = next.clone();
            let old = vault.current_kek().clone();
            vault.rotate(next).unwrap();
            assert!(vault.open(&identity("a.1"), &sealed).unwrap() == secret);
            sealed = vault.rewrap(&identity("a.1"), &sealed).unwrap();
            vault.drop_former(&old).unwrap();
            assert_eq!(sealed.kek_id(), before.id());
            assert!(vault.open(&identity("a.1"), &sealed).unwrap() == secret);
        }
    });
}

#[test]
fn threads_share_a_token() {
    in_fresh_token("kek::threads_share_a_token", |token| {
        let vault = Vault::new(source(&token.uri("kek")).create_new().unwrap());
        let opened = std::thread::scope(|scope| {
            let work = |number: usize| {
                let (vault, id) = (&vault, format!("a.{number}"));
                let once = move |_| {
                    let secret = Secret::random(32).unwrap();
                    let sealed = vault.seal(&identity(&id), &secret).unwrap();
                    vault.open(&identity(&id), &sealed).unwrap() == secret
                };
                scope.spawn(move || (0..20).map(once).filter(|same| *same).count())
            };
            let running: Vec<_> = (0..4).map(work).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(opened, 80);
    });
}
