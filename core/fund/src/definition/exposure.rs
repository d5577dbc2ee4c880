//! What a fund of derivatives has beside that of any fund: the multiple that it holds, in what, and on what terms.
//!
//! ```toml
//! type = "derivatives"
//!
//! [exposure]
//! instrument = "perpetual"      # futures, perpetual or swap
//! contract = "0.001"            # coins of one contract
//! reset = "daily"               # or "monthly": to factor × net assets, after the strike
//! ```

use super::parse::Checker;
use super::raw::{Exact, RawFund, TomlDate};
use super::{Dated, DefinitionError, FundKind, OrderMethod};
use serde::{Deserialize, Serialize};
use strongroom_units::time::{Calendar, Date, Time, TimeError, Weekday};
use strongroom_units::{NumberError, Price, Quantity, Rate, Rounding, Scale};
use toml::Spanned;

const ONE: i128 = 10i128.pow(Rate::SCALE as u32);
/// Basis points in one.
const BPS: i128 = 10_000;
/// Largest cost of a trade, in basis points of it.
const COST_BPS_MAX: i128 = 1_000;
/// Largest factor either way.
const FACTOR_MAX: i128 = 10 * ONE;
/// Sessions before an expiry on which a position may be rolled.
const ROLL_SESSIONS_MAX: u8 = 20;
/// Days in the year of a futures basis.
const BASIS_YEAR: i128 = 365;

/// The multiple that a fund of derivatives holds, and on what terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// In what it is held.
    pub instrument: Instrument,
    /// Coins of one contract.
    pub contract: Quantity,
    /// How often it is brought back to factor × net assets.
    pub reset: Reset,
    /// The multiple, by date: 2, or −1 for an inverse fund.
    pub factor: Dated<Rate>,
    /// What a trade costs, as a fraction of it, by date.
    pub cost: Dated<Rate>,
    /// Rate a year on 360 days that a swap's notional costs, by date; none for other instruments.
    pub financing: Option<Dated<Rate>>,
    /// Rate a year on 360 days that cash and margin earn, by date; none when they earn nothing.
    pub collateral_yield: Option<Dated<Rate>>,
    /// What the broker asks for.
    pub margin: MarginTerms,
    /// When futures are rolled; none for other instruments.
    pub roll: Option<Roll>,
    /// Assumed basis of futures over the index a year, by date; none for other instruments.
    pub basis: Option<Dated<Rate>>,
}

/// In what exposure is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Instrument {
    /// Futures that expire and are rolled; the basis is what holding them costs.
    Futures,
    /// Perpetual futures; funding is what holding them costs, every eight hours.
    Perpetual,
    /// A total return swap; financing is what holding it costs.
    Swap,
}

/// How often exposure is brought back to factor × net assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// After every strike.
    Daily,
    /// After the last strike of a month.
    Monthly,
}

/// What the broker asks for, as fractions of the position's worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarginTerms {
    /// Who holds it.
    pub broker: String,
    /// To be there when a position is taken.
    pub initial: Rate,
    /// Below it, margin is called up to the initial.
    pub maintenance: Rate,
}

/// When futures are rolled into the next expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roll {
    /// Which day is an expiry.
    pub expiry: Expiry,
    /// Sessions before the expiry on which it is due.
    pub sessions_before: u8,
}

/// Which day of a month is an expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// Its last Friday, or the session before when that is none.
    LastFriday,
}

impl Exposure {
    /// Whether exposure is to be reset after the strike of a session.
    pub fn is_reset_due(&self, calendar: Calendar, session: Date) -> Result<bool, TimeError> {
        match self.reset {
            Reset::Daily => Ok(true),
            Reset::Monthly => {
                let next = calendar.next_session(session)?;
                Ok((next.year(), next.month()) != (session.year(), session.month()))
            }
        }
    }

    /// The expiry that a position holds after the close of a session: the first whose roll is not due yet. None for what does
    /// not expire.
    pub fn expiry_after(&self, calendar: Calendar, session: Date) -> Result<Option<Date>, TimeError> {
        let Some(roll) = self.roll else { return Ok(None) };
        let mut month = session.first_of_month();
        loop {
            let expiry = roll.expiry.of_month(calendar, month)?;
            if calendar.add_sessions(expiry, -i32::from(roll.sessions_before))? > session {
                return Ok(Some(expiry));
            }
            month = month.last_of_month().tomorrow().map_err(|_| beyond(month))?;
        }
    }

    /// What a contract is worth for each coin: the index itself or, for futures, `index × (1 + basis × days to expiry ÷ 365)`,
    /// half even at eighteen decimals. The basis is assumed, and the same however far the expiry.
    pub fn mark(&self, index: Price, date: Date, expiry: Option<Date>) -> Result<Price, NumberError> {
        let (Some(expiry), Some(basis)) = (expiry, self.basis.as_ref().and_then(|basis| basis.at(date)))
        else {
            return Ok(index);
        };
        let days = i128::from(days_between(date, expiry));
        let carried = basis.units().checked_mul(days).ok_or(NumberError::Overflow)?;
        index.try_add(index.try_mul_div(carried, BASIS_YEAR * ONE, Rounding::HalfEven)?)
    }
}

impl Expiry {
    fn of_month(self, calendar: Calendar, month: Date) -> Result<Date, TimeError> {
        let Self::LastFriday = self;
        let mut day = month.last_of_month();
        while day.weekday() != Weekday::Friday {
            day = day.yesterday().map_err(|_| beyond(day))?;
        }
        if calendar.is_session(day) { Ok(day) } else { calendar.previous_session(day) }
    }
}

fn beyond(date: Date) -> TimeError {
    TimeError::OutsideRange { date, time: Time::midnight() }
}

/// Calendar days from one date to another.
pub fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExposure {
    instrument: Spanned<Instrument>,
    contract: Spanned<Exact<strongroom_units::Decimal>>,
    reset: Reset,
    factor: Spanned<Vec<Spanned<RawFactor>>>,
    cost: Spanned<Vec<Spanned<RawCost>>>,
    #[serde(default)]
    financing: Vec<Spanned<RawAnnual>>,
    #[serde(default)]
    collateral_yield: Vec<Spanned<RawAnnual>>,
    margin: RawMargin,
    roll: Option<Spanned<RawRoll>>,
    #[serde(default)]
    basis: Vec<Spanned<RawAnnual>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFactor {
    from: Spanned<TomlDate>,
    multiple: Spanned<Exact<Rate>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCost {
    from: Spanned<TomlDate>,
    bps: Spanned<Exact<Rate>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnnual {
    from: Spanned<TomlDate>,
    annual: Spanned<Exact<Rate>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMargin {
    broker: String,
    initial: Spanned<Exact<Rate>>,
    maintenance: Spanned<Exact<Rate>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoll {
    expiry: Expiry,
    sessions_before: Spanned<u8>,
}

impl Checker<'_> {
    /// The exposure of a fund of derivatives; refuses one of any other fund, and what such a fund cannot do.
    pub(super) fn exposure(
        &self,
        kind: FundKind,
        raw: &RawFund,
        seed: Date,
    ) -> Result<Option<Exposure>, DefinitionError> {
        match (kind, &raw.exposure) {
            (FundKind::Derivatives, Some(exposure)) => {
                self.goes_with_derivatives(raw)?;
                self.exposure_of(exposure, raw, seed).map(Some)
            }
            (FundKind::Derivatives, None) => self.refuse(
                raw.kind.span(),
                "definition.derivatives_fund_must_have_exposure",
                "the fund of derivatives names no exposure",
                "Write [exposure]; funds/bitcoin-2x.toml shows every field",
            ),
            (_, Some(exposure)) => self.refuse(
                exposure.span(),
                "definition.exposure_must_go_with_derivatives",
                "a fund that holds its coins has no exposure by derivatives",
                "Remove [exposure], or write type = \"derivatives\"",
            ),
            (_, None) => Ok(None),
        }
    }

    fn goes_with_derivatives(&self, raw: &RawFund) -> Result<(), DefinitionError> {
        if !raw.fee.accrual.is_money() {
            return self.refuse(
                raw.kind.span(),
                "definition.derivatives_fee_must_accrue_in_money",
                "the fee of a fund without coins accrues in coins",
                "Write accrual = \"money\"",
            );
        }
        if let Some(custody) = &raw.custody {
            return self.refuse(
                custody.span(),
                "definition.custody_must_go_with_coins",
                "a fund of derivatives holds no coins to be kept",
                "Remove [[custody]]; its broker stands in [exposure.margin]",
            );
        }
        for window in raw.order_window.get_ref() {
            if window.get_ref().method != OrderMethod::Cash {
                return self.refuse(
                    window.span(),
                    "definition.derivatives_orders_must_be_in_cash",
                    "a fund of derivatives has no coins to deliver or take",
                    "Write method = \"cash\"",
                );
            }
        }
        Ok(())
    }

    fn exposure_of(
        &self,
        spanned: &Spanned<RawExposure>,
        fund: &RawFund,
        seed: Date,
    ) -> Result<Exposure, DefinitionError> {
        let raw = spanned.get_ref();
        let scale = fund.asset.get_ref().first().map(|asset| asset.get_ref().scale);
        let factor = self.factor(raw, seed)?;
        let margin = self.margin(raw, &factor)?;
        let instrument = *raw.instrument.get_ref();
        let (is_swap, is_futures) = (instrument == Instrument::Swap, instrument == Instrument::Futures);
        let place = raw.instrument.span();
        self.goes_with(
            place.clone(),
            is_swap,
            !raw.financing.is_empty(),
            "[[exposure.financing]] and a swap",
        )?;
        self.goes_with(place.clone(), is_futures, raw.roll.is_some(), "[exposure.roll] and futures")?;
        self.goes_with(place.clone(), is_futures, !raw.basis.is_empty(), "[[exposure.basis]] and futures")?;
        Ok(Exposure {
            instrument,
            contract: self.contract(raw, scale)?,
            reset: raw.reset,
            cost: self.trade_cost(raw, seed)?,
            financing: self.annual(&raw.financing, place.clone(), seed, "exposure.financing")?,
            collateral_yield: self.annual(
                &raw.collateral_yield,
                place.clone(),
                seed,
                "exposure.collateral_yield",
            )?,
            basis: self.annual(&raw.basis, place, seed, "exposure.basis")?,
            roll: raw.roll.as_ref().map(|roll| self.roll(roll)).transpose()?,
            factor,
            margin,
        })
    }

    fn goes_with(
        &self,
        place: core::ops::Range<usize>,
        is_needed: bool,
        is_given: bool,
        what: &str,
    ) -> Result<(), DefinitionError> {
        if is_needed == is_given {
            return Ok(());
        }
        self.refuse(
            place,
            "definition.exposure_terms_must_fit_the_instrument",
            format!("{what} must be written together or not at all"),
            "Write financing for a swap, roll and basis for futures, and none of them for a perpetual",
        )
    }

    fn contract(&self, raw: &RawExposure, scale: Option<Scale>) -> Result<Quantity, DefinitionError> {
        let given = raw.contract.get_ref().0;
        let exact = scale.and_then(|scale| Quantity::try_from_decimal(given, scale).ok());
        match exact.filter(|contract| !contract.is_zero() && !contract.is_negative()) {
            Some(contract) => Ok(contract),
            None => self.refuse(
                raw.contract.span(),
                "definition.contract_must_be_whole_base_units",
                format!("a contract of {given} coins is no number of the asset's base units above zero"),
                "Write the coins of one contract, like \"5\" or \"0.001\"",
            ),
        }
    }

    fn factor(&self, raw: &RawExposure, seed: Date) -> Result<Dated<Rate>, DefinitionError> {
        for entry in raw.factor.get_ref() {
            let multiple = &entry.get_ref().multiple;
            let given = multiple.get_ref().0;
            if given.is_zero() || given.units().abs() > FACTOR_MAX {
                return self.refuse(
                    multiple.span(),
                    "definition.factor_must_be_within_10",
                    format!("a factor of {given} is zero or beyond 10"),
                    "Write a daily multiple, like \"2\" or \"-1\"",
                );
            }
        }
        let entries = raw.factor.get_ref().iter().map(|entry| {
            let entry = entry.get_ref();
            (&entry.from, entry.multiple.get_ref().0)
        });
        self.dated("exposure.factor", raw.factor.span(), seed, entries)
    }

    fn trade_cost(&self, raw: &RawExposure, seed: Date) -> Result<Dated<Rate>, DefinitionError> {
        let mut costs = Vec::new();
        for entry in raw.cost.get_ref() {
            let bps = &entry.get_ref().bps;
            let given = bps.get_ref().0;
            let fraction = given.try_mul_div(1, BPS, Rounding::HalfEven).ok();
            let most = Rate::from_units(COST_BPS_MAX * ONE);
            let Some(cost) = fraction.filter(|_| !given.is_negative() && given <= most) else {
                return self.refuse(
                    bps.span(),
                    "definition.cost_must_be_0_to_1000_bps",
                    format!("a cost of {given} basis points is outside 0 to {COST_BPS_MAX}"),
                    "Write basis points of what is traded, like \"3\"",
                );
            };
            costs.push((&entry.get_ref().from, cost));
        }
        self.dated("exposure.cost", raw.cost.span(), seed, costs.into_iter())
    }

    /// Rates a year of up to one either way; none for an empty list.
    fn annual(
        &self,
        list: &[Spanned<RawAnnual>],
        place: core::ops::Range<usize>,
        seed: Date,
        field: &str,
    ) -> Result<Option<Dated<Rate>>, DefinitionError> {
        if list.is_empty() {
            return Ok(None);
        }
        for entry in list {
            let annual = &entry.get_ref().annual;
            if annual.get_ref().0.units().abs() > ONE {
                return self.refuse(
                    annual.span(),
                    "definition.exposure_rate_must_be_a_fraction",
                    format!("a rate of {} a year is beyond 1", annual.get_ref().0),
                    "Write the rate as a fraction: five per cent is \"0.05\"",
                );
            }
        }
        let entries = list.iter().map(|entry| {
            let entry = entry.get_ref();
            (&entry.from, entry.annual.get_ref().0)
        });
        self.dated(field, place, seed, entries).map(Some)
    }

    fn margin(&self, raw: &RawExposure, factor: &Dated<Rate>) -> Result<MarginTerms, DefinitionError> {
        let margin = &raw.margin;
        let (initial, maintenance) = (margin.initial.get_ref().0, margin.maintenance.get_ref().0);
        if maintenance <= Rate::ZERO || maintenance > initial || initial.units() > ONE {
            return self.refuse(
                margin.maintenance.span(),
                "definition.margin_must_be_maintenance_to_initial",
                format!("maintenance of {maintenance} and initial of {initial} are not 0 < maintenance <= initial <= 1"),
                "Write both as fractions of the position, like \"0.25\" and \"0.2\"",
            );
        }
        let needs = |factor: &Rate| {
            Rate::from_units(factor.units().abs()).try_mul_div(initial.units(), ONE, Rounding::Ceiling)
        };
        let fits = |(_, factor): &(Date, Rate)| needs(factor).is_ok_and(|needed| needed.units() <= ONE);
        if !factor.entries().iter().all(fits) {
            return self.refuse(
                margin.initial.span(),
                "definition.margin_must_leave_room_for_the_factor",
                format!("initial margin of {initial} on the factor is more than the fund has"),
                "Write an initial margin of at most 1 over the factor",
            );
        }
        Ok(MarginTerms { broker: margin.broker.clone(), initial, maintenance })
    }

    fn roll(&self, raw: &Spanned<RawRoll>) -> Result<Roll, DefinitionError> {
        let RawRoll { expiry, sessions_before } = raw.get_ref();
        let (expiry, sessions_before) = (*expiry, *sessions_before.get_ref());
        if !(1..=ROLL_SESSIONS_MAX).contains(&sessions_before) {
            return self.refuse(
                raw.get_ref().sessions_before.span(),
                "definition.roll_must_be_1_to_20_sessions_before",
                format!("a roll {sessions_before} sessions before the expiry"),
                "Write 1 to 20 sessions, like 5",
            );
        }
        Ok(Roll { expiry, sessions_before })
    }
}
