//! Session tokens: once, in time, by whom and for what they were issued.

use super::*;
use strongroom_access::session_token::{SessionTokens, TokenUse};

const INVALID: &str = "session_token.must_be_valid";
const USED: &str = "session_token.was_used";

const USE: TokenUse<'_> = TokenUse { lineage: "k1", purpose: "reserves:approve", context: [3; 32] };

fn tokens(epoch: u8) -> SessionTokens {
    SessionTokens::new([epoch; 32], 30)
}

fn issued(tokens: &SessionTokens, window: &Window, second: i64) -> String {
    tokens.issue([9; 16], &USE, window.time(at(second))).reveal().to_owned()
}

#[test]
fn a_token_is_good_once() {
    let (mut window, tokens) = (window(LIMITS), tokens(1));
    let text = issued(&tokens, &window, T0);
    assert_eq!(text.len(), 58);
    assert_eq!(code(tokens.redeem(&mut window, &text, &USE, at(T0))), "accepted");
    for now in T0..T0 + 200 {
        let expected = if now <= T0 + 30 { USED } else { INVALID };
        assert_eq!(code(tokens.redeem(&mut window, &text, &USE, at(now))), expected, "{}", now - T0);
    }
}

#[test]
fn a_token_is_for_one_lineage_purpose_and_context() {
    let (mut window, tokens) = (window(LIMITS), tokens(1));
    let text = issued(&tokens, &window, T0);
    for (other, expected) in [
        (TokenUse { lineage: "k2", ..USE }, INVALID),
        (TokenUse { purpose: "orders:write", ..USE }, INVALID),
        (TokenUse { context: [4; 32], ..USE }, INVALID),
        (TokenUse { lineage: "k1reserves", purpose: ":approve", ..USE }, INVALID),
        (USE, "accepted"),
    ] {
        assert_eq!(code(tokens.redeem(&mut window, &text, &other, at(T0))), expected, "{other:?}");
    }
}

#[test]
fn a_token_that_was_refused_is_not_used_up() {
    let (mut window, tokens) = (window(LIMITS), tokens(1));
    let text = issued(&tokens, &window, T0);
    let other = TokenUse { lineage: "k2", ..USE };
    assert_eq!(code(tokens.redeem(&mut window, &text, &other, at(T0))), INVALID);
    assert_eq!(window.live(), 0);
    assert_eq!(code(tokens.redeem(&mut window, &text, &USE, at(T0 + 30))), "accepted");
}

#[test]
fn text_that_is_no_token_of_this_process_and_time_is_refused() {
    let (mut window, tokens) = (window(LIMITS), tokens(1));
    let text = issued(&tokens, &window, T0);
    let early = issued(&tokens, &window, T0 + 2);
    let altered: Vec<String> = (0..text.len())
        .map(|place| {
            let mut altered = text.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            String::from_utf8(altered).unwrap()
        })
        .collect();
    let others = [String::new(), "srt_".into(), format!("{text}="), format!("{text}A"), early];
    for wrong in altered.iter().chain(&others) {
        assert_eq!(code(tokens.redeem(&mut window, wrong, &USE, at(T0))), INVALID, "{wrong}");
    }
    assert_eq!(code(self::tokens(2).redeem(&mut window, &text, &USE, at(T0))), INVALID);
    assert_eq!(code(tokens.redeem(&mut window, &text, &USE, at(T0 + 31))), INVALID);
    assert_eq!(code(tokens.redeem(&mut window, &text, &USE, at(T0))), "accepted");
}

#[test]
fn a_token_that_would_outlive_the_windows_memory_ends_with_it() {
    let long = SessionTokens::new([1; 32], 3_600);
    let mut window = window(LIMITS);
    let text = long.issue([9; 16], &USE, window.time(at(T0))).reveal().to_owned();
    assert_eq!(code(long.redeem(&mut window, &text, &USE, at(T0))), "accepted");
    for now in T0..T0 + 3_600 {
        assert_ne!(code(long.redeem(&mut window, &text, &USE, at(now))), "accepted");
    }
    let mut window = self::window(LIMITS);
    let unused = long.issue([8; 16], &USE, window.time(at(T0))).reveal().to_owned();
    assert_eq!(code(long.redeem(&mut window, &unused, &USE, at(T0 + 66))), INVALID);
}
