//! The one place where a fund's rules meet: Command → decide → Events → apply.
//!
//! `decide` reads the state and may refuse; `apply` writes and never refuses. Both are pure: time comes in as an
//! argument, and the same code runs a live day, a backtest of ten years and a simulated market. One log stream
//! per fund; replaying a stream gives the state.

mod apply;
mod apply_life;
mod basket;
mod command;
mod decide;
mod distribution;
mod event;
mod exposure;
mod fund;
mod ledger;
mod life;
mod life_refusal;
mod life_view;
mod order;
mod posting;
mod posting_life;
mod record;
mod refusal;
mod reserve;
mod staking;
mod state;
pub mod statement;
mod statement_life;

pub use basket::{BasketError, composition};
pub use command::{AssetChange, Change, Command, HaltScope, Liability, NewOrder, PriceRow, Rebalance};
pub use decide::Trades;
pub use distribution::{
    Distribution, DistributionCommand, DistributionEvent, DistributionSource, Holder, HolderPart,
    NewDistribution, Register, RegisterPart, Stage,
};
pub use event::{
    AssetNav, Converted, Event, NavFigures, NavInputs, NavRecord, OrderDealt, PriceBasis, PriceFlag, Promise,
    RecordedPrice, Restatement, Sale, SaleLine,
};
pub use exposure::{ExposureCommand, ExposureEvent, Forced, FundingRow, Position, PositionNav};
pub use fund::{Applied, Fund, Handled, Outcome, ReplayError};
pub use ledger::{Account, Journal, Ledger};
pub use life::{End, HaltCause, LifeCommand, LifeEvent, Split, Suspension};
pub use life_refusal::LifeRefusal;
pub use order::{Order, OrderId, OrderSide, OrderState};
pub use posting::postings;
pub use record::{RecordError, decode, encode};
pub use refusal::{ExposureRefusal, Refusal};
pub use reserve::{ReserveBreach, ReserveSheet};
pub use staking::{RewardSource, StakingCommand, StakingEvent, StakingState};
pub use state::{FundState, FundStatus, KnownChange, PriceRecord};
