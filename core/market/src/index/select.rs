//! Who is a member: the snapshot's coins through the filters, ranked, and taken from the top.

use super::asset::{AssetId, AssetName};
use super::calendar::days_between;
use super::definition::{Index, PriceSource, Select, ThemeMember, Unpriced, Version, Weighting};
use super::error::IndexError;
use super::event::Event;
use super::market::{Listing, Market, Snapshot};
use super::prices::Prices;
use super::reason::{InReason, Lack, Logged, OutReason};
use super::record::Out;
use std::collections::{BTreeMap, VecDeque};
use strongroom_units::time::Date;
use strongroom_units::{Money, NumberError, Price, Quantity, Rounding};

/// When a choice is made, from what, and who was there before.
pub(super) struct Occasion<'a> {
    pub index: &'a Index,
    pub version: &'a Version,
    pub market: &'a Market,
    pub prices: &'a Prices<'a>,
    /// The day of determination.
    pub announced: Date,
    /// The effective day.
    pub effective: Date,
    /// The day whose snapshot is used, or the last before it.
    pub snapshot: Date,
    pub held: &'a BTreeMap<AssetId, Quantity>,
}

/// One coin of a snapshot under its identity.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub asset: AssetId,
    pub name: AssetName,
    pub listing: Listing,
    /// By what is known of it, which may differ from the snapshot.
    pub supply: Quantity,
    pub market_cap: Money,
    /// From 1; 0 for one that is not ranked.
    pub rank: u32,
}

/// Who is in, who is out, and what is worth saying about it.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub members: Vec<(Candidate, InReason)>,
    pub out: Vec<Out>,
    pub log: Vec<Logged>,
}

impl Occasion<'_> {
    /// The snapshot to use, and every coin in it.
    pub fn candidates(&self) -> Result<(Date, Vec<Candidate>), IndexError> {
        let days_max = self.version.snapshot_age_days_max;
        let found = self.market.snapshot_at(self.snapshot);
        let (date, snapshot) = found
            .filter(|(date, _)| days_between(*date, self.snapshot) <= i32::from(days_max))
            .ok_or(IndexError::SnapshotMissing { date: self.snapshot, days_max })?;
        Ok((date, self.identified(date, snapshot)?))
    }

    fn identified(&self, date: Date, snapshot: &Snapshot) -> Result<Vec<Candidate>, IndexError> {
        let mut found: BTreeMap<AssetId, Candidate> = BTreeMap::new();
        for (name, listing) in snapshot {
            let asset = self.index.identify(name, date);
            let corrected =
                self.index.event.iter().rev().find_map(|event| event.corrects(&asset, date, self.effective));
            let market_cap = match corrected {
                None => listing.market_cap,
                Some(supply) => listing.price.value(supply, Rounding::HalfEven)?,
            };
            // A correction is written with as many decimals as its source has; supplies are compared at one scale.
            let supply = corrected.map_or(Ok(listing.supply), |supply| {
                Quantity::try_from_decimal(supply.to_decimal(), listing.supply.scale())
            })?;
            let candidate = Candidate {
                asset: asset.clone(),
                name: name.clone(),
                listing: *listing,
                supply,
                market_cap,
                rank: 0,
            };
            if found.insert(asset.clone(), candidate).is_some() {
                return Err(IndexError::NamedTwice { asset, snapshot: date });
            }
        }
        Ok(found.into_values().collect())
    }

    /// Chooses members from a snapshot's coins.
    pub fn choose(&self, snapshot: Date, all: Vec<Candidate>) -> Result<Choice, IndexError> {
        let mut choice = Choice::default();
        self.not_listed(&all, &mut choice);
        let mut eligible = Vec::new();
        for candidate in all {
            match self.why_not(&candidate, snapshot) {
                None => eligible.push(candidate),
                Some(reason) => choice.out.push(self.out(&candidate, reason)),
            }
        }
        // Equal capitalisations are ranked by id, so that the order of rows decides nothing.
        eligible.sort_by(|a, b| b.market_cap.cmp(&a.market_cap).then_with(|| a.asset.cmp(&b.asset)));
        for (rank, candidate) in (1u32..).zip(&mut eligible) {
            candidate.rank = rank;
        }
        match self.version.select {
            Select::All => self.take_all(eligible, &mut choice)?,
            Select::Top { count, buffer, enters_at } => {
                Ranked { occasion: self, count, stays_to: u32::from(count) + u32::from(buffer), enters_at }
                    .take(eligible, &mut choice)?;
            }
        }
        choice.out.sort_by(|a, b| b.market_cap.cmp(&a.market_cap).then_with(|| a.asset.cmp(&b.asset)));
        Ok(choice)
    }

    /// Coins that a theme names and the snapshot does not list.
    fn not_listed(&self, all: &[Candidate], choice: &mut Choice) {
        let named = self.theme_members().filter(|(_, member)| !all.iter().any(|c| c.asset == member.asset));
        for (_, member) in named {
            let out = Out {
                asset: member.asset.clone(),
                rank: None,
                market_cap: Money::ZERO,
                was_member: self.held.contains_key(&member.asset),
                reason: OutReason::NotInSnapshot,
            };
            choice.log.push(Logged::LeftOut { asset: out.asset.clone(), why: OutReason::NotInSnapshot });
            choice.out.push(out);
        }
    }

    fn theme_members(&self) -> impl Iterator<Item = (&str, &ThemeMember)> {
        let used = self.index.theme.iter().filter(|theme| self.version.themes.contains(&theme.id));
        let all = used.flat_map(|theme| theme.member.iter().map(|member| (theme.id.as_str(), member)));
        all.filter(|(_, member)| {
            let lasts = member.through.is_none_or(|through| self.announced <= through);
            member.from <= self.announced && lasts
        })
    }

    /// The first rule that keeps a coin out.
    fn why_not(&self, candidate: &Candidate, snapshot: Date) -> Option<OutReason> {
        let Candidate { asset, name, listing, .. } = candidate;
        let filters = self.version.filters;
        if let Some(list) = self.index.exclusion.iter().find(|list| list.assets.contains(name)) {
            return Some(OutReason::Excluded { list: list.id.clone() });
        }
        if !self.version.themes.is_empty() && !self.theme_members().any(|(_, member)| member.asset == *asset)
        {
            return Some(OutReason::NotInTheme);
        }
        if let Some(since) = self.gone_since(asset) {
            return Some(OutReason::Gone { since });
        }
        if matches!(&self.version.weighting, Weighting::Fixed { weights } if !weights.contains_key(asset)) {
            return Some(OutReason::NoFixedWeight);
        }
        if candidate.market_cap <= Money::ZERO || candidate.supply.units() <= 0 {
            return Some(OutReason::NoMarketCap);
        }
        if let Some(min) = filters.volume_24h_min.filter(|min| listing.volume_24h < *min) {
            return Some(OutReason::VolumeTooLow { volume_24h: listing.volume_24h, min });
        }
        if let Some(min) = filters.price_min.filter(|min| listing.price < *min) {
            return Some(OutReason::PriceTooLow { price: listing.price, min });
        }
        let days_min = filters.age_days_min?;
        let since = self.known_since(asset, snapshot);
        let is_young = days_between(since, self.announced) < i32::from(days_min);
        is_young.then_some(OutReason::TooYoung { since, days_min })
    }

    fn gone_since(&self, asset: &AssetId) -> Option<Date> {
        self.index.event.iter().find_map(|event| match event {
            Event::Delisting { date, .. } | Event::Migration { date, .. } => {
                (event.asset() == asset && *date <= self.effective).then_some(*date)
            }
            _ => None,
        })
    }

    fn known_since(&self, asset: &AssetId, snapshot: Date) -> Date {
        let given = self.index.asset(asset).and_then(|asset| asset.since);
        let mut seen = self.market.snapshots().range(..=snapshot).filter(|(date, snapshot)| {
            snapshot.keys().any(|name| self.index.identify(name, **date) == *asset)
        });
        given.or_else(|| seen.next().map(|(date, _)| *date)).unwrap_or(snapshot)
    }

    /// Members whose supply differs by more than the definition's jump from the snapshot before.
    pub fn supply_jumps(
        &self,
        snapshot: Date,
        members: &[(Candidate, InReason)],
    ) -> Result<Vec<Logged>, IndexError> {
        let before = snapshot.yesterday().ok().and_then(|day| self.market.snapshot_at(day));
        let (Some(jump), Some((date, before))) = (self.version.supply_jump, before) else {
            return Ok(Vec::new());
        };
        let before = self.identified(date, before)?;
        let mut jumps = Vec::new();
        for (candidate, _) in members {
            let Some(old) = before.iter().find(|old| old.asset == candidate.asset) else { continue };
            let (from, to) = (old.supply, candidate.supply);
            let limit = from.try_mul_div(jump.units(), super::ONE.units(), Rounding::HalfEven)?;
            if to.try_sub(from)?.units().abs() > limit.units() {
                jumps.push(Logged::SupplyJumped { asset: candidate.asset.clone(), from, to });
            }
        }
        Ok(jumps)
    }

    fn take_all(&self, eligible: Vec<Candidate>, choice: &mut Choice) -> Result<(), IndexError> {
        for candidate in eligible {
            let Some(lacks) = self.lack(&candidate) else {
                let theme = self.theme_members().find(|(_, member)| member.asset == candidate.asset);
                let reason = theme.map_or(InReason::Eligible, |(theme, member)| InReason::InTheme {
                    theme: theme.to_owned(),
                    from: member.from,
                });
                choice.members.push((candidate, reason));
                continue;
            };
            let why = OutReason::Unpriced { lacks };
            self.may_leave_out(&candidate, &why)?;
            choice.log.push(Logged::LeftOut { asset: candidate.asset.clone(), why: why.clone() });
            choice.out.push(self.out(&candidate, why));
        }
        if choice.members.is_empty() {
            return Err(IndexError::TooFewMembers { date: self.effective, found: 0, wanted: 1 });
        }
        Ok(())
    }

    fn lack(&self, candidate: &Candidate) -> Option<Lack> {
        match self.version.prices {
            PriceSource::Daily => self.prices.lack(&candidate.asset, self.announced, self.version),
            PriceSource::Snapshots => (candidate.listing.price <= Price::ZERO).then_some(Lack::Digits),
        }
    }

    fn may_leave_out(&self, candidate: &Candidate, why: &OutReason) -> Result<(), IndexError> {
        match self.version.unpriced {
            Unpriced::NextRank | Unpriced::LeaveOut => Ok(()),
            Unpriced::Refuse => Err(IndexError::MemberUnpriced {
                asset: candidate.asset.clone(),
                date: self.effective,
                why: format!("has {why}"),
            }),
        }
    }

    fn out(&self, candidate: &Candidate, reason: OutReason) -> Out {
        Out {
            asset: candidate.asset.clone(),
            rank: (candidate.rank > 0).then_some(candidate.rank),
            market_cap: candidate.market_cap,
            was_member: self.held.contains_key(&candidate.asset),
            reason,
        }
    }
}

/// A choice of the largest.
struct Ranked<'a> {
    occasion: &'a Occasion<'a>,
    count: u16,
    stays_to: u32,
    enters_at: u16,
}

impl Ranked<'_> {
    fn take(&self, mut eligible: Vec<Candidate>, choice: &mut Choice) -> Result<(), IndexError> {
        eligible.sort_by_key(|candidate| (self.turn(candidate), candidate.rank));
        let mut places = usize::from(self.count);
        let mut passed_over = VecDeque::new();
        let mut passed_for_good = Vec::new();
        for candidate in eligible {
            if places == 0 {
                choice.out.push(self.occasion.out(&candidate, self.too_late(&candidate)));
                continue;
            }
            let Some(lacks) = self.occasion.lack(&candidate) else {
                let reason = self.reason(&candidate, &mut passed_over, choice);
                choice.members.push((candidate, reason));
                places -= 1;
                continue;
            };
            let why = OutReason::Unpriced { lacks: lacks.clone() };
            self.occasion.may_leave_out(&candidate, &why)?;
            choice.out.push(self.occasion.out(&candidate, why.clone()));
            if self.occasion.version.unpriced == Unpriced::LeaveOut {
                places -= 1;
                passed_for_good.push(Logged::LeftOut { asset: candidate.asset, why });
            } else {
                passed_over.push_back((candidate, lacks));
            }
        }
        // A place that a member within the buffer had taken before needs no replacement, and is still worth a line.
        passed_for_good.extend(passed_over.into_iter().map(|(candidate, lacks)| Logged::LeftOut {
            asset: candidate.asset,
            why: OutReason::Unpriced { lacks },
        }));
        choice.log.append(&mut passed_for_good);
        if places > 0 {
            let found = usize::from(self.count) - places;
            let (date, wanted) = (self.occasion.effective, self.count);
            return Err(IndexError::TooFewMembers { date, found, wanted });
        }
        Ok(())
    }

    /// Who is taken first: a rank that enters in any case, a member within the buffer, everybody else.
    fn turn(&self, candidate: &Candidate) -> u8 {
        let is_member = self.occasion.held.contains_key(&candidate.asset);
        match candidate.rank {
            rank if rank <= u32::from(self.enters_at) => 0,
            rank if is_member && rank <= self.stays_to => 1,
            _ => 2,
        }
    }

    fn reason(
        &self,
        candidate: &Candidate,
        passed_over: &mut VecDeque<(Candidate, Lack)>,
        choice: &mut Choice,
    ) -> InReason {
        if candidate.rank <= u32::from(self.count) {
            return InReason::Ranked { count: self.count };
        }
        if self.turn(candidate) == 1 && passed_over.is_empty() {
            return InReason::KeptByBuffer { stays_to: self.stays_to };
        }
        match passed_over.pop_front() {
            None => InReason::Ranked { count: self.count },
            Some((gone, lacks)) => {
                choice.log.push(Logged::Replaced {
                    asset: gone.asset.clone(),
                    rank: gone.rank,
                    lacks,
                    by: candidate.asset.clone(),
                    by_rank: candidate.rank,
                });
                InReason::Replaces { asset: gone.asset, rank: gone.rank }
            }
        }
    }

    fn too_late(&self, candidate: &Candidate) -> OutReason {
        if candidate.rank <= u32::from(self.count) {
            OutReason::BufferHeld { stays_to: self.stays_to }
        } else {
            OutReason::RankTooLow { count: self.count }
        }
    }
}

/// `supply × free float` on a day, at eighteen decimals, half even.
pub(super) fn free_float_supply(
    index: &Index,
    candidate: &Candidate,
    on: Date,
) -> Result<Quantity, NumberError> {
    let factor = index.asset(&candidate.asset).map_or(super::ONE, |asset| asset.free_float_at(on));
    candidate.supply.try_mul_div(factor.units(), super::ONE.units(), Rounding::HalfEven)
}
