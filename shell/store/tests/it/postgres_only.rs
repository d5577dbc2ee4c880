//! What holds for PostgreSQL alone: several writers, and a server that can go away.

use std::thread;

use postgres::Client;
use strongroom_store::{
    Column, ColumnType, Location, Migration, RowChange, Schema, Store, StoreError, Table,
};

use crate::home::{Home, client};
use crate::sample::*;

/// A table that makes the server end the session during `COMMIT`.
static MINES: Table =
    Table { name: "mines", columns: &[Column { name: "id", kind: ColumnType::Text }], key: 1 };
static MINED: Schema = Schema {
    migrations: &[Migration {
        version: 1,
        name: "mines",
        sqlite: "",
        postgres: "
            CREATE TABLE mines (id TEXT PRIMARY KEY);
            CREATE FUNCTION explode() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER mines_explode AFTER INSERT ON mines DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION explode();",
    }],
    tables: &[&MINES],
};

fn raw(home: &Home) -> Client {
    match home.location() {
        Location::Postgres(url) => client(&url),
        Location::Sqlite(_) => panic!("not a PostgreSQL database"),
    }
}

/// Ends every other session of the test's database.
fn end_sessions(home: &Home) {
    let others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    raw(home).batch_execute(others).unwrap();
}

#[test]
fn of_two_writers_one_wins_and_the_other_is_told() {
    let Some(home) = Home::postgres() else { return };
    let (mut one, mut other) = (home.open(&SCHEMA), home.open(&SCHEMA));
    one.append(&run("a", 1..=2), &[]).unwrap();
    let refused = other.append(&run("a", 1..=1), &[fund("a", "Ant")]).unwrap_err();
    assert!(matches!(refused, StoreError::SequenceTaken { seq: 1, .. }));
    other.append(&run("a", 3..=3), &[]).unwrap();
    assert_eq!(one.head("a").unwrap(), 3);
    assert_eq!(home.rows("SELECT * FROM funds"), [""; 0]);
}

/// The other writer's record is not visible yet when the head is read: the primary key decides.
#[test]
fn a_writer_that_loses_the_race_inside_the_transaction_is_told() {
    let Some(home) = Home::postgres() else { return };
    let mut store = home.open(&SCHEMA);
    let mut other = raw(&home);
    let mut tx = other.transaction().unwrap();
    // Ours wait for the head of the log; a writer that does not must still lose nothing and give no hole.
    tx.batch_execute(
        "INSERT INTO events VALUES ('a', 1, '', '', '', '', 'theirs', 99,
            decode(repeat('00', 16), 'hex'), decode(repeat('00', 32), 'hex'))",
    )
    .unwrap();
    let loser = thread::spawn(move || store.append(&[run("b", 1..=1), run("a", 1..=3)].concat(), &[]));
    // Only once the loser waits for the row is the race on.
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut watcher = raw(&home);
    while !loser.is_finished() && watcher.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0 {
        thread::yield_now();
    }
    tx.commit().unwrap();
    let refused = loser.join().unwrap().unwrap_err();
    assert!(matches!(refused, StoreError::SequenceTaken { stream, seq: 1 } if stream == "a"));
    assert_eq!(home.open(&SCHEMA).streams().unwrap(), ["a"]);
}

#[test]
fn many_writers_leave_one_gapless_log() {
    const WRITERS: usize = 4;
    const EACH: usize = 25;
    let Some(home) = Home::postgres() else { return };
    home.open(&SCHEMA);
    let write = |writer: usize| {
        let mut store = home.open(&SCHEMA);
        for count in 0..EACH {
            let name = format!("{writer}-{count}");
            loop {
                let next = store.head("a").unwrap() + 1;
                match store.append(&[record("a", next)], &[fund(&name, "Fund"), fund("shared", &name)]) {
                    Ok(_) => break,
                    Err(StoreError::SequenceTaken { .. }) => {}
                    Err(e) => panic!("{e:?}"),
                }
            }
        }
    };
    thread::scope(|scope| (0..WRITERS).for_each(|writer| drop(scope.spawn(move || write(writer)))));
    let all = (WRITERS * EACH) as u64;
    assert_eq!(home.open(&SCHEMA).read("a", 1, 1_000).unwrap(), run("a", 1..=all));
    assert_eq!(home.rows("SELECT count(*) FROM funds"), [(all + 1).to_string()]);
}

#[test]
fn programs_that_start_at_once_migrate_once() {
    let Some(home) = Home::postgres() else { return };
    let open = || drop(home.open(&SCHEMA_2));
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(open))));
    assert_eq!(home.rows("SELECT version FROM schema_version ORDER BY version"), ["0", "1", "2"]);
}

#[test]
fn a_lost_answer_to_a_commit_is_not_taken_for_a_yes_or_a_no() {
    let Some(home) = Home::postgres() else { return };
    let mut store = home.open(&MINED);
    store.append(&run("a", 1..=1), &[]).unwrap();
    let mine = RowChange::Upsert { table: &MINES, values: vec![text("mine")] };
    let lost = store.append(&run("a", 2..=2), &[mine]).unwrap_err();
    assert_eq!(lost.code(), "store.commit_must_be_confirmed");
    assert_eq!(store.head("a").unwrap_err().code(), "store.must_be_reopened_after_failure");
    assert_eq!(store.append(&[], &[]).unwrap_err().code(), "store.must_be_reopened_after_failure");
    assert_eq!(home.open(&MINED).head("a").unwrap(), 1);
}

#[test]
fn a_lost_connection_is_reported_and_the_store_must_be_reopened() {
    let Some(home) = Home::postgres() else { return };
    let mut store = home.open(&SCHEMA);
    end_sessions(&home);
    let lost = store.append(&run("a", 1..=1), &[]).unwrap_err();
    assert_eq!(lost.code(), "store.database_must_be_reachable");
    let after = store.append(&run("a", 1..=1), &[]).unwrap_err();
    assert_eq!(after.code(), "store.must_be_reopened_after_failure");
    home.open(&SCHEMA).append(&run("a", 1..=1), &[]).unwrap();
}

#[test]
fn a_lock_that_is_held_too_long_is_contention_and_passes() {
    let Some(home) = Home::postgres() else { return };
    let mut store = home.open(&SCHEMA);
    store.append(&[], &[fund("a", "Ant")]).unwrap();
    let mut other = raw(&home);
    let mut tx = other.transaction().unwrap();
    tx.batch_execute("UPDATE funds SET name = 'Bee'").unwrap();
    let refused = store.append(&run("a", 1..=1), &[fund("a", "Cat")]).unwrap_err();
    assert_eq!(refused.code(), "store.lock_must_be_free_in_time");
    tx.rollback().unwrap();
    store.append(&run("a", 1..=1), &[fund("a", "Cat")]).unwrap();
}

#[test]
fn commits_are_durable_whatever_the_database_says() {
    let Some(home) = Home::postgres() else { return };
    let name = raw(&home).query_one("SELECT current_database()", &[]).unwrap().get::<_, String>(0);
    raw(&home).batch_execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).unwrap();
    static WITNESS: Schema = Schema {
        migrations: &[Migration {
            version: 1,
            name: "witness",
            sqlite: "",
            postgres: "CREATE TABLE witness AS SELECT current_setting('synchronous_commit') AS setting",
        }],
        tables: &[],
    };
    home.open(&WITNESS);
    assert_eq!(home.rows("SELECT setting FROM witness"), ["on"]);
}

#[test]
fn history_cannot_be_truncated() {
    let Some(home) = Home::postgres() else { return };
    home.open(&SCHEMA).append(&run("a", 1..=1), &[]).unwrap();
    assert_eq!(home.by_hand("TRUNCATE events").unwrap_err(), "history is never edited");
}

#[test]
fn stores_in_two_schemas_of_one_database_are_apart() {
    let Some(home) = Home::postgres() else { return };
    home.by_hand("CREATE SCHEMA fund_a; CREATE SCHEMA fund_b").unwrap();
    let Location::Postgres(url) = home.location() else { return };
    let open = |name: &str| {
        let mark = if url.contains('?') { "&" } else { "?" };
        Store::open(&Location::Postgres(format!("{url}{mark}options=-csearch_path%3D{name}")), &SCHEMA)
            .unwrap()
    };
    open("fund_a").append(&run("a", 1..=3), &[fund("a", "Ant")]).unwrap();
    assert_eq!(open("fund_b").head("a").unwrap(), 0);
    assert_eq!(open("fund_a").head("a").unwrap(), 3);
}

#[test]
fn a_password_is_never_shown() {
    let Some(home) = Home::postgres() else { return };
    let Location::Postgres(url) = home.location() else { return };
    let (_, server) = url.rsplit_once('@').unwrap_or(("", "127.0.0.1/postgres"));
    let reachable = Location::Postgres(format!("postgres://postgres:hunter2@{server}"));
    let shown = format!("{:?}", Store::open(&reachable, &SCHEMA));
    assert!(!shown.contains("hunter2"), "{shown}");
    let unreachable = Location::Postgres("postgres://ann:hunter2@127.0.0.1:1/fund".to_owned());
    let refused = Store::open(&unreachable, &SCHEMA).unwrap_err();
    assert_eq!(refused.code(), "store.database_must_be_reachable");
    assert!(!format!("{refused:?} {refused}").contains("hunter2"), "{refused:?}");
    let malformed = Location::Postgres("postgres://ann:hunter2@[fund".to_owned());
    assert!(!format!("{:?}", Store::open(&malformed, &SCHEMA)).contains("hunter2"));
}
