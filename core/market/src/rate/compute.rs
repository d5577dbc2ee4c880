//! From books to a rate: convert, screen venues, price intervals, weigh, round once.

use super::book::{Book, mean_of_two};
use super::error::RateError;
use super::evidence::{
    Conversion, Exclusion, ExclusionReason, MethodologyUsed, Partition, RateEvidence, Venue, Volume,
};
use super::hash::InputHash;
use super::methodology::{EmptyInterval, Statistic, Version};
use super::window::{VenueBooks, Window};
use std::borrow::Cow;
use std::collections::BTreeMap;
use strongroom_units::time::Timestamp;
use strongroom_units::{Decimal, NumberError, Price, Rate, Rounding};

/// Books that count, by the name under which they appear in the evidence.
type Named<'a> = BTreeMap<String, Cow<'a, VenueBooks>>;

impl Window {
    /// The rate and its evidence, or why there is none.
    pub fn rate(&mut self) -> Result<RateEvidence, RateError> {
        let books = self.books.values_mut().flat_map(BTreeMap::values_mut).flatten();
        books.into_iter().try_for_each(Book::fold)?;
        let (named, conversions, unconverted) = self.in_the_pairs_quote()?;
        let (venues, deviating) = self.screen(&named)?;
        let counted: Vec<&VenueBooks> =
            venues.iter().filter_map(|venue| named.get(&venue.venue)).map(Cow::as_ref).collect();
        let partitions = self.partitions(&counted)?;
        let mut excluded = self.dropped();
        excluded.extend(unconverted);
        excluded.extend(deviating);
        Ok(RateEvidence {
            rate: weighted_mean(&partitions, &self.version)?,
            pair: self.pair.to_string(),
            methodology: MethodologyUsed {
                id: self.methodology.clone(),
                effective: self.version.effective,
                statistic: self.version.statistic.name().to_owned(),
                tie: self.version.tie,
            },
            at: self.at,
            from: instant(self.from_ms),
            until: instant(self.until_ms),
            partitions,
            venues,
            excluded,
            conversions,
            input_hash: self.input_hash(),
        })
    }

    fn dropped(&self) -> Vec<Exclusion> {
        let rows = self.dropped.iter().map(|((venue, reason), count)| Exclusion {
            venue: venue.clone(),
            reason: *reason,
            value: None,
            deviation: None,
            observations: *count,
        });
        rows.collect()
    }

    /// The pair's own books, and those in other quotes valued interval by interval.
    fn in_the_pairs_quote(&self) -> Result<(Named<'_>, Vec<Conversion>, Vec<Exclusion>), RateError> {
        let (mut named, mut conversions, mut unconverted) = (Named::new(), Vec::new(), Vec::new());
        for (pair, venues) in self.books.iter().filter(|(pair, _)| pair.base == self.pair.base) {
            if *pair == self.pair {
                named.extend(venues.iter().map(|(venue, books)| (venue.clone(), Cow::Borrowed(books))));
                continue;
            }
            let by = self.version.conversions.0.get(&pair.quote).map_or("", String::as_str);
            let valued = self.books.iter().find(|(pair, _)| pair.to_string() == by);
            let rates = valued.map(|(_, venues)| self.interval_values(venues.values())).transpose()?;
            let Some((rates, whole)) = rates.and_then(|(rates, whole)| Some((rates, whole?))) else {
                let lost = venues
                    .iter()
                    .map(|(venue, books)| lost(venue, books, ExclusionReason::QuoteNotConverted));
                unconverted.extend(lost);
                continue;
            };
            for (venue, books) in venues {
                named.insert(format!("{venue} {pair}"), Cow::Owned(converted(books, &rates)?));
            }
            conversions.push(Conversion { books: pair.to_string(), by: by.to_owned(), value: whole });
        }
        Ok((named, conversions, unconverted))
    }

    /// The price of each interval over venues, empties filled from their neighbours, and that of the whole window.
    fn interval_values<'a>(
        &self,
        venues: impl Iterator<Item = &'a VenueBooks> + Clone,
    ) -> Result<(Vec<Option<Price>>, Option<Price>), NumberError> {
        let mut books = Vec::new();
        let mut values = Vec::new();
        for interval in 0..usize::from(self.version.intervals) {
            let book = Book::merged(venues.clone().filter_map(|books| books.get(interval)))?;
            values.push(median(&book, &self.version)?);
            books.push(book);
        }
        let whole = Book::merged(books.iter())?;
        let filled = fill(&values, EmptyInterval::BorrowPrevious);
        Ok((filled.iter().map(|(value, _)| *value).collect(), median(&whole, &self.version)?))
    }

    /// Each venue's price over the window against the median of the venues' prices.
    fn screen(&self, named: &Named<'_>) -> Result<(Vec<Venue>, Vec<Exclusion>), RateError> {
        let mut found = Vec::new();
        for (name, books) in named {
            let book = Book::merged(books.iter())?;
            if let Some(value) = median(&book, &self.version)? {
                found.push((name, book, value));
            }
        }
        let centre =
            median_of(found.iter().map(|(_, _, value)| *value).collect())?.ok_or_else(|| self.no_trades())?;
        let limit = self.version.venue_screen.map(|screen| screen.deviation_max);
        let (mut kept, mut excluded) = (Vec::new(), Vec::new());
        for (name, book, value) in found {
            let deviation = deviation(value, centre)?;
            let size = if deviation.is_negative() { deviation.try_neg()? } else { deviation };
            if limit.is_some_and(|limit| size > limit) {
                excluded.push(Exclusion {
                    venue: name.clone(),
                    reason: ExclusionReason::DeviatesFromVenueMedian,
                    value: Some(value),
                    deviation: Some(deviation),
                    observations: book.trades().unwrap_or(book.level_count() as u64),
                });
                continue;
            }
            let (trades, volume) = (book.trades(), volume(&book)?);
            kept.push(Venue { venue: name.clone(), value, deviation, trades, volume });
        }
        self.are_enough(&kept, limit)?;
        Ok((kept, excluded))
    }

    fn are_enough(&self, kept: &[Venue], limit: Option<Rate>) -> Result<(), RateError> {
        if let (true, Some(limit)) = (kept.is_empty(), limit) {
            return Err(RateError::AllVenuesExcluded { limit });
        }
        let mut names: Vec<&str> =
            kept.iter().map(|v| v.venue.split(' ').next().unwrap_or(&v.venue)).collect();
        names.dedup();
        let needed = self.version.venues_min;
        if names.len() < usize::from(needed) {
            return Err(RateError::TooFewVenues { pair: self.pair.to_string(), found: names.len(), needed });
        }
        Ok(())
    }

    fn partitions(&self, venues: &[&VenueBooks]) -> Result<Vec<Partition>, RateError> {
        let mut books = Vec::new();
        let mut values = Vec::new();
        for interval in 0..usize::from(self.version.intervals) {
            let book = Book::merged(venues.iter().filter_map(|venue| venue.get(interval)))?;
            values.push(book.price(self.version.statistic, self.version.tie)?);
            books.push(book);
        }
        let step = 1_000 * i64::from(self.version.interval_seconds);
        let mut partitions = Vec::new();
        let filled = fill(&values, self.version.empty);
        for (((book, (value, borrowed)), weight), index) in
            books.iter().zip(filled).zip(self.version.interval_weights()).zip(0i64..)
        {
            let start = instant(self.from_ms + index * step);
            if value.is_none() && self.version.empty == EmptyInterval::Fail {
                return Err(RateError::EmptyInterval { start });
            }
            partitions.push(Partition {
                start,
                value,
                borrowed,
                weight,
                trades: book.trades(),
                volume: volume(book)?,
            });
        }
        Ok(partitions)
    }

    fn no_trades(&self) -> RateError {
        RateError::NoTrades {
            pair: self.pair.to_string(),
            from: instant(self.from_ms),
            until: instant(self.until_ms),
        }
    }

    /// What the rate depends on and nothing else.
    fn input_hash(&self) -> String {
        let mut hash = InputHash::new();
        for (pair, venues) in &self.books {
            for (venue, books) in venues {
                for (interval, book) in books.iter().enumerate().filter(|(_, book)| !book.is_empty()) {
                    hash.add(format_args!("{pair} {venue} {interval}"), book);
                }
            }
        }
        hash.finish()
    }
}

/// The median of prices: the middle one, or the mean of the two in the middle. None of none.
pub fn median_of(mut prices: Vec<Price>) -> Result<Option<Price>, NumberError> {
    prices.sort_unstable();
    let middle = prices.len() / 2;
    match (prices.len() % 2, middle.checked_sub(1).and_then(|low| prices.get(low)), prices.get(middle)) {
        (1, _, Some(price)) => Ok(Some(*price)),
        (0, Some(low), Some(high)) => mean_of_two(*low, *high).map(Some),
        _ => Ok(None),
    }
}

fn median(book: &Book, version: &Version) -> Result<Option<Price>, NumberError> {
    book.price(Statistic::CumulativeVolumeWeightedMedian, version.tie)
}

fn converted(books: &VenueBooks, rates: &[Option<Price>]) -> Result<VenueBooks, NumberError> {
    let one = 10i128.pow(u32::from(Price::SCALE));
    let valued = books.iter().zip(rates).map(|(book, rate)| match rate {
        None => Ok(Book::default()),
        Some(rate) => book.repriced(|price| price.try_mul_div(rate.units(), one, Rounding::HalfEven)),
    });
    valued.collect()
}

fn lost(venue: &str, books: &VenueBooks, reason: ExclusionReason) -> Exclusion {
    let observations = books.iter().map(|book| book.trades().unwrap_or(book.level_count() as u64)).sum();
    Exclusion { venue: venue.to_owned(), reason, value: None, deviation: None, observations }
}

/// Each interval's price, or its neighbour's, and whether it is a neighbour's.
fn fill(values: &[Option<Price>], empty: EmptyInterval) -> Vec<(Option<Price>, bool)> {
    let before = |index: usize| values.iter().take(index).rev().flatten().next().copied();
    let after = |index: usize| values.iter().skip(index + 1).flatten().next().copied();
    let filled = values.iter().enumerate().map(|(index, value)| match (value, empty) {
        (Some(value), _) => (Some(*value), false),
        (None, EmptyInterval::Drop | EmptyInterval::Fail) => (None, false),
        (None, EmptyInterval::BorrowNext) => (after(index).or_else(|| before(index)), true),
        (None, EmptyInterval::BorrowPrevious) => (before(index).or_else(|| after(index)), true),
    });
    filled.collect()
}

/// Σ weight × price ÷ Σ weight over the intervals that have a price, rounded once.
fn weighted_mean(partitions: &[Partition], version: &Version) -> Result<Price, RateError> {
    let (mut sum, mut weights) = (0i128, 0i128);
    for (value, weight) in partitions.iter().filter_map(|p| Some((p.value?, i128::from(p.weight)))) {
        let weighted = value.units().checked_mul(weight).and_then(|weighted| sum.checked_add(weighted));
        sum = weighted.ok_or(NumberError::Overflow)?;
        weights += weight;
    }
    let unit = 10i128.pow(u32::from(Price::SCALE - version.decimals));
    let divisor = weights.checked_mul(unit).ok_or(NumberError::Overflow)?;
    let rounded = Price::from_units(sum).try_mul_div(1, divisor, version.rounding)?;
    Ok(rounded.try_mul_div(unit, 1, Rounding::Down)?)
}

fn deviation(value: Price, centre: Price) -> Result<Rate, NumberError> {
    let one = 10i128.pow(u32::from(Rate::SCALE));
    let change = value.try_sub(centre)?.try_mul_div(one, centre.units(), Rounding::HalfEven)?;
    Ok(Rate::from_units(change.units()))
}

fn volume(book: &Book) -> Result<Volume, NumberError> {
    let units = i128::try_from(book.volume()?).map_err(|_| NumberError::Overflow)?;
    Ok(Volume(Decimal::try_new(units, 18)?))
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}
