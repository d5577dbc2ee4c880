//! Random distributions, staking, splits and halts among the random days of `properties`.

use crate::distributions::{distribution, holder};
use crate::properties::{Watched, far};
use crate::scenario::*;
use proptest::prelude::*;
use strongroom_engine::{
    Account, Command, DistributionCommand, DistributionSource, HaltCause, Holder, LifeCommand,
    NewDistribution, RegisterPart, RewardSource, Stage, StakingCommand,
};
use strongroom_units::time::{Calendar, Zone};
use strongroom_units::{PerShare, Quantity, Shares};

/// One thing that happens in a life.
#[derive(Debug, Clone)]
pub enum LifeAct {
    Stake { permille: u16 },
    Unstake { permille: u16 },
    Release,
    Reward { ppm: u32 },
    Slash { ppm: u32, good: u8 },
    Sell { permille: u16, factor: u8 },
    Declare { micros: u32, ahead: u8 },
    Register { spread: u16 },
    Pay,
    Claim,
    Correct { micros: u32 },
    Cancel,
    Split { kind: u8 },
    Halt { level: u8 },
}

pub fn acts() -> impl Strategy<Value = LifeAct> {
    prop_oneof![
        2 => (0..1_000u16).prop_map(|permille| LifeAct::Stake { permille }),
        1 => (0..1_100u16).prop_map(|permille| LifeAct::Unstake { permille }),
        1 => Just(LifeAct::Release),
        3 => (0..5_000u32).prop_map(|ppm| LifeAct::Reward { ppm }),
        1 => (0..20_000u32, 0..12u8).prop_map(|(ppm, good)| LifeAct::Slash { ppm, good }),
        2 => (0..1_200u16, 2..5u8).prop_map(|(permille, factor)| LifeAct::Sell { permille, factor }),
        3 => (1..40_000u32, 0..3u8).prop_map(|(micros, ahead)| LifeAct::Declare { micros, ahead }),
        3 => (1..1_000u16).prop_map(|spread| LifeAct::Register { spread }),
        3 => Just(LifeAct::Pay),
        1 => Just(LifeAct::Claim),
        1 => (1..40_000u32).prop_map(|micros| LifeAct::Correct { micros }),
        1 => Just(LifeAct::Cancel),
        2 => (0..4u8).prop_map(|kind| LifeAct::Split { kind }),
        1 => (1..4u8).prop_map(|level| LifeAct::Halt { level }),
    ]
}

fn micros(count: u32) -> PerShare {
    PerShare::from_units(i128::from(count) * 10i128.pow(18))
}

impl Watched {
    fn in_account(&self, account: Account) -> Quantity {
        let scale = self.state().definition().assets[0].scale;
        self.state().ledger().coins(self.scenario.asset, account).unwrap_or(Quantity::zero(scale))
    }

    fn part(&self, account: Account, parts: u32, of: i128) -> Quantity {
        let held = self.in_account(account);
        Quantity::from_units(held.units() * i128::from(parts) / of, held.scale())
    }

    pub(crate) fn live(&mut self, act: &LifeAct) {
        let today = Zone::NewYork.date_of(self.scenario.now);
        let staking = |command| Command::Staking(command);
        match act {
            LifeAct::Stake { permille } => {
                let quantity = self.part(Account::Vault, u32::from(*permille), 1_000);
                self.give(staking(StakingCommand::Stake { quantity }));
            }
            LifeAct::Unstake { permille } => {
                let quantity = self.part(Account::Staked, u32::from(*permille), 1_000);
                self.give(staking(StakingCommand::Unstake { quantity }));
            }
            LifeAct::Release => self.give(staking(StakingCommand::Release)),
            LifeAct::Reward { ppm } => {
                let gross = self.part(Account::Vault, *ppm, 1_000_000);
                let source = RewardSource::Staking;
                self.give(staking(StakingCommand::RecordReward { through: today, gross, source }));
            }
            LifeAct::Slash { ppm, good } => {
                let lost = self.part(Account::Staked, *ppm, 1_000_000);
                let indemnified = Quantity::from_units(lost.units() * i128::from(*good) / 10, lost.scale());
                self.orders += 1;
                let (id, reason) = (id(&format!("s{}", self.orders)), "missed".to_owned());
                let command = StakingCommand::RecordSlashing { id, date: today, lost, indemnified, reason };
                self.give(staking(command));
            }
            LifeAct::Sell { permille, factor } => {
                let scale = self.state().definition().assets[0].scale;
                let rewards = self.state().staking().undistributed(scale).unwrap();
                let quantity = Quantity::from_units(rewards.units() * i128::from(*permille) / 1_000, scale);
                self.bring_to_trading(quantity);
                let price = far(self.last_price(), *factor);
                self.give(staking(StakingCommand::SellRewards { quantity, price }));
            }
            LifeAct::Declare { micros: count, ahead } => {
                let last = self.state().last_nav().unwrap().date;
                let session = |count| Calendar::Nyse.add_sessions(last, count).unwrap();
                let ahead = i32::from(*ahead);
                self.orders += 1;
                self.give(distribution(DistributionCommand::Declare(NewDistribution {
                    id: id(&format!("d{}", self.orders)),
                    source: DistributionSource::StakingRewards,
                    asset: None,
                    per_share: micros(*count),
                    record_date: session(ahead + 1),
                    pay_date: session(ahead + 2),
                    memo: "rewards".into(),
                })));
            }
            LifeAct::Register { spread } => self.register(*spread),
            LifeAct::Pay => {
                if let Some(id) = self.one(|one| one.stage == Stage::Ex && one.register.is_whole) {
                    self.give(distribution(DistributionCommand::Pay { id }));
                }
            }
            LifeAct::Claim => {
                let waiting = self.state().distributions().find(|one| !one.unclaimed.is_empty());
                let claim = waiting.map(|one| {
                    let holder = one.unclaimed.keys().next().unwrap().clone();
                    DistributionCommand::Claim { id: one.terms.id.clone(), holder }
                });
                if let Some(claim) = claim {
                    self.give(distribution(claim));
                }
            }
            LifeAct::Correct { micros: count } => {
                if let Some(id) = self.one(|one| one.stage != Stage::Cancelled) {
                    let (per_share, reason) = (micros(*count), "misprinted".into());
                    self.give(distribution(DistributionCommand::Correct { id, per_share, reason }));
                }
            }
            LifeAct::Cancel => {
                if let Some(id) = self.one(|one| one.stage == Stage::Declared) {
                    self.give(distribution(DistributionCommand::Cancel { id, reason: "too early".into() }));
                }
            }
            LifeAct::Split { kind } => {
                let last = self.state().last_nav().unwrap().date;
                let date = Calendar::Nyse.next_session(last).unwrap();
                let (new, old) = [(2, 1), (4, 1), (3, 2), (1, 2)][usize::from(*kind)];
                self.scenario.now = self.scenario.now.max(seconds_after(strike_of(date), -3_600 * 6));
                let before = self.state().issued();
                self.give(Command::Life(LifeCommand::Split {
                    date,
                    new,
                    old,
                    holders: vec![],
                    reason: "price".into(),
                }));
                let split = self.state().issued() != before;
                assert!(!split || self.state().reserve().check().is_ok());
            }
            LifeAct::Halt { level } => {
                let cause = match level {
                    1 => HaltCause::MarketLevel1,
                    2 => HaltCause::MarketLevel2,
                    _ => HaltCause::MarketLevel3,
                };
                let began = self.scenario.now;
                self.give(Command::Life(LifeCommand::RecordTradingHalt { cause, began }));
            }
        }
    }

    /// Whatever is staked is asked back, so that delayed redemptions find their coins.
    pub(crate) fn unstake_all(&mut self) {
        let quantity = self.in_account(Account::Staked);
        self.give(Command::Staking(StakingCommand::Unstake { quantity }));
    }

    pub(crate) fn release(&mut self) {
        self.give(Command::Staking(StakingCommand::Release));
    }

    fn one(
        &self,
        wanted: impl Fn(&strongroom_engine::Distribution) -> bool,
    ) -> Option<strongroom_engine::OrderId> {
        self.state().distributions().find(|one| wanted(one)).map(|one| one.terms.id.clone())
    }

    /// Two holders, the second of whom cannot be reached.
    fn register(&mut self, spread: u16) {
        let open = |one: &strongroom_engine::Distribution| one.stage == Stage::Ex && !one.register.is_whole;
        let Some(id) = self.one(open) else { return };
        let shares = self.state().distribution(&id).unwrap().shares.count();
        let first = (shares * i64::from(spread) / 1_000).max(1);
        let mut holders = vec![holder("a", first)];
        if shares > first {
            let (holder, shares) = ("b".to_owned(), Shares::new(shares - first));
            holders.push(Holder { holder, shares, is_unreachable: true });
        }
        self.give(distribution(DistributionCommand::ImportRegister(RegisterPart {
            id,
            part: 1,
            is_last: true,
            holders,
        })));
    }
}
