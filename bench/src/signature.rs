//! What it takes to verify a signed request in process, beside the bare primitive over the same bytes and the SHA-256 of
//! the same content, in turns.

use crate::report::{Report, Table, figure};
use crate::statistics::{median, range};
use crate::{Failure, Plan};
use ed25519_dalek::{Signature, SigningKey as DalekKey};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::time::Instant;
use strongroom_signature::{
    Algorithm, Content, Profile, Request, RequestLine, SignedRequest, SigningKey, SigningParameters,
    VerifyingKey, sign_request,
};

const NOW: i64 = 1_700_000_000;
const SECRET: [u8; 32] = [7; 32];
/// A round of one of the three lasts about this long.
const ROUND_NS: f64 = 40_000_000.0;

/// The fields of an order that a client library sends; seven components are covered.
const FIELDS: [(&str, &str); 7] = [
    ("host", "fund.example"),
    ("user-agent", "strongroom/0.1"),
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("content-length", "1024"),
    ("idempotency-key", "\"0f9a7c1e-1\""),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
];

/// One round: nanoseconds of a whole verification, of the bare primitive, and of the digest.
struct Round {
    ours: f64,
    bare: f64,
    digest: f64,
}

pub fn measure(plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    let content = vec![b'x'; 1024];
    let title =
        format!("Verifying a request of 7 components and 1 KiB; ns, medians of {} rounds", plan.rounds);
    let columns =
        ["algorithm", "ours", "primitive", "sha-256", "beyond both", "lowest", "highest", "times primitive"];
    let mut table = Table::new(title, &columns);
    for key in [SigningKey::hmac_sha256(&SECRET)?, SigningKey::ed25519(&SECRET)?] {
        let rounds = rounds(plan, &key, &content)?;
        let of = |pick: fn(&Round) -> f64| rounds.iter().map(pick).collect::<Vec<f64>>();
        let beyond = of(|round| round.ours - round.bare - round.digest);
        let (lowest, highest) = range(&beyond);
        let times = median(&of(|round| (round.ours - round.digest) / round.bare));
        table.row(
            [key.algorithm().name().to_owned()]
                .into_iter()
                .chain(
                    [
                        median(&of(|round| round.ours)),
                        median(&of(|round| round.bare)),
                        median(&of(|round| round.digest)),
                        median(&beyond),
                        lowest,
                        highest,
                    ]
                    .map(figure),
                )
                .chain([format!("{times:.3}")]),
        );
    }
    report.add(table);
    Ok(())
}

fn rounds(plan: &Plan, key: &SigningKey, content: &[u8]) -> Result<Vec<Round>, Failure> {
    let profile = Profile::default();
    let method = Method::POST;
    let line = RequestLine {
        method: &method,
        scheme: "https",
        authority: "fund.example",
        path: "/v1/funds/BTCX/orders",
        query: Some("dry=1"),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in FIELDS {
        headers.append(name, HeaderValue::from_static(value));
    }
    let parameters =
        SigningParameters { created: NOW, expires: NOW + 60, nonce: &[9; 16], key_id: "acme-trading.3" };
    let signed = sign_request(&line, &mut headers, key, &parameters, content, &profile)?;
    let request = line.with(&headers);
    let verifying = key.verifying_key().ok_or("the key must have a verifying half")?;
    let mut ours = || verify(&request, &profile, &verifying, content);
    let mut bare = primitive(key.algorithm(), signed.base, &signed.bytes)?;
    let mut digest = || {
        black_box(Sha256::digest(black_box(content)));
        true
    };
    let turns = (ROUND_NS / each(1_000, &mut ours)?).ceil() as usize;
    (0..plan.rounds)
        .map(|_| {
            Ok(Round {
                ours: each(turns, &mut ours)?,
                bare: each(turns, &mut bare)?,
                digest: each(turns, &mut digest)?,
            })
        })
        .collect()
}

/// All that the crate does for a request, its times included.
fn verify(request: &Request<'_>, profile: &Profile, key: &VerifyingKey, content: &[u8]) -> bool {
    SignedRequest::read(black_box(request), profile)
        .and_then(|candidate| {
            candidate.must_be_fresh(NOW, profile)?;
            candidate.verify(key, Content::Bytes(content))
        })
        .is_ok_and(|verified| black_box(verified).nonce().len() == 16)
}

/// The primitive by its own crate, the key ready and the signature decoded.
fn primitive(
    algorithm: Algorithm,
    base: Vec<u8>,
    signature: &[u8],
) -> Result<Box<dyn FnMut() -> bool>, Failure> {
    if algorithm == Algorithm::HmacSha256 {
        let mac = Hmac::<Sha256>::new_from_slice(&SECRET)?;
        let signature = signature.to_vec();
        return Ok(Box::new(move || {
            mac.clone().chain_update(black_box(&base)).verify_slice(&signature).is_ok()
        }));
    }
    let key = DalekKey::from_bytes(&SECRET).verifying_key();
    let signature = Signature::from_slice(signature)?;
    Ok(Box::new(move || key.verify_strict(black_box(&base), &signature).is_ok()))
}

/// Nanoseconds of one turn.
fn each(turns: usize, work: &mut dyn FnMut() -> bool) -> Result<f64, Failure> {
    let start = Instant::now();
    let mut good = true;
    for _ in 0..turns {
        good &= work();
    }
    if !good {
        return Err("what was signed must verify".into());
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / turns as f64)
}
