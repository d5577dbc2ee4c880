//! The trades of one venue in one interval, reduced to what every statistic needs: volume at each price.

use super::dense::Dense;
use super::methodology::{Statistic, Tie};
use std::borrow::Cow;
use strongroom_units::{NumberError, Price, Rounding};

/// A price and the volume traded at it, in 10^-18 of the base asset.
pub(super) type Level = (Price, u128);

/// Volume at each price, exactly. Trades of one window, however many, come to what does not depend on the order in
/// which they came; memory is that of the distinct prices, and of at most as many trades not yet folded in.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// INVARIANT: the first `folded` are ascending by price, each price once, each volume above zero.
    levels: Vec<Level>,
    folded: usize,
    /// Trades that were counted into a grid; there are then no levels.
    dense: Option<Dense>,
    last: Option<(i64, Vec<Level>)>,
    trades: u64,
    counted: bool,
}

/// Trades that are taken in before they are folded, at least.
const UNFOLDED_MIN: usize = 1_024;

impl Book {
    /// Adds a trade, or a bar as one observation; `trades` is how many it stands for, none when that is not known.
    pub fn add(
        &mut self,
        price: Price,
        size: u128,
        at_ms: i64,
        trades: Option<u64>,
    ) -> Result<(), NumberError> {
        if let Some(dense) = self.dense.take() {
            self.levels = dense.to_levels();
            self.folded = self.levels.len();
        }
        self.counted = trades.is_some() && (self.counted || self.is_empty());
        self.trades = self.trades.saturating_add(trades.unwrap_or(0));
        self.levels.push((price, size));
        if self.levels.len() - self.folded > UNFOLDED_MIN.max(self.folded) {
            self.fold()?;
        }
        match &mut self.last {
            Some((last, _)) if *last > at_ms => {}
            Some((last, levels)) if *last == at_ms => levels.push((price, size)),
            _ => self.last = Some((at_ms, vec![(price, size)])),
        }
        Ok(())
    }

    /// A book of trades that are counted already.
    pub(super) fn from_dense(dense: Dense, trades: u64) -> Self {
        let dense = Some(dense).filter(|dense| dense.levels > 0);
        Self { dense, trades, counted: true, ..Self::default() }
    }

    /// Folds what came since into ascending prices.
    pub fn fold(&mut self) -> Result<(), NumberError> {
        if self.folded < self.levels.len() {
            fold(&mut self.levels)?;
            self.folded = self.levels.len();
        }
        if let Some((_, levels)) = &mut self.last {
            fold(levels)?;
        }
        Ok(())
    }

    /// Whether there is no trade.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty() && self.dense.is_none()
    }

    /// How many trades; none when the source does not say.
    pub fn trades(&self) -> Option<u64> {
        if self.counted || self.is_empty() { Some(self.trades) } else { None }
    }

    /// Volume, in 10^-18 of the base asset.
    pub fn volume(&self) -> Result<u128, NumberError> {
        match &self.dense {
            Some(dense) => dense.total().checked_mul(dense.unit).ok_or(NumberError::Overflow),
            None => total(&self.levels),
        }
    }

    /// Distinct prices, after [`Book::fold`].
    pub fn level_count(&self) -> usize {
        self.dense.as_ref().map_or(self.levels.len(), |dense| dense.levels)
    }

    pub(super) fn dense(&self) -> Option<&Dense> {
        self.dense.as_ref()
    }

    /// Levels, whatever the book is made of.
    fn all_levels(&self) -> Cow<'_, [Level]> {
        match &self.dense {
            Some(dense) => Cow::Owned(dense.to_levels()),
            None => Cow::Borrowed(&self.levels),
        }
    }

    /// Prices and volumes of a book that was not counted into a grid; ascending and each price once after [`Book::fold`].
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// All trades of several books, folded.
    pub fn merged<'a>(books: impl Iterator<Item = &'a Self> + Clone) -> Result<Self, NumberError> {
        let filled = books.clone().filter(|book| !book.is_empty());
        if filled.clone().all(|book| book.dense.is_some())
            && let Some(dense) = Dense::merged(filled.clone().filter_map(Self::dense))
        {
            let trades = filled.fold(0u64, |sum, book| sum.saturating_add(book.trades));
            return Ok(Self::from_dense(dense, trades));
        }
        let mut sum = Self { counted: true, ..Self::default() };
        for book in books.filter(|book| !book.is_empty()) {
            sum.counted &= book.counted;
            sum.trades = sum.trades.saturating_add(book.trades);
            sum.levels.extend_from_slice(&book.all_levels());
            let Some((theirs, levels)) = &book.last else { continue };
            match &mut sum.last {
                Some((ours, _)) if *ours > *theirs => {}
                Some((ours, own)) if *ours == *theirs => own.extend_from_slice(levels),
                _ => sum.last = Some((*theirs, levels.clone())),
            }
        }
        sum.fold()?;
        Ok(sum)
    }

    /// The same trades at other prices: those of a book in another quote.
    pub fn repriced(&self, by: impl Fn(Price) -> Result<Price, NumberError>) -> Result<Self, NumberError> {
        let priced = |levels: &[Level]| {
            levels
                .iter()
                .map(|(price, size)| Ok((by(*price)?, *size)))
                .collect::<Result<Vec<_>, NumberError>>()
        };
        let last = self
            .last
            .as_ref()
            .map(|(at, levels)| Ok::<_, NumberError>((*at, priced(levels)?)))
            .transpose()?;
        let levels = priced(&self.all_levels())?;
        let mut book =
            Self { levels, folded: 0, dense: None, last, trades: self.trades, counted: self.counted };
        book.fold()?;
        Ok(book)
    }

    /// The price of the interval; none without trades. The book has to be folded.
    pub fn price(&self, statistic: Statistic, tie: Tie) -> Result<Option<Price>, NumberError> {
        match statistic {
            Statistic::CumulativeVolumeWeightedMedian => match &self.dense {
                Some(dense) => {
                    let cells = dense.counted().map(|(at, volume)| (dense.price(at), u128::from(volume)));
                    median(cells, dense.total(), tie)
                }
                None => median(self.levels.iter().copied(), total(&self.levels)?, tie),
            },
            Statistic::VolumeWeightedAverage => average(&self.all_levels()),
            Statistic::Last => self
                .last
                .as_ref()
                .map_or(Ok(None), |(_, levels)| median(levels.iter().copied(), total(levels)?, tie)),
        }
    }
}

/// Sorts by price and sums the volumes of one price. A stable sort finds the runs that are ascending already, which
/// most of the levels are.
fn fold(levels: &mut Vec<Level>) -> Result<(), NumberError> {
    levels.sort_by_key(|(price, _)| *price);
    let mut overflow = false;
    levels.dedup_by(|next, kept| {
        if next.0 != kept.0 {
            return false;
        }
        match kept.1.checked_add(next.1) {
            Some(sum) => kept.1 = sum,
            None => overflow = true,
        }
        true
    });
    if overflow { Err(NumberError::Overflow) } else { Ok(()) }
}

fn total(levels: &[Level]) -> Result<u128, NumberError> {
    levels.iter().try_fold(0u128, |sum, (_, size)| sum.checked_add(*size)).ok_or(NumberError::Overflow)
}

/// Prices ascending, volumes cumulated: the first price at which twice the sum reaches the total. Volumes may be in any unit.
fn median(levels: impl Iterator<Item = Level>, total: u128, tie: Tie) -> Result<Option<Price>, NumberError> {
    let mut sum = 0u128;
    let mut at_half: Option<Price> = None;
    for (price, size) in levels.filter(|(_, size)| *size > 0) {
        if let Some(lower) = at_half {
            return Ok(Some(if tie == Tie::Upper { price } else { mean_of_two(lower, price)? }));
        }
        sum += size; // at most `total`
        let rest = total - sum;
        if sum > rest || (sum == rest && tie == Tie::Lower) {
            return Ok(Some(price));
        }
        if sum == rest {
            at_half = Some(price);
        }
    }
    Ok(at_half)
}

fn average(levels: &[Level]) -> Result<Option<Price>, NumberError> {
    let whole = |size: u128| i128::try_from(size).map_err(|_| NumberError::Overflow);
    let total = whole(total(levels)?)?;
    if total == 0 {
        return Ok(None);
    }
    let mut sum = Price::ZERO;
    // Each price's share of the whole is rounded at the eighteenth decimal; the sum is off by less than a level each.
    for (price, size) in levels {
        sum = sum.try_add(price.try_mul_div(whole(*size)?, total, Rounding::HalfEven)?)?;
    }
    Ok(Some(sum))
}

pub(super) fn mean_of_two(a: Price, b: Price) -> Result<Price, NumberError> {
    a.try_add(b)?.try_mul_div(1, 2, Rounding::HalfEven)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u128 = 1_000_000_000_000_000_000;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn book(trades: &[(&str, u128)]) -> Book {
        let mut book = Book::default();
        for (at, (text, tenths)) in (0..).zip(trades) {
            book.add(price(text), tenths * ONE / 10, at, Some(1)).unwrap();
        }
        book.fold().unwrap();
        book
    }

    fn check(trades: &[(&str, u128)], statistic: Statistic, tie: Tie, expected: &str) {
        assert_eq!(
            book(trades).price(statistic, tie).unwrap(),
            Some(price(expected)),
            "{statistic:?} {tie:?}"
        );
    }

    #[test]
    fn the_median_is_the_price_at_which_half_of_the_volume_is_reached() {
        use Statistic::*;
        let trades = [("100", 10), ("101", 5), ("99", 4), ("102", 20)];
        check(&trades, CumulativeVolumeWeightedMedian, Tie::Lower, "102"); // the plain median would be 100.5
        let average = book(&trades).price(VolumeWeightedAverage, Tie::Lower).unwrap().unwrap();
        assert_eq!(average.to_decimal().to_display(4).unwrap(), "101.0513");
        check(&trades, Last, Tie::Lower, "102");
    }

    #[test]
    fn an_exact_half_is_what_the_methodology_says() {
        let trades = [("100", 10), ("101", 10)];
        for (tie, expected) in [(Tie::Lower, "100"), (Tie::Upper, "101"), (Tie::Mean, "100.5")] {
            check(&trades, Statistic::CumulativeVolumeWeightedMedian, tie, expected);
        }
    }

    #[test]
    fn it_is_not_the_price_at_the_median_of_the_volumes() {
        // A published explainer gives 102 for these under that other definition, and 100.62 for the average.
        let trades = [("100", 100), ("100", 110), ("102", 120), ("101", 130), ("100", 140)];
        check(&trades, Statistic::CumulativeVolumeWeightedMedian, Tie::Lower, "100");
        let average = book(&trades).price(Statistic::VolumeWeightedAverage, Tie::Lower).unwrap().unwrap();
        assert_eq!(average.to_decimal().to_display(2).unwrap(), "100.62");
    }

    #[test]
    fn a_bar_without_a_count_leaves_the_count_unknown() {
        let mut bars = Book::default();
        bars.add(price("100"), ONE, 0, None).unwrap();
        bars.add(price("101"), ONE, 1, Some(7)).unwrap();
        assert_eq!(
            (bars.trades(), book(&[("1", 1)]).trades(), Book::default().trades()),
            (None, Some(1), Some(0))
        );
    }
}
