//! How numbers and dates are written on a chart.

use crate::model::Unit;
use strongroom_units::time::Date;

/// From here on a number is shortened: the threshold, the divisor and its suffix, largest first.
const MAGNITUDES: [(f64, &str); 4] = [(1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k")];
/// Just below a threshold two decimals already round up to it: 999,999,999 is "1.00bn", not "1000.00M".
const ROUNDS_UP: f64 = 0.999_995;
/// Typographic minus, as wide as a digit.
const MINUS: char = '\u{2212}';
const NO_BREAK_SPACE: char = '\u{a0}';

/// A single value, as beside the end of a line: "$1.23M", "−3.5%", "1,204.5 BTC".
pub fn value(unit: &Unit, value: f64) -> String {
    let (divisor, suffix) = shortened(value, 1e6);
    let text = match unit {
        _ if divisor > 1.0 => fixed(value / divisor, 2),
        Unit::Number { decimals } => fixed(value, *decimals),
        Unit::Money { .. } => fixed(value, if value.abs() < 1e4 { 2 } else { 0 }),
        Unit::Percent { decimals } => return with_unit(unit, &fixed(value * 100.0, *decimals), ""),
        Unit::Coins { .. } => trimmed(fixed(value, if value.abs() < 100.0 { 4 } else { 2 })),
    };
    match unit {
        Unit::Coins { symbol } => format!("{text}{suffix}{NO_BREAK_SPACE}{symbol}"),
        _ => with_unit(unit, &text, suffix),
    }
}

/// How all ticks of one axis are written: one magnitude, one count of decimals.
pub struct AxisFormat<'a> {
    unit: &'a Unit,
    divisor: f64,
    suffix: &'static str,
    decimals: u8,
}

impl<'a> AxisFormat<'a> {
    /// The format for an axis that reaches `largest` (absolute) in steps of `step`.
    pub fn new(unit: &'a Unit, largest: f64, step: f64) -> Self {
        let plain = |decimals| Self { unit, divisor: 1.0, suffix: "", decimals };
        if let Unit::Percent { .. } = unit {
            return plain(decimals_for(step * 100.0));
        }
        let start = shortened(largest, 1e4);
        let short = MAGNITUDES
            .iter()
            .filter(|(divisor, _)| *divisor <= start.0)
            .map(|&(divisor, suffix)| Self { unit, divisor, suffix, decimals: decimals_for(step / divisor) })
            // Steps too fine for a magnitude ("1.000002M") are told apart better in a smaller one.
            .find(|format| format.decimals <= 2);
        short.unwrap_or_else(|| plain(decimals_for(step)))
    }

    /// The label of the tick at `value`.
    pub fn tick(&self, value: f64) -> String {
        match self.unit {
            _ if value == 0.0 => with_unit(self.unit, "0", ""),
            Unit::Percent { .. } => with_unit(self.unit, &fixed(value * 100.0, self.decimals), ""),
            _ => with_unit(self.unit, &fixed(value / self.divisor, self.decimals), self.suffix),
        }
    }
}

/// "12 Jan 2024".
pub fn full_date(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

/// "Jan 2024".
pub fn month(date: Date) -> String {
    date.strftime("%b %Y").to_string()
}

/// "2024".
pub fn year(date: Date) -> String {
    date.year().to_string()
}

fn shortened(value: f64, from: f64) -> (f64, &'static str) {
    if value.abs() < from * ROUNDS_UP {
        return (1.0, "");
    }
    MAGNITUDES.into_iter().find(|(divisor, _)| value.abs() >= divisor * ROUNDS_UP).unwrap_or((1.0, ""))
}

/// The fewest decimals, up to eight, that write `step` exactly.
fn decimals_for(step: f64) -> u8 {
    let exact = |decimals: &u8| {
        let scaled = step * 10f64.powi(i32::from(*decimals));
        scaled >= 1.0 - 1e-6 && (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    (0..8).find(exact).unwrap_or(8)
}

/// Puts the unit around a number whose minus sign, if any, stays in front. Coins carry theirs once per axis.
fn with_unit(unit: &Unit, number: &str, suffix: &str) -> String {
    let (sign, digits) = match number.strip_prefix(MINUS) {
        Some(digits) => ("\u{2212}", digits),
        None => ("", number),
    };
    match unit {
        Unit::Money { symbol } if symbol.ends_with(char::is_alphabetic) => {
            format!("{sign}{symbol}{NO_BREAK_SPACE}{digits}{suffix}")
        }
        Unit::Money { symbol } => format!("{sign}{symbol}{digits}{suffix}"),
        Unit::Percent { .. } => format!("{sign}{digits}%"),
        Unit::Number { .. } | Unit::Coins { .. } => format!("{sign}{digits}{suffix}"),
    }
}

/// Fixed decimals, thousands separated by commas, and no minus sign on a zero.
fn fixed(value: f64, decimals: u8) -> String {
    let text = format!("{:.*}", usize::from(decimals), value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    if value < 0.0 && text.contains(|digit: char| matches!(digit, '1'..='9')) {
        out.push(MINUS);
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

fn trimmed(number: String) -> String {
    if !number.contains('.') {
        return number;
    }
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money() -> Unit {
        Unit::Money { symbol: "$" }
    }
    fn coins() -> Unit {
        Unit::Coins { symbol: "BTC".to_owned() }
    }

    #[test]
    fn a_single_value_is_short_and_exact_enough() {
        let check = |unit: Unit, input: f64, expected: &str| {
            assert_eq!(value(&unit, input).replace(NO_BREAK_SPACE, " "), expected, "{unit:?} {input}");
        };
        check(Unit::Number { decimals: 0 }, 1234.5, "1,234");
        check(Unit::Number { decimals: 2 }, 25.307, "25.31");
        check(Unit::Number { decimals: 2 }, -0.001, "0.00");
        check(Unit::Number { decimals: 4 }, -0.00115, "\u{2212}0.0011");
        check(Unit::Number { decimals: 2 }, 999_999_999.0, "1.00bn");
        check(money(), 0.0, "$0.00");
        check(money(), 1234.5, "$1,234.50");
        check(money(), 412_345.4, "$412,345");
        check(money(), -1_234_567.0, "\u{2212}$1.23M");
        check(money(), 2.5e9, "$2.50bn");
        check(money(), 1e12, "$1.00tn");
        check(money(), 1e18, "$1,000,000.00tn");
        check(Unit::Money { symbol: "CHF" }, -5.0, "\u{2212}CHF 5.00");
        check(Unit::Percent { decimals: 1 }, 0.0523, "5.2%");
        check(Unit::Percent { decimals: 2 }, -0.5, "\u{2212}50.00%");
        check(Unit::Percent { decimals: 0 }, 20_000.0, "2,000,000%");
        check(coins(), 1204.5, "1,204.5 BTC");
        check(coins(), 0.12345, "0.1235 BTC");
        check(coins(), 21_000_000.0, "21.00M BTC");
    }

    #[test]
    fn an_axis_has_one_magnitude_and_the_decimals_its_steps_need() {
        let check = |unit: Unit, largest: f64, step: f64, tick: f64, expected: &str| {
            let label = AxisFormat::new(&unit, largest, step).tick(tick);
            assert_eq!(label, expected, "{unit:?} to {largest} by {step}");
        };
        check(Unit::Number { decimals: 2 }, 40.0, 10.0, 30.0, "30");
        check(Unit::Number { decimals: 2 }, 1.0, 0.25, 0.5, "0.50");
        check(Unit::Number { decimals: 0 }, 8000.0, 2000.0, 6000.0, "6,000");
        check(money(), 20_000.0, 5000.0, 15_000.0, "$15k");
        check(money(), 2e6, 5e5, 1.5e6, "$1.5M");
        check(money(), 2e6, 5e5, 5e5, "$0.5M");
        check(money(), 2e6, 5e5, 0.0, "$0");
        check(money(), 1e9, 2.5e8, -2.5e8, "\u{2212}$0.25bn");
        check(money(), 1e12, 2e11, 1e12, "$1.0tn");
        check(money(), 1_000_010.0, 2.0, 1_000_002.0, "$1,000,002");
        check(Unit::Percent { decimals: 0 }, 0.2, 0.05, -0.05, "\u{2212}5%");
        check(Unit::Percent { decimals: 2 }, 0.001, 0.00025, 0.00025, "0.025%");
        check(coins(), 50_000.0, 10_000.0, 20_000.0, "20k");
    }

    #[test]
    fn dates_are_written_out() {
        let date = Date::constant(2024, 1, 2);
        assert_eq!([full_date(date), month(date), year(date)], ["2 Jan 2024", "Jan 2024", "2024"]);
    }
}
