//! The PKCS#11 modules of this process. A module is initialised once, however many keys are in its tokens, and stays
//! until the process ends.

use super::session::failed;
use crate::{KeepingError, TokenObject};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::Slot;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static MODULES: Mutex<Vec<(PathBuf, Pkcs11)>> = Mutex::new(Vec::new());

/// The module of a path, initialised for use by several threads.
fn module(path: &Path) -> Result<Pkcs11, KeepingError> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, module)) = modules.iter().find(|(known, _)| known == path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(failed("loading the module"))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Another part of this process uses the module too.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, Function::Initialize)) => {}
        Err(error) => return Err(failed("initialising the module")(error)),
    }
    modules.push((path.to_owned(), module.clone()));
    Ok(module)
}

/// The module and the one slot whose token fits.
pub(super) fn slot(object: &TokenObject) -> Result<(Pkcs11, Slot), KeepingError> {
    let module = module(&object.module)?;
    let slots = module.get_slots_with_initialized_token().map_err(failed("listing its slots"))?;
    let mut fitting = Vec::new();
    for slot in slots {
        let token = module.get_token_info(slot).map_err(failed("reading its name"))?;
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found.trim_end())
        };
        if fits(&object.token, token.label()) && fits(&object.serial, token.serial_number()) {
            fitting.push(slot);
        }
    }
    match fitting.as_slice() {
        [slot] => Ok((module, *slot)),
        _ => Err(KeepingError::TokenMustBeTheOnlyOne { wanted: wanted(object), found: fitting.len() }),
    }
}

fn wanted(object: &TokenObject) -> String {
    let token = object.token.iter().map(|label| format!("token={label}"));
    token.chain(object.serial.iter().map(|serial| format!("serial={serial}"))).collect::<Vec<_>>().join(";")
}
