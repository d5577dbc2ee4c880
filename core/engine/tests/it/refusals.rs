//! Every rule that a command can break: one row each with the state it meets, and the state stays as it was.

use crate::scenario::*;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_engine::{Command, Fund, HaltScope, Liability, NewOrder, OrderId, Outcome, PriceRow};
use strongroom_fund::definition::CustodyKind;
use strongroom_units::Symbol;
use strongroom_units::time::Timestamp;

/// Both order windows and the fee from the first day on.
pub fn definition() -> String {
    with(&with_fee_from_seed(BITCOIN, "0.015"), "from = 2025-07-30", "from = 2024-01-05")
}

pub fn opened() -> Scenario {
    Scenario::open(&definition(), "50000")
}

/// Struck through Friday 12 January; the next session is Tuesday the 16th. It is Friday, 16:01.
pub fn struck() -> Scenario {
    let mut fund = opened();
    fund.strike_through("2024-01-12", "50000");
    fund
}

/// A cash creation and a cash redemption dealt on Friday the 12th, an in-kind creation too.
fn dealt() -> Scenario {
    let mut fund = opened();
    fund.strike_through("2024-01-11", "50000");
    fund.submit("creation", CREATION, CASH, 80_000, "2024-01-12");
    fund.submit("redemption", REDEMPTION, CASH, 40_000, "2024-01-12");
    fund.submit("coins", CREATION, IN_KIND, 40_000, "2024-01-12");
    fund.strike("2024-01-12", "50001");
    fund
}

fn executed() -> Scenario {
    let mut fund = dealt();
    fund.execute("creation", "50002");
    fund.execute("redemption", "50002");
    fund
}

fn settled_and_cancelled() -> Scenario {
    let mut fund = executed();
    fund.submit("withdrawn", CREATION, CASH, 40_000, "2024-01-16");
    fund.done(Command::CancelOrder { id: id("withdrawn") });
    fund.at("2024-01-16T10:00:00").settle("creation");
    fund
}

fn halted(scope: HaltScope) -> Scenario {
    let mut fund = struck();
    fund.done(halt(scope));
    fund
}

fn refusing_weekends() -> Scenario {
    let text = with(&definition(), "non_session_price = \"flag\"", "non_session_price = \"refuse\"");
    let mut fund = Scenario::open(&text, "50000");
    fund.at("2024-01-07T17:00:00");
    fund
}

fn priced(mut fund: Scenario, rows: &[(&str, &str)]) -> Scenario {
    let import = fund.import(rows);
    fund.done(import);
    fund
}

fn moved_to(mut fund: Scenario, text: &str) -> Scenario {
    fund.at(text);
    fund
}

pub fn submit(name: &str, side: strongroom_engine::OrderSide, shares: i64, day: &str) -> Command {
    Command::SubmitOrder(order(name, side, CASH, shares, day))
}

pub fn execute(name: &str, prices: BTreeMap<Symbol, strongroom_units::Price>) -> Command {
    Command::ExecuteOrder { id: id(name), prices }
}

fn settle(name: &str) -> Command {
    Command::SettleOrder { id: id(name) }
}

fn transfer(asset: &str, from: CustodyKind, to: CustodyKind, quantity: &str) -> Command {
    Command::TransferCustody { asset: asset.parse().unwrap(), from, to, quantity: quantity.parse().unwrap() }
}

fn pay_fee(through: Option<&str>, prices: BTreeMap<Symbol, strongroom_units::Price>) -> Command {
    Command::Pay { liability: Liability::SponsorFee { through: through.map(date) }, prices }
}

fn named(fund: &Scenario, text: &str) -> BTreeMap<Symbol, strongroom_units::Price> {
    fund.prices(text)
}

/// Refused with this code, and nothing of the state changed.
fn check(code: &str, mut fund: Scenario, command: Command) -> String {
    let before = fund.state().to_snapshot().unwrap();
    let shown = format!("{command:?} at {}", fund.now);
    let refusal = match fund.give(command) {
        Err(refusal) => refusal,
        done => panic!("{shown} was not refused: {done:?}"),
    };
    assert_eq!(refusal.code(), code, "{shown}: {refusal}");
    assert!(!refusal.to_string().is_empty());
    assert!(fund.steps.last().unwrap().handled.applied.is_empty());
    assert_eq!(fund.state().to_snapshot().unwrap(), before, "{shown}");
    code.to_owned()
}

/// The rows about prices and strikes.
fn price_rows() -> Vec<(&'static str, Scenario, Command)> {
    let open = opened();
    let monday = || moved_to(opened(), "2024-01-08T16:30:00");
    let eth = Command::ImportPrices { asset: "ETH".parse().unwrap(), source: "test".into(), rows: vec![] };
    let many = (0..20_001).map(|_| PriceRow { date: date("2024-01-08"), price: price("1") }).collect();
    let many = Command::ImportPrices { asset: open.asset, source: "test".into(), rows: many };
    let nameless = Command::ImportPrices { asset: open.asset, source: " ".into(), rows: vec![] };
    let stale = priced(monday(), &[("2024-01-08", "50000")]);
    let stale = {
        let mut fund = stale;
        fund.done(strike_command("2024-01-08"));
        priced(moved_to(fund, "2024-01-09T16:30:00"), &[("2024-01-09", "50000")])
    };
    let rated = || crate::rates::rated_on_monday();
    vec![
        ("rate.must_be_in_definition", monday(), crate::rates::fallback("2024-01-08", "50000")),
        ("rate.must_follow_the_definition", rated(), crate::rates::record("vwap", "2024-01-08", "50000")),
        (
            "price.must_carry_evidence",
            priced(rated(), &[("2024-01-08", "50000")]),
            strike_command("2024-01-08"),
        ),
        ("asset.must_be_in_definition", monday(), eth),
        ("text.must_be_1_to_200_characters", monday(), nameless),
        ("import.must_be_bounded", monday(), many),
        ("price.must_be_positive", monday(), open.import(&[("2024-01-08", "0")])),
        ("price.must_be_positive", monday(), open.import(&[("2024-01-05", "50000"), ("2024-01-08", "-1")])),
        ("price.dates_must_differ", monday(), open.import(&[("2024-01-08", "1"), ("2024-01-08", "2")])),
        (
            "price.must_not_be_from_the_future",
            moved_to(opened(), "2024-01-08T15:59:59"),
            open.import(&[("2024-01-08", "50000")]),
        ),
        ("price.must_be_on_a_session", refusing_weekends(), open.import(&[("2024-01-06", "50000")])),
        ("price.must_not_change_silently", monday(), open.import(&[("2024-01-05", "50001")])),
        ("price.must_be_recorded_to_be_corrected", monday(), open.correct("2024-01-08", "50000")),
        ("price.must_be_positive", monday(), open.correct("2024-01-05", "0")),
        ("nav.must_be_on_a_session", monday(), strike_command("2024-01-07")),
        ("nav.must_not_be_struck_twice", monday(), strike_command("2024-01-05")),
        ("nav.must_strike_sessions_in_order", moved_to(opened(), "2024-01-09T16:30:00"), {
            strike_command("2024-01-09")
        }),
        ("nav.must_not_be_struck_early", moved_to(opened(), "2024-01-08T15:59:59"), {
            strike_command("2024-01-08")
        }),
        ("price.must_be_of_the_strike_date", monday(), strike_command("2024-01-08")),
        // No other day's price is used, even when the weekend's is there.
        ("price.must_be_of_the_strike_date", priced(monday(), &[("2024-01-07", "50000")]), {
            strike_command("2024-01-08")
        }),
        ("price.must_be_within_jump_limit", priced(monday(), &[("2024-01-08", "62500.01")]), {
            strike_command("2024-01-08")
        }),
        ("price.must_be_within_jump_limit", priced(monday(), &[("2024-01-08", "37499.99")]), {
            strike_command("2024-01-08")
        }),
        ("price.must_not_be_stale", stale, strike_command("2024-01-09")),
        ("text.must_be_1_to_200_characters", priced(monday(), &[("2024-01-08", "99999")]), {
            Command::StrikeNav { date: date("2024-01-08"), accept: Some("two\nlines".into()) }
        }),
    ]
}

/// The rows about orders.
fn order_rows() -> Vec<(&'static str, Scenario, Command)> {
    let tuesday = "2024-01-16";
    let elsewhere = || NewOrder {
        participant: "Quay Capital".into(),
        ..order("creation", CREATION, CASH, 80_000, "2024-01-12")
    };
    let in_kind = || Command::SubmitOrder(order("late", CREATION, IN_KIND, 40_000, tuesday));
    let mut waiting = struck();
    waiting.submit("first", REDEMPTION, CASH, 360_000, tuesday);
    let mut unissued = executed();
    let quantity =
        unissued.state().ledger().coins(unissued.asset, strongroom_engine::Account::Vault).unwrap();
    unissued.move_to_trading(quantity);
    vec![
        ("text.must_be_1_to_200_characters", struck(), {
            Command::SubmitOrder(NewOrder {
                participant: String::new(),
                ..order("a", CREATION, CASH, 40_000, tuesday)
            })
        }),
        ("order.trade_date_must_be_a_session", struck(), submit("a", CREATION, 40_000, "2024-01-15")),
        ("order.must_be_whole_baskets", struck(), submit("a", CREATION, 40_001, tuesday)),
        ("order.must_be_whole_baskets", struck(), submit("a", CREATION, 0, tuesday)),
        ("order.must_be_whole_baskets", struck(), submit("a", CREATION, i64::MIN, tuesday)),
        ("order.must_be_bounded", struck(), submit("a", CREATION, i64::MAX, tuesday)),
        ("order.redemption_must_be_covered_by_shares", struck(), submit("a", REDEMPTION, 440_000, tuesday)),
        ("order.redemption_must_be_covered_by_shares", waiting, submit("a", REDEMPTION, 80_000, tuesday)),
        // Shares of a creation whose coins have not come are not there to be redeemed.
        ("order.redemption_must_be_covered_by_shares", dealt(), submit("a", REDEMPTION, 400_000, tuesday)),
        ("order.redemption_must_leave_shares", struck(), submit("a", REDEMPTION, 400_000, tuesday)),
        ("order.trade_date_must_not_be_struck", struck(), submit("a", CREATION, 40_000, "2024-01-12")),
        (
            "order.trade_date_must_be_within_five_sessions",
            struck(),
            submit("a", CREATION, 40_000, "2024-01-23"),
        ),
        (
            "order.method_must_be_offered",
            { Scenario::bitcoin() },
            Command::SubmitOrder(order("a", CREATION, IN_KIND, 40_000, "2024-01-08")),
        ),
        ("order.must_arrive_before_cutoff", moved_to(struck(), "2024-01-12T18:00:01"), {
            submit("a", CREATION, 40_000, tuesday)
        }),
        ("order.must_arrive_before_cutoff", moved_to(struck(), "2024-01-16T15:59:01"), in_kind()),
        ("order.id_must_be_unique", dealt(), Command::SubmitOrder(elsewhere())),
        ("order.id_must_be_unique", settled_and_cancelled(), Command::SubmitOrder(elsewhere())),
        ("order.id_must_be_unique", settled_and_cancelled(), {
            Command::SubmitOrder(order("creation", CREATION, IN_KIND, 80_000, "2024-01-12"))
        }),
        (
            "order.id_must_be_unique",
            settled_and_cancelled(),
            submit("creation", CREATION, 40_000, "2024-01-12"),
        ),
        (
            "order.id_must_be_unique",
            settled_and_cancelled(),
            submit("withdrawn", REDEMPTION, 40_000, tuesday),
        ),
        (
            "order.id_must_be_unique",
            settled_and_cancelled(),
            submit("withdrawn", CREATION, 40_000, "2024-01-17"),
        ),
        ("fund.must_not_be_halted", halted(HaltScope::Creations), submit("a", CREATION, 40_000, tuesday)),
        ("fund.must_not_be_halted", halted(HaltScope::Orders), submit("a", CREATION, 40_000, tuesday)),
        ("fund.must_not_be_halted", halted(HaltScope::Orders), submit("a", REDEMPTION, 40_000, tuesday)),
        ("fund.must_be_halted", struck(), Command::Resume { reason: "why not".into() }),
        (
            "text.must_be_1_to_200_characters",
            struck(),
            Command::Halt { scope: HaltScope::Orders, reason: "".into() },
        ),
        ("order.must_be_open", struck(), Command::CancelOrder { id: id("none") }),
        ("order.must_be_open", settled_and_cancelled(), Command::CancelOrder { id: id("creation") }),
        ("order.must_be_cancelled_before_cutoff", dealt(), Command::CancelOrder { id: id("creation") }),
        ("order.must_be_open", struck(), execute("none", struck().prices("1"))),
        ("order.must_be_open", settled_and_cancelled(), settle("creation")),
        ("order.must_be_in_state", dealt(), execute("coins", dealt().prices("50000"))),
        ("order.must_be_in_state", executed(), execute("creation", dealt().prices("50000"))),
        ("order.must_be_in_state", moved_to(dealt(), "2024-01-16T10:00:00"), settle("creation")),
        ("price.must_be_given_for_each_asset", dealt(), execute("creation", BTreeMap::new())),
        ("price.must_be_given_for_each_asset", dealt(), execute("creation", dealt().prices("-1"))),
        ("order.must_settle_on_its_date", moved_to(executed(), "2024-01-15T23:59:59"), settle("creation")),
        (
            "custody.must_cover_the_movement",
            moved_to(executed(), "2024-01-16T10:00:00"),
            settle("redemption"),
        ),
        (
            "order.late_must_be_for_a_struck_session",
            struck(),
            late(order("a", CREATION, CASH, 40_000, tuesday)),
        ),
        (
            "order.method_must_be_offered",
            Scenario::bitcoin(),
            late(order("a", CREATION, IN_KIND, 40_000, "2024-01-05")),
        ),
        (
            "order.redemption_must_leave_shares",
            struck(),
            late(order("a", REDEMPTION, CASH, 400_000, "2024-01-11")),
        ),
        (
            "nav.must_have_shares_outstanding",
            executed(),
            late(order("a", REDEMPTION, CASH, 400_000, "2024-01-08")),
        ),
    ]
}

/// The rows about payments, expenses, custody, time and opening.
fn other_rows() -> Vec<(&'static str, Scenario, Command)> {
    use CustodyKind::{Trading, Vault};
    let fund = struck();
    let open_as = |text: String| Command::OpenFund {
        definition: text,
        seed_prices: BTreeMap::new(),
        weights: BTreeMap::new(),
    };
    let empty = moved_to(opened(), "2024-01-05T17:00:00");
    vec![
        ("fund.must_not_be_open", struck(), open_as(BITCOIN.into())),
        ("clock.must_not_go_back", moved_to(struck(), "2024-01-12T16:00:59"), Command::Wake),
        ("payment.must_have_something_accrued", empty, pay_fee(None, named(&fund, "50000"))),
        ("payment.must_have_something_accrued", struck(), {
            Command::Pay { liability: Liability::Expenses, prices: named(&fund, "50000") }
        }),
        (
            "payment.must_be_through_a_struck_day",
            struck(),
            pay_fee(Some("2024-01-13"), named(&fund, "50000")),
        ),
        (
            "payment.must_be_through_a_struck_day",
            struck(),
            pay_fee(Some("2024-01-04"), named(&fund, "50000")),
        ),
        ("price.must_be_given_for_each_asset", struck(), pay_fee(None, BTreeMap::new())),
        ("custody.must_cover_the_movement", struck(), pay_fee(None, named(&fund, "50000"))),
        ("text.must_be_1_to_200_characters", struck(), {
            Command::RecordExpense {
                id: id("e"),
                effective: date("2024-01-12"),
                amount: money("1"),
                memo: "".into(),
            }
        }),
        ("amount.must_be_positive", struck(), expense("e", "2024-01-12", "0")),
        ("amount.must_be_in_cents", struck(), expense("e", "2024-01-12", "0.001")),
        ("date.must_not_be_in_the_future", struck(), expense("e", "2024-01-13", "1")),
        ("date.must_not_precede_the_fund", struck(), expense("e", "2024-01-04", "1")),
        ("nav.must_be_positive", struck(), expense("e", "2024-01-12", "10000000")),
        // No strike is restated yet, and no later one could ever be struck.
        (
            "nav.must_be_positive",
            moved_to(struck(), "2024-01-13T12:00:00"),
            expense("e", "2024-01-13", "10000000"),
        ),
        ("asset.must_be_in_definition", struck(), transfer("ETH", Vault, Trading, "1")),
        ("custody.transfer_must_move_something", struck(), transfer("BTC", Vault, Vault, "1")),
        ("custody.transfer_must_move_something", struck(), transfer("BTC", Vault, Trading, "0")),
        ("custody.must_cover_the_movement", struck(), transfer("BTC", Vault, Trading, "200.00000001")),
        ("number.must_fit_its_scale", struck(), transfer("BTC", Vault, Trading, "0.000000001")),
    ]
}

#[test]
fn every_rule_that_is_broken_is_refused_by_name_and_changes_nothing() {
    let rows = price_rows()
        .into_iter()
        .chain(order_rows())
        .chain(other_rows())
        .chain(crate::baskets::rows())
        .chain(crate::asset_changes::rows())
        .chain(crate::exposure::rows())
        .chain(crate::life::rows());
    let mut covered: BTreeSet<String> =
        rows.map(|(code, fund, command)| check(code, fund, command)).collect();
    covered.extend(ELSEWHERE.iter().map(|(code, _)| (*code).to_owned()));
    // The codes as the source writes them: a new rule needs a row.
    let sources = [
        include_str!("../../src/refusal.rs"),
        include_str!("../../src/life_refusal.rs"),
        include_str!("../../src/refusal/exposure.rs"),
        include_str!("../../src/refusal/code.rs"),
    ];
    let written = sources.iter().flat_map(|source| source.lines());
    let written = written.filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","));
    let missing: Vec<&str> = written.filter(|code| !covered.contains(*code)).collect();
    assert!(missing.is_empty(), "no row breaks {missing:?}");
}

/// Codes that the table cannot have, and why.
const ELSEWHERE: [(&str, &str); 4] = [
    ("fund.must_be_open", "its own test: there is no state"),
    ("id.must_be_printable", "its own test: no command can be built with such an id"),
    ("reserve.must_cover_entitlement", "regressions: a creation that has to wait for another"),
    ("ledger.books_must_balance", "only a log that was edited breaks it"),
];

#[test]
fn a_fund_that_is_not_open_takes_only_its_opening() {
    let mut fund = Fund::default();
    let refused = |handled: strongroom_engine::Handled| handled.outcome.unwrap_err().code();
    let at = new_york("2024-01-05T16:00:00");
    for command in [Command::Wake, strike_command("2024-01-05"), submit("a", CREATION, 40_000, "2024-01-08")]
    {
        assert_eq!(refused(fund.handle(&command, at)), "fund.must_be_open");
    }
    let open = |text: &str, prices: &[(&str, &str)]| Command::OpenFund {
        definition: text.to_owned(),
        seed_prices: prices.iter().map(|(asset, p)| (asset.parse().unwrap(), price(p))).collect(),
        weights: BTreeMap::new(),
    };
    assert_eq!(refused(fund.handle(&open("", &[]), at)), "definition.must_be_readable");
    assert_eq!(refused(fund.handle(&open(BITCOIN, &[]), at)), "price.must_be_given_for_each_asset");
    assert_eq!(
        refused(fund.handle(&open(BITCOIN, &[("BTC", "0")]), at)),
        "price.must_be_given_for_each_asset"
    );
    let early = seconds_after(at, -1);
    let refused_early = refused(fund.handle(&open(BITCOIN, &[("BTC", "50000")]), early));
    assert_eq!(refused_early, "date.must_not_be_in_the_future");
    assert!(fund.state().is_none());
    let opened = fund.handle(&open(BITCOIN, &[("BTC", "50000")]), at);
    assert_eq!(opened.outcome, Ok(Outcome::Done));
    assert_eq!(fund.handle(&open(BITCOIN, &[("BTC", "50000")]), at).outcome, Ok(Outcome::AlreadyDone));
}

#[test]
fn an_id_that_cannot_be_printed_cannot_be_built_or_read() {
    for text in ["", "two words", "line\n", "é", &"x".repeat(65)] {
        assert_eq!(OrderId::try_new(text).unwrap_err().code(), "id.must_be_printable");
        let json = serde_json::json!({ "command": "cancel-order", "id": text }).to_string();
        assert!(serde_json::from_str::<Command>(&json).is_err(), "{text:?}");
    }
    let longest = "x".repeat(64);
    assert_eq!(OrderId::try_new(&longest).unwrap().as_str(), longest);
}

#[test]
fn an_order_at_the_cut_off_itself_is_taken_and_a_microsecond_later_refused() {
    // Cash: 18:00 on the session before; in kind: 15:59 on the day itself. The 15th is a holiday.
    for (method, cut_off) in [(CASH, "2024-01-12T18:00:00"), (IN_KIND, "2024-01-16T15:59:00")] {
        let mut fund = struck();
        let at = new_york(cut_off);
        fund.now = at;
        fund.submit("in-time", CREATION, method, 40_000, "2024-01-16");
        fund.now = Timestamp::from_microsecond(at.as_microsecond() + 1).unwrap();
        let late = Command::SubmitOrder(order("late", CREATION, method, 40_000, "2024-01-16"));
        assert_eq!(fund.give(late).unwrap_err().code(), "order.must_arrive_before_cutoff");
        let cancel = Command::CancelOrder { id: id("in-time") };
        assert_eq!(fund.give(cancel.clone()).unwrap_err().code(), "order.must_be_cancelled_before_cutoff");
        let mut fund = struck();
        fund.now = at;
        fund.submit("in-time", CREATION, method, 40_000, "2024-01-16");
        fund.done(cancel.clone());
        assert_eq!(fund.give(cancel), Ok(Outcome::AlreadyDone));
    }
}

#[test]
fn of_two_broken_rules_the_one_about_the_order_itself_comes_first() {
    let check = |fund: Scenario, command: Command, code: &str| check(code, fund, command);
    // Identity before form, form before status, status before time.
    let fund = moved_to(dealt(), "2024-01-12T19:00:00");
    check(fund, submit("creation", CREATION, 1, "2024-01-15"), "order.id_must_be_unique");
    let fund = || moved_to(halted(HaltScope::Orders), "2024-01-12T19:00:00");
    check(fund(), submit("a", CREATION, 1, "2024-01-15"), "order.trade_date_must_be_a_session");
    check(fund(), submit("a", CREATION, 1, "2024-01-16"), "order.must_be_whole_baskets");
    check(
        fund(),
        submit("a", REDEMPTION, 440_000, "2024-01-16"),
        "order.redemption_must_be_covered_by_shares",
    );
    check(fund(), submit("a", REDEMPTION, 40_000, "2024-01-16"), "fund.must_not_be_halted");
    // The clock before everything.
    let fund = moved_to(struck(), "2024-01-12T12:00:00");
    check(fund, submit("a", CREATION, 1, "2024-01-15"), "clock.must_not_go_back");
    // Which session, then when, then at what price.
    let fund = moved_to(struck(), "2024-01-13T12:00:00");
    check(fund, strike_command("2024-01-17"), "nav.must_strike_sessions_in_order");
    check(
        moved_to(struck(), "2024-01-13T12:00:00"),
        strike_command("2024-01-16"),
        "nav.must_not_be_struck_early",
    );
    // The first bad row of an import is named, whatever is wrong with later ones.
    let fund = moved_to(struck(), "2024-01-13T12:00:00");
    let rows = fund.import(&[("2024-01-12", "1"), ("2024-01-11", "0")]);
    check(fund, rows, "price.must_not_change_silently");
}
