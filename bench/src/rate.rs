//! The reference rate of millions of trades, from memory and from Parquet, beside what Python peers took for the same
//! file (`bench/rate_peers.sh` runs both).

use crate::report::{Report, Table};
use crate::statistics::median;
use crate::{Failure, Plan};
use parquet::column::reader::{ColumnReader, get_typed_column_reader};
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::Instant;
use strongroom_market::rate::{Grid, GridShape, Methodology, RateEvidence, Ticks, Window};

const CF: &str = include_str!("../../methodologies/cf-brr.toml");
const HOUR_US: i64 = 3_600_000_000;
const VENUES: [&str; 5] = ["0", "1", "2", "3", "4"];
const INTERVALS: usize = 12;
const THREADS: usize = 2;
/// Rows read of a column at once.
const BATCH: usize = 1 << 16;

/// The trades of the file: microseconds of the hour, cents, satoshi, venue.
#[derive(Default)]
struct Columns {
    at: Vec<i64>,
    price: Vec<i64>,
    size: Vec<i64>,
    venue: Vec<u8>,
}

/// Measures both ways and sets them beside the peers' figures, when there are any.
pub fn measure(
    plan: &Plan,
    parquet: &Path,
    peers: Option<&Path>,
    report: &mut Report,
) -> Result<(), Failure> {
    let columns = read_all(parquet)?;
    let memory = timed(plan, || from_memory(&columns))?;
    let file = timed(plan, || from_parquet(parquet))?;
    let rate = from_memory(&columns)?;
    if from_parquet(parquet)?.rate != rate.rate {
        return Err("the two ways give different rates".into());
    }
    let kept: u64 = rate.partitions.iter().filter_map(|part| part.trades).sum();
    let title = format!(
        "Reference rate of {} trades, {kept} counted, {} exclusions; medians of {}",
        columns.at.len(),
        rate.excluded.len(),
        plan.rounds
    );
    let mut table = Table::new(title, &["how", "ms", "times ours", "least ms", "times ours", "rate"]);
    let row = |name: &str, took: Took, ours: Took, rate: String| {
        let ms = |seconds: f64| format!("{:.1}", 1_000.0 * seconds);
        let times = |theirs: f64, ours: f64| format!("{:.2}", theirs / ours);
        [
            name.to_owned(),
            ms(took.median),
            times(took.median, ours.median),
            ms(took.least),
            times(took.least, ours.least),
            rate,
        ]
    };
    table.row(row("ours, from memory", memory, memory, rate.rate.to_string()));
    table.row(row("ours, from Parquet", file, file, rate.rate.to_string()));
    for (name, took, cents) in peers.map(figures).transpose()?.unwrap_or_default() {
        let ours = if name.ends_with("parquet") { file } else { memory };
        table.row(row(&name, took, ours, format!("{:.6}", cents / 100.0)));
    }
    report.add(table);
    Ok(())
}

/// Seconds: the median and, on a machine that does other work as well, the least.
#[derive(Clone, Copy)]
struct Took {
    median: f64,
    least: f64,
}

/// Name, seconds and rate in cents of each peer.
fn figures(peers: &Path) -> Result<Vec<(String, Took, f64)>, Failure> {
    let peers: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(peers)?)?;
    let of = |value: &serde_json::Value, name: &str| value.get(name).and_then(serde_json::Value::as_f64);
    let peers = peers.as_object().into_iter().flatten();
    let found = peers.filter_map(|(name, value)| {
        let took = Took { median: of(value, "median_s")?, least: of(value, "min_s")? };
        Some((name.clone(), took, of(value, "rate_cents")?))
    });
    Ok(found.collect())
}

fn timed(plan: &Plan, work: impl Fn() -> Result<RateEvidence, Failure>) -> Result<Took, Failure> {
    let mut times = Vec::new();
    for _ in 0..plan.rounds {
        let start = Instant::now();
        std::hint::black_box(work()?);
        times.push(start.elapsed().as_secs_f64());
    }
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(Took { median: median(&times), least })
}

const SHAPE: GridShape =
    GridShape { start: 0, interval: HOUR_US / INTERVALS as i64, intervals: INTERVALS, venues: VENUES.len() };

/// Every trade is in memory: two threads count half of them each, then one rate is made.
fn from_memory(columns: &Columns) -> Result<RateEvidence, Failure> {
    let half = columns.at.len().div_ceil(THREADS);
    let parts: Vec<Ticks<'_>> = (0..THREADS).map(|part| columns.part(part * half, half)).collect();
    let grids = in_threads(&parts, counted)?;
    rate(grids.into_iter().collect::<Result<Vec<_>, _>>()?)
}

/// Does the same with each part, in a thread of its own.
fn in_threads<'a, T: Send>(
    parts: &[Ticks<'a>],
    work: impl Fn(&Ticks<'a>) -> T + Sync,
) -> Result<Vec<T>, Failure> {
    let work = &work;
    thread::scope(|scope| {
        let each: Vec<_> = parts.iter().map(|part| scope.spawn(move || work(part))).collect();
        each.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".into())).collect()
    })
}

/// Two threads read every other row group each.
fn from_parquet(path: &Path) -> Result<RateEvidence, Failure> {
    let grids = thread::scope(|scope| {
        let each: Vec<_> = (0..THREADS)
            .map(|part| scope.spawn(move || read_part(path, part).map_err(|error| error.to_string())))
            .collect();
        each.into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread panicked"))
            .collect::<Result<Vec<_>, _>>()
    })?;
    rate(grids.into_iter().collect::<Result<Vec<_>, _>>()?)
}

fn counted(ticks: &Ticks<'_>) -> Result<Grid, strongroom_units::NumberError> {
    let mut grid = Grid::try_new(SHAPE)?;
    grid.count(ticks)?;
    Ok(grid)
}

fn rate(grids: Vec<Grid>) -> Result<RateEvidence, Failure> {
    let mut grids = grids.into_iter();
    let mut sum = grids.next().ok_or("no grid")?;
    for grid in grids {
        sum.merge(&grid)?;
    }
    let methodology = Methodology::parse(CF)?;
    let at = "2024-08-08T20:00:00Z".parse()?;
    let mut window = Window::try_new(&methodology, &"BTC-USD".parse()?, at)?;
    window.add_grid(&sum, &VENUES, (2, 8))?;
    Ok(window.rate()?)
}

impl Columns {
    fn part(&self, from: usize, count: usize) -> Ticks<'_> {
        Ticks {
            at: slice(&self.at, from, count),
            price: slice(&self.price, from, count),
            size: slice(&self.size, from, count),
            venue: slice(&self.venue, from, count),
        }
    }
}

fn slice<T>(values: &[T], from: usize, count: usize) -> &[T] {
    let to = values.len().min(from.saturating_add(count));
    values.get(from..to).unwrap_or(&[])
}

fn read_part(path: &Path, part: usize) -> Result<Grid, Failure> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let mut grid = Grid::try_new(SHAPE)?;
    for index in (part..reader.num_row_groups()).step_by(THREADS) {
        let columns = read_group(&reader, index)?;
        grid.count(&columns.part(0, columns.at.len()))?;
    }
    Ok(grid)
}

fn read_all(path: &Path) -> Result<Columns, Failure> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let mut all = Columns::default();
    for index in 0..reader.num_row_groups() {
        let group = read_group(&reader, index)?;
        all.at.extend(group.at);
        all.price.extend(group.price);
        all.size.extend(group.size);
        all.venue.extend(group.venue);
    }
    Ok(all)
}

fn read_group(reader: &SerializedFileReader<File>, index: usize) -> Result<Columns, Failure> {
    let group = reader.get_row_group(index)?;
    let names: Vec<String> =
        group.metadata().columns().iter().map(|column| column.column_path().string()).collect();
    let open = |name: &str| -> Result<ColumnReader, Failure> {
        let position = names.iter().position(|known| known == name).ok_or("a column is missing")?;
        Ok(group.get_column_reader(position)?)
    };
    let venue: Vec<i32> = read_column::<Int32Type>(open("ex")?)?;
    Ok(Columns {
        at: read_column::<Int64Type>(open("ts")?)?,
        price: read_column::<Int64Type>(open("px")?)?,
        size: read_column::<Int64Type>(open("sz")?)?,
        venue: venue.into_iter().map(|venue| u8::try_from(venue).unwrap_or(u8::MAX)).collect(),
    })
}

fn read_column<T: DataType>(column: ColumnReader) -> Result<Vec<T::T>, Failure> {
    let mut typed = get_typed_column_reader::<T>(column);
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    loop {
        levels.clear();
        let (rows, found, _) = typed.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if rows != found {
            return Err("a column has nulls".into());
        }
        if rows == 0 {
            return Ok(values);
        }
    }
}
