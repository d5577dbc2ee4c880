//! Does what is due, from a queue with one instant for each lineage. Nothing is scanned: a lineage comes up when something
//! may be due in it, and whenever something happened to it. Several servers of one database may look at the same moment;
//! the first one's record decides, and the second finds nothing left to do. A restart makes the queue anew from the log.

use crate::house::{House, Shared};
use crate::problem::Problem;
use crate::start::ACTOR;
use crate::usage::WRITE_EVERY;
use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;
use strongroom_access::rotation::{RotationCommand, RotationEvent};
use strongroom_access::{AccessCommand, AccessEvent, AccessState, KeyState, LineageId};
use strongroom_desk::{Cause, Desk, DeskError};
use strongroom_units::time::Timestamp;

/// How often the head of the queue is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Lineages of one look: the desk has other work between two.
const AT_ONCE: usize = 64;
/// A lineage in which nothing was due after all is looked at again no sooner.
const AGAIN_SECONDS: i64 = 1;

/// The lineage whose queue place an event may change.
pub(crate) fn touched(event: &AccessEvent) -> Option<&LineageId> {
    match event {
        AccessEvent::KeyIssued { lineage, .. } => Some(lineage),
        AccessEvent::KeyActivated { key } | AccessEvent::KeyRevoked { key, .. } => Some(&key.lineage),
        AccessEvent::Rotation(event) => Some(event.lineage()),
        _ => None,
    }
}

/// The last use of each version in grace, as far as any server saw, and no earlier than that. What this process did not see
/// because it had not begun counts as used at its start; what another server saw and has not written yet, as used until
/// then.
pub(crate) fn evidence(
    house: &House,
    desk: &mut Desk,
    lineage: &LineageId,
) -> Result<BTreeMap<u32, Timestamp>, Problem> {
    let grace: Vec<u32> = desk.access()?.lineage(lineage).map_or_else(Vec::new, |lineage| {
        let keys = lineage.versions.values().filter(|key| key.state == KeyState::Grace);
        keys.map(|key| key.version).collect()
    });
    if grace.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut last: BTreeMap<u32, Timestamp> =
        grace.iter().map(|version| (*version, house.usage.started())).collect();
    let mut see = |version: u32, at: Timestamp| {
        last.entry(version).and_modify(|known| *known = at.max(*known));
    };
    for (version, at) in house.gate.keys(|keys| keys.last_used(lineage)) {
        // The gate counts whole seconds.
        see(version, Timestamp::from_second(at.as_second().saturating_add(1)).unwrap_or(at));
    }
    if house.is_shared {
        let unseen = i64::try_from(WRITE_EVERY.as_secs()).unwrap_or(i64::MAX);
        for other in desk.last_uses(Some(lineage))? {
            let until = other.at.as_second().saturating_add(unseen);
            see(other.key.version, Timestamp::from_second(until).unwrap_or(Timestamp::MAX));
        }
    }
    Ok(last)
}

/// Whether anything is to be done in a lineage now.
pub(crate) fn must_be_due(
    desk: &mut Desk,
    lineage: &LineageId,
    last_used: &BTreeMap<u32, Timestamp>,
    now: Timestamp,
) -> Result<bool, Problem> {
    Ok(!would(desk.access()?, lineage, last_used, now).is_empty())
}

/// What would be done in a lineage now.
pub(crate) fn would(
    access: &AccessState,
    lineage: &LineageId,
    last_used: &BTreeMap<u32, Timestamp>,
    now: Timestamp,
) -> Vec<AccessEvent> {
    let command = RotationCommand::Advance { lineage: lineage.clone(), last_used: last_used.clone() };
    access.decide(&AccessCommand::Rotation(command), now).unwrap_or_default()
}

/// Does what is due in some lineages, in the desk's thread.
fn advance(house: &House, desk: &mut Desk, lineages: &[LineageId]) -> Result<(), Problem> {
    for lineage in lineages {
        let now = Timestamp::now();
        let last_used = evidence(house, desk, lineage)?;
        let command = RotationCommand::Advance { lineage: lineage.clone(), last_used: last_used.clone() };
        match desk.change_access(&AccessCommand::Rotation(command), now, &Cause::actor(ACTOR)) {
            Ok(answer) => answer.events.iter().for_each(say),
            // A clock that was set back: it is looked at again.
            Err(DeskError::AccessRefused(_)) => {}
            Err(error) => return Err(error.into()),
        }
        house.follow_access(desk)?;
        let soon = Timestamp::from_second(now.as_second() + AGAIN_SECONDS).unwrap_or(Timestamp::MAX);
        let next = desk.access()?.lineage(lineage).and_then(|found| found.next_due(&last_used));
        house.queue(|queue| queue.put(lineage, next.map(|next| next.max(soon))));
    }
    Ok(())
}

/// What an operator reads in the server's log.
fn say(event: &AccessEvent) {
    match event {
        AccessEvent::Rotation(RotationEvent::Lagged { key, until }) => {
            eprintln!("warning: {key} is still used after its longest overlap; next look at {until}");
        }
        AccessEvent::Rotation(RotationEvent::Retired { key, because, .. }) => {
            eprintln!("notice: {key} is retired ({because:?})");
        }
        _ => {}
    }
}

/// Looks at the queue until the server ends.
pub(crate) async fn run(house: Weak<House>) {
    loop {
        let Some(strong) = house.upgrade() else { return };
        let due = strong.queue(|queue| queue.due(Timestamp::now(), AT_ONCE));
        if due.is_empty() {
            drop(strong);
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        let worker: Shared = strong.clone();
        match strong.ask(move |desk| advance(&worker, desk, &due)).await {
            Ok(Ok(())) => {}
            Err(problem) if problem.code() == DeskError::Closed.code() => return,
            // What failed has been said; the next look tries again.
            Ok(Err(_)) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
