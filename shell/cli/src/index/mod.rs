//! `strongroom index`: a basket index over the past, every change explained coin by coin.

mod page;
mod rows;
pub(crate) mod shipped;

use crate::commands::statement::{write_csv, write_text};
use crate::context::Global;
use crate::fact_sheet::percent;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use strongroom_feeds::{IndexFile, read_index_file};
use strongroom_fund::statistics::DatedSeries;
use strongroom_market::index::{
    Frequency, Index, IndexDefinitionError, IndexError, IndexRun, Logged, Market, Reconstitution,
};
use strongroom_units::time::Date;
use strongroom_units::{Price, Rate};

/// Forms a basket index over the past and explains who is in, who is out, and how much of each.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct IndexArgs {
    /// The index's .toml file
    #[arg(long, value_name = "FILE")]
    definition: PathBuf,
    /// CSV of snapshots (snapshot_date, name, symbol, caps) or of daily closes (date, symbol, close); may be given more
    /// than once, and of two files with one symbol the first counts
    #[arg(long = "market", required = true, value_name = "FILE")]
    market: Vec<PathBuf>,
    /// First day that is shown; the base date when absent
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last day
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// Write levels.csv, weights.csv, reasons.csv, divisors.csv, log.csv, index.json and index.html into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const EXAMPLE: &str = "\
Example:
  strongroom index --definition indices/large-cap.toml --market snapshots.csv --market daily.csv \\
      --from 2020-01-01 --to 2023-12-31 --out large-cap

Every day is its close, 24:00 UTC. A member without a price ends the run with the member's name.";

/// A definition, what was read for it, and what came of it.
pub(crate) struct Made {
    pub index: Index,
    pub run: IndexRun,
    /// Each file and what was taken from it.
    pub sources: Vec<(String, String)>,
}

impl IndexArgs {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let made = self.make()?;
        if let Some(folder) = &self.out {
            write(folder, &made)?;
        }
        if global.json {
            return print::json(&made.run);
        }
        say(&made.run)?;
        match &self.out {
            Some(folder) => print::line(format!("\npage {}", folder.join("index.html").display())),
            None => print::line("\n--out FOLDER writes every reason, weight and level, and a page."),
        }
        Ok(())
    }

    fn make(&self) -> Result<Made, Failure> {
        let text = std::fs::read_to_string(&self.definition)
            .map_err(|error| Failure::file(&self.definition, &error))?;
        let index = Index::parse(&text).map_err(|error| unsound(&self.definition, &error))?;
        let (market, sources) = read_market(&index, &self.market)?;
        let run = index.run(&market, self.from.unwrap_or(index.base_date), self.to)?;
        Ok(Made { index, run, sources })
    }
}

/// Reads market files for an index, and gives what was taken from each.
pub(crate) fn read_market(
    index: &Index,
    files: &[PathBuf],
) -> Result<(Market, Vec<(String, String)>), Failure> {
    let wanted: BTreeSet<&str> = index.price_symbols().collect();
    let mut market = Market::default();
    let mut sources = Vec::new();
    for file in files {
        let taken = read_index_file(file, &wanted, &mut market)?;
        sources.push((name_of(file), describe(&taken)));
    }
    Ok((market, sources))
}

fn unsound(path: &Path, error: &IndexDefinitionError) -> Failure {
    let failure = Failure::new(error.code(), format!("{}: {error}", path.display()), Exit::Input);
    failure.hint("indices/large-cap.toml shows the fields; docs/guide/indices.md explains them.")
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        let hint = match &error {
            IndexError::PriceMissing { .. } => {
                "Nothing is carried beyond the definition's stale_days_max. Add a market file that has the price, or \
                 record what happened to the asset as an event in the definition."
            }
            IndexError::SnapshotMissing { .. } => {
                "Add a market file with that snapshot, or allow an older one with snapshot_age_days_max."
            }
            IndexError::PeriodEmpty { .. } => "Give a period that begins on the base date or after it.",
            _ => "No level is published in its place. The definition and the market files have to agree.",
        };
        Self::new(error.code(), error.to_string(), Exit::Refused).hint(hint)
    }
}

fn describe(taken: &IndexFile) -> String {
    let list = |symbols: &[String]| if symbols.is_empty() { "none".to_owned() } else { symbols.join(" ") };
    match taken {
        IndexFile::Snapshots { count, rows } => format!("{count} snapshots, {rows} rows"),
        IndexFile::Closes { taken, passed_over } if passed_over.is_empty() => {
            format!("daily closes of {}", list(taken))
        }
        IndexFile::Closes { taken, passed_over } => {
            format!("daily closes of {}; an earlier file already had {}", list(taken), list(passed_over))
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn write(folder: &Path, made: &Made) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    write_csv(&folder.join("levels.csv"), &rows::levels(&made.run))?;
    write_csv(&folder.join("weights.csv"), &rows::weights(&made.run))?;
    write_csv(&folder.join("reasons.csv"), &rows::reasons(&made.run))?;
    write_csv(&folder.join("divisors.csv"), &made.run.divisor_changes)?;
    if made.run.log.is_empty() {
        write_text(&folder.join("log.csv"), "date,what\n")?;
    } else {
        write_csv(&folder.join("log.csv"), &rows::log(&made.run))?;
    }
    write_text(&folder.join("index.json"), &(print::to_json(&made.run)? + "\n"))?;
    write_text(&folder.join("index.html"), &page::page(made)?)
}

fn say(run: &IndexRun) -> Result<(), Failure> {
    print::line(format!("{} ({}), {} to {}", run.name, run.id, run.from, run.to));
    let mut rows = vec![("levels", levels_are(run))];
    if let (Some(first), Some(last)) = (run.levels.first(), run.levels.last()) {
        rows.push(("first", format!("{} on {}", points(first.published)?, first.date)));
        rows.push(("last", format!("{} on {}", points(last.published)?, last.date)));
    }
    rows.push(("return", percent(figures(run)?.total_return().ok())));
    rows.push(("formed", format!("{} times", formed(run).count())));
    rows.push(("replacements", replacements(run).to_string()));
    print::line(print::pairs(rows));
    print::line("");
    let columns = [
        ("formed", Align::Left),
        ("members by weight, %", Align::Left),
        ("in", Align::Left),
        ("out", Align::Left),
    ];
    let mut before: Option<&Reconstitution> = None;
    let mut table = Vec::new();
    for change in formed(run) {
        let (came, went) = before.map_or_else(Default::default, |before| moves(before, change));
        let members = change.members.iter().map(|m| Ok(format!("{} {}", m.asset, share(m.weight)?)));
        let members = members.collect::<Result<Vec<_>, Failure>>()?.join("  ");
        table.push(vec![change.date.to_string(), members, came.join(" "), went.join(" ")]);
        before = Some(change);
    }
    print::line(print::table(&columns, table));
    if !run.log.is_empty() {
        print::line("\nLog");
        print::line(print::table(
            &[("date", Align::Left), ("", Align::Left)],
            run.log.iter().map(|(date, logged)| vec![date.to_string(), logged.to_string()]),
        ));
    }
    Ok(())
}

/// The changes in which members were chosen.
pub(crate) fn formed(run: &IndexRun) -> impl Iterator<Item = &Reconstitution> {
    run.reconstitutions.iter().filter(|change| change.kind.chooses())
}

pub(crate) fn replacements(run: &IndexRun) -> usize {
    run.log.iter().filter(|(_, logged)| matches!(logged, Logged::Replaced { .. })).count()
}

/// Who came and who went between two changes.
pub(crate) fn moves(before: &Reconstitution, after: &Reconstitution) -> (Vec<String>, Vec<String>) {
    let names = |change: &Reconstitution| -> BTreeSet<String> {
        change.members.iter().map(|member| member.asset.to_string()).collect()
    };
    let (old, new) = (names(before), names(after));
    (new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect())
}

pub(crate) fn levels_are(run: &IndexRun) -> String {
    match run.levels_are {
        Frequency::Daily => format!("{}, one for each day", run.levels.len()),
        Frequency::SnapshotsOnly => {
            format!("{}, one for each snapshot and none between: there are no daily prices", run.levels.len())
        }
    }
}

/// Levels as a series, for statistics only.
pub(crate) fn figures(run: &IndexRun) -> Result<DatedSeries, Failure> {
    let points = run.levels.iter().map(|level| (level.date, level.level.to_decimal().to_f64())).collect();
    Ok(DatedSeries::try_new(points)?)
}

/// A level for people.
pub(crate) fn points(level: Price) -> Result<String, Failure> {
    Ok(level.to_decimal().to_display(2)?)
}

/// A weight in per cent for people.
pub(crate) fn share(weight: Rate) -> Result<String, Failure> {
    let percent = weight.try_mul_div(100, 1, strongroom_units::Rounding::Down)?;
    Ok(percent.to_decimal().to_display(2)?)
}
