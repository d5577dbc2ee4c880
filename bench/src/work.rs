//! The commands that are measured: one fund, open since its seed date, and what its desk does all day.

use crate::Failure;
use std::collections::BTreeMap;
use strongroom_desk::{Cause, Desk, Request};
use strongroom_engine::{Command, NewOrder, OrderId, OrderSide};
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{CustodyKind, OrderMethod};
use strongroom_store::Location;
use strongroom_units::time::Timestamp;
use strongroom_units::{Shares, Symbol};

/// The fund that every measurement works on.
pub const DEFINITION: &str = include_str!("../../funds/bitcoin.toml");

/// Commands between an order and its withdrawal, and between coins that go and come: in one group they would be
/// written as one row, which no real day does.
const LAG: usize = 1_000;

/// What the desk is asked to do, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Orders taken and withdrawn.
    Orders,
    /// Coins moved between the vault and the trading balance and back: the shortest command with double entries.
    Transfers,
}

impl Work {
    pub const ALL: [Self; 2] = [Self::Orders, Self::Transfers];

    pub fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders taken and withdrawn",
            Self::Transfers => "coins moved",
        }
    }

    /// `count` requests of one client, to be given in order; clients do not get into each other's way.
    pub fn requests(self, client: usize, count: usize) -> Result<Vec<Request>, Failure> {
        (0..count).map(|index| self.request(client, index)).collect()
    }

    fn request(self, client: usize, index: usize) -> Result<Request, Failure> {
        let is_first = (index / LAG).is_multiple_of(2);
        let command = match self {
            Self::Orders => {
                let number = index / (2 * LAG) * LAG + index % LAG;
                let id = OrderId::try_new(&format!("client{client}-{number:08}"))?;
                if is_first { Command::SubmitOrder(order(id)?) } else { Command::CancelOrder { id } }
            }
            Self::Transfers => {
                let (vault, trading) = (CustodyKind::Vault, CustodyKind::Trading);
                let (from, to) = if is_first { (vault, trading) } else { (trading, vault) };
                let quantity = "0.00012345".parse()?;
                Command::TransferCustody { asset: "BTC".parse()?, from, to, quantity }
            }
        };
        Ok(Request { fund: fund()?, command, at: after_opening()?, cause: Cause::actor("os:bench") })
    }
}

/// Opens the fund in an empty database.
pub fn open_desk(location: &Location) -> Result<Desk, Failure> {
    let mut desk = Desk::open(location)?;
    let seed_prices = BTreeMap::from([("BTC".parse()?, "44162.58".parse()?)]);
    let command =
        Command::OpenFund { definition: DEFINITION.to_owned(), seed_prices, weights: BTreeMap::new() };
    desk.command(Request { fund: fund()?, command, at: after_opening()?, cause: Cause::actor("os:bench") })?;
    Ok(desk)
}

pub fn definition() -> Result<FundDefinition, Failure> {
    Ok(FundDefinition::parse(DEFINITION)?)
}

fn fund() -> Result<Symbol, Failure> {
    Ok("BTCX".parse()?)
}

/// After the strike of the seed date, before the cut-off for the session after it.
fn after_opening() -> Result<Timestamp, Failure> {
    Ok("2024-01-05T22:00:00Z".parse()?)
}

fn order(id: OrderId) -> Result<NewOrder, Failure> {
    Ok(NewOrder {
        id,
        participant: "First Participant".to_owned(),
        side: OrderSide::Creation,
        method: OrderMethod::Cash,
        shares: Shares::new(40_000),
        trade_date: "2024-01-08".parse()?,
    })
}
