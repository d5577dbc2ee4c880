//! What a basket fund's definition has beside that of any fund: several assets, and the index that they follow.

use super::parse::Checker;
use super::raw::{RawFund, RawIndex};
use super::{Dated, DefinitionError, FundKind, IndexReference};
use std::collections::BTreeSet;
use strongroom_units::time::Date;
use strongroom_units::{Rate, Rounding, Symbol};
use toml::Spanned;

/// Assets that one fund may hold.
const ASSETS_MAX: usize = 100;
/// Basis points in one.
const BPS: i128 = 10_000;
/// Largest cost, in basis points: a tenth of what is traded.
const COST_BPS_MAX: i128 = 1_000;

impl Checker<'_> {
    pub(super) fn as_many_as_its_kind(&self, kind: FundKind, raw: &RawFund) -> Result<(), DefinitionError> {
        let (span, count) = (raw.asset.span(), raw.asset.get_ref().len());
        match kind {
            FundKind::SingleAsset | FundKind::Derivatives if count != 1 => self.refuse(
                span,
                "definition.single_asset_fund_must_list_one_asset",
                format!("a fund of one asset lists {count} assets"),
                "Write one [[asset]]",
            ),
            FundKind::Basket if !(2..=ASSETS_MAX).contains(&count) => self.refuse(
                span,
                "definition.basket_fund_must_list_2_to_100_assets",
                format!("a basket fund lists {count} assets"),
                "Write one [[asset]] for each coin that the fund may hold",
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn index(
        &self,
        kind: FundKind,
        raw: &RawFund,
        seed: Date,
    ) -> Result<Option<IndexReference>, DefinitionError> {
        match (kind, &raw.index) {
            (FundKind::SingleAsset | FundKind::Derivatives, None) => Ok(None),
            (FundKind::SingleAsset | FundKind::Derivatives, Some(index)) => self.refuse(
                index.span(),
                "definition.index_must_go_with_a_basket",
                "a fund of one asset follows no index",
                "Remove [index], or write type = \"basket\"",
            ),
            (FundKind::Basket, None) => self.refuse(
                raw.kind.span(),
                "definition.basket_fund_must_follow_an_index",
                "the basket fund names no index",
                "Write [index] with the id of an index definition, like definition = \"large-cap\"",
            ),
            (FundKind::Basket, Some(index)) => {
                self.money_fee(raw)?;
                self.index_reference(index, seed).map(Some)
            }
        }
    }

    /// Which assets are not delivered, by date; an empty list ends it.
    pub(super) fn cash_in_lieu(
        &self,
        kind: FundKind,
        raw: &RawFund,
    ) -> Result<Option<Dated<BTreeSet<Symbol>>>, DefinitionError> {
        let Some(first) = raw.cash_in_lieu.first() else { return Ok(None) };
        if kind != FundKind::Basket {
            return self.refuse(
                first.span(),
                "definition.cash_in_lieu_must_go_with_a_basket",
                "a fund of one asset has nothing else to deliver",
                "Remove [[cash_in_lieu]], or offer cash orders",
            );
        }
        let known = raw.asset.get_ref();
        for entry in &raw.cash_in_lieu {
            for asset in &entry.get_ref().assets {
                if !known.iter().any(|known| known.get_ref().symbol.get_ref() == asset.get_ref()) {
                    let message = format!("{} is no [[asset]] of the fund", asset.get_ref());
                    let code = "definition.cash_in_lieu_must_be_of_its_assets";
                    return self.refuse(asset.span(), code, message, "Write symbols of the fund's assets");
                }
            }
            if entry.get_ref().assets.len() >= known.len() {
                return self.refuse(
                    entry.span(),
                    "definition.cash_in_lieu_must_leave_assets",
                    "no asset is left that could be delivered",
                    "Leave at least one asset out, or offer cash orders",
                );
            }
        }
        let entries = raw.cash_in_lieu.iter().map(|entry| {
            let entry = entry.get_ref();
            (&entry.from, entry.assets.iter().map(|asset| *asset.get_ref()).collect::<BTreeSet<_>>())
        });
        self.dated_from_anywhere("cash_in_lieu", first.span(), entries).map(Some)
    }

    /// Fee in coins would leave coins payable that the fund has just sold.
    fn money_fee(&self, raw: &RawFund) -> Result<(), DefinitionError> {
        if raw.fee.accrual.is_money() {
            return Ok(());
        }
        self.refuse(
            raw.kind.span(),
            "definition.basket_fee_must_accrue_in_money",
            "the fee of a basket fund accrues in coins",
            "Write accrual = \"money\"",
        )
    }

    fn index_reference(
        &self,
        raw: &Spanned<RawIndex>,
        seed: Date,
    ) -> Result<IndexReference, DefinitionError> {
        let index = raw.get_ref();
        let definition = index.definition.get_ref();
        if definition.trim().is_empty() {
            let fix = "Write the id of an index definition, like \"large-cap\"";
            let code = "definition.index_must_be_named";
            return self.refuse(index.definition.span(), code, "the index has no name", fix);
        }
        let mut costs = Vec::new();
        for entry in index.cost.get_ref() {
            costs.push((&entry.get_ref().from, self.cost(&entry.get_ref().bps)?));
        }
        let cost = self.dated("index.cost", index.cost.span(), seed, costs.into_iter())?;
        let sells_gifts = matches!(index.gifts, super::raw::Gifts::Sell);
        Ok(IndexReference { definition: definition.clone(), sells_gifts, cost })
    }

    /// Basis points as a fraction.
    fn cost(&self, bps: &Spanned<super::raw::Exact<Rate>>) -> Result<Rate, DefinitionError> {
        let given = bps.get_ref().0;
        let most = Rate::from_units(COST_BPS_MAX * 10i128.pow(u32::from(Rate::SCALE)));
        let refused = || format!("a cost of {given} basis points is outside 0 to {COST_BPS_MAX}");
        match given.try_mul_div(1, BPS, Rounding::HalfEven) {
            Ok(cost) if !given.is_negative() && given <= most => Ok(cost),
            _ => {
                let fix = "Write basis points of what is bought and sold, like \"10\"";
                self.refuse(bps.span(), "definition.cost_must_be_0_to_1000_bps", refused(), fix)
            }
        }
    }
}
