//! What happens to members, and what it does to the level.

use crate::small::*;
use strongroom_market::index::Series;
use strongroom_market::index::{ChangeKind, Index, IndexRun, Market, OutReason};
use strongroom_units::Rounding;
use strongroom_units::time::Date;

fn event_run(event: &str, change: impl Fn(Market) -> Market, to: &str) -> IndexRun {
    let market = change(market(&[&[60, 40], &[60, 40]], "ABC"));
    run(&(all_of_it() + &format!("\n[[event]]\n{event}\n")), &market, to)
}

fn level(run: &IndexRun, day: &str) -> String {
    run.levels.iter().find(|level| level.date == date(day)).unwrap().published.to_string()
}

#[test]
fn a_fork_or_an_airdrop_is_no_loss() {
    // After the fork A costs 1.5: the half that left is the new chain's. Without the event the level would fall to 85.
    let halved = |mut market: Market| set_price(&mut market, "A", "2022-01-11", "2022-06-30", "1.5");
    let fork = "kind = \"fork\"\ndate = \"2022-01-10\"\nasset = \"A\"\nwhat = \"A Cash\"\nvalue = \"0.5\"";
    let run = event_run(fork, halved, "2022-01-20");
    assert_eq!([level(&run, "2022-01-10"), level(&run, "2022-01-11")], ["100", "100"]);
    assert_eq!(run.divisor_changes[0].divisor_after.value(), price("850000"));
    assert!(
        !run.reconstitutions.iter().any(|change| change.members.iter().any(|m| m.asset.as_str() == "A Cash"))
    );
    let airdrop = fork.replace("fork", "airdrop");
    assert_eq!(level(&event_run(&airdrop, halved, "2022-01-20"), "2022-01-11"), "100");
    let too_much = fork.replace("\"0.5\"", "\"9\"");
    let index = Index::parse(&(all_of_it() + &format!("\n[[event]]\n{too_much}\n"))).unwrap();
    let error = index.run(&market(&[&[60, 40]], "AB"), date("2022-01-01"), date("2022-01-20")).unwrap_err();
    assert_eq!(error.to_string(), "the fork of A on 2022-01-10 leaves a basket worth nothing");
}

#[test]
fn a_delisted_member_leaves_at_its_last_price_or_at_zero_by_rule() {
    let gone = |mut market: Market| set_price(&mut market, "B", "2022-01-11", "2022-06-30", "");
    let event = "kind = \"delisting\"\ndate = \"2022-01-10\"\nasset = \"B\"\nat = ";
    let at_last = event_run(&format!("{event}\"last-price\""), gone, "2022-02-02");
    assert_eq!([level(&at_last, "2022-01-10"), level(&at_last, "2022-01-11")], ["100", "100"]);
    assert_eq!(at_last.divisor_changes[0].divisor_after.value(), price("600000"));
    let at_zero = event_run(&format!("{event}\"zero\""), gone, "2022-02-02");
    assert_eq!(
        [level(&at_zero, "2022-01-09"), level(&at_zero, "2022-01-10"), level(&at_zero, "2022-02-02")],
        ["100", "60", "60"]
    );
    assert_eq!(members(&at_zero, 1), ["A"]);
    assert!(
        at_zero.reconstitutions[1]
            .out
            .iter()
            .any(|out| out.reason == OutReason::Gone { since: date("2022-01-10") })
    );
}

#[test]
fn a_migration_goes_on_in_new_units() {
    // A hundredth of a C for each B, and a C costs 200: nothing is won or lost.
    let changed = |mut market: Market| {
        let mut market = set_price(&mut market, "B", "2022-01-11", "2022-06-30", "");
        set_price(&mut market, "C", "2022-01-01", "2022-06-30", "200")
    };
    let event = "kind = \"migration\"\ndate = \"2022-01-10\"\nasset = \"B\"\ninto = \"C\"\nunits = \"0.01\"";
    let run = event_run(event, changed, "2022-01-20");
    assert_eq!([level(&run, "2022-01-10"), level(&run, "2022-01-11")], ["100", "100"]);
    assert_eq!(run.log[0].1.to_string(), "migration of B: 0.01 C for each unit");
    assert!(run.divisor_changes.is_empty());
}

#[test]
fn a_corrected_supply_changes_history_only_when_it_is_restated() {
    let event = "kind = \"supply-correction\"\nasset = \"A\"\nfrom = \"2022-01-01\"\nknown = \"2022-01-15\"\nsupply = \"20000000\"\nrestate = ";
    let found = |restate: &str| {
        let run = event_run(&format!("{event}{restate}"), |market| market, "2022-01-20");
        let changes = run.reconstitutions.iter().map(|change| {
            let a = change.members.iter().find(|member| member.asset.as_str() == "A").unwrap();
            (change.date.to_string(), change.kind, a.weight.to_string())
        });
        (changes.collect::<Vec<_>>(), level(&run, "2022-01-20"))
    };
    let on = |day: &str, kind, weight: &str| (day.to_owned(), kind, weight.to_owned());
    let stands = [on("2022-01-01", ChangeKind::Base, "0.6"), on("2022-01-15", ChangeKind::Correction, "0.5")];
    assert_eq!(found("false"), (stands.to_vec(), "100".to_owned()));
    assert_eq!(found("true"), (vec![on("2022-01-01", ChangeKind::Base, "0.5")], "100".to_owned()));
}

#[test]
fn a_jump_of_supply_is_logged_and_free_float_counts() {
    let version = format!("{ALL}\nsupply_jump = \"0.3\"");
    let float = "\n[[asset]]\nid = \"G\"\nprice = \"G\"\nnames = [\"Coin G (G)\"]\nfree_float = [{ from = \"2022-02-01\", factor = \"0.5\" }]\n";
    let mut market = market(&[&[60, 40], &[60, 80]], "AB");
    for month in [1, 2] {
        market
            .add_listing(Date::constant(2022, month, 1), "Coin G (G)".parse().unwrap(), listing(100))
            .unwrap();
    }
    let closes = days("2021-12-01", "2022-06-30").map(|day| (day, price("2"))).collect();
    market.add_series("G", Series { source: String::new(), closes });
    let run = run(&definition(&version, float).replace("next-rank", "refuse"), &market, "2022-02-02");
    let g = |nth: usize| {
        let members = &run.reconstitutions[nth].members;
        members
            .iter()
            .find(|member| member.asset.as_str() == "G")
            .unwrap()
            .weight
            .round_to(4, Rounding::HalfUp)
    };
    assert_eq!((g(0), g(1)), ("0.5".parse(), "0.2632".parse())); // 100 of 200, then 50 of 190
    let log: Vec<_> = run.log.iter().map(|(_, logged)| logged.to_string()).collect();
    assert_eq!(log, ["the supply of B goes from 20,000,000 to 40,000,000 between two snapshots"]);
}

#[test]
fn an_index_on_snapshots_has_a_level_for_each_and_none_between() {
    let text = all_of_it().replace("prices = \"daily\"", "prices = \"snapshots\"");
    let run = run(&text, &market(&[&[60, 40], &[60, 40], &[60, 40]], ""), "2022-03-20");
    let dates: Vec<_> = run.levels.iter().map(|level| level.date.to_string()).collect();
    assert_eq!(dates, ["2022-01-01", "2022-02-01", "2022-03-01"]);
}

#[test]
fn definitions_that_contradict_themselves_are_refused_with_the_place() {
    let check = |from: &str, to: &str, said: &str| {
        let text = definition(TOP_2, "");
        assert!(text.contains(from), "{from}");
        let error = Index::parse(&text.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    };
    check("count = 2", "count = 0", "at least one member");
    check("count = 2 }", "count = 2 }\ncap = \"0.4\"", "count × cap is at least 1");
    check("day = 1 }", "day = 31 }", "day 1 to 28");
    check("effective = \"2022-01-01\"", "effective = \"2022-01-02\"", "there is a version for the base date");
    check("base_level = \"100\"", "base_level = \"0\"", "the base level is above zero");
    check("base_level = \"100\"", "base_level = 100.0", "line 6");
    check("{ kind = \"top\", count = 2 }", "{ kind = \"all\" }", "needs a ranked selection");
    check("decimals = 2", "decimal = 2", "line 14");
    for text in [LARGE_CAP, SMART_CONTRACTS, DEFI] {
        assert!(Index::parse(text).is_ok());
    }
}
