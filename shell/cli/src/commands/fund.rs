//! `strongroom fund`: open, status, list, halt, resume.

use super::{money, price, shares};
use crate::context::{Global, asset_price, asset_weight};
use crate::failure::Failure;
use crate::print::{self, Align};
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use strongroom_engine::{Account, Command, Fund, FundState, FundStatus, HaltScope, Refusal};
use strongroom_fund::FundDefinition;
use strongroom_fund::definition::{FeeAccrual, OrderMethod};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Money, Price, Quantity, Rate, Shares, Symbol};

#[derive(Debug, Subcommand)]
pub(crate) enum FundVerb {
    /// Open a fund from its definition and buy the seed's coins
    #[command(
        after_help = "Example:\n  strongroom fund open funds/bitcoin.toml --seed-price BTC=43900.12 --at 2024-01-05T21:30:00Z"
    )]
    Open {
        /// The fund.toml
        file: PathBuf,
        /// What the seed's coins cost each; once for each asset
        #[arg(long = "seed-price", required = true, value_name = "ASSET=PRICE", value_parser = asset_price)]
        seed_prices: Vec<(Symbol, Price)>,
        /// Part of the seed's money that buys an asset, as a fraction; all together one. Equal parts when absent
        #[arg(long = "seed-weight", value_name = "ASSET=FRACTION", value_parser = asset_weight)]
        seed_weights: Vec<(Symbol, Rate)>,
        /// Open on this session instead of the definition's: a date, or `last-session`
        #[arg(long, value_name = "DATE", value_parser = seed_date)]
        seed_date: Option<SeedDate>,
    },
    /// Show where a fund stands: NAV, coins held and owed, fee, orders, cut-offs
    #[command(after_help = "Example:\n  strongroom fund status --fund BTCX")]
    Status,
    /// List the funds of the database
    #[command(after_help = "Example:\n  strongroom fund list --json")]
    List,
    /// Stop taking orders
    #[command(
        after_help = "Example:\n  strongroom fund halt --scope creations --reason \"custodian unreachable\""
    )]
    Halt {
        /// Which orders are stopped
        #[arg(long, value_enum, default_value_t = Scope::Orders)]
        scope: Scope,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Take orders again
    #[command(
        after_help = "Example:\n  strongroom fund resume --reason \"custodian confirmed the balances\""
    )]
    Resume {
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Creations only
    Creations,
    /// Every order
    Orders,
}

impl FundVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Open { file, seed_prices, seed_weights, seed_date } => {
                let (text, definition) = read_definition(&file)?;
                let text = match seed_date {
                    None => text,
                    Some(date) => dated(&text, &definition, date.session(&definition, global.now())?),
                };
                open(global, text, seed_prices, seed_weights)
            }
            Self::Status => global.read(|state| status(global, state)),
            Self::List => list(global),
            Self::Halt { scope, reason } => {
                let scope = match scope {
                    Scope::Creations => HaltScope::Creations,
                    Scope::Orders => HaltScope::Orders,
                };
                global.give_and_say(Command::Halt { scope, reason }, |state, _| {
                    Ok(format!("{} is halted", state.definition().id))
                })
            }
            Self::Resume { reason } => global.give_and_say(Command::Resume { reason }, |state, _| {
                Ok(format!("{} takes orders again", state.definition().id))
            }),
        }
    }
}

/// Reads a fund.toml; an error names the file, the line and what to write instead.
pub(crate) fn read_definition(file: &std::path::Path) -> Result<(String, FundDefinition), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    let definition = FundDefinition::parse(&text).map_err(|error| {
        let message = format!("{}:{}:{}: {}", file.display(), error.line, error.column, error.message);
        Failure::new(error.code(), message, crate::failure::Exit::Input).hint(error.fix.clone())
    })?;
    Ok((text, definition))
}

fn open(
    global: &Global,
    text: String,
    seed_prices: Vec<(Symbol, Price)>,
    seed_weights: Vec<(Symbol, Rate)>,
) -> Result<(), Failure> {
    let definition = FundDefinition::parse(&text).map_err(Refusal::from)?;
    let command = Command::OpenFund {
        definition: text,
        seed_prices: seed_prices.into_iter().collect(),
        weights: seed_weights.into_iter().collect(),
    };
    let fund = definition.id;
    if global.is_new_file()? {
        // A refused opening must not leave an empty database behind.
        Fund::default().handle(&command, global.now()).outcome?;
    }
    let mut desk = global.open_or_make()?;
    let answer = desk.command(global.request(fund, command))?;
    let state = desk.last_seen(fund).ok_or(Refusal::FundMustBeOpen)?;
    global.say(state, fund, &answer, |state, _| {
        let held = state.reserve().positions()?;
        let coins = held.iter().map(|p| format!("{} {}", p.held, p.asset)).collect::<Vec<_>>().join(", ");
        Ok(format!("{fund} is open: {} seed shares, {coins} in the vault", shares(state.issued())?))
    })
}

/// On which session a fund opens, when its definition does not say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SeedDate {
    On(Date),
    LastSession,
}

fn seed_date(text: &str) -> Result<SeedDate, String> {
    match text {
        "last-session" => Ok(SeedDate::LastSession),
        text => crate::context::date(text).map(SeedDate::On),
    }
}

impl SeedDate {
    /// The last session is the one before today on the fund's clock: today's strike may be still to come.
    fn session(self, definition: &FundDefinition, now: Timestamp) -> Result<Date, Failure> {
        match self {
            Self::On(date) => Ok(date),
            Self::LastSession => {
                let today = definition.strike.zone.date_of(now);
                Ok(definition.calendar.previous_session(today).map_err(Refusal::from)?)
            }
        }
    }
}

/// The definition with another seed date; nothing else of the text changes.
pub(crate) fn dated(text: &str, definition: &FundDefinition, date: Date) -> String {
    let (head, seed) = text.split_once("[seed]").unwrap_or((text, ""));
    let seed = seed.replacen(&definition.seed.date.to_string(), &date.to_string(), 1);
    format!("{head}[seed]{seed}")
}

#[derive(Serialize)]
struct Listed {
    fund: Symbol,
    name: String,
    status: &'static str,
    last_nav: Option<Date>,
    nav_per_share: Option<Money>,
    shares: Shares,
}

fn list(global: &Global) -> Result<(), Failure> {
    let mut desk = global.open_read_only()?;
    let mut rows = Vec::new();
    for fund in desk.fund_names()? {
        let Some(state) = desk.fund(fund)? else { continue };
        let nav = state.last_nav();
        rows.push(Listed {
            fund,
            name: state.definition().name.clone(),
            status: if state.wiped_out().is_some() { "wiped out" } else { status_name(state.status()) },
            last_nav: nav.map(|nav| nav.date),
            nav_per_share: nav.map(|nav| nav.published.nav_per_share_published),
            shares: state.outstanding()?,
        });
    }
    if global.json {
        return print::json(&rows);
    }
    let columns = [
        ("fund", Align::Left),
        ("name", Align::Left),
        ("status", Align::Left),
        ("last NAV", Align::Left),
        ("USD per share", Align::Right),
        ("shares", Align::Right),
    ];
    let cells = rows.into_iter().map(|row| {
        let nav = row.nav_per_share.map_or(Ok(String::new()), money)?;
        let date = row.last_nav.map(|date| date.to_string()).unwrap_or_default();
        Ok(vec![row.fund.to_string(), row.name, row.status.into(), date, nav, shares(row.shares)?])
    });
    print::line(print::table(&columns, cells.collect::<Result<Vec<_>, Failure>>()?));
    Ok(())
}

#[derive(Serialize)]
struct Status {
    fund: Symbol,
    name: String,
    status: FundStatus,
    last_nav: Option<Date>,
    nav_per_share: Option<Price>,
    net_assets: Option<Money>,
    shares_outstanding: Shares,
    assets: Vec<Held>,
    cash: Money,
    sponsor_fee_accrued: Money,
    expenses_accrued: Money,
    open_orders: usize,
    next_session: Date,
    cut_offs: Vec<CutOff>,
    last_event: Timestamp,
}

#[derive(Serialize)]
struct Held {
    asset: Symbol,
    vault: Quantity,
    trading: Quantity,
    receivable_less_payable: Quantity,
    held: Quantity,
    owed_to_shares: Quantity,
    set_aside: Quantity,
    surplus: Quantity,
}

#[derive(Serialize)]
struct CutOff {
    method: OrderMethod,
    trade_date: Date,
    until: Timestamp,
}

fn status(global: &Global, state: &FundState) -> Result<(), Failure> {
    let status = gather(state)?;
    if global.json {
        return print::json(&status);
    }
    let mut rows = vec![
        ("fund", format!("{} {}", status.fund, status.name)),
        ("status", describe(&status.status)),
        ("shares", shares(status.shares_outstanding)?),
    ];
    if let (Some(date), Some(per_share), Some(net)) =
        (status.last_nav, status.nav_per_share, status.net_assets)
    {
        rows.push((
            "last NAV",
            format!("{date}, {} USD per share, {} USD net assets", price(per_share)?, money(net)?),
        ));
    }
    rows.push(("cash", format!("{} USD", money(status.cash)?)));
    let fee = match state.definition().fee.accrual {
        FeeAccrual::Money => format!("{} USD", money(status.sponsor_fee_accrued)?),
        FeeAccrual::Coins { .. } => "in coins, among those set aside".to_owned(),
    };
    rows.push(("sponsor fee accrued", fee));
    rows.push(("expenses accrued", format!("{} USD", money(status.expenses_accrued)?)));
    rows.push(("orders", format!("{} open", status.open_orders)));
    rows.push(("next session", status.next_session.to_string()));
    for cut_off in &status.cut_offs {
        let passed = if cut_off.until < global.now() { ", passed" } else { "" };
        rows.push((
            "cut-off",
            format!("{} orders for {}: {}{passed}", cut_off.method, cut_off.trade_date, cut_off.until),
        ));
    }
    print::line(print::pairs(rows));
    print::line("");
    let columns = ["asset", "vault", "trading", "held", "owed to shares", "set aside", "surplus"];
    let columns: Vec<_> = columns
        .into_iter()
        .map(|name| (name, if name == "asset" { Align::Left } else { Align::Right }))
        .collect();
    let cells = status.assets.iter().map(|held| {
        let figures =
            [held.vault, held.trading, held.held, held.owed_to_shares, held.set_aside, held.surplus];
        core::iter::once(held.asset.to_string()).chain(figures.iter().map(Quantity::to_string)).collect()
    });
    print::line(print::table(&columns, cells));
    Ok(())
}

fn gather(state: &FundState) -> Result<Status, Failure> {
    let definition = state.definition();
    let ledger = state.ledger();
    let nav = state.last_nav();
    let next_session = definition
        .calendar
        .next_session(nav.map_or(definition.seed.date, |nav| nav.date))
        .map_err(Refusal::from)?;
    let mut cut_offs = Vec::new();
    for method in [OrderMethod::Cash, OrderMethod::InKind] {
        if let Some(until) = definition.cut_off(method, next_session).map_err(Refusal::from)? {
            cut_offs.push(CutOff { method, trade_date: next_session, until });
        }
    }
    Ok(Status {
        fund: definition.id,
        name: definition.name.clone(),
        status: state.status().clone(),
        last_nav: nav.map(|nav| nav.date),
        nav_per_share: nav.map(|nav| nav.current.nav_per_share),
        net_assets: nav.map(|nav| nav.current.valuation.net_assets),
        shares_outstanding: state.outstanding()?,
        assets: held(state)?,
        cash: ledger.money(Account::Cash),
        sponsor_fee_accrued: ledger.money(Account::AccruedFee).try_neg()?,
        expenses_accrued: ledger.money(Account::AccruedExpense).try_neg()?,
        open_orders: state.orders().count(),
        next_session,
        cut_offs,
        last_event: state.last_at(),
    })
}

fn held(state: &FundState) -> Result<Vec<Held>, Failure> {
    let mut rows = Vec::new();
    for position in state.reserve().positions()? {
        let zero = Quantity::zero(position.held.scale());
        let balance = |account| state.ledger().coins(position.asset, account).unwrap_or(zero);
        let (vault, trading) = (balance(Account::Vault), balance(Account::Trading));
        rows.push(Held {
            asset: position.asset,
            vault,
            trading,
            receivable_less_payable: balance(Account::Receivable).try_add(balance(Account::Payable))?,
            held: position.held,
            owed_to_shares: position.entitlement,
            set_aside: position.set_aside,
            surplus: position.held.try_sub(position.entitlement)?.try_sub(position.set_aside)?,
        });
    }
    Ok(rows)
}

fn status_name(status: &FundStatus) -> &'static str {
    match status {
        FundStatus::Running => "running",
        FundStatus::Halted { scope: HaltScope::Creations, .. } => "creations halted",
        FundStatus::Halted { scope: HaltScope::Orders, .. } => "halted",
    }
}

fn describe(status: &FundStatus) -> String {
    match status {
        FundStatus::Running => status_name(status).to_owned(),
        FundStatus::Halted { reason, .. } => format!("{}: {reason}", status_name(status)),
    }
}
