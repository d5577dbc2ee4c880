//! What every command shares: the database, the fund, the time, and how to print.

use crate::commands::http::KeyArgs;
use crate::failure::{Exit, Failure};
use crate::log_key::LogArgs;
use crate::print;
use crate::remote::{Books, Remote};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use strongroom_desk::{Answer, Cause, Desk, Request};
use strongroom_engine::{Command, Event, FundState, Outcome};
use strongroom_store::Location;
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Price, Rate, Symbol};

pub(crate) const EVERYWHERE: &str = "Options of every command";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// SQLite file, or postgres://user@host:port/database
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        env = "STRONGROOM_DATABASE",
        default_value = "strongroom.db",
        value_name = "LOCATION"
    )]
    pub database: String,
    /// Which fund, when the database holds more than one
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "ID")]
    pub fund: Option<Symbol>,
    /// Business time of the command, like 2024-01-11T21:30:00Z; now when absent
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "INSTANT", value_parser = instant)]
    pub at: Option<Timestamp>,
    /// Print JSON; errors too, on standard error
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    #[command(flatten)]
    pub keys: KeyArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

/// What a command that changes something prints as JSON.
#[derive(Serialize)]
struct Done<'a> {
    outcome: &'static str,
    fund: Symbol,
    seq: u64,
    events: &'a [Event],
}

impl Global {
    pub fn location(&self) -> Result<Location, Failure> {
        Ok(self.database.parse::<Location>()?)
    }

    pub fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(Timestamp::now)
    }

    /// Whether commands go to a server.
    pub fn is_remote(&self) -> bool {
        self.keys.server.is_some()
    }

    /// The books on a server, when one was named.
    fn remote(&self) -> Result<Option<Books>, Failure> {
        if !self.is_remote() {
            return Ok(None);
        }
        if self.at.is_some() {
            let message = "a server goes by its own clock; --at is for a file";
            return Err(Failure::new("command_line.must_be_valid", message, Exit::CommandLine));
        }
        Ok(Some(Books::Server(Box::new(Remote::new(self.keys.client()?)))))
    }

    /// The database's file.
    pub fn sqlite_path(&self) -> Result<PathBuf, Failure> {
        match self.location()? {
            Location::Sqlite(path) => Ok(path),
            Location::Postgres(_) => {
                let message = "no file stands beside a PostgreSQL database";
                let failure = Failure::new("vault.kek_must_be_named", message, Exit::CommandLine);
                Err(failure.hint("Name the key-encryption key with --kek file:PATH, env:NAME or pkcs11:URI."))
            }
        }
    }

    /// Opens the database for writing, creating it when it does not exist. Its history must be what it was.
    pub fn open(&self) -> Result<Desk, Failure> {
        let location = self.location()?;
        let notary = self.log.notary(&location)?;
        let anchor = self.log.anchor(&location)?;
        Ok(Desk::open_recorded(&location, notary, anchor)?)
    }

    /// A mistyped path must not become a new, empty database.
    pub fn must_exist(&self) -> Result<(), Failure> {
        match self.location()? {
            Location::Sqlite(path) if !path.exists() => {
                let message = format!("there is no database {}", path.display());
                let failure = Failure::new("database.must_exist", message, Exit::Database);
                Err(failure.hint("Name it with --database, or make one with `strongroom fund open FILE`."))
            }
            _ => Ok(()),
        }
    }

    /// The books for writing: of a server, or of a database that exists.
    pub fn open_existing(&self) -> Result<Books, Failure> {
        if let Some(books) = self.remote()? {
            return Ok(books);
        }
        self.must_exist()?;
        Ok(Books::File(Box::new(self.open()?)))
    }

    /// The books for writing, where a new database is made if there is none.
    pub fn open_or_make(&self) -> Result<Books, Failure> {
        match self.remote()? {
            Some(books) => Ok(books),
            None => Ok(Books::File(Box::new(self.open()?))),
        }
    }

    /// Whether opening the database for writing would make a new file.
    pub fn is_new_file(&self) -> Result<bool, Failure> {
        Ok(!self.is_remote() && matches!(self.location()?, Location::Sqlite(path) if !path.exists()))
    }

    /// The books for reading: of a server, or of a database that another process may write meanwhile.
    pub fn open_read_only(&self) -> Result<Books, Failure> {
        if let Some(books) = self.remote()? {
            return Ok(books);
        }
        self.must_exist()?;
        Ok(Books::File(Box::new(Desk::open_read_only(&self.location()?)?)))
    }

    /// The fund that was named, or the only one there is.
    pub fn chosen(&self, desk: &mut Books) -> Result<Symbol, Failure> {
        if let Some(fund) = self.fund {
            return Ok(fund);
        }
        match desk.fund_names()?.as_slice() {
            [only] => Ok(*only),
            [] => Err(no_fund("the database holds no fund", "Open one with `strongroom fund open FILE`.")),
            several => {
                let names = several.iter().map(Symbol::to_string).collect::<Vec<_>>().join(", ");
                Err(no_fund(&format!("the database holds several funds: {names}"), "Name one with --fund."))
            }
        }
    }

    /// Reads the chosen fund and hands its state over.
    pub fn read<T>(&self, work: impl FnOnce(&FundState) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut desk = self.open_read_only()?;
        let fund = self.chosen(&mut desk)?;
        let state = desk.fund(fund)?.ok_or(strongroom_engine::Refusal::FundMustBeOpen)?;
        work(state)
    }

    /// A command as this user of this machine gives it.
    pub fn request(&self, fund: Symbol, command: Command) -> Request {
        Request { fund, command, at: self.now(), cause: cause() }
    }

    /// Gives one command to the chosen fund.
    pub fn give(&self, command: Command) -> Result<(Books, Symbol, Answer), Failure> {
        let mut desk = self.open_existing()?;
        let fund = self.chosen(&mut desk)?;
        let answer = desk.command(self.request(fund, command))?;
        Ok((desk, fund, answer))
    }

    /// Gives one command and prints what came of it: `done` writes the sentence for people.
    pub fn give_and_say(
        &self,
        command: Command,
        done: impl FnOnce(&FundState, &[Event]) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        let (desk, fund, answer) = self.give(command)?;
        let state = desk.last_seen(fund).ok_or(strongroom_engine::Refusal::FundMustBeOpen)?;
        self.say(state, fund, &answer, done)
    }

    /// Prints an answer.
    pub fn say(
        &self,
        state: &FundState,
        fund: Symbol,
        answer: &Answer,
        done: impl FnOnce(&FundState, &[Event]) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        let outcome = match answer.outcome {
            Outcome::Done => "done",
            Outcome::AlreadyDone => "already done",
        };
        if self.json {
            return print::json(&Done { outcome, fund, seq: answer.seq, events: &answer.events });
        }
        match answer.outcome {
            Outcome::Done => print::line(done(state, &answer.events)?),
            Outcome::AlreadyDone => print::line("already done: nothing changed"),
        }
        Ok(())
    }
}

/// Who writes to a file: the user whom the operating system runs this program for.
pub(crate) fn cause() -> Cause {
    Cause::actor(format!("os:{}", whoami::username().unwrap_or_else(|_| "unknown".to_owned())))
}

/// `ASSET=PRICE` on the command line.
pub(crate) fn asset_price(text: &str) -> Result<(Symbol, Price), String> {
    let (asset, price) = text.split_once('=').ok_or("write it like BTC=43900.12")?;
    let asset = asset.parse::<Symbol>().map_err(|error| error.to_string())?;
    let price = price.parse::<Price>().map_err(|error| error.to_string())?;
    Ok((asset, price))
}

/// `ASSET=FRACTION` on the command line.
pub(crate) fn asset_weight(text: &str) -> Result<(Symbol, Rate), String> {
    let (asset, weight) = text.split_once('=').ok_or("write it like BTC=0.7")?;
    let asset = asset.parse::<Symbol>().map_err(|error| error.to_string())?;
    let weight = weight.parse::<Rate>().map_err(|error| error.to_string())?;
    Ok((asset, weight))
}

/// A date on the command line.
pub(crate) fn date(text: &str) -> Result<Date, String> {
    let date = text.parse().ok().filter(|date: &Date| date.to_string() == text);
    date.ok_or_else(|| "write a date like 2024-01-11".to_owned())
}

/// An instant on the command line.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "write an instant like 2024-01-11T21:30:00Z or 2024-01-11T16:30:00-05:00".to_owned())
}

fn no_fund(message: &str, hint: &str) -> Failure {
    Failure::new("fund.must_be_named", message, Exit::Refused).hint(hint)
}
