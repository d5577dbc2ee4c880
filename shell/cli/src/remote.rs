//! The books of funds: a database that this process opens, or a server that holds it. The commands do not know which.

use crate::failure::{Exit, Failure};
use serde_json::Value;
use std::collections::BTreeMap;
use strongroom_client::Client;
use strongroom_desk::{Answer, Desk, Request};
use strongroom_engine::{FundState, Outcome};
use strongroom_server::Done;
use strongroom_units::Symbol;

/// Where commands go and states come from.
pub(crate) enum Books {
    File(Box<Desk>),
    Server(Box<Remote>),
}

/// A server, and the states that were read from it.
pub(crate) struct Remote {
    client: Client,
    states: BTreeMap<Symbol, FundState>,
}

impl Remote {
    pub fn new(client: Client) -> Self {
        Self { client, states: BTreeMap::new() }
    }

    fn read(&mut self, fund: Symbol) -> Result<(), Failure> {
        let answer = self.client.get(&format!("/v1/funds/{fund}/state"))?;
        if answer.status == 404 {
            self.states.remove(&fund);
            return Ok(());
        }
        let body = answer.into_success()?;
        let state = FundState::from_snapshot(&String::from_utf8_lossy(&body))?;
        self.states.insert(fund, state);
        Ok(())
    }

    fn command(&mut self, request: &Request) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(&request.command)?;
        let answer = self.client.post(&format!("/v1/funds/{}/commands", request.fund), &body)?;
        let done: Done = serde_json::from_slice(&answer.into_success()?)?;
        self.read(request.fund)?;
        let outcome = if done.outcome == "done" { Outcome::Done } else { Outcome::AlreadyDone };
        Ok(Answer { outcome, seq: done.seq, events: done.events, place: None, request: None })
    }
}

impl Books {
    /// The funds there are.
    pub fn fund_names(&mut self) -> Result<Vec<Symbol>, Failure> {
        match self {
            Self::File(desk) => Ok(desk.fund_names()?),
            Self::Server(remote) => {
                let rows = all_pages(&remote.client, "/v1/funds")?;
                let names = rows.iter().filter_map(|row| row.get("fund")?.as_str()?.parse().ok());
                Ok(names.collect())
            }
        }
    }

    /// A fund as it is now; none when it is not open.
    pub fn fund(&mut self, fund: Symbol) -> Result<Option<&FundState>, Failure> {
        match self {
            Self::File(desk) => Ok(desk.fund(fund)?),
            Self::Server(remote) => {
                remote.read(fund)?;
                Ok(remote.states.get(&fund))
            }
        }
    }

    /// A fund as it was when it was last read or changed here.
    pub fn last_seen(&self, fund: Symbol) -> Option<&FundState> {
        match self {
            Self::File(desk) => desk.last_seen(fund),
            Self::Server(remote) => remote.states.get(&fund),
        }
    }

    /// Gives a command.
    pub fn command(&mut self, request: Request) -> Result<Answer, Failure> {
        match self {
            Self::File(desk) => Ok(desk.command(request)?),
            Self::Server(remote) => remote.command(&request),
        }
    }

    /// The desk, for what only a file can do.
    pub fn into_desk(self) -> Result<Desk, Failure> {
        match self {
            Self::File(desk) => Ok(*desk),
            Self::Server(_) => Err(Failure::new(
                "command.must_be_given_to_a_file",
                "this works on a database, not over a server",
                Exit::CommandLine,
            )),
        }
    }
}

/// Every row of a list, page by page.
pub(crate) fn all_pages(client: &Client, path: &str) -> Result<Vec<Value>, Failure> {
    let (mut rows, mut after) = (Vec::new(), None::<String>);
    loop {
        let target = match &after {
            Some(after) => format!("{path}?limit=1000&after={after}"),
            None => format!("{path}?limit=1000"),
        };
        let page: Value = serde_json::from_slice(&client.get(&target)?.into_success()?)?;
        rows.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
        after = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if after.is_none() {
            return Ok(rows);
        }
    }
}
