//! Principals, enrolments, keys: issue, list, revoke. Secrets are made here, shown once and kept sealed or hashed.

use crate::caller::Caller;
use crate::funds::Window;
use crate::house::{House, Shared};
use crate::problem::Problem;
use crate::recorded::recorded;
use crate::start::new_server_key;
use crate::verifiers::WAIT_MAX;
use crate::view::{
    Enrol, Enrolled, KeyIssued, KeyView, NewKey, NewPrincipal, Page, PrincipalView, Restrict, Revoke,
    Revoked, ServerKeyView,
};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;
use strongroom_access::bearer::BearerKey;
use strongroom_access::{
    AccessCommand, AccessEvent, AccessRefusal, AccessState, Algorithm, EnrolmentId, Environment, Grant,
    Lineage, LineageId, Material, Networks, NewEnrolment, Principal, Scope,
};
use strongroom_desk::{AccessAnswer, Cause, Place};
use strongroom_signature::vouch_text;
use strongroom_units::time::Timestamp;
use strongroom_vault::sealed_box::{ReceiverKey, seal_to as seal_to_receiver};
use strongroom_vault::{Identity, Secret};

/// Seconds in a day.
const DAY: i64 = 86_400;
/// Days that a key lives when nobody says otherwise: a quarter.
const KEY_DAYS: u32 = 90;
/// Seconds that a one-time code is good.
pub(crate) const CODE_SECONDS: i64 = DAY;
/// The purpose under which the vault seals HMAC secrets.
pub(crate) const HMAC_PURPOSE: &str = "hmac-credential";

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let secret = Secret::random(N).map_err(|error| Problem::internal(&error))?;
    secret.expose().try_into().map_err(|_| Problem::internal(&"the random bytes are too few"))
}

fn seconds_later(from: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_second(from.as_second().saturating_add(seconds)).unwrap_or(Timestamp::MAX)
}

/// What the log keeps of a code.
pub(crate) fn hash_of(code: &str) -> String {
    Sha256::digest(code.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A one-time code of 160 random bits, and what the log keeps of it.
pub(crate) fn new_code() -> Result<(String, String), Problem> {
    let code = URL_SAFE_NO_PAD.encode(random::<20>()?);
    let hash = hash_of(&code);
    Ok((code, hash))
}

pub(crate) async fn register(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let new: NewPrincipal = serde_json::from_slice(&body).map_err(Problem::body)?;
    let (id, role) = (new.id.parse()?, new.role.parse()?);
    let command = AccessCommand::RegisterPrincipal { id, role, participant: new.participant };
    let answer = house.change_access(command, caller.cause()).await?;
    let status = if answer.events.is_empty() { StatusCode::OK } else { StatusCode::CREATED };
    let known = house.gate.access(|access| new.id.parse().ok().and_then(|id| access.principal(&id).cloned()));
    let view = known.as_ref().map(principal_view).ok_or_else(|| Problem::not_found("such principal"))?;
    Ok(recorded(status, &view, answer.places.last(), answer.request))
}

pub(crate) async fn principals(
    State(house): State<Shared>,
    Query(window): Query<Window>,
) -> Json<Page<PrincipalView>> {
    house.gate.access(|access| {
        Json(window.page(access.principals().map(principal_view), |principal| principal.id.clone()))
    })
}

fn principal_view(principal: &Principal) -> PrincipalView {
    PrincipalView {
        id: principal.id.to_string(),
        role: principal.role.as_str().to_owned(),
        enabled: principal.enabled,
        participant: principal.participant.clone(),
        denied: principal.denied.iter().map(Scope::to_string).collect(),
    }
}

/// What a new key is to be, read and checked as far as it can be without the log.
struct Wanted {
    grant: Grant,
    algorithm: Algorithm,
    not_before: Timestamp,
    expires: Timestamp,
    receiver: Option<ReceiverKey>,
}

impl Wanted {
    fn read(new: &NewKey, here: Environment, now: Timestamp) -> Result<Self, Problem> {
        let environment: Environment = new.environment.parse()?;
        if environment != here {
            return Err(AccessRefusal::EnvironmentMustMatch { key: environment, here }.into());
        }
        let scopes = new.scopes.iter().map(|scope| scope.parse()).collect::<Result<BTreeSet<Scope>, _>>()?;
        let networks = new.networks.iter().map(|text| {
            text.parse().map_err(|error| Problem::parameter("networks", format!("{text}: {error}")))
        });
        let networks = Networks::try_new(networks.collect::<Result<Vec<_>, _>>()?)?;
        let not_before = match &new.not_before {
            Some(text) => text.parse().map_err(|error| Problem::parameter("not_before", error))?,
            None => now,
        };
        let receiver = new.seal_to.as_deref().map(str::parse).transpose();
        let receiver = receiver.map_err(|error| Problem::parameter("seal_to", error))?;
        let days = i64::from(new.days.unwrap_or(KEY_DAYS));
        Ok(Self {
            grant: Grant {
                principal: new.principal.parse()?,
                environment,
                scopes,
                networks,
                owner: new.owner.clone(),
                replay: new.replay.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
            },
            algorithm: new.algorithm.parse()?,
            receiver,
            not_before,
            expires: seconds_later(not_before.max(now), days.saturating_mul(DAY)),
        })
    }
}

/// What is shown of a new key, and the change of access behind it.
type Issued = Result<(KeyIssued, AccessAnswer), Problem>;

/// Issues a key: an invitation where its holder makes it, else the secret itself, once.
pub(crate) async fn issue(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let new: NewKey = serde_json::from_slice(&body).map_err(Problem::body)?;
    let wanted = Wanted::read(&new, house.gate.environment(), Timestamp::now())?;
    let (issued, answer) = match wanted.algorithm {
        Algorithm::Ed25519 | Algorithm::EcdsaP256Sha256 | Algorithm::RsaPssSha512 => {
            invite(&house, caller.cause(), wanted).await?
        }
        Algorithm::HmacSha256 => issue_hmac(&house, caller.cause(), wanted).await?,
        Algorithm::Bearer => issue_bearer(&house, caller.cause(), wanted).await?,
    };
    let mut response = recorded(StatusCode::CREATED, &issued, answer.places.last(), answer.request);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn invite(house: &Shared, cause: Cause, wanted: Wanted) -> Issued {
    let (code, code_hash) = new_code()?;
    let id = EnrolmentId::from_random(random()?);
    let code_expires = seconds_later(Timestamp::now(), CODE_SECONDS);
    let command = AccessCommand::OpenEnrolment(NewEnrolment {
        id: id.clone(),
        code_hash,
        grant: wanted.grant,
        algorithm: wanted.algorithm,
        not_before: wanted.not_before,
        key_expires: wanted.expires,
        code_expires,
    });
    let answer = house.change_access(command, cause).await?;
    let issued = KeyIssued {
        enrolment: Some(id.to_string()),
        code: Some(code),
        code_expires: Some(code_expires.to_string()),
        key: None,
        secret: None,
        sealed: None,
        expires: wanted.expires.to_string(),
    };
    Ok((issued, answer))
}

async fn issue_hmac(house: &Shared, cause: Cause, wanted: Wanted) -> Issued {
    let lineage = LineageId::from_random(random()?);
    let key = format!("{lineage}.1");
    let secret = Secret::random(32).map_err(|error| Problem::internal(&error))?;
    let identity = Identity::try_new(HMAC_PURPOSE, &key).map_err(|error| Problem::internal(&error))?;
    let sealed = house.vault.seal(&identity, &secret).map_err(|error| Problem::internal(&error))?;
    let material = Material::Sealed { sealed: sealed.to_string() };
    let answer = issue_secret(house, cause, &wanted, lineage, material).await?;
    let text = Secret::from_text(STANDARD.encode(secret.expose()));
    Ok((show_once(key, &text, wanted.receiver.as_ref(), wanted.expires)?, answer))
}

async fn issue_bearer(house: &Shared, cause: Cause, wanted: Wanted) -> Issued {
    let lineage = LineageId::from_random(random()?);
    let key = format!("{lineage}.1");
    let bearer = BearerKey::from_random(wanted.grant.environment, lineage.clone(), random::<32>()?);
    let hash = bearer.hash(&house.pepper);
    let answer = issue_secret(house, cause, &wanted, lineage, Material::Hash { hash }).await?;
    let text = Secret::copy_of(bearer.expose().as_bytes());
    Ok((show_once(key, &text, wanted.receiver.as_ref(), wanted.expires)?, answer))
}

async fn issue_secret(
    house: &Shared,
    cause: Cause,
    wanted: &Wanted,
    lineage: LineageId,
    material: Material,
) -> Result<AccessAnswer, Problem> {
    let command = AccessCommand::IssueSecret {
        lineage,
        grant: wanted.grant.clone(),
        algorithm: wanted.algorithm,
        material,
        not_before: wanted.not_before,
        expires: wanted.expires,
    };
    house.change_access(command, cause).await
}

/// The one time that a secret leaves: open, or sealed to its receiver.
fn show_once(
    key: String,
    secret: &Secret,
    receiver: Option<&ReceiverKey>,
    expires: Timestamp,
) -> Result<KeyIssued, Problem> {
    let seal = |receiver| seal_to_receiver(receiver, key.as_bytes(), secret);
    let sealed = receiver.map(seal).transpose().map_err(|error| Problem::internal(&error))?;
    let secret = match sealed {
        Some(_) => None,
        None => secret.expose_text().map(str::to_owned),
    };
    Ok(KeyIssued {
        enrolment: None,
        code: None,
        code_expires: None,
        key: Some(key),
        secret,
        sealed,
        expires: expires.to_string(),
    })
}

/// Enrols a public key: the request is signed by its private half under the invitation's name, and carries the code.
pub(crate) async fn enrol(
    State(house): State<Shared>,
    Path(id): Path<String>,
    Extension(proved): Extension<ProvedKey>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let enrol: Enrol = serde_json::from_slice(&body).map_err(Problem::body)?;
    let id: EnrolmentId = id.parse()?;
    let lineage = LineageId::from_random(random()?);
    let command = AccessCommand::Enrol {
        id,
        code_hash: hash_of(&enrol.code),
        algorithm: proved.algorithm,
        material: Material::Public { key: proved.public_key },
        lineage: lineage.clone(),
    };
    house.change_access(command, Cause::actor(format!("key:{lineage}.1"))).await?;
    let enrolled = house.gate.access(|access| {
        let lineage = access.lineage(&lineage)?;
        let version = lineage.versions.get(&1)?;
        Some(Enrolled {
            key: lineage.key_id(1).to_string(),
            principal: lineage.grant.principal.to_string(),
            environment: lineage.grant.environment.to_string(),
            scopes: lineage.grant.scopes.iter().map(Scope::to_string).collect(),
            expires: version.expires.to_string(),
            server_keys: server_keys(access),
        })
    });
    let enrolled = enrolled.ok_or_else(|| Problem::not_found("such key"))?;
    Ok((StatusCode::CREATED, Json(enrolled)).into_response())
}

/// A public key whose private half signed this very request.
#[derive(Debug, Clone)]
pub(crate) struct ProvedKey {
    pub algorithm: Algorithm,
    pub public_key: String,
}

/// The name under which the server signs with one of its keys.
pub(crate) fn server_key_id(version: u32) -> String {
    format!("server.{version}")
}

pub(crate) fn server_keys(access: &AccessState) -> Vec<ServerKeyView> {
    let view = |key: &strongroom_access::ServerKey| ServerKeyView {
        key: server_key_id(key.version),
        algorithm: key.algorithm.to_string(),
        public_key: key.public.clone(),
        vouched: key.vouched.clone(),
    };
    access.server_keys().map(view).collect()
}

/// Signs with a new key from now on. The old one vouches for it, and stays in the directory, so that clients which
/// pinned the old one follow by themselves.
pub(crate) async fn rotate_server_key(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let (shared, cause) = (house.clone(), caller.cause());
    house
        .ask(move |desk| {
            // Another server of the same database may have a newer key: that one vouches.
            shared.follow_access(desk)?;
            let (old, now) = (shared.answerer(), Timestamp::now());
            let version = desk.access()?.server_key().map_or(1, |key| key.version.saturating_add(1));
            let failed = |error: &dyn std::fmt::Display| Problem::internal(error);
            let mut key = new_server_key(&shared.vault, version, now).map_err(|e| failed(&e))?;
            let text = vouch_text(&server_key_id(version), "ed25519", &key.public);
            let vouched = old.key().sign(&text).map_err(|e| failed(&format!("{e:?}")))?;
            key.vouched = Some(STANDARD.encode(vouched));
            desk.change_access(&AccessCommand::AddServerKey(key), now, &cause)?;
            shared.follow_access(desk)
        })
        .await??;
    Ok((StatusCode::CREATED, Json(house.gate.access(server_keys))).into_response())
}

pub(crate) async fn list(State(house): State<Shared>, Query(window): Query<Window>) -> Json<Page<KeyView>> {
    let views = views(&house);
    Json(window.page(views.into_iter(), |view| view.key.clone()))
}

fn views(house: &House) -> Vec<KeyView> {
    house.gate.keys(|keys| {
        let access = keys.access();
        let versions =
            access.lineages().flat_map(|lineage| lineage.versions.values().map(move |v| (lineage, v)));
        versions
            .map(|(lineage, version)| {
                let key = lineage.key_id(version.version);
                let (uses, last_used) = keys.usage(&key);
                key_view(lineage, version, uses, last_used)
            })
            .collect()
    })
}

fn key_view(
    lineage: &Lineage,
    version: &strongroom_access::KeyVersion,
    uses: u64,
    last_used: Option<Timestamp>,
) -> KeyView {
    let grant = &lineage.grant;
    KeyView {
        key: lineage.key_id(version.version).to_string(),
        principal: grant.principal.to_string(),
        state: version.state.as_str().to_owned(),
        restriction: lineage.restriction.map(|held| held.to_string()),
        algorithm: version.algorithm.to_string(),
        environment: grant.environment.to_string(),
        scopes: grant.scopes.iter().map(Scope::to_string).collect(),
        networks: grant.networks.as_slice().iter().map(ToString::to_string).collect(),
        owner: grant.owner.clone(),
        created: version.created.to_string(),
        not_before: version.not_before.to_string(),
        expires: version.expires.to_string(),
        last_used: last_used.map(|at| at.to_string()),
        uses,
    }
}

/// Holds a lineage to something for a time, or lifts that.
pub(crate) async fn restrict(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(lineage): Path<String>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let restrict: Restrict = serde_json::from_slice(&body).map_err(Problem::body)?;
    let lineage: LineageId = lineage.parse()?;
    if house.gate.access(|access| access.lineage(&lineage).is_none()) {
        return Err(Problem::not_found("such lineage"));
    }
    let restriction = restrict.restriction.as_deref().map(str::parse).transpose()?;
    let command = AccessCommand::Restrict { lineage: lineage.clone(), restriction, reason: restrict.reason };
    let answer = house.change_access(command, caller.cause()).await?;
    let prefix = format!("{lineage}.");
    let items = views(&house).into_iter().filter(|view| view.key.starts_with(&prefix)).collect();
    let page = Page { items, next: None };
    Ok(recorded(StatusCode::OK, &page, answer.places.last(), answer.request))
}

pub(crate) async fn revoke(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(lineage): Path<String>,
    body: axum::body::Bytes,
) -> Result<Response, Problem> {
    let revoke: Revoke = serde_json::from_slice(&body).map_err(Problem::body)?;
    let lineage: LineageId = lineage.parse()?;
    if house.gate.access(|access| access.lineage(&lineage).is_none()) {
        return Err(Problem::not_found("such lineage"));
    }
    let wait = match revoke.wait_seconds {
        Some(seconds) if (0.0..=WAIT_MAX.as_secs_f64()).contains(&seconds) => {
            Duration::from_secs_f64(seconds)
        }
        Some(_) => return Err(Problem::body("wait_seconds: from 0 to 10")),
        None => WAIT_MAX,
    };
    let command = AccessCommand::Revoke {
        lineage: lineage.clone(),
        version: revoke.version,
        even_the_last: revoke.even_the_last,
        reason: revoke.reason,
    };
    let answer = house.change_access(command, caller.cause()).await?;
    let ended: BTreeSet<String> = answer
        .events
        .iter()
        .filter_map(|event| match event {
            AccessEvent::KeyRevoked { key, .. } => Some(key.to_string()),
            _ => None,
        })
        .collect();
    // Also where nothing changed: who asks again wants to know that it is over.
    let confirmation = house.wait_for_verifiers(answer.seq, wait).await?;
    let revoked = Revoked {
        keys: views(&house).into_iter().filter(|view| ended.contains(&view.key)).collect(),
        confirmed: confirmation.unconfirmed.is_empty(),
        unconfirmed: confirmation.unconfirmed,
        waited_ms: u64::try_from(confirmation.waited.as_millis()).unwrap_or(u64::MAX),
        receipts: answer.places.iter().filter_map(Place::receipt).collect(),
    };
    Ok(recorded(StatusCode::OK, &revoked, None, answer.request))
}
