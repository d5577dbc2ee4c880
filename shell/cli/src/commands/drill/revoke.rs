//! Clients are revoked in the midst of their requests. What was sent before the call returned may pass or not; what was sent
//! after it may not.

use super::LoadArgs;
use super::fleet::Fleet;
use super::load::Tally;
use crate::context::Global;
use crate::failure::Failure;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Knocks after the revocation.
const KNOCKS: u32 = 5;

pub(super) fn run(global: &Global, load: &LoadArgs) -> Result<(), Failure> {
    let fleet = Fleet::enrol(global, load)?;
    let tally = Tally::default();
    let flags: Vec<(AtomicBool, AtomicBool)> = fleet.files.iter().map(|_| Default::default()).collect();
    std::thread::scope(|scope| {
        for (place, (file, flags)) in (0_u32..).zip(fleet.files.iter().zip(&flags)) {
            let (fleet, tally) = (&fleet, &tally);
            scope.spawn(move || {
                let client = match fleet.client(file) {
                    Ok(client) => client,
                    Err(failure) => return tally.fail(failure),
                };
                std::thread::sleep(load.interval() * place / load.clients);
                let (is_being_revoked, is_revoked) = flags;
                while !is_being_revoked.load(Ordering::SeqCst) {
                    let begun = Instant::now();
                    tally.request_unless(&client, is_being_revoked);
                    std::thread::sleep(load.interval().saturating_sub(begun.elapsed()));
                }
                while !is_revoked.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
                (0..KNOCKS).for_each(|_| tally.knock(&client));
            });
        }
        // One after the other over the whole time.
        let pause = load.time() / load.clients;
        for (file, (is_being_revoked, is_revoked)) in fleet.files.iter().zip(&flags) {
            std::thread::sleep(pause);
            let key = fleet.client(file).map(|client| client.key_id()).unwrap_or_default();
            is_being_revoked.store(true, Ordering::SeqCst);
            let begun = Instant::now();
            match fleet.revoke(key.split('.').next().unwrap_or_default()) {
                Ok(()) => tally.revoked(begun.elapsed()),
                Err(failure) => tally.fail(failure),
            }
            is_revoked.store(true, Ordering::SeqCst);
        }
    });
    std::thread::sleep(Duration::from_millis(1));
    let ended = fleet.end();
    tally.report("revoke").print(global)?;
    ended
}
