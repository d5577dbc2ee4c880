//! HTTP Message Signatures (RFC 9421) with content digests (RFC 9530), and the profile that makes coverage a rule.
//! It keeps no keys and no nonces, and reads no clock: those are the caller's.
//!
#![doc = include_str!("../README.md")]

mod accept;
mod base;
mod canonical;
mod component;
mod content;
mod digest;
mod field;
mod input;
mod key;
mod message;
mod nonce;
mod parameters;
mod pem;
mod profile;
mod query;
mod request;
mod response;
mod rotate;
mod rule;
mod sign;
mod structured;
mod vouch;

pub use accept::{ACCEPT_SIGNATURE, AcceptSignature};
pub use component::Component;
pub use content::Content;
pub use digest::ContentDigest;
pub use input::{Input, Signature, signatures};
pub use key::{Algorithm, KeyError, SigningKey, VerifyingKey};
pub use message::{Message, Request, RequestLine, Response};
pub use nonce::{NONCE_BYTES_MAX, NONCE_BYTES_MIN, Nonce};
pub use parameters::Parameters;
pub use profile::{
    ContentElsewhere, LABEL, LIFETIME_SECONDS_MAX, Profile, REQUEST_TAG, RESPONSE_TAG, ResponseProfile,
};
pub use request::{SignedRequest, VerifiedRequest};
pub use response::{Binding, ResponseParameters, SignedResponse, VerifiedResponse, sign_response};
pub use rotate::{ROTATE_TAG, sign_rotation, verify_rotation};
pub use rule::{Bound, Rule, SignatureError, Subject};
pub use sign::{Signed, SigningParameters, sign, sign_request, sign_request_covering, strip};
pub use vouch::vouch_text;

/// Bytes of all `Signature-Input` field values of a message together, at most.
pub const SIGNATURE_INPUT_BYTES_MAX: usize = 4_096;
/// Bytes of all `Signature` field values of a message together, at most: one of ML-DSA-65 has 4,412.
pub const SIGNATURE_BYTES_MAX: usize = 8_192;
/// Signatures in one message, at most.
pub const LABELS_MAX: usize = 4;
/// Components that one signature covers, at most.
pub const COMPONENTS_MAX: usize = 32;
/// Parameters of one signature, at most.
pub const PARAMETERS_MAX: usize = 16;
/// Bytes of a signature base, at most.
pub const BASE_BYTES_MAX: usize = 65_536;
/// Bytes of `Content-Digest`, at most.
pub const CONTENT_DIGEST_BYTES_MAX: usize = 1_024;
/// Bytes of `keyid`, at most.
pub const KEY_ID_BYTES_MAX: usize = 256;
