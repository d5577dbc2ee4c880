//! Places where keys are kept, and how they are named in one option.

mod error;
mod file;
mod log_key;
mod source;
mod text;
mod uri;

pub use error::KeepingError;
pub use log_key::LogKey;
pub use source::KekSource;
pub use uri::{PinSource, TokenObject};
