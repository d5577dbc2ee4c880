//! How an old key of a server vouches for its successor: a signature over a text that names the new key.

/// The text that the old key signs. A line each: what this is, the new key's name, its algorithm, its public half in
/// base64. No other signature of the server is over such a text: those of messages begin with a component identifier.
///
/// ```
/// let text = strongroom_signature::vouch_text("server.2", "ed25519", "cHVibGlj");
/// assert_eq!(text, b"strongroom server key\nserver.2\ned25519\ncHVibGlj\n");
/// ```
#[must_use]
pub fn vouch_text(key_id: &str, algorithm: &str, public: &str) -> Vec<u8> {
    format!("strongroom server key\n{key_id}\n{algorithm}\n{public}\n").into_bytes()
}
