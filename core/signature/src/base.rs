//! The signature base: the text that is signed (RFC 9421 section 2.5).

use crate::component::{Component, Form, Source};
use crate::input::{Input, Signature};
use crate::key::VerifyingKey;
use crate::message::{Message, Request};
use crate::rule::{Bound, Rule};
use crate::{BASE_BYTES_MAX, field};
use http::HeaderMap;

/// Makes the signature base. Each component must be covered once, be present, and have a value in printable ASCII.
pub(crate) fn signature_base(message: &Message<'_>, input: &Input<'_>) -> Result<Vec<u8>, Rule> {
    base_of(message, &input.components, &input.text)
}

pub(crate) fn base_of(
    message: &Message<'_>,
    components: &[Component<'_>],
    parameters: &str,
) -> Result<Vec<u8>, Rule> {
    let mut base = Vec::with_capacity(640);
    for (at, component) in components.iter().enumerate() {
        if components.iter().take(at).any(|earlier| earlier.is(component)) {
            return Err(Rule::MustCoverOnce(component.text().to_owned()));
        }
        base.extend_from_slice(component.text().as_bytes());
        base.extend_from_slice(b": ");
        push_value(message, component, &mut base)?;
        base.push(b'\n');
        if base.len() > BASE_BYTES_MAX {
            return Err(Rule::MustBeWithinBounds(Bound::BaseBytes));
        }
    }
    base.extend_from_slice(b"\"@signature-params\": ");
    base.extend_from_slice(parameters.as_bytes());
    Ok(base)
}

/// The message that the component speaks of: `req` is the request, and only in a response (RFC 9421 section 2.4).
enum Spoken<'m> {
    Request(Request<'m>),
    Response(http::StatusCode, &'m HeaderMap),
}

fn spoken<'m>(message: &Message<'m>, req: bool) -> Option<Spoken<'m>> {
    match (message, req) {
        (Message::Request(request), false) => Some(Spoken::Request(*request)),
        (Message::Request(_), true) => None,
        (Message::Response { response, .. }, false) => {
            Some(Spoken::Response(response.status, response.headers))
        }
        (Message::Response { request, .. }, true) => request.map(Spoken::Request),
    }
}

fn push_value(message: &Message<'_>, component: &Component<'_>, base: &mut Vec<u8>) -> Result<(), Rule> {
    let unknown = || Rule::MustCoverKnown(component.text().to_owned());
    let absent = || Rule::MustCoverPresent(component.text().to_owned());
    let spoken = spoken(message, component.req).ok_or_else(unknown)?;
    let headers = match &spoken {
        Spoken::Request(request) => request.headers,
        Spoken::Response(_, headers) => headers,
    };
    if let Source::Field(name, form) = &component.source {
        return match form {
            Form::Plain => field::push_plain(headers, name, base),
            Form::Structured => field::push_structured(headers, name, base),
            Form::Member(key) => field::push_member(headers, name, key, base),
            Form::Binary => field::push_binary(headers, name, base),
        }
        .ok_or_else(absent);
    }
    let start = base.len();
    match (spoken, &component.source) {
        (Spoken::Response(status, _), Source::Status) => base.extend_from_slice(status.as_str().as_bytes()),
        (Spoken::Request(request), source) => push_derived(&request, source, base)
            .ok_or_else(|| if matches!(source, Source::QueryParam(_)) { absent() } else { unknown() })?,
        _ => return Err(unknown()),
    }
    let value = base.get(start..).unwrap_or_default();
    // An empty value is a value of a query parameter only (RFC 9421 section 2.2.8).
    let empty = value.is_empty() && !matches!(component.source, Source::QueryParam(_));
    if empty || !value.iter().all(u8::is_ascii_graphic) {
        return Err(absent());
    }
    Ok(())
}

fn push_derived(request: &Request<'_>, source: &Source<'_>, base: &mut Vec<u8>) -> Option<()> {
    let line = &request.line;
    match source {
        Source::Method => base.extend_from_slice(line.method.as_str().as_bytes()),
        Source::TargetUri => line.push_target_uri(base),
        Source::Authority => line.push_authority(base),
        Source::Scheme => line.push_scheme(base),
        Source::RequestTarget => line.push_request_target(base),
        Source::Path => line.push_path(base),
        Source::Query => line.push_query(base),
        Source::QueryParam(name) => {
            let value = crate::query::parameter(line.query.unwrap_or_default(), name)?;
            base.extend_from_slice(value.as_bytes());
        }
        Source::Status | Source::Field(..) | Source::Unknown => return None,
    }
    Some(())
}

impl Signature<'_> {
    /// The signature base that this signature covers in a message.
    ///
    /// # Errors
    /// What of the components does not fit the message.
    pub fn base(&self, message: &Message<'_>) -> Result<Vec<u8>, Rule> {
        signature_base(message, &self.input)
    }

    /// Whether the signature fits message and key (RFC 9421 section 3.2), without any policy: which components are
    /// covered, when, and how often the signature comes are not asked. If it names an algorithm, that must be the key's.
    ///
    /// # Errors
    /// [`Rule::SignatureMustBeValid`], [`Rule::AlgorithmMustBeTheKeys`], and those of [`Signature::base`].
    pub fn verify(&self, message: &Message<'_>, key: &VerifyingKey) -> Result<(), Rule> {
        if let Some(named) = &self.input.parameters.algorithm
            && named != key.algorithm().name()
        {
            return Err(Rule::AlgorithmMustBeTheKeys {
                named: named.clone().into_owned(),
                key: key.algorithm().name(),
            });
        }
        key.verify(&self.base(message)?, &self.bytes)
    }
}
