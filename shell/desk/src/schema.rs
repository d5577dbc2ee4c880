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
            name: "recorded",
            sqlite: include_str!("../migrations/0004_recorded.sqlite.sql"),
            postgres: include_str!("../migrations/0004_recorded.postgres.sql"),
        },
        Migration {
            version: 5,
            name: "derivatives",
            sqlite: include_str!("../migrations/0005_derivatives.sqlite.sql"),
            postgres: include_str!("../migrations/0005_derivatives.postgres.sql"),
        },
        Migration {
            version: 6,
            name: "distributions",
            sqlite: include_str!("../migrations/0006_distributions.sqlite.sql"),
            postgres: include_str!("../migrations/0006_distributions.postgres.sql"),
        },
        Migration {
            version: 7,
            name: "key usage",
            sqlite: include_str!("../migrations/0007_key_usage.sqlite.sql"),
            postgres: include_str!("../migrations/0007_key_usage.postgres.sql"),
        },
    ],
    tables: tables::ALL,
};
