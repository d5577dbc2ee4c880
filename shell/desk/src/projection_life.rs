//! Rows of distributions, staking and a fund's life.

use crate::projection::{Rows, integer, optional, symbol, text};
use crate::tables::{DISTRIBUTION_CLAIMS, DISTRIBUTION_HOLDERS, DISTRIBUTIONS, LIFE_EVENTS};
use strongroom_engine::{
    DistributionEvent, End, Event, FundState, LifeEvent, OrderId, RewardSource, Sale, StakingEvent,
};
use strongroom_store::Value;
use strongroom_units::time::Date;
use strongroom_units::{Quantity, Symbol};

/// The status of a fund at its end, and why.
pub(crate) fn ended(state: &FundState) -> Option<(&'static str, Value)> {
    match state.end()? {
        End::Closing { reason } => Some(("closing", text(reason))),
        End::Liquidated { on } => Some(("liquidated", text(format!("on {on}")))),
    }
}

/// What a row of life says beside its words.
#[derive(Default)]
struct About {
    asset: Option<Symbol>,
    quantity: Option<Quantity>,
    value: Option<strongroom_units::Money>,
}

impl About {
    fn coins(asset: Symbol, quantity: Quantity) -> Self {
        Self { asset: Some(asset), quantity: Some(quantity), value: None }
    }

    fn sale(sale: &Sale) -> Self {
        let line = sale.assets.iter().next();
        let (asset, quantity) = (line.map(|(asset, _)| *asset), line.map(|(_, line)| line.quantity));
        Self { asset, quantity, value: Some(sale.value) }
    }
}

impl Rows<'_> {
    pub(crate) fn distribution(&mut self, event: &DistributionEvent) {
        match event {
            DistributionEvent::RegisterRecorded { id, holders, .. } => {
                for line in holders {
                    let reachable = if line.holder.is_unreachable { "no" } else { "yes" };
                    let values = vec![
                        self.fund(),
                        integer(self.recorded.seq),
                        text(&line.holder.holder),
                        text(id),
                        Value::Integer(line.holder.shares.count()),
                        text(line.part),
                        text(reachable),
                    ];
                    self.upsert(&DISTRIBUTION_HOLDERS, values);
                }
            }
            DistributionEvent::Claimed { id, holder, amount, .. } => {
                let values = vec![
                    self.fund(),
                    integer(self.recorded.seq),
                    text(id),
                    text(holder),
                    self.at(),
                    text(amount),
                ];
                self.upsert(&DISTRIBUTION_CLAIMS, values);
            }
            _ => {}
        }
        self.distribution_row(event.id());
    }

    /// The distribution as it stands after the event, or after later ones of the same command.
    fn distribution_row(&mut self, id: &OrderId) {
        let Some(one) = self.state.distribution(id) else { return };
        let currency = self.state.definition().currency;
        let values = vec![
            self.fund(),
            text(id),
            text(one.terms.source.as_str()),
            symbol(one.terms.asset.unwrap_or(currency)),
            text(one.terms.per_share),
            text(one.declared),
            text(one.terms.record_date),
            text(one.terms.pay_date),
            text(one.stage.as_str()),
            Value::Integer(one.shares.count()),
            optional(one.total),
            integer(one.register.holders),
            optional(one.paid),
            integer(u64::try_from(one.unclaimed.len()).unwrap_or(u64::MAX)),
            text(&one.terms.memo),
        ];
        self.upsert(&DISTRIBUTIONS, values);
    }

    pub(crate) fn staking(&mut self, event: &StakingEvent) {
        let today = self.today();
        let (date, about, words) = match event {
            StakingEvent::Staked { asset, quantity } => {
                (today, About::coins(*asset, *quantity), "staked".to_owned())
            }
            StakingEvent::Unstaked { asset, quantity, ready } => {
                (today, About::coins(*asset, *quantity), format!("asked back, free on {ready}"))
            }
            StakingEvent::Released { asset, quantity, on } => {
                (*on, About::coins(*asset, *quantity), "back in the vault".to_owned())
            }
            StakingEvent::RewardRecorded { through, source, reward, received } => {
                let from = match source {
                    RewardSource::Staking => "staking",
                    RewardSource::NetworkFees => "network fees",
                };
                let words = format!(
                    "{from}: {} gross, {} to the provider, {} to the custodian",
                    reward.gross, reward.provider, reward.custodian
                );
                (*through, About::sale(received), words)
            }
            StakingEvent::Slashed { id, date, lost, indemnified, gone, reason, .. } => {
                let words = format!("{id}: {lost} lost, {indemnified} made good; {reason}");
                (*date, About::sale(gone), words)
            }
            StakingEvent::RewardsSold { date, sale, .. } => {
                (*date, About::sale(sale), "sold for holders".to_owned())
            }
        };
        self.life_row(date, about, &words);
    }

    pub(crate) fn life(&mut self, event: &LifeEvent) {
        let today = self.today();
        let (date, about, words) = match event {
            LifeEvent::Split {
                date, new, old, before, after, in_lieu, fractional_holders, reason, ..
            } => {
                self.distribution_of_split(*date);
                let words = format!(
                    "{new} shares for {old}: {before} became {after}, {in_lieu} in lieu of fractions of \
                     {fractional_holders} holders; {reason}"
                );
                (*date, About::default(), words)
            }
            LifeEvent::CustodianChanged { account, old, new, from, reason } => {
                let balance = crate::projection::custody(*account);
                (*from, About::default(), format!("{balance}: {new} in place of {old}; {reason}"))
            }
            LifeEvent::BenchmarkChanged { old, id, name, from, reason } => {
                (*from, About::default(), format!("{id}, {name}, in place of {old}; {reason}"))
            }
            LifeEvent::TradingHalted { cause, began, until } => {
                (today, About::default(), format!("{}: from {began} until {until}", cause.as_str()))
            }
            LifeEvent::DealingPostponed { from, to, orders } => {
                for id in orders.keys() {
                    if let Some(order) = self.state.order(id) {
                        self.order(order, order.state_name(), None);
                    }
                }
                (*from, About::default(), format!("{} orders deal on {to}", orders.len()))
            }
            LifeEvent::Closing { reason } => {
                self.fund_row();
                (today, About::default(), reason.clone())
            }
            LifeEvent::Liquidated { sale, fee, expenses, shares, total, on, .. } => {
                self.fund_row();
                if let Ok(id) = OrderId::try_new("liquidation") {
                    self.distribution_row(&id);
                }
                let words = format!(
                    "everything sold; {fee} of fee and {expenses} of expenses paid, {total} owed on {shares} shares"
                );
                (*on, About::sale(sale), words)
            }
        };
        self.life_row(date, about, &words);
    }

    fn distribution_of_split(&mut self, date: Date) {
        if let Ok(id) = OrderId::try_new(&format!("in-lieu-{date}")) {
            self.distribution_row(&id);
        }
    }

    pub(crate) fn asset_changed(&mut self, event: &Event) {
        let (date, about, words) = match event {
            Event::AssetMigrated { date, asset, into, units, reason, .. } => {
                let about = About { asset: Some(*asset), ..About::default() };
                (*date, about, format!("each became {units} {into}; {reason}"))
            }
            Event::AssetWrittenOff { date, asset, cost, reason, .. } => {
                let about = About { asset: Some(*asset), quantity: None, value: Some(*cost) };
                (*date, about, format!("worth nothing, at its cost; {reason}"))
            }
            Event::GiftRecorded { date, asset, what, sold, received, reason, .. } => {
                let done = if *sold { "sold" } else { "left" };
                let about = About { asset: Some(*asset), quantity: None, value: Some(*received) };
                (*date, about, format!("{what}: {done}; {reason}"))
            }
            _ => return,
        };
        self.life_row(date, about, &words);
    }

    fn today(&self) -> Date {
        self.state.definition().strike.zone.date_of(self.recorded.at)
    }

    fn life_row(&mut self, date: Date, about: About, words: &str) {
        let values = vec![
            self.fund(),
            integer(self.recorded.seq),
            text(date),
            self.at(),
            text(self.recorded.kind),
            about.asset.map_or(Value::Null, symbol),
            optional(about.quantity),
            optional(about.value),
            text(words),
        ];
        self.upsert(&LIFE_EVENTS, values);
    }
}
