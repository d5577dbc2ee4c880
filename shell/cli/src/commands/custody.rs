//! `strongroom custody`: moving coins between the fund's own balances.

use super::prices::only_asset;
use crate::context::Global;
use crate::failure::Failure;
use clap::{Subcommand, ValueEnum};
use strongroom_engine::{Command, Refusal};
use strongroom_fund::definition::CustodyKind;
use strongroom_units::{Decimal, Quantity, Symbol};

#[derive(Debug, Subcommand)]
pub(crate) enum CustodyVerb {
    /// Move coins; lots and holding periods stay as they are
    #[command(
        after_help = "Example:\n  strongroom custody transfer --from vault --to trading --quantity 113.3"
    )]
    Transfer {
        /// Which asset; the fund's only one when absent
        #[arg(long)]
        asset: Option<Symbol>,
        /// From this balance
        #[arg(long, value_enum)]
        from: Balance,
        /// To this one
        #[arg(long, value_enum)]
        to: Balance,
        /// How many coins
        #[arg(long)]
        quantity: Decimal,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Balance {
    /// Cold storage
    Vault,
    /// With the prime execution agent
    Trading,
}

impl From<Balance> for CustodyKind {
    fn from(balance: Balance) -> Self {
        match balance {
            Balance::Vault => Self::Vault,
            Balance::Trading => Self::Trading,
        }
    }
}

impl CustodyVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Transfer { asset, from, to, quantity } = self;
        let (asset, quantity) = global.read(|state| {
            let asset = only_asset(state, asset)?;
            let known = state.definition().asset(asset).ok_or(Refusal::AssetMustBeInDefinition(asset))?;
            Ok((asset, Quantity::try_from_decimal(quantity, known.scale)?))
        })?;
        let command = Command::TransferCustody { asset, from: from.into(), to: to.into(), quantity };
        global.give_and_say(command, |_, _| Ok(format!("{quantity} {asset} moved")))
    }
}
