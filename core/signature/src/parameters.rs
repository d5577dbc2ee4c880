//! The parameters of a signature (RFC 9421 section 2.3).

use crate::component::Value;
use crate::rule::Rule;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The registered parameters; others are covered by the signature, and otherwise passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters<'a> {
    /// Seconds since 1970.
    pub created: Option<i64>,
    /// Seconds since 1970.
    pub expires: Option<i64>,
    /// Which key.
    pub key_id: Option<Cow<'a, str>>,
    /// As registered, such as `ed25519`.
    pub algorithm: Option<Cow<'a, str>>,
    /// A value that is used once.
    pub nonce: Option<Cow<'a, str>>,
    /// What the signature is for.
    pub tag: Option<Cow<'a, str>>,
}

impl<'a> Parameters<'a> {
    /// Takes a parameter that has not been given before.
    ///
    /// # Errors
    /// [`Rule::MustBeWellFormed`] where a registered parameter has another type than RFC 9421 gives it: a bare
    /// token is no nonce.
    pub(crate) fn take(&mut self, key: &str, value: Value<'a>) -> Result<(), Rule> {
        match (key, value) {
            ("created", Value::Integer(seconds)) => self.created = Some(seconds),
            ("expires", Value::Integer(seconds)) => self.expires = Some(seconds),
            ("keyid", Value::Text(text)) => self.key_id = Some(text),
            ("alg", Value::Text(text)) => self.algorithm = Some(text),
            ("nonce", Value::Text(text)) => self.nonce = Some(text),
            ("tag", Value::Text(text)) => self.tag = Some(text),
            ("created", _) => return Err(Rule::MustBeWellFormed("created")),
            ("expires", _) => return Err(Rule::MustBeWellFormed("expires")),
            ("keyid", _) => return Err(Rule::MustBeWellFormed("keyid")),
            ("alg", _) => return Err(Rule::MustBeWellFormed("alg")),
            ("nonce", _) => return Err(Rule::MustBeWellFormed("nonce")),
            ("tag", _) => return Err(Rule::MustBeWellFormed("tag")),
            _ => {}
        }
        Ok(())
    }

    /// Writes `;created=..;expires=..;keyid="..";alg="..";nonce="..";tag=".."`, in this order, those that are there.
    ///
    /// # Errors
    /// [`Rule::MustBeSignable`] where a text is no printable ASCII or a time has more than 15 digits.
    pub(crate) fn write(&self, out: &mut String) -> Result<(), Rule> {
        for (name, seconds) in [("created", self.created), ("expires", self.expires)] {
            let Some(seconds) = seconds else { continue };
            if !(-999_999_999_999_999..=999_999_999_999_999).contains(&seconds) {
                return Err(Rule::MustBeSignable("times must have at most 15 digits"));
            }
            // Writing to a string cannot fail.
            let _ = write!(out, ";{name}={seconds}");
        }
        let texts =
            [("keyid", &self.key_id), ("alg", &self.algorithm), ("nonce", &self.nonce), ("tag", &self.tag)];
        for (name, text) in texts {
            let Some(text) = text else { continue };
            out.push(';');
            out.push_str(name);
            out.push('=');
            write_string(out, text)?;
        }
        Ok(())
    }
}

/// A structured string (RFC 9651 section 4.1.6).
pub(crate) fn write_string(out: &mut String, text: &str) -> Result<(), Rule> {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            _ => return Err(Rule::MustBeSignable("parameters must be printable ASCII")),
        }
    }
    out.push('"');
    Ok(())
}
