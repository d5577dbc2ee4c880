//! A key was stolen: end and replace in one call, each lineage in one transaction.

use super::select;
use super::view::{Emergency, EmergencyDone, Replaced};
use crate::caller::Caller;
use crate::house::Shared;
use crate::keys::{CODE_SECONDS, HMAC_PURPOSE, new_code, random};
use crate::problem::Problem;
use crate::verifiers::WAIT_MAX;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode, header};
use strongroom_access::bearer::BearerKey;
use strongroom_access::rotation::{Replacement, RotationCommand};
use strongroom_access::{AccessCommand, AccessEvent, Algorithm, EnrolmentId, Grant, LineageId, Material};
use strongroom_desk::Cause;
use strongroom_units::time::Timestamp;
use strongroom_vault::sealed_box::{ReceiverKey, seal_to as seal_to_receiver};
use strongroom_vault::{Identity, Secret};

/// Days that a replacement lives: a quarter.
const KEY_DAYS: i64 = 90;
/// Characters of a reason.
const REASON_MAX: usize = 500;

/// What is prepared for a lineage before it ends.
struct Prepared {
    replacement: Replacement,
    invitation: Option<String>,
    key: Option<String>,
    secret: Option<Secret>,
}

/// Ends and replaces the lineages that are named. The one that asks stays where all are named: somebody must be left to
/// hand out the new keys.
pub(crate) async fn emergency(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let asked: Emergency = serde_json::from_slice(&body).map_err(Problem::body)?;
    if asked.reason.trim().is_empty() || asked.reason.chars().count() > REASON_MAX {
        return Err(Problem::parameter("reason", "say why, in 1 to 500 characters"));
    }
    let mut named = house
        .gate
        .access(|access| select(access, asked.lineage.as_deref(), asked.principal.as_deref(), asked.all))?;
    if asked.all {
        named.retain(|lineage| *lineage != caller.permit().key.lineage);
    }
    // The caller's own key last: after it, nothing more of this request is allowed.
    named.sort_by_key(|lineage| *lineage == caller.permit().key.lineage);
    let (mut cause, mut lineages) = (caller.cause(), Vec::new());
    for lineage in named {
        let done = replace(&house, &asked, lineage, &cause).await?;
        if !done.revoked.is_empty() {
            // The nonce of the request is used up with the first effect.
            cause.nonce = None;
        }
        lineages.push(done);
    }
    let end = lineages.iter().map(|done| done.seq).max().unwrap_or_default();
    let confirmation = house.wait_for_verifiers(end, WAIT_MAX).await?;
    let (confirmed, unconfirmed) = (confirmation.unconfirmed.is_empty(), confirmation.unconfirmed);
    let done = EmergencyDone { lineages, confirmed, unconfirmed };
    let mut response = (StatusCode::OK, Json(done)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn replace(
    house: &Shared,
    asked: &Emergency,
    lineage: LineageId,
    cause: &Cause,
) -> Result<Replaced, Problem> {
    let found = house.gate.access(|access| {
        let found = access.lineage(&lineage)?;
        Some((found.grant.clone(), found.versions.values().next_back()?.algorithm))
    });
    let (grant, algorithm) = found.ok_or_else(|| Problem::not_found("such lineage"))?;
    let receiver = asked.seal_to.get(grant.principal.as_str()).map(|text| text.parse::<ReceiverKey>());
    let receiver = receiver.transpose().map_err(|error| Problem::parameter("seal_to", error))?;
    let Prepared { replacement, invitation, key, secret } = prepare(house, &grant, algorithm)?;
    let command = RotationCommand::Emergency {
        lineage: lineage.clone(),
        reason: asked.reason.clone(),
        replacement,
        even_the_last: false,
    };
    let mut done = Replaced {
        lineage: lineage.to_string(),
        principal: grant.principal.to_string(),
        seq: 0,
        revoked: Vec::new(),
        receipts: Vec::new(),
        refused: None,
        invitation: None,
        key: None,
        secret: None,
        sealed: None,
    };
    let answer = match house.change_access(AccessCommand::Rotation(command), cause.clone()).await {
        Ok(answer) => answer,
        // One that is refused, such as the last operator's, must not keep the others from being stopped.
        Err(problem) => return Ok(Replaced { refused: Some(problem.code().to_owned()), ..done }),
    };
    let revoked = answer.events.iter().filter_map(|event| match event {
        AccessEvent::KeyRevoked { key, .. } => Some(key.to_string()),
        _ => None,
    });
    (done.seq, done.revoked) = (answer.seq, revoked.collect());
    let ended = answer.events.iter().zip(&answer.places);
    let ended = ended.filter(|(event, _)| matches!(event, AccessEvent::KeyRevoked { .. }));
    done.receipts = ended.filter_map(|(_, place)| place.receipt()).collect();
    if done.revoked.is_empty() {
        return Ok(done);
    }
    if let (Some(secret), Some(key)) = (&secret, &key) {
        let seal = |receiver| seal_to_receiver(receiver, key.as_bytes(), secret);
        done.sealed = receiver.as_ref().map(seal).transpose().map_err(|error| Problem::internal(&error))?;
        if done.sealed.is_none() {
            done.secret = secret.expose_text().map(str::to_owned);
        }
    }
    (done.invitation, done.key) = (invitation, key);
    Ok(done)
}

fn prepare(house: &Shared, grant: &Grant, algorithm: Algorithm) -> Result<Prepared, Problem> {
    let later = |seconds: i64| {
        Timestamp::from_second(Timestamp::now().as_second().saturating_add(seconds)).unwrap_or(Timestamp::MAX)
    };
    let expires = later(KEY_DAYS * 86_400);
    if algorithm.is_asymmetric() {
        let (code, code_hash) = new_code()?;
        let id = EnrolmentId::from_random(random()?);
        let invitation = Some(format!("{id}.{code}"));
        let code_expires = later(CODE_SECONDS);
        let replacement = Replacement::Invitation { id, code_hash, code_expires, key_expires: expires };
        return Ok(Prepared { replacement, invitation, key: None, secret: None });
    }
    let lineage = LineageId::from_random(random()?);
    let key = format!("{lineage}.1");
    let (material, secret) = match algorithm {
        Algorithm::Bearer => {
            let bearer = BearerKey::from_random(grant.environment, lineage.clone(), random::<32>()?);
            let hash = bearer.hash(&house.pepper);
            (Material::Hash { hash }, Secret::copy_of(bearer.expose().as_bytes()))
        }
        _ => {
            let secret = Secret::random(32).map_err(|error| Problem::internal(&error))?;
            let identity =
                Identity::try_new(HMAC_PURPOSE, &key).map_err(|error| Problem::internal(&error))?;
            let sealed = house.vault.seal(&identity, &secret).map_err(|error| Problem::internal(&error))?;
            let text = Secret::from_text(STANDARD.encode(secret.expose()));
            (Material::Sealed { sealed: sealed.to_string() }, text)
        }
    };
    let replacement = Replacement::Secret { lineage, material, expires };
    Ok(Prepared { replacement, invitation: None, key: Some(key), secret: Some(secret) })
}
