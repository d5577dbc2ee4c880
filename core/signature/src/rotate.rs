//! A new key that signs what the old one signed: proof of both in one request (the shape of RFC 9635 section 7.3.1.1).
//!
//! The old key signs the request as any other. Then the new key signs it too, under a tag of its own, and covers the old
//! signature and its input: neither can be taken out of one request and put into another. Written down in
//! `spec/rotation.md`.

use crate::component::Component;
use crate::key::{SigningKey, VerifyingKey};
use crate::message::{Request, RequestLine};
use crate::profile::Profile;
use crate::request::{SignedRequest, VerifiedRequest};
use crate::rule::{Rule, SignatureError};
use crate::sign::{Signed, SigningParameters, sign_request_covering};
use crate::{Content, input};
use http::header::HeaderMap;
use std::borrow::Cow;

/// The tag of the new key's signature.
pub const ROTATE_TAG: &str = "strongroom-rotate";

fn rotating(profile: &Profile) -> Profile {
    Profile { tag: Cow::Borrowed(ROTATE_TAG), ..profile.clone() }
}

/// The old signature and its input, as the new signature covers them.
fn of_predecessor(label: &str) -> [String; 2] {
    ["signature", "signature-input"].map(|field| format!("\"{field}\";key=\"{label}\""))
}

/// Adds the new key's signature to a request that the old key has signed under the profile's tag. `parameters` are those
/// of the old signature, but for the name of the key, which is the lineage's.
///
/// # Errors
/// A rule that the request would break; [`Rule::MustBeSigned`] where the old key has not signed.
pub fn sign_rotation(
    line: &RequestLine<'_>,
    headers: &mut HeaderMap,
    key: &SigningKey,
    parameters: &SigningParameters<'_>,
    content: &[u8],
    profile: &Profile,
) -> Result<Signed, SignatureError> {
    let old = label_of(headers, &profile.tag).map_err(SignatureError::request)?;
    let covered = of_predecessor(&old);
    let covered = covered.iter().map(|text| Component::parse(text)).collect::<Result<Vec<_>, _>>();
    let covered = covered.map_err(SignatureError::request)?;
    sign_request_covering(line, headers, key, parameters, content, &rotating(profile), &covered)
}

fn label_of(headers: &HeaderMap, tag: &str) -> Result<String, Rule> {
    let inputs = input::inputs(headers)?;
    let signed = inputs.into_iter().find(|input| input.parameters.tag.as_deref() == Some(tag));
    let signed = signed.ok_or_else(|| Rule::MustBeSigned { tag: tag.to_owned() })?;
    Ok(signed.label.into_owned())
}

/// Judges the new key's signature on a request whose old signature has been judged: it covers that one, has its times and
/// its nonce, and names the lineage.
///
/// # Errors
/// The rule of the profile that it breaks; `request.signature_must_cover` where it does not cover the old signature;
/// `request.signature_must_be_valid` where it names another lineage or has another nonce or other times.
pub fn verify_rotation(
    request: &Request<'_>,
    old: &VerifiedRequest,
    lineage: &str,
    key: &VerifyingKey,
    content: Content<'_>,
    profile: &Profile,
) -> Result<VerifiedRequest, SignatureError> {
    let new = SignedRequest::read(request, &rotating(profile))?;
    for text in of_predecessor(old.label()) {
        let component = Component::parse(&text).map_err(SignatureError::request)?;
        if !new.covers(&component) {
            return Err(SignatureError::request(Rule::MustCover(text)));
        }
    }
    let is_one_request = new.nonce() == old.nonce()
        && new.created() == old.created()
        && new.expires() == old.expires()
        && new.key_id() == lineage;
    if !is_one_request {
        return Err(SignatureError::request(Rule::SignatureMustBeValid));
    }
    new.verify(key, content)
}
