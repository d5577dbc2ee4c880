//! The window: which nonces of which lineage were used, exactly, for as long as a request with one could be accepted.
//!
//! ```text
//!             watermark                     now
//!  ───────────────┼──────────────────────────┼─────────┼──────> created
//!     forgotten   │         remembered                 │
//!     refused     │   accepted once: validity + skew   │ skew: refused beyond as from the future
//! ```
//!
//! INVARIANT: every accepted nonce is in the table or is counted from a second at or before the watermark, and nothing
//! counted from there is accepted. The watermark only rises. So no (lineage, nonce) is accepted twice, whatever the
//! clock does: `now` decides only what may be forgotten and what is too old or too new.
//!
//! The watermark rises to what was in fact forgotten, not to what the clock says: a clock that jumps a year ahead and
//! comes back leaves it at the newest nonce before the jump, and the window works on.
//!
//! "The same nonce" is that of one signed request. A signer that signs a nonce again is refused while the first is
//! remembered, whatever `created` it gives; later, and after a restart without memory, that is another request.
//!
//! A process that stops loses the table. Then either its entries were written to a file and come back
//! ([`Window::restored`]), or everything signed up to the start, skew included, is refused and heals by a challenge
//! ([`Window::started`]). This module writes no file and never evicts a live nonce.

use super::challenge::{self, Challenges};
use super::fingerprint::{FingerprintKey, Fingerprints, Kind, NONCE_BYTES_MAX, NONCE_BYTES_MIN};
use super::refusal::ReplayRefusal;
use super::table::{SECOND_MAX, Table};
use super::tally::{LineageTally, SecondTally};
use strongroom_units::time::Timestamp;

/// What the window accepts and how much it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Seconds after `created` for which a request is valid; 3,600 at most.
    pub validity_seconds: u32,
    /// Seconds by which a signer's clock may differ; 3,600 at most.
    pub skew_seconds: u32,
    /// Live nonces of all lineages. A nonce takes up to 27 bytes.
    pub nonces_max: usize,
    /// Live nonces of one lineage.
    pub nonces_per_lineage_max: u32,
    /// Lineages with live nonces. One takes about 70 bytes.
    pub lineages_max: usize,
}

impl Default for Limits {
    /// The profile's 60 seconds and 5 of skew; two million nonces, which is 30,000 requests a second, a tenth of that
    /// for one lineage.
    fn default() -> Self {
        Self {
            validity_seconds: 60,
            skew_seconds: 5,
            nonces_max: 2_000_000,
            nonces_per_lineage_max: 200_000,
            lineages_max: 100_000,
        }
    }
}

impl Limits {
    const SECONDS_MAX: u32 = 3_600;

    fn validity(&self) -> i64 {
        i64::from(self.validity_seconds.min(Self::SECONDS_MAX))
    }

    fn skew(&self) -> i64 {
        i64::from(self.skew_seconds.min(Self::SECONDS_MAX))
    }

    /// Seconds after `created` during which a nonce must be remembered: validity and skew.
    pub fn retention_seconds(&self) -> i64 {
        self.validity() + self.skew()
    }

    /// The last second from which a nonce can have been accepted before `boot`: the watermark of a process that knows
    /// nothing of what was.
    pub fn watermark_at(&self, boot: Timestamp) -> i64 {
        boot.as_second().saturating_add(self.skew())
    }
}

/// A nonce as it was shown, after its signature was verified and never before.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The lineage: all versions of a key together, so that a rotation doubles nothing.
    pub lineage: &'a str,
    /// The decoded bytes, so that a nonce has one form.
    pub nonce: &'a [u8],
    /// When the request says it was signed, seconds since 1970.
    pub created: i64,
}

/// What must be on disk before the request is executed, where nonces are to outlive the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "with nonces on disk, the entry is to be durable before the request is executed"]
pub struct Entry {
    /// Keyed hash of kind, lineage and value.
    pub fingerprint: u128,
    /// Keyed hash of the lineage, for its quota.
    pub lineage: u64,
    /// The second it is counted from, since 1970.
    pub second: i64,
}

/// What is known at a start of what was accepted before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The entries on disk; such as are too old do no harm.
    pub entries: Vec<Entry>,
    /// Up to which second entries may have been removed from disk: nothing from there is accepted.
    pub watermark: i64,
    /// Whether they are all. They are not after a restore from a backup, nor when a file is missing or damaged.
    pub complete: bool,
}

/// A second of the window's own time, which is never behind the watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowTime(pub(crate) i64);

impl WindowTime {
    /// Seconds since 1970.
    pub fn second(self) -> i64 {
        self.0
    }
}

/// A value of the server's own making that is good once: a challenge that was answered, a session token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SingleUse<'a> {
    pub(crate) kind: Kind,
    pub(crate) lineage: &'a str,
    pub(crate) value: &'a [u8],
    /// When it was made, in the window's time.
    pub(crate) made: i64,
}

impl<'a> SingleUse<'a> {
    pub(crate) fn session_token(lineage: &'a str, value: &'a [u8], made: i64) -> Self {
        Self { kind: Kind::SessionToken, lineage, value, made }
    }
}

/// The window. One process has one; it is not shared between processes.
pub struct Window {
    limits: Limits,
    fingerprints: Fingerprints,
    table: Table,
    seconds: SecondTally,
    lineages: LineageTally,
    watermark: i64,
    /// The newest second of any entry.
    newest: i64,
}

impl Window {
    /// With nothing kept from before: refuses what was signed up to `boot` and the skew, unless it answers a challenge.
    ///
    /// The former process must not have run with a clock ahead of `boot`. Whoever knows a later time at which it lived,
    /// such as that of the newest record in the log, gives the later of both.
    pub fn started(limits: Limits, key: &FingerprintKey, boot: Timestamp) -> Self {
        Self::with_watermark(limits, key, limits.watermark_at(boot))
    }

    /// With what was kept from before. Refuses nothing for the restart if that was all; else as [`Window::started`].
    pub fn restored(limits: Limits, key: &FingerprintKey, recovered: &Recovered, boot: Timestamp) -> Self {
        let lost = if recovered.complete { i64::MIN } else { limits.watermark_at(boot) };
        let mut window = Self::with_watermark(limits, key, recovered.watermark.max(lost));
        for entry in &recovered.entries {
            if entry.second > window.watermark && !window.table.holds(entry.fingerprint, window.watermark) {
                window.remember(*entry);
            }
        }
        window.forget(boot.as_second());
        window
    }

    fn with_watermark(limits: Limits, key: &FingerprintKey, watermark: i64) -> Self {
        let span = limits.validity() + 2 * limits.skew() + 1;
        Self {
            limits,
            fingerprints: Fingerprints::new(key),
            table: Table::new(limits.nonces_max),
            seconds: SecondTally::default(),
            lineages: LineageTally::new(span, limits.lineages_max),
            watermark: watermark.clamp(0, SECOND_MAX),
            newest: 0,
        }
    }

    /// Lets a verified request in once: by its own nonce, or by one that answers a challenge.
    ///
    /// # Errors
    /// As [`Window::insert`] and [`Challenges::check`]; nothing is remembered of what is refused.
    pub fn admit(
        &mut self,
        challenges: &Challenges,
        presented: Presented<'_>,
        now: Timestamp,
    ) -> Result<Entry, ReplayRefusal> {
        match challenges.check(presented.nonce, presented.lineage, self.time(now))? {
            Some(answered) => self.spend(&answered, now),
            None => self.insert(presented, now),
        }
    }

    /// Remembers a nonce that the signer made.
    ///
    /// # Errors
    /// In this order: a nonce of another length than 16 to 64 bytes, or of a challenge's shape; `created` too old, from
    /// the future, or at or before the watermark; a nonce that was used, whatever `created` it came with; a lineage with
    /// its quota used up; no room. Nothing is remembered of what is refused.
    pub fn insert(&mut self, presented: Presented<'_>, now: Timestamp) -> Result<Entry, ReplayRefusal> {
        let Presented { lineage, nonce, created } = presented;
        if !(NONCE_BYTES_MIN..=NONCE_BYTES_MAX).contains(&nonce.len()) {
            return Err(ReplayRefusal::NonceMustFit { bytes: nonce.len() });
        }
        if challenge::has_the_shape(nonce) {
            return Err(ReplayRefusal::ChallengeMustBeAnsweredInTime);
        }
        let now = now.as_second();
        self.forget(now);
        if created < self.horizon(now).max(1) {
            return Err(ReplayRefusal::MustBeFresh { created, now });
        }
        if created > now.saturating_add(self.limits.skew()).min(SECOND_MAX) {
            return Err(ReplayRefusal::MustNotBeFromTheFuture { created, now });
        }
        if created <= self.watermark {
            return Err(ReplayRefusal::MustAnswerAChallenge { until: self.watermark });
        }
        self.accept(&SingleUse { kind: Kind::Nonce, lineage, value: nonce, made: created }, now)
    }

    /// Uses up a value of the server's own making.
    ///
    /// # Errors
    /// A value made too long ago, or used; quota and room as for a nonce.
    pub fn spend(&mut self, single: &SingleUse<'_>, now: Timestamp) -> Result<Entry, ReplayRefusal> {
        let now_second = now.as_second();
        self.forget(now_second);
        let earliest = self.horizon(now_second).max(self.watermark + 1);
        if single.made < earliest || single.made > self.time(now).0.saturating_add(self.limits.skew()) {
            return Err(match single.kind {
                Kind::SessionToken => ReplayRefusal::SessionTokenMustBeValid,
                Kind::Nonce | Kind::Challenge => ReplayRefusal::ChallengeMustBeAnsweredInTime,
            });
        }
        self.accept(single, now_second)
    }

    fn accept(&mut self, single: &SingleUse<'_>, now: i64) -> Result<Entry, ReplayRefusal> {
        let entry = self.entry(single)?;
        if self.table.holds(entry.fingerprint, self.watermark) {
            return Err(match single.kind {
                Kind::SessionToken => ReplayRefusal::SessionTokenWasUsed,
                Kind::Nonce | Kind::Challenge => ReplayRefusal::NonceWasUsed,
            });
        }
        // A part of a quota ends by the clock: the newest nonce, where the watermark stops, may be in its middle.
        let ended = self.watermark.max(self.horizon(now) - 1);
        let live = self.lineages.live(entry.lineage, ended);
        if live.count >= self.limits.nonces_per_lineage_max {
            return Err(self.quota_used_up(live.oldest_until, now));
        }
        if self.seconds.live() >= self.limits.nonces_max || !self.lineages.has_room(entry.lineage, ended) {
            return Err(ReplayRefusal::WindowMustHaveRoom);
        }
        self.remember(entry);
        Ok(entry)
    }

    fn entry(&self, single: &SingleUse<'_>) -> Result<Entry, ReplayRefusal> {
        let lineage = self.fingerprints.lineage(single.lineage);
        let fingerprint = self
            .fingerprints
            .value(single.kind, lineage, single.value)
            .ok_or(ReplayRefusal::NonceMustFit { bytes: single.value.len() })?;
        Ok(Entry { fingerprint, lineage: lineage as u64, second: single.made })
    }

    fn quota_used_up(&self, oldest_until: i64, now: i64) -> ReplayRefusal {
        let forgotten_at = oldest_until + self.limits.validity() + self.limits.skew() + 1;
        let wait = u32::try_from(forgotten_at.saturating_sub(now).max(1)).unwrap_or(u32::MAX);
        ReplayRefusal::RateMustStayWithinTheQuota { retry_after_seconds: wait }
    }

    fn remember(&mut self, entry: Entry) {
        self.table.insert(entry.fingerprint, entry.second, self.watermark);
        self.seconds.add(entry.second);
        self.lineages.add(entry.lineage, entry.second);
        self.newest = self.newest.max(entry.second);
    }

    /// The oldest `created` that is valid at `now`.
    fn horizon(&self, now: i64) -> i64 {
        now.saturating_sub(self.limits.validity() + self.limits.skew())
    }

    /// Forgets what is no longer valid, and raises the watermark over it; over nothing else.
    fn forget(&mut self, now: i64) {
        let watermark = (self.horizon(now) - 1).min(self.newest);
        self.raise(watermark);
    }

    /// Raises the watermark to where another memory than this one forgot: nothing from up to there is accepted any more.
    /// It never falls.
    pub fn raise(&mut self, watermark: i64) {
        let watermark = watermark.min(SECOND_MAX);
        if watermark > self.watermark {
            self.watermark = watermark;
            self.seconds.forget(watermark);
        }
    }

    /// The time by which challenges and session tokens are made: the clock's, or the first second after the watermark
    /// while the clock is behind it.
    pub fn time(&self, now: Timestamp) -> WindowTime {
        WindowTime(now.as_second().max(self.watermark + 1))
    }

    /// The second up to which nothing is accepted any more: what is on disk from up to there may be removed.
    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    /// Nonces that are remembered.
    pub fn live(&self) -> usize {
        self.seconds.live()
    }

    /// Bytes of memory that the window asked for, without the allocator's own.
    pub fn bytes(&self) -> usize {
        self.table.bytes() + self.lineages.bytes()
    }
}
