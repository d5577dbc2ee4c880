//! What a witness has seen: a folder with its key, the keys of the logs, and the last checkpoint of each.

use super::command_line;
use crate::commands::audit::put;
use crate::failure::{Exit, Failure};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use strongroom_audit::{
    AuditError, Checkpoint, Hash, KeyKind, PROOF_HASHES_MAX, SignedNote, VerifierKey, leaf_hash,
    verify_consistency,
};
use strongroom_units::time::Timestamp;
use strongroom_vault::{KekSource, LogKey};

/// A witness at work. One request at a time: what it has seen is looked at and written under one lock.
pub(super) struct State {
    folder: PathBuf,
    key: LogKey,
    vkey: VerifierKey,
    /// Held while the witness is open, so that there is one process.
    _lock: fs::File,
}

/// What is answered when no cosignature is: the status of C2SP tlog-witness, and a text.
pub(super) struct Refused {
    pub status: u16,
    pub text: String,
}

impl Refused {
    fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl From<AuditError> for Refused {
    fn from(error: AuditError) -> Self {
        Self::new(400, error.to_string())
    }
}

impl State {
    pub fn init(folder: &Path, name: &str) -> Result<VerifierKey, Failure> {
        VerifierKey::try_new(name, KeyKind::Cosignature, &[0x58; 32]).map(drop).or_else(
            |error| match error {
                AuditError::KeyMustBeStrong => Ok(()),
                other => Err(command_line(other)),
            },
        )?;
        fs::create_dir_all(folder.join("logs")).map_err(|error| Failure::file(folder, &error))?;
        let key = KekSource::File(folder.join("key")).create_log_key()?;
        let vkey = VerifierKey::try_new(name, KeyKind::Cosignature, &key.public()).map_err(command_line)?;
        put(&folder.join("vkey"), format!("{vkey}\n").as_bytes())?;
        Ok(vkey)
    }

    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("vkey");
        let text = fs::read_to_string(&path).map_err(|error| {
            Failure::file(&path, &error)
                .hint("Make the witness with `strongroom witness init FOLDER --name NAME`.")
        })?;
        let vkey: VerifierKey = text.trim_end().parse().map_err(|error| input(&error))?;
        let key = KekSource::File(folder.join("key")).load_log_key()?;
        if *vkey.public() != key.public() {
            return Err(input(&AuditError::SignatureMustVerify));
        }
        let path = folder.join("lock");
        let lock = fs::File::create(&path).map_err(|error| Failure::file(&path, &error))?;
        if lock.try_lock().is_err() {
            let message = format!("another process has the witness in {}", folder.display());
            return Err(Failure::new("witness.must_be_one_process", message, Exit::Input));
        }
        Ok(Self { folder: folder.to_owned(), key, vkey, _lock: lock })
    }

    pub fn vkey(&self) -> &VerifierKey {
        &self.vkey
    }

    /// Watches over a log from now on; one that it knows already stays as it is.
    pub fn add_log(&self, key: &VerifierKey) -> Result<(), Failure> {
        let path = self.of_log(key.name(), "vkey");
        match fs::read_to_string(&path) {
            Ok(known) if known.trim_end() == key.to_string() => Ok(()),
            Ok(_) => {
                let message = format!("the log {} is known with another key", key.name());
                Err(Failure::new("witness.log_must_keep_its_key", message, Exit::Refused))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => put(&path, format!("{key}\n").as_bytes()),
            Err(error) => Err(Failure::file(&path, &error)),
        }
    }

    fn of_log(&self, origin: &str, kind: &str) -> PathBuf {
        let hash = leaf_hash(origin.as_bytes());
        let name: String = hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join("logs").join(format!("{name}.{kind}"))
    }

    /// `POST /add-checkpoint` of C2SP tlog-witness: the size that the log thinks the witness has seen, the consistency
    /// proof from there, and the checkpoint. What is cosigned is on disk before it is signed: a witness that dies
    /// between the two has signed nothing, and one that signed has it on disk.
    pub fn add_checkpoint(&mut self, body: &str) -> Result<String, Refused> {
        let (old, proof, note) = parse(body)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        let Some(known) = read(&self.of_log(checkpoint.origin(), "vkey"))? else {
            return Err(Refused::new(404, "no such log"));
        };
        let key: VerifierKey = known.trim_end().parse()?;
        let checkpoint =
            Checkpoint::open(&note, &key).map_err(|error| Refused::new(403, error.to_string()))?;
        if old > checkpoint.size() {
            return Err(Refused::new(400, "the old size must not be larger than the checkpoint's"));
        }
        let seen = match read(&self.of_log(checkpoint.origin(), "checkpoint"))? {
            Some(note) => Some(Checkpoint::open(&SignedNote::parse(&note)?, &key)?),
            None => None,
        };
        let size = seen.as_ref().map_or(0, Checkpoint::size);
        if old != size {
            return Err(Refused::new(409, size.to_string()));
        }
        match &seen {
            Some(seen) if seen.size() == checkpoint.size() => {
                if seen.root() != checkpoint.root() {
                    return Err(Refused::new(409, size.to_string()));
                }
            }
            Some(seen) if seen.size() > 0 => {
                let (from, to) = ((seen.size(), seen.root()), (checkpoint.size(), checkpoint.root()));
                verify_consistency(from, to, &proof).map_err(|error| Refused::new(422, error.to_string()))?;
            }
            _ if proof.is_empty() => {}
            _ => return Err(Refused::new(422, "nothing is proved from an empty log")),
        }
        let kept = put(&self.of_log(checkpoint.origin(), "checkpoint"), note.to_string().as_bytes());
        kept.map_err(|error| Refused::new(500, error.message))?;
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        let line = note.cosign(&self.vkey, now, |message| {
            self.key.sign(message).map_err(|error| Refused::new(500, error.to_string()))
        })?;
        Ok(line.to_string())
    }
}

fn parse(body: &str) -> Result<(u64, Vec<Hash>, SignedNote), Refused> {
    let malformed = |text| Refused::new(400, text);
    let (head, note) =
        body.split_once("\n\n").ok_or(malformed("an empty line must stand before the checkpoint"))?;
    let mut lines = head.split('\n');
    let old = lines
        .next()
        .and_then(|line| line.strip_prefix("old "))
        .ok_or(malformed("its first line must be old SIZE"))?;
    let is_decimal = old == "0" || (!old.starts_with('0') && old.bytes().all(|byte| byte.is_ascii_digit()));
    let old = old.parse().ok().filter(|_| is_decimal).ok_or(malformed("its first line must be old SIZE"))?;
    let proof: Vec<Hash> = lines.take(PROOF_HASHES_MAX + 1).map(str::parse).collect::<Result<_, _>>()?;
    if proof.len() > PROOF_HASHES_MAX {
        return Err(malformed("a proof has at most 63 hashes"));
    }
    Ok((old, proof, SignedNote::parse(note)?))
}

fn read(path: &Path) -> Result<Option<String>, Refused> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Refused::new(500, error.to_string())),
    }
}

fn input(error: &AuditError) -> Failure {
    Failure::new(error.code(), error.to_string(), Exit::Input)
}
