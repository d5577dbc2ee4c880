//! Signs: any message at the level of RFC 9421, and requests by the profile.

use crate::base::base_of;
use crate::component::Component;
use crate::digest::{CONTENT_DIGEST, ContentDigest};
use crate::input::{SIGNATURE, SIGNATURE_INPUT};
use crate::key::SigningKey;
use crate::message::{Message, RequestLine};
use crate::nonce::Nonce;
use crate::parameters::Parameters;
use crate::profile::{LABEL, LIFETIME_SECONDS_MAX, Profile};
use crate::rule::{Bound, Rule, SignatureError};
use crate::{COMPONENTS_MAX, LABELS_MAX, input};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;
use std::fmt;

/// What signing made.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The label.
    pub label: String,
    /// The member's value in `Signature-Input`, without the label.
    pub input: String,
    /// The text that was signed.
    pub base: Vec<u8>,
    /// The signature.
    pub bytes: Vec<u8>,
}

/// Without the text, which holds every covered value.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.label, self.input)
    }
}

impl Signed {
    /// Adds the two fields to a message, after those that are there.
    ///
    /// # Errors
    /// [`Rule::MustHaveOneSignature`] where the label is taken, [`Rule::MustBeSignable`] where it is none.
    pub fn append_to(&self, headers: &mut HeaderMap) -> Result<(), Rule> {
        let label = sfv::KeyRef::from_str(&self.label)
            .map_err(|_| Rule::MustBeSignable("the label must be a structured-field key"))?
            .as_str();
        if input::inputs(headers)?.iter().any(|other| other.label == label) {
            return Err(Rule::MustHaveOneSignature { tag: label.to_owned() });
        }
        let value = |text: String| {
            HeaderValue::try_from(text).map_err(|_| Rule::MustBeSignable("the fields must be header text"))
        };
        headers.append(SIGNATURE_INPUT, value(format!("{label}={}", self.input))?);
        headers.append(SIGNATURE, value(format!("{label}=:{}:", STANDARD.encode(&self.bytes)))?);
        Ok(())
    }
}

/// Signs a message (RFC 9421 section 3.1) without any policy. The parameters are written in the order created, expires,
/// keyid, alg, nonce, tag.
///
/// # Errors
/// What of the components does not fit the message, and [`Rule::MustBeSignable`].
pub fn sign(
    message: &Message<'_>,
    label: &str,
    components: &[Component<'_>],
    parameters: &Parameters<'_>,
    key: &SigningKey,
) -> Result<Signed, Rule> {
    if components.len() > COMPONENTS_MAX {
        return Err(Rule::MustBeSignable("too many components"));
    }
    let mut input = String::from("(");
    for (at, component) in components.iter().enumerate() {
        if at > 0 {
            input.push(' ');
        }
        input.push_str(component.text());
    }
    input.push(')');
    parameters.write(&mut input)?;
    let base = base_of(message, components, &input)?;
    let bytes = key.sign(&base)?;
    Ok(Signed { label: label.to_owned(), input, base, bytes })
}

/// What a client says when it signs.
#[derive(Clone, Copy, Debug)]
pub struct SigningParameters<'a> {
    /// Seconds since 1970.
    pub created: i64,
    /// 1 to 60 seconds after `created`.
    pub expires: i64,
    /// 16 to 64 bytes that were never used with this key; random ones, or those of a challenge.
    pub nonce: &'a [u8],
    /// The key's name.
    pub key_id: &'a str,
}

/// Signs a request by the profile: adds `Content-Digest` where there is content, and the two fields of the signature,
/// tagged with the profile's tag, under the label [`LABEL`] or, where that is taken, one with a number. A request that
/// was signed under the tag before must be stripped first, by [`strip`].
///
/// # Errors
/// A rule that the signed request would break.
pub fn sign_request(
    line: &RequestLine<'_>,
    headers: &mut HeaderMap,
    key: &SigningKey,
    parameters: &SigningParameters<'_>,
    content: &[u8],
    profile: &Profile,
) -> Result<Signed, SignatureError> {
    sign_request_covering(line, headers, key, parameters, content, profile, &[])
}

/// [`sign_request`], which covers more: what no profile asks for, or another signature, when a new key signs what the old
/// one signed.
///
/// # Errors
/// As [`sign_request`]; a component that is covered anyway is covered twice.
pub fn sign_request_covering(
    line: &RequestLine<'_>,
    headers: &mut HeaderMap,
    key: &SigningKey,
    parameters: &SigningParameters<'_>,
    content: &[u8],
    profile: &Profile,
    more: &[Component<'_>],
) -> Result<Signed, SignatureError> {
    sign_request_rule(line, headers, key, parameters, content, profile, more).map_err(SignatureError::request)
}

fn sign_request_rule(
    line: &RequestLine<'_>,
    headers: &mut HeaderMap,
    key: &SigningKey,
    parameters: &SigningParameters<'_>,
    content: &[u8],
    profile: &Profile,
    more: &[Component<'_>],
) -> Result<Signed, Rule> {
    let SigningParameters { created, expires, nonce, key_id } = *parameters;
    if !(1..=LIFETIME_SECONDS_MAX).contains(&expires.saturating_sub(created)) {
        return Err(Rule::LifetimeAtMost60Seconds { created, expires });
    }
    let nonce = Nonce::try_new(nonce)?;
    let label = free_label(headers, &profile.tag)?;
    put_digest(headers, content)?;
    let mut components = ["\"@method\"", "\"@authority\"", "\"@path\"", "\"@query\""]
        .map(Component::parse)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    components.extend(present(headers, &profile.covered_when_present)?);
    components.extend_from_slice(more);
    let parameters = Parameters {
        created: Some(created),
        expires: Some(expires),
        key_id: Some(Cow::Borrowed(key_id)),
        algorithm: Some(Cow::Borrowed(key.algorithm().name())),
        nonce: Some(Cow::Owned(nonce.encode())),
        tag: Some(Cow::Borrowed(&profile.tag)),
    };
    let signed = sign(&Message::Request(line.with(headers)), &label, &components, &parameters, key)?;
    signed.append_to(headers)?;
    Ok(signed)
}

/// A label that no signature of the message has yet; none where the tag is taken, or there are too many.
pub(crate) fn free_label(headers: &HeaderMap, tag: &str) -> Result<String, Rule> {
    let inputs = input::inputs(headers)?;
    if inputs.iter().any(|input| input.parameters.tag.as_deref() == Some(tag)) {
        return Err(Rule::MustHaveOneSignature { tag: tag.to_owned() });
    }
    if inputs.len() >= LABELS_MAX {
        return Err(Rule::MustBeWithinBounds(Bound::Labels));
    }
    let mut labels = (1..).map(|number: usize| match number {
        1 => LABEL.to_owned(),
        _ => format!("{LABEL}{number}"),
    });
    labels
        .find(|label| inputs.iter().all(|input| input.label != *label))
        .ok_or(Rule::MustBeWithinBounds(Bound::Labels))
}

/// Removes what signing added, so that the message can be signed again.
pub fn strip(headers: &mut HeaderMap) {
    headers.remove(SIGNATURE_INPUT);
    headers.remove(SIGNATURE);
    headers.remove(CONTENT_DIGEST);
}

/// Puts the digest of the content; none where there is no content and no digest that would have to be right.
pub(crate) fn put_digest(headers: &mut HeaderMap, content: &[u8]) -> Result<(), Rule> {
    if content.is_empty() && !headers.contains_key(CONTENT_DIGEST) {
        return Ok(());
    }
    headers.insert(CONTENT_DIGEST, ContentDigest::sha_256(content).header_value()?);
    Ok(())
}

/// `content-digest` and the listed fields, as far as the message has them.
pub(crate) fn present(headers: &HeaderMap, fields: &[HeaderName]) -> Result<Vec<Component<'static>>, Rule> {
    fields
        .iter()
        .chain([&CONTENT_DIGEST])
        .filter(|field| headers.contains_key(*field))
        .map(|field| Component::field(field.as_str()))
        .collect()
}
