//! Exit codes, and what a person and a program read when an input is wrong.

use crate::copies::small_fund;
use crate::harness::{Room, definition};

#[test]
fn each_exit_code_has_its_meaning() {
    let room = Room::new();
    small_fund(&room);
    for (line, exit) in [
        ("fund status", 0),
        ("--help", 0),
        ("--version", 0),
        ("nav strike --date 2024-01-09 --at 2024-01-09T22:00:00Z", 1),
        ("nav strike --date tomorrow", 2),
        ("no-such-command", 2),
        ("", 2),
        ("prices import missing.csv", 3),
        ("fund open missing.toml --seed-price BTC=1", 3),
        ("fund status --database missing.db", 4),
        ("fund status --database http://127.0.0.1/fund", 4),
        ("fund status --database postgres://nobody@127.0.0.1:1/nothing", 4),
    ] {
        let ran = room.run(line);
        assert_eq!(ran.exit, exit, "{line}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_command_line_that_is_wrong_says_what_to_write() {
    let room = Room::new();
    for (line, says) in [
        ("nav strike --date tomorrow", "write a date like 2024-01-11"),
        ("nav strike --date 2024-1-9", "write a date like 2024-01-11"),
        ("nav strike --date 2024-01-09T00:00:00Z", "write a date like 2024-01-11"),
        ("fund status --at yesterday", "write an instant like 2024-01-11T21:30:00Z"),
        ("fund status --at 2024-01-11T21:30:00", "write an instant like 2024-01-11T21:30:00Z"),
        ("order execute A --price 43000", "write it like BTC=43900.12"),
        ("order execute A --price BTC=1,000", "1,000"),
        ("order submit --id A --participant P --side creation --trade-date 2024-01-09", "--shares"),
        (
            "order submit --id A --participant P --side creation --shares -1 --trade-date 2024-01-09",
            "-1 is not in 1..",
        ),
        (
            "order submit --id A --participant P --side creation --baskets 0 --trade-date 2024-01-09",
            "0 is not in 1..",
        ),
        ("backtest f.toml --prices p --flows p --to 2024-01-01 --out o", "write it like flows.csv:IBIT"),
        ("fund status --fund btcx", "`btcx` is not a symbol"),
        ("demo --months 61", "61 is not in 1..=60"),
    ] {
        let person = room.run(line);
        assert_eq!((person.exit, person.out.as_str()), (2, ""), "{line}");
        assert!(person.err.contains(says), "{line}: {}", person.err);
        let message = room.run(&format!("{line} --json")).refused(2, "command_line.must_be_valid");
        assert!(message.contains(says) && !message.starts_with("error"), "{line}: {message}");
    }
}

#[test]
fn every_bad_row_of_a_file_is_named_and_none_is_imported() {
    let room = Room::new();
    small_fund(&room);
    let before = room.status();
    room.write(
        "bad.csv",
        "date,close\n2024-01-10,abc\n2024-13-09,1\n2024-01-11,-4\n2024-01-12\n2024-01-13,5\n2024-01-13,6\n2024-01-14,7\n",
    );
    let ran = room.run("prices import bad.csv --at 2024-01-20T22:00:00Z");
    assert_eq!((ran.exit, ran.out.as_str()), (3, ""));
    for line in [
        "not done [file.rows_must_be_sound]: bad.csv: 5 problems, nothing was imported",
        "\n  line 2, column close: `abc` is not a decimal number; write it like 1234.5",
        "\n  line 3, column date: `2024-13-09` is not a date; write it like 2024-01-11",
        "\n  line 4, column close: the price -4 is not above zero",
        "\n  line 5: the heading has 2 columns, this row has 1",
        "\n  line 7, column date: 2024-01-13 is given twice with different prices",
    ] {
        assert!(ran.err.contains(line), "`{line}` is not in {}", ran.err);
    }
    room.run("prices import bad.csv --at 2024-01-20T22:00:00Z --json").refused(3, "file.rows_must_be_sound");
    assert_eq!(before, room.status());
    let columns = room.run("prices import fund.db --at 2024-01-20T22:00:00Z --json");
    assert_eq!(columns.exit, 3, "{}", columns.err);
    room.write("columns.csv", "day,rate\n2024-01-10,1\n");
    let message = room.run("prices import columns.csv --json").refused(3, "file.column_must_exist");
    assert!(message.ends_with("has no column `date`; it has `day`, `rate`"), "{message}");
}

#[test]
fn importing_the_same_again_is_done_already_and_a_file_without_new_days_says_so() {
    let room = Room::new();
    small_fund(&room);
    let before = room.status();
    for options in ["", "--from 2024-01-08", "--from 2024-01-08 --through 2024-01-09"] {
        let said = room.run(&format!("prices import rates.csv {options} --at 2024-01-09T22:00:00Z")).done();
        assert_eq!(said, "already done: nothing changed\n", "{options}");
    }
    let ran = room.run("prices import rates.csv --from 2024-02-01 --json --at 2024-01-09T22:00:00Z");
    assert!(ran.error().2.contains("--from and --through"), "{}", ran.err);
    ran.refused(3, "import.must_have_rows");
    assert_eq!(before, room.status());
}

#[test]
fn a_wrong_definition_is_named_by_line_and_column_with_what_to_write() {
    let room = Room::new();
    let text = std::fs::read_to_string(definition("bitcoin.toml")).unwrap();
    let wrong = |name: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        room.write(name, &text);
        let line = 1 + text[..text.find(to).unwrap()].matches('\n').count();
        let ran = room.run(&format!("fund open {name} --seed-price BTC=1 --json --at 2024-01-05T22:00:00Z"));
        let (code, message, hint) = ran.error();
        assert_eq!(ran.exit, 3, "{message}");
        assert!(code.starts_with("definition."), "{code}");
        assert!(message.starts_with(&format!("{name}:{line}:")), "line {line}: {message}");
        assert!(!hint.is_empty(), "{message}");
    };
    wrong("unknown.toml", "cost_method =", "cost_methd =");
    wrong("currency.toml", "\"USD\"", "\"EUR\"");
    wrong("scale.toml", "scale = 8", "scale = 80");
    wrong("float.toml", "annual = \"0.0025\"", "annual = 0.0025");
    wrong("syntax.toml", "name = \"Strongroom", "name = Strongroom");
    assert!(!room.file("fund.db").exists(), "a refused definition left a database");
}

#[test]
fn a_command_that_is_refused_makes_no_database() {
    let room = Room::new();
    let open = format!(
        "fund open '{}' --seed-price ETH=1 --at 2024-01-05T22:00:00Z --json",
        definition("bitcoin.toml")
    );
    room.run(&open).refused(1, "price.must_be_given_for_each_asset");
    let early = format!(
        "fund open '{}' --seed-price BTC=1 --at 2024-01-04T22:00:00Z --json",
        definition("bitcoin.toml")
    );
    assert_eq!(room.run(&early).exit, 1);
    for line in [
        "fund status",
        "fund list",
        "order settle --due",
        "order settle A1",
        "nav strike",
        "prices import rates.csv",
        "fee pay",
        "statement",
        "basket",
        "backup b.db",
    ] {
        room.run(&format!("{line} --json")).refused(4, "database.must_exist");
    }
    assert!(std::fs::read_dir(room.file("")).unwrap().next().is_none(), "a file was left");
}

#[test]
fn a_run_over_files_that_do_not_fit_says_what_to_do() {
    let room = Room::new();
    room.write("rates.csv", "date,close\n2024-01-05,1000\n2024-01-08,1001\n");
    room.write("flows.csv", "date,X\n2024-01-06,1.0\n");
    let run = |options: &str| {
        room.run(&format!(
            "backtest '{}' --prices rates.csv --out out --json {options}",
            definition("bitcoin.toml")
        ))
    };
    let (code, message, hint) = run("--to 2024-01-08").error();
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("backtest.price_must_be_given", "no price of BTC for 2024-01-05")
    );
    assert!(hint.contains("--price-at close"), "{hint}");
    run("--to 2024-01-09 --price-at close").refused(3, "backtest.price_must_be_given");
    run("--to 2024-01-05").refused(3, "backtest.period_must_not_be_empty");
    run("--to 2024-01-08 --price-at close --flows flows.csv:X")
        .refused(3, "backtest.flow_must_be_on_a_session");
    run("--to 2024-01-08 --flows flows.csv:Y").refused(3, "file.column_must_exist");
    run("--to 2024-01-08 --price-at close --keep missing/x.db")
        .refused(4, "store.directory_must_be_writable");
    run("--to 2024-01-08 --price-at close --keep http://x")
        .refused(4, "store.location_must_be_path_or_postgres_url");
    room.write("rates.csv", "date,close\n2024-01-05,1000\n2024-01-08,2001\n2024-01-09,2001\n");
    let message =
        run("--to 2024-01-08 --price-at close --keep kept.db").refused(1, "price.must_be_within_jump_limit");
    assert!(message.starts_with("2024-01-08T21:35:00Z: BTC moved"), "{message}");
    assert!(!room.file("out/report.html").exists(), "a run that stopped left a report");
}
