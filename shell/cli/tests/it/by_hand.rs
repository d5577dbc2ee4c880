//! A fund run by hand through a whole day cycle, on both databases, with the same answers.

use crate::harness::{Database, Ran, Room, definition};

const RATES: &str = "date,close\n2024-01-05,44162.69\n2024-01-06,43989.20\n2024-01-07,43943.10\n2024-01-08,46970.50\n\
2024-01-09,46139.73\n2024-01-10,46627.78\n2024-01-11,46368.59\n2024-01-12,42853.17\n";

/// Every command of a week, with an answer each.
fn week() -> Vec<String> {
    let open = format!(
        "fund open '{}' --seed-price BTC=44162.69 --at 2024-01-05T21:30:00Z",
        definition("bitcoin.toml")
    );
    let rest = [
        "order submit --id A1 --participant 'AP One' --side creation --baskets 5 --trade-date 2024-01-08 --at 2024-01-05T22:00:00Z",
        "order submit --id A1 --participant 'AP One' --side creation --baskets 5 --trade-date 2024-01-08 --at 2024-01-05T22:01:00Z",
        "order submit --id A2 --participant 'AP Two' --side creation --shares 40000 --trade-date 2024-01-08 --at 2024-01-05T22:02:00Z",
        "order list",
        "order cancel A2 --at 2024-01-05T22:30:00Z",
        "prices import rates.csv --at 2024-01-08T21:30:00Z",
        "prices import rates.csv --at 2024-01-08T21:31:00Z",
        "prices list",
        "nav strike --at 2024-01-08T21:35:00Z",
        "order execute A1 --price BTC=47010.25 --at 2024-01-08T21:40:00Z",
        "order settle --due --at 2024-01-09T15:00:00Z",
        "custody transfer --from trading --to vault --quantity 113 --at 2024-01-09T15:05:00Z",
        "order submit --id R1 --participant 'AP One' --side redemption --baskets 2 --trade-date 2024-01-10 --at 2024-01-09T16:00:00Z",
        "prices import rates.csv --at 2024-01-09T21:30:00Z",
        "nav strike --date 2024-01-09 --at 2024-01-09T21:35:00Z",
        "prices import rates.csv --at 2024-01-10T21:30:00Z",
        "nav strike --date 2024-01-10 --at 2024-01-10T21:35:00Z",
        "order execute R1 --price BTC=46600 --at 2024-01-10T21:40:00Z",
        "custody transfer --from vault --to trading --quantity 50 --at 2024-01-11T14:00:00Z",
        "order settle R1 --at 2024-01-11T15:00:00Z",
        "prices correct --date 2024-01-10 --price 46630.12 --reason 'the source restated' --at 2024-01-11T16:00:00Z",
        "expense record --id legal --effective 2024-01-11 --amount 125.50 --memo counsel --at 2024-01-11T17:00:00Z",
        "prices import rates.csv --at 2024-01-11T21:30:00Z",
        "nav strike --date 2024-01-11 --at 2024-01-11T21:35:00Z",
        "order late --id L1 --participant 'AP Two' --side creation --baskets 1 --trade-date 2024-01-11 --reason 'by telephone' --at 2024-01-11T22:00:00Z",
        "fund halt --scope creations --reason 'the market falls' --at 2024-01-11T22:30:00Z",
        "fund status",
        "fund resume --reason 'it does not' --at 2024-01-11T22:40:00Z",
        "order execute L1 --price BTC=46000 --at 2024-01-11T22:45:00Z",
        "fee due",
        "fee pay --price BTC=46300 --at 2024-01-12T15:00:00Z",
        "expense pay --price BTC=46300 --at 2024-01-12T15:00:00Z",
        "order settle --due --at 2024-01-12T15:30:00Z",
        "prices import rates.csv --at 2024-01-12T21:30:00Z",
        "nav strike --date 2024-01-12 --at 2024-01-12T21:35:00Z",
        "nav list",
        "order list",
        "fund list",
        "fund status",
        "basket",
        "statement",
    ];
    std::iter::once(open).chain(rest.into_iter().map(str::to_owned)).collect()
}

fn run_week(room: &Room, suffix: &str) -> Vec<(String, Ran)> {
    room.write("rates.csv", RATES);
    let run = |line: String| {
        let ran = room.run(&format!("{line} {suffix}"));
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{line}");
        (line, ran)
    };
    week().into_iter().map(run).collect()
}

#[test]
fn a_week_gives_the_same_json_on_sqlite_and_postgresql() {
    let Some(database) = Database::fresh() else { return };
    let sqlite = run_week(&Room::new(), "--json");
    let postgres = run_week(&Room::on(&database.url()), "--json");
    for ((line, ours), (_, theirs)) in sqlite.iter().zip(&postgres) {
        assert_eq!(ours, theirs, "{line}");
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(&ours.out);
        assert!(parsed.is_ok(), "{line}: {}", ours.out);
    }
}

#[test]
fn every_step_says_what_it_did() {
    let answers = run_week(&Room::new(), "");
    let said = |begins: &str, wanted: &str| {
        let found: Vec<_> = answers.iter().filter(|(line, _)| line.starts_with(begins)).collect();
        assert!(
            found.iter().any(|(_, ran)| ran.out.contains(wanted)),
            "{begins}: `{wanted}` is not in {found:#?}"
        );
    };
    said("fund open", "BTCX is open: 400,000 seed shares, 226.43548207 BTC in the vault");
    said(
        "order submit --id A1",
        "A1 accepted: cash creation of 200,000 shares, deals at the strike of 2024-01-08, settles on 2024-01-09",
    );
    said(
        "order submit --id A1 --participant 'AP One' --side creation --baskets 5 --trade-date 2024-01-08 --at 2024-01-05T22:01",
        "already done: nothing changed",
    );
    said("order cancel", "A2 is cancelled");
    said(
        "prices import rates.csv --at 2024-01-08T21:30",
        "3 prices of BTC recorded\n  flagged non-session: 2024-01-06 at 43989.2",
    );
    said("prices import rates.csv --at 2024-01-08T21:31", "already done: nothing changed");
    said("prices import rates.csv --at 2024-01-10", "1 price of BTC recorded");
    said("nav strike --at 2024-01-08", "reference rate          46,970.50 per BTC");
    said("nav strike --at 2024-01-08", "NAV per share           26.59");
    said("order execute A1", "borne by the participant");
    said("order execute R1", "the participant");
    said("order settle --due --at 2024-01-09", "A1 is settled");
    said("custody transfer", "113.00000000 BTC moved");
    said("prices correct", "1 published NAV would have been different (none was changed)");
    said("expense record", "recorded");
    said("order late", "recorded");
    said("fund status", "creations halted: the market falls");
    said("fee due", "USD");
    said("fee pay", "USD paid by selling");
    said("fund list", "BTCX  Strongroom Bitcoin Trust  running");
    said("nav list", "correction");
    said("statement", "2024-01-05 to 2024-01-12, in USD");
    said("basket", "BTCX");
}

#[test]
fn what_was_done_is_read_back_from_a_read_only_view_in_every_form() {
    let room = Room::new();
    run_week(&room, "");
    let csv = room.run("basket --format csv").done();
    let json = room.run("basket --json").done();
    let fixed = room.run("basket --format fixed-width").done();
    assert!(csv.starts_with("fund_symbol,") && json.starts_with('{') && fixed.starts_with("01BTCX"));
    assert_eq!(json, room.run("basket --format json").done());
    let before = room.status();
    room.run("statement --out q1").done();
    assert_eq!(before, room.status());
}
