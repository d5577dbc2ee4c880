//! Whether a message has content, by what its header fields say and by what the judge sees.

use crate::digest::{CONTENT_DIGEST, ContentDigest};
use crate::input::Input;
use crate::profile::ContentElsewhere;
use crate::rule::Rule;
use http::Method;
use http::header::{self, HeaderMap};

/// The content of a message, as far as the judge of its signature sees it.
#[derive(Clone, Copy, Debug)]
pub enum Content<'c> {
    /// All of it, as sent: before any content coding is undone.
    Bytes(&'c [u8]),
    /// There is none, and the judge knows.
    None,
    /// The judge sees header fields only; [`ContentElsewhere`] of the profile says what then.
    CheckedElsewhere,
}

/// What the fields say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    Content,
    Empty,
    Nothing,
}

/// `Content-Length` and `Transfer-Encoding`. Both together, or two lengths, are the stuff of request smuggling.
pub(crate) fn declared(headers: &HeaderMap) -> Result<Declared, Rule> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let coded = headers.contains_key(header::TRANSFER_ENCODING);
    let Some(length) = lengths.next() else {
        return Ok(if coded { Declared::Content } else { Declared::Nothing });
    };
    let digits = length.as_bytes();
    if lengths.next().is_some() || coded || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Rule::MustBeWellFormed("content-length"));
    }
    Ok(if digits.iter().all(|digit| *digit == b'0') { Declared::Empty } else { Declared::Content })
}

/// The digest, which must be covered where it is present, and present where the fields say that there is content.
pub(crate) fn covered_digest(
    headers: &HeaderMap,
    input: &Input<'_>,
    declared: Declared,
) -> Result<Option<ContentDigest>, Rule> {
    let digest = ContentDigest::read(headers)?;
    if digest.is_none() && declared == Declared::Content {
        return Err(Rule::ContentMustHaveDigest);
    }
    if digest.is_some() && !input.covers_field(CONTENT_DIGEST.as_str()) {
        return Err(Rule::MustCover("\"content-digest\"".to_owned()));
    }
    Ok(digest)
}

/// Compares content that is seen.
pub(crate) fn must_match(digest: Option<&ContentDigest>, content: &[u8]) -> Result<(), Rule> {
    match digest {
        None if content.is_empty() => Ok(()),
        None => Err(Rule::ContentMustHaveDigest),
        Some(digest) if digest.matches(content) => Ok(()),
        Some(_) => Err(Rule::ContentMustMatchDigest),
    }
}

/// Whether a request may pass a judge who does not see its content. True where content is left to be checked.
pub(crate) fn may_pass_unseen(
    elsewhere: ContentElsewhere,
    declared: Declared,
    method: &Method,
    digest: Option<&ContentDigest>,
) -> Result<bool, Rule> {
    if declared == Declared::Empty {
        return must_match(digest, &[]).map(|()| false);
    }
    if elsewhere == ContentElsewhere::Checked {
        return Ok(true);
    }
    // Over HTTP/2 a request may have content without saying so. Methods that have none by their definition pass.
    let without = matches!(*method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS);
    if declared == Declared::Nothing && digest.is_none() && without {
        return Ok(false);
    }
    Err(Rule::ContentMustBeChecked)
}
