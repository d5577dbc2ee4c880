//! `strongroom drill`: does for real, under load, what must never show: rotations, revocations, restarts, replays. It makes
//! clients of its own at a running server, and its exit code says whether a promise broke.

mod fleet;
mod load;
mod replay;
mod revoke;
mod rotate;

use super::rotation::seconds;
use crate::context::Global;
use crate::failure::Failure;
use clap::{Args, Subcommand};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum DrillVerb {
    /// Many clients replace their keys round after round while they send requests
    #[command(
        after_help = "Example:\n  strongroom drill rotate --clients 200 --rounds 10 --rate 500 --target http://127.0.0.1:8080 \\\n      --key operator.key --each-round ./kill-and-restart.sh"
    )]
    Rotate {
        #[command(flatten)]
        load: LoadArgs,
        /// How often each client replaces its key
        #[arg(long, default_value_t = 10)]
        rounds: u32,
    },
    /// Clients are revoked in the middle of their requests: none may pass that was sent after the call returned
    #[command(
        after_help = "Example:\n  strongroom drill revoke --clients 20 --rate 200 --duration 10s --target http://127.0.0.1:8080 \\\n      --key operator.key"
    )]
    Revoke {
        #[command(flatten)]
        load: LoadArgs,
    },
    /// Clients send requests while a command, such as one that restarts the server, runs again and again
    #[command(
        after_help = "Example:\n  strongroom drill restart --clients 20 --rate 200 --duration 30s --target http://127.0.0.1:8080 \\\n      --key operator.key --each-round ./kill-and-restart.sh"
    )]
    Restart {
        #[command(flatten)]
        load: LoadArgs,
    },
    /// One signed request is repeated and changed in every way that should be refused; works against any HTTP API
    #[command(
        after_help = "Examples:\n  strongroom drill replay GET /v1/whoami --key ap-one.key\n  strongroom drill replay --request captured.txt\n\nA request file has METHOD URL in its first line, then header fields, an empty line, and the content."
    )]
    Replay(replay::Replay),
}

/// How much load, on what.
#[derive(Debug, Clone, Args)]
pub(crate) struct LoadArgs {
    /// The server; the key file's when absent
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// Clients, each with a key of its own
    #[arg(long, default_value_t = 20)]
    clients: u32,
    /// Requests a second, of all clients together
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// For how long; rounds have the time they need
    #[arg(long, default_value = "10s", value_parser = seconds, value_name = "TIME")]
    duration: i64,
    /// A shell command to run once in each round, or every five seconds
    #[arg(long, value_name = "COMMAND")]
    each_round: Option<String>,
}

/// Clients, at most: each is a thread.
const CLIENTS_MAX: u32 = 2_000;

impl LoadArgs {
    fn check(&self) -> Result<(), Failure> {
        let fits = (1..=CLIENTS_MAX).contains(&self.clients) && self.rate > 0 && self.duration > 0;
        if fits {
            return Ok(());
        }
        let message = format!("give 1 to {CLIENTS_MAX} clients, and a rate and a duration above nothing");
        Err(Failure::new("command_line.must_be_valid", message, crate::failure::Exit::CommandLine))
    }

    /// Between two requests of one client.
    fn interval(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.clients) / f64::from(self.rate))
    }

    fn time(&self) -> Duration {
        Duration::from_secs(self.duration.unsigned_abs())
    }

    fn run_command(&self) {
        let Some(command) = &self.each_round else { return };
        let done = std::process::Command::new("sh").arg("-c").arg(command).status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("warning: the command of the round did not succeed");
        }
    }
}

impl DrillVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Rotate { load, rounds } => rotate::run(global, &load, rounds),
            Self::Revoke { load } => revoke::run(global, &load),
            Self::Restart { load } => rotate::run(global, &load, 0),
            Self::Replay(replay) => replay.run(global),
        }
    }
}
