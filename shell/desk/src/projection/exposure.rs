//! Rows of a fund of derivatives: its position as it stands, what happened to it, and the funding rates recorded.

use super::{Rows, integer, optional, text};
use crate::tables::{FUNDING_RATES, POSITION_EVENTS, POSITIONS};
use strongroom_engine::{Account, ExposureEvent, Refusal};
use strongroom_store::Value;
use strongroom_units::time::Date;
use strongroom_units::{Money, Price};

/// What happened to a position, in the columns of its table; what an event does not say stays empty.
#[derive(Default)]
struct Happened {
    date: Date,
    contracts: (i64, i64),
    price: Option<Price>,
    mark: Option<Price>,
    net_assets: Option<Money>,
    gain: Money,
    funding: Money,
    financing: Money,
    income: Money,
    cost: Money,
    margin: Money,
    called: Option<Money>,
    expiry: Option<Date>,
    reason: Option<String>,
}

impl Rows<'_> {
    pub(super) fn exposure(&mut self, event: &ExposureEvent) -> Result<(), Refusal> {
        if let ExposureEvent::FundingPaid { source, rows, .. } = event {
            for row in rows {
                let values = vec![self.fund(), text(row.at), text(row.rate), text(source)];
                self.upsert(&FUNDING_RATES, values);
            }
        }
        if let ExposureEvent::WipedOut { nav, .. } = event {
            self.nav(nav);
            self.fund_row();
        }
        let happened = self.happened(event);
        let values = vec![
            self.fund(),
            integer(self.recorded.seq),
            text(self.recorded.kind),
            text(happened.date),
            self.at(),
            Value::Integer(happened.contracts.0),
            Value::Integer(happened.contracts.1),
            optional(happened.price),
            optional(happened.mark),
            optional(happened.net_assets),
            text(happened.gain),
            text(happened.funding),
            text(happened.financing),
            text(happened.income),
            text(happened.cost),
            text(happened.margin),
            optional(happened.called),
            optional(happened.expiry),
            optional(happened.reason),
        ];
        self.upsert(&POSITION_EVENTS, values);
        self.position()
    }

    fn position(&mut self) -> Result<(), Refusal> {
        let Some(position) = self.state.position() else { return Ok(()) };
        let values = vec![
            self.fund(),
            Value::Integer(position.contracts),
            text(position.coins()?),
            text(position.mark),
            text(position.notional()?),
            optional(position.expiry),
            text(position.settled),
            optional(position.last_reset),
            text(self.state.ledger().money(Account::Margin)),
            optional(position.call),
            optional(position.wiped_out),
        ];
        self.upsert(&POSITIONS, values);
        Ok(())
    }

    fn happened(&self, event: &ExposureEvent) -> Happened {
        let today = self.state.definition().strike.zone.date_of(self.recorded.at);
        let held = self.state.position().map_or(0, |position| position.contracts);
        let unmoved = Happened { date: today, contracts: (held, held), ..Happened::default() };
        match event {
            ExposureEvent::FundingPaid { amount, .. } => Happened { funding: *amount, ..unmoved },
            ExposureEvent::MarginMoved { amount } => Happened { margin: *amount, ..unmoved },
            ExposureEvent::Settled { date, contracts, mark, gain, financing, income, call, forced } => {
                Happened {
                    date: *date,
                    contracts: (*contracts, forced.map_or(*contracts, |forced| forced.to)),
                    mark: Some(*mark),
                    gain: *gain,
                    financing: *financing,
                    income: *income,
                    cost: forced.map_or(Money::ZERO, |forced| forced.cost),
                    called: *call,
                    ..Happened::default()
                }
            }
            ExposureEvent::WipedOut { date, contracts, shortfall, .. } => Happened {
                date: *date,
                contracts: (*contracts, 0),
                gain: *shortfall,
                net_assets: Some(Money::ZERO),
                reason: Some("nothing was left of the fund".to_owned()),
                ..Happened::default()
            },
            ExposureEvent::Reset {
                date,
                from,
                to,
                net_assets,
                price,
                mark,
                expiry,
                gain,
                cost,
                margin,
                reason,
            } => Happened {
                date: *date,
                contracts: (*from, *to),
                price: Some(*price),
                mark: Some(*mark),
                net_assets: Some(*net_assets),
                gain: *gain,
                cost: *cost,
                margin: *margin,
                expiry: *expiry,
                reason: Some(reason.clone()),
                ..Happened::default()
            },
            ExposureEvent::Rolled {
                date,
                to_expiry,
                from,
                to,
                from_price,
                to_price,
                mark,
                gain,
                cost,
                ..
            } => Happened {
                date: *date,
                contracts: (*from, *to),
                price: Some(*to_price),
                mark: Some(*mark),
                gain: *gain,
                cost: *cost,
                expiry: Some(*to_expiry),
                reason: Some(format!("rolled at {from_price}")),
                ..Happened::default()
            },
        }
    }
}
