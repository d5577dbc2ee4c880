//! The schema of the read tables: forward migrations, never edited once released.

use crate::tables;
use strongroom_store::{Migration, Schema};

/// Every migration, oldest first, and the tables they leave.
pub static SCHEMA: Schema = Schema {
    migrations: &[
        Migration {
            version: 1,
            name: "read tables",
            sqlite: include_str!("../migrations/0001_read_tables.sqlite.sql"),
            postgres: include_str!("../migrations/0001_read_tables.postgres.sql"),
        },
        Migration {
            version: 2,
            name: "rebalances",
            sqlite: include_str!("../migrations/0002_rebalances.sqlite.sql"),
            postgres: include_str!("../migrations/0002_rebalances.postgres.sql"),
        },
        Migration {
            version: 3,
            name: "access",
            sqlite: include_str!("../migrations/0003_access.sqlite.sql"),
            postgres: include_str!("../migrations/0003_access.postgres.sql"),
        },
        Migration {
            version: 4,
            name: "key usage",
            sqlite: include_str!("../migrations/0004_key_usage.sqlite.sql"),
            postgres: include_str!("../migrations/0004_key_usage.postgres.sql"),
        },
    ],
    tables: tables::ALL,
};
