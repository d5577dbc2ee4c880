//! Boxes for one receiver and one purpose; PyPI's cryptography opens ours, and ours open its.

use proptest::prelude::*;
use strongroom_testing::interop;
use strongroom_vault::sealed_box::{self, ReceiverKey, ReceiverSecret, SealedBoxError};
use strongroom_vault::{SECRET_BYTES_MAX, Secret};

const INFO: &[u8] = b"hmac-credential lineage.1";

/// A key pair and a box of "a secret for the other side" for `INFO`, all made by PyPI's cryptography 50.0.2.
const THEIR_SECRET: &str = "x25519-secret:MMgFbvUTtunV_0-dWs9nHgYhT85l6D9SeBrM4orFi2E";
const THEIR_KEY: &str = "x25519:kiS87jGUXNoLwJU0ZDbSlnrt-DJ6KMxXPdgBx8H_PFY";
const THEIR_BOX: &str = "sb1.hxzXLMFBT1mtpgyRyJUmUiejO1oZ7sGxS8_ihiUzGD4.6X5RBlkWlqGZPxtrEuCbZEM92xF6GFuT7a-xoFQeMxY7kNEFrcQrwuVpiw";

fn code<T>(result: Result<T, SealedBoxError>) -> &'static str {
    result.err().map_or("ok", SealedBoxError::code)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_box_opens_for_its_receiver_and_purpose_alone() {
    let (receiver, other) = (ReceiverSecret::generate().unwrap(), ReceiverSecret::generate().unwrap());
    for length in [0, 1, 32, SECRET_BYTES_MAX] {
        let secret = Secret::random(length).unwrap();
        let text = sealed_box::seal_to(&receiver.public(), INFO, &secret).unwrap();
        assert!(sealed_box::open(&receiver, INFO, &text).unwrap() == secret, "{length} bytes");
        for (key, info) in [(&other, INFO), (&receiver, b"hmac-credential lineage.2"), (&receiver, b"")] {
            assert_eq!(code(sealed_box::open(key, info, &text)), "sealed_box.box_must_be_unaltered");
        }
    }
    let longer = Secret::random(SECRET_BYTES_MAX + 1).unwrap();
    let sealed = sealed_box::seal_to(&receiver.public(), INFO, &longer);
    assert_eq!(code(sealed), "sealed_box.secret_must_be_shorter");
}

#[test]
fn a_known_box_of_another_program_opens() {
    let receiver = ReceiverSecret::from_text(THEIR_SECRET).unwrap();
    assert_eq!(receiver.public().to_string(), THEIR_KEY);
    assert!(receiver.to_text().expose_text() == Some(THEIR_SECRET));
    let opened = sealed_box::open(&receiver, INFO, THEIR_BOX).unwrap();
    assert_eq!(opened.expose_text(), Some("a secret for the other side"));
}

#[test]
fn every_changed_character_is_refused() {
    let receiver = ReceiverSecret::from_text(THEIR_SECRET).unwrap();
    for at in 0..THEIR_BOX.len() {
        for bit in 0..7 {
            let mut bytes = THEIR_BOX.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let text = String::from_utf8(bytes).unwrap();
            // The top bit of an X25519 point is ignored (RFC 7748 section 5), but HPKE has the bytes in its context.
            assert_ne!(code(sealed_box::open(&receiver, INFO, &text)), "ok", "{text}");
        }
    }
}

#[test]
fn no_two_boxes_are_alike() {
    let receiver = ReceiverSecret::generate().unwrap();
    let boxes: std::collections::BTreeSet<String> = (0..100)
        .flat_map(|_| {
            let text = sealed_box::seal_to(&receiver.public(), INFO, &Secret::new(vec![7; 32])).unwrap();
            text.split('.').skip(1).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(boxes.len(), 200);
}

/// The points of low order in RFC 7748's encoding: the shared secret would be zero, whoever the sender is.
#[test]
fn nothing_is_sealed_to_a_key_that_everybody_has() {
    let point = |hex: &str| {
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..64).step_by(2).map(byte).collect();
        ReceiverKey::from_bytes(bytes.try_into().unwrap())
    };
    for low in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let sealed = sealed_box::seal_to(&point(low), INFO, &Secret::new(vec![7; 32]));
        assert_eq!(code(sealed), "sealed_box.key_must_be_of_high_order", "{low}");
    }
}

#[test]
fn keys_and_boxes_have_one_form() {
    let check_key = |text: &str, expected: &str| {
        assert_eq!(code(text.parse::<ReceiverKey>()), expected, "{text}");
        let private = text.replacen("x25519:", "x25519-secret:", 1);
        let expected = expected.replace("key_must", "private_key_must");
        assert_eq!(code(ReceiverSecret::from_text(&private)), expected, "{private}");
    };
    check_key(THEIR_KEY, "ok");
    let malformed = "sealed_box.key_must_be_well_formed";
    for text in ["", "x25519:", "x25519:AAAA", &THEIR_KEY[1..], &THEIR_KEY[7..], &THEIR_KEY[..49]] {
        check_key(text, malformed);
    }
    check_key(&format!("{THEIR_KEY}="), malformed);
    check_key(&format!("{THEIR_KEY}\n"), malformed);
    check_key(&format!("{THEIR_KEY}A"), malformed);
    check_key(&THEIR_KEY.to_uppercase(), malformed);
    // One is not taken for the other.
    assert_eq!(code(THEIR_SECRET.parse::<ReceiverKey>()), malformed);
    let swapped = code(ReceiverSecret::from_text(THEIR_KEY));
    assert_eq!(swapped, "sealed_box.private_key_must_be_well_formed");

    let receiver = ReceiverSecret::from_text(THEIR_SECRET).unwrap();
    let huge = format!("sb1.{}.{}", "A".repeat(43), "A".repeat(1 << 20));
    for text in ["", "sb1.", "sb1.AAAA.AAAA", &THEIR_BOX[4..], &THEIR_BOX.replacen("sb1", "sb2", 1), &huge] {
        let opened = sealed_box::open(&receiver, INFO, text);
        assert_eq!(code(opened), "sealed_box.box_must_be_well_formed", "{:.60}", text);
    }
}

#[test]
fn another_program_opens_what_is_sealed() {
    let Some(folder) = interop::installed(env!("CARGO_TARGET_TMPDIR")) else { return };
    let receiver = ReceiverSecret::generate().unwrap();
    let secrets: Vec<Secret> = [0, 1, 32, 64, 1000].map(|length| Secret::random(length).unwrap()).into();
    let seal = |secret| sealed_box::seal_to(&receiver.public(), INFO, secret).unwrap();
    let input = serde_json::json!({
        "private": receiver.to_text().expose_text(),
        "info": std::str::from_utf8(INFO).unwrap(),
        "boxes": secrets.iter().map(seal).collect::<Vec<_>>(),
    });
    let mut judge = interop::python(&folder, "hpke_judge.py");
    let opened = interop::answer(judge.arg("open"), &input.to_string());
    let opened: Vec<String> = serde_json::from_str(&opened).unwrap();
    assert_eq!(opened, secrets.iter().map(|secret| hex(secret.expose())).collect::<Vec<_>>());
}

#[test]
fn what_another_program_seals_opens() {
    let Some(folder) = interop::installed(env!("CARGO_TARGET_TMPDIR")) else { return };
    let receiver = ReceiverSecret::generate().unwrap();
    let secrets: Vec<Secret> = [0, 1, 32, 64, 1000].map(|length| Secret::random(length).unwrap()).into();
    let input = serde_json::json!({
        "public": receiver.public().to_string(),
        "info": std::str::from_utf8(INFO).unwrap(),
        "contents": secrets.iter().map(|secret| hex(secret.expose())).collect::<Vec<_>>(),
    });
    let mut judge = interop::python(&folder, "hpke_judge.py");
    let sealed = interop::answer(judge.arg("seal"), &input.to_string());
    let sealed: Vec<String> = serde_json::from_str(&sealed).unwrap();
    assert_eq!(sealed.len(), secrets.len());
    for (text, secret) in sealed.iter().zip(&secrets) {
        assert!(sealed_box::open(&receiver, INFO, text).unwrap() == *secret);
    }
}

proptest! {
    #[test]
    fn any_text_is_opened_or_refused(text in "(sb1\\.)?[A-Za-z0-9_.-]{0,120}") {
        let receiver = ReceiverSecret::from_text(THEIR_SECRET).unwrap();
        prop_assert_ne!(code(sealed_box::open(&receiver, INFO, &text)), "ok");
    }
}
