//! The sections of a report about what a fund does for its holders and what happens to it: staking, distributions, suspensions, life.

use crate::commands::money;
use crate::fact_sheet::{FactSheet, percent};
use crate::failure::Failure;
use crate::performance::closes_beside_navs;
use strongroom_engine::{Account, Distribution, HaltScope, Stage, Suspension};
use strongroom_fund::definition::{BeyondLiquid, OrderMethod};
use strongroom_fund::rollforward::MovementKind;
use strongroom_fund::safe_harbour::RestsOn;
use strongroom_report::{Chart, Emphasis, Figure, Mark, Section, Table, Unit};
use strongroom_units::time::Date;
use strongroom_units::{Quantity, Rounding, Symbol};

impl FactSheet<'_> {
    /// Sections for what has happened; none for a fund to which nothing of the kind has.
    pub(crate) fn life_sections(&self) -> Result<Vec<Section>, Failure> {
        let mut sections = Vec::new();
        if self.state.definition().staking.is_some() {
            sections.push(self.staking()?);
        }
        if self.within().next().is_some() {
            sections.push(self.distributions()?);
        }
        if !self.state.suspensions().is_empty() {
            sections.push(self.suspensions());
        }
        if !self.statement.life.is_empty() {
            let mut table = Table::new("In order of time").left("date").left("").left("what");
            for row in &self.statement.life {
                table.push(Emphasis::None, [row.date.to_string(), row.kind.to_owned(), row.what.clone()]);
            }
            sections.push(Section::new("Life of the fund").table(table));
        }
        Ok(sections)
    }

    fn within(&self) -> impl Iterator<Item = &Distribution> {
        let (from, through) = (self.statement.from, self.statement.through);
        let ex = self.state.distributions().filter(|one| matches!(one.stage, Stage::Ex | Stage::Paid));
        ex.filter(move |one| from <= one.terms.record_date && one.terms.record_date <= through)
    }

    fn staking(&self) -> Result<Section, Failure> {
        let definition = self.state.definition();
        let (Some(terms), Some(asset)) = (&definition.staking, definition.assets.first()) else {
            return Ok(Section::new("Staking"));
        };
        let coins = |quantity: Option<Quantity>| -> Result<String, Failure> {
            let zero = Quantity::zero(asset.scale);
            Ok(format!("{} {}", quantity.unwrap_or(zero).to_decimal().to_display(4)?, asset.symbol))
        };
        let account = |account| self.state.ledger().coins(asset.symbol, account);
        let staking = self.state.staking();
        let figures = vec![
            Figure::new("Staked", coins(account(Account::Staked))?).detail("after the last day"),
            Figure::new("On its way back", coins(account(Account::Unbonding))?),
            Figure::new("Liquid", coins(Some(self.state.liquid(asset.symbol)?))?),
            Figure::new("Rewards before cuts", coins(staking.gross)?).detail("of all days"),
            Figure::new("Kept by provider and custodian", coins(staking.cuts)?),
            Figure::new("Rewards not yet distributed", coins(Some(staking.undistributed(asset.scale)?))?),
        ];
        let beyond = match terms.beyond_liquid {
            BeyondLiquid::Refuse => "is refused, and told how many shares can be redeemed now",
            BeyondLiquid::Delay => {
                "deals at its session and settles on the first session on which unstaked coins are free"
            }
        };
        let lead = format!(
            "{} % of the coins are staked with {}; at least {} % stay liquid. Coins asked back are free after {} days, and a \
             redemption settles on the next session: one for more coins than are liquid {beyond}.",
            hundredths(terms.target)?,
            terms.provider,
            hundredths(terms.liquid_least)?,
            terms.unbonding_days
        );
        let mut sum = 0.0;
        let rewards =
            self.state.movements(asset.symbol).iter().filter(|row| row.kind == MovementKind::Rewarded);
        let rewards: Vec<(Date, f64)> = rewards
            .map(|row| {
                sum += row.quantity.to_decimal().to_f64();
                (row.date, sum)
            })
            .collect();
        let unit = Unit::Coins { symbol: asset.symbol.to_string() };
        let chart = Chart::new("Rewards since the start, after cuts", Mark::Area, unit)
            .series("received", rewards)
            .description(
                "Coins that the network paid for what was staked, less what provider and custodian keep.",
            );
        let mut section = Section::new("Staking").lead(lead).figures(figures).chart(chart);
        if let Some(conditions) = self.state.safe_harbour(self.statement.through) {
            let mut table = Table::new("Conditions of Rev. Proc. 2025-31, as rules")
                .left("condition")
                .left("")
                .left("rests on")
                .left("code");
            for one in conditions {
                let emphasis = if one.holds { Emphasis::Good } else { Emphasis::Bad };
                let holds = if one.holds { "holds" } else { "broken" };
                let rests_on = match one.rests_on {
                    RestsOn::TheBooks => "the books",
                    RestsOn::AStatement => "a statement of the issuer",
                };
                table.push(emphasis, [one.rule, holds, rests_on, one.code]);
            }
            section = section
                .table(table)
                .note("A rule that holds says that what was stated fits, not that it is true.");
        }
        Ok(section)
    }

    fn distributions(&self) -> Result<Section, Failure> {
        let mut table = Table::new("Distributions of the period")
            .left("id")
            .left("record and ex")
            .left("paid on")
            .right("a share")
            .right("shares")
            .right("total")
            .right("of NAV")
            .left("stage");
        let (mut amounts, mut factor) = (Vec::new(), 1.0);
        for one in self.within() {
            let per_share = one.terms.per_share.to_decimal().to_f64();
            let nav = self.state.nav(one.terms.record_date);
            let nav = nav.map_or(0.0, |nav| nav.current.nav_per_share.to_decimal().to_f64());
            let worth = per_share * self.worth(one.terms.asset, one.terms.record_date);
            let part = if nav > 0.0 { worth / nav } else { 0.0 };
            factor *= 1.0 + part;
            amounts.push((one.terms.record_date, per_share));
            table.push(
                Emphasis::None,
                [
                    one.terms.id.to_string(),
                    one.terms.record_date.to_string(),
                    one.terms.pay_date.to_string(),
                    one.terms.per_share.to_string(),
                    one.shares.to_string(),
                    one.total.map(|total| total.to_decimal().to_string()).unwrap_or_default(),
                    percent(Some(part)),
                    one.stage.as_str().to_owned(),
                ],
            );
        }
        let with = self.performance.total_return.map(|price| (1.0 + price) * factor - 1.0);
        let figures = vec![
            Figure::new("Return of NAV", percent(self.performance.total_return))
                .detail("distributions left out"),
            Figure::new("Return with distributions", percent(with)).detail("reinvested at the ex date's NAV"),
        ];
        let chart = Chart::new("Amount of a share", Mark::Bars, Unit::Number { decimals: 4 })
            .series("a share", amounts)
            .description("On the ex date net assets fall by exactly this amount on every share outstanding.");
        Ok(Section::new("Distributions").figures(figures).chart(chart).table(table).note(
            "Under T+1 the ex date is the record date. Parts are rounded down to the cent, or to the base unit in kind; what is \
             left of the total stays with the fund.",
        ))
    }

    fn worth(&self, asset: Option<Symbol>, date: Date) -> f64 {
        let price = asset.and_then(|asset| self.state.price(asset, date));
        price.map_or(1.0, |record| record.price.to_decimal().to_f64())
    }

    /// Times without creations, and what became of the premium meanwhile: nobody could make shares to sell them at it.
    fn suspensions(&self) -> Section {
        let period = (self.statement.from, self.statement.through);
        let sessions = closes_beside_navs(self.state, period, self.market);
        let premium = |wanted: &dyn Fn(Date) -> bool| {
            let found = sessions
                .iter()
                .filter(|session| wanted(session.date))
                .map(|session| session.close.to_decimal().to_f64() / session.nav.to_decimal().to_f64() - 1.0);
            let values: Vec<f64> = found.collect();
            let count = values.len();
            (count > 0).then(|| values.iter().sum::<f64>() / count as f64)
        };
        let suspensions = self.state.suspensions();
        let is_in = |one: &Suspension, date: Date| {
            let cut_off = self.state.definition().cut_off(OrderMethod::Cash, date).ok().flatten();
            cut_off.is_some_and(|at| one.from <= at && one.until.is_none_or(|until| at < until))
        };
        let mut table = Table::new("Suspensions")
            .left("from")
            .left("until")
            .left("of")
            .left("why")
            .right("average premium meanwhile");
        for one in suspensions {
            let scope = match one.scope {
                HaltScope::Creations => "creations",
                HaltScope::Orders => "every order",
            };
            let until = one.until.map_or_else(|| "now".to_owned(), |until| until.to_string());
            let meanwhile = percent(premium(&|date| is_in(one, date)));
            table.push(
                Emphasis::None,
                [one.from.to_string(), until, scope.to_owned(), one.reason.clone(), meanwhile],
            );
        }
        let otherwise = premium(&|date| !suspensions.iter().any(|one| is_in(one, date)));
        let note = format!(
            "On all other sessions the average premium was {}. While creations are suspended nobody can make shares and sell \
             them, so that a premium stays; it goes when creations are taken again.",
            percent(otherwise)
        );
        Section::new("Suspensions").table(table).note(note)
    }
}

fn hundredths(part: strongroom_units::Rate) -> Result<String, Failure> {
    let percent = part.try_mul_div(100, 1, Rounding::HalfEven)?;
    Ok(percent.to_decimal().to_display(0)?)
}

/// What a run says of distributions on the terminal.
pub(crate) fn said(state: &strongroom_engine::FundState) -> Result<Vec<(&'static str, String)>, Failure> {
    let paid: Vec<&Distribution> = state.distributions().filter(|one| one.stage == Stage::Paid).collect();
    if paid.is_empty() {
        return Ok(Vec::new());
    }
    let all = paid.iter().filter_map(|one| one.total.filter(|_| one.terms.asset.is_none()));
    let mut sum = strongroom_units::Money::ZERO;
    for total in all {
        sum = sum.try_add(strongroom_units::Money::try_from_decimal(total.to_decimal())?)?;
    }
    Ok(vec![
        ("distributions paid", paid.len().to_string()),
        ("distributed in money", format!("{} USD", money(sum)?)),
    ])
}
