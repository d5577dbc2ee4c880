//! Short names of assets, currencies and funds.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One to twelve of `A`-`Z`, `0`-`9`, `.`, `-` and `_`, beginning with a letter or digit: `BTC`, `USD`, `BTCX`.
///
/// It is a name inside one fund's books, not an asset's identity in the world: symbols repeat.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol {
    // INVARIANT: ASCII, padded with zero bytes.
    bytes: [u8; 12],
}

/// Text that is not a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a symbol: use 1 to 12 of A-Z, 0-9, `.`, `-`, `_`, beginning with a letter or digit")]
pub struct SymbolError(pub String);

impl SymbolError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        "symbol.must_be_1_to_12_capitals_or_digits"
    }
}

impl Symbol {
    /// United States dollar.
    pub const USD: Self = Self { bytes: *b"USD\0\0\0\0\0\0\0\0\0" };

    /// The symbol's text.
    pub fn as_str(&self) -> &str {
        let length = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(self.bytes.len());
        self.bytes.get(..length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let refuse = || SymbolError(text.chars().take(32).collect());
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !starts_well || !text.bytes().all(allowed) {
            return Err(refuse());
        }
        let mut bytes = [0u8; 12];
        bytes.get_mut(..text.len()).ok_or_else(refuse)?.copy_from_slice(text.as_bytes());
        Ok(Self { bytes })
    }
}

impl TryFrom<String> for Symbol {
    type Error = SymbolError;

    fn try_from(text: String) -> Result<Self, SymbolError> {
        text.parse()
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> Self {
        symbol.as_str().to_owned()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_capital_names_are_symbols() {
        for text in ["BTC", "1INCH", "BTC-PERP", "A", "ABCDEFGHIJKL"] {
            assert_eq!(text.parse::<Symbol>().unwrap().as_str(), text);
        }
        for text in ["", "btc", "-BTC", "ABCDEFGHIJKLM", "BTC USD", "B'T", "Ä", "\0"] {
            assert_eq!(
                text.parse::<Symbol>().unwrap_err().code(),
                "symbol.must_be_1_to_12_capitals_or_digits"
            );
        }
    }
}
