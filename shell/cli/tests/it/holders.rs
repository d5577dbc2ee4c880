//! A staked fund by hand: rewards, a declaration, a register, the payment, a claim and a correction; a split; and its report.

use crate::harness::{Room, definition, shared};

/// Rates of a staked fund's first days.
const RATES: &str = "date,close\n2023-01-03,1000\n2023-01-04,1000.01\n2023-01-05,1000.02\n2023-01-06,1000.03\n\
2023-01-09,1000.04\n2023-01-10,1000.05\n2023-01-11,1000.06\n";

const REGISTER: &str = "holder,shares,reachable\nb,299999,yes\na,100000,yes\nc,1,no\n";

fn lines() -> Vec<String> {
    let open = format!(
        "fund open '{}' --seed-price ETH=1000 --at 2023-01-03T21:30:00Z",
        definition("ether-staking.toml")
    );
    let rest = [
        "staking stake --quantity 8000 --at 2023-01-03T22:00:00Z",
        "prices import rates.csv --at 2023-01-04T21:30:00Z",
        "nav strike --at 2023-01-04T21:35:00Z",
        "staking reward --through 2023-01-04 --gross 10 --at 2023-01-04T22:00:00Z",
        "staking status --at 2023-01-04T22:00:00Z",
        "staking check --at 2023-01-04T22:00:00Z",
        "distribution declare --id q1 --per-share 0.02 --record 2023-01-06 --pay 2023-01-10 --memo rewards --at 2023-01-05T17:00:00Z",
        "prices import rates.csv --at 2023-01-05T21:30:00Z",
        "nav strike --at 2023-01-05T21:35:00Z",
        "prices import rates.csv --at 2023-01-06T21:30:00Z",
        "nav strike --at 2023-01-06T21:35:00Z",
        "register import register.csv --distribution q1 --at 2023-01-06T22:00:00Z",
        "register import register.csv --distribution q1 --at 2023-01-06T22:01:00Z",
        "custody transfer --from vault --to trading --quantity 9 --at 2023-01-06T22:10:00Z",
        "staking sell --quantity 8 --price 1000.03 --at 2023-01-06T22:15:00Z",
        "prices import rates.csv --at 2023-01-09T21:30:00Z",
        "nav strike --at 2023-01-09T21:35:00Z",
        "distribution pay q1 --at 2023-01-10T15:00:00Z",
        "distribution claim q1 --holder c --at 2023-01-10T16:00:00Z",
        "distribution correct q1 --per-share 0.0201 --reason misprinted --at 2023-01-10T17:00:00Z",
        "distribution list",
        "staking slash --id s1 --date 2023-01-10 --lost 1 --indemnified 0.5 --reason missed --at 2023-01-10T17:30:00Z",
        "staking unstake --quantity 100 --at 2023-01-10T17:40:00Z",
        "asset gift --date 2023-01-10 --asset ETH --what ETHW --value 3 --reason fork --at 2023-01-10T18:00:00Z",
        "life custodian --account vault --name Other --from 2023-01-12 --reason tender --at 2023-01-10T18:10:00Z",
        "life benchmark --id ETHUSD_RR --name 'Reference Rate' --from 2023-01-12 --reason license --at 2023-01-10T18:20:00Z",
        "life split --date 2023-01-10 --new 4 --reason 'price of a share' --at 2023-01-10T18:30:00Z",
        "prices import rates.csv --at 2023-01-10T21:30:00Z",
        "nav strike --at 2023-01-10T21:35:00Z",
        "staking release --at 2023-01-20T17:00:00Z",
        "life list",
        "statement",
    ];
    std::iter::once(open).chain(rest.into_iter().map(str::to_owned)).collect()
}

#[test]
fn a_staked_fund_is_run_by_hand_and_every_step_says_what_it_did() {
    let room = Room::new();
    room.write("rates.csv", RATES);
    room.write("register.csv", REGISTER);
    let mut said = std::collections::BTreeMap::new();
    for line in lines() {
        said.insert(line.clone(), room.run(&line).done());
    }
    let has = |begins: &str, wanted: &str| {
        let found: Vec<_> = said.iter().filter(|(line, _)| line.starts_with(begins)).collect();
        assert!(
            found.iter().any(|(_, out)| out.contains(wanted)),
            "{begins}: `{wanted}` is not in {found:#?}"
        );
    };
    has("staking stake", "8000.000000000000000000 ETH staked");
    has("staking reward", "8.200000000000000000 to the fund");
    has("staking status", "liquid                   2008.200000000000000000 ETH");
    has("staking check", "holds  only money and one asset are held");
    has("distribution declare", "q1 declared: 0.02 USD a share, ex and record 2023-01-06, paid 2023-01-10");
    has("register import", "3 holders with 400,000 shares recorded in 1 part\n");
    has("register import", "1 part had been recorded before");
    has("staking sell", "8000.24 USD received");
    has("distribution pay", "q1 paid: 7999.98000000 USD; 0.02000000 wait to be claimed");
    has("distribution claim", "0.02 USD of q1 paid to c");
    has("distribution correct", "40.00000000 more owed; 2 published NAVs changed by it (none was edited)");
    has("distribution list", "q1  staking rewards");
    has("staking slash", "1.000000000000000000 lost, 0.500000000000000000 made good");
    has("staking unstake", "free on 2023-01-19");
    has("asset gift", "ETHW is left");
    has("life custodian", "Other keeps it from 2023-01-12 on, in place of Prime Custodian");
    has("life split", "400000 shares became 1600000");
    has("nav strike --at 2023-01-10", "NAV per share           6.2");
    has("staking release", "100.000000000000000000 ETH are in the vault");
    has("life list", "4 shares for 1");
    has("statement", "distributions payable");
    let refused = "distribution pay q1 --at 2023-01-21T15:00:00Z --json";
    room.run(refused).refused(1, "distribution.must_have_its_register");
    room.write("wrong.csv", "holder,shares\na,1\na,2\n");
    room.run("register import wrong.csv --distribution q1 --at 2023-01-21T15:00:00Z --json")
        .refused(1, "register.holders_must_ascend");
    let listed = room.run("distribution list --json").json();
    assert_eq!((&listed[0]["stage"], &listed[0]["shares"]), (&"ex".into(), &400_000.into()));
}

#[test]
fn a_staked_fund_of_two_years_pays_its_holders_and_says_so() {
    let Some(prices) = shared("data/market/coinbase_usd_daily_ohlcv.csv") else { return };
    let Some(yields) = shared("data/derivatives/eth_staking_yield_proxy_daily.csv") else { return };
    let room = Room::new();
    let run = |more: &str, out: &str| {
        let line = format!(
            "backtest '{}' --prices '{}' {more} --to 2024-12-05 --out {out} --json",
            definition("ether-staking.toml"),
            prices.display()
        );
        room.run(&line).json()
    };
    let staked = run(&format!("--staking-yield '{}'", yields.display()), "staked");
    let plain = run("", "plain");
    let tracking =
        |results: &serde_json::Value| results["performance"]["tracking_difference"].as_f64().unwrap();
    // Rewards of a quarter are worth less than a hundredth, and all but the last quarter's have been paid out.
    assert!(
        (tracking(&staked) - tracking(&plain)).abs() < 0.03,
        "{} {}",
        tracking(&staked),
        tracking(&plain)
    );
    let statement: serde_json::Value = serde_json::from_str(&room.read("staked/statement.json")).unwrap();
    let life = statement["life"].as_array().unwrap();
    assert_eq!(life.iter().filter(|row| row["kind"] == "distribution").count(), 8);
    let report = room.read("staked/report.html");
    for text in [
        "deals at its session and settles on the first session on which unstaked coins are free",
        "safe_harbour.rewards_distributed_on_time",
        "Return with distributions",
    ] {
        assert!(report.contains(text), "{text}");
    }
    let foots = statement["roll_forwards"].as_array().unwrap().iter().all(|asset| asset["foots"] == true);
    assert!(foots);
}
