//! What a backup is: one SQLite file with the log, the snapshots and the read tables of one moment, from either kind
//! of database. How it is written stands with each database, in `copy.rs`.

/// What a finished backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSummary {
    /// How many streams.
    pub streams: u64,
    /// How many records, of all streams.
    pub records: u64,
    /// The size of the file.
    pub bytes: u64,
}
