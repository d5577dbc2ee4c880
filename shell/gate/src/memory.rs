//! The window with all that must change together with it: what challenges and session tokens are made from, and the era
//! of the memory behind it; and how the gate uses a nonce up.

use crate::gate::Gate;
use crate::refusal::GateRefusal;
use crate::shared::{CLOCKS_APART_MAX, Era, Outcome, SharedNonces};
use crate::wal::NonceLog;
use std::sync::MutexGuard;
use strongroom_access::replay::{Challenges, Entry, EraSecret, Presented, ReplayRefusal, Window};
use strongroom_access::session_token::SessionTokens;
use strongroom_units::time::Timestamp;

/// What makes challenges and session tokens in each era.
pub struct EraMakers {
    /// The secret of all verifiers.
    pub secret: EraSecret,
    /// Seconds that a challenge is good.
    pub challenge_seconds: u32,
    /// Seconds that a session token is good.
    pub token_seconds: u32,
}

impl std::fmt::Debug for EraMakers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EraMakers").finish_non_exhaustive()
    }
}

impl EraMakers {
    /// Challenges of an era.
    pub fn challenges(&self, era: &Era) -> Challenges {
        self.secret.challenges(&era.name, self.challenge_seconds, 2 * CLOCKS_APART_MAX)
    }

    /// Session tokens of an era.
    pub fn tokens(&self, era: &Era) -> SessionTokens {
        self.secret.session_tokens(&era.name, self.token_seconds, 2 * CLOCKS_APART_MAX)
    }
}

/// An entry that the window let in.
pub(crate) struct Admitted {
    pub entry: Entry,
    pub watermark: i64,
    /// The era in which that was; 0 where the memory is this process's alone.
    pub era: u64,
}

pub(crate) struct Memory {
    pub window: Window,
    pub challenges: Challenges,
    pub tokens: SessionTokens,
    pub era: u64,
    pub makers: Option<EraMakers>,
}

impl Memory {
    /// Goes over to a later era, whole: watermark, challenges and tokens.
    pub fn follow(&mut self, era: &Era) {
        if era.number <= self.era {
            return;
        }
        if let Some(makers) = &self.makers {
            self.challenges = makers.challenges(era);
            self.tokens = makers.tokens(era);
        }
        self.window.raise(era.watermark);
        self.era = era.number;
    }

    pub fn admitted(&self, entry: Entry) -> Admitted {
        Admitted { entry, watermark: self.window.watermark(), era: self.era }
    }
}

/// Where nonces are kept beside the window.
#[derive(Debug, Default)]
pub enum NonceStore {
    /// Nowhere: a restart asks for challenges.
    #[default]
    InMemory,
    /// On disk, so that a restart refuses nothing.
    OnDisk(NonceLog),
    /// With those of the other verifiers, and what makes challenges that all of them know.
    Shared(SharedNonces, EraMakers),
}

/// The same, at work.
pub(crate) enum Nonces {
    InMemory,
    OnDisk(NonceLog),
    Shared(SharedNonces),
    Closed,
}

/// The window begins with the era, whose challenges and tokens all verifiers know.
pub(crate) fn memory_of(
    store: NonceStore,
    window: Window,
    challenges: Challenges,
    tokens: SessionTokens,
) -> (Nonces, Memory) {
    let (nonces, makers) = match store {
        NonceStore::InMemory => (Nonces::InMemory, None),
        NonceStore::OnDisk(log) => (Nonces::OnDisk(log), None),
        NonceStore::Shared(shared, makers) => (Nonces::Shared(shared), Some(makers)),
    };
    let mut memory = Memory { window, challenges, tokens, era: 0, makers };
    if let Nonces::Shared(shared) = &nonces {
        memory.follow(&shared.era());
    }
    (nonces, memory)
}

impl Gate {
    /// Whether judging waits, for a disk or for Redis: nonces are kept before their request is executed.
    pub fn waits(&self) -> bool {
        self.nonces.read().is_ok_and(|nonces| matches!(*nonces, Nonces::OnDisk(_) | Nonces::Shared(_)))
    }

    /// Why nothing that is signed would be let in now, if so.
    pub fn trouble(&self) -> Option<GateRefusal> {
        match self.nonces.read().as_deref() {
            Ok(Nonces::InMemory | Nonces::OnDisk(_)) => None,
            Ok(Nonces::Shared(shared)) => shared.trouble().map(|error| error.for_callers().into()),
            Ok(Nonces::Closed) | Err(_) => Some(GateRefusal::Failed),
        }
    }

    /// Nonces that are remembered in this process, and the bytes that they take.
    pub fn remembered(&self) -> (usize, usize) {
        self.memory.lock().map_or((0, 0), |memory| (memory.window.live(), memory.window.bytes()))
    }

    /// The memory, in the present era.
    pub(crate) fn memory(&self) -> Result<MutexGuard<'_, Memory>, GateRefusal> {
        let era = match &*self.nonces.read().map_err(|_| GateRefusal::Failed)? {
            Nonces::Shared(shared) => Some(shared.era()),
            _ => None,
        };
        let mut memory = self.memory.lock().map_err(|_| GateRefusal::Failed)?;
        if let Some(era) = era {
            memory.follow(&era);
        }
        Ok(memory)
    }

    pub(crate) fn admit(
        &self,
        name: &str,
        nonce: &[u8],
        created: i64,
        now: Timestamp,
    ) -> Result<Admitted, GateRefusal> {
        match self.admit_now(name, nonce, created, now) {
            // Another verifier gave the challenge out, in an era that this one has not heard of yet.
            Err(GateRefusal::Replay(ReplayRefusal::ChallengeMustBeAnsweredInTime)) if self.finds_an_era() => {
                self.admit_now(name, nonce, created, now)
            }
            answer => answer,
        }
    }

    fn finds_an_era(&self) -> bool {
        match self.nonces.read().as_deref() {
            Ok(Nonces::Shared(shared)) => shared.finds_another_era(),
            _ => false,
        }
    }

    fn admit_now(
        &self,
        name: &str,
        nonce: &[u8],
        created: i64,
        now: Timestamp,
    ) -> Result<Admitted, GateRefusal> {
        let mut memory = self.memory()?;
        let Memory { window, challenges, .. } = &mut *memory;
        let entry = window.admit(challenges, Presented { lineage: name, nonce, created }, now)?;
        Ok(memory.admitted(entry))
    }

    /// Where nonces outlive the process, nothing is executed before its nonce is on disk, or in Redis, where another
    /// verifier may have let it in: `was_used` says so. Elsewhere the window begins anew with the process.
    pub(crate) fn keep(&self, admitted: &Admitted, was_used: ReplayRefusal) -> Result<(), GateRefusal> {
        match &*self.nonces.read().map_err(|_| GateRefusal::Failed)? {
            Nonces::InMemory => Ok(()),
            Nonces::OnDisk(log) => Ok(log.append_and_wait(admitted.entry, admitted.watermark)?),
            Nonces::Shared(shared) => match shared.record(admitted.entry, admitted.era)? {
                Outcome::Recorded => Ok(()),
                Outcome::WasUsed => Err(was_used.into()),
                Outcome::Stale => Err(ReplayRefusal::ChallengeMustBeAnsweredInTime.into()),
                Outcome::EraEnded { until } => Err(ReplayRefusal::MustAnswerAChallenge { until }.into()),
            },
            Nonces::Closed => Err(GateRefusal::Failed),
        }
    }
}
