//! The JSON form. Values are kept raw while the shape is read, so that each refusal names its place in the text.

use super::error::Place;
use super::fields::{Cell, ComponentFields, HeaderFields, Origin, Style, Written};
use super::{Composition, CompositionError, CompositionRule};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<T> {
    header: HeaderFields<T>,
    components: Vec<ComponentFields<T>>,
}

pub(super) fn read(text: &str) -> Result<Composition, CompositionError> {
    let file: File<&RawValue> = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    let header = file.header.header(|raw| cell(text, raw))?;
    let components = file
        .components
        .iter()
        .map(|fields| fields.component(|raw| cell(text, raw)))
        .collect::<Result<Vec<_>, _>>()?;
    Composition::try_new_at(header, components, |component| {
        let entry = component.and_then(|index| file.components.get(index));
        origin(text, entry.map_or(file.header.fund_symbol, |fields| fields.symbol)).place()
    })
}

fn unreadable(error: &serde_json::Error) -> CompositionError {
    let place = Place::new(error.line().max(1), error.column().max(1));
    let message: String = error.to_string().chars().take(200).collect();
    CompositionError::new(place, CompositionRule::JsonIsReadable, message)
}

fn cell<'a>(text: &'a str, raw: &&'a RawValue) -> Result<Cell<'a>, CompositionError> {
    let origin = origin(text, raw);
    let json = raw.get();
    if !json.starts_with('"') {
        return Ok(Cell { text: Cow::Borrowed(json), style: Style::Bare, origin });
    }
    let decoded: String = serde_json::from_str(json).map_err(|error| {
        CompositionError::new(origin.place(), CompositionRule::JsonIsReadable, error.to_string())
    })?;
    Ok(Cell { text: Cow::Owned(decoded), style: Style::Quoted, origin })
}

/// A raw value is a part of the text it was read from: the distance of their addresses is its offset.
fn origin<'a>(text: &'a str, raw: &RawValue) -> Origin<'a> {
    let offset = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    Origin::After(text.get(..offset).unwrap_or_default())
}

pub(super) fn write(composition: &Composition) -> Result<String, CompositionError> {
    let file: File<Written> = File {
        header: composition.header().into(),
        components: composition.components().iter().map(Into::into).collect(),
    };
    let mut text = serde_json::to_string_pretty(&file).map_err(|error| {
        CompositionError::new(Place::NONE, CompositionRule::FileIsWritable, error.to_string())
    })?;
    text.push('\n');
    Ok(text)
}
