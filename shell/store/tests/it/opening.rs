//! What happens when a store is opened: migrations, and databases that are refused.

use strongroom_store::{Column, ColumnType, Location, Schema, Store, Table};

use crate::conformance::{code, conformance};
use crate::home::Home;
use crate::sample::*;

fn an_older_database_is_migrated_and_keeps_its_data(home: &Home) {
    let mut store = home.open(&SCHEMA);
    store.append(&run("a", 1..=3), &[fund("a", "Ant")]).unwrap();
    store.put_snapshot(&snapshot("a", 2)).unwrap();
    drop(store);
    let older = Store::open_read_only(&home.location(), &SCHEMA_2);
    assert_eq!(code(older), "store.schema_must_not_be_older_than_program");
    let mut store = home.open(&SCHEMA_2);
    assert_eq!(store.read("a", 1, 10).unwrap(), run("a", 1..=3));
    assert_eq!(store.latest_snapshot("a").unwrap(), Some(snapshot("a", 2)));
    assert_eq!(home.rows("SELECT * FROM funds"), ["a Ant hold"]);
    let versions = home.rows("SELECT version, name FROM schema_version ORDER BY version");
    assert_eq!(versions, ["0 strongroom store", "1 first tables", "2 mottos"]);
}

fn a_newer_database_is_refused(home: &Home) {
    drop(home.open(&SCHEMA_2));
    let refused = "store.schema_must_not_be_newer_than_program";
    assert_eq!(code(Store::open(&home.location(), &SCHEMA)), refused);
    assert_eq!(code(Store::open_read_only(&home.location(), &SCHEMA)), refused);
    drop(home.open(&SCHEMA_2));
}

fn a_migration_that_fails_changes_nothing(home: &Home) {
    drop(home.open(&SCHEMA));
    let refused = Store::open(&home.location(), &SCHEMA_BROKEN);
    assert_eq!(code(refused), "store.migration_must_succeed");
    drop(home.open(&SCHEMA));
    home.by_hand("SELECT * FROM half").unwrap_err();
}

fn a_table_that_was_changed_by_hand_is_refused(home: &Home) {
    drop(home.open(&SCHEMA));
    home.by_hand("ALTER TABLE holdings RENAME COLUMN amount TO quantity").unwrap();
    assert_eq!(code(Store::open(&home.location(), &SCHEMA)), "store.tables_must_match_schema");
}

fn somebody_elses_database_is_refused_and_left_alone(home: &Home) {
    home.by_hand("CREATE TABLE theirs (id TEXT PRIMARY KEY)").unwrap();
    for open in [Store::open, Store::open_read_only] {
        assert_eq!(code(open(&home.location(), &SCHEMA)), "store.database_must_be_a_store");
    }
    home.by_hand("SELECT * FROM theirs").unwrap();
    home.by_hand("SELECT * FROM events").unwrap_err();
    home.by_hand("CREATE TABLE schema_version (version INTEGER, name TEXT)").unwrap();
    assert_eq!(code(Store::open(&home.location(), &SCHEMA)), "store.database_must_be_a_store");
}

fn a_contradictory_schema_is_refused_before_anything_is_touched(home: &Home) {
    const PRICE: &[Column] = &[Column { name: "price", kind: ColumnType::Decimal }];
    static PRICED: Table = Table { name: "priced", columns: PRICE, key: 1 };
    static DECIMAL_KEY: Schema = Schema { migrations: &[], tables: &[&PRICED] };
    assert_eq!(code(Store::open(&home.location(), &DECIMAL_KEY)), "store.schema_must_be_well_formed");
    assert_eq!(
        code(Store::open_read_only(&home.location(), &SCHEMA)),
        match home.location() {
            Location::Sqlite(_) => "store.database_must_be_reachable",
            Location::Postgres(_) => "store.database_must_be_a_store",
        }
    );
}

conformance! {
    an_older_database_is_migrated_and_keeps_its_data,
    a_newer_database_is_refused,
    a_migration_that_fails_changes_nothing,
    a_table_that_was_changed_by_hand_is_refused,
    somebody_elses_database_is_refused_and_left_alone,
    a_contradictory_schema_is_refused_before_anything_is_touched,
}
