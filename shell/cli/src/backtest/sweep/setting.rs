//! What a sweep can vary, how it is written on the command line, and every combination of it.

use crate::backtest::PriceAt;
use crate::failure::{Exit, Failure};
use std::fmt;
use strongroom_market::index::{Index, IndexDefinitionError, Period, Select, Version, Weighting};
use strongroom_units::{Decimal, Rate};

/// Runs of one sweep.
const RUNS_MAX: usize = 10_000;
/// Values of one key.
const VALUES_MAX: usize = 1_000;
/// Returns by which inverse volatility is measured.
const VOLATILITY_DAYS: u16 = 30;

/// What a sweep can vary. The order is that of the help text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Weighting,
    Top,
    Cap,
    Reconstitution,
    CostBps,
    FeeBps,
    PriceAt,
}

const KEYS: [(Key, &str, &str); 7] = [
    (Key::Weighting, "weighting", "cap, equal, sqrt, inverse-volatility"),
    (Key::Top, "top", "how many of the largest, 1 to 100"),
    (Key::Cap, "cap", "the largest weight of a member as a fraction, or none"),
    (Key::Reconstitution, "reconstitution", "month, quarter"),
    (Key::CostBps, "cost_bps", "basis points of everything bought and sold"),
    (Key::FeeBps, "fee_bps", "basis points a year"),
    (Key::PriceAt, "price_at", "strike, close"),
];

impl Key {
    pub fn name(self) -> &'static str {
        KEYS.iter().find(|(key, _, _)| *key == self).map_or("", |(_, name, _)| name)
    }

    fn values(self) -> &'static str {
        KEYS.iter().find(|(key, _, _)| *key == self).map_or("", |(_, _, values)| values)
    }

    /// Whether it is a rule of an index or of following one.
    pub fn is_of_a_basket(self) -> bool {
        !matches!(self, Self::FeeBps | Self::PriceAt)
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Top | Self::CostBps | Self::FeeBps)
    }
}

/// One value of one key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub key: Key,
    /// As it was written, or the step of a range.
    pub text: String,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Weighting(Weighting),
    Top(u16),
    Cap(Option<Rate>),
    Reconstitution(Period),
    CostBps(Rate),
    FeeBps(Rate),
    PriceAt(PriceAt),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key.name(), self.text)
    }
}

/// A key and its values, as one `--sweep` gives them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub key: Key,
    pub settings: Vec<Setting>,
}

impl Axis {
    /// Reads `KEY=VALUE,VALUE` or `KEY=FIRST..LAST:STEP`, both ends included.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let (name, values) = text.split_once('=').ok_or_else(|| {
            wrong(
                "sweep.must_be_key_and_values",
                format!("`{text}` is not KEY=VALUES"),
                "Write it like cost_bps=0,5,10.",
            )
        })?;
        let known = KEYS.iter().find(|(_, known, _)| *known == name.trim());
        let (key, _, _) = *known.ok_or_else(|| {
            let keys: Vec<&str> = KEYS.iter().map(|(_, name, _)| *name).collect();
            let message = format!("`{name}` cannot be swept");
            wrong("sweep.key_must_be_known", message, &format!("One of {}.", keys.join(", ")))
        })?;
        let mut settings: Vec<Setting> = Vec::new();
        for part in values.split(',').map(str::trim) {
            let texts = if part.contains("..") { range(key, part)? } else { vec![part.to_owned()] };
            for text in texts {
                let setting = Setting { key, value: value(key, &text)?, text };
                if settings.iter().any(|other| other.value == setting.value) {
                    let message = format!("{setting} is given twice");
                    return Err(wrong("sweep.value_must_be_given_once", message, "Each value is run once."));
                }
                settings.push(setting);
            }
            is_bounded("values of one key", settings.len(), VALUES_MAX)?;
        }
        Ok(Self { key, settings })
    }
}

/// Every combination, the last key turning fastest.
pub(super) fn combinations(axes: &[Axis]) -> Result<Vec<Vec<Setting>>, Failure> {
    for (position, axis) in axes.iter().enumerate() {
        if axes.iter().take(position).any(|earlier| earlier.key == axis.key) {
            let message = format!("{} is swept twice", axis.key.name());
            return Err(wrong(
                "sweep.key_must_be_given_once",
                message,
                "Give all its values in one --sweep.",
            ));
        }
    }
    let count = axes.iter().fold(1usize, |count, axis| count.saturating_mul(axis.settings.len()));
    is_bounded("runs of one sweep", count, RUNS_MAX)?;
    let mut all = vec![Vec::new()];
    for axis in axes {
        let with = |before: &Vec<Setting>| {
            let before = before.clone();
            axis.settings
                .iter()
                .map(move |setting| [before.as_slice(), std::slice::from_ref(setting)].concat())
        };
        all = all.iter().flat_map(with).collect();
    }
    Ok(all)
}

/// The index with these settings for rules.
pub(super) fn index_with(index: &Index, settings: &[Setting]) -> Result<Index, IndexDefinitionError> {
    index.with_rules(|version| settings.iter().for_each(|setting| set(version, &setting.value)))
}

fn set(version: &mut Version, value: &Value) {
    match value {
        Value::Weighting(weighting) => version.weighting = weighting.clone(),
        Value::Cap(cap) => version.cap = *cap,
        Value::Reconstitution(every) => version.reconstitution.every = *every,
        Value::Top(count) => {
            let (buffer, enters_at) = match version.select {
                Select::Top { buffer, enters_at, .. } => (buffer, enters_at.min(*count)),
                Select::All => (0, 0),
            };
            version.select = Select::Top { count: *count, buffer, enters_at };
        }
        Value::CostBps(_) | Value::FeeBps(_) | Value::PriceAt(_) => {}
    }
}

fn value(key: Key, text: &str) -> Result<Value, Failure> {
    let read = match key {
        Key::Weighting => match text {
            "cap" | "market-cap" => Some(Weighting::MarketCap),
            "equal" => Some(Weighting::Equal),
            "sqrt" | "square-root" => Some(Weighting::SquareRoot),
            "inverse-volatility" => Some(Weighting::InverseVolatility { days: VOLATILITY_DAYS }),
            _ => None,
        }
        .map(Value::Weighting),
        Key::Top => text.parse().ok().filter(|top| (1..=100).contains(top)).map(Value::Top),
        Key::Cap if text == "none" => Some(Value::Cap(None)),
        Key::Cap => not_negative(text).map(|cap| Value::Cap(Some(cap))),
        Key::Reconstitution => match text {
            "month" => Some(Value::Reconstitution(Period::Month)),
            "quarter" => Some(Value::Reconstitution(Period::Quarter)),
            _ => None,
        },
        Key::CostBps => not_negative(text).map(Value::CostBps),
        Key::FeeBps => not_negative(text).map(Value::FeeBps),
        Key::PriceAt => match text {
            "strike" => Some(Value::PriceAt(PriceAt::Strike)),
            "close" => Some(Value::PriceAt(PriceAt::Close)),
            _ => None,
        },
    };
    read.ok_or_else(|| {
        let message = format!("`{text}` is no value of {}", key.name());
        wrong("sweep.value_must_be_known", message, &format!("{}: {}.", key.name(), key.values()))
    })
}

fn not_negative(text: &str) -> Option<Rate> {
    text.parse::<Rate>().ok().filter(|rate| !rate.is_negative())
}

/// The steps of `FIRST..LAST:STEP`, exact: a range that does not end on its last step ends before it.
fn range(key: Key, text: &str) -> Result<Vec<String>, Failure> {
    let refused = |why: &str| {
        let hint = "Write it like cost_bps=0..50:5: first, last and step, all of them numbers.";
        wrong("sweep.range_must_be_a_range", format!("`{text}` is no range of {}: {why}", key.name()), hint)
    };
    if !key.is_number() {
        return Err(refused("its values are not counted"));
    }
    let (ends, step) = text.split_once(':').unwrap_or((text, "1"));
    let (first, last) = ends.split_once("..").ok_or_else(|| refused("it has no end"))?;
    let number = |text: &str| text.trim().parse::<Decimal>().map_err(|_| refused("it is not of numbers"));
    let (mut at, last, step) = (number(first)?, number(last)?, number(step)?);
    if last < at || step.units() <= 0 {
        return Err(refused("it does not go up"));
    }
    let mut texts = Vec::new();
    while at <= last {
        texts.push(at.to_string());
        is_bounded("values of one key", texts.len(), VALUES_MAX)?;
        at = at.try_add(step)?;
    }
    Ok(texts)
}

fn is_bounded(what: &str, count: usize, most: usize) -> Result<(), Failure> {
    if count <= most {
        return Ok(());
    }
    let message = format!("{count} are more than {most} {what}");
    Err(wrong("sweep.must_be_bounded", message, "Sweep fewer values, or in several runs."))
}

pub(super) fn wrong(code: &'static str, message: String, hint: &str) -> Failure {
    Failure::new(code, message, Exit::CommandLine).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sweep: &str) -> Result<String, std::borrow::Cow<'static, str>> {
        let axis = Axis::parse(sweep).map_err(|failure| failure.code)?;
        Ok(axis.settings.iter().map(|setting| setting.text.as_str()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn values_are_lists_and_ranges() {
        let check = |sweep: &str, expected: Result<&str, &'static str>| {
            assert_eq!(texts(sweep), expected.map(str::to_owned).map_err(Into::into), "{sweep}");
        };
        check("weighting=cap,equal,sqrt", Ok("cap equal sqrt"));
        check("cost_bps=0..50:10", Ok("0 10 20 30 40 50"));
        check("cost_bps=0..5:2", Ok("0 2 4"));
        check("cost_bps=0..1:0.25", Ok("0 0.25 0.5 0.75 1"));
        check("top=3..5", Ok("3 4 5"));
        check("top=3, 10..12", Ok("3 10 11 12"));
        check("cap=none,0.4", Ok("none 0.4"));
        check("price_at=strike,close", Ok("strike close"));
        check("reconstitution=month,quarter", Ok("month quarter"));
        check("cost_bps", Err("sweep.must_be_key_and_values"));
        check("colour=red", Err("sweep.key_must_be_known"));
        check("weighting=wealth", Err("sweep.value_must_be_known"));
        check("weighting=cap,market-cap", Err("sweep.value_must_be_given_once"));
        check("top=0", Err("sweep.value_must_be_known"));
        check("top=2.5", Err("sweep.value_must_be_known"));
        check("cost_bps=-1", Err("sweep.value_must_be_known"));
        check("cost_bps=5,0..10:5", Err("sweep.value_must_be_given_once"));
        check("cost_bps=5..0", Err("sweep.range_must_be_a_range"));
        check("cost_bps=0..5:0", Err("sweep.range_must_be_a_range"));
        check("cost_bps=0..x", Err("sweep.range_must_be_a_range"));
        check("cap=0..1:0.1", Err("sweep.range_must_be_a_range"));
        check("cost_bps=0..1000000:0.001", Err("sweep.must_be_bounded"));
    }

    #[test]
    fn combinations_are_every_one_once_and_bounded() {
        let axes = |texts: &[&str]| texts.iter().map(|text| Axis::parse(text).unwrap()).collect::<Vec<_>>();
        let all = combinations(&axes(&["weighting=cap,equal", "cost_bps=0,5,10"])).unwrap();
        let written: Vec<String> =
            all.iter().map(|run| run.iter().map(Setting::to_string).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            written,
            [
                "weighting=cap cost_bps=0",
                "weighting=cap cost_bps=5",
                "weighting=cap cost_bps=10",
                "weighting=equal cost_bps=0",
                "weighting=equal cost_bps=5",
                "weighting=equal cost_bps=10",
            ]
        );
        let refused = |texts: &[&str]| combinations(&axes(texts)).unwrap_err().code;
        assert_eq!(refused(&["top=1,2", "top=3"]), "sweep.key_must_be_given_once");
        assert_eq!(refused(&["cost_bps=0..500:1", "fee_bps=0..500:1"]), "sweep.must_be_bounded");
    }
}
