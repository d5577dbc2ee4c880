//! A signed request on its way from claim to fact: `read` finds what it claims, `must_be_fresh` compares times, `verify`
//! judges. Only `verify` makes a [`VerifiedRequest`].
//!
//! | step | who | why in this order |
//! |---|---|---|
//! | bounds, form, coverage | [`SignedRequest::read`] | costs microseconds, needs no key |
//! | key | the caller, by [`SignedRequest::key_id`] | a lookup |
//! | freshness | [`SignedRequest::must_be_fresh`] | a comparison; a stale request costs no signature check |
//! | signature, then content | [`SignedRequest::verify`] | nobody without a key makes us hash |
//! | nonce | the caller, by [`VerifiedRequest::nonce`] | after the signature, or strangers could use nonces up |
//! | authorise, execute | the caller | |

use crate::component::{Component, Source};
use crate::content::{self, Content, Declared};
use crate::digest::ContentDigest;
use crate::input::{self, Input};
use crate::key::{Algorithm, VerifyingKey};
use crate::message::{Message, Request};
use crate::nonce::Nonce;
use crate::profile::{ContentElsewhere, LIFETIME_SECONDS_MAX, Profile};
use crate::rule::{Rule, SignatureError};
use crate::{KEY_ID_BYTES_MAX, base};
use std::borrow::Cow;
use std::fmt;

/// A request whose one signature under the profile's tag has been read, and nothing more.
#[derive(Clone, Debug)]
pub struct SignedRequest<'m> {
    request: Request<'m>,
    input: Input<'m>,
    signature: Vec<u8>,
    created: i64,
    expires: i64,
    nonce: Nonce,
    key_id: Cow<'m, str>,
    algorithm: Algorithm,
    declared: Declared,
    digest: Option<ContentDigest>,
    content_elsewhere: ContentElsewhere,
}

/// A request whose signature fits its key and covers what the profile demands. Whether its nonce is new, and whether
/// the key may do this, is not in it.
#[derive(Clone)]
pub struct VerifiedRequest {
    label: String,
    key_id: String,
    algorithm: Algorithm,
    created: i64,
    expires: i64,
    nonce: Nonce,
    base: Vec<u8>,
    signature: Vec<u8>,
    digest: Option<ContentDigest>,
    content_is_left: bool,
}

impl Input<'_> {
    /// Whether a header field is covered, plainly: not one member of it, not in another form.
    pub(crate) fn covers_field(&self, name: &str) -> bool {
        self.components.iter().any(|component| component.is_field(name))
    }

    fn must_cover(&self, source: &Source<'_>, text: &str) -> Result<(), Rule> {
        if self.components.iter().any(|component| component.is_derived(source)) {
            return Ok(());
        }
        Err(Rule::MustCover(text.to_owned()))
    }

    fn must_cover_target(&self) -> Result<(), Rule> {
        self.must_cover(&Source::Method, "\"@method\"")?;
        if self.components.iter().any(|component| component.is_derived(&Source::TargetUri)) {
            return Ok(());
        }
        self.must_cover(&Source::Authority, "\"@authority\"")?;
        self.must_cover(&Source::Path, "\"@path\"")?;
        self.must_cover(&Source::Query, "\"@query\"")
    }
}

/// The one input with the tag.
pub(crate) fn tagged<'m>(inputs: Vec<Input<'m>>, tag: &str) -> Result<Input<'m>, Rule> {
    let mut with_tag = inputs.into_iter().filter(|input| input.parameters.tag.as_deref() == Some(tag));
    let input = with_tag.next().ok_or_else(|| Rule::MustBeSigned { tag: tag.to_owned() })?;
    if with_tag.next().is_some() {
        return Err(Rule::MustHaveOneSignature { tag: tag.to_owned() });
    }
    Ok(input)
}

/// The key's name, which must be one.
pub(crate) fn key_id<'m>(input: &Input<'m>) -> Result<Cow<'m, str>, Rule> {
    let key_id = input.parameters.key_id.clone().ok_or(Rule::MustHaveParameter("keyid"))?;
    if key_id.is_empty() || key_id.len() > KEY_ID_BYTES_MAX {
        return Err(Rule::MustBeWellFormed("keyid"));
    }
    Ok(key_id)
}

/// The algorithm, which must be one of ours.
pub(crate) fn algorithm(input: &Input<'_>) -> Result<Algorithm, Rule> {
    let name = input.parameters.algorithm.as_deref().ok_or(Rule::MustHaveParameter("alg"))?;
    Algorithm::named(name)
        .ok_or_else(|| Rule::AlgorithmMustBeTheKeys { named: name.to_owned(), key: "one that is supported" })
}

impl<'m> SignedRequest<'m> {
    /// Reads the signature with the profile's tag and checks everything that needs neither key nor time.
    ///
    /// # Errors
    /// A rule of the profile that the request breaks; the first one found.
    pub fn read(request: &Request<'m>, profile: &Profile) -> Result<Self, SignatureError> {
        Self::read_rule(request, profile).map_err(SignatureError::request)
    }

    fn read_rule(request: &Request<'m>, profile: &Profile) -> Result<Self, Rule> {
        let headers = request.headers;
        let input = tagged(input::inputs(headers)?, &profile.tag)?;
        let signature = input::signature_bytes(headers, &input.label)?
            .ok_or_else(|| Rule::MustBeSigned { tag: profile.tag.clone().into_owned() })?;
        let created = input.parameters.created.ok_or(Rule::MustHaveParameter("created"))?;
        let expires = input.parameters.expires.ok_or(Rule::MustHaveParameter("expires"))?;
        if !(1..=LIFETIME_SECONDS_MAX).contains(&(expires.saturating_sub(created))) {
            return Err(Rule::LifetimeAtMost60Seconds { created, expires });
        }
        let nonce = input.parameters.nonce.as_deref().ok_or(Rule::MustHaveParameter("nonce"))?;
        let nonce = Nonce::decode(nonce)?;
        let key_id = key_id(&input)?;
        let algorithm = algorithm(&input)?;
        for component in &input.components {
            if component.req || component.source == Source::Unknown {
                return Err(Rule::MustCoverKnown(component.text().to_owned()));
            }
        }
        input.must_cover_target()?;
        for field in &profile.covered_when_present {
            if headers.contains_key(field) && !input.covers_field(field.as_str()) {
                return Err(Rule::MustCover(format!("\"{field}\"")));
            }
        }
        let declared = content::declared(headers)?;
        let digest = content::covered_digest(headers, &input, declared)?;
        let content_elsewhere = profile.content_elsewhere;
        Ok(Self {
            request: *request,
            input,
            signature,
            created,
            expires,
            nonce,
            key_id,
            algorithm,
            declared,
            digest,
            content_elsewhere,
        })
    }

    /// The label of the signature that counts.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.input.label
    }

    /// Which key is claimed.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// When it was signed, in seconds since 1970, by the signer's clock.
    #[must_use]
    pub fn created(&self) -> i64 {
        self.created
    }

    /// When it ends, in seconds since 1970, by the signer's clock.
    #[must_use]
    pub fn expires(&self) -> i64 {
        self.expires
    }

    /// The nonce, decoded; not to be used up before [`SignedRequest::verify`].
    #[must_use]
    pub fn nonce(&self) -> &[u8] {
        self.nonce.as_bytes()
    }

    /// Which algorithm is claimed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether a component is covered. Compare a header field by `Component::field("idempotency-key")`.
    #[must_use]
    pub fn covers(&self, component: &Component<'_>) -> bool {
        self.input.components.iter().any(|covered| covered.is(component))
    }

    /// The last second, since 1970, at which this request can be accepted, skew included. A nonce must be remembered
    /// that long.
    #[must_use]
    pub fn last_second(&self, profile: &Profile) -> i64 {
        let window = self.created.saturating_add(profile.window_seconds);
        self.expires.min(window).saturating_add(profile.skew_seconds)
    }

    /// Compares the signature's times with the judge's, in seconds since 1970.
    ///
    /// # Errors
    /// `request.must_be_fresh`, `request.must_not_be_from_the_future`: each says the judge's time, so that the caller can
    /// set its clock and sign again.
    pub fn must_be_fresh(&self, now_seconds: i64, profile: &Profile) -> Result<(), SignatureError> {
        let now = now_seconds;
        if self.created > now.saturating_add(profile.skew_seconds) {
            let rule = Rule::MustNotBeFromTheFuture { created: self.created, now };
            return Err(SignatureError::request(rule));
        }
        let until = self.last_second(profile);
        if now > until {
            return Err(SignatureError::request(Rule::MustBeFresh { until, now }));
        }
        Ok(())
    }

    /// Judges the signature by the key that the caller found under [`SignedRequest::key_id`], then the content by its
    /// digest. Times are not compared again.
    ///
    /// # Errors
    /// `request.algorithm_must_be_the_keys`, `request.signature_must_be_valid`, those of a component that the message
    /// does not have, and those of the content.
    pub fn verify(self, key: &VerifyingKey, content: Content<'_>) -> Result<VerifiedRequest, SignatureError> {
        self.verify_rule(key, content).map_err(SignatureError::request)
    }

    fn verify_rule(self, key: &VerifyingKey, content: Content<'_>) -> Result<VerifiedRequest, Rule> {
        if self.algorithm != key.algorithm() {
            return Err(Rule::AlgorithmMustBeTheKeys {
                named: self.algorithm.name().to_owned(),
                key: key.algorithm().name(),
            });
        }
        let base = base::signature_base(&Message::Request(self.request), &self.input)?;
        key.verify(&base, &self.signature)?;
        let content_is_left = self.judge(content)?;
        Ok(VerifiedRequest {
            label: self.input.label.into_owned(),
            key_id: self.key_id.into_owned(),
            algorithm: self.algorithm,
            created: self.created,
            expires: self.expires,
            nonce: self.nonce,
            base,
            signature: self.signature,
            digest: self.digest,
            content_is_left,
        })
    }

    /// True where the content is left to a later step.
    fn judge(&self, content: Content<'_>) -> Result<bool, Rule> {
        let seen = match content {
            Content::Bytes(bytes) => bytes,
            Content::None => &[],
            Content::CheckedElsewhere => {
                let method = self.request.line.method;
                return content::may_pass_unseen(
                    self.content_elsewhere,
                    self.declared,
                    method,
                    self.digest.as_ref(),
                );
            }
        };
        content::must_match(self.digest.as_ref(), seen).map(|()| false)
    }
}

impl VerifiedRequest {
    /// The label of the signature.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The key that signed.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key's algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// When it was signed, in seconds since 1970.
    #[must_use]
    pub fn created(&self) -> i64 {
        self.created
    }

    /// When it ends, in seconds since 1970.
    #[must_use]
    pub fn expires(&self) -> i64 {
        self.expires
    }

    /// The nonce, decoded: these bytes must be new for the key's lineage.
    #[must_use]
    pub fn nonce(&self) -> &[u8] {
        self.nonce.as_bytes()
    }

    /// The text that was signed, for the audit. It holds every covered value, also that of `Authorization`: where the log is
    /// read by others than those who may know it, keep its hash instead.
    #[must_use]
    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// The signature, for the audit. It is no identity: ECDSA has two for the same text.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What the content must match, where the profile left it to a later step; `None` where all is done. Where it is left
    /// and the request has no digest, the later step must see that there is no content.
    #[must_use]
    pub fn content_left(&self) -> Option<Option<&ContentDigest>> {
        self.content_is_left.then_some(self.digest.as_ref())
    }
}

impl fmt::Debug for VerifiedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request signed by {} at {}", self.key_id, self.created)
    }
}
