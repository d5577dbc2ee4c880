//! Covered components: their identifiers and what they stand for (RFC 9421 section 2). Their values are made by
//! `base`.

use crate::rule::Rule;
use std::borrow::Cow;

/// A component identifier: a name with its parameters, such as `"@path";req`.
#[derive(Clone, Debug)]
pub struct Component<'a> {
    pub(crate) source: Source<'a>,
    /// Taken from the request that a response answers (RFC 9421 section 2.4).
    pub(crate) req: bool,
    /// Serialised strictly (RFC 9651 section 4.1), parameters in their order.
    pub(crate) text: Cow<'a, str>,
}

/// Where the value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    Method,
    TargetUri,
    Authority,
    Scheme,
    RequestTarget,
    Path,
    Query,
    QueryParam(Cow<'a, str>),
    Status,
    Field(Cow<'a, str>, Form<'a>),
    /// Nothing that this crate knows. It has no value, so a signature that covers it cannot be judged; other signatures
    /// of the message can.
    Unknown,
}

/// How a field's value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// Lines trimmed and joined.
    Plain,
    /// Serialised strictly as a structured field.
    Structured,
    /// One member of a dictionary.
    Member(Cow<'a, str>),
    /// Each line as a byte sequence.
    Binary,
}

/// What a parameter may be worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Flag(bool),
    Integer(i64),
    Text(Cow<'a, str>),
    /// A token, decimal, byte sequence, date or display string.
    Other,
}

/// Gathers a name and its parameters; `build` sees whether they fit together.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    name: Cow<'a, str>,
    sf: bool,
    bs: bool,
    req: bool,
    key: Option<Cow<'a, str>>,
    query_name: Option<Cow<'a, str>>,
    unknown: bool,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(name: Cow<'a, str>) -> Self {
        Self { name, sf: false, bs: false, req: false, key: None, query_name: None, unknown: false }
    }

    /// Takes a parameter that has not been given before.
    pub(crate) fn parameter(&mut self, key: &str, value: Value<'a>) {
        match (key, value) {
            ("sf", Value::Flag(true)) => self.sf = true,
            ("bs", Value::Flag(true)) => self.bs = true,
            ("req", Value::Flag(true)) => self.req = true,
            ("key", Value::Text(member)) => self.key = Some(member),
            ("name", Value::Text(name)) => self.query_name = Some(name),
            // `tr` names a trailer, and trailers come after the decision has been made.
            _ => self.unknown = true,
        }
    }

    /// The component under its serialised identifier.
    pub(crate) fn build(self, text: Cow<'a, str>) -> Component<'a> {
        let req = self.req;
        Component { source: self.source().unwrap_or(Source::Unknown), req, text }
    }

    fn source(self) -> Option<Source<'a>> {
        let Self { name, sf, bs, req: _, key, query_name, unknown } = self;
        if unknown {
            return None;
        }
        if name.starts_with('@') {
            let plain = !sf && !bs && key.is_none();
            return derived(&name, query_name).filter(|_| plain);
        }
        if query_name.is_some() || !is_field_name(&name) {
            return None;
        }
        Some(Source::Field(name, form(sf, bs, key)?))
    }
}

/// RFC 9421 section 2.2. `@signature-params` is no component of its own signature.
fn derived<'a>(name: &str, query_name: Option<Cow<'a, str>>) -> Option<Source<'a>> {
    Some(match (name, query_name) {
        ("@query-param", Some(name)) => Source::QueryParam(name),
        ("@method", None) => Source::Method,
        ("@target-uri", None) => Source::TargetUri,
        ("@authority", None) => Source::Authority,
        ("@scheme", None) => Source::Scheme,
        ("@request-target", None) => Source::RequestTarget,
        ("@path", None) => Source::Path,
        ("@query", None) => Source::Query,
        ("@status", None) => Source::Status,
        _ => return None,
    })
}

/// RFC 9421 section 2.1. A member is serialised strictly with or without `sf`, so the two identifiers are one.
fn form<'a>(sf: bool, bs: bool, key: Option<Cow<'a, str>>) -> Option<Form<'a>> {
    match (sf, bs, key) {
        (_, false, Some(key)) => Some(Form::Member(key)),
        (true, false, None) => Some(Form::Structured),
        (false, true, None) => Some(Form::Binary),
        (false, false, None) => Some(Form::Plain),
        (_, true, Some(_)) | (true, true, None) => None,
    }
}

/// A field name in lower case, which is the only form RFC 9421 section 2.1 allows.
fn is_field_name(name: &str) -> bool {
    let allowed = |byte: u8| {
        matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')
            || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'^' | b'`' | b'|' | b'~')
    };
    !name.is_empty() && name.bytes().all(allowed)
}

impl<'a> Component<'a> {
    /// From its serialised form, such as `"content-type"` or `"@query-param";name="Pet"`, quotes included.
    ///
    /// # Errors
    /// [`Rule::MustBeWellFormed`] where it is no structured item with a string, [`Rule::MustCoverKnown`] where
    /// nothing is known by that name.
    pub fn parse(text: &str) -> Result<Component<'static>, Rule> {
        crate::structured::component(text)?.known()
    }

    /// A header field, plain; the name is put into lower case.
    ///
    /// # Errors
    /// [`Rule::MustCoverKnown`] where it is no field name.
    pub fn field(name: &str) -> Result<Component<'static>, Rule> {
        let name = name.to_ascii_lowercase();
        let text = format!("\"{name}\"");
        Builder::new(Cow::Owned(name)).build(Cow::Owned(text)).known()
    }

    /// A component without parameters.
    pub(crate) fn plain(name: &'a str, text: &'a str) -> Self {
        let source = if name.starts_with('@') {
            derived(name, None)
        } else {
            is_field_name(name).then_some(Source::Field(Cow::Borrowed(name), Form::Plain))
        };
        Self { source: source.unwrap_or(Source::Unknown), req: false, text: Cow::Borrowed(text) }
    }

    /// The identifier, serialised.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether both stand for the same value, whatever the order of their parameters.
    #[must_use]
    pub fn is(&self, other: &Component<'_>) -> bool {
        self.req == other.req && self.source == other.source
    }

    pub(crate) fn known(self) -> Result<Self, Rule> {
        match self.source {
            Source::Unknown => Err(Rule::MustCoverKnown(self.text.into_owned())),
            _ => Ok(self),
        }
    }

    pub(crate) fn is_field(&self, name: &str) -> bool {
        !self.req && matches!(&self.source, Source::Field(own, Form::Plain) if own == name)
    }

    pub(crate) fn is_derived(&self, source: &Source<'_>) -> bool {
        !self.req && self.source == *source
    }
}
