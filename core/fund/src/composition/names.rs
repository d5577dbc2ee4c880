//! The short texts of a composition, checked where they are read.

use super::CompositionRule;
use core::fmt;
use core::str::FromStr;

/// Nine of `A`-`Z`, `0`-`9`, `*`, `@` and `#`.
///
/// The check digit is not compared: agents give unlisted assets, such as coins and cash, placeholders without one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cusip {
    // INVARIANT: ASCII.
    bytes: [u8; 9],
}

impl Cusip {
    /// The nine characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes).unwrap_or("")
    }
}

impl FromStr for Cusip {
    type Err = CompositionRule;

    fn from_str(text: &str) -> Result<Self, CompositionRule> {
        let bytes: [u8; 9] = text.as_bytes().try_into().map_err(|_| CompositionRule::CusipIsValid)?;
        let allowed = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"*@#".contains(byte);
        if bytes.iter().all(allowed) { Ok(Self { bytes }) } else { Err(CompositionRule::CusipIsValid) }
    }
}

impl fmt::Display for Cusip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Cusip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A fund's name: 1 to 120 characters without control characters, beginning with a letter or digit (a spreadsheet
/// takes text that begins with `=` for a formula) and not ending in a blank (fixed width is padded with them).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FundName(String);

impl FundName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FundName {
    type Err = CompositionRule;

    fn from_str(text: &str) -> Result<Self, CompositionRule> {
        let begins_well = text.chars().next().is_some_and(char::is_alphanumeric);
        let ends_well = !text.chars().next_back().is_some_and(char::is_whitespace);
        let fits = text.chars().count() <= 120 && !text.chars().any(char::is_control);
        if begins_well && ends_well && fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(CompositionRule::NameIsValid)
        }
    }
}

impl fmt::Display for FundName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One of `A`-`Z` or `0`-`9`: the last byte of the legacy header. What it means is agreed with the agent; it is
/// carried as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CashIndicator(char);

impl CashIndicator {
    /// The character.
    pub fn character(self) -> char {
        self.0
    }
}

impl FromStr for CashIndicator {
    type Err = CompositionRule;

    fn from_str(text: &str) -> Result<Self, CompositionRule> {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(c), None) if c.is_ascii_uppercase() || c.is_ascii_digit() => Ok(Self(c)),
            _ => Err(CompositionRule::CashIndicatorIsValid),
        }
    }
}

impl fmt::Display for CashIndicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where a security is listed, by the codes of the legacy layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Exchange {
    /// New York Stock Exchange: `0`.
    Nyse,
    /// American Stock Exchange: `1`.
    Amex,
    /// Any other, or none: `2`.
    #[default]
    Other,
}

impl Exchange {
    /// Every exchange, in the order of their legacy digits.
    pub(super) const ALL: [Self; 3] = [Self::Nyse, Self::Amex, Self::Other];

    /// Name in JSON and CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nyse => "nyse",
            Self::Amex => "amex",
            Self::Other => "other",
        }
    }

    /// Digit in the fixed-width form.
    pub(super) fn digit(self) -> char {
        match self {
            Self::Nyse => '0',
            Self::Amex => '1',
            Self::Other => '2',
        }
    }
}

/// How a security is listed. A coin is neither when-issued nor foreign and is listed on no exchange: the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Listing {
    /// Traded before it is issued.
    pub when_issued: bool,
    /// A foreign security.
    pub foreign: bool,
    /// Where it is listed.
    pub exchange: Exchange,
}
