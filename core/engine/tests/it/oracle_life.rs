//! The second opinion on distributions, staking and a fund's life, in plain `i128` like the rest of it.

use crate::oracle::{Oracle, Owed, ceiling, floor, ten};
use strongroom_engine::{DistributionEvent, LifeEvent, StakingEvent};

impl Oracle {
    pub(crate) fn follow_distribution(&mut self, event: &DistributionEvent) {
        match event {
            DistributionEvent::Declared { terms, .. } => {
                assert!(terms.asset.is_none(), "the oracle knows money for holders only");
                let per_share = terms.per_share.units();
                self.distributions.insert(terms.id.to_string(), Owed { per_share, ..Owed::default() });
            }
            DistributionEvent::WentEx { id, shares, total, .. } => {
                let outstanding = self.outstanding();
                let one = self.distributions.get_mut(id.as_str()).unwrap();
                one.shares = outstanding;
                assert_eq!(i128::from(shares.count()), outstanding, "shares at record");
                // Published decimals are at most eight, so nothing is rounded.
                assert_eq!(one.per_share % ten(16), 0);
                assert_eq!(total.units(), one.per_share / ten(16) * outstanding, "total of {id}");
                self.owed_to_holders += total.units();
            }
            DistributionEvent::RegisterRecorded { id, holders, amount, shares, .. } => {
                let one = self.distributions.get_mut(id.as_str()).unwrap();
                let per_share = one.per_share - one.paid_per_share;
                let mut sums = (0, 0);
                for line in holders {
                    let held = i128::from(line.holder.shares.count());
                    let cents = floor(per_share / ten(16), held, ten(6));
                    assert_eq!(line.part.units(), cents, "part of {}", line.holder.holder);
                    sums = (sums.0 + held, sums.1 + cents);
                    one.unreachable += if line.holder.is_unreachable { cents } else { 0 };
                }
                assert_eq!((i128::from(shares.count()), amount.units()), sums);
                one.cents += sums.1;
            }
            DistributionEvent::Paid { id, paid, unclaimed, fractions, .. } => {
                let one = self.distributions.get_mut(id.as_str()).unwrap();
                let owed = (one.per_share - one.paid_per_share) / ten(16) * one.shares;
                let (reached, waiting) = ((one.cents - one.unreachable) * ten(6), one.unreachable * ten(6));
                if one.per_share != 0 {
                    assert_eq!((paid.units(), unclaimed.units()), (reached, waiting), "payment of {id}");
                    assert_eq!(paid.units() + unclaimed.units() + fractions.units(), owed, "{id} ties");
                }
                self.cash -= paid.units();
                self.owed_to_holders -= paid.units() + fractions.units();
                one.paid_per_share = one.per_share;
                (one.cents, one.unreachable) = (0, 0);
            }
            DistributionEvent::Claimed { amount, .. } => {
                self.cash -= amount.units() * ten(6);
                self.owed_to_holders -= amount.units() * ten(6);
            }
            DistributionEvent::Corrected { id, new, difference, restatement, .. } => {
                let one = self.distributions.get_mut(id.as_str()).unwrap();
                let more = (new.units() - one.per_share) / ten(16) * one.shares;
                assert_eq!(difference.units(), more, "correction of {id}");
                one.per_share = new.units();
                (one.cents, one.unreachable) = (0, 0);
                self.owed_to_holders += more;
                self.restate(restatement, false);
            }
            DistributionEvent::Cancelled { id, .. } => drop(self.distributions.remove(id.as_str())),
        }
    }

    pub(crate) fn follow_staking(&mut self, event: &StakingEvent) {
        match event {
            StakingEvent::Staked { quantity, .. } => {
                self.vault -= quantity.units();
                self.staked += quantity.units();
            }
            StakingEvent::Unstaked { quantity, .. } => {
                self.staked -= quantity.units();
                self.unbonding += quantity.units();
            }
            StakingEvent::Released { quantity, .. } => {
                self.unbonding -= quantity.units();
                self.vault += quantity.units();
            }
            StakingEvent::RewardRecorded { reward, received, .. } => {
                // Ten per cent to the provider and eight to the custodian, as the definition has it, each rounded up.
                let gross = reward.gross.units();
                let net = gross - ceiling(gross, 10, 100) - ceiling(gross, 8, 100);
                assert_eq!(self.only(&received.assets).quantity.units(), net);
                self.vault += net;
            }
            StakingEvent::Slashed { lost, indemnified, gone, .. } => {
                self.staked -= lost.units();
                self.vault += indemnified.units();
                assert_eq!(self.only(&gone.assets).quantity.units(), lost.units() - indemnified.units());
                self.promise_after_leaving();
            }
            StakingEvent::RewardsSold { sale, .. } => {
                let coins = self.only(&sale.assets).quantity.units();
                self.trading -= coins;
                self.cash += sale.value.units();
                self.set_aside = (self.set_aside - coins).max(0);
                self.promise_after_leaving();
            }
        }
    }

    pub(crate) fn follow_life(&mut self, event: &LifeEvent) {
        match event {
            LifeEvent::Split { new, old, before, after, in_lieu, date, .. } => {
                assert_eq!(i128::from(before.count()), self.issued);
                let made = self.issued * i128::from(*new);
                assert_eq!(i128::from(after.count()), made / i128::from(*old), "one nominee, rounded down");
                assert!(
                    in_lieu.is_zero() || made % i128::from(*old) > 0,
                    "nothing is owed without a fraction"
                );
                self.issued = made / i128::from(*old);
                self.owed_to_holders += in_lieu.units();
                self.distributions.insert(format!("in-lieu-{date}"), Owed::default());
                self.promise_after_leaving();
            }
            LifeEvent::DealingPostponed { to, orders, .. } => {
                for id in orders.keys() {
                    self.orders.get_mut(id.as_str()).unwrap().day = *to;
                }
            }
            LifeEvent::Liquidated { .. } => panic!("no fund of these histories is wound up"),
            LifeEvent::CustodianChanged { .. }
            | LifeEvent::BenchmarkChanged { .. }
            | LifeEvent::TradingHalted { .. }
            | LifeEvent::Closing { .. } => {}
        }
    }
}
