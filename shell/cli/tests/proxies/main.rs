//! nginx and Envoy for real, configured as the guide shows, in front of an application that knows nothing of signatures:
//! `docs/guide/gate/` with other ports. What must hold is written once and judged behind both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail the test"
)]

mod application;
mod attacks;
mod failures;
mod heals;
mod passes;
mod stand;
mod wire;

/// Runs what must hold behind nginx and behind Envoy, each as a test of its own.
macro_rules! behind_both {
    ($($name:ident)*) => {
        mod nginx {
            $(#[test] fn $name() { super::$name(crate::stand::Proxy::Nginx) })*
        }
        mod envoy {
            $(#[test] fn $name() { super::$name(crate::stand::Proxy::Envoy) })*
        }
    };
}
pub(crate) use behind_both;
