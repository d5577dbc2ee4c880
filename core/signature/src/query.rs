//! `@query-param`: a parameter of the query, decoded as a form and encoded again (RFC 9421 section 2.2.8).

use std::fmt::Write as _;

/// The value of the parameter whose name, encoded, is given; `None` where it is missing, comes twice (RFC 9421 section
/// 2.2.8 forbids to cover it then), or is no UTF-8.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let name = decode(name)?;
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(own)? != name {
            continue;
        }
        if found.is_some() {
            return None;
        }
        found = Some(encode(&decode(value)?));
    }
    found
}

/// A percent sign that is followed by no two digits stands for itself, as in the URL standard.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => byte.wrapping_sub(b'A').wrapping_add(10),
    }
}

/// The form's percent-encode set, with a space as `%20`.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
