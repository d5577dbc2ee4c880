//! The rules of the house are this crate's tests; there is nothing else in it.
