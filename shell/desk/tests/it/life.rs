//! Some weeks of a fund with everything that can happen to it, and what the read tables then hold.

use strongroom_desk::Desk;
use strongroom_engine::{AssetChange, Change, Command, HaltScope, Liability, LifeCommand, OrderSide};
use strongroom_fund::definition::CustodyKind;
use strongroom_units::Shares;
use strongroom_units::time::{Date, Timestamp};

use crate::home::{Home, on_both};
use crate::judge;
use crate::sample::*;

on_both!(every_read_table_is_the_replay_of_the_log);

const VAULT: CustodyKind = CustodyKind::Vault;
const TRADING: CustodyKind = CustodyKind::Trading;

fn must(desk: &mut Desk, at: Timestamp, commands: impl IntoIterator<Item = Command>) {
    let group: Vec<_> = commands.into_iter().map(|command| request(command, at)).collect();
    let told = tell(desk, &group);
    assert!(told.iter().all(|told| *told == "done"), "{told:?} of {group:?}");
}

/// Orders for the next session, yesterday's executed and settled: a session of an ordinary fund.
fn session(desk: &mut Desk, day: Date) {
    let at = on(day, 16, 30);
    let strike = Command::StrikeNav { date: day, accept: None };
    must(desk, at, [import(day, price_of(day)), strike]);
    let state = desk.last_seen(btcx()).unwrap();
    let open: Vec<_> = state.orders().cloned().collect();
    let mut group = Vec::new();
    for order in open {
        if order.settlement_date <= day {
            group.push(Command::SettleOrder { id: order.id });
        } else if order.trade_date == day {
            let price = price_of(day).to_string();
            group.push(Command::ExecuteOrder { id: order.id, prices: btc(&price) });
        }
    }
    must(desk, at, group);
    let next = next_session(day);
    let mut order = new_order(&format!("in-{next}"), next);
    let mut group = vec![Command::SubmitOrder(order.clone())];
    if day.day() % 3 == 0 {
        (order.id, order.side) = (id(&format!("out-{next}")), OrderSide::Redemption);
        group.push(Command::SubmitOrder(order.clone()));
        (order.id, order.shares) = (id(&format!("never-{next}")), Shares::new(2 * UNIT));
        group.extend([Command::SubmitOrder(order.clone()), Command::CancelOrder { id: order.id }]);
    }
    must(desk, at, group);
}

fn every_read_table_is_the_replay_of_the_log(home: &Home) {
    let mut desk = with_fund(home.open());
    must(&mut desk, opening(), [transfer(VAULT, TRADING, "60.5")]);
    let mut day = date("2024-01-05");
    for _ in 0..24 {
        day = next_session(day);
        session(&mut desk, day);
    }
    let at = on(day, 17, 0);
    let corrected = date("2024-01-17");
    let past = date("2024-01-22");
    let expense = Command::RecordExpense {
        id: id("audit"),
        effective: past,
        amount: "1234.56".parse().unwrap(),
        memo: "Audit".to_owned(),
    };
    let late =
        Command::RecordLateOrder { order: new_order("late", day), reason: "Taken by telephone".to_owned() };
    let price = "44123.45".parse().unwrap();
    let correction = Command::CorrectPrice {
        asset: symbol("BTC"),
        date: corrected,
        price,
        reason: "Republished".to_owned(),
    };
    let halt = |scope| Command::Halt { scope, reason: "A fork".to_owned() };
    let fee = Liability::SponsorFee { through: Some(date("2024-01-31")) };
    let prices = btc(&price_of(day).to_string());
    let pay = |liability| Command::Pay { liability, prices: prices.clone() };
    must(&mut desk, at, [correction, expense, late]);
    must(&mut desk, at, [pay(fee), pay(Liability::Expenses)]);
    let change = Change::Gift { what: "A fork".to_owned(), value: "12.5".parse().unwrap(), sold: false };
    let gift = AssetChange { date: day, asset: symbol("BTC"), change, reason: "By policy".to_owned() };
    let custodian = LifeCommand::ChangeCustodian {
        account: VAULT,
        custodian: "Another custodian".to_owned(),
        from: next_session(day),
        reason: "A tender".to_owned(),
    };
    must(&mut desk, at, [Command::Life(custodian)]);
    let asked = tell(&mut desk, &[request(Command::ChangeAsset(gift), at)]);
    assert_eq!(asked, ["asset_change.must_follow_settlements"], "orders of the day are on their way");
    must(&mut desk, at, [halt(HaltScope::Orders), halt(HaltScope::Creations)]);
    judge::check(home);
    must(
        &mut desk,
        at,
        [Command::Resume { reason: "Over".to_owned() }, transfer(TRADING, VAULT, "0.00000001")],
    );
    judge::check(home);
    let empty = "SELECT count(*) FROM fee_accruals";
    assert_eq!(home.number(empty), 0, "this fund accrues its fee in money");
    for table in ["nav_corrections", "corrections", "payments", "order_assets", "custody_transfers", "prices"]
    {
        assert!(home.number(&format!("SELECT count(*) FROM {table}")) > 1, "{table}");
    }
}
