//! A database has one writer. Another one is told so and changes nothing; readers are not disturbed.

use crate::copies::small_fund;
use crate::harness::{Database, Room};
use strongroom_desk::Desk;
use strongroom_store::Location;

const WRITES: [&str; 4] = [
    "order submit --id A9 --participant P --side creation --baskets 1 --trade-date 2024-01-11 --at 2024-01-09T22:10:00Z",
    "prices import rates.csv --at 2024-01-10T21:30:00Z",
    "fund halt --reason r --at 2024-01-09T22:10:00Z",
    "order settle --due --at 2024-01-10T15:00:00Z",
];

#[test]
fn a_second_writer_is_refused_and_a_reader_reads() {
    let room = Room::new();
    small_fund(&room);
    let before = room.status();
    let holder = Desk::open(&Location::Sqlite(room.file("fund.db"))).unwrap();
    for line in WRITES {
        let person = room.run(line);
        assert_eq!(person.exit, 4, "{line}: {}", person.err);
        assert!(person.err.contains("Stop the other process"), "{line}: {}", person.err);
        room.run(&format!("{line} --json")).refused(4, "store.must_have_one_writer");
    }
    for line in [
        "fund status",
        "nav list",
        "order list",
        "statement",
        "basket",
        "prices list",
        "fee due",
        "fund list",
    ] {
        room.run(line).done();
    }
    assert_eq!(before, room.status());
    room.run("backup while-open.db").done();
    drop(holder);
    room.run(WRITES[0]).done();
    assert_ne!(before, room.status());
}

#[test]
fn a_run_is_not_begun_in_a_database_that_is_held() {
    let room = Room::new();
    small_fund(&room);
    let _holder = Desk::open(&Location::Sqlite(room.file("fund.db"))).unwrap();
    room.write("one.csv", "date,close\n2024-01-05,1000\n2024-01-08,1001\n");
    let line = format!(
        "backtest '{}' --prices one.csv --price-at close --to 2024-01-08 --out out --keep fund.db --json",
        crate::harness::definition("bitcoin.toml")
    );
    room.run(&line).refused(4, "store.must_have_one_writer");
}

#[test]
fn on_postgresql_writers_take_turns_and_each_sees_what_the_other_did() {
    let Some(database) = Database::fresh() else { return };
    let room = Room::on(&database.url());
    small_fund(&room);
    let mut other = Desk::open(&Location::Postgres(database.url())).unwrap();
    let fund = "BTCX".parse().unwrap();
    let before = other.fund(fund).unwrap().unwrap().orders().count();
    room.run(WRITES[0]).done();
    assert_eq!(other.fund(fund).unwrap().unwrap().orders().count(), before + 1);
}
