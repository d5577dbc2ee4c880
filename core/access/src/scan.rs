//! Finds bearer keys in text, for pre-commit hooks, log pipelines and reports of leaks. Only confirmed ones, by their
//! check; neither text nor secret is given back. Pure: what to do about a finding is the caller's.

use crate::bearer::{BearerKey, CHECK_DIGITS, PREFIX, SECRET_DIGITS};
use crate::name::LineageId;
use crate::scope::Environment;

/// Bytes of a lineage's name.
const ID_BYTES: usize = 13;

/// A key that stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line, from 1.
    pub line: usize,
    /// Column of its first character, in characters from 1.
    pub column: usize,
    /// The lineage to be revoked.
    pub key_id: LineageId,
    /// Where the key is good.
    pub environment: Environment,
}

/// All bearer keys in a text, in order. Takes time in proportion to the text.
#[must_use]
pub fn scan(text: &str) -> Vec<Finding> {
    let lines = text.split('\n').zip(1..);
    lines.flat_map(|(content, line)| scan_line(content, line)).collect()
}

fn scan_line(content: &str, line: usize) -> impl Iterator<Item = Finding> + '_ {
    let mut counted = (0, 1);
    content.match_indices(PREFIX).filter_map(move |(at, _)| {
        let key = key_at(content.get(at..)?)?;
        // Counted on from the last finding, so that a long line is walked once.
        let column = counted.1 + content.get(counted.0..at)?.chars().count();
        counted = (at, column);
        Some(Finding { line, column, key_id: key.id().clone(), environment: key.environment() })
    })
}

/// The key with which a text begins; its length follows from its environment's name.
fn key_at(text: &str) -> Option<BearerKey> {
    let (environment, _) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let environment: Environment = environment.parse().ok()?;
    let head = PREFIX.len() + environment.as_str().len() + 1 + ID_BYTES + 1;
    BearerKey::parse(text.get(..head + SECRET_DIGITS + CHECK_DIGITS)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(environment: Environment, fill: u8) -> BearerKey {
        BearerKey::from_random(environment, LineageId::from_random([fill; 8]), [fill; 32])
    }

    fn check(text: &str, expected: &[(usize, usize, Environment)]) {
        let found: Vec<_> = scan(text).iter().map(|it| (it.line, it.column, it.environment)).collect();
        assert_eq!(found, expected, "{text:.60}");
    }

    #[test]
    fn a_key_is_found_wherever_it_stands() {
        let live = key(Environment::Live, 7).expose();
        let (test, dev) = (key(Environment::Test, 8).expose(), key(Environment::Dev, 9).expose());
        check(&live, &[(1, 1, Environment::Live)]);
        check(&format!("curl -H 'Authorization: Bearer {}'", *live), &[(1, 32, Environment::Live)]);
        check(&format!("\r\n\nkey={}\r\n", *test), &[(3, 5, Environment::Test)]);
        check(&format!("äöü€🔑{}", *dev), &[(1, 6, Environment::Dev)]);
        check(&format!("sr_live_sr_{}sr_", *live), &[(1, 12, Environment::Live)]);
        check(
            &format!("{}{}\n{}", *live, *test, *dev),
            &[(1, 1, Environment::Live), (1, live.len() + 1, Environment::Test), (2, 1, Environment::Dev)],
        );
        assert_eq!(scan(&live)[0].key_id, LineageId::from_random([7; 8]));
    }

    #[test]
    fn what_only_looks_like_a_key_is_not_reported() {
        let live = key(Environment::Live, 7).expose();
        let mistyped = live.replace("sr_live", "sr_test");
        for text in ["", "sr_", "sr_live_", "sr_live_k000000000000_", &mistyped, &live[..live.len() - 1]] {
            check(text, &[]);
        }
        check(&format!("sr_live_k000000000000_{}", "0".repeat(49)), &[]);
        check(&live.to_uppercase(), &[]);
        check(&live.replace('_', "_\n"), &[]);
    }

    #[test]
    fn many_beginnings_take_no_longer_than_their_text() {
        check(&"sr_live_".repeat(200_000), &[]);
        check(&"sr_".repeat(500_000), &[]);
    }

    #[test]
    fn the_published_rule_shows_one_key_and_it_is_confirmed() {
        let page = include_str!("../../../spec/secret-scanning.md");
        let found = scan(page);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].environment, found[0].key_id.as_str()), (Environment::Dev, "k000000000000"));
        let shown = "sr_(?:live|test|dev)_k[0-9a-hjkmnp-tv-z]{12}_[0-9A-Za-z]{49}";
        assert_eq!(page.matches(shown).count(), 2, "the expression alone and in the gitleaks rule");
        assert_eq!(SECRET_DIGITS + CHECK_DIGITS, 49);
    }
}
