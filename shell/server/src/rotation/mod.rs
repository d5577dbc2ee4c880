//! Rotation over HTTP: a successor, a way back, policies, emergencies, and who still uses what.
//!
//! | step | who | what |
//! |---|---|---|
//! | told | server | `Deprecation`, `Sunset` and `Link` on answers to an old or due key: [`notice`] |
//! | successor | client | `POST /v1/keys/{lineage}/rotate`, signed by both keys: [`rotate`], [`proof`] |
//! | confirm | client | any request signed with the new key |
//! | retire, destroy | server | what is due, from a queue: [`scheduler`] |

mod emergency;
mod lists;
mod notice;
mod proof;
pub(crate) mod scheduler;
mod successor;
pub(crate) mod view;

pub(crate) use emergency::emergency;
pub(crate) use lists::{due, list, show, unused, usage};
pub(crate) use notice::with_notice;
pub(crate) use successor::{BEARER_PURPOSE, rotate};

use crate::caller::Caller;
use crate::house::Shared;
use crate::problem::Problem;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use strongroom_access::rotation::{OnLaggard, RotationCommand, RotationPolicy};
use strongroom_access::{AccessCommand, AccessState, Lineage, LineageId, PrincipalId};
use view::{PolicySet, PolicyView, RollBack, RotationView, SetPolicy};

/// The path of the endpoint that keeps its own answers for who asks again.
pub(crate) const ROTATE: &str = "/v1/keys/{lineage}/rotate";

/// Makes the key that was displaced last the primary again.
pub(crate) async fn roll_back(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(lineage): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<RotationView>, Problem> {
    let asked: RollBack = serde_json::from_slice(&body).map_err(Problem::body)?;
    let lineage = known(&house, &lineage)?;
    let command = RotationCommand::RollBack { lineage: lineage.clone(), reason: asked.reason };
    house.change_access(AccessCommand::Rotation(command), caller.cause()).await?;
    lists::view(&house, &lineage).await.map(Json)
}

/// Sets the policy of the lineages that are named.
pub(crate) async fn set_policy(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: axum::body::Bytes,
) -> Result<Json<PolicySet>, Problem> {
    let asked: SetPolicy = serde_json::from_slice(&body).map_err(Problem::body)?;
    let policy = asked.policy.as_ref().map(policy_of).transpose()?;
    let named = house
        .gate
        .access(|access| select(access, asked.lineage.as_deref(), asked.principal.as_deref(), asked.all))?;
    let (mut changed, mut unchanged, mut cause) = (Vec::new(), 0, caller.cause());
    for lineage in named {
        let command = RotationCommand::SetPolicy { lineage: lineage.clone(), policy: policy.clone() };
        let answer = house.change_access(AccessCommand::Rotation(command), cause.clone()).await?;
        match answer.events.is_empty() {
            true => unchanged += 1,
            // The nonce of the request is used up with the first effect.
            false => {
                cause.nonce = None;
                changed.push(lineage.to_string());
            }
        }
    }
    Ok(Json(PolicySet { changed, unchanged }))
}

/// The lineages that somebody names in one of three ways.
fn select(
    access: &AccessState,
    lineage: Option<&str>,
    principal: Option<&str>,
    all: bool,
) -> Result<Vec<LineageId>, Problem> {
    let works = |lineage: &&Lineage| lineage.versions.values().any(|key| key.state.is_live());
    match (lineage, principal, all) {
        (Some(name), None, false) => {
            let name: LineageId = name.parse()?;
            access.lineage(&name).ok_or_else(|| Problem::not_found("such lineage"))?;
            Ok(vec![name])
        }
        (None, Some(name), false) => {
            let name: PrincipalId = name.parse()?;
            access.principal(&name).ok_or_else(|| Problem::not_found("such principal"))?;
            let own = access.lineages().filter(|lineage| lineage.grant.principal == name);
            Ok(own.filter(works).map(|lineage| lineage.id.clone()).collect())
        }
        (None, None, true) => Ok(access.lineages().filter(works).map(|lineage| lineage.id.clone()).collect()),
        _ => Err(Problem::parameter("lineage, principal, all", "give one of them")),
    }
}

/// The lineage of a path, if there is one.
pub(crate) fn known(house: &Shared, text: &str) -> Result<LineageId, Problem> {
    let lineage: LineageId = text.parse()?;
    match house.gate.access(|access| access.lineage(&lineage).is_some()) {
        true => Ok(lineage),
        false => Err(Problem::not_found("such lineage")),
    }
}

fn policy_of(view: &PolicyView) -> Result<RotationPolicy, Problem> {
    let on_laggard = match view.on_laggard.as_str() {
        "extend" => OnLaggard::Extend,
        "force" => OnLaggard::Force,
        _ => return Err(Problem::parameter("on_laggard", "it is `extend` or `force`")),
    };
    let hours = view.not_during.iter().map(|text| {
        text.parse().map_err(|_| Problem::parameter("not_during", "a time of day is like 09:30-16:00"))
    });
    Ok(RotationPolicy {
        every_seconds: view.every_seconds,
        min_overlap_seconds: view.min_overlap_seconds,
        max_overlap_seconds: view.max_overlap_seconds,
        quiet_seconds: view.quiet_seconds,
        on_laggard,
        versions: view.versions,
        keep_retired_seconds: view.keep_retired_seconds,
        not_during: hours.collect::<Result<_, _>>()?,
    })
}

fn policy_view(policy: &RotationPolicy) -> PolicyView {
    let on_laggard = match policy.on_laggard {
        OnLaggard::Extend => "extend",
        OnLaggard::Force => "force",
    };
    PolicyView {
        every_seconds: policy.every_seconds,
        min_overlap_seconds: policy.min_overlap_seconds,
        max_overlap_seconds: policy.max_overlap_seconds,
        quiet_seconds: policy.quiet_seconds,
        on_laggard: on_laggard.to_owned(),
        versions: policy.versions,
        keep_retired_seconds: policy.keep_retired_seconds,
        not_during: policy.not_during.iter().map(ToString::to_string).collect(),
    }
}
