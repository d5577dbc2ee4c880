//! One key of a token and the logged-in session that uses it.

use super::module;
use crate::{KeepingError, TokenObject};
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use std::sync::{Mutex, PoisonError};

/// A key that is used where it is.
pub(super) struct TokenKey {
    place: TokenObject,
    class: ObjectClass,
    id: Vec<u8>,
    /// The handle belongs to the session: both are replaced together.
    held: Mutex<(Session, ObjectHandle)>,
}

impl TokenKey {
    /// The one key of the class with the label.
    pub(super) fn open(place: &TokenObject, class: ObjectClass) -> Result<Self, KeepingError> {
        let session = login(place)?;
        let key = find(&session, place, class, None)?;
        let id = id_of(&session, place, key)?;
        Ok(Self { place: place.clone(), class, id, held: Mutex::new((session, key)) })
    }

    /// Its `CKA_ID`.
    pub(super) fn id(&self) -> &[u8] {
        &self.id
    }

    /// Its label.
    pub(super) fn label(&self) -> &str {
        &self.place.label
    }

    /// Does one thing with the key; a second time in a new session, if the token has forgotten this one.
    pub(super) fn with<T>(
        &self,
        work: impl Fn(&Session, ObjectHandle) -> Result<T, Error>,
    ) -> Result<Result<T, Error>, KeepingError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match work(&held.0, held.1) {
            Err(Error::Pkcs11(error, _)) if is_forgotten(error) => {}
            done => return Ok(done),
        }
        let session = login(&self.place)?;
        let key = find(&session, &self.place, self.class, Some(&self.id))?;
        *held = (session, key);
        Ok(work(&held.0, held.1))
    }
}

/// Whether an answer means that the session, and not the request, is at fault.
fn is_forgotten(error: RvError) -> bool {
    matches!(
        error,
        RvError::SessionHandleInvalid
            | RvError::SessionClosed
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::UserNotLoggedIn
            | RvError::DeviceRemoved
            | RvError::DeviceError
            | RvError::TokenNotPresent
    )
}

/// A session in which private objects can be used. The login is the token's, not the session's: another session of
/// this process may have logged in already.
pub(super) fn login(place: &TokenObject) -> Result<Session, KeepingError> {
    let (module, slot) = module::slot(place)?;
    let session = module.open_rw_session(slot).map_err(failed("opening a session"))?;
    let pin = place.pin.read()?;
    let unfit = KeepingError::ObjectMustFit { label: place.label.clone(), reason: "its PIN is no text" };
    let pin = AuthPin::from(pin.expose_text().ok_or(unfit)?);
    match session.login(UserType::User, Some(&pin)) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(error) => Err(failed("logging in")(error)),
    }
}

/// The one object of a class with the label, and with the id if one is given.
pub(super) fn find(
    session: &Session,
    place: &TokenObject,
    class: ObjectClass,
    id: Option<&[u8]>,
) -> Result<ObjectHandle, KeepingError> {
    let found = all(session, place, class, id)?;
    match found.as_slice() {
        [object] => Ok(*object),
        _ => Err(KeepingError::ObjectMustBeTheOnlyOne {
            kind: kind(class),
            label: place.label.clone(),
            found: found.len(),
        }),
    }
}

/// Refuses a label that is taken, so that it stays the name of one key.
pub(super) fn must_be_free(
    session: &Session,
    place: &TokenObject,
    classes: &[ObjectClass],
) -> Result<(), KeepingError> {
    for class in classes {
        if !all(session, place, *class, None)?.is_empty() {
            return Err(KeepingError::ObjectMustNotExist { kind: kind(*class), label: place.label.clone() });
        }
    }
    Ok(())
}

/// Refuses an object that has one of the attributes otherwise than given.
pub(super) fn must_have(
    session: &Session,
    label: &str,
    object: ObjectHandle,
    wanted: &[(Attribute, &'static str)],
) -> Result<(), KeepingError> {
    for (attribute, reason) in wanted {
        let found = session.get_attributes(object, &[attribute.attribute_type()]);
        let found = found.map_err(failed("reading a key's attributes"))?;
        if found.as_slice() != std::slice::from_ref(attribute) {
            return Err(KeepingError::ObjectMustFit { label: label.to_owned(), reason });
        }
    }
    Ok(())
}

fn all(
    session: &Session,
    place: &TokenObject,
    class: ObjectClass,
    id: Option<&[u8]>,
) -> Result<Vec<ObjectHandle>, KeepingError> {
    let mut template = vec![Attribute::Class(class), Attribute::Label(place.label.clone().into_bytes())];
    template.extend(id.map(|id| Attribute::Id(id.to_vec())));
    session.find_objects(&template).map_err(failed("finding a key"))
}

/// A key's id names it in records and key directories: it must have one.
fn id_of(session: &Session, place: &TokenObject, key: ObjectHandle) -> Result<Vec<u8>, KeepingError> {
    let found = session.get_attributes(key, &[AttributeType::Id]).map_err(failed("reading a key's id"))?;
    match found.as_slice() {
        [Attribute::Id(id)] if (1..=16).contains(&id.len()) => Ok(id.clone()),
        _ => Err(KeepingError::ObjectMustFit {
            label: place.label.clone(),
            reason: "its CKA_ID must have 1 to 16 bytes",
        }),
    }
}

fn kind(class: ObjectClass) -> &'static str {
    match class {
        ObjectClass::SECRET_KEY => "secret key",
        ObjectClass::PRIVATE_KEY => "private key",
        ObjectClass::PUBLIC_KEY => "public key",
        _ => "object",
    }
}

/// What was asked of the token when it failed.
pub(super) fn failed(doing: &'static str) -> impl Fn(Error) -> KeepingError {
    move |error| KeepingError::TokenFailed { doing, source: Box::new(error) }
}
