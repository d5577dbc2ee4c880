//! Basket indices against published figures, and what must hold whatever the market.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot build its case has failed"
)]

#[path = "index/events.rs"]
mod events;
#[path = "index/properties.rs"]
mod properties;
#[path = "index/real.rs"]
mod real;
#[path = "index/small.rs"]
mod small;

use small::*;
use std::collections::BTreeMap;
use strongroom_market::index::{
    AssetName, ChangeKind, Divisor, Index, Market, Series, basket_value, capped_weights,
};
use strongroom_units::{Price, Rounding};

// ---- published figures

/// CRIX as the R package `IndexConstruction` ships it, 1 February 2017.
#[test]
fn the_published_crix_level_and_weights_come_out_to_the_digits_of_a_float() {
    let rows = [
        ("16136712", "986.572890345435", "0.91017746"),
        ("88440036", "10.7009894182225", "0.05410715"),
        ("36856524148", "0.006492", "0.01367964"),
        ("49589181", "4.05834934208374", "0.01150584"),
        ("13859864", "13.2887379822471", "0.01052991"),
    ];
    let held: Vec<_> = rows.iter().map(|(quantity, at, _)| (coins(quantity), price(at))).collect();
    let value = basket_value(held.clone()).unwrap();
    let level = Divisor::try_new(price("17185084")).unwrap().level(value).unwrap();
    // The published 1017.8094773301837 is a float, whose neighbours are 1.1e-13 apart; the exact quotient ends in …835, and
    // the two agree to fifteen of the seventeen digits.
    assert_eq!(level.round_to(13, Rounding::HalfUp).unwrap(), price("1017.8094773301835"));
    let published: f64 = 1017.8094773301837;
    assert!((level.to_decimal().to_f64() - published).abs() <= 2.5e-13);
    let scores: Vec<_> = held.into_iter().map(|row| basket_value([row]).unwrap().units()).collect();
    let weights = capped_weights(&scores, None).unwrap();
    assert_eq!(sum(weights.iter().map(|weight| weight.weight)), rate("1"));
    for (weight, (_, _, published)) in weights.iter().zip(rows) {
        assert_eq!(weight.weight.round_to(8, Rounding::HalfUp).unwrap(), rate(published));
    }
}

/// The Nasdaq Crypto Index at 1 December 2020.
#[test]
fn published_weights_are_taken_as_fixed_weights_only_if_they_come_to_one() {
    let published = "weighting = { kind = \"fixed\", weights = { A = \"0.7861\", B = \"0.1686\", C = \"0.0158\", \
                     D = \"0.0127\", E = \"0.0103\", F = \"0.0065\" } }\nselect = { kind = \"all\" }";
    let text = definition(published, "").replace("next-rank", "refuse");
    let run = run(&text, &market(&[&[60, 50, 40, 30, 20, 10]], "ABCDEF"), "2022-01-01");
    let weights: Vec<_> = run.reconstitutions[0].members.iter().map(|member| member.weight).collect();
    assert_eq!(weights, ["0.7861", "0.1686", "0.0158", "0.0127", "0.0103", "0.0065"].map(rate));
    assert_eq!(sum(weights), rate("1"));
    let error = Index::parse(&text.replace("0.0065", "0.0066")).unwrap_err();
    assert_eq!(error.to_string(), "version 2022-01-01: fixed weights are above zero and come to one");
}

#[test]
fn a_cap_is_applied_until_nobody_is_above_it() {
    let check = |cap: &str, expected: [&str; 4]| {
        let weights = capped_weights(&[70, 20, 6, 4], Some(rate(cap))).unwrap();
        assert_eq!(sum(weights.iter().map(|weight| weight.weight)), rate("1"), "{cap}");
        let rounded = weights.iter().map(|w| w.weight.round_to(6, Rounding::HalfUp).unwrap());
        assert_eq!(rounded.collect::<Vec<_>>(), expected.map(rate), "{cap}");
    };
    check("0.5", ["0.5", "0.333333", "0.1", "0.066667"]);
    check("0.3", ["0.3", "0.3", "0.24", "0.16"]); // the second is above only after the first has been capped
    check("0.25", ["0.25", "0.25", "0.25", "0.25"]);
    check("1", ["0.7", "0.2", "0.06", "0.04"]);
    let error = capped_weights(&[70, 20, 6, 4], Some(rate("0.24"))).unwrap_err();
    assert_eq!(error.code(), "index.cap_must_be_feasible");
    assert_eq!(error.to_string(), "4 members of at most 0.24 each do not come to one");
    assert_eq!(capped_weights(&[], None).unwrap_err().code(), "index.must_have_members");
    assert_eq!(capped_weights(&[1, 0], None).unwrap_err().code(), "index.score_must_be_positive");
}

#[test]
fn what_rounding_leaves_goes_to_the_largest_that_has_room() {
    let weights = |scores: &[i128], cap: Option<&str>| -> Vec<String> {
        let weights = capped_weights(scores, cap.map(rate)).unwrap();
        weights.iter().map(|weight| weight.weight.to_string()).collect()
    };
    assert_eq!(
        weights(&[1, 1, 1], None),
        ["0.333333333333333334", "0.333333333333333333", "0.333333333333333333"]
    );
    assert_eq!(
        weights(&[1, 1, 4], None),
        ["0.166666666666666666", "0.166666666666666666", "0.666666666666666668"]
    );
    assert_eq!(
        weights(&[8, 1, 1, 1], Some("0.5")),
        ["0.5", "0.166666666666666668", "0.166666666666666666", "0.166666666666666666"]
    );
}

#[test]
fn a_divisor_follows_the_value_and_the_level_does_not_move() {
    let divisor = Divisor::at_level(price("1000000"), price("1000")).unwrap();
    assert_eq!(divisor.value(), price("1000"));
    let after = divisor.chained(price("1000000"), price("1250000")).unwrap();
    assert_eq!(after.value(), price("1250"));
    assert_eq!(after.level(price("1250000")).unwrap(), price("1000"));
    assert!(Divisor::try_new(Price::ZERO).is_err());
}

// ---- who is in and who is out

#[test]
fn ranks_come_from_capitalisation_and_every_coin_has_its_reason() {
    let run = run(&definition(TOP_2, ""), &market(&[&[30, 60, 50]], "ABC"), "2022-01-01");
    assert_eq!(members(&run, 0), ["B", "C"]);
    let first = &run.reconstitutions[0];
    assert_eq!(first.members[0].why_in.to_string(), "among the first 2 by market capitalisation");
    assert_eq!(first.members[0].why_weight.to_string(), "share of free-float market capitalisation");
    let out: Vec<_> =
        first.out.iter().map(|out| (out.asset.as_str(), out.rank, out.reason.to_string())).collect();
    assert_eq!(out, [("A", Some(3), "not among the first 2".to_owned())]);
}

#[test]
fn a_buffer_keeps_a_member_and_says_so() {
    let caps: Caps = &[&[60, 50, 40], &[60, 40, 50], &[30, 40, 50]];
    let names = |version: &str| {
        let run = run(&definition(version, ""), &market(caps, "ABC"), "2022-03-01");
        (0..3).map(|nth| members(&run, nth).join("")).collect::<Vec<_>>()
    };
    let with = |buffer: &str| TOP_2.replace("count = 2", &format!("count = 2, {buffer}"));
    assert_eq!(names(TOP_2), ["AB", "AC", "CB"]);
    assert_eq!(names(&with("buffer = 1")), ["AB", "AB", "BA"]); // C, the largest in March, has to wait …
    assert_eq!(names(&with("buffer = 1, enters_at = 1")), ["AB", "AB", "CB"]); // … unless the first rank enters
    let run = run(&definition(&with("buffer = 1"), ""), &market(caps, "ABC"), "2022-02-01");
    let second = &run.reconstitutions[1];
    assert_eq!(second.members[1].why_in.to_string(), "a member stays down to rank 3");
    assert_eq!(second.out[0].reason.to_string(), "members down to rank 3 keep their places");
}

#[test]
fn a_coin_without_a_full_month_of_prices_gives_way_to_the_next_rank_and_is_logged() {
    let caps: Caps = &[&[60, 50, 40], &[60, 50, 40], &[60, 50, 40]];
    let mut whole = market(caps, "ABC");
    let gap = set_price(&mut whole, "B", "2022-01-10", "2022-01-11", "");
    // A day that is missing while B is a member is an error with its name, never a price of another day.
    let index = Index::parse(&definition(TOP_2, "")).unwrap();
    let error = index.run(&gap, date("2022-01-01"), date("2022-03-01")).unwrap_err();
    assert_eq!(error.code(), "index.price_must_not_be_stale");
    let said = "B has no price on 2022-01-10 and none of at most 0 days before; its last is of 2022-01-09";
    assert_eq!(error.to_string(), said);
    // Within the limit it is carried, said so, and B still loses its place in February and has it back in March.
    let patient = definition(TOP_2, "").replace("stale_days_max = 0", "stale_days_max = 2");
    let run = run(&patient, &gap, "2022-03-04");
    assert_eq!(
        (members(&run, 0), members(&run, 1), members(&run, 2)),
        (vec!["A", "B"], vec!["A", "C"], vec!["A", "B"])
    );
    let log: Vec<_> = run.log.iter().map(|(day, logged)| format!("{day} {logged}")).collect();
    assert_eq!(
        log,
        [
            "2022-01-10 B is priced by its close of 2022-01-09",
            "2022-01-11 B is priced by its close of 2022-01-09",
            "2022-02-01 B at rank 2 is replaced by C at rank 3: no price on 2 of 31 days, the last 2022-01-11",
        ]
    );
    assert_eq!(run.levels[9].carried.len(), 1);
    assert_eq!(run.reconstitutions[1].members[1].why_in.to_string(), "next rank, in place of B at 2");
}

#[test]
fn who_is_not_replaced_is_refused_or_left_out_by_the_definition() {
    let caps: Caps = &[&[60, 50, 40]];
    let with = |unpriced: &str| definition(TOP_2, "").replace("next-rank", unpriced);
    let left_out = run(&with("leave-out"), &market(caps, "AC"), "2022-01-01");
    assert_eq!(members(&left_out, 0), ["A"]);
    assert_eq!(left_out.log[0].1.to_string(), "B is left out: no daily prices in the market files");
    let index = Index::parse(&with("refuse")).unwrap();
    let error = index.run(&market(caps, "AC"), date("2022-01-01"), date("2022-01-01")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "B is to be a member on 2022-01-01 and has no daily prices in the market files"
    );
    let index = Index::parse(&with("next-rank")).unwrap();
    let error = index.run(&market(caps, "A"), date("2022-01-01"), date("2022-01-01")).unwrap_err();
    assert_eq!(error.code(), "index.must_have_enough_members");
}

#[test]
fn filters_lists_and_themes_keep_coins_out_each_with_its_rule() {
    let rest = "\n[[exclusion]]\nid = \"stablecoin\"\nassets = [\"Coin A (A)\"]\n\
                [[theme]]\nid = \"old\"\nhindsight = \"chosen afterwards\"\n\
                member = [{ asset = \"B\", from = \"2022-01-01\", through = \"2022-01-31\" }, \
                { asset = \"C\", from = \"2022-01-01\" }, { asset = \"E\", from = \"2022-01-01\" }]\n";
    let version =
        format!("{ALL}\nthemes = [\"old\"]\nfilters = {{ volume_24h_min = \"1000\", age_days_min = 0 }}");
    let text = definition(&version, rest).replace("next-rank", "leave-out");
    let found = run(&text, &market(&[&[60, 50, 40, 30], &[60, 50, 40, 30]], "ABCD"), "2022-02-01");
    assert_eq!((members(&found, 0), members(&found, 1)), (vec!["B", "C"], vec!["C"]));
    let why = |nth: usize| -> BTreeMap<String, String> {
        let out = found.reconstitutions[nth].out.iter();
        out.map(|out| (out.asset.to_string(), out.reason.to_string())).collect()
    };
    assert_eq!(why(0)["A"], "excluded: stablecoin");
    assert_eq!(why(0)["D"], "in no theme of the index");
    assert_eq!(why(0)["E"], "not in the snapshot");
    assert_eq!(why(1)["B"], "in no theme of the index");
    assert!(found.reconstitutions[1].out.iter().any(|out| out.asset.as_str() == "B" && out.was_member));
    let silent = text.replace("chosen afterwards", " ");
    assert_eq!(
        Index::parse(&silent).unwrap_err().to_string(),
        "theme old: a theme states what it owes to hindsight"
    );
    // Coin D is first listed in February: 31 days later, in March, it is old enough.
    let caps: [&[i64]; 3] = [&[60, 50, 40], &[60, 50, 40, 30], &[60, 50, 40, 30]];
    let aged = definition(&format!("{ALL}\nfilters = {{ price_min = \"2\", age_days_min = 28 }}"), "");
    let since = "\"Coin A (A)\"]\nsince = \"2020-01-01\"";
    let aged = aged.replace("next-rank", "leave-out").replace("\"Coin A (A)\"]", since);
    let aged = run(&aged, &market(&caps, "ABCD"), "2022-03-01");
    assert_eq!((members(&aged, 0), members(&aged, 1).len(), members(&aged, 2).len()), (vec!["A"], 3, 4));
    let young = aged.reconstitutions[1].out[0].reason.to_string();
    assert_eq!(young, "known since 2022-02-01, less than 28 days");
    let strict = text.replace("\"1000\", age_days_min = 0", "\"1001\"");
    let index = Index::parse(&strict).unwrap();
    let few = index.run(&market(&[&[60, 50]], "AB"), date("2022-01-01"), date("2022-01-01")).unwrap_err();
    assert_eq!(few.code(), "index.must_have_enough_members");
}

#[test]
fn a_symbol_is_no_identity() {
    let mut market = market(&[&[60, 50]], "AB");
    let impostor = AssetName::try_new("Another Coin", "B").unwrap();
    market.add_listing(date("2022-01-01"), impostor, listing(55)).unwrap();
    let run = run(&definition(TOP_2, ""), &market, "2022-01-01");
    // The impostor ranks second and is not priced with the closes of the coin whose symbol it bears.
    assert_eq!(members(&run, 0), ["A", "B"]);
    let logged = run.log[0].1.to_string();
    assert_eq!(
        logged,
        "Another Coin (B) at rank 2 is replaced by B at rank 3: no daily prices in the market files"
    );
}

#[test]
fn a_name_that_changed_hands_needs_dates_and_a_renamed_coin_stays_itself() {
    let two = "\n[[asset]]\nid = \"X\"\nnames = [\"Coin A (A)\"]\n";
    let error = Index::parse(&definition(TOP_2, two)).unwrap_err();
    assert_eq!(error.code(), "index_definition.must_not_contradict_itself");
    let index = Index::parse(LARGE_CAP).unwrap();
    let means = |name: &str, day: &str| index.identify(&name.parse().unwrap(), date(day)).to_string();
    assert_eq!(means("Terra (LUNA)", "2022-05-27"), "LUNA (2019)");
    assert_eq!(means("Terra (LUNA)", "2022-05-28"), "LUNA (2022)");
    assert_eq!(means("Terra Classic (LUNC)", "2022-10-01"), "LUNA (2019)");
    assert_eq!(means("Binance Coin (BNB)", "2020-01-01"), means("BNB (BNB)", "2023-01-01"));
    assert_eq!(means("Binary Coin (BNB)", "2020-01-01"), "Binary Coin (BNB)");
}

#[test]
fn a_change_is_determined_on_its_announcement_and_priced_on_its_day() {
    let text = definition(TOP_2, "")
        .replace("base_date = \"2022-01-01\"", "base_date = \"2022-01-08\"")
        .replace("day = 1 }", "day = 8, announcement_days = 7 }");
    let run = run(&text, &market(&[&[60, 50, 40], &[10, 50, 40]], "ABC"), "2022-02-08");
    let second = &run.reconstitutions[1];
    let days = [second.date, second.announced, second.snapshot, second.members[0].price_date];
    assert_eq!(days, ["2022-02-08", "2022-02-01", "2022-02-01", "2022-02-08"].map(date));
    let late = text.replace("announcement_days = 7", "announcement_days = 6");
    let error =
        Index::parse(&late).unwrap().run(&market(&[&[60, 50]], "AB"), date("2022-01-08"), date("2022-01-09"));
    assert_eq!(error.unwrap_err().code(), "index.snapshot_must_be_recent");
}

#[test]
fn quarters_choose_and_months_only_weigh() {
    let version = format!("{TOP_2}\nrebalance = {{ every = \"month\", day = 1 }}");
    let text = definition(&version, "").replacen("every = \"month\"", "every = \"quarter\"", 1);
    let caps: Caps = &[&[60, 50, 40], &[30, 40, 90], &[30, 40, 90], &[30, 40, 90]];
    let run = run(&text, &market(caps, "ABC"), "2022-04-02");
    let kinds: Vec<_> = run.reconstitutions.iter().map(|change| change.kind).collect();
    use ChangeKind::{Base, Rebalance, Reconstitution};
    assert_eq!(kinds, [Base, Rebalance, Rebalance, Reconstitution]);
    assert_eq!((members(&run, 1), members(&run, 3)), (vec!["B", "A"], vec!["C", "B"]));
}

#[test]
fn weightings_are_what_their_names_say() {
    let weights = |weighting: &str, market: &Market| {
        let version =
            format!("price_history_days = 31\nselect = {{ kind = \"all\" }}\nweighting = {{ {weighting} }}");
        let run = run(&definition(&version, "").replace("next-rank", "refuse"), market, "2022-01-01");
        let members = run.reconstitutions[0].members.iter();
        let found: BTreeMap<_, _> = members.map(|m| (m.asset.to_string(), m.weight.to_string())).collect();
        found.into_values().collect::<Vec<_>>()
    };
    let still = market(&[&[90, 10]], "AB");
    assert_eq!(weights("kind = \"market-cap\"", &still), ["0.9", "0.1"]);
    assert_eq!(weights("kind = \"square-root\"", &still), ["0.75", "0.25"]);
    assert_eq!(weights("kind = \"equal\"", &still), ["0.5", "0.5"]);
    // A doubles and halves each day, B moves by half as much: returns 1, −0.5, … and 0.5, −0.25 have twice the deviation.
    let mut moving = market(&[&[90, 10]], "");
    for (letter, up, down) in [("A", "4", "2"), ("B", "3", "2")] {
        let both = [down, up];
        let closes = days("2021-12-01", "2022-01-01").zip(both.iter().cycle()).map(|(d, p)| (d, price(p)));
        moving.add_series(letter, Series { source: String::new(), closes: closes.collect() });
    }
    let found = weights("kind = \"inverse-volatility\", days = 30", &moving);
    let (a, b): (f64, f64) = (found[0].parse().unwrap(), found[1].parse().unwrap());
    // Returns of A: +1 and −1/2; of B: +1/2 and −1/3. Deviations are in the ratio 3/4 : 5/12.
    assert!((b / a - (0.75 / (5.0 / 12.0))).abs() < 1e-11, "{a} {b}");
}
