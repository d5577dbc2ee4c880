//! Values of header fields as a signature base has them (RFC 9421 section 2.1). `None` where the field is missing or
//! its value cannot stand in a base: not ASCII, or not the structured field it should be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderValue};
use sfv::{Dictionary, FieldType, Item, List, ListEntry, Parser};

/// Lines without surrounding space, joined by a comma and a space. A line cannot hold a line break or an obsolete
/// fold: `HeaderValue` refuses both, so whoever read the message has already replaced or refused them.
pub(crate) fn push_plain(headers: &HeaderMap, name: &str, base: &mut Vec<u8>) -> Option<()> {
    let mut lines = headers.get_all(name).iter();
    push_trimmed(lines.next()?, base)?;
    for line in lines {
        base.extend_from_slice(b", ");
        push_trimmed(line, base)?;
    }
    Some(())
}

fn push_trimmed(line: &HeaderValue, base: &mut Vec<u8>) -> Option<()> {
    let line = trim(line.as_bytes());
    // Without an early end the loop is one that the compiler makes wide.
    if !line.iter().fold(true, |so_far, byte| so_far & matches!(byte, b' '..=b'~' | b'\t')) {
        return None;
    }
    base.extend_from_slice(line);
    Some(())
}

fn trim(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// Each line as a byte sequence (RFC 9421 section 2.1.3).
pub(crate) fn push_binary(headers: &HeaderMap, name: &str, base: &mut Vec<u8>) -> Option<()> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    for (at, line) in lines.enumerate() {
        if at > 0 {
            base.extend_from_slice(b", ");
        }
        base.push(b':');
        base.extend_from_slice(STANDARD.encode(trim(line.as_bytes())).as_bytes());
        base.push(b':');
    }
    Some(())
}

/// All lines in one text.
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut text = Vec::new();
    push_plain(headers, name, &mut text)?;
    String::from_utf8(text).ok()
}

/// What kind of structured field this is; None where it is not known to be one.
fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "content-digest"
        | "repr-digest"
        | "want-content-digest"
        | "want-repr-digest"
        | "priority"
        | "signature"
        | "signature-input"
        | "accept-signature"
        | "cdn-cache-control" => Kind::Dictionary,
        "accept-ch" | "cache-status" | "client-cert-chain" | "proxy-status" => Kind::List,
        "client-cert" | "deprecation" | "idempotency-key" => Kind::Item,
        _ => return None,
    })
}

enum Kind {
    Dictionary,
    List,
    Item,
}

/// The field, serialised strictly (RFC 9421 section 2.1.1).
pub(crate) fn push_structured(headers: &HeaderMap, name: &str, base: &mut Vec<u8>) -> Option<()> {
    let text = joined(headers, name)?;
    let strict = match kind(name)? {
        Kind::Dictionary => Parser::new(&text).parse::<Dictionary>().ok()?.serialize()?,
        Kind::List => Parser::new(&text).parse::<List>().ok()?.serialize()?,
        Kind::Item => Parser::new(&text).parse::<Item>().ok()?.serialize(),
    };
    base.extend_from_slice(strict.as_bytes());
    Some(())
}

/// One member of a dictionary (RFC 9421 section 2.1.2).
pub(crate) fn push_member(headers: &HeaderMap, name: &str, key: &str, base: &mut Vec<u8>) -> Option<()> {
    let text = joined(headers, name)?;
    let mut dictionary = Parser::new(&text).parse::<Dictionary>().ok()?;
    let member: ListEntry = dictionary.swap_remove(key)?;
    let member: List = vec![member];
    base.extend_from_slice(member.serialize()?.as_bytes());
    Some(())
}
