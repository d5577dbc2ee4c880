//! A second opinion: recomputes what the fund holds, owes and is worth from its events alone, in plain `i128`.
//!
//! It knows the rules of the trade, not the engine: none of the engine's helpers, and no state, is read to form an
//! opinion; the state is only compared with it.

use std::collections::BTreeMap;
use strongroom_engine::{
    Account, Event, FundState, Liability, NavRecord, Order, OrderSide, OrderState, Restatement, Sale,
};
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_units::Symbol;
use strongroom_units::time::Date;

/// Books of a fund with one asset. Coins in base units, money in 10^-8, shares whole.
#[derive(Debug, Default)]
pub struct Oracle {
    asset: Option<Symbol>,
    decimals: u32,
    annual: i128,
    coin_accrual: bool,
    pub(crate) vault: i128,
    pub(crate) trading: i128,
    coins_receivable: i128,
    coins_payable: i128,
    coins_owed_for_fee: i128,
    pub(crate) cash: i128,
    money_receivable: i128,
    money_payable: i128,
    fee_owed: i128,
    expenses_owed: i128,
    pub(crate) issued: i128,
    pub(crate) orders: BTreeMap<String, Mirror>,
    navs: BTreeMap<Date, (i128, i128)>, // fee and fee basis, as known today
    coin_fee_days: BTreeMap<Date, i128>,
    last_accrued: Option<Date>,
    basket: i128,
    pub(crate) set_aside: i128,
    spent_since_strike: i128,
    liability_at_strike: i128,
    promised_since_strike: bool,
    pub(crate) staked: i128,
    pub(crate) unbonding: i128,
    pub(crate) owed_to_holders: i128,
    /// What a share is paid, at 24 decimals; what of it has been; shares at record; parts of the register in cents.
    pub(crate) distributions: BTreeMap<String, Owed>,
}

/// What is owed by one distribution.
#[derive(Debug, Default, Clone)]
pub struct Owed {
    pub(crate) per_share: i128,
    pub(crate) paid_per_share: i128,
    pub(crate) shares: i128,
    pub(crate) cents: i128,
    pub(crate) unreachable: i128,
}

#[derive(Debug, Clone)]
pub(crate) struct Mirror {
    creation: bool,
    in_kind: bool,
    shares: i128,
    pub(crate) day: Date,
    stage: Stage,
    coins: i128,
    due: i128,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    Accepted,
    Struck,
    Executed,
}

/// `a × b ÷ c` with c > 0, rounded down.
pub(crate) fn floor(a: i128, b: i128, c: i128) -> i128 {
    a.checked_mul(b).expect("the oracle's numbers fit").div_euclid(c)
}

pub(crate) fn ceiling(a: i128, b: i128, c: i128) -> i128 {
    -floor(-a, b, c)
}

fn half_even(a: i128, b: i128, c: i128) -> i128 {
    let (whole, rest) = (floor(a, b, c), (a * b).rem_euclid(c));
    match (2 * rest).cmp(&c) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole.rem_euclid(2),
    }
}

pub(crate) fn ten(exponent: u32) -> i128 {
    10i128.pow(exponent)
}

impl Oracle {
    /// A fund with this annual rate from its first day on and no waiver.
    pub fn new(annual: &str, coin_accrual: bool) -> Self {
        let annual: f64 = annual.parse().unwrap();
        Self { annual: (annual * 1e6).round() as i128, coin_accrual, ..Self::default() }
    }

    /// Follows one event.
    pub fn follow(&mut self, event: &Event) {
        match event {
            Event::FundOpened { paid_in, purchase, nav, .. } => self.open(paid_in.units(), purchase, nav),
            Event::OrderAccepted { order } => {
                self.orders.insert(order.id.to_string(), mirror(order));
            }
            Event::OrderCancelled { id } => drop(self.orders.remove(id.as_str())),
            Event::LateOrderRecorded { order, restatement, .. } => {
                self.orders.insert(order.id.to_string(), mirror(order));
                self.restate(restatement, true);
            }
            Event::PriceCorrected { restatement, .. } => self.restate(restatement, false),
            Event::ExpenseRecorded { amount, restatement, .. } => {
                self.expenses_owed += amount.units();
                self.restate(restatement, false);
            }
            Event::FeeAccrued { day, coins } => self.accrue(*day, self.only(coins).units()),
            Event::NavStruck { nav, dealt } => {
                self.value(nav);
                for deal in dealt {
                    let coins = self.only(&deal.coins).units();
                    self.deal(deal.id.as_str(), nav, (deal.nav_value.units(), coins));
                }
                let waiting = |order: &Mirror| order.stage == Stage::Accepted && order.day <= nav.date;
                assert!(!self.orders.values().any(waiting), "an order of {} was not dealt", nav.date);
            }
            Event::OrderExecuted { id, trade, cash_due, .. } => {
                self.execute(id.as_str(), trade, cash_due.units())
            }
            Event::OrderSettled { id, in_kind } => self.settle(id.as_str(), in_kind.as_ref()),
            Event::Paid { liability, sale, amount } => self.pay(*liability, sale, amount.units()),
            Event::CustodyTransferred { from, quantity, .. } => {
                let units = quantity.units() * if *from == CustodyKind::Vault { 1 } else { -1 };
                self.vault -= units;
                self.trading += units;
            }
            Event::Rebalanced { .. }
            | Event::AssetMigrated { .. }
            | Event::AssetWrittenOff { .. }
            | Event::GiftRecorded { .. } => panic!("a fund of one asset is never changed"),
            Event::Distribution(event) => self.follow_distribution(event),
            Event::Staking(event) => self.follow_staking(event),
            Event::Life(event) => self.follow_life(event),
            Event::PricesRecorded { .. }
            | Event::RateRecorded { .. }
            | Event::FallbackDecided { .. }
            | Event::FundHalted { .. }
            | Event::FundResumed { .. } => {}
            Event::Exposure(_) => panic!("this fund holds its coins"),
        }
    }

    fn open(&mut self, paid_in: i128, purchase: &Sale, nav: &NavRecord) {
        let (asset, line) = purchase.assets.first_key_value().unwrap();
        self.asset = Some(*asset);
        self.decimals = u32::from(line.quantity.scale().decimals());
        self.vault = line.quantity.units();
        self.cash = paid_in - purchase.value.units();
        self.issued = i128::from(nav.inputs.shares.count());
        self.last_accrued = Some(nav.date);
        self.value(nav);
    }

    fn held(&self) -> i128 {
        self.vault + self.trading + self.staked + self.unbonding + self.coins_receivable - self.coins_payable
    }

    fn shares(&self, wanted: impl Fn(&Mirror) -> bool) -> i128 {
        self.orders.values().filter(|order| wanted(order)).map(|order| order.shares).sum()
    }

    fn struck_coins(&self, creation: bool) -> i128 {
        let wanted = |order: &&Mirror| order.stage == Stage::Struck && order.creation == creation;
        self.orders.values().filter(wanted).map(|order| order.coins).sum()
    }

    pub(crate) fn outstanding(&self) -> i128 {
        let struck = |creation| self.shares(|o| o.stage != Stage::Accepted && o.creation == creation);
        self.issued + struck(true) - struck(false)
    }

    fn entitled(&self) -> i128 {
        self.outstanding() - self.shares(|o| o.stage == Stage::Struck && o.creation)
    }

    /// The six steps, the fee of each calendar day, and the Basket Amount.
    fn value(&mut self, nav: &NavRecord) {
        let input = self.only(&nav.inputs.assets);
        assert_eq!(input.owned.units(), self.held(), "owned at {}", nav.date);
        assert_eq!(input.pending_creations.units(), self.struck_coins(true));
        assert_eq!(input.pending_redemptions.units(), self.struck_coins(false));
        assert_eq!(input.accrued_fee.units(), self.coins_owed_for_fee);
        assert_eq!(nav.inputs.cash.units(), self.cash + self.money_receivable - self.money_payable);
        assert_eq!(nav.inputs.accrued_fee.units(), self.fee_owed);
        assert_eq!(nav.inputs.accrued_expenses.units(), self.expenses_owed);
        assert_eq!(nav.inputs.distributions.units(), self.owed_to_holders);
        assert_eq!(i128::from(nav.inputs.shares.count()), self.outstanding());
        assert_eq!(i128::from(nav.inputs.entitled.count()), self.entitled());
        assert_eq!(nav.current, nav.published);
        self.check_figures(nav);
        self.fee_owed += nav.current.valuation.fee.units();
        self.navs
            .insert(nav.date, (nav.current.valuation.fee.units(), nav.current.valuation.fee_basis.units()));
        self.basket = self.only(&nav.current.basket_amount).units();
        self.set_aside = self.only(&nav.current.liability_coins).units();
        (self.liability_at_strike, self.spent_since_strike) = (self.set_aside, 0);
        self.promised_since_strike = false;
    }

    /// Recomputes a NAV from its own inputs.
    fn check_figures(&self, nav: &NavRecord) {
        let (inputs, figures) = (&nav.inputs, &nav.current);
        let input = self.only(&inputs.assets);
        // Prices of these tests have at most two decimals, so that every product fits 128 bits.
        let cents = input.price.units() / ten(16);
        assert_eq!(cents * ten(16), input.price.units());
        let value = |units: i128| half_even(units, cents * ten(6), ten(self.decimals));
        let basis = value(input.owned.units() - input.accrued_fee.units())
            + inputs.cash.units()
            + value(input.pending_creations.units())
            - inputs.accrued_expenses.units()
            - inputs.accrued_fee.units()
            - inputs.distributions.units()
            - value(input.pending_redemptions.units());
        assert_eq!(figures.valuation.fee_basis.units(), basis, "fee basis of {}", nav.date);
        let days = i128::from(nav.date.since(inputs.after).unwrap().get_days());
        let daily = half_even(basis, self.annual, 365 * ten(6));
        let fee = if self.coin_accrual { 0 } else { days * daily };
        assert_eq!(figures.valuation.fee.units(), fee, "fee of {}", nav.date);
        let shares = i128::from(inputs.shares.count());
        assert_eq!(figures.valuation.net_assets.units(), basis - fee);
        assert_eq!(figures.nav_per_share.units(), half_even(basis - fee, ten(10), shares));
        let lacking = match inputs.distributions.units() {
            0 => 0,
            owed => (owed - inputs.cash.units()).max(0),
        };
        let owed = (inputs.accrued_fee.units() + fee + inputs.accrued_expenses.units() + lacking).max(0);
        let set_aside = ceiling(owed, ten(self.decimals), cents * ten(6)) + input.accrued_fee.units().max(0);
        assert_eq!(self.only(&figures.liability_coins).units(), set_aside, "set aside at {}", nav.date);
        let free = input.owned.units() - input.pending_redemptions.units() - set_aside;
        let entitled = i128::from(inputs.entitled.count());
        let amount = self.basket(free, (input.pending_creations.units(), shares - entitled), entitled);
        assert_eq!(self.only(&figures.basket_amount).units(), amount, "basket amount of {}", nav.date);
    }

    /// Coins per share, at 24 decimals, that are covered with and without the creations still to be funded.
    fn basket(&self, free: i128, (coming, shares_coming): (i128, i128), entitled: i128) -> i128 {
        let widen = ten(24 - self.decimals);
        let with_all = floor(free + coming, widen, entitled + shares_coming);
        if entitled > 0 { with_all.min(floor(free, widen, entitled)) } else { with_all }
    }

    fn deal(&mut self, id: &str, nav: &NavRecord, (value, coins): (i128, i128)) {
        let basket = self.only(&nav.published.basket_amount).units();
        let per_share = nav.published.nav_per_share.units();
        let shrink = ten(24 - self.decimals);
        let order = self.orders.get_mut(id).unwrap();
        let (expected_value, expected_coins) = if order.creation {
            let exact = ceiling(per_share, order.shares, ten(10));
            (ceiling(exact, 1, ten(6)) * ten(6), ceiling(basket, order.shares, shrink))
        } else {
            let exact = floor(per_share, order.shares, ten(10));
            (floor(exact, 1, ten(6)) * ten(6), floor(basket, order.shares, shrink))
        };
        assert_eq!((value, coins), (expected_value, expected_coins), "deal of {id}");
        assert_eq!((order.stage, order.day), (Stage::Accepted, nav.date));
        (order.stage, order.coins) = (Stage::Struck, coins);
    }

    fn execute(&mut self, id: &str, trade: &Sale, cash_due: i128) {
        let (coins, value) = (self.only(&trade.assets).quantity.units(), trade.value.units());
        let order = self.orders.get_mut(id).unwrap();
        assert_eq!((order.stage, order.in_kind, order.coins), (Stage::Struck, false, coins));
        assert_eq!(cash_due, value, "the participant bears the whole difference");
        (order.stage, order.due) = (Stage::Executed, cash_due);
        self.money_receivable += value;
        self.money_payable += value;
        if order.creation { self.coins_receivable += coins } else { self.coins_payable += coins }
    }

    fn settle(&mut self, id: &str, in_kind: Option<&Sale>) {
        let order = self.orders.remove(id).unwrap();
        let sign = if order.creation { 1 } else { -1 };
        self.issued += sign * order.shares;
        self.trading += sign * order.coins;
        self.money_receivable -= order.due;
        self.money_payable -= order.due;
        match in_kind {
            Some(sale) => assert_eq!(
                (self.only(&sale.assets).quantity.units(), order.stage, order.in_kind),
                (order.coins, Stage::Struck, true)
            ),
            None => {
                assert_eq!((order.stage, order.in_kind), (Stage::Executed, false));
                if order.creation {
                    self.coins_receivable -= order.coins;
                } else {
                    self.coins_payable -= order.coins;
                }
            }
        }
    }

    fn pay(&mut self, liability: Liability, sale: &Sale, amount: i128) {
        let coins = sale.assets.values().map(|line| line.quantity.units()).sum::<i128>();
        assert!(coins > 0, "a payment moves coins");
        self.trading -= coins;
        self.cash += if amount > 0 { sale.value.units() - amount } else { 0 };
        self.set_aside = (self.set_aside - coins).max(0);
        self.spent_since_strike += coins;
        match liability {
            Liability::SponsorFee { through } if amount == 0 => {
                let through = through.unwrap();
                let due: i128 = self.coin_fee_days.range(..=through).map(|(_, units)| units).sum();
                assert_eq!(coins, due, "coin fee through {through}");
                self.coin_fee_days.retain(|day, _| *day > through);
                self.coins_owed_for_fee -= coins;
            }
            Liability::SponsorFee { .. } => self.fee_owed -= amount,
            Liability::Expenses => self.expenses_owed -= amount,
        }
    }

    fn accrue(&mut self, day: Date, units: i128) {
        assert_eq!(self.last_accrued.unwrap().tomorrow().unwrap(), day, "every day accrues once");
        let holdings = self.held() + self.struck_coins(true) - self.struck_coins(false);
        let unit = ten(self.decimals - 8);
        // Half up: twice the numerator plus the denominator, over twice the denominator.
        let denominator = 365 * ten(6) * unit;
        let filed = (2 * holdings * self.annual + denominator).div_euclid(2 * denominator);
        assert_eq!(units, filed * unit, "coin fee of {day}");
        self.last_accrued = Some(day);
        self.coin_fee_days.insert(day, units);
        self.coins_owed_for_fee += units;
    }

    pub(crate) fn restate(&mut self, restatement: &Restatement, always: bool) {
        let last = *self.navs.keys().next_back().unwrap();
        let mut adjusted = 0;
        let mut touches_last = always;
        for nav in &restatement.navs {
            self.check_figures(nav);
            let known = self.navs.get_mut(&nav.date).unwrap();
            let fee = nav.current.valuation.fee.units();
            adjusted += fee - known.0;
            *known = (fee, nav.current.valuation.fee_basis.units());
            if nav.date == last {
                touches_last = true;
                self.liability_at_strike = self.only(&nav.current.liability_coins).units();
            }
        }
        assert_eq!(restatement.fee_adjustment.units(), adjusted, "fee adjustment");
        self.fee_owed += adjusted;
        for (day, coins) in &restatement.coin_fees {
            let more = self.only(coins).units();
            *self.coin_fee_days.entry(*day).or_default() += more;
            self.coins_owed_for_fee += more;
        }
        if touches_last {
            self.promise_anew();
        }
    }

    /// What a correction leaves to promise: the coins that are there, less those dealt and those set aside.
    fn promise_anew(&mut self) {
        if !self.promised_since_strike {
            self.set_aside = (self.liability_at_strike - self.spent_since_strike).max(0);
        }
        let free = self.held() - self.struck_coins(false) - self.set_aside;
        let coming = (self.struck_coins(true), self.shares(|o| o.stage == Stage::Struck && o.creation));
        self.basket = self.basket(free, coming, self.entitled());
    }

    pub(crate) fn only<'a, T>(&self, map: &'a BTreeMap<Symbol, T>) -> &'a T {
        assert_eq!(map.len(), 1);
        &map[&self.asset.unwrap()]
    }

    /// Coins that left outside a strike, or shares that are others, leave this to promise.
    pub(crate) fn promise_after_leaving(&mut self) {
        let free = self.held() - self.struck_coins(false) - self.set_aside;
        let coming = (self.struck_coins(true), self.shares(|o| o.stage == Stage::Struck && o.creation));
        self.basket = self.basket(free, coming, self.entitled());
        (self.promised_since_strike, self.spent_since_strike) = (true, 0);
    }

    /// Compares every balance, the shares and the reserve with the state.
    pub fn agrees(&self, state: &FundState) {
        let asset = self.asset.unwrap();
        let coins = |account| state.ledger().coins(asset, account).map_or(0, |quantity| quantity.units());
        let money = |account| state.ledger().money(account).units();
        assert_eq!(coins(Account::Vault), self.vault);
        assert_eq!(coins(Account::Trading), self.trading);
        assert_eq!(coins(Account::Receivable), self.coins_receivable);
        assert_eq!(-coins(Account::Payable), self.coins_payable);
        assert_eq!(-coins(Account::AccruedFee), self.coins_owed_for_fee);
        assert_eq!(coins(Account::Staked), self.staked);
        assert_eq!(coins(Account::Unbonding), self.unbonding);
        assert_eq!(-money(Account::DistributionPayable), self.owed_to_holders);
        assert_eq!(money(Account::Cash), self.cash);
        assert_eq!(money(Account::Receivable), self.money_receivable);
        assert_eq!(-money(Account::Payable), self.money_payable);
        assert_eq!(-money(Account::AccruedFee), self.fee_owed);
        assert_eq!(-money(Account::AccruedExpense), self.expenses_owed);
        assert_eq!(i128::from(state.issued().count()), self.issued);
        assert_eq!(i128::from(state.outstanding().unwrap().count()), self.outstanding());
        assert_eq!(i128::from(state.reserve().entitled().count()), self.entitled());
        self.agrees_on_the_reserve(state, asset);
        let lots = state.lots(asset).unwrap().quantity().unwrap().units();
        assert_eq!(lots, self.held(), "lots are what is held");
        let moved: i128 = state.movements(asset).iter().map(|movement| movement.quantity.units()).sum();
        assert_eq!(moved, self.held(), "movements sum to what is held");
        assert!(self.vault >= 0 && self.trading >= 0 && self.cash >= 0 && self.issued >= 0, "{self:?}");
        let waiting = self.shares(|order| order.stage == Stage::Accepted && !order.creation);
        assert!(self.entitled() > waiting, "some funded share always stays");
    }

    fn agrees_on_the_reserve(&self, state: &FundState, asset: Symbol) {
        let positions = state.reserve().positions().unwrap();
        let [position] = positions.as_slice() else { panic!("one asset") };
        assert_eq!(position.asset, asset);
        assert_eq!(position.held.units(), self.held());
        assert_eq!(position.set_aside.units(), self.set_aside, "set aside");
        let entitlement = ceiling(self.basket, self.entitled(), ten(24 - self.decimals));
        assert_eq!(position.entitlement.units(), entitlement, "entitlement");
        assert!(self.held() >= entitlement + self.set_aside, "the reserve covers what is owed: {self:?}");
    }
}

fn mirror(order: &Order) -> Mirror {
    let coins = order.coins().map_or(0, |coins| coins.values().map(|quantity| quantity.units()).sum());
    let stage = match order.state {
        OrderState::Accepted => Stage::Accepted,
        OrderState::Struck { .. } => Stage::Struck,
        OrderState::Executed { .. } => Stage::Executed,
    };
    Mirror {
        creation: order.side == OrderSide::Creation,
        in_kind: order.method == OrderMethod::InKind,
        shares: i128::from(order.shares.count()),
        day: order.trade_date,
        stage,
        coins,
        due: 0,
    }
}
