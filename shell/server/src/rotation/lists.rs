//! Who uses which version, what happens next and when.

use super::view::{DueView, RotationView, UnusedView, UsageView, VersionView};
use super::{known, policy_view, scheduler};
use crate::caller::Caller;
use crate::funds::Window;
use crate::house::{House, Shared};
use crate::problem::Problem;
use crate::view::Page;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Deserialize;
use std::collections::BTreeMap;
use strongroom_access::rotation::OnLaggard;
use strongroom_access::{KeyId, KeyState, KeyVersion, Lineage, LineageId, Scope, encode};
use strongroom_desk::KeyHour;
use strongroom_units::time::Timestamp;

/// The longest look ahead, in seconds: a year and a month.
const WITHIN_MAX: i64 = 398 * 86_400;

/// Where one rotation stands: one's own, or any for who administers keys.
pub(crate) async fn show(
    State(house): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(lineage): Path<String>,
) -> Result<Json<RotationView>, Problem> {
    if caller.permit().key.lineage.as_str() != lineage && !caller.may(Scope::KEYS_ADMIN) {
        let detail = "a key sees the rotation of its own lineage; others need keys:admin";
        return Err(Problem::new(StatusCode::FORBIDDEN, "rotation.must_be_by_its_own_key", detail));
    }
    let lineage = known(&house, &lineage)?;
    view(&house, &lineage).await.map(Json)
}

pub(super) async fn view(house: &Shared, lineage: &LineageId) -> Result<RotationView, Problem> {
    let (lineage, shared) = (lineage.clone(), house.clone());
    let last_used = house.ask(move |desk| desk.last_uses(Some(&lineage)).map(|uses| (lineage, uses))).await?;
    let (lineage, uses) = last_used?;
    let mut last: BTreeMap<u32, Timestamp> = BTreeMap::new();
    for one in uses {
        let known = last.entry(one.key.version).or_insert(one.at);
        *known = one.at.max(*known);
    }
    for (version, at) in shared.gate.keys(|keys| keys.last_used(&lineage)) {
        let known = last.entry(version).or_insert(at);
        *known = at.max(*known);
    }
    shared
        .gate
        .access(|access| access.lineage(&lineage).map(|lineage| of(&shared, lineage, &last)))
        .ok_or_else(|| Problem::not_found("such lineage"))
}

fn of(house: &House, lineage: &Lineage, last_used: &BTreeMap<u32, Timestamp>) -> RotationView {
    let is_due = lineage
        .primary()
        .is_some_and(|key| lineage.rotation.marks.get(&key.version).is_some_and(|mark| mark.due.is_some()));
    RotationView {
        lineage: lineage.id.to_string(),
        principal: lineage.grant.principal.to_string(),
        primary: lineage.primary().map(|key| lineage.key_id(key.version).to_string()),
        is_due,
        is_alarming: house.usage.is_alarming(&lineage.id),
        due: lineage.rotation_due().map(|at| at.to_string()),
        versions: lineage.versions.values().map(|key| version_view(lineage, key, last_used)).collect(),
        policy: policy_view(&lineage.rotation.policy()),
        is_default_policy: lineage.rotation.policy.is_none(),
    }
}

fn version_view(lineage: &Lineage, key: &KeyVersion, last_used: &BTreeMap<u32, Timestamp>) -> VersionView {
    let mark = lineage.rotation.marks.get(&key.version).cloned().unwrap_or_default();
    let last = last_used.get(&key.version).copied();
    let next = match key.state {
        KeyState::Pending => Some(("given up unless it is used", key.expires)),
        KeyState::Active => lineage.rotation_due().map(|at| ("its holder is told to replace it", at)),
        KeyState::Grace => {
            let retirement = lineage.retirement_due(key, last);
            let laggard = lineage.laggard_due(key);
            match lineage.rotation.policy().on_laggard {
                _ if retirement <= laggard => Some(("retired unless it is used", retirement)),
                OnLaggard::Force => Some(("retired although it is used", laggard)),
                OnLaggard::Extend => Some(("spoken of as a laggard", laggard)),
            }
        }
        KeyState::Retired | KeyState::Revoked => Some(("destroyed", lineage.destruction_due(key))),
        KeyState::Destroyed => None,
    };
    VersionView {
        key: lineage.key_id(key.version).to_string(),
        state: key.state.as_str().to_owned(),
        created: key.created.to_string(),
        expires: key.expires.to_string(),
        displaced: mark.displaced.map(|at| at.to_string()),
        ended: mark.ended.map(|at| at.to_string()),
        last_used: last.map(|at| at.to_string()),
        next: next.map(|(what, _)| what.to_owned()),
        next_at: next.map(|(_, at)| at.to_string()),
    }
}

/// Every rotation, by the name of its lineage.
pub(crate) async fn list(
    State(house): State<Shared>,
    Query(window): Query<Window>,
) -> Json<Page<RotationView>> {
    house.gate.keys(|keys| {
        let rows = keys.access().lineages();
        let page = window.page(rows, |lineage| lineage.id.to_string());
        let items = page.items.into_iter().map(|lineage| of(&house, lineage, &keys.last_used(&lineage.id)));
        Json(Page { items: items.collect(), next: page.next })
    })
}

/// How far to look ahead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Within {
    seconds: Option<i64>,
}

/// What is due, and what would be done about it now. Nothing is.
pub(crate) async fn due(
    State(house): State<Shared>,
    Query(within): Query<Within>,
) -> Result<Json<Vec<DueView>>, Problem> {
    let seconds = within.seconds.unwrap_or(0);
    if !(0..=WITHIN_MAX).contains(&seconds) {
        return Err(Problem::parameter("seconds", format!("from 0 to {WITHIN_MAX}")));
    }
    let end = Timestamp::from_second(Timestamp::now().as_second() + seconds).unwrap_or(Timestamp::MAX);
    let mut due = house.queue(|queue| queue.until(end));
    due.truncate(1_000);
    let worker = house.clone();
    let rows = house
        .ask(move |desk| {
            let now = Timestamp::now();
            let mut rows = Vec::new();
            for (at, lineage) in due {
                let last_used = scheduler::evidence(&worker, desk, &lineage)?;
                let access = desk.access()?;
                let events = scheduler::would(access, &lineage, &last_used, now);
                let principal = access.lineage(&lineage).map(|found| found.grant.principal.to_string());
                rows.push(DueView {
                    lineage: lineage.to_string(),
                    principal: principal.unwrap_or_default(),
                    at: at.to_string(),
                    would: events.iter().filter_map(|event| Some(encode(event).ok()?.1)).collect(),
                });
            }
            Ok::<_, Problem>(rows)
        })
        .await??;
    Ok(Json(rows))
}

/// How long nobody may have used a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Days {
    days: Option<u32>,
}

/// Keys that work and that nobody used for so many days.
pub(crate) async fn unused(
    State(house): State<Shared>,
    Query(days): Query<Days>,
) -> Result<Json<Vec<UnusedView>>, Problem> {
    let days = i64::from(days.days.unwrap_or(90));
    let before = Timestamp::from_second(Timestamp::now().as_second().saturating_sub(days * 86_400));
    let before = before.unwrap_or(Timestamp::MIN);
    let mut last: BTreeMap<KeyId, Timestamp> = BTreeMap::new();
    for one in house.ask(|desk| desk.last_uses(None)).await?? {
        let known = last.entry(one.key).or_insert(one.at);
        *known = one.at.max(*known);
    }
    let rows = house.gate.keys(|keys| {
        let versions = keys.access().lineages().flat_map(|lineage| {
            lineage.versions.values().filter(|key| key.state.is_live()).map(move |key| (lineage, key))
        });
        let unused = versions.filter_map(|(lineage, key)| {
            let id = lineage.key_id(key.version);
            let seen = keys.usage(&id).1.max(last.get(&id).copied());
            let is_old = seen.unwrap_or(key.created) <= before;
            is_old.then(|| UnusedView {
                key: id.to_string(),
                principal: lineage.grant.principal.to_string(),
                owner: lineage.grant.owner.clone(),
                created: key.created.to_string(),
                last_used: seen.map(|at| at.to_string()),
            })
        });
        unused.take(10_000).collect()
    });
    Ok(Json(rows))
}

/// The use of a lineage, hour by hour.
pub(crate) async fn usage(
    State(house): State<Shared>,
    Path(lineage): Path<String>,
) -> Result<Json<Vec<UsageView>>, Problem> {
    let lineage = known(&house, &lineage)?;
    // What is in memory comes along: the last minute is written first.
    let shared = house.clone();
    let hours = house
        .ask(move |desk| {
            shared.usage.write(&shared, desk)?;
            desk.key_hours(&lineage)
        })
        .await??;
    Ok(Json(hours.into_iter().map(usage_view).collect()))
}

fn usage_view(hour: KeyHour) -> UsageView {
    let counts = |text: &str| serde_json::from_str(text).unwrap_or_default();
    UsageView {
        key: hour.key.to_string(),
        hour: hour.hour.to_string(),
        accepted: hour.accepted,
        refused: hour.refused,
        codes: counts(&hour.codes),
        sources: counts(&hour.sources),
        agents: counts(&hour.agents),
        server: hour.server,
    }
}
