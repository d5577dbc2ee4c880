//! Every field of a fund definition, in one table for people: `docs/guide/definition-fields.md` is made from it, and the parser
//! itself says which fields there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use strongroom_fund::FundDefinition;

const BITCOIN: &str = include_str!("../../../funds/bitcoin.toml");

/// A section: its header, whether it may be left out, and its fields with what each is.
struct Section {
    header: &'static str,
    about: &'static str,
    fields: &'static [(&'static str, &'static str, &'static str)],
}

const fn section(
    header: &'static str,
    about: &'static str,
    fields: &'static [(&'static str, &'static str, &'static str)],
) -> Section {
    Section { header, about, fields }
}

const SECTIONS: &[Section] = &[
    section(
        "",
        "The fund as a whole; these lines come before the first section.",
        &[
            ("id", "symbol", "the fund's symbol, also the name of its log"),
            ("name", "text", "its legal name"),
            ("type", "`single-asset`, `basket` or `derivatives`", "what it may hold"),
            ("currency", "`USD`", "the currency of its books"),
            ("calendar", "`NYSE` or `NYSE-monthly`", "on which days it deals and strikes"),
            ("cost_method", "`average`, `fifo`, `lifo`, `hifo`", "which lots a sale is taken from"),
            (
                "forks_and_airdrops",
                "`abandon` or `distribute`; abandon when absent",
                "what a fund of one asset does with them",
            ),
            (
                "shares_most",
                "count; no cap when absent",
                "shares that there may be at most: creations stop there",
            ),
            ("asset", "sections", "what it may hold"),
            ("index", "section, of a basket", "what a basket follows"),
            ("exposure", "section, of derivatives", "the multiple of an index that it holds"),
            ("cash_in_lieu", "sections, of a basket", "assets for which cash stands in"),
            ("seed", "section", "the first shares"),
            ("strike", "section", "when NAV is struck"),
            ("creation_unit", "sections", "shares in one basket"),
            ("benchmark", "sections", "what NAV is measured against"),
            ("rate", "sections, may be left out", "by which methodology an asset is priced"),
            ("fee", "section", "the sponsor fee"),
            ("custody", "sections", "where the coins are"),
            ("order_window", "sections", "when orders are taken"),
            ("tolerance", "section", "what a price may do before a person looks at it"),
            ("distribution", "section, may be left out", "when and how holders are paid"),
            ("staking", "section, may be left out", "how coins are staked"),
        ],
    ),
    section(
        "[[asset]]",
        "One for each asset that the fund may hold.",
        &[
            ("symbol", "symbol", "its symbol in the books"),
            ("name", "text", "its name for people"),
            ("scale", "0 to 18", "decimals of its base unit: 8 for bitcoin, 18 for ether"),
        ],
    ),
    section(
        "[index]",
        "What a basket follows.",
        &[
            ("definition", "text", "id of the index definition"),
            (
                "gifts",
                "`leave` or `sell`; leave when absent",
                "what is done with forks and airdrops of its members",
            ),
            ("cost", "sections", "what trading is assumed to cost"),
        ],
    ),
    section(
        "[[index.cost]]",
        "Cost of a rebalance, by date.",
        &[
            ("from", "date", "from which day"),
            ("bps", "exact number", "basis points of everything bought and sold"),
        ],
    ),
    section(
        "[exposure]",
        "The multiple that a fund of derivatives holds, and in what.",
        &[
            ("instrument", "`futures`, `perpetual` or `swap`", "in what it is held"),
            ("contract", "exact number", "coins of one contract"),
            ("reset", "`daily` or `monthly`", "how often it is brought back to the multiple of net assets"),
            ("factor", "sections", "the multiple"),
            ("cost", "sections", "what a trade costs"),
            ("financing", "sections, of a swap", "what its notional costs"),
            ("collateral_yield", "sections, may be left out", "what cash and margin earn"),
            ("margin", "section", "what the broker asks for"),
            ("roll", "section, of futures", "when they are rolled"),
            ("basis", "sections, of futures", "their assumed basis over the index"),
        ],
    ),
    section(
        "[[exposure.factor]]",
        "The multiple, by date.",
        &[
            ("from", "date", "from which day"),
            ("multiple", "exact number", "2 is twice a day, -1 the opposite"),
        ],
    ),
    section(
        "[[exposure.cost]]",
        "What a trade of derivatives costs, by date.",
        &[("from", "date", "from which day"), ("bps", "exact number", "basis points of the trade")],
    ),
    section(
        "[[exposure.financing]]",
        "What a swap's notional costs, by date.",
        &[("from", "date", "from which day"), ("annual", "exact number", "a year on 360 days, a fraction")],
    ),
    section(
        "[[exposure.collateral_yield]]",
        "What cash and margin earn, by date.",
        &[("from", "date", "from which day"), ("annual", "exact number", "a year on 360 days, a fraction")],
    ),
    section(
        "[exposure.margin]",
        "What the broker asks for.",
        &[
            ("broker", "text", "who holds the margin"),
            ("initial", "exact number", "fraction of the position when it is taken"),
            ("maintenance", "exact number", "fraction below which margin is called"),
        ],
    ),
    section(
        "[exposure.roll]",
        "When futures are rolled into the next expiry.",
        &[
            ("expiry", "`last-friday`", "which day of a month is an expiry"),
            ("sessions_before", "count", "sessions before the expiry on which a roll is due"),
        ],
    ),
    section(
        "[[exposure.basis]]",
        "The assumed basis of futures over the index, by date.",
        &[("from", "date", "from which day"), ("annual", "exact number", "a year, a fraction")],
    ),
    section(
        "[[cash_in_lieu]]",
        "Assets for which an order in kind pays or receives cash.",
        &[("from", "date", "from which trade date"), ("assets", "symbols", "which; none for all delivered")],
    ),
    section(
        "[seed]",
        "The first shares, bought by the sponsor.",
        &[
            ("date", "date", "a session"),
            ("shares", "count", "shares issued"),
            ("nav_per_share", "exact number", "paid per share"),
        ],
    ),
    section(
        "[strike]",
        "When NAV is struck.",
        &[("zone", "zone", "whose wall clock"), ("time", "time", "the time of day")],
    ),
    section(
        "[[creation_unit]]",
        "Shares in one basket, by date.",
        &[("from", "date", "from which trade date"), ("shares", "count", "how many")],
    ),
    section(
        "[[benchmark]]",
        "The published rate that NAV is measured against, by date.",
        &[("from", "date", "from which day"), ("id", "text", "short code"), ("name", "text", "full name")],
    ),
    section(
        "[[rate]]",
        "By which methodology an asset is priced at the strike; rates are taken as imported when absent.",
        &[
            ("from", "date", "the first session"),
            ("asset", "symbol", "the asset"),
            ("pair", "like `BTC-USD`", "what is priced"),
            ("methodology", "text", "id of the methodology"),
        ],
    ),
    section(
        "[fee]",
        "The sponsor fee.",
        &[
            ("accrual", "`money` or `coins`", "in what it accrues"),
            ("coin_decimals", "0 to 18; 8 when absent", "decimals that the filing keeps, for a fee in coins"),
            ("day_count", "`actual/360`, `actual/365`, `actual/actual`", "days in the year of the fee"),
            ("rate", "sections", "the annual rate"),
            ("waiver", "sections, may be left out", "lower rates for a while"),
            ("payment", "section", "when it is paid"),
        ],
    ),
    section(
        "[[fee.rate]]",
        "The annual rate, by date; nothing accrues before the first.",
        &[
            ("from", "date", "from which day"),
            ("annual", "exact number", "a fraction: a quarter of a per cent is \"0.0025\""),
        ],
    ),
    section(
        "[[fee.waiver]]",
        "A lower rate while it lasts.",
        &[
            ("from", "date", "the first day"),
            ("through", "date", "the last day, included"),
            ("annual", "exact number", "the rate while waived"),
            ("first", "exact number; everything when absent", "the tranche of the fee basis that it covers"),
        ],
    ),
    section(
        "[fee.payment]",
        "When accrued fees are paid.",
        &[
            ("every", "`month` or `quarter`", "for which period"),
            ("session", "1 to 20", "on which session of the next one"),
        ],
    ),
    section(
        "[[custody]]",
        "Where the coins are; a vault and a trading balance are open on the seed date.",
        &[
            ("account", "`vault` or `trading`", "which balance"),
            ("custodian", "text", "who keeps it"),
            ("from", "date", "the day it was opened"),
        ],
    ),
    section(
        "[[order_window]]",
        "Until when orders are taken.",
        &[
            ("from", "date", "the first trade date"),
            ("method", "`cash` or `in-kind`", "which orders"),
            ("cut_off", "time", "the last time of day, in the strike's zone"),
            ("sessions_before", "0 to 5", "how many sessions before the trade date: 1 is T−1"),
        ],
    ),
    section(
        "[tolerance]",
        "What a price may do before a person looks at it.",
        &[
            ("price_jump", "exact number", "largest move between two strikes, a fraction"),
            ("unchanged_sessions", "count", "sessions with the very same price after which it is stale"),
            ("non_session_price", "`flag` or `refuse`", "what an import does with prices of other days"),
        ],
    ),
    section(
        "[distribution]",
        "When and how holders are paid.",
        &[
            ("every", "`month` or `quarter`", "for which period"),
            ("session", "1 to 20", "declared on this session of the next one"),
            (
                "record_after",
                "1 to 20",
                "sessions from the declaration to the record date, which is the ex date",
            ),
            ("pay_after", "1 to 60", "sessions from the record date to the payment"),
            ("paid", "`cash` or `in-kind`", "in what"),
            ("decimals", "0 to 8, or the asset's in kind", "of the amount of a share as published"),
        ],
    ),
    section(
        "[staking]",
        "How coins are staked, of a fund of one asset.",
        &[
            ("provider", "text", "who runs the validators"),
            ("target", "exact number", "part of the coins that is staked"),
            ("liquid_least", "exact number", "part that stays liquid for redemptions"),
            ("unbonding_days", "0 to 365", "calendar days until coins asked back are free"),
            ("beyond_liquid", "`delay` or `refuse`", "what happens to a redemption for more than is liquid"),
            ("cut", "sections", "what provider and custodian keep"),
            ("safe_harbour", "section, may be left out", "what the issuer states about itself"),
        ],
    ),
    section(
        "[[staking.cut]]",
        "Parts of gross rewards, by date.",
        &[
            ("from", "date", "from which day"),
            ("provider", "exact number", "the provider's part, a fraction"),
            ("custodian", "exact number", "the custodian's part, a fraction"),
        ],
    ),
    section(
        "[staking.safe_harbour]",
        "What the issuer states about itself, for the conditions of Rev. Proc. 2025-31.",
        &[
            (
                "listed_on_a_national_exchange",
                "yes or no",
                "the shares are listed on a national securities exchange",
            ),
            (
                "staking_disclosed_and_approved",
                "yes or no",
                "staking is disclosed in an approved registration",
            ),
            (
                "asset_is_proof_of_stake",
                "yes or no",
                "the network is permissionless and secured by proof of stake",
            ),
            ("custodian_holds_keys", "yes or no", "the custodian alone holds the keys"),
            ("provider_is_unrelated", "yes or no", "the provider is unrelated to sponsor and trust"),
            ("slashing_is_indemnified", "yes or no", "the provider makes slashed coins good"),
            ("liquidity_policy_in_force", "yes or no", "a written policy for redemptions is in force"),
            ("no_arbitrage", "yes or no", "no gain is sought from the asset's market"),
            (
                "credit_is_contingent_liquidity_only",
                "yes or no",
                "borrowing is for contingent liquidity only",
            ),
        ],
    ),
];

/// The fields that the parser knows in a section, as it says itself when it meets one that it does not know.
fn fields_by_the_parser(header: &str) -> BTreeSet<String> {
    let unknown = "no_such_field = 1";
    let text = match header {
        "" => format!("{unknown}\n{BITCOIN}"),
        header if BITCOIN.contains(&format!("\n{header}\n")) => {
            BITCOIN.replacen(&format!("\n{header}\n"), &format!("\n{header}\n{unknown}\n"), 1)
        }
        header => format!("{BITCOIN}\n{header}\n{unknown}\n"),
    };
    let message = FundDefinition::parse(&text).unwrap_err().message;
    let (_, list) = message.split_once("expected ").unwrap_or_else(|| panic!("{header}: {message}"));
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_field_that_the_parser_reads_is_in_the_table_and_no_other() {
    for section in SECTIONS {
        let named: BTreeSet<String> = section.fields.iter().map(|(name, _, _)| (*name).to_owned()).collect();
        assert_eq!(named, fields_by_the_parser(section.header), "{}", section.header);
        assert_eq!(named.len(), section.fields.len(), "{}: a field is there twice", section.header);
    }
    // Whatever is said to be a section of its own is one.
    let headers: BTreeSet<&str> = SECTIONS.iter().map(|section| section.header).collect();
    for section in SECTIONS {
        let parent = section.header.trim_matches(['[', ']']);
        for (name, kind, _) in section.fields.iter().filter(|(_, kind, _)| kind.starts_with("section")) {
            let path = if parent.is_empty() { (*name).to_owned() } else { format!("{parent}.{name}") };
            let header =
                if kind.starts_with("sections") { format!("[[{path}]]") } else { format!("[{path}]") };
            assert!(headers.contains(header.as_str()), "{header} is no section of the table");
        }
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Every field of a fund definition\n\nA fund is a `fund.toml`. This table is generated from the one that the tests compare \
         with the parser;\n`UPDATE_GOLDEN=1 cargo test -p strongroom-fund --test definition_fields` writes it anew. Exact numbers \
         are written\nin quotes, like `\"0.0025\"`: a bare float would lose digits. Dates and times are written without quotes. What \
         has a\n`from` holds from that day on, entries oldest first.\n",
    );
    for section in SECTIONS {
        let header = if section.header.is_empty() { "Before the first section" } else { section.header };
        let heading = if section.header.is_empty() { header.to_owned() } else { format!("`{header}`") };
        writeln!(
            page,
            "\n## {heading}\n\n{}\n\n| field | value | what it is |\n|---|---|---|",
            section.about
        )
        .unwrap();
        for (name, kind, what) in section.fields {
            writeln!(page, "| `{name}` | {kind} | {what} |").unwrap();
        }
    }
    page
}

#[test]
fn the_guide_has_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/definition-fields.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page(), "run it with UPDATE_GOLDEN=1");
}
