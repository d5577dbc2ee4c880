//! Whatever is given to a parser, it does not panic; and what it accepts it writes as it was.

use crate::common::{Signing, inclusion, leaves, root_by_definition};
use proptest::prelude::*;
use strongroom_audit::{
    Checkpoint, Disclosure, Entry, Hash, KeyKind, NoteSignature, OpenedContent, ProofFile, Receipt, Salt,
    SignedNote, Tile, Tree, VerifierKey, Written,
};

fn checkpoint(index: u64, entry: &[u8]) -> (SignedNote, Vec<Hash>) {
    let log = Signing::new("fund.example/log", KeyKind::Note, 1);
    let mut leaves = leaves(9);
    leaves[usize::try_from(index).unwrap()] = strongroom_audit::leaf_hash(entry);
    let text = Checkpoint::try_new("fund.example/log", 9, root_by_definition(&leaves)).unwrap().to_string();
    (SignedNote::sign(text, &log.key, |message| log.sign(message)).unwrap(), inclusion(index, &leaves))
}

fn receipt() -> Receipt {
    let content = OpenedContent {
        at: "2026-01-02T21:00:00Z".to_owned(),
        actor: "ap/acme".to_owned(),
        body: "{\"note\":\"\u{e9}\\n\"}".to_owned(),
        salt: Salt([7; 16]),
    };
    let mut receipt = Receipt {
        stream: "fund/BTCX".to_owned(),
        seq: 12,
        recorded_at: "2026-01-02T21:00:01Z".to_owned(),
        kind: "OrderPlaced".to_owned(),
        written: Written::WithEvent,
        disclosure: Disclosure::Opened(content),
        leaf_index: 4,
        inclusion_proof: Vec::new(),
        checkpoint: checkpoint(0, b"").0,
    };
    (receipt.checkpoint, receipt.inclusion_proof) = checkpoint(4, &receipt.entry().to_bytes().unwrap());
    receipt
}

/// Good texts of every kind, to be changed.
fn seeds() -> Vec<String> {
    let receipt = receipt();
    vec![
        receipt.to_json().unwrap(),
        receipt.to_proof_file().unwrap().to_string(),
        receipt.checkpoint.to_string(),
        receipt.checkpoint.text().to_owned(),
        receipt.checkpoint.signatures()[0].to_string(),
        Signing::new("fund.example/log", KeyKind::Note, 1).key.to_string(),
        "tile/entries/x001/234.p/17".to_owned(),
        root_by_definition(&[]).to_string(),
    ]
}

/// Gives the text to every parser.
fn read_by_all(text: &str) -> Result<(), TestCaseError> {
    if let Ok(note) = SignedNote::parse(text) {
        prop_assert_eq!(note.to_string(), text);
    }
    if let Ok(line) = NoteSignature::parse(text) {
        prop_assert_eq!(line.to_string(), text);
    }
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        prop_assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(file) = text.parse::<ProofFile>() {
        prop_assert_eq!(file.to_string(), text);
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        prop_assert_eq!(key.to_string(), text);
    }
    if let Ok(tile) = text.parse::<Tile>() {
        prop_assert_eq!(tile.to_string(), text);
    }
    if let Ok(hash) = text.parse::<Hash>() {
        prop_assert_eq!(hash.to_string(), text);
    }
    if let Ok(receipt) = Receipt::from_json(text) {
        let written = receipt.to_json().unwrap();
        prop_assert_eq!(Receipt::from_json(&written).unwrap(), receipt);
    }
    Ok(())
}

#[test]
fn the_good_texts_are_good() {
    let log = Signing::new("fund.example/log", KeyKind::Note, 1).key;
    let receipt = receipt();
    let read = Receipt::from_json(&receipt.to_json().unwrap()).unwrap();
    assert_eq!(read, receipt);
    assert_eq!(read.verify(&log).unwrap().size(), 9);
    let file = receipt.to_proof_file().unwrap();
    assert_eq!(file.to_string().parse::<ProofFile>().as_ref(), Ok(&file));
    assert_eq!(file.verify(&log), receipt.verify(&log));
    let bare = ProofFile { extra: None, ..file };
    assert_eq!(bare.to_string().parse::<ProofFile>().as_ref(), Ok(&bare));
    assert_eq!(bare.verify(&log).map_err(|error| error.code()), Err("audit.proof_file_must_be_well_formed"));
    assert_eq!(bare.verify_leaf(receipt.entry().leaf_hash().unwrap(), &log), receipt.verify(&log));
    // What was erased is proved by its hash.
    let withheld =
        Receipt { disclosure: Disclosure::Withheld(receipt.entry().commitment), ..receipt.clone() };
    assert_eq!(withheld.verify(&log), receipt.verify(&log));
    assert!(!withheld.to_json().unwrap().contains("acme"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), width in 1_u16..=256) {
        if let Ok(entry) = Entry::parse(&bytes) {
            prop_assert_eq!(entry.to_bytes().unwrap(), bytes.clone());
        }
        if let Ok(tree) = Tree::from_bytes(&bytes) {
            prop_assert_eq!(tree.to_bytes(), bytes.clone());
        }
        for kind in [strongroom_audit::TileKind::Entries, strongroom_audit::TileKind::Hashes(0)] {
            let tile = Tile::try_new(kind, 0, width).unwrap();
            if let Ok(entries) = tile.entries(&bytes) {
                prop_assert_eq!(strongroom_audit::bundle_content(entries).unwrap(), bytes.clone());
            }
            if let Ok(hashes) = tile.hashes(&bytes) {
                prop_assert_eq!(strongroom_audit::tile_content(&hashes), bytes.clone());
            }
        }
        read_by_all(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn arbitrary_text(text in "[ -~\n\u{2014}]{0,200}") {
        read_by_all(&text)?;
    }

    #[test]
    fn changed_texts(
        seed in any::<prop::sample::Index>(), from in any::<prop::sample::Index>(), length in 0..12_usize,
        by in "[ -~\n\u{2014}\u{0}]{0,6}",
    ) {
        let seeds = seeds();
        let seed: Vec<char> = seeds[seed.index(seeds.len())].chars().collect();
        let from = from.index(seed.len() + 1);
        let to = (from + length).min(seed.len());
        let text: String = seed[..from].iter().copied().chain(by.chars()).chain(seed[to..].iter().copied()).collect();
        read_by_all(&text)?;
    }

    #[test]
    fn a_changed_receipt_is_refused_or_says_the_same(at in any::<prop::sample::Index>(), other in "[ -~]") {
        let log = Signing::new("fund.example/log", KeyKind::Note, 1).key;
        let receipt = receipt();
        let mut text: Vec<char> = receipt.to_json().unwrap().chars().collect();
        let place = at.index(text.len());
        text[place] = other.chars().next().unwrap();
        let text: String = text.into_iter().collect();
        if let Ok(changed) = Receipt::from_json(&text) {
            prop_assert!(changed == receipt || changed.verify(&log).is_err(), "{}", text);
        }
    }
}
