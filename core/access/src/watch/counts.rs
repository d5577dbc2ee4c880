//! How many within a minute, told once for each minute in which it is too many.

/// Seconds in which events count together.
const WINDOW_SECONDS: i64 = 60;

/// Counts what happens in the minute that begins with the first.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Burst {
    from: i64,
    last: i64,
    count: u32,
}

impl Burst {
    /// One more. The count, when it has just reached what stands out.
    pub fn count(&mut self, now: i64, stands_out: u32) -> Option<i64> {
        // A clock that was set back begins a new minute too.
        if self.count == 0 || !(self.from..self.from.saturating_add(WINDOW_SECONDS)).contains(&now) {
            *self = Self { from: now, last: now, count: 0 };
        }
        self.last = now;
        self.count = self.count.saturating_add(1);
        (self.count == stands_out).then(|| i64::from(self.count))
    }

    /// When the last one was.
    pub fn last(&self) -> i64 {
        self.last
    }
}
