//! A register of holders is recorded part by part: each part is durable when it is answered, an interrupted import goes on where it
//! was, and what the tables hold ties to the total to the cent.

use crate::home::{Home, on_both};
use crate::sample::{date, id, next_session, on};
use strongroom_desk::{Cause, Desk, Request};
use strongroom_engine::{
    Command, DistributionCommand, DistributionSource, Holder, NewDistribution, Outcome, PriceRow,
    RegisterPart, RewardSource, Stage, StakingCommand,
};
use strongroom_units::time::{Date, Timestamp};
use strongroom_units::{Quantity, Scale, Shares, Symbol};

on_both!(an_interrupted_register_goes_on_and_ties_to_the_total);

const STAKING: &str = include_str!("../../../../funds/ether-staking.toml");
const SHARES: i64 = 400_000;

fn eth() -> Symbol {
    "ETH".parse().unwrap()
}

fn coins(text: &str) -> Quantity {
    Quantity::parse(text, Scale::try_new(18).unwrap()).unwrap()
}

fn give(desk: &mut Desk, command: Command, at: Timestamp) -> Outcome {
    let shown = format!("{command:?}").chars().take(200).collect::<String>();
    let request = Request { fund: "ETHS".parse().unwrap(), command, at, cause: Cause::actor("os:ana") };
    desk.command(request).unwrap_or_else(|error| panic!("{shown}: {error}")).outcome
}

fn strike(desk: &mut Desk, day: Date, price: &str) {
    let rows = vec![PriceRow { date: day, price: price.parse().unwrap() }];
    let at = on(day, 16, 30);
    give(desk, Command::ImportPrices { asset: eth(), source: "test".into(), rows }, at);
    give(desk, Command::StrikeNav { date: day, accept: None }, at);
}

/// Ex on 6 January 2023, at two cents and a tenth of a mill a share.
fn gone_ex(home: &Home) -> Desk {
    let mut desk = home.open();
    let seed = date("2023-01-03");
    let seed_prices = [(eth(), "1000".parse().unwrap())].into();
    let definition = STAKING.to_owned();
    let open = Command::OpenFund { definition, seed_prices, weights: Default::default() };
    give(&mut desk, open, on(seed, 16, 30));
    let first = next_session(seed);
    strike(&mut desk, first, "1000.01");
    let (gross, source) = (coins("10"), RewardSource::Staking);
    let at = on(first, 17, 0);
    give(&mut desk, Command::Staking(StakingCommand::RecordReward { through: first, gross, source }), at);
    let declared = Command::Distribution(DistributionCommand::Declare(NewDistribution {
        id: id("q"),
        source: DistributionSource::StakingRewards,
        asset: None,
        per_share: "0.0201".parse().unwrap(),
        record_date: date("2023-01-06"),
        pay_date: date("2023-01-10"),
        memo: "rewards".into(),
    }));
    give(&mut desk, declared, on(date("2023-01-05"), 12, 0));
    strike(&mut desk, date("2023-01-05"), "1000.02");
    strike(&mut desk, date("2023-01-06"), "1000.03");
    desk
}

/// Part `part` of four, of 25 holders each, who together have every share.
fn part(part: u32) -> Command {
    let each = SHARES / 100;
    let holder = |index: i64| Holder {
        holder: format!("h{index:04}"),
        shares: Shares::new(
            each + if index == 0 {
                -7
            } else if index == 99 {
                7
            } else {
                0
            },
        ),
        is_unreachable: index % 10 == 3,
    };
    let first = i64::from(part - 1) * 25;
    let holders = (first..first + 25).map(holder).collect();
    let register = RegisterPart { id: id("q"), part, is_last: part == 4, holders };
    Command::Distribution(DistributionCommand::ImportRegister(register))
}

fn an_interrupted_register_goes_on_and_ties_to_the_total(home: &Home) {
    let mut desk = gone_ex(home);
    let at = on(date("2023-01-09"), 9, 0);
    assert_eq!(give(&mut desk, part(1), at), Outcome::Done);
    assert_eq!(give(&mut desk, part(2), at), Outcome::Done);
    drop(desk);
    // A new process gives the whole file again: what was recorded is not recorded twice.
    let mut desk = home.open();
    let outcomes: Vec<Outcome> = (1..=4).map(|number| give(&mut desk, part(number), at)).collect();
    use Outcome::{AlreadyDone, Done};
    assert_eq!(outcomes, [AlreadyDone, AlreadyDone, Done, Done]);
    let fund = "ETHS".parse().unwrap();
    let known = desk.last_seen(fund).unwrap().distribution(&id("q")).unwrap().clone();
    assert_eq!((known.register.holders, known.register.shares), (100, Shares::new(SHARES)));
    assert_eq!(known.total.unwrap().to_string(), "8040.00000000");
    // Every row is there once, and the rows are the sums.
    assert_eq!(home.number("SELECT count(*) FROM distribution_holders"), 100);
    assert_eq!(home.number("SELECT CAST(sum(shares) AS BIGINT) FROM distribution_holders"), SHARES);
    let cents = "SELECT CAST(sum(ROUND(CAST(amount AS NUMERIC) * 100)) AS BIGINT) FROM distribution_holders";
    let amount = known.register.amount.unwrap();
    assert_eq!(i128::from(home.number(cents)), amount.units());
    let transfer = |quantity: &str| Command::TransferCustody {
        asset: eth(),
        from: strongroom_fund::definition::CustodyKind::Vault,
        to: strongroom_fund::definition::CustodyKind::Trading,
        quantity: coins(quantity),
    };
    give(&mut desk, transfer("9"), at);
    let (quantity, price) = (coins("8.1"), "1000".parse().unwrap());
    give(&mut desk, Command::Staking(StakingCommand::SellRewards { quantity, price }), at);
    let pay = Command::Distribution(DistributionCommand::Pay { id: id("q") });
    give(&mut desk, pay, on(date("2023-01-10"), 12, 0));
    let claim = DistributionCommand::Claim { id: id("q"), holder: "h0003".into() };
    give(&mut desk, Command::Distribution(claim), on(date("2023-01-11"), 12, 0));
    let known = desk.last_seen(fund).unwrap().distribution(&id("q")).unwrap().clone();
    assert_eq!((known.stage, known.unclaimed.len()), (Stage::Paid, 9));
    assert_eq!(home.number("SELECT count(*) FROM distribution_claims"), 1);
    assert_eq!(home.number("SELECT unclaimed_holders FROM distributions WHERE stage = 'paid'"), 9);
    assert_eq!(home.number("SELECT count(*) FROM life_events WHERE kind = 'rewards-sold'"), 1);
    // The log alone gives the same.
    let before = desk.last_seen(fund).unwrap().to_snapshot().unwrap();
    drop(desk);
    let mut again = Desk::open_read_only(&home.location()).unwrap();
    assert_eq!(again.fund(fund).unwrap().unwrap().to_snapshot().unwrap(), before);
}
