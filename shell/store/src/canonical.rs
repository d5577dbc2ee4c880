//! Whether a text is the one canonical form of a decimal, a date or an instant.
//!
//! Both back ends ask here before any SQL runs, so that a value which PostgreSQL would refuse or rewrite is refused by
//! SQLite too, and a store can move from one to the other. This module parses nothing and knows no domain type.

/// The most characters of a decimal; PostgreSQL's NUMERIC holds far more.
const DECIMAL_LENGTH_MAX: usize = 256;

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, and not a negative zero.
pub(crate) fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    let is_zero = digits.bytes().all(|b| b == b'0' || b == b'.');
    text.len() <= DECIMAL_LENGTH_MAX
        && all_digits(whole)
        && all_digits(fraction)
        && !leading_zero
        && !(is_zero && text.starts_with('-'))
}

/// `YYYY-MM-DD`, a day that exists, in the years 0001 to 9999.
pub(crate) fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    year >= 1 && day >= 1 && day <= days_in_month(year, month)
}

/// `YYYY-MM-DDTHH:MM:SS[.f{1,6}]Z` without a trailing zero in the fraction and without leap seconds.
pub(crate) fn is_instant(text: &str) -> bool {
    let Some((date, time)) = text.strip_suffix('Z').and_then(|rest| rest.split_once('T')) else {
        return false;
    };
    let (clock, fraction) = time.split_once('.').map_or((time, None), |(clock, f)| (clock, Some(f)));
    is_date(date) && is_clock(clock) && fraction.is_none_or(is_fraction)
}

fn is_clock(text: &str) -> bool {
    let parts: Vec<Option<u32>> = text.split(':').map(|part| number(part, 2)).collect();
    matches!(parts.as_slice(), [Some(0..=23), Some(0..=59), Some(0..=59)])
}

fn is_fraction(text: &str) -> bool {
    text.len() <= 6 && all_digits(text) && !text.ends_with('0')
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn number(text: &str, width: usize) -> Option<u32> {
    (text.len() == width && all_digits(text)).then(|| text.parse().ok()).flatten()
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is: fn(&str) -> bool, yes: &[&str], no: &[&str]) {
        for text in yes {
            assert!(is(text), "{text:?} is canonical");
        }
        for text in no {
            assert!(!is(text), "{text:?} is not canonical");
        }
    }

    #[test]
    fn a_decimal_has_one_form() {
        let yes = ["0", "0.00", "1", "-1.50", "99999999999999999999.999999999999999999", "10", "-0.01"];
        let no = [
            "", "-", ".5", "5.", "1e5", "+1", "007", "00.1", "-0", "-0.00", "1.2.3", " 1", "NaN", "1,5", "١",
        ];
        check(is_decimal, &yes, &no);
    }

    #[test]
    fn a_date_exists_in_the_calendar() {
        let yes = ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"];
        let no = [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-04-31",
            "2024-1-1",
            "0000-01-01",
            "today",
        ];
        check(is_date, &yes, &no);
    }

    #[test]
    fn an_instant_has_one_form() {
        let yes = ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5Z", "1969-12-31T23:59:59.999999Z"];
        let no = [
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05Z",
            "2026-01-02T03:04:05.50Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05.123456789Z",
            "2026-01-02T24:00:00Z",
            "2026-01-02T23:59:60Z",
            "2026-01-02T03:04Z",
            "2026-01-02T03:04:05+01:00",
        ];
        check(is_instant, &yes, &no);
    }
}
