//! The verifier in front of an API: the shell around signatures and access.

pub mod wal;
