//! What the cryptography of one request and its answer takes by itself, on the core on which the servers run.

use super::processor::{SERVER_CORE, pin};
use super::requests::{Signer, make};
use crate::Failure;
use crate::statistics::median;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Instant;
use strongroom_signature::{
    Request, RequestLine, ResponseParameters, ResponseProfile, Signed, SigningKey, VerifyingKey,
    sign_response,
};

/// How often each is done: in short spells, whose median other work on the core does not move.
const SPELLS: usize = 101;
const TURNS: u32 = 20;

/// Microseconds of each.
#[derive(Clone, Copy)]
pub struct Primitives {
    pub verify: f64,
    pub digest: f64,
    pub sign: f64,
    pub answer_digest: f64,
}

impl Primitives {
    pub fn sum(&self) -> f64 {
        self.verify + self.digest + self.sign + self.answer_digest
    }
}

/// Verifies a request as it is sent, and signs an answer to it as the server does.
pub fn measure(address: SocketAddr, signer: &Signer, answer: &[u8]) -> Result<Primitives, Failure> {
    let made = make(address, Some(signer), 0)?;
    let signed = made.signed.as_ref().ok_or("a request with a signer must be signed")?;
    let key = signer.key.verifying_key().ok_or("the key must have a verifying half")?;
    let server = SigningKey::ed25519(&[7; 32])?;
    let authority = address.to_string();
    let line = RequestLine {
        method: &made.method,
        scheme: "http",
        authority: &authority,
        path: super::child::PATH,
        query: None,
    };
    let response = answer_base(&line.with(&made.headers), &server, answer)?;
    std::thread::scope(|scope| {
        let work = scope.spawn(|| timed(signed, &key, &made.content, (&server, &response), answer));
        work.join().unwrap_or_else(|_| Err("the thread ended early".into()))
    })
    .map_err(Into::into)
}

fn timed(
    signed: &Signed,
    key: &VerifyingKey,
    content: &[u8],
    (server, response): (&SigningKey, &[u8]),
    answer: &[u8],
) -> Result<Primitives, String> {
    pin(SERVER_CORE).map_err(|error| error.to_string())?;
    Ok(Primitives {
        verify: each(|| key.verify(black_box(&signed.base), &signed.bytes).is_ok())?,
        digest: each(|| !black_box(Sha256::digest(black_box(content))).is_empty())?,
        sign: each(|| server.sign(black_box(response)).is_ok())?,
        answer_digest: each(|| !black_box(Sha256::digest(black_box(answer))).is_empty())?,
    })
}

/// Microseconds of one turn.
fn each(mut work: impl FnMut() -> bool) -> Result<f64, String> {
    let mut good = true;
    let mut spell = || {
        let start = Instant::now();
        for _ in 0..TURNS {
            good &= work();
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(TURNS)
    };
    let each = median(&(0..SPELLS).map(|_| spell()).collect::<Vec<f64>>());
    if good { Ok(each) } else { Err("what was signed must verify".to_owned()) }
}

/// The text that the server signs under an answer to this request.
fn answer_base(request: &Request<'_>, key: &SigningKey, answer: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    let parameters = ResponseParameters { created: 0, key_id: "server.1" };
    let status = http::StatusCode::CREATED;
    let profile = ResponseProfile::default();
    Ok(sign_response(status, &mut headers, request, key, &parameters, answer, &profile)?.base)
}
