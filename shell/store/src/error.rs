//! Everything a store can refuse or fail at, as one closed list.
//!
//! Each error has three texts: `Display` is a sentence for the caller, [`StoreError::hint`] says what to do next, and
//! what the database or the operating system said stays behind `source()`, for the log only.

use std::path::PathBuf;

/// What lies behind an error: database or operating system text, for the log and never for a caller.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store refused or failed. Nothing of a refused batch is stored, except where the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another `Store` holds the SQLite file for writing.
    #[error("{} is already open for writing by {}", path.display(), holder(*pid, served_at.as_deref()))]
    AnotherWriter {
        /// The database file.
        path: PathBuf,
        /// The process that holds it, if its lock file could be read.
        pid: Option<u32>,
        /// Where that process serves, if it says so.
        served_at: Option<String>,
    },
    /// The log already has a record in this place: somebody else was first.
    #[error("stream {stream:?} already has a record {seq}")]
    SequenceTaken {
        /// The stream.
        stream: String,
        /// The lowest sequence number of the batch that is taken.
        seq: u64,
    },
    /// A row that was to be added is there already.
    #[error("a row of table {table:?} that must be new is there already")]
    RowTaken {
        /// The table.
        table: &'static str,
    },
    /// The record would leave a hole in its stream.
    #[error("record {seq} of stream {stream:?} does not follow record {head}")]
    SequenceGap {
        /// The stream.
        stream: String,
        /// The sequence number that was offered.
        seq: u64,
        /// The record it should have followed.
        head: u64,
    },
    /// A record or snapshot has a text that one of the back ends could not give back unchanged.
    #[error("record {seq} of stream {stream:?} cannot be stored: {reason}")]
    RecordMalformed {
        /// The stream.
        stream: String,
        /// The sequence number.
        seq: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A snapshot describes records that the log does not have.
    #[error("a snapshot at {seq} is ahead of stream {stream:?}, which ends at {head}")]
    SnapshotAhead {
        /// The stream.
        stream: String,
        /// Where the snapshot claims to stand.
        seq: u64,
        /// The last record of the stream.
        head: u64,
    },
    /// A row change has the wrong number of values, a null in its key, or a table that the schema lacks.
    #[error("a row for table {table:?} is malformed: {reason}")]
    RowMalformed {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A value is not the canonical text of its column's type, so it would not come back as it went in.
    #[error("a value for {table}.{column} is not {wanted}")]
    ValueMisfit {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What the column takes.
        wanted: &'static str,
    },
    /// More records and rows in one call than a transaction should carry.
    #[error("a batch of {found} records and rows is larger than {limit}")]
    BatchTooLarge {
        /// Records plus row changes.
        found: usize,
        /// The most that one call takes.
        limit: usize,
    },
    /// A rule of the database itself (unique, check, not null, foreign key) refuses the batch.
    #[error("a row breaks a rule of its table")]
    Constraint {
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// Another connection held a lock for longer than the store waits, or two transactions collided.
    #[error("another connection held the database for too long")]
    Contention {
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// No room is left for the batch.
    #[error("the disk of the database is full")]
    DiskFull {
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// The commit was sent and its answer was lost: the batch is stored whole or not at all, and only the log knows.
    #[error("it is not known whether the batch was stored: the answer to the commit was lost")]
    OutcomeUnknown {
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// An earlier failure left this `Store` without a trustworthy connection.
    #[error("this store failed earlier and has to be opened again")]
    MustReopen,
    /// The store was opened for reading.
    #[error("this store was opened for reading only")]
    ReadOnly,
    /// The database was written by a newer program.
    #[error("the database has schema version {found}, this program knows versions up to {known}")]
    SchemaNewer {
        /// The version of the database.
        found: u32,
        /// The newest version that the program knows.
        known: u32,
    },
    /// The database was written by an older program and this call cannot migrate it.
    #[error("the database has schema version {found}, this program needs {known}")]
    SchemaOlder {
        /// The version of the database.
        found: u32,
        /// The version that the program needs.
        known: u32,
    },
    /// The program's own schema is contradictory.
    #[error("the program's schema is malformed: {reason}")]
    SchemaMalformed {
        /// What is wrong with it.
        reason: String,
    },
    /// A migration's SQL failed; the database stays at the version before it.
    #[error("migration {version} ({name}) failed")]
    MigrationFailed {
        /// The migration.
        version: u32,
        /// Its name.
        name: &'static str,
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// The tables that the migrations made are not those that the schema describes.
    #[error("table {table:?} is not as the program's schema describes it: {reason}")]
    TableDiffers {
        /// The table.
        table: &'static str,
        /// The difference.
        reason: String,
    },
    /// The database exists and holds something else.
    #[error("{location} holds no Strongroom store")]
    NotAStore {
        /// The database, without its password.
        location: String,
    },
    /// The file is not an SQLite database.
    #[error("{location} is not an SQLite database")]
    NotADatabase {
        /// The file.
        location: String,
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// The database file is damaged.
    #[error("the database is damaged: {reason}")]
    Corrupt {
        /// What was found.
        reason: String,
        /// What the database said, if it was the database that noticed.
        #[source]
        source: Option<Cause>,
    },
    /// A stream lacks a record in the middle: somebody edited the database.
    #[error("stream {stream:?} lacks record {seq}")]
    LogGap {
        /// The stream.
        stream: String,
        /// The first record that is missing.
        seq: u64,
    },
    /// A file or directory cannot be written.
    #[error("{} cannot be written", path.display())]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system or the database said.
        #[source]
        source: Cause,
    },
    /// A file cannot be read, synchronised or renamed.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: Cause,
    },
    /// The database server does not answer, or the file is not there.
    #[error("{location} cannot be reached")]
    Unreachable {
        /// The database, without its password.
        location: String,
        /// What the operating system or the server said.
        #[source]
        source: Cause,
    },
    /// The text is neither a path nor a PostgreSQL URL.
    #[error("the location of a database is a file path or a postgres:// URL")]
    LocationMalformed,
    /// There is a file where the backup should go.
    #[error("{} already exists", path.display())]
    BackupExists {
        /// The file in the way.
        path: PathBuf,
    },
    /// A restore would mix two histories.
    #[error("{location} already holds records, snapshots or rows")]
    TargetNotEmpty {
        /// The database, without its password.
        location: String,
    },
    /// Something in the database is not as the log has it.
    #[error("{0}")]
    LogFaulty(crate::log::LogFault),
    /// The log is signed by another key than the one that was given.
    #[error("the log is signed by {known}, not by {given}")]
    LogKeyDiffers {
        /// The verifier key of the log.
        known: String,
        /// The one that was given.
        given: String,
    },
    /// The holder of the log's key did not sign.
    #[error("the checkpoint could not be signed: {reason}")]
    CheckpointUnsigned {
        /// What the holder said.
        reason: String,
    },
    /// No such leaf, or no such record.
    #[error("the log has no such leaf")]
    LogPlaceUnknown,
    /// A record, proof or note breaks a rule of the log's formats.
    #[error(transparent)]
    Audit(#[from] strongroom_audit::AuditError),
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness {
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// Anything else that the database said.
    #[error("the database failed")]
    Database {
        /// What the database said.
        #[source]
        source: Cause,
    },
}

impl StoreError {
    /// The rule that was broken, as a stable text. A code never changes its meaning.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.facts().0
    }

    /// What to do next, as a sentence for the person who reads the error.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.facts().1
    }

    /// The code and the hint of each error, side by side so that they are edited together.
    #[rustfmt::skip]
    fn facts(&self) -> (&'static str, &'static str) {
        match self {
            Self::AnotherWriter { .. } => ("store.must_have_one_writer", "Stop the other process, or read the store without writing."),
            Self::SequenceTaken { .. } => ("store.sequence_must_be_free", "Another writer was first: read the stream again and decide anew."),
            Self::RowTaken { .. } => ("store.row_must_be_new", "It was stored before: nothing of this batch was."),
            Self::SequenceGap { .. } => ("store.sequence_must_follow_head", "Read the stream again: records are numbered from 1 without holes."),
            Self::RecordMalformed { .. } => ("store.record_must_be_storable", "Correct the record; nothing of its batch was stored."),
            Self::SnapshotAhead { .. } => ("store.snapshot_must_not_be_ahead_of_log", "Append the records first, then the snapshot."),
            Self::RowMalformed { .. } => ("store.row_must_match_table", "Give the row every column of its table, in order."),
            Self::ValueMisfit { .. } => ("store.value_must_fit_column", "Give the value in canonical form; nothing of its batch was stored."),
            Self::BatchTooLarge { .. } => ("store.batch_must_be_bounded", "Append in smaller groups."),
            Self::Constraint { .. } => ("store.row_must_satisfy_constraints", "The log has the reason; nothing of the batch was stored."),
            Self::Contention { .. } => ("store.lock_must_be_free_in_time", "Try again; nothing of the batch was stored."),
            Self::DiskFull { .. } => ("store.disk_must_have_room", "Free some space and try again; nothing of the batch was stored."),
            Self::OutcomeUnknown { .. } => ("store.commit_must_be_confirmed", "Open the store again and read the head of the stream before repeating anything."),
            Self::MustReopen => ("store.must_be_reopened_after_failure", "Open the store again and read the head of each stream."),
            Self::ReadOnly => ("store.must_be_open_for_writing", "Open the store for writing."),
            Self::SchemaNewer { .. } => ("store.schema_must_not_be_newer_than_program", "Use the newer program that wrote this database."),
            Self::SchemaOlder { .. } => ("store.schema_must_not_be_older_than_program", "Open the database once for writing, which migrates it."),
            Self::SchemaMalformed { .. } => ("store.schema_must_be_well_formed", "This is a fault of the program: report it."),
            Self::MigrationFailed { .. } => ("store.migration_must_succeed", "The database is unchanged; the log has the reason."),
            Self::TableDiffers { .. } => ("store.tables_must_match_schema", "Undo the change that was made to the table by hand, or restore a backup."),
            Self::NotAStore { .. } => ("store.database_must_be_a_store", "Name the right database, or an empty one for a new store."),
            Self::NotADatabase { .. } => ("store.file_must_be_a_database", "Name the right file, or a new one for a new store."),
            Self::Corrupt { .. } => ("store.file_must_not_be_corrupt", "Keep the file for inspection and restore the latest backup."),
            Self::LogGap { .. } => ("store.log_must_be_gapless", "Keep the database for inspection and restore the latest backup."),
            Self::NotWritable { .. } => ("store.directory_must_be_writable", "Check that the directory exists and that this user may write to it and to its files."),
            Self::File { .. } => ("store.file_must_be_accessible", "Check the path and its permissions."),
            Self::Unreachable { .. } => ("store.database_must_be_reachable", "Check the path or the URL, and that the database server runs."),
            Self::LocationMalformed => ("store.location_must_be_path_or_postgres_url", "Give a file path or postgres://user@host:port/database."),
            Self::BackupExists { .. } => ("store.backup_must_not_overwrite", "Name a new file, or move the old one away."),
            Self::TargetNotEmpty { .. } => ("store.target_must_be_empty", "Restore into a new file or an empty database."),
            Self::LogFaulty(fault) if fault.is_of_anchor() => (fault.code(), "Look for the database that the checkpoint belongs to. If this one is meant, such as a restored backup: `strongroom audit anchor --accept --reason TEXT`."),
            Self::LogFaulty(fault) => (fault.code(), "Keep the database for inspection, compare it with the last checkpoint outside it, and restore a backup."),
            Self::LogKeyDiffers { .. } => ("log.key_must_be_the_logs", "Give the key with which this log was begun: --log-key."),
            Self::CheckpointUnsigned { .. } => ("log.checkpoint_must_be_signed", "Look at the key or the token that signs the log; nothing of the batch was stored."),
            Self::LogPlaceUnknown => ("log.leaf_must_be_in_the_log", "Ask for a leaf below the size of the log."),
            Self::Audit(error) => (error.code(), "Look at what was given; nothing was changed."),
            Self::NoRandomness { .. } => ("store.randomness_must_be_there", "The system's random source failed; nothing of the batch was stored."),
            Self::Database { .. } => ("store.database_must_not_fail", "The log has the reason."),
        }
    }

    /// Whether the connection itself is no longer to be trusted after this error.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. } | Self::Unreachable { .. } | Self::Corrupt { .. })
    }
}

fn holder(pid: Option<u32>, served_at: Option<&str>) -> String {
    let process = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
    match served_at {
        Some(url) => format!("{process}, which serves at {url}; talk to it with --server {url}"),
        None => process,
    }
}
