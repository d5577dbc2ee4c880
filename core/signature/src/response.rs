//! Signed responses, each bound to the request it answers (RFC 9421 section 2.4): it covers the request's method and
//! target, the request's own signature, and repeats the request's nonce. So an old answer answers nothing new, and a
//! client may believe the time in a refusal.

use crate::base;
use crate::component::{Component, Source};
use crate::content::{self, Declared};
use crate::digest::ContentDigest;
use crate::input::{self, Input};
use crate::key::{Algorithm, SigningKey, VerifyingKey};
use crate::message::{Message, Request, Response};
use crate::nonce::Nonce;
use crate::parameters::Parameters;
use crate::profile::ResponseProfile;
use crate::request::{algorithm, key_id, tagged};
use crate::rule::{Rule, SignatureError};
use crate::sign::{Signed, free_label, present, put_digest, sign};
use http::header::HeaderMap;
use http::{Method, StatusCode};
use std::borrow::Cow;
use std::fmt;

/// What a server says when it signs a response.
#[derive(Clone, Copy, Debug)]
pub struct ResponseParameters<'a> {
    /// Seconds since 1970: the server's time.
    pub created: i64,
    /// The server key's name.
    pub key_id: &'a str,
}

/// What of the request a response is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// To the request's signature, and through it to everything that covers, its nonce too: this answer is to this
    /// request and no other.
    Signature,
    /// To method and target only, because the request was not signed: the answer may be an old one.
    Target,
}

/// Label and nonce of the request's own signature, if it has exactly one with the tag; it need not be a good one.
fn request_signature<'m>(request: &Request<'m>, tag: &str) -> Option<(Input<'m>, Option<Nonce>)> {
    let input = tagged(input::inputs(request.headers).ok()?, tag).ok()?;
    input::signature_bytes(request.headers, &input.label).ok()??;
    let nonce = input.parameters.nonce.as_deref().and_then(|text| Nonce::decode(text).ok());
    Some((input, nonce))
}

/// `"signature";req;key="<label>"`.
fn signature_of_request(label: &str) -> Result<Component<'static>, Rule> {
    Component::parse(&format!("\"signature\";req;key=\"{label}\""))
}

const TARGET: [&str; 4] = ["\"@method\";req", "\"@authority\";req", "\"@path\";req", "\"@query\";req"];

/// Signs a response by the profile: adds `Content-Digest` where there is content, and the two fields of the signature
/// under the label [`crate::LABEL`]. The request may be unsigned, or badly signed: a refusal is signed too.
///
/// # Errors
/// A rule that the signed response would break.
pub fn sign_response(
    status: StatusCode,
    headers: &mut HeaderMap,
    request: &Request<'_>,
    key: &SigningKey,
    parameters: &ResponseParameters<'_>,
    content: &[u8],
    profile: &ResponseProfile,
) -> Result<Signed, SignatureError> {
    let signed = (|| {
        let label = free_label(headers, &profile.tag)?;
        put_digest(headers, content)?;
        let mut components = vec![Component::parse("\"@status\"")?];
        components.extend(present(headers, &profile.covered_when_present)?);
        for text in TARGET {
            components.push(Component::parse(text)?);
        }
        let mut nonce = None;
        if let Some((input, own_nonce)) = request_signature(request, &profile.request_tag) {
            components.push(signature_of_request(&input.label)?);
            nonce = own_nonce;
        }
        let parameters = Parameters {
            created: Some(parameters.created),
            expires: None,
            key_id: Some(Cow::Borrowed(parameters.key_id)),
            algorithm: Some(Cow::Borrowed(key.algorithm().name())),
            nonce: nonce.map(|nonce| Cow::Owned(nonce.encode())),
            tag: Some(Cow::Borrowed(&profile.tag)),
        };
        let response = Response { status, headers };
        let message = Message::Response { response, request: Some(*request) };
        let signed = sign(&message, &label, &components, &parameters, key)?;
        signed.append_to(headers)?;
        Ok(signed)
    })();
    signed.map_err(SignatureError::response)
}

/// A response whose one signature under the profile's tag has been read, and nothing more.
#[derive(Clone, Debug)]
pub struct SignedResponse<'m> {
    response: Response<'m>,
    request: Request<'m>,
    input: Input<'m>,
    signature: Vec<u8>,
    created: i64,
    key_id: Cow<'m, str>,
    algorithm: Algorithm,
    binding: Binding,
    digest: Option<ContentDigest>,
}

/// A response whose signature fits the server's key and the request.
#[derive(Clone)]
pub struct VerifiedResponse {
    key_id: String,
    created: i64,
    binding: Binding,
    base: Vec<u8>,
    signature: Vec<u8>,
}

/// A response without content by its nature, whatever its fields say (RFC 9110 sections 9.3.2, 15.3.5, 15.4.5).
fn has_no_content(status: StatusCode, method: &Method) -> bool {
    *method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

impl Input<'_> {
    fn must_cover_of_request(&self) -> Result<(), Rule> {
        let of_request = |source: &Source<'_>| {
            self.components.iter().any(|component| component.req && component.source == *source)
        };
        let must = |source: &Source<'_>, text: &str| {
            if of_request(source) { Ok(()) } else { Err(Rule::MustCover(text.to_owned())) }
        };
        let [method, authority, path, query] = TARGET;
        must(&Source::Method, method)?;
        if of_request(&Source::TargetUri) {
            return Ok(());
        }
        must(&Source::Authority, authority)?;
        must(&Source::Path, path)?;
        must(&Source::Query, query)
    }
}

impl<'m> SignedResponse<'m> {
    /// Reads the signature with the profile's tag and checks everything that needs no key. The request is the one the
    /// client sent, header fields included.
    ///
    /// # Errors
    /// A rule of the profile that the response breaks; `response.must_answer_the_request` where it is bound to another
    /// request, or not bound to the signature of this one.
    pub fn read(
        response: &Response<'m>,
        request: &Request<'m>,
        profile: &ResponseProfile,
    ) -> Result<Self, SignatureError> {
        Self::read_rule(response, request, profile).map_err(SignatureError::response)
    }

    fn read_rule(
        response: &Response<'m>,
        request: &Request<'m>,
        profile: &ResponseProfile,
    ) -> Result<Self, Rule> {
        let headers = response.headers;
        let input = tagged(input::inputs(headers)?, &profile.tag)?;
        let signature = input::signature_bytes(headers, &input.label)?
            .ok_or_else(|| Rule::MustBeSigned { tag: profile.tag.clone().into_owned() })?;
        let created = input.parameters.created.ok_or(Rule::MustHaveParameter("created"))?;
        let key_id = key_id(&input)?;
        let algorithm = algorithm(&input)?;
        for component in &input.components {
            if component.source == Source::Unknown {
                return Err(Rule::MustCoverKnown(component.text().to_owned()));
            }
        }
        if !input.components.iter().any(|component| component.is_derived(&Source::Status)) {
            return Err(Rule::MustCover("\"@status\"".to_owned()));
        }
        input.must_cover_of_request()?;
        for field in &profile.covered_when_present {
            if headers.contains_key(field) && !input.covers_field(field.as_str()) {
                return Err(Rule::MustCover(format!("\"{field}\"")));
            }
        }
        let binding = binding(&input, request, &profile.request_tag)?;
        let declared = if has_no_content(response.status, request.line.method) {
            Declared::Empty
        } else {
            content::declared(headers)?
        };
        let digest = content::covered_digest(headers, &input, declared)?;
        Ok(Self {
            response: *response,
            request: *request,
            input,
            signature,
            created,
            key_id,
            algorithm,
            binding,
            digest,
        })
    }

    /// Which key is claimed: one of the server's.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Judges the signature by the server's key, then the content by its digest.
    ///
    /// # Errors
    /// `response.algorithm_must_be_the_keys`, `response.signature_must_be_valid`, and those of the content.
    pub fn verify(self, key: &VerifyingKey, content: &[u8]) -> Result<VerifiedResponse, SignatureError> {
        self.verify_rule(key, content).map_err(SignatureError::response)
    }

    fn verify_rule(self, key: &VerifyingKey, content: &[u8]) -> Result<VerifiedResponse, Rule> {
        if self.algorithm != key.algorithm() {
            return Err(Rule::AlgorithmMustBeTheKeys {
                named: self.algorithm.name().to_owned(),
                key: key.algorithm().name(),
            });
        }
        let message = Message::Response { response: self.response, request: Some(self.request) };
        let base = base::signature_base(&message, &self.input)?;
        key.verify(&base, &self.signature)?;
        let none = has_no_content(self.response.status, self.request.line.method) && content.is_empty();
        if !none {
            content::must_match(self.digest.as_ref(), content)?;
        }
        Ok(VerifiedResponse {
            key_id: self.key_id.into_owned(),
            created: self.created,
            binding: self.binding,
            base,
            signature: self.signature,
        })
    }
}

/// The request's signature must be covered, and its nonce repeated, if it has one.
fn binding(input: &Input<'_>, request: &Request<'_>, request_tag: &str) -> Result<Binding, Rule> {
    let Some((own, nonce)) = request_signature(request, request_tag) else {
        return Ok(Binding::Target);
    };
    let wanted = signature_of_request(&own.label)?;
    if !input.components.iter().any(|component| component.is(&wanted)) {
        return Err(Rule::MustAnswerTheRequest);
    }
    let answered = input.parameters.nonce.as_deref().map(Nonce::decode).transpose()?;
    if nonce != answered {
        return Err(Rule::MustAnswerTheRequest);
    }
    Ok(Binding::Signature)
}

impl VerifiedResponse {
    /// The server's key.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What of the request it is bound to.
    #[must_use]
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// The server's time in seconds since 1970, which a client may set its clock by; `None` where the response is not
    /// bound to this one request, so that it may be old.
    #[must_use]
    pub fn server_time(&self) -> Option<i64> {
        (self.binding == Binding::Signature).then_some(self.created)
    }

    /// The text that was signed.
    #[must_use]
    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl fmt::Debug for VerifiedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "response signed by {} at {}", self.key_id, self.created)
    }
}
