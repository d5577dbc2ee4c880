//! What a statement says of a fund's life in its period: distributions, splits, changes, times without orders.

use crate::distribution::{Distribution, Stage};
use crate::life::End;
use crate::state::FundState;
use serde::Serialize;
use strongroom_units::time::Date;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LifeRow {
    /// The day from which it holds.
    pub date: Date,
    /// What it is, in a word.
    pub kind: &'static str,
    /// What happened, in words.
    pub what: String,
}

pub(crate) fn life_rows(state: &FundState, from: Date, through: Date) -> Vec<LifeRow> {
    let zone = state.definition().strike.zone;
    let mut rows: Vec<LifeRow> =
        state.distributions().filter(|one| one.stage != Stage::Cancelled).map(said).collect();
    rows.extend(state.splits().iter().map(|split| LifeRow {
        date: split.date,
        kind: "split",
        what: format!("{} shares for {}", split.new, split.old),
    }));
    rows.extend(state.parts.life.custodians.iter().map(|(date, account, custodian)| {
        let balance = crate::posting::balance(*account).as_str();
        LifeRow { date: *date, kind: "custodian", what: format!("{custodian} keeps the {balance} balance") }
    }));
    rows.extend(state.parts.life.benchmarks.iter().map(|(date, id, name)| LifeRow {
        date: *date,
        kind: "benchmark",
        what: format!("{id}, {name}"),
    }));
    rows.extend(state.suspensions().iter().map(|one| LifeRow {
        date: zone.date_of(one.from),
        kind: "suspension",
        what: match one.until {
            Some(until) => format!("{}, from {} to {until}", one.reason, one.from),
            None => format!("{}, from {} on", one.reason, one.from),
        },
    }));
    if let Some(End::Liquidated { on }) = state.end() {
        rows.push(LifeRow { date: *on, kind: "end", what: "everything was sold".to_owned() });
    }
    rows.retain(|row| from <= row.date && row.date <= through);
    rows.sort_by_key(|row| row.date);
    rows
}

fn said(one: &Distribution) -> LifeRow {
    let unit = one.terms.asset.map_or_else(|| "money".to_owned(), |asset| asset.to_string());
    let total = one.total.map_or_else(|| "not yet ex".to_owned(), |total| format!("{total} in all"));
    let what = format!(
        "{}: {} a share in {unit}, {total}, {}, paid on {}",
        one.terms.id,
        one.terms.per_share,
        one.stage.as_str(),
        one.terms.pay_date
    );
    LifeRow { date: one.terms.record_date, kind: "distribution", what }
}
