//! Where an object of a PKCS#11 token is: a subset of the URIs of RFC 7512.
//!
//! ```text
//! pkcs11:token=LABEL;object=LABEL?module-path=/PATH&pin-source=file:/PATH
//! pkcs11:serial=SERIAL;object=LABEL?module-path=/PATH&pin-source=env:NAME
//! ```
//!
//! `token` or `serial`, or both; everything else is needed, once, and nothing more is taken: an attribute that was
//! ignored could name another key. Values are percent-encoded (RFC 3986). `pin-value` is refused: a PIN does not stand
//! in an option.

use super::{KeepingError, file, source};
use crate::Secret;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Characters of a URI, at most.
const URI_BYTES_MAX: usize = 4096;

/// An object of a token, by its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenObject {
    pub(crate) module: PathBuf,
    pub(crate) token: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) label: String,
    pub(crate) pin: PinSource,
}

/// Where a token's PIN is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinSource {
    /// A file under the same rules as a key's file; white space at its end is left out.
    File(PathBuf),
    /// An environment variable, which others can read as they can a key's.
    Environment(String),
}

impl PinSource {
    /// The PIN.
    ///
    /// # Errors
    /// As for a key in a file or a variable.
    pub fn read(&self) -> Result<Secret, KeepingError> {
        let read = match self {
            Self::File(path) => file::read(path)?,
            Self::Environment(name) => source::variable(name)?,
        };
        Ok(Secret::copy_of(read.expose().trim_ascii_end()))
    }
}

impl TokenObject {
    /// The label of the object.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Another object of the same token.
    pub fn with_label(&self, label: &str) -> Self {
        Self { label: label.to_owned(), ..self.clone() }
    }
}

impl FromStr for TokenObject {
    type Err = KeepingError;

    fn from_str(uri: &str) -> Result<Self, KeepingError> {
        let malformed = KeepingError::SourceMustBeWellFormed;
        if uri.len() > URI_BYTES_MAX {
            return Err(malformed("the URI is too long"));
        }
        let rest = uri.strip_prefix("pkcs11:").ok_or(malformed("it does not begin with pkcs11:"))?;
        let (path, query) =
            rest.split_once('?').ok_or(malformed("module-path and pin-source are missing"))?;
        let mut parts = Parts::default();
        for attribute in path.split(';') {
            parts.put(attribute, &["token", "serial", "object"])?;
        }
        for attribute in query.split('&') {
            parts.put(attribute, &["module-path", "pin-source"])?;
        }
        parts.object()
    }
}

/// The attributes as they are read.
#[derive(Default)]
struct Parts {
    found: Vec<(String, String)>,
}

impl Parts {
    fn put(&mut self, attribute: &str, known: &[&str]) -> Result<(), KeepingError> {
        let malformed = KeepingError::SourceMustBeWellFormed;
        let (name, value) = attribute.split_once('=').ok_or(malformed("an attribute has no value"))?;
        if name == "pin-value" {
            return Err(KeepingError::PinMustNotBeInTheOption);
        }
        if !known.contains(&name) {
            return Err(malformed("an attribute is not known in its place"));
        }
        if self.found.iter().any(|(given, _)| given == name) {
            return Err(malformed("an attribute is given twice"));
        }
        let value = percent_decoded(value).ok_or(malformed("a value is empty or wrongly encoded"))?;
        self.found.push((name.to_owned(), value));
        Ok(())
    }

    fn take(&self, name: &str) -> Option<String> {
        self.found.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone())
    }

    fn object(self) -> Result<TokenObject, KeepingError> {
        let malformed = KeepingError::SourceMustBeWellFormed;
        let (token, serial) = (self.take("token"), self.take("serial"));
        if token.is_none() && serial.is_none() {
            return Err(malformed("token or serial is missing"));
        }
        let module = PathBuf::from(self.take("module-path").ok_or(malformed("module-path is missing"))?);
        if !module.is_absolute() {
            return Err(malformed("module-path must be absolute"));
        }
        let pin = self.take("pin-source").ok_or(malformed("pin-source is missing"))?;
        let pin = match pin.split_once(':') {
            Some(("file", path)) if !path.is_empty() => PinSource::File(path.into()),
            Some(("env", name)) if source::is_variable(name) => PinSource::Environment(name.to_owned()),
            _ => return Err(malformed("pin-source is file:/PATH or env:NAME")),
        };
        let label = self.take("object").ok_or(malformed("object is missing"))?;
        Ok(TokenObject { module, token, serial, label, pin })
    }
}

impl fmt::Display for TokenObject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.iter().map(|value| ("token", value));
        let path = token.chain(self.serial.iter().map(|value| ("serial", value)));
        out.write_str("pkcs11:")?;
        for (name, value) in path {
            write!(out, "{name}={};", percent_encoded(value))?;
        }
        let pin = match &self.pin {
            PinSource::File(path) => format!("file:{}", path.display()),
            PinSource::Environment(name) => format!("env:{name}"),
        };
        let (label, module) = (percent_encoded(&self.label), self.module.to_string_lossy());
        let (module, pin) = (percent_encoded(&module), percent_encoded(&pin));
        write!(out, "object={label}?module-path={module}&pin-source={pin}")
    }
}

/// None for an empty value, a wrong `%`, bytes that are no UTF-8 text, and NUL, which ends a C string.
fn percent_decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}

fn percent_encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
