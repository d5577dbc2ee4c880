//! Every code of the API has a page, and every page is of a code. The golden list is the truth; it is made from the
//! sources of core and shell, so the codes of clients are not in it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read its input has failed")]

use std::collections::BTreeMap;
use strongroom_fund::composition::CompositionRule;
use strongroom_server::{CODES, page_of};

/// Crates all of whose codes are looked for on `/errors/`.
const CRATES: [&str; 6] =
    ["core/access", "core/signature", "core/engine", "core/webhook", "shell/gate", "shell/server"];
/// First parts of codes that come from other crates through the engine's refusals, a definition that is opened among them.
const THROUGH_THE_ENGINE: [&str; 4] = ["definition.", "lots.", "number.", "time."];
/// Codes that say what was, not what must be: the golden list goes by the word `must`.
const NOT_LISTED: [&str; 3] =
    ["request.nonce_was_used", "request.sequence_number_was_used", "session_token.was_used"];

/// Each code with the crates that have it.
fn listed() -> BTreeMap<String, Vec<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/tests/golden/codes.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let mut codes = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace().map(str::to_owned);
        let code = words.next().unwrap();
        codes.insert(code, words.collect());
    }
    assert!(codes.len() > 300, "the golden list has only {} codes", codes.len());
    codes
}

#[test]
fn every_code_of_the_api_has_a_page() {
    let listed = listed();
    let is_of_the_api = |code: &str, crates: &[String]| {
        crates.iter().any(|one| CRATES.contains(&one.as_str()))
            || THROUGH_THE_ENGINE.iter().any(|first| code.starts_with(first))
    };
    let of_the_api = listed.iter().filter(|(code, crates)| is_of_the_api(code, crates));
    let codes: Vec<&str> = of_the_api.map(|(code, _)| code.as_str()).chain(NOT_LISTED).collect();
    assert!(codes.len() > 180, "only {} codes are of the API", codes.len());
    let without: Vec<&str> = codes.into_iter().filter(|code| page_of(code).is_none()).collect();
    assert!(without.is_empty(), "write spec/errors/CODE.md for {without:?}");
}

#[test]
fn every_page_is_of_a_code() {
    let listed = listed();
    let compositions: Vec<&str> = CompositionRule::ALL.iter().map(|rule| rule.code()).collect();
    let is_code = |code: &str| {
        listed.contains_key(code)
            || NOT_LISTED.contains(&code)
            || compositions.contains(&code)
            // They are in the SDK, which is no part of the list.
            || code.starts_with("client.")
    };
    let unknown: Vec<&str> = CODES.iter().map(|(code, _)| *code).filter(|code| !is_code(code)).collect();
    assert!(unknown.is_empty(), "there is no code for the pages of {unknown:?}");
    assert_eq!(page_of("request.must_be_polite"), None);
    assert_eq!(page_of(""), None);
}

#[test]
fn every_page_says_the_rule_what_happened_and_what_to_do() {
    for (code, page) in CODES {
        let parts: Vec<&str> = page.trim_end().split("\n\n").collect();
        let [title, rule, happened, to_do, status] = parts.as_slice() else {
            panic!("{code}: a title and four paragraphs are a page, not {} parts", parts.len());
        };
        assert_eq!(*title, format!("# {code}"));
        assert!(rule.ends_with('.') && rule.len() > 20, "{code}: the rule is no sentence: {rule}");
        let begins = |text: &str, with: &str| text.strip_prefix(with).is_some_and(|rest| rest.len() > 40);
        assert!(begins(happened, "What happened: "), "{code}: it does not say what happened");
        assert!(begins(to_do, "What to do: "), "{code}: it does not say what to do");
        assert!(to_do.contains("changed"), "{code}: it does not say whether anything was changed");
        assert!(status.starts_with("HTTP status: "), "{code}: it does not give the status");
        let words = page.split_whitespace().count();
        assert!((60..=145).contains(&words), "{code}: {words} words");
        let is_plain =
            page.lines().all(|line| line.chars().count() <= 120) && !page.contains(['`', '|', '*']);
        assert!(is_plain, "{code}: a page is plain text of lines up to 120 characters");
    }
}
