//! One fund and its days: opens it, lets sessions pass, and gives commands with the fewest words.

use std::collections::BTreeMap;
use strongroom_engine::{
    Command, Event, Fund, FundState, HaltScope, Handled, Liability, NavRecord, NewOrder, Order, OrderId,
    OrderSide, Outcome, PriceRow, Refusal,
};
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_units::time::{Calendar, Date, Time, Timestamp, Zone};
use strongroom_units::{Money, Price, Quantity, Shares, Symbol};

pub const BITCOIN: &str = include_str!("../../../../funds/bitcoin.toml");
pub const ETHER: &str = include_str!("../../../../funds/ether.toml");

pub const CASH: OrderMethod = OrderMethod::Cash;
pub const IN_KIND: OrderMethod = OrderMethod::InKind;
pub const CREATION: OrderSide = OrderSide::Creation;
pub const REDEMPTION: OrderSide = OrderSide::Redemption;

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn price(text: &str) -> Price {
    text.parse().unwrap()
}

pub fn money(text: &str) -> Money {
    text.parse().unwrap()
}

pub fn id(text: &str) -> OrderId {
    OrderId::try_new(text).unwrap()
}

/// An instant on New York's wall clock: `2024-03-08T16:00:00`.
pub fn new_york(text: &str) -> Timestamp {
    let local: (Date, Time) = text.split_once('T').map(|(d, t)| (date(d), t.parse().unwrap())).unwrap();
    Zone::NewYork.instant(local.0, local.1).unwrap()
}

pub fn strike_of(day: Date) -> Timestamp {
    Zone::NewYork.instant(day, Time::constant(16, 0, 0, 0)).unwrap()
}

pub fn seconds_after(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond() + seconds * 1_000_000).unwrap()
}

/// The definition with one text in it replaced; the text has to be there.
pub fn with(definition: &str, from: &str, to: &str) -> String {
    assert!(definition.contains(from), "{from}");
    definition.replace(from, to)
}

/// Fee in coins at eight decimals, without the tranche that only money can have.
pub fn in_coins(definition: &str) -> String {
    let mut lines: Vec<&str> = definition.lines().filter(|line| !line.starts_with("first = ")).collect();
    let place = lines.iter().position(|line| line.starts_with("accrual = ")).unwrap();
    lines[place] = "accrual = \"coins\"";
    lines.join("\n")
}

/// The fee from the seed's day on, so that short histories have one; without a waiver.
pub fn with_fee_from_seed(definition: &str, annual: &str) -> String {
    let mut text = String::new();
    let mut skipping = false;
    let seed = definition.lines().skip_while(|line| *line != "[seed]").nth(1).unwrap();
    let mut in_rate = false;
    for line in definition.lines() {
        if line.starts_with('[') {
            skipping = line == "[[fee.waiver]]";
            in_rate = line == "[[fee.rate]]";
        }
        if skipping {
            continue;
        }
        let changed = match line {
            line if in_rate && line.starts_with("from = ") => seed.replace("date = ", "from = "),
            line if in_rate && line.starts_with("annual = ") => format!("annual = \"{annual}\""),
            line => line.to_owned(),
        };
        text.push_str(&changed);
        text.push('\n');
    }
    text
}

/// A command with its instant and what came of it.
pub struct Step {
    pub command: Command,
    pub at: Timestamp,
    pub handled: Handled,
}

/// A fund, its clock, and everything it was told.
pub struct Scenario {
    pub fund: Fund,
    pub now: Timestamp,
    pub steps: Vec<Step>,
    pub asset: Symbol,
}

impl Scenario {
    /// Opens the fund at its seed's strike.
    pub fn open(definition: &str, seed_price: &str) -> Self {
        let parsed = strongroom_fund::FundDefinition::parse(definition).unwrap();
        let asset = parsed.assets[0].symbol;
        let mut scenario =
            Self { fund: Fund::default(), now: strike_of(parsed.seed.date), steps: Vec::new(), asset };
        let seed_prices = scenario.prices(seed_price);
        let (definition, weights) = (definition.to_owned(), BTreeMap::new());
        scenario.done(Command::OpenFund { definition, seed_prices, weights });
        scenario
    }

    /// A bitcoin fund whose seed bought exactly 200 coins.
    pub fn bitcoin() -> Self {
        Self::open(BITCOIN, "50000")
    }

    pub fn state(&self) -> &FundState {
        self.fund.state().unwrap()
    }

    pub fn nav(&self, day: &str) -> &NavRecord {
        self.state().nav(date(day)).unwrap()
    }

    pub fn order(&self, name: &str) -> &Order {
        self.state().order(&id(name)).unwrap()
    }

    pub fn events(&self) -> Vec<(Event, Timestamp)> {
        let applied = |step: &Step| {
            step.handled.applied.iter().map(|applied| (applied.event.clone(), step.at)).collect::<Vec<_>>()
        };
        self.steps.iter().flat_map(applied).collect()
    }

    pub fn coins(&self, text: &str) -> Quantity {
        Quantity::parse(text, self.state().definition().assets[0].scale).unwrap()
    }

    pub fn prices(&self, text: &str) -> BTreeMap<Symbol, Price> {
        BTreeMap::from([(self.asset, price(text))])
    }

    /// Gives a command now.
    pub fn give(&mut self, command: Command) -> Result<Outcome, Refusal> {
        let handled = self.fund.handle(&command, self.now);
        let outcome = handled.outcome.clone();
        self.steps.push(Step { command, at: self.now, handled });
        outcome
    }

    /// Gives a command that must be done now.
    pub fn done(&mut self, command: Command) {
        let shown = format!("{command:?} at {}", self.now);
        match self.give(command) {
            Ok(Outcome::Done) => {}
            other => panic!("{shown}: {other:?}"),
        }
    }

    /// Moves the clock to a New York wall-clock time.
    pub fn at(&mut self, text: &str) -> &mut Self {
        self.now = new_york(text);
        self
    }

    pub fn import(&self, rows: &[(&str, &str)]) -> Command {
        let rows = rows.iter().map(|(day, text)| PriceRow { date: date(day), price: price(text) }).collect();
        Command::ImportPrices { asset: self.asset, source: "test".into(), rows }
    }

    /// Records a session's price and strikes it, one minute after its strike time or now if that is later.
    pub fn strike(&mut self, day: &str, text: &str) {
        self.now = self.now.max(seconds_after(strike_of(date(day)), 60));
        let import = self.import(&[(day, text)]);
        self.done(import);
        self.done(strike_command(day));
    }

    /// Strikes every session after the last through a day, at one price moved by a cent a session.
    pub fn strike_through(&mut self, day: &str, text: &str) {
        let last = self.state().last_nav().unwrap().date;
        let first = Calendar::Nyse.next_session(last).unwrap();
        for (index, session) in Calendar::Nyse.sessions(first, date(day)).enumerate() {
            let cents = Money::from_units(i128::try_from(index).unwrap() * 1_000_000);
            let moved = money(text).try_add(cents).unwrap();
            self.strike(&session.to_string(), &moved.to_string());
        }
    }

    pub fn submit(&mut self, name: &str, side: OrderSide, method: OrderMethod, shares: i64, day: &str) {
        self.done(Command::SubmitOrder(order(name, side, method, shares, day)));
    }

    pub fn execute(&mut self, name: &str, text: &str) {
        let prices = self.prices(text);
        self.done(Command::ExecuteOrder { id: id(name), prices });
    }

    /// Brings a redemption's coins to the trading balance and settles.
    pub fn settle(&mut self, name: &str) {
        let order = self.order(name).clone();
        if order.side == REDEMPTION {
            let quantity = order.coins().unwrap()[&self.asset];
            self.move_to_trading(quantity);
        }
        self.done(Command::SettleOrder { id: order.id });
    }

    pub fn move_to_trading(&mut self, quantity: Quantity) {
        let (from, to) = (CustodyKind::Vault, CustodyKind::Trading);
        self.done(Command::TransferCustody { asset: self.asset, from, to, quantity });
    }

    /// Pays the sponsor fee through the last strike, with the coins it takes.
    pub fn pay_fee(&mut self, text: &str) {
        let prices = self.prices(text);
        let coins = self.state().coins_for_fee(None, &prices).unwrap()[&self.asset];
        self.move_to_trading(coins);
        self.done(Command::Pay { liability: Liability::SponsorFee { through: None }, prices });
    }

    pub fn correct(&self, day: &str, text: &str) -> Command {
        let (date, price) = (date(day), price(text));
        Command::CorrectPrice { asset: self.asset, date, price, reason: "wrong source".into() }
    }

    /// What the books owe in money, as a positive amount.
    pub fn owed(&self, account: strongroom_engine::Account) -> Money {
        self.state().ledger().money(account).try_neg().unwrap()
    }
}

pub fn order(name: &str, side: OrderSide, method: OrderMethod, shares: i64, day: &str) -> NewOrder {
    NewOrder {
        id: id(name),
        participant: "Harbour Trading".into(),
        side,
        method,
        shares: Shares::new(shares),
        trade_date: date(day),
    }
}

pub fn late(new: NewOrder) -> Command {
    Command::RecordLateOrder { order: new, reason: "telephoned in time".into() }
}

pub fn strike_command(day: &str) -> Command {
    Command::StrikeNav { date: date(day), accept: None }
}

pub fn accepting(day: &str) -> Command {
    Command::StrikeNav { date: date(day), accept: Some("checked at two venues".into()) }
}

pub fn expense(name: &str, effective: &str, amount: &str) -> Command {
    let (effective, amount) = (date(effective), money(amount));
    Command::RecordExpense { id: id(name), effective, amount, memo: "audit".into() }
}

pub fn halt(scope: HaltScope) -> Command {
    Command::Halt { scope, reason: "market closed".into() }
}
