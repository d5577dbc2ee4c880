//! Who may touch the fund and with which key: principals, credentials and their lives, authorisation, and the replay
//! window that lets nothing in twice.
//!
//! A principal holds lineages; a lineage is one credential through its versions, which are the keys. Commands are
//! decided and events applied as in a fund: `decide` may refuse, `apply` may not. One log stream, `access`.
//! This crate knows nothing of HTTP and holds no secret: public keys, sealed texts and hashes only.

mod apply;
mod authorise;
pub mod bearer;
mod command;
mod decide;
mod event;
pub mod idempotency;
mod key;
mod mac;
mod name;
mod principal;
pub mod rate_limit;
mod record;
mod refusal;
pub mod replay;
mod restriction;
pub mod rotation;
pub mod scan;
mod scope;
pub mod session_token;
mod state;
pub mod watch;

pub use authorise::{Authority, Demand};
pub use command::{AccessCommand, NewEnrolment};
pub use decide::{KEY_LIFETIME_DAYS_MAX, VERSIONS_MAX};
pub use event::AccessEvent;
pub use key::{Algorithm, KeyState, KeyVersion, Lineage, Material, Usable};
pub use name::{EnrolmentId, KeyId, LineageId, PrincipalId};
pub use principal::{Principal, Role};
pub use record::{decode, encode};
pub use refusal::AccessRefusal;
pub use restriction::Restriction;
pub use scope::{Environment, Grant, Networks, ReplayMode, Scope};
pub use state::{AccessState, Enrolment, ServerKey};
