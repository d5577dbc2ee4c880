//! Signed notes, checkpoints and cosignatures.

use crate::common::{Signing, leaves, root_by_definition};
use proptest::prelude::*;
use strongroom_audit::{
    AuditError, Checkpoint, KeyKind, NoteSignature, SignedNote, VerifiedSignature, VerifierKey, empty_root,
};

/// The example of golang.org/x/mod/sumdb/note: two keys, the seed of the first, a text, and its signatures.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_SEED: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// The example of C2SP tlog-cosignature: its keys are not published, its form is.
const C2SP_CHECKPOINT: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const C2SP_LINES: [&str; 2] = [
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n",
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n",
];

const MALFORMED: &str = "audit.note_must_be_well_formed";

fn log() -> Signing {
    Signing::new("fund.example/log", KeyKind::Note, 1)
}

fn witness() -> Signing {
    Signing::new("witness.example/w1", KeyKind::Cosignature, 2)
}

fn checkpoint() -> Checkpoint {
    Checkpoint::try_new("fund.example/log", 7, root_by_definition(&leaves(7))).unwrap()
}

fn signed() -> SignedNote {
    let log = log();
    SignedNote::sign(checkpoint().to_string(), &log.key, |message| log.sign(message)).unwrap()
}

fn cosigned(time: u64) -> SignedNote {
    let (mut note, witness) = (signed(), witness());
    note.add(note.cosign(&witness.key, time, |message| witness.sign(message)).unwrap()).unwrap();
    note
}

#[test]
fn the_example_of_go_verifies_and_is_made_again() {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use ed25519_dalek::Signer as _;
    let key: VerifierKey = GO_KEY.parse().unwrap();
    assert_eq!((key.name(), key.kind(), key.id()), ("PeterNeumann", KeyKind::Note, [0xc7, 0x4f, 0x20, 0xa3]));
    assert_eq!(key.to_string(), GO_KEY);
    let text = format!("{GO_TEXT}\n{GO_LINE}");
    let note = SignedNote::parse(&text).unwrap();
    assert_eq!(note.text(), GO_TEXT);
    assert_eq!(note.verify([&key]).unwrap(), [VerifiedSignature { key: &key, time: None }]);
    assert_eq!(note.to_string(), text);
    let seed = BASE64_STANDARD.decode(GO_SEED.rsplit_once("a3+").unwrap().1).unwrap();
    let secret = ed25519_dalek::SigningKey::from_bytes(seed[1..].try_into().unwrap());
    let again: Result<_, AuditError> =
        SignedNote::sign(GO_TEXT.to_owned(), &key, |message| Ok(secret.sign(message).to_bytes()));
    assert_eq!(again.unwrap(), note);
}

#[test]
fn the_example_of_c2sp_is_read_and_written() {
    let text = format!("{C2SP_CHECKPOINT}\n{}", C2SP_LINES.concat());
    let note = SignedNote::parse(&text).unwrap();
    assert_eq!(note.to_string(), text);
    let names: Vec<_> = note.signatures().iter().map(NoteSignature::name).collect();
    assert_eq!(names, ["example.com/behind-the-sofa", "witness.example.com/w1"]);
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.to_string(), C2SP_CHECKPOINT);
}

#[test]
fn an_empty_line_in_the_text_does_not_end_it() {
    let log = log();
    for text in ["a\n\nb\n", "\n", "\n\n\n", "a\n\n", "a\n\n— not a signature\n"] {
        let note = SignedNote::sign(text.to_owned(), &log.key, |message| log.sign(message)).unwrap();
        assert_eq!(SignedNote::parse(&note.to_string()).as_ref(), Ok(&note), "{text:?}");
        assert!(note.verify([&log.key]).is_ok());
    }
}

#[test]
fn what_is_no_note_is_refused() {
    let line = GO_LINE;
    for (note, why) in [
        (String::new(), "empty"),
        ("a\n".to_owned(), "no signature"),
        (format!("a\n{line}"), "no empty line"),
        ("a\n\n".to_owned(), "no signature behind the empty line"),
        (format!("a\n\n{}", line.trim_end()), "no newline at the end"),
        (format!("a\n\n{line}\n"), "an empty line behind the signatures"),
        (format!("a\n\n{line}x\n"), "something else behind the signatures"),
        (format!("a\tb\n\n{line}"), "a tabulator"),
        (format!("a\r\n\r\n{line}"), "carriage returns"),
        (format!("a\0\n\n{line}"), "a NUL"),
        (format!("a\n\n{}", line.replace('—', "-")), "a hyphen"),
        (format!("a\n\n{}", line.replace("M=", "M")), "no padding"),
        (format!("a\n\n{}", line.replace("M=", "N=")), "bits that stand for nothing"),
        ("a\n\n— name x08gow==\n".to_owned(), "an id and no signature"),
        ("a\n\n— name \n".to_owned(), "nothing but a name"),
        (format!("a\n\n{}", line.repeat(101)), "101 signatures"),
        (format!("{}\n\n{line}", "a".repeat(1 << 20)), "more than 1 MiB"),
    ] {
        assert_eq!(SignedNote::parse(&note).map_err(|error| error.code()), Err(MALFORMED), "{why}");
    }
    let spaced = format!("a\n\n{}", line.replace("PeterNeumann", "Peter\u{a0}Neumann"));
    assert_eq!(SignedNote::parse(&spaced), Err(AuditError::KeyNameMustBePlain));
    assert!(SignedNote::parse(&format!("a\n\n{}", line.repeat(100))).is_ok());
}

#[test]
fn what_is_no_verifier_key_is_refused() {
    let zero = Signing::new("a", KeyKind::Note, 1).key.to_string();
    let [name, id, key] = zero.split('+').collect::<Vec<_>>()[..] else { panic!("{zero}") };
    let form = AuditError::KeyMustBeVerifierKey;
    for (text, refusal) in [
        (String::new(), form.clone()),
        (name.to_owned(), form.clone()),
        (format!("{name}+{id}"), form.clone()),
        (format!("{name}+{id}+{key}="), form.clone()),
        (format!("{name}+{id}+{key}+"), form.clone()),
        (format!("{name}+{}+{key}", id.to_uppercase()), form.clone()),
        (format!("{name}+00000000+{key}"), form.clone()),
        (format!("b+{id}+{key}"), form.clone()),
        (format!("{name}+{id}+{}", &key[..40]), form.clone()),
        (format!("{name}+{id}+B{}", &key[1..]), form.clone()),
        (format!("+{id}+{key}"), AuditError::KeyNameMustBePlain),
        (format!("a b+{id}+{key}"), AuditError::KeyNameMustBePlain),
        (format!("{}+{id}+{key}", "a".repeat(256)), AuditError::KeyNameMustBePlain),
    ] {
        assert_eq!(text.parse::<VerifierKey>(), Err(refusal), "{text}");
    }
    // The neutral element, under which anything could be made to verify; and no point at all.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    for weak in [neutral, [2; 32]] {
        assert_eq!(VerifierKey::try_new("a", KeyKind::Note, &weak), Err(AuditError::KeyMustBeStrong));
    }
}

#[test]
fn only_known_keys_count_and_each_of_them_must_verify() {
    let (note, log, witness) = (cosigned(1_700_000_000), log(), witness());
    let both = note.verify([&log.key, &witness.key]).unwrap();
    assert_eq!(both[0], VerifiedSignature { key: &log.key, time: None });
    assert_eq!(both[1], VerifiedSignature { key: &witness.key, time: Some(1_700_000_000) });
    assert_eq!(note.verify([&witness.key]).unwrap().len(), 1);
    // A key that is given twice, or signs twice, is one.
    assert_eq!(note.verify([&log.key, &log.key]).unwrap().len(), 1);
    // The same key under another name, and another key under the same name, are unknown.
    let renamed = Signing::new("fund.example/other", KeyKind::Note, 1).key;
    let stranger = Signing::new("fund.example/log", KeyKind::Note, 9).key;
    let kind = Signing::new("fund.example/log", KeyKind::Cosignature, 1).key;
    assert_eq!(note.verify([&renamed, &stranger, &kind]), Err(AuditError::NoteMustBeSignedByKnownKey));
    assert_eq!(note.verify([]), Err(AuditError::NoteMustBeSignedByKnownKey));
    // One bad signature by a known key spoils the note, even beside a good one.
    let other = Signing::new("fund.example/log", KeyKind::Note, 1);
    let forged = SignedNote::sign("else\n".to_owned(), &other.key, |message| other.sign(message)).unwrap();
    let spoiled = format!("{note}{}", forged.signatures()[0]);
    let spoiled = SignedNote::parse(&spoiled).unwrap();
    assert_eq!(spoiled.verify([&log.key]), Err(AuditError::SignatureMustVerify));
    assert!(spoiled.verify([&witness.key]).is_ok());
}

#[test]
fn a_cosignature_is_of_its_time_and_of_a_checkpoint() {
    let (note, witness, log) = (signed(), witness(), log());
    let sign = |message: &[u8]| {
        let text = String::from_utf8(message.to_vec()).unwrap();
        assert_eq!(text, format!("cosignature/v1\ntime 1679315147\n{}", checkpoint()));
        witness.sign(message)
    };
    let line = note.cosign(&witness.key, 1_679_315_147, sign).unwrap();
    assert_eq!(NoteSignature::parse(&line.to_string()), Ok(line.clone()));
    // Another time under the same signature is refused.
    let mut bytes = base64::Engine::decode(
        &base64::prelude::BASE64_STANDARD,
        line.to_string().trim_end().rsplit_once(' ').unwrap().1,
    )
    .unwrap();
    assert_eq!(bytes.len(), 4 + 8 + 64);
    bytes[11] ^= 1;
    let later = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes);
    let later = SignedNote::parse(&format!("{note}— witness.example/w1 {later}\n")).unwrap();
    assert_eq!(later.verify([&witness.key]), Err(AuditError::SignatureMustVerify));
    assert!(later.verify([&log.key]).is_ok());
    // What cannot be cosigned.
    let refuse = |_: &[u8]| -> Result<[u8; 64], AuditError> { panic!("the key must not be asked") };
    assert_eq!(note.cosign(&witness.key, 1 << 63, refuse), Err(AuditError::CosignatureTimeMustBeInRange));
    assert_eq!(note.cosign(&log.key, 1, refuse), Err(AuditError::KeyMustBeOfKind));
    assert_eq!(SignedNote::sign("a\n".to_owned(), &witness.key, refuse), Err(AuditError::KeyMustBeOfKind));
    let prose = SignedNote::sign("a\n".to_owned(), &log.key, |message| log.sign(message)).unwrap();
    assert_eq!(
        prose.cosign(&witness.key, 1, refuse).map_err(|error| error.code()),
        Err("audit.checkpoint_must_be_well_formed")
    );
    // A witness that signs again replaces what it said before.
    let (mut note, again) = (cosigned(5), cosigned(6));
    note.add(again.signatures()[1].clone()).unwrap();
    assert_eq!(note, again);
}

#[test]
fn a_checkpoint_is_of_the_log_whose_key_signed_it() {
    let (note, log, witness) = (cosigned(9), log(), witness());
    assert_eq!(Checkpoint::open(&note, &log.key), Ok(checkpoint()));
    assert_eq!(Checkpoint::open(&note, &witness.key), Err(AuditError::KeyMustBeOfKind));
    let foreign = Checkpoint::try_new("fund.example/other", 7, empty_root()).unwrap();
    let foreign = SignedNote::sign(foreign.to_string(), &log.key, |message| log.sign(message)).unwrap();
    assert_eq!(
        Checkpoint::open(&foreign, &log.key).map_err(|error| error.code()),
        Err("audit.checkpoint_must_be_of_this_log")
    );
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let root = empty_root();
    for text in [
        String::new(),
        "\n".to_owned(),
        "a\n".to_owned(),
        "a\n1\n".to_owned(),
        format!("a\n1\n{root}"),
        format!("\n1\n{root}\n"),
        format!("a\n01\n{root}\n"),
        format!("a\n+1\n{root}\n"),
        format!("a\n-1\n{root}\n"),
        format!("a\n\n{root}\n"),
        format!("a\n1 \n{root}\n"),
        format!("a\n18446744073709551616\n{root}\n"),
        format!("a\n1\n{root}=\n"),
        format!("a\n1\n{root}\n\n"),
        format!("a\n1\n{root}\n\nextension\n"),
        format!("a\n1\n{}\n", &root.to_string()[..43]),
        format!("a\n1\n\n{root}\n"),
        format!("a\n\u{661}\n{root}\n"),
    ] {
        let refusal = Checkpoint::parse(&text).map_err(|error| error.code());
        assert_eq!(refusal, Err("audit.checkpoint_must_be_well_formed"), "{text:?}");
    }
    let extended = format!("a b\n0\n{root}\none\ntwo\n");
    let checkpoint = Checkpoint::parse(&extended).unwrap();
    assert_eq!(checkpoint.extensions(), ["one", "two"]);
    assert_eq!(checkpoint.to_string(), extended);
    assert!(Checkpoint::try_new("", 0, root).is_err());
    assert!(Checkpoint::try_new("a\nb", 0, root).is_err());
}

proptest! {
    #[test]
    fn a_changed_character_of_a_note_is_seen(at in any::<prop::sample::Index>(), other in any::<char>()) {
        let (note, log, witness) = (cosigned(1_700_000_000).to_string(), log(), witness());
        let mut characters: Vec<char> = note.chars().collect();
        let at = at.index(characters.len());
        prop_assume!(characters[at] != other);
        characters[at] = other;
        let changed: String = characters.into_iter().collect();
        // Either the note is refused, or the line that was changed no longer counts.
        if let Ok(changed) = SignedNote::parse(&changed) {
            match changed.verify([&log.key, &witness.key]) {
                Ok(verified) => prop_assert_eq!(verified.len(), 1),
                Err(error) => prop_assert!(matches!(
                    error,
                    AuditError::SignatureMustVerify | AuditError::NoteMustBeSignedByKnownKey
                )),
            }
        }
    }
}
