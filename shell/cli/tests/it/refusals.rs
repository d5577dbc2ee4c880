//! What a desk meets at 15:55 in New York on a falling market: every refusal with its exit code, its stable code and its
//! sentence, in both forms, and that nothing changed.

use crate::harness::{Room, definition};

/// One command that must not be done: when, what, its code, and part of its sentence.
struct Case {
    at: &'static str,
    line: &'static str,
    code: &'static str,
    says: &'static str,
}

const fn case(at: &'static str, line: &'static str, code: &'static str, says: &'static str) -> Case {
    Case { at, line, code, says }
}

/// Friday 12 January 2024, 15:55 in New York: the fund was struck on the 11th, A3 is taken for today.
fn falling_market() -> Room {
    let room = Room::new();
    room.write(
        "rates.csv",
        "date,close\n2024-01-08,46970.50\n2024-01-09,46139.73\n2024-01-10,46627.78\n2024-01-11,46368.59\n\
         2024-01-12,30000.00\n2024-01-16,30000.00\n2024-01-17,30000.00\n2024-01-18,30000.00\n",
    );
    room.write("other.csv", "date,close\n2024-01-11,46368.60\n");
    let open = format!(
        "fund open '{}' --seed-price BTC=44162.69 --at 2024-01-05T21:30:00Z",
        definition("bitcoin.toml")
    );
    room.run(&open).done();
    order(&room, "A1", "creation", "2024-01-08", "2024-01-05T22:00:00Z");
    for (date, before) in [("2024-01-08", ""), ("2024-01-09", ""), ("2024-01-10", ""), ("2024-01-11", "A2")] {
        if !before.is_empty() {
            order(&room, before, "creation", date, "2024-01-10T22:00:00Z");
        }
        strike(&room, date, "");
        if date == "2024-01-08" {
            room.run("order execute A1 --price BTC=47000 --at 2024-01-08T21:40:00Z").done();
            room.run("order settle A1 --at 2024-01-09T15:00:00Z").done();
            let back = "custody transfer --from trading --to vault --quantity 113.21774104 --at 2024-01-09T15:05:00Z";
            room.run(back).done();
        }
    }
    room.run("order execute A2 --price BTC=46400 --at 2024-01-11T21:40:00Z").done();
    order(&room, "A3", "creation", "2024-01-12", "2024-01-11T22:00:00Z");
    room
}

fn order(room: &Room, id: &str, side: &str, date: &str, at: &str) {
    let line = format!(
        "order submit --id {id} --participant P --side {side} --baskets 5 --trade-date {date} --at {at}"
    );
    room.run(&line).done();
}

fn strike(room: &Room, date: &str, options: &str) {
    room.run(&format!("prices import rates.csv --at {date}T21:30:00Z")).done();
    room.run(&format!("nav strike --date {date} --at {date}T21:35:00Z {options}")).done();
}

/// The command is refused in both forms, and the fund stands where it stood.
#[track_caller]
fn check(room: &Room, case: &Case, exit: i32) {
    let before = room.status();
    let line = format!("{} --at {}", case.line, case.at);
    let person = room.run(&line);
    let head = if exit == 1 { "refused" } else { "not done" };
    assert_eq!((person.exit, person.out.as_str()), (exit, ""), "{line}: {}", person.err);
    assert!(person.err.starts_with(&format!("{head} [{}]: ", case.code)), "{line}: {}", person.err);
    assert!(person.err.contains(case.says), "{line}: {}", person.err);
    let program = room.run(&format!("{line} --json"));
    let message = program.refused(exit, case.code);
    assert!(message.contains(case.says), "{line}: {message}");
    assert_eq!(program.out, "", "{line}");
    assert_eq!(before, room.status(), "{line}: something changed");
}

const NOW: &str = "2024-01-12T20:55:00Z";
const EVENING: &str = "2024-01-11T22:30:00Z";
const NEXT: &str = "--participant P --trade-date 2024-01-16";

#[test]
fn everything_that_is_refused_at_five_to_four_changes_nothing() {
    let room = falling_market();
    let submit =
        |rest: &str| -> &'static str { Box::leak(format!("order submit {rest} {NEXT}").into_boxed_str()) };
    let cases = [
        case(
            EVENING,
            "order settle A2",
            "order.must_settle_on_its_date",
            "order A2 settles on 2024-01-12, not before",
        ),
        case(
            NOW,
            "order submit --id L --participant P --side creation --baskets 1 --trade-date 2024-01-12",
            "order.must_arrive_before_cutoff",
            "the cut-off for 2024-01-12 was 2024-01-11T23:00:00Z; it is 2024-01-12T20:55:00Z: order for a later session",
        ),
        case(
            NOW,
            submit("--id F --side creation --shares 50000"),
            "order.must_be_whole_baskets",
            "the nearest are 40000 and 80000",
        ),
        case(
            NOW,
            submit("--id M --side redemption --baskets 100"),
            "order.redemption_must_be_covered_by_shares",
            "4000000 shares to redeem, but 800000",
        ),
        case(
            NOW,
            submit("--id A --side redemption --baskets 20"),
            "order.redemption_must_leave_shares",
            "without shares there is no NAV per share",
        ),
        case(
            NOW,
            submit("--id A3 --side creation --baskets 1"),
            "order.id_must_be_unique",
            "the id A3 is taken by a different order; use a new id",
        ),
        case(
            NOW,
            submit("--id K --side redemption --baskets 1 --method in-kind"),
            "order.method_must_be_offered",
            "[[order_window]]",
        ),
        case(
            NOW,
            submit("--id 'two words' --side creation --baskets 1"),
            "id.must_be_printable",
            "1 to 64 printable ASCII",
        ),
        case(
            NOW,
            "order submit --id W --participant P --side creation --baskets 1 --trade-date 2024-01-15",
            "order.trade_date_must_be_a_session",
            "2024-01-15 is no session",
        ),
        case(
            NOW,
            "order submit --id W --participant P --side creation --baskets 1 --trade-date 2024-01-11",
            "order.trade_date_must_not_be_struck",
            "order for a later session",
        ),
        case(
            NOW,
            "order submit --id W --participant P --side creation --baskets 1 --trade-date 2024-03-01",
            "order.trade_date_must_be_within_five_sessions",
            "more than five sessions ahead",
        ),
        case(
            NOW,
            "order submit --id W --participant '' --side creation --baskets 1 --trade-date 2024-01-16",
            "text.must_be_1_to_200_characters",
            "1 to 200 characters",
        ),
        case(NOW, "order cancel A3", "order.must_be_cancelled_before_cutoff", "can no longer be withdrawn"),
        case(NOW, "order cancel NOBODY", "order.must_be_open", "`strongroom order list` shows them"),
        case(NOW, "order execute A3 --price BTC=30000", "order.must_be_in_state", "order A3 is accepted"),
        case("2024-01-16T15:00:00Z", "order settle A3", "order.must_be_in_state", "order A3 is accepted"),
        case(
            NOW,
            "order late --id T --participant P --side creation --baskets 1 --trade-date 2024-01-12 --reason r",
            "order.late_must_be_for_a_struck_session",
            "submit the order as usual",
        ),
        case(
            NOW,
            "nav strike --date 2024-01-12",
            "nav.must_not_be_struck_early",
            "the strike of 2024-01-12 is at 2024-01-12T21:00:00Z; it is 2024-01-12T20:55:00Z",
        ),
        case(NOW, "nav strike", "nav.must_not_be_struck_early", "the strike of 2024-01-12"),
        case(
            NOW,
            "nav strike --date 2024-01-11",
            "nav.must_not_be_struck_twice",
            "NAV of 2024-01-11 is struck",
        ),
        case(
            "2024-01-16T22:00:00Z",
            "nav strike --date 2024-01-16",
            "nav.must_strike_sessions_in_order",
            "the next NAV to strike is that of 2024-01-12, not 2024-01-16",
        ),
        case(
            "2024-01-13T22:00:00Z",
            "nav strike --date 2024-01-13",
            "nav.must_be_on_a_session",
            "NAV is struck on sessions",
        ),
        case(
            "2024-01-12T21:05:00Z",
            "nav strike --date 2024-01-12",
            "price.must_be_of_the_strike_date",
            "no price of BTC is recorded for 2024-01-12; import it",
        ),
        case(
            NOW,
            "prices import rates.csv --through 2024-01-12",
            "price.must_not_be_from_the_future",
            "the strike of 2024-01-12 has not come yet",
        ),
        case(NOW, "prices import other.csv", "price.must_not_change_silently", "`strongroom prices correct`"),
        case(
            NOW,
            "prices correct --date 2024-01-12 --price 1 --reason r",
            "price.must_be_recorded_to_be_corrected",
            "import it instead",
        ),
        case(NOW, "prices list --asset ETH", "asset.must_be_in_definition", "the fund does not hold ETH"),
        case(
            NOW,
            "custody transfer --from vault --to trading --quantity 9999",
            "custody.must_cover_the_movement",
            "`strongroom custody transfer`",
        ),
        case(
            NOW,
            "custody transfer --from vault --to vault --quantity 1",
            "custody.transfer_must_move_something",
            "two different balances",
        ),
        case(
            NOW,
            "custody transfer --from vault --to trading --quantity 1 --asset ETH",
            "asset.must_be_in_definition",
            "does not hold ETH",
        ),
        case(
            NOW,
            "expense record --id E --effective 2024-01-12 --amount 1.005 --memo m",
            "amount.must_be_in_cents",
            "not a whole number of cents",
        ),
        case(
            NOW,
            "expense record --id E --effective 2024-02-12 --amount 1 --memo m",
            "date.must_not_be_in_the_future",
            "2024-02-12 is in the future",
        ),
        case(
            NOW,
            "expense record --id E --effective 2023-02-12 --amount 1 --memo m",
            "date.must_not_precede_the_fund",
            "before the fund's first day",
        ),
        case(NOW, "expense pay --price BTC=30000", "payment.must_have_something_accrued", "nothing to pay"),
        case(
            NOW,
            "fee pay --through 2024-01-12 --price BTC=30000",
            "payment.must_be_through_a_struck_day",
            "2024-01-12",
        ),
        case(NOW, "fund resume --reason r", "fund.must_be_halted", "the fund is not halted"),
        case(
            "2024-01-11T12:00:00Z",
            "fund halt --reason r",
            "clock.must_not_go_back",
            "the clock of this machine, or --at, is wrong",
        ),
        case(NOW, "fund status --fund OTHER", "fund.must_be_open", "`strongroom fund open FILE`"),
        case(
            NOW,
            "statement --from 2024-02-01 --to 2024-01-01",
            "statement.period_must_not_be_empty",
            "first day is 2024-01-05",
        ),
        case(
            NOW,
            "statement --from 2023-01-01 --to 2023-12-31",
            "statement.period_must_not_be_empty",
            "first day is 2024-01-05",
        ),
    ];
    for case in &cases {
        check(&room, case, 1);
    }
}

#[test]
fn a_halted_fund_takes_no_orders_and_says_why() {
    let room = falling_market();
    room.run("fund halt --scope creations --reason 'the market falls' --at 2024-01-12T20:50:00Z").done();
    let line = "order submit --id H --participant P --side creation --baskets 1 --trade-date 2024-01-16";
    check(&room, &case(NOW, line, "fund.must_not_be_halted", "the market falls"), 1);
    room.run("order submit --id R --participant P --side redemption --baskets 1 --trade-date 2024-01-16 --at 2024-01-12T20:55:00Z").done();
    room.run("fund halt --reason 'nobody answers' --at 2024-01-12T20:56:00Z").done();
    let line = "order submit --id S --participant P --side redemption --baskets 1 --trade-date 2024-01-16";
    check(&room, &case("2024-01-12T20:57:00Z", line, "fund.must_not_be_halted", "nobody answers"), 1);
}

#[test]
fn a_fee_is_not_paid_with_coins_that_are_not_in_trading() {
    let room = falling_market();
    // Settled into trading, and from there to the vault: trading is empty.
    room.run("order settle --due --at 2024-01-12T15:00:00Z").done();
    let held = room.run("fund status --json").json()["assets"][0]["trading"].as_str().unwrap().to_owned();
    room.run(&format!(
        "custody transfer --from trading --to vault --quantity {held} --at 2024-01-12T15:01:00Z"
    ))
    .done();
    let line = "fee pay --through 2024-01-11 --price BTC=30000";
    check(
        &room,
        &case(NOW, line, "custody.must_cover_the_movement", "in the trading balance, which holds 0.00000000"),
        1,
    );
}

#[test]
fn a_price_that_fell_too_far_or_stands_still_needs_a_decision() {
    let room = falling_market();
    room.run("prices import rates.csv --at 2024-01-12T21:30:00Z").done();
    let jump = case(
        "2024-01-12T21:35:00Z",
        "nav strike",
        "price.must_be_within_jump_limit",
        "BTC moved from 46368.59 to 30000, more than the limit of 0.25; check it, then strike with --accept-price REASON or correct it",
    );
    check(&room, &jump, 1);
    room.run("nav strike --accept-price 'seen on four venues' --at 2024-01-12T21:36:00Z").done();
    room.run("order execute A3 --price BTC=30000 --at 2024-01-12T21:40:00Z").done();
    strike(&room, "2024-01-16", "");
    room.run("prices import rates.csv --at 2024-01-17T21:30:00Z").done();
    let stale =
        case("2024-01-17T21:35:00Z", "nav strike", "price.must_not_be_stale", "the source looks stale");
    check(&room, &stale, 1);
    room.run("nav strike --accept-price 'the venue was closed' --at 2024-01-17T21:36:00Z").done();
    let reasons = room.run("nav list --json").json();
    assert_eq!(reasons.as_array().unwrap().len(), 8);
}

#[test]
fn the_same_order_again_is_done_already_and_changes_nothing() {
    let room = falling_market();
    let before = room.status();
    let again = "order submit --id A3 --participant P --side creation --baskets 5 --trade-date 2024-01-12";
    let said = room.run(&format!("{again} --at {NOW}")).done();
    assert_eq!(said, "already done: nothing changed\n");
    assert_eq!(room.run(&format!("{again} --at {NOW} --json")).json()["outcome"], "already done");
    assert_eq!(before, room.status());
}

#[test]
fn settling_what_is_due_stops_at_the_first_that_cannot_and_says_what_went_before() {
    let room = falling_market();
    room.run("order settle A2 --at 2024-01-12T15:00:00Z").done();
    let held = room.run("fund status --json").json()["assets"][0]["trading"].as_str().unwrap().to_owned();
    room.run(&format!(
        "custody transfer --from trading --to vault --quantity {held} --at 2024-01-12T15:01:00Z"
    ))
    .done();
    // Ten baskets are to go out, and the creation before it brings the coins of five into trading.
    let line = "order submit --id R1 --participant P --side redemption --baskets 10 --trade-date 2024-01-16";
    room.run(&format!("{line} --at {NOW}")).done();
    strike(&room, "2024-01-12", "--accept-price seen");
    room.run("order execute A3 --price BTC=30000 --at 2024-01-12T21:40:00Z").done();
    strike(&room, "2024-01-16", "");
    room.run("order execute R1 --price BTC=30000 --at 2024-01-16T21:40:00Z").done();
    let ran = room.run("order settle --due --json --at 2024-01-17T15:00:00Z");
    let message = ran.refused(1, "custody.must_cover_the_movement");
    assert!(message.starts_with("R1: "), "{message}");
    assert_eq!(ran.error().2, "Settled before it: A3.");
    let open = room.run("order list --json").json();
    assert_eq!(
        open.as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["R1"]
    );
}
