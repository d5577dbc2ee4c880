//! The leaf of an event, and what may be erased behind it.

use proptest::prelude::*;
use strongroom_audit::{AuditError, Content, Entry, Hash, Written, leaf_hash};

const SALT: [u8; 16] = [5; 16];

fn content<'e>() -> Content<'e> {
    Content { at: "2026-01-02T21:00:00Z", actor: "ap/acme", body: "{\"units\":40}", salt: &SALT }
}

fn entry<'e>() -> Entry<'e> {
    Entry {
        written: Written::WithEvent,
        stream: "fund/BTCX",
        seq: 7,
        recorded_at: "2026-01-02T21:00:01Z",
        kind: "OrderPlaced",
        commitment: content().commitment(),
    }
}

#[test]
fn an_entry_has_the_bytes_of_its_specification() {
    let expected = [
        &[1_u8][..],
        &[0, 9],
        b"fund/BTCX",
        &[0, 0, 0, 0, 0, 0, 0, 7],
        &[0, 20],
        b"2026-01-02T21:00:01Z",
        &[0, 11],
        b"OrderPlaced",
        content().commitment().as_bytes(),
    ]
    .concat();
    assert_eq!(entry().to_bytes().unwrap(), expected);
    assert_eq!(entry().leaf_hash().unwrap(), leaf_hash(&expected));
    assert_eq!(Entry::parse(&expected), Ok(entry()));
    let committed = [
        &SALT[..],
        &[0, 0, 0, 0, 0, 0, 0, 20],
        b"2026-01-02T21:00:00Z",
        &[0, 0, 0, 0, 0, 0, 0, 7],
        b"ap/acme",
        &[0, 0, 0, 0, 0, 0, 0, 12],
        b"{\"units\":40}",
    ]
    .concat();
    // A leaf hash of RFC 6962 is SHA-256 behind a byte 0x00; here it is plain SHA-256.
    let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(committed).into();
    assert_eq!(content().commitment(), Hash::new(digest));
}

#[test]
fn what_is_erased_leaves_the_entry_as_it_is() {
    let before = entry().to_bytes().unwrap();
    let hidden = ["ap/acme", "units", "2026-01-02T21:00:00Z"];
    for text in hidden {
        assert!(!before.windows(text.len()).any(|window| window == text.as_bytes()), "{text} shows");
    }
    // Without the content the commitment is kept, and with it entry and leaf.
    let kept = Entry { commitment: entry().commitment, ..entry() };
    assert_eq!(kept.leaf_hash(), entry().leaf_hash());
}

#[test]
fn fields_out_of_their_bounds_make_no_leaf() {
    let (stream, field) = ("s".repeat(201), "f".repeat(1_001));
    for (entry, name) in [
        (Entry { stream: "", ..entry() }, "stream"),
        (Entry { stream: &stream, ..entry() }, "stream"),
        (Entry { recorded_at: &field, ..entry() }, "recorded_at"),
        (Entry { kind: &field, ..entry() }, "kind"),
    ] {
        let mut buffer = vec![1];
        assert_eq!(entry.write(&mut buffer), Err(AuditError::LeafFieldMustBeWithinBounds(name)));
        assert_eq!(buffer, [1]);
    }
    assert!(Entry { stream: &stream[1..], kind: &field[1..], recorded_at: "", ..entry() }.to_bytes().is_ok());
}

#[test]
fn bytes_that_are_no_entry_are_refused() {
    let good = entry().to_bytes().unwrap();
    for length in 0..good.len() {
        assert_eq!(Entry::parse(&good[..length]), Err(AuditError::EntryMustBeWellFormed), "{length}");
    }
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    // An unknown version, a length that is another, a stream that is no UTF-8, a byte too many.
    for bytes in [
        changed(0, 0),
        changed(0, 3),
        changed(2, 8),
        changed(2, 0),
        changed(3, 0xff),
        [&good[..], &[0]].concat(),
    ] {
        assert_eq!(Entry::parse(&bytes), Err(AuditError::EntryMustBeWellFormed));
    }
}

#[test]
fn an_entry_without_a_stream_is_none() {
    let good = entry().to_bytes().unwrap();
    let nameless = [&[1, 0, 0], &good[3 + "fund/BTCX".len()..]].concat();
    assert_eq!(Entry::parse(&nameless), Err(AuditError::EntryMustBeWellFormed));
    let named = [&[1, 0, 1, b'f'], &good[3 + "fund/BTCX".len()..]].concat();
    assert_eq!(Entry::parse(&named), Ok(Entry { stream: "f", ..entry() }));
}

fn field() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a-z\u{e9}\u{0}]{0,6}").unwrap()
}

proptest! {
    /// Texts so short that different ones often have the same characters one after the other.
    #[test]
    fn different_events_have_different_leaves(
        one in (field(), 0_u64..3, field(), field(), field(), field(), field()),
        other in (field(), 0_u64..3, field(), field(), field(), field(), field()),
    ) {
        let leaf = |(stream, seq, recorded_at, kind, at, actor, body): &(String, u64, String, String, String, String, String)| {
            let commitment = Content { at, actor, body, salt: &SALT }.commitment();
            Entry { written: Written::Later, stream: &format!("s{stream}"), seq: *seq, recorded_at, kind, commitment }
                .leaf_hash().unwrap()
        };
        prop_assert_eq!(one == other, leaf(&one) == leaf(&other));
        // The same characters, one field further.
        let moved = (one.0.clone(), one.1, one.2.clone(), one.3.clone(), format!("{}a", one.4), one.5.clone(), one.6.clone());
        let back = (one.0.clone(), one.1, one.2.clone(), one.3.clone(), one.4.clone(), format!("a{}", one.5), one.6.clone());
        prop_assert!(leaf(&moved) != leaf(&back));
    }

    #[test]
    fn a_salt_changes_the_commitment(salt in any::<[u8; 16]>()) {
        prop_assume!(salt != SALT);
        prop_assert_ne!(Content { salt: &salt, ..content() }.commitment(), content().commitment());
    }
}
