//! A new key-encryption key: what the vault sealed under a former one is wrapped anew at the start, record by record. It
//! may be interrupted; the next start goes on.

use crate::keys::HMAC_PURPOSE;
use crate::rotation::BEARER_PURPOSE;
use crate::serve_error::ServeError;
use crate::start::{ACTOR, SERVER_PURPOSE};
use strongroom_access::rotation::RotationCommand;
use strongroom_access::{AccessCommand, AccessState, Material};
use strongroom_desk::{Cause, Desk};
use strongroom_units::time::Timestamp;
use strongroom_vault::{Identity, Sealed, Vault};

/// Wraps anew what needs it, and says how many that were.
pub(crate) fn rewrap(desk: &mut Desk, vault: &Vault, now: Timestamp) -> Result<usize, ServeError> {
    let commands = commands(desk.access()?, vault)?;
    for command in &commands {
        desk.change_access(command, now, &Cause::actor(ACTOR))?;
    }
    Ok(commands.len())
}

fn commands(access: &AccessState, vault: &Vault) -> Result<Vec<AccessCommand>, ServeError> {
    let mut commands = Vec::new();
    for (name, sealed) in access.server_secrets() {
        if let Some(sealed) = anew(vault, SERVER_PURPOSE, name, sealed)? {
            commands.push(AccessCommand::KeepServerSecret { name: name.to_owned(), sealed });
        }
    }
    for key in access.server_keys() {
        if let Some(sealed) = anew(vault, SERVER_PURPOSE, &key.version.to_string(), &key.sealed)? {
            commands.push(AccessCommand::RewrapServerKey { version: key.version, sealed });
        }
    }
    for lineage in access.lineages() {
        for version in lineage.versions.values() {
            let key = lineage.key_id(version.version);
            let mark = lineage.rotation.marks.get(&version.version);
            if let Some(sealed) = mark.and_then(|mark| mark.asked.as_ref()?.sealed.as_ref())
                && let Some(sealed) = anew(vault, BEARER_PURPOSE, &key.to_string(), sealed)?
            {
                let command = RotationCommand::Reseal { key: key.clone(), sealed };
                commands.push(AccessCommand::Rotation(command));
            }
            let Material::Sealed { sealed } = &version.material else { continue };
            if let Some(sealed) = anew(vault, HMAC_PURPOSE, &key.to_string(), sealed)? {
                commands.push(AccessCommand::Rewrap { key, sealed });
            }
        }
    }
    Ok(commands)
}

/// The new text, if the record needs one.
fn anew(vault: &Vault, purpose: &str, id: &str, text: &str) -> Result<Option<String>, ServeError> {
    let sealed: Sealed = text.parse()?;
    if !vault.needs_rewrap(&sealed) {
        return Ok(None);
    }
    Ok(Some(vault.rewrap(&Identity::try_new(purpose, id)?, &sealed)?.to_string()))
}
