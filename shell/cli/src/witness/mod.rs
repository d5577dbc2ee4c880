//! `strongroom witness`: signs what it has seen of other installations' logs (C2SP tlog-witness), so that none of them
//! can show two histories.

mod run;
mod state;

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use strongroom_audit::{AuditError, KeyKind, VerifierKey};

use state::State;

/// A witness for other installations' logs.
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessVerb {
    /// Make a witness: its key, and a folder for what it has seen
    Init(Init),
    /// Give the witness a log to watch over
    AddLog(AddLog),
    /// Answer logs that ask for a cosignature
    Run(Run),
}

/// Makes a witness.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom witness init w1 --name witness.example/w1")]
pub(crate) struct Init {
    /// New folder
    folder: PathBuf,
    /// Name of the witness: a URL without its scheme
    #[arg(long, value_name = "NAME")]
    name: String,
}

/// Gives the witness a log to watch over.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strongroom witness add-log w1 \\\n      fund.example/log+90d4b127+Aa0OElnyIy6iC9rlFVFQLpx0AQiHyaimblAW9gQv5sLj"
)]
pub(crate) struct AddLog {
    /// Folder of the witness
    folder: PathBuf,
    /// Public key of the log, as `strongroom audit vkey` prints it there
    vkey: String,
}

/// Answers `POST /add-checkpoint` on loopback; a proxy in front of it does TLS.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom witness run w1 --listen 127.0.0.1:8090")]
pub(crate) struct Run {
    /// Folder of the witness
    folder: PathBuf,
    /// Where to listen, on loopback; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
}

impl WitnessVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Init(init) => {
                let key = State::init(&init.folder, &init.name)?;
                say(global, &key, &format!("A witness in {}; its public key:", init.folder.display()))
            }
            Self::AddLog(add) => {
                let key: VerifierKey = add.vkey.parse().map_err(command_line)?;
                if key.kind() != KeyKind::Note {
                    return Err(command_line(AuditError::KeyMustBeOfKind));
                }
                State::open(&add.folder)?.add_log(&key)?;
                say(global, &key, "It watches over the log with the key:")
            }
            Self::Run(run) => run::run(global, State::open(&run.folder)?, run.listen),
        }
    }
}

fn say(global: &Global, key: &VerifierKey, sentence: &str) -> Result<(), Failure> {
    if global.json {
        return print::json(&serde_json::json!({"vkey": key.to_string()}));
    }
    print::line(format!("{sentence}\n\n  {key}"));
    Ok(())
}

fn command_line(error: AuditError) -> Failure {
    Failure::new(error.code(), error.to_string(), Exit::CommandLine)
}
