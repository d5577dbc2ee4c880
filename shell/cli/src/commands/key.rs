//! `strongroom key` and `strongroom principal`: who may touch the funds over a server, and with which key.

use super::key_end::{RevokeArgs, restrict};
use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::{Args, Subcommand};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use strongroom_client::{Client, Invitation, Options, SecretText, enrol, of_secret, write_private};
use strongroom_server::{KeyIssued, NewKey, NewPrincipal};
use strongroom_vault::Secret;
use strongroom_vault::sealed_box::{ReceiverSecret, SealedBoxError, open};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Issue a key: an invitation for one that its holder makes, or a secret that is shown once
    #[command(
        after_help = "Examples:\n  strongroom key issue --principal ap-one --scope read --scope orders:write --env live \\\n      --key operator.key\n  strongroom key issue --principal dashboard --scope read --env live --algorithm bearer \\\n      --key operator.key"
    )]
    Issue(Issue),
    /// Make a key here, enrol its public half with a one-time code and write the key file
    #[command(
        after_help = "Example:\n  strongroom key enrol --server https://HOST:8443 --code e0123456789ab.CODE \\\n      --out ap-one.key"
    )]
    Enrol {
        /// The invitation, as it was given to you
        #[arg(long)]
        code: String,
        /// The new key file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Make a receiver key: secrets that a server makes for you can be sealed to its public half
    #[command(after_help = "Example:\n  strongroom key receiver --out receiver.secret")]
    Receiver {
        /// The new file with the private half
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write the key file of an HMAC secret that a server made, open or sealed
    #[command(
        after_help = "Example:\n  strongroom key import k0123456789ab.1 --sealed sb1.ENC.TEXT --receiver receiver.secret \\\n      --server https://HOST:8443 --out desk.key"
    )]
    Import {
        /// The name of the key
        name: String,
        /// The secret as it was sealed to your receiver key
        #[arg(long, value_name = "TEXT", requires = "receiver")]
        sealed: Option<String>,
        /// The file of your receiver key
        #[arg(long, value_name = "FILE", requires = "sealed")]
        receiver: Option<PathBuf>,
        /// A file with the secret itself, base64
        #[arg(long, value_name = "FILE", conflicts_with = "sealed", required_unless_present = "sealed")]
        secret: Option<PathBuf>,
        /// The new key file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Find leaked bearer keys in files, offline
    Scan(super::scan::Scan),
    /// Replace the key of a key file: make a new one, prove both, switch; the old one goes when it is quiet
    #[command(
        after_help = "Example:\n  strongroom key rotate --key ap-one.key\n\nA client of a key file does this by itself when its server says that the key is due."
    )]
    Rotate,
    /// List keys that work and that nobody has used for a while
    #[command(after_help = "Example:\n  strongroom key unused --days 90 --key operator.key")]
    Unused {
        /// Days without a use
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// List keys, their state and their use
    #[command(after_help = "Example:\n  strongroom key list --key operator.key")]
    List,
    /// Hold every key of a lineage for a time: throttled, challenged, read-only or suspended
    #[command(
        after_help = "Examples:\n  strongroom key restrict k0123456789ab --to suspended --reason \"odd times\" \\\n      --key operator.key\n  strongroom key restrict k0123456789ab --to throttled:60 --reason \"runs wild\" \\\n      --key operator.key"
    )]
    Restrict {
        /// The lineage
        lineage: String,
        /// throttled:COUNT (a minute), challenged (signs only what the server asks for), read-only or suspended
        #[arg(long, value_name = "RESTRICTION")]
        to: String,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Lift what a lineage is held to
    #[command(
        after_help = "Example:\n  strongroom key release k0123456789ab --reason \"explained\" --key operator.key"
    )]
    Release {
        /// The lineage
        lineage: String,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// End a key, or every key of its lineage, at once
    #[command(
        after_help = "Example:\n  strongroom key revoke k0123456789ab --reason \"laptop stolen\" \\\n      --key operator.key"
    )]
    Revoke(RevokeArgs),
}

/// What a key is to be for.
#[derive(Debug, Args)]
pub(crate) struct Issue {
    /// Whose
    #[arg(long, value_name = "ID")]
    principal: String,
    /// What for; once for each
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Which installation: dev, test or live
    #[arg(long = "env", value_name = "NAME")]
    environment: String,
    /// ed25519, ecdsa-p256-sha256, rsa-pss-sha512, hmac-sha256 or bearer
    #[arg(long, default_value = "ed25519", value_name = "NAME")]
    algorithm: String,
    /// From where, in CIDR notation; once for each, everywhere when absent
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<String>,
    /// Whom to ask about it
    #[arg(long, default_value = "")]
    owner: String,
    /// What its nonces must be: nonce, sequence (numbers) or challenge (the server's own)
    #[arg(long, default_value = "nonce", value_name = "MODE")]
    replay: String,
    /// From when it is good; now when absent
    #[arg(long, value_name = "INSTANT")]
    not_before: Option<String>,
    /// Days until it ends, at most 398
    #[arg(long, default_value_t = 90)]
    days: u32,
    /// The receiver's X25519 public key, from `strongroom key receiver`: a secret made by the server is sealed to it
    #[arg(long, value_name = "KEY")]
    seal_to: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrincipalVerb {
    /// Make a principal known
    #[command(
        after_help = "Example:\n  strongroom principal add ap-one --role participant --participant \"AP One\" \\\n      --key operator.key"
    )]
    Add {
        /// Its opaque name: lower-case letters, digits and hyphens
        id: String,
        /// operator, approver, auditor, participant or read-only
        #[arg(long)]
        role: String,
        /// The name under which a participant deals
        #[arg(long, value_name = "NAME")]
        participant: Option<String>,
    },
    /// List principals
    #[command(after_help = "Example:\n  strongroom principal list --key operator.key")]
    List,
}

impl KeyVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Issue(issue) => issue.run(global),
            Self::Enrol { code, out } => enrol_here(global, &code, &out),
            Self::Receiver { out } => make_receiver(global, &out),
            Self::Import { name, sealed, receiver, secret, out } => {
                let secret = match (sealed, receiver, secret) {
                    (Some(sealed), Some(receiver), _) => unseal(&name, &sealed, &receiver)?,
                    (_, _, Some(path)) => Secret::from_text(read_text(&path)?.trim().to_owned()),
                    _ => {
                        return Err(Failure::new(
                            "command_line.must_be_valid",
                            "give --sealed or --secret",
                            Exit::CommandLine,
                        ));
                    }
                };
                import(global, &name, &secret, &out)
            }
            Self::Scan(scan) => scan.run(global),
            Self::Rotate => super::rotation::rotate_own(global),
            Self::Unused { days } => super::rotation::unused(global, days),
            Self::List => list(global),
            Self::Restrict { lineage, to, reason } => restrict(global, &lineage, Some(to), reason),
            Self::Release { lineage, reason } => restrict(global, &lineage, None, reason),
            Self::Revoke(revoke) => revoke.run(global),
        }
    }
}

impl Issue {
    fn run(self, global: &Global) -> Result<(), Failure> {
        let new = NewKey {
            principal: self.principal,
            scopes: self.scopes,
            algorithm: self.algorithm,
            environment: self.environment,
            networks: self.networks,
            owner: self.owner,
            replay: Some(self.replay),
            not_before: self.not_before,
            days: Some(self.days),
            seal_to: self.seal_to,
        };
        let client = global.keys.client()?;
        let answer = client.post("/v1/keys", &serde_json::to_vec(&new)?)?.into_success()?;
        if global.json {
            print::line(String::from_utf8_lossy(&answer));
            return Ok(());
        }
        let issued: KeyIssued = serde_json::from_slice(&answer)?;
        if let (Some(enrolment), Some(code)) = (&issued.enrolment, &issued.code) {
            print::line(format!(
                "Give this to {}; it is shown once and good until {}:\n\n  strongroom key enrol --server {} --code {enrolment}.{code} --out {}.key",
                new.principal,
                issued.code_expires.as_deref().unwrap_or("tomorrow"),
                client.server(),
                new.principal,
            ));
            return Ok(());
        }
        let mut rows = vec![("key", issued.key.clone().unwrap_or_default())];
        rows.extend(issued.secret.clone().map(|secret| ("secret, shown once", secret)));
        rows.extend(issued.sealed.clone().map(|sealed| ("secret, sealed", sealed)));
        rows.push(("expires", issued.expires));
        print::line(print::pairs(rows));
        Ok(())
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}

fn make_receiver(global: &Global, out: &Path) -> Result<(), Failure> {
    let receiver = ReceiverSecret::generate()?;
    let text = receiver.to_text();
    write_private(out, text.expose_text().unwrap_or_default()).map_err(|error| Failure::file(out, &error))?;
    let public = receiver.public().to_string();
    if global.json {
        return print::json(&serde_json::json!({ "public_key": public }));
    }
    print::line(format!(
        "{public}\n  is the public half: give it to whoever issues the key. The private half is in {}",
        out.display()
    ));
    Ok(())
}

fn unseal(name: &str, sealed: &str, receiver: &Path) -> Result<Secret, Failure> {
    let receiver = ReceiverSecret::from_text(read_text(receiver)?.trim())?;
    Ok(open(&receiver, name.as_bytes(), sealed)?)
}

fn import(global: &Global, name: &str, secret: &Secret, out: &Path) -> Result<(), Failure> {
    let wrong = || Failure::new("key.secret_must_be_text", "the secret is no base64 text", Exit::Input);
    let secret = SecretText::new(secret.expose_text().ok_or_else(wrong)?.to_owned());
    let server = server_of(global)?;
    let file =
        of_secret(server, name, secret, &Options { ca: global.keys.ca.clone(), ..Options::default() })?;
    file.write_new(out)?;
    let answer = Client::try_new(&file, &global.keys.options())?.get("/v1/whoami")?.into_success()?;
    if global.json {
        print::line(String::from_utf8_lossy(&answer));
        return Ok(());
    }
    let who: Who = serde_json::from_slice(&answer)?;
    print::line(format!(
        "{} works for {} ({}); written to {}",
        who.key,
        who.principal,
        who.role,
        out.display()
    ));
    Ok(())
}

fn server_of(global: &Global) -> Result<&str, Failure> {
    let missing = || {
        Failure::new("client.server_must_be_named", "name the server with --server URL", Exit::CommandLine)
    };
    global.keys.server.as_deref().ok_or_else(missing)
}

fn enrol_here(global: &Global, code: &str, out: &std::path::Path) -> Result<(), Failure> {
    let wrong = |message: &str| Failure::new("enrolment.must_be_readable", message, Exit::CommandLine);
    let invitation =
        Invitation::parse(code).ok_or_else(|| wrong("an invitation looks like e0123456789ab.CODE"))?;
    let server = server_of(global)?;
    if out.exists() {
        let failure = Failure::new("file.must_be_new", format!("{} exists", out.display()), Exit::Input);
        return Err(failure.hint("Name a new file: a key is never overwritten."));
    }
    let options = Options { ca: global.keys.ca.clone(), ..Options::default() };
    let file = enrol(server, &invitation, &options)?;
    file.write_new(out)?;
    // A first signed request shows that the key works and that the server signs with the keys that were pinned.
    let answer = Client::try_new(&file, &options)?.get("/v1/whoami")?.into_success()?;
    if global.json {
        print::line(String::from_utf8_lossy(&answer));
        return Ok(());
    }
    let who: Who = serde_json::from_slice(&answer)?;
    print::line(format!(
        "{} is enrolled for {} ({}) until {}, with {}; written to {}",
        who.key,
        who.principal,
        who.role,
        who.expires,
        who.scopes.join(", "),
        out.display()
    ));
    Ok(())
}

#[derive(Deserialize)]
struct Who {
    key: String,
    principal: String,
    role: String,
    scopes: Vec<String>,
    expires: String,
}

#[derive(Deserialize)]
struct KeyRow {
    key: String,
    principal: String,
    state: String,
    restriction: Option<String>,
    algorithm: String,
    scopes: Vec<String>,
    expires: String,
    last_used: Option<String>,
    uses: u64,
}

#[derive(Deserialize)]
struct PrincipalRow {
    id: String,
    role: String,
    enabled: bool,
    participant: Option<String>,
}

fn list(global: &Global) -> Result<(), Failure> {
    let rows = crate::remote::all_pages(&global.keys.client()?, "/v1/keys")?;
    if global.json {
        return print::json(&rows);
    }
    let columns = [
        ("key", Align::Left),
        ("principal", Align::Left),
        ("state", Align::Left),
        ("algorithm", Align::Left),
        ("scopes", Align::Left),
        ("expires", Align::Left),
        ("last used", Align::Left),
        ("uses", Align::Right),
    ];
    let cells = rows.into_iter().map(|row| {
        let row: KeyRow = serde_json::from_value(row)?;
        Ok(vec![
            row.key,
            row.principal,
            row.restriction.map_or(row.state.clone(), |held| format!("{}, {held}", row.state)),
            row.algorithm,
            row.scopes.join(" "),
            row.expires,
            row.last_used.unwrap_or_default(),
            row.uses.to_string(),
        ])
    });
    print::line(print::table(&columns, cells.collect::<Result<Vec<_>, Failure>>()?));
    Ok(())
}

impl PrincipalVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.keys.client()?;
        match self {
            Self::Add { id, role, participant } => {
                let body = serde_json::to_vec(&NewPrincipal { id: id.clone(), role, participant })?;
                let answer = client.post("/v1/principals", &body)?;
                let is_new = answer.status == 201;
                let answer = answer.into_success()?;
                match (global.json, is_new) {
                    (true, _) => print::line(String::from_utf8_lossy(&answer)),
                    (false, true) => print::line(format!("{id} is known")),
                    (false, false) => print::line("already done: nothing changed"),
                }
                Ok(())
            }
            Self::List => {
                let rows = crate::remote::all_pages(&client, "/v1/principals")?;
                if global.json {
                    return print::json(&rows);
                }
                let columns = [
                    ("principal", Align::Left),
                    ("role", Align::Left),
                    ("works", Align::Left),
                    ("deals as", Align::Left),
                ];
                let cells = rows.into_iter().map(|row| {
                    let row: PrincipalRow = serde_json::from_value(row)?;
                    let works = if row.enabled { "yes" } else { "no" };
                    Ok(vec![row.id, row.role, works.to_owned(), row.participant.unwrap_or_default()])
                });
                print::line(print::table(&columns, cells.collect::<Result<Vec<_>, Failure>>()?));
                Ok(())
            }
        }
    }
}

impl From<SealedBoxError> for Failure {
    fn from(error: SealedBoxError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Input)
    }
}

impl From<strongroom_vault::VaultError> for Failure {
    fn from(error: strongroom_vault::VaultError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Input)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new("client.answer_must_be_readable", error.to_string(), Exit::Database)
    }
}
