//! A client of an API behind a Strongroom gate: it signs every request under the profile, checks that the answer is
//! signed by a server key that was pinned when its own key was enrolled, and that it answers this very request.
//!
//! A clock that is wrong heals by itself: a refusal as stale or early is signed too, so its time can be trusted, and
//! the request is signed anew, once. Nothing else is repeated, and a time that no server key signed moves nothing.
//! A client of a key file ([`Client::open`]) also replaces its key when the server says that it is due: see [`Client::rotate`].
//! [`Answers::Any`] also takes the answers of somebody else's application behind the gate, which nobody signs.
//!
//! ```no_run
//! let client = strongroom_client::Client::open("ap-one.key".as_ref())?;
//! let order = br#"{"id":"A1","side":"creation","baskets":5,"trade_date":"2026-11-25"}"#;
//! let answer = client.post("/v1/funds/BTCX/orders", order)?;
//! println!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
//! # Ok::<(), strongroom_client::ClientError>(())
//! ```

mod client;
mod enrol;
mod error;
mod healing;
mod key_file;
mod rotate;
mod transport;

pub use client::{Answer, Answers, Client, Options, Sent};
pub use enrol::{Invitation, enrol, of_secret};
pub use error::ClientError;
pub use key_file::{KeyFile, SecretText, ServerKey, StoredKey, write_private};
pub use rotate::Rotation;
pub use transport::send_as_it_is;
