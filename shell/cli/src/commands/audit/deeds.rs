//! `strongroom audit key` and `strongroom audit dispute`: what a key did, and who sent an order.

use super::{not_held, read};
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Args;
use std::path::PathBuf;
use strongroom_access::LineageId;
use strongroom_audit::{AuditError, Disclosure, Hash, Receipt, VerifierKey, verify_record};
use strongroom_desk::{Deed, Dispute};
use strongroom_units::time::Timestamp;

/// Records read at once.
const PAGE: usize = 1_000;

/// Lists what the keys of a lineage asked for, done and refused, with where it came from.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strongroom audit key k0123456789ab --from 2024-06-01T00:00:00Z --to 2024-06-02T00:00:00Z"
)]
pub(crate) struct Key {
    /// The lineage, or one key as LINEAGE.VERSION
    name: String,
    /// From when
    #[arg(long, value_name = "INSTANT", value_parser = crate::context::instant)]
    from: Option<Timestamp>,
    /// Until when, exclusive
    #[arg(long, value_name = "INSTANT", value_parser = crate::context::instant)]
    to: Option<Timestamp>,
}

impl Key {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let lineage = self.name.split_once('.').map_or(self.name.as_str(), |(lineage, _)| lineage);
        let lineage: LineageId = lineage.parse().map_err(strongroom_desk::DeskError::from)?;
        let mut desk = read(global)?;
        let (mut deeds, mut next) = (Vec::new(), 1);
        loop {
            let page = desk.deeds_with_sources(&lineage, next, PAGE)?;
            let is_last = page.len() < PAGE;
            next += page.len() as u64;
            deeds.extend(page.into_iter().filter(|deed| self.wants(deed)));
            if is_last {
                break;
            }
        }
        if global.json {
            return print::json(&deeds);
        }
        let columns = ["at", "key", "request", "outcome", "caused", "from", "user agent"];
        let columns = columns.map(|name| (name, Align::Left));
        let erased = || "erased".to_owned();
        let rows = deeds.into_iter().map(|deed| {
            let caused = deed.request.caused.as_ref();
            vec![
                deed.at,
                deed.request.key,
                request_line(&deed.request.signature_base),
                deed.request.outcome,
                caused.map(|caused| format!("{} {}", caused.stream, caused.last)).unwrap_or_default(),
                deed.peer.unwrap_or_else(erased),
                deed.user_agent.unwrap_or_else(erased),
            ]
        });
        print::line(print::table(&columns, rows));
        Ok(())
    }

    fn wants(&self, deed: &Deed) -> bool {
        let at: Option<Timestamp> = deed.at.parse().ok();
        let in_time =
            at.is_none_or(|at| self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to));
        in_time && (!self.name.contains('.') || deed.request.key == self.name)
    }
}

/// `POST /v1/funds/BTCX/orders`, from the text that was signed.
fn request_line(base: &str) -> String {
    let value = |name: &str| base.lines().find_map(|line| line.strip_prefix(&format!("\"{name}\": ")));
    match (value("@method"), value("@path")) {
        (Some(method), Some(path)) => format!("{method} {path}"),
        _ => "not kept: a field with a secret was signed".to_owned(),
    }
}

/// Shows who sent an order: the signed request, the key as it was then, proofs and the signed answer. With `--vkey` it
/// checks such an answer offline instead.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  strongroom audit dispute ORDER-1 --out dispute.json\n  strongroom audit dispute --check dispute.json --vkey \"strongroom.log/...+...\""
)]
pub(crate) struct DisputeArgs {
    /// The order
    #[arg(required_unless_present = "check")]
    order: Option<String>,
    /// Write what shows it into this file
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Check such a file offline; needs no database
    #[arg(long, value_name = "FILE", requires = "vkey", conflicts_with = "order")]
    check: Option<PathBuf>,
    /// The public key of the log
    #[arg(long, value_name = "KEY")]
    vkey: Option<String>,
}

impl DisputeArgs {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        if let (Some(path), Some(vkey)) = (&self.check, &self.vkey) {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
            return check(global, &text, &vkey.parse().map_err(not_held)?);
        }
        let order = self.order.unwrap_or_default();
        let fund = global.chosen(&mut global.open_read_only()?)?;
        let found = read(global)?.dispute(fund, &order)?;
        let Some(dispute) = found else {
            let message = format!("no signed request is kept that order {order} came in by");
            return Err(Failure::new("order.must_have_come_in_signed", message, Exit::Refused));
        };
        if let Some(out) = &self.out {
            let text = serde_json::to_string_pretty(&dispute)?;
            std::fs::write(out, text).map_err(|error| Failure::file(out, &error))?;
        }
        if global.json {
            return print::json(&dispute);
        }
        say(&dispute, self.out.as_deref());
        Ok(())
    }
}

fn say(dispute: &Dispute, out: Option<&std::path::Path>) {
    let mut rows = vec![
        ("order", dispute.order.clone()),
        ("key", dispute.key.key.clone()),
        (
            "request",
            format!(
                "record {} of {}, leaf {}",
                dispute.request.seq, dispute.request.stream, dispute.request.leaf_index
            ),
        ),
        (
            "accepted",
            format!(
                "record {} of {}, leaf {}",
                dispute.accepted.seq, dispute.accepted.stream, dispute.accepted.leaf_index
            ),
        ),
        ("key table", format!("record {} of access, leaf {}", dispute.root.seq, dispute.root.leaf_index)),
    ];
    rows.push(match &dispute.answer {
        Some(answer) => ("answer", format!("{}, signed by {}", answer.status, answer.key)),
        None => ("answer", "was not kept".to_owned()),
    });
    rows.extend(out.map(|out| ("written to", out.display().to_string())));
    print::line(print::pairs(rows));
}

/// What a third party does: receipts by the log's key, the key under the log's root, the signature by that key.
fn check(global: &Global, text: &str, vkey: &VerifierKey) -> Result<(), Failure> {
    let dispute: Dispute = serde_json::from_str(text)?;
    for receipt in [&dispute.accepted, &dispute.request, &dispute.root] {
        receipt.verify(vkey).map_err(not_held)?;
    }
    let wrong = |message: &str| Failure::new("dispute.parts_must_fit", message, Exit::Refused);
    let request: strongroom_desk::RequestRecord = serde_json::from_str(&opened(&dispute.request)?)?;
    let root: serde_json::Value = serde_json::from_str(&opened(&dispute.root)?)?;
    let root_text = root.get("root").and_then(serde_json::Value::as_str).unwrap_or_default();
    let parse = |text: &str| text.parse::<Hash>().map_err(not_held);
    let proof = dispute.key.proof.iter().map(|hash| parse(hash)).collect::<Result<Vec<_>, _>>()?;
    let (key, record) = (dispute.key.key.as_bytes(), dispute.key.record.as_bytes());
    verify_record(parse(root_text)?, key, record, &proof).map_err(not_held)?;
    let caused = request.caused.as_ref().is_some_and(|caused| {
        caused.stream == dispute.accepted.stream
            && (caused.first..=caused.last).contains(&dispute.accepted.seq)
    });
    if request.key != dispute.key.key || !caused || dispute.root.leaf_index > dispute.request.leaf_index {
        return Err(wrong("request, key and order do not belong to each other"));
    }
    if !opened(&dispute.accepted)?.contains(&dispute.order) {
        return Err(wrong("the record that was accepted is not of this order"));
    }
    let principal = signed_by(&request, &dispute.key.record).map_err(|message| wrong(&message))?;
    if global.json {
        let told = serde_json::json!({"order": dispute.order, "key": request.key, "principal": principal, "holds": true});
        return print::json(&told);
    }
    print::line(format!(
        "{} came in by a request that {} ({principal}) signed, as the log has it",
        dispute.order, request.key
    ));
    Ok(())
}

fn opened(receipt: &Receipt) -> Result<String, Failure> {
    match &receipt.disclosure {
        Disclosure::Opened(content) => Ok(content.body.clone()),
        Disclosure::Withheld(_) => {
            Err(not_held(AuditError::ReceiptMustBeWellFormed("its content is withheld".into())))
        }
    }
}

/// The key as the log had it signed the text of the request. Gives whose it was.
fn signed_by(request: &strongroom_desk::RequestRecord, record: &str) -> Result<String, String> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let record: serde_json::Value = serde_json::from_str(record).map_err(|error| error.to_string())?;
    let text = |pointer: &str| record.pointer(pointer).and_then(serde_json::Value::as_str);
    let principal = text("/0/principal").unwrap_or_default().to_owned();
    let algorithm = text("/2/algorithm").unwrap_or_default().to_owned();
    let public = text("/2/material/key")
        .ok_or("the key has no public half: an HMAC key proves to its two holders only")?;
    let algorithm = algorithm.parse().map_err(|_| "an unknown algorithm")?;
    let public = strongroom_server::public_key(algorithm, public)?;
    let signature = STANDARD.decode(&request.signature).map_err(|error| error.to_string())?;
    public.verify(request.signature_base.as_bytes(), &signature).map_err(|error| error.to_string())?;
    Ok(principal)
}
