//! Events as records: a kind for people who read the log, and canonical JSON.

use crate::event::Event;
use thiserror::Error;

/// A record that cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The body is not an event, or not a state.
    #[error("the record is not an event of this program: {0}")]
    Body(#[from] serde_json::Error),
    /// The instant is none.
    #[error("`{0}` is not an instant")]
    Instant(String),
}

impl RecordError {
    /// The text of an instant that cannot be read.
    pub fn time(text: &str) -> Self {
        Self::Instant(text.to_owned())
    }
}

/// The event's kind and its JSON. Equal events have equal bytes.
pub fn encode(event: &Event) -> Result<(&'static str, String), RecordError> {
    Ok((kind(event), serde_json::to_string(event)?))
}

/// Reads what [`encode`] wrote.
pub fn decode(body: &str) -> Result<Event, RecordError> {
    Ok(serde_json::from_str(body)?)
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::FundOpened { .. } => "fund-opened",
        Event::PricesRecorded { .. } => "prices-recorded",
        Event::RateRecorded { .. } => "rate-recorded",
        Event::FallbackDecided { .. } => "fallback-decided",
        Event::PriceCorrected { .. } => "price-corrected",
        Event::OrderAccepted { .. } => "order-accepted",
        Event::LateOrderRecorded { .. } => "late-order-recorded",
        Event::OrderCancelled { .. } => "order-cancelled",
        Event::NavStruck { .. } => "nav-struck",
        Event::OrderExecuted { .. } => "order-executed",
        Event::OrderSettled { .. } => "order-settled",
        Event::FeeAccrued { .. } => "fee-accrued",
        Event::Paid { .. } => "paid",
        Event::ExpenseRecorded { .. } => "expense-recorded",
        Event::Rebalanced { .. } => "rebalanced",
        Event::AssetMigrated { .. } => "asset-migrated",
        Event::AssetWrittenOff { .. } => "asset-written-off",
        Event::GiftRecorded { .. } => "gift-recorded",
        Event::Exposure(event) => event.kind(),
        Event::CustodyTransferred { .. } => "custody-transferred",
        Event::FundHalted { .. } => "fund-halted",
        Event::FundResumed { .. } => "fund-resumed",
        Event::Distribution(event) => event.kind(),
        Event::Staking(event) => event.kind(),
        Event::Life(event) => event.kind(),
    }
}
