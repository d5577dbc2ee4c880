//! The methodologies that come with the program, and those in files of the user's own.

use crate::failure::{Exit, Failure};
use std::path::Path;
use strongroom_market::rate::Methodology;

const SHIPPED: [(&str, &str); 6] = [
    ("cf-brr", include_str!("../../../../methodologies/cf-brr.toml")),
    ("cf-brr-stablecoins", include_str!("../../../../methodologies/cf-brr-stablecoins.toml")),
    ("coin-metrics", include_str!("../../../../methodologies/coin-metrics.toml")),
    ("vwap", include_str!("../../../../methodologies/vwap.toml")),
    ("twap", include_str!("../../../../methodologies/twap.toml")),
    ("last", include_str!("../../../../methodologies/last.toml")),
];

/// The methodology of a name, or of a `.toml` file.
pub(crate) fn find(name: &str) -> Result<Methodology, Failure> {
    let named = SHIPPED.iter().find(|(id, _)| *id == name).map(|(_, text)| (*text).to_owned());
    let text = match named {
        Some(text) => text,
        None if Path::new(name).extension().is_some_and(|extension| extension == "toml") => {
            std::fs::read_to_string(name).map_err(|error| Failure::file(Path::new(name), &error))?
        }
        None => {
            let known = SHIPPED.map(|(id, _)| id).join(", ");
            let failure = Failure::new(
                "methodology.must_exist",
                format!("there is no methodology {name}"),
                Exit::Input,
            );
            return Err(failure.hint(format!("Name one of {known}, or a .toml file of your own.")));
        }
    };
    Methodology::parse(&text)
        .map_err(|error| Failure::new(error.code(), format!("{name}: {error}"), Exit::Input))
}
