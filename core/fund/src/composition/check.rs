//! What holds between the fields of a composition.

use super::{Component, CompositionRule, Header};
use std::collections::HashSet;
use strongroom_units::{Money, NumberError, Rounding, Symbol};

/// Components in one composition, at most.
pub(super) const COMPONENTS_MAX: usize = 10_000;

/// A rule that a value breaks, and the component that breaks it; none when the header does.
pub(super) struct Broken {
    pub rule: CompositionRule,
    pub message: String,
    pub component: Option<usize>,
}

pub(super) fn check(header: &Header, components: &[Component]) -> Result<(), Broken> {
    check_header(header)?;
    if components.len() > COMPONENTS_MAX {
        let message = format!("the composition has {} components", components.len());
        let component = Some(COMPONENTS_MAX);
        return Err(Broken { rule: CompositionRule::ComponentsAreBounded, message, component });
    }
    let mut seen: HashSet<Symbol> = HashSet::with_capacity(components.len());
    for (index, component) in components.iter().enumerate() {
        let broken = |rule, message| Broken { rule, message, component: Some(index) };
        if component.quantity.is_zero() || component.quantity.is_negative() {
            let message = format!("the quantity of {} is {}", component.symbol, component.quantity);
            return Err(broken(CompositionRule::QuantityIsPositive, message));
        }
        if !seen.insert(component.symbol) {
            let message = format!("{} is listed a second time", component.symbol);
            return Err(broken(CompositionRule::ComponentsDiffer, message));
        }
    }
    Ok(())
}

fn check_header(header: &Header) -> Result<(), Broken> {
    let broken = |rule, message| Err(Broken { rule, message, component: None });
    if !(0..=9999).contains(&header.trade_date.year()) {
        let message = format!("the trade date is {}", header.trade_date);
        return broken(CompositionRule::DateIsValid, message);
    }
    if header.creation_unit.count() <= 0 {
        let message = format!("a creation unit of {} shares", header.creation_unit);
        return broken(CompositionRule::CreationUnitIsPositive, message);
    }
    if header.shares_outstanding.count() < 0 {
        let message = format!("{} shares outstanding", header.shares_outstanding);
        return broken(CompositionRule::SharesAreNotNegative, message);
    }
    if !nav_agrees(header).unwrap_or(false) {
        let message = format!(
            "{} a share times {} shares is not {} within one cent a share",
            header.nav_per_share, header.creation_unit, header.nav_per_creation_unit
        );
        return broken(CompositionRule::NavPerShareAgrees, message);
    }
    Ok(())
}

/// A published NAV per share is rounded or cut to cents, so their product is off by less than a cent a share.
fn nav_agrees(header: &Header) -> Result<bool, NumberError> {
    let shares = i128::from(header.creation_unit.count());
    let cent = Money::from_units(1_000_000);
    let times_shares = |money: Money| money.try_mul_div(shares, 1, Rounding::Down);
    let gap = header.nav_per_creation_unit.try_sub(times_shares(header.nav_per_share)?)?;
    let allowed = times_shares(cent)?;
    Ok(gap <= allowed && gap >= allowed.try_neg()?)
}
