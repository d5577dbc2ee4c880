//! The signatures of a message: `Signature-Input` and `Signature`, read together and within bounds (RFC 9421 section 4).
//! What they are worth is judged by others.

use crate::canonical::ByteSequences;
use crate::component::Component;
use crate::parameters::Parameters;
use crate::rule::{Bound, Rule};
use crate::{LABELS_MAX, SIGNATURE_BYTES_MAX, SIGNATURE_INPUT_BYTES_MAX, canonical, structured};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;

pub(crate) const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("signature");

/// A member of `Signature-Input`: what a signature covers, and its parameters.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The name by which `Signature` has the signature itself.
    pub label: Cow<'a, str>,
    /// In the order of the signature base.
    pub components: Vec<Component<'a>>,
    /// The registered parameters.
    pub parameters: Parameters<'a>,
    /// The member serialised strictly: the value of `@signature-params`.
    pub(crate) text: Cow<'a, str>,
}

/// A signature of a message, not verified.
#[derive(Clone, Debug)]
pub struct Signature<'a> {
    /// What it covers.
    pub input: Input<'a>,
    /// The signature itself.
    pub bytes: Vec<u8>,
}

/// The lines of a field as text, if all of them together are within the bound.
pub(crate) fn lines<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    field: &'static str,
    bytes_max: usize,
    bound: Bound,
) -> Result<Vec<&'a str>, Rule> {
    let values = headers.get_all(name);
    if values.iter().map(HeaderValue::len).sum::<usize>() > bytes_max {
        return Err(Rule::MustBeWithinBounds(bound));
    }
    values.iter().map(|value| value.to_str().map_err(|_| Rule::MustBeWellFormed(field))).collect()
}

/// The one line of a field, if it is one and within the bound: what `canonical` may read.
fn one_line<'a>(headers: &'a HeaderMap, name: &HeaderName, bytes_max: usize) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|value| value.len() <= bytes_max)?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}

/// The members of `Signature-Input`, in their order.
pub(crate) fn inputs(headers: &HeaderMap) -> Result<Vec<Input<'_>>, Rule> {
    let one_line = one_line(headers, &SIGNATURE_INPUT, SIGNATURE_INPUT_BYTES_MAX);
    let inputs = match one_line.and_then(canonical::inputs) {
        Some(inputs) => inputs,
        None => structured::inputs(
            lines(
                headers,
                &SIGNATURE_INPUT,
                "signature-input",
                SIGNATURE_INPUT_BYTES_MAX,
                Bound::SignatureInputBytes,
            )?
            .into_iter(),
        )?,
    };
    if inputs.len() > LABELS_MAX {
        return Err(Rule::MustBeWithinBounds(Bound::Labels));
    }
    Ok(inputs)
}

/// The bytes that `Signature` has under a label.
pub(crate) fn signature_bytes(headers: &HeaderMap, label: &str) -> Result<Option<Vec<u8>>, Rule> {
    let one_line = one_line(headers, &SIGNATURE, SIGNATURE_BYTES_MAX);
    if let Some(bytes) = one_line.and_then(ByteSequences::read).and_then(|members| members.bytes(label)) {
        return Ok(bytes);
    }
    let lines = lines(headers, &SIGNATURE, "signature", SIGNATURE_BYTES_MAX, Bound::SignatureBytes)?;
    let members = structured::signatures(lines.iter().copied())?;
    if members.len() > LABELS_MAX {
        return Err(Rule::MustBeWithinBounds(Bound::Labels));
    }
    let bytes = members.into_iter().find(|(name, _)| name == label).map(|(_, bytes)| bytes);
    // The library takes any spelling of the same bytes; here a signature has one, so that no byte of it can be changed.
    let is_canonical = |bytes: &Vec<u8>| {
        let text = format!(":{}:", STANDARD.encode(bytes));
        lines.iter().any(|line| line.contains(&text))
    };
    match bytes {
        Some(bytes) if !is_canonical(&bytes) => Err(Rule::MustBeWellFormed("signature")),
        bytes => Ok(bytes),
    }
}

/// Every signature of a message.
///
/// # Errors
/// [`Rule::MustBeWellFormed`] and [`Rule::MustBeWithinBounds`]; also where a label has only one of its two halves.
pub fn signatures(headers: &HeaderMap) -> Result<Vec<Signature<'_>>, Rule> {
    let mut all = Vec::new();
    for input in inputs(headers)? {
        let bytes = signature_bytes(headers, &input.label)?.ok_or(Rule::MustBeWellFormed("signature"))?;
        all.push(Signature { input, bytes });
    }
    Ok(all)
}
