//! Keys judged by the vectors of `spec/secret-scanning.md`, which Python's zlib and integers made, and by its regular
//! expression.

use super::*;
use proptest::prelude::*;

const SPEC: &str = include_str!("../../../../spec/secret-scanning.md");

fn key(environment: &str, id: &str, random: [u8; 32]) -> Result<BearerKey, BearerError> {
    BearerKey::make(environment, id, &Zeroizing::new(random))
}

fn a_key() -> String {
    key("live", "k0123456789ab.1", [7; 32]).unwrap().reveal().to_owned()
}

/// Key, remark and whether it is one, of each row.
fn vectors() -> Vec<(&'static str, &'static str, bool)> {
    let rows = SPEC.lines().filter(|line| line.starts_with("| `sr_"));
    let cells = rows.map(|row| row.trim_matches(['|', ' ']).split(" | ").collect::<Vec<_>>());
    cells.map(|cells| (cells[0].trim_matches('`'), cells[1].trim_matches('`'), cells[2] == "yes")).collect()
}

#[test]
fn the_specifications_vectors_hold() {
    let vectors = vectors();
    assert_eq!(
        vectors.iter().map(|(_, _, is_key)| *is_key).collect::<Vec<_>>(),
        [true, true, true, true, false, false, false, false, false]
    );
    for (text, id, is_key) in vectors {
        let read = BearerKey::parse(text);
        assert_eq!(read.is_ok(), is_key, "{text}: {:?}", read.err());
        assert_eq!(scan(&format!("x{text}y")).len(), usize::from(is_key), "{text}");
        if let Ok(read) = read {
            assert_eq!((read.id(), read.reveal()), (id, text));
        }
    }
    let counting: [u8; 32] = core::array::from_fn(|place| place as u8);
    for (environment, id, random) in [
        ("live", "k0123456789ab.1", [0; 32]),
        ("test", "kzzzzzzzzzzzz.12", [0xff; 32]),
        ("dev", "a", counting),
    ] {
        let made = key(environment, id, random).unwrap();
        assert!(SPEC.contains(&format!("| `{}` |", made.reveal())), "{id}");
        assert_eq!((made.environment(), made.id()), (environment, id));
    }
}

#[test]
fn the_specification_and_the_code_name_one_pattern() {
    assert_eq!(SPEC.matches(PATTERN).count(), 2);
    assert!(ENVIRONMENTS.iter().all(|name| SPEC.contains(&format!("\"sr_{name}_\""))));
}

proptest! {
    /// What the pattern describes has the form, and only the checksum tells it from a key.
    #[test]
    fn what_the_pattern_finds_has_the_form(text in proptest::string::string_regex(PATTERN).unwrap()) {
        prop_assert!(matches!(BearerKey::parse(&text), Ok(_) | Err(BearerError::ChecksumMustMatch)));
    }

    #[test]
    fn every_key_that_is_made_is_read_and_found(
        random: [u8; 32],
        environment in prop_oneof![Just("dev"), Just("test"), Just("live")],
        id in "[0-9A-Za-z.-]{1,40}",
        before in "[^s]{0,20}",
        after in ".{0,20}",
    ) {
        let made = key(environment, &id, random).unwrap();
        let read = BearerKey::parse(made.reveal()).unwrap();
        prop_assert_eq!((read.environment(), read.id()), (environment, id.as_str()));
        let text = format!("{before}{}{after}", made.reveal());
        let found = scan(&text);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(&text[found[0].bytes.clone()], made.reveal());
        prop_assert_eq!((found[0].environment, found[0].id.as_str()), (environment, id.as_str()));
    }

    #[test]
    fn any_character_that_is_changed_is_noticed(place in 3_usize..73, to in "[0-9A-Za-z]") {
        let mut text = a_key();
        let place = place.min(text.len() - 1);
        prop_assume!(text[place..=place] != to);
        text.replace_range(place..=place, &to);
        prop_assert!(BearerKey::parse(&text).is_err());
        prop_assert_eq!(scan(&text), vec![]);
    }

    #[test]
    fn no_text_makes_a_panic(text in "(sr_|live|dev|_|[0-9a-z]{1,50}|é|\n){0,30}") {
        prop_assert!(BearerKey::parse(&text).is_err());
        prop_assert!(scan(&text).is_empty());
    }
}

#[test]
fn a_key_of_one_environment_cannot_be_written_into_another() {
    let pepper = Pepper::new([7; 32]);
    let dev = key("dev", "a", [1; 32]).unwrap();
    let mut forged = dev.reveal().replace("sr_dev_", "sr_live_");
    forged.truncate(forged.len() - CHECKSUM_CHARACTERS);
    let checksum = crc32fast::hash(forged.as_bytes());
    base62::write_number(checksum, &mut forged);
    let forged = BearerKey::parse(&forged).unwrap();
    assert!(!forged.hash(&pepper).matches(&dev.hash(&pepper)));
}

#[test]
fn the_hash_is_of_the_whole_key_under_its_pepper() {
    let pepper = Pepper::new([7; 32]);
    let made = key("live", "k0123456789ab.1", [0; 32]).unwrap();
    // HMAC-SHA256 by Python, over each part after its length.
    assert_eq!(
        made.hash(&pepper).to_hex(),
        "dc636758767e7ac4dbaac23493bca7cb5782e87c82369795d8c714212a0ca72a"
    );
    let same = BearerKey::parse(made.reveal()).unwrap().hash(&pepper);
    assert!(same.matches(&made.hash(&pepper)));
    assert!(!made.hash(&Pepper::new([8; 32])).matches(&same));
    for other in [key("live", "k0123456789ab.1", [1; 32]), key("live", "k0123456789ab.2", [0; 32])] {
        assert!(!other.unwrap().hash(&pepper).matches(&same));
    }
}

#[test]
fn a_hash_has_one_stored_form() {
    let hash = key("live", "a", [3; 32]).unwrap().hash(&Pepper::new([1; 32]));
    let text = hash.to_hex();
    assert_eq!(text.len(), 64);
    assert!(BearerHash::from_hex(&text).is_some_and(|read| read.matches(&hash)));
    let wrong = [
        String::new(),
        text[1..].to_owned(),
        text.to_uppercase(),
        format!("{text}0"),
        format!("+{}", &text[1..]),
    ];
    for wrong in wrong {
        assert!(BearerHash::from_hex(&wrong).is_none(), "{wrong}");
    }
}

#[test]
fn what_cannot_be_named_is_not_made() {
    let long = "x".repeat(41);
    for (environment, id) in [
        ("prod", "a"),
        ("", "a"),
        ("LIVE", "a"),
        ("live", ""),
        ("live", "a_b"),
        ("live", "é"),
        ("live", &long),
    ] {
        assert_eq!(
            key(environment, id, [1; 32]).err(),
            Some(BearerError::MustBeNameable),
            "{environment} {id}"
        );
    }
}

#[test]
fn findings_name_line_and_column_and_no_secret() {
    let (one, two) = (a_key(), key("dev", "b", [9; 32]).unwrap().reveal().to_owned());
    let text = format!("# settings\r\nKEY={one}\n\"é\": \"{two}\",{one}\nsr_live_");
    let found = scan(&text);
    let places: Vec<_> =
        found.iter().map(|finding| (finding.line, finding.column, finding.id.as_str())).collect();
    assert_eq!(places, [(2, 5, "k0123456789ab.1"), (3, 8, "b"), (3, 8 + two.len() + 2, "k0123456789ab.1")]);
    for finding in found {
        assert_eq!(text[finding.bytes.clone()].get(..3), Some("sr_"));
        assert!(!format!("{finding:?}").contains(&one[30..60]));
    }
}

#[test]
fn scanning_takes_time_in_proportion_to_the_text() {
    // Beginnings of keys without end: each is looked at for the length of one key, not to the end of the text.
    let text = "sr_live_".repeat(500_000);
    assert_eq!(scan(&text), vec![]);
    let text = format!("{}{}", "sr_live_a_".repeat(100_000), a_key());
    assert_eq!(scan(&text).len(), 1);
}
