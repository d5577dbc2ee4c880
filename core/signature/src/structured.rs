//! Reads `Signature-Input`, `Signature` and `Content-Digest` by the structured-fields library (RFC 9651). A name that
//! is given twice is an error here, where the RFC would let the last one win: two readers must not see two requests.
//!
//! `canonical` reads what is written strictly, faster; it must read the same.

use crate::component::{Builder, Component, Value};
use crate::input::Input;
use crate::parameters::Parameters;
use crate::rule::{Bound, Rule};
use crate::{COMPONENTS_MAX, PARAMETERS_MAX};
use sfv::visitor::{DictionaryVisitor, EntryVisitor, InnerListVisitor, ItemVisitor, ParameterVisitor};
use sfv::{
    BareItem, BareItemFromInput, FieldType, InnerList, Item, ItemSerializer, KeyRef, List, ListEntry, Parser,
};
use std::borrow::Cow;
use std::convert::Infallible;

/// A dictionary in its order, and whether a name was given twice anywhere in it.
#[derive(Debug, Default)]
pub(crate) struct Members {
    members: Vec<(String, ListEntry)>,
    repeated: bool,
}

/// Reads the lines of a dictionary. Each line must be whole, which RFC 9651 section 4.2 allows to demand.
pub(crate) fn dictionary<'a>(
    field: &'static str,
    lines: impl Iterator<Item = &'a str>,
) -> Result<Vec<(String, ListEntry)>, Rule> {
    let mut all = Members::default();
    for line in lines {
        Parser::new(line)
            .parse_dictionary_with_visitor(&mut all)
            .map_err(|_| Rule::MustBeWellFormed(field))?;
    }
    if all.repeated {
        return Err(Rule::MustBeWellFormed(field));
    }
    Ok(all.members)
}

/// Reads the members of `Signature-Input`.
pub(crate) fn inputs<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Input<'static>>, Rule> {
    dictionary("signature-input", lines)?.into_iter().map(|(label, member)| input(label, member)).collect()
}

fn input(label: String, member: ListEntry) -> Result<Input<'static>, Rule> {
    let ListEntry::InnerList(list) = member else {
        return Err(Rule::MustBeWellFormed("signature-input"));
    };
    if list.items.len() > COMPONENTS_MAX {
        return Err(Rule::MustBeWithinBounds(Bound::Components));
    }
    if list.params.len() > PARAMETERS_MAX {
        return Err(Rule::MustBeWithinBounds(Bound::Parameters));
    }
    let components = list.items.iter().map(item_component).collect::<Result<Vec<_>, _>>()?;
    let mut parameters = Parameters::default();
    for (key, value) in &list.params {
        parameters.take(key.as_str(), owned_value(value))?;
    }
    let text = serialize(list).ok_or(Rule::MustBeWellFormed("signature-input"))?;
    Ok(Input { label: Cow::Owned(label), components, parameters, text: Cow::Owned(text) })
}

fn serialize(list: InnerList) -> Option<String> {
    let list: List = vec![ListEntry::InnerList(list)];
    list.serialize()
}

fn item_component(item: &Item) -> Result<Component<'static>, Rule> {
    let BareItem::String(name) = &item.bare_item else {
        return Err(Rule::MustBeWellFormed("signature-input"));
    };
    let mut builder = Builder::new(Cow::Owned(name.as_str().to_owned()));
    for (key, value) in &item.params {
        builder.parameter(key.as_str(), owned_value(value));
    }
    Ok(builder.build(Cow::Owned(item_text(item))))
}

/// An item, serialised.
pub(crate) fn item_text(item: &Item) -> String {
    ItemSerializer::new().bare_item(&item.bare_item).parameters(&item.params).finish()
}

fn owned_value(value: &BareItem) -> Value<'static> {
    match value {
        BareItem::Boolean(flag) => Value::Flag(*flag),
        BareItem::Integer(integer) => Value::Integer(i64::from(*integer)),
        BareItem::String(text) => Value::Text(Cow::Owned(text.as_str().to_owned())),
        _ => Value::Other,
    }
}

/// Reads the members of `Signature`.
pub(crate) fn signatures<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<(String, Vec<u8>)>, Rule> {
    byte_sequences("signature", lines)?
        .into_iter()
        .map(|(label, bytes)| Ok((label, bytes.ok_or(Rule::MustBeWellFormed("signature"))?)))
        .collect()
}

/// A member's bytes, if it is a byte sequence.
type MaybeBytes = Option<Vec<u8>>;

/// Reads a dictionary whose members should be byte sequences; `None` for those that are something else.
pub(crate) fn byte_sequences<'a>(
    field: &'static str,
    lines: impl Iterator<Item = &'a str>,
) -> Result<Vec<(String, MaybeBytes)>, Rule> {
    let members = dictionary(field, lines)?.into_iter().map(|(name, member)| match member {
        ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), .. }) => (name, Some(bytes)),
        _ => (name, None),
    });
    Ok(members.collect())
}

/// Reads one component identifier.
pub(crate) fn component(text: &str) -> Result<Component<'static>, Rule> {
    let list = format!("x=({text})");
    let mut members = dictionary("component", std::iter::once(list.as_str()))?;
    match members.pop() {
        Some((_, ListEntry::InnerList(list))) if members.is_empty() => match list.items.as_slice() {
            [item] if list.params.is_empty() => item_component(item),
            _ => Err(Rule::MustBeWellFormed("component")),
        },
        _ => Err(Rule::MustBeWellFormed("component")),
    }
}

impl<'de> DictionaryVisitor<'de> for &mut Members {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Infallible> {
        if self.members.iter().any(|(name, _)| name == key.as_str()) {
            self.repeated = true;
        }
        self.members.push((key.as_str().to_owned(), ListEntry::InnerList(InnerList::default())));
        let Members { members, repeated } = &mut **self;
        Ok(Place { member: members.last_mut().map(|(_, member)| member), repeated })
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The member that is being read.
struct Place<'p> {
    /// Always there: it has just been pushed.
    member: Option<&'p mut ListEntry>,
    repeated: &'p mut bool,
}

/// The list, or the item's parameters, that is being read.
struct Listing<'p> {
    list: InnerList,
    place: Place<'p>,
}

/// The next item of a list.
struct Next<'p> {
    list: &'p mut InnerList,
    repeated: &'p mut bool,
}

struct Listed<'p> {
    parameters: sfv::Parameters,
    item: BareItem,
    list: &'p mut InnerList,
    repeated: &'p mut bool,
}

struct Single<'p> {
    parameters: sfv::Parameters,
    item: BareItem,
    place: Place<'p>,
}

impl<'de> EntryVisitor<'de> for Place<'_> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Infallible> {
        Ok(|item: BareItemFromInput<'de>| {
            Ok::<_, Infallible>(Single { parameters: sfv::Parameters::new(), item: item.into(), place: self })
        })
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Infallible> {
        Ok(Listing { list: InnerList::default(), place: self })
    }
}

impl<'de> ItemVisitor<'de> for Next<'_> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(
        self,
        item: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Infallible> {
        let Self { list, repeated } = self;
        Ok(Listed { parameters: sfv::Parameters::new(), item: item.into(), list, repeated })
    }
}

impl<'de> InnerListVisitor<'de> for Listing<'_> {
    type Error = Infallible;

    fn item(&mut self) -> Result<impl ItemVisitor<'de>, Infallible> {
        let Listing { list, place } = self;
        Ok(Next { list, repeated: place.repeated })
    }

    fn finish(self) -> Result<impl ParameterVisitor<'de>, Infallible> {
        Ok(self)
    }
}

/// Puts a parameter where it belongs; says whether it was there before.
fn insert(parameters: &mut sfv::Parameters, key: &KeyRef, value: BareItemFromInput<'_>, repeated: &mut bool) {
    *repeated |= parameters.insert(key.to_owned(), value.into()).is_some();
}

impl<'de> ParameterVisitor<'de> for Listing<'_> {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, key: &'de KeyRef, value: BareItemFromInput<'de>) -> Result<(), Infallible> {
        insert(&mut self.list.params, key, value, self.place.repeated);
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        if let Some(member) = self.place.member {
            *member = ListEntry::InnerList(self.list);
        }
        Ok(())
    }
}

impl<'de> ParameterVisitor<'de> for Listed<'_> {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, key: &'de KeyRef, value: BareItemFromInput<'de>) -> Result<(), Infallible> {
        insert(&mut self.parameters, key, value, self.repeated);
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        self.list.items.push(Item::with_params(self.item, self.parameters));
        Ok(())
    }
}

impl<'de> ParameterVisitor<'de> for Single<'_> {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, key: &'de KeyRef, value: BareItemFromInput<'de>) -> Result<(), Infallible> {
        insert(&mut self.parameters, key, value, self.place.repeated);
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        if let Some(member) = self.place.member {
            *member = ListEntry::Item(Item::with_params(self.item, self.parameters));
        }
        Ok(())
    }
}
