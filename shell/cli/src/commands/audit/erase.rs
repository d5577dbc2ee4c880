//! `strongroom audit erase`: what is personal goes, and no proof changes.

use super::must_be_reason;
use crate::context::{Global, cause};
use crate::failure::Failure;
use crate::print;
use clap::Args;
use strongroom_access::LineageId;

/// Erases from where a lineage's requests came: addresses and what clients call themselves. Records, tree and proofs stay as
/// they are, and the log says that it was done.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strongroom audit erase k0123456789ab --reason \"asked for by its holder\""
)]
pub(crate) struct Erase {
    /// The lineage
    lineage: LineageId,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Erase {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        must_be_reason(&self.reason)?;
        let mut desk = global.open_existing()?.into_desk()?;
        let erased = desk.erase_sources(&self.lineage, &self.reason, &cause())?;
        if global.json {
            return print::json(&serde_json::json!({ "lineage": self.lineage, "erased": erased }));
        }
        match erased {
            0 => print::line("already done: nothing is kept of where its requests came from"),
            count => print::line(format!("erased of {}", crate::commands::counted(count as u64, "request"))),
        }
        Ok(())
    }
}
