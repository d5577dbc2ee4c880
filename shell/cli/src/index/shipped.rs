//! The index definitions that come with the program, and those in files of the user's own.

use super::unsound;
use crate::failure::{Exit, Failure};
use std::path::Path;
use strongroom_market::index::Index;

const SHIPPED: [(&str, &str); 3] = [
    ("large-cap", include_str!("../../../../indices/large-cap.toml")),
    ("smart-contract-platforms", include_str!("../../../../indices/smart-contract-platforms.toml")),
    ("defi", include_str!("../../../../indices/defi.toml")),
];

/// The index of an id: the one of a file when there is one, or else the one that comes with the program.
pub(crate) fn find(id: &str, file: Option<&Path>) -> Result<Index, Failure> {
    let (text, place) = match (file, SHIPPED.iter().find(|(shipped, _)| *shipped == id)) {
        (Some(file), _) => {
            (std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?, file)
        }
        (None, Some((shipped, text))) => ((*text).to_owned(), Path::new(*shipped)),
        (None, None) => {
            let message = format!("no index {id} comes with the program");
            let failure = Failure::new("index.must_exist", message, Exit::Input);
            return Err(failure.hint("Name its file with --index."));
        }
    };
    let index = Index::parse(&text).map_err(|error| unsound(place, &error))?;
    if index.id == id {
        return Ok(index);
    }
    let message = format!("the fund follows {id}, and {} defines {}", place.display(), index.id);
    Err(Failure::new("backtest.index_must_be_the_one_followed", message, Exit::Input))
}
