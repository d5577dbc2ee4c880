//! A methodology as data: effective-dated versions of one set of rules, read from a TOML file.

use super::error::MethodologyError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strongroom_units::time::{Date, Timestamp, Zone};
use strongroom_units::{Rate, Rounding};

/// The rules of one reference rate over the years.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Methodology {
    /// Short name, as on the command line.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Where the rules come from, and how sure they are.
    pub source: String,
    /// By which wall clock versions take effect.
    pub zone: Zone,
    version: Vec<Version>,
}

/// The rules from one day on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// The first day on which a window ends under these rules; a TOML date in quotes.
    pub effective: Date,
    /// Number of intervals.
    pub intervals: u16,
    /// Length of each.
    pub interval_seconds: u32,
    /// How far the last interval ends after the time of the rate; 0 for most.
    #[serde(default)]
    pub seconds_after: u32,
    /// The price of an interval.
    pub statistic: Statistic,
    /// What an exact half of the volume means for a median.
    #[serde(default)]
    pub tie: Tie,
    /// How the intervals are weighted.
    pub weights: Weights,
    /// What an interval without trades does.
    pub empty: EmptyInterval,
    /// How the rate is rounded.
    pub rounding: Rounding,
    /// Decimals of the rate.
    pub decimals: u8,
    /// Venues whose trades count; every venue in the input when absent.
    #[serde(default)]
    pub venues: Option<Vec<String>>,
    /// Venues with trades that a rate needs, after exclusions.
    pub venues_min: u16,
    /// When a whole venue is left out.
    #[serde(default)]
    pub venue_screen: Option<VenueScreen>,
    /// How books quoted in something else than the pair's own quote are used; left out when absent.
    #[serde(default)]
    pub conversions: Conversions,
    /// Largest relative change that is not restated, as a fraction.
    #[serde(default)]
    pub restatement_threshold: Option<Rate>,
}

/// The price of one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// Trades sorted by price, sizes cumulated: the first price at which half of the volume is reached. It is not the
    /// price at the median of the volumes, which some explainers call by the same letters.
    CumulativeVolumeWeightedMedian,
    /// Σ price × size ÷ Σ size.
    VolumeWeightedAverage,
    /// The last trade; of several in the same millisecond, their cumulative-volume-weighted median.
    Last,
}

impl Statistic {
    /// Its full name, so that nobody has to guess which median it is.
    pub fn name(self) -> &'static str {
        match self {
            Self::CumulativeVolumeWeightedMedian => "cumulative-volume-weighted-median",
            Self::VolumeWeightedAverage => "volume-weighted-average",
            Self::Last => "last",
        }
    }
}

/// Which price a median is when exactly half of the volume lies at or below one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// That price: cumulated volume ≥ half.
    #[default]
    Lower,
    /// The next one: cumulated volume > half.
    Upper,
    /// The mean of the two.
    Mean,
}

/// How intervals are weighted. Weights are whole numbers and are divided by their sum, so they always sum to one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Weights {
    /// All alike.
    Equal,
    /// Interval i weighs i × `slope`; the last ones weigh what `tail` says.
    Ramp {
        /// Weight of interval 1; interval 0 has none.
        slope: u32,
        /// Weights of the last intervals.
        tail: Vec<u32>,
    },
}

/// What an interval without trades does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyInterval {
    /// It and its weight are left out.
    Drop,
    /// It has the price of the next interval that has one; the last ones that of the last before them.
    BorrowNext,
    /// It has the price of the interval before it; the first ones that of the next that has one.
    BorrowPrevious,
    /// There is no rate.
    Fail,
}

/// When a whole venue is left out of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueScreen {
    /// Largest |venue's median ÷ median of the venues' medians − 1| over the window that is kept, as a fraction.
    pub deviation_max: Rate,
}

/// How a book quoted in a stablecoin is used: the pair that values it, by its quote.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Conversions(pub BTreeMap<String, String>);

impl Methodology {
    /// Reads and checks a methodology.
    pub fn parse(text: &str) -> Result<Self, MethodologyError> {
        let read: Self = toml::from_str(text).map_err(|error| MethodologyError::unreadable(text, &error))?;
        read.check()?;
        Ok(read)
    }

    /// The rules for a rate at an instant.
    pub fn version_at(&self, at: Timestamp) -> Result<&Version, MethodologyError> {
        let date = self.zone.date_of(at);
        let version = self.version.iter().rev().find(|version| version.effective <= date);
        version.ok_or_else(|| MethodologyError::NotYetEffective { id: self.id.clone(), date })
    }

    /// Every version, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.version
    }

    fn check(&self) -> Result<(), MethodologyError> {
        let wrong = |version: Date, rule| Err(MethodologyError::Contradiction { version, rule });
        let ascends = self.version.windows(2).all(|pair| matches!(pair, [a, b] if a.effective < b.effective));
        let first = self.version.first().map_or(Date::ZERO, |version| version.effective);
        if self.version.is_empty() || !ascends {
            return wrong(
                first,
                "versions are given oldest first, each with its own date, and there is at least one",
            );
        }
        for version in &self.version {
            if let Some(rule) = version.broken_rule() {
                return wrong(version.effective, rule);
            }
        }
        Ok(())
    }
}

impl Version {
    /// The weight of each interval; at least one is above zero.
    pub fn interval_weights(&self) -> Vec<u32> {
        let count = usize::from(self.intervals);
        match &self.weights {
            Weights::Equal => vec![1; count],
            Weights::Ramp { slope, tail } => {
                let rising =
                    (0u32..).map(|i| i.saturating_mul(*slope)).take(count.saturating_sub(tail.len()));
                rising.chain(tail.iter().copied()).collect()
            }
        }
    }

    fn broken_rule(&self) -> Option<&'static str> {
        let tail = match &self.weights {
            Weights::Equal => 0,
            Weights::Ramp { tail, .. } => tail.len(),
        };
        let span = u64::from(self.intervals) * u64::from(self.interval_seconds);
        let threshold_is_negative = self.restatement_threshold.is_some_and(Rate::is_negative);
        let screen_is_negative = self.venue_screen.is_some_and(|screen| screen.deviation_max.is_negative());
        [
            (
                self.intervals == 0 || self.interval_seconds == 0,
                "a window has at least one interval of one second",
            ),
            (span > 7 * 86_400, "a window is at most seven days"),
            (self.intervals > 10_000, "a window has at most 10,000 intervals"),
            (u64::from(self.seconds_after) > span, "a window ends after it begins"),
            (tail > usize::from(self.intervals), "the tail has no more weights than there are intervals"),
            (self.interval_weights().iter().all(|weight| *weight == 0), "some interval has a weight"),
            (self.venues_min == 0, "a rate needs at least one venue"),
            (self.decimals > 18, "a rate has at most 18 decimals"),
            (threshold_is_negative || screen_is_negative, "a threshold is not negative"),
        ]
        .into_iter()
        .find_map(|(broken, rule)| broken.then_some(rule))
    }
}
