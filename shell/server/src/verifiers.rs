//! Several servers of one database: each holds a lease on what it knows of keys, and who revokes waits for all of them.

use crate::house::{House, Shared};
use crate::problem::Problem;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;
use strongroom_desk::DeskError;
use strongroom_gate::{BootInstant, LEASE};
use strongroom_store::Verifier;

/// How often a server looks at the log of access.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a revocation asks who has seen it.
const ASK_EVERY: Duration = Duration::from_millis(10);
/// What a lease can be longer than for whoever waits for it: two clocks that run through suspend differ by less.
const MARGIN: Duration = Duration::from_millis(50);
/// A verifier that was not noted for so long has no lease, however its last note was lost.
pub(crate) const GONE_AFTER: Duration = Duration::from_secs(10);
/// The longest that a revocation waits, whatever was asked for.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// Who has seen a change of access, as far as it was waited for.
#[derive(Debug)]
pub(crate) struct Confirmation {
    /// Servers that may still go by what was before; none when it is over.
    pub unconfirmed: Vec<String>,
    /// How long it took.
    pub waited: Duration,
}

impl House {
    /// Looks at the log of access once and follows it; the lease runs from before the look. A server that alone holds its
    /// database needs none.
    pub fn look(&self, desk: &mut strongroom_desk::Desk) -> Result<(), Problem> {
        let looked = BootInstant::now();
        let seen = self.access_seen.load(Ordering::Relaxed);
        let end = desk.renew_verifier(&self.verifier(seen))?;
        if end > seen {
            self.follow_access(desk)?;
            let seen = self.access_seen.load(Ordering::Relaxed);
            desk.renew_verifier(&self.verifier(seen))?;
        }
        self.gate.lease().renew(looked);
        Ok(())
    }

    /// Takes the first look, and names another verifier of this database that remembers nonces elsewhere.
    pub fn register(&self, desk: &mut strongroom_desk::Desk) -> Result<Option<String>, Problem> {
        self.look(desk)?;
        let others = desk.verifiers()?.into_iter();
        let other = others
            .filter(|(verifier, age)| verifier.window != self.window && is_there(*age))
            .map(|(verifier, _)| verifier.name)
            .next();
        if other.is_some() {
            desk.forget_verifier(&self.name)?;
        }
        Ok(other)
    }

    fn verifier(&self, seen: u64) -> Verifier {
        Verifier { name: self.name.clone(), seen, window: self.window.clone() }
    }

    /// Waits until every verifier has seen the log of access up to `end`, or until none can hold a lease from before.
    pub async fn wait_for_verifiers(
        self: &Shared,
        end: u64,
        wait: Duration,
    ) -> Result<Confirmation, Problem> {
        let begun = BootInstant::now();
        loop {
            let waited = BootInstant::now().since(begun);
            if waited >= LEASE + MARGIN {
                return Ok(Confirmation { unconfirmed: Vec::new(), waited });
            }
            let name = self.name.clone();
            let behind = self
                .ask(move |desk| {
                    let verifiers = desk.verifiers()?;
                    let behind = verifiers.into_iter().filter(|(verifier, age)| {
                        verifier.name != name && verifier.seen < end && is_there(*age)
                    });
                    Ok::<_, DeskError>(behind.map(|(verifier, _)| verifier.name).collect::<Vec<_>>())
                })
                .await??;
            if behind.is_empty() || waited >= wait {
                return Ok(Confirmation { unconfirmed: behind, waited: BootInstant::now().since(begun) });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

/// Whether a verifier that was noted so many milliseconds ago may still be there.
fn is_there(age: u64) -> bool {
    u128::from(age) < GONE_AFTER.as_millis()
}

/// Keeps the lease: a change that another server made reaches this gate soon, and without a look it lets nothing in.
pub(crate) async fn follow_others(house: Weak<House>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(house) = house.upgrade() else { return };
        let looker = house.clone();
        match house.ask(move |desk| looker.look(desk)).await {
            // What failed has been said; the next look tries again.
            Ok(_) => {}
            Err(problem) if problem.code() == DeskError::Closed.code() => return,
            Err(_) => {}
        }
    }
}
