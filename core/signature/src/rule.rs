//! The rules a signed message must keep, and the stable code of each. A code names the rule that was broken and never
//! changes its meaning; what was given and wanted is in the message for people.

use std::fmt;

/// Which message broke a rule. It is the first part of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A request, which a server judges.
    Request,
    /// A response, which a client judges.
    Response,
}

/// What is bounded, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Bytes of all `Signature-Input` field values together: [`crate::SIGNATURE_INPUT_BYTES_MAX`].
    SignatureInputBytes,
    /// Bytes of all `Signature` field values together: [`crate::SIGNATURE_BYTES_MAX`].
    SignatureBytes,
    /// Labels in one message: [`crate::LABELS_MAX`].
    Labels,
    /// Covered components of one signature: [`crate::COMPONENTS_MAX`].
    Components,
    /// Parameters of one signature: [`crate::PARAMETERS_MAX`].
    Parameters,
    /// Bytes of the signature base: [`crate::BASE_BYTES_MAX`].
    BaseBytes,
}

/// The rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// No signature with the profile's tag, or one of its two fields is missing.
    #[error("the message must be signed under the tag {tag:?}")]
    MustBeSigned {
        /// The tag that counts.
        tag: String,
    },
    /// More than one label has the profile's tag, or one label is used twice.
    #[error("exactly one signature must have the tag {tag:?}")]
    MustHaveOneSignature {
        /// The tag that counts.
        tag: String,
    },
    /// Something is larger than its bound.
    #[error("the signature must be within its bounds: {0:?}")]
    MustBeWithinBounds(Bound),
    /// A field or parameter cannot be parsed, or says one thing twice.
    #[error("{0} must be well formed")]
    MustBeWellFormed(&'static str),
    /// A signature parameter that the profile requires is missing.
    #[error("the signature must have the parameter {0:?}")]
    MustHaveParameter(&'static str),
    /// A component that the profile requires is not covered.
    #[error("the signature must cover {0}")]
    MustCover(String),
    /// A covered component is unknown, is not supported, or does not fit this kind of message.
    #[error("the covered component {0} must be one that this message can have")]
    MustCoverKnown(String),
    /// A covered component has no value in this message, or one that a signature base cannot hold.
    #[error("the covered component {0} must be present in the message")]
    MustCoverPresent(String),
    /// A component is covered twice.
    #[error("the component {0} must be covered only once")]
    MustCoverOnce(String),
    /// `expires` is not 1 to 60 seconds after `created`.
    #[error("a signature must expire 1 to 60 seconds after {created}; this one expires at {expires}")]
    LifetimeAtMost60Seconds {
        /// Seconds since 1970.
        created: i64,
        /// Seconds since 1970.
        expires: i64,
    },
    /// The nonce is not base64url or base64 text.
    #[error("the nonce must be base64url or base64 text")]
    NonceMustBeBase64,
    /// The nonce has another length, decoded.
    #[error("the nonce must have 16 to 64 bytes; it has {bytes}")]
    NonceMustHave16To64Bytes {
        /// Bytes after decoding.
        bytes: usize,
    },
    /// `alg` is not the algorithm of the key.
    #[error("the algorithm must be the key's, {key}; the signature names {named:?}")]
    AlgorithmMustBeTheKeys {
        /// What the signature says.
        named: String,
        /// The key's, or what is supported where the key was not looked up.
        key: &'static str,
    },
    /// Too late: the signature expired or left the window.
    #[error("the signature must be fresh: it was good until {until}, and now is {now}")]
    MustBeFresh {
        /// The last good second, since 1970, skew included.
        until: i64,
        /// The judge's time, in seconds since 1970.
        now: i64,
    },
    /// Too early: the signer's clock is ahead.
    #[error("the signature must not be from the future: it was made at {created}, and now is {now}")]
    MustNotBeFromTheFuture {
        /// Seconds since 1970.
        created: i64,
        /// The judge's time, in seconds since 1970.
        now: i64,
    },
    /// The signature does not fit the message and the key.
    #[error("the signature must be valid for this message and key")]
    SignatureMustBeValid,
    /// Content without `Content-Digest`.
    #[error("a message with content must have a Content-Digest")]
    ContentMustHaveDigest,
    /// `Content-Digest` has neither sha-256 nor sha-512.
    #[error("Content-Digest must have sha-256 or sha-512")]
    DigestMustBeSha256OrSha512,
    /// The content is not what `Content-Digest` says.
    #[error("the content must match its Content-Digest")]
    ContentMustMatchDigest,
    /// The judge does not see the content, and nobody else will check it.
    #[error("the content must be where it can be checked")]
    ContentMustBeChecked,
    /// A response that is not the answer to this request.
    #[error("the response must answer this request")]
    MustAnswerTheRequest,
    /// The key cannot sign, or what is to be signed is not text that a header can carry.
    #[error("the message must be signable: {0}")]
    MustBeSignable(&'static str),
}

/// A rule that a request or a response broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureError {
    /// Which message broke it.
    pub subject: Subject,
    /// The rule.
    pub rule: Rule,
}

/// For each rule its code in a request and in a response; an empty code is one that cannot be had.
const fn codes(rule: &Rule) -> (&'static str, &'static str) {
    match rule {
        Rule::MustBeSigned { .. } => ("request.must_be_signed", "response.must_be_signed"),
        Rule::MustHaveOneSignature { .. } => {
            ("request.must_have_one_signature", "response.must_have_one_signature")
        }
        Rule::MustBeWithinBounds(_) => {
            ("request.signature_must_be_within_bounds", "response.signature_must_be_within_bounds")
        }
        Rule::MustBeWellFormed(_) => ("request.must_be_well_formed", "response.must_be_well_formed"),
        Rule::MustHaveParameter(_) => {
            ("request.signature_must_have_parameter", "response.signature_must_have_parameter")
        }
        Rule::MustCover(_) => ("request.signature_must_cover", "response.signature_must_cover"),
        Rule::MustCoverKnown(_) => (
            "request.signature_must_cover_known_components",
            "response.signature_must_cover_known_components",
        ),
        Rule::MustCoverPresent(_) => {
            ("request.signature_must_cover_what_is_present", "response.signature_must_cover_what_is_present")
        }
        Rule::MustCoverOnce(_) => ("request.signature_must_cover_once", "response.signature_must_cover_once"),
        Rule::LifetimeAtMost60Seconds { .. } => ("request.lifetime_must_be_at_most_60_seconds", ""),
        Rule::NonceMustBeBase64 => ("request.nonce_must_be_base64", "response.nonce_must_be_base64"),
        Rule::NonceMustHave16To64Bytes { .. } => {
            ("request.nonce_must_have_16_to_64_bytes", "response.nonce_must_have_16_to_64_bytes")
        }
        Rule::AlgorithmMustBeTheKeys { .. } => {
            ("request.algorithm_must_be_the_keys", "response.algorithm_must_be_the_keys")
        }
        Rule::MustBeFresh { .. } => ("request.must_be_fresh", ""),
        Rule::MustNotBeFromTheFuture { .. } => ("request.must_not_be_from_the_future", ""),
        Rule::SignatureMustBeValid => ("request.signature_must_be_valid", "response.signature_must_be_valid"),
        Rule::ContentMustHaveDigest => {
            ("request.content_must_have_digest", "response.content_must_have_digest")
        }
        Rule::DigestMustBeSha256OrSha512 => {
            ("request.digest_must_be_sha_256_or_sha_512", "response.digest_must_be_sha_256_or_sha_512")
        }
        Rule::ContentMustMatchDigest => {
            ("request.content_must_match_digest", "response.content_must_match_digest")
        }
        Rule::ContentMustBeChecked => ("request.content_must_be_checked", ""),
        Rule::MustAnswerTheRequest => ("", "response.must_answer_the_request"),
        Rule::MustBeSignable(_) => ("request.must_be_signable", "response.must_be_signable"),
    }
}

impl SignatureError {
    /// Every code there is, sorted: for pages of documentation and their tests.
    pub const CODES: &'static [&'static str] = &[
        "request.algorithm_must_be_the_keys",
        "request.content_must_be_checked",
        "request.content_must_have_digest",
        "request.content_must_match_digest",
        "request.digest_must_be_sha_256_or_sha_512",
        "request.lifetime_must_be_at_most_60_seconds",
        "request.must_be_fresh",
        "request.must_be_signable",
        "request.must_be_signed",
        "request.must_be_well_formed",
        "request.must_have_one_signature",
        "request.must_not_be_from_the_future",
        "request.nonce_must_be_base64",
        "request.nonce_must_have_16_to_64_bytes",
        "request.signature_must_be_valid",
        "request.signature_must_be_within_bounds",
        "request.signature_must_cover",
        "request.signature_must_cover_known_components",
        "request.signature_must_cover_once",
        "request.signature_must_cover_what_is_present",
        "request.signature_must_have_parameter",
        "response.algorithm_must_be_the_keys",
        "response.content_must_have_digest",
        "response.content_must_match_digest",
        "response.digest_must_be_sha_256_or_sha_512",
        "response.must_answer_the_request",
        "response.must_be_signable",
        "response.must_be_signed",
        "response.must_be_well_formed",
        "response.must_have_one_signature",
        "response.nonce_must_be_base64",
        "response.nonce_must_have_16_to_64_bytes",
        "response.signature_must_be_valid",
        "response.signature_must_be_within_bounds",
        "response.signature_must_cover",
        "response.signature_must_cover_known_components",
        "response.signature_must_cover_once",
        "response.signature_must_cover_what_is_present",
        "response.signature_must_have_parameter",
    ];

    /// The stable code, such as `request.must_be_fresh`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        let (request, response) = codes(&self.rule);
        match self.subject {
            Subject::Request => request,
            Subject::Response => response,
        }
    }

    pub(crate) const fn request(rule: Rule) -> Self {
        Self { subject: Subject::Request, rule }
    }

    pub(crate) const fn response(rule: Rule) -> Self {
        Self { subject: Subject::Response, rule }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.rule)
    }
}

impl std::error::Error for SignatureError {}

#[cfg(test)]
mod tests {
    use super::{Bound, Rule, SignatureError};
    use std::collections::BTreeSet;

    fn every_rule() -> Vec<Rule> {
        let text = String::new;
        vec![
            Rule::MustBeSigned { tag: text() },
            Rule::MustHaveOneSignature { tag: text() },
            Rule::MustBeWithinBounds(Bound::Labels),
            Rule::MustBeWellFormed(""),
            Rule::MustHaveParameter(""),
            Rule::MustCover(text()),
            Rule::MustCoverKnown(text()),
            Rule::MustCoverPresent(text()),
            Rule::MustCoverOnce(text()),
            Rule::LifetimeAtMost60Seconds { created: 0, expires: 0 },
            Rule::NonceMustBeBase64,
            Rule::NonceMustHave16To64Bytes { bytes: 0 },
            Rule::AlgorithmMustBeTheKeys { named: text(), key: "" },
            Rule::MustBeFresh { until: 0, now: 0 },
            Rule::MustNotBeFromTheFuture { created: 0, now: 0 },
            Rule::SignatureMustBeValid,
            Rule::ContentMustHaveDigest,
            Rule::DigestMustBeSha256OrSha512,
            Rule::ContentMustMatchDigest,
            Rule::ContentMustBeChecked,
            Rule::MustAnswerTheRequest,
            Rule::MustBeSignable(""),
        ]
    }

    #[test]
    fn the_list_of_codes_is_whole_and_sorted_and_no_code_names_two_rules() {
        let errors = every_rule()
            .into_iter()
            .flat_map(|rule| [SignatureError::request(rule.clone()), SignatureError::response(rule)]);
        let codes: Vec<&str> = errors.map(|error| error.code()).filter(|code| !code.is_empty()).collect();
        let unique: BTreeSet<&str> = codes.iter().copied().collect();
        assert_eq!(unique.len(), codes.len());
        assert_eq!(unique.into_iter().collect::<Vec<_>>(), SignatureError::CODES);
    }

    /// The page of the profile explains every code, those of responses by those of requests.
    #[test]
    fn the_profile_explains_every_code() {
        let profile = include_str!("../../../spec/http-signature-profile.md");
        for code in SignatureError::CODES {
            let own = format!("`{code}`");
            let of_request = own.replace("response.", "request.");
            assert!(profile.contains(&own) || profile.contains(&of_request), "{code}");
        }
    }
}
