//! What a person sees when something was not done: what, why, what to do next, and an exit code that means something.

use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use strongroom_backtest::{BasketError, RunError};
use strongroom_desk::DeskError;
use strongroom_engine::Refusal;
use strongroom_feeds::FeedError;
use strongroom_fund::statistics::StatisticsError;
use strongroom_store::StoreError;
use strongroom_units::NumberError;

/// A command that was not done. Nothing was changed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    /// The stable code.
    pub code: Cow<'static, str>,
    /// What is wrong.
    pub message: String,
    /// What to do next, where the message does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(skip)]
    pub exit: Exit,
}

/// Exit codes. 0 is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// A rule of the fund refused, or a check did not hold.
    Refused = 1,
    /// The command line is wrong.
    CommandLine = 2,
    /// An input file is missing or wrong.
    Input = 3,
    /// The database failed, or another process holds it.
    Database = 4,
}

impl Failure {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>, exit: Exit) -> Self {
        Self { code: code.into(), message: message.into(), hint: None, exit }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, error: &dyn fmt::Display) -> Self {
        Self::new("file.must_be_accessible", format!("{}: {error}", path.display()), Exit::Input)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.exit {
            Exit::Refused => "refused",
            Exit::CommandLine | Exit::Input | Exit::Database => "not done",
        };
        write!(f, "{kind} [{}]: {}", self.code, self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  {hint}"))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code(), refusal.to_string(), Exit::Refused)
    }
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        let exit = if matches!(error, DeskError::Refused(_)) { Exit::Refused } else { Exit::Database };
        let mut failure = Self::new(error.code(), error.to_string(), exit);
        failure.hint = error.hint().map(str::to_owned);
        failure
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        DeskError::from(error).into()
    }
}

impl From<FeedError> for Failure {
    fn from(error: FeedError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Input)
    }
}

impl From<NumberError> for Failure {
    fn from(error: NumberError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Refused)
    }
}

impl From<StatisticsError> for Failure {
    fn from(error: StatisticsError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Refused)
    }
}

impl From<BasketError> for Failure {
    fn from(error: BasketError) -> Self {
        Self::new(error.code(), error.to_string(), Exit::Input)
    }
}

impl From<RunError<Refusal>> for Failure {
    fn from(error: RunError<Refusal>) -> Self {
        of_run(error, Refusal::code)
    }
}

impl From<RunError<DeskError>> for Failure {
    fn from(error: RunError<DeskError>) -> Self {
        of_run(error, DeskError::code)
    }
}

/// What stopped a run: a command keeps the exit code and the hint of its own error, and says when it was given.
fn of_run<E: std::error::Error + Into<Failure>>(
    error: RunError<E>,
    code: impl Fn(&E) -> &'static str,
) -> Failure {
    let (code, message) = (error.code(code), error.to_string());
    match error {
        RunError::Command { source, .. } => Failure { message, ..source.into() },
        RunError::PriceMissing { .. } => Failure::new(code, message, Exit::Input).hint(
            "Give prices from the seed date on, for every day. A price at the strike lies between two closes and needs \
             the one of the day before as well; `--price-at close` does not.",
        ),
        RunError::FlowOnNoSession { .. } => Failure::new(code, message, Exit::Input)
            .hint("Correct the file: every flow is dated by a session of the fund's calendar."),
        _ => Failure::new(code, message, Exit::Refused),
    }
}
