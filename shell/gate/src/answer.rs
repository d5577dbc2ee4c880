//! Signing what the server answers, refusals too, so that a client may trust its time and cannot be lied to.

use http::{HeaderMap, StatusCode};
use strongroom_signature::{
    Request, ResponseParameters, ResponseProfile, SignatureError, Signed, SigningKey, sign_response,
};
use strongroom_units::time::Timestamp;

/// A server's key at work.
pub struct Answerer {
    key: SigningKey,
    key_id: String,
    profile: ResponseProfile,
}

impl std::fmt::Debug for Answerer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answerer").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Answerer {
    /// Signs as `key_id` with `key`.
    pub fn new(key: SigningKey, key_id: String) -> Self {
        Self { key, key_id, profile: ResponseProfile::default() }
    }

    /// The name of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Adds digest and signature to an answer to a request, which may itself be unsigned or badly signed. Gives what was
    /// signed.
    pub fn sign(
        &self,
        status: StatusCode,
        headers: &mut HeaderMap,
        request: &Request<'_>,
        content: &[u8],
        now: Timestamp,
    ) -> Result<Signed, SignatureError> {
        let parameters = ResponseParameters { created: now.as_second(), key_id: &self.key_id };
        sign_response(status, headers, request, &self.key, &parameters, content, &self.profile)
    }
}
