//! A backup is the fund: brought into another database of either kind, it gives the same statements.

use crate::harness::{Database, Room, definition};

const STATEMENT: &str = "statement --json";

/// A fund of three days with an order in every stage.
pub fn small_fund(room: &Room) {
    room.write("rates.csv", "date,close\n2024-01-08,46970.50\n2024-01-09,46139.73\n2024-01-10,46627.78\n");
    let open = format!(
        "fund open '{}' --seed-price BTC=44162.69 --at 2024-01-05T21:30:00Z",
        definition("bitcoin.toml")
    );
    for line in [
        open.as_str(),
        "order submit --id A1 --participant P --side creation --baskets 5 --trade-date 2024-01-08 --at 2024-01-05T22:00:00Z",
        "prices import rates.csv --at 2024-01-08T21:30:00Z",
        "nav strike --at 2024-01-08T21:35:00Z",
        "order execute A1 --price BTC=47000 --at 2024-01-08T21:40:00Z",
        "order submit --id A2 --participant P --side creation --baskets 1 --trade-date 2024-01-09 --at 2024-01-08T21:50:00Z",
        "order settle --due --at 2024-01-09T15:00:00Z",
        "prices import rates.csv --at 2024-01-09T21:30:00Z",
        "nav strike --at 2024-01-09T21:35:00Z",
        "order submit --id A3 --participant P --side redemption --baskets 1 --trade-date 2024-01-10 --at 2024-01-09T21:50:00Z",
    ] {
        room.run(line).done();
    }
}

#[test]
fn from_sqlite_to_sqlite() {
    let room = Room::new();
    small_fund(&room);
    let statement = room.run(STATEMENT).done();
    let said = room.run("backup copy.db").done();
    assert!(said.starts_with("1 fund with "), "{said}");
    room.run_on("second.db", "restore copy.db").done();
    assert_eq!(statement, room.run_on("second.db", STATEMENT).done());
    assert_eq!(room.status(), room.run_on("second.db", "fund status --json").done());
    // The copy is a fund that goes on, with the key of its log, which is no part of the copy.
    let strike = "nav strike --at 2024-01-10T21:35:00Z";
    room.run_on("second.db", &format!("{strike} --json")).refused(3, "log.key_must_be_the_logs");
    let key = "--log-key file:fund.db.log-key";
    room.run_on("second.db", &format!("prices import rates.csv --at 2024-01-10T21:30:00Z {key}")).done();
    room.run_on("second.db", &format!("{strike} {key}")).done();
    room.run_on("second.db", "audit verify").done();
}

#[test]
fn from_sqlite_to_postgresql_and_back() {
    let Some(database) = Database::fresh() else { return };
    let room = Room::new();
    small_fund(&room);
    let statement = room.run(STATEMENT).done();
    room.run("backup copy.db").done();
    room.run_on(&database.url(), "restore copy.db").done();
    assert_eq!(statement, room.run_on(&database.url(), STATEMENT).done());
    room.run_on(&database.url(), "backup again.db").done();
    room.run_on("third.db", "restore again.db").done();
    assert_eq!(statement, room.run_on("third.db", STATEMENT).done());
    assert_eq!(room.status(), room.run_on("third.db", "fund status --json").done());
    let twice = room.run_on(&database.url(), "restore copy.db --json");
    twice.refused(4, "store.target_must_be_empty");
}

#[test]
fn nothing_is_overwritten_and_nothing_missing_is_made_up() {
    let room = Room::new();
    small_fund(&room);
    room.run("backup copy.db").done();
    room.run("backup copy.db --json").refused(4, "store.backup_must_not_overwrite");
    room.run("restore copy.db --json").refused(4, "store.target_must_be_empty");
    room.run_on("new.db", "restore missing.db --json").refused(3, "file.must_be_accessible");
    room.write(
        "text.db",
        "this is no database, only some text that is long enough to be read as one, one may think",
    );
    let ran = room.run_on("new.db", "restore text.db --json");
    assert_eq!(ran.exit, 4);
    assert!(!room.file("new.db").exists(), "a restore that failed left a database");
    room.run_on("gone.db", "backup other.db --json").refused(4, "database.must_exist");
    assert!(!room.file("gone.db").exists() && !room.file("other.db").exists());
}
