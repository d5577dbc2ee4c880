//! The register of holders of record, recorded in parts: each is durable when it is answered, a part given again is a repeat, and
//! the whole has to sum to the shares at record.

use super::distributions::{ex, payout};
use super::{Decision, done};
use crate::distribution::{Distribution, DistributionEvent, Holder, HolderPart, PartMark, RegisterPart};
use crate::event::Event;
use crate::fund::Outcome;
use crate::life_refusal::LifeRefusal;
use crate::refusal::Refusal;
use crate::state::FundState;
use strongroom_fund::distribution::Tally;
use strongroom_units::Shares;

/// Holders in one part.
pub(super) const HOLDERS_MAX: usize = 10_000;

pub(super) fn import(state: &FundState, part: &RegisterPart) -> Decision {
    let known = ex(state, &part.id)?;
    let recorded = known.register.parts.len();
    let place = usize::try_from(part.part).unwrap_or(usize::MAX);
    if let Some(mark) = place.checked_sub(1).and_then(|index| known.register.parts.get(index)) {
        let same = *mark == PartMark::of(part.holders.iter());
        return match same {
            true => Ok((Vec::new(), Outcome::AlreadyDone)),
            false => Err(LifeRefusal::RegisterMustNotChange(part.part).into()),
        };
    }
    if place != recorded + 1 || known.register.is_whole {
        let next = u32::try_from(recorded + 1).unwrap_or(u32::MAX);
        return Err(LifeRefusal::RegisterPartsMustFollowEachOther { next, given: part.part }.into());
    }
    if part.holders.is_empty() || part.holders.len() > HOLDERS_MAX {
        return Err(LifeRefusal::RegisterPartMustBeBounded(part.holders.len()).into());
    }
    ascend(&known.register.last, &part.holders)?;
    let event = read(state, known, part)?;
    done(vec![Event::Distribution(event)])
}

/// Holders ascend from the last of the part before on, so that none is named twice.
pub(super) fn ascend(last: &str, holders: &[Holder]) -> Result<(), Refusal> {
    let mut before = last;
    for line in holders {
        let name = line.holder.as_str();
        let printable = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
        if name.is_empty() || !printable || line.shares <= Shares::ZERO {
            return Err(LifeRefusal::RegisterHolderMustHoldShares(name.chars().take(64).collect()).into());
        }
        if name <= before {
            return Err(LifeRefusal::RegisterHoldersMustAscend(name.to_owned()).into());
        }
        before = name;
    }
    Ok(())
}

fn read(state: &FundState, known: &Distribution, part: &RegisterPart) -> Result<DistributionEvent, Refusal> {
    let per_share = known.terms.per_share.try_sub(known.paid_per_share)?;
    let mut tally = Tally::new(payout(state, known.terms.asset, per_share)?);
    let mut holders = Vec::with_capacity(part.holders.len());
    for holder in &part.holders {
        holders.push(HolderPart { holder: holder.clone(), part: tally.add(holder.shares)? });
    }
    let given = known.register.shares.try_add(tally.shares())?;
    let wanted = known.shares;
    if given > wanted || (part.is_last && given != wanted) {
        return Err(LifeRefusal::RegisterMustSumToSharesOutstanding { given, wanted }.into());
    }
    Ok(DistributionEvent::RegisterRecorded {
        id: part.id.clone(),
        part: part.part,
        is_last: part.is_last,
        shares: tally.shares(),
        amount: tally.parts(),
        holders,
    })
}
