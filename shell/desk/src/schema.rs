//! The schema of the read tables: forward migrations, never edited once released.

use crate::tables;
use strongroom_store::{Migration, Schema};

/// One step, by the name of its two files.
macro_rules! migration {
    ($version:literal, $name:literal, $file:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../migrations/", $file, ".sqlite.sql")),
            postgres: include_str!(concat!("../migrations/", $file, ".postgres.sql")),
        }
    };
}

/// Every migration, oldest first, and the tables they leave.
pub static SCHEMA: Schema = Schema {
    migrations: &[
        migration!(1, "read tables", "0001_read_tables"),
        migration!(2, "rebalances", "0002_rebalances"),
        migration!(3, "access", "0003_access"),
        migration!(4, "recorded", "0004_recorded"),
        migration!(5, "derivatives", "0005_derivatives"),
        migration!(6, "distributions", "0006_distributions"),
        migration!(7, "key usage", "0007_key_usage"),
    ],
    tables: tables::ALL,
};
