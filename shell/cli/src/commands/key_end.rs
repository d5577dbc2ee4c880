//! The end of a key, and what it is held to before: revoke, restrict, release.

use crate::context::Global;
use crate::failure::Failure;
use crate::print;
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use strongroom_server::{Restrict, Revoke};

/// Which key ends, and why.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The lineage, or one key as LINEAGE.VERSION
    name: String,
    /// Why, for the record
    #[arg(long)]
    reason: String,
    /// Also when no operator could act afterwards; the next start invites a first operator again
    #[arg(long)]
    even_the_last: bool,
    /// Seconds to wait until no verifier accepts the key any more; 0 does not wait and says who has not confirmed
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    wait: f64,
    /// Write the receipts here, one JSON text a line
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
}

impl RevokeArgs {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let Self { name, reason, even_the_last, wait, receipts } = self;
        let (lineage, version) = match name.split_once('.') {
            Some((lineage, version)) => (lineage.to_owned(), version.parse().ok()),
            None => (name, None),
        };
        let wait_seconds = Some(wait);
        let body = serde_json::to_vec(&Revoke { reason, version, even_the_last, wait_seconds })?;
        let answer =
            global.keys.client()?.post(&format!("/v1/keys/{lineage}/revoke"), &body)?.into_success()?;
        if let Some(path) = receipts {
            write_receipts(&path, &answer)?;
        }
        if global.json {
            print::line(String::from_utf8_lossy(&answer));
            return Ok(());
        }
        told_revoked(&serde_json::from_slice(&answer)?);
        Ok(())
    }
}

/// A key that ended.
#[derive(Deserialize)]
struct Ended {
    key: String,
}

/// What came of a revocation, as far as it is printed.
#[derive(Deserialize)]
struct RevokedRow {
    keys: Vec<Ended>,
    confirmed: bool,
    unconfirmed: Vec<String>,
    waited_ms: u64,
    receipts: Vec<ReceiptRow>,
}

#[derive(Deserialize)]
struct ReceiptRow {
    leaf_index: u64,
    recorded_at: String,
}

fn told_revoked(revoked: &RevokedRow) {
    match revoked.keys.is_empty() {
        true => print::line("already done: nothing changed"),
        false => revoked.keys.iter().for_each(|key| print::line(format!("{} is revoked", key.key))),
    }
    for receipt in &revoked.receipts {
        print::line(format!("recorded at {} as leaf {} of the log", receipt.recorded_at, receipt.leaf_index));
    }
    match revoked.confirmed {
        true => print::line(format!("no verifier accepts it any more (after {} ms)", revoked.waited_ms)),
        false => print::line(format!(
            "NOT YET CONFIRMED by {}: they may accept it for a second more",
            revoked.unconfirmed.join(", ")
        )),
    }
}

/// Each receipt as its own line, byte for byte as the server gave it.
fn write_receipts(path: &Path, answer: &[u8]) -> Result<(), Failure> {
    let answer: serde_json::Value = serde_json::from_slice(answer)?;
    let receipts = answer.get("receipts").and_then(serde_json::Value::as_array);
    let lines: String = receipts.into_iter().flatten().map(|receipt| format!("{receipt}\n")).collect();
    std::fs::write(path, lines).map_err(|error| Failure::file(path, &error))
}

pub(crate) fn restrict(
    global: &Global,
    lineage: &str,
    restriction: Option<String>,
    reason: String,
) -> Result<(), Failure> {
    let told = restriction.clone().unwrap_or_else(|| "held to nothing any more".to_owned());
    let body = serde_json::to_vec(&Restrict { restriction, reason })?;
    let path = format!("/v1/keys/{lineage}/restrict");
    let answer = global.keys.client()?.post(&path, &body)?.into_success()?;
    if global.json {
        print::line(String::from_utf8_lossy(&answer));
        return Ok(());
    }
    print::line(format!("{lineage} is {told}"));
    Ok(())
}
