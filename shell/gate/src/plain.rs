//! Targets that have one reading. A proxy picks the scope by the path as it reads it, the application picks what to do by
//! the path as *it* reads it; where a dot segment, a doubled slash or a needless escape lets the two differ, a key for
//! the one place could act in the other. Signatures do not help there: the key's own holder may be the one who tries.

/// Whether a target is in origin-form and the only spelling of its path: RFC 3986 sections 6.2.2.2 and 6.2.2.3, and no
/// slash, backslash or control behind an escape. The query is as it may be, without a fragment.
pub(crate) fn is_plain(target: &str) -> bool {
    let (path, query) = target.split_once('?').map_or((target, ""), |(path, query)| (path, query));
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) || query.contains('#') {
        return false;
    }
    let Some(rest) = path.strip_prefix('/') else { return false };
    let mut segments = rest.split('/');
    // Only the last may be empty: a path may end with a slash.
    let last = segments.next_back().unwrap_or_default();
    segments.all(|segment| !segment.is_empty() && is_plain_segment(segment)) && is_plain_segment(last)
}

fn is_plain_segment(segment: &str) -> bool {
    // Some servers take `..;x` for `..` (matrix parameters, RFC 3986 section 3.3).
    let name = segment.split(';').next().unwrap_or_default();
    if matches!(name, "." | "..") || segment.contains(['\\', '#']) {
        return false;
    }
    // What stands before the first % has no escape; each further part begins with its two digits.
    segment.split('%').skip(1).all(|part| part.get(..2).is_some_and(is_needed_escape))
}

/// Whether two hexadecimal digits stand for a byte that cannot stand for itself and is no delimiter of paths.
fn is_needed_escape(digits: &str) -> bool {
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return false;
    }
    let Ok(byte) = u8::from_str_radix(digits, 16) else { return false };
    let is_unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    // An escaped percent sign would be an escape again where something decodes twice.
    !is_unreserved && !byte.is_ascii_control() && !matches!(byte, b'/' | b'\\' | b'%' | b';' | b'?' | b'#')
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[track_caller]
    fn check(target: &str, expected: bool) {
        assert_eq!(is_plain(target), expected, "{target}");
    }

    #[test]
    fn ordinary_targets_are_plain() {
        for target in [
            "/",
            "/withdraw",
            "/withdraw/",
            "/a/b/c.json",
            "/a?",
            "/a?x=1&y=%2F..%2f",
            "/a?next=//other/../x",
            "/caf%C3%A9/%20",
            "/.well-known/x",
            "/a/..b/c..",
            "/a;v=1/b",
            "/a:b@c,d=e+f",
        ] {
            check(target, true);
        }
    }

    #[test]
    fn targets_with_a_second_reading_are_not() {
        for target in [
            "",
            "*",
            "withdraw",
            "http://host/withdraw",
            "//withdraw",
            "/read//withdraw",
            "/read/../withdraw",
            "/read/..",
            "/./withdraw",
            "/read/.",
            "/read/..;/withdraw",
            "/read/..;x=1/withdraw",
            "/read/%2e%2e/withdraw",
            "/read/.%2E/withdraw",
            "/read%2fwithdraw",
            "/read%2Fwithdraw",
            "/read%5cwithdraw",
            "/read\\withdraw",
            "/%77ithdraw",
            "/withdra%77",
            "/with%00draw",
            "/withdraw%0a",
            "/withdraw%3b",
            "/withdraw%3fx",
            "/withdraw%23x",
            "/read/%252e%252e/withdraw",
            "/withdraw%",
            "/withdraw%2",
            "/withdraw%zz",
            "/withdraw%+7",
            "/withdraw#x",
            "/withdraw?a=1#x",
            "/with draw",
            "/with\tdraw",
            "/caf\u{e9}",
        ] {
            check(target, false);
        }
    }
}
