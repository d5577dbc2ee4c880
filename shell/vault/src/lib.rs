//! Secrets that must be recoverable, under envelope encryption: AES-256-GCM, one data key a record, wrapped by a
//! key-encryption key that lives elsewhere.
