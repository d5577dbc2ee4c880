//! `strongroom audit cosign`: a witness signs that it has seen our checkpoint, and no other history of this log.

use super::{Signed, not_held, of_store, read};
use crate::commands::counted;
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use clap::Args;
use std::sync::Arc;
use std::time::Duration;
use strongroom_audit::{AuditError, NoteSignature, VerifierKey};
use strongroom_store::{Anchor, LogFault, Store};
use ureq::tls::{TlsConfig, TlsProvider};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer, at most: some lines of signature.
const ANSWER_BYTES_MAX: u64 = 1 << 16;

/// Asks a witness (C2SP tlog-witness) to cosign the last checkpoint, and keeps the cosigned note in the anchor.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strongroom audit cosign --witness http://127.0.0.1:8090 \\\n      --witness-vkey witness.example/w1+f6bbfa28+BK0OElnyIy6iC9rlFVFQLpx0AQiHyaimblAW9gQv5sLj"
)]
pub(crate) struct Cosign {
    /// Where the witness is
    #[arg(long, value_name = "URL")]
    witness: String,
    /// Its public key, as `strongroom witness init` prints it
    #[arg(long, value_name = "KEY")]
    witness_vkey: String,
}

/// What a witness answers.
enum Answer {
    Cosigned(String),
    /// It has seen the log at this size.
    Seen(u64),
}

impl Cosign {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let witness: VerifierKey = self
            .witness_vkey
            .parse()
            .map_err(|error: AuditError| Failure::new(error.code(), error.to_string(), Exit::CommandLine))?;
        let mut desk = read(global)?;
        let Signed { mut note, checkpoint, .. } = Signed::of(&desk.log_head()?)?;
        let Some(path) = global.log.anchor_path(&global.location()?) else {
            let message = "no file keeps the cosigned checkpoint";
            let failure = Failure::new("log.anchor_must_be_named", message, Exit::CommandLine);
            return Err(failure.hint("Name it with --anchor."));
        };
        let size = checkpoint.size();
        let ask = |old: u64, store: &mut Store| self.ask(&request(store, old, size, &note.to_string())?);
        let lines = match ask(0, desk.store())? {
            Answer::Cosigned(lines) => lines,
            Answer::Seen(signed) if signed > size => {
                let fault = LogFault::OlderThanAnchor { size, signed };
                return Err(Failure::new(fault.code(), fault.to_string(), Exit::Refused));
            }
            Answer::Seen(seen) => match ask(seen, desk.store())? {
                Answer::Cosigned(lines) => lines,
                Answer::Seen(_) => return Err(refused("it has seen another log meanwhile, or another root")),
            },
        };
        for line in lines.split_inclusive('\n') {
            note.add(NoteSignature::parse(line).map_err(not_held)?).map_err(not_held)?;
        }
        note.verify([&witness]).map_err(not_held)?;
        let mut anchor = Anchor::file(&path)?;
        anchor.check(desk.store()).map_err(of_store)?;
        anchor.replace(&note)?;
        if global.json {
            return print::json(&serde_json::json!({
                "size": size, "witness": witness.name(), "anchor": path, "note": note.to_string(),
            }));
        }
        let leaves = counted(size, "record");
        print::line(format!("{} has cosigned {leaves}; kept in {}", witness.name(), path.display()));
        Ok(())
    }

    fn ask(&self, body: &str) -> Result<Answer, Failure> {
        let url = format!("{}/add-checkpoint", self.witness.trim_end_matches('/'));
        let agent = agent();
        let failed = |error: ureq::Error| {
            let failure = Failure::new("witness.must_answer", format!("{url}: {error}"), Exit::Input);
            failure.hint("Look at the address, and whether the witness runs.")
        };
        let mut answer = agent.post(&url).send(body.as_bytes()).map_err(failed)?;
        let text =
            answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(failed)?;
        match (answer.status().as_u16(), text.trim().parse()) {
            (200, _) => Ok(Answer::Cosigned(text)),
            (409, Ok(seen)) => Ok(Answer::Seen(seen)),
            (status, _) => Err(refused(&format!("{status}: {}", text.trim()))),
        }
    }
}

fn agent() -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder().provider(TlsProvider::Rustls).unversioned_rustls_crypto_provider(provider);
    let config = ureq::Agent::config_builder().tls_config(tls.build()).http_status_as_error(false);
    config.max_redirects(0).timeout_global(Some(TIMEOUT)).build().into()
}

/// The body of a request: the size that the witness has seen, the proof from there, and the checkpoint.
fn request(store: &mut Store, old: u64, size: u64, note: &str) -> Result<String, Failure> {
    let proof = match old {
        0 => Vec::new(),
        old if old == size => Vec::new(),
        old => store.prove_consistency(old, size).map_err(of_store)?,
    };
    let proof: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
    Ok(format!("old {old}\n{proof}\n{note}"))
}

fn refused(why: &str) -> Failure {
    let failure = Failure::new("witness.must_cosign", format!("the witness refused: {why}"), Exit::Refused);
    failure.hint("If it does not know this log yet, give it the key: `strongroom witness add-log`.")
}
