//! The successor of a key: one that its holder made, or a secret that is made here.
//!
//! A secret is not kept open anywhere. Until its first use it can be opened again: an HMAC secret from the key's own
//! material, a bearer secret from a text that the vault sealed and that goes with the first use. So whoever lost the answer
//! asks again with the same idempotency key and gets it, also after a restart; whoever uses the secret ends that.

use super::scheduler::{evidence, must_be_due};
use super::view::{Rotate, Rotated};
use super::{known, proof};
use crate::caller::Caller;
use crate::house::{House, Shared};
use crate::keys::{HMAC_PURPOSE, hash_of, random};
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use strongroom_access::bearer::BearerKey;
use strongroom_access::rotation::{Asked, RotationCommand};
use strongroom_access::{AccessCommand, Algorithm, KeyVersion, Lineage, LineageId, Material, Scope};
use strongroom_desk::{Cause, Desk};
use strongroom_units::time::Timestamp;
use strongroom_vault::sealed_box::{ReceiverKey, seal_to as seal_to_receiver};
use strongroom_vault::{Identity, Secret};

/// The purpose under which the vault seals bearer secrets that wait for their first use.
pub(crate) const BEARER_PURPOSE: &str = "bearer-successor";
/// How often a secret is made anew because another server added a version meanwhile.
const TRIES: u32 = 3;
const DAY: i64 = 86_400;

/// Adds a successor to the lineage of the key that asks, or answers a repeated request again.
pub(crate) async fn rotate(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(lineage): Path<String>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let content = crate::guard::content_of(body, super::super::endpoint::BODY_MAX).await?;
    let asked: Rotate = match content.is_empty() {
        true => Rotate::default(),
        false => serde_json::from_slice(&content).map_err(Problem::body)?,
    };
    let is_own = caller.permit().key.lineage.as_str() == lineage;
    if !is_own && !caller.may(Scope::KEYS_ADMIN) {
        return Err(by_own_key("a key adds successors to its own lineage only"));
    }
    let lineage = known(&house, &lineage)?;
    match &asked.public_key {
        Some(_) if !is_own => Err(by_own_key("only the old key itself can sign for a new public key")),
        Some(public) => {
            let public = public.clone();
            add_public(&house, &caller, lineage, (asked, public), (&parts, content)).await
        }
        None => add_secret(&house, &caller, lineage, &asked, &parts.headers).await,
    }
}

fn by_own_key(detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "rotation.must_be_by_its_own_key", detail)
}

/// The present key of a lineage: the one to be followed.
fn present(lineage: &Lineage) -> Option<&KeyVersion> {
    lineage.primary().or_else(|| lineage.versions.values().rev().find(|key| key.state.is_live()))
}

fn expiry(asked: &Rotate) -> Option<Timestamp> {
    let days = i64::from(asked.days?);
    Timestamp::from_second(Timestamp::now().as_second().saturating_add(days.saturating_mul(DAY))).ok()
}

async fn add_public(
    house: &Shared,
    caller: &Caller,
    lineage: LineageId,
    (asked, public): (Rotate, String),
    (parts, content): (&Parts, Bytes),
) -> Result<Response, Problem> {
    let own = house.gate.access(|access| access.lineage(&lineage).and_then(present).map(|key| key.algorithm));
    let algorithm = match &asked.algorithm {
        Some(name) => name.parse()?,
        None => own.unwrap_or(Algorithm::Ed25519),
    };
    proof::must_prove(house, caller, &lineage, (algorithm, &public), parts, &content)?;
    let material = Material::Public { key: public };
    let command = RotationCommand::AddSuccessor {
        lineage: lineage.clone(),
        algorithm,
        material: material.clone(),
        expires: expiry(&asked),
        asked: None,
    };
    let (shared, cause) = (house.clone(), caller.cause());
    house
        .ask(move |desk| {
            make_room(&shared, desk, &lineage)?;
            desk.change_access(&AccessCommand::Rotation(command), Timestamp::now(), &cause)?;
            shared.follow_access(desk)
        })
        .await??;
    let lineage = caller.permit().key.lineage.clone();
    let rotated = house.gate.access(|access| {
        let lineage = access.lineage(&lineage)?;
        let key = lineage.versions.values().find(|key| key.material == material)?;
        Some(rotated(lineage, key))
    });
    let rotated = rotated.ok_or_else(|| Problem::internal(&"the successor is not there"))?;
    Ok((StatusCode::CREATED, Json(rotated)).into_response())
}

fn rotated(lineage: &Lineage, key: &KeyVersion) -> Rotated {
    Rotated {
        key: lineage.key_id(key.version).to_string(),
        state: key.state.as_str().to_owned(),
        algorithm: key.algorithm.to_string(),
        expires: key.expires.to_string(),
        secret: None,
        sealed: None,
    }
}

async fn add_secret(
    house: &Shared,
    caller: &Caller,
    lineage: LineageId,
    asked: &Rotate,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let receiver: Option<ReceiverKey> = asked.seal_to.as_deref().map(str::parse).transpose().map_err(
        |error: strongroom_vault::sealed_box::SealedBoxError| Problem::parameter("seal_to", error),
    )?;
    let id = match headers.get("idempotency-key") {
        Some(name) => hash_of(&format!("{:?}", name.as_bytes())),
        // A request without a name is never the same as another.
        None => hash_of(&format!("{:?}", random::<16>()?)),
    };
    let (shared, cause, expires) = (house.clone(), caller.cause(), expiry(asked));
    let (key, secret) = house
        .ask(move |desk| {
            make_room(&shared, desk, &lineage)?;
            let made = make(&shared, desk, &lineage, &id, expires, &cause);
            shared.follow_access(desk)?;
            made
        })
        .await??;
    let seal = |receiver| seal_to_receiver(receiver, key.key.as_bytes(), &secret);
    let sealed = receiver.as_ref().map(seal).transpose().map_err(|error| Problem::internal(&error))?;
    let open = match sealed {
        Some(_) => None,
        None => secret.expose_text().map(str::to_owned),
    };
    let mut response = (StatusCode::CREATED, Json(Rotated { sealed, secret: open, ..key })).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Retires first what has been due for that: the window may need the room.
fn make_room(house: &House, desk: &mut Desk, lineage: &LineageId) -> Result<(), Problem> {
    let now = Timestamp::now();
    let last_used = evidence(house, desk, lineage)?;
    if must_be_due(desk, lineage, &last_used, now)? {
        let command = RotationCommand::Advance { lineage: lineage.clone(), last_used };
        desk.change_access(&AccessCommand::Rotation(command), now, &Cause::actor(crate::start::ACTOR))?;
    }
    Ok(())
}

/// Makes a secret, or opens the one that waits for this very request.
fn make(
    house: &House,
    desk: &mut Desk,
    id: &LineageId,
    request: &str,
    expires: Option<Timestamp>,
    cause: &Cause,
) -> Result<(Rotated, Secret), Problem> {
    let mut cause = cause.clone();
    for _ in 0..TRIES {
        let (algorithm, environment, next) = {
            let lineage = desk.access()?.lineage(id).ok_or_else(|| Problem::not_found("such lineage"))?;
            let present = present(lineage).ok_or(strongroom_access::AccessRefusal::PredecessorMustExist)?;
            let next = lineage.versions.keys().next_back().map_or(1, |last| last.saturating_add(1));
            (present.algorithm, lineage.grant.environment, next)
        };
        let key = format!("{id}.{next}");
        let (material, sealed) = match algorithm {
            Algorithm::HmacSha256 => {
                let secret = Secret::random(32).map_err(|error| Problem::internal(&error))?;
                (Material::Sealed { sealed: seal(house, HMAC_PURPOSE, &key, &secret)? }, None)
            }
            Algorithm::Bearer => {
                let bearer = BearerKey::from_random(environment, id.clone(), random::<32>()?);
                let text = Secret::copy_of(bearer.expose().as_bytes());
                let hash = bearer.hash(&house.pepper);
                (Material::Hash { hash }, Some(seal(house, BEARER_PURPOSE, &key, &text)?))
            }
            _ => return Err(strongroom_access::AccessRefusal::MaterialMustFitAlgorithm.into()),
        };
        let asked = Some(Asked { id: request.to_owned(), sealed });
        let command =
            RotationCommand::AddSuccessor { lineage: id.clone(), algorithm, material, expires, asked };
        let answer = desk.change_access(&AccessCommand::Rotation(command), Timestamp::now(), &cause)?;
        if !answer.events.is_empty() {
            cause.nonce = None;
        }
        if let Some(found) = waiting(house, desk, id, request)? {
            return Ok(found);
        }
    }
    Err(Problem::internal(&"other servers were always first"))
}

fn seal(house: &House, purpose: &str, key: &str, secret: &Secret) -> Result<String, Problem> {
    let identity = Identity::try_new(purpose, key).map_err(|error| Problem::internal(&error))?;
    let sealed = house.vault.seal(&identity, secret).map_err(|error| Problem::internal(&error))?;
    Ok(sealed.to_string())
}

/// The successor that waits for a request, and its secret. None where it was sealed under another version's name, because
/// another server was first.
fn waiting(
    house: &House,
    desk: &mut Desk,
    id: &LineageId,
    request: &str,
) -> Result<Option<(Rotated, Secret)>, Problem> {
    let found = desk.access()?.lineage(id).and_then(|lineage| {
        let key = lineage.successor()?;
        let asked = lineage.rotation.marks.get(&key.version)?.asked.clone()?;
        (asked.id == request).then(|| (rotated(lineage, key), key.material.clone(), asked.sealed))
    });
    let Some((view, material, sealed)) = found else { return Ok(None) };
    let (purpose, sealed) = match (&material, sealed) {
        (_, Some(sealed)) => (BEARER_PURPOSE, sealed),
        (Material::Sealed { sealed }, None) => (HMAC_PURPOSE, sealed.clone()),
        _ => return Ok(None),
    };
    let identity = Identity::try_new(purpose, &view.key).map_err(|error| Problem::internal(&error))?;
    let sealed = sealed.parse().map_err(|error: strongroom_vault::VaultError| Problem::internal(&error))?;
    let Ok(secret) = house.vault.open(&identity, &sealed) else { return Ok(None) };
    let secret = match purpose {
        HMAC_PURPOSE => Secret::from_text(STANDARD.encode(secret.expose())),
        _ => secret,
    };
    Ok(Some((view, secret)))
}
