//! Reads `Signature-Input` and dictionaries of byte sequences where they are written as RFC 9651 section 4.1 writes
//! them, borrowing from the field: the common case, in a fraction of the time. Whatever it does not know byte for byte
//! gives `None`, and `structured` reads it; where this module reads, both read the same (a property test says so).

use crate::component::{Builder, Component, Value};
use crate::input::Input;
use crate::parameters::Parameters;
use crate::{COMPONENTS_MAX, PARAMETERS_MAX};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// The members of one `Signature-Input` line.
pub(crate) fn inputs(line: &str) -> Option<Vec<Input<'_>>> {
    let mut cursor = Cursor { text: line, at: 0 };
    let mut inputs: Vec<Input<'_>> = Vec::with_capacity(1);
    loop {
        let input = cursor.input()?;
        if inputs.iter().any(|other| other.label == input.label) {
            return None;
        }
        inputs.push(input);
        if cursor.is_done() {
            return Some(inputs);
        }
        cursor.skip(", ")?;
    }
}

/// The members of one line of a dictionary whose members are all byte sequences in canonical base64.
pub(crate) fn byte_sequences(line: &str) -> Option<Vec<(&str, Vec<u8>)>> {
    let mut cursor = Cursor { text: line, at: 0 };
    let mut members: Vec<(&str, Vec<u8>)> = Vec::with_capacity(1);
    loop {
        let name = cursor.key()?;
        cursor.skip("=:")?;
        let encoded = cursor.until(b':')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        if members.iter().any(|(other, _)| *other == name) {
            return None;
        }
        members.push((name, bytes));
        if cursor.is_done() {
            return Some(members);
        }
        cursor.skip(", ")?;
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    fn skip(&mut self, expected: &str) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        self.at = rest.starts_with(expected).then_some(self.at + expected.len())?;
        Some(())
    }

    /// Everything up to the next `end`, which is passed.
    fn until(&mut self, end: u8) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let length = rest.bytes().position(|byte| byte == end)?;
        self.at += length + 1;
        rest.get(..length)
    }

    fn while_in(&mut self, allowed: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&allowed) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// RFC 9651 section 3.1.2.
    fn key(&mut self) -> Option<&'a str> {
        if !matches!(self.peek()?, b'a'..=b'z' | b'*') {
            return None;
        }
        Some(self.while_in(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*')))
    }

    /// A string in which nothing is escaped.
    fn string(&mut self) -> Option<&'a str> {
        self.skip("\"")?;
        let inside = self.while_in(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        self.skip("\"")?;
        Some(inside)
    }

    /// At most 15 digits without a leading zero or sign; what follows must not make it a decimal.
    fn integer(&mut self) -> Option<i64> {
        let digits = self.while_in(|byte| byte.is_ascii_digit());
        let canonical = digits == "0" || !digits.starts_with('0');
        if digits.len() > 15 || !canonical || self.peek() == Some(b'.') {
            return None;
        }
        digits.parse().ok()
    }

    fn value(&mut self) -> Option<Value<'a>> {
        if self.peek() != Some(b'=') {
            return Some(Value::Flag(true));
        }
        self.at += 1;
        match self.peek()? {
            b'"' => self.string().map(|text| Value::Text(Cow::Borrowed(text))),
            b'0'..=b'9' => self.integer().map(Value::Integer),
            _ => None,
        }
    }

    fn component(&mut self) -> Option<Component<'a>> {
        let start = self.at;
        let mut builder = Builder::new(Cow::Borrowed(self.string()?));
        let mut seen: [&str; 4] = [""; 4];
        let mut slots = seen.iter_mut();
        let mut count = 0_usize;
        while self.peek() == Some(b';') {
            self.at += 1;
            let key = self.key()?;
            *slots.next()? = key;
            count += 1;
            builder.parameter(key, self.value()?);
        }
        if count > 1 && has_duplicates(&seen, count) {
            return None;
        }
        Some(builder.build(Cow::Borrowed(self.text.get(start..self.at)?)))
    }

    fn input(&mut self) -> Option<Input<'a>> {
        let label = self.key()?;
        self.skip("=")?;
        let start = self.at;
        self.skip("(")?;
        let components = self.components()?;
        let parameters = self.parameters()?;
        let text = self.text.get(start..self.at)?;
        Some(Input { label: Cow::Borrowed(label), components, parameters, text: Cow::Borrowed(text) })
    }

    fn components(&mut self) -> Option<Vec<Component<'a>>> {
        let mut components = Vec::with_capacity(8);
        if self.peek()? == b')' {
            self.at += 1;
            return Some(components);
        }
        loop {
            components.push(self.component()?);
            if components.len() > COMPONENTS_MAX {
                return None;
            }
            if self.peek()? == b')' {
                self.at += 1;
                return Some(components);
            }
            self.skip(" ")?;
        }
    }

    fn parameters(&mut self) -> Option<Parameters<'a>> {
        let mut parameters = Parameters::default();
        let mut seen: [&str; PARAMETERS_MAX] = [""; PARAMETERS_MAX];
        let mut slots = seen.iter_mut();
        let mut count = 0_usize;
        while self.peek() == Some(b';') {
            self.at += 1;
            let key = self.key()?;
            *slots.next()? = key;
            count += 1;
            let value = self.value()?;
            parameters.take(key, value).ok()?;
        }
        (!has_duplicates(&seen, count)).then_some(parameters)
    }
}

fn has_duplicates(seen: &[&str], count: usize) -> bool {
    let seen = seen.iter().take(count);
    seen.clone().enumerate().any(|(at, key)| seen.clone().skip(at + 1).any(|other| other == key))
}
