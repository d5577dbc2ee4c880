//! The part of a desk that a fund of derivatives needs: funding, rolls, resets, margin, and money where it is paid from.

use super::{RunError, Runner, Step};
use crate::sink::CommandSink;
use core::ops::Bound;
use strongroom_engine::{Account, Command, ExposureCommand, FundState, FundingRow};
use strongroom_fund::definition::Instrument;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, NumberError, Price, Rounding};

/// A position at the end of a session's trades. Money is of all days so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExposureRow {
    /// The session.
    pub date: Date,
    /// Net assets at the strike.
    pub net_assets: Money,
    /// Exposure at the strike, before the day's trades.
    pub drifted: Money,
    /// Exposure after the day's trades.
    pub exposure: Money,
    /// Net assets of which it is the multiple: with the orders dealt at the strike, before what the trades cost.
    pub base: Money,
    /// Contracts after the day's trades.
    pub contracts: i64,
    /// Their mark.
    pub mark: Price,
    /// When they expire.
    pub expiry: Option<Date>,
    /// The margin account after the day's trades.
    pub margin: Money,
    /// What the broker called for at the strike.
    pub called: Option<Money>,
    /// Gains of derivatives.
    pub gain: Money,
    /// Funding paid.
    pub funding: Money,
    /// Financing paid.
    pub financing: Money,
    /// What cash and margin have earned.
    pub income: Money,
    /// Costs of resets.
    pub trading: Money,
    /// Costs of rolls.
    pub rolling: Money,
    /// Sponsor fee.
    pub fee: Money,
}

impl<S: CommandSink> Runner<'_, S> {
    /// Funding that has fallen due since the last trade or the last rate, in one command.
    pub(super) fn record_funding(&mut self, at: Timestamp) -> Step<S> {
        let state = self.state()?;
        let Some(position) = state.position() else { return Ok(()) };
        let exposure = state.definition().exposure.as_ref();
        if exposure.is_none_or(|exposure| exposure.instrument != Instrument::Perpetual) {
            return Ok(());
        }
        let since = position.funded_through();
        let due = self.market.funding.range((Bound::Excluded(since), Bound::Included(at)));
        let rows: Vec<FundingRow> = due.map(|(at, rate)| FundingRow { at: *at, rate: *rate }).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let source = self.market.funding_source.clone();
        self.command(Command::Exposure(ExposureCommand::RecordFunding { source, rows }), at)
    }

    /// Rolls futures when that is due, resets exposure when that is, and meets a call of margin in between.
    pub(super) fn expose(&mut self, session: Date, at: Timestamp) -> Step<S> {
        let state = self.state()?;
        let (Some(exposure), Some(position)) = (&state.definition().exposure, state.position()) else {
            return Ok(());
        };
        let calendar = state.definition().calendar;
        let (drifted, base) = (position.notional()?, state.net_assets_in_money()?);
        let (call, is_first) = (position.call, position.last_reset.is_none());
        let is_to_roll =
            position.expiry.is_some() && exposure.expiry_after(calendar, session)? != position.expiry;
        let is_due = is_first || exposure.is_reset_due(calendar, session)?;
        if is_to_roll {
            let roll = ExposureCommand::Roll { date: session, from_price: None, to_price: None };
            self.command(Command::Exposure(roll), at)?;
        }
        if is_due {
            let reason = if is_first { "first reset" } else { "due reset" }.to_owned();
            let reset = ExposureCommand::Reset { date: session, price: None, reason };
            self.command(Command::Exposure(reset), at)?;
        } else if let Some(call) = call {
            let cash = self.state()?.ledger().money(Account::Cash).to_cents(Rounding::Floor)?;
            let amount = call.to_cents(Rounding::Ceiling)?.min(cash);
            if amount > Money::ZERO {
                self.command(Command::Exposure(ExposureCommand::MoveMargin { amount }), at)?;
            }
        }
        let row = row(self.state()?, (session, call), (drifted, base))?;
        self.summary.exposure.push(row);
        Ok(())
    }

    /// Brings back from the margin account what a payment needs and the bank does not have.
    pub(super) fn have_cash(&mut self, needed: Money, at: Timestamp) -> Step<S> {
        let held = self.state()?.ledger().money(Account::Cash);
        let missing = needed.try_sub(held)?.to_cents(Rounding::Ceiling)?;
        if missing <= Money::ZERO || self.state()?.position().is_none() {
            return Ok(());
        }
        let amount = missing.try_neg()?;
        self.command(Command::Exposure(ExposureCommand::MoveMargin { amount }), at)
    }
}

fn row<E: std::error::Error>(
    state: &FundState,
    (date, called): (Date, Option<Money>),
    (drifted, base): (Money, Money),
) -> Result<ExposureRow, RunError<E>> {
    let position = state.position().ok_or(RunError::NotOpen)?;
    let paid = |account| state.ledger().money(account);
    let received = |account| -> Result<Money, NumberError> { state.ledger().money(account).try_neg() };
    Ok(ExposureRow {
        date,
        net_assets: state.last_nav().map_or(Money::ZERO, |nav| nav.current.valuation.net_assets),
        drifted,
        exposure: position.notional()?,
        base,
        contracts: position.contracts,
        mark: position.mark,
        expiry: position.expiry,
        margin: paid(Account::Margin),
        called,
        gain: received(Account::DerivativeGain)?,
        funding: paid(Account::Funding),
        financing: paid(Account::Financing),
        income: received(Account::CollateralIncome)?,
        trading: paid(Account::RebalanceCost),
        rolling: paid(Account::RollCost),
        fee: paid(Account::FeeExpense),
    })
}
