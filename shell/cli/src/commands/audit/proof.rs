//! `strongroom audit prove` and `strongroom audit check`: one record, for somebody else.

use super::{Signed, not_held, of_store, read};
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use clap::Args;
use std::io::Read;
use std::path::{Path, PathBuf};
use strongroom_audit::{
    AuditError, Checkpoint, Disclosure, Entry, ProofFile, RECEIPT_BYTES_MAX, Receipt, SignedNote,
    VerifierKey, Written,
};

/// Proves that a record is in the log.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strongroom audit prove fund/BTCX 17 --out order.receipt.json\n  strongroom audit prove fund/BTCX 17 --tlog-proof"
)]
pub(crate) struct Prove {
    /// Stream of the record, such as fund/BTCX or access
    stream: String,
    /// Its number in the stream, from 1
    seq: u64,
    /// New file; standard output when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A proof file of C2SP tlog-proof instead of a receipt: without the content of the record
    #[arg(long)]
    tlog_proof: bool,
}

/// Checks a receipt or a proof file; no database is needed.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strongroom audit check order.receipt.json \\\n      --vkey fund.example/log+90d4b127+Aa0OElnyIy6iC9rlFVFQLpx0AQiHyaimblAW9gQv5sLj"
)]
pub(crate) struct Check {
    /// The receipt or proof file
    file: PathBuf,
    /// Public key of the log, as `strongroom audit vkey` prints it
    #[arg(long, value_name = "KEY")]
    vkey: String,
    /// Public key of a witness that must have cosigned, once for each
    #[arg(long, value_name = "KEY")]
    witness_vkey: Vec<String>,
}

impl Prove {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let mut desk = read(global)?;
        let signed = Signed::of(&desk.log_head()?)?;
        let receipt = desk.store().receipt(&self.stream, self.seq).map_err(of_store)?;
        receipt.verify(&signed.key).map_err(not_held)?;
        let text = match self.tlog_proof {
            true => receipt.to_proof_file().map_err(not_held)?.to_string(),
            false => format!("{}\n", receipt.to_json().map_err(not_held)?),
        };
        match &self.out {
            None => print::line(text.trim_end_matches('\n')),
            Some(path) => {
                write_new(path, &text)?;
                if !global.json {
                    print::line(format!(
                        "Leaf {} of {} proved in {}",
                        receipt.leaf_index,
                        signed.checkpoint.size(),
                        path.display()
                    ));
                }
            }
        }
        Ok(())
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = std::fs::File::create_new(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| Failure::file(path, &error))
}

impl Check {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let key = key_of(&self.vkey)?;
        let witnesses = self.witness_vkey.iter().map(|key| key_of(key)).collect::<Result<Vec<_>, _>>()?;
        let text = read_bounded(&self.file)?;
        if text.starts_with("c2sp.org/tlog-proof") {
            let file: ProofFile = text.parse().map_err(|error| self.unreadable(&error))?;
            let checkpoint = file.verify(&key).map_err(not_held)?;
            must_be_cosigned(&file.checkpoint, &witnesses)?;
            let entry = Entry::parse(file.extra.as_deref().unwrap_or_default()).map_err(not_held)?;
            return say(global, &entry, None, file.index, &checkpoint);
        }
        let receipt = Receipt::from_json(&text).map_err(|error| self.unreadable(&error))?;
        let checkpoint = receipt.verify(&key).map_err(not_held)?;
        must_be_cosigned(&receipt.checkpoint, &witnesses)?;
        say(global, &receipt.entry(), Some(&receipt.disclosure), receipt.leaf_index, &checkpoint)
    }

    fn unreadable(&self, error: &AuditError) -> Failure {
        Failure::new(error.code(), format!("{}: {error}", self.file.display()), Exit::Input)
    }
}

fn key_of(text: &str) -> Result<VerifierKey, Failure> {
    text.parse().map_err(|error: AuditError| Failure::new(error.code(), error.to_string(), Exit::CommandLine))
}

fn must_be_cosigned(note: &SignedNote, witnesses: &[VerifierKey]) -> Result<(), Failure> {
    witnesses.iter().try_for_each(|witness| note.verify([witness]).map(drop).map_err(not_held))
}

fn say(
    global: &Global,
    entry: &Entry<'_>,
    content: Option<&Disclosure>,
    leaf: u64,
    checkpoint: &Checkpoint,
) -> Result<(), Failure> {
    let made = match entry.written {
        Written::WithEvent => "with the record",
        Written::Later => "later: the record is older than the log",
    };
    let opened = match content {
        Some(Disclosure::Opened(content)) => Some(content),
        _ => None,
    };
    if global.json {
        return print::json(&serde_json::json!({
            "verified": true,
            "log": checkpoint.origin(),
            "size": checkpoint.size(),
            "leaf": leaf,
            "stream": entry.stream,
            "seq": entry.seq,
            "recorded_at": entry.recorded_at,
            "kind": entry.kind,
            "actor": opened.map(|content| &content.actor),
            "body": opened.map(|content| &content.body),
        }));
    }
    let withheld = || "withheld".to_owned();
    print::line("Verified: this record is in the log, as it is shown here.\n");
    print::line(print::pairs([
        ("log", checkpoint.origin().to_owned()),
        ("leaf", format!("{leaf} of {}", checkpoint.size())),
        ("leaf made", made.to_owned()),
        ("record", format!("{} of {}", entry.seq, entry.stream)),
        ("written", entry.recorded_at.to_owned()),
        ("kind", entry.kind.to_owned()),
        ("actor", opened.map_or_else(withheld, |content| content.actor.clone())),
        ("content", opened.map_or_else(withheld, |content| content.body.clone())),
    ]));
    Ok(())
}

fn read_bounded(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let limit = u64::try_from(RECEIPT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let read = std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text));
    read.map(|_| text).map_err(|error| Failure::file(path, &error))
}
