//! What a definition may not contradict itself in.

use super::asset::AssetId;
use super::definition::{Index, PriceSource, Select, Unpriced, Version, Weighting};
use super::error::IndexDefinitionError;
use super::{ONE, event::Event};
use strongroom_units::{Price, Rate};

type Broken = Option<(String, &'static str)>;

pub(super) fn check(index: &Index) -> Result<(), IndexDefinitionError> {
    let broken = whole(index)
        .or_else(|| assets(index))
        .or_else(|| themes(index))
        .or_else(|| events(index))
        .or_else(|| index.versions().iter().find_map(|version| rules(index, version)));
    match broken {
        None => Ok(()),
        Some((place, rule)) => Err(IndexDefinitionError::Contradiction { place, rule }),
    }
}

fn first_broken(place: impl Fn() -> String, rules: &[(bool, &'static str)]) -> Broken {
    rules.iter().find_map(|(broken, rule)| broken.then(|| (place(), *rule)))
}

fn whole(index: &Index) -> Broken {
    let versions = index.versions();
    let ascends = versions.windows(2).all(|pair| matches!(pair, [a, b] if a.effective < b.effective));
    let covers = versions.first().is_some_and(|version| version.effective <= index.base_date);
    let one_source = versions.iter().all(|version| version.prices == index.prices());
    let is_id = |id: &str| {
        !id.is_empty()
            && id.len() <= 40
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let place = || format!("index {}", index.id);
    first_broken(
        place,
        &[
            (!is_id(&index.id), "an id is 1 to 40 letters, digits, `-`, `_` and `.`"),
            (index.name.trim().is_empty(), "an index has a name"),
            (index.base_level <= Price::ZERO, "the base level is above zero"),
            (!ascends, "versions are given oldest first, each with its own date"),
            (!covers, "there is a version for the base date"),
            (!one_source, "prices come from one source over the years: levels stay daily, or of snapshots"),
        ],
    )
}

fn assets(index: &Index) -> Broken {
    for (position, asset) in index.asset.iter().enumerate() {
        let earlier = index.asset.get(..position).unwrap_or_default();
        let sound = |factor: Rate| factor > Rate::ZERO && factor <= ONE;
        let floats = &asset.free_float;
        let broken = first_broken(
            || format!("asset {}", asset.id),
            &[
                (asset.id.as_str().trim().is_empty(), "an asset has an id"),
                (asset.names.is_empty() && asset.dated_name.is_empty(), "an asset has a name"),
                (earlier.iter().any(|other| other.id == asset.id), "an id is one asset's"),
                (
                    earlier.iter().any(|other| other.shares_a_name_with(asset).is_some()),
                    "a name means one asset on any day; give dates to a name that has changed hands",
                ),
                (
                    asset.price.is_some() && earlier.iter().any(|other| other.price == asset.price),
                    "a price symbol is one asset's",
                ),
                (
                    !floats.windows(2).all(|pair| matches!(pair, [a, b] if a.from < b.from)),
                    "free float is given oldest first",
                ),
                (!floats.iter().all(|entry| sound(entry.factor)), "free float is above zero and at most one"),
            ],
        );
        if broken.is_some() {
            return broken;
        }
    }
    None
}

fn themes(index: &Index) -> Broken {
    for (position, theme) in index.theme.iter().enumerate() {
        let earlier = index.theme.get(..position).unwrap_or_default();
        let is_listed = |id: &AssetId| index.asset(id).is_some();
        let broken = first_broken(
            || format!("theme {}", theme.id),
            &[
                (earlier.iter().any(|other| other.id == theme.id), "a theme is given once"),
                (theme.hindsight.trim().is_empty(), "a theme states what it owes to hindsight"),
                (
                    !theme.member.iter().all(|member| is_listed(&member.asset)),
                    "a theme's members are listed assets",
                ),
                (
                    theme.member.iter().any(|m| m.through.is_some_and(|through| through < m.from)),
                    "a membership ends after it begins",
                ),
            ],
        );
        if broken.is_some() {
            return broken;
        }
    }
    None
}

fn events(index: &Index) -> Broken {
    index.event.iter().find_map(|event| {
        let (not_listed, worthless) = match event {
            Event::Migration { into, units, .. } => (index.asset(into).is_none(), *units <= Rate::ZERO),
            Event::SupplyCorrection { supply, .. } => (false, supply.units() <= 0),
            Event::Fork { value, .. } | Event::Airdrop { value, .. } => (false, *value <= Price::ZERO),
            Event::Delisting { .. } => (false, false),
        };
        first_broken(
            || format!("{} of {}", event.name(), event.asset()),
            &[
                (index.asset(event.asset()).is_none() || not_listed, "an event is of listed assets"),
                (worthless, "what an event gives is above zero"),
                (event.date() < index.base_date, "an event is on the base date or after it"),
            ],
        )
    })
}

fn rules(index: &Index, version: &Version) -> Broken {
    let knows = |id: &String| index.theme.iter().any(|theme| theme.id == *id);
    let (history_missing, weights_wrong) = match &version.weighting {
        Weighting::InverseVolatility { days } => {
            (*days < 2 || version.price_history_days <= *days || version.prices != PriceSource::Daily, false)
        }
        Weighting::Fixed { weights } => {
            (false, !is_one(weights.values()) || weights.values().any(|w| *w <= Rate::ZERO))
        }
        _ => (false, false),
    };
    let few = matches!(version.select, Select::Top { count: 0, .. });
    let enters = matches!(version.select, Select::Top { count, enters_at, .. } if enters_at > count);
    let top_count = match version.select {
        Select::Top { count, .. } => i128::from(count),
        Select::All => i128::from(u16::MAX),
    };
    let cap_low = version.cap.is_some_and(|cap| cap <= Rate::ZERO || cap.units() * top_count < ONE.units());
    first_broken(
        || format!("version {}", version.effective),
        &[
            (few, "a ranked index has at least one member"),
            (
                version.select == Select::All && version.unpriced == Unpriced::NextRank,
                "`next-rank` needs a ranked selection; write `leave-out` or `refuse`",
            ),
            (enters, "the rank that enters is one of the first `count`"),
            (!version.themes.iter().all(knows), "themes are of the definition"),
            (version.cap.is_some_and(|cap| cap > ONE), "a cap is a fraction of one"),
            (cap_low, "members at the cap come to one: count × cap is at least 1"),
            (
                history_missing,
                "inverse volatility needs daily prices and price_history_days above its days, at least 2",
            ),
            (weights_wrong, "fixed weights are above zero and come to one"),
            (
                !version.reconstitution.is_sound(),
                "a reconstitution is on day 1 to 28, announced at most 90 days before",
            ),
            (
                version.rebalance.is_some_and(|schedule| !schedule.is_sound()),
                "a rebalance is on day 1 to 28, announced at most 90 days before",
            ),
            (version.supply_jump.is_some_and(|jump| jump <= Rate::ZERO), "a supply jump is above zero"),
            (version.decimals > 12, "a level has at most 12 decimals"),
            (
                version.price_history_days > 0 && version.prices == PriceSource::Snapshots,
                "a price history needs daily prices",
            ),
            (version.price_history_days > 400, "a price history has at most 400 days"),
        ],
    )
}

fn is_one<'a>(mut weights: impl Iterator<Item = &'a Rate>) -> bool {
    weights.try_fold(Rate::ZERO, |sum, weight| sum.try_add(*weight)).is_ok_and(|sum| sum == ONE)
}
