//! The window with all that must change together with it: what challenges and session tokens are made from, and the era
//! of the memory behind it.

use crate::shared::{CLOCKS_APART_MAX, Era};
use strongroom_access::replay::{Challenges, Entry, EraSecret, Window};
use strongroom_access::session_token::SessionTokens;

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
