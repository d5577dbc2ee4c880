//! `Accept-Signature` (RFC 9421 section 5): a server says what a signature must have, and hands out a challenge nonce.

use crate::component::Component;
use crate::nonce::Nonce;
use crate::parameters::write_string;
use crate::rule::{Bound, Rule};
use crate::{LABELS_MAX, SIGNATURE_INPUT_BYTES_MAX, input, structured};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use sfv::{BareItem, ListEntry};

/// The field.
pub const ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");

/// One signature that is asked for. `created` and `expires` are always asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptSignature {
    /// The label the signature should have.
    pub label: String,
    /// Identifiers of the components to cover, serialised.
    pub components: Vec<String>,
    /// The nonce to sign with, as text.
    pub nonce: Option<String>,
    /// The algorithm to sign with.
    pub algorithm: Option<String>,
    /// The key to sign with.
    pub key_id: Option<String>,
    /// The tag to sign under.
    pub tag: Option<String>,
}

impl AcceptSignature {
    /// What the profile asks of any request, with a challenge.
    #[must_use]
    pub fn challenge(tag: &str, nonce: &Nonce) -> Self {
        let components = ["\"@method\"", "\"@authority\"", "\"@path\"", "\"@query\""];
        Self {
            label: crate::LABEL.to_owned(),
            components: components.map(str::to_owned).to_vec(),
            nonce: Some(nonce.encode()),
            algorithm: None,
            key_id: None,
            tag: Some(tag.to_owned()),
        }
    }

    /// The field's value.
    ///
    /// # Errors
    /// [`Rule::MustBeSignable`] where a text is not printable ASCII, and those of [`Component::parse`].
    pub fn header_value(&self) -> Result<HeaderValue, Rule> {
        let label = sfv::KeyRef::from_str(&self.label)
            .map_err(|_| Rule::MustBeSignable("the label must be a structured-field key"))?;
        let mut text = format!("{}=(", label.as_str());
        for (at, component) in self.components.iter().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            text.push_str(Component::parse(component)?.text());
        }
        text.push_str(");created;expires");
        let texts =
            [("keyid", &self.key_id), ("alg", &self.algorithm), ("nonce", &self.nonce), ("tag", &self.tag)];
        for (name, value) in texts {
            let Some(value) = value else { continue };
            text.push(';');
            text.push_str(name);
            text.push('=');
            write_string(&mut text, value)?;
        }
        HeaderValue::try_from(text).map_err(|_| Rule::MustBeSignable("accept-signature"))
    }

    /// Every signature that a message asks for.
    ///
    /// # Errors
    /// [`Rule::MustBeWellFormed`], [`Rule::MustBeWithinBounds`].
    pub fn read(headers: &HeaderMap) -> Result<Vec<Self>, Rule> {
        const FIELD: &str = "accept-signature";
        let lines = input::lines(
            headers,
            &ACCEPT_SIGNATURE,
            FIELD,
            SIGNATURE_INPUT_BYTES_MAX,
            Bound::SignatureInputBytes,
        )?;
        let members = structured::dictionary(FIELD, lines.into_iter())?;
        if members.len() > LABELS_MAX {
            return Err(Rule::MustBeWithinBounds(Bound::Labels));
        }
        members
            .into_iter()
            .map(|(label, member)| one(label, member).ok_or(Rule::MustBeWellFormed(FIELD)))
            .collect()
    }
}

fn one(label: String, member: ListEntry) -> Option<AcceptSignature> {
    let ListEntry::InnerList(list) = member else { return None };
    let components = list.items.iter().map(structured::item_text).collect();
    let text = |name: &str| match list.params.get(name) {
        None => Some(None),
        Some(BareItem::String(text)) => Some(Some(text.as_str().to_owned())),
        Some(_) => None,
    };
    Some(AcceptSignature {
        label,
        components,
        nonce: text("nonce")?,
        algorithm: text("alg")?,
        key_id: text("keyid")?,
        tag: text("tag")?,
    })
}
