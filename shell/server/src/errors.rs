//! The pages of error codes: one Markdown file each in `spec/errors/`, compiled in.

/// Every code that an answer can have, with its page.
pub static CODES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/errors.rs"));

/// The page of a code.
pub fn page_of(code: &str) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, page)| *page)
}
