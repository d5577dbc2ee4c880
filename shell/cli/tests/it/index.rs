//! `strongroom index` as a person uses it: on a small market made here, and on the real one where its files are at hand.

use crate::small_market::INDEX;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

const SNAPSHOTS: &str = "\
snapshot_date,rank,name,symbol,market_cap_usd,price_usd,circulating_supply,volume_24h_usd
2022-01-01,1,Bitcoin,BTC,800.5,4.0,200.125,1e3
2022-01-01,2,Other,ETH,500,5e-5,10000000,7
2022-01-01,3,Ethereum,ETH,400,2,200,7
";

fn strongroom(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_strongroom")).args(arguments).current_dir(folder).output().unwrap()
}

fn closes(last_day: u8) -> String {
    let mut text = "date,symbol,close\n".to_owned();
    for day in 1..=last_day {
        writeln!(text, "2022-01-{day:02},BTC,4\n2022-01-{day:02},ETH,{}", 1 + day).unwrap();
    }
    text
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let definition = INDEX.replace("2022-01-03", "2022-01-01");
    for (name, text) in [
        ("two.toml", definition.as_str()),
        ("snapshots.csv", SNAPSHOTS),
        ("daily.csv", &closes(10)),
        ("more.csv", &closes(5)),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const RUN: [&str; 7] =
    ["index", "--definition", "two.toml", "--market", "snapshots.csv", "--market", "daily.csv"];

#[test]
fn everything_is_written_and_explained() {
    let folder = folder();
    let run = [&RUN[..], &["--market", "more.csv", "--to", "2022-01-10", "--out", "out"]].concat();
    let output = strongroom(&run, folder.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Other (ETH) at rank 2 is replaced by ETH at rank 3"), "{said}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    let levels = read("levels.csv");
    assert_eq!(levels.lines().next(), Some("date,published,level,value,divisor,carried"));
    assert_eq!(levels.lines().count(), 11);
    // 200.125 at 4 and 200 at 2, then at 11.
    assert!(levels.contains("2022-01-10,249.94,249.937526030820491462,3000.5,12.005,"), "{levels}");
    assert!(read("weights.csv").contains("BTC,1,0.666805497709287797,"), "{}", read("weights.csv"));
    assert!(read("reasons.csv").contains("Other (ETH),out,false,2,500,no daily prices in the market files"));
    assert!(read("log.csv").starts_with("date,what\n2022-01-01,"));
    let json: serde_json::Value = serde_json::from_str(&read("index.json")).unwrap();
    assert_eq!(json["levels"].as_array().unwrap().len(), 10);
    assert_eq!(json["reconstitutions"][0]["members"][1]["why_in"]["rule"], "replaces");
    let page = read("index.html");
    for words in
        ["Weights after each change", "Why in, why out", "an earlier file already had BTC ETH", "next rank"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(
        strongroom(&[&run[..], &["--json"]].concat(), folder.path()).stdout,
        read("index.json").into_bytes()
    );
}

#[test]
fn what_is_missing_is_named_and_nothing_is_written() {
    let folder = folder();
    let refused = |more: &[&str], exit: i32, words: &str| {
        let output = strongroom(&[&RUN[..], more].concat(), folder.path());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!folder.path().join("out").exists());
    };
    let out = ["--out", "out"];
    let said = "refused [index.price_must_not_be_stale]: BTC has no price on 2022-01-11";
    refused(&[&out[..], &["--to", "2022-01-11"]].concat(), 1, said);
    refused(&["--from", "2021-12-31", "--to", "2022-01-02"], 1, "index.period_must_not_be_empty");
    refused(&["--market", "nowhere.csv", "--to", "2022-01-02"], 3, "file.must_be_readable");
    let bad = SNAPSHOTS.replace("800.5", "many").replace("5e-5", "-5") + "2022-01-01,9,Bitcoin,BTC,1,1,1,1\n";
    std::fs::write(folder.path().join("bad.csv"), bad).unwrap();
    refused(&["--market", "bad.csv", "--to", "2022-01-02"], 3, "line 2, column market_cap_usd");
    refused(&["--market", "bad.csv", "--to", "2022-01-02"], 3, "line 3, column price_usd: -5 is below zero");
    refused(&["--market", "bad.csv", "--to", "2022-01-02"], 3, "lists Bitcoin (BTC) twice");
    std::fs::write(folder.path().join("two.toml"), INDEX.replace("count = 2", "count = 0")).unwrap();
    refused(&["--to", "2022-01-02"], 3, "index_definition.must_not_contradict_itself");
}

#[test]
fn the_shipped_indices_run_on_the_real_market() {
    let Some(market) = strongroom_testing::shared("data/market") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let run = |definition: &str, files: &[&str]| -> serde_json::Value {
        let file = |name: &&str| market.join(name).to_str().unwrap().to_owned();
        let mut arguments =
            vec!["index".to_owned(), "--definition".to_owned(), format!("indices/{definition}.toml")];
        arguments.extend(files.iter().flat_map(|name| ["--market".to_owned(), file(name)]));
        arguments.extend(["--to", "2023-12-31", "--json"].map(str::to_owned));
        let output = strongroom(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &root);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let [caps, daily, more] =
        ["cmc_monthly_top200.csv", "yahoo_24coins_daily_2014_2024.csv", "coinbase_usd_daily_ohlcv.csv"];
    let check = |run: &serde_json::Value, levels: usize, changes: usize, last: &str, logged: usize| {
        let found = run["levels"].as_array().unwrap();
        assert_eq!((found.len(), run["reconstitutions"].as_array().unwrap().len()), (levels, changes));
        assert_eq!(found[levels - 1]["published"], last);
        assert_eq!(run["log"].as_array().unwrap().len(), logged);
    };
    check(&run("large-cap", &[caps, daily]), 1461, 48, "6338.62", 8);
    check(&run("smart-contract-platforms", &[caps, daily, more]), 1156, 38, "7718.97", 10);
    check(&run("defi", &[caps]), 38, 38, "1968.2", 8);
}
