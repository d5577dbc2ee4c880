//! `strongroom basket`: the portfolio composition file of the next session.

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print;
use clap::{Args, ValueEnum};
use strongroom_engine::{BasketError, composition};
use strongroom_fund::composition::CompositionError;
use strongroom_units::Rounding;

/// Prints the portfolio composition file as of the last NAV.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom basket --format fixed-width > BTCX.pcf")]
pub(crate) struct Basket {
    /// Which form; --json is the same as --format json
    #[arg(long, value_enum, default_value_t = Form::Csv)]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Json,
    Csv,
    /// NSCC-like records: 01 the fund, 02 its components; 03 has the exact coin quantity and 04 the fund's name; money in cents
    FixedWidth,
}

impl Basket {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let form = if global.json { Form::Json } else { self.format };
        let text = global.read(|state| {
            let composition = composition(state)?;
            Ok(match form {
                Form::Json => composition.to_json()?,
                Form::Csv => composition.to_csv()?,
                Form::FixedWidth => composition.to_cents(Rounding::HalfUp)?.to_fixed_width()?,
            })
        })?;
        print::line(text.trim_end_matches('\n'));
        Ok(())
    }
}

impl From<BasketError> for Failure {
    fn from(error: BasketError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Refused)
    }
}

impl From<CompositionError> for Failure {
    fn from(error: CompositionError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Refused)
    }
}
